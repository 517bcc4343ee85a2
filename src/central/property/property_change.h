/* A change of properties as callers ask for it, turned into what goes to the twin and what stays
 * with the application (contract/central.md 7.4). Pure.
 *
 *     {"fanSpeed": 7, "note": "x", "pump": {"limit": 3}}
 *
 *     pnp      desired {"fanSpeed": 7, "pump": {"__t": "c", "limit": 3}}
 *     legacy   desired {"fanSpeed": {"value": 7}, ...}
 *     cloud    {"note": "x"} */
#ifndef MUSTER_CENTRAL_PROPERTY_CHANGE_H
#define MUSTER_CENTRAL_PROPERTY_CHANGE_H

#include "central/property/property_list.h"

#define PROPERTY_CHANGE_MAX 1000 /* properties in one */

struct property_request {
    slice component;         /* empty: the device, with its components as nested objects */
    const struct json *body; /* an object; `$metadata` in it is passed over */
    bool replace;            /* what may be set and is not in the body is taken back */
    /* With `replace`: what is asked for now, and the cloud properties there are; NULL: none. */
    const struct json *desired, *cloud;
};

/* In the arena. Both patches are merge patches; without members: there is nothing to do. */
struct property_change {
    struct json *desired, *cloud;
    struct json *answer; /* what a caller is told: {"$metadata":{name:{"desiredValue"}}} */
};
/* ST_BAD_REQUEST names the member: not in the model, not writable, or of another type. */
CHECKED enum status property_change_make(const struct device_model *m,
                                         const struct property_request *request,
                                         struct arena *arena, struct property_change *ret,
                                         struct fault *why);

#endif
