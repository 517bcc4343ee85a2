#include "central/telemetry/alias_path.h"

#include "base/text.h"

/* --- parsing -----------------------------------------------------------------------------------
 */

static bool is_name_byte(uint8_t c)
{
    return c >= 0x20 && c != '\\' && c != '[' && c != ']' && c != '"';
}

/* Between the quotes, off the front of *rest. */
static bool take_name(slice *rest, slice *ret)
{
    size_t len = 0;

    while (len < rest->len && is_name_byte(rest->ptr[len]))
        len++;
    *ret = slice_of(rest->ptr, len);
    *rest = slice_from(*rest, len);
    if (len == 0 || rest->len == 0 || rest->ptr[0] != '"')
        return false;
    *rest = slice_from(*rest, 1);
    return true;
}

static bool take_place(slice *rest, uint64_t *ret)
{
    size_t len = 0;

    while (len < rest->len && rest->ptr[len] >= '0' && rest->ptr[len] <= '9')
        len++;
    if (!slice_to_u64(slice_first(*rest, len), ret))
        return false;
    *rest = slice_from(*rest, len);
    return true;
}

static bool take_segment(slice *rest, struct alias_segment *ret)
{
    *ret = (struct alias_segment){0};
    if (rest->len < 2 || rest->ptr[0] != '[')
        return false;
    *rest = slice_from(*rest, 1);
    if (rest->ptr[0] == '"') {
        *rest = slice_from(*rest, 1);
        if (!take_name(rest, &ret->name))
            return false;
    } else if (!take_place(rest, &ret->place)) {
        return false;
    }
    if (rest->len == 0 || rest->ptr[0] != ']')
        return false;
    *rest = slice_from(*rest, 1);
    return true;
}

enum status alias_path_parse(slice text, struct alias_path *ret, struct fault *why)
{
    slice rest = slice_from(text, 1);

    *ret = (struct alias_path){0};
    if (text.len > ALIAS_PATH_MAX || !utf8_valid(text))
        return fault_set(why, ST_BAD_REQUEST, "a path has at most %d bytes of UTF-8",
                         ALIAS_PATH_MAX);
    if (text.len < 2 || text.ptr[0] != '$')
        return fault_set(why, ST_BAD_REQUEST, "a path is written as $[\"name\"][0]");
    while (rest.len > 0) {
        if (ret->count == ALIAS_PATH_SEGMENTS)
            return fault_set(why, ST_BAD_REQUEST, "a path has at most %d parts",
                             ALIAS_PATH_SEGMENTS);
        if (!take_segment(&rest, &ret->segments[ret->count++]))
            return fault_set(why, ST_BAD_REQUEST, "the path's part %zu is no [\"name\"] or [0]",
                             ret->count);
    }
    return ST_OK;
}

static size_t count_characters(slice text)
{
    size_t count = 0;

    for (size_t i = 0; i < text.len; i++)
        count += (text.ptr[i] & 0xc0) != 0x80;
    return count;
}

enum status alias_check(slice alias, struct fault *why)
{
    if (alias.len == 0 || !utf8_valid(alias) || count_characters(alias) > ALIAS_MAX)
        return fault_set(why, ST_BAD_REQUEST, "an alias has 1 to %d characters", ALIAS_MAX);
    return ST_OK;
}

/* --- finding -----------------------------------------------------------------------------------
 */

static const struct json *element_at(const struct json *array, uint64_t place)
{
    const struct json *element = array->kind == JSON_ARRAY ? array->first : NULL;

    while (element && place-- > 0)
        element = element->next;
    return element;
}

const struct json *alias_path_find(const struct alias_path *path, const struct json *root)
{
    const struct json *at = root;

    for (size_t i = 0; i < path->count && at; i++) {
        const struct alias_segment *s = &path->segments[i];

        at = s->name.ptr ? json_member(at, s->name) : element_at(at, s->place);
    }
    return at;
}
