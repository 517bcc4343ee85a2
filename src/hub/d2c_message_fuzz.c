#include <assert.h>

#include "hub/telemetry.h"

/* Any bytes: a message whose parts lie inside them, or none; what parses can be shown, or its bag
 * is refused. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct log_record record = {.bytes = {data, size}};
    BUF_CLEANUP struct buf json = {.max = 8 * 1024 * 1024};
    struct d2c_message m;

    if (d2c_message_parse(&record, &m) != ST_OK)
        return 0;
    assert(m.body.len == 0 || m.body.ptr + m.body.len == data + size);
    assert(m.bag.len + m.body.len <= size);
    (void)d2c_message_is_hidden(&m);
    if (d2c_message_write_json(&m, &json) == ST_OK)
        assert(json.len > 2 && json.ptr[0] == '{' && json.ptr[json.len - 1] == '}');
    return 0;
}
