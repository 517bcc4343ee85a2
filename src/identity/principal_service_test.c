/* Policies and API tokens: how services and operators come in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "identity/access/api_token.h"
#include "identity/identity_fixture.h"
#include "identity/policy.h"

#define HUB "hub.example.org"
#define DPS "dps.example.org"
#define DAY 86400

/* --- rights ---------------------------------------------------------------------------------- */

static void may_grants_what_is_held_and_nothing_else(void **state)
{
    const struct principal reader = {.rights = RIGHT_REGISTRY_READ};
    const struct principal writer = {.rights = RIGHT_ENROLLMENT_WRITE | RIGHT_REGISTRATION_WRITE};

    (void)state;
    assert_true(may(&reader, RIGHT_REGISTRY_READ));
    assert_false(may(&reader, RIGHT_REGISTRY_WRITE));
    assert_false(may(&reader, (enum right)(RIGHT_REGISTRY_READ | RIGHT_REGISTRY_WRITE)));
    assert_false(may(&reader, RIGHT_NONE));
    assert_false(may(&reader, (enum right)(1 << 30)));
    assert_false(may(NULL, RIGHT_REGISTRY_READ));
    assert_true(may(&writer, RIGHT_ENROLLMENT_READ)); /* write implies read */
    assert_true(may(&writer, RIGHT_REGISTRATION_READ));
    assert_false(may(&writer, RIGHT_DPS_CONFIG));
}

/* --- hubs ------------------------------------------------------------------------------------ */

static void a_hub_answers_to_its_names(void **state)
{
    static const struct {
        const char *host;
        const struct hub_name *hub;
    } rows[] = {
        {HUB, &fixture_hubs[0]},
        {"HUB.Example.ORG:443", &fixture_hubs[0]},
        {"alias.example.org:8883", &fixture_hubs[0]},
        {"other.example.org", &fixture_hubs[1]},
        {HUB ":", NULL},
        {HUB ":44x", NULL},
        {HUB ".", NULL},
        {"example.org", NULL},
        {":443", NULL},
        {"443", NULL},
        {"", NULL},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (identity_hub_by_host(f->id, slice_str(rows[i].host)) != rows[i].hub)
            fail_msg("'%s'", rows[i].host);
    }
    assert_ptr_equal(identity_hub_by_name(f->id, SLICE("other")), &fixture_hubs[1]);
    assert_null(identity_hub_by_name(f->id, SLICE("Other")));
    assert_ptr_equal(identity_default_hub(f->id), &fixture_hubs[0]);
    assert_int_equal(identity_sas_tolerance_s(f->id), 300);
}

/* --- policies -------------------------------------------------------------------------------- */

struct policies {
    struct fixture *f;
    struct buf names;
    struct secret owner; /* primary key of hub:main iothubowner */
    struct secret dps_owner;
    enum status status;
    unsigned ends;
};

static void on_policy(void *context, enum status status, const struct policy *p)
{
    struct policies *list = context;

    if (!p) {
        list->status = status;
        list->ends++;
        return;
    }
    buf_printf(&list->names, "%.*s/%.*s=%x ", SLICE_FMT(p->scope), SLICE_FMT(p->name), p->rights);
    assert_int_equal(p->primary.len, 32);
    assert_int_equal(p->secondary.len, 32);
    if (slice_equal(p->scope, SLICE("hub:main")) && slice_equal(p->name, SLICE("iothubowner")))
        list->owner = p->primary;
    if (slice_equal(p->scope, SLICE("dps")))
        list->dps_owner = p->primary;
}

static void begin_list(void *context)
{
    struct policies *list = context;

    policy_list(list->f->id, on_policy, list);
}

static struct policies list_policies(struct fixture *f)
{
    struct policies list = {.f = f, .names.max = 4096};

    worker_call(workers_at(f->workers, 0), begin_list, &list);
    assert_int_equal(list.status, ST_OK);
    assert_int_equal(list.ends, 1);
    return list;
}

