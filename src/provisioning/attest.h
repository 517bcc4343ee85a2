/* SAS token -> the enrollment that decides (provisioning.md 1.4 to 1.6, 3.2). Pure. Certificates
 * take longer: attest_certificate.c.
 *
 * An individual enrollment decides before any group, also when the credential is not its own.
 * Groups are found by their keys, the remembered one tried first. A refused attempt costs the
 * same whether or not there is an individual enrollment (SECURITY-MODEL K7). */
#ifndef MUSTER_PROVISIONING_ATTEST_H
#define MUSTER_PROVISIONING_ATTEST_H

#include "crypto/crypto.h"
#include "identity/trust/trace.h"
#include "provisioning/enrollment_cache.h"
#include "provisioning/provisioning.h"

struct attest_input {
    slice id_scope;
    slice registration_id; /* as presented */
    slice sas_token;
    instant now;
    int64_t tolerance_s;
    const struct enrollment *individual; /* with its keys; NULL: none */
    const struct enrollment_cache *groups;
    slice remembered_group; /* ID; empty: none */
};

/* Who decides, and the two keys that the device may sign with from now on. */
struct attested {
    const struct enrollment *enrollment; /* the input's */
    struct secret primary, secondary;    /* wiped by the caller */
};

/* ST_OK, or ST_UNAUTHORIZED with the cause for the operator. */
CHECKED enum status attest(const struct attest_input *in, struct trace *trace, struct attested *ret,
                           struct fault *why);

/* The keys of a device that comes by this enrollment: the entry's own, or those that the group
 * derives from the ID as written. Both absent where certificates attest. */
void enrollment_device_keys(const struct enrollment *e, slice registration_id,
                            struct secret *ret_primary, struct secret *ret_secondary);

#endif
