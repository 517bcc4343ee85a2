/* One snapshot of trust for all workers.
 *
 *     trust_get: the store's version -> what this worker has seen
 *                                    -> what another has read     (a lock, a pointer)
 *                                    -> this one reads it         (and shares it)
 *
 * A change is read once and then told over the bus; every worker calls its watchers. */
#include "identity/trust/trust.h"

#include <stdlib.h>

#include "base/log.h"
#include "identity/identity_internal.h"

#define CHANGED_SUBJECT "trust.changed"
#define AGAIN_MS 500

struct trust_request {
    struct worker_trust *at;
    int64_t version; /* at least */
    trust_fn *on_trust;
    void *context;
};

struct trust_watcher {
    struct trust_watcher *next;
    void (*on_change)(void *context, const struct trust *trust);
    void *context;
};

static struct worker_trust *here(struct identity *id)
{
    return &id->workers[worker_index(worker_current())].trust;
}

/* --- sharing --------------------------------------------------------------------------------- */

/* The newest, with a reference, when it is at least of that version. */
static const struct trust *take_newest(struct trust_home *home, int64_t version)
{
    const struct trust *taken = NULL;

    pthread_mutex_lock(&home->lock);
    if (home->newest && home->newest->version >= version)
        taken = trust_hold(home->newest);
    pthread_mutex_unlock(&home->lock);
    return taken;
}

/* Takes over the caller's reference. */
static void put_newest(struct trust_home *home, const struct trust *fresh)
{
    const struct trust *old = fresh;

    pthread_mutex_lock(&home->lock);
    if (!home->newest || home->newest->version < fresh->version) {
        old = home->newest;
        home->newest = fresh;
    }
    pthread_mutex_unlock(&home->lock);
    trust_release(old);
}

static bool see(struct worker_trust *t, int64_t version)
{
    const struct trust *newer;

    if (t->seen && t->seen->version >= version)
        return true;
    newer = take_newest(&t->id->trust, version);
    if (!newer)
        return false;
    trust_release(t->seen);
    t->seen = newer;
    return true;
}

const struct trust *trust_seen(struct identity *id)
{
    return here(id)->seen;
}

/* --- the current one ------------------------------------------------------------------------- */

static void answer(struct trust_request *r, enum status status)
{
    const struct trust *trust = status == ST_OK ? trust_hold(r->at->seen) : NULL;

    r->on_trust(r->context, status, trust);
    trust_release(trust); /* the callback may have made this worker see a newer one */
    free(r);
}

static void on_read(void *context, enum status status, const struct trust *trust,
                    const struct fault *why)
{
    struct trust_request *r = context;

    if (status == ST_OK) {
        put_newest(&r->at->id->trust, trust);
        status = see(r->at, r->version) ? ST_OK : ST_INTERNAL;
    } else {
        LOG_LIMITED(LOG_LEVEL_ERROR, "trust_unreadable", LOG_FAULT(why));
    }
    answer(r, status);
}

static void on_version(void *context, enum status status, struct rows *rows)
{
    struct trust_request *r = context;

    if (status == ST_OK && !rows_next(rows))
        status = rows_status(rows) == ST_OK ? ST_INTERNAL : rows_status(rows);
    if (status == ST_OK)
        r->version = rows_int(rows, 0);
    if (status != ST_OK || see(r->at, r->version))
        answer(r, status);
    else
        trust_read(r->at->id->store, on_read, r);
}

void trust_get(struct identity *id, trust_fn *on_trust, void *context)
{
    struct trust_request *r = malloc(sizeof *r);

    if (!r) {
        on_trust(context, ST_NO_MEMORY, NULL);
        return;
    }
    *r = (struct trust_request){.at = here(id), .on_trust = on_trust, .context = context};
    store_read(id->store, &trust_version_sql, NULL, 0, on_version, r);
}

/* --- changes --------------------------------------------------------------------------------- */

static void look_again(struct timer *timer);

static void on_told_trust(void *context, enum status status, const struct trust *trust)
{
    struct worker_trust *t = context;

    if (status != ST_OK) { /* revocation does not fail for good because memory was short once */
        LOG_LIMITED(LOG_LEVEL_ERROR, "trust_change_waits", LOG_STR("status", status_name(status)));
        timer_arm(t->worker, &t->again, AGAIN_MS, look_again);
        return;
    }
    for (const struct trust_watcher *w = t->watchers; w; w = w->next)
        w->on_change(w->context, trust);
}

static void look_again(struct timer *timer)
{
    struct worker_trust *t =
        (struct worker_trust *)((char *)timer - offsetof(struct worker_trust, again));

    trust_get(t->id, on_told_trust, t);
}

static void on_told(void *context, slice subject, slice message)
{
    struct worker_trust *t = context;

    (void)subject;
    (void)message;
    trust_get(t->id, on_told_trust, t);
}

static void tell(void *context, enum status status, const struct trust *trust)
{
    struct identity *id = context;

    (void)status;
    (void)trust;
    bus_publish(id->bus, SLICE(CHANGED_SUBJECT), (slice){0});
}

/* Read here before it is told: the others find it read. */
void trust_changed(struct identity *id)
{
    if (worker_current())
        trust_get(id, tell, id);
    else
        tell(id, ST_OK, NULL);
}

bool trust_watch(struct identity *id, struct worker *w,
                 void (*on_change)(void *context, const struct trust *trust), void *context)
{
    struct worker_trust *t = &id->workers[worker_index(w)].trust;
    struct trust_watcher *watcher = malloc(sizeof *watcher);

    if (!watcher)
        return false;
    *watcher = (struct trust_watcher){t->watchers, on_change, context};
    t->watchers = watcher;
    return true;
}

/* --- life ------------------------------------------------------------------------------------ */

struct first_reading {
    struct identity *id;
    enum status status;
    struct fault *why;
};

static void on_first(void *context, enum status status, const struct trust *trust,
                     const struct fault *why)
{
    struct first_reading *first = context;

    first->status = status;
    if (status == ST_OK)
        put_newest(&first->id->trust, trust);
    else
        *first->why = *why;
}

enum status trust_start(struct identity *id, struct workers *ws, struct fault *why)
{
    struct first_reading first = {id, ST_INTERNAL, why};

    for (unsigned i = 0; i < id->worker_count; i++) {
        struct worker_trust *t = &id->workers[i].trust;

        t->id = id;
        t->worker = workers_at(ws, i);
        if (!bus_subscribe(id->bus, t->worker, CHANGED_SUBJECT, on_told, t))
            return fault_set(why, ST_NO_MEMORY, "no memory for identity");
    }
    trust_read(id->store, on_first, &first);
    return first.status;
}

static void stop_worker(struct worker_trust *t)
{
    timer_cancel(&t->again);
    while (t->watchers) {
        struct trust_watcher *next = t->watchers->next;

        free(t->watchers);
        t->watchers = next;
    }
    trust_release(t->seen);
}

void trust_stop(struct identity *id)
{
    for (unsigned i = 0; i < id->worker_count; i++)
        stop_worker(&id->workers[i].trust);
    trust_release(id->trust.newest);
}
