#include "crypto/der_write.h"

#include <time.h>

#define SHORT_LENGTH_MAX 0x7f
#define LENGTH_MAX 0xffff

size_t der_open(struct buf *to, unsigned tag)
{
    buf_append_byte(to, (uint8_t)tag);
    buf_append_byte(to, 0); /* the length, once known */
    return to->len;
}

/* Makes room for the bytes of a long length, in front of the contents. */
static bool widen(struct buf *to, size_t contents, size_t by)
{
    size_t len = to->len - contents;

    if (!buf_room(to, by))
        return false;
    memmove(to->ptr + contents + by, to->ptr + contents, len);
    buf_grew(to, by);
    return true;
}

void der_close(struct buf *to, size_t contents)
{
    size_t len, wide;

    if (to->failed)
        return;
    len = to->len - contents;
    wide = len <= SHORT_LENGTH_MAX ? 0 : len <= 0xff ? 1 : 2;
    if (len > LENGTH_MAX || (wide > 0 && !widen(to, contents, wide))) {
        to->failed = true;
        return;
    }
    to->ptr[contents - 1] = (uint8_t)(wide == 0 ? len : 0x80 | wide);
    for (size_t i = 0; i < wide; i++)
        to->ptr[contents + i] = (uint8_t)(len >> 8 * (wide - 1 - i));
}

void der_append(struct buf *to, unsigned tag, slice contents)
{
    size_t value = der_open(to, tag);

    buf_append(to, contents);
    der_close(to, value);
}

void der_append_bits(struct buf *to, slice bytes)
{
    size_t bits = der_open(to, DER_BIT_STRING);

    buf_append_byte(to, 0); /* unused ones in the last byte */
    buf_append(to, bytes);
    der_close(to, bits);
}

static void append_two_digits(struct buf *to, int number)
{
    const uint8_t digits[] = {(uint8_t)('0' + number / 10 % 10), (uint8_t)('0' + number % 10)};

    buf_append(to, slice_of(digits, sizeof digits));
}

void der_append_time(struct buf *to, instant at)
{
    time_t seconds = (time_t)(at / 1000);
    size_t time;
    struct tm t;
    int year;

    if (!gmtime_r(&seconds, &t) || t.tm_year < 1950 - 1900 || t.tm_year >= 10000 - 1900) {
        to->failed = true;
        return;
    }
    year = t.tm_year + 1900;
    time = der_open(to, year < 2050 ? DER_UTC_TIME : DER_GENERALIZED_TIME);
    if (year >= 2050)
        append_two_digits(to, year / 100);
    const int parts[] = {year % 100, t.tm_mon + 1, t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec};
    for (size_t i = 0; i < COUNT_OF(parts); i++)
        append_two_digits(to, parts[i]);
    buf_append_byte(to, 'Z');
    der_close(to, time);
}
