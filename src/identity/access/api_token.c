#include "identity/access/api_token.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/text.h"
#include "identity/access/access_internal.h"

#define SECRET_BYTES 32
#define SECRET_TEXT_LEN (sizeof API_TOKEN_PREFIX - 1 + 2 * SECRET_BYTES)
#define FACTS_MAX 8192

static const struct sql insert_sql = {
    "INSERT INTO api_token (token_id, hash, created_at, expires_at) VALUES (?1, ?2, ?3, ?4)"};
static const struct sql delete_sql = {"DELETE FROM api_token WHERE token_id = ?1"};
static const struct sql expiry_sql = {"SELECT expires_at FROM api_token WHERE token_id = ?1"};
static const struct sql changed_sql = {"UPDATE access_set SET version = version + 1 WHERE id = 1"};
/* ?1 after, ?2 how many, ?3 the caller's organization. */
static const struct sql list_sql = {
    "SELECT t.token_id, '', t.created_at, t.expires_at, a.role_id, a.organization_id, o.path"
    " FROM (SELECT token_id, created_at, expires_at FROM api_token h WHERE token_id > ?1"
    " AND (?3 = '' OR EXISTS (SELECT 1 FROM assignment x"
    " JOIN organization y ON y.organization_id = x.organization_id"
    " WHERE x.holder_kind = 2 AND x.holder_id = h.token_id"
    " AND substr(y.path, 1, length(?3)) = ?3))"
    " ORDER BY token_id LIMIT ?2) t"
    " LEFT JOIN assignment a ON a.holder_kind = 2 AND a.holder_id = t.token_id"
    " LEFT JOIN organization o ON o.organization_id = a.organization_id"
    " ORDER BY t.token_id, a.organization_id, a.role_id"};

struct token_op {
    struct access_op op; /* first */
    struct api_token_new change;
    api_token_fn *on_token;
    struct api_token now;                       /* what is answered */
    struct assignment covered[ASSIGNMENTS_MAX]; /* of what it has, by the caller */
    char secret[SECRET_TEXT_LEN];
    size_t text_len;
    char text[API_TOKEN_TEXT_MAX];
};

/* What needs no escape in a token. */
bool api_token_id_valid(slice id)
{
    for (size_t i = 0; i < id.len; i++) {
        uint8_t c = id.ptr[i];
        bool plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');

        if (!plain && c != '-' && c != '.' && c != '_')
            return false;
    }
    return id.len > 0 && id.len <= API_TOKEN_ID_MAX;
}

/* --- making ---------------------------------------------------------------------------------- */

static void make_secret(char to[SECRET_TEXT_LEN])
{
    SECRET_CLEANUP struct secret random = {.len = 0};
    struct buf text = {.ptr = (uint8_t *)to, .cap = SECRET_TEXT_LEN, .max = SECRET_TEXT_LEN};

    secret_generate(&random, SECRET_BYTES);
    buf_append_str(&text, API_TOKEN_PREFIX);
    hex_encode(secret_slice(&random), &text);
}

static void write_text(const char secret[SECRET_TEXT_LEN], slice token_id, instant expires_at,
                       struct buf *to)
{
    buf_printf(to, "SharedAccessSignature sr=muster&sig=%.*s&skn=%.*s&se=%" PRId64,
               (int)SECRET_TEXT_LEN, secret, SLICE_FMT(token_id), expires_at);
}

static void insert(struct unit *unit, slice token_id, const char secret[SECRET_TEXT_LEN],
                   instant now, instant expires_at)
{
    uint8_t hash[SHA256_LEN];

    sha256(slice_of(secret, SECRET_TEXT_LEN), hash);
    const struct sql_value values[] = {SQL_TEXT_(token_id), SQL_BLOB_(slice_of(hash, sizeof hash)),
                                       SQL_INT_(now), SQL_INT_(expires_at)};
    unit_add(unit, &insert_sql, values, COUNT_OF(values), EXPECT_ONE);
}

static enum status insert_now(struct identity *id, slice token_id,
                              const char secret[SECRET_TEXT_LEN], instant expires_at)
{
    static const struct assignment administrator = {
        .role_id = {(const uint8_t *)ADMINISTRATOR_ROLE, sizeof ADMINISTRATOR_ROLE - 1}};
    const struct audit_entry e = {.actor = SLICE("server"),
                                  .action = SLICE("apiTokens.create"),
                                  .target = token_id,
                                  .result = SLICE("ok")};
    const struct sql_value value = SQL_TEXT_(token_id);
    struct unit *unit = unit_create(id->store);
    enum status status;

    if (!unit)
        return ST_UNAVAILABLE;
    unit_add(unit, &delete_sql, &value, 1, EXPECT_ANY);
    insert(unit, token_id, secret, clock_wall_ms(), expires_at);
    assignments_unit_replace(unit, HOLDER_TOKEN, token_id, &administrator, 1);
    unit_add(unit, &changed_sql, NULL, 0, EXPECT_ONE);
    audit_unit_add(unit, &e);
    status = unit_run(unit);
    unit_destroy(unit);
    return status;
}

