#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "codec/twin_merge.h"

#define ARENA_MAX (32u << 20)
#define T0 "0001-01-01T00:00:00Z"
#define T1 "1970-01-01T00:00:01.0000000Z"
static const struct twin_stamp reported_at = {.at = 1000, .version = 0};
static const struct twin_stamp desired_at = {.at = 1000, .version = 7};

static struct json *parse(slice text, struct arena *arena)
{
    struct json *root = NULL;
    struct fault why = {0};

    if (json_parse(text, JSON_LAST_WINS, arena, &root, &why) != ST_OK)
        fail_msg("%s", why.text);
    return root;
}

static void assert_written(const struct json *value, const char *want, const char *row)
{
    struct buf BUF_CLEANUP out = {.max = 1 << 20};

    json_write(value, &out);
    if (out.failed || !slice_equal(buf_slice(&out), slice_str(want)))
        fail_msg("%s: got %.*s", row, SLICE_FMT(buf_slice(&out)));
}

/* --- rules ---------------------------------------------------------------------------------- */

static enum status check(slice text)
{
    struct arena ARENA_CLEANUP arena = {.max = ARENA_MAX};

    return twin_patch_check(parse(text, &arena), NULL);
}

static void H137_H138_H169_twin_patch_check_keeps_the_rules(void **state)
{
    static const struct {
        const char *name;
        slice text;
        bool good;
    } rows[] = {
        {"empty", SLICE("{}"), true},
        {"all kinds", SLICE("{\"a\":null,\"b\":true,\"c\":1.5,\"d\":\"x\",\"e\":{},\"f\":[1,{}]}"),
         true},
        {"UTF-8 keys", SLICE("{\"\xc3\xa9\":1,\"\xe2\x82\xac\":1,\"\xc2\xa0\":1}"), true},
        {"empty key", SLICE("{\"\":1}"), true},
        {"an array", SLICE("[]"), false},
        {"a string", SLICE("\"a\""), false},
        {"$ alone", SLICE("{\"$\":1}"), false},
        {"$version", SLICE("{\"a\":1,\"$version\":1}"), false},
        {"$metadata", SLICE("{\"$metadata\":{}}"), false},
        {"$ nested", SLICE("{\"a\":{\"b\":{\"c$\":1}}}"), false},
        {"$ in an array", SLICE("{\"a\":[{\"$b\":1}]}"), false},
        {"$ with null", SLICE("{\"$a\":null}"), false},
        {"escaped $", SLICE("{\"\\u0024a\":1}"), false},
        {"point", SLICE("{\"a.b\":1}"), false},
        {"blank", SLICE("{\"a b\":1}"), false},
        {"C0", SLICE("{\"a\\u001f\":1}"), false},
        {"DEL", SLICE("{\"a\x7f\":1}"), false},
        {"C1, first", SLICE("{\"\xc2\x80\":1}"), false},
        {"C1, last", SLICE("{\"\xc2\x9f\":1}"), false},
        {"such characters in values", SLICE("{\"a\":\"$ .\\u0001\xc2\x80\"}"), true},
        {"largest integer", SLICE("{\"a\":4503599627370495}"), true},
        {"beyond it", SLICE("{\"a\":4503599627370496}"), false},
        {"smallest integer", SLICE("{\"a\":-4503599627370496}"), true},
        {"below it", SLICE("{\"a\":-4503599627370497}"), false},
        {"beyond int64", SLICE("{\"a\":99999999999999999999}"), false},
        {"in an array", SLICE("{\"a\":[1,[4503599627370496]]}"), false},
        {"a double may be large", SLICE("{\"a\":4503599627370496.5,\"b\":1e300}"), true},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (check(rows[i].text) != (rows[i].good ? ST_OK : ST_BAD_REQUEST))
            fail_msg("%s", rows[i].name);
    }
}

static void repeat(struct buf *to, const char *text, size_t count)
{
    for (size_t i = 0; i < count; i++)
        buf_append_str(to, text);
}

