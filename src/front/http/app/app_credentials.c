/* How devices prove who they are, as the operator sets and sees it: keys, certificates, connection
 * strings. */
#include "base/text.h"
#include "codec/connection_string.h"
#include "front/http/application.h"

static const char *const auth_names[] = {
    [AUTH_SAS] = "sas",
    [AUTH_SELF_SIGNED] = "selfSigned",
    [AUTH_CERTIFICATE_AUTHORITY] = "certificateAuthority",
    [AUTH_NONE] = "none",
};

/* --- authentication -------------------------------------------------------------------------- */

void app_put_authentication(struct json_writer *w, const struct device *d)
{
    json_open(w, SLICE("authentication"), '{');
    json_put_text(w, SLICE("type"), slice_str(auth_names[d->auth]));
    if (d->auth == AUTH_SELF_SIGNED) {
        app_put_text_or_null(w, SLICE("primaryThumbprint"), d->primary_thumbprint);
        app_put_text_or_null(w, SLICE("secondaryThumbprint"), d->secondary_thumbprint);
    }
    json_close(w, '}');
}

static bool read_optional_thumbprint(struct exchange *x, const struct json *object, slice name,
                                     slice *ret)
{
    slice text;

    return !json_get_text(object, name, &text) || text.len == 0 ||
           app_read_thumbprint(x, text, ret);
}

bool app_read_authentication(struct exchange *x, const struct json *body, struct device_add *a)
{
    const struct json *authentication = json_member(body, SLICE("authentication"));
    slice type = SLICE("sas");

    json_get_text(authentication, SLICE("type"), &type);
    for (int kind = AUTH_SAS; kind <= AUTH_CERTIFICATE_AUTHORITY; kind++) {
        if (!slice_equal(type, slice_str(auth_names[kind])))
            continue;
        a->auth = (enum device_auth)kind;
        return read_optional_thumbprint(x, authentication, SLICE("primaryThumbprint"),
                                        &a->primary_thumbprint) &&
               read_optional_thumbprint(x, authentication, SLICE("secondaryThumbprint"),
                                        &a->secondary_thumbprint);
    }
    return app_wrong(x, "authentication.type must be sas, selfSigned or certificateAuthority");
}

/* --- keys and connection strings ------------------------------------------------------------- */

static struct central *central_of(struct exchange *x)
{
    return x->front->options.central;
}

static void write_credentials(struct json_writer *w, const struct device_credentials *k)
{
    if (k->auth == AUTH_SAS) {
        json_open(w, SLICE("symmetricKey"), '{');
        app_put_key(w, SLICE("primaryKey"), &k->primary);
        app_put_key(w, SLICE("secondaryKey"), &k->secondary);
    } else {
        json_open(w, SLICE("x509"), '{');
        json_put_text(w, SLICE("type"), slice_str(auth_names[k->auth]));
        app_put_text_or_null(w, SLICE("primaryThumbprint"), k->primary_thumbprint);
        app_put_text_or_null(w, SLICE("secondaryThumbprint"), k->secondary_thumbprint);
    }
    json_close(w, '}');
}

static void on_credentials(void *context, enum status status, const struct device_credentials *k,
                           const struct fault *why)
{
    struct app_answer a;

    if (!app_answer_begin(&a, context, status, why))
        return;
    json_open(&a.w, (slice){0}, '{');
    json_put_text(&a.w, SLICE("idScope"), k->id_scope);
    write_credentials(&a.w, k);
    json_close(&a.w, '}');
    app_answer_end(&a);
}

void app_device_credentials(struct exchange *x)
{
    exchange_hold(x);
    central_device_credentials(central_of(x), x->bound[0], on_credentials, x);
}

/* The connection string needs the hub that the assignment gave, and the key that goes with it. */
struct string_call {
    struct exchange *x;
    slice hub, device_id;
};

static void on_string_keys(void *context, enum status status, const struct device_credentials *k,
                           const struct fault *why)
{
    struct string_call *call = context;
    BUF_CLEANUP struct buf key = {.max = 128}, text = {.max = 4096};
    struct app_answer a;

    if (!app_answer_begin(&a, call->x, status, why))
        return;
    base64_encode(secret_slice(&k->primary), &key);
    connection_string_write(
        &(struct connection_string){
            .host_name = call->hub,
            .device_id = call->device_id,
            .shared_access_key = buf_slice(&key),
            .x509 = k->auth != AUTH_SAS,
        },
        &text);
    json_open(&a.w, (slice){0}, '{');
    json_put_text(&a.w, SLICE("connectionString"), buf_slice(&text));
    json_close(&a.w, '}');
    app_answer_end(&a);
}

static void on_assigned(void *context, const struct registration *r, const struct fault *why)
{
    struct string_call *call = context;
    struct exchange *x = call->x;

    if (r->status != ST_OK) {
        exchange_answer_error(x, r->status, why);
        exchange_release(x);
        return;
    }
    call->hub = arena_copy(&x->arena, r->assigned_hub);
    call->device_id = arena_copy(&x->arena, r->device_id);
    central_device_credentials(central_of(x), call->device_id, on_string_keys, call);
}

void app_device_connection_string(struct exchange *x)
{
    struct string_call *call = arena_alloc(&x->arena, sizeof *call);

    if (!call) {
        exchange_answer_error(x, ST_NO_MEMORY, NULL);
        return;
    }
    call->x = x;
    exchange_hold(x);
    registration_assign(x->front->options.provisioning, x->bound[0], on_assigned, call);
}
