/* The application's REST API: its routes, its callers, its errors, and what handlers share. */
#include "front/http/application.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "central/operation/import_spool.h"
#include "crypto/crl.h"
#include "front/http/caller.h"

#define APP_BODY_MAX (1024 * 1024)
/* A revocation list of CRL_FILE_MAX bytes in base64, and some JSON around it. */
#define APP_CRL_BODY_MAX (CRL_FILE_MAX / 3 * 4 + 64 * 1024)

/* clang-format off */
static const struct http_route routes[] = {
    {HTTP_GET,    "info",                                          PERM_DEVICES_VIEW,                      app_info_get},
    {HTTP_GET,    "settings",                                      PERM_SETTINGS_VIEW,                     app_settings_get},
    {HTTP_PUT,    "settings/{}",                                   PERM_SETTINGS_UPDATE,                   app_setting_put},
    {HTTP_GET,    "templates",                                     PERM_TEMPLATES_VIEW,                    app_templates_list},
    {HTTP_GET,    "templates/{}",                                  PERM_TEMPLATES_VIEW,                    app_template_get},
    {HTTP_PUT,    "templates/{}",                                  PERM_TEMPLATES_MANAGE,                  app_template_put},
    {HTTP_GET,    "templates/{}/draft",                            PERM_TEMPLATES_VIEW,                    app_template_draft_get},
    {HTTP_PUT,    "templates/{}/draft",                            PERM_TEMPLATES_MANAGE,                  app_template_draft_put},
    {HTTP_DELETE, "templates/{}/draft",                            PERM_TEMPLATES_MANAGE,                  app_template_draft_delete},
    {HTTP_GET,    "templates/{}/changes",                          PERM_TEMPLATES_VIEW,                    app_template_changes},
    {HTTP_POST,   "templates/{}/publish",                          PERM_TEMPLATES_MANAGE,                  app_template_publish},
    {HTTP_POST,   "templates/{}/versions",                         PERM_TEMPLATES_MANAGE,                  app_template_version},
    {HTTP_GET,    "policies/{}/{}",                                PERM_CONNECTIVITY_MANAGE_GLOBAL,        app_policy_get},
    {HTTP_GET,    "messages",                                      PERM_DEVICES_RAW,                       app_monitor},

    {HTTP_GET,    "enrollmentGroups",                              PERM_CONNECTIVITY_READ_GLOBAL,          app_enrollments_list},
    {HTTP_GET,    "enrollmentGroups/{}",                           PERM_CONNECTIVITY_READ_GLOBAL,          app_enrollment_get},
    {HTTP_PUT,    "enrollmentGroups/{}",                           PERM_CONNECTIVITY_MANAGE_GLOBAL,        app_enrollment_put},
    {HTTP_PATCH,  "enrollmentGroups/{}",                           PERM_CONNECTIVITY_MANAGE_GLOBAL,        app_enrollment_patch},
    {HTTP_DELETE, "enrollmentGroups/{}",                           PERM_CONNECTIVITY_MANAGE_GLOBAL,        app_enrollment_delete},
    {HTTP_POST,   "enrollmentGroups/{}/regenerateKey",             PERM_CONNECTIVITY_MANAGE_GLOBAL,        app_enrollment_regenerate},
    {HTTP_GET,    "individualEnrollments",                         PERM_CONNECTIVITY_READ_INSTANCE,        app_enrollments_list},
    {HTTP_GET,    "individualEnrollments/{}",                      PERM_CONNECTIVITY_READ_INSTANCE,        app_enrollment_get},
    {HTTP_PUT,    "individualEnrollments/{}",                      PERM_CONNECTIVITY_MANAGE_INSTANCE,      app_enrollment_put},
    {HTTP_PATCH,  "individualEnrollments/{}",                      PERM_CONNECTIVITY_MANAGE_INSTANCE,      app_enrollment_patch},
    {HTTP_DELETE, "individualEnrollments/{}",                      PERM_CONNECTIVITY_MANAGE_INSTANCE,      app_enrollment_delete},
    {HTTP_POST,   "individualEnrollments/{}/regenerateKey",        PERM_CONNECTIVITY_MANAGE_INSTANCE,      app_enrollment_regenerate},

    {HTTP_GET,    "enrollmentGroups/{}/certificates",              PERM_CONNECTIVITY_READ_GLOBAL,          app_authorities_get},
    {HTTP_PUT,    "enrollmentGroups/{}/certificates/{}",           PERM_CONNECTIVITY_MANAGE_GLOBAL,        app_authority_put},
    {HTTP_DELETE, "enrollmentGroups/{}/certificates/{}",           PERM_CONNECTIVITY_MANAGE_GLOBAL,        app_authority_delete},
    {HTTP_POST,    "enrollmentGroups/{}/certificates/{}/generateVerificationCode",
     PERM_CONNECTIVITY_MANAGE_GLOBAL, app_authority_issue_code},
    {HTTP_POST,   "enrollmentGroups/{}/certificates/{}/verify",    PERM_CONNECTIVITY_MANAGE_GLOBAL,        app_authority_verify},
    {HTTP_PUT,    "enrollmentGroups/{}/certificates/{}/ocsp",      PERM_CONNECTIVITY_MANAGE_GLOBAL,        app_authority_ocsp_put},
    {HTTP_DELETE, "enrollmentGroups/{}/certificates/{}/crl",       PERM_CONNECTIVITY_MANAGE_GLOBAL,        app_authority_crl_delete},
    {HTTP_PUT,    "enrollmentGroups/{}/crl",                       PERM_CONNECTIVITY_MANAGE_GLOBAL,        app_crl_put},
    {HTTP_GET,    "deniedCertificates",                            PERM_CONNECTIVITY_READ_GLOBAL,          app_denials_list},
    {HTTP_POST,   "deniedCertificates",                            PERM_CONNECTIVITY_MANAGE_GLOBAL,        app_denial_add},
    {HTTP_DELETE, "deniedCertificates/{}",                         PERM_CONNECTIVITY_MANAGE_GLOBAL,        app_denial_delete},

    {HTTP_GET,    "permissions",                                   PERM_ROLES_VIEW,                        app_permissions_list},
    {HTTP_GET,    "routes",                                        PERM_ROLES_VIEW,                        app_routes_list},
    {HTTP_GET,    "roles",                                         PERM_ROLES_VIEW,                        app_roles_list},
    {HTTP_GET,    "roles/{}",                                      PERM_ROLES_VIEW,                        app_role_get},
    {HTTP_PUT,    "roles/{}",                                      PERM_ROLES_CREATE,                      app_role_put},
    {HTTP_PATCH,  "roles/{}",                                      PERM_ROLES_UPDATE,                      app_role_patch},
    {HTTP_DELETE, "roles/{}",                                      PERM_ROLES_DELETE,                      app_role_delete},
    {HTTP_POST,   "users/{}/invitation",                           PERM_USERS_UPDATE,                      app_user_invite},
    {HTTP_GET,    "audit",                                         PERM_AUDIT_VIEW,                        app_audit_list},

    {HTTP_GET,    "registrationAttempts",                          PERM_DEVICES_VIEW,                      app_attempts_list},
    {HTTP_POST,   "explain",                                       PERM_CONNECTIVITY_READ_INSTANCE,        app_explain},

    {HTTP_GET,    "devices",                                       PERM_DEVICES_VIEW,                      app_devices_list},
    {HTTP_POST,   "devices",                                       PERM_DEVICES_CREATE,                    app_device_create},
    {HTTP_GET,    "devices/{}",                                    PERM_DEVICES_VIEW,                      app_device_get},
    {HTTP_PUT,    "devices/{}",                                    PERM_DEVICES_CREATE,                    app_device_put},
    {HTTP_DELETE, "devices/{}",                                    PERM_DEVICES_DELETE,                    app_device_delete},
    {HTTP_POST,   "devices/{}/approve",                            PERM_CONNECTIVITY_MANAGE_INSTANCE,      app_device_approve},
    {HTTP_POST,   "devices/{}/associate",                          PERM_DEVICES_UPDATE,                    app_device_associate},
    {HTTP_POST,   "devices/{}/block",                              PERM_CONNECTIVITY_MANAGE_INSTANCE,      app_device_block},
    {HTTP_POST,   "devices/{}/unblock",                            PERM_CONNECTIVITY_MANAGE_INSTANCE,      app_device_unblock},
    {HTTP_POST,   "devices/{}/deprovision",                        PERM_CONNECTIVITY_MANAGE_INSTANCE,      app_device_deprovision},
    {HTTP_GET,    "devices/{}/credentials",                        PERM_CONNECTIVITY_READ_INSTANCE,        app_device_credentials},
    {HTTP_POST,   "devices/{}/connectionString",                   PERM_CONNECTIVITY_READ_INSTANCE,        app_device_connection_string},

    {HTTP_POST,   "deviceImports",                                 PERM_DEVICES_CREATE,                    app_device_import},
    {HTTP_GET,    "deviceExport",                                  PERM_CONNECTIVITY_READ_INSTANCE,        app_device_export},
    {HTTP_GET,    "deviceExport/withoutKeys",                      PERM_DEVICES_VIEW,                      app_device_export_without_keys},
    {HTTP_POST,   "deviceExport/links",                            PERM_CONNECTIVITY_READ_INSTANCE,        app_device_export_link},
    {HTTP_GET,    "deviceExport/links/{}",                         PERM_CONNECTIVITY_READ_INSTANCE,        app_device_export_linked},
    {HTTP_GET,    "operations",                                    PERM_DEVICES_VIEW,                      app_operations_list},
    {HTTP_GET,    "operations/{}",                                 PERM_DEVICES_VIEW,                      app_operation_get},
    {HTTP_POST,   "operations/{}/cancel",                          PERM_DEVICES_UPDATE,                    app_operation_cancel},
    {HTTP_GET,    "operations/{}/errors",                          PERM_DEVICES_VIEW,                      app_operation_errors},
    {HTTP_GET,    "operations/{}/rejected",                        PERM_CONNECTIVITY_READ_INSTANCE,        app_operation_rejected},
    {HTTP_POST,   "operations/approve",                            PERM_CONNECTIVITY_MANAGE_INSTANCE,      app_devices_approve},
    {HTTP_POST,   "operations/associate",                          PERM_DEVICES_UPDATE,                    app_devices_associate},
    {HTTP_POST,   "operations/block",                              PERM_CONNECTIVITY_MANAGE_INSTANCE,      app_devices_block},
    {HTTP_POST,   "operations/unblock",                            PERM_CONNECTIVITY_MANAGE_INSTANCE,      app_devices_unblock},
    {HTTP_POST,   "operations/delete",                             PERM_DEVICES_DELETE,                    app_devices_delete},
    {HTTP_GET,    "jobs/{}/devices",                               PERM_JOBS_VIEW,                         app_job_devices},

    {HTTP_GET,    "devices/{}/modules",                            PERM_DEVICES_VIEW,                      app_modules_list},
    {HTTP_GET,    "devices/{}/modules/{}",                         PERM_DEVICES_VIEW,                      app_module_get},
    {HTTP_PUT,    "devices/{}/modules/{}",                         PERM_CONNECTIVITY_MANAGE_INSTANCE,      app_module_put},
    {HTTP_DELETE, "devices/{}/modules/{}",                         PERM_CONNECTIVITY_MANAGE_INSTANCE,      app_module_delete},

    {HTTP_GET,    "devices/{}/twin",                               PERM_DEVICES_VIEW,                      app_twin_get},
    {HTTP_PATCH,  "devices/{}/twin",                               PERM_DEVICES_UPDATE,                    app_twin_patch},
    {HTTP_PUT,    "devices/{}/twin",                               PERM_DEVICES_UPDATE,                    app_twin_put},
    {HTTP_POST,   "devices/{}/methods",                            PERM_DEVICES_COMMAND,                   app_method_invoke},
    {HTTP_POST,   "devices/{}/messages",                           PERM_DEVICES_COMMAND,                   app_message_send},
    {HTTP_DELETE, "devices/{}/messages",                           PERM_DEVICES_COMMAND,                   app_messages_purge},
    {HTTP_GET,    "devices/{}/feedback",                           PERM_DEVICES_VIEW,                      app_feedback_list},
    {HTTP_GET,    "devices/{}/properties",                         PERM_DEVICES_VIEW,                      app_properties_list},
    {HTTP_GET,    "devices/{}/commands",                           PERM_DEVICES_VIEW,                      app_commands_list},
    {HTTP_GET,    "devices/{}/telemetry",                          PERM_DEVICES_VIEW,                      app_telemetry_list},
    {HTTP_GET,    "devices/{}/telemetry/{}",                       PERM_DEVICES_VIEW,                      app_telemetry_points},
    {HTTP_GET,    "devices/{}/telemetry/{}/buckets",               PERM_DEVICES_VIEW,                      app_telemetry_buckets},
    {HTTP_GET,    "devices/{}/rawData",                            PERM_DEVICES_RAW,                       app_raw_data},
    {HTTP_GET,    "devices/{}/aliases",                            PERM_DEVICES_VIEW,                      app_aliases_list},
    {HTTP_PUT,    "devices/{}/aliases/{}",                         PERM_DEVICES_UPDATE,                    app_alias_put},
    {HTTP_DELETE, "devices/{}/aliases/{}",                         PERM_DEVICES_UPDATE,                    app_alias_delete},
    {HTTP_POST,   "devices/{}/template",                           PERM_DEVICES_UPDATE,                    app_template_infer},
    {HTTP_GET,    "devices/{}/events",                             PERM_DEVICES_RAW,                       app_device_events},
    {HTTP_GET,    "devices/{}/modules/{}/twin",                    PERM_DEVICES_VIEW,                      app_twin_get},
    {HTTP_PATCH,  "devices/{}/modules/{}/twin",                    PERM_DEVICES_UPDATE,                    app_twin_patch},
    {HTTP_PUT,    "devices/{}/modules/{}/twin",                    PERM_DEVICES_UPDATE,                    app_twin_put},
    {HTTP_POST,   "devices/{}/modules/{}/methods",                 PERM_DEVICES_COMMAND,                   app_method_invoke},
    {HTTP_POST,   "devices/{}/modules/{}/messages",                PERM_DEVICES_COMMAND,                   app_message_send},
    {HTTP_DELETE, "devices/{}/modules/{}/messages",                PERM_DEVICES_COMMAND,                   app_messages_purge},
};
/* clang-format on */

