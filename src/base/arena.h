/* Memory that lives as long as one request and is freed all at once.
 *
 * Nothing is freed one by one. The zero struct with a `max` is a valid empty arena. Allocating
 * past the maximum or out of memory gives NULL and sets `failed`. */
#ifndef MUSTER_BASE_ARENA_H
#define MUSTER_BASE_ARENA_H

#include "base/slice.h"

struct arena_block;

struct arena {
    struct arena_block *blocks;
    size_t used; /* bytes handed out by all blocks */
    size_t max;
    bool failed;
};

void arena_init(struct arena *a, size_t max);
void arena_deinit(struct arena *a);
/* Forgets all that was handed out and the failure; keeps one block for the next request. */
void arena_reset(struct arena *a);

/* Zeroed, aligned for any type. */
void *arena_alloc(struct arena *a, size_t size);
void *arena_alloc_array(struct arena *a, size_t count, size_t size);
/* Copies; a failure gives the empty slice (see `failed`). A NUL stands behind the copy. */
slice arena_copy(struct arena *a, slice bytes);
slice arena_printf(struct arena *a, const char *format, ...) PRINTF_LIKE(2, 3);

#define ARENA_CLEANUP __attribute__((cleanup(arena_deinit)))

#endif
