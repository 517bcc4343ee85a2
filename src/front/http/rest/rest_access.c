/* Users and API tokens of the compatible REST API: who has which roles, and where. */
#include "base/clock.h"
#include "front/http/rest.h"
#include "identity/access/api_token.h"
#include "identity/access/user.h"

static struct identity *identity_of(const struct exchange *x)
{
    return x->front->options.identity;
}

/* --- roles of users and tokens --------------------------------------------------------------- */

static void write_roles(struct json_writer *w, const struct assignment *roles, size_t count)
{
    json_open(w, SLICE("roles"), '[');
    for (size_t i = 0; i < count; i++) {
        json_open(w, (slice){0}, '{');
        json_put_text(w, SLICE("role"), roles[i].role_id);
        if (roles[i].organization_id.len > 0)
            json_put_text(w, SLICE("organization"), roles[i].organization_id);
        json_close(w, '}');
    }
    json_close(w, ']');
}

static bool read_role(const struct json *value, struct assignment *ret)
{
    const struct json *organization = json_member(value, SLICE("organization"));

    if (!json_get_text(value, SLICE("role"), &ret->role_id))
        return false;
    ret->organization_id = (slice){0};
    return !organization || organization->kind == JSON_NULL ||
           json_get_text(value, SLICE("organization"), &ret->organization_id);
}

/* The member "roles"; NULL when there is none. False after a 400. */
static bool read_roles(struct exchange *x, const struct json *body, const struct assignment **ret,
                       size_t *ret_count)
{
    const struct json *roles = json_member(body, SLICE("roles"));
    struct assignment *list;

    *ret = NULL;
    *ret_count = 0;
    if (!roles)
        return true;
    if (roles->kind != JSON_ARRAY)
        return rest_wrong(x, "roles must be a list");
    list = arena_alloc_array(&x->arena, ASSIGNMENTS_MAX, sizeof *list);
    if (!list) {
        exchange_answer_error(x, ST_NO_MEMORY, NULL);
        return false;
    }
    for (const struct json *role = roles->first; role; role = role->next) {
        if (*ret_count == ASSIGNMENTS_MAX)
            return rest_wrong(x, "at most 20 roles");
        if (!read_role(role, &list[(*ret_count)++]))
            return rest_wrong(x, "a role is {\"role\": ID, \"organization\": ID or left out}");
    }
    *ret = list;
    return true;
}

/* --- users ----------------------------------------------------------------------------------- */

static void write_user(struct json_writer *w, const struct user *u)
{
    json_open(w, (slice){0}, '{');
    json_put_text(w, SLICE("id"), u->id);
    json_put_text(w, SLICE("type"), SLICE("email"));
    json_put_text(w, SLICE("email"), u->email);
    write_roles(w, u->roles, u->role_count);
    json_close(w, '}');
}

static void on_user_row(void *context, enum status status, const struct user *u,
                        const struct fault *why)
{
    struct rest_list *list = context;

    if (!u) {
        rest_list_end(list, status, why);
        return;
    }
    if (rest_list_row(list, u->id))
        write_user(&list->w, u);
}

static void users_list(struct exchange *x)
{
    struct rest_list *list = rest_list_begin(x);

    if (list)
        user_list(identity_of(x), &x->principal, list->after, list->limit, on_user_row, list);
}

static void on_user(void *context, enum status status, const struct user *u,
                    const struct fault *why)
{
    BUF_CLEANUP struct buf body = {.max = REST_ANSWER_MAX};
    struct json_writer w = {.to = &body};

    if (u)
        write_user(&w, u);
    rest_end(context, status, &body, why);
}

static void users_get(struct exchange *x)
{
    exchange_hold(x);
    user_get(identity_of(x), &x->principal, x->bound[0], on_user, x);
}

static void on_user_put(void *context, enum status status, const struct user *u,
                        const struct fault *why)
{
    BUF_CLEANUP struct buf body = {.max = REST_ANSWER_MAX};
    struct json_writer w = {.to = &body};

    if (u)
        write_user(&w, u);
    rest_end_change(context, status, &body, why);
}

/* Service principals and groups of a directory need a sign-in that knows them. */
static void put_user(struct exchange *x, bool must_exist)
{
    struct user_change change = {.id = x->bound[0],
                                 .must_exist = must_exist,
                                 .must_be_new = !must_exist && exchange_wants_new(x)};
    const struct act act = exchange_act(x);
    struct json *body;
    slice type;

    if (!exchange_json(x, &body))
        return;
    if (json_get_text(body, SLICE("type"), &type) && !slice_equal(type, SLICE("email"))) {
        rest_wrong(x, "users of type email only");
        return;
    }
    json_get_text(body, SLICE("email"), &change.email);
    if (!read_roles(x, body, &change.roles, &change.role_count))
        return;
    exchange_hold(x);
    user_put(identity_of(x), &act, &change, on_user_put, x);
}

static void users_put(struct exchange *x)
{
    put_user(x, false);
}

static void users_patch(struct exchange *x)
{
    put_user(x, true);
}

static void on_user_deleted(void *context, enum status status, const struct user *u,
                            const struct fault *why)
{
    (void)u;
    rest_end_change(context, status, NULL, why);
}

static void users_delete(struct exchange *x)
{
    const struct act act = exchange_act(x);

    exchange_hold(x);
    user_delete(identity_of(x), &act, x->bound[0], on_user_deleted, x);
}

/* --- API tokens ------------------------------------------------------------------------------ */

