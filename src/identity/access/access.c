#include <stdlib.h>

#include "base/log.h"
#include "identity/access/access_internal.h"

#define VIEW_MAX_BYTES (1024 * 1024)
#define ROUNDS_MAX 5
#define SUBJECT_SHOWN_MAX 64

static const struct sql guard_sql = {
    "UPDATE access_set SET version = version + 1 WHERE id = 1 AND version = ?1"};
static const struct sql clear_sql = {
    "DELETE FROM assignment WHERE holder_kind = ?1 AND holder_id = ?2"};
static const struct sql assign_sql = {
    "INSERT INTO assignment (holder_kind, holder_id, role_id, organization_id)"
    " VALUES (?1, ?2, ?3, ?4)"};

/* --- read, decide, write ---------------------------------------------------------------------- */

static void end(struct access_op *op, enum status status, const struct fault *why)
{
    op->answer(op, status, why);
    arena_deinit(&op->arena);
    free(op);
}

static void run(struct access_op *op);

static void on_written(void *context, enum status status, struct unit *unit)
{
    struct access_op *op = context;
    struct fault why = {.status = status};

    (void)unit;
    if (status == ST_CONFLICT && ++op->rounds < ROUNDS_MAX) {
        run(op);
        return;
    }
    if (status != ST_OK)
        fault_set(&why, status, "roles and organizations could not be changed: %s",
                  status_name(status));
    else
        bus_publish(op->id->bus, SLICE(ACCESS_CHANGED_SUBJECT), SLICE(""));
    end(op, status, &why);
}

static void decide(struct access_op *op, const struct access_view *view)
{
    const struct sql_value version = SQL_INT_(view->version);
    struct unit *unit = unit_create(op->id->store);
    struct fault why = {.status = ST_UNAVAILABLE};
    enum status status = ST_UNAVAILABLE;

    if (unit) {
        unit_add(unit, &guard_sql, &version, 1, EXPECT_ONE);
        status = op->decide(op, view, unit, &why);
    }
    if (status == ST_OK) {
        unit_submit(unit, on_written, op);
        return;
    }
    unit_destroy(unit);
    end(op, status, &why);
}

static void on_view(struct access_op *op, enum status status, const struct access_view *view)
{
    struct fault why = {.status = status};

    if (status != ST_OK) {
        fault_set(&why, status, "roles and organizations could not be read: %s",
                  status_name(status));
        end(op, status, &why);
    } else if (op->only_reads) {
        status = op->decide(op, view, NULL, &why);
        end(op, status, &why);
    } else {
        decide(op, view);
    }
}

static void run(struct access_op *op)
{
    access_view_read(op, on_view);
}

void access_start(struct access_op *op)
{
    arena_init(&op->arena, VIEW_MAX_BYTES);
    run(op);
}

/* --- names -------------------------------------------------------------------------------------
 */

bool access_name_valid(slice name)
{
    size_t characters = 0;

    for (size_t i = 0; i < name.len; i++) {
        if (name.ptr[i] < 0x20 || name.ptr[i] == 0x7f)
            return false;
        characters += (name.ptr[i] & 0xc0) != 0x80;
    }
    return characters >= 1 && characters <= ACCESS_NAME_MAX;
}

bool access_id_valid(slice id, size_t max)
{
    for (size_t i = 0; i < id.len; i++) {
        uint8_t c = id.ptr[i];
        bool plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');

        if (!plain && c != '-' && c != '_')
            return false;
    }
    return id.len > 0 && id.len <= max;
}

/* --- assignments ------------------------------------------------------------------------------ */

static bool is_twice(const struct assignment *list, size_t at)
{
    for (size_t i = 0; i < at; i++) {
        if (slice_equal(list[i].role_id, list[at].role_id) &&
            slice_equal(list[i].organization_id, list[at].organization_id))
            return true;
    }
    return false;
}

