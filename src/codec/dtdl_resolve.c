/* What can be said only when all has been read: references, nesting, order. */
#include <stdlib.h>

#include "codec/dtdl_internal.h"

/* --- interfaces by identifier --------------------------------------------------------------- */

static int compare_nodes(const void *a, const void *b)
{
    const struct dtdl_interface_node *left = *(const struct dtdl_interface_node *const *)a;
    const struct dtdl_interface_node *right = *(const struct dtdl_interface_node *const *)b;
    int order = dtdl_compare_names(left->interface.element.id, right->interface.element.id);

    if (order != 0)
        return order;
    if (left->interface.index == right->interface.index)
        return 0;
    return left->interface.index < right->interface.index ? -1 : 1;
}

static int compare_id_node(const void *id, const void *slot)
{
    const struct dtdl_interface_node *node = *(const struct dtdl_interface_node *const *)slot;

    return dtdl_compare_names(*(const slice *)id, node->interface.element.id);
}

/* Whether both say the same, in the same order. */
static bool same_text(const struct json *a, const struct json *b)
{
    struct json_walk left = {0}, right = {0};
    const struct json *x = json_walk_next(&left, a), *y = json_walk_next(&right, b);

    while (x && y) {
        /* The names of the two themselves are those of the places where they stand. */
        bool same_name = left.depth == 1 || slice_equal(x->name, y->name);

        if (left.depth != right.depth || x->kind != y->kind || !same_name ||
            !slice_equal(x->text, y->text))
            return false;
        x = json_walk_next(&left, a);
        y = json_walk_next(&right, b);
    }
    return !x && !y;
}

/* Keeps one of each identifier. The cloud writes an interface out wherever it is used, so copies
 * are taken for one; what differs is an error. */
static size_t drop_copies(struct dtdl_reader *r, struct dtdl_interface_node **sorted, size_t count)
{
    size_t kept = 0;

    for (size_t i = 0; i < count; i++) {
        struct dtdl_interface_node *before = kept ? sorted[kept - 1] : NULL;
        slice id = sorted[i]->interface.element.id;

        if (!before || id.len == 0 || !slice_equal(before->interface.element.id, id))
            sorted[kept++] = sorted[i];
        else if (same_text(before->source, sorted[i]->source))
            sorted[i]->is_copy = true;
        else
            dtdl_error(r, sorted[i]->source, "is defined twice, and differently");
    }
    return kept;
}

static struct dtdl_interface_node *find_node(struct dtdl_interface_node **sorted, size_t count,
                                             slice id)
{
    struct dtdl_interface_node **slot =
        id.len && count
            ? bsearch(&id, sorted, count, sizeof(struct dtdl_interface_node *), compare_id_node)
            : NULL;

    return slot ? *slot : NULL;
}

static void link_reference(struct dtdl_reader *r, const struct dtdl_reference *reference,
                           struct dtdl_interface_node **sorted, size_t count)
{
    slice id =
        reference->inlined ? reference->inlined->interface.element.id : reference->source->text;
    struct dtdl_interface_node *node = find_node(sorted, count, id);

    if (!node)
        node = reference->inlined;
    if (!node) {
        dtdl_error(r, reference->source, "the document has no interface of that @id");
        return;
    }
    node->is_referred_to |= node != reference->from;
    if (reference->inlined)
        reference->inlined->is_referred_to = true;
    *reference->place = &node->interface;
    if (reference->from->interface.version < node->interface.version)
        dtdl_error(r, reference->source, "is of a later version of the language than what uses it");
}

static void link_interfaces(struct dtdl_reader *r)
{
    struct dtdl_interface_node **sorted =
        arena_alloc_array(r->arena, r->node_count, sizeof(struct dtdl_interface_node *));
    size_t count;

    if (!sorted || r->node_count == 0)
        return;
    memcpy(sorted, r->nodes, r->node_count * sizeof(struct dtdl_interface_node *));
    qsort(sorted, r->node_count, sizeof(struct dtdl_interface_node *), compare_nodes);
    count = drop_copies(r, sorted, r->node_count);
    for (const struct dtdl_reference *ref = r->first_reference; ref; ref = ref->next)
        link_reference(r, ref, sorted, count);
}

static void choose_root(struct dtdl_reader *r)
{
    r->model->root = &r->first->interface;
    for (const struct dtdl_interface_node *node = r->first; node && !r->model->is_template;
         node = node->next) {
        if (node->is_referred_to)
            continue;
        r->model->root = &node->interface;
        return;
    }
}

/* --- schemas by identifier ------------------------------------------------------------------ */

static int compare_schemas(const void *a, const void *b)
{
    const struct dtdl_schema *left = *(const struct dtdl_schema *const *)a;
    const struct dtdl_schema *right = *(const struct dtdl_schema *const *)b;

    return dtdl_compare_names(left->element.id, right->element.id);
}

