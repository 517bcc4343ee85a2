/* Twins read by devices, read and changed by services. */
#include "hub/twin.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/metrics.h"
#include "codec/twin_merge.h"
#include "hub/twin_store.h"

#define DOCUMENT_MAX (1024 * 1024)
#define JOB_ARENA_MAX (16 * 1024 * 1024)
#define ATTEMPTS_MAX 16

/* --- the device's read ---------------------------------------------------------------------- */

struct reading {
    struct session *session;
    twin_document_fn *on_document;
    void *context;
};

static void on_row_read(void *context, enum status status, struct rows *rows)
{
    struct reading *reading = context;
    struct session *s = reading->session;
    BUF_CLEANUP struct buf document = {.max = DOCUMENT_MAX};
    struct twin t = {0};

    if (status == ST_OK && !twin_row_read(rows, &t))
        status = ST_INTERNAL;
    if (status == ST_OK) {
        buf_append_str(&document, "{\"desired\":");
        twin_write_versioned(t.desired, t.desired_version, &document);
        buf_append_str(&document, ",\"reported\":");
        twin_write_versioned(t.reported, t.reported_version, &document);
        buf_append_byte(&document, '}');
        status = document.failed ? ST_NO_MEMORY : ST_OK;
    }
    metric_add(METRIC_TWIN_READS, 1);
    if (s->state == SESSION_LIVE)
        reading->on_document(reading->context, status, buf_slice(&document));
    free(reading);
    session_unhold(s);
}

void twin_read(struct session *s, twin_document_fn *on_document, void *context)
{
    const struct hub_key key = session_key(s);
    struct reading *reading;

    if (s->state != SESSION_LIVE)
        return;
    s->last_activity_ms = worker_now_ms(s->worker);
    reading = malloc(sizeof *reading);
    if (!reading) {
        on_document(context, ST_NO_MEMORY, (slice){0});
        return;
    }
    *reading = (struct reading){s, on_document, context};
    session_hold(s);
    twin_store_read(s->hub, &key, on_row_read, reading);
}

/* --- a service's read or change ------------------------------------------------------------- */

/* Goes: does the identity exist? -> read its rows -> (merge -> write -> if it changed meanwhile,
 * read anew) -> answer. */
struct twin_job {
    struct hub_worker *w;
    struct hub_key key;
    slice model_id;
    bool is_update;
    struct twin_update update;
    struct twin result; /* in `scratch` */
    bool desired_changed;
    twin_fn *on_twin;
    void *context;
    unsigned attempts;
    struct arena arena;   /* of the job, which lies in it */
    struct arena scratch; /* of one attempt */
};

static struct twin_job *job_create(struct hub *hub, const struct hub_key *key, twin_fn *on_twin,
                                   void *context)
{
    struct arena arena;
    struct twin_job *job;

    arena_init(&arena, JOB_ARENA_MAX);
    job = arena_alloc(&arena, sizeof *job);
    if (!job)
        return NULL;
    job->w = hub_here(hub);
    job->key = (struct hub_key){arena_copy(&arena, key->hub), arena_copy(&arena, key->device_id),
                                arena_copy(&arena, key->module_id)};
    job->on_twin = on_twin;
    job->context = context;
    job->arena = arena;
    arena_init(&job->scratch, JOB_ARENA_MAX);
    return job;
}

static void job_end(struct twin_job *job, enum status status, const struct fault *why)
{
    struct arena arena;

    job->result.device_id = job->key.device_id;
    job->result.module_id = job->key.module_id;
    job->result.model_id = job->model_id;
    job->on_twin(job->context, status, status == ST_OK ? &job->result : NULL, why);
    arena_deinit(&job->scratch);
    arena = job->arena; /* the job lies inside it */
    arena_deinit(&arena);
}

static void job_fail(struct twin_job *job, enum status status, const char *cause)
{
    struct fault why;

    fault_set(&why, status, "%s", cause);
    job_end(job, status, &why);
}

static void keep(struct arena *arena, slice *text)
{
    *text = arena_copy(arena, *text);
}

/* The row's slices last only as long as the read. */
static bool keep_row(struct twin_job *job, struct rows *rows)
{
    struct arena *arena = &job->scratch;
    struct twin *t = &job->result;

    arena_reset(arena);
    if (!twin_row_read(rows, t))
        return false;
    keep(arena, &t->tags);
    keep(arena, &t->desired);
    keep(arena, &t->desired_metadata);
    keep(arena, &t->reported);
    keep(arena, &t->reported_metadata);
    return !arena->failed;
}

