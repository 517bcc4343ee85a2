/* Every limit of contract/central.md 5.2, at the last value allowed and the next. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "codec/dtdl_fixture.h"

#define DOCUMENT_MAX ((size_t)8 << 20)

/* --- documents with something of a size in them ----------------------------------------------- */

static void repeat(struct buf *to, const char *text, size_t count)
{
    for (size_t i = 0; i < count; i++)
        buf_append_str(to, text);
}

static void open_interface(struct buf *to, int version, const char *id)
{
    buf_printf(to, "{\"@context\":[\"dtmi:dtdl:context;%d\",\"dtmi:iotcentral:context;2\"],",
               version);
    buf_printf(to, "\"@id\":\"%s\",\"@type\":\"Interface\",", id);
}

static void write_telemetry(struct buf *to, const char *name, size_t number)
{
    buf_printf(to, "{\"@type\":\"Telemetry\",\"name\":\"%s%zu\",\"schema\":\"double\"}", name,
               number);
}

/* `count` telemetries, with commas between. */
static void write_telemetries(struct buf *to, const char *name, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        buf_append_str(to, i ? "," : "");
        write_telemetry(to, name, i);
    }
}

static void write_id(struct buf *to, int version, size_t size)
{
    buf_printf(to, "{\"@context\":\"dtmi:dtdl:context;%d\",\"@type\":\"Interface\",\"@id\":\"dtmi:",
               version);
    repeat(to, "a", size - sizeof "dtmi:;1" + 1);
    buf_append_str(to, ";1\"}");
}

static void write_member(struct buf *to, int version, const char *member, size_t size)
{
    open_interface(to, version, "dtmi:a;1");
    buf_printf(to, "\"%s\":\"", member);
    repeat(to, "\xc3\xa4", size); /* characters count, not bytes */
    buf_append_str(to, "\"}");
}

static void write_display_name(struct buf *to, int version, size_t size)
{
    write_member(to, version, "displayName", size);
}

static void write_description(struct buf *to, int version, size_t size)
{
    write_member(to, version, "description", size);
}

static void write_comment(struct buf *to, int version, size_t size)
{
    write_member(to, version, "comment", size);
}

static void write_display_name_map(struct buf *to, int version, size_t size)
{
    open_interface(to, version, "dtmi:a;1");
    buf_append_str(to, "\"displayName\":{\"en\":\"a\",\"de\":\"");
    repeat(to, "a", size);
    buf_append_str(to, "\"}}");
}

static void write_name(struct buf *to, int version, size_t size)
{
    open_interface(to, version, "dtmi:a;1");
    buf_append_str(to, "\"contents\":[{\"@type\":\"Telemetry\",\"schema\":\"double\",\"name\":\"");
    repeat(to, "a", size);
    buf_append_str(to, "\"}]}");
}

static void write_element_id(struct buf *to, int version, size_t size)
{
    open_interface(to, version, "dtmi:a;1");
    buf_append_str(to,
                   "\"contents\":[{\"@type\":\"Telemetry\",\"schema\":\"double\",\"name\":\"a\","
                   "\"@id\":\"");
    repeat(to, "a", size);
    buf_append_str(to, "\"}]}");
}

static void write_contents(struct buf *to, int version, size_t size)
{
    open_interface(to, version, "dtmi:a;1");
    buf_append_str(to, "\"contents\":[");
    write_telemetries(to, "t", size);
    buf_append_str(to, "]}");
}

/* Ten of them of its own. */
static void write_inherited_contents(struct buf *to, int version, size_t size)
{
    buf_append_byte(to, '[');
    open_interface(to, version, "dtmi:a;1");
    buf_append_str(to, "\"extends\":\"dtmi:b;1\",\"contents\":[");
    write_telemetries(to, "t", 10);
    buf_append_str(to, "]},");
    open_interface(to, version, "dtmi:b;1");
    buf_append_str(to, "\"contents\":[");
    write_telemetries(to, "u", size - 10);
    buf_append_str(to, "]}]");
}

