#include "codec/mqtt.h"

#include "base/reader.h"
#include "base/text.h"

#define LENGTH_BYTES_MAX 4

/* --- framing -------------------------------------------------------------------------------- */

/* What the first byte may look like: a bit for each value of the four flag bits, and whether a
 * body may follow at all. MQTT 3.1.1, table 2.2; PUBLISH: QoS 3 is reserved, and DUP makes no sense
 * at QoS 0 (3.3.1-2). */
#define FLAGS_NONE (1u << 0)
#define FLAGS_0010 (1u << 2)
#define FLAGS_PUBLISH 0x3c3fu

static const struct {
    uint16_t flags;
    bool body;
} packet_forms[16] = {
    [MQTT_CONNECT] = {FLAGS_NONE, true},    [MQTT_CONNACK] = {FLAGS_NONE, true},
    [MQTT_PUBLISH] = {FLAGS_PUBLISH, true}, [MQTT_PUBACK] = {FLAGS_NONE, true},
    [MQTT_PUBREC] = {FLAGS_NONE, true},     [MQTT_PUBREL] = {FLAGS_0010, true},
    [MQTT_PUBCOMP] = {FLAGS_NONE, true},    [MQTT_SUBSCRIBE] = {FLAGS_0010, true},
    [MQTT_SUBACK] = {FLAGS_NONE, true},     [MQTT_UNSUBSCRIBE] = {FLAGS_0010, true},
    [MQTT_UNSUBACK] = {FLAGS_NONE, true},   [MQTT_PINGREQ] = {FLAGS_NONE, false},
    [MQTT_PINGRESP] = {FLAGS_NONE, false},  [MQTT_DISCONNECT] = {FLAGS_NONE, false},
};

/* The remaining length behind the first byte; *ret_size is how many bytes spell it. */
static enum mqtt_frame_result read_length(slice bytes, size_t *ret_length, size_t *ret_size)
{
    size_t length = 0;

    for (size_t i = 0; i < LENGTH_BYTES_MAX; i++) {
        if (i >= bytes.len)
            return MQTT_FRAME_MORE;
        length |= (size_t)(bytes.ptr[i] & 0x7f) << (7 * i);
        if (!(bytes.ptr[i] & 0x80)) {
            *ret_length = length;
            *ret_size = i + 1;
            return MQTT_FRAME_COMPLETE;
        }
    }
    return MQTT_FRAME_MALFORMED;
}

enum mqtt_frame_result mqtt_frame(slice input, size_t size_max, struct mqtt_packet *ret)
{
    enum mqtt_frame_result result;
    size_t length, length_size, size;
    uint8_t type, flags;

    if (input.len == 0)
        return MQTT_FRAME_MORE;
    type = input.ptr[0] >> 4;
    flags = input.ptr[0] & 15;
    if (!(packet_forms[type].flags >> flags & 1))
        return MQTT_FRAME_MALFORMED;

    result = read_length(slice_from(input, 1), &length, &length_size);
    if (result != MQTT_FRAME_COMPLETE)
        return result;
    if (length > 0 && !packet_forms[type].body)
        return MQTT_FRAME_MALFORMED;
    size = 1 + length_size + length;
    if (size > size_max)
        return MQTT_FRAME_TOO_LARGE;
    if (input.len < size)
        return MQTT_FRAME_MORE;
    *ret = (struct mqtt_packet){
        .type = (enum mqtt_type)type,
        .flags = flags,
        .body = slice_of(input.ptr + 1 + length_size, length),
        .size = size,
    };
    return MQTT_FRAME_COMPLETE;
}

/* --- text ----------------------------------------------------------------------------------- */

#define EVERY_BYTE(c) (UINT64_C(0x0101010101010101) * (uint8_t)(c))

/* Not 0 exactly when one of the eight bytes is 0. */
static inline uint64_t zero_byte(uint64_t word)
{
    return (word - EVERY_BYTE(1)) & ~word & EVERY_BYTE(0x80);
}

/* Skips ASCII, eight bytes at a time, up to a NUL or the first byte of something else. Topics are
 * ASCII nearly always, and this is on the path of every message. */
static size_t plain_prefix(slice text)
{
    size_t at = 0;

    for (; at + 8 <= text.len; at += 8) {
        uint64_t word;

        memcpy(&word, text.ptr + at, sizeof word);
        if ((word & EVERY_BYTE(0x80)) | zero_byte(word))
            break;
    }
    while (at < text.len && text.ptr[at] != 0 && text.ptr[at] < 0x80)
        at++;
    return at;
}

