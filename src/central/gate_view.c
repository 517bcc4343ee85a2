#include <stdlib.h>

#include "central/central_internal.h"
#include "central/relationship.h"
#include "central/template/templates.h"
#include "provisioning/model_id.h"

struct view_query {
    struct central *c;
    struct gate_view view;
    gate_view_fn *on_view;
    void *context;
    size_t model_id_len;
    uint8_t model_id[];
};

struct gate_view gate_view_of(const struct central_settings *s)
{
    struct gate_view view = {.auto_approve = s->auto_approve, .version = s->version};

    /* the enumeration has no name of its own to cast to */
    switch (s->require_template) {
    case TEMPLATE_NEVER:
        view.require_template = TEMPLATE_NEVER;
        break;
    case TEMPLATE_DEVICE_ORIGIN:
        view.require_template = TEMPLATE_DEVICE_ORIGIN;
        break;
    default:
        view.require_template = TEMPLATE_ALWAYS;
    }
    return view;
}

static void finish(struct view_query *q, enum status status)
{
    q->on_view(q->context, status, status == ST_OK ? &q->view : NULL);
    free(q);
}

static void on_template(void *context, enum status status, slice id)
{
    struct view_query *q = context;

    q->view.template_id = id;
    finish(q, status);
}

static void on_settings(void *context, enum status status, const struct central_settings *s,
                        const struct fault *why)
{
    struct view_query *q = context;

    (void)why;
    if (status != ST_OK) {
        finish(q, status);
        return;
    }
    q->view = gate_view_of(s);
    if (q->model_id_len == 0 || !s->auto_associate)
        finish(q, ST_OK);
    else
        template_find_by_model(q->c, slice_of(q->model_id, q->model_id_len), on_template, q);
}

void gate_view_read(struct central *c, slice model_id, gate_view_fn *on_view, void *context)
{
    size_t len = model_id.len <= MODEL_ID_MAX ? model_id.len : 0;
    struct view_query *q = malloc(sizeof *q + len);

    if (!q) {
        on_view(context, ST_NO_MEMORY, NULL);
        return;
    }
    *q = (struct view_query){.c = c, .on_view = on_view, .context = context, .model_id_len = len};
    if (len > 0)
        memcpy(q->model_id, model_id.ptr, len);
    central_get_settings(c, on_settings, q);
}

static void view(void *context, slice model_id, gate_view_fn *on_view, void *view_context)
{
    gate_view_read(context, model_id, on_view, view_context);
}

static void behind_gateway(void *context, slice gateway_id, slice device_id)
{
    relationship_announced(context, gateway_id, device_id);
}

struct provisioning_gate central_gate(struct central *c)
{
    return (struct provisioning_gate){.context = c, .view = view, .behind_gateway = behind_gateway};
}