static void write_bases(struct buf *to, int version, size_t size)
{
    buf_append_byte(to, '[');
    open_interface(to, version, "dtmi:a;1");
    buf_append_str(to, "\"extends\":[");
    for (size_t i = 0; i < size; i++)
        buf_printf(to, "%s\"dtmi:b%zu;1\"", i ? "," : "", i);
    buf_append_str(to, "]}");
    for (size_t i = 0; i < size; i++) {
        char id[32];

        snprintf(id, sizeof id, "dtmi:b%zu;1", i);
        buf_append_byte(to, ',');
        open_interface(to, version, id);
        buf_append_str(to, "\"contents\":[]}");
    }
    buf_append_byte(to, ']');
}

/* A chain: dtmi:l0 extends dtmi:l1 and so on, `size` times. */
static void write_levels(struct buf *to, int version, size_t size)
{
    buf_append_byte(to, '[');
    for (size_t i = 0; i <= size; i++) {
        char id[32];

        snprintf(id, sizeof id, "dtmi:l%zu;1", i);
        open_interface(to, version, id);
        if (i < size)
            buf_printf(to, "\"extends\":\"dtmi:l%zu;1\",", i + 1);
        buf_printf(to, "\"comment\":\"\"}%s", i < size ? "," : "]");
    }
}

static void open_telemetry(struct buf *to, int version)
{
    open_interface(to, version, "dtmi:a;1");
    buf_append_str(to, "\"contents\":[{\"@type\":\"Telemetry\",\"name\":\"t\",\"schema\":");
}

static void close_telemetry(struct buf *to)
{
    buf_append_str(to, "}]}");
}

static void write_fields(struct buf *to, int version, size_t size)
{
    open_telemetry(to, version);
    buf_append_str(to, "{\"@type\":\"Object\",\"fields\":[");
    for (size_t i = 0; i < size; i++)
        buf_printf(to, "%s{\"name\":\"f%zu\",\"schema\":\"double\"}", i ? "," : "", i);
    buf_append_str(to, "]}");
    close_telemetry(to);
}

static void write_enum_values(struct buf *to, int version, size_t size)
{
    open_telemetry(to, version);
    buf_append_str(to, "{\"@type\":\"Enum\",\"valueSchema\":\"integer\",\"enumValues\":[");
    for (size_t i = 0; i < size; i++)
        buf_printf(to, "%s{\"name\":\"v%zu\",\"enumValue\":%zu}", i ? "," : "", i, i);
    buf_append_str(to, "]}");
    close_telemetry(to);
}

static void write_nested_arrays(struct buf *to, int version, size_t size)
{
    open_telemetry(to, version);
    repeat(to, "{\"@type\":\"Array\",\"elementSchema\":", size);
    buf_append_str(to, "\"double\"");
    repeat(to, "}", size);
    close_telemetry(to);
}

static void write_nested_objects(struct buf *to, int version, size_t size)
{
    open_telemetry(to, version);
    repeat(to, "{\"@type\":\"Object\",\"fields\":[{\"name\":\"f\",\"schema\":", size);
    buf_append_str(to, "\"double\"");
    repeat(to, "}]}", size);
    close_telemetry(to);
}

static void write_nested_maps(struct buf *to, int version, size_t size)
{
    open_telemetry(to, version);
    repeat(to,
           "{\"@type\":\"Map\",\"mapKey\":{\"name\":\"k\",\"schema\":\"string\"},\"mapValue\":{"
           "\"name\":\"v\",\"schema\":",
           size);
    buf_append_str(to, "\"double\"");
    repeat(to, "}}", size);
    close_telemetry(to);
}

