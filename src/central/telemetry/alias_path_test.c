#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "central/property/model_fixture.h"
#include "central/telemetry/alias_path.h"

static void C103_a_path_finds_its_member_or_nothing(void **state)
{
    static const struct {
        const char *path, *want; /* NULL: nothing */
    } rows[] = {
        {"$[\"m\"][1][\"x y\"]", "8"},
        {"$[\"m\"]", "[{\"x y\":7},{\"x y\":8}]"},
        {"$[\"m\"][2]", NULL},
        {"$[\"m\"][\"x\"]", NULL},
        {"$[0]", NULL},
        {"$[\"\xc3\xa9\"]", "true"},
        {"$[\"n\"]", NULL},
        {"$[\"m\"][18446744073709551615]", NULL},
    };
    ARENA_CLEANUP struct arena arena = {.max = MODEL_ARENA_MAX};
    const struct json *root =
        fixture_json(&arena, "{\"m\":[{\"x y\":7},{\"x y\":8}],\"\xc3\xa9\":true}");

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct json *found;
        struct alias_path path;
        struct fault why;

        assert_int_equal(alias_path_parse(slice_str(rows[i].path), &path, &why), ST_OK);
        found = alias_path_find(&path, root);
        if (!found != !rows[i].want || (found && !slice_equal(found->raw, slice_str(rows[i].want))))
            fail_msg("%s", rows[i].path);
    }
}

static void C103_other_spellings_are_refused(void **state)
{
    static const char *const rows[] = {
        "",
        "$",
        "m",
        "$m",
        "$[",
        "$[]",
        "$[m]",
        "$[\"a\"",
        "$[\"a\"]x",
        "$[\"a",
        "$[\"\"]",
        "$[\"a\\\"]",
        "$[\"a[\"]",
        "$[-1]",
        "$[1.5]",
        "$[ 1]",
        "$[\"\xff\"]",
        "$[18446744073709551616]",
        "$[\"a\nb\"]",
        "x[\"a\"]",
    };
    BUF_CLEANUP struct buf text = {.max = 4096};
    struct alias_path path;
    struct fault why;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (alias_path_parse(slice_str(rows[i]), &path, &why) != ST_BAD_REQUEST)
            fail_msg("'%s' was taken", rows[i]);
    }
    buf_append_str(&text, "$");
    for (int i = 0; i < ALIAS_PATH_SEGMENTS; i++)
        buf_append_str(&text, "[0]");
    assert_int_equal(alias_path_parse(buf_slice(&text), &path, &why), ST_OK);
    buf_append_str(&text, "[0]");
    assert_int_equal(alias_path_parse(buf_slice(&text), &path, &why), ST_BAD_REQUEST);
    buf_clear(&text);
    buf_append_str(&text, "$[\"");
    while (text.len < ALIAS_PATH_MAX - 2)
        buf_append_byte(&text, 'a');
    buf_append_str(&text, "\"]");
    assert_int_equal(alias_path_parse(buf_slice(&text), &path, &why), ST_OK);
    buf_append_str(&text, "[0]");
    assert_int_equal(alias_path_parse(buf_slice(&text), &path, &why), ST_BAD_REQUEST);
}

static void an_alias_has_a_length(void **state)
{
    char text[2 * ALIAS_MAX + 3];
    struct fault why;

    (void)state;
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = i % 2 ? '\xa9' : '\xc3'; /* characters of two bytes */
    assert_int_equal(alias_check(slice_of(text, (size_t)2 * ALIAS_MAX), &why), ST_OK);
    assert_int_equal(alias_check(slice_of(text, (size_t)2 * ALIAS_MAX + 2), &why), ST_BAD_REQUEST);
    assert_int_equal(alias_check((slice){0}, &why), ST_BAD_REQUEST);
    assert_int_equal(alias_check(SLICE("\xff"), &why), ST_BAD_REQUEST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(C103_a_path_finds_its_member_or_nothing),
        cmocka_unit_test(C103_other_spellings_are_refused),
        cmocka_unit_test(an_alias_has_a_length),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
