/* Roles and organizations of the compatible REST API. */
#include "front/http/rest.h"
#include "identity/access/organization.h"
#include "identity/access/role.h"

static struct identity *identity_of(const struct exchange *x)
{
    return x->front->options.identity;
}

/* --- roles: to look at; the application's own are made under /api/muster ---------------------- */

static void write_role(struct json_writer *w, const struct role *r)
{
    json_open(w, (slice){0}, '{');
    json_put_text(w, SLICE("id"), r->id);
    json_put_text(w, SLICE("displayName"), r->display_name);
    json_close(w, '}');
}

/* Few enough to be one page, whatever was asked. */
static void on_role_row(void *context, enum status status, const struct role *r,
                        const struct fault *why)
{
    struct rest_list *list = context;

    if (r) {
        write_role(&list->w, r);
        return;
    }
    rest_list_end(list, status, why);
}

static void roles_list(struct exchange *x)
{
    struct rest_list *list = rest_list_begin(x);

    if (list)
        role_list(identity_of(x), on_role_row, list);
}

static void on_role(void *context, enum status status, const struct role *r,
                    const struct fault *why)
{
    BUF_CLEANUP struct buf body = {.max = REST_ANSWER_MAX};
    struct json_writer w = {.to = &body};

    if (r)
        write_role(&w, r);
    rest_end(context, status, &body, why);
}

static void roles_get(struct exchange *x)
{
    exchange_hold(x);
    role_get(identity_of(x), x->bound[0], on_role, x);
}

/* --- organizations --------------------------------------------------------------------------- */

static void write_organization(struct json_writer *w, const struct organization *o)
{
    json_open(w, (slice){0}, '{');
    json_put_text(w, SLICE("id"), o->id);
    json_put_text(w, SLICE("displayName"), o->display_name);
    if (o->parent_id.len > 0)
        json_put_text(w, SLICE("parent"), o->parent_id);
    json_close(w, '}');
}

static void on_organization_row(void *context, enum status status, const struct organization *o,
                                const struct fault *why)
{
    struct rest_list *list = context;

    if (o) {
        write_organization(&list->w, o);
        return;
    }
    rest_list_end(list, status, why);
}

static void organizations_list(struct exchange *x)
{
    struct rest_list *list = rest_list_begin(x);

    if (list)
        organization_list(identity_of(x), &x->principal, on_organization_row, list);
}

static void on_organization(void *context, enum status status, const struct organization *o,
                            const struct fault *why)
{
    BUF_CLEANUP struct buf body = {.max = REST_ANSWER_MAX};
    struct json_writer w = {.to = &body};

    if (o)
        write_organization(&w, o);
    rest_end(context, status, &body, why);
}

static void organizations_get(struct exchange *x)
{
    exchange_hold(x);
    organization_get(identity_of(x), &x->principal, x->bound[0], on_organization, x);
}

static void on_organization_put(void *context, enum status status, const struct organization *o,
                                const struct fault *why)
{
    BUF_CLEANUP struct buf body = {.max = REST_ANSWER_MAX};
    struct json_writer w = {.to = &body};

    if (o)
        write_organization(&w, o);
    rest_end_change(context, status, &body, why);
}

/* A PUT says where it is to be, a PATCH may leave it where it is. */
static void put_organization(struct exchange *x, bool must_exist)
{
    struct organization_change change = {.id = x->bound[0],
                                         .must_exist = must_exist,
                                         .must_be_new = !must_exist && exchange_wants_new(x)};
    const struct act act = exchange_act(x);
    const struct json *parent;
    struct json *body;

    if (!exchange_json(x, &body))
        return;
    json_get_text(body, SLICE("displayName"), &change.display_name);
    parent = json_member(body, SLICE("parent"));
    if (parent && parent->kind == JSON_STRING) {
        change.parent_id = parent->text;
    } else if (parent ? parent->kind == JSON_NULL : !must_exist) {
        change.parent_id = SLICE("");
    } else if (parent) {
        rest_wrong(x, "parent must be the ID of an organization");
        return;
    }
    exchange_hold(x);
    organization_put(identity_of(x), &act, &change, on_organization_put, x);
}

static void organizations_put(struct exchange *x)
{
    put_organization(x, false);
}

static void organizations_patch(struct exchange *x)
{
    put_organization(x, true);
}

static void on_organization_deleted(void *context, enum status status, const struct organization *o,
                                    const struct fault *why)
{
    (void)o;
    rest_end_change(context, status, NULL, why);
}

static void organizations_delete(struct exchange *x)
{
    const struct act act = exchange_act(x);

    exchange_hold(x);
    organization_delete(identity_of(x), &act, x->bound[0], on_organization_deleted, x);
}

/* --- schemas ---------------------------------------------------------------------------------- */

static const struct rest_schema schemas[] = {
    {"Role", "'id','displayName'", "'id':{'type':'string'},'displayName':{'type':'string'}"},
    {"Organization", "",
     "'id':{'type':'string','readOnly':true},'displayName':{'type':'string'},"
     "'parent':{'type':'string'}"},
};

/* --- routes ---------------------------------------------------------------------------------- */

/* clang-format off */
static const struct rest_route routes[] = {
    {{HTTP_GET,    "roles",            PERM_ROLES_VIEW,           roles_list},           "Roles_List",           NULL,           "RoleCollection", 200, 0},
    {{HTTP_GET,    "roles/{}",         PERM_ROLES_VIEW,           roles_get},            "Roles_Get",            NULL,           "Role", 200, 0},

    {{HTTP_GET,    "organizations",    PERM_ORGANIZATIONS_VIEW,   organizations_list},   "Organizations_List",   NULL,           "OrganizationCollection", 200, 0},
    {{HTTP_GET,    "organizations/{}", PERM_ORGANIZATIONS_VIEW,   organizations_get},    "Organizations_Get",    NULL,           "Organization", 200, 0},
    {{HTTP_PUT,    "organizations/{}", PERM_ORGANIZATIONS_CREATE, organizations_put},    "Organizations_Create", "Organization", "Organization", 200, 0},
    {{HTTP_PATCH,  "organizations/{}", PERM_ORGANIZATIONS_UPDATE, organizations_patch},  "Organizations_Update", "Organization", "Organization", 200, 0},
    {{HTTP_DELETE, "organizations/{}", PERM_ORGANIZATIONS_DELETE, organizations_delete}, "Organizations_Remove", NULL,           NULL, 204, 0},
};
/* clang-format on */

const struct rest_table rest_organizations = {routes, COUNT_OF(routes), schemas, COUNT_OF(schemas)};
