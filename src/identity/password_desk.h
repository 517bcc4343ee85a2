/* Where passwords are hashed and checked: on the pool, PASSWORD_AT_ONCE at a time, for each takes
 * 64 MiB and a core. The others wait in a line of bounded length.
 *
 *     submit -> the desk (worker 0) -> pool -> the desk -> on_done, on the worker that asked */
#ifndef MUSTER_IDENTITY_PASSWORD_DESK_H
#define MUSTER_IDENTITY_PASSWORD_DESK_H

#include "base/status.h"
#include "crypto/password_hash.h"
#include "net/worker.h"

#define PASSWORD_AT_ONCE 2
#define PASSWORD_WAITING_MAX 32

struct password_work;

/* Worker 0's own. */
struct password_desk {
    struct workers *ws;
    unsigned running, waiting;
    struct password_work *first, *last;
};

/* Embed it first in a heap object. Borrows the passwords until on_done. */
struct password_work {
    struct pool_job job;
    struct password_desk *desk;
    struct worker *owner;
    struct password_work *next;
    slice given; /* is checked against `stored`; NULL pointer: nothing is */
    char stored[PASSWORD_HASH_MAX];
    slice fresh; /* is hashed when `given` matched; NULL pointer: nothing is */
    void (*on_done)(struct password_work *work);
    /* The answer: ST_OK, ST_UNAUTHORIZED when it did not match, ST_THROTTLED when too many wait,
     * ST_NO_MEMORY. */
    enum status status;
    char hash[PASSWORD_HASH_MAX]; /* of `fresh` */
};

void password_desk_init(struct password_desk *desk, struct workers *ws);
/* On a worker. */
void password_desk_submit(struct password_desk *desk, struct password_work *work);

#endif
