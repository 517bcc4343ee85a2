#include "codec/topic.h"

#include "base/text.h"

/* --- matching ------------------------------------------------------------------------------- */

static bool bind(struct topic_match *match, slice what)
{
    if (match->count == TOPIC_BOUND_MAX)
        return false;
    match->bound[match->count++] = what;
    return true;
}

bool topic_match(slice filter, slice topic, struct topic_match *ret)
{
    struct topic_match match = {0};

    while (filter.ptr) {
        slice want = slice_split(&filter, '/');
        slice level;

        if (slice_equal(want, SLICE("#")) && !filter.ptr) {
            if (!bind(&match, topic))
                return false;
            topic = (slice){0};
            break;
        }
        if (!topic.ptr)
            return false;
        level = slice_split(&topic, '/');
        if (slice_equal(want, SLICE("+")) ? !bind(&match, level) : !slice_equal(want, level))
            return false;
    }
    if (topic.ptr)
        return false;
    *ret = match;
    return true;
}

bool topic_query(slice query, slice key, slice *ret)
{
    slice rest = slice_starts_with(query, SLICE("?")) ? slice_from(query, 1) : query;

    while (rest.ptr) {
        slice pair = slice_split(&rest, '&');
        slice value = pair;
        slice name = slice_split(&value, '=');

        if (slice_equal(name, key)) {
            *ret = value;
            return true;
        }
    }
    return false;
}

/* --- whose topic it is ---------------------------------------------------------------------- */

/* Takes `prefix` off the front of *rest. */
static bool take(slice *rest, slice prefix)
{
    if (!slice_starts_with(*rest, prefix))
        return false;
    *rest = slice_of(rest->ptr + prefix.len, rest->len - prefix.len);
    return true;
}

/* Whether `segment` is `id`, percent-encoded. No memory: both are walked side by side. */
static bool decodes_to(slice segment, slice id)
{
    size_t at = 0;

    for (size_t i = 0; i < id.len; i++) {
        uint8_t byte;
        size_t len;

        if (at >= segment.len)
            return false;
        byte = segment.ptr[at++];
        if (byte == '%' && segment.len - at >= 2 &&
            hex_decode(slice_of(segment.ptr + at, 2), &byte, 1, &len))
            at += 2;
        if (byte != id.ptr[i])
            return false;
    }
    return at == segment.len;
}

/* Takes "{id}/" off the front of *rest: as it is, which is what all SDKs send, else decoded. */
static bool take_id(slice *rest, slice id)
{
    slice after = *rest;

    if (take(&after, id) && take(&after, SLICE("/"))) {
        *rest = after;
        return true;
    }
    return decodes_to(slice_split(rest, '/'), id) && rest->ptr;
}

/* Takes "devices/{did}/" or "devices/{did}/modules/{mid}/" off the front of *rest. */
static bool take_identity(slice *rest, slice device_id, slice module_id)
{
    if (!take(rest, SLICE("devices/")) || !take_id(rest, device_id))
        return false;
    return module_id.len == 0 || (take(rest, SLICE("modules/")) && take_id(rest, module_id));
}

/* --- subscriptions -------------------------------------------------------------------------- */

enum owner { DEVICE = 1, MODULE = 2 };

struct filter_row {
    const char *filter;
    unsigned owners;
    unsigned subscription;
};

/* contract/hub-device.md 2.5. Own filters stand behind the identity's prefix. */
static const struct filter_row own_filters[] = {
    {"messages/devicebound/#", DEVICE | MODULE, SUB_C2D},
    {"inputs/#", MODULE, SUB_INPUTS},
    {"#", MODULE, SUB_INPUTS | SUB_C2D},
};
static const struct filter_row shared_filters[] = {
    {"$iothub/twin/res/#", DEVICE | MODULE, SUB_TWIN_RES},
    {"$iothub/twin/PATCH/properties/desired/#", DEVICE | MODULE, SUB_TWIN_DESIRED},
    {"$iothub/methods/POST/#", DEVICE | MODULE, SUB_METHODS},
};

static unsigned filter_lookup(const struct filter_row *rows, size_t count, slice filter,
                              enum owner owner)
{
    for (size_t i = 0; i < count; i++) {
        if ((rows[i].owners & owner) && slice_equal(filter, slice_str(rows[i].filter)))
            return rows[i].subscription;
    }
    return 0;
}

