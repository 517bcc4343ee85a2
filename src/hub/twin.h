/* Twins: desired and reported properties, tags, their versions and metadata (6.3).
 *
 * A change is read, merged, written WHERE version = ?, and on a conflict done anew. A desired
 * patch is stored with its version; sessions are told "up to version n" and read what they miss,
 * so each goes out once and in order. A twin without a row is a fresh one: version 1, empty. */
#ifndef MUSTER_HUB_TWIN_H
#define MUSTER_HUB_TWIN_H

#include "hub/session.h"

/* --- the device's side ---------------------------------------------------------------------- */

/* {"desired":{...,"$version":n},"reported":{...,"$version":m}}; a read never shows less than what
 * was notified before. */
typedef void twin_document_fn(void *context, enum status status, slice document);
void twin_read(struct session *s, twin_document_fn *on_document, void *context);

/* ST_OK with the new reported version, durable. ST_BAD_REQUEST, ST_TOO_LARGE,
 * ST_PRECONDITION_FAILED (base version given and not current). Patches of one session are applied
 * in order, several may be in flight. Never called back after session_close. */
typedef void twin_report_fn(void *context, uint64_t token, enum status status, int64_t version,
                            const struct fault *why);
void twin_report(struct session *s, slice patch, bool has_base, int64_t base_version,
                 twin_report_fn *on_done, void *context, uint64_t token);

/* --- the service's side: any worker --------------------------------------------------------- */

struct twin {
    slice device_id, module_id, model_id;
    int64_t etag;
    slice tags, desired, reported;             /* JSON objects without $-members */
    slice desired_metadata, reported_metadata; /* JSON objects */
    int64_t desired_version, reported_version, version;
    instant desired_at, reported_at; /* 0: never changed */
};
typedef void twin_fn(void *context, enum status status, const struct twin *t,
                     const struct fault *why);
/* ST_DEVICE_NOT_FOUND when there is no such identity. */
void twin_get(struct hub *hub, slice hub_name, slice device_id, slice module_id, twin_fn *on_twin,
              void *context);

struct twin_update {
    slice tags;    /* JSON object to merge, or empty: leave */
    slice desired; /* JSON object to merge; "null" clears; empty: leave */
    bool replace;  /* replace the given sections instead of merging */
    bool has_etag;
    int64_t etag; /* ST_PRECONDITION_FAILED unless current */
};
/* The twin after the change, durable; notifications are on their way. */
void twin_update(struct hub *hub, slice hub_name, slice device_id, slice module_id,
                 const struct twin_update *u, twin_fn *on_twin, void *context);

/* Adds the first content of a twin to the unit that creates its device (initialTwin). Empty
 * slices: none. */
void twin_unit_init(struct unit *unit, slice hub_name, slice device_id, slice tags, slice desired,
                    instant now);
/* Adds the removal of everything the hub keeps of a device (twins, C2D, feedback), or of one
 * module. */
void hub_unit_forget(struct unit *unit, slice hub_name, slice device_id, slice module_id);

#endif
