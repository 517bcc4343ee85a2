#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdlib.h>

#include "identity/trust/certificate_fixture.h"
#include "identity/trust/trust.h"

#define NOW 1767225600000

/* --- a small world --------------------------------------------------------------------------- */

/* root <- near <- leaf, and root <- direct; strangers above and below. */
struct world {
    struct made root, near, below, stranger;
    struct made leaf, deep, direct, lost;
    struct stack_st_X509 *chain, *deep_chain, *shuffled;
    struct authority authorities[4];
    uint64_t denied[4];
    struct trust trust;
    struct trust_path path;
    struct trace trace;
    struct fault why;
};

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof *w);

    assert_non_null(w);
    w->root = make_authority("Root", NULL, NOW);
    w->near = make_authority("Near", &w->root, NOW);
    w->below = make_authority("Below", &w->near, NOW);
    w->stranger = make_authority("Stranger", NULL, NOW);
    w->leaf = make_leaf("d1", &w->near, NOW);
    w->deep = make_leaf("d1", &w->below, NOW);
    w->direct = make_leaf("d1", &w->root, NOW);
    w->lost = make_leaf("d1", &w->stranger, NOW);
    w->chain = sent((const struct made *[]){&w->near}, 1);
    w->deep_chain = sent((const struct made *[]){&w->below, &w->near}, 2);
    w->shuffled = sent((const struct made *[]){&w->stranger, &w->root, &w->near, &w->below}, 4);
    w->trust = (struct trust){.version = 1, .authorities = w->authorities};
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    struct made *all[] = {&w->root, &w->near, &w->below,  &w->stranger,
                          &w->leaf, &w->deep, &w->direct, &w->lost};

    trust_path_deinit(&w->path);
    for (size_t i = 0; i < COUNT_OF(all); i++)
        made_free(all[i]);
    certificates_free(w->chain);
    certificates_free(w->deep_chain);
    certificates_free(w->shuffled);
    free(w);
    return 0;
}

/* How a slot stands. */
enum { UNVERIFIED = 0, VERIFIED = 1, DISABLED = 2 };

static struct authority *put_slot(struct world *w, const char *group, enum authority_slot slot,
                                  const struct made *m, unsigned standing)
{
    struct authority *a = &w->authorities[w->trust.count++];

    *a = (struct authority){
        .group = slice_str(group),
        .slot = slot,
        .certificate = m->certificate,
        .mark = mark_of(m),
        .verified = standing & VERIFIED,
        .enabled = !(standing & DISABLED),
    };
    return a;
}

static enum status find(struct world *w, const struct made *leaf, struct stack_st_X509 *chain)
{
    const struct trust_claim claim = {
        .leaf = leaf->certificate, .intermediates = chain, .now = NOW};

    trust_path_deinit(&w->path);
    trace_begin(&w->trace);
    return trust_find_path(&w->trust, &claim, &w->trace, &w->path, &w->why);
}

static enum step failed_step(const struct world *w)
{
    return trace_failed(&w->trace) ? w->trace.steps[w->trace.count - 1].step : STEP_COUNT;
}

static void assert_decides(const struct world *w, const char *group, enum authority_slot slot)
{
    assert_non_null(w->path.authority);
    if (!slice_equal(w->path.authority->group, slice_str(group)) || w->path.authority->slot != slot)
        fail_msg("group %.*s decides", SLICE_FMT(w->path.authority->group));
}

/* --- who decides ----------------------------------------------------------------------------- */

static void P069_the_nearest_authority_decides(void **state)
{
    struct world *w = *state;

    put_slot(w, "far", AUTHORITY_PRIMARY, &w->root, VERIFIED);
    put_slot(w, "near", AUTHORITY_PRIMARY, &w->near, VERIFIED);
    assert_int_equal(find(w, &w->leaf, w->chain), ST_OK);
    assert_decides(w, "near", AUTHORITY_PRIMARY);
    assert_int_equal(w->path.authority_at, 1);
    assert_int_equal(find(w, &w->leaf, NULL), ST_OK); /* the server holds it */
    assert_decides(w, "near", AUTHORITY_PRIMARY);
    assert_int_equal(find(w, &w->deep, w->deep_chain), ST_OK);
    assert_decides(w, "near", AUTHORITY_PRIMARY);
    assert_int_equal(w->path.authority_at, 2);
    assert_int_equal(find(w, &w->direct, NULL), ST_OK);
    assert_decides(w, "far", AUTHORITY_PRIMARY);
}

