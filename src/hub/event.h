/* What the hub tells the application: a device connected, left, or announced a new model ID.
 * Events go over the bus on HUB_EVENTS_SUBJECT, may be lost, and hold no secret. */
#ifndef MUSTER_HUB_EVENT_H
#define MUSTER_HUB_EVENT_H

#include "base/clock.h"
#include "bus/bus.h"

#define HUB_EVENTS_SUBJECT "hub.events"

enum hub_event_kind { HUB_EVENT_CONNECTED, HUB_EVENT_DISCONNECTED, HUB_EVENT_MODEL };

struct hub_event {
    enum hub_event_kind kind;
    instant at;
    slice hub_name, device_id, module_id;
    slice model_id; /* with HUB_EVENT_MODEL: the new one, stored already */
};

/* On a worker. */
void hub_event_publish(struct bus *bus, const struct hub_event *e);
/* For handlers of the subject; borrows from `message`. */
CHECKED bool hub_event_decode(slice message, struct hub_event *ret);

#endif
