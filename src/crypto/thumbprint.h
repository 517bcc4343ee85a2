/* Thumbprints of certificates: the hash of the whole certificate, as registries write it. */
#ifndef MUSTER_CRYPTO_THUMBPRINT_H
#define MUSTER_CRYPTO_THUMBPRINT_H

#include "base/slice.h"

struct x509_st;

#define THUMBPRINT_SHA1_LEN 40   /* hex digits */
#define THUMBPRINT_SHA256_LEN 64 /* hex digits */
#define THUMBPRINT_MAX THUMBPRINT_SHA256_LEN

/* The first certificate of PEM text, or NULL; free it with certificate_free. */
struct x509_st *certificate_from_pem(slice pem);
void certificate_free(struct x509_st *certificate);

/* Both in upper-case hex, without a NUL. */
struct thumbprints {
    char sha1[THUMBPRINT_SHA1_LEN];
    char sha256[THUMBPRINT_SHA256_LEN];
};

/* False when the certificate cannot be hashed. */
CHECKED bool certificate_thumbprints(const struct x509_st *certificate, struct thumbprints *ret);

/* Whether `registered` (hex of either length, any case) is one of these two. Thumbprints are no
 * secrets. */
bool thumbprint_matches(const struct thumbprints *given, slice registered);

#endif
