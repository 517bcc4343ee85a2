#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "codec/dtdl_fixture.h"

/* --- whole models --------------------------------------------------------------------------- */

static const char thermostat[] =
    "{" V2 "\"@id\":\"dtmi:muster:test:Thermostat;1\",\"@type\":\"Interface\","
    "\"displayName\":{\"en\":\"Thermostat\",\"de\":\"Temperaturregler\"},"
    "\"description\":\"Keeps a room warm\",\"contents\":["
    "{\"@type\":[\"Telemetry\",\"Temperature\"],\"name\":\"temperature\",\"schema\":\"double\","
    "\"unit\":\"degreeCelsius\"},"
    "{\"@type\":[\"Property\",\"Temperature\"],\"name\":\"targetTemperature\","
    "\"schema\":\"double\",\"unit\":\"degreeCelsius\",\"writable\":true},"
    "{\"@type\":\"Property\",\"name\":\"highestSinceReboot\",\"schema\":\"double\"},"
    "{\"@type\":\"Command\",\"name\":\"report\",\"commandType\":\"synchronous\","
    "\"request\":{\"name\":\"since\",\"schema\":\"dateTime\"},"
    "\"response\":{\"name\":\"figures\",\"schema\":{\"@type\":\"Object\",\"fields\":["
    "{\"name\":\"highest\",\"schema\":\"double\"},{\"name\":\"until\",\"schema\":\"dateTime\"}]}}}"
    "]}";

static void a_thermostat_reads(void **state)
{
    struct model_fixture MODEL_CLEANUP f = {0};
    const struct dtdl_content *content;

    (void)state;
    model_open(&f, thermostat);
    assert_int_equal(f.report.notes.count, 0);
    assert_false(f.model->is_template);
    assert_int_equal(f.model->root->version, DTDL_V2);
    assert_int_equal(f.model->root->all_count, 4);
    assert_true(slice_equal(f.model->root->element.display_name.text, SLICE("Thermostat")));
    assert_true(slice_equal(dtdl_text_in(&f.model->root->element.display_name, SLICE("de")),
                            SLICE("Temperaturregler")));
    assert_true(slice_equal(dtdl_text_in(&f.model->root->element.display_name, SLICE("fr")),
                            SLICE("Thermostat")));

    content = dtdl_content_find(f.model->root, SLICE("temperature"));
    assert_int_equal(content->kind, DTDL_TELEMETRY);
    assert_int_equal(content->typed.schema->kind, DTDL_DOUBLE);
    assert_string_equal(content->typed.semantic->name, "Temperature");
    assert_true(slice_equal(content->typed.unit, SLICE("degreeCelsius")));
    assert_true(dtdl_content_find(f.model->root, SLICE("targetTemperature"))->writable);
    assert_false(dtdl_content_find(f.model->root, SLICE("highestSinceReboot"))->writable);

    content = dtdl_content_find(f.model->root, SLICE("report"));
    assert_int_equal(content->kind, DTDL_COMMAND);
    assert_false(content->durable);
    assert_int_equal(content->request->schema->kind, DTDL_DATE_TIME);
    assert_int_equal(content->response->schema->part_count, 2);
    assert_int_equal(dtdl_field_find(content->response->schema, SLICE("until"))->schema->kind,
                     DTDL_DATE_TIME);
    assert_null(dtdl_field_find(content->response->schema, SLICE("lowest")));
    assert_null(dtdl_content_find(f.model->root, SLICE("Temperature")));
}

