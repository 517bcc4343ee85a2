#include "front/http/http_front.h"

#include <stdlib.h>

#include "front/http/exchange.h"

static void on_log_advanced(void *context, slice subject, slice message)
{
    struct http_front *front = context;
    struct log_watch **head = &front->watches[worker_index(worker_current())];

    (void)subject;
    (void)message;
    while (*head) {
        struct log_watch *watch = *head;

        http_front_unwatch_log(watch);
        watch->wake(watch); /* posts; never watches again inside */
    }
}

static bool subscribe(struct http_front *front)
{
    for (unsigned i = 0; i < workers_count(front->workers); i++) {
        if (!bus_subscribe(front->options.bus, workers_at(front->workers, i), LOG_ADVANCED_SUBJECT,
                           on_log_advanced, front))
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
    front->watches = calloc(workers_count(ws), sizeof(struct log_watch *));
    if (front->watches && subscribe(front))
        return front;
    http_front_destroy(front);
    return NULL;
}

void http_front_destroy(struct http_front *front)
{
    if (!front)
        return;
    free(front->watches);
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
    struct log_watch **head = &front->watches[worker_index(worker_current())];

    http_front_unwatch_log(watch);
    watch->next = *head;
    watch->link = head;
    if (watch->next)
        watch->next->link = &watch->next;
    *head = watch;
}
