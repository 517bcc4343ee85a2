/* What a job does to one device: its properties in one change, then commands and the migration in
 * their order. The first that fails ends it. */
#include "central/operation/job_run.h"

#include <inttypes.h>
#include <stdio.h>

#include "central/property/commands.h"
#include "central/property/properties.h"

#define RESPONSE_TIMEOUT_S 30
#define EARLIER_RUNS 20 /* of a command, the newest, among which this job's is looked for */

static void go_on(struct job_task *t);

static void finish(struct job_task *t, enum job_device_state state)
{
    t->state = state;
    t->on_done(t);
}

static void fail_with(struct job_task *t, const char *sentence)
{
    snprintf(t->message, sizeof t->message, "%s", sentence);
    finish(t, JOB_DEVICE_FAILED);
}

/* The sentence, or the status in words. */
static void fail(struct job_task *t, enum status status, const struct fault *why)
{
    fail_with(t, why && why->text[0] ? why->text : status_name(status));
}

static void on_written(void *context, enum status status, slice answer, const struct fault *why)
{
    struct job_task *t = context;

    (void)answer;
    if (status == ST_OK)
        go_on(t);
    else
        fail(t, status, why);
}

static void write_properties(struct job_task *t)
{
    const struct properties_write w = {.device_id = t->device_id, .body = t->work->properties};

    central_properties_write(t->work->c, &w, on_written, t);
}

/* Whether the device did it; else the message says what came of it. */
static bool went_well(struct job_task *t, const struct command_run *run)
{
    if (run->failure.len > 0)
        snprintf(t->message, sizeof t->message, "%.*s", SLICE_FMT(run->failure));
    else if (!run->is_queued && (run->response_code < 200 || run->response_code > 299))
        snprintf(t->message, sizeof t->message, "the device answered %" PRId64, run->response_code);
    else
        return true;
    return false;
}

static void on_command(void *context, enum status status, const struct command_run *run,
                       const struct fault *why)
{
    struct job_task *t = context;

    if (status != ST_OK)
        fail(t, status, why);
    else if (went_well(t, run))
        go_on(t);
    else
        finish(t, JOB_DEVICE_FAILED);
}

/* What the process that is no more wrote down of it. */
static void on_earlier(void *context, enum status status, const struct command_run *run,
                       const struct fault *why)
{
    struct job_task *t = context;

    if (run) {
        if (t->earlier == EARLIER_UNKNOWN && slice_equal(run->actor, t->work->actor))
            t->earlier = went_well(t, run) ? EARLIER_WENT_WELL : EARLIER_FAILED;
    } else if (status != ST_OK) {
        fail(t, status, why);
    } else if (t->earlier == EARLIER_WENT_WELL) {
        go_on(t);
    } else if (t->earlier == EARLIER_FAILED) {
        finish(t, JOB_DEVICE_FAILED);
    } else {
        fail_with(t, "the server stopped before it knew whether the device got the command; it "
                     "is not sent again");
    }
}

static void look_for_earlier(struct job_task *t, const struct job_item *item)
{
    const struct command_filter filter = {.device_id = t->device_id,
                                          .component = item->component,
                                          .name = item->name,
                                          .limit = EARLIER_RUNS};

    t->earlier = EARLIER_UNKNOWN;
    central_command_list(t->work->c, &filter, on_earlier, t);
}

static void run_command(struct job_task *t, const struct job_item *item)
{
    const struct command_request request = {
        .device_id = t->device_id,
        .component = item->component,
        .name = item->name,
        .request = item->value ? item->value->raw : (slice){0},
        .response_timeout_s = RESPONSE_TIMEOUT_S,
        .actor = t->work->actor,
    };

    central_command_run(t->work->c, &request, on_command, t);
}

static void on_migrated(void *context, enum status status, const struct device_view *v,
                        const struct fault *why)
{
    struct job_task *t = context;

    (void)v;
    if (status == ST_OK)
        go_on(t);
    else
        fail(t, status, why);
}

static void go_on(struct job_task *t)
{
    const struct job_data *data = t->work->data;

    while (t->next_item < data->count) {
        const struct job_item *item = &data->items[t->next_item++];

        if (item->kind == JOB_COMMAND) {
            if (t->is_resumed)
                look_for_earlier(t, item);
            else
                run_command(t, item);
            return;
        }
        if (item->kind == JOB_MIGRATION) {
            central_device_act(t->work->c, t->device_id, ACT_ASSOCIATE, item->target, on_migrated,
                               t);
            return;
        }
    }
    finish(t, JOB_DEVICE_COMPLETED);
}

/* What is asked for is in the words of a template. */
static bool has_targets(const struct job_data *data, slice template_id)
{
    for (size_t i = 0; i < data->count; i++) {
        if (data->items[i].kind != JOB_MIGRATION &&
            !slice_equal(data->items[i].target, template_id))
            return false;
    }
    return true;
}

static void on_device(void *context, enum status status, const struct device *d)
{
    struct job_task *t = context;

    if (status != ST_OK)
        fail_with(t, status == ST_DEVICE_NOT_FOUND ? "there is no such device any more"
                                                   : "the device could not be read");
    else if (!has_targets(t->work->data, d->template_id))
        fail_with(t, "the device has another template");
    else if (t->work->properties.len > 0)
        write_properties(t);
    else
        go_on(t);
}

void job_task_begin(struct job_task *t)
{
    device_find(t->work->c->id, t->device_id, on_device, t);
}
