/* A simulated device at its hub: subscriptions, properties, commands, messages. */
#include "base/text.h"
#include "cmd/simulate/simulate_device.h"
#include "codec/topic.h"

#define BODY_MAX 65536

#define RID_REPORT "1"
#define RID_GET "2"
#define RID_ANSWER "3"

static struct dtdl_sample first_sample(const struct sim_device *d)
{
    return (struct dtdl_sample){.seed = d->seed, .at = SIM_EPOCH_MS};
}

static void report(struct sim_device *d, slice rid, const struct buf *patch)
{
    BUF_CLEANUP struct buf topic = {.max = 128};

    buf_append_str(&topic, "$iothub/twin/PATCH/properties/reported/?$rid=");
    buf_append(&topic, rid);
    if (!patch->failed)
        sim_publish(d, buf_slice(&topic), buf_slice(patch), 0);
}

void sim_hub_start(struct sim_device *d)
{
    BUF_CLEANUP struct buf filter = {.max = 256}, patch = {.max = BODY_MAX};
    struct dtdl_sample s = first_sample(d);
    char id[FLEET_ID_MAX];

    buf_append_str(&filter, "devices/");
    buf_append(&filter, sim_id(d, id));
    buf_append_str(&filter, "/messages/devicebound/#");
    sim_subscribe(d, buf_slice(&filter), 1);
    sim_subscribe(d, SLICE("$iothub/methods/POST/#"), 0);
    sim_subscribe(d, SLICE("$iothub/twin/res/#"), 0);
    sim_subscribe(d, SLICE("$iothub/twin/PATCH/properties/desired/#"), 0);
    if (d->fleet->options.root) {
        dtdl_sample_properties(&s, d->fleet->options.root, &patch);
        report(d, SLICE(RID_REPORT), &patch);
    }
    sim_publish(d, SLICE("$iothub/twin/GET/?$rid=" RID_GET), (slice){0}, 0);
    if (sim_flush(d))
        sim_device_is_live(d);
    else
        stream_abort(d->stream);
}

static void answer_desired(struct sim_device *d, const struct json *desired)
{
    BUF_CLEANUP struct buf patch = {.max = BODY_MAX};

    if (!dtdl_sample_acknowledge(d->fleet->options.root, desired, &patch))
        return;
    d->fleet->counts.desired++;
    report(d, SLICE(RID_ANSWER), &patch);
}

static void on_desired(struct sim_device *d, const struct mqtt_publish *p,
                       const struct topic_match *m, struct arena *arena)
{
    struct json *desired;

    (void)m;
    if (json_parse(p->payload, JSON_LAST_WINS, arena, &desired, NULL) == ST_OK)
        answer_desired(d, desired);
}

/* What was asked for while it was away stands in the whole twin. */
static void on_twin(struct sim_device *d, const struct mqtt_publish *p, const struct topic_match *m,
                    struct arena *arena)
{
    struct json *twin;
    slice rid;

    if (!slice_equal(m->bound[0], SLICE("200")) || !topic_query(m->bound[1], SLICE("$rid"), &rid) ||
        !slice_equal(rid, SLICE(RID_GET)))
        return;
    if (json_parse(p->payload, JSON_LAST_WINS, arena, &twin, NULL) == ST_OK)
        answer_desired(d, json_member(twin, SLICE("desired")));
}

static void on_method(struct sim_device *d, const struct mqtt_publish *p,
                      const struct topic_match *m, struct arena *arena)
{
    BUF_CLEANUP struct buf topic = {.max = 512}, body = {.max = BODY_MAX};
    struct dtdl_sample s = first_sample(d);
    slice rid;

    (void)p;
    (void)arena;
    if (!topic_query(m->bound[1], SLICE("$rid"), &rid))
        return;
    s.step = d->fleet->counts.commands++;
    dtdl_sample_response(&s, d->fleet->options.root, m->bound[0], &body);
    buf_append_str(&topic, "$iothub/methods/res/200/?$rid=");
    buf_append(&topic, rid);
    if (!body.failed && !topic.failed)
        sim_publish(d, buf_slice(&topic), buf_slice(&body), 0);
}

static void on_c2d(struct sim_device *d, const struct mqtt_publish *p, const struct topic_match *m,
                   struct arena *arena)
{
    (void)m;
    (void)arena;
    d->fleet->counts.c2d++;
    sim_acknowledge(d, p);
}

static const struct {
    const char *filter;
    void (*run)(struct sim_device *d, const struct mqtt_publish *p, const struct topic_match *m,
                struct arena *arena);
} hub_topics[] = {
    {"$iothub/methods/POST/+/#", on_method},
    {"$iothub/twin/PATCH/properties/desired/#", on_desired},
    {"$iothub/twin/res/+/#", on_twin},
    {"devices/+/messages/devicebound/#", on_c2d},
};

void sim_hub_publish(struct sim_device *d, const struct mqtt_publish *p, struct arena *arena)
{
    struct topic_match m;

    for (size_t i = 0; i < COUNT_OF(hub_topics); i++) {
        if (!topic_match(slice_str(hub_topics[i].filter), p->topic, &m))
            continue;
        hub_topics[i].run(d, p, &m, arena);
        (void)sim_flush(d);
        return;
    }
}

static bool send_message(struct sim_device *d, slice component, const struct buf *body)
{
    BUF_CLEANUP struct buf topic = {.max = 1024};
    char id[FLEET_ID_MAX];

    buf_append_str(&topic, "devices/");
    buf_append(&topic, sim_id(d, id));
    buf_append_str(&topic, "/messages/events/%24.ct=application%2Fjson&%24.ce=utf-8");
    if (component.len > 0) {
        buf_append_str(&topic, "&%24.sub=");
        percent_encode(component, &topic);
    }
    if (body->failed || topic.failed)
        return false;
    sim_publish(d, buf_slice(&topic), buf_slice(body), 1);
    if (!sim_flush(d))
        return false;
    d->unacknowledged++;
    d->fleet->counts.unacknowledged++;
    d->fleet->counts.sent++;
    return true;
}

bool sim_hub_telemetry(struct sim_device *d, const struct dtdl_sample *s)
{
    BUF_CLEANUP struct buf body = {.max = BODY_MAX};
    const struct dtdl_interface *root = d->fleet->options.root;
    bool sent = dtdl_sample_telemetry(s, root, &body) && send_message(d, (slice){0}, &body);

    for (size_t i = 0; root && i < root->all_count; i++) {
        const struct dtdl_content *content = root->all[i];
        struct dtdl_sample part = dtdl_sample_of_part(s, content->typed.element.name);

        buf_clear(&body);
        if (content->kind == DTDL_COMPONENT && content->interface &&
            dtdl_sample_telemetry(&part, content->interface, &body))
            sent = send_message(d, content->typed.element.name, &body) || sent;
    }
    return sent;
}
