/* All that decides on a certificate chain, in one place for the DPS and the hub:
 *
 *     the current trust -> path, slot, revocation -> no issuer is a device -> OCSP, where asked
 *
 * An issuer below the slot's certificate whose CN is a device would let the holder of one device
 * make others (SECURITY-MODEL C5); that and OCSP need the store and the network, so the answer may
 * come later. */
#ifndef MUSTER_IDENTITY_CERTIFICATE_CHECK_H
#define MUSTER_IDENTITY_CERTIFICATE_CHECK_H

#include "identity/trust/trust.h"

struct certificate_verdict {
    slice group; /* ID in lower case of the enrollment group that decides */
    enum authority_slot slot;
    bool enabled;                   /* that group's authority flag */
    struct thumbprints thumbprints; /* of the leaf */
    const struct trust_marks *marks;
    int64_t trust_version;
};
/* ST_OK with the verdict (borrowed), ST_UNAUTHORIZED with the cause, or ST_UNAVAILABLE when store
 * or memory failed, or a strict responder did not answer. */
typedef void certificate_check_fn(void *context, enum status status,
                                  const struct certificate_verdict *verdict,
                                  const struct fault *why);
/* The claim's certificates are shared, not borrowed. `trace` may be NULL; it outlives the call. */
void certificate_check(struct identity *id, const struct trust_claim *claim, struct trace *trace,
                       certificate_check_fn *on_verdict, void *context);
/* The same for a leaf known by its thumbprint: dates, deny list. `may_be_expired`: the switch of
 * an individual enrollment (3.3). The verdict's group is empty. */
void certificate_check_pinned(struct identity *id, const struct trust_claim *claim,
                              bool may_be_expired, struct trace *trace,
                              certificate_check_fn *on_verdict, void *context);

#endif
