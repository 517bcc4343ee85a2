/* Messages of one device in a row of the history, as they came. Pure.
 *
 *     entry: u64 offset in the log, u64 taken in at, u64 time of what it says, u32 bag length,
 *     u32 body length, bag, body; integers big-endian, times in ms */
#ifndef MUSTER_CENTRAL_HISTORY_CHUNK_H
#define MUSTER_CENTRAL_HISTORY_CHUNK_H

#include "base/buf.h"
#include "base/clock.h"
#include "base/reader.h"

#define HISTORY_CHUNK_MESSAGES 256
#define HISTORY_CHUNK_BYTES (64 * 1024) /* a chunk ends beyond this; one message always fits */

struct history_message {
    uint64_t offset;
    instant enqueued_at, at;
    slice bag, body;
};

/* Failures stick in the buffer. */
void history_chunk_add(struct buf *to, const struct history_message *m);
/* Unpacks at most HISTORY_CHUNK_MESSAGES in their order; how many. What is damaged ends it. */
size_t history_chunk_read(slice chunk, struct history_message *to);

#endif
