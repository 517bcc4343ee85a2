/* Lanes: gathering records, handing whole batches to the store, telling the waiters. */
#include <assert.h>
#include <stdlib.h>

#include "base/metrics.h"
#include "stream/crc32c.h"
#include "stream/log_internal.h"

/* What a gathering keeps of its memory when its batch is done. */
#define KEEP_BYTES (256 * 1024)
#define KEEP_ENTRIES 8192

/* The writer gives the offsets: it alone sees the batches of all workers in order. */
static const struct sql advance_sql = {
    "UPDATE log_partition SET next_offset = next_offset + ?2, bytes = bytes + ?3"
    " WHERE partition = ?1 RETURNING next_offset"};
static const struct sql insert_sql = {
    "INSERT INTO log_batch"
    " (partition, base_offset, record_count, first_at, last_at, bytes, crc, body)"
    " VALUES (?1, (SELECT next_offset FROM log_partition WHERE partition = ?1) - ?2,"
    " ?2, ?3, ?4, ?5, ?6, ?7)"};

/* --- gatherings ------------------------------------------------------------------------------ */

static bool is_empty(const struct log_gathering *g)
{
    return g->count == 0 && g->entry_count == 0;
}

static bool make_entry_room(struct log_gathering *g)
{
    size_t cap = g->entry_cap ? g->entry_cap * 2 : 64;
    struct log_entry *grown;

    if (g->entry_count < g->entry_cap)
        return true;
    if (g->entry_count >= LOG_ENTRIES_MAX)
        return false;
    grown = realloc(g->entries, cap * sizeof *grown);
    if (!grown)
        return false;
    g->entries = grown;
    g->entry_cap = cap;
    return true;
}

static void add_entry(struct log_gathering *g, struct log_waiter *waiter, uint32_t token,
                      bool is_marker)
{
    g->entries[g->entry_count++] = (struct log_entry){waiter, token, is_marker};
    waiter->pending++;
}

static void note_time(struct log_gathering *g, instant at)
{
    if (g->count == 0 || at < g->first_at)
        g->first_at = at;
    if (g->count == 0 || at > g->last_at)
        g->last_at = at;
}

/* Empties it, and gives back what a burst made it grow. */
static void recycle(struct log_gathering *g)
{
    if (g->body.cap > KEEP_BYTES)
        buf_deinit(&g->body);
    if (g->entry_cap > KEEP_ENTRIES) {
        free(g->entries);
        g->entries = NULL;
        g->entry_cap = 0;
    }
    buf_clear(&g->body);
    g->count = 0;
    g->entry_count = 0;
}

/* Tells everyone in order. They may append meanwhile: that goes to the open gathering. */
static void settle(struct log_gathering *g, enum status status)
{
    for (size_t i = 0; i < g->entry_count; i++) {
        const struct log_entry *e = &g->entries[i];

        e->waiter->pending--;
        e->waiter->on_done(e->waiter, e->token, e->is_marker ? ST_OK : status);
    }
    recycle(g);
}

/* --- lanes ----------------------------------------------------------------------------------- */

static struct log_worker *current_worker(const struct stream_log *log)
{
    assert(worker_current());
    return (struct log_worker *)&log->workers[worker_index(worker_current())];
}

static struct log_lane *current_lane(const struct stream_log *log, unsigned partition)
{
    assert(partition < log->options.partitions);
    return &current_worker(log)->lanes[partition];
}

/* Whether a record of the largest size might not fit any more. */
static bool open_is_full(const struct log_lane *lane)
{
    return lane->open->body.len + LOG_RECORD_HEADER + LOG_RECORD_MAX > LOG_BATCH_MAX ||
           lane->open->entry_count >= LOG_ENTRIES_MAX;
}

static void post_hooks(struct log_worker *w, struct store *st)
{
    struct mail *hook = w->hooks;

    w->hooks = NULL;
    while (hook) {
        struct mail *next = hook->next;

        store_when_room(st, hook);
        hook = next;
    }
}

static void set_full(struct log_lane *lane, bool is_full)
{
    if (lane->is_full == is_full)
        return;
    lane->is_full = is_full;
    if (is_full)
        lane->worker->full_lanes++;
    else if (--lane->worker->full_lanes == 0)
        post_hooks(lane->worker, lane->log->store);
}

static void take_off(struct log_lane *lane)
{
    struct log_gathering *open = lane->open;

    lane->open = lane->flying;
    lane->flying = open;
    lane->in_flight = true;
    set_full(lane, false);
}

static void tell_advance(struct log_lane *lane, uint64_t next_offset)
{
    uint8_t message[12];

    for (unsigned i = 0; i < 4; i++)
        message[i] = (uint8_t)(lane->partition >> (24 - 8 * i));
    for (unsigned i = 0; i < 8; i++)
        message[4 + i] = (uint8_t)(next_offset >> (56 - 8 * i));
    bus_publish(lane->log->bus, SLICE(LOG_ADVANCED_SUBJECT), slice_of(message, sizeof message));
}

static void lane_flush(struct log_lane *lane);

static void on_committed(void *context, enum status status, struct unit *unit)
{
    struct log_lane *lane = context;

    if (status == ST_OK) {
        metric_observe(METRIC_BATCH_MESSAGES, lane->flying->count);
        tell_advance(lane, (uint64_t)unit_returned(unit, 0, 0).integer);
    }
    settle(lane->flying, status);
    lane->in_flight = false;
    lane_flush(lane);
}

