#include "identity/api_token.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/text.h"
#include "codec/sas.h"
#include "identity/identity_internal.h"

#define SECRET_BYTES 32
#define SECRET_PREFIX "mst_" /* for scanners of leaked secrets */
#define TOKEN_ID_MAX 63

static const struct sql insert_sql = {
    "INSERT INTO api_token (token_id, hash, rights, created_at, expires_at)"
    " VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (token_id) DO UPDATE SET hash = excluded.hash,"
    " rights = excluded.rights, created_at = excluded.created_at,"
    " expires_at = excluded.expires_at"};
static const struct sql get_sql = {
    "SELECT hash, rights, expires_at FROM api_token WHERE token_id = ?1"};

/* --- making ---------------------------------------------------------------------------------- */

/* What needs no escape in a token. */
static bool token_id_valid(slice token_id)
{
    for (size_t i = 0; i < token_id.len; i++) {
        uint8_t c = token_id.ptr[i];
        bool plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');

        if (!plain && c != '-' && c != '.' && c != '_')
            return false;
    }
    return token_id.len > 0 && token_id.len <= TOKEN_ID_MAX;
}

static enum status insert_now(struct identity *id, slice token_id, slice secret, unsigned rights,
                              instant expires_at)
{
    struct unit *unit = unit_create(id->store);
    uint8_t hash[SHA256_LEN];
    enum status status;

    if (!unit)
        return ST_UNAVAILABLE;
    sha256(secret, hash);
    const struct sql_value values[] = {SQL_TEXT_(token_id), SQL_BLOB_(slice_of(hash, sizeof hash)),
                                       SQL_INT_(rights), SQL_INT_(clock_wall_ms()),
                                       SQL_INT_(expires_at)};
    unit_add(unit, &insert_sql, values, COUNT_OF(values), EXPECT_ONE);
    status = unit_run(unit);
    unit_destroy(unit);
    return status;
}

enum status api_token_create_now(struct identity *id, slice token_id, unsigned rights,
                                 instant expires_at, struct buf *ret, struct fault *why)
{
    SECRET_CLEANUP struct secret random = {.len = 0};
    char text[sizeof SECRET_PREFIX + 2 * SECRET_BYTES];
    struct buf secret = {.ptr = (uint8_t *)text, .cap = sizeof text, .max = sizeof text};
    enum status status;

    if (!token_id_valid(token_id))
        return fault_set(why, ST_BAD_REQUEST, "not an ID for a token: '%.*s'", SLICE_FMT(token_id));
    secret_generate(&random, SECRET_BYTES);
    buf_append_str(&secret, SECRET_PREFIX);
    hex_encode(secret_slice(&random), &secret);
    status = insert_now(id, token_id, buf_slice(&secret), rights, expires_at);
    if (status == ST_OK) {
        buf_printf(ret, "SharedAccessSignature sr=muster&sig=%.*s&skn=%.*s&se=%" PRId64,
                   SLICE_FMT(buf_slice(&secret)), SLICE_FMT(token_id), expires_at);
        status = ret->failed ? ST_NO_MEMORY : ST_OK;
    }
    explicit_bzero(text, sizeof text);
    if (status != ST_OK)
        return fault_set(why, status, "cannot make the API token '%.*s': %s", SLICE_FMT(token_id),
                         status_name(status));
    return ST_OK;
}

/* --- reading --------------------------------------------------------------------------------- */

struct fields {
    slice scope, secret, token_id;
};

static bool set_once(slice *field, slice value)
{
    bool is_first = field->len == 0;

    *field = value;
    return is_first;
}

/* sr, sig and skn, in any order, each once; sr may say anything, and se is kept in the store. */
static bool parse_fields(slice text, struct fields *ret)
{
    *ret = (struct fields){0};
    for (slice rest = text; rest.ptr;) {
        slice value = slice_split(&rest, '&');
        slice name = slice_split(&value, '=');
        bool ok = true;

        if (slice_equal_nocase(name, SLICE("sr")))
            ok = set_once(&ret->scope, value);
        else if (slice_equal_nocase(name, SLICE("sig")))
            ok = set_once(&ret->secret, value);
        else if (slice_equal_nocase(name, SLICE("skn")))
            ok = set_once(&ret->token_id, value);
        if (!ok)
            return false;
    }
    return ret->scope.len > 0 && token_id_valid(ret->token_id) &&
           slice_starts_with(ret->secret, SLICE(SECRET_PREFIX));
}

