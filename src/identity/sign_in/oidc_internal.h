/* Inside identity/: a sign-in at the issuer, between oidc.c, oidc_issuer.c and oidc_roles.c. */
#ifndef MUSTER_IDENTITY_OIDC_INTERNAL_H
#define MUSTER_IDENTITY_OIDC_INTERNAL_H

#include "identity/sign_in/desk.h"
#include "identity/sign_in/oidc.h"
#include "identity/sign_in/sign_in_internal.h"

/* One thread of the pool at most waits for the issuer. */
#define OIDC_AT_ONCE 1
#define OIDC_WAITING_MAX 32
#define OIDC_RANDOM_LEN 43 /* 256 bits in base64url */

/* What a sign-in begins with, and what must come back. */
struct oidc_flow {
    char state[OIDC_RANDOM_LEN], nonce[OIDC_RANDOM_LEN], verifier[OIDC_RANDOM_LEN];
    int64_t until_ms; /* by the wall clock: the browser may come back to another start of us */
};

/* False: no row has it. */
CHECKED bool oidc_role_of(slice roles, slice email, slice *ret_role_id);

/* --- oidc_issuer.c: on the pool, blocking ------------------------------------------------------
 */

/* Appends where the browser is to go. */
CHECKED enum status oidc_ask_location(const struct identity *id, const struct oidc_flow *flow,
                                      slice redirect_uri, struct buf *ret, struct fault *why);

struct oidc_person {
    slice email, subject; /* in the arena */
};
/* The code becomes an ID token, and the token somebody. ST_UNAUTHORIZED, ST_UNAVAILABLE. */
CHECKED enum status oidc_ask_person(const struct identity *id, const struct oidc_flow *flow,
                                    slice code, slice redirect_uri, struct arena *arena,
                                    struct oidc_person *ret, struct fault *why);

/* The issuer's keys, as JSON. */
CHECKED enum status oidc_ask_keys(const struct identity *id, struct arena *arena, slice *ret,
                                  struct fault *why);

/* "issuer subject": how a user is known. */
slice oidc_subject_key(const struct oidc_options *o, slice subject, struct arena *arena);

#endif
