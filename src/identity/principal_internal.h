/* Inside identity/: a login under way, between principal.c and principal_certificate.c. */
#ifndef MUSTER_IDENTITY_PRINCIPAL_INTERNAL_H
#define MUSTER_IDENTITY_PRINCIPAL_INTERNAL_H

#include "base/metrics.h"
#include "identity/identity_internal.h"
#include "identity/principal.h"

/* One login under way; owns copies of what it needs, as the store may answer later. */
struct login {
    struct identity *id;
    principal_fn *on_principal;
    void *context;
    const struct hub_name *hub;
    slice device_id, module_id, text; /* in `bytes`; the text is the SAS token */
    struct sas_token token;
    int64_t device_generation; /* of a module's device */
    bool by_policy;            /* the policy's key made the token, and it has the right */
    /* By certificate: shared, as is what the row says of the device. */
    struct x509_st *certificate;
    struct stack_st_X509 *intermediates;
    struct thumbprints thumbprints;
    struct certificate_login *by_certificate; /* principal_certificate.c */
    uint8_t digest[SHA256_LEN]; /* of all that was said: names this login among refusals */
    size_t bytes_len;
    uint8_t bytes[];
};

/* Why not. */
struct verdict {
    enum status status;
    enum metric metric;
    bool is_lasting; /* by the credential alone: remembered for a while */
    struct fault why;
};

/* What let the device in. */
struct proof {
    enum credential_slot slot;
    const struct trust_marks *marks; /* of a certificate */
    int64_t trust_version;
};

/* Each answers and ends the login. */
void login_refuse(struct login *l, const struct verdict *v);
void login_accept(struct login *l, const struct device *d, const struct proof *proof);

enum status login_unknown_device(const struct login *l, struct verdict *v);
enum status login_wrong_method(const struct device *d, struct verdict *v);
/* Whether the device that has proven who it is may connect. */
enum status login_check_status(const struct device *d, bool device_may, struct verdict *v);

/* Decides on a certificate: `d` is the row, borrowed for the call, NULL when there is none. Ends
 * the login, now or later. */
void login_by_certificate(struct login *l, const struct device *d, bool device_may);
void certificate_login_free(struct certificate_login *c);

#endif
