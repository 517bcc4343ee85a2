#include "identity/access/permission.h"

#include <assert.h>

/* clang-format off */
static const char *const names[] = {
    [PERM_TEMPLATES_VIEW] = "templates.view",
    [PERM_TEMPLATES_MANAGE] = "templates.manage",
    [PERM_DEVICES_VIEW] = "devices.view",
    [PERM_DEVICES_UPDATE] = "devices.update",
    [PERM_DEVICES_CREATE] = "devices.create",
    [PERM_DEVICES_DELETE] = "devices.delete",
    [PERM_DEVICES_COMMAND] = "devices.command",
    [PERM_DEVICES_RAW] = "devices.raw",
    [PERM_GROUPS_VIEW] = "groups.view",
    [PERM_GROUPS_UPDATE] = "groups.update",
    [PERM_GROUPS_CREATE] = "groups.create",
    [PERM_GROUPS_DELETE] = "groups.delete",
    [PERM_CONNECTIVITY_READ_INSTANCE] = "connectivity.readInstance",
    [PERM_CONNECTIVITY_MANAGE_INSTANCE] = "connectivity.manageInstance",
    [PERM_CONNECTIVITY_READ_GLOBAL] = "connectivity.readGlobal",
    [PERM_CONNECTIVITY_MANAGE_GLOBAL] = "connectivity.manageGlobal",
    [PERM_JOBS_VIEW] = "jobs.view",
    [PERM_JOBS_UPDATE] = "jobs.update",
    [PERM_JOBS_CREATE] = "jobs.create",
    [PERM_JOBS_DELETE] = "jobs.delete",
    [PERM_JOBS_EXECUTE] = "jobs.execute",
    [PERM_SETTINGS_VIEW] = "settings.view",
    [PERM_SETTINGS_UPDATE] = "settings.update",
    [PERM_ROLES_VIEW] = "roles.view",
    [PERM_ROLES_UPDATE] = "roles.update",
    [PERM_ROLES_CREATE] = "roles.create",
    [PERM_ROLES_DELETE] = "roles.delete",
    [PERM_USERS_VIEW] = "users.view",
    [PERM_USERS_ADD] = "users.add",
    [PERM_USERS_UPDATE] = "users.update",
    [PERM_USERS_DELETE] = "users.delete",
    [PERM_ORGANIZATIONS_VIEW] = "organizations.view",
    [PERM_ORGANIZATIONS_UPDATE] = "organizations.update",
    [PERM_ORGANIZATIONS_CREATE] = "organizations.create",
    [PERM_ORGANIZATIONS_DELETE] = "organizations.delete",
    [PERM_TOKENS_VIEW] = "apiTokens.view",
    [PERM_TOKENS_CREATE] = "apiTokens.create",
    [PERM_TOKENS_DELETE] = "apiTokens.delete",
    [PERM_AUDIT_VIEW] = "audit.view",
    [PERM_METRICS_VIEW] = "metrics.view",
};
/* clang-format on */
static_assert(COUNT_OF(names) == PERM_COUNT, "every permission has a name");
static_assert(PERM_COUNT < 64, "a set of permissions fits a word, with room for ALL");

const char *permission_name(enum permission p)
{
    return (unsigned)p < PERM_COUNT ? names[p] : "unknown";
}

bool permission_from_name(slice name, enum permission *ret)
{
    for (unsigned p = 0; p < PERM_COUNT; p++) {
        if (slice_equal(name, slice_str(names[p]))) {
            *ret = (enum permission)p;
            return true;
        }
    }
    return false;
}

/* --- what implies what (contract/central.md 4.8) ---------------------------------------------- */

#define TEMPLATES (PERMISSION(PERM_TEMPLATES_VIEW) | PERMISSION(PERM_TEMPLATES_MANAGE))
#define DEVICES                                                                                    \
    (PERMISSION(PERM_DEVICES_VIEW) | PERMISSION(PERM_DEVICES_UPDATE) |                             \
     PERMISSION(PERM_DEVICES_CREATE) | PERMISSION(PERM_DEVICES_DELETE) |                           \
     PERMISSION(PERM_DEVICES_COMMAND) | PERMISSION(PERM_DEVICES_RAW))
#define GROUPS                                                                                     \
    (PERMISSION(PERM_GROUPS_VIEW) | PERMISSION(PERM_GROUPS_UPDATE) |                               \
     PERMISSION(PERM_GROUPS_CREATE) | PERMISSION(PERM_GROUPS_DELETE))
#define CONNECTIVITY_INSTANCE                                                                      \
    (PERMISSION(PERM_CONNECTIVITY_READ_INSTANCE) | PERMISSION(PERM_CONNECTIVITY_MANAGE_INSTANCE))
#define CONNECTIVITY_GLOBAL                                                                        \
    (PERMISSION(PERM_CONNECTIVITY_READ_GLOBAL) | PERMISSION(PERM_CONNECTIVITY_MANAGE_GLOBAL))
#define JOBS                                                                                       \
    (PERMISSION(PERM_JOBS_VIEW) | PERMISSION(PERM_JOBS_UPDATE) | PERMISSION(PERM_JOBS_CREATE) |    \
     PERMISSION(PERM_JOBS_DELETE) | PERMISSION(PERM_JOBS_EXECUTE))
