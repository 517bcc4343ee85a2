#include "identity/access/user.h"

#include <stdlib.h>

#include "identity/access/access_internal.h"
#include "identity/access/sign_in_store.h"

#define FACTS_MAX 8192

static const struct sql insert_sql = {
    "INSERT INTO app_user (user_id, email, email_key, created_at) VALUES (?1, ?2, ?3, ?4)"};
static const struct sql update_sql = {
    "UPDATE app_user SET email = ?2, email_key = ?3 WHERE user_id = ?1"};
static const struct sql delete_sql = {"DELETE FROM app_user WHERE user_id = ?1"};
/* ?1 after, ?2 how many, ?3 the caller's organization. */
static const struct sql list_sql = {
    "SELECT u.user_id, u.email, u.created_at, 0, a.role_id, a.organization_id, o.path"
    " FROM (SELECT user_id, email, created_at FROM app_user h WHERE user_id > ?1"
    " AND (?3 = '' OR EXISTS (SELECT 1 FROM assignment x"
    " JOIN organization y ON y.organization_id = x.organization_id"
    " WHERE x.holder_kind = 1 AND x.holder_id = h.user_id"
    " AND substr(y.path, 1, length(?3)) = ?3))"
    " ORDER BY user_id LIMIT ?2) u"
    " LEFT JOIN assignment a ON a.holder_kind = 1 AND a.holder_id = u.user_id"
    " LEFT JOIN organization o ON o.organization_id = a.organization_id"
    " ORDER BY u.user_id, a.organization_id, a.role_id"};

struct user_op {
    struct access_op op; /* first */
    struct user_change change;
    user_fn *on_user;
    struct user now;                            /* what is answered */
    struct assignment covered[ASSIGNMENTS_MAX]; /* of what he has, by the caller */
    uint8_t email_key[USER_EMAIL_MAX];
};

bool user_id_valid(slice id)
{
    return access_id_valid(id, USER_ID_MAX);
}

bool user_email_valid(slice email)
{
    size_t at;

    for (size_t i = 0; i < email.len; i++) {
        if (email.ptr[i] <= ' ' || email.ptr[i] == 0x7f || email.ptr[i] == '"' ||
            email.ptr[i] == '<' || email.ptr[i] == '>')
            return false;
    }
    return email.len <= USER_EMAIL_MAX && slice_find(email, '@', &at) && at > 0 &&
           at + 1 < email.len && !slice_find(slice_from(email, at + 1), '@', &at);
}

slice user_email_key(slice email, uint8_t to[USER_EMAIL_MAX])
{
    size_t len = email.len < USER_EMAIL_MAX ? email.len : USER_EMAIL_MAX;

    for (size_t i = 0; i < len; i++) {
        uint8_t c = email.ptr[i];

        to[i] = (uint8_t)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
    }
    return slice_of(to, len);
}

/* --- reading ---------------------------------------------------------------------------------- */

static void give_row(any_fn *on_row, void *context, enum status status, const struct holder_row *h)
{
    user_fn *fn = (user_fn *)on_row;
    struct fault why = {.status = status};
    struct user u;

    if (!h) {
        fn(context, status, NULL, &why);
        return;
    }
    u = (struct user){.id = h->id,
                      .email = h->text,
                      .created_at = h->at,
                      .roles = h->roles,
                      .role_count = h->role_count};
    fn(context, ST_OK, &u, &why);
}

void user_list(struct identity *id, const struct principal *by, slice after, unsigned limit,
               user_fn *on_row, void *context)
{
    holders_list(id, &list_sql, by, after, limit, give_row, (any_fn *)on_row, context);
}

static struct user_op *create_op(struct identity *id, const struct act *act, slice user_id,
                                 user_fn *on_user, void *context)
{
    struct user_op *u = malloc(sizeof *u);
    struct fault why;

    if (!u) {
        fault_set(&why, ST_NO_MEMORY, "no memory for users");
        on_user(context, ST_NO_MEMORY, NULL, &why);
        return NULL;
    }
    *u = (struct user_op){
        .op =
            {.id = id, .act = *act, .holder = HOLDER_USER, .subject = user_id, .context = context},
        .on_user = on_user,
    };
    return u;
}

static void answer_end(struct access_op *op, enum status status, const struct fault *why)
{
    ((struct user_op *)op)->on_user(op->context, status, NULL, why);
}

