/* property_list.h, property_change.h, and whether telemetry fits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "central/property/model_fixture.h"
#include "central/property/property_change.h"
#include "central/telemetry/telemetry.h"

#define TEXT_MAX 4096

static const char fan[] =
    "{\"@type\":\"Property\",\"name\":\"speed\",\"schema\":\"double\",\"writable\":true},"
    "{\"@type\":\"Property\",\"name\":\"maker\",\"schema\":\"string\"},"
    "{\"@type\":[\"Property\",\"Cloud\"],\"name\":\"owner\",\"schema\":\"string\"},"
    "{\"@type\":\"Telemetry\",\"name\":\"t\",\"schema\":\"long\"},"
    "{\"@type\":\"Command\",\"name\":\"go\"},"
    "{\"@type\":\"Component\",\"name\":\"pump\",\"schema\":{\"@type\":\"Interface\","
    "\"@id\":\"dtmi:t:p;1\",\"contents\":["
    "{\"@type\":\"Property\",\"name\":\"limit\",\"schema\":\"integer\",\"writable\":true},"
    "{\"@type\":[\"Property\",\"Cloud\"],\"name\":\"room\",\"schema\":\"string\"},"
    "{\"@type\":\"Telemetry\",\"name\":\"flow\",\"schema\":\"double\"}]}}";

static struct property_sources sources(struct arena *arena, const char *desired,
                                       const char *reported, const char *cloud)
{
    return (struct property_sources){
        .desired = fixture_json(arena, desired),
        .desired_metadata = fixture_json(arena, "{\"speed\":{\"$lastUpdated\":\"T\","
                                                "\"$lastUpdatedVersion\":5},\"pump\":{\"limit\":{"
                                                "\"$lastUpdatedVersion\":7}}}"),
        .reported = fixture_json(arena, reported),
        .reported_metadata = fixture_json(arena, "{\"speed\":{\"$lastUpdated\":\"R\"}}"),
        .cloud = cloud ? fixture_json(arena, cloud) : NULL,
    };
}

/* --- the list ------------------------------------------------------------------------------------
 */

static bool on_property(void *context, const struct property *p)
{
    const struct json *value = property_value(p);

    buf_printf(context, "%.*s.%.*s %s %s %lld %.*s; ", SLICE_FMT(p->component), SLICE_FMT(p->name),
               property_kind_name(p->kind), sync_state_name(p->state),
               (long long)p->desired_version, SLICE_FMT(value ? value->raw : SLICE("-")));
    return true;
}

static void expect_list(const char *model, const char *desired, const char *reported,
                        const char *cloud, bool with_unset, const char *want)
{
    ARENA_CLEANUP struct arena arena = {.max = MODEL_ARENA_MAX};
    BUF_CLEANUP struct buf text = {.max = TEXT_MAX};
    struct property_sources from = sources(&arena, desired, reported, cloud);
    struct device_model m;

    fixture_model(&m, model);
    assert_true(property_list(&m, &from, with_unset, &arena, on_property, &text));
    buf_append_byte(&text, 0);
    assert_string_equal((const char *)text.ptr, want);
    device_model_deinit(&m);
}

static void the_device_s_own_come_first_then_its_components(void **state)
{
    (void)state;
    expect_list(fan, "{\"pump\":{\"__t\":\"c\",\"limit\":3},\"speed\":7}",
                "{\"pump\":{\"__t\":\"c\",\"limit\":{\"value\":3,\"ac\":200,\"av\":7}},"
                "\"maker\":\"me\",\"speed\":{\"value\":6,\"ac\":202,\"av\":5}}",
                "{\"owner\":\"Ann\",\"pump\":{\"room\":\"a\"}}", false,
                ".maker readOnly deviceValue 0 \"me\"; .speed writable pending 5 6; "
                ".owner cloud none 0 \"Ann\"; pump.limit writable synced 7 3; "
                "pump.room cloud none 0 \"a\"; ");
}

static void what_nobody_set_is_listed_when_asked_for(void **state)
{
    (void)state;
    expect_list(fan, "{}", "{}", NULL, false, "");
    expect_list(fan, "{}", "{}", NULL, true,
                ".speed writable none 5 -; .maker readOnly none 0 -; .owner cloud none 0 -; "
                "pump.limit writable none 7 -; pump.room cloud none 0 -; ");
}

static void a_report_of_a_command_is_no_property(void **state)
{
    (void)state;
    expect_list(fan, "{}", "{\"go\":{\"value\":1}}", NULL, false, "");
}

