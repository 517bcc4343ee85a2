#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "base/metrics.h"
#include "provisioning/provisioning_testing.h"

static const char *const refused = "Custom allocation failed with status code: 401";

static struct fixture *open_fixture(bool answer_at_once, unsigned burst)
{
    struct fixture *f = fixture_create();

    f->view.auto_approve = true;
    fixture_open(f, answer_at_once, burst);
    return f;
}

static int setup(void **state)
{
    *state = open_fixture(true, 0);
    return 0;
}

static int setup_later(void **state)
{
    *state = open_fixture(false, 0);
    return 0;
}

static int setup_throttled(void **state)
{
    *state = open_fixture(true, 3);
    return 0;
}

static void let_nobody_in(struct fixture *f)
{
    f->view.auto_approve = false;
    f->view.require_template = TEMPLATE_DEVICE_ORIGIN;
}

/* --- the good path ---------------------------------------------------------------------------- */

static void P074_P101_P104_first_registration_makes_the_device_and_assigns_it(void **state)
{
    struct fixture *f = *state;
    int64_t before = metric_value(METRIC_REGISTRATIONS_ASSIGNED);
    struct answered a = registers(f, "Dev-001");
    struct device_facts d = fixture_device(f, "dev-001");
    struct secret want;

    assert_int_equal(a.status, ST_OK);
    assert_int_equal(a.state, REG_ASSIGNED);
    assert_string_equal(a.device_id, "Dev-001");
    assert_string_equal(a.hub, "hub.example.org");
    assert_string_equal(a.group, "SAS-IoT-Devices");
    assert_string_equal(a.substatus, "initialAssignment");
    assert_int_equal(strlen(a.operation_id), 55);
    assert_memory_equal(a.operation_id, "5.", 2);
    assert_int_equal(metric_value(METRIC_REGISTRATIONS_ASSIGNED), before + 1);
    assert_int_equal(d.status, ST_OK);
    assert_string_equal(d.id, "Dev-001");
    assert_string_equal(d.name, "Dev-001");
    assert_true(d.approved && d.provisioned && d.enabled && !d.blocked);
    assert_int_equal(d.origin, ORIGIN_DEVICE);
    assert_string_equal(d.result, "assigned");
    derive_device_key(&f->group_primary, SLICE("Dev-001"), &want);
    assert_memory_equal(d.primary.bytes, want.bytes, 32);
    derive_device_key(&f->group_secondary, SLICE("Dev-001"), &want);
    assert_memory_equal(d.secondary.bytes, want.bytes, 32);
}

static void P066_P075_second_registration_is_the_same_record(void **state)
{
    struct fixture *f = *state;
    struct answered first = registers(f, "Dev-001");
    struct answered second = registers(f, "dev-001");
    struct device_facts d = fixture_device(f, "dev-001");

    assert_int_equal(second.state, REG_ASSIGNED);
    assert_string_equal(second.device_id, "Dev-001");
    assert_string_equal(second.hub, first.hub);
    assert_int_equal(second.created_at, first.created_at);
    assert_int_equal(second.etag, first.etag + 1);
    assert_string_not_equal(second.operation_id, first.operation_id);
    assert_int_equal(d.attempts, 2);
    assert_int_equal(fixture_device_count(f), 1);
}

static void keys_bump_the_credential_only_when_they_change(void **state)
{
    struct fixture *f = *state;
    struct device_facts first, again, other;
    struct enrollment group = {.kind = ENROLLMENT_GROUP, .id = SLICE("SAS-IoT-Devices")};
    struct enrollment changed;

    registers(f, "dev-001");
    first = fixture_device(f, "dev-001");
    registers(f, "dev-001");
    again = fixture_device(f, "dev-001");
    assert_int_equal(again.credential_generation, first.credential_generation);
    assert_int_equal(fixture_enrollment(f, CALL_REGENERATE, &group, &changed), ST_OK);

    struct registering with_old = {.f = f, .id = "dev-001"};
    assert_int_equal(registering_run(with_old).status, ST_UNAUTHORIZED);
    f->group_primary = changed.primary;
    assert_int_equal(registers(f, "dev-001").state, REG_ASSIGNED);
    other = fixture_device(f, "dev-001");
    assert_true(other.credential_generation > first.credential_generation);
}

