#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "central/operation/job_data.h"

static void data_is_read_with_all_its_names(void **state)
{
    static const struct {
        const char *name, *text;
        enum job_item_kind kind;
        const char *target, *component, *member, *value;
    } rows[] = {
        {"property", "[{'type':'property','target':'t','path':'a','value':7}]", JOB_PROPERTY, "t",
         "", "a", "7"},
        {"of a component", "[{'type':'property','target':'t','path':'c.a','value':{'x':1}}]",
         JOB_PROPERTY, "t", "c", "a", "{'x':1}"},
        {"taken away", "[{'type':'property','target':'t','path':'a','value':null}]", JOB_PROPERTY,
         "t", "", "a", "null"},
        {"cloud", "[{'type':'cloudProperty','target':'t','path':'a','value':'x'}]",
         JOB_CLOUD_PROPERTY, "t", "", "a", "'x'"},
        {"command", "[{'type':'command','target':'t','path':'c*a'}]", JOB_COMMAND, "t", "c", "a",
         NULL},
        {"migration", "[{'type':'deviceTemplateMigration','template':'n'}]", JOB_MIGRATION, "n", "",
         "", NULL},
        {"old name", "[{'type':'CommandJobData','target':'t','path':'a','value':1}]", JOB_COMMAND,
         "t", "", "a", "1"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        ARENA_CLEANUP struct arena arena = {.max = 1 << 20};
        struct job_data data;
        struct fault why = {0};
        char text[512], value[64];
        const struct job_item *item = &data.items[0];

        snprintf(text, sizeof text, "%s", rows[i].text);
        for (char *c = text; *c; c++)
            *c = *c == '\'' ? '"' : *c;
        if (job_data_read(slice_str(text), &arena, &data, &why) != ST_OK)
            fail_msg("%s: %s", rows[i].name, why.text);
        snprintf(value, sizeof value, "%s", rows[i].value ? rows[i].value : "");
        for (char *c = value; *c; c++)
            *c = *c == '\'' ? '"' : *c;
        if (data.count != 1 || item->kind != rows[i].kind ||
            !slice_equal(item->target, slice_str(rows[i].target)) ||
            !slice_equal(item->component, slice_str(rows[i].component)) ||
            !slice_equal(item->name, slice_str(rows[i].member)) ||
            (item->value != NULL) != (rows[i].value != NULL) ||
            (item->value && !slice_equal(item->value->raw, slice_str(value))))
            fail_msg("%s", rows[i].name);
        assert_int_equal(data.has_commands, item->kind == JOB_COMMAND);
    }
}

static void what_is_no_data_is_refused(void **state)
{
    static const struct {
        const char *text, *about;
    } rows[] = {
        {"", ""},
        {"{}", "list"},
        {"[]", "list"},
        {"[7]", "data[0]: type"},
        {"[{\"type\":\"dance\"}]", "data[0]: type"},
        {"[{\"type\":\"property\",\"path\":\"a\",\"value\":1}]", "target"},
        {"[{\"type\":\"property\",\"target\":\"\",\"path\":\"a\",\"value\":1}]", "target"},
        {"[{\"type\":\"property\",\"target\":\"t\",\"value\":1}]", "path"},
        {"[{\"type\":\"property\",\"target\":\"t\",\"path\":\".a\",\"value\":1}]", "path"},
        {"[{\"type\":\"property\",\"target\":\"t\",\"path\":\"a.\",\"value\":1}]", "path"},
        {"[{\"type\":\"property\",\"target\":\"t\",\"path\":\"a\"}]", "value"},
        {"[{\"type\":\"deviceTemplateMigration\"}]", "template"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        ARENA_CLEANUP struct arena arena = {.max = 1 << 20};
        struct job_data data;
        struct fault why = {0};

        if (job_data_read(slice_str(rows[i].text), &arena, &data, &why) != ST_BAD_REQUEST ||
            !strstr(why.text, rows[i].about))
            fail_msg("%s: %s", rows[i].text, why.text);
    }
}

static void properties_become_one_body(void **state)
{
    static const char text[] =
        "[{\"type\":\"property\",\"target\":\"t\",\"path\":\"a\",\"value\":1},"
        "{\"type\":\"property\",\"target\":\"t\",\"path\":\"c.x\",\"value\":2},"
        "{\"type\":\"command\",\"target\":\"t\",\"path\":\"go\"},"
        "{\"type\":\"cloudProperty\",\"target\":\"t\",\"path\":\"b\",\"value\":\"n\"},"
        "{\"type\":\"property\",\"target\":\"t\",\"path\":\"c.y\",\"value\":23.10}]";
    ARENA_CLEANUP struct arena arena = {.max = 1 << 20};
    BUF_CLEANUP struct buf body = {.max = 4096};
    struct job_data data;

    (void)state;
    assert_int_equal(job_data_read(slice_str(text), &arena, &data, NULL), ST_OK);
    job_data_write_properties(&data, &body);
    assert_true(
        slice_equal(buf_slice(&body), SLICE("{\"a\":1,\"b\":\"n\",\"c\":{\"x\":2,\"y\":23.10}}")));
    assert_true(data.has_commands && data.has_properties);
}

static void limits_are_read_and_mean_what_they_say(void **state)
{
    static const struct {
        const char *text;
        bool may_be_zero, ok;
    } rows[] = {
        {"", false, true},
        {"{\"type\":\"number\",\"value\":5}", false, true},
        {"{\"type\":\"percentage\",\"value\":100}", false, true},
        {"{\"type\":\"percentage\",\"value\":101}", false, false},
        {"{\"type\":\"number\",\"value\":0}", false, false},
        {"{\"type\":\"number\",\"value\":0}", true, true},
        {"{\"type\":\"number\",\"value\":-1}", true, false},
        {"{\"type\":\"number\",\"value\":1.5}", true, false},
        {"{\"type\":\"dozen\",\"value\":1}", false, false},
        {"{\"value\":1}", false, false},
        {"7", false, false},
    };
    struct job_limit limit;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct fault why = {0};
        enum status status =
            job_limit_read(slice_str(rows[i].text), "batch", rows[i].may_be_zero, &limit, &why);

        if ((status == ST_OK) != rows[i].ok)
            fail_msg("%s: %s", rows[i].text, why.text);
    }
    assert_int_equal(job_batch_size(&(struct job_limit){0}, 70), 70);
    assert_int_equal(job_batch_size(&(struct job_limit){0}, 0), 1);
    assert_int_equal(job_batch_size(&(struct job_limit){.is_set = true, .value = 20}, 70), 20);
    limit = (struct job_limit){.is_set = true, .is_percentage = true, .value = 10};
    assert_int_equal(job_batch_size(&limit, 75), 8);
    assert_false(job_threshold_is_passed(&(struct job_limit){0}, 70, 70));
    assert_false(job_threshold_is_passed(&limit, 7, 70));
    assert_true(job_threshold_is_passed(&limit, 8, 70));
    limit = (struct job_limit){.is_set = true};
    assert_false(job_threshold_is_passed(&limit, 0, 70));
    assert_true(job_threshold_is_passed(&limit, 1, 70));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(data_is_read_with_all_its_names),
        cmocka_unit_test(what_is_no_data_is_refused),
        cmocka_unit_test(properties_become_one_body),
        cmocka_unit_test(limits_are_read_and_mean_what_they_say),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
