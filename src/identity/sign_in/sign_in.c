#include "identity/sign_in/sign_in.h"

#include <stdlib.h>

#include "identity/sign_in/sign_in_internal.h"

static const struct sql find_sql = {
    "SELECT u.user_id, COALESCE(s.password, '') FROM app_user u"
    " LEFT JOIN user_secret s ON s.user_id = u.user_id WHERE u.email_key = ?1"};
static const struct sql find_by_id_sql = {
    "SELECT u.user_id, COALESCE(s.password, ''), u.email, u.email_key FROM app_user u"
    " LEFT JOIN user_secret s ON s.user_id = u.user_id WHERE u.user_id = ?1"};
/* What was checked is still so when the session begins. */
static const struct sql guard_sql = {
    "UPDATE user_secret SET password = password WHERE user_id = ?1 AND password = ?2"};

/* --- what the ways share ---------------------------------------------------------------------- */

bool sign_in_may_try(struct identity *id, slice source, slice account, int64_t *ret_wait_s)
{
    int64_t now_s = clock_mono_ms() / 1000;

    return try_address(&id->tries, source, now_s, ret_wait_s) &&
           (account.len == 0 || try_account(&id->tries, account, now_s, ret_wait_s));
}

static void op_free(struct sign_in_op *op)
{
    explicit_bzero(op, sizeof *op);
    free(op);
}

static void write_actor(const struct sign_in_op *op, struct buf *to)
{
    buf_append_str(to, USER_PRINCIPAL_PREFIX);
    buf_append(to, op_user_id(op));
}

static struct audit_entry entry_of(const struct sign_in_op *op, const struct buf *actor,
                                   const char *result)
{
    return (struct audit_entry){.actor = buf_slice(actor),
                                .source = op->source,
                                .action = slice_str(op->action),
                                .target = op_user_id(op),
                                .result = slice_str(result),
                                .request_id = op->request_id};
}

void sign_in_refuse(struct sign_in_op *op, enum status status, const char *cause)
{
    BUF_CLEANUP struct buf actor = {.max = 128};
    const struct signed_in throttled = {.wait_s = op->wait_s > 0 ? op->wait_s : 1};
    struct fault why;

    fault_set(&why, status, "%s", cause);
    if (status == ST_UNAUTHORIZED) {
        if (op->user_id_len > 0)
            write_actor(op, &actor);
        const struct audit_entry e = entry_of(op, &actor, "denied");
        audit_note_denial(op->id, &e);
    }
    op->on_done(op->context, status, status == ST_THROTTLED ? &throttled : NULL, &why);
    op_free(op);
}

static void on_session(void *context, enum status status, struct unit *unit)
{
    struct sign_in_op *op = context;
    const struct signed_in s = {.user_id = op_user_id(op),
                                .session_id = slice_of(op->session.id, sizeof op->session.id)};
    struct fault why = {.status = ST_OK};

    (void)unit;
    if (status == ST_CONFLICT) { /* he went, or his password changed, in between */
        sign_in_refuse(op, ST_UNAUTHORIZED, "the user or the password changed meanwhile");
        return;
    }
    if (status != ST_OK) {
        sign_in_refuse(op, status, "the session could not be written");
        return;
    }
    if (op->account.len > 0)
        try_forgive(&op->id->tries, op->account);
    bus_publish(op->id->bus, SLICE(ACCESS_CHANGED_SUBJECT), SLICE("")); /* others may have ended */
    op->on_done(op->context, ST_OK, &s, &why);
    op_free(op);
}

void sign_in_begin_session(struct sign_in_op *op, struct unit *unit)
{
    BUF_CLEANUP struct buf actor = {.max = 128};

    user_session_unit_begin(unit, op_user_id(op), clock_wall_ms(), &op->session);
    write_actor(op, &actor);
    const struct audit_entry e = entry_of(op, &actor, "ok");
    audit_unit_add(unit, &e);
    unit_submit(unit, on_session, op);
}

static void begin_guarded(struct sign_in_op *op)
{
    const struct sql_value values[] = {SQL_TEXT_(op_user_id(op)),
                                       SQL_TEXT_(slice_str(op->work.stored))};
    struct unit *unit = unit_create(op->id->store);

    if (!unit) {
        sign_in_refuse(op, ST_UNAVAILABLE, "the store is busy");
        return;
    }
    unit_add(unit, &guard_sql, values, COUNT_OF(values), EXPECT_ONE);
    if (op->work.fresh.ptr)
        sign_in_unit_set_password(unit, op_user_id(op), slice_str(op->work.hash), clock_wall_ms());
    sign_in_begin_session(op, unit);
}

/* --- by password ------------------------------------------------------------------------------ */

static void on_checked(struct password_work *work)
{
    struct sign_in_op *op = (struct sign_in_op *)work;

    if (work->status != ST_OK && work->status != ST_UNAUTHORIZED)
        sign_in_refuse(op, work->status, "passwords cannot be checked just now");
    else if (work->status != ST_OK || !op->is_known)
        sign_in_refuse(op, ST_UNAUTHORIZED, "no such user, or a wrong password");
    else
        begin_guarded(op);
}