/* --- refusals --------------------------------------------------------------------------------- */

static void C004_unknown_device_is_recorded_and_refused(void **state)
{
    struct fixture *f = *state;
    struct answered a;
    struct device_facts d;

    let_nobody_in(f);
    a = registers(f, "dev-001");
    d = fixture_device(f, "dev-001");
    assert_int_equal(a.status, ST_OK);
    assert_int_equal(a.state, REG_FAILED);
    assert_int_equal(a.error_code, 400209);
    assert_non_null(strstr(a.json, refused));
    assert_string_equal(a.hub, "");
    assert_int_equal(d.status, ST_OK);
    assert_false(d.approved || d.provisioned);
    assert_string_equal(d.template_id, "");
    assert_string_equal(d.result, "refused");
    assert_string_equal(d.reason, "waiting for approval");
    assert_int_equal(d.first_provisioned_at, 0);
}

static struct answered refusal_when(struct fixture *f, const char *id, struct device_change change)
{
    struct answered a;

    registers(f, id);
    assert_int_equal(fixture_edit(f, id, change), ST_OK);
    a = registers(f, id);
    assert_int_equal(a.state, REG_FAILED);
    return a;
}

/* Digits of times, ETag and operation ID differ; all else must not. */
static void mask(char *json, const char *name)
{
    char *at = strstr(json, name);

    assert_non_null(at);
    at += strlen(name) + 3;
    while (*at && *at != '"')
        *at++ = 'x';
}

static void mask_all(struct answered *a)
{
    mask(a->json, "operationId");
    mask(a->json, "createdDateTimeUtc");
    mask(a->json, "lastUpdatedDateTimeUtc");
    mask(a->json, "etag");
}

static void P081_C011_every_refusal_reads_the_same(void **state)
{
    struct fixture *f = *state;
    const struct device_change none = {0};
    const struct device_change block = {.set = DEVICE_SET_BLOCKED, .to = {.blocked = true}};
    const struct device_change approve = {.set = DEVICE_SET_APPROVED, .to = {.approved = true}};
    struct enrollment group = {.kind = ENROLLMENT_GROUP, .id = SLICE("SAS-IoT-Devices")};
    struct answered was_in, answers[5];

    was_in = registers(f, "dev-000");
    assert_int_equal(was_in.state, REG_ASSIGNED);
    assert_int_equal(fixture_edit(f, "dev-000", block), ST_OK);
    answers[0] = registers(f, "dev-000");
    let_nobody_in(f);
    answers[1] = refusal_when(f, "dev-001", none);
    answers[2] = refusal_when(f, "dev-002", approve);
    answers[3] = refusal_when(f, "dev-003", block);
    assert_int_equal(fixture_enrollment(f, CALL_GET, &group, &group), ST_OK);
    group.id = SLICE("SAS-IoT-Devices");
    group.display_name = group.hub = group.initial_tags = group.initial_desired = group.device_id =
        (slice){0};
    group.enabled = false;
    assert_int_equal(fixture_enrollment(f, CALL_PUT, &group, NULL), ST_OK);
    answers[4] = registers(f, "dev-004");
    assert_int_equal(fixture_device(f, "dev-004").status, ST_DEVICE_NOT_FOUND);
    for (size_t i = 0; i < COUNT_OF(answers); i++) {
        mask_all(&answers[i]);
        char *id = strstr(answers[i].json, "dev-00");

        assert_non_null(id);
        id[6] = 'x';
        assert_string_equal(answers[i].json, answers[0].json);
    }
}

static void P082_C010_bad_credentials_leave_no_record(void **state)
{
    struct fixture *f = *state;
    struct secret wrong = {.len = 32};
    struct answered a = {0}, known;

    registers(f, "dev-001");
    for (int i = 0; i < 10000; i++) {
        a = registering_run((struct registering){.f = f, .id = "dev-002", .key = &wrong});
        assert_int_equal(a.status, ST_UNAUTHORIZED);
    }
    known = registering_run((struct registering){.f = f, .id = "dev-001", .key = &wrong});
    assert_string_equal(known.json, a.json);
    assert_non_null(strstr(a.json, "\"errorCode\":401002"));
    assert_int_equal(fixture_device_count(f), 1);
}

