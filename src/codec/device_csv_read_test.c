#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "codec/device_csv_transcript.h"

#define HEADER "IOTC_DEVICEID,IOTC_DEVICENAME\n"
#define TRANSCRIPT_MAX (1 << 20)
#define KEY16 "AAAAAAAAAAAAAAAAAAAAAA=="
#define KEY64                                                                                      \
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=="

struct file_row {
    const char *name, *file, *expected;
    struct device_csv_options options;
    size_t len; /* of a file with NUL in it */
};

static void check_cut(const struct file_row *row, slice file, size_t cut, size_t step)
{
    struct transcript t = {.text = {.max = TRANSCRIPT_MAX}};
    bool read = transcript_read(&t, &row->options, file, cut, step);

    if (!read || !slice_equal(buf_slice(&t.text), slice_str(row->expected)))
        fail_msg("%s, cut at %zu:\n%.*s\ninstead of\n%s", row->name, cut, SLICE_FMT(t.text),
                 row->expected);
    buf_deinit(&t.text);
}

/* Whole, in two at every place, and byte by byte. */
static void check_files(const struct file_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        slice file = slice_of(rows[i].file, rows[i].len ? rows[i].len : strlen(rows[i].file));

        for (size_t cut = 0; cut <= file.len; cut++)
            check_cut(&rows[i], file, cut, SIZE_MAX);
        check_cut(&rows[i], file, 0, 1);
    }
}

static void C050_the_published_sample_file_is_read(void **state)
{
    static const struct file_row rows[] = {
        {"sample",
         "\xef\xbb\xbfIOTC_DEVICEID,IOTC_DEVICENAME\r\ndevice1,First device\r\n",
         "2 device1|First device\n=ok",
         {0},
         0},
    };

    (void)state;
    check_files(rows, COUNT_OF(rows));
}

static void C051_C052_C054_all_generations_of_the_file_are_read(void **state)
{
    static const struct file_row rows[] = {
        {"2018 and 2019", "IOTC_DeviceID,IOTC_DeviceName\nd1,One\n", "2 d1|One\n=ok", {0}, 0},
        {"no name column", "IOTC_DEVICEID\nd1\nd2", "2 d1|d1\n3 d2|d2\n=ok", {0}, 0},
        {"no name", HEADER "d1,\nd2,\"\"\n", "2 d1|d1\n3 d2|d2\n=ok", {0}, 0},
        {"headerless", "d1\r\nd2\r\n", "1 d1|d1\n2 d2|d2\n=ok", {0}, 0},
        {"headerless, a bad one first",
         "d_1\nd2\n",
         "1 d_1|d_1 R03(IOTC_DEVICEID)\n2 d2|d2\n=ok",
         {0},
         0},
        {"headerless, one line, no end", "d1", "1 d1|d1\n=ok", {0}, 0},
        {"headerless, quoted", "\"d1\"\n\"d2\"", "1 d1|d1\n2 d2|d2\n=ok", {0}, 0},
        {"any order, any case, blanks",
         " iotc_devicename ,\tIotc_DeviceId \nOne,d1\n",
         "2 d1|One\n=ok",
         {0},
         0},
        {"quoted header",
         "\"IOTC_DEVICEID\",\"IOTC_DEVICENAME\"\nd1,One\n",
         "2 d1|One\n=ok",
         {0},
         0},
        {"empty lines",
         "\n\r\n" HEADER "\nd1,One\r\n\r\n\r\nd2,Two\n\n",
         "5 d1|One\n8 d2|Two\n=ok",
         {0},
         0},
        {"header alone", HEADER, "=ok", {0}, 0},
    };

    (void)state;
    check_files(rows, COUNT_OF(rows));
}

