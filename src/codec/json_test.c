#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* The oracle has our names for the kinds of values. */
#define JSON_OBJECT JANSSON_OBJECT
#define JSON_ARRAY JANSSON_ARRAY
#define JSON_STRING JANSSON_STRING
#define JSON_TRUE JANSSON_TRUE
#define JSON_FALSE JANSSON_FALSE
#define JSON_NULL JANSSON_NULL
#include <jansson.h>
#undef JSON_OBJECT
#undef JSON_ARRAY
#undef JSON_STRING
#undef JSON_TRUE
#undef JSON_FALSE
#undef JSON_NULL

#include "base/clock.h"
#include "codec/json.h"

#define ARENA_MAX (16u << 20)

static enum status parse_status(slice text, enum json_duplicates duplicates)
{
    struct arena ARENA_CLEANUP arena = {.max = ARENA_MAX};
    struct json *root;
    struct fault why;

    return json_parse(text, duplicates, &arena, &root, &why);
}

static void assert_written(const struct json *value, const char *want, const char *row)
{
    struct buf BUF_CLEANUP out = {.max = 1 << 20};

    json_write(value, &out);
    if (out.failed || !slice_equal(buf_slice(&out), slice_str(want)))
        fail_msg("%s: got %.*s", row, SLICE_FMT(buf_slice(&out)));
}

/* --- against another parser ----------------------------------------------------------------- */

