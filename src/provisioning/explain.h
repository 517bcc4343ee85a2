/* What the provisioning service would say to a credential, step by step, without a registration:
 * nothing is written, no limit is used up. The key of a certificate is taken as proven. */
#ifndef MUSTER_PROVISIONING_EXPLAIN_H
#define MUSTER_PROVISIONING_EXPLAIN_H

#include "identity/trust/trace.h"
#include "provisioning/provisioning.h"

struct explanation {
    enum status status; /* ST_OK: it would be assigned; ST_REFUSED, ST_UNAUTHORIZED, ... */
    slice registration_id;
    slice enrollment; /* that decides; empty: none */
    enum enrollment_kind enrollment_kind;
    slice reason;
    const struct trace *trace;
};
typedef void explain_fn(void *context, enum status status, const struct explanation *e,
                        const struct fault *why);
/* An empty registration ID is taken from the token's resource or the leaf's CN. */
void registration_explain(struct provisioning *p, const struct registration_request *request,
                          explain_fn *on_explanation, void *context);
/* The attempts kept of this ID: see attempt.h. */

#endif
