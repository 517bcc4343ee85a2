#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "codec/sync_state.h"

#define ARENA_MAX ((size_t)1 << 20)

static const struct json *parse(const char *text, struct arena *arena)
{
    struct json *value;
    struct fault why;

    if (!text)
        return NULL;
    if (json_parse(slice_str(text), JSON_LAST_WINS, arena, &value, &why) != ST_OK)
        fail_msg("%s: %s", text, why.text);
    return value;
}

struct row {
    const char *name, *desired;
    int64_t desired_version;
    const char *reported;
    enum sync_state state;
    const char *description;
};

static void check(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        ARENA_CLEANUP struct arena arena = {.max = ARENA_MAX};
        struct sync_report report;
        enum sync_state state;

        sync_report_read(parse(rows[i].reported, &arena), false, &report);
        state = sync_state_of(parse(rows[i].desired, &arena), rows[i].desired_version, &report);
        if (state != rows[i].state)
            fail_msg("%s: %s", rows[i].name, sync_state_name(state));
        if (rows[i].description && !slice_equal(report.description, slice_str(rows[i].description)))
            fail_msg("%s: '%.*s'", rows[i].name, SLICE_FMT(report.description));
    }
}

static void C093_acknowledgements_of_pnp_devices(void **state)
{
    static const struct row rows[] = {
        {"nothing", NULL, 0, NULL, SYNC_NONE, ""},
        {"only a device value", NULL, 0, "21", SYNC_DEVICE_VALUE, ""},
        {"no answer yet", "7", 5, NULL, SYNC_PENDING, ""},
        {"done", "7", 5, "{\"value\":7,\"ac\":200,\"av\":5}", SYNC_SYNCED, ""},
        {"done, in words", "7", 5, "{\"value\":7,\"ac\":200,\"av\":5,\"ad\":\"ok\"}", SYNC_SYNCED,
         "ok"},
        {"created", "7", 5, "{\"value\":7,\"ac\":201,\"av\":5}", SYNC_PENDING, ""},
        {"under way", "7", 5, "{\"value\":7,\"ac\":202,\"av\":5,\"ad\":\"soon\"}", SYNC_PENDING,
         "soon"},
        {"refused", "7", 5, "{\"value\":3,\"ac\":400,\"av\":5,\"ad\":\"too hot\"}", SYNC_ERROR,
         "too hot"},
        {"broken", "7", 5, "{\"value\":3,\"ac\":500,\"av\":5}", SYNC_ERROR, ""},
        {"a code that nobody knows", "7", 5, "{\"value\":7,\"ac\":204,\"av\":5}", SYNC_ERROR, ""},
        {"set by the device", NULL, 0, "{\"value\":7,\"ac\":203,\"av\":0}", SYNC_SET_BY_DEVICE, ""},
        {"set by the device, while ours waits", "7", 5, "{\"value\":7,\"ac\":203,\"av\":5}",
         SYNC_PENDING, ""},
        {"without an acknowledgement, equal", "7", 5, "7.0", SYNC_SYNCED, ""},
        {"without an acknowledgement, another", "7", 5, "8", SYNC_PENDING, ""},
        {"an acknowledgement without its value", "7", 5, "{\"ac\":200,\"av\":5}", SYNC_SYNCED, ""},
    };

    (void)state;
    check(rows, COUNT_OF(rows));
}

static void C094_acknowledged_versions(void **state)
{
    static const struct row rows[] = {
        {"the same", "7", 5, "{\"value\":7,\"ac\":200,\"av\":5}", SYNC_SYNCED, ""},
        {"higher", "7", 5, "{\"value\":7,\"ac\":200,\"av\":9}", SYNC_SYNCED, ""},
        {"lower", "7", 5, "{\"value\":7,\"ac\":200,\"av\":4}", SYNC_PENDING, ""},
        {"an old error", "7", 5, "{\"value\":3,\"ac\":400,\"av\":4}", SYNC_PENDING, ""},
        {"a later error", "7", 5, "{\"value\":3,\"ac\":400,\"av\":6}", SYNC_ERROR, ""},
        {"none, equal", "7", 5, "{\"value\":7,\"ac\":200}", SYNC_SYNCED, ""},
        {"none, another", "7", 5, "{\"value\":8,\"ac\":200}", SYNC_PENDING, ""},
        {"no code, equal", "7", 5, "{\"value\":7,\"av\":5}", SYNC_SYNCED, ""},
        {"no code, another", "7", 5, "{\"value\":8,\"av\":5}", SYNC_PENDING, ""},
        {"no number", "7", 5, "{\"value\":8,\"ac\":200,\"av\":\"x\"}", SYNC_PENDING, ""},
    };

    (void)state;
    check(rows, COUNT_OF(rows));
}

