#include "central/telemetry/telemetry.h"

#include <stdlib.h>

#include "central/central_internal.h"
#include "central/telemetry/history_chunk.h"
#include "central/telemetry/projection_store.h"
#include "central/telemetry/telemetry_body.h"

#define ARENA_MAX ((size_t)64 << 20)
#define CHUNKS_A_PAGE 32
#define MESSAGES_A_PAGE 1000               /* looked through for one page */
#define BYTES_A_PAGE ((size_t)1024 * 1024) /* the same */

/* --- last values -------------------------------------------------------------------------------
 */

struct last_query {
    struct central *c;
    struct device_model model;
    telemetry_last_fn *on_last;
    void *context;
};

static void answer_last(struct last_query *q, enum status status, slice packed, int64_t mismatches)
{
    struct fault why = {0};

    if (status != ST_OK)
        (void)fault_set(&why, status,
                        status == ST_DEVICE_NOT_FOUND ? "there is no such device"
                                                      : "the last values could not be read");
    q->on_last(q->context, status, &q->model, packed, mismatches, &why);
    device_model_deinit(&q->model);
    free(q);
}

static void on_last_row(void *context, enum status status, struct rows *rows)
{
    int64_t mismatches = 0;
    slice packed = {0};

    if (status == ST_OK && rows_next(rows)) {
        packed = rows_bytes(rows, 1);
        mismatches = rows_int(rows, 2);
    } else if (status == ST_OK) {
        status = rows_status(rows);
    }
    answer_last(context, status, packed, mismatches);
}

static void on_last_model(void *context, enum status status, const struct fault *why)
{
    struct last_query *q = context;

    (void)why;
    if (status == ST_OK)
        projection_read_device(q->c->st, q->model.id, q->model.generation_id, on_last_row, q);
    else
        answer_last(q, status, (slice){0}, 0);
}

void central_telemetry_last(struct central *c, slice device_id, telemetry_last_fn *on_last,
                            void *context)
{
    struct last_query *q = malloc(sizeof *q);
    struct fault why;

    if (!q) {
        fault_set(&why, ST_NO_MEMORY, "no memory for last values");
        on_last(context, ST_NO_MEMORY, NULL, (slice){0}, 0, &why);
        return;
    }
    *q = (struct last_query){.c = c, .on_last = on_last, .context = context};
    device_model_load(c, device_id, &q->model, on_last_model, q);
}

/* --- history -----------------------------------------------------------------------------------
 */

struct history_query {
    struct central *c;
    struct arena arena;  /* of the query */
    struct arena parsed; /* of one message */
    struct history_filter filter;
    history_item_fn *on_item;
    history_end_fn *on_end;
    void *context;
    unsigned given, messages, chunks;
    size_t bytes;
    bool full;
    struct history_item item; /* being given */
};

static void end_history(struct history_query *q, enum status status)
{
    bool more = status == ST_OK && (q->full || q->chunks == CHUNKS_A_PAGE);
    struct fault why = {0};

    if (status != ST_OK)
        (void)fault_set(&why, status,
                        status == ST_DEVICE_NOT_FOUND ? "there is no such device"
                                                      : "the history could not be read");
    q->on_end(q->context, status, more, q->filter.before, &why);
    arena_deinit(&q->parsed);
    arena_deinit(&q->arena);
    free(q);
}

static void give(struct history_query *q)
{
    q->given++;
    if (!q->on_item(q->context, &q->item))
        q->full = true;
}

static bool on_value(void *context, slice name, const struct json *value)
{
    struct history_query *q = context;

    if (slice_equal(name, q->filter.name)) {
        q->item.value = value->raw;
        give(q);
    }
    return true;
}

static bool is_component_wanted(const struct history_query *q, slice component)
{
    if (q->filter.name.len == 0 && q->filter.component.len == 0)
        return true;
    return slice_equal(component, q->filter.component);
}

static void give_message(struct history_query *q, const struct history_message *m)
{
    struct telemetry_heading heading = {.at = m->at};

    arena_reset(&q->parsed);
    if (m->at < q->filter.from || m->at > q->filter.to)
        return;
    if (telemetry_heading_read(m->bag, m->enqueued_at, &q->parsed, &heading) != ST_OK)
        heading = (struct telemetry_heading){.at = m->at};
    if (!is_component_wanted(q, heading.component))
        return;
    q->item = (struct history_item){.offset = m->offset,
                                    .at = m->at,
                                    .enqueued_at = m->enqueued_at,
                                    .component = heading.component,
                                    .bag = m->bag,
                                    .body = m->body};
    if (q->filter.name.len == 0)
        give(q);
    else if (!telemetry_body_read(m->body, &q->parsed, on_value, q))
        q->full = true; /* the next page goes on behind it */
}

static bool is_full(const struct history_query *q)
{
    return q->given >= q->filter.limit || q->messages >= MESSAGES_A_PAGE ||
           q->bytes >= BYTES_A_PAGE;
}

/* The newest first. */
static void give_chunk(struct history_query *q, slice chunk)
{
    struct history_message *messages =
        arena_alloc_array(&q->arena, HISTORY_CHUNK_MESSAGES, sizeof *messages);
    size_t count = messages ? history_chunk_read(chunk, messages) : 0;

    for (size_t i = count; i > 0 && !q->full; i--) {
        const struct history_message *m = &messages[i - 1];

        if (m->offset >= q->filter.before)
            continue;
        give_message(q, m);
        q->filter.before = m->offset;
        q->messages++;
        q->bytes += m->bag.len + m->body.len;
        q->full = q->full || is_full(q);
    }
    arena_reset(&q->arena);
}

static void on_chunks(void *context, enum status status, struct rows *rows)
{
    struct history_query *q = context;

    while (status == ST_OK && !q->full && rows_next(rows)) {
        q->chunks++;
        give_chunk(q, rows_bytes(rows, 1));
        if (!q->full)
            q->filter.before = (uint64_t)rows_int(rows, 0);
    }
    if (status == ST_OK && !q->full)
        status = rows_status(rows);
    end_history(q, status);
}

static void on_series(void *context, enum status status, struct rows *rows)
{
    struct history_query *q = context;
    int64_t series, newest;

    if (status != ST_OK || !rows_next(rows)) {
        end_history(q, status == ST_OK ? rows_status(rows) : status);
        return;
    }
    series = rows_int(rows, 0);
    newest = q->filter.before > INT64_MAX ? INT64_MAX : (int64_t)q->filter.before;
    projection_read_history(q->c->st, series, newest, q->filter.from, q->filter.to, CHUNKS_A_PAGE,
                            on_chunks, q);
}

static void on_history_device(void *context, enum status status, const struct device *d)
{
    struct history_query *q = context;

    if (status == ST_OK)
        projection_read_device(q->c->st, d->id, d->generation_id, on_series, q);
    else
        end_history(q, status);
}

void central_history_read(struct central *c, slice device_id, const struct history_filter *filter,
                          history_item_fn *on_item, history_end_fn *on_end, void *context)
{
    struct history_query *q = calloc(1, sizeof *q);
    struct fault why;

    if (!q) {
        fault_set(&why, ST_NO_MEMORY, "no memory for a history");
        on_end(context, ST_NO_MEMORY, false, 0, &why);
        return;
    }
    *q = (struct history_query){
        .c = c, .filter = *filter, .on_item = on_item, .on_end = on_end, .context = context};
    arena_init(&q->arena, ARENA_MAX);
    arena_init(&q->parsed, ARENA_MAX);
    device_find(c->id, device_id, on_history_device, q);
}
