/* A page of a job's devices, all at once. What became of them is kept in memory until it is
 * recorded. */
#include "central/operation/job_run.h"
#include "central/operation/job_store.h"

void job_page_record(struct job_own *own)
{
    struct unit *unit = operation_unit(own->run);
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
    job_commit(own, unit);
}

static void on_one_done(struct job_own *own)
{
    if (--own->pending > 0)
        return;
    own->phase = PHASE_RECORDING;
    job_page_record(own);
}

static void on_task_done(struct job_task *t)
{
    struct job_own *own =
        (struct job_own *)((char *)(uintptr_t)t->work - offsetof(struct job_own, work));

    on_one_done(own);
}

void job_page_act(struct job_own *own)
{
    own->pending = (unsigned)own->count + 1;
    for (size_t i = 0; i < own->count; i++)
        job_task_begin(&own->tasks[i]);
    on_one_done(own);
}

static void announce(struct job_own *own)
{
    struct unit *unit = operation_unit(own->run);

    if (!unit)
        return;
    own->to = own->job;
    for (size_t i = 0; i < own->count; i++) {
        const struct job_device d = {.number = own->tasks[i].number, .state = JOB_DEVICE_RUNNING};

        if (own->tasks[i].state == JOB_DEVICE_PENDING)
            job_unit_set_device(unit, own->job.id, &d);
    }
    job_commit(own, unit);
}

static void on_taken(void *context, enum status status, struct rows *rows)
{
    struct job_own *own = context;

    own->count = 0;
    arena_reset(&own->arena);
    while (status == ST_OK && own->count < JOB_PAGE_MAX && rows_next(rows)) {
        struct job_device d = job_device_from_row(rows);

        own->tasks[own->count++] = (struct job_task){.work = &own->work,
                                                     .number = d.number,
                                                     .device_id = arena_copy(&own->arena, d.id),
                                                     .state = d.state,
                                                     .is_resumed = d.state == JOB_DEVICE_RUNNING,
                                                     .on_done = on_task_done};
    }
    if (status == ST_OK && own->count < JOB_PAGE_MAX)
        status = rows_status(rows);
    if (status != ST_OK || own->arena.failed)
        operation_wait(own->run);
    else if (own->count == 0)
        job_end(own, JOB_COMPLETE, "");
    else if (own->data.has_commands)
        announce(own);
    else
        job_page_act(own);
}

/* A page never reaches into the next batch. */
void job_page_take(struct job_own *own)
{
    int64_t size = job_batch_size(&own->batch, own->job.total);
    int64_t left = size - own->job.next_number % size;

    job_read_devices(own->run->ops->c->st, own->job.id, own->job.next_number - 1, -1,
                     left < JOB_PAGE_MAX ? (unsigned)left : JOB_PAGE_MAX, on_taken, own);
}
