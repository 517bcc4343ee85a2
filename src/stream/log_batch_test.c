#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "stream/crc32c.h"
#include "stream/log_batch.h"

static void make_two_records(struct buf *body)
{
    const slice parts[] = {SLICE("one "), SLICE("record")};

    buf_init(body, 1000);
    log_batch_begin(body);
    assert_true(log_batch_add(body, 1700000000123, parts, 2, 10));
    assert_true(log_batch_add(body, -1, NULL, 0, 0));
    log_batch_end(body, 2);
}

static void a_batch_gives_back_what_was_put_in(void **state)
{
    struct buf body;
    struct log_batch batch;
    struct fault why;
    instant at;

    (void)state;
    make_two_records(&body);
    assert_int_equal(log_batch_open(buf_slice(&body), &batch, &why), ST_OK);
    assert_int_equal(batch.count, 2);
    assert_true(slice_equal(log_batch_next(&batch, &at), SLICE("one record")));
    assert_int_equal(at, 1700000000123);
    assert_int_equal(log_batch_next(&batch, &at).len, 0);
    assert_int_equal(at, -1);
    assert_int_equal(batch.count, 0);
    buf_deinit(&body);
}

static void a_record_that_does_not_fit_leaves_the_batch_as_it_was(void **state)
{
    struct buf body;
    struct log_batch batch;
    struct fault why;
    const slice nine = SLICE("nine byte");

    (void)state;
    buf_init(&body, LOG_BATCH_HEADER + LOG_RECORD_HEADER + 8);
    log_batch_begin(&body);
    assert_false(log_batch_add(&body, 0, &nine, 1, 9));
    assert_true(log_batch_add(&body, 0, &(slice){nine.ptr, 8}, 1, 8));
    log_batch_end(&body, 1);
    assert_int_equal(log_batch_open(buf_slice(&body), &batch, &why), ST_OK);
    buf_deinit(&body);
}

static void damaged_batches_are_refused(void **state)
{
    struct buf body;
    struct log_batch batch;
    struct fault why;

    (void)state;
    make_two_records(&body);
    for (size_t len = 0; len < body.len; len++) {
        if (log_batch_open(slice_first(buf_slice(&body), len), &batch, &why) == ST_OK)
            fail_msg("the first %zu bytes were taken for a batch", len);
    }
    buf_append_byte(&body, 0);
    assert_int_equal(log_batch_open(buf_slice(&body), &batch, &why), ST_BAD_REQUEST);
    body.len--;
    for (size_t i = 0; i < LOG_BATCH_HEADER + 4; i++) { /* magic, count, first length */
        body.ptr[i] ^= 0x80;
        if (log_batch_open(buf_slice(&body), &batch, &why) == ST_OK)
            fail_msg("byte %zu may be anything", i);
        body.ptr[i] ^= 0x80;
    }
    buf_deinit(&body);
}

static void crc32c_vectors_pass(void **state)
{
    static const uint8_t zeros[32], ones[32] = {[0 ... 31] = 0xff};
    /* RFC 3720, B.4, and the check value of the catalogue of CRCs. */
    const struct {
        slice bytes;
        uint32_t crc;
    } rows[] = {
        {{zeros, 32}, 0x8a9136aa},
        {{ones, 32}, 0x62a8ab43},
        {SLICE("123456789"), 0xe3069283},
        {SLICE(""), 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_int_equal(crc32c(rows[i].bytes), rows[i].crc);
        assert_int_equal(crc32c_portable(rows[i].bytes), rows[i].crc);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_batch_gives_back_what_was_put_in),
        cmocka_unit_test(a_record_that_does_not_fit_leaves_the_batch_as_it_was),
        cmocka_unit_test(damaged_batches_are_refused),
        cmocka_unit_test(crc32c_vectors_pass),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
