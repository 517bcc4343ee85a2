/* The device table: every statement on it, its rows read and written. */
#include "identity/device_store.h"

#include <assert.h>

#include "crypto/thumbprint.h"
#include "identity/identity_internal.h"
#include "store/sql_list.h"

#define DEVICE_KEY_LEN 32

/* --- rows ------------------------------------------------------------------------------------ */

#define COLUMNS                                                                                    \
    "hub, device_id, module_id, generation_id, version, display_name, enabled, approved, blocked," \
    " provisioned, simulated, iot_edge, template_id, model_id, origin, auth, keys,"                \
    " primary_thumbprint, secondary_thumbprint, enrollment_kind, enrollment_id,"                   \
    " credential_generation, subscriptions, method_filters, created_at, updated_at,"               \
    " first_provisioned_at, last_activity_at, attempt_at, attempt_count, attempt_result,"          \
    " attempt_reason, attempt_protocol, attempt_address, expired_leaf_allowed, issuer_marks,"      \
    " organization"

/* In the order of COLUMNS. */
enum column {
    HUB,
    DEVICE_ID,
    MODULE_ID,
    GENERATION_ID,
    VERSION,
    DISPLAY_NAME,
    ENABLED,
    APPROVED,
    BLOCKED,
    PROVISIONED,
    SIMULATED,
    IOT_EDGE,
    TEMPLATE_ID,
    MODEL_ID,
    ORIGIN,
    AUTH,
    KEYS,
    PRIMARY_THUMBPRINT,
    SECONDARY_THUMBPRINT,
    ENROLLMENT_KIND,
    ENROLLMENT_ID,
    CREDENTIAL_GENERATION,
    SUBSCRIPTIONS,
    METHOD_FILTERS,
    CREATED_AT,
    UPDATED_AT,
    FIRST_PROVISIONED_AT,
    LAST_ACTIVITY_AT,
    ATTEMPT_AT,
    ATTEMPT_COUNT,
    ATTEMPT_RESULT,
    ATTEMPT_REASON,
    ATTEMPT_PROTOCOL,
    ATTEMPT_ADDRESS,
    EXPIRED_LEAF_ALLOWED,
    ISSUER_MARKS,
    ORGANIZATION,
    COLUMN_COUNT,
    ORGANIZATION_PATH = COLUMN_COUNT /* behind them, when read */
};

static void read_attempt(struct rows *rows, struct device_attempt *ret)
{
    *ret = (struct device_attempt){
        .at = rows_int(rows, ATTEMPT_AT),
        .count = rows_int(rows, ATTEMPT_COUNT),
        .result = rows_bytes(rows, ATTEMPT_RESULT),
        .reason = rows_bytes(rows, ATTEMPT_REASON),
        .protocol = rows_bytes(rows, ATTEMPT_PROTOCOL),
        .address = rows_bytes(rows, ATTEMPT_ADDRESS),
    };
}

void device_from_row(struct rows *rows, struct device *ret)
{
    *ret = (struct device){
        .hub = rows_bytes(rows, HUB),
        .id = rows_bytes(rows, DEVICE_ID),
        .module_id = rows_bytes(rows, MODULE_ID),
        .generation_id = rows_bytes(rows, GENERATION_ID),
        .version = rows_int(rows, VERSION),
        .display_name = rows_bytes(rows, DISPLAY_NAME),
        .enabled = rows_int(rows, ENABLED) != 0,
        .approved = rows_int(rows, APPROVED) != 0,
        .blocked = rows_int(rows, BLOCKED) != 0,
        .provisioned = rows_int(rows, PROVISIONED) != 0,
        .simulated = rows_int(rows, SIMULATED) != 0,
        .iot_edge = rows_int(rows, IOT_EDGE) != 0,
        .template_id = rows_bytes(rows, TEMPLATE_ID),
        .model_id = rows_bytes(rows, MODEL_ID),
        .origin = (enum device_origin)rows_int(rows, ORIGIN),
        .auth = (enum device_auth)rows_int(rows, AUTH),
        .sealed_keys = rows_bytes(rows, KEYS),
        .primary_thumbprint = rows_bytes(rows, PRIMARY_THUMBPRINT),
        .secondary_thumbprint = rows_bytes(rows, SECONDARY_THUMBPRINT),
        .expired_leaf_allowed = rows_int(rows, EXPIRED_LEAF_ALLOWED) != 0,
        .issuer_marks = rows_bytes(rows, ISSUER_MARKS),
        .organization = rows_bytes(rows, ORGANIZATION),
        .organization_path = rows_bytes(rows, ORGANIZATION_PATH),
        .enrollment_kind = (enum enrollment_kind)rows_int(rows, ENROLLMENT_KIND),
        .enrollment_id = rows_bytes(rows, ENROLLMENT_ID),
        .credential_generation = rows_int(rows, CREDENTIAL_GENERATION),
        .subscriptions = (unsigned)rows_int(rows, SUBSCRIPTIONS),
        .method_filters = rows_bytes(rows, METHOD_FILTERS),
        .created_at = rows_int(rows, CREATED_AT),
        .updated_at = rows_int(rows, UPDATED_AT),
        .first_provisioned_at = rows_int(rows, FIRST_PROVISIONED_AT),
        .last_activity_at = rows_int(rows, LAST_ACTIVITY_AT),
    };
    read_attempt(rows, &ret->attempt);
}

