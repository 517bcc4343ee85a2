#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "codec/mqtt.h"

static void assert_slice(slice got, slice want, const char *row)
{
    if (!slice_equal(got, want))
        fail_msg("%s: got '%.*s', wanted '%.*s'", row, SLICE_FMT(got), SLICE_FMT(want));
}

/* --- framing -------------------------------------------------------------------------------- */

static void mqtt_frame_checks_the_first_byte_of_every_type(void **state)
{
    /* Allowed values of the low four bits; table 2.2 of MQTT 3.1.1. */
    static const uint16_t allowed[16] = {
        0,      0x0001, 0x0001, 0x3c3f, 0x0001, 0x0001, 0x0004, 0x0001,
        0x0004, 0x0001, 0x0004, 0x0001, 0x0001, 0x0001, 0x0001, 0,
    };

    (void)state;
    for (unsigned first = 0; first < 256; first++) {
        uint8_t bytes[2] = {(uint8_t)first, 0};
        struct mqtt_packet packet;
        bool good = allowed[first >> 4] >> (first & 15) & 1;
        enum mqtt_frame_result want = good ? MQTT_FRAME_COMPLETE : MQTT_FRAME_MALFORMED;

        if (mqtt_frame(slice_of(bytes, 2), 100, &packet) != want)
            fail_msg("first byte %02x", first);
        /* The verdict on a bad first byte does not wait for the second. */
        want = good ? MQTT_FRAME_MORE : MQTT_FRAME_MALFORMED;
        if (mqtt_frame(slice_of(bytes, 1), 100, &packet) != want)
            fail_msg("first byte %02x alone", first);
    }
}

static void mqtt_frame_is_right_at_every_split_point(void **state)
{
    static const size_t lengths[] = {0, 1, 127, 128, 16383, 16384, 20000};
    static uint8_t bytes[20000 + 8];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        struct mqtt_packet packet;
        size_t head = 0, length = lengths[i];

        memset(bytes, 'x', sizeof bytes);
        bytes[head++] = MQTT_PUBLISH << 4;
        for (; length > 127; length >>= 7)
            bytes[head++] = (uint8_t)(length | 0x80);
        bytes[head++] = (uint8_t)length;
        for (size_t have = 0; have < head + lengths[i]; have++)
            assert_int_equal(mqtt_frame(slice_of(bytes, have), 30000, &packet), MQTT_FRAME_MORE);
        for (size_t extra = 0; extra < 3; extra++) {
            assert_int_equal(mqtt_frame(slice_of(bytes, head + lengths[i] + extra), 30000, &packet),
                             MQTT_FRAME_COMPLETE);
            assert_int_equal(packet.size, head + lengths[i]);
            assert_int_equal(packet.body.len, lengths[i]);
            assert_ptr_equal(packet.body.ptr, bytes + head);
            assert_int_equal(packet.type, MQTT_PUBLISH);
        }
    }
}

static void mqtt_frame_refuses_by_length(void **state)
{
    static const struct {
        const char *name;
        slice bytes;
        size_t size_max;
        enum mqtt_frame_result want;
    } rows[] = {
        {"one byte below the limit", SLICE("\x30\x03"), 6, MQTT_FRAME_MORE},
        {"at the limit", SLICE("\x30\x04"), 6, MQTT_FRAME_MORE},
        {"one byte above, known at once", SLICE("\x30\x05"), 6, MQTT_FRAME_TOO_LARGE},
        {"a giant", SLICE("\x30\xff\xff\xff\x7f"), 327680, MQTT_FRAME_TOO_LARGE},
        {"length not spelled out yet", SLICE("\x30\xff\xff\xff"), 6, MQTT_FRAME_MORE},
        {"five length bytes", SLICE("\x30\x80\x80\x80\x80\x01"), 100, MQTT_FRAME_MALFORMED},
        {"five announced", SLICE("\x30\x80\x80\x80\x80"), 100, MQTT_FRAME_MALFORMED},
        {"zero in four bytes", SLICE("\x30\x80\x80\x80\x00"), 100, MQTT_FRAME_COMPLETE},
        {"PINGREQ with a body", SLICE("\xc0\x01"), 100, MQTT_FRAME_MALFORMED},
        {"DISCONNECT with a body", SLICE("\xe0\x02zz"), 100, MQTT_FRAME_MALFORMED},
    };
    struct mqtt_packet packet;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (mqtt_frame(rows[i].bytes, rows[i].size_max, &packet) != rows[i].want)
            fail_msg("%s", rows[i].name);
    }
}

