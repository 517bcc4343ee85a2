#include <stdlib.h>

#include "base/log.h"
#include "central/central_internal.h"
#include "central/device_act.h"
#include "central/device_rules.h"
#include "central/template/template_store.h"
#include "central/template/templates.h"
#include "identity/access/organization.h"
#include "provisioning/device_copy.h"
#include "provisioning/lifecycle.h"

/* As many as an act has: a device may register as fast as it can. */
#define EDIT_ROUNDS 200

/* [template] -> device -> the unit -> sessions closed -> the device as it is now
 *                  ^         |
 *                  +---------+ ST_CONFLICT: the row changed meanwhile */
struct edit_task {
    struct central *c;
    struct arena arena;
    struct device_edit edit;
    slice device_id;
    struct device *device;
    instant now; /* of the change */
    unsigned events;
    unsigned rounds;
    device_view_fn *on_view;
    void *context;
    struct fault why;
};

/* --- the end ---------------------------------------------------------------------------------- */

static void fail(struct edit_task *t, enum status status)
{
    if (t->why.status == ST_OK)
        (void)fault_set(&t->why, status, "the device could not be changed");
    t->on_view(t->context, status, NULL, &t->why);
    arena_deinit(&t->arena);
    free(t);
}

static void finish(void *context)
{
    struct edit_task *t = context;

    central_device_get(t->c, t->device->id, t->on_view, t->context);
    arena_deinit(&t->arena);
    free(t);
}

static bool blocks(const struct edit_task *t)
{
    return (t->edit.set & DEVICE_EDIT_ENABLED) && !t->edit.enabled;
}

/* --- what changes ----------------------------------------------------------------------------- */

static void set_enabled(struct edit_task *t, struct device_change *change)
{
    const struct device *d = t->device;

    change->to.blocked = !t->edit.enabled;
    change->to.approved = true;
    if (d->blocked != change->to.blocked) {
        change->set |= DEVICE_SET_BLOCKED;
        t->events |= t->edit.enabled ? EVENT_ENABLED : EVENT_DISABLED;
    }
    if (!t->edit.enabled && !d->blocked)
        change->set |= DEVICE_BUMP_CREDENTIAL;
    if (t->edit.enabled && !d->approved) {
        change->set |= DEVICE_SET_APPROVED;
        t->events |= EVENT_APPROVED;
    }
}

static void set_place(struct edit_task *t, struct device_change *change)
{
    const struct device_edit *e = &t->edit;
    const struct device *d = t->device;
    slice name = e->display_name.len > 0 ? e->display_name : d->id;

    if ((e->set & DEVICE_EDIT_NAME) && !slice_equal(name, d->display_name))
        change->set |= DEVICE_SET_DISPLAY_NAME;
    if ((e->set & DEVICE_EDIT_ORGANIZATION) && !slice_equal(e->organization, d->organization))
        change->set |= DEVICE_SET_ORGANIZATION;
    if ((e->set & DEVICE_EDIT_TEMPLATE) && !slice_equal(e->template_id, d->template_id)) {
        change->set |= DEVICE_SET_TEMPLATE;
        t->events |= EVENT_TEMPLATE_CHANGED;
    }
    change->to.display_name = name;
    change->to.organization = e->organization;
    change->to.template_id = e->template_id;
}

static void plan(struct edit_task *t, struct device_change *change)
{
    t->events = 0;
    *change = (struct device_change){.to.now = clock_wall_ms()};
    t->now = change->to.now;
    set_place(t, change);
    if (t->edit.set & DEVICE_EDIT_ENABLED)
        set_enabled(t, change);
}

/* --- the unit --------------------------------------------------------------------------------- */

static void begin(struct edit_task *t);

static void tell(struct edit_task *t)
{
    LOG_INFO("device_edit", LOG_TEXT("device", t->device->id));
    lifecycle_publish(t->c->bus, t->events, t->device->id, t->now);
    identity_forget_refusals(t->c->id, t->device->id);
}

