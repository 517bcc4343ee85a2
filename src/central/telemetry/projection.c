#include "central/telemetry/projection.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/metrics.h"
#include "base/reader.h"
#include "central/telemetry/projection_internal.h"
#include "central/telemetry/projection_store.h"

#define READ_RECORDS 4096                /* in one part of a step */
#define READ_BYTES ((size_t)1024 * 1024) /* the same */
#define GROUP_BYTES ((size_t)4 << 20)    /* a unit of work takes so much, and what is kept beside */
#define RETRY_MS 1000                    /* something is not to be had for now */
#define IDLE_SHARE 8                     /* a step is followed by so many times its duration */
#define PACE_MAX_MS 4000                 /* but no more */
#define SLOW_COMMIT_MS 100               /* others wait, too: as long again goes to them */

const struct projection_options projection_defaults = {
    .retention_ms = INT64_C(30) * 24 * 3600 * 1000,
    .device_messages = 50000,
    .device_bytes = 8 << 20,
    .pace_ms = 1000,
};

static void go_on(struct lane *lane);

/* --- when ---------------------------------------------------------------------------------------
 */

static void tell_lag(struct lane *lane)
{
    int64_t lag =
        lane->known_end > lane->next ? (int64_t)(lane->known_end - lane->next) : (int64_t)0;

    metric_add(METRIC_PROJECTION_LAG, lag - lane->lag);
    lane->lag = lag;
}

static void on_timer(struct timer *timer)
{
    go_on((struct lane *)timer);
}

static void on_mail(struct mail *mail)
{
    struct lane *lane = (struct lane *)((char *)mail - offsetof(struct lane, mail));

    lane->mail_posted = false;
    go_on(lane);
}

/* In another turn: connections have theirs first. */
static void go_on_soon(struct lane *lane)
{
    if (lane->mail_posted)
        return;
    lane->mail_posted = true;
    worker_post(lane->worker, &lane->mail);
}

static void go_on_later(struct lane *lane, int64_t delay_ms)
{
    timer_arm(lane->worker, &lane->timer, delay_ms, on_timer);
}

/* A step costs each device two rows, however much it sent: so where steps take long, there are
 * fewer of them. */
static int64_t pace_of(const struct lane *lane)
{
    int64_t pace_ms =
        lane->took_ms * IDLE_SHARE < PACE_MAX_MS ? lane->took_ms * IDLE_SHARE : PACE_MAX_MS;

    return pace_ms > lane->projection->options.pace_ms ? pace_ms
                                                       : lane->projection->options.pace_ms;
}

/* The next step, not before its time. */
static void schedule(struct lane *lane)
{
    int64_t left = lane->began_ms + pace_of(lane) - clock_mono_ms();

    if (lane->state != LANE_IDLE || lane->known_end <= lane->next || timer_is_armed(&lane->timer))
        return;
    if (left > 0)
        go_on_later(lane, left);
    else
        go_on_soon(lane);
}

/* --- the end of a step
 * ---------------------------------------------------------------------------- */

static void end_step(struct lane *lane)
{
    bool cut = lane->step.cut && lane->at > lane->next;

    lane->next = lane->at;
    lane->took_ms = clock_mono_ms() - lane->began_ms;
    metric_add(METRIC_PROJECTION_MESSAGES, (int64_t)lane->step.messages);
    metric_add(METRIC_PROJECTION_SAMPLED, (int64_t)lane->step.sampled);
    gathering_end(&lane->step);
    lane->state = LANE_IDLE;
    tell_lag(lane);
    if (cut)
        go_on_soon(lane); /* behind: it is caught up with at once */
    else
        schedule(lane);
}

/* --- groups
 * --------------------------------------------------------------------------------------- */

/* Acknowledgements wait for the same writer: where it is slow, we leave it to them for a while. */
static void go_on_fairly(struct lane *lane)
{
    int64_t took_ms = clock_mono_ms() - lane->submitted_ms;

    if (took_ms < SLOW_COMMIT_MS)
        go_on_soon(lane);
    else
        go_on_later(lane, took_ms < RETRY_MS ? took_ms : RETRY_MS);
}

