/* Imports at home: their phases.
 *
 *     settings, templates -> the file is looked through -> batch, batch, ... -> done
 *
 * While the store commits one batch the pool makes the next. A batch that is undone by somebody
 * else's change takes the next along: the file is read again up to what is committed. */
#include "central/operation/device_import.h"

#include <errno.h>
#include <stdlib.h>

#include "base/log.h"
#include "central/operation/import_source.h"
#include "central/operation/operation_store.h"
#include "central/template/templates.h"
#include "codec/device_csv_write.h"
#include "codec/json.h"
#include "provisioning/lifecycle.h"

#define TEMPLATES_ARENA_MAX ((size_t)8 << 20)
#define TEMPLATES_A_PAGE 1000

struct device_import;

/* On the pool: the source is its own for that long. */
struct import_job {
    struct pool_job job;
    struct device_import *import;
    enum status status;
    bool is_end;
    struct import_batch *batch;
};

enum import_phase { IMPORT_SETTINGS, IMPORT_CHECKING, IMPORT_APPLYING };

struct device_import {
    struct operation_run *run; /* NULL once it has ended */
    enum import_phase phase;
    struct arena arena; /* of the options */
    struct import_templates templates;
    struct import_source source;
    struct import_job job;
    bool is_working;           /* the job is on the pool */
    bool is_wanted;            /* a step waits for it */
    bool is_stale;             /* what it makes was overtaken */
    struct import_batch *made; /* not handed to the store yet */
    struct import_batch *flying;
};

/* --- what is asked for ------------------------------------------------------------------------ */

static bool read_options(slice parameters, struct arena *arena, struct device_import_options *ret)
{
    struct json *root;
    slice existing = {0};

    *ret = (struct device_import_options){0};
    if (json_parse(arena_copy(arena, parameters), JSON_LAST_WINS, arena, &root, NULL) != ST_OK)
        return false;
    json_get_text(root, SLICE("template"), &ret->template_id);
    json_get_text(root, SLICE("existing"), &existing);
    json_get_bool(root, SLICE("lowerCase"), &ret->lower_ids);
    json_get_bool(root, SLICE("individualEnrollments"), &ret->take_keys);
    json_get_bool(root, SLICE("rawNames"), &ret->raw_names);
    json_get_bool(root, SLICE("dryRun"), &ret->dry_run);
    return import_existing_from_name(existing, &ret->existing);
}

/* --- life ------------------------------------------------------------------------------------- */

static void free_import(struct device_import *im)
{
    import_batch_destroy(im->made);
    import_batch_destroy(im->flying);
    import_source_deinit(&im->source);
    arena_deinit(&im->templates.arena);
    arena_deinit(&im->arena);
    free(im);
}

static bool begin(struct operation_run *r)
{
    struct device_import *im = calloc(1, sizeof *im);

    if (!im)
        return false;
    im->run = r;
    im->source.c = r->ops->c;
    im->source.fd = import_spool_open(r->ops, r->id);
    if (im->source.fd < 0)
        LOG_ERROR("import_file_gone", LOG_TEXT("id", r->id), LOG_STR("cause", strerror(errno)));
    im->source.templates = &im->templates;
    im->source.device_limit = r->ops->options.device_limit;
    buf_init(&im->source.file_log, 65536);
    arena_init(&im->templates.arena, TEMPLATES_ARENA_MAX);
    arena_init(&im->arena, 65536);
    import_source_rewind(&im->source, &r->progress);
    r->own = im;
    return true;
}

static void destroy(struct operation_run *r)
{
    struct device_import *im = r->own;

    im->run = NULL;
    if (!im->is_working)
        free_import(im);
}

static void finished(struct operation_run *r)
{
    import_spool_remove(r->ops, r->id);
}

/* --- jobs ------------------------------------------------------------------------------------- */

static void on_checked(struct device_import *im);
static void on_made(struct device_import *im);

static void work(struct pool_job *pool_job)
{
    struct import_job *job = (struct import_job *)pool_job;
    struct import_source *s = &job->import->source;

    job->batch = NULL;
    if (job->import->phase == IMPORT_CHECKING)
        job->status = import_source_check(s, &job->is_end);
    else
        job->status = import_source_fill(s, &job->batch);
}

static void done(struct pool_job *pool_job)
{
    struct device_import *im = ((struct import_job *)pool_job)->import;

    im->is_working = false;
    if (!im->run) { /* it ended meanwhile */
        import_batch_destroy(im->job.batch);
        free_import(im);
    } else if (im->phase == IMPORT_CHECKING) {
        on_checked(im);
    } else {
        on_made(im);
    }
}

/* False: the pool has no room just now. */
static bool put_to_work(struct device_import *im)
{
    im->job.import = im;
    im->job.job.work = work;
    im->job.job.done = done;
    im->is_working = pool_submit(im->run->ops->c->ws, &im->job.job);
    return im->is_working;
}

static void rewind_source(struct device_import *im)
{
    import_batch_destroy(im->made);
    im->made = NULL;
    im->is_stale = false;
    import_source_rewind(&im->source, &im->run->progress);
}

