#include "net/tls_stream.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/metrics.h"
#include "net/worker_internal.h"

#define NO_DEADLINE INT64_MAX

struct worker_streams *tls_streams_of(const struct tls_stream *s)
{
    return s->base.worker->streams;
}

void tls_stream_mark(struct tls_stream *s)
{
    struct worker_streams *streams = tls_streams_of(s);

    if (s->due)
        return;
    s->due = true;
    s->next_due = NULL;
    *streams->due_end = s;
    streams->due_end = &s->next_due;
    worker_at_turn_end(s->base.worker, &streams->hook);
}

void tls_stream_end(struct tls_stream *s, enum stream_end end)
{
    if (s->state == TLS_ENDED)
        return;
    if (end == STREAM_END_HANDSHAKE)
        metric_add(METRIC_HANDSHAKES_FAILED, 1);
    s->state = TLS_ENDED;
    s->end = (uint8_t)end;
    tls_stream_mark(s);
}

static short wanted_events(const struct tls_stream *s)
{
    int output = s->blocked ? EV_WRITE : 0;

    switch ((enum tls_state)s->state) {
    case TLS_HANDSHAKE:
    case TLS_LINGERING:
        return (short)(EV_READ | output);
    case TLS_OPEN:
        return (short)((s->pauses == 0 ? EV_READ : 0) | output);
    case TLS_CLOSING:
        return (short)output;
    case TLS_ENDED:
        break;
    }
    return 0;
}

static void on_event(evutil_socket_t fd, short what, void *context);

/* Changing what an added event waits for takes two system calls; it is rare. */
void tls_stream_update_interest(struct tls_stream *s)
{
    short wanted = wanted_events(s);
    evutil_socket_t fd = event_get_fd(&s->event);

    if ((event_get_events(&s->event) & (EV_READ | EV_WRITE)) == wanted)
        return;
    event_del(&s->event);
    event_assign(&s->event, s->base.worker->base, fd, (short)(wanted | EV_PERSIST), on_event, s);
    if (wanted && event_add(&s->event, NULL) != 0)
        tls_stream_end(s, STREAM_END_PEER);
}

static int64_t deadline_of(const struct tls_stream *s)
{
    const struct stream_timeouts *timeouts = &s->base.worker->set->timeouts;

    switch ((enum tls_state)s->state) {
    case TLS_HANDSHAKE:
        return s->since_ms + timeouts->handshake_ms;
    case TLS_OPEN:
        return s->blocked ? s->since_ms + timeouts->stalled_ms : NO_DEADLINE;
    case TLS_CLOSING:
    case TLS_LINGERING:
        return s->since_ms + timeouts->close_ms;
    case TLS_ENDED:
        break;
    }
    return NO_DEADLINE;
}

static void expire(struct tls_stream *s)
{
    static const enum stream_end ends[] = {
        [TLS_HANDSHAKE] = STREAM_END_HANDSHAKE,
        [TLS_OPEN] = STREAM_END_STALLED,
        [TLS_CLOSING] = STREAM_END_LOCAL,
        [TLS_LINGERING] = STREAM_END_LOCAL,
    };

    /* Output nobody takes would keep the kernel busy for minutes more. */
    s->reset = s->state == TLS_OPEN || s->state == TLS_CLOSING;
    tls_stream_end(s, ends[s->state]);
}

static void on_timer(struct timer *timer)
{
    struct tls_stream *s =
        (struct tls_stream *)((char *)timer - offsetof(struct tls_stream, timer));

    if (deadline_of(s) <= worker_now_ms(s->base.worker))
        expire(s);
    else
        tls_stream_watch_deadline(s);
}

void tls_stream_watch_deadline(struct tls_stream *s)
{
    int64_t deadline = deadline_of(s);

    if (deadline == NO_DEADLINE || (s->timer.link && s->timer.due_ms <= deadline))
        return;
    timer_arm(s->base.worker, &s->timer, deadline - worker_now_ms(s->base.worker), on_timer);
}

void tls_stream_set_state(struct tls_stream *s, enum tls_state state)
{
    assert(state == (enum tls_state)s->state + 1);
    s->state = (uint8_t)state;
    s->since_ms = worker_now_ms(s->base.worker);
    tls_stream_watch_deadline(s);
}

