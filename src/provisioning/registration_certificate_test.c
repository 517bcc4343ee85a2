#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "hub/session.h"
#include "provisioning/authority_testing.h"

/* root <- near <- below; the group Plant trusts the root. */
struct world {
    struct fixture *f;
    instant now;
    struct made root, near, below, stranger;
    struct made leaves[8]; /* of this test */
    size_t leaf_count;
    struct stack_st_X509 *chains[8];
    size_t chain_count;
};

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    struct fixture *f = fixture_create();

    assert_non_null(w);
    f->view.auto_approve = true;
    fixture_open(f, true, 0);
    *w = (struct world){.f = f, .now = clock_wall_ms()};
    w->root = make_authority("Root", NULL, w->now);
    w->near = make_authority("Near", &w->root, w->now);
    w->below = make_authority("Below", &w->near, w->now);
    w->stranger = make_authority("Stranger", NULL, w->now);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    struct made *authorities[] = {&w->root, &w->near, &w->below, &w->stranger};

    for (size_t i = 0; i < COUNT_OF(authorities); i++)
        made_free(authorities[i]);
    for (size_t i = 0; i < w->leaf_count; i++)
        made_free(&w->leaves[i]);
    for (size_t i = 0; i < w->chain_count; i++)
        certificates_free(w->chains[i]);
    fixture_close(w->f);
    fixture_remove(w->f);
    free(w);
    return 0;
}

static const struct made *leaf_until(struct world *w, const char *name, const struct made *issuer,
                                     int days)
{
    struct made *leaf = &w->leaves[w->leaf_count++];

    assert_true(w->leaf_count <= COUNT_OF(w->leaves));
    *leaf = make_until(ROLE_DEVICE, name, issuer, w->now, days);
    return leaf;
}

static const struct made *leaf_of(struct world *w, const char *name, const struct made *issuer)
{
    return leaf_until(w, name, issuer, 30);
}

static struct stack_st_X509 *chain_of(struct world *w, const struct made *const *list, size_t count)
{
    struct stack_st_X509 *chain = sent(list, count);

    assert_true(w->chain_count < COUNT_OF(w->chains));
    return w->chains[w->chain_count++] = chain;
}

static struct answered comes(struct world *w, const char *id, const struct made *leaf,
                             struct stack_st_X509 *chain)
{
    return registering_run((struct registering){
        .f = w->f, .id = id, .certificate = leaf->certificate, .intermediates = chain});
}

static void expect_status(struct world *w, const char *name, const char *id,
                          const struct made *leaf, struct stack_st_X509 *chain, enum status status)
{
    struct answered a = comes(w, id, leaf, chain);

    if (a.status != status)
        fail_msg("%s: %s, '%s'", name, status_name(a.status), a.why);
}

static void expect_thumbprint(const char *stored, const struct made *leaf)
{
    struct thumbprints t;
    slice want = sha256_of(leaf, &t);

    assert_true(slice_equal(slice_str(stored), want));
}

/* --- by a group ------------------------------------------------------------------------------- */

static void P101_C071_leaf_of_a_verified_authority_is_assigned_by_its_thumbprint(void **state)
{
    struct world *w = *state;
    const struct made *leaf = leaf_of(w, "dev-001", &w->root);
    struct device_facts d;
    struct answered a;

    fixture_put_group(w->f, "Plant", true, 0);
    fixture_upload(w->f, "Plant", AUTHORITY_PRIMARY, &w->root, false);
    expect_status(w, "unverified", "dev-001", leaf, NULL, ST_UNAUTHORIZED);
    assert_int_equal(fixture_device(w->f, "dev-001").status, ST_DEVICE_NOT_FOUND);
    fixture_upload(w->f, "Plant", AUTHORITY_PRIMARY, &w->root, true);
    a = comes(w, "dev-001", leaf, NULL);
    assert_int_equal(a.state, REG_ASSIGNED);
    assert_string_equal(a.group, "Plant");
    assert_non_null(strstr(a.json, "\"x509\":{\"enrollmentGroupId\":\"Plant\"}"));
    assert_null(strstr(a.json, "symmetricKey"));
    d = fixture_device(w->f, "dev-001");
    assert_int_equal(d.auth, AUTH_SELF_SIGNED);
    expect_thumbprint(d.primary_thumbprint, leaf);
    assert_string_equal(d.secondary_thumbprint, "");
    assert_int_equal(d.primary.len + d.secondary.len, 0);
    assert_true(d.provisioned && d.approved);
    assert_int_equal(d.origin, ORIGIN_DEVICE);
}

