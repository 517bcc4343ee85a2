/* What the files of net/ know of a worker and of the set it belongs to. */
#ifndef MUSTER_NET_WORKER_INTERNAL_H
#define MUSTER_NET_WORKER_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "net/worker.h"

struct accept_limits;
struct pool;
struct worker_streams;

#define WHEEL_SLOTS 1024
#define WHEEL_TICK_MS 50

struct wheel {
    struct timer *slots[WHEEL_SLOTS];
    struct timer *firing; /* those of the slot being run */
    int64_t tick;         /* the last one run; a tick is 50 ms of the monotonic clock */
    struct event ticking;
    bool running;
};

struct worker {
    struct workers *set;
    unsigned index;
    struct event_base *base;
    pthread_t thread;
    bool started;

    /* Newest first; `closed` once nothing is run any more. */
    _Atomic(struct mail *) inbox;
    struct mail closed;
    int wake_fd;
    struct event wake;

    int64_t turn_us; /* when this turn first asked for the time; 0: not yet */
    struct turn_hook *hooks, **hooks_end;
    struct wheel wheel;
    struct worker_streams *streams;
};

/* How long a stream may take; tests shorten them before the workers start. */
struct stream_timeouts {
    int64_t handshake_ms, stalled_ms, close_ms;
};

enum workers_state { WORKERS_CREATED, WORKERS_RUNNING, WORKERS_STOPPED };

struct workers {
    _Atomic int state; /* enum workers_state */
    _Atomic bool stopping;
    struct pool *pool;
    struct accept_limits *limits;
    struct stream_timeouts timeouts;
    unsigned count;
    struct worker each[];
};

void wheel_init(struct worker *w);
/* Takes every timer off; none has run. */
void wheel_clear(struct wheel *wheel);

CHECKED struct pool *pool_create(void);
CHECKED bool pool_start(struct pool *pool, struct fault *why);
/* Runs what is queued to its end, joins the threads. */
void pool_stop(struct pool *pool);
void pool_destroy(struct pool *pool);

/* A thread that leaves all signals to the main thread. */
CHECKED bool thread_start(pthread_t *thread, void *(*run)(void *), void *context, const char *name,
                          struct fault *why);

#endif
