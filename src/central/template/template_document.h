/* A template's document: what is imported, stored, exported (contract/central.md 5.1). Pure.
 *
 *     given text --> tree --> one template, whatever form it came in --> text to store
 *                                  |
 *                                  +--> dtdl_read: model, or errors; notes
 *
 * Taken is a template, one interface, or an array of interfaces of which one is the root: the last
 * two are put into a template of their own, with every interface where it is first referred to.
 * Members that nobody here understands stay where they are. */
#ifndef MUSTER_CENTRAL_TEMPLATE_DOCUMENT_H
#define MUSTER_CENTRAL_TEMPLATE_DOCUMENT_H

#include "codec/dtdl.h"
#include "codec/dtdl_change.h"

#define TEMPLATE_ID_MAX DTDL_TEMPLATE_ID_MAX
#define TEMPLATE_NAME_MAX 512
#define TEMPLATE_DOCUMENT_MAX (896 * 1024)    /* as stored, without blanks: one fits an answer */
#define TEMPLATE_ARENA_MAX (64 * 1024 * 1024) /* of one act, with all that is read meanwhile */

struct template_document {
    slice text;                     /* compact JSON, to be stored */
    slice display_name;             /* never empty */
    slice model_id;                 /* of the root interface; empty when it has none */
    slice etag;                     /* that came with it and is not stored; empty: none */
    const struct dtdl_model *model; /* NULL: there are errors */
    struct dtdl_report report;
};

/* 1 to TEMPLATE_ID_MAX bytes of UTF-8 without control characters. */
CHECKED bool template_id_valid(slice id);

/* All of it lives in the arena, or borrows from `given`. ST_OK also when the model has errors:
 * they are in the report. ST_BAD_REQUEST: no JSON, or nothing to make a template of; an array of
 * interfaces must be without errors (then they are in the report). ST_TOO_LARGE, ST_NO_MEMORY. */
CHECKED enum status template_document_read(slice given, slice id, struct arena *arena,
                                           struct template_document *ret, struct fault *why);

/* `text` as stored, with a merge patch of what a PATCH may change: the names and descriptions, the
 * cloud properties, the members of others. ST_BAD_REQUEST for anything else. */
CHECKED enum status template_document_patch(slice text, slice patch, slice id, struct arena *arena,
                                            struct template_document *ret, struct fault *why);

/* A copy under another ID. Empty names: the model's next version, the display name as it is. */
struct template_names {
    slice id, model_id, display_name;
};
CHECKED enum status template_document_copy(slice text, const struct template_names *names,
                                           struct arena *arena, struct template_document *ret,
                                           struct fault *why);
/* "dtmi:a:b;1" -> "dtmi:a:b;2"; what has no version gets ";2". Empty when there is none. */
slice template_next_id(slice id, struct arena *arena);

#endif