static void P069_the_nearest_authority_decides_though_it_is_disabled(void **state)
{
    struct world *w = *state;

    put_slot(w, "far", AUTHORITY_PRIMARY, &w->root, VERIFIED);
    put_slot(w, "near", AUTHORITY_PRIMARY, &w->near, VERIFIED | DISABLED);
    assert_int_equal(find(w, &w->leaf, w->shuffled), ST_OK);
    assert_decides(w, "near", AUTHORITY_PRIMARY);
    assert_false(w->path.authority->enabled);
}

static void P070_both_slots_vouch(void **state)
{
    struct world *w = *state;

    put_slot(w, "g", AUTHORITY_PRIMARY, &w->stranger, VERIFIED);
    put_slot(w, "g", AUTHORITY_SECONDARY, &w->near, VERIFIED);
    assert_int_equal(find(w, &w->lost, NULL), ST_OK);
    assert_decides(w, "g", AUTHORITY_PRIMARY);
    assert_int_equal(find(w, &w->leaf, NULL), ST_OK);
    assert_decides(w, "g", AUTHORITY_SECONDARY);
}

static void P070_one_certificate_in_both_slots_is_verified_by_either(void **state)
{
    struct world *w = *state;

    put_slot(w, "g", AUTHORITY_PRIMARY, &w->near, UNVERIFIED);
    put_slot(w, "g", AUTHORITY_SECONDARY, &w->near, VERIFIED);
    assert_int_equal(find(w, &w->leaf, NULL), ST_OK);
    assert_decides(w, "g", AUTHORITY_SECONDARY);
}

static void P071_an_unverified_authority_vouches_for_nothing(void **state)
{
    struct world *w = *state;

    put_slot(w, "far", AUTHORITY_PRIMARY, &w->stranger, VERIFIED);
    put_slot(w, "near", AUTHORITY_PRIMARY, &w->near, UNVERIFIED);
    assert_int_equal(find(w, &w->leaf, w->chain), ST_UNAUTHORIZED);
    assert_string_equal(w->why.text, "the authority in slot primary of group near is not verified:"
                                     " make a verification certificate");
    assert_int_equal(failed_step(w), STEP_PATH);
    assert_string_equal(w->trace.received, w->why.text);
    assert_non_null(w->trace.mend);
}

static void P071_an_inline_intermediate_below_a_verified_root_counts(void **state)
{
    struct world *w = *state;

    put_slot(w, "near", AUTHORITY_SECONDARY, &w->near, UNVERIFIED);
    put_slot(w, "far", AUTHORITY_PRIMARY, &w->root, VERIFIED);
    assert_int_equal(find(w, &w->leaf, NULL), ST_OK);
    assert_decides(w, "near", AUTHORITY_SECONDARY);
    assert_true(w->path.marks.authority == mark_of(&w->near));
    assert_true(w->path.marks.anchor == mark_of(&w->root));
    assert_null(trust_objection(&w->trust, &w->path.marks));
}

static void P072_what_does_not_lead_to_an_authority_is_refused(void **state)
{
    struct world *w = *state;
    const struct {
        const char *name;
        const struct made *leaf;
        struct stack_st_X509 *chain;
        enum status status;
        enum step step;
    } rows[] = {
        {"whole", &w->deep, w->deep_chain, ST_OK, STEP_COUNT},
        {"in any order, with others", &w->deep, w->shuffled, ST_OK, STEP_COUNT},
        {"a link is missing", &w->deep, NULL, ST_UNAUTHORIZED, STEP_PATH},
        {"another's", &w->lost, w->shuffled, ST_UNAUTHORIZED, STEP_PATH},
        {"the authority itself", &w->root, NULL, ST_UNAUTHORIZED, STEP_PATH},
    };

    put_slot(w, "far", AUTHORITY_PRIMARY, &w->root, VERIFIED);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (find(w, rows[i].leaf, rows[i].chain) != rows[i].status)
            fail_msg("%s: %s", rows[i].name, w->why.text);
        if (failed_step(w) != rows[i].step)
            fail_msg("%s: failed at '%s'", rows[i].name, step_name(failed_step(w)));
        if (rows[i].status != ST_OK && (!*w->trace.expected || !*w->trace.received))
            fail_msg("%s: nothing to read", rows[i].name);
    }
}

