/* For the tests of roles, users, organizations and tokens: each call waits for its end, and what it
 * gave is a text that reads like a table. */
#ifndef MUSTER_IDENTITY_ACCESS_FIXTURE_H
#define MUSTER_IDENTITY_ACCESS_FIXTURE_H

#include "identity/access/api_token.h"
#include "identity/access/audit.h"
#include "identity/access/organization.h"
#include "identity/access/role.h"
#include "identity/access/user.h"
#include "identity/identity_fixture.h"

#define ADMINISTRATOR "ca310b8d-2f4a-44e0-a36e-957c202cd8d4"
#define BUILDER "344138e9-8de4-4497-8c54-5237e96d6aaf"
#define OPERATOR "ae2c9854-393b-4f97-8c42-479d70ce626e"

struct asking {
    struct fixture *f;
    struct act act;
    struct principal by;
    void (*start)(struct asking *a);
    const void *what; /* the change */
    slice id;
    unsigned limit;
    sem_t ended;
    enum status status;
    struct fault why;
    struct buf text; /* a line for each row */
};

static inline void asking_start(void *context)
{
    struct asking *a = context;

    a->start(a);
}

/* The callbacks run on the worker; the answer may come later: see await_end. */
static inline void begin(struct asking *a, unsigned worker)
{
    a->act =
        (struct act){.by = &a->by, .source = SLICE("192.0.2.1"), .request_id = SLICE("request-1")};
    a->text = (struct buf){.max = 256 * 1024};
    a->status = ST_COUNT;
    sem_init(&a->ended, 0, 0);
    worker_call(workers_at(a->f->workers, worker), asking_start, a);
}

static inline enum status await_end(struct asking *a)
{
    sem_wait(&a->ended);
    sem_destroy(&a->ended);
    buf_append_byte(&a->text, 0);
    return a->status;
}

static inline enum status ask(struct asking *a)
{
    begin(a, 0);
    return await_end(a);
}

static inline void asking_end(struct asking *a, enum status status, const struct fault *why)
{
    a->status = status;
    if (why)
        a->why = *why;
    sem_post(&a->ended);
}

static inline const char *asked(const struct asking *a)
{
    return (const char *)a->text.ptr;
}

/* Ends it; the text is gone. */
static inline enum status ended(struct asking *a)
{
    buf_deinit(&a->text);
    return a->status;
}

static inline struct principal everything(void)
{
    return (struct principal){.permissions = PERMISSION(PERM_COUNT) - 1, .name = "boss"};
}

static inline struct principal within(const char *path)
{
    struct principal p = everything();

    snprintf(p.organization, sizeof p.organization, "%s", path);
    return p;
}

static inline struct principal with(permission_set permissions)
{
    return (struct principal){.permissions = permission_complete(permissions), .name = "less"};
}

static inline void write_roles(struct buf *to, const struct assignment *roles, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct builtin_role *builtin = builtin_role_find(roles[i].role_id);
        slice name = builtin ? slice_str(builtin->name) : roles[i].role_id;

        buf_printf(to, " %.*s@%.*s", SLICE_FMT(name), SLICE_FMT(roles[i].organization_id));
    }
}

/* --- organizations ---------------------------------------------------------------------------- */

static inline void on_organization(void *context, enum status status, const struct organization *o,
                                   const struct fault *why)
{
    struct asking *a = context;

    if (o)
        buf_printf(&a->text, "%.*s '%.*s' %.*s\n", SLICE_FMT(o->id), SLICE_FMT(o->display_name),
                   SLICE_FMT(o->path));
    if (!o || a->what || a->id.ptr) /* not a row of a list */
        asking_end(a, status, why);
}

static inline void start_organization_put(struct asking *a)
{
    organization_put(a->f->id, &a->act, a->what, on_organization, a);
}

static inline void start_organization_delete(struct asking *a)
{
    organization_delete(a->f->id, &a->act, a->id, on_organization, a);
}

