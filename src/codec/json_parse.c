/* The reading half of json.h. */
#include "codec/json.h"

#include "base/text.h"
#include "codec/json_internal.h"

#define NUMBER_MAX 64

struct parser {
    slice text;
    size_t at;
    enum json_duplicates duplicates;
    struct arena *arena;
    struct fault *why;
    size_t values;
    struct json *open[JSON_DEPTH_MAX]; /* the containers around `at` */
    size_t depth;
};

static enum status refuse(const struct parser *p, const char *cause)
{
    return fault_set(p->why, ST_BAD_REQUEST, "json: byte %zu: %s", p->at, cause);
}

static enum status no_memory(const struct parser *p)
{
    return fault_set(p->why, ST_NO_MEMORY, "json: no memory");
}

/* The next byte; 0, which begins nothing in JSON, at the end. */
static uint8_t peek(const struct parser *p)
{
    return p->at < p->text.len ? p->text.ptr[p->at] : 0;
}

static bool take(struct parser *p, uint8_t c)
{
    if (peek(p) != c)
        return false;
    p->at++;
    return true;
}

static void skip_blanks(struct parser *p)
{
    while (peek(p) == ' ' || peek(p) == '\n' || peek(p) == '\r' || peek(p) == '\t')
        p->at++;
}

/* --- strings -------------------------------------------------------------------------------- */

/* Four hex digits behind "\u". */
static bool read_unit(struct parser *p, uint32_t *ret)
{
    uint8_t bytes[2];
    size_t len;

    if (p->text.len - p->at < 4 ||
        !hex_decode(slice_of(p->text.ptr + p->at, 4), bytes, sizeof bytes, &len))
        return false;
    p->at += 4;
    *ret = (uint32_t)bytes[0] << 8 | bytes[1];
    return true;
}

/* The code point of a \u escape or of a pair of them; U+0000 and halves of pairs are refused. */
static bool read_code_point(struct parser *p, uint32_t *ret)
{
    uint32_t high, low;

    if (!read_unit(p, &high) || high == 0 || (high >= 0xdc00 && high <= 0xdfff))
        return false;
    if (high < 0xd800 || high > 0xdfff) {
        *ret = high;
        return true;
    }
    if (!take(p, '\\') || !take(p, 'u') || !read_unit(p, &low) || low < 0xdc00 || low > 0xdfff)
        return false;
    *ret = 0x10000 + ((high - 0xd800) << 10 | (low - 0xdc00));
    return true;
}

static size_t utf8_write(uint32_t c, uint8_t *to)
{
    size_t len = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const uint8_t leads[] = {0, 0x00, 0xc0, 0xe0, 0xf0};

    for (size_t i = len; i-- > 1; c >>= 6)
        to[i] = (uint8_t)(0x80 | (c & 0x3f));
    to[0] = (uint8_t)(leads[len] | c);
    return len;
}

