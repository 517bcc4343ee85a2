#include "central/device_task.h"

#include <stdlib.h>

#include "central/device_act.h"
#include "central/template/template_store.h"
#include "central/template/templates.h"
#include "provisioning/device_copy.h"

#define ROUNDS_MAX 200
#define TASK_ARENA_MAX ((size_t)4 << 20) /* a device for each round */

/* --- the end ---------------------------------------------------------------------------------- */

static void destroy(struct device_task *t)
{
    arena_deinit(&t->arena);
    free(t);
}

void device_task_fail(struct device_task *t, enum status status)
{
    if (t->why.status == ST_OK)
        (void)fault_set(&t->why, status, "the device could not be changed");
    t->on_view(t->context, status, NULL, &t->why);
    destroy(t);
}

void device_task_finish(struct device_task *t)
{
    if (t->removes)
        t->on_view(t->context, ST_OK, NULL, &t->why);
    else
        central_device_get(t->c, t->device->id, t->on_view, t->context);
    destroy(t);
}

static void on_revoked(void *context)
{
    device_task_finish(context);
}

void device_task_revoke(struct device_task *t, int64_t generation)
{
    device_act_revoke(t->c, t->device, generation, on_revoked, t);
}

/* --- the unit --------------------------------------------------------------------------------- */

static void on_committed(void *context, enum status status, struct unit *unit)
{
    struct device_task *t = context;

    (void)unit;
    if (status == ST_CONFLICT && ++t->rounds < ROUNDS_MAX)
        device_task_start(t);
    else if (status == ST_OK)
        t->committed(t);
    else
        device_task_fail(t, status);
}

void device_task_submit(struct device_task *t, struct unit *unit)
{
    unit_submit(unit, on_committed, t);
}

/* --- what is read first ----------------------------------------------------------------------- */

static void on_device(void *context, enum status status, const struct device *d)
{
    struct device_task *t = context;

    if (status == ST_OK) {
        t->device = device_copy(&t->arena, d);
        status = t->device ? ST_OK : ST_NO_MEMORY;
    }
    if (status == ST_DEVICE_NOT_FOUND)
        (void)fault_set(&t->why, status, "no such device");
    if (status == ST_OK)
        t->change(t);
    else
        device_task_fail(t, status);
}

static void on_template(void *context, enum status status)
{
    struct device_task *t = context;

    if (status == ST_NOT_FOUND)
        status = fault_set(&t->why, ST_BAD_REQUEST, "no published template of that ID");
    if (status == ST_OK)
        device_find(t->c->id, t->device_id, on_device, t);
    else
        device_task_fail(t, status);
}

void *device_task_create(size_t size, struct central *c, device_view_fn *on_view, void *context)
{
    struct fault why = {ST_NO_MEMORY, "no memory for a change"};
    struct device_task *t = calloc(1, size);

    if (!t) {
        on_view(context, ST_NO_MEMORY, NULL, &why);
        return NULL;
    }
    t->c = c;
    t->on_view = on_view;
    t->context = context;
    arena_init(&t->arena, TASK_ARENA_MAX);
    return t;
}

void device_task_start(struct device_task *t)
{
    if (t->needs_template)
        template_check_published(t->c, t->template_id, on_template, t);
    else
        on_template(t, ST_OK);
}
