#include "central/template_store.h"

void template_read_list(struct store *st, store_rows_fn *on_rows, void *context)
{
    static const struct sql sql = {
        "SELECT id, display_name, published FROM device_template ORDER BY id"};

    store_read(st, &sql, NULL, 0, on_rows, context);
}

void template_read_published(struct store *st, slice id, store_rows_fn *on_rows, void *context)
{
    static const struct sql sql = {
        "SELECT id FROM device_template WHERE id = ?1 AND published = 1"};
    const struct sql_value params[] = {SQL_TEXT_(id)};

    store_read(st, &sql, params, COUNT_OF(params), on_rows, context);
}

void template_unit_add(struct unit *unit, slice id, slice display_name, slice model, instant now)
{
    static const struct sql sql = {
        "INSERT INTO device_template (id, display_name, published, model, version, created_at,"
        " updated_at) VALUES (?1, ?2, 1, ?3, 1, ?4, ?4) ON CONFLICT (id) DO NOTHING"};
    const struct sql_value params[] = {SQL_TEXT_(id), SQL_TEXT_(display_name), SQL_TEXT_(model),
                                       SQL_INT_(now)};

    unit_add(unit, &sql, params, COUNT_OF(params), EXPECT_ANY);
}