static void without_a_model_components_are_known_by_their_mark(void **state)
{
    (void)state;
    expect_list(NULL, "{\"a\":{\"b\":1}}", "{\"x\":1,\"c\":{\"__t\":\"c\",\"d\":2}}", NULL, false,
                ".x readOnly deviceValue 0 1; .a writable pending 0 -; "
                "c.d readOnly deviceValue 0 2; ");
}

static void thousands_of_members_are_listed_in_no_time(void **state)
{
    ARENA_CLEANUP struct arena arena = {.max = MODEL_ARENA_MAX};
    BUF_CLEANUP struct buf text = {.max = 1 << 20}, shown = {.max = 1 << 20};
    struct property_sources from = {0};
    struct device_model m;
    struct fault why;
    struct json *tree;

    (void)state;
    buf_append_byte(&text, '{');
    for (int i = 0; i < 9000; i++)
        buf_printf(&text, "%s\"m%d\":{}", i ? "," : "", i);
    buf_append_byte(&text, '}');
    assert_int_equal(json_parse(buf_slice(&text), JSON_LAST_WINS, &arena, &tree, &why), ST_OK);
    from.desired = from.reported = from.reported_metadata = from.desired_metadata = tree;
    fixture_model(&m, NULL);
    assert_true(property_list(&m, &from, false, &arena, on_property, &shown));
    assert_true(shown.len > 9000 * 10);
    device_model_deinit(&m);
}

/* --- changes
 * -------------------------------------------------------------------------------------- */

struct change_row {
    const char *name, *component, *body;
    bool replace;
    const char *desired_now, *cloud_now;
    const char *want; /* desired cloud answer, or the refusal */
};

static void expect_change(const char *model, enum property_format format,
                          const struct change_row *row)
{
    ARENA_CLEANUP struct arena arena = {.max = MODEL_ARENA_MAX};
    BUF_CLEANUP struct buf text = {.max = TEXT_MAX};
    struct property_request request = {
        .component = slice_str(row->component),
        .body = fixture_json(&arena, row->body),
        .replace = row->replace,
        .desired = row->desired_now ? fixture_json(&arena, row->desired_now) : NULL,
        .cloud = row->cloud_now ? fixture_json(&arena, row->cloud_now) : NULL,
    };
    struct property_change change;
    struct device_model m;
    struct fault why = {0};

    fixture_model(&m, model);
    m.format = format;
    if (property_change_make(&m, &request, &arena, &change, &why) == ST_OK) {
        json_write(change.desired, &text);
        buf_append_byte(&text, ' ');
        json_write(change.cloud, &text);
        buf_append_byte(&text, ' ');
        json_write(change.answer, &text);
    } else {
        buf_append_str(&text, why.text);
    }
    buf_append_byte(&text, 0);
    if (strcmp((const char *)text.ptr, row->want) != 0)
        fail_msg("%s: %s", row->name, (const char *)text.ptr);
    device_model_deinit(&m);
}

