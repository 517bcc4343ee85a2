/* One MQTT connection: framing, the wait for CONNECT, keep-alive, the end.
 *
 *     await CONNECT -> connecting -> open -> ended
 *
 * What the packets mean is the business of a service: the hub's (hub_device.c) or the DPS's
 * (dps_device.c), chosen at CONNECT. */
#ifndef MUSTER_FRONT_MQTT_CONNECTION_H
#define MUSTER_FRONT_MQTT_CONNECTION_H

#include "base/arena.h"
#include "base/buf.h"
#include "codec/mqtt.h"
#include "front/mqtt/mqtt_front.h"

struct mqtt_connection;

#define MQTT_CONNECT_MAX (16 * 1024)      /* bytes of a CONNECT without a will */
#define MQTT_CONNECT_WILL_MAX (80 * 1024) /* with one */
#define MQTT_PACKET_MAX (320 * 1024)      /* any later packet */
#define MQTT_CREDENTIAL_MAX 4096          /* user name, password */
#define MQTT_CONNECT_WAIT_MS 30000
#define MQTT_SILENCE_MAX_MS 1767000 /* hub-device.md 2.4 */
#define MQTT_KEEP_ALIVE_DEFAULT_S 1177
#define MQTT_PACKETS_A_TURN 64 /* then others get theirs (SECURITY-MODEL R3) */
#define MQTT_FILTERS_MAX 16
#define MQTT_RID_MAX 1024 /* request IDs are echoed in topics, behind more than they came with */

enum packet_verdict {
    PACKET_TAKEN,
    PACKET_LATER, /* not taken: the stream was paused and offers it again */
    PACKET_WRONG, /* against the protocol or the contract: close */
};

struct mqtt_service {
    const char *name;
    enum packet_verdict (*on_packet)(struct mqtt_connection *c, const struct mqtt_packet *packet);
    /* The connection ends: nothing is written any more. The service lets go of its part. */
    void (*on_end)(struct mqtt_connection *c);
};

enum connection_state { AWAIT_CONNECT, CONNECTING, OPEN, ENDED };

struct mqtt_connection {
    struct stream *stream; /* NULL once it ended */
    struct mqtt_front *front;
    const struct mqtt_service *service; /* NULL before CONNECT */
    void *device;                       /* the service's part */
    struct timer timer;                 /* the wait for CONNECT, then keep-alive */
    uint32_t silence_max_ms;
    uint32_t refs; /* the stream's, and one for each answer under way */
    enum connection_state state;
    bool not_reading; /* the stream is paused by us: silence is no fault of the client */
};

/* What a worker keeps for all its connections. */
struct mqtt_scratch {
    struct buf topic;   /* a topic under construction */
    struct buf head;    /* the head of a PUBLISH */
    struct arena arena; /* emptied after each packet */
};

struct mqtt_front {
    struct mqtt_front_options options;
    struct workers *workers;
    struct mqtt_scratch *scratch; /* one a worker */
};

struct mqtt_scratch *mqtt_connection_scratch(struct mqtt_connection *c);

/* An answer is under way: the connection's memory stays until the matching release. */
void mqtt_connection_hold(struct mqtt_connection *c);
void mqtt_connection_release(struct mqtt_connection *c);

static inline bool mqtt_connection_is_open(const struct mqtt_connection *c)
{
    return c->stream && c->state == OPEN;
}

/* CONNACK 0; from now on packets go to the service. `keep_alive_s` as the client asked. */
void mqtt_connection_accept(struct mqtt_connection *c, bool session_present, uint16_t keep_alive_s);
/* CONNACK with a refusal, then the end. */
void mqtt_connection_refuse(struct mqtt_connection *c, enum mqtt_connack code);
void mqtt_connection_close(struct mqtt_connection *c);

void mqtt_connection_write(struct mqtt_connection *c, slice bytes);
/* One PUBLISH; `packet_id` counts for QoS 1. */
void mqtt_connection_publish(struct mqtt_connection *c, slice topic, slice payload, uint8_t qos,
                             bool dup, uint16_t packet_id);
void mqtt_connection_puback(struct mqtt_connection *c, uint16_t packet_id);

/* connect.c: decides what a CONNECT becomes. */
enum packet_verdict mqtt_connection_on_connect(struct mqtt_connection *c,
                                               const struct mqtt_packet *packet);

/* The two services' entrances. The CONNECT is borrowed for the call. */
void hub_device_connect(struct mqtt_connection *c, const struct mqtt_connect *connect);
void dps_device_connect(struct mqtt_connection *c, const struct mqtt_connect *connect);

#endif
