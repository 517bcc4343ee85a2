#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/text.h"

static void base64_goes_both_ways(void **state)
{
    static const struct {
        slice bytes;
        const char *text;
    } rows[] = {
        {SLICE(""), ""},
        {SLICE("f"), "Zg=="},
        {SLICE("fo"), "Zm8="},
        {SLICE("foo"), "Zm9v"},
        {SLICE("foob"), "Zm9vYg=="},
        {SLICE("fooba"), "Zm9vYmE="},
        {SLICE("foobar"), "Zm9vYmFy"},
        {SLICE("\xfb\xff\xbf"), "+/+/"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        BUF_CLEANUP struct buf text = {.max = 64};
        uint8_t bytes[6];
        size_t len = 0;

        base64_encode(rows[i].bytes, &text);
        if (!slice_equal(buf_slice(&text), slice_str(rows[i].text)))
            fail_msg("%s: encoded otherwise", rows[i].text);
        if (!base64_decode(buf_slice(&text), bytes, sizeof bytes, &len) ||
            !slice_equal(slice_of(bytes, len), rows[i].bytes))
            fail_msg("%s: decoded otherwise", rows[i].text);
        if (len > 0 && base64_decode(buf_slice(&text), bytes, len - 1, &len))
            fail_msg("%s: decoded beyond the room", rows[i].text);
    }
}

static void base64url_goes_both_ways(void **state)
{
    static const struct {
        slice bytes;
        const char *text;
    } rows[] = {
        {SLICE(""), ""},
        {SLICE("f"), "Zg"},
        {SLICE("fo"), "Zm8"},
        {SLICE("foo"), "Zm9v"},
        {SLICE("foob"), "Zm9vYg"},
        {SLICE("foobar"), "Zm9vYmFy"},
        {SLICE("\xfb\xff\xbf"), "-_-_"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        BUF_CLEANUP struct buf text = {.max = 64};
        uint8_t bytes[6];
        size_t len = 0;

        base64url_encode(rows[i].bytes, &text);
        assert_true(slice_equal(buf_slice(&text), slice_str(rows[i].text)));
        assert_true(base64url_decode(buf_slice(&text), bytes, sizeof bytes, &len));
        assert_true(slice_equal(slice_of(bytes, len), rows[i].bytes));
    }
}

static void malformed_base64url_is_refused(void **state)
{
    static const char *const rows[] = {"Z",   "Zg==", "Zm9vY", "Zh",
                                       "Zm9", "+/+/", "Zm 9",  "Zm9vYmFyYQ"};
    uint8_t bytes[6];
    size_t len;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (base64url_decode(slice_str(rows[i]), bytes, sizeof bytes, &len))
            fail_msg("'%s' is taken", rows[i]);
    }
}

static void malformed_base64_is_refused(void **state)
{
    static const char *const rows[] = {"Z",      "Zg",           "Zg=",  "Z===",     "====", "=Zg=",
                                       "Zg=a",   "Zh==",         "Zm9=", "Zg==Zg==", "Zm-_", "Zm 9",
                                       "Zg==\n", "Zm9v\r\n\r\n", " Zg=", "Zm\x80v"};
    uint8_t bytes[16];
    size_t len;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (base64_decode(slice_str(rows[i]), bytes, sizeof bytes, &len))
            fail_msg("'%s' is decoded", rows[i]);
    }
}

static void percent_encoding_keeps_only_the_unreserved(void **state)
{
    BUF_CLEANUP struct buf text = {.max = 64};

    (void)state;
    percent_encode(SLICE("aZ09-._~ +/%!'()*\0\xff"), &text);
    assert_true(slice_equal(buf_slice(&text), SLICE("aZ09-._~%20%2B%2F%25%21%27%28%29%2A%00%FF")));
}

