#include "hub/hub.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "hub/hub_internal.h"
#include "hub/session_trust.h"

#define SCRATCH_MAX (16 * 1024 * 1024) /* a device's largest patch onto its largest twin */
#define TEXT_MAX (1024 * 1024)
#define MESSAGE_MAX BUS_MESSAGE_MAX

/* --- what is said from worker to worker ----------------------------------------------------- */

static void publish(struct hub_worker *from, const char *subject, const struct session_message *m)
{
    buf_clear(&from->message);
    session_message_encode(m, &from->message);
    if (from->message.failed)
        LOG_ERROR("hub_message_lost", LOG_INT("kind", m->kind));
    else
        bus_publish(from->hub->bus, slice_str(subject), buf_slice(&from->message));
}

/* A device and its modules share a shard, so that one message reaches all of them. */
static struct hub_worker *shard_of(struct hub *hub, const struct session_message *m)
{
    return &hub->workers[(slice_hash(m->hub) ^ slice_hash(m->device_id)) % hub->worker_count];
}

void hub_tell_directory(struct hub_worker *from, const struct session_message *m)
{
    struct hub_worker *shard = shard_of(from->hub, m);

    if (shard == from)
        directory_receive(from->directory, m);
    else
        publish(from, shard->directory_subject, m);
}

static void tell(struct hub_worker *from, struct hub_worker *to, const struct session_message *m)
{
    if (!to)
        return;
    if (to == from)
        session_receive(from, m);
    else
        publish(from, to->session_subject, m);
}

void hub_tell_session(struct hub_worker *from, const struct session_message *m)
{
    tell(from, hub_owner_of(from->hub, m->serial), m);
}

void hub_tell_asker(struct hub_worker *from, const struct session_message *m)
{
    tell(from, hub_owner_of(from->hub, m->token), m);
}

void hub_tell_changed(struct hub_worker *from, const struct hub_key *key, int64_t version)
{
    const struct session_message m = {
        .kind = MESSAGE_CHANGED,
        .hub = key->hub,
        .device_id = key->device_id,
        .module_id = key->module_id,
        .number = version,
    };

    hub_tell_directory(from, &m);
}

static void on_session_message(void *context, slice subject, slice bytes)
{
    struct hub_worker *w = context;
    struct session_message m;

    (void)subject;
    if (session_message_decode(bytes, &m))
        session_receive(w, &m);
}

static void on_directory_message(void *context, slice subject, slice bytes)
{
    struct hub_worker *w = context;
    struct session_message m;

    (void)subject;
    if (session_message_decode(bytes, &m))
        directory_receive(w->directory, &m);
}

/* --- life ----------------------------------------------------------------------------------- */

static bool worker_init(struct hub *hub, unsigned index)
{
    struct hub_worker *w = &hub->workers[index];
    slice name;

    w->hub = hub;
    w->index = index;
    w->worker = workers_at(hub->ws, index);
    w->report_hook.run = twin_reports_run;
    w->drain.run = session_drain_worker;
    arena_init(&w->scratch, SCRATCH_MAX);
    buf_init(&w->text, TEXT_MAX);
    buf_init(&w->metadata, TEXT_MAX);
    buf_init(&w->message, MESSAGE_MAX);
    name = bus_worker_name(hub->bus, w->worker);
    snprintf(w->session_subject, sizeof w->session_subject, "%.*s.session", SLICE_FMT(name));
    snprintf(w->directory_subject, sizeof w->directory_subject, "dir.%u", index);
    w->directory = directory_create(w);
    if (!w->directory ||
        !bus_subscribe(hub->bus, w->worker, w->session_subject, on_session_message, w) ||
        !bus_subscribe(hub->bus, w->worker, w->directory_subject, on_directory_message, w) ||
        !session_trust_watch(w))
        return false;
    activity_start(w);
    if (index == 0)
        c2d_sweep_start(w);
    return true;
}

struct hub *hub_create(struct workers *ws, struct store *st, struct bus *bus, struct identity *id,
                       struct stream_log *log, const struct hub_options *options, struct fault *why)
{
    unsigned count = workers_count(ws);
    struct hub *hub = calloc(1, sizeof *hub + count * sizeof hub->workers[0]);

    if (!hub) {
        fault_set(why, ST_NO_MEMORY, "no memory for the hub");
        return NULL;
    }
    hub->ws = ws;
    hub->store = st;
    hub->bus = bus;
    hub->identity = id;
    hub->log = log;
    hub->options = *options;
    hub->worker_count = count;
    for (unsigned i = 0; i < count; i++) {
        if (worker_init(hub, i))
            continue;
        fault_set(why, ST_NO_MEMORY, "no memory for the hub's part on worker %u", i);
        hub_destroy(hub);
        return NULL;
    }
    return hub;
}

/* Of what nobody will answer any more. */
static void drop_requests(struct hub_worker *w)
{
    for (size_t i = 0; i < COUNT_OF(w->requests); i++) {
        while (w->requests[i]) {
            struct hub_request *r = w->requests[i];

            w->requests[i] = r->next;
            timer_cancel(&r->timer);
            r->drop(r);
        }
    }
}

static void worker_deinit(struct hub_worker *w)
{
    drop_requests(w);
    activity_stop(w);
    timer_cancel(&w->sweep);
    session_trust_unwatch(w);
    directory_destroy(w->directory);
    free(w->sessions.buckets);
    arena_deinit(&w->scratch);
    buf_deinit(&w->text);
    buf_deinit(&w->metadata);
    buf_deinit(&w->message);
}

void hub_destroy(struct hub *hub)
{
    if (!hub)
        return;
    for (unsigned i = 0; i < hub->worker_count; i++)
        worker_deinit(&hub->workers[i]);
    free(hub);
}

void session_drain(struct hub *hub)
{
    if (atomic_exchange(&hub->draining, true))
        return;
    for (unsigned i = 0; i < hub->worker_count; i++)
        worker_post(hub->workers[i].worker, &hub->workers[i].drain);
}