/* What may be otherwise the next time is tried again. */
static void on_job_failed(struct device_import *im)
{
    enum status status = im->job.status;

    if (status == ST_BAD_REQUEST || status == ST_TOO_LARGE || status == ST_NO_HUB) {
        operation_end(im->run, OPERATION_FAILED,
                      status == ST_NO_HUB ? "no hub is linked" : im->source.message,
                      buf_slice(&im->source.file_log));
        return;
    }
    rewind_source(im);
    operation_wait(im->run);
}

/* --- settings and templates ------------------------------------------------------------------- */

static bool add_template(struct import_templates *t, slice id)
{
    if (t->count == t->capacity) {
        size_t capacity = t->capacity ? 2 * t->capacity : 64;
        slice *ids = arena_alloc_array(&t->arena, capacity, sizeof *ids);

        if (!ids)
            return false;
        if (t->count > 0)
            memcpy(ids, t->ids, t->count * sizeof *ids);
        t->ids = ids;
        t->capacity = capacity;
    }
    t->ids[t->count++] = arena_copy(&t->arena, id);
    return !t->arena.failed;
}

static bool template_is_gone(const struct device_import *im)
{
    slice wanted = im->source.options.template_id;

    return wanted.len > 0 && !import_templates_have(&im->templates, wanted);
}

static void refuse_template(struct device_import *im)
{
    struct device_csv_finding finding;

    device_csv_finding_set(&finding, CSV_F05_GONE, (slice){0},
                           "no published template of the chosen ID");
    finding.line = 0;
    device_csv_log_finding((slice){0}, &finding, &im->source.file_log);
    operation_end(im->run, OPERATION_FAILED, "F05: no published template of the chosen ID",
                  buf_slice(&im->source.file_log));
}

static void read_page(struct device_import *im);

static void after_templates(struct device_import *im, enum status status)
{
    if (status != ST_OK || im->templates.arena.failed) {
        operation_wait(im->run);
    } else if (template_is_gone(im)) {
        refuse_template(im);
    } else {
        im->phase = im->run->progress.total < 0 ? IMPORT_CHECKING : IMPORT_APPLYING;
        operation_next(im->run);
    }
}

static bool on_template(void *context, enum status status, const struct template *t)
{
    struct device_import *im = context;

    if (t)
        return add_template(&im->templates, t->id);
    if (status == ST_OK && !im->templates.arena.failed && im->templates.count > 0 &&
        im->templates.count % TEMPLATES_A_PAGE == 0)
        read_page(im);
    else
        after_templates(im, status);
    return false;
}

static void read_page(struct device_import *im)
{
    size_t count = im->templates.count;
    const struct template_filter filter = {
        .after = count > 0 ? im->templates.ids[count - 1] : (slice){0},
        .limit = TEMPLATES_A_PAGE,
        .only_published = true,
        .part = TEMPLATE_FACTS,
    };

    central_template_page(im->run->ops->c, &filter, on_template, im);
}

static void on_settings(void *context, enum status status, const struct central_settings *s,
                        const struct fault *why)
{
    struct device_import *im = context;

    (void)why;
    if (status != ST_OK) {
        operation_wait(im->run);
        return;
    }
    im->source.any_case = s->device_id_any_case;
    arena_reset(&im->templates.arena);
    im->templates.count = im->templates.capacity = 0;
    read_page(im);
}

static void read_settings(struct device_import *im)
{
    arena_reset(&im->arena);
    if (im->source.fd < 0)
        operation_end(im->run, OPERATION_FAILED, "the uploaded file is gone", (slice){0});
    else if (!read_options(im->run->parameters, &im->arena, &im->source.options))
        operation_end(im->run, OPERATION_FAILED, "the parameters cannot be read", (slice){0});
    else
        central_get_settings(im->run->ops->c, on_settings, im);
}

/* --- looking through -------------------------------------------------------------------------- */

/* How many rows there are is known, and what of the file is ignored. */
static void commit_check(struct device_import *im)
{
    struct operation_progress to = im->source.ahead;
    struct unit *unit = operation_unit(im->run);

    if (!unit) {
        rewind_source(im);
        return;
    }
    to.log_bytes += (int64_t)im->source.file_log.len;
    operation_commit(im->run, unit, &to,
                     &(struct operation_findings){.log = buf_slice(&im->source.file_log)});
}

static void on_checked(struct device_import *im)
{
    if (im->job.status != ST_OK)
        on_job_failed(im);
    else if (im->job.is_end)
        commit_check(im);
    else
        operation_next(im->run);
}

/* --- batches ---------------------------------------------------------------------------------- */

static void submit_made(struct device_import *im)
{
    struct import_batch *b = im->made;
    const struct operation_findings found = {buf_slice(&b->log), buf_slice(&b->rejected)};
    struct unit *unit = b->unit;

    im->made = NULL;
    im->flying = b;
    b->unit = NULL; /* the store's */
    operation_commit(im->run, unit, &b->to, &found);
    if (!b->is_last)
        (void)put_to_work(im);
}

