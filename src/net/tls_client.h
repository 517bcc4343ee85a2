/* Outgoing streams: TLS to a server whose certificate is verified. For the simulator and for
 * tests; what the server itself calls goes through http_client.h.
 *
 *     stream_connect -> handshake -> on_open -> ... -> on_end
 *
 * A connection that does not come about ends with STREAM_END_HANDSHAKE. It counts against no
 * limit of listeners. */
#ifndef MUSTER_NET_TLS_CLIENT_H
#define MUSTER_NET_TLS_CLIENT_H

#include "net/address.h"
#include "net/stream.h"

struct tls_client;

/* `ca_file`: PEM; NULL: the system's. TLS 1.2 and 1.3. For any number of workers. */
CHECKED struct tls_client *tls_client_create(const char *ca_file, struct fault *why);
void tls_client_destroy(struct tls_client *tls);

/* On the worker's thread. `host`, a name or an address, is whom the certificate must be for. The
 * caller sets a handler at once. NULL: no descriptor, or no memory. */
CHECKED struct stream *stream_connect(struct worker *w, const union address *to,
                                      struct tls_client *tls, const char *host);

/* The first address of HOST for that port, asked of the resolver: blocking. */
CHECKED bool address_resolve(const char *host, uint16_t port, union address *ret,
                             struct fault *why);

#endif
