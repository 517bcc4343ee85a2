/* Units in one transaction: what the writer's thread does with the batch it has taken.
 *
 * A unit of one statement needs no savepoint: what fails in it has changed nothing. The exception,
 * a guard that met several rows, is so rare that the whole batch is then run again with savepoints
 * around every unit. */
#include <stdatomic.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "store/sqlite.h"

static const struct sql begin_sql = {"BEGIN IMMEDIATE"};
static const struct sql commit_sql = {"COMMIT"};
static const struct sql rollback_sql = {"ROLLBACK"};
static const struct sql savepoint_sql = {"SAVEPOINT unit"};
static const struct sql savepoint_undo_sql = {"ROLLBACK TO unit"};
static const struct sql savepoint_end_sql = {"RELEASE unit"};

void write_side_failed(struct write_side *w, int code)
{
    LOG_ERROR("store_write_failed", LOG_INT("code", sqlite3_extended_errcode(w->connection.db)),
              LOG_STR("cause", sqlite3_errmsg(w->connection.db)));
    if ((code & 0xff) == SQLITE_IOERR)
        abort(); /* what the disk holds now is known only after recovery: see store.h */
}

/* --- one unit -------------------------------------------------------------------------------- */

/* What became of an attempt to run a batch, or a part of it. */
enum attempt {
    ATTEMPT_OK,
    ATTEMPT_NO_SPACE,         /* nothing is written, the disk is full */
    ATTEMPT_FAILED,           /* nothing is written */
    ATTEMPT_NEEDS_SAVEPOINTS, /* a unit without one cannot be undone alone */
};

/* For result codes that are not one unit's own business. */
static enum attempt attempt_of(struct write_side *w, int code)
{
    if (code == SQLITE_OK)
        return ATTEMPT_OK;
    if (connection_is_full(&w->connection, code))
        return ATTEMPT_NO_SPACE;
    write_side_failed(w, code);
    return ATTEMPT_FAILED;
}

/* Whether a result code concerns the unit alone, and how it then ends. */
static bool is_of_unit(struct write_side *w, int code, enum status *ret)
{
    switch (code & 0xff) {
    case SQLITE_DONE:
        *ret = ST_OK;
        return true;
    case SQLITE_TOOBIG:
        *ret = ST_TOO_LARGE;
        return true;
    case SQLITE_ERROR:
    case SQLITE_MISMATCH:
    case SQLITE_RANGE:
        *ret = ST_INTERNAL;
        return true;
    case SQLITE_CONSTRAINT:
        break;
    default:
        return false;
    }
    switch (sqlite3_extended_errcode(w->connection.db)) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_ROWID:
    case SQLITE_CONSTRAINT_FOREIGNKEY:
        *ret = ST_CONFLICT;
        return true;
    default:
        *ret = ST_INTERNAL;
        return true;
    }
}

static struct sql_value copy_column(struct unit *unit, sqlite3_stmt *stmt, int column)
{
    slice bytes;

    switch (sqlite3_column_type(stmt, column)) {
    case SQLITE_NULL:
        return SQL_NULL_;
    case SQLITE_INTEGER:
        return SQL_INT_(sqlite3_column_int64(stmt, column));
    default:
        bytes.ptr = sqlite3_column_blob(stmt, column);
        bytes.len = (size_t)sqlite3_column_bytes(stmt, column);
        bytes = arena_copy(&unit->arena, bytes);
        return sqlite3_column_type(stmt, column) == SQLITE_BLOB ? SQL_BLOB_(bytes)
                                                                : SQL_TEXT_(bytes);
    }
}

/* Keeps the first row that a statement returned; false when there is no memory for it. */
static bool keep_row(struct unit *unit, struct statement *s, sqlite3_stmt *stmt)
{
    int count = sqlite3_column_count(stmt);
    struct sql_value *row = arena_alloc_array(&unit->arena, (size_t)count, sizeof *row);

    for (int i = 0; row && i < count; i++)
        row[i] = copy_column(unit, stmt, i);
    s->returned = row;
    s->returned_count = row ? count : 0;
    return !unit->arena.failed;
}

/* Steps to the end. With RETURNING, all changes are made before the first row comes. */
static int step_through(struct write_side *w, struct unit *unit, struct statement *s,
                        sqlite3_stmt *stmt)
{
    int code;

    s->changes = 0;
    while ((code = sqlite3_step(stmt)) == SQLITE_ROW) {
        if (s->changes++ == 0 && !keep_row(unit, s, stmt))
            return SQLITE_NOMEM;
    }
    if (code == SQLITE_DONE && sqlite3_column_count(stmt) == 0)
        s->changes = sqlite3_changes64(w->connection.db);
    return code;
}

static int run_statement(struct write_side *w, struct unit *unit, struct statement *s)
{
    sqlite3_stmt *stmt;
    int code = connection_take(&w->connection, s->sql, &stmt);

    if (code != SQLITE_OK)
        return code;
    code = connection_bind(stmt, s->params, s->param_count);
    if (code == SQLITE_OK)
        code = step_through(w, unit, s, stmt);
    connection_give(&w->connection, s->sql, stmt);
    return code;
}

static void note_failure(struct write_side *w, struct unit *unit, const struct statement *s)
{
    if (unit->status != ST_INTERNAL)
        return;
    LOG_LIMITED(LOG_LEVEL_ERROR, "store_statement_failed",
                LOG_INT("code", sqlite3_extended_errcode(w->connection.db)),
                LOG_STR("cause", sqlite3_errmsg(w->connection.db)), LOG_STR("sql", s->sql->text));
}

