/* Direct methods: a question to a device that is online now, and its answer (6.4). */
#ifndef MUSTER_HUB_METHOD_H
#define MUSTER_HUB_METHOD_H

#include "hub/session.h"

#define METHOD_PAYLOAD_MAX 131072
#define METHOD_CALLS_PER_DEVICE 10
#define METHOD_CALLS_MAX 1000

struct method_request {
    slice hub_name, device_id, module_id;
    slice name;                 /* method_name_valid, else ST_BAD_REQUEST */
    slice payload;              /* JSON; empty: null */
    int64_t response_timeout_s; /* 5..300, else ST_BAD_REQUEST; 30 is usual */
    int64_t connect_timeout_s;  /* 0..300: how long to wait for the device to be there */
};
/* ST_OK: the device answered. ST_NOT_ONLINE, ST_TIMEOUT, ST_DEVICE_NOT_FOUND, ST_THROTTLED (too
 * many open calls), ST_BAD_ANSWER (not JSON, or too large). Exactly once. */
typedef void method_fn(void *context, enum status status, int64_t method_status, slice payload,
                       const struct fault *why);
/* Any worker. */
void method_invoke(struct hub *hub, const struct method_request *request, method_fn *on_answer,
                   void *context);

/* The device's answer; an unknown or late rid is dropped. On the session's worker. */
void method_respond(struct session *s, slice rid, int64_t status, slice payload);

#endif