static void C053_the_separator_is_told_from_the_header(void **state)
{
    static const struct file_row rows[] = {
        {"semicolon", "IOTC_DEVICEID;IOTC_DEVICENAME\nd1;One, two\n", "2 d1|One, two\n=ok", {0}, 0},
        {"tab", "IOTC_DEVICEID\tIOTC_DEVICENAME\nd1\tOne; two\n", "2 d1|One; two\n=ok", {0}, 0},
        {"semicolon, quoted",
         "\"IOTC_DEVICENAME\";\"IOTC_DEVICEID\"\r\n\"a;b\";d1\r\n",
         "2 d1|a;b\n=ok",
         {0},
         0},
        {"empty lines in front",
         "\n\r\nIOTC_DEVICEID;IOTC_DEVICENAME\nd1;One\n",
         "4 d1|One\n=ok",
         {0},
         0},
        {"most known names win",
         "x,IOTC_DEVICEID;MUSTER_TEMPLATE;IOTC_DEVICENAME\na;t1;b\n",
         "!F02@1\n=bad_request",
         {0},
         0},
        {"one name is enough",
         "Place;IOTC_DEVICEID\nhere, there;d1\n",
         "!W01@1(Place)\n2 d1|d1\n=ok",
         {0},
         0},
        {"header over two lines",
         "\"Place\nof it\";IOTC_DEVICEID\nhere;d1\n",
         "!F02@1\n=bad_request",
         {0},
         0},
        {"header over two lines, comma",
         "\"Place\nof it\",IOTC_DEVICEID\nhere,d1\n",
         "!W01@1(Place\nof it)\n3 d1|d1\n=ok",
         {0},
         0},
    };

    (void)state;
    check_files(rows, COUNT_OF(rows));
}

static void C055_files_that_are_refused_as_a_whole(void **state)
{
    static const struct file_row rows[] = {
        {"F01 not UTF-8",
         HEADER "d1,One\nd2,Gr\xfc\xdf\n",
         "2 d1|One\n!F01@3\n=bad_request",
         {0},
         0},
        {"F01 NUL", HEADER "d1,a\0b\n", "!F01@2\n=bad_request", {0}, sizeof HEADER + 6},
        {"F01 inside a record of three lines",
         HEADER "d1,\"a\nb\n\xff\"\n",
         "!F01@4\n=bad_request",
         {0},
         0},
        {"F01 cut off", HEADER "d1,\xe2\x82", "!F01@2\n=bad_request", {0}, 0},
        {"F01 workbook", "PK\x03\x04\x14\0\x06\0", "!F01@1\n=bad_request", {0}, 8},
        {"F02 empty", "", "!F02@1\n=bad_request", {0}, 0},
        {"F02 mark alone", "\xef\xbb\xbf", "!F02@1\n=bad_request", {0}, 0},
        {"F02 empty lines", "\n\r\n", "!F02@1\n=bad_request", {0}, 0},
        {"F02 no ID column", "IOTC_DEVICENAME\nOne\n", "!F02@1\n=bad_request", {0}, 0},
        {"F02 two columns without a header", "d1,One\n", "!F02@1\n=bad_request", {0}, 0},
        {"F02 the same by semicolon", "d1;One\n", "!F02@1\n=bad_request", {0}, 0},
        {"F02 the same by tab", "\n\nd1\tOne\n", "!F02@3\n=bad_request", {0}, 0},
        {"F02 unreadable", "IOTC_DEVICEID,\"x\n", "!F02@1\n=bad_request", {0}, 0},
        {"F02 old Mac", "IOTC_DEVICEID\rd1\r", "!F02@1\n=bad_request", {0}, 0},
        {"F03", "IOTC_DEVICEID,Iotc_DeviceId\n", "!F03@1(Iotc_DeviceId)\n=bad_request", {0}, 0},
        {"F03 unknown column", "IOTC_DEVICEID,a,b,A\n", "!F03@1(A)\n=bad_request", {0}, 0},
        {"F03 before F02",
         "IOTC_DEVICENAME,iotc_devicename\n",
         "!F03@1(iotc_devicename)\n=bad_request",
         {0},
         0},
        {"properties keep their case",
         "IOTC_DEVICEID,MUSTER_CLOUD_a,muster_cloud_A\nd1,1,2\n",
         "2 d1|d1 c.a=1 c.A=2\n=ok",
         {0},
         0},
        {"F03 property",
         "IOTC_DEVICEID,MUSTER_CLOUD_a,muster_cloud_a\n",
         "!F03@1(muster_cloud_a)\n=bad_request",
         {0},
         0},
        {"columns without a name are no doubles",
         "IOTC_DEVICEID,,\nd1,,x\n",
         "2 d1|d1\n=ok",
         {0},
         0},
        {"F04 rows", "d1\nd2\n\nd3\n", "1 d1|d1\n2 d2|d2\n!F04@4\n=too_large", {.max_rows = 2}, 0},
        {"as many rows as there may be", "d1\nd2\n\n", "1 d1|d1\n2 d2|d2\n=ok", {.max_rows = 2}, 0},
        {"F04 bytes", "d1\nd2\nd3", "1 d1|d1\n2 d2|d2\n!F04@3\n=too_large", {.max_bytes = 7}, 0},
        {"as many bytes as there may be",
         "d1\nd2\nd",
         "1 d1|d1\n2 d2|d2\n3 d|d\n=ok",
         {.max_bytes = 7},
         0},
    };

    (void)state;
    check_files(rows, COUNT_OF(rows));
}