/* --- CONNECT -------------------------------------------------------------------------------- */

#define HEAD "\0\4MQTT\4"
#define ID "\0\2d1"
#define WILL "\0\1t\0\2xy"

static void mqtt_connect_parse_follows_the_flag_matrix(void **state)
{
    static const struct {
        const char *name;
        slice body;
        enum status want;
    } rows[] = {
        {"nothing but an id", SLICE(HEAD "\x00\0\x3c" ID), ST_OK},
        {"clean session", SLICE(HEAD "\x02\0\x3c" ID), ST_OK},
        {"empty id", SLICE(HEAD "\x02\0\x3c\0\0"), ST_OK},
        {"user name", SLICE(HEAD "\x80\0\x3c" ID "\0\1u"), ST_OK},
        {"user name and password", SLICE(HEAD "\xc0\0\x3c" ID "\0\1u\0\1p"), ST_OK},
        {"will, user name, password", SLICE(HEAD "\xc4\0\x3c" ID WILL "\0\1u\0\1p"), ST_OK},
        {"will QoS 2, retained", SLICE(HEAD "\x34\0\x3c" ID WILL), ST_OK},
        {"binary password", SLICE(HEAD "\xc0\0\x3c" ID "\0\1u\0\2\0\xff"), ST_OK},
        {"reserved flag", SLICE(HEAD "\x01\0\x3c" ID), ST_BAD_REQUEST},
        {"password without user name", SLICE(HEAD "\x40\0\x3c" ID "\0\1p"), ST_BAD_REQUEST},
        {"will QoS 3", SLICE(HEAD "\x1c\0\x3c" ID WILL), ST_BAD_REQUEST},
        {"will QoS without will", SLICE(HEAD "\x08\0\x3c" ID), ST_BAD_REQUEST},
        {"will retain without will", SLICE(HEAD "\x20\0\x3c" ID), ST_BAD_REQUEST},
        {"empty will topic", SLICE(HEAD "\x04\0\x3c" ID "\0\0\0\0"), ST_BAD_REQUEST},
        {"flag set, field missing", SLICE(HEAD "\x80\0\x3c" ID), ST_BAD_REQUEST},
        {"field without flag", SLICE(HEAD "\x00\0\x3c" ID "\0\1u"), ST_BAD_REQUEST},
        {"id cut off", SLICE(HEAD "\x00\0\x3c\0\3d1"), ST_BAD_REQUEST},
        {"no keep-alive", SLICE(HEAD "\x00\0"), ST_BAD_REQUEST},
        {"no level", SLICE("\0\4MQTT"), ST_BAD_REQUEST},
        {"other name", SLICE("\0\4MQTt\4\x00\0\x3c" ID), ST_BAD_REQUEST},
        {"old name, new level", SLICE("\0\6MQIsdp\4\x00\0\x3c" ID), ST_BAD_REQUEST},
        {"NUL in the id", SLICE(HEAD "\x00\0\x3c\0\2d\0"), ST_BAD_REQUEST},
        {"bad UTF-8 in the id", SLICE(HEAD "\x00\0\x3c\0\2\xc3("), ST_BAD_REQUEST},
        {"surrogate in the user name", SLICE(HEAD "\x80\0\x3c" ID "\0\3\xed\xa0\x80"),
         ST_BAD_REQUEST},
        {"empty body", {0}, ST_BAD_REQUEST},
    };
    struct mqtt_connect connect;
    struct fault why;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (mqtt_connect_parse(rows[i].body, &connect, &why) != rows[i].want)
            fail_msg("%s", rows[i].name);
    }
}

static void mqtt_connect_parse_tells_absent_from_empty(void **state)
{
    struct mqtt_connect connect;

    (void)state;
    assert_int_equal(mqtt_connect_parse(SLICE(HEAD "\x80\0\x3c" ID "\0\0"), &connect, NULL), ST_OK);
    assert_true(connect.has_username);
    assert_int_equal(connect.username.len, 0);
    assert_false(connect.has_password);
    assert_int_equal(mqtt_connect_parse(SLICE(HEAD "\xc0\0\x3c" ID "\0\1u\0\0"), &connect, NULL),
                     ST_OK);
    assert_true(connect.has_password);
    assert_int_equal(connect.password.len, 0);
    assert_false(connect.has_will);
}

