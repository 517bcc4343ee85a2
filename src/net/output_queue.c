#include "net/output_queue.h"

#include <assert.h>
#include <stdlib.h>

#define CHUNK_BYTES (2048 - sizeof(void *))
#define POOL_MAX 1024

struct chunk {
    struct chunk *next;
    uint8_t bytes[CHUNK_BYTES];
};

void chunk_pool_deinit(struct chunk_pool *pool)
{
    while (pool->free) {
        struct chunk *next = pool->free->next;

        free(pool->free);
        pool->free = next;
    }
    pool->len = 0;
}

static struct chunk *chunk_get(struct chunk_pool *pool)
{
    struct chunk *c = pool->free;

    if (!c)
        return malloc(sizeof *c);
    pool->free = c->next;
    pool->len--;
    return c;
}

static void chunk_put(struct chunk_pool *pool, struct chunk *c)
{
    if (pool->len >= POOL_MAX) {
        free(c);
        return;
    }
    c->next = pool->free;
    pool->free = c;
    pool->len++;
}

static void chunks_put(struct chunk_pool *pool, struct chunk *first)
{
    while (first) {
        struct chunk *next = first->next;

        chunk_put(pool, first);
        first = next;
    }
}

/* A list of chunks with room for `len` bytes; NULL when out of memory. */
static struct chunk *chunks_for(struct chunk_pool *pool, size_t len)
{
    struct chunk *first = NULL;

    for (size_t room = 0; room < len; room += CHUNK_BYTES) {
        struct chunk *c = chunk_get(pool);

        if (!c) {
            chunks_put(pool, first);
            return NULL;
        }
        c->next = first;
        first = c;
    }
    return first;
}

static void fill_last(struct output_queue *q, slice bytes)
{
    memcpy(q->last->bytes + q->end, bytes.ptr, bytes.len);
    q->end = (uint16_t)(q->end + bytes.len);
    q->len += (uint32_t)bytes.len;
}

static void append_chunk(struct output_queue *q, struct chunk *c)
{
    c->next = NULL;
    if (q->last)
        q->last->next = c;
    else
        q->first = c;
    q->last = c;
    q->end = 0;
}

bool output_append(struct output_queue *q, struct chunk_pool *pool, slice bytes)
{
    size_t room = q->last ? CHUNK_BYTES - q->end : 0;
    struct chunk *fresh = NULL;

    if (bytes.len == 0)
        return true;
    if (bytes.len > room) {
        fresh = chunks_for(pool, bytes.len - room);
        if (!fresh)
            return false;
    }
    if (room > 0)
        fill_last(q, slice_first(bytes, room));
    bytes = slice_from(bytes, room);
    while (fresh) {
        struct chunk *next = fresh->next;

        append_chunk(q, fresh);
        fill_last(q, slice_first(bytes, CHUNK_BYTES));
        bytes = slice_from(bytes, CHUNK_BYTES);
        fresh = next;
    }
    return true;
}

static slice chunk_bytes(const struct output_queue *q, const struct chunk *c)
{
    size_t start = c == q->first ? q->taken : 0;
    size_t end = c == q->last ? q->end : CHUNK_BYTES;

    return slice_of(c->bytes + start, end - start);
}

slice output_peek(const struct output_queue *q, uint8_t *buffer, size_t cap)
{
    size_t len = 0;

    if (q->len == 0)
        return (slice){0};
    if (q->first == q->last)
        return slice_first(chunk_bytes(q, q->first), cap);
    for (const struct chunk *c = q->first; c && len < cap; c = c->next) {
        slice part = slice_first(chunk_bytes(q, c), cap - len);

        memcpy(buffer + len, part.ptr, part.len);
        len += part.len;
    }
    return slice_of(buffer, len);
}

void output_consume(struct output_queue *q, struct chunk_pool *pool, size_t len)
{
    assert(len <= q->len);
    while (len > 0) {
        struct chunk *c = q->first;
        size_t have = chunk_bytes(q, c).len;
        size_t part = have < len ? have : len;

        len -= part;
        q->len -= (uint32_t)part;
        q->taken = (uint16_t)(q->taken + part);
        if (part < have)
            return;
        q->first = c->next;
        q->taken = 0;
        if (!q->first) {
            q->last = NULL;
            q->end = 0;
        }
        chunk_put(pool, c);
    }
}

void output_clear(struct output_queue *q, struct chunk_pool *pool)
{
    chunks_put(pool, q->first);
    *q = (struct output_queue){0};
}