static void answer_one(struct access_op *op, enum status status, const struct fault *why)
{
    struct user_op *u = (struct user_op *)op;

    u->on_user(op->context, status, status == ST_OK ? &u->now : NULL, why);
}

static enum status give_one(struct access_op *op, const struct access_view *view, struct unit *unit,
                            struct fault *why)
{
    struct user_op *u = (struct user_op *)op;
    size_t count =
        assignments_covered(op, view, view->assignments, view->assignment_count, u->covered);

    (void)unit;
    if (!view->found || (count == 0 && op->act.by->organization[0]))
        return fault_set(why, ST_NOT_FOUND, "there is no user '%.*s'",
                         SLICE_FMT(slice_first(op->subject, USER_ID_MAX)));
    u->now = (struct user){.id = op->subject,
                           .email = view->text,
                           .created_at = view->at,
                           .roles = u->covered,
                           .role_count = count};
    return ST_OK;
}

void user_get(struct identity *id, const struct principal *by, slice user_id, user_fn *on_user,
              void *context)
{
    const struct act act = {.by = by};
    struct user_op *u = create_op(id, &act, user_id, on_user, context);

    if (!u)
        return;
    u->op.only_reads = true;
    u->op.decide = give_one;
    u->op.answer = answer_one;
    access_start(&u->op);
}

/* --- put -------------------------------------------------------------------------------------- */

static void write_facts(slice email, const struct assignment *roles, size_t count, struct buf *to)
{
    struct json_writer w = {.to = to};

    json_open(&w, (slice){0}, '{');
    json_put_text(&w, SLICE("email"), email);
    assignments_put(&w, roles, count);
    json_close(&w, '}');
}

static bool is_administrator(const struct assignment *roles, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (roles[i].organization_id.len == 0 &&
            slice_equal(roles[i].role_id, SLICE(ADMINISTRATOR_ROLE)))
            return true;
    }
    return false;
}

/* An application always has somebody who may do everything, once it had. */
static bool would_be_without(const struct access_view *view, const struct user *now)
{
    return view->other_administrators == 0 &&
           is_administrator(view->assignments, view->assignment_count) &&
           !(now && is_administrator(now->roles, now->role_count));
}

static enum status check_new(const struct user_op *u, const struct access_view *view,
                             struct fault *why)
{
    if (u->change.must_exist)
        return fault_set(why, ST_NOT_FOUND, "there is no user '%.*s'",
                         SLICE_FMT(slice_first(u->change.id, USER_ID_MAX)));
    if (!u->change.email.ptr || !u->change.roles)
        return fault_set(why, ST_BAD_REQUEST, "a user has an e-mail address and roles");
    if (view->users >= USERS_MAX)
        return fault_set(why, ST_QUOTA, "an application has at most %d users", USERS_MAX);
    return ST_OK;
}

static enum status check_put(struct user_op *u, const struct access_view *view, struct fault *why)
{
    enum permission needed = view->found ? PERM_USERS_UPDATE : PERM_USERS_ADD;
    enum status status =
        view->found ? subject_check(&u->op, view, "user", why) : check_new(u, view, why);

    /* Of a branch that the caller does not see: it cannot be made anew either. */
    if (status == ST_NOT_FOUND && view->found && !u->change.must_exist)
        status = fault_set(why, ST_CONFLICT, "the ID is taken");
    if (status == ST_OK && view->found && u->change.must_be_new)
        status = fault_set(why, ST_PRECONDITION_FAILED, "there is a user '%.*s' already",
                           SLICE_FMT(u->change.id));
    if (status == ST_OK && !may_do(u->op.act.by, needed))
        status = fault_set(why, ST_FORBIDDEN, "you lack %s", permission_name(needed));
    if (status == ST_OK && u->change.roles)
        status = assignments_check(&u->op, view, u->change.roles, u->change.role_count, why);
    if (status != ST_OK)
        return status;
    if (view->text_taken)
        return fault_set(why, ST_CONFLICT, "another user has that e-mail address");
    if (would_be_without(view, &u->now))
        return fault_set(why, ST_CONFLICT, "the last administrator has to stay one");
    return ST_OK;
}

/* As the row will be. */
static void merge(struct user_op *u, const struct access_view *view)
{
    const struct user_change *c = &u->change;

    u->now = (struct user){
        .id = c->id,
        .email = c->email.ptr ? c->email : view->text,
        .created_at = view->found ? view->at : clock_wall_ms(),
        .roles = c->roles ? c->roles : view->assignments,
        .role_count = c->roles ? c->role_count : view->assignment_count,
    };
}

