/* Last values and history of each device: a view of the device-to-cloud log (contract/central.md
 * 7.2), built behind the acknowledgement and never in front of it.
 *
 *     log --read by offset--> gathered by device --> rows of each device --> the partition's offset
 *      ^                                                                            |
 *      +----------------------------------------------------------------------------+
 *
 * A step takes what the log has got since the last, at most one step a second for each partition,
 * and fewer where they take long.
 * Its devices are written in units of PROJECTION_GROUP, each device's row with the offset up to
 * which it has been told; the partition's own offset goes with the last unit. So after a kill -9
 * the step is done again, and what had been written is passed over: nothing twice, nothing lost.
 *
 * What costs too much is sampled, never delayed: when a step has more messages than
 * PROJECTION_STEP_MESSAGES, those of a device beyond PROJECTION_SHARE are left out but for its
 * newest, and counted. They are in the log, whole. Messages of modules are not projected.
 *
 * Values are judged by the model of their device's template: how many did not fit is counted.
 *
 * The history is bounded for each device and by age; a few rows are deleted at a time. */
#ifndef MUSTER_CENTRAL_PROJECTION_H
#define MUSTER_CENTRAL_PROJECTION_H

#include "net/worker.h"
#include "store/store.h"
#include "stream/stream_log.h"

struct projection;

#define PROJECTION_STEP_MESSAGES 32768
#define PROJECTION_SHARE 64 /* messages a device is sure of in each step */
#define PROJECTION_GROUP 64 /* devices in one unit of work */

struct projection_options {
    int64_t retention_ms;    /* messages older than this are deleted; 30 days */
    int64_t device_messages; /* kept of one device, roughly; 50,000 */
    int64_t device_bytes;    /* the same in bytes; 8 MiB */
    int64_t pace_ms;         /* between the starts of two steps of a partition; 1,000 */
};
extern const struct projection_options projection_defaults;

/* Before workers_start, after log_create; goes on where it was. */
CHECKED struct projection *projection_create(struct workers *ws, struct store *st, struct bus *bus,
                                             struct stream_log *log,
                                             const struct projection_options *options,
                                             struct fault *why);
/* After workers_stop and before store_close. */
void projection_destroy(struct projection *p);

/* Adds to the unit that deletes a device: what is kept of it is out of sight at once, and deleted
 * a little at a time. */
void projection_unit_forget(struct unit *unit, slice device_id);

#endif
