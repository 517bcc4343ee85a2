#include "provisioning/enrollment_store.h"
#include "provisioning/provisioning_internal.h"

/* `*_key` columns hold IDs in lower case. The record of a registration is found by its ID; those
 * of an enrollment or of a device by another name are rare to ask for, but may be many. */
static const char create_tables[] =
    "CREATE TABLE enrollment_set (id INTEGER PRIMARY KEY, version BIGINT NOT NULL);"
    "INSERT INTO enrollment_set (id, version) VALUES (1, 1);"

    "CREATE TABLE enrollment ("
    " kind INTEGER NOT NULL,"
    " id_key TEXT NOT NULL,"
    " id TEXT NOT NULL,"
    " display_name TEXT NOT NULL,"
    " attestation INTEGER NOT NULL,"
    " enabled INTEGER NOT NULL,"
    " gated INTEGER NOT NULL,"
    " iot_edge INTEGER NOT NULL,"
    " device_id TEXT NOT NULL,"
    " device_key TEXT NOT NULL,"
    " hub TEXT NOT NULL,"
    " auto_approve INTEGER," /* NULL: as the setting says */
    " initial_tags TEXT NOT NULL,"
    " initial_desired TEXT NOT NULL,"
    " sealed_keys BLOB NOT NULL,"
    " version BIGINT NOT NULL,"
    " created_at BIGINT NOT NULL,"
    " updated_at BIGINT NOT NULL,"
    " PRIMARY KEY (kind, id_key));"
    "CREATE INDEX enrollment_by_device ON enrollment (device_key) WHERE device_key <> '';"

    "CREATE TABLE registration ("
    " id_key TEXT NOT NULL PRIMARY KEY,"
    " id TEXT NOT NULL,"
    " device_id TEXT NOT NULL,"
    " device_key TEXT NOT NULL,"
    " hub TEXT NOT NULL," /* '': never assigned */
    " substatus TEXT NOT NULL,"
    " enrollment_kind INTEGER NOT NULL,"
    " enrollment_id TEXT NOT NULL,"
    " enrollment_key TEXT NOT NULL,"
    " state INTEGER NOT NULL,"
    " error_code INTEGER NOT NULL,"
    " operation_id TEXT NOT NULL,"
    " previous_operation_id TEXT NOT NULL,"
    " told INTEGER NOT NULL,"
    " created_at BIGINT NOT NULL,"
    " updated_at BIGINT NOT NULL,"
    " version BIGINT NOT NULL);"
    "CREATE INDEX registration_by_enrollment ON registration (enrollment_kind, enrollment_key);"
    "CREATE INDEX registration_by_device ON registration (device_key)"
    " WHERE device_key <> id_key;";

/* Attempts are looked up by ID, newest first; the newest some thousands are kept (attempt.c). */
static const char add_certificates[] =
    "ALTER TABLE enrollment ADD COLUMN primary_thumbprint TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE enrollment ADD COLUMN secondary_thumbprint TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE enrollment ADD COLUMN expired_leaf_allowed INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE registration ADD COLUMN by_certificate INTEGER NOT NULL DEFAULT 0;"

    "CREATE TABLE attempt ("
    " number INTEGER PRIMARY KEY,"
    " at BIGINT NOT NULL,"
    " id_key TEXT NOT NULL,"
    " id TEXT NOT NULL,"
    " result TEXT NOT NULL,"
    " reason TEXT NOT NULL,"
    " enrollment TEXT NOT NULL,"
    " protocol TEXT NOT NULL,"
    " address TEXT NOT NULL,"
    " steps TEXT NOT NULL);"
    "CREATE INDEX attempt_by_id ON attempt (id_key, number);";

static const char *const steps[] = {create_tables, add_certificates};

const struct store_schema provisioning_schema = {
    .module = "provisioning", .steps = steps, .count = COUNT_OF(steps)};

#define FIRST_VERSION 1 /* of the set of groups, before anybody changed it */

static void add_group(struct unit *unit, const struct sealer *sealer, slice id, bool iot_edge)
{
    struct enrollment group = {
        .kind = ENROLLMENT_GROUP,
        .id = id,
        .display_name = id,
        .attestation = ATTEST_SYMMETRIC_KEY,
        .enabled = true,
        .gated = true,
        .iot_edge = iot_edge,
        .version = 1,
    };

    secret_generate(&group.primary, SECRET_MAX);
    secret_generate(&group.secondary, SECRET_MAX);
    enrollment_unit_insert(unit, sealer, &group, clock_wall_ms());
    secret_wipe(&group.primary);
    secret_wipe(&group.secondary);
}

static enum status add_defaults(struct provisioning *p)
{
    struct unit *unit = unit_create(p->st);
    enum status status;

    if (!unit)
        return ST_NO_MEMORY;
    enrollment_unit_move_set(unit, FIRST_VERSION);
    add_group(unit, p->sealer, SLICE(DEFAULT_GROUP), false);
    add_group(unit, p->sealer, SLICE(DEFAULT_EDGE_GROUP), true);
    status = unit_run(unit);
    unit_destroy(unit);
    return status;
}

bool provisioning_make_defaults(struct provisioning *p, struct fault *why)
{
    static const struct sql sql = {"SELECT version FROM enrollment_set WHERE id = 1"};
    int64_t version = 0;
    enum status status = store_read_int_now(p->st, &sql, NULL, 0, &version);

    if (status == ST_OK && version == FIRST_VERSION)
        status = add_defaults(p);
    else if (status == ST_OK && version == 0)
        status = ST_INTERNAL;
    if (status == ST_OK)
        return true;
    (void)fault_set(why, status, "the default enrollment groups could not be made");
    return false;
}
