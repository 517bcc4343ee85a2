/* Bad credentials that were refused a moment ago, so that a device which keeps knocking costs one
 * hash and no read (contract/hub-device.md 2.2: Node for four minutes, C for ever).
 *
 * One for each worker, no lock, a fixed size: of a full set the oldest goes. Only what depends on
 * the credential alone belongs here (wrong signature, unknown device), never a device's status,
 * so that approving or unblocking acts on the very next attempt. */
#ifndef MUSTER_IDENTITY_REFUSAL_CACHE_H
#define MUSTER_IDENTITY_REFUSAL_CACHE_H

#include "crypto/crypto.h"

#define REFUSAL_SETS 256
#define REFUSAL_WAYS 4
#define REFUSAL_LIFE_MS 10000

struct refusal {
    uint8_t digest[SHA256_LEN]; /* of the identity and its credential */
    uint64_t device;            /* hash of the device ID, for forgetting */
    int64_t at_ms;              /* monotonic */
    bool is_used;
};

/* The zero struct is empty. */
struct refusal_cache {
    struct refusal sets[REFUSAL_SETS][REFUSAL_WAYS];
};

bool refusal_cache_has(const struct refusal_cache *c, const uint8_t digest[SHA256_LEN],
                       int64_t now_ms);
void refusal_cache_add(struct refusal_cache *c, const uint8_t digest[SHA256_LEN], uint64_t device,
                       int64_t now_ms);
/* All refusals of a device and its modules. */
void refusal_cache_forget(struct refusal_cache *c, uint64_t device);

#endif