static void bad_credential_of_a_known_device_is_noted_now_and_then(void **state)
{
    struct fixture *f = *state;
    struct secret wrong = {.len = 32};
    struct device_facts d;

    registers(f, "dev-001");
    for (int i = 0; i < 5; i++)
        registering_run((struct registering){.f = f, .id = "dev-001", .key = &wrong});
    d = fixture_device(f, "dev-001");
    while (strcmp(d.result, "unauthorized") != 0)
        d = fixture_device(f, "dev-001");
    assert_true(d.provisioned);
    assert_string_equal(d.reason, "signed by no key of any enrollment");
    for (int i = 0; i < 5; i++)
        registering_run((struct registering){.f = f, .id = "dev-001", .key = &wrong});
    /* Units of a worker commit in order: behind this one every note would be stored. */
    assert_int_equal(registers(f, "dev-001").state, REG_ASSIGNED);
    assert_int_equal(fixture_device(f, "dev-001").attempts, d.attempts + 1);
}

static void malformed_requests_and_strangers_are_told_apart(void **state)
{
    struct fixture *f = *state;
    const struct {
        const char *name;
        struct registering g;
        enum status status;
    } rows[] = {
        {"unknown scope", {.id = "dev-001", .scope = "0ne00AB12CE"}, ST_UNAUTHORIZED},
        {"scope in lower case", {.id = "dev-001", .scope = "0ne00ab12cd"}, ST_OK},
        {"no registration ID", {.id = "dev 001"}, ST_BAD_REQUEST},
        {"another ID in the body",
         {.id = "dev-001", .body = "{\"registrationId\":\"dev-002\"}"},
         ST_BAD_REQUEST},
        {"no JSON", {.id = "dev-001", .body = "{"}, ST_BAD_REQUEST},
        {"no credential", {.id = "dev-001", .anonymous = true}, ST_UNAUTHORIZED},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct registering g = rows[i].g;

        g.f = f;
        if (registering_run(g).status != rows[i].status)
            fail_msg("%s", rows[i].name);
    }
}

/* --- operations ------------------------------------------------------------------------------- */

static struct answered poll(struct fixture *f, const char *id, const char *operation_id)
{
    return registering_run(
        (struct registering){.f = f, .call = CALL_STATUS, .id = id, .operation_id = operation_id});
}

static void P030_P033_P097_operation_is_told_at_its_poll(void **state)
{
    struct fixture *f = *state;
    struct answered first = registers(f, "dev-001"), second, result, next;

    assert_int_equal(first.state, REG_ASSIGNING);
    assert_true(first.retry_after_s >= 3 && first.retry_after_s <= 5);
    assert_int_equal(fixture_device(f, "dev-001").provisioned, true);
    second = registers(f, "dev-001");
    assert_string_equal(second.operation_id, first.operation_id);
    result = poll(f, "dev-001", first.operation_id);
    assert_int_equal(result.state, REG_ASSIGNED);
    assert_string_equal(result.operation_id, first.operation_id);
    next = registers(f, "dev-001");
    assert_int_equal(next.state, REG_ASSIGNING);
    assert_string_not_equal(next.operation_id, first.operation_id);
    assert_int_equal(poll(f, "dev-001", first.operation_id).state, REG_ASSIGNED);
    assert_int_equal(poll(f, "dev-001", next.operation_id).state, REG_ASSIGNED);
    registers(f, "dev-002");
    result = poll(f, "dev-002", next.operation_id);
    assert_int_equal(result.status, ST_NOT_FOUND);
    assert_int_equal(result.error_code, 404202);
}

static void refused_operation_is_told_at_its_poll_with_and_without_record(void **state)
{
    struct fixture *f = *state;
    struct answered a;

    let_nobody_in(f);
    a = registers(f, "dev-001");
    assert_int_equal(a.state, REG_ASSIGNING);
    assert_int_equal(poll(f, "dev-001", a.operation_id).state, REG_FAILED);
}

static void P097_polls_survive_a_restart(void **state)
{
    struct fixture *f = *state;
    struct answered a = registers(f, "dev-001");

    fixture_close(f);
    fixture_open(f, false, 0);
    assert_int_equal(poll(f, "dev-001", a.operation_id).state, REG_ASSIGNED);
}

