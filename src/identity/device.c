#include "identity/device.h"

#include "identity/device_store.h"
#include "identity/identity_internal.h"

static const char *const origin_names[] = {
    [ORIGIN_UI] = "ui",
    [ORIGIN_IMPORT] = "import",
    [ORIGIN_API] = "api",
    [ORIGIN_DEVICE] = "device",
};

static const char *const status_names[] = {
    [DEVICE_REGISTERED] = "registered",
    [DEVICE_PROVISIONED] = "provisioned",
    [DEVICE_BLOCKED] = "blocked",
    [DEVICE_WAITING] = "waiting",
};

const char *device_origin_name(enum device_origin origin)
{
    return (unsigned)origin < COUNT_OF(origin_names) ? origin_names[origin] : "unknown";
}

const char *device_status_name(enum device_status status)
{
    return (unsigned)status < COUNT_OF(status_names) ? status_names[status] : "unknown";
}

enum device_status device_status_of(const struct device *d, bool later_profile)
{
    if (d->blocked)
        return DEVICE_BLOCKED;
    if (!d->approved)
        return later_profile ? DEVICE_WAITING : DEVICE_REGISTERED;
    return d->provisioned ? DEVICE_PROVISIONED : DEVICE_REGISTERED;
}

/* The hub knows a device once it is Provisioned (contract/central.md 1.6: 401 before); modules
 * have no life cycle of their own. */
bool device_may_connect(const struct device *d)
{
    if (!d->enabled || d->blocked)
        return false;
    return d->module_id.len > 0 || (d->approved && d->provisioned);
}

int64_t device_next_generation(const struct device *was, instant now)
{
    return now > was->credential_generation ? now : was->credential_generation + 1;
}

enum status device_keys(const struct identity *id, const struct device *d,
                        struct secret *ret_primary, struct secret *ret_secondary, struct fault *why)
{
    ret_primary->len = ret_secondary->len = 0;
    if (d->sealed_keys.len == 0 && d->auth == AUTH_SAS)
        return fault_set(why, ST_INTERNAL, "the row of '%.*s' has lost its keys", SLICE_FMT(d->id));
    if (d->sealed_keys.len == 0)
        return ST_OK;
    return key_pair_unseal(id->sealer, "device", d->id, d->module_id, d->sealed_keys, ret_primary,
                           ret_secondary, why);
}

slice device_key_of(slice device_id, uint8_t to[DEVICE_ID_MAX])
{
    if (device_id.len > DEVICE_ID_MAX)
        return (slice){0};
    for (size_t i = 0; i < device_id.len; i++) {
        uint8_t c = device_id.ptr[i];

        to[i] = c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
    }
    return slice_of(to, device_id.len);
}

uint64_t device_hash(slice device_id)
{
    uint8_t key[DEVICE_ID_MAX];

    return slice_hash(device_key_of(device_id, key));
}
