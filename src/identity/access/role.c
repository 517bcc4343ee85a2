#include "identity/access/role.h"

#include <stdlib.h>

#include "identity/access/access_internal.h"

#define FACTS_MAX 4096

static const struct sql put_sql = {
    "INSERT INTO role (role_id, display_name, permissions) VALUES (?1, ?2, ?3)"
    " ON CONFLICT (role_id) DO UPDATE SET display_name = excluded.display_name,"
    " permissions = excluded.permissions"};
static const struct sql delete_sql = {"DELETE FROM role WHERE role_id = ?1"};

struct role_op {
    struct access_op op; /* first */
    struct role_change change;
    role_fn *on_role;
    struct role now; /* what is answered */
};

bool role_id_valid(slice id)
{
    return access_id_valid(id, ROLE_ID_MAX);
}

static struct role_op *create_op(struct identity *id, const struct act *act, slice role_id,
                                 role_fn *on_role, void *context)
{
    struct role_op *r = malloc(sizeof *r);
    struct fault why;

    if (!r) {
        fault_set(&why, ST_NO_MEMORY, "no memory for roles");
        on_role(context, ST_NO_MEMORY, NULL, &why);
        return NULL;
    }
    *r = (struct role_op){
        .op = {.id = id, .act = *act, .subject = role_id, .context = context},
        .on_role = on_role,
    };
    return r;
}

static void answer_end(struct access_op *op, enum status status, const struct fault *why)
{
    ((struct role_op *)op)->on_role(op->context, status, NULL, why);
}

static void answer_one(struct access_op *op, enum status status, const struct fault *why)
{
    struct role_op *r = (struct role_op *)op;

    r->on_role(op->context, status, status == ST_OK ? &r->now : NULL, why);
}

/* --- reading ---------------------------------------------------------------------------------- */

static enum status give_all(struct access_op *op, const struct access_view *view, struct unit *unit,
                            struct fault *why)
{
    struct role_op *r = (struct role_op *)op;
    struct role builtin;

    (void)unit;
    for (size_t i = 0; i < builtin_role_count; i++) {
        if (access_role(view, slice_str(builtin_roles[i].id), &builtin))
            r->on_role(op->context, ST_OK, &builtin, why);
    }
    for (size_t i = 0; i < view->role_count; i++)
        r->on_role(op->context, ST_OK, &view->roles[i], why);
    return ST_OK;
}

static enum status unknown(const struct access_op *op, struct fault *why)
{
    return fault_set(why, ST_NOT_FOUND, "there is no role '%.*s'",
                     SLICE_FMT(slice_first(op->subject, ROLE_ID_MAX)));
}

static enum status give_one(struct access_op *op, const struct access_view *view, struct unit *unit,
                            struct fault *why)
{
    struct role_op *r = (struct role_op *)op;

    (void)unit;
    return access_role(view, op->subject, &r->now) ? ST_OK : unknown(op, why);
}

void role_list(struct identity *id, role_fn *on_row, void *context)
{
    const struct act act = {.by = NULL};
    struct role_op *r = create_op(id, &act, (slice){0}, on_row, context);

    if (!r)
        return;
    r->op.only_reads = true;
    r->op.decide = give_all;
    r->op.answer = answer_end;
    access_start(&r->op);
}

void role_get(struct identity *id, slice role_id, role_fn *on_role, void *context)
{
    const struct act act = {.by = NULL};
    struct role_op *r = create_op(id, &act, role_id, on_role, context);

    if (!r)
        return;
    r->op.only_reads = true;
    r->op.decide = give_one;
    r->op.answer = answer_one;
    access_start(&r->op);
}

/* --- put -------------------------------------------------------------------------------------- */

static void write_facts(const struct role *role, struct buf *to)
{
    struct json_writer w = {.to = to};

    json_open(&w, (slice){0}, '{');
    json_put_text(&w, SLICE("displayName"), role->display_name);
    permissions_put(&w, SLICE("permissions"), role->permissions);
    json_close(&w, '}');
}

static bool name_taken(const struct access_view *view, const struct role *role)
{
    for (size_t i = 0; i < view->role_count; i++) {
        if (!slice_equal(view->roles[i].id, role->id) &&
            slice_equal(view->roles[i].display_name, role->display_name))
            return true;
    }
    for (size_t i = 0; i < builtin_role_count; i++) {
        if (slice_equal(slice_str(builtin_roles[i].name), role->display_name))
            return true;
    }
    return false;
}

/* Whoever may change a role could give himself what it has: so it must be his already. A role
 * that holds more than that is not his to lessen, either. */
static enum status check_permissions(const struct role_op *r, const struct role *was,
                                     struct fault *why)
{
    const struct principal *by = r->op.act.by;

    if (!may_grant(by, r->now.permissions | (was ? was->permissions : 0), (slice){0}))
        return fault_set(why, ST_FORBIDDEN, "nobody hands out permissions that he lacks");
    return ST_OK;
}

