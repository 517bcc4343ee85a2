#include "base/metrics.h"

#include <inttypes.h>
#include <stdatomic.h>

#define SHARDS 16
#define BUCKETS 24 /* upper bounds 1, 2, 4 ... 2^22, then +Inf */

enum metric_kind { COUNTER, GAUGE, HISTOGRAM };

static const struct {
    enum metric_kind kind;
    const char *name, *labels, *help;
} rows[] = {
#define METRIC_ROW(id, kind, name, labels, help) [id] = {kind, name, labels, help},
    METRICS(METRIC_ROW)
#undef METRIC_ROW
};

static const char *const kind_names[] = {"counter", "gauge", "histogram"};

/* One shard a thread, so that workers do not share cache lines. */
static struct shard {
    _Alignas(64) _Atomic int64_t values[METRIC_COUNT];
    _Atomic int64_t buckets[METRIC_COUNT][BUCKETS];
} shards[SHARDS];

static struct shard *my_shard(void)
{
    static _Atomic unsigned next;
    static _Thread_local struct shard *mine;

    if (!mine)
        mine = &shards[atomic_fetch_add(&next, 1) % SHARDS];
    return mine;
}

void metric_add(enum metric metric, int64_t amount)
{
    atomic_fetch_add_explicit(&my_shard()->values[metric], amount, memory_order_relaxed);
}

static size_t bucket_of(uint64_t value)
{
    size_t bucket = value <= 1 ? 0 : (size_t)(64 - __builtin_clzll(value - 1));

    return bucket < BUCKETS ? bucket : BUCKETS - 1;
}

void metric_observe(enum metric metric, uint64_t value)
{
    struct shard *shard = my_shard();

    atomic_fetch_add_explicit(&shard->values[metric], (int64_t)value, memory_order_relaxed);
    atomic_fetch_add_explicit(&shard->buckets[metric][bucket_of(value)], 1, memory_order_relaxed);
}

static int64_t sum_of(enum metric metric)
{
    int64_t sum = 0;

    for (size_t i = 0; i < SHARDS; i++)
        sum += atomic_load_explicit(&shards[i].values[metric], memory_order_relaxed);
    return sum;
}

static int64_t count_in(enum metric metric, size_t bucket)
{
    int64_t sum = 0;

    for (size_t i = 0; i < SHARDS; i++)
        sum += atomic_load_explicit(&shards[i].buckets[metric][bucket], memory_order_relaxed);
    return sum;
}

int64_t metric_value(enum metric metric)
{
    int64_t count = 0;

    if (rows[metric].kind != HISTOGRAM)
        return sum_of(metric);
    for (size_t b = 0; b < BUCKETS; b++)
        count += count_in(metric, b);
    return count;
}

static void print_histogram(enum metric metric, struct buf *to)
{
    int64_t count = 0;

    for (size_t b = 0; b + 1 < BUCKETS; b++) {
        count += count_in(metric, b);
        buf_printf(to, "%s_bucket{le=\"%" PRIu64 "\"} %" PRId64 "\n", rows[metric].name,
                   UINT64_C(1) << b, count);
    }
    count += count_in(metric, BUCKETS - 1);
    buf_printf(to, "%s_bucket{le=\"+Inf\"} %" PRId64 "\n", rows[metric].name, count);
    buf_printf(to, "%s_sum %" PRId64 "\n", rows[metric].name, sum_of(metric));
    buf_printf(to, "%s_count %" PRId64 "\n", rows[metric].name, count);
}

void metrics_print(struct buf *to)
{
    for (size_t m = 0; m < METRIC_COUNT; m++) {
        if (m == 0 || strcmp(rows[m].name, rows[m - 1].name) != 0)
            buf_printf(to, "# HELP %s %s\n# TYPE %s %s\n", rows[m].name, rows[m].help, rows[m].name,
                       kind_names[rows[m].kind]);
        if (rows[m].kind == HISTOGRAM)
            print_histogram((enum metric)m, to);
        else if (rows[m].labels[0])
            buf_printf(to, "%s{%s} %" PRId64 "\n", rows[m].name, rows[m].labels,
                       sum_of((enum metric)m));
        else
            buf_printf(to, "%s %" PRId64 "\n", rows[m].name, sum_of((enum metric)m));
    }
}
