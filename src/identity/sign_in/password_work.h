/* A password to be checked, hashed, or both, at the desk of passwords (desk.h). */
#ifndef MUSTER_IDENTITY_PASSWORD_WORK_H
#define MUSTER_IDENTITY_PASSWORD_WORK_H

#include "base/status.h"
#include "crypto/password_hash.h"
#include "identity/sign_in/desk.h"

#define PASSWORDS_AT_ONCE 2
#define PASSWORDS_WAITING_MAX 32

/* Embed it first in a heap object. Borrows the passwords until on_done. */
struct password_work {
    struct desk_job job; /* first */
    slice given;         /* is checked against `stored`; NULL pointer: nothing is */
    char stored[PASSWORD_HASH_MAX];
    slice fresh; /* is hashed when `given` matched; NULL pointer: nothing is */
    void (*on_done)(struct password_work *work);
    /* The answer: ST_OK, ST_UNAUTHORIZED when it did not match, ST_THROTTLED when too many wait,
     * ST_NO_MEMORY. */
    enum status status;
    char hash[PASSWORD_HASH_MAX]; /* of `fresh` */
};

/* On a worker. on_done is never called before it returns. */
void password_work_submit(struct desk *desk, struct password_work *work);

#endif
