#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "codec/dtdl_fixture.h"
#include "codec/dtdl_value.h"

#define DATES                                                                                      \
    "{\"@type\":\"Object\",\"fields\":[{\"name\":\"from\",\"schema\":\"date\"},"                   \
    "{\"name\":\"to\",\"schema\":\"date\"}]}"
#define LIST "{\"@type\":\"Array\",\"elementSchema\":\"integer\"}"
#define MAP(schema)                                                                                \
    "{\"@type\":\"Map\",\"mapKey\":{\"name\":\"k\",\"schema\":\"string\"},\"mapValue\":{"          \
    "\"name\":\"v\",\"schema\":" schema "}}"
#define NUMBERS                                                                                    \
    "{\"@type\":\"Enum\",\"valueSchema\":\"integer\",\"enumValues\":["                             \
    "{\"name\":\"two\",\"enumValue\":2},{\"name\":\"one\",\"enumValue\":1},"                       \
    "{\"name\":\"less\",\"enumValue\":-1}]}"
#define WORDS                                                                                      \
    "{\"@type\":\"Enum\",\"valueSchema\":\"string\",\"enumValues\":["                              \
    "{\"name\":\"on\",\"enumValue\":\"ON\"},{\"name\":\"off\",\"enumValue\":\"OFF\"}]}"
#define OBJECT_OF(schema)                                                                          \
    "{\"@type\":\"Object\",\"fields\":[{\"name\":\"a\",\"schema\":" schema "}]}"
#define GEOMETRY(type, coordinates) "{\"type\":\"" type "\",\"coordinates\":" coordinates "}"

/* A model whose one telemetry has that schema. */
static const struct dtdl_schema *open_schema(struct model_fixture *f, struct buf *text,
                                             const char *schema)
{
    buf_printf(text,
               "{\"@context\":[\"dtmi:dtdl:context;4\",\"dtmi:iotcentral:context;2\"],"
               "\"@id\":\"dtmi:a;1\",\"@type\":\"Interface\",\"contents\":[{\"@type\":"
               "\"Telemetry\",\"name\":\"t\",\"schema\":%s}]}",
               schema);
    assert_int_equal(model_read(f, buf_slice(text)), ST_OK);
    return f->model->root->contents[0].typed.schema;
}

struct row {
    const char *schema, *value;
    const char *why; /* NULL: it fits */
};

static void check_rows(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct model_fixture MODEL_CLEANUP f = {0};
        struct buf BUF_CLEANUP text = {.max = 1 << 16};
        const struct dtdl_schema *schema = open_schema(&f, &text, rows[i].schema);
        struct fault why = {0};
        struct json *value;
        bool fits;

        if (json_parse(slice_str(rows[i].value), JSON_LAST_WINS, &f.arena, &value, &why) != ST_OK)
            fail_msg("%s: %s", rows[i].value, why.text);
        fits = dtdl_value_fits(schema, value, &why);
        if (fits != !rows[i].why)
            fail_msg("%s as %s: fits=%d", rows[i].value, rows[i].schema, fits);
        if (!fits && strcmp(why.text, rows[i].why) != 0)
            fail_msg("%s as %s: got %s", rows[i].value, rows[i].schema, why.text);
    }
}

#define CHECK_ROWS(rows) check_rows(rows, COUNT_OF(rows))

static void C091_C092_numbers_are_judged_exactly(void **state)
{
    static const struct row rows[] = {
        {"\"integer\"", "0", NULL},
        {"\"integer\"", "-2147483648", NULL},
        {"\"integer\"", "2147483647", NULL},
        {"\"integer\"", "2147483648", "no integer"},
        {"\"integer\"", "-2147483649", "no integer"},
        {"\"integer\"", "21.0", NULL},
        {"\"integer\"", "21.5", "no integer"},
        {"\"integer\"", "1e3", "no integer"},
        {"\"integer\"", "\"1\"", "no integer"},
        {"\"integer\"", "true", "no integer"},
        {"\"integer\"", "null", "no integer"},
        {"\"long\"", "9223372036854775807", NULL},
        {"\"long\"", "-9223372036854775808", NULL},
        {"\"long\"", "9223372036854775808", "no long"},
        {"\"long\"", "9007199254740993", NULL},
        {"\"double\"", "1", NULL},
        {"\"double\"", "-0.5e-3", NULL},
        {"\"double\"", "1.7976931348623157e308", NULL},
        {"\"double\"", "1e309", "no double"},
        {"\"double\"", "\"1.5\"", "no double"},
        {"\"float\"", "3.4e38", NULL},
        {"\"float\"", "3.5e38", "no float"},
        {"\"float\"", "0.1", NULL},
        {"\"float\"", "[1]", "no float"},
        {"\"boolean\"", "true", NULL},
        {"\"boolean\"", "false", NULL},
        {"\"boolean\"", "0", "no boolean"},
        {"\"boolean\"", "\"true\"", "no boolean"},
        {"\"string\"", "\"\"", NULL},
        {"\"string\"", "1", "no string"},
        {"\"uuid\"", "{\"any\":[1]}", NULL}, /* of a later version: not known, so not judged */
    };

    (void)state;
    CHECK_ROWS(rows);
}