static const struct http_body_limit body_limits[] = {
    {"enrollmentGroups/{}/crl", APP_CRL_BODY_MAX, false},
    {"deviceImports", IMPORT_BYTES_MAX, true},
};

/* --- errors: one row a status (contract/central.md 6.1) -------------------------------------- */

static const struct {
    int http_status;
    const char *code, *message;
} errors[] = {
    [ST_OK] = {200, "", ""},
    [ST_BAD_REQUEST] = {400, "InvalidBody", "the request is not valid"},
    [ST_UNAUTHORIZED] = {401, "Unauthorized", "the token or session is missing, wrong or expired"},
    [ST_FORBIDDEN] = {403, "Forbidden", "you lack the right for that"},
    [ST_NOT_FOUND] = {404, "NotFound", "there is no such thing"},
    [ST_DEVICE_NOT_FOUND] = {404, "NotFound", "there is no such device"},
    [ST_MODULE_NOT_FOUND] = {404, "NotFound", "there is no such module"},
    [ST_METHOD_NOT_ALLOWED] = {405, "MethodNotAllowed", "not with this method"},
    [ST_CONFLICT] = {409, "Conflict", "it exists already, or was changed meanwhile"},
    [ST_PRECONDITION_FAILED] = {412, "PreconditionFailed", "it was changed meanwhile"},
    [ST_TOO_LARGE] = {413, "PayloadTooLarge", "larger than allowed"},
    [ST_UNSUPPORTED_MEDIA] = {415, "UnsupportedMediaType", "send application/json"},
    [ST_QUEUE_FULL] = {403, "QueueFull", "50 messages wait for this device already"},
    [ST_QUOTA] = {403, "QuotaExceeded", "the quota is used up"},
    [ST_THROTTLED] = {429, "TooManyRequests", "too many requests for now"},
    [ST_NOT_ONLINE] = {404, "DeviceNotOnline", "the device is not connected, or takes no methods"},
    [ST_TIMEOUT] = {504, "RequestTimeout", "the device did not answer in time"},
    [ST_BAD_ANSWER] = {502, "BadDeviceAnswer", "the device answered with something unusable"},
    [ST_REFUSED] = {409, "Refused", "the device is not let in"},
    [ST_NO_HUB] = {409, "NoHub", "no hub is linked"},
    [ST_NO_SPACE] = {507, "InsufficientStorage", "the disk is nearly full: nothing was written"},
    [ST_UNAVAILABLE] = {503, "ServiceUnavailable", "not now; try again"},
    [ST_NO_MEMORY] = {503, "ServiceUnavailable", "out of memory; try again"},
    [ST_INTERNAL] = {500, "InternalServerError", "our fault; the log knows more"},
};
_Static_assert(COUNT_OF(errors) == ST_COUNT, "every status has a form in the application's API");

