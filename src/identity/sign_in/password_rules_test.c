#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>

#include "identity/sign_in/password_rules.h"

static void what_may_be_a_password(void **state)
{
    static const struct {
        const char *name, *password, *email;
        bool ok;
    } rows[] = {
        {"12 characters", "vexed okapi.", "ann@example.org", true},
        {"11 characters", "vexed okapi", "ann@example.org", false},
        {"12 characters of 4 bytes",
         "\U0001F600\U0001F601\U0001F602\U0001F603\U0001F604\U0001F605"
         "\U0001F606\U0001F607\U0001F608\U0001F609\U0001F60A\U0001F60B",
         "", true},
        {"6 characters of 2 bytes", "äöüßéè", "", false},
        {"no composition rule", "quiet lanterns drift", "", true},
        {"not UTF-8", "vexed \xff okapi.", "", false},
        {"a word and a year", "Dragonfly2024", "", false},
        {"a word in leet", "P@ssw0rd2024!", "", false},
        {"a word twice", "sunshineSunshine", "", false},
        {"a walk along the keys", "1q2w3e4r5t6y", "", false},
        {"the alphabet", "abcdefghijklmno", "", false},
        {"digits down", "9876543210987", "", false},
        {"one character", "zzzzzzzzzzzzzz", "", false},
        {"four again and again", "ab1!ab1!ab1!", "", false},
        {"two words of the list", "dragonfly okapi", "", true},
        {"the e-mail address", "Ann.Smith@Example.org", "ann.smith@example.org", false},
        {"what is before its @", "anntheengineer1", "anntheengineer@example.org", false},
        {"more than that", "anntheengineer knows", "anntheengineer@example.org", true},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct fault why;
        enum status status =
            password_check(slice_str(rows[i].password), slice_str(rows[i].email), &why);

        if (status != (rows[i].ok ? ST_OK : ST_BAD_REQUEST))
            fail_msg("%s: %s", rows[i].name, status_name(status));
    }
}

static void the_longest_and_one_more(void **state)
{
    char text[PASSWORD_CHARACTERS_MAX + 1];
    struct fault why;

    (void)state;
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)('!' + i * i % 89);
    assert_int_equal(password_check(slice_of(text, sizeof text - 1), (slice){0}, &why), ST_OK);
    assert_int_equal(password_check(slice_of(text, sizeof text), (slice){0}, &why), ST_BAD_REQUEST);
}

static void the_lists_are_sorted(void **state)
{
    (void)state;
    for (size_t i = 1; i < password_word_count; i++) {
        if (slice_compare(slice_str(password_words[i - 1]), slice_str(password_words[i])) >= 0)
            fail_msg("%s is out of place", password_words[i]);
    }
    for (size_t i = 1; i < password_ending_count; i++) {
        if (slice_compare(slice_str(password_endings[i - 1]), slice_str(password_endings[i])) >= 0)
            fail_msg("%s is out of place", password_endings[i]);
    }
}

/* Of those that would else be long enough. Each word gives different ones from the word before. */
static void three_thousand_common_ones_are_refused(void **state)
{
    size_t refused = 0;

    (void)state;
    for (size_t w = 0; w < password_word_count; w++) {
        for (size_t e = 0; e < password_ending_count; e += 7) {
            char text[128];
            int len = snprintf(text, sizeof text, "%s%s", password_words[w], password_endings[e]);
            struct fault why;

            if (len < PASSWORD_CHARACTERS_MIN)
                continue;
            if (password_check(slice_of(text, (size_t)len), (slice){0}, &why) == ST_OK)
                fail_msg("%s may be a password", text);
            refused++;
        }
    }
    assert_true(refused >= 3000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_may_be_a_password),
        cmocka_unit_test(the_longest_and_one_more),
        cmocka_unit_test(the_lists_are_sorted),
        cmocka_unit_test(three_thousand_common_ones_are_refused),
    };

    return cmocka_run_group_tests_name("password_rules", tests, NULL, NULL);
}