enum status api_token_create_now(struct identity *id, slice token_id, instant expires_at,
                                 struct buf *ret, struct fault *why)
{
    char secret[SECRET_TEXT_LEN];
    enum status status;

    if (!api_token_id_valid(token_id))
        return fault_set(why, ST_BAD_REQUEST, "not an ID for a token: '%.*s'", SLICE_FMT(token_id));
    make_secret(secret);
    status = insert_now(id, token_id, secret, expires_at);
    if (status == ST_OK) {
        write_text(secret, token_id, expires_at, ret);
        status = ret->failed ? ST_NO_MEMORY : ST_OK;
    }
    explicit_bzero(secret, sizeof secret);
    if (status != ST_OK)
        return fault_set(why, status, "cannot make the API token '%.*s': %s", SLICE_FMT(token_id),
                         status_name(status));
    return ST_OK;
}

enum status api_token_expiry_now(struct identity *id, slice token_id, instant *ret,
                                 struct fault *why)
{
    const struct sql_value value = SQL_TEXT_(token_id);
    enum status status;

    *ret = 0;
    status = store_read_int_now(id->store, &expiry_sql, &value, 1, ret);
    if (status != ST_OK)
        return fault_set(why, status, "the API tokens could not be read: %s", status_name(status));
    return ST_OK;
}

/* --- list, get -------------------------------------------------------------------------------- */

static void give_row(any_fn *on_row, void *context, enum status status, const struct holder_row *h)
{
    api_token_fn *fn = (api_token_fn *)on_row;
    struct fault why = {.status = status};
    struct api_token t;

    if (!h) {
        fn(context, status, NULL, &why);
        return;
    }
    t = (struct api_token){.id = h->id,
                           .created_at = h->at,
                           .expires_at = h->until,
                           .roles = h->roles,
                           .role_count = h->role_count};
    fn(context, ST_OK, &t, &why);
}

void api_token_list(struct identity *id, const struct principal *by, slice after, unsigned limit,
                    api_token_fn *on_row, void *context)
{
    holders_list(id, &list_sql, by, after, limit, give_row, (any_fn *)on_row, context);
}

static struct token_op *create_op(struct identity *id, const struct act *act, slice token_id,
                                  api_token_fn *on_token, void *context)
{
    struct token_op *t = malloc(sizeof *t);
    struct fault why;

    if (!t) {
        fault_set(&why, ST_NO_MEMORY, "no memory for API tokens");
        on_token(context, ST_NO_MEMORY, NULL, &why);
        return NULL;
    }
    *t = (struct token_op){
        .op = {.id = id,
               .act = *act,
               .holder = HOLDER_TOKEN,
               .subject = token_id,
               .context = context},
        .on_token = on_token,
    };
    return t;
}

static void answer_end(struct access_op *op, enum status status, const struct fault *why)
{
    ((struct token_op *)op)->on_token(op->context, status, NULL, why);
}

/* The secret goes with the answer and is kept by nobody. */
static void answer_one(struct access_op *op, enum status status, const struct fault *why)
{
    struct token_op *t = (struct token_op *)op;

    t->on_token(op->context, status, status == ST_OK ? &t->now : NULL, why);
    explicit_bzero(t->secret, sizeof t->secret);
    explicit_bzero(t->text, sizeof t->text);
}

static enum status unknown(const struct access_op *op, struct fault *why)
{
    return fault_set(why, ST_NOT_FOUND, "there is no API token '%.*s'",
                     SLICE_FMT(slice_first(op->subject, API_TOKEN_ID_MAX)));
}

static enum status give_one(struct access_op *op, const struct access_view *view, struct unit *unit,
                            struct fault *why)
{
    struct token_op *t = (struct token_op *)op;
    size_t count =
        assignments_covered(op, view, view->assignments, view->assignment_count, t->covered);

    (void)unit;
    if (!view->found || (count == 0 && op->act.by->organization[0]))
        return unknown(op, why);
    t->now = (struct api_token){.id = op->subject,
                                .created_at = view->at,
                                .expires_at = view->until,
                                .roles = t->covered,
                                .role_count = count};
    return ST_OK;
}

void api_token_get(struct identity *id, const struct principal *by, slice token_id,
                   api_token_fn *on_token, void *context)
{
    const struct act act = {.by = by};
    struct token_op *t = create_op(id, &act, token_id, on_token, context);

    if (!t)
        return;
    t->op.only_reads = true;
    t->op.decide = give_one;
    t->op.answer = answer_one;
    access_start(&t->op);
}

/* --- create, delete --------------------------------------------------------------------------- */

