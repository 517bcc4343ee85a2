/* A document, a NUL, and a second one: read as a model, as a value, or both. */
#include <assert.h>

#include "codec/dtdl_change.h"
#include "codec/dtdl_sample.h"
#include "codec/dtdl_value.h"
#include "codec/json_internal.h"

#define ARENA_MAX ((size_t)256 << 20)

static const struct dtdl_model *read_model(const struct json *document, struct arena *arena)
{
    struct dtdl_report report;
    struct dtdl_model *model = NULL;
    struct fault why;
    enum status status = dtdl_read(document, arena, &report, &model, &why);

    assert(status == ST_OK || status == ST_BAD_REQUEST || status == ST_NO_MEMORY);
    assert((status == ST_BAD_REQUEST) == (report.errors.count > 0) || status == ST_NO_MEMORY);
    assert(report.errors.kept <= DTDL_FINDINGS_MAX && report.notes.kept <= DTDL_FINDINGS_MAX);
    return model;
}

/* What a simulated device says is JSON, and fits. */
static void check_sample(const struct dtdl_typed *typed, uint64_t step)
{
    struct arena ARENA_CLEANUP arena = {.max = ARENA_MAX};
    struct buf BUF_CLEANUP text = {.max = 16384};
    struct json_writer w = {.to = &text};
    const struct dtdl_sample s = {.seed = 7, .step = step, .at = 1767225600000};
    struct json *value;
    struct fault why;

    dtdl_sample_value(&s, typed, (slice){0}, &w);
    if (text.failed || text.len == 0)
        return;
    assert(json_parse(buf_slice(&text), JSON_REFUSE_DUPLICATES, &arena, &value, &why) == ST_OK);
    assert(dtdl_value_fits(typed->schema, value, &why));
}

static void check_typed(const struct dtdl_typed *typed, const struct json *value)
{
    struct json_walk walk = {0};
    const struct json *part;
    struct fault why;

    assert(typed->schema && typed->schema->depth <= DTDL_SCHEMA_DEPTH_MAX);
    for (size_t tries = 0; tries < 100 && (part = json_walk_next(&walk, value)); tries++) {
        if (!dtdl_value_fits(typed->schema, part, &why))
            assert(why.text[0]);
    }
    check_sample(typed, 0);
    check_sample(typed, 12345);
}

/* What the header promises of a model without errors. */
static void check_interface(const struct dtdl_interface *interface, const struct json *value)
{
    for (size_t i = 0; i < interface->all_count; i++) {
        const struct dtdl_content *content = interface->all[i];
        slice name = content->typed.element.name;

        if (content->kind != DTDL_UNKNOWN_CONTENT)
            assert(dtdl_content_find(interface, name) == content);
        if (content->kind == DTDL_TELEMETRY || content->kind == DTDL_PROPERTY)
            check_typed(&content->typed, value);
        if (content->kind == DTDL_COMPONENT)
            assert(content->interface && content->interface->all_count < SIZE_MAX);
        if (content->request)
            check_typed(content->request, value);
        if (content->response)
            check_typed(content->response, value);
    }
}

static void compare(const struct dtdl_model *before, const struct dtdl_model *after,
                    struct arena *arena)
{
    struct dtdl_changes changes;

    if (dtdl_compare(before, after, arena, &changes, NULL) != ST_OK)
        return;
    assert(changes.count <= changes.breaking + changes.additive);
    if (before == after)
        assert(changes.count == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena ARENA_CLEANUP arena = {.max = ARENA_MAX};
    const struct dtdl_model *model, *other;
    slice rest = {data, size}, text = slice_split(&rest, 0);
    struct json *document, *value;

    if (json_parse(text, JSON_LAST_WINS, &arena, &document, NULL) != ST_OK)
        return 0;
    if (json_parse(rest, JSON_LAST_WINS, &arena, &value, NULL) != ST_OK)
        value = document;
    model = read_model(document, &arena);
    if (!model)
        return 0;
    assert(model->root && model->interface_count > 0);
    for (size_t i = 0; i < model->interface_count; i++)
        check_interface(model->interfaces[i], value);
    compare(model, model, &arena);
    other = value == document ? NULL : read_model(value, &arena);
    if (other) {
        compare(model, other, &arena);
        compare(other, model, &arena);
    }
    return 0;
}
