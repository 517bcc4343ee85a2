#include "hub/session.h"

#include <assert.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/metrics.h"
#include "base/text.h"
#include "hub/d2c_record.h"
#include "hub/event.h"
#include "hub/hub_internal.h"
#include "hub/session_trust.h"

#define CLIENT_TYPE_MAX 512
#define MODEL_ID_MAX 2048       /* of a DTMI */
#define EXPIRY_GRACE_MS 300000  /* 2.13: a session ends this long after its token, and up to ... */
#define EXPIRY_JITTER_MS 300000 /* ... this much more, so that fleets do not all return at once */
#define EXPIRY_LOOK_MS (24 * 3600 * 1000LL) /* the wall clock may be set meanwhile */
#define EXPIRY_OPENING_MS 1000
#define EXPIRY_FAR_S (10LL * 365 * 24 * 3600)

/* Lies before the stamp in the block of a session whose token expires. */
struct session_expiry {
    struct timer timer;
    struct session *session;
    instant at;
};

/* --- states --------------------------------------------------------------------------------- */

static void set_state(struct session *s, enum session_state to)
{
    static const unsigned allowed_from[] = {
        [SESSION_OPENING] = 1 << SESSION_CLOSED,
        [SESSION_LIVE] = 1 << SESSION_OPENING,
        [SESSION_CLOSING] = 1 << SESSION_OPENING | 1 << SESSION_LIVE,
        [SESSION_CLOSED] = 1 << SESSION_OPENING | 1 << SESSION_CLOSING,
    };

    assert(allowed_from[to] & 1u << s->state);
    s->state = to;
}

static struct session_message message_about(const struct session *s, enum session_message_kind kind)
{
    return (struct session_message){
        .kind = kind,
        .serial = s->serial,
        .hub = s->hub_name->name,
        .device_id = s->device_id,
        .module_id = s->module_id,
    };
}

static void tell_event(const struct session *s, enum hub_event_kind kind)
{
    const struct hub_event e = {
        .kind = kind,
        .at = clock_wall_ms(),
        .hub_name = s->hub_name->name,
        .device_id = s->device_id,
        .module_id = s->module_id,
    };

    hub_event_publish(s->hub->bus, &e);
}

/* --- the token's end (2.13) ----------------------------------------------------------------- */

static void on_expiry(struct timer *t)
{
    struct session_expiry *e = (struct session_expiry *)t;
    int64_t left = e->at - clock_wall_ms();

    if (e->session->state == SESSION_OPENING && left < EXPIRY_OPENING_MS)
        left = EXPIRY_OPENING_MS;
    if (left > 0)
        timer_arm(e->session->worker, t, left < EXPIRY_LOOK_MS ? left : EXPIRY_LOOK_MS, on_expiry);
    else
        session_end(e->session, SESSION_END_EXPIRED);
}

static void expiry_start(struct session *s, int64_t expires_at_s)
{
    struct session_expiry *e = (struct session_expiry *)s->memory;
    uint64_t spread = slice_hash(slice_of(&s->serial, sizeof s->serial));

    e->session = s;
    e->at = expires_at_s * 1000 + EXPIRY_GRACE_MS + (int64_t)(spread % EXPIRY_JITTER_MS);
    on_expiry(&e->timer);
}

static void expiry_stop(struct session *s)
{
    if (s->expires && s->memory)
        timer_cancel(&((struct session_expiry *)s->memory)->timer);
}

static bool token_expires(int64_t expires_at_s)
{
    return expires_at_s > 0 && expires_at_s < clock_wall_ms() / 1000 + EXPIRY_FAR_S;
}

/* --- opening -------------------------------------------------------------------------------- */

static bool make_stamp(struct session *s, const struct device_principal *p, slice model_id)
{
    struct d2c_stamp stamp = {
        .slot = p->slot,
        .hub = p->hub->name,
        .device_id = p->device_id,
        .module_id = p->module_id,
        .generation_id = p->generation_id,
        .model_id = model_id,
    };
    size_t size = d2c_stamp_size(&stamp);
    size_t before = s->expires ? sizeof(struct session_expiry) : 0;

    s->memory = size ? calloc(1, before + size) : NULL;
    if (!s->memory)
        return false;
    d2c_stamp_write(&stamp, s->memory + before);
    s->stamp = slice_of(s->memory + before, size);
    s->device_id = stamp.device_id;
    s->module_id = stamp.module_id;
    return true;
}

