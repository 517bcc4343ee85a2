#include "central/settings_store.h"

void settings_read(struct store *st, store_rows_fn *on_rows, void *context)
{
    static const struct sql sql = {"SELECT name, value, version FROM central_setting"};

    store_read(st, &sql, NULL, 0, on_rows, context);
}

void settings_unit_put(struct unit *unit, slice name, slice value)
{
    static const struct sql sql = {
        "INSERT INTO central_setting (name, value, version) VALUES (?1, ?2, 1)"
        " ON CONFLICT (name) DO UPDATE SET value = excluded.value,"
        " version = central_setting.version + 1"};
    const struct sql_value params[] = {SQL_TEXT_(name), SQL_TEXT_(value)};

    unit_add(unit, &sql, params, COUNT_OF(params), EXPECT_ONE);
}