static int compare_id_schema(const void *id, const void *slot)
{
    const struct dtdl_schema *schema = *(const struct dtdl_schema *const *)slot;

    return dtdl_compare_names(*(const slice *)id, schema->element.id);
}

static void refuse_doubles(struct dtdl_reader *r, const struct dtdl_schema **sorted, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        const struct dtdl_schema *a = sorted[i - 1], *b = sorted[i];

        if (slice_equal(a->element.id, b->element.id) &&
            !same_text(a->element.source, b->element.source))
            dtdl_error(r, b->element.source, "is defined twice, and differently");
    }
}

static void link_schemas(struct dtdl_reader *r, const struct dtdl_interface_node *node)
{
    const struct dtdl_schema **sorted, **found;
    size_t count = 0;

    for (const struct dtdl_schema_node *s = node->first_schema; s; s = s->next)
        count += s->schema.element.id.len > 0;
    sorted = arena_alloc_array(r->arena, count, sizeof(struct dtdl_schema *));
    if (!sorted)
        return;
    count = 0;
    for (const struct dtdl_schema_node *s = node->first_schema; s; s = s->next) {
        if (s->schema.element.id.len > 0)
            sorted[count++] = &s->schema;
    }
    if (count > 0)
        qsort(sorted, count, sizeof(struct dtdl_schema *), compare_schemas);
    refuse_doubles(r, sorted, count);
    for (const struct dtdl_schema_reference *ref = node->references; ref; ref = ref->next) {
        found = count ? bsearch(&ref->source->text, sorted, count, sizeof(struct dtdl_schema *),
                                compare_id_schema)
                      : NULL;
        if (found)
            *ref->place = *found;
        else
            dtdl_error(r, ref->source, "the interface has no schema of that @id");
    }
}

/* Raises a schema's depth to one more than its deepest part's; true when that changed it. A schema
 * inside itself stops one above the limit, as the others that are too deep do. */
static bool deepen(struct dtdl_schema *schema)
{
    unsigned depth = schema->depth;
    bool has_array = schema->has_array;

    for (size_t i = 0; i < schema->part_count; i++) {
        const struct dtdl_schema *part = schema->parts[i].schema;

        if (part && part->depth >= schema->depth && schema->depth <= DTDL_SCHEMA_DEPTH_MAX)
            schema->depth = part->depth + 1 > DTDL_SCHEMA_DEPTH_MAX ? DTDL_SCHEMA_DEPTH_MAX + 1
                                                                    : part->depth + 1;
        schema->has_array |= part && part->has_array;
    }
    return schema->depth != depth || schema->has_array != has_array;
}

static void measure_schemas(struct dtdl_reader *r, const struct dtdl_interface_node *node)
{
    bool changed = true;

    while (changed) {
        changed = false;
        for (struct dtdl_schema_node *s = node->first_schema; s; s = s->next)
            changed |= deepen(&s->schema);
    }
    for (const struct dtdl_schema_node *s = node->first_schema; s; s = s->next) {
        if (s->schema.depth > DTDL_SCHEMA_DEPTH_MAX)
            dtdl_error(r, s->schema.element.source,
                       "schemas are inside each other more than %d deep, or without end",
                       DTDL_SCHEMA_DEPTH_MAX);
    }
}

static int compare_parts(const void *a, const void *b)
{
    const struct dtdl_typed *left = *(const struct dtdl_typed *const *)a;
    const struct dtdl_typed *right = *(const struct dtdl_typed *const *)b;
    int order = dtdl_compare_names(left->element.name, right->element.name);

    if (order != 0)
        return order;
    return left < right ? -1 : left > right;
}

static int compare_enum_values(const void *a, const void *b)
{
    const struct dtdl_enum_value *left = *(const struct dtdl_enum_value *const *)a;
    const struct dtdl_enum_value *right = *(const struct dtdl_enum_value *const *)b;
    int order = dtdl_compare_values(left->value, right->value);

    if (order != 0)
        return order;
    return left < right ? -1 : left > right;
}

static void order_schemas(const struct dtdl_interface_node *node)
{
    for (struct dtdl_schema_node *s = node->first_schema; s; s = s->next) {
        struct dtdl_schema *schema = &s->schema;

        if (schema->part_count > 0)
            qsort(schema->parts_by_name, schema->part_count, sizeof(struct dtdl_typed *),
                  compare_parts);
        if (schema->value_count > 0)
            qsort(schema->values_by_value, schema->value_count, sizeof(struct dtdl_enum_value *),
                  compare_enum_values);
    }
}

/* --- all ------------------------------------------------------------------------------------ */

void dtdl_resolve(struct dtdl_reader *r)
{
    if (r->node_count == 0)
        return;
    link_interfaces(r);
    choose_root(r);
    for (const struct dtdl_interface_node *node = r->first; node && !r->arena->failed;
         node = node->next) {
        link_schemas(r, node);
        measure_schemas(r, node);
        order_schemas(node);
    }
    dtdl_inherit(r);
}