static void P068_C074_common_name_is_the_registration_id_without_case(void **state)
{
    struct world *w = *state;
    const struct made *leaf = leaf_of(w, "dev-001", &w->root);

    fixture_group(w->f, "Plant", &w->root);
    expect_status(w, "another", "dev-002", leaf, NULL, ST_UNAUTHORIZED);
    expect_status(w, "a prefix", "dev-00", leaf, NULL, ST_UNAUTHORIZED);
    expect_status(w, "another case", "DEV-001", leaf, NULL, ST_OK);
    assert_string_equal(fixture_device(w->f, "dev-001").id, "DEV-001");
    assert_int_equal(fixture_device_count(w->f), 1);
}

static void P070_C073_leaves_of_both_slots_register_and_one_slot_can_go(void **state)
{
    struct world *w = *state;
    const struct made *by_primary = leaf_of(w, "dev-001", &w->root);
    const struct made *by_secondary = leaf_of(w, "dev-002", &w->stranger);

    fixture_group(w->f, "Plant", &w->root);
    expect_status(w, "no slot yet", "dev-002", by_secondary, NULL, ST_UNAUTHORIZED);
    fixture_upload(w->f, "Plant", AUTHORITY_SECONDARY, &w->stranger, true);
    expect_status(w, "primary", "dev-001", by_primary, NULL, ST_OK);
    expect_status(w, "secondary", "dev-002", by_secondary, NULL, ST_OK);
    fixture_remove_authority(w->f, "Plant", AUTHORITY_PRIMARY);
    expect_status(w, "primary is gone", "dev-001", by_primary, NULL, ST_UNAUTHORIZED);
    expect_status(w, "secondary stays", "dev-002", by_secondary, NULL, ST_OK);
}

static void P072_C076_intermediates_are_needed_and_their_order_is_not(void **state)
{
    struct world *w = *state;
    const struct made *leaf = leaf_of(w, "dev-001", &w->below);
    struct stack_st_X509 *whole = chain_of(w, (const struct made *[]){&w->below, &w->near}, 2);
    struct stack_st_X509 *shuffled =
        chain_of(w, (const struct made *[]){&w->root, &w->near, &w->stranger, &w->below}, 4);
    struct stack_st_X509 *short_one = chain_of(w, (const struct made *[]){&w->below}, 1);

    fixture_group(w->f, "Plant", &w->root);
    expect_status(w, "alone", "dev-001", leaf, NULL, ST_UNAUTHORIZED);
    expect_status(w, "a link is missing", "dev-001", leaf, short_one, ST_UNAUTHORIZED);
    expect_status(w, "whole", "dev-001", leaf, whole, ST_OK);
    expect_status(w, "shuffled", "dev-001", leaf, shuffled, ST_OK);
}