static const struct {
    const char *name;
    slice text;
    bool valid;
    bool jansson_differs; /* it turns numbers into C types, we do not */
} documents[] = {
    {"object", SLICE("{\"a\":1}"), true, false},
    {"array", SLICE("[1,2,3]"), true, false},
    {"empty object", SLICE("{}"), true, false},
    {"empty array", SLICE("[]"), true, false},
    {"nested empties", SLICE("[[],{},[{}],{\"a\":[]}]"), true, false},
    {"blanks everywhere", SLICE(" \t\r\n{ \"a\" : [ 1 , 2 ] , \"b\" : { } } \n"), true, false},
    {"string root", SLICE("\"a\""), true, false},
    {"number root", SLICE("1"), true, false},
    {"null root", SLICE("null"), true, false},
    {"words", SLICE("[true,false,null]"), true, false},
    {"empty name", SLICE("{\"\":1}"), true, false},
    {"doubles", SLICE("{\"a\":1,\"a\":2}"), true, false},
    {"numbers", SLICE("[0,-0,1,-1,10,1.5,1e3,1E+3,1e-3,0.1e1,-0.0]"), true, false},
    {"number beyond double", SLICE("[1e400]"), true, true},
    {"number beyond int64", SLICE("[9223372036854775808]"), true, true},
    {"int64 at its ends", SLICE("[9223372036854775807,-9223372036854775808]"), true, false},
    {"escapes", SLICE("[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\"]"), true, false},
    {"surrogate pair", SLICE("[\"\\ud83d\\ude00\"]"), true, false},
    {"upper-case hex", SLICE("[\"\\uD83D\\uDE00\\u00E9\"]"), true, false},
    {"UTF-8 of 2, 3, 4 bytes", SLICE("[\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"]"), true, false},
    {"DEL in a string", SLICE("[\"\x7f\"]"), true, false},
    {"escaped name", SLICE("{\"\\u0061\\n\":1}"), true, false},
    {"noncharacter", SLICE("[\"\xef\xbf\xbf\"]"), true, false},

    {"nothing", SLICE(""), false, false},
    {"blanks only", SLICE("  "), false, false},
    {"trailing bytes", SLICE("{} x"), false, false},
    {"two values", SLICE("1 2"), false, false},
    {"trailing NUL", SLICE("{}\0"), false, false},
    {"byte-order mark", SLICE("\xef\xbb\xbf{}"), false, false},
    {"trailing comma in an array", SLICE("[1,]"), false, false},
    {"trailing comma in an object", SLICE("{\"a\":1,}"), false, false},
    {"leading comma", SLICE("[,1]"), false, false},
    {"no comma", SLICE("[1 2]"), false, false},
    {"no colon", SLICE("{\"a\" 1}"), false, false},
    {"two colons", SLICE("{\"a\"::1}"), false, false},
    {"name without value", SLICE("{\"a\"}"), false, false},
    {"name no string", SLICE("{1:1}"), false, false},
    {"bare name", SLICE("{a:1}"), false, false},
    {"wrong bracket", SLICE("[1}"), false, false},
    {"wrong bracket of an object", SLICE("{\"a\":1]"), false, false},
    {"open array", SLICE("[1"), false, false},
    {"open object", SLICE("{\"a\":1"), false, false},
    {"open nested", SLICE("[[[["), false, false},
    {"close only", SLICE("]"), false, false},
    {"leading zero", SLICE("[01]"), false, false},
    {"plus sign", SLICE("[+1]"), false, false},
    {"minus alone", SLICE("[-]"), false, false},
    {"minus zero digit", SLICE("[-01]"), false, false},
    {"point without digits", SLICE("[1.]"), false, false},
    {"point first", SLICE("[.5]"), false, false},
    {"exponent without digits", SLICE("[1e]"), false, false},
    {"exponent sign only", SLICE("[1e+]"), false, false},
    {"exponent two signs", SLICE("[1e-+1]"), false, false},
    {"hex", SLICE("[0x10]"), false, false},
    {"NaN", SLICE("[NaN]"), false, false},
    {"Infinity", SLICE("[-Infinity]"), false, false},
    {"word cut", SLICE("[tru]"), false, false},
    {"word long", SLICE("[nullx]"), false, false},
    {"word in capitals", SLICE("[True]"), false, false},
    {"single quotes", SLICE("['a']"), false, false},
    {"string without end", SLICE("[\"a"), false, false},
    {"string ends in a backslash", SLICE("[\"a\\"), false, false},
    {"backslash before the last quote", SLICE("[\"a\\\""), false, false},
    {"line feed in a string", SLICE("[\"a\nb\"]"), false, false},
    {"NUL in a string", SLICE("[\"a\0b\"]"), false, false},
    {"escaped NUL", SLICE("[\"\\u0000\"]"), false, false},
    {"escaped NUL in a name", SLICE("{\"\\u0000\":1}"), false, false},
    {"unknown escape", SLICE("[\"\\x41\"]"), false, false},
    {"escaped control byte", SLICE("[\"\\\x01\"]"), false, false},
    {"short \\u", SLICE("[\"\\u12\"]"), false, false},
    {"bad hex", SLICE("[\"\\u12g4\"]"), false, false},
    {"high half alone", SLICE("[\"\\ud83d\"]"), false, false},
    {"high half, then text", SLICE("[\"\\ud83dabcdef\"]"), false, false},
    {"high half twice", SLICE("[\"\\ud83d\\ud83d\"]"), false, false},
    {"low half alone", SLICE("[\"\\ude00\"]"), false, false},
    {"bad UTF-8", SLICE("[\"\xff\"]"), false, false},
    {"overlong UTF-8", SLICE("[\"\xc0\xaf\"]"), false, false},
    {"surrogate in UTF-8", SLICE("[\"\xed\xa0\x80\"]"), false, false},
    {"beyond U+10FFFF", SLICE("[\"\xf4\x90\x80\x80\"]"), false, false},
    {"cut UTF-8", SLICE("[\"\xe2\x82\"]"), false, false},
    {"UTF-8 outside strings", SLICE("[\xc3\xa9]"), false, false},
    {"comment", SLICE("[1/*x*/]"), false, false},
    {"form feed as a blank", SLICE("[1,\f2]"), false, false},
};

static void json_parse_agrees_with_jansson(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(documents); i++) {
        slice text = documents[i].text;
        bool ours = parse_status(text, JSON_LAST_WINS) == ST_OK;
        json_t *theirs = json_loadb((const char *)text.ptr, text.len, JSON_DECODE_ANY, NULL);

        if (ours != documents[i].valid)
            fail_msg("%s: valid=%d", documents[i].name, ours);
        if ((theirs != NULL) != (documents[i].valid && !documents[i].jansson_differs))
            fail_msg("%s: jansson says %d", documents[i].name, theirs != NULL);
        json_decref(theirs);
    }
}

