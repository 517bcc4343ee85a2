#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>

#include "central/central_fixture.h"
#include "central/device_rules.h"

#define EVENTS_MAX 16384

/* --- events heard ----------------------------------------------------------------------------- */

struct heard {
    pthread_mutex_t lock;
    char types[EVENTS_MAX]; /* each with a blank behind */
};
static struct heard heard = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void on_event(void *context, slice subject, slice message)
{
    struct arena ARENA_CLEANUP arena = {.max = 65536};
    struct json *root;
    slice type;
    size_t len;

    (void)context, (void)subject;
    assert_int_equal(json_parse(message, JSON_REFUSE_DUPLICATES, &arena, &root, NULL), ST_OK);
    assert_true(json_get_text(root, SLICE("type"), &type));
    pthread_mutex_lock(&heard.lock);
    len = strlen(heard.types);
    snprintf(heard.types + len, sizeof heard.types - len, "%.*s ", SLICE_FMT(type));
    pthread_mutex_unlock(&heard.lock);
}

static void forget_events(void)
{
    pthread_mutex_lock(&heard.lock);
    heard.types[0] = 0;
    pthread_mutex_unlock(&heard.lock);
}

static void nothing(void *context)
{
    (void)context;
}

/* Events travel behind answers: worker 0 has heard them when it has done what is posted after. */
static void expect_events(struct fixture *f, const char *want)
{
    for (unsigned i = 0; i < FIXTURE_WORKERS; i++)
        worker_call(workers_at(f->ws, i), nothing, NULL);
    worker_call(workers_at(f->ws, 0), nothing, NULL);
    pthread_mutex_lock(&heard.lock);
    assert_string_equal(heard.types, want);
    pthread_mutex_unlock(&heard.lock);
}

/* --- the application, and calls that wait ----------------------------------------------------- */

static int setup(void **state)
{
    struct fixture *f = fixture_create();

    central_fixture_open(f);
    assert_true(bus_subscribe(f->bus, workers_at(f->ws, 0), "central.events", on_event, NULL));
    fixture_start(f);
    forget_events();
    *state = f;
    return 0;
}

struct acting {
    struct fixture *f;
    enum { DO_GET, DO_ADD, DO_ACT, DO_SET, DO_CREDENTIALS } what;
    const char *id, *template_id, *name, *value;
    enum device_act act;
    struct device_add add;
    /* the answer */
    enum status status;
    enum device_status device_status;
    char why[FAULT_TEXT_MAX], refusal[80], device_id[160], device_template[80], group[80];
    bool provisioned, connected, approved;
    struct secret primary;
    enum device_auth auth;
    char thumbprint[80];
    struct central_settings settings;
    sem_t done;
};

static void on_view(void *context, enum status status, const struct device_view *v,
                    const struct fault *why)
{
    struct acting *a = context;

    a->status = status;
    snprintf(a->why, sizeof a->why, "%s", why ? why->text : "");
    if (v) {
        a->device_status = v->status;
        a->provisioned = v->device->provisioned;
        a->approved = v->device->approved;
        a->connected = v->connected;
        snprintf(a->refusal, sizeof a->refusal, "%s", v->refusal ? v->refusal : "");
        fixture_keep(a->device_id, sizeof a->device_id, v->device->id);
        fixture_keep(a->device_template, sizeof a->device_template, v->device->template_id);
        fixture_keep(a->group, sizeof a->group, v->enrollment_group);
    }
    sem_post(&a->done);
}

static void on_settings(void *context, enum status status, const struct central_settings *s,
                        const struct fault *why)
{
    struct acting *a = context;

    a->status = status;
    if (s)
        a->settings = *s;
    snprintf(a->why, sizeof a->why, "%s", why ? why->text : "");
    sem_post(&a->done);
}

static void on_keys(void *context, enum status status, const struct device_credentials *k,
                    const struct fault *why)
{
    struct acting *a = context;

    (void)why;
    a->status = status;
    if (k) {
        a->primary = k->primary;
        a->auth = k->auth;
        fixture_keep(a->thumbprint, sizeof a->thumbprint, k->primary_thumbprint);
    }
    sem_post(&a->done);
}

