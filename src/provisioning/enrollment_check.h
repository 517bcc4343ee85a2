/* What an enrollment may be: the rules for writing one (contract/provisioning.md 3.1, 3.3, 4.2). */
#ifndef MUSTER_PROVISIONING_ENROLLMENT_CHECK_H
#define MUSTER_PROVISIONING_ENROLLMENT_CHECK_H

#include "base/arena.h"
#include "provisioning/enrollment_cache.h"

/* By itself. Thumbprints are brought to their one form, in the arena. ST_BAD_REQUEST. */
CHECKED enum status enrollment_check(const struct identity *id, struct enrollment *e,
                                     struct arena *arena, struct fault *why);
/* A group among the others: ST_CONFLICT for a key that serves another, ST_QUOTA for one too many
 * of its attestation. */
CHECKED enum status enrollment_check_among(const struct enrollment_cache *groups,
                                           const struct enrollment *e, bool is_new,
                                           struct fault *why);

#endif
