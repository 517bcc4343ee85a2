/* Single values: numbers that wander, and the walk through schemas that hold others. */
#include "codec/dtdl_sample.h"

#include <stdlib.h>

#define NUMBER_TEXT_MAX 64
#define ELEMENTS 2 /* of an array or a map */
#define DECIMALS_DEFAULT 2
#define DECIMALS_MAX 9
#define NUMBER_MAX 1e30 /* beyond which nothing is plausible, and sums are infinite */

/* --- what looks random ------------------------------------------------------------------------ */

/* The finalizer of SplitMix64: all bits of the result depend on all of the input. */
uint64_t dtdl_sample_hash(uint64_t a, uint64_t b)
{
    uint64_t x = a + 0x9e3779b97f4a7c15 * (b + 1);

    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
    x = (x ^ x >> 27) * 0x94d049bb133111eb;
    return x ^ x >> 31;
}

uint64_t dtdl_sample_seed(uint64_t fleet, slice device_id)
{
    return dtdl_sample_hash(fleet, slice_hash(device_id));
}

struct dtdl_sample dtdl_sample_of_part(const struct dtdl_sample *s, slice name)
{
    struct dtdl_sample part = *s;

    part.seed = dtdl_sample_hash(s->seed, slice_hash(name));
    return part;
}

/* 0 up to 1. */
static double fraction(uint64_t hash)
{
    return (double)(hash >> 11) / (double)(UINT64_C(1) << 53);
}

/* 0 up to 1: up and down in 20 to 120 steps, with a little noise. */
static double wave(const struct dtdl_sample *s, uint64_t key)
{
    uint64_t hash = dtdl_sample_hash(s->seed, key);
    uint64_t period = 20 + hash % 101;
    double phase = fraction(dtdl_sample_hash(hash, 1));
    double at = (double)(s->step % period) / (double)period + phase;
    double noise = fraction(dtdl_sample_hash(hash, s->step + 2));

    at = at < 1 ? at : at - 1;
    return 0.9 * (at < 0.5 ? 2 * at : 2 - 2 * at) + 0.1 * noise;
}

/* The same for `steps` steps, then perhaps another. */
static uint64_t choice(const struct dtdl_sample *s, uint64_t key, uint64_t steps)
{
    return dtdl_sample_hash(dtdl_sample_hash(s->seed, key), s->step / steps);
}

/* --- numbers ---------------------------------------------------------------------------------- */

struct range {
    double low, high;
    int decimals;
};

/* What is plausible for a quantity in a unit; an empty unit stands for the others. */
static const struct quantity {
    const char *semantic, *unit;
    double low, high;
} quantities[] = {
    {"Temperature", "degreeFahrenheit", 59, 86},
    {"Temperature", "kelvin", 288, 303},
    {"Temperature", "", 15, 30},
    {"Humidity", "", 4, 14},
    {"RelativeHumidity", "unity", 0.3, 0.7},
    {"RelativeHumidity", "", 30, 70},
    {"Pressure", "bar", 0.95, 1.05},
    {"Pressure", "kilopascal", 95, 105},
    {"Pressure", "millibar", 950, 1050},
    {"Pressure", "pascal", 95000, 105000},
    {"Latitude", "", 46.9, 47.1},
    {"Longitude", "", 7.3, 7.6},
    {"Voltage", "volt", 220, 240},
    {"Current", "", 0, 10},
    {"Power", "watt", 50, 2000},
    {"Frequency", "hertz", 49.9, 50.1},
    {"Velocity", "", 0, 25},
    {"Angle", "degreeOfArc", 0, 360},
};

static double clamp(double value, double least, double most)
{
    return value < least ? least : value > most ? most : value;
}

static double to_double(const struct json *number)
{
    char text[NUMBER_TEXT_MAX + 1] = {0};

    memcpy(text, number->text.ptr, slice_first(number->text, NUMBER_TEXT_MAX).len);
    return clamp(strtod(text, NULL), -NUMBER_MAX, NUMBER_MAX);
}

/* What an editor of models wrote beside it comes before what we think. */
static void narrow(const struct dtdl_element *element, struct range *range)
{
    const struct json *low = dtdl_extra_find(element, SLICE("minValue"));
    const struct json *high = dtdl_extra_find(element, SLICE("maxValue"));
    const struct json *decimals = dtdl_extra_find(element, SLICE("decimalPlaces"));
    int64_t count;

    if (low && low->kind == JSON_NUMBER)
        range->low = to_double(low);
    if (high && high->kind == JSON_NUMBER)
        range->high = to_double(high);
    if (range->high < range->low)
        range->high = range->low;
    if (json_to_int(decimals, &count) && count >= 0 && count <= DECIMALS_MAX)
        range->decimals = (int)count;
}

