/* Device groups: a filter with a name (contract/central.md 6.4). Who belongs to a group is asked
 * of the devices each time; a group holds none.
 *
 * Groups are the whole application's. Each change is one guarded row, with its entry of the
 * audit. */
#ifndef MUSTER_CENTRAL_DEVICE_GROUP_H
#define MUSTER_CENTRAL_DEVICE_GROUP_H

#include "central/central.h"
#include "codec/device_query.h"
#include "identity/access/access.h"

#define DEVICE_GROUP_ID_MAX 255
#define DEVICE_GROUP_DESCRIPTION_MAX 1024
#define DEVICE_GROUPS_MAX 10000

struct device_group {
    slice id, display_name, description;
    slice filter;    /* device_query.h */
    int64_t version; /* the ETag */
};
/* `g` NULL unless ST_OK. */
typedef void device_group_fn(void *context, enum status status, const struct device_group *g,
                             const struct fault *why);

/* Letters, digits, '_' and '-', 1..255. Of jobs, too. */
bool device_group_id_valid(slice id);

void device_group_get(struct central *c, slice id, device_group_fn *on_group, void *context);
/* In order of ID behind `after`; then once with g == NULL. */
void device_group_list(struct central *c, slice after, unsigned limit, device_group_fn *on_group,
                       void *context);

struct device_group_change {
    slice id;
    slice display_name, description, filter; /* ptr NULL: as it is */
    bool must_exist;
    bool must_be_new; /* ST_PRECONDITION_FAILED: there is one */
    int64_t version;  /* that the caller knows; 0: whatever it is */
};
/* The group as it is then. ST_BAD_REQUEST: a rule, said in `why`; ST_NOT_FOUND,
 * ST_PRECONDITION_FAILED, ST_CONFLICT (changed meanwhile), ST_QUOTA. */
void device_group_put(struct central *c, const struct act *who,
                      const struct device_group_change *change, device_group_fn *on_group,
                      void *context);
/* `g` is NULL. */
void device_group_delete(struct central *c, const struct act *who, slice id, int64_t version,
                         device_group_fn *on_group, void *context);

/* A filter ready to judge. Lives in one block of the caller's. */
struct device_group_members {
    struct arena arena;
    struct odata_filter filter;
};
/* Copies the text. ST_BAD_REQUEST with the place of what is wrong. */
CHECKED enum status device_group_members_init(struct device_group_members *m, slice filter,
                                              struct fault *why);
void device_group_members_deinit(struct device_group_members *m);
/* Sets what picks them, for device_list: `m` must live until its end. */
void device_group_members_select(struct device_group_members *m, struct device_filter *ret);

#endif
