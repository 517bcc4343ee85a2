#include "codec/dtdl_change.h"

#include <stdarg.h>
#include <stdio.h>

#include "codec/dtdl_internal.h"

/* Schemas that many things share are compared once for each: no more than this in all. */
#define PAIRS_MAX 100000
#define TEXT_MAX_BYTES 400

/* Two schemas of the same place, still to be compared. */
struct pair {
    const struct dtdl_schema *before, *after;
    slice path; /* "schema.x[]" */
    struct pair *next;
};

struct comparison {
    struct arena *arena;
    struct dtdl_changes *changes;
    slice component, name; /* what is being compared */
    struct pair *pairs;
    size_t pair_count; /* so far */
    bool is_too_large;
};

static void add(struct comparison *c, enum dtdl_change_kind kind, const char *format, ...)
    PRINTF_LIKE(3, 4);

static void add(struct comparison *c, enum dtdl_change_kind kind, const char *format, ...)
{
    struct dtdl_changes *changes = c->changes;
    char text[TEXT_MAX_BYTES];
    va_list args;

    if (kind == DTDL_BREAKING)
        changes->breaking++;
    else
        changes->additive++;
    if (changes->count == DTDL_CHANGES_MAX)
        return;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    changes->list[changes->count++] =
        (struct dtdl_change){kind, c->component, c->name, arena_copy(c->arena, slice_str(text))};
}

/* Merging two sorted lists: which of the two is next, or both. */
static int next_of(size_t before, size_t before_count, size_t after, size_t after_count)
{
    if (before == before_count)
        return 1;
    return after == after_count ? -1 : 0;
}

/* --- schemas -------------------------------------------------------------------------------- */

static void defer(struct comparison *c, slice path, const char *step, slice name,
                  const struct dtdl_schema *before, const struct dtdl_schema *after)
{
    struct pair *pair;

    if (before == after)
        return; /* the same word of the language */
    if (c->pair_count == PAIRS_MAX) {
        if (!c->is_too_large)
            add(c, DTDL_BREAKING, "%.*s: is too large to be compared, with all that follows",
                SLICE_FMT(path));
        c->is_too_large = true;
        return;
    }
    pair = arena_alloc(c->arena, sizeof *pair);
    if (!pair)
        return;
    c->pair_count++;
    *pair = (struct pair){.before = before, .after = after, .next = c->pairs};
    pair->path =
        arena_printf(c->arena, "%.*s%s%.*s", SLICE_FMT(path), step, SLICE_FMT(dtdl_clip(name)));
    c->pairs = pair;
}

static void compare_word(struct comparison *c, slice path, const char *what, slice before,
                         slice after)
{
    if (slice_equal(before, after))
        return;
    if (before.len == 0)
        add(c, DTDL_ADDITIVE, "%.*s: has the %s %.*s", SLICE_FMT(path), what,
            SLICE_FMT(dtdl_clip(after)));
    else if (after.len == 0)
        add(c, DTDL_BREAKING, "%.*s: lost the %s %.*s", SLICE_FMT(path), what,
            SLICE_FMT(dtdl_clip(before)));
    else
        add(c, DTDL_BREAKING, "%.*s: the %s %.*s became %.*s", SLICE_FMT(path), what,
            SLICE_FMT(dtdl_clip(before)), SLICE_FMT(dtdl_clip(after)));
}

static void compare_typed(struct comparison *c, slice path, const char *step, slice name,
                          const struct dtdl_typed *before, const struct dtdl_typed *after)
{
    const char *quantity_before = before->semantic ? before->semantic->name : NULL;
    const char *quantity_after = after->semantic ? after->semantic->name : NULL;

    compare_word(c, path, "semantic type", slice_str(quantity_before), slice_str(quantity_after));
    compare_word(c, path, "unit", before->unit, after->unit);
    defer(c, path, step, name, before->schema, after->schema);
}

static void compare_fields(struct comparison *c, const struct pair *pair)
{
    const struct dtdl_schema *before = pair->before, *after = pair->after;

    for (size_t b = 0, a = 0; b < before->part_count || a < after->part_count;) {
        int order = next_of(b, before->part_count, a, after->part_count);
        const struct dtdl_typed *old = order <= 0 ? before->parts_by_name[b] : NULL;
        const struct dtdl_typed *new = order >= 0 ? after->parts_by_name[a] : NULL;

        if (old && new)
            order = dtdl_compare_names(old->element.name, new->element.name);
        b += order <= 0;
        a += order >= 0;
        if (order < 0)
            add(c, DTDL_BREAKING, "%.*s: lost the field %.*s", SLICE_FMT(pair->path),
                SLICE_FMT(dtdl_clip(old->element.name)));
        else if (order > 0)
            add(c, DTDL_ADDITIVE, "%.*s: has the field %.*s", SLICE_FMT(pair->path),
                SLICE_FMT(dtdl_clip(new->element.name)));
        else
            compare_typed(c, pair->path, ".", new->element.name, old, new);
    }
}

