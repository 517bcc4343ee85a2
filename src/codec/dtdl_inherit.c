/* What interfaces have from those they extend.
 *
 * Every interface gets the list of all its contents: its own, then those of its bases, nearest
 * first, each base once however many ways lead to it. */
#include <stdlib.h>

#include "codec/dtdl_internal.h"

#define EXTENDS_DEPTH_MAX 10
/* Version 3 counts them; in version 2, with two bases each and ten levels, there cannot be more. */
#define HIERARCHY_MAX_V2 2046
#define HIERARCHY_MAX_V3 1024

/* An interface and all above it. */
struct hierarchy {
    const struct dtdl_interface **list;
    size_t count;
    size_t *seen; /* by interface: the number of the last walk that met it */
    size_t walk;
};

/* --- depth ---------------------------------------------------------------------------------- */

/* As with schemas: a cycle stops one above the limit. */
static bool deepen(const struct dtdl_interface *interface, unsigned *depths)
{
    unsigned *depth = &depths[interface->index], before = *depth;

    for (size_t i = 0; i < interface->base_count; i++) {
        const struct dtdl_interface *base = interface->bases[i];

        if (base && depths[base->index] >= *depth && *depth <= EXTENDS_DEPTH_MAX)
            *depth = depths[base->index] + 1 > EXTENDS_DEPTH_MAX ? EXTENDS_DEPTH_MAX + 1
                                                                 : depths[base->index] + 1;
    }
    return *depth != before;
}

static void check_depths(struct dtdl_reader *r)
{
    unsigned *depths = arena_alloc_array(r->arena, r->node_count, sizeof *depths);
    bool changed = true;

    if (!depths)
        return;
    while (changed) {
        changed = false;
        for (const struct dtdl_interface_node *node = r->first; node; node = node->next)
            changed |= deepen(&node->interface, depths);
    }
    for (const struct dtdl_interface_node *node = r->first; node; node = node->next) {
        if (depths[node->interface.index] > EXTENDS_DEPTH_MAX)
            dtdl_error(r, node->source, "extends more than %d levels, or itself",
                       EXTENDS_DEPTH_MAX);
    }
}

/* --- contents ------------------------------------------------------------------------------- */

/* False when there are more than `most` references among them. */
static bool collect(struct hierarchy *h, const struct dtdl_interface *interface, size_t most)
{
    size_t references = 0;

    h->walk++;
    h->seen[interface->index] = h->walk;
    h->list[0] = interface;
    h->count = 1;
    for (size_t i = 0; i < h->count; i++) {
        for (size_t b = 0; b < h->list[i]->base_count; b++) {
            const struct dtdl_interface *base = h->list[i]->bases[b];

            if (++references > most)
                return false;
            if (!base || h->seen[base->index] == h->walk)
                continue;
            h->seen[base->index] = h->walk;
            h->list[h->count++] = base;
        }
    }
    return true;
}

static int compare_contents(const void *a, const void *b)
{
    const struct dtdl_content *left = *(const struct dtdl_content *const *)a;
    const struct dtdl_content *right = *(const struct dtdl_content *const *)b;
    int order = dtdl_compare_names(left->typed.element.name, right->typed.element.name);

    if (order != 0)
        return order;
    if (left->owner != right->owner)
        return left->owner->index < right->owner->index ? -1 : 1;
    return left < right ? -1 : left > right;
}

static void list_contents(struct dtdl_reader *r, struct dtdl_interface_node *node,
                          const struct hierarchy *h, size_t count)
{
    struct dtdl_interface *interface = &node->interface;

    interface->all = arena_alloc_array(r->arena, count, sizeof(struct dtdl_content *));
    interface->all_by_name = arena_alloc_array(r->arena, count, sizeof(struct dtdl_content *));
    if (r->arena->failed)
        return;
    for (size_t i = 0; i < h->count; i++) {
        for (size_t c = 0; c < h->list[i]->content_count; c++) {
            const struct dtdl_content *content = &h->list[i]->contents[c];

            node->has_component |= content->kind == DTDL_COMPONENT;
            interface->all_by_name[interface->all_count] = content;
            interface->all[interface->all_count++] = content;
        }
        node->elements_inherited += r->nodes[h->list[i]->index]->elements;
    }
    if (count > 0)
        qsort(interface->all_by_name, count, sizeof(struct dtdl_content *), compare_contents);
}

static size_t count_contents(const struct hierarchy *h)
{
    size_t count = 0;

    for (size_t i = 0; i < h->count; i++)
        count += h->list[i]->content_count;
    return count;
}

static void inherit(struct dtdl_reader *r, struct dtdl_interface_node *node, struct hierarchy *h,
                    size_t *total)
{
    size_t most = node->interface.version == DTDL_V2 ? HIERARCHY_MAX_V2 : HIERARCHY_MAX_V3;
    size_t count;

    if (!collect(h, &node->interface, most)) {
        dtdl_error(r, node->source, "extends more than %zu interfaces, over all levels", most);
        h->count = 1;
    }
    count = count_contents(h);
    if (count > DTDL_ALL_CONTENTS_MAX - *total && h->count > 1) {
        dtdl_error(r, node->source, "the interfaces together inherit more than %d contents",
                   DTDL_ALL_CONTENTS_MAX);
        h->count = 1;
        count = count_contents(h);
    }
    *total += h->count > 1 ? count : 0;
    list_contents(r, node, h, count);
}

/* A component's interface may have no components, of its own or inherited. */
static void check_components(struct dtdl_reader *r, const struct dtdl_interface *interface)
{
    for (size_t i = 0; i < interface->content_count; i++) {
        const struct dtdl_content *content = &interface->contents[i];

        if (content->kind == DTDL_COMPONENT && content->interface &&
            r->nodes[content->interface->index]->has_component)
            dtdl_error(r, content->typed.element.source,
                       "a component may not have components in it");
    }
}

void dtdl_inherit(struct dtdl_reader *r)
{
    struct hierarchy h = {
        .list = arena_alloc_array(r->arena, r->node_count, sizeof(struct dtdl_interface *)),
        .seen = arena_alloc_array(r->arena, r->node_count, sizeof(*h.seen)),
    };
    size_t total = 0;

    check_depths(r);
    for (struct dtdl_interface_node *node = r->first; node && !r->arena->failed; node = node->next)
        inherit(r, node, &h, &total);
    for (struct dtdl_interface_node *node = r->first; node && !r->arena->failed; node = node->next)
        check_components(r, &node->interface);
}
