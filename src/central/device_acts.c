#include <stdlib.h>

#include "base/log.h"
#include "central/central_internal.h"
#include "central/templates.h"
#include "hub/session.h"
#include "hub/twin.h"
#include "provisioning/device_copy.h"
#include "provisioning/lifecycle.h"

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

/* --- the acts, as a table (contract/central.md 1.6) ------------------------------------------- */

static bool is_approved(const struct act_task *t)
{
    return t->device->approved;
}

static bool is_associated(const struct act_task *t)
{
    return slice_equal(t->device->template_id, t->template_id);
}

static bool is_blocked(const struct act_task *t)
{
    return t->device->blocked;
}

static bool is_unblocked(const struct act_task *t)
{
    return !t->device->blocked;
}

static bool is_deprovisioned(const struct act_task *t)
{
    return !t->device->provisioned;
}

static bool is_never(const struct act_task *t)
{
    (void)t;
    return false;
}

static const struct {
    const char *name;
    bool (*holds)(const struct act_task *t); /* then there is nothing to write */
    unsigned set;                            /* DEVICE_SET_* */
    bool value;                              /* that `set` is set to */
    unsigned event;
    bool revokes; /* takes a right away: urgent, and done only when nobody uses it any more */
    bool insists; /* whatever others did meanwhile */
} acts[] = {
    [ACT_APPROVE] = {"approve", is_approved, DEVICE_SET_APPROVED, true, EVENT_APPROVED, false,
                     false},
    [ACT_ASSOCIATE] = {"associate", is_associated, DEVICE_SET_TEMPLATE, true,
                       EVENT_TEMPLATE_CHANGED, false, false},
    [ACT_BLOCK] = {"block", is_blocked, DEVICE_SET_BLOCKED | DEVICE_BUMP_CREDENTIAL, true,
                   EVENT_DISABLED, true, true},
    [ACT_UNBLOCK] = {"unblock", is_unblocked, DEVICE_SET_BLOCKED, false, EVENT_ENABLED, false,
                     false},
    [ACT_DELETE] = {"delete", is_never, 0, false, EVENT_DELETED, true, true},
    [ACT_DEPROVISION] = {"deprovision", is_deprovisioned,
                         DEVICE_SET_PROVISIONED | DEVICE_BUMP_CREDENTIAL, false, 0, true, false},
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
    const struct session_revoke r = {
        .hub = identity_hub_by_name(t->c->id, t->device->hub),
        .device_id = t->device->id,
        .with_modules = true,
        .slots = CREDENTIAL_ANY,
        .generation = generation,
    };

    if (r.hub)
        session_revoke(t->c->hub, &r, finish, t);
    else
        finish(t);
}

/* --- the unit --------------------------------------------------------------------------------- */

static void begin(struct act_task *t);

static void on_committed(void *context, enum status status, struct unit *unit)
{
    struct act_task *t = context;

    (void)unit;
    if (status == ST_CONFLICT && ++t->rounds < ACT_ROUNDS) {
        begin(t);
        return;
    }
    if (status != ST_OK) {
        fail(t, status);
        return;
    }
    LOG_INFO("device_act", LOG_STR("act", acts[t->act].name), LOG_TEXT("device", t->device->id));
    lifecycle_publish(t->c->bus, acts[t->act].event, t->device->id, clock_wall_ms());
    identity_forget_refusals(t->c->id, t->device->id);
    if (acts[t->act].revokes)
        revoke(t, device_next_generation(t->device, t->now));
    else
        finish(t);
}

static void add_change(struct act_task *t, struct unit *unit)
{
    const struct device_change change = {
        .set = acts[t->act].set,
        .to =
            {
                .approved = acts[t->act].value,
                .blocked = acts[t->act].value,
                .provisioned = acts[t->act].value,
                .template_id = t->template_id,
                .now = t->now,
            },
    };

    device_unit_update(unit, t->c->id, t->device, &change);
    if (t->act == ACT_DEPROVISION)
        hub_unit_forget(unit, t->device->hub, t->device->id, (slice){0});
}

static void submit(struct act_task *t)
{
    struct unit *unit = unit_create(t->c->st);

    if (!unit) {
        fail(t, ST_UNAVAILABLE);
        return;
    }
    t->now = clock_wall_ms();
    if (acts[t->act].revokes)
        unit_set_urgency(unit, UNIT_URGENT);
    if (t->act == ACT_DELETE) {
        device_unit_delete(unit, t->device);
        hub_unit_forget(unit, t->device->hub, t->device->id, (slice){0});
        provisioning_unit_forget(unit, t->device->id);
    } else {
        add_change(t, unit);
    }
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

    if (acts[t->act].holds(t)) {
        if (acts[t->act].revokes)
            revoke(t, t->device->credential_generation);
        else
            finish(t);
    } else if (changed && !acts[t->act].insists) {
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
    else if (act_kind == ACT_ASSOCIATE)
        template_check_published(c, t->template_id, on_template, t);
    else
        begin(t);
}
