/* Schema steps, forward only, and the backup before they touch a database that holds something.
 * Runs at start, on the only connection there is. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "store/sqlite.h"

static const char create_sql[] = "CREATE TABLE IF NOT EXISTS schema_step ("
                                 "module TEXT NOT NULL, step INTEGER NOT NULL,"
                                 "applied_at INTEGER NOT NULL, PRIMARY KEY (module, step))";
static const char applied_sql[] = "SELECT module, MAX(step) FROM schema_step GROUP BY module";
static const char note_sql[] = "INSERT INTO schema_step (module, step, applied_at)"
                               " VALUES (?1, ?2, ?3)";

static bool fail(sqlite3 *db, const char *what, struct fault *why)
{
    fault_set(why, ST_INTERNAL, "cannot %s: %s", what, sqlite3_errmsg(db));
    return false;
}

static void finalize(sqlite3_stmt **stmt)
{
    sqlite3_finalize(*stmt);
}
#define STATEMENT_CLEANUP __attribute__((cleanup(finalize)))

/* --- where the database is ------------------------------------------------------------------- */

static bool find_schema(const struct store_options *options, slice module, size_t *ret)
{
    for (size_t i = 0; i < options->schema_count; i++) {
        if (slice_equal(slice_str(options->schemas[i]->module), module)) {
            *ret = i;
            return true;
        }
    }
    return false;
}

/* One row of schema_step's summary into `applied`, unless it is from a newer program. */
static bool note_applied(const struct store_options *options, sqlite3_stmt *row, size_t *applied,
                         struct fault *why)
{
    const char *module = (const char *)sqlite3_column_text(row, 0);
    int64_t step = sqlite3_column_int64(row, 1);
    size_t at;

    if (!find_schema(options, slice_str(module), &at)) {
        fault_set(why, ST_REFUSED,
                  "the database was made by a newer version of this program: "
                  "it has tables of '%s', which this version does not know",
                  module ? module : "");
        return false;
    }
    if (step < 0 || (uint64_t)step > options->schemas[at]->count) {
        fault_set(why, ST_REFUSED,
                  "the database was made by a newer version of this program: "
                  "'%s' is at step %lld, this version knows %zu",
                  module, (long long)step, options->schemas[at]->count);
        return false;
    }
    applied[at] = (size_t)step;
    return true;
}

/* How many steps of each schema are in the database. */
static bool read_applied(sqlite3 *db, const struct store_options *options, size_t *applied,
                         bool *ret_any, struct fault *why)
{
    STATEMENT_CLEANUP sqlite3_stmt *stmt = NULL;
    int code;

    if (sqlite3_prepare_v2(db, applied_sql, -1, &stmt, NULL) != SQLITE_OK)
        return fail(db, "read the schema's steps", why);
    *ret_any = false;
    while ((code = sqlite3_step(stmt)) == SQLITE_ROW) {
        *ret_any = true;
        if (!note_applied(options, stmt, applied, why))
            return false;
    }
    return code == SQLITE_DONE || fail(db, "read the schema's steps", why);
}

/* --- the backup ------------------------------------------------------------------------------ */

static void free_string(char **text)
{
    free(*text);
}
#define STRING_CLEANUP __attribute__((cleanup(free_string)))

/* Under another name until it is whole: a file of the final name is always a good one. */
static bool back_up(sqlite3 *db, const struct store_options *options, const char *module,
                    size_t step, struct fault *why)
{
    STRING_CLEANUP char *path = NULL, *part = NULL;

    if (asprintf(&path, "%s/backup-before-%s-%zu.db", options->directory, module, step) < 0 ||
        asprintf(&part, "%s.part", path) < 0) {
        fault_set(why, ST_NO_MEMORY, "no memory for the backup's name");
        return false;
    }
    if (!snapshot_write(db, part, why))
        return false;
    if (rename(part, path) != 0) {
        fault_set(why, ST_UNAVAILABLE, "cannot name the backup '%s'", path);
        return false;
    }
    snapshot_sync(options->directory);
    LOG_INFO("store_backup_made", LOG_STR("path", path));
    return true;
}

