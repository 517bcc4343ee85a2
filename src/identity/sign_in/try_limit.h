/* How often somebody may try to sign in (SECURITY-MODEL O6).
 *
 * An account has TRY_FREE tries; then each must wait, twice as long every time, until nobody has
 * tried for 15 minutes or one succeeded. An address has so many a minute, whatever the
 * account. An account that does not exist is counted like one that does.
 *
 * All of it is in memory, a word for each of a few thousand slots, which all workers share without
 * a lock; where a name leads is not to be known from outside. Pure, but for that. */
#ifndef MUSTER_IDENTITY_TRY_LIMIT_H
#define MUSTER_IDENTITY_TRY_LIMIT_H

#include "crypto/crypto.h"

#define TRY_SLOTS 4096
#define TRY_FREE 5
#define TRY_WAIT_FIRST_S 60
#define TRY_WAIT_MAX_S 900

struct try_limit {
    struct secret seed;
    unsigned address_max; /* tries of an address a minute; 0: no limit */
    _Atomic uint64_t accounts[TRY_SLOTS], addresses[TRY_SLOTS];
};
void try_limit_init(struct try_limit *l, unsigned address_max);

/* Counts a try; false: not now, and for how long. `now_s` of the monotonic clock. */
CHECKED bool try_account(struct try_limit *l, slice account, int64_t now_s, int64_t *ret_wait_s);
/* `address` as streams give it, "127.0.0.1:40112"; of IPv6 the /64 counts. */
CHECKED bool try_address(struct try_limit *l, slice address, int64_t now_s, int64_t *ret_wait_s);
/* One that succeeded, or whose password was set anew. */
void try_forgive(struct try_limit *l, slice account);

#endif
