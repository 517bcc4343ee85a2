/* What is known of a device's properties and settings, as one list (contract/central.md 7.4).
 *
 *     twin: desired, reported      model: what may be set      application: cloud properties
 *                   \                     |                     /
 *                    +---------------> property <--------------+
 *
 * Pure. Slices and trees borrow from the sources, the model and the arena. */
#ifndef MUSTER_CENTRAL_PROPERTY_LIST_H
#define MUSTER_CENTRAL_PROPERTY_LIST_H

#include "central/property/device_model.h"

/* Members of a twin that are a component say so by this one. */
#define COMPONENT_MARK "__t"

struct property_sources {
    const struct json *desired, *desired_metadata, *reported, *reported_metadata;
    const struct json *cloud; /* NULL: none */
};

enum property_kind {
    PROPERTY_READ_ONLY, /* the device's own */
    PROPERTY_WRITABLE,  /* a setting */
    PROPERTY_CLOUD,     /* the application's own, unknown to the device */
};
/* "readOnly", as our own API spells it. */
const char *property_kind_name(enum property_kind kind);

struct property {
    slice component; /* empty: the device itself */
    slice name;
    const struct dtdl_content *content; /* NULL: the model does not know it, or there is none */
    enum property_kind kind;
    const struct json *desired;    /* unwrapped; NULL: never asked for */
    int64_t desired_version;       /* of the section, when this was last asked for */
    slice desired_at, reported_at; /* ISO, as the twin has them; empty: never */
    struct sync_report report;
    enum sync_state state;    /* of what is not the cloud's */
    const struct json *cloud; /* the value of a cloud property */
    bool fits;                /* what is reported is what the model says */
};
/* NULL: as `kind` says. What the application calls its value now. */
const struct json *property_value(const struct property *p);

/* The kind of a name in the device (component empty) or in a component. `is_asked_for` counts where
 * the model is silent. */
enum property_kind property_kind_of(const struct dtdl_content *content, bool is_asked_for);
/* Whether a member of a twin's section is a component. */
bool property_is_component(const struct device_model *m, const struct json *member);

/* Each once until it gives false: the device's own first, then those of one component after the
 * other. `with_unset`: also what the model has and nobody ever set. False: no memory. */
typedef bool property_fn(void *context, const struct property *p);
CHECKED bool property_list(const struct device_model *m, const struct property_sources *from,
                           bool with_unset, struct arena *arena, property_fn *on_property,
                           void *context);

#endif
