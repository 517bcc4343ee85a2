#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "central/template/template_document.h"
#include "central/template/template_views.h"

#define CONTEXT "\"@context\":[\"dtmi:iotcentral:context;2\",\"dtmi:dtdl:context;2\"],"
#define INTERFACE(id, rest) "{" CONTEXT "\"@id\":\"" id "\",\"@type\":\"Interface\"" rest "}"
#define CONTENTS(contents) ",\"contents\":[" contents "]"
#define TEMPLATE(rest, contents)                                                                   \
    "{\"@id\":\"t\",\"@type\":[\"ModelDefinition\",\"DeviceModel\"]" rest                          \
    ",\"capabilityModel\":" INTERFACE("dtmi:test:pump;1", CONTENTS(contents)) "}"
#define TELEMETRY(name, schema)                                                                    \
    "{\"@type\":\"Telemetry\",\"name\":\"" name "\",\"schema\":\"" schema "\"}"
#define CLOUD(name, schema)                                                                        \
    "{\"@type\":[\"Property\",\"Cloud\",\"StringValue\"],\"name\":\"" name                         \
    "\",\"schema\":\"" schema "\"}"

struct reading {
    struct arena arena;
    struct template_document document;
    struct fault why;
};

static void reading_close(struct reading *r)
{
    arena_deinit(&r->arena);
}

#define READING_CLEANUP __attribute__((cleanup(reading_close)))

static enum status reads(struct reading *r, const char *text)
{
    arena_init(&r->arena, TEMPLATE_ARENA_MAX);
    return template_document_read(slice_str(text), SLICE("t"), &r->arena, &r->document, &r->why);
}

/* --- forms ------------------------------------------------------------------------------------ */

static const struct {
    const char *name, *given, *stored; /* stored NULL: refused */
} forms[] = {
    {"a template stays as it is, but for blanks",
     "{ \"@id\" : \"t\", \"@type\":\"DeviceModel\",\n\"capabilityModel\": " INTERFACE(
         "dtmi:a;1", "") ", \"x\":1.50 }",
     "{\"@id\":\"t\",\"@type\":\"DeviceModel\",\"capabilityModel\":" INTERFACE("dtmi:a;1",
                                                                               "") ",\"x\":1.50}"},
    {"the etag is not stored, the ID is the one asked for",
     "{\"@id\":\"other\",\"@type\":\"DeviceModel\",\"etag\":\"7\",\"capabilityModel\":" INTERFACE(
         "dtmi:a;1", "") "}",
     "{\"@id\":\"t\",\"@type\":\"DeviceModel\",\"capabilityModel\":" INTERFACE("dtmi:a;1", "") "}"},
    {"an interface", INTERFACE("dtmi:a;1", ",\"displayName\":{\"de\":\"Pumpe\"}"),
     "{\"@id\":\"t\",\"@type\":[\"ModelDefinition\",\"DeviceModel\"],\"displayName\":{\"de\":"
     "\"Pumpe\"},\"capabilityModel\":" INTERFACE("dtmi:a;1",
                                                 ",\"displayName\":{\"de\":\"Pumpe\"}") "}"},
    {"an array: interfaces stand where they are first referred to",
     "[" INTERFACE("dtmi:b;1", ",\"extends\":\"dtmi:c;1\"") "," INTERFACE(
         "dtmi:c;1", "") "," INTERFACE("dtmi:a;1", CONTENTS("{\"@type\":\"Component\",\"name\":"
                                                            "\"x\",\"schema\":\"dtmi:b;1\"},"
                                                            "{\"@type\":\"Component\",\"name\":"
                                                            "\"y\",\"schema\":\"dtmi:b;1\"}")) "]",
     "{\"@id\":\"t\",\"@type\":[\"ModelDefinition\",\"DeviceModel\"],"
     "\"capabilityModel\":" INTERFACE(
         "dtmi:a;1", CONTENTS("{\"@type\":\"Component\",\"name\":\"x\",\"schema\":" INTERFACE(
                         "dtmi:b;1", ",\"extends\":" INTERFACE(
                                         "dtmi:c;1", "")) "},"
                                                          "{\"@type\":\"Component\",\"name\":\"y\","
                                                          "\"schema\":\"dtmi:b;1\"}")) "}"},
    {"an array of two models", "[" INTERFACE("dtmi:a;1", "") "," INTERFACE("dtmi:b;1", "") "]",
     NULL},
    {"an array with an error", "[{\"@type\":\"Interface\"}]", NULL},
    {"an empty array", "[]", NULL},
    {"something else", "{\"a\":1}", NULL},
    {"a word", "7", NULL},
    {"no JSON", "{", NULL},
    {"a member twice", "{\"@id\":\"a\",\"@id\":\"b\",\"capabilityModel\":{}}", NULL},
};