static void the_first_start_makes_the_default_policies_once(void **state)
{
    static const char want[] = "dps/provisioningserviceowner=1f8 "
                               "hub:main/device=8 hub:main/iothubowner=f hub:main/registryRead=1 "
                               "hub:main/registryReadWrite=3 hub:main/service=4 "
                               "hub:other/device=8 hub:other/iothubowner=f "
                               "hub:other/registryRead=1 hub:other/registryReadWrite=3 "
                               "hub:other/service=4 ";
    struct fixture *f = *state;
    struct policies first = list_policies(f), second;

    if (!slice_equal(buf_slice(&first.names), slice_str(want)))
        fail_msg("%.*s", SLICE_FMT(buf_slice(&first.names)));
    fixture_close(f);
    fixture_open(f);
    second = list_policies(f);
    assert_true(slice_equal(buf_slice(&second.names), slice_str(want)));
    assert_true(slice_equal(secret_slice(&first.owner), secret_slice(&second.owner)));
    assert_false(slice_equal(secret_slice(&first.owner), secret_slice(&first.dps_owner)));
    buf_deinit(&first.names);
    buf_deinit(&second.names);
}

/* --- service calls --------------------------------------------------------------------------- */

struct call {
    struct fixture *f;
    const char *host;
    slice authorization;
    const slice *segments;
    size_t segment_count;
    bool is_api;
    enum status status;
    struct principal principal;
    struct fault why;
    unsigned answers;
};

static void on_principal(void *context, enum status status, const struct principal *p,
                         const struct fault *why)
{
    struct call *c = context;

    c->answers++;
    c->status = status;
    c->why = *why;
    assert_true((status == ST_OK) == (p != NULL));
    if (p)
        c->principal = *p;
}

static void begin(void *context)
{
    struct call *c = context;

    if (c->is_api)
        api_token_authenticate(c->f->id, c->authorization, on_principal, c);
    else
        identity_authenticate_service(c->f->id, slice_str(c->host), c->authorization, c->segments,
                                      c->segment_count, on_principal, c);
}

static enum status run(struct call *c)
{
    c->answers = 0;
    worker_call(workers_at(c->f->workers, 1), begin, c);
    assert_int_equal(c->answers, 1);
    return c->status;
}

