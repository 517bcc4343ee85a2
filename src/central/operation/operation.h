/* Operations: long work on many devices, imports and bulk acts (contract/central.md 2.6, 3.4).
 *
 *     queued --> running --> done | done with errors | failed | cancelled
 *        |                                                          ^
 *        +----------------------------------------------------------+
 *
 * An operation is a row of the store. One worker drives all that are not finished, each in small
 * steps. What a step changes, what it found, and how far the operation is then, are one unit of
 * work: when the process dies, the next one goes on behind the last step that was committed, and
 * nothing was done twice or left out.
 *
 * Finished ones are kept for OPERATION_KEPT_DAYS, the newest OPERATIONS_KEPT of them. */
#ifndef MUSTER_CENTRAL_OPERATION_H
#define MUSTER_CENTRAL_OPERATION_H

#include "central/central.h"
#include "identity/access/access.h"

struct operations;
struct sealer;

#define OPERATIONS_LIVE_MAX 20 /* not finished */
#define OPERATIONS_KEPT 1000
#define OPERATION_KEPT_DAYS 30
#define OPERATION_ID_LEN 16

enum operation_kind {
    OPERATION_IMPORT,
    OPERATION_APPROVE,
    OPERATION_ASSOCIATE,
    OPERATION_BLOCK,
    OPERATION_UNBLOCK,
    OPERATION_DELETE,
    OPERATION_JOB,
    OPERATION_KIND_COUNT
};
enum operation_state {
    OPERATION_QUEUED,
    OPERATION_RUNNING,
    OPERATION_DONE,
    OPERATION_DONE_WITH_ERRORS,
    OPERATION_FAILED,
    OPERATION_CANCELLED,
};
/* "import"; "doneWithErrors". */
const char *operation_kind_name(enum operation_kind kind);
const char *operation_state_name(enum operation_state state);

/* A row as read. Slices borrow from the callback's memory. */
struct operation {
    slice id;
    enum operation_kind kind;
    enum operation_state state;
    slice actor;      /* who began it */
    slice parameters; /* JSON object: what was asked for */
    slice counts;     /* JSON object: what became of it, by the kind's own words */
    slice message;    /* why it failed; empty otherwise */
    bool is_cancelling;
    int64_t total; /* -1: not known yet */
    int64_t processed, failed;
    int64_t log_bytes, rejected_bytes;                       /* of the reports */
    instant created_at, started_at, updated_at, finished_at; /* 0: not yet */
};
/* `o` is NULL unless ST_OK. */
typedef void operation_fn(void *context, enum status status, const struct operation *o,
                          const struct fault *why);

struct operations_options {
    const char *directory; /* the data folder; uploads lie in a folder of their own inside */
    const struct sealer *sealer;
    int64_t device_limit; /* most devices that imports make; 0: no limit */
};

/* Before workers_start; what was not finished goes on then. `c` must be bound by then. */
CHECKED struct operations *
operations_create(struct central *c, const struct operations_options *options, struct fault *why);
/* After workers_stop and before store_close. */
void operations_destroy(struct operations *ops);
/* Of what operations give away: export_link.h. */
const struct sealer *operations_sealer(const struct operations *ops);

void operation_get(struct operations *ops, slice id, operation_fn *on_operation, void *context);
/* The newest first, those begun before `before` (an ID; empty: all); then once with o == NULL. */
void operation_list(struct operations *ops, slice before, unsigned limit,
                    operation_fn *on_operation, void *context);
/* What is done stays done. ST_CONFLICT: it is finished. */
void operation_cancel(struct operations *ops, slice id, operation_fn *on_operation, void *context);

enum operation_report {
    REPORT_LOG,      /* all findings, CSV */
    REPORT_REJECTED, /* of an import: the rejected rows, to be corrected and imported again */
};
/* The part of a report behind the part of that number (0: the first); `text` is empty and `number`
 * 0 behind the last. */
typedef void report_fn(void *context, enum status status, int64_t number, slice text);
void operation_read_report(struct operations *ops, slice id, enum operation_report report,
                           int64_t after, report_fn *on_part, void *context);

#endif
