/* Paths of members in the messages of a device, by which an operator gives them a name of their own
 * (contract/central.md 2.10). Pure.
 *
 *     $["motors"][1]["rpm"]
 *
 * `$`, then segments in brackets: a name between double quotes, without backslash, bracket or
 * double quote, or the place of an element. */
#ifndef MUSTER_CENTRAL_ALIAS_PATH_H
#define MUSTER_CENTRAL_ALIAS_PATH_H

#include "codec/json.h"

#define ALIAS_PATH_MAX 1000 /* bytes */
#define ALIAS_MAX 64        /* characters of the name */
#define ALIAS_PATH_SEGMENTS JSON_DEPTH_MAX

struct alias_path {
    struct alias_segment {
        slice name; /* NULL pointer: the element at `place` */
        uint64_t place;
    } segments[ALIAS_PATH_SEGMENTS];
    size_t count;
};

/* ST_BAD_REQUEST says what is wrong. */
CHECKED enum status alias_path_parse(slice text, struct alias_path *ret, struct fault *why);
CHECKED enum status alias_check(slice alias, struct fault *why);
/* NULL: there is nothing at that place. */
const struct json *alias_path_find(const struct alias_path *path, const struct json *root);

#endif
