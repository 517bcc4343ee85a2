#include "codec/csv_text.h"

#include <inttypes.h>
#include <stdio.h>

#define MARK_MAX 3

static const struct {
    const char *name;
    slice mark;
} encodings[] = {
    [CSV_ENCODING_UNKNOWN] = {"", {0}},
    [CSV_UTF8] = {"UTF-8", {0}},
    [CSV_UTF8_BOM] = {"UTF-8 with BOM", {(const uint8_t *)"\xef\xbb\xbf", 3}},
    [CSV_UTF16_LE] = {"UTF-16 LE", {(const uint8_t *)"\xff\xfe", 2}},
    [CSV_UTF16_BE] = {"UTF-16 BE", {(const uint8_t *)"\xfe\xff", 2}},
};

const char *csv_encoding_name(enum csv_encoding encoding)
{
    return encodings[encoding].name;
}

/* A workbook is what people upload instead of a CSV file: a ZIP archive, which begins like this. */
static bool is_workbook(const struct csv_text *t)
{
    return memcmp(t->start, "PK\x03\x04", sizeof t->start) == 0;
}

static enum status refuse(const struct csv_text *t, uint64_t offset, const char *what,
                          struct fault *why)
{
    if (is_workbook(t))
        return fault_set(why, ST_BAD_REQUEST,
                         "the file is a workbook, not text: save it as CSV (UTF-8)");
    return fault_set(why, ST_BAD_REQUEST,
                     "the file is not %s (%s at byte %" PRIu64 "): save it as CSV (UTF-8)",
                     csv_encoding_name(t->encoding), what, offset + 1);
}

/* --- UTF-8 ---------------------------------------------------------------------------------- */

/* What a first byte says of the character: how many bytes follow it, and the range of the next. It
 * leaves out overlong forms, surrogates, and what lies beyond U+10FFFF (RFC 3629, 4). */
static const struct lead {
    uint8_t first, last;
    uint8_t missing, low, high;
} leads[] = {
    {0x01, 0x7f, 0, 0, 0},       {0xc2, 0xdf, 1, 0x80, 0xbf}, {0xe0, 0xe0, 2, 0xa0, 0xbf},
    {0xe1, 0xec, 2, 0x80, 0xbf}, {0xed, 0xed, 2, 0x80, 0x9f}, {0xee, 0xef, 2, 0x80, 0xbf},
    {0xf0, 0xf0, 3, 0x90, 0xbf}, {0xf1, 0xf3, 3, 0x80, 0xbf}, {0xf4, 0xf4, 3, 0x80, 0x8f},
};

static bool take_lead(struct csv_text *t, uint8_t byte)
{
    for (size_t i = 0; i < COUNT_OF(leads); i++) {
        if (byte >= leads[i].first && byte <= leads[i].last) {
            t->missing = leads[i].missing;
            t->low = leads[i].low;
            t->high = leads[i].high;
            return true;
        }
    }
    return false;
}

static bool take_byte(struct csv_text *t, uint8_t byte)
{
    if (t->missing == 0)
        return take_lead(t, byte);
    if (byte < t->low || byte > t->high)
        return false;
    t->missing--;
    t->low = 0x80;
    t->high = 0xbf;
    return true;
}

/* How many bytes from `at` on, in steps of eight, are ASCII and not NUL. */
static size_t plain_run(slice bytes, size_t at)
{
    const uint64_t ones = 0x0101010101010101u, tops = 0x8080808080808080u;
    size_t begin = at;

    for (; at + sizeof(uint64_t) <= bytes.len; at += sizeof(uint64_t)) {
        uint64_t word;

        memcpy(&word, bytes.ptr + at, sizeof word);
        if ((word | (word - ones)) & tops) /* a byte above 0x7f, or a borrow from a NUL */
            break;
    }
    return at - begin;
}

static size_t utf8_prefix(struct csv_text *t, slice bytes)
{
    size_t at = 0;

    while (at < bytes.len) {
        size_t run = t->missing == 0 ? plain_run(bytes, at) : 0;

        at += run;
        if (run > 0)
            continue;
        if (!take_byte(t, bytes.ptr[at]))
            break;
        at++;
    }
    return at;
}

static enum status feed_utf8(struct csv_text *t, slice bytes, struct buf *to, struct fault *why)
{
    size_t good = utf8_prefix(t, bytes);
    char what[32] = "NUL";

    buf_append(to, slice_first(bytes, good));
    if (good < bytes.len && bytes.ptr[good] != 0)
        snprintf(what, sizeof what, "0x%02X", bytes.ptr[good]);
    if (good < bytes.len)
        return refuse(t, t->offset + good, what, why);
    t->offset += bytes.len;
    return ST_OK;
}

/* --- UTF-16 --------------------------------------------------------------------------------- */

