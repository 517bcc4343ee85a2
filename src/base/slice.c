#include "base/slice.h"

#include <stdlib.h>

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

bool slice_equal_nocase(slice a, slice b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++) {
        if (lower(a.ptr[i]) != lower(b.ptr[i]))
            return false;
    }
    return true;
}

bool slice_starts_with_nocase(slice s, slice prefix)
{
    return s.len >= prefix.len && slice_equal_nocase(slice_first(s, prefix.len), prefix);
}

int slice_compare(slice a, slice b)
{
    size_t shorter = a.len < b.len ? a.len : b.len;
    int order = shorter ? memcmp(a.ptr, b.ptr, shorter) : 0;

    if (order != 0)
        return order;
    return a.len < b.len ? -1 : a.len > b.len;
}

bool slice_find(slice s, uint8_t c, size_t *ret)
{
    const uint8_t *at = s.len ? memchr(s.ptr, c, s.len) : NULL;

    if (!at)
        return false;
    *ret = (size_t)(at - s.ptr);
    return true;
}

bool slice_search(slice s, slice needle, size_t *ret)
{
    if (needle.len == 0) {
        *ret = 0;
        return true;
    }
    for (size_t i = 0; i + needle.len <= s.len; i++) {
        if (slice_equal(slice_of(s.ptr + i, needle.len), needle)) {
            *ret = i;
            return true;
        }
    }
    return false;
}

slice slice_split(slice *rest, uint8_t separator)
{
    slice part = *rest;
    size_t at;

    if (slice_find(*rest, separator, &at)) {
        part = slice_first(*rest, at);
        *rest = (slice){rest->ptr + at + 1, rest->len - at - 1};
    } else {
        *rest = (slice){0};
    }
    return part;
}

slice slice_trim(slice s)
{
    while (s.len > 0 && (s.ptr[0] == ' ' || s.ptr[0] == '\t'))
        s = (slice){s.ptr + 1, s.len - 1};
    while (s.len > 0 && (s.ptr[s.len - 1] == ' ' || s.ptr[s.len - 1] == '\t'))
        s.len--;
    return s;
}

bool slice_to_u64(slice s, uint64_t *ret)
{
    uint64_t value = 0;

    if (s.len == 0)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return false;
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(s.ptr[i] - '0'), &value))
            return false;
    }
    *ret = value;
    return true;
}

bool slice_to_i64(slice s, int64_t *ret)
{
    bool negative = s.len > 0 && s.ptr[0] == '-';
    uint64_t magnitude;

    if (!slice_to_u64(negative ? slice_from(s, 1) : s, &magnitude))
        return false;
    if (magnitude > (uint64_t)INT64_MAX + negative)
        return false;
    *ret = negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
    return true;
}

char *slice_to_cstr(slice s)
{
    char *copy = malloc(s.len + 1);

    if (!copy)
        return NULL;
    if (s.len)
        memcpy(copy, s.ptr, s.len);
    copy[s.len] = '\0';
    return copy;
}

uint64_t slice_hash(slice s)
{
    uint64_t hash = 14695981039346656037u;

    for (size_t i = 0; i < s.len; i++)
        hash = (hash ^ s.ptr[i]) * 1099511628211u;
    return hash;
}