static void S001_S003_tokens_of_services(void **state)
{
    static const struct {
        const char *name, *host, *scope, *policy;
        bool dps_key;
        int64_t life_s;
        enum status status;
        unsigned rights;
        const struct hub_name *hub;
    } rows[] = {
        {"hub", HUB, HUB, "iothubowner", false, DAY, ST_OK, 0xf, &fixture_hubs[0]},
        {"hub's alias", HUB, "alias.example.org", "iothubowner", false, DAY, ST_OK, 0xf,
         &fixture_hubs[0]},
        {"narrower", HUB, HUB "/twins", "iothubowner", false, DAY, ST_OK, 0xf, &fixture_hubs[0]},
        {"elsewhere", HUB, HUB "/devices", "iothubowner", false, DAY, ST_UNAUTHORIZED, 0, NULL},
        {"without case is the DPS's way", HUB, HUB "/TWINS", "iothubowner", false, DAY,
         ST_UNAUTHORIZED, 0, NULL},
        {"another hub", "other.example.org", "other.example.org", "iothubowner", false, DAY,
         ST_UNAUTHORIZED, 0, NULL},
        {"wrong key", HUB, HUB, "iothubowner", true, DAY, ST_UNAUTHORIZED, 0, NULL},
        {"expired", HUB, HUB, "iothubowner", false, -400, ST_UNAUTHORIZED, 0, NULL},
        {"no policy", HUB, HUB, "", false, DAY, ST_UNAUTHORIZED, 0, NULL},
        {"unknown policy", HUB, HUB, "nobody", false, DAY, ST_UNAUTHORIZED, 0, NULL},
        {"DPS", DPS, DPS, "provisioningserviceowner", true, DAY, ST_OK, 0x1f8, NULL},
        {"DPS with port", DPS ":443", DPS, "provisioningserviceowner", true, DAY, ST_OK, 0x1f8,
         NULL},
        {"DPS without case", DPS, DPS "/TWINS", "provisioningserviceowner", true, DAY, ST_OK, 0x1f8,
         NULL},
        {"one name for both", HUB, HUB, "provisioningserviceowner", true, DAY, ST_OK, 0x1f8, NULL},
        {"a hub's policy at the DPS", DPS, DPS, "iothubowner", false, DAY, ST_UNAUTHORIZED, 0,
         NULL},
        {"another DPS", DPS, "dps2.example.org", "provisioningserviceowner", true, DAY,
         ST_UNAUTHORIZED, 0, NULL},
    };
    const slice segments[] = {SLICE("twins"), SLICE("d1")};
    struct fixture *f = *state;
    struct policies keys = list_policies(f);

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        BUF_CLEANUP struct buf text = {.max = SAS_TOKEN_MAX};
        struct call c = {.f = f, .host = rows[i].host, .segments = segments, .segment_count = 2};

        sas_token_write(slice_str(rows[i].scope),
                        secret_slice(rows[i].dps_key ? &keys.dps_owner : &keys.owner),
                        clock_wall_ms() / 1000 + rows[i].life_s, slice_str(rows[i].policy), &text);
        c.authorization = buf_slice(&text);
        if (run(&c) != rows[i].status)
            fail_msg("%s: %s (%s)", rows[i].name, status_name(c.status), c.why.text);
        if (c.status != ST_OK)
            continue;
        assert_int_equal(c.principal.rights, rows[i].rights);
        assert_ptr_equal(c.principal.hub, rows[i].hub);
        assert_string_equal(c.principal.name, rows[i].policy);
    }
    buf_deinit(&keys.names);
}

static void a_service_without_a_token_is_refused(void **state)
{
    static const char *const rows[] = {"", "Bearer x", "SharedAccessSignature ", "garbage"};

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct call c = {.f = *state, .host = HUB, .authorization = slice_str(rows[i])};

        assert_int_equal(run(&c), ST_UNAUTHORIZED);
    }
}

/* --- API tokens ------------------------------------------------------------------------------ */

static void make_token(struct fixture *f, const char *token_id, instant expires_at,
                       enum status want, struct buf *ret)
{
    struct fault why = {0};

    ret->max = 1024;
    assert_int_equal(api_token_create_now(f->id, slice_str(token_id), expires_at, ret, &why), want);
}

static enum status use(struct fixture *f, const char *before, slice token, struct call *ret)
{
    BUF_CLEANUP struct buf text = {.max = 8192};

    buf_append_str(&text, before);
    buf_append(&text, token);
    *ret = (struct call){.f = f, .is_api = true, .authorization = buf_slice(&text)};
    return run(ret);
}

static void C114_an_api_token_comes_in_until_it_expires(void **state)
{
    struct fixture *f = *state;
    BUF_CLEANUP struct buf token = {0}, expired = {0};
    instant now = clock_wall_ms();
    struct call c;

    make_token(f, "first", now + DAY * 1000LL, ST_OK, &token);
    make_token(f, "old", now - 1, ST_OK, &expired);
    assert_true(
        slice_starts_with(buf_slice(&token), SLICE("SharedAccessSignature sr=muster&sig=mst_")));
    assert_int_equal(use(f, "", buf_slice(&token), &c), ST_OK);
    assert_int_equal(c.principal.rights, RIGHT_NONE);
    assert_true(may_do(&c.principal, PERM_TOKENS_CREATE));
    assert_string_equal(c.principal.organization, "");
    assert_string_equal(c.principal.name, "first");
    assert_null(c.principal.hub);
    assert_int_equal(use(f, "Bearer ", buf_slice(&token), &c), ST_OK);
    assert_int_equal(use(f, "", buf_slice(&expired), &c), ST_UNAUTHORIZED);
}