/* UTF-8 without U+0000 (MQTT 3.1.1, 1.5.3). */
static bool is_text(slice text)
{
    slice rest = slice_from(text, plain_prefix(text));
    size_t at;

    return rest.len == 0 || (!slice_find(rest, '\0', &at) && utf8_valid(rest));
}

/* A wildcard fills its level, and '#' ends the filter (MQTT 3.1.1, 4.7.1). */
static bool is_topic_filter(slice filter)
{
    if (filter.len == 0 || !is_text(filter))
        return false;
    for (slice rest = filter; rest.ptr;) {
        slice level = slice_split(&rest, '/');
        size_t at;

        if (slice_find(level, '+', &at) && level.len > 1)
            return false;
        if (slice_find(level, '#', &at) && (level.len > 1 || rest.ptr))
            return false;
    }
    return true;
}

/* --- CONNECT -------------------------------------------------------------------------------- */

enum connect_flag {
    CONNECT_RESERVED = 0x01,
    CONNECT_CLEAN_SESSION = 0x02,
    CONNECT_WILL = 0x04,
    CONNECT_WILL_QOS = 0x18,
    CONNECT_WILL_RETAIN = 0x20,
    CONNECT_PASSWORD = 0x40,
    CONNECT_USERNAME = 0x80,
};
#define CONNECT_WILL_QOS_SHIFT 3

/* MQTT 3.1.1, 3.1.2.3 to 3.1.2.9. */
static enum status connect_flags_read(uint8_t flags, struct mqtt_connect *connect,
                                      struct fault *why)
{
    connect->clean_session = flags & CONNECT_CLEAN_SESSION;
    connect->has_will = flags & CONNECT_WILL;
    connect->will_qos = (uint8_t)((flags & CONNECT_WILL_QOS) >> CONNECT_WILL_QOS_SHIFT);
    connect->will_retain = flags & CONNECT_WILL_RETAIN;
    connect->has_password = flags & CONNECT_PASSWORD;
    connect->has_username = flags & CONNECT_USERNAME;

    if (flags & CONNECT_RESERVED)
        return fault_set(why, ST_BAD_REQUEST, "connect: reserved flag is set");
    if (connect->will_qos > 2)
        return fault_set(why, ST_BAD_REQUEST, "connect: will of QoS 3");
    if (!connect->has_will && (connect->will_qos > 0 || connect->will_retain))
        return fault_set(why, ST_BAD_REQUEST, "connect: will options without a will");
    if (connect->has_password && !connect->has_username)
        return fault_set(why, ST_BAD_REQUEST, "connect: password without a user name");
    return ST_OK;
}

static slice read_string(struct reader *r)
{
    return read_bytes(r, read_u16(r));
}

static enum status connect_payload_read(struct reader *r, struct mqtt_connect *connect,
                                        struct fault *why)
{
    connect->client_id = read_string(r);
    if (connect->has_will) {
        connect->will_topic = read_string(r);
        connect->will_payload = read_string(r);
    }
    if (connect->has_username)
        connect->username = read_string(r);
    if (connect->has_password)
        connect->password = read_string(r);

    if (r->short_read)
        return fault_set(why, ST_BAD_REQUEST, "connect: shorter than its fields");
    if (r->rest.len > 0)
        return fault_set(why, ST_BAD_REQUEST, "connect: bytes behind the last field");
    if (!is_text(connect->client_id) || !is_text(connect->username))
        return fault_set(why, ST_BAD_REQUEST, "connect: text is not UTF-8 or holds a NUL");
    if (connect->has_will && (connect->will_topic.len == 0 || !is_text(connect->will_topic)))
        return fault_set(why, ST_BAD_REQUEST, "connect: will topic is no topic name");
    return ST_OK;
}

enum status mqtt_connect_parse(slice body, struct mqtt_connect *ret, struct fault *why)
{
    struct reader r = {.rest = body};
    struct mqtt_connect connect = {.protocol = read_string(&r), .level = read_u8(&r)};
    uint8_t flags;
    enum status status;

    if (r.short_read)
        return fault_set(why, ST_BAD_REQUEST, "connect: no protocol level");
    /* MQTT 3.1 had another name for itself; it deserves the answer "wrong version" too. */
    if (!slice_equal(connect.protocol, SLICE("MQTT")) &&
        !(slice_equal(connect.protocol, SLICE("MQIsdp")) && connect.level != 4))
        return fault_set(why, ST_BAD_REQUEST, "connect: the protocol is not MQTT");
    if (connect.level != 4) {
        *ret = connect;
        return ST_OK;
    }