/* --- reading statements ---------------------------------------------------------------------- */

#define PATH                                                                                       \
    "CASE organization WHEN '' THEN '' ELSE (SELECT path FROM organization o"                      \
    " WHERE o.organization_id = device.organization) END"
#define SELECT "SELECT " COLUMNS ", " PATH " FROM device WHERE "
#define PAGE " AND device_key > ?1 ORDER BY device_key LIMIT ?2"

const struct sql device_get_sql = {
    SELECT "device_key = ?1 AND module_id = '' AND hub = ?2 AND device_id = ?3"};
const struct sql device_get_module_sql = {
    SELECT "device_key = ?1 AND module_id IN ('', ?4) AND hub = ?2 AND device_id = ?3"
           " ORDER BY module_id"};
const struct sql device_find_sql = {SELECT "device_key = ?1 AND module_id = ''"};
const struct sql device_find_some_sql = {SELECT "module_id = '' AND device_key IN (" SQL_LIST ")"};
const struct sql device_count_sql = {"SELECT COUNT(*) FROM device WHERE module_id = ''"};
const struct sql device_list_modules_sql = {
    SELECT "device_key = ?1 AND module_id > '' AND hub = ?2 AND device_id = ?3"
           " ORDER BY module_id"};

const struct sql device_list_sql = {SELECT "module_id = ''" PAGE};
const struct sql device_list_template_sql = {SELECT "module_id = '' AND template_id = ?3" PAGE};
const struct sql device_list_unsettled_sql = {
    SELECT "module_id = '' AND blocked = 0 AND (approved = 0 OR provisioned = 0)" PAGE};
const struct sql device_list_provisioned_sql = {
    SELECT "module_id = '' AND blocked = 0 AND approved = 1 AND provisioned = 1" PAGE};
const struct sql device_list_blocked_sql = {SELECT "module_id = '' AND blocked = 1" PAGE};
const struct sql device_list_simulated_sql = {
    SELECT "module_id = '' AND simulated = 1 AND blocked = 0 AND enabled = 1" PAGE};
/* The keys of a page come from the index alone. */
const struct sql device_list_within_sql = {
    SELECT "module_id = '' AND device_key IN (SELECT d.device_key FROM device d"
           " WHERE d.organization <> '' AND d.organization IN (SELECT organization_id"
           " FROM organization WHERE substr(path, 1, length(?3)) = ?3)"
           " AND d.device_key > ?1 ORDER BY d.device_key LIMIT ?2) ORDER BY device_key"};

#define BY_NAME SELECT "module_id = '' "
const struct sql device_list_name_sql = {BY_NAME "AND (display_name, device_key) > (?3, ?1)"
                                                 " ORDER BY display_name, device_key LIMIT ?2"};
const struct sql device_list_name_down_sql = {
    BY_NAME "AND (display_name, device_key) < (?3, ?1)"
            " ORDER BY display_name DESC, device_key DESC LIMIT ?2"};
const struct sql device_list_last_name_sql = {
    BY_NAME "ORDER BY display_name DESC, device_key DESC LIMIT ?2"};

