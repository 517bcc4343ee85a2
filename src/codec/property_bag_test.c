#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "codec/property_bag.h"

#define ARENA_MAX (1u << 20)

static void assert_slice(slice got, slice want, const char *row)
{
    if (!slice_equal(got, want))
        fail_msg("%s: got '%.*s', wanted '%.*s'", row, SLICE_FMT(got), SLICE_FMT(want));
}

struct expected {
    enum system_property system;
    const char *key, *value; /* value NULL: the property has none */
};

static void assert_bag(slice text, const struct expected *want, size_t count, const char *row)
{
    struct arena ARENA_CLEANUP arena = {.max = ARENA_MAX};
    struct property_bag bag;

    assert_int_equal(property_bag_parse(text, &arena, &bag, NULL), ST_OK);
    if (bag.count != count)
        fail_msg("%s: %zu properties", row, bag.count);
    for (size_t i = 0; i < count; i++) {
        if (bag.items[i].system != want[i].system ||
            bag.items[i].has_value != (want[i].value != NULL))
            fail_msg("%s: property %zu", row, i);
        assert_slice(bag.items[i].key, slice_str(want[i].key), row);
        assert_slice(bag.items[i].value, slice_str(want[i].value), row);
    }
    assert_true(property_bag_counted(&bag) <= text.len);
}

static void H050_H056_H057_H058_H158_H162_property_bag_parse_reads_every_form(void **state)
{
    static const struct {
        const char *name, *text;
        struct expected want[4];
        size_t count;
    } rows[] = {
        {"empty", "", {{0}}, 0},
        {"only a question mark", "?", {{0}}, 0},
        {"only a slash", "/", {{0}}, 0},
        {"one", "a=b", {{PROP_NONE, "a", "b"}}, 1},
        {"leading question mark", "?a=b", {{PROP_NONE, "a", "b"}}, 1},
        {"trailing slash", "a=b/", {{PROP_NONE, "a", "b"}}, 1},
        {"one slash only", "a=b//", {{PROP_NONE, "a", "b/"}}, 1},
        {"Node: encoded system keys",
         "%24.mid=1&%24.ct=application%2Fjson&%24.sub=c&k=v",
         {{PROP_MESSAGE_ID, "", "1"},
          {PROP_CONTENT_TYPE, "", "application/json"},
          {PROP_COMPONENT, "", "c"},
          {PROP_NONE, "k", "v"}},
         4},
        {"C: raw, application first",
         "k=v w/x=y&$.mid=1&$.ce=utf-8",
         {{PROP_NONE, "k", "v w/x=y"},
          {PROP_MESSAGE_ID, "", "1"},
          {PROP_CONTENT_ENCODING, "", "utf-8"}},
         3},
        {"raw / = + in values",
         "p=/a/b&q=1=2&r=a+b",
         {{PROP_NONE, "p", "/a/b"}, {PROP_NONE, "q", "1=2"}, {PROP_NONE, "r", "a+b"}},
         3},
        {"encoded + & =",
         "p=%2B%26%3D&a%3Db=c",
         {{PROP_NONE, "p", "+&="}, {PROP_NONE, "a=b", "c"}},
         2},
        {"bad percent stays",
         "a=100%&b=%zz&c=%4",
         {{PROP_NONE, "a", "100%"}, {PROP_NONE, "b", "%zz"}, {PROP_NONE, "c", "%4"}},
         3},
        {"decoded once", "a=%2541", {{PROP_NONE, "a", "%41"}}, 1},
        {"UTF-8", "\xc3\xa9=%E2%82%AC", {{PROP_NONE, "\xc3\xa9", "\xe2\x82\xac"}}, 1},
        {"without value",
         "a&b=&c",
         {{PROP_NONE, "a", NULL}, {PROP_NONE, "b", ""}, {PROP_NONE, "c", NULL}},
         3},
        {"odd characters",
         "!#$'*^_`|~=()<>@,;:\\\"[]?{} \t",
         {{PROP_NONE, "!#$'*^_`|~", "()<>@,;:\\\"[]?{} \t"}},
         1},
        {"empty parts and keys", "&&a=b&&=c&", {{PROP_NONE, "a", "b"}}, 1},
        {"last of doubles", "a=1&b=2&a=3&%61=4", {{PROP_NONE, "a", "4"}, {PROP_NONE, "b", "2"}}, 2},
        {"doubles of system keys", "$.mid=1&%24.mid=2", {{PROP_MESSAGE_ID, "", "2"}}, 1},
        {"unknown system key", "$.zzz=1", {{PROP_NONE, "$.zzz", "1"}}, 1},
        {"case counts",
         "$.MID=1&Iothub-Ack=full",
         {{PROP_NONE, "$.MID", "1"}, {PROP_NONE, "Iothub-Ack", "full"}},
         2},
        {"both names of ack", "ack=none&iothub-ack=full", {{PROP_ACK, "", "full"}}, 1},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_bag(slice_str(rows[i].text), rows[i].want, rows[i].count, rows[i].name);
}

static void H056_system_keys_map_to_their_names(void **state)
{
    static const struct {
        const char *key, *name;
    } rows[] = {
        {"$.mid", "message-id"},
        {"$.cid", "correlation-id"},
        {"$.uid", "user-id"},
        {"$.to", "to"},
        {"$.ct", "content-type"},
        {"$.ce", "content-encoding"},
        {"$.exp", "absolute-expiry-time"},
        {"$.ctime", "iothub-creation-time-utc"},
        {"$.on", "iothub-outputname"},
        {"$.ifid", "iothub-interface-id"},
        {"$.sub", "dt-subject"},
        {"$.schema", "iothub-message-schema"},
        {"$.diagid", "Diagnostic-Id"},
        {"$.diagctx", "Correlation-Context"},
        {"iothub-operation", "iothub-operation"},
        {"iothub-ack", "iothub-ack"},
    };

    (void)state;
    assert_int_equal(COUNT_OF(rows), PROP_COUNT - 1);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct arena ARENA_CLEANUP arena = {.max = ARENA_MAX};
        struct property_bag bag;
        slice text = arena_printf(&arena, "x=y&%s=v", rows[i].key);

        assert_int_equal(property_bag_parse(text, &arena, &bag, NULL), ST_OK);
        assert_int_equal(bag.count, 2);
        assert_string_equal(system_property_name(bag.items[1].system), rows[i].name);
        assert_slice(property_bag_system(&bag, bag.items[1].system), SLICE("v"), rows[i].key);
        assert_int_equal(property_bag_counted(&bag), 3); /* the system key costs nothing */
    }
    assert_string_equal(system_property_name(PROP_COUNT), "");
}