static void P072_an_expired_leaf_fails_at_its_own_step(void **state)
{
    struct world *w = *state;
    struct made expired = make_until(ROLE_DEVICE, "d1", &w->root, NOW, -1);

    put_slot(w, "far", AUTHORITY_PRIMARY, &w->root, VERIFIED);
    assert_int_equal(find(w, &expired, NULL), ST_UNAUTHORIZED);
    assert_int_equal(failed_step(w), STEP_LEAF);
    made_free(&expired);
}

/* --- revocation ------------------------------------------------------------------------------ */

static void assert_step_values(const struct world *w)
{
    static const struct {
        enum step step;
        const char *value; /* NULL: any */
    } rows[] = {{STEP_LEAF, NULL},
                {STEP_PATH, "3 certificates"},
                {STEP_AUTHORITY, "primary of group far"},
                {STEP_REVOCATION, "not listed"}};

    assert_int_equal(w->trace.count, COUNT_OF(rows));
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_int_equal(w->trace.steps[i].step, rows[i].step);
        assert_true(w->trace.steps[i].passed);
        if (rows[i].value)
            assert_true(slice_equal(trace_value(&w->trace, i), slice_str(rows[i].value)));
    }
}

static slice serial_of(const struct made *m, struct arena *arena)
{
    struct certificate_facts facts;
    struct fault why;

    assert_int_equal(certificate_facts_read(m->certificate, arena, &facts, &why), ST_OK);
    return facts.serial;
}

static void each_mark_denies(void **state)
{
    struct world *w = *state;
    struct arena ARENA_CLEANUP arena = {.max = 1 << 20};
    struct thumbprints leaf, near;
    struct certificate_marks marks;
    struct authority *far = put_slot(w, "far", AUTHORITY_PRIMARY, &w->root, VERIFIED);

    sha256_of(&w->leaf, &leaf);
    sha256_of(&w->near, &near);
    assert_true(certificate_marks(w->leaf.certificate, &marks));
    const struct {
        const char *name;
        uint64_t mark;
        bool by_list, refused;
    } rows[] = {
        {"nothing", 1, false, false},
        {"SHA-256", mark_of_thumbprint(slice_of(leaf.sha256, 64)), false, true},
        {"SHA-1", mark_of_thumbprint(slice_of(leaf.sha1, 40)), false, true},
        {"SHA-256 under the other signature", marks.twin_sha256, false, true},
        {"SHA-1 under the other signature", marks.twin_sha1, false, true},
        {"serial in the group", mark_of_group_serial(SLICE("far"), serial_of(&w->leaf, &arena)),
         false, true},
        {"serial in another group",
         mark_of_group_serial(SLICE("near"), serial_of(&w->leaf, &arena)), false, false},
        {"an issuer's hash", mark_of_thumbprint(slice_of(near.sha256, 64)), false, true},
        {"an issuer's serial", mark_of_group_serial(SLICE("far"), serial_of(&w->near, &arena)),
         false, true},
        {"the authority's hash", mark_of(&w->root), false, true},
        {"the revocation list", marks.issuer_serial, true, true},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        slice list = slice_of(&rows[i].mark, sizeof rows[i].mark);

        w->trust.denied = rows[i].by_list ? (slice){0} : list;
        far->crl = rows[i].by_list ? list : (slice){0};
        if ((find(w, &w->leaf, w->chain) != ST_OK) != rows[i].refused)
            fail_msg("%s: %s", rows[i].name, w->why.text);
        if (rows[i].refused)
            assert_int_equal(failed_step(w), STEP_REVOCATION);
        else
            assert_step_values(w);
    }
}

