#include <stdlib.h>

#include "base/log.h"
#include "central/central_internal.h"
#include "central/template/template_document.h"
#include "central/template/template_store.h"
#include "central/template/template_views.h"
#include "central/template/templates.h"

#define TEMPLATE_INLINE_MAX (64 * 1024) /* bytes of documents that are read on the worker */
#define ROUNDS 5                        /* each is lost to another change of the row */
#define REQUEST_ARENA_MAX (64 * 1024)

/* the row -> checked -> worked out, here or on the pool -> version checked -> the unit -> answered
 *    ^                                                                           |
 *    +---------------------------------------------------------------------------+ ST_CONFLICT */
struct template_task {
    struct pool_job job; /* first */
    struct central *c;
    const struct act_row *act;
    struct arena kept; /* the request's slices, but for `given` */
    struct template_request request;
    template_act_fn *on_done;
    void *context;
    unsigned rounds;

    struct arena arena; /* of one round, with all that follows */
    bool exists, has_devices;
    struct template was;
    slice published, draft; /* documents as read */
    struct template_document document;
    struct buf views;
    struct dtdl_changes changes;
    struct template_row_values row; /* as it is to be */
    bool has_report, has_changes;
    enum status status;
    struct fault why;
};

/* What an act needs to be there. */
enum { NEEDS_TEMPLATE = 1 << 0, NEEDS_PUBLISHED = 1 << 1, NEEDS_DRAFT = 1 << 2 };

struct act_row {
    const char *name;
    unsigned needs;
    /* Reads documents into the task, perhaps on the pool. NULL: there are none. */
    enum status (*work)(struct template_task *t, struct fault *why);
    /* NULL: the act only looks. */
    void (*write)(struct template_task *t, struct unit *unit);
};

static void begin(struct template_task *t);

/* --- the end ---------------------------------------------------------------------------------- */

/* The row after the act. */
static struct template template_now(const struct template_task *t)
{
    bool is_new = !t->exists || !slice_equal(t->row.id, t->was.id);

    if (!t->act->write)
        return t->was;
    return (struct template){
        .id = t->row.id,
        .display_name = t->row.display_name,
        .model_id = t->row.model_id,
        .published = t->row.published,
        .version = is_new ? 1 : t->was.version + 1,
        .created_at = is_new ? t->row.now : t->was.created_at,
        .updated_at = t->row.now,
        .published_at = t->row.published_at,
        .draft_at = t->row.draft_at,
        .document = t->document.text,
    };
}

static void finish(struct template_task *t, enum status status)
{
    const struct template now = template_now(t);
    const struct template_result result = {
        .template = status == ST_OK && now.id.len > 0 ? &now : NULL,
        .report = t->has_report ? &t->document.report : NULL,
        .changes = t->has_changes ? &t->changes : NULL,
        .has_devices = t->has_devices,
    };

    if (status != ST_OK && t->why.status == ST_OK)
        (void)fault_set(&t->why, status, "the template could not be changed");
    t->on_done(t->context, status, &result, &t->why);
    buf_deinit(&t->views);
    arena_deinit(&t->arena);
    arena_deinit(&t->kept);
    free(t);
}

/* --- working out ------------------------------------------------------------------------------ */

static enum status read_document(struct template_task *t, slice text, struct fault *why)
{
    enum status status = template_document_read(text, t->request.id, &t->arena, &t->document, why);

    t->has_report = status == ST_OK || t->document.report.errors.count > 0;
    return status;
}

static enum status read_draft(struct template_task *t, struct fault *why)
{
    return read_document(t, t->request.given, why);
}

/* What devices are to have is without errors, and has its views. */
static enum status make_ready(struct template_task *t, struct fault *why)
{
    const struct dtdl_findings *errors = &t->document.report.errors;

    if (!t->document.model)
        return fault_set(why, ST_BAD_REQUEST, "%.*s: %.*s", SLICE_FMT(errors->list[0].path),
                         SLICE_FMT(errors->list[0].text));
    template_views_write(t->document.model, &t->views);
    return t->views.failed ? fault_set(why, ST_NO_MEMORY, "no memory for views") : ST_OK;
}

/* What was published had no errors; should it have some by now, nothing can be said of it. */
static enum status compare_with_published(struct template_task *t, struct fault *why)
{
    struct template_document before;
    enum status status;

