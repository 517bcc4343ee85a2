/* Secrets at rest: AES-256-GCM under a key derived from the master key for each record.
 *
 *     "v1." keyver "." salt "." nonce "." ciphertext+tag       as binary: see seal.c
 *
 * subkey = HKDF-SHA256(master, salt: 16 random bytes, info: "muster/v1/<table>.<column>")
 * AAD    = table, column, row ID and key version, each with its length
 * So a sealed value opens only in the column and row that it was sealed for. */
#ifndef MUSTER_CRYPTO_SEAL_H
#define MUSTER_CRYPTO_SEAL_H

#include "base/buf.h"
#include "base/status.h"
#include "crypto/crypto.h"

struct sealer;

/* Reads the master key file: 32 bytes, mode 0600 or 0400, owned by us, no symlink. Creates it
 * when `create` is set and there is none. */
CHECKED struct sealer *sealer_open(const char *path, bool create, struct fault *why);
void sealer_destroy(struct sealer *s);

/* Where a sealed value lives: "device", "keys", the row's ID. */
struct seal_place {
    const char *table, *column;
    slice row;
};
/* What sealing adds to the length. */
#define SEAL_OVERHEAD 54
/* Appends the sealed form; `to` failed when there is no room or memory. Any thread. */
void seal(const struct sealer *s, struct seal_place place, slice plaintext, struct buf *to);
/* ST_INTERNAL when the value was not sealed for this place by this key: never "no key". */
CHECKED enum status unseal(const struct sealer *s, struct seal_place place, slice sealed,
                           struct buf *to, struct fault *why);

#endif
