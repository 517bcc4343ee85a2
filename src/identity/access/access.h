/* Who may use the application: what user.h, role.h and their kind share. */
#ifndef MUSTER_IDENTITY_ACCESS_H
#define MUSTER_IDENTITY_ACCESS_H

#include "identity/principal.h"

/* Told on the bus, to every worker, when a user, token, role or organization has changed: who is
 * let in for long (a stream) is to be asked for anew. */
#define ACCESS_CHANGED_SUBJECT "identity.access"

/* Who acts: for what he may do, and for the audit. All of it is borrowed until the callback. */
struct act {
    const struct principal *by;
    slice source;     /* the address that he comes from */
    slice request_id; /* "" when there is none */
};

/* A role, and where it holds. */
struct assignment {
    slice role_id;
    slice organization_id; /* empty: in the whole application */
};
#define ASSIGNMENTS_MAX 20 /* of one user or token */

#define ACCESS_NAME_MAX 148 /* characters of a display name */

#endif
