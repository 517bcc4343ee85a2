/* Device-to-cloud messages as a stream of JSON lines: from the start or from now on.
 *
 * One reader a partition goes through the log by offset. At the end it waits until the bus tells
 * that the log advanced; a slow client is waited for, nothing is kept for it but an offset. */
#include "base/log.h"
#include "front/http/application.h"
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
    uint64_t left; /* messages still to send; UINT64_MAX: no limit */
    slice device_id;
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
    x->on_gone = NULL;
    x->on_drained = NULL;
    exchange_stream_end(x);
    exchange_release(x);
}

static bool is_wanted(const struct monitor *m, const struct d2c_message *message)
{
    return !d2c_message_is_hidden(message) &&
           (m->device_id.len == 0 || slice_equal(m->device_id, message->device_id));
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
    buf_append_byte(&line, '\n');
    exchange_stream_part(m->x, buf_slice(&line));
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
    exchange_stream(m->x, SLICE("application/x-ndjson"));
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

void app_monitor(struct exchange *x)
{
    struct monitor *m = arena_alloc(&x->arena, sizeof *m);

    if (!m || x->request->method == HTTP_HEAD) {
        exchange_answer_error(x, m ? ST_METHOD_NOT_ALLOWED : ST_NO_MEMORY, NULL);
        return;
    }
    m->x = x;
    if (!read_query(m))
        return;
    x->own = m;
    x->on_drained = on_drained;
    x->on_gone = on_gone;
    m->partitions = log_partitions(x->front->options.log);
    m->bounds_due = m->partitions;
    exchange_hold(x);
    log_bounds(x->front->options.log, 0, on_bounds, m);
}
