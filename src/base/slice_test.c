#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdlib.h>

#include "base/reader.h"
#include "base/slice.h"

static void slices_compare_by_bytes_then_length(void **state)
{
    static const struct {
        slice a, b;
        int order;
        bool equal_nocase;
    } rows[] = {
        {{0}, {0}, 0, true},
        {{0}, SLICE(""), 0, true},
        {SLICE("a"), SLICE("a"), 0, true},
        {SLICE("a"), SLICE("A"), 1, true},
        {SLICE("a"), SLICE("ab"), -1, false},
        {SLICE("b"), SLICE("ab"), 1, false},
        {SLICE("a\0b"), SLICE("a\0c"), -1, false},
        {SLICE("[z"), SLICE("{Z"), -1, false}, /* 0x20 apart, but no letters */
        {SLICE("\xc3\xa4"), SLICE("\xc3\x84"), 1, false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int order = slice_compare(rows[i].a, rows[i].b);

        if ((order > 0) - (order < 0) != rows[i].order)
            fail_msg("row %zu: order %d", i, order);
        assert_int_equal(slice_equal(rows[i].a, rows[i].b), rows[i].order == 0);
        if (slice_equal_nocase(rows[i].a, rows[i].b) != rows[i].equal_nocase)
            fail_msg("row %zu: without case", i);
    }
}

static void prefixes_suffixes_and_parts_are_found(void **state)
{
    slice s = SLICE("devices/d1");
    size_t at = 99;

    (void)state;
    assert_true(slice_starts_with(s, SLICE("devices/")));
    assert_true(slice_starts_with(s, s));
    assert_true(slice_starts_with(s, (slice){0}));
    assert_false(slice_starts_with(s, SLICE("devices/d10")));
    assert_true(slice_starts_with_nocase(s, SLICE("DEVICES")));
    assert_true(slice_ends_with(s, SLICE("d1")));
    assert_true(slice_ends_with(s, (slice){0}));
    assert_false(slice_ends_with(SLICE("1"), SLICE("d1")));
    assert_true(slice_find(s, '/', &at));
    assert_int_equal(at, 7);
    assert_false(slice_find((slice){0}, '/', &at));
    assert_true(slice_search(s, SLICE("d1"), &at));
    assert_int_equal(at, 8);
    assert_true(slice_search((slice){0}, (slice){0}, &at));
    assert_int_equal(at, 0);
    assert_false(slice_search(s, SLICE("d10"), &at));
    assert_int_equal(slice_from(s, 10).len, 0);
    assert_int_equal(slice_from(s, SIZE_MAX).len, 0);
    assert_int_equal(slice_first(s, SIZE_MAX).len, 10);
}

static void a_text_splits_into_its_parts(void **state)
{
    static const struct {
        const char *text;
        size_t count;
        const char *parts[4];
    } rows[] = {
        {"a&b", 2, {"a", "b"}}, {"a", 1, {"a"}},
        {"", 1, {""}},          {"a&", 2, {"a", ""}},
        {"&a", 2, {"", "a"}},   {"a&&b", 3, {"a", "", "b"}},
        {"&", 2, {"", ""}},     {"&&&", 4, {"", "", "", ""}},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        size_t n = 0;

        for (slice rest = slice_str(rows[i].text); rest.ptr; n++) {
            slice part = slice_split(&rest, '&');

            assert_true(n < rows[i].count);
            if (!slice_equal(part, slice_str(rows[i].parts[n])))
                fail_msg("'%s': part %zu is '%.*s'", rows[i].text, n, SLICE_FMT(part));
        }
        assert_int_equal(n, rows[i].count);
    }
}

static void blanks_are_trimmed(void **state)
{
    (void)state;
    assert_true(slice_equal(slice_trim(SLICE(" \t a b\t ")), SLICE("a b")));
    assert_int_equal(slice_trim(SLICE(" \t ")).len, 0);
    assert_true(slice_equal(slice_trim(SLICE("\na")), SLICE("\na")));
    assert_int_equal(slice_trim((slice){0}).len, 0);
}

static void numbers_are_digits_alone(void **state)
{
    static const struct {
        const char *text;
        bool u64, i64;
        uint64_t value;
    } rows[] = {
        {"0", true, true, 0},
        {"007", true, true, 7},
        {"9223372036854775807", true, true, INT64_MAX},
        {"9223372036854775808", true, false, UINT64_C(9223372036854775808)},
        {"18446744073709551615", true, false, UINT64_MAX},
        {"18446744073709551616", false, false, 0},
        {"99999999999999999999", false, false, 0},
        {"-1", false, true, (uint64_t)-1},
        {"-9223372036854775808", false, true, (uint64_t)INT64_MIN},
        {"-9223372036854775809", false, false, 0},
        {"", false, false, 0},
        {"-", false, false, 0},
        {"--1", false, false, 0},
        {"+1", false, false, 0},
        {" 1", false, false, 0},
        {"1 ", false, false, 0},
        {"0x1", false, false, 0},
        {"1.0", false, false, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        uint64_t u = 99;
        int64_t s = 99;

        if (slice_to_u64(slice_str(rows[i].text), &u) != rows[i].u64 ||
            u != (rows[i].u64 ? rows[i].value : 99))
            fail_msg("'%s' as u64", rows[i].text);
        if (slice_to_i64(slice_str(rows[i].text), &s) != rows[i].i64 ||
            s != (rows[i].i64 ? (int64_t)rows[i].value : 99))
            fail_msg("'%s' as i64", rows[i].text);
    }
}

static void copies_and_hashes(void **state)
{
    char *copy = slice_to_cstr(SLICE("abc")), *empty = slice_to_cstr((slice){0});

    (void)state;
    assert_string_equal(copy, "abc");
    assert_string_equal(empty, "");
    free(copy);
    free(empty);
    assert_true(slice_hash((slice){0}) == UINT64_C(0xcbf29ce484222325));
    assert_true(slice_hash(SLICE("foobar")) == UINT64_C(0x85944171f73967e8));
    assert_int_equal(slice_str(NULL).len, 0);
}

static void a_short_read_sticks(void **state)
{
    struct reader r = {.rest = SLICE("\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f"
                                     "\x10")};

    (void)state;
    assert_int_equal(read_u8(&r), 1);
    assert_int_equal(read_u16(&r), 0x0203);
    assert_int_equal(read_u32(&r), 0x04050607);
    assert_true(read_u64(&r) == UINT64_C(0x08090a0b0c0d0e0f));
    assert_false(r.short_read);
    assert_int_equal(read_u16(&r), 0);
    assert_true(r.short_read);
    assert_int_equal(read_u8(&r), 0);
    assert_int_equal(read_bytes(&r, 0).len, 0);
    assert_true(r.short_read);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slices_compare_by_bytes_then_length),
        cmocka_unit_test(prefixes_suffixes_and_parts_are_found),
        cmocka_unit_test(a_text_splits_into_its_parts),
        cmocka_unit_test(blanks_are_trimmed),
        cmocka_unit_test(numbers_are_digits_alone),
        cmocka_unit_test(copies_and_hashes),
        cmocka_unit_test(a_short_read_sticks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