/* Our text of our tree must mean to jansson what the input meant. */
static void json_write_means_the_same_to_jansson(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(documents); i++) {
        struct arena ARENA_CLEANUP arena = {.max = ARENA_MAX};
        struct buf BUF_CLEANUP out = {.max = 1 << 16};
        slice text = documents[i].text;
        struct json *root;
        json_t *before, *after;

        if (!documents[i].valid || documents[i].jansson_differs)
            continue;
        assert_int_equal(json_parse(text, JSON_LAST_WINS, &arena, &root, NULL), ST_OK);
        json_write(root, &out);
        before = json_loadb((const char *)text.ptr, text.len, JSON_DECODE_ANY, NULL);
        after = json_loadb((const char *)out.ptr, out.len, JSON_DECODE_ANY, NULL);
        if (!before || !after || !json_equal(before, after))
            fail_msg("%s: %.*s", documents[i].name, SLICE_FMT(buf_slice(&out)));
        json_decref(before);
        json_decref(after);
    }
}

/* --- values --------------------------------------------------------------------------------- */

static void json_text_comes_out_as_it_went_in(void **state)
{
    static const char *const rows[] = {
        "{\"z\":1,\"a\":23.10,\"m\":-0,\"b\":1E+02,\"n\":18446744073709551616}",
        "[\"\xc3\xa9\xf0\x9f\x98\x80/\x7f\",\"\\\"\\\\\\b\\f\\n\\r\\t\\u0001\\u001f\"]",
        "{\"a\":{\"b\":[{},[],[[null,true]],\"2026-01-01T00:00:00Z\"]},\"\":{}}",
        "\"x\"",
        "[[[[]]]]",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct arena ARENA_CLEANUP arena = {.max = ARENA_MAX};
        struct json *root;

        assert_int_equal(json_parse(slice_str(rows[i]), JSON_LAST_WINS, &arena, &root, NULL),
                         ST_OK);
        assert_written(root, rows[i], rows[i]);
    }
}

static void json_parse_keeps_the_bytes_of_each_value(void **state)
{
    struct arena ARENA_CLEANUP arena = {.max = ARENA_MAX};
    slice text = SLICE(" { \"a\" : [ 1 , {\"b\": \"\\u0041\"} ] , \"c\":null } ");
    struct json *root, *array;

    (void)state;
    assert_int_equal(json_parse(text, JSON_LAST_WINS, &arena, &root, NULL), ST_OK);
    assert_true(slice_equal(root->raw, slice_trim(text)));
    array = json_member(root, SLICE("a"));
    assert_true(slice_equal(array->raw, SLICE("[ 1 , {\"b\": \"\\u0041\"} ]")));
    assert_true(slice_equal(array->first->raw, SLICE("1")));
    assert_true(slice_equal(array->last->raw, SLICE("{\"b\": \"\\u0041\"}")));
    assert_true(slice_equal(array->last->first->raw, SLICE("\"\\u0041\"")));
    assert_true(slice_equal(array->last->first->text, SLICE("A")));
    assert_true(slice_equal(root->last->raw, SLICE("null")));
}

