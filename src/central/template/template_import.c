#include "central/template/template_import.h"

#include "codec/dtmi.h"

/* --- an array of interfaces ------------------------------------------------------------------- */

struct element {
    struct json *interface;
    slice id;
    bool is_placed;
};

struct todo {
    struct json *interface;
    struct todo *next;
};

struct placing {
    struct arena *arena;
    struct element *elements; /* of the array */
    size_t count;
    struct todo *todos; /* in the template, their references still to be seen to */
};

static bool list_elements(const struct json *array, struct placing *p)
{
    size_t count = 0;

    for (const struct json *one = array->first; one; one = one->next)
        count++;
    p->elements = arena_alloc_array(p->arena, count, sizeof *p->elements);
    if (!p->elements)
        return false;
    for (struct json *one = array->first; one; one = one->next) {
        struct element *element = &p->elements[p->count++];

        *element = (struct element){.interface = one};
        (void)json_get_text(one, SLICE("@id"), &element->id);
    }
    return true;
}

static void see_to(struct placing *p, struct json *interface)
{
    struct todo *todo = arena_alloc(p->arena, sizeof *todo);

    if (!todo)
        return; /* the arena says so in the end */
    *todo = (struct todo){interface, p->todos};
    p->todos = todo;
}

/* The interface itself, where its identifier stands first; others are found by that. */
static void place(struct placing *p, struct json *reference)
{
    struct json *next = reference->next;
    slice name = reference->name;

    for (size_t i = 0; i < p->count && reference->kind == JSON_STRING; i++) {
        struct element *element = &p->elements[i];

        if (element->is_placed || !slice_equal(element->id, reference->text))
            continue;
        element->is_placed = true;
        *reference = *element->interface;
        reference->name = name;
        reference->next = next;
    }
    if (reference->kind == JSON_OBJECT)
        see_to(p, reference);
}

static void place_set(struct placing *p, struct json *set)
{
    if (!set)
        return;
    if (set->kind != JSON_ARRAY) {
        place(p, set);
        return;
    }
    for (struct json *one = set->first; one; one = one->next)
        place(p, one);
}

static void place_references(struct placing *p, struct json *interface)
{
    struct json *contents = json_member(interface, SLICE("contents"));

    place_set(p, json_member(interface, SLICE("extends")));
    for (struct json *c = contents ? contents->first : NULL; c; c = c->next)
        place_set(p, json_member(c, SLICE("schema")));
}

/* From the root down; gives the root. */
static struct json *place_all(struct placing *p, const struct dtdl_model *model)
{
    struct json *root = NULL;

    for (size_t i = 0; i < p->count; i++) {
        if (p->elements[i].interface != model->root->element.source)
            continue;
        p->elements[i].is_placed = true;
        root = p->elements[i].interface;
        see_to(p, root);
    }
    while (p->todos) {
        struct json *interface = p->todos->interface;

        p->todos = p->todos->next;
        place_references(p, interface);
    }
    return root;
}

static enum status join_array(struct json *array, struct arena *arena, struct json **ret,
                              struct dtdl_report *report, struct fault *why)
{
    struct placing p = {.arena = arena};
    struct dtdl_model *model;
    enum status status = dtdl_read(array, arena, report, &model, why);

    if (status != ST_OK)
        return status;
    if (!list_elements(array, &p))
        return fault_set(why, ST_NO_MEMORY, "no memory for interfaces");
    *ret = place_all(&p, model);
    for (size_t i = 0; i < p.count; i++) {
        if (!p.elements[i].is_placed)
            return fault_set(why, ST_BAD_REQUEST, "nothing refers to the interface '%.*s'",
                             SLICE_FMT(slice_first(p.elements[i].id, 100)));
    }
    return ST_OK;
}

/* --- the template around it ------------------------------------------------------------------- */

static struct json *wrap(struct json *interface, slice id, struct arena *arena)
{
    struct json *types = json_new(arena, JSON_ARRAY), *name = json_new(arena, JSON_OBJECT);
    const struct json *own_name = json_member(interface, SLICE("displayName"));
    struct json *ret = json_new(arena, JSON_OBJECT);

    json_append(types, json_new_text(arena, SLICE("ModelDefinition")));
    json_append(types, json_new_text(arena, SLICE("DeviceModel")));
    json_set(ret, SLICE("@id"), json_new_text(arena, id));
    json_set(ret, SLICE("@type"), types);
    if (own_name && name) {
        *name = *own_name;
        json_set(ret, SLICE("displayName"), name);
    }
    interface->next = NULL;
    json_set(ret, SLICE("capabilityModel"), interface);
    return ret;
}

static bool is_interface_word(const struct json *type)
{
    return type->kind == JSON_STRING && slice_equal(dtmi_term(type->text), SLICE("Interface"));
}

static bool is_interface(const struct json *value)
{
    const struct json *type = json_member(value, SLICE("@type"));

    if (!type || type->kind != JSON_ARRAY)
        return type && is_interface_word(type);
    for (type = type->first; type; type = type->next) {
        if (is_interface_word(type))
            return true;
    }
    return false;
}

enum status template_import(struct json *root, slice id, struct arena *arena, struct json **ret,
                            struct dtdl_report *report, struct fault *why)
{
    enum status status = ST_OK;

    *ret = root;
    if (json_member(root, SLICE("capabilityModel")))
        return ST_OK;
    if (root->kind == JSON_ARRAY)
        status = join_array(root, arena, &root, report, why);
    else if (!is_interface(root))
        status = fault_set(why, ST_BAD_REQUEST,
                           "neither a template with a capabilityModel nor an interface");
    if (status == ST_OK)
        *ret = wrap(root, id, arena);
    return status == ST_OK && arena->failed ? fault_set(why, ST_NO_MEMORY, "no memory") : status;
}