/* As files export it: the root first or last, its parts beside it. */
static void components_are_found_in_the_document(void **state)
{
    static const char controller[] =
        "{" V2 "\"@id\":\"dtmi:muster:test:Controller;1\",\"@type\":\"Interface\",\"contents\":["
        "{\"@type\":[\"Telemetry\",\"DataSize\"],\"name\":\"workingSet\",\"schema\":\"long\","
        "\"unit\":\"kibibyte\"},"
        "{\"@type\":\"Component\",\"name\":\"north\",\"schema\":\"dtmi:muster:test:Thermostat;1\"},"
        "{\"@type\":\"Component\",\"name\":\"south\",\"schema\":\"dtmi:muster:test:Thermostat;1\"},"
        "{\"@type\":\"Command\",\"name\":\"reboot\","
        "\"request\":{\"name\":\"delay\",\"schema\":\"integer\"}}]}";
    static const char *const orders[][2] = {{controller, thermostat}, {thermostat, controller}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(orders); i++) {
        struct model_fixture MODEL_CLEANUP f = {0};
        struct buf BUF_CLEANUP text = {.max = 1 << 16};
        const struct dtdl_content *north, *south;

        buf_printf(&text, "[%s,%s]", orders[i][0], orders[i][1]);
        assert_int_equal(model_read(&f, buf_slice(&text)), ST_OK);
        assert_true(slice_equal(f.model->root->element.id, SLICE("dtmi:muster:test:Controller;1")));
        assert_int_equal(f.model->interface_count, 2);
        north = dtdl_content_find(f.model->root, SLICE("north"));
        south = dtdl_content_find(f.model->root, SLICE("south"));
        assert_ptr_equal(north->interface, south->interface);
        assert_ptr_equal(north->interface,
                         dtdl_interface_find(f.model, SLICE("dtmi:muster:test:Thermostat;1")));
        assert_non_null(dtdl_content_find(north->interface, SLICE("temperature")));
    }
}

/* As the cloud writes a template: contexts in its order, identifiers that are no DTMIs, an
 * interface written out wherever it is used, editors' members, no @context inside. */
static const char cloud_template[] =
    "{\"@context\":[\"dtmi:iotcentral:context;2\",\"dtmi:dtdl:context;2\"],"
    "\"@id\":\"dtmi:modelDefinition:muster:pump\",\"@type\":[\"DeviceModel\",\"ModelDefinition\"],"
    "\"displayName\":\"Pump\",\"etag\":\"x\",\"capabilityModel\":{"
    "\"@id\":\"dtmi:muster:Pump;3\",\"@type\":\"Interface\",\"displayName\":\"Pump\","
    "\"extends\":[{\"@id\":\"dtmi:muster:Base;1\",\"@type\":\"Interface\",\"contents\":["
    "{\"@type\":[\"Telemetry\",\"Event\",\"EventValue\"],\"name\":\"overheated\","
    "\"schema\":\"integer\",\"severity\":\"warning\"},"
    "{\"@type\":[\"Property\",\"Initialized\"],\"name\":\"interval\",\"schema\":\"integer\","
    "\"writable\":true,\"initialValue\":5}]}],"
    "\"contents\":["
    "{\"@id\":\"urn:muster:pump:speed:2\",\"@type\":\"Telemetry\",\"name\":\"speed\","
    "\"schema\":\"double\"},"
    "{\"@type\":[\"Cloud\",\"Property\",\"StringValue\"],\"name\":\"customer\","
    "\"schema\":\"string\",\"minLength\":3},"
    "{\"@type\":[\"Telemetry\",\"State\"],\"name\":\"mode\",\"schema\":{\"@type\":\"Enum\","
    "\"valueSchema\":\"string\",\"enumValues\":[{\"name\":\"on\",\"enumValue\":\"ON\"},"
    "{\"name\":\"off\",\"enumValue\":\"OFF\",\"displayName\":\"Off\"}]}},"
    "{\"@type\":[\"Property\",\"Location\"],\"name\":\"place\",\"schema\":\"geopoint\"},"
    "{\"@type\":[\"Telemetry\",\"AccelerationVector\"],\"name\":\"shake\",\"schema\":\"vector\","
    "\"unit\":\"gForce\"},"
    "{\"@type\":\"Command\",\"name\":\"restart\",\"durable\":true},"
    "{\"@type\":\"Component\",\"name\":\"_x1\",\"schema\":{\"@id\":\"dtmi:muster:_x1;1\","
    "\"@type\":\"Interface\",\"contents\":[{\"@type\":\"Telemetry\",\"name\":\"level\","
    "\"schema\":\"float\"}]}},"
    "{\"@type\":\"Component\",\"name\":\"other\",\"schema\":{\"@id\":\"dtmi:muster:_x1;1\","
    "\"@type\":\"Interface\",\"contents\":[{\"@type\":\"Telemetry\",\"name\":\"level\","
    "\"schema\":\"float\"}]}},"
    "{\"@type\":[\"Relationship\",\"EdgeModule\"],\"name\":\"module\",\"maxMultiplicity\":1,"
    "\"target\":[{\"@id\":\"dtmi:muster:Module;1\",\"@type\":\"Interface\",\"contents\":["
    "{\"@type\":\"Telemetry\",\"name\":\"beats\",\"schema\":\"long\"}]}]}"
    "]}}";