static size_t utf8_write(uint32_t point, uint8_t *to)
{
    if (point < 0x80) {
        to[0] = (uint8_t)point;
        return 1;
    }
    if (point < 0x800) {
        to[0] = (uint8_t)(0xc0 | point >> 6);
        to[1] = (uint8_t)(0x80 | (point & 0x3f));
        return 2;
    }
    if (point < 0x10000) {
        to[0] = (uint8_t)(0xe0 | point >> 12);
        to[1] = (uint8_t)(0x80 | (point >> 6 & 0x3f));
        to[2] = (uint8_t)(0x80 | (point & 0x3f));
        return 3;
    }
    to[0] = (uint8_t)(0xf0 | point >> 18);
    to[1] = (uint8_t)(0x80 | (point >> 12 & 0x3f));
    to[2] = (uint8_t)(0x80 | (point >> 6 & 0x3f));
    to[3] = (uint8_t)(0x80 | (point & 0x3f));
    return 4;
}

/* Takes one 16-bit unit, writes what it completes; NULL, or what is wrong with it. */
static const char *take_unit(struct csv_text *t, uint16_t unit, uint8_t *to, size_t *len)
{
    bool is_high = unit >= 0xd800 && unit <= 0xdbff;
    bool is_low = unit >= 0xdc00 && unit <= 0xdfff;

    if (unit == 0)
        return "NUL";
    if (is_low != (t->surrogate != 0))
        return "half a character";
    if (is_high) {
        t->surrogate = unit;
        return NULL;
    }
    if (is_low)
        *len += utf8_write(
            0x10000 + ((uint32_t)(t->surrogate - 0xd800) << 10 | (uint32_t)(unit - 0xdc00)),
            to + *len);
    else
        *len += utf8_write(unit, to + *len);
    t->surrogate = 0;
    return NULL;
}

static uint16_t unit_of(const struct csv_text *t, uint8_t first, uint8_t second)
{
    if (t->encoding == CSV_UTF16_LE)
        return (uint16_t)(second << 8 | first);
    return (uint16_t)(first << 8 | second);
}

static enum status feed_utf16(struct csv_text *t, slice bytes, struct buf *to, struct fault *why)
{
    uint8_t *room = buf_room(to, CSV_TEXT_ROOM(bytes.len));
    const char *wrong = NULL;
    size_t len = 0;

    if (!room)
        return ST_NO_MEMORY;
    for (size_t i = 0; i < bytes.len && !wrong; i++) {
        t->offset++;
        if (t->has_half)
            wrong = take_unit(t, unit_of(t, t->half, bytes.ptr[i]), room, &len);
        t->half = bytes.ptr[i];
        t->has_half = !t->has_half;
    }
    buf_grew(to, len);
    return wrong ? refuse(t, t->offset - 2, wrong, why) : ST_OK;
}

/* --- the whole ------------------------------------------------------------------------------ */

/* Which mark the first bytes are, as soon as they can be told from every other. */
static enum csv_encoding encoding_of(slice start, bool at_end)
{
    bool may_grow = false;

    for (enum csv_encoding e = CSV_UTF8_BOM; e <= CSV_UTF16_BE; e++) {
        if (slice_starts_with(start, encodings[e].mark))
            return e;
        may_grow = may_grow || slice_starts_with(encodings[e].mark, start);
    }
    return may_grow && !at_end ? CSV_ENCODING_UNKNOWN : CSV_UTF8;
}

static enum status feed_text(struct csv_text *t, slice bytes, struct buf *to, struct fault *why)
{
    enum status status = t->encoding == CSV_UTF16_LE || t->encoding == CSV_UTF16_BE
                             ? feed_utf16(t, bytes, to, why)
                             : feed_utf8(t, bytes, to, why);

    return status == ST_OK && to->failed ? ST_NO_MEMORY : status;
}

/* The first bytes are kept until the mark is known; then they are text like the rest, but for the
 * mark. */
static enum status begin_text(struct csv_text *t, bool at_end, struct buf *to, struct fault *why)
{
    slice start = slice_of(t->start, (size_t)t->offset);
    size_t mark;

    t->encoding = encoding_of(start, at_end);
    if (t->encoding == CSV_ENCODING_UNKNOWN)
        return ST_OK;
    mark = encodings[t->encoding].mark.len;
    t->offset = mark;
    return feed_text(t, slice_from(start, mark), to, why);
}

static void remember_start(struct csv_text *t, slice bytes)
{
    for (size_t i = 0; i < bytes.len && t->offset + i < sizeof t->start; i++)
        t->start[t->offset + i] = bytes.ptr[i];
}

enum status csv_text_feed(struct csv_text *t, slice bytes, struct buf *to, struct fault *why)
{
    enum status status = ST_OK;

    remember_start(t, bytes);
    while (t->encoding == CSV_ENCODING_UNKNOWN && bytes.len > 0 && status == ST_OK) {
        t->offset++;
        bytes = slice_from(bytes, 1);
        status = begin_text(t, false, to, why);
    }
    if (status != ST_OK || bytes.len == 0)
        return status;
    return feed_text(t, bytes, to, why);
}

enum status csv_text_finish(struct csv_text *t, struct buf *to, struct fault *why)
{
    enum status status = ST_OK;

    if (t->encoding == CSV_ENCODING_UNKNOWN)
        status = begin_text(t, true, to, why);
    if (status == ST_OK && (t->missing > 0 || t->has_half || t->surrogate != 0))
        return refuse(t, t->offset, "half a character", why);
    return status;
}
