#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "provisioning/lifecycle.h"
#include "provisioning/registration_plan.h"

#define NOW 1767225600000

/* What a row may switch on. */
enum {
    KNOWN = 1 << 0, /* there is a device row */
    APPROVED = 1 << 1,
    BLOCKED = 1 << 2,
    PROVISIONED = 1 << 3,
    TEMPLATE = 1 << 4,  /* the device has template t1 */
    BY_DEVICE = 1 << 5, /* origin device; else ui */
    SIMULATED = 1 << 6,
    RECORD = 1 << 7,      /* assigned before, by this enrollment */
    OTHER_ENTRY = 1 << 8, /* by another */
    KEYS_DIFFER = 1 << 9,
};
enum { AUTO_APPROVE = 1, TEMPLATE_FREE = 2, MATCH = 4 /* the model has a template, t2 */ };
enum { GROUP_OFF = 1, PLAIN = 2, INDIVIDUAL = 4 };

struct transition {
    const char *name;
    unsigned device, setting, entry;
    enum registration_state state;
    const char *refusal;
    unsigned events;
    bool inserts, initial, approved_after;
};

#define NO_TEMPLATE "needs a template"
#define WAITING "waiting for approval"
#define BLOCK "blocked by an operator"
#define OFF "its enrollment group is disabled"

