/* The MQTT 3.1.1 door on 8883: devices of the hub and devices that provision.
 *
 * One port serves both; the user name says which (contract/provisioning.md 2.2, hub-device.md
 * 2.1). Bytes come in here, domain calls go out; what the domain answers goes back as packets. */
#ifndef MUSTER_FRONT_MQTT_MQTT_FRONT_H
#define MUSTER_FRONT_MQTT_MQTT_FRONT_H

#include "hub/hub.h"
#include "identity/identity.h"
#include "net/stream.h"
#include "net/worker.h"
#include "provisioning/provisioning.h"

struct mqtt_front;

struct mqtt_front_options {
    struct identity *identity;
    struct hub *hub;
    struct provisioning *provisioning;
    struct store *store;
    struct stream_log *log;
    int64_t c2d_hold_ms;      /* after a restored session, until SUBSCRIBE; 5,000; 0 as Azure */
    bool unknown_filter_fail; /* answer 0x80 instead of closing */
};

CHECKED struct mqtt_front *mqtt_front_create(struct workers *ws,
                                             const struct mqtt_front_options *options);
/* After the workers stopped. */
void mqtt_front_destroy(struct mqtt_front *front);

/* A listener_accept_fn; `owner` is the front. */
void mqtt_front_accept(void *owner, struct stream *s);

#endif