/* Up to the first statement that fails or whose guard does not hold. */
static enum attempt run_statements(struct write_side *w, struct unit *unit,
                                   struct statement **ret_last)
{
    for (struct statement *s = unit->first; s && unit->status == ST_OK; s = s->next) {
        int code = run_statement(w, unit, s);

        *ret_last = s;
        if (!is_of_unit(w, code, &unit->status))
            return attempt_of(w, code);
        note_failure(w, unit, s);
        if (unit->status == ST_OK && s->expect == EXPECT_ONE && s->changes != 1)
            unit->status = ST_CONFLICT;
    }
    return ATTEMPT_OK;
}

static enum attempt run_with_savepoint(struct write_side *w, struct unit *unit)
{
    struct statement *last = NULL;
    int code = connection_run(&w->connection, &savepoint_sql);
    enum attempt attempt;

    if (code != SQLITE_OK)
        return attempt_of(w, code);
    attempt = run_statements(w, unit, &last);
    if (attempt != ATTEMPT_OK)
        return attempt;
    if (unit->status != ST_OK)
        code = connection_run(&w->connection, &savepoint_undo_sql);
    if (code == SQLITE_OK)
        code = connection_run(&w->connection, &savepoint_end_sql);
    return attempt_of(w, code);
}

static enum attempt run_alone(struct write_side *w, struct unit *unit)
{
    struct statement *last = NULL;
    enum attempt attempt = run_statements(w, unit, &last);

    if (attempt == ATTEMPT_OK && unit->status == ST_CONFLICT && last->changes > 1)
        return ATTEMPT_NEEDS_SAVEPOINTS;
    return attempt;
}

/* --- one batch ------------------------------------------------------------------------------- */

static enum attempt run_units(struct write_side *w, const struct batch *b, bool with_savepoints)
{
    enum attempt attempt = ATTEMPT_OK;

    for (struct unit *u = b->units.first; u && attempt == ATTEMPT_OK; u = u->next) {
        if (u->refused)
            continue;
        u->status = ST_OK;
        attempt =
            with_savepoints || u->statement_count > 1 ? run_with_savepoint(w, u) : run_alone(w, u);
    }
    return attempt;
}

/* All or nothing: what is not committed is rolled back, by us if SQLite has not already. */
static enum attempt run_transaction(struct write_side *w, const struct batch *b,
                                    bool with_savepoints)
{
    enum attempt attempt = attempt_of(w, connection_run(&w->connection, &begin_sql));

    if (attempt == ATTEMPT_OK)
        attempt = run_units(w, b, with_savepoints);
    if (attempt == ATTEMPT_OK)
        attempt = attempt_of(w, connection_run(&w->connection, &commit_sql));
    if (!sqlite3_get_autocommit(w->connection.db))
        (void)connection_run(&w->connection, &rollback_sql);
    if (attempt == ATTEMPT_NEEDS_SAVEPOINTS)
        return run_transaction(w, b, true);
    return attempt;
}

enum refusal { REFUSE_ORDINARY, REFUSE_ALL };

/* Gives units that are not to run (again) their final status; whether any are left. */
static bool refuse(struct batch *b, enum refusal refusal, enum status status)
{
    bool any_left = false;

    for (struct unit *u = b->units.first; u; u = u->next) {
        if (!u->refused && (refusal == REFUSE_ALL || u->urgency == UNIT_ORDINARY)) {
            u->refused = true;
            u->status = status;
        }
        any_left = any_left || !u->refused;
    }
    return any_left;
}

/* The disk is full: the urgent units alone, from the blocks of the reserve. */
static enum attempt run_urgent(struct write_side *w, struct batch *b)
{
    if (!refuse(b, REFUSE_ORDINARY, ST_NO_SPACE))
        return ATTEMPT_OK;
    if (!space_give_reserve(&w->space))
        return ATTEMPT_NO_SPACE;
    return run_transaction(w, b, false);
}

static void count_outcomes(const struct batch *b, int64_t began_us)
{
    int64_t committed = 0, conflicts = 0;

    for (const struct unit *u = b->units.first; u; u = u->next) {
        committed += u->status == ST_OK;
        conflicts += u->status == ST_CONFLICT;
    }
    metric_add(METRIC_STORE_UNITS, committed);
    metric_add(METRIC_STORE_CONFLICTS, conflicts);
    metric_observe(METRIC_COMMIT_UNITS, b->count);
    metric_observe(METRIC_COMMIT_US, (uint64_t)(clock_mono_us() - began_us));
}

void batch_run(struct write_side *w, struct batch *b)
{
    int64_t began_us = clock_mono_us();
    enum attempt attempt = ATTEMPT_OK;
    bool any_left = true;

    if (atomic_load(&w->space.is_low))
        any_left = refuse(b, REFUSE_ORDINARY, ST_NO_SPACE);
    if (any_left)
        attempt = run_transaction(w, b, false);
    if (attempt == ATTEMPT_NO_SPACE) {
        w->space.checked_at_ms = 0; /* it went faster than the looks at it: look again now */
        attempt = run_urgent(w, b);
    }
    if (attempt != ATTEMPT_OK)
        refuse(b, REFUSE_ALL, attempt == ATTEMPT_NO_SPACE ? ST_NO_SPACE : ST_UNAVAILABLE);
    count_outcomes(b, began_us);
}