/* clang-format off */
static const struct transition transitions[] = {
    {"5: unknown, auto approve, no template needed", 0, AUTO_APPROVE | TEMPLATE_FREE, 0,
     REG_ASSIGNED, NULL, EVENT_REGISTERED | EVENT_PROVISIONED, true, true, true},
    {"5: unknown, auto approve, model matched", 0, AUTO_APPROVE | MATCH, 0,
     REG_ASSIGNED, NULL, EVENT_REGISTERED | EVENT_PROVISIONED, true, true, true},
    {"6: unknown, to be approved", 0, 0, 0,
     REG_FAILED, WAITING, EVENT_REGISTERED | EVENT_APPROVAL_REQUESTED | EVENT_REFUSED, true, false, false},
    {"6: unknown, model matched, to be approved", 0, MATCH, 0,
     REG_FAILED, WAITING, EVENT_REGISTERED | EVENT_APPROVAL_REQUESTED | EVENT_REFUSED, true, false, false},
    {"6b: unknown, auto approve, template missing", 0, AUTO_APPROVE, 0,
     REG_FAILED, NO_TEMPLATE, EVENT_REGISTERED | EVENT_REFUSED, true, false, true},
    {"6: unknown, group off: no record", 0, 0, GROUP_OFF, REG_FAILED, OFF, 0, false, false, false},
    {"unknown, plain DPS", 0, 0, PLAIN,
     REG_ASSIGNED, NULL, EVENT_REGISTERED | EVENT_PROVISIONED, true, true, true},
    {"unknown, plain DPS, disabled", 0, 0, PLAIN | GROUP_OFF, REG_DISABLED, OFF, 0, false, false, false},
    {"unknown, individual, no template needed", 0, TEMPLATE_FREE, INDIVIDUAL,
     REG_ASSIGNED, NULL, EVENT_REGISTERED | EVENT_PROVISIONED, true, true, true},
    {"8: waiting", KNOWN | BY_DEVICE, 0, 0, REG_FAILED, WAITING, EVENT_REFUSED, false, false, false},
    {"8: waiting stays so under auto approve", KNOWN | BY_DEVICE | TEMPLATE, AUTO_APPROVE, 0,
     REG_FAILED, WAITING, EVENT_REFUSED, false, false, false},
    {"10: associated, not approved", KNOWN | BY_DEVICE | TEMPLATE, 0, 0,
     REG_FAILED, WAITING, EVENT_REFUSED, false, false, false},
    {"9: approved, not associated", KNOWN | BY_DEVICE | APPROVED, 0, 0,
     REG_FAILED, NO_TEMPLATE, EVENT_REFUSED, false, false, true},
    {"13: approved and associated", KNOWN | BY_DEVICE | APPROVED | TEMPLATE, 0, 0,
     REG_ASSIGNED, NULL, EVENT_PROVISIONED, false, true, true},
    {"13: added by an operator", KNOWN | APPROVED, 0, 0,
     REG_ASSIGNED, NULL, EVENT_PROVISIONED, false, true, true},
    {"13: approved, the model matches", KNOWN | BY_DEVICE | APPROVED, MATCH, 0,
     REG_ASSIGNED, NULL, EVENT_PROVISIONED | EVENT_TEMPLATE_CHANGED, false, true, true},
    {"14: group off", KNOWN | APPROVED, 0, GROUP_OFF, REG_FAILED, OFF, EVENT_REFUSED, false, false, true},
    {"16: again", KNOWN | APPROVED | PROVISIONED | TEMPLATE | RECORD, 0, 0,
     REG_ASSIGNED, NULL, 0, false, false, true},
    {"16: again with new keys", KNOWN | APPROVED | PROVISIONED | RECORD | KEYS_DIFFER, 0, 0,
     REG_ASSIGNED, NULL, 0, false, false, true},
    {"18: blocked while provisioned", KNOWN | APPROVED | PROVISIONED | BLOCKED | RECORD, 0, 0,
     REG_FAILED, BLOCK, EVENT_REFUSED, false, false, true},
    {"18: blocked while registered", KNOWN | APPROVED | BLOCKED, 0, 0,
     REG_FAILED, BLOCK, EVENT_REFUSED, false, false, true},
    {"11: blocked while waiting", KNOWN | BLOCKED | BY_DEVICE, 0, 0,
     REG_FAILED, BLOCK, EVENT_REFUSED, false, false, false},
    {"blocked, plain DPS", KNOWN | APPROVED | BLOCKED, 0, PLAIN,
     REG_FAILED, BLOCK, EVENT_REFUSED, false, false, true},
    {"22: deprovisioned, then again", KNOWN | APPROVED | RECORD, 0, 0,
     REG_ASSIGNED, NULL, EVENT_PROVISIONED, false, true, true},
    {"24: provisioned, group off", KNOWN | APPROVED | PROVISIONED | RECORD, 0, GROUP_OFF,
     REG_FAILED, OFF, EVENT_REFUSED, false, false, true},
    {"26: another entry decides now", KNOWN | APPROVED | PROVISIONED | RECORD | OTHER_ENTRY, 0, INDIVIDUAL,
     REG_ASSIGNED, NULL, 0, false, true, true},
    {"26: an individual enrollment approves", KNOWN, 0, INDIVIDUAL,
     REG_ASSIGNED, NULL, EVENT_APPROVED | EVENT_PROVISIONED, false, true, true},
    {"26: a disabled one does not", KNOWN, 0, INDIVIDUAL | GROUP_OFF,
     REG_FAILED, "its individual enrollment is disabled", EVENT_REFUSED, false, false, false},
    {"D3: simulated", KNOWN | APPROVED | PROVISIONED | SIMULATED, 0, 0,
     REG_FAILED, "a simulated device does not provision", EVENT_REFUSED, false, false, true},
};
/* clang-format on */

/* The facts of a row, with what they point to. */
struct world {
    struct device device;
    struct enrollment enrollment;
    struct registration_record record;
    struct gate_view view;
    struct secret primary, secondary;
    struct plan_input in;
};