static void on_committed(void *context, enum status status, struct unit *unit)
{
    struct lane *lane = context;

    (void)unit;
    if (status == ST_CONFLICT) { /* with retention: what was read holds no more */
        go_on_soon(lane);
    } else if (status != ST_OK) {
        LOG_LIMITED(LOG_LEVEL_WARN, "projection_waits", LOG_INT("partition", lane->partition),
                    LOG_STR("status", status_name(status)));
        go_on_later(lane, RETRY_MS);
    } else if (lane->next_group) {
        lane->group = lane->next_group;
        go_on_fairly(lane);
    } else {
        end_step(lane);
    }
}

static void on_made(struct pool_job *job)
{
    struct lane *lane = (struct lane *)((char *)job - offsetof(struct lane, job));
    struct unit *unit = lane->unit;

    lane->unit = NULL;
    lane->submitted_ms = clock_mono_ms();
    if (unit)
        unit_submit(unit, on_committed, lane);
    else
        go_on_later(lane, RETRY_MS);
}

static void on_make(struct pool_job *job)
{
    projection_make_group((struct lane *)((char *)job - offsetof(struct lane, job)));
}

/* Behind the last device that goes with `first`. */
static struct gathered_device *group_end(struct gathered_device *first)
{
    struct gathered_device *d = first;
    size_t bytes = 0;

    for (unsigned i = 0; i < PROJECTION_GROUP && d && bytes < GROUP_BYTES; i++) {
        bytes += d->bytes + d->text.len;
        d = d->next;
    }
    return d;
}

static void write_group(struct lane *lane)
{
    lane->next_group = group_end(lane->group);
    lane->job.work = on_make;
    lane->job.done = on_made;
    if (!store_has_room(lane->projection->st) || !pool_submit(lane->projection->ws, &lane->job))
        go_on_later(lane, RETRY_MS);
}

/* --- reading
 * -------------------------------------------------------------------------------------- */

/* A record that cannot be read is passed over: it would stop all that come behind it. */
static bool on_record(void *context, const struct log_record *record)
{
    struct lane *lane = context;
    struct d2c_message m;

    if (d2c_message_parse(record, &m) != ST_OK) {
        LOG_LIMITED(LOG_LEVEL_ERROR, "record_damaged", LOG_INT("partition", record->partition),
                    LOG_INT("offset", record->offset));
    } else if (m.module_id.len == 0 && !d2c_message_is_hidden(&m) &&
               !gathering_add(&lane->step, &m)) {
        lane->step.cut = true;
        return false;
    }
    lane->at = record->offset + 1;
    lane->read_bytes += record->bytes.len;
    return lane->read_bytes < READ_BYTES;
}

/* The end of the log is where it was when the step began: it may grow as fast as it is read. */
static bool is_read(const struct lane *lane)
{
    return lane->read_status != ST_OK || lane->step.cut || lane->at >= lane->step_end ||
           lane->at == lane->part_from;
}

static void on_read(void *context, enum status status, uint64_t next_offset)
{
    struct lane *lane = context;
    bool has_stopped = lane->step.cut || lane->read_bytes >= READ_BYTES;

    lane->read_status = status;
    if (status == ST_OK && !has_stopped && next_offset > lane->at)
        lane->at = next_offset; /* over a gap */
}

/* A part at a time, so that no read of the store lasts long. */
static void on_read_work(struct pool_job *job)
{
    struct lane *lane = (struct lane *)((char *)job - offsetof(struct lane, job));

    do {
        lane->read_bytes = 0;
        lane->part_from = lane->at;
        log_read_now(lane->projection->log, lane->partition, lane->at, READ_RECORDS, on_record,
                     on_read, lane);
    } while (!is_read(lane));
}

static void on_read_done(struct pool_job *job)
{
    struct lane *lane = (struct lane *)((char *)job - offsetof(struct lane, job));

    if (lane->read_status != ST_OK) {
        gathering_end(&lane->step);
        lane->state = LANE_IDLE;
        go_on_later(lane, RETRY_MS);
        return;
    }
    lane->state = LANE_GROUPS;
    lane->group = lane->step.first;
    write_group(lane);
}

static void read_step(struct lane *lane)
{
    lane->job.work = on_read_work;
    lane->job.done = on_read_done;
    if (!pool_submit(lane->projection->ws, &lane->job))
        go_on_later(lane, RETRY_MS);
}

