/* An HTTPS connection: heads and bodies in, one exchange at a time, answers out, keep-alive.
 *
 *     await head -> read body -> answering -> await head ... -> ended
 *             |      ^
 *             v      |    a body that goes to its handler part by part is read once that wants it
 *          offer body
 *
 * Whatever is wrong with the framing gets its status and the end of the connection, for then
 * nobody knows where the next request begins (SECURITY-MODEL H1). Deadlines: a head within 10 s
 * of its first byte, a body of at least 1 KiB/s after 10 s, 60 s idle between requests. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "front/http/exchange.h"

#define HEAD_MAX (HTTP_LINE_MAX + HTTP_HEADERS_MAX_BYTES + 4)
#define INPUT_MAX (384 * 1024)
#define HEAD_WAIT_MS 10000
#define BODY_GRACE_MS 10000
#define BODY_BYTES_PER_S 1024
#define IDLE_MS 60000
#define CONTINUE "HTTP/1.1 100 Continue\r\n\r\n"

enum http_state { AWAIT_HEAD, OFFER_BODY, READ_BODY, ANSWERING, ENDED };

struct http_connection {
    struct stream *stream;
    struct http_front *front;
    struct exchange *exchange;
    enum http_state state;
    bool keep_alive;
    bool paused;
    bool head_begun; /* bytes of a request have come */
    struct http_chunks chunks;
    uint64_t body_left, body_taken;
    size_t body_max;
    bool body_paused;       /* by its handler */
    bool keeps_alive_later; /* once a streamed body is read to its end */
    int64_t body_since_ms;
    struct timer timer;
};

/* --- small things ---------------------------------------------------------------------------- */

void http_connection_send_head(struct http_connection *c, slice head)
{
    stream_write(c->stream, head);
}

void http_connection_send(struct http_connection *c, slice bytes)
{
    stream_write(c->stream, bytes);
}

size_t http_connection_output_len(const struct http_connection *c)
{
    return stream_output_len(c->stream);
}

slice http_connection_peer(const struct http_connection *c)
{
    return stream_peer(c->stream);
}

struct x509_st *http_connection_certificate(const struct http_connection *c)
{
    return stream_peer_certificate(c->stream);
}

struct stack_st_X509 *http_connection_intermediates(const struct http_connection *c)
{
    return stream_peer_intermediates(c->stream);
}

bool http_connection_keeps_alive(const struct http_connection *c)
{
    return c->keep_alive;
}

void http_connection_set_authenticated(struct http_connection *c)
{
    stream_set_authenticated(c->stream);
}

static void end(struct http_connection *c)
{
    if (c->state == ENDED)
        return;
    c->state = ENDED;
    timer_cancel(&c->timer);
    stream_close(c->stream);
}

void http_connection_close(struct http_connection *c)
{
    end(c);
}

static void let_exchange_go(struct http_connection *c)
{
    struct exchange *x = c->exchange;

    c->exchange = NULL;
    if (!x)
        return;
    x->connection = NULL;
    if (x->on_gone)
        x->on_gone(x);
    exchange_release(x);
}

static void on_late(struct timer *t);

/* --- deadlines ------------------------------------------------------------------------------- */

static void await_head(struct http_connection *c, int64_t patience_ms)
{
    c->state = AWAIT_HEAD;
    c->head_begun = false;
    timer_arm(stream_worker(c->stream), &c->timer, patience_ms, on_late);
}

void http_connection_answered(struct http_connection *c)
{
    struct exchange *x = c->exchange;

    c->exchange = NULL;
    x->connection = NULL;
    exchange_release(x);
    if (!c->keep_alive) {
        end(c);
        return;
    }
    await_head(c, IDLE_MS);
    if (c->paused) {
        c->paused = false;
        stream_resume(c->stream);
    }
}

/* --- refusing what is no request ------------------------------------------------------------- */

static void refuse(struct http_connection *c, enum http_result result, bool in_body,
                   const char *cause)
{
    const char *status = "400 Bad Request";
    char head[256];
    int len;

    if (result == HTTP_MORE)
        status = "408 Request Timeout";
    else if (result == HTTP_LINE_TOO_LONG)
        status = "414 URI Too Long";
    else if (result == HTTP_TOO_LARGE)
        status = in_body ? "413 Content Too Large" : "431 Request Header Fields Too Large";
    metric_add(METRIC_HTTP_ERRORS, 1);
    LOG_LIMITED(LOG_LEVEL_INFO, "http_refused", LOG_STR("status", status), LOG_STR("cause", cause),
                LOG_TEXT("peer", stream_peer(c->stream)));
    len = snprintf(head, sizeof head,
                   "HTTP/1.1 %s\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", status);
    stream_write(c->stream, slice_of(head, (size_t)len));
    end(c);
}

