#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "codec/dtdl_change.h"
#include "codec/dtdl_fixture.h"

#define HEAD                                                                                       \
    "{\"@context\":[\"dtmi:dtdl:context;2\",\"dtmi:iotcentral:context;2\"],"                       \
    "\"@id\":\"dtmi:a;1\",\"@type\":\"Interface\",\"contents\":["
#define KELVIN                                                                                     \
    "{\"@type\":[\"Telemetry\",\"Temperature\"],\"name\":\"t\",\"schema\":\"double\","             \
    "\"unit\":\"kelvin\"}"
#define TELEMETRY(rest) "{\"@type\":\"Telemetry\",\"name\":\"t\",\"schema\":" rest "}"
#define PROPERTY(rest) "{\"@type\":\"Property\",\"name\":\"p\",\"schema\":\"string\"" rest "}"
#define COMMAND(rest) "{\"@type\":\"Command\",\"name\":\"c\"" rest "}"
#define PAYLOAD(which, schema) ",\"" which "\":{\"name\":\"x\",\"schema\":" schema "}"
#define RELATIONSHIP(rest) "{\"@type\":\"Relationship\",\"name\":\"r\"" rest "}"
#define COMPONENT(contents)                                                                        \
    "{\"@type\":\"Component\",\"name\":\"k\",\"schema\":{\"@id\":\"dtmi:k;1\",\"@type\":"          \
    "\"Interface\",\"contents\":[" contents "]}}"
#define OBJECT(fields) "{\"@type\":\"Object\",\"fields\":[" fields "]}"
#define FIELD(name, schema) "{\"name\":\"" name "\",\"schema\":" schema "}"
#define ENUM(values) "{\"@type\":\"Enum\",\"valueSchema\":\"integer\",\"enumValues\":[" values "]}"
#define VALUE(name, number) "{\"name\":\"" name "\",\"enumValue\":" number "}"
#define ARRAY(schema) "{\"@type\":\"Array\",\"elementSchema\":" schema "}"
#define MAP(schema)                                                                                \
    "{\"@type\":\"Map\",\"mapKey\":{\"name\":\"k\",\"schema\":\"string\"},\"mapValue\":{"          \
    "\"name\":\"v\",\"schema\":" schema "}}"

