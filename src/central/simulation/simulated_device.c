/* One simulated device: a session without a connection.
 *
 *     open -> subscribe -> report properties, read what is desired -> telemetry, every period
 *                                                                 \-> desired, commands: answered
 *
 * Whatever it says begins with its model being read: a task, which keeps the device until it is
 * done. */
#include <stdlib.h>

#include "base/buf.h"
#include "base/log.h"
#include "central/property/device_model.h"
#include "central/simulation/simulation_internal.h"
#include "codec/dtdl_sample.h"
#include "hub/c2d.h"
#include "hub/method.h"
#include "hub/telemetry.h"
#include "hub/twin.h"

#define BODY_MAX 65536
#define TEXT_MAX ((size_t)256 * 1024) /* of what a task is about */
#define TREE_MAX ((size_t)4 << 20)
#define TASKS_MAX 20 /* of one device; what is asked beyond is left unanswered */
#define FIRST_MS 500

/* --- tasks ------------------------------------------------------------------------------------ */

struct task {
    struct simulated_device *device;
    struct device_model model;
    void (*run)(struct task *t);
    struct arena arena;
    slice rid, name, text; /* what it is about, in the arena */
};

static struct simulated_device *device_of(struct session *s)
{
    return (struct simulated_device *)s;
}

static slice id_of(const struct simulated_device *d)
{
    return slice_of(d->id, d->id_len);
}

static void go_when_over(struct simulated_device *d)
{
    if (d->is_over && d->tasks == 0)
        simulation_forget(d);
}

static void on_model(void *context, enum status status, const struct fault *why)
{
    struct task *t = context;
    struct simulated_device *d = t->device;

    (void)why;
    if (status == ST_OK && d->session.state == SESSION_LIVE)
        t->run(t);
    device_model_deinit(&t->model);
    arena_deinit(&t->arena);
    free(t);
    d->tasks--;
    if (status == ST_DEVICE_NOT_FOUND)
        simulated_device_end(d);
    go_when_over(d);
}

/* Of the slices only what is in them counts: they are copied. */
static void begin_task(struct simulated_device *d, void (*run)(struct task *t), slice rid,
                       slice name, slice text)
{
    struct task *t = d->tasks < TASKS_MAX ? calloc(1, sizeof *t) : NULL;

    if (!t)
        return;
    *t = (struct task){.device = d, .run = run};
    arena_init(&t->arena, TREE_MAX + TEXT_MAX);
    t->rid = arena_copy(&t->arena, rid);
    t->name = arena_copy(&t->arena, name);
    t->text = arena_copy(&t->arena, text);
    if (t->arena.failed) {
        arena_deinit(&t->arena);
        free(t);
        return;
    }
    d->tasks++;
    device_model_load(d->simulation->c, id_of(d), &t->model, on_model, t);
}

static struct dtdl_sample sample_of(const struct simulated_device *d)
{
    return (struct dtdl_sample){.seed = d->seed, .step = d->step, .at = clock_wall_ms()};
}

/* --- telemetry -------------------------------------------------------------------------------- */

/* What the log has no room for is not said. */
static void send(struct simulated_device *d, slice component, const struct buf *body)
{
    BUF_CLEANUP struct buf bag = {.max = 1024};
    struct fault why;

    buf_append_str(&bag, "%24.ct=application%2Fjson&%24.ce=utf-8");
    if (component.len > 0) {
        buf_append_str(&bag, "&%24.sub=");
        buf_append(&bag, component); /* a name of the language: letters, digits, '_' */
    }
    if (body->failed || bag.failed)
        return;
    const struct telemetry t = {.bag = buf_slice(&bag), .body = buf_slice(body)};
    if (telemetry_send(&d->session, &t, 0, &why) != ST_OK)
        LOG_LIMITED(LOG_LEVEL_DEBUG, "simulation_unsaid", LOG_TEXT("device", id_of(d)),
                    LOG_STR("cause", why.text));
}

static void run_telemetry(struct task *t)
{
    BUF_CLEANUP struct buf body = {.max = BODY_MAX};
    struct simulated_device *d = t->device;
    const struct dtdl_interface *root = t->model.root;
    struct dtdl_sample s = sample_of(d);

    d->step++;
    if (dtdl_sample_telemetry(&s, root, &body))
        send(d, (slice){0}, &body);
    for (size_t i = 0; root && i < root->all_count; i++) {
        const struct dtdl_content *content = root->all[i];
        struct dtdl_sample part = dtdl_sample_of_part(&s, content->typed.element.name);

        buf_clear(&body);
        if (content->kind == DTDL_COMPONENT && content->interface &&
            dtdl_sample_telemetry(&part, content->interface, &body))
            send(d, content->typed.element.name, &body);
    }
}

static void on_period(struct timer *timer)
{
    struct simulated_device *d =
        (struct simulated_device *)((char *)timer - offsetof(struct simulated_device, timer));

    timer_arm(d->simulation->home, &d->timer, d->simulation->options.period_ms, on_period);
    begin_task(d, run_telemetry, (slice){0}, (slice){0}, (slice){0});
}

/* --- properties ------------------------------------------------------------------------------- */

