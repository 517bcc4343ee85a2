#include <stdlib.h>

#include "central/central_internal.h"
#include "hub/session.h"
#include "provisioning/device_copy.h"

/* --- one device ------------------------------------------------------------------------------- */

/* device -> its enrollment -> settings -> its live connection */
struct view_query {
    struct central *c;
    struct arena arena;
    struct device *device;
    struct enrollment enrollment; /* as far as the gate looks at it */
    bool has_enrollment;
    struct device_view view;
    device_view_fn *on_view;
    void *context;
    struct fault why;
};

static void finish(struct view_query *q, enum status status)
{
    if (status != ST_OK && q->why.status == ST_OK)
        (void)fault_set(&q->why, status, "the device could not be read");
    q->on_view(q->context, status, status == ST_OK ? &q->view : NULL, &q->why);
    arena_deinit(&q->arena);
    free(q);
}

static void on_session(void *context, const struct session_info *info)
{
    struct view_query *q = context;
    struct device_view *v = &q->view;

    v->connected = info->connected;
    v->last_activity_at = info->last_activity_at > q->device->last_activity_at
                              ? info->last_activity_at
                              : q->device->last_activity_at;
    v->protocol = info->protocol;
    v->client_type = info->client_type;
    v->peer = info->peer;
    finish(q, ST_OK);
}

static void on_settings(void *context, enum status status, const struct central_settings *s,
                        const struct fault *why)
{
    struct view_query *q = context;
    const struct hub_name *hub;
    struct gate_view gate;

    if (status != ST_OK) {
        q->why = *why;
        finish(q, status);
        return;
    }
    gate = gate_view_of(s);
    q->view.device = q->device;
    q->view.status = device_status_of(q->device, s->profile == PROFILE_LATER);
    q->view.refusal = gate_refusal(&gate, q->device, q->has_enrollment ? &q->enrollment : NULL);
    hub = identity_hub_by_name(q->c->id, q->device->hub);
    if (hub)
        session_query(q->c->hub, hub, q->device->id, (slice){0}, on_session, q);
    else
        on_session(q, &(struct session_info){0});
}

static void on_enrollment(void *context, enum status status, const struct enrollment *e,
                          const struct fault *why)
{
    struct view_query *q = context;

    if (status != ST_OK && status != ST_NOT_FOUND) {
        q->why = *why;
        finish(q, status);
        return;
    }
    q->has_enrollment = status == ST_OK;
    if (q->has_enrollment) {
        q->enrollment =
            (struct enrollment){.kind = e->kind, .enabled = e->enabled, .gated = e->gated};
        if (e->kind == ENROLLMENT_GROUP)
            q->view.enrollment_group = arena_copy(&q->arena, e->id);
    }
    central_get_settings(q->c, on_settings, q);
}

static void on_device(void *context, enum status status, const struct device *d)
{
    struct view_query *q = context;

    if (status == ST_OK) {
        q->device = device_copy(&q->arena, d);
        status = q->device ? ST_OK : ST_NO_MEMORY;
    }
    if (status == ST_DEVICE_NOT_FOUND)
        (void)fault_set(&q->why, status, "no such device");
    if (status != ST_OK)
        finish(q, status);
    else
        enrollment_of_device(q->c->p, q->device, false, on_enrollment, q);
}

void central_device_get(struct central *c, slice device_id, device_view_fn *on_view, void *context)
{
    struct view_query *q = calloc(1, sizeof *q);
    struct fault why = {ST_NO_MEMORY, "no memory for a device"};

    if (!q) {
        on_view(context, ST_NO_MEMORY, NULL, &why);
        return;
    }
    q->c = c;
    q->on_view = on_view;
    q->context = context;
    arena_init(&q->arena, 65536);
    device_find(c->id, device_id, on_device, q);
}

/* --- a page of them --------------------------------------------------------------------------- */

struct list_query {
    struct central *c;
    struct arena arena;
    struct device_filter filter;
    struct gate_view gate;
    device_view_fn *on_view;
    void *context;
    struct fault why;
};

static void finish_list(struct list_query *q, enum status status)
{
    if (status != ST_OK && q->why.status == ST_OK)
        (void)fault_set(&q->why, status, "the devices could not be read");
    q->on_view(q->context, status, NULL, &q->why);
    arena_deinit(&q->arena);
    free(q);
}

static void on_listed(void *context, enum status status, const struct device *d)
{
    struct list_query *q = context;
    struct device_view v;

    if (!d) {
        finish_list(q, status);
        return;
    }
    v = (struct device_view){
        .device = d,
        .status = device_status_of(d, q->filter.later_profile),
        .refusal = gate_refusal(&q->gate, d, NULL),
        .last_activity_at = d->last_activity_at,
    };
    if (d->enrollment_kind == ENROLLMENT_GROUP)
        v.enrollment_group = d->enrollment_id;
    q->on_view(q->context, ST_OK, &v, &q->why);
}

static void on_list_settings(void *context, enum status status, const struct central_settings *s,
                             const struct fault *why)
{
    struct list_query *q = context;

    if (status != ST_OK) {
        q->why = *why;
        finish_list(q, status);
        return;
    }
    q->gate = gate_view_of(s);
    q->filter.later_profile = s->profile == PROFILE_LATER;
    device_list(q->c->id, &q->filter, on_listed, q);
}

void central_device_list(struct central *c, const struct device_filter *filter,
                         device_view_fn *on_view, void *context)
{
    struct list_query *q = calloc(1, sizeof *q);
    struct fault why = {ST_NO_MEMORY, "no memory for a list"};

    if (!q) {
        on_view(context, ST_NO_MEMORY, NULL, &why);
        return;
    }
    q->c = c;
    q->on_view = on_view;
    q->context = context;
    q->filter = *filter;
    arena_init(&q->arena, 16384);
    q->filter.after = arena_copy(&q->arena, filter->after);
    q->filter.template_id = arena_copy(&q->arena, filter->template_id);
    q->filter.search = arena_copy(&q->arena, filter->search);
    q->filter.within = arena_copy(&q->arena, filter->within);
    q->filter.after_name = arena_copy(&q->arena, filter->after_name);
    if (q->arena.failed)
        finish_list(q, ST_NO_MEMORY);
    else
        central_get_settings(c, on_list_settings, q);
}
