/* One HTTP request and its answer, from the whole head to the last byte.
 *
 *     reading body -> handling -> answered (or streaming -> ended)
 *     handling -> taking body, part by part -> answered
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
#include "identity/access/access.h"
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

struct hub_event;
/* Somebody who looks at what the hub tells; on one worker's list, until taken off. */
struct hub_watch {
    struct hub_watch *next, **link; /* link is NULL while not on a list */
    void (*on_event)(struct hub_watch *watch, const struct hub_event *e);
};

/* What is one worker's own. */
struct http_worker {
    struct http_front *front;
    struct log_watch *watches;
    struct hub_watch *hub_watches;
    struct exchange *streams; /* answers that go on */
    struct timer recheck;     /* armed while there are some */
};

struct http_front {
    struct http_front_options options;
    struct workers *workers;
    struct http_worker *own; /* of each */
};

/* `wake` is called once, in a later turn of this worker. */
void http_front_watch_log(struct http_front *front, struct log_watch *watch);
void http_front_unwatch_log(struct log_watch *watch);
/* `on_event` is called once an event; it may take itself off, and no other. */
void http_front_watch_hub(struct http_front *front, struct hub_watch *watch);
void http_front_unwatch_hub(struct hub_watch *watch);
/* A stream outlives the moment that its caller was let in: when what he may do has changed, and
 * once a minute, he is asked for anew, and the stream is cut off if he may not have it any more. */
void http_front_add_stream(struct exchange *x);
void http_front_remove_stream(struct exchange *x);

/* A row of a route table. `{}` in the pattern binds one segment. The permission is checked before
 * the handler runs; ROUTE_OPEN is for routes that decide themselves or are open. */
#define ROUTE_OPEN PERM_COUNT
struct http_route {
    enum http_method method;
    const char *pattern; /* "devices/{}/twin", below the family's base */
    enum permission permission;
    void (*handle)(struct exchange *x);
};

/* A route whose body may be larger than its family's others. */
struct http_body_limit {
    const char *pattern;
    size_t max;
    bool is_streamed; /* the handler runs before the body comes: exchange_take_body */
};

/* An API family: how it finds its routes, knows its callers and words its errors. */
struct http_family {
    const struct http_route *routes;
    size_t route_count;
    /* In place of `routes`: the row of that number, NULL behind the last. */
    const struct http_route *(*route_at)(size_t index);
    size_t base_segments; /* of the path, before the pattern begins */
    size_t body_max;
    const struct http_body_limit *body_limits;
    size_t body_limit_count;
    bool nocase; /* fixed segments compare without case */
    /* Puts x->principal in place and then calls exchange_dispatch, or answers. NULL: open. */
    void (*authenticate)(struct exchange *x);
    void (*answer_error)(struct exchange *x, enum status status, const struct fault *why);
};

/* The row of that number; NULL behind the last. */
const struct http_route *http_family_route(const struct http_family *family, size_t index);

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
    slice peer;
    bool is_audited; /* already; by the change itself when its unit of work holds the entry */
    bool is_held;    /* the answer is there, and goes out once it is told */
    unsigned refs;
    char id[UUID_LEN];                           /* x-ms-request-id */
    struct buf headers;                          /* further header lines of the answer */
    struct exchange *next_stream, **stream_link; /* stream_link is NULL while not on the list */
    void *own;                                   /* of a streamed answer or body: the handler's */
    void (*on_drained)(struct exchange *x);      /* streaming: room for more */
    void (*on_gone)(struct exchange *x);         /* streaming: the peer left */
    bool streams_body;                           /* its body waits for exchange_take_body */
    void (*on_body)(struct exchange *x, slice part);
    void (*on_body_end)(struct exchange *x);
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
/* Who acts, in the domain's words; borrows from the exchange. */
struct act exchange_act(const struct exchange *x);
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

/* A streamed body: its parts as they come, then the end. A handler that answers without taking it
 * has the connection closed behind the answer. on_gone, if the peer leaves before the end. */
void exchange_take_body(struct exchange *x, void (*on_body)(struct exchange *x, slice part),
                        void (*on_body_end)(struct exchange *x));
/* No further part until it is resumed; one pause wants one resume. */
void exchange_pause_body(struct exchange *x);
void exchange_resume_body(struct exchange *x);

/* The body as a JSON object; false after a 400 was answered. */
CHECKED bool exchange_json(struct exchange *x, struct json **ret);
/* "If-None-Match: *": what the path names is to be made, and is not there yet (else 412). */
bool exchange_wants_new(const struct exchange *x);
/* A query parameter, decoded; false when absent. */
bool exchange_query(struct exchange *x, slice name, slice *ret);

/* audit_trail.c: a request ended with this answer, in a refusal, or in a stream; whether or not its
 * peer still waits for it. True: the answer goes out later, when the audit log holds the entry. */
bool exchange_audit(struct exchange *x, int http_status, slice content_type, slice body);
void exchange_audit_denial(struct exchange *x);
void exchange_audit_stream(struct exchange *x);

/* router.c: the family by its path, how large a body it takes there, and whether in parts. */
size_t exchange_body_max(struct exchange *x);
/* router.c: finds family and route, authenticates, checks the right, runs the handler. */
void exchange_route(struct exchange *x);
/* For families: the caller is known; check the right and handle. */
void exchange_dispatch(struct exchange *x);

/* organization_guard.c: runs the handler for a caller who acts within an organization, if what it
 * is about is his. */
void exchange_handle_within(struct exchange *x);

/* connection.c */
void http_connection_send_head(struct http_connection *c, slice head);
void http_connection_send(struct http_connection *c, slice bytes);
/* The answer is out: the next request may come, or the connection ends. */
void http_connection_answered(struct http_connection *c);
size_t http_connection_output_len(const struct http_connection *c);
slice http_connection_peer(const struct http_connection *c);
struct x509_st *http_connection_certificate(const struct http_connection *c);
struct stack_st_X509 *http_connection_intermediates(const struct http_connection *c);
/* Cuts off: what is under way is not finished. */
void http_connection_close(struct http_connection *c);
bool http_connection_keeps_alive(const struct http_connection *c);
void http_connection_set_authenticated(struct http_connection *c);
void http_connection_take_body(struct http_connection *c);
void http_connection_pause_body(struct http_connection *c);
void http_connection_resume_body(struct http_connection *c);

extern const struct http_family dps_family, application_family, rest_family, sign_in_family,
    operations_family;

#endif
