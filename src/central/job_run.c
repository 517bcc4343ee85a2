/* Jobs at home:
 *
 *     load -> list members, page by page -> take a page -> [say that commands go out] -> act
 *                                             ^                                          |
 *                                             +------------- record <--------------------+
 *
 * and the end from wherever it comes. Every arrow behind `load` is a unit of work, but for acting
 * itself; what a page came to is kept in memory until it is recorded. */
#include <stdlib.h>

#include "central/device_group.h"
#include "central/job_run.h"
#include "central/job_store.h"
#include "central/operation_internal.h"

#define LIST_PAGE 500 /* members written down at once */
#define PAGE_MAX 50   /* devices at once */
#define PAGE_ARENA_MAX ((size_t)64 * 1024)
#define DAY_MS (INT64_C(24) * 3600 * 1000)

enum job_phase {
    PHASE_LOADING,
    PHASE_LISTING,
    PHASE_TAKING,    /* and saying that commands go out */
    PHASE_RECORDING, /* what a page came to */
    PHASE_ENDING,
};

enum job_count { JOB_COUNT_COMPLETED, JOB_COUNTS };
static const char *const count_names[] = {[JOB_COUNT_COMPLETED] = "completed"};

struct job_own {
    struct operation_run *run;
    enum job_phase phase;
    struct job job, to; /* committed; under way */
    struct job_data data;
    struct job_limit batch, threshold;
    struct job_work work;
    struct device_group_members members;
    bool has_members;
    struct buf properties;
    struct unit *unit; /* of members, while they are listed */
    unsigned listed;
    uint8_t list_after[DEVICE_ID_MAX];
    struct arena arena; /* the page's */
    struct job_task tasks[PAGE_MAX];
    size_t count;
    unsigned pending;
    enum job_state end_state;
    const char *end_message;
};

static slice job_id_of(const struct operation_run *r)
{
    ARENA_CLEANUP struct arena arena = {.max = 4096};
    struct json *root;
    slice id = {0};

    if (json_parse(r->parameters, JSON_LAST_WINS, &arena, &root, NULL) == ST_OK)
        (void)json_get_text(root, SLICE("job"), &id);
    return arena_copy((struct arena *)&r->arena, id);
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
static void commit(struct job_own *own, struct unit *unit)
{
    struct operation_progress to = own->run->progress;

    to.total = own->to.is_listed ? own->to.total : -1;
    to.processed = own->to.completed + own->to.failed;
    to.failed = own->to.failed;
    to.counts[JOB_COUNT_COMPLETED] = own->to.completed;
    operation_commit(own->run, unit, &to, &(struct operation_findings){0});
}

static struct unit *unit_or_wait(struct job_own *own)
{
    struct unit *unit = unit_create(own->run->ops->c->st);

    if (!unit)
        operation_wait(own->run);
    return unit;
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
    struct unit *unit = unit_or_wait(own);

    if (!unit)
        return;
    own->to = own->job;
    job_unit_end(unit, own->job.id, own->end_state, slice_str(own->end_message), clock_wall_ms());
    commit(own, unit);
}

static void end(struct job_own *own, enum job_state state, const char *message)
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
    struct unit *unit = unit_or_wait(own);

    if (!unit)
        return;
    own->to = own->job;
    job_unit_start(unit, own->job.id, clock_wall_ms());
    commit(own, unit);
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
        end(own, JOB_FAILED, "the job could not be read");
    }
}

static void load(struct job_own *own)
{
    buf_clear(&own->properties);
    job_read_one(own->run->ops->c->st, own->job.id, on_loaded, own);
}

/* --- listing ---------------------------------------------------------------------------------- */

static void add_member(struct job_own *own, slice device_id, slice after)
{
    const struct job_device d = {.number = own->to.total, .id = device_id};

    job_unit_add_device(own->unit, own->job.id, &d);
    own->to.total++;
    own->listed++;
    after = slice_first(after, DEVICE_ID_MAX);
    memcpy(own->list_after, after.ptr, after.len);
    own->to.list_after = slice_of(own->list_after, after.len);
}

static void end_listing(struct job_own *own, enum status status)
{
    struct unit *unit = own->unit;

    own->unit = NULL;
    if (status != ST_OK || own->to.total > JOB_DEVICES_MAX) {
        unit_destroy(unit);
        if (status != ST_OK)
            load(own); /* and from what is committed */
        else
            end(own, JOB_FAILED, "the group has more devices than a job may have");
        return;
    }
    own->to.is_listed = own->listed < LIST_PAGE;
    job_unit_advance(unit, &own->to);
    commit(own, unit);
}

static void on_member(void *context, enum status status, const struct device *d)
{
    struct job_own *own = context;

    if (d)
        add_member(own, d->id, d->id);
    else
        end_listing(own, status);
}

