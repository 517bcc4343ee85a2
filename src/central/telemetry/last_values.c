#include "central/telemetry/last_values.h"

#include <stdlib.h>

#define ENTRY_HEAD 16

/* --- entries ---------------------------------------------------------------------------------- */

bool last_values_next(struct reader *packed, struct last_value *ret)
{
    uint16_t component_len, name_len;
    uint32_t value_len;

    if (packed->rest.len == 0)
        return false;
    component_len = read_u16(packed);
    name_len = read_u16(packed);
    value_len = read_u32(packed);
    ret->at = (instant)read_u64(packed);
    ret->component = read_bytes(packed, component_len);
    ret->name = read_bytes(packed, name_len);
    ret->value = read_bytes(packed, value_len);
    return !packed->short_read;
}

static void append_entry(struct buf *to, const struct last_value *v)
{
    buf_append_u16(to, (uint16_t)v->component.len);
    buf_append_u16(to, (uint16_t)v->name.len);
    buf_append_u32(to, (uint32_t)v->value.len);
    buf_append_u64(to, (uint64_t)v->at);
    buf_append(to, v->component);
    buf_append(to, v->name);
    buf_append(to, v->value);
}

static size_t size_of(const struct last_value *v)
{
    return ENTRY_HEAD + v->component.len + v->name.len + v->value.len;
}

static int compare_keys(const struct last_value *a, const struct last_value *b)
{
    int order = slice_compare(a->component, b->component);

    return order != 0 ? order : slice_compare(a->name, b->name);
}

bool last_values_find(slice packed, slice component, slice name, struct last_value *ret)
{
    const struct last_value key = {.component = component, .name = name};
    struct reader r = {.rest = packed};

    while (last_values_next(&r, ret)) {
        if (compare_keys(ret, &key) == 0)
            return true;
    }
    return false;
}

/* --- merging ---------------------------------------------------------------------------------- */

/* A value among others, and where it came: of equal times the later one counts. */
struct candidate {
    struct last_value v;
    size_t place;
};

static int by_key_latest_first(const void *a, const void *b)
{
    const struct candidate *left = a, *right = b;
    int order = compare_keys(&left->v, &right->v);

    if (order != 0)
        return order;
    if (left->v.at != right->v.at)
        return left->v.at > right->v.at ? -1 : 1;
    return left->place > right->place ? -1 : left->place < right->place;
}

static int by_time_latest_first(const void *a, const void *b)
{
    const struct candidate *left = a, *right = b;

    if (left->v.at != right->v.at)
        return left->v.at > right->v.at ? -1 : 1;
    return compare_keys(&left->v, &right->v);
}

static size_t count_entries(slice packed)
{
    struct reader r = {.rest = packed};
    struct last_value ignored;
    size_t count = 0;

    while (last_values_next(&r, &ignored))
        count++;
    return count;
}

/* The first of each key stays; one that is too large leaves nothing. */
static size_t keep_latest(struct candidate *all, size_t count)
{
    size_t kept = 0, next;

    for (size_t i = 0; i < count; i = next) {
        next = i + 1;
        while (next < count && compare_keys(&all[i].v, &all[next].v) == 0)
            next++;
        if (all[i].v.value.len <= LAST_VALUE_BYTES_MAX)
            all[kept++] = all[i];
    }
    return kept;
}

/* What a device has too much of is what it has not sent for the longest time. */
static size_t keep_bounds(struct candidate *all, size_t count)
{
    size_t bytes = 0, kept = 0;

    for (size_t i = 0; i < count; i++)
        bytes += size_of(&all[i].v);
    if (count <= LAST_VALUES_MAX && bytes <= LAST_VALUES_BYTES)
        return count;
    qsort(all, count, sizeof *all, by_time_latest_first);
    for (bytes = 0; kept < count && kept < LAST_VALUES_MAX; kept++) {
        bytes += size_of(&all[kept].v);
        if (bytes > LAST_VALUES_BYTES)
            break;
    }
    qsort(all, kept, sizeof *all, by_key_latest_first);
    return kept;
}

static bool is_taken(const struct last_value *v)
{
    return v->name.len <= LAST_VALUE_NAME_MAX && v->component.len <= LAST_VALUE_NAME_MAX;
}

bool last_values_merge(slice was, const struct last_value *fresh, size_t count, struct buf *ret)
{
    size_t olds = count_entries(was), n = 0;
    struct candidate *all = calloc(olds + count + 1, sizeof *all);
    struct reader r = {.rest = was};

    if (!all)
        return false;
    while (n < olds && last_values_next(&r, &all[n].v))
        n++;
    for (size_t i = 0; i < count; i++) {
        if (is_taken(&fresh[i]))
            all[n++] = (struct candidate){fresh[i], i + 1};
    }
    qsort(all, n, sizeof *all, by_key_latest_first);
    n = keep_latest(all, n);
    n = keep_bounds(all, n);
    for (size_t i = 0; i < n; i++)
        append_entry(ret, &all[i].v);
    free(all);
    return !ret->failed;
}
