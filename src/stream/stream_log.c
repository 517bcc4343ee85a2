#include "stream/stream_log.h"

#include <assert.h>
#include <stdlib.h>

#include "stream/log_internal.h"

static const char *const log_steps[] = {
    "CREATE TABLE log_partition ("
    " partition INTEGER NOT NULL PRIMARY KEY,"
    " oldest_offset BIGINT NOT NULL,"
    " next_offset BIGINT NOT NULL,"
    " bytes BIGINT NOT NULL);"
    "CREATE TABLE log_batch ("
    " partition INTEGER NOT NULL,"
    " base_offset BIGINT NOT NULL,"
    " record_count INTEGER NOT NULL,"
    " first_at BIGINT NOT NULL,"
    " last_at BIGINT NOT NULL,"
    " bytes BIGINT NOT NULL,"
    " crc BIGINT NOT NULL,"
    " body BLOB NOT NULL,"
    " PRIMARY KEY (partition, base_offset));",
};
const struct store_schema log_schema = {"log", log_steps, COUNT_OF(log_steps)};

static const struct sql count_sql = {
    "SELECT COUNT(*), COALESCE(SUM(next_offset), 0) FROM log_partition"};
static const struct sql forget_sql = {"DELETE FROM log_partition"};
static const struct sql create_sql = {
    "INSERT INTO log_partition (partition, oldest_offset, next_offset, bytes)"
    " VALUES (?1, 0, 0, 0)"};
/* --- life ------------------------------------------------------------------------------------ */

static bool worker_init(struct log_worker *w, struct stream_log *log, struct worker *worker)
{
    w->worker = worker;
    w->lanes = calloc(log->options.partitions, sizeof *w->lanes);
    if (!w->lanes)
        return false;
    for (unsigned i = 0; i < log->options.partitions; i++)
        log_lane_init(&w->lanes[i], log, w, i);
    return true;
}

static void worker_deinit(struct log_worker *w, unsigned partitions)
{
    for (unsigned i = 0; w->lanes && i < 2 * partitions; i++) {
        struct log_gathering *g = &w->lanes[i / 2].two[i % 2];

        buf_deinit(&g->body);
        free(g->entries);
    }
    free(w->lanes);
}

void log_destroy(struct stream_log *log)
{
    if (!log)
        return;
    timer_cancel(&log->retention.timer);
    for (unsigned i = 0; i < log->worker_count; i++)
        worker_deinit(&log->workers[i], log->options.partitions);
    free(log);
}

static struct stream_log *create(struct workers *ws, const struct log_options *options)
{
    unsigned count = workers_count(ws);
    struct stream_log *log = calloc(1, sizeof *log + count * sizeof log->workers[0]);

    if (!log)
        return NULL;
    log->options = *options;
    for (; log->worker_count < count; log->worker_count++) {
        unsigned i = log->worker_count;

        if (!worker_init(&log->workers[i], log, workers_at(ws, i))) {
            log_destroy(log);
            return NULL;
        }
    }
    return log;
}

struct partition_count {
    int64_t partitions, records;
};

static void on_count(void *context, enum status status, struct rows *rows)
{
    struct partition_count *ret = context;

    if (status == ST_OK && rows_next(rows))
        *ret = (struct partition_count){rows_int(rows, 0), rows_int(rows, 1)};
}

static enum status make_partitions(struct store *st, unsigned count)
{
    struct unit *unit = unit_create(st);
    enum status status;

    if (!unit)
        return ST_UNAVAILABLE;
    unit_add(unit, &forget_sql, NULL, 0, EXPECT_ANY);
    for (unsigned i = 0; i < count; i++) {
        const struct sql_value params[] = {SQL_INT_(i)};

        unit_add(unit, &create_sql, params, COUNT_OF(params), EXPECT_ONE);
    }
    status = unit_run(unit);
    unit_destroy(unit);
    return status;
}

/* Makes the rows of the partitions, unless the log has records in another number of them. */
static enum status prepare_partitions(struct store *st, unsigned count, struct fault *why)
{
    struct partition_count found = {0};
    enum status status = store_read_now(st, &count_sql, NULL, 0, on_count, &found);

    if (status == ST_OK && found.partitions == count)
        return ST_OK;
    if (status == ST_OK && found.records > 0)
        return fault_set(why, ST_CONFLICT,
                         "the log has records in %d partitions and cannot be given %u",
                         (int)found.partitions, count);
    if (status == ST_OK)
        status = make_partitions(st, count);
    if (status != ST_OK)
        fault_set(why, status, "cannot prepare the log's partitions: %s", status_name(status));
    return status;
}

struct stream_log *log_create(struct workers *ws, struct store *st, struct bus *bus,
                              const struct log_options *options, struct fault *why)
{
    struct stream_log *log;

    assert(options->partitions >= 1 && options->partitions <= 32);
    if (prepare_partitions(st, options->partitions, why) != ST_OK)
        return NULL;
    log = create(ws, options);
    if (!log) {
        fault_set(why, ST_NO_MEMORY, "no memory for the log");
        return NULL;
    }
    log->store = st;
    log->bus = bus;
    log_retention_start(&log->retention, log, workers_at(ws, 0));
    return log;
}

unsigned log_partitions(const struct stream_log *log)
{
    return log->options.partitions;
}

unsigned log_partition_of(const struct stream_log *log, slice device_id)
{
    return (unsigned)(slice_hash(device_id) % log->options.partitions);
}
