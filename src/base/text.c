#include "base/text.h"

static const char base64_alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_encode(slice bytes, struct buf *to)
{
    for (size_t i = 0; i < bytes.len; i += 3) {
        size_t left = bytes.len - i;
        uint32_t group = (uint32_t)bytes.ptr[i] << 16 |
                         (left > 1 ? (uint32_t)bytes.ptr[i + 1] << 8 : 0) |
                         (left > 2 ? bytes.ptr[i + 2] : 0);
        char quad[4] = {
            base64_alphabet[group >> 18],
            base64_alphabet[group >> 12 & 63],
            left > 1 ? base64_alphabet[group >> 6 & 63] : '=',
            left > 2 ? base64_alphabet[group & 63] : '=',
        };

        buf_append(to, slice_of(quad, sizeof quad));
    }
}

static int base64_value(uint8_t c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+')
        return 62;
    return c == '/' ? 63 : -1;
}

/* One group of four characters, `keep` of which stand for data (2, 3 or 4). */
static bool base64_group(const uint8_t *quad, size_t keep, uint32_t *ret)
{
    uint32_t group = 0;

    for (size_t i = 0; i < 4; i++) {
        int value = i < keep ? base64_value(quad[i]) : 0;

        if (value < 0 || (i >= keep && quad[i] != '='))
            return false;
        group = group << 6 | (uint32_t)value;
    }
    *ret = group;
    return keep == 4 || (group & (keep == 2 ? 0xffffu : 0xffu)) == 0;
}

bool base64_decode(slice text, uint8_t *to, size_t cap, size_t *ret_len)
{
    size_t len = 0;

    if (text.len % 4 != 0)
        return false;
    for (size_t i = 0; i < text.len; i += 4) {
        const uint8_t *quad = text.ptr + i;
        bool last = i + 4 == text.len;
        size_t keep = !last || quad[3] != '=' ? 4 : quad[2] != '=' ? 3 : 2;
        uint32_t group;

        if (!base64_group(quad, keep, &group) || len + keep - 1 > cap)
            return false;
        for (size_t b = 0; b + 1 < keep; b++)
            to[len++] = (uint8_t)(group >> (16 - 8 * b));
    }
    *ret_len = len;
    return true;
}

void base64url_encode(slice bytes, struct buf *to)
{
    size_t start = to->len;

    base64_encode(bytes, to);
    for (size_t i = start; i < to->len; i++) {
        if (to->ptr[i] == '+')
            to->ptr[i] = '-';
        else if (to->ptr[i] == '/')
            to->ptr[i] = '_';
    }
    while (to->len > start && to->ptr[to->len - 1] == '=')
        to->len--;
}

static int base64url_value(uint8_t c)
{
    if (c == '-')
        return 62;
    if (c == '_')
        return 63;
    return c == '+' || c == '/' ? -1 : base64_value(c);
}

bool base64url_decode(slice text, uint8_t *to, size_t cap, size_t *ret_len)
{
    uint32_t bits = 0;
    unsigned count = 0;
    size_t len = 0;

    if (text.len % 4 == 1)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        int value = base64url_value(text.ptr[i]);

        if (value < 0)
            return false;
        bits = bits << 6 | (uint32_t)value;
        count += 6;
        if (count < 8)
            continue;
        if (len == cap)
            return false;
        count -= 8;
        to[len++] = (uint8_t)(bits >> count);
        bits &= (1u << count) - 1;
    }
    *ret_len = len;
    return bits == 0; /* one text for the same bytes */
}

static const char hex_lower[] = "0123456789abcdef";
static const char hex_upper[] = "0123456789ABCDEF";

