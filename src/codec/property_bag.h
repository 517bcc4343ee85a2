/* Message properties as MQTT topics carry them: key=value joined by '&', percent-encoded.
 *
 * Reading follows hub-device.md 2.7 (lenient: '/' is data, a bad '%' stays, '+' is a plus, one
 * leading '?' and one trailing '/' are dropped, the last of doubles wins). Writing follows 2.8:
 * system keys first and as "%24.mid", blanks as %20, never an empty bag. */
#ifndef MUSTER_CODEC_PROPERTY_BAG_H
#define MUSTER_CODEC_PROPERTY_BAG_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/status.h"

/* One row a system property: contract/hub-device.md 2.7. */
enum system_property {
    PROP_NONE, /* an application property */
    PROP_MESSAGE_ID,
    PROP_CORRELATION_ID,
    PROP_USER_ID,
    PROP_TO,
    PROP_CONTENT_TYPE,
    PROP_CONTENT_ENCODING,
    PROP_EXPIRY,
    PROP_CREATION_TIME,
    PROP_OUTPUT_NAME,
    PROP_INTERFACE_ID,
    PROP_COMPONENT, /* dt-subject */
    PROP_SCHEMA,
    PROP_OPERATION,
    PROP_ACK,
    PROP_DIAGNOSTIC_ID,
    PROP_CORRELATION_CONTEXT,
    PROP_COUNT
};
/* The name by which readers know it: "message-id", "dt-subject". */
const char *system_property_name(enum system_property p);

#define PROPERTIES_MAX 256
struct message_property {
    enum system_property system;
    slice key;      /* decoded; of application properties */
    slice value;    /* decoded */
    bool has_value; /* false for a key without '=' */
};
struct property_bag {
    struct message_property *items; /* in the arena */
    size_t count;
};

/* ST_BAD_REQUEST for more than PROPERTIES_MAX properties; ST_NO_MEMORY. Properties that claim
 * identity or time (iothub-connection-*, iothub-enqueuedtime, iothub-message-source, $.cdid,
 * $.cmid) are dropped. */
CHECKED enum status property_bag_parse(slice bag, struct arena *arena, struct property_bag *ret,
                                       struct fault *why);
/* The value of a system property, or the empty slice. */
slice property_bag_system(const struct property_bag *bag, enum system_property p);

/* Bytes that count against the message limit: values of system properties, names and values of
 * application properties (6.1). Never more than the raw bag's length. */
size_t property_bag_counted(const struct property_bag *bag);

/* A cloud-to-device topic: devices/{did}[/modules/{mid}]/messages/devicebound/{bag} with
 * "%24.to" always, in the order of 2.8. `properties` as given by the sender; null values are left
 * out. */
void c2d_topic_write(slice device_id, slice module_id, const struct property_bag *properties,
                     struct buf *to);

#endif