static void open_stream(struct tls_stream *s)
{
    tls_stream_set_state(s, TLS_OPEN);
    s->blocked = false;
    s->unread = SSL_has_pending(s->ssl) == 1;
    if (s->output.len > 0)
        tls_stream_mark(s);
    if (s->base.handler->on_open)
        s->base.handler->on_open(s->base.owner);
}

static void shake_hands(struct tls_stream *s)
{
    int result;

    tls_clear_errors();
    result = SSL_do_handshake(s->ssl);
    if (result == 1) {
        s->last_input_ms = worker_now_ms(s->base.worker);
        open_stream(s);
        return;
    }
    switch (SSL_get_error(s->ssl, result)) {
    case SSL_ERROR_WANT_READ:
        s->blocked = false;
        break;
    case SSL_ERROR_WANT_WRITE:
        s->blocked = true;
        break;
    default:
        tls_stream_end(s, STREAM_END_HANDSHAKE);
    }
}

static void on_event(evutil_socket_t fd, short what, void *context)
{
    struct tls_stream *s = context;

    (void)fd;
    if (s->state == TLS_HANDSHAKE) {
        shake_hands(s);
        what = s->unread ? EV_READ : 0; /* the socket says when there is more */
    } else if (what & EV_WRITE) {
        s->blocked = false;
        tls_stream_mark(s);
    }
    if (s->state == TLS_OPEN && (what & EV_READ))
        tls_stream_read(s);
    else if (s->state == TLS_LINGERING)
        tls_stream_read_and_drop(s);
    if (s->state != TLS_ENDED)
        tls_stream_update_interest(s);
}

static struct tls_stream *stream_alloc(const union address *peer)
{
    char text[ADDRESS_TEXT_MAX];
    slice name = address_text(peer, text);
    struct tls_stream *s = calloc(1, offsetof(struct tls_stream, peer) + name.len + 1);

    if (s)
        memcpy(s->peer, name.ptr, name.len);
    return s;
}

static void link_stream(struct worker_streams *streams, struct tls_stream *s)
{
    s->next = streams->all;
    s->link = &streams->all;
    if (s->next)
        s->next->link = &s->next;
    streams->all = s;
}

static void unlink_stream(struct tls_stream *s)
{
    *s->link = s->next;
    if (s->next)
        s->next->link = s->link;
}

/* NULL, with nothing taken over, when it cannot be. */
static struct tls_stream *create(struct worker *w, int fd, SSL *ssl, const union address *peer,
                                 bool outgoing)
{
    struct tls_stream *s = stream_alloc(peer);

    if (!s)
        return NULL;
    s->base.class = &tls_stream_class;
    s->base.worker = w;
    s->ssl = ssl;
    s->since_ms = s->last_input_ms = worker_now_ms(w);
    s->outgoing = s->blocked = outgoing; /* the socket says when it is connected */
    event_assign(&s->event, w->base, fd, (short)(wanted_events(s) | EV_PERSIST), on_event, s);
    if (SSL_set_fd(ssl, fd) != 1 || event_add(&s->event, NULL) != 0) {
        free(s);
        return NULL;
    }
    link_stream(w->streams, s);
    tls_stream_watch_deadline(s);
    return s;
}

struct stream *tls_stream_create(struct worker *w, int fd, SSL_CTX *context,
                                 const union address *peer, struct accept_place place)
{
    SSL *ssl = SSL_new(context);
    struct tls_stream *s = ssl ? create(w, fd, ssl, peer, false) : NULL;

    if (!s) {
        SSL_free(ssl);
        return NULL;
    }
    SSL_set_accept_state(ssl);
    s->place = place;
    return &s->base;
}

struct stream *tls_stream_create_outgoing(struct worker *w, int fd, SSL *ssl,
                                          const union address *peer)
{
    struct tls_stream *s = create(w, fd, ssl, peer, true);

    return s ? &s->base : NULL;
}

bool tls_stream_is_owned(const struct stream *s)
{
    return s->handler || ((const struct tls_stream *)s)->state == TLS_ENDED;
}