static void P069_certificate_nearest_the_leaf_decides_also_when_it_is_off(void **state)
{
    struct world *w = *state;
    const struct made *leaf = leaf_of(w, "dev-001", &w->near);
    const struct made *straight = leaf_of(w, "dev-002", &w->root);
    struct stack_st_X509 *chain = chain_of(w, (const struct made *[]){&w->near}, 1);
    struct answered a;

    fixture_group(w->f, "Plant", &w->root);
    fixture_group(w->f, "Line", &w->near);
    assert_string_equal(comes(w, "dev-001", leaf, chain).group, "Line");
    assert_string_equal(comes(w, "dev-002", straight, NULL).group, "Plant");
    fixture_put_group(w->f, "Line", false, 1);
    a = comes(w, "dev-001", leaf, chain);
    assert_int_equal(a.status, ST_OK);
    assert_int_equal(a.state, REG_FAILED);
    assert_int_equal(a.error_code, 400209);
    assert_string_equal(fixture_device(w->f, "dev-001").reason, "its enrollment group is disabled");
    assert_int_equal(comes(w, "dev-002", straight, NULL).state, REG_ASSIGNED);
}

static void denied_certificate_registers_no_more(void **state)
{
    struct world *w = *state;
    const struct made *leaf = leaf_of(w, "dev-001", &w->root);
    struct thumbprints t;

    fixture_group(w->f, "Plant", &w->root);
    expect_status(w, "before", "dev-001", leaf, NULL, ST_OK);
    assert_int_equal(
        fixture_deny(w->f, (struct denial){.thumbprint = sha256_of(leaf, &t)}, (slice){0}), ST_OK);
    expect_status(w, "after", "dev-001", leaf, NULL, ST_UNAUTHORIZED);
}

static void rolled_leaf_is_the_same_device_and_the_same_record(void **state)
{
    struct world *w = *state;
    const struct made *before = leaf_of(w, "dev-001", &w->root);
    const struct made *after = leaf_of(w, "dev-001", &w->root);
    struct answered first, second;
    struct device_facts was, is;

    fixture_group(w->f, "Plant", &w->root);
    first = comes(w, "dev-001", before, NULL);
    was = fixture_device(w->f, "dev-001");
    comes(w, "dev-001", before, NULL);
    assert_int_equal(fixture_device(w->f, "dev-001").credential_generation,
                     was.credential_generation);
    second = comes(w, "dev-001", after, NULL);
    is = fixture_device(w->f, "dev-001");
    assert_int_equal(second.created_at, first.created_at);
    assert_string_equal(second.substatus, first.substatus);
    assert_int_equal(fixture_device_count(w->f), 1);
    expect_thumbprint(is.primary_thumbprint, after);
    assert_true(is.credential_generation > was.credential_generation);
}

/* --- by an individual enrollment -------------------------------------------------------------- */

static struct enrollment individual(const struct made *primary, struct thumbprints *t)
{
    return (struct enrollment){.kind = ENROLLMENT_INDIVIDUAL,
                               .id = SLICE("dev-001"),
                               .attestation = ATTEST_X509,
                               .enabled = true,
                               .gated = true,
                               .primary_thumbprint = sha256_of(primary, t)};
}

static void P073_P101_individual_enrollment_knows_its_certificates_by_thumbprint(void **state)
{
    struct world *w = *state;
    const struct made *primary = leaf_of(w, "dev-001", NULL);
    const struct made *secondary = leaf_of(w, "dev-001", NULL);
    const struct made *another = leaf_of(w, "dev-001", &w->root);
    struct thumbprints first, second;
    struct enrollment e = individual(primary, &first);
    struct device_facts d;
    struct answered a;

    fixture_group(w->f, "Plant", &w->root);
    sha256_of(secondary, &second);
    e.secondary_thumbprint = slice_of(second.sha1, sizeof second.sha1);
    e.device_id = SLICE("pump-7");
    assert_int_equal(fixture_enrollment(w->f, CALL_PUT, &e, NULL), ST_OK);
    a = comes(w, "dev-001", secondary, NULL);
    assert_int_equal(a.state, REG_ASSIGNED);
    assert_string_equal(a.device_id, "pump-7");
    assert_non_null(strstr(a.json, "\"x509\":{}"));
    d = fixture_device(w->f, "pump-7");
    assert_int_equal(d.auth, AUTH_SELF_SIGNED);
    expect_thumbprint(d.primary_thumbprint, secondary);
    expect_status(w, "primary", "dev-001", primary, NULL, ST_OK);
    expect_status(w, "that of a group", "dev-001", another, NULL, ST_UNAUTHORIZED);
    assert_int_equal(registers(w->f, "dev-001").status, ST_UNAUTHORIZED);
    e.version = 1;
    e.enabled = false;
    assert_int_equal(fixture_enrollment(w->f, CALL_PUT, &e, NULL), ST_OK);
    assert_int_equal(comes(w, "dev-001", primary, NULL).state, REG_FAILED);
}

