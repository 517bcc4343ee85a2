/* A change of one device by an operator, on any worker: what device_acts.c and device_edit.c have
 * in common.
 *
 *     [template] -> device -> change: the unit -> committed -> the device as it is now
 *                     ^                  |
 *                     +------------------+ ST_CONFLICT: the row changed meanwhile
 *
 * A change is written against the row as it was read. A device that registers as fast as it can
 * wins some rounds in a row, and must not keep an operator from blocking it: there are many. */
#ifndef MUSTER_CENTRAL_DEVICE_TASK_H
#define MUSTER_CENTRAL_DEVICE_TASK_H

#include "central/central_internal.h"

/* The first member of a task's own structure. */
struct device_task {
    struct central *c;
    struct arena arena; /* all that the task keeps */
    slice device_id, template_id;
    bool needs_template; /* a published one of that ID */
    bool removes;        /* the device: none is left to be shown */
    struct device *device;
    instant now; /* of the change */
    unsigned rounds;
    /* The device is read: ends in device_task_submit, _revoke, _finish or _fail. */
    void (*change)(struct device_task *t);
    /* It is durable: ends in device_task_revoke or _finish. */
    void (*committed)(struct device_task *t);
    device_view_fn *on_view;
    void *context;
    struct fault why;
};

/* The task's own structure, of `size` bytes, all zero but what is given here. NULL after
 * ST_NO_MEMORY was answered. */
void *device_task_create(size_t size, struct central *c, device_view_fn *on_view, void *context);
void device_task_start(struct device_task *t);
/* The unit is taken; after ST_CONFLICT all starts anew. */
void device_task_submit(struct device_task *t, struct unit *unit);
/* Closes what was let in before `generation`, then finishes. */
void device_task_revoke(struct device_task *t, int64_t generation);

/* The ends; the task is freed. */

void device_task_finish(struct device_task *t);
void device_task_fail(struct device_task *t, enum status status);

#endif
