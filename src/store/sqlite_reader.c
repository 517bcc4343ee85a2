#include "base/log.h"
#include "store/sqlite.h"

struct sqlite_rows {
    struct rows rows;
    sqlite3_stmt *stmt;
    int code; /* of the last step */
    bool first_is_pending;
};

static enum status status_of(int code)
{
    switch (code & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return ST_OK;
    case SQLITE_NOMEM:
        return ST_NO_MEMORY;
    case SQLITE_BUSY:
    case SQLITE_CANTOPEN:
    case SQLITE_IOERR:
        return ST_UNAVAILABLE;
    default:
        return ST_INTERNAL;
    }
}

static void log_failure(struct connection *c, const struct sql *sql, int code)
{
    LOG_LIMITED(LOG_LEVEL_ERROR, "store_read_failed", LOG_INT("code", code),
                LOG_STR("cause", sqlite3_errmsg(c->db)), LOG_STR("sql", sql->text));
}

/* Takes the first step before the callback, so that most failures come as its status. */
static int start(struct connection *c, const struct sql *sql, const struct sql_value *params,
                 size_t count, sqlite3_stmt **ret)
{
    int code = connection_take(c, sql, ret);

    if (code == SQLITE_OK)
        code = connection_bind(*ret, params, count);
    if (code == SQLITE_OK)
        code = sqlite3_step(*ret);
    return code;
}

void reader_run(struct connection *c, const struct sql *sql, const struct sql_value *params,
                size_t count, store_rows_fn *on_rows, void *context)
{
    struct sqlite_rows rows = {.rows.driver = &sqlite_driver, .first_is_pending = true};

    rows.code = start(c, sql, params, count, &rows.stmt);
    on_rows(context, status_of(rows.code), &rows.rows);
    if (status_of(rows.code) != ST_OK)
        log_failure(c, sql, rows.code);
    if (rows.stmt)
        connection_give(c, sql, rows.stmt);
}

bool sqlite_rows_next(struct rows *rows)
{
    struct sqlite_rows *r = (struct sqlite_rows *)rows;

    if (r->first_is_pending)
        r->first_is_pending = false;
    else if (r->code == SQLITE_ROW)
        r->code = sqlite3_step(r->stmt);
    return r->code == SQLITE_ROW;
}

enum status sqlite_rows_status(const struct rows *rows)
{
    return status_of(((const struct sqlite_rows *)rows)->code);
}

static sqlite3_stmt *statement_of(const struct rows *rows)
{
    return ((const struct sqlite_rows *)rows)->stmt;
}

bool sqlite_rows_is_null(const struct rows *rows, int column)
{
    return sqlite3_column_type(statement_of(rows), column) == SQLITE_NULL;
}

int64_t sqlite_rows_int(const struct rows *rows, int column)
{
    return sqlite3_column_int64(statement_of(rows), column);
}

slice sqlite_rows_bytes(const struct rows *rows, int column)
{
    const void *bytes = sqlite3_column_blob(statement_of(rows), column);

    return slice_of(bytes, (size_t)sqlite3_column_bytes(statement_of(rows), column));
}
