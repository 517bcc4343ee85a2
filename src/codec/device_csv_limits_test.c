#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "codec/device_csv_transcript.h"

#define FILE_MAX ((size_t)64 << 20)
#define HEADER "IOTC_DEVICEID,IOTC_DEVICENAME\n"

static void repeat(struct buf *to, const char *text, size_t times)
{
    for (size_t i = 0; i < times; i++)
        buf_append_str(to, text);
}

/* Reads `file` whole and in odd pieces, and compares what is said of it. */
static void check(const char *name, const struct buf *file, const char *expected)
{
    static const struct device_csv_options options = {0};
    static const size_t steps[] = {SIZE_MAX, 4097, 65521};

    assert_false(file->failed);
    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        struct transcript t = {.text = {.max = FILE_MAX}};

        if (!transcript_read(&t, &options, buf_slice(file), 0, steps[i]) ||
            !slice_equal(buf_slice(&t.text), slice_str(expected)))
            fail_msg("%s:\n%.*s\ninstead of\n%s", name, SLICE_FMT(t.text), expected);
        buf_deinit(&t.text);
    }
}

static void cells_have_4096_bytes(void **state)
{
    static const struct {
        const char *name, *front, *unit, *back;
        size_t times;
        bool fits;
    } rows[] = {
        {"plain, 4095", "", "x", "", 4095, true},
        {"plain, 4096", "", "x", "", 4096, true},
        {"plain, 4097", "", "x", "", 4097, false},
        {"quoted, 4096", "\"", "x", "\"", 4096, true},
        {"quoted, 4097", "\"", "x", "\"", 4097, false},
        {"doubled quotes, 4095", "\"", "\"\"", "\"", 4095, true},
        {"doubled quotes, 4096", "\"", "\"\"", "\"", 4096, true},
        {"doubled quotes, 4097", "\"", "\"\"", "\"", 4097, false},
        {"two bytes a character, 4096", "", "\xc3\xa4", "", 2048, true},
        {"two bytes a character, 4098", "", "\xc3\xa4", "", 2049, false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct buf BUF_CLEANUP file = {.max = FILE_MAX};

        buf_append_str(&file, "IOTC_DEVICEID,Notes\nd1,");
        buf_append_str(&file, rows[i].front);
        repeat(&file, rows[i].unit, rows[i].times);
        buf_append_str(&file, rows[i].back);
        buf_append_str(&file, "\nd2,\n");
        check(rows[i].name, &file,
              rows[i].fits ? "!W01@1(Notes)\n2 d1|d1\n3 d2|d2\n=ok"
                           : "!W01@1(Notes)\n2 | R08(Notes)\n3 d2|d2\n=ok");
    }
}

static void files_have_64_columns(void **state)
{
    static const struct {
        size_t header, row;
        const char *expected;
    } rows[] = {
        {63, 63, "2 d1|d1\n3 d2|d2\n=ok"}, {64, 64, "2 d1|d1\n3 d2|d2\n=ok"},
        {64, 65, "2 | R08\n3 d2|d2\n=ok"}, {63, 64, "2 | R08\n3 d2|d2\n=ok"},
        {65, 65, "!F02@1\n=bad_request"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct buf BUF_CLEANUP file = {.max = FILE_MAX};

        buf_append_str(&file, "IOTC_DEVICEID");
        repeat(&file, ",", rows[i].header - 1);
        buf_append_str(&file, "\nd1");
        repeat(&file, ",", rows[i].row - 1);
        buf_append_str(&file, "\nd2");
        repeat(&file, ",", rows[i].header - 1);
        check("columns", &file, rows[i].expected);
    }
}

static void the_largest_record_is_read(void **state)
{
    struct buf BUF_CLEANUP file = {.max = FILE_MAX};

    (void)state;
    buf_append_str(&file, "IOTC_DEVICEID");
    repeat(&file, ",", CSV_COLUMNS_MAX - 1);
    buf_append_str(&file, "\nd1");
    for (size_t i = 1; i < CSV_COLUMNS_MAX; i++) {
        buf_append_str(&file, ",\"");
        repeat(&file, "\"\"", CSV_CELL_MAX);
        buf_append_str(&file, "\"");
    }
    buf_append_str(&file, "\r\nd2");
    repeat(&file, ",", CSV_COLUMNS_MAX - 1);
    check("largest", &file, "2 d1|d1\n3 d2|d2\n=ok");
}

static void a_line_longer_than_any_record_is_read_over(void **state)
{
    struct buf BUF_CLEANUP file = {.max = FILE_MAX};

    (void)state;
    buf_append_str(&file, HEADER "d1,");
    repeat(&file, "x,\"", CSV_RECORD_MAX);
    buf_append_str(&file, "\nd2,");
    repeat(&file, "x", CSV_RECORD_MAX);
    buf_append_str(&file, "\nd3,Three\n");
    check("long lines", &file, "2 | R08\n3 | R08(IOTC_DEVICENAME)\n4 d3|Three\n=ok");

    buf_clear(&file);
    repeat(&file, "x", CSV_RECORD_MAX + 1);
    buf_append_str(&file, "\n" HEADER);
    check("long first line", &file, "!F02@1\n=bad_request");
}

/* Quadratic work would not end. */
static void open_quotes_do_not_make_reading_slow(void **state)
{
    static const struct {
        const char *name, *unit;
        size_t times;
    } rows[] = {
        {"open in every line", "d,\"\n", 500000},
        {"open and far from closed", "\"\",\"\n\na\na\na\na\na\na\na\na\na\n", 100000},
        {"doubled quotes between", "\"\n\"\"\n\"\"\n\"\"x\n\"\"\n", 100000},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        static const struct device_csv_options options = {0};
        struct buf BUF_CLEANUP file = {.max = FILE_MAX};
        struct transcript t = {.text = {.max = FILE_MAX}};

        buf_append_str(&file, HEADER);
        repeat(&file, rows[i].unit, rows[i].times);
        assert_true(transcript_read(&t, &options, buf_slice(&file), 0, SIZE_MAX));
        assert_true(t.rows >= rows[i].times / 2);
        buf_deinit(&t.text);
    }
}

static void IDs_have_128_and_names_148_characters(void **state)
{
    static const struct {
        const char *name, *front, *unit;
        size_t times;
        const char *finding;
    } rows[] = {
        {"ID, 127", "", "d", 127, ""},
        {"ID, 128", "", "d", 128, ""},
        {"ID, 129", "", "d", 129, " R02(IOTC_DEVICEID)"},
        {"ID, 128 of two bytes", "", "\xc3\xa4", 128, " R03(IOTC_DEVICEID)"},
        {"ID, 129 of two bytes", "", "\xc3\xa4", 129, " R02(IOTC_DEVICEID) R03(IOTC_DEVICEID)"},
        {"name, 147", "d1,", "x", 147, ""},
        {"name, 148", "d1,", "x", 148, ""},
        {"name, 149", "d1,", "x", 149, " R05(IOTC_DEVICENAME)"},
        {"name, 148 of four bytes", "d1,", "\xf0\x9f\x98\x80", 148, ""},
        {"name, 149 of four bytes", "d1,", "\xf0\x9f\x98\x80", 149, " R05(IOTC_DEVICENAME)"},
        {"name, 148 behind an apostrophe", "d1,'", "=", 148, ""},
        {"name, 149 behind an apostrophe", "d1,'", "=", 149, " R05(IOTC_DEVICENAME)"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct buf BUF_CLEANUP file = {.max = FILE_MAX};
        struct buf BUF_CLEANUP expected = {.max = FILE_MAX};
        bool is_id = rows[i].front[0] == '\0';

        buf_append_str(&file, HEADER);
        buf_append_str(&file, rows[i].front);
        repeat(&file, rows[i].unit, rows[i].times);
        buf_append_str(&file, is_id ? "," : "");
        buf_append_str(&expected, is_id ? "2 " : "2 d1|");
        repeat(&expected, rows[i].unit, rows[i].times);
        buf_append_str(&expected, is_id ? "|" : "");
        repeat(&expected, rows[i].unit, is_id ? rows[i].times : 0);
        buf_append_str(&expected, rows[i].finding);
        buf_append(&expected, slice_of("\n=ok", sizeof "\n=ok"));
        check(rows[i].name, &file, (const char *)expected.ptr);
    }
}

/* --- the size of the file -------------------------------------------------------------------- */

struct tally {
    uint64_t rows, stop_at;
    enum device_csv_code last;
    uint64_t line;
};

static bool count_row(void *context, struct device_csv_row *row)
{
    struct tally *tally = context;

    assert_int_equal(row->number, ++tally->rows);
    return tally->rows != tally->stop_at;
}

static void note_finding(void *context, const struct device_csv_finding *finding)
{
    struct tally *tally = context;

    tally->last = finding->code;
    tally->line = finding->line;
}

static const struct device_csv_events counting = {count_row, note_finding};

static enum status read_numbered(uint64_t rows, struct tally *tally)
{
    static const struct device_csv_options options = {0};
    struct device_csv_reader *r = device_csv_reader_create(&options, &counting, tally);
    struct buf BUF_CLEANUP text = {.max = 65536};
    enum status status = ST_OK;

    assert_non_null(r);
    for (uint64_t i = 0; i < rows && status == ST_OK; i++) {
        buf_printf(&text, "pump-%" PRIu64 "\n", i);
        if (text.len < 65000 && i + 1 < rows)
            continue;
        status = device_csv_reader_feed(r, buf_slice(&text));
        buf_clear(&text);
    }
    if (status == ST_OK)
        status = device_csv_reader_finish(r);
    device_csv_reader_destroy(r);
    return status;
}

static void C055_files_have_2000000_rows(void **state)
{
    struct tally tally = {0};

    (void)state;
    assert_int_equal(read_numbered(DEVICE_CSV_ROWS_MAX, &tally), ST_OK);
    assert_int_equal(tally.rows, DEVICE_CSV_ROWS_MAX);
    tally = (struct tally){0};
    assert_int_equal(read_numbered(DEVICE_CSV_ROWS_MAX + 1, &tally), ST_TOO_LARGE);
    assert_int_equal(tally.rows, DEVICE_CSV_ROWS_MAX);
    assert_int_equal(tally.last, CSV_F04_TOO_LARGE);
    assert_int_equal(tally.line, DEVICE_CSV_ROWS_MAX + 1);
}

static void C055_files_have_200_MiB(void **state)
{
    static const struct device_csv_options options = {.max_bytes = UINT64_MAX};

    (void)state;
    for (size_t beyond = 0; beyond <= 1; beyond++) {
        struct tally tally = {0};
        struct device_csv_reader *r = device_csv_reader_create(&options, &counting, &tally);
        uint8_t filler[4096];
        uint64_t left = DEVICE_CSV_BYTES_MAX + beyond - 7;
        enum status status = device_csv_reader_feed(r, SLICE("d1\nd2\nd"));

        memset(filler, 'x', sizeof filler);
        for (; left > 0 && status == ST_OK; left -= left < sizeof filler ? left : sizeof filler)
            status = device_csv_reader_feed(r, slice_first(slice_of(filler, sizeof filler), left));
        if (status == ST_OK)
            status = device_csv_reader_finish(r);
        assert_int_equal(status, beyond ? ST_TOO_LARGE : ST_OK);
        assert_int_equal(tally.rows, 3);
        device_csv_reader_destroy(r);
    }
}

static void reading_ends_when_no_more_is_wanted(void **state)
{
    static const struct device_csv_options options = {0};
    struct tally tally = {.stop_at = 2};
    struct device_csv_reader *r = device_csv_reader_create(&options, &counting, &tally);

    (void)state;
    assert_non_null(r);
    assert_int_equal(device_csv_reader_feed(r, SLICE("d1\nd2\nd3\n")), ST_REFUSED);
    assert_int_equal(device_csv_reader_feed(r, SLICE("d4\n")), ST_REFUSED);
    assert_int_equal(device_csv_reader_finish(r), ST_REFUSED);
    assert_int_equal(tally.rows, 2);
    device_csv_reader_destroy(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cells_have_4096_bytes),
        cmocka_unit_test(files_have_64_columns),
        cmocka_unit_test(the_largest_record_is_read),
        cmocka_unit_test(a_line_longer_than_any_record_is_read_over),
        cmocka_unit_test(open_quotes_do_not_make_reading_slow),
        cmocka_unit_test(IDs_have_128_and_names_148_characters),
        cmocka_unit_test(C055_files_have_2000000_rows),
        cmocka_unit_test(C055_files_have_200_MiB),
        cmocka_unit_test(reading_ends_when_no_more_is_wanted),
    };

    return cmocka_run_group_tests_name("device_csv_limits", tests, NULL, NULL);
}
