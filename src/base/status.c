#include "base/status.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

static const char *const status_names[] = {
    [ST_OK] = "ok",
    [ST_BAD_REQUEST] = "bad_request",
    [ST_UNAUTHORIZED] = "unauthorized",
    [ST_FORBIDDEN] = "forbidden",
    [ST_NOT_FOUND] = "not_found",
    [ST_DEVICE_NOT_FOUND] = "device_not_found",
    [ST_MODULE_NOT_FOUND] = "module_not_found",
    [ST_METHOD_NOT_ALLOWED] = "method_not_allowed",
    [ST_CONFLICT] = "conflict",
    [ST_PRECONDITION_FAILED] = "precondition_failed",
    [ST_TOO_LARGE] = "too_large",
    [ST_UNSUPPORTED_MEDIA] = "unsupported_media",
    [ST_QUEUE_FULL] = "queue_full",
    [ST_QUOTA] = "quota",
    [ST_THROTTLED] = "throttled",
    [ST_NOT_ONLINE] = "not_online",
    [ST_TIMEOUT] = "timeout",
    [ST_BAD_ANSWER] = "bad_answer",
    [ST_REFUSED] = "refused",
    [ST_NO_HUB] = "no_hub",
    [ST_NO_SPACE] = "no_space",
    [ST_UNAVAILABLE] = "unavailable",
    [ST_NO_MEMORY] = "no_memory",
    [ST_INTERNAL] = "internal",
};
static_assert(COUNT_OF(status_names) == ST_COUNT, "every status has a name");

const char *status_name(enum status status)
{
    return (unsigned)status < ST_COUNT ? status_names[status] : "unknown";
}

enum status fault_set(struct fault *why, enum status status, const char *format, ...)
{
    va_list args;

    if (!why)
        return status;
    why->status = status;
    va_start(args, format);
    vsnprintf(why->text, sizeof why->text, format, args);
    va_end(args);
    return status;
}