static inline void start_organization_get(struct asking *a)
{
    organization_get(a->f->id, &a->by, a->id, on_organization, a);
}

static inline void start_organization_list(struct asking *a)
{
    organization_list(a->f->id, &a->by, on_organization, a);
}

/* `parent` NULL: not told. */
static inline enum status put_organization(struct fixture *f, struct principal by, const char *id,
                                           const char *parent)
{
    const struct organization_change change = {.id = slice_str(id), .parent_id = slice_str(parent)};
    struct asking a = {.f = f, .by = by, .what = &change, .start = start_organization_put};

    ask(&a);
    return ended(&a);
}

static inline enum status delete_organization(struct fixture *f, struct principal by,
                                              const char *id)
{
    struct asking a = {.f = f, .by = by, .id = slice_str(id), .start = start_organization_delete};

    ask(&a);
    return ended(&a);
}

static inline void assert_organizations(struct fixture *f, struct principal by, const char *want)
{
    struct asking a = {.f = f, .by = by, .start = start_organization_list};

    assert_int_equal(ask(&a), ST_OK);
    assert_string_equal(asked(&a), want);
    ended(&a);
}

/* --- roles ------------------------------------------------------------------------------------ */

static inline void on_role(void *context, enum status status, const struct role *r,
                           const struct fault *why)
{
    struct asking *a = context;

    if (r && !r->is_builtin) {
        buf_printf(&a->text, "%.*s '%.*s'", SLICE_FMT(r->id), SLICE_FMT(r->display_name));
        for (unsigned p = 0; p < PERM_COUNT; p++) {
            if (r->permissions & PERMISSION(p))
                buf_printf(&a->text, " %s", permission_name((enum permission)p));
        }
        buf_append_byte(&a->text, '\n');
    }
    if (!r || a->what || a->id.ptr)
        asking_end(a, status, why);
}

static inline void start_role_put(struct asking *a)
{
    role_put(a->f->id, &a->act, a->what, on_role, a);
}

static inline void start_role_delete(struct asking *a)
{
    role_delete(a->f->id, &a->act, a->id, on_role, a);
}

static inline void start_role_list(struct asking *a)
{
    role_list(a->f->id, on_role, a);
}

static inline enum status put_role(struct fixture *f, struct principal by, const char *id,
                                   permission_set permissions)
{
    const struct role_change change = {
        .id = slice_str(id), .has_permissions = true, .permissions = permissions};
    struct asking a = {.f = f, .by = by, .what = &change, .start = start_role_put};

    ask(&a);
    return ended(&a);
}

static inline enum status delete_role(struct fixture *f, struct principal by, const char *id)
{
    struct asking a = {.f = f, .by = by, .id = slice_str(id), .start = start_role_delete};

    ask(&a);
    return ended(&a);
}

static inline void assert_roles(struct fixture *f, const char *want)
{
    struct asking a = {.f = f, .start = start_role_list};

    assert_int_equal(ask(&a), ST_OK);
    assert_string_equal(asked(&a), want);
    ended(&a);
}

/* --- users ------------------------------------------------------------------------------------ */

static inline void on_user(void *context, enum status status, const struct user *u,
                           const struct fault *why)
{
    struct asking *a = context;

    if (u) {
        buf_printf(&a->text, "%.*s %.*s", SLICE_FMT(u->id), SLICE_FMT(u->email));
        write_roles(&a->text, u->roles, u->role_count);
        buf_append_byte(&a->text, '\n');
    }
    if (!u || a->what || a->id.ptr)
        asking_end(a, status, why);
}

static inline void start_user_put(struct asking *a)
{
    user_put(a->f->id, &a->act, a->what, on_user, a);
}

static inline void start_user_delete(struct asking *a)
{
    user_delete(a->f->id, &a->act, a->id, on_user, a);
}

static inline void start_user_get(struct asking *a)
{
    user_get(a->f->id, &a->by, a->id, on_user, a);
}

