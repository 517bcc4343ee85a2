/* Where the server itself may dial, when somebody else chose the address: an OCSP responder, a
 * webhook (SECURITY-MODEL E1).
 *
 * Addresses are judged after names were resolved, at every connect, so that neither a name nor a
 * second answer of the resolver leads into this machine or its network. Refused unless a range
 * that the operator listed covers them: everything that is not a public unicast address, and the
 * addresses of this machine. The port must be one of a short list either way. Pure, but for this
 * machine's addresses. */
#ifndef MUSTER_NET_EGRESS_H
#define MUSTER_NET_EGRESS_H

#include "net/address.h"

#define EGRESS_RANGES_MAX 64
#define EGRESS_PORTS_MAX 16
#define EGRESS_PORTS "80,443,8080,8443" /* unless configured */
#define EGRESS_URL_MAX 512

/* The addresses that begin with `length` bits of `bytes`. IPv4 stands as ::ffff:a.b.c.d. */
struct egress_range {
    uint8_t bytes[16];
    unsigned length;
};

struct egress_rules {
    struct egress_range allowed[EGRESS_RANGES_MAX];
    size_t allowed_count;
    uint16_t ports[EGRESS_PORTS_MAX];
    size_t port_count;
};

/* "10.0.0.0/8,fd00::/8" (may be empty) and "80,443": both separated by commas. */
CHECKED bool egress_rules_parse(slice allow, slice ports, struct egress_rules *ret,
                                struct fault *why);

/* Whether the rules let the server dial this; otherwise `why` names the address and its kind. */
CHECKED bool egress_allows(const struct egress_rules *rules, const union address *to,
                           struct fault *why);

/* What is special about an address ("loopback", "private", ...); NULL for public unicast. */
const char *egress_special(const union address *a);

/* Whether a URL has the form that may be stored: http:// or https://, a host name or address, no
 * user, no fragment, printable ASCII, EGRESS_URL_MAX bytes at most. Where it leads is judged when
 * it is dialled. */
CHECKED bool egress_url_check(slice url, struct fault *why);

#endif
