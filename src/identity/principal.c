/* A device's credential becomes a principal, or a refusal.
 *
 *     what the login says by itself  -> identities, scope, expiry: no read
 *     refused a moment ago?          -> one hash, no read
 *     policy token: the policy       -> one read
 *     the device's row               -> one read, keys unsealed, both tried, then its status
 *     a certificate                  -> principal_certificate.c
 *
 * Whoever is refused learns nothing of the cause, and an unknown device takes the same work as a
 * known one with a wrong key. */
#include "identity/principal.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#include "codec/topic.h"
#include "identity/device_store.h"
#include "identity/principal_internal.h"

static void login_free(struct login *l)
{
    certificate_login_free(l->by_certificate);
    certificate_free(l->certificate);
    certificates_free(l->intermediates);
    free(l);
}

void login_refuse(struct login *l, const struct verdict *v)
{
    metric_add(v->metric, 1);
    if (v->is_lasting)
        refusal_cache_add(identity_refusals(l->id), l->digest, device_hash(l->device_id),
                          clock_mono_ms());
    l->on_principal(l->context, v->status, NULL, &v->why);
    login_free(l);
}

void login_accept(struct login *l, const struct device *d, const struct proof *proof)
{
    const struct fault none = {.status = ST_OK};
    const struct device_principal p = {
        .hub = l->hub,
        .device_id = l->device_id,
        .module_id = l->module_id,
        .generation_id = d->generation_id,
        .slot = proof->slot,
        .policy = l->token.policy,
        .marks = proof->marks,
        .trust_version = proof->trust_version,
        .credential_generation = d->credential_generation > l->device_generation
                                     ? d->credential_generation
                                     : l->device_generation,
        .expires_at = l->text.len ? l->token.expires_at : 0,
        .subscriptions = d->subscriptions,
        .method_filters = d->method_filters,
        .model_id = d->model_id,
        .template_id = d->template_id,
    };

    metric_add(METRIC_CONNECTS_OK, 1);
    l->on_principal(l->context, ST_OK, &p, &none);
    login_free(l);
}

/* --- third: the device's row ----------------------------------------------------------------- */

enum status login_unknown_device(const struct login *l, struct verdict *v)
{
    v->is_lasting = true;
    return fault_set(&v->why, ST_UNAUTHORIZED, "no such %s in hub '%.*s'",
                     l->module_id.len ? "module" : "device", SLICE_FMT(l->hub->name));
}

enum status login_wrong_method(const struct device *d, struct verdict *v)
{
    static const char *const names[] = {
        [AUTH_SAS] = "a shared key",
        [AUTH_SELF_SIGNED] = "a certificate by thumbprint",
        [AUTH_CERTIFICATE_AUTHORITY] = "a certificate by authority",
        [AUTH_NONE] = "nothing",
    };

    v->is_lasting = true;
    return fault_set(&v->why, ST_UNAUTHORIZED, "presented another credential than registered: %s",
                     (unsigned)d->auth < COUNT_OF(names) ? names[d->auth] : "unknown");
}

static enum status prove_by_key(const struct login *l, const struct device *d,
                                enum credential_slot *ret_slot, struct verdict *v)
{
    const struct device nobody = {.sealed_keys =
                                      slice_of(l->id->dummy_sealed, l->id->dummy_sealed_len)};
    SECRET_CLEANUP struct secret primary = {.len = 0}, secondary = {.len = 0};
    bool by_primary, by_secondary;

    if (device_keys(l->id, d ? d : &nobody, &primary, &secondary, &v->why) != ST_OK) {
        v->metric = METRIC_CONNECTS_UNAVAILABLE;
        return ST_UNAVAILABLE;
    }
    by_primary = token_signed_by(l->id, &l->token, &primary);
    by_secondary = token_signed_by(l->id, &l->token, &secondary);
    if (!d)
        return login_unknown_device(l, v);
    if (d->auth != AUTH_SAS)
        return login_wrong_method(d, v);
    v->is_lasting = true;
    if (!by_primary && !by_secondary)
        return fault_set(&v->why, ST_UNAUTHORIZED, "the signature matches neither key");
    v->is_lasting = false;
    *ret_slot = by_primary ? CREDENTIAL_PRIMARY : CREDENTIAL_SECONDARY;
    return ST_OK;
}

static enum status prove(const struct login *l, const struct device *d,
                         enum credential_slot *ret_slot, struct verdict *v)
{
    if (!l->by_policy)
        return prove_by_key(l, d, ret_slot, v);
    *ret_slot = CREDENTIAL_POLICY;
    return d ? ST_OK : login_unknown_device(l, v);
}

/* Never remembered: unblocking acts on the very next attempt. */
enum status login_check_status(const struct device *d, bool device_may, struct verdict *v)
{
    const char *cause = "the device of this module may not connect";

