#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>

#include "central/telemetry/last_values.h"

static struct last_value value(const char *component, const char *name, instant at,
                               const char *json)
{
    return (struct last_value){slice_str(component), slice_str(name), at, slice_str(json)};
}

static size_t count_of(slice packed)
{
    struct reader r = {.rest = packed};
    struct last_value v;
    size_t count = 0;

    while (last_values_next(&r, &v))
        count++;
    assert_false(r.short_read);
    return count;
}

static void expect(slice packed, const char *component, const char *name, const char *json)
{
    struct last_value v;

    if (!last_values_find(packed, slice_str(component), slice_str(name), &v))
        fail_msg("%s %s is not there", component, name);
    if (!slice_equal(v.value, slice_str(json)))
        fail_msg("%s %s: %.*s", component, name, SLICE_FMT(v.value));
}

static void later_values_replace_earlier_ones(void **state)
{
    BUF_CLEANUP struct buf one = {.max = 1 << 20}, two = {.max = 1 << 20};
    const struct last_value first[] = {
        value("", "t", 100, "1"), value("pump", "t", 100, "2"), value("", "h", 100, "3"),
        value("", "t", 100, "4"), /* the later place */
    };
    const struct last_value second[] = {
        value("", "t", 99, "5"), /* an earlier time */
        value("", "h", 101, "6"),
        value("pump", "flow", 50, "\"x\""),
    };
    struct last_value v;

    (void)state;
    assert_true(last_values_merge((slice){0}, first, COUNT_OF(first), &one));
    assert_true(last_values_merge(buf_slice(&one), second, COUNT_OF(second), &two));
    assert_int_equal(count_of(buf_slice(&two)), 4);
    expect(buf_slice(&two), "", "t", "4");
    expect(buf_slice(&two), "", "h", "6");
    expect(buf_slice(&two), "pump", "t", "2");
    expect(buf_slice(&two), "pump", "flow", "\"x\"");
    assert_false(last_values_find(buf_slice(&two), SLICE(""), SLICE("flow"), &v));
}

static void what_was_packed_and_merged_with_the_same_stays_the_same(void **state)
{
    BUF_CLEANUP struct buf one = {.max = 1 << 20}, two = {.max = 1 << 20};
    const struct last_value values[] = {value("", "t", 100, "1"), value("a", "b", 7, "[2]")};

    (void)state;
    assert_true(last_values_merge((slice){0}, values, COUNT_OF(values), &one));
    assert_true(last_values_merge(buf_slice(&one), values, COUNT_OF(values), &two));
    assert_true(slice_equal(buf_slice(&one), buf_slice(&two)));
}

static void bounds_hold_and_the_oldest_gives_way(void **state)
{
    static struct last_value many[LAST_VALUES_MAX + 5];
    static char names[LAST_VALUES_MAX + 5][8], large[LAST_VALUE_BYTES_MAX + 2];
    BUF_CLEANUP struct buf one = {.max = 1 << 20}, two = {.max = 1 << 20}, three = {.max = 1 << 20};
    struct last_value v;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(many); i++) {
        snprintf(names[i], sizeof names[i], "n%zu", i);
        many[i] = value("", names[i], (instant)(1000 + i), "1");
    }
    assert_true(last_values_merge((slice){0}, many, COUNT_OF(many), &one));
    assert_int_equal(count_of(buf_slice(&one)), LAST_VALUES_MAX);
    assert_false(last_values_find(buf_slice(&one), SLICE(""), SLICE("n4"), &v));
    expect(buf_slice(&one), "", "n5", "1");

    memset(large, '1', sizeof large - 1);
    for (size_t i = 0; i < 40; i++)
        many[i] =
            value("", names[i], (instant)(3000 + i), large + 1); /* the largest there may be */
    assert_true(last_values_merge(buf_slice(&one), many, 40, &two));
    assert_true(two.len <= LAST_VALUES_BYTES);
    expect(buf_slice(&two), "", "n39", large + 1);

    many[39].value = slice_of(large, LAST_VALUE_BYTES_MAX + 1); /* an old one would be a lie */
    many[39].at = 4000;
    assert_true(last_values_merge(buf_slice(&two), &many[39], 1, &three));
    assert_false(last_values_find(buf_slice(&three), SLICE(""), SLICE("n39"), &v));
}

static void long_names_and_strange_bytes_are_passed_over(void **state)
{
    static char name[LAST_VALUE_NAME_MAX + 2];
    BUF_CLEANUP struct buf one = {.max = 1 << 20}, two = {.max = 1 << 20};
    struct last_value v[2] = {value("", name, 1, "1"), value("", "t", 1, "2")};

    (void)state;
    memset(name, 'n', LAST_VALUE_NAME_MAX + 1);
    v[0].name = slice_str(name);
    assert_true(last_values_merge((slice){0}, v, 2, &one));
    assert_int_equal(count_of(buf_slice(&one)), 1);
    assert_true(last_values_merge(SLICE("no entries of ours"), v, 2, &two));
    expect(buf_slice(&two), "", "t", "2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(later_values_replace_earlier_ones),
        cmocka_unit_test(what_was_packed_and_merged_with_the_same_stays_the_same),
        cmocka_unit_test(bounds_hold_and_the_oldest_gives_way),
        cmocka_unit_test(long_names_and_strange_bytes_are_passed_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