static void build(const struct transition *t, struct world *w)
{
    *w = (struct world){
        .device =
            {
                .hub = SLICE("main"),
                .id = SLICE("dev-001"),
                .version = 7,
                .enabled = true,
                .approved = t->device & APPROVED,
                .blocked = t->device & BLOCKED,
                .provisioned = t->device & PROVISIONED,
                .simulated = t->device & SIMULATED,
                .template_id = t->device & TEMPLATE ? SLICE("t1") : (slice){0},
                .origin = t->device & BY_DEVICE ? ORIGIN_DEVICE : ORIGIN_UI,
                .attempt = {.at = NOW - 60000, .count = 4, .result = SLICE("refused")},
            },
        .enrollment =
            {
                .kind = t->entry & INDIVIDUAL ? ENROLLMENT_INDIVIDUAL : ENROLLMENT_GROUP,
                .id = t->entry & INDIVIDUAL ? SLICE("dev-001") : SLICE("g1"),
                .enabled = !(t->entry & GROUP_OFF),
                .gated = !(t->entry & PLAIN),
            },
        .record =
            {
                .id = SLICE("dev-001"),
                .device_id = SLICE("dev-001"),
                .hub = SLICE("main"),
                .substatus = SLICE("initialAssignment"),
                .enrollment_kind = ENROLLMENT_GROUP,
                .enrollment_id = t->device & OTHER_ENTRY ? SLICE("g0") : SLICE("G1"),
                .state = REG_ASSIGNED,
                .operation_id = SLICE("5.old"),
                .told = true,
                .created_at = NOW - 1000000,
                .updated_at = NOW - 500000,
                .version = 3,
            },
        .view =
            {
                .auto_approve = t->setting & AUTO_APPROVE,
                .template_id = t->setting & MATCH ? SLICE("t2") : (slice){0},
            },
        .primary = {.bytes = {1}, .len = 32},
        .secondary = {.bytes = {2}, .len = 32},
    };
    if (!(t->setting & TEMPLATE_FREE))
        w->view.require_template = TEMPLATE_DEVICE_ORIGIN;
    w->in = (struct plan_input){
        .registration_id = SLICE("dev-001"),
        .model_id = t->setting & MATCH ? SLICE("t2") : (slice){0},
        .protocol = SLICE("mqtt"),
        .now = NOW,
        .answer_at_once = true,
        .operation_id = SLICE("5.new"),
        .record = t->device & RECORD ? &w->record : NULL,
        .device = t->device & KNOWN ? &w->device : NULL,
        .enrollment = &w->enrollment,
        .view = &w->view,
        .primary = &w->primary,
        .secondary = &w->secondary,
        .credential_differs = t->device & KEYS_DIFFER,
        .hub = SLICE("main"),
    };
}

static bool approved_after(const struct world *w, const struct registration_plan *p)
{
    if (p->inserts)
        return p->insert.approved;
    return p->change.set & DEVICE_SET_APPROVED ? p->change.to.approved
                                               : w->in.device && w->device.approved;
}

static bool provisioned_after(const struct world *w, const struct registration_plan *p)
{
    if (p->inserts)
        return p->insert.provisioned;
    return p->change.set & DEVICE_SET_PROVISIONED ? p->change.to.provisioned
                                                  : w->in.device && w->device.provisioned;
}

#define EXPECT_ROW(condition)                                                                      \
    do {                                                                                           \
        if (!(condition))                                                                          \
            fail_msg("%s: not %s", t->name, #condition);                                           \
    } while (0)

static void P067_P102_C004_C005_C006_registration_plan_follows_the_transition_table(void **state)
{
    struct registration_plan p;
    struct world w;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(transitions); i++) {
        const struct transition *t = &transitions[i];

        build(t, &w);
        registration_plan(&w.in, &p);
        EXPECT_ROW(p.record.state == t->state);
        EXPECT_ROW((p.refusal == NULL) == (t->refusal == NULL));
        EXPECT_ROW(!t->refusal || strcmp(p.refusal, t->refusal) == 0);
        EXPECT_ROW(p.events == t->events);
        EXPECT_ROW(p.inserts == t->inserts);
        EXPECT_ROW(p.initial == t->initial);
        EXPECT_ROW(approved_after(&w, &p) == t->approved_after);
        EXPECT_ROW(provisioned_after(&w, &p) == (!t->refusal || (t->device & PROVISIONED)));
        EXPECT_ROW(p.record.error_code == (t->state == REG_FAILED ? ERROR_REFUSED : 0));
        EXPECT_ROW(p.writes == (t->inserts || (t->device & KNOWN)));
        EXPECT_ROW(!(t->device & KNOWN) || p.change.to.attempt.count == 5);
        EXPECT_ROW(((p.change.set & DEVICE_SET_KEYS) != 0) ==
                   ((t->device & KEYS_DIFFER) != 0 && !t->refusal));
        EXPECT_ROW(((p.change.set & DEVICE_BUMP_CREDENTIAL) != 0) ==
                   ((p.change.set & DEVICE_SET_KEYS) != 0));
    }
}

