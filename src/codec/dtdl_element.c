/* What all elements have in common: their @type, names and texts, and what is not known of them. */
#include "codec/dtdl_internal.h"
#include "codec/dtmi.h"

/* --- the tree ------------------------------------------------------------------------------- */

size_t dtdl_set_count(const struct json *set)
{
    size_t count = 0;

    for (const struct json *one = dtdl_set_first(set); one; one = dtdl_set_next(set, one))
        count++;
    return count;
}

const struct json *dtdl_single(const struct json *value)
{
    bool is_one = value && value->kind == JSON_ARRAY && value->first && !value->first->next;

    return is_one ? value->first : value;
}

const struct json *dtdl_member(const struct json *object, slice name)
{
    const struct json *member = json_member(object, name);

    return member && member->kind != JSON_NULL ? member : NULL;
}

bool dtdl_get_string(struct dtdl_reader *r, const struct json *object, slice name, slice *ret)
{
    const struct json *member = dtdl_single(dtdl_member(object, name));

    if (!member)
        return false;
    if (member->kind != JSON_STRING) {
        dtdl_error(r, member, "must be a string");
        return false;
    }
    *ret = member->text;
    return true;
}

bool dtdl_get_bool(struct dtdl_reader *r, const struct json *object, slice name)
{
    const struct json *member = dtdl_single(dtdl_member(object, name));

    if (!member)
        return false;
    if (member->kind != JSON_TRUE && member->kind != JSON_FALSE)
        dtdl_error(r, member, "must be true or false");
    return member->kind == JSON_TRUE;
}

bool dtdl_has_type(const struct json *element, slice word)
{
    const struct json *types = dtdl_member(element, SLICE("@type"));

    for (const struct json *t = dtdl_set_first(types); t; t = dtdl_set_next(types, t)) {
        if (t->kind == JSON_STRING && slice_equal(dtmi_term(t->text), word))
            return true;
    }
    return false;
}

/* --- classes of elements -------------------------------------------------------------------- */

#define COMMON "@context @id @type comment description displayName "

struct class_row {
    const char *types;   /* words of @type that say no more than the class */
    const char *members; /* that it may have */
    bool is_named;
    bool may_measure; /* may have a semantic type: in version 2 only where may_measure_v2 */
    bool may_measure_v2;
};

static const struct class_row classes[] = {
    /* clang-format off */
    [CLASS_TEMPLATE] = {"ModelDefinition DeviceModel EdgeModel GatewayModel",
                        COMMON "capabilityModel etag", false, false, false},
    [CLASS_INTERFACE] = {"Interface", COMMON "contents extends schemas", false, false, false},
    [CLASS_TELEMETRY] = {"Telemetry", COMMON "name schema unit", true, true, true},
    [CLASS_PROPERTY] = {"Property", COMMON "name schema unit writable", true, true, true},
    [CLASS_COMMAND] = {"Command", COMMON "name commandType durable request response", true, false, false},
    [CLASS_COMPONENT] = {"Component", COMMON "name schema", true, false, false},
    [CLASS_RELATIONSHIP] = {"Relationship", COMMON "name maxMultiplicity minMultiplicity properties "
                            "target writable", true, false, false},
    [CLASS_PAYLOAD] = {"CommandPayload CommandRequest CommandResponse", COMMON "name schema unit", true, true, false},
    [CLASS_FIELD] = {"Field", COMMON "name schema unit", true, true, false},
    [CLASS_MAP_KEY] = {"MapKey", COMMON "name schema", true, false, false},
    [CLASS_MAP_VALUE] = {"MapValue", COMMON "name schema unit", true, true, false},
    [CLASS_ENUM_VALUE] = {"EnumValue", COMMON "name enumValue", true, false, false},
    [CLASS_ARRAY] = {"Array", COMMON "elementSchema", false, false, false},
    [CLASS_ENUM] = {"Enum", COMMON "enumValues valueSchema", false, false, false},
    [CLASS_MAP] = {"Map", COMMON "mapKey mapValue", false, false, false},
    [CLASS_OBJECT] = {"Object", COMMON "fields", false, false, false},
    /* clang-format on */
};

/* The IoT Central extension's words; any that ends in "Value" tells what an editor wrote. */
static unsigned marker_of(slice word)
{
    static const struct {
        const char *word;
        enum dtdl_marker marker;
    } rows[] = {
        {"State", DTDL_STATE},
        {"Event", DTDL_EVENT},
        {"Location", DTDL_LOCATION},
        {"VelocityVector", DTDL_VELOCITY_VECTOR},
        {"AccelerationVector", DTDL_ACCELERATION_VECTOR},
        {"Cloud", DTDL_CLOUD},
        {"EdgeModule", DTDL_EDGE_MODULE},
        {"Initialized", DTDL_EDITOR},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (slice_equal(slice_str(rows[i].word), word))
            return rows[i].marker;
    }
    return slice_ends_with(word, SLICE("Value")) ? DTDL_EDITOR : 0;
}

/* --- elements ------------------------------------------------------------------------------- */

static void add_extra(struct dtdl_reader *r, const struct dtdl_extra ***tail, slice name,
                      const struct json *value)
{
    struct dtdl_extra *extra = arena_alloc(r->arena, sizeof *extra);

    if (!extra)
        return;
    *extra = (struct dtdl_extra){.name = name, .value = value};
    **tail = extra;
    *tail = &extra->next;
}

