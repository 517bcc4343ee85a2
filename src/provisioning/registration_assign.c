#include "provisioning/registration_flow.h"

#include "provisioning/device_copy.h"
#include "provisioning/provisioning_internal.h"

/* The group that a device comes by, as far as anybody knows: where it came by last, where it came
 * by when it was made, else the default one. */
static const struct enrollment *group_of(const struct registration_task *t,
                                         const struct enrollment_cache *groups)
{
    const struct enrollment *group = NULL;

    if (t->record && t->record->enrollment_kind == ENROLLMENT_GROUP)
        group = enrollment_cache_find(groups, t->record->enrollment_id);
    if (!group && t->device->enrollment_kind == ENROLLMENT_GROUP)
        group = enrollment_cache_find(groups, t->device->enrollment_id);
    return group ? group : enrollment_cache_find(groups, SLICE(DEFAULT_GROUP));
}

static void choose(struct registration_task *t, const struct enrollment_cache *groups)
{
    const struct enrollment *e = t->individual;
    struct secret SECRET_CLEANUP primary = {0};
    struct secret SECRET_CLEANUP secondary = {0};

    if (!e || !enrollment_stands_for(e, t->device->id))
        e = group_of(t, groups);
    if (!e) {
        (void)fault_set(&t->why, ST_REFUSED, "no enrollment for the device");
        task_fail(t, ST_REFUSED);
        return;
    }
    enrollment_device_keys(e, t->request.registration_id, &primary, &secondary);
    if (task_set_decider(t, e, &primary, &secondary))
        registration_decide(t);
}

static void on_device(void *context, enum status status, const struct device *d)
{
    struct registration_task *t = context;

    t->device = status == ST_OK ? device_copy(&t->arena, d) : NULL;
    if (status == ST_OK && !t->device)
        status = ST_NO_MEMORY;
    if (status != ST_OK) {
        (void)fault_set(&t->why, status, "no such device");
        task_fail(t, status);
        return;
    }
    t->request.registration_id = t->device->id;
    task_read_facts(t, choose);
}

void assignment_begin(struct registration_task *t)
{
    device_find(t->p->id, t->request.registration_id, on_device, t);
}

void registration_assign(struct provisioning *p, slice device_id, registration_fn *on_answer,
                         void *context)
{
    const struct registration_request request = {.registration_id = device_id,
                                                 .now = clock_wall_ms()};
    struct registration_task *t = task_create(p, TASK_ASSIGN, &request, on_answer, context);

    if (t)
        assignment_begin(t);
}
