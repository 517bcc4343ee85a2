/* Signatures of others, checked with a public key that came as numbers (RFC 7518, 3.3 and 3.4). */
#ifndef MUSTER_CRYPTO_SIGNATURE_H
#define MUSTER_CRYPTO_SIGNATURE_H

#include "base/slice.h"

/* A key of one kind: unused parts are empty. All numbers are big-endian. */
struct rsa_public {
    slice modulus, exponent; /* 2048 to 8192 bits, else nothing is signed with it */
};
struct p256_public {
    slice x, y; /* 32 bytes each */
};

/* RSASSA-PKCS1-v1_5 with SHA-256. */
CHECKED bool rs256_verify(const struct rsa_public *key, slice message, slice signature);
/* ECDSA on P-256 with SHA-256; the signature is R and S, 32 bytes each. */
CHECKED bool es256_verify(const struct p256_public *key, slice message, slice signature);

#endif
