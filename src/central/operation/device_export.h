/* Devices as a CSV file, part by part (contract/central.md 3.6): constant memory, whatever their
 * number. Parts are pages by key: a device that is made or deleted meanwhile is in the file or not,
 * every other one is in it once. */
#ifndef MUSTER_CENTRAL_DEVICE_EXPORT_H
#define MUSTER_CENTRAL_DEVICE_EXPORT_H

#include "central/central.h"
#include "codec/device_csv_write.h"

struct device_export;

struct device_export_options {
    struct device_csv_export csv;
    struct device_filter filter; /* `after` and `limit` do not count */
    slice provisioning_host;     /* of the extra columns */
};

/* NULL: out of memory. Copies. */
struct device_export *device_export_create(struct central *c,
                                           const struct device_export_options *options);
/* The next part, the first with the header; empty: that was all. `text` is borrowed for the call,
 * and wiped after it. One call at a time. */
typedef void device_export_fn(void *context, enum status status, slice text,
                              const struct fault *why);
void device_export_next(struct device_export *e, device_export_fn *on_part, void *context);
/* Between calls. */
void device_export_destroy(struct device_export *e);

#endif