static void models_come_in_several_forms(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(forms); i++) {
        struct reading READING_CLEANUP r = {0}, again = {0};
        enum status status = reads(&r, forms[i].given);

        if (status != (forms[i].stored ? ST_OK : ST_BAD_REQUEST))
            fail_msg("%s: status %s: %s", forms[i].name, status_name(status), r.why.text);
        if (!forms[i].stored)
            continue;
        if (!slice_equal(r.document.text, slice_str(forms[i].stored)))
            fail_msg("%s: %.*s", forms[i].name, SLICE_FMT(r.document.text));
        if (!r.document.model)
            fail_msg("%s: has errors", forms[i].name);
        assert_int_equal(reads(&again, forms[i].stored), ST_OK);
        assert_true(slice_equal(again.document.text, r.document.text));
    }
}

#define INTERFACE_3(id, rest)                                                                      \
    "{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"" id "\",\"@type\":\"Interface\"" rest "}"

/* The model is judged as it is stored: a part is not of the size it had elsewhere. */
static void an_interface_larger_than_the_one_it_is_put_into_is_fine(void **state)
{
    static const char text[] =
        "[" INTERFACE_3("dtmi:a;1", ",\"extends\":\"dtmi:b;1\"") "," INTERFACE_3(
            "dtmi:b;1", CONTENTS(TELEMETRY("x", "double") "," TELEMETRY("y", "double"))) "]";
    struct reading READING_CLEANUP r = {0};

    (void)state;
    assert_int_equal(reads(&r, text), ST_OK);
    assert_int_equal(r.document.report.errors.count, 0);
    assert_non_null(r.document.model);
}

static void C081_what_nobody_understands_is_stored_as_it_came(void **state)
{
    static const char text[] =
        TEMPLATE(",\"displayName\":\"Pump\",\"solution\":{\"views\":[1,{\"z\":null}]}",
                 "{\"@type\":[\"Telemetry\",\"Sparkling\"],\"name\":\"x\",\"schema\":\"double\","
                 "\"sparkle\":{\"n\":9007199254740993.10},\"decimalPlaces\":2}");
    struct reading READING_CLEANUP r = {0};

    (void)state;
    assert_int_equal(reads(&r, text), ST_OK);
    assert_true(slice_equal(r.document.text, slice_str(text)));
    assert_non_null(r.document.model);
    assert_true(r.document.report.notes.count > 0);
}