/* A batch without rows has only passed some over. */
static bool is_empty(const struct import_batch *b)
{
    return b->count == 0 && !b->is_last;
}

static void on_made(struct device_import *im)
{
    bool is_wanted = im->is_wanted;

    im->is_wanted = false;
    im->made = im->job.batch;
    if (!is_wanted)
        im->is_stale = im->is_stale || im->job.status != ST_OK; /* the step that comes sees to it */
    else if (im->is_stale || im->job.status == ST_OK)
        operation_next(im->run);
    else
        on_job_failed(im);
}

static void apply(struct device_import *im)
{
    if (im->is_stale && !im->is_working) {
        rewind_source(im);
        read_settings(im);
        return;
    }
    if (im->made && is_empty(im->made)) {
        import_batch_destroy(im->made);
        im->made = NULL;
    }
    if (im->made) {
        submit_made(im);
    } else if (im->is_working || put_to_work(im)) {
        im->is_wanted = true;
    } else {
        operation_wait(im->run);
    }
}

static void step(struct operation_run *r)
{
    struct device_import *im = r->own;

    switch (im->phase) {
    case IMPORT_SETTINGS:
        read_settings(im);
        break;
    case IMPORT_CHECKING:
        if (!put_to_work(im))
            operation_wait(r);
        break;
    case IMPORT_APPLYING:
        apply(im);
        break;
    }
}

static void publish(const struct device_import *im)
{
    const struct import_batch *b = im->flying;

    for (const struct import_event *e = b->events; e; e = e->next)
        lifecycle_publish(im->run->ops->c->bus, e->events, e->device_id, b->now);
}

static void committed(struct operation_run *r)
{
    struct device_import *im = r->own;
    bool is_last;

    if (im->phase == IMPORT_CHECKING) {
        im->phase = IMPORT_APPLYING;
        rewind_source(im);
        operation_next(r);
        return;
    }
    publish(im);
    is_last = im->flying->is_last;
    import_batch_destroy(im->flying);
    im->flying = NULL;
    if (is_last)
        operation_end(r, OPERATION_DONE, "", (slice){0});
    else
        operation_next(r);
}

/* Whatever was otherwise than it was read, a template among it: all is read anew. */
static void rolled_back(struct operation_run *r)
{
    struct device_import *im = r->own;

    import_batch_destroy(im->flying);
    im->flying = NULL;
    im->is_stale = true;
    if (!im->is_working)
        rewind_source(im);
}

static const char *const count_names[] = {
    [IMPORT_ADDED] = "added",
    [IMPORT_UPDATED] = "updated",
    [IMPORT_UNCHANGED] = "unchanged",
    [IMPORT_SKIPPED] = "skipped",
    [IMPORT_LOG_LEFT_OUT] = "findingsLeftOut",
    [IMPORT_REJECTED_LEFT_OUT] = "rejectedRowsLeftOut",
    [IMPORT_CODES + CSV_F01_NOT_TEXT] = "F01",
    [IMPORT_CODES + CSV_F02_NO_ID_COLUMN] = "F02",
    [IMPORT_CODES + CSV_F03_DOUBLE_HEADER] = "F03",
    [IMPORT_CODES + CSV_F04_TOO_LARGE] = "F04",
    [IMPORT_CODES + CSV_F05_GONE] = "F05",
    [IMPORT_CODES + CSV_R01_ID_EMPTY] = "R01",
    [IMPORT_CODES + CSV_R02_ID_TOO_LONG] = "R02",
    [IMPORT_CODES + CSV_R03_ID_CHARACTER] = "R03",
    [IMPORT_CODES + CSV_R04_ID_UPPER_CASE] = "R04",
    [IMPORT_CODES + CSV_R05_NAME_TOO_LONG] = "R05",
    [IMPORT_CODES + CSV_R06_ID_TWICE] = "R06",
    [IMPORT_CODES + CSV_R07_DEVICE_EXISTS] = "R07",
    [IMPORT_CODES + CSV_R08_NOT_A_RECORD] = "R08",
    [IMPORT_CODES + CSV_R09_KEY] = "R09",
    [IMPORT_CODES + CSV_R10_UNKNOWN_REFERENCE] = "R10",
    [IMPORT_CODES + CSV_R11_DEVICE_LIMIT] = "R11",
    [IMPORT_CODES + CSV_W01_COLUMN_IGNORED] = "W01",
    [IMPORT_CODES + CSV_W02_LOWERED] = "W02",
    [IMPORT_CODES + CSV_W03_SKIPPED] = "W03",
};
_Static_assert(COUNT_OF(count_names) == IMPORT_COUNTS, "every count has a name");

const struct operation_type device_import_type = {
    .count_names = count_names,
    .count_count = COUNT_OF(count_names),
    .shown_counts = IMPORT_SKIPPED + 1,
    .begin = begin,
    .step = step,
    .committed = committed,
    .rolled_back = rolled_back,
    .finished = finished,
    .destroy = destroy,
};
