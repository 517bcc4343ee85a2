/* Cloud-to-device over MQTT: PUBACK completes, QoS 0 completes on write, nothing can be rejected
 * (hub-device.md 2.8). */
#include "front/mqtt/hub_device.h"

#include <stdlib.h>

#include "base/log.h"

static struct c2d_in_flight *find_in_flight(struct hub_device *d, uint16_t packet_id)
{
    for (size_t i = 0; d->in_flight && i < C2D_IN_FLIGHT_MAX; i++) {
        if (d->in_flight[i].packet_id == packet_id)
            return &d->in_flight[i];
    }
    return NULL;
}

/* A free place with a packet identifier that no other delivery uses; NULL when all are taken. */
static struct c2d_in_flight *take_in_flight(struct hub_device *d, int64_t sequence)
{
    struct c2d_in_flight *place;

    if (!d->in_flight)
        d->in_flight = calloc(C2D_IN_FLIGHT_MAX, sizeof *d->in_flight);
    place = find_in_flight(d, 0);
    if (!place)
        return NULL;
    do {
        if (++d->last_packet_id == 0)
            d->last_packet_id = 1;
    } while (find_in_flight(d, d->last_packet_id));
    *place = (struct c2d_in_flight){.packet_id = d->last_packet_id, .sequence = sequence};
    return place;
}

/* What the service made unreadable would block the queue for ever: dead-letter it. */
static bool write_topic(struct hub_device *d, const struct c2d_delivery *delivery,
                        struct buf *topic)
{
    struct mqtt_scratch *scratch = mqtt_connection_scratch(d->connection);
    struct property_bag properties;
    struct fault why;
    bool ok = property_bag_parse(delivery->properties, &scratch->arena, &properties, &why) == ST_OK;

    if (ok)
        c2d_topic_write(d->session.device_id, d->session.module_id, &properties, topic);
    arena_reset(&scratch->arena);
    if (ok && !topic->failed && topic->len <= UINT16_MAX)
        return true;
    LOG_LIMITED(LOG_LEVEL_WARN, "c2d_undeliverable", LOG_TEXT("device", d->session.device_id),
                LOG_INT("sequence", delivery->sequence));
    return false;
}

void hub_deliver_c2d(struct session *s, const struct c2d_delivery *delivery)
{
    struct hub_device *d = hub_device_of(s);
    struct buf *topic;
    struct c2d_in_flight *place;

    if (!mqtt_connection_is_open(d->connection))
        return;
    topic = &mqtt_connection_scratch(d->connection)->topic;
    buf_clear(topic);
    if (!write_topic(d, delivery, topic)) {
        c2d_reject(s, delivery->sequence);
        return;
    }
    if (d->subscriptions & SUB_C2D_AT_QOS0) {
        mqtt_connection_publish(d->connection, buf_slice(topic), delivery->body, 0, false, 0);
        c2d_complete(s, delivery->sequence);
        return;
    }
    place = take_in_flight(d, delivery->sequence);
    if (!place)
        mqtt_connection_close(d->connection); /* out of memory: it goes back to the queue */
    else
        mqtt_connection_publish(d->connection, buf_slice(topic), delivery->body, 1, delivery->again,
                                place->packet_id);
}

void hub_on_puback(struct hub_device *d, uint16_t packet_id)
{
    struct c2d_in_flight *place = packet_id ? find_in_flight(d, packet_id) : NULL;

    if (!place)
        return; /* of an earlier connection, or repeated */
    place->packet_id = 0;
    c2d_complete(&d->session, place->sequence);
}