static void times_are_iso_8601(void **state)
{
    static const struct row rows[] = {
        {"\"date\"", "\"2024-02-29\"", NULL},
        {"\"date\"", "\"2023-02-29\"", "no date"},
        {"\"date\"", "\"2023-13-01\"", "no date"},
        {"\"date\"", "\"23-01-01\"", "no date"},
        {"\"date\"", "\"2023-01-01T00:00:00Z\"", "no date"},
        {"\"date\"", "20230101", "no date"},
        {"\"dateTime\"", "\"2023-01-31T23:59:59Z\"", NULL},
        {"\"dateTime\"", "\"2023-01-31T23:59:59.123456+02:00\"", NULL},
        {"\"dateTime\"", "\"2023-01-31T23:59:59\"", "no dateTime"},
        {"\"dateTime\"", "\"2023-01-31\"", "no dateTime"},
        {"\"dateTime\"", "\"2023-01-31T24:00:00Z\"", "no dateTime"},
        {"\"dateTime\"", "1675209599", "no dateTime"},
        {"\"time\"", "\"12:30:00\"", NULL},
        {"\"time\"", "\"12:30:00.5Z\"", NULL},
        {"\"time\"", "\"12:30:00-05:00\"", NULL},
        {"\"time\"", "\"12:30\"", "no time"},
        {"\"time\"", "\"25:00:00\"", "no time"},
        {"\"time\"", "\"\"", "no time"},
        {"\"time\"", "\"12:30:00.0000000000000000000000000000000000000000\"", "no time"},
        {"\"duration\"", "\"P1Y2M3DT4H5M6S\"", NULL},
        {"\"duration\"", "\"PT0.5S\"", NULL},
        {"\"duration\"", "\"PT1,5H\"", NULL},
        {"\"duration\"", "\"P2W\"", NULL},
        {"\"duration\"", "\"-P1D\"", NULL},
        {"\"duration\"", "\"P1M\"", NULL},
        {"\"duration\"", "\"PT1M\"", NULL},
        {"\"duration\"", "\"P\"", "no duration"},
        {"\"duration\"", "\"PT\"", "no duration"},
        {"\"duration\"", "\"P1DT\"", "no duration"},
        {"\"duration\"", "\"P1H\"", "no duration"},
        {"\"duration\"", "\"PT1D\"", "no duration"},
        {"\"duration\"", "\"P1D2Y\"", "no duration"},
        {"\"duration\"", "\"P1D1D\"", "no duration"},
        {"\"duration\"", "\"P1.5Y2M\"", "no duration"},
        {"\"duration\"", "\"P1.5DT1H\"", "no duration"},
        {"\"duration\"", "\"PT1.S\"", "no duration"},
        {"\"duration\"", "\"PT.5S\"", "no duration"},
        {"\"duration\"", "\"P1W1D\"", "no duration"},
        {"\"duration\"", "\"PT5\"", "no duration"},
        {"\"duration\"", "\"PT1HT1M\"", "no duration"},
        {"\"duration\"", "\"1D\"", "no duration"},
        {"\"duration\"", "60", "no duration"},
    };

    (void)state;
    CHECK_ROWS(rows);
}

static void places_are_geojson_or_the_clouds_own(void **state)
{
    static const struct row rows[] = {
        {"\"point\"", GEOMETRY("Point", "[47.6,-122.1]"), NULL},
        {"\"point\"", GEOMETRY("Point", "[47.6,-122.1,30]"), NULL},
        {"\"point\"", GEOMETRY("Point", "[47.6]"), "no point"},
        {"\"point\"", GEOMETRY("Point", "[1,2,3,4]"), "no point"},
        {"\"point\"", GEOMETRY("Point", "[\"1\",2]"), "no point"},
        {"\"point\"", GEOMETRY("Point", "[[1,2]]"), "no point"},
        {"\"point\"", GEOMETRY("Polygon", "[1,2]"), "no point"},
        {"\"point\"", "{\"type\":\"Point\"}", "no point"},
        {"\"point\"", "[1,2]", "no point"},
        {"\"multiPoint\"", GEOMETRY("MultiPoint", "[]"), NULL},
        {"\"multiPoint\"", GEOMETRY("MultiPoint", "[[1,2],[3,4]]"), NULL},
        {"\"multiPoint\"", GEOMETRY("MultiPoint", "[1,2]"), "no multiPoint"},
        {"\"lineString\"", GEOMETRY("LineString", "[[1,2],[3,4]]"), NULL},
        {"\"lineString\"", GEOMETRY("LineString", "[[1,2]]"), "no lineString"},
        {"\"multiLineString\"", GEOMETRY("MultiLineString", "[[[1,2],[3,4]]]"), NULL},
        {"\"multiLineString\"", GEOMETRY("MultiLineString", "[[[1,2],[3,4]],[[1,2]]]"),
         "no multiLineString"},
        {"\"polygon\"", GEOMETRY("Polygon", "[[[0,0],[0,1],[1,1],[0,0]]]"), NULL},
        {"\"polygon\"", GEOMETRY("Polygon", "[[[0,0],[0,1],[0,0]]]"), "no polygon"},
        {"\"multiPolygon\"", GEOMETRY("MultiPolygon", "[[[[0,0],[0,1],[1,1],[0,0]]]]"), NULL},
        {"\"multiPolygon\"", GEOMETRY("MultiPolygon", "[[[[[0,0]]]]]"), "no multiPolygon"},
        {"\"geopoint\"", "{\"lat\":47.6,\"lon\":-122.1}", NULL},
        {"\"geopoint\"", "{\"lat\":47.6,\"lon\":-122.1,\"alt\":30}", NULL},
        {"\"geopoint\"", "{\"lat\":47.6,\"lon\":-122.1,\"alt\":\"30\"}", "no geopoint"},
        {"\"geopoint\"", "{\"lat\":47.6}", "no geopoint"},
        {"\"geopoint\"", "[47.6,-122.1]", "no geopoint"},
        {"\"vector\"", "{\"x\":1,\"y\":2,\"z\":3}", NULL},
        {"\"vector\"", "{\"x\":1,\"y\":2}", "no vector"},
        {"\"vector\"", "{\"x\":1,\"y\":2,\"z\":null}", "no vector"},
    };

    (void)state;
    CHECK_ROWS(rows);
}

