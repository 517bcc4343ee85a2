#include "central/telemetry/projection_store.h"

#include "central/telemetry/projection.h"
#include "identity/device.h"
#include "store/sql_list.h"

_Static_assert(PROJECTION_GROUP <= SQL_LIST_LEN, "a group is read by one statement");

const char projection_tables[] =
    /* How far each partition of the log has been read. */
    "CREATE TABLE telemetry_position ("
    " partition INTEGER NOT NULL PRIMARY KEY,"
    " next_offset BIGINT NOT NULL);"
    "CREATE TABLE telemetry_device ("
    " device_id TEXT NOT NULL PRIMARY KEY,"
    " generation_id TEXT NOT NULL,"
    " series BIGINT NOT NULL UNIQUE,"
    " position BIGINT NOT NULL,"
    " messages BIGINT NOT NULL," /* in its history */
    " bytes BIGINT NOT NULL,"
    " last BLOB NOT NULL);"
    "CREATE TABLE telemetry_history ("
    " series BIGINT NOT NULL,"
    " sequence BIGINT NOT NULL,"
    " first_at BIGINT NOT NULL,"
    " last_at BIGINT NOT NULL,"
    " enqueued_at BIGINT NOT NULL,"
    " messages BIGINT NOT NULL,"
    " body BLOB NOT NULL,"
    " PRIMARY KEY (series, sequence));"
    "CREATE INDEX telemetry_history_by_age ON telemetry_history (enqueued_at);"
    /* Series of devices that were deleted, whose history is still to go. */
    "CREATE TABLE telemetry_gone (series BIGINT NOT NULL PRIMARY KEY);";

const char projection_mismatch_columns[] =
    "ALTER TABLE telemetry_device ADD COLUMN mismatches BIGINT NOT NULL DEFAULT 0;";

/* As the devices' rows are found: IDs are unique without case. */
static slice key_of(slice device_id, uint8_t to[DEVICE_ID_MAX])
{
    if (device_id.len > DEVICE_ID_MAX)
        return (slice){0};
    for (size_t i = 0; i < device_id.len; i++) {
        uint8_t c = device_id.ptr[i];

        to[i] = c >= 'A' && c <= 'Z' ? (uint8_t)(c + ('a' - 'A')) : c;
    }
    return slice_of(to, device_id.len);
}

/* --- the projection's ---------------------------------------------------------------------------
 */

enum status projection_read_positions_now(struct store *st, store_rows_fn *on_rows, void *context)
{
    static const struct sql sql = {"SELECT partition, next_offset FROM telemetry_position"};

    return store_read_now(st, &sql, NULL, 0, on_rows, context);
}

void projection_unit_put_position(struct unit *unit, unsigned partition, uint64_t next_offset)
{
    static const struct sql sql = {
        "INSERT INTO telemetry_position (partition, next_offset) VALUES (?1, ?2)"
        " ON CONFLICT (partition) DO UPDATE SET next_offset = excluded.next_offset"};
    const struct sql_value params[] = {SQL_INT_(partition), SQL_INT_(next_offset)};

    unit_add(unit, &sql, params, COUNT_OF(params), EXPECT_ONE);
}

enum status projection_read_states_now(struct store *st, const slice *device_ids, size_t count,
                                       store_rows_fn *on_rows, void *context)
{
    static const struct sql sql = {
        "SELECT d.device_id, d.generation_id, t.series, t.generation_id, t.position, t.messages,"
        " t.bytes, t.last, p.id, p.version FROM device d"
        " LEFT JOIN device_template p ON p.id = d.template_id AND p.published = 1"
        " LEFT JOIN telemetry_device t ON t.device_id = d.device_id"
        " WHERE d.module_id = '' AND d.device_key IN (" SQL_LIST ")"};
    struct sql_value params[SQL_LIST_LEN];
    uint8_t keys[SQL_LIST_LEN][DEVICE_ID_MAX];

    for (size_t i = 0; i < SQL_LIST_LEN; i++)
        params[i] = SQL_TEXT_(i < count ? key_of(device_ids[i], keys[i]) : (slice){0});
    return store_read_now(st, &sql, params, COUNT_OF(params), on_rows, context);
}

