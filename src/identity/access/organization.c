#include "identity/access/organization.h"

#include <stdlib.h>

#include "identity/access/access_internal.h"

#define FACTS_MAX 1024

static const struct sql insert_sql = {
    "INSERT INTO organization (organization_id, display_name, path) VALUES (?1, ?2, ?3)"};
static const struct sql rename_sql = {
    "UPDATE organization SET display_name = ?2 WHERE organization_id = ?1"};
/* With all that lies below: from ?1, which is ?2 bytes long, to ?3. */
static const struct sql move_sql = {"UPDATE organization SET path = ?3 || substr(path, ?2 + 1)"
                                    " WHERE substr(path, 1, ?2) = ?1"};
/* A device that came in meanwhile is seen when the decision is made anew. */
static const struct sql delete_sql = {
    "DELETE FROM organization WHERE organization_id = ?1 AND NOT EXISTS"
    " (SELECT 1 FROM device WHERE organization = ?1 AND organization <> '')"};
static const struct sql guard_sql = {"SELECT 1 FROM organization WHERE organization_id = ?1"};

/* --- pure ------------------------------------------------------------------------------------- */

bool organization_id_valid(slice id)
{
    for (size_t i = 0; i < id.len; i++) {
        uint8_t c = id.ptr[i];
        bool is_hyphen = c == '-' && i > 0 && i + 1 < id.len;

        if (!is_hyphen && !(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9'))
            return false;
    }
    return id.len >= 2 && id.len <= ORGANIZATION_ID_MAX;
}

bool organization_covers(slice path, slice other)
{
    return slice_starts_with(other, path);
}

slice organization_of_path(slice path)
{
    slice last = {0};

    for (slice rest = path; rest.ptr && rest.len > 0;) {
        slice segment = slice_split(&rest, '/');

        if (segment.len > 0)
            last = segment;
    }
    return last;
}

void organization_unit_guard(struct unit *unit, slice organization_id)
{
    const struct sql_value value = SQL_TEXT_(organization_id);

    if (organization_id.len > 0)
        unit_add(unit, &guard_sql, &value, 1, EXPECT_ONE);
}

static size_t depth_of(slice path)
{
    size_t slashes = 0;

    for (size_t i = 0; i < path.len; i++)
        slashes += path.ptr[i] == '/';
    return slashes > 0 ? slashes - 1 : 0;
}

/* Levels from this one down to the deepest below it. */
static size_t height_of(const struct access_view *view, slice path)
{
    size_t deepest = depth_of(path);

    for (size_t i = 0; i < view->organization_count; i++) {
        slice other = view->organizations[i].path;

        if (organization_covers(path, other) && depth_of(other) > deepest)
            deepest = depth_of(other);
    }
    return deepest - depth_of(path) + 1;
}

/* --- reading ---------------------------------------------------------------------------------- */

struct organization_op {
    struct access_op op; /* first */
    struct organization_change change;
    organization_fn *on_organization;
    struct organization now; /* what is answered */
    char path[ORGANIZATION_PATH_MAX];
};

static struct organization_op *create_op(struct identity *id, const struct act *act,
                                         slice organization_id, organization_fn *fn, void *context)
{
    struct organization_op *o = malloc(sizeof *o);
    struct fault why;

    if (!o) {
        fault_set(&why, ST_NO_MEMORY, "no memory for organizations");
        fn(context, ST_NO_MEMORY, NULL, &why);
        return NULL;
    }
    *o = (struct organization_op){
        .op = {.id = id, .act = *act, .subject = organization_id, .context = context},
        .on_organization = fn,
    };
    return o;
}

static void answer_end(struct access_op *op, enum status status, const struct fault *why)
{
    struct organization_op *o = (struct organization_op *)op;

    o->on_organization(op->context, status, NULL, why);
}

static void answer_one(struct access_op *op, enum status status, const struct fault *why)
{
    struct organization_op *o = (struct organization_op *)op;

    o->on_organization(op->context, status, status == ST_OK ? &o->now : NULL, why);
}

static bool is_covered(const struct access_op *op, slice path)
{
    return organization_covers(slice_str(op->act.by->organization), path);
}

static enum status give_all(struct access_op *op, const struct access_view *view, struct unit *unit,
                            struct fault *why)
{
    struct organization_op *o = (struct organization_op *)op;

    (void)unit;
    for (size_t i = 0; i < view->organization_count; i++) {
        if (is_covered(op, view->organizations[i].path))
            o->on_organization(op->context, ST_OK, &view->organizations[i], why);
    }
    return ST_OK;
}

static enum status find(struct access_op *op, const struct access_view *view,
                        const struct organization **ret, struct fault *why)
{
    *ret = access_organization(view, op->subject);
    if (*ret && is_covered(op, (*ret)->path))
        return ST_OK;
    return fault_set(why, ST_NOT_FOUND, "there is no organization '%.*s'",
                     SLICE_FMT(slice_first(op->subject, ORGANIZATION_ID_MAX)));
}

static enum status give_one(struct access_op *op, const struct access_view *view, struct unit *unit,
                            struct fault *why)
{
    struct organization_op *o = (struct organization_op *)op;
    const struct organization *found;
    enum status status = find(op, view, &found, why);

    (void)unit;
    if (status == ST_OK)
        o->now = *found;
    return status;
}

void organization_list(struct identity *id, const struct principal *by, organization_fn *on_row,
                       void *context)
{
    const struct act act = {.by = by};
    struct organization_op *o = create_op(id, &act, (slice){0}, on_row, context);

    if (!o)
        return;
    o->op.only_reads = true;
    o->op.decide = give_all;
    o->op.answer = answer_end;
    access_start(&o->op);
}

void organization_get(struct identity *id, const struct principal *by, slice organization_id,
                      organization_fn *on_organization, void *context)
{
    const struct act act = {.by = by};
    struct organization_op *o = create_op(id, &act, organization_id, on_organization, context);

    if (!o)
        return;
    o->op.only_reads = true;
    o->op.decide = give_one;
    o->op.answer = answer_one;
    access_start(&o->op);
}

/* --- put -------------------------------------------------------------------------------------- */

static void write_facts(const struct organization *o, struct buf *to)
{
    struct json_writer w = {.to = to};

    json_open(&w, (slice){0}, '{');
    json_put_text(&w, SLICE("displayName"), o->display_name);
    json_put_text(&w, SLICE("path"), o->path);
    json_close(&w, '}');
}

/* Where it is to be: below a parent that exists, covered by the caller, and not below itself. */
static enum status place(struct organization_op *o, const struct access_view *view,
                         const struct organization *was, struct fault *why)
{
    struct buf path = {.ptr = (uint8_t *)o->path, .cap = sizeof o->path, .max = sizeof o->path};
    slice parent;

    if (!access_path(view, o->now.parent_id, &parent) || !is_covered(&o->op, parent))
        return fault_set(why, o->now.parent_id.len ? ST_BAD_REQUEST : ST_FORBIDDEN,
                         "the parent is no organization of yours");
    if (was && organization_covers(was->path, parent))
        return fault_set(why, ST_BAD_REQUEST, "an organization cannot be moved below itself");
    if (depth_of(parent) + (was ? height_of(view, was->path) : 1) > ORGANIZATION_DEPTH_MAX)
        return fault_set(why, ST_QUOTA, "organizations are at most %d levels deep",
                         ORGANIZATION_DEPTH_MAX);
    buf_append(&path, parent.len ? parent : SLICE("/"));
    buf_append(&path, o->now.id);
    buf_append_byte(&path, '/');
    o->now.path = buf_slice(&path);
    return path.failed ? fault_set(why, ST_QUOTA, "the path is too long") : ST_OK;
}

static void insert(const struct organization_op *o, struct unit *unit)
{
    const struct sql_value values[] = {SQL_TEXT_(o->now.id), SQL_TEXT_(o->now.display_name),
                                       SQL_TEXT_(o->now.path)};

    unit_add(unit, &insert_sql, values, COUNT_OF(values), EXPECT_ONE);
}

static void change_row(const struct organization_op *o, const struct organization *was,
                       struct unit *unit)
{
    const struct sql_value name[] = {SQL_TEXT_(o->now.id), SQL_TEXT_(o->now.display_name)};
    const struct sql_value path[] = {SQL_TEXT_(was->path), SQL_INT_(was->path.len),
                                     SQL_TEXT_(o->now.path)};

    unit_add(unit, &rename_sql, name, COUNT_OF(name), EXPECT_ONE);
    if (!slice_equal(was->path, o->now.path))
        unit_add(unit, &move_sql, path, COUNT_OF(path), EXPECT_ANY);
}

/* As the row will be. */
static void merge(struct organization_op *o, const struct organization *was)
{
    const struct organization_change *c = &o->change;

    o->now.id = c->id;
    o->now.display_name = c->display_name.ptr ? c->display_name : was ? was->display_name : c->id;
    o->now.parent_id = c->parent_id.ptr ? c->parent_id : was ? was->parent_id : SLICE("");
}

static enum status check_new(const struct organization_op *o, const struct access_view *view,
                             struct fault *why)
{
    if (o->change.must_exist)
        return fault_set(why, ST_NOT_FOUND, "there is no organization '%.*s'",
                         SLICE_FMT(slice_first(o->change.id, ORGANIZATION_ID_MAX)));
    if (access_organization(view, o->change.id)) /* of a branch that the caller does not see */
        return fault_set(why, ST_CONFLICT, "the ID is taken");
    if (view->organization_count >= ORGANIZATIONS_MAX)
        return fault_set(why, ST_QUOTA, "an application has at most %d organizations",
                         ORGANIZATIONS_MAX);
    return ST_OK;
}

/* The caller's own is not his to change, only what is below. */
static enum status check_old(const struct access_op *op, const struct organization *was,
                             struct fault *why)
{
    if (((const struct organization_op *)op)->change.must_be_new)
        return fault_set(why, ST_PRECONDITION_FAILED, "there is an organization '%.*s' already",
                         SLICE_FMT(slice_first(op->subject, ORGANIZATION_ID_MAX)));
    if (!slice_equal(was->path, slice_str(op->act.by->organization)))
        return ST_OK;
    return fault_set(why, ST_FORBIDDEN, "your own organization is changed from above");
}

static enum status decide_put(struct access_op *op, const struct access_view *view,
                              struct unit *unit, struct fault *why)
{
    BUF_CLEANUP struct buf before = {.max = FACTS_MAX}, after = {.max = FACTS_MAX};
    struct organization_op *o = (struct organization_op *)op;
    const struct organization *was = NULL;
    enum permission needed;
    enum status status;

    if (find(op, view, &was, NULL) != ST_OK)
        was = NULL;
    needed = was ? PERM_ORGANIZATIONS_UPDATE : PERM_ORGANIZATIONS_CREATE;
    status = was ? check_old(op, was, why) : check_new(o, view, why);
    if (status == ST_OK && !may_do(op->act.by, needed))
        status = fault_set(why, ST_FORBIDDEN, "you lack %s", permission_name(needed));
    if (status != ST_OK)
        return status;
    merge(o, was);
    /* What stays where it is need not be placed again. */
    if (was && slice_equal(was->parent_id, o->now.parent_id))
        o->now.path = was->path;
    else if ((status = place(o, view, was, why)) != ST_OK)
        return status;
    if (was)
        change_row(o, was, unit);
    else
        insert(o, unit);
    if (was)
        write_facts(was, &before);
    write_facts(&o->now, &after);
    access_audit(op, unit, was ? "organizations.update" : "organizations.create",
                 was ? &before : NULL, &after);
    return ST_OK;
}

static enum status check_change(const struct organization_change *c, struct fault *why)
{
    if (!organization_id_valid(c->id))
        return fault_set(why, ST_BAD_REQUEST,
                         "an organization's ID has 2 to %d lower-case letters, digits and hyphens",
                         ORGANIZATION_ID_MAX);
    if (c->display_name.ptr && !access_name_valid(c->display_name))
        return fault_set(why, ST_BAD_REQUEST, ACCESS_NAME_RULE);
    return ST_OK;
}

void organization_put(struct identity *id, const struct act *act,
                      const struct organization_change *change, organization_fn *on_done,
                      void *context)
{
    struct organization_op *o;
    struct fault why;

    if (check_change(change, &why) != ST_OK) {
        on_done(context, why.status, NULL, &why);
        return;
    }
    o = create_op(id, act, change->id, on_done, context);
    if (!o)
        return;
    o->change = *change;
    o->op.decide = decide_put;
    o->op.answer = answer_one;
    access_start(&o->op);
}

/* --- delete ----------------------------------------------------------------------------------- */

static enum status decide_delete(struct access_op *op, const struct access_view *view,
                                 struct unit *unit, struct fault *why)
{
    BUF_CLEANUP struct buf before = {.max = FACTS_MAX};
    const struct sql_value value = SQL_TEXT_(op->subject);
    const struct organization *was;
    enum status status = find(op, view, &was, why);

    if (status == ST_OK)
        status = check_old(op, was, why);
    if (status != ST_OK)
        return status;
    if (height_of(view, was->path) > 1)
        return fault_set(why, ST_CONFLICT, "there are organizations below it");
    if (view->organization_uses > 0)
        return fault_set(why, ST_CONFLICT, "devices are in it, or users or API tokens have roles");
    unit_add(unit, &delete_sql, &value, 1, EXPECT_ONE);
    write_facts(was, &before);
    access_audit(op, unit, "organizations.delete", &before, NULL);
    return ST_OK;
}

void organization_delete(struct identity *id, const struct act *act, slice organization_id,
                         organization_fn *on_done, void *context)
{
    struct organization_op *o = create_op(id, act, organization_id, on_done, context);

    if (!o)
        return;
    o->op.decide = decide_delete;
    o->op.answer = answer_end;
    access_start(&o->op);
}
