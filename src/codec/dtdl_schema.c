/* Schemas: words of the language, references, and arrays, enums, maps, objects of schemas.
 *
 * Complex schemas go on the interface's list when they are met and are taken apart when their turn
 * comes, so it does not matter how deep they lie. */
#include "codec/dtdl_internal.h"
#include "codec/dtmi.h"

/* What is named by a word is the same schema everywhere. */
static const struct dtdl_schema words[] = {
    {.kind = DTDL_BOOLEAN},
    {.kind = DTDL_DATE},
    {.kind = DTDL_DATE_TIME},
    {.kind = DTDL_DOUBLE},
    {.kind = DTDL_DURATION},
    {.kind = DTDL_FLOAT},
    {.kind = DTDL_INTEGER},
    {.kind = DTDL_LONG},
    {.kind = DTDL_STRING},
    {.kind = DTDL_TIME},
    {.kind = DTDL_POINT, .has_array = true},
    {.kind = DTDL_MULTI_POINT, .has_array = true},
    {.kind = DTDL_LINE_STRING, .has_array = true},
    {.kind = DTDL_MULTI_LINE_STRING, .has_array = true},
    {.kind = DTDL_POLYGON, .has_array = true},
    {.kind = DTDL_MULTI_POLYGON, .has_array = true},
    {.kind = DTDL_GEOPOINT},
    {.kind = DTDL_VECTOR},
};

static const struct dtdl_schema opaque = {.kind = DTDL_OPAQUE};

static const struct {
    const char *type;
    enum dtdl_schema_kind kind;
    enum dtdl_class class;
} complex_kinds[] = {
    {"Array", DTDL_ARRAY, CLASS_ARRAY},
    {"Enum", DTDL_ENUM, CLASS_ENUM},
    {"Map", DTDL_MAP, CLASS_MAP},
    {"Object", DTDL_OBJECT, CLASS_OBJECT},
};

/* --- schemas as they are met ---------------------------------------------------------------- */

static void read_unknown(struct dtdl_reader *r, const struct dtdl_interface_node *in,
                         const struct json *source, const struct dtdl_schema **ret)
{
    if (in->contexts.version <= DTDL_V3) {
        dtdl_error(r, source, "is no schema of the language");
        return;
    }
    dtdl_note(r, source, "is a schema not known here: any value fits");
    *ret = &opaque;
}

static void read_word(struct dtdl_reader *r, const struct dtdl_interface_node *in,
                      const struct json *source, const struct dtdl_schema **ret)
{
    slice word = dtmi_term(source->text);

    for (size_t i = 0; i < COUNT_OF(words); i++) {
        enum dtdl_schema_kind kind = words[i].kind;

        if (!slice_equal(slice_str(dtdl_schema_kind_name(kind)), word))
            continue;
        if ((kind == DTDL_GEOPOINT || kind == DTDL_VECTOR) && !in->contexts.iotcentral)
            dtdl_error(r, source, "needs dtmi:iotcentral:context;2 in the @context");
        *ret = &words[i];
        return;
    }
    read_unknown(r, in, source, ret);
}

static void refer(struct dtdl_reader *r, struct dtdl_interface_node *in, const struct json *source,
                  const struct dtdl_schema **place)
{
    struct dtdl_schema_reference *reference = arena_alloc(r->arena, sizeof *reference);

    if (!reference)
        return;
    *reference = (struct dtdl_schema_reference){source, place, in->references};
    in->references = reference;
}

static struct dtdl_schema *add_complex(struct dtdl_reader *r, struct dtdl_interface_node *in,
                                       const struct json *source)
{
    struct dtdl_schema_node *node = NULL;

    for (size_t i = 0; i < COUNT_OF(complex_kinds) && !node; i++) {
        if (!dtdl_has_type(source, slice_str(complex_kinds[i].type)))
            continue;
        node = arena_alloc(r->arena, sizeof *node);
        if (!node)
            return NULL;
        node->schema.kind = complex_kinds[i].kind;
        node->schema.depth = 1;
        node->schema.has_array = node->schema.kind == DTDL_ARRAY;
        dtdl_read_element(r, &in->contexts, source, complex_kinds[i].class, &node->schema.element,
                          NULL);
    }
    if (!node)
        return NULL;
    if (in->last_schema)
        in->last_schema->next = node;
    else
        in->first_schema = node;
    in->last_schema = node;
    return &node->schema;
}

