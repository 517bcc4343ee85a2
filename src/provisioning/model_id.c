#include "provisioning/model_id.h"

#include "identity/device.h"

static bool is_usable(slice id)
{
    return id.len > 0 && id.len <= MODEL_ID_MAX;
}

/* "{template ID}/{version}" of older clients: the ID alone. */
static slice without_version(slice id)
{
    size_t end = id.len;
    uint64_t version;

    while (end > 0 && id.ptr[end - 1] != '/')
        end--;
    if (end < 2 || !slice_to_u64(slice_from(id, end), &version))
        return id;
    return slice_first(id, end - 1);
}

static slice announced_in(const struct json *payload)
{
    const struct json *interfaces = json_member(payload, SLICE("__iot:interfaces"));
    slice id = {0};

    if (json_get_text(payload, SLICE("modelId"), &id) && is_usable(id))
        return id;
    if (json_get_text(payload, SLICE("iotcModelId"), &id) && is_usable(id))
        return without_version(id);
    if (json_get_text(interfaces, SLICE("CapabilityModelId"), &id) && is_usable(id))
        return id;
    return (slice){0};
}

/* A payload sent as a string is read once more, not again and again. */
static const struct json *unwrap(const struct json *payload, struct arena *arena)
{
    struct json *inner;

    if (!payload || payload->kind != JSON_STRING)
        return payload;
    if (json_parse(payload->text, JSON_LAST_WINS, arena, &inner, NULL) != ST_OK)
        return NULL;
    return inner;
}

/* Also where older clients put it. */
static slice gateway_in(const struct json *payload)
{
    slice id = {0};

    json_get_text(json_member(payload, SLICE("iotcGateway")), SLICE("iotcGatewayId"), &id);
    return id.len <= DEVICE_ID_MAX ? id : (slice){0};
}

slice gateway_announced(const struct json *body, struct arena *arena)
{
    slice id = gateway_in(unwrap(json_member(body, SLICE("payload")), arena));

    return id.len > 0 ? id : gateway_in(unwrap(json_member(body, SLICE("data")), arena));
}

slice model_id_announced(const struct json *body, struct arena *arena)
{
    slice id = announced_in(unwrap(json_member(body, SLICE("payload")), arena));

    if (id.len == 0)
        id = announced_in(unwrap(json_member(body, SLICE("data")), arena));
    return id;
}
