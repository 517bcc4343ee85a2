#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdlib.h>

#include "cmd/cert_csv.h"

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
        {"first column", SLICE("a,1\nb,2\n"), {{"a", 1}, {"b", 2}}},
        {"no line end at the end", SLICE("a\nb"), {{"a", 1}, {"b", 2}}},
        {"CRLF", SLICE("a\r\nb\r\n"), {{"a", 1}, {"b", 2}}},
        {"CR", SLICE("a\rb\r"), {{"a", 1}, {"b", 2}}},
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
        {"quotes", SLICE("\"a\",1\n\"b\"\n"), {{"a", 1}, {"b", 2}}},
        {"quote in quotes", SLICE("\"a\"\"b\"\n"), {{"a\"b", 1}}},
        {"line end in quotes", SLICE("id,note\na,\"two\nlines\"\nb,\n"), {{"a", 2}, {"b", 4}}},
        {"blanks", SLICE("  a  , x\n \"b\" ,\n"), {{"a", 1}, {"b", 2}}},
        {"blanks in quotes", SLICE("\" a \"\n"), {{" a ", 1}}},
        {"blank rows", SLICE("\n\na\n  \n\r\nb\n\n"), {{"a", 3}, {"b", 6}}},
        {"header behind blank rows", SLICE("\nid\na\n"), {{"a", 3}}},
        {"a header's name later on is an ID", SLICE("a\nid\n"), {{"a", 1}, {"id", 2}}},
        {"row without the column", SLICE("name,id\nn\nm,a\n"), {{"", 2}, {"a", 3}}},
        {"empty value", SLICE("id,name\n,n\n"), {{"", 2}}},
        {"only a separator", SLICE(",\n"), {{"", 1}}},
        {"NUL", SLICE("a\0b\n"), {{"a\0b", 1}}},
        {"nothing", SLICE(""), {{NULL, 0}}},
        {"header alone", SLICE("id\n"), {{NULL, 0}}},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        FILE *file = open_text(rows[i].text);
        struct cert_csv csv;
        struct csv_row row;
        size_t n = 0;

        cert_csv_init(&csv, file);
        for (; cert_csv_next(&csv, &row); n++) {
            const char *want = n < ROWS_MAX ? rows[i].want[n].id : NULL;

            /* Behind a NUL the length of what is wanted ends, not that of what came. */
            if (!want || !slice_starts_with(row.id, slice_str(want)) ||
                (want[0] == '\0' && row.id.len > 0) || row.line != rows[i].want[n].line ||
                row.open_quote)
                fail_msg("%s: row %zu is '%.*s' of line %u", rows[i].name, n, SLICE_FMT(row.id),
                         (unsigned)row.line);
        }
        if (n < ROWS_MAX && rows[i].want[n].id)
            fail_msg("%s: %zu rows", rows[i].name, n);
        assert_int_equal(csv.position, rows[i].text.len);
        fclose(file);
    }
}

static void a_quote_that_is_never_closed_is_told(void **state)
{
    FILE *file = open_text(SLICE("a\n\"b\nc\nd\n"));
    struct cert_csv csv;
    struct csv_row row;

    (void)state;
    cert_csv_init(&csv, file);
    assert_true(cert_csv_next(&csv, &row));
    assert_true(cert_csv_next(&csv, &row));
    assert_true(row.open_quote);
    assert_int_equal(row.line, 2);
    assert_false(cert_csv_next(&csv, &row));
    fclose(file);
}

static void a_value_is_kept_up_to_its_maximum_and_not_mistaken_for_a_shorter_one(void **state)
{
    static char text[3 * CSV_VALUE_MAX];
    FILE *file;
    struct cert_csv csv;
    struct csv_row row;

    (void)state;
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\n';
    file = open_text(slice_of(text, sizeof text));
    cert_csv_init(&csv, file);
    assert_true(cert_csv_next(&csv, &row));
    assert_int_equal(row.id.len, CSV_VALUE_MAX);
    assert_false(cert_csv_next(&csv, &row));
    fclose(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_come_out_as_people_wrote_them),
        cmocka_unit_test(a_quote_that_is_never_closed_is_told),
        cmocka_unit_test(a_value_is_kept_up_to_its_maximum_and_not_mistaken_for_a_shorter_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
