/* MQTT 3.1.1 packets: bytes to values and back, nothing else.
 *
 * mqtt_frame cuts one packet off a stream of bytes; the mqtt_*_parse functions read its body.
 * Slices borrow from the input. Everything a client may send is checked against OASIS MQTT 3.1.1
 * (reserved flags, UTF-8, identifiers that may not be zero); what our service allows of that is
 * the front's business. Absent and empty are told apart. */
#ifndef MUSTER_CODEC_MQTT_H
#define MUSTER_CODEC_MQTT_H

#include "base/buf.h"
#include "base/status.h"

enum mqtt_type {
    MQTT_CONNECT = 1,
    MQTT_CONNACK,
    MQTT_PUBLISH,
    MQTT_PUBACK,
    MQTT_PUBREC,
    MQTT_PUBREL,
    MQTT_PUBCOMP,
    MQTT_SUBSCRIBE,
    MQTT_SUBACK,
    MQTT_UNSUBSCRIBE,
    MQTT_UNSUBACK,
    MQTT_PINGREQ,
    MQTT_PINGRESP,
    MQTT_DISCONNECT,
};

struct mqtt_packet {
    enum mqtt_type type;
    uint8_t flags; /* low four bits of the first byte */
    slice body;    /* variable header and payload */
    size_t size;   /* the whole packet, fixed header included */
};

enum mqtt_frame_result {
    MQTT_FRAME_COMPLETE,
    MQTT_FRAME_MORE,      /* not all there yet */
    MQTT_FRAME_MALFORMED, /* reserved type, wrong flags, length of more than 4 bytes */
    MQTT_FRAME_TOO_LARGE, /* announces more than `size_max` bytes in all */
};
/* `size_max` is compared as soon as the length is known: nothing waits for a giant. */
enum mqtt_frame_result mqtt_frame(slice input, size_t size_max, struct mqtt_packet *ret);

struct mqtt_connect {
    slice protocol; /* "MQTT" */
    uint8_t level;  /* 4 is MQTT 3.1.1 */
    bool clean_session;
    uint16_t keep_alive_s;
    slice client_id;
    bool has_will, has_username, has_password;
    bool will_retain;
    uint8_t will_qos;
    slice will_topic, will_payload;
    slice username, password;
};
/* ST_BAD_REQUEST for malformed bytes. For another protocol level only protocol and level are
 * filled and ST_OK is given: the caller looks at `level` first. */
CHECKED enum status mqtt_connect_parse(slice body, struct mqtt_connect *ret, struct fault *why);

struct mqtt_publish {
    slice topic;
    slice payload;
    uint16_t packet_id; /* 0 with QoS 0 */
    uint8_t qos;
    bool dup, retain;
};
/* On the hot path: one pass, no copy. The topic holds at least one byte. Wildcards in it,
 * which the specification forbids, are let through: the C SDK writes property values raw
 * (hub-device.md 2.7), and topics are compared whole, never used as filters. */
CHECKED enum status mqtt_publish_parse(const struct mqtt_packet *packet, struct mqtt_publish *ret,
                                       struct fault *why);

struct mqtt_subscribe {
    uint16_t packet_id;
    slice filters; /* checked whole: walking them cannot fail */
    size_t count;
};
CHECKED enum status mqtt_subscribe_parse(slice body, struct mqtt_subscribe *ret, struct fault *why);
/* Takes the next filter and its QoS off the front; false at the end. */
bool mqtt_subscribe_next(struct mqtt_subscribe *s, slice *ret_filter, uint8_t *ret_qos);

CHECKED enum status mqtt_unsubscribe_parse(slice body, struct mqtt_subscribe *ret,
                                           struct fault *why);
bool mqtt_unsubscribe_next(struct mqtt_subscribe *s, slice *ret_filter);

/* The packet identifier of PUBACK, PUBREC, PUBREL, PUBCOMP. */
CHECKED enum status mqtt_ack_parse(slice body, uint16_t *ret_packet_id, struct fault *why);

enum mqtt_connack {
    MQTT_CONNACK_ACCEPTED = 0,
    MQTT_CONNACK_VERSION = 1,
    MQTT_CONNACK_UNAVAILABLE = 3,
    MQTT_CONNACK_NOT_AUTHORIZED = 5,
};

/* Small packets into fixed arrays: no allocation. */
slice mqtt_connack_write(bool session_present, enum mqtt_connack code, uint8_t to[4]);
slice mqtt_puback_write(uint16_t packet_id, uint8_t to[4]);
slice mqtt_pingresp_write(uint8_t to[2]);
slice mqtt_unsuback_write(uint16_t packet_id, uint8_t to[4]);
/* `codes`: one return code for each filter, at most 16. */
slice mqtt_suback_write(uint16_t packet_id, const uint8_t *codes, size_t count, uint8_t to[24]);
/* The head of a PUBLISH up to its payload, appended; the caller sends `payload_len` bytes after
 * it. RETAIN is never set. `packet_id` counts for QoS 1 only. */
void mqtt_publish_head_write(slice topic, size_t payload_len, uint8_t qos, bool dup,
                             uint16_t packet_id, struct buf *to);

/* For tests, tools and the simulator: the client's side. */
void mqtt_connect_write(const struct mqtt_connect *connect, struct buf *to);
void mqtt_subscribe_write(uint16_t packet_id, slice filter, uint8_t qos, struct buf *to);

#endif