static void init(struct session *s, struct hub *hub, const struct device_principal *p)
{
    struct hub_worker *w = hub_here(hub);

    *s = (struct session){
        .ops = s->ops,
        .hub = hub,
        .worker = w->worker,
        .hub_name = p->hub,
        .slot = p->slot,
        .credential_generation = p->credential_generation,
        .serial = hub_next_number(w),
        .last_activity_ms = worker_now_ms(w->worker),
        .expires = token_expires(p->expires_at),
        .waiter.on_done = telemetry_on_done,
    };
}

/* Back to closed, before or without having been live. */
static void give_up(struct session *s, enum status status)
{
    expiry_stop(s);
    session_trust_end(s);
    method_session_close(s);
    session_table_remove(&hub_worker_of(s)->sessions, s);
    free(s->memory);
    s->memory = NULL;
    s->stamp = s->device_id = s->module_id = (slice){0};
    set_state(s, SESSION_CLOSED);
    s->on_open(s, status);
}

/* What a device says of itself ends up in rows and on screens. */
static slice usable(slice text, size_t max)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < 0x20 || text.ptr[i] == 0x7f)
            return (slice){0};
    }
    return text.len <= max && utf8_valid(text) ? text : (slice){0};
}

static void ask_directory(struct session *s, const struct session_options *options)
{
    struct session_message m = message_about(s, MESSAGE_OPEN);

    m.slots = s->slot;
    m.number = s->credential_generation;
    m.name = options->protocol;
    m.text = usable(options->client_type, CLIENT_TYPE_MAX);
    m.peer = options->peer;
    hub_tell_directory(hub_worker_of(s), &m);
}

static bool prepare(struct session *s, const struct device_principal *p,
                    const struct session_options *options)
{
    struct hub_worker *w = hub_worker_of(s);
    unsigned restored = options->restore_subscriptions ? p->subscriptions : 0;

    if (!session_table_insert(&w->sessions, s))
        return false;
    if (!make_stamp(s, p, usable(options->model_id, MODEL_ID_MAX)) || !session_trust_begin(s, p))
        return false;
    s->partition = log_partition_of(s->hub->log, s->device_id);
    if (!method_session_subscribe(s, restored & SUB_METHODS, p->method_filters))
        return false;
    s->subscriptions = restored;
    if (s->expires)
        expiry_start(s, p->expires_at);
    return true;
}

void session_open(struct session *s, struct hub *hub, const struct device_principal *p,
                  const struct session_options *options,
                  void (*on_open)(struct session *s, enum status status))
{
    slice model_id = usable(options->model_id, MODEL_ID_MAX);

    init(s, hub, p);
    s->on_open = on_open;
    set_state(s, SESSION_OPENING);
    if (atomic_load(&hub->draining) || !prepare(s, p, options)) {
        give_up(s, ST_UNAVAILABLE);
        return;
    }
    if (model_id.len > 0 && !slice_equal(model_id, p->model_id))
        model_announce(s, model_id);
    ask_directory(s, options); /* last: the session may be live, or closed and gone, after this */
}

static void tell_closed(const struct session *s)
{
    const struct session_message m = message_about(s, MESSAGE_CLOSED);

    hub_tell_directory(hub_worker_of(s), &m);
}

/* The directory passes method calls on while the session is callable. */
static void set_callable(struct session *s, bool callable)
{
    struct session_message m = message_about(s, MESSAGE_ONLINE);

    if (callable == s->is_callable)
        return;
    s->is_callable = callable;
    m.flag = callable;
    hub_tell_directory(hub_worker_of(s), &m);
}

static void tell_open(struct session *s, void *context)
{
    (void)context;
    if (s->state == SESSION_LIVE)
        s->on_open(s, ST_OK);
}

/* What has passed over the sessions while this one was opening. */
static enum status after_all(const struct session *s)
{
    if (atomic_load(&s->hub->draining))
        return ST_UNAVAILABLE;
    return session_trust_holds(s) ? ST_OK : ST_UNAUTHORIZED;
}

void session_opened(struct session *s, enum status status)
{
    if (s->state != SESSION_OPENING)
        return;
    if (status == ST_OK) {
        status = after_all(s);
        if (status != ST_OK)
            tell_closed(s);
    }
    if (status != ST_OK) {
        give_up(s, status);
        return;
    }
    set_state(s, SESSION_LIVE);
    metric_add(METRIC_SESSIONS, 1);
    tell_event(s, HUB_EVENT_CONNECTED);
    session_hold(s);
    set_callable(s, s->subscriptions & SUB_METHODS);
    if (s->state == SESSION_LIVE && (s->subscriptions & SUB_TWIN_DESIRED))
        twin_session_start(s, tell_open, NULL);
    else
        tell_open(s, NULL);
    session_unhold(s);
}

/* --- closing -------------------------------------------------------------------------------- */

