/* A device with what its template says it can do: for properties, commands and telemetry.
 *
 * A device has no model while it has no template, or one whose model is empty (as the template that
 * every application has): then nothing is known, and anything may be asked of it. */
#ifndef MUSTER_CENTRAL_DEVICE_MODEL_H
#define MUSTER_CENTRAL_DEVICE_MODEL_H

#include "base/arena.h"
#include "central/central.h"
#include "codec/dtdl.h"
#include "codec/sync_state.h"

struct device_model {
    struct arena arena;
    slice hub, id, generation_id, template_id;
    const struct dtdl_interface *root; /* NULL: no model */
    enum property_format format;       /* "propertyFormat" of the template: "pnp", "legacy" */
};

/* Fills `to`, the caller's until device_model_deinit, and then calls back, perhaps inside. IDs
 * without case. ST_DEVICE_NOT_FOUND. On a worker. */
typedef void device_model_fn(void *context, enum status status, const struct fault *why);
void device_model_load(struct central *c, slice device_id, struct device_model *to,
                       device_model_fn *on_model, void *context);
/* The same of a published template, without a device; ST_NOT_FOUND: there is none. */
void device_model_load_template(struct central *c, slice template_id, struct device_model *to,
                                device_model_fn *on_model, void *context);
void device_model_deinit(struct device_model *m);

/* Fills in the model of a published document, on any thread; the arena is begun. No model when
 * there is none in it. ST_NO_MEMORY. */
CHECKED enum status device_model_read(struct device_model *m, slice document);

/* The content of that name, of the root (component empty) or of a component; NULL when there is
 * none, or no model. */
const struct dtdl_content *device_model_find(const struct device_model *m, slice component,
                                             slice name);
bool device_model_has_component(const struct device_model *m, slice component);

#endif
