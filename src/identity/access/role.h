/* Roles: named sets of permissions. Some every application has (permission.h), the others are
 * its own. Slices given to a function are borrowed until its callback. */
#ifndef MUSTER_IDENTITY_ROLE_H
#define MUSTER_IDENTITY_ROLE_H

#include "identity/access/access.h"

#define ROLE_ID_MAX 64
#define ROLES_MAX 500

struct role {
    slice id, display_name;
    permission_set permissions;
    bool is_builtin;
};

bool role_id_valid(slice id); /* letters, digits, '-' and '_' */

typedef void role_fn(void *context, enum status status, const struct role *r,
                     const struct fault *why);
/* The application's own come behind those that all have; then once with r == NULL. */
void role_list(struct identity *id, role_fn *on_row, void *context);
void role_get(struct identity *id, slice role_id, role_fn *on_role, void *context);

struct role_change {
    slice id;
    bool must_exist;      /* else it may be made */
    bool must_be_new;     /* ST_PRECONDITION_FAILED: there is one */
    slice display_name;   /* NULL pointer: as it is; of a new one the ID */
    bool has_permissions; /* else as they are; of a new one none */
    permission_set permissions;
};
/* ST_FORBIDDEN when the caller lacks one of the permissions, or the role is built in. */
void role_put(struct identity *id, const struct act *act, const struct role_change *change,
              role_fn *on_done, void *context);
/* ST_CONFLICT while a user or token has it. */
void role_delete(struct identity *id, const struct act *act, slice role_id, role_fn *on_done,
                 void *context);

#endif
