#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define BUF_SMALLEST 64

void buf_init(struct buf *b, size_t max)
{
    *b = (struct buf){.max = max};
}

void buf_deinit(struct buf *b)
{
    free(b->ptr);
    buf_init(b, b->max);
}

void buf_clear(struct buf *b)
{
    b->len = 0;
    b->failed = false;
}

uint8_t *buf_room(struct buf *b, size_t len)
{
    size_t need, cap = b->cap ? b->cap : BUF_SMALLEST;
    uint8_t *grown;

    if (b->failed || __builtin_add_overflow(b->len, len, &need) || need > b->max ||
        need == SIZE_MAX) {
        b->failed = true;
        return NULL;
    }
    if (need <= b->cap && b->ptr)
        return b->ptr + b->len;
    while (cap < need)
        cap = cap > SIZE_MAX / 2 ? need : cap * 2;
    if (cap > b->max)
        cap = b->max;
    grown = realloc(b->ptr, cap + 1); /* the one for vsnprintf's NUL */
    if (!grown) {
        b->failed = true;
        return NULL;
    }
    b->ptr = grown;
    b->cap = cap;
    return b->ptr + b->len;
}

void buf_grew(struct buf *b, size_t len)
{
    b->len += len;
}

void buf_append(struct buf *b, slice bytes)
{
    uint8_t *to;

    if (bytes.len == 0)
        return;
    to = buf_room(b, bytes.len);
    if (!to)
        return;
    memcpy(to, bytes.ptr, bytes.len);
    b->len += bytes.len;
}

void buf_append_byte(struct buf *b, uint8_t byte)
{
    buf_append(b, slice_of(&byte, 1));
}

void buf_append_str(struct buf *b, const char *text)
{
    buf_append(b, slice_str(text));
}

void buf_printf(struct buf *b, const char *format, ...)
{
    va_list args, again;
    uint8_t *to;
    int len;

    va_start(args, format);
    va_copy(again, args);
    len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    to = len < 0 ? NULL : buf_room(b, (size_t)len);
    if (to) {
        vsnprintf((char *)to, (size_t)len + 1, format, again);
        b->len += (size_t)len;
    }
    va_end(again);
}

void buf_consume(struct buf *b, size_t len)
{
    if (len >= b->len) {
        b->len = 0;
        return;
    }
    memmove(b->ptr, b->ptr + len, b->len - len);
    b->len -= len;
}

void buf_append_u16(struct buf *b, uint16_t value)
{
    uint8_t bytes[2] = {(uint8_t)(value >> 8), (uint8_t)value};

    buf_append(b, slice_of(bytes, sizeof bytes));
}

void buf_append_u32(struct buf *b, uint32_t value)
{
    buf_append_u16(b, (uint16_t)(value >> 16));
    buf_append_u16(b, (uint16_t)value);
}

void buf_append_u64(struct buf *b, uint64_t value)
{
    buf_append_u32(b, (uint32_t)(value >> 32));
    buf_append_u32(b, (uint32_t)value);
}
