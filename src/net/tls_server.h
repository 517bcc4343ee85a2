/* The inside of struct tls_server: the context a new connection begins with. */
#ifndef MUSTER_NET_TLS_SERVER_H
#define MUSTER_NET_TLS_SERVER_H

#include <openssl/ssl.h>

#include "net/listener.h"

/* A worker's own reference to the context in use. The zero struct holds none. */
struct tls_view {
    SSL_CTX *context;
    unsigned generation;
};
/* The context in use now. Costs one atomic load unless it was swapped since the last call. */
SSL_CTX *tls_view_refresh(struct tls_view *view, struct tls_server *tls);
void tls_view_drop(struct tls_view *view);

/* Session tickets of TLS 1.2: sealed by keys that only this process knows, replaced every 12 h and
 * good for one period more. */
struct tls_tickets;
CHECKED struct tls_tickets *tls_tickets_create(void);
void tls_tickets_destroy(struct tls_tickets *tickets);
/* Lets `context` issue and take tickets. */
void tls_tickets_use(struct tls_tickets *tickets, SSL_CTX *context);

#endif