/* NOT INDEXED: by the rows' numbers, never along another index. */
#define UNINDEXED_MAX "5000" /* looked at; more there are only while many are being added */
#define FOUND                                                                                      \
    "SELECT " COLUMNS ", " PATH " FROM device NOT INDEXED WHERE module_id = '' AND rowid IN"       \
    " (SELECT rowid FROM device_search WHERE device_search MATCH ?4 UNION ALL SELECT rowid FROM"   \
    " (SELECT rowid FROM device WHERE rowid > (SELECT upto FROM device_search_state)"              \
    " LIMIT " UNINDEXED_MAX ") UNION ALL SELECT number FROM"                                       \
    " (SELECT number FROM device_search_stale LIMIT " UNINDEXED_MAX ")) "
const struct sql device_list_found_sql = {FOUND PAGE};
const struct sql device_list_found_name_sql = {FOUND "AND (display_name, device_key) > (?3, ?1)"
                                                     " ORDER BY display_name, device_key LIMIT ?2"};
const struct sql device_list_found_name_down_sql = {
    FOUND "AND (display_name, device_key) < (?3, ?1)"
          " ORDER BY display_name DESC, device_key DESC LIMIT ?2"};
const struct sql device_list_found_last_name_sql = {
    FOUND "ORDER BY display_name DESC, device_key DESC LIMIT ?2"};

/* --- what goes into rows --------------------------------------------------------------------- */

/* Values of a change that need memory of their own until the unit has copied them. */
struct prepared {
    uint8_t key[DEVICE_ID_MAX];
    uint8_t sealed[KEY_PAIR_SEALED_MAX];
    char thumbprints[2][THUMBPRINT_MAX];
};

/* Seals the keys given, or fresh ones for a SAS identity without any. An empty value, should
 * sealing fail, is refused by the table. */
static slice seal_keys(const struct identity *id, slice device_id, slice module_id,
                       const struct device_new *n, uint8_t to[KEY_PAIR_SEALED_MAX])
{
    struct buf sealed = {.ptr = to, .cap = KEY_PAIR_SEALED_MAX, .max = KEY_PAIR_SEALED_MAX};
    SECRET_CLEANUP struct secret primary = n->primary, secondary = n->secondary;

    if (primary.len == 0 && secondary.len == 0) {
        if (n->auth != AUTH_SAS)
            return (slice){0};
        secret_generate(&primary, DEVICE_KEY_LEN);
        secret_generate(&secondary, DEVICE_KEY_LEN);
    }
    key_pair_seal(id->sealer, "device", device_id, module_id, &primary, &secondary, &sealed);
    return sealed.failed ? (slice){0} : buf_slice(&sealed);
}

/* Upper case; what is longer than any thumbprint is left as it is and matches nothing. */
static slice upper(slice thumbprint, char to[THUMBPRINT_MAX])
{
    if (thumbprint.len > THUMBPRINT_MAX)
        return thumbprint;
    for (size_t i = 0; i < thumbprint.len; i++) {
        uint8_t c = thumbprint.ptr[i];

        to[i] = (char)(c >= 'a' && c <= 'z' ? c & ~0x20 : c);
    }
    return slice_of(to, thumbprint.len);
}

/* Opaque to everyone; 18 digits as in Azure's, new whenever a device is made. */
#define GENERATION_ID_LEN 18
static slice make_generation_id(char to[GENERATION_ID_LEN])
{
    uint64_t random;

    random_bytes(&random, sizeof random);
    for (size_t i = 0; i < GENERATION_ID_LEN; i++) {
        to[i] = (char)('0' + random % 10);
        random /= 10;
    }
    return slice_of(to, GENERATION_ID_LEN);
}

/* --- inserting ------------------------------------------------------------------------------- */

#define VALUES                                                                                     \
    "?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20,"   \
    " ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31, ?32, ?33, ?34, ?35, ?36, ?37,"        \
    " ?38"
static_assert(COLUMN_COUNT == 37, "one parameter for each column, the last for the device key");

static const struct sql insert_sql = {"INSERT INTO device (" COLUMNS ", device_key) VALUES (" VALUES
                                      ")"};
