#include "codec/http.h"

#include "base/text.h"

#define QUERY_NAME_MAX 64

/* Dots are data: no path of a request reaches a file system (SECURITY-MODEL E4). */
bool http_path_parse(slice path, struct arena *arena, struct http_path *ret)
{
    struct http_path parsed = {0};

    if (path.len == 0 || path.ptr[0] != '/')
        return false;
    for (slice rest = path; rest.ptr;) {
        slice segment = slice_split(&rest, '/');

        if (segment.len == 0)
            continue;
        if (parsed.count == HTTP_SEGMENTS_MAX)
            return false;
        if (!percent_decode(segment, arena, &parsed.segments[parsed.count++]))
            return false;
    }
    *ret = parsed;
    return true;
}

/* Clients encode names too: "%24top" is "$top". */
static bool is_named(slice sent, slice name)
{
    uint8_t decoded[QUERY_NAME_MAX];
    size_t len;

    return percent_decode_to(sent, decoded, sizeof decoded, &len) &&
           slice_equal_nocase(slice_of(decoded, len), name);
}

bool http_query(slice query, slice name, struct arena *arena, slice *ret)
{
    for (slice rest = query; rest.ptr;) {
        slice value = slice_split(&rest, '&');
        slice sent = slice_split(&value, '=');

        if (!is_named(sent, name))
            continue;
        if (value.len > 0)
            return percent_decode(value, arena, ret);
        *ret = SLICE("");
        return true;
    }
    return false;
}
