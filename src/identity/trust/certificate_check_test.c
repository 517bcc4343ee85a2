#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "identity/identity_fixture.h"
#include "identity/trust/certificate_check.h"
#include "identity/trust/certificate_fixture.h"

#define NOBODY_LISTENS "http://127.0.0.1:9/"

/* --- checking -------------------------------------------------------------------------------- */

struct checked {
    struct fixture *f;
    struct trust_claim claim;
    bool pinned, may_be_expired;
    struct trace trace;
    sem_t answered;
    enum status status;
    struct fault why;
    char group[32];
    enum authority_slot slot;
    bool enabled;
    struct thumbprints thumbprints;
    struct trust_marks marks;
    int64_t version;
};

static void on_verdict(void *context, enum status status, const struct certificate_verdict *verdict,
                       const struct fault *why)
{
    struct checked *c = context;

    c->status = status;
    c->why = *why;
    assert_true((status == ST_OK) == (verdict != NULL));
    if (verdict) {
        snprintf(c->group, sizeof c->group, "%.*s", SLICE_FMT(verdict->group));
        c->slot = verdict->slot;
        c->enabled = verdict->enabled;
        c->thumbprints = verdict->thumbprints;
        c->marks = *verdict->marks;
        c->version = verdict->trust_version;
    }
    sem_post(&c->answered);
}

static void begin(void *context)
{
    struct checked *c = context;

    if (c->pinned)
        certificate_check_pinned(c->f->id, &c->claim, c->may_be_expired, &c->trace, on_verdict, c);
    else
        certificate_check(c->f->id, &c->claim, &c->trace, on_verdict, c);
}

static enum status run(struct checked *c)
{
    trace_begin(&c->trace);
    sem_init(&c->answered, 0, 0);
    worker_call(workers_at(c->f->workers, 1), begin, c);
    while (sem_wait(&c->answered) != 0) {
    }
    sem_destroy(&c->answered);
    return c->status;
}

static enum step failed_step(const struct checked *c)
{
    return trace_failed(&c->trace) ? c->trace.steps[c->trace.count - 1].step : STEP_COUNT;
}

static bool passed(const struct checked *c, enum step step, const char *value)
{
    for (size_t i = 0; i < c->trace.count; i++) {
        if (c->trace.steps[i].step == step && c->trace.steps[i].passed)
            return slice_equal(trace_value(&c->trace, i), slice_str(value));
    }
    return false;
}

static struct checked check_of(struct fixture *f, const struct made *leaf,
                               struct stack_st_X509 *chain)
{
    return (struct checked){
        .f = f, .claim = {.leaf = leaf->certificate, .intermediates = chain, .now = NOW}};
}

/* --- chains ---------------------------------------------------------------------------------- */

static void a_verdict_names_group_and_slot(void **state)
{
    struct fixture *f = *state;
    struct made root = make_authority("Root", NULL, NOW), leaf = make_leaf("d1", &root, NOW);
    struct checked c = check_of(f, &leaf, NULL);
    struct thumbprints t;

    assert_int_equal(run(&c), ST_UNAUTHORIZED);
    put_slot_now(f->store, &(struct slot_order){
                               .group = "line", .slot = AUTHORITY_SECONDARY, .authority = &root});
    assert_int_equal(run(&c), ST_OK);
    assert_string_equal(c.group, "line");
    assert_int_equal(c.slot, AUTHORITY_SECONDARY);
    assert_true(c.enabled && c.marks.authority == mark_of(&root) && c.version > 0);
    sha256_of(&leaf, &t);
    assert_memory_equal(c.thumbprints.sha256, t.sha256, sizeof t.sha256);
    assert_true(passed(&c, STEP_ISSUERS, "none is a device"));
    put_slot_now(f->store, &(struct slot_order){.group = "line",
                                                .slot = AUTHORITY_SECONDARY,
                                                .authority = &root,
                                                .disabled = true});
    assert_int_equal(run(&c), ST_OK); /* the caller's business */
    assert_false(c.enabled);
    made_free(&leaf);
    made_free(&root);
}

