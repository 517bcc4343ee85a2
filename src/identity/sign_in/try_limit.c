#include "identity/sign_in/try_limit.h"

#include <stdatomic.h>

#include "net/address.h"

#define MINUTE_S 60
#define COUNT_BITS 8
#define COUNT_MAX ((1u << COUNT_BITS) - 1)

/* A slot: the second of the last try, or of the minute that counts, and how many. */
struct tries {
    int64_t at_s;
    unsigned count;
};

static struct tries unpack(uint64_t slot)
{
    return (struct tries){.at_s = (int64_t)(slot >> COUNT_BITS),
                          .count = (unsigned)(slot & COUNT_MAX)};
}

static uint64_t pack(struct tries t)
{
    return (uint64_t)t.at_s << COUNT_BITS | (t.count < COUNT_MAX ? t.count : COUNT_MAX);
}

void try_limit_init(struct try_limit *l, unsigned address_max)
{
    l->address_max = address_max;
    secret_generate(&l->seed, HMAC_SHA256_LEN);
    for (size_t i = 0; i < TRY_SLOTS; i++) {
        atomic_init(&l->accounts[i], 0);
        atomic_init(&l->addresses[i], 0);
    }
}

static size_t slot_of(const struct try_limit *l, slice name)
{
    uint8_t digest[HMAC_SHA256_LEN];

    hmac_sha256(secret_slice(&l->seed), &name, 1, digest);
    return ((size_t)digest[0] << 8 | digest[1]) % TRY_SLOTS;
}

/* What a slot becomes by one more try; false: none is allowed. */
typedef bool count_fn(struct tries *t, unsigned max, int64_t now_s, int64_t *ret_wait_s);

static int64_t wait_after(unsigned tries)
{
    unsigned doublings = tries - TRY_FREE;

    return doublings > 4 || (int64_t)TRY_WAIT_FIRST_S << doublings > TRY_WAIT_MAX_S
               ? TRY_WAIT_MAX_S
               : (int64_t)TRY_WAIT_FIRST_S << doublings;
}

static bool count_account(struct tries *t, unsigned max, int64_t now_s, int64_t *ret_wait_s)
{
    if (now_s - t->at_s > TRY_WAIT_MAX_S)
        t->count = 0;
    if (t->count >= max && now_s < t->at_s + wait_after(t->count)) {
        *ret_wait_s = t->at_s + wait_after(t->count) - now_s;
        return false;
    }
    *t = (struct tries){now_s, t->count + 1};
    return true;
}

static bool count_address(struct tries *t, unsigned max, int64_t now_s, int64_t *ret_wait_s)
{
    int64_t minute_s = now_s - now_s % MINUTE_S;

    if (t->at_s != minute_s)
        *t = (struct tries){minute_s, 0};
    if (t->count >= max) {
        *ret_wait_s = minute_s + MINUTE_S - now_s;
        return false;
    }
    t->count++;
    return true;
}

static bool count(_Atomic uint64_t *slot, count_fn *step, unsigned max, int64_t now_s,
                  int64_t *ret_wait_s)
{
    uint64_t was = atomic_load_explicit(slot, memory_order_relaxed);
    struct tries t;

    do {
        t = unpack(was);
        if (!step(&t, max, now_s, ret_wait_s))
            return false;
    } while (!atomic_compare_exchange_weak_explicit(slot, &was, pack(t), memory_order_relaxed,
                                                    memory_order_relaxed));
    return true;
}

bool try_account(struct try_limit *l, slice account, int64_t now_s, int64_t *ret_wait_s)
{
    return count(&l->accounts[slot_of(l, account)], count_account, TRY_FREE, now_s, ret_wait_s);
}

bool try_address(struct try_limit *l, slice address, int64_t now_s, int64_t *ret_wait_s)
{
    union address parsed;
    struct address_key key = {0};
    struct fault why;

    if (l->address_max == 0)
        return true;
    if (address_parse(address, &parsed, &why))
        key = address_key(&parsed);
    return count(&l->addresses[slot_of(l, slice_of(&key, sizeof key))], count_address,
                 l->address_max, now_s, ret_wait_s);
}

void try_forgive(struct try_limit *l, slice account)
{
    atomic_store_explicit(&l->accounts[slot_of(l, account)], 0, memory_order_relaxed);
}
