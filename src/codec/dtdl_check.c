/* The rules and limits of contract/central.md 5.2. */
#include "codec/dtdl_internal.h"
#include "codec/dtmi.h"

#define NO_LIMIT SIZE_MAX
#define ELEMENT_ID_MAX 2048
#define V3_TEXT_BYTES_MAX ((size_t)1 << 20)
#define V3_ELEMENTS_MAX 100000

/* Bit sets of schema kinds. */
#define KIND(kind) (1u << (kind))
#define NUMERIC (KIND(DTDL_DOUBLE) | KIND(DTDL_FLOAT) | KIND(DTDL_INTEGER) | KIND(DTDL_LONG))
#define GEOSPATIAL                                                                                 \
    (KIND(DTDL_POINT) | KIND(DTDL_MULTI_POINT) | KIND(DTDL_LINE_STRING) |                          \
     KIND(DTDL_MULTI_LINE_STRING) | KIND(DTDL_POLYGON) | KIND(DTDL_MULTI_POLYGON))

struct limits {
    size_t name, display_name, description; /* characters; a comment's are a description's */
    size_t bases, contents, enum_values, fields, relationship_properties;
    size_t enum_values_least, fields_least;
    bool arrays_in_properties;
};

static const struct limits limits[] = {
    [DTDL_V2] = {64, 64, 512, 2, 300, 100, 30, 300, 1, 1, false},
    [DTDL_V3] = {512, 512, 512, NO_LIMIT, NO_LIMIT, NO_LIMIT, NO_LIMIT, NO_LIMIT, 0, 0, true},
};

struct checker {
    struct dtdl_reader *r;
    const struct dtdl_interface_node *node;
    const struct limits *limits;
    enum dtdl_version version;
};

/* --- names and texts ------------------------------------------------------------------------ */

static size_t characters(slice text)
{
    size_t count = 0;

    for (size_t i = 0; i < text.len; i++)
        count += (text.ptr[i] & 0xc0) != 0x80;
    return count;
}