static void a_pinned_leaf_is_denied_by_each_mark(void **state)
{
    struct world *w = *state;
    struct arena ARENA_CLEANUP arena = {.max = 1 << 20};
    struct certificate_marks marks;

    put_slot(w, "far", AUTHORITY_PRIMARY, &w->root, VERIFIED);
    assert_true(certificate_marks(w->leaf.certificate, &marks));
    const uint64_t in_group = mark_of_group_serial(SLICE("far"), serial_of(&w->leaf, &arena));
    const struct {
        const char *name, *group;
        uint64_t mark;
        bool by_list, refused;
    } rows[] = {
        {"nothing", "far", 1, false, false},
        {"SHA-256", "", marks.sha256, false, true},
        {"SHA-1", "", marks.sha1, false, true},
        {"SHA-256 under the other signature", "", marks.twin_sha256, false, true},
        {"serial in its group", "far", in_group, false, true},
        {"of no group", "", in_group, false, false},
        {"the revocation list", "", marks.issuer_serial, true, true},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        slice list = slice_of(&rows[i].mark, sizeof rows[i].mark);
        const struct trust_claim claim = {
            .leaf = w->leaf.certificate, .now = NOW, .group = slice_str(rows[i].group)};
        struct trust_marks found;

        w->trust.denied = rows[i].by_list ? (slice){0} : list;
        w->authorities[0].crl = rows[i].by_list ? list : (slice){0};
        if ((trust_check_pinned(&w->trust, &claim, NULL, &found, &w->why) != ST_OK) !=
            rows[i].refused)
            fail_msg("%s: %s", rows[i].name, w->why.text);
        if (!rows[i].refused)
            assert_true(found.authority == 0 && found.count >= 3);
    }
}

/* --- sessions -------------------------------------------------------------------------------- */

static void objections_to_a_session(void **state)
{
    static const struct {
        const char *name;
        bool by_hash, denied, listed, gone, unverified, disabled, objected;
    } rows[] = {
        {.name = "nothing changed"},
        {.name = "denied", .denied = true, .objected = true},
        {.name = "revoked", .listed = true, .objected = true},
        {.name = "the authority is gone", .gone = true, .objected = true},
        {.name = "not verified any more", .unverified = true, .objected = true},
        {.name = "its group is disabled", .disabled = true, .objected = true},
        {.name = "by hash, authority gone", .by_hash = true, .gone = true},
        {.name = "by hash, group disabled", .by_hash = true, .disabled = true},
        {.name = "by hash, denied", .by_hash = true, .denied = true, .objected = true},
        {.name = "by hash, revoked", .by_hash = true, .listed = true, .objected = true},
    };
    struct world *w = *state;
    struct certificate_marks m;
    struct trust_marks marks;

    put_slot(w, "far", AUTHORITY_PRIMARY, &w->root, VERIFIED);
    assert_int_equal(find(w, &w->leaf, w->chain), ST_OK);
    assert_true(certificate_marks(w->leaf.certificate, &m));
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct authority now = w->authorities[0];
        const struct trust later = {
            .version = 2,
            .authorities = &now,
            .count = rows[i].gone ? 0 : 1,
            .denied = slice_of(&m.sha1, rows[i].denied ? sizeof m.sha1 : 0),
        };

        now.verified = !rows[i].unverified;
        now.enabled = !rows[i].disabled;
        now.crl = slice_of(&m.issuer_serial, rows[i].listed ? sizeof m.issuer_serial : 0);
        marks = w->path.marks;
        if (rows[i].by_hash)
            marks.authority = marks.anchor = 0;
        if ((trust_objection(&later, &marks) != NULL) != rows[i].objected)
            fail_msg("%s", rows[i].name);
    }
}

