/* Shared access policies: named keys with rights, of the hubs and of the DPS
 * (contract/provisioning.md 1.7). The defaults are made at first start. */
#ifndef MUSTER_IDENTITY_POLICY_H
#define MUSTER_IDENTITY_POLICY_H

#include "crypto/crypto.h"
#include "identity/identity.h"

struct policy {
    slice scope; /* "hub:main" or "dps" */
    slice name;
    unsigned rights; /* enum right */
    struct secret primary, secondary;
};
/* `p` is NULL unless ST_OK; ST_NOT_FOUND. Keys are wiped after the callback. */
typedef void policy_fn(void *context, enum status status, const struct policy *p);
void policy_get(struct identity *id, slice scope, slice name, policy_fn *on_policy, void *context);
/* Once a policy, then once with NULL. */
void policy_list(struct identity *id, policy_fn *on_policy, void *context);

#endif