static const struct sql insert_module_sql = {
    "INSERT INTO device (" COLUMNS ", device_key) SELECT " VALUES
    " FROM device d WHERE d.device_key = ?38 AND d.module_id = '' AND d.hub = ?1"
    " AND d.device_id = ?2"};

static void put_facts(struct sql_value *row, const struct device_new *n)
{
    row[DISPLAY_NAME] = SQL_TEXT_(n->display_name.len ? n->display_name : n->id);
    row[ENABLED] = SQL_INT_(n->enabled);
    row[APPROVED] = SQL_INT_(n->approved);
    row[BLOCKED] = SQL_INT_(n->blocked);
    row[PROVISIONED] = SQL_INT_(n->provisioned);
    row[SIMULATED] = SQL_INT_(n->simulated);
    row[IOT_EDGE] = SQL_INT_(n->iot_edge);
    row[TEMPLATE_ID] = SQL_TEXT_(n->template_id);
    row[MODEL_ID] = SQL_TEXT_(n->model_id);
    row[ORGANIZATION] = SQL_TEXT_(n->organization);
    row[ORIGIN] = SQL_INT_(n->origin);
    row[ENROLLMENT_KIND] = SQL_INT_(n->enrollment_kind);
    row[ENROLLMENT_ID] = SQL_TEXT_(n->enrollment_id);
    row[CREATED_AT] = SQL_INT_(n->now);
    row[UPDATED_AT] = SQL_INT_(n->now);
    row[FIRST_PROVISIONED_AT] = SQL_INT_(n->provisioned ? n->now : 0);
    row[LAST_ACTIVITY_AT] = SQL_INT_(0);
}

static void put_credentials(struct sql_value *row, const struct identity *id,
                            const struct device_new *n, struct prepared *p)
{
    row[AUTH] = SQL_INT_(n->auth);
    row[KEYS] = SQL_BLOB_(seal_keys(id, n->id, n->module_id, n, p->sealed));
    row[PRIMARY_THUMBPRINT] = SQL_TEXT_(upper(n->primary_thumbprint, p->thumbprints[0]));
    row[SECONDARY_THUMBPRINT] = SQL_TEXT_(upper(n->secondary_thumbprint, p->thumbprints[1]));
    row[EXPIRED_LEAF_ALLOWED] = SQL_INT_(n->expired_leaf_allowed);
    row[ISSUER_MARKS] = SQL_BLOB_(n->issuer_marks);
    /* A device made anew begins above all generations of one that was deleted under its ID. */
    row[CREDENTIAL_GENERATION] = SQL_INT_(n->now);
    row[SUBSCRIPTIONS] = SQL_INT_(0);
    row[METHOD_FILTERS] = SQL_TEXT_((slice){0});
}

static void put_attempt(struct sql_value *row, const struct device_attempt *a)
{
    row[ATTEMPT_AT] = SQL_INT_(a->at);
    row[ATTEMPT_COUNT] = SQL_INT_(a->count);
    row[ATTEMPT_RESULT] = SQL_TEXT_(a->result);
    row[ATTEMPT_REASON] = SQL_TEXT_(a->reason);
    row[ATTEMPT_PROTOCOL] = SQL_TEXT_(a->protocol);
    row[ATTEMPT_ADDRESS] = SQL_TEXT_(a->address);
}

void device_unit_insert(struct unit *unit, const struct identity *id, const struct device_new *n)
{
    struct prepared p;
    struct sql_value row[COLUMN_COUNT + 1];
    char generation_id[GENERATION_ID_LEN];

    row[HUB] = SQL_TEXT_(n->hub);
    row[DEVICE_ID] = SQL_TEXT_(n->id);
    row[MODULE_ID] = SQL_TEXT_(n->module_id);
    row[GENERATION_ID] = SQL_TEXT_(make_generation_id(generation_id));
    row[VERSION] = SQL_INT_(1);
    put_facts(row, n);
    put_credentials(row, id, n, &p);
    put_attempt(row, &n->attempt);
    row[COLUMN_COUNT] = SQL_TEXT_(device_key_of(n->id, p.key));
    unit_add(unit, n->module_id.len ? &insert_module_sql : &insert_sql, row, COUNT_OF(row),
             EXPECT_ONE);
}

/* --- changing -------------------------------------------------------------------------------- */