static void C082_a_template_of_the_cloud_reads(void **state)
{
    struct model_fixture MODEL_CLEANUP f = {0};
    const struct dtdl_interface *root;
    const struct dtdl_content *content;
    const struct json *value;

    (void)state;
    model_open(&f, cloud_template);
    root = f.model->root;
    assert_true(f.model->is_template);
    assert_int_equal(f.model->types, DTDL_MODEL_DEFINITION | DTDL_DEVICE_MODEL);
    assert_true(slice_equal(f.model->element.id, SLICE("dtmi:modelDefinition:muster:pump")));
    assert_true(slice_equal(root->element.id, SLICE("dtmi:muster:Pump;3")));
    assert_int_equal(f.model->interface_count, 4); /* Pump, Base, _x1 once, Module */
    assert_int_equal(root->all_count, 11);

    content = dtdl_content_find(root, SLICE("overheated"));
    assert_int_equal(content->typed.element.markers, DTDL_EVENT | DTDL_EDITOR);
    assert_true(slice_equal(dtdl_extra_find(&content->typed.element, SLICE("severity"))->text,
                            SLICE("warning")));
    assert_ptr_equal(content->owner, root->bases[0]);
    value = dtdl_extra_find(&dtdl_content_find(root, SLICE("interval"))->typed.element,
                            SLICE("initialValue"));
    assert_true(slice_equal(value->raw, SLICE("5")));
    assert_int_equal(dtdl_content_find(root, SLICE("customer"))->typed.element.markers,
                     DTDL_CLOUD | DTDL_EDITOR);
    assert_int_equal(dtdl_content_find(root, SLICE("place"))->typed.schema->kind, DTDL_GEOPOINT);
    assert_true(slice_equal(dtdl_content_find(root, SLICE("shake"))->typed.unit, SLICE("gForce")));
    assert_true(dtdl_content_find(root, SLICE("restart"))->durable);
    assert_ptr_equal(dtdl_content_find(root, SLICE("_x1"))->interface,
                     dtdl_content_find(root, SLICE("other"))->interface);
    content = dtdl_content_find(root, SLICE("module"));
    assert_int_equal(content->typed.element.markers, DTDL_EDGE_MODULE);
    assert_true(slice_equal(content->target, SLICE("dtmi:muster:Module;1")));
    assert_non_null(dtdl_content_find(content->interface, SLICE("beats")));

    content = dtdl_content_find(root, SLICE("mode"));
    value = json_member(content->typed.schema->values[1].element.source, SLICE("enumValue"));
    assert_true(slice_equal(dtdl_enum_find(content->typed.schema, value)->element.display_name.text,
                            SLICE("Off")));

    /* All it found odd: the cloud's own names of components. */
    assert_int_equal(f.report.notes.count, 2);
    assert_true(model_was_told(&f.report.notes, "capabilityModel.contents[6].name",
                               "'_x1': begins with an underscore"));
    assert_true(model_was_told(&f.report.notes, "capabilityModel.contents[6].schema.@id",
                               "begins with an underscore"));
}

static void C081_what_is_not_understood_is_kept(void **state)
{
    static const char text[] =
        "{\"@context\":[\"dtmi:dtdl:context;2\",\"dtmi:muster:other;1\"],"
        "\"@id\":\"dtmi:a;1\",\"@type\":[\"Interface\",\"Fancy\"],\"frill\":{\"x\":[1.50,null]},"
        "\"contents\":[{\"@type\":[\"Property\",\"Commercial\"],\"name\":\"p\","
        "\"schema\":\"double\",\"brand\":\"B\"},"
        "{\"@type\":\"Gadget\",\"name\":\"g\",\"parts\":[{\"deep\":true}]}]}";
    struct model_fixture MODEL_CLEANUP f = {0};
    struct buf BUF_CLEANUP out = {.max = 1 << 16};
    const struct dtdl_content *content;

    (void)state;
    model_open(&f, text);
    json_write(f.model->root->element.source, &out);
    assert_true(slice_equal(buf_slice(&out), slice_str(text)));
    content = dtdl_content_find(f.model->root, SLICE("p"));
    assert_true(slice_equal(content->typed.element.extras->name, SLICE("Commercial")));
    assert_null(content->typed.element.extras->value);
    assert_true(slice_equal(content->typed.element.extras->next->name, SLICE("brand")));
    content = dtdl_content_find(f.model->root, SLICE("g"));
    assert_int_equal(content->kind, DTDL_UNKNOWN_CONTENT);
    assert_true(
        slice_starts_with(content->typed.element.source->raw, SLICE("{\"@type\":\"Gadget")));
    assert_true(model_was_told(&f.report.notes, "@context[1]", "an extension not known here"));
    assert_true(model_was_told(&f.report.notes, "@type[1]", "the type 'Fancy' is not known"));
    assert_true(model_was_told(&f.report.notes, "frill", "is not known here and is kept"));
    assert_true(model_was_told(&f.report.notes, "contents[0].brand", "'p': is not known here"));
    assert_true(model_was_told(&f.report.notes, "contents[1]", "'g': is of a type not known"));
    assert_int_equal(f.report.notes.count, 6);
}

