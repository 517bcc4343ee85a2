#include "hub/d2c_record.h"

#include "base/reader.h"

static bool fits(const struct d2c_stamp *s)
{
    return s->hub.len <= UINT8_MAX && s->device_id.len <= UINT8_MAX &&
           s->module_id.len <= UINT8_MAX && s->generation_id.len <= UINT8_MAX &&
           s->model_id.len <= UINT16_MAX / 2;
}

size_t d2c_stamp_size(const struct d2c_stamp *s)
{
    if (!fits(s))
        return 0;
    return 1 + 4 + 2 + s->hub.len + s->device_id.len + s->module_id.len + s->generation_id.len +
           s->model_id.len;
}

static void put(uint8_t **at, slice *text)
{
    if (text->len)
        memcpy(*at, text->ptr, text->len);
    text->ptr = *at;
    *at += text->len;
}

static void put_short(uint8_t **at, slice *text)
{
    *(*at)++ = (uint8_t)text->len;
    put(at, text);
}

void d2c_stamp_write(struct d2c_stamp *s, uint8_t *to)
{
    *to++ = (uint8_t)s->slot;
    put_short(&to, &s->hub);
    put_short(&to, &s->device_id);
    put_short(&to, &s->module_id);
    put_short(&to, &s->generation_id);
    *to++ = (uint8_t)(s->model_id.len >> 8);
    *to++ = (uint8_t)s->model_id.len;
    put(&to, &s->model_id);
}

bool d2c_stamp_parse(slice bytes, struct d2c_stamp *ret)
{
    struct reader r = {.rest = bytes};
    struct d2c_stamp s = {.slot = read_u8(&r)};

    s.hub = read_bytes(&r, read_u8(&r));
    s.device_id = read_bytes(&r, read_u8(&r));
    s.module_id = read_bytes(&r, read_u8(&r));
    s.generation_id = read_bytes(&r, read_u8(&r));
    s.model_id = read_bytes(&r, read_u16(&r));
    if (r.short_read || r.rest.len > 0)
        return false;
    *ret = s;
    return true;
}

void d2c_head_write(unsigned flags, size_t stamp_len, size_t bag_len, uint8_t to[D2C_RECORD_HEAD])
{
    to[0] = D2C_RECORD_VERSION;
    to[1] = (uint8_t)flags;
    to[2] = (uint8_t)(stamp_len >> 8);
    to[3] = (uint8_t)stamp_len;
    to[4] = (uint8_t)(bag_len >> 24);
    to[5] = (uint8_t)(bag_len >> 16);
    to[6] = (uint8_t)(bag_len >> 8);
    to[7] = (uint8_t)bag_len;
}
