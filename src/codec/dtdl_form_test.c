/* What elements must look like, row by row: one thing wrong, or oddly right. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "codec/dtdl_fixture.h"

static void contents_have_a_form(void **state)
{
    static const struct model_row rows[] = {
        {"a single content",
         "{" V2 INTERFACE "\"contents\":{\"@type\":\"Telemetry\","
         "\"name\":\"t\",\"schema\":\"double\"}}",
         NULL, NULL},
        {"a number", ONE(V2, "1"), "contents[0]", "must be an object"},
        {"no @type", ONE(V2, "{\"name\":\"t\",\"schema\":\"double\"}"), "contents[0]",
         "'t': the @type is missing"},
        {"two types",
         ONE(V2, "{\"@type\":[\"Telemetry\",\"Property\"],\"name\":\"t\","
                 "\"schema\":\"double\"}"),
         "contents[0]", "is both Telemetry and Property"},
        {"@type in full",
         ONE(V2, "{\"@type\":\"dtmi:dtdl:class:Telemetry;2\",\"name\":\"t\","
                 "\"schema\":\"dtmi:dtdl:instance:Schema:double;2\"}"),
         NULL, NULL},
        {"telemetry without a name", ONE(V2, "{\"@type\":\"Telemetry\",\"schema\":\"double\"}"),
         "contents[0]", "the name is missing"},
        {"telemetry without a schema", ONE(V2, "{\"@type\":\"Telemetry\",\"name\":\"t\"}"),
         "contents[0]", "'t': the schema is missing"},
        {"name that is a number",
         ONE(V2, "{\"@type\":\"Telemetry\",\"name\":1,"
                 "\"schema\":\"double\"}"),
         "contents[0].name", "must be a string"},
        {"empty name", ONE(V2, "{\"@type\":\"Telemetry\",\"name\":\"\",\"schema\":\"double\"}"),
         "contents[0].name", "may have letters, digits and underscores only"},
        {"name of one letter",
         ONE(V2, "{\"@type\":\"Telemetry\",\"name\":\"t\","
                 "\"schema\":\"double\"}"),
         NULL, NULL},
        {"underscore first",
         ONE(V2, "{\"@type\":\"Telemetry\",\"name\":\"_t\","
                 "\"schema\":\"double\"}"),
         "contents[0].name", "begins with a letter"},
        {"underscore last",
         ONE(V2, "{\"@type\":\"Telemetry\",\"name\":\"t_\","
                 "\"schema\":\"double\"}"),
         "contents[0].name", "ends with a letter or digit"},
        {"digit first", ONE(V2, "{\"@type\":\"Property\",\"name\":\"1t\",\"schema\":\"double\"}"),
         "contents[0].name", "begins with a letter"},
        {"hyphen", ONE(V2, "{\"@type\":\"Command\",\"name\":\"a-b\"}"), "contents[0].name",
         "may have letters, digits and underscores only"},
        {"writable that is a string",
         ONE(V2, "{\"@type\":\"Property\",\"name\":\"p\","
                 "\"schema\":\"double\",\"writable\":\"yes\"}"),
         "contents[0].writable", "must be true or false"},
        {"array in a property",
         ONE(V2,
             "{\"@type\":\"Property\",\"name\":\"p\",\"schema\":"
             "{\"@type\":\"Object\",\"fields\":[{\"name\":\"f\",\"schema\":{\"@type\":\"Array\","
             "\"elementSchema\":\"double\"}}]}}"),
         "contents[0].schema", "may have no Array"},
        {"array in a property of 3",
         ONE(V3, "{\"@type\":\"Property\",\"name\":\"p\",\"schema\":"
                 "{\"@type\":\"Array\",\"elementSchema\":\"double\"}}"),
         NULL, NULL},
        {"point in a property",
         ONE(V2, "{\"@type\":\"Property\",\"name\":\"p\","
                 "\"schema\":\"point\"}"),
         "contents[0].schema", "nothing geospatial"},
        {"point in telemetry",
         ONE(V2, "{\"@type\":\"Telemetry\",\"name\":\"t\","
                 "\"schema\":\"point\"}"),
         NULL, NULL},
        {"request that is a string",
         ONE(V2, "{\"@type\":\"Command\",\"name\":\"c\","
                 "\"request\":\"double\"}"),
         "contents[0].request", "must be an object"},
        {"request without a name",
         ONE(V2, "{\"@type\":\"Command\",\"name\":\"c\","
                 "\"request\":{\"schema\":\"double\"}}"),
         "contents[0].request", "the name is missing"},
        {"payload of version 2",
         ONE(V2, "{\"@type\":\"Command\",\"name\":\"c\",\"request\":"
                 "{\"@type\":\"CommandPayload\",\"name\":\"r\",\"schema\":\"double\"}}"),
         NULL, NULL},
        {"payload of version 3",
         ONE(V3, "{\"@type\":\"Command\",\"name\":\"c\",\"response\":"
                 "{\"@type\":\"CommandResponse\",\"name\":\"r\",\"schema\":\"double\"}}"),
         NULL, NULL},
        {"component without a schema", ONE(V2, "{\"@type\":\"Component\",\"name\":\"c\"}"),
         "contents[0]", "the schema is missing"},
        {"component of nothing there",
         ONE(V2, "{\"@type\":\"Component\",\"name\":\"c\","
                 "\"schema\":\"dtmi:b;1\"}"),
         "contents[0].schema", "no interface of that @id"},
        {"component of a number", ONE(V2, "{\"@type\":\"Component\",\"name\":\"c\",\"schema\":1}"),
         "contents[0].schema", "must be an interface or the identifier of one"},
        {"component of itself",
         ONE(V2, "{\"@type\":\"Component\",\"name\":\"c\","
                 "\"schema\":\"dtmi:a;1\"}"),
         "contents[0]", "may not have components in it"},
        {"relationship",
         ONE(V2, "{\"@type\":\"Relationship\",\"name\":\"r\",\"minMultiplicity\":0,"
                 "\"maxMultiplicity\":500,\"target\":\"dtmi:nowhere;1\",\"writable\":true}"),
         NULL, NULL},
        {"relationship of none",
         ONE(V2, "{\"@type\":\"Relationship\",\"name\":\"r\","
                 "\"maxMultiplicity\":0}"),
         "contents[0].maxMultiplicity", "from 1 to 500"},
        {"multiplicity that is a string",
         ONE(V2, "{\"@type\":\"Relationship\",\"name\":\"r\","
                 "\"maxMultiplicity\":\"1\"}"),
         "contents[0].maxMultiplicity", "from 1 to 500"},
        {"telemetry in a relationship",
         ONE(V2,
             "{\"@type\":\"Relationship\",\"name\":\"r\","
             "\"properties\":[{\"@type\":\"Telemetry\",\"name\":\"t\",\"schema\":\"double\"}]}"),
         "contents[0].properties[0]", "must be a property"},
        {"properties of one name",
         ONE(V2, "{\"@type\":\"Relationship\",\"name\":\"r\","
                 "\"properties\":[{\"@type\":\"Property\",\"name\":\"p\",\"schema\":\"double\"},"
                 "{\"@type\":\"Property\",\"name\":\"p\",\"schema\":\"long\"}]}"),
         "contents[0].properties[1]", "another property has this name"},
        {"contents of one name",
         ONE(V2, "{\"@type\":\"Command\",\"name\":\"x\"},"
                 "{\"@type\":\"Relationship\",\"name\":\"x\"}"),
         "contents[1]", "'x': another content has this name"},
        {"names that differ in case",
         ONE(V2, "{\"@type\":\"Command\",\"name\":\"x\"},"
                 "{\"@type\":\"Command\",\"name\":\"X\"}"),
         NULL, NULL},
    };

    (void)state;
    model_check_rows(rows, COUNT_OF(rows));
}

#define TELEMETRY(schema) "{\"@type\":\"Telemetry\",\"name\":\"t\",\"schema\":" schema "}"

static void schemas_have_a_form(void **state)
{
    static const struct model_row rows[] = {
        {"no such word", ONE(V2, TELEMETRY("\"sting\"")), "contents[0].schema",
         "is no schema of the language"},
        {"word of a later version",
         ONE("\"@context\":\"dtmi:dtdl:context;4\",", TELEMETRY("\"uuid\"")), NULL, NULL},
        {"a number", ONE(V2, TELEMETRY("1")), "contents[0].schema", "must be a schema"},
        {"in brackets", ONE(V2, TELEMETRY("[\"double\"]")), NULL, NULL},
        {"an interface", ONE(V2, TELEMETRY("{\"@type\":\"Interface\",\"@id\":\"dtmi:b;1\"}")),
         "contents[0].schema", "is no schema of the language"},
        {"geopoint without its context", ONE(V2, TELEMETRY("\"geopoint\"")), "contents[0].schema",
         "needs dtmi:iotcentral:context;2"},
        {"vector", ONE(V2_CENTRAL, TELEMETRY("\"vector\"")), NULL, NULL},
        {"array of nothing", ONE(V2, TELEMETRY("{\"@type\":\"Array\"}")), "contents[0].schema",
         "the elementSchema is missing"},
        {"map without a key",
         ONE(V2, TELEMETRY("{\"@type\":\"Map\",\"mapValue\":{\"name\":\"v\","
                           "\"schema\":\"double\"}}")),
         "contents[0].schema", "the mapKey is missing"},
        {"map without a value",
         ONE(V2, TELEMETRY("{\"@type\":\"Map\",\"mapKey\":{\"name\":\"k\","
                           "\"schema\":\"string\"}}")),
         "contents[0].schema", "the mapValue is missing"},
        {"map by numbers",
         ONE(V2,
             TELEMETRY(
                 "{\"@type\":\"Map\",\"mapKey\":{\"name\":\"k\","
                 "\"schema\":\"integer\"},\"mapValue\":{\"name\":\"v\",\"schema\":\"double\"}}")),
         "contents[0].schema.mapKey.schema", "the key of a map must be a string"},
        {"map with a bad name",
         ONE(V2,
             TELEMETRY(
                 "{\"@type\":\"Map\",\"mapKey\":{\"name\":\"k-\","
                 "\"schema\":\"string\"},\"mapValue\":{\"name\":\"v\",\"schema\":\"double\"}}")),
         "contents[0].schema.mapKey.name", "may have letters"},
        {"object without fields", ONE(V2, TELEMETRY("{\"@type\":\"Object\",\"fields\":[]}")),
         "contents[0].schema.fields", "has no fields"},
        {"field that is a number", ONE(V2, TELEMETRY("{\"@type\":\"Object\",\"fields\":[1]}")),
         "contents[0].schema.fields[0]", "must be a field"},
        {"fields of one name",
         ONE(V2,
             TELEMETRY(
                 "{\"@type\":\"Object\",\"fields\":["
                 "{\"name\":\"f\",\"schema\":\"double\"},{\"name\":\"f\",\"schema\":\"long\"}]}")),
         "contents[0].schema.fields[1]", "another field has this name"},
        {"enum of doubles",
         ONE(V2, TELEMETRY("{\"@type\":\"Enum\",\"valueSchema\":\"double\","
                           "\"enumValues\":[{\"name\":\"a\",\"enumValue\":1}]}")),
         "contents[0].schema.valueSchema", "must be integer or string"},
        {"enum of what", ONE(V2, TELEMETRY("{\"@type\":\"Enum\",\"enumValues\":[]}")),
         "contents[0].schema", "the valueSchema is missing"},
        {"enum without values",
         ONE(V2, TELEMETRY("{\"@type\":\"Enum\",\"valueSchema\":"
                           "\"string\"}")),
         "contents[0].schema", "has no enumValues"},
        {"enum of strings with a number",
         ONE(V2, TELEMETRY("{\"@type\":\"Enum\",\"valueSchema\":"
                           "\"string\",\"enumValues\":[{\"name\":\"a\",\"enumValue\":1}]}")),
         "contents[0].schema.enumValues[0].enumValue", "must be a string"},
        {"enum beyond 32 bits",
         ONE(V2,
             TELEMETRY("{\"@type\":\"Enum\",\"valueSchema\":"
                       "\"integer\",\"enumValues\":[{\"name\":\"a\",\"enumValue\":2147483648}]}")),
         "contents[0].schema.enumValues[0].enumValue", "must be an integer of 32 bits"},
        {"enum without a value",
         ONE(V2, TELEMETRY("{\"@type\":\"Enum\",\"valueSchema\":"
                           "\"integer\",\"enumValues\":[{\"name\":\"a\"}]}")),
         "contents[0].schema.enumValues[0]", "'a': the enumValue is missing"},
        {"enum with a value twice",
         ONE(V2, TELEMETRY("{\"@type\":\"Enum\",\"valueSchema\":"
                           "\"integer\",\"enumValues\":[{\"name\":\"a\",\"enumValue\":1},"
                           "{\"name\":\"b\",\"enumValue\":1}]}")),
         "contents[0].schema.enumValues[1].enumValue", "'b': another name has this value"},
        {"enum with a name twice",
         ONE(V2, TELEMETRY("{\"@type\":\"Enum\",\"valueSchema\":"
                           "\"integer\",\"enumValues\":[{\"name\":\"a\",\"enumValue\":1},"
                           "{\"name\":\"a\",\"enumValue\":2}]}")),
         "contents[0].schema.enumValues[1]", "another value has this name"},
        {"reference",
         "{" V2 INTERFACE "\"schemas\":[{\"@id\":\"dtmi:s;1\",\"@type\":\"Array\","
         "\"elementSchema\":\"double\"}],\"contents\":[" TELEMETRY("\"dtmi:s;1\"") "]}",
         NULL, NULL},
        {"reference to an inline schema",
         ONE(V2,
             TELEMETRY(
                 "{\"@id\":\"dtmi:s;1\","
                 "\"@type\":\"Array\",\"elementSchema\":\"double\"}") ",{\"@type\":\"Telemetry\","
                                                                      "\"name\":\"u\",\"schema\":"
                                                                      "\"dtmi:s;1\"}"),
         NULL, NULL},
        {"reference to nothing", ONE(V2, TELEMETRY("\"dtmi:s;1\"")), "contents[0].schema",
         "the interface has no schema of that @id"},
        {"reference to a base's schema",
         "[{" V2 INTERFACE "\"extends\":\"dtmi:b;1\",\"contents\":[" TELEMETRY(
             "\"dtmi:s;1\"") "]},{" V2 "\"@id\":\"dtmi:b;1\",\"@type\":\"Interface\","
                             "\"schemas\":{\"@id\":\"dtmi:s;1\",\"@type\":\"Array\","
                             "\"elementSchema\":\"double\"}}]",
         "[0].contents[0].schema", "the interface has no schema of that @id"},
        {"array in a property, by reference",
         "{" V2 INTERFACE "\"schemas\":["
         "{\"@id\":\"dtmi:s;1\",\"@type\":\"Array\",\"elementSchema\":\"double\"}],\"contents\":["
         "{\"@type\":\"Property\",\"name\":\"p\",\"schema\":\"dtmi:s;1\"}]}",
         "contents[0].schema", "may have no Array"},
        {"schema without an @id",
         "{" V2 INTERFACE "\"schemas\":[{\"@type\":\"Array\","
         "\"elementSchema\":\"double\"}]}",
         "schemas[0]", "the @id is missing"},
        {"schema of no type", "{" V2 INTERFACE "\"schemas\":[{\"@id\":\"dtmi:s;1\"}]}",
         "schemas[0]", "the @type must be Array, Enum, Map or Object"},
        {"schema that is a word", "{" V2 INTERFACE "\"schemas\":[\"double\"]}", "schemas[0]",
         "must be a schema"},
        {"two schemas of one @id",
         "{" V2 INTERFACE "\"schemas\":[{\"@id\":\"dtmi:s;1\","
         "\"@type\":\"Array\",\"elementSchema\":\"double\"},{\"@id\":\"dtmi:s;1\","
         "\"@type\":\"Array\",\"elementSchema\":\"long\"}]}",
         "schemas[1]", "is defined twice"},
        {"schema inside itself",
         "{" V2 INTERFACE "\"schemas\":[{\"@id\":\"dtmi:s;1\","
         "\"@type\":\"Array\",\"elementSchema\":\"dtmi:s;1\"}]}",
         "schemas[0]", "without end"},
        {"schemas inside each other",
         "{" V2 INTERFACE "\"schemas\":[{\"@id\":\"dtmi:s;1\","
         "\"@type\":\"Array\",\"elementSchema\":\"dtmi:t;1\"},{\"@id\":\"dtmi:t;1\","
         "\"@type\":\"Array\",\"elementSchema\":\"dtmi:s;1\"}]}",
         "schemas[1]", "without end"},
    };

    (void)state;
    model_check_rows(rows, COUNT_OF(rows));
}

#define MEASURED(type, rest) "{\"@type\":[\"Telemetry\",\"" type "\"],\"name\":\"t\"," rest "}"
#define IN_FIELD(type, unit)                                                                       \
    TELEMETRY("{\"@type\":\"Object\",\"fields\":[{\"@type\":[\"Field\",\"" type                    \
              "\"],\"name\":\"f\",\"schema\":\"double\",\"unit\":\"" unit "\"}]}")

static void semantic_types_have_units(void **state)
{
    static const struct model_row rows[] = {
        {"temperature",
         ONE(V2, MEASURED("Temperature", "\"schema\":\"double\",\"unit\":"
                                         "\"kelvin\"")),
         NULL, NULL},
        {"unit of the language in full",
         ONE(V2, MEASURED("Temperature", "\"schema\":\"double\","
                                         "\"unit\":\"dtmi:standard:unit:kelvin;2\"")),
         NULL, NULL},
        {"no unit", ONE(V2, MEASURED("Temperature", "\"schema\":\"double\"")), "contents[0]",
         "the semantic type Temperature needs a unit"},
        {"unit of something else",
         ONE(V2, MEASURED("Temperature", "\"schema\":\"double\","
                                         "\"unit\":\"volt\"")),
         "contents[0].unit", "'volt' is no unit for Temperature"},
        {"two units",
         ONE(V2, MEASURED("Temperature", "\"schema\":\"double\","
                                         "\"unit\":\"kelvin degreeCelsius\"")),
         "contents[0].unit", "is no unit"},
        {"string", ONE(V2, MEASURED("Temperature", "\"schema\":\"string\",\"unit\":\"kelvin\"")),
         "contents[0].schema", "needs double, float, integer or long"},
        {"integer",
         ONE(V2, MEASURED("Humidity", "\"schema\":\"integer\","
                                      "\"unit\":\"gramPerCubicMetre\"")),
         NULL, NULL},
        {"two quantities",
         ONE(V2, "{\"@type\":[\"Telemetry\",\"Temperature\",\"Mass\"],"
                 "\"name\":\"t\",\"schema\":\"double\",\"unit\":\"kelvin\"}"),
         "contents[0].@type[2]", "has two semantic types"},
        {"unit of version 3 in 2",
         ONE(V2, MEASURED("Pressure", "\"schema\":\"double\","
                                      "\"unit\":\"hectopascal\"")),
         "contents[0].unit", "is no unit"},
        {"unit of version 3",
         ONE(V3_QUANTITIES, MEASURED("Pressure", "\"schema\":\"double\","
                                                 "\"unit\":\"hectopascal\"")),
         NULL, NULL},
        {"quantity of version 3",
         ONE(V3_QUANTITIES, MEASURED("Concentration", "\"schema\":\"double\",\"unit\":\"volt\"")),
         "contents[0].unit", "is no unit for Concentration"},
        {"quantity of version 3 in 2", ONE(V2, MEASURED("Concentration", "\"schema\":\"double\"")),
         NULL, NULL},
        {"version 3 without the extension",
         ONE(V3, MEASURED("Temperature", "\"schema\":"
                                         "\"string\"")),
         NULL, NULL},
        {"a field of version 3", ONE(V3_QUANTITIES, IN_FIELD("Temperature", "volt")),
         "contents[0].schema.fields[0].unit", "is no unit for Temperature"},
        {"a field of version 2", ONE(V2, IN_FIELD("Temperature", "volt")), NULL, NULL},
        {"unit alone",
         ONE(V2, "{\"@type\":\"Telemetry\",\"name\":\"t\",\"schema\":\"double\","
                 "\"unit\":\"volt\"}"),
         NULL, NULL},
        {"state", ONE(V2_CENTRAL, MEASURED("State", "\"schema\":\"string\"")), "contents[0].schema",
         "State needs an Enum"},
        {"event", ONE(V2_CENTRAL, MEASURED("Event", "\"schema\":\"boolean\"")),
         "contents[0].schema", "Event needs double, float, integer, long or string"},
        {"event of strings", ONE(V2_CENTRAL, MEASURED("Event", "\"schema\":\"string\"")), NULL,
         NULL},
        {"location", ONE(V2_CENTRAL, MEASURED("Location", "\"schema\":\"vector\"")),
         "contents[0].schema", "Location needs geopoint or a geospatial schema"},
        {"location of a polygon", ONE(V2_CENTRAL, MEASURED("Location", "\"schema\":\"polygon\"")),
         NULL, NULL},
        {"velocity", ONE(V2_CENTRAL, MEASURED("VelocityVector", "\"schema\":\"geopoint\"")),
         "contents[0].schema", "VelocityVector needs vector"},
        {"velocity without a unit",
         ONE(V2_CENTRAL, MEASURED("VelocityVector", "\"schema\":"
                                                    "\"vector\"")),
         NULL, NULL},
        {"velocity in another's unit",
         ONE(V2_CENTRAL, MEASURED("VelocityVector", "\"schema\":"
                                                    "\"vector\",\"unit\":\"gForce\"")),
         "contents[0].unit", "is no unit for Velocity"},
        {"acceleration", ONE(V2_CENTRAL, MEASURED("AccelerationVector", "\"schema\":\"double\"")),
         "contents[0].schema", "AccelerationVector needs vector"},
        {"state without the context", ONE(V2, MEASURED("State", "\"schema\":\"string\"")), NULL,
         NULL},
    };

    (void)state;
    model_check_rows(rows, COUNT_OF(rows));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(contents_have_a_form),
        cmocka_unit_test(schemas_have_a_form),
        cmocka_unit_test(semantic_types_have_units),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
