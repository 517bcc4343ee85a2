#include "provisioning/registration_body.h"

#include <assert.h>

#include "provisioning/model_id.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena ARENA_CLEANUP arena = {.max = 64 * 1024};
    struct registration_body body = {0};
    struct fault why;

    if (registration_body_read(slice_of(data, size), SLICE("dev-001"), &arena, &body, &why) ==
        ST_OK)
        assert(body.model_id.len <= MODEL_ID_MAX);
    return 0;
}