/* Of a rerun: `list_after` is the number of the device in the other job. */
static void on_failed_rows(void *context, enum status status, struct rows *rows)
{
    struct job_own *own = context;

    while (status == ST_OK && rows_next(rows)) {
        struct job_device d = job_device_from_row(rows);
        BUF_CLEANUP struct buf number = {.max = 32};

        buf_printf(&number, "%lld", (long long)d.number);
        add_member(own, d.id, buf_slice(&number));
    }
    end_listing(own, status == ST_OK ? rows_status(rows) : status);
}

static void list(struct job_own *own)
{
    struct device_filter filter = {.after = own->job.list_after, .limit = LIST_PAGE, .status = -1};
    int64_t after = -1;

    own->unit = unit_or_wait(own);
    if (!own->unit)
        return;
    own->to = own->job;
    own->listed = 0;
    if (own->has_members) {
        device_group_members_select(&own->members, &filter);
        device_list(own->run->ops->c->id, &filter, on_member, own);
        return;
    }
    if (own->job.list_after.len > 0 && !slice_to_i64(own->job.list_after, &after))
        after = -1;
    job_read_devices(own->run->ops->c->st, own->job.source, after, JOB_DEVICE_FAILED, LIST_PAGE,
                     on_failed_rows, own);
}

/* --- a page ----------------------------------------------------------------------------------- */

static void record(struct job_own *own)
{
    struct unit *unit = unit_or_wait(own);
    int64_t size = job_batch_size(&own->batch, own->job.total);

    if (!unit)
        return;
    own->to = own->job;
    if (own->to.next_number % size == 0)
        own->to.batch_failed = 0;
    for (size_t i = 0; i < own->count; i++) {
        const struct job_task *t = &own->tasks[i];
        const struct job_device d = {
            .number = t->number, .state = t->state, .message = slice_str(t->message)};
        bool failed = t->state == JOB_DEVICE_FAILED;

        job_unit_set_device(unit, own->job.id, &d);
        own->to.failed += failed;
        own->to.batch_failed += failed;
        own->to.completed += !failed;
        own->to.next_number = t->number + 1;
    }
    job_unit_advance(unit, &own->to);
    commit(own, unit);
}

static void on_one_done(struct job_own *own)
{
    if (--own->pending > 0)
        return;
    own->phase = PHASE_RECORDING;
    record(own);
}

static void on_task_done(struct job_task *t)
{
    struct job_own *own =
        (struct job_own *)((char *)(uintptr_t)t->work - offsetof(struct job_own, work));

    on_one_done(own);
}

static void act(struct job_own *own)
{
    own->pending = (unsigned)own->count + 1;
    for (size_t i = 0; i < own->count; i++)
        job_task_begin(&own->tasks[i]);
    on_one_done(own);
}

static void announce(struct job_own *own)
{
    struct unit *unit = unit_or_wait(own);

    if (!unit)
        return;
    own->to = own->job;
    for (size_t i = 0; i < own->count; i++) {
        const struct job_device d = {.number = own->tasks[i].number, .state = JOB_DEVICE_RUNNING};

        if (own->tasks[i].state == JOB_DEVICE_PENDING)
            job_unit_set_device(unit, own->job.id, &d);
    }
    commit(own, unit);
}

static void on_taken(void *context, enum status status, struct rows *rows)
{
    struct job_own *own = context;

    own->count = 0;
    arena_reset(&own->arena);
    while (status == ST_OK && own->count < PAGE_MAX && rows_next(rows)) {
        struct job_device d = job_device_from_row(rows);

        own->tasks[own->count++] = (struct job_task){.work = &own->work,
                                                     .number = d.number,
                                                     .device_id = arena_copy(&own->arena, d.id),
                                                     .state = d.state,
                                                     .is_resumed = d.state == JOB_DEVICE_RUNNING,
                                                     .on_done = on_task_done};
    }
    if (status == ST_OK && own->count < PAGE_MAX)
        status = rows_status(rows);
    if (status != ST_OK || own->arena.failed)
        operation_wait(own->run);
    else if (own->count == 0)
        end(own, JOB_COMPLETE, "");
    else if (own->data.has_commands)
        announce(own);
    else
        act(own);
}

/* A page never reaches into the next batch. */
static void take(struct job_own *own)
{
    int64_t size = job_batch_size(&own->batch, own->job.total);
    int64_t left = size - own->job.next_number % size;

    job_read_devices(own->run->ops->c->st, own->job.id, own->job.next_number - 1, -1,
                     left < PAGE_MAX ? (unsigned)left : PAGE_MAX, on_taken, own);
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
        end(own, JOB_STOPPED, "");
        return;
    }
    switch (own->phase) {
    case PHASE_LOADING:
        load(own);
        break;
    case PHASE_LISTING:
        list(own);
        break;
    case PHASE_TAKING:
        take(own);
        break;
    case PHASE_RECORDING:
        record(own);
        break;
    case PHASE_ENDING:
        commit_end(own);
        break;
    }
}

static void after_record(struct job_own *own)
{
    if (is_past_threshold(own)) {
        end(own, JOB_CANCELLED, "more devices failed than the threshold allows");
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
        act(own);
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
