#include "net/listener.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "base/metrics.h"
#include "net/accept_limits.h"
#include "net/address.h"
#include "net/tls_server.h"
#include "net/tls_stream.h"
#include "net/worker_internal.h"

#define BACKLOG 4096
/* Connections taken before other events have their turn. */
#define ACCEPTS_PER_TURN 64
#define PAUSE_MS 100

/* One worker's socket on the port. */
struct acceptor {
    struct mail stop;
    struct listener *listener;
    struct worker *worker;
    int fd;      /* -1: stopped */
    int reserve; /* given up to take one connection off the queue when descriptors run out */
    struct event event;
    struct timer pause;
    struct tls_view view;
};

struct listener {
    struct workers *workers;
    struct tls_server *tls;
    listener_accept_fn *on_accept;
    void *owner;
    uint16_t port;
    _Atomic bool stopping;
    unsigned count;
    struct acceptor acceptors[];
};

void listener_set_limits(struct workers *ws, const struct listener_limits *limits)
{
    accept_limits_set(ws->limits, limits);
}

static void end_pause(struct timer *timer)
{
    struct acceptor *a = (struct acceptor *)((char *)timer - offsetof(struct acceptor, pause));

    if (a->fd >= 0 && event_add(&a->event, NULL) != 0)
        timer_arm(a->worker, &a->pause, PAUSE_MS, end_pause);
}

/* Out of descriptors: the reserve takes one waiting peer off the queue and closes it, so that it
 * learns at once; the others wait in the kernel until some are free again. */
static void relieve(struct acceptor *a)
{
    int fd;

    LOG_LIMITED(LOG_LEVEL_WARN, "accept_paused", LOG_STR("cause", strerror(errno)),
                LOG_INT("port", a->listener->port));
    if (a->reserve >= 0)
        close(a->reserve);
    fd = accept4(a->fd, NULL, NULL, SOCK_CLOEXEC);
    if (fd >= 0) {
        close(fd);
        metric_add(METRIC_ACCEPTS_REFUSED, 1);
    }
    a->reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
    event_del(&a->event);
    timer_arm(a->worker, &a->pause, PAUSE_MS, end_pause);
}

/* Hands the connection to its owner; false, with nothing taken over, when there is no memory. */
static bool begin_stream(struct acceptor *a, int fd, const union address *peer,
                         struct accept_place place)
{
    SSL_CTX *context = tls_view_refresh(&a->view, a->listener->tls);
    struct stream *s = tls_stream_create(a->worker, fd, context, peer, place);

    if (!s)
        return false;
    a->listener->on_accept(a->listener->owner, s);
    assert(tls_stream_is_owned(s));
    return true;
}

/* Anyone can bring these about at will; how many there were, the metrics say. */
static void tell_refusal(struct acceptor *a, const union address *peer, const char *limit)
{
    char from[ADDRESS_TEXT_MAX];

    if (accept_limits_may_tell(a->listener->workers->limits, worker_now_ms(a->worker)))
        LOG_WARN("connections_refused", LOG_STR("limit", limit),
                 LOG_TEXT("peer", address_text(peer, from)), LOG_INT("port", a->listener->port));
}

