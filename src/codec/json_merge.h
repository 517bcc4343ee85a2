/* JSON merge patch (RFC 7396): null removes a member, an object merges, anything else replaces. */
#ifndef MUSTER_CODEC_JSON_MERGE_H
#define MUSTER_CODEC_JSON_MERGE_H

#include "codec/json.h"

/* Changes the object `target` in place; new values borrow from `patch`, an object without
 * duplicate names, which stays as it is. False: the arena is full, and `target` is half changed. */
CHECKED bool json_merge(struct json *target, const struct json *patch, struct arena *arena);

#endif
