/* MQTT user names and identifiers: the part of topic.h that a connection needs once. */
#include "codec/topic.h"

#include "base/text.h"

/* --- identifiers ---------------------------------------------------------------------------- */

#define ID_MAX 128
#define METHOD_NAME_MAX 100

static bool is_alphanumeric(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* Letters, digits and what stands in `others`. */
static bool made_of(slice text, slice others)
{
    size_t at;

    for (size_t i = 0; i < text.len; i++) {
        if (!is_alphanumeric(text.ptr[i]) && !slice_find(others, text.ptr[i], &at))
            return false;
    }
    return true;
}

bool device_id_valid(slice id)
{
    return id.len >= 1 && id.len <= ID_MAX && made_of(id, SLICE("-:.+%_#*?!(),=@;$'"));
}

bool registration_id_valid(slice id)
{
    uint8_t last = id.len ? id.ptr[id.len - 1] : 0;

    return id.len <= ID_MAX && (is_alphanumeric(last) || last == '-') && made_of(id, SLICE("-._:"));
}

bool method_name_valid(slice name)
{
    size_t at;

    for (size_t i = 0; i < name.len; i++) {
        if (name.ptr[i] <= ' ' || name.ptr[i] > '~' ||
            slice_find(SLICE("$()<>@,;:\\\"/[]?={}"), name.ptr[i], &at))
            return false;
    }
    return name.len >= 1 && name.len <= METHOD_NAME_MAX;
}

/* --- the hub's user names ------------------------------------------------------------------- */

/* Decoded once; what does not decode to text stays as written, which MQTT has checked. */
static slice decode_text(slice text, struct arena *arena)
{
    slice decoded = percent_decode_lenient(text, arena);
    size_t at;

    return utf8_valid(decoded) && !slice_find(decoded, '\0', &at) ? decoded : text;
}

static enum status hub_query_read(slice query, struct arena *arena, struct hub_username *name,
                                  struct fault *why)
{
    slice client_type = {0}, model_id = {0};
    size_t at;

    if (topic_query(query, SLICE("api-version"), &name->api_version) &&
        slice_search(name->api_version, SLICE("/DeviceClientType="), &at)) {
        /* One historic module client: a '/' where '&' belongs. */
        client_type = slice_from(name->api_version, at + strlen("/DeviceClientType="));
        name->api_version = slice_first(name->api_version, at);
    } else {
        (void)topic_query(query, SLICE("DeviceClientType"), &client_type);
    }
    (void)topic_query(query, SLICE("model-id"), &model_id);
    name->client_type = decode_text(client_type, arena);
    name->model_id = decode_text(model_id, arena);
    return arena->failed ? fault_set(why, ST_NO_MEMORY, "user name: no memory") : ST_OK;
}

static bool starts_query(slice text)
{
    return slice_starts_with(text, SLICE("?")) || slice_starts_with(text, SLICE("api-version="));
}

enum status hub_username_parse(slice username, struct arena *arena, struct hub_username *ret,
                               struct fault *why)
{
    slice rest = username;
    struct hub_username name = {.host = slice_split(&rest, '/')};
    enum status status;

    if (rest.ptr)
        name.device_id = slice_split(&rest, '/');
    if (rest.ptr && !starts_query(rest)) {
        name.module_id = slice_split(&rest, '/');
        if (!device_id_valid(name.module_id) || !starts_query(rest))
            return fault_set(why, ST_BAD_REQUEST, "user name: no query behind the identity");
    }
    if (name.host.len == 0 || !device_id_valid(name.device_id))
        return fault_set(why, ST_BAD_REQUEST, "user name: no host or no valid device id");

    status = hub_query_read(rest, arena, &name, why);
    if (status == ST_OK)
        *ret = name;
    return status;
}

/* --- the provisioning service's user names -------------------------------------------------- */

bool dps_username_looks_like(slice username)
{
    slice rest = username;

    (void)slice_split(&rest, '/');
    return rest.ptr && slice_equal(slice_split(&rest, '/'), SLICE("registrations"));
}

enum status dps_username_parse(slice username, struct arena *arena, struct dps_username *ret,
                               struct fault *why)
{
    slice rest = username;
    struct dps_username name = {.id_scope = slice_split(&rest, '/')};
    slice query, client_version = {0};
    size_t at;

    if (name.id_scope.len == 0 || !dps_username_looks_like(username))
        return fault_set(why, ST_BAD_REQUEST, "user name: not {scope}/registrations/...");
    (void)slice_split(&rest, '/');
    if (!slice_search(rest, SLICE("/api-version="), &at))
        return fault_set(why, ST_BAD_REQUEST, "user name: no /api-version=");

    /* A '%' is no character of registration IDs, so decoding (some clients encode) is safe. */
    name.registration_id = percent_decode_lenient(slice_first(rest, at), arena);
    query = slice_from(rest, at + 1);
    (void)topic_query(query, SLICE("api-version"), &name.api_version);
    (void)topic_query(query, SLICE("ClientVersion"), &client_version);
    name.client_version = decode_text(client_version, arena);
    if (arena->failed)
        return fault_set(why, ST_NO_MEMORY, "user name: no memory");
    if (!registration_id_valid(name.registration_id))
        return fault_set(why, ST_BAD_REQUEST, "user name: no valid registration id");
    *ret = name;
    return ST_OK;
}
