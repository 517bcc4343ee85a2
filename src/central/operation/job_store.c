#include "central/operation/job_store.h"

const char job_tables[] = "CREATE TABLE job ("
                          " id TEXT NOT NULL PRIMARY KEY,"
                          " display_name TEXT NOT NULL,"
                          " description TEXT NOT NULL,"
                          " group_id TEXT NOT NULL,"
                          " data TEXT NOT NULL,"
                          " batch TEXT NOT NULL,"
                          " threshold TEXT NOT NULL,"
                          " source TEXT NOT NULL,"
                          " filter TEXT NOT NULL,"
                          " message TEXT NOT NULL,"
                          " operation_id TEXT NOT NULL,"
                          " actor TEXT NOT NULL,"
                          " state INTEGER NOT NULL,"
                          " total BIGINT NOT NULL,"
                          " completed BIGINT NOT NULL,"
                          " failed BIGINT NOT NULL,"
                          " next_number BIGINT NOT NULL," /* of the devices, those below are done */
                          " batch_failed BIGINT NOT NULL,"
                          " list_after TEXT NOT NULL," /* the last that was written down */
                          " is_listed INTEGER NOT NULL,"
                          " created_at BIGINT NOT NULL,"
                          " started_at BIGINT NOT NULL,"
                          " ended_at BIGINT NOT NULL);"
                          "CREATE INDEX job_ended ON job (ended_at) WHERE ended_at > 0;"
                          "CREATE TABLE job_device ("
                          " job_id TEXT NOT NULL,"
                          " number BIGINT NOT NULL,"
                          " device_id TEXT NOT NULL,"
                          " state INTEGER NOT NULL,"
                          " message TEXT NOT NULL,"
                          " PRIMARY KEY (job_id, number));";

#define COLUMNS                                                                                    \
    "id, display_name, description, group_id, data, batch, threshold, source, filter, message,"    \
    " operation_id, state, total, completed, failed, next_number, batch_failed, list_after,"       \
    " is_listed, created_at, started_at, ended_at"

/* In the order of COLUMNS. */
enum column {
    ID,
    DISPLAY_NAME,
    DESCRIPTION,
    GROUP_ID,
    DATA,
    BATCH,
    THRESHOLD,
    SOURCE,
    FILTER,
    MESSAGE,
    OPERATION_ID,
    STATE,
    TOTAL,
    COMPLETED,
    FAILED,
    NEXT_NUMBER,
    BATCH_FAILED,
    LIST_AFTER,
    IS_LISTED,
    CREATED_AT,
    STARTED_AT,
    ENDED_AT
};

static slice text_or_empty(slice text)
{
    return text.len > 0 ? text : SLICE("");
}

/* --- reading ---------------------------------------------------------------------------------- */

struct job job_from_row(const struct rows *rows)
{
    return (struct job){
        .id = rows_bytes(rows, ID),
        .display_name = rows_bytes(rows, DISPLAY_NAME),
        .description = rows_bytes(rows, DESCRIPTION),
        .group_id = rows_bytes(rows, GROUP_ID),
        .data = rows_bytes(rows, DATA),
        .batch = rows_bytes(rows, BATCH),
        .threshold = rows_bytes(rows, THRESHOLD),
        .source = rows_bytes(rows, SOURCE),
        .filter = rows_bytes(rows, FILTER),
        .message = rows_bytes(rows, MESSAGE),
        .operation_id = rows_bytes(rows, OPERATION_ID),
        .state = (enum job_state)rows_int(rows, STATE),
        .total = rows_int(rows, TOTAL),
        .completed = rows_int(rows, COMPLETED),
        .failed = rows_int(rows, FAILED),
        .next_number = rows_int(rows, NEXT_NUMBER),
        .batch_failed = rows_int(rows, BATCH_FAILED),
        .list_after = rows_bytes(rows, LIST_AFTER),
        .is_listed = rows_int(rows, IS_LISTED) != 0,
        .created_at = rows_int(rows, CREATED_AT),
        .started_at = rows_int(rows, STARTED_AT),
        .ended_at = rows_int(rows, ENDED_AT),
    };
}

void job_read_one(struct store *st, slice id, store_rows_fn *on_rows, void *context)
{
    static const struct sql sql = {"SELECT " COLUMNS " FROM job WHERE id = ?1"};
    const struct sql_value value = SQL_TEXT_(id);

    store_read(st, &sql, &value, 1, on_rows, context);
}

void job_read_list(struct store *st, slice after, unsigned limit, store_rows_fn *on_rows,
                   void *context)
{
    static const struct sql sql = {"SELECT " COLUMNS " FROM job WHERE id > ?1"
                                   " ORDER BY id LIMIT ?2"};
    const struct sql_value values[] = {SQL_TEXT_(text_or_empty(after)), SQL_INT_(limit)};

    store_read(st, &sql, values, COUNT_OF(values), on_rows, context);
}

struct job_device job_device_from_row(const struct rows *rows)
{
    return (struct job_device){
        .number = rows_int(rows, 0),
        .id = rows_bytes(rows, 1),
        .state = (enum job_device_state)rows_int(rows, 2),
        .message = rows_bytes(rows, 3),
    };
}

void job_read_devices(struct store *st, slice id, int64_t after, int state, unsigned limit,
                      store_rows_fn *on_rows, void *context)
{
    static const struct sql sql = {
        "SELECT number, device_id, state, message FROM job_device WHERE job_id = ?1"
        " AND number > ?2 AND (?3 < 0 OR state = ?3) ORDER BY number LIMIT ?4"};
    const struct sql_value values[] = {SQL_TEXT_(id), SQL_INT_(after), SQL_INT_(state),
                                       SQL_INT_(limit)};

    store_read(st, &sql, values, COUNT_OF(values), on_rows, context);
}

