/* Events of devices' lives, for audit, export and notices (central.md 1.10): on the bus subject
 * "central.events", after the commit that they tell of, as
 *
 *     {"type":"provisioned","deviceId":"dev-001","at":"2026-01-31T08:15:30.1230000Z"} */
#ifndef MUSTER_PROVISIONING_LIFECYCLE_H
#define MUSTER_PROVISIONING_LIFECYCLE_H

#include "base/clock.h"
#include "bus/bus.h"

/* In the order in which those of one change are told. */
enum lifecycle_event {
    EVENT_REGISTERED = 1 << 0,
    EVENT_APPROVAL_REQUESTED = 1 << 1,
    EVENT_TEMPLATE_CHANGED = 1 << 2,
    EVENT_APPROVED = 1 << 3,
    EVENT_REFUSED = 1 << 4,
    EVENT_PROVISIONED = 1 << 5,
    EVENT_ENABLED = 1 << 6,
    EVENT_DISABLED = 1 << 7,
    EVENT_DELETED = 1 << 8,
};

/* All of `events`, once each. Any thread. */
void lifecycle_publish(struct bus *bus, unsigned events, slice device_id, instant at);

#endif