static void C055_C056_IDs_and_names_follow_the_rules(void **state)
{
    static const struct file_row rows[] = {
        {"R01",
         HEADER ",One\n\"\",\n",
         "2 |One R01(IOTC_DEVICEID)\n3 | R01(IOTC_DEVICEID)\n=ok",
         {0},
         0},
        {"R03",
         "d 1\n d1\nd.1\n\xc3\xa4\n",
         "1 d 1|d 1 R03(IOTC_DEVICEID)\n2  d1| d1 R03(IOTC_DEVICEID)\n"
         "3 d.1|d.1 R03(IOTC_DEVICEID)\n4 \xc3\xa4|\xc3\xa4 R03(IOTC_DEVICEID)\n=ok",
         {0},
         0},
        {"R04", "Iotc_DeviceId\nPump-1\n", "2 Pump-1|Pump-1 R04(Iotc_DeviceId)\n=ok", {0}, 0},
        {"W02",
         HEADER "Pump-1,\nPUMP-2,Two\n",
         "2 pump-1|pump-1 W02(IOTC_DEVICEID)\n3 pump-2|Two W02(IOTC_DEVICEID)\n=ok",
         {.lower_ids = true},
         0},
        {"any case", "Pump-1\n", "1 Pump-1|Pump-1\n=ok", {.any_case = true}, 0},
        {"all at once", "P_1\n", "1 P_1|P_1 R03(IOTC_DEVICEID) R04(IOTC_DEVICEID)\n=ok", {0}, 0},
        {"R06",
         "d1\nd2\nd1\nd1\n",
         "1 d1|d1\n2 d2|d2\n3 d1|d1 R06(IOTC_DEVICEID)\n4 d1|d1 R06(IOTC_DEVICEID)\n=ok",
         {0},
         0},
        {"R06 whatever the case",
         "d1\nD1\n",
         "1 d1|d1\n2 D1|D1 R06(IOTC_DEVICEID)\n=ok",
         {.any_case = true},
         0},
        {"no R06 after a row that was rejected itself",
         "D1\nd1\nd1\n",
         "1 D1|D1 R04(IOTC_DEVICEID)\n2 d1|d1\n3 d1|d1 R06(IOTC_DEVICEID)\n=ok",
         {0},
         0},
        {"R06 of a row that is rejected besides",
         "d1\nD1\n",
         "1 d1|d1\n2 D1|D1 R04(IOTC_DEVICEID) R06(IOTC_DEVICEID)\n=ok",
         {0},
         0},
        {"no R06 for empty IDs",
         HEADER ",\n,\n",
         "2 | R01(IOTC_DEVICEID)\n3 | R01(IOTC_DEVICEID)\n=ok",
         {0},
         0},
        {"an ID begins with a minus", "\"-1\"\n-2\n", "1 -1|-1\n2 -2|-2\n=ok", {0}, 0},
    };

    (void)state;
    check_files(rows, COUNT_OF(rows));
}

