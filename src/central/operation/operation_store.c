#include "central/operation/operation_store.h"

#include <stdlib.h>

#include "codec/json.h"
#include "crypto/seal.h"

#define DAY_MS (INT64_C(24) * 3600 * 1000)
#define REPORTS_BYTES_KEPT (INT64_C(1) << 30) /* of all finished ones together */
#define COUNTS_MAX_BYTES 4096

const char operation_tables[] =
    "CREATE TABLE operation ("
    " id TEXT NOT NULL PRIMARY KEY,"
    " kind TEXT NOT NULL,"
    " state INTEGER NOT NULL,"
    " actor TEXT NOT NULL,"
    " parameters TEXT NOT NULL,"
    " counts TEXT NOT NULL,"
    " message TEXT NOT NULL,"
    " is_cancelling INTEGER NOT NULL,"
    " total BIGINT NOT NULL," /* -1: not known */
    " processed BIGINT NOT NULL,"
    " failed BIGINT NOT NULL,"
    " log_bytes BIGINT NOT NULL,"
    " rejected_bytes BIGINT NOT NULL,"
    " created_at BIGINT NOT NULL,"
    " started_at BIGINT NOT NULL,"
    " updated_at BIGINT NOT NULL,"
    " finished_at BIGINT NOT NULL,"
    " version BIGINT NOT NULL,"
    " cursor TEXT NOT NULL,"
    " items TEXT NOT NULL);" /* what it is about, one a line */
    "CREATE INDEX operation_live ON operation (id) WHERE finished_at = 0;"
    "CREATE TABLE operation_report ("
    " operation_id TEXT NOT NULL,"
    " kind INTEGER NOT NULL,"
    " number BIGINT NOT NULL,"
    " content BLOB NOT NULL," /* rejected rows may hold keys: sealed */
    " PRIMARY KEY (operation_id, kind, number));";

#define COLUMNS                                                                                    \
    "id, kind, state, actor, parameters, counts, message, is_cancelling, total, processed,"        \
    " failed, log_bytes, rejected_bytes, created_at, started_at, updated_at, finished_at"

/* In the order of COLUMNS; what a run needs beyond them follows. */
enum column {
    ID,
    KIND,
    STATE,
    ACTOR,
    PARAMETERS,
    COUNTS,
    MESSAGE,
    IS_CANCELLING,
    TOTAL,
    PROCESSED,
    FAILED,
    LOG_BYTES,
    REJECTED_BYTES,
    CREATED_AT,
    STARTED_AT,
    UPDATED_AT,
    FINISHED_AT,
    VERSION,
    CURSOR,
    ITEMS
};

/* --- rows ------------------------------------------------------------------------------------- */

static enum operation_kind kind_of(slice name)
{
    for (int k = 0; k < OPERATION_KIND_COUNT; k++) {
        if (slice_equal(name, slice_str(operation_kind_name((enum operation_kind)k))))
            return (enum operation_kind)k;
    }
    return OPERATION_KIND_COUNT;
}

void operation_from_row(const struct rows *rows, struct operation *ret)
{
    *ret = (struct operation){
        .id = rows_bytes(rows, ID),
        .kind = kind_of(rows_bytes(rows, KIND)),
        .state = (enum operation_state)rows_int(rows, STATE),
        .actor = rows_bytes(rows, ACTOR),
        .parameters = rows_bytes(rows, PARAMETERS),
        .counts = rows_bytes(rows, COUNTS),
        .message = rows_bytes(rows, MESSAGE),
        .is_cancelling = rows_int(rows, IS_CANCELLING) != 0,
        .total = rows_int(rows, TOTAL),
        .processed = rows_int(rows, PROCESSED),
        .failed = rows_int(rows, FAILED),
        .log_bytes = rows_int(rows, LOG_BYTES),
        .rejected_bytes = rows_int(rows, REJECTED_BYTES),
        .created_at = rows_int(rows, CREATED_AT),
        .started_at = rows_int(rows, STARTED_AT),
        .updated_at = rows_int(rows, UPDATED_AT),
        .finished_at = rows_int(rows, FINISHED_AT),
    };
}