/* No role is named twice in either list. */
static bool has_same_roles(const struct user_op *u, const struct access_view *view)
{
    size_t same = 0;

    for (size_t i = 0; i < u->now.role_count; i++) {
        for (size_t w = 0; w < view->assignment_count; w++)
            same +=
                slice_equal(u->now.roles[i].role_id, view->assignments[w].role_id) &&
                slice_equal(u->now.roles[i].organization_id, view->assignments[w].organization_id);
    }
    return same == u->now.role_count && same == view->assignment_count;
}

static void write(const struct user_op *u, const struct access_view *view, struct unit *unit)
{
    const struct sql_value values[] = {SQL_TEXT_(u->now.id), SQL_TEXT_(u->now.email),
                                       SQL_TEXT_(u->op.text), SQL_INT_(u->now.created_at)};

    if (!view->found)
        unit_add(unit, &insert_sql, values, 4, EXPECT_ONE);
    else if (u->change.email.ptr)
        unit_add(unit, &update_sql, values, 3, EXPECT_ONE);
    if (!u->change.roles)
        return;
    assignments_unit_replace(unit, HOLDER_USER, u->now.id, u->now.roles, u->now.role_count);
    if (view->found && !has_same_roles(u, view))
        sign_in_unit_end_access(unit, u->now.id);
}

static enum status decide_put(struct access_op *op, const struct access_view *view,
                              struct unit *unit, struct fault *why)
{
    BUF_CLEANUP struct buf before = {.max = FACTS_MAX}, after = {.max = FACTS_MAX};
    struct user_op *u = (struct user_op *)op;
    enum status status;

    merge(u, view);
    status = check_put(u, view, why);
    if (status != ST_OK)
        return status;
    write(u, view, unit);
    if (view->found)
        write_facts(view->text, view->assignments, view->assignment_count, &before);
    write_facts(u->now.email, u->now.roles, u->now.role_count, &after);
    access_audit(op, unit, view->found ? "users.update" : "users.create",
                 view->found ? &before : NULL, &after);
    return ST_OK;
}

static enum status check_change(const struct user_change *c, struct fault *why)
{
    if (!user_id_valid(c->id))
        return fault_set(why, ST_BAD_REQUEST, "a user's ID has 1 to %d letters, digits, - and _",
                         USER_ID_MAX);
    if (c->email.ptr && !user_email_valid(c->email))
        return fault_set(why, ST_BAD_REQUEST, "that is no e-mail address");
    return ST_OK;
}

void user_put(struct identity *id, const struct act *act, const struct user_change *change,
              user_fn *on_done, void *context)
{
    struct user_op *u;
    struct fault why;

    if (check_change(change, &why) != ST_OK) {
        on_done(context, why.status, NULL, &why);
        return;
    }
    u = create_op(id, act, change->id, on_done, context);
    if (!u)
        return;
    u->change = *change;
    u->op.text = user_email_key(change->email, u->email_key);
    u->op.decide = decide_put;
    u->op.answer = answer_one;
    access_start(&u->op);
}

/* --- delete ----------------------------------------------------------------------------------- */

static enum status decide_delete(struct access_op *op, const struct access_view *view,
                                 struct unit *unit, struct fault *why)
{
    BUF_CLEANUP struct buf before = {.max = FACTS_MAX};
    const struct sql_value value = SQL_TEXT_(op->subject);
    enum status status = subject_check(op, view, "user", why);

    if (status != ST_OK)
        return status;
    if (would_be_without(view, NULL))
        return fault_set(why, ST_CONFLICT, "the last administrator cannot be removed");
    unit_add(unit, &delete_sql, &value, 1, EXPECT_ONE);
    assignments_unit_replace(unit, HOLDER_USER, op->subject, NULL, 0);
    sign_in_unit_forget(unit, op->subject);
    write_facts(view->text, view->assignments, view->assignment_count, &before);
    access_audit(op, unit, "users.delete", &before, NULL);
    return ST_OK;
}

void user_delete(struct identity *id, const struct act *act, slice user_id, user_fn *on_done,
                 void *context)
{
    struct user_op *u = create_op(id, act, user_id, on_done, context);

    if (!u)
        return;
    u->op.decide = decide_delete;
    u->op.answer = answer_end;
    access_start(&u->op);
}