/* What stands behind a backslash, decoded to `to`; 0 for no escape. */
static size_t read_escape(struct parser *p, uint8_t *to)
{
    static const char letters[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    uint8_t c = peek(p);
    uint32_t code_point;
    size_t which;

    if (take(p, 'u'))
        return read_code_point(p, &code_point) ? utf8_write(code_point, to) : 0;
    if (!slice_find(slice_str(letters), c, &which))
        return 0;
    p->at++;
    to[0] = (uint8_t)meanings[which];
    return 1;
}

/* Finds the closing quote. The bytes before it are checked, escapes are not looked into. */
static enum status scan_string(struct parser *p, slice *ret_raw, bool *ret_escaped)
{
    const size_t start = p->at;
    uint8_t seen = 0;

    *ret_escaped = false;
    for (; peek(p) != '"'; p->at++) {
        if (take(p, '\\'))
            *ret_escaped = true; /* a quote behind it does not end the string */
        if (p->at == p->text.len)
            return refuse(p, "string without an end");
        if (peek(p) < 0x20)
            return refuse(p, "control character in a string");
        seen |= peek(p);
    }
    *ret_raw = slice_of(p->text.ptr + start, p->at - start);
    if ((seen & 0x80) && !utf8_valid(*ret_raw))
        return refuse(p, "string is not UTF-8");
    return ST_OK;
}

/* Decoded text is never longer than its escapes, so the raw length is room enough. */
static enum status decode_string(struct parser *p, slice raw, slice *ret)
{
    struct parser inner = {.text = slice_of(p->text.ptr, p->at), .at = p->at - raw.len};
    uint8_t *to = arena_alloc(p->arena, raw.len);
    size_t len = 0;

    if (!to)
        return no_memory(p);
    while (inner.at < inner.text.len) {
        uint8_t c = inner.text.ptr[inner.at++];
        size_t grown = 1;

        if (c == '\\')
            grown = read_escape(&inner, to + len);
        else
            to[len] = c;
        if (grown == 0) {
            p->at = inner.at;
            return refuse(p, "bad escape, half a surrogate pair, or NUL");
        }
        len += grown;
    }
    *ret = slice_of(to, len);
    return ST_OK;
}

/* From the opening quote to behind the closing one. */
static enum status read_string(struct parser *p, slice *ret)
{
    bool escaped;
    enum status status;

    if (!take(p, '"'))
        return refuse(p, "a string is expected");
    status = scan_string(p, ret, &escaped);
    if (status == ST_OK && escaped)
        status = decode_string(p, *ret, ret);
    if (status == ST_OK)
        p->at++;
    return status;
}

/* --- numbers and words ---------------------------------------------------------------------- */

static bool take_digits(struct parser *p)
{
    size_t start = p->at;

    while (peek(p) >= '0' && peek(p) <= '9')
        p->at++;
    return p->at > start;
}

static bool scan_number(struct parser *p)
{
    (void)take(p, '-');
    if (!take(p, '0') && !take_digits(p))
        return false;
    if (take(p, '.') && !take_digits(p))
        return false;
    if (take(p, 'e') || take(p, 'E')) {
        if (!take(p, '-'))
            (void)take(p, '+');
        return take_digits(p);
    }
    return true;
}

static enum status read_number(struct parser *p, slice *ret)
{
    size_t start = p->at;

    if (!scan_number(p))
        return refuse(p, "malformed number");
    *ret = slice_of(p->text.ptr + start, p->at - start);
    return ret->len > NUMBER_MAX ? refuse(p, "number of more than 64 characters") : ST_OK;
}

static enum status read_word(struct parser *p, enum json_kind *ret)
{
    static const struct {
        const char *word;
        enum json_kind kind;
    } words[] = {{"null", JSON_NULL}, {"false", JSON_FALSE}, {"true", JSON_TRUE}};

    for (size_t i = 0; i < COUNT_OF(words); i++) {
        slice word = slice_str(words[i].word);

        if (slice_starts_with(slice_from(p->text, p->at), word)) {
            p->at += word.len;
            *ret = words[i].kind;
            return ST_OK;
        }
    }
    return refuse(p, "a value is expected");
}

/* --- structure ------------------------------------------------------------------------------ */

static enum status open_container(struct parser *p, struct json *value)
{
    value->kind = peek(p) == '{' ? JSON_OBJECT : JSON_ARRAY;
    p->at++;
    if (p->depth == JSON_DEPTH_MAX)
        return fault_set(p->why, ST_TOO_LARGE, "json: nested more than %d deep", JSON_DEPTH_MAX);
    p->open[p->depth++] = value;
    return ST_OK;
}

static enum status close_object(struct parser *p, struct json *object)
{
    enum status status = json_settle_duplicates(object, p->duplicates, p->arena);

    if (status == ST_BAD_REQUEST)
        return refuse(p, "a member of this object is given twice");
    return status == ST_OK ? ST_OK : no_memory(p);
}

/* Closes the innermost container if its bracket comes next. */
static bool take_close(struct parser *p, enum status *ret)
{
    struct json *container = p->open[p->depth - 1];

    if (!take(p, container->kind == JSON_OBJECT ? '}' : ']'))
        return false;
    container->raw.len = (size_t)(p->text.ptr + p->at - container->raw.ptr);
    *ret = container->kind == JSON_OBJECT ? close_object(p, container) : ST_OK;
    p->depth--;
    return true;
}

static enum status read_name(struct parser *p, slice *ret)
{
    enum status status = read_string(p, ret);

    if (status != ST_OK)
        return status;
    skip_blanks(p);
    if (!take(p, ':'))
        return refuse(p, "a colon is expected");
    skip_blanks(p);
    return ST_OK;
}

static enum status read_content(struct parser *p, struct json *value)
{
    uint8_t c = peek(p);

    if (c == '{' || c == '[')
        return open_container(p, value);
    if (c == '"') {
        value->kind = JSON_STRING;
        return read_string(p, &value->text);
    }
    if (c == '-' || (c >= '0' && c <= '9')) {
        value->kind = JSON_NUMBER;
        return read_number(p, &value->text);
    }
    return read_word(p, &value->kind);
}

/* One value with its name, or the opening of a container, which is then the innermost. */
static enum status read_value(struct parser *p, struct json **ret)
{
    struct json *parent = p->depth ? p->open[p->depth - 1] : NULL;
    struct json *value;
    slice name = {0};
    enum status status = ST_OK;

    if (parent && parent->kind == JSON_OBJECT)
        status = read_name(p, &name);
    if (status != ST_OK)
        return status;
    if (p->values == JSON_VALUES_MAX)
        return fault_set(p->why, ST_TOO_LARGE, "json: more than %d values", JSON_VALUES_MAX);
    p->values++;
    value = json_new(p->arena, JSON_NULL);
    if (!value)
        return no_memory(p);
    value->name = name;
    value->raw.ptr = p->text.ptr + p->at;
    status = read_content(p, value);
    value->raw.len = (size_t)(p->text.ptr + p->at - value->raw.ptr);
    json_attach(parent, value);
    *ret = value;
    return status;
}

/* Behind a value: brackets that close, then a comma if there is more to come. */
static enum status read_behind_value(struct parser *p)
{
    enum status status = ST_OK;

    while (status == ST_OK && p->depth > 0) {
        skip_blanks(p);
        if (take_close(p, &status))
            continue;
        if (!take(p, ','))
            return refuse(p, "a comma or the closing bracket is expected");
        skip_blanks(p);
        return ST_OK;
    }
    return status;
}

/* All of one value, and the brackets and commas between its parts. */
static enum status read_document(struct parser *p, struct json **ret)
{
    struct json *value = NULL, *root = NULL;

    do {
        size_t depth = p->depth;
        enum status status = read_value(p, &value);

        root = root ? root : value;
        if (status == ST_OK && p->depth > depth) {
            skip_blanks(p);
            if (!take_close(p, &status))
                continue; /* the first member or element comes next */
        }
        if (status == ST_OK)
            status = read_behind_value(p);
        if (status != ST_OK)
            return status;
    } while (p->depth > 0);
    *ret = root;
    return ST_OK;
}

enum status json_parse(slice text, enum json_duplicates duplicates, struct arena *arena,
                       struct json **ret, struct fault *why)
{
    struct parser p = {.text = text, .duplicates = duplicates, .arena = arena, .why = why};
    struct json *root;
    enum status status;

    skip_blanks(&p);
    if (p.at == text.len)
        return refuse(&p, "a value is expected");
    status = read_document(&p, &root);
    if (status != ST_OK)
        return status;
    skip_blanks(&p);
    if (p.at < text.len)
        return refuse(&p, "more behind the value");
    *ret = root;
    return ST_OK;
}
