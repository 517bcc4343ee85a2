#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "central/telemetry/template_infer.h"

#include "central/property/model_fixture.h"
#include "central/telemetry/last_values.h"

#define TEXT_MAX 65536

static struct buf values_of(const struct json *telemetry)
{
    struct buf packed = {.max = TEXT_MAX};
    struct last_value list[64];
    size_t count = 0;

    for (const struct json *m = telemetry->first; m; m = m->next)
        list[count++] = (struct last_value){.name = m->name, .at = 1, .value = m->raw};
    list[count++] =
        (struct last_value){.component = SLICE("c"), .name = SLICE("x"), .value = SLICE("1")};
    assert_true(last_values_merge((slice){0}, list, count, &packed));
    return packed;
}

static enum status infer(struct arena *arena, const char *telemetry, const char *reported,
                         struct buf *to)
{
    BUF_CLEANUP struct buf packed = values_of(fixture_json(arena, telemetry));
    const struct json *nothing = fixture_json(arena, "{}");
    const struct property_sources properties = {nothing, nothing, fixture_json(arena, reported),
                                                nothing, NULL};
    struct device_model m;
    const struct inference from = {.model_id = SLICE("dtmi:t:m;1"),
                                   .display_name = SLICE("A \"name\""),
                                   .last_values = buf_slice(&packed),
                                   .model = &m,
                                   .properties = &properties};
    struct fault why = {0};
    enum status status;

    fixture_model(&m, NULL);
    status = template_infer(&from, arena, to, &why);
    device_model_deinit(&m);
    return status;
}

/* The schema that a value leads to, as JSON; NULL: none. */
static void C086_values_become_schemas(void **state)
{
    static const struct {
        const char *value, *schema;
    } rows[] = {
        {"1", "\"double\""},
        {"true", "\"boolean\""},
        {"\"x\"", "\"string\""},
        {"\"2026-01-01T00:00:00Z\"", "\"dateTime\""},
        {"{\"lat\":1,\"lon\":2}", "\"geopoint\""},
        {"{\"lon\":1,\"lat\":2,\"alt\":3}", "\"geopoint\""},
        {"{\"x\":1,\"y\":2,\"z\":3}", "\"vector\""},
        {"{\"lat\":1}",
         "{\"@type\":\"Object\",\"fields\":[{\"name\":\"lat\",\"schema\":\"double\"}]}"},
        {"{\"a\":\"x\",\"1b\":1,\"c\":{\"d\":1}}",
         "{\"@type\":\"Object\",\"fields\":[{\"name\":\"a\",\"schema\":\"string\"}]}"},
        {"[1,2]", "{\"@type\":\"Array\",\"elementSchema\":\"double\"}"},
        {"[1,\"x\"]", NULL},
        {"[]", NULL},
        {"{}", NULL},
        {"{\"a\":{}}", NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        ARENA_CLEANUP struct arena arena = {.max = MODEL_ARENA_MAX};
        BUF_CLEANUP struct buf document = {.max = TEXT_MAX}, got = {.max = TEXT_MAX};
        slice text = arena_printf(&arena, "{\"v\":%s}", rows[i].value);
        enum status status = infer(&arena, (const char *)text.ptr, "{}", &document);
        const struct json *contents;

        assert_int_equal(status, rows[i].schema ? ST_OK : ST_NOT_FOUND);
        if (!rows[i].schema)
            continue;
        buf_append_byte(&document, 0);
        contents = json_path(fixture_json(&arena, (const char *)document.ptr),
                             (slice[]){SLICE("capabilityModel"), SLICE("contents")}, 2);
        json_write(json_member(contents->first, SLICE("schema")), &got);
        if (!slice_equal(buf_slice(&got), slice_str(rows[i].schema)) || contents->first->next)
            fail_msg("%s: %.*s", rows[i].value, SLICE_FMT(buf_slice(&got)));
    }
}

/* What is made is a model without errors, and what it was made of fits. */
static void C086_the_document_is_a_model(void **state)
{
    ARENA_CLEANUP struct arena arena = {.max = MODEL_ARENA_MAX};
    BUF_CLEANUP struct buf document = {.max = TEXT_MAX};
    struct dtdl_report report = {0};
    struct dtdl_model *model;
    struct fault why = {0};

    (void)state;
    assert_int_equal(infer(&arena,
                           "{\"t\":1,\"a b\":1,\"list\":[1],\"box\":{\"w\":1},\"_x\":1,\"x_\":1}",
                           "{\"t\":2,\"serial\":\"A\",\"speed\":{\"value\":3,\"ac\":200,\"av\":1},"
                           "\"items\":[1],\"c\":{\"__t\":\"c\",\"d\":1}}",
                           &document),
                     ST_OK);
    buf_append_byte(&document, 0);
    if (dtdl_read(fixture_json(&arena, (const char *)document.ptr), &arena, &report, &model,
                  &why) != ST_OK)
        fail_msg("%s", why.text);
    assert_int_equal(model->root->all_count, 5);
    assert_int_equal(dtdl_content_find(model->root, SLICE("t"))->kind, DTDL_TELEMETRY);
    assert_true(dtdl_content_find(model->root, SLICE("speed"))->writable);
    assert_false(dtdl_content_find(model->root, SLICE("serial"))->writable);
    assert_null(dtdl_content_find(model->root, SLICE("items")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(C086_values_become_schemas),
        cmocka_unit_test(C086_the_document_is_a_model),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
