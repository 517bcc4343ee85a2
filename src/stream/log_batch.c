#include "stream/log_batch.h"

#include <assert.h>

#define MAGIC 0x4D4C4231u /* "MLB1" */

void log_batch_begin(struct buf *to)
{
    buf_clear(to);
    buf_append_u32(to, MAGIC);
    buf_append_u32(to, 0);
}

bool log_batch_add(struct buf *to, instant enqueued_at, const slice *parts, size_t count,
                   size_t len)
{
    /* All of it or nothing: afterwards no append can fail. */
    if (to->failed || !buf_room(to, LOG_RECORD_HEADER + len)) {
        to->failed = false;
        return false;
    }
    buf_append_u32(to, (uint32_t)len);
    buf_append_u64(to, (uint64_t)enqueued_at);
    for (size_t i = 0; i < count; i++)
        buf_append(to, parts[i]);
    return true;
}

void log_batch_end(struct buf *to, uint32_t count)
{
    assert(to->len >= LOG_BATCH_HEADER);
    for (unsigned i = 0; i < 4; i++)
        to->ptr[4 + i] = (uint8_t)(count >> (24 - 8 * i));
}

enum status log_batch_open(slice body, struct log_batch *ret, struct fault *why)
{
    struct reader r = {.rest = body};
    uint32_t magic = read_u32(&r), count = read_u32(&r);
    struct log_batch batch = {.count = count, .records = r};

    if (r.short_read || magic != MAGIC)
        return fault_set(why, ST_BAD_REQUEST, "not a log batch");
    while (count-- > 0 && !r.short_read) {
        uint32_t len = read_u32(&r);

        (void)read_u64(&r);
        (void)read_bytes(&r, len);
    }
    if (r.short_read || r.rest.len > 0)
        return fault_set(why, ST_BAD_REQUEST, "the records do not fill the log batch");
    *ret = batch;
    return ST_OK;
}

slice log_batch_next(struct log_batch *batch, instant *ret_enqueued_at)
{
    uint32_t len = read_u32(&batch->records);

    assert(batch->count > 0);
    batch->count--;
    *ret_enqueued_at = (instant)read_u64(&batch->records);
    return read_bytes(&batch->records, len);
}