/* --- documents, row by row ------------------------------------------------------------------ */

static void documents_have_a_form(void **state)
{
    static const struct model_row rows[] = {
        {"one interface", "{" V2 INTERFACE "\"comment\":\"\"}", NULL, NULL},
        {"array of one", "[{" V3 INTERFACE "\"comment\":\"\"}]", NULL, NULL},
        {"array of none", "[]", "", "has no interface"},
        {"a number", "1", "", "must be an interface"},
        {"array of numbers", "[1]", "[0]", "must be an interface"},
        {"no @context", "{" INTERFACE "\"comment\":\"\"}", "", "the @context is missing"},
        {"language of version 1",
         "{\"@context\":\"http://azureiot.com/v1/contexts/IoTModel.json\"," INTERFACE
         "\"comment\":\"\"}",
         "@context", "is not a context of version 2 or 3"},
        {"context of version 1",
         "{\"@context\":\"dtmi:dtdl:context;1\"," INTERFACE "\"comment\":\"\"}", "@context",
         "must be version 2 or 3"},
        {"context of version 4",
         "{\"@context\":\"dtmi:dtdl:context;4\"," INTERFACE "\"comment\":\"\"}", NULL, NULL},
        {"context that is no string", "{\"@context\":[1]," INTERFACE "\"comment\":\"\"}",
         "@context[0]", "is not a context"},
        {"no @id", "{" V2 "\"@type\":\"Interface\"}", "", "the @id is missing"},
        {"no @type", "{" V2 "\"@id\":\"dtmi:a;1\"}", "", "the @type must be Interface"},
        {"@id without a version", "{" V2 "\"@id\":\"dtmi:a\",\"@type\":\"Interface\"}", "@id",
         "is no DTMI of version 2"},
        {"@id without a version in 3", "{" V3 "\"@id\":\"dtmi:a\",\"@type\":\"Interface\"}", NULL,
         NULL},
        {"@id with a minor part in 3", "{" V3 "\"@id\":\"dtmi:a;1.2\",\"@type\":\"Interface\"}",
         NULL, NULL},
        {"@id of the language", "{" V2 "\"@id\":\"dtmi:dtdl:a;1\",\"@type\":\"Interface\"}", "@id",
         "begins with a prefix that the language keeps"},
        {"template without @type", "{\"capabilityModel\":{" V2 INTERFACE "\"comment\":\"\"}}", "",
         "the @type must have ModelDefinition and DeviceModel"},
        {"template of a number", "{\"@type\":\"DeviceModel\",\"capabilityModel\":1}",
         "capabilityModel", "must be an interface"},
        {"template without @context",
         "{\"@type\":\"DeviceModel\",\"capabilityModel\":{" INTERFACE
         "\"contents\":{\"@type\":\"Telemetry\",\"name\":\"t\",\"schema\":\"geopoint\"}}}",
         NULL, NULL},
        {"template with an interface's @context",
         "{\"@type\":\"DeviceModel\",\"capabilityModel\":"
         "{" V3 INTERFACE "\"comment\":\"\"}}",
         NULL, NULL},
        {"same interface twice",
         "[{" V2 INTERFACE "\"comment\":\"x\"},{" V2 INTERFACE "\"comment\":\"x\"}]", NULL, NULL},
        {"two of one @id",
         "[{" V2 INTERFACE "\"comment\":\"x\"},{" V2 INTERFACE "\"comment\":\"y\"}]", "[1]",
         "is defined twice, and differently"},
        {"text that is a number", "{" V2 INTERFACE "\"displayName\":1}", "displayName",
         "must be a string, or one for each language"},
        {"language that is a number", "{" V2 INTERFACE "\"displayName\":{\"en\":1}}",
         "displayName.en", "must be a string"},
        {"null says nothing", "{" V2 INTERFACE "\"displayName\":null,\"contents\":null}", NULL,
         NULL},
    };

    (void)state;
    model_check_rows(rows, COUNT_OF(rows));
}

