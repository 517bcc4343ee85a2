#include "base/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define ARENA_BLOCK_BYTES 4000

struct arena_block {
    struct arena_block *next;
    size_t used, cap;
    alignas(max_align_t) uint8_t bytes[];
};

void arena_init(struct arena *a, size_t max)
{
    *a = (struct arena){.max = max};
}

void arena_deinit(struct arena *a)
{
    while (a->blocks) {
        struct arena_block *next = a->blocks->next;

        free(a->blocks);
        a->blocks = next;
    }
    arena_init(a, a->max);
}

void arena_reset(struct arena *a)
{
    struct arena_block *kept = a->blocks;

    if (kept && kept->cap == ARENA_BLOCK_BYTES) {
        a->blocks = kept->next;
        arena_deinit(a);
        kept->next = NULL;
        kept->used = 0;
        a->blocks = kept;
    } else {
        arena_deinit(a);
    }
}

static struct arena_block *add_block(struct arena *a, size_t size)
{
    size_t cap = size > ARENA_BLOCK_BYTES ? size : ARENA_BLOCK_BYTES, bytes;
    struct arena_block *block;

    if (__builtin_add_overflow(sizeof *block, cap, &bytes))
        return NULL;
    block = malloc(bytes);
    if (!block)
        return NULL;
    block->used = 0;
    block->cap = cap;
    block->next = a->blocks;
    a->blocks = block;
    return block;
}

static bool round_up(size_t size, size_t *ret)
{
    if (__builtin_add_overflow(size, alignof(max_align_t) - 1, ret))
        return false;
    *ret &= ~(alignof(max_align_t) - 1);
    return true;
}

void *arena_alloc(struct arena *a, size_t size)
{
    size_t aligned, total;
    struct arena_block *block = a->blocks;
    void *ret;

    if (a->failed || !round_up(size, &aligned) ||
        __builtin_add_overflow(a->used, aligned, &total) || total > a->max) {
        a->failed = true;
        return NULL;
    }
    if (!block || block->cap - block->used < aligned)
        block = add_block(a, aligned);
    if (!block) {
        a->failed = true;
        return NULL;
    }
    ret = block->bytes + block->used;
    block->used += aligned;
    a->used += aligned;
    return memset(ret, 0, aligned);
}

void *arena_alloc_array(struct arena *a, size_t count, size_t size)
{
    size_t bytes;

    if (__builtin_mul_overflow(count, size, &bytes)) {
        a->failed = true;
        return NULL;
    }
    return arena_alloc(a, bytes);
}

slice arena_copy(struct arena *a, slice bytes)
{
    uint8_t *copy = bytes.len < SIZE_MAX ? arena_alloc(a, bytes.len + 1) : NULL;

    if (!copy)
        return (slice){0};
    if (bytes.len)
        memcpy(copy, bytes.ptr, bytes.len);
    return slice_of(copy, bytes.len);
}

slice arena_printf(struct arena *a, const char *format, ...)
{
    va_list args, again;
    slice ret = {0};
    char *text;
    int len;

    va_start(args, format);
    va_copy(again, args);
    len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    text = len < 0 ? NULL : arena_alloc(a, (size_t)len + 1);
    if (text) {
        vsnprintf(text, (size_t)len + 1, format, again);
        ret = slice_of(text, (size_t)len);
    }
    va_end(again);
    return ret;
}
