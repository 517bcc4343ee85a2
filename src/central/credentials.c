#include <stdlib.h>

#include "central/central_internal.h"
#include "provisioning/attest.h"
#include "provisioning/device_copy.h"

struct credentials_query {
    struct central *c;
    struct arena arena;
    struct device *device;
    credentials_fn *on_keys;
    void *context;
};

static void finish(struct credentials_query *q, enum status status,
                   const struct device_credentials *k, const struct fault *why)
{
    q->on_keys(q->context, status, k, why);
    arena_deinit(&q->arena);
    free(q);
}

/* Of an enrollment by which the device has not come yet. */
static void take_certificates(const struct enrollment *e, struct device_credentials *k)
{
    k->auth = e->kind == ENROLLMENT_GROUP ? AUTH_CERTIFICATE_AUTHORITY : AUTH_SELF_SIGNED;
    k->primary_thumbprint = e->primary_thumbprint;
    k->secondary_thumbprint = e->secondary_thumbprint;
}

static void on_enrollment(void *context, enum status status, const struct enrollment *e,
                          const struct fault *why)
{
    struct credentials_query *q = context;
    struct device_credentials k = {.id_scope = provisioning_id_scope(q->c->p)};

    if (status == ST_OK && e->attestation == ATTEST_X509)
        take_certificates(e, &k);
    else if (status == ST_OK)
        enrollment_device_keys(e, q->device->id, &k.primary, &k.secondary);
    finish(q, status, status == ST_OK ? &k : NULL, why);
    secret_wipe(&k.primary);
    secret_wipe(&k.secondary);
}

static bool has_certificates(const struct device *d)
{
    return d->auth == AUTH_SELF_SIGNED || d->auth == AUTH_CERTIFICATE_AUTHORITY;
}

static void finish_with_certificates(struct credentials_query *q)
{
    const struct device_credentials k = {
        .id_scope = provisioning_id_scope(q->c->p),
        .auth = q->device->auth,
        .primary_thumbprint = q->device->primary_thumbprint,
        .secondary_thumbprint = q->device->secondary_thumbprint,
    };
    struct fault why = {0};

    finish(q, ST_OK, &k, &why);
}

static void on_device(void *context, enum status status, const struct device *d)
{
    struct credentials_query *q = context;
    struct fault why = {0};

    if (status == ST_OK) {
        q->device = device_copy(&q->arena, d);
        status = q->device ? ST_OK : ST_NO_MEMORY;
    }
    if (status != ST_OK) {
        (void)fault_set(&why, status, "no such device");
        finish(q, status, NULL, &why);
        return;
    }
    if (has_certificates(q->device))
        finish_with_certificates(q);
    else
        enrollment_of_device(q->c->p, q->device, true, on_enrollment, q);
}

void central_device_credentials(struct central *c, slice device_id, credentials_fn *on_keys,
                                void *context)
{
    struct credentials_query *q = calloc(1, sizeof *q);
    struct fault why = {ST_NO_MEMORY, "no memory for the keys"};

    if (!q) {
        on_keys(context, ST_NO_MEMORY, NULL, &why);
        return;
    }
    *q = (struct credentials_query){.c = c, .on_keys = on_keys, .context = context};
    arena_init(&q->arena, 65536);
    device_find(c->id, device_id, on_device, q);
}
