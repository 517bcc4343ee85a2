#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "codec/device_csv_transcript.h"
#include "codec/device_csv_write.h"

#define FILE_MAX ((size_t)64 << 20)
#define MARK "\xef\xbb\xbf"
#define DOCUMENTED                                                                                 \
    "IOTC_DEVICEID,IOTC_DEVICENAME,IOTC_SASKEY_PRIMARY,IOTC_SASKEY_SECONDARY,"                     \
    "IOTC_X509THUMBPRINT_PRIMARY,IOTC_X509THUMBPRINT_SECONDARY"

static slice text(const char *literal)
{
    return slice_str(literal);
}

static struct device_csv_device pump(void)
{
    return (struct device_csv_device){
        .id = text("pump-1"),
        .name = text("Pump"),
        .sas_primary = text("+A=="),
        .sas_secondary = text("Bg=="),
        .thumbprint_primary = text("AB12"),
        .thumbprint_secondary = text("CD34"),
        .id_scope = text("0ne1"),
        .provisioning_host = text("iot.example.org"),
        .status = text("Waiting for approval"),
        .template_id = text("dtmi:a:b;1"),
        .organization = text("north"),
    };
}

static void check_export(const char *name, const struct device_csv_export *e,
                         const struct device_csv_device *device, const char *expected)
{
    struct buf BUF_CLEANUP file = {.max = 4096};

    device_csv_export_begin(e, &file);
    device_csv_export_device(e, device, &file);
    if (file.failed || !slice_equal(buf_slice(&file), slice_str(expected)))
        fail_msg("%s:\n%.*s\ninstead of\n%s", name, SLICE_FMT(file), expected);
}

static void C059_the_export_has_the_documented_columns_in_their_order(void **state)
{
    static const struct {
        const char *name;
        struct device_csv_export options;
        const char *expected;
    } rows[] = {
        {"plain", {0}, MARK DOCUMENTED "\r\npump-1,Pump,\"+A==\",Bg==,AB12,CD34\r\n"},
        {"without keys", {.without_keys = true}, MARK DOCUMENTED "\r\npump-1,Pump,,,AB12,CD34\r\n"},
        {"extra columns",
         {.extra_columns = true},
         MARK DOCUMENTED
         ",MUSTER_IDSCOPE,MUSTER_PROVISIONING_HOST,MUSTER_STATUS,MUSTER_TEMPLATE,"
         "MUSTER_ORGANIZATION\r\npump-1,Pump,\"+A==\",Bg==,AB12,CD34,0ne1,iot.example.org,"
         "Waiting for approval,\"dtmi:a:b;1\",north\r\n"},
    };
    struct device_csv_device device = pump();

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        check_export(rows[i].name, &rows[i].options, &device, rows[i].expected);
}

