#include "central/telemetry/template_infer.h"

#include "base/clock.h"
#include "central/telemetry/last_values.h"

#define NAME_MAX_V2 64

struct writing {
    struct json_writer w;
    struct arena *arena;
    struct json *names; /* an object: those that are taken */
    size_t count;
};

/* --- schemas ------------------------------------------------------------------------------------
 */

static bool is_letter(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

/* As the language wants names: letters, digits and inner underscores, a letter first. */
static bool is_name(slice name)
{
    if (name.len == 0 || name.len > NAME_MAX_V2 || !is_letter(name.ptr[0]) ||
        name.ptr[name.len - 1] == '_')
        return false;
    for (size_t i = 0; i < name.len; i++) {
        if (!is_letter(name.ptr[i]) && !is_digit(name.ptr[i]) && name.ptr[i] != '_')
            return false;
    }
    return true;
}

/* Every one of `names` is there, and all members are numbers among `names` and `may`. */
static bool is_of_numbers(const struct json *object, const char *const *names, size_t count,
                          const char *may)
{
    size_t found = 0;

    for (const struct json *m = object->first; m; m = m->next) {
        bool is_known = slice_equal(m->name, slice_str(may));

        for (size_t i = 0; i < count && !is_known; i++) {
            is_known = slice_equal(m->name, slice_str(names[i]));
            found += is_known;
        }
        if (!is_known || m->kind != JSON_NUMBER)
            return false;
    }
    return found == count;
}

static const char *word_of_object(const struct json *object)
{
    static const char *const place[] = {"lat", "lon"}, *const vector[] = {"x", "y", "z"};

    if (is_of_numbers(object, place, COUNT_OF(place), "alt"))
        return "geopoint";
    return is_of_numbers(object, vector, COUNT_OF(vector), "") ? "vector" : NULL;
}

/* A schema that is one word; NULL: there is none. */
static const char *word_of(const struct json *value)
{
    instant ignored;

    switch (value->kind) {
    case JSON_TRUE:
    case JSON_FALSE:
        return "boolean";
    case JSON_NUMBER:
        return "double";
    case JSON_STRING:
        return clock_parse_iso(value->text, &ignored) ? "dateTime" : "string";
    case JSON_OBJECT:
        return word_of_object(value);
    default:
        return NULL;
    }
}

static bool has_field(const struct json *m)
{
    return is_name(m->name) && word_of(m);
}

/* An object of words. False: nothing in it has a type. */
static bool put_object(struct json_writer *w, slice name, const struct json *object)
{
    const struct json *first = object->first;

    while (first && !has_field(first))
        first = first->next;
    if (object->kind != JSON_OBJECT || !first)
        return false;
    json_open(w, name, '{');
    json_put_text(w, SLICE("@type"), SLICE("Object"));
    json_open(w, SLICE("fields"), '[');
    for (const struct json *m = first; m; m = m->next) {
        if (!has_field(m))
            continue;
        json_open(w, (slice){0}, '{');
        json_put_text(w, SLICE("name"), m->name);
        json_put_text(w, SLICE("schema"), slice_str(word_of(m)));
        json_close(w, '}');
    }
    json_close(w, ']');
    json_close(w, '}');
    return true;
}

/* An array of one word. */
static bool put_array(struct json_writer *w, slice name, const struct json *array)
{
    const char *word = array->first ? word_of(array->first) : NULL;

    for (const struct json *e = array->first; e && word; e = e->next) {
        const char *other = word_of(e);

        word = other && strcmp(word, other) == 0 ? word : NULL;
    }
    if (!word)
        return false;
    json_open(w, name, '{');
    json_put_text(w, SLICE("@type"), SLICE("Array"));
    json_put_text(w, SLICE("elementSchema"), slice_str(word));
    json_close(w, '}');
    return true;
}

static bool put_schema(struct json_writer *w, const struct json *value)
{
    const char *word = word_of(value);

    if (word)
        json_put_text(w, SLICE("schema"), slice_str(word));
    return word || (value->kind == JSON_ARRAY ? put_array(w, SLICE("schema"), value)
                                              : put_object(w, SLICE("schema"), value));
}

/* --- contents -----------------------------------------------------------------------------------
 */

/* Or nothing, when it has no place in a model. */
static void put_content(struct writing *to, const char *type, slice name, const struct json *value,
                        bool writable)
{
    struct json_writer before = to->w;
    size_t len = to->w.to->len;

    if (!is_name(name) || json_member(to->names, name))
        return;
    json_open(&to->w, (slice){0}, '{');
    json_put_text(&to->w, SLICE("@type"), slice_str(type));
    json_put_text(&to->w, SLICE("name"), name);
    json_put_text(&to->w, SLICE("displayName"), name);
    if (!put_schema(&to->w, value)) {
        to->w = before;
        to->w.to->len = len;
        return;
    }
    if (writable)
        json_put_bool(&to->w, SLICE("writable"), true);
    json_close(&to->w, '}');
    json_set(to->names, name, json_new(to->arena, JSON_TRUE));
    to->count++;
}

static void put_telemetry(struct writing *to, slice last_values)
{
    struct reader r = {.rest = last_values};
    struct last_value v;

    while (last_values_next(&r, &v)) {
        struct json *value;
        struct fault why;

        if (v.component.len == 0 &&
            json_parse(v.value, JSON_LAST_WINS, to->arena, &value, &why) == ST_OK)
            put_content(to, "Telemetry", v.name, value, false);
    }
}

/* Arrays are for telemetry only. */
static bool on_property(void *context, const struct property *p)
{
    const struct json *value = p->report.value ? p->report.value : p->desired;

    if (p->component.len == 0 && value && value->kind != JSON_ARRAY)
        put_content(context, "Property", p->name, value,
                    p->kind == PROPERTY_WRITABLE || p->report.has_ack);
    return true;
}

enum status template_infer(const struct inference *from, struct arena *arena, struct buf *to,
                           struct fault *why)
{
    struct writing writing = {
        .w = {.to = to}, .arena = arena, .names = json_new(arena, JSON_OBJECT)};
    struct json_writer *w = &writing.w;

    if (!writing.names)
        return fault_set(why, ST_NO_MEMORY, "no memory for a template");
    json_open(w, (slice){0}, '{');
    json_put_raw(w, SLICE("@type"), SLICE("[\"ModelDefinition\",\"DeviceModel\"]"));
    json_put_text(w, SLICE("displayName"), from->display_name);
    json_open(w, SLICE("capabilityModel"), '{');
    json_put_raw(w, SLICE("@context"),
                 SLICE("[\"dtmi:iotcentral:context;2\",\"dtmi:dtdl:context;2\"]"));
    json_put_text(w, SLICE("@id"), from->model_id);
    json_put_text(w, SLICE("@type"), SLICE("Interface"));
    json_put_text(w, SLICE("displayName"), from->display_name);
    json_open(w, SLICE("contents"), '[');
    put_telemetry(&writing, from->last_values);
    if (!property_list(from->model, from->properties, false, arena, on_property, &writing) ||
        arena->failed || to->failed)
        return fault_set(why, ST_NO_MEMORY, "no memory for a template");
    json_close(w, ']');
    json_close(w, '}');
    json_close(w, '}');
    return writing.count > 0 ? ST_OK
                             : fault_set(why, ST_NOT_FOUND,
                                         "the device has sent nothing that a template could be "
                                         "made of");
}
