/* A device announces its model (DTMI) at every connect; what is new is stored with the device and
 * told to the application. Behind the connect, never in front of it. */
#include <stdlib.h>

#include "base/log.h"
#include "hub/event.h"
#include "hub/hub_internal.h"

#define ATTEMPTS_MAX 8

struct announcement {
    struct hub *hub;
    struct hub_key key;
    slice model_id;
    unsigned attempts;
    struct arena arena; /* it lies in it */
};

static void end(struct announcement *a)
{
    struct arena arena = a->arena;

    arena_deinit(&arena);
}

static void tell(const struct announcement *a)
{
    const struct hub_event e = {
        .kind = HUB_EVENT_MODEL,
        .at = clock_wall_ms(),
        .hub_name = a->key.hub,
        .device_id = a->key.device_id,
        .module_id = a->key.module_id,
        .model_id = a->model_id,
    };

    hub_event_publish(a->hub->bus, &e);
}

static void read_device(struct announcement *a);

static void on_written(void *context, enum status status, struct unit *unit)
{
    struct announcement *a = context;

    (void)unit;
    if (status == ST_CONFLICT && ++a->attempts < ATTEMPTS_MAX) {
        read_device(a);
        return;
    }
    if (status == ST_OK)
        tell(a);
    else
        LOG_LIMITED(LOG_LEVEL_WARN, "model_not_stored", LOG_TEXT("device", a->key.device_id));
    end(a);
}

static void on_device(void *context, enum status status, const struct device *d)
{
    struct announcement *a = context;
    const struct device_change change = {
        .set = DEVICE_SET_MODEL,
        .to = {.model_id = a->model_id, .now = clock_wall_ms()},
    };
    struct unit *unit;

    if (status != ST_OK || slice_equal(d->model_id, a->model_id)) {
        end(a);
        return;
    }
    unit = unit_create(a->hub->store);
    if (!unit) {
        end(a); /* announced again at the next connect */
        return;
    }
    device_unit_update(unit, a->hub->identity, d, &change);
    unit_submit(unit, on_written, a);
}

static void read_device(struct announcement *a)
{
    device_get(a->hub->identity, a->key.hub, a->key.device_id, a->key.module_id, on_device, a);
}

void model_announce(struct session *s, slice model_id)
{
    const struct hub_key key = session_key(s);
    struct arena arena;
    struct announcement *a;

    arena_init(&arena, 64 * 1024);
    a = arena_alloc(&arena, sizeof *a);
    if (!a)
        return;
    a->hub = s->hub;
    a->key = (struct hub_key){key.hub, arena_copy(&arena, key.device_id),
                              arena_copy(&arena, key.module_id)};
    a->model_id = arena_copy(&arena, model_id);
    a->arena = arena;
    if (arena.failed)
        end(a);
    else
        read_device(a);
}