void app_answer_error_as(struct exchange *x, int http_status, const char *code, const char *message)
{
    BUF_CLEANUP struct buf body = {.max = 8192};
    struct json_writer w = {.to = &body};
    char date[CLOCK_TEXT_MAX];

    json_open(&w, (slice){0}, '{');
    json_open(&w, SLICE("error"), '{');
    json_put_text(&w, SLICE("code"), slice_str(code));
    json_put_text(&w, SLICE("message"), slice_str(message));
    json_put_text(&w, SLICE("requestId"), exchange_id(x));
    json_put_text(&w, SLICE("time"), clock_http_date(clock_wall_ms(), date));
    json_close(&w, '}');
    json_close(&w, '}');
    exchange_header(x, "x-ms-error-code", slice_str(code));
    exchange_answer(x, http_status, buf_slice(&body));
}

void app_answer_error(struct exchange *x, enum status status, const struct fault *why)
{
    bool tell = why && why->text[0] && status != ST_UNAUTHORIZED && status != ST_INTERNAL &&
                status != ST_NO_SPACE;

    if (status == ST_UNAUTHORIZED || status == ST_INTERNAL)
        LOG_LIMITED(LOG_LEVEL_WARN, "api_refused", LOG_STR("status", status_name(status)),
                    LOG_STR("cause", why ? why->text : ""), LOG_TEXT("trace", exchange_id(x)));
    if (status == ST_THROTTLED || status == ST_UNAVAILABLE)
        exchange_header(x, "Retry-After", SLICE("10"));
    app_answer_error_as(x, errors[status].http_status, errors[status].code,
                        tell ? why->text : errors[status].message);
}

