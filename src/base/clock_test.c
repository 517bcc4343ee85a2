#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/clock.h"

static void instants_are_written_with_seven_digits(void **state)
{
    static const struct {
        instant at;
        const char *iso, *http;
    } rows[] = {
        {0, "1970-01-01T00:00:00.0000000Z", "Thu, 01 Jan 1970 00:00:00 GMT"},
        {1769847330123, "2026-01-31T08:15:30.1230000Z", "Sat, 31 Jan 2026 08:15:30 GMT"},
        {951782400007, "2000-02-29T00:00:00.0070000Z", "Tue, 29 Feb 2000 00:00:00 GMT"},
        {-1, "1969-12-31T23:59:59.9990000Z", "Wed, 31 Dec 1969 23:59:59 GMT"},
        {253402300799999, "9999-12-31T23:59:59.9990000Z", "Fri, 31 Dec 9999 23:59:59 GMT"},
    };
    char text[CLOCK_TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        instant again;

        if (!slice_equal(clock_iso(rows[i].at, text), slice_str(rows[i].iso)))
            fail_msg("%s: %s", rows[i].iso, text);
        assert_true(clock_parse_iso(slice_str(rows[i].iso), &again));
        assert_true(again == rows[i].at);
        if (!slice_equal(clock_http_date(rows[i].at, text), slice_str(rows[i].http)))
            fail_msg("%s: %s", rows[i].http, text);
    }
    assert_true(clock_iso(INT64_MAX, text).len < CLOCK_TEXT_MAX);
    assert_true(clock_iso(INT64_MIN, text).len < CLOCK_TEXT_MAX);
    assert_true(clock_http_date(INT64_MAX, text).len < CLOCK_TEXT_MAX);
}

static void times_are_read(void **state)
{
    static const struct {
        const char *text;
        bool good;
        instant at;
    } rows[] = {
        {"2026-01-31T08:15:30Z", true, 1769847330000},
        {"2026-01-31T08:15:30.1Z", true, 1769847330100},
        {"2026-01-31T08:15:30.123456789Z", true, 1769847330123},
        {"2026-01-31T09:15:30+01:00", true, 1769847330000},
        {"2026-01-31T03:45:30.5-04:30", true, 1769847330500},
        {"2024-02-29T00:00:00Z", true, 1709164800000},
        {"1969-12-31T23:59:59.5Z", true, -500},
        {"2026-01-31T08:15:30.Z", false, 0},
        {"2026-01-31T08:15:30.1234567890Z", false, 0},
        {"2026-01-31T08:15:30", false, 0},
        {"2026-01-31T08:15Z", false, 0},
        {"2026-01-31 08:15:30Z", false, 0},
        {"2026-02-29T00:00:00Z", false, 0},
        {"2026-02-31T00:00:00Z", false, 0},
        {"2026-13-01T00:00:00Z", false, 0},
        {"2026-00-01T00:00:00Z", false, 0},
        {"2026-01-00T00:00:00Z", false, 0},
        {"2026-01-31T24:00:00Z", false, 0},
        {"2026-01-31T08:60:00Z", false, 0},
        {"2026-01-31T08:15:60Z", false, 0},
        {"2026-01-31T08:15:30Zx", false, 0},
        {"2026-01-31T08:15:30+1:00", false, 0},
        {"2026-01-31T08:15:30+24:00", false, 0},
        {"2026-01-31T08:15:30+01:60", false, 0},
        {"+026-01-31T08:15:30Z", false, 0},
        {"", false, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        instant at = 0;

        if (clock_parse_iso(slice_str(rows[i].text), &at) != rows[i].good || at != rows[i].at)
            fail_msg("'%s': %lld", rows[i].text, (long long)at);
    }
}

static void the_monotonic_clock_does_not_go_back(void **state)
{
    int64_t ms = clock_mono_ms(), us = clock_mono_us();

    (void)state;
    assert_true(us / 1000 >= ms);
    assert_true(clock_mono_us() >= us);
    assert_true(clock_wall_ms() > 1700000000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(instants_are_written_with_seven_digits),
        cmocka_unit_test(times_are_read),
        cmocka_unit_test(the_monotonic_clock_does_not_go_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