static void every_semantic_type_has_units(void **state)
{
    const struct dtdl_semantic *semantic;
    size_t v2 = 0, all = 0;

    (void)state;
    for (; (semantic = dtdl_semantic_at(all)); all++) {
        slice name = slice_str(semantic->name), units = dtdl_semantic_units(semantic, DTDL_V2);
        slice first = slice_split(&units, ' ');

        assert_ptr_equal(dtdl_semantic_find(name, DTDL_V3), semantic);
        assert_ptr_equal(dtdl_semantic_find(name, DTDL_V2),
                         semantic->since == DTDL_V2 ? semantic : NULL);
        if (semantic->since != DTDL_V2)
            continue;
        v2++;
        if (!dtdl_semantic_has_unit(semantic, first, DTDL_V2))
            fail_msg("%s: has no units", semantic->name);
    }
    assert_int_equal(v2, 42);
    assert_int_equal(all, 52);
    assert_false(dtdl_semantic_has_unit(dtdl_semantic_at(0), SLICE(""), DTDL_V3));
    assert_null(dtdl_semantic_find(SLICE("temperature"), DTDL_V3));
}

/* --- inheritance ---------------------------------------------------------------------------- */

#define NAMED(id, rest) "{" V2 "\"@id\":\"dtmi:" id ";1\",\"@type\":\"Interface\"," rest "}"
#define HAS(name) "\"contents\":[{\"@type\":\"Command\",\"name\":\"" name "\"}]"

static void contents_are_inherited_nearest_first_and_once(void **state)
{
    static const char diamond[] =
        "[" NAMED("a", "\"extends\":[\"dtmi:b;1\",\"dtmi:c;1\"]," HAS("own")) "," NAMED(
            "b", "\"extends\":\"dtmi:d;1\"," HAS(
                     "left")) "," NAMED("c",
                                        "\"extends\":\"dtmi:d;1\"," HAS(
                                            "right")) "," NAMED("d", HAS("far")) "]";
    static const char *const order[] = {"own", "left", "right", "far"};
    struct model_fixture MODEL_CLEANUP f = {0};
    const struct dtdl_interface *root;

    (void)state;
    model_open(&f, diamond);
    root = f.model->root;
    assert_int_equal(root->content_count, 1);
    assert_int_equal(root->all_count, COUNT_OF(order));
    for (size_t i = 0; i < COUNT_OF(order); i++)
        assert_true(slice_equal(root->all[i]->typed.element.name, slice_str(order[i])));
    assert_true(
        slice_equal(dtdl_content_find(root, SLICE("far"))->owner->element.id, SLICE("dtmi:d;1")));
}

