/* A link is used: its code is looked up, the password hashed, and both are settled in one unit of
 * work, so that a link is good for one password. */
#include <stdlib.h>

#include "identity/access/access_internal.h"
#include "identity/sign_in/invitation.h"
#include "identity/sign_in/sign_in_internal.h"

static const struct sql find_sql = {
    "SELECT i.user_id, i.expires_at, COALESCE(u.email, '') FROM user_invitation i"
    " LEFT JOIN app_user u ON u.user_id = i.user_id WHERE i.hash = ?1"};
static const struct sql use_sql = {
    "DELETE FROM user_invitation WHERE hash = ?1 AND expires_at > ?2"};
static const struct sql first_sql = {
    "INSERT INTO app_user (user_id, email, email_key, created_at)"
    " SELECT ?1, ?2, ?3, ?4 WHERE NOT EXISTS (SELECT 1 FROM app_user)"};
static const struct sql changed_sql = {"UPDATE access_set SET version = version + 1 WHERE id = 1"};

struct redeem_op {
    struct password_work work; /* first */
    struct identity *id;
    struct redemption r;
    redemption_fn *on_done;
    void *context;
    bool is_first; /* there is no user yet */
    uint8_t hash[SHA256_LEN];
    size_t user_id_len, email_len;
    char user_id[USER_ID_MAX];
    char email[USER_EMAIL_MAX];
};

static slice user_id_of(const struct redeem_op *op)
{
    return slice_of(op->user_id, op->user_id_len);
}

static slice email_of(const struct redeem_op *op)
{
    return slice_of(op->email, op->email_len);
}

static void end(struct redeem_op *op, enum status status, const char *cause)
{
    struct fault why;

    fault_set(&why, status, "%s", cause);
    op->on_done(op->context, status, status == ST_OK ? email_of(op) : (slice){0}, 1, &why);
    explicit_bzero(op, sizeof *op);
    free(op);
}

/* --- settled ---------------------------------------------------------------------------------- */

static void on_settled(void *context, enum status status, struct unit *unit)
{
    uint8_t key[USER_EMAIL_MAX];
    struct redeem_op *op = context;

    (void)unit;
    if (status == ST_CONFLICT) {
        end(op, ST_UNAUTHORIZED, "the link was used meanwhile");
        return;
    }
    if (status == ST_OK) {
        try_forgive(&op->id->tries, user_email_key(email_of(op), key));
        bus_publish(op->id->bus, SLICE(ACCESS_CHANGED_SUBJECT), SLICE(""));
    }
    end(op, status, status == ST_OK ? "" : "the password could not be written");
}

static void add_first(const struct redeem_op *op, struct unit *unit, instant now)
{
    static const struct assignment administrator = {
        .role_id = {(const uint8_t *)ADMINISTRATOR_ROLE, sizeof ADMINISTRATOR_ROLE - 1}};
    uint8_t key[USER_EMAIL_MAX];
    const struct sql_value values[] = {SQL_TEXT_(user_id_of(op)), SQL_TEXT_(email_of(op)),
                                       SQL_TEXT_(user_email_key(email_of(op), key)), SQL_INT_(now)};

    unit_add(unit, &first_sql, values, COUNT_OF(values), EXPECT_ONE);
    assignments_unit_replace(unit, HOLDER_USER, user_id_of(op), &administrator, 1);
    unit_add(unit, &changed_sql, NULL, 0, EXPECT_ONE);
}

static void add_audit(const struct redeem_op *op, struct unit *unit)
{
    BUF_CLEANUP struct buf actor = {.max = 128};

    buf_append_str(&actor, USER_PRINCIPAL_PREFIX);
    buf_append(&actor, user_id_of(op));
    const struct audit_entry e = {.actor = buf_slice(&actor),
                                  .source = op->r.source,
                                  .action =
                                      op->is_first ? SLICE("users.first") : SLICE("users.password"),
                                  .target = user_id_of(op),
                                  .result = SLICE("ok"),
                                  .request_id = op->r.request_id};
    audit_unit_add(unit, &e);
}

