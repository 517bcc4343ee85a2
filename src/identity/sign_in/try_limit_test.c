#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "identity/sign_in/try_limit.h"

static int setup(void **state)
{
    struct try_limit *l = malloc(sizeof *l);

    assert_non_null(l);
    try_limit_init(l, 20);
    *state = l;
    return 0;
}

static int teardown(void **state)
{
    free(*state);
    return 0;
}

/* Tries once a second; how many are let through before one is not. */
static int tries_until_closed(struct try_limit *l, slice account, int64_t *now_s, int64_t *wait_s)
{
    int count = 0;

    while (count < 1000 && try_account(l, account, *now_s, wait_s)) {
        count++;
        ++*now_s;
    }
    return count;
}

static void an_account_waits_longer_after_each_try(void **state)
{
    static const int64_t waits[] = {60, 120, 240, 480, 900, 900};
    struct try_limit *l = *state;
    slice account = SLICE("ann@example.org");
    int64_t now_s = 1000, wait_s = 0;

    assert_int_equal(tries_until_closed(l, account, &now_s, &wait_s), 5);
    for (size_t i = 0; i < COUNT_OF(waits); i++) {
        assert_int_equal(wait_s, waits[i] - 1); /* a second has passed */
        now_s += wait_s - 1;
        assert_false(try_account(l, account, now_s, &wait_s));
        assert_int_equal(wait_s, 1);
        assert_int_equal(tries_until_closed(l, account, &(int64_t){now_s + 1}, &wait_s), 1);
        now_s += 2;
    }
}

static void quiet_or_success_opens_an_account(void **state)
{
    struct try_limit *l = *state;
    slice account = SLICE("ann@example.org");
    int64_t now_s = 1000, wait_s = 0;

    tries_until_closed(l, account, &now_s, &wait_s);
    try_forgive(l, account);
    assert_int_equal(tries_until_closed(l, account, &now_s, &wait_s), 5);
    now_s += TRY_WAIT_MAX_S + 1;
    assert_int_equal(tries_until_closed(l, account, &now_s, &wait_s), 5);
}

static void an_address_has_so_many_a_minute_whatever_its_port(void **state)
{
    struct try_limit *l = *state;
    int64_t wait_s = 0;

    for (int i = 0; i < 20; i++)
        assert_true(try_address(l, SLICE("192.0.2.1:1000"), 6000 + i, &wait_s));
    assert_false(try_address(l, SLICE("192.0.2.1:2000"), 6020, &wait_s));
    assert_int_equal(wait_s, 40);
    assert_true(try_address(l, SLICE("192.0.2.1:1000"), 6060, &wait_s));
}

static void of_IPv6_a_network_counts_as_one(void **state)
{
    struct try_limit *l = *state;
    int64_t wait_s = 0;

    for (int i = 0; i < 20; i++)
        assert_true(try_address(l, SLICE("[2001:db8:0:1::1]:1"), 6000, &wait_s));
    assert_false(try_address(l, SLICE("[2001:db8:0:1:ffff::2]:1"), 6000, &wait_s));
}

static void without_a_limit_no_address_waits(void **state)
{
    struct try_limit *l = *state;
    int64_t wait_s = 0;

    l->address_max = 0;
    for (int i = 0; i < 1000; i++)
        assert_true(try_address(l, SLICE("192.0.2.1:1000"), 6000, &wait_s));
}

struct crowd {
    struct try_limit *l;
    atomic_int let_through;
};

static void *try_often(void *context)
{
    struct crowd *c = context;
    int64_t wait_s;

    for (int i = 0; i < 10000; i++) {
        if (try_account(c->l, SLICE("ann@example.org"), 1000, &wait_s))
            atomic_fetch_add(&c->let_through, 1);
    }
    return NULL;
}

static void a_crowd_has_no_more_tries_than_one(void **state)
{
    struct crowd c = {.l = *state};
    pthread_t threads[4];

    for (size_t i = 0; i < COUNT_OF(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, try_often, &c), 0);
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(atomic_load(&c.let_through), 5);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_account_waits_longer_after_each_try),
        TEST(quiet_or_success_opens_an_account),
        TEST(an_address_has_so_many_a_minute_whatever_its_port),
        TEST(of_IPv6_a_network_counts_as_one),
        TEST(without_a_limit_no_address_waits),
        TEST(a_crowd_has_no_more_tries_than_one),
    };

    return cmocka_run_group_tests_name("try_limit", tests, NULL, NULL);
}