static void H137_ten_levels_pass_and_eleven_fail(void **state)
{
    (void)state;
    for (size_t levels = TWIN_DEPTH_MAX - 1; levels <= TWIN_DEPTH_MAX + 1; levels++) {
        struct buf BUF_CLEANUP objects = {.max = 1000}, arrays = {.max = 1000};
        enum status want = levels > TWIN_DEPTH_MAX ? ST_BAD_REQUEST : ST_OK;

        buf_append_byte(&objects, '{');
        repeat(&objects, "\"a\":{", levels);
        repeat(&objects, "\"property\":1", 1);
        repeat(&objects, "}", levels + 1);
        assert_int_equal(check(buf_slice(&objects)), want);
        repeat(&arrays, "{\"a\":", 1);
        repeat(&arrays, "[", levels);
        repeat(&arrays, "]", levels);
        repeat(&arrays, "}", 1);
        assert_int_equal(check(buf_slice(&arrays)), want);
    }
}

static void H137_keys_and_strings_have_their_lengths(void **state)
{
    (void)state;
    for (int step = -1; step <= 1; step++) {
        struct buf BUF_CLEANUP key = {.max = 10000}, string = {.max = 10000};
        enum status want = step > 0 ? ST_BAD_REQUEST : ST_OK;

        buf_append_str(&key, "{\"");
        repeat(&key, "a", (size_t)(TWIN_KEY_MAX + step));
        buf_append_str(&key, "\":null}");
        assert_int_equal(check(buf_slice(&key)), want);
        buf_append_str(&string, "{\"a\":[\"");
        repeat(&string, "a", (size_t)(TWIN_STRING_MAX + step));
        buf_append_str(&string, "\"]}");
        assert_int_equal(check(buf_slice(&string)), want);
    }
}

static void H137_twin_counted_counts_as_documented(void **state)
{
    static const struct {
        const char *text;
        size_t bytes;
    } rows[] = {
        {"{}", 0},
        {"{\"key\":\"value\"}", 8},
        {"{\"k\":1}", 9},
        {"{\"k\":123456789.25}", 9},
        {"{\"k\":true,\"l\":false}", 10},
        {"{\"k\":{\"l\":{}}}", 2},
        {"{\"k\":[1,\"ab\",true,[2],null,{\"x\":3}]}", 1 + 8 + 2 + 4 + 8 + 0 + 9},
        {"{\"\xc3\xa9\":\"\xe2\x82\xac\"}", 5},
        {"{\"k\":\"a\\n\\u007fb\xc2\x85\xc2\xa0\"}", 5},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct arena ARENA_CLEANUP arena = {.max = ARENA_MAX};
        size_t got = twin_counted(parse(slice_str(rows[i].text), &arena));

        if (got != rows[i].bytes)
            fail_msg("%s: %zu", rows[i].text, got);
    }
}

/* --- merging -------------------------------------------------------------------------------- */

