#include "identity/sign_in/invitation.h"

#include <stdlib.h>

#include "base/text.h"
#include "identity/access/access_internal.h"

#define CODE_BYTES 32

static const struct sql put_sql = {
    "INSERT INTO user_invitation (user_id, hash, expires_at) VALUES (?1, ?2, ?3)"
    " ON CONFLICT (user_id) DO UPDATE SET hash = excluded.hash, expires_at = excluded.expires_at"};
static const struct sql count_sql = {"SELECT COUNT(*) FROM app_user"};

static void make_code(char to[INVITATION_CODE_LEN])
{
    SECRET_CLEANUP struct secret random = {.len = 0};
    uint8_t padded[INVITATION_CODE_LEN + 1]; /* as the encoder writes it first */
    struct buf text = BUF_OVER(padded);

    secret_generate(&random, CODE_BYTES);
    base64url_encode(secret_slice(&random), &text);
    memcpy(to, padded, INVITATION_CODE_LEN);
    explicit_bzero(padded, sizeof padded);
}

static void put(struct unit *unit, slice user_id, const char code[INVITATION_CODE_LEN],
                instant expires_at)
{
    uint8_t hash[SHA256_LEN];

    sha256(slice_of(code, INVITATION_CODE_LEN), hash);
    const struct sql_value values[] = {SQL_TEXT_(user_id), SQL_BLOB_(slice_of(hash, sizeof hash)),
                                       SQL_INT_(expires_at)};
    unit_add(unit, &put_sql, values, COUNT_OF(values), EXPECT_ONE);
}

/* --- for a user ------------------------------------------------------------------------------- */

struct invitation_op {
    struct access_op op; /* first */
    invitation_fn *on_done;
    instant expires_at;
    char code[INVITATION_CODE_LEN];
};

static enum status decide(struct access_op *op, const struct access_view *view, struct unit *unit,
                          struct fault *why)
{
    struct invitation_op *i = (struct invitation_op *)op;
    enum status status = subject_check(op, view, "user", why);

    if (status != ST_OK)
        return status;
    put(unit, op->subject, i->code, i->expires_at);
    access_audit(op, unit, "users.invitation", NULL, NULL);
    return ST_OK;
}

static void answer(struct access_op *op, enum status status, const struct fault *why)
{
    struct invitation_op *i = (struct invitation_op *)op;
    const struct invitation made = {.code = slice_of(i->code, sizeof i->code),
                                    .expires_at = i->expires_at};

    i->on_done(op->context, status, status == ST_OK ? &made : NULL, why);
    explicit_bzero(i->code, sizeof i->code);
}

void invitation_create(struct identity *id, const struct act *act, slice user_id,
                       invitation_fn *on_done, void *context)
{
    struct invitation_op *i = malloc(sizeof *i);
    struct fault why;

    if (!i) {
        fault_set(&why, ST_NO_MEMORY, "no memory for an invitation");
        on_done(context, ST_NO_MEMORY, NULL, &why);
        return;
    }
    *i = (struct invitation_op){
        .op = {.id = id,
               .act = *act,
               .holder = HOLDER_USER,
               .subject = user_id,
               .decide = decide,
               .answer = answer,
               .context = context},
        .on_done = on_done,
        .expires_at = clock_wall_ms() + INVITATION_LIFE_MS,
    };
    make_code(i->code);
    access_start(&i->op);
}

/* --- for the first ---------------------------------------------------------------------------- */

static enum status put_first(struct identity *id, const char code[INVITATION_CODE_LEN])
{
    struct unit *unit = unit_create(id->store);
    enum status status;

    if (!unit)
        return ST_UNAVAILABLE;
    put(unit, SLICE(""), code, clock_wall_ms() + INVITATION_LIFE_MS);
    status = unit_run(unit);
    unit_destroy(unit);
    return status;
}

enum status invitation_first_now(struct identity *id, struct buf *ret, struct fault *why)
{
    char code[INVITATION_CODE_LEN];
    int64_t count = 0;
    enum status status = store_read_int_now(id->store, &count_sql, NULL, 0, &count);

    if (status == ST_OK && count > 0)
        return ST_OK;
    make_code(code);
    if (status == ST_OK)
        status = put_first(id, code);
    if (status == ST_OK)
        buf_append(ret, slice_of(code, sizeof code));
    explicit_bzero(code, sizeof code);
    if (status != ST_OK)
        return fault_set(why, status, "the link for the first user cannot be made: %s",
                         status_name(status));
    return ret->failed ? fault_set(why, ST_NO_MEMORY, "out of memory") : ST_OK;
}