/* Depth by reference: the same rule, another way to break it. */
static void write_nested_references(struct buf *to, int version, size_t size)
{
    open_interface(to, version, "dtmi:a;1");
    buf_append_str(to, "\"schemas\":[");
    for (size_t i = 0; i < size; i++) {
        buf_printf(to, "%s{\"@id\":\"dtmi:s%zu;1\",\"@type\":\"Array\",\"elementSchema\":",
                   i ? "," : "", i);
        if (i + 1 < size)
            buf_printf(to, "\"dtmi:s%zu;1\"}", i + 1);
        else
            buf_append_str(to, "\"double\"}");
    }
    buf_append_str(to, "],\"contents\":[{\"@type\":\"Telemetry\",\"name\":\"t\","
                       "\"schema\":\"dtmi:s0;1\"}]}");
}

static void open_relationship(struct buf *to, int version)
{
    open_interface(to, version, "dtmi:a;1");
    buf_append_str(to, "\"contents\":[{\"@type\":\"Relationship\",\"name\":\"r\",");
}

static void write_relationship_properties(struct buf *to, int version, size_t size)
{
    open_relationship(to, version);
    buf_append_str(to, "\"properties\":[");
    for (size_t i = 0; i < size; i++)
        buf_printf(to, "%s{\"@type\":\"Property\",\"name\":\"p%zu\",\"schema\":\"double\"}",
                   i ? "," : "", i);
    buf_append_str(to, "]}]}");
}

static void write_multiplicity(struct buf *to, int version, size_t size)
{
    open_relationship(to, version);
    buf_printf(to, "\"maxMultiplicity\":%zu}]}", size);
}

static void write_least_multiplicity(struct buf *to, int version, size_t size)
{
    open_relationship(to, version);
    buf_printf(to, "\"minMultiplicity\":%zu}]}", size);
}

static void write_target(struct buf *to, int version, size_t size)
{
    open_relationship(to, version);
    buf_append_str(to, "\"target\":\"dtmi:");
    repeat(to, "a", size - sizeof "dtmi:;1" + 1);
    buf_append_str(to, ";1\"}]}");
}

static void write_template_id(struct buf *to, int version, size_t size)
{
    buf_append_str(to, "{\"@type\":\"DeviceModel\",\"@id\":\"");
    repeat(to, "a", size);
    buf_append_str(to, "\",\"capabilityModel\":");
    open_interface(to, version, "dtmi:a;1");
    buf_append_str(to, "\"comment\":\"\"}}");
}

static void write_bytes(struct buf *to, int version, size_t size)
{
    open_interface(to, version, "dtmi:a;1");
    buf_append_str(to, "\"padding\":\"");
    repeat(to, "a", size - to->len - 2);
    buf_append_str(to, "\"}");
}

/* Outside of an interface's own text lies what is inlined in it. */
static void write_inlined_bytes(struct buf *to, int version, size_t size)
{
    open_interface(to, version, "dtmi:outer;1");
    buf_append_str(to, "\"extends\":");
    write_bytes(to, version, size + to->len);
    buf_append_str(to, "}");
}

/* --- the table ------------------------------------------------------------------------------ */

