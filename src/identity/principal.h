/* Credentials become a principal; a principal may do things or may not.
 *
 * SECURITY-MODEL S1: every topic, link, route and verb asks here. The HMAC work for an unknown
 * device equals that for a known one, and a repeated bad token is refused from a small cache
 * without asking the store. */
#ifndef MUSTER_IDENTITY_PRINCIPAL_H
#define MUSTER_IDENTITY_PRINCIPAL_H

#include "codec/sas.h"
#include "identity/access/permission.h"
#include "identity/device.h"
#include "identity/identity.h"

struct x509_st;
struct stack_st_X509;
struct trust_marks;

enum right {
    RIGHT_NONE = 0,
    RIGHT_REGISTRY_READ = 1 << 0,
    RIGHT_REGISTRY_WRITE = 1 << 1,
    RIGHT_SERVICE_CONNECT = 1 << 2,
    RIGHT_DEVICE_CONNECT = 1 << 3,
    RIGHT_DPS_CONFIG = 1 << 4,
    RIGHT_ENROLLMENT_READ = 1 << 5,
    RIGHT_ENROLLMENT_WRITE = 1 << 6,
    RIGHT_REGISTRATION_READ = 1 << 7,
    RIGHT_REGISTRATION_WRITE = 1 << 8,
};

/* Which credential let a device in: a change of that one ends the session, of another does not. */
enum credential_slot {
    CREDENTIAL_PRIMARY = 1,
    CREDENTIAL_SECONDARY = 2,
    CREDENTIAL_POLICY = 4,
    CREDENTIAL_CERTIFICATE = 8,
    CREDENTIAL_ANY = 15,
};

/* What a device says of itself when it connects. */
struct device_login {
    slice host; /* as the device wrote it: names the hub */
    slice device_id, module_id;
    slice sas_token;                     /* empty: none */
    struct x509_st *certificate;         /* NULL: none */
    struct stack_st_X509 *intermediates; /* that came with it; NULL: none */
};

/* Who it is, once it is proven. Slices borrow from the callback's memory. */
struct device_principal {
    const struct hub_name *hub;
    slice device_id, module_id, generation_id;
    enum credential_slot slot;
    slice policy; /* name, with CREDENTIAL_POLICY */
    /* With CREDENTIAL_CERTIFICATE: what the session is to be found by when trust changes, and the
     * version of trust that was asked. */
    const struct trust_marks *marks;
    int64_t trust_version;
    int64_t credential_generation;
    int64_t expires_at; /* SAS: Unix seconds; 0: never */
    unsigned subscriptions;
    slice method_filters;
    slice model_id; /* the stored one */
    slice template_id;
};

/* ST_OK; ST_UNAUTHORIZED whatever the cause (the cause is in `why` and in METRIC_CONNECTS_*);
 * ST_UNAVAILABLE when the store did not answer or the host is no hub of ours: transient. */
typedef void principal_fn(void *context, enum status status, const struct device_principal *p,
                          const struct fault *why);
void identity_authenticate(struct identity *id, const struct device_login *login,
                           principal_fn *on_principal, void *context);

/* The device's own closed list of acts (SECURITY-MODEL D3) needs no table: a session may do them
 * for the identity it was opened for, nothing else. Of services and operators: */
#define ORGANIZATION_PATH_MAX 256
struct principal {
    unsigned rights;                          /* of a policy: enum right */
    permission_set permissions;               /* of a caller of the application */
    char organization[ORGANIZATION_PATH_MAX]; /* within which; empty: everywhere (organization.h) */
    char name[64];                            /* policy or token name, for the audit */
    const struct hub_name *hub;               /* NULL: the DPS or the application */
    int64_t signed_in_at;                     /* of a user's session; 0: it is a token */
};
/* To a hub's or the DPS's service API. */
bool may(const struct principal *p, enum right right);
/* To the application. Groups, jobs and settings are the whole application's: who acts within an
 * organization may do nothing there, whatever its roles say. Of devices he may do it to those that
 * his organization covers: for the caller of this to see to. */
bool may_do(const struct principal *p, enum permission permission);
/* Nobody hands out more than he has (contract/central.md 4.8), nor beyond his organization. */
bool may_grant(const struct principal *p, permission_set permissions, slice organization);

/* "SharedAccessSignature sr=...&skn=policy" of a hub service or DPS service call. `segments` is
 * the resource behind the host. ST_UNAUTHORIZED or ST_OK; the rights are those of the policy. */
typedef void service_principal_fn(void *context, enum status status, const struct principal *p,
                                  const struct fault *why);
void identity_authenticate_service(struct identity *id, slice host, slice authorization,
                                   const slice *segments, size_t segment_count,
                                   service_principal_fn *on_principal, void *context);

/* Forget refusals remembered for this device and its modules: it was made, or its keys changed. On
 * this worker at once, on the others by the bus. Any thread. */
void identity_forget_refusals(struct identity *id, slice device_id);

#endif
