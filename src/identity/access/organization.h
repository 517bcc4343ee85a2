/* Organizations: a tree below the application itself (contract/central.md 4.8).
 *
 * Whoever acts within an organization sees it and what lies below, never a sibling. An
 * organization's path names its ancestors and itself: "/emea/plant-7/"; the application's own is
 * empty. Slices given to a function are borrowed until its callback. */
#ifndef MUSTER_IDENTITY_ORGANIZATION_H
#define MUSTER_IDENTITY_ORGANIZATION_H

#include "identity/access/access.h"

#define ORGANIZATION_ID_MAX 48
#define ORGANIZATION_DEPTH_MAX 5
#define ORGANIZATIONS_MAX 200

struct organization {
    slice id, display_name;
    slice parent_id; /* empty: directly below the application */
    slice path;
};

/* Lower-case letters, digits and hyphens, none of them first or last; 2 to 48. */
bool organization_id_valid(slice id);
/* Whether who acts within `path` has to do with what belongs to `other`. */
bool organization_covers(slice path, slice other);

/* The ID of the organization whose path it is; empty for the application's. */
slice organization_of_path(slice path);

/* A unit of work that puts something into an organization: ST_CONFLICT when there is none (any
 * more). Nothing for the application itself. */
struct unit;
void organization_unit_guard(struct unit *unit, slice organization_id);

/* ST_NOT_FOUND also for one that the caller does not cover. */
typedef void organization_fn(void *context, enum status status, const struct organization *o,
                             const struct fault *why);
/* Each that `by` covers, in order of ID, then once with o == NULL. */
void organization_list(struct identity *id, const struct principal *by, organization_fn *on_row,
                       void *context);
void organization_get(struct identity *id, const struct principal *by, slice organization_id,
                      organization_fn *on_organization, void *context);

struct organization_change {
    slice id;
    bool must_exist;    /* else it may be made */
    bool must_be_new;   /* ST_PRECONDITION_FAILED: there is one */
    slice display_name; /* NULL pointer: as it is; of a new one the ID */
    slice parent_id;    /* NULL pointer: as it is; empty: the application */
};
/* ST_BAD_REQUEST, ST_QUOTA for a rule; ST_FORBIDDEN for a place that the caller does not cover.
 * What moves takes all below it along. */
void organization_put(struct identity *id, const struct act *act,
                      const struct organization_change *change, organization_fn *on_done,
                      void *context);
/* ST_CONFLICT while anything is left in it. */
void organization_delete(struct identity *id, const struct act *act, slice organization_id,
                         organization_fn *on_done, void *context);

#endif
