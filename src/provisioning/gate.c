#include "provisioning/provisioning.h"

/* An enrollment of the DPS service API knows no application: nobody approves, no template is
 * needed. Only a block, which is the operator's, holds for both (central.md 1.11). */
static bool is_gated(const struct enrollment *e)
{
    return !e || e->gated;
}

static bool needs_template(const struct gate_view *view, const struct device *d)
{
    if (d->template_id.len > 0 || view->require_template == TEMPLATE_NEVER)
        return false;
    return view->require_template == TEMPLATE_ALWAYS || d->origin == ORIGIN_DEVICE;
}

const char *gate_refusal(const struct gate_view *view, const struct device *d,
                         const struct enrollment *e)
{
    if (d->simulated)
        return "a simulated device does not provision";
    if (d->blocked)
        return "blocked by an operator";
    if (e && !e->enabled)
        return e->kind == ENROLLMENT_INDIVIDUAL ? "its individual enrollment is disabled"
                                                : "its enrollment group is disabled";
    if (!is_gated(e))
        return NULL;
    if (!d->approved)
        return "waiting for approval";
    if (needs_template(view, d))
        return "needs a template";
    return NULL;
}