void operation_read_one(struct store *st, slice id, store_rows_fn *on_rows, void *context)
{
    static const struct sql sql = {"SELECT " COLUMNS " FROM operation WHERE id = ?1"};
    const struct sql_value value = SQL_TEXT_(id);

    store_read(st, &sql, &value, 1, on_rows, context);
}

void operation_read_list(struct store *st, slice before, unsigned limit, store_rows_fn *on_rows,
                         void *context)
{
    static const struct sql sql = {"SELECT " COLUMNS " FROM operation WHERE ?1 = '' OR id < ?1"
                                   " ORDER BY id DESC LIMIT ?2"};
    const struct sql_value values[] = {SQL_TEXT_(before.len ? before : SLICE("")), SQL_INT_(limit)};

    store_read(st, &sql, values, COUNT_OF(values), on_rows, context);
}

void operation_read_import(struct store *st, store_rows_fn *on_rows, void *context)
{
    static const struct sql sql = {
        "SELECT id FROM operation WHERE finished_at = 0 AND kind = 'import' LIMIT 1"};

    store_read(st, &sql, NULL, 0, on_rows, context);
}

void operation_read_part(struct store *st, slice id, enum operation_report report, int64_t after,
                         store_rows_fn *on_rows, void *context)
{
    static const struct sql sql = {
        "SELECT number, content FROM operation_report WHERE operation_id = ?1 AND kind = ?2"
        " AND number > ?3 ORDER BY number LIMIT 1"};
    const struct sql_value values[] = {SQL_TEXT_(id), SQL_INT_(report), SQL_INT_(after)};

    store_read(st, &sql, values, COUNT_OF(values), on_rows, context);
}

/* --- what is not finished --------------------------------------------------------------------- */

static void read_counts(const struct operation_type *type, slice text, int64_t *counts)
{
    struct arena ARENA_CLEANUP arena = {.max = 65536};
    struct json *root;

    if (json_parse(text, JSON_LAST_WINS, &arena, &root, NULL) != ST_OK)
        return;
    for (size_t i = 0; i < type->count_count; i++)
        json_get_int(root, slice_str(type->count_names[i]), &counts[i]);
}

static struct operation_run *run_from_row(struct operations *ops, const struct rows *rows)
{
    struct operation o;
    struct operation_run *r;
    slice cursor = rows_bytes(rows, CURSOR);

    operation_from_row(rows, &o);
    r = operation_run_create(ops, o.kind, o.id, o.actor, o.parameters, rows_bytes(rows, ITEMS));
    if (!r)
        return NULL;
    r->is_started = o.state == OPERATION_RUNNING;
    r->is_cancelled = o.is_cancelling;
    r->progress = (struct operation_progress){
        .version = rows_int(rows, VERSION),
        .total = o.total,
        .processed = o.processed,
        .failed = o.failed,
        .log_bytes = o.log_bytes,
        .rejected_bytes = o.rejected_bytes,
        .cursor_len = cursor.len < DEVICE_ID_MAX ? cursor.len : DEVICE_ID_MAX,
    };
    if (r->progress.cursor_len > 0)
        memcpy(r->progress.cursor, cursor.ptr, r->progress.cursor_len);
    read_counts(r->type, o.counts, r->progress.counts);
    return r;
}

struct loading {
    struct operations *ops;
    struct operation_run *first, **end;
    enum status status;
};

static void on_live(void *context, enum status status, struct rows *rows)
{
    struct loading *loading = context;

    while (status == ST_OK && rows_next(rows)) {
        struct operation o;

        operation_from_row(rows, &o);
        if (o.kind == OPERATION_KIND_COUNT)
            continue; /* of a newer version */
        *loading->end = run_from_row(loading->ops, rows);
        if (*loading->end)
            loading->end = &(*loading->end)->next;
        else
            status = ST_NO_MEMORY;
    }
    loading->status = status == ST_OK ? rows_status(rows) : status;
}

enum status operation_load_live_now(struct operations *ops, struct operation_run **ret)
{
    static const struct sql sql = {"SELECT " COLUMNS ", version, cursor, items FROM operation"
                                   " WHERE finished_at = 0 ORDER BY id"};
    struct loading loading = {.ops = ops};

    loading.end = &loading.first;
    (void)store_read_now(ops->c->st, &sql, NULL, 0, on_live, &loading);
    *ret = loading.first;
    return loading.status;
}

/* --- beginning -------------------------------------------------------------------------------- */