static void a_document_says_its_name_and_model(void **state)
{
    static const struct {
        const char *name, *given, *display_name, *model_id;
    } rows[] = {
        {"its own", TEMPLATE(",\"displayName\":\"Pump\"", ""), "Pump", "dtmi:test:pump;1"},
        {"in several languages", TEMPLATE(",\"displayName\":{\"de\":\"Pumpe\",\"en\":\"P\"}", ""),
         "P", "dtmi:test:pump;1"},
        {"none", TEMPLATE("", ""), "t", "dtmi:test:pump;1"},
        {"no text", TEMPLATE(",\"displayName\":5", ""), "t", "dtmi:test:pump;1"},
        {"with errors", "{\"capabilityModel\":{\"@id\":\"dtmi:b;1\",\"displayName\":\"B\"}}", "B",
         "dtmi:b;1"},
        {"no interface", "{\"capabilityModel\":7}", "t", ""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct reading READING_CLEANUP r = {0};

        assert_int_equal(reads(&r, rows[i].given), ST_OK);
        if (!slice_equal(r.document.display_name, slice_str(rows[i].display_name)) ||
            !slice_equal(r.document.model_id, slice_str(rows[i].model_id)))
            fail_msg("%s: %.*s, %.*s", rows[i].name, SLICE_FMT(r.document.display_name),
                     SLICE_FMT(r.document.model_id));
    }
}

static void a_document_is_no_longer_than_an_answer(void **state)
{
    static const char head[] = "{\"@id\":\"t\",\"x\":\"", tail[] = "\",\"capabilityModel\":{}}";
    size_t rest = TEMPLATE_DOCUMENT_MAX - (sizeof head - 1) - (sizeof tail - 1);
    char *text = malloc(TEMPLATE_DOCUMENT_MAX + 2);

    (void)state;
    for (size_t over = 0; over < 2; over++) {
        struct reading READING_CLEANUP r = {0};

        snprintf(text, sizeof head, "%s", head);
        memset(text + sizeof head - 1, 'x', rest + over);
        snprintf(text + sizeof head - 1 + rest + over, sizeof tail, "%s", tail);
        assert_int_equal(reads(&r, text), over ? ST_TOO_LARGE : ST_OK);
    }
    free(text);
}

static void template_ids_are_texts_of_a_line(void **state)
{
    char longest[TEMPLATE_ID_MAX + 2];

    (void)state;
    memset(longest, 'a', sizeof longest);
    assert_true(template_id_valid(slice_of(longest, TEMPLATE_ID_MAX)));
    assert_false(template_id_valid(slice_of(longest, TEMPLATE_ID_MAX + 1)));
    assert_true(template_id_valid(SLICE("urn:a b:\xc3\xa4")));
    assert_false(template_id_valid(SLICE("")));
    assert_false(template_id_valid(SLICE("a\nb")));
    assert_false(template_id_valid(SLICE("a\x7f")));
    assert_false(template_id_valid(SLICE("a\xff")));
}

/* --- patches ---------------------------------------------------------------------------------- */

#define PART(contents)                                                                             \
    "{\"@type\":\"Component\",\"name\":\"part\",\"schema\":" INTERFACE("dtmi:part;1",              \
                                                                       CONTENTS(contents)) "}"
#define PATCH_CONTENTS(contents)                                                                   \
    "{\"capabilityModel\":{\"contents\":[" PART(TELEMETRY("deep", "double")) "," contents "]}}"

static const struct {
    const char *name, *patch;
    enum status status;
} patches[] = {
    {"a name", "{\"displayName\":\"Other\",\"description\":null}", ST_OK},
    {"a cloud property more",
     PATCH_CONTENTS(TELEMETRY("x", "double") "," CLOUD("c", "string") "," CLOUD("d", "date")),
     ST_OK},
    {"a cloud property less", PATCH_CONTENTS(TELEMETRY("x", "double")), ST_OK},
    {"a cloud property of another schema",
     PATCH_CONTENTS(TELEMETRY("x", "double") "," CLOUD("c", "double")), ST_OK},
    {"members that an editor makes",
     PATCH_CONTENTS("{\"@type\":\"Telemetry\",\"name\":\"x\",\"schema\":\"double\","
                    "\"displayName\":\"Level\",\"color\":\"red\"}," CLOUD("c", "string")),
     ST_OK},
    {"telemetry less", PATCH_CONTENTS(CLOUD("c", "string")), ST_BAD_REQUEST},
    {"telemetry more",
     PATCH_CONTENTS(TELEMETRY("x", "double") "," TELEMETRY("y", "double") "," CLOUD("c", "string")),
     ST_BAD_REQUEST},
    {"telemetry of another schema", PATCH_CONTENTS(TELEMETRY("x", "long") "," CLOUD("c", "string")),
     ST_BAD_REQUEST},
    {"telemetry that becomes a cloud property", PATCH_CONTENTS(CLOUD("x", "double")),
     ST_BAD_REQUEST},
    {"a component more",
     PATCH_CONTENTS(
         TELEMETRY("x", "double") ",{\"@type\":\"Component\",\"name\":\"k\",\"schema\":" INTERFACE(
             "dtmi:k;1", "") "}," CLOUD("c", "string")),
     ST_BAD_REQUEST},
    {"telemetry of a component less",
     "{\"capabilityModel\":{\"contents\":[" PART("") "," TELEMETRY("x", "double") "," CLOUD(
         "c", "string") "]}}",
     ST_BAD_REQUEST},
    {"another model", "{\"capabilityModel\":{\"@id\":\"dtmi:test:pump;2\"}}", ST_BAD_REQUEST},
    {"another type", "{\"@type\":[\"ModelDefinition\",\"EdgeModel\"]}", ST_BAD_REQUEST},
    {"no object", "[]", ST_BAD_REQUEST},
};

static void a_patch_leaves_what_devices_see(void **state)
{
    static const char published[] = TEMPLATE(
        ",\"displayName\":\"Pump\"",
        PART(TELEMETRY("deep", "double")) "," TELEMETRY("x", "double") "," CLOUD("c", "string"));

    (void)state;
    for (size_t i = 0; i < COUNT_OF(patches); i++) {
        struct reading READING_CLEANUP r = {0};
        enum status status;

        arena_init(&r.arena, TEMPLATE_ARENA_MAX);
        status = template_document_patch(slice_str(published), slice_str(patches[i].patch),
                                         SLICE("t"), &r.arena, &r.document, &r.why);
        if (status != patches[i].status)
            fail_msg("%s: %s: %s", patches[i].name, status_name(status), r.why.text);
    }
}

/* --- versions --------------------------------------------------------------------------------- */

static void C084_the_next_version_has_the_next_number(void **state)
{
    static const struct {
        const char *id, *next;
    } rows[] = {
        {"dtmi:a;1", "dtmi:a;2"},
        {"dtmi:a;9", "dtmi:a;10"},
        {"dtmi:a", "dtmi:a;2"},
        {"generic", "generic;2"},
        {"dtmi:a;999999998", "dtmi:a;999999999"},
        {"dtmi:a;999999999", ""},
        {"urn:x;1.2", ""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct arena ARENA_CLEANUP arena = {.max = 65536};

        if (!slice_equal(template_next_id(slice_str(rows[i].id), &arena), slice_str(rows[i].next)))
            fail_msg("%s", rows[i].id);
    }
}

/* --- views ------------------------------------------------------------------------------------ */

static void C087_a_template_has_three_views(void **state)
{
    static const char text[] = TEMPLATE(
        "",
        TELEMETRY("level", "double") "," TELEMETRY(
            "mood",
            "string") ","
                      "{\"@type\":[\"Telemetry\",\"Event\"],\"name\":\"alarm\",\"schema\":"
                      "\"string\"},"
                      "{\"@type\":[\"Telemetry\",\"State\"],\"name\":\"mode\",\"schema\":{\"@"
                      "type\":\"Enum\","
                      "\"valueSchema\":\"integer\",\"enumValues\":[{\"name\":\"on\",\"enumValue\":"
                      "1}]}},"
                      "{\"@type\":[\"Telemetry\",\"Location\"],\"name\":\"where\",\"schema\":"
                      "\"geopoint\"},"
                      "{\"@type\":\"Command\",\"name\":\"stop\",\"displayName\":\"Stop!\"},"
                      "{\"@type\":\"Property\",\"name\":\"serial\",\"schema\":\"string\"}," CLOUD(
                          "owner", "string") ","
                                             "{\"@type\":\"Component\",\"name\":\"motor\","
                                             "\"schema\":" INTERFACE(
                                                 "dtmi:test:motor;1",
                                                 CONTENTS(TELEMETRY("speed", "long"))) "}");
#define TILE(type, component, name)                                                                \
    "{\"type\":\"" type "\",\"component\":\"" component "\",\"name\":\"" name "\""
    static const char want[] =
        "[{\"name\":\"commands\",\"displayName\":\"Commands\",\"tiles\":[" TILE(
            "command",
            "", "stop") ",\"displayName\":\"Stop!\"}]},"
                        "{\"name\":\"overview\",\"displayName\":\"Overview\",\"tiles\":"
                        "[" TILE("lineChart", "", "level") "}," TILE("lastKnownValue", "", "mood") "}," TILE(
                            "eventChart", "",
                            "alarm") "}," TILE("stateChart", "",
                                               "mode") "}," TILE("map", "",
                                                                 "where") "}," TILE("lineCh"
                                                                                    "art",
                                                                                    "motor",
                                                                                    "speed") "}]},"
                                                                                             "{\"na"
                                                                                             "me\":"
                                                                                             "\"abo"
                                                                                             "ut\","
                                                                                             "\"dis"
                                                                                             "playN"
                                                                                             "ame\""
                                                                                             ":\"Ab"
                                                                                             "out\""
                                                                                             ",\"ti"
                                                                                             "les\""
                                                                                             ":"
                                                                                             "[" TILE(
                                                                                                 "p"
                                                                                                 "r"
                                                                                                 "o"
                                                                                                 "p"
                                                                                                 "e"
                                                                                                 "r"
                                                                                                 "t"
                                                                                                 "y",
                                                                                                 "",
                                                                                                 "s"
                                                                                                 "e"
                                                                                                 "r"
                                                                                                 "i"
                                                                                                 "a"
                                                                                                 "l") "}]}]";
    struct buf BUF_CLEANUP views = {.max = TEMPLATE_VIEWS_MAX};
    struct reading READING_CLEANUP r = {0};

    (void)state;
    assert_int_equal(reads(&r, text), ST_OK);
    if (!r.document.model)
        fail_msg("%.*s", SLICE_FMT(r.document.report.errors.list[0].text));
    template_views_write(r.document.model, &views);
    if (!slice_equal(buf_slice(&views), slice_str(want)))
        fail_msg("%.*s", SLICE_FMT(buf_slice(&views)));
}

/* Many components of one large interface: a small document must not make large views. */
static void views_have_a_largest_size(void **state)
{
    struct buf BUF_CLEANUP text = {.max = TEMPLATE_DOCUMENT_MAX};
    struct buf BUF_CLEANUP views = {.max = TEMPLATE_VIEWS_MAX};
    struct reading READING_CLEANUP r = {0};

    (void)state;
    buf_append_str(&text, "{\"@type\":\"DeviceModel\",\"capabilityModel\":{" CONTEXT
                          "\"@id\":\"dtmi:a;1\",\"@type\":\"Interface\",\"contents\":[");
    for (int i = 0; i < 100; i++)
        buf_printf(&text,
                   "{\"@type\":\"Component\",\"name\":\"component%d\",\"schema\":\"dtmi:k;1\"},",
                   i);
    buf_append_str(&text, "{\"@type\":\"Component\",\"name\":\"last\",\"schema\":{" CONTEXT
                          "\"@id\":\"dtmi:k;1\",\"@type\":\"Interface\",\"contents\":[");
    for (int i = 0; i < 199; i++)
        buf_printf(&text, "%s{\"@type\":\"Telemetry\",\"name\":\"%.*s%d\",\"schema\":\"double\"}",
                   i ? "," : "", 56, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                   i);
    buf_append_str(&text, "]}}]}}");
    buf_append_byte(&text, 0);
    assert_int_equal(reads(&r, (const char *)text.ptr), ST_OK);
    if (!r.document.model)
        fail_msg("%.*s", SLICE_FMT(r.document.report.errors.list[0].text));
    template_views_write(r.document.model, &views);
    assert_false(views.failed);
    assert_true(views.len > TEMPLATE_VIEW_BYTES);
    assert_true(views.len < TEMPLATE_VIEW_BYTES + 10000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(models_come_in_several_forms),
        cmocka_unit_test(an_interface_larger_than_the_one_it_is_put_into_is_fine),
        cmocka_unit_test(C081_what_nobody_understands_is_stored_as_it_came),
        cmocka_unit_test(a_document_says_its_name_and_model),
        cmocka_unit_test(a_document_is_no_longer_than_an_answer),
        cmocka_unit_test(template_ids_are_texts_of_a_line),
        cmocka_unit_test(a_patch_leaves_what_devices_see),
        cmocka_unit_test(C084_the_next_version_has_the_next_number),
        cmocka_unit_test(C087_a_template_has_three_views),
        cmocka_unit_test(views_have_a_largest_size),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