static bool parse(slice authorization, struct fields *ret)
{
    static const char *const schemes[] = {"Bearer ", "SharedAccessSignature "};
    slice text = slice_trim(authorization);

    if (text.len > SAS_TOKEN_MAX)
        return false;
    if (slice_starts_with_nocase(text, slice_str(schemes[0])))
        text = slice_trim(slice_from(text, strlen(schemes[0])));
    if (!slice_starts_with_nocase(text, slice_str(schemes[1])))
        return false;
    return parse_fields(slice_trim(slice_from(text, strlen(schemes[1]))), ret);
}

/* --- authentication -------------------------------------------------------------------------- */

struct call {
    service_principal_fn *on_principal;
    void *context;
    uint8_t hash[SHA256_LEN]; /* of the secret as presented */
    size_t token_id_len;
    char token_id[TOKEN_ID_MAX];
};

/* The stored hash is compared even when there is none, so that an unknown token takes as long. */
static enum status check_row(const struct call *c, struct rows *rows, struct principal *ret,
                             struct fault *why)
{
    uint8_t stored[SHA256_LEN] = {0};
    bool found = rows_next(rows);
    instant expires_at = 0;
    slice hash;

    if (!found && rows_status(rows) != ST_OK)
        return fault_set(why, ST_UNAVAILABLE, "the API tokens could not be read");
    if (found) {
        hash = rows_bytes(rows, 0);
        if (hash.len == sizeof stored)
            memcpy(stored, hash.ptr, sizeof stored);
        *ret = (struct principal){.rights = (unsigned)rows_int(rows, 1)};
        expires_at = rows_int(rows, 2);
    }
    if (!secret_equal(stored, c->hash, sizeof stored) || !found)
        return fault_set(why, ST_UNAUTHORIZED, "no such API token, or a wrong secret");
    if (clock_wall_ms() >= expires_at)
        return fault_set(why, ST_UNAUTHORIZED, "the API token expired at %" PRId64, expires_at);
    memcpy(ret->name, c->token_id, c->token_id_len);
    return ST_OK;
}

static void on_row(void *context, enum status status, struct rows *rows)
{
    struct call *c = context;
    struct principal principal = {.rights = RIGHT_NONE};
    struct fault why = {.status = ST_OK};

    if (status == ST_OK)
        status = check_row(c, rows, &principal, &why);
    else
        status = fault_set(&why, ST_UNAVAILABLE, "the API tokens could not be read: %s",
                           status_name(status));
    c->on_principal(c->context, status, status == ST_OK ? &principal : NULL, &why);
    free(c);
}

static struct call *create_call(const struct fields *f, service_principal_fn *on_principal,
                                void *context)
{
    struct call *c = malloc(sizeof *c);

    if (!c)
        return NULL;
    *c = (struct call){.on_principal = on_principal, .context = context};
    sha256(f->secret, c->hash);
    c->token_id_len = f->token_id.len;
    memcpy(c->token_id, f->token_id.ptr, f->token_id.len);
    return c;
}

void api_token_authenticate(struct identity *id, slice authorization,
                            service_principal_fn *on_principal, void *context)
{
    struct fault why = {.status = ST_UNAUTHORIZED, .text = "not an API token"};
    struct fields f;
    struct call *c = NULL;

    if (parse(authorization, &f)) {
        c = create_call(&f, on_principal, context);
        if (!c)
            fault_set(&why, ST_UNAVAILABLE, "out of memory");
    }
    if (!c) {
        on_principal(context, why.status, NULL, &why);
        return;
    }
    const struct sql_value value = SQL_TEXT_(slice_of(c->token_id, c->token_id_len));
    store_read(id->store, &get_sql, &value, 1, on_row, c);
}
