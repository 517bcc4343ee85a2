#include "hub/c2d_store.h"

#include <assert.h>

const char c2d_tables_sql[] =
    "CREATE TABLE c2d_queue ("
    " hub TEXT NOT NULL,"
    " device_id TEXT NOT NULL,"
    " module_id TEXT NOT NULL,"
    " next_sequence BIGINT NOT NULL,"
    " depth INTEGER NOT NULL CHECK (depth >= 0),"
    " PRIMARY KEY (hub, device_id, module_id));"

    "CREATE TABLE c2d_message ("
    " hub TEXT NOT NULL,"
    " device_id TEXT NOT NULL,"
    " module_id TEXT NOT NULL,"
    " sequence BIGINT NOT NULL,"
    " body BLOB NOT NULL,"
    " properties BLOB NOT NULL," /* the raw bag: any bytes */
    " message_id TEXT NOT NULL,"
    " generation_id TEXT NOT NULL,"
    " enqueued_at BIGINT NOT NULL,"
    " expires_at BIGINT NOT NULL,"
    " ack INTEGER NOT NULL,"
    " delivery_count INTEGER NOT NULL,"
    " was_delivered INTEGER NOT NULL,"
    " PRIMARY KEY (hub, device_id, module_id, sequence));"
    "CREATE INDEX c2d_message_expiry ON c2d_message (expires_at);"

    "CREATE TABLE c2d_feedback ("
    " hub TEXT NOT NULL,"
    " device_id TEXT NOT NULL,"
    " module_id TEXT NOT NULL,"
    " message_id TEXT NOT NULL,"
    " generation_id TEXT NOT NULL,"
    " enqueued_at BIGINT NOT NULL,"
    " outcome INTEGER NOT NULL,"
    " settled_at BIGINT NOT NULL);"
    "CREATE INDEX c2d_feedback_by_time ON c2d_feedback (settled_at);"
    "CREATE INDEX c2d_feedback_by_device ON c2d_feedback (hub, device_id);";

#define KEY_IS "hub = ?1 AND device_id = ?2 AND module_id = ?3"
#define KEY_VALUES(key)                                                                            \
    SQL_TEXT_((key)->hub), SQL_TEXT_((key)->device_id), SQL_TEXT_((key)->module_id)

/* --- enqueueing ----------------------------------------------------------------------------- */

static const struct sql enqueue_sql = {
    "INSERT INTO c2d_queue (hub, device_id, module_id, next_sequence, depth)"
    " VALUES (?1, ?2, ?3, 2, 1)"
    " ON CONFLICT (hub, device_id, module_id) DO UPDATE SET"
    " next_sequence = c2d_queue.next_sequence + 1, depth = c2d_queue.depth + 1"
    " WHERE c2d_queue.depth < ?4 RETURNING next_sequence - 1"};
static const struct sql insert_sql = {
    "INSERT INTO c2d_message (hub, device_id, module_id, sequence, body, properties, message_id,"
    " generation_id, enqueued_at, expires_at, ack, delivery_count, was_delivered)"
    " SELECT ?1, ?2, ?3, next_sequence - 1, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 0, 0"
    " FROM c2d_queue WHERE " KEY_IS};

void c2d_unit_enqueue(struct unit *unit, const struct c2d_message *m, slice generation_id,
                      slice message_id, instant now)
{
    const struct hub_key key = {m->hub_name, m->device_id, m->module_id};
    const struct sql_value place[] = {KEY_VALUES(&key), SQL_INT_(C2D_QUEUE_MAX)};
    const struct sql_value row[] = {
        KEY_VALUES(&key),        SQL_BLOB_(m->body),       SQL_BLOB_(m->properties),
        SQL_TEXT_(message_id),   SQL_TEXT_(generation_id), SQL_INT_(now),
        SQL_INT_(m->expires_at), SQL_INT_(m->ack),
    };

    unit_add(unit, &enqueue_sql, place, COUNT_OF(place), EXPECT_ONE);
    unit_add(unit, &insert_sql, row, COUNT_OF(row), EXPECT_ONE);
}

/* --- settling ------------------------------------------------------------------------------- */

/* Which of the sender's wishes each outcome answers: the bits of c2d_message.ack. */
static const int wanted_by[] = {
    [C2D_SUCCESS] = C2D_ACK_POSITIVE,
    [C2D_EXPIRED] = C2D_ACK_NEGATIVE,
    [C2D_DELIVERY_COUNT_EXCEEDED] = C2D_ACK_NEGATIVE,
    [C2D_REJECTED] = C2D_ACK_NEGATIVE,
    [C2D_PURGED] = C2D_ACK_NEGATIVE,
};
static_assert((C2D_ACK_POSITIVE | C2D_ACK_NEGATIVE) == C2D_ACK_FULL, "an ack is a set of bits");

#define FEEDBACK_FROM_MESSAGE                                                                      \
    "INSERT INTO c2d_feedback (hub, device_id, module_id, message_id, generation_id, enqueued_at," \
    " outcome, settled_at) SELECT hub, device_id, module_id, message_id, generation_id,"           \
    " enqueued_at, ?4, ?5 FROM c2d_message WHERE " KEY_IS " AND (ack & ?6) <> 0"
static const struct sql feedback_sql = {FEEDBACK_FROM_MESSAGE " AND sequence = ?7"};
static const struct sql feedback_all_sql = {FEEDBACK_FROM_MESSAGE " ORDER BY sequence"};
static const struct sql delete_sql = {"DELETE FROM c2d_message WHERE " KEY_IS " AND sequence = ?4"};
static const struct sql delete_all_sql = {"DELETE FROM c2d_message WHERE " KEY_IS};
static const struct sql shrink_sql = {"UPDATE c2d_queue SET depth = depth - 1 WHERE " KEY_IS};
static const struct sql empty_sql = {"UPDATE c2d_queue SET depth = 0 WHERE " KEY_IS};

