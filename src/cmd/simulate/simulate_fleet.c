#include "cmd/simulate/simulate_fleet.h"

#include <stdio.h>
#include <stdlib.h>

#include "cmd/simulate/simulate_device.h"

#define TICK_MS 50
#define SLOTS_PER_TICK 20000 /* what is more late than this is let pass */
#define PACKETS_MAX ((size_t)1 << 20)

slice fleet_device_id(const char *prefix, unsigned index, char to[FLEET_ID_MAX])
{
    int len = snprintf(to, FLEET_ID_MAX, "%s-%05u", prefix, index + 1);

    return slice_of(to, len < FLEET_ID_MAX ? (size_t)len : FLEET_ID_MAX - 1);
}

struct fleet *fleet_create(struct workers *ws, const struct fleet_options *options)
{
    struct fleet *f = calloc(1, sizeof *f + options->count * sizeof f->devices[0]);
    char id[FLEET_ID_MAX];

    if (!f)
        return NULL;
    f->options = *options;
    f->worker = workers_at(ws, 0);
    f->counts.idle = options->count;
    buf_init(&f->out, PACKETS_MAX);
    for (unsigned i = 0; i < options->count; i++)
        f->devices[i] = (struct sim_device){
            .fleet = f,
            .index = i,
            .seed = dtdl_sample_seed(options->seed, fleet_device_id(options->prefix, i, id))};
    return f;
}

void fleet_destroy(struct fleet *f)
{
    if (!f)
        return;
    buf_deinit(&f->out);
    secret_wipe(&f->options.group_key);
    free(f);
}

/* --- pacing ----------------------------------------------------------------------------------- */

static void begin_devices(struct fleet *f, int64_t elapsed_ms)
{
    uint64_t due = (uint64_t)elapsed_ms * f->options.starts_s / 1000 + 1;

    for (; f->started < f->options.count && f->started < due; f->started++)
        sim_device_begin(&f->devices[f->started]);
}

static void run_slots(struct fleet *f, int64_t elapsed_ms)
{
    uint64_t due = (uint64_t)((double)elapsed_ms * f->options.rate / 1000);

    if (due - f->slots > SLOTS_PER_TICK) {
        f->counts.passed += due - f->slots - SLOTS_PER_TICK;
        f->slots = due - SLOTS_PER_TICK;
    }
    for (; f->slots < due; f->slots++) {
        struct sim_device *d = &f->devices[f->slots % f->options.count];

        if (f->is_paused || !sim_device_send(d, f->slots / f->options.count))
            f->counts.passed++;
    }
}

static void on_tick(struct timer *timer)
{
    struct fleet *f = (struct fleet *)((char *)timer - offsetof(struct fleet, pacer));
    int64_t elapsed_ms = worker_now_ms(f->worker) - f->started_ms;

    begin_devices(f, elapsed_ms);
    run_slots(f, elapsed_ms);
    timer_arm(f->worker, &f->pacer, TICK_MS, on_tick);
}

/* --- from outside ----------------------------------------------------------------------------- */

static void start(void *context)
{
    struct fleet *f = context;

    f->started_ms = worker_now_ms(f->worker);
    timer_arm(f->worker, &f->pacer, 0, on_tick);
}

void fleet_start(struct fleet *f)
{
    worker_call(f->worker, start, f);
}

struct reading {
    struct fleet *fleet;
    struct fleet_counts counts;
};

static void read_counts(void *context)
{
    struct reading *r = context;

    r->counts = r->fleet->counts;
}

void fleet_read(struct fleet *f, struct fleet_counts *ret)
{
    struct reading r = {.fleet = f};

    worker_call(f->worker, read_counts, &r);
    *ret = r.counts;
}

static void pause(void *context)
{
    struct fleet *f = context;

    f->is_paused = true;
}

void fleet_pause(struct fleet *f)
{
    worker_call(f->worker, pause, f);
}

static void stop(void *context)
{
    struct fleet *f = context;

    f->is_stopping = true;
    timer_cancel(&f->pacer);
    for (unsigned i = 0; i < f->options.count; i++)
        sim_device_stop(&f->devices[i]);
}

void fleet_stop(struct fleet *f)
{
    worker_call(f->worker, stop, f);
}
