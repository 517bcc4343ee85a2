#include "central/property/properties.h"

#include <stdlib.h>

#include "central/central_internal.h"
#include "central/property/device_records.h"
#include "codec/json_merge.h"
#include "hub/twin.h"

#define ARENA_MAX ((size_t)32 << 20)
#define ANSWER_MAX ((size_t)2 << 20)
#define ATTEMPTS_MAX 5 /* against others who change the same device */

/* device and model -> cloud properties -> twin -> read: tell; write: change -> cloud -> twin */
struct job {
    struct central *c;
    struct device_model model;
    struct arena arena; /* of the trees */
    struct property_sources sources;
    int64_t cloud_version, twin_etag;
    bool is_write;
    properties_fn *on_properties;
    void *context;
    /* of a write */
    struct properties_write write;
    struct property_change change;
    properties_written_fn *on_written;
    struct buf answer;
    unsigned attempts;
    struct fault why;
};

static void destroy(struct job *job)
{
    buf_deinit(&job->answer);
    device_model_deinit(&job->model);
    arena_deinit(&job->arena);
    free(job);
}

static void finish(struct job *job, enum status status)
{
    const struct device_properties p = {&job->model, job->sources, &job->arena};

    if (status != ST_OK && job->why.status == ST_OK)
        (void)fault_set(&job->why, status, "the device's properties are not to be had");
    if (job->is_write)
        job->on_written(job->context, status, buf_slice(&job->answer), &job->why);
    else
        job->on_properties(job->context, status, status == ST_OK ? &p : NULL, &job->why);
    destroy(job);
}

/* --- writing ------------------------------------------------------------------------------------
 */

static void read_again(struct job *job);

static void on_twin_written(void *context, enum status status, const struct twin *t,
                            const struct fault *why)
{
    struct job *job = context;

    (void)t;
    if (status == ST_PRECONDITION_FAILED && ++job->attempts < ATTEMPTS_MAX) {
        read_again(job);
        return;
    }
    if (status == ST_PRECONDITION_FAILED)
        status = fault_set(&job->why, ST_CONFLICT, "others keep changing this device");
    else if (status != ST_OK)
        job->why = *why;
    json_write(job->change.answer, &job->answer);
    finish(job, status == ST_OK && job->answer.failed ? ST_NO_MEMORY : status);
}

/* What is taken back is known of the twin as it was read; what is merged fits to any. */
static void write_twin(struct job *job)
{
    BUF_CLEANUP struct buf text = {.max = ANSWER_MAX};
    struct twin_update update = {.has_etag = job->write.replace, .etag = job->twin_etag};

    if (!job->change.desired->first) {
        on_twin_written(job, ST_OK, NULL, NULL);
        return;
    }
    json_write(job->change.desired, &text);
    if (text.failed) {
        finish(job, ST_NO_MEMORY);
        return;
    }
    update.desired = buf_slice(&text);
    twin_update(job->c->hub, job->model.hub, job->model.id, (slice){0}, &update, on_twin_written,
                job);
}

static void on_cloud_written(void *context, enum status status, struct unit *unit)
{
    struct job *job = context;

    (void)unit;
    if (status == ST_CONFLICT && ++job->attempts < ATTEMPTS_MAX)
        read_again(job);
    else if (status != ST_OK)
        finish(job, status);
    else
        write_twin(job);
}

static void write_cloud(struct job *job)
{
    struct json *body = (struct json *)job->sources.cloud; /* in our arena, and ours alone */
    BUF_CLEANUP struct buf text = {.max = CLOUD_PROPERTIES_MAX};
    struct unit *unit;

    if (!job->change.cloud->first) {
        write_twin(job);
        return;
    }
    if (!json_merge(body, job->change.cloud, &job->arena)) {
        finish(job, ST_NO_MEMORY);
        return;
    }
    json_write(body, &text);
    if (text.failed) {
        finish(job, fault_set(&job->why, ST_TOO_LARGE, "more than %d bytes of cloud properties",
                              CLOUD_PROPERTIES_MAX));
        return;
    }
    unit = unit_create(job->c->st);
    if (!unit) {
        finish(job, ST_UNAVAILABLE);
        return;
    }
    cloud_properties_unit_put(unit, job->model.id, job->model.generation_id, buf_slice(&text),
                              job->cloud_version, clock_wall_ms());
    unit_submit(unit, on_cloud_written, job);
}

