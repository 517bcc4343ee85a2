#include "central/telemetry/history_buckets.h"

#include <math.h>
#include <stdlib.h>

#include "central/central_internal.h"
#include "central/telemetry/history_chunk.h"
#include "central/telemetry/projection_store.h"
#include "central/telemetry/telemetry_body.h"

#define ARENA_MAX ((size_t)64 << 20)
#define CHUNKS_A_READ 32

/* device -> its series -> on the pool: chunk after chunk, the newest first */
struct chart_job {
    struct pool_job job; /* first */
    struct central *c;
    struct arena arena;  /* of the question */
    struct arena parsed; /* of one chunk */
    struct history_chart chart;
    struct history_bucket *buckets;
    int64_t series, sequence; /* those before are still to be looked at */
    bool is_more;
    instant at; /* of the message that is being looked at */
    enum status status;
    history_buckets_fn *on_buckets;
    void *context;
};

instant history_bucket_begin(const struct history_chart *chart, unsigned index)
{
    int64_t span = chart->to - chart->from, count = chart->count;

    return chart->from + span / count * index + span % count * index / count;
}

static void finish(struct chart_job *j, enum status status)
{
    struct fault why = {0};

    if (status != ST_OK)
        (void)fault_set(&why, status,
                        status == ST_DEVICE_NOT_FOUND ? "there is no such device"
                                                      : "the history could not be read");
    j->on_buckets(j->context, status, status == ST_OK ? j->buckets : NULL, &why);
    arena_deinit(&j->parsed);
    arena_deinit(&j->arena);
    free(j);
}

/* --- on the pool -------------------------------------------------------------------------------
 */

static void note(slice text, char to[HISTORY_NUMBER_MAX], uint8_t *to_len)
{
    memcpy(to, text.ptr, text.len);
    *to_len = (uint8_t)text.len;
}

static void count_number(struct history_bucket *b, double number, slice text)
{
    if (b->count == 0 || number < b->least) {
        b->least = number;
        note(text, b->least_text, &b->least_len);
    }
    if (b->count == 0 || number > b->most) {
        b->most = number;
        note(text, b->most_text, &b->most_len);
    }
    b->sum += number;
    b->count++;
}

/* The last that begins at or before `at`. */
static struct history_bucket *bucket_of(const struct chart_job *j, instant at)
{
    unsigned low = 0, high = j->chart.count;

    while (high - low > 1) {
        unsigned middle = low + (high - low) / 2;

        if (history_bucket_begin(&j->chart, middle) <= at)
            low = middle;
        else
            high = middle;
    }
    return &j->buckets[low];
}

static bool on_value(void *context, slice name, const struct json *value)
{
    struct chart_job *j = context;
    char text[HISTORY_NUMBER_MAX + 1];
    double number;

    if (!slice_equal(name, j->chart.name) || value->kind != JSON_NUMBER ||
        value->text.len > HISTORY_NUMBER_MAX)
        return true;
    memcpy(text, value->text.ptr, value->text.len);
    text[value->text.len] = '\0';
    number = strtod(text, NULL);
    if (isfinite(number))
        count_number(bucket_of(j, j->at), number, value->text);
    return true;
}

static void look_at(struct chart_job *j, const struct history_message *m)
{
    struct telemetry_heading heading;

    if (m->at < j->chart.from || m->at >= j->chart.to)
        return;
    arena_reset(&j->parsed);
    if (telemetry_heading_read(m->bag, m->enqueued_at, &j->parsed, &heading) != ST_OK ||
        !slice_equal(heading.component, j->chart.component))
        return;
    j->at = m->at;
    if (!telemetry_body_read(m->body, &j->parsed, on_value, j))
        j->status = ST_NO_MEMORY;
}

static void on_chunks(void *context, enum status status, struct rows *rows)
{
    static const size_t size = HISTORY_CHUNK_MESSAGES * sizeof(struct history_message);
    struct history_message *messages = malloc(size);
    struct chart_job *j = context;

    j->status = status == ST_OK && !messages ? ST_NO_MEMORY : status;
    j->is_more = false;
    while (j->status == ST_OK && rows_next(rows)) {
        size_t count = history_chunk_read(rows_bytes(rows, 1), messages);

        j->sequence = rows_int(rows, 0) - 1;
        j->is_more = true;
        for (size_t i = 0; i < count && j->status == ST_OK; i++)
            look_at(j, &messages[i]);
    }
    if (j->status == ST_OK)
        j->status = rows_status(rows);
    free(messages);
}

static void on_work(struct pool_job *job)
{
    struct chart_job *j = (struct chart_job *)job;

    do {
        enum status status =
            projection_read_history_now(j->c->st, j->series, j->sequence, j->chart.from,
                                        j->chart.to, CHUNKS_A_READ, on_chunks, j);

        if (j->status == ST_OK)
            j->status = status;
    } while (j->status == ST_OK && j->is_more);
}

static void on_worked(struct pool_job *job)
{
    struct chart_job *j = (struct chart_job *)job;

    finish(j, j->status);
}

/* --- what is looked at --------------------------------------------------------------------------
 */

static void on_series(void *context, enum status status, struct rows *rows)
{
    struct chart_job *j = context;

    if (status != ST_OK || !rows_next(rows)) { /* it never sent any */
        finish(j, status == ST_OK ? rows_status(rows) : status);
        return;
    }
    j->series = rows_int(rows, 0);
    j->sequence = INT64_MAX;
    j->job.work = on_work;
    j->job.done = on_worked;
    if (!pool_submit(j->c->ws, &j->job))
        finish(j, ST_UNAVAILABLE);
}

static void on_device(void *context, enum status status, const struct device *d)
{
    struct chart_job *j = context;

    if (status == ST_OK)
        projection_read_device(j->c->st, d->id, d->generation_id, on_series, j);
    else
        finish(j, status);
}

void central_history_buckets(struct central *c, const struct history_chart *chart,
                             history_buckets_fn *on_buckets, void *context)
{
    struct chart_job *j = calloc(1, sizeof *j);
    const struct fault why = {ST_NO_MEMORY, "no memory for a chart"};

    if (!j) {
        on_buckets(context, ST_NO_MEMORY, NULL, &why);
        return;
    }
    *j = (struct chart_job){.c = c, .chart = *chart, .on_buckets = on_buckets, .context = context};
    arena_init(&j->arena, ARENA_MAX);
    arena_init(&j->parsed, ARENA_MAX);
    j->chart.component = arena_copy(&j->arena, chart->component);
    j->chart.name = arena_copy(&j->arena, chart->name);
    j->buckets = arena_alloc_array(&j->arena, chart->count, sizeof *j->buckets);
    if (j->arena.failed)
        finish(j, ST_NO_MEMORY);
    else
        device_find(c->id, chart->device_id, on_device, j);
}