static void C061_formulas_are_neutralized_in_names_alone(void **state)
{
    static const struct {
        const char *name, *id, *device_name;
        bool raw;
        const char *cells;
    } rows[] = {
        {"equals", "d1", "=1+1", false, "d1,\"'=1+1\""},
        {"plus", "d1", "+1", false, "d1,\"'+1\""},
        {"minus", "d1", "-1", false, "d1,\"'-1\""},
        {"at", "d1", "@a", false, "d1,\"'@a\""},
        {"tab", "d1", "\ta", false, "d1,\"'\ta\""},
        {"CR", "d1", "\ra", false, "d1,\"'\ra\""},
        {"LF is none", "d1", "\n=1", false, "d1,\"\n=1\""},
        {"inside is none", "d1", "a=1", false, "d1,a=1"},
        {"apostrophe is none", "d1", "'a", false, "d1,'a"},
        {"apostrophe that would be taken off", "d1", "'=1", false, "d1,\"''=1\""},
        {"raw", "d1", "=1", true, "d1,\"=1\""},
        {"ID begins with a minus", "-1", "", false, "\"-1\","},
        {"ID begins with an equals sign", "=1", "", false, "\"=1\","},
        {"ID with separators", "a,b;c", "", false, "\"a,b;c\","},
        {"quotes", "d1", "5\" pipe", false, "d1,\"5\"\" pipe\""},
        {"blanks", "d1", " a ", false, "d1,\" a \""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct device_csv_export e = {.raw_names = rows[i].raw};
        struct device_csv_device device = {.id = text(rows[i].id),
                                           .name = text(rows[i].device_name)};
        char expected[512];

        snprintf(expected, sizeof expected, MARK DOCUMENTED "\r\n%s,,,,\r\n", rows[i].cells);
        check_export(rows[i].name, &e, &device, expected);
    }
}

/* --- export, then import -------------------------------------------------------------------- */

#define NAMES 100000

static const char *const pieces[] = {
    "a",
    "Z",
    "7",
    " ",
    "\"",
    "\"\"",
    "'",
    "=",
    "+",
    "-",
    "@",
    "\t",
    "\r",
    "\n",
    "\r\n",
    ",",
    ";",
    "\xc3\xa4",
    "\xe2\x82\xac",
    "\xf0\x9f\x98\x80",
    "\xef\xbb\xbf",
    "=HYPERLINK(\"x\")",
    "\\",
};

/* 1 to 12 pieces, from a generator that is the same everywhere. */
static void random_name(uint64_t *seed, struct buf *to)
{
    size_t count;

    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    count = 1 + (*seed >> 40) % 12;
    for (size_t i = 0; i < count; i++) {
        *seed = *seed * 6364136223846793005u + 1442695040888963407u;
        buf_append_str(to, pieces[(*seed >> 33) % COUNT_OF(pieces)]);
    }
}

struct way_back {
    uint64_t seed, rows;
};

static bool name_is_back(void *context, struct device_csv_row *row)
{
    struct way_back *back = context;
    struct buf BUF_CLEANUP name = {.max = 4096};

    random_name(&back->seed, &name);
    if (!slice_equal(row->name, buf_slice(&name)) || row->finding_count > 0)
        fail_msg("row %" PRIu64 ": '%.*s' came back as '%.*s'", row->number, SLICE_FMT(name),
                 SLICE_FMT(row->name));
    back->rows++;
    return true;
}

static void ignore_finding(void *context, const struct device_csv_finding *finding)
{
    (void)context;
    assert_int_equal(finding->code, CSV_W01_COLUMN_IGNORED);
}

static void export_names(const struct device_csv_export *e, uint64_t seed, struct buf *to)
{
    struct buf BUF_CLEANUP name = {.max = 4096};
    struct buf BUF_CLEANUP id = {.max = 64};

    device_csv_export_begin(e, to);
    for (uint64_t i = 0; i < NAMES; i++) {
        struct device_csv_device device;

        buf_clear(&name);
        buf_clear(&id);
        random_name(&seed, &name);
        buf_printf(&id, "-%" PRIu64, i);
        device = (struct device_csv_device){.id = buf_slice(&id), .name = buf_slice(&name)};
        device_csv_export_device(e, &device, to);
    }
    assert_false(to->failed);
}

static void C059_names_come_back_from_an_export_as_they_went_in(void **state)
{
    static const struct device_csv_events events = {name_is_back, ignore_finding};
    const uint64_t seed = 20240617;

    (void)state;
    for (int raw = 0; raw <= 1; raw++) {
        const struct device_csv_options options = {.keep_apostrophes = raw};
        const struct device_csv_export e = {.raw_names = raw};
        struct way_back back = {.seed = seed};
        struct buf BUF_CLEANUP file = {.max = FILE_MAX};
        struct device_csv_reader *r = device_csv_reader_create(&options, &events, &back);

        assert_non_null(r);
        export_names(&e, seed, &file);
        assert_int_equal(device_csv_reader_feed(r, buf_slice(&file)), ST_OK);
        assert_int_equal(device_csv_reader_finish(r), ST_OK);
        assert_int_equal(back.rows, NAMES);
        device_csv_reader_destroy(r);
    }
}

static bool row_of_a_known_device(void *context, struct device_csv_row *row)
{
    device_csv_row_exists(row);
    device_csv_row_add(row, CSV_R07_DEVICE_EXISTS, (slice){0}, "the device exists");
    return transcript_on_row(context, row);
}

static void C059_an_export_gives_only_R07_when_its_devices_are_there(void **state)
{
    static const struct device_csv_events events = {row_of_a_known_device, transcript_on_file};
    static const struct device_csv_options options = {0};
    static const char *const ids[] = {"pump-1", "Pump-2", "a:b", "-1", "x;y,z"};
    const struct device_csv_export e = {0};
    struct transcript t = {.text = {.max = 4096}};
    struct buf BUF_CLEANUP file = {.max = 4096};
    struct device_csv_reader *r = device_csv_reader_create(&options, &events, &t);

    (void)state;
    assert_non_null(r);
    device_csv_export_begin(&e, &file);
    for (size_t i = 0; i < COUNT_OF(ids); i++) {
        struct device_csv_device device = pump();

        device.id = text(ids[i]);
        device_csv_export_device(&e, &device, &file);
    }
    assert_int_equal(device_csv_reader_feed(r, buf_slice(&file)), ST_OK);
    assert_int_equal(device_csv_reader_finish(r), ST_OK);
    buf_append_byte(&t.text, '\0');
    assert_string_equal(t.text.ptr, "!W01@1\n2 pump-1|Pump R07\n3 Pump-2|Pump R07\n4 a:b|Pump R07\n"
                                    "5 -1|Pump R07\n6 x;y,z|Pump R07\n");
    buf_deinit(&t.text);
    device_csv_reader_destroy(r);
}

/* --- what an import leaves behind ----------------------------------------------------------- */

struct import {
    struct buf log, rejected;
    struct device_csv_reader *reader;
    uint64_t rows, rejected_rows;
};

static bool import_row(void *context, struct device_csv_row *row)
{
    struct import *import = context;
    struct device_csv_facts facts = device_csv_reader_facts(import->reader);

    if (import->rows++ == 0)
        device_csv_rejected_begin(&facts, &import->rejected);
    device_csv_log_row(row, &import->log);
    if (!device_csv_row_is_rejected(row))
        return true;
    import->rejected_rows++;
    device_csv_rejected_row(row, &import->rejected);
    return true;
}

static void import_file(void *context, const struct device_csv_finding *finding)
{
    struct import *import = context;

    device_csv_log_finding((slice){0}, finding, &import->log);
}

static void import(struct import *ret, slice file)
{
    static const struct device_csv_events events = {import_row, import_file};
    static const struct device_csv_options options = {0};

    *ret = (struct import){.log = {.max = 1 << 20}, .rejected = {.max = 1 << 20}};
    ret->reader = device_csv_reader_create(&options, &events, ret);
    assert_non_null(ret->reader);
    device_csv_log_begin(&ret->log);
    if (device_csv_reader_feed(ret->reader, file) == ST_OK)
        assert_true(device_csv_reader_finish(ret->reader) != ST_NO_MEMORY);
    buf_append_byte(&ret->log, '\0');
    buf_append_byte(&ret->rejected, '\0');
    assert_false(ret->log.failed || ret->rejected.failed);
    device_csv_reader_destroy(ret->reader);
}

static void import_free(struct import *import)
{
    buf_deinit(&import->log);
    buf_deinit(&import->rejected);
}

static void C055_C058_the_log_names_line_ID_level_code_and_column(void **state)
{
    static const char file[] = "IOTC_DEVICEID;IOTC_DEVICENAME;=Notes\nPump-1;\"Two\nlines\";\n"
                               "=1+1;a;\n-2;b;\npump-3\n-2;c;\n";
    struct import i;

    (void)state;
    import(&i, slice_str(file));
    assert_string_equal(i.log.ptr, MARK
                        "LINE,IOTC_DEVICEID,LEVEL,CODE,COLUMN,MESSAGE\r\n"
                        "1,,file,W01,\"'=Notes\",ignored columns: =Notes\r\n"
                        "2,Pump-1,row,R04,IOTC_DEVICEID,device IDs are lower-case: write pump-1\r\n"
                        "4,\"'=1+1\",row,R03,IOTC_DEVICEID,"
                        "\"a device ID has letters, digits and '-' only\"\r\n"
                        "6,,row,R08,,1 fields instead of 3\r\n"
                        "7,\"-2\",row,R06,IOTC_DEVICEID,"
                        "\"the device ID stands in the file before; the first one counts\"\r\n");
    import_free(&i);
    import(&i, SLICE("d1\xff"));
    assert_string_equal(i.log.ptr,
                        MARK "LINE,IOTC_DEVICEID,LEVEL,CODE,COLUMN,MESSAGE\r\n"
                             "1,,file,F01,,the file is not UTF-8 (0xFF at byte 3): save it as CSV "
                             "(UTF-8)\r\n");
    import_free(&i);
}

static void C057_C058_rejected_rows_are_a_file_to_correct_and_import(void **state)
{
    static const char file[] = "IOTC_DEVICEID;IOTC_DEVICENAME\r\nd1;One\nPump-2;\"T\"\"w\no\"\n"
                               "d3;\"Three\nd4;Four\nd5\nd1;again\n";
    static const char rejected[] = MARK "IOTC_DEVICEID;IOTC_DEVICENAME\r\nPump-2;\"T\"\"w\no\"\r\n"
                                        "d3;\"Three\r\nd5\r\nd1;again\r\n";
    static const char corrected[] = MARK "IOTC_DEVICEID;IOTC_DEVICENAME\r\npump-2;\"T\"\"w\no\"\r\n"
                                         "d3;\"Three\"\r\nd5;Five\r\nd6;again\r\n";
    struct import i;

    (void)state;
    import(&i, slice_str(file));
    assert_int_equal(i.rows, 6);
    assert_int_equal(i.rejected_rows, 4);
    assert_string_equal(i.rejected.ptr, rejected);
    import_free(&i);

    import(&i, slice_str(corrected));
    assert_int_equal(i.rows, 4);
    assert_int_equal(i.rejected_rows, 0);
    import_free(&i);

    import(&i, SLICE("\n\nD1\n\"d2\r\n\r\nD3"));
    assert_string_equal(i.rejected.ptr, MARK "D1\r\n\"d2\r\nD3\r\n");
    import_free(&i);
}

static void messages_are_cut_between_characters(void **state)
{
    struct device_csv_finding finding;
    char many[4 * DEVICE_CSV_MESSAGE_MAX];

    (void)state;
    for (size_t shift = 0; shift < 4; shift++) {
        size_t len;

        memset(many, 'x', shift);
        for (size_t i = 0; i < DEVICE_CSV_MESSAGE_MAX / 2; i++)
            memcpy(many + shift + 3 * i, "\xe2\x82\xac", 3);
        device_csv_finding_set(&finding, CSV_R05_NAME_TOO_LONG, (slice){0}, "%.*s",
                               (int)(shift + 3 * (DEVICE_CSV_MESSAGE_MAX / 2)), many);
        len = strlen(finding.message);
        assert_true(len >= DEVICE_CSV_MESSAGE_MAX - 8 && (len - shift) % 3 == 0);
    }
}

static void a_row_keeps_room_for_the_last_finding(void **state)
{
    struct device_csv_row *row = calloc(1, sizeof *row);

    (void)state;
    assert_non_null(row);
    for (int i = 0; i <= DEVICE_CSV_ROW_FINDINGS_MAX; i++)
        device_csv_row_add(row, CSV_W03_SKIPPED, (slice){0}, "%d", i);
    assert_false(device_csv_row_is_rejected(row));
    device_csv_row_add(row, CSV_R11_DEVICE_LIMIT, (slice){0}, "full");
    assert_true(device_csv_row_is_rejected(row));
    assert_int_equal(row->finding_count, DEVICE_CSV_ROW_FINDINGS_MAX);
    free(row);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(C059_the_export_has_the_documented_columns_in_their_order),
        cmocka_unit_test(C061_formulas_are_neutralized_in_names_alone),
        cmocka_unit_test(C059_names_come_back_from_an_export_as_they_went_in),
        cmocka_unit_test(C059_an_export_gives_only_R07_when_its_devices_are_there),
        cmocka_unit_test(C055_C058_the_log_names_line_ID_level_code_and_column),
        cmocka_unit_test(C057_C058_rejected_rows_are_a_file_to_correct_and_import),
        cmocka_unit_test(messages_are_cut_between_characters),
        cmocka_unit_test(a_row_keeps_room_for_the_last_finding),
    };

    return cmocka_run_group_tests_name("device_csv_write", tests, NULL, NULL);
}