static const struct limit_row {
    const char *name;
    int version;
    void (*write)(struct buf *to, int version, size_t size);
    size_t most;             /* the last size that is allowed */
    const char *path, *text; /* what is said of the next */
} limit_rows[] = {
    {"interface @id", 2, write_id, 128, "@id", "longer than 128 characters"},
    {"interface @id", 3, write_id, 128, "@id", "longer than 128 characters"},
    {"displayName", 2, write_display_name, 64, "displayName", "'dtmi:a;1': is longer than 64"},
    {"displayName", 3, write_display_name, 512, "displayName", "'dtmi:a;1': is longer than 512"},
    {"displayName in a language", 2, write_display_name_map, 64, "displayName.de",
     "longer than 64"},
    {"description", 2, write_description, 512, "description", "longer than 512"},
    {"description", 3, write_description, 512, "description", "longer than 512"},
    {"comment", 2, write_comment, 512, "comment", "longer than 512"},
    {"comment", 3, write_comment, 512, "comment", "longer than 512"},
    {"name", 2, write_name, 64, "contents[0].name", "aaaa': is longer than 64 characters"},
    {"name", 3, write_name, 512, "contents[0].name", "longer than 512 characters"},
    {"@id of an element", 2, write_element_id, 2048, "contents[0].@id", "longer than 2048"},
    {"contents", 2, write_contents, 300, "contents", "has 301 contents; at most 300"},
    {"contents with inherited ones", 2, write_inherited_contents, 300, "[0].contents",
     "has 301 contents; at most 300"},
    {"extends", 2, write_bases, 2, "[0].extends", "has 3 extends; at most 2"},
    {"extends over all levels", 3, write_bases, 1024, "[0]", "extends more than 1024 interfaces"},
    {"levels of extends", 2, write_levels, 10, "[0]", "extends more than 10 levels"},
    {"levels of extends", 3, write_levels, 10, "[0]", "extends more than 10 levels"},
    {"fields", 2, write_fields, 30, "contents[0].schema.fields", "has 31 fields; at most 30"},
    {"enum values", 2, write_enum_values, 100, "contents[0].schema.enumValues",
     "has 101 enumValues; at most 100"},
    {"nested arrays", 2, write_nested_arrays, 5, "contents[0].schema", "more than 5 deep"},
    {"nested arrays", 3, write_nested_arrays, 5, "contents[0].schema", "more than 5 deep"},
    {"nested objects", 2, write_nested_objects, 5, "contents[0].schema", "more than 5 deep"},
    {"nested maps", 3, write_nested_maps, 5, "contents[0].schema", "more than 5 deep"},
    {"nested references", 2, write_nested_references, 5, "schemas[0]", "more than 5 deep"},
    {"properties of a relationship", 2, write_relationship_properties, 300,
     "contents[0].properties", "'r': has 301 properties; at most 300"},
    {"maxMultiplicity", 2, write_multiplicity, 500, "contents[0].maxMultiplicity",
     "must be a number from 1 to 500"},
    {"minMultiplicity", 2, write_least_multiplicity, 0, "contents[0].minMultiplicity",
     "must be a number from 0 to 0"},
    {"target", 2, write_target, 2048, "contents[0].target", "longer than 2048"},
    {"id of a template", 2, write_template_id, 2048, "@id", "longer than 2048"},
    {"bytes of an interface", 3, write_bytes, 1 << 20, "", "longer than 1048576 bytes"},
    {"bytes of an inline interface", 3, write_inlined_bytes, 1 << 20, "extends",
     "longer than 1048576 bytes"},
};

static void check_row(const struct limit_row *row, size_t size)
{
    struct model_fixture MODEL_CLEANUP f = {0};
    struct buf BUF_CLEANUP text = {.max = DOCUMENT_MAX};
    bool fits = size <= row->most;

    row->write(&text, row->version, size);
    assert_false(text.failed);
    model_read(&f, buf_slice(&text));
    if (fits && f.report.errors.count > 0)
        fail_msg("%s of version %d at %zu: %s", row->name, row->version, size, f.why.text);
    if (!fits && !model_was_told(&f.report.errors, row->path, row->text))
        fail_msg("%s of version %d at %zu: got %s", row->name, row->version, size, f.why.text);
}

static void C080_each_limit_is_enforced_and_says_where(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(limit_rows); i++) {
        check_row(&limit_rows[i], limit_rows[i].most);
        check_row(&limit_rows[i], limit_rows[i].most + 1);
    }
}

