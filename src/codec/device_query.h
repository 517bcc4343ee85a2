/* The filter of a device group: which devices belong to it (contract/central.md 6.4).
 *
 *     SELECT * FROM devices
 *     SELECT * FROM devices WHERE $template = "dtmi:a:pump;1" AND $provisioned = true
 *     ... WHERE $simulated != true AND ($id IN ["p-1", "p-2"] OR STARTS_WITH($displayName, "P"))
 *
 * Words of the language have no case, fields do. A text stands in double or single quotes, which
 * are written twice inside of it. What is asked for are facts of the device's record, which begin
 * with '$'; properties and telemetry are not. The query becomes a filter of odata_filter.h, which
 * judges devices one by one. Pure. */
#ifndef MUSTER_CODEC_DEVICE_QUERY_H
#define MUSTER_CODEC_DEVICE_QUERY_H

#include "codec/odata_filter.h"

enum device_query_field {
    DEVICE_QUERY_ID,
    DEVICE_QUERY_DISPLAY_NAME,
    DEVICE_QUERY_TEMPLATE,     /* null: Unassociated */
    DEVICE_QUERY_ORGANIZATION, /* null: of the application itself */
    DEVICE_QUERY_PROVISIONED,
    DEVICE_QUERY_SIMULATED,
    DEVICE_QUERY_ENABLED,
    DEVICE_QUERY_FIELDS
};

/* Borrows from `text` and the arena. ST_BAD_REQUEST with the character (from 1) and what is wrong
 * there; ST_NO_MEMORY. */
CHECKED enum status device_query_parse(slice text, struct arena *arena, struct odata_filter *ret,
                                       struct fault *why);

#endif
