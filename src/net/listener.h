/* Listening sockets and the TLS they speak.
 *
 * Every worker has its own SO_REUSEPORT socket on every port, so the kernel spreads connections
 * and no accept is shared. Sockets are bound before privileges are dropped and before the workers
 * start. Limits of SECURITY-MODEL R2 hold at accept: sockets in all, unauthenticated ones in all
 * and per address, new ones per address and second; on EMFILE accepting pauses for 100 ms. */
#ifndef MUSTER_NET_LISTENER_H
#define MUSTER_NET_LISTENER_H

#include "base/status.h"
#include "net/stream.h"
#include "net/worker.h"

/* Server certificates: one or two chains (P-256, RSA), swapped whole on reload. TLS 1.2 and 1.3,
 * suites of C1; client certificates are asked for with an empty CA list, never required. */
struct tls_server;
struct tls_files {
    const char *certificate; /* PEM: leaf first, then intermediates */
    const char *key;         /* PEM */
};
CHECKED struct tls_server *tls_server_create(const struct tls_files *chains, size_t count,
                                             struct fault *why);
/* All or nothing: on failure the certificates in use stay. */
CHECKED bool tls_server_reload(struct tls_server *tls, const struct tls_files *chains, size_t count,
                               struct fault *why);
void tls_server_destroy(struct tls_server *tls);

struct listener_limits {
    unsigned unauthenticated_max;         /* default 2,048 */
    unsigned unauthenticated_per_address; /* default 64 */
    unsigned accepts_per_address_s;       /* default 100 a second */
    unsigned accepts_per_address_burst;   /* default 200 */
};
/* Zero in a field means no limit. Before workers_start. */
void listener_set_limits(struct workers *ws, const struct listener_limits *limits);

struct listener;
/* Called on the accepting worker; must set a handler, or close. */
typedef void listener_accept_fn(void *owner, struct stream *s);

/* Binds `address` ("127.0.0.1:8883", "[::1]:443", ":8883" for all, port 0 for any free one) once
 * for every worker. */
CHECKED struct listener *listener_create(struct workers *ws, slice address, struct tls_server *tls,
                                         listener_accept_fn *on_accept, void *owner,
                                         struct fault *why);
uint16_t listener_port(const struct listener *l);
/* From now on nothing is accepted; open connections stay. Any thread, once the workers run. */
void listener_stop_accepting(struct listener *l);
void listener_destroy(struct listener *l);

#endif
