#include "central/property/property_change.h"

#include "codec/dtdl_value.h"

struct making {
    const struct device_model *model;
    struct arena *arena;
    struct fault *why;
    size_t count;
};

/* Where a scope's members go. */
struct scope {
    slice component;
    struct json *desired, *cloud, *answer, *metadata;
};

/* --- trees -------------------------------------------------------------------------------------
 */

/* Values are shared with the body: a node of its own for each place it is put. */
static struct json *copy_of(struct making *m, const struct json *value)
{
    struct json *copy = json_new(m->arena, value->kind);

    if (copy) {
        *copy = *value;
        copy->next = NULL;
    }
    return copy;
}

static struct json *wrap(struct making *m, slice name, struct json *value)
{
    struct json *object = json_new(m->arena, JSON_OBJECT);

    if (object)
        json_set(object, name, value);
    return object;
}

static bool open_scope(struct making *m, struct scope *s, slice component)
{
    *s = (struct scope){
        .component = component,
        .desired = json_new(m->arena, JSON_OBJECT),
        .cloud = json_new(m->arena, JSON_OBJECT),
        .answer = json_new(m->arena, JSON_OBJECT),
        .metadata = json_new(m->arena, JSON_OBJECT),
    };
    return !m->arena->failed;
}

/* A component's members go to their places in the device. */
static void close_component(struct making *m, struct scope *s, struct scope *root)
{
    if (s->metadata->first)
        json_set(s->answer, SLICE("$metadata"), s->metadata);
    if (s->desired->first) {
        json_set(s->desired, SLICE(COMPONENT_MARK), json_new_text(m->arena, SLICE("c")));
        json_set(root->desired, s->component, s->desired);
    }
    if (s->cloud->first)
        json_set(root->cloud, s->component, s->cloud);
    if (s->answer->first)
        json_set(root->answer, s->component, s->answer);
}

/* --- rules -------------------------------------------------------------------------------------
 */

static enum status refuse(struct making *m, const struct scope *s, slice name, const char *cause)
{
    return fault_set(m->why, ST_BAD_REQUEST, "'%.*s%s%.*s': %s",
                     SLICE_FMT(slice_first(s->component, 64)), s->component.len > 0 ? "." : "",
                     SLICE_FMT(slice_first(name, 64)), cause);
}

static enum status check(struct making *m, const struct scope *s, const struct json *member,
                         const struct dtdl_content *content, enum property_kind kind)
{
    struct fault cause;

    if (++m->count > PROPERTY_CHANGE_MAX)
        return fault_set(m->why, ST_TOO_LARGE, "more than %d properties", PROPERTY_CHANGE_MAX);
    if (!content && m->model->root)
        return refuse(m, s, member->name, "the device's template has no such property");
    if (content && content->kind != DTDL_PROPERTY)
        return refuse(m, s, member->name, "it is no property");
    if (kind == PROPERTY_READ_ONLY)
        return refuse(m, s, member->name, "only the device sets it");
    if (content && member->kind != JSON_NULL &&
        !dtdl_value_fits(content->typed.schema, member, &cause))
        return refuse(m, s, member->name, cause.text);
    return ST_OK;
}

/* --- one member --------------------------------------------------------------------------------
 */

static void put_desired(struct making *m, struct scope *s, const struct json *member)
{
    struct json *value = copy_of(m, member);

    if (member->kind != JSON_NULL && m->model->format == PROPERTY_LEGACY)
        value = wrap(m, SLICE("value"), value);
    json_set(s->desired, member->name, value);
    json_set(s->metadata, member->name, wrap(m, SLICE("desiredValue"), copy_of(m, member)));
}

static enum status put_member(struct making *m, struct scope *s, const struct json *member)
{
    const struct dtdl_content *content = device_model_find(m->model, s->component, member->name);
    enum property_kind kind = property_kind_of(content, true);
    enum status status = check(m, s, member, content, kind);

    if (status != ST_OK)
        return status;
    if (kind == PROPERTY_CLOUD) {
        json_set(s->cloud, member->name, copy_of(m, member));
        json_set(s->answer, member->name, copy_of(m, member));
    } else {
        put_desired(m, s, member);
    }
    return ST_OK;
}

