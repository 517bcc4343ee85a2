/* The store: asynchronous SQL. Domain code cannot tell which database is underneath.
 *
 * Reads answer through a callback that may run before store_read returns (SQLite does) or later
 * (PostgreSQL will): write for both. They see every unit committed before the read began.
 *
 * Writes are units of work: some statements that happen together or not at all. Units of all
 * workers queue for one writer, which runs as many as wait in one transaction, each in a savepoint
 * of its own, commits once (group commit, synchronous=FULL) and posts every unit's outcome back
 * to the worker that submitted it. So "done with ST_OK" means durable. Units of one worker are
 * applied in the order of their submission.
 *
 * There is no read inside a unit that decides anything in C: a change is read, computed, then
 * written with a guard (UPDATE ... WHERE version = ?, which must change exactly one row). A guard
 * that does not hold rolls the unit back: ST_CONFLICT, and the caller starts anew.
 *
 * SQL is written in the common subset of SQLite 3.40 and PostgreSQL 15, parameters ?1 ?2 ...,
 * one `static const struct sql` for each statement in the module's own *_store.c. One function is
 * the drivers' own: sha256_hex(text). */
#ifndef MUSTER_STORE_STORE_H
#define MUSTER_STORE_STORE_H

#include "base/clock.h"
#include "base/slice.h"
#include "base/status.h"
#include "net/worker.h"

struct store;

/* A statement, by address: each connection prepares it once and keeps it. */
struct sql {
    const char *text;
};

enum sql_kind {
    SQL_NULL,
    SQL_INTEGER,
    SQL_TEXT,
    SQL_BLOB,
    SQL_BLOB_BORROWED, /* in a unit: not copied, the caller keeps it unchanged until on_done */
};
struct sql_value {
    enum sql_kind kind;
    int64_t integer;
    slice bytes;
};
#define SQL_INT_(v) ((struct sql_value){.kind = SQL_INTEGER, .integer = (int64_t)(v)})
#define SQL_TEXT_(v) ((struct sql_value){.kind = SQL_TEXT, .bytes = (v)})
#define SQL_BLOB_(v) ((struct sql_value){.kind = SQL_BLOB, .bytes = (v)})
#define SQL_BORROWED_(v) ((struct sql_value){.kind = SQL_BLOB_BORROWED, .bytes = (v)})
#define SQL_NULL_ ((struct sql_value){.kind = SQL_NULL})

/* --- schema --------------------------------------------------------------------------------- */

/* A module's tables, grown step by step, forward only. Steps are never edited once released. */
struct store_schema {
    const char *module;
    const char *const *steps; /* each may hold several statements */
    size_t count;
};

struct store_options {
    const char *directory; /* the data folder; the driver names its files inside */
    const struct store_schema *const *schemas;
    size_t schema_count;
    uint64_t free_min_bytes;   /* below this much free disk ordinary units are refused */
    unsigned free_min_percent; /* the same as a share of the file system */
};

/* Opens or creates, takes the process lock, migrates. Call before workers_start; every worker
 * gets a read connection. Fails with a sentence: newer schema, locked, not a database, ...
 * Before steps are added to a database that has some, it is copied to a file in the same folder,
 * "backup-before-<module>-<step>.db". */
CHECKED struct store *store_open(struct workers *ws, const struct store_options *options,
                                 struct fault *why);
/* Commits what is queued, then closes. The workers are stopped, or no unit is in flight. Units
 * whose on_done could not run any more are destroyed. */
void store_close(struct store *st);

/* --- copies ---------------------------------------------------------------------------------- */

/* Copies the whole database of a data folder, as it is at one moment, to a new file; also while a
 * server works on it, in another process: it reads only. The copy has all that was acknowledged
 * before the call. */
CHECKED bool store_snapshot(const char *directory, const char *to, struct fault *why);
/* Whether such a copy is whole and of a version that this program knows: of `options` the schemas
 * are read. */
CHECKED bool store_check(const char *file, const struct store_options *options, struct fault *why);

/* --- reading -------------------------------------------------------------------------------- */

