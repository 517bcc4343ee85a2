/* What changed between two versions of a model, and whom it may hurt.
 *
 * An additive change is safe: something new that nobody can use yet. A breaking one takes away or
 * changes what rules, exports, jobs and dashboards may use: they are then listed by whoever knows
 * them. Names for people, descriptions and comments are no changes. A renamed capability is one
 * that went and one that came.
 * Source: contract/central.md 5.3. Pure. */
#ifndef MUSTER_CODEC_DTDL_CHANGE_H
#define MUSTER_CODEC_DTDL_CHANGE_H

#include "codec/dtdl.h"

#define DTDL_CHANGES_MAX 1000 /* as many are kept */

enum dtdl_change_kind { DTDL_ADDITIVE, DTDL_BREAKING };

struct dtdl_change {
    enum dtdl_change_kind kind;
    slice component; /* empty: of the root */
    slice name;      /* of the capability; empty: of the component as a whole */
    slice text;      /* "schema.x: the schema integer became long" */
};

struct dtdl_changes {
    struct dtdl_change *list; /* in the arena; those of the root first, by name */
    size_t count;             /* in the list */
    size_t breaking;          /* all of them, kept or not */
    size_t additive;
};

/* Lists in the arena; texts borrow from both models. ST_NO_MEMORY. */
CHECKED enum status dtdl_compare(const struct dtdl_model *before, const struct dtdl_model *after,
                                 struct arena *arena, struct dtdl_changes *ret, struct fault *why);

#endif
