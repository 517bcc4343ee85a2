#include "codec/json_merge.h"

#include "codec/json_internal.h"

/* Two objects still to be merged: a list, for nesting in a patch is no nesting here. */
struct pair {
    struct json *target;
    const struct json *patch;
    struct pair *next;
};

struct merging {
    struct arena *arena;
    struct pair *pairs;
};

static struct json *defer(struct merging *m, struct json *target, const struct json *patch)
{
    struct pair *pair = arena_alloc(m->arena, sizeof *pair);

    if (pair) {
        *pair = (struct pair){target, patch, m->pairs};
        m->pairs = pair;
    }
    return target;
}

/* What stands where the patch has `patch`. Objects are merged even into nothing, for the nulls in
 * them mean nothing then. */
static struct json *merged(struct merging *m, struct json *old, const struct json *patch)
{
    struct json *value;

    if (patch->kind == JSON_OBJECT && old && old->kind == JSON_OBJECT)
        return defer(m, old, patch);
    value = json_new(m->arena, patch->kind);
    if (!value)
        return NULL;
    if (patch->kind != JSON_OBJECT) {
        *value = *patch;
        return value;
    }
    value->name = patch->name;
    return defer(m, value, patch);
}

static void take_members(struct merging *m, struct json *target, const struct json_index *patches)
{
    struct json *next = target->first;

    target->first = target->last = NULL;
    for (struct json *old = next; old; old = next) {
        const struct json *patch = json_index_find(patches, old->name);

        next = old->next;
        if (!patch)
            json_attach(target, old);
        else if (patch->kind != JSON_NULL)
            json_attach(target, merged(m, old, patch));
    }
}

static bool merge_one(struct merging *m, const struct pair *pair)
{
    struct json_index olds, patches;

    if (!json_index_build(pair->target, m->arena, &olds) ||
        !json_index_build(pair->patch, m->arena, &patches))
        return false;
    take_members(m, pair->target, &patches);
    for (const struct json *patch = pair->patch->first; patch; patch = patch->next) {
        if (patch->kind != JSON_NULL && !json_index_find(&olds, patch->name))
            json_attach(pair->target, merged(m, NULL, patch));
    }
    return !m->arena->failed;
}

bool json_merge(struct json *target, const struct json *patch, struct arena *arena)
{
    struct merging m = {.arena = arena};

    defer(&m, target, patch);
    while (m.pairs) {
        const struct pair *pair = m.pairs;

        m.pairs = pair->next;
        if (!merge_one(&m, pair))
            return false;
    }
    return !arena->failed;
}
