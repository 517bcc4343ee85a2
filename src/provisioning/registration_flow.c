#include "provisioning/registration_flow.h"

#include "base/log.h"
#include "base/metrics.h"
#include "hub/session.h"
#include "hub/twin.h"
#include "provisioning/device_copy.h"
#include "provisioning/lifecycle.h"
#include "provisioning/provisioning_internal.h"

/* --- the answer ------------------------------------------------------------------------------- */

static void answer(struct registration_task *t)
{
    const struct registration_plan *plan = &t->plan;

    if (t->kind == TASK_REGISTER)
        metric_add(plan->refusal ? METRIC_REGISTRATIONS_REFUSED : METRIC_REGISTRATIONS_ASSIGNED, 1);
    if (plan->refusal && t->kind != TASK_REGISTER)
        task_fail(t, ST_REFUSED);
    else
        task_answer_record(t, &plan->record);
}

static void on_revoked(void *context)
{
    answer(context);
}

/* The credential of the device changed: who came in by the old one leaves (SECURITY-MODEL S5). */
static void revoke_old_credential(struct registration_task *t)
{
    const struct session_revoke revoke = {
        .hub = identity_hub_by_name(t->p->id, t->device->hub),
        .device_id = t->device->id,
        .slots = t->changed_slots,
        .generation = device_next_generation(t->device, t->request.now),
    };

    session_revoke(t->p->hub, &revoke, on_revoked, t);
}

static void log_outcome(const struct registration_task *t)
{
    const struct registration_plan *plan = &t->plan;

    if (plan->refusal)
        LOG_LIMITED(LOG_LEVEL_INFO, "registration_refused", LOG_TEXT("device", plan->record.id),
                    LOG_TEXT("enrollment", t->enrollment->id), LOG_STR("cause", plan->refusal));
    else if (plan->initial)
        LOG_LIMITED(LOG_LEVEL_INFO, "device_assigned", LOG_TEXT("device", plan->record.id),
                    LOG_TEXT("hub", plan->record.hub), LOG_TEXT("enrollment", t->enrollment->id));
}

static void announce_gateway(const struct registration_task *t, slice device_id)
{
    if (t->gateway_id.len > 0 && t->p->gate.behind_gateway)
        t->p->gate.behind_gateway(t->p->gate.context, t->gateway_id, device_id);
}

static void committed(struct registration_task *t)
{
    const struct registration_plan *plan = &t->plan;
    bool changed = !plan->inserts && (plan->change.set & DEVICE_BUMP_CREDENTIAL) != 0;

    log_outcome(t);
    lifecycle_publish(t->p->bus, plan->events, plan->record.device_id, t->request.now);
    announce_gateway(t, plan->record.device_id);
    if (!plan->refusal && (plan->initial || changed))
        identity_forget_refusals(t->p->id, plan->record.device_id);
    if (changed)
        revoke_old_credential(t);
    else
        answer(t);
}

/* --- the unit of work ------------------------------------------------------------------------- */

static void begin_again(struct registration_task *t)
{
    if (++t->rounds == REGISTRATION_ROUNDS) {
        (void)fault_set(&t->why, ST_UNAVAILABLE, "the device changed again and again");
        task_fail(t, ST_UNAVAILABLE);
    } else if (t->kind == TASK_ASSIGN) {
        assignment_begin(t);
    } else {
        registration_begin(t);
    }
}

static void on_committed(void *context, enum status status, struct unit *unit)
{
    struct registration_task *t = context;

    (void)unit;
    if (status == ST_CONFLICT) {
        begin_again(t);
    } else if (status != ST_OK) {
        (void)fault_set(&t->why, status, "the registration could not be stored");
        task_fail(t, status);
    } else {
        committed(t);
    }
}

static void add_device(struct registration_task *t, struct unit *unit)
{
    struct registration_plan *plan = &t->plan;

    if (plan->inserts)
        device_unit_insert(unit, t->p->id, &plan->insert);
    else if (plan->change.set != 0)
        device_unit_update(unit, t->p->id, t->device, &plan->change);
}

/* An entry's initial twin takes the place of what a device known before had; an entry without
 * one leaves that alone. */
