/* What an act makes of a certificate slot: the rules of contract/central.md 4.5 as a function
 * without store or clock. Files make it slow (milliseconds): then it runs on the pool. */
#ifndef MUSTER_PROVISIONING_AUTHORITY_PLAN_H
#define MUSTER_PROVISIONING_AUTHORITY_PLAN_H

#include "crypto/crl.h"
#include "provisioning/authority.h"

#define AUTHORITY_SLOTS 2

/* Borrowed. */
struct authority_facts {
    slice group;                                        /* in lower case */
    bool enabled;                                       /* the group is */
    const struct authority_row *slots[AUTHORITY_SLOTS]; /* NULL: empty */
    instant now;
};

enum authority_change { AUTHORITY_KEEP, AUTHORITY_PUT, AUTHORITY_DELETE };

struct authority_plan {
    enum authority_change change;
    enum authority_slot slot;
    int64_t was_version; /* of what the slot holds; 0: it is empty */
    struct authority_row
        row; /* AUTHORITY_PUT; slices of the facts, the request, the arena, `crl` */
    struct crl crl;
};

/* Whether certificates are something to this group; `e` NULL when there is none of that name. */
CHECKED enum status authority_check_group(const struct enrollment *e, slice group,
                                          struct fault *why);

/* ST_OK with the plan, or a refusal as authority.h names them. `ret` is to be deinitialised either
 * way. */
CHECKED enum status authority_plan(const struct authority_request *request,
                                   const struct authority_facts *facts, struct arena *arena,
                                   struct authority_plan *ret, struct fault *why);
void authority_plan_deinit(struct authority_plan *plan);

#endif