void operation_unit_insert(struct unit *unit, const struct operation_run *r, instant now)
{
    static const struct sql sql = {
        "INSERT INTO operation (id, kind, state, actor, parameters, counts, message,"
        " is_cancelling, total, processed, failed, log_bytes, rejected_bytes, created_at,"
        " started_at, updated_at, finished_at, version, cursor, items)"
        " SELECT ?1, ?2, 0, ?3, ?4, '{}', '', 0, -1, 0, 0, 0, 0, ?5, 0, ?5, 0, 1, '', ?6"
        " WHERE (SELECT COUNT(*) FROM operation WHERE finished_at = 0) < ?7"
        " AND (?2 <> 'import' OR NOT EXISTS (SELECT 1 FROM operation WHERE finished_at = 0"
        " AND kind = 'import'))"};
    const struct sql_value values[] = {SQL_TEXT_(r->id),
                                       SQL_TEXT_(slice_str(operation_kind_name(r->kind))),
                                       SQL_TEXT_(r->actor),
                                       SQL_TEXT_(r->parameters),
                                       SQL_INT_(now),
                                       SQL_TEXT_(r->items.len ? r->items : SLICE("")),
                                       SQL_INT_(OPERATIONS_LIVE_MAX)};

    unit_add(unit, &sql, values, COUNT_OF(values), EXPECT_ONE);
}

void operation_unit_start(struct unit *unit, const struct operation_run *r, instant now)
{
    static const struct sql sql = {"UPDATE operation SET state = ?3, started_at = ?4,"
                                   " updated_at = ?4, version = version + 1"
                                   " WHERE id = ?1 AND version = ?2"};
    const struct sql_value values[] = {SQL_TEXT_(r->id), SQL_INT_(r->progress.version),
                                       SQL_INT_(OPERATION_RUNNING), SQL_INT_(now)};

    unit_add(unit, &sql, values, COUNT_OF(values), EXPECT_ONE);
}

/* --- going on --------------------------------------------------------------------------------- */

void operation_write_counts(const struct operation_type *type, const int64_t *counts,
                            struct buf *to)
{
    struct json_writer w = {.to = to};

    json_open(&w, (slice){0}, '{');
    for (size_t i = 0; i < type->count_count; i++) {
        if (counts[i] != 0 || i < type->shown_counts)
            json_put_int(&w, slice_str(type->count_names[i]), counts[i]);
    }
    json_close(&w, '}');
}

static struct seal_place place_of(slice id, int64_t number, struct buf *row)
{
    buf_append(row, id);
    buf_append_byte(row, '/');
    buf_append_u64(row, (uint64_t)number);
    return (struct seal_place){"operation_report", "content", buf_slice(row)};
}

static void add_part(struct unit *unit, const struct operation_run *r, enum operation_report report,
                     slice text)
{
    static const struct sql sql = {"INSERT INTO operation_report (operation_id, kind, number,"
                                   " content) VALUES (?1, ?2, ?3, ?4)"};
    const struct sql_value values[] = {SQL_TEXT_(r->id), SQL_INT_(report),
                                       SQL_INT_(r->progress.version), SQL_BLOB_(text)};

    unit_add(unit, &sql, values, COUNT_OF(values), EXPECT_ONE);
}

static void add_sealed_part(struct unit *unit, const struct operation_run *r, slice text)
{
    BUF_CLEANUP struct buf row = {.max = 64}, sealed = {.max = text.len + SEAL_OVERHEAD};

    seal(r->ops->options.sealer, place_of(r->id, r->progress.version, &row), text, &sealed);
    /* an empty part opens to nothing: its reader is told, rather than given less than there was */
    add_part(unit, r, REPORT_REJECTED,
             sealed.failed || row.failed ? SLICE("") : buf_slice(&sealed));
}

enum status operation_open_part(const struct operations *ops, slice id, int64_t number,
                                slice sealed, struct buf *to, struct fault *why)
{
    BUF_CLEANUP struct buf row = {.max = 64};
    struct seal_place place = place_of(id, number, &row);

    if (row.failed)
        return fault_set(why, ST_NO_MEMORY, "no memory for a report");
    return unseal(ops->options.sealer, place, sealed, to, why);
}

