#include "net/worker.h"

#include <assert.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "net/accept_limits.h"
#include "net/tls_stream.h"
#include "net/worker_internal.h"

#define SLOW_TURN_US 50000
/* How many turns a worker gives its streams and mail to settle when it stops. */
#define LAST_TURNS 16

static _Thread_local struct worker *current;

/* The eventfd is registered edge-triggered: every write wakes, nobody needs to read it. */
static void on_wake(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    (void)context;
}

/* One base is touched by one thread only, so libevent needs no locks. */
static struct event_base *base_create(void)
{
    struct event_config *config = event_config_new();
    struct event_base *base = NULL;

    if (!config)
        return NULL;
    if (event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK) == 0)
        base = event_base_new_with_config(config);
    event_config_free(config);
    return base;
}

static bool worker_init(struct worker *w, struct workers *set, unsigned index)
{
    w->set = set;
    w->index = index;
    w->hooks_end = &w->hooks;
    w->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    w->base = base_create();
    w->streams = worker_streams_create(w);
    if (w->wake_fd < 0 || !w->base || !w->streams)
        return false;
    wheel_init(w);
    event_assign(&w->wake, w->base, w->wake_fd, EV_READ | EV_PERSIST | EV_ET, on_wake, w);
    return event_add(&w->wake, NULL) == 0;
}

static void worker_deinit(struct worker *w)
{
    worker_streams_destroy(w->streams);
    if (w->base)
        event_base_free(w->base);
    if (w->wake_fd >= 0)
        close(w->wake_fd);
}

struct workers *workers_create(unsigned count)
{
    struct workers *ws;

    assert(count >= 1);
    ws = calloc(1, sizeof *ws + count * sizeof ws->each[0]);
    if (!ws)
        return NULL;
    ws->count = count;
    ws->timeouts =
        (struct stream_timeouts){.handshake_ms = 10000, .stalled_ms = 60000, .close_ms = 5000};
    ws->pool = pool_create();
    ws->limits = accept_limits_create();
    for (unsigned i = 0; i < count; i++)
        ws->each[i].wake_fd = -1;
    for (unsigned i = 0; i < count; i++) {
        if (!ws->pool || !ws->limits || !worker_init(&ws->each[i], ws, i)) {
            workers_destroy(ws);
            return NULL;
        }
    }
    return ws;
}

unsigned workers_count(const struct workers *ws)
{
    return ws->count;
}

struct worker *workers_at(const struct workers *ws, unsigned index)
{
    assert(index < ws->count);
    return (struct worker *)&ws->each[index];
}

static struct mail *oldest_first(struct mail *newest)
{
    struct mail *oldest = NULL;

    while (newest) {
        struct mail *older = newest->next;

        newest->next = oldest;
        oldest = newest;
        newest = older;
    }
    return oldest;
}

static void run_mail(struct mail *newest)
{
    for (struct mail *mail = oldest_first(newest), *next; mail; mail = next) {
        next = mail->next;
        mail->run(mail);
    }
}

static void run_inbox(struct worker *w)
{
    if (!atomic_load_explicit(&w->inbox, memory_order_relaxed))
        return;
    worker_now_ms(w);
    run_mail(atomic_exchange_explicit(&w->inbox, NULL, memory_order_acquire));
}

/* A hook that is marked while the hooks run belongs to the next turn, so that two hooks which
 * keep each other busy cannot starve the sockets. */
static void run_hooks(struct worker *w)
{
    struct turn_hook *marked = w->hooks;

    w->hooks = NULL;
    w->hooks_end = &w->hooks;
    while (marked) {
        struct turn_hook *hook = marked;

        marked = hook->next;
        hook->marked = false;
        hook->run(hook);
    }
}

static bool has_work(struct worker *w)
{
    return w->hooks || atomic_load_explicit(&w->inbox, memory_order_relaxed);
}

static void note_length(const struct worker *w)
{
    int64_t took_us = w->turn_us ? clock_mono_us() - w->turn_us : 0;

    if (took_us <= SLOW_TURN_US)
        return;
    metric_add(METRIC_SLOW_TURNS, 1);
    LOG_LIMITED(LOG_LEVEL_WARN, "slow_turn", LOG_INT("worker", w->index),
                LOG_INT("ms", took_us / 1000));
}

/* After a turn that did something, whoever waits for this core comes first: a peer on this
 * machine, the store's thread, another worker. What they have for us is then one turn's work,
 * where falling asleep and being woken for each of it costs more than the work. Does nothing
 * when nobody waits. */
static void give_way(const struct worker *w)
{
    if (w->turn_us)
        sched_yield();
}

static void worker_turn(struct worker *w, int flags)
{
    w->turn_us = 0;
    if (event_base_loop(w->base, EVLOOP_ONCE | flags) < 0) {
        LOG_ERROR("event_loop_failed", LOG_STR("cause", strerror(errno)));
        abort(); /* a worker that hears nothing must not look alive */
    }
    run_inbox(w);
    run_hooks(w);
    note_length(w);
    give_way(w);
}

/* Streams end with their on_end, mail that is in runs; then the inbox closes for ever. */
static void worker_wind_down(struct worker *w)
{
    worker_streams_end_all(w->streams);
    for (int i = 0; i < LAST_TURNS && has_work(w); i++) {
        worker_turn(w, EVLOOP_NONBLOCK);
        worker_streams_end_all(w->streams);
    }
    run_mail(atomic_exchange(&w->inbox, &w->closed));
    worker_streams_end_all(w->streams);
    run_hooks(w);
}

