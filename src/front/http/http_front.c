#include "front/http/http_front.h"

#include <stdlib.h>

#include "front/http/caller.h"
#include "front/http/exchange.h"
#include "hub/event.h"

#define RECHECK_MS 60000

static struct http_worker *own_of(struct http_front *front)
{
    return &front->own[worker_index(worker_current())];
}

static void on_log_advanced(void *context, slice subject, slice message)
{
    struct http_worker *own = context;
    struct log_watch **head = &own->watches;

    (void)subject;
    (void)message;
    while (*head) {
        struct log_watch *watch = *head;

        http_front_unwatch_log(watch);
        watch->wake(watch); /* posts; never watches again inside */
    }
}

/* One that lets go of itself inside takes no other along. */
static void on_hub_event(void *context, slice subject, slice message)
{
    struct http_worker *own = context;
    struct hub_watch *next;
    struct hub_event e;

    (void)subject;
    if (!own->hub_watches || !hub_event_decode(message, &e))
        return;
    for (struct hub_watch *watch = own->hub_watches; watch; watch = next) {
        next = watch->next;
        watch->on_event(watch, &e);
    }
}

static void on_access_changed(void *context, slice subject, slice message);

static bool subscribe(struct http_front *front)
{
    for (unsigned i = 0; i < workers_count(front->workers); i++) {
        struct worker *w = workers_at(front->workers, i);
        struct http_worker *own = &front->own[i];

        own->front = front;
        if (!bus_subscribe(front->options.bus, w, LOG_ADVANCED_SUBJECT, on_log_advanced, own) ||
            !bus_subscribe(front->options.bus, w, ACCESS_CHANGED_SUBJECT, on_access_changed, own) ||
            !bus_subscribe(front->options.bus, w, HUB_EVENTS_SUBJECT, on_hub_event, own))
            return false;
    }
    return true;
}

struct http_front *http_front_create(struct workers *ws, const struct http_front_options *options)
{
    struct http_front *front = calloc(1, sizeof *front);

    if (!front)
        return NULL;
    front->options = *options;
    front->workers = ws;
    front->own = calloc(workers_count(ws), sizeof *front->own);
    if (front->own && subscribe(front))
        return front;
    http_front_destroy(front);
    return NULL;
}

void http_front_destroy(struct http_front *front)
{
    if (!front)
        return;
    free(front->own);
    free(front);
}

/* --- who waits for the log -------------------------------------------------------------------- */

void http_front_unwatch_log(struct log_watch *watch)
{
    if (!watch->link)
        return;
    *watch->link = watch->next;
    if (watch->next)
        watch->next->link = watch->link;
    watch->link = NULL;
}

void http_front_watch_log(struct http_front *front, struct log_watch *watch)
{
    struct log_watch **head = &own_of(front)->watches;

    http_front_unwatch_log(watch);
    watch->next = *head;
    watch->link = head;
    if (watch->next)
        watch->next->link = &watch->next;
    *head = watch;
}

/* --- who looks at devices that come and go ---------------------------------------------------- */

void http_front_unwatch_hub(struct hub_watch *watch)
{
    if (!watch->link)
        return;
    *watch->link = watch->next;
    if (watch->next)
        watch->next->link = watch->link;
    watch->link = NULL;
}

void http_front_watch_hub(struct http_front *front, struct hub_watch *watch)
{
    struct hub_watch **head = &own_of(front)->hub_watches;

    watch->next = *head;
    watch->link = head;
    if (watch->next)
        watch->next->link = &watch->next;
    *head = watch;
}

/* --- streams ---------------------------------------------------------------------------------- */

static void on_principal(void *context, enum status status, const struct principal *p,
                         const struct fault *why)
{
    struct exchange *x = context;

    (void)why;
    if (status == ST_OK && may_do(p, x->route->permission) &&
        strcmp(p->organization, x->principal.organization) == 0)
        x->principal = *p;
    else if (x->connection)
        http_connection_close(x->connection);
    exchange_release(x);
}

/* An end of one stream ends no other: the next stays where it is. */
static void recheck(struct http_worker *own)
{
    struct exchange *next;

    for (struct exchange *x = own->streams; x; x = next) {
        next = x->next_stream;
        if (!x->connection)
            continue;
        exchange_hold(x);
        caller_identify(x, SESSION_WATCHED, on_principal, x);
    }
}

static void on_access_changed(void *context, slice subject, slice message)
{
    (void)subject;
    (void)message;
    recheck(context);
}

/* Tokens end, too. */
static void on_recheck(struct timer *t)
{
    struct http_worker *own =
        (struct http_worker *)((char *)t - offsetof(struct http_worker, recheck));

    recheck(own);
    if (own->streams)
        timer_arm(worker_current(), t, RECHECK_MS, on_recheck);
}

void http_front_add_stream(struct exchange *x)
{
    struct http_worker *own = own_of(x->front);

    if (x->stream_link || x->principal.name[0] == '\0')
        return;
    x->next_stream = own->streams;
    x->stream_link = &own->streams;
    if (x->next_stream)
        x->next_stream->stream_link = &x->next_stream;
    own->streams = x;
    if (!timer_is_armed(&own->recheck))
        timer_arm(worker_current(), &own->recheck, RECHECK_MS, on_recheck);
}

void http_front_remove_stream(struct exchange *x)
{
    if (!x->stream_link)
        return;
    *x->stream_link = x->next_stream;
    if (x->next_stream)
        x->next_stream->stream_link = x->stream_link;
    x->stream_link = NULL;
}
