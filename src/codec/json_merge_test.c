#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "codec/json_merge.h"

#define ARENA_MAX (16 * 1024 * 1024)

static struct json *parsed(const char *text, struct arena *arena)
{
    struct json *ret;
    struct fault why;

    if (json_parse(slice_str(text), JSON_REFUSE_DUPLICATES, arena, &ret, &why) != ST_OK)
        fail_msg("%s in %s", why.text, text);
    return ret;
}

/* The examples of RFC 7396, appendix A, whose both sides are objects, and the order of members. */
static const struct {
    const char *name, *target, *patch, *want;
} rows[] = {
    {"replaces", "{\"a\":\"b\"}", "{\"a\":\"c\"}", "{\"a\":\"c\"}"},
    {"adds", "{\"a\":\"b\"}", "{\"b\":\"c\"}", "{\"a\":\"b\",\"b\":\"c\"}"},
    {"removes the last", "{\"a\":\"b\"}", "{\"a\":null}", "{}"},
    {"removes", "{\"a\":\"b\",\"b\":\"c\"}", "{\"a\":null}", "{\"b\":\"c\"}"},
    {"an array goes", "{\"a\":[\"b\"]}", "{\"a\":\"c\"}", "{\"a\":\"c\"}"},
    {"an array comes whole", "{\"a\":[1,2]}", "{\"a\":[3]}", "{\"a\":[3]}"},
    {"inside", "{\"a\":{\"b\":\"c\"}}", "{\"a\":{\"b\":\"d\",\"c\":null}}",
     "{\"a\":{\"b\":\"d\"}}"},
    {"an object for a word", "{\"a\":1}", "{\"a\":{\"b\":2,\"c\":null}}", "{\"a\":{\"b\":2}}"},
    {"a word for an object", "{\"a\":{\"b\":1}}", "{\"a\":2}", "{\"a\":2}"},
    {"null deep in nothing", "{}", "{\"a\":{\"bb\":{\"ccc\":null}}}", "{\"a\":{\"bb\":{}}}"},
    {"null inside an array stays", "{}", "{\"a\":[null]}", "{\"a\":[null]}"},
    {"null of the target stays", "{\"e\":null}", "{\"a\":1}", "{\"e\":null,\"a\":1}"},
    {"nothing", "{\"a\":1}", "{}", "{\"a\":1}"},
    {"nothing into nothing", "{}", "{}", "{}"},
    {"places are kept", "{\"a\":1,\"b\":{\"c\":1},\"d\":2}", "{\"x\":5,\"b\":{\"y\":2},\"a\":9.50}",
     "{\"a\":9.50,\"b\":{\"c\":1,\"y\":2},\"d\":2,\"x\":5}"},
};

static void a_patch_merges_as_the_standard_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct arena ARENA_CLEANUP arena = {.max = ARENA_MAX};
        struct buf BUF_CLEANUP text = {.max = 4096};
        struct json *target = parsed(rows[i].target, &arena);
        const struct json *patch = parsed(rows[i].patch, &arena);

        assert_true(json_merge(target, patch, &arena));
        json_write(target, &text);
        if (!slice_equal(buf_slice(&text), slice_str(rows[i].want)))
            fail_msg("%s: got %.*s", rows[i].name, SLICE_FMT(buf_slice(&text)));
    }
}

static void a_patch_may_be_used_again(void **state)
{
    struct arena ARENA_CLEANUP arena = {.max = ARENA_MAX};
    const struct json *patch = parsed("{\"a\":{\"b\":1},\"c\":null}", &arena);

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct buf BUF_CLEANUP text = {.max = 4096};
        struct json *target = parsed("{\"a\":{\"z\":0},\"c\":3}", &arena);

        assert_true(json_merge(target, patch, &arena));
        json_write(target, &text);
        assert_true(slice_equal(buf_slice(&text), SLICE("{\"a\":{\"z\":0,\"b\":1}}")));
    }
}

static void a_full_arena_is_said(void **state)
{
    struct arena ARENA_CLEANUP arena = {.max = ARENA_MAX}, small = {.max = 64};

    (void)state;
    assert_false(
        json_merge(parsed("{\"a\":1}", &arena), parsed("{\"a\":2,\"b\":{}}", &arena), &small));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_patch_merges_as_the_standard_says),
        cmocka_unit_test(a_patch_may_be_used_again),
        cmocka_unit_test(a_full_arena_is_said),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
