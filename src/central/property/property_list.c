#include "central/property/property_list.h"

#include "codec/dtdl_value.h"

const char *property_kind_name(enum property_kind kind)
{
    static const char *const names[] = {
        [PROPERTY_READ_ONLY] = "readOnly",
        [PROPERTY_WRITABLE] = "writable",
        [PROPERTY_CLOUD] = "cloud",
    };

    return names[kind];
}

const struct json *property_value(const struct property *p)
{
    return p->kind == PROPERTY_CLOUD ? p->cloud : p->report.value;
}

enum property_kind property_kind_of(const struct dtdl_content *content, bool is_asked_for)
{
    if (content && content->kind == DTDL_PROPERTY && (content->typed.element.markers & DTDL_CLOUD))
        return PROPERTY_CLOUD;
    if (content && content->kind == DTDL_PROPERTY)
        return content->writable ? PROPERTY_WRITABLE : PROPERTY_READ_ONLY;
    return is_asked_for ? PROPERTY_WRITABLE : PROPERTY_READ_ONLY;
}

static bool is_marked(const struct json *member)
{
    slice mark;

    return json_get_text(member, SLICE(COMPONENT_MARK), &mark) && slice_equal(mark, SLICE("c"));
}

bool property_is_component(const struct device_model *m, const struct json *member)
{
    if (member->kind != JSON_OBJECT)
        return false;
    return device_model_has_component(m, member->name) || is_marked(member);
}

/* --- a scope: the device itself, or a component ------------------------------------------------
 */

enum part { DESIRED, DESIRED_METADATA, REPORTED, REPORTED_METADATA, CLOUD, PARTS };

struct scope {
    const struct device_model *model;
    slice component;
    const struct dtdl_interface *interface; /* NULL: none */
    const struct json *parts[PARTS];
    struct json_index index[PARTS];
};

static bool open_scope(struct scope *s, struct arena *arena)
{
    for (size_t i = 0; i < PARTS; i++) {
        if (s->parts[i] && s->parts[i]->kind == JSON_OBJECT &&
            !json_index_build(s->parts[i], arena, &s->index[i]))
            return false;
    }
    return true;
}

static const struct json *find(const struct scope *s, enum part part, slice name)
{
    return s->index[part].count > 0 ? json_index_find(&s->index[part], name) : NULL;
}

static const struct dtdl_content *content_of(const struct scope *s, slice name)
{
    return s->interface ? dtdl_content_find(s->interface, name) : NULL;
}

/* --- one property ------------------------------------------------------------------------------
 */

static bool is_object_schema(const struct dtdl_content *content)
{
    return content && content->kind == DTDL_PROPERTY && content->typed.schema &&
           (content->typed.schema->kind == DTDL_OBJECT || content->typed.schema->kind == DTDL_MAP);
}

static void read_times(const struct scope *s, slice name, struct property *to)
{
    const struct json *desired = find(s, DESIRED_METADATA, name);
    const struct json *reported = find(s, REPORTED_METADATA, name);

    (void)json_get_int(desired, SLICE("$lastUpdatedVersion"), &to->desired_version);
    (void)json_get_text(desired, SLICE("$lastUpdated"), &to->desired_at);
    (void)json_get_text(reported, SLICE("$lastUpdated"), &to->reported_at);
}

static bool value_fits(const struct dtdl_content *content, const struct json *value)
{
    struct fault why;

    return content && content->kind == DTDL_PROPERTY && content->typed.schema &&
           (!value || dtdl_value_fits(content->typed.schema, value, &why));
}

static struct property read_property(const struct scope *s, slice name)
{
    const struct json *desired = find(s, DESIRED, name), *reported = find(s, REPORTED, name);
    struct property p = {.component = s->component, .name = name, .content = content_of(s, name)};

    p.kind = property_kind_of(p.content, desired != NULL);
    if (p.kind == PROPERTY_CLOUD) {
        p.cloud = find(s, CLOUD, name);
        p.fits = value_fits(p.content, p.cloud);
        return p;
    }
    read_times(s, name, &p);
    p.desired = desired ? sync_desired_value(desired, s->model->format) : NULL;
    sync_report_read(reported, is_object_schema(p.content), &p.report);
    p.state = sync_state_of(p.desired, p.desired_version, &p.report);
    p.fits = value_fits(p.content, p.report.value);
    return p;
}

/* --- which there are ---------------------------------------------------------------------------
 */

/* A reported member of a command's name completes the command (7.3). */
static bool is_property(const struct scope *s, const struct json *member)
{
    const struct dtdl_content *content = content_of(s, member->name);

    if (slice_equal(member->name, SLICE(COMPONENT_MARK)) ||
        (content && content->kind == DTDL_COMMAND))
        return false;
    return s->component.len > 0 || !property_is_component(s->model, member);
}

