/* The hub: what a device does once it is let in.
 *
 *     session.h    a live connection of a device or module, and the directory of all of them
 *     telemetry.h  device-to-cloud messages into the log
 *     twin.h       desired and reported properties, tags
 *     method.h     direct methods
 *     c2d.h        cloud-to-device messages
 */
#ifndef MUSTER_HUB_HUB_H
#define MUSTER_HUB_HUB_H

#include "bus/bus.h"
#include "identity/identity.h"
#include "net/worker.h"
#include "store/store.h"
#include "stream/stream_log.h"

struct hub;

struct hub_options {
    int64_t c2d_ttl_ms;           /* default time to live, PT1H */
    unsigned c2d_max_delivery;    /* 10 */
    int64_t method_timeout_max_s; /* 300 */
};

extern const struct store_schema hub_schema;

/* One object for all logical hubs of the process. Before workers_start. */
CHECKED struct hub *hub_create(struct workers *ws, struct store *st, struct bus *bus,
                               struct identity *id, struct stream_log *log,
                               const struct hub_options *options, struct fault *why);
void hub_destroy(struct hub *hub);

#endif
