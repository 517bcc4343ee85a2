#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "codec/dtdl_fixture.h"
#include "codec/dtdl_sample.h"
#include "codec/dtdl_value.h"

static const struct dtdl_sample sample = {.seed = 42, .step = 3, .at = 1767225600000};

static const struct json *parse(struct model_fixture *f, const struct buf *text)
{
    struct json *root;
    struct fault why;
    slice kept = arena_copy(&f->arena, buf_slice(text));

    assert_false(text->failed);
    if (json_parse(kept, JSON_REFUSE_DUPLICATES, &f->arena, &root, &why) != ST_OK)
        fail_msg("%s in %.*s", why.text, SLICE_FMT(kept));
    return root;
}

/* --- values ----------------------------------------------------------------------------------- */

#define SCHEMA(text) ONE(V2_CENTRAL, "{\"@type\":\"Telemetry\",\"name\":\"x\",\"schema\":" text "}")
#define ENUM(kind, values)                                                                         \
    SCHEMA("{\"@type\":\"Enum\",\"valueSchema\":\"" kind "\",\"enumValues\":[" values "]}")

static void every_schema_gets_a_value_that_fits(void **state)
{
    static const char *const models[] = {
        SCHEMA("\"boolean\""),
        SCHEMA("\"date\""),
        SCHEMA("\"dateTime\""),
        SCHEMA("\"double\""),
        SCHEMA("\"duration\""),
        SCHEMA("\"float\""),
        SCHEMA("\"integer\""),
        SCHEMA("\"long\""),
        SCHEMA("\"string\""),
        SCHEMA("\"time\""),
        SCHEMA("\"point\""),
        SCHEMA("\"multiPoint\""),
        SCHEMA("\"lineString\""),
        SCHEMA("\"multiLineString\""),
        SCHEMA("\"polygon\""),
        SCHEMA("\"multiPolygon\""),
        SCHEMA("\"geopoint\""),
        SCHEMA("\"vector\""),
        ENUM("integer", "{\"name\":\"on\",\"enumValue\":1},{\"name\":\"off\",\"enumValue\":0}"),
        ENUM("string", "{\"name\":\"on\",\"enumValue\":\"o\"}"),
        SCHEMA("{\"@type\":\"Array\",\"elementSchema\":\"geopoint\"}"),
        SCHEMA("{\"@type\":\"Map\",\"mapKey\":{\"name\":\"k\",\"schema\":\"string\"},"
               "\"mapValue\":{\"name\":\"v\",\"schema\":\"integer\"}}"),
        SCHEMA("{\"@type\":\"Object\",\"fields\":[{\"name\":\"a\",\"schema\":\"date\"},"
               "{\"name\":\"b\",\"schema\":{\"@type\":\"Object\",\"fields\":[{\"name\":\"c\","
               "\"schema\":{\"@type\":\"Array\",\"elementSchema\":\"long\"}}]}},"
               "{\"name\":\"d\",\"schema\":\"boolean\"}]}"),
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(models); i++) {
        struct model_fixture MODEL_CLEANUP f = {0};
        const struct dtdl_schema *schema;
        struct fault why = {0};

        model_open(&f, models[i]);
        schema = dtdl_content_find(f.model->root, SLICE("x"))->typed.schema;
        for (uint64_t step = 0; step < 100; step++) {
            struct buf BUF_CLEANUP text = {.max = 4096};
            struct dtdl_sample s = sample;
            const struct json *value;

            s.step = step;
            assert_true(dtdl_sample_telemetry(&s, f.model->root, &text));
            value = json_member(parse(&f, &text), SLICE("x"));
            if (!value || !dtdl_value_fits(schema, value, &why))
                fail_msg("%s: %.*s: %s", models[i], SLICE_FMT(buf_slice(&text)), why.text);
        }
    }
}

/* All values of many steps as one text. */
static void run_steps(const struct dtdl_interface *root, uint64_t seed, struct buf *to)
{
    for (uint64_t step = 0; step < 50; step++) {
        const struct dtdl_sample s = {.seed = seed, .step = step, .at = sample.at};

        if (dtdl_sample_telemetry(&s, root, to))
            buf_append_byte(to, '\n');
    }
    assert_false(to->failed);
}

static void the_same_seed_says_the_same_and_another_says_something_else(void **state)
{
    struct model_fixture MODEL_CLEANUP f = {0};
    struct buf BUF_CLEANUP first = {.max = 65536}, again = {.max = 65536}, other = {.max = 65536};
    uint64_t seed = dtdl_sample_seed(1, SLICE("pump-01"));

    (void)state;
    model_open(&f, SCHEMA("\"double\""));
    run_steps(f.model->root, seed, &first);
    run_steps(f.model->root, seed, &again);
    run_steps(f.model->root, dtdl_sample_seed(1, SLICE("pump-02")), &other);
    assert_true(slice_equal(buf_slice(&first), buf_slice(&again)));
    assert_false(slice_equal(buf_slice(&first), buf_slice(&other)));
    assert_true(dtdl_sample_seed(1, SLICE("pump-01")) != dtdl_sample_seed(2, SLICE("pump-01")));
}