/* --- the steps ------------------------------------------------------------------------------- */

static bool note_step(sqlite3 *db, const char *module, size_t step)
{
    STATEMENT_CLEANUP sqlite3_stmt *stmt = NULL;

    return sqlite3_prepare_v2(db, note_sql, -1, &stmt, NULL) == SQLITE_OK &&
           sqlite3_bind_text(stmt, 1, module, -1, SQLITE_STATIC) == SQLITE_OK &&
           sqlite3_bind_int64(stmt, 2, (int64_t)step) == SQLITE_OK &&
           sqlite3_bind_int64(stmt, 3, clock_wall_ms()) == SQLITE_OK &&
           sqlite3_step(stmt) == SQLITE_DONE;
}

static bool run_step(sqlite3 *db, const struct store_schema *schema, size_t step)
{
    return sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK &&
           sqlite3_exec(db, schema->steps[step - 1], NULL, NULL, NULL) == SQLITE_OK &&
           note_step(db, schema->module, step) &&
           sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK;
}

/* Steps count from 1; `applied` of them are done. */
static bool run_steps(sqlite3 *db, const struct store_schema *schema, size_t applied, bool is_new,
                      struct fault *why)
{
    for (size_t step = applied + 1; step <= schema->count; step++) {
        if (run_step(db, schema, step)) {
            if (!is_new)
                LOG_INFO("store_migrated", LOG_STR("module", schema->module),
                         LOG_INT("step", step));
            continue;
        }
        fault_set(why, ST_INTERNAL, "migration of '%s' to step %zu failed: %s", schema->module,
                  step, sqlite3_errmsg(db));
        (void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
        return false;
    }
    return true;
}

/* The first step that is to be run, if any. */
static const struct store_schema *first_pending(const struct store_options *options,
                                                const size_t *applied, size_t *ret_step)
{
    for (size_t i = 0; i < options->schema_count; i++) {
        if (applied[i] < options->schemas[i]->count) {
            *ret_step = applied[i] + 1;
            return options->schemas[i];
        }
    }
    return NULL;
}

static bool migrate(sqlite3 *db, const struct store_options *options, size_t *applied,
                    struct fault *why)
{
    const struct store_schema *pending;
    size_t step;
    bool holds_something;

    if (sqlite3_exec(db, create_sql, NULL, NULL, NULL) != SQLITE_OK)
        return fail(db, "create the table of the schema's steps", why);
    if (!read_applied(db, options, applied, &holds_something, why))
        return false;
    pending = first_pending(options, applied, &step);
    if (pending && holds_something && !back_up(db, options, pending->module, step, why))
        return false;
    for (size_t i = 0; i < options->schema_count; i++) {
        if (!run_steps(db, options->schemas[i], applied[i], !holds_something, why))
            return false;
    }
    if (pending && !holds_something)
        LOG_INFO("store_made", LOG_INT("modules", options->schema_count));
    return true;
}

bool sqlite_check_steps(sqlite3 *db, const struct store_options *options, struct fault *why)
{
    size_t *applied = calloc(options->schema_count + 1, sizeof *applied);
    bool known, any;

    if (!applied) {
        fault_set(why, ST_NO_MEMORY, "no memory for the schema's steps");
        return false;
    }
    known = read_applied(db, options, applied, &any, why);
    free(applied);
    return known;
}

bool sqlite_migrate(sqlite3 *db, const struct store_options *options, struct fault *why)
{
    size_t *applied = calloc(options->schema_count + 1, sizeof *applied);
    bool done;

    if (!applied) {
        fault_set(why, ST_NO_MEMORY, "no memory for the migration");
        return false;
    }
    done = migrate(db, options, applied, why);
    free(applied);
    return done;
}