struct listing {
    property_fn *on_property;
    void *context;
    bool enough;
};

static void give(struct listing *l, const struct scope *s, slice name)
{
    struct property p = read_property(s, name);

    if (!l->enough)
        l->enough = !l->on_property(l->context, &p);
}

static void give_members(struct listing *l, const struct scope *s, enum part part,
                         const enum part *before, size_t before_count)
{
    const struct json *object = s->parts[part];

    for (const struct json *m = object ? object->first : NULL; m && !l->enough; m = m->next) {
        bool is_known = !is_property(s, m);

        for (size_t i = 0; i < before_count && !is_known; i++)
            is_known = find(s, before[i], m->name) != NULL;
        if (!is_known)
            give(l, s, m->name);
    }
}

static void give_unset(struct listing *l, const struct scope *s)
{
    for (size_t i = 0; s->interface && i < s->interface->all_count && !l->enough; i++) {
        const struct dtdl_content *content = s->interface->all[i];
        slice name = content->typed.element.name;

        if (content->kind == DTDL_PROPERTY && !find(s, REPORTED, name) && !find(s, DESIRED, name) &&
            !find(s, CLOUD, name))
            give(l, s, name);
    }
}

static bool give_scope(struct listing *l, struct scope *s, bool with_unset, struct arena *arena)
{
    static const enum part order[] = {REPORTED, DESIRED, CLOUD};

    if (!open_scope(s, arena))
        return false;
    for (size_t i = 0; i < COUNT_OF(order); i++)
        give_members(l, s, order[i], order, i);
    if (with_unset)
        give_unset(l, s);
    return true;
}

/* --- components --------------------------------------------------------------------------------
 */

static const struct json *inside(const struct scope *root, enum part part, slice component)
{
    const struct json *object = find(root, part, component);

    return object && object->kind == JSON_OBJECT ? object : NULL;
}

static bool give_component(struct listing *l, const struct scope *root, slice name, bool with_unset,
                           struct arena *arena)
{
    const struct dtdl_content *content = content_of(root, name);
    struct scope s = {.model = root->model, .component = name};

    if (l->enough)
        return true;
    if (content && content->kind == DTDL_COMPONENT)
        s.interface = content->interface;
    for (enum part i = 0; i < PARTS; i++)
        s.parts[i] = inside(root, i, name);
    return give_scope(l, &s, with_unset, arena);
}

/* Of the first place where it stands. */
static bool give_components_of(struct listing *l, const struct scope *root, enum part part,
                               const enum part *before, size_t before_count, bool with_unset,
                               struct arena *arena)
{
    const struct json *object = root->parts[part];

    for (const struct json *m = object ? object->first : NULL; m; m = m->next) {
        bool is_known = !property_is_component(root->model, m);

        for (size_t i = 0; i < before_count && !is_known; i++)
            is_known = inside(root, before[i], m->name) != NULL;
        if (!is_known && !give_component(l, root, m->name, with_unset, arena))
            return false;
    }
    return true;
}

static bool give_unset_components(struct listing *l, const struct scope *root, struct arena *arena)
{
    for (size_t i = 0; root->interface && i < root->interface->all_count; i++) {
        const struct dtdl_content *content = root->interface->all[i];
        slice name = content->typed.element.name;

        if (content->kind == DTDL_COMPONENT && !inside(root, REPORTED, name) &&
            !inside(root, DESIRED, name) && !inside(root, CLOUD, name) &&
            !give_component(l, root, name, true, arena))
            return false;
    }
    return true;
}

bool property_list(const struct device_model *m, const struct property_sources *from,
                   bool with_unset, struct arena *arena, property_fn *on_property, void *context)
{
    static const enum part order[] = {REPORTED, DESIRED, CLOUD};
    struct listing l = {.on_property = on_property, .context = context};
    struct scope root = {
        .model = m,
        .interface = m->root,
        .parts = {[DESIRED] = from->desired,
                  [DESIRED_METADATA] = from->desired_metadata,
                  [REPORTED] = from->reported,
                  [REPORTED_METADATA] = from->reported_metadata,
                  [CLOUD] = from->cloud},
    };

    if (!give_scope(&l, &root, with_unset, arena))
        return false;
    for (size_t i = 0; i < COUNT_OF(order); i++) {
        if (!give_components_of(&l, &root, order[i], order, i, with_unset, arena))
            return false;
    }
    return !with_unset || give_unset_components(&l, &root, arena);
}