static void C095_C097_changes_take_the_form_of_the_template(void **state)
{
    static const struct change_row rows[] = {
        {.name = "root",
         .body = "{\"speed\":7,\"owner\":\"Ann\",\"$metadata\":{}}",
         .want = "{\"speed\":7} {\"owner\":\"Ann\"} "
                 "{\"owner\":\"Ann\",\"$metadata\":{\"speed\":{\"desiredValue\":7}}}"},
        {.name = "inside",
         .body = "{\"pump\":{\"limit\":3,\"room\":\"a\"}}",
         .want = "{\"pump\":{\"limit\":3,\"__t\":\"c\"}} {\"pump\":{\"room\":\"a\"}} "
                 "{\"pump\":{\"room\":\"a\",\"$metadata\":{\"limit\":{\"desiredValue\":3}}}}"},
        {.name = "of a component",
         .component = "pump",
         .body = "{\"limit\":null}",
         .want = "{\"pump\":{\"limit\":null,\"__t\":\"c\"}} {} "
                 "{\"$metadata\":{\"limit\":{\"desiredValue\":null}}}"},
        {.name = "put",
         .body = "{\"owner\":\"B\"}",
         .replace = true,
         .desired_now = "{\"speed\":1,\"other\":2,\"pump\":{\"limit\":1}}",
         .cloud_now = "{\"owner\":\"A\",\"pump\":{\"room\":\"a\"}}",
         .want = "{\"speed\":null,\"pump\":null} {\"owner\":\"B\",\"pump\":null} "
                 "{\"owner\":\"B\"}"},
        {.name = "a component is taken back",
         .body = "{\"pump\":null}",
         .desired_now = "{\"pump\":{\"limit\":1,\"__t\":\"c\"}}",
         .want = "{\"pump\":{\"limit\":null,\"__t\":\"c\"}} {} {}"},
        {.name = "nothing", .body = "{}", .want = "{} {} {}"},
        {.name = "read only", .body = "{\"maker\":1}", .want = "'maker': only the device sets it"},
        {.name = "no property", .body = "{\"t\":1}", .want = "'t': it is no property"},
        {.name = "unknown",
         .body = "{\"x\":1}",
         .want = "'x': the device's template has no such property"},
        {.name = "no object", .body = "{\"pump\":1}", .want = "'pump': a component is an object"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        expect_change(fan, PROPERTY_PNP, &rows[i]);
    expect_change(fan, PROPERTY_LEGACY,
                  &(struct change_row){.name = "legacy",
                                       .body = "{\"speed\":7,\"owner\":\"x\"}",
                                       .want = "{\"speed\":{\"value\":7}} {\"owner\":\"x\"} "
                                               "{\"owner\":\"x\",\"$metadata\":{\"speed\":{"
                                               "\"desiredValue\":7}}}"});
    expect_change(NULL, PROPERTY_PNP,
                  &(struct change_row){.name = "no model",
                                       .body = "{\"a\":1,\"c\":{\"__t\":\"c\",\"d\":2}}",
                                       .replace = true,
                                       .desired_now = "{\"b\":1}",
                                       .want = "{\"a\":1,\"c\":{\"d\":2,\"__t\":\"c\"},\"b\":null}"
                                               " {} {\"c\":{\"$metadata\":{\"d\":{"
                                               "\"desiredValue\":2}}},\"$metadata\":{\"a\":{"
                                               "\"desiredValue\":1}}}"});
}

static void a_change_has_a_bound(void **state)
{
    ARENA_CLEANUP struct arena arena = {.max = MODEL_ARENA_MAX};
    BUF_CLEANUP struct buf text = {.max = 1 << 20};
    struct property_request request = {0};
    struct property_change change;
    struct device_model m;
    struct fault why = {0};

    (void)state;
    buf_append_byte(&text, '{');
    for (int i = 0; i <= PROPERTY_CHANGE_MAX; i++)
        buf_printf(&text, "%s\"m%d\":1", i ? "," : "", i);
    buf_append_str(&text, "}");
    buf_append_byte(&text, 0);
    fixture_model(&m, NULL);
    request.body = fixture_json(&arena, (const char *)text.ptr);
    assert_int_equal(property_change_make(&m, &request, &arena, &change, &why), ST_TOO_LARGE);
    device_model_deinit(&m);
}

/* --- telemetry
 * ------------------------------------------------------------------------------------ */

static void C089_C091_what_no_definition_fits_is_unmodelled(void **state)
{
    static const struct {
        const char *component, *name, *value;
        enum telemetry_fit want;
    } rows[] = {
        {"", "t", "9223372036854775807", TELEMETRY_FITS},
        {"", "t", "9223372036854775808", TELEMETRY_MISMATCH},
        {"", "t", "\"hot\"", TELEMETRY_MISMATCH},
        {"", "flow", "1", TELEMETRY_UNKNOWN},
        {"", "speed", "1", TELEMETRY_UNKNOWN},
        {"pump", "flow", "1", TELEMETRY_FITS},
        {"none", "flow", "1", TELEMETRY_UNKNOWN},
    };
    ARENA_CLEANUP struct arena arena = {.max = MODEL_ARENA_MAX};
    struct device_model m, bare;

    (void)state;
    fixture_model(&m, fan);
    fixture_model(&bare, NULL);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct json *value = fixture_json(&arena, rows[i].value);
        slice component = slice_str(rows[i].component), name = slice_str(rows[i].name);

        if (telemetry_fit(&m, component, name, value) != rows[i].want)
            fail_msg("%s %s", rows[i].name, rows[i].value);
        assert_int_equal(telemetry_fit(&bare, component, name, value), TELEMETRY_NO_MODEL);
    }
    device_model_deinit(&m);
    device_model_deinit(&bare);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_device_s_own_come_first_then_its_components),
        cmocka_unit_test(what_nobody_set_is_listed_when_asked_for),
        cmocka_unit_test(a_report_of_a_command_is_no_property),
        cmocka_unit_test(without_a_model_components_are_known_by_their_mark),
        cmocka_unit_test(thousands_of_members_are_listed_in_no_time),
        cmocka_unit_test(C095_C097_changes_take_the_form_of_the_template),
        cmocka_unit_test(a_change_has_a_bound),
        cmocka_unit_test(C089_C091_what_no_definition_fits_is_unmodelled),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