static bool is_alphanumeric(uint8_t c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* A letter first, a letter or digit last, and underscores between. */
static bool name_is_valid(slice name)
{
    if (name.len == 0 || !is_alphanumeric(name.ptr[0]) || name.ptr[0] <= '9' ||
        !is_alphanumeric(name.ptr[name.len - 1]))
        return false;
    for (size_t i = 0; i < name.len; i++) {
        if (!is_alphanumeric(name.ptr[i]) && name.ptr[i] != '_')
            return false;
    }
    return true;
}

static void check_name(const struct checker *c, const struct json *source, slice name)
{
    const struct json *at = json_member(source, SLICE("name"));

    if (name.len == 0 && (!at || dtdl_single(at)->kind != JSON_STRING))
        return; /* said already */
    if (characters(name) > c->limits->name)
        dtdl_error(c->r, at, "is longer than %zu characters", c->limits->name);
    else if (!name_is_valid(name))
        dtdl_error(c->r, at,
                   "may have letters, digits and underscores only, begins with a letter and ends "
                   "with a letter or digit");
}

/* The cloud names components itself, and begins with an underscore. */
static void check_component_name(const struct checker *c, const struct dtdl_element *element)
{
    slice name = element->name;
    bool is_clouds = name.len > 1 && name.ptr[0] == '_';

    if (is_clouds)
        dtdl_note(c->r, json_member(element->source, SLICE("name")),
                  "begins with an underscore, which the language does not allow");
    while (name.len > 0 && name.ptr[0] == '_' && is_clouds)
        name = slice_from(name, 1);
    check_name(c, element->source, name);
}

static void check_text(const struct checker *c, const struct dtdl_text *text, size_t most)
{
    const struct json *source = text->source;

    for (const struct json *one = source && source->kind == JSON_OBJECT ? source->first : source;
         one; one = one == source ? NULL : one->next) {
        if (characters(one->text) > most)
            dtdl_error(c->r, one, "is longer than %zu characters", most);
    }
}

static void check_element(const struct checker *c, const struct dtdl_element *element)
{
    check_text(c, &element->display_name, c->limits->display_name);
    check_text(c, &element->description, c->limits->description);
    if (characters(element->comment) > c->limits->description)
        dtdl_error(c->r, json_member(element->source, SLICE("comment")),
                   "is longer than %zu characters", c->limits->description);
    if (element->id.len > ELEMENT_ID_MAX)
        dtdl_error(c->r, json_member(element->source, SLICE("@id")), "is longer than %d characters",
                   ELEMENT_ID_MAX);
}

static void check_count(const struct checker *c, const struct json *source, const char *member,
                        size_t count, size_t least, size_t most)
{
    const struct json *at = json_member(source, slice_str(member));

    if (count > most)
        dtdl_error(c->r, at ? at : source, "has %zu %s; at most %zu are allowed", count, member,
                   most);
    if (count < least)
        dtdl_error(c->r, at ? at : source, "has no %s", member);
}

/* --- schemas, quantities -------------------------------------------------------------------- */

static bool has_kind(const struct dtdl_typed *typed, unsigned kinds)
{
    return !typed->schema || typed->schema->kind == DTDL_OPAQUE ||
           (kinds & KIND(typed->schema->kind));
}

/* What the co-types of the IoT Central extension ask of the schema. */
static void check_markers(const struct checker *c, const struct dtdl_typed *typed)
{
    static const struct {
        enum dtdl_marker marker;
        unsigned kinds;
        const char *rule;
    } rows[] = {
        {DTDL_STATE, KIND(DTDL_ENUM), "State needs an Enum"},
        {DTDL_EVENT, NUMERIC | KIND(DTDL_STRING),
         "Event needs double, float, integer, long or string"},
        {DTDL_LOCATION, GEOSPATIAL | KIND(DTDL_GEOPOINT),
         "Location needs geopoint or a geospatial schema"},
        {DTDL_VELOCITY_VECTOR, KIND(DTDL_VECTOR), "VelocityVector needs vector"},
        {DTDL_ACCELERATION_VECTOR, KIND(DTDL_VECTOR), "AccelerationVector needs vector"},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if ((typed->element.markers & rows[i].marker) && !has_kind(typed, rows[i].kinds))
            dtdl_error(c->r, json_member(typed->element.source, SLICE("schema")), "%s",
                       rows[i].rule);
    }
}

/* A vector of a velocity or acceleration may have that quantity's unit. */
static const struct dtdl_semantic *quantity_of(const struct dtdl_typed *typed)
{
    if (typed->semantic)
        return typed->semantic;
    if (typed->element.markers & DTDL_VELOCITY_VECTOR)
        return dtdl_semantic_find(SLICE("Velocity"), DTDL_V2);
    if (typed->element.markers & DTDL_ACCELERATION_VECTOR)
        return dtdl_semantic_find(SLICE("Acceleration"), DTDL_V2);
    return NULL;
}

static void check_quantity(const struct checker *c, const struct dtdl_typed *typed)
{
    const struct json *source = typed->element.source;
    const struct dtdl_semantic *quantity = quantity_of(typed);
    const struct json *unit = json_member(source, SLICE("unit"));

    if (typed->semantic && !has_kind(typed, NUMERIC))
        dtdl_error(c->r, json_member(source, SLICE("schema")),
                   "the semantic type %s needs double, float, integer or long",
                   typed->semantic->name);
    if (typed->semantic && typed->unit.len == 0)
        dtdl_error(c->r, source, "the semantic type %s needs a unit", typed->semantic->name);
    else if (quantity && typed->unit.len > 0 &&
             !dtdl_semantic_has_unit(quantity, typed->unit, c->version))
        dtdl_error(c->r, unit, "'%.*s' is no unit for %s", SLICE_FMT(dtdl_clip(typed->unit)),
                   quantity->name);
    else if (!quantity && typed->unit.len > 0)
        dtdl_note(c->r, unit, "means nothing without a semantic type, and is kept");
}

static void check_typed(const struct checker *c, const struct dtdl_typed *typed)
{
    check_element(c, &typed->element);
    check_name(c, typed->element.source, typed->element.name);
    check_markers(c, typed);
    check_quantity(c, typed);
}

static void check_fields(const struct checker *c, const struct dtdl_schema *schema)
{
    check_count(c, schema->element.source, "fields", schema->part_count, c->limits->fields_least,
                c->limits->fields);
    for (size_t i = 1; i < schema->part_count; i++) {
        const struct dtdl_element *a = &schema->parts_by_name[i - 1]->element;
        const struct dtdl_element *b = &schema->parts_by_name[i]->element;

        if (b->name.len > 0 && slice_equal(a->name, b->name))
            dtdl_error(c->r, b->source, "another field has this name");
    }
}

static void check_enum_names(const struct checker *c, const struct dtdl_schema *schema)
{
    struct json_index index;
    struct json *names = json_new(c->r->arena, JSON_OBJECT);

    /* An object with the names for its members, for the sake of its index. */
    for (size_t i = 0; names && i < schema->value_count; i++) {
        struct json *name = json_new(c->r->arena, JSON_NULL);

        if (name)
            name->name = schema->values[i].element.name;
        json_attach(names, name);
    }
    if (!names || !json_index_build(names, c->r->arena, &index))
        return;
    for (size_t i = 1; i < index.count; i++) {
        if (index.slots[i].member->name.len > 0 &&
            slice_equal(index.slots[i - 1].member->name, index.slots[i].member->name))
            dtdl_error(c->r, schema->values[index.slots[i].place].element.source,
                       "another value has this name");
    }
}

static void check_enum(const struct checker *c, const struct dtdl_schema *schema)
{
    check_count(c, schema->element.source, "enumValues", schema->value_count,
                c->limits->enum_values_least, c->limits->enum_values);
    check_enum_names(c, schema);
    for (size_t i = 0; i < schema->value_count; i++) {
        const struct dtdl_element *element = &schema->values[i].element;

        if (!element->source)
            continue; /* was no object */
        check_element(c, element);
        check_name(c, element->source, element->name);
    }
    for (size_t i = 1; i < schema->value_count; i++) {
        const struct dtdl_enum_value *a = schema->values_by_value[i - 1];
        const struct dtdl_enum_value *b = schema->values_by_value[i];

        if (b->value != b->element.source && dtdl_compare_values(a->value, b->value) == 0)
            dtdl_error(c->r, b->value, "another name has this value");
    }
}

static void check_map_key(const struct checker *c, const struct dtdl_schema *map)
{
    const struct json *key = dtdl_single(json_member(map->element.source, SLICE("mapKey")));

    if (key && key->kind == JSON_OBJECT)
        check_name(c, key, map->map_key_name);
}

static void check_schema(const struct checker *c, const struct dtdl_schema *schema)
{
    check_element(c, &schema->element);
    if (schema->kind == DTDL_OBJECT)
        check_fields(c, schema);
    if (schema->kind == DTDL_ENUM)
        check_enum(c, schema);
    if (schema->kind == DTDL_MAP)
        check_map_key(c, schema);
    for (size_t i = 0; i < schema->part_count && schema->kind != DTDL_ARRAY; i++) {
        if (schema->parts[i].element.source && schema->parts[i].element.source->kind == JSON_OBJECT)
            check_typed(c, &schema->parts[i]);
    }
}

/* --- contents ------------------------------------------------------------------------------- */

static void check_property(const struct checker *c, const struct dtdl_content *content)
{
    const struct dtdl_typed *typed = &content->typed;

    check_typed(c, typed);
    if (!c->limits->arrays_in_properties && typed->schema && typed->schema->has_array)
        dtdl_error(c->r, json_member(typed->element.source, SLICE("schema")),
                   "a property of version 2 may have no Array and nothing geospatial in it");
}

static void check_property_names(const struct checker *c, const struct dtdl_content *content)
{
    for (size_t i = 1; i < content->property_count; i++) {
        const struct dtdl_element *property = &content->properties[i].typed.element;

        for (size_t before = 0; before < i && property->name.len > 0; before++) {
            if (!slice_equal(content->properties[before].typed.element.name, property->name))
                continue;
            dtdl_error(c->r, property->source, "another property has this name");
            break;
        }
    }
}

static void check_relationship(const struct checker *c, const struct dtdl_content *content)
{
    const struct json *source = content->typed.element.source;
    struct dtmi target;

    check_element(c, &content->typed.element);
    check_name(c, source, content->typed.element.name);
    if (content->target.len > ELEMENT_ID_MAX)
        dtdl_error(c->r, json_member(source, SLICE("target")), "is longer than %d characters",
                   ELEMENT_ID_MAX);
    else if (content->target.len > 0 && !dtmi_parse(content->target, DTMI_V3, &target))
        dtdl_note(c->r, json_member(source, SLICE("target")), "is no DTMI");
    check_count(c, source, "properties", content->property_count, 0,
                c->limits->relationship_properties);
    for (size_t i = 0; i < content->property_count; i++)
        check_property(c, &content->properties[i]);
    check_property_names(c, content);
}

static void check_command(const struct checker *c, const struct dtdl_content *content)
{
    check_element(c, &content->typed.element);
    check_name(c, content->typed.element.source, content->typed.element.name);
    if (content->request)
        check_typed(c, content->request);
    if (content->response)
        check_typed(c, content->response);
}

static void check_content(const struct checker *c, const struct dtdl_content *content)
{
    const struct dtdl_element *element = &content->typed.element;

    switch (content->kind) {
    case DTDL_TELEMETRY:
        check_typed(c, &content->typed);
        if (dtdl_name_is_reserved(element->name))
            dtdl_note(c->r, element->source, "telemetry of this name is ignored when it is sent");
        break;
    case DTDL_PROPERTY:
        check_property(c, content);
        break;
    case DTDL_COMMAND:
        check_command(c, content);
        break;
    case DTDL_COMPONENT:
        check_element(c, element);
        check_component_name(c, element);
        break;
    case DTDL_RELATIONSHIP:
        check_relationship(c, content);
        break;
    case DTDL_UNKNOWN_CONTENT:
    case DTDL_CONTENT_KINDS:
        break;
    }
}

/* Names are unique among what an interface has and inherits. */
static void check_content_names(const struct checker *c)
{
    const struct dtdl_interface *interface = &c->node->interface;

    for (size_t i = 1; i < interface->all_count; i++) {
        const struct dtdl_content *a = interface->all_by_name[i - 1];
        const struct dtdl_content *b = interface->all_by_name[i];
        const struct dtdl_content *own = b->owner == interface ? b : a;
        const struct dtdl_content *other = own == a ? b : a;
        bool is_twice = a->typed.element.name.len > 0 &&
                        slice_equal(a->typed.element.name, b->typed.element.name);

        if (is_twice && a->owner == b->owner && a->owner == interface)
            dtdl_error(c->r, b->typed.element.source, "another content has this name");
        else if (is_twice && own->owner == interface)
            dtdl_error(c->r, own->typed.element.source, "has the name of a content of %.*s",
                       SLICE_FMT(dtdl_clip(other->owner->element.id)));
        else if (is_twice && a->owner != b->owner)
            dtdl_error(c->r, c->node->source, "inherits two contents of the name '%.*s'",
                       SLICE_FMT(dtdl_clip(a->typed.element.name)));
    }
}

/* --- interfaces ----------------------------------------------------------------------------- */

static void check_interface_id(const struct checker *c, const struct dtdl_element *element)
{
    const struct json *at = json_member(element->source, SLICE("@id"));
    struct dtmi dtmi;

    if (element->id.len == 0)
        return; /* said already */
    if (element->id.len > DTMI_INTERFACE_MAX)
        dtdl_error(c->r, at, "is longer than %d characters", DTMI_INTERFACE_MAX);
    if (!dtmi_parse(element->id, c->version == DTDL_V2 ? DTMI_V2 : DTMI_V3, &dtmi))
        dtdl_error(c->r, at, "is no DTMI of version %d of the language", (int)c->version);
    else if (dtmi_is_reserved(element->id))
        dtdl_error(c->r, at, "begins with a prefix that the language keeps for itself");
    else if (dtmi.is_system)
        dtdl_note(c->r, at, "has a segment that begins with an underscore");
}

static void check_v3_size(const struct checker *c, size_t *seen)
{
    const struct dtdl_interface *interface = &c->node->interface;
    size_t elements = c->node->elements_inherited;

    if (c->node->text_bytes > V3_TEXT_BYTES_MAX)
        dtdl_error(c->r, c->node->source, "is longer than %zu bytes", V3_TEXT_BYTES_MAX);
    for (size_t i = 0; i < interface->all_count; i++) {
        const struct dtdl_interface *component = interface->all[i]->interface;

        if (!component || interface->all[i]->kind != DTDL_COMPONENT ||
            seen[component->index] == interface->index + 1)
            continue;
        seen[component->index] = interface->index + 1;
        elements += c->r->nodes[component->index]->elements_inherited;
    }
    if (elements > V3_ELEMENTS_MAX)
        dtdl_error(c->r, c->node->source, "has more than %d elements", V3_ELEMENTS_MAX);
}

static void check_interface(const struct checker *c, size_t *seen)
{
    const struct dtdl_interface *interface = &c->node->interface;
    const struct json *source = c->node->source;

    check_element(c, &interface->element);
    check_interface_id(c, &interface->element);
    check_count(c, source, "extends", interface->base_count, 0, c->limits->bases);
    check_count(c, source, "contents", interface->all_count, 0, c->limits->contents);
    if (c->version == DTDL_V3)
        check_v3_size(c, seen);
    for (size_t i = 0; i < interface->content_count; i++)
        check_content(c, &interface->contents[i]);
    for (const struct dtdl_schema_node *s = c->node->first_schema; s; s = s->next)
        check_schema(c, &s->schema);
    check_content_names(c);
}

void dtdl_check(struct dtdl_reader *r)
{
    size_t *seen = arena_alloc_array(r->arena, r->node_count, sizeof *seen);

    for (const struct dtdl_interface_node *node = r->first; node && seen; node = node->next) {
        struct checker c = {r, node, &limits[node->interface.version], node->interface.version};

        if (!node->is_copy)
            check_interface(&c, seen);
    }
}
