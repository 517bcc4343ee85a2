/* Inside stream/: the log's parts.
 *
 *     stream_log.c      life: the schema, the partitions, opening and closing
 *     log_append.c      appending and acknowledging: one lane per worker and partition
 *     log_read.c        reading by offset
 *     log_retention.c   deleting what is too old or too much
 *     log_batch.c       the bytes of a batch */
#ifndef MUSTER_STREAM_LOG_INTERNAL_H
#define MUSTER_STREAM_LOG_INTERNAL_H

#include "stream/log_batch.h"
#include "stream/stream_log.h"

/* What waits for a batch, in order. */
struct log_entry {
    struct log_waiter *waiter;
    uint32_t token;
    bool is_marker;
};

#define LOG_ENTRIES_MAX 131072 /* of one batch */

/* A batch being filled, or being committed. Its memory is used again for the next. */
struct log_gathering {
    struct buf body;
    uint32_t count;
    instant first_at, last_at;
    struct log_entry *entries;
    size_t entry_count, entry_cap;
};

/* A worker's way into one partition. Two gatherings take turns: one is open while the other is
 * on its way through the store.
 *
 *     append --> [open] --turn's end, none in flight--> [flying] --commit--> waiters --> again */
struct log_lane {
    struct turn_hook hook;
    struct mail room; /* waits for room in the store's queue */
    struct stream_log *log;
    struct log_worker *worker;
    unsigned partition;
    struct log_gathering *open, *flying;
    bool in_flight, waits_for_room, is_full;
    struct log_gathering two[2];
};

struct log_worker {
    struct worker *worker;
    struct log_lane *lanes; /* by partition */
    unsigned full_lanes;
    struct mail *hooks; /* waiting until no lane is full, in reverse */
};

struct log_retention {
    struct timer timer;
    struct stream_log *log;
    unsigned partition; /* to look at next */
};

struct stream_log {
    struct store *store;
    struct bus *bus;
    struct log_options options;
    struct log_retention retention;
    unsigned worker_count;
    struct log_worker workers[];
};

void log_lane_init(struct log_lane *lane, struct stream_log *log, struct log_worker *worker,
                   unsigned partition);

/* Arms the timer of worker `w`, before the workers start. */
void log_retention_start(struct log_retention *r, struct stream_log *log, struct worker *w);
/* One look at one partition, then the timer again. On that worker. */
void log_retention_look(struct log_retention *r);

#endif
