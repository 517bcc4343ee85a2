/* What a caller of the application may do (contract/central.md 4.8, SECURITY-MODEL O5).
 *
 * A role is a set of permissions; a caller has those of its roles, within its organization. Every
 * route of the application names one. Writing implies looking: a role that may update devices has
 * PERM_DEVICES_VIEW too (permission_complete). */
#ifndef MUSTER_IDENTITY_PERMISSION_H
#define MUSTER_IDENTITY_PERMISSION_H

#include "base/slice.h"

enum permission {
    PERM_TEMPLATES_VIEW,
    PERM_TEMPLATES_MANAGE,
    PERM_DEVICES_VIEW,
    PERM_DEVICES_UPDATE,
    PERM_DEVICES_CREATE,
    PERM_DEVICES_DELETE,
    PERM_DEVICES_COMMAND,
    PERM_DEVICES_RAW, /* raw data and the live tail */
    PERM_GROUPS_VIEW,
    PERM_GROUPS_UPDATE,
    PERM_GROUPS_CREATE,
    PERM_GROUPS_DELETE,
    PERM_CONNECTIVITY_READ_INSTANCE,   /* one device's keys */
    PERM_CONNECTIVITY_MANAGE_INSTANCE, /* approve, block, individual enrollments, roll keys */
    PERM_CONNECTIVITY_READ_GLOBAL,     /* group keys, CA state */
    PERM_CONNECTIVITY_MANAGE_GLOBAL,
    PERM_JOBS_VIEW,
    PERM_JOBS_UPDATE,
    PERM_JOBS_CREATE,
    PERM_JOBS_DELETE,
    PERM_JOBS_EXECUTE,
    PERM_SETTINGS_VIEW,
    PERM_SETTINGS_UPDATE,
    PERM_ROLES_VIEW,
    PERM_ROLES_UPDATE,
    PERM_ROLES_CREATE,
    PERM_ROLES_DELETE,
    PERM_USERS_VIEW,
    PERM_USERS_ADD,
    PERM_USERS_UPDATE,
    PERM_USERS_DELETE,
    PERM_ORGANIZATIONS_VIEW,
    PERM_ORGANIZATIONS_UPDATE,
    PERM_ORGANIZATIONS_CREATE,
    PERM_ORGANIZATIONS_DELETE,
    PERM_TOKENS_VIEW,
    PERM_TOKENS_CREATE,
    PERM_TOKENS_DELETE,
    PERM_AUDIT_VIEW,
    PERM_METRICS_VIEW,
    PERM_COUNT
};

typedef uint64_t permission_set;
#define PERMISSION(p) ((permission_set)1 << (p))

/* "devices.view", as roles are stored and shown; false for an unknown word. */
const char *permission_name(enum permission p);
CHECKED bool permission_from_name(slice name, enum permission *ret);
/* With all that the set implies. */
permission_set permission_complete(permission_set set);

/* The roles that every application has, with the fixed IDs of the field. */
struct builtin_role {
    const char *id, *name;
    permission_set permissions;
};
extern const struct builtin_role builtin_roles[];
extern const size_t builtin_role_count;
/* NULL: none of them. */
const struct builtin_role *builtin_role_find(slice id);

#endif
