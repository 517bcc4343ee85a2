/* Jobs made, stopped, gone on with: on any worker.
 *
 *     rules -> the ID is free -> the group, or the job whose failures these are
 *           -> templates are published, and have what is asked for
 *           -> the job and its operation, in one unit -> the job
 *
 * Who acts is borrowed until the callback (access.h), all else is copied. */
#include <stdlib.h>

#include "central/device_group.h"
#include "central/device_rules.h"
#include "central/operation/job_check.h"
#include "central/operation/job_data.h"
#include "central/operation/job_store.h"
#include "central/operation/operation_internal.h"

#define TASK_ARENA_MAX ((size_t)1 << 20)

enum wish { WISH_BEGIN, WISH_RERUN, WISH_STOP, WISH_RESUME };

struct task {
    struct operations *ops;
    enum wish wish;
    struct act who;
    struct arena arena;
    struct job job; /* as it is to be */
    struct job_data data;
    size_t next_item;          /* to be checked against its template */
    struct device_model model; /* of the template that was looked at last */
    bool has_model;
    char operation_id[OPERATION_ID_LEN];
    job_fn *on_job;
    void *context;
    struct fault why;
};

static void drop_model(struct task *t)
{
    if (t->has_model)
        device_model_deinit(&t->model);
    t->has_model = false;
}

static void finish(struct task *t, enum status status, const struct job *j)
{
    if (status != ST_OK && t->why.status == ST_OK)
        (void)fault_set(&t->why, status, "the job could not be changed");
    t->on_job(t->context, status, j, &t->why);
    drop_model(t);
    arena_deinit(&t->arena);
    free(t);
}

static void fail(struct task *t, enum status status, const struct fault *why)
{
    t->why = *why;
    finish(t, status, NULL);
}

static void refuse(struct task *t, enum status status, const char *sentence)
{
    (void)fault_set(&t->why, status, "%s", sentence);
    finish(t, status, NULL);
}

static slice copy(struct task *t, slice text)
{
    return text.len > 0 ? arena_copy(&t->arena, text) : SLICE("");
}

/* A job may do nothing that its caller may not do to one device. */
static enum status check_rights(struct task *t)
{
    enum permission needed = t->data.has_commands ? PERM_DEVICES_COMMAND : PERM_DEVICES_UPDATE;
    bool only_commands = true;

    for (size_t i = 0; i < t->data.count; i++)
        only_commands = only_commands && t->data.items[i].kind == JOB_COMMAND;
    if (may_do(t->who.by, needed) && (only_commands || may_do(t->who.by, PERM_DEVICES_UPDATE)))
        return ST_OK;
    return fault_set(&t->why, ST_FORBIDDEN, "what the job does wants %s, which you lack",
                     permission_name(may_do(t->who.by, needed) ? PERM_DEVICES_UPDATE : needed));
}

/* The same for what another began. */
static enum status check_rights_to(struct task *t, slice data)
{
    enum status status = job_data_read(copy(t, data), &t->arena, &t->data, &t->why);

    return status == ST_OK ? check_rights(t) : status;
}

/* --- the end: as it is now -------------------------------------------------------------------- */

static void on_shown(void *context, enum status status, const struct job *j,
                     const struct fault *why)
{
    if (status == ST_OK)
        finish(context, ST_OK, j);
    else
        fail(context, status, why);
}

static void show(struct task *t)
{
    job_get(t->ops, t->job.id, on_shown, t);
}

static void on_operation(void *context, enum status status, const struct operation *o,
                         const struct fault *why)
{
    struct task *t = context;

    (void)o;
    if (status == ST_OK)
        show(t);
    else
        fail(t, status, why);
}

/* --- job and operation at once ---------------------------------------------------------------- */

static void add_job(void *context, struct unit *unit)
{
    struct task *t = context;

    if (t->wish == WISH_RESUME)
        job_unit_resume(unit, t->job.id, t->job.operation_id);
    else
        job_unit_insert(unit, &t->job, slice_str(t->who.by->name));
}

