/* The body of a batch in the device-to-cloud log, as stream_log.h draws it; all integers
 * big-endian. Building it is appending to a buffer; reading it is a cursor over checked bytes. */
#ifndef MUSTER_STREAM_LOG_BATCH_H
#define MUSTER_STREAM_LOG_BATCH_H

#include "base/buf.h"
#include "base/clock.h"
#include "base/reader.h"
#include "base/status.h"

#define LOG_BATCH_HEADER 8   /* bytes before the first record */
#define LOG_RECORD_HEADER 12 /* bytes before a record's own */

/* Starts an empty body in `to`. Failures stick in the buffer. */
void log_batch_begin(struct buf *to);
/* Joins the parts, `len` bytes in all, to one record. False: no room or no memory, and the body
 * is as it was. */
CHECKED bool log_batch_add(struct buf *to, instant enqueued_at, const slice *parts, size_t count,
                           size_t len);
/* Writes the count into the header of a body that was begun. */
void log_batch_end(struct buf *to, uint32_t count);

struct log_batch {
    uint32_t count; /* records left to read */
    struct reader records;
};

/* Checks the whole body, so that reading its records cannot fail. Borrows from it. */
CHECKED enum status log_batch_open(slice body, struct log_batch *ret, struct fault *why);
/* The next record; only while `count` is not 0. */
slice log_batch_next(struct log_batch *batch, instant *ret_enqueued_at);

#endif
