/* What a device-to-cloud message says: named values at a time, of the device itself or of one of
 * its components (contract/central.md 7.2). Pure.
 *
 *     {"temperature": 21.5, "humidity": 40}      one object
 *     [{"temperature": 21}, {"temperature": 22}] several, the later ones last
 *     {"temperature": 21}                        several lines, one object each
 *     {"temperature": 22}
 *
 * Anything else says nothing that has a name, and is kept as it came. Values are JSON as the device
 * spelled it: no number loses a digit here. */
#ifndef MUSTER_CENTRAL_TELEMETRY_BODY_H
#define MUSTER_CENTRAL_TELEMETRY_BODY_H

#include "base/clock.h"
#include "codec/json.h"

/* When a message speaks of, and of which component, as its properties say. */
struct telemetry_heading {
    instant at;      /* iothub-creation-time-utc; when there is none, when it was taken in */
    slice component; /* $.sub; empty: the device itself */
};
/* `bag` is raw. Borrows from it and from the arena. */
CHECKED enum status telemetry_heading_read(slice bag, instant enqueued_at, struct arena *arena,
                                           struct telemetry_heading *ret);

/* Each member of each object in order until it gives false. `value` is never NULL or null. */
typedef bool telemetry_value_fn(void *context, slice name, const struct json *value);
/* Names that the language reserves are left out. Trees lie in the arena and borrow from `body`;
 * false when it is full: what came before was given. */
CHECKED bool telemetry_body_read(slice body, struct arena *arena, telemetry_value_fn *on_value,
                                 void *context);

#endif
