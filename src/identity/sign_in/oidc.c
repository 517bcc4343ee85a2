#include "identity/sign_in/oidc.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/text.h"
#include "codec/jwt.h"
#include "identity/sign_in/oidc_internal.h"

#define LOCATION_MAX 4096
#define SEALED_MAX (sizeof(struct oidc_flow) + SEAL_OVERHEAD)

/* He is known by the issuer's name for him, else by his address. */
static const struct sql find_sql = {
    "SELECT u.user_id FROM app_user u LEFT JOIN user_secret s ON s.user_id = u.user_id"
    " WHERE s.subject = ?2 OR u.email_key = ?1"
    " ORDER BY CASE WHEN s.subject = ?2 THEN 0 ELSE 1 END LIMIT 1"};
static const struct sql add_sql = {
    "INSERT INTO app_user (user_id, email, email_key, created_at) SELECT ?1, ?2, ?3, ?4"
    " WHERE (SELECT COUNT(*) FROM app_user) < ?5"};
static const struct sql changed_sql = {"UPDATE access_set SET version = version + 1 WHERE id = 1"};
/* Whose address was given to somebody else at the issuer is not him. */
static const struct sql subject_sql = {
    "INSERT INTO user_secret (user_id, password, subject, changed_at)"
    " SELECT user_id, '', ?2, ?3 FROM app_user WHERE user_id = ?1"
    " ON CONFLICT (user_id) DO UPDATE SET subject = excluded.subject"
    " WHERE user_secret.subject = '' OR user_secret.subject = excluded.subject"};

struct oidc_op {
    struct desk_job job; /* first */
    struct identity *id;
    struct oidc_return back;
    oidc_begin_fn *on_begun; /* of oidc_begin */
    sign_in_fn *on_done;     /* of oidc_finish */
    void *context;
    struct oidc_flow flow;
    enum status status;
    struct fault why;
    struct buf location;
    struct arena arena;
    struct oidc_person person;
};

bool oidc_is_on(const struct identity *id)
{
    return id->options.oidc != NULL;
}

static void op_free(struct oidc_op *op)
{
    buf_deinit(&op->location);
    arena_deinit(&op->arena);
    explicit_bzero(&op->flow, sizeof op->flow);
    free(op);
}

static struct oidc_op *op_create(struct identity *id, const struct oidc_return *back, void *context)
{
    struct oidc_op *op = calloc(1, sizeof *op);

    if (!op)
        return NULL;
    op->id = id;
    op->back = *back;
    op->context = context;
    buf_init(&op->location, LOCATION_MAX);
    arena_init(&op->arena, 2 * JWT_ARENA_MAX);
    return op;
}

static void log_failure(const struct oidc_op *op)
{
    LOG_LIMITED(LOG_LEVEL_WARN, "oidc_failed", LOG_STR("status", status_name(op->status)),
                LOG_FAULT(&op->why), LOG_TEXT("trace", op->back.request_id));
}

/* --- the cookie ------------------------------------------------------------------------------- */

static const struct seal_place flow_place = {.table = "oidc", .column = "flow"};

static void make_random(char to[OIDC_RANDOM_LEN])
{
    uint8_t random[32], padded[OIDC_RANDOM_LEN + 1];
    struct buf text = BUF_OVER(padded);

    random_bytes(random, sizeof random);
    base64url_encode(slice_of(random, sizeof random), &text);
    memcpy(to, padded, OIDC_RANDOM_LEN);
    explicit_bzero(random, sizeof random);
}

static void make_flow(struct oidc_flow *flow)
{
    make_random(flow->state);
    make_random(flow->nonce);
    make_random(flow->verifier);
    flow->until_ms = clock_wall_ms() + OIDC_FLOW_LIFE_S * 1000;
}

static void seal_flow(const struct oidc_op *op, struct buf *to)
{
    BUF_CLEANUP struct buf sealed = {.max = SEALED_MAX};

    seal(op->id->sealer, flow_place, slice_of(&op->flow, sizeof op->flow), &sealed);
    base64url_encode(buf_slice(&sealed), to);
}

