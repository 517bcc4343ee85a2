#include "identity/refusal_cache.h"

#include <assert.h>

static size_t set_of(const uint8_t digest[SHA256_LEN])
{
    static_assert(REFUSAL_SETS == 256, "one byte of the digest picks the set");
    return digest[0];
}

static bool is_fresh(const struct refusal *r, int64_t now_ms)
{
    return r->is_used && now_ms - r->at_ms < REFUSAL_LIFE_MS;
}

bool refusal_cache_has(const struct refusal_cache *c, const uint8_t digest[SHA256_LEN],
                       int64_t now_ms)
{
    const struct refusal *set = c->sets[set_of(digest)];

    for (size_t i = 0; i < REFUSAL_WAYS; i++) {
        if (is_fresh(&set[i], now_ms) && memcmp(set[i].digest, digest, SHA256_LEN) == 0)
            return true;
    }
    return false;
}

/* A free place, else the oldest. */
static struct refusal *choose(struct refusal *set)
{
    struct refusal *chosen = &set[0];

    for (size_t i = 0; i < REFUSAL_WAYS; i++) {
        if (!set[i].is_used)
            return &set[i];
        if (set[i].at_ms < chosen->at_ms)
            chosen = &set[i];
    }
    return chosen;
}

void refusal_cache_add(struct refusal_cache *c, const uint8_t digest[SHA256_LEN], uint64_t device,
                       int64_t now_ms)
{
    struct refusal *r = choose(c->sets[set_of(digest)]);

    memcpy(r->digest, digest, SHA256_LEN);
    r->device = device;
    r->at_ms = now_ms;
    r->is_used = true;
}

void refusal_cache_forget(struct refusal_cache *c, uint64_t device)
{
    for (size_t s = 0; s < REFUSAL_SETS; s++) {
        for (size_t i = 0; i < REFUSAL_WAYS; i++) {
            if (c->sets[s][i].device == device)
                c->sets[s][i].is_used = false;
        }
    }
}
