/* $filter and $orderby of lists: the part of OData 4 that the compatible API has
 * (contract/central.md 6.1).
 *
 *     displayName eq 'It''s a pump' and (enabled eq true or indexof(displayName, 'x') ge 0)
 *     contains(displayName, 'x') or template eq null
 *
 * The caller names the fields and gives their values row by row. A filter is kept in postfix
 * order, so neither reading nor judging it needs a stack that a caller can make deep. `and` binds
 * closer than `or`. Texts compare by their bytes, case counts. Pure. */
#ifndef MUSTER_CODEC_ODATA_FILTER_H
#define MUSTER_CODEC_ODATA_FILTER_H

#include "base/arena.h"
#include "base/status.h"

#define ODATA_TEXT_MAX 8000
#define ODATA_DEPTH_MAX 16 /* of parentheses */
#define ODATA_CONDITIONS_MAX 64

enum odata_kind { ODATA_NULL, ODATA_BOOL, ODATA_TEXT };

struct odata_field {
    const char *name;
    enum odata_kind kind; /* ODATA_BOOL or ODATA_TEXT; a row may have ODATA_NULL in its place */
};
struct odata_value {
    enum odata_kind kind;
    bool flag;
    slice text;
};

enum odata_operator { ODATA_EQ, ODATA_NE, ODATA_LT, ODATA_LE, ODATA_GT, ODATA_GE };
enum odata_step_kind {
    ODATA_COMPARE, /* field, op, value */
    ODATA_CONTAINS,
    ODATA_INDEX_OF, /* where `value` begins in the field, op, number; -1: nowhere */
    ODATA_AND,      /* of the two before it */
    ODATA_OR,
};
struct odata_step {
    enum odata_step_kind kind;
    size_t field;
    enum odata_operator op;
    struct odata_value value;
    int64_t number;
};
struct odata_filter {
    struct odata_step steps[2 * ODATA_CONDITIONS_MAX];
    size_t count; /* 0: every row fits */
};

/* Borrows from `text` and the arena. ST_BAD_REQUEST with the character (from 1) and what is wrong
 * there; ST_NO_MEMORY. */
CHECKED enum status odata_filter_parse(slice text, const struct odata_field *fields,
                                       size_t field_count, struct arena *arena,
                                       struct odata_filter *ret, struct fault *why);
/* `row` has a value for each field. */
bool odata_filter_fits(const struct odata_filter *f, const struct odata_value *row);
/* Whether every row that fits has this field equal to *ret: for the choice of an index. */
bool odata_filter_demands(const struct odata_filter *f, size_t field, struct odata_value *ret);
/* Whether every row that fits has *ret, of at least one byte, in this field. */
bool odata_filter_demands_part(const struct odata_filter *f, size_t field, slice *ret);

/* "displayName", "displayName asc", "displayName desc"; ST_BAD_REQUEST for another field. */
CHECKED enum status odata_order_parse(slice text, slice field, bool *ret_descending,
                                      struct fault *why);

#endif
