/* A device that provisions over MQTT (contract/provisioning.md 2.2).
 *
 * CONNECT and SUBSCRIBE succeed whatever the credential, as Azure does: a refusal comes on the
 * answer topic, with a body and a tracking ID, and the connection ends ten seconds later. Nothing
 * is kept between connections. */
#include "front/mqtt/connection.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "codec/topic.h"
#include "codec/wire_error.h"
#include "crypto/crypto.h"

#define DPS_PACKET_MAX (100 * 1024) /* a body of 96 KiB, its topic */
#define DPS_REFUSED_LINGER_MS 10000
#define DPS_PROOF_WAIT_MS 60000 /* to prove who it is */
#define DPS_HELD_ANSWERS_MAX 4
#define DPS_RESPONSES SLICE("$dps/registrations/res/#")

/* An answer that the client cannot hear yet: kept until it subscribes, or ten seconds. */
struct held_answer {
    struct buf topic, body;
};

struct dps_device {
    struct mqtt_connection *connection;
    char *memory; /* what CONNECT said, one block */
    slice id_scope, registration_id, sas_token;
    bool subscribed;
    bool refused; /* its credential was; nothing more is looked at */
    uint8_t qos;  /* of the answers, as granted */
    uint16_t last_packet_id;
    unsigned holders; /* the connection and each request under way */
    struct timer linger, held_too_long;
    size_t held_count;
    struct held_answer held[DPS_HELD_ANSWERS_MAX];
};

struct dps_request {
    struct dps_device *device;
    slice rid; /* behind the struct */
};

static void drop_held(struct dps_device *d)
{
    timer_cancel(&d->held_too_long);
    while (d->held_count > 0) {
        struct held_answer *held = &d->held[--d->held_count];

        buf_deinit(&held->topic);
        buf_deinit(&held->body);
    }
}

static void release(struct dps_device *d)
{
    struct mqtt_connection *c = d->connection;

    if (--d->holders > 0)
        return;
    free(d->memory);
    free(d);
    mqtt_connection_release(c);
}

static void on_end(struct mqtt_connection *c)
{
    struct dps_device *d = c->device;

    timer_cancel(&d->linger);
    drop_held(d);
    release(d);
}

/* --- answers ---------------------------------------------------------------------------------- */

static void send_answer(struct dps_device *d, slice topic, slice body)
{
    if (d->qos > 0 && ++d->last_packet_id == 0)
        d->last_packet_id = 1;
    mqtt_connection_publish(d->connection, topic, body, d->qos, false, d->last_packet_id);
}

static void on_held_too_long(struct timer *t)
{
    drop_held((struct dps_device *)((char *)t - offsetof(struct dps_device, held_too_long)));
}

static void hold_answer(struct dps_device *d, slice topic, slice body)
{
    struct held_answer *held;

    if (d->held_count == DPS_HELD_ANSWERS_MAX)
        return;
    held = &d->held[d->held_count++];
    buf_init(&held->topic, topic.len);
    buf_append(&held->topic, topic);
    buf_init(&held->body, body.len);
    buf_append(&held->body, body);
    timer_arm(stream_worker(d->connection->stream), &d->held_too_long, DPS_REFUSED_LINGER_MS,
              on_held_too_long);
}

static void send_held(struct dps_device *d)
{
    d->holders++; /* a publish may close */
    for (size_t i = 0; i < d->held_count; i++)
        send_answer(d, buf_slice(&d->held[i].topic), buf_slice(&d->held[i].body));
    drop_held(d);
    release(d);
}

static void on_linger_over(struct timer *t)
{
    struct dps_device *d = (struct dps_device *)((char *)t - offsetof(struct dps_device, linger));

    mqtt_connection_close(d->connection);
}

static int topic_status(const struct registration *r)
{
    if (r->status != ST_OK)
        return dps_error(r->status)->http_status;
    return r->state == REG_ASSIGNING ? 202 : 200;
}

/* $dps/registrations/res/{status}/?$rid={rid}[&retry-after={s}]: $rid first, each key once. */
static void write_topic(const struct registration *r, slice rid, struct buf *topic)
{
    buf_printf(topic, "$dps/registrations/res/%03d/?$rid=", topic_status(r));
    buf_append(topic, rid);
    if (r->retry_after_s > 0)
        buf_printf(topic, "&retry-after=%u", r->retry_after_s);
}