static void H031_mqtt_connect_parse_gives_other_levels_to_the_caller(void **state)
{
    static const struct {
        slice body;
        uint8_t level;
    } rows[] = {
        {SLICE("\0\6MQIsdp\3\xff"), 3},
        {SLICE("\0\4MQTT\5\x02\0\x3c\0\0\0"), 5},
        {SLICE("\0\4MQTT\x84"), 0x84},
        {SLICE("\0\4MQTT\0"), 0},
    };
    struct mqtt_connect connect;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_int_equal(mqtt_connect_parse(rows[i].body, &connect, NULL), ST_OK);
        assert_int_equal(connect.level, rows[i].level);
    }
}

static void mqtt_connect_parse_survives_every_cut(void **state)
{
    slice body = SLICE(HEAD "\xc4\0\x3c" ID WILL "\0\1u\0\1p");
    struct mqtt_connect connect;

    (void)state;
    for (size_t len = 0; len < body.len; len++)
        assert_int_equal(mqtt_connect_parse(slice_first(body, len), &connect, NULL),
                         ST_BAD_REQUEST);
}

static void mqtt_connect_write_is_read_back(void **state)
{
    static const struct mqtt_connect given = {
        .protocol = SLICE("MQTT"),
        .level = 4,
        .clean_session = true,
        .keep_alive_s = 230,
        .client_id = SLICE("d1/m1"),
        .has_will = true,
        .will_retain = true,
        .will_qos = 1,
        .will_topic = SLICE("devices/d1/messages/events/"),
        .will_payload = SLICE("gone"),
        .has_username = true,
        .username = SLICE("h/d1/?api-version=2020-09-30"),
        .has_password = true,
        .password = {0},
    };
    struct buf BUF_CLEANUP written = {.max = 1000};
    struct mqtt_packet packet;
    struct mqtt_connect got;

    (void)state;
    mqtt_connect_write(&given, &written);
    assert_false(written.failed);
    assert_int_equal(mqtt_frame(buf_slice(&written), 1000, &packet), MQTT_FRAME_COMPLETE);
    assert_int_equal(packet.type, MQTT_CONNECT);
    assert_int_equal(packet.size, written.len);
    assert_int_equal(mqtt_connect_parse(packet.body, &got, NULL), ST_OK);
    assert_slice(got.client_id, given.client_id, "client id");
    assert_slice(got.will_topic, given.will_topic, "will topic");
    assert_slice(got.will_payload, given.will_payload, "will payload");
    assert_slice(got.username, given.username, "user name");
    assert_true(got.clean_session && got.has_will && got.will_retain && got.has_password);
    assert_int_equal(got.will_qos, 1);
    assert_int_equal(got.keep_alive_s, 230);
}

/* --- PUBLISH -------------------------------------------------------------------------------- */

static void mqtt_publish_parse_reads_or_refuses(void **state)
{
    static const struct {
        const char *name;
        uint8_t flags;
        slice body;
        enum status want;
    } rows[] = {
        {"QoS 0", 0, SLICE("\0\3a/bxyz"), ST_OK},
        {"QoS 0, empty payload", 0, SLICE("\0\3a/b"), ST_OK},
        {"QoS 1", 2, SLICE("\0\3a/b\0\7xyz"), ST_OK},
        {"QoS 2", 4, SLICE("\0\3a/b\0\7xyz"), ST_OK},
        {"DUP and RETAIN", 11, SLICE("\0\3a/b\0\7"), ST_OK},
        {"UTF-8 cut in half", 0, SLICE("\0\6devic\xc3\xa9"), ST_BAD_REQUEST},
        {"UTF-8 behind eight of ASCII", 0, SLICE("\0\14devices/d\xc3\xa9x"), ST_OK},
        {"QoS 3", 6, SLICE("\0\3a/b\0\7xyz"), ST_BAD_REQUEST},
        {"DUP at QoS 0", 8, SLICE("\0\3a/bxyz"), ST_BAD_REQUEST},
        {"packet id 0", 2, SLICE("\0\3a/b\0\0xyz"), ST_BAD_REQUEST},
        {"packet id cut off", 2, SLICE("\0\3a/b\0"), ST_BAD_REQUEST},
        {"empty topic", 0, SLICE("\0\0xyz"), ST_BAD_REQUEST},
        {"topic cut off", 0, SLICE("\0\4a/b"), ST_BAD_REQUEST},
        {"nothing", 0, {0}, ST_BAD_REQUEST},
        {"plus, as the C SDK sends it", 0, SLICE("\0\12devices/+x"), ST_OK},
        {"NUL", 0, SLICE("\0\3a\0b"), ST_BAD_REQUEST},
        {"NUL among eight", 0, SLICE("\0\12device\0/dx"), ST_BAD_REQUEST},
        {"lone continuation byte", 0, SLICE("\0\12devices/\x80x"), ST_BAD_REQUEST},
        {"overlong", 0, SLICE("\0\12devices/\xc0\xaf"), ST_BAD_REQUEST},
    };
    struct mqtt_publish publish;
    struct fault why;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct mqtt_packet packet = {MQTT_PUBLISH, rows[i].flags, rows[i].body, 0};

        if (mqtt_publish_parse(&packet, &publish, &why) != rows[i].want)
            fail_msg("%s", rows[i].name);
    }
}

