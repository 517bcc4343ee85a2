/* What the files that make up dtdl_read share. Not for other folders.
 *
 *     dtdl_read.c       the document and its interfaces
 *     dtdl_element.c    what all elements have
 *     dtdl_content.c    telemetry, property, command, component, relationship
 *     dtdl_schema.c     schemas
 *     dtdl_resolve.c    references, nesting of schemas, order
 *     dtdl_inherit.c    what interfaces have from others
 *     dtdl_check.c      the limits of the versions
 *     dtdl_report.c     where something is, in words
 *
 * Inline interfaces and nested schemas are put on lists and read in turn, so nesting in the
 * document is no nesting in the program. */
#ifndef MUSTER_CODEC_DTDL_INTERNAL_H
#define MUSTER_CODEC_DTDL_INTERNAL_H

#include "codec/dtdl.h"
#include "codec/json_internal.h"

/* The interfaces of one document may together inherit so many contents: a small document cannot
 * become a large model. */
#define DTDL_ALL_CONTENTS_MAX 100000

enum dtdl_class {
    CLASS_TEMPLATE,
    CLASS_INTERFACE,
    CLASS_TELEMETRY,
    CLASS_PROPERTY,
    CLASS_COMMAND,
    CLASS_COMPONENT,
    CLASS_RELATIONSHIP,
    CLASS_PAYLOAD,
    CLASS_FIELD,
    CLASS_MAP_KEY,
    CLASS_MAP_VALUE,
    CLASS_ENUM_VALUE,
    CLASS_ARRAY,
    CLASS_ENUM,
    CLASS_MAP,
    CLASS_OBJECT,
    CLASS_COUNT
};

/* Which words mean something, as @context says. */
struct dtdl_contexts {
    unsigned version; /* 0: not said */
    bool iotcentral;
    bool quantitative; /* semantic types in version 3 */
};

struct dtdl_schema_node {
    struct dtdl_schema schema;
    struct dtdl_schema_node *next;
};

/* A schema named by the DTMI of one elsewhere in the interface. */
struct dtdl_schema_reference {
    const struct json *source;
    const struct dtdl_schema **place;
    struct dtdl_schema_reference *next;
};

struct dtdl_interface_node {
    struct dtdl_interface interface;
    struct dtdl_contexts contexts;
    const struct json *source;
    size_t text_bytes;                                   /* without interfaces inside of it */
    size_t elements;                                     /* as version 3 counts them */
    struct dtdl_schema_node *first_schema, *last_schema; /* its complex schemas */
    struct dtdl_schema_reference *references;
    size_t elements_inherited; /* the same with those of its bases */
    bool is_referred_to;
    bool is_copy;       /* of one met before; nothing refers to it */
    bool has_component; /* its own or inherited */
    struct dtdl_interface_node *next;
};

/* An interface named by its DTMI, or written inline: `inlined`. */
struct dtdl_reference {
    const struct json *source;
    struct dtdl_interface_node *from, *inlined;
    const struct dtdl_interface **place;
    struct dtdl_reference *next;
};

struct dtdl_reader {
    struct arena *arena;
    struct dtdl_report *report;
    const struct json *document;
    struct dtdl_model *model;
    struct dtdl_interface_node *first, *last;
    struct dtdl_interface_node **nodes; /* by interface->index, once all are read */
    size_t node_count;
    struct dtdl_reference *first_reference, *last_reference;
};

/* --- dtdl_report.c: `at` is the value in question, or what lacks it -------------------------- */

void dtdl_error(struct dtdl_reader *r, const struct json *at, const char *format, ...)
    PRINTF_LIKE(3, 4);
void dtdl_note(struct dtdl_reader *r, const struct json *at, const char *format, ...)
    PRINTF_LIKE(3, 4);
/* For messages: at most 64 bytes of it, cut between characters. */
slice dtdl_clip(slice text);

/* --- dtdl_element.c ------------------------------------------------------------------------- */

/* A JSON-LD set is an array, or its one value without brackets. */
static inline const struct json *dtdl_set_first(const struct json *set)
{
    return set && set->kind == JSON_ARRAY ? set->first : set;
}

static inline const struct json *dtdl_set_next(const struct json *set, const struct json *at)
{
    return set->kind == JSON_ARRAY ? at->next : NULL;
}

size_t dtdl_set_count(const struct json *set);
/* The value out of brackets around one. */
const struct json *dtdl_single(const struct json *value);
/* NULL too for a null, which says nothing in JSON-LD. */
const struct json *dtdl_member(const struct json *object, slice name);
/* False when it is absent; an error when it is something else. */
bool dtdl_get_string(struct dtdl_reader *r, const struct json *object, slice name, slice *ret);
bool dtdl_get_bool(struct dtdl_reader *r, const struct json *object, slice name);
/* Whether the @type of `element` has the word. */
bool dtdl_has_type(const struct json *element, slice word);

/* The common part, with its name unless the class has none. `ret_semantic` may be NULL: semantic
 * types are then unknown words. */
void dtdl_read_element(struct dtdl_reader *r, const struct dtdl_contexts *contexts,
                       const struct json *source, enum dtdl_class class, struct dtdl_element *ret,
                       const struct dtdl_semantic **ret_semantic);
/* With its schema and unit. */
void dtdl_read_typed(struct dtdl_reader *r, struct dtdl_interface_node *in,
                     const struct json *source, enum dtdl_class class, struct dtdl_typed *ret);

/* --- dtdl_read.c ---------------------------------------------------------------------------- */

/* Notes that `place` is to be the interface that `source` names or is. */
struct dtdl_reference *dtdl_refer(struct dtdl_reader *r, struct dtdl_interface_node *from,
                                  const struct json *source, const struct dtdl_interface **place);

/* --- dtdl_content.c, dtdl_schema.c, dtdl_resolve.c and so on ---------------------------------- */

void dtdl_read_contents(struct dtdl_reader *r, struct dtdl_interface_node *in);
/* The schema that `source` names or is; what is inside of it is read by dtdl_read_schemas. */
void dtdl_read_schema(struct dtdl_reader *r, struct dtdl_interface_node *in,
                      const struct json *source, const struct dtdl_schema **ret);
void dtdl_read_schemas(struct dtdl_reader *r, struct dtdl_interface_node *in);
void dtdl_resolve(struct dtdl_reader *r);
void dtdl_inherit(struct dtdl_reader *r);
void dtdl_check(struct dtdl_reader *r);

/* --- dtdl.c --------------------------------------------------------------------------------- */

/* Whether `word`, which is not empty, is one of those that blanks separate. */
bool dtdl_has_word(const char *words, slice word);
/* By length, then by bytes: the order of `..._by_name`. */
int dtdl_compare_names(slice a, slice b);
/* The order of `values_by_value`. */
int dtdl_compare_values(const struct json *a, const struct json *b);
/* An integer, however it is spelled: 21.0 is one too. False beyond 64 bits. */
bool dtdl_to_int(const struct json *value, int64_t *ret);

#endif
