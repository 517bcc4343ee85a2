#include "central/device_rules.h"

#include "base/text.h"
#include "crypto/thumbprint.h"

static bool is_upper(uint8_t c)
{
    return c >= 'A' && c <= 'Z';
}

static bool is_allowed(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || is_upper(c) || (c >= '0' && c <= '9') || c == '-';
}

static enum status refuse_upper_case(slice id, struct fault *why)
{
    char lower[DEVICE_ID_MAX];

    for (size_t i = 0; i < id.len; i++)
        lower[i] = (char)(is_upper(id.ptr[i]) ? id.ptr[i] + ('a' - 'A') : id.ptr[i]);
    return fault_set(why, ST_BAD_REQUEST, "device IDs are lower-case: '%.*s'", (int)id.len, lower);
}

enum status device_id_check(slice id, bool any_case, struct fault *why)
{
    bool has_upper = false;

    if (id.len == 0)
        return fault_set(why, ST_BAD_REQUEST, "the device ID is empty");
    if (id.len > DEVICE_ID_MAX)
        return fault_set(why, ST_BAD_REQUEST, "the device ID is longer than %d characters",
                         DEVICE_ID_MAX);
    for (size_t i = 0; i < id.len; i++) {
        if (!is_allowed(id.ptr[i]))
            return fault_set(why, ST_BAD_REQUEST, "a device ID has letters, digits and '-' only");
        has_upper = has_upper || is_upper(id.ptr[i]);
    }
    return has_upper && !any_case ? refuse_upper_case(id, why) : ST_OK;
}

enum status device_name_check(slice name, struct fault *why)
{
    size_t characters = 0;

    if (!utf8_valid(name))
        return fault_set(why, ST_BAD_REQUEST, "the name is not UTF-8");
    for (size_t i = 0; i < name.len; i++)
        characters += (name.ptr[i] & 0xc0) != 0x80;
    if (characters > DEVICE_NAME_MAX)
        return fault_set(why, ST_BAD_REQUEST, "the name is longer than %d characters",
                         DEVICE_NAME_MAX);
    return ST_OK;
}

static bool is_thumbprint(slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (!(text.ptr[i] >= '0' && text.ptr[i] <= '9') &&
            !(text.ptr[i] >= 'A' && text.ptr[i] <= 'F'))
            return false;
    }
    return text.len == THUMBPRINT_SHA1_LEN || text.len == THUMBPRINT_SHA256_LEN;
}

enum status device_auth_check(enum device_auth auth, slice primary_thumbprint,
                              slice secondary_thumbprint, struct fault *why)
{
    if (auth != AUTH_SELF_SIGNED)
        return primary_thumbprint.len + secondary_thumbprint.len == 0
                   ? ST_OK
                   : fault_set(why, ST_BAD_REQUEST,
                               "thumbprints go with authentication selfSigned");
    if (primary_thumbprint.len == 0)
        return fault_set(why, ST_BAD_REQUEST,
                         "authentication selfSigned needs the primary thumbprint");
    if (!is_thumbprint(primary_thumbprint) ||
        (secondary_thumbprint.len > 0 && !is_thumbprint(secondary_thumbprint)))
        return fault_set(why, ST_BAD_REQUEST,
                         "a thumbprint has 40 (SHA-1) or 64 (SHA-256) hex digits");
    return ST_OK;
}
