#include <string.h>

#include "codec/odata_filter_internal.h"

/* What waits on top of a connective: a parenthesis that is open. */
#define PARENTHESIS ODATA_COMPARE

bool filter_wrong(struct filter_reader *r, const char *what)
{
    (void)fault_set(r->why, ST_BAD_REQUEST, "filter, character %zu: %s", r->at + 1, what);
    return false;
}

/* --- the cursor ------------------------------------------------------------------------------- */

static bool is_one_of(const char *bytes, uint8_t c)
{
    return c != 0 && strchr(bytes, c) != NULL;
}

void filter_skip_blanks(struct filter_reader *r)
{
    while (r->at < r->text.len && is_one_of(r->language->blanks, r->text.ptr[r->at]))
        r->at++;
}

bool filter_at_end(struct filter_reader *r)
{
    filter_skip_blanks(r);
    return r->at == r->text.len;
}

bool filter_take(struct filter_reader *r, slice sign)
{
    filter_skip_blanks(r);
    if (!slice_starts_with(slice_from(r->text, r->at), sign))
        return false;
    r->at += sign.len;
    return true;
}

static bool is_word_byte(const struct filter_reader *r, uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           is_one_of(r->language->word_signs, c);
}

slice filter_peek_word(struct filter_reader *r)
{
    size_t end;

    filter_skip_blanks(r);
    for (end = r->at; end < r->text.len && is_word_byte(r, r->text.ptr[end]);)
        end++;
    return slice_of(r->text.ptr + r->at, end - r->at);
}

bool filter_take_word(struct filter_reader *r, const char *word)
{
    slice next = filter_peek_word(r), want = slice_str(word);

    if (!(r->language->words_have_case ? slice_equal(next, want) : slice_equal_nocase(next, want)))
        return false;
    r->at += next.len;
    return true;
}

/* --- parts of conditions ---------------------------------------------------------------------- */

bool filter_read_field(struct filter_reader *r, size_t *ret)
{
    slice word = filter_peek_word(r);

    for (size_t i = 0; i < r->language->field_count; i++) {
        if (slice_equal(word, slice_str(r->language->fields[i].name))) {
            r->at += word.len;
            *ret = i;
            return true;
        }
    }
    return filter_wrong(r, r->language->no_field);
}

/* Each quote inside is there twice. */
static bool copy_unquoted(struct filter_reader *r, slice text, uint8_t quote, slice *ret)
{
    uint8_t *to = arena_alloc(r->arena, text.len);
    size_t len = 0;

    if (!to) {
        (void)fault_set(r->why, ST_NO_MEMORY, "no memory for the filter");
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        to[len++] = text.ptr[i];
        i += text.ptr[i] == quote;
    }
    *ret = slice_of(to, len);
    return true;
}

/* 'It''s': a quote inside is written twice. Behind the first quote. */
static bool read_quoted(struct filter_reader *r, uint8_t quote, slice *ret)
{
    size_t start = r->at, quotes = 0;
    slice inside;

    for (; r->at < r->text.len; r->at++) {
        if (r->text.ptr[r->at] != quote)
            continue;
        if (r->at + 1 >= r->text.len || r->text.ptr[r->at + 1] != quote)
            break;
        r->at++;
        quotes++;
    }
    if (r->at >= r->text.len)
        return filter_wrong(r, "the text has no end");
    inside = slice_of(r->text.ptr + start, r->at - start);
    r->at++;
    if (quotes > 0)
        return copy_unquoted(r, inside, quote, ret);
    *ret = inside;
    return true;
}

bool filter_read_text(struct filter_reader *r, slice *ret)
{
    uint8_t quote;

    if (filter_at_end(r) || !is_one_of(r->language->quotes, r->text.ptr[r->at]))
        return filter_wrong(r, r->language->no_text);
    quote = r->text.ptr[r->at++];
    return read_quoted(r, quote, ret);
}

bool filter_read_arguments(struct filter_reader *r, struct odata_step *ret)
{
    ret->value.kind = ODATA_TEXT;
    if (!filter_take(r, SLICE("(")))
        return filter_wrong(r, "'(' must stand here");
    if (!filter_read_field(r, &ret->field))
        return false;
    if (r->language->fields[ret->field].kind != ODATA_TEXT)
        return filter_wrong(r, "this field is no text");
    if (!filter_take(r, SLICE(",")))
        return filter_wrong(r, "',' must stand here");
    if (!filter_read_text(r, &ret->value.text))
        return false;
    return filter_take(r, SLICE(")")) || filter_wrong(r, "')' must stand here");
}

/* --- between conditions: connectives wait for their right side -------------------------------- */

bool filter_add_condition(struct filter_reader *r, const struct odata_step *s)
{
    if (++r->conditions > ODATA_CONDITIONS_MAX)
        return filter_wrong(r, "more than 64 conditions");
    r->to->steps[r->to->count++] = *s;
    return true;
}

void filter_join(struct filter_reader *r, enum odata_step_kind kind)
{
    r->to->steps[r->to->count++] = (struct odata_step){.kind = kind};
}

static bool waits(const struct filter_reader *r, enum odata_step_kind kind)
{
    return r->waiting_count > 0 && r->waiting[r->waiting_count - 1] == kind;
}

/* Both sides of what waits on top are there. */
static void settle(struct filter_reader *r)
{
    filter_join(r, r->waiting[--r->waiting_count]);
}

static bool open_parentheses(struct filter_reader *r)
{
    while (filter_take(r, SLICE("("))) {
        if (++r->depth > ODATA_DEPTH_MAX)
            return filter_wrong(r, "more than 16 parentheses inside each other");
        r->waiting[r->waiting_count++] = PARENTHESIS;
    }
    return true;
}

static bool close_parentheses(struct filter_reader *r)
{
    while (filter_take(r, SLICE(")"))) {
        while (waits(r, ODATA_AND) || waits(r, ODATA_OR))
            settle(r);
        if (!waits(r, PARENTHESIS))
            return filter_wrong(r, "this parenthesis was not opened");
        r->waiting_count--;
        r->depth--;
    }
    return true;
}

static bool read_connective(struct filter_reader *r)
{
    bool is_and = filter_take_word(r, "and");

    if (!is_and && !filter_take_word(r, "or"))
        return filter_wrong(r, r->language->no_connective);
    while (waits(r, ODATA_AND) || (!is_and && waits(r, ODATA_OR)))
        settle(r);
    r->waiting[r->waiting_count++] = is_and ? ODATA_AND : ODATA_OR;
    return true;
}

bool filter_read_conditions(struct filter_reader *r)
{
    for (;;) {
        if (!open_parentheses(r) || !r->language->read_condition(r) || !close_parentheses(r))
            return false;
        if (filter_at_end(r))
            break;
        if (!read_connective(r))
            return false;
    }
    while (waits(r, ODATA_AND) || waits(r, ODATA_OR))
        settle(r);
    return r->waiting_count == 0 || filter_wrong(r, "a parenthesis is not closed");
}

enum status filter_parse(const struct filter_language *language, slice text, struct arena *arena,
                         struct odata_filter *ret, struct fault *why)
{
    struct fault own;
    struct filter_reader r = {
        .language = language, .text = text, .arena = arena, .to = ret, .why = why ? why : &own};

    ret->count = 0;
    if (text.len > ODATA_TEXT_MAX)
        return fault_set(why, ST_BAD_REQUEST, "a filter has at most %d characters", ODATA_TEXT_MAX);
    if (language->read(&r))
        return ST_OK;
    ret->count = 0;
    return r.why->status;
}