static const struct transition again = {
    "again", KNOWN | APPROVED | PROVISIONED | TEMPLATE | RECORD, 0, 0, REG_ASSIGNED, 0, 0, 0, 0, 0};
static const struct transition waiting = {
    "waiting", KNOWN | BY_DEVICE | RECORD, 0, 0, REG_FAILED, 0, 0, 0, 0, 0};

static void P075_second_registration_keeps_hub_and_creation_time(void **state)
{
    struct registration_plan p;
    struct world w;

    (void)state;
    build(&again, &w);
    registration_plan(&w.in, &p);
    assert_true(slice_equal(p.record.hub, SLICE("main")));
    assert_int_equal(p.record.created_at, NOW - 1000000);
    assert_int_equal(p.record.updated_at, NOW);
    assert_int_equal(p.record.version, 4);
    assert_true(slice_equal(p.record.operation_id, SLICE("5.new")));
    assert_true(slice_equal(p.record.previous_operation_id, SLICE("5.old")));
}

static void P066_registration_keeps_the_first_spelling(void **state)
{
    struct registration_plan p;
    struct world w;

    (void)state;
    build(&again, &w);
    w.in.registration_id = SLICE("DEV-001");
    registration_plan(&w.in, &p);
    assert_true(slice_equal(p.record.id, SLICE("dev-001")));
    assert_false(p.initial);
}

static void P074_individual_enrollment_may_name_another_device(void **state)
{
    struct enrollment e = {.kind = ENROLLMENT_INDIVIDUAL, .device_id = SLICE("pump")};

    (void)state;
    assert_true(slice_equal(plan_device_id(&e, SLICE("dev-001")), SLICE("pump")));
    e.device_id = (slice){0};
    assert_true(slice_equal(plan_device_id(&e, SLICE("dev-001")), SLICE("dev-001")));
    e.kind = ENROLLMENT_GROUP;
    assert_true(slice_equal(plan_device_id(&e, SLICE("dev-001")), SLICE("dev-001")));
}

static void P033_registration_before_the_poll_is_the_same_operation(void **state)
{
    struct registration_plan p;
    struct world w;

    (void)state;
    build(&again, &w);
    w.in.answer_at_once = false;
    w.record.told = false;
    registration_plan(&w.in, &p);
    assert_true(slice_equal(p.record.operation_id, SLICE("5.old")));
    assert_false(p.record.told);
}

static void P109_registration_joins_one_that_overlapped_it(void **state)
{
    struct registration_plan p;
    struct world w;

    (void)state;
    build(&again, &w);
    w.in.overlaps = true;
    registration_plan(&w.in, &p);
    assert_false(p.writes);
    assert_true(slice_equal(p.record.operation_id, SLICE("5.old")));
    build(&again, &w);
    w.in.overlaps = true;
    w.device.blocked = true;
    registration_plan(&w.in, &p);
    assert_true(p.writes);
    assert_int_equal(p.record.state, REG_FAILED);
}

static void registration_plan_writes_a_repeated_refusal_once_a_second(void **state)
{
    static const struct {
        const char *name;
        int64_t ago_ms;
        const char *reason;
        bool writes;
    } rows[] = {
        {"just now", 0, WAITING, false},       {"a moment ago", 999, WAITING, false},
        {"a second ago", 1000, WAITING, true}, {"for another reason", 10, NO_TEMPLATE, true},
        {"in the future", -10, WAITING, true},
    };
    struct registration_plan p;
    struct world w;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        build(&waiting, &w);
        w.record.state = REG_FAILED;
        w.device.attempt.at = NOW - rows[i].ago_ms;
        w.device.attempt.reason = slice_str(rows[i].reason);
        registration_plan(&w.in, &p);
        if (p.writes != rows[i].writes)
            fail_msg("%s: writes=%d", rows[i].name, p.writes);
        if (!p.writes && p.events != 0)
            fail_msg("%s: events without a change", rows[i].name);
    }
}

