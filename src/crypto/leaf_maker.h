/* Leaves by the million: what they share is worked out once, and a leaf then costs little more
 * than its key and its signature. One maker per thread. */
#ifndef MUSTER_CRYPTO_LEAF_MAKER_H
#define MUSTER_CRYPTO_LEAF_MAKER_H

#include "crypto/certificate_make.h"

struct leaf_plan {
    enum certificate_role role;
    enum key_kind kind;           /* of fresh keys */
    const struct x509_st *issuer; /* NULL: each leaf signs for itself; kept, as is the key */
    const struct evp_pkey_st *issuer_key;
    instant not_before, not_after;
};

/* All borrowed from the maker, until its next leaf. */
struct leaf {
    slice certificate_der;
    slice certificate, key; /* PEM */
};

struct leaf_maker;
/* NULL with the cause. */
CHECKED struct leaf_maker *leaf_maker_create(const struct leaf_plan *plan, struct fault *why);
void leaf_maker_destroy(struct leaf_maker *m); /* wipes the last key */

/* For a fresh key, or for `key` unless that is NULL. */
CHECKED enum status leaf_maker_make(struct leaf_maker *m, slice common_name,
                                    const struct evp_pkey_st *key, struct leaf *ret,
                                    struct fault *why);

#endif