static void P029_lookup_gives_the_record_or_says_that_there_is_none(void **state)
{
    struct fixture *f = *state;
    struct registering g = {.f = f, .call = CALL_LOOKUP, .id = "dev-001"};
    struct answered a = registering_run(g);

    assert_int_equal(a.status, ST_NOT_FOUND);
    assert_int_equal(a.error_code, 404201);
    registers(f, "dev-001");
    a = registering_run(g);
    assert_int_equal(a.state, REG_ASSIGNED);
    assert_string_equal(a.device_id, "dev-001");
    g.call = CALL_ATTEST;
    assert_int_equal(registering_run(g).status, ST_OK);
    g.anonymous = true;
    assert_int_equal(registering_run(g).status, ST_UNAUTHORIZED);
}

static void P109_registrations_that_overlap_all_end_assigned(void **state)
{
    enum { TOGETHER = 16 };
    struct fixture *f = *state;
    struct registering g[TOGETHER];

    for (int round = 0; round < 10; round++) {
        char id[32];

        snprintf(id, sizeof id, "dev-%d", round);
        for (unsigned i = 0; i < TOGETHER; i++) {
            g[i] = (struct registering){.f = f, .id = id, .worker = i % FIXTURE_WORKERS};
            registering_start(&g[i]);
        }
        for (unsigned i = 0; i < TOGETHER; i++) {
            struct answered *a = registering_wait(&g[i]);

            if (a->status != ST_OK || a->state != REG_ASSIGNED)
                fail_msg("%s: %s", status_name(a->status), a->why);
            assert_string_equal(a->device_id, id);
        }
    }
    assert_int_equal(fixture_device_count(f), 10);
}

static void registrations_over_the_limit_are_throttled(void **state)
{
    struct fixture *f = *state;
    struct secret wrong = {.len = 32};
    struct answered a;

    for (int i = 0; i < 20; i++)
        registering_run((struct registering){.f = f, .id = "dev-001", .key = &wrong});
    for (int i = 0; i < 3; i++)
        assert_int_equal(registers(f, "dev-001").state, REG_ASSIGNED);
    a = registers(f, "dev-001");
    assert_int_equal(a.status, ST_THROTTLED);
    assert_true(a.retry_after_s >= 1 && a.retry_after_s <= 6);
    assert_int_equal(registers(f, "dev-002").status, ST_OK);
}

/* --- enrollments and registrations ------------------------------------------------------------ */

static const struct secret own_key = {.bytes = {9, 8, 7}, .len = 32};

static void P067_P074_C023_individual_enrollment_overrides_the_group(void **state)
{
    struct fixture *f = *state;
    struct enrollment e = {.kind = ENROLLMENT_INDIVIDUAL,
                           .id = SLICE("dev-001"),
                           .device_id = SLICE("pump-7"),
                           .enabled = true,
                           .gated = true,
                           .primary = own_key};
    struct registering own = {.f = f, .id = "dev-001", .key = &own_key};
    struct answered a;

    let_nobody_in(f);
    f->view.require_template = TEMPLATE_NEVER;
    assert_int_equal(fixture_enrollment(f, CALL_PUT, &e, &e), ST_OK);
    assert_int_equal(registers(f, "dev-001").status, ST_UNAUTHORIZED);
    a = registering_run(own);
    assert_int_equal(a.state, REG_ASSIGNED);
    assert_string_equal(a.device_id, "pump-7");
    assert_string_equal(a.group, "");
    assert_memory_equal(fixture_device(f, "pump-7").primary.bytes, own_key.bytes, 32);

    e = (struct enrollment){.kind = ENROLLMENT_INDIVIDUAL,
                            .id = SLICE("DEV-001"),
                            .version = 1,
                            .gated = true,
                            .device_id = SLICE("pump-7")};
    assert_int_equal(fixture_enrollment(f, CALL_PUT, &e, NULL), ST_OK);
    assert_int_equal(registering_run(own).state, REG_FAILED);
    assert_int_equal(registers(f, "dev-001").status, ST_UNAUTHORIZED);
}

