#include "codec/twin_merge.h"

#include "codec/json_internal.h"

/* --- the rules for what is in a twin -------------------------------------------------------- */

#define INTEGER_MIN (-INT64_C(4503599627370496))
#define INTEGER_MAX INT64_C(4503599627370495)

/* Bytes of the control character (C0, DEL, C1) at the front of `text`, which is UTF-8; else 0. */
static size_t control_character(slice text)
{
    if (text.ptr[0] < 0x20 || text.ptr[0] == 0x7f)
        return 1;
    return text.ptr[0] == 0xc2 && text.len > 1 && text.ptr[1] < 0xa0 ? 2 : 0;
}

static enum status check_name(slice name, struct fault *why)
{
    if (name.len > TWIN_KEY_MAX)
        return fault_set(why, ST_BAD_REQUEST, "twin: key of more than %d bytes", TWIN_KEY_MAX);
    for (size_t i = 0; i < name.len; i++) {
        if (name.ptr[i] == '$' || name.ptr[i] == '.' || name.ptr[i] == ' ' ||
            control_character((slice){name.ptr + i, name.len - i}))
            return fault_set(why, ST_BAD_REQUEST,
                             "twin: key '%.*s' holds '$', '.', a blank or a control character",
                             SLICE_FMT(name));
    }
    return ST_OK;
}

/* Whether a number has the spelling of an integer; others are doubles and have no range. */
static bool is_integer(slice number)
{
    size_t at;

    return !slice_find(number, '.', &at) && !slice_find(number, 'e', &at) &&
           !slice_find(number, 'E', &at);
}

static enum status check_scalar(const struct json *value, struct fault *why)
{
    int64_t number;

    if (value->kind == JSON_STRING && value->text.len > TWIN_STRING_MAX)
        return fault_set(why, ST_BAD_REQUEST, "twin: string of more than %d bytes",
                         TWIN_STRING_MAX);
    if (value->kind != JSON_NUMBER || !is_integer(value->text))
        return ST_OK;
    if (!slice_to_i64(value->text, &number) || number < INTEGER_MIN || number > INTEGER_MAX)
        return fault_set(why, ST_BAD_REQUEST, "twin: integer outside of +-2^52");
    return ST_OK;
}

/* Objects and arrays inside the section count one level each, the section itself none: ten nested
 * objects may hold a value, an eleventh may not. */
static enum status check_depth(const struct json *value, size_t levels_above, struct fault *why)
{
    bool container = value->kind == JSON_OBJECT || value->kind == JSON_ARRAY;

    if (container && levels_above > TWIN_DEPTH_MAX)
        return fault_set(why, ST_BAD_REQUEST, "twin: nested more than %d deep", TWIN_DEPTH_MAX);
    return ST_OK;
}

enum status twin_patch_check(const struct json *patch, struct fault *why)
{
    struct json_walk walk = {0};
    const struct json *value;

    if (patch->kind != JSON_OBJECT)
        return fault_set(why, ST_BAD_REQUEST, "twin: the patch is no object");
    while ((value = json_walk_next(&walk, patch))) {
        enum status status = check_depth(value, walk.depth - 1, why);

        if (status == ST_OK && value != patch)
            status = check_name(value->name, why);
        if (status == ST_OK)
            status = check_scalar(value, why);
        if (status != ST_OK)
            return status;
    }
    return ST_OK;
}

/* --- size ----------------------------------------------------------------------------------- */

static size_t string_counted(slice text)
{
    size_t bytes = text.len;

    for (size_t i = 0; i < text.len; i++)
        bytes -= control_character((slice){text.ptr + i, text.len - i});
    return bytes;
}

static size_t value_counted(const struct json *value)
{
    switch (value->kind) {
    case JSON_STRING:
        return string_counted(value->text);
    case JSON_NUMBER:
        return 8;
    case JSON_TRUE:
    case JSON_FALSE:
        return 4;
    case JSON_NULL:
    case JSON_ARRAY:
    case JSON_OBJECT:
        break;
    }
    return 0;
}

size_t twin_counted(const struct json *section)
{
    struct json_walk walk = {0};
    const struct json *value;
    size_t bytes = 0;

    while ((value = json_walk_next(&walk, section)))
        bytes += (value == section ? 0 : value->name.len) + value_counted(value);
    return bytes;
}

/* --- merging -------------------------------------------------------------------------------- */

/* Three objects of the same place in their trees, still to be merged. A list instead of recursion:
 * an order among them is not needed. */
struct pending {
    struct json *section, *metadata;
    const struct json *patch;
    struct pending *next;
};

struct merge {
    struct arena *arena;
    slice updated, version; /* as metadata spells them; no version: empty */
    struct pending *pending;
};

/* An object being merged, with its members as they were before. */
struct level {
    struct json *section, *metadata;
    struct json_index members, notes;
    bool removed;
};

/* Objects that want merging are put on the list; memory failures stick to the arena. */
static void defer(struct merge *m, struct json *section, struct json *metadata,
                  const struct json *patch)
{
    struct pending *pending = arena_alloc(m->arena, sizeof *pending);

    if (!pending)
        return;
    *pending = (struct pending){section, metadata, patch, m->pending};
    m->pending = pending;
}

static void stamp(const struct merge *m, struct json *metadata)
{
    struct json *version;

    json_set(metadata, SLICE("$lastUpdated"), json_new_text(m->arena, m->updated));
    if (m->version.len == 0)
        return;
    version = json_new(m->arena, JSON_NUMBER);
    if (version)
        version->text = m->version;
    json_set(metadata, SLICE("$lastUpdatedVersion"), version);
}

