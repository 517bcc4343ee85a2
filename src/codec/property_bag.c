#include "codec/property_bag.h"

#include <assert.h>

#include "base/text.h"

/* --- the system properties ------------------------------------------------------------------ */

/* contract/hub-device.md 2.7. */
static const struct {
    const char *key;  /* on the wire, decoded */
    const char *name; /* to readers */
} system_properties[] = {
    [PROP_NONE] = {NULL, ""},
    [PROP_MESSAGE_ID] = {"$.mid", "message-id"},
    [PROP_CORRELATION_ID] = {"$.cid", "correlation-id"},
    [PROP_USER_ID] = {"$.uid", "user-id"},
    [PROP_TO] = {"$.to", "to"},
    [PROP_CONTENT_TYPE] = {"$.ct", "content-type"},
    [PROP_CONTENT_ENCODING] = {"$.ce", "content-encoding"},
    [PROP_EXPIRY] = {"$.exp", "absolute-expiry-time"},
    [PROP_CREATION_TIME] = {"$.ctime", "iothub-creation-time-utc"},
    [PROP_OUTPUT_NAME] = {"$.on", "iothub-outputname"},
    [PROP_INTERFACE_ID] = {"$.ifid", "iothub-interface-id"},
    [PROP_COMPONENT] = {"$.sub", "dt-subject"},
    [PROP_SCHEMA] = {"$.schema", "iothub-message-schema"},
    [PROP_OPERATION] = {"iothub-operation", "iothub-operation"},
    [PROP_ACK] = {"iothub-ack", "iothub-ack"},
    [PROP_DIAGNOSTIC_ID] = {"$.diagid", "Diagnostic-Id"},
    [PROP_CORRELATION_CONTEXT] = {"$.diagctx", "Correlation-Context"},
};
static_assert(COUNT_OF(system_properties) == PROP_COUNT, "every system property has a row");

const char *system_property_name(enum system_property p)
{
    return (unsigned)p < PROP_COUNT ? system_properties[p].name : "";
}

static enum system_property system_lookup(slice key)
{
    /* All names begin with one of three letters; most application properties do not. */
    if (key.len == 0 || !memchr("$ia", key.ptr[0], 3))
        return PROP_NONE;
    for (unsigned p = PROP_NONE + 1; p < PROP_COUNT; p++) {
        if (slice_equal(key, slice_str(system_properties[p].key)))
            return (enum system_property)p;
    }
    return slice_equal(key, SLICE("ack")) ? PROP_ACK : PROP_NONE;
}

/* What the hub alone may say of a message: contract/hub-device.md 6.8, SECURITY-MODEL D4. The case
 * of letters is ignored because readers of the log may ignore it. */
static bool is_stamped(slice key)
{
    static const char *const names[] = {
        "$.cdid",
        "$.cmid",
        "iothub-enqueuedtime",
        "iothub-message-source",
        "iothub-MessageType",
        "dt-dataschema",
        "dt-subject",
        "x-opt-sequence-number",
        "x-opt-offset",
        "x-opt-enqueued-time",
        "x-opt-partition-key",
    };

    if (slice_starts_with_nocase(key, SLICE("iothub-connection-")))
        return true;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (slice_equal_nocase(key, slice_str(names[i])))
            return true;
    }
    return false;
}

/* --- reading -------------------------------------------------------------------------------- */

/* Without what some clients put around the bag. */
static slice trim_bag(slice bag)
{
    if (slice_starts_with(bag, SLICE("?")))
        bag = slice_from(bag, 1);
    if (slice_ends_with(bag, SLICE("/")))
        bag = slice_first(bag, bag.len - 1);
    return bag;
}

static size_t count_parts(slice bag)
{
    size_t count = 0;

    for (slice rest = bag; rest.ptr;)
        count += slice_split(&rest, '&').len > 0;
    return count;
}

static struct message_property read_property(slice part, struct arena *arena)
{
    slice value = part;
    slice key = slice_split(&value, '=');
    struct message_property property = {.has_value = value.ptr != NULL};

    key = percent_decode_lenient(key, arena);
    property.value = percent_decode_lenient(value, arena);
    property.system = system_lookup(key);
    property.key = property.system ? (slice){0} : key;
    if (!property.system && is_stamped(key))
        property.key = (slice){0};
    return property;
}

static bool same_property(const struct message_property *a, const struct message_property *b)
{
    return a->system == b->system && slice_equal(a->key, b->key);
}