void dtdl_read_schema(struct dtdl_reader *r, struct dtdl_interface_node *in,
                      const struct json *source, const struct dtdl_schema **ret)
{
    bool is_reference = source->kind == JSON_STRING &&
                        slice_starts_with(source->text, SLICE("dtmi:")) &&
                        slice_equal(dtmi_term(source->text), source->text);

    if (is_reference) {
        refer(r, in, source, ret);
    } else if (source->kind == JSON_STRING) {
        read_word(r, in, source, ret);
    } else if (source->kind == JSON_OBJECT) {
        *ret = add_complex(r, in, source);
        if (!*ret)
            read_unknown(r, in, source, ret);
    } else {
        dtdl_error(r, source, "must be a schema");
    }
}

/* --- schemas taken apart -------------------------------------------------------------------- */

static struct dtdl_typed *add_parts(struct dtdl_reader *r, struct dtdl_schema *schema, size_t count)
{
    schema->parts = arena_alloc_array(r->arena, count, sizeof *schema->parts);
    schema->parts_by_name = arena_alloc_array(r->arena, count, sizeof(struct dtdl_typed *));
    if (r->arena->failed)
        return NULL;
    for (size_t i = 0; i < count; i++)
        schema->parts_by_name[i] = &schema->parts[i];
    schema->part_count = count;
    return schema->parts;
}

static void read_array(struct dtdl_reader *r, struct dtdl_interface_node *in,
                       struct dtdl_schema *schema)
{
    const struct json *source = schema->element.source;
    const struct json *inner = dtdl_single(dtdl_member(source, SLICE("elementSchema")));
    struct dtdl_typed *part = add_parts(r, schema, 1);

    if (!part)
        return;
    in->elements++;
    part->element.source = source;
    if (inner)
        dtdl_read_schema(r, in, inner, &part->schema);
    else
        dtdl_error(r, source, "the elementSchema is missing");
}

static const struct json *required_object(struct dtdl_reader *r, const struct json *source,
                                          slice name)
{
    const struct json *member = dtdl_single(dtdl_member(source, name));

    if (member && member->kind == JSON_OBJECT)
        return member;
    if (member)
        dtdl_error(r, member, "must be an object");
    else
        dtdl_error(r, source, "the %.*s is missing", SLICE_FMT(name));
    return NULL;
}

static void read_map(struct dtdl_reader *r, struct dtdl_interface_node *in,
                     struct dtdl_schema *schema)
{
    const struct json *source = schema->element.source;
    const struct json *key = required_object(r, source, SLICE("mapKey"));
    const struct json *value = required_object(r, source, SLICE("mapValue"));
    struct dtdl_typed key_as_read = {0}, *part = add_parts(r, schema, 1);

    if (key) {
        dtdl_read_typed(r, in, key, CLASS_MAP_KEY, &key_as_read);
        schema->map_key_name = key_as_read.element.name;
        if (key_as_read.schema && key_as_read.schema->kind != DTDL_STRING)
            dtdl_error(r, json_member(key, SLICE("schema")), "the key of a map must be a string");
    }
    if (value && part)
        dtdl_read_typed(r, in, value, CLASS_MAP_VALUE, part);
}

static void read_object(struct dtdl_reader *r, struct dtdl_interface_node *in,
                        struct dtdl_schema *schema)
{
    const struct json *fields = dtdl_member(schema->element.source, SLICE("fields"));
    struct dtdl_typed *part = add_parts(r, schema, dtdl_set_count(fields));

