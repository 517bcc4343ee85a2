#include "central/template/template_store.h"

/* What the first step made has only the template that every application has. */
const char template_tables[] =
    "CREATE TABLE template_document ("
    " template_id TEXT NOT NULL,"
    " kind TEXT NOT NULL,"
    " document TEXT NOT NULL,"
    " PRIMARY KEY (template_id, kind));"
    "INSERT INTO template_document (template_id, kind, document)"
    " SELECT id, 'published', model FROM device_template;"
    "ALTER TABLE device_template DROP COLUMN model;"
    "ALTER TABLE device_template ADD COLUMN model_id TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE device_template ADD COLUMN published_at BIGINT NOT NULL DEFAULT 0;"
    "ALTER TABLE device_template ADD COLUMN draft_at BIGINT NOT NULL DEFAULT 0;"
    "UPDATE device_template SET published_at = created_at, model_id = 'dtmi:muster:generic;1'"
    " WHERE id = 'generic';"
    "CREATE INDEX device_template_by_model ON device_template (model_id);";

/* --- reading ---------------------------------------------------------------------------------- */

#define FACTS                                                                                      \
    "t.id, t.display_name, t.model_id, t.published, t.version, t.created_at, t.updated_at,"        \
    " t.published_at, t.draft_at"

void template_read_list(struct store *st, slice after, unsigned limit, bool only_published,
                        slice kind, store_rows_fn *on_rows, void *context)
{
    static const struct sql sql = {
        "SELECT " FACTS ", d.document FROM device_template t"
        " LEFT JOIN template_document d ON d.template_id = t.id AND d.kind = ?4"
        " WHERE t.id > ?1 AND t.published >= ?3 ORDER BY t.id LIMIT ?2"};
    const struct sql_value params[] = {SQL_TEXT_(after.len > 0 ? after : SLICE("")),
                                       SQL_INT_(limit), SQL_INT_(only_published),
                                       SQL_TEXT_(kind.len > 0 ? kind : SLICE(""))};

    store_read(st, &sql, params, COUNT_OF(params), on_rows, context);
}

void template_read_one(struct store *st, slice id, slice kind, store_rows_fn *on_rows,
                       void *context)
{
    static const struct sql sql = {
        "SELECT " FACTS ", d.document FROM device_template t"
        " LEFT JOIN template_document d ON d.template_id = t.id AND d.kind = ?2"
        " WHERE t.id = ?1"};
    const struct sql_value params[] = {SQL_TEXT_(id), SQL_TEXT_(kind.len > 0 ? kind : SLICE(""))};

    store_read(st, &sql, params, COUNT_OF(params), on_rows, context);
}

#define HAS_DEVICES(id)                                                                            \
    "EXISTS (SELECT 1 FROM device WHERE module_id = '' AND template_id = " id ")"

void template_read_whole(struct store *st, slice id, store_rows_fn *on_rows, void *context)
{
    static const struct sql sql = {"SELECT " FACTS ", p.document, d.document, " HAS_DEVICES(
        "t.id") " FROM device_template t"
                " LEFT JOIN template_document p ON p.template_id = t.id AND p.kind = 'published'"
                " LEFT JOIN template_document d ON d.template_id = t.id AND d.kind = 'draft'"
                " WHERE t.id = ?1"};
    const struct sql_value params[] = {SQL_TEXT_(id)};

    store_read(st, &sql, params, COUNT_OF(params), on_rows, context);
}

enum status template_read_document_now(struct store *st, slice id, store_rows_fn *on_rows,
                                       void *context)
{
    static const struct sql sql = {"SELECT document FROM template_document"
                                   " WHERE template_id = ?1 AND kind = 'published'"};
    const struct sql_value params[] = {SQL_TEXT_(id)};

    return store_read_now(st, &sql, params, COUNT_OF(params), on_rows, context);
}

void template_read_published(struct store *st, slice id, store_rows_fn *on_rows, void *context)
{
    static const struct sql sql = {
        "SELECT id FROM device_template WHERE id = ?1 AND published = 1"};
    const struct sql_value params[] = {SQL_TEXT_(id)};

    store_read(st, &sql, params, COUNT_OF(params), on_rows, context);
}

void template_read_by_model(struct store *st, slice model_id, store_rows_fn *on_rows, void *context)
{
    static const struct sql sql = {
        "SELECT id FROM device_template WHERE published = 1 AND (model_id = ?1 OR id = ?1)"
        " ORDER BY CASE WHEN model_id = ?1 THEN 0 ELSE 1 END, published_at DESC, id LIMIT 1"};
    const struct sql_value params[] = {SQL_TEXT_(model_id)};

    store_read(st, &sql, params, COUNT_OF(params), on_rows, context);
}

