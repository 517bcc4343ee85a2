/* The gate's judgement as steps, from the plan that it led to. */
#include "identity/trust/trace.h"
#include "provisioning/gate.h"
#include "provisioning/registration_task.h"

/* In the order in which the gate looks. */
static const struct {
    enum step step;
    const char *expected, *mend; /* when it refuses */
} gate_steps[] = {
    {STEP_DEVICE, "a device that is neither blocked nor simulated", "unblock the device"},
    {STEP_ENROLLMENT, "an enrollment that is enabled", "enable the enrollment"},
    {STEP_APPROVAL, "a device that is approved", "approve the device"},
    {STEP_TEMPLATE, "a device that has a template", "associate the device with a template"},
    {STEP_HUB, "a hub that is here", "link a hub, or name another in the enrollment"},
};

static slice approval_of(const struct registration_task *t)
{
    if (!gate_is_asked(t->enrollment))
        return SLICE("not asked for");
    return t->device && t->device->approved ? SLICE("approved") : SLICE("by itself");
}

/* The template that the plan gives, or leaves. */
static slice template_of(const struct registration_task *t)
{
    const struct registration_plan *plan = &t->plan;
    slice template_id = t->device ? t->device->template_id : plan->insert.template_id;

    if (plan->change.set & DEVICE_SET_TEMPLATE)
        template_id = plan->change.to.template_id;
    return template_id.len > 0 ? template_id : SLICE("none, none needed");
}

static slice value_of(const struct registration_task *t, enum step step)
{
    switch (step) {
    case STEP_DEVICE:
        return t->device ? SLICE("known") : SLICE("new");
    case STEP_ENROLLMENT:
        return t->enrollment->id;
    case STEP_APPROVAL:
        return approval_of(t);
    case STEP_TEMPLATE:
        return template_of(t);
    default:
        return t->plan.record.hub;
    }
}

void task_trace_plan(struct registration_task *t)
{
    const struct registration_plan *plan = &t->plan;

    for (size_t i = 0; i < COUNT_OF(gate_steps); i++) {
        enum step step = gate_steps[i].step;

        if (plan->refusal && step == plan->refused_at) {
            trace_fail(&t->trace, step, slice_str(gate_steps[i].expected), slice_str(plan->refusal),
                       gate_steps[i].mend);
            return;
        }
        trace_pass(&t->trace, step, value_of(t, step));
    }
}