/* The row as it was read and no other: the generation ID tells it from one made anew. */
#define GUARD "device_key = ?1 AND module_id = ?2 AND generation_id = ?3 AND version = ?4"
#define GUARD_COUNT 4

/* A parameter that is NULL leaves its column as it is. */
static const struct sql update_sql = {
    "UPDATE device SET version = version + 1, updated_at = ?5,"
    " credential_generation = COALESCE(?6, credential_generation),"
    " enabled = COALESCE(?7, enabled), approved = COALESCE(?8, approved),"
    " blocked = COALESCE(?9, blocked), provisioned = COALESCE(?10, provisioned),"
    " first_provisioned_at = CASE WHEN ?10 = 1 AND first_provisioned_at = 0 THEN ?5"
    " ELSE first_provisioned_at END,"
    " template_id = COALESCE(?11, template_id), display_name = COALESCE(?12, display_name),"
    " auth = COALESCE(?13, auth), keys = COALESCE(?14, keys),"
    " primary_thumbprint = COALESCE(?15, primary_thumbprint),"
    " secondary_thumbprint = COALESCE(?16, secondary_thumbprint),"
    " enrollment_kind = COALESCE(?17, enrollment_kind),"
    " enrollment_id = COALESCE(?18, enrollment_id), model_id = COALESCE(?19, model_id),"
    " attempt_at = COALESCE(?20, attempt_at), attempt_count = COALESCE(?21, attempt_count),"
    " attempt_result = COALESCE(?22, attempt_result),"
    " attempt_reason = COALESCE(?23, attempt_reason),"
    " attempt_protocol = COALESCE(?24, attempt_protocol),"
    " attempt_address = COALESCE(?25, attempt_address), hub = COALESCE(?26, hub),"
    " expired_leaf_allowed = COALESCE(?27, expired_leaf_allowed),"
    " issuer_marks = COALESCE(?28, issuer_marks),"
    " organization = COALESCE(?29, organization)"
    " WHERE " GUARD};
static const struct sql delete_sql = {"DELETE FROM device WHERE " GUARD};
static const struct sql delete_modules_sql = {
    "DELETE FROM device WHERE device_key = ?1 AND module_id > ''"};
static const struct sql move_modules_sql = {
    "UPDATE device SET hub = ?2 WHERE device_key = ?1 AND module_id > ''"};

static void put_guard(struct sql_value guard[GUARD_COUNT], const struct device *was,
                      uint8_t key[DEVICE_ID_MAX])
{
    guard[0] = SQL_TEXT_(device_key_of(was->id, key));
    guard[1] = SQL_TEXT_(was->module_id);
    guard[2] = SQL_TEXT_(was->generation_id);
    guard[3] = SQL_INT_(was->version);
}

static struct sql_value integer_if(unsigned set, int64_t value)
{
    return set ? SQL_INT_(value) : SQL_NULL_;
}

static struct sql_value text_if(unsigned set, slice value)
{
    return set ? SQL_TEXT_(value) : SQL_NULL_;
}

