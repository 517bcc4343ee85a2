/* The application's gate, with the step at which it closes. */
#ifndef MUSTER_PROVISIONING_GATE_H
#define MUSTER_PROVISIONING_GATE_H

#include "identity/trust/trace.h"
#include "provisioning/provisioning.h"

/* As gate_refusal; *ret_at is set when it refuses. */
const char *gate_refusal_at(const struct gate_view *view, const struct device *d,
                            const struct enrollment *e, enum step *ret_at);
/* Whether an operator's approval is asked for at all. */
bool gate_is_asked(const struct enrollment *e);

#endif
