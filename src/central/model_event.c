#include "central/model_event.h"

#include <stdlib.h>

#include "central/central_internal.h"
#include "central/template/template_store.h"
#include "hub/event.h"
#include "provisioning/lifecycle.h"

#define ROUNDS 5

struct association {
    struct central *c;
    struct arena arena;
    slice hub, device_id, model_id, template_id;
    unsigned rounds;
};

static void begin(struct association *a);

static void finish(struct association *a)
{
    arena_deinit(&a->arena);
    free(a);
}

static void on_committed(void *context, enum status status, struct unit *unit)
{
    struct association *a = context;

    (void)unit;
    if (status == ST_CONFLICT && ++a->rounds < ROUNDS) {
        begin(a);
        return;
    }
    if (status == ST_OK)
        lifecycle_publish(a->c->bus, EVENT_TEMPLATE_CHANGED, a->device_id, clock_wall_ms());
    finish(a);
}

static void on_device(void *context, enum status status, const struct device *d)
{
    struct association *a = context;
    const struct device_change change = {
        .set = DEVICE_SET_TEMPLATE,
        .to = {.template_id = a->template_id, .now = clock_wall_ms()},
    };
    struct unit *unit = NULL;

    if (status == ST_OK && d->template_id.len == 0)
        unit = unit_create(a->c->st);
    if (!unit) {
        finish(a);
        return;
    }
    device_unit_update(unit, a->c->id, d, &change);
    template_unit_guard(unit, a->template_id);
    unit_submit(unit, on_committed, a);
}

static void begin(struct association *a)
{
    device_get(a->c->id, a->hub, a->device_id, (slice){0}, on_device, a);
}

static void on_view(void *context, enum status status, const struct gate_view *view)
{
    struct association *a = context;

    if (status == ST_OK)
        a->template_id = arena_copy(&a->arena, view->template_id);
    if (a->template_id.len > 0)
        begin(a);
    else
        finish(a);
}

static void on_hub_event(void *context, slice subject, slice message)
{
    struct hub_event e;
    struct association *a;

    (void)subject;
    if (!hub_event_decode(message, &e) || e.kind != HUB_EVENT_MODEL || e.module_id.len > 0)
        return;
    a = calloc(1, sizeof *a);
    if (!a)
        return; /* the next registration tries again */
    a->c = context;
    arena_init(&a->arena, 65536);
    a->hub = arena_copy(&a->arena, e.hub_name);
    a->device_id = arena_copy(&a->arena, e.device_id);
    a->model_id = arena_copy(&a->arena, e.model_id);
    if (a->arena.failed)
        finish(a);
    else
        gate_view_read(a->c, a->model_id, on_view, a);
}

bool model_event_listen(struct central *c)
{
    return bus_subscribe(c->bus, workers_at(c->ws, 0), HUB_EVENTS_SUBJECT, on_hub_event, c);
}
