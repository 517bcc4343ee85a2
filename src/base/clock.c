#include "base/clock.h"

#include <stdio.h>
#include <time.h>

#include "base/reader.h"

static int64_t read_clock_us(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t clock_mono_ms(void)
{
    return read_clock_us(CLOCK_MONOTONIC) / 1000;
}

int64_t clock_mono_us(void)
{
    return read_clock_us(CLOCK_MONOTONIC);
}

instant clock_wall_ms(void)
{
    return read_clock_us(CLOCK_REALTIME) / 1000;
}

static struct tm split(instant at, int *ret_ms)
{
    time_t seconds = (time_t)(at / 1000);
    int ms = (int)(at % 1000);
    struct tm tm = {0};

    if (ms < 0) {
        ms += 1000;
        seconds--;
    }
    gmtime_r(&seconds, &tm);
    *ret_ms = ms;
    return tm;
}

slice clock_iso(instant at, char buffer[CLOCK_TEXT_MAX])
{
    int ms;
    struct tm tm = split(at, &ms);
    int len = snprintf(buffer, CLOCK_TEXT_MAX, "%04d-%02d-%02dT%02d:%02d:%02d.%03d0000Z",
                       (tm.tm_year + 1900) % 10000, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
                       tm.tm_min, tm.tm_sec, ms);

    return slice_of(buffer, (size_t)len);
}

slice clock_http_date(instant at, char buffer[CLOCK_TEXT_MAX])
{
    int ms;
    struct tm tm = split(at, &ms);

    return slice_of(buffer, strftime(buffer, CLOCK_TEXT_MAX, "%a, %d %b %Y %H:%M:%S GMT", &tm));
}

static bool read_number(struct reader *r, size_t digits, int *ret)
{
    uint64_t value;

    if (!slice_to_u64(read_bytes(r, digits), &value))
        return false;
    *ret = (int)value;
    return true;
}

static bool read_sign(struct reader *r, uint8_t sign)
{
    return read_u8(r) == sign && !r->short_read;
}

/* ".123456": any count of digits up to nine; what is finer than a millisecond is dropped. */
static bool read_fraction(struct reader *r, int *ret_ms)
{
    int ms = 0, scale = 100, digits = 0;

    *ret_ms = 0;
    if (r->rest.len == 0 || r->rest.ptr[0] != '.')
        return true;
    read_u8(r);
    while (r->rest.len > 0 && r->rest.ptr[0] >= '0' && r->rest.ptr[0] <= '9') {
        ms += (read_u8(r) - '0') * scale;
        scale /= 10;
        digits++;
    }
    *ret_ms = ms;
    return digits >= 1 && digits <= 9;
}

static bool read_offset(struct reader *r, int *ret_minutes)
{
    uint8_t sign = read_u8(r);
    int hours, minutes;

    *ret_minutes = 0;
    if (sign == 'Z' || sign == 'z')
        return true;
    if (sign != '+' && sign != '-')
        return false;
    if (!read_number(r, 2, &hours) || !read_sign(r, ':') || !read_number(r, 2, &minutes))
        return false;
    *ret_minutes = (hours * 60 + minutes) * (sign == '-' ? -1 : 1);
    return hours <= 23 && minutes <= 59;
}

bool clock_parse_iso(slice text, instant *ret)
{
    struct reader r = {.rest = text};
    struct tm tm = {0}, again;
    int ms, offset;
    time_t seconds;

    if (!read_number(&r, 4, &tm.tm_year) || !read_sign(&r, '-') ||
        !read_number(&r, 2, &tm.tm_mon) || !read_sign(&r, '-') || !read_number(&r, 2, &tm.tm_mday))
        return false;
    if (!read_sign(&r, 'T') || !read_number(&r, 2, &tm.tm_hour) || !read_sign(&r, ':') ||
        !read_number(&r, 2, &tm.tm_min) || !read_sign(&r, ':') || !read_number(&r, 2, &tm.tm_sec))
        return false;
    if (!read_fraction(&r, &ms) || !read_offset(&r, &offset) || r.rest.len > 0)
        return false;
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    if (tm.tm_hour > 23 || tm.tm_min > 59 || tm.tm_sec > 59)
        return false;
    again = tm;
    seconds = timegm(&again);
    if (again.tm_mday != tm.tm_mday || again.tm_mon != tm.tm_mon) /* 31 February */
        return false;
    *ret = ((int64_t)seconds - (int64_t)offset * 60) * 1000 + ms;
    return true;
}
