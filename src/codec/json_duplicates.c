/* Members of one object that have the same name. */
#include "codec/json_internal.h"

/* Objects up to this size are searched pair by pair; of larger ones the names are sorted. */
#define PAIRWISE_MAX 8

/* `kept` stays in its place and takes the value of `later`. */
static void take_value(struct json *kept, const struct json *later)
{
    struct json *next = kept->next;
    slice name = kept->name;

    *kept = *later;
    kept->next = next;
    kept->name = name;
}

/* Members behind `kept` that have its name; false when there may be none. */
static bool settle_member(struct json *object, struct json *kept, enum json_duplicates duplicates)
{
    struct json *before = kept;

    while (before->next) {
        struct json *later = before->next;

        if (!slice_equal(kept->name, later->name)) {
            before = later;
            continue;
        }
        if (duplicates == JSON_REFUSE_DUPLICATES)
            return false;
        take_value(kept, later);
        before->next = later->next;
        if (object->last == later)
            object->last = before;
    }
    return true;
}

static enum status settle_pairwise(struct json *object, enum json_duplicates duplicates)
{
    for (struct json *kept = object->first; kept; kept = kept->next) {
        if (!settle_member(object, kept, duplicates))
            return ST_BAD_REQUEST;
    }
    return ST_OK;
}

/* Unlinks the members whose places are marked. */
static void drop_marked(struct json *object, const bool *dropped)
{
    struct json *member = object->first;

    object->first = object->last = NULL;
    for (size_t place = 0; member; place++) {
        struct json *next = member->next;

        if (!dropped[place])
            json_attach(object, member);
        member = next;
    }
}

/* Same names lie side by side in the index, in the order of their places. */
static enum status settle_sorted(struct json *object, enum json_duplicates duplicates,
                                 struct arena *arena)
{
    struct json_index index;
    bool *dropped = NULL;
    size_t kept = 0;

    if (!json_index_build(object, arena, &index))
        return ST_NO_MEMORY;
    for (size_t i = 1; i < index.count; i++) {
        if (!slice_equal(index.slots[kept].member->name, index.slots[i].member->name)) {
            kept = i;
            continue;
        }
        if (duplicates == JSON_REFUSE_DUPLICATES)
            return ST_BAD_REQUEST;
        if (!dropped)
            dropped = arena_alloc_array(arena, index.count, sizeof *dropped);
        if (!dropped)
            return ST_NO_MEMORY;
        take_value(index.slots[kept].member, index.slots[i].member);
        dropped[index.slots[i].place] = true;
    }
    if (dropped)
        drop_marked(object, dropped);
    return ST_OK;
}

enum status json_settle_duplicates(struct json *object, enum json_duplicates duplicates,
                                   struct arena *arena)
{
    size_t count = 0;

    for (const struct json *m = object->first; m && count <= PAIRWISE_MAX; m = m->next)
        count++;
    return count <= PAIRWISE_MAX ? settle_pairwise(object, duplicates)
                                 : settle_sorted(object, duplicates, arena);
}
