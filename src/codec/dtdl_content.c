/* The contents of an interface. */
#include "codec/dtdl_internal.h"

typedef void content_reader(struct dtdl_reader *r, struct dtdl_interface_node *in,
                            const struct json *source, struct dtdl_content *content);

static void read_telemetry(struct dtdl_reader *r, struct dtdl_interface_node *in,
                           const struct json *source, struct dtdl_content *content)
{
    dtdl_read_typed(r, in, source, CLASS_TELEMETRY, &content->typed);
}

static void read_property(struct dtdl_reader *r, struct dtdl_interface_node *in,
                          const struct json *source, struct dtdl_content *content)
{
    dtdl_read_typed(r, in, source, CLASS_PROPERTY, &content->typed);
    content->writable = dtdl_get_bool(r, source, SLICE("writable"));
}

/* What a command takes or gives. */
static const struct dtdl_typed *read_payload(struct dtdl_reader *r, struct dtdl_interface_node *in,
                                             const struct json *command, slice name)
{
    const struct json *source = dtdl_single(dtdl_member(command, name));
    struct dtdl_typed *payload;

    if (!source)
        return NULL;
    if (source->kind != JSON_OBJECT) {
        dtdl_error(r, source, "must be an object");
        return NULL;
    }
    payload = arena_alloc(r->arena, sizeof *payload);
    if (payload)
        dtdl_read_typed(r, in, source, CLASS_PAYLOAD, payload);
    return payload;
}

static void read_command(struct dtdl_reader *r, struct dtdl_interface_node *in,
                         const struct json *source, struct dtdl_content *content)
{
    in->elements++;
    dtdl_read_element(r, &in->contexts, source, CLASS_COMMAND, &content->typed.element, NULL);
    content->durable = dtdl_get_bool(r, source, SLICE("durable"));
    content->request = read_payload(r, in, source, SLICE("request"));
    content->response = read_payload(r, in, source, SLICE("response"));
}

static void read_component(struct dtdl_reader *r, struct dtdl_interface_node *in,
                           const struct json *source, struct dtdl_content *content)
{
    const struct json *schema = dtdl_single(dtdl_member(source, SLICE("schema")));

    in->elements += 2;
    dtdl_read_element(r, &in->contexts, source, CLASS_COMPONENT, &content->typed.element, NULL);
    if (schema)
        dtdl_refer(r, in, schema, &content->interface);
    else
        dtdl_error(r, source, "the schema is missing");
}

/* A DTMI; in the cloud's templates of edge devices the module's interface itself. */
static void read_target(struct dtdl_reader *r, struct dtdl_interface_node *in,
                        const struct json *source, struct dtdl_content *content)
{
    const struct json *target = dtdl_single(dtdl_member(source, SLICE("target")));

    if (!target)
        return;
    if (target->kind == JSON_OBJECT) {
        json_get_text(target, SLICE("@id"), &content->target);
        dtdl_refer(r, in, target, &content->interface);
    } else {
        dtdl_get_string(r, source, SLICE("target"), &content->target);
    }
}

static int64_t read_multiplicity(struct dtdl_reader *r, const struct json *source, slice name,
                                 int64_t least, int64_t most, int64_t by_default)
{
    const struct json *member = dtdl_single(dtdl_member(source, name));
    int64_t number = by_default;

    if (!member)
        return by_default;
    if (!json_to_int(member, &number) || number < least || number > most)
        dtdl_error(r, member, "must be a number from %d to %d", (int)least, (int)most);
    return number;
}

static void read_relationship_properties(struct dtdl_reader *r, struct dtdl_interface_node *in,
                                         const struct json *source, struct dtdl_content *content)
{
    const struct json *set = dtdl_member(source, SLICE("properties"));
    size_t count = dtdl_set_count(set);

    content->properties = arena_alloc_array(r->arena, count, sizeof *content->properties);
    if (!content->properties)
        return;
    for (const struct json *p = dtdl_set_first(set); p; p = dtdl_set_next(set, p)) {
        struct dtdl_content *property = &content->properties[content->property_count];

        if (!dtdl_has_type(p, SLICE("Property"))) {
            dtdl_error(r, p, "must be a property");
            continue;
        }
        *property = (struct dtdl_content){.kind = DTDL_PROPERTY, .owner = &in->interface};
        content->property_count++;
        read_property(r, in, p, property);
    }
}

static void read_relationship(struct dtdl_reader *r, struct dtdl_interface_node *in,
                              const struct json *source, struct dtdl_content *content)
{
    in->elements++;
    dtdl_read_element(r, &in->contexts, source, CLASS_RELATIONSHIP, &content->typed.element, NULL);
    content->writable = dtdl_get_bool(r, source, SLICE("writable"));
    read_multiplicity(r, source, SLICE("minMultiplicity"), 0, 0, 0);
    content->max_multiplicity = read_multiplicity(r, source, SLICE("maxMultiplicity"), 1,
                                                  DTDL_MULTIPLICITY_MAX, DTDL_MULTIPLICITY_MAX);
    read_target(r, in, source, content);
    read_relationship_properties(r, in, source, content);
}

/* Kept where it stands, and shown as unmodelled. */
static void read_unknown(struct dtdl_reader *r, struct dtdl_interface_node *in,
                         const struct json *source, struct dtdl_content *content)
{
    struct dtdl_element *element = &content->typed.element;

    in->elements++;
    element->source = source;
    json_get_text(source, SLICE("name"), &element->name);
    json_get_text(source, SLICE("@id"), &element->id);
    dtdl_note(r, source, "is of a type not known here and is kept");
}

static content_reader *const readers[] = {
    [DTDL_TELEMETRY] = read_telemetry,       [DTDL_PROPERTY] = read_property,
    [DTDL_COMMAND] = read_command,           [DTDL_COMPONENT] = read_component,
    [DTDL_RELATIONSHIP] = read_relationship, [DTDL_UNKNOWN_CONTENT] = read_unknown,
};

static enum dtdl_content_kind kind_of(struct dtdl_reader *r, const struct json *source)
{
    enum dtdl_content_kind found = DTDL_UNKNOWN_CONTENT;

    if (!dtdl_member(source, SLICE("@type")))
        dtdl_error(r, source, "the @type is missing");
    for (unsigned kind = DTDL_TELEMETRY; kind < DTDL_UNKNOWN_CONTENT; kind++) {
        if (!dtdl_has_type(source, slice_str(dtdl_content_kind_name(kind))))
            continue;
        if (found != DTDL_UNKNOWN_CONTENT)
            dtdl_error(r, source, "is both %s and %s", dtdl_content_kind_name(found),
                       dtdl_content_kind_name(kind));
        found = kind;
    }
    return found;
}

void dtdl_read_contents(struct dtdl_reader *r, struct dtdl_interface_node *in)
{
    const struct json *set = dtdl_member(in->source, SLICE("contents"));
    struct dtdl_interface *interface = &in->interface;
    size_t count = dtdl_set_count(set);

    interface->contents = arena_alloc_array(r->arena, count, sizeof *interface->contents);
    if (!interface->contents)
        return;
    for (const struct json *c = dtdl_set_first(set); c; c = dtdl_set_next(set, c)) {
        struct dtdl_content *content = &interface->contents[interface->content_count];

        if (c->kind != JSON_OBJECT) {
            dtdl_error(r, c, "must be an object");
            continue;
        }
        *content = (struct dtdl_content){.kind = kind_of(r, c), .owner = interface};
        interface->content_count++;
        readers[content->kind](r, in, c, content);
    }
}
