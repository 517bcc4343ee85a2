/* A device's states: one connection after the other, and what is waited for in between. */
#include "cmd/simulate/simulate_device.h"

#define PATIENCE_MS 30000 /* with a service that says nothing */
#define PING_MS 60000
#define SILENCE_MS 150000
#define BACKOFF_MS 1000
#define BACKOFF_DOUBLINGS 5 /* so at most 32 s */
#define INPUT_MAX 300000    /* above the largest packet that the hub sends */
#define WINDOW 20           /* messages without an acknowledgement */

static void end_patience(struct timer *timer);
static void begin_connection(struct sim_device *d);

static struct sim_device *device_of(struct timer *timer)
{
    return (struct sim_device *)((char *)timer - offsetof(struct sim_device, timer));
}

static void arm(struct sim_device *d, int64_t delay_ms, void (*run)(struct timer *))
{
    timer_arm(d->fleet->worker, &d->timer, delay_ms, run);
}

/* --- states ----------------------------------------------------------------------------------- */

/* Where a state is counted. A connection that closes still counts as what it was for. */
static uint64_t *count_of(struct sim_device *d, enum sim_state state)
{
    struct fleet_counts *counts = &d->fleet->counts;

    switch (state) {
    case SIM_IDLE:
        return &counts->idle;
    case SIM_REGISTERING:
        return &counts->registering;
    case SIM_REGISTERED:
    case SIM_CONNECTING:
        return &counts->connecting;
    case SIM_LIVE:
        return &counts->live;
    case SIM_LEAVING:
    case SIM_WAITING:
        break;
    }
    return &counts->waiting;
}

void sim_device_set_state(struct sim_device *d, enum sim_state state)
{
    (*count_of(d, d->state))--;
    d->state = (uint8_t)state;
    (*count_of(d, state))++;
}

/* --- waiting ---------------------------------------------------------------------------------- */

static void end_waiting(struct timer *timer)
{
    begin_connection(device_of(timer));
}

/* Twice as long each time, and never all devices at once. */
static void wait(struct sim_device *d)
{
    int64_t longest = BACKOFF_MS << d->failures;
    uint64_t hash = dtdl_sample_hash(d->seed, d->attempts);

    if (d->failures < BACKOFF_DOUBLINGS)
        d->failures++;
    sim_device_set_state(d, SIM_WAITING);
    arm(d, longest / 2 + (int64_t)(hash % (uint64_t)(longest / 2)), end_waiting);
}

/* --- connections ------------------------------------------------------------------------------ */

static void on_open(void *owner)
{
    sim_session_open(owner);
}

static size_t on_input(void *owner, slice input)
{
    return sim_session_input(owner, input);
}

static void on_end(void *owner, enum stream_end end)
{
    struct sim_device *d = owner;

    d->stream = NULL;
    timer_cancel(&d->timer);
    d->fleet->counts.unacknowledged -= d->unacknowledged;
    d->unacknowledged = 0;
    if (d->fleet->is_stopping) {
        sim_device_set_state(d, SIM_IDLE);
        return;
    }
    if (d->state == SIM_LIVE) {
        d->fleet->counts.dropped++;
        d->fleet->counts.dropped_by = end;
    } else if (d->state == SIM_REGISTERING) {
        d->fleet->counts.failed++;
    }
    if (d->state == SIM_REGISTERED)
        begin_connection(d);
    else
        wait(d);
}

static const struct stream_handler handler = {
    .on_open = on_open, .on_input = on_input, .on_end = on_end};

static void begin_connection(struct sim_device *d)
{
    const struct fleet_options *o = &d->fleet->options;

    d->attempts++;
    sim_device_set_state(d, d->hub ? SIM_CONNECTING : SIM_REGISTERING);
    d->stream = stream_connect(d->fleet->worker, &o->to, o->tls, d->hub ? d->hub : o->host);
    if (!d->stream) {
        d->fleet->counts.failed += d->hub == NULL;
        wait(d);
        return;
    }
    stream_set_handler(d->stream, &handler, d, INPUT_MAX);
    arm(d, PATIENCE_MS, end_patience);
}

static void end_patience(struct timer *timer)
{
    struct sim_device *d = device_of(timer);

    stream_abort(d->stream);
}

void sim_device_begin(struct sim_device *d)
{
    begin_connection(d);
}

void sim_device_leave(struct sim_device *d, enum sim_state to)
{
    sim_device_set_state(d, to);
    timer_cancel(&d->timer);
    stream_close(d->stream);
}

/* --- the DPS ---------------------------------------------------------------------------------- */

static void poll(struct timer *timer)
{
    struct sim_device *d = device_of(timer);

    sim_session_poll(d);
    arm(d, PATIENCE_MS, end_patience);
}

void sim_device_poll_later(struct sim_device *d, int64_t seconds)
{
    arm(d, seconds * 1000, poll);
}

/* --- the hub ---------------------------------------------------------------------------------- */

static void on_ping(struct timer *timer)
{
    struct sim_device *d = device_of(timer);

    if (worker_now_ms(d->fleet->worker) - stream_last_input_ms(d->stream) > SILENCE_MS) {
        stream_abort(d->stream);
        return;
    }
    sim_session_ping(d);
    arm(d, PING_MS, on_ping);
}

void sim_device_is_live(struct sim_device *d)
{
    sim_device_set_state(d, SIM_LIVE);
    d->failures = 0;
    d->fleet->counts.connected++;
    arm(d, PING_MS, on_ping);
}

bool sim_device_send(struct sim_device *d, uint64_t step)
{
    /* The time of a run that is repeated is the same, too. */
    const struct dtdl_sample s = {
        .seed = d->seed, .step = step, .at = SIM_EPOCH_MS + (int64_t)step * 1000};

    if (d->state != SIM_LIVE || d->unacknowledged >= WINDOW ||
        stream_output_len(d->stream) > STREAM_OUTPUT_HIGH)
        return false;
    return sim_hub_telemetry(d, &s);
}

void sim_device_stop(struct sim_device *d)
{
    timer_cancel(&d->timer);
    if (!d->stream) {
        sim_device_set_state(d, SIM_IDLE);
        return;
    }
    if (d->state == SIM_LIVE) {
        sim_session_goodbye(d);
        sim_device_set_state(d, SIM_LEAVING); /* it was not dropped */
    }
    stream_close(d->stream);
}
