#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdlib.h>

#include "cmd/cert/cert_csv.h"

#define ROWS_MAX 4

static FILE *open_text(slice text)
{
    FILE *file = text.len > 0 ? fmemopen((void *)text.ptr, text.len, "r") : fopen("/dev/null", "r");

    assert_non_null(file);
    return file;
}

static void ids_come_out_as_people_wrote_them(void **state)
{
    static const struct {
        const char *name;
        slice text;
        struct {
            const char *id;
            uint64_t line;
        } want[ROWS_MAX];
    } rows[] = {
        {"one column", SLICE("a\nb\n"), {{"a", 1}, {"b", 2}}},
        {"no line end at the end", SLICE("a\nb"), {{"a", 1}, {"b", 2}}},
        {"CRLF", SLICE("a\r\nb\r\n"), {{"a", 1}, {"b", 2}}},
        {"byte-order mark",
         SLICE("\xef\xbb\xbf"
               "a\n"),
         {{"a", 1}}},
        {"mark and header",
         SLICE("\xef\xbb\xbf"
               "device_id\na\n"),
         {{"a", 2}}},
        {"template of IoT Central",
         SLICE("IOTC_DEVICEID,IOTC_DEVICENAME\npump-1,Pump one\npump-2,\n"),
         {{"pump-1", 2}, {"pump-2", 3}}},
        {"any case", SLICE("iotc_deviceid\na\n"), {{"a", 2}}},
        {"second column", SLICE("name,deviceId,x\nn,a,1\n,b\n"), {{"a", 2}, {"b", 3}}},
        {"id", SLICE("name;id\nn;a\n"), {{"a", 2}}},
        {"tab", SLICE("name\tid\nn\ta\n"), {{"a", 2}}},
        {"quoted header", SLICE("\"name\",\"id\"\n\"n, m\",\"a\"\n"), {{"a", 2}}},
        {"quotes", SLICE("id,n\n\"a\",1\n\"b\",\n"), {{"a", 2}, {"b", 3}}},
        {"quote in quotes", SLICE("\"a\"\"b\"\n"), {{"a\"b", 1}}},
        {"line end in quotes", SLICE("id,note\na,\"two\nlines\"\nb,\n"), {{"a", 2}, {"b", 4}}},
        {"blanks", SLICE(" id , n\n  a  , x\n\" b \",\n"), {{"a", 2}, {"b", 3}}},
        {"blank rows", SLICE("\n\na\n  \n\r\nb\n\n"), {{"a", 3}, {"b", 6}}},
        {"header behind blank rows", SLICE("\nid\na\n"), {{"a", 3}}},
        {"a header's name later on is an ID", SLICE("a\nid\n"), {{"a", 1}, {"id", 2}}},
        {"row without the column", SLICE("name,id\nn\nm,a\n"), {{"", 2}, {"a", 3}}},
        {"empty value", SLICE("id,name\n,n\n"), {{"", 2}}},
        {"only a separator", SLICE("id,\n,\n"), {{"", 2}}},
        {"UTF-16",
         SLICE("\xff\xfe"
               "i\0d\0\n\0a\0\n\0"),
         {{"a", 2}}},
        {"nothing", SLICE(""), {{NULL, 0}}},
        {"header alone", SLICE("id\n"), {{NULL, 0}}},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        FILE *file = open_text(rows[i].text);
        struct cert_csv csv;
        struct csv_row row;
        struct fault why;
        size_t n = 0;

        cert_csv_init(&csv, file);
        for (; cert_csv_next(&csv, &row, &why) == ST_OK; n++) {
            const char *want = n < ROWS_MAX ? rows[i].want[n].id : NULL;

            if (!want || !slice_equal(row.id, slice_str(want)) ||
                row.line != rows[i].want[n].line || row.fault)
                fail_msg("%s: row %zu is '%.*s' of line %u", rows[i].name, n, SLICE_FMT(row.id),
                         (unsigned)row.line);
        }
        if (n < ROWS_MAX && rows[i].want[n].id)
            fail_msg("%s: %zu rows", rows[i].name, n);
        assert_int_equal(csv.position, rows[i].text.len);
        cert_csv_deinit(&csv);
        fclose(file);
    }
}

