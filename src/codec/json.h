/* JSON (RFC 8259), strict, with every number's spelling kept.
 *
 * Twins and method payloads must come out as they went in: 23.10 stays 23.10, a 64-bit integer
 * stays whole, members keep their order. So scalars are slices of the text. One parser serves
 * twins, REST bodies and tools (SECURITY-MODEL S9): depth at most 32, at most 20,000 values,
 * numbers of at most 64 characters, UTF-8 checked, no trailing bytes, no byte-order mark, no
 * NUL in strings. Nesting is walked with an explicit stack, never by recursion. */
#ifndef MUSTER_CODEC_JSON_H
#define MUSTER_CODEC_JSON_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/status.h"

#define JSON_DEPTH_MAX 32
#define JSON_VALUES_MAX 20000

enum json_kind {
    JSON_NULL,
    JSON_FALSE,
    JSON_TRUE,
    JSON_NUMBER,
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT
};

/* A value in the tree. Members and elements are a list in their order. */
struct json {
    enum json_kind kind;
    slice name;                /* of a member: decoded; empty for elements and the root */
    slice text;                /* number: as spelled; string: decoded (UTF-8) */
    slice raw;                 /* the value's own bytes in the input, from first to last */
    struct json *first, *last; /* children */
    struct json *next;         /* sibling */
};

enum json_duplicates { JSON_LAST_WINS, JSON_REFUSE_DUPLICATES };

/* The tree lives in the arena and borrows from `text`. ST_BAD_REQUEST with the byte position and
 * cause; ST_TOO_LARGE for depth and count; ST_NO_MEMORY. Any kind of root is accepted. */
CHECKED enum status json_parse(slice text, enum json_duplicates duplicates, struct arena *arena,
                               struct json **ret, struct fault *why);

/* The member of that name, or NULL; also NULL when `object` is NULL or no object. */
struct json *json_member(const struct json *object, slice name);
/* Follows names from the root: json_path(root, (slice[]){SLICE("a"), SLICE("b")}, 2). */
struct json *json_path(const struct json *root, const slice *names, size_t count);
/* A string member's text; false when absent or no string. */
bool json_get_text(const struct json *object, slice name, slice *ret);
/* An integer member within int64; false when absent, fractional or too large. */
bool json_get_int(const struct json *object, slice name, int64_t *ret);
/* A boolean member; false when absent or no boolean. */
bool json_get_bool(const struct json *object, slice name, bool *ret);
bool json_to_int(const struct json *value, int64_t *ret);

/* --- of many members ------------------------------------------------------------------------- */

/* The members of an object in the order of their names, then of their places. A snapshot: members
 * attached later are not found. */
struct json_slot {
    struct json *member;
    size_t place; /* among the members, from 0 */
};
struct json_index {
    struct json_slot *slots; /* in the arena */
    size_t count;
};
CHECKED bool json_index_build(const struct json *object, struct arena *arena,
                              struct json_index *ret);
/* The first member of that name, or NULL. */
struct json *json_index_find(const struct json_index *index, slice name);

/* --- building ------------------------------------------------------------------------------- */

/* New values in the arena; NULL (and arena->failed) when it is full. Text is borrowed. */
struct json *json_new(struct arena *arena, enum json_kind kind);
struct json *json_new_text(struct arena *arena, slice text);
struct json *json_new_int(struct arena *arena, int64_t number);
/* Sets or replaces a member, keeping the place of a replaced one. NULLs are ignored. */
void json_set(struct json *object, slice name, struct json *value);
void json_remove(struct json *object, slice name);
void json_append(struct json *array, struct json *element);

/* Compact text. Numbers as spelled, strings with the fewest escapes. */
void json_write(const struct json *value, struct buf *to);
/* A string literal with its quotes. */
void json_write_string(slice text, struct buf *to);

/* --- writing without a tree ----------------------------------------------------------------- */

/* Comma and nesting are kept track of; the caller opens and closes in pairs. For answers. */
struct json_writer {
    struct buf *to;
    bool after_value; /* a comma is due before the next */
};
void json_open(struct json_writer *w, slice name, char bracket); /* '{' or '['; name may be empty */
void json_close(struct json_writer *w, char bracket);            /* '}' or ']' */
void json_put_text(struct json_writer *w, slice name, slice text);
void json_put_int(struct json_writer *w, slice name, int64_t number);
void json_put_bool(struct json_writer *w, slice name, bool value);
void json_put_null(struct json_writer *w, slice name);
/* Valid JSON text as it is. */
void json_put_raw(struct json_writer *w, slice name, slice json);

#endif