static void run_act(void *context)
{
    struct acting *a = context;
    struct central *c = central_of(a->f);

    switch (a->what) {
    case DO_GET:
        central_device_get(c, slice_str(a->id), on_view, a);
        break;
    case DO_ADD:
        central_device_add(c, &a->add, on_view, a);
        break;
    case DO_ACT:
        central_device_act(c, slice_str(a->id), a->act, slice_str(a->template_id), on_view, a);
        break;
    case DO_SET:
        central_set(c, slice_str(a->name), slice_str(a->value), on_settings, a);
        break;
    default:
        central_device_credentials(c, slice_str(a->id), on_keys, a);
    }
}

static struct acting acts(struct acting a)
{
    sem_init(&a.done, 0, 0);
    fixture_post(a.f, 1, run_act, &a);
    fixture_wait(&a.done);
    return a;
}

static struct acting act_on(struct fixture *f, const char *id, enum device_act act)
{
    return acts(
        (struct acting){.f = f, .what = DO_ACT, .id = id, .act = act, .template_id = "generic"});
}

static struct acting view_of(struct fixture *f, const char *id)
{
    return acts((struct acting){.f = f, .what = DO_GET, .id = id});
}

static struct acting add_device(struct fixture *f, const char *id)
{
    return acts(
        (struct acting){.f = f, .what = DO_ADD, .add = {.id = slice_str(id), .origin = ORIGIN_UI}});
}

static void set(struct fixture *f, const char *name, const char *value)
{
    struct acting a = acts((struct acting){.f = f, .what = DO_SET, .name = name, .value = value});

    if (a.status != ST_OK)
        fail_msg("%s=%s: %s", name, value, a.why);
}

/* --- life cycle ------------------------------------------------------------------------------- */

static void C001_C003_added_device_is_registered_then_provisioned(void **state)
{
    struct fixture *f = *state;
    struct acting a = add_device(f, "dev-001");

    assert_int_equal(a.status, ST_OK);
    assert_int_equal(a.device_status, DEVICE_REGISTERED);
    assert_true(a.approved);
    assert_false(a.provisioned);
    assert_string_equal(a.refusal, "");
    assert_int_equal(registers(f, "dev-001").state, REG_ASSIGNED);
    a = view_of(f, "dev-001");
    assert_int_equal(a.device_status, DEVICE_PROVISIONED);
    assert_string_equal(a.group, "SAS-IoT-Devices");
    assert_int_equal(add_device(f, "DEV-001").status, ST_BAD_REQUEST);
    assert_int_equal(add_device(f, "dev-001").status, ST_CONFLICT);
}

static void C005_C007_C026_C028_approve_then_associate(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(registers(f, "dev-001").state, REG_FAILED);
    assert_string_equal(view_of(f, "dev-001").refusal, "waiting for approval");
    assert_int_equal(act_on(f, "dev-001", ACT_APPROVE).status, ST_OK);
    assert_int_equal(registers(f, "dev-001").state, REG_FAILED);
    assert_string_equal(view_of(f, "dev-001").refusal, "needs a template");
    assert_int_equal(act_on(f, "dev-001", ACT_ASSOCIATE).status, ST_OK);
    assert_int_equal(registers(f, "dev-001").state, REG_ASSIGNED);
    assert_int_equal(view_of(f, "dev-001").device_status, DEVICE_PROVISIONED);
    expect_events(f, "registered approvalRequested refused approved refused "
                     "deviceTemplateChanged provisioned ");
}

static void C006_associate_then_approve(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(registers(f, "dev-001").state, REG_FAILED);
    assert_int_equal(act_on(f, "dev-001", ACT_ASSOCIATE).status, ST_OK);
    assert_int_equal(registers(f, "dev-001").state, REG_FAILED);
    assert_int_equal(act_on(f, "dev-001", ACT_APPROVE).status, ST_OK);
    assert_int_equal(registers(f, "dev-001").state, REG_ASSIGNED);
}