static void json_parse_settles_duplicates(void **state)
{
    static const struct {
        const char *name, *text, *want;
    } rows[] = {
        {"first place, last value", "{\"a\":1,\"b\":2,\"a\":3}", "{\"a\":3,\"b\":2}"},
        {"three times", "{\"a\":1,\"a\":2,\"a\":[3]}", "{\"a\":[3]}"},
        {"at the end", "{\"b\":1,\"a\":1,\"a\":2}", "{\"b\":1,\"a\":2}"},
        {"escaped alike", "{\"a\":1,\"\\u0061\":2}", "{\"a\":2}"},
        {"nested", "[{\"a\":{\"x\":1,\"x\":2},\"a\":{\"y\":1,\"y\":null}}]",
         "[{\"a\":{\"y\":null}}]"},
        {"many members",
         "{\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1,\"g\":1,\"h\":1,\"i\":1,\"c\":{\"n\":2},"
         "\"a\":2,\"i\":3,\"a\":4}",
         "{\"a\":4,\"b\":1,\"c\":{\"n\":2},\"d\":1,\"e\":1,\"f\":1,\"g\":1,\"h\":1,\"i\":3}"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct arena ARENA_CLEANUP arena = {.max = ARENA_MAX};
        struct json *root;

        assert_int_equal(json_parse(slice_str(rows[i].text), JSON_LAST_WINS, &arena, &root, NULL),
                         ST_OK);
        assert_written(root, rows[i].want, rows[i].name);
        if (parse_status(slice_str(rows[i].text), JSON_REFUSE_DUPLICATES) != ST_BAD_REQUEST)
            fail_msg("%s: not refused", rows[i].name);
    }
    assert_int_equal(
        parse_status(SLICE("{\"a\":{\"a\":1},\"b\":{\"a\":1}}"), JSON_REFUSE_DUPLICATES), ST_OK);
}

static void json_objects_grow_behind_a_settled_duplicate(void **state)
{
    struct arena ARENA_CLEANUP arena = {.max = ARENA_MAX};
    struct json *root;

    (void)state;
    assert_int_equal(
        json_parse(SLICE("{\"b\":1,\"a\":1,\"a\":2}"), JSON_LAST_WINS, &arena, &root, NULL), ST_OK);
    json_set(root, SLICE("c"), json_new_int(&arena, 3));
    assert_written(root, "{\"b\":1,\"a\":2,\"c\":3}", "grown");
}

static void json_parse_says_where_and_why(void **state)
{
    struct arena ARENA_CLEANUP arena = {.max = ARENA_MAX};
    struct json *root;
    struct fault why;

    (void)state;
    assert_int_equal(json_parse(SLICE("{\"a\":1 x}"), JSON_LAST_WINS, &arena, &root, &why),
                     ST_BAD_REQUEST);
    assert_string_equal(why.text, "json: byte 7: a comma or the closing bracket is expected");
}

/* --- limits --------------------------------------------------------------------------------- */

static void repeat(struct buf *to, const char *text, size_t count)
{
    for (size_t i = 0; i < count; i++)
        buf_append_str(to, text);
}

static void json_parse_keeps_the_depth_limit(void **state)
{
    (void)state;
    for (size_t depth = JSON_DEPTH_MAX - 1; depth <= JSON_DEPTH_MAX + 1; depth++) {
        struct buf BUF_CLEANUP arrays = {.max = 4096}, objects = {.max = 4096};
        enum status want = depth > JSON_DEPTH_MAX ? ST_TOO_LARGE : ST_OK;

        repeat(&arrays, "[", depth);
        repeat(&arrays, "]", depth);
        assert_int_equal(parse_status(buf_slice(&arrays), JSON_LAST_WINS), want);
        repeat(&objects, "{\"a\":", depth - 1);
        repeat(&objects, "{}", 1);
        repeat(&objects, "}", depth - 1);
        assert_int_equal(parse_status(buf_slice(&objects), JSON_LAST_WINS), want);
    }
    /* Width is no depth. */
    assert_int_equal(parse_status(SLICE("[[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],"
                                        "[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[]]"),
                                  JSON_LAST_WINS),
                     ST_OK);
}

static void json_parse_keeps_the_count_limit(void **state)
{
    (void)state;
    for (size_t values = JSON_VALUES_MAX - 1; values <= JSON_VALUES_MAX + 1; values++) {
        struct buf BUF_CLEANUP text = {.max = 100000};

        repeat(&text, "[", 1); /* the array is a value too */
        repeat(&text, "1,", values - 2);
        repeat(&text, "1]", 1);
        assert_int_equal(parse_status(buf_slice(&text), JSON_LAST_WINS),
                         values > JSON_VALUES_MAX ? ST_TOO_LARGE : ST_OK);
    }
}

static void json_parse_keeps_the_number_limit(void **state)
{
    (void)state;
    for (size_t len = 63; len <= 65; len++) {
        struct buf BUF_CLEANUP text = {.max = 100};

        repeat(&text, "1", len);
        assert_int_equal(parse_status(buf_slice(&text), JSON_LAST_WINS),
                         len > 64 ? ST_BAD_REQUEST : ST_OK);
    }
}

static void json_parse_reports_a_full_arena_at_every_point(void **state)
{
    slice text = SLICE("{\"a\":[1,\"\\u0041\"],\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1,\"g\":1,"
                       "\"h\":1,\"i\":1,\"a\":2}");
    struct json *root;
    bool passed = false;

    (void)state;
    for (size_t max = 0; max < 4000; max += 16) {
        struct arena ARENA_CLEANUP arena = {.max = max};
        enum status status = json_parse(text, JSON_LAST_WINS, &arena, &root, NULL);

        assert_true(status == ST_NO_MEMORY || status == ST_OK);
        assert_false(passed && status != ST_OK);
        passed = status == ST_OK;
    }
    assert_true(passed);
}

/* A quadratic search for doubles takes a second here; the bound is far above the real cost (a few
 * milliseconds) to hold on a busy machine and under sanitizers. */
static void json_parse_takes_linear_time_for_large_objects(void **state)
{
    struct buf BUF_CLEANUP text = {.max = 4u << 20};
    int64_t best_us = INT64_MAX;

    (void)state;
    buf_append_byte(&text, '{');
    for (int i = 0; i < JSON_VALUES_MAX - 1; i++)
        buf_printf(&text, "%s\"a name that all members share in its beginning %08d\":%d",
                   i ? "," : "", i, i);
    buf_append_byte(&text, '}');
    for (int run = 0; run < 3; run++) {
        int64_t start = clock_mono_us();

        assert_int_equal(parse_status(buf_slice(&text), JSON_REFUSE_DUPLICATES), ST_OK);
        if (clock_mono_us() - start < best_us)
            best_us = clock_mono_us() - start;
    }
    print_message("%zu bytes, %d members: %lld us\n", text.len, JSON_VALUES_MAX - 1,
                  (long long)best_us);
    assert_true(best_us < 300000);
}

/* --- looking up and building ---------------------------------------------------------------- */

static void json_get_wants_the_right_kind(void **state)
{
    struct arena ARENA_CLEANUP arena = {.max = ARENA_MAX};
    slice text = SLICE("{\"t\":\"x\",\"i\":-7,\"f\":1.5,\"e\":1e2,\"big\":9223372036854775808,"
                       "\"y\":true,\"n\":false,\"o\":{\"p\":{\"q\":1}},\"z\":null,\"l\":[1]}");
    struct json *root;
    slice got;
    int64_t number;
    bool flag;

    (void)state;
    assert_int_equal(json_parse(text, JSON_LAST_WINS, &arena, &root, NULL), ST_OK);
    assert_true(json_get_text(root, SLICE("t"), &got) && slice_equal(got, SLICE("x")));
    assert_false(json_get_text(root, SLICE("i"), &got));
    assert_false(json_get_text(root, SLICE("absent"), &got));
    assert_true(json_get_int(root, SLICE("i"), &number) && number == -7);
    assert_false(json_get_int(root, SLICE("f"), &number));
    assert_false(json_get_int(root, SLICE("e"), &number));
    assert_false(json_get_int(root, SLICE("big"), &number));
    assert_false(json_get_int(root, SLICE("t"), &number));
    assert_true(json_get_bool(root, SLICE("y"), &flag) && flag);
    assert_true(json_get_bool(root, SLICE("n"), &flag) && !flag);
    assert_false(json_get_bool(root, SLICE("z"), &flag));
    assert_non_null(json_path(root, (slice[]){SLICE("o"), SLICE("p"), SLICE("q")}, 3));
    assert_null(json_path(root, (slice[]){SLICE("o"), SLICE("x"), SLICE("q")}, 3));
    assert_null(json_path(root, (slice[]){SLICE("l"), SLICE("")}, 2));
    assert_null(json_member(NULL, SLICE("o")));
    assert_null(json_path(NULL, (slice[]){SLICE("o")}, 1));
}

static void json_set_and_remove_keep_the_order(void **state)
{
    struct arena ARENA_CLEANUP arena = {.max = ARENA_MAX};
    struct json *o = json_new(&arena, JSON_OBJECT), *list = json_new(&arena, JSON_ARRAY);

    (void)state;
    json_set(o, SLICE("a"), json_new_int(&arena, 1));
    json_set(o, SLICE("b"), json_new_text(&arena, SLICE("x\"y")));
    json_set(o, SLICE("c"), json_new(&arena, JSON_NULL));
    assert_written(o, "{\"a\":1,\"b\":\"x\\\"y\",\"c\":null}", "built");
    json_set(o, SLICE("a"), json_new(&arena, JSON_TRUE));
    json_set(o, SLICE("c"), json_new_int(&arena, INT64_MIN));
    assert_written(o, "{\"a\":true,\"b\":\"x\\\"y\",\"c\":-9223372036854775808}", "replaced");
    json_set(o, SLICE("b"), json_member(o, SLICE("b")));
    json_remove(o, SLICE("c"));
    json_remove(o, SLICE("absent"));
    json_set(o, SLICE("d"), NULL);
    assert_written(o, "{\"a\":true,\"b\":\"x\\\"y\"}", "removed the last");
    json_set(o, SLICE("e"), json_new(&arena, JSON_FALSE));
    json_remove(o, SLICE("a"));
    assert_written(o, "{\"b\":\"x\\\"y\",\"e\":false}", "removed the first");
    json_append(list, o);
    json_append(list, json_new(&arena, JSON_OBJECT));
    json_append(list, NULL);
    assert_written(list, "[{\"b\":\"x\\\"y\",\"e\":false},{}]", "list");
    json_remove(o, SLICE("b"));
    json_remove(o, SLICE("e"));
    assert_written(o, "{}", "emptied");
}

static void json_new_reports_a_full_arena(void **state)
{
    struct arena ARENA_CLEANUP arena = {.max = 16};
    struct json object = {.kind = JSON_OBJECT};

    (void)state;
    json_set(&object, SLICE("a"), json_new_int(&arena, 1));
    assert_true(arena.failed);
    assert_written(&object, "{}", "nothing was set");
}

static void json_write_string_makes_utf8_of_anything(void **state)
{
    static const struct {
        slice text;
        const char *want;
    } rows[] = {
        {SLICE("a\xff"
               "b"),
         "\"a\xef\xbf\xbd"
         "b\""},
        {SLICE("\xc3\xa9"), "\"\xc3\xa9\""},
        {SLICE("\0"), "\"\\u0000\""},
        {SLICE(""), "\"\""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct buf BUF_CLEANUP out = {.max = 100};

        json_write_string(rows[i].text, &out);
        assert_true(slice_equal(buf_slice(&out), slice_str(rows[i].want)));
    }
}

static void json_write_fails_for_trees_of_absurd_depth(void **state)
{
    struct arena ARENA_CLEANUP arena = {.max = ARENA_MAX};
    struct json *root = json_new(&arena, JSON_ARRAY), *at = root;

    (void)state;
    for (size_t depth = 2; depth <= 65; depth++) {
        struct buf BUF_CLEANUP out = {.max = 1000};

        json_append(at, json_new(&arena, JSON_ARRAY));
        at = at->first;
        json_write(root, &out);
        assert_int_equal(out.failed, depth > 64);
        assert_true(out.failed || out.len == 2 * depth);
    }
}

static void json_writer_puts_the_commas(void **state)
{
    struct buf BUF_CLEANUP out = {.max = 1000};
    struct json_writer w = {.to = &out};

    (void)state;
    json_open(&w, (slice){0}, '{');
    json_put_text(&w, SLICE("t"), SLICE("a\nb"));
    json_put_int(&w, SLICE("i"), -5);
    json_open(&w, SLICE("l"), '[');
    json_put_bool(&w, (slice){0}, true);
    json_put_null(&w, (slice){0});
    json_open(&w, (slice){0}, '{');
    json_close(&w, '}');
    json_close(&w, ']');
    json_put_raw(&w, SLICE("r"), SLICE("{\"x\":1}"));
    json_put_bool(&w, SLICE("b"), false);
    json_close(&w, '}');
    assert_true(slice_equal(buf_slice(&out), SLICE("{\"t\":\"a\\nb\",\"i\":-5,\"l\":[true,null,{}],"
                                                   "\"r\":{\"x\":1},\"b\":false}")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_parse_agrees_with_jansson),
        cmocka_unit_test(json_write_means_the_same_to_jansson),
        cmocka_unit_test(json_text_comes_out_as_it_went_in),
        cmocka_unit_test(json_parse_keeps_the_bytes_of_each_value),
        cmocka_unit_test(json_parse_settles_duplicates),
        cmocka_unit_test(json_objects_grow_behind_a_settled_duplicate),
        cmocka_unit_test(json_parse_says_where_and_why),
        cmocka_unit_test(json_parse_keeps_the_depth_limit),
        cmocka_unit_test(json_parse_keeps_the_count_limit),
        cmocka_unit_test(json_parse_keeps_the_number_limit),
        cmocka_unit_test(json_parse_reports_a_full_arena_at_every_point),
        cmocka_unit_test(json_parse_takes_linear_time_for_large_objects),
        cmocka_unit_test(json_get_wants_the_right_kind),
        cmocka_unit_test(json_set_and_remove_keep_the_order),
        cmocka_unit_test(json_new_reports_a_full_arena),
        cmocka_unit_test(json_write_string_makes_utf8_of_anything),
        cmocka_unit_test(json_write_fails_for_trees_of_absurd_depth),
        cmocka_unit_test(json_writer_puts_the_commas),
    };

    return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