static void write_token(struct json_writer *w, const struct api_token *t)
{
    char expiry[CLOCK_TEXT_MAX];

    json_open(w, (slice){0}, '{');
    json_put_text(w, SLICE("id"), t->id);
    write_roles(w, t->roles, t->role_count);
    json_put_text(w, SLICE("expiry"), clock_iso(t->expires_at, expiry));
    if (t->text.len > 0)
        json_put_text(w, SLICE("token"), t->text);
    json_close(w, '}');
}

static void on_token_row(void *context, enum status status, const struct api_token *t,
                         const struct fault *why)
{
    struct rest_list *list = context;

    if (!t) {
        rest_list_end(list, status, why);
        return;
    }
    if (rest_list_row(list, t->id))
        write_token(&list->w, t);
}

static void tokens_list(struct exchange *x)
{
    struct rest_list *list = rest_list_begin(x);

    if (list)
        api_token_list(identity_of(x), &x->principal, list->after, list->limit, on_token_row, list);
}

static void on_token(void *context, enum status status, const struct api_token *t,
                     const struct fault *why)
{
    BUF_CLEANUP struct buf body = {.max = REST_ANSWER_MAX};
    struct json_writer w = {.to = &body};

    if (t)
        write_token(&w, t);
    rest_end(context, status, &body, why);
}

static void tokens_get(struct exchange *x)
{
    exchange_hold(x);
    api_token_get(identity_of(x), &x->principal, x->bound[0], on_token, x);
}

/* The only answer that ever holds the token: its bytes do not stay behind in memory. */
static void on_token_created(void *context, enum status status, const struct api_token *t,
                             const struct fault *why)
{
    struct buf body = {.max = REST_ANSWER_MAX};
    struct json_writer w = {.to = &body};

    if (t)
        write_token(&w, t);
    rest_end_change(context, rest_status_of_put(context, status), &body, why);
    if (body.ptr)
        explicit_bzero(body.ptr, body.cap);
    buf_deinit(&body);
}

static void tokens_put(struct exchange *x)
{
    struct api_token_new n = {.id = x->bound[0]};
    const struct act act = exchange_act(x);
    struct json *body;
    slice expiry;

    if (!exchange_json(x, &body))
        return;
    if (json_member(body, SLICE("expiry")) && (!json_get_text(body, SLICE("expiry"), &expiry) ||
                                               !clock_parse_iso(expiry, &n.expires_at))) {
        rest_wrong(x, "expiry must be a time like 2026-01-31T08:15:30Z");
        return;
    }
    if (!read_roles(x, body, &n.roles, &n.role_count))
        return;
    exchange_hold(x);
    api_token_create(identity_of(x), &act, &n, on_token_created, x);
}

static void on_token_deleted(void *context, enum status status, const struct api_token *t,
                             const struct fault *why)
{
    (void)t;
    rest_end_change(context, status, NULL, why);
}

static void tokens_delete(struct exchange *x)
{
    const struct act act = exchange_act(x);

    exchange_hold(x);
    api_token_delete(identity_of(x), &act, x->bound[0], on_token_deleted, x);
}

/* --- schemas ---------------------------------------------------------------------------------- */

#define ROLES "'roles':{'type':'array','minItems':1,'maxItems':20,'items':@RoleAssignment}"

static const struct rest_schema schemas[] = {
    {"RoleAssignment", "'role'", "'role':{'type':'string'},'organization':{'type':'string'}"},
    {"User", "'type','email','roles'",
     "'id':{'type':'string','readOnly':true},'type':{'type':'string','enum':['email']},"
     "'email':{'type':'string'}," ROLES},
    {"ApiToken", "'roles'",
     "'id':{'type':'string','readOnly':true}," ROLES
     ",'expiry':{'type':'string','format':'date-time'},"
     "'token':{'type':'string','readOnly':true}"},
};

/* --- routes ---------------------------------------------------------------------------------- */

/* clang-format off */
static const struct rest_route routes[] = {
    {{HTTP_GET,    "users",            PERM_USERS_VIEW,           users_list},           "Users_List",           NULL,           "UserCollection", 200, 0},
    {{HTTP_GET,    "users/{}",         PERM_USERS_VIEW,           users_get},            "Users_Get",            NULL,           "User", 200, 0},
    {{HTTP_PUT,    "users/{}",         PERM_USERS_ADD,            users_put},            "Users_Create",         "User",         "User", 200, 0},
    {{HTTP_PATCH,  "users/{}",         PERM_USERS_UPDATE,         users_patch},          "Users_Update",         "User",         "User", 200, 0},
    {{HTTP_DELETE, "users/{}",         PERM_USERS_DELETE,         users_delete},         "Users_Remove",         NULL,           NULL, 204, 0},

    {{HTTP_GET,    "apiTokens",        PERM_TOKENS_VIEW,          tokens_list},          "ApiTokens_List",       NULL,           "ApiTokenCollection", 200, 0},
    {{HTTP_GET,    "apiTokens/{}",     PERM_TOKENS_VIEW,          tokens_get},           "ApiTokens_Get",        NULL,           "ApiToken", 200, 0},
    {{HTTP_PUT,    "apiTokens/{}",     PERM_TOKENS_CREATE,        tokens_put},           "ApiTokens_Create",     "ApiToken",     "ApiToken", 200, 0},
    {{HTTP_DELETE, "apiTokens/{}",     PERM_TOKENS_DELETE,        tokens_delete},        "ApiTokens_Remove",     NULL,           NULL, 204, 0},
};
/* clang-format on */

const struct rest_table rest_access = {routes, COUNT_OF(routes), schemas, COUNT_OF(schemas)};
