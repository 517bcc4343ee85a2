#include "front/mqtt/hub_device.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/metrics.h"
#include "codec/wire_error.h"
#include "identity/principal.h"
#include "provisioning/hub_refusal.h"

/* --- the end -------------------------------------------------------------------------------- */

static void hold(struct hub_device *d)
{
    d->holders++;
}

static void release(struct hub_device *d)
{
    struct mqtt_connection *c = d->connection;

    if (--d->holders > 0)
        return;
    free(d->greeting);
    free(d->will);
    free(d->in_flight);
    buf_deinit(&d->method_filters);
    free(d);
    mqtt_connection_release(c);
}

static void on_released(struct session *s)
{
    release(hub_device_of(s));
}

/* A will is telemetry like any other, but for its mark (hub-device.md 2.9). Nobody waits for it,
 * so it goes before the session is closed. */
static void send_will(struct hub_device *d)
{
    const struct telemetry t = {
        .bag = d->will->bag,
        .body = d->will->payload,
        .retain = d->will->retain,
        .will = true,
    };
    struct fault why;

    if (telemetry_send(&d->session, &t, 0, &why) != ST_OK)
        LOG_LIMITED(LOG_LEVEL_WARN, "will_lost", LOG_TEXT("device", d->session.device_id),
                    LOG_FAULT(&why));
}

static void on_end(struct mqtt_connection *c)
{
    struct hub_device *d = c->device;

    if (d->will && !d->disconnected && !d->revoked && d->session.state == SESSION_LIVE)
        send_will(d);
    hub_subscriptions_end(d);
    hub_requests_end(d);
    if (d->opened)
        session_close(&d->session);
    release(d);
}

/* --- the session's side --------------------------------------------------------------------- */

static void on_session_close(struct session *s, enum session_end end)
{
    static const enum metric counted[] = {
        [SESSION_END_TAKEN_OVER] = METRIC_SESSIONS_TAKEN_OVER,
        [SESSION_END_REVOKED] = METRIC_SESSIONS_REVOKED,
        [SESSION_END_EXPIRED] = METRIC_SESSIONS_EXPIRED,
    };
    struct hub_device *d = hub_device_of(s);

    metric_add(counted[end], 1);
    d->revoked = end != SESSION_END_TAKEN_OVER;
    mqtt_connection_close(d->connection);
}

static void on_telemetry_done(struct session *s, uint32_t token, enum status status)
{
    struct mqtt_connection *c = hub_device_of(s)->connection;

    if (status != ST_OK)
        mqtt_connection_close(c); /* unacknowledged: the device sends it again */
    else if (token != 0)
        mqtt_connection_puback(c, (uint16_t)token);
}

static const struct session_ops session_ops = {
    .close = on_session_close,
    .telemetry_done = on_telemetry_done,
    .deliver_c2d = hub_deliver_c2d,
    .deliver_desired = hub_deliver_desired,
    .invoke_method = hub_invoke_method,
    .released = on_released,
};

/* --- what a device publishes ---------------------------------------------------------------- */

static void on_room(struct mail *mail)
{
    struct hub_device *d = (struct hub_device *)((char *)mail - offsetof(struct hub_device, room));

    d->awaits_room = false;
    d->connection->not_reading = false;
    if (d->connection->stream)
        stream_resume(d->connection->stream);
    release(d);
}

/* The store's queue is full: leave the packet where it is and stop reading this socket. */
static enum packet_verdict wait_for_room(struct hub_device *d)
{
    if (!d->awaits_room) {
        d->awaits_room = true;
        d->connection->not_reading = true;
        hold(d);
        d->room.run = on_room;
        stream_pause(d->connection->stream);
        store_when_room(d->connection->front->options.store, &d->room);
    }
    return PACKET_LATER;
}

static enum packet_verdict on_events(struct hub_device *d, const struct mqtt_publish *publish,
                                     slice bag)
{
    const struct telemetry t = {
        .bag = bag,
        .body = publish->payload,
        .retain = publish->retain,
        .dup = publish->dup,
    };
    struct fault why;
    enum status status = telemetry_send(&d->session, &t, publish->packet_id, &why);

    if (status == ST_UNAVAILABLE)
        return wait_for_room(d);
    if (status == ST_OK)
        return PACKET_TAKEN;
    LOG_LIMITED(LOG_LEVEL_INFO, "d2c_refused", LOG_TEXT("device", d->session.device_id),
                LOG_STR("status", status_name(status)), LOG_FAULT(&why));
    return PACKET_WRONG;
}

/* PUBACKs leave in the order of the PUBLISHes (MQTT 3.1.1, 4.6): behind telemetry that waits. */
static void acknowledge(struct hub_device *d, uint16_t packet_id)
{
    if (packet_id == 0)
        return;
    if (telemetry_pending(&d->session))
        telemetry_marker(&d->session, packet_id);
    else
        mqtt_connection_puback(d->connection, packet_id);
}

