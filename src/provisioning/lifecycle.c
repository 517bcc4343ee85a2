#include "provisioning/lifecycle.h"

#include "codec/json.h"

static const struct {
    enum lifecycle_event event;
    const char *type;
} types[] = {
    {EVENT_REGISTERED, "registered"},
    {EVENT_APPROVAL_REQUESTED, "approvalRequested"},
    {EVENT_TEMPLATE_CHANGED, "deviceTemplateChanged"},
    {EVENT_APPROVED, "approved"},
    {EVENT_REFUSED, "refused"},
    {EVENT_PROVISIONED, "provisioned"},
    {EVENT_ENABLED, "enabled"},
    {EVENT_DISABLED, "disabled"},
    {EVENT_DELETED, "deleted"},
};

static void publish_one(struct bus *bus, const char *type, slice device_id, instant at)
{
    struct buf BUF_CLEANUP text = {.max = 4096};
    struct json_writer w = {.to = &text};
    char time[CLOCK_TEXT_MAX];

    json_open(&w, (slice){0}, '{');
    json_put_text(&w, SLICE("type"), slice_str(type));
    json_put_text(&w, SLICE("deviceId"), device_id);
    json_put_text(&w, SLICE("at"), clock_iso(at, time));
    json_close(&w, '}');
    if (!text.failed)
        bus_publish(bus, SLICE("central.events"), buf_slice(&text));
}

void lifecycle_publish(struct bus *bus, unsigned events, slice device_id, instant at)
{
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        if (events & types[i].event)
            publish_one(bus, types[i].type, device_id, at);
    }
}