/* --- callers --------------------------------------------------------------------------------- */

static void on_principal(void *context, enum status status, const struct principal *p,
                         const struct fault *why)
{
    struct exchange *x = context;

    if (status == ST_OK && exchange_is_wanted(x)) {
        http_connection_set_authenticated(x->connection);
        x->principal = *p;
        exchange_dispatch(x);
    } else {
        exchange_answer_error(x, status, why);
    }
    exchange_release(x);
}

void app_authenticate(struct exchange *x)
{
    if (!caller_is_meant(x))
        return;
    exchange_hold(x);
    caller_identify(x, SESSION_USED, on_principal, x);
}

const struct http_family application_family = {
    .routes = routes,
    .route_count = COUNT_OF(routes),
    .base_segments = 3, /* api/muster/v1 */
    .body_max = APP_BODY_MAX,
    .body_limits = body_limits,
    .body_limit_count = COUNT_OF(body_limits),
    .authenticate = app_authenticate,
    .answer_error = app_answer_error,
};

/* --- shared by handlers ---------------------------------------------------------------------- */

void app_put_time(struct json_writer *w, slice name, instant at)
{
    char text[CLOCK_TEXT_MAX];

    if (at == 0)
        json_put_null(w, name);
    else
        json_put_text(w, name, clock_iso(at, text));
}