/* --- jobs ------------------------------------------------------------------------------------- */

void job_unit_insert(struct unit *unit, const struct job *j, slice actor)
{
    static const struct sql sql = {
        "INSERT INTO job (id, display_name, description, group_id, data, batch, threshold, source,"
        " filter, message, operation_id, actor, state, total, completed, failed, next_number,"
        " batch_failed, list_after, is_listed, created_at, started_at, ended_at)"
        " SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, '', ?10, ?11, 0, 0, 0, 0, 0, 0, '', 0, ?12, 0,"
        " 0 WHERE (SELECT COUNT(*) FROM job) < ?13"};
    const struct sql_value values[] = {SQL_TEXT_(j->id),
                                       SQL_TEXT_(text_or_empty(j->display_name)),
                                       SQL_TEXT_(text_or_empty(j->description)),
                                       SQL_TEXT_(j->group_id),
                                       SQL_TEXT_(j->data),
                                       SQL_TEXT_(text_or_empty(j->batch)),
                                       SQL_TEXT_(text_or_empty(j->threshold)),
                                       SQL_TEXT_(text_or_empty(j->source)),
                                       SQL_TEXT_(text_or_empty(j->filter)),
                                       SQL_TEXT_(j->operation_id),
                                       SQL_TEXT_(actor),
                                       SQL_INT_(j->created_at),
                                       SQL_INT_(JOBS_MAX)};

    unit_add(unit, &sql, values, COUNT_OF(values), EXPECT_ONE);
}

void job_unit_resume(struct unit *unit, slice id, slice operation_id)
{
    static const struct sql sql = {"UPDATE job SET state = ?3, operation_id = ?2, ended_at = 0,"
                                   " message = '' WHERE id = ?1 AND state = ?4"};
    const struct sql_value values[] = {SQL_TEXT_(id), SQL_TEXT_(operation_id),
                                       SQL_INT_(JOB_PENDING), SQL_INT_(JOB_STOPPED)};

    unit_add(unit, &sql, values, COUNT_OF(values), EXPECT_ONE);
}

void job_unit_start(struct unit *unit, slice id, instant now)
{
    static const struct sql sql = {
        "UPDATE job SET state = ?2, started_at = CASE WHEN started_at = 0 THEN ?3"
        " ELSE started_at END WHERE id = ?1"};
    const struct sql_value values[] = {SQL_TEXT_(id), SQL_INT_(JOB_RUNNING), SQL_INT_(now)};

    unit_add(unit, &sql, values, COUNT_OF(values), EXPECT_ONE);
}

void job_unit_advance(struct unit *unit, const struct job *j)
{
    static const struct sql sql = {
        "UPDATE job SET total = ?2, completed = ?3, failed = ?4, next_number = ?5,"
        " batch_failed = ?6, list_after = ?7, is_listed = ?8 WHERE id = ?1"};
    const struct sql_value values[] = {SQL_TEXT_(j->id),
                                       SQL_INT_(j->total),
                                       SQL_INT_(j->completed),
                                       SQL_INT_(j->failed),
                                       SQL_INT_(j->next_number),
                                       SQL_INT_(j->batch_failed),
                                       SQL_TEXT_(text_or_empty(j->list_after)),
                                       SQL_INT_(j->is_listed)};

    unit_add(unit, &sql, values, COUNT_OF(values), EXPECT_ONE);
}

void job_unit_end(struct unit *unit, slice id, enum job_state state, slice message, instant now)
{
    static const struct sql sql = {
        "UPDATE job SET state = ?2, message = ?3, ended_at = ?4 WHERE id = ?1"};
    const struct sql_value values[] = {SQL_TEXT_(id), SQL_INT_(state),
                                       SQL_TEXT_(text_or_empty(message)), SQL_INT_(now)};

    unit_add(unit, &sql, values, COUNT_OF(values), EXPECT_ONE);
}

/* --- their devices ---------------------------------------------------------------------------- */

void job_unit_add_device(struct unit *unit, slice id, const struct job_device *d)
{
    static const struct sql sql = {"INSERT INTO job_device (job_id, number, device_id, state,"
                                   " message) VALUES (?1, ?2, ?3, 0, '')"};
    const struct sql_value values[] = {SQL_TEXT_(id), SQL_INT_(d->number), SQL_TEXT_(d->id)};

    unit_add(unit, &sql, values, COUNT_OF(values), EXPECT_ONE);
}

void job_unit_set_device(struct unit *unit, slice id, const struct job_device *d)
{
    static const struct sql sql = {
        "UPDATE job_device SET state = ?3, message = ?4 WHERE job_id = ?1 AND number = ?2"};
    const struct sql_value values[] = {SQL_TEXT_(id), SQL_INT_(d->number), SQL_INT_(d->state),
                                       SQL_TEXT_(text_or_empty(d->message))};

    unit_add(unit, &sql, values, COUNT_OF(values), EXPECT_ONE);
}

void job_unit_prune(struct unit *unit, instant before)
{
    static const struct sql devices_sql = {
        "DELETE FROM job_device WHERE job_id IN"
        " (SELECT id FROM job WHERE ended_at > 0 AND ended_at < ?1)"};
    static const struct sql jobs_sql = {"DELETE FROM job WHERE ended_at > 0 AND ended_at < ?1"};
    const struct sql_value value = SQL_INT_(before);

    unit_add(unit, &devices_sql, &value, 1, EXPECT_ANY);
    unit_add(unit, &jobs_sql, &value, 1, EXPECT_ANY);
}
