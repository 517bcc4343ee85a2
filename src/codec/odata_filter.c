#include <assert.h>

#include "codec/odata_filter_internal.h"

/* --- $filter ---------------------------------------------------------------------------------- */

static bool read_operator(struct filter_reader *r, enum odata_operator *ret)
{
    static const char *const names[] = {
        [ODATA_EQ] = "eq", [ODATA_NE] = "ne", [ODATA_LT] = "lt",
        [ODATA_LE] = "le", [ODATA_GT] = "gt", [ODATA_GE] = "ge",
    };

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (filter_take_word(r, names[i])) {
            *ret = (enum odata_operator)i;
            return true;
        }
    }
    return filter_wrong(r, "eq, ne, lt, le, gt or ge must stand here");
}

static bool read_value(struct filter_reader *r, struct odata_value *ret)
{
    *ret = (struct odata_value){.kind = ODATA_BOOL};
    if (filter_take_word(r, "false"))
        return true;
    ret->flag = true;
    if (filter_take_word(r, "true"))
        return true;
    *ret = (struct odata_value){.kind = ODATA_NULL};
    if (filter_take_word(r, "null"))
        return true;
    ret->kind = ODATA_TEXT;
    return filter_read_text(r, &ret->text);
}

static bool read_comparison(struct filter_reader *r, struct odata_step *s)
{
    enum odata_kind kind;

    s->kind = ODATA_COMPARE;
    if (!filter_read_field(r, &s->field) || !read_operator(r, &s->op) || !read_value(r, &s->value))
        return false;
    kind = s->value.kind;
    if (kind != ODATA_NULL && kind != r->language->fields[s->field].kind)
        return filter_wrong(r, "this value is of another kind than the field");
    if (kind != ODATA_TEXT && s->op != ODATA_EQ && s->op != ODATA_NE)
        return filter_wrong(r, "true, false and null go with eq and ne only");
    return true;
}

static bool read_index_of(struct filter_reader *r, struct odata_step *s)
{
    slice number;

    s->kind = ODATA_INDEX_OF;
    if (!filter_read_arguments(r, s) || !read_operator(r, &s->op))
        return false;
    number = filter_peek_word(r);
    if (!slice_to_i64(number, &s->number))
        return filter_wrong(r, "a whole number must stand here");
    r->at += number.len;
    return true;
}

static bool read_condition(struct filter_reader *r)
{
    struct odata_step s = {0};
    bool read;

    if (filter_take_word(r, "indexof")) {
        read = read_index_of(r, &s);
    } else if (filter_take_word(r, "contains")) {
        s.kind = ODATA_CONTAINS;
        read = filter_read_arguments(r, &s);
    } else {
        read = read_comparison(r, &s);
    }
    return read && filter_add_condition(r, &s);
}

static bool read_filter(struct filter_reader *r)
{
    return filter_at_end(r) || filter_read_conditions(r);
}

enum status odata_filter_parse(slice text, const struct odata_field *fields, size_t field_count,
                               struct arena *arena, struct odata_filter *ret, struct fault *why)
{
    const struct filter_language language = {
        .fields = fields,
        .field_count = field_count,
        .blanks = " \t",
        .word_signs = "_-",
        .quotes = "'",
        .words_have_case = true,
        .no_field = "no field or function of that name",
        .no_text = "a text in single quotes must stand here",
        .no_connective = "'and' or 'or' must stand here",
        .read = read_filter,
        .read_condition = read_condition,
    };

    return filter_parse(&language, text, arena, ret, why);
}

/* --- judging ---------------------------------------------------------------------------------- */

static bool holds(enum odata_operator op, int order)
{
    switch (op) {
    case ODATA_EQ:
        return order == 0;
    case ODATA_NE:
        return order != 0;
    case ODATA_LT:
        return order < 0;
    case ODATA_LE:
        return order <= 0;
    case ODATA_GT:
        return order > 0;
    default:
        return order >= 0;
    }
}

static bool compares(const struct odata_step *s, const struct odata_value *have)
{
    if (have->kind != s->value.kind) /* one of them is null */
        return s->op == ODATA_NE;
    switch (have->kind) {
    case ODATA_BOOL:
        return holds(s->op, have->flag != s->value.flag);
    case ODATA_TEXT:
        return holds(s->op, slice_compare(have->text, s->value.text));
    default:
        return s->op == ODATA_EQ;
    }
}

