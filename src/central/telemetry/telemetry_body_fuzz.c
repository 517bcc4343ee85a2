#include <assert.h>

#include "central/telemetry/telemetry_body.h"

static bool on_value(void *context, slice name, const struct json *value)
{
    size_t *left = context;

    assert(name.len > 0 && value->kind != JSON_NULL && value->raw.len > 0);
    return --*left > 0;
}

/* The first byte says how long the bag is; then the bag, then the body. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ARENA_CLEANUP struct arena arena = {.max = 16 << 20};
    struct telemetry_heading heading;
    slice all = slice_of(data, size);
    size_t bag = size > 0 ? data[0] : 0, left = 1000;

    if (telemetry_heading_read(slice_first(slice_from(all, 1), bag), 1000000, &arena, &heading) ==
        ST_OK)
        assert(heading.at > 0);
    (void)telemetry_body_read(slice_from(all, 1 + bag), &arena, on_value, &left);
    return 0;
}
