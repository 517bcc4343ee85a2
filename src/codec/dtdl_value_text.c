/* What dates, durations, numbers and geometries look like. */
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "base/clock.h"
#include "codec/dtdl_value_internal.h"
#include "codec/json_internal.h"

/* --- times ---------------------------------------------------------------------------------- */

#define TIME_TEXT_MAX 48

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

bool dtdl_text_is_date_time(slice text)
{
    instant unused;

    return clock_parse_iso(text, &unused);
}

/* Whether the three together are a date and time. */
static bool make_date_time(slice before, slice text, slice behind)
{
    uint8_t bytes[TIME_TEXT_MAX];
    const slice parts[] = {before, text, behind};
    size_t len = 0;

    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        if (parts[i].len > sizeof bytes - len)
            return false;
        if (parts[i].len > 0)
            memcpy(bytes + len, parts[i].ptr, parts[i].len);
        len += parts[i].len;
    }
    return dtdl_text_is_date_time(slice_of(bytes, len));
}

bool dtdl_text_is_date(slice text)
{
    return text.len == sizeof "2000-01-01" - 1 &&
           make_date_time((slice){0}, text, SLICE("T00:00:00Z"));
}

bool dtdl_text_is_time(slice text)
{
    return make_date_time(SLICE("2000-01-01T"), text, (slice){0}) ||
           make_date_time(SLICE("2000-01-01T"), text, SLICE("Z"));
}

/* Takes "12.5S" off the front; *ret_unit is the letter. A comma is a point in ISO 8601. */
static bool take_amount(slice *text, uint8_t *ret_unit, bool *ret_fraction)
{
    size_t at = 0, whole;

    while (at < text->len && is_digit(text->ptr[at]))
        at++;
    whole = at;
    *ret_fraction = at < text->len && (text->ptr[at] == '.' || text->ptr[at] == ',');
    if (*ret_fraction) {
        at++;
        while (at < text->len && is_digit(text->ptr[at]))
            at++;
    }
    if (whole == 0 || at == text->len || (*ret_fraction && !is_digit(text->ptr[at - 1])))
        return false;
    *ret_unit = text->ptr[at];
    *text = slice_from(*text, at + 1);
    return true;
}

/* Amounts in the order of `units`, each at most once, with a fraction in the last only. */
static bool take_amounts(slice *text, slice units, bool *ret_any)
{
    size_t next = 0, at;
    uint8_t unit;
    bool fraction = false;

    while (text->len > 0 && text->ptr[0] != 'T') {
        if (fraction || !take_amount(text, &unit, &fraction) ||
            !slice_find(slice_from(units, next), unit, &at))
            return false;
        next += at + 1;
        *ret_any = true;
    }
    return !fraction || text->len == 0;
}

bool dtdl_text_is_duration(slice text)
{
    bool has_date = false, has_time = false, has_weeks = false;
    slice weeks;

    if (slice_starts_with(text, SLICE("-")))
        text = slice_from(text, 1);
    if (!slice_starts_with(text, SLICE("P")))
        return false;
    text = weeks = slice_from(text, 1);
    if (take_amounts(&weeks, SLICE("W"), &has_weeks) && has_weeks)
        return weeks.len == 0;
    if (!take_amounts(&text, SLICE("YMD"), &has_date))
        return false;
    if (text.len == 0)
        return has_date;
    text = slice_from(text, 1); /* T */
    return take_amounts(&text, SLICE("HMS"), &has_time) && has_time && text.len == 0;
}

/* --- numbers -------------------------------------------------------------------------------- */

#define NUMBER_TEXT_MAX 64

static bool to_double(slice text, double *ret)
{
    char bytes[NUMBER_TEXT_MAX + 1];

    if (text.len == 0 || text.len > NUMBER_TEXT_MAX)
        return false;
    memcpy(bytes, text.ptr, text.len);
    bytes[text.len] = '\0';
    *ret = strtod(bytes, NULL);
    return true;
}

bool dtdl_text_is_double(slice text)
{
    double number;

    return to_double(text, &number) && isfinite(number);
}

bool dtdl_text_is_float(slice text)
{
    double number;

    return to_double(text, &number) && fabs(number) <= (double)FLT_MAX;
}

/* --- geometries ----------------------------------------------------------------------------- */

struct geometry {
    enum dtdl_schema_kind kind;
    const char *type;
    size_t depth; /* arrays around a number */
    size_t least; /* positions in the innermost array of them */
};

static const struct geometry geometries[] = {
    {DTDL_POINT, "Point", 1, 0},
    {DTDL_MULTI_POINT, "MultiPoint", 2, 0},
    {DTDL_LINE_STRING, "LineString", 2, 2},
    {DTDL_MULTI_LINE_STRING, "MultiLineString", 3, 2},
    {DTDL_POLYGON, "Polygon", 3, 4},
    {DTDL_MULTI_POLYGON, "MultiPolygon", 4, 4},
};

static size_t count_children(const struct json *array)
{
    size_t count = 0;

    for (const struct json *child = array->first; child; child = child->next)
        count++;
    return count;
}

/* Two numbers, and a third for the height. */
static bool is_position(const struct json *value)
{
    size_t count = count_children(value);

    for (const struct json *number = value->first; number; number = number->next) {
        if (number->kind != JSON_NUMBER || !dtdl_text_is_double(number->text))
            return false;
    }
    return count == 2 || count == 3;
}

/* `levels`: of arrays from this one down to a number. */
static bool is_level(const struct geometry *geometry, const struct json *value, size_t levels)
{
    if (value->kind != JSON_ARRAY)
        return false;
    if (levels == 1)
        return is_position(value);
    return levels > 2 || count_children(value) >= geometry->least;
}

static bool coordinates_fit(const struct geometry *geometry, const struct json *coordinates)
{
    struct json_walk walk = {0};
    const struct json *value;

    while ((value = json_walk_next(&walk, coordinates))) {
        if (walk.depth > geometry->depth) /* a number: seen to by its position */
            continue;
        if (!is_level(geometry, value, geometry->depth - walk.depth + 1))
            return false;
    }
    return true;
}

bool dtdl_is_geometry(enum dtdl_schema_kind kind, const struct json *value)
{
    const struct json *coordinates = json_member(value, SLICE("coordinates"));
    slice type = {0};

    for (size_t i = 0; i < COUNT_OF(geometries); i++) {
        if (geometries[i].kind == kind)
            return json_get_text(value, SLICE("type"), &type) &&
                   slice_equal(type, slice_str(geometries[i].type)) && coordinates &&
                   coordinates_fit(&geometries[i], coordinates);
    }
    return false;
}
