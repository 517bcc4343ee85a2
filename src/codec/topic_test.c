#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "codec/topic.h"

static void assert_slice(slice got, const char *want, const char *row)
{
    if (!slice_equal(got, slice_str(want)))
        fail_msg("%s: got '%.*s', wanted '%s'", row, SLICE_FMT(got), want ? want : "");
}

/* --- matching ------------------------------------------------------------------------------- */

static void topic_match_binds_or_refuses(void **state)
{
    static const struct {
        const char *name, *filter, *topic;
        bool match;
        const char *bound[TOPIC_BOUND_MAX];
        size_t count;
    } rows[] = {
        {"nothing after #", "devices/+/messages/#", "devices/d1/messages/", true, {"d1", ""}, 2},
        {"two bound",
         "$iothub/methods/res/+/#",
         "$iothub/methods/res/200/?",
         true,
         {"200", "?"},
         2},
        {"# takes its parent", "devices/+/messages/#", "devices/d1/messages", true, {"d1", ""}, 2},
        {"# takes levels", "a/#", "a/b/c/d", true, {"b/c/d"}, 1},
        {"# takes all", "#", "a/b", true, {"a/b"}, 1},
        {"plain", "a/b", "a/b", true, {0}, 0},
        {"+ takes an empty level", "a/+/b", "a//b", true, {""}, 1},
        {"+ at the end", "a/+", "a/", true, {""}, 1},
        {"four bound", "+/+/+/#", "a/b/c/d/e", true, {"a", "b", "c", "d/e"}, 4},
        {"five to bind", "+/+/+/+/#", "a/b/c/d/e", false, {0}, 0},
        {"a level short", "$iothub/methods/res/+/#", "$iothub/methods/res", false, {0}, 0},
        {"a level long", "a/+", "a/b/c", false, {0}, 0},
        {"a level too few", "a/b", "a", false, {0}, 0},
        {"case counts", "$iothub/twin/GET/#", "$iothub/twin/get/?$rid=1", false, {0}, 0},
        {"prefix of a level", "a/b", "a/bc", false, {0}, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct topic_match m = {0};

        if (topic_match(slice_str(rows[i].filter), slice_str(rows[i].topic), &m) != rows[i].match)
            fail_msg("%s: expected match=%d", rows[i].name, rows[i].match);
        if (m.count != rows[i].count)
            fail_msg("%s: %zu bound", rows[i].name, m.count);
        for (size_t b = 0; b < m.count; b++)
            assert_slice(m.bound[b], rows[i].bound[b], rows[i].name);
    }
}

static void topic_query_finds_the_first_of_a_key(void **state)
{
    static const struct {
        const char *query, *key, *want; /* want NULL: absent */
    } rows[] = {
        {"?$rid=1&$version=5", "$rid", "1"},
        {"?$rid=1&$version=5", "$version", "5"},
        {"$rid=1", "$rid", "1"},
        {"?$rid=a=b", "$rid", "a=b"},
        {"?$rid=", "$rid", ""},
        {"?$rid", "$rid", ""},
        {"?a=1&a=2", "a", "1"},
        {"?", "$rid", NULL},
        {"", "$rid", NULL},
        {"?$rid2=1", "$rid", NULL},
        {"?&&$rid=a%20b/c", "$rid", "a%20b/c"},
        {"??$rid=1", "$rid", NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        slice got = {0};
        bool found = topic_query(slice_str(rows[i].query), slice_str(rows[i].key), &got);

        if (found != (rows[i].want != NULL))
            fail_msg("%s in %s: found=%d", rows[i].key, rows[i].query, found);
        assert_slice(got, rows[i].want, rows[i].query);
    }
}

/* --- user names ----------------------------------------------------------------------------- */

#define DTMI "dtmi:com:example:Thermostat;1"
#define DTMI_ENCODED "dtmi%3acom%3Aexample%3AThermostat%3b1"

static void H026_H027_hub_username_parse_reads_every_form(void **state)
{
    static const struct {
        const char *username;
        const char *device, *module, *version, *client, *model;
    } rows[] = {
        {"h.x/d1/?api-version=2021-04-12&DeviceClientType=a%2F1", "d1", "", "2021-04-12", "a/1",
         ""},
        {"h.x/d1/m1/?api-version=2021-04-12&DeviceClientType=a%2F1", "d1", "m1", "2021-04-12",
         "a/1", ""},
        {"h.x/d1/api-version=2016-11-14&DeviceClientType=a%2f1", "d1", "", "2016-11-14", "a/1", ""},
        {"h.x/d1/m1/api-version=2017-11-08-preview", "d1", "m1", "2017-11-08-preview", "", ""},
        {"h.x/d1", "d1", "", "", "", ""},
        {"h.x/d1/m1/api-version=2017-06-30/DeviceClientType=Microsoft.Azure.Devices.Client/"
         "1.5.1-preview-003",
         "d1", "m1", "2017-06-30", "Microsoft.Azure.Devices.Client/1.5.1-preview-003", ""},
        /* as the SDKs order them: Node, Python, C, embedded C, C#, Java */
        {"h.x/d1/?api-version=2021-04-12&model-id=" DTMI "&DeviceClientType=node%2F1", "d1", "",
         "2021-04-12", "node/1", DTMI},
        {"h.x/d1/?api-version=2020-09-30&DeviceClientType=py%2F1&model-id=" DTMI_ENCODED, "d1", "",
         "2020-09-30", "py/1", DTMI},
        {"h.x/d1/?api-version=2020-09-30&DeviceClientType=c%2f1&model-id=" DTMI_ENCODED, "d1", "",
         "2020-09-30", "c/1", DTMI},
        {"h.x/d1/?api-version=2020-09-30&model-id=" DTMI_ENCODED, "d1", "", "2020-09-30", "", DTMI},
        {"h.x/d1/?api-version=2020-09-30&DeviceClientType=cs&auth-chain=a%3Bb&model-id=" DTMI, "d1",
         "", "2020-09-30", "cs", DTMI},
        {"h.x/d1/?api-version=2020-09-30&model-id=" DTMI_ENCODED "&DeviceClientType=java", "d1", "",
         "2020-09-30", "java", DTMI},
        {"h.x/d1/?model-id=" DTMI "&DeviceClientType=z&api-version=1", "d1", "", "1", "z", DTMI},
        {"h.x/d1/?", "d1", "", "", "", ""},
        {"h.x/d1/?api-version=1&api-version=2&x=y&z", "d1", "", "1", "", ""},
        {"h.x/d1/?DeviceClientType=100%&model-id=%zz", "d1", "", "", "100%", "%zz"},
        {"h.x/d1/?DeviceClientType=%ff&model-id=a%00b", "d1", "", "", "%ff", "a%00b"},
        {"h.x/d1/?DeviceClientType=a+b%20(x/1.0; y)", "d1", "", "", "a+b (x/1.0; y)", ""},
        {"h.x/a:b.c%25_#*?!(),=@;$'/?api-version=1", "a:b.c%25_#*?!(),=@;$'", "", "1", "", ""},
        {"h.x/d1/$edgeAgent/?api-version=1", "d1", "$edgeAgent", "1", "", ""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *row = rows[i].username;
        struct arena ARENA_CLEANUP arena = {.max = 8192};
        struct hub_username name;
        struct fault why = {0};

        if (hub_username_parse(slice_str(row), &arena, &name, &why) != ST_OK)
            fail_msg("%s: %s", row, why.text);
        assert_slice(name.host, "h.x", row);
        assert_slice(name.device_id, rows[i].device, row);
        assert_slice(name.module_id, rows[i].module, row);
        assert_slice(name.api_version, rows[i].version, row);
        assert_slice(name.client_type, rows[i].client, row);
        assert_slice(name.model_id, rows[i].model, row);
    }
}

static void hub_username_parse_refuses_other_forms(void **state)
{
    static const char *const rows[] = {
        "",
        "h.x",
        "h.x/",
        "/d1/?api-version=1",
        "h.x//?api-version=1",
        "h.x/d1/",
        "h.x/d1/m1",
        "h.x/d1/m1/",
        "h.x/d1/m1/m2/?api-version=1",
        "h.x/d1//?api-version=1",
        "h.x/d 1/?api-version=1",
        "h.x/d1/m\"1/?api-version=1",
        "h.x/d\xc3\xa9/?api-version=1",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct arena ARENA_CLEANUP arena = {.max = 8192};
        struct hub_username name;

        if (hub_username_parse(slice_str(rows[i]), &arena, &name, NULL) != ST_BAD_REQUEST)
            fail_msg("accepted: %s", rows[i]);
    }
}

static void usernames_that_do_not_fit_the_arena_say_so(void **state)
{
    struct arena ARENA_CLEANUP arena = {.max = 4};
    struct hub_username hub;
    struct dps_username dps;

    (void)state;
    assert_int_equal(hub_username_parse(SLICE("h/d/?model-id=dtmi%3Aa%3Ab"), &arena, &hub, NULL),
                     ST_NO_MEMORY);
    assert_int_equal(
        dps_username_parse(SLICE("s/registrations/d/api-version=1&ClientVersion=a%20b"), &arena,
                           &dps, NULL),
        ST_NO_MEMORY);
}

static void P034_dps_username_parse_reads_with_and_without_client_version(void **state)
{
    static const struct {
        const char *username, *registration, *version, *client;
    } rows[] = {
        {"0ne1/registrations/d1/api-version=2019-03-31", "d1", "2019-03-31", ""},
        {"0ne1/registrations/d1/api-version=2019-03-31&ClientVersion=azure-iot%2F1.0", "d1",
         "2019-03-31", "azure-iot/1.0"},
        {"0ne1/registrations/d1/api-version=2019-03-31&ClientVersion=1.15.0", "d1", "2019-03-31",
         "1.15.0"},
        {"0ne1/registrations/d1/api-version=2019-03-31&ClientVersion=a/b c", "d1", "2019-03-31",
         "a/b c"},
        {"0ne1/registrations/d1/api-version=2019-03-31&x=y&ClientVersion=z", "d1", "2019-03-31",
         "z"},
        {"0ne1/registrations/a%3Ab/api-version=2019-03-31", "a:b", "2019-03-31", ""},
        {"0ne1/registrations/d-1-/api-version=", "d-1-", "", ""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *row = rows[i].username;
        struct arena ARENA_CLEANUP arena = {.max = 8192};
        struct dps_username name;
        struct fault why = {0};

        assert_true(dps_username_looks_like(slice_str(row)));
        if (dps_username_parse(slice_str(row), &arena, &name, &why) != ST_OK)
            fail_msg("%s: %s", row, why.text);
        assert_slice(name.id_scope, "0ne1", row);
        assert_slice(name.registration_id, rows[i].registration, row);
        assert_slice(name.api_version, rows[i].version, row);
        assert_slice(name.client_version, rows[i].client, row);
    }
}

static void dps_username_parse_refuses_other_forms(void **state)
{
    static const char *const rows[] = {
        "",
        "0ne1",
        "0ne1/registrations",
        "0ne1/registrations/d1",
        "0ne1/registrations/d1/",
        "0ne1/registrations//api-version=1",
        "/registrations/d1/api-version=1",
        "0ne1/Registrations/d1/api-version=1",
        "0ne1/registrations/d1?api-version=1",
        "0ne1/registrations/d1/x/api-version=1",
        "0ne1/registrations/d1./api-version=1",
        "0ne1/registrations/d%001/api-version=1",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct arena ARENA_CLEANUP arena = {.max = 8192};
        struct dps_username name;

        if (dps_username_parse(slice_str(rows[i]), &arena, &name, NULL) != ST_BAD_REQUEST)
            fail_msg("accepted: %s", rows[i]);
    }
    assert_false(dps_username_looks_like(SLICE("h.x/d1/?api-version=1")));
    assert_false(dps_username_looks_like(SLICE("registrations")));
}

/* --- subscriptions -------------------------------------------------------------------------- */

static void H045_H083_hub_filter_parse_knows_the_filters(void **state)
{
    static const struct {
        const char *filter, *device, *module;
        unsigned want;
        const char *method;
    } rows[] = {
        {"devices/d1/messages/devicebound/#", "d1", "", SUB_C2D, ""},
        {"$iothub/twin/res/#", "d1", "", SUB_TWIN_RES, ""},
        {"$iothub/twin/res/#", "d1", "m1", SUB_TWIN_RES, ""},
        {"$iothub/twin/PATCH/properties/desired/#", "d1", "", SUB_TWIN_DESIRED, ""},
        {"$iothub/methods/POST/#", "d1", "m1", SUB_METHODS, ""},
        {"$iothub/methods/POST/reboot/#", "d1", "", SUB_METHODS, "reboot"},
        {"$iothub/methods/POST/comp*reboot/#", "d1", "", SUB_METHODS, "comp*reboot"},
        {"devices/d1/modules/m1/#", "d1", "m1", SUB_INPUTS | SUB_C2D, ""},
        {"devices/d1/modules/m1/inputs/#", "d1", "m1", SUB_INPUTS, ""},
        {"devices/d1/modules/m1/messages/devicebound/#", "d1", "m1", SUB_C2D, ""},
        {"devices/a%b/messages/devicebound/#", "a%b", "", SUB_C2D, ""},
        {"devices/a%3Ab/messages/devicebound/#", "a:b", "", SUB_C2D, ""},
        /* not ours to serve */
        {"devices/d2/messages/devicebound/#", "d1", "", 0, ""},
        {"devices/d11/messages/devicebound/#", "d1", "", 0, ""},
        {"devices/+/messages/devicebound/#", "d1", "", 0, ""},
        {"devices/d1/messages/devicebound", "d1", "", 0, ""},
        {"devices/d1/messages/devicebound/+", "d1", "", 0, ""},
        {"devices/d1/#", "d1", "", 0, ""},
        {"devices/d1/inputs/#", "d1", "", 0, ""},
        {"devices/d1/modules/m1/#", "d1", "", 0, ""},
        {"devices/d1/messages/devicebound/#", "d1", "m1", 0, ""},
        {"devices/d1/modules/m2/#", "d1", "m1", 0, ""},
        {"devices/d1/modules/+/#", "d1", "m1", 0, ""},
        {"$iothub/methods/POST/+/#", "d1", "", 0, ""},
        {"$iothub/methods/POST//#", "d1", "", 0, ""},
        {"$iothub/methods/POST/a/b/#", "d1", "", 0, ""},
        {"$iothub/methods/POST/reboot", "d1", "", 0, ""},
        {"$iothub/#", "d1", "", 0, ""},
        {"#", "d1", "", 0, ""},
        {"", "d1", "", 0, ""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        slice method;
        unsigned got = hub_filter_parse(slice_str(rows[i].filter), slice_str(rows[i].device),
                                        slice_str(rows[i].module), &method);

        if (got != rows[i].want)
            fail_msg("%s for %s/%s: %u", rows[i].filter, rows[i].device, rows[i].module, got);
        assert_slice(method, rows[i].method, rows[i].filter);
    }
}

/* --- what a device publishes ---------------------------------------------------------------- */

static void H050_H053_hub_topic_parse_knows_events_topics(void **state)
{
    static const struct {
        const char *topic, *device, *module;
        const char *bag; /* NULL: unknown */
    } rows[] = {
        {"devices/d1/messages/events", "d1", "", ""},
        {"devices/d1/messages/events/", "d1", "", ""},
        {"devices/d1/messages/events/a=b&c=d", "d1", "", "a=b&c=d"},
        {"devices/d1/messages/events/a=b/", "d1", "", "a=b/"},
        {"devices/d1/messages/events/?a=b", "d1", "", "?a=b"},
        {"devices/d1/messages/events/a=x/y/z", "d1", "", "a=x/y/z"},
        {"devices/d1/modules/m1/messages/events/a=b", "d1", "m1", "a=b"},
        {"devices/d1/modules/m1/messages/events", "d1", "m1", ""},
        {"devices/a%20b/messages/events/", "a%20b", "", ""},
        {"devices/a%3Ab/messages/events/x", "a:b", "", "x"},
        {"devices/a%3ab/modules/%24m/messages/events/x", "a:b", "$m", "x"},
        {"devices/a%/messages/events/", "a%", "", ""},
        {"devices/a%25/messages/events/", "a%", "", ""},
        /* another's */
        {"devices/d2/messages/events/", "d1", "", NULL},
        {"devices/d11/messages/events/", "d1", "", NULL},
        {"devices/d/messages/events/", "d1", "", NULL},
        {"devices/D1/messages/events/", "d1", "", NULL},
        {"devices/d1/modules/m1/messages/events/", "d1", "", NULL},
        {"devices/d1/modules/m2/messages/events/", "d1", "m1", NULL},
        {"devices/d1/messages/events/", "d1", "m1", NULL},
        {"devices/a%2525/messages/events/", "a%", "", NULL},
        /* no such topic */
        {"devices/d1/messages/eventsx", "d1", "", NULL},
        {"devices/d1/messages/event/", "d1", "", NULL},
        {"devices/d1/messages/devicebound/", "d1", "", NULL},
        {"/devices/d1/messages/events/", "d1", "", NULL},
        {"devices/d1", "d1", "", NULL},
        {"devices/", "d1", "", NULL},
        {"", "d1", "", NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct hub_topic got;
        enum hub_topic_kind want = rows[i].bag ? HUB_TOPIC_EVENTS : HUB_TOPIC_UNKNOWN;

        hub_topic_parse(slice_str(rows[i].topic), slice_str(rows[i].device),
                        slice_str(rows[i].module), &got);
        if (got.kind != want)
            fail_msg("%s for %s/%s: %d", rows[i].topic, rows[i].device, rows[i].module, got.kind);
        assert_slice(got.bag, rows[i].bag, rows[i].topic);
    }
}

static void H159_hub_topic_parse_knows_twin_and_method_topics(void **state)
{
    static const struct {
        const char *topic;
        enum hub_topic_kind kind;
        const char *rid;
        bool has_version;
        uint64_t version;
        int64_t method_status;
    } rows[] = {
        {"$iothub/twin/GET/?$rid=7", HUB_TOPIC_TWIN_GET, "7", false, 0, 0},
        {"$iothub/twin/GET/?$rid=a%20b/c?d", HUB_TOPIC_TWIN_GET, "a%20b/c?d", false, 0, 0},
        {"$iothub/twin/PATCH/properties/reported/?$rid=7", HUB_TOPIC_TWIN_REPORTED, "7", false, 0,
         0},
        {"$iothub/twin/PATCH/properties/reported/?$rid=7&$version=12", HUB_TOPIC_TWIN_REPORTED, "7",
         true, 12, 0},
        {"$iothub/twin/PATCH/properties/reported/?$version=12&$rid=7", HUB_TOPIC_TWIN_REPORTED, "7",
         true, 12, 0},
        {"$iothub/methods/res/200/?$rid=1a", HUB_TOPIC_METHOD_RESULT, "1a", false, 0, 200},
        {"$iothub/methods/res/-5/?$rid=1a", HUB_TOPIC_METHOD_RESULT, "1a", false, 0, -5},
        /* unknown */
        {"$iothub/twin/GET/", HUB_TOPIC_UNKNOWN, "", false, 0, 0},
        {"$iothub/twin/GET", HUB_TOPIC_UNKNOWN, "", false, 0, 0},
        {"$iothub/twin/get/?$rid=7", HUB_TOPIC_UNKNOWN, "", false, 0, 0},
        {"$iothub/twin/PATCH/properties/reported/?$rid=7&$version=x", HUB_TOPIC_UNKNOWN, "", false,
         0, 0},
        {"$iothub/twin/PATCH/properties/reported/?$rid=7&$version=18446744073709551616",
         HUB_TOPIC_UNKNOWN, "", false, 0, 0},
        {"$iothub/twin/PATCH/properties/desired/?$rid=7", HUB_TOPIC_UNKNOWN, "", false, 0, 0},
        {"$iothub/methods/res/2x0/?$rid=1", HUB_TOPIC_UNKNOWN, "", false, 0, 0},
        {"$iothub/methods/res//?$rid=1", HUB_TOPIC_UNKNOWN, "", false, 0, 0},
        {"$iothub/methods/res/200", HUB_TOPIC_UNKNOWN, "", false, 0, 0},
        {"$iothub/methods/res/200/", HUB_TOPIC_UNKNOWN, "", false, 0, 0},
        {"$iothub/methods/POST/x/?$rid=1", HUB_TOPIC_UNKNOWN, "", false, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct hub_topic got;

        hub_topic_parse(slice_str(rows[i].topic), SLICE("d1"), (slice){0}, &got);
        if (got.kind != rows[i].kind || got.has_version != rows[i].has_version ||
            got.version != rows[i].version || got.method_status != rows[i].method_status)
            fail_msg("%s: kind %d", rows[i].topic, got.kind);
        assert_slice(got.rid, rows[i].rid, rows[i].topic);
    }
}

static void P038_P047_dps_topic_parse_knows_two_topics(void **state)
{
    static const struct {
        const char *topic;
        enum dps_topic_kind kind;
        const char *rid, *operation;
    } rows[] = {
        {"$dps/registrations/PUT/iotdps-register/?$rid=1", DPS_TOPIC_REGISTER, "1", ""},
        {"$dps/registrations/PUT/iotdps-register/?$rid=a-b-c", DPS_TOPIC_REGISTER, "a-b-c", ""},
        {"$dps/registrations/GET/iotdps-get-operationstatus/?$rid=1&operationId=4.a",
         DPS_TOPIC_STATUS, "1", "4.a"},
        {"$dps/registrations/GET/iotdps-get-operationstatus/?operationId=4.a&$rid=1",
         DPS_TOPIC_STATUS, "1", "4.a"},
        {"$dps/registrations/GET/iotdps-get-operationstatus/?$rid=1", DPS_TOPIC_UNKNOWN, "", ""},
        {"$dps/registrations/GET/iotdps-get-operationstatus/?$rid=1&operationId=",
         DPS_TOPIC_UNKNOWN, "", ""},
        {"$dps/registrations/PUT/iotdps-register/", DPS_TOPIC_UNKNOWN, "", ""},
        {"$dps/registrations/PUT/iotdps-register", DPS_TOPIC_UNKNOWN, "", ""},
        {"$dps/registrations/POST/iotdps-register/?$rid=1", DPS_TOPIC_UNKNOWN, "", ""},
        {"devices/d1/messages/events/", DPS_TOPIC_UNKNOWN, "", ""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct dps_topic got;

        dps_topic_parse(slice_str(rows[i].topic), &got);
        if (got.kind != rows[i].kind)
            fail_msg("%s: kind %d", rows[i].topic, got.kind);
        assert_slice(got.rid, rows[i].rid, rows[i].topic);
        assert_slice(got.operation_id, rows[i].operation, rows[i].topic);
    }
}

/* --- identifiers ---------------------------------------------------------------------------- */

/* Asks for every single byte whether it makes a valid name, and compares with `allowed`. */
static void assert_alphabet(bool (*valid)(slice), const char *allowed)
{
    for (unsigned c = 0; c < 256; c++) {
        uint8_t name[3] = {'a', (uint8_t)c, 'a'};
        bool want = c != 0 && strchr(allowed, (int)c) != NULL;

        if (valid(slice_of(name, 3)) != want)
            fail_msg("byte %02x", c);
    }
}

static void assert_longest(bool (*valid)(slice), size_t max)
{
    uint8_t name[200];

    memset(name, 'a', sizeof name);
    assert_false(valid(slice_of(name, 0)));
    assert_true(valid(slice_of(name, 1)));
    assert_true(valid(slice_of(name, max - 1)));
    assert_true(valid(slice_of(name, max)));
    assert_false(valid(slice_of(name, max + 1)));
}

#define LETTERS_DIGITS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

static void identifiers_have_their_alphabets_and_lengths(void **state)
{
    (void)state;
    assert_alphabet(device_id_valid, LETTERS_DIGITS "-:.+%_#*?!(),=@;$'");
    assert_alphabet(registration_id_valid, LETTERS_DIGITS "-._:");
    assert_alphabet(method_name_valid, LETTERS_DIGITS "!#%&'*+-.^_`|~");
    assert_longest(device_id_valid, 128);
    assert_longest(registration_id_valid, 128);
    assert_longest(method_name_valid, 100);
    assert_true(registration_id_valid(SLICE("-a-")));
    assert_false(registration_id_valid(SLICE("a.")));
    assert_false(registration_id_valid(SLICE("a_")));
    assert_false(registration_id_valid(SLICE("a:")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(topic_match_binds_or_refuses),
        cmocka_unit_test(topic_query_finds_the_first_of_a_key),
        cmocka_unit_test(H026_H027_hub_username_parse_reads_every_form),
        cmocka_unit_test(hub_username_parse_refuses_other_forms),
        cmocka_unit_test(usernames_that_do_not_fit_the_arena_say_so),
        cmocka_unit_test(P034_dps_username_parse_reads_with_and_without_client_version),
        cmocka_unit_test(dps_username_parse_refuses_other_forms),
        cmocka_unit_test(H045_H083_hub_filter_parse_knows_the_filters),
        cmocka_unit_test(H050_H053_hub_topic_parse_knows_events_topics),
        cmocka_unit_test(H159_hub_topic_parse_knows_twin_and_method_topics),
        cmocka_unit_test(P038_P047_dps_topic_parse_knows_two_topics),
        cmocka_unit_test(identifiers_have_their_alphabets_and_lengths),
    };

    return cmocka_run_group_tests_name("topic", tests, NULL, NULL);
}