static enum packet_verdict on_publish(struct hub_device *d, const struct mqtt_packet *packet)
{
    struct mqtt_publish publish;
    struct hub_topic topic;
    struct fault why;

    if (mqtt_publish_parse(packet, &publish, &why) != ST_OK || publish.qos > 1)
        return PACKET_WRONG;
    hub_topic_parse(publish.topic, d->session.device_id, d->session.module_id, &topic);
    if (topic.kind == HUB_TOPIC_EVENTS)
        return on_events(d, &publish, topic.bag);
    if (topic.kind == HUB_TOPIC_UNKNOWN || topic.rid.len > MQTT_RID_MAX)
        return PACKET_WRONG;
    acknowledge(d, publish.packet_id);
    if (topic.kind == HUB_TOPIC_TWIN_GET)
        hub_on_twin_get(d, topic.rid);
    else if (topic.kind == HUB_TOPIC_TWIN_REPORTED)
        hub_on_twin_report(d, &topic, publish.payload);
    else
        method_respond(&d->session, topic.rid, topic.method_status, publish.payload);
    return PACKET_TAKEN;
}

static enum packet_verdict on_puback(struct hub_device *d, slice body)
{
    uint16_t packet_id;
    struct fault why;

    if (mqtt_ack_parse(body, &packet_id, &why) != ST_OK)
        return PACKET_WRONG;
    hub_on_puback(d, packet_id);
    return PACKET_TAKEN;
}

static enum packet_verdict on_packet(struct mqtt_connection *c, const struct mqtt_packet *packet)
{
    struct hub_device *d = c->device;
    uint8_t pong[2];

    switch (packet->type) {
    case MQTT_PUBLISH:
        return on_publish(d, packet);
    case MQTT_PUBACK:
        return on_puback(d, packet->body);
    case MQTT_SUBSCRIBE:
        return hub_on_subscribe(d, packet->body);
    case MQTT_UNSUBSCRIBE:
        return hub_on_unsubscribe(d, packet->body);
    case MQTT_PINGREQ:
        mqtt_connection_write(c, mqtt_pingresp_write(pong));
        return PACKET_TAKEN;
    case MQTT_DISCONNECT:
        d->disconnected = true;
        mqtt_connection_close(c);
        return PACKET_TAKEN;
    default:
        return PACKET_WRONG; /* a second CONNECT, QoS 2's packets, what only servers send */
    }
}

static const struct mqtt_service service = {
    .name = "hub",
    .on_packet = on_packet,
    .on_end = on_end,
};

/* --- CONNECT -------------------------------------------------------------------------------- */

static void welcome(struct hub_device *d, bool session_present)
{
    struct mqtt_connection *c = d->connection;

    mqtt_connection_accept(c, session_present, d->keep_alive_s);
    if (!d->clean_session)
        hub_restore_subscriptions(d);
    stream_resume(c->stream);
}

/* A clean session begins when nothing is stored of an earlier one any more. */
static void on_cleared(struct session *s, void *context)
{
    struct hub_device *d = hub_device_of(s);

    (void)context;
    if (d->connection->state == CONNECTING)
        welcome(d, false);
}

static void on_session_open(struct session *s, enum status status)
{
    struct hub_device *d = hub_device_of(s);
    struct mqtt_connection *c = d->connection;
    bool present = !d->clean_session && d->stored != 0;

    free(d->greeting);
    d->greeting = NULL;
    if (c->state != CONNECTING)
        return;
    if (status != ST_OK) {
        mqtt_connection_refuse(c, (enum mqtt_connack)hub_error(status)->connack);
        return;
    }
    if (d->clean_session && d->stored != 0) {
        d->stored = 0;
        buf_clear(&d->method_filters);
        session_subscribe(s, 0, (slice){0}, true, on_cleared, NULL);
    } else {
        welcome(d, present);
    }
}

/* For the operator, who sees why it does not come in. */
static void note_refusal(const struct hub_device *d, enum status status, const struct fault *why)
{
    const struct mqtt_connection *c = d->connection;
    slice id = d->identity;
    const struct hub_refusal refusal = {
        .device_id = slice_split(&id, '/'), /* behind it, a module */
        .reason = slice_str(why->text),
        .protocol = SLICE("mqtt"),
        .address = stream_peer(c->stream),
    };

    if (status == ST_UNAUTHORIZED)
        hub_refusal_note(c->front->options.provisioning, &refusal);
}

static void on_principal(void *context, enum status status, const struct device_principal *p,
                         const struct fault *why)
{
    struct hub_device *d = context;
    struct mqtt_connection *c = d->connection;

    if (c->state != CONNECTING) {
        release(d);
        return;
    }
    if (status != ST_OK) {
        LOG_LIMITED(LOG_LEVEL_WARN, "connect_refused", LOG_TEXT("device", d->identity),
                    LOG_STR("status", status_name(status)),
                    LOG_TEXT("peer", stream_peer(c->stream)), LOG_FAULT(why));
        note_refusal(d, status, why);
        mqtt_connection_refuse(c, (enum mqtt_connack)hub_error(status)->connack);
    } else {
        const struct session_options options = {
            .model_id = d->model_id,
            .client_type = d->client_type,
            .protocol = SLICE("mqtt"),
            .peer = stream_peer(c->stream),
        };

        stream_set_authenticated(c->stream);
        stream_set_input_max(c->stream, MQTT_PACKET_MAX);
        d->stored = p->subscriptions;
        buf_append(&d->method_filters, p->method_filters);
        d->opened = true;
        hold(d);
        session_open(&d->session, c->front->options.hub, p, &options, on_session_open);
    }
    release(d);
}