/* One change each; the contents before and after. */
static const struct change_row {
    const char *name, *before, *after;
    enum dtdl_change_kind kind;
    const char *where, *text; /* where: the capability, with its component */
} rows[] = {
    {"telemetry added", "", KELVIN, DTDL_ADDITIVE, "t", "Telemetry was added"},
    {"telemetry removed", KELVIN, "", DTDL_BREAKING, "t", "Telemetry was removed"},
    {"component added", "", COMPONENT(KELVIN), DTDL_ADDITIVE, "k", "Component was added"},
    {"component removed", COMPONENT(KELVIN), "", DTDL_BREAKING, "k", "Component was removed"},
    {"added in a component", COMPONENT(""), COMPONENT(KELVIN), DTDL_ADDITIVE, "k.t",
     "Telemetry was added"},
    {"removed in a component", COMPONENT(KELVIN), COMPONENT(""), DTDL_BREAKING, "k.t",
     "Telemetry was removed"},
    {"another kind", TELEMETRY("\"string\""),
     "{\"@type\":\"Property\",\"name\":\"t\",\"schema\":\"string\"}", DTDL_BREAKING, "t",
     "Telemetry became Property"},
    {"schema", TELEMETRY("\"integer\""), TELEMETRY("\"long\""), DTDL_BREAKING, "t",
     "schema: the schema integer became long"},
    {"schema in a component", COMPONENT(TELEMETRY("\"integer\"")), COMPONENT(TELEMETRY("\"long\"")),
     DTDL_BREAKING, "k.t", "schema: the schema integer became long"},
    {"unit", KELVIN,
     "{\"@type\":[\"Telemetry\",\"Temperature\"],\"name\":\"t\",\"schema\":\"double\","
     "\"unit\":\"degreeCelsius\"}",
     DTDL_BREAKING, "t", "schema: the unit kelvin became degreeCelsius"},
    {"writable no more", PROPERTY(",\"writable\":true"), PROPERTY(""), DTDL_BREAKING, "p",
     "is not writable any more"},
    {"writable", PROPERTY(""), PROPERTY(",\"writable\":true"), DTDL_ADDITIVE, "p",
     "became writable"},
    {"cloud property", PROPERTY(""),
     "{\"@type\":[\"Property\",\"Cloud\"],\"name\":\"p\",\"schema\":\"string\"}", DTDL_BREAKING,
     "p", "became a cloud property"},
    {"event", TELEMETRY("\"string\""),
     "{\"@type\":[\"Telemetry\",\"Event\"],\"name\":\"t\",\"schema\":\"string\"}", DTDL_ADDITIVE,
     "t", "became Event"},
    {"event no more", "{\"@type\":[\"Telemetry\",\"Event\"],\"name\":\"t\",\"schema\":\"string\"}",
     TELEMETRY("\"string\""), DTDL_BREAKING, "t", "is no Event any more"},
    {"queued", COMMAND(""), COMMAND(",\"durable\":true"), DTDL_ADDITIVE, "c",
     "became queued if offline"},
    {"request added", COMMAND(""), COMMAND(PAYLOAD("request", "\"double\"")), DTDL_BREAKING, "c",
     "has a request"},
    {"request removed", COMMAND(PAYLOAD("request", "\"double\"")), COMMAND(""), DTDL_BREAKING, "c",
     "lost the request"},
    {"request changed", COMMAND(PAYLOAD("request", "\"double\"")),
     COMMAND(PAYLOAD("request", "\"float\"")), DTDL_BREAKING, "c",
     "request: the schema double became float"},
    {"response added", COMMAND(""), COMMAND(PAYLOAD("response", "\"double\"")), DTDL_ADDITIVE, "c",
     "has a response"},
    {"field added", TELEMETRY(OBJECT(FIELD("b", "\"long\""))),
     TELEMETRY(OBJECT(FIELD("b", "\"long\"") "," FIELD("a", "\"long\""))), DTDL_ADDITIVE, "t",
     "schema: has the field a"},
    {"field removed", TELEMETRY(OBJECT(FIELD("b", "\"long\"") "," FIELD("a", "\"long\""))),
     TELEMETRY(OBJECT(FIELD("b", "\"long\""))), DTDL_BREAKING, "t", "schema: lost the field a"},
    {"field changed", TELEMETRY(OBJECT(FIELD("a", "\"long\""))),
     TELEMETRY(OBJECT(FIELD("a", "\"string\""))), DTDL_BREAKING, "t",
     "schema.a: the schema long became string"},
    {"elements changed", TELEMETRY(ARRAY(OBJECT(FIELD("a", "\"long\"")))),
     TELEMETRY(ARRAY(OBJECT(FIELD("a", "\"string\"")))), DTDL_BREAKING, "t",
     "schema[].a: the schema long became string"},
    {"map changed", TELEMETRY(MAP("\"long\"")), TELEMETRY(MAP("\"string\"")), DTDL_BREAKING, "t",
     "schema[]: the schema long became string"},
    {"enum value added", TELEMETRY(ENUM(VALUE("a", "1"))),
     TELEMETRY(ENUM(VALUE("b", "0") "," VALUE("a", "1"))), DTDL_ADDITIVE, "t",
     "schema: has the value 0"},
    {"enum value removed", TELEMETRY(ENUM(VALUE("b", "0") "," VALUE("a", "1"))),
     TELEMETRY(ENUM(VALUE("a", "1"))), DTDL_BREAKING, "t", "schema: lost the value 0"},
    {"enum value renamed", TELEMETRY(ENUM(VALUE("a", "1"))), TELEMETRY(ENUM(VALUE("b", "1"))),
     DTDL_BREAKING, "t", "schema: the value named a became b"},
    {"target", RELATIONSHIP(",\"target\":\"dtmi:x;1\""), RELATIONSHIP(",\"target\":\"dtmi:x;2\""),
     DTDL_BREAKING, "r", "has another target"},
    {"any target", RELATIONSHIP(",\"target\":\"dtmi:x;1\""), RELATIONSHIP(""), DTDL_ADDITIVE, "r",
     "has another target"},
    {"fewer", RELATIONSHIP(""), RELATIONSHIP(",\"maxMultiplicity\":1"), DTDL_BREAKING, "r",
     "may have 1 instead of 500"},
    {"more", RELATIONSHIP(",\"maxMultiplicity\":1"), RELATIONSHIP(""), DTDL_ADDITIVE, "r",
     "may have 500 instead of 1"},
    {"relationship's property added", RELATIONSHIP(""),
     RELATIONSHIP(",\"properties\":[" PROPERTY("") "]"), DTDL_ADDITIVE, "r", "has the property p"},
    {"relationship's property removed", RELATIONSHIP(",\"properties\":[" PROPERTY("") "]"),
     RELATIONSHIP(""), DTDL_BREAKING, "r", "lost the property p"},
    {"now understood", "{\"@type\":\"Gadget\",\"name\":\"t\"}", KELVIN, DTDL_ADDITIVE, "t",
     "unknown became Telemetry"},
};

