/* The twin's merge patch, its limits and its metadata: contract/hub-device.md 6.3. Pure.
 *
 * A section (desired, reported, tags) is an object. A patch merges into it: objects recursively,
 * null removes, anything else replaces. Beside it lies its metadata, an object of the same shape:
 * each node has "$lastUpdated" (and in desired "$lastUpdatedVersion"), arrays and scalars count as
 * leaves. */
#ifndef MUSTER_CODEC_TWIN_MERGE_H
#define MUSTER_CODEC_TWIN_MERGE_H

#include "base/clock.h"
#include "codec/json.h"

#define TWIN_SECTION_MAX 32768 /* counted bytes of desired or reported */
#define TWIN_TAGS_MAX 8192
#define TWIN_DEPTH_MAX 10
#define TWIN_KEY_MAX 1024
#define TWIN_STRING_MAX 4096

struct twin_stamp {
    instant at;
    int64_t version; /* written as $lastUpdatedVersion; 0: not written (reported, tags) */
};

/* Whether `patch` keeps the rules for keys ($ . blank, control characters), depth, strings,
 * integers (+-2^52). A patch with one bad key is refused as a whole: ST_BAD_REQUEST. */
CHECKED enum status twin_patch_check(const struct json *patch, struct fault *why);

/* Merges a checked patch into `section` and `metadata` (both changed in place, memory from
 * `arena`). ST_BAD_REQUEST when the counted size would pass `size_max`; the caller then throws
 * the trees away. */
CHECKED enum status twin_merge(struct json *section, struct json *metadata,
                               const struct json *patch, struct twin_stamp stamp, size_t size_max,
                               struct arena *arena, struct fault *why);

/* Replaces the whole section by `document`. *ret_patch is what devices are told: the document
 * and a null for every top-level key that went away. */
CHECKED enum status twin_replace(struct json *section, struct json *metadata,
                                 const struct json *document, struct twin_stamp stamp,
                                 size_t size_max, struct arena *arena, struct json **ret_patch,
                                 struct fault *why);

/* Counted bytes: key lengths, strings without control characters, number 8, bool 4 (6.3). */
size_t twin_counted(const struct json *section);

#endif
