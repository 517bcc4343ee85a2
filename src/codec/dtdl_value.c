#include "codec/dtdl_value.h"

#include "codec/dtdl_internal.h"
#include "codec/dtdl_value_internal.h"

/* Where the walk is: in a container of the value, beside the schema for what is in it. A model
 * without errors nests no deeper; whatever does, does not fit. */
struct level {
    const struct json *container, *next; /* the next child to be looked at */
    const struct dtdl_schema *schema;    /* of the container */
    size_t place;                        /* of the child before `next`, from 1 */
};

struct walk {
    struct level levels[DTDL_SCHEMA_DEPTH_MAX + 1];
    size_t depth;
    struct fault *why;
};

/* --- values without others in them ---------------------------------------------------------- */

static bool is_integer(const struct json *value, int64_t least, int64_t most)
{
    int64_t number;

    return dtdl_to_int(value, &number) && number >= least && number <= most;
}

static bool is_number(const struct json *value)
{
    return value && value->kind == JSON_NUMBER && dtdl_text_is_double(value->text);
}

static bool are_numbers(const struct json *object, const char *const names[3], bool needs_third)
{
    const struct json *third = json_member(object, slice_str(names[2]));

    return is_number(json_member(object, slice_str(names[0]))) &&
           is_number(json_member(object, slice_str(names[1]))) &&
           (third ? is_number(third) : !needs_third);
}

static bool leaf_fits(const struct dtdl_schema *schema, const struct json *value)
{
    static const char *const geopoint[] = {"lat", "lon", "alt"}, *const vector[] = {"x", "y", "z"};
    bool is_string = value->kind == JSON_STRING;

    switch (schema->kind) {
    case DTDL_BOOLEAN:
        return value->kind == JSON_TRUE || value->kind == JSON_FALSE;
    case DTDL_DATE:
        return is_string && dtdl_text_is_date(value->text);
    case DTDL_DATE_TIME:
        return is_string && dtdl_text_is_date_time(value->text);
    case DTDL_DOUBLE:
        return is_number(value);
    case DTDL_DURATION:
        return is_string && dtdl_text_is_duration(value->text);
    case DTDL_FLOAT:
        return value->kind == JSON_NUMBER && dtdl_text_is_float(value->text);
    case DTDL_INTEGER:
        return is_integer(value, INT32_MIN, INT32_MAX);
    case DTDL_LONG:
        return is_integer(value, INT64_MIN, INT64_MAX);
    case DTDL_STRING:
        return is_string;
    case DTDL_TIME:
        return is_string && dtdl_text_is_time(value->text);
    case DTDL_POINT:
    case DTDL_MULTI_POINT:
    case DTDL_LINE_STRING:
    case DTDL_MULTI_LINE_STRING:
    case DTDL_POLYGON:
    case DTDL_MULTI_POLYGON:
        return dtdl_is_geometry(schema->kind, value);
    case DTDL_GEOPOINT:
        return are_numbers(value, geopoint, false);
    case DTDL_VECTOR:
        return are_numbers(value, vector, true);
    case DTDL_ENUM:
        return dtdl_enum_find(schema, value) != NULL;
    case DTDL_ARRAY:
        return value->kind == JSON_ARRAY;
    case DTDL_MAP:
    case DTDL_OBJECT:
        return value->kind == JSON_OBJECT;
    case DTDL_OPAQUE:
    case DTDL_SCHEMA_KINDS:
        break;
    }
    return schema->kind == DTDL_OPAQUE;
}

/* --- walking -------------------------------------------------------------------------------- */

static void write_path(const struct walk *w, struct buf *to)
{
    for (size_t i = 0; i < w->depth; i++) {
        const struct level *level = &w->levels[i];
        const struct json *child = level->container->first;

        if (level->container->kind == JSON_ARRAY) {
            buf_printf(to, "[%zu]", level->place - 1);
            continue;
        }
        for (size_t place = 1; place < level->place; place++)
            child = child->next;
        buf_printf(to, "%s%.*s", to->len ? "." : "", SLICE_FMT(dtdl_clip(child->name)));
    }
}

static bool refuse(const struct walk *w, const char *article, const char *expected)
{
    struct buf BUF_CLEANUP path = {.max = FAULT_TEXT_MAX / 2};

    write_path(w, &path);
    buf_append_str(&path, path.len ? ": " : "");
    fault_set(w->why, ST_BAD_REQUEST, "%.*s%s%s", SLICE_FMT(buf_slice(&path)), article, expected);
    return false;
}

static bool is_container(const struct dtdl_schema *schema)
{
    return schema->kind == DTDL_ARRAY || schema->kind == DTDL_MAP || schema->kind == DTDL_OBJECT;
}

/* Looks at one value, and goes into it when there is more to see. */
static bool enter(struct walk *w, const struct dtdl_schema *schema, const struct json *value)
{
    if (!leaf_fits(schema, value))
        return refuse(w, schema->kind == DTDL_ENUM ? "no value of the " : "no ",
                      dtdl_schema_kind_name(schema->kind));
    if (!is_container(schema) || !value->first)
        return true;
    if (w->depth == COUNT_OF(w->levels))
        return refuse(w, "", "nested too deep");
    w->levels[w->depth++] =
        (struct level){.container = value, .next = value->first, .schema = schema};
    return true;
}

/* The schema for a child; NULL when the model knows of none, and nothing is checked. */
static const struct dtdl_schema *schema_of(const struct dtdl_schema *container,
                                           const struct json *child)
{
    const struct dtdl_typed *part =
        container->kind == DTDL_OBJECT ? dtdl_field_find(container, child->name) : container->parts;

    return part ? part->schema : NULL;
}

bool dtdl_value_fits(const struct dtdl_schema *schema, const struct json *value, struct fault *why)
{
    struct walk w = {.why = why};
    bool fits = enter(&w, schema, value);

    while (fits && w.depth > 0) {
        struct level *level = &w.levels[w.depth - 1];
        const struct json *child = level->next;
        const struct dtdl_schema *inner;

        if (!child) {
            w.depth--;
            continue;
        }
        level->next = child->next;
        level->place++;
        inner = schema_of(level->schema, child);
        if (inner)
            fits = enter(&w, inner, child);
    }
    return fits;
}
