#include "identity/sign_in/user_session.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "identity/access/access_internal.h"
#include "identity/sign_in/sign_in_internal.h"

#define ID_BYTES (USER_SESSION_ID_LEN / 2)
#define SEEN_STEP_MS (INT64_C(60) * 1000) /* so often is it written down that one is in use */

static const struct sql begin_sql = {
    "INSERT INTO user_session (hash, user_id, created_at, seen_at)"
    " SELECT ?1, user_id, ?3, ?3 FROM app_user WHERE user_id = ?2"};
static const struct sql expire_sql = {
    "DELETE FROM user_session WHERE created_at <= ?1 OR (user_id = ?2 AND seen_at <= ?3)"};
static const struct sql oldest_sql = {
    "DELETE FROM user_session WHERE user_id = ?1 AND hash NOT IN (SELECT hash FROM user_session"
    " WHERE user_id = ?1 ORDER BY created_at DESC, hash LIMIT ?2)"};
static const struct sql seen_sql = {
    "UPDATE user_session SET seen_at = ?2 WHERE hash = ?1 AND seen_at < ?2"};
static const struct sql end_sql = {"DELETE FROM user_session WHERE hash = ?1"};
/* A row for each of his roles, those of the whole application first. */
static const struct sql get_sql = {
    "SELECT s.user_id, s.created_at, s.seen_at, " USER_ROLES_OF("user_session") " WHERE s.hash = ?1"
                                                                                " ORDER BY path"};

/* --- IDs -------------------------------------------------------------------------------------- */

bool user_session_id_valid(slice id)
{
    uint8_t bytes[ID_BYTES];
    size_t len;

    return id.len == USER_SESSION_ID_LEN && hex_decode(id, bytes, sizeof bytes, &len);
}

void user_session_csrf(slice id, char ret[USER_SESSION_ID_LEN])
{
    struct buf text = {
        .ptr = (uint8_t *)ret, .cap = USER_SESSION_ID_LEN, .max = USER_SESSION_ID_LEN};
    const slice purpose = SLICE("muster/v1/csrf");
    uint8_t mac[HMAC_SHA256_LEN];

    hmac_sha256(id, &purpose, 1, mac);
    hex_encode(slice_of(mac, sizeof mac), &text);
}

slice principal_user_id(const struct principal *p)
{
    slice name = slice_str(p->name), prefix = SLICE(USER_PRINCIPAL_PREFIX);

    return slice_starts_with(name, prefix) ? slice_from(name, prefix.len) : (slice){0};
}

bool principal_is_fresh(const struct principal *p, instant now)
{
    return p->signed_in_at == 0 || now < p->signed_in_at + USER_SESSION_FRESH_MS;
}

/* --- beginning and end ------------------------------------------------------------------------ */

static void make_id(char to[USER_SESSION_ID_LEN])
{
    SECRET_CLEANUP struct secret random = {.len = 0};
    struct buf text = {
        .ptr = (uint8_t *)to, .cap = USER_SESSION_ID_LEN, .max = USER_SESSION_ID_LEN};

    secret_generate(&random, ID_BYTES);
    hex_encode(secret_slice(&random), &text);
}

void user_session_unit_begin(struct unit *unit, slice user_id, instant now,
                             struct user_session_new *ret)
{
    uint8_t hash[SHA256_LEN];

    make_id(ret->id);
    sha256(slice_of(ret->id, sizeof ret->id), hash);
    const struct sql_value ended[] = {SQL_INT_(now - USER_SESSION_LIFE_MS), SQL_TEXT_(user_id),
                                      SQL_INT_(now - USER_SESSION_IDLE_MS)};
    const struct sql_value begun[] = {SQL_BLOB_(slice_of(hash, sizeof hash)), SQL_TEXT_(user_id),
                                      SQL_INT_(now)};
    const struct sql_value most[] = {SQL_TEXT_(user_id), SQL_INT_(USER_SESSIONS_MAX)};

    unit_add(unit, &expire_sql, ended, COUNT_OF(ended), EXPECT_ANY);
    unit_add(unit, &begin_sql, begun, COUNT_OF(begun), EXPECT_ONE);
    unit_add(unit, &oldest_sql, most, COUNT_OF(most), EXPECT_ANY);
}

struct ending {
    struct identity *id;
    user_session_fn *on_done;
    void *context;
};

static void on_ended(void *context, enum status status, struct unit *unit)
{
    struct ending *e = context;
    struct fault why = {.status = status};

    (void)unit;
    if (status == ST_OK) /* his streams end, too */
        bus_publish(e->id->bus, SLICE(ACCESS_CHANGED_SUBJECT), SLICE(""));
    else
        fault_set(&why, status, "the session could not be ended: %s", status_name(status));
    e->on_done(e->context, status, &why);
    free(e);
}

