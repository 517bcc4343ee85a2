/* What each act on a device is (contract/central.md 1.6), for one device (device_acts.c) and for
 * many (device_bulk.c). */
#ifndef MUSTER_CENTRAL_DEVICE_ACT_H
#define MUSTER_CENTRAL_DEVICE_ACT_H

#include "central/central.h"

const char *device_act_name(enum device_act act);
/* Whether there is nothing to write. */
bool device_act_holds(enum device_act act, const struct device *d, slice template_id);
/* Whether it counts whatever others did meanwhile. */
bool device_act_insists(enum device_act act);
/* Whether it takes a right away: urgent, and done only when nobody uses it any more. */
bool device_act_revokes(enum device_act act);

/* Adds the change of the row as it was read. */
void device_act_unit_add(struct central *c, struct unit *unit, enum device_act act,
                         const struct device *d, slice template_id, instant now);
/* Once that is committed. */
void device_act_tell(struct central *c, enum device_act act, slice device_id);
/* Then, of an act that revokes: closes what was let in before `generation`. */
void device_act_revoke(struct central *c, const struct device *d, int64_t generation,
                       void (*on_done)(void *context), void *context);

#endif