/* --- changing --------------------------------------------------------------------------------- */

/* ?1 to ?7. */
#define ROW_VALUES(row)                                                                            \
    SQL_TEXT_((row)->id), SQL_TEXT_((row)->display_name),                                          \
        SQL_TEXT_((row)->model_id.len > 0 ? (row)->model_id : SLICE("")),                          \
        SQL_INT_((row)->published), SQL_INT_((row)->now), SQL_INT_((row)->published_at),           \
        SQL_INT_((row)->draft_at)

#define INSERT                                                                                     \
    "INSERT INTO device_template (id, display_name, model_id, published, updated_at,"              \
    " published_at, draft_at, created_at, version) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?5, 1)"

void template_unit_insert(struct unit *unit, const struct template_row_values *row)
{
    static const struct sql sql = {INSERT};
    const struct sql_value params[] = {ROW_VALUES(row)};

    unit_add(unit, &sql, params, COUNT_OF(params), EXPECT_ONE);
}

void template_unit_update(struct unit *unit, const struct template_row_values *row, int64_t version)
{
    static const struct sql sql = {
        "UPDATE device_template SET display_name = ?2, model_id = ?3, published = ?4,"
        " updated_at = ?5, published_at = ?6, draft_at = ?7, version = version + 1"
        " WHERE id = ?1 AND version = ?8"};
    const struct sql_value params[] = {ROW_VALUES(row), SQL_INT_(version)};

    unit_add(unit, &sql, params, COUNT_OF(params), EXPECT_ONE);
}

void template_unit_delete(struct unit *unit, slice id, int64_t version)
{
    static const struct sql sql = {
        "DELETE FROM device_template WHERE id = ?1 AND version = ?2 AND NOT " HAS_DEVICES("?1")};
    static const struct sql documents = {"DELETE FROM template_document WHERE template_id = ?1"};
    const struct sql_value params[] = {SQL_TEXT_(id), SQL_INT_(version)};

    unit_add(unit, &sql, params, COUNT_OF(params), EXPECT_ONE);
    unit_add(unit, &documents, params, 1, EXPECT_ANY);
}

void template_unit_put_document(struct unit *unit, slice id, slice kind, slice document)
{
    static const struct sql sql = {
        "INSERT INTO template_document (template_id, kind, document) VALUES (?1, ?2, ?3)"
        " ON CONFLICT (template_id, kind) DO UPDATE SET document = excluded.document"};
    const struct sql_value params[] = {SQL_TEXT_(id), SQL_TEXT_(kind), SQL_TEXT_(document)};

    unit_add(unit, &sql, params, COUNT_OF(params), EXPECT_ONE);
}

void template_unit_drop_document(struct unit *unit, slice id, slice kind)
{
    static const struct sql sql = {
        "DELETE FROM template_document WHERE template_id = ?1 AND kind = ?2"};
    const struct sql_value params[] = {SQL_TEXT_(id), SQL_TEXT_(kind)};

    unit_add(unit, &sql, params, COUNT_OF(params), EXPECT_ANY);
}

void template_unit_guard(struct unit *unit, slice id)
{
    static const struct sql sql = {"SELECT 1 FROM device_template WHERE id = ?1 AND published = 1"};
    const struct sql_value params[] = {SQL_TEXT_(id)};

    unit_add(unit, &sql, params, COUNT_OF(params), EXPECT_ONE);
}

void template_unit_make(struct unit *unit, const struct template_row_values *row, slice document,
                        slice views)
{
    static const struct sql sql = {INSERT " ON CONFLICT (id) DO NOTHING"};
    static const struct sql document_sql = {
        "INSERT INTO template_document (template_id, kind, document) VALUES (?1, ?2, ?3)"
        " ON CONFLICT (template_id, kind) DO NOTHING"};
    const struct sql_value params[] = {ROW_VALUES(row)};
    const struct sql_value published[] = {SQL_TEXT_(row->id), SQL_TEXT_(TEMPLATE_KIND_PUBLISHED),
                                          SQL_TEXT_(document)};
    const struct sql_value shown[] = {SQL_TEXT_(row->id), SQL_TEXT_(TEMPLATE_KIND_VIEWS),
                                      SQL_TEXT_(views)};

    unit_add(unit, &sql, params, COUNT_OF(params), EXPECT_ANY);
    unit_add(unit, &document_sql, published, COUNT_OF(published), EXPECT_ANY);
    unit_add(unit, &document_sql, shown, COUNT_OF(shown), EXPECT_ANY);
}
