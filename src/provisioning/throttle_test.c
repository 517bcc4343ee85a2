#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>

#include "provisioning/throttle.h"

static int setup(void **state)
{
    *state = throttle_create(3, 6000);
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    throttle_destroy(*state);
    return 0;
}

static void throttle_lets_a_burst_through_then_one_each_refill(void **state)
{
    int64_t wait_ms = 0;

    for (int i = 0; i < 3; i++)
        assert_int_equal(throttle_register(*state, SLICE("d1"), 1000, &wait_ms), THROTTLE_GO);
    assert_int_equal(throttle_register(*state, SLICE("d1"), 1000, &wait_ms), THROTTLE_STOP);
    assert_int_equal(wait_ms, 6000);
    assert_int_equal(throttle_register(*state, SLICE("d1"), 6999, &wait_ms), THROTTLE_STOP);
    assert_int_equal(wait_ms, 1);
    assert_int_equal(throttle_register(*state, SLICE("d1"), 7000, &wait_ms), THROTTLE_GO);
    assert_int_equal(throttle_register(*state, SLICE("d2"), 7000, &wait_ms), THROTTLE_GO);
}

static void throttle_slows_polls_before_it_stops_them(void **state)
{
    int64_t wait_ms = 0;

    for (int i = 0; i < POLL_BURST; i++)
        assert_int_equal(throttle_poll(*state, SLICE("d1"), 1000, &wait_ms), THROTTLE_GO);
    for (int i = 0; i < POLL_BURST; i++)
        assert_int_equal(throttle_poll(*state, SLICE("d1"), 1000, &wait_ms), THROTTLE_SLOW);
    assert_int_equal(throttle_poll(*state, SLICE("d1"), 1000, &wait_ms), THROTTLE_STOP);
    assert_int_equal(throttle_poll(*state, SLICE("d1"), 11000, &wait_ms), THROTTLE_GO);
}

static void throttle_forgets_the_oldest_of_many(void **state)
{
    int64_t wait_ms = 0;
    char id[32];

    for (int i = 0; i < 100000; i++) {
        snprintf(id, sizeof id, "device-%d", i);
        assert_int_equal(throttle_register(*state, slice_str(id), 1000 + i, &wait_ms), THROTTLE_GO);
    }
}

static void no_throttle_is_no_limit(void **state)
{
    int64_t wait_ms = 0;

    (void)state;
    for (int i = 0; i < 100; i++) {
        assert_int_equal(throttle_register(NULL, SLICE("d1"), 0, &wait_ms), THROTTLE_GO);
        assert_int_equal(throttle_poll(NULL, SLICE("d1"), 0, &wait_ms), THROTTLE_GO);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(throttle_lets_a_burst_through_then_one_each_refill),
        TEST(throttle_slows_polls_before_it_stops_them),
        TEST(throttle_forgets_the_oldest_of_many),
        cmocka_unit_test(no_throttle_is_no_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