static void C008_C009_C078_profile_and_auto_approve_act_at_once(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(registers(f, "dev-001").state, REG_FAILED);
    set(f, "lifecycleProfile", "later");
    assert_int_equal(registers(f, "dev-002").state, REG_ASSIGNED);
    assert_int_equal(view_of(f, "dev-001").device_status, DEVICE_WAITING);
    set(f, "autoApprove", "false");
    assert_int_equal(registers(f, "dev-003").state, REG_FAILED);
    assert_int_equal(view_of(f, "dev-003").device_status, DEVICE_WAITING);
    assert_int_equal(act_on(f, "dev-003", ACT_APPROVE).status, ST_OK);
    assert_int_equal(registers(f, "dev-003").state, REG_ASSIGNED);
    set(f, "lifecycleProfile", "seed");
    set(f, "autoApprove", "true");
    set(f, "requireTemplate", "never");
    assert_int_equal(registers(f, "dev-004").state, REG_ASSIGNED);
}

static void C015_C016_C017_unblock_gives_back_what_was(void **state)
{
    struct fixture *f = *state;
    struct acting a;

    add_device(f, "registered");
    registers(f, "waiting");
    add_device(f, "provisioned");
    registers(f, "provisioned");
    static const struct {
        const char *id;
        enum device_status before;
        enum registration_state then;
    } rows[] = {
        {"registered", DEVICE_REGISTERED, REG_ASSIGNED},
        {"waiting", DEVICE_REGISTERED, REG_FAILED},
        {"provisioned", DEVICE_PROVISIONED, REG_ASSIGNED},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int64_t generation = fixture_device(f, rows[i].id).credential_generation;

        a = act_on(f, rows[i].id, ACT_BLOCK);
        assert_true(fixture_device(f, rows[i].id).credential_generation > generation);
        assert_int_equal(a.status, ST_OK);
        assert_int_equal(a.device_status, DEVICE_BLOCKED);
        assert_int_equal(registers(f, rows[i].id).state, REG_FAILED);
        assert_int_equal(act_on(f, rows[i].id, ACT_BLOCK).status, ST_OK);
        a = act_on(f, rows[i].id, ACT_UNBLOCK);
        if (a.device_status != rows[i].before)
            fail_msg("%s: another status", rows[i].id);
        assert_int_equal(registers(f, rows[i].id).state, rows[i].then);
    }
    act_on(f, "provisioned", ACT_BLOCK);
    assert_int_equal(act_on(f, "provisioned", ACT_ASSOCIATE).status, ST_OK);
    a = act_on(f, "provisioned", ACT_UNBLOCK);
    assert_int_equal(a.device_status, DEVICE_PROVISIONED);
    assert_string_equal(a.device_template, "generic");
}

static void C019_deleted_device_comes_back_as_a_new_one(void **state)
{
    static const struct sql records = {"SELECT count(*) FROM registration"};
    struct fixture *f = *state;

    add_device(f, "dev-001");
    registers(f, "dev-001");
    assert_int_equal(act_on(f, "dev-001", ACT_DELETE).status, ST_OK);
    assert_int_equal(view_of(f, "dev-001").status, ST_DEVICE_NOT_FOUND);
    assert_int_equal(act_on(f, "dev-001", ACT_DELETE).status, ST_DEVICE_NOT_FOUND);
    assert_int_equal(fixture_number(f, &records), 0);
    assert_int_equal(registers(f, "dev-001").state, REG_FAILED);
    assert_false(view_of(f, "dev-001").approved);
}

static void C020_deleting_a_device_removes_its_individual_enrollment(void **state)
{
    struct fixture *f = *state;
    struct enrollment own = {
        .kind = ENROLLMENT_INDIVIDUAL, .id = SLICE("dev-001"), .enabled = true, .gated = true};
    struct enrollment named = {.kind = ENROLLMENT_INDIVIDUAL,
                               .id = SLICE("reg-1"),
                               .device_id = SLICE("dev-001"),
                               .enabled = true,
                               .gated = true};
    struct enrollment other = {
        .kind = ENROLLMENT_INDIVIDUAL, .id = SLICE("dev-002"), .enabled = true, .gated = true};

    add_device(f, "dev-001");
    assert_int_equal(fixture_enrollment(f, CALL_PUT, &own, NULL), ST_OK);
    assert_int_equal(fixture_enrollment(f, CALL_PUT, &named, NULL), ST_OK);
    assert_int_equal(fixture_enrollment(f, CALL_PUT, &other, NULL), ST_OK);
    assert_int_equal(act_on(f, "dev-001", ACT_DELETE).status, ST_OK);
    assert_int_equal(fixture_enrollment(f, CALL_GET, &own, NULL), ST_NOT_FOUND);
    assert_int_equal(fixture_enrollment(f, CALL_GET, &named, NULL), ST_NOT_FOUND);
    assert_int_equal(fixture_enrollment(f, CALL_GET, &other, NULL), ST_OK);
}

