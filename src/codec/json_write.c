/* The writing half of json.h. */
#include "codec/json.h"

#include "base/text.h"
#include "codec/json_internal.h"

/* --- strings -------------------------------------------------------------------------------- */

/* The bytes at the front of `text` that stand for themselves. */
static size_t literal_prefix(slice text, bool ascii_only)
{
    size_t len = 0;

    while (len < text.len && text.ptr[len] >= 0x20 && text.ptr[len] != '"' &&
           text.ptr[len] != '\\' && (text.ptr[len] < 0x80 || !ascii_only))
        len++;
    return len;
}

static void escape_write(uint8_t c, struct buf *to)
{
    static const char meanings[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
    size_t which;

    if (slice_find(slice_str(meanings), c, &which)) {
        buf_append_byte(to, '\\');
        buf_append_byte(to, (uint8_t)letters[which]);
    } else if (c < 0x20) {
        buf_printf(to, "\\u%04x", c);
    } else {
        buf_append_str(to, "\xef\xbf\xbd");
    }
}

/* The output is always JSON: where `text` is no UTF-8 (properties of messages may hold any bytes),
 * each of its bytes above ASCII becomes U+FFFD. */
void json_write_string(slice text, struct buf *to)
{
    bool ascii_only = !utf8_valid(text);

    buf_append_byte(to, '"');
    while (text.len > 0) {
        size_t len = literal_prefix(text, ascii_only);

        buf_append(to, slice_first(text, len));
        text = slice_from(text, len);
        if (text.len > 0) {
            escape_write(text.ptr[0], to);
            text = slice_from(text, 1);
        }
    }
    buf_append_byte(to, '"');
}

/* --- trees ---------------------------------------------------------------------------------- */

static void scalar_write(const struct json *value, struct buf *to)
{
    static const char *const words[] = {
        [JSON_NULL] = "null", [JSON_FALSE] = "false", [JSON_TRUE] = "true"};

    if (value->kind == JSON_STRING)
        json_write_string(value->text, to);
    else if (value->kind == JSON_NUMBER)
        buf_append(to, value->text);
    else
        buf_append_str(to, words[value->kind]);
}

static bool is_container(const struct json *value)
{
    return value && (value->kind == JSON_ARRAY || value->kind == JSON_OBJECT);
}

static void value_open(const struct json *value, const struct json *parent, struct buf *to)
{
    if (parent && value != parent->first)
        buf_append_byte(to, ',');
    if (parent && parent->kind == JSON_OBJECT) {
        json_write_string(value->name, to);
        buf_append_byte(to, ':');
    }
    if (is_container(value))
        buf_append_byte(to, value->kind == JSON_OBJECT ? '{' : '[');
    else
        scalar_write(value, to);
}

static void value_close(const struct json *value, struct buf *to)
{
    if (is_container(value))
        buf_append_byte(to, value->kind == JSON_OBJECT ? '}' : ']');
}

/* A tree deeper than a walk goes (built by mistake: the parser makes none) fails the buffer. */
void json_write(const struct json *value, struct buf *to)
{
    struct json_walk walk = {0};
    const struct json *path[JSON_WALK_DEPTH_MAX] = {0};
    size_t depth = 0;

    for (const struct json *at; (at = json_walk_next(&walk, value)); path[depth++] = at) {
        while (depth >= walk.depth)
            value_close(path[--depth], to);
        value_open(at, depth ? path[depth - 1] : NULL, to);
        if (walk.depth == JSON_WALK_DEPTH_MAX && at->first)
            to->failed = true;
    }
    while (depth > 0)
        value_close(path[--depth], to);
}

/* --- without a tree ------------------------------------------------------------------------- */

static void put_name(struct json_writer *w, slice name)
{
    if (w->after_value)
        buf_append_byte(w->to, ',');
    w->after_value = true;
    if (name.len > 0) {
        json_write_string(name, w->to);
        buf_append_byte(w->to, ':');
    }
}

void json_open(struct json_writer *w, slice name, char bracket)
{
    put_name(w, name);
    buf_append_byte(w->to, (uint8_t)bracket);
    w->after_value = false;
}

void json_close(struct json_writer *w, char bracket)
{
    buf_append_byte(w->to, (uint8_t)bracket);
    w->after_value = true;
}

void json_put_text(struct json_writer *w, slice name, slice text)
{
    put_name(w, name);
    json_write_string(text, w->to);
}

void json_put_int(struct json_writer *w, slice name, int64_t number)
{
    put_name(w, name);
    buf_printf(w->to, "%lld", (long long)number);
}

void json_put_bool(struct json_writer *w, slice name, bool value)
{
    put_name(w, name);
    buf_append_str(w->to, value ? "true" : "false");
}

void json_put_null(struct json_writer *w, slice name)
{
    put_name(w, name);
    buf_append_str(w->to, "null");
}

void json_put_raw(struct json_writer *w, slice name, slice json)
{
    put_name(w, name);
    buf_append(w->to, json);
}
