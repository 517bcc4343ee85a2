#include "central/device_act.h"
#include "central/device_task.h"
#include "central/template/template_store.h"

struct act_task {
    struct device_task task;
    enum device_act act;
    struct {
        bool approved, blocked;
        slice template_id;
    } seen; /* what operators change, as it was in the first round */
};

/* --- the unit --------------------------------------------------------------------------------- */

static void on_committed(struct device_task *t)
{
    const struct act_task *own = (struct act_task *)t;

    device_act_tell(t->c, own->act, t->device->id);
    if (device_act_revokes(own->act))
        device_task_revoke(t, device_next_generation(t->device, t->now));
    else
        device_task_finish(t);
}

static void submit(struct act_task *own)
{
    struct device_task *t = &own->task;
    struct unit *unit = unit_create(t->c->st);

    if (!unit) {
        device_task_fail(t, ST_UNAVAILABLE);
        return;
    }
    t->now = clock_wall_ms();
    device_act_unit_add(t->c, unit, own->act, t->device, t->template_id, t->now);
    if (own->act == ACT_ASSOCIATE)
        template_unit_guard(unit, t->template_id);
    device_task_submit(t, unit);
}

/* --- the device ------------------------------------------------------------------------------- */

/* Registrations change the row as well; only what an operator did meanwhile is a race. */
static bool changed_by_another(struct act_task *own)
{
    const struct device *d = own->task.device;

    if (own->task.rounds == 0) {
        own->seen.approved = d->approved;
        own->seen.blocked = d->blocked;
        own->seen.template_id = d->template_id;
        return false;
    }
    return own->seen.approved != d->approved || own->seen.blocked != d->blocked ||
           !slice_equal(own->seen.template_id, d->template_id);
}

static void act(struct device_task *t)
{
    struct act_task *own = (struct act_task *)t;
    bool changed = changed_by_another(own);

    if (!device_act_holds(own->act, t->device, t->template_id)) {
        if (changed && !device_act_insists(own->act))
            device_task_fail(t,
                             fault_set(&t->why, ST_CONFLICT, "the device was changed meanwhile"));
        else
            submit(own);
    } else if (device_act_revokes(own->act)) {
        /* Whoever asks again may do so because it was not seen to work. */
        device_task_revoke(t, t->device->credential_generation);
    } else {
        device_task_finish(t);
    }
}

void central_device_act(struct central *c, slice device_id, enum device_act act_kind,
                        slice template_id, device_view_fn *on_view, void *context)
{
    struct act_task *own = device_task_create(sizeof *own, c, on_view, context);
    struct device_task *t;

    if (!own)
        return;
    t = &own->task;
    t->device_id = arena_copy(&t->arena, device_id);
    t->template_id = arena_copy(&t->arena, template_id);
    t->needs_template = act_kind == ACT_ASSOCIATE;
    t->removes = act_kind == ACT_DELETE;
    t->change = act;
    t->committed = on_committed;
    own->act = act_kind;
    if (t->arena.failed)
        device_task_fail(t, ST_NO_MEMORY);
    else
        device_task_start(t);
}