static void refused_registration_keeps_the_assignment_for_later(void **state)
{
    struct registration_plan p;
    struct world w;

    (void)state;
    build(&again, &w);
    w.device.blocked = true;
    registration_plan(&w.in, &p);
    assert_int_equal(p.record.state, REG_FAILED);
    assert_true(slice_equal(p.record.hub, SLICE("main")));
    assert_true(slice_equal(p.record.enrollment_id, SLICE("G1")));
    assert_int_equal(p.record.created_at, NOW - 1000000);
    w.record = p.record;
    w.device.blocked = false;
    registration_plan(&w.in, &p);
    assert_int_equal(p.record.state, REG_ASSIGNED);
    assert_false(p.initial);
}

static void blocked_device_changes_nothing_but_its_attempt(void **state)
{
    struct registration_plan p;
    struct world w;

    (void)state;
    build(&again, &w);
    w.device.blocked = true;
    w.device.template_id = (slice){0};
    w.in.model_id = SLICE("t2");
    w.view.template_id = SLICE("t2");
    w.in.credential_differs = true;
    registration_plan(&w.in, &p);
    assert_int_equal(p.change.set, DEVICE_SET_ATTEMPT);
}

static void another_model_migrates_the_same_does_not(void **state)
{
    static const struct {
        const char *name, *model_before, *template_after;
    } rows[] = {
        {"another model", "t1", "t2"},
        {"the same model, associated by an operator", "t2", "t1"},
        {"no model before", "", "t1"},
    };
    struct registration_plan p;
    struct world w;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        build(&again, &w);
        w.in.model_id = w.view.template_id = SLICE("t2");
        w.device.model_id = slice_str(rows[i].model_before);
        registration_plan(&w.in, &p);
        slice after =
            p.change.set & DEVICE_SET_TEMPLATE ? p.change.to.template_id : w.device.template_id;
        if (!slice_equal(after, slice_str(rows[i].template_after)))
            fail_msg("%s", rows[i].name);
    }
}

static void registration_without_a_hub_fails_with_its_own_code(void **state)
{
    struct registration_plan p;
    struct world w;

    (void)state;
    build(&again, &w);
    w.in.hub = (slice){0};
    registration_plan(&w.in, &p);
    assert_int_equal(p.record.state, REG_FAILED);
    assert_int_equal(p.record.error_code, ERROR_NO_HUB);
}

static void operator_assigns_what_the_gate_lets_through_and_nothing_else(void **state)
{
    static const struct transition registered = {
        "registered", KNOWN | APPROVED, 0, 0, REG_ASSIGNED, 0, 0, 0, 0, 0};
    struct registration_plan p;
    struct world w;

    (void)state;
    build(&registered, &w);
    w.in.by_operator = true;
    registration_plan(&w.in, &p);
    assert_true(p.writes && p.initial);
    assert_false(p.change.set & DEVICE_SET_ATTEMPT);
    build(&waiting, &w);
    w.in.by_operator = true;
    registration_plan(&w.in, &p);
    assert_false(p.writes);
    assert_string_equal(p.refusal, WAITING);
    build(&again, &w);
    w.in.by_operator = true;
    registration_plan(&w.in, &p);
    assert_false(p.writes);
    assert_null(p.refusal);
}

static const slice leaf = {(const uint8_t *)"00FF", 4};

static void P101_certificate_takes_the_place_of_the_keys(void **state)
{
    static const struct transition unknown = {
        "unknown", 0, AUTO_APPROVE | TEMPLATE_FREE, 0, REG_ASSIGNED, 0, 0, 0, 0, 0};
    struct registration_plan p;
    struct world w;

    (void)state;
    build(&unknown, &w);
    w.enrollment.attestation = ATTEST_X509;
    w.enrollment.expired_leaf_allowed = true;
    w.in.thumbprints[0] = leaf;
    registration_plan(&w.in, &p);
    assert_true(p.inserts && p.record.by_certificate);
    assert_int_equal(p.insert.auth, AUTH_SELF_SIGNED);
    assert_int_equal(p.insert.primary.len + p.insert.secondary.len, 0);
    assert_true(slice_equal(p.insert.primary_thumbprint, leaf));
    assert_true(p.insert.expired_leaf_allowed);
    build(&again, &w);
    w.enrollment.attestation = ATTEST_X509;
    w.in.thumbprints[0] = leaf;
    w.in.credential_differs = true;
    registration_plan(&w.in, &p);
    assert_int_equal(p.change.to.auth, AUTH_SELF_SIGNED);
    assert_true(slice_equal(p.change.to.primary_thumbprint, leaf));
    assert_int_equal(p.change.to.primary.len, 0);
}