enum status projection_read_oldest_now(struct store *st, int64_t series, unsigned limit,
                                       store_rows_fn *on_rows, void *context)
{
    static const struct sql sql = {
        "SELECT sequence, messages, length(body) FROM telemetry_history WHERE series = ?1"
        " ORDER BY sequence LIMIT ?2"};
    const struct sql_value params[] = {SQL_INT_(series), SQL_INT_(limit)};

    return store_read_now(st, &sql, params, COUNT_OF(params), on_rows, context);
}

void projection_unit_add_device(struct unit *unit, slice device_id, slice generation_id,
                                int64_t series)
{
    static const struct sql sql = {
        "INSERT INTO telemetry_device"
        " (device_id, generation_id, series, position, messages, bytes, last)"
        " SELECT device_id, generation_id, ?3, -1, 0, 0, ?4 FROM device"
        " WHERE device_key = ?1 AND module_id = '' AND generation_id = ?2"
        " ON CONFLICT DO NOTHING"};
    uint8_t key[DEVICE_ID_MAX];
    const struct sql_value params[] = {SQL_TEXT_(key_of(device_id, key)), SQL_TEXT_(generation_id),
                                       SQL_INT_(series), SQL_BLOB_((slice){0})};

    unit_add(unit, &sql, params, COUNT_OF(params), EXPECT_ANY);
}

void projection_unit_add_history(struct unit *unit, slice device_id, const struct history_row *row)
{
    static const struct sql sql = {
        "INSERT INTO telemetry_history"
        " (series, sequence, first_at, last_at, enqueued_at, messages, body)"
        " SELECT ?2, ?3, ?4, ?5, ?6, ?7, ?8 WHERE EXISTS"
        " (SELECT 1 FROM telemetry_device WHERE device_id = ?1 AND series = ?2)"};
    const struct sql_value params[] = {
        SQL_TEXT_(device_id),    SQL_INT_(row->series),  SQL_INT_(row->sequence),
        SQL_INT_(row->first_at), SQL_INT_(row->last_at), SQL_INT_(row->enqueued_at),
        SQL_INT_(row->messages), SQL_BLOB_(row->body),
    };

    unit_add(unit, &sql, params, COUNT_OF(params), EXPECT_ANY);
}

void projection_unit_grow_device(struct unit *unit, slice device_id, int64_t series,
                                 const struct device_growth *growth)
{
    static const struct sql sql = {
        "UPDATE telemetry_device SET position = ?3, messages = messages + ?4, bytes = bytes + ?5,"
        " last = ?6, mismatches = mismatches + ?7 WHERE device_id = ?1 AND series = ?2"};
    const struct sql_value params[] = {
        SQL_TEXT_(device_id),         SQL_INT_(series),        SQL_INT_(growth->position),
        SQL_INT_(growth->messages),   SQL_INT_(growth->bytes), SQL_BLOB_(growth->last),
        SQL_INT_(growth->mismatches),
    };

    unit_add(unit, &sql, params, COUNT_OF(params), EXPECT_ANY);
}

void projection_unit_forget(struct unit *unit, slice device_id)
{
    static const struct sql note_sql = {
        "INSERT INTO telemetry_gone (series)"
        " SELECT series FROM telemetry_device WHERE device_id = ?1 ON CONFLICT DO NOTHING"};
    static const struct sql delete_sql = {"DELETE FROM telemetry_device WHERE device_id = ?1"};
    const struct sql_value params[] = {SQL_TEXT_(device_id)};

    unit_add(unit, &note_sql, params, COUNT_OF(params), EXPECT_ANY);
    unit_add(unit, &delete_sql, params, COUNT_OF(params), EXPECT_ANY);
}

