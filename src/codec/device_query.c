#include "codec/device_query.h"

#include <assert.h>

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

/* --- reading: a cursor, and connectives that wait for their right side ------------------------ */

/* What waits on top of a connective: a parenthesis that is open. */
#define PARENTHESIS ODATA_COMPARE

struct parser {
    slice text;
    size_t at;
    struct arena *arena;
    struct odata_filter *to;
    size_t conditions, depth;
    enum odata_step_kind waiting[ODATA_CONDITIONS_MAX + ODATA_DEPTH_MAX];
    size_t waiting_count;
    struct fault *why;
};

static bool wrong(struct parser *p, const char *what)
{
    (void)fault_set(p->why, ST_BAD_REQUEST, "filter, character %zu: %s", p->at + 1, what);
    return false;
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void skip_blanks(struct parser *p)
{
    while (p->at < p->text.len && is_blank(p->text.ptr[p->at]))
        p->at++;
}

static bool at_end(struct parser *p)
{
    skip_blanks(p);
    return p->at == p->text.len;
}

static bool take(struct parser *p, slice sign)
{
    skip_blanks(p);
    if (!slice_starts_with(slice_from(p->text, p->at), sign))
        return false;
    p->at += sign.len;
    return true;
}

static bool is_word_byte(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '$';
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

static bool take_word(struct parser *p, const char *word)
{
    slice next = peek_word(p);

    if (!slice_equal_nocase(next, slice_str(word)))
        return false;
    p->at += next.len;
    return true;
}

/* --- conditions ------------------------------------------------------------------------------- */

static bool read_field(struct parser *p, size_t *ret)
{
    slice word = peek_word(p);

    for (size_t i = 0; i < COUNT_OF(fields); i++) {
        if (slice_equal(word, slice_str(fields[i].name))) {
            p->at += word.len;
            *ret = i;
            return true;
        }
    }
    return wrong(p, "$id, $displayName, $template, $organization, $provisioned, $simulated or "
                    "$enabled must stand here");
}

static bool read_operator(struct parser *p, enum odata_operator *ret)
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
        if (take(p, slice_str(signs[i].sign))) {
            *ret = signs[i].op;
            return true;
        }
    }
    return wrong(p, "=, !=, <, <=, >, >= or IN must stand here");
}

/* Behind its first quote, up to and with its last. */
static bool read_quoted(struct parser *p, uint8_t quote, slice *ret)
{
    size_t start = p->at, len = 0;
    uint8_t *to = arena_alloc(p->arena, p->text.len - start + 1);

    if (!to) {
        (void)fault_set(p->why, ST_NO_MEMORY, "no memory for the filter");
        return false;
    }
    for (; p->at < p->text.len; p->at++) {
        if (p->text.ptr[p->at] == quote) {
            if (p->at + 1 >= p->text.len || p->text.ptr[p->at + 1] != quote)
                break;
            p->at++;
        }
        to[len++] = p->text.ptr[p->at];
    }
    if (p->at >= p->text.len)
        return wrong(p, "the text has no end");
    p->at++;
    *ret = slice_of(to, len);
    return true;
}

static bool read_text(struct parser *p, slice *ret)
{
    if (take(p, SLICE("\"")))
        return read_quoted(p, '"', ret);
    if (take(p, SLICE("'")))
        return read_quoted(p, '\'', ret);
    return wrong(p, "a text in quotes must stand here");
}

static bool read_value(struct parser *p, size_t field, struct odata_value *ret)
{
    if (take_word(p, "null")) {
        *ret = (struct odata_value){.kind = ODATA_NULL};
        return true;
    }
    if (fields[field].kind == ODATA_TEXT) {
        *ret = (struct odata_value){.kind = ODATA_TEXT};
        return read_text(p, &ret->text);
    }
    *ret = (struct odata_value){.kind = ODATA_BOOL, .flag = take_word(p, "true")};
    return ret->flag || take_word(p, "false") || wrong(p, "true or false must stand here");
}

static bool add_condition(struct parser *p, const struct odata_step *s)
{
    if (++p->conditions > ODATA_CONDITIONS_MAX)
        return wrong(p, "more than 64 conditions");
    p->to->steps[p->to->count++] = *s;
    return true;
}

static void settle(struct parser *p, enum odata_step_kind kind)
{
    p->to->steps[p->to->count++] = (struct odata_step){.kind = kind};
}

/* [a, b, c] or (a, b, c): equal to any of them. */
static bool read_list(struct parser *p, struct odata_step *s)
{
    bool is_square = take(p, SLICE("["));
    slice end = is_square ? SLICE("]") : SLICE(")");

    if (!is_square && !take(p, SLICE("(")))
        return wrong(p, "'[' must stand here");
    s->op = ODATA_EQ;
    for (bool is_first = true; is_first || take(p, SLICE(",")); is_first = false) {
        if (!read_value(p, s->field, &s->value) || !add_condition(p, s))
            return false;
        if (!is_first)
            settle(p, ODATA_OR);
    }
    return take(p, end) ||
           wrong(p, is_square ? "',' or ']' must stand here" : "',' or ')' must stand here");
}