static void C114_anything_but_the_token_is_refused(void **state)
{
    struct fixture *f = *state;
    BUF_CLEANUP struct buf token = {0}, other = {0}, again = {0}, bad_id = {0};
    instant later = clock_wall_ms() + DAY * 1000LL;
    struct call c;
    size_t at;

    make_token(f, "first", later, ST_OK, &token);
    make_token(f, "second", later, ST_OK, &again);
    make_token(f, "second", later, ST_OK, &other); /* in its place */
    make_token(f, "a&b", later, ST_BAD_REQUEST, &bad_id);
    assert_int_equal(use(f, "", (slice){0}, &c), ST_UNAUTHORIZED);
    assert_int_equal(use(f, "", slice_first(buf_slice(&token), 40), &c), ST_UNAUTHORIZED);
    assert_int_equal(use(f, "Basic ", buf_slice(&token), &c), ST_UNAUTHORIZED);
    assert_int_equal(use(f, "SharedAccessSignature ", buf_slice(&token), &c), ST_UNAUTHORIZED);
    assert_int_equal(use(f, "", buf_slice(&again), &c), ST_UNAUTHORIZED);
    buf_append_str(&token, "&sig=mst_00");
    assert_int_equal(use(f, "", buf_slice(&token), &c), ST_UNAUTHORIZED);
    buf_clear(&token);
    buf_append(&token, buf_slice(&other));
    assert_true(slice_search(buf_slice(&token), SLICE("second"), &at));
    memcpy(token.ptr + at, "absent", 6); /* a good secret under another ID */
    assert_int_equal(use(f, "", buf_slice(&token), &c), ST_UNAUTHORIZED);
    memcpy(token.ptr + at, "second", 6);
    assert_int_equal(use(f, "", buf_slice(&token), &c), ST_OK);
    assert_true(slice_search(buf_slice(&token), SLICE("mst_"), &at));
    token.ptr[at + 4] = token.ptr[at + 4] == '0' ? '1' : '0';
    assert_int_equal(use(f, "", buf_slice(&token), &c), ST_UNAUTHORIZED);
}

struct canary {
    slice secret;
    bool found;
};

static void look_for(const char *path, void *context)
{
    struct canary *canary = context;
    BUF_CLEANUP struct buf content = {.max = 64 << 20};
    FILE *file = fopen(path, "rb");
    uint8_t chunk[4096];
    size_t len, at;

    assert_non_null(file);
    while ((len = fread(chunk, 1, sizeof chunk, file)) > 0)
        buf_append(&content, slice_of(chunk, len));
    fclose(file);
    assert_false(content.failed);
    canary->found = canary->found || slice_search(buf_slice(&content), canary->secret, &at);
}

static void C120_api_tokens_are_hashed_and_policies_sealed_at_rest(void **state)
{
    struct fixture *f = *state;
    BUF_CLEANUP struct buf token = {0};
    struct policies keys = list_policies(f);
    struct canary canary = {0};

    make_token(f, "first", clock_wall_ms(), ST_OK, &token);
    canary.secret = SLICE("mst_");
    fixture_files(f, look_for, &canary);
    canary.secret = secret_slice(&keys.owner);
    fixture_files(f, look_for, &canary);
    assert_false(canary.found);
    buf_deinit(&keys.names);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(may_grants_what_is_held_and_nothing_else),
        TEST(a_hub_answers_to_its_names),
        TEST(the_first_start_makes_the_default_policies_once),
        TEST(S001_S003_tokens_of_services),
        TEST(a_service_without_a_token_is_refused),
        TEST(C114_an_api_token_comes_in_until_it_expires),
        TEST(C114_anything_but_the_token_is_refused),
        TEST(C120_api_tokens_are_hashed_and_policies_sealed_at_rest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