static void on_reported(void *context, uint64_t token, enum status status, int64_t version,
                        const struct fault *why)
{
    (void)context;
    (void)token;
    (void)status;
    (void)version;
    (void)why;
}

static void report(struct simulated_device *d, const struct buf *patch)
{
    if (!patch->failed && patch->len > 0)
        twin_report(&d->session, buf_slice(patch), false, 0, on_reported, d, 0);
}

static void run_acknowledge(struct task *t)
{
    BUF_CLEANUP struct buf patch = {.max = BODY_MAX};
    struct json *desired;

    if (json_parse(t->text, JSON_LAST_WINS, &t->arena, &desired, NULL) == ST_OK &&
        dtdl_sample_acknowledge(t->model.root, desired, &patch))
        report(t->device, &patch);
}

/* What was asked for while it was away. */
static void on_twin(void *context, enum status status, slice document)
{
    ARENA_CLEANUP struct arena arena = {.max = TREE_MAX};
    struct simulated_device *d = context;
    struct json *twin;
    const struct json *desired = NULL;

    if (status == ST_OK && json_parse(document, JSON_LAST_WINS, &arena, &twin, NULL) == ST_OK)
        desired = json_member(twin, SLICE("desired"));
    if (desired)
        begin_task(d, run_acknowledge, (slice){0}, (slice){0}, desired->raw);
}

static void run_first_report(struct task *t)
{
    BUF_CLEANUP struct buf patch = {.max = BODY_MAX};
    struct simulated_device *d = t->device;
    struct dtdl_sample s = {.seed = d->seed, .at = clock_wall_ms()};

    if (t->model.root)
        dtdl_sample_properties(&s, t->model.root, &patch);
    report(d, &patch);
    twin_read(&d->session, on_twin, d);
}

/* --- commands --------------------------------------------------------------------------------- */

static void run_command(struct task *t)
{
    BUF_CLEANUP struct buf body = {.max = BODY_MAX};
    struct dtdl_sample s = sample_of(t->device);

    dtdl_sample_response(&s, t->model.root, t->name, &body);
    if (!body.failed)
        method_respond(&t->device->session, t->rid, 200, buf_slice(&body));
}

/* --- the session ------------------------------------------------------------------------------ */

static void on_close(struct session *s, enum session_end why)
{
    (void)why;
    session_close(s);
}

static void on_telemetry_done(struct session *s, uint32_t token, enum status status)
{
    (void)s;
    (void)token;
    (void)status;
}

static void on_c2d(struct session *s, const struct c2d_delivery *delivery)
{
    c2d_complete(s, delivery->sequence);
}

static void on_desired(struct session *s, int64_t version, slice patch)
{
    (void)version;
    begin_task(device_of(s), run_acknowledge, (slice){0}, (slice){0}, patch);
}

static void on_method(struct session *s, slice rid, slice name, slice payload)
{
    (void)payload;
    begin_task(device_of(s), run_command, rid, name, (slice){0});
}

static void on_released(struct session *s)
{
    struct simulated_device *d = device_of(s);

    timer_cancel(&d->timer);
    d->is_over = true;
    go_when_over(d);
}

static const struct session_ops ops = {
    .close = on_close,
    .telemetry_done = on_telemetry_done,
    .deliver_c2d = on_c2d,
    .deliver_desired = on_desired,
    .invoke_method = on_method,
    .released = on_released,
};

/* The first messages of all of them do not come in the same moment. */
static void on_ready(struct session *s, void *context)
{
    struct simulated_device *d = device_of(s);
    int64_t period = d->simulation->options.period_ms;

    (void)context;
    begin_task(d, run_first_report, (slice){0}, (slice){0}, (slice){0});
    timer_arm(d->simulation->home, &d->timer,
              FIRST_MS + (int64_t)(d->seed % (uint64_t)(period < 2 ? 1 : period / 2)), on_period);
}

static void on_open(struct session *s, enum status status)
{
    if (status == ST_OK)
        session_subscribe(s, SUB_C2D | SUB_METHODS | SUB_TWIN_DESIRED, (slice){0}, false, on_ready,
                          NULL);
    else
        session_close(s);
}

void simulated_device_begin(struct simulation *s, const struct device *device)
{
    struct simulated_device *d = calloc(1, sizeof *d);
    const struct device_principal p = {
        .hub = identity_hub_by_name(s->c->id, device->hub),
        .device_id = device->id,
        .generation_id = device->generation_id,
        .slot = CREDENTIAL_PRIMARY,
        .credential_generation = device->credential_generation,
        .model_id = device->model_id,
        .template_id = device->template_id,
    };
    const struct session_options options = {.client_type = SLICE("simulated"),
                                            .protocol = SLICE("simulated")};

    if (!d || !p.hub || device->id.len > sizeof d->id) {
        free(d);
        return;
    }
    d->session.ops = &ops;
    d->simulation = s;
    d->is_seen = true;
    d->seed = dtdl_sample_seed(0, device->id);
    d->id_len = device->id.len;
    memcpy(d->id, device->id.ptr, device->id.len);
    d->next = s->devices;
    s->devices = d;
    s->count++;
    session_open(&d->session, s->c->hub, &p, &options, on_open);
}

void simulated_device_end(struct simulated_device *d)
{
    if (d->session.state == SESSION_LIVE)
        session_close(&d->session);
}
