#include "central/simulation/simulation.h"

#include <stdlib.h>

#include "central/simulation/simulation_internal.h"

#define LOOK_MS 60000    /* at the list, should an event have been lost */
#define LOOK_SOON_MS 200 /* after an event: many come at once */

const struct simulation_options simulation_defaults = {.period_ms = 10000};

/* --- who runs --------------------------------------------------------------------------------- */

static struct simulated_device *find(const struct simulation *s, slice id)
{
    for (struct simulated_device *d = s->devices; d; d = d->next) {
        if (slice_equal(slice_of(d->id, d->id_len), id))
            return d;
    }
    return NULL;
}

void simulation_forget(struct simulated_device *d)
{
    struct simulation *s = d->simulation;
    struct simulated_device **at = &s->devices;

    while (*at != d)
        at = &(*at)->next;
    *at = d->next;
    s->count--;
    timer_cancel(&d->timer);
    free(d);
}

static void look(struct timer *timer);

static void look_soon(struct simulation *s)
{
    if (s->is_listing)
        s->is_stale = true;
    else
        timer_arm(s->home, &s->timer, LOOK_SOON_MS, look);
}

static void end_unseen(struct simulation *s)
{
    for (struct simulated_device *d = s->devices, *next; d; d = next) {
        next = d->next;
        if (!d->is_seen)
            simulated_device_end(d);
    }
}

static void on_device(void *context, enum status status, const struct device *d)
{
    struct simulation *s = context;
    struct simulated_device *known = d ? find(s, d->id) : NULL;

    if (known)
        known->is_seen = true;
    else if (d && s->count < SIMULATED_MAX)
        simulated_device_begin(s, d);
    if (d)
        return;
    if (status == ST_OK)
        end_unseen(s);
    s->is_listing = false;
    if (s->is_stale || status != ST_OK)
        look_soon(s);
    else
        timer_arm(s->home, &s->timer, LOOK_MS, look);
}

static void look(struct timer *timer)
{
    struct simulation *s =
        (struct simulation *)((char *)timer - offsetof(struct simulation, timer));

    s->is_listing = true;
    s->is_stale = false;
    for (struct simulated_device *d = s->devices; d; d = d->next)
        d->is_seen = false;
    device_list_simulated(s->c->id, SIMULATED_MAX, on_device, s);
}

/* Whatever happened to a device: most are real, and then the list is as it was. */
static void on_event(void *context, slice subject, slice message)
{
    static const slice kinds[] = {{(const uint8_t *)"\"registered\"", 12},
                                  {(const uint8_t *)"\"deleted\"", 9},
                                  {(const uint8_t *)"\"enabled\"", 9},
                                  {(const uint8_t *)"\"disabled\"", 10}};
    size_t at;

    (void)subject;
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        if (!slice_search(message, kinds[i], &at))
            continue;
        look_soon(context);
        return;
    }
}

/* --- life ------------------------------------------------------------------------------------- */

static void start(struct mail *mail)
{
    struct simulation *s = (struct simulation *)((char *)mail - offsetof(struct simulation, start));

    look(&s->timer);
}

struct simulation *simulation_create(struct central *c, const struct simulation_options *options,
                                     struct fault *why)
{
    struct simulation *s = calloc(1, sizeof *s);

    if (!s) {
        (void)fault_set(why, ST_NO_MEMORY, "no memory for simulated devices");
        return NULL;
    }
    *s = (struct simulation){
        .c = c, .options = *options, .home = workers_at(c->ws, 0), .start.run = start};
    if (!bus_subscribe(c->bus, s->home, "central.events", on_event, s)) {
        (void)fault_set(why, ST_NO_MEMORY, "simulated devices cannot hear of changes");
        simulation_destroy(s);
        return NULL;
    }
    worker_post(s->home, &s->start);
    return s;
}

void simulation_destroy(struct simulation *s)
{
    if (!s)
        return;
    while (s->devices)
        simulation_forget(s->devices);
    timer_cancel(&s->timer);
    free(s);
}
