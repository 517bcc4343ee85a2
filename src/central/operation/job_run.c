/* Jobs at home:
 *
 *     load -> list members, page by page -> take a page -> [say that commands go out] -> act
 *                                             ^                                          |
 *                                             +------------- record <--------------------+
 *
 * and the end from wherever it comes. Every arrow behind `load` is a unit of work, but for acting
 * itself; what a page came to is kept in memory until it is recorded. */
#include <stdlib.h>

#include "central/operation/job_run.h"
#include "central/operation/job_store.h"

#define PAGE_ARENA_MAX ((size_t)64 * 1024)
#define DAY_MS (INT64_C(24) * 3600 * 1000)

enum job_count { JOB_COUNT_COMPLETED, JOB_COUNTS };
static const char *const count_names[] = {[JOB_COUNT_COMPLETED] = "completed"};

static slice job_id_of(struct operation_run *r)
{
    ARENA_CLEANUP struct arena arena = {.max = 4096};
    struct json *root;
    slice id = {0};

    if (json_parse(r->parameters, JSON_LAST_WINS, &arena, &root, NULL) == ST_OK)
        (void)json_get_text(root, SLICE("job"), &id);
    return arena_copy(&r->arena, id);
}

static bool begin(struct operation_run *r)
{
    struct job_own *own = calloc(1, sizeof *own);

    if (!own)
        return false;
    own->run = r;
    own->job.id = job_id_of(r);
    arena_init(&own->arena, PAGE_ARENA_MAX);
    buf_init(&own->properties, 2 * (size_t)JOB_DATA_MAX);
    r->own = own;
    return true;
}

static void destroy(struct operation_run *r)
{
    struct job_own *own = r->own;

    unit_destroy(own->unit);
    if (own->has_members)
        device_group_members_deinit(&own->members);
    buf_deinit(&own->properties);
    arena_deinit(&own->arena);
    free(own);
}

/* With the operation's own numbers. */
void job_commit(struct job_own *own, struct unit *unit)
{
    struct operation_progress to = own->run->progress;

    to.total = own->to.is_listed ? own->to.total : -1;
    to.processed = own->to.completed + own->to.failed;
    to.failed = own->to.failed;
    to.counts[JOB_COUNT_COMPLETED] = own->to.completed;
    operation_commit(own->run, unit, &to, &(struct operation_findings){0});
}

/* --- the end ---------------------------------------------------------------------------------- */

static enum operation_state operation_state_of(enum job_state state)
{
    switch (state) {
    case JOB_COMPLETE:
        return OPERATION_DONE;
    case JOB_STOPPED:
    case JOB_CANCELLED:
        return OPERATION_CANCELLED;
    default:
        return OPERATION_FAILED;
    }
}

static void commit_end(struct job_own *own)
{
    struct unit *unit = operation_unit(own->run);

    if (!unit)
        return;
    own->to = own->job;
    job_unit_end(unit, own->job.id, own->end_state, slice_str(own->end_message), clock_wall_ms());
    job_commit(own, unit);
}

void job_end(struct job_own *own, enum job_state state, const char *message)
{
    own->phase = PHASE_ENDING;
    own->end_state = state;
    own->end_message = message;
    commit_end(own);
}

/* The engine gave it up: then its row does not know yet. */
static void finished(struct operation_run *r)
{
    struct job_own *own = r->own;
    struct unit *unit = unit_create(r->ops->c->st);

    if (!unit)
        return;
    if (own->phase != PHASE_ENDING)
        job_unit_end(unit, own->job.id, JOB_FAILED, SLICE("a step could not be stored"),
                     clock_wall_ms());
    job_unit_prune(unit, clock_wall_ms() - JOB_KEPT_DAYS * DAY_MS);
    unit_submit(unit, NULL, NULL);
}

/* --- loading ---------------------------------------------------------------------------------- */

static bool copy_job(struct job_own *own, const struct job *j)
{
    struct arena *arena = &own->run->arena;

    own->job = *j;
    own->job.id = arena_copy(arena, j->id);
    own->job.data = arena_copy(arena, j->data);
    own->job.source = arena_copy(arena, j->source);
    own->job.list_after = slice_of(own->list_after, slice_first(j->list_after, DEVICE_ID_MAX).len);
    if (own->job.list_after.len > 0)
        memcpy(own->list_after, j->list_after.ptr, own->job.list_after.len);
    return !arena->failed;
}