static void H142_stamped_names_from_devices_are_dropped(void **state)
{
    static const char *const names[] = {
        "$.cdid",
        "%24.cmid",
        "iothub-connection-device-id",
        "iothub-connection-auth-method",
        "IoTHub-Connection-Module-Id",
        "iothub-enqueuedtime",
        "iothub-message-source",
        "iothub-MessageType",
        "dt-dataschema",
        "x-opt-offset",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        struct arena ARENA_CLEANUP arena = {.max = ARENA_MAX};
        struct property_bag bag;
        slice text = arena_printf(&arena, "%s=v&a=b", names[i]);

        assert_int_equal(property_bag_parse(text, &arena, &bag, NULL), ST_OK);
        if (bag.count != 1 || !slice_equal(bag.items[0].key, SLICE("a")))
            fail_msg("kept: %s", names[i]);
    }
}

static void property_bag_parse_keeps_its_limit(void **state)
{
    (void)state;
    for (size_t count = PROPERTIES_MAX - 1; count <= PROPERTIES_MAX + 1; count++) {
        struct arena ARENA_CLEANUP arena = {.max = ARENA_MAX};
        struct buf BUF_CLEANUP text = {.max = 10000};
        struct property_bag bag;

        for (size_t i = 0; i < count; i++)
            buf_printf(&text, "&k%zu=v", i);
        assert_int_equal(property_bag_parse(buf_slice(&text), &arena, &bag, NULL),
                         count > PROPERTIES_MAX ? ST_BAD_REQUEST : ST_OK);
    }
}

static void property_bag_parse_reports_a_full_arena(void **state)
{
    struct property_bag bag;

    (void)state;
    for (size_t max = 0; max < 64; max += 16) {
        struct arena ARENA_CLEANUP arena = {.max = max};

        assert_int_equal(property_bag_parse(SLICE("a=%41"), &arena, &bag, NULL), ST_NO_MEMORY);
    }
}

/* --- cloud to device ------------------------------------------------------------------------ */

static void assert_topic(slice bag, slice device_id, slice module_id, const char *want)
{
    struct arena ARENA_CLEANUP arena = {.max = ARENA_MAX};
    struct buf BUF_CLEANUP topic = {.max = 65535};
    struct property_bag properties;

    assert_int_equal(property_bag_parse(bag, &arena, &properties, NULL), ST_OK);
    c2d_topic_write(device_id, module_id, &properties, &topic);
    assert_false(topic.failed);
    assert_slice(buf_slice(&topic), slice_str(want), want);
}

