#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "central/telemetry/telemetry_body.h"

static bool write_value(void *context, slice name, const struct json *value)
{
    struct buf *to = context;

    buf_append(to, name);
    buf_append_byte(to, '=');
    buf_append(to, value->raw);
    buf_append_byte(to, ' ');
    return true;
}

struct body_row {
    const char *name, *body, *values;
};

static void check_bodies(const struct body_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        ARENA_CLEANUP struct arena arena = {.max = 1 << 20};
        BUF_CLEANUP struct buf text = {.max = 4096};

        assert_true(telemetry_body_read(slice_str(rows[i].body), &arena, write_value, &text));
        if (!slice_equal(buf_slice(&text), slice_str(rows[i].values)))
            fail_msg("%s: %.*s", rows[i].name, SLICE_FMT(buf_slice(&text)));
    }
}

static void bodies_give_their_named_values(void **state)
{
    static const struct body_row rows[] = {
        {"an object", "{\"t\":21.50,\"h\":\"x\"}", "t=21.50 h=\"x\" "},
        {"an object inside", "{\"pos\":{\"lat\":1, \"lon\":2}}", "pos={\"lat\":1, \"lon\":2} "},
        {"an array of objects", "[{\"t\":1},{\"t\":2,\"h\":3}]", "t=1 t=2 h=3 "},
        {"an array of other things", "[1,[{\"t\":1}],{\"t\":2}]", "t=2 "},
        {"lines", "{\"t\":1}\n{\"t\":2}\n", "t=1 t=2 "},
        {"lines of the other kind", "{\"t\":1}\r\n{\"t\":2}", "t=1 t=2 "},
        {"lines, one is no JSON", "{\"t\":1}\nhello\n{\"t\":2}", "t=1 t=2 "},
        {"one object over several lines", "{\n\"t\":1\n}\n", "t=1 "},
        {"a number", "21", ""},
        {"text", "hello {\"t\":1}", ""},
        {"nothing", "", ""},
        {"cut off", "{\"t\":1", ""},
        {"null is no value", "{\"t\":null,\"h\":1}", "h=1 "},
        {"an empty name", "{\"\":1,\"h\":1}", "h=1 "},
    };

    (void)state;
    check_bodies(rows, COUNT_OF(rows));
}

static void C090_reserved_names_are_ignored(void **state)
{
    static const struct body_row rows[] = {
        {"all",
         "{\"EventEnqueuedUtcTime\":1,\"PartitionId\":2,\"EventHub\":3,\"User\":4,"
         "\"EventProcessedUtcTime\":5,\"$metadata\":6,\"$version\":7,\"t\":8}",
         "t=8 "},
    };

    (void)state;
    check_bodies(rows, COUNT_OF(rows));
}

static void C092_numbers_keep_every_digit(void **state)
{
    static const struct body_row rows[] = {
        {"64 bits", "{\"n\":9223372036854775807}", "n=9223372036854775807 "},
        {"more than 64 bits", "{\"n\":123456789012345678901234567890}",
         "n=123456789012345678901234567890 "},
        {"zeros behind", "{\"n\":23.10}", "n=23.10 "},
    };

    (void)state;
    check_bodies(rows, COUNT_OF(rows));
}

static void C088_headings_say_when_and_of_what(void **state)
{
    enum { NOW = 1769847330 }; /* seconds: 2026-01-31T08:15:30Z */
    const instant now = (instant)NOW * 1000;
    static const struct {
        const char *name, *bag, *component;
        int64_t seconds; /* against NOW */
    } rows[] = {
        {"nothing", "", "", 0},
        {"a component", "%24.sub=pump", "pump", 0},
        {"a component and more", "a=b&$.sub=pump%201&c", "pump 1", 0},
        {"a time", "iothub-creation-time-utc=2026-01-31T08%3A15%3A00Z", "", -30},
        {"a time, short name", "%24.ctime=2026-01-31T08%3A15%3A00.000Z", "", -30},
        {"a time with an offset", "iothub-creation-time-utc=2026-01-31T09%3A15%3A00%2B01%3A00", "",
         -30},
        {"no time", "iothub-creation-time-utc=yesterday", "", 0},
        {"a clock a little ahead", "iothub-creation-time-utc=2026-01-31T09%3A15%3A30Z", "", 3600},
        {"a clock far ahead", "iothub-creation-time-utc=2099-01-31T08%3A15%3A00Z", "", 0},
        {"a time before ours", "iothub-creation-time-utc=1969-12-31T00%3A00%3A00Z", "", 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        ARENA_CLEANUP struct arena arena = {.max = 1 << 20};
        struct telemetry_heading h;

        assert_int_equal(telemetry_heading_read(slice_str(rows[i].bag), now, &arena, &h), ST_OK);
        if (h.at != now + rows[i].seconds * 1000 ||
            !slice_equal(h.component, slice_str(rows[i].component)))
            fail_msg("%s: %lld, '%.*s'", rows[i].name, (long long)(h.at - now) / 1000,
                     SLICE_FMT(h.component));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bodies_give_their_named_values),
        cmocka_unit_test(C088_headings_say_when_and_of_what),
        cmocka_unit_test(C090_reserved_names_are_ignored),
        cmocka_unit_test(C092_numbers_keep_every_digit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