    if (!part)
        return;
    for (const struct json *f = dtdl_set_first(fields); f; f = dtdl_set_next(fields, f), part++) {
        part->element.source = f;
        if (f->kind == JSON_OBJECT)
            dtdl_read_typed(r, in, f, CLASS_FIELD, part);
        else
            dtdl_error(r, f, "must be a field");
    }
}

static void read_enum_value(struct dtdl_reader *r, struct dtdl_interface_node *in,
                            enum dtdl_schema_kind kind, const struct json *source,
                            struct dtdl_enum_value *ret)
{
    int64_t number;

    in->elements++;
    ret->value = source; /* until it is known better: never NULL */
    if (source->kind != JSON_OBJECT) {
        dtdl_error(r, source, "must be a value of an enum");
        return;
    }
    dtdl_read_element(r, &in->contexts, source, CLASS_ENUM_VALUE, &ret->element, NULL);
    if (!dtdl_member(source, SLICE("enumValue"))) {
        dtdl_error(r, source, "the enumValue is missing");
        return;
    }
    ret->value = dtdl_single(json_member(source, SLICE("enumValue")));
    if (kind == DTDL_STRING && ret->value->kind != JSON_STRING)
        dtdl_error(r, ret->value, "must be a string, as the valueSchema says");
    if (kind == DTDL_INTEGER &&
        (!json_to_int(ret->value, &number) || number < INT32_MIN || number > INT32_MAX))
        dtdl_error(r, ret->value, "must be an integer of 32 bits, as the valueSchema says");
}

static void read_enum(struct dtdl_reader *r, struct dtdl_interface_node *in,
                      struct dtdl_schema *schema)
{
    const struct json *source = schema->element.source;
    const struct json *values = dtdl_member(source, SLICE("enumValues"));
    size_t count = dtdl_set_count(values);
    slice kind = {0};

    if (!dtdl_get_string(r, source, SLICE("valueSchema"), &kind))
        dtdl_error(r, source, "the valueSchema is missing");
    else if (!slice_equal(dtmi_term(kind), SLICE("integer")) &&
             !slice_equal(dtmi_term(kind), SLICE("string")))
        dtdl_error(r, json_member(source, SLICE("valueSchema")), "must be integer or string");
    schema->value_kind = slice_equal(dtmi_term(kind), SLICE("string")) ? DTDL_STRING : DTDL_INTEGER;
    schema->values = arena_alloc_array(r->arena, count, sizeof *schema->values);
    schema->values_by_value = arena_alloc_array(r->arena, count, sizeof(struct dtdl_enum_value *));
    if (r->arena->failed)
        return;
    for (const struct json *v = dtdl_set_first(values); v; v = dtdl_set_next(values, v)) {
        struct dtdl_enum_value *value = &schema->values[schema->value_count];

        read_enum_value(r, in, schema->value_kind, v, value);
        schema->values_by_value[schema->value_count++] = value;
    }
}

static void read_named(struct dtdl_reader *r, struct dtdl_interface_node *in)
{
    const struct json *schemas = dtdl_member(in->source, SLICE("schemas"));

    for (const struct json *s = dtdl_set_first(schemas); s; s = dtdl_set_next(schemas, s)) {
        const struct dtdl_schema *schema;

        if (s->kind != JSON_OBJECT) {
            dtdl_error(r, s, "must be a schema");
            continue;
        }
        schema = add_complex(r, in, s);
        if (!schema)
            dtdl_error(r, s, "the @type must be Array, Enum, Map or Object");
        else if (schema->element.id.len == 0)
            dtdl_error(r, s, "the @id is missing");
    }
}

void dtdl_read_schemas(struct dtdl_reader *r, struct dtdl_interface_node *in)
{
    read_named(r, in);
    for (struct dtdl_schema_node *node = in->first_schema; node; node = node->next) {
        if (node->schema.kind == DTDL_ARRAY)
            read_array(r, in, &node->schema);
        else if (node->schema.kind == DTDL_ENUM)
            read_enum(r, in, &node->schema);
        else if (node->schema.kind == DTDL_MAP)
            read_map(r, in, &node->schema);
        else
            read_object(r, in, &node->schema);
    }
}