static void open_contents(struct model_fixture *f, struct buf *text, const char *contents)
{
    buf_printf(text, HEAD "%s]}", contents);
    if (model_read(f, buf_slice(text)) != ST_OK)
        fail_msg("%s in %.*s", f->why.text, SLICE_FMT(buf_slice(text)));
}

static bool is_at(const struct dtdl_change *change, const char *where)
{
    slice component = slice_str(where), name = slice_split(&component, '.');

    if (component.ptr) {
        slice swap = name;

        name = component;
        component = swap;
    }
    return slice_equal(change->component, component) && slice_equal(change->name, name);
}

static void check_row(const struct change_row *row)
{
    struct model_fixture MODEL_CLEANUP before = {0}, MODEL_CLEANUP after = {0};
    struct buf BUF_CLEANUP old = {.max = 1 << 16}, BUF_CLEANUP new = {.max = 1 << 16};
    struct dtdl_changes changes;

    open_contents(&before, &old, row->before);
    open_contents(&after, &new, row->after);
    assert_int_equal(dtdl_compare(before.model, after.model, &after.arena, &changes, NULL), ST_OK);
    if (changes.count != 1)
        fail_msg("%s: %zu changes", row->name, changes.count);
    if (changes.list[0].kind != row->kind ||
        changes.breaking != (row->kind == DTDL_BREAKING ? 1 : 0) ||
        changes.additive != (row->kind == DTDL_ADDITIVE ? 1 : 0))
        fail_msg("%s: breaking=%zu", row->name, changes.breaking);
    if (!is_at(&changes.list[0], row->where) ||
        !slice_equal(changes.list[0].text, slice_str(row->text)))
        fail_msg("%s: got %.*s.%.*s: %.*s", row->name, SLICE_FMT(changes.list[0].component),
                 SLICE_FMT(changes.list[0].name), SLICE_FMT(changes.list[0].text));
}

static void C085_changes_are_additive_or_breaking(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        check_row(&rows[i]);
}

static void C085_a_renamed_capability_went_and_came(void **state)
{
    struct model_fixture MODEL_CLEANUP before = {0}, MODEL_CLEANUP after = {0};
    struct buf BUF_CLEANUP old = {.max = 1 << 16}, BUF_CLEANUP new = {.max = 1 << 16};
    struct dtdl_changes changes;

    (void)state;
    open_contents(&before, &old, "{\"@type\":\"Command\",\"name\":\"start\"}");
    open_contents(&after, &new, "{\"@type\":\"Command\",\"name\":\"begin\"}");
    assert_int_equal(dtdl_compare(before.model, after.model, &after.arena, &changes, NULL), ST_OK);
    assert_int_equal(changes.additive, 1);
    assert_int_equal(changes.breaking, 1);
    assert_true(is_at(&changes.list[0], "begin"));
    assert_true(is_at(&changes.list[1], "start"));
}