/* SECURITY-MODEL C5: or whoever holds one device could make others. */
static void an_issuer_that_is_a_device_is_refused(void **state)
{
    struct fixture *f = *state;
    struct made root = make_authority("Root", NULL, NOW);
    struct made line = make_authority("Line", &root, NOW);
    struct made edge = make_until(ROLE_EDGE_DEVICE, "edge-1", &line, NOW, 30);
    struct made leaf = make_leaf("d1", &edge, NOW);
    struct stack_st_X509 *chain = sent((const struct made *[]){&edge, &line}, 2);
    struct device_new device = fixture_device("main", "EDGE-1", "");
    struct device_new named_as_authority = fixture_device("main", "root", "");
    struct checked c = check_of(f, &leaf, chain);

    put_slot_now(f->store,
                 &(struct slot_order){.group = "g", .slot = AUTHORITY_PRIMARY, .authority = &root});
    assert_int_equal(fixture_insert(f, &named_as_authority), ST_OK);
    assert_int_equal(run(&c), ST_OK); /* no device bears an issuer's name */
    assert_int_equal(fixture_insert(f, &device), ST_OK);
    assert_int_equal(run(&c), ST_UNAUTHORIZED);
    assert_int_equal(failed_step(&c), STEP_ISSUERS);
    c.claim.leaf = edge.certificate; /* itself comes in */
    assert_int_equal(run(&c), ST_OK);
    certificates_free(chain);
    made_free(&leaf);
    made_free(&edge);
    made_free(&line);
    made_free(&root);
}

/* The responder cannot be reached: lenient lets in, strict does not, and says it is transient. */
static void a_silent_responder_is_a_no_where_it_is_strict(void **state)
{
    struct fixture *f = *state;
    struct made root = make_authority("Root", NULL, NOW), leaf = make_leaf("d1", &root, NOW);
    struct slot_order order = {
        .group = "g", .slot = AUTHORITY_PRIMARY, .authority = &root, .ocsp_url = NOBODY_LISTENS};
    struct checked c = check_of(f, &leaf, NULL);

    put_slot_now(f->store, &order);
    assert_int_equal(run(&c), ST_OK);
    assert_true(passed(&c, STEP_OCSP, "no verdict, let in"));
    order.ocsp_strict = true;
    put_slot_now(f->store, &order);
    assert_int_equal(run(&c), ST_UNAVAILABLE);
    assert_int_equal(failed_step(&c), STEP_OCSP);
    made_free(&leaf);
    made_free(&root);
}

/* --- thumbprints ----------------------------------------------------------------------------- */

static void H167_a_pinned_leaf_is_checked_for_its_end_and_denials_alone(void **state)
{
    struct fixture *f = *state;
    struct made unborn = make_until(ROLE_DEVICE, "any", NULL, NOW + 90 * FIXTURE_DAY_MS, 30);
    struct made authority = make_authority("any", NULL, NOW);
    struct made expired = make_until(ROLE_DEVICE, "d1", NULL, NOW, -1);
    struct made denied = make_leaf("d1", NULL, NOW);
    const struct {
        const char *name;
        const struct made *leaf;
        bool may_be_expired;
        enum status status;
        enum step step;
    } rows[] = {
        {"not begun", &unborn, false, ST_OK, STEP_COUNT},
        {"an authority's, self-signed", &authority, false, ST_OK, STEP_COUNT},
        {"expired", &expired, false, ST_UNAUTHORIZED, STEP_LEAF},
        {"expired, and may be", &expired, true, ST_OK, STEP_COUNT},
        {"denied", &denied, false, ST_UNAUTHORIZED, STEP_REVOCATION},
    };

    deny_now(f->store, &denied);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct checked c = check_of(f, rows[i].leaf, NULL);

        c.pinned = true;
        c.may_be_expired = rows[i].may_be_expired;
        if (run(&c) != rows[i].status || failed_step(&c) != rows[i].step)
            fail_msg("%s: %s at '%s'", rows[i].name, c.why.text, step_name(failed_step(&c)));
        if (rows[i].status == ST_OK)
            assert_true(c.enabled && c.group[0] == 0 && c.marks.authority == 0);
    }
    made_free(&unborn);
    made_free(&authority);
    made_free(&expired);
    made_free(&denied);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_verdict_names_group_and_slot),
        TEST(an_issuer_that_is_a_device_is_refused),
        TEST(a_silent_responder_is_a_no_where_it_is_strict),
        TEST(H167_a_pinned_leaf_is_checked_for_its_end_and_denials_alone),
    };

    return cmocka_run_group_tests_name("certificate_check", tests, NULL, NULL);
}
