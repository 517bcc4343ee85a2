/* Sessions of users who signed in (SECURITY-MODEL O2, O3).
 *
 *     signed in -> in use -> ended: by himself, 30 minutes unused, 12 hours old, the sixth of one
 *                            user, a new password, other roles, no user any more
 *
 * An ID is 256 random bits in hex, told once, SHA-256 at rest. Whoever has it acts as the user,
 * with what his roles allow at that moment: "user:{ID}" in the audit log. Slices given to a
 * function are borrowed until its callback. */
#ifndef MUSTER_IDENTITY_USER_SESSION_H
#define MUSTER_IDENTITY_USER_SESSION_H

#include "base/clock.h"
#include "identity/access/access.h"
#include "store/store.h"

#define USER_SESSION_ID_LEN 64
#define USER_SESSION_IDLE_MS (INT64_C(30) * 60 * 1000)
#define USER_SESSION_LIFE_MS (INT64_C(12) * 3600 * 1000)
#define USER_SESSIONS_MAX 5 /* of one user; the oldest goes */
#define USER_PRINCIPAL_PREFIX "user:"

bool user_session_id_valid(slice id);
/* What proves that a request was made by a page that has read the session's answers: HMAC-SHA256
 * with the ID as the key. In hex. */
void user_session_csrf(slice id, char ret[USER_SESSION_ID_LEN]);

enum session_use {
    SESSION_USED,   /* by the user: 30 minutes begin anew */
    SESSION_WATCHED /* only looked at */
};
/* ST_UNAUTHORIZED: there is none, or it has ended. */
void user_session_authenticate(struct identity *id, slice session_id, enum session_use use,
                               service_principal_fn *on_principal, void *context);

typedef void user_session_fn(void *context, enum status status, const struct fault *why);
void user_session_end(struct identity *id, const struct act *act, slice session_id,
                      user_session_fn *on_done, void *context);

/* Whether it is sure enough who acts for what should not be done from a screen that was left alone:
 * with a token, or within five minutes of signing in (SECURITY-MODEL K6). */
#define USER_SESSION_FRESH_MS (INT64_C(5) * 60 * 1000)
bool principal_is_fresh(const struct principal *p, instant now);

/* Whose the principal is; empty: it is no user's. */
slice principal_user_id(const struct principal *p);

/* A session that begins: its ID is told once the unit is done, ST_CONFLICT when there is no such
 * user. */
struct user_session_new {
    char id[USER_SESSION_ID_LEN];
};
void user_session_unit_begin(struct unit *unit, slice user_id, instant now,
                             struct user_session_new *ret);

#endif