static void begin_operation(struct task *t)
{
    BUF_CLEANUP struct buf parameters = {.max = 1024};
    struct json_writer w = {.to = &parameters};

    operation_make_id(t->operation_id);
    t->job.operation_id = slice_of(t->operation_id, sizeof t->operation_id);
    t->job.created_at = clock_wall_ms();
    json_open(&w, (slice){0}, '{');
    json_put_text(&w, SLICE("job"), t->job.id);
    json_close(&w, '}');
    const struct operation_new n = {
        .kind = OPERATION_JOB,
        .who = &t->who,
        .id = t->job.operation_id,
        .parameters = buf_slice(&parameters),
        .add = add_job,
        .add_context = t,
    };

    if (parameters.failed)
        finish(t, ST_NO_MEMORY, NULL);
    else
        operation_begin(t->ops, &n, on_operation, t);
}

static void check_items(struct task *t);

static void on_model(void *context, enum status status, const struct fault *why)
{
    struct task *t = context;

    t->has_model = true;
    if (status == ST_OK)
        check_items(t);
    else if (status == ST_NOT_FOUND)
        refuse(t, ST_BAD_REQUEST, "data: there is no published template of that ID");
    else
        fail(t, status, why);
}

/* Mostly all of them have the same template, which is read once. */
static void check_items(struct task *t)
{
    for (; t->next_item < t->data.count; t->next_item++) {
        slice target = t->data.items[t->next_item].target;

        if (!t->has_model || !slice_equal(t->model.template_id, target)) {
            drop_model(t);
            device_model_load_template(t->ops->c, target, &t->model, on_model, t);
            return;
        }
        if (job_item_check(&t->model, &t->data, t->next_item, &t->why) != ST_OK) {
            finish(t, t->why.status, NULL);
            return;
        }
    }
    begin_operation(t);
}

/* --- what it is about ------------------------------------------------------------------------- */

static void on_group(void *context, enum status status, const struct device_group *g,
                     const struct fault *why)
{
    struct task *t = context;

    if (status == ST_NOT_FOUND) {
        refuse(t, ST_BAD_REQUEST, "group: there is no device group of that ID");
        return;
    }
    if (status != ST_OK) {
        fail(t, status, why);
        return;
    }
    t->job.filter = copy(t, g->filter);
    status = job_group_check(g->filter, &t->data, &t->why);
    if (status == ST_OK)
        check_items(t);
    else
        finish(t, status, NULL);
}

static void on_source(void *context, enum status status, const struct job *j,
                      const struct fault *why)
{
    struct task *t = context;

    if (status != ST_OK) {
        fail(t, status, why);
        return;
    }
    if (j->state == JOB_PENDING || j->state == JOB_RUNNING || j->failed == 0) {
        refuse(t, ST_CONFLICT,
               j->failed == 0 ? "no device failed in that job" : "that job is not finished");
        return;
    }
    t->job.display_name = copy(t, j->display_name);
    t->job.description = copy(t, j->description);
    t->job.group_id = copy(t, j->group_id);
    t->job.data = copy(t, j->data);
    t->job.batch = copy(t, j->batch);
    t->job.threshold = copy(t, j->threshold);
    status = t->arena.failed ? ST_NO_MEMORY : check_rights_to(t, j->data);
    if (status == ST_OK)
        begin_operation(t);
    else
        finish(t, status, NULL);
}

static void on_free(void *context, enum status status, const struct job *j, const struct fault *why)
{
    struct task *t = context;

    (void)j;
    if (status == ST_OK)
        refuse(t, ST_CONFLICT, "there is a job of that ID");
    else if (status != ST_NOT_FOUND)
        fail(t, status, why);
    else if (t->wish == WISH_RERUN)
        job_get(t->ops, t->job.source, on_source, t);
    else
        device_group_get(t->ops->c, t->job.group_id, on_group, t);
}

/* --- beginning -------------------------------------------------------------------------------- */

static struct task *task_create(struct operations *ops, enum wish wish, const struct act *who,
                                slice id, job_fn *on_job, void *context)
{
    struct task *t = calloc(1, sizeof *t);
    struct fault why = {ST_NO_MEMORY, "no memory for a job"};

    if (!t) {
        on_job(context, ST_NO_MEMORY, NULL, &why);
        return NULL;
    }
    *t = (struct task){.ops = ops, .wish = wish, .on_job = on_job, .context = context};
    if (who)
        t->who = *who;
    arena_init(&t->arena, TASK_ARENA_MAX);
    t->job.id = copy(t, id);
    return t;
}

