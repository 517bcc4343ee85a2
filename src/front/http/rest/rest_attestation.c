/* How one device proves who it is, in the compatible REST API: its individual enrollment as
 * "attestation", and the credentials that it uses (contract/central.md 4.7). */
#include "front/http/application.h"
#include "front/http/rest.h"
#include "provisioning/enrollment.h"

static struct provisioning *service_of(const struct exchange *x)
{
    return x->front->options.provisioning;
}

/* --- writing ---------------------------------------------------------------------------------- */

/* What was uploaded is kept as a SHA-256 thumbprint, which this object has no member for. */
static void put_pin(struct json_writer *w, slice name, slice thumbprint)
{
    if (thumbprint.len == 0)
        return;
    json_open(w, name, '{');
    if (thumbprint.len == THUMBPRINT_SHA1_LEN) {
        json_open(w, SLICE("info"), '{');
        json_put_text(w, SLICE("sha1Thumbprint"), thumbprint);
        json_close(w, '}');
    }
    json_close(w, '}');
}

static void put_pins(struct json_writer *w, slice primary, slice secondary)
{
    json_open(w, SLICE("x509"), '{');
    json_open(w, SLICE("clientCertificates"), '{');
    put_pin(w, SLICE("primary"), primary);
    put_pin(w, SLICE("secondary"), secondary);
    json_close(w, '}');
    json_close(w, '}');
}

void rest_put_keys(struct json_writer *w, const struct secret *primary,
                   const struct secret *secondary)
{
    json_open(w, SLICE("symmetricKey"), '{');
    app_put_key(w, SLICE("primaryKey"), primary);
    app_put_key(w, SLICE("secondaryKey"), secondary);
    json_close(w, '}');
}

static void write_attestation(struct json_writer *w, const struct enrollment *e)
{
    json_open(w, (slice){0}, '{');
    json_put_text(w, SLICE("type"), slice_str(attestation_name(e->attestation)));
    if (e->attestation == ATTEST_X509)
        put_pins(w, e->primary_thumbprint, e->secondary_thumbprint);
    else
        rest_put_keys(w, &e->primary, &e->secondary);
    json_close(w, '}');
}

/* --- reading ---------------------------------------------------------------------------------- */

bool rest_read_keys(struct exchange *x, const struct json *attestation, struct enrollment *e)
{
    const struct json *keys = json_member(attestation, SLICE("symmetricKey"));
    slice primary, secondary;

    if (!rest_read_text(x, keys, "primaryKey", &primary) ||
        !rest_read_text(x, keys, "secondaryKey", &secondary))
        return false;
    return ((primary.len == 0 || secret_from_base64(primary, &e->primary)) &&
            (secondary.len == 0 || secret_from_base64(secondary, &e->secondary))) ||
           rest_wrong(x, "a key must be base64 of 16 to 64 bytes");
}

bool rest_read_attestation_type(struct exchange *x, const struct json *attestation,
                                enum attestation *ret)
{
    slice type;

    if (!rest_read_text(x, attestation, "type", &type))
        return false;
    for (int a = ATTEST_SYMMETRIC_KEY; type.ptr && a <= ATTEST_X509; a++) {
        if (slice_equal(type, slice_str(attestation_name((enum attestation)a)))) {
            *ret = (enum attestation)a;
            return true;
        }
    }
    return !type.ptr || rest_wrong(x, "type must be symmetricKey or x509");
}

static bool read_attestation(struct exchange *x, const struct json *body, struct enrollment *e)
{
    return rest_read_attestation_type(x, body, &e->attestation) && rest_read_keys(x, body, e) &&
           (e->attestation != ATTEST_X509 || app_read_pins(x, body, e));
}

/* --- the enrollment of a device --------------------------------------------------------------- */

/* device -> its individual enrollment -> the act */
struct attestation_call {
    struct exchange *x;
    struct json *body;
    slice device_id, registration_id;
    enrollment_fn *on_enrollment;
    struct enrollment wanted; /* while the one before is removed; its keys are wiped */
};

static void finish(struct attestation_call *call, enum status status, const struct fault *why)
{
    exchange_answer_error(call->x, status, why);
    exchange_release(call->x);
}

static void on_stored(void *context, enum status status, const struct enrollment *e,
                      const struct fault *why)
{
    BUF_CLEANUP struct buf body = {.max = REST_ANSWER_MAX};
    struct json_writer w = {.to = &body};
    struct attestation_call *call = context;

    if (e)
        write_attestation(&w, e);
    rest_end(call->x, status, &body, why);
    if (body.ptr)
        explicit_bzero(body.ptr, body.cap);
}

