/* What a job does, as it is asked for (contract/central.md 6.4): JobData, batch and threshold, read
 * and checked. Pure. */
#ifndef MUSTER_CENTRAL_JOB_DATA_H
#define MUSTER_CENTRAL_JOB_DATA_H

#include "codec/json.h"

#define JOB_ITEMS_MAX 20

enum job_item_kind { JOB_PROPERTY, JOB_CLOUD_PROPERTY, JOB_COMMAND, JOB_MIGRATION };

struct job_item {
    enum job_item_kind kind;
    slice target;             /* template that a device must have; of a migration: the new one */
    slice component, name;    /* of "name" or "component.name" */
    const struct json *value; /* NULL: none */
};

struct job_data {
    struct job_item items[JOB_ITEMS_MAX];
    size_t count;
    bool has_commands, has_properties;
};
/* Borrows from the text and the arena. ST_BAD_REQUEST names the item. */
CHECKED enum status job_data_read(slice text, struct arena *arena, struct job_data *ret,
                                  struct fault *why);
/* All properties as one body, components as objects in it: {"a":1,"part":{"b":2}}. */
void job_data_write_properties(const struct job_data *data, struct buf *to);

struct job_limit {
    bool is_set, is_percentage;
    int64_t value;
    bool per_batch; /* of a threshold */
};
/* {"type":"number"|"percentage","value":n}, a threshold also "batch"; empty: not set. `name` is for
 * the sentence. */
CHECKED enum status job_limit_read(slice text, const char *name, bool may_be_zero,
                                   struct job_limit *ret, struct fault *why);
/* Devices in a batch; all of them when there are none. */
int64_t job_batch_size(const struct job_limit *batch, int64_t total);
/* Whether so many failures of so many devices are more than the threshold allows. */
bool job_threshold_is_passed(const struct job_limit *threshold, int64_t failed, int64_t total);

#endif
