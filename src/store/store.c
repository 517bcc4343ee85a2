/* The front of the store: the bound of the queue, and the way of outcomes back to workers. */
#include "store/store.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "store/driver.h"
#include "store/sqlite.h"

/* Units whose outcome is known, on their way to one worker. The mail is posted once for as many
 * as gather before that worker looks. */
struct outcomes {
    struct mail mail;
    struct worker *worker;
    pthread_mutex_t lock; /* of all below */
    struct unit_list units;
    bool posted;
    struct mail *hooks; /* waiting for room, in reverse */
};

struct store {
    const struct store_driver *driver;
    void *self; /* the driver's */
    _Atomic unsigned queued_units;
    _Atomic size_t queued_bytes;
    _Atomic unsigned hooks_waiting;
    unsigned worker_count;
    struct outcomes outcomes[];
};

/* --- opening and closing --------------------------------------------------------------------- */

static void run_outcomes(struct mail *mail);

static struct store *create(struct workers *ws)
{
    unsigned count = workers_count(ws);
    struct store *st = calloc(1, sizeof *st + count * sizeof st->outcomes[0]);

    if (!st)
        return NULL;
    st->worker_count = count;
    for (unsigned i = 0; i < count; i++) {
        st->outcomes[i].mail.run = run_outcomes;
        st->outcomes[i].worker = workers_at(ws, i);
        pthread_mutex_init(&st->outcomes[i].lock, NULL);
    }
    return st;
}

static void destroy_list(struct unit *unit)
{
    while (unit) {
        struct unit *next = unit->next;

        unit_destroy(unit);
        unit = next;
    }
}

static void destroy(struct store *st)
{
    for (unsigned i = 0; i < st->worker_count; i++) {
        destroy_list(st->outcomes[i].units.first);
        pthread_mutex_destroy(&st->outcomes[i].lock);
    }
    free(st);
}

struct store *store_open(struct workers *ws, const struct store_options *options, struct fault *why)
{
    struct store *st = create(ws);

    if (!st) {
        fault_set(why, ST_NO_MEMORY, "no memory for the store");
        return NULL;
    }
    st->driver = &sqlite_driver;
    st->self = sqlite_open(st, st->worker_count, options, why);
    if (!st->self) {
        destroy(st);
        return NULL;
    }
    return st;
}

void store_close(struct store *st)
{
    if (!st)
        return;
    st->driver->close(st->self);
    destroy(st);
}

/* --- reading --------------------------------------------------------------------------------- */

bool rows_next(struct rows *rows)
{
    return rows->driver->rows_next(rows);
}

enum status rows_status(const struct rows *rows)
{
    return rows->driver->rows_status(rows);
}

bool rows_is_null(const struct rows *rows, int column)
{
    return rows->driver->rows_is_null(rows, column);
}

int64_t rows_int(const struct rows *rows, int column)
{
    return rows->driver->rows_int(rows, column);
}

slice rows_bytes(const struct rows *rows, int column)
{
    return rows->driver->rows_bytes(rows, column);
}

void store_read(struct store *st, const struct sql *sql, const struct sql_value *params,
                size_t count, store_rows_fn *on_rows, void *context)
{
    assert(worker_current());
    st->driver->read(st->self, worker_current(), sql, params, count, on_rows, context);
}

struct read_now {
    store_rows_fn *on_rows;
    void *context;
    enum status status;
};

static void note_status(void *context, enum status status, struct rows *rows)
{
    struct read_now *now = context;

    now->status = status;
    now->on_rows(now->context, status, rows);
}

enum status store_read_now(struct store *st, const struct sql *sql, const struct sql_value *params,
                           size_t count, store_rows_fn *on_rows, void *context)
{
    struct read_now now = {.on_rows = on_rows, .context = context, .status = ST_INTERNAL};

    assert(!worker_current());
    st->driver->read(st->self, NULL, sql, params, count, note_status, &now);
    return now.status;
}

struct number {
    enum status status;
    int64_t *ret;
};

static void on_number(void *context, enum status status, struct rows *rows)
{
    struct number *number = context;
    bool found = status == ST_OK && rows_next(rows);
    int64_t value = found ? rows_int(rows, 0) : 0;

    number->status = status == ST_OK ? rows_status(rows) : status;
    if (found && number->status == ST_OK)
        *number->ret = value;
}

enum status store_read_int_now(struct store *st, const struct sql *sql,
                               const struct sql_value *params, size_t count, int64_t *ret)
{
    struct number number = {.status = ST_INTERNAL, .ret = ret};

    (void)store_read_now(st, sql, params, count, on_number, &number);
    return number.status;
}

bool store_is_full(const struct store *st)
{
    return st->driver->is_full(st->self);
}

/* --- the bound of the queue ------------------------------------------------------------------ */

