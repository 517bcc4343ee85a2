/* Units of work: what a caller puts together, and what it reads when the outcome is known. */
#include <assert.h>
#include <pthread.h>
#include <stdalign.h>

#include "store/driver.h"
#include "store/store.h"

struct unit_waiter {
    pthread_mutex_t lock;
    pthread_cond_t woken;
    bool done;
};

struct unit *unit_create(struct store *st)
{
    struct arena arena;
    struct unit *unit;

    if (!store_take_place(st))
        return NULL;
    arena_init(&arena, UNIT_MAX_BYTES);
    unit = arena_alloc(&arena, sizeof *unit);
    if (!unit) {
        store_give_places(st, 1, 0);
        return NULL;
    }
    unit->store = st;
    unit->has_place = true;
    unit->arena = arena;
    return unit;
}

void unit_destroy(struct unit *unit)
{
    struct arena arena;

    if (!unit)
        return;
    if (unit->has_place)
        store_give_places(unit->store, 1, 0);
    arena = unit->arena; /* the unit lies inside it */
    arena_deinit(&arena);
}

static bool is_copied(const struct sql_value *value)
{
    return value->kind == SQL_TEXT || value->kind == SQL_BLOB;
}

/* All parameters of a statement and the bytes they point to, in one piece. */
static const struct sql_value *copy_params(struct unit *unit, const struct sql_value *params,
                                           size_t count)
{
    size_t bytes = 0;
    struct sql_value *copy;
    uint8_t *at;

    for (size_t i = 0; i < count; i++) {
        unit->bytes += params[i].bytes.len;
        if (is_copied(&params[i]) && __builtin_add_overflow(bytes, params[i].bytes.len, &bytes))
            return NULL;
    }
    if (count > UNIT_MAX_BYTES / sizeof *copy || bytes > UNIT_MAX_BYTES)
        return NULL;
    copy = arena_alloc(&unit->arena, count * sizeof *copy + bytes);
    if (!copy)
        return NULL;
    at = (uint8_t *)(copy + count);
    for (size_t i = 0; i < count; i++) {
        copy[i] = params[i];
        if (!is_copied(&params[i]) || params[i].bytes.len == 0)
            continue;
        memcpy(at, params[i].bytes.ptr, params[i].bytes.len);
        copy[i].bytes.ptr = at;
        at += params[i].bytes.len;
    }
    return copy;
}

void unit_add(struct unit *unit, const struct sql *sql, const struct sql_value *params,
              size_t count, enum unit_expect expect)
{
    struct statement *s;

    if (unit->status != ST_OK)
        return;
    s = arena_alloc(&unit->arena, sizeof *s);
    if (s)
        s->params = copy_params(unit, params, count);
    if (!s || !s->params) {
        unit->status = ST_NO_MEMORY;
        return;
    }
    s->sql = sql;
    s->param_count = count;
    s->expect = expect;
    if (unit->last)
        unit->last->next = s;
    else
        unit->first = s;
    unit->last = s;
    unit->statement_count++;
}

void unit_set_urgency(struct unit *unit, enum unit_urgency urgency)
{
    unit->urgency = urgency;
}

static void submit(struct unit *unit)
{
    unit->refused = unit->status != ST_OK;
    store_charge(unit->store, unit->bytes);
    store_submit(unit->store, unit);
}

void unit_submit(struct unit *unit, unit_done_fn *on_done, void *context)
{
    unit->worker = on_done ? worker_current() : NULL;
    assert(!on_done || unit->worker); /* elsewhere there is no loop to run it on: unit_run */
    unit->on_done = on_done;
    unit->context = context;
    submit(unit);
}

enum status unit_run(struct unit *unit)
{
    struct unit_waiter waiter = {.lock = PTHREAD_MUTEX_INITIALIZER,
                                 .woken = PTHREAD_COND_INITIALIZER};

    assert(!worker_current());
    unit->waiter = &waiter;
    submit(unit);
    pthread_mutex_lock(&waiter.lock);
    while (!waiter.done)
        pthread_cond_wait(&waiter.woken, &waiter.lock);
    pthread_mutex_unlock(&waiter.lock);
    pthread_cond_destroy(&waiter.woken);
    pthread_mutex_destroy(&waiter.lock);
    unit->waiter = NULL;
    return unit->status;
}

void unit_wake(struct unit *unit)
{
    struct unit_waiter *waiter = unit->waiter;

    /* Signalled under the lock: once it is released the waiter's stack may be gone. */
    pthread_mutex_lock(&waiter->lock);
    waiter->done = true;
    pthread_cond_signal(&waiter->woken);
    pthread_mutex_unlock(&waiter->lock);
}

static const struct statement *statement_at(const struct unit *unit, size_t index)
{
    const struct statement *s = unit->first;

    while (s && index-- > 0)
        s = s->next;
    return s;
}

struct sql_value unit_returned(const struct unit *unit, size_t index, int column)
{
    const struct statement *s = statement_at(unit, index);

    if (!s || column < 0 || column >= s->returned_count)
        return SQL_NULL_;
    return s->returned[column];
}

int64_t unit_changes(const struct unit *unit, size_t index)
{
    const struct statement *s = statement_at(unit, index);

    return s ? s->changes : 0;
}
