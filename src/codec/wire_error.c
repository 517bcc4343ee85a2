#include "codec/wire_error.h"

#include <assert.h>

#include "codec/json.h"

#define UNAUTHORIZED_ACCESS "amqp:unauthorized-access"
#define NOT_FOUND "amqp:not-found"
#define NOT_ALLOWED "amqp:not-allowed"
#define RESOURCE_LIMIT "amqp:resource-limit-exceeded"
#define INTERNAL_ERROR "amqp:internal-error" /* every client tries again */
#define SIZE_EXCEEDED "amqp:link:message-size-exceeded"
#define ARGUMENT_ERROR "com.microsoft:argument-error"
#define ALREADY_EXISTS "com.microsoft:device-already-exists"
#define PRECONDITION "com.microsoft:precondition-failed"
#define HUB_NOT_FOUND "com.microsoft:iot-hub-not-found-error"
#define TIMED_OUT "com.microsoft:timeout"
#define THROTTLED "com.microsoft:device-container-throttled" /* tried again later */

/* clang-format off */

/* The hub's. Numbers and names: Azure/azure-iot-sdk-csharp, iothub/service/src/Common/Exceptions/
 * ErrorCode.cs; what the contract leaves open is its class times a thousand (405000). A refusal by
 * the application looks like any other (contract/central.md D5), and a policy that lacks a right
 * answers 401, not 403 (hub-service.md 1.4). What passes by itself has CONNACK 3. */
static const struct wire_error hub_errors[] = {
    [ST_OK] = {200, 0, "", "", NULL, 0},
    [ST_BAD_REQUEST] = {400, 400004, "ArgumentInvalid", "The request is not valid.", ARGUMENT_ERROR, 5},
    [ST_UNAUTHORIZED] = {401, 401003, "IotHubUnauthorized", "Unauthorized", UNAUTHORIZED_ACCESS, 5},
    [ST_FORBIDDEN] = {401, 401002, "IotHubUnauthorizedAccess", "The authorization rule does not allow access for this operation.", UNAUTHORIZED_ACCESS, 5},
    [ST_NOT_FOUND] = {404, 404006, "NotFound", "There is no such resource.", NOT_FOUND, 5},
    [ST_DEVICE_NOT_FOUND] = {404, 404001, "DeviceNotFound", "There is no such device.", NOT_FOUND, 5},
    [ST_MODULE_NOT_FOUND] = {404, 404010, "ModuleNotFound", "The device has no such module.", NOT_FOUND, 5},
    [ST_METHOD_NOT_ALLOWED] = {405, 405000, "MethodNotAllowed", "This resource does not take that method.", NOT_ALLOWED, 5},
    [ST_CONFLICT] = {409, 409001, "DeviceAlreadyExists", "It exists already, or was changed meanwhile.", ALREADY_EXISTS, 5},
    [ST_PRECONDITION_FAILED] = {412, 412001, "PreconditionFailed", "The given version is not the current one.", PRECONDITION, 5},
    [ST_TOO_LARGE] = {413, 413001, "MessageTooLarge", "The message is larger than allowed.", SIZE_EXCEEDED, 5},
    [ST_UNSUPPORTED_MEDIA] = {415, 415000, "UnsupportedMediaType", "The content type or encoding is not supported.", ARGUMENT_ERROR, 5},
    [ST_QUEUE_FULL] = {403, 403004, "DeviceMaximumQueueDepthExceeded", "The device's queue is full.", RESOURCE_LIMIT, 5},
    [ST_QUOTA] = {403, 403002, "IotHubQuotaExceeded", "The quota is used up.", RESOURCE_LIMIT, 5},
    [ST_THROTTLED] = {429, 429001, "ThrottlingException", "Too many requests.", THROTTLED, 3},
    [ST_NOT_ONLINE] = {404, 404103, "DeviceNotOnline", "The device is not online.", NOT_FOUND, 5},
    [ST_TIMEOUT] = {504, 504101, "GatewayTimeout", "The device did not answer in time.", TIMED_OUT, 3},
    [ST_BAD_ANSWER] = {502, 502000, "BadDeviceResponse", "The device's answer could not be used.", INTERNAL_ERROR, 5},
    [ST_REFUSED] = {401, 401003, "IotHubUnauthorized", "Unauthorized", UNAUTHORIZED_ACCESS, 5},
    [ST_NO_HUB] = {404, 404000, "IotHubNotFound", "There is no such hub.", HUB_NOT_FOUND, 3},
    [ST_NO_SPACE] = {503, 503001, "ServiceUnavailable", "The service cannot store data at the moment.", INTERNAL_ERROR, 3},
    [ST_UNAVAILABLE] = {503, 503001, "ServiceUnavailable", "The service is not available at the moment.", INTERNAL_ERROR, 3},
    [ST_NO_MEMORY] = {503, 503001, "ServiceUnavailable", "The service is not available at the moment.", INTERNAL_ERROR, 3},
    [ST_INTERNAL] = {500, 500001, "ServerError", "The service failed.", INTERNAL_ERROR, 3},
};
static_assert(COUNT_OF(hub_errors) == ST_COUNT, "every status has a form at the hub");

