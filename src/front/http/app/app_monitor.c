/* Device-to-cloud messages as a stream: from the start or from now on. As JSON lines, or as
 * server-sent events where those are asked for. The stream of one device also says when it comes
 * and goes: {"event":"connected","deviceId","at"}.
 *
 * One reader a partition goes through the log by offset. At the end it waits until the bus tells
 * that the log advanced; a slow client is waited for, nothing is kept for it but an offset. */
#include "base/log.h"
#include "front/http/application.h"
#include "hub/event.h"
#include "hub/telemetry.h"

#define PARTITIONS_MAX 32
#define WAITING_MAX (256 * 1024)
#define RECORDS_A_READ 256

struct monitor {
    struct exchange *x;
    uint64_t next[PARTITIONS_MAX];
    unsigned partitions, at; /* the one being read */
    unsigned bounds_due;     /* partitions whose end is not known yet */
    bool from_start;
    uint64_t left;                  /* messages still to send; UINT64_MAX: no limit */
    slice device_id, generation_id; /* empty: any */
    bool sends_events;              /* in that form */
    struct hub_watch hub_watch;
    bool reading, posted, gone, progress, watching;
    struct mail again; /* the next read, in a later turn */
    struct log_watch watch;
};

static void read_next(struct monitor *m);

static void finish(struct monitor *m);

static void on_again(struct mail *mail)
{
    struct monitor *m = (struct monitor *)((char *)mail - offsetof(struct monitor, again));

    m->posted = false;
    if (m->gone)
        finish(m);
    else if (!m->reading)
        read_next(m);
}

/* Others on this worker get their turn first. */
static void read_later(struct monitor *m)
{
    if (m->posted)
        return;
    m->posted = true;
    m->again.run = on_again;
    worker_post(worker_current(), &m->again);
}

static void on_log_advanced(struct log_watch *watch)
{
    struct monitor *m = (struct monitor *)((char *)watch - offsetof(struct monitor, watch));

    m->watching = false;
    read_later(m);
}

/* The last call: the exchange holds the memory. */
static void finish(struct monitor *m)
{
    struct exchange *x = m->x;

    http_front_unwatch_log(&m->watch);
    http_front_unwatch_hub(&m->hub_watch);
    x->on_gone = NULL;
    x->on_drained = NULL;
    exchange_stream_end(x);
    exchange_release(x);
}

static bool is_wanted(const struct monitor *m, const struct d2c_message *message)
{
    return !d2c_message_is_hidden(message) &&
           (m->device_id.len == 0 || slice_equal(m->device_id, message->device_id)) &&
           (m->generation_id.len == 0 || slice_equal(m->generation_id, message->generation_id));
}

/* One line of JSON, in the form that was asked for. */
static void send_line(struct monitor *m, const char *event, struct buf *line)
{
    BUF_CLEANUP struct buf head = {.max = 64};

    buf_append_str(line, m->sends_events ? "\n\n" : "\n");
    if (line->failed)
        return;
    buf_printf(&head, "event: %s\ndata: ", event);
    if (m->sends_events)
        exchange_stream_part(m->x, buf_slice(&head));
    exchange_stream_part(m->x, buf_slice(line));
}

static const char *name_of(enum hub_event_kind kind)
{
    static const char *const names[] = {
        [HUB_EVENT_CONNECTED] = "connected",
        [HUB_EVENT_DISCONNECTED] = "disconnected",
        [HUB_EVENT_MODEL] = "model",
    };

    return names[kind];
}

/* A reader who is slow misses some: they tell of now. */
static void on_hub_event(struct hub_watch *watch, const struct hub_event *e)
{
    struct monitor *m = (struct monitor *)((char *)watch - offsetof(struct monitor, hub_watch));
    BUF_CLEANUP struct buf line = {.max = 4096};
    struct json_writer w = {.to = &line};

    if (e->module_id.len > 0 || !slice_equal(e->device_id, m->device_id) || m->gone ||
        exchange_stream_waiting(m->x) >= WAITING_MAX)
        return;
    json_open(&w, (slice){0}, '{');
    json_put_text(&w, SLICE("event"), slice_str(name_of(e->kind)));
    json_put_text(&w, SLICE("deviceId"), e->device_id);
    app_put_time(&w, SLICE("at"), e->at);
    if (e->kind == HUB_EVENT_MODEL)
        json_put_text(&w, SLICE("modelId"), e->model_id);
    json_close(&w, '}');
    send_line(m, name_of(e->kind), &line);
}

static bool on_record(void *context, const struct log_record *record)
{
    struct monitor *m = context;
    BUF_CLEANUP struct buf line = {.max = APP_ANSWER_MAX};
    struct d2c_message message;

    if (d2c_message_parse(record, &message) != ST_OK) {
        LOG_ERROR("record_damaged", LOG_INT("partition", record->partition),
                  LOG_INT("offset", record->offset));
        return true;
    }
    m->next[m->at] = record->offset + 1;
    m->progress = true;
    if (!is_wanted(m, &message) || d2c_message_write_json(&message, &line) != ST_OK)
        return true;
    send_line(m, "telemetry", &line);
    if (m->left != UINT64_MAX)
        m->left--;
    return m->left > 0 && exchange_stream_waiting(m->x) < WAITING_MAX;
}

