/* Properties and settings of a device (contract/central.md 7.4): read with their sync state, and
 * written, whether or not it is connected. */
#ifndef MUSTER_CENTRAL_PROPERTIES_H
#define MUSTER_CENTRAL_PROPERTIES_H

#include "central/property/property_change.h"

/* What was read; lives until the callback returns. */
struct device_properties {
    const struct device_model *model;
    struct property_sources sources;
    struct arena *arena;
};
/* `p` is NULL unless ST_OK; ST_DEVICE_NOT_FOUND. On a worker; may call back inside. */
typedef void properties_fn(void *context, enum status status, const struct device_properties *p,
                           const struct fault *why);
void central_properties_read(struct central *c, slice device_id, properties_fn *on_properties,
                             void *context);

struct properties_write {
    slice device_id;
    slice component; /* empty: the device, with its components as nested objects */
    slice body;      /* a JSON object; borrowed until the callback */
    bool replace;
};
/* Durable. `answer` is JSON for the caller. ST_NOT_FOUND: the device has no such component;
 * ST_BAD_REQUEST names the property that cannot be set so; ST_DEVICE_NOT_FOUND; ST_CONFLICT:
 * others keep changing them. */
typedef void properties_written_fn(void *context, enum status status, slice answer,
                                   const struct fault *why);
void central_properties_write(struct central *c, const struct properties_write *w,
                              properties_written_fn *on_written, void *context);

#endif
