/* One HTTP request and its answer, from the whole head to the last byte.
 *
 *     reading body -> handling -> answered (or streaming -> ended)
 *
 * An exchange owns copies of all a handler looks at, in its arena, so a handler may answer now or
 * later from a callback. It lives until it is answered and its connection has let go; a handler
 * that waits for a callback holds it. When the peer leaves meanwhile, answering does nothing. */
#ifndef MUSTER_FRONT_HTTP_EXCHANGE_H
#define MUSTER_FRONT_HTTP_EXCHANGE_H

#include "base/arena.h"
#include "base/buf.h"
#include "codec/http.h"
#include "codec/json.h"
#include "crypto/crypto.h"
#include "front/http/http_front.h"
#include "identity/principal.h"

struct http_connection;
struct exchange;

#define EXCHANGE_ARENA_MAX (16 * 1024 * 1024)
#define ANSWER_MAX (16 * 1024 * 1024)
#define ROUTE_BOUND_MAX 4

/* Somebody who waits until the device-to-cloud log advances; on one worker's list. */
struct log_watch {
    struct log_watch *next, **link; /* link is NULL while not on a list */
    void (*wake)(struct log_watch *watch);
};

struct http_front {
    struct http_front_options options;
    struct workers *workers;
    struct log_watch **watches; /* a list for each worker */
};

/* `wake` is called once, in a later turn of this worker. */
void http_front_watch_log(struct http_front *front, struct log_watch *watch);
void http_front_unwatch_log(struct log_watch *watch);

/* A row of a route table. `{}` in the pattern binds one segment. The right is checked before the
 * handler runs; RIGHT_NONE is for routes that decide themselves or are open. */
struct http_route {
    enum http_method method;
    const char *pattern; /* "devices/{}/twin", below the family's base */
    enum right right;
    void (*handle)(struct exchange *x);
};

/* A route whose body may be larger than its family's others. */
struct http_body_limit {
    const char *pattern;
    size_t max;
};

/* An API family: how it finds its routes, knows its callers and words its errors. */
struct http_family {
    const struct http_route *routes;
    size_t route_count;
    size_t base_segments; /* of the path, before the pattern begins */
    size_t body_max;
    const struct http_body_limit *body_limits;
    size_t body_limit_count;
    bool nocase; /* fixed segments compare without case */
    /* Puts x->principal in place and then calls exchange_dispatch, or answers. NULL: open. */
    void (*authenticate)(struct exchange *x);
    void (*answer_error)(struct exchange *x, enum status status, const struct fault *why);
};

struct exchange {
    struct http_front *front;
    struct http_connection *connection; /* NULL once the peer is gone or the answer is out */
    struct arena arena;
    struct http_request *request; /* parsed from a copy of the head */
    struct http_path path;
    struct buf body;
    const struct http_family *family;
    const struct http_route *route;
    slice bound[ROUTE_BOUND_MAX]; /* what the pattern's {} stand for */
    struct principal principal;
    unsigned refs;
    char id[UUID_LEN];                      /* x-ms-request-id */
    struct buf headers;                     /* further header lines of the answer */
    void *own;                              /* of a streamed answer: the handler's own */
    void (*on_drained)(struct exchange *x); /* streaming: room for more */
    void (*on_gone)(struct exchange *x);    /* streaming: the peer left */
};

void exchange_hold(struct exchange *x);
void exchange_release(struct exchange *x);
/* Whether somebody still wants the answer. */
static inline bool exchange_is_wanted(const struct exchange *x)
{
    return x->connection != NULL;
}
slice exchange_id(const struct exchange *x);
slice exchange_peer(const struct exchange *x);
struct x509_st *exchange_certificate(const struct exchange *x);
struct stack_st_X509 *exchange_intermediates(const struct exchange *x);

/* A further header of the answer; both without CR and LF. Before the answer. */
void exchange_header(struct exchange *x, const char *name, slice value);
/* The whole answer. Exactly once; a second one is ignored. 204 has no body. */
void exchange_answer(struct exchange *x, int http_status, slice body);
void exchange_answer_as(struct exchange *x, int http_status, slice content_type, slice body);
void exchange_answer_error(struct exchange *x, enum status status, const struct fault *why);

/* A streamed answer: head now, then parts as chunks, then the end. */
void exchange_stream(struct exchange *x, slice content_type);
void exchange_stream_part(struct exchange *x, slice part);
/* Bytes that wait for the peer: stop producing above 256 KiB until on_drained. */
size_t exchange_stream_waiting(const struct exchange *x);
void exchange_stream_end(struct exchange *x);

/* The body as a JSON object; false after a 400 was answered. */
CHECKED bool exchange_json(struct exchange *x, struct json **ret);
/* A query parameter, decoded; false when absent. */
bool exchange_query(struct exchange *x, slice name, slice *ret);

/* router.c: the family by its path, and how large a body it takes there. */
size_t exchange_body_max(struct exchange *x);
/* router.c: finds family and route, authenticates, checks the right, runs the handler. */
void exchange_route(struct exchange *x);
/* For families: the caller is known; check the right and handle. */
void exchange_dispatch(struct exchange *x);

/* connection.c */
void http_connection_send_head(struct http_connection *c, slice head);
void http_connection_send(struct http_connection *c, slice bytes);
/* The answer is out: the next request may come, or the connection ends. */
void http_connection_answered(struct http_connection *c);
size_t http_connection_output_len(const struct http_connection *c);
slice http_connection_peer(const struct http_connection *c);
struct x509_st *http_connection_certificate(const struct http_connection *c);
struct stack_st_X509 *http_connection_intermediates(const struct http_connection *c);
bool http_connection_keeps_alive(const struct http_connection *c);
void http_connection_set_authenticated(struct http_connection *c);

extern const struct http_family dps_family, application_family, operations_family;

#endif
