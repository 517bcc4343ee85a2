/* Workers: one thread, one event loop, everything it accepted; and the mail between them.
 *
 * A worker owns its connections for their whole life; no other thread touches them. Others speak
 * to a worker through its inbox. A loop turn is: events and timers, then the inbox, then the
 * turn-end hooks (streams flush what was written, the log submits its batches). */
#ifndef MUSTER_NET_WORKER_H
#define MUSTER_NET_WORKER_H

#include "base/slice.h"
#include "base/status.h"

struct worker;
struct event_base;

/* A piece of mail. Embed it first in a heap object that owns all it needs; `run` is called once
 * on the receiving worker's thread and frees or re-uses the object. */
struct mail {
    struct mail *next; /* the inbox's */
    void (*run)(struct mail *mail);
};

/* A set of workers that start and stop together. `count` is at least 1. */
struct workers;
struct workers *workers_create(unsigned count);
unsigned workers_count(const struct workers *ws);
struct worker *workers_at(const struct workers *ws, unsigned index);
/* Starts the threads. Whatever must exist on a worker before that may be made by the caller. */
CHECKED bool workers_start(struct workers *ws, struct fault *why);
/* Asks every loop to end, joins the threads, takes every timer off. The worker objects stay valid
 * until destroyed. */
void workers_stop(struct workers *ws);
void workers_destroy(struct workers *ws);

/* Any thread. Mail from one sender arrives in order. After workers_stop it is never run. */
void worker_post(struct worker *w, struct mail *mail);
/* Posts from any thread and waits until `run` has returned; never from a worker's own thread. */
void worker_call(struct worker *w, void (*run)(void *context), void *context);

/* The worker whose thread this is; NULL on other threads. */
struct worker *worker_current(void);
unsigned worker_index(const struct worker *w);
struct event_base *worker_event_base(const struct worker *w);
/* The monotonic clock in ms as of this loop turn's start: cheap, for activity stamps. */
int64_t worker_now_ms(const struct worker *w);

/* A hook that runs at the end of a loop turn, once for each time it was marked during the turn.
 * Initialise run; mark with worker_at_turn_end from the worker's own thread. */
struct turn_hook {
    void (*run)(struct turn_hook *hook);
    struct turn_hook *next;
    bool marked;
};
void worker_at_turn_end(struct worker *w, struct turn_hook *hook);

/* Timers: a wheel of 50 ms slots, cheap to arm and cancel, made for many that rarely fire.
 * Embed it; the zero struct is a disarmed timer. A timer belongs to one worker and is armed and
 * cancelled on its thread only. It may be re-armed or its owner freed inside `run`. */
struct timer {
    struct timer *next, **link; /* link is NULL while disarmed */
    int64_t due_ms;             /* on the monotonic clock */
    void (*run)(struct timer *timer);
};
/* Arms or re-arms: `run` is called once, not before `delay_ms` and within about 100 ms of it. */
void timer_arm(struct worker *w, struct timer *t, int64_t delay_ms, void (*run)(struct timer *));
void timer_cancel(struct timer *t);
static inline bool timer_is_armed(const struct timer *t)
{
    return t->link != NULL;
}

/* Long work on a small pool of threads, so that no worker ever waits. The queue is bounded:
 * false when it is full. `work` runs on the pool, then `done` on the worker that asked. */
struct pool_job {
    struct mail mail;
    struct worker *owner;
    void (*work)(struct pool_job *job);
    void (*done)(struct pool_job *job);
};
CHECKED bool pool_submit(struct workers *ws, struct pool_job *job);

#endif
