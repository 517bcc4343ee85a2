/* HMAC, hashes, random bytes, comparison: the small door to libcrypto. */
#ifndef MUSTER_CRYPTO_CRYPTO_H
#define MUSTER_CRYPTO_CRYPTO_H

#include "base/slice.h"
#include "base/status.h"

#define HMAC_SHA256_LEN 32
#define SHA256_LEN 32

/* A key or another secret of up to 64 bytes. Wipe with secret_wipe; it has no printer. */
#define SECRET_MAX 64
struct secret {
    uint8_t bytes[SECRET_MAX];
    size_t len; /* 0: absent */
};
void secret_wipe(struct secret *s);
#define SECRET_CLEANUP __attribute__((cleanup(secret_wipe)))
static inline slice secret_slice(const struct secret *s)
{
    return (slice){s->bytes, s->len};
}

/* Over the parts joined. One context per thread is kept, so this does not allocate once warm. */
void hmac_sha256(slice key, const slice *parts, size_t count, uint8_t ret[HMAC_SHA256_LEN]);
void sha256(slice bytes, uint8_t ret[SHA256_LEN]);

/* In constant time for a given `len`. */
bool secret_equal(const void *a, const void *b, size_t len);

/* Fresh random bytes; aborts when the system gives none, for nothing may go on without. */
void random_bytes(void *to, size_t len);
/* A random (version 4) UUID as 36 characters, without a NUL. */
#define UUID_LEN 36
void random_uuid(char to[UUID_LEN]);
/* A fresh key of `len` bytes (at most SECRET_MAX). */
void secret_generate(struct secret *ret, size_t len);
/* Base64 of 16 to 64 bytes; anything else is refused. */
CHECKED bool secret_from_base64(slice text, struct secret *ret);

/* deviceKey = HMAC-SHA256(groupKey, registration ID as written): 32 bytes. */
void derive_device_key(const struct secret *group_key, slice registration_id, struct secret *ret);

#endif
