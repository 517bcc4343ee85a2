/* One-time links, by which a user sets his password: the first administrator's, which `serve`
 * shows while there is no user, and those that an administrator makes for others, to begin with or
 * because a password was forgotten (SECURITY-MODEL O1).
 *
 *     https://{host}/app/setup#{code}        whoever comes first
 *     https://{host}/app/invitation#{code}   a user
 *
 * The code is 256 random bits, in the fragment, which no request line and so no log ever holds;
 * SHA-256 at rest, an hour. A user has one at most; a new one takes the old one's place. Slices
 * given to a function are borrowed until its callback. */
#ifndef MUSTER_IDENTITY_INVITATION_H
#define MUSTER_IDENTITY_INVITATION_H

#include "base/buf.h"
#include "base/clock.h"
#include "identity/access/access.h"

#define INVITATION_CODE_LEN 43 /* base64url */
#define INVITATION_LIFE_MS (INT64_C(3600) * 1000)

struct invitation {
    slice code;
    instant expires_at;
};
typedef void invitation_fn(void *context, enum status status, const struct invitation *i,
                           const struct fault *why);
/* ST_NOT_FOUND, ST_FORBIDDEN: a user whom the caller could not have made what he is, for whoever
 * has the link is him. */
void invitation_create(struct identity *id, const struct act *act, slice user_id,
                       invitation_fn *on_done, void *context);

struct redemption {
    slice code, password;
    slice email; /* of the first user, who tells it himself; otherwise not looked at */
    slice source, request_id;
};
/* ST_OK with the user's address. ST_UNAUTHORIZED: no such link, used or too old; ST_BAD_REQUEST:
 * the password may not be one, or no address; ST_THROTTLED. */
typedef void redemption_fn(void *context, enum status status, slice email, int64_t wait_s,
                           const struct fault *why);
void invitation_redeem(struct identity *id, const struct redemption *r, redemption_fn *on_done,
                       void *context);

/* At start, before the workers: appends the code for whoever comes first; nothing when there is a
 * user already. */
CHECKED enum status invitation_first_now(struct identity *id, struct buf *ret, struct fault *why);

#endif