static void on_committed(void *context, enum status status, struct unit *unit)
{
    struct edit_task *t = context;

    (void)unit;
    if (status == ST_CONFLICT && ++t->rounds < EDIT_ROUNDS) {
        begin(t);
        return;
    }
    if (status != ST_OK) {
        fail(t, status);
        return;
    }
    tell(t);
    if (blocks(t))
        device_act_revoke(t->c, t->device, device_next_generation(t->device, t->now), finish, t);
    else
        finish(t);
}

static void submit(struct edit_task *t, const struct device_change *change)
{
    struct unit *unit = unit_create(t->c->st);

    if (!unit) {
        fail(t, ST_UNAVAILABLE);
        return;
    }
    if (blocks(t))
        unit_set_urgency(unit, UNIT_URGENT);
    device_unit_update(unit, t->c->id, t->device, change);
    if (change->set & DEVICE_SET_ORGANIZATION)
        organization_unit_guard(unit, t->edit.organization);
    if ((change->set & DEVICE_SET_TEMPLATE) && t->edit.template_id.len > 0)
        template_unit_guard(unit, t->edit.template_id);
    unit_submit(unit, on_committed, t);
}

/* --- the device ------------------------------------------------------------------------------- */

static void change(struct edit_task *t)
{
    struct device_change change;

    if (t->edit.version > 0 && t->edit.version != t->device->version) {
        fail(t, fault_set(&t->why, ST_PRECONDITION_FAILED, "the device was changed meanwhile"));
        return;
    }
    plan(t, &change);
    if (change.set != 0)
        submit(t, &change);
    else if (blocks(t))
        device_act_revoke(t->c, t->device, t->device->credential_generation, finish, t);
    else
        finish(t);
}

static void on_device(void *context, enum status status, const struct device *d)
{
    struct edit_task *t = context;

    if (status == ST_OK) {
        t->device = device_copy(&t->arena, d);
        status = t->device ? ST_OK : ST_NO_MEMORY;
    }
    if (status == ST_DEVICE_NOT_FOUND)
        (void)fault_set(&t->why, status, "no such device");
    if (status == ST_OK)
        change(t);
    else
        fail(t, status);
}

static void on_template(void *context, enum status status)
{
    struct edit_task *t = context;

    if (status == ST_NOT_FOUND)
        status = fault_set(&t->why, ST_BAD_REQUEST, "no published template of that ID");
    if (status == ST_OK)
        device_find(t->c->id, t->device_id, on_device, t);
    else
        fail(t, status);
}

static void begin(struct edit_task *t)
{
    if ((t->edit.set & DEVICE_EDIT_TEMPLATE) && t->edit.template_id.len > 0)
        template_check_published(t->c, t->edit.template_id, on_template, t);
    else
        on_template(t, ST_OK);
}

static bool keep(struct edit_task *t, slice device_id)
{
    t->device_id = arena_copy(&t->arena, device_id);
    t->edit.display_name = arena_copy(&t->arena, t->edit.display_name);
    t->edit.template_id = arena_copy(&t->arena, t->edit.template_id);
    t->edit.organization = arena_copy(&t->arena, t->edit.organization);
    return !t->arena.failed;
}

void central_device_edit(struct central *c, slice device_id, const struct device_edit *edit,
                         device_view_fn *on_view, void *context)
{
    struct edit_task *t = calloc(1, sizeof *t);
    struct fault why = {ST_NO_MEMORY, "no memory for a change"};

    if (!t) {
        on_view(context, ST_NO_MEMORY, NULL, &why);
        return;
    }
    *t = (struct edit_task){.c = c, .edit = *edit, .on_view = on_view, .context = context};
    arena_init(&t->arena, 4 * 1024 * 1024);
    if (!keep(t, device_id))
        fail(t, ST_NO_MEMORY);
    else if (device_name_check(edit->display_name, &t->why) != ST_OK)
        fail(t, t->why.status);
    else
        begin(t);
}
