/* What a simulated device says and hears: MQTT 3.1.1, first with the DPS, then with the hub. What
 * it does there is in simulate_hub.c. */
#include "base/text.h"
#include "cmd/simulate/simulate_device.h"
#include "codec/sas.h"
#include "codec/topic.h"

#define KEEP_ALIVE_S 240
#define TOKEN_LIFE_S 86400 /* whose session ends then comes back with another */
#define PACKET_MAX 300000
#define TREE_MAX ((size_t)4 << 20) /* of what the service says */
#define POLL_S 2                   /* unless the DPS says how long */
#define POLL_MAX_S 60
#define DPS_FILTER "$dps/registrations/res/#"

/* --- writing ---------------------------------------------------------------------------------- */

slice sim_id(const struct sim_device *d, char to[FLEET_ID_MAX])
{
    return fleet_device_id(d->fleet->options.prefix, d->index, to);
}

/* What is in the fleet's buffer goes out. False, with nothing said, when it did not fit. */
bool sim_flush(struct sim_device *d)
{
    struct buf *out = &d->fleet->out;
    bool fits = !out->failed;

    if (fits)
        stream_write(d->stream, buf_slice(out));
    buf_clear(out);
    return fits;
}

static uint16_t next_packet_id(struct sim_device *d)
{
    if (++d->packet_id == 0)
        d->packet_id = 1;
    return d->packet_id;
}

void sim_publish(struct sim_device *d, slice topic, slice body, uint8_t qos)
{
    struct buf *out = &d->fleet->out;

    mqtt_publish_head_write(topic, body.len, qos, false, qos ? next_packet_id(d) : 0, out);
    buf_append(out, body);
}

void sim_subscribe(struct sim_device *d, slice filter, uint8_t qos)
{
    mqtt_subscribe_write(next_packet_id(d), filter, qos, &d->fleet->out);
}

void sim_acknowledge(struct sim_device *d, const struct mqtt_publish *p)
{
    uint8_t ack[4];

    if (p->qos > 0)
        buf_append(&d->fleet->out, mqtt_puback_write(p->packet_id, ack));
}

/* --- CONNECT ---------------------------------------------------------------------------------- */

static void device_key(const struct sim_device *d, struct secret *ret)
{
    char id[FLEET_ID_MAX];

    derive_device_key(&d->fleet->options.group_key, sim_id(d, id), ret);
}

static slice model_id(const struct sim_device *d)
{
    const struct dtdl_interface *root = d->fleet->options.root;

    return root ? root->element.id : (slice){0};
}

static void write_connect(struct sim_device *d, slice username, slice resource, slice policy)
{
    BUF_CLEANUP struct buf token = {.max = SAS_TOKEN_MAX};
    SECRET_CLEANUP struct secret key;
    char id[FLEET_ID_MAX];
    struct mqtt_connect connect = {.clean_session = true,
                                   .keep_alive_s = KEEP_ALIVE_S,
                                   .client_id = sim_id(d, id),
                                   .has_username = true,
                                   .username = username,
                                   .has_password = true};

    device_key(d, &key);
    sas_token_write(resource, secret_slice(&key), clock_wall_ms() / 1000 + TOKEN_LIFE_S, policy,
                    &token);
    connect.password = buf_slice(&token);
    mqtt_connect_write(&connect, &d->fleet->out);
    if (token.failed || !sim_flush(d))
        stream_abort(d->stream);
}

static void connect_to_dps(struct sim_device *d)
{
    BUF_CLEANUP struct buf username = {.max = 1024}, resource = {.max = 1024};
    char id[FLEET_ID_MAX];

    buf_append(&resource, d->fleet->options.id_scope);
    buf_append_str(&resource, "/registrations/");
    buf_append(&resource, sim_id(d, id));
    buf_append(&username, buf_slice(&resource));
    buf_append_str(&username, "/api-version=2021-06-01&ClientVersion=muster-simulate");
    write_connect(d, buf_slice(&username), buf_slice(&resource), SLICE("registration"));
}

