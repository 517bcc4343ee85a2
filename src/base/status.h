/* How things fail: a status for the program, a sentence for the log.
 *
 * The domain speaks `enum status` alone; how each leaves the building is a row in one table per
 * API family. A peer learns the status and a tracking ID; the sentence is for the operator. */
#ifndef MUSTER_BASE_STATUS_H
#define MUSTER_BASE_STATUS_H

#include "base/slice.h"

enum status {
    ST_OK,
    ST_BAD_REQUEST,         /* malformed, or against a stated rule */
    ST_UNAUTHORIZED,        /* credential missing, wrong, expired; or may not even learn why */
    ST_FORBIDDEN,           /* known, but lacks the right */
    ST_NOT_FOUND,           /* a thing other than a device or module */
    ST_DEVICE_NOT_FOUND,    /* no such device */
    ST_MODULE_NOT_FOUND,    /* no such module of a device that exists */
    ST_METHOD_NOT_ALLOWED,  /* HTTP method or operation unknown on this resource */
    ST_CONFLICT,            /* exists already, or changed meanwhile */
    ST_PRECONDITION_FAILED, /* the given ETag or version is not the current one */
    ST_TOO_LARGE,           /* over a named limit */
    ST_UNSUPPORTED_MEDIA,   /* content type or encoding */
    ST_QUEUE_FULL,          /* the device's C2D queue holds all it may */
    ST_QUOTA,               /* a configured quota is used up */
    ST_THROTTLED,           /* too many for now */
    ST_NOT_ONLINE,          /* the device has no channel for this just now */
    ST_TIMEOUT,             /* nobody answered in time */
    ST_BAD_ANSWER,          /* the device answered with something unusable */
    ST_REFUSED,             /* the application refuses: waiting, blocked, group off, no template */
    ST_NO_HUB,              /* no hub is linked or allowed */
    ST_NO_SPACE,            /* the disk is (nearly) full; nothing was written */
    ST_UNAVAILABLE,         /* transient: overload, shutdown, store not reachable */
    ST_NO_MEMORY,
    ST_INTERNAL,
    ST_COUNT
};

/* The status in words, as logs and metrics spell it: "bad_request". */
const char *status_name(enum status status);

#define FAULT_TEXT_MAX 200

/* The first cause of a failure, as a sentence without a full stop. */
struct fault {
    enum status status;
    char text[FAULT_TEXT_MAX];
};

/* Notes the cause and gives back `status`, so that failing is one line. `why` may be NULL. */
enum status fault_set(struct fault *why, enum status status, const char *format, ...)
    PRINTF_LIKE(3, 4);

#endif