void c2d_unit_settle(struct unit *unit, const struct hub_key *key, int64_t sequence,
                     enum c2d_outcome outcome, instant now)
{
    const struct sql_value row[] = {KEY_VALUES(key), SQL_INT_(sequence)};
    const struct sql_value record[] = {
        KEY_VALUES(key),    SQL_INT_(outcome), SQL_INT_(now), SQL_INT_(wanted_by[outcome]),
        SQL_INT_(sequence),
    };

    unit_add(unit, &feedback_sql, record, COUNT_OF(record), EXPECT_ANY);
    unit_add(unit, &delete_sql, row, COUNT_OF(row), EXPECT_ONE);
    unit_add(unit, &shrink_sql, row, COUNT_OF(row) - 1, EXPECT_ONE);
}

void c2d_unit_purge(struct unit *unit, const struct hub_key *key, instant now)
{
    const struct sql_value queue[] = {KEY_VALUES(key)};
    const struct sql_value record[] = {
        KEY_VALUES(key),
        SQL_INT_(C2D_PURGED),
        SQL_INT_(now),
        SQL_INT_(wanted_by[C2D_PURGED]),
    };

    unit_add(unit, &feedback_all_sql, record, COUNT_OF(record), EXPECT_ANY);
    unit_add(unit, &delete_all_sql, queue, COUNT_OF(queue), EXPECT_ANY);
    unit_add(unit, &empty_sql, queue, COUNT_OF(queue), EXPECT_ANY);
}

static const struct sql abandon_sql = {
    "UPDATE c2d_message SET delivery_count = delivery_count + 1, was_delivered = 1 WHERE " KEY_IS
    " AND sequence = ?4"};
static const struct sql mark_sql = {"UPDATE c2d_message SET was_delivered = 1 WHERE " KEY_IS
                                    " AND sequence = ?4"};

void c2d_unit_abandon(struct unit *unit, const struct hub_key *key, int64_t sequence)
{
    const struct sql_value row[] = {KEY_VALUES(key), SQL_INT_(sequence)};

    unit_add(unit, &abandon_sql, row, COUNT_OF(row), EXPECT_ONE);
}

void c2d_unit_mark_delivered(struct unit *unit, const struct hub_key *key, int64_t sequence)
{
    const struct sql_value row[] = {KEY_VALUES(key), SQL_INT_(sequence)};

    unit_add(unit, &mark_sql, row, COUNT_OF(row), EXPECT_ANY);
}

static const struct sql forget_feedback_sql = {"DELETE FROM c2d_feedback WHERE settled_at < ?1"};

void c2d_unit_forget_feedback(struct unit *unit, instant before)
{
    const struct sql_value params[] = {SQL_INT_(before)};

    unit_add(unit, &forget_feedback_sql, params, COUNT_OF(params), EXPECT_ANY);
}

/* --- reading -------------------------------------------------------------------------------- */

static const struct sql read_sql = {
    "SELECT sequence, body, properties, enqueued_at, expires_at, delivery_count, was_delivered"
    " FROM c2d_message WHERE " KEY_IS " AND sequence > ?4 ORDER BY sequence LIMIT ?5"};
static const struct sql read_expired_sql = {
    "SELECT hub, device_id, module_id, sequence FROM c2d_message WHERE expires_at <= ?1"
    " ORDER BY expires_at LIMIT ?2"};
static const struct sql read_feedback_sql = {
    "SELECT message_id, enqueued_at, outcome, device_id, generation_id FROM c2d_feedback"
    " WHERE hub = ?1 AND settled_at > ?2 ORDER BY settled_at, enqueued_at"};
static const struct sql read_device_feedback_sql = {
    "SELECT message_id, enqueued_at, outcome, device_id, generation_id FROM c2d_feedback"
    " WHERE hub = ?1 AND settled_at > ?2 AND device_id = ?3 ORDER BY settled_at, enqueued_at"};

void c2d_store_read(struct hub *hub, const struct hub_key *key, int64_t after, unsigned limit,
                    store_rows_fn *on_rows, void *context)
{
    const struct sql_value params[] = {KEY_VALUES(key), SQL_INT_(after), SQL_INT_(limit)};

    store_read(hub->store, &read_sql, params, COUNT_OF(params), on_rows, context);
}

void c2d_row_read(const struct rows *rows, struct c2d_row *ret)
{
    *ret = (struct c2d_row){
        .sequence = rows_int(rows, 0),
        .body = rows_bytes(rows, 1),
        .properties = rows_bytes(rows, 2),
        .enqueued_at = rows_int(rows, 3),
        .expires_at = rows_int(rows, 4),
        .delivery_count = (unsigned)rows_int(rows, 5),
        .was_delivered = rows_int(rows, 6) != 0,
    };
}

void c2d_store_read_expired(struct hub *hub, instant now, unsigned limit, store_rows_fn *on_rows,
                            void *context)
{
    const struct sql_value params[] = {SQL_INT_(now), SQL_INT_(limit)};

    store_read(hub->store, &read_expired_sql, params, COUNT_OF(params), on_rows, context);
}

void c2d_store_read_feedback(struct hub *hub, slice hub_name, slice device_id, instant since,
                             store_rows_fn *on_rows, void *context)
{
    const struct sql_value params[] = {SQL_TEXT_(hub_name), SQL_INT_(since), SQL_TEXT_(device_id)};

    if (device_id.len == 0)
        store_read(hub->store, &read_feedback_sql, params, 2, on_rows, context);
    else
        store_read(hub->store, &read_device_feedback_sql, params, 3, on_rows, context);
}