/* "$iothub/methods/POST/{name}/#" */
static bool method_filter(slice filter, slice *ret_name)
{
    slice name;
    size_t at;

    if (!take(&filter, SLICE("$iothub/methods/POST/")))
        return false;
    name = slice_split(&filter, '/');
    if (!slice_equal(filter, SLICE("#")) || slice_find(name, '+', &at) ||
        slice_find(name, '#', &at) || !method_name_valid(name))
        return false;
    *ret_name = name;
    return true;
}

unsigned hub_filter_parse(slice filter, slice device_id, slice module_id, slice *ret_method)
{
    enum owner owner = module_id.len ? MODULE : DEVICE;
    slice own = filter;
    unsigned found = filter_lookup(shared_filters, COUNT_OF(shared_filters), filter, owner);

    *ret_method = (slice){0};
    if (found)
        return found;
    if (take_identity(&own, device_id, module_id))
        return filter_lookup(own_filters, COUNT_OF(own_filters), own, owner);
    return method_filter(filter, ret_method) ? SUB_METHODS : 0;
}

/* --- what a device publishes ---------------------------------------------------------------- */

static bool events_parse(slice topic, slice device_id, slice module_id, struct hub_topic *ret)
{
    if (!take_identity(&topic, device_id, module_id) || !take(&topic, SLICE("messages/events")))
        return false;
    if (topic.len > 0 && !take(&topic, SLICE("/")))
        return false;
    *ret = (struct hub_topic){.kind = HUB_TOPIC_EVENTS, .bag = topic};
    return true;
}

static bool twin_get_parse(slice query, struct hub_topic *ret)
{
    ret->kind = HUB_TOPIC_TWIN_GET;
    return topic_query(query, SLICE("$rid"), &ret->rid);
}

static bool twin_reported_parse(slice query, struct hub_topic *ret)
{
    slice version;

    ret->kind = HUB_TOPIC_TWIN_REPORTED;
    ret->has_version = topic_query(query, SLICE("$version"), &version);
    if (ret->has_version && !slice_to_u64(version, &ret->version))
        return false;
    return topic_query(query, SLICE("$rid"), &ret->rid);
}

static bool method_result_parse(slice rest, struct hub_topic *ret)
{
    ret->kind = HUB_TOPIC_METHOD_RESULT;
    if (!slice_to_i64(slice_split(&rest, '/'), &ret->method_status))
        return false;
    return topic_query(rest, SLICE("$rid"), &ret->rid);
}

/* contract/hub-device.md 2.6, but for events. */
static const struct {
    const char *prefix;
    bool (*parse)(slice rest, struct hub_topic *ret);
} hub_topics[] = {
    {"$iothub/twin/GET/", twin_get_parse},
    {"$iothub/twin/PATCH/properties/reported/", twin_reported_parse},
    {"$iothub/methods/res/", method_result_parse},
};

void hub_topic_parse(slice topic, slice device_id, slice module_id, struct hub_topic *ret)
{
    if (events_parse(topic, device_id, module_id, ret))
        return;
    for (size_t i = 0; i < COUNT_OF(hub_topics); i++) {
        struct hub_topic found = {0};
        slice rest = topic;

        if (take(&rest, slice_str(hub_topics[i].prefix)) && hub_topics[i].parse(rest, &found)) {
            *ret = found;
            return;
        }
    }
    *ret = (struct hub_topic){.kind = HUB_TOPIC_UNKNOWN};
}

void dps_topic_parse(slice topic, struct dps_topic *ret)
{
    struct dps_topic found = {0};
    slice query = topic;

    if (take(&query, SLICE("$dps/registrations/PUT/iotdps-register/"))) {
        if (topic_query(query, SLICE("$rid"), &found.rid))
            found.kind = DPS_TOPIC_REGISTER;
    } else if (take(&query, SLICE("$dps/registrations/GET/iotdps-get-operationstatus/"))) {
        if (topic_query(query, SLICE("$rid"), &found.rid) &&
            topic_query(query, SLICE("operationId"), &found.operation_id) &&
            found.operation_id.len > 0)
            found.kind = DPS_TOPIC_STATUS;
    }
    *ret = found.kind ? found : (struct dps_topic){.kind = DPS_TOPIC_UNKNOWN};
}
