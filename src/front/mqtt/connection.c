#include "front/mqtt/connection.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/metrics.h"

struct mqtt_scratch *mqtt_connection_scratch(struct mqtt_connection *c)
{
    return &c->front->scratch[worker_index(stream_worker(c->stream))];
}

void mqtt_connection_hold(struct mqtt_connection *c)
{
    c->refs++;
}

void mqtt_connection_release(struct mqtt_connection *c)
{
    if (--c->refs == 0)
        free(c);
}

void mqtt_connection_write(struct mqtt_connection *c, slice bytes)
{
    if (c->stream)
        stream_write(c->stream, bytes);
}

void mqtt_connection_publish(struct mqtt_connection *c, slice topic, slice payload, uint8_t qos,
                             bool dup, uint16_t packet_id)
{
    struct buf *head;

    if (!c->stream)
        return;
    head = &mqtt_connection_scratch(c)->head;
    buf_clear(head);
    mqtt_publish_head_write(topic, payload.len, qos, dup, packet_id, head);
    if (head->failed) {
        mqtt_connection_close(c);
        return;
    }
    mqtt_connection_write(c, buf_slice(head));
    mqtt_connection_write(c, payload);
}

void mqtt_connection_puback(struct mqtt_connection *c, uint16_t packet_id)
{
    uint8_t packet[4];

    mqtt_connection_write(c, mqtt_puback_write(packet_id, packet));
}

/* The service ends with the decision, not when the peer has heard of it. */
static void end(struct mqtt_connection *c)
{
    if (c->state == ENDED)
        return;
    c->state = ENDED;
    timer_cancel(&c->timer);
    if (c->service)
        c->service->on_end(c);
}

void mqtt_connection_close(struct mqtt_connection *c)
{
    if (c->state == ENDED)
        return;
    end(c);
    if (c->stream)
        stream_close(c->stream);
}

void mqtt_connection_refuse(struct mqtt_connection *c, enum mqtt_connack code)
{
    uint8_t packet[4];

    mqtt_connection_write(c, mqtt_connack_write(false, code, packet));
    mqtt_connection_close(c);
}

/* --- keep-alive ----------------------------------------------------------------------------- */

static struct mqtt_connection *connection_of(struct timer *t)
{
    return (struct mqtt_connection *)((char *)t - offsetof(struct mqtt_connection, timer));
}

static void on_connect_wait_over(struct timer *t)
{
    mqtt_connection_close(connection_of(t));
}

/* Armed once for the whole time allowed; what arrived meanwhile only moves the next look. */
static void on_silence_timer(struct timer *t)
{
    struct mqtt_connection *c = connection_of(t);
    struct worker *w = stream_worker(c->stream);
    int64_t silent_ms = worker_now_ms(w) - stream_last_input_ms(c->stream);

    if (c->not_reading)
        silent_ms = 0;
    if (silent_ms < (int64_t)c->silence_max_ms) {
        timer_arm(w, t, (int64_t)c->silence_max_ms - silent_ms, on_silence_timer);
        return;
    }
    metric_add(METRIC_SESSIONS_KEEPALIVE, 1);
    mqtt_connection_close(c);
}

void mqtt_connection_accept(struct mqtt_connection *c, bool session_present, uint16_t keep_alive_s)
{
    uint8_t packet[4];
    int64_t silence_ms = (int64_t)(keep_alive_s ? keep_alive_s : MQTT_KEEP_ALIVE_DEFAULT_S) * 1500;

    c->state = OPEN;
    c->silence_max_ms =
        (uint32_t)(silence_ms < MQTT_SILENCE_MAX_MS ? silence_ms : MQTT_SILENCE_MAX_MS);
    timer_arm(stream_worker(c->stream), &c->timer, c->silence_max_ms, on_silence_timer);
    mqtt_connection_write(c, mqtt_connack_write(session_present, MQTT_CONNACK_ACCEPTED, packet));
}

/* --- input ---------------------------------------------------------------------------------- */

static enum packet_verdict on_packet(struct mqtt_connection *c, const struct mqtt_packet *packet)
{
    switch (c->state) {
    case AWAIT_CONNECT:
        return mqtt_connection_on_connect(c, packet);
    case CONNECTING:
        return PACKET_LATER;
    case OPEN:
        return c->service->on_packet(c, packet);
    case ENDED:
        break;
    }
    return PACKET_WRONG;
}

static size_t packet_max(const struct mqtt_connection *c)
{
    return c->state == AWAIT_CONNECT ? MQTT_CONNECT_WILL_MAX : MQTT_PACKET_MAX;
}

static void close_for(struct mqtt_connection *c, const char *cause)
{
    if (c->state == ENDED)
        return;
    metric_add(METRIC_SESSIONS_PROTOCOL, 1);
    LOG_LIMITED(LOG_LEVEL_INFO, "mqtt_closed", LOG_STR("cause", cause),
                LOG_TEXT("peer", stream_peer(c->stream)));
    mqtt_connection_close(c);
}

static size_t on_input(void *owner, slice input)
{
    struct mqtt_connection *c = owner;
    size_t taken = 0;
    unsigned packets = 0;
    struct mqtt_packet packet;

    while (c->state != ENDED) {
        enum mqtt_frame_result framed =
            mqtt_frame(slice_from(input, taken), packet_max(c), &packet);
        enum packet_verdict verdict;

        if (framed == MQTT_FRAME_MORE)
            break;
        if (framed != MQTT_FRAME_COMPLETE) {
            close_for(c, framed == MQTT_FRAME_TOO_LARGE ? "packet too large" : "malformed packet");
            break;
        }
        verdict = on_packet(c, &packet);
        if (verdict == PACKET_LATER)
            break;
        taken += packet.size;
        if (verdict == PACKET_WRONG)
            close_for(c, "packet not allowed");
        if (++packets == MQTT_PACKETS_A_TURN && c->state != ENDED) {
            stream_pause(c->stream);
            stream_resume(c->stream); /* the rest is offered in the next turn */
            break;
        }
    }
    return c->state == ENDED ? input.len : taken;
}

static void on_end(void *owner, enum stream_end reason)
{
    struct mqtt_connection *c = owner;

    (void)reason;
    metric_add(METRIC_CONNECTIONS_MQTT, -1);
    end(c);
    c->stream = NULL;
    mqtt_connection_release(c);
}

static void on_open(void *owner)
{
    struct mqtt_connection *c = owner;

    timer_arm(stream_worker(c->stream), &c->timer, MQTT_CONNECT_WAIT_MS, on_connect_wait_over);
}

static const struct stream_handler handler = {
    .on_open = on_open,
    .on_input = on_input,
    .on_end = on_end,
};

void mqtt_front_accept(void *owner, struct stream *s)
{
    struct mqtt_connection *c = calloc(1, sizeof *c);

    if (!c) {
        stream_abort(s);
        return;
    }
    c->front = owner;
    c->stream = s;
    c->refs = 1;
    metric_add(METRIC_CONNECTIONS_MQTT, 1);
    stream_set_handler(s, &handler, c, MQTT_CONNECT_WILL_MAX);
}
