/* Whole bodies: telemetry, reported properties, acknowledgements, answers to commands. */
#include "codec/dtdl_sample.h"

#define EVENT_STEPS 12 /* an event comes about once in so many samples */

/* --- telemetry -------------------------------------------------------------------------------- */

/* What a device says that nobody made a template for. */
static void put_generic(const struct dtdl_sample *s, struct json_writer *w)
{
    static const struct dtdl_schema number = {.kind = DTDL_DOUBLE};
    static const char *const semantics[] = {"Temperature", "RelativeHumidity"};
    static const char *const names[] = {"temperature", "humidity"};

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        const struct dtdl_typed typed = {
            .schema = &number, .semantic = dtdl_semantic_find(slice_str(semantics[i]), DTDL_V2)};

        dtdl_sample_value(s, &typed, slice_str(names[i]), w);
    }
}

static bool is_due(const struct dtdl_sample *s, const struct dtdl_content *content)
{
    const struct dtdl_element *element = &content->typed.element;

    if (content->kind != DTDL_TELEMETRY || dtdl_name_is_reserved(element->name))
        return false;
    return !(element->markers & DTDL_EVENT) ||
           dtdl_sample_hash(s->seed ^ slice_hash(element->name), s->step) % EVENT_STEPS == 0;
}

bool dtdl_sample_telemetry(const struct dtdl_sample *s, const struct dtdl_interface *interface,
                           struct buf *to)
{
    struct json_writer w = {.to = to};
    size_t empty, begin = to->len;

    json_open(&w, (slice){0}, '{');
    empty = to->len;
    if (!interface)
        put_generic(s, &w);
    for (size_t i = 0; interface && i < interface->all_count; i++) {
        const struct dtdl_content *content = interface->all[i];

        if (is_due(s, content))
            dtdl_sample_value(s, &content->typed, content->typed.element.name, &w);
    }
    if (to->len == empty && !to->failed) {
        to->len = begin;
        return false;
    }
    json_close(&w, '}');
    return true;
}

/* --- properties ------------------------------------------------------------------------------- */

static bool is_device_property(const struct dtdl_content *content)
{
    return content->kind == DTDL_PROPERTY && !(content->typed.element.markers & DTDL_CLOUD);
}

static void put_property(const struct dtdl_sample *s, const struct dtdl_content *content,
                         struct json_writer *w)
{
    slice name = content->typed.element.name;
    struct dtdl_sample own = dtdl_sample_of_part(s, name);

    if (!content->writable) {
        dtdl_sample_value(&own, &content->typed, name, w);
        return;
    }
    json_open(w, name, '{');
    dtdl_sample_value(&own, &content->typed, SLICE("value"), w);
    json_put_int(w, SLICE("ac"), 203); /* set by the device itself */
    json_put_int(w, SLICE("av"), 0);
    json_close(w, '}');
}

static void put_properties(const struct dtdl_sample *s, const struct dtdl_interface *interface,
                           struct json_writer *w)
{
    for (size_t i = 0; i < interface->all_count; i++) {
        if (is_device_property(interface->all[i]))
            put_property(s, interface->all[i], w);
    }
}

void dtdl_sample_properties(const struct dtdl_sample *s, const struct dtdl_interface *root,
                            struct buf *to)
{
    struct json_writer w = {.to = to};

    json_open(&w, (slice){0}, '{');
    put_properties(s, root, &w);
    for (size_t i = 0; i < root->all_count; i++) {
        const struct dtdl_content *content = root->all[i];
        struct dtdl_sample part = dtdl_sample_of_part(s, content->typed.element.name);

        if (content->kind != DTDL_COMPONENT || !content->interface)
            continue;
        json_open(&w, content->typed.element.name, '{');
        json_put_text(&w, SLICE("__t"), SLICE("c"));
        put_properties(&part, content->interface, &w);
        json_close(&w, '}');
    }
    json_close(&w, '}');
}

/* --- acknowledgements ------------------------------------------------------------------------- */

static bool is_marked(const struct json *desired)
{
    slice mark;

    return json_get_text(desired, SLICE("__t"), &mark) && slice_equal(mark, SLICE("c"));
}

static bool is_component(const struct dtdl_interface *root, const struct json *desired)
{
    const struct dtdl_content *content = root ? dtdl_content_find(root, desired->name) : NULL;

    if (desired->kind != JSON_OBJECT)
        return false;
    return content ? content->kind == DTDL_COMPONENT : is_marked(desired);
}

/* What is taken away, and what only says what kind of thing it is, wants no answer. */
static bool wants_answer(const struct json *desired)
{
    return desired->kind != JSON_NULL && !slice_starts_with(desired->name, SLICE("$")) &&
           !slice_equal(desired->name, SLICE("__t"));
}

static bool asks_for_something(const struct json *section)
{
    for (const struct json *d = section->first; d; d = d->next) {
        if (wants_answer(d))
            return true;
    }
    return false;
}

static void put_answer(const struct json *desired, int64_t version, struct json_writer *w)
{
    json_open(w, desired->name, '{');
    json_put_raw(w, SLICE("value"), desired->raw);
    json_put_int(w, SLICE("ac"), 200);
    json_put_int(w, SLICE("av"), version);
    json_close(w, '}');
}

static void put_component_answer(const struct json *section, int64_t version, struct json_writer *w)
{
    json_open(w, section->name, '{');
    json_put_text(w, SLICE("__t"), SLICE("c"));
    for (const struct json *d = section->first; d; d = d->next) {
        if (wants_answer(d))
            put_answer(d, version, w);
    }
    json_close(w, '}');
}

bool dtdl_sample_acknowledge(const struct dtdl_interface *root, const struct json *desired,
                             struct buf *to)
{
    struct json_writer w = {.to = to};
    size_t begin = to->len, empty;
    int64_t version;

    if (!json_get_int(desired, SLICE("$version"), &version))
        return false;
    json_open(&w, (slice){0}, '{');
    empty = to->len;
    for (const struct json *d = desired->first; d; d = d->next) {
        if (!wants_answer(d))
            continue;
        if (!is_component(root, d))
            put_answer(d, version, &w);
        else if (asks_for_something(d))
            put_component_answer(d, version, &w);
    }
    if (to->len == empty && !to->failed) {
        to->len = begin;
        return false;
    }
    json_close(&w, '}');
    return true;
}

/* --- commands --------------------------------------------------------------------------------- */

static const struct dtdl_content *command_of(const struct dtdl_interface *root, slice method)
{
    const struct dtdl_interface *interface = root;
    const struct dtdl_content *content;
    size_t star;

    if (root && slice_find(method, '*', &star)) {
        content = dtdl_content_find(root, slice_first(method, star));
        interface = content && content->kind == DTDL_COMPONENT ? content->interface : NULL;
        method = slice_from(method, star + 1);
    }
    content = interface ? dtdl_content_find(interface, method) : NULL;
    return content && content->kind == DTDL_COMMAND ? content : NULL;
}

void dtdl_sample_response(const struct dtdl_sample *s, const struct dtdl_interface *root,
                          slice method, struct buf *to)
{
    const struct dtdl_content *command = command_of(root, method);
    struct json_writer w = {.to = to};
    size_t begin = to->len;

    if (command && command->response)
        dtdl_sample_value(s, command->response, (slice){0}, &w);
    if (to->len == begin && !to->failed)
        buf_append_str(to, "{}");
}
