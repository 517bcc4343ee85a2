/* Outgoing HTTPS, blocking: for the command line and the pool, never on a worker. */
#ifndef MUSTER_NET_HTTP_CLIENT_H
#define MUSTER_NET_HTTP_CLIENT_H

#include "base/buf.h"
#include "base/status.h"

struct http_call {
    const char *method;        /* "GET" */
    const char *url;           /* https:// only */
    const char *ca_file;       /* PEM; NULL: the system's */
    const char *connect_to;    /* ADDR:PORT to dial in place of the URL's; NULL: as it says */
    const char *authorization; /* whole header value; NULL: none */
    slice body;                /* sent as application/json when body.ptr is set */
    long timeout_s;            /* 0: none, for streams */
    /* For streamed answers: called with each part as it comes; false ends the call. NULL: the
     * body is collected into the answer. */
    bool (*on_part)(void *context, slice part);
    void *context;
};

struct http_answer {
    int status;
    struct buf body; /* caller deinits */
};

/* ST_UNAVAILABLE with a sentence when no answer came; any HTTP status is ST_OK here. */
CHECKED enum status http_call(const struct http_call *call, struct http_answer *ret,
                              struct fault *why);

#endif