static void percent_escapes_are_decoded_once(void **state)
{
    static const struct {
        const char *text, *lenient;
        bool strict;
    } rows[] = {
        {"", "", true},        {"abc", "abc", true},   {"a+b", "a+b", true},
        {"%41", "A", true},    {"%2f%2F", "//", true}, {"%2541", "%41", true},
        {"%", "%", false},     {"a%", "a%", false},    {"%4", "%4", false},
        {"%4g", "%4g", false}, {"%%41", "%A", false},  {"%41%", "A%", false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        ARENA_CLEANUP struct arena arena = {.max = 1024};
        slice text = slice_str(rows[i].text), want = slice_str(rows[i].lenient), decoded = {0};
        uint8_t bytes[8];
        size_t len = 0;

        if (percent_decode(text, &arena, &decoded) != rows[i].strict ||
            (rows[i].strict && !slice_equal(decoded, want)))
            fail_msg("'%s': in the arena", rows[i].text);
        if (percent_decode_to(text, bytes, sizeof bytes, &len) != rows[i].strict ||
            (rows[i].strict && !slice_equal(slice_of(bytes, len), want)))
            fail_msg("'%s': in place", rows[i].text);
        if (rows[i].strict && want.len > 0 && percent_decode_to(text, bytes, want.len - 1, &len))
            fail_msg("'%s': beyond the room", rows[i].text);
        if (!slice_equal(percent_decode_lenient(text, &arena), want))
            fail_msg("'%s': leniently", rows[i].text);
    }
}

static void a_full_arena_decodes_nothing(void **state)
{
    ARENA_CLEANUP struct arena arena = {.max = 1};
    slice decoded;

    (void)state;
    assert_false(percent_decode(SLICE("%41"), &arena, &decoded));
    assert_int_equal(percent_decode_lenient(SLICE("%41"), &arena).len, 0);
}

static void hex_goes_both_ways(void **state)
{
    static const char *const malformed[] = {"0", "0g", "g0", "0x00", " 00 "};
    BUF_CLEANUP struct buf text = {.max = 64};
    uint8_t bytes[4];
    size_t len = 0;

    (void)state;
    hex_encode(SLICE("\0\x7f\xab\xff"), &text);
    assert_true(slice_equal(buf_slice(&text), SLICE("007fabff")));
    assert_true(hex_decode(SLICE("007fABff"), bytes, sizeof bytes, &len));
    assert_true(slice_equal(slice_of(bytes, len), SLICE("\0\x7f\xab\xff")));
    assert_false(hex_decode(SLICE("007fabff"), bytes, 3, &len));
    for (size_t i = 0; i < COUNT_OF(malformed); i++) {
        if (hex_decode(slice_str(malformed[i]), bytes, sizeof bytes, &len))
            fail_msg("'%s' is decoded", malformed[i]);
    }
}

static void utf8_is_well_formed_or_not(void **state)
{
    static const struct {
        const char *name, *bytes;
        bool valid;
    } rows[] = {
        {"empty", "", true},
        {"ASCII", "a\x7f", true},
        {"two", "\xc2\x80\xdf\xbf", true},
        {"three", "\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf", true},
        {"four", "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", true},
        {"lone continuation", "\x80", false},
        {"overlong two", "\xc0\x80", false},
        {"overlong two, c1", "\xc1\xbf", false},
        {"overlong three", "\xe0\x9f\xbf", false},
        {"overlong four", "\xf0\x8f\xbf\xbf", false},
        {"surrogate", "\xed\xa0\x80", false},
        {"beyond U+10FFFF", "\xf4\x90\x80\x80", false},
        {"f5", "\xf5\x80\x80\x80", false},
        {"ff", "\xff", false},
        {"cut short", "a\xe2\x82", false},
        {"cut short by a letter", "\xe2\x82z", false},
        {"cut short after one", "\xf0", false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (utf8_valid(slice_str(rows[i].bytes)) != rows[i].valid)
            fail_msg("%s: expected valid=%d", rows[i].name, rows[i].valid);
    }
    assert_true(utf8_valid(SLICE("a\0b")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base64_goes_both_ways),
        cmocka_unit_test(malformed_base64_is_refused),
        cmocka_unit_test(base64url_goes_both_ways),
        cmocka_unit_test(malformed_base64url_is_refused),
        cmocka_unit_test(percent_encoding_keeps_only_the_unreserved),
        cmocka_unit_test(percent_escapes_are_decoded_once),
        cmocka_unit_test(a_full_arena_decodes_nothing),
        cmocka_unit_test(hex_goes_both_ways),
        cmocka_unit_test(utf8_is_well_formed_or_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
