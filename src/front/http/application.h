/* The application's REST API under /api/muster/v1: what the app_*.c files share. */
#ifndef MUSTER_FRONT_HTTP_APPLICATION_H
#define MUSTER_FRONT_HTTP_APPLICATION_H

#include "crypto/certificate_read.h"
#include "front/http/exchange.h"
#include "provisioning/attempt.h"

#define APP_ANSWER_MAX (960 * 1024) /* below what a stream lets wait */
#define APP_PAGE_BYTES (640 * 1024) /* a page ends early beyond this */
#define APP_PAGE_DEFAULT 100
#define APP_PAGE_MAX 1000

struct enrollment;
struct template;
struct template_result;

/* A list under construction: {"value":[...],"next":"<last ID>"}. Lives in the exchange's arena;
 * app_list_end answers and frees. */
struct app_list {
    struct exchange *x;
    struct buf text;
    struct json_writer w;
    slice after; /* as asked */
    unsigned limit;
    unsigned count;
    bool cut;        /* the page ended early */
    struct buf last; /* ID of the last row */
};
/* Reads `after` and `top`; NULL after a 400 was answered. The exchange is held until the end. */
struct app_list *app_list_begin(struct exchange *x);
/* Notes a row's ID; the caller then writes it through list->w. False: the page is full, leave it
 * out. */
CHECKED bool app_list_row(struct app_list *list, slice id);
void app_list_end(struct app_list *list, enum status status, const struct fault *why);

/* The ID of what is counted rather than named. */
#define APP_NUMBER_MAX 24
slice app_number_text(int64_t number, char to[APP_NUMBER_MAX]);

/* An ISO time member, null for 0. */
void app_put_time(struct json_writer *w, slice name, instant at);
/* A text member, null when empty. */
void app_put_text_or_null(struct json_writer *w, slice name, slice text);
/* A base64 member of a key; left out when there is none. */
void app_put_key(struct json_writer *w, slice name, const struct secret *key);
/* The version as text: "etag". */
void app_put_etag(struct json_writer *w, int64_t version);

/* For the other family of the application: the same callers and errors. */
void app_authenticate(struct exchange *x);
void app_answer_error(struct exchange *x, enum status status, const struct fault *why);
void app_answer_error_as(struct exchange *x, int http_status, const char *code,
                         const char *message);

/* Answers 400 with the sentence; false, so that refusing is one line. */
bool app_wrong(struct exchange *x, const char *sentence);
/* The version that the caller knows: If-Match, or "etag" of the body (NULL: none); 0: whatever it
 * is. False after a 400. */
CHECKED bool app_read_version(struct exchange *x, const struct json *body, int64_t *ret);
/* ?force=true */
bool app_is_forced(struct exchange *x);

void app_answer_object(struct exchange *x, const struct buf *body);

/* An answer to an exchange that is held, from a call back:
 *     if (!app_answer_begin(&a, x, status, why))
 *         return;
 *     ... write one value through a.w ...
 *     app_answer_end(&a);
 * Either way the exchange is released. False: the error has been answered. */
struct app_answer {
    struct exchange *x;
    struct buf body;
    struct json_writer w;
};
CHECKED bool app_answer_begin(struct app_answer *a, struct exchange *x, enum status status,
                              const struct fault *why);
void app_answer_end(struct app_answer *a);
/* The same without a body: 204, or the error. `exchange` is released; itself a call back. */
void app_answer_done(void *exchange, enum status status, const struct fault *why);

/* sign_in_routes.c */

/* An empty ID: the browser forgets it. */
void app_set_session_cookie(struct exchange *x, slice session_id);
void app_answer_throttled(struct exchange *x, int64_t wait_s);

/* sign_in_oidc.c: at an OpenID Connect issuer */
void app_sign_in_get(struct exchange *x);
void app_oidc_begin(struct exchange *x);
void app_oidc_finish(struct exchange *x);

/* app_certificates.c: what people upload. `ret` in the exchange's arena; false after a 400. */

/* Hex as people and tools write it: colons and blanks go, letters become upper-case. */
CHECKED bool app_read_hex(struct exchange *x, slice text, slice *ret);
CHECKED bool app_read_thumbprint(struct exchange *x, slice text, slice *ret);
/* The one certificate of a text; freed with certificate_free. */
CHECKED bool app_read_certificate(struct exchange *x, slice text, struct x509_st **ret);
/* An object's "certificate" or "thumbprint", whichever is there, as a thumbprint. */
CHECKED bool app_read_pin(struct exchange *x, const struct json *object, slice *ret);
/* x509.clientCertificates of a body: a slot that is named is set, the secondary emptied by null;
 * another stays as it is. */
CHECKED bool app_read_pins(struct exchange *x, const struct json *body, struct enrollment *to);
/* Why a file is none that we take, in words. */
const char *app_certificate_problem(enum certificate_problem problem);

/* app_credentials.c: the member "authentication" of devices. Reading: false after a 400. */

void app_put_authentication(struct json_writer *w, const struct device *d);
CHECKED bool app_read_authentication(struct exchange *x, const struct json *body,
                                     struct device_add *a);

/* app_devices.c: false after a 400. */

#define APP_SEARCH_MAX 512
/* status, template, unassociated, search of the query. */
CHECKED bool app_read_device_filter(struct exchange *x, struct device_filter *ret);
CHECKED bool app_read_device_search(struct exchange *x, slice text, slice *ret);
CHECKED bool app_read_device_status(struct exchange *x, slice name, int *ret);