/* A peer that has already closed, as a device does behind its DISCONNECT, hears nothing more.
 * The others get TLS's goodbye and then the end of TCP's stream, and are waited for. */
static void say_goodbye(struct tls_stream *s)
{
    tls_stream_set_state(s, TLS_LINGERING);
    tls_stream_read_and_drop(s);
    if (s->state == TLS_ENDED)
        return;
    SSL_shutdown(s->ssl);
    shutdown(event_get_fd(&s->event), SHUT_WR);
}

static void close_socket(struct tls_stream *s)
{
    static const struct linger reset = {.l_onoff = 1, .l_linger = 0};
    evutil_socket_t fd = event_get_fd(&s->event);

    event_del(&s->event);
    if (s->reset)
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close(fd);
}

static void stream_free(struct tls_stream *s)
{
    close_socket(s);
    timer_cancel(&s->timer);
    unlink_stream(s);
    if (!s->outgoing)
        accept_limits_leave(s->base.worker->set->limits, &s->place);
    output_clear(&s->output, &tls_streams_of(s)->chunks);
    SSL_free(s->ssl);
    free(s->kept);
    free(s);
}

/* A peer that stopped sending may still read: it gets what this turn wrote. */
static void finish(struct tls_stream *s)
{
    if (s->end == STREAM_END_PEER && s->output.len > 0 && !s->blocked)
        tls_stream_flush(s);
    s->due = true; /* nothing marks it any more */
    /* Whoever is told of the end may count on its place among the unauthenticated. */
    accept_limits_authenticated(s->base.worker->set->limits, &s->place);
    if (s->base.handler)
        s->base.handler->on_end(s->base.owner, (enum stream_end)s->end);
    stream_free(s);
}

static void tell_drained(struct tls_stream *s)
{
    if (!s->was_high || s->output.len > 0 || s->state != TLS_OPEN)
        return;
    s->was_high = false;
    if (s->base.handler->on_drained)
        s->base.handler->on_drained(s->base.owner);
}

/* What a turn's end owes a stream. */
static void settle(struct tls_stream *s)
{
    if (s->state == TLS_ENDED) {
        finish(s);
        return;
    }
    if (s->state == TLS_HANDSHAKE)
        return;
    if (s->output.len > 0 && !s->blocked)
        tls_stream_flush(s);
    if (s->state == TLS_CLOSING && s->output.len == 0)
        say_goodbye(s);
    tell_drained(s);
    if (s->state == TLS_ENDED)
        return;
    tls_stream_update_interest(s);
    if (s->state == TLS_OPEN && s->pauses == 0 && (s->unread || s->offer))
        event_active(&s->event, EV_READ, 0); /* runs in the next turn */
}

static void on_turn_end(struct turn_hook *hook)
{
    struct worker_streams *streams =
        (struct worker_streams *)((char *)hook - offsetof(struct worker_streams, hook));
    struct tls_stream *due = streams->due;

    worker_now_ms(streams->worker);
    streams->due = NULL;
    streams->due_end = &streams->due;
    while (due) {
        struct tls_stream *s = due;

        due = s->next_due;
        s->due = false;
        settle(s);
    }
}

struct worker_streams *worker_streams_create(struct worker *w)
{
    struct worker_streams *streams = malloc(sizeof *streams);

    if (!streams)
        return NULL;
    *streams = (struct worker_streams){.worker = w, .hook.run = on_turn_end};
    streams->due_end = &streams->due;
    return streams;
}

void worker_streams_end_all(struct worker_streams *streams)
{
    for (struct tls_stream *s = streams->all; s; s = s->next) {
        if (s->state == TLS_OPEN && s->output.len > 0 && !s->blocked)
            tls_stream_flush(s);
        if (s->state == TLS_OPEN && s->output.len == 0)
            SSL_shutdown(s->ssl);
        tls_stream_end(s, STREAM_END_LOCAL);
    }
}

void worker_streams_destroy(struct worker_streams *streams)
{
    if (!streams)
        return;
    while (streams->all) /* made on a worker that never ran */
        stream_free(streams->all);
    chunk_pool_deinit(&streams->chunks);
    free(streams);
}
