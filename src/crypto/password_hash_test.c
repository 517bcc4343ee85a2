#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "crypto/password_hash.h"

static void a_password_matches_its_own_hash_and_no_other(void **state)
{
    char hash[PASSWORD_HASH_MAX], again[PASSWORD_HASH_MAX];
    slice password = SLICE("correct horse battery staple");

    (void)state;
    assert_true(password_hash(password, hash));
    assert_true(password_hash(password, again));
    assert_string_not_equal(hash, again); /* salted */
    assert_true(password_matches(password, hash));
    assert_true(password_matches(password, again));
    assert_false(password_matches(SLICE("correct horse battery stapler"), hash));
    assert_false(password_matches(SLICE(""), hash));
}

static void the_cost_is_that_of_the_rule(void **state)
{
    char hash[PASSWORD_HASH_MAX];

    (void)state;
    assert_true(password_hash(SLICE("whatever it takes"), hash));
    assert_true(slice_starts_with(slice_str(hash), SLICE("$argon2id$v=19$m=65536,t=3,p=1$")));
    assert_int_equal(strlen(password_hash_of_nobody), strlen(hash)); /* as long, and as dear */
    assert_memory_equal(password_hash_of_nobody, hash, strlen("$argon2id$v=19$m=65536,t=3,p=1$"));
}

static void what_is_no_hash_matches_nothing(void **state)
{
    (void)state;
    assert_false(password_matches(SLICE(""), ""));
    assert_false(password_matches(SLICE("a"), "a"));
    assert_false(password_matches(SLICE(""), password_hash_of_nobody));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_password_matches_its_own_hash_and_no_other),
        cmocka_unit_test(the_cost_is_that_of_the_rule),
        cmocka_unit_test(what_is_no_hash_matches_nothing),
    };

    return cmocka_run_group_tests_name("password_hash", tests, NULL, NULL);
}