static void on_late(struct timer *t)
{
    struct http_connection *c =
        (struct http_connection *)((char *)t - offsetof(struct http_connection, timer));

    if (c->head_begun)
        refuse(c, HTTP_MORE, false, "the head took too long");
    else
        end(c);
}

static void on_body_timer(struct timer *t)
{
    struct http_connection *c =
        (struct http_connection *)((char *)t - offsetof(struct http_connection, timer));
    struct worker *w = stream_worker(c->stream);
    int64_t took_ms = worker_now_ms(w) - c->body_since_ms;
    int64_t owed = (took_ms - BODY_GRACE_MS) / 1000 * BODY_BYTES_PER_S;

    if (c->body_paused) /* the time is ours, not the peer's */
        c->body_since_ms += took_ms > 1000 ? 1000 : took_ms;
    else if ((int64_t)c->body_taken < owed)
        refuse(c, HTTP_MORE, true, "the body comes too slowly");
    if (c->state != ENDED)
        timer_arm(w, t, 1000, on_body_timer);
}

/* --- reading --------------------------------------------------------------------------------- */

/* The exchange keeps a copy of the head and is parsed from it, so its slices stay. */
static struct exchange *exchange_create(struct http_connection *c, slice head)
{
    struct exchange *x = calloc(1, sizeof *x);
    struct fault why;
    slice copy;

    if (!x)
        return NULL;
    arena_init(&x->arena, EXCHANGE_ARENA_MAX);
    x->front = c->front;
    x->connection = c;
    x->refs = 1;
    x->headers.max = 16 * 1024;
    x->request = arena_alloc(&x->arena, sizeof *x->request);
    copy = arena_copy(&x->arena, head);
    x->peer = arena_copy(&x->arena, http_connection_peer(c));
    random_uuid(x->id);
    if (!x->request || !copy.ptr || http_request_parse(copy, x->request, &why) != HTTP_COMPLETE) {
        exchange_release(x);
        return NULL;
    }
    return x;
}

static void start_exchange(struct http_connection *c)
{
    c->state = ANSWERING;
    timer_cancel(&c->timer);
    exchange_route(c->exchange);
}

static void start_body(struct http_connection *c)
{
    struct worker *w = stream_worker(c->stream);

    c->state = READ_BODY;
    c->body_since_ms = worker_now_ms(w);
    if (c->exchange->request->expects_continue)
        stream_write(c->stream, SLICE(CONTINUE));
    timer_arm(w, &c->timer, BODY_GRACE_MS, on_body_timer);
}

/* --- streamed bodies -------------------------------------------------------------------------- */

/* Who does not want the body answers without it, and then nobody knows where the next request
 * begins. */
static void offer_body(struct http_connection *c)
{
    c->state = OFFER_BODY;
    c->keeps_alive_later = c->keep_alive;
    c->keep_alive = false;
    timer_cancel(&c->timer);
    exchange_route(c->exchange);
}

void http_connection_take_body(struct http_connection *c)
{
    if (c->state != OFFER_BODY)
        return;
    start_body(c);
    if (c->paused) {
        c->paused = false;
        stream_resume(c->stream);
    }
}

void http_connection_pause_body(struct http_connection *c)
{
    if (c->state != READ_BODY || c->body_paused)
        return;
    c->body_paused = true;
    stream_pause(c->stream);
}

void http_connection_resume_body(struct http_connection *c)
{
    if (!c->body_paused)
        return;
    c->body_paused = false;
    stream_resume(c->stream);
}

/* The handler may answer in between: then there is no exchange any more. */
static void hand_over(struct http_connection *c, bool is_end)
{
    struct exchange *x = c->exchange;

    exchange_hold(x);
    if (x->body.len > 0)
        x->on_body(x, buf_slice(&x->body));
    buf_clear(&x->body);
    if (is_end && c->exchange == x) {
        http_connection_resume_body(c);
        c->keep_alive = c->keeps_alive_later;
        c->state = ANSWERING;
        timer_cancel(&c->timer);
        x->on_body_end(x);
    }
    exchange_release(x);
}

/* The family that it was for says so in its own words. A body in parts is with its handler. */
static void refuse_body(struct http_connection *c, const char *cause)
{
    struct exchange *x = c->exchange;
    struct fault why;

    if (!x->family || x->streams_body) {
        refuse(c, HTTP_TOO_LARGE, true, cause);
        return;
    }
    fault_set(&why, ST_TOO_LARGE, "a body of more than %zu bytes", c->body_max);
    c->state = ANSWERING;
    c->keep_alive = false;
    timer_cancel(&c->timer);
    exchange_hold(x);
    exchange_answer_error(x, ST_TOO_LARGE, &why);
    exchange_release(x);
}

