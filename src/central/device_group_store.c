#include "central/device_group_store.h"

const char device_group_tables[] = "CREATE TABLE device_group ("
                                   " id TEXT NOT NULL PRIMARY KEY,"
                                   " display_name TEXT NOT NULL,"
                                   " description TEXT NOT NULL,"
                                   " filter TEXT NOT NULL,"
                                   " version BIGINT NOT NULL,"
                                   " created_at BIGINT NOT NULL,"
                                   " updated_at BIGINT NOT NULL);";

#define COLUMNS "id, display_name, description, filter, version"

struct device_group device_group_from_row(const struct rows *rows)
{
    return (struct device_group){
        .id = rows_bytes(rows, 0),
        .display_name = rows_bytes(rows, 1),
        .description = rows_bytes(rows, 2),
        .filter = rows_bytes(rows, 3),
        .version = rows_int(rows, 4),
    };
}

void device_group_read_one(struct store *st, slice id, store_rows_fn *on_rows, void *context)
{
    static const struct sql sql = {"SELECT " COLUMNS " FROM device_group WHERE id = ?1"};
    const struct sql_value value = SQL_TEXT_(id);

    store_read(st, &sql, &value, 1, on_rows, context);
}

void device_group_read_list(struct store *st, slice after, unsigned limit, store_rows_fn *on_rows,
                            void *context)
{
    static const struct sql sql = {"SELECT " COLUMNS " FROM device_group WHERE id > ?1"
                                   " ORDER BY id LIMIT ?2"};
    const struct sql_value values[] = {SQL_TEXT_(after.len ? after : SLICE("")), SQL_INT_(limit)};

    store_read(st, &sql, values, COUNT_OF(values), on_rows, context);
}

static slice text_or_empty(slice text)
{
    return text.len > 0 ? text : SLICE("");
}

void device_group_unit_insert(struct unit *unit, const struct device_group *g, instant now)
{
    static const struct sql sql = {
        "INSERT INTO device_group (id, display_name, description, filter, version, created_at,"
        " updated_at) SELECT ?1, ?2, ?3, ?4, 1, ?5, ?5"
        " WHERE (SELECT COUNT(*) FROM device_group) < ?6"};
    const struct sql_value values[] = {SQL_TEXT_(g->id),
                                       SQL_TEXT_(g->display_name),
                                       SQL_TEXT_(text_or_empty(g->description)),
                                       SQL_TEXT_(g->filter),
                                       SQL_INT_(now),
                                       SQL_INT_(DEVICE_GROUPS_MAX)};

    unit_add(unit, &sql, values, COUNT_OF(values), EXPECT_ONE);
}

void device_group_unit_update(struct unit *unit, const struct device_group *g, instant now)
{
    static const struct sql sql = {
        "UPDATE device_group SET display_name = ?3, description = ?4, filter = ?5,"
        " updated_at = ?6, version = version + 1 WHERE id = ?1 AND version = ?2"};
    const struct sql_value values[] = {
        SQL_TEXT_(g->id),           SQL_INT_(g->version),
        SQL_TEXT_(g->display_name), SQL_TEXT_(text_or_empty(g->description)),
        SQL_TEXT_(g->filter),       SQL_INT_(now)};

    unit_add(unit, &sql, values, COUNT_OF(values), EXPECT_ONE);
}

void device_group_unit_delete(struct unit *unit, slice id, int64_t version)
{
    static const struct sql sql = {"DELETE FROM device_group WHERE id = ?1 AND version = ?2"};
    const struct sql_value values[] = {SQL_TEXT_(id), SQL_INT_(version)};

    unit_add(unit, &sql, values, COUNT_OF(values), EXPECT_ONE);
}