static struct range range_of(const struct dtdl_typed *typed)
{
    struct range range = {0, 100, DECIMALS_DEFAULT};

    for (size_t i = 0; typed->semantic && i < COUNT_OF(quantities); i++) {
        const struct quantity *q = &quantities[i];

        if (strcmp(typed->semantic->name, q->semantic) != 0 ||
            (q->unit[0] && !slice_equal(typed->unit, slice_str(q->unit))))
            continue;
        range.low = q->low;
        range.high = q->high;
        break;
    }
    narrow(&typed->element, &range);
    return range;
}

static double number_in(const struct dtdl_sample *s, const struct range *range, uint64_t key)
{
    return range->low + (range->high - range->low) * wave(s, key);
}

/* --- values without others in them ------------------------------------------------------------ */

/* A leaf on its way into the text. */
struct leaf {
    const struct dtdl_sample *s;
    const struct dtdl_typed *typed;
    slice name;
    uint64_t key;
    struct json_writer *w;
};

static void put_real(const struct leaf *l, double most)
{
    BUF_CLEANUP struct buf text = {.max = 512};
    struct range range = range_of(l->typed);

    buf_printf(&text, "%.*f", range.decimals, clamp(number_in(l->s, &range, l->key), -most, most));
    json_put_raw(l->w, l->name, buf_slice(&text));
}

static void put_whole(const struct leaf *l, int64_t most)
{
    struct range range = range_of(l->typed);

    json_put_int(l->w, l->name,
                 (int64_t)clamp(number_in(l->s, &range, l->key), (double)-most, (double)most));
}

static void put_string(const struct leaf *l)
{
    char text[16];
    uint64_t hash = choice(l->s, l->key, 10);

    for (size_t i = 0; i < 8; i++, hash >>= 4)
        text[i] = "0123456789ABCDEF"[hash & 15];
    json_put_text(l->w, l->name, slice_of(text, 8));
}

static void put_time(const struct leaf *l, size_t first, size_t len)
{
    char text[CLOCK_TEXT_MAX];

    json_put_text(l->w, l->name, slice_first(slice_from(clock_iso(l->s->at, text), first), len));
}

static void put_duration(const struct leaf *l)
{
    char text[32];
    BUF_CLEANUP struct buf to = {.max = sizeof text};

    buf_printf(&to, "PT%uS", (unsigned)(choice(l->s, l->key, 1) % 3600));
    json_put_text(l->w, l->name, buf_slice(&to));
}

/* Shapes around one place: P stands for a position, Q for another. */
static const char *const shapes[] = {
    [DTDL_POINT] = "{\"type\":\"Point\",\"coordinates\":P}",
    [DTDL_MULTI_POINT] = "{\"type\":\"MultiPoint\",\"coordinates\":[P,Q]}",
    [DTDL_LINE_STRING] = "{\"type\":\"LineString\",\"coordinates\":[P,Q]}",
    [DTDL_MULTI_LINE_STRING] = "{\"type\":\"MultiLineString\",\"coordinates\":[[P,Q]]}",
    [DTDL_POLYGON] = "{\"type\":\"Polygon\",\"coordinates\":[[P,Q,R,P]]}",
    [DTDL_MULTI_POLYGON] = "{\"type\":\"MultiPolygon\",\"coordinates\":[[[P,Q,R,P]]]}",
    [DTDL_GEOPOINT] = "{\"lat\":B,\"lon\":L,\"alt\":A}",
    [DTDL_VECTOR] = "{\"x\":X,\"y\":Y,\"z\":Z}",
};

/* A capital letter of a shape as numbers; anything else is as it is. */
static void put_letter(const struct leaf *l, char letter, struct buf *to)
{
    double east = 7.3 + 0.3 * wave(l->s, l->key), north = 46.9 + 0.2 * wave(l->s, l->key + 1);
    double up = wave(l->s, l->key + 2);

    switch (letter) {
    case 'P':
        buf_printf(to, "[%.5f,%.5f]", east, north);
        break;
    case 'Q':
        buf_printf(to, "[%.5f,%.5f]", east + 0.01, north);
        break;
    case 'R':
        buf_printf(to, "[%.5f,%.5f]", east + 0.01, north + 0.01);
        break;
    case 'B':
        buf_printf(to, "%.5f", north);
        break;
    case 'L':
        buf_printf(to, "%.5f", east);
        break;
    case 'A':
        buf_printf(to, "%.1f", 400 + 200 * up);
        break;
    default: /* X, Y, Z */
        buf_printf(to, "%.3f", 2 * wave(l->s, l->key + (uint64_t)(letter - 'X')) - 1);
    }
}

