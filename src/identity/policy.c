#include "identity/policy.h"

#include <stdlib.h>

#include "identity/identity_internal.h"
#include "identity/principal.h"

#define POLICY_KEY_LEN 32

static const struct sql get_sql = {
    "SELECT scope, name, rights, keys FROM policy WHERE scope = ?1 AND name = ?2"};
static const struct sql find_sql = {"SELECT scope, name, rights, keys FROM policy"
                                    " WHERE scope IN (?1, '" DPS_SCOPE "') AND name = ?2"
                                    " ORDER BY scope DESC"};
static const struct sql list_sql = {
    "SELECT scope, name, rights, keys FROM policy ORDER BY scope, name"};
static const struct sql count_sql = {"SELECT COUNT(*) FROM policy WHERE scope = ?1"};
static const struct sql insert_sql = {
    "INSERT INTO policy (scope, name, rights, keys) VALUES (?1, ?2, ?3, ?4)"};

slice policy_scope_of_hub(const struct hub_name *hub, char to[POLICY_SCOPE_MAX])
{
    struct buf scope = {.ptr = (uint8_t *)to, .cap = POLICY_SCOPE_MAX, .max = POLICY_SCOPE_MAX};

    buf_append_str(&scope, "hub:");
    buf_append(&scope, hub->name);
    return scope.failed ? (slice){0} : buf_slice(&scope);
}

/* --- the defaults ---------------------------------------------------------------------------- */

struct default_policy {
    const char *name;
    unsigned rights;
};

/* contract/provisioning.md 1.7 */
static const struct default_policy hub_policies[] = {
    {"iothubowner",
     RIGHT_REGISTRY_READ | RIGHT_REGISTRY_WRITE | RIGHT_SERVICE_CONNECT | RIGHT_DEVICE_CONNECT},
    {"service", RIGHT_SERVICE_CONNECT},
    {"device", RIGHT_DEVICE_CONNECT},
    {"registryRead", RIGHT_REGISTRY_READ},
    {"registryReadWrite", RIGHT_REGISTRY_READ | RIGHT_REGISTRY_WRITE},
};
static const struct default_policy dps_policies[] = {
    {"provisioningserviceowner", RIGHT_DPS_CONFIG | RIGHT_ENROLLMENT_READ | RIGHT_ENROLLMENT_WRITE |
                                     RIGHT_DEVICE_CONNECT | RIGHT_REGISTRATION_READ |
                                     RIGHT_REGISTRATION_WRITE},
};

/* Sealed with fresh keys; false when out of memory. */
static bool add_policy(struct unit *unit, const struct identity *id, slice scope,
                       const struct default_policy *p)
{
    SECRET_CLEANUP struct secret primary = {.len = 0}, secondary = {.len = 0};
    uint8_t bytes[KEY_PAIR_SEALED_MAX];
    struct buf sealed = BUF_OVER(bytes);
    slice name = slice_str(p->name);

    secret_generate(&primary, POLICY_KEY_LEN);
    secret_generate(&secondary, POLICY_KEY_LEN);
    key_pair_seal(id->sealer, "policy", scope, name, &primary, &secondary, &sealed);
    const struct sql_value values[] = {SQL_TEXT_(scope), SQL_TEXT_(name), SQL_INT_(p->rights),
                                       SQL_BLOB_(buf_slice(&sealed))};
    unit_add(unit, &insert_sql, values, COUNT_OF(values), EXPECT_ONE);
    return !sealed.failed;
}

static enum status insert_now(struct identity *id, slice scope, const struct default_policy *list,
                              size_t count)
{
    struct unit *unit = unit_create(id->store);
    enum status status = ST_NO_MEMORY;
    bool ok = unit != NULL;

    for (size_t i = 0; ok && i < count; i++)
        ok = add_policy(unit, id, scope, &list[i]);
    if (ok)
        status = unit_run(unit);
    unit_destroy(unit);
    return status;
}

static enum status create_now(struct identity *id, slice scope, const struct default_policy *list,
                              size_t count, struct fault *why)
{
    const struct sql_value value = SQL_TEXT_(scope);
    int64_t existing = 0;
    enum status status = store_read_int_now(id->store, &count_sql, &value, 1, &existing);

    if (status == ST_OK && existing == 0)
        status = insert_now(id, scope, list, count);
    if (status != ST_OK)
        return fault_set(why, status, "cannot make the policies of '%.*s': %s", SLICE_FMT(scope),
                         status_name(status));
    return ST_OK;
}

