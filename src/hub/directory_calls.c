/* Direct methods in the directory: on to the session that answers, or waiting for one
 * (connectTimeoutInSeconds). How many wait is bounded by METHOD_CALLS_MAX at the callers. */
#include <stdlib.h>

#include "hub/directory.h"

struct waiting_call {
    struct timer timer;
    struct waiting_call *next;
    struct directory *directory;
    struct session_message message; /* borrows from `bytes` */
    uint8_t bytes[];
};

static void answer_not_online(struct directory *d, uint64_t token)
{
    const struct session_message m = {
        .kind = MESSAGE_ANSWER,
        .token = token,
        .status = ST_NOT_ONLINE,
    };

    hub_tell_asker(d->w, &m);
}

static void unlink_call(struct waiting_call *c)
{
    struct waiting_call **at = &c->directory->calls;

    while (*at != c)
        at = &(*at)->next;
    *at = c->next;
    timer_cancel(&c->timer);
}

static void on_wait_over(struct timer *t)
{
    struct waiting_call *c = (struct waiting_call *)t;
    uint64_t token = c->message.token;

    unlink_call(c);
    answer_not_online(c->directory, token);
    free(c);
}

static bool let_wait(struct directory *d, const struct session_message *m)
{
    struct buf *bytes = &d->w->message;
    struct waiting_call *c;

    buf_clear(bytes);
    session_message_encode(m, bytes);
    c = bytes->failed ? NULL : malloc(sizeof *c + bytes->len);
    if (!c)
        return false;
    *c = (struct waiting_call){.next = d->calls, .directory = d};
    memcpy(c->bytes, bytes->ptr, bytes->len);
    if (!session_message_decode(slice_of(c->bytes, bytes->len), &c->message)) {
        free(c);
        return false;
    }
    d->calls = c;
    timer_arm(d->w->worker, &c->timer, m->number, on_wait_over);
    return true;
}

void directory_calls_add(struct directory *d, const struct session_message *m)
{
    const struct directory_entry *e = directory_find(d, m);
    struct session_message invoke = *m;

    if (e && e->is_callable && !e->is_ending) {
        invoke.kind = MESSAGE_INVOKE;
        invoke.serial = e->serial;
        hub_tell_session(d->w, &invoke);
    } else if (m->number <= 0 || !let_wait(d, m)) {
        answer_not_online(d, m->token);
    }
}

static struct waiting_call *find_call(struct directory *d, const struct session_message *m)
{
    struct waiting_call *c = d->calls;

    while (c && !(slice_equal(c->message.device_id, m->device_id) &&
                  slice_equal(c->message.module_id, m->module_id) &&
                  slice_equal(c->message.hub, m->hub)))
        c = c->next;
    return c;
}

void directory_calls_run(struct directory *d, const struct session_message *m)
{
    struct waiting_call *c;

    while ((c = find_call(d, m))) {
        const struct directory_entry *e = directory_find(d, m);

        if (!e || !e->is_callable || e->is_ending)
            return;
        unlink_call(c);
        directory_calls_add(d, &c->message);
        free(c);
    }
}

void directory_calls_destroy(struct directory *d)
{
    while (d->calls) {
        struct waiting_call *c = d->calls;

        unlink_call(c);
        free(c);
    }
}
