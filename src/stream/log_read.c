#include <stdlib.h>

#include "base/log.h"
#include "stream/crc32c.h"
#include "stream/log_internal.h"

/* From the batch that holds the offset, or the next there is, on. */
static const struct sql read_sql = {
    "SELECT base_offset, record_count, crc, body FROM log_batch"
    " WHERE partition = ?1 AND base_offset >= COALESCE("
    "  (SELECT base_offset FROM log_batch WHERE partition = ?1 AND base_offset <= ?2"
    "   ORDER BY base_offset DESC LIMIT 1), 0)"
    " ORDER BY base_offset LIMIT ?3"};
static const struct sql bounds_sql = {
    "SELECT oldest_offset, next_offset FROM log_partition WHERE partition = ?1"};

/* --- reading --------------------------------------------------------------------------------- */

struct reading {
    unsigned partition;
    uint64_t offset; /* of the record to give next */
    size_t left;
    log_record_fn *on_record;
    log_end_fn *on_end;
    void *context;
    bool stopped; /* by on_record */
};

static enum status open_batch(const struct reading *r, struct rows *rows, struct log_batch *ret)
{
    slice body = rows_bytes(rows, 3);
    struct fault why = {0};
    enum status status = ST_OK;

    if (crc32c(body) != (uint32_t)rows_int(rows, 2))
        status = fault_set(&why, ST_INTERNAL, "the checksum does not hold");
    else
        status = log_batch_open(body, ret, &why);
    if (status == ST_OK && ret->count != rows_int(rows, 1))
        status = fault_set(&why, ST_INTERNAL, "another number of records than the row says");
    if (status == ST_OK)
        return ST_OK;
    LOG_LIMITED(LOG_LEVEL_ERROR, "log_batch_damaged", LOG_INT("partition", r->partition),
                LOG_INT("base_offset", rows_int(rows, 0)), LOG_FAULT(&why));
    return ST_INTERNAL;
}

static void give_records(struct reading *r, struct log_batch *batch, uint64_t base_offset)
{
    struct log_record record = {.partition = r->partition, .offset = base_offset};

    for (; batch->count > 0 && r->left > 0 && !r->stopped; record.offset++) {
        record.bytes = log_batch_next(batch, &record.enqueued_at);
        if (record.offset < r->offset)
            continue;
        r->offset = record.offset + 1;
        r->left--;
        r->stopped = !r->on_record(r->context, &record);
    }
}

static enum status give_batches(struct reading *r, struct rows *rows)
{
    while (r->left > 0 && !r->stopped) {
        struct log_batch batch = {0};
        enum status status;

        if (!rows_next(rows))
            return rows_status(rows);
        /* The batch before a gap ends before the offset: no need to look into it. */
        if ((uint64_t)rows_int(rows, 0) + (uint64_t)rows_int(rows, 1) <= r->offset)
            continue;
        status = open_batch(r, rows, &batch);
        if (status != ST_OK)
            return status;
        give_records(r, &batch, (uint64_t)rows_int(rows, 0));
    }
    return ST_OK;
}

static void on_batches(void *context, enum status status, struct rows *rows)
{
    struct reading *r = context;

    if (status == ST_OK)
        status = give_batches(r, rows);
    r->on_end(r->context, status, r->offset);
    free(r);
}

/* NULL after `on_end` was called: there is nothing to read for. */
static struct reading *begin(unsigned partition, uint64_t offset, size_t max,
                             log_record_fn *on_record, log_end_fn *on_end, void *context)
{
    struct reading *r = calloc(1, sizeof *r);

    if (!r || offset > INT64_MAX) {
        free(r);
        on_end(context, r ? ST_BAD_REQUEST : ST_NO_MEMORY, offset);
        return NULL;
    }
    *r = (struct reading){partition, offset, max, on_record, on_end, context, false};
    return r;
}

/* One batch more than there are records: it may end before the offset. */
#define READ_PARAMS(r)                                                                             \
    (const struct sql_value[])                                                                     \
    {                                                                                              \
        SQL_INT_((r)->partition), SQL_INT_((r)->offset),                                           \
            SQL_INT_((r)->left < INT64_MAX ? (int64_t)(r)->left + 1 : INT64_MAX)                   \
    }

void log_read(struct stream_log *log, unsigned partition, uint64_t offset, size_t max,
              log_record_fn *on_record, log_end_fn *on_end, void *context)
{
    struct reading *r = begin(partition, offset, max, on_record, on_end, context);

    if (r)
        store_read(log->store, &read_sql, READ_PARAMS(r), 3, on_batches, r);
}

void log_read_now(struct stream_log *log, unsigned partition, uint64_t offset, size_t max,
                  log_record_fn *on_record, log_end_fn *on_end, void *context)
{
    struct reading *r = begin(partition, offset, max, on_record, on_end, context);

    if (r) /* its status is the callback's, too */
        (void)store_read_now(log->store, &read_sql, READ_PARAMS(r), 3, on_batches, r);
}

/* --- bounds ---------------------------------------------------------------------------------- */

struct bounds {
    log_bounds_fn *on_bounds;
    void *context;
};

static void on_bounds_row(void *context, enum status status, struct rows *rows)
{
    struct bounds *b = context;
    uint64_t oldest = 0, next = 0;

    if (status == ST_OK && rows_next(rows)) {
        oldest = (uint64_t)rows_int(rows, 0);
        next = (uint64_t)rows_int(rows, 1);
    } else if (status == ST_OK) {
        status = ST_INTERNAL; /* every partition has its row from log_create on */
    }
    b->on_bounds(b->context, status, oldest, next);
    free(b);
}

void log_bounds(struct stream_log *log, unsigned partition, log_bounds_fn *on_bounds, void *context)
{
    struct bounds *b = malloc(sizeof *b);

    if (!b) {
        on_bounds(context, ST_NO_MEMORY, 0, 0);
        return;
    }
    *b = (struct bounds){on_bounds, context};
    store_read(log->store, &bounds_sql, (const struct sql_value[]){SQL_INT_(partition)}, 1,
               on_bounds_row, b);
}
