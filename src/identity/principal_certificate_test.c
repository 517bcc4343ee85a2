#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "identity/identity_fixture.h"
#include "identity/trust/certificate_fixture.h"

#define HUB "hub.example.org"

/* --- logins ---------------------------------------------------------------------------------- */

struct attempt {
    struct fixture *f;
    struct device_login login;
    enum status status;
    struct fault why;
    unsigned answers;
    uint64_t authority;
    size_t marks;
    int64_t trust_version;
    char generation_id[32];
};

static void on_principal(void *context, enum status status, const struct device_principal *p,
                         const struct fault *why)
{
    struct attempt *a = context;

    a->answers++;
    a->status = status;
    a->why = *why;
    if (!p)
        return;
    assert_true(p->slot == CREDENTIAL_CERTIFICATE && p->expires_at == 0);
    assert_true(slice_equal(p->device_id, a->login.device_id));
    a->authority = p->marks->authority;
    a->marks = p->marks->count;
    a->trust_version = p->trust_version;
    snprintf(a->generation_id, sizeof a->generation_id, "%.*s", SLICE_FMT(p->generation_id));
}

static void begin(void *context)
{
    struct attempt *a = context;

    identity_authenticate(a->f->id, &a->login, on_principal, a);
}

static struct attempt log_in_as(struct fixture *f, const char *device_id, const char *module_id,
                                const struct made *leaf, struct stack_st_X509 *chain)
{
    struct attempt a = {.f = f,
                        .login = {.host = SLICE(HUB),
                                  .device_id = slice_str(device_id),
                                  .module_id = slice_str(module_id),
                                  .certificate = leaf->certificate,
                                  .intermediates = chain}};

    worker_call(workers_at(f->workers, 0), begin, &a);
    assert_int_equal(a.answers, 1);
    return a;
}

static enum status log_in(struct fixture *f, const char *device_id, const struct made *leaf)
{
    return log_in_as(f, device_id, "", leaf, NULL).status;
}

/* --- devices --------------------------------------------------------------------------------- */

struct device_steps {
    const char *device_id, *module_id;
    enum device_auth auth;
    const struct made *primary, *secondary; /* registered by SHA-256 */
    const char *group;                      /* it came by; NULL: none */
    bool individual, blocked, expired_leaf_allowed;
};

static void add_device(struct fixture *f, const struct device_steps *o)
{
    struct device_new n = fixture_device("main", o->device_id, o->module_id ? o->module_id : "");
    struct thumbprints primary, secondary;

    n.auth = o->auth;
    n.primary.len = n.secondary.len = 0;
    n.blocked = o->blocked;
    n.expired_leaf_allowed = o->expired_leaf_allowed;
    if (o->primary)
        n.primary_thumbprint = sha256_of(o->primary, &primary);
    if (o->secondary)
        n.secondary_thumbprint = sha256_of(o->secondary, &secondary);
    if (o->group) {
        n.enrollment_kind = o->individual ? ENROLLMENT_INDIVIDUAL : ENROLLMENT_GROUP;
        n.enrollment_id = slice_str(o->group);
    }
    if (fixture_insert(f, &n) != ST_OK)
        fail_msg("cannot insert %s", o->device_id);
}

static void put_authority(struct fixture *f, const char *group, const struct made *authority)
{
    const struct slot_order order = {
        .group = group, .slot = AUTHORITY_PRIMARY, .authority = authority};

    put_slot_now(f->store, &order);
}

/* --- tests ----------------------------------------------------------------------------------- */

static void H020_H167_either_thumbprint_lets_its_certificate_in(void **state)
{
    struct fixture *f = *state;
    instant now = clock_wall_ms();
    struct made first = make_leaf("localhost", NULL, now), second = make_leaf("x", NULL, now);
    struct made third = make_leaf("d1", NULL, now),
                expired = make_until(ROLE_DEVICE, "e", NULL, now, -1);
    struct attempt a;

    add_device(f, &(struct device_steps){.device_id = "d1",
                                         .auth = AUTH_SELF_SIGNED,
                                         .primary = &first,
                                         .secondary = &second});
    add_device(f, &(struct device_steps){
                      .device_id = "old", .auth = AUTH_SELF_SIGNED, .primary = &expired});
    add_device(f, &(struct device_steps){.device_id = "older",
                                         .auth = AUTH_SELF_SIGNED,
                                         .primary = &expired,
                                         .expired_leaf_allowed = true});
    add_device(f, &(struct device_steps){.device_id = "blocked",
                                         .auth = AUTH_SELF_SIGNED,
                                         .primary = &first,
                                         .blocked = true});
    a = log_in_as(f, "d1", "", &first, NULL);
    assert_int_equal(a.status, ST_OK);
    assert_true(a.authority == 0 && a.marks == CERTIFICATE_MARKS_MAX - 1 && a.trust_version > 0);
    assert_int_equal(strlen(a.generation_id), 18);
    assert_int_equal(log_in(f, "d1", &second), ST_OK);
    assert_int_equal(log_in(f, "d1", &third), ST_UNAUTHORIZED);
    assert_int_equal(log_in(f, "old", &expired), ST_UNAUTHORIZED);
    assert_int_equal(log_in(f, "older", &expired), ST_OK);
    assert_int_equal(log_in(f, "blocked", &first), ST_UNAUTHORIZED);
    assert_int_equal(log_in(f, "nobody", &first), ST_UNAUTHORIZED);
    made_free(&first);
    made_free(&second);
    made_free(&third);
    made_free(&expired);
}

