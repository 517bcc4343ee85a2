/* Enrollment groups and individual enrollments: the same calls for both; the path says which. */
#include "front/http/application.h"
#include "provisioning/enrollment.h"

struct enrollment_call {
    struct exchange *x;
    bool with_keys;
    struct json *body;
};

static struct provisioning *service_of(struct exchange *x)
{
    return x->front->options.provisioning;
}

static enum enrollment_kind kind_of(const struct exchange *x)
{
    return slice_equal(x->path.segments[x->family->base_segments], SLICE("enrollmentGroups"))
               ? ENROLLMENT_GROUP
               : ENROLLMENT_INDIVIDUAL;
}

static struct enrollment_call *begin(struct exchange *x, bool with_keys)
{
    struct enrollment_call *call = arena_alloc(&x->arena, sizeof *call);

    if (!call) {
        exchange_answer_error(x, ST_NO_MEMORY, NULL);
        return NULL;
    }
    call->x = x;
    call->with_keys = with_keys;
    exchange_hold(x);
    return call;
}

static void write_pin(struct json_writer *w, slice name, slice thumbprint)
{
    if (thumbprint.len == 0)
        return;
    json_open(w, name, '{');
    json_put_text(w, SLICE("thumbprint"), thumbprint);
    json_close(w, '}');
}

static void write_pins(struct json_writer *w, const struct enrollment *e)
{
    json_open(w, SLICE("x509"), '{');
    json_open(w, SLICE("clientCertificates"), '{');
    write_pin(w, SLICE("primary"), e->primary_thumbprint);
    write_pin(w, SLICE("secondary"), e->secondary_thumbprint);
    json_close(w, '}');
    json_close(w, '}');
    json_put_bool(w, SLICE("expiredLeafAllowed"), e->expired_leaf_allowed);
}

static void write_enrollment(struct json_writer *w, const struct enrollment *e, bool with_keys)
{
    json_open(w, (slice){0}, '{');
    json_put_text(w, SLICE("id"), e->id);
    json_put_text(w, SLICE("displayName"), e->display_name);
    json_put_text(w, SLICE("kind"),
                  e->kind == ENROLLMENT_GROUP ? SLICE("group") : SLICE("individual"));
    json_put_text(w, SLICE("attestation"), slice_str(attestation_name(e->attestation)));
    json_put_bool(w, SLICE("enabled"), e->enabled);
    json_put_bool(w, SLICE("gated"), e->gated);
    json_put_bool(w, SLICE("iotEdge"), e->iot_edge);
    if (e->kind == ENROLLMENT_INDIVIDUAL)
        json_put_text(w, SLICE("deviceId"), e->device_id.len ? e->device_id : e->id);
    if (e->has_auto_approve)
        json_put_bool(w, SLICE("autoApprove"), e->auto_approve);
    if (e->attestation == ATTEST_X509 && e->kind == ENROLLMENT_INDIVIDUAL)
        write_pins(w, e);
    if (with_keys) {
        app_put_key(w, SLICE("primaryKey"), &e->primary);
        app_put_key(w, SLICE("secondaryKey"), &e->secondary);
    }
    app_put_time(w, SLICE("created"), e->created_at);
    app_put_time(w, SLICE("updated"), e->updated_at);
    app_put_etag(w, e->version);
    json_close(w, '}');
}

static void on_enrollment(void *context, enum status status, const struct enrollment *e,
                          const struct fault *why)
{
    struct enrollment_call *call = context;
    struct app_answer a;

    if (!app_answer_begin(&a, call->x, status == ST_OK && !e ? ST_INTERNAL : status, why))
        return;
    write_enrollment(&a.w, e, call->with_keys);
    app_answer_end(&a);
}

/* --- get, list ------------------------------------------------------------------------------- */

void app_enrollment_get(struct exchange *x)
{
    struct enrollment_call *call;
    slice keys = {0};
    bool with_keys = exchange_query(x, SLICE("keys"), &keys) && slice_equal(keys, SLICE("true"));

    call = begin(x, with_keys);
    if (call)
        enrollment_get(service_of(x), kind_of(x), x->bound[0], with_keys, on_enrollment, call);
}

static void on_row(void *context, enum status status, const struct enrollment *e,
                   const struct fault *why)
{
    struct app_list *list = context;

    if (!e) {
        app_list_end(list, status, why);
        return;
    }
    if (!app_list_row(list, e->id))
        return;
    write_enrollment(&list->w, e, false);
}

void app_enrollments_list(struct exchange *x)
{
    struct app_list *rows = app_list_begin(x);

    if (rows)
        enrollment_list(service_of(x), kind_of(x), rows->after, rows->limit, on_row, rows);
}

/* --- put ------------------------------------------------------------------------------------- */

static bool read_key(struct exchange *x, const struct json *body, slice name, struct secret *ret)
{
    slice text;

    if (!json_get_text(body, name, &text) || text.len == 0)
        return true;
    return secret_from_base64(text, ret) || app_wrong(x, "a key must be base64 of 16 to 64 bytes");
}