    if (!t->was.published)
        return ST_OK; /* nobody has it yet */
    status = template_document_read(t->published, t->request.id, &t->arena, &before, why);
    if (status != ST_OK)
        return status;
    if (!before.model)
        return ST_OK;
    t->has_changes = true;
    return dtdl_compare(before.model, t->document.model, &t->arena, &t->changes, why);
}

static enum status read_to_publish(struct template_task *t, struct fault *why)
{
    enum status status =
        read_document(t, t->act->needs & NEEDS_DRAFT ? t->draft : t->request.given, why);

    if (status == ST_OK)
        status = make_ready(t, why);
    return status == ST_OK ? compare_with_published(t, why) : status;
}

static enum status read_patch(struct template_task *t, struct fault *why)
{
    enum status status = template_document_patch(t->published, t->request.given, t->request.id,
                                                 &t->arena, &t->document, why);

    t->has_report = status == ST_OK;
    if (status == ST_OK)
        status = make_ready(t, why);
    return status == ST_OK ? compare_with_published(t, why) : status;
}

static enum status read_copy(struct template_task *t, struct fault *why)
{
    struct template_names names = {
        .id = t->request.new_id,
        .model_id = t->request.new_model_id,
        .display_name = t->request.new_display_name,
    };
    enum status status;

    if (names.id.len == 0)
        names.id = template_next_id(t->request.id, &t->arena);
    if (!template_id_valid(names.id))
        return fault_set(why, ST_BAD_REQUEST, "say the ID of the new version");
    t->row.id = names.id;
    status = template_document_copy(t->was.draft_at ? t->draft : t->published, &names, &t->arena,
                                    &t->document, why);
    t->has_report = status == ST_OK;
    return status;
}

static enum status compare(struct template_task *t, struct fault *why)
{
    enum status status = read_document(t, t->draft, why);

    if (status != ST_OK || !t->document.model)
        return status;
    t->has_changes = true;
    return compare_with_published(t, why);
}

/* --- writing ---------------------------------------------------------------------------------- */

static void save_row(struct template_task *t, struct unit *unit)
{
    if (t->exists)
        template_unit_update(unit, &t->row, t->was.version);
    else
        template_unit_insert(unit, &t->row);
}

static void take_names(struct template_task *t)
{
    t->row.display_name = t->document.display_name;
    t->row.model_id = t->document.model_id;
}

static void write_draft(struct template_task *t, struct unit *unit)
{
    if (!t->was.published)
        take_names(t);
    t->row.draft_at = t->row.now;
    save_row(t, unit);
    template_unit_put_document(unit, t->row.id, TEMPLATE_KIND_DRAFT, t->document.text);
}

static void drop_draft(struct template_task *t, struct unit *unit)
{
    t->row.draft_at = 0;
    save_row(t, unit);
    template_unit_drop_document(unit, t->row.id, TEMPLATE_KIND_DRAFT);
}

static void write_published(struct template_task *t, struct unit *unit)
{
    take_names(t);
    t->row.published = true;
    t->row.published_at = t->row.now;
    save_row(t, unit);
    template_unit_put_document(unit, t->row.id, TEMPLATE_KIND_PUBLISHED, t->document.text);
    template_unit_put_document(unit, t->row.id, TEMPLATE_KIND_VIEWS, buf_slice(&t->views));
}

static void publish_draft(struct template_task *t, struct unit *unit)
{
    t->row.draft_at = 0;
    write_published(t, unit);
    template_unit_drop_document(unit, t->row.id, TEMPLATE_KIND_DRAFT);
}

static void write_copy(struct template_task *t, struct unit *unit)
{
    take_names(t);
    t->row.published = false;
    t->row.published_at = 0;
    t->row.draft_at = t->row.now;
    template_unit_insert(unit, &t->row);
    template_unit_put_document(unit, t->row.id, TEMPLATE_KIND_DRAFT, t->document.text);
}

static void delete_all(struct template_task *t, struct unit *unit)
{
    template_unit_delete(unit, t->was.id, t->was.version);
    t->row = (struct template_row_values){0};
}

