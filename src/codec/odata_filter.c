#include "codec/odata_filter.h"

#include <assert.h>

/* --- reading: a cursor, and connectives that wait for their right side ------------------------ */

struct parser {
    slice text;
    size_t at;
    const struct odata_field *fields;
    size_t field_count;
    struct arena *arena;
    struct odata_filter *to;
    size_t conditions, depth;
    /* ODATA_AND and ODATA_OR; ODATA_COMPARE stands for an open parenthesis. */
    enum odata_step_kind waiting[ODATA_CONDITIONS_MAX + ODATA_DEPTH_MAX];
    size_t waiting_count;
    struct fault *why;
};

#define PARENTHESIS ODATA_COMPARE

static bool wrong(struct parser *p, const char *what)
{
    (void)fault_set(p->why, ST_BAD_REQUEST, "filter, character %zu: %s", p->at + 1, what);
    return false;
}

static void skip_blanks(struct parser *p)
{
    while (p->at < p->text.len && (p->text.ptr[p->at] == ' ' || p->text.ptr[p->at] == '\t'))
        p->at++;
}

static bool take(struct parser *p, uint8_t c)
{
    skip_blanks(p);
    if (p->at >= p->text.len || p->text.ptr[p->at] != c)
        return false;
    p->at++;
    return true;
}

static bool is_word_byte(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
}

/* The word that stands next, without taking it; may be empty. */
static slice peek_word(struct parser *p)
{
    size_t end;

    skip_blanks(p);
    for (end = p->at; end < p->text.len && is_word_byte(p->text.ptr[end]);)
        end++;
    return slice_of(p->text.ptr + p->at, end - p->at);
}

static bool take_word(struct parser *p, slice word)
{
    if (!slice_equal(peek_word(p), word))
        return false;
    p->at += word.len;
    return true;
}

/* --- conditions ------------------------------------------------------------------------------- */

static bool read_field(struct parser *p, size_t *ret)
{
    slice word = peek_word(p);

    for (size_t i = 0; i < p->field_count; i++) {
        if (slice_equal(word, slice_str(p->fields[i].name))) {
            p->at += word.len;
            *ret = i;
            return true;
        }
    }
    return wrong(p, "no field or function of that name");
}

static bool read_operator(struct parser *p, enum odata_operator *ret)
{
    static const char *const names[] = {
        [ODATA_EQ] = "eq", [ODATA_NE] = "ne", [ODATA_LT] = "lt",
        [ODATA_LE] = "le", [ODATA_GT] = "gt", [ODATA_GE] = "ge",
    };

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (take_word(p, slice_str(names[i]))) {
            *ret = (enum odata_operator)i;
            return true;
        }
    }
    return wrong(p, "eq, ne, lt, le, gt or ge must stand here");
}

/* 'It''s': a quote inside is written twice. */
static bool read_text(struct parser *p, slice *ret)
{
    size_t start, quotes = 0, len = 0;
    uint8_t *to;

    if (!take(p, '\''))
        return wrong(p, "a text in single quotes must stand here");
    for (start = p->at; p->at < p->text.len; p->at++) {
        if (p->text.ptr[p->at] != '\'')
            continue;
        if (p->at + 1 >= p->text.len || p->text.ptr[p->at + 1] != '\'')
            break;
        p->at++;
        quotes++;
    }
    if (p->at >= p->text.len)
        return wrong(p, "the text has no end");
    *ret = slice_of(p->text.ptr + start, p->at - start);
    p->at++;
    if (quotes == 0)
        return true;
    to = arena_alloc(p->arena, ret->len);
    if (!to) {
        (void)fault_set(p->why, ST_NO_MEMORY, "no memory for the filter");
        return false;
    }
    for (size_t i = 0; i < ret->len; i++) {
        to[len++] = ret->ptr[i];
        i += ret->ptr[i] == '\'';
    }
    *ret = slice_of(to, len);
    return true;
}

static bool read_value(struct parser *p, struct odata_value *ret)
{
    *ret = (struct odata_value){.kind = ODATA_BOOL};
    if (take_word(p, SLICE("false")))
        return true;
    ret->flag = true;
    if (take_word(p, SLICE("true")))
        return true;
    *ret = (struct odata_value){.kind = ODATA_NULL};
    if (take_word(p, SLICE("null")))
        return true;
    ret->kind = ODATA_TEXT;
    return read_text(p, &ret->text);
}

