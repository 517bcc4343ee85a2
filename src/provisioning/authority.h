/* The two certificate slots of an X.509 enrollment group (contract/central.md 4.5):
 *
 *     empty -> unverified -> code issued -> verified        expiring, expired: by time
 *                  `------ verified on upload ------^
 *
 * Every act names the group and a slot, is guarded by the slot's version, and moves the trust
 * snapshot. An uploaded certificate that differs from what the slot held starts unverified: what
 * was verified are bytes. Replacing loses code, revocation list and OCSP setting. */
#ifndef MUSTER_PROVISIONING_AUTHORITY_H
#define MUSTER_PROVISIONING_AUTHORITY_H

#include "identity/trust/authority_store.h"
#include "provisioning/enrollment.h"

#define AUTHORITY_EXPIRING_MS (60LL * 24 * 3600 * 1000)

enum authority_state {
    AUTHORITY_EMPTY,
    AUTHORITY_UNVERIFIED,
    AUTHORITY_CODE_ISSUED,
    AUTHORITY_VERIFIED,
    AUTHORITY_EXPIRING, /* verified, and the certificate ends within 60 days */
    AUTHORITY_EXPIRED,
};
const char *authority_state_name(enum authority_state state); /* "codeIssued" */
enum authority_state authority_state_of(const struct authority_row *row,
                                        const struct certificate_facts *facts, instant now);

/* Both slots of one group: `row` NULL for an empty one. `warning` NULL or a sentence: the same
 * certificate in the other slot, expires within 90 days, keyUsage without keyCertSign. */
struct authority_view {
    enum authority_slot slot;
    enum authority_state state;
    const struct authority_row *row;
    const struct certificate_facts *facts;
    const char *warning;
};
/* Called once: with the two views, or ST_NOT_FOUND (no such X.509 group), ... */
typedef void authority_fn(void *context, enum status status, const struct authority_view views[2],
                          const struct fault *why);

enum authority_act {
    AUTHORITY_SHOW,
    AUTHORITY_UPLOAD,     /* file: root or intermediate, PEM or DER; verified: self-attested */
    AUTHORITY_ISSUE_CODE, /* voids the one before */
    AUTHORITY_VERIFY,     /* file: the verification certificate */
    AUTHORITY_REMOVE,
    AUTHORITY_SET_CRL,  /* file; empty: the list is dropped */
    AUTHORITY_SET_OCSP, /* url, strict; an empty URL: off */
};
struct authority_request {
    enum authority_act act;
    slice group;              /* as written */
    enum authority_slot slot; /* 0 with AUTHORITY_SHOW */
    slice file;
    bool verified;
    bool replace; /* an upload may take the place of another certificate that is verified */
    slice ocsp_url;
    bool ocsp_strict;
    int64_t version;  /* the slot's version as the caller knows it; 0: whatever it is */
    bool must_be_new; /* the slot must be empty */
    slice by;         /* the acting token's name */
};
/* Gives the group's slots as they are then. The refusals of 4.5 begin with their code, as in "C06:
 * the certificate names another code": ST_BAD_REQUEST for C01 to C04 and C06 to C09, ST_CONFLICT
 * for C05 (another group's) and for what wants `replace`, ST_PRECONDITION_FAILED for a stale
 * version. On a worker. */
void authority_do(struct provisioning *p, const struct authority_request *request,
                  authority_fn *on_views, void *context);

/* --- the deny list -----------------------------------------------------------------------------
 */

/* Done when it is durable; live sessions end within a second. ST_BAD_REQUEST: neither a thumbprint
 * nor a serial with a group; ST_QUOTA: DENIED_MAX. */
typedef void denial_done_fn(void *context, enum status status, const struct fault *why);
void denial_add(struct provisioning *p, const struct denial *d, denial_done_fn *on_done,
                void *context);
/* ST_NOT_FOUND. */
void denial_remove(struct provisioning *p, slice key, denial_done_fn *on_done, void *context);

#endif