/* --- merging -------------------------------------------------------------------------------- */

struct section_change {
    slice change;                     /* as the service gave it */
    slice *section, *metadata, patch; /* patch: what devices are told */
    struct twin_stamp stamp;
    size_t size_max;
    bool is_changed;
};

static slice write_json(const struct json *value, struct arena *arena)
{
    BUF_CLEANUP struct buf text = {.max = DOCUMENT_MAX};

    json_write(value, &text);
    if (text.failed)
        arena->failed = true;
    return arena_copy(arena, buf_slice(&text));
}

static enum status parse_change(struct section_change *c, struct arena *arena, bool *replace,
                                struct json **ret, struct fault *why)
{
    enum status status = json_parse(c->change, JSON_LAST_WINS, arena, ret, why);

    if (status != ST_OK)
        return status;
    if ((*ret)->kind == JSON_NULL) { /* clears: as a replacement by nothing */
        *replace = true;
        *ret = json_new(arena, JSON_OBJECT);
        if (!*ret)
            return fault_set(why, ST_NO_MEMORY, "no memory for a twin");
    }
    return twin_patch_check(*ret, why);
}

static enum status apply(struct section_change *c, struct arena *arena, bool replace,
                         struct fault *why)
{
    struct json *section, *metadata, *change, *patch;
    enum status status;

    if (c->change.len == 0)
        return ST_OK;
    status = parse_change(c, arena, &replace, &change, why);
    if (status != ST_OK)
        return status;
    if (!replace && !change->first)
        return ST_OK; /* an empty object changes nothing */
    status = json_parse(*c->section, JSON_LAST_WINS, arena, &section, why);
    if (status == ST_OK)
        status = json_parse(*c->metadata, JSON_LAST_WINS, arena, &metadata, why);
    if (status != ST_OK)
        return fault_set(why, ST_INTERNAL, "the stored twin is damaged");
    patch = change;
    status =
        replace ? twin_replace(section, metadata, change, c->stamp, c->size_max, arena, &patch, why)
                : twin_merge(section, metadata, change, c->stamp, c->size_max, arena, why);
    if (status != ST_OK)
        return status;
    *c->section = write_json(section, arena);
    *c->metadata = write_json(metadata, arena);
    c->patch = write_json(patch, arena);
    c->is_changed = true;
    return arena->failed ? fault_set(why, ST_NO_MEMORY, "no memory for a twin") : ST_OK;
}

/* Changes `t` in place. */
static enum status merge(struct arena *arena, const struct twin_update *u, instant now,
                         struct twin *t, bool *ret_changed, slice *ret_patch, struct fault *why)
{
    slice no_metadata = SLICE("{}");
    struct section_change tags = {
        .change = u->tags,
        .section = &t->tags,
        .metadata = &no_metadata,
        .stamp = {.at = now},
        .size_max = TWIN_TAGS_MAX,
    };
    struct section_change desired = {
        .change = u->desired,
        .section = &t->desired,
        .metadata = &t->desired_metadata,
        .stamp = {.at = now, .version = t->desired_version + 1},
        .size_max = TWIN_SECTION_MAX,
    };
    enum status status = apply(&tags, arena, u->replace, why);

    if (status == ST_OK)
        status = apply(&desired, arena, u->replace, why);
    if (status != ST_OK)
        return status;
    *ret_changed = tags.is_changed || desired.is_changed;
    *ret_patch = desired.patch;
    if (*ret_changed)
        t->etag = ++t->version;
    if (desired.is_changed) {
        t->desired_version++;
        t->desired_at = now;
    }
    return ST_OK;
}

/* --- steps ---------------------------------------------------------------------------------- */

static void read_rows(struct twin_job *job);

static void on_update_written(void *context, enum status status, struct unit *unit)
{
    struct twin_job *job = context;

    (void)unit;
    if (status == ST_CONFLICT && ++job->attempts < ATTEMPTS_MAX) {
        read_rows(job);
        return;
    }
    if (status != ST_OK) {
        job_fail(job, status, "the twin could not be written");
        return;
    }
    if (job->desired_changed) {
        metric_add(METRIC_TWIN_DESIRED, 1);
        hub_tell_changed(job->w, &job->key, job->result.desired_version);
    }
    job_end(job, ST_OK, NULL);
}