enum status policies_create_now(struct identity *id, struct fault *why)
{
    char text[POLICY_SCOPE_MAX];
    enum status status =
        create_now(id, SLICE(DPS_SCOPE), dps_policies, COUNT_OF(dps_policies), why);

    for (size_t i = 0; status == ST_OK && i < id->options.hub_count; i++) {
        slice scope = policy_scope_of_hub(&id->options.hubs[i], text);

        if (scope.len == 0)
            return fault_set(why, ST_BAD_REQUEST, "the name of hub %zu is too long", i + 1);
        status = create_now(id, scope, hub_policies, COUNT_OF(hub_policies), why);
    }
    return status;
}

/* --- reading --------------------------------------------------------------------------------- */

struct lookup {
    struct identity *id;
    policy_fn *on_policy;
    void *context;
};

static struct lookup *create_lookup(struct identity *id, policy_fn *on_policy, void *context)
{
    struct lookup *l = malloc(sizeof *l);

    if (l)
        *l = (struct lookup){id, on_policy, context};
    else
        on_policy(context, ST_NO_MEMORY, NULL);
    return l;
}

static void answer(struct lookup *l, enum status status)
{
    l->on_policy(l->context, status, NULL);
    free(l);
}

/* The current row to the caller; its keys are wiped afterwards. */
static enum status give_row(const struct lookup *l, struct rows *rows)
{
    struct policy p = {.scope = rows_bytes(rows, 0),
                       .name = rows_bytes(rows, 1),
                       .rights = (unsigned)rows_int(rows, 2)};
    enum status status = key_pair_unseal(l->id->sealer, "policy", p.scope, p.name,
                                         rows_bytes(rows, 3), &p.primary, &p.secondary, NULL);

    if (status == ST_OK)
        l->on_policy(l->context, ST_OK, &p);
    secret_wipe(&p.primary);
    secret_wipe(&p.secondary);
    return status;
}

static void on_row(void *context, enum status status, struct rows *rows)
{
    struct lookup *l = context;

    if (status == ST_OK && !rows_next(rows)) {
        status = rows_status(rows);
        answer(l, status == ST_OK ? ST_NOT_FOUND : status);
        return;
    }
    if (status == ST_OK)
        status = give_row(l, rows);
    if (status == ST_OK)
        free(l);
    else
        answer(l, status);
}

static void read_one(struct identity *id, const struct sql *sql, slice scope, slice name,
                     policy_fn *on_policy, void *context)
{
    const struct sql_value values[] = {SQL_TEXT_(scope), SQL_TEXT_(name)};
    struct lookup *l = create_lookup(id, on_policy, context);

    if (l)
        store_read(id->store, sql, values, COUNT_OF(values), on_row, l);
}

void policy_get(struct identity *id, slice scope, slice name, policy_fn *on_policy, void *context)
{
    read_one(id, &get_sql, scope, name, on_policy, context);
}

void policy_find(struct identity *id, const struct hub_name *hub, slice name, policy_fn *on_policy,
                 void *context)
{
    char text[POLICY_SCOPE_MAX];

    read_one(id, &find_sql, hub ? policy_scope_of_hub(hub, text) : (slice){0}, name, on_policy,
             context);
}

static void on_rows(void *context, enum status status, struct rows *rows)
{
    struct lookup *l = context;

    while (status == ST_OK && rows_next(rows))
        status = give_row(l, rows);
    answer(l, status == ST_OK ? rows_status(rows) : status);
}

void policy_list(struct identity *id, policy_fn *on_policy, void *context)
{
    struct lookup *l = create_lookup(id, on_policy, context);

    if (l)
        store_read(id->store, &list_sql, NULL, 0, on_rows, l);
}

/* --- at the start ---------------------------------------------------------------------------- */

struct opening {
    struct identity *id;
    enum status status;
};

static void pass_over(void *context, enum status status, const struct policy *p)
{
    (void)context;
    (void)status;
    (void)p;
}

static void on_openable(void *context, enum status status, struct rows *rows)
{
    struct opening *o = context;
    const struct lookup all = {o->id, pass_over, NULL};

    while (status == ST_OK && rows_next(rows))
        status = give_row(&all, rows);
    o->status = status == ST_OK ? rows_status(rows) : status;
}

enum status policies_open_now(struct identity *id, struct fault *why)
{
    struct opening o = {.id = id, .status = ST_OK};
    enum status status = store_read_now(id->store, &list_sql, NULL, 0, on_openable, &o);

    if (status == ST_OK)
        status = o.status;
    if (status != ST_OK)
        return fault_set(why, status,
                         "the store's secrets do not open: its master key is another (%s)",
                         status_name(status));
    return ST_OK;
}