/* Without a password there is nobody's, which nothing matches. */
static void take_row(struct sign_in_op *op, struct rows *rows)
{
    slice user_id = rows_bytes(rows, 0), hash = rows_bytes(rows, 1);

    if (user_id.len > sizeof op->user_id)
        return;
    op->user_id_len = user_id.len;
    memcpy(op->user_id, user_id.ptr, user_id.len);
    if (hash.len == 0 || hash.len >= sizeof op->work.stored)
        return;
    memset(op->work.stored, 0, sizeof op->work.stored);
    memcpy(op->work.stored, hash.ptr, hash.len);
    op->is_known = true;
}

static bool read_user(struct sign_in_op *op, enum status status, struct rows *rows)
{
    memcpy(op->work.stored, password_hash_of_nobody, strlen(password_hash_of_nobody) + 1);
    if (status == ST_OK && rows_next(rows))
        take_row(op, rows);
    if (status == ST_OK)
        status = rows_status(rows);
    if (status == ST_OK)
        return true;
    sign_in_refuse(op, ST_UNAVAILABLE, "the users could not be read");
    return false;
}

static void on_user(void *context, enum status status, struct rows *rows)
{
    struct sign_in_op *op = context;

    if (read_user(op, status, rows))
        password_work_submit(&op->id->passwords, &op->work);
}

struct sign_in_op *sign_in_op_create(struct identity *id, slice source, slice request_id,
                                     const char *action)
{
    struct sign_in_op *op = malloc(sizeof *op);

    if (!op)
        return NULL;
    *op =
        (struct sign_in_op){.id = id, .source = source, .request_id = request_id, .action = action};
    op->work.on_done = on_checked;
    return op;
}

static void give_up(sign_in_fn *on_done, void *context, enum status status, const char *cause,
                    int64_t wait_s)
{
    const struct signed_in s = {.wait_s = wait_s};
    struct fault why;

    fault_set(&why, status, "%s", cause);
    on_done(context, status, status == ST_THROTTLED ? &s : NULL, &why);
}

void sign_in_by_password(struct identity *id, const struct sign_in *what, sign_in_fn *on_done,
                         void *context)
{
    uint8_t key[USER_EMAIL_MAX];
    struct sign_in_op *op;
    int64_t wait_s = 0;
    slice account;

    if (what->email.len > USER_EMAIL_MAX || what->password.len > PASSWORD_BYTES_MAX) {
        give_up(on_done, context, ST_UNAUTHORIZED, "too long to be anybody's", 0);
        return;
    }
    account = user_email_key(what->email, key);
    if (!sign_in_may_try(id, what->source, account, &wait_s)) {
        give_up(on_done, context, ST_THROTTLED, "too many tries", wait_s);
        return;
    }
    op = sign_in_op_create(id, what->source, what->request_id, "session.create");
    if (!op) {
        give_up(on_done, context, ST_NO_MEMORY, "no memory for a sign-in", 0);
        return;
    }
    op->on_done = on_done;
    op->context = context;
    op->work.given = what->password.ptr ? what->password : SLICE("");
    op->email_key_len = account.len;
    memcpy(op->email_key, key, account.len);
    op->account = slice_of(op->email_key, op->email_key_len);
    const struct sql_value value = SQL_TEXT_(op->account);
    store_read(id->store, &find_sql, &value, 1, on_user, op);
}

/* --- another password ------------------------------------------------------------------------- */

static bool note_account(struct sign_in_op *op, slice email_key)
{
    if (email_key.len > sizeof op->email_key)
        return false;
    op->email_key_len = email_key.len;
    memcpy(op->email_key, email_key.ptr, email_key.len);
    op->account = slice_of(op->email_key, op->email_key_len);
    return sign_in_may_try(op->id, op->source, op->account, &op->wait_s);
}

static void on_own_row(void *context, enum status status, struct rows *rows)
{
    struct sign_in_op *op = context;
    struct fault why;

    if (!read_user(op, status, rows))
        return;
    if (!op->is_known)
        sign_in_refuse(op, ST_UNAUTHORIZED, "no user with a password");
    else if (password_check(op->work.fresh, rows_bytes(rows, 2), &why) != ST_OK)
        sign_in_refuse(op, why.status, why.text);
    else if (!note_account(op, rows_bytes(rows, 3)))
        sign_in_refuse(op, ST_THROTTLED, "too many tries");
    else
        password_work_submit(&op->id->passwords, &op->work);
}

void sign_in_change_password(struct identity *id, const struct act *act, slice current, slice fresh,
                             sign_in_fn *on_done, void *context)
{
    struct sign_in_op *op = sign_in_op_create(id, act->source, act->request_id, "users.password");

    if (!op) {
        give_up(on_done, context, ST_NO_MEMORY, "no memory for a sign-in", 0);
        return;
    }
    op->on_done = on_done;
    op->context = context;
    op->work.given = current.ptr ? slice_first(current, PASSWORD_BYTES_MAX) : SLICE("");
    op->work.fresh = fresh.ptr ? fresh : SLICE("");
    const struct sql_value value = SQL_TEXT_(principal_user_id(act->by));
    store_read(id->store, &find_by_id_sql, &value, 1, on_own_row, op);
}