static const struct act_row acts[] = {
    [TEMPLATE_PUT_DRAFT] = {"put_draft", 0, read_draft, write_draft},
    [TEMPLATE_DROP_DRAFT] = {"drop_draft", NEEDS_PUBLISHED | NEEDS_DRAFT, NULL, drop_draft},
    [TEMPLATE_PUBLISH] = {"publish", NEEDS_DRAFT, read_to_publish, publish_draft},
    [TEMPLATE_PUT] = {"put", 0, read_to_publish, write_published},
    [TEMPLATE_PATCH] = {"patch", NEEDS_PUBLISHED, read_patch, write_published},
    [TEMPLATE_NEW_VERSION] = {"new_version", NEEDS_TEMPLATE, read_copy, write_copy},
    [TEMPLATE_COMPARE] = {"compare", NEEDS_DRAFT, compare, NULL},
    [TEMPLATE_DELETE] = {"delete", NEEDS_TEMPLATE, NULL, delete_all},
};

/* --- the unit --------------------------------------------------------------------------------- */

static void on_committed(void *context, enum status status, struct unit *unit)
{
    struct template_task *t = context;

    (void)unit;
    if (status == ST_CONFLICT && t->act->write == write_copy) {
        status = fault_set(&t->why, ST_CONFLICT, "there is a template '%.*s' already",
                           SLICE_FMT(slice_first(t->row.id, 100)));
    } else if (status == ST_CONFLICT && ++t->rounds < ROUNDS) {
        begin(t);
        return;
    }
    if (status == ST_OK)
        LOG_INFO("template_act", LOG_STR("act", t->act->name), LOG_TEXT("template", t->request.id));
    finish(t, status);
}

/* The version that the caller knows is the current one, if he knows any. */
static enum status check_version(const struct template_task *t, struct fault *why)
{
    slice etag = t->document.etag;
    int64_t version = t->request.version;

    if (etag.len >= 2 && etag.ptr[0] == '"' && etag.ptr[etag.len - 1] == '"')
        etag = slice_of(etag.ptr + 1, etag.len - 2);
    if (version == 0 && (etag.len == 0 || slice_equal(etag, SLICE("*"))))
        return ST_OK;
    if (version == 0 && !slice_to_i64(etag, &version))
        version = -1;
    return t->exists && version == t->was.version
               ? ST_OK
               : fault_set(why, ST_PRECONDITION_FAILED, "the template was changed meanwhile");
}

/* Devices have what is published, and others use what they have. */
static enum status check_breaking(const struct template_task *t, struct fault *why)
{
    size_t count = t->changes.breaking;

    if (!t->act->write || count == 0 || t->request.force)
        return ST_OK;
    return fault_set(why, ST_CONFLICT, "%zu breaking change%s", count, count == 1 ? "" : "s");
}

static void write(struct template_task *t)
{
    enum status status = t->status;
    struct unit *unit;

    if (status == ST_OK)
        status = check_version(t, &t->why);
    if (status == ST_OK)
        status = check_breaking(t, &t->why);
    if (status != ST_OK || !t->act->write) {
        finish(t, status);
        return;
    }
    unit = unit_create(t->c->st);
    if (!unit) {
        finish(t, ST_UNAVAILABLE);
        return;
    }
    t->act->write(t, unit);
    unit_submit(unit, on_committed, t);
}

/* --- here or on the pool ---------------------------------------------------------------------- */

static void on_pool(struct pool_job *job)
{
    struct template_task *t = (struct template_task *)job;

    t->status = t->act->work ? t->act->work(t, &t->why) : ST_OK;
}

static void on_worked(struct pool_job *job)
{
    write((struct template_task *)job);
}

static void work(struct template_task *t)
{
    t->job.work = on_pool;
    t->job.done = on_worked;
    if (!t->act->work ||
        t->request.given.len + t->published.len + t->draft.len <= TEMPLATE_INLINE_MAX) {
        on_pool(&t->job);
        on_worked(&t->job);
    } else if (!pool_submit(t->c->ws, &t->job)) {
        finish(t, ST_UNAVAILABLE);
    }
}

/* --- the row ---------------------------------------------------------------------------------- */

static enum status check_needs(const struct template_task *t, struct fault *why)
{
    unsigned needs = t->act->needs;