/* One that stands for another device is no business of this one's. */
static void on_named(void *context, enum status status, const struct enrollment *e,
                     const struct fault *why)
{
    struct attestation_call *call = context;
    struct fault none;

    if (status == ST_OK && !enrollment_stands_for(e, call->device_id)) {
        status = fault_set(&none, ST_NOT_FOUND, "the device has no enrollment of its own");
        call->on_enrollment(call, status, NULL, &none);
    } else {
        call->on_enrollment(call, status, e, why);
    }
}

static void on_device(void *context, enum status status, const struct device *d)
{
    struct attestation_call *call = context;
    struct exchange *x = call->x;

    if (status == ST_OK) {
        call->device_id = arena_copy(&x->arena, d->id);
        call->registration_id = d->enrollment_kind == ENROLLMENT_INDIVIDUAL
                                    ? arena_copy(&x->arena, d->enrollment_id)
                                    : call->device_id;
        status = x->arena.failed ? ST_NO_MEMORY : ST_OK;
    }
    if (status == ST_OK)
        enrollment_get(service_of(x), ENROLLMENT_INDIVIDUAL, call->registration_id, true, on_named,
                       call);
    else
        finish(call, status, NULL);
}

/* `on_enrollment` is told what there is, with its keys. */
static void begin(struct exchange *x, bool has_body, enrollment_fn *on_enrollment)
{
    struct attestation_call *call = arena_alloc(&x->arena, sizeof *call);

    if (!call) {
        exchange_answer_error(x, ST_NO_MEMORY, NULL);
        return;
    }
    call->x = x;
    call->on_enrollment = on_enrollment;
    if (has_body && !exchange_json(x, &call->body))
        return;
    exchange_hold(x);
    device_find(x->front->options.identity, x->bound[0], on_device, call);
}

static void attestation_get(struct exchange *x)
{
    begin(x, false, on_stored);
}

/* --- put -------------------------------------------------------------------------------------- */

static void store(struct attestation_call *call, struct enrollment *e)
{
    enrollment_put(service_of(call->x), e, on_stored, call);
    secret_wipe(&e->primary);
    secret_wipe(&e->secondary);
}

/* Of another kind than the one before, which is gone now. */
static void on_removed(void *context, enum status status, const struct enrollment *e,
                       const struct fault *why)
{
    struct attestation_call *call = context;

    (void)e;
    if (status == ST_OK || status == ST_NOT_FOUND)
        store(call, &call->wanted);
    else
        finish(call, status, why);
    secret_wipe(&call->wanted.primary);
    secret_wipe(&call->wanted.secondary);
}

static bool is_whole(struct exchange *x, const struct enrollment *e)
{
    if (e->attestation == ATTEST_X509 && e->primary_thumbprint.len == 0)
        return rest_wrong(x, "x509 needs clientCertificates.primary.certificate");
    return true;
}

static void put(struct attestation_call *call, const struct enrollment *was)
{
    struct exchange *x = call->x;
    struct enrollment e = {
        .kind = ENROLLMENT_INDIVIDUAL,
        .id = call->registration_id,
        .display_name = call->registration_id,
        .device_id = call->device_id,
        .enabled = true,
        .gated = true,
        .version = was ? was->version : 0,
    };

    if (!json_member(call->body, SLICE("type"))) {
        rest_wrong(x, "type must be symmetricKey or x509");
    } else if (read_attestation(x, call->body, &e) && is_whole(x, &e)) {
        if (!was || was->attestation == e.attestation) {
            store(call, &e);
            return;
        }
        call->wanted = e;
        call->wanted.version = 0;
        enrollment_delete(service_of(x), ENROLLMENT_INDIVIDUAL, e.id, on_removed, call);
        secret_wipe(&e.primary);
        secret_wipe(&e.secondary);
        return;
    }
    secret_wipe(&e.primary);
    secret_wipe(&e.secondary);
    exchange_release(x);
}

static void on_put(void *context, enum status status, const struct enrollment *e,
                   const struct fault *why)
{
    struct attestation_call *call = context;
    struct fault there;

    if (status == ST_OK && exchange_wants_new(call->x))
        finish(call, fault_set(&there, ST_PRECONDITION_FAILED, "the device has one already"),
               &there);
    else if (status == ST_OK || status == ST_NOT_FOUND)
        put(call, e);
    else
        finish(call, status, why);
}

static void attestation_put(struct exchange *x)
{
    begin(x, true, on_put);
}

/* --- patch ------------------------------------------------------------------------------------ */