static void compare_enums(struct comparison *c, const struct pair *pair)
{
    const struct dtdl_schema *before = pair->before, *after = pair->after;

    compare_word(c, pair->path, "value kind", slice_str(dtdl_schema_kind_name(before->value_kind)),
                 slice_str(dtdl_schema_kind_name(after->value_kind)));
    if (before->value_kind != after->value_kind)
        return;
    for (size_t b = 0, a = 0; b < before->value_count || a < after->value_count;) {
        int order = next_of(b, before->value_count, a, after->value_count);
        const struct dtdl_enum_value *old = order <= 0 ? before->values_by_value[b] : NULL;
        const struct dtdl_enum_value *new = order >= 0 ? after->values_by_value[a] : NULL;

        if (old && new)
            order = dtdl_compare_values(old->value, new->value);
        b += order <= 0;
        a += order >= 0;
        if (order < 0)
            add(c, DTDL_BREAKING, "%.*s: lost the value %.*s", SLICE_FMT(pair->path),
                SLICE_FMT(dtdl_clip(old->value->text)));
        else if (order > 0)
            add(c, DTDL_ADDITIVE, "%.*s: has the value %.*s", SLICE_FMT(pair->path),
                SLICE_FMT(dtdl_clip(new->value->text)));
        else
            compare_word(c, pair->path, "value named", old->element.name, new->element.name);
    }
}

static void compare_pair(struct comparison *c, const struct pair *pair)
{
    enum dtdl_schema_kind kind = pair->after->kind;

    if (pair->before->kind != kind)
        compare_word(c, pair->path, "schema", slice_str(dtdl_schema_kind_name(pair->before->kind)),
                     slice_str(dtdl_schema_kind_name(kind)));
    else if (kind == DTDL_OBJECT)
        compare_fields(c, pair);
    else if (kind == DTDL_ENUM)
        compare_enums(c, pair);
    else if (kind == DTDL_ARRAY || kind == DTDL_MAP)
        compare_typed(c, pair->path, "[]", (slice){0}, pair->before->parts, pair->after->parts);
}

static void compare_pairs(struct comparison *c)
{
    while (c->pairs) {
        const struct pair *pair = c->pairs;

        c->pairs = pair->next;
        compare_pair(c, pair);
    }
}

/* --- contents ------------------------------------------------------------------------------- */

static void compare_markers(struct comparison *c, unsigned before, unsigned after)
{
    static const struct {
        enum dtdl_marker marker;
        const char *name;
    } rows[] = {
        {DTDL_STATE, "State"},
        {DTDL_EVENT, "Event"},
        {DTDL_LOCATION, "Location"},
        {DTDL_VELOCITY_VECTOR, "VelocityVector"},
        {DTDL_ACCELERATION_VECTOR, "AccelerationVector"},
        {DTDL_EDGE_MODULE, "EdgeModule"},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        unsigned was = before & rows[i].marker, is = after & rows[i].marker;

        if (was && !is)
            add(c, DTDL_BREAKING, "is no %s any more", rows[i].name);
        if (is && !was)
            add(c, DTDL_ADDITIVE, "became %s", rows[i].name);
    }
    if ((before ^ after) & DTDL_CLOUD)
        add(c, DTDL_BREAKING,
            after & DTDL_CLOUD ? "became a cloud property" : "became a property of the device");
}

/* Being allowed more is safe, less is not. */
static void compare_permission(struct comparison *c, const char *word, bool before, bool after)
{
    if (before && !after)
        add(c, DTDL_BREAKING, "is not %s any more", word);
    if (after && !before)
        add(c, DTDL_ADDITIVE, "became %s", word);
}

static void compare_payload(struct comparison *c, const char *name,
                            enum dtdl_change_kind when_added, const struct dtdl_typed *before,
                            const struct dtdl_typed *after)
{
    if (before && after)
        compare_typed(c, slice_str(name), "", (slice){0}, before, after);
    else if (after)
        add(c, when_added, "has a %s", name);
    else if (before)
        add(c, DTDL_BREAKING, "lost the %s", name);
}

static const struct dtdl_content *find_property(const struct dtdl_content *relationship, slice name)
{
    for (size_t i = 0; i < relationship->property_count; i++) {
        if (slice_equal(relationship->properties[i].typed.element.name, name))
            return &relationship->properties[i];
    }
    return NULL;
}

