/* The JSON of a registration request (provisioning.md 2.0). Pure.
 *
 * Every member is optional, an empty body is {}. The registration ID comes from elsewhere; one in
 * the body must not contradict it. */
#ifndef MUSTER_PROVISIONING_REGISTRATION_BODY_H
#define MUSTER_PROVISIONING_REGISTRATION_BODY_H

#include "base/arena.h"
#include "base/status.h"

#define REGISTRATION_BODY_MAX (96 * 1024)

struct registration_body {
    slice model_id;   /* in the arena; empty: none announced */
    slice gateway_id; /* likewise */
};
/* ST_BAD_REQUEST, ST_TOO_LARGE, ST_NO_MEMORY. */
CHECKED enum status registration_body_read(slice body, slice registration_id, struct arena *arena,
                                           struct registration_body *ret, struct fault *why);

#endif
