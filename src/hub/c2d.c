/* The service's side of cloud-to-device messages: into the queue, out of it unread, and what
 * became of them. */
#include "hub/c2d.h"

#include <stdlib.h>

#include "base/log.h"
#include "codec/json.h"
#include "hub/c2d_store.h"

#define JOB_ARENA_MAX (4 * 1024 * 1024)
#define SWEEP_MS 10000
#define SWEEP_AGAIN_MS 100
#define SWEEP_MESSAGES 256
#define RECORD_MAX 4096

struct c2d_job {
    struct hub_worker *w;
    struct c2d_message message; /* in `arena`; of a purge only the identity */
    slice message_id, generation_id;
    instant now;
    bool is_purge, was_full;
    c2d_sent_fn *on_done;
    void *context;
    struct arena arena; /* it lies in it */
};

static struct c2d_job *job_create(struct hub *hub, const struct c2d_message *m,
                                  c2d_sent_fn *on_done, void *context)
{
    struct arena arena;
    struct c2d_job *job;

    arena_init(&arena, JOB_ARENA_MAX);
    job = arena_alloc(&arena, sizeof *job);
    if (!job)
        return NULL;
    job->w = hub_here(hub);
    job->message = (struct c2d_message){
        .hub_name = arena_copy(&arena, m->hub_name),
        .device_id = arena_copy(&arena, m->device_id),
        .module_id = arena_copy(&arena, m->module_id),
        .body = arena_copy(&arena, m->body),
        .properties = arena_copy(&arena, m->properties),
        .expires_at = m->expires_at,
        .ack = m->ack,
    };
    job->on_done = on_done;
    job->context = context;
    job->arena = arena;
    if (!arena.failed)
        return job;
    arena_deinit(&arena);
    return NULL;
}

static struct hub_key key_of(const struct c2d_message *m)
{
    return (struct hub_key){m->hub_name, m->device_id, m->module_id};
}

static void end(struct c2d_job *job, enum status status, int64_t number, const char *cause)
{
    struct fault why = {0};
    struct arena arena;

    if (status != ST_OK)
        fault_set(&why, status, "%s", cause);
    job->on_done(job->context, status, number, &why);
    arena = job->arena;
    arena_deinit(&arena);
}

static void refuse(c2d_sent_fn *on_done, void *context, enum status status, const char *cause)
{
    struct fault why;

    fault_set(&why, status, "%s", cause);
    on_done(context, status, 0, &why);
}

/* --- sending -------------------------------------------------------------------------------- */

static void enqueue(struct c2d_job *job);

static void drop_expired(struct hub *hub, const struct hub_key *key, int64_t sequence, instant now)
{
    struct unit *unit = unit_create(hub->store);

    if (!unit)
        return;
    c2d_unit_settle(unit, key, sequence, C2D_EXPIRED, now);
    unit_submit(unit, NULL, NULL);
}

/* A full queue may be full of what has expired and was not swept yet. */
static void on_full_queue(void *context, enum status status, struct rows *rows)
{
    struct c2d_job *job = context;
    const struct hub_key key = key_of(&job->message);
    bool has_dropped = false;
    struct c2d_row row;

    while (status == ST_OK && rows_next(rows)) {
        c2d_row_read(rows, &row);
        if (row.expires_at > job->now)
            continue;
        drop_expired(job->w->hub, &key, row.sequence, job->now);
        has_dropped = true;
    }
    if (has_dropped)
        enqueue(job);
    else
        end(job, ST_QUEUE_FULL, 0, "the queue is full");
}

static void on_enqueued(void *context, enum status status, struct unit *unit)
{
    struct c2d_job *job = context;
    const struct hub_key key = key_of(&job->message);

    if (status == ST_CONFLICT && !job->was_full) {
        job->was_full = true;
        c2d_store_read(job->w->hub, &key, 0, C2D_QUEUE_MAX, on_full_queue, job);
    } else if (status == ST_CONFLICT) {
        end(job, ST_QUEUE_FULL, 0, "the queue is full");
    } else if (status != ST_OK) {
        end(job, status, 0, "the message could not be stored");
    } else {
        hub_tell_changed(job->w, &key, 0);
        end(job, ST_OK, unit_returned(unit, 0, 0).integer, NULL);
    }
}

static void enqueue(struct c2d_job *job)
{
    struct unit *unit = unit_create(job->w->hub->store);

    if (!unit) {
        end(job, ST_UNAVAILABLE, 0, "the store has no room");
        return;
    }
    c2d_unit_enqueue(unit, &job->message, job->generation_id, job->message_id, job->now);
    unit_submit(unit, on_enqueued, job);
}

static void on_purged(void *context, enum status status, struct unit *unit)
{
    end(context, status, unit_changes(unit, 1), "the queue could not be emptied");
}

static void purge(struct c2d_job *job)
{
    const struct hub_key key = key_of(&job->message);
    struct unit *unit = unit_create(job->w->hub->store);

    if (!unit) {
        end(job, ST_UNAVAILABLE, 0, "the store has no room");
        return;
    }
    c2d_unit_purge(unit, &key, job->now);
    unit_submit(unit, on_purged, job);
}

static void on_device(void *context, enum status status, const struct device *d)
{
    struct c2d_job *job = context;

    job->now = clock_wall_ms();
    if (status != ST_OK) {
        end(job, status, 0, "no such identity");
        return;
    }
    if (job->is_purge) {
        purge(job);
        return;
    }
    job->generation_id = arena_copy(&job->arena, d->generation_id);
    if (job->message.expires_at == 0)
        job->message.expires_at = job->now + job->w->hub->options.c2d_ttl_ms;
    enqueue(job);
}