static void individual_enrollment_for_keys_takes_no_certificate_of_a_group(void **state)
{
    struct world *w = *state;
    const struct made *leaf = leaf_of(w, "dev-001", &w->root);
    const struct enrollment e = {
        .kind = ENROLLMENT_INDIVIDUAL, .id = SLICE("dev-001"), .enabled = true};

    fixture_group(w->f, "Plant", &w->root);
    assert_int_equal(fixture_enrollment(w->f, CALL_PUT, &e, NULL), ST_OK);
    expect_status(w, "certificate", "dev-001", leaf, NULL, ST_UNAUTHORIZED);
    assert_non_null(strstr(
        fixture_explain(w->f, (struct registration_request){.certificate = leaf->certificate})
            .steps,
        "{\"step\":\"individual enrollment\",\"passed\":false"));
}

static void expired_leaf_registers_where_its_enrollment_allows_it(void **state)
{
    struct world *w = *state;
    const struct made *leaf = leaf_until(w, "dev-001", NULL, -1);
    struct thumbprints t;
    struct enrollment e = individual(leaf, &t);

    assert_int_equal(fixture_enrollment(w->f, CALL_PUT, &e, NULL), ST_OK);
    expect_status(w, "expired", "dev-001", leaf, NULL, ST_UNAUTHORIZED);
    e.version = 1;
    e.expired_leaf_allowed = true;
    assert_int_equal(fixture_enrollment(w->f, CALL_PUT, &e, NULL), ST_OK);
    expect_status(w, "allowed", "dev-001", leaf, NULL, ST_OK);
    assert_true(fixture_device(w->f, "dev-001").expired_leaf_allowed);
}

/* --- from one attestation to another ---------------------------------------------------------- */

static void device_changes_over_from_key_to_certificate_and_back(void **state)
{
    struct world *w = *state;
    const struct made *leaf = leaf_of(w, "dev-001", &w->root);
    struct device_facts by_key, by_certificate, again;

    fixture_group(w->f, "Plant", &w->root);
    assert_int_equal(registers(w->f, "dev-001").state, REG_ASSIGNED);
    by_key = fixture_device(w->f, "dev-001");
    assert_int_equal(comes(w, "dev-001", leaf, NULL).state, REG_ASSIGNED);
    by_certificate = fixture_device(w->f, "dev-001");
    assert_int_equal(by_certificate.auth, AUTH_SELF_SIGNED);
    assert_int_equal(by_certificate.primary.len, 0);
    assert_true(by_certificate.credential_generation > by_key.credential_generation);
    assert_non_null(strstr(registers(w->f, "dev-001").json, "symmetricKey"));
    again = fixture_device(w->f, "dev-001");
    assert_int_equal(again.auth, AUTH_SAS);
    assert_string_equal(again.primary_thumbprint, "");
    assert_memory_equal(again.primary.bytes, by_key.primary.bytes, 32);
}

/* A connection of dev-001 that one of its credentials let in. */
struct connection {
    struct session session;
    struct fixture *f;
    struct device_facts device;
    enum credential_slot slot;
    enum status opened;
    enum session_end end;
    sem_t is_open, is_gone;
};