void user_session_end(struct identity *id, const struct act *act, slice session_id,
                      user_session_fn *on_done, void *context)
{
    const struct audit_entry entry = {.actor = slice_str(act->by->name),
                                      .source = act->source,
                                      .action = SLICE("session.delete"),
                                      .target = principal_user_id(act->by),
                                      .result = SLICE("ok"),
                                      .request_id = act->request_id};
    struct unit *unit = unit_create(id->store);
    struct ending *e = malloc(sizeof *e);
    struct fault why;
    uint8_t hash[SHA256_LEN];

    if (!unit || !e) {
        unit_destroy(unit);
        free(e);
        fault_set(&why, ST_UNAVAILABLE, "the session could not be ended now");
        on_done(context, ST_UNAVAILABLE, &why);
        return;
    }
    *e = (struct ending){id, on_done, context};
    sha256(session_id, hash);
    const struct sql_value value = SQL_BLOB_(slice_of(hash, sizeof hash));
    unit_set_urgency(unit, UNIT_URGENT);
    unit_add(unit, &end_sql, &value, 1, EXPECT_ANY);
    audit_unit_add(unit, &entry);
    unit_submit(unit, on_ended, e);
}

/* --- authentication --------------------------------------------------------------------------- */

struct call {
    struct identity *id;
    enum session_use use;
    service_principal_fn *on_principal;
    void *context;
    uint8_t hash[SHA256_LEN];
};

/* Nobody waits: a session that is in use a minute more or less. */
static void note_use(const struct call *c, instant now)
{
    const struct sql_value values[] = {SQL_BLOB_(slice_of(c->hash, sizeof c->hash)), SQL_INT_(now)};
    struct unit *unit = unit_create(c->id->store);

    if (!unit)
        return;
    unit_add(unit, &seen_sql, values, COUNT_OF(values), EXPECT_ANY);
    unit_submit(unit, NULL, NULL);
}

void user_principal_read(struct rows *rows, struct principal *p)
{
    bool is_first = true;

    snprintf(p->name, sizeof p->name, USER_PRINCIPAL_PREFIX "%.*s", SLICE_FMT(rows_bytes(rows, 0)));
    do {
        const struct builtin_role *builtin = builtin_role_find(rows_bytes(rows, 3));
        slice path = rows_bytes(rows, 5);

        if (rows_is_null(rows, 3) || rows_is_null(rows, 5) || path.len >= sizeof p->organization)
            continue;
        if (is_first && path.len > 0)
            memcpy(p->organization, path.ptr, path.len);
        is_first = false;
        if (slice_equal(slice_str(p->organization), path))
            p->permissions |=
                builtin ? builtin->permissions : permissions_read(rows_bytes(rows, 4));
    } while (rows_next(rows));
    p->permissions = permission_complete(p->permissions);
}

static enum status check_row(const struct call *c, struct rows *rows, struct principal *ret,
                             struct fault *why)
{
    instant now = clock_wall_ms(), seen_at = 0;
    bool found = rows_next(rows), ended = false;

    if (found) {
        seen_at = rows_int(rows, 2);
        ret->signed_in_at = rows_int(rows, 1);
        ended = now >= ret->signed_in_at + USER_SESSION_LIFE_MS ||
                now >= seen_at + USER_SESSION_IDLE_MS;
        user_principal_read(rows, ret);
    }
    if (rows_status(rows) != ST_OK)
        return fault_set(why, ST_UNAVAILABLE, "the sessions could not be read");
    if (!found || ended)
        return fault_set(why, ST_UNAUTHORIZED, "no such session, or it has ended");
    if (c->use == SESSION_USED && now >= seen_at + SEEN_STEP_MS)
        note_use(c, now);
    return ST_OK;
}

static void on_rows(void *context, enum status status, struct rows *rows)
{
    struct call *c = context;
    struct principal principal = {.permissions = 0};
    struct fault why = {.status = ST_OK};

    if (status == ST_OK)
        status = check_row(c, rows, &principal, &why);
    else
        status = fault_set(&why, ST_UNAVAILABLE, "the sessions could not be read: %s",
                           status_name(status));
    c->on_principal(c->context, status, status == ST_OK ? &principal : NULL, &why);
    free(c);
}

void user_session_authenticate(struct identity *id, slice session_id, enum session_use use,
                               service_principal_fn *on_principal, void *context)
{
    struct call *c = malloc(sizeof *c);
    struct fault why = {.status = ST_OK};

    if (!user_session_id_valid(session_id))
        fault_set(&why, ST_UNAUTHORIZED, "not a session's ID");
    else if (!c)
        fault_set(&why, ST_UNAVAILABLE, "out of memory");
    if (why.status != ST_OK) {
        free(c);
        on_principal(context, why.status, NULL, &why);
        return;
    }
    *c = (struct call){.id = id, .use = use, .on_principal = on_principal, .context = context};
    sha256(session_id, c->hash);
    const struct sql_value value = SQL_BLOB_(slice_of(c->hash, sizeof c->hash));
    store_read(id->store, &get_sql, &value, 1, on_rows, c);
}
