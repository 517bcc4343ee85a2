/* Who may still come in (SECURITY-MODEL R2): sockets in all, peers that have not yet said who
 * they are, in all and per address, and new connections per address and second.
 *
 * One object for all workers. The totals are atomics; the table of addresses has one mutex, held
 * for a few instructions at accept and once more when a peer authenticates or leaves: never on
 * the path of a message. The table is of fixed size; an address that has nothing open gives its
 * place to the next one. */
#ifndef MUSTER_NET_ACCEPT_LIMITS_H
#define MUSTER_NET_ACCEPT_LIMITS_H

#include "net/address.h"
#include "net/listener.h"

struct accept_limits;

CHECKED struct accept_limits *accept_limits_create(void);
void accept_limits_destroy(struct accept_limits *l);
void accept_limits_set(struct accept_limits *l, const struct listener_limits *limits);
/* Sockets in all; at creation it is the limit of file descriptors less 256. */
void accept_limits_set_sockets(struct accept_limits *l, unsigned max);

/* What a connection holds of the limits. */
struct accept_place {
    uint32_t address; /* index in the table + 1; 0: not counted by address */
    bool unauthenticated;
};

/* NULL when a connection of `peer` may stay: it is counted until accept_limits_leave. Otherwise the
 * limit that it would pass, by its name in the configuration. */
CHECKED const char *accept_limits_enter(struct accept_limits *l, const union address *peer,
                                        int64_t now_ms, struct accept_place *ret);
/* Whether a refusal may be told in the log now: once a minute. */
CHECKED bool accept_limits_may_tell(struct accept_limits *l, int64_t now_ms);
void accept_limits_authenticated(struct accept_limits *l, struct accept_place *place);
void accept_limits_leave(struct accept_limits *l, struct accept_place *place);

#endif