static bool open_flow(const struct identity *id, slice text, struct oidc_flow *ret)
{
    BUF_CLEANUP struct buf plain = {.max = sizeof *ret};
    uint8_t sealed[SEALED_MAX];
    struct fault why;
    size_t len;

    if (!base64url_decode(text, sealed, sizeof sealed, &len) ||
        unseal(id->sealer, flow_place, slice_of(sealed, len), &plain, &why) != ST_OK ||
        plain.len != sizeof *ret)
        return false;
    memcpy(ret, plain.ptr, sizeof *ret);
    explicit_bzero(plain.ptr, plain.len);
    return clock_wall_ms() < ret->until_ms;
}

/* --- begin ------------------------------------------------------------------------------------ */

static void ask_location(struct desk_job *job)
{
    struct oidc_op *op = (struct oidc_op *)job;

    op->status =
        oidc_ask_location(op->id, &op->flow, op->back.redirect_uri, &op->location, &op->why);
}

static void on_location(struct desk_job *job)
{
    BUF_CLEANUP struct buf flow = {.max = OIDC_FLOW_MAX};
    struct oidc_op *op = (struct oidc_op *)job;

    if (job->was_refused)
        op->status = fault_set(&op->why, ST_THROTTLED, "too many wait for the issuer");
    if (op->status == ST_OK)
        seal_flow(op, &flow);
    else
        log_failure(op);
    op->on_begun(op->context, op->status, buf_slice(&op->location), buf_slice(&flow), &op->why);
    op_free(op);
}

static void refuse_begin(oidc_begin_fn *on_begun, void *context, enum status status,
                         const char *cause)
{
    struct fault why;

    fault_set(&why, status, "%s", cause);
    on_begun(context, status, (slice){0}, (slice){0}, &why);
}

void oidc_begin(struct identity *id, slice redirect_uri, slice source, oidc_begin_fn *on_begun,
                void *context)
{
    const struct oidc_return back = {.redirect_uri = redirect_uri, .source = source};
    struct oidc_op *op;
    int64_t wait_s = 0;

    if (!oidc_is_on(id)) {
        refuse_begin(on_begun, context, ST_NOT_FOUND, "no OpenID Connect issuer is configured");
        return;
    }
    if (!sign_in_may_try(id, source, (slice){0}, &wait_s)) {
        refuse_begin(on_begun, context, ST_THROTTLED, "too many tries");
        return;
    }
    op = op_create(id, &back, context);
    if (!op) {
        refuse_begin(on_begun, context, ST_NO_MEMORY, "no memory for a sign-in");
        return;
    }
    op->on_begun = on_begun;
    make_flow(&op->flow);
    op->job.work = ask_location;
    op->job.on_done = on_location;
    desk_submit(&id->issuer, &op->job);
}

/* --- finish ----------------------------------------------------------------------------------- */

static void refuse(struct oidc_op *op, enum status status, const char *cause)
{
    const struct signed_in throttled = {.wait_s = 1};

    if (cause)
        fault_set(&op->why, status, "%s", cause);
    op->status = status;
    log_failure(op);
    op->on_done(op->context, status, status == ST_THROTTLED ? &throttled : NULL, &op->why);
    op_free(op);
}

/* Who has a row becomes a user by coming. */
static void add_user(const struct oidc_op *op, struct unit *unit, slice user_id, slice role_id)
{
    uint8_t key[USER_EMAIL_MAX];
    const struct assignment role = {.role_id = role_id};
    const struct audit_entry e = {.actor = SLICE("oidc"),
                                  .source = op->back.source,
                                  .action = SLICE("users.create"),
                                  .target = user_id,
                                  .result = SLICE("ok"),
                                  .request_id = op->back.request_id};
    const struct sql_value values[] = {SQL_TEXT_(user_id), SQL_TEXT_(op->person.email),
                                       SQL_TEXT_(user_email_key(op->person.email, key)),
                                       SQL_INT_(clock_wall_ms()), SQL_INT_(USERS_MAX)};

    unit_add(unit, &add_sql, values, COUNT_OF(values), EXPECT_ONE);
    assignments_unit_replace(unit, HOLDER_USER, user_id, &role, 1);
    unit_add(unit, &changed_sql, NULL, 0, EXPECT_ONE);
    audit_unit_add(unit, &e);
}