/* A double keeps its first place and takes the last value. */
static void add_property(struct property_bag *bag, const struct message_property *property)
{
    assert(bag->items);
    for (size_t i = 0; i < bag->count; i++) {
        if (same_property(&bag->items[i], property)) {
            bag->items[i] = *property;
            return;
        }
    }
    bag->items[bag->count++] = *property;
}

enum status property_bag_parse(slice bag, struct arena *arena, struct property_bag *ret,
                               struct fault *why)
{
    slice rest = trim_bag(bag);
    size_t count = count_parts(rest);
    struct property_bag found = {0};

    if (count > PROPERTIES_MAX)
        return fault_set(why, ST_BAD_REQUEST, "%zu message properties", count);
    if (count > 0) {
        found.items = arena_alloc_array(arena, count, sizeof *found.items);
        if (!found.items)
            return fault_set(why, ST_NO_MEMORY, "message properties: no memory");
    }
    while (rest.ptr) {
        slice part = slice_split(&rest, '&');
        struct message_property property;

        if (part.len == 0)
            continue;
        property = read_property(part, arena);
        if (property.system || property.key.len > 0)
            add_property(&found, &property);
    }
    if (arena->failed)
        return fault_set(why, ST_NO_MEMORY, "message properties: no memory");
    *ret = found;
    return ST_OK;
}

slice property_bag_system(const struct property_bag *bag, enum system_property p)
{
    for (size_t i = 0; i < bag->count; i++) {
        if (p != PROP_NONE && bag->items[i].system == p)
            return bag->items[i].value;
    }
    return (slice){0};
}

size_t property_bag_counted(const struct property_bag *bag)
{
    size_t bytes = 0;

    for (size_t i = 0; i < bag->count; i++)
        bytes += bag->items[i].key.len + bag->items[i].value.len;
    return bytes;
}

/* --- writing -------------------------------------------------------------------------------- */

/* The order of contract/hub-device.md 2.8. No other system property goes down: receivers would
 * take its key for an application property. */
static const enum system_property c2d_order[] = {
    PROP_MESSAGE_ID,   PROP_CORRELATION_ID,   PROP_USER_ID, PROP_TO,
    PROP_CONTENT_TYPE, PROP_CONTENT_ENCODING, PROP_EXPIRY,  PROP_ACK,
};

/* "/devices/{did}[/modules/{mid}]/messages/deviceBound", encoded. */
static void default_to_write(slice device_id, slice module_id, struct buf *to)
{
    buf_append_str(to, "%2Fdevices%2F");
    percent_encode(device_id, to);
    if (module_id.len > 0) {
        buf_append_str(to, "%2Fmodules%2F");
        percent_encode(module_id, to);
    }
    buf_append_str(to, "%2Fmessages%2FdeviceBound");
}

/* What goes down for `p`: true with the sender's value, or with an empty one for a "to" that the
 * sender left out, which no topic may lack. */
static bool c2d_value(const struct property_bag *bag, enum system_property p, slice *ret)
{
    *ret = (slice){0};
    for (size_t i = 0; i < bag->count; i++) {
        if (bag->items[i].system == p && bag->items[i].has_value) {
            *ret = bag->items[i].value;
            return true;
        }
    }
    return p == PROP_TO;
}

static void topic_start_write(slice device_id, slice module_id, struct buf *to)
{
    buf_append_str(to, "devices/");
    buf_append(to, device_id);
    if (module_id.len > 0) {
        buf_append_str(to, "/modules/");
        buf_append(to, module_id);
    }
    buf_append_str(to, "/messages/devicebound/");
}

void c2d_topic_write(slice device_id, slice module_id, const struct property_bag *properties,
                     struct buf *to)
{
    const char *between = "";
    slice value;

    topic_start_write(device_id, module_id, to);
    for (size_t i = 0; i < COUNT_OF(c2d_order); i++) {
        if (!c2d_value(properties, c2d_order[i], &value))
            continue;
        buf_append_str(to, between);
        percent_encode(slice_str(system_properties[c2d_order[i]].key), to); /* "%24.mid" */
        buf_append_byte(to, '=');
        if (c2d_order[i] == PROP_TO && value.len == 0)
            default_to_write(device_id, module_id, to);
        else
            percent_encode(value, to);
        between = "&";
    }
    for (size_t i = 0; i < properties->count; i++) {
        const struct message_property *item = &properties->items[i];

        if (item->system || !item->has_value)
            continue;
        buf_append_byte(to, '&'); /* "to" always stands before */
        percent_encode(item->key, to);
        buf_append_byte(to, '=');
        percent_encode(item->value, to);
    }
}