static void C091_mismatches_inside_say_where(void **state)
{
    static const struct row rows[] = {
        {LIST, "[]", NULL},
        {LIST, "[1,2,3]", NULL},
        {LIST, "[1,\"2\",3]", "[1]: no integer"},
        {LIST, "{\"a\":1}", "no Array"},
        {NUMBERS, "2", NULL},
        {NUMBERS, "-1", NULL},
        {NUMBERS, "1.0", NULL},
        {NUMBERS, "3", "no value of the Enum"},
        {NUMBERS, "\"one\"", "no value of the Enum"},
        {WORDS, "\"ON\"", NULL},
        {WORDS, "\"on\"", "no value of the Enum"},
        {WORDS, "1", "no value of the Enum"},
        {MAP("\"double\""), "{}", NULL},
        {MAP("\"double\""), "{\"a\":1,\"any name\":2}", NULL},
        {MAP("\"double\""), "{\"a\":1,\"b\":\"2\"}", "b: no double"},
        {MAP("\"double\""), "[1]", "no Map"},
        {DATES, "{\"from\":\"2024-01-01\",\"to\":\"2024-01-02\"}", NULL},
        {DATES, "{}", NULL},
        {DATES, "{\"from\":\"2024-01-01\",\"more\":[1]}", NULL},
        {DATES, "{\"from\":\"2024-01-01\",\"to\":\"tomorrow\"}", "to: no date"},
        {DATES, "{\"from\":null}", "from: no date"},
        {DATES, "\"2024-01-01\"", "no Object"},
        {OBJECT_OF(MAP(LIST)), "{\"a\":{\"x\":[1],\"y\":[1,2,true]}}", "a.y[2]: no integer"},
        {OBJECT_OF(MAP(OBJECT_OF(MAP(LIST)))), "{\"a\":{\"b\":{\"a\":{\"c\":[1]}}}}", NULL},
        {OBJECT_OF(MAP(OBJECT_OF(MAP(LIST)))), "{\"a\":{\"b\":{\"a\":{\"c\":[{}]}}}}",
         "a.b.a.c[0]: no integer"},
        {OBJECT_OF(MAP(LIST)), "{\"a\":{\"x\":[[[[[[[[1]]]]]]]]}}", "a.x[0]: no integer"},
    };

    (void)state;
    CHECK_ROWS(rows);
}

static void long_paths_are_cut(void **state)
{
    struct model_fixture MODEL_CLEANUP f = {0};
    struct buf BUF_CLEANUP text = {.max = 1 << 16}, value = {.max = 1 << 16};
    const struct dtdl_schema *schema = open_schema(&f, &text, MAP(MAP("\"double\"")));
    struct fault why = {0};
    struct json *tree;

    (void)state;
    buf_append_str(&value, "{\"");
    for (size_t i = 0; i < 500; i++)
        buf_append_byte(&value, 'n');
    buf_append_str(&value, "\":{\"b\":\"c\"}}");
    assert_int_equal(json_parse(buf_slice(&value), JSON_LAST_WINS, &f.arena, &tree, &why), ST_OK);
    assert_false(dtdl_value_fits(schema, tree, &why));
    assert_true(slice_ends_with(slice_str(why.text), SLICE("n.b: no double")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(C091_C092_numbers_are_judged_exactly),
        cmocka_unit_test(times_are_iso_8601),
        cmocka_unit_test(places_are_geojson_or_the_clouds_own),
        cmocka_unit_test(C091_mismatches_inside_say_where),
        cmocka_unit_test(long_paths_are_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
