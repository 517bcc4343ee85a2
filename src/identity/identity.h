/* Identity: who is this, and may they do that.
 *
 * The one decision point of the program: credentials (SAS token, certificate, API token) become a
 * principal here, and nowhere else are keys compared, rights checked or a device's status read.
 *
 *     device.h      devices, modules, the facts of their life cycle, their keys
 *     principal.h   credentials -> principal -> may()
 *     policy.h      the hub's and the DPS's shared access policies
 *     api_token.h   tokens of the application's REST API
 *     user.h, role.h, organization.h, permission.h   who may use the application, for what
 *     sign_in.h, oidc.h, user_session.h, invitation.h   users who sign in, and their sessions
 *     audit.h       who did what
 */
#ifndef MUSTER_IDENTITY_IDENTITY_H
#define MUSTER_IDENTITY_IDENTITY_H

#include "base/status.h"
#include "bus/bus.h"
#include "crypto/seal.h"
#include "net/worker.h"
#include "store/store.h"

struct egress_rules;
struct identity;
struct oidc_options;

/* A hub: a name for its rows and the host names by which devices know it. */
struct hub_name {
    slice name;         /* "main" */
    const slice *hosts; /* first the one that DPS hands out, then aliases */
    size_t host_count;
};

struct identity_options {
    const struct hub_name *hubs; /* kept by reference for the identity's life */
    size_t hub_count;
    int64_t sas_tolerance_s;      /* 0..300; 300 unless configured */
    unsigned sign_ins_per_minute; /* tries of one address; 0: no limit */
    /* Where OCSP responders and the issuer may be; kept by reference. NULL: nowhere. */
    const struct egress_rules *egress;
    const struct oidc_options *oidc; /* kept by reference; NULL: no issuer (oidc.h) */
};

extern const struct store_schema identity_schema;

/* Before workers_start. Makes the default policies at first start. */
CHECKED struct identity *identity_create(struct workers *ws, struct store *st,
                                         const struct sealer *sealer, struct bus *bus,
                                         const struct identity_options *options, struct fault *why);
void identity_destroy(struct identity *id);

/* The hub that answers to this host name (without case, "host" or "host:port"), or NULL. */
const struct hub_name *identity_hub_by_host(const struct identity *id, slice host);
const struct hub_name *identity_hub_by_name(const struct identity *id, slice name);
const struct hub_name *identity_default_hub(const struct identity *id);
int64_t identity_sas_tolerance_s(const struct identity *id);

#endif
