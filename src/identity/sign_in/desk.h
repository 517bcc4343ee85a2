/* Where long work of one kind queues for the pool: so much at once and no more, the others in a
 * line of bounded length. So passwords, each of which takes 64 MiB and a core, and a slow issuer
 * leave the pool to the rest.
 *
 *     submit -> the desk (worker 0) -> pool -> the desk -> on_done, on the worker that asked */
#ifndef MUSTER_IDENTITY_DESK_H
#define MUSTER_IDENTITY_DESK_H

#include "net/worker.h"

struct desk_job;

/* Worker 0's own. */
struct desk {
    struct workers *ws;
    unsigned at_once, waiting_max;
    unsigned running, waiting;
    struct desk_job *first, *last;
};

/* Embed it first in a heap object. */
struct desk_job {
    struct pool_job job;
    struct desk *desk;
    struct worker *owner;
    struct desk_job *next;
    void (*work)(struct desk_job *job); /* on the pool */
    void (*on_done)(struct desk_job *job);
    bool was_refused; /* too many wait: `work` did not run */
};

void desk_init(struct desk *desk, struct workers *ws, unsigned at_once, unsigned waiting_max);
/* On a worker. on_done is never called before it returns. */
void desk_submit(struct desk *desk, struct desk_job *job);

#endif