static void C024_simulated_device_never_provisions_from_outside(void **state)
{
    struct fixture *f = *state;
    struct acting a = acts(
        (struct acting){.f = f, .what = DO_ADD, .add = {.id = SLICE("sim-1"), .simulated = true}});

    assert_int_equal(a.device_status, DEVICE_PROVISIONED);
    assert_int_equal(registers(f, "sim-1").state, REG_FAILED);
}

static void deprovisioned_device_is_registered_and_comes_again(void **state)
{
    struct fixture *f = *state;
    struct answered first, again;

    add_device(f, "dev-001");
    first = registering_run((struct registering){.f = f, .id = "dev-001", .now = 1767225600000});
    assert_int_equal(act_on(f, "dev-001", ACT_DEPROVISION).device_status, DEVICE_REGISTERED);
    again = registers(f, "dev-001");
    assert_int_equal(again.state, REG_ASSIGNED);
    assert_true(again.created_at > first.created_at);
}

static void C029_C034_C036_announced_model_associates_when_published(void **state)
{
    struct fixture *f = *state;
    struct registering g = {
        .f = f, .id = "dev-001", .body = "{\"payload\":{\"modelId\":\"generic\"}}"};

    registering_run(g);
    assert_string_equal(view_of(f, "dev-001").device_template, "generic");
    g.id = "dev-002";
    g.body = "{\"payload\":{\"modelId\":\"dtmi:unknown;1\"}}";
    assert_int_equal(registering_run(g).status, ST_OK);
    assert_string_equal(view_of(f, "dev-002").device_template, "");
    assert_string_equal(fixture_device(f, "dev-002").model_id, "dtmi:unknown;1");
    set(f, "autoAssociate", "false");
    g.id = "dev-003";
    g.body = "{\"payload\":{\"modelId\":\"generic\"}}";
    registering_run(g);
    assert_string_equal(view_of(f, "dev-003").device_template, "");
    assert_int_equal(acts((struct acting){.f = f,
                                          .what = DO_ACT,
                                          .id = "dev-003",
                                          .act = ACT_ASSOCIATE,
                                          .template_id = "draft"})
                         .status,
                     ST_BAD_REQUEST);
}

/* --- races ------------------------------------------------------------------------------------ */

struct crowd {
    struct fixture *f;
    unsigned worker;
    _Atomic bool stop;
    _Atomic unsigned assigned, refused;
};

static void *register_on(void *context)
{
    struct crowd *c = context;

    while (!c->stop) {
        struct answered a =
            registering_run((struct registering){.f = c->f, .id = "dev-001", .worker = c->worker});

        if (a.status == ST_OK && a.state == REG_ASSIGNED)
            c->assigned++;
        else if (a.status == ST_OK && a.state == REG_FAILED)
            c->refused++;
    }
    return NULL;
}

static void C018_block_holds_under_concurrent_registrations(void **state)
{
    struct fixture *f = *state;
    struct crowd crowd[FIXTURE_WORKERS] = {{.f = f}, {.f = f, .worker = 1}};
    pthread_t threads[FIXTURE_WORKERS];
    struct acting a;

    add_device(f, "dev-001");
    registers(f, "dev-001");
    for (unsigned i = 0; i < FIXTURE_WORKERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, register_on, &crowd[i]), 0);
    for (int i = 0; i < 100; i++) {
        a = act_on(f, "dev-001", ACT_BLOCK);
        if (a.status != ST_OK)
            fail_msg("block %d: %s", i, a.why);
        assert_int_equal(registers(f, "dev-001").state, REG_FAILED);
        a = view_of(f, "dev-001");
        assert_int_equal(a.device_status, DEVICE_BLOCKED);
        assert_false(a.connected);
        a = act_on(f, "dev-001", ACT_UNBLOCK);
        if (a.status != ST_OK)
            fail_msg("unblock %d: %s", i, a.why);
    }
    for (unsigned i = 0; i < FIXTURE_WORKERS; i++)
        crowd[i].stop = true;
    for (unsigned i = 0; i < FIXTURE_WORKERS; i++)
        pthread_join(threads[i], NULL);
    assert_true(crowd[0].assigned + crowd[1].assigned > 0);
    assert_true(crowd[0].refused + crowd[1].refused > 0);
    assert_int_equal(registers(f, "dev-001").state, REG_ASSIGNED);
}

