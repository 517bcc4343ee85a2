/* What a device has sent, for screens: the last value of each telemetry, and the points or the
 * chart of one over a range of time. */
#include <inttypes.h>
#include <stdio.h>

#include "base/text.h"
#include "central/telemetry/history_buckets.h"
#include "central/telemetry/telemetry.h"
#include "front/http/application.h"

#define VALUE_ARENA_MAX ((size_t)1 << 20)
#define BUCKETS_DEFAULT 50
#define RANGE_DEFAULT_MS (INT64_C(3600) * 1000)

static struct central *central_of(const struct exchange *x)
{
    return x->front->options.central;
}

/* --- last values ------------------------------------------------------------------------------ */

static void put_model(struct json_writer *w, const struct device_model *m,
                      const struct last_value *v)
{
    const struct dtdl_content *content = device_model_find(m, v->component, v->name);

    if (!content)
        return;
    app_put_text_or_null(w, SLICE("displayName"), content->typed.element.display_name.text);
    app_put_text_or_null(w, SLICE("unit"), content->typed.unit);
}

static void write_value(struct json_writer *w, const struct device_model *m,
                        const struct last_value *v)
{
    ARENA_CLEANUP struct arena arena = {.max = VALUE_ARENA_MAX};
    enum telemetry_fit fit;
    struct json *value = NULL;
    struct fault why;

    if (json_parse(v->value, JSON_LAST_WINS, &arena, &value, &why) != ST_OK)
        value = NULL;
    fit = telemetry_fit(m, v->component, v->name, value);
    json_open(w, (slice){0}, '{');
    app_put_text_or_null(w, SLICE("component"), v->component);
    json_put_text(w, SLICE("name"), v->name);
    json_put_raw(w, SLICE("value"), v->value);
    app_put_time(w, SLICE("at"), v->at);
    json_put_text(w, SLICE("state"), slice_str(telemetry_fit_name(fit)));
    put_model(w, m, v);
    json_close(w, '}');
}

static void on_last(void *context, enum status status, const struct device_model *m, slice packed,
                    int64_t mismatches, const struct fault *why)
{
    struct reader r = {.rest = packed};
    struct last_value value;
    struct app_answer a;

    if (!app_answer_begin(&a, context, status, why))
        return;
    json_open(&a.w, (slice){0}, '{');
    json_open(&a.w, SLICE("value"), '[');
    while (last_values_next(&r, &value))
        write_value(&a.w, m, &value);
    json_close(&a.w, ']');
    json_put_int(&a.w, SLICE("mismatches"), mismatches);
    json_close(&a.w, '}');
    app_answer_end(&a);
}

void app_telemetry_list(struct exchange *x)
{
    exchange_hold(x);
    central_telemetry_last(central_of(x), x->bound[0], on_last, x);
}

/* --- points ----------------------------------------------------------------------------------- */

bool app_read_time(struct exchange *x, slice name, instant *to)
{
    slice text;

    return !exchange_query(x, name, &text) || clock_parse_iso(text, to) ||
           app_wrong(x, "from and to are ISO 8601 times");
}

bool app_read_history(struct exchange *x, struct history_filter *to)
{
    uint64_t limit = APP_PAGE_DEFAULT;
    slice text;

    *to = (struct history_filter){.to = INT64_MAX, .before = UINT64_MAX};
    if (!app_read_time(x, SLICE("from"), &to->from) || !app_read_time(x, SLICE("to"), &to->to))
        return false;
    if (exchange_query(x, SLICE("before"), &text) && !slice_to_u64(text, &to->before))
        return app_wrong(x, "before is none of ours");
    if (exchange_query(x, SLICE("top"), &text) &&
        (!slice_to_u64(text, &limit) || limit < 1 || limit > APP_PAGE_MAX))
        return app_wrong(x, "top must be a whole number from 1 to 1000");
    if (!exchange_query(x, SLICE("component"), &to->component))
        to->component = (slice){0};
    to->limit = (unsigned)limit;
    return utf8_valid(to->component) || app_wrong(x, "component is no UTF-8");
}

static void put_next(struct json_writer *w, bool more, uint64_t before)
{
    char text[24];
    int len = snprintf(text, sizeof text, "%" PRIu64, before);

    if (more)
        json_put_text(w, SLICE("next"), slice_of(text, (size_t)len));
    else
        json_put_null(w, SLICE("next"));
}

void app_history_begin(struct app_history *page, struct exchange *x)
{
    page->x = x;
    buf_init(&page->text, ANSWER_MAX);
    page->w = (struct json_writer){.to = &page->text};
    json_open(&page->w, (slice){0}, '{');
    json_open(&page->w, SLICE("value"), '[');
    exchange_hold(x);
}

