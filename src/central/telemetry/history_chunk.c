#include "central/telemetry/history_chunk.h"

void history_chunk_add(struct buf *to, const struct history_message *m)
{
    buf_append_u64(to, m->offset);
    buf_append_u64(to, (uint64_t)m->enqueued_at);
    buf_append_u64(to, (uint64_t)m->at);
    buf_append_u32(to, (uint32_t)m->bag.len);
    buf_append_u32(to, (uint32_t)m->body.len);
    buf_append(to, m->bag);
    buf_append(to, m->body);
}

size_t history_chunk_read(slice chunk, struct history_message *to)
{
    struct reader r = {.rest = chunk};
    size_t count = 0;

    while (r.rest.len > 0 && count < HISTORY_CHUNK_MESSAGES) {
        struct history_message *m = &to[count];
        uint32_t bag_len, body_len;

        m->offset = read_u64(&r);
        m->enqueued_at = (instant)read_u64(&r);
        m->at = (instant)read_u64(&r);
        bag_len = read_u32(&r);
        body_len = read_u32(&r);
        m->bag = read_bytes(&r, bag_len);
        m->body = read_bytes(&r, body_len);
        if (r.short_read)
            break;
        count++;
    }
    return count;
}
