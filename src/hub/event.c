#include "hub/event.h"

#include "base/buf.h"
#include "base/reader.h"

#define EVENT_MAX 8192

void hub_event_publish(struct bus *bus, const struct hub_event *e)
{
    const slice texts[] = {e->hub_name, e->device_id, e->module_id, e->model_id};
    BUF_CLEANUP struct buf message = {.max = EVENT_MAX};

    buf_append_byte(&message, (uint8_t)e->kind);
    buf_append_u64(&message, (uint64_t)e->at);
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        buf_append_u16(&message, (uint16_t)texts[i].len);
        buf_append(&message, texts[i]);
    }
    if (!message.failed)
        bus_publish(bus, SLICE(HUB_EVENTS_SUBJECT), buf_slice(&message));
}

bool hub_event_decode(slice message, struct hub_event *ret)
{
    struct reader r = {.rest = message};
    uint8_t kind = read_u8(&r);
    struct hub_event e = {.kind = kind, .at = (instant)read_u64(&r)};
    slice *const texts[] = {&e.hub_name, &e.device_id, &e.module_id, &e.model_id};

    for (size_t i = 0; i < COUNT_OF(texts); i++)
        *texts[i] = read_bytes(&r, read_u16(&r));
    if (r.short_read || r.rest.len > 0 || kind > HUB_EVENT_MODEL)
        return false;
    *ret = e;
    return true;
}