static void C055_C057_a_row_that_is_no_record_costs_its_first_line(void **state)
{
    static const struct file_row rows[] = {
        {"too few", HEADER "d1\nd2,Two\n", "2 | R08\n3 d2|Two\n=ok", {0}, 0},
        {"too many", HEADER "d1,One,1\nd2,Two\n", "2 | R08\n3 d2|Two\n=ok", {0}, 0},
        {"too many without a header", "d1\nd2,Two\nd3\n", "1 d1|d1\n2 | R08\n3 d3|d3\n=ok", {0}, 0},
        {"unclosed",
         HEADER "d1,\"One\nd2,Two\nd3,Three",
         "2 | R08(IOTC_DEVICENAME)\n3 d2|Two\n"
         "4 d3|Three\n=ok",
         {0},
         0},
        {"unclosed, quotes behind",
         HEADER "d1,\"One\nd2,\"Two\"\nd3,Three\n",
         "2 | R08(IOTC_DEVICENAME)\n3 d2|Two\n4 d3|Three\n=ok",
         {0},
         0},
        {"unclosed in every line",
         HEADER "d1,\"One\nd2,\"Two\nd3,\"Three\n",
         "2 | R08(IOTC_DEVICENAME)\n3 | R08(IOTC_DEVICENAME)\n4 | R08(IOTC_DEVICENAME)\n=ok",
         {0},
         0},
        {"behind a quote",
         HEADER "d1,\"One\"x\nd2,Two\n",
         "2 | R08(IOTC_DEVICENAME)\n3 d2|Two\n=ok",
         {0},
         0},
        {"blank behind a quote",
         HEADER "\"d1\" ,One\nd2,Two\n",
         "2 | R08(IOTC_DEVICEID)\n3 d2|Two\n=ok",
         {0},
         0},
        {"quote inside",
         HEADER "d1,5\" pipe\r\nd2,Two\n",
         "2 | R08(IOTC_DEVICENAME)\n3 d2|Two\n=ok",
         {0},
         0},
        {"lone CR",
         HEADER "d1,One\rd2,Two\r\nd3,Three\r\n",
         "2 | R08(IOTC_DEVICENAME)\n3 d3|Three\n=ok",
         {0},
         0},
        {"CR at the end", HEADER "d1,One\r", "2 | R08(IOTC_DEVICENAME)\n=ok", {0}, 0},
        {"two CR", HEADER "d1,One\r\r\nd2,Two", "2 | R08(IOTC_DEVICENAME)\n3 d2|Two\n=ok", {0}, 0},
        {"no double of an unreadable row", HEADER "d1\nd1,One\n", "2 | R08\n3 d1|One\n=ok", {0}, 0},
        {"quote alone", HEADER "\"", "2 | R08(IOTC_DEVICEID)\n=ok", {0}, 0},
    };

    (void)state;
    check_files(rows, COUNT_OF(rows));
}

static void quoted_cells_hold_anything(void **state)
{
    static const struct file_row rows[] = {
        {"doubled", HEADER "d1,\"5\"\" pipe\"\n", "2 d1|5\" pipe\n=ok", {0}, 0},
        {"nothing but doubled",
         HEADER "d1,\"\"\"\"\n\"d2\",\"\"\"\"\"\"\n",
         "2 d1|\"\n3 d2|\"\"\n=ok",
         {0},
         0},
        {"doubled in two cells",
         "MUSTER_TEMPLATE,IOTC_DEVICEID,IOTC_DEVICENAME\n"
         "\"a\"\"\",d1,\"\"\"b\"\n",
         "2 d1|\"b t=a\"\n=ok",
         {0},
         0},
        {"lines",
         HEADER "d1,\"One\r\nand\n\nmore\"\r\nd2,Two\r\n",
         "2 d1|One\r\nand\n\nmore\n6 d2|Two\n=ok",
         {0},
         0},
        {"separators", HEADER "d1,\"a,b;c\td\"\n", "2 d1|a,b;c\td\n=ok", {0}, 0},
        {"blanks are kept", HEADER "d1,  One \n", "2 d1|  One \n=ok", {0}, 0},
        {"characters",
         HEADER "d1,\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\n",
         "2 d1|\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\n=ok",
         {0},
         0},
        {"a second mark is a character",
         "\xef\xbb\xbf" HEADER "d1,\xef\xbb\xbfOne\n",
         "2 d1|\xef\xbb\xbfOne\n=ok",
         {0},
         0},
    };

    (void)state;
    check_files(rows, COUNT_OF(rows));
}

