/* The tables of identity. Statements stand with the code that uses them: device_store.c, policy.c,
 * authority_store.c, trust_snapshot.c, access_view.c, the files of roles and their kind, audit.c,
 * sign_in_store.c and its kind. */
#include "identity/access/sign_in_store.h"
#include "identity/device_search.h"
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

/* Certificates. An authority is what a slot of an enrollment group holds; `group_key` is the
 * group's ID in lower case. The one row of trust_set counts the versions of all of it. A
 * certificate may be in both slots of one group and in no other's: the index refuses the same
 * slot of another group, the statement that writes (authority_store.c) also the other slot. */
static const char add_trust[] =
    "ALTER TABLE device ADD COLUMN expired_leaf_allowed INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE device ADD COLUMN issuer_marks BLOB;" /* NULL: none */

    "CREATE TABLE authority ("
    " group_key TEXT NOT NULL CHECK (group_key <> ''),"
    " slot INTEGER NOT NULL CHECK (slot IN (1, 2)),"
    " certificate BLOB NOT NULL CHECK (length(certificate) > 0),"
    " thumbprint TEXT NOT NULL CHECK (length(thumbprint) = 64),"
    " enabled INTEGER NOT NULL,"
    " verified_at BIGINT NOT NULL,"
    " verified_by TEXT NOT NULL,"
    " self_attested INTEGER NOT NULL,"
    " code TEXT NOT NULL,"
    " code_at BIGINT NOT NULL,"
    " crl BLOB NOT NULL,"
    " crl_number TEXT NOT NULL,"
    " crl_this_update BIGINT NOT NULL,"
    " crl_next_update BIGINT NOT NULL,"
    " ocsp_url TEXT NOT NULL,"
    " ocsp_strict INTEGER NOT NULL,"
    " created_at BIGINT NOT NULL,"
    " updated_at BIGINT NOT NULL,"
    " version BIGINT NOT NULL,"
    " PRIMARY KEY (group_key, slot));"
    "CREATE UNIQUE INDEX authority_by_thumbprint ON authority (thumbprint, slot);"

    "CREATE TABLE denied_certificate ("
    " denial_key TEXT NOT NULL PRIMARY KEY,"
    " number BIGINT NOT NULL UNIQUE," /* in order of insertion */
    " thumbprint TEXT NOT NULL,"
    " group_id TEXT NOT NULL,"
    " serial TEXT NOT NULL,"
    " reason TEXT NOT NULL,"
    " denied_by TEXT NOT NULL,"
    " denied_at BIGINT NOT NULL,"
    " mark BIGINT NOT NULL CHECK (mark <> 0)," /* of certificate_read.h, as a signed number */
    " CHECK (thumbprint <> '' OR (group_id <> '' AND serial <> '')));"
    "CREATE INDEX denied_by_mark ON denied_certificate (mark);"

    "CREATE TABLE trust_set (id INTEGER NOT NULL PRIMARY KEY, version BIGINT NOT NULL);"
    "INSERT INTO trust_set (id, version) VALUES (1, 1);";

/* Who may use the application. Roles and organizations are few and read whole; the one row of
 * access_set counts the changes of all that is here, and every change is guarded by it. The only
 * tokens of the steps before were the commands' own, with all rights. `user` is a word of SQL. */
static const char add_access[] =
    "CREATE TABLE organization ("
    " organization_id TEXT NOT NULL PRIMARY KEY,"
    " display_name TEXT NOT NULL,"
    " path TEXT NOT NULL);" /* organization.h */

    "CREATE TABLE role ("
    " role_id TEXT NOT NULL PRIMARY KEY,"
    " display_name TEXT NOT NULL UNIQUE,"
    " permissions TEXT NOT NULL);" /* their names, a blank between */

    "CREATE TABLE app_user ("
    " user_id TEXT NOT NULL PRIMARY KEY,"
    " email TEXT NOT NULL,"
    " email_key TEXT NOT NULL UNIQUE," /* in lower case */
    " created_at BIGINT NOT NULL);"

    "CREATE TABLE assignment ("
    " holder_kind INTEGER NOT NULL," /* enum holder */
    " holder_id TEXT NOT NULL,"
    " role_id TEXT NOT NULL,"
    " organization_id TEXT NOT NULL," /* '': the whole application */
    " PRIMARY KEY (holder_kind, holder_id, role_id, organization_id));"
    "CREATE INDEX assignment_by_role ON assignment (role_id);"
    "CREATE INDEX assignment_by_organization ON assignment (organization_id);"

    "INSERT INTO assignment (holder_kind, holder_id, role_id, organization_id)"
    " SELECT 2, token_id, 'ca310b8d-2f4a-44e0-a36e-957c202cd8d4', '' FROM api_token;"
    "UPDATE api_token SET expires_at = created_at + 31536000000"
    " WHERE expires_at > created_at + 31536000000;" /* a year, at most */
    "ALTER TABLE api_token DROP COLUMN rights;"

    "CREATE TABLE access_set (id INTEGER NOT NULL PRIMARY KEY, version BIGINT NOT NULL);"
    "INSERT INTO access_set (id, version) VALUES (1, 1);"

    /* The columns before `entry` repeat what it says, for filters. */
    "CREATE TABLE audit ("
    " number BIGINT NOT NULL PRIMARY KEY,"
    " at BIGINT NOT NULL,"
    " actor TEXT NOT NULL,"
    " action TEXT NOT NULL,"
    " target TEXT NOT NULL,"
    " entry TEXT NOT NULL,"
    " hash TEXT NOT NULL);"
    "INSERT INTO audit (number, at, actor, action, target, entry, hash) VALUES (0, 0, '', '', '',"
    " '', '0000000000000000000000000000000000000000000000000000000000000000');";

/* '': of the application itself. Modules are where their devices are. The index by name is the
 * order of lists that ask for it. */
static const char add_places[] =
    "ALTER TABLE device ADD COLUMN organization TEXT NOT NULL DEFAULT '';"
    "CREATE INDEX device_by_organization ON device (organization, device_key)"
    " WHERE organization <> '';"
    "CREATE INDEX device_by_name ON device (display_name, device_key) WHERE module_id = '';";

/* The few devices that the application itself plays. */
static const char add_simulated[] = "CREATE INDEX device_simulated ON device (device_key)"
                                    " WHERE module_id = '' AND simulated = 1;";

static const char *const steps[] = {create_tables,  add_trust,     add_access,          add_places,
                                    sign_in_tables, add_simulated, device_search_tables};

const struct store_schema identity_schema = {
    .module = "identity", .steps = steps, .count = COUNT_OF(steps)};
