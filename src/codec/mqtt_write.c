/* The writing half of mqtt.h. */
#include "codec/mqtt.h"

#include <assert.h>

#define REMAINING_LENGTH_MAX 268435455u
#define SUBACK_CODES_MAX 16

static uint8_t first_byte(enum mqtt_type type, unsigned flags)
{
    return (uint8_t)((unsigned)type << 4 | flags);
}

/* --- small packets -------------------------------------------------------------------------- */

slice mqtt_connack_write(bool session_present, enum mqtt_connack code, uint8_t to[4])
{
    to[0] = first_byte(MQTT_CONNACK, 0);
    to[1] = 2;
    /* A refusal never speaks of a session (MQTT 3.1.1, 3.2.2-4). */
    to[2] = session_present && code == MQTT_CONNACK_ACCEPTED;
    to[3] = (uint8_t)code;
    return slice_of(to, 4);
}

static slice ack_write(enum mqtt_type type, uint16_t packet_id, uint8_t to[4])
{
    to[0] = first_byte(type, 0);
    to[1] = 2;
    to[2] = (uint8_t)(packet_id >> 8);
    to[3] = (uint8_t)packet_id;
    return slice_of(to, 4);
}

slice mqtt_puback_write(uint16_t packet_id, uint8_t to[4])
{
    return ack_write(MQTT_PUBACK, packet_id, to);
}

slice mqtt_unsuback_write(uint16_t packet_id, uint8_t to[4])
{
    return ack_write(MQTT_UNSUBACK, packet_id, to);
}

slice mqtt_pingresp_write(uint8_t to[2])
{
    to[0] = first_byte(MQTT_PINGRESP, 0);
    to[1] = 0;
    return slice_of(to, 2);
}

slice mqtt_suback_write(uint16_t packet_id, const uint8_t *codes, size_t count, uint8_t to[24])
{
    assert(count <= SUBACK_CODES_MAX);
    ack_write(MQTT_SUBACK, packet_id, to);
    to[1] = (uint8_t)(2 + count);
    for (size_t i = 0; i < count; i++)
        to[4 + i] = codes[i];
    return slice_of(to, 4 + count);
}

/* --- packets that grow ---------------------------------------------------------------------- */

/* A packet that cannot be spelled fails the buffer, as one that does not fit would. */
static void head_write(uint8_t first, size_t length, struct buf *to)
{
    if (length > REMAINING_LENGTH_MAX) {
        to->failed = true;
        return;
    }
    buf_append_byte(to, first);
    for (; length > 0x7f; length >>= 7)
        buf_append_byte(to, (uint8_t)(length | 0x80));
    buf_append_byte(to, (uint8_t)length);
}

static void string_write(slice text, struct buf *to)
{
    if (text.len > UINT16_MAX) {
        to->failed = true;
        return;
    }
    buf_append_u16(to, (uint16_t)text.len);
    buf_append(to, text);
}

void mqtt_publish_head_write(slice topic, size_t payload_len, uint8_t qos, bool dup,
                             uint16_t packet_id, struct buf *to)
{
    size_t length = payload_len > REMAINING_LENGTH_MAX
                        ? payload_len
                        : 2 + topic.len + (qos ? 2 : 0) + payload_len;

    head_write(first_byte(MQTT_PUBLISH, (dup ? 8u : 0u) | (unsigned)qos << 1), length, to);
    string_write(topic, to);
    if (qos > 0)
        buf_append_u16(to, packet_id);
}

static uint8_t connect_flags(const struct mqtt_connect *connect)
{
    unsigned flags = connect->clean_session ? 0x02 : 0;

    if (connect->has_will)
        flags |= 0x04u | (unsigned)connect->will_qos << 3 | (connect->will_retain ? 0x20u : 0u);
    flags |= connect->has_password ? 0x40u : 0u;
    flags |= connect->has_username ? 0x80u : 0u;
    return (uint8_t)flags;
}

/* A record without protocol and level speaks MQTT 3.1.1. */
void mqtt_connect_write(const struct mqtt_connect *connect, struct buf *to)
{
    slice protocol = connect->protocol.ptr ? connect->protocol : SLICE("MQTT");
    struct {
        bool present;
        slice text;
    } fields[] = {
        {true, connect->client_id},
        {connect->has_will, connect->will_topic},
        {connect->has_will, connect->will_payload},
        {connect->has_username, connect->username},
        {connect->has_password, connect->password},
    };
    size_t length = 2 + protocol.len + 4;

    for (size_t i = 0; i < COUNT_OF(fields); i++)
        length += fields[i].present ? 2 + fields[i].text.len : 0;
    head_write(first_byte(MQTT_CONNECT, 0), length, to);
    string_write(protocol, to);
    buf_append_byte(to, connect->level ? connect->level : 4);
    buf_append_byte(to, connect_flags(connect));
    buf_append_u16(to, connect->keep_alive_s);
    for (size_t i = 0; i < COUNT_OF(fields); i++) {
        if (fields[i].present)
            string_write(fields[i].text, to);
    }
}

void mqtt_subscribe_write(uint16_t packet_id, slice filter, uint8_t qos, struct buf *to)
{
    head_write(first_byte(MQTT_SUBSCRIBE, 2), 2 + 2 + filter.len + 1, to);
    buf_append_u16(to, packet_id);
    string_write(filter, to);
    buf_append_byte(to, qos);
}
