#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/text.h"
#include "codec/csv_text.h"

#define TEXT_MAX ((size_t)8 << 20)

static enum status read_all(slice file, size_t step, struct csv_text *t, struct buf *to)
{
    enum status status = ST_OK;
    struct fault why;

    *t = (struct csv_text){0};
    buf_clear(to);
    for (slice rest = file; rest.len > 0 && status == ST_OK; rest = slice_from(rest, step))
        status = csv_text_feed(t, slice_first(rest, step), to, &why);
    return status == ST_OK ? csv_text_finish(t, to, &why) : status;
}

static void check_validity(const uint8_t *bytes, size_t len, struct buf *to)
{
    slice file = slice_of(bytes, len);
    bool is_good = utf8_valid(file) && !memchr(bytes, 0, len);
    struct csv_text t;

    for (size_t step = 1; step <= len; step += len - 1) {
        bool is_read = read_all(file, step, &t, to) == ST_OK;

        if (is_read != is_good || (is_read && !slice_equal(buf_slice(to), file)))
            fail_msg("%02x %02x %02x %02x: read=%d", bytes[1], bytes[2], bytes[3], bytes[4],
                     is_read);
    }
}

/* Every pair of bytes, and behind it what lies at the edges of the allowed ranges. */
static void UTF8_is_taken_exactly_when_it_is_well_formed(void **state)
{
    static const uint8_t edges[] = {'x', 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf};
    struct buf BUF_CLEANUP to = {.max = 64};

    (void)state;
    for (unsigned pair = 0; pair < 65536; pair++) {
        for (size_t edge = 0; edge < COUNT_OF(edges) * COUNT_OF(edges); edge++) {
            uint8_t bytes[5] = {'x', (uint8_t)(pair >> 8), (uint8_t)pair,
                                edges[edge / COUNT_OF(edges)], edges[edge % COUNT_OF(edges)]};

            check_validity(bytes, sizeof bytes, &to);
        }
    }
}

static void put_unit(struct buf *to, bool little, uint32_t unit)
{
    buf_append_byte(to, (uint8_t)(little ? unit : unit >> 8));
    buf_append_byte(to, (uint8_t)(little ? unit >> 8 : unit));
}

/* All of Unicode but NUL and the surrogates. */
static void put_all_points(struct buf *to, bool little)
{
    put_unit(to, little, 0xfeff);
    for (uint32_t point = 1; point <= 0x10ffff; point++) {
        if (point >= 0xd800 && point <= 0xdfff)
            continue;
        if (point >= 0x10000)
            put_unit(to, little, 0xd800 + ((point - 0x10000) >> 10));
        put_unit(to, little, point < 0x10000 ? point : 0xdc00 + ((point - 0x10000) & 0x3ff));
    }
}

static uint32_t take_point(slice *rest)
{
    static const uint8_t payload[] = {0x7f, 0x1f, 0x0f, 0x07};
    uint8_t first = rest->ptr[0];
    size_t more = first < 0xc0 ? 0 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
    uint32_t point = first & payload[more];

    for (size_t i = 1; i <= more; i++)
        point = point << 6 | (rest->ptr[i] & 0x3f);
    *rest = slice_from(*rest, more + 1);
    return point;
}

static void UTF16_of_either_order_becomes_the_same_characters(void **state)
{
    struct buf BUF_CLEANUP file = {.max = TEXT_MAX};
    struct buf BUF_CLEANUP text = {.max = TEXT_MAX};

    (void)state;
    for (int little = 0; little <= 1; little++) {
        struct csv_text t;
        slice rest;

        buf_clear(&file);
        put_all_points(&file, little);
        assert_int_equal(read_all(buf_slice(&file), 4093, &t, &text), ST_OK);
        assert_int_equal(t.encoding, little ? CSV_UTF16_LE : CSV_UTF16_BE);
        assert_int_equal(t.offset, file.len);
        assert_true(utf8_valid(buf_slice(&text)));
        rest = buf_slice(&text);
        for (uint32_t point = 1; point <= 0x10ffff; point++) {
            if (point == 0xd800)
                point = 0xe000;
            if (take_point(&rest) != point)
                fail_msg("U+%04X", point);
        }
        assert_int_equal(rest.len, 0);
    }
}

static void encodings_are_told_by_their_marks(void **state)
{
    static const struct {
        const char *name, *file;
        size_t len;
        enum csv_encoding encoding;
        const char *text;
        enum status status;
    } rows[] = {
        {"UTF-8", "ab", 2, CSV_UTF8, "ab", ST_OK},
        {"UTF-8 with BOM",
         "\xef\xbb\xbf"
         "ab",
         5, CSV_UTF8_BOM, "ab", ST_OK},
        {"UTF-16 LE",
         "\xff\xfe"
         "a\0",
         4, CSV_UTF16_LE, "a", ST_OK},
        {"UTF-16 BE",
         "\xfe\xff"
         "\0a",
         4, CSV_UTF16_BE, "a", ST_OK},
        {"UTF-8", "", 0, CSV_UTF8, "", ST_OK},
        {"UTF-8", "\xef\xbb\xbe", 3, CSV_UTF8, "\xef\xbb\xbe", ST_OK},
        {"UTF-8", "\xef\xbb", 2, CSV_UTF8, "", ST_BAD_REQUEST},
        {"UTF-8", "\xff", 1, CSV_UTF8, "", ST_BAD_REQUEST},
        {"UTF-8", "\xfe\xfe", 2, CSV_UTF8, "", ST_BAD_REQUEST},
        {"UTF-8 with BOM", "\xef\xbb\xbf", 3, CSV_UTF8_BOM, "", ST_OK},
        {"UTF-16 LE", "\xff\xfe", 2, CSV_UTF16_LE, "", ST_OK},
    };
    struct buf BUF_CLEANUP to = {.max = 64};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        for (size_t step = 1; step <= 5; step++) {
            struct csv_text t;
            slice file = slice_of(rows[i].file, rows[i].len);
            enum status status = read_all(file, step, &t, &to);

            if (status != rows[i].status || t.encoding != rows[i].encoding)
                fail_msg("row %zu: %s", i, csv_encoding_name(t.encoding));
            assert_string_equal(csv_encoding_name(t.encoding), rows[i].name);
            if (status == ST_OK && !slice_equal(buf_slice(&to), slice_str(rows[i].text)))
                fail_msg("row %zu: '%.*s'", i, SLICE_FMT(to));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(UTF8_is_taken_exactly_when_it_is_well_formed),
        cmocka_unit_test(UTF16_of_either_order_becomes_the_same_characters),
        cmocka_unit_test(encodings_are_told_by_their_marks),
    };

    return cmocka_run_group_tests_name("csv_text", tests, NULL, NULL);
}