void app_put_text_or_null(struct json_writer *w, slice name, slice text)
{
    if (text.len == 0)
        json_put_null(w, name);
    else
        json_put_text(w, name, text);
}

void app_put_key(struct json_writer *w, slice name, const struct secret *key)
{
    BUF_CLEANUP struct buf text = {.max = 128};

    if (key->len == 0)
        return;
    base64_encode(secret_slice(key), &text);
    json_put_text(w, name, buf_slice(&text));
}

void app_put_etag(struct json_writer *w, int64_t version)
{
    char text[24];
    int len = snprintf(text, sizeof text, "%" PRId64, version);

    json_put_text(w, SLICE("etag"), slice_of(text, (size_t)len));
}

bool app_wrong(struct exchange *x, const char *sentence)
{
    struct fault why;

    fault_set(&why, ST_BAD_REQUEST, "%s", sentence);
    exchange_answer_error(x, ST_BAD_REQUEST, &why);
    return false;
}

bool app_read_version(struct exchange *x, const struct json *body, int64_t *ret)
{
    slice etag = http_header(x->request, SLICE("If-Match"));

    if (etag.len == 0)
        json_get_text(body, SLICE("etag"), &etag);
    if (etag.len >= 2 && etag.ptr[0] == '"' && etag.ptr[etag.len - 1] == '"')
        etag = slice_of(etag.ptr + 1, etag.len - 2);
    *ret = 0;
    if (etag.len == 0 || slice_equal(etag, SLICE("*")))
        return true;
    return (slice_to_i64(etag, ret) && *ret > 0) || app_wrong(x, "the etag is none of ours");
}

