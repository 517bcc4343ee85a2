#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "codec/json_equal.h"

static struct json *parse(slice text, struct arena *arena)
{
    struct json *value;
    struct fault why;

    if (json_parse(text, JSON_LAST_WINS, arena, &value, &why) != ST_OK)
        fail_msg("%.*s: %s", SLICE_FMT(text), why.text);
    return value;
}

static void json_equal_goes_by_meaning(void **state)
{
    static const struct {
        const char *a, *b;
        bool equal;
    } rows[] = {
        {"1", "1", true},
        {"1", "1.0", true},
        {"100", "1e2", true},
        {"1", "2", false},
        {"-0", "0", true},
        {"9223372036854775807", "9223372036854775806", false},
        {"\"1\"", "1", false},
        {"\"a\"", "\"\\u0061\"", true},
        {"true", "false", false},
        {"null", "null", true},
        {"null", "false", false},
        {"[]", "{}", false},
        {"[1,[2,{}]]", "[1.0,[2,{}]]", true},
        {"[1,2]", "[2,1]", false},
        {"[1,2]", "[1]", false},
        {"[1]", "[1,2]", false},
        {"{\"a\":1,\"b\":{\"c\":2}}", "{ \"b\":{\"c\":2.0}, \"a\":1 }", true},
        {"{\"a\":1,\"b\":2}", "{\"a\":1,\"c\":2}", false},
        {"{\"a\":{\"b\":1},\"c\":2}", "{\"a\":{\"b\":1},\"c\":3}", false},
        {"{\"a\":null}", "{}", false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        ARENA_CLEANUP struct arena arena = {.max = 1 << 20};
        const struct json *a = parse(slice_str(rows[i].a), &arena);
        const struct json *b = parse(slice_str(rows[i].b), &arena);

        if (json_is_equal(a, b) != rows[i].equal || json_is_equal(b, a) != rows[i].equal)
            fail_msg("%s and %s", rows[i].a, rows[i].b);
    }
}

/* Without a look for the name, as json_set takes. */
static void append(struct json *object, slice name, struct arena *arena)
{
    struct json *member = json_new(arena, JSON_TRUE);

    assert_non_null(member);
    json_append(object, member);
    member->name = name;
}

static void json_equal_is_bounded(void **state)
{
    enum { MEMBERS = 5000 };
    ARENA_CLEANUP struct arena arena = {.max = 16 << 20};
    struct json *up = json_new(&arena, JSON_OBJECT), *down = json_new(&arena, JSON_OBJECT);

    (void)state;
    for (int i = 0; i < MEMBERS; i++) {
        append(up, arena_printf(&arena, "%d", i), &arena);
        append(down, arena_printf(&arena, "%d", MEMBERS - 1 - i), &arena);
    }
    assert_true(json_is_equal(up, up));
    assert_false(json_is_equal(up, down));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_equal_goes_by_meaning),
        cmocka_unit_test(json_equal_is_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
