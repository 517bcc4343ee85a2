/* Outgoing HTTPS, blocking: for the command line and the pool, never on a worker.
 *
 * Redirects are not followed, proxies of the environment not used, and what a server may send is
 * bounded. Calls to an address that somebody else chose carry `egress` rules. */
#ifndef MUSTER_NET_HTTP_CLIENT_H
#define MUSTER_NET_HTTP_CLIENT_H

#include "base/buf.h"
#include "base/status.h"

struct egress_rules;

struct http_call {
    const char *method;        /* "GET" */
    const char *url;           /* https:// only, unless `may_be_plain` */
    bool may_be_plain;         /* http:// too */
    const char *ca_file;       /* PEM; NULL: the system's */
    const char *connect_to;    /* ADDR:PORT to dial in place of the URL's; NULL: as it says */
    const char *authorization; /* whole header value; NULL: none */
    const char *accept;        /* NULL: anything */
    bool only_new;             /* "If-None-Match: *": a 412 if there is such a thing */
    slice body;                /* sent when body.ptr is set */
    const char *content_type;  /* of the body; NULL: application/json */
    long timeout_s;            /* for the whole call; 0: none, for streams */
    /* How often a call whose connection breaks before the answer is made again, after a wait that
     * doubles each time: one that asks only (GET), or that did not get as far as being sent. */
    unsigned retries;
    size_t answer_max; /* bytes of a collected body; 0: 64 MiB */
    /* Where it may lead, judged for each address that is dialled (egress.h); NULL: anywhere. */
    const struct egress_rules *egress;
    /* For streamed answers: called with each part as it comes; false ends the call. NULL: the
     * body is collected into the answer, as that of a refusal (300 and above) always is. */
    bool (*on_part)(void *context, slice part);
    void *context;
};

struct http_answer {
    int status;
    struct buf body; /* caller deinits */
};

/* Keeps its connection, so that the next call to the same server needs none of its own. For one
 * thread at a time, and not from inside `on_part` of a call of its own. NULL: no memory. */
struct http_client;
CHECKED struct http_client *http_client_create(void);
void http_client_destroy(struct http_client *client);

/* ST_UNAVAILABLE with a sentence when no answer came; any HTTP status is ST_OK here. */
CHECKED enum status http_client_call(struct http_client *client, const struct http_call *call,
                                     struct http_answer *ret, struct fault *why);
/* Likewise, over a connection for this call alone. */
CHECKED enum status http_call(const struct http_call *call, struct http_answer *ret,
                              struct fault *why);

#endif