static void mqtt_publish_parse_finds_a_bad_byte_at_every_position(void **state)
{
    static const uint8_t bad[] = {0, 0x80, 0xff};
    uint8_t body[2 + 24];
    struct mqtt_publish publish;

    (void)state;
    for (size_t at = 0; at < 24; at++) {
        for (size_t b = 0; b < COUNT_OF(bad); b++) {
            struct mqtt_packet packet = {MQTT_PUBLISH, 0, slice_of(body, sizeof body), 0};

            memset(body, 'a', sizeof body);
            body[0] = 0;
            body[1] = 24;
            assert_int_equal(mqtt_publish_parse(&packet, &publish, NULL), ST_OK);
            body[2 + at] = bad[b];
            assert_int_equal(mqtt_publish_parse(&packet, &publish, NULL), ST_BAD_REQUEST);
        }
    }
}

static void mqtt_publish_head_write_is_read_back(void **state)
{
    static const struct {
        uint8_t qos;
        bool dup;
        uint16_t packet_id;
        size_t payload_len;
    } rows[] = {{0, false, 0, 0}, {1, false, 7, 100}, {1, true, 65535, 200}, {0, false, 0, 20000}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct buf BUF_CLEANUP written = {.max = 30000};
        struct mqtt_packet packet;
        struct mqtt_publish got;

        mqtt_publish_head_write(SLICE("$iothub/twin/res/200/?$rid=1"), rows[i].payload_len,
                                rows[i].qos, rows[i].dup, rows[i].packet_id, &written);
        for (size_t n = 0; n < rows[i].payload_len; n++)
            buf_append_byte(&written, 'x');
        assert_int_equal(mqtt_frame(buf_slice(&written), 30000, &packet), MQTT_FRAME_COMPLETE);
        assert_int_equal(packet.size, written.len);
        assert_int_equal(mqtt_publish_parse(&packet, &got, NULL), ST_OK);
        assert_slice(got.topic, SLICE("$iothub/twin/res/200/?$rid=1"), "topic");
        assert_int_equal(got.payload.len, rows[i].payload_len);
        assert_int_equal(got.packet_id, rows[i].packet_id);
        assert_int_equal(got.qos, rows[i].qos);
        assert_int_equal(got.dup, rows[i].dup);
        assert_false(got.retain);
    }
}

static void mqtt_publish_head_write_fails_for_what_cannot_be_spelled(void **state)
{
    static uint8_t topic[65536];
    struct buf BUF_CLEANUP to = {.max = 100000};

    (void)state;
    memset(topic, 'a', sizeof topic);
    mqtt_publish_head_write(slice_of(topic, 65535), 0, 0, false, 0, &to);
    assert_false(to.failed);
    buf_clear(&to);
    mqtt_publish_head_write(slice_of(topic, 65536), 0, 0, false, 0, &to);
    assert_true(to.failed);
    buf_clear(&to);
    mqtt_publish_head_write(SLICE("a"), 268435455 - 3, 0, false, 0, &to);
    assert_false(to.failed);
    buf_clear(&to);
    mqtt_publish_head_write(SLICE("a"), 268435455 - 2, 0, false, 0, &to);
    assert_true(to.failed);
    buf_clear(&to);
    mqtt_publish_head_write(SLICE("a"), SIZE_MAX, 0, false, 0, &to);
    assert_true(to.failed);
}

