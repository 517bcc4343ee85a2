/* The HTTPS door: DPS device API, the application's REST API, metrics and health.
 *
 * One strict HTTP/1.1 connection (connection.c) serves tables of routes, one table an API family.
 * The table that dispatches says what right a route needs; a route without one does not compile. */
#ifndef MUSTER_FRONT_HTTP_HTTP_FRONT_H
#define MUSTER_FRONT_HTTP_HTTP_FRONT_H

#include "central/central.h"
#include "hub/hub.h"
#include "identity/identity.h"
#include "net/stream.h"
#include "net/worker.h"
#include "provisioning/provisioning.h"

struct http_front;
struct operations;

struct http_front_options {
    struct identity *identity;
    struct hub *hub;
    struct provisioning *provisioning;
    struct central *central;
    struct operations *operations;
    struct store *store;
    struct stream_log *log;
    struct bus *bus;
    slice host; /* as clients know it, for Location */
};

CHECKED struct http_front *http_front_create(struct workers *ws,
                                             const struct http_front_options *options);
/* After the workers stopped. */
void http_front_destroy(struct http_front *front);

/* A listener_accept_fn; `owner` is the front. */
void http_front_accept(void *owner, struct stream *s);

#endif
