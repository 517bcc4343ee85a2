#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "provisioning/authority_testing.h"

static int setup(void **state)
{
    struct fixture *f = fixture_create();

    f->view.auto_approve = true;
    fixture_open(f, true, 0);
    *state = f;
    return 0;
}

static struct secret wrong_key(void)
{
    return (struct secret){.len = 32};
}

static struct answered knocks(struct fixture *f, const char *id)
{
    const struct secret wrong = wrong_key();

    return registering_run((struct registering){.f = f, .id = id, .key = &wrong});
}

static int64_t attempt_count(struct fixture *f)
{
    static const struct sql sql = {"SELECT count(*) FROM attempt"};

    return fixture_number(f, &sql);
}

/* Nobody waits for a note: it is asked for by the worker's next turn, and stored before any unit
 * that comes after. */
static void settle(struct fixture *f)
{
    static const struct sql sql = {"SELECT 1"};
    struct unit *unit;

    registering_run((struct registering){.f = f, .id = "last", .call = CALL_ATTEST});
    unit = unit_create(f->st);
    unit_add(unit, &sql, NULL, 0, EXPECT_ANY);
    assert_int_equal(unit_run(unit), ST_OK);
    unit_destroy(unit);
}

static void attempts_are_listed_from_the_newest_by_device_and_in_pages(void **state)
{
    static const char *const ids[] = {"dev-001", "dev-002", "DEV-001", "dev-001"};
    struct fixture *f = *state;
    struct attempt_facts a[8];

    for (size_t i = 0; i < COUNT_OF(ids); i++)
        registers(f, ids[i]);
    assert_int_equal(fixture_attempts(f, "", 0, 8, a), 4);
    assert_true(a[0].number > a[1].number && a[1].number > a[2].number);
    assert_string_equal(a[1].id, "DEV-001");
    assert_int_equal(fixture_attempts(f, "", a[1].number, 1, a), 1);
    assert_string_equal(a[0].id, "dev-002");
    assert_int_equal(fixture_attempts(f, "Dev-001", 0, 8, a), 3);
    assert_int_equal(fixture_attempts(f, "dev-001", a[1].number, 8, a), 1);
    assert_int_equal(fixture_attempts(f, "dev-009", 0, 8, a), 0);
}

static void attempt_keeps_result_reason_enrollment_and_steps(void **state)
{
    struct fixture *f = *state;
    struct attempt_facts a;

    registers(f, "dev-001");
    a = fixture_attempt(f, "dev-001");
    assert_string_equal(a.result, "assigned");
    assert_string_equal(a.reason, "");
    assert_string_equal(a.enrollment, "SAS-IoT-Devices");
    assert_non_null(
        strstr(a.steps, "{\"step\":\"key\",\"passed\":true,\"value\":\"SAS-IoT-Devices\"}"));
    assert_non_null(strstr(a.steps, "{\"step\":\"hub\",\"passed\":true,\"value\":\"main\"}"));
    f->view.auto_approve = false;
    registers(f, "dev-002");
    a = fixture_attempt(f, "dev-002");
    assert_string_equal(a.result, "refused");
    assert_string_equal(a.reason, "waiting for approval");
    assert_non_null(strstr(a.steps, "\"approval\",\"passed\":false"));
    assert_null(strstr(a.steps, "\"template\""));
}

static void wrong_credentials_are_sampled_and_make_no_device(void **state)
{
    struct fixture *f = *state;
    struct attempt_facts a;

    for (int i = 0; i < 200; i++)
        assert_int_equal(knocks(f, "dev-001").status, ST_UNAUTHORIZED);
    settle(f);
    a = fixture_attempt(f, "dev-001");
    assert_string_equal(a.result, "unauthorized");
    assert_string_equal(a.enrollment, "");
    assert_non_null(strstr(a.steps, "{\"step\":\"key\",\"passed\":false"));
    assert_in_range(attempt_count(f), 20, 30);
    assert_int_equal(fixture_device_count(f), 0);
}

static void wrong_scope_is_noted_and_a_wrong_id_is_not(void **state)
{
    struct fixture *f = *state;
    struct attempt_facts a;

    registering_run((struct registering){.f = f, .id = "dev-001", .scope = "0ne00AB12CE"});
    registering_run((struct registering){.f = f, .id = "dev 001", .scope = "0ne00AB12CE"});
    registering_run((struct registering){.f = f, .id = "dev 001"});
    settle(f);
    a = fixture_attempt(f, "dev-001");
    assert_string_equal(a.result, "unauthorized");
    assert_string_equal(a.reason, "unknown ID scope");
    assert_int_equal(attempt_count(f), 1);
}

static void refusal_by_a_group_that_is_off_is_noted_without_a_device(void **state)
{
    struct fixture *f = *state;
    struct enrollment group = {
        .kind = ENROLLMENT_GROUP, .id = SLICE("SAS-IoT-Devices"), .gated = true, .version = 1};

    assert_int_equal(fixture_enrollment(f, CALL_PUT, &group, NULL), ST_OK);
    assert_int_equal(registers(f, "dev-001").state, REG_FAILED);
    settle(f);
    assert_string_equal(fixture_attempt(f, "dev-001").reason, "its enrollment group is disabled");
    assert_string_equal(fixture_attempt(f, "dev-001").result, "refused");
    assert_int_equal(fixture_device_count(f), 0);
}

/* Pruning comes by chance, once in 256: so many chances are as good as certainty. */
static void newest_some_thousands_are_kept(void **state)
{
    enum { CHANCES = 8192 };
    static const struct sql old_sql = {
        "INSERT INTO attempt VALUES (1, 0, 'old', 'old', '', '', '', '', '', '[]')"};
    static const struct sql jump_sql = {
        "INSERT INTO attempt VALUES (1000000, 0, 'new', 'new', '', '', '', '', '', '[]')"};
    struct fixture *f = *state;
    struct unit *unit = unit_create(f->st);
    const struct attempt a = {.registration_id = SLICE("dev-001"), .steps = SLICE("[]")};
    struct attempt_facts facts;

    unit_add(unit, &old_sql, NULL, 0, EXPECT_ONE);
    unit_add(unit, &jump_sql, NULL, 0, EXPECT_ONE);
    for (int i = 0; i < CHANCES; i++)
        attempt_unit_add(unit, &a);
    assert_int_equal(unit_run(unit), ST_OK);
    unit_destroy(unit);
    assert_int_equal(fixture_attempts(f, "old", 0, 1, &facts), 0);
    assert_int_equal(fixture_attempts(f, "new", 0, 1, &facts), 1);
    assert_int_equal(attempt_count(f), CHANCES + 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(attempts_are_listed_from_the_newest_by_device_and_in_pages),
        TEST(attempt_keeps_result_reason_enrollment_and_steps),
        TEST(wrong_credentials_are_sampled_and_make_no_device),
        TEST(wrong_scope_is_noted_and_a_wrong_id_is_not),
        TEST(refusal_by_a_group_that_is_off_is_noted_without_a_device),
        TEST(newest_some_thousands_are_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