static void add_first_twin(struct registration_task *t, struct unit *unit)
{
    const struct enrollment *e = t->enrollment;
    const struct registration_record *r = &t->plan.record;

    if (e->initial_tags.len == 0 && e->initial_desired.len == 0)
        return;
    if (t->device)
        hub_unit_forget(unit, r->hub, r->device_id, (slice){0});
    twin_unit_init(unit, r->hub, r->device_id, e->initial_tags, e->initial_desired, t->request.now);
}

static void submit(struct registration_task *t)
{
    const struct registration_plan *plan = &t->plan;
    struct unit *unit = unit_create(t->p->st);

    if (!unit) {
        (void)fault_set(&t->why, ST_UNAVAILABLE, "the store has no room");
        task_fail(t, ST_UNAVAILABLE);
        return;
    }
    enrollment_unit_guard(unit, t->enrollment);
    add_device(t, unit);
    registration_unit_put(unit, &plan->record);
    if (t->kind == TASK_REGISTER)
        task_add_attempt(t, unit, plan->refusal ? SLICE("refused") : SLICE("assigned"),
                         slice_str(plan->refusal));
    if (plan->initial)
        add_first_twin(t, unit);
    unit_submit(unit, on_committed, t);
}

/* --- the plan --------------------------------------------------------------------------------- */

static const struct hub_name *hub_named(const struct identity *id, slice name)
{
    const struct hub_name *hub = identity_hub_by_name(id, name);

    return hub ? hub : identity_hub_by_host(id, name);
}

/* The hub where the device is, or the one that its enrollment sends it to; empty: none here. */
static slice hub_of(const struct registration_task *t)
{
    const struct identity *id = t->p->id;
    const struct hub_name *hub;

    if (t->device)
        hub = identity_hub_by_name(id, t->device->hub);
    else if (t->enrollment->hub.len > 0)
        hub = hub_named(id, t->enrollment->hub);
    else
        hub = identity_default_hub(id);
    return hub ? hub->name : (slice){0};
}

static bool key_differs(const struct secret *a, const struct secret *b)
{
    return a->len != b->len || !secret_equal(a->bytes, b->bytes, a->len);
}

/* Which of the device's stored keys are not those it is to have from now on. */
static enum status compare_keys(struct registration_task *t)
{
    struct secret SECRET_CLEANUP primary = {0};
    struct secret SECRET_CLEANUP secondary = {0};
    enum status status = device_keys(t->p->id, t->device, &primary, &secondary, &t->why);

    if (status != ST_OK)
        return status;
    if (key_differs(&primary, &t->primary))
        t->changed_slots |= CREDENTIAL_PRIMARY;
    if (key_differs(&secondary, &t->secondary))
        t->changed_slots |= CREDENTIAL_SECONDARY;
    return ST_OK;
}

/* The certificates that the device's row is to name. A leaf that was seen is the one; where an
 * operator assigns, those of the individual enrollment, and with a group those that are there: the
 * hub lets in what the group's authorities vouch for. */
static void thumbprints_of(const struct registration_task *t, slice ret[2])
{
    const struct device *d = t->device;

    if (t->has_leaf) {
        ret[0] = slice_of(t->leaf, sizeof t->leaf);
    } else if (t->enrollment->kind == ENROLLMENT_INDIVIDUAL) {
        ret[0] = t->enrollment->primary_thumbprint;
        ret[1] = t->enrollment->secondary_thumbprint;
    } else if (d && d->auth == AUTH_SELF_SIGNED) {
        ret[0] = d->primary_thumbprint;
        ret[1] = d->secondary_thumbprint;
    }
}

/* Likewise, of the chain above the leaf. */
static slice issuer_marks_of(const struct registration_task *t)
{
    if (t->has_leaf || !t->device || t->enrollment->kind == ENROLLMENT_INDIVIDUAL)
        return t->issuer_marks;
    return t->device->auth == AUTH_SELF_SIGNED ? t->device->issuer_marks : (slice){0};
}

/* Where an operator named a device's certificates, an assignment leaves it at that: they are not
 * replaced by the keys of a group that the device does not come by. */
static bool keeps_its_own(const struct registration_task *t, enum device_auth auth)
{
    return t->kind == TASK_ASSIGN && t->enrollment->kind == ENROLLMENT_GROUP && auth == AUTH_SAS &&
           t->device->auth != AUTH_SAS;
}