static void *worker_main(void *context)
{
    struct worker *w = context;

    current = w;
    while (!atomic_load_explicit(&w->set->stopping, memory_order_relaxed))
        worker_turn(w, has_work(w) ? EVLOOP_NONBLOCK : 0);
    worker_wind_down(w);
    current = NULL;
    return NULL;
}

bool thread_start(pthread_t *thread, void *(*run)(void *), void *context, const char *name,
                  struct fault *why)
{
    sigset_t all, before;
    int error;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(thread, NULL, run, context);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error) {
        fault_set(why, ST_UNAVAILABLE, "cannot start a thread: %s", strerror(error));
        return false;
    }
    pthread_setname_np(*thread, name);
    return true;
}

bool workers_start(struct workers *ws, struct fault *why)
{
    assert(atomic_load(&ws->state) == WORKERS_CREATED);
    atomic_store(&ws->state, WORKERS_RUNNING);
    if (!pool_start(ws->pool, why)) {
        workers_stop(ws);
        return false;
    }
    for (unsigned i = 0; i < ws->count; i++) {
        char name[16]; /* what the kernel keeps of it */

        snprintf(name, sizeof name, "worker-%u", i % 1000);
        ws->each[i].started =
            thread_start(&ws->each[i].thread, worker_main, &ws->each[i], name, why);
        if (!ws->each[i].started) {
            workers_stop(ws);
            return false;
        }
    }
    return true;
}

static void wake(struct worker *w)
{
    eventfd_write(w->wake_fd, 1);
}

static void stop_threads(struct workers *ws)
{
    pool_stop(ws->pool); /* first: what it finishes is mail for the workers */
    atomic_store(&ws->stopping, true);
    for (unsigned i = 0; i < ws->count; i++)
        wake(&ws->each[i]);
    for (unsigned i = 0; i < ws->count; i++) {
        if (ws->each[i].started)
            pthread_join(ws->each[i].thread, NULL);
        atomic_store(&ws->each[i].inbox, &ws->each[i].closed);
    }
    atomic_store(&ws->state, WORKERS_STOPPED);
}

/* No timer runs any more: their owners go in any order, and need not take them off one by one. */
void workers_stop(struct workers *ws)
{
    if (!ws)
        return;
    if (atomic_load(&ws->state) == WORKERS_RUNNING)
        stop_threads(ws);
    for (unsigned i = 0; i < ws->count; i++)
        wheel_clear(&ws->each[i].wheel);
}

void workers_destroy(struct workers *ws)
{
    if (!ws)
        return;
    workers_stop(ws);
    for (unsigned i = 0; i < ws->count; i++)
        worker_deinit(&ws->each[i]);
    accept_limits_destroy(ws->limits);
    pool_destroy(ws->pool);
    free(ws);
}

/* False when the inbox is closed. Only the first piece of mail needs to wake the worker, and none
 * that it sends itself: it looks before it sleeps. */
static bool inbox_push(struct worker *w, struct mail *mail)
{
    struct mail *head = atomic_load_explicit(&w->inbox, memory_order_relaxed);

    do {
        if (head == &w->closed)
            return false;
        mail->next = head;
    } while (!atomic_compare_exchange_weak_explicit(&w->inbox, &head, mail, memory_order_release,
                                                    memory_order_relaxed));
    if (!head && current != w)
        wake(w);
    return true;
}

void worker_post(struct worker *w, struct mail *mail)
{
    (void)inbox_push(w, mail);
}

struct call {
    struct mail mail;
    void (*run)(void *context);
    void *context;
    pthread_mutex_t lock;
    pthread_cond_t returned;
    bool done;
};

static void run_call(struct mail *mail)
{
    struct call *call = (struct call *)mail;

    call->run(call->context);
    pthread_mutex_lock(&call->lock);
    call->done = true;
    pthread_cond_signal(&call->returned);
    pthread_mutex_unlock(&call->lock);
}

static void wait_for_call(struct call *call)
{
    pthread_mutex_lock(&call->lock);
    while (!call->done)
        pthread_cond_wait(&call->returned, &call->lock);
    pthread_mutex_unlock(&call->lock);
}

void worker_call(struct worker *w, void (*run)(void *context), void *context)
{
    struct call call = {.mail.run = run_call, .run = run, .context = context};

    assert(current != w);
    if (atomic_load(&w->set->state) != WORKERS_RUNNING) {
        run(context);
        return;
    }
    pthread_mutex_init(&call.lock, NULL);
    pthread_cond_init(&call.returned, NULL);
    if (inbox_push(w, &call.mail))
        wait_for_call(&call);
    else
        run(context);
    pthread_cond_destroy(&call.returned);
    pthread_mutex_destroy(&call.lock);
}

struct worker *worker_current(void)
{
    return current;
}

unsigned worker_index(const struct worker *w)
{
    return w->index;
}

struct event_base *worker_event_base(const struct worker *w)
{
    return w->base;
}

/* The clock is read when a turn asks for the first time, which is as good as its start. */
int64_t worker_now_ms(const struct worker *w)
{
    struct worker *mine = current;

    if (mine != w)
        return clock_mono_ms();
    if (mine->turn_us == 0)
        mine->turn_us = clock_mono_us();
    return mine->turn_us / 1000;
}

void worker_at_turn_end(struct worker *w, struct turn_hook *hook)
{
    if (hook->marked)
        return;
    hook->marked = true;
    hook->next = NULL;
    *w->hooks_end = hook;
    w->hooks_end = &hook->next;
}