static void write_update(struct twin_job *job, int64_t was, slice patch)
{
    struct unit *unit = unit_create(job->w->hub->store);

    if (!unit) {
        job_fail(job, ST_UNAVAILABLE, "the store has no room");
        return;
    }
    job->desired_changed = patch.len > 0;
    twin_unit_put_desired(unit, &job->key, &job->result, was);
    if (patch.len > 0)
        twin_unit_add_patch(unit, &job->key, job->result.desired_version, patch);
    unit_submit(unit, on_update_written, job);
}

static void on_rows(void *context, enum status status, struct rows *rows)
{
    struct twin_job *job = context;
    const struct twin_update *u = &job->update;
    struct fault why = {0};
    slice patch = {0};
    int64_t was;
    bool is_changed = false;

    if (status != ST_OK || !keep_row(job, rows)) {
        job_fail(job, status == ST_OK ? ST_NO_MEMORY : status, "the twin could not be read");
        return;
    }
    was = job->result.version;
    if (u->has_etag && u->etag != job->result.etag)
        status = fault_set(&why, ST_PRECONDITION_FAILED, "the twin's etag is another one");
    else if (job->is_update)
        status = merge(&job->scratch, u, clock_wall_ms(), &job->result, &is_changed, &patch, &why);
    if (status == ST_OK && is_changed)
        write_update(job, was, patch);
    else
        job_end(job, status, &why);
}

static void read_rows(struct twin_job *job)
{
    twin_store_read(job->w->hub, &job->key, on_rows, job);
}

static void on_device(void *context, enum status status, const struct device *d)
{
    struct twin_job *job = context;

    if (status != ST_OK) {
        job_fail(job, status, "no such identity");
        return;
    }
    job->model_id = arena_copy(&job->arena, d->model_id);
    read_rows(job);
}

static void start(struct twin_job *job)
{
    if (job->arena.failed)
        job_fail(job, ST_NO_MEMORY, "no memory for a twin");
    else
        device_get(job->w->hub->identity, job->key.hub, job->key.device_id, job->key.module_id,
                   on_device, job);
}

static void refuse(twin_fn *on_twin, void *context)
{
    struct fault why;

    fault_set(&why, ST_NO_MEMORY, "no memory for a twin");
    on_twin(context, ST_NO_MEMORY, NULL, &why);
}

void twin_get(struct hub *hub, slice hub_name, slice device_id, slice module_id, twin_fn *on_twin,
              void *context)
{
    const struct hub_key key = {hub_name, device_id, module_id};
    struct twin_job *job = job_create(hub, &key, on_twin, context);

    if (job)
        start(job);
    else
        refuse(on_twin, context);
}

void twin_update(struct hub *hub, slice hub_name, slice device_id, slice module_id,
                 const struct twin_update *u, twin_fn *on_twin, void *context)
{
    const struct hub_key key = {hub_name, device_id, module_id};
    struct twin_job *job = job_create(hub, &key, on_twin, context);

    if (!job) {
        refuse(on_twin, context);
        return;
    }
    job->is_update = true;
    job->update = *u;
    keep(&job->arena, &job->update.tags);
    keep(&job->arena, &job->update.desired);
    start(job);
}

/* --- with the device ------------------------------------------------------------------------ */

void twin_unit_init(struct unit *unit, slice hub_name, slice device_id, slice tags, slice desired,
                    instant now)
{
    ARENA_CLEANUP struct arena arena = {.max = JOB_ARENA_MAX};
    const struct hub_key key = {.hub = hub_name, .device_id = device_id};
    const struct twin_update first = {.tags = tags, .desired = desired};
    struct twin t = {
        .tags = SLICE("{}"),
        .desired = SLICE("{}"),
        .desired_metadata = SLICE("{}"),
    };
    struct fault why;
    bool is_changed;
    slice patch;

    if (tags.len == 0 && desired.len == 0)
        return;
    /* Whoever stored the first content has checked it; a device is not refused for it. */
    if (merge(&arena, &first, now, &t, &is_changed, &patch, &why) != ST_OK) {
        LOG_WARN("initial_twin_refused", LOG_TEXT("device", device_id), LOG_FAULT(&why));
        return;
    }
    t.version = t.desired_version = TWIN_FIRST_VERSION;
    twin_unit_insert(unit, &key, &t);
}
