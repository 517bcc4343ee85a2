/* What json.c shares with the parser and the twin's merge: trees with thousands of members, in
 * time that no sender can make quadratic. Not for other folders. */
#ifndef MUSTER_CODEC_JSON_INTERNAL_H
#define MUSTER_CODEC_JSON_INTERNAL_H

#include "codec/json.h"

/* Appends a member or an element; an object must not have the name yet. NULLs are ignored. */
void json_attach(struct json *container, struct json *value);

/* Deals with members of the same name. ST_BAD_REQUEST where they are refused; ST_NO_MEMORY. */
CHECKED enum status json_settle_duplicates(struct json *object, enum json_duplicates duplicates,
                                           struct arena *arena);

/* Visits a tree, parents before children. Deeper than this nothing is visited; what the parser
 * makes is never so deep. */
#define JSON_WALK_DEPTH_MAX 64
struct json_walk {
    const struct json *path[JSON_WALK_DEPTH_MAX]; /* from the root to the value last visited */
    size_t depth;                                 /* values on the path; 1 is the root */
};
/* The next value, or NULL at the end; the first call, on a zero struct, gives `root`. */
const struct json *json_walk_next(struct json_walk *walk, const struct json *root);

#endif
