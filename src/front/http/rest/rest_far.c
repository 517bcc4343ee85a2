/* Operations that are known and not built: they say so (contract/central.md 6.3, rank F; 6.5; 6.6).
 * What is built moves to a file of its own. */
#include "front/http/rest.h"

/* clang-format off */
static const struct rest_route routes[] = {
    {{HTTP_GET,    "devices/{}/modules",                                         PERM_DEVICES_VIEW,                  rest_not_implemented}, "Devices_ListModules", NULL, NULL, 501, 0},
    {{HTTP_GET,    "devices/{}/modules/{}/properties",                           PERM_DEVICES_VIEW,                  rest_not_implemented}, "Devices_GetModuleProperties", NULL, NULL, 501, 0},
    {{HTTP_PUT,    "devices/{}/modules/{}/properties",                           PERM_DEVICES_UPDATE,                rest_not_implemented}, "Devices_ReplaceModuleProperties", NULL, NULL, 501, 0},
    {{HTTP_PATCH,  "devices/{}/modules/{}/properties",                           PERM_DEVICES_UPDATE,                rest_not_implemented}, "Devices_UpdateModuleProperties", NULL, NULL, 501, 0},
    {{HTTP_GET,    "devices/{}/modules/{}/telemetry/{}",                         PERM_DEVICES_VIEW,                  rest_not_implemented}, "Devices_GetModuleTelemetryValue", NULL, NULL, 501, 0},
    {{HTTP_GET,    "devices/{}/modules/{}/commands/{}",                          PERM_DEVICES_VIEW,                  rest_not_implemented}, "Devices_GetModuleCommandHistory", NULL, NULL, 501, 0},
    {{HTTP_POST,   "devices/{}/modules/{}/commands/{}",                          PERM_DEVICES_COMMAND,               rest_not_implemented}, "Devices_RunModuleCommand", NULL, NULL, 501, 0},
    {{HTTP_GET,    "devices/{}/modules/{}/components",                           PERM_DEVICES_VIEW,                  rest_not_implemented}, "Devices_ListModuleComponents", NULL, NULL, 501, 0},
    {{HTTP_GET,    "devices/{}/modules/{}/components/{}/properties",             PERM_DEVICES_VIEW,                  rest_not_implemented}, "Devices_GetModuleComponentProperties", NULL, NULL, 501, 0},
    {{HTTP_PUT,    "devices/{}/modules/{}/components/{}/properties",             PERM_DEVICES_UPDATE,                rest_not_implemented}, "Devices_ReplaceModuleComponentProperties", NULL, NULL, 501, 0},
    {{HTTP_PATCH,  "devices/{}/modules/{}/components/{}/properties",             PERM_DEVICES_UPDATE,                rest_not_implemented}, "Devices_UpdateModuleComponentProperties", NULL, NULL, 501, 0},
    {{HTTP_GET,    "devices/{}/modules/{}/components/{}/telemetry/{}",           PERM_DEVICES_VIEW,                  rest_not_implemented}, "Devices_GetModuleComponentTelemetryValue", NULL, NULL, 501, 0},
    {{HTTP_GET,    "devices/{}/modules/{}/components/{}/commands/{}",            PERM_DEVICES_VIEW,                  rest_not_implemented}, "Devices_GetModuleComponentCommandHistory", NULL, NULL, 501, 0},
    {{HTTP_POST,   "devices/{}/modules/{}/components/{}/commands/{}",            PERM_DEVICES_COMMAND,               rest_not_implemented}, "Devices_RunModuleComponentCommand", NULL, NULL, 501, 0},

    {{HTTP_GET,    "fileUploads",                                                PERM_SETTINGS_VIEW,                 rest_not_implemented}, "FileUploads_Get", NULL, NULL, 501, 0},
    {{HTTP_PUT,    "fileUploads",                                                PERM_SETTINGS_UPDATE,               rest_not_implemented}, "FileUploads_Create", NULL, NULL, 501, 0},
    {{HTTP_PATCH,  "fileUploads",                                                PERM_SETTINGS_UPDATE,               rest_not_implemented}, "FileUploads_Update", NULL, NULL, 501, 0},
    {{HTTP_DELETE, "fileUploads",                                                PERM_SETTINGS_UPDATE,               rest_not_implemented}, "FileUploads_Remove", NULL, NULL, 501, 0},

    {{HTTP_GET,    "scheduledJobs",                                              PERM_JOBS_VIEW,                     rest_not_implemented}, "ScheduledJobs_List", NULL, NULL, 501, 0},
    {{HTTP_GET,    "scheduledJobs/{}",                                           PERM_JOBS_VIEW,                     rest_not_implemented}, "ScheduledJobs_Get", NULL, NULL, 501, 0},
    {{HTTP_PUT,    "scheduledJobs/{}",                                           PERM_JOBS_CREATE,                   rest_not_implemented}, "ScheduledJobs_Create", NULL, NULL, 501, 0},
    {{HTTP_PATCH,  "scheduledJobs/{}",                                           PERM_JOBS_UPDATE,                   rest_not_implemented}, "ScheduledJobs_Update", NULL, NULL, 501, 0},
    {{HTTP_DELETE, "scheduledJobs/{}",                                           PERM_JOBS_DELETE,                   rest_not_implemented}, "ScheduledJobs_Remove", NULL, NULL, 501, 0},
    {{HTTP_GET,    "scheduledJobs/{}/jobs",                                      PERM_JOBS_VIEW,                     rest_not_implemented}, "ScheduledJobs_ListJobs", NULL, NULL, 501, 0},

    {{HTTP_GET,    "dashboards",                                                 PERM_SETTINGS_VIEW,                 rest_not_implemented}, "Dashboards_List", NULL, NULL, 501, 0},
    {{HTTP_GET,    "dashboards/{}",                                              PERM_SETTINGS_VIEW,                 rest_not_implemented}, "Dashboards_Get", NULL, NULL, 501, 0},
    {{HTTP_PUT,    "dashboards/{}",                                              PERM_SETTINGS_UPDATE,               rest_not_implemented}, "Dashboards_Create", NULL, NULL, 501, 0},
    {{HTTP_PATCH,  "dashboards/{}",                                              PERM_SETTINGS_UPDATE,               rest_not_implemented}, "Dashboards_Update", NULL, NULL, 501, 0},
    {{HTTP_DELETE, "dashboards/{}",                                              PERM_SETTINGS_UPDATE,               rest_not_implemented}, "Dashboards_Remove", NULL, NULL, 501, 0},

    {{HTTP_GET,    "dataExport/destinations",                                    PERM_SETTINGS_VIEW,                 rest_not_implemented}, "Destinations_List", NULL, NULL, 501, 0},
    {{HTTP_GET,    "dataExport/destinations/{}",                                 PERM_SETTINGS_VIEW,                 rest_not_implemented}, "Destinations_Get", NULL, NULL, 501, 0},
    {{HTTP_PUT,    "dataExport/destinations/{}",                                 PERM_SETTINGS_UPDATE,               rest_not_implemented}, "Destinations_Create", NULL, NULL, 501, 0},
    {{HTTP_PATCH,  "dataExport/destinations/{}",                                 PERM_SETTINGS_UPDATE,               rest_not_implemented}, "Destinations_Update", NULL, NULL, 501, 0},
    {{HTTP_DELETE, "dataExport/destinations/{}",                                 PERM_SETTINGS_UPDATE,               rest_not_implemented}, "Destinations_Remove", NULL, NULL, 501, 0},
    {{HTTP_GET,    "dataExport/destinations/{}/exports",                         PERM_SETTINGS_VIEW,                 rest_not_implemented}, "Destinations_ListExports", NULL, NULL, 501, 0},

    {{HTTP_GET,    "dataExport/exports",                                         PERM_SETTINGS_VIEW,                 rest_not_implemented}, "Exports_List", NULL, NULL, 501, 0},
    {{HTTP_GET,    "dataExport/exports/{}",                                      PERM_SETTINGS_VIEW,                 rest_not_implemented}, "Exports_Get", NULL, NULL, 501, 0},
    {{HTTP_PUT,    "dataExport/exports/{}",                                      PERM_SETTINGS_UPDATE,               rest_not_implemented}, "Exports_Create", NULL, NULL, 501, 0},
    {{HTTP_PATCH,  "dataExport/exports/{}",                                      PERM_SETTINGS_UPDATE,               rest_not_implemented}, "Exports_Update", NULL, NULL, 501, 0},
    {{HTTP_DELETE, "dataExport/exports/{}",                                      PERM_SETTINGS_UPDATE,               rest_not_implemented}, "Exports_Remove", NULL, NULL, 501, 0},
    {{HTTP_GET,    "dataExport/exports/{}/destinations",                         PERM_SETTINGS_VIEW,                 rest_not_implemented}, "Exports_ListDestinations", NULL, NULL, 501, 0},

    {{HTTP_GET,    "deploymentManifests",                                        PERM_TEMPLATES_VIEW,                rest_not_implemented}, "DeploymentManifests_List", NULL, NULL, 501, 0},
    {{HTTP_GET,    "deploymentManifests/{}",                                     PERM_TEMPLATES_VIEW,                rest_not_implemented}, "DeploymentManifests_Get", NULL, NULL, 501, 0},
    {{HTTP_PUT,    "deploymentManifests/{}",                                     PERM_TEMPLATES_MANAGE,              rest_not_implemented}, "DeploymentManifests_Create", NULL, NULL, 501, 0},
    {{HTTP_PATCH,  "deploymentManifests/{}",                                     PERM_TEMPLATES_MANAGE,              rest_not_implemented}, "DeploymentManifests_Update", NULL, NULL, 501, 0},
    {{HTTP_DELETE, "deploymentManifests/{}",                                     PERM_TEMPLATES_MANAGE,              rest_not_implemented}, "DeploymentManifests_Remove", NULL, NULL, 501, 0},

    {{HTTP_POST,   "devices/{}/applyDeploymentManifest",                         PERM_DEVICES_UPDATE,                rest_not_implemented}, "Devices_ApplyDeploymentManifest", NULL, NULL, 501, 0},

    {{HTTP_POST,   "query",                                                      PERM_DEVICES_VIEW,                  rest_not_implemented}, "Query_Run", NULL, NULL, 501, 0},

    {{HTTP_POST,   "system/iothubs/generateEventSasTokens",                      PERM_DEVICES_RAW,                   rest_not_implemented}, "System_GenerateEventTokens", NULL, NULL, 501, 0},
    {{HTTP_POST,   "system/iothub/devices/{}/manual-failover",                   PERM_CONNECTIVITY_MANAGE_INSTANCE,  rest_not_implemented}, "System_FailOver", NULL, NULL, 501, 0},
    {{HTTP_POST,   "system/iothub/devices/{}/manual-failback",                   PERM_CONNECTIVITY_MANAGE_INSTANCE,  rest_not_implemented}, "System_FailBack", NULL, NULL, 501, 0},
    {{HTTP_GET,    "system/iotedge/devices/{}/modules",                          PERM_DEVICES_VIEW,                  rest_not_implemented}, "System_ListEdgeModules", NULL, NULL, 501, 0},
    {{HTTP_POST,   "system/iotedge/devices/{}/modules/$edgeAgent/directmethods", PERM_DEVICES_COMMAND,               rest_not_implemented}, "System_InvokeEdgeAgent", NULL, NULL, 501, 0},
};
/* clang-format on */

const struct rest_table rest_far = {routes, COUNT_OF(routes), NULL, 0};