static void C095_settings_of_the_seed(void **state)
{
    static const struct row rows[] = {
        {"completed", "7", 3, "{\"value\":7,\"status\":\"completed\",\"desiredVersion\":3}",
         SYNC_SYNCED, ""},
        {"pending", "7", 3,
         "{\"value\":7,\"status\":\"pending\",\"desiredVersion\":3,\"message\":\"wait\"}",
         SYNC_PENDING, "wait"},
        {"any other word", "7", 3,
         "{\"value\":7,\"status\":\"error\",\"desiredVersion\":3,\"message\":\"no\"}", SYNC_ERROR,
         "no"},
        {"an earlier version", "7", 3,
         "{\"value\":7,\"status\":\"completed\",\"desiredVersion\":2}", SYNC_PENDING, ""},
        {"a number beside the word", "7", 3,
         "{\"value\":7,\"status\":\"whatever\",\"statusCode\":200,\"desiredVersion\":3}",
         SYNC_SYNCED, ""},
        {"a number in place of the word", "7", 3,
         "{\"value\":7,\"status\":200,\"desiredVersion\":3}", SYNC_SYNCED, ""},
        {"wrapped and nothing more, equal", "7", 3, "{\"value\":7}", SYNC_SYNCED, ""},
    };

    (void)state;
    check(rows, COUNT_OF(rows));
}

static void C096_both_families_at_once(void **state)
{
    static const struct row rows[] = {
        {"both agree", "7", 3,
         "{\"value\":7,\"ac\":200,\"av\":3,\"status\":\"completed\",\"desiredVersion\":3}",
         SYNC_SYNCED, ""},
        {"the later one counts", "7", 3,
         "{\"value\":7,\"ac\":400,\"av\":3,\"ad\":\"new\",\"status\":\"completed\","
         "\"message\":\"old\"}",
         SYNC_ERROR, "new"},
        {"half of each", "7", 3, "{\"value\":7,\"ac\":200,\"desiredVersion\":3}", SYNC_SYNCED, ""},
        {"a value in a value", "7", 3,
         "{\"value\":{\"value\":7},\"ac\":200,\"av\":3,\"status\":\"completed\"}", SYNC_SYNCED, ""},
        {"each around the other", "7", 3,
         "{\"value\":{\"value\":7,\"status\":\"completed\",\"desiredVersion\":3},\"ad\":\"x\"}",
         SYNC_SYNCED, "x"},
    };

    (void)state;
    check(rows, COUNT_OF(rows));
}

static void values_are_unwrapped_where_they_are_wrapped(void **state)
{
    static const struct {
        const char *name, *reported;
        bool is_object;
        const char *value; /* as compact JSON; NULL: none */
        bool has_ack;
    } rows[] = {
        {"bare", "21", false, "21", false},
        {"an object of its own", "{\"lat\":1,\"lon\":2}", false, "{\"lat\":1,\"lon\":2}", false},
        {"a lone value", "{\"value\":5}", false, "5", false},
        {"a lone value that the model knows", "{\"value\":5}", true, "{\"value\":5}", false},
        {"an acknowledged object", "{\"value\":{\"value\":5},\"ac\":200}", true, "{\"value\":5}",
         true},
        {"an acknowledgement among others", "{\"value\":5,\"ac\":200,\"x\":1}", false,
         "{\"value\":5,\"ac\":200,\"x\":1}", false},
        {"a value three times wrapped", "{\"value\":{\"value\":{\"value\":5}}}", false,
         "{\"value\":5}", false},
        {"an acknowledgement alone", "{\"ac\":200,\"av\":1}", false, NULL, true},
        {"a word that is no acknowledgement", "{\"message\":\"x\"}", false, "{\"message\":\"x\"}",
         false},
        {"null", "null", false, "null", false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        ARENA_CLEANUP struct arena arena = {.max = ARENA_MAX};
        BUF_CLEANUP struct buf text = {.max = 4096};
        struct sync_report report;

        sync_report_read(parse(rows[i].reported, &arena), rows[i].is_object, &report);
        if (report.value)
            json_write(report.value, &text);
        if (!report.value != !rows[i].value || report.has_ack != rows[i].has_ack ||
            !slice_equal(buf_slice(&text), slice_str(rows[i].value)))
            fail_msg("%s: %.*s", rows[i].name, SLICE_FMT(buf_slice(&text)));
    }
}

static void desired_values_are_unwrapped_by_format(void **state)
{
    static const struct {
        const char *desired;
        enum property_format format;
        const char *value;
    } rows[] = {
        {"7", PROPERTY_PNP, "7"},
        {"{\"value\":7}", PROPERTY_PNP, "{\"value\":7}"},
        {"{\"value\":7}", PROPERTY_LEGACY, "7"},
        {"{\"value\":7,\"x\":1}", PROPERTY_LEGACY, "{\"value\":7,\"x\":1}"},
        {"7", PROPERTY_LEGACY, "7"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        ARENA_CLEANUP struct arena arena = {.max = ARENA_MAX};
        BUF_CLEANUP struct buf text = {.max = 4096};

        json_write(sync_desired_value(parse(rows[i].desired, &arena), rows[i].format), &text);
        if (!slice_equal(buf_slice(&text), slice_str(rows[i].value)))
            fail_msg("%s: %.*s", rows[i].desired, SLICE_FMT(buf_slice(&text)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(C093_acknowledgements_of_pnp_devices),
        cmocka_unit_test(C094_acknowledged_versions),
        cmocka_unit_test(C095_settings_of_the_seed),
        cmocka_unit_test(C096_both_families_at_once),
        cmocka_unit_test(values_are_unwrapped_where_they_are_wrapped),
        cmocka_unit_test(desired_values_are_unwrapped_by_format),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