/* --- the rest ------------------------------------------------------------------------------- */

static void mqtt_subscribe_parse_reads_or_refuses(void **state)
{
    static const struct {
        const char *name;
        slice body;
        size_t count; /* 0: refused */
    } rows[] = {
        {"one", SLICE("\0\1\0\3a/#\1"), 1},
        {"two", SLICE("\0\1\0\3a/#\0\0\1+\2"), 2},
        {"plus inside", SLICE("\0\1\0\5a/+/b\0"), 1},
        {"hash alone", SLICE("\0\1\0\1#\0"), 1},
        {"packet id 0", SLICE("\0\0\0\3a/#\1"), 0},
        {"no filter", SLICE("\0\1"), 0},
        {"no QoS", SLICE("\0\1\0\3a/#"), 0},
        {"QoS 3", SLICE("\0\1\0\3a/#\3"), 0},
        {"reserved bits beside QoS", SLICE("\0\1\0\3a/#\x81"), 0},
        {"empty filter", SLICE("\0\1\0\0\1"), 0},
        {"second filter cut off", SLICE("\0\1\0\3a/#\1\0\3a/"), 0},
        {"hash not last", SLICE("\0\1\0\3#/a\1"), 0},
        {"hash beside text", SLICE("\0\1\0\4a/x#\1"), 0},
        {"hash behind text", SLICE("\0\1\0\2a#\1"), 0},
        {"plus beside text", SLICE("\0\1\0\4a/+b\1"), 0},
        {"NUL", SLICE("\0\1\0\3a/\0\1"), 0},
        {"bad UTF-8", SLICE("\0\1\0\3a/\xff\1"), 0},
    };
    struct mqtt_subscribe s;
    struct fault why;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        enum status want = rows[i].count ? ST_OK : ST_BAD_REQUEST;

        if (mqtt_subscribe_parse(rows[i].body, &s, &why) != want)
            fail_msg("%s", rows[i].name);
        if (want == ST_OK && s.count != rows[i].count)
            fail_msg("%s: %zu filters", rows[i].name, s.count);
    }
}

static void H045_mqtt_subscribe_next_gives_the_filters_in_order(void **state)
{
    struct mqtt_subscribe s;
    slice filter;
    uint8_t qos;

    (void)state;
    assert_int_equal(mqtt_subscribe_parse(SLICE("\1\2\0\3a/#\1\0\3b/#\0\0\1c\2"), &s, NULL), ST_OK);
    assert_int_equal(s.packet_id, 258);
    assert_int_equal(s.count, 3);
    assert_true(mqtt_subscribe_next(&s, &filter, &qos));
    assert_slice(filter, SLICE("a/#"), "first");
    assert_int_equal(qos, 1);
    assert_true(mqtt_subscribe_next(&s, &filter, &qos));
    assert_slice(filter, SLICE("b/#"), "second");
    assert_int_equal(qos, 0);
    assert_true(mqtt_subscribe_next(&s, &filter, &qos));
    assert_slice(filter, SLICE("c"), "third");
    assert_int_equal(qos, 2);
    assert_false(mqtt_subscribe_next(&s, &filter, &qos));
}

static void mqtt_unsubscribe_gives_the_filters_in_order(void **state)
{
    struct mqtt_subscribe s;
    slice filter;

    (void)state;
    assert_int_equal(mqtt_unsubscribe_parse(SLICE("\0\2\0\3a/#\0\1b"), &s, NULL), ST_OK);
    assert_int_equal(s.count, 2);
    assert_true(mqtt_unsubscribe_next(&s, &filter));
    assert_slice(filter, SLICE("a/#"), "first");
    assert_true(mqtt_unsubscribe_next(&s, &filter));
    assert_slice(filter, SLICE("b"), "second");
    assert_false(mqtt_unsubscribe_next(&s, &filter));
    assert_int_equal(mqtt_unsubscribe_parse(SLICE("\0\2"), &s, NULL), ST_BAD_REQUEST);
    assert_int_equal(mqtt_unsubscribe_parse(SLICE("\0\2\0\3a/"), &s, NULL), ST_BAD_REQUEST);
}