static bool read_comparison(struct parser *p, struct odata_step *s)
{
    enum odata_kind kind;

    s->kind = ODATA_COMPARE;
    if (!read_field(p, &s->field) || !read_operator(p, &s->op) || !read_value(p, &s->value))
        return false;
    kind = s->value.kind;
    if (kind != ODATA_NULL && kind != p->fields[s->field].kind)
        return wrong(p, "this value is of another kind than the field");
    if (kind != ODATA_TEXT && s->op != ODATA_EQ && s->op != ODATA_NE)
        return wrong(p, "true, false and null go with eq and ne only");
    return true;
}

/* (field, 'text') */
static bool read_arguments(struct parser *p, struct odata_step *s)
{
    s->value.kind = ODATA_TEXT;
    if (!take(p, '('))
        return wrong(p, "'(' must stand here");
    if (!read_field(p, &s->field))
        return false;
    if (p->fields[s->field].kind != ODATA_TEXT)
        return wrong(p, "this field is no text");
    if (!take(p, ','))
        return wrong(p, "',' must stand here");
    if (!read_text(p, &s->value.text))
        return false;
    return take(p, ')') || wrong(p, "')' must stand here");
}

static bool read_index_of(struct parser *p, struct odata_step *s)
{
    slice number;

    s->kind = ODATA_INDEX_OF;
    if (!read_arguments(p, s) || !read_operator(p, &s->op))
        return false;
    number = peek_word(p);
    if (!slice_to_i64(number, &s->number))
        return wrong(p, "a whole number must stand here");
    p->at += number.len;
    return true;
}

static bool read_condition(struct parser *p)
{
    struct odata_step s = {0};
    bool read;

    if (++p->conditions > ODATA_CONDITIONS_MAX)
        return wrong(p, "more than 64 conditions");
    if (take_word(p, SLICE("indexof"))) {
        read = read_index_of(p, &s);
    } else if (take_word(p, SLICE("contains"))) {
        s.kind = ODATA_CONTAINS;
        read = read_arguments(p, &s);
    } else {
        read = read_comparison(p, &s);
    }
    if (read)
        p->to->steps[p->to->count++] = s;
    return read;
}

/* --- between conditions ----------------------------------------------------------------------- */

/* Both sides of what waits on top are there. */
static void settle(struct parser *p)
{
    p->to->steps[p->to->count++] = (struct odata_step){.kind = p->waiting[--p->waiting_count]};
}

static bool waits(const struct parser *p, enum odata_step_kind kind)
{
    return p->waiting_count > 0 && p->waiting[p->waiting_count - 1] == kind;
}

static bool open_parentheses(struct parser *p)
{
    while (take(p, '(')) {
        if (++p->depth > ODATA_DEPTH_MAX)
            return wrong(p, "more than 16 parentheses inside each other");
        p->waiting[p->waiting_count++] = PARENTHESIS;
    }
    return true;
}

static bool close_parentheses(struct parser *p)
{
    while (take(p, ')')) {
        while (waits(p, ODATA_AND) || waits(p, ODATA_OR))
            settle(p);
        if (!waits(p, PARENTHESIS))
            return wrong(p, "this parenthesis was not opened");
        p->waiting_count--;
        p->depth--;
    }
    return true;
}

static bool read_connective(struct parser *p)
{
    bool is_and = take_word(p, SLICE("and"));

    if (!is_and && !take_word(p, SLICE("or")))
        return wrong(p, "'and' or 'or' must stand here");
    while (waits(p, ODATA_AND) || (!is_and && waits(p, ODATA_OR)))
        settle(p);
    p->waiting[p->waiting_count++] = is_and ? ODATA_AND : ODATA_OR;
    return true;
}

static bool read_filter(struct parser *p)
{
    for (;;) {
        if (!open_parentheses(p) || !read_condition(p) || !close_parentheses(p))
            return false;
        skip_blanks(p);
        if (p->at == p->text.len)
            break;
        if (!read_connective(p))
            return false;
    }
    while (waits(p, ODATA_AND) || waits(p, ODATA_OR))
        settle(p);
    return p->waiting_count == 0 || wrong(p, "a parenthesis is not closed");
}

enum status odata_filter_parse(slice text, const struct odata_field *fields, size_t field_count,
                               struct arena *arena, struct odata_filter *ret, struct fault *why)
{
    struct fault own;
    struct parser p = {
        .text = text,
        .fields = fields,
        .field_count = field_count,
        .arena = arena,
        .to = ret,
        .why = why ? why : &own,
    };

    ret->count = 0;
    if (text.len > ODATA_TEXT_MAX)
        return fault_set(why, ST_BAD_REQUEST, "a filter has at most %d characters", ODATA_TEXT_MAX);
    skip_blanks(&p);
    if (p.at == text.len || read_filter(&p))
        return ST_OK;
    ret->count = 0;
    return p.why->status;
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
