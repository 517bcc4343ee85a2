/* What certificate_make.c shares with leaf_maker.c: keys as bytes, and an issuer worked out once.
 * Not for other folders. */
#ifndef MUSTER_CRYPTO_CERTIFICATE_MAKE_INTERNAL_H
#define MUSTER_CRYPTO_CERTIFICATE_MAKE_INTERNAL_H

#include "crypto/certificate_make.h"

#define SIGNATURE_MAX 2048        /* bytes: RSA of 16,384 bits */
#define CERTIFICATE_DER_MAX 32768 /* bytes: a server of a few hundred names */
#define KEY_DER_MAX 8192

/* A key as its two encodings: SubjectPublicKeyInfo for the certificate, PKCS#8 for the file. */
struct key_bytes {
    struct buf public_info, private_info;
};
void key_bytes_init(struct key_bytes *k);
void key_bytes_deinit(struct key_bytes *k); /* wipes */
CHECKED bool key_bytes_of(const struct evp_pkey_st *key, struct key_bytes *ret);
/* The first half alone. */
CHECKED bool public_info_of(const struct evp_pkey_st *key, struct buf *to);
CHECKED struct evp_pkey_st *key_from_bytes(const struct key_bytes *k);

/* "-----BEGIN label-----". The room is taken at once: no growing leaves copies of a key behind. */
void pem_write(const char *label, slice der, struct buf *to);

struct signature_kind;
struct evp_md_ctx_st;

/* Who signs: its name, its key's identifier, and a signature that is ready to begin. */
struct issuing {
    struct buf name;   /* DER; empty when the subject signs for itself */
    struct buf key_id; /* empty: the issuer has none, or is the subject */
    const struct signature_kind *kind;
    struct evp_md_ctx_st *ready, *at_work;
    struct buf body; /* what is signed; kept for the next */
};
/* `issuer` NULL: self-signed with `key`. ST_BAD_REQUEST for a key that is not the issuer's, or of
 * a kind we do not sign with. */
CHECKED enum status issuing_init(struct issuing *by, const struct x509_st *issuer,
                                 const struct evp_pkey_st *key, struct fault *why);
void issuing_deinit(struct issuing *by);

/* The certificate as DER; of the order, issuer and keys are not looked at. `rsa`: the subject's
 * key is one. */
CHECKED enum status certificate_write(const struct certificate_order *order, slice public_info,
                                      bool rsa, struct issuing *by, struct buf *to,
                                      struct fault *why);

#endif
