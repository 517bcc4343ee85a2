#include "central/property/device_model.h"

#include <stdlib.h>

#include "central/central_internal.h"
#include "central/template/template.h"

#define ARENA_MAX ((size_t)64 << 20)
#define INLINE_MAX (64 * 1024) /* bytes of a document that is read on the worker */

struct loading {
    struct pool_job job; /* first */
    struct central *c;
    struct device_model *to;
    slice document; /* in the model's arena */
    bool is_of_template;
    enum status status;
    struct fault why;
    device_model_fn *on_model;
    void *context;
};

static void finish(struct loading *l, enum status status)
{
    if (status != ST_OK && l->why.status == ST_OK)
        (void)fault_set(&l->why, status, "the device could not be read");
    l->on_model(l->context, status, &l->why);
    free(l);
}

/* --- the model ----------------------------------------------------------------------------------
 */

static enum property_format format_of(const struct dtdl_model *model)
{
    const struct json *format = dtdl_extra_find(&model->element, SLICE("propertyFormat"));

    return format && format->kind == JSON_STRING && slice_equal(format->text, SLICE("legacy"))
               ? PROPERTY_LEGACY
               : PROPERTY_PNP;
}

/* What was published had no errors then; should it have some now, nothing is known of the device.
 */
enum status device_model_read(struct device_model *m, slice document)
{
    struct arena *arena = &m->arena;
    slice text = arena_copy(arena, document);
    struct dtdl_report *report = arena_alloc(arena, sizeof *report);
    struct dtdl_model *model;
    struct fault why;
    struct json *tree;

    if (!report || arena->failed || json_parse(text, JSON_LAST_WINS, arena, &tree, &why) != ST_OK ||
        dtdl_read(tree, arena, report, &model, &why) != ST_OK)
        return arena->failed ? ST_NO_MEMORY : ST_OK;
    m->format = format_of(model);
    if (model->root && model->root->all_count > 0)
        m->root = model->root;
    return ST_OK;
}

static void on_work(struct pool_job *job)
{
    struct loading *l = (struct loading *)job;

    l->status = device_model_read(l->to, l->document);
}

static void on_worked(struct pool_job *job)
{
    struct loading *l = (struct loading *)job;

    finish(l, l->status);
}

static void on_template(void *context, enum status status, const struct template *t,
                        const struct fault *why)
{
    struct loading *l = context;

    (void)why;
    if (status == ST_NOT_FOUND) {
        finish(l, l->is_of_template ? status : ST_OK);
        return;
    }
    if (status == ST_OK)
        l->document = arena_copy(&l->to->arena, t->document);
    if (status != ST_OK || l->to->arena.failed) {
        finish(l, status != ST_OK ? status : ST_NO_MEMORY);
    } else if (l->document.len <= INLINE_MAX) {
        finish(l, device_model_read(l->to, l->document));
    } else {
        l->job.work = on_work;
        l->job.done = on_worked;
        if (!pool_submit(l->c->ws, &l->job))
            finish(l, ST_UNAVAILABLE);
    }
}

/* --- the device ---------------------------------------------------------------------------------
 */

static void on_device(void *context, enum status status, const struct device *d)
{
    struct loading *l = context;
    struct device_model *to = l->to;

    if (status != ST_OK) {
        if (status == ST_DEVICE_NOT_FOUND)
            (void)fault_set(&l->why, status, "there is no such device");
        finish(l, status);
        return;
    }
    to->hub = arena_copy(&to->arena, d->hub);
    to->id = arena_copy(&to->arena, d->id);
    to->generation_id = arena_copy(&to->arena, d->generation_id);
    to->template_id = arena_copy(&to->arena, d->template_id);
    if (to->arena.failed)
        finish(l, ST_NO_MEMORY);
    else if (to->template_id.len == 0)
        finish(l, ST_OK);
    else
        central_template_get(l->c, to->template_id, TEMPLATE_PUBLISHED, on_template, l);
}

/* NULL after the call back. */
static struct loading *begin(struct central *c, struct device_model *to, device_model_fn *on_model,
                             void *context)
{
    struct loading *l = calloc(1, sizeof *l);
    struct fault why;

    *to = (struct device_model){0};
    arena_init(&to->arena, ARENA_MAX);
    if (l)
        *l = (struct loading){.c = c, .to = to, .on_model = on_model, .context = context};
    else
        on_model(context, fault_set(&why, ST_NO_MEMORY, "no memory for a device"), &why);
    return l;
}

void device_model_load(struct central *c, slice device_id, struct device_model *to,
                       device_model_fn *on_model, void *context)
{
    struct loading *l = begin(c, to, on_model, context);

    if (l)
        device_find(c->id, device_id, on_device, l);
}

void device_model_load_template(struct central *c, slice template_id, struct device_model *to,
                                device_model_fn *on_model, void *context)
{
    struct loading *l = begin(c, to, on_model, context);

    if (!l)
        return;
    l->is_of_template = true;
    to->template_id = arena_copy(&to->arena, template_id);
    if (to->arena.failed)
        finish(l, ST_NO_MEMORY);
    else
        central_template_get(c, to->template_id, TEMPLATE_PUBLISHED, on_template, l);
}

void device_model_deinit(struct device_model *m)
{
    arena_deinit(&m->arena);
    *m = (struct device_model){0};
}

/* --- looking ------------------------------------------------------------------------------------
 */

static const struct dtdl_interface *interface_of(const struct device_model *m, slice component)
{
    const struct dtdl_content *content;

    if (!m->root || component.len == 0)
        return m->root;
    content = dtdl_content_find(m->root, component);
    return content && content->kind == DTDL_COMPONENT ? content->interface : NULL;
}

const struct dtdl_content *device_model_find(const struct device_model *m, slice component,
                                             slice name)
{
    const struct dtdl_interface *interface = interface_of(m, component);

    return interface ? dtdl_content_find(interface, name) : NULL;
}

bool device_model_has_component(const struct device_model *m, slice component)
{
    return component.len > 0 && interface_of(m, component) != NULL;
}