/* It was checked before it was stored. */
static bool read_job(struct job_own *own, const struct job *j, struct fault *why)
{
    if (!copy_job(own, j) ||
        job_data_read(own->job.data, &own->run->arena, &own->data, why) != ST_OK ||
        job_limit_read(j->batch, "batch", false, &own->batch, why) != ST_OK ||
        job_limit_read(j->threshold, "cancellationThreshold", true, &own->threshold, why) != ST_OK)
        return false;
    if (j->source.len == 0 && !own->has_members) {
        if (device_group_members_init(&own->members, j->filter, why) != ST_OK)
            return false;
        own->has_members = true;
    }
    if (own->data.has_properties)
        job_data_write_properties(&own->data, &own->properties);
    own->work = (struct job_work){
        .c = own->run->ops->c,
        .data = &own->data,
        .properties = buf_slice(&own->properties),
        .actor = arena_printf(&own->run->arena, "job %.*s", SLICE_FMT(own->job.id))};
    return !own->properties.failed && !own->run->arena.failed;
}

static void start(struct job_own *own)
{
    struct unit *unit = operation_unit(own->run);

    if (!unit)
        return;
    own->to = own->job;
    job_unit_start(unit, own->job.id, clock_wall_ms());
    job_commit(own, unit);
}

static void on_loaded(void *context, enum status status, struct rows *rows)
{
    struct job_own *own = context;
    struct fault why = {0};
    struct job j;

    if (status == ST_OK && !rows_next(rows)) {
        status = rows_status(rows);
        if (status == ST_OK) {
            own->phase = PHASE_ENDING;
            operation_end(own->run, OPERATION_FAILED, "the job is gone", (slice){0});
            return;
        }
    }
    if (status != ST_OK) {
        operation_wait(own->run);
        return;
    }
    j = job_from_row(rows);
    if (j.state != JOB_PENDING && j.state != JOB_RUNNING) { /* it ended; the operation did not */
        own->phase = PHASE_ENDING;
        operation_end(own->run, operation_state_of(j.state), "", (slice){0});
    } else if (read_job(own, &j, &why)) {
        start(own);
    } else {
        job_end(own, JOB_FAILED, "the job could not be read");
    }
}

void job_load(struct job_own *own)
{
    buf_clear(&own->properties);
    job_read_one(own->run->ops->c->st, own->job.id, on_loaded, own);
}

static bool is_past_threshold(const struct job_own *own)
{
    int64_t size = job_batch_size(&own->batch, own->job.total);

    if (own->threshold.per_batch)
        return job_threshold_is_passed(&own->threshold, own->job.batch_failed,
                                       size < own->job.total ? size : own->job.total);
    return job_threshold_is_passed(&own->threshold, own->job.failed, own->job.total);
}

/* --- steps ------------------------------------------------------------------------------------ */

static void step(struct operation_run *r)
{
    struct job_own *own = r->own;

    if (r->is_cancelled && (own->phase == PHASE_LISTING || own->phase == PHASE_TAKING)) {
        job_end(own, JOB_STOPPED, "");
        return;
    }
    switch (own->phase) {
    case PHASE_LOADING:
        job_load(own);
        break;
    case PHASE_LISTING:
        job_list_members(own);
        break;
    case PHASE_TAKING:
        job_page_take(own);
        break;
    case PHASE_RECORDING:
        job_page_record(own);
        break;
    case PHASE_ENDING:
        commit_end(own);
        break;
    }
}

static void after_record(struct job_own *own)
{
    if (is_past_threshold(own)) {
        job_end(own, JOB_CANCELLED, "more devices failed than the threshold allows");
        return;
    }
    own->phase = PHASE_TAKING;
    operation_next(own->run);
}

static void committed(struct operation_run *r)
{
    struct job_own *own = r->own;

    own->job = own->to;
    switch (own->phase) {
    case PHASE_LOADING:
    case PHASE_LISTING:
        own->phase = own->job.is_listed ? PHASE_TAKING : PHASE_LISTING;
        operation_next(r);
        break;
    case PHASE_TAKING:
        job_page_act(own);
        break;
    case PHASE_RECORDING:
        after_record(own);
        break;
    case PHASE_ENDING:
        operation_end(r, operation_state_of(own->end_state), own->end_message, (slice){0});
        break;
    }
}

/* What is in memory counts on, but for the place in a list that was read on. */
static void rolled_back(struct operation_run *r)
{
    struct job_own *own = r->own;

    if (own->phase == PHASE_LISTING)
        own->phase = PHASE_LOADING;
}

const struct operation_type job_type = {
    .count_names = count_names,
    .count_count = JOB_COUNTS,
    .shown_counts = JOB_COUNTS,
    .stops_itself = true,
    .begin = begin,
    .step = step,
    .committed = committed,
    .rolled_back = rolled_back,
    .finished = finished,
    .destroy = destroy,
};