static void begin_step(struct lane *lane)
{
    if (lane->known_end <= lane->next)
        return;
    lane->began_ms = clock_mono_ms();
    if (!store_has_room(lane->projection->st) || !gathering_begin(&lane->step)) {
        gathering_end(&lane->step);
        go_on_later(lane, RETRY_MS);
        return;
    }
    lane->state = LANE_READING;
    lane->at = lane->next;
    lane->step_end = lane->known_end;
    read_step(lane);
}

static void go_on(struct lane *lane)
{
    timer_cancel(&lane->timer);
    switch (lane->state) {
    case LANE_IDLE:
        begin_step(lane);
        break;
    case LANE_READING:
        read_step(lane);
        break;
    case LANE_GROUPS:
        write_group(lane);
        break;
    }
}

/* --- told by the log
 * ------------------------------------------------------------------------------ */

static void on_advanced(void *context, slice subject, slice message)
{
    struct projection *p = context;
    struct reader r = {.rest = message};
    uint32_t partition = read_u32(&r);
    uint64_t end = read_u64(&r);
    struct lane *lane;

    (void)subject;
    if (r.short_read || partition >= p->lane_count)
        return;
    lane = &p->lanes[partition];
    if (lane->worker != worker_current() || end <= lane->known_end)
        return;
    lane->known_end = end;
    schedule(lane);
    if (lane->state == LANE_IDLE)
        tell_lag(lane);
}

/* --- life
 * ----------------------------------------------------------------------------------------- */

static void on_positions(void *context, enum status status, struct rows *rows)
{
    struct projection *p = context;

    while (status == ST_OK && rows_next(rows)) {
        int64_t partition = rows_int(rows, 0);

        if (partition >= 0 && partition < p->lane_count)
            p->lanes[partition].next = (uint64_t)rows_int(rows, 1);
    }
}

static void on_first(struct timer *timer);

static void on_bounds(void *context, enum status status, uint64_t oldest, uint64_t next)
{
    struct lane *lane = context;

    (void)oldest;
    if (status != ST_OK) {
        timer_arm(lane->worker, &lane->timer, RETRY_MS, on_first);
        return;
    }
    if (next > lane->known_end)
        lane->known_end = next;
    tell_lag(lane);
    schedule(lane);
}

/* The first thing that a lane does on its worker: what came while nobody was there. */
static void on_first(struct timer *timer)
{
    struct lane *lane = (struct lane *)timer;

    log_bounds(lane->projection->log, lane->partition, on_bounds, lane);
}

static bool listen(struct projection *p, struct bus *bus)
{
    unsigned workers = workers_count(p->ws);

    for (unsigned i = 0; i < workers && i < p->lane_count; i++) {
        if (!bus_subscribe(bus, workers_at(p->ws, i), LOG_ADVANCED_SUBJECT, on_advanced, p))
            return false;
    }
    return true;
}

struct projection *projection_create(struct workers *ws, struct store *st, struct bus *bus,
                                     struct stream_log *log,
                                     const struct projection_options *options, struct fault *why)
{
    unsigned count = log_partitions(log);
    struct projection *p = calloc(1, sizeof *p + count * sizeof p->lanes[0]);

    if (!p) {
        (void)fault_set(why, ST_NO_MEMORY, "no memory for the projection of telemetry");
        return NULL;
    }
    *p = (struct projection){.ws = ws, .st = st, .log = log, .options = *options};
    p->lane_count = count;
    if (projection_read_positions_now(st, on_positions, p) != ST_OK || !listen(p, bus)) {
        (void)fault_set(why, ST_UNAVAILABLE, "the projection of telemetry cannot begin");
        free(p);
        return NULL;
    }
    for (unsigned i = 0; i < count; i++) {
        struct lane *lane = &p->lanes[i];

        lane->projection = p;
        lane->partition = i;
        lane->worker = workers_at(ws, i % workers_count(ws));
        lane->mail.run = on_mail;
        timer_arm(lane->worker, &lane->timer, 0, on_first);
    }
    projection_retention_start(p);
    return p;
}

void projection_destroy(struct projection *p)
{
    if (!p)
        return;
    timer_cancel(&p->retention.timer);
    for (unsigned i = 0; i < p->lane_count; i++) {
        metric_add(METRIC_PROJECTION_LAG, -p->lanes[i].lag);
        timer_cancel(&p->lanes[i].timer);
        unit_destroy(p->lanes[i].unit);
        gathering_end(&p->lanes[i].step);
        lane_models_deinit(&p->lanes[i].models);
    }
    free(p);
}