static int hex_value(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool is_unreserved(uint8_t c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

void percent_encode(slice bytes, struct buf *to)
{
    for (size_t i = 0; i < bytes.len; i++) {
        uint8_t c = bytes.ptr[i];
        char escaped[3] = {'%', hex_upper[c >> 4], hex_upper[c & 15]};

        buf_append(to, is_unreserved(c) ? slice_of(&c, 1) : slice_of(escaped, sizeof escaped));
    }
}

static bool escape_at(slice text, size_t i, uint8_t *ret)
{
    int high, low;

    if (text.ptr[i] != '%' || i + 2 >= text.len)
        return false;
    high = hex_value(text.ptr[i + 1]);
    low = hex_value(text.ptr[i + 2]);
    if (high < 0 || low < 0)
        return false;
    *ret = (uint8_t)(high << 4 | low);
    return true;
}

/* Decodes into `to`, which holds text.len bytes; *ret_strict tells whether every '%' was good. */
static size_t decode_percent(slice text, uint8_t *to, bool *ret_strict)
{
    size_t len = 0;

    *ret_strict = true;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.ptr[i];

        if (escape_at(text, i, &c))
            i += 2;
        else if (c == '%')
            *ret_strict = false;
        to[len++] = c;
    }
    return len;
}

static slice decode_in_arena(slice text, struct arena *arena, bool *ret_strict)
{
    size_t first;
    uint8_t *to;

    *ret_strict = true;
    if (!slice_find(text, '%', &first))
        return text;
    to = arena_alloc(arena, text.len);
    if (!to)
        return (slice){0};
    return slice_of(to, decode_percent(text, to, ret_strict));
}

bool percent_decode(slice text, struct arena *arena, slice *ret)
{
    bool strict;
    slice decoded = decode_in_arena(text, arena, &strict);

    if (!strict || arena->failed)
        return false;
    *ret = decoded;
    return true;
}

slice percent_decode_lenient(slice text, struct arena *arena)
{
    bool strict;

    return decode_in_arena(text, arena, &strict);
}

bool percent_decode_to(slice text, uint8_t *to, size_t cap, size_t *ret_len)
{
    size_t len = 0;

    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.ptr[i];

        if (escape_at(text, i, &c))
            i += 2;
        else if (c == '%')
            return false;
        if (len == cap)
            return false;
        to[len++] = c;
    }
    *ret_len = len;
    return true;
}

void hex_encode(slice bytes, struct buf *to)
{
    for (size_t i = 0; i < bytes.len; i++) {
        char pair[2] = {hex_lower[bytes.ptr[i] >> 4], hex_lower[bytes.ptr[i] & 15]};

        buf_append(to, slice_of(pair, sizeof pair));
    }
}

bool hex_decode(slice text, uint8_t *to, size_t cap, size_t *ret_len)
{
    if (text.len % 2 != 0 || text.len / 2 > cap)
        return false;
    for (size_t i = 0; i < text.len; i += 2) {
        int high = hex_value(text.ptr[i]), low = hex_value(text.ptr[i + 1]);

        if (high < 0 || low < 0)
            return false;
        to[i / 2] = (uint8_t)(high << 4 | low);
    }
    *ret_len = text.len / 2;
    return true;
}

/* Length of the well-formed sequence at the front of s, 0 when there is none. */
static size_t utf8_sequence(slice s)
{
    static const struct {
        uint8_t first, last, low, high; /* range of the lead byte, range of the second byte */
        size_t len;
    } forms[] = {
        {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
        {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4},
        {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };

    if (s.ptr[0] < 0x80)
        return 1;
    for (size_t i = 0; i < COUNT_OF(forms); i++) {
        if (s.ptr[0] < forms[i].first || s.ptr[0] > forms[i].last)
            continue;
        if (s.len < forms[i].len || s.ptr[1] < forms[i].low || s.ptr[1] > forms[i].high)
            return 0;
        for (size_t k = 2; k < forms[i].len; k++) {
            if ((s.ptr[k] & 0xc0) != 0x80)
                return 0;
        }
        return forms[i].len;
    }
    return 0;
}

bool utf8_valid(slice bytes)
{
    for (size_t i = 0; i < bytes.len;) {
        size_t len = utf8_sequence((slice){bytes.ptr + i, bytes.len - i});

        if (len == 0)
            return false;
        i += len;
    }
    return true;
}
