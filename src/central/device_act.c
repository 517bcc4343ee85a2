#include "central/device_act.h"

#include "base/log.h"
#include "central/central_internal.h"
#include "central/property/device_records.h"
#include "central/relationship.h"
#include "central/telemetry/projection.h"
#include "hub/session.h"
#include "hub/twin.h"
#include "provisioning/lifecycle.h"

static bool is_approved(const struct device *d, slice template_id)
{
    (void)template_id;
    return d->approved;
}

static bool is_associated(const struct device *d, slice template_id)
{
    return slice_equal(d->template_id, template_id);
}

static bool is_blocked(const struct device *d, slice template_id)
{
    (void)template_id;
    return d->blocked;
}

static bool is_unblocked(const struct device *d, slice template_id)
{
    (void)template_id;
    return !d->blocked;
}

static bool is_deprovisioned(const struct device *d, slice template_id)
{
    (void)template_id;
    return !d->provisioned;
}

static bool is_never(const struct device *d, slice template_id)
{
    (void)d, (void)template_id;
    return false;
}

static const struct {
    const char *name;
    bool (*holds)(const struct device *d, slice template_id);
    unsigned set; /* DEVICE_SET_* */
    bool value;   /* that `set` is set to */
    unsigned event;
    bool revokes, insists;
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

const char *device_act_name(enum device_act act)
{
    return acts[act].name;
}

bool device_act_holds(enum device_act act, const struct device *d, slice template_id)
{
    return acts[act].holds(d, template_id);
}

bool device_act_insists(enum device_act act)
{
    return acts[act].insists;
}

bool device_act_revokes(enum device_act act)
{
    return acts[act].revokes;
}

static void add_change(struct central *c, struct unit *unit, enum device_act act,
                       const struct device *d, slice template_id, instant now)
{
    const struct device_change change = {
        .set = acts[act].set,
        .to =
            {
                .approved = acts[act].value,
                .blocked = acts[act].value,
                .provisioned = acts[act].value,
                .template_id = template_id,
                .now = now,
            },
    };

    device_unit_update(unit, c->id, d, &change);
    if (act == ACT_DEPROVISION)
        hub_unit_forget(unit, d->hub, d->id, (slice){0});
}

void device_act_unit_add(struct central *c, struct unit *unit, enum device_act act,
                         const struct device *d, slice template_id, instant now)
{
    if (acts[act].revokes)
        unit_set_urgency(unit, UNIT_URGENT);
    if (act != ACT_DELETE) {
        add_change(c, unit, act, d, template_id, now);
        return;
    }
    device_unit_delete(unit, d);
    hub_unit_forget(unit, d->hub, d->id, (slice){0});
    provisioning_unit_forget(unit, d->id);
    projection_unit_forget(unit, d->id);
    device_records_unit_forget(unit, d->id);
    relationship_unit_forget(unit, d->id);
}

void device_act_tell(struct central *c, enum device_act act, slice device_id)
{
    LOG_INFO("device_act", LOG_STR("act", acts[act].name), LOG_TEXT("device", device_id));
    lifecycle_publish(c->bus, acts[act].event, device_id, clock_wall_ms());
    identity_forget_refusals(c->id, device_id);
}

void device_act_revoke(struct central *c, const struct device *d, int64_t generation,
                       void (*on_done)(void *context), void *context)
{
    const struct session_revoke r = {
        .hub = identity_hub_by_name(c->id, d->hub),
        .device_id = d->id,
        .with_modules = true,
        .slots = CREDENTIAL_ANY,
        .generation = generation,
    };

    if (r.hub)
        session_revoke(c->hub, &r, on_done, context);
    else
        on_done(context);
}