/* --- credentials, settings, rules ------------------------------------------------------------- */

static void C060_C115_keys_are_shown_before_a_device_ever_connected(void **state)
{
    struct fixture *f = *state;
    struct enrollment own = {.kind = ENROLLMENT_INDIVIDUAL,
                             .id = SLICE("dev-001"),
                             .enabled = true,
                             .gated = true,
                             .primary = {.bytes = {7}, .len = 32}};
    struct acting a;
    struct secret want;

    add_device(f, "dev-001");
    a = acts((struct acting){.f = f, .what = DO_CREDENTIALS, .id = "dev-001"});
    assert_int_equal(a.status, ST_OK);
    derive_device_key(&f->group_primary, SLICE("dev-001"), &want);
    assert_memory_equal(a.primary.bytes, want.bytes, 32);
    assert_int_equal(
        registering_run((struct registering){.f = f, .id = "dev-001", .key = &a.primary}).state,
        REG_ASSIGNED);
    assert_int_equal(fixture_enrollment(f, CALL_PUT, &own, NULL), ST_OK);
    a = acts((struct acting){.f = f, .what = DO_CREDENTIALS, .id = "dev-001"});
    assert_memory_equal(a.primary.bytes, own.primary.bytes, 32);
    assert_int_equal(acts((struct acting){.f = f, .what = DO_CREDENTIALS, .id = "nobody"}).status,
                     ST_DEVICE_NOT_FOUND);
}

#define SHA1_HEX "00112233445566778899AABBCCDDEEFF00112233"
#define SHA256_HEX "00112233445566778899AABBCCDDEEFF00112233445566778899AABBCCDDEEFF"

static void a_device_with_a_certificate_shows_it_in_place_of_keys(void **state)
{
    struct fixture *f = *state;
    const struct device_add add = {
        .id = SLICE("dev-001"), .auth = AUTH_SELF_SIGNED, .primary_thumbprint = SLICE(SHA256_HEX)};
    struct acting a = acts((struct acting){.f = f, .what = DO_ADD, .add = add});

    assert_int_equal(a.status, ST_OK);
    a = acts((struct acting){.f = f, .what = DO_CREDENTIALS, .id = "dev-001"});
    assert_int_equal(a.status, ST_OK);
    assert_int_equal(a.auth, AUTH_SELF_SIGNED);
    assert_string_equal(a.thumbprint, SHA256_HEX);
    assert_int_equal(a.primary.len, 0);
}

static void thumbprints_belong_to_self_signed_certificates(void **state)
{
    static const struct {
        const char *name;
        enum device_auth auth;
        const char *primary, *secondary;
        enum status status;
    } rows[] = {
        {"keys", AUTH_SAS, "", "", ST_OK},
        {"keys and a thumbprint", AUTH_SAS, SHA1_HEX, "", ST_BAD_REQUEST},
        {"SHA-1", AUTH_SELF_SIGNED, SHA1_HEX, "", ST_OK},
        {"SHA-256 and SHA-1", AUTH_SELF_SIGNED, SHA256_HEX, SHA1_HEX, ST_OK},
        {"no thumbprint", AUTH_SELF_SIGNED, "", "", ST_BAD_REQUEST},
        {"a secondary alone", AUTH_SELF_SIGNED, "", SHA1_HEX, ST_BAD_REQUEST},
        {"39 digits", AUTH_SELF_SIGNED, &SHA1_HEX[1], "", ST_BAD_REQUEST},
        {"41 digits", AUTH_SELF_SIGNED, SHA1_HEX "0", "", ST_BAD_REQUEST},
        {"a bad secondary", AUTH_SELF_SIGNED, SHA1_HEX, "0011", ST_BAD_REQUEST},
        {"lower case", AUTH_SELF_SIGNED, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "",
         ST_BAD_REQUEST},
        {"authority", AUTH_CERTIFICATE_AUTHORITY, "", "", ST_OK},
        {"authority and a thumbprint", AUTH_CERTIFICATE_AUTHORITY, "", SHA1_HEX, ST_BAD_REQUEST},
    };
    struct fault why;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (device_auth_check(rows[i].auth, slice_str(rows[i].primary),
                              slice_str(rows[i].secondary), &why) != rows[i].status)
            fail_msg("%s", rows[i].name);
    }
}

