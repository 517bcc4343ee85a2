#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <pthread.h>

#include "base/metrics.h"

static void *add_many(void *context)
{
    for (size_t i = 0; i < 10000; i++) {
        metric_add(METRIC_D2C_MESSAGES, 1);
        metric_observe(METRIC_COMMIT_US, i);
    }
    return context;
}

static void threads_add_without_losing_any(void **state)
{
    pthread_t threads[4];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, add_many, NULL), 0);
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(metric_value(METRIC_D2C_MESSAGES), 40000);
    assert_int_equal(metric_value(METRIC_COMMIT_US), 40000);
}

static void gauges_go_down_too(void **state)
{
    (void)state;
    metric_add(METRIC_SESSIONS, 5);
    metric_add(METRIC_SESSIONS, -7);
    assert_int_equal(metric_value(METRIC_SESSIONS), -2);
}

static void assert_printed(const struct buf *text, const char *line)
{
    size_t at;

    if (!slice_search(buf_slice(text), slice_str(line), &at))
        fail_msg("not printed: %s", line);
}

static void metrics_are_printed_for_prometheus(void **state)
{
    static const uint64_t values[] = {0, 1, 2, 3, 4, 1 << 22, (1 << 22) + 1, UINT32_MAX};
    BUF_CLEANUP struct buf text = {.max = 1 << 20};
    size_t at;

    (void)state;
    metric_add(METRIC_CONNECTIONS_MQTT, 3);
    for (size_t i = 0; i < COUNT_OF(values); i++)
        metric_observe(METRIC_BATCH_MESSAGES, values[i]);
    metrics_print(&text);
    assert_false(text.failed);
    assert_printed(&text, "# TYPE muster_connections gauge\n"
                          "muster_connections{protocol=\"mqtt\"} 3\n"
                          "muster_connections{protocol=\"https\"} 0\n");
    assert_printed(&text, "# TYPE muster_log_batch_messages histogram\n"
                          "muster_log_batch_messages_bucket{le=\"1\"} 2\n"
                          "muster_log_batch_messages_bucket{le=\"2\"} 3\n"
                          "muster_log_batch_messages_bucket{le=\"4\"} 5\n"
                          "muster_log_batch_messages_bucket{le=\"8\"} 5\n");
    assert_printed(&text, "muster_log_batch_messages_bucket{le=\"4194304\"} 6\n"
                          "muster_log_batch_messages_bucket{le=\"+Inf\"} 8\n"
                          "muster_log_batch_messages_sum 4303355914\n"
                          "muster_log_batch_messages_count 8\n");
    /* each name has one HELP */
    assert_true(slice_search(buf_slice(&text), SLICE("# HELP muster_connects_total"), &at));
    assert_false(slice_search(slice_from(buf_slice(&text), at + 1),
                              SLICE("# HELP muster_connects_total"), &at));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_add_without_losing_any),
        cmocka_unit_test(gauges_go_down_too),
        cmocka_unit_test(metrics_are_printed_for_prometheus),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
