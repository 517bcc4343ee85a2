/* Inside crypto/: what the two sealed forms, seal.c's values and sealed_file.c's files, share. */
#ifndef MUSTER_CRYPTO_SEAL_INTERNAL_H
#define MUSTER_CRYPTO_SEAL_INTERNAL_H

#include <openssl/evp.h>

#include "crypto/seal.h"

#define SEAL_SALT_LEN 16
#define SEAL_NONCE_LEN 12
#define SEAL_TAG_LEN 16

/* The key for "<table>.<column>" under this salt: 32 bytes. */
void sealer_derive(const struct sealer *s, const char *table, const char *column,
                   const uint8_t salt[SEAL_SALT_LEN], struct secret *ret);
const EVP_CIPHER *sealer_cipher(const struct sealer *s);

#endif