static void P102_deleted_and_remade_entry_is_an_initial_assignment(void **state)
{
    struct fixture *f = *state;
    struct enrollment e = {
        .kind = ENROLLMENT_GROUP, .id = SLICE("g1"), .enabled = true, .primary = own_key};
    struct secret key;
    struct registering g = {.f = f, .id = "dev-001", .key = &key, .now = clock_wall_ms() - 60000};
    struct answered first, again;

    derive_device_key(&own_key, SLICE("dev-001"), &key);
    assert_int_equal(fixture_enrollment(f, CALL_PUT, &e, NULL), ST_OK);
    first = registering_run(g);
    assert_int_equal(first.state, REG_ASSIGNED);
    assert_int_equal(fixture_enrollment(f, CALL_DELETE, &e, NULL), ST_OK);
    g.now += 1000;
    assert_int_equal(registering_run(g).status, ST_UNAUTHORIZED);
    assert_int_equal(fixture_enrollment(f, CALL_PUT, &e, NULL), ST_OK);
    again = registering_run(g);
    assert_int_equal(again.state, REG_ASSIGNED);
    assert_int_equal(again.created_at, first.created_at + 1000);
    g.key = NULL;
    g.now += 1000;
    again = registering_run(g);
    assert_int_equal(again.state, REG_ASSIGNED);
    assert_string_equal(again.group, "SAS-IoT-Devices");
    assert_int_equal(again.created_at, first.created_at + 2000);
    assert_string_equal(again.substatus, "initialAssignment");
}

static void P077_initial_twin_is_written_at_initial_assignment_only(void **state)
{
    static const struct sql initial_sql = {
        "SELECT count(*) FROM twin WHERE tags LIKE '%plant%' AND desired LIKE '%rate%'"};
    static const struct sql change_sql = {"UPDATE twin SET tags = '{}'"};
    struct fixture *f = *state;
    struct enrollment e = {.kind = ENROLLMENT_GROUP,
                           .id = SLICE("g1"),
                           .enabled = true,
                           .primary = own_key,
                           .initial_tags = SLICE("{\"plant\":\"A\"}"),
                           .initial_desired = SLICE("{\"rate\":5}")};
    struct secret key;
    struct registering g = {.f = f, .id = "dev-001", .key = &key};
    struct unit *unit;

    derive_device_key(&own_key, SLICE("dev-001"), &key);
    assert_int_equal(fixture_enrollment(f, CALL_PUT, &e, NULL), ST_OK);
    assert_int_equal(registering_run(g).state, REG_ASSIGNED);
    assert_int_equal(fixture_number(f, &initial_sql), 1);
    unit = unit_create(f->st);
    unit_add(unit, &change_sql, NULL, 0, EXPECT_ONE);
    assert_int_equal(unit_run(unit), ST_OK);
    unit_destroy(unit);
    assert_int_equal(registering_run(g).state, REG_ASSIGNED);
    assert_int_equal(fixture_number(f, &initial_sql), 0);
    assert_int_equal(fixture_enrollment(f, CALL_DELETE, &e, NULL), ST_OK);
    assert_int_equal(fixture_enrollment(f, CALL_PUT, &e, NULL), ST_OK);
    assert_int_equal(registering_run(g).state, REG_ASSIGNED);
    assert_int_equal(fixture_number(f, &initial_sql), 1);
}

struct crowd {
    struct fixture *f;
    const struct secret *key;
    _Atomic bool stop;
    _Atomic unsigned assigned;
};

static void *register_on(void *context)
{
    struct crowd *c = context;

    while (!c->stop) {
        struct answered a =
            registering_run((struct registering){.f = c->f, .id = "dev-001", .key = c->key});

        c->assigned += a.status == ST_OK && a.state == REG_ASSIGNED;
    }
    return NULL;
}