static bool read_comparison(struct parser *p)
{
    struct odata_step s = {.kind = ODATA_COMPARE};
    size_t sign;

    if (!read_field(p, &s.field))
        return false;
    if (take_word(p, "in"))
        return read_list(p, &s);
    skip_blanks(p);
    sign = p->at;
    if (!read_operator(p, &s.op) || !read_value(p, s.field, &s.value))
        return false;
    if (s.value.kind != ODATA_TEXT && s.op != ODATA_EQ && s.op != ODATA_NE) {
        p->at = sign;
        return wrong(p, "true, false and null go with = and != only");
    }
    return add_condition(p, &s);
}

/* ($displayName, "text") */
static bool read_function(struct parser *p, struct odata_step *s)
{
    s->value.kind = ODATA_TEXT;
    if (!take(p, SLICE("(")))
        return wrong(p, "'(' must stand here");
    if (!read_field(p, &s->field))
        return false;
    if (fields[s->field].kind != ODATA_TEXT)
        return wrong(p, "this field is no text");
    if (!take(p, SLICE(",")))
        return wrong(p, "',' must stand here");
    if (!read_text(p, &s->value.text))
        return false;
    return take(p, SLICE(")")) ? add_condition(p, s) : wrong(p, "')' must stand here");
}

static bool read_condition(struct parser *p)
{
    if (take_word(p, "contains"))
        return read_function(p, &(struct odata_step){.kind = ODATA_CONTAINS});
    if (take_word(p, "starts_with") || take_word(p, "startswith"))
        return read_function(p, &(struct odata_step){.kind = ODATA_INDEX_OF, .op = ODATA_EQ});
    return read_comparison(p);
}

/* --- between conditions ----------------------------------------------------------------------- */

static bool waits(const struct parser *p, enum odata_step_kind kind)
{
    return p->waiting_count > 0 && p->waiting[p->waiting_count - 1] == kind;
}

/* Both sides of what waits on top are there. */
static void settle_waiting(struct parser *p)
{
    settle(p, p->waiting[--p->waiting_count]);
}

static bool open_parentheses(struct parser *p)
{
    while (take(p, SLICE("("))) {
        if (++p->depth > ODATA_DEPTH_MAX)
            return wrong(p, "more than 16 parentheses inside each other");
        p->waiting[p->waiting_count++] = PARENTHESIS;
    }
    return true;
}

static bool close_parentheses(struct parser *p)
{
    while (take(p, SLICE(")"))) {
        while (waits(p, ODATA_AND) || waits(p, ODATA_OR))
            settle_waiting(p);
        if (!waits(p, PARENTHESIS))
            return wrong(p, "this parenthesis was not opened");
        p->waiting_count--;
        p->depth--;
    }
    return true;
}

static bool read_connective(struct parser *p)
{
    bool is_and = take_word(p, "and");

    if (!is_and && !take_word(p, "or"))
        return wrong(p, "AND or OR must stand here");
    while (waits(p, ODATA_AND) || (!is_and && waits(p, ODATA_OR)))
        settle_waiting(p);
    p->waiting[p->waiting_count++] = is_and ? ODATA_AND : ODATA_OR;
    return true;
}

static bool read_conditions(struct parser *p)
{
    for (;;) {
        if (!open_parentheses(p) || !read_condition(p) || !close_parentheses(p))
            return false;
        if (at_end(p))
            break;
        if (!read_connective(p))
            return false;
    }
    while (waits(p, ODATA_AND) || waits(p, ODATA_OR))
        settle_waiting(p);
    return p->waiting_count == 0 || wrong(p, "a parenthesis is not closed");
}

static bool read_query(struct parser *p)
{
    if (!take_word(p, "select"))
        return wrong(p, "SELECT must stand here");
    if (!take(p, SLICE("*")))
        return wrong(p, "* must stand here");
    if (!take_word(p, "from"))
        return wrong(p, "FROM must stand here");
    if (!take_word(p, "devices"))
        return wrong(p, "devices must stand here");
    if (at_end(p))
        return true;
    if (!take_word(p, "where"))
        return wrong(p, "WHERE must stand here");
    return read_conditions(p);
}

enum status device_query_parse(slice text, struct arena *arena, struct odata_filter *ret,
                               struct fault *why)
{
    struct fault own;
    struct parser p = {.text = text, .arena = arena, .to = ret, .why = why ? why : &own};

    ret->count = 0;
    if (text.len > ODATA_TEXT_MAX)
        return fault_set(why, ST_BAD_REQUEST, "a filter has at most %d characters", ODATA_TEXT_MAX);
    if (read_query(&p))
        return ST_OK;
    ret->count = 0;
    return p.why->status;
}
