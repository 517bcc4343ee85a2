/* The last known value of each telemetry of a device, packed into one blob (contract/central.md
 * 7.2). Pure.
 *
 *     entry: u16 component length, u16 name length, u32 value length, u64 time, and their bytes;
 *     in the order of components, then names; integers big-endian
 *
 * One row a device instead of one a name: a step of the projection then costs each device one
 * write, however many names it sends. */
#ifndef MUSTER_CENTRAL_LAST_VALUES_H
#define MUSTER_CENTRAL_LAST_VALUES_H

#include "base/buf.h"
#include "base/clock.h"
#include "base/reader.h"

#define LAST_VALUES_MAX 1000          /* entries of a device; the oldest give way */
#define LAST_VALUES_BYTES (64 * 1024) /* of all its entries, likewise */
#define LAST_VALUE_NAME_MAX 512       /* bytes of a name or component */
/* Bytes of a value; a larger one only takes away the old one. */
#define LAST_VALUE_BYTES_MAX (8 * 1024)

struct last_value {
    slice component; /* empty: the device itself */
    slice name;
    instant at;
    slice value; /* JSON */
};

/* Puts `fresh` over what was packed in `was`; of values of the same name the latest time counts,
 * then the later place. False: no memory. */
CHECKED bool last_values_merge(slice was, const struct last_value *fresh, size_t count,
                               struct buf *ret);

/* The next entry; false at the end, or when the bytes are none of ours. */
bool last_values_next(struct reader *packed, struct last_value *ret);
bool last_values_find(slice packed, slice component, slice name, struct last_value *ret);

#endif
