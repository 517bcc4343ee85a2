/* Socket addresses: as configured ("[::1]:443"), as shown ("127.0.0.1:40112"), as limited. */
#ifndef MUSTER_NET_ADDRESS_H
#define MUSTER_NET_ADDRESS_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "base/status.h"

/* Either family; both begin with the family. */
union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

/* "ADDR:PORT", "[v6]:PORT", ":PORT" for all addresses of both families. */
CHECKED bool address_parse(slice text, union address *ret, struct fault *why);
socklen_t address_len(const union address *a);
uint16_t address_port(const union address *a);
void address_set_port(union address *a, uint16_t port);
/* An IPv4 peer of an IPv6 socket becomes an IPv4 address. */
void address_unmap(union address *a);

#define ADDRESS_TEXT_MAX 56
/* With the port. Gives the text inside `buffer`. */
slice address_text(const union address *a, char buffer[ADDRESS_TEXT_MAX]);

/* Whom a limit counts as one: an IPv4 address or an IPv6 /64. */
struct address_key {
    uint64_t bits;
    uint64_t family; /* never 0 */
};
struct address_key address_key(const union address *a);

#endif