    if (device_may && device_may_connect(d))
        return ST_OK;
    v->metric = METRIC_CONNECTS_DISABLED;
    if (d->blocked)
        cause = "blocked by an operator";
    else if (!d->enabled)
        cause = "disabled in the hub's registry";
    else if (d->module_id.len == 0)
        cause = d->approved ? "not provisioned yet" : "waiting for approval";
    return fault_set(&v->why, ST_UNAUTHORIZED, "%s", cause);
}

static void decide(struct login *l, const struct device *d, bool device_may)
{
    struct verdict v = {.metric = METRIC_CONNECTS_UNAUTHORIZED};
    struct proof proof = {.marks = NULL};

    v.status = prove(l, d, &proof.slot, &v);
    assert(d || v.status != ST_OK); /* nobody proves to be a device that does not exist */
    if (d && v.status == ST_OK)
        v.status = login_check_status(d, device_may, &v);
    if (d && v.status == ST_OK)
        login_accept(l, d, &proof);
    else
        login_refuse(l, &v);
}

static void refuse_unread(struct login *l, enum status status)
{
    struct verdict v = {.metric = METRIC_CONNECTS_UNAVAILABLE};

    v.status =
        fault_set(&v.why, ST_UNAVAILABLE, "the store did not answer: %s", status_name(status));
    login_refuse(l, &v);
}

/* The device's row comes first, then its module's. */
static void on_device_rows(void *context, enum status status, struct rows *rows)
{
    struct login *l = context;
    struct device d;
    bool found = false, device_may = true;

    if (status == ST_OK) {
        found = rows_next(rows);
        if (found)
            device_from_row(rows, &d);
        if (found && l->module_id.len) {
            device_may = device_may_connect(&d);
            l->device_generation = d.credential_generation;
            found = rows_next(rows);
            if (found)
                device_from_row(rows, &d);
        }
        status = found ? ST_OK : rows_status(rows);
    }
    if (status != ST_OK)
        refuse_unread(l, status);
    else if (l->certificate)
        login_by_certificate(l, found ? &d : NULL, device_may);
    else
        decide(l, found ? &d : NULL, device_may);
}

static void read_device(struct login *l)
{
    bool is_module = l->module_id.len > 0;
    uint8_t key[DEVICE_ID_MAX];
    const struct sql_value values[] = {SQL_TEXT_(device_key_of(l->device_id, key)),
                                       SQL_TEXT_(l->hub->name), SQL_TEXT_(l->device_id),
                                       SQL_TEXT_(l->module_id)};

    store_read(l->id->store, is_module ? &device_get_module_sql : &device_get_sql, values,
               is_module ? 4 : 3, on_device_rows, l);
}

/* --- second: the policy, when the token names one -------------------------------------------- */

static enum status check_policy(const struct login *l, const struct policy *p, struct verdict *v)
{
    static const struct secret absent = {.len = 0};
    bool by_primary = token_signed_by(l->id, &l->token, p ? &p->primary : &absent);
    bool by_secondary = token_signed_by(l->id, &l->token, p ? &p->secondary : &absent);

    v->is_lasting = true;
    if (!p)
        return fault_set(&v->why, ST_UNAUTHORIZED, "no such policy: '%.*s'",
                         SLICE_FMT(l->token.policy));
    if (!by_primary && !by_secondary)
        return fault_set(&v->why, ST_UNAUTHORIZED, "the signature matches no key of policy '%.*s'",
                         SLICE_FMT(l->token.policy));
    v->is_lasting = false;
    if (!(p->rights & RIGHT_DEVICE_CONNECT))
        return fault_set(&v->why, ST_UNAUTHORIZED, "policy '%.*s' lacks DeviceConnect",
                         SLICE_FMT(l->token.policy));
    return ST_OK;
}

static void on_policy(void *context, enum status status, const struct policy *p)
{
    struct login *l = context;
    struct verdict v = {.metric = METRIC_CONNECTS_UNAUTHORIZED};

    if (status != ST_OK && status != ST_NOT_FOUND) {
        refuse_unread(l, status);
        return;
    }
    v.status = check_policy(l, p, &v);
    l->by_policy = v.status == ST_OK;
    if (l->by_policy)
        read_device(l);
    else
        login_refuse(l, &v);
}

static void read_policy(struct login *l)
{
    char scope[POLICY_SCOPE_MAX];

    policy_get(l->id, policy_scope_of_hub(l->hub, scope), l->token.policy, on_policy, l);
}

/* --- first: what the login says by itself ---------------------------------------------------- */

/* A device's own token names exactly its identity; a policy's may be good for more. */
static bool token_covers(const struct login *l)
{
    const slice segments[] = {SLICE("devices"), l->device_id, SLICE("modules"), l->module_id};
    const struct sas_resource resource = {.hosts = l->hub->hosts,
                                          .host_count = l->hub->host_count,
                                          .segments = segments,
                                          .segment_count = l->module_id.len ? 4 : 2};

    return sas_token_covers(&l->token, &resource) &&
           (l->token.policy.len > 0 || sas_token_depth(&l->token) == resource.segment_count);
}