static void H136_H169_twin_merge_merges(void **state)
{
    static const struct {
        const char *name, *section, *patch, *want;
    } rows[] = {
        {"sets", "{}", "{\"a\":1}", "{\"a\":1}"},
        {"replaces in place", "{\"a\":1,\"b\":2}", "{\"a\":3}", "{\"a\":3,\"b\":2}"},
        {"removes", "{\"a\":1,\"b\":2}", "{\"a\":null}", "{\"b\":2}"},
        {"removes the last", "{\"a\":1,\"b\":2}", "{\"b\":null}", "{\"a\":1}"},
        {"removes all", "{\"a\":1}", "{\"a\":null}", "{}"},
        {"null for a missing key", "{\"a\":1}", "{\"b\":null}", "{\"a\":1}"},
        {"nested nulls make an object", "{}", "{\"a\":{\"b\":null}}", "{\"a\":{}}"},
        {"nested nulls leave an object", "{\"a\":{}}", "{\"a\":{\"b\":null}}", "{\"a\":{}}"},
        {"deep nulls", "{}", "{\"a\":{\"b\":{\"c\":null,\"d\":1}}}", "{\"a\":{\"b\":{\"d\":1}}}"},
        {"merges objects", "{\"a\":{\"b\":1,\"c\":2}}", "{\"a\":{\"c\":3,\"d\":4}}",
         "{\"a\":{\"b\":1,\"c\":3,\"d\":4}}"},
        {"object over scalar", "{\"a\":1}", "{\"a\":{\"b\":2,\"c\":null}}", "{\"a\":{\"b\":2}}"},
        {"object over array", "{\"a\":[1]}", "{\"a\":{}}", "{\"a\":{}}"},
        {"scalar over object", "{\"a\":{\"b\":1}}", "{\"a\":2}", "{\"a\":2}"},
        {"array over object", "{\"a\":{\"b\":1}}", "{\"a\":[1]}", "{\"a\":[1]}"},
        {"arrays are not merged", "{\"a\":[1,2,3]}", "{\"a\":[4]}", "{\"a\":[4]}"},
        {"nulls in arrays stay", "{}", "{\"a\":[null,{\"b\":null}]}",
         "{\"a\":[null,{\"b\":null}]}"},
        {"spelling stays", "{}", "{\"a\":23.10,\"b\":\"2026-01-01T00:00:00Z\",\"c\":1E2}",
         "{\"a\":23.10,\"b\":\"2026-01-01T00:00:00Z\",\"c\":1E2}"},
        {"empty patch", "{\"a\":1}", "{}", "{\"a\":1}"},
        {"remove, set and add", "{\"a\":1,\"b\":2,\"c\":3}", "{\"d\":4,\"b\":null,\"a\":5}",
         "{\"a\":5,\"c\":3,\"d\":4}"},
        {"RFC 7386",
         "{\"title\":\"Goodbye!\",\"author\":{\"givenName\":\"John\",\"familyName\":\"Doe\"},"
         "\"tags\":[\"example\",\"sample\"],\"content\":\"unchanged\"}",
         "{\"title\":\"Hello!\",\"phoneNumber\":\"+01\",\"author\":{\"familyName\":null},"
         "\"tags\":[\"example\"]}",
         "{\"title\":\"Hello!\",\"author\":{\"givenName\":\"John\"},\"tags\":[\"example\"],"
         "\"content\":\"unchanged\",\"phoneNumber\":\"+01\"}"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct arena ARENA_CLEANUP arena = {.max = ARENA_MAX};
        struct json *section = parse(slice_str(rows[i].section), &arena);
        struct json *patch = parse(slice_str(rows[i].patch), &arena);

        assert_int_equal(twin_merge(section, json_new(&arena, JSON_OBJECT), patch, reported_at,
                                    TWIN_SECTION_MAX, &arena, NULL),
                         ST_OK);
        assert_written(section, rows[i].want, rows[i].name);
    }
}

#define U1 "\"$lastUpdated\":\"" T1 "\""
#define U0 "\"$lastUpdated\":\"" T0 "\""

static void H139_twin_merge_keeps_the_metadata_of_each_node(void **state)
{
    static const struct {
        const char *name, *section, *metadata, *patch, *want;
    } rows[] = {
        {"fresh", "{}", "{" U0 "}", "{\"a\":1}", "{" U1 ",\"a\":{" U1 "}}"},
        {"no metadata yet", "{}", "{}", "{\"a\":1}", "{" U1 ",\"a\":{" U1 "}}"},
        {"the path is stamped, siblings are not", "{\"a\":{\"b\":1,\"c\":2},\"d\":3}",
         "{" U0 ",\"a\":{" U0 ",\"b\":{" U0 "},\"c\":{" U0 "}},\"d\":{" U0 "}}",
         "{\"a\":{\"b\":9}}",
         "{" U1 ",\"a\":{" U1 ",\"b\":{" U1 "},\"c\":{" U0 "}},\"d\":{" U0 "}}"},
        {"removed with its node", "{\"a\":1,\"b\":2}", "{" U0 ",\"a\":{" U0 "},\"b\":{" U0 "}}",
         "{\"a\":null}", "{" U1 ",\"b\":{" U0 "}}"},
        {"arrays are leaves", "{}", "{" U0 "}", "{\"a\":[{\"b\":1}]}", "{" U1 ",\"a\":{" U1 "}}"},
        {"a scalar drops what was below", "{\"a\":{\"b\":1}}",
         "{" U0 ",\"a\":{" U0 ",\"b\":{" U0 "}}}", "{\"a\":1}", "{" U1 ",\"a\":{" U1 "}}"},
        {"an object over a scalar", "{\"a\":1}", "{" U0 ",\"a\":{" U0 "}}", "{\"a\":{\"b\":1}}",
         "{" U1 ",\"a\":{" U1 ",\"b\":{" U1 "}}}"},
        {"a node that had none", "{\"a\":{\"b\":1}}", "{" U0 "}", "{\"a\":{\"c\":1}}",
         "{" U1 ",\"a\":{" U1 ",\"c\":{" U1 "}}}"},
        {"metadata that is no object", "{\"a\":{\"b\":1}}", "{" U0 ",\"a\":5}", "{\"a\":{\"b\":2}}",
         "{" U1 ",\"a\":{" U1 ",\"b\":{" U1 "}}}"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct arena ARENA_CLEANUP arena = {.max = ARENA_MAX};
        struct json *metadata = parse(slice_str(rows[i].metadata), &arena);

        assert_int_equal(twin_merge(parse(slice_str(rows[i].section), &arena), metadata,
                                    parse(slice_str(rows[i].patch), &arena), reported_at,
                                    TWIN_SECTION_MAX, &arena, NULL),
                         ST_OK);
        assert_written(metadata, rows[i].want, rows[i].name);
    }
}

static void H139_desired_metadata_bears_the_version(void **state)
{
    struct arena ARENA_CLEANUP arena = {.max = ARENA_MAX};
    struct json *metadata =
        parse(SLICE("{\"$lastUpdated\":\"" T0 "\",\"$lastUpdatedVersion\":1}"), &arena);

    (void)state;
    assert_int_equal(twin_merge(json_new(&arena, JSON_OBJECT), metadata,
                                parse(SLICE("{\"a\":1}"), &arena), desired_at, TWIN_SECTION_MAX,
                                &arena, NULL),
                     ST_OK);
    assert_written(metadata,
                   "{" U1 ",\"$lastUpdatedVersion\":7,\"a\":{" U1 ",\"$lastUpdatedVersion\":7}}",
                   "versions");
}

static void H137_twin_merge_keeps_the_size_limit(void **state)
{
    (void)state;
    for (size_t max = 17; max <= 19; max++) {
        struct arena ARENA_CLEANUP arena = {.max = ARENA_MAX};
        struct json *section = parse(SLICE("{\"a\":1}"), &arena);
        struct json *patch = parse(SLICE("{\"b\":2}"), &arena);

        assert_int_equal(twin_merge(section, json_new(&arena, JSON_OBJECT), patch, reported_at, max,
                                    &arena, NULL),
                         max < 18 ? ST_BAD_REQUEST : ST_OK);
    }
}

static void twin_merge_reports_a_full_arena_at_every_point(void **state)
{
    bool passed = false;

    (void)state;
    for (size_t max = 0; max < 4000; max += 16) {
        struct arena ARENA_CLEANUP trees = {.max = ARENA_MAX}, arena = {.max = max};
        struct json *section = parse(SLICE("{\"a\":{\"b\":1},\"c\":1}"), &trees), *told;
        struct json *metadata = json_new(&trees, JSON_OBJECT);
        struct json *patch = parse(SLICE("{\"a\":{\"b\":[2],\"x\":{}},\"c\":null}"), &trees);
        enum status status = twin_merge(section, metadata, patch, desired_at, 100, &arena, NULL);

        if (status == ST_OK)
            status = twin_replace(section, metadata, patch, desired_at, 100, &arena, &told, NULL);
        assert_true(status == ST_NO_MEMORY || status == ST_OK);
        assert_false(passed && status != ST_OK);
        passed = status == ST_OK;
    }
    assert_true(passed);
}

/* Quadratic look-ups would take this patch a second. */
static void twin_merge_takes_linear_time_for_many_members(void **state)
{
    struct arena ARENA_CLEANUP arena = {.max = ARENA_MAX};
    struct buf BUF_CLEANUP text = {.max = 1 << 20};
    struct json *section = json_new(&arena, JSON_OBJECT);
    struct json *metadata = json_new(&arena, JSON_OBJECT), *patch;
    int64_t start;

    (void)state;
    for (int i = 0; i < 12000; i++)
        buf_printf(&text, "%c\"%x\":{}", i ? ',' : '{', i);
    buf_append_byte(&text, '}');
    patch = parse(buf_slice(&text), &arena);
    start = clock_mono_us();
    for (int run = 0; run < 2; run++)
        assert_int_equal(twin_merge(section, metadata, patch, desired_at, 1 << 20, &arena, NULL),
                         ST_OK);
    print_message("12000 members merged twice: %lld us\n", (long long)(clock_mono_us() - start));
    assert_true(clock_mono_us() - start < 500000);
}

/* --- replacing ------------------------------------------------------------------------------ */

static void H078_H170_twin_replace_tells_devices_what_went_away(void **state)
{
    static const struct {
        const char *name, *section, *document, *want, *told;
    } rows[] = {
        {"other keys", "{\"a\":1,\"b\":{\"c\":1}}", "{\"d\":{\"e\":1}}", "{\"d\":{\"e\":1}}",
         "{\"d\":{\"e\":1},\"a\":null,\"b\":null}"},
        {"same key, no merge", "{\"a\":{\"b\":1,\"c\":2}}", "{\"a\":{\"b\":3}}",
         "{\"a\":{\"b\":3}}", "{\"a\":{\"b\":3}}"},
        {"clear", "{\"a\":1,\"b\":2}", "{}", "{}", "{\"a\":null,\"b\":null}"},
        {"nulls in the document", "{\"a\":1}", "{\"a\":null,\"b\":{\"c\":null}}", "{\"b\":{}}",
         "{\"a\":null,\"b\":{\"c\":null}}"},
        {"from nothing", "{}", "{\"a\":[1]}", "{\"a\":[1]}", "{\"a\":[1]}"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct arena ARENA_CLEANUP arena = {.max = ARENA_MAX};
        struct json *section = parse(slice_str(rows[i].section), &arena);
        struct json *document = parse(slice_str(rows[i].document), &arena);
        struct json *told;

        assert_int_equal(twin_replace(section, json_new(&arena, JSON_OBJECT), document, desired_at,
                                      TWIN_SECTION_MAX, &arena, &told, NULL),
                         ST_OK);
        assert_written(section, rows[i].want, rows[i].name);
        assert_written(told, rows[i].told, rows[i].name);
    }
}

static void H139_twin_replace_stamps_all_anew(void **state)
{
    struct arena ARENA_CLEANUP arena = {.max = ARENA_MAX};
    struct json *metadata = parse(SLICE("{" U0 ",\"a\":{" U0 "},\"b\":{" U0 "}}"), &arena), *told;

    (void)state;
    assert_int_equal(twin_replace(parse(SLICE("{\"a\":1,\"b\":1}"), &arena), metadata,
                                  parse(SLICE("{\"a\":1,\"c\":{}}"), &arena), reported_at, 100,
                                  &arena, &told, NULL),
                     ST_OK);
    assert_written(metadata, "{" U1 ",\"a\":{" U1 "},\"c\":{" U1 "}}", "stamps");
    assert_int_equal(twin_replace(metadata, metadata, parse(SLICE("[]"), &arena), reported_at, 100,
                                  &arena, &told, NULL),
                     ST_BAD_REQUEST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(H137_H138_H169_twin_patch_check_keeps_the_rules),
        cmocka_unit_test(H137_ten_levels_pass_and_eleven_fail),
        cmocka_unit_test(H137_keys_and_strings_have_their_lengths),
        cmocka_unit_test(H137_twin_counted_counts_as_documented),
        cmocka_unit_test(H136_H169_twin_merge_merges),
        cmocka_unit_test(H139_twin_merge_keeps_the_metadata_of_each_node),
        cmocka_unit_test(H139_desired_metadata_bears_the_version),
        cmocka_unit_test(H137_twin_merge_keeps_the_size_limit),
        cmocka_unit_test(twin_merge_reports_a_full_arena_at_every_point),
        cmocka_unit_test(twin_merge_takes_linear_time_for_many_members),
        cmocka_unit_test(H078_H170_twin_replace_tells_devices_what_went_away),
        cmocka_unit_test(H139_twin_replace_stamps_all_anew),
    };

    return cmocka_run_group_tests_name("twin_merge", tests, NULL, NULL);
}