static void log_refusal(const struct dps_device *d, const struct registration *r,
                        const struct fault *why, slice tracking)
{
    LOG_LIMITED(LOG_LEVEL_WARN, "registration_refused",
                LOG_TEXT("registration", d->registration_id),
                LOG_STR("status", status_name(r->status)), LOG_STR("cause", why ? why->text : ""),
                LOG_TEXT("peer", stream_peer(d->connection->stream)), LOG_TEXT("trace", tracking));
}

/* Only what comes behind the attestation proves who it is. */
static bool is_attested(const struct registration *r)
{
    return r->status == ST_OK || r->status == ST_THROTTLED || r->status == ST_NOT_FOUND;
}

static void answer(struct dps_device *d, slice rid, const struct registration *r,
                   const struct fault *why)
{
    struct buf *topic = &mqtt_connection_scratch(d->connection)->topic;
    BUF_CLEANUP struct buf body = {.max = DPS_PACKET_MAX};
    char tracking[UUID_LEN];

    random_uuid(tracking);
    buf_clear(topic);
    write_topic(r, rid, topic);
    registration_write_json(r, false, slice_of(tracking, UUID_LEN), clock_wall_ms(), &body);
    if (topic->failed || body.failed) {
        mqtt_connection_close(d->connection);
        return;
    }
    if (r->status != ST_OK)
        log_refusal(d, r, why, slice_of(tracking, UUID_LEN));
    if (d->subscribed)
        send_answer(d, buf_slice(topic), buf_slice(&body));
    else
        hold_answer(d, buf_slice(topic), buf_slice(&body));
    if (!mqtt_connection_is_open(d->connection))
        return;
    if (r->status == ST_UNAUTHORIZED) {
        d->refused = true;
        timer_arm(stream_worker(d->connection->stream), &d->linger, DPS_REFUSED_LINGER_MS,
                  on_linger_over);
    } else if (is_attested(r)) {
        timer_cancel(&d->linger);
        stream_set_authenticated(d->connection->stream);
    }
}

static void on_registration(void *context, const struct registration *r, const struct fault *why)
{
    struct dps_request *request = context;
    struct dps_device *d = request->device;

    if (mqtt_connection_is_open(d->connection))
        answer(d, request->rid, r, why);
    free(request);
    release(d);
}

/* --- packets ---------------------------------------------------------------------------------- */

static struct dps_request *request_create(struct dps_device *d, slice rid)
{
    struct dps_request *r = malloc(sizeof *r + rid.len);

    if (!r)
        return NULL;
    r->device = d;
    r->rid = slice_of(r + 1, rid.len);
    if (rid.len)
        memcpy(r + 1, rid.ptr, rid.len);
    d->holders++;
    return r;
}

static enum packet_verdict on_publish(struct dps_device *d, const struct mqtt_packet *packet)
{
    struct mqtt_connection *c = d->connection;
    struct mqtt_publish publish;
    struct dps_topic topic;
    struct dps_request *pending;
    struct fault why;

    if (mqtt_publish_parse(packet, &publish, &why) != ST_OK || publish.qos > 1)
        return PACKET_WRONG;
    dps_topic_parse(publish.topic, &topic);
    if (topic.kind == DPS_TOPIC_UNKNOWN || topic.rid.len > MQTT_RID_MAX)
        return PACKET_WRONG;
    if (d->refused)
        return PACKET_TAKEN; /* it has its answer; the connection ends soon */
    pending = request_create(d, topic.rid);
    if (!pending)
        return PACKET_WRONG;
    if (publish.qos > 0)
        mqtt_connection_puback(c, publish.packet_id);

    const struct registration_request request = {
        .id_scope = d->id_scope,
        .registration_id = d->registration_id,
        .sas_token = d->sas_token,
        .certificate = stream_peer_certificate(c->stream),
        .intermediates = stream_peer_intermediates(c->stream),
        .body = publish.payload,
        .protocol = SLICE("mqtt"),
        .address = stream_peer(c->stream),
        .now = clock_wall_ms(),
    };
    if (topic.kind == DPS_TOPIC_REGISTER)
        registration_register(c->front->options.provisioning, &request, on_registration, pending);
    else
        registration_status(c->front->options.provisioning, &request, topic.operation_id,
                            on_registration, pending);
    return PACKET_TAKEN;
}

static enum packet_verdict on_subscribe(struct dps_device *d, slice body)
{
    struct mqtt_subscribe subscribe;
    uint8_t codes[MQTT_FILTERS_MAX], qos, packet[24];
    struct fault why;
    size_t count = 0;
    slice filter;