static const struct dtdl_semantic *semantic_of(const struct dtdl_contexts *contexts,
                                               const struct class_row *row, slice word)
{
    if (contexts->version == DTDL_V2)
        return row->may_measure_v2 ? dtdl_semantic_find(word, DTDL_V2) : NULL;
    return row->may_measure && contexts->quantitative ? dtdl_semantic_find(word, DTDL_V3) : NULL;
}

static void note_type(struct dtdl_reader *r, const struct json *type, slice word)
{
    if (marker_of(word) & ~(unsigned)DTDL_EDITOR)
        dtdl_note(
            r, type,
            "the type '%.*s' means nothing without the context dtmi:iotcentral:context;2, and "
            "is kept",
            SLICE_FMT(dtdl_clip(word)));
    else
        dtdl_note(r, type, "the type '%.*s' is not known here and is kept",
                  SLICE_FMT(dtdl_clip(word)));
}

static void read_type(struct dtdl_reader *r, const struct dtdl_contexts *contexts,
                      const struct json *type, const struct class_row *row,
                      struct dtdl_element *element, const struct dtdl_semantic **ret_semantic,
                      const struct dtdl_extra ***extras)
{
    slice word = dtmi_term(type->text);
    const struct dtdl_semantic *semantic = ret_semantic ? semantic_of(contexts, row, word) : NULL;
    unsigned marker = contexts->iotcentral ? marker_of(word) : 0;

    if (type->kind != JSON_STRING) {
        dtdl_error(r, type, "must be a string");
    } else if (dtdl_has_word(row->types, word)) {
        return;
    } else if (semantic) {
        if (*ret_semantic)
            dtdl_error(r, type, "has two semantic types");
        *ret_semantic = semantic;
    } else if (marker) {
        element->markers |= marker;
    } else {
        add_extra(r, extras, type->text, NULL);
        note_type(r, type, word);
    }
}

/* Members the class does not have. Those beside an editor's mark are its own business. */
static void read_extras(struct dtdl_reader *r, const struct class_row *row,
                        struct dtdl_element *element, const struct dtdl_extra ***extras)
{
    for (const struct json *m = element->source->first; m; m = m->next) {
        if (dtdl_has_word(row->members, m->name))
            continue;
        add_extra(r, extras, m->name, m);
        if (!(element->markers & (DTDL_EDITOR | DTDL_EDGE_MODULE)))
            dtdl_note(r, m, "is not known here and is kept");
    }
}

static void read_text(struct dtdl_reader *r, const struct json *object, slice name,
                      struct dtdl_text *ret)
{
    const struct json *source = dtdl_single(dtdl_member(object, name)), *one;

    if (!source)
        return;
    if (source->kind == JSON_STRING) {
        *ret = (struct dtdl_text){source->text, source};
        return;
    }
    if (source->kind != JSON_OBJECT) {
        dtdl_error(r, source, "must be a string, or one for each language");
        return;
    }
    for (one = source->first; one; one = one->next) {
        if (one->kind != JSON_STRING) {
            dtdl_error(r, one, "must be a string");
            return;
        }
    }
    one = json_member(source, SLICE("en"));
    one = one ? one : source->first;
    *ret = (struct dtdl_text){one ? one->text : (slice){0}, source};
}

void dtdl_read_element(struct dtdl_reader *r, const struct dtdl_contexts *contexts,
                       const struct json *source, enum dtdl_class class, struct dtdl_element *ret,
                       const struct dtdl_semantic **ret_semantic)
{
    const struct class_row *row = &classes[class];
    const struct json *types = dtdl_member(source, SLICE("@type"));
    const struct dtdl_extra **extras = &ret->extras;

    ret->source = source;
    dtdl_get_string(r, source, SLICE("@id"), &ret->id);
    dtdl_get_string(r, source, SLICE("comment"), &ret->comment);
    read_text(r, source, SLICE("displayName"), &ret->display_name);
    read_text(r, source, SLICE("description"), &ret->description);
    if (row->is_named && !dtdl_member(source, SLICE("name")))
        dtdl_error(r, source, "the name is missing");
    if (row->is_named)
        dtdl_get_string(r, source, SLICE("name"), &ret->name);
    for (const struct json *t = dtdl_set_first(types); t; t = dtdl_set_next(types, t))
        read_type(r, contexts, t, row, ret, ret_semantic, &extras);
    read_extras(r, row, ret, &extras);
}

void dtdl_read_typed(struct dtdl_reader *r, struct dtdl_interface_node *in,
                     const struct json *source, enum dtdl_class class, struct dtdl_typed *ret)
{
    const struct json *schema = dtdl_single(dtdl_member(source, SLICE("schema")));

    dtdl_read_element(r, &in->contexts, source, class, &ret->element, &ret->semantic);
    dtdl_get_string(r, source, SLICE("unit"), &ret->unit);
    ret->unit = dtmi_term(ret->unit);
    in->elements += 2; /* the thing and its schema */
    if (schema)
        dtdl_read_schema(r, in, schema, &ret->schema);
    else
        dtdl_error(r, source, "the schema is missing");
}