static bool index_of_holds(const struct odata_step *s, const struct odata_value *have)
{
    size_t found;
    int64_t index = have->kind == ODATA_TEXT && slice_search(have->text, s->value.text, &found)
                        ? (int64_t)found
                        : -1;

    return holds(s->op, (index > s->number) - (index < s->number));
}

static bool condition_holds(const struct odata_step *s, const struct odata_value *row)
{
    const struct odata_value *have = &row[s->field];
    size_t found;

    switch (s->kind) {
    case ODATA_CONTAINS:
        return have->kind == ODATA_TEXT && slice_search(have->text, s->value.text, &found);
    case ODATA_INDEX_OF:
        return index_of_holds(s, have);
    default:
        return compares(s, have);
    }
}

bool odata_filter_fits(const struct odata_filter *f, const struct odata_value *row)
{
    bool results[ODATA_CONDITIONS_MAX];
    size_t count = 0;

    if (f->count == 0)
        return true;
    for (size_t i = 0; i < f->count; i++) {
        const struct odata_step *s = &f->steps[i];

        if (s->kind != ODATA_AND && s->kind != ODATA_OR) {
            results[count++] = condition_holds(s, row);
            continue;
        }
        assert(count >= 2);
        count--;
        results[count - 1] = s->kind == ODATA_AND ? results[count - 1] && results[count]
                                                  : results[count - 1] || results[count];
    }
    assert(count == 1);
    return results[0];
}

/* From the end, a postfix text reads like a prefix one: what stands under nothing but ANDs is
 * demanded, what stands under an OR is passed over. NULL behind the last; begins with *at == count,
 * *passing == 0. */
static const struct odata_step *next_demanded(const struct odata_filter *f, size_t *at,
                                              size_t *passing)
{
    while (*at > 0) {
        const struct odata_step *s = &f->steps[--*at];
        bool connects = s->kind == ODATA_AND || s->kind == ODATA_OR;

        if (*passing > 0)
            *passing = connects ? *passing + 1 : *passing - 1;
        else if (s->kind == ODATA_OR)
            *passing = 2;
        else if (!connects)
            return s;
    }
    return NULL;
}

bool odata_filter_demands(const struct odata_filter *f, size_t field, struct odata_value *ret)
{
    size_t at = f->count, passing = 0;
    const struct odata_step *s;

    while ((s = next_demanded(f, &at, &passing))) {
        if (s->kind == ODATA_COMPARE && s->field == field && s->op == ODATA_EQ) {
            *ret = s->value;
            return true;
        }
    }
    return false;
}

/* An index of -1 says that the text is not there: this must rule that out. */
static bool rules_out_nowhere(const struct odata_step *s)
{
    return !holds(s->op, (-1 > s->number) - (-1 < s->number));
}

static bool demands_part(const struct odata_step *s)
{
    if (s->value.kind != ODATA_TEXT || s->value.text.len == 0)
        return false;
    return s->kind == ODATA_CONTAINS || (s->kind == ODATA_COMPARE && s->op == ODATA_EQ) ||
           (s->kind == ODATA_INDEX_OF && rules_out_nowhere(s));
}

bool odata_filter_demands_part(const struct odata_filter *f, size_t field, slice *ret)
{
    size_t at = f->count, passing = 0;
    const struct odata_step *s;

    while ((s = next_demanded(f, &at, &passing))) {
        if (s->field == field && demands_part(s)) {
            *ret = s->value.text;
            return true;
        }
    }
    return false;
}

enum status odata_order_parse(slice text, slice field, bool *ret_descending, struct fault *why)
{
    slice direction, rest = slice_trim(text);
    slice name = slice_split(&rest, ' ');

    direction = slice_trim(rest);
    if (!slice_equal(name, field))
        return fault_set(why, ST_BAD_REQUEST, "order: by '%.*s' only", SLICE_FMT(field));
    if (direction.len == 0 || slice_equal(direction, SLICE("asc")))
        *ret_descending = false;
    else if (slice_equal(direction, SLICE("desc")))
        *ret_descending = true;
    else
        return fault_set(why, ST_BAD_REQUEST, "order: 'asc' or 'desc' must stand behind the field");
    return ST_OK;
}
