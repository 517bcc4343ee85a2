/* Bytes that grow, up to a maximum named where the buffer is made.
 *
 * Appending past the maximum or out of memory sets `failed` and changes nothing more: append
 * freely, check once at the end. The zero struct with a `max` is a valid empty buffer. */
#ifndef MUSTER_BASE_BUF_H
#define MUSTER_BASE_BUF_H

#include "base/slice.h"

struct buf {
    uint8_t *ptr;
    size_t len, cap;
    size_t max; /* bytes; the buffer never holds more */
    bool failed;
};

void buf_init(struct buf *b, size_t max);
/* Frees the bytes; the buffer is empty and usable again with the same maximum. */
void buf_deinit(struct buf *b);
/* Forgets the contents and the failure, keeps the memory. */
void buf_clear(struct buf *b);

void buf_append(struct buf *b, slice bytes);
void buf_append_byte(struct buf *b, uint8_t byte);
void buf_append_str(struct buf *b, const char *text);
void buf_printf(struct buf *b, const char *format, ...) PRINTF_LIKE(2, 3);
/* Room for `len` more bytes, to be written by the caller, then counted with buf_grew. NULL when
 * there is no such room. */
uint8_t *buf_room(struct buf *b, size_t len);
void buf_grew(struct buf *b, size_t len);
/* Drops the first `len` bytes. */
void buf_consume(struct buf *b, size_t len);
/* Big-endian integers, as the wire wants them. */
void buf_append_u16(struct buf *b, uint16_t value);
void buf_append_u32(struct buf *b, uint32_t value);
void buf_append_u64(struct buf *b, uint64_t value);

/* Borrowed until the next change of the buffer. */
static inline slice buf_slice(const struct buf *b)
{
    return (slice){b->ptr, b->len};
}

#define BUF_CLEANUP __attribute__((cleanup(buf_deinit)))

#endif
