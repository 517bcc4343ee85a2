/* The slots as people see them: state, facts of the certificates, what to beware of. Pure. */
#ifndef MUSTER_PROVISIONING_AUTHORITY_VIEW_H
#define MUSTER_PROVISIONING_AUTHORITY_VIEW_H

#include "provisioning/authority_plan.h"

/* ST_INTERNAL when a stored certificate cannot be read; ST_NO_MEMORY. */
CHECKED enum status authority_views(const struct authority_row *const slots[AUTHORITY_SLOTS],
                                    instant now, struct arena *arena,
                                    struct authority_view ret[AUTHORITY_SLOTS], struct fault *why);

#endif
