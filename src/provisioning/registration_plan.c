#include "provisioning/registration_plan.h"

#include "provisioning/gate.h"
#include "provisioning/lifecycle.h"

enum device_auth plan_auth(const struct enrollment *e)
{
    return e->attestation == ATTEST_X509 ? AUTH_SELF_SIGNED : AUTH_SAS;
}

slice plan_device_id(const struct enrollment *e, slice registration_id)
{
    return e->kind == ENROLLMENT_INDIVIDUAL && e->device_id.len > 0 ? e->device_id
                                                                    : registration_id;
}

/* Whoever made an individual enrollment named the device, and plain DPS knows no approval. */
static bool enrollment_approves(const struct enrollment *e)
{
    return e->kind == ENROLLMENT_INDIVIDUAL || !e->gated;
}

static bool approves_new(const struct plan_input *in)
{
    const struct enrollment *e = in->enrollment;

    if (enrollment_approves(e))
        return true;
    return e->has_auto_approve ? e->auto_approve : in->view->auto_approve;
}

/* The template after this registration: that of the announced model where there was none, or
 * where the model is another than before (row 20). */
static slice template_after(const struct plan_input *in)
{
    const struct device *d = in->device;
    bool moved =
        d && d->model_id.len > 0 && in->model_id.len > 0 && !slice_equal(d->model_id, in->model_id);

    if (in->view->template_id.len == 0)
        return d ? d->template_id : (slice){0};
    return !d || d->template_id.len == 0 || moved ? in->view->template_id : d->template_id;
}

/* The device as the gate sees it: with what this registration itself brings. */
static struct device device_at_gate(const struct plan_input *in)
{
    struct device d;

    if (in->device) {
        d = *in->device;
        d.approved = d.approved || (in->enrollment->enabled && enrollment_approves(in->enrollment));
    } else {
        d = (struct device){
            .id = plan_device_id(in->enrollment, in->registration_id),
            .approved = approves_new(in),
            /* Whoever enrolled the device by name, or past the gate, knew of it. */
            .origin = in->enrollment->gated && in->enrollment->kind == ENROLLMENT_GROUP
                          ? ORIGIN_DEVICE
                          : ORIGIN_API,
        };
    }
    d.template_id = template_after(in);
    return d;
}

static bool decided_by_same(const struct registration_record *r, const struct enrollment *e)
{
    return r->enrollment_kind == e->kind && slice_equal_nocase(r->enrollment_id, e->id);
}

/* A record belongs to the entry that made it and to a device that is still there. */
static bool is_initial(const struct plan_input *in)
{
    const struct registration_record *r = in->record;

    return !r || r->hub.len == 0 || !in->device || !in->device->provisioned ||
           !decided_by_same(r, in->enrollment) || !slice_equal_nocase(r->device_id, in->device->id);
}

static struct device_attempt attempt_of(const struct plan_input *in, const char *refusal)
{
    return (struct device_attempt){
        .at = in->now,
        .count = in->device ? in->device->attempt.count + 1 : 1,
        .result = refusal ? SLICE("refused") : SLICE("assigned"),
        .reason = slice_str(refusal),
        .protocol = in->protocol,
        .address = in->address,
    };
}

/* Of one kind only: a device that changed over has no key left, or no certificate. */
static void plan_credential(const struct plan_input *in, struct device_new *to)
{
    to->auth = plan_auth(in->enrollment);
    if (to->auth == AUTH_SAS) {
        to->primary = *in->primary;
        to->secondary = *in->secondary;
        return;
    }
    to->primary_thumbprint = in->thumbprints[0];
    to->secondary_thumbprint = in->thumbprints[1];
    to->expired_leaf_allowed = in->enrollment->expired_leaf_allowed;
    to->issuer_marks = in->issuer_marks;
}

static void plan_insert(const struct plan_input *in, const struct device *after,
                        struct registration_plan *ret)
{
    ret->inserts = true;
    ret->insert = (struct device_new){
        .hub = in->hub,
        .id = after->id,
        .enabled = true,
        .approved = after->approved,
        .provisioned = !ret->refusal,
        .iot_edge = in->enrollment->iot_edge,
        .template_id = after->template_id,
        .model_id = in->model_id,
        .origin = after->origin,
        .enrollment_kind = in->enrollment->kind,
        .enrollment_id = in->enrollment->id,
        .now = in->now,
    };
    plan_credential(in, &ret->insert);
    if (!in->by_operator)
        ret->insert.attempt = attempt_of(in, ret->refusal);
    ret->events |= EVENT_REGISTERED;
    if (!after->approved)
        ret->events |= EVENT_APPROVAL_REQUESTED;
    if (!ret->refusal)
        ret->events |= EVENT_PROVISIONED;
}

/* What the device is told to have become. Nothing of it while the operator keeps it out. */
static void plan_facts(const struct plan_input *in, const struct device *after,
                       struct registration_plan *ret)
{
    const struct device *d = in->device;
    struct device_change *c = &ret->change;

    if (after->approved && !d->approved) {
        c->set |= DEVICE_SET_APPROVED;
        c->to.approved = true;
        ret->events |= EVENT_APPROVED;
    }
    if (!slice_equal(after->template_id, d->template_id)) {
        c->set |= DEVICE_SET_TEMPLATE;
        c->to.template_id = after->template_id;
        ret->events |= EVENT_TEMPLATE_CHANGED;
    }
    if (in->model_id.len > 0 && !slice_equal(in->model_id, d->model_id)) {
        c->set |= DEVICE_SET_MODEL;
        c->to.model_id = in->model_id;
    }
}