static enum status check_put(const struct role_op *r, const struct access_view *view,
                             const struct role *was, struct fault *why)
{
    enum permission needed = was ? PERM_ROLES_UPDATE : PERM_ROLES_CREATE;

    if (was && r->change.must_be_new)
        return fault_set(why, ST_PRECONDITION_FAILED, "there is a role '%.*s' already",
                         SLICE_FMT(r->change.id));
    if (was && was->is_builtin)
        return fault_set(why, ST_FORBIDDEN, "a built-in role cannot be changed");
    if (!was && r->change.must_exist)
        return unknown(&r->op, why);
    if (!may_do(r->op.act.by, needed))
        return fault_set(why, ST_FORBIDDEN, "you lack %s", permission_name(needed));
    if (!was && view->role_count >= ROLES_MAX)
        return fault_set(why, ST_QUOTA, "an application has at most %d roles of its own",
                         ROLES_MAX);
    if (name_taken(view, &r->now))
        return fault_set(why, ST_CONFLICT, "another role has that name");
    return check_permissions(r, was, why);
}

/* As the row will be. */
static void merge(struct role_op *r, const struct role *was)
{
    const struct role_change *c = &r->change;

    r->now.id = c->id;
    r->now.display_name = c->display_name.ptr ? c->display_name : was ? was->display_name : c->id;
    r->now.permissions = c->has_permissions ? permission_complete(c->permissions)
                         : was              ? was->permissions
                                            : 0;
}

static void write(const struct role *role, struct unit *unit)
{
    BUF_CLEANUP struct buf permissions = {.max = FACTS_MAX};

    permissions_write(role->permissions, &permissions);
    const struct sql_value values[] = {
        SQL_TEXT_(role->id), SQL_TEXT_(role->display_name),
        SQL_TEXT_(permissions.len ? buf_slice(&permissions) : SLICE(""))};
    unit_add(unit, &put_sql, values, COUNT_OF(values), EXPECT_ONE);
}

static enum status decide_put(struct access_op *op, const struct access_view *view,
                              struct unit *unit, struct fault *why)
{
    BUF_CLEANUP struct buf before = {.max = FACTS_MAX}, after = {.max = FACTS_MAX};
    struct role_op *r = (struct role_op *)op;
    struct role found, *was = access_role(view, op->subject, &found) ? &found : NULL;
    enum status status;

    merge(r, was);
    status = check_put(r, view, was, why);
    if (status != ST_OK)
        return status;
    write(&r->now, unit);
    if (was)
        write_facts(was, &before);
    write_facts(&r->now, &after);
    access_audit(op, unit, was ? "roles.update" : "roles.create", was ? &before : NULL, &after);
    return ST_OK;
}

static enum status check_change(const struct role_change *c, struct fault *why)
{
    if (!role_id_valid(c->id))
        return fault_set(why, ST_BAD_REQUEST, "a role's ID has 1 to %d letters, digits, - and _",
                         ROLE_ID_MAX);
    if (c->display_name.ptr && !access_name_valid(c->display_name))
        return fault_set(why, ST_BAD_REQUEST, ACCESS_NAME_RULE);
    return ST_OK;
}

void role_put(struct identity *id, const struct act *act, const struct role_change *change,
              role_fn *on_done, void *context)
{
    struct role_op *r;
    struct fault why;

    if (check_change(change, &why) != ST_OK) {
        on_done(context, why.status, NULL, &why);
        return;
    }
    r = create_op(id, act, change->id, on_done, context);
    if (!r)
        return;
    r->change = *change;
    r->op.decide = decide_put;
    r->op.answer = answer_one;
    access_start(&r->op);
}

/* --- delete ----------------------------------------------------------------------------------- */

static enum status decide_delete(struct access_op *op, const struct access_view *view,
                                 struct unit *unit, struct fault *why)
{
    BUF_CLEANUP struct buf before = {.max = FACTS_MAX};
    const struct sql_value value = SQL_TEXT_(op->subject);
    struct role was;

    if (!access_role(view, op->subject, &was))
        return unknown(op, why);
    if (was.is_builtin)
        return fault_set(why, ST_FORBIDDEN, "a built-in role cannot be deleted");
    if (!may_grant(op->act.by, was.permissions, (slice){0}))
        return fault_set(why, ST_FORBIDDEN, "the role may do more than you");
    if (view->role_uses > 0)
        return fault_set(why, ST_CONFLICT, "users or API tokens have this role");
    unit_add(unit, &delete_sql, &value, 1, EXPECT_ONE);
    write_facts(&was, &before);
    access_audit(op, unit, "roles.delete", &before, NULL);
    return ST_OK;
}

void role_delete(struct identity *id, const struct act *act, slice role_id, role_fn *on_done,
                 void *context)
{
    struct role_op *r = create_op(id, act, role_id, on_done, context);

    if (!r)
        return;
    r->op.decide = decide_delete;
    r->op.answer = answer_end;
    access_start(&r->op);
}