    flags = read_u8(&r);
    connect.keep_alive_s = read_u16(&r);
    status = connect_flags_read(flags, &connect, why);
    if (status == ST_OK)
        status = connect_payload_read(&r, &connect, why);
    if (status == ST_OK)
        *ret = connect;
    return status;
}

/* --- PUBLISH -------------------------------------------------------------------------------- */

enum status mqtt_publish_parse(const struct mqtt_packet *packet, struct mqtt_publish *ret,
                               struct fault *why)
{
    struct reader r = {.rest = packet->body};
    uint8_t qos = packet->flags >> 1 & 3;
    slice topic = read_string(&r);
    uint16_t packet_id = qos > 0 ? read_u16(&r) : 0;

    if (!(FLAGS_PUBLISH >> (packet->flags & 15) & 1))
        return fault_set(why, ST_BAD_REQUEST, "publish: QoS 3, or DUP at QoS 0");
    if (r.short_read)
        return fault_set(why, ST_BAD_REQUEST, "publish: shorter than its fields");
    if (qos > 0 && packet_id == 0)
        return fault_set(why, ST_BAD_REQUEST, "publish: packet id 0");
    if (topic.len == 0 || !is_text(topic))
        return fault_set(why, ST_BAD_REQUEST, "publish: topic is empty, no UTF-8 or has wildcards");
    *ret = (struct mqtt_publish){
        .topic = topic,
        .payload = r.rest,
        .packet_id = packet_id,
        .qos = qos,
        .dup = packet->flags & 8,
        .retain = packet->flags & 1,
    };
    return ST_OK;
}

/* --- SUBSCRIBE, UNSUBSCRIBE, acknowledgements ----------------------------------------------- */

static enum status filters_parse(slice body, bool with_qos, struct mqtt_subscribe *ret,
                                 struct fault *why)
{
    struct reader r = {.rest = body};
    uint16_t packet_id = read_u16(&r);
    slice filters = r.rest;
    size_t count = 0;

    if (r.short_read || packet_id == 0 || filters.len == 0)
        return fault_set(why, ST_BAD_REQUEST, "subscribe: no packet id or no filters");
    for (; r.rest.len > 0; count++) {
        slice filter = read_string(&r);
        uint8_t qos = with_qos ? read_u8(&r) : 0;

        if (r.short_read || qos > 2 || !is_topic_filter(filter))
            return fault_set(why, ST_BAD_REQUEST, "subscribe: malformed filter %zu", count + 1);
    }
    *ret = (struct mqtt_subscribe){.packet_id = packet_id, .filters = filters, .count = count};
    return ST_OK;
}

static bool filters_next(struct mqtt_subscribe *s, bool with_qos, slice *ret_filter,
                         uint8_t *ret_qos)
{
    struct reader r = {.rest = s->filters};
    slice filter = read_string(&r);
    uint8_t qos = with_qos ? read_u8(&r) : 0;

    if (r.short_read)
        return false;
    s->filters = r.rest;
    *ret_filter = filter;
    *ret_qos = qos;
    return true;
}

enum status mqtt_subscribe_parse(slice body, struct mqtt_subscribe *ret, struct fault *why)
{
    return filters_parse(body, true, ret, why);
}

bool mqtt_subscribe_next(struct mqtt_subscribe *s, slice *ret_filter, uint8_t *ret_qos)
{
    return filters_next(s, true, ret_filter, ret_qos);
}

enum status mqtt_unsubscribe_parse(slice body, struct mqtt_subscribe *ret, struct fault *why)
{
    return filters_parse(body, false, ret, why);
}

bool mqtt_unsubscribe_next(struct mqtt_subscribe *s, slice *ret_filter)
{
    uint8_t unused_qos;

    return filters_next(s, false, ret_filter, &unused_qos);
}

enum status mqtt_ack_parse(slice body, uint16_t *ret_packet_id, struct fault *why)
{
    struct reader r = {.rest = body};
    uint16_t packet_id = read_u16(&r);

    if (r.short_read || r.rest.len > 0 || packet_id == 0)
        return fault_set(why, ST_BAD_REQUEST, "acknowledgement: not one packet id above 0");
    *ret_packet_id = packet_id;
    return ST_OK;
}
