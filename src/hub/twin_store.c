#include "hub/twin_store.h"

const char twin_tables_sql[] = "CREATE TABLE twin ("
                               " hub TEXT NOT NULL,"
                               " device_id TEXT NOT NULL,"
                               " module_id TEXT NOT NULL,"
                               " tags TEXT NOT NULL,"
                               " desired TEXT NOT NULL,"
                               " desired_metadata TEXT NOT NULL,"
                               " desired_version BIGINT NOT NULL,"
                               " desired_at BIGINT NOT NULL,"
                               " version BIGINT NOT NULL," /* of tags and desired: the ETag */
                               " PRIMARY KEY (hub, device_id, module_id));"

                               "CREATE TABLE twin_reported ("
                               " hub TEXT NOT NULL,"
                               " device_id TEXT NOT NULL,"
                               " module_id TEXT NOT NULL,"
                               " reported TEXT NOT NULL,"
                               " reported_metadata TEXT NOT NULL,"
                               " reported_version BIGINT NOT NULL,"
                               " reported_at BIGINT NOT NULL,"
                               " PRIMARY KEY (hub, device_id, module_id));"

                               "CREATE TABLE twin_patch ("
                               " hub TEXT NOT NULL,"
                               " device_id TEXT NOT NULL,"
                               " module_id TEXT NOT NULL,"
                               " version BIGINT NOT NULL,"
                               " patch TEXT NOT NULL,"
                               " PRIMARY KEY (hub, device_id, module_id, version));";

#define KEY_IS "hub = ?1 AND device_id = ?2 AND module_id = ?3"
#define KEY_VALUES(key)                                                                            \
    SQL_TEXT_((key)->hub), SQL_TEXT_((key)->device_id), SQL_TEXT_((key)->module_id)
/* A row may come to be only for an identity that exists: a device that is being deleted must not
 * leave a twin to the next of its name. */
#define OF_IDENTITY                                                                                \
    " FROM device d WHERE d.device_key = lower(?2) AND d.module_id = ?3 AND d.hub = ?1"            \
    " AND d.device_id = ?2"

/* --- reading -------------------------------------------------------------------------------- */

enum twin_column {
    COLUMN_TAGS,
    COLUMN_DESIRED,
    COLUMN_DESIRED_METADATA,
    COLUMN_DESIRED_VERSION,
    COLUMN_DESIRED_AT,
    COLUMN_VERSION,
    COLUMN_REPORTED,
    COLUMN_REPORTED_METADATA,
    COLUMN_REPORTED_VERSION,
    COLUMN_REPORTED_AT,
};
static const struct sql read_sql = {
    "SELECT t.tags, t.desired, t.desired_metadata, t.desired_version, t.desired_at, t.version,"
    " r.reported, r.reported_metadata, r.reported_version, r.reported_at"
    " FROM (SELECT 1 AS one) o"
    " LEFT JOIN twin t ON t.hub = ?1 AND t.device_id = ?2 AND t.module_id = ?3"
    " LEFT JOIN twin_reported r ON r.hub = ?1 AND r.device_id = ?2 AND r.module_id = ?3"};
static const struct sql read_version_sql = {"SELECT desired_version FROM twin WHERE " KEY_IS};
static const struct sql read_patches_sql = {"SELECT version, patch FROM twin_patch WHERE " KEY_IS
                                            " AND version > ?4 ORDER BY version LIMIT ?5"};

void twin_store_read(struct hub *hub, const struct hub_key *key, store_rows_fn *on_rows,
                     void *context)
{
    const struct sql_value params[] = {KEY_VALUES(key)};

    store_read(hub->store, &read_sql, params, COUNT_OF(params), on_rows, context);
}

static slice section(const struct rows *rows, int column)
{
    slice text = rows_bytes(rows, column);

    return text.len ? text : SLICE("{}");
}

static int64_t version(const struct rows *rows, int column)
{
    return rows_is_null(rows, column) ? TWIN_FIRST_VERSION : rows_int(rows, column);
}

bool twin_row_read(struct rows *rows, struct twin *ret)
{
    if (!rows_next(rows))
        return false;
    ret->tags = section(rows, COLUMN_TAGS);
    ret->desired = section(rows, COLUMN_DESIRED);
    ret->desired_metadata = section(rows, COLUMN_DESIRED_METADATA);
    ret->desired_version = version(rows, COLUMN_DESIRED_VERSION);
    ret->desired_at = rows_int(rows, COLUMN_DESIRED_AT);
    ret->version = version(rows, COLUMN_VERSION);
    ret->etag = ret->version;
    ret->reported = section(rows, COLUMN_REPORTED);
    ret->reported_metadata = section(rows, COLUMN_REPORTED_METADATA);
    ret->reported_version = version(rows, COLUMN_REPORTED_VERSION);
    ret->reported_at = rows_int(rows, COLUMN_REPORTED_AT);
    return true;
}

void twin_store_read_version(struct hub *hub, const struct hub_key *key, store_rows_fn *on_rows,
                             void *context)
{
    const struct sql_value params[] = {KEY_VALUES(key)};

    store_read(hub->store, &read_version_sql, params, COUNT_OF(params), on_rows, context);
}