/* What version 2 limits and version 3 counts all together. */
static void C080_version_3_has_fewer_single_limits(void **state)
{
    static const struct {
        const char *name;
        void (*write)(struct buf *to, int version, size_t size);
        size_t size;
    } rows[] = {
        {"contents", write_contents, 301},
        {"fields", write_fields, 31},
        {"no fields", write_fields, 0},
        {"enum values", write_enum_values, 101},
        {"no enum values", write_enum_values, 0},
        {"properties of a relationship", write_relationship_properties, 301},
        {"extends", write_bases, 3},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct model_fixture MODEL_CLEANUP f = {0}, MODEL_CLEANUP g = {0};
        struct buf BUF_CLEANUP v2 = {.max = DOCUMENT_MAX}, v3 = {.max = DOCUMENT_MAX};

        rows[i].write(&v2, 2, rows[i].size);
        rows[i].write(&v3, 3, rows[i].size);
        if (model_read(&f, buf_slice(&v2)) != ST_BAD_REQUEST)
            fail_msg("%s: version 2 allows it", rows[i].name);
        if (model_read(&g, buf_slice(&v3)) != ST_OK)
            fail_msg("%s: %s", rows[i].name, g.why.text);
    }
}

/* --- limits that no text of 20,000 values can reach ------------------------------------------- */

static void put(struct json *object, struct arena *arena, slice name, const char *text)
{
    json_set(object, name, json_new_text(arena, slice_str(text)));
}

/* An interface of `count` telemetries, which are two elements each. */
static struct json *build_interface(struct arena *arena, const char *id, size_t count)
{
    struct json *interface = json_new(arena, JSON_OBJECT), *contents = json_new(arena, JSON_ARRAY);

    put(interface, arena, SLICE("@context"), "dtmi:dtdl:context;3");
    put(interface, arena, SLICE("@id"), id);
    put(interface, arena, SLICE("@type"), "Interface");
    for (size_t i = 0; i < count; i++) {
        struct json *telemetry = json_new(arena, JSON_OBJECT);

        put(telemetry, arena, SLICE("@type"), "Telemetry");
        json_set(telemetry, SLICE("name"), json_new_text(arena, arena_printf(arena, "t%zu", i)));
        put(telemetry, arena, SLICE("schema"), "double");
        json_append(contents, telemetry);
    }
    json_set(interface, SLICE("contents"), contents);
    return interface;
}

static void C080_version_3_counts_elements(void **state)
{
    struct model_fixture MODEL_CLEANUP f = {.arena = {.max = MODEL_ARENA_MAX}};
    struct json *most = build_interface(&f.arena, "dtmi:a;1", 50000);
    struct json *more = build_interface(&f.arena, "dtmi:a;1", 50001);

    (void)state;
    assert_false(f.arena.failed);
    assert_int_equal(dtdl_read(most, &f.arena, &f.report, &f.model, &f.why), ST_OK);
    assert_int_equal(f.model->root->all_count, 50000);
    assert_int_equal(dtdl_read(more, &f.arena, &f.report, &f.model, &f.why), ST_BAD_REQUEST);
    assert_true(model_was_told(&f.report.errors, "", "has more than 100000 elements"));
}

/* Two components of one interface of `count` telemetries, which counts once. */
static struct json *build_components(struct arena *arena, size_t count)
{
    struct json *document = json_new(arena, JSON_ARRAY);
    struct json *root = build_interface(arena, "dtmi:a;1", 0);

    for (size_t i = 0; i < 2; i++) {
        struct json *component = json_new(arena, JSON_OBJECT);

        put(component, arena, SLICE("@type"), "Component");
        put(component, arena, SLICE("name"), i ? "one" : "two");
        put(component, arena, SLICE("schema"), "dtmi:b;1");
        json_append(json_member(root, SLICE("contents")), component);
    }
    json_append(document, root);
    json_append(document, build_interface(arena, "dtmi:b;1", count));
    return document;
}

static void C080_version_3_counts_elements_of_components(void **state)
{
    struct model_fixture MODEL_CLEANUP f = {.arena = {.max = MODEL_ARENA_MAX}};
    struct json *most = build_components(&f.arena, 49998);
    struct json *more = build_components(&f.arena, 49999);

    (void)state;
    assert_false(f.arena.failed);
    assert_int_equal(dtdl_read(most, &f.arena, &f.report, &f.model, &f.why), ST_OK);
    assert_int_equal(dtdl_read(more, &f.arena, &f.report, &f.model, &f.why), ST_BAD_REQUEST);
    assert_true(model_was_told(&f.report.errors, "[0]", "has more than 100000 elements"));
}

