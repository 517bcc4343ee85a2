#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "store/sqlite.h"

#define FIRST_SLOTS 64
#define BUSY_TIMEOUT_MS 5000

/* --- opening --------------------------------------------------------------------------------- */

struct switch_setting {
    int option, value;
};

static const struct switch_setting switches[] = {
    {SQLITE_DBCONFIG_DEFENSIVE, 1},
    {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
    {SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
    {SQLITE_DBCONFIG_ENABLE_FKEY, 1},
    {SQLITE_DBCONFIG_DQS_DML, 0},
    {SQLITE_DBCONFIG_DQS_DDL, 0},
};

/* The writer checkpoints by itself, after it has told the outcomes (sqlite_writer.c). */
static const char writer_settings[] = "PRAGMA journal_mode=WAL;"
                                      "PRAGMA synchronous=FULL;"
                                      "PRAGMA mmap_size=0;"
                                      "PRAGMA temp_store=MEMORY;"
                                      "PRAGMA cache_size=-16384;"
                                      "PRAGMA journal_size_limit=67108864;"
                                      "PRAGMA wal_autocheckpoint=0;";
static const char reader_settings[] = "PRAGMA mmap_size=0;"
                                      "PRAGMA temp_store=MEMORY;"
                                      "PRAGMA cache_size=-8192;"
                                      "PRAGMA query_only=ON;";

static const struct {
    int flags;
    const char *settings;
} roles[] = {
    [CONNECTION_WRITER] = {SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, writer_settings},
    [CONNECTION_READER] = {SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, reader_settings},
};

static int set_switches(sqlite3 *db, enum connection_role role)
{
    int code = SQLITE_OK;

    for (size_t i = 0; i < COUNT_OF(switches) && code == SQLITE_OK; i++)
        code = sqlite3_db_config(db, switches[i].option, switches[i].value, NULL);
    if (code == SQLITE_OK && role == CONNECTION_READER)
        code = sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    return code;
}

bool connection_open(struct connection *c, const char *path, enum connection_role role,
                     struct fault *why)
{
    int code;

    *c = (struct connection){0};
    code = sqlite3_open_v2(path, &c->db, roles[role].flags, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_busy_timeout(c->db, BUSY_TIMEOUT_MS);
    if (code == SQLITE_OK)
        code = set_switches(c->db, role);
    if (code == SQLITE_OK)
        code = connection_add_functions(c->db);
    if (code == SQLITE_OK)
        code = sqlite3_exec(c->db, roles[role].settings, NULL, NULL, NULL);
    if (code == SQLITE_OK)
        return true;
    fault_set(why, ST_UNAVAILABLE, "cannot open the database '%s': %s", path,
              c->db ? sqlite3_errmsg(c->db) : sqlite3_errstr(code));
    connection_close(c);
    return false;
}

void connection_close(struct connection *c)
{
    for (size_t i = 0; i < c->slot_count; i++)
        sqlite3_finalize(c->slots[i].stmt);
    free(c->slots);
    sqlite3_close(c->db);
    *c = (struct connection){0};
}

/* --- statements ------------------------------------------------------------------------------ */

/* Where `sql` is, or would be put. */
static struct cached_statement *find_slot(struct cached_statement *slots, size_t count,
                                          const struct sql *sql)
{
    size_t at = (size_t)(((uint64_t)(uintptr_t)sql * 0x9E3779B97F4A7C15u) >> 32) & (count - 1);

    while (slots[at].sql && slots[at].sql != sql)
        at = (at + 1) & (count - 1);
    return &slots[at];
}

/* Keeps at least half of the slots empty. */
static bool grow(struct connection *c)
{
    size_t count = c->slot_count ? c->slot_count * 2 : FIRST_SLOTS;
    struct cached_statement *slots;

    if ((c->used + 1) * 2 <= c->slot_count)
        return true;
    slots = calloc(count, sizeof *slots);
    if (!slots)
        return false;
    for (size_t i = 0; i < c->slot_count; i++) {
        if (c->slots[i].sql)
            *find_slot(slots, count, c->slots[i].sql) = c->slots[i];
    }
    free(c->slots);
    c->slots = slots;
    c->slot_count = count;
    return true;
}

static int prepare(struct connection *c, const struct sql *sql, unsigned flags, sqlite3_stmt **ret)
{
    return sqlite3_prepare_v3(c->db, sql->text, -1, flags, ret, NULL);
}

int connection_take(struct connection *c, const struct sql *sql, sqlite3_stmt **ret)
{
    struct cached_statement *slot;
    int code;

    if (!grow(c))
        return SQLITE_NOMEM;
    slot = find_slot(c->slots, c->slot_count, sql);
    /* In use by a read whose callback reads the same again: a copy for this once. */
    if (slot->taken)
        return prepare(c, sql, 0, ret);
    if (!slot->sql) {
        code = prepare(c, sql, SQLITE_PREPARE_PERSISTENT, &slot->stmt);
        if (code != SQLITE_OK)
            return code;
        slot->sql = sql;
        c->used++;
    }
    slot->taken = true;
    *ret = slot->stmt;
    return SQLITE_OK;
}

void connection_give(struct connection *c, const struct sql *sql, sqlite3_stmt *stmt)
{
    struct cached_statement *slot = find_slot(c->slots, c->slot_count, sql);

    if (slot->stmt != stmt) {
        sqlite3_finalize(stmt);
        return;
    }
    sqlite3_reset(stmt);
    slot->taken = false;
}

/* SQLite takes a NULL pointer for NULL, but our empty slice is an empty text or blob. */
static const void *pointer_of(slice bytes)
{
    return bytes.len ? (const void *)bytes.ptr : "";
}

static int bind_value(sqlite3_stmt *stmt, int at, const struct sql_value *value)
{
    switch (value->kind) {
    case SQL_INTEGER:
        return sqlite3_bind_int64(stmt, at, value->integer);
    case SQL_TEXT:
        return sqlite3_bind_text64(stmt, at, pointer_of(value->bytes), value->bytes.len,
                                   SQLITE_STATIC, SQLITE_UTF8);
    case SQL_BLOB:
    case SQL_BLOB_BORROWED:
        return sqlite3_bind_blob64(stmt, at, pointer_of(value->bytes), value->bytes.len,
                                   SQLITE_STATIC);
    case SQL_NULL:
        break;
    }
    return sqlite3_bind_null(stmt, at);
}

int connection_bind(sqlite3_stmt *stmt, const struct sql_value *params, size_t count)
{
    int code = SQLITE_OK;

    assert(count == (size_t)sqlite3_bind_parameter_count(stmt));
    for (size_t i = 0; i < count && code == SQLITE_OK; i++)
        code = bind_value(stmt, (int)i + 1, &params[i]);
    return code;
}

int connection_run(struct connection *c, const struct sql *sql)
{
    sqlite3_stmt *stmt;
    int code = connection_take(c, sql, &stmt);

    if (code != SQLITE_OK)
        return code;
    while ((code = sqlite3_step(stmt)) == SQLITE_ROW)
        ;
    connection_give(c, sql, stmt);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

int64_t connection_number(struct connection *c, const struct sql *sql)
{
    sqlite3_stmt *stmt;
    int64_t number = 0;

    if (connection_take(c, sql, &stmt) != SQLITE_OK)
        return 0;
    if (sqlite3_step(stmt) == SQLITE_ROW)
        number = sqlite3_column_int64(stmt, 0);
    connection_give(c, sql, stmt);
    return number;
}

bool connection_is_full(const struct connection *c, int code)
{
    int cause;

    if (code == SQLITE_FULL)
        return true;
    if ((code & 0xff) != SQLITE_IOERR)
        return false;
    code = sqlite3_extended_errcode(c->db);
    cause = sqlite3_system_errno(c->db);
    if (code == SQLITE_IOERR_FSYNC || code == SQLITE_IOERR_DIR_FSYNC)
        return false; /* what was written before may be gone */
    return code == SQLITE_IOERR_SHMSIZE || cause == ENOSPC || cause == EDQUOT;
}