    if (mqtt_subscribe_parse(body, &subscribe, &why) != ST_OK || subscribe.count > MQTT_FILTERS_MAX)
        return PACKET_WRONG;
    while (mqtt_subscribe_next(&subscribe, &filter, &qos)) {
        bool known = slice_equal(filter, DPS_RESPONSES);

        codes[count] = known ? (qos > 0 ? 1 : 0) : 0x80;
        if (known) {
            d->subscribed = true;
            d->qos = codes[count];
        }
        count++;
    }
    mqtt_connection_write(d->connection,
                          mqtt_suback_write(subscribe.packet_id, codes, count, packet));
    if (d->subscribed)
        send_held(d);
    return PACKET_TAKEN;
}

static enum packet_verdict on_unsubscribe(struct dps_device *d, slice body)
{
    struct mqtt_subscribe unsubscribe;
    struct fault why;
    uint8_t packet[4];
    slice filter;

    if (mqtt_unsubscribe_parse(body, &unsubscribe, &why) != ST_OK)
        return PACKET_WRONG;
    while (mqtt_unsubscribe_next(&unsubscribe, &filter)) {
        if (slice_equal(filter, DPS_RESPONSES))
            d->subscribed = false;
    }
    mqtt_connection_write(d->connection, mqtt_unsuback_write(unsubscribe.packet_id, packet));
    return PACKET_TAKEN;
}

static enum packet_verdict on_packet(struct mqtt_connection *c, const struct mqtt_packet *packet)
{
    struct dps_device *d = c->device;
    uint8_t pong[2];

    switch (packet->type) {
    case MQTT_PUBLISH:
        return on_publish(d, packet);
    case MQTT_PUBACK:
        return PACKET_TAKEN; /* answers are not kept, so nothing is settled by it */
    case MQTT_SUBSCRIBE:
        return on_subscribe(d, packet->body);
    case MQTT_UNSUBSCRIBE:
        return on_unsubscribe(d, packet->body);
    case MQTT_PINGREQ:
        mqtt_connection_write(c, mqtt_pingresp_write(pong));
        return PACKET_TAKEN;
    case MQTT_DISCONNECT:
        mqtt_connection_close(c);
        return PACKET_TAKEN;
    default:
        return PACKET_WRONG;
    }
}

static const struct mqtt_service service = {
    .name = "dps",
    .on_packet = on_packet,
    .on_end = on_end,
};

/* --- CONNECT ---------------------------------------------------------------------------------- */

static slice put(char **at, slice bytes)
{
    slice copy = slice_of(*at, bytes.len);

    if (bytes.len)
        memcpy(*at, bytes.ptr, bytes.len);
    *at += bytes.len;
    return copy;
}

static struct dps_device *create(struct mqtt_connection *c, const struct dps_username *name,
                                 slice sas_token)
{
    struct dps_device *d = calloc(1, sizeof *d);
    char *at = malloc(name->id_scope.len + name->registration_id.len + sas_token.len + 1);

    if (!d || !at) {
        free(d);
        free(at);
        return NULL;
    }
    d->memory = at;
    d->connection = c;
    d->holders = 1;
    d->id_scope = put(&at, name->id_scope);
    d->registration_id = put(&at, name->registration_id);
    d->sas_token = put(&at, sas_token);
    mqtt_connection_hold(c);
    return d;
}

void dps_device_connect(struct mqtt_connection *c, const struct mqtt_connect *connect)
{
    slice scope = provisioning_id_scope(c->front->options.provisioning);
    struct dps_username name;
    struct dps_device *d;
    struct fault why;

    if (dps_username_parse(connect->username, &mqtt_connection_scratch(c)->arena, &name, &why) !=
            ST_OK ||
        !slice_equal_nocase(name.registration_id, connect->client_id) ||
        !slice_equal_nocase(name.id_scope, scope)) {
        mqtt_connection_refuse(c, MQTT_CONNACK_NOT_AUTHORIZED);
        return;
    }
    d = create(c, &name, connect->password);
    if (!d) {
        mqtt_connection_refuse(c, MQTT_CONNACK_UNAVAILABLE);
        return;
    }
    c->device = d;
    c->service = &service;
    stream_set_input_max(c->stream, DPS_PACKET_MAX);
    timer_arm(stream_worker(c->stream), &d->linger, DPS_PROOF_WAIT_MS, on_linger_over);
    mqtt_connection_accept(c, false, connect->keep_alive_s);
}