/* 61 interfaces have the 2,000 contents of one: a small document, a large model. */
static void what_interfaces_inherit_together_is_limited(void **state)
{
    struct model_fixture MODEL_CLEANUP f = {0};
    struct buf BUF_CLEANUP text = {.max = DOCUMENT_MAX};

    (void)state;
    buf_append_byte(&text, '[');
    open_interface(&text, 3, "dtmi:base;1");
    buf_append_str(&text, "\"contents\":[");
    write_telemetries(&text, "t", 2000);
    buf_append_str(&text, "]}");
    for (size_t i = 0; i < 61; i++) {
        char id[32];

        snprintf(id, sizeof id, "dtmi:i%zu;1", i);
        buf_append_byte(&text, ',');
        open_interface(&text, 3, id);
        buf_append_str(&text, "\"extends\":\"dtmi:base;1\"}");
    }
    buf_append_byte(&text, ']');
    assert_int_equal(model_read(&f, buf_slice(&text)), ST_BAD_REQUEST);
    assert_true(model_was_told(&f.report.errors, "[51]", "inherit more than 100000 contents"));
    assert_int_equal(f.report.errors.count, 11);
}

/* Many of them are counted, fifty are kept. */
static void errors_are_collected_up_to_fifty(void **state)
{
    struct model_fixture MODEL_CLEANUP f = {0};
    struct buf BUF_CLEANUP text = {.max = DOCUMENT_MAX};

    (void)state;
    open_interface(&text, 2, "dtmi:a;1");
    buf_append_str(&text, "\"contents\":[");
    for (size_t i = 0; i < 60; i++)
        buf_printf(&text, "%s{\"@type\":\"Telemetry\",\"name\":\"t%zu\"}", i ? "," : "", i);
    buf_append_str(&text, "]}");
    assert_int_equal(model_read(&f, buf_slice(&text)), ST_BAD_REQUEST);
    assert_int_equal(f.report.errors.count, 60);
    assert_int_equal(f.report.errors.kept, DTDL_FINDINGS_MAX);
    assert_true(model_was_told(&f.report.errors, "contents[49]", "'t49': the schema is missing"));
    assert_string_equal(f.why.text, "dtdl: contents[0]: 't0': the schema is missing");
}

static void a_full_arena_is_a_status(void **state)
{
    struct buf BUF_CLEANUP text = {.max = DOCUMENT_MAX};
    struct arena ARENA_CLEANUP tree = {.max = MODEL_ARENA_MAX};
    struct dtdl_report report;
    struct dtdl_model *model;
    struct json *document;
    struct fault why;
    enum status status = ST_NO_MEMORY;

    (void)state;
    write_inherited_contents(&text, 2, 20);
    assert_int_equal(json_parse(buf_slice(&text), JSON_REFUSE_DUPLICATES, &tree, &document, &why),
                     ST_OK);
    for (size_t max = 0; status == ST_NO_MEMORY && max < (1u << 20); max += 16) {
        struct arena ARENA_CLEANUP arena = {.max = max};

        status = dtdl_read(document, &arena, &report, &model, &why);
    }
    assert_int_equal(status, ST_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(C080_each_limit_is_enforced_and_says_where),
        cmocka_unit_test(C080_version_3_has_fewer_single_limits),
        cmocka_unit_test(C080_version_3_counts_elements),
        cmocka_unit_test(C080_version_3_counts_elements_of_components),
        cmocka_unit_test(what_interfaces_inherit_together_is_limited),
        cmocka_unit_test(errors_are_collected_up_to_fifty),
        cmocka_unit_test(a_full_arena_is_a_status),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