static void settings_refuse_other_names_and_words(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *name, *value;
    } rows[] = {
        {"autoapprove", "true"},
        {"autoApprove", "yes"},
        {"requireTemplate", ""},
        {"lifecycleProfile", "Seed"},
        {"", ""},
    };
    struct acting a;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        a = acts(
            (struct acting){.f = f, .what = DO_SET, .name = rows[i].name, .value = rows[i].value});
        if (a.status != ST_BAD_REQUEST)
            fail_msg("%s=%s", rows[i].name, rows[i].value);
    }
    a = acts((struct acting){.f = f, .what = DO_SET, .name = "autoApprove", .value = "true"});
    assert_true(a.settings.auto_approve && a.settings.auto_associate);
    assert_int_equal(a.settings.require_template, TEMPLATE_DEVICE_ORIGIN);
    assert_int_equal(a.settings.version, 1);
}

static void C055_device_ids_and_names_follow_the_rules(void **state)
{
    static const struct {
        const char *id;
        bool any_case;
        const char *cause;
    } rows[] = {
        {"", false, "empty"},
        {"dev 1", false, "letters, digits and '-'"},
        {"dev_1", true, "letters, digits and '-'"},
        {"Dev-1", false, "lower-case: 'dev-1'"},
        {"Dev-1", true, NULL},
        {"dev-1", false, NULL},
        {"d\xc3\xa9v", false, "letters, digits and '-'"},
    };
    char longest[DEVICE_ID_MAX + 2] = {0};
    char name[2 * DEVICE_NAME_MAX + 3] = {0};
    struct fault why;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        enum status status = device_id_check(slice_str(rows[i].id), rows[i].any_case, &why);

        if ((status == ST_OK) != (rows[i].cause == NULL) ||
            (rows[i].cause && !strstr(why.text, rows[i].cause)))
            fail_msg("'%s': %s", rows[i].id, why.text);
    }
    memset(longest, 'a', DEVICE_ID_MAX + 1);
    assert_int_equal(device_id_check(slice_str(longest), false, &why), ST_BAD_REQUEST);
    assert_int_equal(device_id_check(slice_first(slice_str(longest), DEVICE_ID_MAX), false, &why),
                     ST_OK);
    for (int i = 0; i <= DEVICE_NAME_MAX; i++)
        memcpy(name + 2 * i, "\xc3\xa9", 2);
    assert_int_equal(device_name_check(slice_str(name), &why), ST_BAD_REQUEST);
    assert_int_equal(device_name_check(slice_str(name + 2), &why), ST_OK);
}

static void device_without_an_id_gets_a_generated_one(void **state)
{
    struct fixture *f = *state;
    struct acting a = add_device(f, "");

    assert_int_equal(a.status, ST_OK);
    assert_int_equal(strlen(a.device_id), 10);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, central_fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(C001_C003_added_device_is_registered_then_provisioned),
        TEST(C005_C007_C026_C028_approve_then_associate),
        TEST(C006_associate_then_approve),
        TEST(C008_C009_C078_profile_and_auto_approve_act_at_once),
        TEST(C015_C016_C017_unblock_gives_back_what_was),
        TEST(C019_deleted_device_comes_back_as_a_new_one),
        TEST(C020_deleting_a_device_removes_its_individual_enrollment),
        TEST(C024_simulated_device_never_provisions_from_outside),
        TEST(deprovisioned_device_is_registered_and_comes_again),
        TEST(C029_C034_C036_announced_model_associates_when_published),
        TEST(C018_block_holds_under_concurrent_registrations),
        TEST(C060_C115_keys_are_shown_before_a_device_ever_connected),
        TEST(a_device_with_a_certificate_shows_it_in_place_of_keys),
        cmocka_unit_test(thumbprints_belong_to_self_signed_certificates),
        TEST(settings_refuse_other_names_and_words),
        cmocka_unit_test(C055_device_ids_and_names_follow_the_rules),
        TEST(device_without_an_id_gets_a_generated_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
