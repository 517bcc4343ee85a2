#include <stdlib.h>

#include "central/central_internal.h"
#include "central/device_act.h"
#include "central/template/template_store.h"
#include "central/template/templates.h"
#include "provisioning/device_copy.h"

/* Each is lost to another change of the row. A device that registers as fast as it can wins some of
 * them in a row, and must not keep an operator from blocking it. */
#define ACT_ROUNDS 200

/* [template] -> device -> the unit -> sessions closed -> the device as it is now
 *                  ^         |
 *                  +---------+ ST_CONFLICT: the row changed meanwhile */
struct act_task {
    struct central *c;
    struct arena arena;
    enum device_act act;
    slice device_id, template_id;
    struct device *device;
    instant now; /* of the change */
    unsigned rounds;
    struct {
        bool approved, blocked;
        slice template_id;
    } seen; /* what operators change, as it was in the first round */
    device_view_fn *on_view;
    void *context;
    struct fault why;
};

/* --- the end ---------------------------------------------------------------------------------- */

static void fail(struct act_task *t, enum status status)
{
    if (t->why.status == ST_OK)
        (void)fault_set(&t->why, status, "the device could not be changed");
    t->on_view(t->context, status, NULL, &t->why);
    arena_deinit(&t->arena);
    free(t);
}

static void finish(void *context)
{
    struct act_task *t = context;

    if (t->act == ACT_DELETE)
        t->on_view(t->context, ST_OK, NULL, &t->why);
    else
        central_device_get(t->c, t->device->id, t->on_view, t->context);
    arena_deinit(&t->arena);
    free(t);
}

/* Also when the act held already: whoever asks again may do so because it was not seen to work. */
static void revoke(struct act_task *t, int64_t generation)
{
    device_act_revoke(t->c, t->device, generation, finish, t);
}

/* --- the unit --------------------------------------------------------------------------------- */

static void start(struct act_task *t);

static void on_committed(void *context, enum status status, struct unit *unit)
{
    struct act_task *t = context;

    (void)unit;
    if (status == ST_CONFLICT && ++t->rounds < ACT_ROUNDS) {
        start(t);
        return;
    }
    if (status != ST_OK) {
        fail(t, status);
        return;
    }
    device_act_tell(t->c, t->act, t->device->id);
    if (device_act_revokes(t->act))
        revoke(t, device_next_generation(t->device, t->now));
    else
        finish(t);
}

static void submit(struct act_task *t)
{
    struct unit *unit = unit_create(t->c->st);

    if (!unit) {
        fail(t, ST_UNAVAILABLE);
        return;
    }
    t->now = clock_wall_ms();
    device_act_unit_add(t->c, unit, t->act, t->device, t->template_id, t->now);
    if (t->act == ACT_ASSOCIATE)
        template_unit_guard(unit, t->template_id);
    unit_submit(unit, on_committed, t);
}

/* --- the device ------------------------------------------------------------------------------- */

/* Registrations change the row as well; only what an operator did meanwhile is a race. */
static bool changed_by_another(struct act_task *t)
{
    if (t->rounds == 0) {
        t->seen.approved = t->device->approved;
        t->seen.blocked = t->device->blocked;
        t->seen.template_id = t->device->template_id;
        return false;
    }
    return t->seen.approved != t->device->approved || t->seen.blocked != t->device->blocked ||
           !slice_equal(t->seen.template_id, t->device->template_id);
}

static void act(struct act_task *t)
{
    bool changed = changed_by_another(t);

    if (device_act_holds(t->act, t->device, t->template_id)) {
        if (device_act_revokes(t->act))
            revoke(t, t->device->credential_generation);
        else
            finish(t);
    } else if (changed && !device_act_insists(t->act)) {
        fail(t, fault_set(&t->why, ST_CONFLICT, "the device was changed meanwhile"));
    } else {
        submit(t);
    }
}

static void on_device(void *context, enum status status, const struct device *d)
{
    struct act_task *t = context;

    if (status == ST_OK) {
        t->device = device_copy(&t->arena, d);
        status = t->device ? ST_OK : ST_NO_MEMORY;
    }
    if (status == ST_DEVICE_NOT_FOUND)
        (void)fault_set(&t->why, status, "no such device");
    if (status != ST_OK)
        fail(t, status);
    else
        act(t);
}

static void begin(struct act_task *t)
{
    device_find(t->c->id, t->device_id, on_device, t);
}

static void on_template(void *context, enum status status)
{
    struct act_task *t = context;

    if (status == ST_NOT_FOUND)
        status = fault_set(&t->why, ST_BAD_REQUEST, "no published template of that ID");
    if (status == ST_OK)
        begin(t);
    else
        fail(t, status);
}

static void start(struct act_task *t)
{
    if (t->act == ACT_ASSOCIATE)
        template_check_published(t->c, t->template_id, on_template, t);
    else
        begin(t);
}

void central_device_act(struct central *c, slice device_id, enum device_act act_kind,
                        slice template_id, device_view_fn *on_view, void *context)
{
    struct act_task *t = calloc(1, sizeof *t);
    struct fault why = {ST_NO_MEMORY, "no memory for an act"};

    if (!t) {
        on_view(context, ST_NO_MEMORY, NULL, &why);
        return;
    }
    *t = (struct act_task){.c = c, .act = act_kind, .on_view = on_view, .context = context};
    arena_init(&t->arena, 1024 * 1024);
    t->device_id = arena_copy(&t->arena, device_id);
    t->template_id = arena_copy(&t->arena, template_id);
    if (t->arena.failed)
        fail(t, ST_NO_MEMORY);
    else
        start(t);
}