static void a_module_is_known_by_its_thumbprint_alone(void **state)
{
    struct fixture *f = *state;
    instant now = clock_wall_ms();
    struct made root = make_authority("Root", NULL, now), leaf = make_leaf("d1", &root, now);
    struct made other = make_leaf("d1", &root, now);

    put_authority(f, "g", &root);
    add_device(f, &(struct device_steps){
                      .device_id = "d1", .auth = AUTH_SELF_SIGNED, .primary = &leaf, .group = "g"});
    add_device(f, &(struct device_steps){.device_id = "d1",
                                         .module_id = "m1",
                                         .auth = AUTH_SELF_SIGNED,
                                         .primary = &leaf,
                                         .group = "g"});
    add_device(f, &(struct device_steps){
                      .device_id = "d1", .module_id = "m2", .auth = AUTH_CERTIFICATE_AUTHORITY});
    assert_int_equal(log_in_as(f, "d1", "m1", &leaf, NULL).status, ST_OK);
    assert_int_equal(log_in_as(f, "d1", "m1", &other, NULL).status, ST_UNAUTHORIZED);
    assert_int_equal(log_in_as(f, "d1", "m2", &leaf, NULL).status, ST_UNAUTHORIZED);
    assert_int_equal(log_in(f, "d1", &other), ST_OK);
    made_free(&other);
    made_free(&leaf);
    made_free(&root);
}

static void H021_a_chain_lets_in_whom_its_common_name_names(void **state)
{
    struct fixture *f = *state;
    instant now = clock_wall_ms();
    struct made root = make_authority("Root", NULL, now), line = make_authority("L", &root, now);
    struct made leaf = make_leaf("d1", &line, now), upper = make_leaf("D1", &line, now);
    struct made stranger = make_authority("S", NULL, now), lost = make_leaf("d1", &stranger, now);
    struct stack_st_X509 *chain = sent((const struct made *[]){&line}, 1);
    struct attempt a;

    put_authority(f, "g", &root);
    add_device(f, &(struct device_steps){.device_id = "d1", .auth = AUTH_CERTIFICATE_AUTHORITY});
    add_device(f, &(struct device_steps){.device_id = "d2", .auth = AUTH_CERTIFICATE_AUTHORITY});
    add_device(f, &(struct device_steps){.device_id = "key", .auth = AUTH_SAS});
    a = log_in_as(f, "d1", "", &leaf, chain);
    assert_int_equal(a.status, ST_OK);
    assert_true(a.authority == mark_of(&root) && a.marks == 3 * CERTIFICATE_MARKS_MAX);
    assert_int_equal(log_in_as(f, "d1", "", &leaf, NULL).status, ST_UNAUTHORIZED);
    assert_int_equal(log_in_as(f, "d1", "", &upper, chain).status, ST_UNAUTHORIZED);
    assert_int_equal(log_in_as(f, "d2", "", &leaf, chain).status, ST_UNAUTHORIZED);
    assert_int_equal(log_in_as(f, "d1", "", &lost, chain).status, ST_UNAUTHORIZED);
    assert_int_equal(log_in_as(f, "key", "", &leaf, chain).status, ST_UNAUTHORIZED);
    certificates_free(chain);
    made_free(&root);
    made_free(&line);
    made_free(&leaf);
    made_free(&upper);
    made_free(&stranger);
    made_free(&lost);
}

