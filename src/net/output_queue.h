/* Bytes on their way out, in chunks of 2 KiB that a worker keeps for re-use, so that writing
 * allocates nothing once warm and an idle connection holds nothing. */
#ifndef MUSTER_NET_OUTPUT_QUEUE_H
#define MUSTER_NET_OUTPUT_QUEUE_H

#include "base/slice.h"

/* The free chunks of a worker; the zero struct has none. At most 1,024 are kept. */
struct chunk;
struct chunk_pool {
    struct chunk *free;
    size_t len;
};
void chunk_pool_deinit(struct chunk_pool *pool);

/* The zero struct is an empty queue. */
struct output_queue {
    struct chunk *first, *last;
    uint32_t len;   /* bytes waiting */
    uint16_t taken; /* bytes of the first chunk that have left */
    uint16_t end;   /* bytes of the last chunk that are in use */
};
/* False, with the queue unchanged, when out of memory. */
CHECKED bool output_append(struct output_queue *q, struct chunk_pool *pool, slice bytes);
/* The first bytes, at most `cap`; borrowed from the queue, or gathered in `buffer`. */
slice output_peek(const struct output_queue *q, uint8_t *buffer, size_t cap);
void output_consume(struct output_queue *q, struct chunk_pool *pool, size_t len);
void output_clear(struct output_queue *q, struct chunk_pool *pool);

#endif