/* The body is borrowed: it stays untouched while it flies. */
static struct unit *make_unit(struct log_lane *lane, struct log_gathering *g)
{
    struct unit *unit = unit_create(lane->log->store);

    if (!unit)
        return NULL;
    log_batch_end(&g->body, g->count);
    unit_add(unit, &advance_sql,
             (const struct sql_value[]){SQL_INT_(lane->partition), SQL_INT_(g->count),
                                        SQL_INT_(g->body.len)},
             3, EXPECT_ONE);
    unit_add(unit, &insert_sql,
             (const struct sql_value[]){
                 SQL_INT_(lane->partition), SQL_INT_(g->count), SQL_INT_(g->first_at),
                 SQL_INT_(g->last_at), SQL_INT_(g->body.len), SQL_INT_(crc32c(buf_slice(&g->body))),
                 SQL_BORROWED_(buf_slice(&g->body))},
             7, EXPECT_ONE);
    return unit;
}

static void submit_open(struct log_lane *lane)
{
    struct unit *unit = make_unit(lane, lane->open);

    if (unit) {
        take_off(lane);
        unit_submit(unit, on_committed, lane);
        return;
    }
    set_full(lane, open_is_full(lane));
    if (!lane->waits_for_room) {
        lane->waits_for_room = true;
        store_when_room(lane->log->store, &lane->room);
    }
}

/* Markers alone need no commit: nothing is in flight before them. */
static void settle_markers(struct log_lane *lane)
{
    take_off(lane);
    settle(lane->flying, ST_OK);
    lane->in_flight = false;
    if (!is_empty(lane->open)) /* next turn: a waiter that keeps appending starves nobody */
        worker_at_turn_end(lane->worker->worker, &lane->hook);
}

static void lane_flush(struct log_lane *lane)
{
    if (lane->in_flight || is_empty(lane->open))
        return;
    if (lane->open->count == 0)
        settle_markers(lane);
    else
        submit_open(lane);
}

static void on_turn_end(struct turn_hook *hook)
{
    lane_flush((struct log_lane *)hook);
}

static void on_room(struct mail *mail)
{
    struct log_lane *lane = (struct log_lane *)((char *)mail - offsetof(struct log_lane, room));

    lane->waits_for_room = false;
    lane_flush(lane);
}

void log_lane_init(struct log_lane *lane, struct stream_log *log, struct log_worker *worker,
                   unsigned partition)
{
    lane->hook.run = on_turn_end;
    lane->room.run = on_room;
    lane->log = log;
    lane->worker = worker;
    lane->partition = partition;
    lane->open = &lane->two[0];
    lane->flying = &lane->two[1];
    buf_init(&lane->two[0].body, LOG_BATCH_MAX);
    buf_init(&lane->two[1].body, LOG_BATCH_MAX);
}

/* --- appending ------------------------------------------------------------------------------- */

static bool add_record(struct log_gathering *g, instant enqueued_at, const slice *parts,
                       size_t count, size_t len)
{
    if (g->count == 0)
        log_batch_begin(&g->body);
    if (!log_batch_add(&g->body, enqueued_at, parts, count, len))
        return false;
    note_time(g, enqueued_at);
    g->count++;
    return true;
}

/* What was added goes at the turn's end; a full batch of records at once, if the way is free. */
static void note_growth(struct log_lane *lane)
{
    worker_at_turn_end(lane->worker->worker, &lane->hook);
    if (!open_is_full(lane))
        return;
    if (lane->in_flight || lane->open->count == 0)
        set_full(lane, true);
    else
        submit_open(lane);
}

bool log_append(struct stream_log *log, unsigned partition, instant enqueued_at, const slice *parts,
                size_t count, struct log_waiter *waiter, uint32_t token)
{
    struct log_lane *lane = current_lane(log, partition);
    size_t len = 0;

    for (size_t i = 0; i < count; i++) {
        if (parts[i].len > LOG_RECORD_MAX)
            return false;
        len += parts[i].len;
    }
    if (len > LOG_RECORD_MAX || !store_has_room(log->store))
        return false;
    if (waiter && !make_entry_room(lane->open))
        return false;
    if (!add_record(lane->open, enqueued_at, parts, count, len))
        return false;
    if (waiter)
        add_entry(lane->open, waiter, token, false);
    note_growth(lane);
    return true;
}

bool log_append_marker(struct stream_log *log, unsigned partition, struct log_waiter *waiter,
                       uint32_t token)
{
    struct log_lane *lane = current_lane(log, partition);

    if (!make_entry_room(lane->open))
        return false;
    add_entry(lane->open, waiter, token, true);
    note_growth(lane);
    return true;
}

bool log_has_room(const struct stream_log *log)
{
    return current_worker(log)->full_lanes == 0 && store_has_room(log->store);
}

void log_when_room(struct stream_log *log, struct mail *hook)
{
    struct log_worker *w = current_worker(log);

    if (w->full_lanes == 0) {
        store_when_room(log->store, hook);
        return;
    }
    hook->next = w->hooks;
    w->hooks = hook;
}
