/* The view: what a decision about access needs to know, from one read. */
#include <stdlib.h>

#include "identity/access/access_internal.h"

enum fact {
    FACT_VERSION,
    FACT_ROLE,
    FACT_ORGANIZATION,
    FACT_ASSIGNMENT,
    FACT_USER,
    FACT_TOKEN,
    FACT_ROLE_USES,
    FACT_ORGANIZATION_USES,
    FACT_OTHER_ADMINISTRATORS,
    FACT_USERS,
    FACT_TOKENS,
    FACT_TEXT_TAKEN,
};

/* ?1 kind and ?2 ID of the subject, ?3 an e-mail address. Of roles and organizations there are a
 * few hundred at most. */
static const struct sql view_sql = {
    "SELECT 0 AS fact, '' AS id, '' AS text, '' AS more, version AS number, 0 AS until"
    " FROM access_set"
    " UNION ALL SELECT 1, role_id, display_name, permissions, 0, 0 FROM role"
    " UNION ALL SELECT 2, organization_id, display_name, path, 0, 0 FROM organization"
    " UNION ALL SELECT 3, role_id, organization_id, '', 0, 0 FROM assignment"
    " WHERE holder_kind = ?1 AND holder_id = ?2"
    " UNION ALL SELECT 4, user_id, email, '', created_at, 0 FROM app_user"
    " WHERE ?1 = 1 AND user_id = ?2"
    " UNION ALL SELECT 5, token_id, '', '', created_at, expires_at FROM api_token"
    " WHERE ?1 = 2 AND token_id = ?2"
    " UNION ALL SELECT 6, '', '', '', COUNT(*), 0 FROM assignment WHERE role_id = ?2"
    " UNION ALL SELECT 7, '', '', '', COUNT(*) + EXISTS (SELECT 1 FROM device"
    " WHERE organization = ?2 AND organization <> ''), 0 FROM assignment WHERE organization_id = ?2"
    " UNION ALL SELECT 8, '', '', '', COUNT(*), 0 FROM assignment WHERE holder_kind = 1"
    " AND role_id = '" ADMINISTRATOR_ROLE "' AND organization_id = '' AND holder_id <> ?2"
    " UNION ALL SELECT 9, '', '', '', COUNT(*), 0 FROM app_user"
    " UNION ALL SELECT 10, '', '', '', COUNT(*), 0 FROM api_token"
    " UNION ALL SELECT 11, '', '', '', COUNT(*), 0 FROM app_user"
    " WHERE email_key = ?3 AND user_id <> ?2"
    " ORDER BY 1, 2, 3"};

/* --- building --------------------------------------------------------------------------------- */

struct building {
    struct access_op *op;
    access_view_fn *on_view;
    struct access_view view;
    struct role roles[ROLES_MAX];
    struct organization organizations[ORGANIZATIONS_MAX];
    struct assignment assignments[ASSIGNMENTS_MAX];
};

/* "/a/b/" -> "a"; "/a/" -> "". */
static slice parent_of(slice path)
{
    slice parent = {0}, last = {0};

    for (slice rest = slice_from(path, 1); rest.ptr && rest.len > 0;) {
        parent = last;
        last = slice_split(&rest, '/');
    }
    return parent.ptr ? parent : SLICE("");
}

static slice kept(struct building *b, struct rows *rows, int column)
{
    return arena_copy(&b->op->arena, rows_bytes(rows, column));
}

static bool add_role(struct building *b, struct rows *rows)
{
    if (b->view.role_count == ROLES_MAX)
        return false;
    b->roles[b->view.role_count++] = (struct role){
        .id = kept(b, rows, 1),
        .display_name = kept(b, rows, 2),
        .permissions = permissions_read(rows_bytes(rows, 3)),
    };
    return true;
}

static bool add_organization(struct building *b, struct rows *rows)
{
    struct organization *o;

    if (b->view.organization_count == ORGANIZATIONS_MAX)
        return false;
    o = &b->organizations[b->view.organization_count++];
    o->id = kept(b, rows, 1);
    o->display_name = kept(b, rows, 2);
    o->path = kept(b, rows, 3);
    o->parent_id = parent_of(o->path);
    return true;
}

static bool add_assignment(struct building *b, struct rows *rows)
{
    if (b->view.assignment_count == ASSIGNMENTS_MAX)
        return false;
    b->assignments[b->view.assignment_count++] =
        (struct assignment){.role_id = kept(b, rows, 1), .organization_id = kept(b, rows, 2)};
    return true;
}

static void add_subject(struct building *b, struct rows *rows)
{
    b->view.found = true;
    b->view.text = kept(b, rows, 2);
    b->view.at = rows_int(rows, 4);
    b->view.until = rows_int(rows, 5);
}