static void settle(struct redeem_op *op)
{
    instant now = clock_wall_ms();
    const struct sql_value values[] = {SQL_BLOB_(slice_of(op->hash, sizeof op->hash)),
                                       SQL_INT_(now)};
    struct unit *unit = unit_create(op->id->store);

    if (!unit) {
        end(op, ST_UNAVAILABLE, "the store is busy");
        return;
    }
    unit_add(unit, &use_sql, values, COUNT_OF(values), EXPECT_ONE);
    if (op->is_first)
        add_first(op, unit, now);
    sign_in_unit_set_password(unit, user_id_of(op), slice_str(op->work.hash), now);
    add_audit(op, unit);
    unit_submit(unit, on_settled, op);
}

static void on_hashed(struct password_work *work)
{
    struct redeem_op *op = (struct redeem_op *)work;

    if (work->status == ST_OK)
        settle(op);
    else
        end(op, work->status, "passwords cannot be set just now");
}

/* --- looked up -------------------------------------------------------------------------------- */

static void note_user(struct redeem_op *op, slice user_id, slice email)
{
    op->is_first = user_id.len == 0;
    if (op->is_first) {
        random_uuid(op->user_id);
        op->user_id_len = UUID_LEN;
        email = op->r.email;
    } else {
        op->user_id_len = user_id.len < sizeof op->user_id ? user_id.len : sizeof op->user_id;
        memcpy(op->user_id, user_id.ptr, op->user_id_len);
    }
    op->email_len = email.len < sizeof op->email ? email.len : sizeof op->email;
    if (op->email_len > 0)
        memcpy(op->email, email.ptr, op->email_len);
}

static void on_invitation(void *context, enum status status, struct rows *rows)
{
    struct redeem_op *op = context;
    bool found = status == ST_OK && rows_next(rows);
    struct fault why;

    if (status != ST_OK || (!found && rows_status(rows) != ST_OK)) {
        end(op, ST_UNAVAILABLE, "the links could not be read");
        return;
    }
    if (!found || clock_wall_ms() >= rows_int(rows, 1)) {
        end(op, ST_UNAUTHORIZED, "no such link, or it is too old");
        return;
    }
    note_user(op, rows_bytes(rows, 0), rows_bytes(rows, 2));
    if (op->is_first && !user_email_valid(op->r.email))
        end(op, ST_BAD_REQUEST, "state your e-mail address");
    else if (password_check(op->work.fresh, email_of(op), &why) != ST_OK)
        end(op, why.status, why.text);
    else
        password_work_submit(&op->id->passwords, &op->work);
}

void invitation_redeem(struct identity *id, const struct redemption *r, redemption_fn *on_done,
                       void *context)
{
    struct redeem_op *op;
    int64_t wait_s = 0;
    struct fault why;

    if (!sign_in_may_try(id, r->source, (slice){0}, &wait_s)) {
        fault_set(&why, ST_THROTTLED, "too many tries");
        on_done(context, ST_THROTTLED, (slice){0}, wait_s, &why);
        return;
    }
    op = malloc(sizeof *op);
    if (!op) {
        fault_set(&why, ST_NO_MEMORY, "no memory for a link");
        on_done(context, ST_NO_MEMORY, (slice){0}, 0, &why);
        return;
    }
    *op = (struct redeem_op){.id = id, .r = *r, .on_done = on_done, .context = context};
    op->work.on_done = on_hashed;
    op->work.fresh = r->password.ptr ? r->password : SLICE("");
    sha256(r->code, op->hash);
    const struct sql_value value = SQL_BLOB_(slice_of(op->hash, sizeof op->hash));
    store_read(id->store, &find_sql, &value, 1, on_invitation, op);
}
