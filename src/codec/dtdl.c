#include "codec/dtdl.h"

#include <assert.h>
#include <stdlib.h>

#include "codec/dtdl_internal.h"

static const char *const content_kind_names[] = {
    [DTDL_TELEMETRY] = "Telemetry",       [DTDL_PROPERTY] = "Property",
    [DTDL_COMMAND] = "Command",           [DTDL_COMPONENT] = "Component",
    [DTDL_RELATIONSHIP] = "Relationship", [DTDL_UNKNOWN_CONTENT] = "unknown",
};
static_assert(COUNT_OF(content_kind_names) == DTDL_CONTENT_KINDS, "every kind has a name");

static const char *const schema_kind_names[] = {
    [DTDL_BOOLEAN] = "boolean",
    [DTDL_DATE] = "date",
    [DTDL_DATE_TIME] = "dateTime",
    [DTDL_DOUBLE] = "double",
    [DTDL_DURATION] = "duration",
    [DTDL_FLOAT] = "float",
    [DTDL_INTEGER] = "integer",
    [DTDL_LONG] = "long",
    [DTDL_STRING] = "string",
    [DTDL_TIME] = "time",
    [DTDL_POINT] = "point",
    [DTDL_MULTI_POINT] = "multiPoint",
    [DTDL_LINE_STRING] = "lineString",
    [DTDL_MULTI_LINE_STRING] = "multiLineString",
    [DTDL_POLYGON] = "polygon",
    [DTDL_MULTI_POLYGON] = "multiPolygon",
    [DTDL_GEOPOINT] = "geopoint",
    [DTDL_VECTOR] = "vector",
    [DTDL_ARRAY] = "Array",
    [DTDL_ENUM] = "Enum",
    [DTDL_MAP] = "Map",
    [DTDL_OBJECT] = "Object",
    [DTDL_OPAQUE] = "unknown",
};
static_assert(COUNT_OF(schema_kind_names) == DTDL_SCHEMA_KINDS, "every kind has a name");

const char *dtdl_content_kind_name(enum dtdl_content_kind kind)
{
    return (unsigned)kind < DTDL_CONTENT_KINDS ? content_kind_names[kind] : "unknown";
}

const char *dtdl_schema_kind_name(enum dtdl_schema_kind kind)
{
    return (unsigned)kind < DTDL_SCHEMA_KINDS ? schema_kind_names[kind] : "unknown";
}

bool dtdl_name_is_reserved(slice name)
{
    static const char *const reserved[] = {"EventEnqueuedUtcTime",
                                           "EventProcessedUtcTime",
                                           "PartitionId",
                                           "EventHub",
                                           "User",
                                           "$metadata",
                                           "$version"};

    for (size_t i = 0; i < COUNT_OF(reserved); i++) {
        if (slice_equal(slice_str(reserved[i]), name))
            return true;
    }
    return false;
}

bool dtdl_has_word(const char *words, slice word)
{
    for (slice rest = slice_str(words); rest.ptr;) {
        if (slice_equal(slice_split(&rest, ' '), word))
            return word.len > 0;
    }
    return false;
}

/* --- orders --------------------------------------------------------------------------------- */

int dtdl_compare_names(slice a, slice b)
{
    if (a.len != b.len)
        return a.len < b.len ? -1 : 1;
    return slice_compare(a, b);
}

/* Without a fraction of nothing but zeros. */
static slice whole_part(slice number)
{
    size_t point;

    if (!slice_find(number, '.', &point))
        return number;
    for (size_t i = point + 1; i < number.len; i++) {
        if (number.ptr[i] != '0')
            return number;
    }
    return slice_first(number, point);
}

bool dtdl_to_int(const struct json *value, int64_t *ret)
{
    return value->kind == JSON_NUMBER && slice_to_i64(whole_part(value->text), ret);
}

/* Numbers that are no integers come behind those that are, strings behind all numbers. */
int dtdl_compare_values(const struct json *a, const struct json *b)
{
    int64_t left = 0, right = 0;
    bool left_is_int = dtdl_to_int(a, &left), right_is_int = dtdl_to_int(b, &right);

    if (left_is_int && right_is_int)
        return left < right ? -1 : left > right;
    if (left_is_int != right_is_int)
        return left_is_int ? -1 : 1;
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    return dtdl_compare_names(a->text, b->text);
}

/* --- finding -------------------------------------------------------------------------------- */

static int compare_name_content(const void *name, const void *slot)
{
    const struct dtdl_content *const *content = slot;

    return dtdl_compare_names(*(const slice *)name, (*content)->typed.element.name);
}

const struct dtdl_content *dtdl_content_find(const struct dtdl_interface *interface, slice name)
{
    const struct dtdl_content **slot;

    if (interface->all_count == 0)
        return NULL;
    slot = bsearch(&name, interface->all_by_name, interface->all_count,
                   sizeof(struct dtdl_content *), compare_name_content);
    return slot ? *slot : NULL;
}

static int compare_name_part(const void *name, const void *slot)
{
    const struct dtdl_typed *const *part = slot;

    return dtdl_compare_names(*(const slice *)name, (*part)->element.name);
}

const struct dtdl_typed *dtdl_field_find(const struct dtdl_schema *object, slice name)
{
    const struct dtdl_typed **slot;

    if (object->kind != DTDL_OBJECT || object->part_count == 0)
        return NULL;
    slot = bsearch(&name, object->parts_by_name, object->part_count, sizeof(struct dtdl_typed *),
                   compare_name_part);
    return slot ? *slot : NULL;
}

static int compare_value_member(const void *value, const void *slot)
{
    const struct dtdl_enum_value *const *member = slot;

    return dtdl_compare_values(value, (*member)->value);
}

const struct dtdl_enum_value *dtdl_enum_find(const struct dtdl_schema *schema,
                                             const struct json *value)
{
    const struct dtdl_enum_value **slot;

    if (schema->kind != DTDL_ENUM || schema->value_count == 0)
        return NULL;
    slot = bsearch(value, schema->values_by_value, schema->value_count,
                   sizeof(struct dtdl_enum_value *), compare_value_member);
    return slot ? *slot : NULL;
}

const struct dtdl_interface *dtdl_interface_find(const struct dtdl_model *model, slice id)
{
    for (size_t i = 0; i < model->interface_count; i++) {
        if (slice_equal(model->interfaces[i]->element.id, id))
            return model->interfaces[i];
    }
    return NULL;
}

const struct json *dtdl_extra_find(const struct dtdl_element *element, slice name)
{
    for (const struct dtdl_extra *extra = element->extras; extra; extra = extra->next) {
        if (extra->value && slice_equal(extra->name, name))
            return extra->value;
    }
    return NULL;
}

slice dtdl_text_in(const struct dtdl_text *text, slice language)
{
    slice found;

    if (text->source && json_get_text(text->source, language, &found))
        return found;
    return text->text;
}