static void H064_H065_H066_H071_H161_c2d_topic_write_follows_the_rules_of_the_field(void **state)
{
    (void)state;
    assert_topic(SLICE(""), SLICE("d1"), SLICE(""),
                 "devices/d1/messages/devicebound/"
                 "%24.to=%2Fdevices%2Fd1%2Fmessages%2FdeviceBound");
    assert_topic(SLICE(""), SLICE("d1"), SLICE("m1"),
                 "devices/d1/modules/m1/messages/devicebound/"
                 "%24.to=%2Fdevices%2Fd1%2Fmodules%2Fm1%2Fmessages%2FdeviceBound");
    /* System keys first and in their order, whatever order they came in. */
    assert_topic(SLICE("k=a b+c/d&iothub-ack=full&$.exp=2026-01-01T00:00:00Z&$.ce=utf-8&$.ct=a/b"
                       "&$.uid=u&$.cid=c&$.mid=m&z="),
                 SLICE("d1"), SLICE(""),
                 "devices/d1/messages/devicebound/%24.mid=m&%24.cid=c&%24.uid=u"
                 "&%24.to=%2Fdevices%2Fd1%2Fmessages%2FdeviceBound&%24.ct=a%2Fb&%24.ce=utf-8"
                 "&%24.exp=2026-01-01T00%3A00%3A00Z&iothub-ack=full&k=a%20b%2Bc%2Fd&z=");
    /* The sender's "to" goes unchanged, an empty one is none. */
    assert_topic(SLICE("$.to=/devices/d1/messages/devicebound"), SLICE("d1"), SLICE(""),
                 "devices/d1/messages/devicebound/"
                 "%24.to=%2Fdevices%2Fd1%2Fmessages%2Fdevicebound");
    assert_topic(SLICE("$.to="), SLICE("d1"), SLICE(""),
                 "devices/d1/messages/devicebound/"
                 "%24.to=%2Fdevices%2Fd1%2Fmessages%2FdeviceBound");
    /* Null values and system keys that receivers do not know are left out. */
    assert_topic(SLICE("a&$.mid&iothub-ack&b=1&$.ctime=x"), SLICE("d1"), SLICE(""),
                 "devices/d1/messages/devicebound/"
                 "%24.to=%2Fdevices%2Fd1%2Fmessages%2FdeviceBound&b=1");
    assert_topic(SLICE(""), SLICE("a:b%c"), SLICE(""),
                 "devices/a:b%c/messages/devicebound/"
                 "%24.to=%2Fdevices%2Fa%3Ab%25c%2Fmessages%2FdeviceBound");
}

static void H157_c2d_topic_survives_hard_values(void **state)
{
    static const struct expected want[] = {
        {PROP_MESSAGE_ID, "", "a&b=c%d"},
        {PROP_TO, "", "/devices/d1/messages/deviceBound"},
        {PROP_ACK, "", "full"},
        {PROP_NONE, "k&=% \xc3\xa9", "&=%25 +\xe2\x82\xac"},
    };
    struct buf BUF_CLEANUP topic = {.max = 65535};
    struct message_property items[] = {
        {PROP_NONE, SLICE("k&=% \xc3\xa9"), SLICE("&=%25 +\xe2\x82\xac"), true},
        {PROP_ACK, {0}, SLICE("full"), true},
        {PROP_MESSAGE_ID, {0}, SLICE("a&b=c%d"), true},
    };
    struct property_bag given = {items, COUNT_OF(items)};

    (void)state;
    c2d_topic_write(SLICE("d1"), (slice){0}, &given, &topic);
    assert_bag(slice_from(buf_slice(&topic), strlen("devices/d1/messages/devicebound/")), want,
               COUNT_OF(want), "read back");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(H050_H056_H057_H058_H158_H162_property_bag_parse_reads_every_form),
        cmocka_unit_test(H056_system_keys_map_to_their_names),
        cmocka_unit_test(H142_stamped_names_from_devices_are_dropped),
        cmocka_unit_test(property_bag_parse_keeps_its_limit),
        cmocka_unit_test(property_bag_parse_reports_a_full_arena),
        cmocka_unit_test(H064_H065_H066_H071_H161_c2d_topic_write_follows_the_rules_of_the_field),
        cmocka_unit_test(H157_c2d_topic_survives_hard_values),
    };

    return cmocka_run_group_tests_name("property_bag", tests, NULL, NULL);
}
