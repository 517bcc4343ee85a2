#include <assert.h>

#include "codec/topic.h"

static bool inside(slice outer, slice inner)
{
    return inner.len == 0 ||
           (inner.ptr >= outer.ptr && inner.ptr + inner.len <= outer.ptr + outer.len);
}

static void check_usernames(slice text)
{
    struct arena ARENA_CLEANUP arena = {.max = 1 << 20};
    struct hub_username hub;
    struct dps_username dps;
    struct fault why;

    if (hub_username_parse(text, &arena, &hub, &why) == ST_OK) {
        assert(hub.host.len > 0 && device_id_valid(hub.device_id));
        assert(hub.module_id.len == 0 || device_id_valid(hub.module_id));
    }
    if (dps_username_parse(text, &arena, &dps, &why) == ST_OK) {
        assert(dps_username_looks_like(text) && dps.id_scope.len > 0);
        assert(registration_id_valid(dps.registration_id));
    }
}

static void check_published(slice text, slice module_id)
{
    struct hub_topic hub;
    struct dps_topic dps;

    hub_topic_parse(text, SLICE("d1"), module_id, &hub);
    assert(inside(text, hub.bag) && inside(text, hub.rid));
    dps_topic_parse(text, &dps);
    assert(inside(text, dps.rid) && inside(text, dps.operation_id));
    assert(dps.kind != DPS_TOPIC_STATUS || dps.operation_id.len > 0);
}

static void check_filters(slice text, slice module_id)
{
    slice method;
    unsigned found = hub_filter_parse(text, SLICE("d1"), module_id, &method);

    assert(method.len == 0 || (found == SUB_METHODS && method_name_valid(method)));
}

/* The first line is the filter, the rest the topic. */
static void check_match(slice text)
{
    struct topic_match match;
    slice topic = text;
    slice filter = slice_split(&topic, '\n');

    if (!topic_match(filter, topic, &match))
        return;
    assert(match.count <= TOPIC_BOUND_MAX);
    for (size_t i = 0; i < match.count; i++)
        assert(inside(topic, match.bound[i]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    slice text = {data, size};
    slice value;

    check_usernames(text);
    check_published(text, (slice){0});
    check_published(text, SLICE("m1"));
    check_filters(text, (slice){0});
    check_filters(text, SLICE("m1"));
    check_match(text);
    if (topic_query(text, SLICE("$rid"), &value))
        assert(inside(text, value));
    return 0;
}