/* app_attempts.c */

/* The members of an attempt, into an open object. `steps` empty: none are known. */
void app_put_attempt(struct json_writer *w, const struct attempt *a);

/* app_templates.c */

/* A refusal; the errors of a model with their places are its message. */
void app_answer_template_error(struct exchange *x, enum status status,
                               const struct template_result *r, const struct fault *why);
/* The document with its etag. */
void app_write_template_document(const struct template *t, struct buf *to);

/* app_telemetry.c: false after a 400. */

struct history_filter;
CHECKED bool app_read_time(struct exchange *x, slice name,
                           instant *to); /* left as it is when absent */
/* from, to, before, top, component of the query. */
CHECKED bool app_read_history(struct exchange *x, struct history_filter *to);

/* A page of it under construction: {"value":[...],"next":...}. */
struct app_history {
    struct exchange *x;
    struct buf text;
    struct json_writer w;
};
/* The exchange is held until the end, which answers. */
void app_history_begin(struct app_history *page, struct exchange *x);
/* Whether more fits. */
bool app_history_has_room(const struct app_history *page);
/* `more`: the page behind begins at `before`. */
void app_history_end(struct app_history *page, enum status status, bool more, uint64_t before,
                     const struct fault *why);

/* Handlers, by file. */
void app_info_get(struct exchange *x);
void app_settings_get(struct exchange *x);
void app_setting_put(struct exchange *x);
void app_policy_get(struct exchange *x);

void app_templates_list(struct exchange *x);
void app_template_get(struct exchange *x);
void app_template_draft_get(struct exchange *x);
void app_template_draft_put(struct exchange *x);
void app_template_draft_delete(struct exchange *x);
void app_template_put(struct exchange *x);
void app_template_publish(struct exchange *x);
void app_template_changes(struct exchange *x);
void app_template_version(struct exchange *x);

void app_enrollments_list(struct exchange *x);
void app_enrollment_get(struct exchange *x);
void app_enrollment_put(struct exchange *x);
void app_enrollment_patch(struct exchange *x);
void app_enrollment_delete(struct exchange *x);
void app_enrollment_regenerate(struct exchange *x);

void app_authorities_get(struct exchange *x);
void app_authority_put(struct exchange *x);
void app_authority_delete(struct exchange *x);
void app_authority_issue_code(struct exchange *x);
void app_authority_verify(struct exchange *x);
void app_authority_ocsp_put(struct exchange *x);
void app_authority_crl_delete(struct exchange *x);
void app_crl_put(struct exchange *x);
void app_denials_list(struct exchange *x);
void app_denial_add(struct exchange *x);
void app_denial_delete(struct exchange *x);

void app_permissions_list(struct exchange *x);
void app_routes_list(struct exchange *x);
void app_roles_list(struct exchange *x);
void app_role_get(struct exchange *x);
void app_role_put(struct exchange *x);
void app_role_patch(struct exchange *x);
void app_role_delete(struct exchange *x);
void app_user_invite(struct exchange *x);
void app_audit_list(struct exchange *x);

void app_attempts_list(struct exchange *x);
void app_explain(struct exchange *x);

void app_devices_list(struct exchange *x);
void app_device_create(struct exchange *x);
void app_device_get(struct exchange *x);
void app_device_put(struct exchange *x);
void app_device_delete(struct exchange *x);
void app_device_approve(struct exchange *x);
void app_device_associate(struct exchange *x);
void app_device_block(struct exchange *x);
void app_device_unblock(struct exchange *x);
void app_device_deprovision(struct exchange *x);
void app_device_credentials(struct exchange *x);
void app_device_connection_string(struct exchange *x);

void app_device_import(struct exchange *x);
void app_device_export(struct exchange *x);
void app_device_export_without_keys(struct exchange *x);
void app_device_export_link(struct exchange *x);
void app_device_export_linked(struct exchange *x);
void app_operations_list(struct exchange *x);
void app_operation_get(struct exchange *x);
void app_operation_cancel(struct exchange *x);
void app_operation_errors(struct exchange *x);
void app_operation_rejected(struct exchange *x);
void app_devices_approve(struct exchange *x);
void app_devices_associate(struct exchange *x);
void app_devices_block(struct exchange *x);
void app_devices_unblock(struct exchange *x);
void app_devices_delete(struct exchange *x);
void app_job_devices(struct exchange *x);

void app_modules_list(struct exchange *x);
void app_module_get(struct exchange *x);
void app_module_put(struct exchange *x);
void app_module_delete(struct exchange *x);

void app_twin_get(struct exchange *x);
void app_twin_patch(struct exchange *x);
void app_twin_put(struct exchange *x);
void app_method_invoke(struct exchange *x);
void app_message_send(struct exchange *x);
void app_messages_purge(struct exchange *x);
void app_feedback_list(struct exchange *x);

void app_properties_list(struct exchange *x);
void app_commands_list(struct exchange *x);
void app_telemetry_list(struct exchange *x);
void app_telemetry_points(struct exchange *x);
void app_telemetry_buckets(struct exchange *x);
void app_raw_data(struct exchange *x);
void app_aliases_list(struct exchange *x);
void app_alias_put(struct exchange *x);
void app_alias_delete(struct exchange *x);
void app_template_infer(struct exchange *x);

void app_monitor(struct exchange *x);
void app_device_events(struct exchange *x);

#endif
