#include "provisioning/throttle.h"

#include <stdlib.h>

#define SETS 1024u /* a power of two */
#define WAYS 8u

struct entry {
    uint64_t device; /* hash of its ID; 0: free */
    int64_t used_ms;
    struct token_bucket registers, polls, abuse;
};

struct throttle {
    unsigned register_burst, register_refill_ms;
    struct entry entries[SETS][WAYS];
};

bool token_bucket_take(struct token_bucket *b, int64_t now_ms, unsigned burst, unsigned refill_ms,
                       int64_t *ret_wait_ms)
{
    int64_t full_at = b->full_at_ms > now_ms ? b->full_at_ms : now_ms;
    int64_t after = full_at + refill_ms;
    int64_t over = after - now_ms - (int64_t)burst * refill_ms;

    if (over > 0) {
        *ret_wait_ms = over;
        return false;
    }
    b->full_at_ms = after;
    return true;
}

struct throttle *throttle_create(unsigned register_burst, unsigned register_refill_ms)
{
    struct throttle *t = calloc(1, sizeof *t);

    if (t) {
        t->register_burst = register_burst;
        t->register_refill_ms = register_refill_ms;
    }
    return t;
}

void throttle_destroy(struct throttle *t)
{
    free(t);
}

/* Its entry, or in place of the one used longest ago a fresh one. */
static struct entry *find_entry(struct throttle *t, slice device_key, int64_t now_ms)
{
    uint64_t device = slice_hash(device_key) | 1;
    struct entry *set = t->entries[(device >> 1) & (SETS - 1)];
    struct entry *oldest = set;

    for (unsigned i = 0; i < WAYS; i++) {
        if (set[i].device == device) {
            set[i].used_ms = now_ms;
            return &set[i];
        }
        if (set[i].device == 0 || (oldest->device != 0 && set[i].used_ms < oldest->used_ms))
            oldest = &set[i];
    }
    *oldest = (struct entry){.device = device, .used_ms = now_ms};
    return oldest;
}

enum throttle_answer throttle_register(struct throttle *t, slice device_key, int64_t now_ms,
                                       int64_t *ret_wait_ms)
{
    struct entry *e;

    if (!t)
        return THROTTLE_GO;
    e = find_entry(t, device_key, now_ms);
    return token_bucket_take(&e->registers, now_ms, t->register_burst, t->register_refill_ms,
                             ret_wait_ms)
               ? THROTTLE_GO
               : THROTTLE_STOP;
}

/* Too many polls are first answered with a longer wait: clients take an error for the end
 * (contract/provisioning.md 7.2). As many again are abuse. */
enum throttle_answer throttle_poll(struct throttle *t, slice device_key, int64_t now_ms,
                                   int64_t *ret_wait_ms)
{
    struct entry *e;
    int64_t ignored;

    if (!t)
        return THROTTLE_GO;
    e = find_entry(t, device_key, now_ms);
    if (token_bucket_take(&e->polls, now_ms, POLL_BURST, POLL_REFILL_MS, ret_wait_ms))
        return THROTTLE_GO;
    return token_bucket_take(&e->abuse, now_ms, POLL_BURST, POLL_REFILL_MS, &ignored)
               ? THROTTLE_SLOW
               : THROTTLE_STOP;
}
