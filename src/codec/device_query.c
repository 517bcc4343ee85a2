#include "codec/device_query.h"

#include <assert.h>

#include "codec/odata_filter_internal.h"

static const struct odata_field fields[] = {
    [DEVICE_QUERY_ID] = {"$id", ODATA_TEXT},
    [DEVICE_QUERY_DISPLAY_NAME] = {"$displayName", ODATA_TEXT},
    [DEVICE_QUERY_TEMPLATE] = {"$template", ODATA_TEXT},
    [DEVICE_QUERY_ORGANIZATION] = {"$organization", ODATA_TEXT},
    [DEVICE_QUERY_PROVISIONED] = {"$provisioned", ODATA_BOOL},
    [DEVICE_QUERY_SIMULATED] = {"$simulated", ODATA_BOOL},
    [DEVICE_QUERY_ENABLED] = {"$enabled", ODATA_BOOL},
};
static_assert(COUNT_OF(fields) == DEVICE_QUERY_FIELDS, "a name for each field");

/* --- conditions ------------------------------------------------------------------------------- */

static bool read_operator(struct filter_reader *r, enum odata_operator *ret)
{
    /* The longer before what they begin with. */
    static const struct {
        const char *sign;
        enum odata_operator op;
    } signs[] = {
        {"==", ODATA_EQ}, {"=", ODATA_EQ}, {"!=", ODATA_NE}, {"<>", ODATA_NE},
        {"<=", ODATA_LE}, {"<", ODATA_LT}, {">=", ODATA_GE}, {">", ODATA_GT},
    };

    for (size_t i = 0; i < COUNT_OF(signs); i++) {
        if (filter_take(r, slice_str(signs[i].sign))) {
            *ret = signs[i].op;
            return true;
        }
    }
    return filter_wrong(r, "=, !=, <, <=, >, >= or IN must stand here");
}

static bool read_value(struct filter_reader *r, size_t field, struct odata_value *ret)
{
    if (filter_take_word(r, "null")) {
        *ret = (struct odata_value){.kind = ODATA_NULL};
        return true;
    }
    if (fields[field].kind == ODATA_TEXT) {
        *ret = (struct odata_value){.kind = ODATA_TEXT};
        return filter_read_text(r, &ret->text);
    }
    *ret = (struct odata_value){.kind = ODATA_BOOL, .flag = filter_take_word(r, "true")};
    return ret->flag || filter_take_word(r, "false") ||
           filter_wrong(r, "true or false must stand here");
}

/* [a, b, c] or (a, b, c): equal to any of them. */
static bool read_list(struct filter_reader *r, struct odata_step *s)
{
    bool is_square = filter_take(r, SLICE("["));
    slice end = is_square ? SLICE("]") : SLICE(")");

    if (!is_square && !filter_take(r, SLICE("(")))
        return filter_wrong(r, "'[' must stand here");
    s->op = ODATA_EQ;
    for (bool is_first = true; is_first || filter_take(r, SLICE(",")); is_first = false) {
        if (!read_value(r, s->field, &s->value) || !filter_add_condition(r, s))
            return false;
        if (!is_first)
            filter_join(r, ODATA_OR);
    }
    return filter_take(r, end) ||
           filter_wrong(r, is_square ? "',' or ']' must stand here" : "',' or ')' must stand here");
}

static bool read_comparison(struct filter_reader *r)
{
    struct odata_step s = {.kind = ODATA_COMPARE};
    size_t sign;

    if (!filter_read_field(r, &s.field))
        return false;
    if (filter_take_word(r, "in"))
        return read_list(r, &s);
    filter_skip_blanks(r);
    sign = r->at;
    if (!read_operator(r, &s.op) || !read_value(r, s.field, &s.value))
        return false;
    if (s.value.kind != ODATA_TEXT && s.op != ODATA_EQ && s.op != ODATA_NE) {
        r->at = sign;
        return filter_wrong(r, "true, false and null go with = and != only");
    }
    return filter_add_condition(r, &s);
}

static bool read_condition(struct filter_reader *r)
{
    struct odata_step s = {.op = ODATA_EQ};

    if (filter_take_word(r, "contains"))
        s.kind = ODATA_CONTAINS;
    else if (filter_take_word(r, "starts_with") || filter_take_word(r, "startswith"))
        s.kind = ODATA_INDEX_OF;
    else
        return read_comparison(r);
    return filter_read_arguments(r, &s) && filter_add_condition(r, &s);
}

/* --- the whole -------------------------------------------------------------------------------- */

static bool read_query(struct filter_reader *r)
{
    if (!filter_take_word(r, "select"))
        return filter_wrong(r, "SELECT must stand here");
    if (!filter_take(r, SLICE("*")))
        return filter_wrong(r, "* must stand here");
    if (!filter_take_word(r, "from"))
        return filter_wrong(r, "FROM must stand here");
    if (!filter_take_word(r, "devices"))
        return filter_wrong(r, "devices must stand here");
    if (filter_at_end(r))
        return true;
    if (!filter_take_word(r, "where"))
        return filter_wrong(r, "WHERE must stand here");
    return filter_read_conditions(r);
}

enum status device_query_parse(slice text, struct arena *arena, struct odata_filter *ret,
                               struct fault *why)
{
    static const struct filter_language language = {
        .fields = fields,
        .field_count = COUNT_OF(fields),
        .blanks = " \t\r\n",
        .word_signs = "_$",
        .quotes = "\"'",
        .no_field = "$id, $displayName, $template, $organization, $provisioned, $simulated or "
                    "$enabled must stand here",
        .no_text = "a text in quotes must stand here",
        .no_connective = "AND or OR must stand here",
        .read = read_query,
        .read_condition = read_condition,
    };

    return filter_parse(&language, text, arena, ret, why);
}
