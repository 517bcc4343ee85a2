/* A cursor over bytes from outside whose failure sticks: read all of a unit, check once.
 *
 * After the first read past the end every further read gives zero or an empty slice and
 * `short_read` stays set. Integers are big-endian. */
#ifndef MUSTER_BASE_READER_H
#define MUSTER_BASE_READER_H

#include "base/slice.h"

struct reader {
    slice rest;
    bool short_read;
};

static inline slice read_bytes(struct reader *r, size_t len)
{
    slice taken;

    if (r->short_read || len > r->rest.len) {
        r->short_read = true;
        r->rest = (slice){0};
        return (slice){0};
    }
    taken = slice_first(r->rest, len);
    r->rest = (slice){r->rest.ptr + len, r->rest.len - len};
    return taken;
}

static inline uint64_t read_uint(struct reader *r, size_t width)
{
    slice bytes = read_bytes(r, width);
    uint64_t value = 0;

    for (size_t i = 0; i < bytes.len; i++)
        value = value << 8 | bytes.ptr[i];
    return value;
}

static inline uint8_t read_u8(struct reader *r)
{
    return (uint8_t)read_uint(r, 1);
}

static inline uint16_t read_u16(struct reader *r)
{
    return (uint16_t)read_uint(r, 2);
}

static inline uint32_t read_u32(struct reader *r)
{
    return (uint32_t)read_uint(r, 4);
}

static inline uint64_t read_u64(struct reader *r)
{
    return read_uint(r, 8);
}

#endif