static void utf16_with_a_mark_is_read(void **state)
{
    static const struct file_row rows[] = {
        {"little-endian",
         "\xff\xfe"
         "d\0001\0\r\0\n\0d\0002\0\n\0",
         "1 d1|d1\n2 d2|d2\n=ok",
         {0},
         16},
        {"big-endian",
         "\xfe\xff"
         "\0d\0001\0\n\x20\xac\xd8\x3d\xde\x00",
         "1 d1|d1\n2 \xe2\x82\xac\xf0\x9f\x98\x80|\xe2\x82\xac\xf0\x9f\x98\x80 R03(IOTC_DEVICEID)"
         "\n=ok",
         {0},
         14},
        {"without a mark", "d\0001\0", "!F01@1\n=bad_request", {0}, 4},
        {"half a unit",
         "\xff\xfe"
         "d\0\n",
         "!F01@1\n=bad_request",
         {0},
         5},
        {"low surrogate alone",
         "\xfe\xff"
         "\0d\0\n\xde\x00\0\n",
         "1 d|d\n!F01@2\n=bad_request",
         {0},
         10},
        {"high surrogate alone",
         "\xfe\xff"
         "\0d\0\n\xd8\x3d\0\n",
         "1 d|d\n!F01@2\n=bad_request",
         {0},
         10},
        {"high surrogate at the end",
         "\xfe\xff"
         "\0d\0\n\xd8\x3d",
         "1 d|d\n!F01@2\n=bad_request",
         {0},
         8},
        {"NUL",
         "\xfe\xff"
         "\0d\0\0",
         "!F01@1\n=bad_request",
         {0},
         6},
        {"UTF-32", "\xff\xfe\0\0d\0\0\0", "!F01@1\n=bad_request", {0}, 8},
    };

    (void)state;
    check_files(rows, COUNT_OF(rows));
}

static void extension_columns_are_read_and_unknown_ones_ignored_with_one_warning(void **state)
{
    static const struct file_row rows[] = {
        {"all",
         "IOTC_DEVICEID,MUSTER_TEMPLATE,MUSTER_ORGANIZATION,MUSTER_GATEWAY,"
         "MUSTER_CLOUD_Site,muster_cloud_Floor\nd1,dtmi:a:b;1,north,gw-1,Hamburg,3\nd2,,,,,\n",
         "2 d1|d1 t=dtmi:a:b;1 o=north g=gw-1 c.Site=Hamburg c.Floor=3\n3 d2|d2\n=ok",
         {0},
         0},
        {"one unknown", "IOTC_DEVICEID,Notes\nd1,x\n", "!W01@1(Notes)\n2 d1|d1\n=ok", {0}, 0},
        {"more unknown",
         "IOTC_DEVICEID,Notes,MUSTER_CLOUD_,MUSTER_STATUS\nd1,x,y,z\n",
         "!W01@1\n2 d1|d1\n=ok",
         {0},
         0},
        {"an export of the cloud",
         "IOTC_DEVICEID,IOTC_DEVICENAME,IOTC_SASKEY_PRIMARY,"
         "IOTC_SASKEY_SECONDARY,IOTC_X509THUMBPRINT_PRIMARY,IOTC_X509THUMBPRINT_SECONDARY\n"
         "d1,One,x,,,\n",
         "!W01@1\n2 d1|One\n=ok",
         {0},
         0},
    };

    (void)state;
    check_files(rows, COUNT_OF(rows));
}