static enum status check_one(const struct access_op *op, const struct access_view *view,
                             const struct assignment *a, struct fault *why)
{
    struct role role;
    slice path;

    if (!access_role(view, a->role_id, &role))
        return fault_set(why, ST_BAD_REQUEST, "there is no role '%.*s'",
                         SLICE_FMT(slice_first(a->role_id, ROLE_ID_MAX)));
    if (!access_path(view, a->organization_id, &path))
        return fault_set(why, ST_BAD_REQUEST, "there is no organization '%.*s'",
                         SLICE_FMT(slice_first(a->organization_id, ORGANIZATION_ID_MAX)));
    if (!organization_covers(slice_str(op->act.by->organization), path))
        return fault_set(why, ST_FORBIDDEN, "a role must be within your own organization");
    if (!may_grant(op->act.by, role.permissions, path))
        return fault_set(why, ST_FORBIDDEN, "role '%.*s' may do more than you",
                         SLICE_FMT(role.display_name));
    return ST_OK;
}

enum status assignments_check(const struct access_op *op, const struct access_view *view,
                              const struct assignment *list, size_t count, struct fault *why)
{
    enum status status = ST_OK;

    if (count < 1 || count > ASSIGNMENTS_MAX)
        return fault_set(why, ST_BAD_REQUEST, "send 1 to %d roles", ASSIGNMENTS_MAX);
    for (size_t i = 0; i < count && status == ST_OK; i++) {
        if (is_twice(list, i))
            return fault_set(why, ST_BAD_REQUEST, "a role is named twice for one organization");
        status = check_one(op, view, &list[i], why);
    }
    return status;
}

/* Whether the caller could have handed out what the subject has. */
static bool may_grant_all(const struct access_op *op, const struct access_view *view)
{
    struct fault why;
    bool ok = true;

    for (size_t i = 0; i < view->assignment_count && ok; i++)
        ok = check_one(op, view, &view->assignments[i], &why) == ST_OK;
    return ok;
}

size_t assignments_covered(const struct access_op *op, const struct access_view *view,
                           const struct assignment *list, size_t count, struct assignment *ret)
{
    size_t covered = 0;
    slice path;

    for (size_t i = 0; i < count; i++) {
        if (access_path(view, list[i].organization_id, &path) &&
            organization_covers(slice_str(op->act.by->organization), path))
            ret[covered++] = list[i];
    }
    return covered;
}

enum status subject_check(const struct access_op *op, const struct access_view *view,
                          const char *kind, struct fault *why)
{
    struct assignment covered[ASSIGNMENTS_MAX];
    size_t count =
        assignments_covered(op, view, view->assignments, view->assignment_count, covered);

    if (!view->found || (count == 0 && op->act.by->organization[0]))
        return fault_set(why, ST_NOT_FOUND, "there is no %s '%.*s'", kind,
                         SLICE_FMT(slice_first(op->subject, SUBJECT_SHOWN_MAX)));
    if (count < view->assignment_count || !may_grant_all(op, view))
        return fault_set(why, ST_FORBIDDEN, "this %s may do more than you", kind);
    return ST_OK;
}

void assignments_unit_replace(struct unit *unit, enum holder holder, slice holder_id,
                              const struct assignment *list, size_t count)
{
    const struct sql_value who[] = {SQL_INT_(holder), SQL_TEXT_(holder_id)};

    unit_add(unit, &clear_sql, who, COUNT_OF(who), EXPECT_ANY);
    for (size_t i = 0; i < count; i++) {
        slice organization = list[i].organization_id.ptr ? list[i].organization_id : SLICE("");
        const struct sql_value values[] = {who[0], who[1], SQL_TEXT_(list[i].role_id),
                                           SQL_TEXT_(organization)};

        unit_add(unit, &assign_sql, values, COUNT_OF(values), EXPECT_ONE);
    }
}

