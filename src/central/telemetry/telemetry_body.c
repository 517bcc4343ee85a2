#include "central/telemetry/telemetry_body.h"

#include "base/text.h"
#include "codec/dtdl.h"
#include "codec/property_bag.h"

/* A clock that runs ahead of ours by more than this is taken for wrong: what it stamps would be the
 * last value for ever. */
#define AHEAD_MAX_MS (24 * 3600 * 1000)

/* The SDKs' property, or the name by which readers know it, as some firmware sends it. */
static slice creation_time(const struct property_bag *properties)
{
    slice time = property_bag_system(properties, PROP_CREATION_TIME);

    for (size_t i = 0; i < properties->count && time.len == 0; i++) {
        if (slice_equal(properties->items[i].key, SLICE("iothub-creation-time-utc")))
            time = properties->items[i].value;
    }
    return time;
}

enum status telemetry_heading_read(slice bag, instant enqueued_at, struct arena *arena,
                                   struct telemetry_heading *ret)
{
    struct property_bag properties;
    enum status status;
    struct fault why;
    instant at;

    *ret = (struct telemetry_heading){.at = enqueued_at};
    if (bag.len == 0)
        return ST_OK;
    status = property_bag_parse(bag, arena, &properties, &why);
    if (status != ST_OK)
        return status;
    ret->component = property_bag_system(&properties, PROP_COMPONENT);
    if (!utf8_valid(ret->component))
        return ST_BAD_REQUEST;
    if (clock_parse_iso(creation_time(&properties), &at) && at > 0 &&
        at <= enqueued_at + AHEAD_MAX_MS)
        ret->at = at;
    return ST_OK;
}

struct reading {
    telemetry_value_fn *on_value;
    void *context;
};

static bool give_object(const struct reading *r, const struct json *object)
{
    for (const struct json *m = object->first; m; m = m->next) {
        if (m->kind == JSON_NULL || m->name.len == 0 || dtdl_name_is_reserved(m->name))
            continue;
        if (!r->on_value(r->context, m->name, m))
            return false;
    }
    return true;
}

static bool give_root(const struct reading *r, const struct json *root)
{
    if (root->kind == JSON_OBJECT)
        return give_object(r, root);
    if (root->kind != JSON_ARRAY)
        return true;
    for (const struct json *element = root->first; element; element = element->next) {
        if (element->kind == JSON_OBJECT && !give_object(r, element))
            return false;
    }
    return true;
}

static enum status parse(slice text, struct arena *arena, struct json **ret)
{
    struct fault why;

    return json_parse(text, JSON_LAST_WINS, arena, ret, &why);
}

/* The last line may lack its end; lines that are no JSON are passed over. */
static bool read_lines(const struct reading *r, slice body, struct arena *arena)
{
    for (slice rest = body; rest.ptr;) {
        slice line = slice_split(&rest, '\n');
        struct json *root;
        enum status status = parse(line, arena, &root);

        if (status == ST_NO_MEMORY)
            return false;
        if (status == ST_OK && root->kind == JSON_OBJECT && !give_object(r, root))
            return true;
    }
    return true;
}

/* Only these two begin what has names. */
static bool may_have_names(slice body)
{
    for (size_t i = 0; i < body.len; i++) {
        uint8_t c = body.ptr[i];

        if (c != ' ' && c != '\t' && c != '\r' && c != '\n')
            return c == '{' || c == '[';
    }
    return false;
}

bool telemetry_body_read(slice body, struct arena *arena, telemetry_value_fn *on_value,
                         void *context)
{
    const struct reading r = {on_value, context};
    enum status status;
    struct json *root;
    size_t at;

    if (!may_have_names(body))
        return true;
    status = parse(body, arena, &root);
    if (status == ST_NO_MEMORY)
        return false;
    if (status == ST_OK)
        (void)give_root(&r, root);
    else if (slice_find(body, '\n', &at))
        return read_lines(&r, body, arena);
    return true;
}