/* The DPS's (contract/provisioning.md 2.0). Its errors travel as numbers and messages; the names
 * are for the log. Whoever may not register learns nothing but "Unauthorized". */
static const struct wire_error dps_errors[] = {
    [ST_OK] = {200, 0, "", "", NULL, 0},
    [ST_BAD_REQUEST] = {400, 400004, "BadRequest", "The request is not valid.", ARGUMENT_ERROR, 5},
    [ST_UNAUTHORIZED] = {401, 401002, "Unauthorized", "Unauthorized", UNAUTHORIZED_ACCESS, 5},
    [ST_FORBIDDEN] = {403, 403000, "Forbidden", "The policy lacks the right for this operation.", UNAUTHORIZED_ACCESS, 5},
    [ST_NOT_FOUND] = {404, 404201, "NotFound", "Registration not found", NOT_FOUND, 5},
    [ST_DEVICE_NOT_FOUND] = {404, 404201, "NotFound", "Registration not found", NOT_FOUND, 5},
    [ST_MODULE_NOT_FOUND] = {404, 404201, "NotFound", "Registration not found", NOT_FOUND, 5},
    [ST_METHOD_NOT_ALLOWED] = {405, 405000, "MethodNotAllowed", "Method not allowed", NOT_ALLOWED, 5},
    [ST_CONFLICT] = {409, 409203, "Conflict", "Precondition failed.", PRECONDITION, 5},
    [ST_PRECONDITION_FAILED] = {412, 412000, "PreconditionFailed", "The given version is not the current one.", PRECONDITION, 5},
    [ST_TOO_LARGE] = {413, 413000, "TooLarge", "The request is larger than allowed.", SIZE_EXCEEDED, 5},
    [ST_UNSUPPORTED_MEDIA] = {415, 415000, "UnsupportedMediaType", "Unsupported media type", ARGUMENT_ERROR, 5},
    [ST_QUEUE_FULL] = {403, 403000, "QuotaExceeded", "A limit of the service is reached.", RESOURCE_LIMIT, 5},
    [ST_QUOTA] = {403, 403000, "QuotaExceeded", "A limit of the service is reached.", RESOURCE_LIMIT, 5},
    [ST_THROTTLED] = {429, 429001, "Throttled", "Throttled", THROTTLED, 3},
    [ST_NOT_ONLINE] = {404, 404201, "NotFound", "Registration not found", NOT_FOUND, 5},
    [ST_TIMEOUT] = {504, 504000, "Timeout", "The service did not answer in time.", INTERNAL_ERROR, 3},
    [ST_BAD_ANSWER] = {502, 502000, "BadAnswer", "The service got an answer that it could not use.", INTERNAL_ERROR, 3},
    [ST_REFUSED] = {400, 400209, "Refused", "Custom allocation failed with status code: 401", UNAUTHORIZED_ACCESS, 5},
    [ST_NO_HUB] = {400, 400208, "NoHub", "No hub is linked or allowed.", NOT_ALLOWED, 5},
    [ST_NO_SPACE] = {503, 503001, "ServiceUnavailable", "The service cannot store data at the moment.", INTERNAL_ERROR, 3},
    [ST_UNAVAILABLE] = {503, 503001, "ServiceUnavailable", "The service is not available at the moment.", INTERNAL_ERROR, 3},
    [ST_NO_MEMORY] = {503, 503001, "ServiceUnavailable", "The service is not available at the moment.", INTERNAL_ERROR, 3},
    [ST_INTERNAL] = {500, 500001, "ServerError", "The service failed.", INTERNAL_ERROR, 3},
};
static_assert(COUNT_OF(dps_errors) == ST_COUNT, "every status has a form at the DPS");

/* clang-format on */

static const struct wire_error *find(const struct wire_error *errors, enum status status)
{
    return &errors[(unsigned)status < ST_COUNT ? status : ST_INTERNAL];
}

const struct wire_error *hub_error(enum status status)
{
    return find(hub_errors, status);
}

const struct wire_error *dps_error(enum status status)
{
    return find(dps_errors, status);
}

void wire_error_write(const struct wire_error *e, slice message, slice tracking_id, instant now,
                      struct buf *to)
{
    struct json_writer w = {.to = to};
    char time[CLOCK_TEXT_MAX];

    json_open(&w, (slice){0}, '{');
    json_put_int(&w, SLICE("errorCode"), e->code);
    json_put_text(&w, SLICE("trackingId"), tracking_id);
    json_put_text(&w, SLICE("message"), message.len ? message : slice_str(e->message));
    json_put_text(&w, SLICE("timestampUtc"), clock_iso(now, time));
    json_close(&w, '}');
}