static void compare_properties(struct comparison *c, const struct dtdl_content *before,
                               const struct dtdl_content *after)
{
    for (size_t i = 0; i < before->property_count; i++) {
        const struct dtdl_content *old = &before->properties[i];
        const struct dtdl_content *new = find_property(after, old->typed.element.name);
        slice name = dtdl_clip(old->typed.element.name);

        if (!new)
            add(c, DTDL_BREAKING, "lost the property %.*s", SLICE_FMT(name));
        else
            compare_typed(c, name, "", (slice){0}, &old->typed, &new->typed);
    }
    for (size_t i = 0; i < after->property_count; i++) {
        slice name = after->properties[i].typed.element.name;

        if (!find_property(before, name))
            add(c, DTDL_ADDITIVE, "has the property %.*s", SLICE_FMT(dtdl_clip(name)));
    }
}

static void compare_relationship(struct comparison *c, const struct dtdl_content *before,
                                 const struct dtdl_content *after)
{
    bool wider = before->target.len > 0 && after->target.len == 0;

    if (!slice_equal(before->target, after->target))
        add(c, wider ? DTDL_ADDITIVE : DTDL_BREAKING, "has another target");
    if (before->max_multiplicity != after->max_multiplicity)
        add(c, before->max_multiplicity < after->max_multiplicity ? DTDL_ADDITIVE : DTDL_BREAKING,
            "may have %d instead of %d", (int)after->max_multiplicity,
            (int)before->max_multiplicity);
    compare_permission(c, "writable", before->writable, after->writable);
    compare_properties(c, before, after);
}

static void compare_content(struct comparison *c, const struct dtdl_content *before,
                            const struct dtdl_content *after)
{
    if (before->kind != after->kind) {
        add(c, before->kind == DTDL_UNKNOWN_CONTENT ? DTDL_ADDITIVE : DTDL_BREAKING, "%s became %s",
            dtdl_content_kind_name(before->kind), dtdl_content_kind_name(after->kind));
        return;
    }
    compare_markers(c, before->typed.element.markers, after->typed.element.markers);
    if (after->kind == DTDL_TELEMETRY || after->kind == DTDL_PROPERTY)
        compare_typed(c, SLICE("schema"), "", (slice){0}, &before->typed, &after->typed);
    if (after->kind == DTDL_PROPERTY)
        compare_permission(c, "writable", before->writable, after->writable);
    if (after->kind == DTDL_COMMAND) {
        compare_permission(c, "queued if offline", before->durable, after->durable);
        compare_payload(c, "request", DTDL_BREAKING, before->request, after->request);
        compare_payload(c, "response", DTDL_ADDITIVE, before->response, after->response);
    }
    if (after->kind == DTDL_RELATIONSHIP)
        compare_relationship(c, before, after);
    compare_pairs(c);
}

static void compare_interfaces(struct comparison *c, const struct dtdl_interface *before,
                               const struct dtdl_interface *after)
{
    for (size_t b = 0, a = 0; b < before->all_count || a < after->all_count;) {
        int order = next_of(b, before->all_count, a, after->all_count);
        const struct dtdl_content *old = order <= 0 ? before->all_by_name[b] : NULL;
        const struct dtdl_content *new = order >= 0 ? after->all_by_name[a] : NULL;

        if (old && new)
            order = dtdl_compare_names(old->typed.element.name, new->typed.element.name);
        b += order <= 0;
        a += order >= 0;
        c->name = order <= 0 ? old->typed.element.name : new->typed.element.name;
        if (order == 0)
            compare_content(c, old, new);
        else if (order < 0 && old->kind != DTDL_UNKNOWN_CONTENT)
            add(c, DTDL_BREAKING, "%s was removed", dtdl_content_kind_name(old->kind));
        else if (order > 0 && new->kind != DTDL_UNKNOWN_CONTENT)
            add(c, DTDL_ADDITIVE, "%s was added", dtdl_content_kind_name(new->kind));
    }
}

/* What is inside of the components that both have. There are none inside of those. */
static void compare_components(struct comparison *c, const struct dtdl_interface *before,
                               const struct dtdl_interface *after)
{
    for (size_t i = 0; i < before->all_count; i++) {
        const struct dtdl_content *old = before->all_by_name[i];
        const struct dtdl_content *new = dtdl_content_find(after, old->typed.element.name);

        if (old->kind != DTDL_COMPONENT || !new || new->kind != DTDL_COMPONENT)
            continue;
        c->component = old->typed.element.name;
        compare_interfaces(c, old->interface, new->interface);
    }
}

enum status dtdl_compare(const struct dtdl_model *before, const struct dtdl_model *after,
                         struct arena *arena, struct dtdl_changes *ret, struct fault *why)
{
    struct dtdl_changes changes = {
        .list = arena_alloc_array(arena, DTDL_CHANGES_MAX, sizeof *changes.list)};
    struct comparison c = {.arena = arena, .changes = &changes};

    if (changes.list) {
        compare_interfaces(&c, before->root, after->root);
        compare_components(&c, before->root, after->root);
    }
    if (arena->failed)
        return fault_set(why, ST_NO_MEMORY, "dtdl: no memory");
    *ret = changes;
    return ST_OK;
}