static void change(struct job *job)
{
    struct property_request request = {
        .component = job->write.component,
        .replace = job->write.replace,
        .desired = job->sources.desired,
        .cloud = job->sources.cloud,
    };
    struct json *body;
    enum status status =
        json_parse(job->write.body, JSON_REFUSE_DUPLICATES, &job->arena, &body, &job->why);

    if (status == ST_OK && body->kind != JSON_OBJECT)
        status = fault_set(&job->why, ST_BAD_REQUEST, "properties are a JSON object");
    request.body = status == ST_OK ? body : NULL;
    if (status == ST_OK)
        status = property_change_make(&job->model, &request, &job->arena, &job->change, &job->why);
    if (status == ST_OK)
        write_cloud(job);
    else
        finish(job, status);
}

/* --- reading ------------------------------------------------------------------------------------
 */

static const struct json *parse(struct job *job, slice text)
{
    slice copy = arena_copy(&job->arena, text.len > 0 ? text : SLICE("{}"));
    struct fault why;
    struct json *tree;

    return json_parse(copy, JSON_LAST_WINS, &job->arena, &tree, &why) == ST_OK ? tree : NULL;
}

static void on_twin(void *context, enum status status, const struct twin *t,
                    const struct fault *why)
{
    struct job *job = context;
    struct property_sources *to = &job->sources;

    if (status != ST_OK) {
        job->why = *why;
        finish(job, status);
        return;
    }
    job->twin_etag = t->etag;
    to->desired = parse(job, t->desired);
    to->desired_metadata = parse(job, t->desired_metadata);
    to->reported = parse(job, t->reported);
    to->reported_metadata = parse(job, t->reported_metadata);
    if (!to->desired || !to->desired_metadata || !to->reported || !to->reported_metadata)
        finish(job, job->arena.failed ? ST_NO_MEMORY : ST_INTERNAL);
    else if (job->is_write)
        change(job);
    else
        finish(job, ST_OK);
}

static void on_cloud(void *context, enum status status, struct rows *rows)
{
    struct job *job = context;
    slice body = {0};

    if (status == ST_OK && rows_next(rows)) {
        body = rows_bytes(rows, 0);
        job->cloud_version = rows_int(rows, 1);
    } else if (status == ST_OK) {
        status = rows_status(rows);
    }
    job->sources.cloud = status == ST_OK ? parse(job, body) : NULL;
    if (status != ST_OK || !job->sources.cloud)
        finish(job, status != ST_OK ? status : ST_NO_MEMORY);
    else
        twin_get(job->c->hub, job->model.hub, job->model.id, (slice){0}, on_twin, job);
}

static void read_again(struct job *job)
{
    arena_reset(&job->arena);
    job->sources = (struct property_sources){0};
    job->cloud_version = 0;
    cloud_properties_read(job->c->st, job->model.id, job->model.generation_id, on_cloud, job);
}

static void on_model(void *context, enum status status, const struct fault *why)
{
    struct job *job = context;
    slice component = job->write.component;

    if (status != ST_OK)
        job->why = *why;
    else if (component.len > 0 && job->model.root &&
             !device_model_has_component(&job->model, component))
        status = fault_set(&job->why, ST_NOT_FOUND, "the device has no such component");
    if (status == ST_OK)
        read_again(job);
    else
        finish(job, status);
}

static struct job *job_create(struct central *c, void *context)
{
    struct job *job = calloc(1, sizeof *job);

    if (!job)
        return NULL;
    job->c = c;
    job->context = context;
    arena_init(&job->arena, ARENA_MAX);
    buf_init(&job->answer, ANSWER_MAX);
    return job;
}

void central_properties_read(struct central *c, slice device_id, properties_fn *on_properties,
                             void *context)
{
    struct job *job = job_create(c, context);
    const struct fault why = {ST_NO_MEMORY, "no memory for properties"};

    if (!job) {
        on_properties(context, ST_NO_MEMORY, NULL, &why);
        return;
    }
    job->on_properties = on_properties;
    device_model_load(c, device_id, &job->model, on_model, job);
}

void central_properties_write(struct central *c, const struct properties_write *w,
                              properties_written_fn *on_written, void *context)
{
    struct job *job = job_create(c, context);
    const struct fault why = {ST_NO_MEMORY, "no memory for properties"};

    if (!job) {
        on_written(context, ST_NO_MEMORY, (slice){0}, &why);
        return;
    }
    job->is_write = true;
    job->write = *w;
    job->on_written = on_written;
    device_model_load(c, w->device_id, &job->model, on_model, job);
}
