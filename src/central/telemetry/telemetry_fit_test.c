#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "central/property/model_fixture.h"
#include "central/telemetry/telemetry.h"

static const char fan[] =
    "{\"@type\":\"Property\",\"name\":\"speed\",\"schema\":\"double\"},"
    "{\"@type\":\"Telemetry\",\"name\":\"t\",\"schema\":\"long\"},"
    "{\"@type\":\"Component\",\"name\":\"pump\",\"schema\":{\"@type\":\"Interface\","
    "\"@id\":\"dtmi:t:p;1\",\"contents\":["
    "{\"@type\":\"Telemetry\",\"name\":\"flow\",\"schema\":\"double\"}]}}";

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
        cmocka_unit_test(C089_C091_what_no_definition_fits_is_unmodelled),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