static void note_subject(const struct oidc_op *op, struct unit *unit, slice user_id)
{
    const struct sql_value values[] = {SQL_TEXT_(user_id), SQL_TEXT_(op->person.subject),
                                       SQL_INT_(clock_wall_ms())};

    unit_add(unit, &subject_sql, values, COUNT_OF(values), EXPECT_ONE);
}

/* The sign-in answers from here on. `role_id` empty: he is a user. */
static void let_in(struct oidc_op *op, slice user_id, slice role_id)
{
    struct sign_in_op *s =
        sign_in_op_create(op->id, op->back.source, op->back.request_id, "session.create");
    struct unit *unit = unit_create(op->id->store);

    if (!s || !unit) {
        unit_destroy(unit);
        free(s);
        refuse(op, ST_UNAVAILABLE, "the store is busy");
        return;
    }
    s->on_done = op->on_done;
    s->context = op->context;
    s->user_id_len = user_id.len < sizeof s->user_id ? user_id.len : sizeof s->user_id;
    memcpy(s->user_id, user_id.ptr, s->user_id_len);
    if (role_id.len > 0)
        add_user(op, unit, user_id, role_id);
    note_subject(op, unit, user_id);
    sign_in_begin_session(s, unit);
    op_free(op);
}

static void let_in_new(struct oidc_op *op)
{
    char user_id[UUID_LEN];
    slice role_id;

    if (!oidc_role_of(op->id->options.oidc->roles, op->person.email, &role_id)) {
        refuse(op, ST_UNAUTHORIZED, "no user of that e-mail address, and no role for it");
        return;
    }
    random_uuid(user_id);
    let_in(op, slice_of(user_id, sizeof user_id), role_id);
}

static void on_user(void *context, enum status status, struct rows *rows)
{
    struct oidc_op *op = context;
    bool found = status == ST_OK && rows_next(rows);

    if (status != ST_OK || (!found && rows_status(rows) != ST_OK))
        refuse(op, ST_UNAVAILABLE, "the users could not be read");
    else if (found)
        let_in(op, rows_bytes(rows, 0), (slice){0});
    else
        let_in_new(op);
}

static void ask_person(struct desk_job *job)
{
    struct oidc_op *op = (struct oidc_op *)job;

    op->status = oidc_ask_person(op->id, &op->flow, op->back.code, op->back.redirect_uri,
                                 &op->arena, &op->person, &op->why);
}

static void on_person(struct desk_job *job)
{
    uint8_t key[USER_EMAIL_MAX];
    struct oidc_op *op = (struct oidc_op *)job;

    if (job->was_refused) {
        refuse(op, ST_THROTTLED, "too many wait for the issuer");
        return;
    }
    if (op->status != ST_OK) {
        refuse(op, op->status, NULL);
        return;
    }
    const struct sql_value values[] = {SQL_TEXT_(user_email_key(op->person.email, key)),
                                       SQL_TEXT_(op->person.subject)};
    store_read(op->id->store, &find_sql, values, COUNT_OF(values), on_user, op);
}

static void ask_issuer(struct oidc_op *op)
{
    op->job.work = ask_person;
    op->job.on_done = on_person;
    desk_submit(&op->id->issuer, &op->job);
}

void oidc_finish(struct identity *id, const struct oidc_return *back, sign_in_fn *on_done,
                 void *context)
{
    struct oidc_op *op = op_create(id, back, context);
    int64_t wait_s = 0;
    struct fault why;

    if (!op) {
        fault_set(&why, ST_NO_MEMORY, "no memory for a sign-in");
        on_done(context, ST_NO_MEMORY, NULL, &why);
        return;
    }
    op->on_done = on_done;
    if (!oidc_is_on(id))
        refuse(op, ST_NOT_FOUND, "no OpenID Connect issuer is configured");
    else if (!sign_in_may_try(id, back->source, (slice){0}, &wait_s))
        refuse(op, ST_THROTTLED, "too many tries");
    else if (!open_flow(id, back->flow, &op->flow) || back->state.len != sizeof op->flow.state ||
             !secret_equal(back->state.ptr, op->flow.state, sizeof op->flow.state))
        refuse(op, ST_UNAUTHORIZED, "no such sign-in began here, or it took too long");
    else if (back->code.len == 0 || back->code.len > OIDC_CODE_MAX)
        refuse(op, ST_UNAUTHORIZED, "the issuer sent no code");
    else
        ask_issuer(op);
}