/* A slot filled later with a link of the path is nearer to the leaf: it would decide now. */
static void a_session_goes_by_the_authority_that_would_decide_now(void **state)
{
    static const struct {
        const char *name, *group;
        unsigned standing;
        bool objected;
    } rows[] = {
        {"of its own group", "far", VERIFIED, false},
        {"of its own group, not verified", "far", UNVERIFIED, false},
        {"of a group that is disabled", "near", VERIFIED | DISABLED, true},
        {"of a group that is disabled, not verified", "near", DISABLED, true},
        {"of another group", "near", VERIFIED, true},
    };
    struct world *w = *state;
    struct trust_marks marks;

    put_slot(w, "far", AUTHORITY_PRIMARY, &w->root, VERIFIED);
    assert_int_equal(find(w, &w->leaf, w->chain), ST_OK);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct trust later = {.version = 2, .authorities = w->authorities, .count = 2};

        w->trust.count = 1;
        put_slot(w, rows[i].group, AUTHORITY_SECONDARY, &w->near, rows[i].standing);
        marks = w->path.marks;
        if ((trust_objection(&later, &marks) != NULL) != rows[i].objected)
            fail_msg("%s", rows[i].name);
        marks.authority = marks.anchor = 0; /* let in by its thumbprint */
        assert_null(trust_objection(&later, &marks));
    }
}

/* --- traces ---------------------------------------------------------------------------------- */

static void trace_stops_at_the_first_failure_and_is_written_as_json(void **state)
{
    BUF_CLEANUP struct buf text = {.max = 4096};
    struct json_writer writer = {.to = &text};
    struct trace t;

    (void)state;
    trace_begin(&t);
    trace_pass(&t, STEP_LEAF, SLICE("AB"));
    trace_fail(&t, STEP_PATH, SLICE("a path"), SLICE("no path"), "send the chain");
    trace_pass(&t, STEP_OCSP, SLICE("good"));
    trace_write(&t, &writer, (slice){0});
    buf_append_byte(&text, 0);
    assert_string_equal((char *)text.ptr,
                        "[{\"step\":\"certificate\",\"passed\":true,\"value\":\"AB\"},"
                        "{\"step\":\"path\",\"passed\":false,\"expected\":\"a path\","
                        "\"received\":\"no path\",\"fix\":\"send the chain\"}]");
    assert_true(trace_failed(&t));
}

static void trace_takes_no_more_than_it_has_room_for(void **state)
{
    static const uint8_t many[TRACE_VALUES_MAX + 10] = {0};
    struct trace t;

    (void)state;
    trace_begin(&t);
    for (int i = 0; i < STEP_COUNT + 5; i++)
        trace_pass(&t, STEP_LEAF, slice_of(many, sizeof many));
    assert_int_equal(t.count, TRACE_STEPS_MAX);
    assert_int_equal(trace_value(&t, 0).len, TRACE_VALUES_MAX);
    assert_int_equal(trace_value(&t, 1).len, 0);
    trace_begin(NULL);
    trace_pass(NULL, STEP_LEAF, (slice){0});
    trace_fail(NULL, STEP_LEAF, (slice){0}, (slice){0}, NULL);
    assert_false(trace_failed(NULL));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(P069_the_nearest_authority_decides),
        TEST(P069_the_nearest_authority_decides_though_it_is_disabled),
        TEST(P070_both_slots_vouch),
        TEST(P070_one_certificate_in_both_slots_is_verified_by_either),
        TEST(P071_an_unverified_authority_vouches_for_nothing),
        TEST(P071_an_inline_intermediate_below_a_verified_root_counts),
        TEST(P072_what_does_not_lead_to_an_authority_is_refused),
        TEST(P072_an_expired_leaf_fails_at_its_own_step),
        TEST(each_mark_denies),
        TEST(a_pinned_leaf_is_denied_by_each_mark),
        TEST(objections_to_a_session),
        TEST(a_session_goes_by_the_authority_that_would_decide_now),
        cmocka_unit_test(trace_stops_at_the_first_failure_and_is_written_as_json),
        cmocka_unit_test(trace_takes_no_more_than_it_has_room_for),
    };

    return cmocka_run_group_tests_name("trust", tests, NULL, NULL);
}
