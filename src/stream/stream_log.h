/* The device-to-cloud log: partitions of records, appended in batches, read by offset.
 *
 * Each worker gathers records per partition and hands a whole batch to the store as one row, so
 * the store's cost is paid per batch. While a batch of a worker's partition is being committed the
 * next one fills: load makes batches larger, not latency longer. A record is acknowledged to its
 * waiter after the commit that holds it.
 *
 * A record keeps the message as the device sent it: the property bag raw, the body raw, and what
 * the hub stamps (identity, times). Nothing is parsed on the way in; readers decode.
 *
 *     batch blob: u32 magic "MLB1", u32 count, then for each record u32 length, u64 enqueued time
 *     (ms) and its bytes;
 *     the row beside it: partition, base offset, count, first and last enqueued time, CRC-32C
 *
 * Offsets count records from 0 in each partition, never re-used. */
#ifndef MUSTER_STREAM_STREAM_LOG_H
#define MUSTER_STREAM_STREAM_LOG_H

#include "base/clock.h"
#include "base/slice.h"
#include "base/status.h"
#include "bus/bus.h"
#include "net/worker.h"
#include "store/store.h"

struct stream_log;

#define LOG_RECORD_MAX (400 * 1024)     /* bytes of one encoded record */
#define LOG_BATCH_MAX (4 * 1024 * 1024) /* bytes; a full batch is submitted at once */

struct log_options {
    unsigned partitions;     /* 1..32, 4 unless configured; fixed once the log has records */
    int64_t retention_ms;    /* whole batches older than this are deleted; 7 days */
    int64_t retention_bytes; /* of batches in the whole log, shared evenly; 0: no such limit */
};

extern const struct store_schema log_schema;

/* Before workers_start, after store_open. Starts the retention's timer on worker 0. */
CHECKED struct stream_log *log_create(struct workers *ws, struct store *st, struct bus *bus,
                                      const struct log_options *options, struct fault *why);
/* After workers_stop and store_close: the store may write from the log's buffers until then.
 * Waiters of what was not committed are not called. */
void log_destroy(struct stream_log *log);
unsigned log_partitions(const struct stream_log *log);
/* The same for a device ID for ever: FNV-1a of its bytes modulo the partitions. */
unsigned log_partition_of(const struct stream_log *log, slice device_id);

/* Who waits for a record. The log counts how many of its records are out in `pending`; the owner
 * must not free it before that is 0. */
struct log_waiter {
    uint32_t pending;
    /* On the worker that appended; `token` as given. ST_OK: durable. Else nothing was stored. */
    void (*on_done)(struct log_waiter *waiter, uint32_t token, enum status status);
};

/* Appends to the calling worker's open batch of `partition`. Parts are joined and copied. False:
 * too large, or no memory, or the store's queue is full (see log_has_room): nothing was taken.
 * `waiter` NULL: nobody waits. */
CHECKED bool log_append(struct stream_log *log, unsigned partition, instant enqueued_at,
                        const slice *parts, size_t count, struct log_waiter *waiter,
                        uint32_t token);
/* Puts `token` behind all records that this worker appended to `partition` and that are not yet
 * durable: on_done comes after theirs, at this turn's end at the earliest, never inside the call,
 * always with ST_OK: a marker stores nothing, it keeps acknowledgements in order. A waiter whose
 * `pending` is 0 has nothing to stay behind and may be acknowledged without a marker. */
CHECKED bool log_append_marker(struct stream_log *log, unsigned partition,
                               struct log_waiter *waiter, uint32_t token);
/* On a worker. While false, stop taking in records. */
bool log_has_room(const struct stream_log *log);
/* On a worker: posts `hook` to its inbox once there is room, at once if there is. */
void log_when_room(struct stream_log *log, struct mail *hook);

/* --- reading -------------------------------------------------------------------------------- */

struct log_record {
    unsigned partition;
    uint64_t offset;
    instant enqueued_at;
    slice bytes; /* borrowed for the call */
};

/* Calls `on_record` for records from `offset` on in order until it returns false, `max` were
 * given, or the end; then `on_end` once with the offset to go on from. Both may run before this
 * returns. `status` not ST_OK: the store failed, or a batch's checksum does not hold. An offset
 * older than the retention goes on from the oldest record there is. */
typedef bool log_record_fn(void *context, const struct log_record *record);
typedef void log_end_fn(void *context, enum status status, uint64_t next_offset);
void log_read(struct stream_log *log, unsigned partition, uint64_t offset, size_t max,
              log_record_fn *on_record, log_end_fn *on_end, void *context);
/* The same on a thread that may wait and is no worker: `on_end` has run when this returns. */
void log_read_now(struct stream_log *log, unsigned partition, uint64_t offset, size_t max,
                  log_record_fn *on_record, log_end_fn *on_end, void *context);

/* Where the log begins and ends now: the oldest offset that is kept, and the one that the next
 * record will get. The two are equal when it is empty. */
typedef void log_bounds_fn(void *context, enum status status, uint64_t oldest, uint64_t next);
void log_bounds(struct stream_log *log, unsigned partition, log_bounds_fn *on_bounds,
                void *context);

/* The bus subject on which a commit is told, once a batch: u32 partition, u64 next offset,
 * big-endian. */
#define LOG_ADVANCED_SUBJECT "log.advanced"

#endif