void assignments_put(struct json_writer *w, const struct assignment *list, size_t count)
{
    json_open(w, SLICE("roles"), '[');
    for (size_t i = 0; i < count; i++) {
        json_open(w, (slice){0}, '{');
        json_put_text(w, SLICE("role"), list[i].role_id);
        if (list[i].organization_id.len > 0)
            json_put_text(w, SLICE("organization"), list[i].organization_id);
        json_close(w, '}');
    }
    json_close(w, ']');
}

/* --- pages of holders ------------------------------------------------------------------------- */

struct page {
    holder_fn *give;
    any_fn *on_row;
    void *context;
    struct holder_row row; /* being gathered */
    struct assignment roles[ASSIGNMENTS_MAX];
    struct arena arena; /* of the row */
    size_t within_len;
    char within[ORGANIZATION_PATH_MAX];
};

#define ROW_MAX_BYTES (64 * 1024)

static void give_row(struct page *p)
{
    if (!p->row.id.ptr)
        return;
    p->row.roles = p->roles;
    p->give(p->on_row, p->context, ST_OK, &p->row);
    p->row = (struct holder_row){0};
    arena_reset(&p->arena);
}

static void gather(struct page *p, struct rows *rows)
{
    slice path = rows_bytes(rows, 6);

    if (!slice_equal(p->row.id, rows_bytes(rows, 0))) {
        give_row(p);
        p->row = (struct holder_row){.id = arena_copy(&p->arena, rows_bytes(rows, 0)),
                                     .text = arena_copy(&p->arena, rows_bytes(rows, 1)),
                                     .at = rows_int(rows, 2),
                                     .until = rows_int(rows, 3)};
    }
    if (rows_is_null(rows, 4) || p->row.role_count == ASSIGNMENTS_MAX ||
        !organization_covers(slice_of(p->within, p->within_len), path))
        return;
    p->roles[p->row.role_count++] =
        (struct assignment){.role_id = arena_copy(&p->arena, rows_bytes(rows, 4)),
                            .organization_id = arena_copy(&p->arena, rows_bytes(rows, 5))};
}

static void on_rows(void *context, enum status status, struct rows *rows)
{
    struct page *p = context;

    while (status == ST_OK && rows_next(rows)) {
        gather(p, rows);
        if (p->arena.failed)
            status = ST_NO_MEMORY;
    }
    if (status == ST_OK)
        status = rows_status(rows);
    if (status == ST_OK)
        give_row(p);
    p->give(p->on_row, p->context, status, NULL);
    arena_deinit(&p->arena);
    free(p);
}

void holders_list(struct identity *id, const struct sql *sql, const struct principal *by,
                  slice after, unsigned limit, holder_fn *give, any_fn *on_row, void *context)
{
    struct page *p = malloc(sizeof *p);
    slice within = slice_str(by->organization);

    if (!p) {
        give(on_row, context, ST_NO_MEMORY, NULL);
        return;
    }
    *p = (struct page){.give = give, .on_row = on_row, .context = context};
    arena_init(&p->arena, ROW_MAX_BYTES);
    p->within_len = within.len;
    memcpy(p->within, by->organization, within.len);
    const struct sql_value values[] = {SQL_TEXT_(after.ptr ? after : SLICE("")), SQL_INT_(limit),
                                       SQL_TEXT_(within)};
    store_read(id->store, sql, values, COUNT_OF(values), on_rows, p);
}

/* --- the audit -------------------------------------------------------------------------------- */

void access_audit(const struct access_op *op, struct unit *unit, const char *action,
                  const struct buf *before, const struct buf *after)
{
    const struct audit_entry e = {
        .actor = slice_str(op->act.by->name),
        .source = op->act.source,
        .action = slice_str(action),
        .target = op->subject,
        .result = SLICE("ok"),
        .request_id = op->act.request_id,
        .before = before && !before->failed ? buf_slice(before) : (slice){0},
        .after = after && !after->failed ? buf_slice(after) : (slice){0},
    };

    audit_unit_add(unit, &e);
}
