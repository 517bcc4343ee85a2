#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "codec/http.h"

static void a_path_is_split_and_decoded_once(void **state)
{
    static const struct {
        const char *name, *path;
        bool good;
        size_t count;
        const char *first, *last;
    } rows[] = {
        {"root", "/", true, 0, "", ""},
        {"one", "/devices", true, 1, "devices", "devices"},
        {"two", "/devices/d1", true, 2, "devices", "d1"},
        {"trailing slash", "/devices/d1/", true, 2, "devices", "d1"},
        {"doubled slashes", "//devices///d1//", true, 2, "devices", "d1"},
        {"decoded", "/devices/a%3ab%20", true, 2, "devices", "a:b "},
        {"decoded once", "/devices/a%2541", true, 2, "devices", "a%41"},
        {"slash as data", "/devices/a%2Fb", true, 2, "devices", "a/b"},
        {"plus is a plus", "/devices/a+b", true, 2, "devices", "a+b"},
        {"dots are data", "/../.", true, 2, "..", "."},
        {"twelve", "/1/2/3/4/5/6/7/8/9/10/11/12", true, 12, "1", "12"},
        {"thirteen", "/1/2/3/4/5/6/7/8/9/10/11/12/13", false, 0, "", ""},
        {"empty", "", false, 0, "", ""},
        {"no slash", "devices", false, 0, "", ""},
        {"star", "*", false, 0, "", ""},
        {"lone %", "/a%", false, 0, "", ""},
        {"half an escape", "/a%4", false, 0, "", ""},
        {"no hex", "/a%4g", false, 0, "", ""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        ARENA_CLEANUP struct arena arena = {.max = 4096};
        struct http_path path;

        if (http_path_parse(slice_str(rows[i].path), &arena, &path) != rows[i].good)
            fail_msg("%s: expected %d", rows[i].name, rows[i].good);
        if (!rows[i].good)
            continue;
        if (path.count != rows[i].count)
            fail_msg("%s: %zu segments", rows[i].name, path.count);
        if (path.count > 0 &&
            (!slice_equal(path.segments[0], slice_str(rows[i].first)) ||
             !slice_equal(path.segments[path.count - 1], slice_str(rows[i].last))))
            fail_msg("%s: other segments", rows[i].name);
    }
}

static void NUL_in_a_segment_is_data(void **state)
{
    ARENA_CLEANUP struct arena arena = {.max = 4096};
    struct http_path path;

    (void)state;
    assert_true(http_path_parse(SLICE("/a%00b"), &arena, &path));
    assert_true(slice_equal(path.segments[0], SLICE("a\0b")));
}

static void a_full_arena_is_a_refusal(void **state)
{
    ARENA_CLEANUP struct arena arena = {.max = 1};
    struct http_path path;
    slice value;

    (void)state;
    assert_false(http_path_parse(SLICE("/a%20b"), &arena, &path));
    assert_false(http_query(SLICE("a=%20"), SLICE("a"), &arena, &value));
    assert_true(arena.failed);
}

static void query_parameters_are_found(void **state)
{
    static const struct {
        const char *name, *query, *parameter, *value; /* value NULL: not there */
    } rows[] = {
        {"alone", "a=1", "a", "1"},
        {"second", "a=1&b=2", "b", "2"},
        {"first of doubles", "a=1&a=2", "a", "1"},
        {"name without case", "API-Version=2021-04-12", "api-version", "2021-04-12"},
        {"name escaped", "%24Top=5", "$top", "5"},
        {"value escaped", "a=%41%2525%26", "a", "A%25&"},
        {"plus is a plus", "a=b+c", "a", "b+c"},
        {"equals in the value", "a=b=c", "a", "b=c"},
        {"key alone", "x&a&y", "a", ""},
        {"empty value", "a=&b", "a", ""},
        {"part of a name", "ab=1&a=2", "a", "2"},
        {"not there", "a=1", "b", NULL},
        {"empty query", "", "a", NULL},
        {"name only as value", "b=a", "a", NULL},
        {"bad escape in the value", "a=%4", "a", NULL},
        {"bad escape in another", "b=%zz&a=1", "a", "1"},
        {"bad escape in another name", "%zz=1&a=1", "a", "1"},
        {"long name", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa&a=1",
         "a", "1"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        ARENA_CLEANUP struct arena arena = {.max = 4096};
        slice value = {0};
        bool there =
            http_query(slice_str(rows[i].query), slice_str(rows[i].parameter), &arena, &value);

        if (there != (rows[i].value != NULL))
            fail_msg("%s: there=%d", rows[i].name, there);
        if (there && (!value.ptr || !slice_equal(value, slice_str(rows[i].value))))
            fail_msg("%s: '%.*s'", rows[i].name, SLICE_FMT(value));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_is_split_and_decoded_once),
        cmocka_unit_test(NUL_in_a_segment_is_data),
        cmocka_unit_test(a_full_arena_is_a_refusal),
        cmocka_unit_test(query_parameters_are_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
