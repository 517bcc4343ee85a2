/* Counters that hot paths may touch: one relaxed add on a shard of the calling thread.
 *
 * Every metric is a row of the table below; the table that names them is the one that prints
 * them in the Prometheus text format. A histogram's row names its unit in the metric name. */
#ifndef MUSTER_BASE_METRICS_H
#define MUSTER_BASE_METRICS_H

#include "base/buf.h"

/* id, kind, metric name, label set ("" for none), help */
#define METRICS(X)                                                                                 \
    X(METRIC_CONNECTIONS_MQTT, GAUGE, "muster_connections", "protocol=\"mqtt\"",                   \
      "Open connections")                                                                          \
    X(METRIC_CONNECTIONS_HTTPS, GAUGE, "muster_connections", "protocol=\"https\"",                 \
      "Open connections")                                                                          \
    X(METRIC_SESSIONS, GAUGE, "muster_device_sessions", "", "Live device and module sessions")     \
    X(METRIC_HANDSHAKES_FAILED, COUNTER, "muster_tls_handshakes_failed_total", "",                 \
      "TLS handshakes that did not complete")                                                      \
    X(METRIC_ACCEPTS_REFUSED, COUNTER, "muster_accepts_refused_total", "",                         \
      "Sockets closed at once because a limit was reached")                                        \
    X(METRIC_CONNECTS_OK, COUNTER, "muster_connects_total", "result=\"ok\"",                       \
      "Device connects by result")                                                                 \
    X(METRIC_CONNECTS_UNAUTHORIZED, COUNTER, "muster_connects_total", "result=\"unauthorized\"",   \
      "Device connects by result")                                                                 \
    X(METRIC_CONNECTS_EXPIRED, COUNTER, "muster_connects_total", "result=\"expired\"",             \
      "Device connects by result")                                                                 \
    X(METRIC_CONNECTS_DISABLED, COUNTER, "muster_connects_total", "result=\"disabled\"",           \
      "Device connects by result")                                                                 \
    X(METRIC_CONNECTS_UNAVAILABLE, COUNTER, "muster_connects_total", "result=\"unavailable\"",     \
      "Device connects by result")                                                                 \
    X(METRIC_CONNECTS_MALFORMED, COUNTER, "muster_connects_total", "result=\"malformed\"",         \
      "Device connects by result")                                                                 \
    X(METRIC_SESSIONS_TAKEN_OVER, COUNTER, "muster_sessions_closed_total", "cause=\"taken_over\"", \
      "Sessions that the server ended")                                                            \
    X(METRIC_SESSIONS_REVOKED, COUNTER, "muster_sessions_closed_total", "cause=\"revoked\"",       \
      "Sessions that the server ended")                                                            \
    X(METRIC_SESSIONS_EXPIRED, COUNTER, "muster_sessions_closed_total", "cause=\"expired\"",       \
      "Sessions that the server ended")                                                            \
    X(METRIC_SESSIONS_PROTOCOL, COUNTER, "muster_sessions_closed_total", "cause=\"protocol\"",     \
      "Sessions that the server ended")                                                            \
    X(METRIC_SESSIONS_KEEPALIVE, COUNTER, "muster_sessions_closed_total", "cause=\"keepalive\"",   \
      "Sessions that the server ended")                                                            \
    X(METRIC_D2C_MESSAGES, COUNTER, "muster_d2c_messages_total", "",                               \
      "Device-to-cloud messages made durable")                                                     \
    X(METRIC_D2C_BYTES, COUNTER, "muster_d2c_bytes_total", "",                                     \
      "Bytes of device-to-cloud messages made durable")                                            \
    X(METRIC_C2D_MESSAGES, COUNTER, "muster_c2d_messages_total", "",                               \
      "Cloud-to-device messages completed")                                                        \
    X(METRIC_METHODS, COUNTER, "muster_methods_total", "", "Direct methods invoked")               \
    X(METRIC_TWIN_REPORTED, COUNTER, "muster_twin_patches_total", "section=\"reported\"",          \
      "Twin patches made durable")                                                                 \
    X(METRIC_TWIN_DESIRED, COUNTER, "muster_twin_patches_total", "section=\"desired\"",            \
      "Twin patches made durable")                                                                 \
    X(METRIC_TWIN_READS, COUNTER, "muster_twin_reads_total", "", "Twin reads by devices")          \
    X(METRIC_REGISTRATIONS_ASSIGNED, COUNTER, "muster_registrations_total", "result=\"assigned\"", \
      "DPS registrations by result")                                                               \
    X(METRIC_REGISTRATIONS_REFUSED, COUNTER, "muster_registrations_total", "result=\"refused\"",   \
      "DPS registrations by result")                                                               \
    X(METRIC_REGISTRATIONS_UNAUTHORIZED, COUNTER, "muster_registrations_total",                    \
      "result=\"unauthorized\"", "DPS registrations by result")                                    \
    X(METRIC_REGISTRATIONS_FAILED, COUNTER, "muster_registrations_total", "result=\"failed\"",     \
      "DPS registrations by result")                                                               \
    X(METRIC_HTTP_REQUESTS, COUNTER, "muster_http_requests_total", "", "HTTP requests answered")   \
    X(METRIC_HTTP_ERRORS, COUNTER, "muster_http_errors_total", "",                                 \
      "HTTP requests answered with a status of 400 or more")                                       \
    X(METRIC_STORE_UNITS, COUNTER, "muster_store_units_total", "", "Units of work committed")      \
    X(METRIC_STORE_CONFLICTS, COUNTER, "muster_store_conflicts_total", "",                         \
      "Units of work whose guard did not hold")                                                    \
    X(METRIC_PROJECTION_LAG, GAUGE, "muster_projection_lag_messages", "",                          \
      "Messages of the log that last values and history do not show yet")                          \
    X(METRIC_PROJECTION_MESSAGES, COUNTER, "muster_projection_messages_total", "",                 \
      "Messages taken into the history of devices")                                                \
    X(METRIC_PROJECTION_SAMPLED, COUNTER, "muster_projection_sampled_total", "",                   \
      "Messages left out of it because their device sent too many")                                \
    X(METRIC_SLOW_TURNS, COUNTER, "muster_slow_loop_turns_total", "",                              \
      "Loop turns longer than 50 ms")                                                              \
    X(METRIC_ACK_LATENCY_US, HISTOGRAM, "muster_d2c_ack_latency_us", "",                           \
      "Microseconds from a message's arrival to its acknowledgement")                              \
    X(METRIC_COMMIT_UNITS, HISTOGRAM, "muster_store_commit_units", "", "Units of work per commit") \
    X(METRIC_COMMIT_US, HISTOGRAM, "muster_store_commit_us", "", "Microseconds per commit")        \
    X(METRIC_BATCH_MESSAGES, HISTOGRAM, "muster_log_batch_messages", "",                           \
      "Messages per batch of the device-to-cloud log")

enum metric {
#define METRIC_ID(id, kind, name, labels, help) id,
    METRICS(METRIC_ID)
#undef METRIC_ID
        METRIC_COUNT
};

/* Any thread, no lock. A gauge takes negative amounts too. */
void metric_add(enum metric metric, int64_t amount);
/* One observation of a histogram; the buckets are powers of two. */
void metric_observe(enum metric metric, uint64_t value);
/* The current value: of a histogram, how many observations. */
int64_t metric_value(enum metric metric);
/* All metrics in the Prometheus text format. */
void metrics_print(struct buf *to);

#endif
