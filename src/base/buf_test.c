#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/buf.h"

static void appending_grows_up_to_the_maximum(void **state)
{
    (void)state;
    for (size_t max = 0; max < 200; max++) {
        BUF_CLEANUP struct buf b = {.max = max};

        for (size_t i = 0; i < max; i++)
            buf_append_byte(&b, (uint8_t)i);
        assert_false(b.failed);
        assert_int_equal(b.len, max);
        for (size_t i = 0; i < max; i++)
            assert_int_equal(b.ptr[i], i);
        buf_append_byte(&b, 0);
        assert_true(b.failed);
        assert_int_equal(b.len, max);
        assert_true(b.cap <= max);
    }
}

static void a_failure_sticks_until_cleared(void **state)
{
    BUF_CLEANUP struct buf b = {.max = 4};

    (void)state;
    buf_append_str(&b, "abc");
    buf_append_str(&b, "de");
    buf_append_str(&b, "d");
    assert_true(b.failed);
    assert_true(slice_equal(buf_slice(&b), SLICE("abc")));
    buf_clear(&b);
    buf_append_str(&b, "defg");
    assert_false(b.failed);
    assert_true(slice_equal(buf_slice(&b), SLICE("defg")));
    assert_null(buf_room(&b, SIZE_MAX));
    assert_true(b.failed);
}

static void printing_may_fill_the_buffer_to_the_last_byte(void **state)
{
    BUF_CLEANUP struct buf b = {.max = 8};

    (void)state;
    buf_printf(&b, "%s-%d", "abc", 1234);
    assert_false(b.failed);
    assert_true(slice_equal(buf_slice(&b), SLICE("abc-1234")));
    buf_printf(&b, "%s", "");
    assert_false(b.failed);
    buf_printf(&b, "x");
    assert_true(b.failed);
    assert_int_equal(b.len, 8);
}

static void room_is_counted_when_it_was_used(void **state)
{
    BUF_CLEANUP struct buf b = {.max = 100};
    uint8_t *room = buf_room(&b, 100);

    (void)state;
    assert_non_null(room);
    memset(room, 'x', 100);
    assert_int_equal(b.len, 0);
    buf_grew(&b, 100);
    assert_int_equal(b.len, 100);
    assert_non_null(buf_room(&b, 0));
    assert_null(buf_room(&b, 1));
}

static void consuming_drops_the_front(void **state)
{
    BUF_CLEANUP struct buf b = {.max = 16};

    (void)state;
    buf_consume(&b, 1);
    buf_append_str(&b, "abcdef");
    buf_consume(&b, 0);
    buf_consume(&b, 2);
    assert_true(slice_equal(buf_slice(&b), SLICE("cdef")));
    buf_consume(&b, 5);
    assert_int_equal(b.len, 0);
}

static void integers_are_big_endian(void **state)
{
    BUF_CLEANUP struct buf b = {.max = 14};

    (void)state;
    buf_append_u16(&b, 0x0102);
    buf_append_u32(&b, 0x03040506);
    buf_append_u64(&b, UINT64_C(0x0708090a0b0c0d0e));
    assert_true(slice_equal(buf_slice(&b),
                            SLICE("\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e")));
    buf_deinit(&b);
    assert_null(b.ptr);
    assert_int_equal(b.max, 14);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appending_grows_up_to_the_maximum),
        cmocka_unit_test(a_failure_sticks_until_cleared),
        cmocka_unit_test(printing_may_fill_the_buffer_to_the_last_byte),
        cmocka_unit_test(room_is_counted_when_it_was_used),
        cmocka_unit_test(consuming_drops_the_front),
        cmocka_unit_test(integers_are_big_endian),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