/* provisioning.md 5.5: a leaf that was renewed comes in before it has registered again. */
static void a_renewed_leaf_of_the_devices_own_group_comes_in(void **state)
{
    struct fixture *f = *state;
    instant now = clock_wall_ms();
    struct made ours = make_authority("Ours", NULL, now),
                theirs = make_authority("Other", NULL, now);
    struct made first = make_leaf("d1", &ours, now), renewed = make_leaf("d1", &ours, now);
    struct made foreign = make_leaf("d1", &theirs, now), sibling = make_leaf("d2", &ours, now);
    struct attempt a;

    put_authority(f, "line", &ours);
    put_authority(f, "other", &theirs);
    add_device(
        f, &(struct device_steps){
               .device_id = "d1", .auth = AUTH_SELF_SIGNED, .primary = &first, .group = "Line"});
    add_device(f, &(struct device_steps){.device_id = "d3",
                                         .auth = AUTH_SELF_SIGNED,
                                         .primary = &first,
                                         .group = "line",
                                         .individual = true});
    a = log_in_as(f, "d1", "", &first, NULL);
    assert_true(a.status == ST_OK && a.authority == 0);
    assert_int_equal(a.marks, CERTIFICATE_MARKS_MAX); /* its serial in its group, too */
    a = log_in_as(f, "d1", "", &renewed, NULL);
    assert_true(a.status == ST_OK && a.authority == mark_of(&ours));
    assert_int_equal(log_in(f, "d1", &foreign), ST_UNAUTHORIZED);
    assert_int_equal(log_in(f, "d1", &sibling), ST_UNAUTHORIZED);
    assert_int_equal(log_in(f, "d3", &renewed), ST_UNAUTHORIZED);
    made_free(&ours);
    made_free(&theirs);
    made_free(&first);
    made_free(&renewed);
    made_free(&foreign);
    made_free(&sibling);
}

/* Both ways: nothing of it is remembered. */
static void a_change_of_trust_acts_on_the_very_next_login(void **state)
{
    struct fixture *f = *state;
    instant now = clock_wall_ms();
    struct made root = make_authority("Root", NULL, now), leaf = make_leaf("d1", &root, now);
    struct made first = make_leaf("d2", &root, now), renewed = make_leaf("d2", &root, now);
    struct slot_order order = {.group = "g", .slot = AUTHORITY_PRIMARY, .authority = &root};
    const struct {
        const char *name;
        bool gone, unverified, disabled, revoked;
    } rows[] = {{.name = "gone", .gone = true},
                {.name = "unverified", .unverified = true},
                {.name = "disabled", .disabled = true},
                {.name = "revoked", .revoked = true}};
    struct certificate_marks marks;

    assert_true(certificate_marks(leaf.certificate, &marks));
    add_device(f, &(struct device_steps){.device_id = "d1", .auth = AUTH_CERTIFICATE_AUTHORITY});
    add_device(f,
               &(struct device_steps){
                   .device_id = "d2", .auth = AUTH_SELF_SIGNED, .primary = &first, .group = "g"});
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        order = (struct slot_order){.group = "g", .slot = AUTHORITY_PRIMARY, .authority = &root};
        put_slot_now(f->store, &order);
        if (log_in(f, "d1", &leaf) != ST_OK || log_in(f, "d2", &renewed) != ST_OK)
            fail_msg("before %s", rows[i].name);
        order.authority = rows[i].gone ? NULL : &root;
        order.unverified = rows[i].unverified;
        order.disabled = rows[i].disabled;
        order.revoked = rows[i].revoked ? marks.issuer_serial : 0;
        put_slot_now(f->store, &order);
        for (int again = 0; again < 2; again++) {
            struct attempt a = log_in_as(f, "d1", "", &leaf, NULL);

            if (a.status != ST_UNAUTHORIZED || strstr(a.why.text, "again"))
                fail_msg("%s: %s", rows[i].name, a.why.text);
        }
        if ((log_in(f, "d2", &renewed) == ST_OK) != rows[i].revoked)
            fail_msg("%s: a renewed leaf", rows[i].name);
        if (log_in(f, "d2", &first) != ST_OK)
            fail_msg("%s: the registered leaf goes on", rows[i].name);
    }
    deny_now(f->store, &first);
    assert_int_equal(log_in(f, "d2", &first), ST_UNAUTHORIZED);
    made_free(&root);
    made_free(&leaf);
    made_free(&first);
    made_free(&renewed);
}

static void a_repeated_wrong_thumbprint_is_refused_without_a_read(void **state)
{
    struct fixture *f = *state;
    instant now = clock_wall_ms();
    struct made right = make_leaf("d1", NULL, now), wrong = make_leaf("d1", NULL, now);

    add_device(
        f, &(struct device_steps){.device_id = "d1", .auth = AUTH_SELF_SIGNED, .primary = &right});
    assert_null(strstr(log_in_as(f, "d1", "", &wrong, NULL).why.text, "again"));
    assert_non_null(strstr(log_in_as(f, "d1", "", &wrong, NULL).why.text, "again"));
    assert_int_equal(log_in(f, "d1", &right), ST_OK);
    made_free(&right);
    made_free(&wrong);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(H020_H167_either_thumbprint_lets_its_certificate_in),
        TEST(a_module_is_known_by_its_thumbprint_alone),
        TEST(H021_a_chain_lets_in_whom_its_common_name_names),
        TEST(a_renewed_leaf_of_the_devices_own_group_comes_in),
        TEST(a_change_of_trust_acts_on_the_very_next_login),
        TEST(a_repeated_wrong_thumbprint_is_refused_without_a_read),
    };

    return cmocka_run_group_tests_name("principal_certificate", tests, NULL, NULL);
}
