#include "codec/dtmi.h"

#define MAJOR_DIGITS 9
#define MINOR_DIGITS 6

static const slice scheme = {(const uint8_t *)"dtmi:", 5};

static bool is_letter(uint8_t c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool segment_is_valid(slice segment)
{
    if (segment.len == 0 || is_digit(segment.ptr[0]) || segment.ptr[segment.len - 1] == '_')
        return false;
    for (size_t i = 0; i < segment.len; i++) {
        if (!is_letter(segment.ptr[i]) && !is_digit(segment.ptr[i]) && segment.ptr[i] != '_')
            return false;
    }
    return true;
}

static bool path_is_valid(slice path, bool *ret_system)
{
    *ret_system = false;
    if (path.len == 0)
        return false;
    for (slice rest = path; rest.ptr;) {
        slice segment = slice_split(&rest, ':');

        if (!segment_is_valid(segment))
            return false;
        *ret_system |= segment.ptr[0] == '_';
    }
    return true;
}

static bool read_number(slice digits, size_t most, uint32_t *ret)
{
    uint64_t number;

    if (digits.len == 0 || digits.len > most || digits.ptr[0] == '0' ||
        !slice_to_u64(digits, &number))
        return false;
    *ret = (uint32_t)number;
    return true;
}

static bool read_version(slice version, enum dtmi_grammar grammar, struct dtmi *ret)
{
    size_t point;

    if (grammar == DTMI_V2 || !slice_find(version, '.', &point))
        return read_number(version, MAJOR_DIGITS, &ret->major);
    return read_number(slice_first(version, point), MAJOR_DIGITS, &ret->major) &&
           read_number(slice_from(version, point + 1), MINOR_DIGITS, &ret->minor);
}

bool dtmi_parse(slice text, enum dtmi_grammar grammar, struct dtmi *ret)
{
    struct dtmi dtmi = {.unversioned = text};
    size_t semicolon;
    bool has_version = slice_find(text, ';', &semicolon);

    if (!slice_starts_with(text, scheme) || (!has_version && grammar == DTMI_V2))
        return false;
    if (has_version) {
        dtmi.unversioned = slice_first(text, semicolon);
        if (!read_version(slice_from(text, semicolon + 1), grammar, &dtmi))
            return false;
    }
    if (!path_is_valid(slice_from(dtmi.unversioned, scheme.len), &dtmi.is_system))
        return false;
    if (text.len > (dtmi.is_system ? DTMI_SYSTEM_MAX : DTMI_USER_MAX))
        return false;
    *ret = dtmi;
    return true;
}

bool dtmi_is_reserved(slice text)
{
    return slice_starts_with(text, SLICE("dtmi:dtdl:")) ||
           slice_starts_with(text, SLICE("dtmi:standard:"));
}

slice dtmi_term(slice text)
{
    struct dtmi dtmi;
    slice segment = text;

    if (!dtmi_is_reserved(text) && !slice_starts_with(text, SLICE("dtmi:iotcentral:")))
        return text;
    if (!dtmi_parse(text, DTMI_V3, &dtmi))
        return text;
    for (slice rest = dtmi.unversioned; rest.ptr;)
        segment = slice_split(&rest, ':');
    return segment;
}