static void inheritance_has_rules(void **state)
{
    static const struct model_row rows[] = {
        {"of nothing there", NAMED("a", "\"extends\":\"dtmi:b;1\""), "extends",
         "no interface of that @id"},
        {"of a number", NAMED("a", "\"extends\":[1]"), "extends[0]", "must be an interface"},
        {"own name against a base's",
         "[" NAMED("a", "\"extends\":\"dtmi:b;1\"," HAS("x")) "," NAMED("b", HAS("x")) "]",
         "[0].contents[0]", "'x': has the name of a content of dtmi:b;1"},
        {"two bases with a name",
         "[" NAMED("a", "\"extends\":[\"dtmi:b;1\",\"dtmi:c;1\"]") "," NAMED(
             "b", HAS("x")) "," NAMED("c", HAS("x")) "]",
         "[0]", "'dtmi:a;1': inherits two contents of the name 'x'"},
        {"itself", NAMED("a", "\"extends\":\"dtmi:a;1\""), "", "more than 10 levels, or itself"},
        {"each other",
         "[" NAMED("a", "\"extends\":\"dtmi:b;1\"") "," NAMED("b", "\"extends\":\"dtmi:a;1\"") "]",
         "[1]", "more than 10 levels, or itself"},
        {"version 3 out of 2",
         "[{" V2 INTERFACE "\"extends\":\"dtmi:b;1\"},{" V3
         "\"@id\":\"dtmi:b;1\",\"@type\":\"Interface\"}]",
         "[0].extends", "is of a later version of the language"},
        {"version 2 out of 3",
         "[{" V3 INTERFACE "\"extends\":\"dtmi:b;1\"},{" V2
         "\"@id\":\"dtmi:b;1\",\"@type\":\"Interface\"}]",
         NULL, NULL},
        {"component in a component",
         "[" NAMED(
             "a",
             "\"contents\":[{\"@type\":\"Component\","
             "\"name\":\"c\",\"schema\":\"dtmi:b;1\"}]") "," NAMED("b",
                                                                   "\"contents\":["
                                                                   "{\"@type\":\"Component\","
                                                                   "\"name\":\"d\","
                                                                   "\"schema\":\"dtmi:e;1\"}"
                                                                   "]") "," NAMED("e",
                                                                                  HAS("x")) "]",
         "[0].contents[0]", "'c': a component may not have components"},
        {"inherited component in a component",
         "[" NAMED(
             "a",
             "\"contents\":[{\"@type\":"
             "\"Component\",\"name\":\"c\",\"schema\":\"dtmi:b;1\"}]") "," NAMED("b",
                                                                                 "\"extends\":"
                                                                                 "\"dtmi:d;"
                                                                                 "1\"") "," NAMED("d",
                                                                                                  "\"contents\":["
                                                                                                  "{\"@type\":\"Component\",\"name\":\"d\",\"schema\":\"dtmi:e;1\"}]") "," NAMED("e",
                                                                                                                                                                                 HAS("x")) "]",
         "[0].contents[0]", "'c': a component may not have components"},
        {"component of a base",
         "[" NAMED("a", "\"extends\":\"dtmi:b;1\"") "," NAMED(
             "b", "\"contents\":[{\"@type\":"
                  "\"Component\",\"name\":\"d\","
                  "\"schema\":\"dtmi:e;1\"}]") "," NAMED("e", HAS("x")) "]",
         NULL, NULL},
    };

    (void)state;
    model_check_rows(rows, COUNT_OF(rows));
}

static void C090_reserved_telemetry_is_noted(void **state)
{
    struct model_fixture MODEL_CLEANUP f = {0};

    (void)state;
    model_open(&f, ONE(V2, "{\"@type\":\"Telemetry\",\"name\":\"PartitionId\","
                           "\"schema\":\"string\"}"));
    assert_true(model_was_told(&f.report.notes, "contents[0]",
                               "'PartitionId': telemetry of this name is ignored"));
    assert_true(dtdl_name_is_reserved(SLICE("$metadata")));
    assert_true(dtdl_name_is_reserved(SLICE("EventHub")));
    assert_false(dtdl_name_is_reserved(SLICE("user")));
}

/* An error in a long name of many bytes is still a text. */
static void long_names_are_cut_between_characters(void **state)
{
    struct model_fixture MODEL_CLEANUP f = {0};
    struct buf BUF_CLEANUP text = {.max = 1 << 16};

    (void)state;
    buf_append_str(&text, "{" V2 INTERFACE "\"contents\":[{\"@type\":\"Command\",\"name\":\"a");
    for (size_t i = 0; i < 100; i++)
        buf_append_str(&text, "\xe2\x82\xac");
    buf_append_str(&text, "\"}]}");
    assert_int_equal(model_read(&f, buf_slice(&text)), ST_BAD_REQUEST);
    assert_true(model_was_told(&f.report.errors, "contents[0].name", "\xe2\x82\xac': is longer"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_thermostat_reads),
        cmocka_unit_test(components_are_found_in_the_document),
        cmocka_unit_test(C082_a_template_of_the_cloud_reads),
        cmocka_unit_test(C081_what_is_not_understood_is_kept),
        cmocka_unit_test(documents_have_a_form),
        cmocka_unit_test(every_semantic_type_has_units),
        cmocka_unit_test(contents_are_inherited_nearest_first_and_once),
        cmocka_unit_test(inheritance_has_rules),
        cmocka_unit_test(C090_reserved_telemetry_is_noted),
        cmocka_unit_test(long_names_are_cut_between_characters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