static void what_is_no_table_of_devices_is_refused(void **state)
{
    static const struct {
        const char *name;
        slice text;
        const char *told;
    } rows[] = {
        {"header without the column", SLICE("serial,name\n1,n\n"), "names no column"},
        {"two columns without a header", SLICE("a;1\nb;2\n"), "names no column"},
        {"PEM", SLICE("-----BEGIN CERTIFICATE-----\nMIIB\n"), "a PEM file"},
        {"workbook", SLICE("PK\x03\x04\0\0"), "a workbook"},
        {"DER", SLICE("\x30\x82\x01\x00"), "not UTF-8"},
        {"NUL", SLICE("a\0b\n"), "NUL"},
        {"CR alone", SLICE("a\rb\r"), "carriage return"},
        {"open quote in the first row", SLICE("\"id\n"), "never closed"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        FILE *file = open_text(rows[i].text);
        struct fault why = {0};
        struct cert_csv csv;
        struct csv_row row;

        cert_csv_init(&csv, file);
        if (cert_csv_next(&csv, &row, &why) != ST_BAD_REQUEST || !strstr(why.text, rows[i].told))
            fail_msg("%s: %s", rows[i].name, why.text);
        cert_csv_deinit(&csv);
        fclose(file);
    }
}

/* A row that cannot be read costs its line, no more. */
static void a_bad_row_is_told_and_the_next_one_read(void **state)
{
    static const struct {
        const char *name;
        slice row;
        const char *told;
    } rows[] = {
        {"quote never closed", SLICE("\"b\n"), "never closed"},
        {"quote inside", SLICE("b\"b\n"), "does not begin with one"},
        {"behind a quote", SLICE("\"b\"b\n"), "behind a closing quote"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        BUF_CLEANUP struct buf text = {.max = 256};
        struct fault why = {0};
        struct cert_csv csv;
        struct csv_row row;
        FILE *file;

        buf_append_str(&text, "id\na\n");
        buf_append(&text, rows[i].row);
        buf_append_str(&text, "c\n");
        file = open_text(buf_slice(&text));
        cert_csv_init(&csv, file);
        assert_int_equal(cert_csv_next(&csv, &row, &why), ST_OK);
        assert_int_equal(cert_csv_next(&csv, &row, &why), ST_OK);
        assert_int_equal(row.line, 3);
        if (!row.fault || !strstr(row.fault, rows[i].told))
            fail_msg("%s: %s", rows[i].name, row.fault ? row.fault : "read");
        assert_int_equal(cert_csv_next(&csv, &row, &why), ST_OK);
        assert_true(slice_equal(row.id, SLICE("c")) && row.line == 4);
        assert_int_equal(cert_csv_next(&csv, &row, &why), ST_NOT_FOUND);
        cert_csv_deinit(&csv);
        fclose(file);
    }
}

static void a_line_longer_than_any_record_is_passed_over(void **state)
{
    size_t len = 3 * CSV_RECORD_MAX;
    uint8_t *text = malloc(len);
    struct fault why = {0};
    struct cert_csv csv;
    struct csv_row row;
    FILE *file;

    (void)state;
    assert_non_null(text);
    memset(text, 'x', len);
    memcpy(text, "id\n", 3);
    memcpy(text + len - 3, "\na\n", 3);
    file = open_text(slice_of(text, len));
    cert_csv_init(&csv, file);
    assert_int_equal(cert_csv_next(&csv, &row, &why), ST_OK);
    assert_non_null(row.fault);
    assert_int_equal(cert_csv_next(&csv, &row, &why), ST_OK);
    assert_true(slice_equal(row.id, SLICE("a")) && row.line == 3 && !row.fault);
    assert_int_equal(cert_csv_next(&csv, &row, &why), ST_NOT_FOUND);
    cert_csv_deinit(&csv);
    fclose(file);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_come_out_as_people_wrote_them),
        cmocka_unit_test(what_is_no_table_of_devices_is_refused),
        cmocka_unit_test(a_bad_row_is_told_and_the_next_one_read),
        cmocka_unit_test(a_line_longer_than_any_record_is_passed_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