static void on_patch(void *context, enum status status, const struct enrollment *e,
                     const struct fault *why)
{
    struct attestation_call *call = context;
    struct enrollment changed;

    if (status != ST_OK) {
        finish(call, status, why);
        return;
    }
    changed = *e;
    if (read_attestation(call->x, call->body, &changed))
        store(call, &changed);
    else
        exchange_release(call->x);
    secret_wipe(&changed.primary);
    secret_wipe(&changed.secondary);
}

static void attestation_patch(struct exchange *x)
{
    begin(x, true, on_patch);
}

/* --- delete ----------------------------------------------------------------------------------- */

static void on_deleted(void *context, enum status status, const struct enrollment *e,
                       const struct fault *why)
{
    struct attestation_call *call = context;

    (void)e;
    rest_end(call->x, status, NULL, why);
}

static void on_delete(void *context, enum status status, const struct enrollment *e,
                      const struct fault *why)
{
    struct attestation_call *call = context;

    (void)e;
    if (status == ST_OK)
        enrollment_delete(service_of(call->x), ENROLLMENT_INDIVIDUAL, call->registration_id,
                          on_deleted, call);
    else
        finish(call, status, why);
}

static void attestation_delete(struct exchange *x)
{
    begin(x, false, on_delete);
}

/* --- credentials ------------------------------------------------------------------------------ */

static void write_credentials(struct json_writer *w, const struct device_credentials *k)
{
    json_open(w, (slice){0}, '{');
    json_put_text(w, SLICE("idScope"), k->id_scope);
    if (k->auth == AUTH_SAS)
        rest_put_keys(w, &k->primary, &k->secondary);
    else
        put_pins(w, k->primary_thumbprint, k->secondary_thumbprint);
    json_close(w, '}');
}

static void on_credentials(void *context, enum status status, const struct device_credentials *k,
                           const struct fault *why)
{
    BUF_CLEANUP struct buf body = {.max = REST_ANSWER_MAX};
    struct json_writer w = {.to = &body};

    if (k)
        write_credentials(&w, k);
    rest_end(context, status, &body, why);
    if (body.ptr)
        explicit_bzero(body.ptr, body.cap);
}

static void credentials_get(struct exchange *x)
{
    exchange_hold(x);
    central_device_credentials(x->front->options.central, x->bound[0], on_credentials, x);
}

/* --- schemas ---------------------------------------------------------------------------------- */

static const struct rest_schema schemas[] = {
    {"SymmetricKey", "", "'primaryKey':{'type':'string'},'secondaryKey':{'type':'string'}"},
    {"X509CertificateInfo", "", "'sha1Thumbprint':{'type':'string','readOnly':true}"},
    {"X509Certificate", "",
     "'certificate':{'type':'string','writeOnly':true},"
     "'info':@X509CertificateInfo"},
    {"X509", "'clientCertificates'",
     "'clientCertificates':{'type':'object','properties':{'primary':@X509Certificate,"
     "'secondary':@X509Certificate}}"},
    {"Attestation", "'type'",
     "'type':{'type':'string','enum':['symmetricKey','x509']},'symmetricKey':@SymmetricKey,"
     "'x509':@X509"},
    {"DeviceCredentials", "'idScope'",
     "'idScope':{'type':'string'},'symmetricKey':@SymmetricKey,'x509':@X509"},
};

/* --- routes ----------------------------------------------------------------------------------- */

/* clang-format off */
static const struct rest_route routes[] = {
    {{HTTP_GET,    "devices/{}/attestation", PERM_CONNECTIVITY_READ_INSTANCE,   attestation_get},    "Devices_GetAttestation",    NULL,          "Attestation",       200, 0},
    {{HTTP_PUT,    "devices/{}/attestation", PERM_CONNECTIVITY_MANAGE_INSTANCE, attestation_put},    "Devices_CreateAttestation", "Attestation", "Attestation",       200, 0},
    {{HTTP_PATCH,  "devices/{}/attestation", PERM_CONNECTIVITY_MANAGE_INSTANCE, attestation_patch},  "Devices_UpdateAttestation", "Attestation", "Attestation",       200, 0},
    {{HTTP_DELETE, "devices/{}/attestation", PERM_CONNECTIVITY_MANAGE_INSTANCE, attestation_delete}, "Devices_RemoveAttestation", NULL,          NULL,                204, 0},
    {{HTTP_GET,    "devices/{}/credentials", PERM_CONNECTIVITY_READ_INSTANCE,   credentials_get},    "Devices_GetCredentials",    NULL,          "DeviceCredentials", 200, 0},
};
/* clang-format on */

const struct rest_table rest_attestation = {routes, COUNT_OF(routes), schemas, COUNT_OF(schemas)};
