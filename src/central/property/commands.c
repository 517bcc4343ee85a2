#include "central/property/commands.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/text.h"
#include "central/central_internal.h"
#include "central/property/command_outcome.h"
#include "central/property/device_model.h"
#include "codec/dtdl_value.h"
#include "crypto/crypto.h"
#include "hub/c2d.h"
#include "hub/method.h"

#define ARENA_MAX ((size_t)4 << 20)
#define METHOD_NAME_MAX 1024

/* model -> what ran before is settled -> method or message -> written down -> told */
struct command_job {
    struct central *c;
    struct arena arena;
    struct device_model model;
    const struct dtdl_content *content; /* NULL: the device has no model */
    struct command_run run;
    slice method_name; /* "component*command" */
    char id[UUID_LEN];
    enum status status; /* what became of it */
    struct fault why;
    command_fn *on_done;
    void *context;
};

static void finish(struct command_job *job, enum status status)
{
    if (status != ST_OK && job->why.status == ST_OK)
        (void)fault_set(&job->why, status, "the command could not be run");
    job->on_done(job->context, status, status == ST_OK ? &job->run : NULL, &job->why);
    device_model_deinit(&job->model);
    arena_deinit(&job->arena);
    free(job);
}

/* --- written down ------------------------------------------------------------------------------
 */

static void on_written(void *context, enum status status, struct unit *unit)
{
    struct command_job *job = context;

    (void)unit;
    if (status != ST_OK) /* it ran all the same, and its caller is told what came back */
        LOG_LIMITED(LOG_LEVEL_WARN, "command_not_noted", LOG_TEXT("device", job->model.id),
                    LOG_STR("status", status_name(status)));
    finish(job, job->status);
}

static void write_down(struct command_job *job, enum status status)
{
    struct unit *unit = unit_create(job->c->st);

    job->status = status;
    job->run.failure = status == ST_OK ? (slice){0} : slice_str(status_name(status));
    if (status != ST_OK || job->run.response_code != COMMAND_ACCEPTED)
        job->run.ended_at = clock_wall_ms();
    if (!unit) {
        on_written(job, ST_UNAVAILABLE, NULL);
        return;
    }
    command_unit_add(unit, job->model.id, job->model.generation_id, &job->run);
    unit_submit(unit, on_written, job);
}

/* --- to the device -----------------------------------------------------------------------------
 */

static void on_answer(void *context, enum status status, int64_t method_status, slice payload,
                      const struct fault *why)
{
    struct command_job *job = context;

    if (status == ST_OK) {
        job->run.response_code = method_status;
        job->run.response = arena_copy(&job->arena, payload);
        if (job->arena.failed)
            status = fault_set(&job->why, ST_NO_MEMORY, "no memory for the device's answer");
    } else {
        job->why = *why;
    }
    write_down(job, status);
}

static void invoke(struct command_job *job)
{
    const struct method_request request = {
        .hub_name = job->model.hub,
        .device_id = job->model.id,
        .name = job->method_name,
        .payload = job->run.request,
        .response_timeout_s = job->run.response_timeout_s,
        .connect_timeout_s = job->run.connect_timeout_s,
    };

    method_invoke(job->c->hub, &request, on_answer, job);
}

static void on_queued(void *context, enum status status, int64_t sequence, const struct fault *why)
{
    struct command_job *job = context;

    (void)sequence;
    if (status != ST_OK)
        job->why = *why;
    write_down(job, status);
}

static void enqueue(struct command_job *job)
{
    BUF_CLEANUP struct buf bag = {.max = METHOD_NAME_MAX * 4};
    struct c2d_message m = {
        .hub_name = job->model.hub,
        .device_id = job->model.id,
        .body = job->run.request.len > 0 ? job->run.request : SLICE("@"),
        .expires_at = job->run.begun_at + COMMAND_LIFE_MS,
        .ack = C2D_ACK_NONE,
    };

    buf_append_str(&bag, "iothub-ack=none&method-name=");
    percent_encode(job->method_name, &bag);
    if (bag.failed) {
        write_down(job, ST_NO_MEMORY);
        return;
    }
    m.properties = buf_slice(&bag);
    job->run.is_queued = true;
    c2d_send(job->c->hub, &m, on_queued, job);
}

static void on_settled(void *context, enum status status)
{
    struct command_job *job = context;

    if (status != ST_OK)
        finish(job, status);
    else if (job->content && job->content->durable)
        enqueue(job);
    else
        invoke(job);
}

/* --- may it be asked ---------------------------------------------------------------------------
 */

static bool fits(struct command_job *job)
{
    const struct dtdl_typed *wanted = job->content ? job->content->request : NULL;
    struct fault cause;
    struct json *value;

    if (!wanted || !wanted->schema || job->run.request.len == 0)
        return true;
    if (json_parse(job->run.request, JSON_LAST_WINS, &job->arena, &value, &cause) == ST_OK &&
        dtdl_value_fits(wanted->schema, value, &cause))
        return true;
    (void)fault_set(&job->why, ST_BAD_REQUEST, "the request does not fit: %s", cause.text);
    return false;
}

static void on_model(void *context, enum status status, const struct fault *why)
{
    struct command_job *job = context;

    if (status != ST_OK)
        job->why = *why;
    else
        status =
            command_find(&job->model, job->run.component, job->run.name, &job->content, &job->why);
    if (status == ST_OK && !fits(job))
        status = ST_BAD_REQUEST;
    if (status == ST_OK)
        command_settle(job->c, &job->model, job->run.component, job->run.name, on_settled, job);
    else
        finish(job, status);
}

static bool is_in_range(const struct command_request *r)
{
    return r->response_timeout_s >= COMMAND_RESPONSE_TIMEOUT_MIN_S &&
           r->response_timeout_s <= COMMAND_TIMEOUT_MAX_S && r->connect_timeout_s >= 0 &&
           r->connect_timeout_s <= COMMAND_TIMEOUT_MAX_S;
}

static bool take(struct command_job *job, const struct command_request *r)
{
    struct arena *arena = &job->arena;

    random_uuid(job->id);
    job->run = (struct command_run){
        .id = slice_of(job->id, UUID_LEN),
        .component = arena_copy(arena, r->component),
        .name = arena_copy(arena, r->name),
        .request = arena_copy(arena, r->request),
        .response_timeout_s = r->response_timeout_s,
        .connect_timeout_s = r->connect_timeout_s,
        .actor = arena_copy(arena, r->actor),
        .begun_at = clock_wall_ms(),
    };
    job->method_name = arena_printf(arena, "%.*s%s%.*s", SLICE_FMT(r->component),
                                    r->component.len > 0 ? "*" : "", SLICE_FMT(r->name));
    return !arena->failed;
}

void central_command_run(struct central *c, const struct command_request *request,
                         command_fn *on_done, void *context)
{
    struct command_job *job = calloc(1, sizeof *job);
    struct fault why = {ST_NO_MEMORY, "no memory for a command"};

    if (!job) {
        on_done(context, ST_NO_MEMORY, NULL, &why);
        return;
    }
    job->c = c;
    job->on_done = on_done;
    job->context = context;
    arena_init(&job->arena, ARENA_MAX);
    if (!is_in_range(request))
        finish(job, fault_set(&job->why, ST_BAD_REQUEST,
                              "responseTimeout is 5 to 30 s, connectionTimeout 0 to 30 s"));
    else if (!take(job, request))
        finish(job, ST_NO_MEMORY);
    else
        device_model_load(c, request->device_id, &job->model, on_model, job);
}
