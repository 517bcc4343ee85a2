#include "central/property/device_records.h"

const char device_records_tables[] =
    "CREATE TABLE device_cloud_property ("
    " device_id TEXT NOT NULL PRIMARY KEY,"
    " generation_id TEXT NOT NULL,"
    " body TEXT NOT NULL,"
    " version BIGINT NOT NULL,"
    " updated_at BIGINT NOT NULL);"
    "CREATE TABLE device_command ("
    " device_id TEXT NOT NULL,"
    " number BIGINT NOT NULL,"
    " generation_id TEXT NOT NULL,"
    " id TEXT NOT NULL,"
    " component TEXT NOT NULL,"
    " name TEXT NOT NULL,"
    " request TEXT NOT NULL,"
    " response TEXT NOT NULL,"
    " response_code BIGINT NOT NULL,"
    " response_timeout_s BIGINT NOT NULL,"
    " connect_timeout_s BIGINT NOT NULL,"
    " failure TEXT NOT NULL,"
    " is_queued INTEGER NOT NULL,"
    " actor TEXT NOT NULL,"
    " begun_at BIGINT NOT NULL,"
    " ended_at BIGINT NOT NULL,"
    " PRIMARY KEY (device_id, number));"
    "CREATE INDEX device_command_by_name ON device_command (device_id, component, name, number);"
    "CREATE TABLE device_alias ("
    " device_id TEXT NOT NULL,"
    " alias TEXT NOT NULL,"
    " path TEXT NOT NULL,"
    " generation_id TEXT NOT NULL,"
    " PRIMARY KEY (device_id, alias),"
    " UNIQUE (device_id, path));";

void device_records_unit_forget(struct unit *unit, slice device_id)
{
    static const struct sql deletes[] = {
        {"DELETE FROM device_cloud_property WHERE device_id = ?1"},
        {"DELETE FROM device_command WHERE device_id = ?1"},
        {"DELETE FROM device_alias WHERE device_id = ?1"},
    };
    const struct sql_value params[] = {SQL_TEXT_(device_id)};

    for (size_t i = 0; i < COUNT_OF(deletes); i++)
        unit_add(unit, &deletes[i], params, COUNT_OF(params), EXPECT_ANY);
}

/* What is written late must not become the next device's of that ID. */
#define WHILE_IT_EXISTS                                                                            \
    " FROM device WHERE device_key = lower(?1) AND module_id = '' AND device_id = ?1"              \
    " AND generation_id = ?2"

/* --- cloud properties --------------------------------------------------------------------------
 */

void cloud_properties_read(struct store *st, slice device_id, slice generation_id,
                           store_rows_fn *on_rows, void *context)
{
    static const struct sql sql = {"SELECT body, version FROM device_cloud_property"
                                   " WHERE device_id = ?1 AND generation_id = ?2"};
    const struct sql_value params[] = {SQL_TEXT_(device_id), SQL_TEXT_(generation_id)};

    store_read(st, &sql, params, COUNT_OF(params), on_rows, context);
}

void cloud_properties_unit_put(struct unit *unit, slice device_id, slice generation_id, slice body,
                               int64_t was, instant now)
{
    static const struct sql sql = {
        "INSERT INTO device_cloud_property (device_id, generation_id, body, version, updated_at)"
        " SELECT ?1, ?2, ?3, ?4 + 1, ?5" WHILE_IT_EXISTS
        " ON CONFLICT (device_id) DO UPDATE SET body = excluded.body, version = excluded.version,"
        " updated_at = excluded.updated_at WHERE device_cloud_property.version = ?4"};
    const struct sql_value params[] = {SQL_TEXT_(device_id), SQL_TEXT_(generation_id),
                                       SQL_TEXT_(body), SQL_INT_(was), SQL_INT_(now)};

    unit_add(unit, &sql, params, COUNT_OF(params), EXPECT_ONE);
}

/* --- commands ----------------------------------------------------------------------------------
 */

static void prune(struct unit *unit, slice device_id, const struct command_run *run)
{
    static const struct sql of_command = {
        "DELETE FROM device_command WHERE device_id = ?1 AND component = ?2 AND name = ?3"
        " AND number <= (SELECT number FROM device_command WHERE device_id = ?1"
        "  AND component = ?2 AND name = ?3 ORDER BY number DESC LIMIT 1 OFFSET ?4)"};
    static const struct sql of_device = {
        "DELETE FROM device_command WHERE device_id = ?1 AND number <="
        " (SELECT MAX(number) FROM device_command WHERE device_id = ?1) - ?2"};
    const struct sql_value command[] = {SQL_TEXT_(device_id), SQL_TEXT_(run->component),
                                        SQL_TEXT_(run->name), SQL_INT_(COMMAND_RUNS_KEPT)};
    const struct sql_value device[] = {SQL_TEXT_(device_id), SQL_INT_(COMMAND_RUNS_PER_DEVICE)};

    unit_add(unit, &of_command, command, COUNT_OF(command), EXPECT_ANY);
    unit_add(unit, &of_device, device, COUNT_OF(device), EXPECT_ANY);
}

