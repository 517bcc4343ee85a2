/* Commands of a device (contract/central.md 7.3).
 *
 *     template says                   goes as                    ends when
 *     a command                       direct method              the device answered
 *       answered with 202                                        the device reports a property of
 *                                                                the command's name: {"value": ...}
 *     a durable command               cloud-to-device message    it is queued
 *     no template                     direct method              the device answered
 *
 * Each run is written down, also one that failed; the last of each command are kept. */
#ifndef MUSTER_CENTRAL_COMMANDS_H
#define MUSTER_CENTRAL_COMMANDS_H

#include "central/central.h"
#include "central/property/device_records.h"

#define COMMAND_RESPONSE_TIMEOUT_MIN_S 5
#define COMMAND_TIMEOUT_MAX_S 30 /* of both; 30 is usual for the response, 0 for the connection */
#define COMMAND_LIFE_MS (INT64_C(24) * 3600 * 1000) /* of one that waits for its device */
#define COMMAND_ACCEPTED 202 /* the device's answer: it is at it, and will report */

struct command_request {
    slice device_id, component, name;
    slice request; /* JSON; empty: no parameter */
    int64_t response_timeout_s, connect_timeout_s;
    slice actor;
};
/* `run` is NULL unless ST_OK. ST_NOT_FOUND: the template has no such command; ST_BAD_REQUEST: the
 * parameter is not what it says; ST_NOT_ONLINE, ST_TIMEOUT, ST_BAD_ANSWER, ST_QUEUE_FULL,
 * ST_DEVICE_NOT_FOUND. What was written down is durable then. */
typedef void command_fn(void *context, enum status status, const struct command_run *run,
                        const struct fault *why);
/* Slices are copied. On a worker. */
void central_command_run(struct central *c, const struct command_request *request,
                         command_fn *on_done, void *context);

struct command_filter {
    slice device_id, component;
    slice name;     /* empty: all commands of the device */
    int64_t before; /* numbers below; 0: the newest */
    unsigned limit;
};
/* The newest first; then once with run == NULL. ST_NOT_FOUND: the template has no such command. */
void central_command_list(struct central *c, const struct command_filter *filter,
                          command_fn *on_run, void *context);

#endif
