/* A chart of one telemetry: its range of time cut into equal parts (contract/central.md 7.5). */
#ifndef MUSTER_CENTRAL_HISTORY_BUCKETS_H
#define MUSTER_CENTRAL_HISTORY_BUCKETS_H

#include "central/central.h"

#define HISTORY_BUCKETS_MAX 1000
#define HISTORY_NUMBER_MAX 64 /* bytes of a number as the device spelled it */

struct history_bucket {
    uint64_t count; /* of numbers; whatever else was sent is left out */
    double least, most, sum;
    char least_text[HISTORY_NUMBER_MAX], most_text[HISTORY_NUMBER_MAX]; /* with every digit */
    uint8_t least_len, most_len;
};

struct history_chart {
    slice device_id, component, name;
    instant from, to; /* from <= at < to */
    unsigned count;   /* 1 to HISTORY_BUCKETS_MAX parts */
};
/* When the part of that number begins; that of `count` is where all end. */
instant history_bucket_begin(const struct history_chart *chart, unsigned index);

/* `buckets`: chart->count of them, NULL unless ST_OK. ST_DEVICE_NOT_FOUND. Slices are copied. On a
 * worker; what is looked through is read on the pool. */
typedef void history_buckets_fn(void *context, enum status status,
                                const struct history_bucket *buckets, const struct fault *why);
void central_history_buckets(struct central *c, const struct history_chart *chart,
                             history_buckets_fn *on_buckets, void *context);

#endif