static double number(const struct json *value)
{
    char text[65] = {0};

    assert_non_null(value);
    assert_int_equal(value->kind, JSON_NUMBER);
    memcpy(text, value->text.ptr, value->text.len);
    return strtod(text, NULL);
}

#define QUANTITY(semantic, unit)                                                                   \
    ONE(V2_CENTRAL, "{\"@type\":[\"Telemetry\",\"" semantic "\"],\"name\":\"x\",\"schema\":"       \
                    "\"double\",\"unit\":\"" unit "\"}")
#define EDITED(members)                                                                            \
    ONE(V2_CENTRAL, "{\"@type\":[\"Telemetry\",\"NumberValue\"],\"name\":\"x\",\"schema\":"        \
                    "\"double\"," members "}")

static void numbers_stay_in_a_range_that_suits_what_they_measure(void **state)
{
    static const struct {
        const char *name, *model;
        double low, high;
    } rows[] = {
        {"nothing known", SCHEMA("\"double\""), 0, 100},
        {"celsius", QUANTITY("Temperature", "degreeCelsius"), 15, 30},
        {"kelvin", QUANTITY("Temperature", "kelvin"), 288, 303},
        {"pressure", QUANTITY("Pressure", "bar"), 0.95, 1.05},
        {"editor", EDITED("\"minValue\":-5,\"maxValue\":5,\"decimalPlaces\":1"), -5, 5},
        {"editor, upside down", EDITED("\"minValue\":9,\"maxValue\":5"), 9, 9},
        {"editor, beyond sense", EDITED("\"minValue\":-1e999,\"maxValue\":1e999"), -1e30, 1e30},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct model_fixture MODEL_CLEANUP f = {0};
        double least = 1e31, most = -1e31;

        model_open(&f, rows[i].model);
        for (uint64_t step = 0; step < 500; step++) {
            struct buf BUF_CLEANUP text = {.max = 4096};
            const struct dtdl_sample s = {.seed = 42, .step = step, .at = sample.at};
            double value;

            assert_true(dtdl_sample_telemetry(&s, f.model->root, &text));
            value = number(json_member(parse(&f, &text), SLICE("x")));
            least = value < least ? value : least;
            most = value > most ? value : most;
        }
        if (least < rows[i].low || most > rows[i].high)
            fail_msg("%s: %g to %g", rows[i].name, least, most);
        if (most - least < 0.7 * (rows[i].high - rows[i].low))
            fail_msg("%s: only %g to %g", rows[i].name, least, most);
    }
}

static void events_are_rare_and_a_device_without_a_model_has_something_to_say(void **state)
{
    struct model_fixture MODEL_CLEANUP f = {0};
    struct buf BUF_CLEANUP text = {.max = 4096};
    unsigned events = 0;

    (void)state;
    model_open(&f, ONE(V2_CENTRAL, "{\"@type\":[\"Telemetry\",\"Event\"],\"name\":\"alarm\","
                                   "\"schema\":\"string\"}"));
    for (uint64_t step = 0; step < 1200; step++) {
        const struct dtdl_sample s = {.seed = 42, .step = step, .at = sample.at};

        events += dtdl_sample_telemetry(&s, f.model->root, &text);
        if (events == 0)
            assert_int_equal(text.len, 0);
        buf_clear(&text);
    }
    assert_in_range(events, 50, 200);
    assert_true(dtdl_sample_telemetry(&sample, NULL, &text));
    assert_in_range((int)number(json_member(parse(&f, &text), SLICE("temperature"))), 15, 30);
}

/* --- properties and commands ------------------------------------------------------------------ */

static const char pump[] =
    "[{" V2_CENTRAL "\"@id\":\"dtmi:a:pump;1\",\"@type\":\"Interface\",\"contents\":["
    "{\"@type\":\"Property\",\"name\":\"serial\",\"schema\":\"string\"},"
    "{\"@type\":\"Property\",\"name\":\"target\",\"schema\":\"integer\",\"writable\":true},"
    "{\"@type\":[\"Property\",\"Cloud\"],\"name\":\"owner\",\"schema\":\"string\"},"
    "{\"@type\":\"Component\",\"name\":\"valve\",\"schema\":\"dtmi:a:valve;1\"},"
    "{\"@type\":\"Command\",\"name\":\"stop\"}]},"
    "{" V2_CENTRAL "\"@id\":\"dtmi:a:valve;1\",\"@type\":\"Interface\",\"contents\":["
    "{\"@type\":\"Property\",\"name\":\"open\",\"schema\":\"boolean\",\"writable\":true},"
    "{\"@type\":\"Command\",\"name\":\"test\",\"response\":{\"name\":\"r\","
    "\"schema\":\"integer\"}}]}]";