static size_t read_head(struct http_connection *c, slice input)
{
    struct http_request r;
    struct fault why = {0};
    enum http_result result;
    size_t skip = 0;

    /* An empty line before a request is allowed (RFC 9112, 2.2). */
    if (slice_starts_with(input, SLICE("\r\n")))
        skip = 2;
    result = http_request_parse(slice_from(input, skip), &r, &why);
    if (result == HTTP_MORE) {
        if (c->keep_alive) /* the first bytes of a further request: its head is now due */
            timer_arm(stream_worker(c->stream), &c->timer, HEAD_WAIT_MS, on_late);
        c->keep_alive = false;
        c->head_begun = true;
        return 0;
    }
    if (result != HTTP_COMPLETE) {
        refuse(c, result, false, why.text);
        return input.len;
    }
    c->keep_alive = r.keep_alive;
    c->exchange = exchange_create(c, slice_of(input.ptr + skip, r.head_size));
    if (!c->exchange) {
        end(c);
        return input.len;
    }
    c->body_max = c->exchange->body.max = exchange_body_max(c->exchange);
    c->chunks = (struct http_chunks){0};
    c->body_left = r.content_length;
    c->body_taken = 0;
    if (r.body == HTTP_BODY_LENGTH && r.content_length > c->body_max)
        refuse_body(c, "announced body");
    else if (r.body == HTTP_BODY_NONE || (r.body == HTTP_BODY_LENGTH && r.content_length == 0))
        start_exchange(c);
    else if (c->exchange->streams_body)
        offer_body(c);
    else
        start_body(c);
    return skip + r.head_size;
}

static void on_body_read(struct http_connection *c, bool is_end)
{
    if (c->exchange->streams_body)
        hand_over(c, is_end);
    else if (is_end)
        start_exchange(c);
}

static size_t read_chunks(struct http_connection *c, slice input)
{
    struct buf *body = &c->exchange->body;
    size_t before = body->len, taken = 0;
    enum http_result result;

    body->max = c->body_max - (size_t)c->body_taken + before; /* parts handed over count, too */
    result = http_chunks_feed(&c->chunks, input, body, &taken);
    c->body_taken += body->len - before;
    if (result == HTTP_COMPLETE || result == HTTP_MORE)
        on_body_read(c, result == HTTP_COMPLETE);
    else if (result == HTTP_TOO_LARGE)
        refuse_body(c, "chunked body");
    else
        refuse(c, result, true, "chunked body");
    return taken;
}

static size_t read_body(struct http_connection *c, slice input)
{
    struct exchange *x = c->exchange;
    size_t taken;

    if (x->request->body == HTTP_BODY_CHUNKED)
        return read_chunks(c, input);
    taken = input.len < c->body_left ? input.len : (size_t)c->body_left;
    buf_append(&x->body, slice_first(input, taken));
    c->body_left -= taken;
    c->body_taken += taken;
    if (x->body.failed)
        end(c);
    else
        on_body_read(c, c->body_left == 0);
    return taken;
}

static size_t on_input(void *owner, slice input)
{
    struct http_connection *c = owner;
    size_t taken = 0;

    while (c->state != ENDED && taken < input.len) {
        slice rest = slice_from(input, taken);
        size_t step;

        if (c->body_paused)
            break;
        if (c->state == ANSWERING || c->state == OFFER_BODY) {
            /* A further request waits until this one is answered, a body until it is wanted. */
            if (!c->paused) {
                c->paused = true;
                stream_pause(c->stream);
            }
            break;
        }
        step = c->state == AWAIT_HEAD ? read_head(c, rest) : read_body(c, rest);
        taken += step;
        if (step == 0)
            break;
    }
    return c->state == ENDED ? input.len : taken;
}

/* --- beginning and end ----------------------------------------------------------------------- */

static void on_open(void *owner)
{
    await_head(owner, HEAD_WAIT_MS);
}

static void on_drained(void *owner)
{
    struct http_connection *c = owner;

    if (c->exchange && c->exchange->on_drained)
        c->exchange->on_drained(c->exchange);
}

static void on_end(void *owner, enum stream_end reason)
{
    struct http_connection *c = owner;

    (void)reason;
    metric_add(METRIC_CONNECTIONS_HTTPS, -1);
    timer_cancel(&c->timer);
    c->state = ENDED;
    let_exchange_go(c);
    free(c);
}

static const struct stream_handler handler = {
    .on_open = on_open,
    .on_input = on_input,
    .on_drained = on_drained,
    .on_end = on_end,
};

void http_front_accept(void *owner, struct stream *s)
{
    struct http_connection *c = calloc(1, sizeof *c);

    if (!c) {
        stream_abort(s);
        return;
    }
    c->front = owner;
    c->stream = s;
    metric_add(METRIC_CONNECTIONS_HTTPS, 1);
    stream_set_handler(s, &handler, c, INPUT_MAX);
}
