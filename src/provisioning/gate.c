#include "provisioning/gate.h"

/* An enrollment of the DPS service API knows no application: nobody approves, no template is
 * needed. Only a block, which is the operator's, holds for both (central.md 1.11). */
bool gate_is_asked(const struct enrollment *e)
{
    return !e || e->gated;
}

static bool needs_template(const struct gate_view *view, const struct device *d)
{
    if (d->template_id.len > 0 || view->require_template == TEMPLATE_NEVER)
        return false;
    return view->require_template == TEMPLATE_ALWAYS || d->origin == ORIGIN_DEVICE;
}

static const char *refusal_of_device(const struct device *d)
{
    if (d->simulated)
        return "a simulated device does not provision";
    return d->blocked ? "blocked by an operator" : NULL;
}

static const char *refusal_of_enrollment(const struct enrollment *e)
{
    if (!e || e->enabled)
        return NULL;
    return e->kind == ENROLLMENT_INDIVIDUAL ? "its individual enrollment is disabled"
                                            : "its enrollment group is disabled";
}

const char *gate_refusal_at(const struct gate_view *view, const struct device *d,
                            const struct enrollment *e, enum step *ret_at)
{
    const struct {
        const char *refusal;
        enum step at;
    } checks[] = {
        {refusal_of_device(d), STEP_DEVICE},
        {refusal_of_enrollment(e), STEP_ENROLLMENT},
        {gate_is_asked(e) && !d->approved ? "waiting for approval" : NULL, STEP_APPROVAL},
        {gate_is_asked(e) && needs_template(view, d) ? "needs a template" : NULL, STEP_TEMPLATE},
    };

    for (size_t i = 0; i < COUNT_OF(checks); i++) {
        if (checks[i].refusal) {
            *ret_at = checks[i].at;
            return checks[i].refusal;
        }
    }
    return NULL;
}

const char *gate_refusal(const struct gate_view *view, const struct device *d,
                         const struct enrollment *e)
{
    enum step ignored;

    return gate_refusal_at(view, d, e, &ignored);
}