void command_unit_add(struct unit *unit, slice device_id, slice generation_id,
                      const struct command_run *run)
{
    static const struct sql sql = {
        "INSERT INTO device_command (device_id, generation_id, number, id, component, name,"
        " request, response, response_code, response_timeout_s, connect_timeout_s, failure,"
        " is_queued, actor, begun_at, ended_at) SELECT ?1, ?2, COALESCE((SELECT MAX(number)"
        " FROM device_command WHERE device_id = ?1), 0) + 1,"
        " ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15" WHILE_IT_EXISTS};
    const struct sql_value params[] = {
        SQL_TEXT_(device_id),
        SQL_TEXT_(generation_id),
        SQL_TEXT_(run->id),
        SQL_TEXT_(run->component),
        SQL_TEXT_(run->name),
        SQL_TEXT_(run->request),
        SQL_TEXT_(run->response),
        SQL_INT_(run->response_code),
        SQL_INT_(run->response_timeout_s),
        SQL_INT_(run->connect_timeout_s),
        SQL_TEXT_(run->failure),
        SQL_INT_(run->is_queued),
        SQL_TEXT_(run->actor),
        SQL_INT_(run->begun_at),
        SQL_INT_(run->ended_at),
    };

    unit_add(unit, &sql, params, COUNT_OF(params), EXPECT_ANY);
    prune(unit, device_id, run);
}

void command_unit_end(struct unit *unit, slice device_id, int64_t number, slice response,
                      instant ended_at)
{
    static const struct sql sql = {"UPDATE device_command SET response = ?3, ended_at = ?4"
                                   " WHERE device_id = ?1 AND number = ?2 AND ended_at = 0"};
    const struct sql_value params[] = {SQL_TEXT_(device_id), SQL_INT_(number), SQL_TEXT_(response),
                                       SQL_INT_(ended_at)};

    unit_add(unit, &sql, params, COUNT_OF(params), EXPECT_ANY);
}

#define RUN_COLUMNS                                                                                \
    "SELECT number, id, component, name, request, response, response_code, response_timeout_s,"    \
    " connect_timeout_s, failure, is_queued, actor, begun_at, ended_at FROM device_command"        \
    " WHERE device_id = ?1 AND generation_id = ?2 AND number < ?3"

void command_read_runs(struct store *st, slice device_id, slice generation_id, slice component,
                       slice name, int64_t before, unsigned limit, store_rows_fn *on_rows,
                       void *context)
{
    static const struct sql all_sql = {RUN_COLUMNS " ORDER BY number DESC LIMIT ?4"};
    static const struct sql one_sql = {
        RUN_COLUMNS " AND component = ?5 AND name = ?6 ORDER BY number DESC LIMIT ?4"};
    const struct sql_value params[] = {SQL_TEXT_(device_id), SQL_TEXT_(generation_id),
                                       SQL_INT_(before),     SQL_INT_(limit),
                                       SQL_TEXT_(component), SQL_TEXT_(name)};

    if (name.len > 0)
        store_read(st, &one_sql, params, COUNT_OF(params), on_rows, context);
    else
        store_read(st, &all_sql, params, COUNT_OF(params) - 2, on_rows, context);
}

bool command_row_next(struct rows *rows, struct command_run *ret)
{
    if (!rows_next(rows))
        return false;
    *ret = (struct command_run){
        .number = rows_int(rows, 0),
        .id = rows_bytes(rows, 1),
        .component = rows_bytes(rows, 2),
        .name = rows_bytes(rows, 3),
        .request = rows_bytes(rows, 4),
        .response = rows_bytes(rows, 5),
        .response_code = rows_int(rows, 6),
        .response_timeout_s = rows_int(rows, 7),
        .connect_timeout_s = rows_int(rows, 8),
        .failure = rows_bytes(rows, 9),
        .is_queued = rows_int(rows, 10) != 0,
        .actor = rows_bytes(rows, 11),
        .begun_at = rows_int(rows, 12),
        .ended_at = rows_int(rows, 13),
    };
    return true;
}

/* --- aliases -----------------------------------------------------------------------------------
 */

void alias_read(struct store *st, slice device_id, slice generation_id, store_rows_fn *on_rows,
                void *context)
{
    static const struct sql sql = {"SELECT path, alias FROM device_alias WHERE device_id = ?1"
                                   " AND generation_id = ?2 ORDER BY alias"};
    const struct sql_value params[] = {SQL_TEXT_(device_id), SQL_TEXT_(generation_id)};

    store_read(st, &sql, params, COUNT_OF(params), on_rows, context);
}

void alias_unit_add(struct unit *unit, slice device_id, slice generation_id, slice path,
                    slice alias)
{
    static const struct sql sql = {
        "INSERT INTO device_alias (device_id, generation_id, path, alias)"
        " SELECT ?1, ?2, ?3, ?4" WHILE_IT_EXISTS};
    const struct sql_value params[] = {SQL_TEXT_(device_id), SQL_TEXT_(generation_id),
                                       SQL_TEXT_(path), SQL_TEXT_(alias)};

    unit_add(unit, &sql, params, COUNT_OF(params), EXPECT_ONE);
}

void alias_unit_delete(struct unit *unit, slice device_id, slice alias)
{
    static const struct sql sql = {"DELETE FROM device_alias WHERE device_id = ?1 AND alias = ?2"};
    const struct sql_value params[] = {SQL_TEXT_(device_id), SQL_TEXT_(alias)};

    unit_add(unit, &sql, params, COUNT_OF(params), EXPECT_ONE);
}
