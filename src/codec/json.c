#include "codec/json.h"

#include <stdlib.h>

#include "codec/json_internal.h"

/* --- looking up ----------------------------------------------------------------------------- */

struct json *json_member(const struct json *object, slice name)
{
    if (!object || object->kind != JSON_OBJECT)
        return NULL;
    for (struct json *member = object->first; member; member = member->next) {
        if (slice_equal(member->name, name))
            return member;
    }
    return NULL;
}

struct json *json_path(const struct json *root, const slice *names, size_t count)
{
    struct json *found = NULL;

    for (size_t i = 0; i < count; i++) {
        found = json_member(i == 0 ? root : found, names[i]);
        if (!found)
            return NULL;
    }
    return found;
}

bool json_get_text(const struct json *object, slice name, slice *ret)
{
    const struct json *member = json_member(object, name);

    if (!member || member->kind != JSON_STRING)
        return false;
    *ret = member->text;
    return true;
}

bool json_to_int(const struct json *value, int64_t *ret)
{
    return value && value->kind == JSON_NUMBER && slice_to_i64(value->text, ret);
}

bool json_get_int(const struct json *object, slice name, int64_t *ret)
{
    return json_to_int(json_member(object, name), ret);
}

bool json_get_bool(const struct json *object, slice name, bool *ret)
{
    const struct json *member = json_member(object, name);

    if (!member || (member->kind != JSON_TRUE && member->kind != JSON_FALSE))
        return false;
    *ret = member->kind == JSON_TRUE;
    return true;
}

/* --- building ------------------------------------------------------------------------------- */

struct json *json_new(struct arena *arena, enum json_kind kind)
{
    struct json *value = arena_alloc(arena, sizeof *value);

    if (value)
        value->kind = kind;
    return value;
}

struct json *json_new_text(struct arena *arena, slice text)
{
    struct json *value = json_new(arena, JSON_STRING);

    if (value)
        value->text = text;
    return value;
}

struct json *json_new_int(struct arena *arena, int64_t number)
{
    slice text = arena_printf(arena, "%lld", (long long)number);
    struct json *value = json_new(arena, JSON_NUMBER);

    if (value)
        value->text = text;
    return value;
}

void json_attach(struct json *container, struct json *value)
{
    if (!container || !value)
        return;
    value->next = NULL;
    if (container->last)
        container->last->next = value;
    else
        container->first = value;
    container->last = value;
}

void json_append(struct json *array, struct json *element)
{
    if (element)
        element->name = (slice){0};
    json_attach(array, element);
}

/* Puts `value` (NULL: nothing) where `old` is, behind `before` (NULL: `old` is the first). */
static void replace(struct json *object, struct json *before, struct json *old, struct json *value)
{
    struct json *after = value ? value : old->next;

    if (value)
        value->next = old->next;
    if (before)
        before->next = after;
    else
        object->first = after;
    if (object->last == old)
        object->last = value ? value : before;
    old->next = NULL;
}

/* The member of that name; *ret_before is its elder sibling. */
static struct json *find(const struct json *object, slice name, struct json **ret_before)
{
    *ret_before = NULL;
    for (struct json *member = object->first; member; member = member->next) {
        if (slice_equal(member->name, name))
            return member;
        *ret_before = member;
    }
    return NULL;
}

void json_set(struct json *object, slice name, struct json *value)
{
    struct json *before, *old;

    if (!object || !value)
        return;
    old = find(object, name, &before);
    value->name = name;
    if (!old)
        json_attach(object, value);
    else if (old != value)
        replace(object, before, old, value);
}

void json_remove(struct json *object, slice name)
{
    struct json *before, *old = object ? find(object, name, &before) : NULL;

    if (old)
        replace(object, before, old, NULL);
}

/* --- large objects -------------------------------------------------------------------------- */

/* By length first: most names then differ without a look at their bytes. */
static int compare_names(slice a, slice b)
{
    if (a.len != b.len)
        return a.len < b.len ? -1 : 1;
    return slice_compare(a, b);
}

static int compare_slots(const void *a, const void *b)
{
    const struct json_slot *left = a, *right = b;
    int order = compare_names(left->member->name, right->member->name);

    if (order != 0)
        return order;
    return left->place < right->place ? -1 : left->place > right->place;
}

bool json_index_build(const struct json *object, struct arena *arena, struct json_index *ret)
{
    struct json_index index = {0};
    size_t count = 0;

    for (const struct json *member = object->first; member; member = member->next)
        count++;
    index.slots = arena_alloc_array(arena, count, sizeof *index.slots);
    if (!index.slots)
        return false;
    for (struct json *member = object->first; member; member = member->next, index.count++)
        index.slots[index.count] = (struct json_slot){member, index.count};
    /* Sorted rather than hashed: names can be made to collide, but not to sort slowly. */
    qsort(index.slots, index.count, sizeof *index.slots, compare_slots);
    *ret = index;
    return true;
}

struct json *json_index_find(const struct json_index *index, slice name)
{
    size_t low = 0, high = index->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (compare_names(index->slots[middle].member->name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == index->count || !slice_equal(index->slots[low].member->name, name))
        return NULL;
    return index->slots[low].member;
}

const struct json *json_walk_next(struct json_walk *walk, const struct json *root)
{
    const struct json *at = walk->depth ? walk->path[walk->depth - 1] : NULL;

    if (!at)
        return walk->path[walk->depth++] = root;
    if (at->first && walk->depth < JSON_WALK_DEPTH_MAX)
        return walk->path[walk->depth++] = at->first;
    for (; walk->depth > 1; walk->depth--) {
        at = walk->path[walk->depth - 1];
        if (at->next)
            return walk->path[walk->depth - 1] = at->next;
    }
    return NULL;
}