#define ROLES                                                                                      \
    (PERMISSION(PERM_ROLES_VIEW) | PERMISSION(PERM_ROLES_UPDATE) | PERMISSION(PERM_ROLES_CREATE) | \
     PERMISSION(PERM_ROLES_DELETE))
#define USERS                                                                                      \
    (PERMISSION(PERM_USERS_VIEW) | PERMISSION(PERM_USERS_ADD) | PERMISSION(PERM_USERS_UPDATE) |    \
     PERMISSION(PERM_USERS_DELETE))
#define ORGANIZATIONS                                                                              \
    (PERMISSION(PERM_ORGANIZATIONS_VIEW) | PERMISSION(PERM_ORGANIZATIONS_UPDATE) |                 \
     PERMISSION(PERM_ORGANIZATIONS_CREATE) | PERMISSION(PERM_ORGANIZATIONS_DELETE))
#define TOKENS                                                                                     \
    (PERMISSION(PERM_TOKENS_VIEW) | PERMISSION(PERM_TOKENS_CREATE) | PERMISSION(PERM_TOKENS_DELETE))
#define ALL (PERMISSION(PERM_COUNT) - 1)

/* Whoever has one of `has` has `implied` too. In this order, one pass completes any set: what a
 * row implies is found in later rows only. */
static const struct {
    permission_set has, implied;
} implications[] = {
    {PERMISSION(PERM_CONNECTIVITY_MANAGE_INSTANCE), PERMISSION(PERM_CONNECTIVITY_READ_INSTANCE)},
    {PERMISSION(PERM_CONNECTIVITY_MANAGE_GLOBAL), PERMISSION(PERM_CONNECTIVITY_READ_GLOBAL)},
    {CONNECTIVITY_INSTANCE | CONNECTIVITY_GLOBAL, PERMISSION(PERM_DEVICES_VIEW)},
    {DEVICES, PERMISSION(PERM_DEVICES_VIEW) | PERMISSION(PERM_TEMPLATES_VIEW) |
                  PERMISSION(PERM_GROUPS_VIEW)},
    {TEMPLATES, PERMISSION(PERM_TEMPLATES_VIEW)},
    {GROUPS, PERMISSION(PERM_GROUPS_VIEW)},
    {JOBS, PERMISSION(PERM_JOBS_VIEW)},
    {PERMISSION(PERM_SETTINGS_UPDATE), PERMISSION(PERM_SETTINGS_VIEW)},
    {ROLES, PERMISSION(PERM_ROLES_VIEW)},
    {USERS, PERMISSION(PERM_USERS_VIEW)},
    {ORGANIZATIONS, PERMISSION(PERM_ORGANIZATIONS_VIEW)},
    {TOKENS, PERMISSION(PERM_TOKENS_VIEW)},
};

permission_set permission_complete(permission_set set)
{
    set &= ALL;
    for (size_t i = 0; i < COUNT_OF(implications); i++) {
        if (set & implications[i].has)
            set |= implications[i].implied;
    }
    return set;
}

/* --- the roles of every application ----------------------------------------------------------- */

/* IDs: MicrosoftDocs/azure-docs, howto-manage-users-roles and howto-create-organizations (REST
 * examples). A builder does all but administration, an operator all with devices that needs no
 * template; the organizations' roles are meant for use within one. */
const struct builtin_role builtin_roles[] = {
    {"ca310b8d-2f4a-44e0-a36e-957c202cd8d4", "Administrator", ALL},
    {"344138e9-8de4-4497-8c54-5237e96d6aaf", "Builder",
     TEMPLATES | DEVICES | GROUPS | CONNECTIVITY_INSTANCE | JOBS | PERMISSION(PERM_SETTINGS_VIEW) |
         PERMISSION(PERM_METRICS_VIEW)},
    {"ae2c9854-393b-4f97-8c42-479d70ce626e", "Operator",
     PERMISSION(PERM_TEMPLATES_VIEW) | DEVICES | GROUPS | CONNECTIVITY_INSTANCE | JOBS},
    {"c495eb57-eb18-489e-9802-62c474e5645c", "Org Administrator",
     PERMISSION(PERM_TEMPLATES_VIEW) | DEVICES | GROUPS | CONNECTIVITY_INSTANCE | JOBS |
         PERMISSION(PERM_ROLES_VIEW) | USERS | ORGANIZATIONS | TOKENS},
    {"b4935647-30e4-4ed3-9074-dcac66c2f8ef", "Org Operator",
     PERMISSION(PERM_TEMPLATES_VIEW) | DEVICES | GROUPS | CONNECTIVITY_INSTANCE | JOBS},
    {"84cc62c1-dabe-49d3-b16e-8b291232b285", "Org Viewer",
     PERMISSION(PERM_TEMPLATES_VIEW) | PERMISSION(PERM_DEVICES_VIEW) |
         PERMISSION(PERM_GROUPS_VIEW) | PERMISSION(PERM_JOBS_VIEW)},
};
const size_t builtin_role_count = COUNT_OF(builtin_roles);

const struct builtin_role *builtin_role_find(slice id)
{
    for (size_t i = 0; i < COUNT_OF(builtin_roles); i++) {
        if (slice_equal(id, slice_str(builtin_roles[i].id)))
            return &builtin_roles[i];
    }
    return NULL;
}
