/* What devices have sent, as the projection keeps it: last values, history, raw messages. */
#ifndef MUSTER_CENTRAL_TELEMETRY_H
#define MUSTER_CENTRAL_TELEMETRY_H

#include "central/property/device_model.h"
#include "central/telemetry/last_values.h"

/* `mismatches`: how many values were not what the template says. `packed`: last_values.h, borrowed
 * for the call as the model is; empty when it never sent any. IDs without case.
 * ST_DEVICE_NOT_FOUND. On a worker; may call back inside. */
typedef void telemetry_last_fn(void *context, enum status status, const struct device_model *m,
                               slice packed, int64_t mismatches, const struct fault *why);
void central_telemetry_last(struct central *c, slice device_id, telemetry_last_fn *on_last,
                            void *context);

/* Whether what a device sent is what its template says it sends (7.2). What does not fit is kept as
 * unmodelled. */
enum telemetry_fit { TELEMETRY_NO_MODEL, TELEMETRY_FITS, TELEMETRY_UNKNOWN, TELEMETRY_MISMATCH };
/* "mismatch". */
const char *telemetry_fit_name(enum telemetry_fit fit);
enum telemetry_fit telemetry_fit(const struct device_model *m, slice component, slice name,
                                 const struct json *value);

/* Its slices are kept until the end. */
struct history_filter {
    slice name;       /* values of this name; empty: whole messages */
    slice component;  /* of this component; counts with a name, or when not empty */
    instant from, to; /* of what they speak of, both included */
    uint64_t before;  /* only messages before this offset; UINT64_MAX: the newest */
    unsigned limit;   /* of items */
};

/* A value, or a message. Borrowed for the call. */
struct history_item {
    uint64_t offset; /* of the message in its partition of the log */
    instant at, enqueued_at;
    slice component;
    slice value;     /* JSON; of values */
    slice bag, body; /* of messages, as they came */
};
/* False: enough. */
typedef bool history_item_fn(void *context, const struct history_item *item);
/* `more`: go on with `before`. A page may end early: what is looked through for it is bounded. */
typedef void history_end_fn(void *context, enum status status, bool more, uint64_t before,
                            const struct fault *why);
/* The newest first. A message that gives several values of a name gives them together, even beyond
 * the limit or after a false. On a worker; may call back inside. */
void central_history_read(struct central *c, slice device_id, const struct history_filter *filter,
                          history_item_fn *on_item, history_end_fn *on_end, void *context);

#endif
