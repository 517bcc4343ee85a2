#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/text.h"
#include "crypto/der_write.h"

static void assert_hex(const char *name, const struct buf *der, const char *want)
{
    BUF_CLEANUP struct buf hex = {.max = 1024};

    hex_encode(buf_slice(der), &hex);
    if (der->failed || !slice_equal(buf_slice(&hex), slice_str(want)))
        fail_msg("%s: %.*s in place of %s", name, SLICE_FMT(buf_slice(&hex)), want);
}

static void values_nest(void **state)
{
    BUF_CLEANUP struct buf der = {.max = 256};
    size_t outer, inner;

    (void)state;
    outer = der_open(&der, DER_SEQUENCE);
    der_append(&der, DER_BOOLEAN, SLICE("\xff"));
    inner = der_open(&der, DER_SET);
    der_append_bits(&der, SLICE("\x01\x02"));
    der_close(&der, inner);
    der_close(&der, outer);
    assert_hex("nested", &der, "300a0101ff31050303000102");
}

static void lengths_take_one_two_or_three_bytes(void **state)
{
    static const struct {
        size_t len;
        const char *head; /* hex */
    } rows[] = {
        {0, "0400"},     {1, "0401"},       {127, "047f"},       {128, "048180"},
        {255, "0481ff"}, {256, "04820100"}, {65535, "0482ffff"},
    };
    static uint8_t contents[65536];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        BUF_CLEANUP struct buf der = {.max = 70000};
        BUF_CLEANUP struct buf head = {.max = 16};
        size_t extra = strlen(rows[i].head) / 2;

        contents[0] = 0xaa;
        der_append(&der, DER_OCTET_STRING, slice_of(contents, rows[i].len));
        assert_int_equal(der.len, rows[i].len + extra);
        buf_append(&head, slice_first(buf_slice(&der), extra));
        assert_hex(rows[i].head, &head, rows[i].head);
        if (rows[i].len > 0)
            assert_int_equal(der.ptr[extra], 0xaa);
    }
}

static void what_does_not_fit_fails_the_buffer(void **state)
{
    static const uint8_t contents[65536];
    BUF_CLEANUP struct buf der = {.max = 70000}, small = {.max = 130};

    (void)state;
    der_append(&der, DER_OCTET_STRING, slice_of(contents, sizeof contents));
    assert_true(der.failed);
    der_append(&small, DER_OCTET_STRING, slice_of(contents, 128)); /* no room for the long length */
    assert_true(small.failed);
}

static void times_are_utc_until_2049_and_generalized_from_2050(void **state)
{
    static const struct {
        const char *name, *iso, *want; /* NULL: refused */
    } rows[] = {
        {"now", "2026-01-31T08:15:30Z",
         "\x17\x0d"
         "260131081530Z"},
        {"fraction", "2026-01-31T08:15:30.999Z",
         "\x17\x0d"
         "260131081530Z"},
        {"last UTCTime", "2049-12-31T23:59:59Z",
         "\x17\x0d"
         "491231235959Z"},
        {"first other", "2050-01-01T00:00:00Z",
         "\x18\x0f"
         "20500101000000Z"},
        {"no end", "9999-12-31T23:59:59Z",
         "\x18\x0f"
         "99991231235959Z"},
        {"before 1970", "1951-02-03T04:05:06Z",
         "\x17\x0d"
         "510203040506Z"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        BUF_CLEANUP struct buf der = {.max = 64};
        instant at;

        if (!clock_parse_iso(slice_str(rows[i].iso), &at))
            fail_msg("%s: no date", rows[i].name);
        der_append_time(&der, at);
        if (!slice_equal(buf_slice(&der), slice_str(rows[i].want)))
            fail_msg("%s: %.*s", rows[i].name, SLICE_FMT(buf_slice(&der)));
    }
}

static void years_that_no_certificate_can_hold_are_refused(void **state)
{
    static const int64_t seconds[] = {253402300800 /* 10000 */, -631152001 /* 1949 */,
                                      INT64_MAX / 1000, INT64_MIN / 1000};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(seconds); i++) {
        BUF_CLEANUP struct buf der = {.max = 64};

        der_append_time(&der, seconds[i] * 1000);
        if (!der.failed)
            fail_msg("row %zu was written", i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_nest),
        cmocka_unit_test(lengths_take_one_two_or_three_bytes),
        cmocka_unit_test(what_does_not_fit_fails_the_buffer),
        cmocka_unit_test(times_are_utc_until_2049_and_generalized_from_2050),
        cmocka_unit_test(years_that_no_certificate_can_hold_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
