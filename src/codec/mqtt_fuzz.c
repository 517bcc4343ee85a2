#include <assert.h>

#include "codec/mqtt.h"

static void check_connect(slice body)
{
    struct buf BUF_CLEANUP again = {.max = 1 << 20};
    struct mqtt_connect connect;
    struct mqtt_packet packet;
    struct fault why;

    if (mqtt_connect_parse(body, &connect, &why) != ST_OK || connect.level != 4)
        return;
    assert(connect.has_username || !connect.has_password);
    mqtt_connect_write(&connect, &again);
    assert(mqtt_frame(buf_slice(&again), 1 << 20, &packet) == MQTT_FRAME_COMPLETE);
    assert(slice_equal(packet.body, body)); /* there is one spelling only */
}

static void check_publish(const struct mqtt_packet *packet)
{
    struct buf BUF_CLEANUP head = {.max = 1 << 20};
    struct mqtt_publish publish;
    struct fault why;
    size_t at;

    if (mqtt_publish_parse(packet, &publish, &why) != ST_OK)
        return;
    assert(publish.topic.len > 0 && !slice_find(publish.topic, 0, &at));
    assert((publish.qos > 0) == (publish.packet_id > 0));
    mqtt_publish_head_write(publish.topic, publish.payload.len, publish.qos, publish.dup,
                            publish.packet_id, &head);
    assert(!head.failed && slice_ends_with(packet->body, publish.payload));
}

static void check_filters(slice body)
{
    struct mqtt_subscribe s;
    struct fault why;
    slice filter;
    uint8_t qos;
    size_t count;

    if (mqtt_subscribe_parse(body, &s, &why) == ST_OK) {
        for (count = s.count; mqtt_subscribe_next(&s, &filter, &qos); count--)
            assert(filter.len > 0 && qos <= 2);
        assert(count == 0 && s.filters.len == 0);
    }
    if (mqtt_unsubscribe_parse(body, &s, &why) == ST_OK) {
        for (count = s.count; mqtt_unsubscribe_next(&s, &filter); count--)
            assert(filter.len > 0);
        assert(count == 0 && s.filters.len == 0);
    }
}

/* A shorter input gives "more", or fails the same way; never a packet. */
static void check_splits(slice input, enum mqtt_frame_result whole, size_t size)
{
    struct mqtt_packet packet;

    for (size_t len = 0; len < size && len < 300; len++) {
        enum mqtt_frame_result part = mqtt_frame(slice_first(input, len), 4096, &packet);

        assert(part == MQTT_FRAME_MORE || (part == whole && whole != MQTT_FRAME_COMPLETE));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    slice input = {data, size};
    struct mqtt_packet packet = {0};
    enum mqtt_frame_result result = mqtt_frame(input, 4096, &packet);
    struct fault why;
    uint16_t id;

    check_splits(input, result, result == MQTT_FRAME_COMPLETE ? packet.size : size);
    if (result == MQTT_FRAME_COMPLETE)
        assert(packet.size <= size && packet.size <= 4096 && packet.body.len < packet.size);
    else
        packet = (struct mqtt_packet){.flags = size ? data[0] & 15 : 0, .body = input};

    check_connect(packet.body);
    check_publish(&packet);
    check_filters(packet.body);
    if (mqtt_ack_parse(packet.body, &id, &why) == ST_OK)
        assert(id != 0);
    return 0;
}