static inline void start_user_list(struct asking *a)
{
    user_list(a->f->id, &a->by, (slice){0}, a->limit, on_user, a);
}

/* E-mail address or role NULL: not told. */
static inline enum status put_user(struct fixture *f, struct principal by, const char *id,
                                   const char *email, const char *role, const char *organization)
{
    const struct assignment roles = {slice_str(role), slice_str(organization)};
    const struct user_change change = {.id = slice_str(id),
                                       .email = slice_str(email),
                                       .roles = role ? &roles : NULL,
                                       .role_count = role ? 1 : 0};
    struct asking a = {.f = f, .by = by, .what = &change, .start = start_user_put};

    ask(&a);
    return ended(&a);
}

static inline enum status delete_user(struct fixture *f, struct principal by, const char *id)
{
    struct asking a = {.f = f, .by = by, .id = slice_str(id), .start = start_user_delete};

    ask(&a);
    return ended(&a);
}

static inline void assert_users(struct fixture *f, struct principal by, const char *want)
{
    struct asking a = {.f = f, .by = by, .limit = 100, .start = start_user_list};

    assert_int_equal(ask(&a), ST_OK);
    assert_string_equal(asked(&a), want);
    ended(&a);
}

/* --- tokens ----------------------------------------------------------------------------------- */

static inline void on_token(void *context, enum status status, const struct api_token *t,
                            const struct fault *why)
{
    struct asking *a = context;

    if (t && t->text.len > 0) {
        buf_append(&a->text, t->text);
    } else if (t) {
        buf_printf(&a->text, "%.*s", SLICE_FMT(t->id));
        write_roles(&a->text, t->roles, t->role_count);
        buf_append_byte(&a->text, '\n');
    }
    if (!t || a->what || a->id.ptr)
        asking_end(a, status, why);
}

static inline void start_token_create(struct asking *a)
{
    api_token_create(a->f->id, &a->act, a->what, on_token, a);
}

static inline void start_token_delete(struct asking *a)
{
    api_token_delete(a->f->id, &a->act, a->id, on_token, a);
}

static inline void start_token_list(struct asking *a)
{
    api_token_list(a->f->id, &a->by, (slice){0}, a->limit, on_token, a);
}

/* The token's text in `ret`, which the caller frees. */
static inline enum status create_token(struct fixture *f, struct principal by, const char *id,
                                       const char *role, const char *organization,
                                       instant expires_at, struct buf *ret)
{
    const struct assignment roles = {slice_str(role), slice_str(organization)};
    const struct api_token_new n = {
        .id = slice_str(id), .expires_at = expires_at, .roles = &roles, .role_count = 1};
    struct asking a = {.f = f, .by = by, .what = &n, .start = start_token_create};

    ask(&a);
    *ret = (struct buf){.max = API_TOKEN_TEXT_MAX};
    buf_append(ret, slice_of(a.text.ptr, a.text.len - 1));
    return ended(&a);
}

static inline enum status delete_token(struct fixture *f, struct principal by, const char *id)
{
    struct asking a = {.f = f, .by = by, .id = slice_str(id), .start = start_token_delete};

    ask(&a);
    return ended(&a);
}

static inline void assert_tokens(struct fixture *f, struct principal by, const char *want)
{
    struct asking a = {.f = f, .by = by, .limit = 100, .start = start_token_list};

    assert_int_equal(ask(&a), ST_OK);
    assert_string_equal(asked(&a), want);
    ended(&a);
}

static inline void on_bearer(void *context, enum status status, const struct principal *p,
                             const struct fault *why)
{
    struct asking *a = context;

    if (p)
        a->by = *p;
    asking_end(a, status, why);
}

static inline void start_authenticate(struct asking *a)
{
    api_token_authenticate(a->f->id, a->id, on_bearer, a);
}

static inline enum status bear(struct fixture *f, slice token, struct principal *ret)
{
    struct asking a = {.f = f, .id = token, .start = start_authenticate};

    ask(&a);
    *ret = a.by;
    return ended(&a);
}

#endif
