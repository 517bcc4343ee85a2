#include "provisioning/device_copy.h"

struct device *device_copy(struct arena *arena, const struct device *d)
{
    struct device *copy = arena_alloc(arena, sizeof *copy);

    if (!copy)
        return NULL;
    *copy = *d;
    slice *const owned[] = {
        &copy->hub,
        &copy->id,
        &copy->module_id,
        &copy->generation_id,
        &copy->display_name,
        &copy->template_id,
        &copy->model_id,
        &copy->organization,
        &copy->organization_path,
        &copy->sealed_keys,
        &copy->primary_thumbprint,
        &copy->secondary_thumbprint,
        &copy->issuer_marks,
        &copy->enrollment_id,
        &copy->method_filters,
        &copy->attempt.result,
        &copy->attempt.reason,
        &copy->attempt.protocol,
        &copy->attempt.address,
    };
    for (size_t i = 0; i < COUNT_OF(owned); i++)
        *owned[i] = arena_copy(arena, *owned[i]);
    return arena->failed ? NULL : copy;
}