/* The same credential: whoever is in by it stays. */
static void switch_for_expired_leaves_is_copied_without_a_new_generation(void **state)
{
    struct registration_plan p;
    struct world w;

    (void)state;
    build(&again, &w);
    w.enrollment.attestation = ATTEST_X509;
    w.device.auth = AUTH_SELF_SIGNED;
    w.device.primary_thumbprint = w.in.thumbprints[0] = leaf;
    w.enrollment.expired_leaf_allowed = true;
    registration_plan(&w.in, &p);
    assert_true(p.change.set & DEVICE_SET_KEYS);
    assert_false(p.change.set & DEVICE_BUMP_CREDENTIAL);
    assert_true(p.change.to.expired_leaf_allowed);
    assert_true(slice_equal(p.change.to.primary_thumbprint, leaf));
    w.device.expired_leaf_allowed = true;
    registration_plan(&w.in, &p);
    assert_false(p.change.set & DEVICE_SET_KEYS);
}

static void refusal_names_the_step_that_it_comes_from(void **state)
{
    static const struct {
        struct transition row;
        enum step at;
    } rows[] = {
        {{"blocked, group off", KNOWN | BLOCKED, 0, GROUP_OFF, 0, 0, 0, 0, 0, 0}, STEP_DEVICE},
        {{"simulated", KNOWN | SIMULATED, 0, 0, 0, 0, 0, 0, 0, 0}, STEP_DEVICE},
        {{"group off", KNOWN, 0, GROUP_OFF, 0, 0, 0, 0, 0, 0}, STEP_ENROLLMENT},
        {{"waiting", KNOWN | BY_DEVICE, 0, 0, 0, 0, 0, 0, 0, 0}, STEP_APPROVAL},
        {{"no template", KNOWN | BY_DEVICE | APPROVED, 0, 0, 0, 0, 0, 0, 0, 0}, STEP_TEMPLATE},
        {{"no hub", KNOWN | APPROVED, 0, 0, 0, 0, 0, 0, 0, 0}, STEP_HUB},
    };
    struct registration_plan p;
    struct world w;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        build(&rows[i].row, &w);
        if (rows[i].at == STEP_HUB)
            w.in.hub = (slice){0};
        registration_plan(&w.in, &p);
        if (!p.refusal || p.refused_at != rows[i].at)
            fail_msg("%s: %s", rows[i].row.name, step_name(p.refused_at));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(P067_P102_C004_C005_C006_registration_plan_follows_the_transition_table),
        cmocka_unit_test(P075_second_registration_keeps_hub_and_creation_time),
        cmocka_unit_test(P066_registration_keeps_the_first_spelling),
        cmocka_unit_test(P074_individual_enrollment_may_name_another_device),
        cmocka_unit_test(P033_registration_before_the_poll_is_the_same_operation),
        cmocka_unit_test(P109_registration_joins_one_that_overlapped_it),
        cmocka_unit_test(registration_plan_writes_a_repeated_refusal_once_a_second),
        cmocka_unit_test(refused_registration_keeps_the_assignment_for_later),
        cmocka_unit_test(blocked_device_changes_nothing_but_its_attempt),
        cmocka_unit_test(another_model_migrates_the_same_does_not),
        cmocka_unit_test(registration_without_a_hub_fails_with_its_own_code),
        cmocka_unit_test(operator_assigns_what_the_gate_lets_through_and_nothing_else),
        cmocka_unit_test(P101_certificate_takes_the_place_of_the_keys),
        cmocka_unit_test(switch_for_expired_leaves_is_copied_without_a_new_generation),
        cmocka_unit_test(refusal_names_the_step_that_it_comes_from),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
