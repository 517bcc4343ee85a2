/* Logins by certificate (contract/hub-device.md 1.3, provisioning.md 5.5):
 *
 *     registered by its hash         -> that certificate, whatever it says; not past its end, not
 *                                       revoked
 *     another one, and the device    -> a chain to the authority of that group: a renewed leaf
 *     came by an enrollment group
 *     registered by authority        -> a chain to the authority of any enabled group
 *
 * Of a chain the common name must be the device ID, exactly. Modules are known by hash alone. What
 * trust decides is never remembered among the refusals: a change acts on the very next login. */
#include <stdlib.h>

#include "identity/principal_internal.h"
#include "identity/trust/certificate_check.h"

#define FACTS_MAX (64 * 1024)

/* What is known of the device while the certificate is looked at. */
struct certificate_login {
    struct device row; /* what login_accept tells; its text is in `text` */
    bool device_may;
    bool any_group; /* else `group` must be the one that vouches */
    slice group;
    uint8_t group_key[GROUP_ID_MAX];
    uint8_t text[];
};

void certificate_login_free(struct certificate_login *c)
{
    free(c);
}

static slice put(uint8_t **at, slice bytes)
{
    slice copy = slice_of(*at, bytes.len);

    if (bytes.len)
        memcpy(*at, bytes.ptr, bytes.len);
    *at += bytes.len;
    return copy;
}

static bool keep_row(struct login *l, const struct device *d, bool device_may)
{
    size_t len =
        d->generation_id.len + d->method_filters.len + d->model_id.len + d->template_id.len;
    struct certificate_login *c = malloc(sizeof *c + len);
    uint8_t *at = c ? c->text : NULL;

    l->by_certificate = c;
    if (!c)
        return false;
    c->device_may = device_may;
    c->any_group = d->auth == AUTH_CERTIFICATE_AUTHORITY;
    c->group = d->enrollment_kind == ENROLLMENT_GROUP ? group_key_of(d->enrollment_id, c->group_key)
                                                      : (slice){0};
    c->row = *d;
    c->row.hub = c->row.display_name = c->row.sealed_keys = c->row.enrollment_id = (slice){0};
    c->row.primary_thumbprint = c->row.secondary_thumbprint = (slice){0};
    c->row.attempt = (struct device_attempt){.at = 0};
    c->row.id = l->device_id;
    c->row.module_id = l->module_id;
    c->row.generation_id = put(&at, d->generation_id);
    c->row.method_filters = put(&at, d->method_filters);
    c->row.model_id = put(&at, d->model_id);
    c->row.template_id = put(&at, d->template_id);
    return true;
}

/* --- the answers ----------------------------------------------------------------------------- */

static void refuse(struct login *l, enum status status, const struct fault *why)
{
    struct verdict v = {.status = status, .metric = METRIC_CONNECTS_UNAUTHORIZED, .why = *why};

    if (status != ST_UNAUTHORIZED)
        v.metric = METRIC_CONNECTS_UNAVAILABLE;
    login_refuse(l, &v);
}

static void let_in(struct login *l, const struct certificate_verdict *verdict)
{
    const struct certificate_login *c = l->by_certificate;
    const struct proof proof = {CREDENTIAL_CERTIFICATE, verdict->marks, verdict->trust_version};
    struct verdict v = {.metric = METRIC_CONNECTS_UNAUTHORIZED};

    v.status = login_check_status(&c->row, c->device_may, &v);
    if (v.status == ST_OK)
        login_accept(l, &c->row, &proof);
    else
        login_refuse(l, &v);
}

static void on_pinned(void *context, enum status status, const struct certificate_verdict *verdict,
                      const struct fault *why)
{
    struct login *l = context;

    if (status == ST_OK)
        let_in(l, verdict);
    else
        refuse(l, status, why);
}

