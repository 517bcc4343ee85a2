#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "central/operation/job_check.h"
#include "central/property/model_fixture.h"

#define CONTENTS                                                                                   \
    "{\"@type\":\"Property\",\"name\":\"target\",\"schema\":\"integer\",\"writable\":true},"       \
    "{\"@type\":\"Property\",\"name\":\"serial\",\"schema\":\"string\"},"                          \
    "{\"@type\":[\"Property\",\"Cloud\"],\"name\":\"owner\",\"schema\":\"string\"},"               \
    "{\"@type\":\"Command\",\"name\":\"go\",\"request\":{\"name\":\"r\",\"schema\":\"integer\"}}," \
    "{\"@type\":\"Component\",\"name\":\"valve\",\"schema\":{\"@id\":\"dtmi:t:v;1\","              \
    "\"@type\":\"Interface\",\"@context\":\"dtmi:dtdl:context;2\",\"contents\":["                  \
    "{\"@type\":\"Property\",\"name\":\"open\",\"schema\":\"boolean\",\"writable\":true}]}}"

#define PROPERTY(path, value)                                                                      \
    "{\"type\":\"property\",\"target\":\"t\",\"path\":\"" path "\",\"value\":" value "}"
#define COMMAND(path, more) "{\"type\":\"command\",\"target\":\"t\",\"path\":\"" path "\"" more "}"

static void what_the_template_has_not_is_refused(void **state)
{
    static const struct {
        const char *name, *item, *about; /* NULL: it fits */
    } rows[] = {
        {"a property", PROPERTY("target", "7"), NULL},
        {"taken back", PROPERTY("target", "null"), NULL},
        {"of a component", PROPERTY("valve.open", "true"), NULL},
        {"of the cloud",
         "{\"type\":\"cloudProperty\",\"target\":\"t\",\"path\":\"owner\",\"value\":\"n\"}", NULL},
        {"a command", COMMAND("go", ",\"value\":5"), NULL},
        {"a command without its value", COMMAND("go", ""), NULL},
        {"a migration", "{\"type\":\"deviceTemplateMigration\",\"template\":\"n\"}", NULL},
        {"no such property", PROPERTY("nonsense", "3"), "no such property"},
        {"another type", PROPERTY("target", "\"x\""), "'target'"},
        {"the device's own", PROPERTY("serial", "\"x\""), "only the device"},
        {"no property", PROPERTY("go", "3"), "it is no property"},
        {"no such component", PROPERTY("pump.open", "true"), "no such component"},
        {"not of the component", PROPERTY("valve.target", "3"), "no such property"},
        {"no such command", COMMAND("stop", ""), "no such command"},
        {"no command", COMMAND("target", ""), "no such command"},
        {"a value that does not fit", COMMAND("go", ",\"value\":\"x\""), "does not fit"},
    };
    struct device_model m;

    (void)state;
    fixture_model(&m, CONTENTS);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        ARENA_CLEANUP struct arena arena = {.max = 1 << 20};
        struct fault why = {0};
        struct job_data data;
        char text[512];

        snprintf(text, sizeof text, "[%s,%s]", PROPERTY("target", "1"), rows[i].item);
        assert_int_equal(job_data_read(slice_str(text), &arena, &data, &why), ST_OK);
        if ((job_item_check(&m, &data, 1, &why) == ST_OK) != (rows[i].about == NULL))
            fail_msg("%s: %s", rows[i].name, why.text);
        if (rows[i].about && (!strstr(why.text, "data[1]: ") || !strstr(why.text, rows[i].about)))
            fail_msg("%s: %s", rows[i].name, why.text);
    }
    device_model_deinit(&m);
}

static void without_a_model_anything_fits(void **state)
{
    ARENA_CLEANUP struct arena arena = {.max = 1 << 20};
    struct fault why = {0};
    struct device_model m;
    struct job_data data;

    (void)state;
    fixture_model(&m, NULL);
    assert_int_equal(job_data_read(SLICE("[" PROPERTY("a.b", "1") "," COMMAND("x", "") "]"), &arena,
                                   &data, &why),
                     ST_OK);
    assert_int_equal(job_item_check(&m, &data, 0, &why), ST_OK);
    assert_int_equal(job_item_check(&m, &data, 1, &why), ST_OK);
    device_model_deinit(&m);
}

static void the_template_is_one_that_the_group_may_have(void **state)
{
    static const struct {
        const char *filter;
        enum status status;
    } rows[] = {
        {"SELECT * FROM devices", ST_OK},
        {"SELECT * FROM devices WHERE $template = \"t\"", ST_OK},
        {"SELECT * FROM devices WHERE $template = \"t\" AND $provisioned = true", ST_OK},
        {"SELECT * FROM devices WHERE $template = \"u\"", ST_BAD_REQUEST},
        {"SELECT * FROM devices WHERE $template = \"u\" OR $template = \"t\"", ST_OK},
    };
    ARENA_CLEANUP struct arena arena = {.max = 1 << 20};
    struct fault why = {0};
    struct job_data data;

    (void)state;
    assert_int_equal(job_data_read(SLICE("[" PROPERTY("a", "1") "]"), &arena, &data, &why), ST_OK);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (job_group_check(slice_str(rows[i].filter), &data, &why) != rows[i].status)
            fail_msg("%s: %s", rows[i].filter, why.text);
    }
    assert_int_equal(job_data_read(SLICE("[{\"type\":\"deviceTemplateMigration\",\"template\":"
                                         "\"n\"}]"),
                                   &arena, &data, &why),
                     ST_OK);
    assert_int_equal(job_group_check(slice_str(rows[3].filter), &data, &why), ST_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_template_has_not_is_refused),
        cmocka_unit_test(without_a_model_anything_fits),
        cmocka_unit_test(the_template_is_one_that_the_group_may_have),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