static enum status check_token(struct login *l, struct verdict *v)
{
    int64_t now_s = clock_wall_ms() / 1000;
    enum status status = sas_token_parse(l->text, &l->token, &v->why);

    if (status != ST_OK) {
        v->metric = METRIC_CONNECTS_MALFORMED;
        return status;
    }
    if (!token_covers(l))
        return fault_set(&v->why, ST_UNAUTHORIZED, "the token is for another resource: '%.*s'",
                         SLICE_FMT(l->token.scope));
    if (!sas_token_expired(&l->token, now_s, identity_sas_tolerance_s(l->id)))
        return ST_OK;
    v->metric = METRIC_CONNECTS_EXPIRED;
    return fault_set(&v->why, ST_UNAUTHORIZED,
                     "the token expired at %" PRId64 ", this server's clock says %" PRId64,
                     l->token.expires_at, now_s);
}

static enum status check_login(struct login *l, struct verdict *v)
{
    if (refusal_cache_has(identity_refusals(l->id), l->digest, clock_mono_ms()))
        return fault_set(&v->why, ST_UNAUTHORIZED, "the same wrong credential again, within %d s",
                         REFUSAL_LIFE_MS / 1000);
    if (!l->text.len && !l->certificate)
        return fault_set(&v->why, ST_UNAUTHORIZED, "the certificate cannot be hashed");
    return l->text.len ? check_token(l, v) : ST_OK;
}

static slice keep(struct login *l, slice bytes)
{
    slice kept = {l->bytes + l->bytes_len, bytes.len};

    if (bytes.len)
        memcpy(l->bytes + l->bytes_len, bytes.ptr, bytes.len);
    l->bytes_len += bytes.len;
    l->bytes[l->bytes_len++] = 0; /* which no ID and no host name holds */
    return kept;
}

static struct login *create_login(struct identity *id, const struct hub_name *hub,
                                  const struct device_login *from)
{
    size_t len = hub->name.len + from->device_id.len + from->module_id.len + from->sas_token.len +
                 THUMBPRINT_MAX + 5;
    struct login *l = malloc(sizeof *l + len);

    if (!l)
        return NULL;
    *l = (struct login){.id = id, .hub = hub};
    keep(l, hub->name);
    l->device_id = keep(l, from->device_id);
    l->module_id = keep(l, from->module_id);
    l->text = keep(l, from->sas_token);
    /* A token, when there is one, is the credential; the certificate then proves nothing. */
    if (!l->text.len && certificate_thumbprints(from->certificate, &l->thumbprints)) {
        keep(l, slice_of(l->thumbprints.sha256, THUMBPRINT_SHA256_LEN));
        l->certificate = certificate_share(from->certificate);
        l->intermediates = certificates_share(from->intermediates);
    }
    sha256(slice_of(l->bytes, l->bytes_len), l->digest);
    return l;
}

/* What needs no copy to be refused. */
static enum status check_form(const struct device_login *from, const struct hub_name *hub,
                              struct verdict *v)
{
    v->metric = METRIC_CONNECTS_UNAVAILABLE;
    if (!hub)
        return fault_set(&v->why, ST_UNAVAILABLE, "no hub answers to '%.*s'",
                         SLICE_FMT(slice_first(from->host, 100)));
    v->metric = METRIC_CONNECTS_MALFORMED;
    if (!device_id_valid(from->device_id) ||
        (from->module_id.len && !device_id_valid(from->module_id)))
        return fault_set(&v->why, ST_UNAUTHORIZED, "not a device or module ID");
    if (from->sas_token.len > SAS_TOKEN_MAX)
        return fault_set(&v->why, ST_UNAUTHORIZED, "the token is longer than %d bytes",
                         SAS_TOKEN_MAX);
    v->metric = METRIC_CONNECTS_UNAUTHORIZED;
    if (!from->sas_token.len && !from->certificate)
        return fault_set(&v->why, ST_UNAUTHORIZED, "no credential");
    return ST_OK;
}

void identity_authenticate(struct identity *id, const struct device_login *from,
                           principal_fn *on_principal, void *context)
{
    const struct hub_name *hub = identity_hub_by_host(id, from->host);
    struct verdict v = {.metric = METRIC_CONNECTS_UNAUTHORIZED};
    struct login *l = NULL;

    v.status = check_form(from, hub, &v);
    if (v.status == ST_OK) {
        l = create_login(id, hub, from);
        if (!l)
            v.status = fault_set(&v.why, ST_UNAVAILABLE, "out of memory");
    }
    if (!l) {
        metric_add(v.metric, 1);
        on_principal(context, v.status, NULL, &v.why);
        return;
    }
    l->on_principal = on_principal;
    l->context = context;
    v.status = check_login(l, &v);
    if (v.status != ST_OK)
        login_refuse(l, &v);
    else if (l->token.policy.len)
        read_policy(l);
    else
        read_device(l);
}