static slice put(char **at, slice bytes)
{
    slice copy = slice_of(*at, bytes.len);

    if (bytes.len)
        memcpy(*at, bytes.ptr, bytes.len);
    *at += bytes.len;
    return copy;
}

static bool keep_greeting(struct hub_device *d, slice client_id, const struct hub_username *name)
{
    char *at = malloc(client_id.len + name->model_id.len + name->client_type.len + 1);

    d->greeting = at;
    if (!at)
        return false;
    d->identity = put(&at, client_id);
    d->model_id = put(&at, name->model_id);
    d->client_type = put(&at, name->client_type);
    return true;
}

static bool keep_will(struct hub_device *d, const struct mqtt_connect *connect, slice bag)
{
    struct hub_will *will = malloc(sizeof *will + bag.len + connect->will_payload.len);
    char *at = (char *)(will + 1);

    d->will = will;
    if (!will)
        return false;
    will->retain = connect->will_retain;
    will->bag = put(&at, bag);
    will->payload = put(&at, connect->will_payload);
    return true;
}

/* The will's topic must be the identity's own events topic, QoS 0 or 1 (2.9). */
static bool will_allowed(const struct mqtt_connect *connect, const struct hub_username *name,
                         slice *ret_bag)
{
    struct hub_topic topic;

    if (!connect->has_will)
        return true;
    hub_topic_parse(connect->will_topic, name->device_id, name->module_id, &topic);
    *ret_bag = topic.bag;
    return topic.kind == HUB_TOPIC_EVENTS && connect->will_qos <= 1;
}

/* {did} or {did}/{mid} (2.1). */
static bool client_id_agrees(slice client_id, const struct hub_username *name)
{
    if (name->module_id.len == 0)
        return slice_equal(client_id, name->device_id);
    return client_id.len == name->device_id.len + 1 + name->module_id.len &&
           slice_starts_with(client_id, name->device_id) &&
           client_id.ptr[name->device_id.len] == '/' && slice_ends_with(client_id, name->module_id);
}

static bool connect_allowed(struct mqtt_connection *c, const struct mqtt_connect *connect,
                            struct hub_username *ret_name, slice *ret_bag)
{
    struct arena *arena = &mqtt_connection_scratch(c)->arena;
    struct fault why;

    return hub_username_parse(connect->username, arena, ret_name, &why) == ST_OK &&
           device_id_valid(ret_name->device_id) &&
           (ret_name->module_id.len == 0 || device_id_valid(ret_name->module_id)) &&
           client_id_agrees(connect->client_id, ret_name) &&
           will_allowed(connect, ret_name, ret_bag);
}

static struct hub_device *create(struct mqtt_connection *c, const struct mqtt_connect *connect,
                                 const struct hub_username *name, slice will_bag)
{
    struct hub_device *d = calloc(1, sizeof *d);

    if (!d)
        return NULL;
    d->connection = c;
    d->holders = 1;
    d->session.ops = &session_ops;
    d->keep_alive_s = connect->keep_alive_s;
    d->clean_session = connect->clean_session;
    buf_init(&d->method_filters, MQTT_CONNECT_MAX);
    if (!keep_greeting(d, connect->client_id, name) ||
        (connect->has_will && !keep_will(d, connect, will_bag))) {
        free(d->greeting);
        free(d);
        return NULL;
    }
    mqtt_connection_hold(c);
    c->device = d;
    c->service = &service;
    return d;
}

void hub_device_connect(struct mqtt_connection *c, const struct mqtt_connect *connect)
{
    struct hub_username name;
    struct device_login login;
    struct hub_device *d;
    slice will_bag = {0};

    if (!connect_allowed(c, connect, &name, &will_bag)) {
        metric_add(METRIC_CONNECTS_MALFORMED, 1);
        mqtt_connection_refuse(c, MQTT_CONNACK_NOT_AUTHORIZED);
        return;
    }
    d = create(c, connect, &name, will_bag);
    if (!d) {
        mqtt_connection_refuse(c, MQTT_CONNACK_UNAVAILABLE);
        return;
    }
    login = (struct device_login){
        .host = name.host,
        .device_id = name.device_id,
        .module_id = name.module_id,
        .sas_token = connect->password,
        .certificate = stream_peer_certificate(c->stream),
        .intermediates = stream_peer_intermediates(c->stream),
    };
    hold(d);
    stream_pause(c->stream);
    identity_authenticate(c->front->options.identity, &login, on_principal, d);
}