static void start(struct c2d_job *job)
{
    const struct c2d_message *m = &job->message;

    device_get(job->w->hub->identity, m->hub_name, m->device_id, m->module_id, on_device, job);
}

static enum status check(struct c2d_job *job, struct fault *why)
{
    const struct c2d_message *m = &job->message;
    struct property_bag bag;
    enum status status = property_bag_parse(m->properties, &job->arena, &bag, why);

    if (status != ST_OK)
        return status;
    if (property_bag_counted(&bag) + m->body.len > C2D_MESSAGE_MAX)
        return fault_set(why, ST_TOO_LARGE, "message of more than %d bytes", C2D_MESSAGE_MAX);
    job->message_id = property_bag_system(&bag, PROP_MESSAGE_ID);
    return ST_OK;
}

void c2d_send(struct hub *hub, const struct c2d_message *m, c2d_sent_fn *on_sent, void *context)
{
    struct c2d_job *job;
    struct fault why;
    enum status status;

    if (m->body.len > C2D_MESSAGE_MAX) {
        refuse(on_sent, context, ST_TOO_LARGE, "the message's body is too large");
        return;
    }
    job = job_create(hub, m, on_sent, context);
    if (!job) {
        refuse(on_sent, context, ST_NO_MEMORY, "no memory for a message");
        return;
    }
    status = check(job, &why);
    if (status == ST_OK)
        start(job);
    else
        end(job, status, 0, why.text);
}

void c2d_purge(struct hub *hub, slice hub_name, slice device_id, slice module_id,
               c2d_sent_fn *on_done, void *context)
{
    const struct c2d_message of = {
        .hub_name = hub_name, .device_id = device_id, .module_id = module_id};
    struct c2d_job *job = job_create(hub, &of, on_done, context);

    if (!job) {
        refuse(on_done, context, ST_NO_MEMORY, "no memory to empty a queue");
        return;
    }
    job->is_purge = true;
    start(job);
}

/* --- feedback ------------------------------------------------------------------------------- */

static const char *const outcome_names[] = {
    [C2D_SUCCESS] = "Success",
    [C2D_EXPIRED] = "Expired",
    [C2D_DELIVERY_COUNT_EXCEEDED] = "DeliveryCountExceeded",
    [C2D_REJECTED] = "Rejected",
    [C2D_PURGED] = "Purged",
};

struct feedback {
    c2d_feedback_fn *on_record;
    void *context;
};

static void write_record(const struct rows *rows, struct buf *to)
{
    struct json_writer w = {.to = to};
    char text[CLOCK_TEXT_MAX];
    size_t outcome = (size_t)rows_int(rows, 2);
    slice name = slice_str(outcome < COUNT_OF(outcome_names) ? outcome_names[outcome] : "");

    json_open(&w, (slice){0}, '{');
    json_put_text(&w, SLICE("originalMessageId"), rows_bytes(rows, 0));
    json_put_text(&w, SLICE("enqueuedTimeUtc"), clock_iso(rows_int(rows, 1), text));
    json_put_text(&w, SLICE("statusCode"), name);
    json_put_text(&w, SLICE("description"), name);
    json_put_text(&w, SLICE("deviceId"), rows_bytes(rows, 3));
    json_put_text(&w, SLICE("deviceGenerationId"), rows_bytes(rows, 4));
    json_close(&w, '}');
}

static void on_feedback(void *context, enum status status, struct rows *rows)
{
    struct feedback *f = context;
    BUF_CLEANUP struct buf text = {.max = RECORD_MAX};

    while (status == ST_OK && rows_next(rows)) {
        slice record;

        buf_clear(&text);
        write_record(rows, &text);
        record = buf_slice(&text);
        if (!text.failed)
            f->on_record(f->context, ST_OK, &record);
    }
    f->on_record(f->context, status, NULL);
    free(f);
}

void c2d_feedback_list(struct hub *hub, slice hub_name, slice device_id, c2d_feedback_fn *on_record,
                       void *context)
{
    struct feedback *f = malloc(sizeof *f);

    if (!f) {
        on_record(context, ST_NO_MEMORY, NULL);
        return;
    }
    *f = (struct feedback){on_record, context};
    c2d_store_read_feedback(hub, hub_name, device_id, clock_wall_ms() - C2D_FEEDBACK_LIFE_MS,
                            on_feedback, f);
}

/* --- the sweep ------------------------------------------------------------------------------ */

static void on_sweep(struct timer *t);

static void forget_feedback(struct hub *hub, instant now)
{
    struct unit *unit = unit_create(hub->store);

    if (!unit)
        return;
    c2d_unit_forget_feedback(unit, now - C2D_FEEDBACK_LIFE_MS);
    unit_submit(unit, NULL, NULL);
}

static void on_expired(void *context, enum status status, struct rows *rows)
{
    struct hub_worker *w = context;
    instant now = clock_wall_ms();
    size_t count = 0;

    while (status == ST_OK && rows_next(rows)) {
        const struct hub_key key = {rows_bytes(rows, 0), rows_bytes(rows, 1), rows_bytes(rows, 2)};

        drop_expired(w->hub, &key, rows_int(rows, 3), now);
        count++;
    }
    forget_feedback(w->hub, now);
    timer_arm(w->worker, &w->sweep, count == SWEEP_MESSAGES ? SWEEP_AGAIN_MS : SWEEP_MS, on_sweep);
}

static void on_sweep(struct timer *t)
{
    struct hub_worker *w = (struct hub_worker *)((char *)t - offsetof(struct hub_worker, sweep));

    c2d_store_read_expired(w->hub, clock_wall_ms(), SWEEP_MESSAGES, on_expired, w);
}

void c2d_sweep_start(struct hub_worker *w)
{
    timer_arm(w->worker, &w->sweep, SWEEP_MS, on_sweep);
}