/* --- retention's --------------------------------------------------------------------------------
 */

void projection_read_aged(struct store *st, instant enqueued_before, unsigned limit,
                          store_rows_fn *on_rows, void *context)
{
    static const struct sql sql = {
        "SELECT series, sequence, messages, length(body) FROM telemetry_history"
        " WHERE enqueued_at < ?1 ORDER BY enqueued_at LIMIT ?2"};
    const struct sql_value params[] = {SQL_INT_(enqueued_before), SQL_INT_(limit)};

    store_read(st, &sql, params, COUNT_OF(params), on_rows, context);
}

void projection_read_gone(struct store *st, unsigned limit, store_rows_fn *on_rows, void *context)
{
    static const struct sql sql = {
        "SELECT g.series, h.sequence, h.messages, length(h.body) FROM telemetry_gone g"
        " LEFT JOIN telemetry_history h ON h.series = g.series"
        " ORDER BY g.series, h.sequence LIMIT ?1"};
    const struct sql_value params[] = {SQL_INT_(limit)};

    store_read(st, &sql, params, COUNT_OF(params), on_rows, context);
}

void projection_unit_delete_history(struct unit *unit, int64_t series, int64_t sequence,
                                    int64_t messages, int64_t bytes)
{
    static const struct sql delete_sql = {
        "DELETE FROM telemetry_history WHERE series = ?1 AND sequence = ?2"};
    static const struct sql shrink_sql = {
        "UPDATE telemetry_device SET messages = messages - ?2, bytes = bytes - ?3"
        " WHERE series = ?1"};
    const struct sql_value row[] = {SQL_INT_(series), SQL_INT_(sequence)};
    const struct sql_value amounts[] = {SQL_INT_(series), SQL_INT_(messages), SQL_INT_(bytes)};

    unit_add(unit, &delete_sql, row, COUNT_OF(row), EXPECT_ONE);
    unit_add(unit, &shrink_sql, amounts, COUNT_OF(amounts), EXPECT_ANY);
}

void projection_unit_end_series(struct unit *unit, int64_t series)
{
    static const struct sql sql = {"DELETE FROM telemetry_gone WHERE series = ?1"};
    const struct sql_value params[] = {SQL_INT_(series)};

    unit_add(unit, &sql, params, COUNT_OF(params), EXPECT_ANY);
}

/* --- readers' ------------------------------------------------------------------------------------
 */

void projection_read_device(struct store *st, slice device_id, slice generation_id,
                            store_rows_fn *on_rows, void *context)
{
    static const struct sql sql = {"SELECT series, last, mismatches FROM telemetry_device WHERE "
                                   "device_id = ?1 AND generation_id = ?2"};
    const struct sql_value params[] = {SQL_TEXT_(device_id), SQL_TEXT_(generation_id)};

    store_read(st, &sql, params, COUNT_OF(params), on_rows, context);
}

static const struct sql history_sql = {
    "SELECT sequence, body FROM telemetry_history"
    " WHERE series = ?1 AND sequence <= ?2 AND last_at >= ?3 AND first_at <= ?4"
    " ORDER BY sequence DESC LIMIT ?5"};
#define HISTORY_PARAMS                                                                             \
    (const struct sql_value[])                                                                     \
    {                                                                                              \
        SQL_INT_(series), SQL_INT_(sequence), SQL_INT_(from), SQL_INT_(to), SQL_INT_(limit)        \
    }

void projection_read_history(struct store *st, int64_t series, int64_t sequence, instant from,
                             instant to, unsigned limit, store_rows_fn *on_rows, void *context)
{
    store_read(st, &history_sql, HISTORY_PARAMS, 5, on_rows, context);
}

enum status projection_read_history_now(struct store *st, int64_t series, int64_t sequence,
                                        instant from, instant to, unsigned limit,
                                        store_rows_fn *on_rows, void *context)
{
    return store_read_now(st, &history_sql, HISTORY_PARAMS, 5, on_rows, context);
}