static void on_close(struct session *s, enum session_end why)
{
    struct connection *c = (struct connection *)s;

    c->end = why;
    session_close(s);
}

static void on_released(struct session *s)
{
    sem_post(&((struct connection *)s)->is_gone);
}

static void on_session_open(struct session *s, enum status status)
{
    struct connection *c = (struct connection *)s;

    c->opened = status;
    sem_post(&c->is_open);
}

static void open_session(void *context)
{
    static const struct session_ops ops = {.close = on_close, .released = on_released};
    struct connection *c = context;
    const struct device_principal principal = {
        .hub = &fixture_hubs[0],
        .device_id = SLICE("dev-001"),
        .generation_id = slice_str(c->device.generation_id),
        .slot = c->slot,
        .credential_generation = c->device.credential_generation,
    };

    c->session.ops = &ops;
    session_open(&c->session, c->f->hub, &principal, &(struct session_options){0}, on_session_open);
}

static void connects(struct connection *c, struct fixture *f, enum credential_slot slot)
{
    *c = (struct connection){.f = f, .device = fixture_device(f, "dev-001"), .slot = slot};
    sem_init(&c->is_open, 0, 0);
    sem_init(&c->is_gone, 0, 0);
    fixture_post(f, 1, open_session, c);
    fixture_wait(&c->is_open);
    assert_int_equal(c->opened, ST_OK);
}

static void expect_revoked(struct connection *c)
{
    fixture_wait(&c->is_gone);
    assert_int_equal(c->end, SESSION_END_REVOKED);
}

static void live_session_of_the_credential_before_ends(void **state)
{
    struct world *w = *state;
    const struct made *first = leaf_of(w, "dev-001", &w->root);
    const struct made *second = leaf_of(w, "dev-001", &w->root);
    struct connection c;

    fixture_group(w->f, "Plant", &w->root);
    registers(w->f, "dev-001");
    connects(&c, w->f, CREDENTIAL_SECONDARY);
    comes(w, "dev-001", first, NULL);
    expect_revoked(&c);
    connects(&c, w->f, CREDENTIAL_CERTIFICATE);
    comes(w, "dev-001", second, NULL);
    expect_revoked(&c);
    connects(&c, w->f, CREDENTIAL_CERTIFICATE);
    registers(w->f, "dev-001");
    expect_revoked(&c);
}

static void add_device(void *context)
{
    struct fixture *f = context;
    struct unit *unit = unit_create(f->st);
    const struct device_new n = {.hub = SLICE("main"),
                                 .id = SLICE("dev-001"),
                                 .enabled = true,
                                 .approved = true,
                                 .now = clock_wall_ms()};

    device_unit_insert(unit, f->id, &n);
    assert_int_equal(unit_run(unit), ST_OK);
    unit_destroy(unit);
}

static void device_added_before_comes_by_certificate(void **state)
{
    struct world *w = *state;
    const struct made *leaf = leaf_of(w, "dev-001", &w->root);
    struct device_facts d;

    w->f->view.auto_approve = false;
    w->f->view.require_template = TEMPLATE_DEVICE_ORIGIN;
    fixture_group(w->f, "Plant", &w->root);
    add_device(w->f);
    assert_int_equal(fixture_device(w->f, "dev-001").primary.len, 32);
    assert_int_equal(comes(w, "dev-001", leaf, NULL).state, REG_ASSIGNED);
    d = fixture_device(w->f, "dev-001");
    assert_int_equal(d.auth, AUTH_SELF_SIGNED);
    assert_int_equal(d.primary.len, 0);
}