static void connect_to_hub(struct sim_device *d)
{
    BUF_CLEANUP struct buf username = {.max = 1024}, resource = {.max = 1024};
    char id[FLEET_ID_MAX];

    buf_printf(&resource, "%s/devices/", d->hub);
    buf_append(&resource, sim_id(d, id));
    buf_printf(&username, "%s/", d->hub);
    buf_append(&username, sim_id(d, id));
    buf_append_str(&username, "/?api-version=2021-04-12&DeviceClientType=muster-simulate");
    if (model_id(d).len > 0) {
        buf_append_str(&username, "&model-id=");
        percent_encode(model_id(d), &username);
    }
    write_connect(d, buf_slice(&username), buf_slice(&resource), (slice){0});
}

void sim_session_open(struct sim_device *d)
{
    if (d->state == SIM_REGISTERING)
        connect_to_dps(d);
    else
        connect_to_hub(d);
}

/* --- the DPS ---------------------------------------------------------------------------------- */

static void register_at_dps(struct sim_device *d)
{
    BUF_CLEANUP struct buf body = {.max = 4096};
    struct json_writer w = {.to = &body};
    char id[FLEET_ID_MAX];

    json_open(&w, (slice){0}, '{');
    json_put_text(&w, SLICE("registrationId"), sim_id(d, id));
    if (model_id(d).len > 0) {
        json_open(&w, SLICE("payload"), '{');
        json_put_text(&w, SLICE("modelId"), model_id(d));
        json_close(&w, '}');
    }
    json_close(&w, '}');
    sim_subscribe(d, SLICE(DPS_FILTER), 1);
    sim_publish(d, SLICE("$dps/registrations/PUT/iotdps-register/?$rid=1"), buf_slice(&body), 1);
    if (!sim_flush(d))
        stream_abort(d->stream);
}

void sim_session_poll(struct sim_device *d)
{
    BUF_CLEANUP struct buf topic = {.max = 512};

    buf_printf(&topic, "$dps/registrations/GET/iotdps-get-operationstatus/?$rid=2&operationId=%s",
               d->operation);
    sim_publish(d, buf_slice(&topic), SLICE(" "), 1);
    if (!sim_flush(d))
        stream_abort(d->stream);
}

/* The fleet's own copy of a hub's name; NULL: there are too many, or it is none. */
static const char *find_hub(struct fleet *f, slice name)
{
    if (name.len == 0 || name.len >= HUB_NAME_MAX)
        return NULL;
    for (unsigned i = 0; i < f->hubs; i++) {
        if (slice_equal(slice_str(f->hub_names[i]), name))
            return f->hub_names[i];
    }
    if (f->hubs == FLEET_HUBS_MAX)
        return NULL;
    memcpy(f->hub_names[f->hubs], name.ptr, name.len); /* the rest is zero */
    return f->hub_names[f->hubs++];
}

static void take_operation(struct sim_device *d, const struct json *answer, slice topic)
{
    slice operation, retry;
    uint64_t seconds;

    if (!json_get_text(answer, SLICE("operationId"), &operation) || operation.len == 0 ||
        operation.len >= OPERATION_ID_MAX) {
        stream_abort(d->stream);
        return;
    }
    memcpy(d->operation, operation.ptr, operation.len);
    d->operation[operation.len] = '\0';
    if (!topic_query(topic, SLICE("retry-after"), &retry) || !slice_to_u64(retry, &seconds) ||
        seconds > POLL_MAX_S)
        seconds = POLL_S;
    sim_device_poll_later(d, (int64_t)seconds);
}

/* The operator has not let it in, or not yet. */
static void take_refusal(struct sim_device *d)
{
    d->fleet->counts.refused++;
    sim_device_leave(d, SIM_LEAVING);
}