    if (t->exists && t->request.must_be_new)
        return fault_set(why, ST_PRECONDITION_FAILED, "there is a template of that ID already");
    if (needs && !t->exists)
        return fault_set(why, ST_NOT_FOUND, "there is no such template");
    if ((needs & NEEDS_PUBLISHED) && !t->was.published)
        return fault_set(why, ST_NOT_FOUND, "the template is not published");
    if ((needs & NEEDS_DRAFT) && t->was.draft_at == 0)
        return fault_set(why, ST_NOT_FOUND, "the template has no draft");
    return ST_OK;
}

static enum status check_delete(const struct template_task *t, struct fault *why)
{
    if (slice_equal(t->request.id, SLICE(GENERIC_TEMPLATE)))
        return fault_set(why, ST_CONFLICT, "every application has the template '%s'",
                         GENERIC_TEMPLATE);
    if (t->has_devices)
        return fault_set(why, ST_CONFLICT, "devices have this template");
    return ST_OK;
}

static void take_row(struct template_task *t, const struct rows *rows)
{
    t->exists = true;
    t->was = template_from_row(rows);
    t->was.id = t->request.id;
    t->was.display_name = arena_copy(&t->arena, t->was.display_name);
    t->was.model_id = arena_copy(&t->arena, t->was.model_id);
    t->was.document = (slice){0};
    t->has_devices = rows_int(rows, TEMPLATE_COLUMN_HAS_DEVICES) != 0;
    if (!t->act->work)
        return;
    t->published = arena_copy(&t->arena, rows_bytes(rows, TEMPLATE_COLUMN_DOCUMENT));
    t->draft = arena_copy(&t->arena, rows_bytes(rows, TEMPLATE_COLUMN_DRAFT));
}

/* As it was, until an act says otherwise. */
static void copy_row(struct template_task *t)
{
    t->row = (struct template_row_values){
        .id = t->request.id,
        .display_name = t->was.display_name,
        .model_id = t->was.model_id,
        .published = t->was.published,
        .now = clock_wall_ms(),
        .published_at = t->was.published_at,
        .draft_at = t->was.draft_at,
    };
}

static void on_row(void *context, enum status status, struct rows *rows)
{
    struct template_task *t = context;

    if (status == ST_OK && rows_next(rows))
        take_row(t, rows);
    else if (status == ST_OK)
        status = rows_status(rows);
    if (status == ST_OK && t->arena.failed)
        status = ST_NO_MEMORY;
    if (status == ST_OK)
        status = check_needs(t, &t->why);
    if (status == ST_OK && t->act->write == delete_all)
        status = check_delete(t, &t->why);
    if (status != ST_OK) {
        finish(t, status);
        return;
    }
    copy_row(t);
    work(t);
}

static void begin(struct template_task *t)
{
    arena_reset(&t->arena);
    buf_clear(&t->views);
    t->exists = t->has_devices = t->has_report = t->has_changes = false;
    t->was = (struct template){0};
    t->published = t->draft = (slice){0};
    t->document = (struct template_document){0};
    t->changes = (struct dtdl_changes){0};
    t->why = (struct fault){0};
    template_read_whole(t->c->st, t->request.id, on_row, t);
}

void central_template_act(struct central *c, enum template_act act,
                          const struct template_request *request, template_act_fn *on_done,
                          void *context)
{
    struct template_task *t = calloc(1, sizeof *t);
    const struct template_result nothing = {0};
    struct fault why = {ST_NO_MEMORY, "no memory for a template"};

    if (!t) {
        on_done(context, ST_NO_MEMORY, &nothing, &why);
        return;
    }
    *t = (struct template_task){
        .c = c, .act = &acts[act], .request = *request, .on_done = on_done, .context = context};
    arena_init(&t->kept, REQUEST_ARENA_MAX);
    arena_init(&t->arena, TEMPLATE_ARENA_MAX);
    buf_init(&t->views, TEMPLATE_VIEWS_MAX);
    t->request.id = arena_copy(&t->kept, request->id);
    t->request.new_id = arena_copy(&t->kept, request->new_id);
    t->request.new_model_id = arena_copy(&t->kept, request->new_model_id);
    t->request.new_display_name = arena_copy(&t->kept, request->new_display_name);
    if (!template_id_valid(request->id))
        finish(t, fault_set(&t->why, ST_BAD_REQUEST,
                            "a template's ID has 1 to %d bytes, none of them control characters",
                            TEMPLATE_ID_MAX));
    else if (t->kept.failed)
        finish(t, ST_TOO_LARGE);
    else
        begin(t);
}