/* Inherited or its own, in whatever order, with whatever texts for people: the same. */
static void what_people_read_is_no_change(void **state)
{
    static const char before[] =
        HEAD "{\"@type\":\"Command\",\"name\":\"a\",\"displayName\":\"A\"}," KELVIN "]}";
    static const char after[] =
        "{\"@context\":\"dtmi:dtdl:context;2\",\"@id\":\"dtmi:a;2\",\"@type\":\"Interface\","
        "\"comment\":\"new\",\"extends\":{\"@id\":\"dtmi:b;1\",\"@type\":\"Interface\","
        "\"contents\":[" KELVIN "]},\"contents\":[{\"@type\":\"Command\",\"name\":\"a\","
        "\"description\":\"does\"}]}";
    struct model_fixture MODEL_CLEANUP f = {0}, MODEL_CLEANUP g = {0};
    struct dtdl_changes changes;

    (void)state;
    model_open(&f, before);
    model_open(&g, after);
    assert_int_equal(dtdl_compare(f.model, g.model, &g.arena, &changes, NULL), ST_OK);
    assert_int_equal(changes.breaking + changes.additive, 0);
    assert_int_equal(dtdl_compare(f.model, f.model, &g.arena, &changes, NULL), ST_OK);
    assert_int_equal(changes.breaking + changes.additive, 0);
}

/* Ten objects of thirty fields each, every field the next object: 30^4 ways through them. */
static void write_thicket(struct buf *to, const char *leaf)
{
    buf_append_str(to, "{\"@context\":\"dtmi:dtdl:context;2\",\"@id\":\"dtmi:a;1\",\"@type\":"
                       "\"Interface\",\"schemas\":[");
    for (size_t s = 0; s < 5; s++) {
        buf_printf(to, "%s{\"@id\":\"dtmi:s%zu;1\",\"@type\":\"Object\",\"fields\":[", s ? "," : "",
                   s);
        for (size_t f = 0; f < 30; f++) {
            buf_printf(to, "%s{\"name\":\"f%zu\",\"schema\":", f ? "," : "", f);
            if (s < 4)
                buf_printf(to, "\"dtmi:s%zu;1\"}", s + 1);
            else
                buf_printf(to, "\"%s\"}", leaf);
        }
        buf_append_str(to, "]}");
    }
    buf_append_str(to, "],\"contents\":[" TELEMETRY("\"dtmi:s0;1\"") "]}");
}

static void comparing_stops_in_a_thicket(void **state)
{
    struct model_fixture MODEL_CLEANUP f = {0}, MODEL_CLEANUP g = {0};
    struct buf BUF_CLEANUP old = {.max = 1 << 20}, BUF_CLEANUP new = {.max = 1 << 20};
    struct dtdl_changes changes;

    (void)state;
    write_thicket(&old, "double");
    write_thicket(&new, "float");
    assert_int_equal(model_read(&f, buf_slice(&old)), ST_OK);
    assert_int_equal(model_read(&g, buf_slice(&new)), ST_OK);
    assert_int_equal(dtdl_compare(f.model, g.model, &g.arena, &changes, NULL), ST_OK);
    assert_int_equal(changes.count, DTDL_CHANGES_MAX);
    assert_true(changes.breaking > DTDL_CHANGES_MAX && changes.breaking <= 100001);
}

static void a_full_arena_is_a_status(void **state)
{
    struct model_fixture MODEL_CLEANUP f = {0};
    struct arena ARENA_CLEANUP arena = {.max = 100};
    struct dtdl_changes changes;

    (void)state;
    model_open(&f, HEAD KELVIN "]}");
    assert_int_equal(dtdl_compare(f.model, f.model, &arena, &changes, NULL), ST_NO_MEMORY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(C085_changes_are_additive_or_breaking),
        cmocka_unit_test(C085_a_renamed_capability_went_and_came),
        cmocka_unit_test(what_people_read_is_no_change),
        cmocka_unit_test(comparing_stops_in_a_thicket),
        cmocka_unit_test(a_full_arena_is_a_status),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
