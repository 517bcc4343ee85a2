/* Borrowed bytes with a length: the only string type inside the program.
 *
 * A slice never owns; whoever hands one out says how long it lives. NUL-terminated strings exist
 * at the operating system's door and in literals only. */
#ifndef MUSTER_BASE_SLICE_H
#define MUSTER_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))
#define CHECKED __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

typedef struct {
    const uint8_t *ptr;
    size_t len;
} slice;

#define SLICE(literal) ((slice){(const uint8_t *)("" literal), sizeof(literal) - 1})
/* Arguments for "%.*s"; for messages only, a slice may hold any bytes. */
#define SLICE_FMT(s) ((int)((s).len > 4096 ? 4096 : (s).len)), ((const char *)(s).ptr)

static inline slice slice_of(const void *ptr, size_t len)
{
    return (slice){(const uint8_t *)ptr, len};
}

/* Borrows a NUL-terminated string; NULL becomes the empty slice. */
static inline slice slice_str(const char *text)
{
    return text ? slice_of(text, strlen(text)) : (slice){0};
}

static inline slice slice_from(slice s, size_t start)
{
    return start >= s.len ? (slice){0} : (slice){s.ptr + start, s.len - start};
}

static inline slice slice_first(slice s, size_t len)
{
    return (slice){s.ptr, len < s.len ? len : s.len};
}

static inline bool slice_equal(slice a, slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline bool slice_starts_with(slice s, slice prefix)
{
    return s.len >= prefix.len && slice_equal(slice_first(s, prefix.len), prefix);
}

static inline bool slice_ends_with(slice s, slice suffix)
{
    return s.len >= suffix.len && slice_equal(slice_from(s, s.len - suffix.len), suffix);
}

/* ASCII case is ignored; other bytes must be equal. */
bool slice_equal_nocase(slice a, slice b);
bool slice_starts_with_nocase(slice s, slice prefix);

/* <0, 0, >0 by bytes, then by length. */
int slice_compare(slice a, slice b);

/* Whether `c` occurs; *ret is its first position. */
bool slice_find(slice s, uint8_t c, size_t *ret);
/* Whether `needle` occurs; *ret is where it begins first. An empty needle is found at 0. */
bool slice_search(slice s, slice needle, size_t *ret);

/* Takes the part before the next `separator` off the front of *rest, and the separator with it.
 * The last part is all that is left; *rest is then empty with a NULL pointer. Call while
 * rest->ptr is not NULL:
 *     for (slice rest = text; rest.ptr;) { slice part = slice_split(&rest, '&'); ... } */
slice slice_split(slice *rest, uint8_t separator);

/* Without the blanks and tabs at both ends. */
slice slice_trim(slice s);

/* Decimal digits only, at least one, the whole slice, no overflow. */
CHECKED bool slice_to_u64(slice s, uint64_t *ret);
/* The same with an optional leading '-'. */
CHECKED bool slice_to_i64(slice s, int64_t *ret);

/* A heap copy with a NUL behind it, for the operating system's door; NULL when out of memory. */
char *slice_to_cstr(slice s);

/* FNV-1a, for hash tables and partitions of things that no peer profits from colliding. */
uint64_t slice_hash(slice s);

#endif
