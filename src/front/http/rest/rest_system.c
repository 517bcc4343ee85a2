/* Paths of the compatible REST API that are documented nowhere, and that the field's command line
 * calls (contract/central.md 6.6). */
#include "front/http/application.h"
#include "front/http/rest.h"
#include "hub/c2d.h"

static void on_purged(void *context, enum status status, int64_t count, const struct fault *why)
{
    BUF_CLEANUP struct buf body = {.max = REST_ANSWER_MAX};
    struct json_writer w = {.to = &body};
    struct exchange *x = context;

    json_open(&w, (slice){0}, '{');
    json_put_text(&w, SLICE("deviceId"), x->bound[0]);
    json_put_int(&w, SLICE("totalMessagesPurged"), count);
    json_close(&w, '}');
    rest_end(x, status, &body, why);
}

static void messages_purge(struct exchange *x)
{
    const struct http_front_options *options = &x->front->options;

    exchange_hold(x);
    c2d_purge(options->hub, identity_default_hub(options->identity)->name, x->bound[0], (slice){0},
              on_purged, x);
}

static const struct rest_schema schemas[] = {
    {"DeviceTwin", NULL, "{'type':'object'}"},
    {"PurgeResult", "'deviceId','totalMessagesPurged'",
     "'deviceId':{'type':'string'},'totalMessagesPurged':{'type':'integer'}"},
};

/* clang-format off */
static const struct rest_route routes[] = {
    {{HTTP_GET,    "system/iothub/devices/{}/get-twin", PERM_DEVICES_VIEW,    app_twin_get},   "System_GetTwin",       NULL, "DeviceTwin",  200, 0},
    {{HTTP_DELETE, "system/iothub/devices/{}/c2d",      PERM_DEVICES_COMMAND, messages_purge}, "System_PurgeMessages", NULL, "PurgeResult", 200, 0},
};
/* clang-format on */

const struct rest_table rest_system = {routes, COUNT_OF(routes), schemas, COUNT_OF(schemas)};
