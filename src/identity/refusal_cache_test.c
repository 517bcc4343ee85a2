#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdlib.h>

#include "identity/refusal_cache.h"

static void digest_of(unsigned set, unsigned n, uint8_t ret[SHA256_LEN])
{
    memset(ret, 0, SHA256_LEN);
    ret[0] = (uint8_t)set;
    memcpy(ret + 4, &n, sizeof n);
}

static int setup(void **state)
{
    *state = calloc(1, sizeof(struct refusal_cache));
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    free(*state);
    return 0;
}

static void a_refusal_is_known_for_ten_seconds(void **state)
{
    struct refusal_cache *c = *state;
    uint8_t digest[SHA256_LEN], other[SHA256_LEN];

    digest_of(7, 1, digest);
    digest_of(7, 2, other);
    assert_false(refusal_cache_has(c, digest, 5000));
    refusal_cache_add(c, digest, 42, 5000);
    assert_true(refusal_cache_has(c, digest, 5000));
    assert_false(refusal_cache_has(c, other, 5000));
    assert_true(refusal_cache_has(c, digest, 14999));
    assert_false(refusal_cache_has(c, digest, 15000));
}

static void forgetting_a_device_leaves_the_others(void **state)
{
    struct refusal_cache *c = *state;
    uint8_t mine[SHA256_LEN], module[SHA256_LEN], other[SHA256_LEN];

    digest_of(1, 1, mine);
    digest_of(2, 2, module);
    digest_of(1, 3, other);
    refusal_cache_add(c, mine, 42, 0);
    refusal_cache_add(c, module, 42, 0);
    refusal_cache_add(c, other, 43, 0);
    refusal_cache_forget(c, 42);
    assert_false(refusal_cache_has(c, mine, 1));
    assert_false(refusal_cache_has(c, module, 1));
    assert_true(refusal_cache_has(c, other, 1));
}

/* The bound: a flood of bad tokens takes no more memory, and the newest are still known. */
static void H156_a_full_set_gives_up_its_oldest(void **state)
{
    struct refusal_cache *c = *state;
    uint8_t digest[SHA256_LEN];
    unsigned known = 0;

    for (unsigned n = 0; n < 100; n++) {
        digest_of(9, n, digest);
        refusal_cache_add(c, digest, n, n);
    }
    for (unsigned n = 0; n < 100; n++) {
        digest_of(9, n, digest);
        if (refusal_cache_has(c, digest, 100)) {
            assert_true(n >= 100 - REFUSAL_WAYS);
            known++;
        }
    }
    assert_int_equal(known, REFUSAL_WAYS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_refusal_is_known_for_ten_seconds, setup, teardown),
        cmocka_unit_test_setup_teardown(forgetting_a_device_leaves_the_others, setup, teardown),
        cmocka_unit_test_setup_teardown(H156_a_full_set_gives_up_its_oldest, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
