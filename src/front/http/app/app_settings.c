/* Settings, templates, policies, and what the server is. */
#include "front/http/application.h"
#include "identity/policy.h"

void app_info_get(struct exchange *x)
{
    BUF_CLEANUP struct buf body = {.max = APP_ANSWER_MAX};
    struct json_writer w = {.to = &body};
    const struct hub_name *hub = identity_default_hub(x->front->options.identity);

    json_open(&w, (slice){0}, '{');
    json_put_text(&w, SLICE("idScope"), provisioning_id_scope(x->front->options.provisioning));
    json_put_text(&w, SLICE("provisioningHost"), x->front->options.host);
    json_put_text(&w, SLICE("hubHost"), hub->hosts[0]);
    json_put_text(&w, SLICE("version"), SLICE(MUSTER_VERSION));
    json_close(&w, '}');
    app_answer_object(x, &body);
}

/* --- settings -------------------------------------------------------------------------------- */

static const char *const require_names[] = {
    [TEMPLATE_NEVER] = "never",
    [TEMPLATE_DEVICE_ORIGIN] = "deviceOrigin",
    [TEMPLATE_ALWAYS] = "always",
};

static void on_settings(void *context, enum status status, const struct central_settings *s,
                        const struct fault *why)
{
    struct app_answer a;

    if (!app_answer_begin(&a, context, status, why))
        return;
    json_open(&a.w, (slice){0}, '{');
    json_put_text(&a.w, SLICE("lifecycleProfile"),
                  s->profile == PROFILE_SEED ? SLICE("seed") : SLICE("later"));
    json_put_bool(&a.w, SLICE("autoApprove"), s->auto_approve);
    json_put_text(&a.w, SLICE("requireTemplate"), slice_str(require_names[s->require_template]));
    json_put_bool(&a.w, SLICE("autoAssociate"), s->auto_associate);
    json_put_text(&a.w, SLICE("deviceIdCase"),
                  s->device_id_any_case ? SLICE("any") : SLICE("lower"));
    json_close(&a.w, '}');
    app_answer_end(&a);
}

void app_settings_get(struct exchange *x)
{
    exchange_hold(x);
    central_get_settings(x->front->options.central, on_settings, x);
}

/* The value as text; true, false and words are what the settings know. */
void app_setting_put(struct exchange *x)
{
    struct json *body, *value;
    struct fault why;

    if (!exchange_json(x, &body))
        return;
    value = json_member(body, SLICE("value"));
    if (!value || value->kind == JSON_ARRAY || value->kind == JSON_OBJECT) {
        fault_set(&why, ST_BAD_REQUEST, "send {\"value\": ...}");
        exchange_answer_error(x, ST_BAD_REQUEST, &why);
        return;
    }
    exchange_hold(x);
    central_set(x->front->options.central, x->bound[0],
                value->kind == JSON_STRING ? value->text : value->raw, on_settings, x);
}

/* --- policies -------------------------------------------------------------------------------- */

static const struct {
    enum right right;
    const char *name;
} right_names[] = {
    {RIGHT_REGISTRY_READ, "RegistryRead"},
    {RIGHT_REGISTRY_WRITE, "RegistryWrite"},
    {RIGHT_SERVICE_CONNECT, "ServiceConnect"},
    {RIGHT_DEVICE_CONNECT, "DeviceConnect"},
    {RIGHT_DPS_CONFIG, "ServiceConfig"},
    {RIGHT_ENROLLMENT_READ, "EnrollmentRead"},
    {RIGHT_ENROLLMENT_WRITE, "EnrollmentWrite"},
    {RIGHT_REGISTRATION_READ, "RegistrationStatusRead"},
    {RIGHT_REGISTRATION_WRITE, "RegistrationStatusWrite"},
};

static void on_policy(void *context, enum status status, const struct policy *p)
{
    struct app_answer a;

    if (!app_answer_begin(&a, context, status, NULL))
        return;
    json_open(&a.w, (slice){0}, '{');
    json_put_text(&a.w, SLICE("name"), p->name);
    json_open(&a.w, SLICE("rights"), '[');
    for (size_t i = 0; i < COUNT_OF(right_names); i++) {
        if (p->rights & right_names[i].right)
            json_put_text(&a.w, (slice){0}, slice_str(right_names[i].name));
    }
    json_close(&a.w, ']');
    app_put_key(&a.w, SLICE("primaryKey"), &p->primary);
    app_put_key(&a.w, SLICE("secondaryKey"), &p->secondary);
    json_close(&a.w, '}');
    app_answer_end(&a);
}

void app_policy_get(struct exchange *x)
{
    exchange_hold(x);
    policy_get(x->front->options.identity, x->bound[0], x->bound[1], on_policy, x);
}