bool app_history_has_room(const struct app_history *page)
{
    return page->text.len < APP_PAGE_BYTES;
}

void app_history_end(struct app_history *page, enum status status, bool more, uint64_t before,
                     const struct fault *why)
{
    struct exchange *x = page->x;

    json_close(&page->w, ']');
    put_next(&page->w, more, before);
    json_close(&page->w, '}');
    if (status == ST_OK)
        app_answer_object(x, &page->text);
    else
        exchange_answer_error(x, status, why);
    buf_deinit(&page->text);
    exchange_release(x);
}

static bool on_point(void *context, const struct history_item *item)
{
    struct app_history *page = context;

    json_open(&page->w, (slice){0}, '{');
    app_put_time(&page->w, SLICE("at"), item->at);
    json_put_raw(&page->w, SLICE("value"), item->value);
    json_close(&page->w, '}');
    return app_history_has_room(page);
}

static void on_points(void *context, enum status status, bool more, uint64_t before,
                      const struct fault *why)
{
    app_history_end(context, status, more, before, why);
}

void app_telemetry_points(struct exchange *x)
{
    struct app_history *page = arena_alloc(&x->arena, sizeof *page);
    struct history_filter filter;

    if (!page) {
        exchange_answer_error(x, ST_NO_MEMORY, NULL);
        return;
    }
    if (!app_read_history(x, &filter))
        return;
    filter.name = x->bound[1];
    app_history_begin(page, x);
    central_history_read(central_of(x), x->bound[0], &filter, on_point, on_points, page);
}

/* --- charts ----------------------------------------------------------------------------------- */

struct chart_query {
    struct exchange *x;
    struct history_chart chart;
};

static void put_number(struct json_writer *w, slice name, const struct history_bucket *b,
                       const char *text, size_t len)
{
    if (b->count > 0)
        json_put_raw(w, name, slice_of(text, len));
    else
        json_put_null(w, name);
}

static void write_bucket(struct json_writer *w, const struct history_chart *chart, unsigned index,
                         const struct history_bucket *b)
{
    char average[32];
    int len = snprintf(average, sizeof average, "%.17g", b->count ? b->sum / (double)b->count : 0);

    json_open(w, (slice){0}, '{');
    app_put_time(w, SLICE("from"), history_bucket_begin(chart, index));
    app_put_time(w, SLICE("to"), history_bucket_begin(chart, index + 1));
    json_put_int(w, SLICE("count"), (int64_t)b->count);
    put_number(w, SLICE("min"), b, b->least_text, b->least_len);
    put_number(w, SLICE("max"), b, b->most_text, b->most_len);
    put_number(w, SLICE("average"), b, average, (size_t)len);
    json_close(w, '}');
}

static void on_buckets(void *context, enum status status, const struct history_bucket *buckets,
                       const struct fault *why)
{
    const struct chart_query *q = context;
    struct app_answer a;

    if (!app_answer_begin(&a, q->x, status, why))
        return;
    json_open(&a.w, (slice){0}, '{');
    json_open(&a.w, SLICE("value"), '[');
    for (unsigned i = 0; i < q->chart.count; i++)
        write_bucket(&a.w, &q->chart, i, &buckets[i]);
    json_close(&a.w, ']');
    json_close(&a.w, '}');
    app_answer_end(&a);
}

static bool read_chart(struct exchange *x, struct history_chart *to)
{
    uint64_t count = BUCKETS_DEFAULT;
    slice text;

    to->to = clock_wall_ms();
    if (!app_read_time(x, SLICE("to"), &to->to))
        return false;
    to->from = to->to - RANGE_DEFAULT_MS;
    if (!app_read_time(x, SLICE("from"), &to->from))
        return false;
    if (exchange_query(x, SLICE("count"), &text) &&
        (!slice_to_u64(text, &count) || count < 1 || count > HISTORY_BUCKETS_MAX))
        return app_wrong(x, "count must be a whole number from 1 to 1000");
    if (!exchange_query(x, SLICE("component"), &to->component))
        to->component = (slice){0};
    to->count = (unsigned)count;
    return to->to - to->from >= (int64_t)count || app_wrong(x, "to must be later than from");
}

void app_telemetry_buckets(struct exchange *x)
{
    struct chart_query *q = arena_alloc(&x->arena, sizeof *q);

    if (!q) {
        exchange_answer_error(x, ST_NO_MEMORY, NULL);
        return;
    }
    *q = (struct chart_query){.x = x, .chart = {.device_id = x->bound[0], .name = x->bound[1]}};
    if (!read_chart(x, &q->chart))
        return;
    exchange_hold(x);
    central_history_buckets(central_of(x), &q->chart, on_buckets, q);
}
