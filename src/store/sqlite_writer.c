/* The one thread that writes and checkpoints: group commit.
 *
 *     units queue --> take all --> BEGIN, run each, COMMIT (fsync) --> outcomes to their workers
 *          ^                                                                   |
 *          `------- what came meanwhile is the next batch <-- checkpoint <-----'
 *
 * Load makes batches larger, not the wait longer. */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "store/sqlite.h"

#define BATCH_UNITS 4096
#define BATCH_BYTES (16 * 1024 * 1024)
#define CHECKPOINT_PAGES 8192 /* of 4 KiB: a page changed often is copied seldom */

struct writer {
    struct store *store;
    struct write_side side;
    int wal_pages; /* since the last checkpoint */
    pthread_t thread;

    pthread_mutex_t lock; /* of all below */
    pthread_cond_t woken;
    struct unit_list queue;
    bool is_asleep, stopping;
};

/* --- checkpoints ----------------------------------------------------------------------------- */

static int note_wal_pages(void *context, sqlite3 *db, const char *schema, int pages)
{
    struct writer *w = context;

    (void)db;
    (void)schema;
    w->wal_pages = pages;
    return SQLITE_OK;
}

/* After the outcomes are told, so that nobody waits for it but the next batch. */
static void checkpoint(struct writer *w)
{
    int code;

    if (w->wal_pages < CHECKPOINT_PAGES)
        return;
    w->wal_pages = 0;
    code = sqlite3_wal_checkpoint_v2(w->side.connection.db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL,
                                     NULL);
    /* A reader in the way, or no space for it: the next commit tries again. */
    if (code != SQLITE_OK && code != SQLITE_BUSY && !connection_is_full(&w->side.connection, code))
        write_side_failed(&w->side, code);
}

/* --- space ----------------------------------------------------------------------------------- */

static const struct sql free_pages_sql = {"PRAGMA freelist_count"};
static const struct sql page_size_sql = {"PRAGMA page_size"};

static void watch_space(struct writer *w)
{
    int64_t pages, page_size;

    if (!space_is_due(&w->side.space))
        return;
    pages = connection_number(&w->side.connection, &free_pages_sql);
    page_size = connection_number(&w->side.connection, &page_size_sql);
    space_check(&w->side.space, (uint64_t)(pages * page_size));
}

/* --- the thread ------------------------------------------------------------------------------ */

/* Waits until there is something to do; while space is low, no longer than until the next look,
 * because then the fronts send nothing that would wake us. */
static void wait_for_units(struct writer *w)
{
    struct timespec until;
    int64_t until_ms;

    if (w->queue.first || w->stopping)
        return;
    w->is_asleep = true;
    if (writer_is_full(w)) {
        until_ms = clock_mono_ms() + SPACE_CHECK_MS;
        until = (struct timespec){until_ms / 1000, until_ms % 1000 * 1000000};
        pthread_cond_timedwait(&w->woken, &w->lock, &until);
    } else {
        pthread_cond_wait(&w->woken, &w->lock);
    }
    w->is_asleep = false;
}

/* The worker that woke us is in the middle of its turn: given its core back, it adds what else it
 * has, and one commit serves all of it. Does nothing when nobody waits for this core. */
static void let_queue_grow(struct writer *w)
{
    pthread_mutex_unlock(&w->lock);
    sched_yield();
    pthread_mutex_lock(&w->lock);
}

/* The next units in order, at least one if there is one. */
static void take_batch(struct writer *w, struct batch *b)
{
    *b = (struct batch){0};
    while (w->queue.first && b->count < BATCH_UNITS && b->bytes < BATCH_BYTES) {
        struct unit *unit = w->queue.first;

        w->queue.first = unit->next;
        b->count++;
        b->bytes += unit->bytes;
        unit_list_append(&b->units, unit);
    }
    if (!w->queue.first)
        w->queue.last = NULL;
}

static void write_batch(struct writer *w, struct batch *b)
{
    batch_run(&w->side, b);
    store_finish(w->store, b->units.first);
}

static void *run_writer(void *argument)
{
    struct writer *w = argument;
    bool ends = false;

    while (!ends) {
        struct batch batch;

        pthread_mutex_lock(&w->lock);
        wait_for_units(w);
        let_queue_grow(w);
        take_batch(w, &batch);
        ends = w->stopping && batch.count == 0;
        pthread_mutex_unlock(&w->lock);
        watch_space(w);
        if (batch.count > 0)
            write_batch(w, &batch);
        checkpoint(w);
        watch_space(w);
    }
    return NULL;
}

static bool start_thread(struct writer *w)
{
    sigset_t all, before;
    bool started;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are the main thread's */
    started = pthread_create(&w->thread, NULL, run_writer, w) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (started)
        pthread_setname_np(w->thread, "store");
    return started;
}

static void init_locks(struct writer *w)
{
    pthread_condattr_t attributes;

    pthread_mutex_init(&w->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&w->woken, &attributes);
    pthread_condattr_destroy(&attributes);
}

static void destroy(struct writer *w)
{
    space_deinit(&w->side.space);
    connection_close(&w->side.connection);
    pthread_cond_destroy(&w->woken);
    pthread_mutex_destroy(&w->lock);
    free(w);
}

struct writer *writer_start(struct store *st, struct connection *c,
                            const struct store_options *options, struct fault *why)
{
    struct writer *w = calloc(1, sizeof *w);

    if (!w) {
        connection_close(c);
        fault_set(why, ST_NO_MEMORY, "no memory for the store");
        return NULL;
    }
    w->store = st;
    w->side.connection = *c;
    init_locks(w);
    sqlite3_wal_hook(w->side.connection.db, note_wal_pages, w);
    if (!space_init(&w->side.space, options, why)) {
        destroy(w);
        return NULL;
    }
    watch_space(w); /* so that store_is_full is true from the first moment on */
    if (!start_thread(w)) {
        fault_set(why, ST_UNAVAILABLE, "cannot start the store's writer thread");
        destroy(w);
        return NULL;
    }
    return w;
}

void writer_submit(struct writer *w, struct unit *unit)
{
    bool wake;

    pthread_mutex_lock(&w->lock);
    unit_list_append(&w->queue, unit);
    wake = w->is_asleep;
    w->is_asleep = false;
    pthread_mutex_unlock(&w->lock);
    if (wake)
        pthread_cond_signal(&w->woken);
}

bool writer_is_full(const struct writer *w)
{
    return atomic_load(&w->side.space.is_low);
}

void writer_stop(struct writer *w)
{
    pthread_mutex_lock(&w->lock);
    w->stopping = true;
    pthread_cond_signal(&w->woken);
    pthread_mutex_unlock(&w->lock);
    pthread_join(w->thread, NULL);
    destroy(w);
}