static void put_shape(const struct leaf *l)
{
    BUF_CLEANUP struct buf text = {.max = 512};
    bool in_name = false;

    for (const char *c = shapes[l->typed->schema->kind]; *c; c++) {
        in_name = in_name != (*c == '"');
        if (!in_name && *c >= 'A' && *c <= 'Z')
            put_letter(l, *c, &text);
        else
            buf_append_byte(&text, (uint8_t)*c);
    }
    json_put_raw(l->w, l->name, buf_slice(&text));
}

static void put_enum(const struct leaf *l)
{
    const struct dtdl_schema *schema = l->typed->schema;

    if (schema->value_count > 0)
        json_put_raw(l->w, l->name,
                     schema->values[choice(l->s, l->key, 8) % schema->value_count].value->raw);
}

static void put_leaf(const struct leaf *l)
{
    switch (l->typed->schema->kind) {
    case DTDL_BOOLEAN:
        json_put_bool(l->w, l->name, choice(l->s, l->key, 10) & 1);
        break;
    case DTDL_DATE:
        put_time(l, 0, 10);
        break;
    case DTDL_DATE_TIME:
        put_time(l, 0, CLOCK_TEXT_MAX);
        break;
    case DTDL_TIME:
        put_time(l, 11, 8);
        break;
    case DTDL_DURATION:
        put_duration(l);
        break;
    case DTDL_DOUBLE:
    case DTDL_FLOAT:
        put_real(l, NUMBER_MAX);
        break;
    case DTDL_INTEGER:
        put_whole(l, INT32_MAX);
        break;
    case DTDL_LONG:
        put_whole(l, INT64_C(1) << 53);
        break;
    case DTDL_STRING:
        put_string(l);
        break;
    case DTDL_ENUM:
        put_enum(l);
        break;
    case DTDL_OPAQUE:
        json_put_int(l->w, l->name, 0);
        break;
    default:
        put_shape(l);
    }
}

/* --- the walk --------------------------------------------------------------------------------- */

/* A container that is open, and which of its children is next. */
struct level {
    const struct dtdl_schema *schema;
    size_t next, count;
    uint64_t key;
};

static bool is_container(const struct dtdl_schema *schema)
{
    return schema->kind == DTDL_ARRAY || schema->kind == DTDL_MAP || schema->kind == DTDL_OBJECT;
}

static char bracket_of(const struct dtdl_schema *schema, bool closing)
{
    if (schema->kind == DTDL_ARRAY)
        return closing ? ']' : '[';
    return closing ? '}' : '{';
}

static struct level level_of(const struct dtdl_schema *schema, uint64_t key)
{
    size_t count = schema->kind == DTDL_OBJECT ? schema->part_count : ELEMENTS;

    return (struct level){.schema = schema, .count = count, .key = key};
}

static slice child_name(const struct level *level, const struct dtdl_typed *part)
{
    static const uint8_t map_keys[ELEMENTS] = {'a', 'b'};

    if (level->schema->kind == DTDL_OBJECT)
        return part->element.name;
    return level->schema->kind == DTDL_MAP ? slice_of(&map_keys[level->next], 1) : (slice){0};
}

void dtdl_sample_value(const struct dtdl_sample *s, const struct dtdl_typed *typed, slice name,
                       struct json_writer *w)
{
    struct level levels[DTDL_SCHEMA_DEPTH_MAX + 1];
    struct leaf l = {.s = s, .typed = typed, .name = name, .key = slice_hash(name), .w = w};
    size_t depth = 0;

    for (;;) {
        struct level *top;

        if (!is_container(l.typed->schema)) {
            put_leaf(&l);
        } else if (depth < COUNT_OF(levels)) { /* a model without errors nests no deeper */
            json_open(w, l.name, bracket_of(l.typed->schema, false));
            levels[depth++] = level_of(l.typed->schema, l.key);
        }
        while (depth > 0 && levels[depth - 1].next == levels[depth - 1].count)
            json_close(w, bracket_of(levels[--depth].schema, true));
        if (depth == 0 || w->to->failed)
            return;
        top = &levels[depth - 1];
        l.typed =
            top->schema->kind == DTDL_OBJECT ? &top->schema->parts[top->next] : top->schema->parts;
        l.name = child_name(top, l.typed);
        l.key = dtdl_sample_hash(top->key, top->next++);
    }
}