/* Which credentials of the device's row are to be others from now on. */
static enum status compare_credential(struct registration_task *t)
{
    const struct device *d = t->device;
    enum device_auth auth = plan_auth(t->enrollment);
    slice thumbprints[2] = {0};

    t->changed_slots = 0;
    if (!d || keeps_its_own(t, auth))
        return ST_OK;
    if (d->auth != auth) {
        t->changed_slots = d->auth == AUTH_SAS ? CREDENTIAL_PRIMARY | CREDENTIAL_SECONDARY
                                               : CREDENTIAL_CERTIFICATE;
        return ST_OK;
    }
    if (auth == AUTH_SAS)
        return compare_keys(t);
    thumbprints_of(t, thumbprints);
    if (!slice_equal_nocase(d->primary_thumbprint, thumbprints[0]) ||
        !slice_equal_nocase(d->secondary_thumbprint, thumbprints[1]))
        t->changed_slots = CREDENTIAL_CERTIFICATE;
    return ST_OK;
}

static void new_operation_id(struct registration_task *t)
{
    uint8_t id[OPERATION_ID_LEN];

    memcpy(id, t->p->operation_prefix, OPERATION_PREFIX_LEN);
    random_uuid((char *)id + OPERATION_PREFIX_LEN);
    t->operation_id = arena_copy(&t->arena, slice_of(id, sizeof id));
}

static void make_plan(struct registration_task *t)
{
    struct plan_input in = {
        .registration_id = t->request.registration_id,
        .model_id = t->model_id,
        .protocol = t->request.protocol,
        .address = t->request.address,
        .now = t->request.now,
        .by_operator = t->kind == TASK_ASSIGN,
        .answer_at_once = t->p->answer_at_once,
        .operation_id = t->operation_id,
        .record = t->record,
        .device = t->device,
        .enrollment = t->enrollment,
        .view = &t->view,
        .primary = &t->primary,
        .secondary = &t->secondary,
        .credential_differs = t->changed_slots != 0,
        .overlaps = t->rounds > 0 && t->record && t->record->version != t->first_version,
        .hub = hub_of(t),
    };

    thumbprints_of(t, in.thumbprints);
    in.issuer_marks = issuer_marks_of(t);
    registration_plan(&in, &t->plan);
    if (t->plan.refusal)
        (void)fault_set(&t->why, ST_REFUSED, "%s", t->plan.refusal);
    task_trace_plan(t);
}

/* Refused without a record: a group that is off makes no devices. */
static bool is_unrecorded(const struct registration_task *t)
{
    return t->kind == TASK_REGISTER && t->plan.refusal && !t->plan.repeats;
}

static void on_view(void *context, enum status status, const struct gate_view *view)
{
    struct registration_task *t = context;

    if (status == ST_OK) {
        t->view = *view;
        t->view.template_id = arena_copy(&t->arena, view->template_id);
        status = compare_credential(t);
    }
    new_operation_id(t);
    if (t->arena.failed)
        status = ST_NO_MEMORY;
    if (status != ST_OK) {
        (void)fault_set(&t->why, status, "what decides could not be read");
        task_fail(t, status);
        return;
    }
    make_plan(t);
    if (t->plan.writes && t->kind != TASK_EXPLAIN) {
        submit(t);
        return;
    }
    if (is_unrecorded(t))
        task_note_attempt(t, SLICE("refused"));
    if (t->device)
        announce_gateway(t, t->device->id);
    answer(t);
}

static void on_device(void *context, enum status status, const struct device *d)
{
    struct registration_task *t = context;

    t->device = NULL;
    if (status == ST_OK)
        t->device = device_copy(&t->arena, d);
    if ((status != ST_OK && status != ST_DEVICE_NOT_FOUND) || t->arena.failed) {
        status = t->arena.failed ? ST_NO_MEMORY : status;
        (void)fault_set(&t->why, status, "the device could not be read");
        task_fail(t, status);
        return;
    }
    t->p->gate.view(t->p->gate.context, t->model_id, on_view, t);
}

void registration_decide(struct registration_task *t)
{
    device_find(t->p->id, plan_device_id(t->enrollment, t->request.registration_id), on_device, t);
}
