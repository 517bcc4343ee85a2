#include <assert.h>

#include "codec/json.h"
#include "codec/json_internal.h"

#define ARENA_MAX (64u << 20)

static void check_same(const struct json *a, const struct json *b)
{
    struct json_walk left = {0}, right = {0};
    const struct json *x, *y;

    do {
        x = json_walk_next(&left, a);
        y = json_walk_next(&right, b);
        assert((x != NULL) == (y != NULL) && left.depth == right.depth);
        if (x)
            assert(x->kind == y->kind && slice_equal(x->name, y->name) &&
                   slice_equal(x->text, y->text));
    } while (x);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena ARENA_CLEANUP arena = {.max = ARENA_MAX};
    struct buf BUF_CLEANUP first = {.max = 64u << 20}, second = {.max = 64u << 20};
    struct json *tree, *again, *unused;
    struct fault why;
    slice text = {data, size};

    if (json_parse(text, JSON_LAST_WINS, &arena, &tree, &why) != ST_OK) {
        assert(json_parse(text, JSON_REFUSE_DUPLICATES, &arena, &unused, &why) != ST_OK);
        return 0;
    }
    json_write(tree, &first);
    assert(!first.failed);
    /* No doubles are left, and nothing else changes. */
    assert(json_parse(buf_slice(&first), JSON_REFUSE_DUPLICATES, &arena, &again, &why) == ST_OK);
    check_same(tree, again);
    json_write(again, &second);
    assert(slice_equal(buf_slice(&first), buf_slice(&second)));
    return 0;
}