static void on_read(void *context, enum status status, uint64_t next_offset)
{
    struct monitor *m = context;

    m->reading = false;
    if (m->gone || m->left == 0 || status != ST_OK) {
        finish(m);
        return;
    }
    if (next_offset > m->next[m->at])
        m->next[m->at] = next_offset;
    m->at = (m->at + 1) % m->partitions;
    if (exchange_stream_waiting(m->x) >= WAITING_MAX)
        return; /* on_drained goes on */
    if (m->at == 0 && !m->progress && !m->watching) {
        /* Nothing in a whole round: wait for news, but look once more, for some may have come
         * between the reads and the watch. */
        m->watching = true;
        m->watch.wake = on_log_advanced;
        http_front_watch_log(m->x->front, &m->watch);
    } else if (m->at == 0 && !m->progress) {
        return; /* on_log_advanced goes on */
    } else if (m->at == 0) {
        m->watching = false;
        m->progress = false;
    }
    read_later(m);
}

static void read_next(struct monitor *m)
{
    m->reading = true;
    log_read(m->x->front->options.log, m->at, m->next[m->at], RECORDS_A_READ, on_record, on_read,
             m);
}

static void on_drained(struct exchange *x)
{
    struct monitor *m = x->own;

    if (!m->reading && m->bounds_due == 0)
        read_later(m);
}

static void on_gone(struct exchange *x)
{
    struct monitor *m = x->own;

    m->gone = true;
    if (!m->reading && !m->posted && m->bounds_due == 0)
        finish(m);
}

static void on_bounds(void *context, enum status status, uint64_t oldest, uint64_t next)
{
    struct monitor *m = context;
    struct exchange *x = m->x;

    if (status != ST_OK) {
        x->on_gone = NULL;
        x->on_drained = NULL;
        exchange_answer_error(x, status, NULL);
        exchange_release(x);
        return;
    }
    m->next[m->at++] = m->from_start ? oldest : next;
    if (--m->bounds_due > 0) {
        log_bounds(m->x->front->options.log, m->at, on_bounds, m);
        return;
    }
    m->at = 0;
    if (m->gone) {
        finish(m);
        return;
    }
    exchange_stream(m->x,
                    m->sends_events ? SLICE("text/event-stream") : SLICE("application/x-ndjson"));
    if (m->generation_id.len > 0 && !m->gone) {
        m->hub_watch.on_event = on_hub_event;
        http_front_watch_hub(m->x->front, &m->hub_watch);
    }
    read_next(m);
}

static bool read_query(struct monitor *m)
{
    struct exchange *x = m->x;
    slice from = {0}, count = {0};
    struct fault why;
    bool known;

    exchange_query(x, SLICE("from"), &from);
    m->from_start = slice_equal(from, SLICE("start"));
    known = from.len == 0 || m->from_start || slice_equal(from, SLICE("end"));
    m->left = UINT64_MAX;
    if (exchange_query(x, SLICE("count"), &count))
        known = known && slice_to_u64(count, &m->left) && m->left > 0;
    if (!exchange_query(x, SLICE("device"), &m->device_id))
        m->device_id = (slice){0};
    if (known)
        return true;
    fault_set(&why, ST_BAD_REQUEST, "from must be start or end, count a whole number above 0");
    exchange_answer_error(x, ST_BAD_REQUEST, &why);
    return false;
}

static bool asks_for_events(const struct exchange *x)
{
    size_t at;

    return slice_search(http_header(x->request, SLICE("Accept")), SLICE("text/event-stream"), &at);
}

static struct monitor *monitor_create(struct exchange *x)
{
    struct monitor *m = arena_alloc(&x->arena, sizeof *m);

    if (!m || x->request->method == HTTP_HEAD) {
        exchange_answer_error(x, m ? ST_METHOD_NOT_ALLOWED : ST_NO_MEMORY, NULL);
        return NULL;
    }
    m->x = x;
    m->sends_events = asks_for_events(x);
    return read_query(m) ? m : NULL;
}

static void start(struct monitor *m)
{
    struct exchange *x = m->x;

    x->own = m;
    x->on_drained = on_drained;
    x->on_gone = on_gone;
    m->partitions = log_partitions(x->front->options.log);
    m->bounds_due = m->partitions;
    exchange_hold(x);
    log_bounds(x->front->options.log, 0, on_bounds, m);
}

void app_monitor(struct exchange *x)
{
    struct monitor *m = monitor_create(x);

    if (m)
        start(m);
}

/* --- of one device ------------------------------------------------------------------------------
 */

/* This one, and not another that gets its ID later. */
static void on_device(void *context, enum status status, const struct device *d)
{
    struct monitor *m = context;
    struct exchange *x = m->x;

    if (status == ST_OK) {
        m->device_id = arena_copy(&x->arena, d->id);
        m->generation_id = arena_copy(&x->arena, d->generation_id);
        status = x->arena.failed ? ST_NO_MEMORY : ST_OK;
    }
    if (status != ST_OK)
        exchange_answer_error(x, status, NULL);
    else if (exchange_is_wanted(x))
        start(m);
    exchange_release(x);
}

void app_device_events(struct exchange *x)
{
    struct monitor *m = monitor_create(x);

    if (!m)
        return;
    exchange_hold(x);
    device_find(x->front->options.identity, x->bound[0], on_device, m);
}