static void C055_C063_keys_are_read_when_they_are_wanted(void **state)
{
#define KEYS "IOTC_DEVICEID,IOTC_SASKEY_PRIMARY,IOTC_SASKEY_SECONDARY\n"
    static const struct file_row rows[] = {
        {"16 and 64 bytes",
         KEYS "d1," KEY16 "," KEY64 "\n",
         "2 d1|d1 k=" KEY16 "/" KEY64 "\n=ok",
         {.take_keys = true},
         0},
        {"not wanted", KEYS "d1,x,y\n", "!W01@1\n2 d1|d1\n=ok", {0}, 0},
        {"none", KEYS "d1,,\n", "2 d1|d1\n=ok", {.take_keys = true}, 0},
        {"15 bytes",
         KEYS "d1,AAAAAAAAAAAAAAAAAAAA," KEY16 "\n",
         "2 d1|d1 k=AAAAAAAAAAAAAAAAAAAA/" KEY16 " R09(IOTC_SASKEY_PRIMARY)\n=ok",
         {.take_keys = true},
         0},
        {"65 bytes",
         KEYS "d1," KEY16 "," KEY64 "A\n",
         "2 d1|d1 k=" KEY16 "/" KEY64 "A R09(IOTC_SASKEY_SECONDARY)\n=ok",
         {.take_keys = true},
         0},
        {"no Base64",
         KEYS "d1,?,?\n",
         "2 d1|d1 k=?/? R09(IOTC_SASKEY_PRIMARY) R09(IOTC_SASKEY_SECONDARY)\n=ok",
         {.take_keys = true},
         0},
        {"one of two",
         KEYS "d1," KEY16 ",\n",
         "2 d1|d1 k=" KEY16 "/ R09(IOTC_SASKEY_SECONDARY)\n=ok",
         {.take_keys = true},
         0},
        {"one column of two",
         "IOTC_DEVICEID,IOTC_SASKEY_PRIMARY\nd1," KEY16 "\nd2,\n",
         "2 d1|d1 k=" KEY16 "/ R09(IOTC_SASKEY_SECONDARY)\n3 d2|d2\n=ok",
         {.take_keys = true},
         0},
        {"thumbprints are never taken",
         "IOTC_DEVICEID,IOTC_X509THUMBPRINT_PRIMARY\nd1,AA\n",
         "!W01@1(IOTC_X509THUMBPRINT_PRIMARY)\n2 d1|d1\n=ok",
         {.take_keys = true},
         0},
    };

    (void)state;
    check_files(rows, COUNT_OF(rows));
}

static void apostrophes_before_formulas_are_taken_off_names(void **state)
{
    static const struct file_row rows[] = {
        {"formulas",
         HEADER "d1,'=1+1\nd2,'+1\nd3,'-1\nd4,'@a\nd5,\"'\ta\"\nd6,\"'\ra\"\n",
         "2 d1|=1+1\n3 d2|+1\n4 d3|-1\n5 d4|@a\n6 d5|\ta\n7 d6|\ra\n=ok",
         {0},
         0},
        {"no formulas",
         HEADER "d1,'\nd2,'a=\nd3,=1\nd4,''\n",
         "2 d1|'\n3 d2|'a=\n4 d3|=1\n5 d4|''\n=ok",
         {0},
         0},
        {"one of two", HEADER "d1,''=1\n", "2 d1|'=1\n=ok", {0}, 0},
        {"IDs and others are exact",
         "IOTC_DEVICEID,MUSTER_ORGANIZATION\n'-1,'-1\n",
         "2 '-1|'-1 o='-1 R03(IOTC_DEVICEID)\n=ok",
         {0},
         0},
        {"a raw file", HEADER "d1,'=1+1\n", "2 d1|'=1+1\n=ok", {.keep_apostrophes = true}, 0},
    };

    (void)state;
    check_files(rows, COUNT_OF(rows));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(C050_the_published_sample_file_is_read),
        cmocka_unit_test(C051_C052_C054_all_generations_of_the_file_are_read),
        cmocka_unit_test(C053_the_separator_is_told_from_the_header),
        cmocka_unit_test(C055_files_that_are_refused_as_a_whole),
        cmocka_unit_test(C055_C056_IDs_and_names_follow_the_rules),
        cmocka_unit_test(C055_C057_a_row_that_is_no_record_costs_its_first_line),
        cmocka_unit_test(quoted_cells_hold_anything),
        cmocka_unit_test(utf16_with_a_mark_is_read),
        cmocka_unit_test(extension_columns_are_read_and_unknown_ones_ignored_with_one_warning),
        cmocka_unit_test(C055_C063_keys_are_read_when_they_are_wanted),
        cmocka_unit_test(apostrophes_before_formulas_are_taken_off_names),
    };

    return cmocka_run_group_tests_name("device_csv_read", tests, NULL, NULL);
}
