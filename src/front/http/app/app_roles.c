/* Roles with their permissions, the application's own and those that all have; what permissions
 * there are. */
#include <stdlib.h>

#include "front/http/application.h"
#include "identity/access/role.h"

static struct identity *identity_of(const struct exchange *x)
{
    return x->front->options.identity;
}

static void put_permissions(struct json_writer *w, slice name, permission_set set)
{
    json_open(w, name, '[');
    for (unsigned p = 0; p < PERM_COUNT; p++) {
        if (set & PERMISSION(p))
            json_put_text(w, (slice){0}, slice_str(permission_name((enum permission)p)));
    }
    json_close(w, ']');
}

static void write_role(struct json_writer *w, const struct role *r)
{
    json_open(w, (slice){0}, '{');
    json_put_text(w, SLICE("id"), r->id);
    json_put_text(w, SLICE("displayName"), r->display_name);
    json_put_bool(w, SLICE("builtIn"), r->is_builtin);
    put_permissions(w, SLICE("permissions"), r->permissions);
    json_close(w, '}');
}

/* Each with all that it brings along, for whoever ticks boxes. */
void app_permissions_list(struct exchange *x)
{
    BUF_CLEANUP struct buf body = {.max = APP_ANSWER_MAX};
    struct json_writer w = {.to = &body};

    json_open(&w, (slice){0}, '{');
    json_open(&w, SLICE("value"), '[');
    for (unsigned p = 0; p < PERM_COUNT; p++) {
        json_open(&w, (slice){0}, '{');
        json_put_text(&w, SLICE("name"), slice_str(permission_name((enum permission)p)));
        put_permissions(&w, SLICE("implies"), permission_complete(PERMISSION(p)) & ~PERMISSION(p));
        json_close(&w, '}');
    }
    json_close(&w, ']');
    json_close(&w, '}');
    app_answer_object(x, &body);
}

/* --- list, get ------------------------------------------------------------------------------- */

struct role_list {
    struct exchange *x;
    struct buf body;
    struct json_writer w;
};

static void on_row(void *context, enum status status, const struct role *r, const struct fault *why)
{
    struct role_list *list = context;
    struct exchange *x = list->x;

    if (r) {
        write_role(&list->w, r);
        return;
    }
    json_close(&list->w, ']');
    json_close(&list->w, '}');
    if (status == ST_OK)
        app_answer_object(x, &list->body);
    else
        exchange_answer_error(x, status, why);
    buf_deinit(&list->body);
    exchange_release(x);
}

/* There are never so many that they need pages. */
void app_roles_list(struct exchange *x)
{
    struct role_list *list = arena_alloc(&x->arena, sizeof *list);

    if (!list) {
        exchange_answer_error(x, ST_NO_MEMORY, NULL);
        return;
    }
    list->x = x;
    buf_init(&list->body, APP_ANSWER_MAX);
    list->w = (struct json_writer){.to = &list->body};
    json_open(&list->w, (slice){0}, '{');
    json_open(&list->w, SLICE("value"), '[');
    exchange_hold(x);
    role_list(identity_of(x), on_row, list);
}

static void answer_role(struct exchange *x, enum status status, const struct role *r,
                        const struct fault *why)
{
    BUF_CLEANUP struct buf body = {.max = APP_ANSWER_MAX};
    struct json_writer w = {.to = &body};

    if (status == ST_OK) {
        write_role(&w, r);
        app_answer_object(x, &body);
    } else {
        exchange_answer_error(x, status, why);
    }
    exchange_release(x);
}

static void on_role(void *context, enum status status, const struct role *r,
                    const struct fault *why)
{
    answer_role(context, status, r, why);
}

void app_role_get(struct exchange *x)
{
    exchange_hold(x);
    role_get(identity_of(x), x->bound[0], on_role, x);
}

/* --- put, patch, delete ---------------------------------------------------------------------- */

static void on_put(void *context, enum status status, const struct role *r, const struct fault *why)
{
    struct exchange *x = context;

    x->is_audited = status == ST_OK;
    answer_role(x, status, r, why);
}

static bool read_permissions(struct exchange *x, const struct json *list, permission_set *ret)
{
    enum permission p;

    *ret = 0;
    if (list->kind != JSON_ARRAY)
        return app_wrong(x, "permissions must be a list of names");
    for (const struct json *name = list->first; name; name = name->next) {
        if (name->kind != JSON_STRING || !permission_from_name(name->text, &p))
            return app_wrong(x, "permissions holds a name that is none");
        *ret |= PERMISSION(p);
    }
    return true;
}

static void put(struct exchange *x, bool must_exist)
{
    struct role_change change = {.id = x->bound[0],
                                 .must_exist = must_exist,
                                 .must_be_new = !must_exist && exchange_wants_new(x)};
    const struct act act = exchange_act(x);
    const struct json *permissions;
    struct json *body;

    if (!exchange_json(x, &body))
        return;
    json_get_text(body, SLICE("displayName"), &change.display_name);
    permissions = json_member(body, SLICE("permissions"));
    if (permissions && !read_permissions(x, permissions, &change.permissions))
        return;
    change.has_permissions = permissions != NULL;
    exchange_hold(x);
    role_put(identity_of(x), &act, &change, on_put, x);
}

void app_role_put(struct exchange *x)
{
    put(x, false);
}

void app_role_patch(struct exchange *x)
{
    put(x, true);
}

static void on_deleted(void *context, enum status status, const struct role *r,
                       const struct fault *why)
{
    struct exchange *x = context;

    (void)r;
    x->is_audited = status == ST_OK;
    app_answer_done(x, status, why);
}

void app_role_delete(struct exchange *x)
{
    const struct act act = exchange_act(x);

    exchange_hold(x);
    role_delete(identity_of(x), &act, x->bound[0], on_deleted, x);
}
