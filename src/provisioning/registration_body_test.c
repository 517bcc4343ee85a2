#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/buf.h"
#include "provisioning/registration_body.h"

static void P021_P022_C029_C030_C031_C032_C033_C035_body_is_read_or_refused(void **state)
{
    static const struct {
        const char *name, *body;
        enum status status;
        const char *model_id;
    } rows[] = {
        {"empty", "", ST_OK, ""},
        {"blank", " \r\n", ST_OK, ""},
        {"no members", "{}", ST_OK, ""},
        {"null payload", "{\"registrationId\":\"dev-001\",\"payload\":null}", ST_OK, ""},
        {"ID in another case", "{\"registrationId\":\"DEV-001\"}", ST_OK, ""},
        {"ID null", "{\"registrationId\":null}", ST_OK, ""},
        {"another ID", "{\"registrationId\":\"dev-002\"}", ST_BAD_REQUEST, ""},
        {"ID no string", "{\"registrationId\":1}", ST_BAD_REQUEST, ""},
        {"no object", "[]", ST_BAD_REQUEST, ""},
        {"no JSON", "{", ST_BAD_REQUEST, ""},
        {"two values", "{}{}", ST_BAD_REQUEST, ""},
        {"modelId", "{\"payload\":{\"modelId\":\"dtmi:a;1\"}}", ST_OK, "dtmi:a;1"},
        {"iotcModelId", "{\"payload\":{\"iotcModelId\":\"dtmi:b;1\"}}", ST_OK, "dtmi:b;1"},
        {"both", "{\"payload\":{\"iotcModelId\":\"b\",\"modelId\":\"a\"}}", ST_OK, "a"},
        {"under data", "{\"data\":{\"iotcModelId\":\"urn:t:1/1\"}}", ST_OK, "urn:t:1"},
        {"data, no version", "{\"data\":{\"modelId\":\"dtmi:a;1\"}}", ST_OK, "dtmi:a;1"},
        {"payload before data", "{\"data\":{\"modelId\":\"d\"},\"payload\":{\"modelId\":\"p\"}}",
         ST_OK, "p"},
        {"preview of 2019",
         "{\"payload\":{\"__iot:interfaces\":{\"CapabilityModelId\":\"urn:a:b:1\","
         "\"CapabilityModel\":{}}}}",
         ST_OK, "urn:a:b:1"},
        {"a string", "{\"payload\":\"{\\\"modelId\\\":\\\"dtmi:a;1\\\"}\"}", ST_OK, "dtmi:a;1"},
        {"a string of a string", "{\"payload\":\"\\\"x\\\"\"}", ST_OK, ""},
        {"a string, single quotes", "{\"payload\":\"{iotcModelId : 'x'}\"}", ST_OK, ""},
        {"payload a number", "{\"payload\":5}", ST_OK, ""},
        {"model ID a number", "{\"payload\":{\"modelId\":5}}", ST_OK, ""},
        {"model ID empty", "{\"payload\":{\"modelId\":\"\",\"iotcModelId\":\"x\"}}", ST_OK, "x"},
        {"TPM members", "{\"tpm\":{\"endorsementKey\":\"AA==\"}}", ST_OK, ""},
    };
    struct registration_body body;
    struct fault why;
    enum status status;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct arena ARENA_CLEANUP arena = {.max = 65536};

        body = (struct registration_body){0};
        status =
            registration_body_read(slice_str(rows[i].body), SLICE("dev-001"), &arena, &body, &why);
        if (status != rows[i].status)
            fail_msg("%s: %s", rows[i].name, status_name(status));
        if (!slice_equal(body.model_id, slice_str(rows[i].model_id)))
            fail_msg("%s: '%.*s'", rows[i].name, SLICE_FMT(body.model_id));
    }
}

static void body_over_the_limit_is_refused(void **state)
{
    struct arena ARENA_CLEANUP arena = {.max = 65536};
    struct buf BUF_CLEANUP big = {.max = 2 * REGISTRATION_BODY_MAX};
    struct registration_body body;
    struct fault why;

    (void)state;
    while (big.len <= REGISTRATION_BODY_MAX)
        buf_append_str(&big, "        ");
    assert_int_equal(registration_body_read(buf_slice(&big), SLICE("dev-001"), &arena, &body, &why),
                     ST_TOO_LARGE);
}

static void C037_a_gateway_is_announced(void **state)
{
    static const struct {
        const char *body, *gateway_id;
    } rows[] = {
        {"{\"payload\":{\"iotcGateway\":{\"iotcGatewayId\":\"gw\",\"iotcIsGateway\":false}}}",
         "gw"},
        {"{\"payload\":\"{\\\"iotcGateway\\\":{\\\"iotcGatewayId\\\":\\\"gw\\\"}}\"}", "gw"},
        {"{\"data\":{\"iotcGateway\":{\"iotcGatewayId\":\"gw\"}}}", "gw"},
        {"{\"payload\":{\"iotcGateway\":{\"iotcGatewayId\":7}}}", ""},
        {"{\"payload\":{\"iotcGateway\":\"gw\"}}", ""},
        {"{\"payload\":{\"modelId\":\"dtmi:a;1\"}}", ""},
        {"{}", ""},
    };
    struct registration_body body;
    struct fault why;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct arena ARENA_CLEANUP arena = {.max = 65536};

        body = (struct registration_body){0};
        assert_int_equal(
            registration_body_read(slice_str(rows[i].body), SLICE("child"), &arena, &body, &why),
            ST_OK);
        if (!slice_equal(body.gateway_id, slice_str(rows[i].gateway_id)))
            fail_msg("%s: '%.*s'", rows[i].body, SLICE_FMT(body.gateway_id));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(C037_a_gateway_is_announced),
        cmocka_unit_test(P021_P022_C029_C030_C031_C032_C033_C035_body_is_read_or_refused),
        cmocka_unit_test(body_over_the_limit_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
