/* Deletes the oldest batches that are past their time or over the allowance, a few at a time, so
 * that no commit becomes long. Worker 0 looks at the partitions in turn. */
#include "base/log.h"
#include "stream/log_internal.h"

#define LOOK_EVERY_MS 1000
#define BATCHES_AT_ONCE 16

static const struct sql oldest_sql = {
    "SELECT b.base_offset + b.record_count, b.last_at, b.bytes, p.oldest_offset, p.bytes"
    " FROM log_batch b JOIN log_partition p ON p.partition = b.partition"
    " WHERE b.partition = ?1 ORDER BY b.base_offset LIMIT ?2"};
/* The guard: nobody else has deleted meanwhile. */
static const struct sql shrink_sql = {
    "UPDATE log_partition SET oldest_offset = ?3, bytes = bytes - ?4"
    " WHERE partition = ?1 AND oldest_offset = ?2"};
static const struct sql delete_sql = {
    "DELETE FROM log_batch WHERE partition = ?1 AND base_offset < ?2"};

/* What is to go: all before `end`. */
struct excess {
    int64_t oldest, end;
    int64_t bytes;
    unsigned batches;
};

static void on_timer(struct timer *timer)
{
    log_retention_look((struct log_retention *)timer);
}

static void look_again(struct log_retention *r, int64_t delay_ms)
{
    timer_arm(r->log->workers[0].worker, &r->timer, delay_ms, on_timer);
}

static void go_on(struct log_retention *r)
{
    r->partition = (r->partition + 1) % r->log->options.partitions;
    look_again(r, LOOK_EVERY_MS);
}

static void on_deleted(void *context, enum status status, struct unit *unit)
{
    struct log_retention *r = context;

    if (status == ST_OK && unit_changes(unit, 1) >= BATCHES_AT_ONCE) {
        look_again(r, 0); /* there may be more */
        return;
    }
    if (status != ST_OK)
        LOG_LIMITED(LOG_LEVEL_WARN, "log_retention_failed", LOG_STR("status", status_name(status)));
    go_on(r);
}

static void find_excess(const struct log_options *options, struct rows *rows, struct excess *ret)
{
    instant keep_from = clock_wall_ms() - options->retention_ms;
    int64_t keep_bytes = options->retention_bytes / options->partitions;

    *ret = (struct excess){0};
    while (rows_next(rows)) {
        bool is_old = rows_int(rows, 1) < keep_from;
        bool is_over = keep_bytes > 0 && rows_int(rows, 4) - ret->bytes > keep_bytes;

        if (!is_old && !is_over)
            return;
        ret->end = rows_int(rows, 0);
        ret->oldest = rows_int(rows, 3);
        ret->bytes += rows_int(rows, 2);
        ret->batches++;
    }
}

/* Urgent, because it is what makes room again when the disk is nearly full. */
static void delete_batches(struct log_retention *r, const struct excess *e)
{
    struct unit *unit = unit_create(r->log->store);

    if (!unit) {
        look_again(r, LOOK_EVERY_MS);
        return;
    }
    unit_set_urgency(unit, UNIT_URGENT);
    unit_add(unit, &shrink_sql,
             (const struct sql_value[]){SQL_INT_(r->partition), SQL_INT_(e->oldest),
                                        SQL_INT_(e->end), SQL_INT_(e->bytes)},
             4, EXPECT_ONE);
    unit_add(unit, &delete_sql,
             (const struct sql_value[]){SQL_INT_(r->partition), SQL_INT_(e->end)}, 2, EXPECT_ANY);
    unit_submit(unit, on_deleted, r);
}

static void on_oldest(void *context, enum status status, struct rows *rows)
{
    struct log_retention *r = context;
    struct excess excess = {0};

    if (status == ST_OK)
        find_excess(&r->log->options, rows, &excess);
    if (excess.batches > 0)
        delete_batches(r, &excess);
    else
        go_on(r);
}

void log_retention_look(struct log_retention *r)
{
    store_read(r->log->store, &oldest_sql,
               (const struct sql_value[]){SQL_INT_(r->partition), SQL_INT_(BATCHES_AT_ONCE)}, 2,
               on_oldest, r);
}

void log_retention_start(struct log_retention *r, struct stream_log *log, struct worker *w)
{
    r->log = log;
    timer_arm(w, &r->timer, LOOK_EVERY_MS, on_timer);
}
