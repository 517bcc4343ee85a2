/* Sessions seen from elsewhere: what the directory and other workers tell this worker, and the
 * questions that this worker asks of them. */
#include <stdlib.h>

#include "hub/hub_internal.h"

/* --- requests ------------------------------------------------------------------------------- */

static struct hub_request **bucket_of(struct hub_worker *w, uint64_t token)
{
    return &w->requests[token % HUB_REQUEST_BUCKETS];
}

static void on_time_up(struct timer *t)
{
    struct hub_request *r = (struct hub_request *)((char *)t - offsetof(struct hub_request, timer));

    r->on_message(r, NULL);
}

void request_start(struct hub_worker *w, struct hub_request *r, int64_t timeout_ms)
{
    struct hub_request **bucket;

    r->w = w;
    r->token = hub_next_number(w);
    bucket = bucket_of(w, r->token);
    r->next = *bucket;
    *bucket = r;
    timer_arm(w->worker, &r->timer, timeout_ms, on_time_up);
}

void request_end(struct hub_request *r)
{
    struct hub_request **at = bucket_of(r->w, r->token);

    while (*at && *at != r)
        at = &(*at)->next;
    if (*at)
        *at = r->next;
    timer_cancel(&r->timer);
}

static void request_answer(struct hub_worker *w, const struct session_message *m)
{
    struct hub_request *r = *bucket_of(w, m->token);

    while (r && r->token != m->token)
        r = r->next;
    if (r)
        r->on_message(r, m);
}

/* --- what comes in for a session ------------------------------------------------------------ */

static void describe(struct hub_worker *w, const struct session_message *m)
{
    const struct session *s = session_table_find(&w->sessions, m->serial);
    struct session_message answer = *m;

    answer.kind = MESSAGE_INFO;
    answer.flag = s && s->state == SESSION_LIVE;
    answer.number = answer.flag ? activity_at(s) : 0;
    hub_tell_asker(w, &answer);
}

void session_receive(struct hub_worker *w, const struct session_message *m)
{
    struct session *s = session_table_find(&w->sessions, m->serial);

    switch (m->kind) {
    case MESSAGE_OPENED:
        if (s)
            session_opened(s, m->status);
        break;
    case MESSAGE_END:
        if (s)
            session_end(s, (enum session_end)m->number);
        break;
    case MESSAGE_DESCRIBE:
        describe(w, m);
        break;
    case MESSAGE_DESIRED:
        if (s)
            twin_session_told(s, m->number);
        break;
    case MESSAGE_C2D:
        if (s)
            c2d_session_told(s);
        break;
    case MESSAGE_INVOKE:
        method_session_invoke(w, m);
        break;
    case MESSAGE_CANCEL:
        method_session_cancel(w, m);
        break;
    default:
        request_answer(w, m);
    }
}

/* --- query ---------------------------------------------------------------------------------- */

struct query {
    struct hub_request request;
    session_info_fn *on_info;
    void *context;
};

/* Requests here are one block. */
static void drop_request(struct hub_request *r)
{
    free(r);
}

static void on_info_message(struct hub_request *r, const struct session_message *m)
{
    struct query *q = (struct query *)r;
    struct session_info info = {0};

    request_end(r);
    if (m && m->flag)
        info = (struct session_info){
            .connected = true,
            .last_activity_at = m->number,
            .protocol = m->name,
            .client_type = m->text,
            .peer = m->peer,
            .connected_at = m->at,
        };
    q->on_info(q->context, &info);
    free(q);
}

void session_query(struct hub *hub, const struct hub_name *name, slice device_id, slice module_id,
                   session_info_fn *on_info, void *context)
{
    struct hub_worker *w = hub_here(hub);
    struct session_message m = {
        .kind = MESSAGE_QUERY,
        .hub = name->name,
        .device_id = device_id,
        .module_id = module_id,
    };
    struct query *q = calloc(1, sizeof *q);

    if (!q) {
        on_info(context, &(struct session_info){0});
        return;
    }
    q->on_info = on_info;
    q->context = context;
    q->request.on_message = on_info_message;
    q->request.drop = drop_request;
    request_start(w, &q->request, HUB_ANSWER_TIMEOUT_MS);
    m.token = q->request.token;
    hub_tell_directory(w, &m);
}

/* --- revoke --------------------------------------------------------------------------------- */

struct revoking {
    struct hub_request request;
    void (*on_done)(void *context);
    void *context;
};

static void on_revoked(struct hub_request *r, const struct session_message *m)
{
    struct revoking *v = (struct revoking *)r;

    (void)m; /* after the time-out the session is fenced by its generation */
    request_end(r);
    v->on_done(v->context);
    free(v);
}

void session_revoke(struct hub *hub, const struct session_revoke *r, void (*on_done)(void *context),
                    void *context)
{
    struct hub_worker *w = hub_here(hub);
    struct session_message m = {
        .kind = MESSAGE_REVOKE,
        .hub = r->hub->name,
        .device_id = r->device_id,
        .module_id = r->module_id,
        .flag = r->with_modules && r->module_id.len == 0,
        .slots = r->slots,
        .number = r->generation,
    };
    struct revoking *v = calloc(1, sizeof *v);

    if (v) {
        v->on_done = on_done;
        v->context = context;
        v->request.on_message = on_revoked;
        v->request.drop = drop_request;
        request_start(w, &v->request, HUB_ANSWER_TIMEOUT_MS);
        m.token = v->request.token;
    }
    hub_tell_directory(w, &m);
    if (!v)
        on_done(context);
}

/* --- drain ---------------------------------------------------------------------------------- */

void session_drain_worker(struct mail *mail)
{
    struct hub_worker *w = (struct hub_worker *)((char *)mail - offsetof(struct hub_worker, drain));

    for (size_t i = 0; i < w->sessions.bucket_count; i++) {
        struct session *s = w->sessions.buckets[i];

        while (s) {
            bool ends = s->state == SESSION_LIVE && !s->is_ending;

            if (ends)
                session_end(s, SESSION_END_REVOKED);
            /* An end may take others off the list: from its front again. */
            s = ends ? w->sessions.buckets[i] : s->next_in_bucket;
        }
    }
}
