/* The twins' rows. What the service changes (tags, desired) and what the device changes (reported)
 * are rows of their own, so that neither waits for or rewrites the other's. */
#ifndef MUSTER_HUB_TWIN_STORE_H
#define MUSTER_HUB_TWIN_STORE_H

#include "hub/hub_internal.h"
#include "hub/twin.h"

#define TWIN_FIRST_VERSION 1 /* of a twin without a row */
#define TWIN_PATCHES_KEPT 256

extern const char twin_tables_sql[];

/* Both rows. `on_rows` reads with twin_row_read: exactly one row, or a failed status. */
void twin_store_read(struct hub *hub, const struct hub_key *key, store_rows_fn *on_rows,
                     void *context);
/* Sections, metadata, versions, times; the IDs are left alone. Slices borrow from the row. */
CHECKED bool twin_row_read(struct rows *rows, struct twin *ret);
/* The desired version alone: one row with one column, or none for a fresh twin. */
void twin_store_read_version(struct hub *hub, const struct hub_key *key, store_rows_fn *on_rows,
                             void *context);
/* Desired patches after `version`, in order: version, patch. */
void twin_store_read_patches(struct hub *hub, const struct hub_key *key, int64_t version,
                             unsigned limit, store_rows_fn *on_rows, void *context);

/* Guarded by t->reported_version having been `was`; what is written is `t`. */
void twin_unit_put_reported(struct unit *unit, const struct hub_key *key, const struct twin *t,
                            int64_t was);
/* Guarded by t->version having been `was`. */
void twin_unit_put_desired(struct unit *unit, const struct hub_key *key, const struct twin *t,
                           int64_t was);
/* Adds a desired patch under t->desired_version and drops what is too old. */
void twin_unit_add_patch(struct unit *unit, const struct hub_key *key, int64_t version,
                         slice patch);
/* A twin's first row, for a device of the same unit. */
void twin_unit_insert(struct unit *unit, const struct hub_key *key, const struct twin *t);

/* An object's text with a "$version" member behind the others. */
void twin_write_versioned(slice object, int64_t version, struct buf *to);

#endif