void session_end(struct session *s, enum session_end why)
{
    if (s->state != SESSION_LIVE || s->is_ending)
        return;
    s->is_ending = true;
    LOG_DEBUG("session_end", LOG_TEXT("device", s->device_id), LOG_INT("why", why));
    s->ops->close(s, why);
}

/* Only now may the identity's next session open: what this one sent is durable or dropped. */
static void finish(struct session *s)
{
    session_table_remove(&hub_worker_of(s)->sessions, s);
    tell_closed(s);
    free(s->memory);
    s->memory = NULL;
    set_state(s, SESSION_CLOSED);
    s->ops->released(s);
}

void session_settled(struct session *s)
{
    if (s->state == SESSION_CLOSING && s->waiter.pending == 0 && s->holds == 0)
        finish(s);
}

void session_hold(struct session *s)
{
    s->holds++;
}

void session_unhold(struct session *s)
{
    assert(s->holds > 0);
    s->holds--;
    session_settled(s);
}

void session_close(struct session *s)
{
    if (s->state == SESSION_CLOSED) {
        s->ops->released(s);
        return;
    }
    session_hold(s);
    if (s->state == SESSION_LIVE) {
        metric_add(METRIC_SESSIONS, -1);
        activity_note(hub_worker_of(s), s);
        tell_event(s, HUB_EVENT_DISCONNECTED);
    }
    set_state(s, SESSION_CLOSING);
    expiry_stop(s);
    session_trust_end(s);
    method_session_close(s);
    twin_session_close(s);
    c2d_session_close(s);
    session_unhold(s);
}

/* --- subscribing ---------------------------------------------------------------------------- */

struct subscribing {
    void (*on_ready)(struct session *s, void *context);
    void *context;
    struct session *session; /* while it is kept for a callback */
};

/* The acknowledgement goes out before what was subscribed to. */
static void ready(struct session *s, const struct subscribing *how)
{
    if (s->state != SESSION_LIVE)
        return;
    session_hold(s);
    how->on_ready(s, how->context);
    if (s->state == SESSION_LIVE && (s->subscriptions & SUB_C2D))
        c2d_session_start(s);
    session_unhold(s);
}

static void on_desired_started(struct session *s, void *context)
{
    struct subscribing how = *(struct subscribing *)context;

    free(context);
    ready(s, &how);
}

static void start_desired(struct session *s, const struct subscribing *how)
{
    struct subscribing *kept = malloc(sizeof *kept);

    if (!kept) {
        session_end(s, SESSION_END_REVOKED); /* better no session than one that misses changes */
        return;
    }
    *kept = *how;
    twin_session_start(s, on_desired_started, kept);
}

static void proceed(struct session *s, const struct subscribing *how)
{
    if (s->state == SESSION_LIVE && (s->subscriptions & SUB_TWIN_DESIRED))
        start_desired(s, how);
    else
        ready(s, how);
}

static void on_saved(void *context, enum status status, struct unit *unit)
{
    struct subscribing how = *(struct subscribing *)context;
    struct session *s = how.session;

    (void)unit;
    free(context);
    if (status == ST_OK)
        proceed(s, &how);
    else
        session_end(s, SESSION_END_REVOKED); /* unacknowledged: the client subscribes again */
    session_unhold(s);
}

/* What is acknowledged outlives the connection, so it is stored first. */
static void save(struct session *s, const struct subscribing *how, slice method_filters)
{
    struct subscribing *kept = malloc(sizeof *kept);

    if (kept) {
        *kept = *how;
        kept->session = s;
        session_hold(s);
        if (device_save_subscriptions(s->hub->identity, s->hub_name->name, s->device_id,
                                      s->module_id, s->subscriptions, method_filters, on_saved,
                                      kept))
            return;
        free(kept);
        session_unhold(s);
    }
    session_end(s, SESSION_END_REVOKED);
}

void session_subscribe(struct session *s, unsigned subscriptions, slice method_filters,
                       bool persist, void (*on_ready)(struct session *s, void *context),
                       void *context)
{
    const struct subscribing how = {on_ready, context, NULL};

    if (s->state != SESSION_LIVE)
        return;
    s->subscriptions = subscriptions;
    s->last_activity_ms = worker_now_ms(s->worker);
    session_hold(s);
    set_callable(s, method_session_subscribe(s, subscriptions & SUB_METHODS, method_filters) &&
                        (subscriptions & SUB_METHODS));
    if (!(subscriptions & SUB_C2D))
        c2d_session_stop(s);
    if (!(subscriptions & SUB_TWIN_DESIRED))
        twin_session_stop(s);
    if (persist && s->state == SESSION_LIVE)
        save(s, &how, method_filters);
    else
        proceed(s, &how);
    session_unhold(s);
}
