/* Writable properties and settings: what was asked of a device, what it says, and whether the two
 * have met (contract/central.md 7.4). Pure.
 *
 *     pnp      desired {"name": v}             reported {"name": {"value": v, "ac", "av", "ad"}}
 *     legacy   desired {"name": {"value": v}}  reported {"name": {"value": v, "status",
 *                                                        "desiredVersion", "message"}}
 *
 * Devices answer in either family, in both at once, or with the bare value, whatever their template
 * says; a value may be wrapped twice. All of that is read. */
#ifndef MUSTER_CODEC_SYNC_STATE_H
#define MUSTER_CODEC_SYNC_STATE_H

#include "codec/json.h"

enum property_format { PROPERTY_PNP, PROPERTY_LEGACY };

enum sync_state {
    SYNC_NONE,          /* neither asked for nor reported */
    SYNC_DEVICE_VALUE,  /* reported, and never asked for */
    SYNC_SET_BY_DEVICE, /* the same, and the device says so (203): counts as synced */
    SYNC_PENDING,
    SYNC_SYNCED,
    SYNC_ERROR
};
/* "pending", as our own API spells it. */
const char *sync_state_name(enum sync_state state);

/* What a device said of a property. */
struct sync_report {
    const struct json *value; /* NULL: none */
    bool has_ack;             /* with members of an acknowledgement */
    bool has_version, has_code;
    int64_t version, code; /* `av`, `ac`, or what the legacy members come to */
    slice description;     /* `ad` or `message`; empty: none */
};
/* `reported` is what stands in the twin; NULL: nothing. `is_object`: the model says that the value
 * itself is an object, so that a lone member "value" may be one of its own. */
void sync_report_read(const struct json *reported, bool is_object, struct sync_report *ret);

/* The value in what was asked for: a wrapping is taken off where the format has one. */
const struct json *sync_desired_value(const struct json *desired, enum property_format format);

/* `desired` is the value that was asked for, NULL: none, and `desired_version` the version of the
 * desired section since this property last changed. A device that reconnects acknowledges the
 * version of the whole section, which may be higher. */
enum sync_state sync_state_of(const struct json *desired, int64_t desired_version,
                              const struct sync_report *report);

#endif