bool store_take_place(struct store *st)
{
    unsigned before = atomic_fetch_add(&st->queued_units, 1);

    if (before < STORE_QUEUE_UNITS && atomic_load(&st->queued_bytes) < STORE_QUEUE_BYTES)
        return true;
    atomic_fetch_sub(&st->queued_units, 1);
    return false;
}

void store_charge(struct store *st, size_t bytes)
{
    atomic_fetch_add(&st->queued_bytes, bytes);
}

bool store_has_room(const struct store *st)
{
    return atomic_load(&st->queued_units) < STORE_QUEUE_UNITS &&
           atomic_load(&st->queued_bytes) < STORE_QUEUE_BYTES;
}

static bool is_half_empty(const struct store *st)
{
    return atomic_load(&st->queued_units) < STORE_QUEUE_UNITS / 2 &&
           atomic_load(&st->queued_bytes) < STORE_QUEUE_BYTES / 2;
}

static struct mail *take_hooks(struct store *st, struct outcomes *o)
{
    struct mail *taken, *in_order = NULL;

    pthread_mutex_lock(&o->lock);
    taken = o->hooks;
    o->hooks = NULL;
    pthread_mutex_unlock(&o->lock);
    while (taken) {
        struct mail *next = taken->next;

        taken->next = in_order;
        in_order = taken;
        taken = next;
        atomic_fetch_sub(&st->hooks_waiting, 1);
    }
    return in_order;
}

/* Tells who waits, if there is room. */
static void post_hooks(struct store *st)
{
    if (atomic_load(&st->hooks_waiting) == 0 || !is_half_empty(st))
        return;
    for (unsigned i = 0; i < st->worker_count; i++) {
        struct mail *hook = take_hooks(st, &st->outcomes[i]);

        while (hook) {
            struct mail *next = hook->next;

            worker_post(st->outcomes[i].worker, hook);
            hook = next;
        }
    }
}

void store_give_places(struct store *st, unsigned units, size_t bytes)
{
    atomic_fetch_sub(&st->queued_units, units);
    atomic_fetch_sub(&st->queued_bytes, bytes);
    post_hooks(st);
}

void store_when_room(struct store *st, struct mail *hook)
{
    struct outcomes *o;

    assert(worker_current());
    o = &st->outcomes[worker_index(worker_current())];
    atomic_fetch_add(&st->hooks_waiting, 1);
    pthread_mutex_lock(&o->lock);
    hook->next = o->hooks;
    o->hooks = hook;
    pthread_mutex_unlock(&o->lock);
    post_hooks(st); /* there may be room by now, and then no later unit would look */
}

/* --- units, there and back ------------------------------------------------------------------- */

void store_submit(struct store *st, struct unit *unit)
{
    st->driver->submit(st->self, unit);
}

static void run_outcomes(struct mail *mail)
{
    struct outcomes *o = (struct outcomes *)mail;
    struct unit *unit;

    pthread_mutex_lock(&o->lock);
    unit = o->units.first;
    o->units = (struct unit_list){0};
    o->posted = false;
    pthread_mutex_unlock(&o->lock);
    while (unit) {
        struct unit *next = unit->next;

        unit->on_done(unit->context, unit->status, unit);
        unit_destroy(unit);
        unit = next;
    }
}

static void give_back(struct store *st, struct unit *unit)
{
    struct outcomes *o;

    if (unit->waiter) {
        unit_wake(unit);
        return;
    }
    if (!unit->worker) {
        unit_destroy(unit);
        return;
    }
    o = &st->outcomes[worker_index(unit->worker)];
    pthread_mutex_lock(&o->lock);
    unit_list_append(&o->units, unit);
    pthread_mutex_unlock(&o->lock);
}

/* Posts after all have been given back, so that a worker is woken once. */
static void post_outcomes(struct outcomes *o)
{
    bool post;

    pthread_mutex_lock(&o->lock);
    post = o->units.first && !o->posted;
    o->posted = o->posted || post;
    pthread_mutex_unlock(&o->lock);
    if (post)
        worker_post(o->worker, &o->mail);
}

/* Frees the places before anyone hears of it: an on_done that starts anew finds room. */
static void free_places(struct store *st, struct unit *first)
{
    unsigned units = 0;
    size_t bytes = 0;

    for (struct unit *unit = first; unit; unit = unit->next) {
        units++;
        bytes += unit->bytes;
        unit->has_place = false;
    }
    store_give_places(st, units, bytes);
}

void store_finish(struct store *st, struct unit *first)
{
    free_places(st, first);
    while (first) {
        struct unit *next = first->next;

        give_back(st, first);
        first = next;
    }
    for (unsigned i = 0; i < st->worker_count; i++)
        post_outcomes(&st->outcomes[i]);
}