/* The same certificate, under another rule or from a chain with other links. */
static bool circumstances_differ(const struct plan_input *in)
{
    const struct device *d = in->device;

    return plan_auth(in->enrollment) == AUTH_SELF_SIGNED &&
           (d->expired_leaf_allowed != in->enrollment->expired_leaf_allowed ||
            !slice_equal(d->issuer_marks, in->issuer_marks));
}

static void plan_assignment(const struct plan_input *in, struct registration_plan *ret)
{
    const struct device *d = in->device;
    const struct enrollment *e = in->enrollment;
    struct device_change *c = &ret->change;

    if (!d->provisioned) {
        c->set |= DEVICE_SET_PROVISIONED;
        c->to.provisioned = true;
        ret->events |= EVENT_PROVISIONED;
    }
    if (in->credential_differs)
        c->set |= DEVICE_SET_KEYS | DEVICE_BUMP_CREDENTIAL;
    else if (circumstances_differ(in))
        c->set |= DEVICE_SET_KEYS;
    if (c->set & DEVICE_SET_KEYS)
        plan_credential(in, &c->to);
    if (d->enrollment_kind != e->kind || !slice_equal_nocase(d->enrollment_id, e->id)) {
        c->set |= DEVICE_SET_ENROLLMENT;
        c->to.enrollment_kind = e->kind;
        c->to.enrollment_id = e->id;
    }
}

static void plan_update(const struct plan_input *in, const struct device *after,
                        struct registration_plan *ret)
{
    ret->change.to.now = in->now;
    if (!in->by_operator) {
        ret->change.set |= DEVICE_SET_ATTEMPT;
        ret->change.to.attempt = attempt_of(in, ret->refusal);
    }
    if (!in->device->blocked && !in->device->simulated && in->enrollment->enabled)
        plan_facts(in, after, ret);
    if (!ret->refusal)
        plan_assignment(in, ret);
}

static enum registration_state state_of(const struct plan_input *in, const char *refusal)
{
    if (!refusal)
        return REG_ASSIGNED;
    return !in->enrollment->enabled && !in->enrollment->gated ? REG_DISABLED : REG_FAILED;
}

/* While the outcome of an operation was not told, asking again is the same operation. */
static void plan_operation(const struct plan_input *in, struct registration_record *r)
{
    if (in->record && !in->record->told && in->record->operation_id.len > 0) {
        r->operation_id = in->record->operation_id;
        return;
    }
    r->previous_operation_id = in->record ? in->record->operation_id : (slice){0};
    r->operation_id = in->operation_id;
}

static void plan_record(const struct plan_input *in, const struct device *after,
                        struct registration_plan *ret)
{
    struct registration_record *r = &ret->record;

    *r = in->record ? *in->record : (struct registration_record){.created_at = in->now};
    if (r->id.len == 0)
        r->id = in->registration_id;
    plan_operation(in, r);
    r->device_id = after->id;
    r->state = state_of(in, ret->refusal);
    r->error_code = 0;
    if (r->state == REG_FAILED)
        r->error_code = in->hub.len == 0 ? ERROR_NO_HUB : ERROR_REFUSED;
    r->told = in->answer_at_once || in->by_operator;
    r->updated_at = in->now;
    r->version++;
    if (ret->refusal && r->hub.len > 0)
        return; /* the assignment stands, with the entry that made it, for when it may again */
    r->enrollment_kind = in->enrollment->kind;
    r->enrollment_id = in->enrollment->id;
    r->by_certificate = in->enrollment->attestation == ATTEST_X509;
    if (ret->initial) {
        r->hub = in->hub;
        r->substatus = SLICE("initialAssignment");
        r->created_at = in->now;
    }
}

/* The same refusal again within a moment is answered from the record. */
static bool is_repeated_refusal(const struct plan_input *in, const char *refusal)
{
    const struct device *d = in->device;

    return refusal && d && in->record && in->record->state == state_of(in, refusal) &&
           slice_equal(d->attempt.result, SLICE("refused")) &&
           slice_equal(d->attempt.reason, slice_str(refusal)) && in->now >= d->attempt.at &&
           in->now - d->attempt.at < REFUSAL_COALESCE_MS;
}

/* An operator's wish changes nothing where the device is in already, or must stay out. */
static bool is_vain(const struct plan_input *in, const char *refusal)
{
    return in->by_operator && (refusal || !is_initial(in));
}

/* Another registration of the device was decided while this one ran: they are one operation. */
static bool joins_another(const struct plan_input *in, const char *refusal)
{
    return in->overlaps && !refusal && in->record && in->record->state == REG_ASSIGNED &&
           !in->credential_differs && !is_initial(in);
}

void registration_plan(const struct plan_input *in, struct registration_plan *ret)
{
    struct device after = device_at_gate(in);

    *ret = (struct registration_plan){0};
    ret->refusal = gate_refusal_at(in->view, &after, in->enrollment, &ret->refused_at);
    if (!ret->refusal && in->hub.len == 0) {
        ret->refusal = "no hub is linked";
        ret->refused_at = STEP_HUB;
    }
    ret->repeats = is_repeated_refusal(in, ret->refusal) || joins_another(in, ret->refusal);
    if (ret->repeats || is_vain(in, ret->refusal)) {
        if (in->record)
            ret->record = *in->record;
        return;
    }
    ret->initial = !ret->refusal && is_initial(in);
    /* A group that is off makes no devices: whoever has its key could fill the list. */
    ret->writes = in->device || (in->enrollment->enabled && in->hub.len > 0);
    plan_record(in, &after, ret);
    if (in->device)
        plan_update(in, &after, ret);
    else if (ret->writes)
        plan_insert(in, &after, ret);
    if (ret->refusal && ret->writes)
        ret->events |= EVENT_REFUSED;
}
