/* Who an API token makes its bearer. */
#include <inttypes.h>
#include <stdlib.h>

#include "codec/sas.h"
#include "identity/access/access_internal.h"
#include "identity/access/api_token.h"

/* A row for each of its roles; the last column is NULL for an organization that is not there. */
static const struct sql get_sql = {
    "SELECT t.hash, t.expires_at, a.role_id, r.permissions,"
    " CASE a.organization_id WHEN '' THEN '' ELSE o.path END"
    " FROM api_token t LEFT JOIN assignment a ON a.holder_kind = 2 AND a.holder_id = t.token_id"
    " LEFT JOIN role r ON r.role_id = a.role_id"
    " LEFT JOIN organization o ON o.organization_id = a.organization_id WHERE t.token_id = ?1"};

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
    return ret->scope.len > 0 && api_token_id_valid(ret->token_id) &&
           slice_starts_with(ret->secret, SLICE(API_TOKEN_PREFIX));
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
    char token_id[API_TOKEN_ID_MAX];
};

/* What the roles of a token allow together; they are all in one organization. False: one that is
 * not known to lie anywhere, so the token is good for nothing. */
static bool read_roles(struct rows *rows, struct principal *p)
{
    bool known = true;

    do {
        const struct builtin_role *builtin = builtin_role_find(rows_bytes(rows, 2));
        slice path = rows_bytes(rows, 4);

        known = known && !rows_is_null(rows, 4) && path.len < sizeof p->organization;
        if (!known)
            continue;
        p->permissions |= builtin ? builtin->permissions : permissions_read(rows_bytes(rows, 3));
        if (path.len > 0)
            memcpy(p->organization, path.ptr, path.len);
    } while (rows_next(rows));
    p->permissions = permission_complete(p->permissions);
    return known;
}

/* The stored hash is compared even when there is none, so that an unknown token takes as long. */
static enum status check_row(const struct call *c, struct rows *rows, struct principal *ret,
                             struct fault *why)
{
    uint8_t stored[SHA256_LEN] = {0};
    bool found = rows_next(rows), known = false;
    instant expires_at = 0;
    slice hash;

    if (found) {
        hash = rows_bytes(rows, 0);
        if (hash.len == sizeof stored)
            memcpy(stored, hash.ptr, sizeof stored);
        expires_at = rows_int(rows, 1);
        known = read_roles(rows, ret);
    }
    if (rows_status(rows) != ST_OK)
        return fault_set(why, ST_UNAVAILABLE, "the API tokens could not be read");
    if (!secret_equal(stored, c->hash, sizeof stored) || !found)
        return fault_set(why, ST_UNAUTHORIZED, "no such API token, or a wrong secret");
    if (clock_wall_ms() >= expires_at)
        return fault_set(why, ST_UNAUTHORIZED, "the API token expired at %" PRId64, expires_at);
    if (!known)
        return fault_set(why, ST_UNAUTHORIZED, "the API token has no role");
    memcpy(ret->name, c->token_id, c->token_id_len);
    return ST_OK;
}

static void on_row(void *context, enum status status, struct rows *rows)
{
    struct call *c = context;
    struct principal principal = {.permissions = 0};
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
