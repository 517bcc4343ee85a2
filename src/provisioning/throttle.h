/* Token buckets: how often a device may register and poll (SECURITY-MODEL R3).
 *
 * One table a worker, of fixed size; where it is full the device heard of longest ago is
 * forgotten. Only devices that proved who they are get a bucket, so nobody can use up another's. */
#ifndef MUSTER_PROVISIONING_THROTTLE_H
#define MUSTER_PROVISIONING_THROTTLE_H

#include "base/slice.h"

/* Milliseconds of credit: `refill_ms` buy one take, `burst` takes can be saved up. */
struct token_bucket {
    int64_t full_at_ms; /* monotonic; when all of it is there again */
};
/* Takes one, or gives false and takes none. *ret_wait_ms: until the next can be had. */
bool token_bucket_take(struct token_bucket *b, int64_t now_ms, unsigned burst, unsigned refill_ms,
                       int64_t *ret_wait_ms);

enum throttle_answer {
    THROTTLE_GO,
    THROTTLE_SLOW, /* a poll too many: tell it to wait */
    THROTTLE_STOP, /* refuse */
};
#define POLL_BURST 5
#define POLL_REFILL_MS 2000

struct throttle;
struct throttle *throttle_create(unsigned register_burst, unsigned register_refill_ms);
void throttle_destroy(struct throttle *t);
/* `t` may be NULL: always THROTTLE_GO. *ret_wait_ms is set unless THROTTLE_GO. */
enum throttle_answer throttle_register(struct throttle *t, slice device_key, int64_t now_ms,
                                       int64_t *ret_wait_ms);
enum throttle_answer throttle_poll(struct throttle *t, slice device_key, int64_t now_ms,
                                   int64_t *ret_wait_ms);

#endif
