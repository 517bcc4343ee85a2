/* From a leaf to an authority: the path, and whether it holds (SECURITY-MODEL C3 to C5;
 * contract/provisioning.md 3.3, 5.3, 5.4). Pure: no clock, no network, no store.
 *
 *     leaf <- issuer <- ... <- anchor
 *
 * The anchors are the verified authorities; a path may end at an intermediate (partial chain).
 * Issuers come from what the device sent, in any order, and from the `known` certificates, which
 * vouch for nothing but may be links of a path. */
#ifndef MUSTER_CRYPTO_CHAIN_H
#define MUSTER_CRYPTO_CHAIN_H

#include "crypto/certificate_read.h"

#define CHAIN_TOLERANCE_S 300 /* of every validity, at both ends: clocks differ */

enum chain_reason {
    CHAIN_GOOD,
    CHAIN_NO_ISSUER,     /* no authority here issued it, or a link is missing */
    CHAIN_BAD_SIGNATURE, /* a certificate is not signed by the one above it */
    CHAIN_NOT_YET_VALID,
    CHAIN_EXPIRED,
    CHAIN_ISSUER_NO_CA,        /* an issuer without basicConstraints CA:TRUE, or a v1 certificate */
    CHAIN_ISSUER_MAY_NOT_SIGN, /* keyUsage without keyCertSign */
    CHAIN_PATH_LENGTH,
    CHAIN_TOO_LONG,       /* more than CERTIFICATE_CHAIN_MAX */
    CHAIN_WEAK_KEY,       /* of a kind or length that is not taken */
    CHAIN_WEAK_SIGNATURE, /* MD5, SHA-1 */
    CHAIN_WRONG_PURPOSE,  /* extendedKeyUsage without clientAuth, keyUsage without signature */
    CHAIN_NAME_CONSTRAINT,
    CHAIN_CRITICAL_EXTENSION, /* one that is critical and unknown */
    CHAIN_MALFORMED,          /* an extension that cannot be read, a bad date */
    CHAIN_BAD_NAME,           /* the subject's CN: none, several, a NUL, too long */
    CHAIN_OTHER,
    CHAIN_REASONS
};
/* "expired": a word for tables and tests; and the advice for whoever made the certificate. */
const char *chain_reason_name(enum chain_reason reason);
const char *chain_reason_mend(enum chain_reason reason);

struct chain_input {
    struct x509_st *leaf;
    struct stack_st_X509 *presented; /* besides the leaf; may be NULL */
    struct x509_st *const *anchors;
    size_t anchor_count;
    struct x509_st *const *known;
    size_t known_count;
    instant now;
};

/* Leaf first, the anchor last; one reference each, dropped by chain_path_deinit. */
struct chain_path {
    struct x509_st *certificates[CERTIFICATE_CHAIN_MAX];
    size_t count;
    size_t failed_at; /* on failure: the index whose check failed, as far as the path was built */
};
void chain_path_deinit(struct chain_path *path);

/* CHAIN_GOOD, or the first reason with a sentence that says expected and received. `ret` holds
 * what was built of the path either way. Queues nothing in OpenSSL's error list. */
CHECKED enum chain_reason chain_build(const struct chain_input *in, struct chain_path *ret,
                                      struct fault *why);

/* A leaf that is known by its thumbprint: dates (`check_start`: also that it has begun) and key
 * alone. */
CHECKED enum chain_reason chain_check_pinned(const struct x509_st *leaf, bool check_start,
                                             instant now, struct fault *why);

/* A leaf by itself, whoever issued it: what it must be for an authority here to vouch for it. */
CHECKED enum chain_reason chain_check_leaf(const struct x509_st *leaf, instant now,
                                           struct fault *why);

/* What an uploaded authority must be (central.md 4.5, C02 to C04): the reason, or CHAIN_GOOD.
 * `allow_weak_signature`: the logged override. A certificate that says it is its own issuer must
 * be signed by its own key. */
CHECKED enum chain_reason chain_check_authority(const struct x509_st *authority, instant now,
                                                bool allow_weak_signature, struct fault *why);

/* Whether `subject` is signed by `authority`'s key, directly, names matching: proof of possession.
 * Nothing else of `subject` is looked at. */
CHECKED bool chain_is_issued_by(const struct x509_st *subject, const struct x509_st *authority);

#endif
