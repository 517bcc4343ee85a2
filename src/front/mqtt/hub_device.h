/* A device or module of the hub on an MQTT connection: the parts that hub_*.c share.
 *
 *     hub_device.c     CONNECT, what a device may publish, the end
 *     hub_subscribe.c  SUBSCRIBE and UNSUBSCRIBE, persistent sessions
 *     hub_request.c    twin reads and reports, methods
 *     hub_c2d.c        cloud-to-device deliveries and their acknowledgements
 */
#ifndef MUSTER_FRONT_MQTT_HUB_DEVICE_H
#define MUSTER_FRONT_MQTT_HUB_DEVICE_H

#include "codec/topic.h"
#include "front/mqtt/connection.h"
#include "hub/c2d.h"
#include "hub/method.h"
#include "hub/session.h"
#include "hub/telemetry.h"
#include "hub/twin.h"

/* A will, until the connection ends without DISCONNECT. One block of memory. */
struct hub_will {
    slice bag, payload;
    bool retain;
};

/* A QoS 1 delivery that the device has not acknowledged. */
struct c2d_in_flight {
    uint16_t packet_id; /* 0: free */
    int64_t sequence;
};

/* A twin request under way: the rid to echo. */
struct hub_request {
    struct hub_request *next;
    struct hub_device *device; /* NULL once the session is closed */
    slice rid;                 /* behind the struct */
};

/* A SUBSCRIBE or UNSUBSCRIBE whose effect is under way. */
struct hub_suback {
    struct hub_suback *next;
    uint16_t packet_id;
    bool unsubscribe;
    size_t count;
    uint8_t codes[MQTT_FILTERS_MAX];
};

struct hub_device {
    struct session session;
    struct mqtt_connection *connection;
    char *greeting;                        /* what CONNECT said, until the session is open */
    slice identity, model_id, client_type; /* identity: the client ID, for the log */
    uint16_t keep_alive_s;
    bool clean_session;
    bool disconnected;  /* DISCONNECT came: no will */
    bool revoked;       /* may not be heard any more: no will */
    bool names_changed; /* method filters that are not stored yet */
    bool awaits_room;   /* paused until the store takes more */
    bool opened;        /* session_open was called */
    unsigned holders;   /* the connection, an authentication, the session, a hook for room */
    uint16_t last_packet_id;
    unsigned subscriptions, stored; /* in force once C2D's hold is over; as persisted */
    struct buf method_filters;      /* names joined by '\n'; empty: all */
    struct hub_will *will;
    struct timer hold;               /* C2D of a restored session waits for SUBSCRIBE */
    struct c2d_in_flight *in_flight; /* C2D_IN_FLIGHT_MAX of them, made when first needed */
    struct hub_request *requests;
    struct hub_suback *subacks;
    struct mail room;
};

static inline struct hub_device *hub_device_of(struct session *s)
{
    return (struct hub_device *)((char *)s - offsetof(struct hub_device, session));
}

/* hub_subscribe.c */
enum packet_verdict hub_on_subscribe(struct hub_device *d, slice body);
enum packet_verdict hub_on_unsubscribe(struct hub_device *d, slice body);
/* After CONNACK: the stored subscriptions of a persistent session. */
void hub_restore_subscriptions(struct hub_device *d);
void hub_subscriptions_end(struct hub_device *d);

/* hub_request.c */
void hub_on_twin_get(struct hub_device *d, slice rid);
void hub_on_twin_report(struct hub_device *d, const struct hub_topic *topic, slice patch);
void hub_deliver_desired(struct session *s, int64_t version, slice patch);
void hub_invoke_method(struct session *s, slice rid, slice name, slice payload);
void hub_requests_end(struct hub_device *d);

/* hub_c2d.c */
void hub_deliver_c2d(struct session *s, const struct c2d_delivery *delivery);
void hub_on_puback(struct hub_device *d, uint16_t packet_id);

#endif