static bool read_attestation(struct exchange *x, const struct json *body, enum attestation *ret)
{
    slice name;

    if (!json_get_text(body, SLICE("attestation"), &name))
        return true;
    for (int a = ATTEST_SYMMETRIC_KEY; a <= ATTEST_TPM; a++) {
        if (slice_equal(name, slice_str(attestation_name((enum attestation)a)))) {
            *ret = (enum attestation)a;
            return true;
        }
    }
    return app_wrong(x, "attestation must be symmetricKey, x509 or tpm");
}

static slice raw_member(const struct json *value)
{
    return value && value->kind == JSON_OBJECT ? value->raw : (slice){0};
}

/* What the body says over what `e` holds already. */
static bool apply_body(struct exchange *x, const struct json *body, struct enrollment *e)
{
    const struct json *twin = json_member(body, SLICE("initialTwin"));
    int64_t etag;
    slice text;

    if (json_get_text(body, SLICE("displayName"), &text))
        e->display_name = text;
    if (json_get_text(body, SLICE("deviceId"), &text))
        e->device_id = text;
    json_get_bool(body, SLICE("enabled"), &e->enabled);
    json_get_bool(body, SLICE("iotEdge"), &e->iot_edge);
    if (json_get_bool(body, SLICE("autoApprove"), &e->auto_approve))
        e->has_auto_approve = true;
    if (twin) {
        e->initial_tags = raw_member(json_member(twin, SLICE("tags")));
        e->initial_desired =
            raw_member(json_path(twin, (slice[]){SLICE("properties"), SLICE("desired")}, 2));
    }
    if (!app_read_version(x, body, &etag))
        return false;
    if (etag > 0)
        e->version = etag;
    json_get_bool(body, SLICE("expiredLeafAllowed"), &e->expired_leaf_allowed);
    return read_attestation(x, body, &e->attestation) && app_read_pins(x, body, e) &&
           read_key(x, body, SLICE("primaryKey"), &e->primary) &&
           read_key(x, body, SLICE("secondaryKey"), &e->secondary);
}

void app_enrollment_put(struct exchange *x)
{
    struct enrollment e = {
        .kind = kind_of(x),
        .id = x->bound[0],
        .display_name = x->bound[0],
        .attestation = ATTEST_SYMMETRIC_KEY,
        .enabled = true,
        .gated = true,
    };
    struct enrollment_call *call;
    struct json *body;

    if (!exchange_json(x, &body) || !apply_body(x, body, &e))
        return;
    call = begin(x, true);
    if (call)
        enrollment_put(service_of(x), &e, on_enrollment, call);
    secret_wipe(&e.primary);
    secret_wipe(&e.secondary);
}

/* --- patch: read, change, put back with the version that was read ---------------------------- */

static void on_patched(void *context, enum status status, const struct enrollment *e,
                       const struct fault *why)
{
    struct enrollment_call *call = context;
    struct enrollment changed;

    if (status != ST_OK) {
        on_enrollment(call, status, e, why);
        return;
    }
    changed = *e;
    if (apply_body(call->x, call->body, &changed))
        enrollment_put(service_of(call->x), &changed, on_enrollment, call);
    else
        exchange_release(call->x);
    secret_wipe(&changed.primary);
    secret_wipe(&changed.secondary);
}

void app_enrollment_patch(struct exchange *x)
{
    struct enrollment_call *call;
    struct json *body;

    if (!exchange_json(x, &body))
        return;
    call = begin(x, false);
    if (!call)
        return;
    call->body = body;
    enrollment_get(service_of(x), kind_of(x), x->bound[0], false, on_patched, call);
}

/* --- delete, regenerate ---------------------------------------------------------------------- */

static void on_deleted(void *context, enum status status, const struct enrollment *e,
                       const struct fault *why)
{
    struct enrollment_call *call = context;

    (void)e;
    app_answer_done(call->x, status, why);
}

void app_enrollment_delete(struct exchange *x)
{
    struct enrollment_call *call = begin(x, false);

    if (call)
        enrollment_delete(service_of(x), kind_of(x), x->bound[0], on_deleted, call);
}

void app_enrollment_regenerate(struct exchange *x)
{
    struct enrollment_call *call;
    struct json *body;
    slice slot = {0};
    bool primary;

    if (!exchange_json(x, &body))
        return;
    json_get_text(body, SLICE("slot"), &slot);
    primary = slice_equal(slot, SLICE("primary"));
    if (!primary && !slice_equal(slot, SLICE("secondary"))) {
        app_wrong(x, "slot must be primary or secondary");
        return;
    }
    call = begin(x, true);
    if (call)
        enrollment_regenerate_key(service_of(x), kind_of(x), x->bound[0],
                                  primary ? CREDENTIAL_PRIMARY : CREDENTIAL_SECONDARY,
                                  on_enrollment, call);
}