static void take_assignment(struct sim_device *d, const struct json *answer)
{
    const struct json *state = json_member(answer, SLICE("registrationState"));
    slice status = {0}, hub = {0};

    (void)json_get_text(answer, SLICE("status"), &status);
    (void)json_get_text(state, SLICE("assignedHub"), &hub);
    d->hub = slice_equal(status, SLICE("assigned")) ? find_hub(d->fleet, hub) : NULL;
    if (!d->hub) {
        take_refusal(d);
        return;
    }
    d->fleet->counts.registered++;
    sim_device_leave(d, SIM_REGISTERED);
}

static void on_dps_publish(struct sim_device *d, const struct mqtt_publish *p, struct arena *arena)
{
    struct topic_match m;
    struct json *answer;

    if (!topic_match(SLICE("$dps/registrations/res/+/#"), p->topic, &m))
        return;
    sim_acknowledge(d, p);
    (void)sim_flush(d);
    if (json_parse(p->payload, JSON_LAST_WINS, arena, &answer, NULL) != ST_OK)
        stream_abort(d->stream);
    else if (slice_equal(m.bound[0], SLICE("202")))
        take_operation(d, answer, m.bound[1]);
    else if (slice_equal(m.bound[0], SLICE("200")))
        take_assignment(d, answer);
    else
        take_refusal(d);
}

/* --- packets ---------------------------------------------------------------------------------- */

static void on_connack(struct sim_device *d, slice body)
{
    bool is_in = body.len == 2 && body.ptr[1] == MQTT_CONNACK_ACCEPTED;

    if (d->state == SIM_REGISTERING && is_in) {
        register_at_dps(d);
    } else if (d->state == SIM_REGISTERING) {
        take_refusal(d);
    } else if (is_in) {
        sim_hub_start(d);
    } else {
        if (body.len == 2 && body.ptr[1] == MQTT_CONNACK_NOT_AUTHORIZED)
            d->hub = NULL;
        sim_device_leave(d, SIM_LEAVING);
    }
}

static void on_publish(struct sim_device *d, const struct mqtt_packet *packet)
{
    ARENA_CLEANUP struct arena arena = {.max = TREE_MAX};
    struct mqtt_publish p;

    if (mqtt_publish_parse(packet, &p, NULL) != ST_OK)
        stream_abort(d->stream);
    else if (d->state == SIM_REGISTERING)
        on_dps_publish(d, &p, &arena);
    else
        sim_hub_publish(d, &p, &arena);
}

static void on_packet(struct sim_device *d, const struct mqtt_packet *packet)
{
    if (packet->type == MQTT_CONNACK) {
        on_connack(d, packet->body);
    } else if (packet->type == MQTT_PUBLISH) {
        on_publish(d, packet);
    } else if (packet->type == MQTT_PUBACK && d->state == SIM_LIVE && d->unacknowledged > 0) {
        d->unacknowledged--;
        d->fleet->counts.unacknowledged--;
        d->fleet->counts.acknowledged++;
    }
}

size_t sim_session_input(struct sim_device *d, slice input)
{
    size_t taken = 0;
    struct mqtt_packet packet;

    while (d->state == SIM_REGISTERING || d->state == SIM_CONNECTING || d->state == SIM_LIVE) {
        enum mqtt_frame_result result = mqtt_frame(slice_from(input, taken), PACKET_MAX, &packet);

        if (result == MQTT_FRAME_MORE)
            return taken;
        if (result != MQTT_FRAME_COMPLETE) {
            stream_abort(d->stream);
            return input.len;
        }
        taken += packet.size;
        on_packet(d, &packet);
    }
    return input.len;
}

void sim_session_ping(struct sim_device *d)
{
    static const uint8_t ping[] = {MQTT_PINGREQ << 4, 0};

    stream_write(d->stream, slice_of(ping, sizeof ping));
}

void sim_session_goodbye(struct sim_device *d)
{
    static const uint8_t goodbye[] = {MQTT_DISCONNECT << 4, 0};

    stream_write(d->stream, slice_of(goodbye, sizeof goodbye));
}
