#include "identity/sign_in/password_rules.h"

#include <stdlib.h>

#include "base/text.h"

#define WORD_MAX 64
#define YEAR_FIRST 1940
#define YEAR_LAST 2039

/* --- the list --------------------------------------------------------------------------------- */

static uint8_t lower(uint8_t c)
{
    return (uint8_t)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

/* The letter that people mean by it. */
static uint8_t meant(uint8_t c)
{
    static const char swaps[][2] = {{'0', 'o'}, {'1', 'i'}, {'3', 'e'}, {'4', 'a'}, {'5', 's'},
                                    {'7', 't'}, {'@', 'a'}, {'$', 's'}, {'!', 'i'}};

    for (size_t i = 0; i < COUNT_OF(swaps); i++) {
        if (c == (uint8_t)swaps[i][0])
            return (uint8_t)swaps[i][1];
    }
    return lower(c);
}

static int compare_word(const void *key, const void *element)
{
    return slice_compare(*(const slice *)key, slice_str(*(const char *const *)element));
}

static bool is_listed(slice word)
{
    return bsearch(&word, password_words, password_word_count, sizeof password_words[0],
                   compare_word) != NULL;
}

static bool is_word(slice text)
{
    uint8_t as_typed[WORD_MAX], as_meant[WORD_MAX];

    if (text.len > WORD_MAX)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        as_typed[i] = lower(text.ptr[i]);
        as_meant[i] = meant(text.ptr[i]);
    }
    return is_listed(slice_of(as_typed, text.len)) || is_listed(slice_of(as_meant, text.len));
}

static bool is_year(slice text)
{
    uint64_t year;

    return text.len == 4 && slice_to_u64(text, &year) && year >= YEAR_FIRST && year <= YEAR_LAST;
}

/* A year may have a mark behind it, and a listed ending is one as it stands. */
static bool is_ending(slice text)
{
    slice marks = slice_from(text, 4);

    if (is_year(slice_first(text, 4)) && (marks.len == 0 || slice_equal(marks, SLICE("!"))))
        return true;
    for (size_t i = 0; i < password_ending_count; i++) {
        if (slice_equal(text, slice_str(password_endings[i])))
            return true;
    }
    return text.len == 0;
}

static bool is_word_with_ending(slice text)
{
    for (size_t len = text.len; len > 0; len--) {
        if (is_ending(slice_from(text, len)) && is_word(slice_first(text, len)))
            return true;
    }
    return false;
}

/* Said twice or more. */
static bool repeats(slice text, size_t unit)
{
    if (text.len % unit != 0 || text.len == unit)
        return false;
    for (size_t i = unit; i < text.len; i++) {
        if (lower(text.ptr[i]) != lower(text.ptr[i - unit]))
            return false;
    }
    return true;
}

#define SHORT_UNIT 4 /* "abcdabcdabcd" needs no word */

static bool is_repeated(slice text)
{
    for (size_t unit = 1; unit <= text.len / 2; unit++) {
        if (repeats(text, unit) &&
            (unit <= SHORT_UNIT || is_word_with_ending(slice_first(text, unit))))
            return true;
    }
    return false;
}

/* "abcdefghijkl", "987654321098". */
static bool is_run(slice text)
{
    int step = text.len > 1 ? lower(text.ptr[1]) - lower(text.ptr[0]) : 0;

    for (size_t i = 1; i < text.len; i++) {
        int now = lower(text.ptr[i]) - lower(text.ptr[i - 1]);
        bool turns = (now == -9 && step == 1) || (now == 9 && step == -1); /* 9 and 0 */

        if (now != step && !turns)
            return false;
    }
    return text.len > 1 && step >= -1 && step <= 1;
}

bool password_is_common(slice password)
{
    return is_run(password) || is_repeated(password) || is_word_with_ending(password);
}

/* --- the rules -------------------------------------------------------------------------------- */

static size_t count_characters(slice text)
{
    size_t count = 0;

    for (size_t i = 0; i < text.len; i++)
        count += (text.ptr[i] & 0xc0) != 0x80;
    return count;
}

/* The address, or what stands before its '@'. */
static bool is_of_email(slice password, slice email)
{
    slice rest = email;
    slice local = slice_split(&rest, '@');
    bool begins = local.len >= SHORT_UNIT && slice_starts_with_nocase(password, local);

    return slice_equal_nocase(password, email) ||
           (begins && is_ending(slice_from(password, local.len)));
}

enum status password_check(slice password, slice email, struct fault *why)
{
    size_t characters = count_characters(password);

    if (!utf8_valid(password))
        return fault_set(why, ST_BAD_REQUEST, "the password is no Unicode text");
    if (characters < PASSWORD_CHARACTERS_MIN || characters > PASSWORD_CHARACTERS_MAX)
        return fault_set(why, ST_BAD_REQUEST, "a password has %d to %d characters",
                         PASSWORD_CHARACTERS_MIN, PASSWORD_CHARACTERS_MAX);
    if (password_is_common(password))
        return fault_set(why, ST_BAD_REQUEST, "that password is one of those that are tried first");
    if (email.len > 0 && is_of_email(password, email))
        return fault_set(why, ST_BAD_REQUEST, "the password must not be the e-mail address");
    return ST_OK;
}