void device_unit_update(struct unit *unit, const struct identity *id, const struct device *was,
                        const struct device_change *change)
{
    struct prepared p;
    const struct device_new *to = &change->to;
    unsigned set = change->set, keys = set & DEVICE_SET_KEYS;
    unsigned enrollment = set & DEVICE_SET_ENROLLMENT, attempt = set & DEVICE_SET_ATTEMPT;
    slice name = to->display_name.len ? to->display_name : was->id;
    slice sealed = keys ? seal_keys(id, was->id, was->module_id, to, p.sealed) : (slice){0};
    struct sql_value guard[GUARD_COUNT];

    put_guard(guard, was, p.key);
    const struct sql_value values[] = {
        guard[0],
        guard[1],
        guard[2],
        guard[3],
        SQL_INT_(to->now),
        integer_if(set & DEVICE_BUMP_CREDENTIAL, device_next_generation(was, to->now)),
        integer_if(set & DEVICE_SET_ENABLED, to->enabled),
        integer_if(set & DEVICE_SET_APPROVED, to->approved),
        integer_if(set & DEVICE_SET_BLOCKED, to->blocked),
        integer_if(set & DEVICE_SET_PROVISIONED, to->provisioned),
        text_if(set & DEVICE_SET_TEMPLATE, to->template_id),
        text_if(set & DEVICE_SET_DISPLAY_NAME, name),
        integer_if(keys, to->auth),
        keys ? SQL_BLOB_(sealed) : SQL_NULL_,
        text_if(keys, upper(to->primary_thumbprint, p.thumbprints[0])),
        text_if(keys, upper(to->secondary_thumbprint, p.thumbprints[1])),
        integer_if(enrollment, to->enrollment_kind),
        text_if(enrollment, to->enrollment_id),
        text_if(set & DEVICE_SET_MODEL, to->model_id),
        integer_if(attempt, to->attempt.at),
        integer_if(attempt, to->attempt.count),
        text_if(attempt, to->attempt.result),
        text_if(attempt, to->attempt.reason),
        text_if(attempt, to->attempt.protocol),
        text_if(attempt, to->attempt.address),
        text_if(set & DEVICE_SET_HUB, to->hub),
        integer_if(keys, to->expired_leaf_allowed),
        keys ? SQL_BLOB_(to->issuer_marks) : SQL_NULL_,
        text_if(set & DEVICE_SET_ORGANIZATION, to->organization),
    };
    unit_add(unit, &update_sql, values, COUNT_OF(values), EXPECT_ONE);
    if (set & DEVICE_SET_HUB && was->module_id.len == 0) {
        const struct sql_value move[] = {guard[0], SQL_TEXT_(to->hub)};

        unit_add(unit, &move_modules_sql, move, COUNT_OF(move), EXPECT_ANY);
    }
}

void device_unit_delete(struct unit *unit, const struct device *was)
{
    struct sql_value guard[GUARD_COUNT];
    uint8_t key[DEVICE_ID_MAX];

    put_guard(guard, was, key);
    unit_add(unit, &delete_sql, guard, COUNT_OF(guard), EXPECT_ONE);
    if (was->module_id.len == 0)
        unit_add(unit, &delete_modules_sql, guard, 1, EXPECT_ANY);
}

/* --- behind ---------------------------------------------------------------------------------- */

#define ACTIVITY_BATCH 500 /* devices in one unit */

static const struct sql subscriptions_sql = {
    "UPDATE device SET subscriptions = ?4, method_filters = ?5"
    " WHERE device_key = ?1 AND module_id = ?2 AND hub = ?3"};
static const struct sql activity_sql = {
    "UPDATE device SET last_activity_at = ?4"
    " WHERE device_key = ?1 AND module_id = ?2 AND hub = ?3 AND last_activity_at < ?4"};

bool device_save_subscriptions(struct identity *id, slice hub, slice device_id, slice module_id,
                               unsigned subscriptions, slice method_filters, unit_done_fn *on_saved,
                               void *context)
{
    uint8_t key[DEVICE_ID_MAX];
    const struct sql_value values[] = {SQL_TEXT_(device_key_of(device_id, key)),
                                       SQL_TEXT_(module_id), SQL_TEXT_(hub),
                                       SQL_INT_(subscriptions), SQL_TEXT_(method_filters)};
    struct unit *unit = unit_create(id->store);

    if (!unit)
        return false;
    unit_add(unit, &subscriptions_sql, values, COUNT_OF(values), EXPECT_ANY);
    unit_submit(unit, on_saved, context);
    return true;
}

static void save_some(struct identity *id, const struct device_activity *list, size_t count)
{
    struct unit *unit = unit_create(id->store);

    if (!unit)
        return;
    for (size_t i = 0; i < count; i++) {
        uint8_t key[DEVICE_ID_MAX];
        const struct sql_value values[] = {SQL_TEXT_(device_key_of(list[i].device_id, key)),
                                           SQL_TEXT_(list[i].module_id), SQL_TEXT_(list[i].hub),
                                           SQL_INT_(list[i].at)};

        unit_add(unit, &activity_sql, values, COUNT_OF(values), EXPECT_ANY);
    }
    unit_submit(unit, NULL, NULL);
}

void device_save_activity(struct identity *id, const struct device_activity *list, size_t count)
{
    for (size_t done = 0; done < count; done += ACTIVITY_BATCH)
        save_some(id, list + done, count - done < ACTIVITY_BATCH ? count - done : ACTIVITY_BATCH);
}
