/* Gateways and what is behind them (contract/central.md 7.7): named relationships from a device,
 * the source, to another, the target. They end with either of the two.
 *
 * `within` is the path of an organization (organization.h): what lies outside is not there. */
#ifndef MUSTER_CENTRAL_RELATIONSHIP_H
#define MUSTER_CENTRAL_RELATIONSHIP_H

#include "central/central.h"

#define RELATIONSHIP_ID_MAX 255

extern const char relationship_tables[];

struct relationship {
    slice id, source, target; /* device IDs as they are written */
};
/* `r` is NULL unless ST_OK. */
typedef void relationship_fn(void *context, enum status status, const struct relationship *r,
                             const struct fault *why);

/* Those of a source, in order of ID: each, then once with r == NULL. */
struct relationship_query {
    slice source, within;
    slice after; /* IDs behind this one */
    unsigned limit;
};
void relationship_list(struct central *c, const struct relationship_query *query,
                       relationship_fn *on_row, void *context);
/* ST_NOT_FOUND. */
void relationship_get(struct central *c, slice source, slice id, slice within,
                      relationship_fn *on_relationship, void *context);
/* Makes it, or gives it another target. ST_BAD_REQUEST for a target that is not there or is the
 * source itself, ST_DEVICE_NOT_FOUND for such a source. */
void relationship_put(struct central *c, const struct relationship *r, slice within,
                      relationship_fn *on_relationship, void *context);
/* ST_NOT_FOUND; r is NULL at ST_OK, too. */
void relationship_delete(struct central *c, slice source, slice id, relationship_fn *on_done,
                         void *context);

/* A device said which gateway it is behind: that and no other, named as the device. A gateway that
 * is not there is left at a note in the log. Nobody waits. */
void relationship_announced(struct central *c, slice gateway_id, slice device_id);

/* Adds the end of all that a device has a part in. */
void relationship_unit_forget(struct unit *unit, slice device_id);

#endif
