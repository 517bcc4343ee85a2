#include <assert.h>

#include "codec/property_bag.h"

/* What is written down must be read as it was given, but for what 2.8 leaves out. */
static void check_c2d(const struct property_bag *given)
{
    struct arena ARENA_CLEANUP arena = {.max = 1 << 20};
    struct buf BUF_CLEANUP topic = {.max = 1 << 20};
    struct property_bag again;
    struct fault why;
    slice prefix = SLICE("devices/d1/messages/devicebound/");

    c2d_topic_write(SLICE("d1"), (slice){0}, given, &topic);
    assert(!topic.failed && slice_starts_with(buf_slice(&topic), prefix));
    /* The topic adds "to"; a bag that was full before is then too large to be read. */
    if (given->count == PROPERTIES_MAX)
        return;
    assert(property_bag_parse(slice_from(buf_slice(&topic), prefix.len), &arena, &again, &why) ==
           ST_OK);
    assert(property_bag_system(&again, PROP_TO).len > 0);
    assert(slice_equal(property_bag_system(given, PROP_MESSAGE_ID),
                       property_bag_system(&again, PROP_MESSAGE_ID)));
    assert(again.count <= given->count + 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena ARENA_CLEANUP arena = {.max = 1 << 20};
    struct property_bag bag;
    struct fault why;
    slice text = {data, size};

    if (property_bag_parse(text, &arena, &bag, &why) != ST_OK)
        return 0;
    assert(bag.count <= PROPERTIES_MAX);
    assert(property_bag_counted(&bag) <= size);
    check_c2d(&bag);
    return 0;
}
