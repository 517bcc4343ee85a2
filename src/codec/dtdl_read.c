/* Documents and their interfaces. */
#include "codec/dtdl_internal.h"
#include "codec/dtmi.h"

/* --- interfaces ----------------------------------------------------------------------------- */

static void read_context(struct dtdl_reader *r, const struct json *context,
                         struct dtdl_contexts *ret)
{
    struct dtmi dtmi;

    if (context->kind == JSON_STRING && dtmi_parse(context->text, DTMI_V3, &dtmi)) {
        if (slice_equal(dtmi.unversioned, SLICE("dtmi:dtdl:context"))) {
            ret->version = dtmi.major;
            if (dtmi.major > DTDL_V3)
                dtdl_note(r, context, "is read by the rules of version 3");
            else if (dtmi.major < DTDL_V2)
                dtdl_error(r, context, "must be version 2 or 3 of the language");
            return;
        }
        if (slice_equal(dtmi.unversioned, SLICE("dtmi:iotcentral:context"))) {
            ret->iotcentral = true;
            return;
        }
        if (slice_equal(dtmi.unversioned, SLICE("dtmi:dtdl:extension:quantitativeTypes"))) {
            ret->quantitative = true;
            return;
        }
    }
    if (context->kind == JSON_STRING && slice_starts_with(context->text, SLICE("dtmi:")))
        dtdl_note(r, context, "is an extension not known here: what it adds is kept");
    else
        dtdl_error(r, context, "is not a context of version 2 or 3 of the language");
}

static struct dtdl_contexts read_contexts(struct dtdl_reader *r, const struct json *object,
                                          struct dtdl_contexts around)
{
    const struct json *contexts = dtdl_member(object, SLICE("@context"));
    struct dtdl_contexts ret = around;

    for (const struct json *c = dtdl_set_first(contexts); c; c = dtdl_set_next(contexts, c))
        read_context(r, c, &ret);
    return ret;
}

static struct dtdl_interface_node *add_interface(struct dtdl_reader *r, const struct json *source,
                                                 struct dtdl_contexts around)
{
    struct dtdl_interface_node *node = arena_alloc(r->arena, sizeof *node);

    if (!node)
        return NULL;
    node->source = source;
    node->contexts = read_contexts(r, source, around);
    if (node->contexts.version == 0)
        dtdl_error(r, source, "the @context is missing");
    if (node->contexts.version < DTDL_V2)
        node->contexts.version = DTDL_V2;
    node->interface.version = node->contexts.version == DTDL_V2 ? DTDL_V2 : DTDL_V3;
    node->interface.index = r->node_count++;
    node->text_bytes = source->raw.len;
    if (r->last)
        r->last->next = node;
    else
        r->first = node;
    r->last = node;
    return node;
}

struct dtdl_reference *dtdl_refer(struct dtdl_reader *r, struct dtdl_interface_node *from,
                                  const struct json *source, const struct dtdl_interface **place)
{
    struct dtdl_reference *reference;

    if (source->kind != JSON_STRING && source->kind != JSON_OBJECT) {
        dtdl_error(r, source, "must be an interface or the identifier of one");
        return NULL;
    }
    reference = arena_alloc(r->arena, sizeof *reference);
    if (!reference)
        return NULL;
    *reference = (struct dtdl_reference){.source = source, .from = from, .place = place};
    if (source->kind == JSON_OBJECT) {
        reference->inlined = add_interface(r, source, from->contexts);
        from->text_bytes -= source->raw.len;
    }
    if (r->last_reference)
        r->last_reference->next = reference;
    else
        r->first_reference = reference;
    r->last_reference = reference;
    return reference;
}

static void read_bases(struct dtdl_reader *r, struct dtdl_interface_node *node)
{
    const struct json *bases = dtdl_member(node->source, SLICE("extends"));
    struct dtdl_interface *interface = &node->interface;
    size_t count = dtdl_set_count(bases);

    interface->bases = arena_alloc_array(r->arena, count, sizeof(struct dtdl_interface *));
    if (!interface->bases)
        return;
    for (const struct json *b = dtdl_set_first(bases); b; b = dtdl_set_next(bases, b))
        dtdl_refer(r, node, b, &interface->bases[interface->base_count++]);
}

static void read_interface(struct dtdl_reader *r, struct dtdl_interface_node *node)
{
    if (!dtdl_has_type(node->source, SLICE("Interface")))
        dtdl_error(r, node->source, "the @type must be Interface");
    dtdl_read_element(r, &node->contexts, node->source, CLASS_INTERFACE, &node->interface.element,
                      NULL);
    if (node->interface.element.id.len == 0)
        dtdl_error(r, node->source, "the @id is missing");
    read_bases(r, node);
    dtdl_read_contents(r, node);
    dtdl_read_schemas(r, node);
}