static enum status check_name(const struct login *l, struct fault *why)
{
    struct arena ARENA_CLEANUP arena = {.max = FACTS_MAX};
    struct certificate_facts facts;
    enum status status = certificate_facts_read(l->certificate, &arena, &facts, why);

    if (status == ST_NO_MEMORY)
        return ST_UNAVAILABLE;
    if (status != ST_OK)
        return fault_set(why, ST_UNAUTHORIZED, "the certificate's names cannot be read");
    if (!slice_equal(facts.common_name, l->device_id))
        return fault_set(why, ST_UNAUTHORIZED, "the certificate's common name is '%.*s'",
                         SLICE_FMT(facts.common_name));
    return ST_OK;
}

static enum status check_path(const struct login *l, const struct certificate_verdict *verdict,
                              struct fault *why)
{
    const struct certificate_login *c = l->by_certificate;

    if (!c->any_group && !slice_equal(verdict->group, c->group))
        return fault_set(why, ST_UNAUTHORIZED,
                         "the certificate is not the registered one, and of group '%.*s'",
                         SLICE_FMT(verdict->group));
    if (!verdict->enabled)
        return fault_set(why, ST_UNAUTHORIZED, "the certificate's group '%.*s' is disabled",
                         SLICE_FMT(verdict->group));
    return check_name(l, why);
}

static void on_path(void *context, enum status status, const struct certificate_verdict *verdict,
                    const struct fault *why)
{
    struct login *l = context;
    struct fault own;

    if (status == ST_OK) {
        status = check_path(l, verdict, &own);
        why = &own;
    }
    if (status == ST_OK)
        let_in(l, verdict);
    else
        refuse(l, status, why);
}

/* --- what is to be asked --------------------------------------------------------------------- */

static bool is_registered(const struct login *l, const struct device *d)
{
    return thumbprint_matches(&l->thumbprints, d->primary_thumbprint) ||
           thumbprint_matches(&l->thumbprints, d->secondary_thumbprint);
}

/* A chain counts for devices; with a hash registered, for those of a group. */
static bool may_come_by_chain(const struct login *l, const struct device *d)
{
    return l->module_id.len == 0 &&
           (d->auth == AUTH_CERTIFICATE_AUTHORITY || d->enrollment_kind == ENROLLMENT_GROUP);
}

static enum status check_method(const struct login *l, const struct device *d, struct verdict *v)
{
    if (!d)
        return login_unknown_device(l, v);
    if (d->auth != AUTH_SELF_SIGNED &&
        !(d->auth == AUTH_CERTIFICATE_AUTHORITY && l->module_id.len == 0))
        return login_wrong_method(d, v);
    if (is_registered(l, d) || may_come_by_chain(l, d))
        return ST_OK;
    v->is_lasting = true;
    return fault_set(&v->why, ST_UNAUTHORIZED, "the certificate is not the registered one: %.*s",
                     THUMBPRINT_SHA256_LEN, l->thumbprints.sha256);
}

void login_by_certificate(struct login *l, const struct device *d, bool device_may)
{
    struct verdict v = {.metric = METRIC_CONNECTS_UNAUTHORIZED};
    struct trust_claim claim = {
        .leaf = l->certificate, .intermediates = l->intermediates, .now = clock_wall_ms()};

    v.status = check_method(l, d, &v);
    if (v.status == ST_OK && !keep_row(l, d, device_may)) {
        v.metric = METRIC_CONNECTS_UNAVAILABLE;
        v.status = fault_set(&v.why, ST_UNAVAILABLE, "out of memory");
    }
    if (v.status != ST_OK) {
        login_refuse(l, &v);
        return;
    }
    claim.group = l->by_certificate->group;
    claim.issuer_marks = d->issuer_marks;
    if (d->auth == AUTH_SELF_SIGNED && is_registered(l, d))
        certificate_check_pinned(l->id, &claim, d->expired_leaf_allowed, NULL, on_pinned, l);
    else
        certificate_check(l->id, &claim, NULL, on_path, l);
}
