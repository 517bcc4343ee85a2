/* Signing in (SECURITY-MODEL K4, O2, O6).
 *
 *     limits of the address and the account -> the user's row, or nobody's -> Argon2id, on the
 *     pool -> a session
 *
 * Who is not known, has no password or a wrong one gets one answer, after the same work. What is
 * done is told in the audit log. Slices given to a function are borrowed until its callback. */
#ifndef MUSTER_IDENTITY_SIGN_IN_H
#define MUSTER_IDENTITY_SIGN_IN_H

#include "identity/sign_in/user_session.h"

struct sign_in {
    slice email, password;
    slice source, request_id; /* for the limits and the audit */
};

struct signed_in {
    slice user_id;
    slice session_id; /* with ST_OK, and never again */
    int64_t wait_s;   /* with ST_THROTTLED: when to try again */
};
/* `s` is NULL unless the status is ST_OK or ST_THROTTLED. */
typedef void sign_in_fn(void *context, enum status status, const struct signed_in *s,
                        const struct fault *why);

/* ST_UNAUTHORIZED, ST_THROTTLED. */
void sign_in_by_password(struct identity *id, const struct sign_in *what, sign_in_fn *on_done,
                         void *context);

/* A user changes his own password: all his sessions end, and he gets a new one. ST_UNAUTHORIZED:
 * the current one is wrong; ST_BAD_REQUEST: the new one may not be one; ST_THROTTLED. */
void sign_in_change_password(struct identity *id, const struct act *act, slice current, slice fresh,
                             sign_in_fn *on_done, void *context);

#endif