static void a_device_reports_all_its_properties_but_not_the_cloud_s(void **state)
{
    struct model_fixture MODEL_CLEANUP f = {0};
    struct buf BUF_CLEANUP text = {.max = 4096};
    const struct json *root, *valve;
    int64_t code;
    slice mark;

    (void)state;
    model_open(&f, pump);
    dtdl_sample_properties(&sample, f.model->root, &text);
    root = parse(&f, &text);
    assert_non_null(json_member(root, SLICE("serial")));
    assert_null(json_member(root, SLICE("owner")));
    assert_true(json_get_int(json_member(root, SLICE("target")), SLICE("ac"), &code));
    assert_int_equal(code, 203);
    valve = json_member(root, SLICE("valve"));
    assert_true(json_get_text(valve, SLICE("__t"), &mark));
    assert_non_null(json_member(json_member(valve, SLICE("open")), SLICE("value")));
}

static void what_is_asked_for_is_acknowledged_in_its_own_shape(void **state)
{
    static const struct {
        const char *name, *desired, *answer;
        bool without_model;
    } rows[] = {
        {"a property", "{\"target\":7,\"$version\":4}",
         "{\"target\":{\"value\":7,\"ac\":200,\"av\":4}}", false},
        {"a component's", "{\"valve\":{\"__t\":\"c\",\"open\":true},\"$version\":5}",
         "{\"valve\":{\"__t\":\"c\",\"open\":{\"value\":true,\"ac\":200,\"av\":5}}}", false},
        {"a component's without a model", "{\"v\":{\"__t\":\"c\",\"o\":1},\"$version\":5}",
         "{\"v\":{\"__t\":\"c\",\"o\":{\"value\":1,\"ac\":200,\"av\":5}}}", true},
        {"an object", "{\"o\":{\"a\":1},\"$version\":6}",
         "{\"o\":{\"value\":{\"a\":1},\"ac\":200,\"av\":6}}", false},
        {"taken away", "{\"target\":null,\"$version\":7}", NULL, false},
        {"an empty component", "{\"valve\":{\"__t\":\"c\"},\"$version\":7}", NULL, false},
        {"nothing", "{\"$version\":1}", NULL, false},
        {"no version", "{\"target\":1}", NULL, false},
        {"no object", "7", NULL, false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct model_fixture MODEL_CLEANUP f = {0};
        struct buf BUF_CLEANUP text = {.max = 4096};
        struct json *desired;
        bool answered;

        model_open(&f, pump);
        assert_int_equal(
            json_parse(slice_str(rows[i].desired), JSON_LAST_WINS, &f.arena, &desired, NULL),
            ST_OK);
        answered =
            dtdl_sample_acknowledge(rows[i].without_model ? NULL : f.model->root, desired, &text);
        if (answered != (rows[i].answer != NULL) ||
            !slice_equal(buf_slice(&text), slice_str(rows[i].answer)))
            fail_msg("%s: %.*s", rows[i].name, SLICE_FMT(buf_slice(&text)));
    }
}

static void a_command_is_answered_as_the_model_says(void **state)
{
    static const struct {
        const char *method;
        bool is_object;
    } rows[] = {{"stop", true}, {"valve*test", false}, {"valve*none", true},
                {"none", true}, {"target", true},      {"target*test", true}};
    struct model_fixture MODEL_CLEANUP f = {0};

    (void)state;
    model_open(&f, pump);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct buf BUF_CLEANUP text = {.max = 4096};

        dtdl_sample_response(&sample, f.model->root, slice_str(rows[i].method), &text);
        if (slice_equal(buf_slice(&text), SLICE("{}")) != rows[i].is_object)
            fail_msg("%s: %.*s", rows[i].method, SLICE_FMT(buf_slice(&text)));
        (void)parse(&f, &text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_schema_gets_a_value_that_fits),
        cmocka_unit_test(the_same_seed_says_the_same_and_another_says_something_else),
        cmocka_unit_test(numbers_stay_in_a_range_that_suits_what_they_measure),
        cmocka_unit_test(events_are_rare_and_a_device_without_a_model_has_something_to_say),
        cmocka_unit_test(a_device_reports_all_its_properties_but_not_the_cloud_s),
        cmocka_unit_test(what_is_asked_for_is_acknowledged_in_its_own_shape),
        cmocka_unit_test(a_command_is_answered_as_the_model_says),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
