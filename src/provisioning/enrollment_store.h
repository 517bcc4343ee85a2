/* Rows of enrollments. IDs compare without case: `key` is the lower-case form of an ID.
 *
 * The set of groups has a version that every change of a group moves on, guarded: so a check over
 * all groups (no key twice, not too many) holds when its unit commits, and a cache knows with one
 * row whether it is current. Individual enrollments may be many; they do not touch it. */
#ifndef MUSTER_PROVISIONING_ENROLLMENT_STORE_H
#define MUSTER_PROVISIONING_ENROLLMENT_STORE_H

#include "base/arena.h"
#include "crypto/seal.h"
#include "provisioning/enrollment.h"
#include "store/store.h"

#define ENROLLMENT_COLUMNS                                                                         \
    "e.kind, e.id, e.display_name, e.attestation, e.enabled, e.gated, e.iot_edge, e.device_id, "   \
    "e.hub, e.auto_approve, e.initial_tags, e.initial_desired, e.sealed_keys, e.version, "         \
    "e.created_at, e.updated_at, e.primary_thumbprint, e.secondary_thumbprint, "                   \
    "e.expired_leaf_allowed"
#define ENROLLMENT_COLUMN_COUNT 19

/* As read: slices borrow from the row, the keys are still sealed. */
struct enrollment_row {
    struct enrollment e;
    slice sealed_keys;
};

/* From the columns beginning at `first`; false when they are all NULL (an outer join's). */
bool enrollment_row_read(const struct rows *rows, int first, struct enrollment_row *ret);
/* Opens the keys into row->e. ST_INTERNAL: the row is not as it was sealed. */
CHECKED enum status enrollment_row_open(const struct sealer *sealer, struct enrollment_row *row,
                                        struct fault *why);
/* A copy in the arena, keys included; NULL when it is full. The caller wipes the keys. */
struct enrollment *enrollment_copy(struct arena *arena, const struct enrollment *e);

void enrollment_read(struct store *st, enum enrollment_kind kind, slice key, store_rows_fn *on_rows,
                     void *context);
/* At most one row: the individual enrollment of that key, when it stands for the device, else the
 * group of that key, else the default group. */
void enrollment_read_first(struct store *st, slice individual_key, slice device_key,
                           slice group_key, store_rows_fn *on_rows, void *context);
void enrollment_read_list(struct store *st, enum enrollment_kind kind, slice after_key,
                          unsigned limit, store_rows_fn *on_rows, void *context);
/* SQL_LIST of keys of individual enrollments (sql_list.h). */
extern const struct sql enrollment_some_sql;
/* The set's version, then the columns of a group; one row with NULL columns when there are none. */
extern const struct sql enrollment_groups_sql;

/* `e` with its keys; its version is the one to store, or for the update the one it had. */
void enrollment_unit_insert(struct unit *unit, const struct sealer *sealer,
                            const struct enrollment *e, instant now);
void enrollment_unit_update(struct unit *unit, const struct sealer *sealer,
                            const struct enrollment *e, instant now);
/* With its registration records; ST_CONFLICT when there is none. */
void enrollment_unit_delete(struct unit *unit, enum enrollment_kind kind, slice id);
/* The set of groups changes, from exactly this version. */
void enrollment_unit_move_set(struct unit *unit, int64_t version);
void enrollment_unit_touch_set(struct unit *unit);
/* ST_CONFLICT unless the enrollment still is as it was read. */
void enrollment_unit_guard(struct unit *unit, const struct enrollment *e);
/* ST_CONFLICT unless `group` is an enrollment group for certificates, enabled or not as given. */
void enrollment_unit_guard_x509(struct unit *unit, slice group, bool enabled);
/* The individual enrollment of a device that is deleted. */
void enrollment_unit_forget(struct unit *unit, slice device_id);

#endif