static void P102_deleted_entry_leaves_no_record_to_a_registration_on_its_way(void **state)
{
    static const struct sql records_sql = {
        "SELECT count(*) FROM registration WHERE enrollment_id = 'g1'"};
    struct fixture *f = *state;
    struct enrollment e = {
        .kind = ENROLLMENT_GROUP, .id = SLICE("g1"), .enabled = true, .primary = own_key};
    struct secret key;
    struct crowd crowd = {.f = f, .key = &key};
    pthread_t thread;

    derive_device_key(&own_key, SLICE("dev-001"), &key);
    assert_int_equal(pthread_create(&thread, NULL, register_on, &crowd), 0);
    for (int i = 0; i < 200; i++) {
        unsigned before = crowd.assigned;

        assert_int_equal(fixture_enrollment(f, CALL_PUT, &e, NULL), ST_OK);
        while (crowd.assigned == before)
            sched_yield();
        assert_int_equal(fixture_enrollment(f, CALL_DELETE, &e, NULL), ST_OK);
        assert_int_equal(fixture_number(f, &records_sql), 0);
    }
    crowd.stop = true;
    pthread_join(thread, NULL);
}

static void C022_disabled_group_refuses_until_it_is_enabled(void **state)
{
    struct fixture *f = *state;
    struct enrollment e = {.kind = ENROLLMENT_GROUP,
                           .id = SLICE("g1"),
                           .enabled = true,
                           .gated = true,
                           .primary = own_key};
    struct secret key;
    struct registering g = {.f = f, .id = "dev-001", .key = &key};

    derive_device_key(&own_key, SLICE("dev-001"), &key);
    assert_int_equal(fixture_enrollment(f, CALL_PUT, &e, NULL), ST_OK);
    for (int64_t version = 1; version < 9; version += 2) {
        assert_int_equal(registering_run(g).state, REG_ASSIGNED);
        e.enabled = false;
        e.version = version;
        assert_int_equal(fixture_enrollment(f, CALL_PUT, &e, NULL), ST_OK);
        assert_int_equal(registering_run(g).state, REG_FAILED);
        e.enabled = true;
        e.version = version + 1;
        assert_int_equal(fixture_enrollment(f, CALL_PUT, &e, NULL), ST_OK);
    }
}

static void plain_enrollment_needs_neither_approval_nor_template(void **state)
{
    struct fixture *f = *state;
    struct enrollment e = {
        .kind = ENROLLMENT_GROUP, .id = SLICE("g1"), .enabled = true, .primary = own_key};
    struct secret key;
    struct device_facts d;

    let_nobody_in(f);
    derive_device_key(&own_key, SLICE("dev-001"), &key);
    assert_int_equal(fixture_enrollment(f, CALL_PUT, &e, NULL), ST_OK);
    assert_int_equal(
        registering_run((struct registering){.f = f, .id = "dev-001", .key = &key}).state,
        REG_ASSIGNED);
    d = fixture_device(f, "dev-001");
    assert_true(d.approved && d.provisioned);
    assert_int_equal(d.origin, ORIGIN_API);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)
#define TEST_LATER(name) cmocka_unit_test_setup_teardown(name, setup_later, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(P074_P101_P104_first_registration_makes_the_device_and_assigns_it),
        TEST(P066_P075_second_registration_is_the_same_record),
        TEST(keys_bump_the_credential_only_when_they_change),
        TEST(C004_unknown_device_is_recorded_and_refused),
        TEST(P081_C011_every_refusal_reads_the_same),
        TEST(P082_C010_bad_credentials_leave_no_record),
        TEST(bad_credential_of_a_known_device_is_noted_now_and_then),
        TEST(malformed_requests_and_strangers_are_told_apart),
        TEST_LATER(P030_P033_P097_operation_is_told_at_its_poll),
        TEST_LATER(refused_operation_is_told_at_its_poll_with_and_without_record),
        TEST_LATER(P097_polls_survive_a_restart),
        TEST(P029_lookup_gives_the_record_or_says_that_there_is_none),
        TEST(P109_registrations_that_overlap_all_end_assigned),
        cmocka_unit_test_setup_teardown(registrations_over_the_limit_are_throttled, setup_throttled,
                                        fixture_teardown),
        TEST(P067_P074_C023_individual_enrollment_overrides_the_group),
        TEST(P102_deleted_and_remade_entry_is_an_initial_assignment),
        TEST(P102_deleted_entry_leaves_no_record_to_a_registration_on_its_way),
        TEST(P077_initial_twin_is_written_at_initial_assignment_only),
        TEST(C022_disabled_group_refuses_until_it_is_enabled),
        TEST(plain_enrollment_needs_neither_approval_nor_template),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