/* --- documents ------------------------------------------------------------------------------ */

static unsigned template_types(const struct json *document)
{
    static const struct {
        const char *word;
        enum dtdl_template_type type;
    } rows[] = {
        {"ModelDefinition", DTDL_MODEL_DEFINITION},
        {"DeviceModel", DTDL_DEVICE_MODEL},
        {"EdgeModel", DTDL_EDGE_MODEL},
        {"GatewayModel", DTDL_GATEWAY_MODEL},
    };
    unsigned types = 0;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (dtdl_has_type(document, slice_str(rows[i].word)))
            types |= rows[i].type;
    }
    return types;
}

static void read_template(struct dtdl_reader *r, const struct json *capability_model)
{
    struct dtdl_contexts contexts = read_contexts(r, r->document, (struct dtdl_contexts){0});
    struct dtdl_model *model = r->model;

    model->is_template = true;
    model->types = template_types(r->document);
    dtdl_read_element(r, &contexts, r->document, CLASS_TEMPLATE, &model->element, NULL);
    if (!(model->types & (DTDL_MODEL_DEFINITION | DTDL_DEVICE_MODEL)))
        dtdl_error(r, r->document, "the @type must have ModelDefinition and DeviceModel");
    if (model->element.id.len > DTDL_TEMPLATE_ID_MAX)
        dtdl_error(r, json_member(r->document, SLICE("@id")), "is longer than %d characters",
                   DTDL_TEMPLATE_ID_MAX);
    if (capability_model->kind != JSON_OBJECT) {
        dtdl_error(r, capability_model, "must be an interface");
        return;
    }
    if (contexts.version == 0 && !dtdl_member(capability_model, SLICE("@context"))) {
        /* As some of the cloud's own templates come. */
        contexts = (struct dtdl_contexts){.version = DTDL_V2, .iotcentral = true};
        dtdl_note(r, r->document, "has no @context and is taken for version 2 of the language");
    }
    add_interface(r, capability_model, contexts);
}

static void read_array(struct dtdl_reader *r)
{
    for (const struct json *one = dtdl_set_first(r->document); one;
         one = dtdl_set_next(r->document, one)) {
        if (one->kind == JSON_OBJECT)
            add_interface(r, one, (struct dtdl_contexts){0});
        else
            dtdl_error(r, one, "must be an interface");
    }
    if (r->node_count == 0 && r->report->errors.count == 0)
        dtdl_error(r, r->document, "has no interface");
}

static void number_interfaces(struct dtdl_reader *r)
{
    r->nodes = arena_alloc_array(r->arena, r->node_count, sizeof(struct dtdl_interface_node *));
    for (struct dtdl_interface_node *node = r->first; node && r->nodes; node = node->next)
        r->nodes[node->interface.index] = node;
}

static void list_interfaces(struct dtdl_reader *r)
{
    struct dtdl_model *model = r->model;

    model->interfaces = arena_alloc_array(r->arena, r->node_count, sizeof(struct dtdl_interface *));
    for (struct dtdl_interface_node *node = r->first; node && model->interfaces;
         node = node->next) {
        if (!node->is_copy)
            model->interfaces[model->interface_count++] = &node->interface;
    }
}

static void read_document(struct dtdl_reader *r)
{
    const struct json *capability_model = json_member(r->document, SLICE("capabilityModel"));

    if (capability_model)
        read_template(r, capability_model);
    else
        read_array(r);
    for (struct dtdl_interface_node *node = r->first; node; node = node->next)
        read_interface(r, node);
    number_interfaces(r);
    if (!r->arena->failed)
        dtdl_resolve(r);
    if (!r->arena->failed)
        dtdl_check(r);
    list_interfaces(r);
}

enum status dtdl_read(const struct json *document, struct arena *arena, struct dtdl_report *report,
                      struct dtdl_model **ret, struct fault *why)
{
    struct dtdl_model *model = arena_alloc(arena, sizeof *model);
    struct dtdl_reader r = {.arena = arena, .report = report, .document = document, .model = model};
    const struct dtdl_finding *first = &report->errors.list[0];

    *report = (struct dtdl_report){0};
    if (model)
        read_document(&r);
    if (arena->failed)
        return fault_set(why, ST_NO_MEMORY, "dtdl: no memory");
    if (report->errors.count > 0)
        return fault_set(why, ST_BAD_REQUEST, "dtdl: %.*s: %.*s", SLICE_FMT(first->path),
                         SLICE_FMT(first->text));
    *ret = model;
    return ST_OK;
}
