/* Aliases of paths in a device's messages: what was taken in is shown under them, too. */
#ifndef MUSTER_CENTRAL_ALIASES_H
#define MUSTER_CENTRAL_ALIASES_H

#include "central/central.h"
#include "central/telemetry/alias_path.h"

#define ALIASES_MAX 100 /* of a device */

/* Once each in the order of aliases, then once with an empty alias. ST_DEVICE_NOT_FOUND. */
typedef void alias_fn(void *context, enum status status, slice alias, slice path,
                      const struct fault *why);
void central_alias_list(struct central *c, slice device_id, alias_fn *on_alias, void *context);

/* ST_CONFLICT: the path or the alias is in use; ST_QUOTA: it has as many as it may. */
typedef void alias_done_fn(void *context, enum status status, const struct fault *why);
void central_alias_add(struct central *c, slice device_id, slice alias, slice path,
                       alias_done_fn *on_done, void *context);
/* ST_NOT_FOUND: there is none. */
void central_alias_delete(struct central *c, slice device_id, slice alias, alias_done_fn *on_done,
                          void *context);

#endif
