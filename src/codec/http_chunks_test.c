#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>

#include "codec/http.h"

/* 16 bytes of body are the limit of all rows. */
static const struct row {
    const char *name, *text;
    enum http_result result;
    const char *body;
    size_t behind; /* bytes that are not the message's */
} rows[] = {
    {"nothing", "", HTTP_MORE, "", 0},
    {"empty body", "0\r\n\r\n", HTTP_COMPLETE, "", 0},
    {"one chunk", "3\r\nabc\r\n0\r\n\r\n", HTTP_COMPLETE, "abc", 0},
    {"two chunks", "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", HTTP_COMPLETE, "abcde", 0},
    {"hex in either case", "a\r\n0123456789\r\n0A;x\r\n012345\r\n", HTTP_TOO_LARGE, "0123456789",
     10},
    {"zeros in front", "0000000000000003\r\nabc\r\n000\r\n\r\n", HTTP_COMPLETE, "abc", 0},
    {"17 digits", "00000000000000003\r\nabc\r\n0\r\n\r\n", HTTP_BAD, "", 0},
    {"18 digits", "000000000000000000\r\n\r\n", HTTP_BAD, "", 0},
    {"64 bits", "ffffffffffffffff\r\n", HTTP_TOO_LARGE, "", 0},
    {"65 bits", "10000000000000000\r\n", HTTP_BAD, "", 0},
    {"CRLF as data", "2\r\n\r\n\r\n0\r\n\r\n", HTTP_COMPLETE, "\r\n", 0},
    {"next request behind", "0\r\n\r\nGET /", HTTP_COMPLETE, "", 5},
    {"extension", "1;a=\"b\";c\r\nx\r\n0;z\r\n\r\n", HTTP_COMPLETE, "x", 0},
    {"trailer", "1\r\nx\r\n0\r\nA: b\r\nC-D:\r\n\r\n", HTTP_COMPLETE, "x", 0},
    {"16 bytes", "10\r\n0123456789abcdef\r\n0\r\n\r\n", HTTP_COMPLETE, "0123456789abcdef", 0},
    {"17 bytes", "11\r\n0123456789abcdefg\r\n0\r\n\r\n", HTTP_TOO_LARGE, "", 0},
    {"16 bytes and one", "10\r\n0123456789abcdef\r\n1\r\nx\r\n", HTTP_TOO_LARGE, "0123456789abcdef",
     0},
    {"0x3", "0x3\r\nabc\r\n", HTTP_BAD, "", 0},
    {"+3", "+3\r\nabc\r\n", HTTP_BAD, "", 0},
    {"-3", "-3\r\nabc\r\n", HTTP_BAD, "", 0},
    {"blank before the size", " 3\r\nabc\r\n", HTTP_BAD, "", 0},
    {"blank behind the size", "3 \r\nabc\r\n", HTTP_BAD, "", 0},
    {"blank before the extension", "3 ;a\r\nabc\r\n", HTTP_BAD, "", 0},
    {"no size", "\r\nabc\r\n", HTTP_BAD, "", 0},
    {"extension alone", ";a\r\nabc\r\n", HTTP_BAD, "", 0},
    {"no hex", "g\r\n", HTTP_BAD, "", 0},
    {"LF behind the size", "3\nabc\r\n", HTTP_BAD, "", 0},
    {"LF behind an extension", "3;a\nabc\r\n", HTTP_BAD, "", 0},
    {"CR in an extension", "3;a\rb\r\nabc\r\n", HTTP_BAD, "", 0},
    {"empty extension", "3;\r\nabc\r\n", HTTP_BAD, "", 0},
    {"empty extension before another", "3;;a\r\nabc\r\n", HTTP_BAD, "", 0},
    {"blank behind an extension", "3;a \r\nabc\r\n", HTTP_BAD, "", 0},
    {"tab in an extension", "3;a\tb\r\nabc\r\n", HTTP_BAD, "", 0},
    {"extension not ASCII", "3;a=\xc3\xa4\r\nabc\r\n", HTTP_BAD, "", 0},
    {"backslash in an extension", "3;a=\\\r\nabc\r\n", HTTP_BAD, "", 0},
    {"CR without LF", "3\rabc\r\n", HTTP_BAD, "", 0},
    {"no CRLF behind the data", "3\r\nabc0\r\n\r\n", HTTP_BAD, "abc", 0},
    {"LF behind the data", "3\r\nabc\n0\r\n\r\n", HTTP_BAD, "abc", 0},
    {"CR alone behind the data", "3\r\nabc\r0\r\n\r\n", HTTP_BAD, "abc", 0},
    {"LF at the end", "0\r\n\n", HTTP_BAD, "", 0},
    {"CR CR at the end", "0\r\n\r\r", HTTP_BAD, "", 0},
    {"folded trailer", "0\r\nA: b\r\n c\r\n\r\n", HTTP_BAD, "", 0},
    {"trailer without a colon", "0\r\nAb\r\n\r\n", HTTP_BAD, "", 0},
    {"trailer without a name", "0\r\n: b\r\n\r\n", HTTP_BAD, "", 0},
    {"trailer with a blank before the colon", "0\r\nA : b\r\n\r\n", HTTP_BAD, "", 0},
    {"LF behind a trailer", "0\r\nA: b\n\r\n", HTTP_BAD, "", 0},
};

