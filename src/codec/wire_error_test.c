#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <jansson.h>

#include "codec/wire_error.h"

typedef const struct wire_error *table_fn(enum status status);

static const struct {
    const char *name;
    table_fn *find;
} tables[] = {{"hub", hub_error}, {"dps", dps_error}};

static void check_row(const char *table, enum status status, const struct wire_error *e)
{
    if (e->code / 1000 != e->http_status)
        fail_msg("%s %s: code %d in status %d", table, status_name(status), e->code,
                 e->http_status);
    if (!e->name || !*e->name || !e->message || !*e->message || !e->amqp_condition)
        fail_msg("%s %s: a form is missing", table, status_name(status));
    if (e->connack != 3 && e->connack != 5)
        fail_msg("%s %s: CONNACK %d", table, status_name(status), e->connack);
}

static void P020_every_error_has_all_forms_and_a_code_of_its_class(void **state)
{
    (void)state;
    for (size_t t = 0; t < COUNT_OF(tables); t++) {
        assert_int_equal(tables[t].find(ST_OK)->http_status, 200);
        assert_int_equal(tables[t].find(ST_OK)->code, 0);
        assert_int_equal(tables[t].find(ST_OK)->connack, 0);
        for (enum status status = ST_OK + 1; status < ST_COUNT; status++)
            check_row(tables[t].name, status, tables[t].find(status));
        assert_ptr_equal(tables[t].find(ST_COUNT), tables[t].find(ST_INTERNAL));
    }
}

static void H030_H148_transient_causes_ask_the_device_to_come_again(void **state)
{
    static const enum status transient[] = {ST_THROTTLED, ST_TIMEOUT,   ST_NO_SPACE,
                                            ST_INTERNAL,  ST_NO_MEMORY, ST_UNAVAILABLE};
    static const enum status permanent[] = {ST_UNAUTHORIZED, ST_FORBIDDEN, ST_REFUSED,
                                            ST_DEVICE_NOT_FOUND};

    (void)state;
    for (size_t t = 0; t < COUNT_OF(tables); t++) {
        for (size_t i = 0; i < COUNT_OF(transient); i++) {
            assert_int_equal(tables[t].find(transient[i])->connack, 3);
            assert_true(tables[t].find(transient[i])->http_status >= 429);
        }
        for (size_t i = 0; i < COUNT_OF(permanent); i++)
            assert_int_equal(tables[t].find(permanent[i])->connack, 5);
    }
}

static void numbers_are_those_of_the_contract(void **state)
{
    static const struct {
        table_fn *find;
        enum status status;
        int code;
        const char *name; /* NULL: not stated */
    } rows[] = {
        {hub_error, ST_BAD_REQUEST, 400004, "ArgumentInvalid"},
        {hub_error, ST_UNAUTHORIZED, 401003, "IotHubUnauthorized"},
        {hub_error, ST_FORBIDDEN, 401002, "IotHubUnauthorizedAccess"},
        {hub_error, ST_REFUSED, 401003, "IotHubUnauthorized"},
        {hub_error, ST_DEVICE_NOT_FOUND, 404001, "DeviceNotFound"},
        {hub_error, ST_MODULE_NOT_FOUND, 404010, "ModuleNotFound"},
        {hub_error, ST_NOT_ONLINE, 404103, "DeviceNotOnline"},
        {hub_error, ST_CONFLICT, 409001, "DeviceAlreadyExists"},
        {hub_error, ST_PRECONDITION_FAILED, 412001, "PreconditionFailed"},
        {hub_error, ST_TOO_LARGE, 413001, "MessageTooLarge"},
        {hub_error, ST_QUEUE_FULL, 403004, "DeviceMaximumQueueDepthExceeded"},
        {hub_error, ST_QUOTA, 403002, "IotHubQuotaExceeded"},
        {hub_error, ST_THROTTLED, 429001, "ThrottlingException"},
        {hub_error, ST_TIMEOUT, 504101, "GatewayTimeout"},
        {hub_error, ST_UNAVAILABLE, 503001, "ServiceUnavailable"},
        {hub_error, ST_INTERNAL, 500001, "ServerError"},
        {dps_error, ST_BAD_REQUEST, 400004, NULL},
        {dps_error, ST_UNAUTHORIZED, 401002, NULL},
        {dps_error, ST_NOT_FOUND, 404201, NULL},
        {dps_error, ST_METHOD_NOT_ALLOWED, 405000, NULL},
        {dps_error, ST_CONFLICT, 409203, NULL},
        {dps_error, ST_UNSUPPORTED_MEDIA, 415000, NULL},
        {dps_error, ST_REFUSED, 400209, NULL},
        {dps_error, ST_NO_HUB, 400208, NULL},
        {dps_error, ST_THROTTLED, 429001, NULL},
        {dps_error, ST_INTERNAL, 500001, NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct wire_error *e = rows[i].find(rows[i].status);

        if (e->code != rows[i].code)
            fail_msg("%s: %d, not %d", status_name(rows[i].status), e->code, rows[i].code);
        if (rows[i].name)
            assert_string_equal(e->name, rows[i].name);
    }
}

/* The members of a body as the strictest parsers want them. */
static void check_body(const struct wire_error *e, slice message, const char *want)
{
    BUF_CLEANUP struct buf body = {.max = 4096};
    json_t *root;

    wire_error_write(e, message, SLICE("t-1\"\n"), 1769847330123, &body);
    assert_false(body.failed);
    root = json_loadb((const char *)body.ptr, body.len, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(root);
    assert_int_equal(json_object_size(root), 4);
    assert_int_equal(json_integer_value(json_object_get(root, "errorCode")), e->code);
    assert_string_equal(json_string_value(json_object_get(root, "trackingId")), "t-1\"\n");
    assert_string_equal(json_string_value(json_object_get(root, "message")), want);
    assert_string_equal(json_string_value(json_object_get(root, "timestampUtc")),
                        "2026-01-31T08:15:30.1230000Z");
    json_decref(root);
}

static void H075_P020_a_body_has_code_tracking_id_message_and_time(void **state)
{
    (void)state;
    check_body(dps_error(ST_UNAUTHORIZED), (slice){0}, "Unauthorized");
    check_body(hub_error(ST_BAD_REQUEST), SLICE("key \"$a\" is not allowed"),
               "key \"$a\" is not allowed");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(P020_every_error_has_all_forms_and_a_code_of_its_class),
        cmocka_unit_test(H030_H148_transient_causes_ask_the_device_to_come_again),
        cmocka_unit_test(numbers_are_those_of_the_contract),
        cmocka_unit_test(H075_P020_a_body_has_code_tracking_id_message_and_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