/* False: more than a view can hold, which nothing of ours ever wrote. */
static bool add_fact(struct building *b, struct rows *rows)
{
    int64_t number = rows_int(rows, 4);

    switch ((enum fact)rows_int(rows, 0)) {
    case FACT_VERSION:
        b->view.version = number;
        return true;
    case FACT_ROLE:
        return add_role(b, rows);
    case FACT_ORGANIZATION:
        return add_organization(b, rows);
    case FACT_ASSIGNMENT:
        return add_assignment(b, rows);
    case FACT_USER:
    case FACT_TOKEN:
        add_subject(b, rows);
        return true;
    case FACT_ROLE_USES:
        b->view.role_uses = number;
        return true;
    case FACT_ORGANIZATION_USES:
        b->view.organization_uses = number;
        return true;
    case FACT_OTHER_ADMINISTRATORS:
        b->view.other_administrators = number;
        return true;
    case FACT_USERS:
        b->view.users = number;
        return true;
    case FACT_TOKENS:
        b->view.tokens = number;
        return true;
    case FACT_TEXT_TAKEN:
        b->view.text_taken = number > 0;
        return true;
    }
    return false;
}

static void on_facts(void *context, enum status status, struct rows *rows)
{
    struct building *b = context;
    bool ok = true;

    while (status == ST_OK && ok && rows_next(rows))
        ok = add_fact(b, rows);
    if (status == ST_OK)
        status = !ok ? ST_INTERNAL : rows_status(rows);
    if (status == ST_OK && b->op->arena.failed)
        status = ST_NO_MEMORY;
    b->view.roles = b->roles;
    b->view.organizations = b->organizations;
    b->view.assignments = b->assignments;
    b->on_view(b->op, status, status == ST_OK ? &b->view : NULL);
}

void access_view_read(struct access_op *op, access_view_fn *on_view)
{
    struct building *b;

    arena_reset(&op->arena);
    b = arena_alloc(&op->arena, sizeof *b);
    if (!b) {
        on_view(op, ST_NO_MEMORY, NULL);
        return;
    }
    b->op = op;
    b->on_view = on_view;
    const struct sql_value values[] = {SQL_INT_(op->holder),
                                       SQL_TEXT_(op->subject.ptr ? op->subject : SLICE("")),
                                       SQL_TEXT_(op->text.ptr ? op->text : SLICE(""))};
    store_read(op->id->store, &view_sql, values, COUNT_OF(values), on_facts, b);
}

/* --- looking things up ------------------------------------------------------------------------ */

bool access_role(const struct access_view *view, slice role_id, struct role *ret)
{
    const struct builtin_role *builtin = builtin_role_find(role_id);

    if (builtin) {
        *ret = (struct role){.id = slice_str(builtin->id),
                             .display_name = slice_str(builtin->name),
                             .permissions = builtin->permissions,
                             .is_builtin = true};
        return true;
    }
    for (size_t i = 0; i < view->role_count; i++) {
        if (slice_equal(view->roles[i].id, role_id)) {
            *ret = view->roles[i];
            return true;
        }
    }
    return false;
}

const struct organization *access_organization(const struct access_view *view,
                                               slice organization_id)
{
    for (size_t i = 0; i < view->organization_count; i++) {
        if (slice_equal(view->organizations[i].id, organization_id))
            return &view->organizations[i];
    }
    return NULL;
}

bool access_path(const struct access_view *view, slice organization_id, slice *ret)
{
    const struct organization *o = access_organization(view, organization_id);

    if (!o && organization_id.len > 0)
        return false;
    *ret = o ? o->path : SLICE("");
    return true;
}

/* --- sets of permissions ---------------------------------------------------------------------- */

void permissions_write(permission_set set, struct buf *to)
{
    for (unsigned p = 0; p < PERM_COUNT; p++) {
        if (!(set & PERMISSION(p)))
            continue;
        if (to->len > 0)
            buf_append_byte(to, ' ');
        buf_append_str(to, permission_name((enum permission)p));
    }
}

permission_set permissions_read(slice text)
{
    permission_set set = 0;
    enum permission p;

    for (slice rest = text; rest.ptr;) {
        if (permission_from_name(slice_split(&rest, ' '), &p))
            set |= PERMISSION(p);
    }
    return set;
}

void permissions_put(struct json_writer *w, slice name, permission_set set)
{
    json_open(w, name, '[');
    for (unsigned p = 0; p < PERM_COUNT; p++) {
        if (set & PERMISSION(p))
            json_put_text(w, (slice){0}, slice_str(permission_name((enum permission)p)));
    }
    json_close(w, ']');
}