/* --- what is taken back ------------------------------------------------------------------------
 */

static void take_back_from(struct making *m, const struct scope *s, const struct json *body,
                           const struct json *there, bool is_cloud, struct json *to)
{
    for (const struct json *t = there ? there->first : NULL; t; t = t->next) {
        const struct dtdl_content *content = device_model_find(m->model, s->component, t->name);
        enum property_kind kind = property_kind_of(content, true);

        if (slice_equal(t->name, SLICE(COMPONENT_MARK)) || json_member(body, t->name))
            continue;
        if (m->model->root && !content)
            continue; /* others asked for it, by the twin; or the template had it once */
        if (content && content->kind == DTDL_COMPONENT)
            kind = is_cloud ? PROPERTY_CLOUD : PROPERTY_WRITABLE;
        if ((kind == PROPERTY_CLOUD) == is_cloud && kind != PROPERTY_READ_ONLY)
            json_set(to, t->name, json_new(m->arena, JSON_NULL));
    }
}

static void take_back(struct making *m, struct scope *s, const struct property_request *request,
                      const struct json *body, const struct json *desired, const struct json *cloud)
{
    if (!request->replace)
        return;
    take_back_from(m, s, body, desired, false, s->desired);
    take_back_from(m, s, body, cloud, true, s->cloud);
}

/* --- scopes ------------------------------------------------------------------------------------
 */

static bool is_passed_over(const struct json *member)
{
    return slice_equal(member->name, SLICE("$metadata")) ||
           slice_equal(member->name, SLICE(COMPONENT_MARK));
}

static enum status put_component(struct making *m, slice name, const struct json *body,
                                 const struct property_request *request, struct scope *root,
                                 struct scope *s)
{
    if (!open_scope(m, s, name))
        return ST_NO_MEMORY;
    for (const struct json *member = body->first; member; member = member->next) {
        enum status status = is_passed_over(member) ? ST_OK : put_member(m, s, member);

        if (status != ST_OK)
            return status;
    }
    take_back(m, s, request, body, json_member(request->desired, name),
              json_member(request->cloud, name));
    close_component(m, s, root);
    return ST_OK;
}

static enum status put_root_member(struct making *m, const struct json *member,
                                   const struct property_request *request, struct scope *root)
{
    struct scope s;

    if (is_passed_over(member))
        return ST_OK;
    if (property_is_component(m->model, member))
        return put_component(m, member->name, member, request, root, &s);
    if (device_model_has_component(m->model, member->name) && member->kind != JSON_NULL)
        return refuse(m, root, member->name, "a component is an object");
    if (device_model_has_component(m->model, member->name)) {
        const struct json nothing = {.kind = JSON_OBJECT};
        struct property_request emptying = *request;

        emptying.replace = true;
        return put_component(m, member->name, &nothing, &emptying, root, &s);
    }
    return put_member(m, root, member);
}

static enum status put_root(struct making *m, const struct property_request *request,
                            struct scope *root)
{
    for (const struct json *member = request->body->first; member; member = member->next) {
        enum status status = put_root_member(m, member, request, root);

        if (status != ST_OK)
            return status;
    }
    take_back(m, root, request, request->body, request->desired, request->cloud);
    if (root->metadata->first)
        json_set(root->answer, SLICE("$metadata"), root->metadata);
    return ST_OK;
}

enum status property_change_make(const struct device_model *m,
                                 const struct property_request *request, struct arena *arena,
                                 struct property_change *ret, struct fault *why)
{
    struct making making = {.model = m, .arena = arena, .why = why};
    struct scope root, component;
    enum status status = ST_NO_MEMORY;

    if (open_scope(&making, &root, (slice){0}))
        status = request->component.len > 0
                     ? put_component(&making, request->component, request->body, request, &root,
                                     &component)
                     : put_root(&making, request, &root);
    if (arena->failed || status == ST_NO_MEMORY)
        return fault_set(why, ST_NO_MEMORY, "no memory for the properties");
    if (status != ST_OK)
        return status;
    *ret = (struct property_change){.desired = root.desired,
                                    .cloud = root.cloud,
                                    .answer = request->component.len > 0 ? component.answer
                                                                         : root.answer};
    return ST_OK;
}
