/* The tables of identity. Statements stand with the code that uses them: device_store.c, policy.c
 * and api_token.c. */
#include "identity/identity.h"

/* A device and its modules share a table; a device's module_id is ''. `device_key` is the device
 * ID in lower case: IDs are unique across all hubs without case, so it finds a row by itself, and
 * lists are in its order. The partial indexes carry the lists that device.h offers and nothing
 * else: a row is in one or two of them. */
static const char create_tables[] =
    "CREATE TABLE device ("
    " device_key TEXT NOT NULL CHECK (device_key <> ''),"
    " module_id TEXT NOT NULL,"
    " hub TEXT NOT NULL,"
    " device_id TEXT NOT NULL,"
    " generation_id TEXT NOT NULL,"
    " version BIGINT NOT NULL,"
    " display_name TEXT NOT NULL,"
    " enabled INTEGER NOT NULL,"
    " approved INTEGER NOT NULL,"
    " blocked INTEGER NOT NULL,"
    " provisioned INTEGER NOT NULL,"
    " simulated INTEGER NOT NULL,"
    " iot_edge INTEGER NOT NULL,"
    " template_id TEXT NOT NULL,"
    " model_id TEXT NOT NULL,"
    " origin INTEGER NOT NULL,"
    " auth INTEGER NOT NULL,"
    " keys BLOB NOT NULL,"
    " primary_thumbprint TEXT NOT NULL,"
    " secondary_thumbprint TEXT NOT NULL,"
    " enrollment_kind INTEGER NOT NULL,"
    " enrollment_id TEXT NOT NULL,"
    " credential_generation BIGINT NOT NULL,"
    " subscriptions INTEGER NOT NULL,"
    " method_filters TEXT NOT NULL,"
    " created_at BIGINT NOT NULL,"
    " updated_at BIGINT NOT NULL,"
    " first_provisioned_at BIGINT NOT NULL,"
    " last_activity_at BIGINT NOT NULL,"
    " attempt_at BIGINT NOT NULL,"
    " attempt_count BIGINT NOT NULL,"
    " attempt_result TEXT NOT NULL,"
    " attempt_reason TEXT NOT NULL,"
    " attempt_protocol TEXT NOT NULL,"
    " attempt_address TEXT NOT NULL,"
    " PRIMARY KEY (device_key, module_id),"
    /* AUTH_SAS without keys is a mistake, never a device that needs none. */
    " CHECK (auth <> 0 OR length(keys) > 0));"
    "CREATE INDEX device_by_template ON device (template_id, device_key) WHERE module_id = '';"
    "CREATE INDEX device_unsettled ON device (device_key)"
    " WHERE module_id = '' AND blocked = 0 AND (approved = 0 OR provisioned = 0);"
    "CREATE INDEX device_blocked ON device (device_key) WHERE module_id = '' AND blocked = 1;"

    "CREATE TABLE policy ("
    " scope TEXT NOT NULL,"
    " name TEXT NOT NULL,"
    " rights INTEGER NOT NULL,"
    " keys BLOB NOT NULL CHECK (length(keys) > 0),"
    " PRIMARY KEY (scope, name));"

    "CREATE TABLE api_token ("
    " token_id TEXT NOT NULL PRIMARY KEY,"
    " hash BLOB NOT NULL," /* SHA-256 of the secret as shown */
    " rights INTEGER NOT NULL,"
    " created_at BIGINT NOT NULL,"
    " expires_at BIGINT NOT NULL);";

static const char *const steps[] = {create_tables};

const struct store_schema identity_schema = {
    .module = "identity", .steps = steps, .count = COUNT_OF(steps)};