void operation_unit_advance(struct unit *unit, const struct operation_run *r,
                            const struct operation_progress *to,
                            const struct operation_findings *found, instant now)
{
    static const struct sql sql = {
        "UPDATE operation SET total = ?3, processed = ?4, failed = ?5, counts = ?6, log_bytes = ?7,"
        " rejected_bytes = ?8, cursor = ?9, updated_at = ?10, version = version + 1"
        " WHERE id = ?1 AND version = ?2"};
    BUF_CLEANUP struct buf counts = {.max = COUNTS_MAX_BYTES};
    const struct operation_progress *p = &r->progress;

    operation_write_counts(r->type, to->counts, &counts);
    const struct sql_value values[] = {
        SQL_TEXT_(r->id),
        SQL_INT_(p->version),
        SQL_INT_(to->total),
        SQL_INT_(to->processed),
        SQL_INT_(to->failed),
        counts.failed ? SQL_NULL_ : SQL_TEXT_(buf_slice(&counts)),
        SQL_INT_(to->log_bytes),
        SQL_INT_(to->rejected_bytes),
        SQL_TEXT_(slice_of(to->cursor, to->cursor_len)),
        SQL_INT_(now),
    };
    unit_add(unit, &sql, values, COUNT_OF(values), EXPECT_ONE);
    if (found->log.len > 0)
        add_part(unit, r, REPORT_LOG, found->log);
    if (found->rejected.len > 0)
        add_sealed_part(unit, r, found->rejected);
}

/* --- ending ----------------------------------------------------------------------------------- */

void operation_unit_end(struct unit *unit, const struct operation_run *r, instant now)
{
    static const struct sql sql = {
        "UPDATE operation SET state = ?3, message = ?4, finished_at = ?5, updated_at = ?5,"
        " log_bytes = log_bytes + ?6, items = '', version = version + 1"
        " WHERE id = ?1 AND version = ?2"};
    const struct sql_value values[] = {
        SQL_TEXT_(r->id),       SQL_INT_(r->progress.version),
        SQL_INT_(r->end.state), SQL_TEXT_(slice_str(r->end.message)),
        SQL_INT_(now),          SQL_INT_(r->end.log.len),
    };

    unit_add(unit, &sql, values, COUNT_OF(values), EXPECT_ONE);
    if (r->end.log.len > 0)
        add_part(unit, r, REPORT_LOG, buf_slice(&r->end.log));
}

void operation_unit_cancel(struct unit *unit, slice id)
{
    static const struct sql sql = {
        "UPDATE operation SET is_cancelling = 1 WHERE id = ?1 AND finished_at = 0"};
    const struct sql_value value = SQL_TEXT_(id);

    unit_add(unit, &sql, &value, 1, EXPECT_ONE);
}

/* Rows first, then the reports that are too many, then all that no row speaks of. */
void operation_unit_prune(struct unit *unit, instant now)
{
    static const struct sql rows_sql = {
        "DELETE FROM operation WHERE finished_at > 0 AND (finished_at < ?1 OR id <"
        " (SELECT id FROM operation ORDER BY id DESC LIMIT 1 OFFSET ?2))"};
    static const struct sql bytes_sql = {
        "UPDATE operation SET log_bytes = 0, rejected_bytes = 0 WHERE id IN"
        " (SELECT id FROM (SELECT id, SUM(log_bytes + rejected_bytes) OVER (ORDER BY id DESC)"
        " AS bytes FROM operation WHERE finished_at > 0) sums WHERE bytes > ?1)"};
    static const struct sql reports_sql = {
        "DELETE FROM operation_report WHERE operation_id NOT IN (SELECT id FROM operation"
        " WHERE finished_at = 0 OR log_bytes + rejected_bytes > 0)"};
    const struct sql_value age[] = {SQL_INT_(now - OPERATION_KEPT_DAYS * DAY_MS),
                                    SQL_INT_(OPERATIONS_KEPT - 1)};
    const struct sql_value bytes = SQL_INT_(REPORTS_BYTES_KEPT);

    unit_add(unit, &rows_sql, age, COUNT_OF(age), EXPECT_ANY);
    unit_add(unit, &bytes_sql, &bytes, 1, EXPECT_ANY);
    unit_add(unit, &reports_sql, NULL, 0, EXPECT_ANY);
}
