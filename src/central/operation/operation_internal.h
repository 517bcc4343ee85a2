/* Between the engine of operations and what they do (operation.h).
 *
 *     operation.c         the engine: queue, steps, ends; on one worker, the home
 *     operation_begin.c   new operations, and what others ask of them; on any worker
 *     operation_store.c   rows and reports
 *     import_spool.c      an uploaded file on its way to the disk
 *     device_import.c     imports: their phases
 *     device_import_begin.c   and their beginning, on any worker
 *     import_source.c     imports: the file read, on the pool
 *     import_batch.c      imports: rows judged and turned into a unit of work, on the pool
 *     job_run.c           jobs; what they do to one device is in job_task.c
 *     device_bulk.c       acts on many devices
 *     device_bulk_begin.c     and their beginning, on any worker
 *
 *            +--------------------------------------------+
 *            v                                            |
 *         step ----> operation_commit ----> committed ----+--> operation_end ---> finished, destroy
 *            ^                    |
 *            +--- rolled_back <---+ */
#ifndef MUSTER_CENTRAL_OPERATION_INTERNAL_H
#define MUSTER_CENTRAL_OPERATION_INTERNAL_H

#include "base/arena.h"
#include "central/central_internal.h"
#include "central/operation/operation.h"

#define OPERATION_COUNTS_MAX 32
#define OPERATION_MESSAGE_MAX 256
#define REPORT_BYTES_MAX (64 * 1024 * 1024) /* of each kind and operation */

struct operation_run;

/* How far an operation is: what one step hands to the next. */
struct operation_progress {
    int64_t version; /* of the row */
    int64_t total, processed, failed;
    int64_t counts[OPERATION_COUNTS_MAX]; /* by the names of the type */
    int64_t log_bytes, rejected_bytes;
    size_t cursor_len;
    uint8_t cursor[DEVICE_ID_MAX]; /* the type's own */
};

/* What a step found, for the reports. Borrowed for the call. */
struct operation_findings {
    slice log, rejected;
};

/* What operations of a kind do. All of it runs at home, in turns of its own. */
struct operation_type {
    const char *const *count_names;
    size_t count_count;
    size_t shown_counts; /* so many are told even when they are 0 */
    bool stops_itself;   /* `step` looks at is_cancelled, and ends it */
    /* Makes r->own, from what r says. False: out of memory. */
    bool (*begin)(struct operation_run *r);
    /* Does a little, then calls operation_commit, operation_next, operation_wait or operation_end,
     * once, now or later. */
    void (*step)(struct operation_run *r);
    /* Of operation_commit: it is durable; r->progress says so. Then as step. */
    void (*committed)(struct operation_run *r);
    /* Nothing of it happened; the engine goes on with step. */
    void (*rolled_back)(struct operation_run *r);
    /* The end is durable. */
    void (*finished)(struct operation_run *r);
    /* Frees r->own, which may be NULL; `r` is gone afterwards. */
    void (*destroy)(struct operation_run *r);
};
extern const struct operation_type device_import_type, device_bulk_type, job_type;
const struct operation_type *operation_type_of(enum operation_kind kind);

/* One that is not finished, at home. */
struct operation_run {
    struct mail mail;
    struct timer timer;
    struct operation_run *next;
    struct operations *ops;
    const struct operation_type *type;
    struct arena arena;
    enum operation_kind kind;
    slice id, actor, parameters, items;
    struct operation_progress progress, ahead; /* committed; under way */
    bool is_started, is_running, is_cancelled, is_posted;
    unsigned setbacks; /* steps in a row that were rolled back */
    struct {
        enum operation_state state;
        char message[OPERATION_MESSAGE_MAX];
        struct buf log;
    } end;
    void *own;
};

struct operations {
    struct central *c;
    struct operations_options options;
    struct worker *home;
    int folder;                           /* of uploads */
    struct operation_run *runs;           /* in the order in which they were begun */
    _Atomic(struct operation_run *) sent; /* the last first; home has not taken them over yet */
    unsigned running;
    _Atomic unsigned uploads;
    struct mail wake;
};

/* --- for types, at home ----------------------------------------------------------------------- */

/* The unit with the step's effects; it is taken. `to` is where the operation stands then. */
void operation_commit(struct operation_run *r, struct unit *unit,
                      const struct operation_progress *to, const struct operation_findings *found);
/* A unit for operation_commit; NULL after operation_wait. */
struct unit *operation_unit(struct operation_run *r);
/* The next step, in a later turn. */
void operation_next(struct operation_run *r);
/* The same a little later: something is not to be had for now. */
void operation_wait(struct operation_run *r);
/* OPERATION_DONE is done with errors when some failed. `log` is the last of the findings. */
void operation_end(struct operation_run *r, enum operation_state state, const char *message,
                   slice log);

/* --- between the engine's files --------------------------------------------------------------- */

/* NULL: out of memory. All slices are copied. */
struct operation_run *operation_run_create(struct operations *ops, enum operation_kind kind,
                                           slice id, slice actor, slice parameters, slice items);
void operation_run_destroy(struct operation_run *r);
/* From any worker: home takes it over and begins it. */
void operation_run_send(struct operation_run *r);

struct operation_new {
    enum operation_kind kind;
    const struct act *who;
    slice id; /* empty: a fresh one */
    slice parameters, items;
    /* Adds what is to come into being with it; NULL: nothing. */
    void (*add)(void *context, struct unit *unit);
    void *add_context;
};
/* ST_THROTTLED: there are too many, or an import already. On any worker. */
void operation_begin(struct operations *ops, const struct operation_new *n,
                     operation_fn *on_operation, void *context);
void operation_make_id(char to[OPERATION_ID_LEN]);
/* In words for the audit: "devices.block". */
const char *operation_action(enum operation_kind kind);

#endif