static void admit(struct acceptor *a, int fd, union address *peer)
{
    static const int on = 1;
    struct accept_limits *limits = a->listener->workers->limits;
    struct accept_place place;
    const char *refused_by;

    address_unmap(peer);
    refused_by = accept_limits_enter(limits, peer, worker_now_ms(a->worker), &place);
    if (refused_by) {
        tell_refusal(a, peer, refused_by);
        metric_add(METRIC_ACCEPTS_REFUSED, 1);
        close(fd);
        return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (begin_stream(a, fd, peer, place))
        return;
    accept_limits_leave(limits, &place);
    metric_add(METRIC_ACCEPTS_REFUSED, 1);
    close(fd);
}

/* Whether to go on. */
static bool accept_one(struct acceptor *a)
{
    union address peer = {0};
    socklen_t len = sizeof peer;
    int fd = accept4(a->fd, &peer.any, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (fd >= 0) {
        admit(a, fd, &peer);
        return true;
    }
    switch (errno) {
    case EAGAIN:
        return false;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
        relieve(a);
        return false;
    default: /* that one connection is gone; errors of the network among them (accept(2)) */
        return true;
    }
}

static void on_acceptable(evutil_socket_t fd, short what, void *context)
{
    struct acceptor *a = context;

    (void)fd;
    (void)what;
    for (int i = 0; i < ACCEPTS_PER_TURN && a->fd >= 0; i++) {
        if (!accept_one(a))
            return;
    }
}

static bool refuse(struct fault *why, slice text, const char *what)
{
    const char *hint = errno == EACCES ? " (ports below 1024 need CAP_NET_BIND_SERVICE)" : "";

    fault_set(why, ST_UNAVAILABLE, "cannot %s %.*s: %s%s", what, SLICE_FMT(text), strerror(errno),
              hint);
    return false;
}

static int socket_open(const union address *at, bool both_families, bool shared)
{
    static const int on = 1;
    int v6_only = !both_families;
    int fd = socket(at->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (shared)
        setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    if (at->any.sa_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6_only, sizeof v6_only);
    if (bind(fd, &at->any, address_len(at)) != 0) {
        int error = errno;

        close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

/* A socket that does not share finds out whether another program, or this one started twice,
 * has the port: our own sockets would share it without a word. */
static bool port_is_free(const union address *at, bool both_families)
{
    int fd = socket_open(at, both_families, false);

    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

/* On a machine without IPv6, "all addresses" are those of IPv4. */
static bool choose_address(slice text, union address *at, bool both_families, struct fault *why)
{
    if (port_is_free(at, both_families))
        return true;
    if (both_families && errno == EAFNOSUPPORT) {
        uint16_t port = address_port(at);

        *at = (union address){.v4.sin_family = AF_INET};
        address_set_port(at, port);
        if (port_is_free(at, false))
            return true;
    }
    return refuse(why, text, "listen on");
}

static bool acceptor_open(struct acceptor *a, union address *at, bool both_families)
{
    socklen_t len = sizeof *at;

    a->fd = socket_open(at, both_families, true);
    if (a->fd < 0 || listen(a->fd, BACKLOG) != 0)
        return false;
    if (getsockname(a->fd, &at->any, &len) != 0) /* the others take the port this one got */
        return false;
    a->reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
    event_assign(&a->event, a->worker->base, a->fd, EV_READ | EV_PERSIST, on_acceptable, a);
    return event_add(&a->event, NULL) == 0;
}

static bool open_all(struct listener *l, slice text, struct fault *why)
{
    bool both_families = text.len > 0 && text.ptr[0] == ':';
    union address at;

    if (!address_parse(text, &at, why) || !choose_address(text, &at, both_families, why))
        return false;
    for (unsigned i = 0; i < l->count; i++) {
        if (!acceptor_open(&l->acceptors[i], &at, both_families))
            return refuse(why, text, "listen on");
    }
    l->port = address_port(&at);
    return true;
}

static void acceptor_close(struct acceptor *a)
{
    if (a->fd < 0)
        return;
    event_del(&a->event);
    timer_cancel(&a->pause);
    close(a->fd);
    a->fd = -1;
    if (a->reserve >= 0)
        close(a->reserve);
    tls_view_drop(&a->view);
}

static void run_stop(struct mail *mail)
{
    acceptor_close((struct acceptor *)mail);
}

static void acceptor_init(struct acceptor *a, struct listener *l, struct worker *w)
{
    *a = (struct acceptor){.stop.run = run_stop, .listener = l, .worker = w, .fd = -1};
    a->reserve = -1;
    event_assign(&a->event, w->base, -1, EV_READ, on_acceptable, a);
}

struct listener *listener_create(struct workers *ws, slice address, struct tls_server *tls,
                                 listener_accept_fn *on_accept, void *owner, struct fault *why)
{
    struct listener *l = calloc(1, sizeof *l + ws->count * sizeof l->acceptors[0]);

    if (!l) {
        fault_set(why, ST_NO_MEMORY, "no memory for a listener");
        return NULL;
    }
    *l = (struct listener){.workers = ws, .tls = tls, .on_accept = on_accept, .owner = owner};
    l->count = ws->count;
    for (unsigned i = 0; i < l->count; i++)
        acceptor_init(&l->acceptors[i], l, &ws->each[i]);
    if (!open_all(l, address, why)) {
        listener_destroy(l);
        return NULL;
    }
    return l;
}

uint16_t listener_port(const struct listener *l)
{
    return l->port;
}

void listener_stop_accepting(struct listener *l)
{
    if (atomic_exchange(&l->stopping, true))
        return;
    for (unsigned i = 0; i < l->count; i++)
        worker_post(l->acceptors[i].worker, &l->acceptors[i].stop);
}

static void close_now(void *context)
{
    acceptor_close(context);
}

void listener_destroy(struct listener *l)
{
    if (!l)
        return;
    for (unsigned i = 0; i < l->count; i++)
        worker_call(l->acceptors[i].worker, close_now, &l->acceptors[i]);
    free(l);
}
