/* A template made of what a device has sent (contract/central.md 2.8): its own telemetry and
 * properties, not those of components. Pure.
 *
 * What has no name or no type in the language is left out, and stays unmodelled. Numbers become
 * doubles, for the next may have a fraction. */
#ifndef MUSTER_CENTRAL_TEMPLATE_INFER_H
#define MUSTER_CENTRAL_TEMPLATE_INFER_H

#include "central/property/property_list.h"

struct inference {
    slice model_id, display_name;
    slice last_values; /* last_values.h */
    const struct device_model *model;
    const struct property_sources *properties;
};
/* The document, as template_act takes it. ST_NOT_FOUND: there is nothing to make it of. */
CHECKED enum status template_infer(const struct inference *from, struct arena *arena,
                                   struct buf *to, struct fault *why);

#endif