bool app_is_forced(struct exchange *x)
{
    slice value;

    return exchange_query(x, SLICE("force"), &value) && slice_equal(value, SLICE("true"));
}

void app_answer_object(struct exchange *x, const struct buf *body)
{
    struct fault why;

    if (body->failed) {
        fault_set(&why, ST_INTERNAL, "the answer is too large");
        exchange_answer_error(x, ST_INTERNAL, &why);
        return;
    }
    exchange_answer(x, 200, buf_slice(body));
}

bool app_answer_begin(struct app_answer *a, struct exchange *x, enum status status,
                      const struct fault *why)
{
    if (status != ST_OK) {
        exchange_answer_error(x, status, why);
        exchange_release(x);
        return false;
    }
    a->x = x;
    buf_init(&a->body, APP_ANSWER_MAX);
    a->w = (struct json_writer){.to = &a->body};
    return true;
}

void app_answer_end(struct app_answer *a)
{
    app_answer_object(a->x, &a->body);
    buf_deinit(&a->body);
    exchange_release(a->x);
}

void app_answer_done(void *exchange, enum status status, const struct fault *why)
{
    struct exchange *x = exchange;

    if (status == ST_OK)
        exchange_answer(x, 204, (slice){0});
    else
        exchange_answer_error(x, status, why);
    exchange_release(x);
}

/* --- lists ----------------------------------------------------------------------------------- */

struct app_list *app_list_begin(struct exchange *x)
{
    struct app_list *list = arena_alloc(&x->arena, sizeof *list);
    uint64_t limit = APP_PAGE_DEFAULT;
    struct fault why;
    slice top;

    if (!list) {
        exchange_answer_error(x, ST_NO_MEMORY, NULL);
        return NULL;
    }
    if (exchange_query(x, SLICE("top"), &top) &&
        (!slice_to_u64(top, &limit) || limit < 1 || limit > APP_PAGE_MAX)) {
        fault_set(&why, ST_BAD_REQUEST, "top must be a whole number from 1 to %d", APP_PAGE_MAX);
        exchange_answer_error(x, ST_BAD_REQUEST, &why);
        return NULL;
    }
    if (!exchange_query(x, SLICE("after"), &list->after))
        list->after = (slice){0};
    list->x = x;
    list->limit = (unsigned)limit;
    buf_init(&list->text, APP_ANSWER_MAX);
    buf_init(&list->last, 1024);
    list->w = (struct json_writer){.to = &list->text};
    json_open(&list->w, (slice){0}, '{');
    json_open(&list->w, SLICE("value"), '[');
    exchange_hold(x);
    return list;
}

slice app_number_text(int64_t number, char to[APP_NUMBER_MAX])
{
    int len = snprintf(to, APP_NUMBER_MAX, "%" PRId64, number);

    return slice_of(to, (size_t)len);
}

bool app_list_row(struct app_list *list, slice id)
{
    list->cut = list->cut || list->text.len > APP_PAGE_BYTES;
    if (list->cut)
        return false;
    list->count++;
    buf_clear(&list->last);
    buf_append(&list->last, id);
    return true;
}

void app_list_end(struct app_list *list, enum status status, const struct fault *why)
{
    struct exchange *x = list->x;

    json_close(&list->w, ']');
    if (list->cut || list->count >= list->limit)
        json_put_text(&list->w, SLICE("next"), buf_slice(&list->last));
    json_close(&list->w, '}');
    if (status == ST_OK)
        app_answer_object(x, &list->text);
    else
        exchange_answer_error(x, status, why);
    buf_deinit(&list->text);
    buf_deinit(&list->last);
    exchange_release(x);
}
