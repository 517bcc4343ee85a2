#include "central/device_rules.h"

#include "base/text.h"
#include "identity/device.h"

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
    return fault_set(why, ST_BAD_REQUEST, "R04: device IDs are lower-case: '%.*s'", (int)id.len,
                     lower);
}

enum status device_id_check(slice id, bool any_case, struct fault *why)
{
    bool has_upper = false;

    if (id.len == 0)
        return fault_set(why, ST_BAD_REQUEST, "R01: the device ID is empty");
    if (id.len > DEVICE_ID_MAX)
        return fault_set(why, ST_BAD_REQUEST, "R02: the device ID is longer than %d characters",
                         DEVICE_ID_MAX);
    for (size_t i = 0; i < id.len; i++) {
        if (!is_allowed(id.ptr[i]))
            return fault_set(why, ST_BAD_REQUEST,
                             "R03: a device ID has letters, digits and '-' only");
        has_upper = has_upper || is_upper(id.ptr[i]);
    }
    return has_upper && !any_case ? refuse_upper_case(id, why) : ST_OK;
}

enum status device_name_check(slice name, struct fault *why)
{
    size_t characters = 0;

    if (!utf8_valid(name))
        return fault_set(why, ST_BAD_REQUEST, "R05: the name is not UTF-8");
    for (size_t i = 0; i < name.len; i++)
        characters += (name.ptr[i] & 0xc0) != 0x80;
    if (characters > DEVICE_NAME_MAX)
        return fault_set(why, ST_BAD_REQUEST, "R05: the name is longer than %d characters",
                         DEVICE_NAME_MAX);
    return ST_OK;
}