static void mqtt_subscribe_write_is_read_back(void **state)
{
    struct buf BUF_CLEANUP written = {.max = 100};
    struct mqtt_packet packet;
    struct mqtt_subscribe s;
    slice filter;
    uint8_t qos;

    (void)state;
    mqtt_subscribe_write(9, SLICE("$iothub/twin/res/#"), 1, &written);
    assert_int_equal(mqtt_frame(buf_slice(&written), 100, &packet), MQTT_FRAME_COMPLETE);
    assert_int_equal(packet.size, written.len);
    assert_int_equal(packet.type, MQTT_SUBSCRIBE);
    assert_int_equal(mqtt_subscribe_parse(packet.body, &s, NULL), ST_OK);
    assert_true(mqtt_subscribe_next(&s, &filter, &qos));
    assert_slice(filter, SLICE("$iothub/twin/res/#"), "filter");
    assert_int_equal(qos, 1);
}

static void mqtt_ack_parse_wants_one_packet_id(void **state)
{
    uint16_t id = 0;

    (void)state;
    assert_int_equal(mqtt_ack_parse(SLICE("\1\2"), &id, NULL), ST_OK);
    assert_int_equal(id, 258);
    assert_int_equal(mqtt_ack_parse(SLICE("\0\0"), &id, NULL), ST_BAD_REQUEST);
    assert_int_equal(mqtt_ack_parse(SLICE("\1"), &id, NULL), ST_BAD_REQUEST);
    assert_int_equal(mqtt_ack_parse(SLICE("\1\2\3"), &id, NULL), ST_BAD_REQUEST);
}

static void mqtt_small_packets_have_the_bytes_of_the_standard(void **state)
{
    uint8_t a[4], b[4], c[2], d[4], e[24], codes[16] = {0, 1, 0x80};
    slice suback;

    (void)state;
    assert_slice(mqtt_connack_write(true, MQTT_CONNACK_ACCEPTED, a), SLICE("\x20\2\1\0"),
                 "connack");
    assert_slice(mqtt_connack_write(true, MQTT_CONNACK_NOT_AUTHORIZED, a), SLICE("\x20\2\0\5"),
                 "refusal");
    assert_slice(mqtt_puback_write(258, b), SLICE("\x40\2\1\2"), "puback");
    assert_slice(mqtt_pingresp_write(c), SLICE("\xd0\0"), "pingresp");
    assert_slice(mqtt_unsuback_write(258, d), SLICE("\xb0\2\1\2"), "unsuback");
    assert_slice(mqtt_suback_write(258, codes, 3, e), SLICE("\x90\5\1\2\0\1\x80"), "suback");
    suback = mqtt_suback_write(1, codes, 16, e);
    assert_int_equal(suback.len, 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mqtt_frame_checks_the_first_byte_of_every_type),
        cmocka_unit_test(mqtt_frame_is_right_at_every_split_point),
        cmocka_unit_test(mqtt_frame_refuses_by_length),
        cmocka_unit_test(mqtt_connect_parse_follows_the_flag_matrix),
        cmocka_unit_test(mqtt_connect_parse_tells_absent_from_empty),
        cmocka_unit_test(H031_mqtt_connect_parse_gives_other_levels_to_the_caller),
        cmocka_unit_test(mqtt_connect_parse_survives_every_cut),
        cmocka_unit_test(mqtt_connect_write_is_read_back),
        cmocka_unit_test(mqtt_publish_parse_reads_or_refuses),
        cmocka_unit_test(mqtt_publish_parse_finds_a_bad_byte_at_every_position),
        cmocka_unit_test(mqtt_publish_head_write_is_read_back),
        cmocka_unit_test(mqtt_publish_head_write_fails_for_what_cannot_be_spelled),
        cmocka_unit_test(mqtt_subscribe_parse_reads_or_refuses),
        cmocka_unit_test(H045_mqtt_subscribe_next_gives_the_filters_in_order),
        cmocka_unit_test(mqtt_unsubscribe_gives_the_filters_in_order),
        cmocka_unit_test(mqtt_subscribe_write_is_read_back),
        cmocka_unit_test(mqtt_ack_parse_wants_one_packet_id),
        cmocka_unit_test(mqtt_small_packets_have_the_bytes_of_the_standard),
    };

    return cmocka_run_group_tests_name("mqtt", tests, NULL, NULL);
}
