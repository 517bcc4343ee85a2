#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "codec/json.h"
#include "provisioning/provisioning.h"

#define AT 1769847330123 /* 2026-01-31T08:15:30.123Z */

static const struct registration assigned = {
    .status = ST_OK,
    .state = REG_ASSIGNED,
    .operation_id = {(const uint8_t *)"5.op", 4},
    .registration_id = {(const uint8_t *)"dev-001", 7},
    .assigned_hub = {(const uint8_t *)"hub1.example.org", 16},
    .device_id = {(const uint8_t *)"dev-001", 7},
    .substatus = {(const uint8_t *)"initialAssignment", 17},
    .enrollment_group = {(const uint8_t *)"g1", 2},
    .created_at = AT,
    .updated_at = AT,
    .etag = 26,
};

static void expect_json(const char *name, const struct registration *r, bool bare, const char *want)
{
    struct buf BUF_CLEANUP text = {.max = 4096};

    registration_write_json(r, bare, SLICE("tr"), AT, &text);
    if (!slice_equal(buf_slice(&text), slice_str(want)))
        fail_msg("%s: %.*s", name, SLICE_FMT(buf_slice(&text)));
}

#define ETAG "\"etag\":\"IjAwMDAwMDAwMDAwMDAwMWEi\""
#define TIME "\"2026-01-31T08:15:30.1230000Z\""

static void
P014_P015_P016_P017_P018_P019_P103_registration_json_is_what_strict_clients_read(void **state)
{
    struct registration individual = assigned, failed = assigned, disabled = assigned,
                        no_device = assigned;
    const struct registration assigning = {.status = ST_OK,
                                           .state = REG_ASSIGNING,
                                           .operation_id = SLICE("5.op"),
                                           .registration_id = SLICE("dev-001"),
                                           .retry_after_s = 3};

    (void)state;
    individual.enrollment_group = (slice){0};
    failed.state = REG_FAILED;
    failed.error_code = 400209;
    failed.error_message = SLICE("Custom allocation failed with status code: 401");
    disabled.state = REG_DISABLED;
    no_device.device_id = (slice){0};
    expect_json("assigning", &assigning, false,
                "{\"operationId\":\"5.op\",\"status\":\"assigning\"}");
    expect_json("assigned", &assigned, false,
                "{\"operationId\":\"5.op\",\"status\":\"assigned\",\"registrationState\":{"
                "\"symmetricKey\":{\"enrollmentGroupId\":\"g1\"},\"registrationId\":\"dev-001\","
                "\"createdDateTimeUtc\":" TIME ",\"assignedHub\":\"hub1.example.org\","
                "\"deviceId\":\"dev-001\",\"status\":\"assigned\","
                "\"substatus\":\"initialAssignment\",\"lastUpdatedDateTimeUtc\":" TIME "," ETAG
                "}}");
    expect_json("bare", &individual, true,
                "{\"symmetricKey\":{},\"registrationId\":\"dev-001\",\"createdDateTimeUtc\":" TIME
                ",\"assignedHub\":\"hub1.example.org\",\"deviceId\":\"dev-001\","
                "\"status\":\"assigned\",\"substatus\":\"initialAssignment\","
                "\"lastUpdatedDateTimeUtc\":" TIME "," ETAG "}");
    expect_json("failed", &failed, false,
                "{\"operationId\":\"5.op\",\"status\":\"failed\",\"registrationState\":{"
                "\"registrationId\":\"dev-001\",\"createdDateTimeUtc\":" TIME
                ",\"status\":\"failed\",\"errorCode\":400209,"
                "\"errorMessage\":\"Custom allocation failed with status code: 401\","
                "\"lastUpdatedDateTimeUtc\":" TIME "," ETAG "}}");
    expect_json("disabled", &disabled, false,
                "{\"operationId\":\"5.op\",\"status\":\"disabled\",\"registrationState\":{"
                "\"registrationId\":\"dev-001\",\"createdDateTimeUtc\":" TIME
                ",\"status\":\"disabled\",\"lastUpdatedDateTimeUtc\":" TIME "," ETAG "}}");
    expect_json("hub without device", &no_device, true,
                "{\"symmetricKey\":{\"enrollmentGroupId\":\"g1\"},\"registrationId\":\"dev-001\","
                "\"createdDateTimeUtc\":" TIME ",\"status\":\"assigned\","
                "\"substatus\":\"initialAssignment\",\"lastUpdatedDateTimeUtc\":" TIME "," ETAG
                "}");
}

static void attestation_member_is_that_of_the_credential(void **state)
{
    static const struct {
        const char *name;
        bool by_certificate, individual;
        const char *want;
    } rows[] = {
        {"key of a group", false, false, "{\"symmetricKey\":{\"enrollmentGroupId\":\"g1\"},\"reg"},
        {"key of its own", false, true, "{\"symmetricKey\":{},\"reg"},
        {"certificate of a group", true, false, "{\"x509\":{\"enrollmentGroupId\":\"g1\"},\"reg"},
        {"certificate of its own", true, true, "{\"x509\":{},\"reg"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct buf BUF_CLEANUP text = {.max = 4096};
        struct registration r = assigned;

        r.by_certificate = rows[i].by_certificate;
        if (rows[i].individual)
            r.enrollment_group = (slice){0};
        registration_write_json(&r, true, SLICE("tr"), AT, &text);
        if (!slice_starts_with(buf_slice(&text), slice_str(rows[i].want)))
            fail_msg("%s: %.*s", rows[i].name, SLICE_FMT(buf_slice(&text)));
    }
}

static void P020_P082_error_body_names_code_and_tracking_id(void **state)
{
    static const struct {
        const char *name;
        struct registration r;
        const char *want;
    } rows[] = {
        {"unauthorized",
         {.status = ST_UNAUTHORIZED},
         "{\"errorCode\":401002,\"trackingId\":\"tr\",\"message\":\"Unauthorized\","
         "\"timestampUtc\":" TIME "}"},
        {"operation unknown",
         {.status = ST_NOT_FOUND,
          .error_code = 404202,
          .error_message = {(const uint8_t *)"Operation not found", 19}},
         "{\"errorCode\":404202,\"trackingId\":\"tr\",\"message\":\"Operation not found\","
         "\"timestampUtc\":" TIME "}"},
        {"throttled",
         {.status = ST_THROTTLED},
         "{\"errorCode\":429001,\"trackingId\":\"tr\",\"message\":\"Throttled\","
         "\"timestampUtc\":" TIME "}"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        expect_json(rows[i].name, &rows[i].r, false, rows[i].want);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            P014_P015_P016_P017_P018_P019_P103_registration_json_is_what_strict_clients_read),
        cmocka_unit_test(attestation_member_is_that_of_the_credential),
        cmocka_unit_test(P020_P082_error_body_names_code_and_tracking_id),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