static void unknown_device_waits_and_is_assigned_by_an_operator(void **state)
{
    const struct device_change approve = {.set = DEVICE_SET_APPROVED, .to = {.approved = true}};
    struct world *w = *state;
    const struct made *leaf = leaf_of(w, "dev-001", &w->root);
    struct device_facts d;

    w->f->view.auto_approve = false;
    fixture_group(w->f, "Plant", &w->root);
    assert_int_equal(comes(w, "dev-001", leaf, NULL).state, REG_FAILED);
    assert_string_equal(fixture_device(w->f, "dev-001").reason, "waiting for approval");
    assert_int_equal(fixture_edit(w->f, "dev-001", approve), ST_OK);
    assert_int_equal(fixture_assign(w->f, "dev-001"), ST_OK);
    d = fixture_device(w->f, "dev-001");
    assert_true(d.provisioned);
    assert_int_equal(d.auth, AUTH_SELF_SIGNED);
    expect_thumbprint(d.primary_thumbprint, leaf);
}

static void operator_assigns_by_the_certificates_of_an_individual_enrollment(void **state)
{
    struct world *w = *state;
    const struct made *leaf = leaf_of(w, "dev-001", NULL);
    struct thumbprints t;
    struct enrollment e = individual(leaf, &t);
    struct device_facts d;

    e.secondary_thumbprint = slice_of(t.sha1, sizeof t.sha1);
    assert_int_equal(fixture_enrollment(w->f, CALL_PUT, &e, NULL), ST_OK);
    add_device(w->f);
    assert_int_equal(fixture_assign(w->f, "dev-001"), ST_OK);
    d = fixture_device(w->f, "dev-001");
    assert_int_equal(d.auth, AUTH_SELF_SIGNED);
    expect_thumbprint(d.primary_thumbprint, leaf);
    assert_int_equal(strlen(d.secondary_thumbprint), 40);
}

/* --- polls, look-ups -------------------------------------------------------------------------- */

static void certificate_looks_up_and_polls_its_own_registration(void **state)
{
    struct world *w = *state;
    const struct made *leaf = leaf_of(w, "dev-001", &w->root);
    const struct made *other = leaf_of(w, "dev-002", &w->root);
    struct registering g = {
        .f = w->f, .id = "dev-001", .call = CALL_STATUS, .certificate = leaf->certificate};
    struct answered first;

    fixture_group(w->f, "Plant", &w->root);
    first = comes(w, "dev-001", leaf, NULL);
    g.operation_id = first.operation_id;
    assert_non_null(strstr(registering_run(g).json, "\"x509\":{\"enrollmentGroupId\":\"Plant\"}"));
    g.call = CALL_LOOKUP;
    assert_int_equal(registering_run(g).state, REG_ASSIGNED);
    g.certificate = other->certificate;
    assert_int_equal(registering_run(g).status, ST_UNAUTHORIZED);
    g.call = CALL_ATTEST;
    assert_int_equal(registering_run(g).status, ST_UNAUTHORIZED);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(P101_C071_leaf_of_a_verified_authority_is_assigned_by_its_thumbprint),
        TEST(P068_C074_common_name_is_the_registration_id_without_case),
        TEST(P070_C073_leaves_of_both_slots_register_and_one_slot_can_go),
        TEST(P072_C076_intermediates_are_needed_and_their_order_is_not),
        TEST(P069_certificate_nearest_the_leaf_decides_also_when_it_is_off),
        TEST(denied_certificate_registers_no_more),
        TEST(rolled_leaf_is_the_same_device_and_the_same_record),
        TEST(P073_P101_individual_enrollment_knows_its_certificates_by_thumbprint),
        TEST(individual_enrollment_for_keys_takes_no_certificate_of_a_group),
        TEST(expired_leaf_registers_where_its_enrollment_allows_it),
        TEST(device_changes_over_from_key_to_certificate_and_back),
        TEST(live_session_of_the_credential_before_ends),
        TEST(device_added_before_comes_by_certificate),
        TEST(unknown_device_waits_and_is_assigned_by_an_operator),
        TEST(operator_assigns_by_the_certificates_of_an_individual_enrollment),
        TEST(certificate_looks_up_and_polls_its_own_registration),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