/* Feeds `text` in two parts and gives the result of the whole. */
static enum http_result feed(slice text, size_t cut, struct buf *body, size_t *ret_taken)
{
    struct http_chunks c = {0};
    size_t first, second;
    enum http_result result = http_chunks_feed(&c, slice_first(text, cut), body, &first);

    *ret_taken = first;
    if (result != HTTP_MORE)
        return result;
    assert_int_equal(first, cut < text.len ? cut : text.len);
    result = http_chunks_feed(&c, slice_from(text, cut), body, &second);
    *ret_taken += second;
    return result;
}

static void chunks_are_read_whichever_way_they_are_split(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct row *row = &rows[i];
        slice text = slice_str(row->text);

        for (size_t cut = 0; cut <= text.len; cut++) {
            BUF_CLEANUP struct buf body = {.max = 16};
            size_t taken;
            enum http_result result = feed(text, cut, &body, &taken);

            if (result != row->result)
                fail_msg("%s, cut at %zu: result %d", row->name, cut, result);
            if (!slice_equal(buf_slice(&body), slice_str(row->body)))
                fail_msg("%s, cut at %zu: body '%.*s'", row->name, cut, SLICE_FMT(body));
            if (result == HTTP_COMPLETE && taken != text.len - row->behind)
                fail_msg("%s, cut at %zu: %zu bytes taken", row->name, cut, taken);
        }
    }
}

static void extensions_have_256_bytes_and_trailers_8192(void **state)
{
    static char text[HTTP_LINE_MAX + 64];
    static const struct {
        const char *name, *front, *back;
        size_t max;
        enum http_result beyond;
    } limits[] = {
        {"one extension", "0;", "\r\n\r\n", HTTP_CHUNK_EXT_MAX, HTTP_BAD},
        {"all extensions", "1;1234\r\nx\r\n0;", "\r\n\r\n", HTTP_CHUNK_EXT_MAX - 4, HTTP_BAD},
        {"trailer", "0\r\nA:", "\r\n\r\n", HTTP_LINE_MAX - 6, HTTP_TOO_LARGE},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(limits); i++) {
        for (size_t len = limits[i].max - 1; len <= limits[i].max + 1; len++) {
            BUF_CLEANUP struct buf body = {.max = 16};
            size_t front = strlen(limits[i].front), taken;
            enum http_result want = len > limits[i].max ? limits[i].beyond : HTTP_COMPLETE;

            memcpy(text, limits[i].front, front);
            memset(text + front, 'x', len);
            memcpy(text + front + len, limits[i].back, 4);
            if (feed(slice_of(text, front + len + 4), 0, &body, &taken) != want)
                fail_msg("%s of %zu bytes", limits[i].name, len);
        }
    }
}

static void what_ended_takes_no_more(void **state)
{
    BUF_CLEANUP struct buf body = {.max = 16};
    struct http_chunks done = {0}, refused = {0};
    size_t taken;

    (void)state;
    assert_int_equal(http_chunks_feed(&done, SLICE("0\r\n\r\n"), &body, &taken), HTTP_COMPLETE);
    assert_int_equal(http_chunks_feed(&done, SLICE("3\r\nabc"), &body, &taken), HTTP_COMPLETE);
    assert_int_equal(taken, 0);
    assert_int_equal(http_chunks_feed(&refused, SLICE("x"), &body, &taken), HTTP_BAD);
    assert_int_equal(http_chunks_feed(&refused, SLICE("0\r\n\r\n"), &body, &taken), HTTP_BAD);
    assert_int_equal(taken, 0);
    assert_int_equal(body.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chunks_are_read_whichever_way_they_are_split),
        cmocka_unit_test(extensions_have_256_bytes_and_trailers_8192),
        cmocka_unit_test(what_ended_takes_no_more),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
