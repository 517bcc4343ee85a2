/* Inside store/: what the front (store.c, unit.c) and a database driver know of each other.
 *
 * The front owns units, the bound of the queue and the way of outcomes back to the workers. A
 * driver owns connections and threads: it runs what it is given and hands every unit back through
 * store_finish. SQLite's runs units on one writer thread; one for PostgreSQL would send them down
 * a pipeline on the worker's own loop. */
#ifndef MUSTER_STORE_DRIVER_H
#define MUSTER_STORE_DRIVER_H

#include "base/arena.h"
#include "store/store.h"

struct store_driver {
    /* Takes a unit over, from any thread. */
    void (*submit)(void *self, struct unit *unit);
    /* On worker `w`; NULL: on a thread that may wait, and then the answer comes before it returns.
     */
    void (*read)(void *self, struct worker *w, const struct sql *sql,
                 const struct sql_value *params, size_t count, store_rows_fn *on_rows,
                 void *context);
    bool (*is_full)(const void *self);
    /* Finishes all units that were submitted, then frees. */
    void (*close)(void *self);

    bool (*rows_next)(struct rows *rows);
    enum status (*rows_status)(const struct rows *rows);
    bool (*rows_is_null)(const struct rows *rows, int column);
    int64_t (*rows_int)(const struct rows *rows, int column);
    slice (*rows_bytes)(const struct rows *rows, int column);
};

/* A driver embeds this first in its own rows. */
struct rows {
    const struct store_driver *driver;
};

struct statement {
    const struct sql *sql;
    struct statement *next;
    const struct sql_value *params;
    size_t param_count;
    enum unit_expect expect;

    int64_t changes;                  /* rows changed or returned */
    const struct sql_value *returned; /* the first row, in the unit's arena */
    int returned_count;
};

struct unit_waiter; /* a thread inside unit_run */

struct unit {
    struct unit *next; /* of the list it is in: a driver's queue, then its worker's outcomes */
    struct store *store;
    struct worker *worker; /* that submitted; NULL: nobody's loop waits */
    struct unit_waiter *waiter;
    unit_done_fn *on_done;
    void *context;
    struct statement *first, *last;
    size_t statement_count;
    size_t bytes; /* of parameters, copied or borrowed */
    enum unit_urgency urgency;
    enum status status;
    bool refused;       /* is not to be run: `status` is final */
    bool has_place;     /* counts in the store's queue */
    struct arena arena; /* holds all of it, this struct too */
};

/* A list of units in order. */
struct unit_list {
    struct unit *first, *last;
};

static inline void unit_list_append(struct unit_list *list, struct unit *unit)
{
    unit->next = NULL;
    if (list->last)
        list->last->next = unit;
    else
        list->first = unit;
    list->last = unit;
}

/* Hands units with their final status back, in order. Any thread. */
void store_finish(struct store *st, struct unit *first);

/* --- the front's parts, for each other ------------------------------------------------------- */

/* Places in the queue; see store.h. */
bool store_take_place(struct store *st);
void store_charge(struct store *st, size_t bytes);
void store_give_places(struct store *st, unsigned units, size_t bytes);
/* To the driver. */
void store_submit(struct store *st, struct unit *unit);

/* Wakes the thread in unit_run. */
void unit_wake(struct unit *unit);

#endif