void twin_store_read_patches(struct hub *hub, const struct hub_key *key, int64_t after,
                             unsigned limit, store_rows_fn *on_rows, void *context)
{
    const struct sql_value params[] = {KEY_VALUES(key), SQL_INT_(after), SQL_INT_(limit)};

    store_read(hub->store, &read_patches_sql, params, COUNT_OF(params), on_rows, context);
}

void twin_write_versioned(slice object, int64_t number, struct buf *to)
{
    bool is_empty = object.len <= 2;

    buf_append(to, slice_first(object, object.len - 1));
    buf_printf(to, "%s\"$version\":%lld}", is_empty ? "" : ",", (long long)number);
}

/* --- writing -------------------------------------------------------------------------------- */

static const struct sql insert_reported_sql = {
    "INSERT INTO twin_reported (hub, device_id, module_id, reported, reported_metadata,"
    " reported_version, reported_at) SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7" OF_IDENTITY};
static const struct sql update_reported_sql = {
    "UPDATE twin_reported SET reported = ?4, reported_metadata = ?5, reported_version = ?6,"
    " reported_at = ?7 WHERE " KEY_IS " AND reported_version = ?8"};

void twin_unit_put_reported(struct unit *unit, const struct hub_key *key, const struct twin *t,
                            int64_t was)
{
    const struct sql_value params[] = {
        KEY_VALUES(key),
        SQL_TEXT_(t->reported),
        SQL_TEXT_(t->reported_metadata),
        SQL_INT_(t->reported_version),
        SQL_INT_(t->reported_at),
        SQL_INT_(was),
    };

    if (was == TWIN_FIRST_VERSION)
        unit_add(unit, &insert_reported_sql, params, COUNT_OF(params) - 1, EXPECT_ONE);
    else
        unit_add(unit, &update_reported_sql, params, COUNT_OF(params), EXPECT_ONE);
}

#define DESIRED_COLUMNS                                                                            \
    "hub, device_id, module_id, tags, desired, desired_metadata, desired_version, desired_at,"     \
    " version"
#define DESIRED_VALUES "?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9"
static const struct sql insert_sql = {"INSERT INTO twin (" DESIRED_COLUMNS
                                      ") VALUES (" DESIRED_VALUES ")"};
static const struct sql insert_desired_sql = {
    "INSERT INTO twin (" DESIRED_COLUMNS ") SELECT " DESIRED_VALUES OF_IDENTITY
    " ON CONFLICT (hub, device_id, module_id) DO UPDATE SET tags = ?4, desired = ?5,"
    " desired_metadata = ?6, desired_version = ?7, desired_at = ?8, version = ?9"
    " WHERE twin.version = ?10"};
static const struct sql update_desired_sql = {
    "UPDATE twin SET tags = ?4, desired = ?5, desired_metadata = ?6, desired_version = ?7,"
    " desired_at = ?8, version = ?9 WHERE " KEY_IS " AND version = ?10"};
#define DESIRED_PARAMS(key, t)                                                                     \
    KEY_VALUES(key), SQL_TEXT_((t)->tags), SQL_TEXT_((t)->desired),                                \
        SQL_TEXT_((t)->desired_metadata), SQL_INT_((t)->desired_version),                          \
        SQL_INT_((t)->desired_at), SQL_INT_((t)->version)

/* A first version may have a row: one that its device was made with. */
void twin_unit_put_desired(struct unit *unit, const struct hub_key *key, const struct twin *t,
                           int64_t was)
{
    const struct sql_value params[] = {DESIRED_PARAMS(key, t), SQL_INT_(was)};

    unit_add(unit, was == TWIN_FIRST_VERSION ? &insert_desired_sql : &update_desired_sql, params,
             COUNT_OF(params), EXPECT_ONE);
}

void twin_unit_insert(struct unit *unit, const struct hub_key *key, const struct twin *t)
{
    const struct sql_value params[] = {DESIRED_PARAMS(key, t)};

    unit_add(unit, &insert_sql, params, COUNT_OF(params), EXPECT_ONE);
}

static const struct sql insert_patch_sql = {
    "INSERT INTO twin_patch (hub, device_id, module_id, version, patch)"
    " VALUES (?1, ?2, ?3, ?4, ?5)"};
static const struct sql prune_patches_sql = {"DELETE FROM twin_patch WHERE " KEY_IS
                                             " AND version <= ?4"};

void twin_unit_add_patch(struct unit *unit, const struct hub_key *key, int64_t number, slice patch)
{
    const struct sql_value added[] = {KEY_VALUES(key), SQL_INT_(number), SQL_TEXT_(patch)};
    const struct sql_value pruned[] = {KEY_VALUES(key), SQL_INT_(number - TWIN_PATCHES_KEPT)};

    unit_add(unit, &insert_patch_sql, added, COUNT_OF(added), EXPECT_ONE);
    unit_add(unit, &prune_patches_sql, pruned, COUNT_OF(pruned), EXPECT_ANY);
}