static void write_facts(const struct assignment *roles, size_t count, instant expires_at,
                        struct buf *to)
{
    struct json_writer w = {.to = to};
    char text[CLOCK_TEXT_MAX];

    json_open(&w, (slice){0}, '{');
    assignments_put(&w, roles, count);
    json_put_text(&w, SLICE("expiry"), clock_iso(expires_at, text));
    json_close(&w, '}');
}

static enum status check_create(const struct token_op *t, const struct access_view *view,
                                struct fault *why)
{
    const struct api_token_new *n = &t->change;

    if (view->found)
        return fault_set(why, ST_CONFLICT, "there is an API token of that ID already");
    if (view->tokens >= API_TOKENS_MAX)
        return fault_set(why, ST_QUOTA, "an application has at most %d API tokens", API_TOKENS_MAX);
    for (size_t i = 1; i < n->role_count; i++) {
        if (!slice_equal(n->roles[i].organization_id, n->roles[0].organization_id))
            return fault_set(why, ST_BAD_REQUEST, "an API token acts in one organization");
    }
    return assignments_check(&t->op, view, n->roles, n->role_count, why);
}

static enum status decide_create(struct access_op *op, const struct access_view *view,
                                 struct unit *unit, struct fault *why)
{
    BUF_CLEANUP struct buf after = {.max = FACTS_MAX};
    struct token_op *t = (struct token_op *)op;
    enum status status = check_create(t, view, why);

    if (status != ST_OK)
        return status;
    insert(unit, op->subject, t->secret, t->now.created_at, t->now.expires_at);
    assignments_unit_replace(unit, HOLDER_TOKEN, op->subject, t->now.roles, t->now.role_count);
    write_facts(t->now.roles, t->now.role_count, t->now.expires_at, &after);
    access_audit(op, unit, "apiTokens.create", NULL, &after);
    return ST_OK;
}

/* The slice of it points into the op, which lives as long. */
static void make_token(struct token_op *t)
{
    struct buf text = {.ptr = (uint8_t *)t->text, .cap = sizeof t->text, .max = sizeof t->text};

    make_secret(t->secret);
    write_text(t->secret, t->op.subject, t->now.expires_at, &text);
    t->now.text = buf_slice(&text);
}

static enum status check_new(const struct api_token_new *n, instant now, struct fault *why)
{
    if (!api_token_id_valid(n->id))
        return fault_set(why, ST_BAD_REQUEST,
                         "an API token's ID has 1 to %d letters, digits, -, . and _",
                         API_TOKEN_ID_MAX);
    if (n->expires_at != 0 &&
        (n->expires_at <= now || n->expires_at > now + API_TOKEN_MAX_DAYS * API_TOKEN_DAY_MS))
        return fault_set(why, ST_BAD_REQUEST, "an API token ends within %d days",
                         API_TOKEN_MAX_DAYS);
    return ST_OK;
}

void api_token_create(struct identity *id, const struct act *act, const struct api_token_new *n,
                      api_token_fn *on_done, void *context)
{
    instant now = clock_wall_ms();
    struct token_op *t;
    struct fault why;

    if (check_new(n, now, &why) != ST_OK) {
        on_done(context, why.status, NULL, &why);
        return;
    }
    t = create_op(id, act, n->id, on_done, context);
    if (!t)
        return;
    t->change = *n;
    t->now = (struct api_token){
        .id = n->id,
        .created_at = now,
        .expires_at =
            n->expires_at ? n->expires_at : now + API_TOKEN_DEFAULT_DAYS * API_TOKEN_DAY_MS,
        .roles = n->roles,
        .role_count = n->role_count,
    };
    make_token(t);
    t->op.decide = decide_create;
    t->op.answer = answer_one;
    access_start(&t->op);
}

/* Taking away is no handing out: any token that the caller covers whole may go. */
static enum status decide_delete(struct access_op *op, const struct access_view *view,
                                 struct unit *unit, struct fault *why)
{
    BUF_CLEANUP struct buf before = {.max = FACTS_MAX};
    struct token_op *t = (struct token_op *)op;
    const struct sql_value value = SQL_TEXT_(op->subject);
    size_t count =
        assignments_covered(op, view, view->assignments, view->assignment_count, t->covered);

    if (!view->found || count < view->assignment_count)
        return unknown(op, why);
    unit_add(unit, &delete_sql, &value, 1, EXPECT_ONE);
    assignments_unit_replace(unit, HOLDER_TOKEN, op->subject, NULL, 0);
    write_facts(view->assignments, view->assignment_count, view->until, &before);
    access_audit(op, unit, "apiTokens.delete", &before, NULL);
    return ST_OK;
}

void api_token_delete(struct identity *id, const struct act *act, slice token_id,
                      api_token_fn *on_done, void *context)
{
    struct token_op *t = create_op(id, act, token_id, on_done, context);

    if (!t)
        return;
    t->op.decide = decide_delete;
    t->op.answer = answer_end;
    access_start(&t->op);
}
