#include "hub/session_message.h"

#include "base/reader.h"

static void put_short(struct buf *to, slice text)
{
    buf_append_u16(to, (uint16_t)text.len);
    buf_append(to, slice_first(text, UINT16_MAX));
}

void session_message_encode(const struct session_message *m, struct buf *to)
{
    buf_append_byte(to, (uint8_t)m->kind);
    buf_append_byte(to, (uint8_t)m->status);
    buf_append_byte(to, (uint8_t)m->slots);
    buf_append_byte(to, m->flag);
    buf_append_u64(to, m->serial);
    buf_append_u64(to, m->token);
    buf_append_u64(to, (uint64_t)m->number);
    buf_append_u64(to, (uint64_t)m->at);
    put_short(to, m->hub);
    put_short(to, m->device_id);
    put_short(to, m->module_id);
    put_short(to, m->name);
    put_short(to, m->peer);
    buf_append_u32(to, (uint32_t)m->text.len);
    buf_append(to, m->text);
}

static slice read_short(struct reader *r)
{
    return read_bytes(r, read_u16(r));
}

bool session_message_decode(slice bytes, struct session_message *ret)
{
    struct reader r = {.rest = bytes};
    uint8_t kind = read_u8(&r), status = read_u8(&r);
    struct session_message m = {.kind = kind, .status = status};

    m.slots = read_u8(&r);
    m.flag = read_u8(&r) != 0;
    m.serial = read_u64(&r);
    m.token = read_u64(&r);
    m.number = (int64_t)read_u64(&r);
    m.at = (instant)read_u64(&r);
    m.hub = read_short(&r);
    m.device_id = read_short(&r);
    m.module_id = read_short(&r);
    m.name = read_short(&r);
    m.peer = read_short(&r);
    m.text = read_bytes(&r, read_u32(&r));
    if (r.short_read || r.rest.len > 0 || kind >= MESSAGE_KINDS || status >= ST_COUNT)
        return false;
    *ret = m;
    return true;
}
