#include <assert.h>

#include "central/telemetry/alias_path.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct alias_path path;
    struct fault why;

    if (alias_path_parse(slice_of(data, size), &path, &why) == ST_OK) {
        assert(path.count > 0 && path.count <= ALIAS_PATH_SEGMENTS);
        for (size_t i = 0; i < path.count; i++)
            assert(path.segments[i].name.ptr == NULL || path.segments[i].name.len > 0);
    }
    return 0;
}
