/* Records of the log read back: for the event stream, the monitor, the screens. */
#include "base/reader.h"
#include "base/text.h"
#include "codec/json.h"
#include "hub/d2c_record.h"
#include "hub/telemetry.h"

#define BAG_ARENA_MAX (1024 * 1024)
#define SECURITY_AGENT "urn:azureiot:Security:SecurityAgent:1"

/* Scope and type as readers of Event Hubs know them (6.8). */
static slice auth_method_of(const struct d2c_stamp *stamp)
{
#define AUTH(scope, type)                                                                          \
    SLICE("{\"scope\":\"" scope "\",\"type\":\"" type                                              \
          "\",\"issuer\":\"iothub\",\"acceptingIpFilterRule\":null}")
    bool is_module = stamp->module_id.len > 0;

    if (stamp->slot == CREDENTIAL_POLICY)
        return AUTH("hub", "sas");
    if (stamp->slot == CREDENTIAL_CERTIFICATE)
        return is_module ? AUTH("module", "x509") : AUTH("device", "x509");
    return is_module ? AUTH("module", "sas") : AUTH("device", "sas");
#undef AUTH
}

enum status d2c_message_parse(const struct log_record *record, struct d2c_message *ret)
{
    struct reader r = {.rest = record->bytes};
    uint8_t version = read_u8(&r), flags = read_u8(&r);
    uint16_t stamp_len = read_u16(&r);
    uint32_t bag_len = read_u32(&r);
    slice stamp_bytes = read_bytes(&r, stamp_len), bag = read_bytes(&r, bag_len);
    struct d2c_stamp stamp;

    if (r.short_read || version != D2C_RECORD_VERSION || !d2c_stamp_parse(stamp_bytes, &stamp))
        return ST_INTERNAL;
    *ret = (struct d2c_message){
        .hub = stamp.hub,
        .device_id = stamp.device_id,
        .module_id = stamp.module_id,
        .generation_id = stamp.generation_id,
        .auth_method = auth_method_of(&stamp),
        .model_id = stamp.model_id,
        .enqueued_at = record->enqueued_at,
        .partition = record->partition,
        .offset = record->offset,
        .retain = flags & D2C_FLAG_RETAIN,
        .dup = flags & D2C_FLAG_DUP,
        .will = flags & D2C_FLAG_WILL,
        .bag = bag,
        .body = r.rest,
    };
    return ST_OK;
}

/* --- as JSON -------------------------------------------------------------------------------- */

static void put_text(struct json_writer *w, const char *name, slice text)
{
    if (text.len > 0)
        json_put_text(w, slice_str(name), text);
}

static void write_identity(const struct d2c_message *m, struct json_writer *w)
{
    char text[CLOCK_TEXT_MAX];

    put_text(w, "hub", m->hub);
    put_text(w, "deviceId", m->device_id);
    put_text(w, "moduleId", m->module_id);
    put_text(w, "generationId", m->generation_id);
    put_text(w, "modelId", m->model_id);
    json_put_text(w, SLICE("enqueuedTimeUtc"), clock_iso(m->enqueued_at, text));
    json_put_int(w, SLICE("partition"), m->partition);
    json_put_int(w, SLICE("offset"), (int64_t)m->offset);
}

static void write_value(struct json_writer *w, slice name, const struct message_property *p)
{
    if (!p->has_value)
        json_put_null(w, name);
    else if (utf8_valid(p->value))
        json_put_text(w, name, p->value);
}

static void write_application(const struct d2c_message *m, const struct property_bag *bag,
                              struct json_writer *w)
{
    json_open(w, SLICE("properties"), '{');
    for (size_t i = 0; i < bag->count; i++) {
        const struct message_property *p = &bag->items[i];

        if (p->system == PROP_NONE && p->key.len > 0 && utf8_valid(p->key))
            write_value(w, p->key, p);
    }
    if (m->retain)
        json_put_text(w, SLICE("mqtt-retain"), SLICE("true"));
    if (m->dup)
        json_put_text(w, SLICE("mqtt-dup"), SLICE("true"));
    json_close(w, '}');
}