struct rows; /* the answer to one read, valid inside the callback only */
/* Moves to the next row; false after the last. */
bool rows_next(struct rows *rows);
/* After rows_next gave false: ST_OK if that was the end, else the read broke off there. */
enum status rows_status(const struct rows *rows);
bool rows_is_null(const struct rows *rows, int column);
int64_t rows_int(const struct rows *rows, int column);
/* Text or blob, borrowed until the next rows_next. NULL columns give the empty slice. */
slice rows_bytes(const struct rows *rows, int column);

/* `status` is ST_OK, or ST_UNAVAILABLE / ST_INTERNAL and then `rows` has none. */
typedef void store_rows_fn(void *context, enum status status, struct rows *rows);
/* On a worker, from its own connection. Parameters are borrowed for the call. */
void store_read(struct store *st, const struct sql *sql, const struct sql_value *params,
                size_t count, store_rows_fn *on_rows, void *context);

/* The same on a thread that may wait and is no worker: start-up, pool jobs, tests. `on_rows` has
 * run when this returns what it was given. */
enum status store_read_now(struct store *st, const struct sql *sql, const struct sql_value *params,
                           size_t count, store_rows_fn *on_rows, void *context);
/* One number: the first column of the first row. *ret is left as it is when there is no row. */
CHECKED enum status store_read_int_now(struct store *st, const struct sql *sql,
                                       const struct sql_value *params, size_t count, int64_t *ret);

/* --- writing -------------------------------------------------------------------------------- */

enum unit_expect {
    EXPECT_ANY, /* any number of rows changed or returned */
    EXPECT_ONE, /* exactly one, else the unit is rolled back with ST_CONFLICT */
};

enum unit_urgency {
    UNIT_ORDINARY,
    UNIT_URGENT, /* block, revoke: may use the reserve when the disk is nearly full */
};

#define UNIT_MAX_BYTES (16 * 1024 * 1024) /* of one unit's copied parameters */

struct unit; /* one unit of work, owns copies of all its parameters */

/* ST_CONFLICT also stands for a violated UNIQUE or FOREIGN KEY constraint (which must not be
 * DEFERRED). ST_NO_SPACE, ST_UNAVAILABLE, ST_NO_MEMORY: nothing was written. ST_INTERNAL: the
 * statement is wrong, or the database damaged; nothing was written either.
 * An error of the disk at commit has no status: the process logs and aborts, because what a
 * failed fsync has left behind is known only after recovery. It is never retried in place.
 * The unit is destroyed when the callback returns. */
typedef void unit_done_fn(void *context, enum status status, struct unit *unit);

/* NULL when out of memory or the queue is full (ST_UNAVAILABLE then is the caller's answer). */
struct unit *unit_create(struct store *st);
void unit_destroy(struct unit *unit); /* one that was not submitted */
/* Adds a statement; parameters are copied (SQL_BLOB_BORROWED is not). Failures (memory, more
 * than UNIT_MAX_BYTES of parameters) stick: the unit then ends with ST_NO_MEMORY. */
void unit_add(struct unit *unit, const struct sql *sql, const struct sql_value *params,
              size_t count, enum unit_expect expect);
void unit_set_urgency(struct unit *unit, enum unit_urgency urgency);
/* Hands over. `on_done` runs on the submitting worker, once, after the commit or the roll-back;
 * never inside this call. NULL `on_done`: nobody waits, and any thread may submit. */
void unit_submit(struct unit *unit, unit_done_fn *on_done, void *context);
/* Submits and waits for the commit: for start-up, pool jobs and tests, never on a worker. The
 * outcome can be read from the unit afterwards; the caller destroys it. */
CHECKED enum status unit_run(struct unit *unit);
/* In `on_done` or after unit_run: what the first row of statement `index` (RETURNING) held; NULL
 * kind if none. */
struct sql_value unit_returned(const struct unit *unit, size_t index, int column);
/* Rows changed by statement `index`. */
int64_t unit_changes(const struct unit *unit, size_t index);

#define STORE_QUEUE_UNITS 10000
#define STORE_QUEUE_BYTES (64 * 1024 * 1024)

/* Whether the writer's queue has room: every unit counts from unit_create until its outcome is
 * known, its bytes from the submit on. While it has none, fronts stop reading: `hook` is posted
 * to this worker's inbox once it is half empty, at once if it is so already. */
bool store_has_room(const struct store *st);
void store_when_room(struct store *st, struct mail *hook);

/* Any thread. Whether ordinary units are being refused for lack of space. */
bool store_is_full(const struct store *st);

#endif
