#include "base/log.h"
#include "central/device_rules.h"
#include "central/device_task.h"
#include "central/template/template_store.h"
#include "identity/access/organization.h"
#include "provisioning/lifecycle.h"

struct edit_task {
    struct device_task task;
    struct device_edit edit;
    unsigned events;
};

static bool blocks(const struct edit_task *own)
{
    return (own->edit.set & DEVICE_EDIT_ENABLED) && !own->edit.enabled;
}

/* --- what changes ----------------------------------------------------------------------------- */

static void set_enabled(struct edit_task *own, struct device_change *change)
{
    const struct device *d = own->task.device;

    change->to.blocked = !own->edit.enabled;
    change->to.approved = true;
    if (d->blocked != change->to.blocked) {
        change->set |= DEVICE_SET_BLOCKED;
        own->events |= own->edit.enabled ? EVENT_ENABLED : EVENT_DISABLED;
    }
    if (!own->edit.enabled && !d->blocked)
        change->set |= DEVICE_BUMP_CREDENTIAL;
    if (own->edit.enabled && !d->approved) {
        change->set |= DEVICE_SET_APPROVED;
        own->events |= EVENT_APPROVED;
    }
}

static void set_place(struct edit_task *own, struct device_change *change)
{
    const struct device_edit *e = &own->edit;
    const struct device *d = own->task.device;
    slice name = e->display_name.len > 0 ? e->display_name : d->id;

    if ((e->set & DEVICE_EDIT_NAME) && !slice_equal(name, d->display_name))
        change->set |= DEVICE_SET_DISPLAY_NAME;
    if ((e->set & DEVICE_EDIT_ORGANIZATION) && !slice_equal(e->organization, d->organization))
        change->set |= DEVICE_SET_ORGANIZATION;
    if ((e->set & DEVICE_EDIT_TEMPLATE) && !slice_equal(e->template_id, d->template_id)) {
        change->set |= DEVICE_SET_TEMPLATE;
        own->events |= EVENT_TEMPLATE_CHANGED;
    }
    change->to.display_name = name;
    change->to.organization = e->organization;
    change->to.template_id = e->template_id;
}

static void plan(struct edit_task *own, struct device_change *change)
{
    own->events = 0;
    *change = (struct device_change){.to.now = clock_wall_ms()};
    own->task.now = change->to.now;
    set_place(own, change);
    if (own->edit.set & DEVICE_EDIT_ENABLED)
        set_enabled(own, change);
}

/* --- the unit --------------------------------------------------------------------------------- */

static void on_committed(struct device_task *t)
{
    const struct edit_task *own = (struct edit_task *)t;

    LOG_INFO("device_edit", LOG_TEXT("device", t->device->id));
    lifecycle_publish(t->c->bus, own->events, t->device->id, t->now);
    identity_forget_refusals(t->c->id, t->device->id);
    if (blocks(own))
        device_task_revoke(t, device_next_generation(t->device, t->now));
    else
        device_task_finish(t);
}

static void submit(struct edit_task *own, const struct device_change *change)
{
    struct device_task *t = &own->task;
    struct unit *unit = unit_create(t->c->st);

    if (!unit) {
        device_task_fail(t, ST_UNAVAILABLE);
        return;
    }
    if (blocks(own))
        unit_set_urgency(unit, UNIT_URGENT);
    device_unit_update(unit, t->c->id, t->device, change);
    if (change->set & DEVICE_SET_ORGANIZATION)
        organization_unit_guard(unit, own->edit.organization);
    if ((change->set & DEVICE_SET_TEMPLATE) && t->template_id.len > 0)
        template_unit_guard(unit, t->template_id);
    device_task_submit(t, unit);
}

/* --- the device ------------------------------------------------------------------------------- */

static void change(struct device_task *t)
{
    struct edit_task *own = (struct edit_task *)t;
    struct device_change change;

    if (own->edit.version > 0 && own->edit.version != t->device->version) {
        device_task_fail(
            t, fault_set(&t->why, ST_PRECONDITION_FAILED, "the device was changed meanwhile"));
        return;
    }
    plan(own, &change);
    if (change.set != 0)
        submit(own, &change);
    else if (blocks(own))
        device_task_revoke(t, t->device->credential_generation);
    else
        device_task_finish(t);
}

static bool keep(struct edit_task *own, slice device_id, const struct device_edit *edit)
{
    struct device_task *t = &own->task;

    t->device_id = arena_copy(&t->arena, device_id);
    t->template_id = arena_copy(&t->arena, edit->template_id);
    t->needs_template = (edit->set & DEVICE_EDIT_TEMPLATE) && edit->template_id.len > 0;
    own->edit = *edit;
    own->edit.template_id = t->template_id;
    own->edit.display_name = arena_copy(&t->arena, edit->display_name);
    own->edit.organization = arena_copy(&t->arena, edit->organization);
    return !t->arena.failed;
}

void central_device_edit(struct central *c, slice device_id, const struct device_edit *edit,
                         device_view_fn *on_view, void *context)
{
    struct edit_task *own = device_task_create(sizeof *own, c, on_view, context);
    struct device_task *t;

    if (!own)
        return;
    t = &own->task;
    t->change = change;
    t->committed = on_committed;
    if (!keep(own, device_id, edit))
        device_task_fail(t, ST_NO_MEMORY);
    else if (device_name_check(edit->display_name, &t->why) != ST_OK)
        device_task_fail(t, t->why.status);
    else
        device_task_start(t);
}