static void write_system(const struct d2c_message *m, const struct property_bag *bag,
                         struct json_writer *w)
{
    char at[CLOCK_TEXT_MAX];

    json_open(w, SLICE("system"), '{');
    for (size_t i = 0; i < bag->count; i++) {
        const struct message_property *p = &bag->items[i];

        if (p->system != PROP_NONE)
            write_value(w, slice_str(system_property_name(p->system)), p);
    }
    json_put_text(w, SLICE("iothub-connection-device-id"), m->device_id);
    put_text(w, "iothub-connection-module-id", m->module_id);
    json_put_text(w, SLICE("iothub-connection-auth-generation-id"), m->generation_id);
    json_put_text(w, SLICE("iothub-connection-auth-method"), m->auth_method);
    json_put_text(w, SLICE("iothub-enqueuedtime"), clock_iso(m->enqueued_at, at));
    json_put_text(w, SLICE("iothub-message-source"), SLICE("Telemetry"));
    if (m->will)
        json_put_text(w, SLICE("iothub-MessageType"), SLICE("Will"));
    put_text(w, "dt-dataschema", m->model_id);
    json_close(w, '}');
}

static bool is_json(slice body)
{
    ARENA_CLEANUP struct arena arena = {.max = 16 * 1024 * 1024};
    struct json *value;
    struct fault why;

    return body.len > 0 && json_parse(body, JSON_LAST_WINS, &arena, &value, &why) == ST_OK;
}

/* Readers take a line for a message: in JSON a line break stands between tokens only, where a
 * blank does as well. */
static void unbreak(struct buf *text, size_t from)
{
    for (size_t i = from; i < text->len; i++) {
        if (text->ptr[i] == '\n' || text->ptr[i] == '\r')
            text->ptr[i] = ' ';
    }
}

/* Text that people read; other bytes would be six times as long as escapes. */
static bool is_plain_text(slice body)
{
    for (size_t i = 0; i < body.len; i++) {
        uint8_t c = body.ptr[i];

        if ((c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7f)
            return false;
    }
    return utf8_valid(body);
}

static void write_body(slice body, struct json_writer *w)
{
    BUF_CLEANUP struct buf base64 = {.max = D2C_MESSAGE_MAX * 2};

    if (is_json(body)) {
        size_t at = w->to->len;

        json_put_raw(w, SLICE("body"), body);
        unbreak(w->to, at);
    } else if (is_plain_text(body)) {
        json_put_text(w, SLICE("body"), body);
    } else {
        base64_encode(body, &base64);
        json_put_text(w, SLICE("bodyBase64"), buf_slice(&base64));
    }
}

enum status d2c_message_write_json(const struct d2c_message *m, struct buf *to)
{
    ARENA_CLEANUP struct arena arena = {.max = BAG_ARENA_MAX};
    struct json_writer w = {.to = to};
    struct property_bag bag;
    struct fault why;
    enum status status = property_bag_parse(m->bag, &arena, &bag, &why);

    if (status != ST_OK)
        return status;
    json_open(&w, (slice){0}, '{');
    write_identity(m, &w);
    write_application(m, &bag, &w);
    write_system(m, &bag, &w);
    write_body(m->body, &w);
    json_close(&w, '}');
    return to->failed ? ST_NO_MEMORY : ST_OK;
}

bool d2c_message_is_hidden(const struct d2c_message *m)
{
    ARENA_CLEANUP struct arena arena = {.max = BAG_ARENA_MAX};
    struct property_bag bag;
    struct fault why;
    size_t at;

    /* The key has to be spelled out, or to be encoded in part. */
    if (!slice_search(m->bag, SLICE("ifid"), &at) && !slice_find(m->bag, '%', &at))
        return false;
    return property_bag_parse(m->bag, &arena, &bag, &why) == ST_OK &&
           slice_equal(property_bag_system(&bag, PROP_INTERFACE_ID), SLICE(SECURITY_AGENT));
}