static enum status check(struct task *t)
{
    struct job_limit limit;
    enum status status;

    if (!device_group_id_valid(t->job.id))
        return fault_set(&t->why, ST_BAD_REQUEST,
                         "the ID of a job has letters, digits, - and _, at most %d",
                         DEVICE_GROUP_ID_MAX);
    if (t->wish == WISH_RERUN)
        return ST_OK;
    if (t->job.group_id.len == 0)
        return fault_set(&t->why, ST_BAD_REQUEST, "group is required: the ID of a device group");
    if (t->job.description.len > DEVICE_GROUP_DESCRIPTION_MAX)
        return fault_set(&t->why, ST_BAD_REQUEST, "description has at most %d bytes",
                         DEVICE_GROUP_DESCRIPTION_MAX);
    if (t->job.data.len == 0 || t->job.data.len > JOB_DATA_MAX)
        return fault_set(&t->why, ST_BAD_REQUEST, "data is required, and has at most %d bytes",
                         JOB_DATA_MAX);
    status = device_name_check(t->job.display_name, &t->why);
    if (status == ST_OK)
        status = job_data_read(t->job.data, &t->arena, &t->data, &t->why);
    if (status == ST_OK)
        status = job_limit_read(t->job.batch, "batch", false, &limit, &t->why);
    if (status == ST_OK)
        status = job_limit_read(t->job.threshold, "cancellationThreshold", true, &limit, &t->why);
    return status == ST_OK ? check_rights(t) : status;
}

static void begin(struct task *t)
{
    enum status status = t->arena.failed ? ST_NO_MEMORY : check(t);

    if (status == ST_OK)
        job_get(t->ops, t->job.id, on_free, t);
    else
        finish(t, status, NULL);
}

void job_begin(struct operations *ops, const struct act *who, const struct job_new *n,
               job_fn *on_job, void *context)
{
    struct task *t = task_create(ops, WISH_BEGIN, who, n->id, on_job, context);

    if (!t)
        return;
    t->job.display_name = copy(t, n->display_name);
    t->job.description = copy(t, n->description);
    t->job.group_id = copy(t, n->group_id);
    t->job.data = copy(t, n->data);
    t->job.batch = copy(t, n->batch);
    t->job.threshold = copy(t, n->threshold);
    begin(t);
}

void job_rerun(struct operations *ops, const struct act *who, slice id, slice rerun_id,
               job_fn *on_job, void *context)
{
    struct task *t = task_create(ops, WISH_RERUN, who, rerun_id, on_job, context);

    if (!t)
        return;
    t->job.source = copy(t, id);
    begin(t);
}

/* --- stopping, going on ----------------------------------------------------------------------- */

static void on_to_stop(void *context, enum status status, const struct job *j,
                       const struct fault *why)
{
    struct task *t = context;

    if (status != ST_OK)
        fail(t, status, why);
    else if (j->state != JOB_PENDING && j->state != JOB_RUNNING)
        refuse(t, ST_CONFLICT, "the job is not under way");
    else
        operation_cancel(t->ops, j->operation_id, on_operation, t);
}

void job_stop(struct operations *ops, slice id, job_fn *on_job, void *context)
{
    struct task *t = task_create(ops, WISH_STOP, NULL, id, on_job, context);

    if (t)
        job_get(ops, t->job.id, on_to_stop, t);
}

static void on_to_resume(void *context, enum status status, const struct job *j,
                         const struct fault *why)
{
    struct task *t = context;

    if (status != ST_OK)
        fail(t, status, why);
    else if (j->state != JOB_STOPPED)
        refuse(t, ST_CONFLICT, "the job was not stopped");
    else if ((status = check_rights_to(t, j->data)) != ST_OK)
        finish(t, status, NULL);
    else
        begin_operation(t);
}

void job_resume(struct operations *ops, const struct act *who, slice id, job_fn *on_job,
                void *context)
{
    struct task *t = task_create(ops, WISH_RESUME, who, id, on_job, context);

    if (t)
        job_get(ops, t->job.id, on_to_resume, t);
}
