/* A shard of the directory: which identities have a live session, and on which worker.
 *
 *     OPEN --nobody there--------------------------------------> entry, OPENED to the opener
 *     OPEN --somebody there--> END to the old one ... CLOSED --> entry, OPENED to the opener
 *                                   |
 *                                   `--> nothing for 2 s: as if closed, so that no worker that
 *                                        hangs can lock a device out
 *
 * The newest wins: a third opener replaces one that still waits. A device and its modules share a
 * shard and a chain, so that a revocation finds all of them. Any call out of here may come back
 * in, when the other side lives on the same worker: so telling is always the last thing done. */
#include "hub/directory.h"

#include <stdlib.h>

#include "base/log.h"

#define TAKE_OVER_TIMEOUT_MS HUB_ANSWER_TIMEOUT_MS

/* --- opening -------------------------------------------------------------------------------- */

struct opening {
    struct timer timer;
    struct directory *directory;
    struct directory_entry *entry;
    struct session_message message; /* borrows from `bytes` */
    uint8_t bytes[];
};

const struct session_message *directory_waiting(const struct directory_entry *e)
{
    return e->opening ? &e->opening->message : NULL;
}

void directory_answer_open(struct directory *d, uint64_t serial, enum status status)
{
    const struct session_message m = {.kind = MESSAGE_OPENED, .serial = serial, .status = status};

    hub_tell_session(d->w, &m);
}

void directory_tell_end(struct directory *d, uint64_t serial, enum session_end why)
{
    const struct session_message m = {.kind = MESSAGE_END, .serial = serial, .number = why};

    hub_tell_session(d->w, &m);
}

static void on_open(struct directory *d, const struct session_message *m);

/* The old session is gone: who waited is let in. */
static void vacate(struct directory *d, struct directory_entry *e)
{
    struct opening *waiting = e->opening;
    struct revoke_share *shares = e->shares;

    directory_unlink(d, e);
    directory_entry_destroy(d, e);
    if (waiting) {
        timer_cancel(&waiting->timer);
        on_open(d, &waiting->message);
        free(waiting);
    }
    directory_give_shares(d, shares);
}

static void on_take_over_late(struct timer *t)
{
    struct opening *o = (struct opening *)t;

    LOG_WARN("take_over_forced", LOG_TEXT("device", o->message.device_id));
    vacate(o->directory, o->entry);
}

static struct opening *opening_create(struct directory *d, const struct session_message *m)
{
    struct buf *bytes = &d->w->message;
    struct opening *o;

    buf_clear(bytes);
    session_message_encode(m, bytes);
    o = bytes->failed ? NULL : malloc(sizeof *o + bytes->len);
    if (!o)
        return NULL;
    *o = (struct opening){.directory = d};
    memcpy(o->bytes, bytes->ptr, bytes->len);
    if (session_message_decode(slice_of(o->bytes, bytes->len), &o->message))
        return o;
    free(o);
    return NULL;
}

uint64_t directory_stop_waiting(struct directory_entry *e)
{
    struct opening *o = e->opening;
    uint64_t serial = o ? o->message.serial : 0;

    if (!o)
        return 0;
    e->opening = NULL;
    timer_cancel(&o->timer);
    free(o);
    return serial;
}

static void take_over(struct directory *d, struct directory_entry *e,
                      const struct session_message *m)
{
    struct opening *o = opening_create(d, m);
    uint64_t old = e->serial, replaced;
    bool is_ending = e->is_ending;

    if (!o) {
        directory_answer_open(d, m->serial, ST_UNAVAILABLE);
        return;
    }
    replaced = directory_stop_waiting(e);
    o->entry = e;
    e->opening = o;
    e->is_ending = true;
    timer_arm(d->w->worker, &o->timer, TAKE_OVER_TIMEOUT_MS, on_take_over_late);
    if (replaced)
        directory_answer_open(d, replaced, ST_UNAVAILABLE);
    if (!is_ending)
        directory_tell_end(d, old, SESSION_END_TAKEN_OVER);
}

static void on_open(struct directory *d, const struct session_message *m)
{
    struct directory_entry *e;

    if (directory_is_revoked(d, m)) {
        directory_answer_open(d, m->serial, ST_UNAUTHORIZED);
        return;
    }
    e = directory_find(d, m);
    if (e) {
        take_over(d, e, m);
        return;
    }
    if (!directory_insert(d, m)) {
        directory_answer_open(d, m->serial, ST_UNAVAILABLE);
        return;
    }
    directory_answer_open(d, m->serial, ST_OK);
}

static void on_closed(struct directory *d, const struct session_message *m)
{
    struct directory_entry *e = directory_find(d, m);

    if (e && e->serial == m->serial)
        vacate(d, e);
    else if (e && e->opening && e->opening->message.serial == m->serial)
        directory_stop_waiting(e);
}

/* --- the rest ------------------------------------------------------------------------------- */

static void on_query(struct directory *d, const struct session_message *m)
{
    const struct directory_entry *e = directory_find(d, m);
    struct session_message about = {.kind = MESSAGE_INFO, .token = m->token};

    if (!e) {
        hub_tell_asker(d->w, &about);
        return;
    }
    about.kind = MESSAGE_DESCRIBE;
    about.serial = e->serial;
    about.at = e->connected_at;
    about.name = directory_word(e->protocol);
    about.text = directory_word(e->client_type);
    about.peer = directory_peer(e);
    hub_tell_session(d->w, &about);
}

static void on_changed(struct directory *d, const struct session_message *m)
{
    const struct directory_entry *e = directory_find(d, m);
    const struct session_message told = {
        .kind = m->number ? MESSAGE_DESIRED : MESSAGE_C2D,
        .serial = e ? e->serial : 0,
        .number = m->number,
    };

    if (e)
        hub_tell_session(d->w, &told);
}

static void on_online(struct directory *d, const struct session_message *m)
{
    struct directory_entry *e = directory_find(d, m);

    if (!e || e->serial != m->serial)
        return;
    e->is_callable = m->flag;
    if (m->flag)
        directory_calls_run(d, m);
}

void directory_receive(struct directory *d, const struct session_message *m)
{
    switch (m->kind) {
    case MESSAGE_OPEN:
        on_open(d, m);
        break;
    case MESSAGE_CLOSED:
        on_closed(d, m);
        break;
    case MESSAGE_ONLINE:
        on_online(d, m);
        break;
    case MESSAGE_QUERY:
        on_query(d, m);
        break;
    case MESSAGE_REVOKE:
        directory_revoke(d, m);
        break;
    case MESSAGE_CHANGED:
        on_changed(d, m);
        break;
    case MESSAGE_CALL:
        directory_calls_add(d, m);
        break;
    default:
        break;
    }
}

/* --- life ----------------------------------------------------------------------------------- */

struct directory *directory_create(struct hub_worker *w)
{
    struct directory *d = calloc(1, sizeof *d);

    if (!d)
        return NULL;
    d->w = w;
    if (directory_table_create(d))
        return d;
    free(d);
    return NULL;
}

void directory_destroy(struct directory *d)
{
    if (!d)
        return;
    directory_calls_destroy(d);
    for (size_t i = 0; i < d->bucket_count; i++) {
        for (struct directory_entry *e = d->buckets[i], *next; e; e = next) {
            next = e->next;
            directory_stop_waiting(e);
            directory_drop_shares(e->shares);
            directory_entry_destroy(d, e);
        }
    }
    free(d->buckets);
    free(d);
}