/* `old` becomes a value of that kind and text without children, or a new member comes to be. */
static struct json *put(const struct merge *m, struct json *object, struct json *old, slice name,
                        enum json_kind kind)
{
    struct json *value = old;

    if (old) {
        *old = (struct json){.name = old->name, .next = old->next};
    } else {
        value = json_new(m->arena, kind);
        if (!value)
            return NULL;
        value->name = name;
        json_attach(object, value);
    }
    value->kind = kind;
    return value;
}

/* Removed members turn into null, which no section holds, and are swept at the end. */
static void mark_removed(struct level *level, struct json *member, struct json *note)
{
    if (member)
        member->kind = JSON_NULL;
    if (note)
        note->kind = JSON_NULL;
    level->removed |= member || note;
}

static void sweep(struct json *object)
{
    struct json *member = object->first;

    object->first = object->last = NULL;
    while (member) {
        struct json *next = member->next;

        if (member->kind != JSON_NULL)
            json_attach(object, member);
        member = next;
    }
}

static void merge_object(struct merge *m, const struct level *level, struct json *member,
                         struct json *note, const struct json *change)
{
    bool merges = member && member->kind == JSON_OBJECT;

    if (!merges)
        member = put(m, level->section, member, change->name, JSON_OBJECT);
    if (!merges || !note || note->kind != JSON_OBJECT)
        note = put(m, level->metadata, note, change->name, JSON_OBJECT);
    if (member && note)
        defer(m, member, note, change);
}

static void replace_value(struct merge *m, const struct level *level, struct json *member,
                          struct json *note, const struct json *change)
{
    member = put(m, level->section, member, change->name, change->kind);
    note = put(m, level->metadata, note, change->name, JSON_OBJECT);
    if (!member || !note)
        return;
    member->text = change->text;
    member->first = change->first; /* elements are shared: nobody changes them */
    member->last = change->last;
    stamp(m, note);
}

static void merge_member(struct merge *m, struct level *level, const struct json *change)
{
    struct json *member = json_index_find(&level->members, change->name);
    struct json *note = json_index_find(&level->notes, change->name);

    if (change->kind == JSON_NULL)
        mark_removed(level, member, note);
    else if (change->kind == JSON_OBJECT)
        merge_object(m, level, member, note, change);
    else
        replace_value(m, level, member, note, change);
}

static void merge_pending(struct merge *m, const struct pending *pending)
{
    struct level level = {.section = pending->section, .metadata = pending->metadata};

    stamp(m, level.metadata);
    if (!json_index_build(level.section, m->arena, &level.members) ||
        !json_index_build(level.metadata, m->arena, &level.notes))
        return;
    for (const struct json *change = pending->patch->first; change; change = change->next)
        merge_member(m, &level, change);
    if (level.removed) {
        sweep(level.section);
        sweep(level.metadata);
    }
}

static bool are_objects(const struct json *section, const struct json *metadata)
{
    return section->kind == JSON_OBJECT && metadata->kind == JSON_OBJECT;
}

enum status twin_merge(struct json *section, struct json *metadata, const struct json *patch,
                       struct twin_stamp at, size_t size_max, struct arena *arena,
                       struct fault *why)
{
    char text[CLOCK_TEXT_MAX];
    struct merge m = {.arena = arena};

    if (!are_objects(section, metadata) || patch->kind != JSON_OBJECT)
        return fault_set(why, ST_BAD_REQUEST, "twin: section, metadata or patch is no object");
    m.updated = arena_copy(arena, clock_iso(at.at, text));
    if (at.version > 0)
        m.version = arena_printf(arena, "%lld", (long long)at.version);
    defer(&m, section, metadata, patch);
    while (m.pending && !arena->failed) {
        const struct pending *pending = m.pending;

        m.pending = pending->next;
        merge_pending(&m, pending);
    }
    if (arena->failed)
        return fault_set(why, ST_NO_MEMORY, "twin: no memory");
    if (twin_counted(section) > size_max)
        return fault_set(why, ST_BAD_REQUEST, "twin: section of more than %zu bytes", size_max);
    return ST_OK;
}

/* --- replacing ------------------------------------------------------------------------------ */

static void clear(struct json *object)
{
    object->first = object->last = NULL;
}

/* The document's members, and a null for each of `old` that it does not name. */
static struct json *replacement_patch(const struct json *document, const struct json *old,
                                      struct arena *arena)
{
    struct json *patch = json_new(arena, JSON_OBJECT);
    struct json_index named;

    for (const struct json *member = document->first; patch && member; member = member->next) {
        struct json *copy = json_new(arena, member->kind);

        if (copy)
            *copy = *member;
        json_attach(patch, copy);
    }
    if (!patch || !json_index_build(document, arena, &named))
        return NULL;
    for (const struct json *member = old; member; member = member->next) {
        struct json *gone;

        if (json_index_find(&named, member->name))
            continue;
        gone = json_new(arena, JSON_NULL);
        if (gone)
            gone->name = member->name;
        json_attach(patch, gone);
    }
    return arena->failed ? NULL : patch;
}

enum status twin_replace(struct json *section, struct json *metadata, const struct json *document,
                         struct twin_stamp at, size_t size_max, struct arena *arena,
                         struct json **ret_patch, struct fault *why)
{
    struct json *patch;
    enum status status;

    if (!are_objects(section, metadata) || document->kind != JSON_OBJECT)
        return fault_set(why, ST_BAD_REQUEST, "twin: section, metadata or document is no object");
    patch = replacement_patch(document, section->first, arena);
    if (!patch)
        return fault_set(why, ST_NO_MEMORY, "twin: no memory");
    clear(section);
    clear(metadata);
    status = twin_merge(section, metadata, document, at, size_max, arena, why);
    if (status == ST_OK)
        *ret_patch = patch;
    return status;
}
