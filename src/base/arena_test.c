#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdalign.h>

#include "base/arena.h"

static void what_is_allocated_is_zero_and_aligned(void **state)
{
    ARENA_CLEANUP struct arena a = {.max = 1 << 20};

    (void)state;
    for (size_t size = 1; size < 9000; size += 37) {
        uint8_t *bytes = arena_alloc(&a, size);

        assert_non_null(bytes);
        assert_int_equal((uintptr_t)bytes % alignof(max_align_t), 0);
        for (size_t i = 0; i < size; i++)
            assert_int_equal(bytes[i], 0);
        memset(bytes, 0xff, size);
        if (a.used > (1 << 20) - 16384)
            break;
    }
    assert_false(a.failed);
}

static void an_arena_gives_its_maximum_and_no_byte_more(void **state)
{
    ARENA_CLEANUP struct arena a = {.max = 64};

    (void)state;
    assert_non_null(arena_alloc(&a, 48));
    assert_non_null(arena_alloc(&a, 16));
    assert_false(a.failed);
    assert_null(arena_alloc(&a, 1));
    assert_true(a.failed);
    assert_null(arena_alloc(&a, 0));
    arena_deinit(&a);
    assert_non_null(arena_alloc(&a, 64));
    assert_false(a.failed);
}

static void a_reset_arena_is_as_good_as_new(void **state)
{
    ARENA_CLEANUP struct arena a = {.max = 10000};

    (void)state;
    for (size_t size = 100; size <= 9000; size += 8900) {
        for (size_t round = 0; round < 3; round++) {
            uint8_t *bytes = arena_alloc(&a, size);

            assert_non_null(bytes);
            assert_int_equal(bytes[size - 1], 0);
            memset(bytes, 0xff, size);
            assert_null(arena_alloc(&a, 10000));
            arena_reset(&a);
            assert_int_equal(a.used, 0);
            assert_false(a.failed);
        }
    }
}

static void sizes_that_overflow_are_refused(void **state)
{
    static const size_t sizes[] = {SIZE_MAX, SIZE_MAX - 14, SIZE_MAX - 15};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        ARENA_CLEANUP struct arena a = {.max = SIZE_MAX};

        assert_null(arena_alloc(&a, sizes[i]));
        assert_true(a.failed);
    }
    ARENA_CLEANUP struct arena b = {.max = SIZE_MAX};
    assert_null(arena_alloc_array(&b, SIZE_MAX / 2, 3));
    assert_true(b.failed);
}

static void copies_have_a_NUL_behind_them(void **state)
{
    ARENA_CLEANUP struct arena a = {.max = 64};
    slice copy = arena_copy(&a, SLICE("a\0b"));
    slice empty = arena_copy(&a, (slice){0});
    slice printed = arena_printf(&a, "%d/%s", 7, "x");

    (void)state;
    assert_int_equal(copy.len, 3);
    assert_memory_equal(copy.ptr, "a\0b", 4);
    assert_non_null(empty.ptr);
    assert_int_equal(empty.len, 0);
    assert_string_equal((const char *)printed.ptr, "7/x");
    assert_int_equal(printed.len, 3);
    assert_null(arena_copy(&a, SLICE("0123456789abcdef0123456789abcdef")).ptr);
    assert_true(a.failed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_allocated_is_zero_and_aligned),
        cmocka_unit_test(an_arena_gives_its_maximum_and_no_byte_more),
        cmocka_unit_test(a_reset_arena_is_as_good_as_new),
        cmocka_unit_test(sizes_that_overflow_are_refused),
        cmocka_unit_test(copies_have_a_NUL_behind_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
