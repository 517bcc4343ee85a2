/* Direct methods. A call goes from the caller's worker by way of the directory to the worker of
 * the session, and its answer straight back:
 *
 *     caller --CALL--> directory --INVOKE--> session --rid--> device
 *       ^  ^<-----------INVOKED----------------'|
 *       '---------------ANSWER------------------'
 *
 * The caller's worker keeps the time: until INVOKED for the device to be there, from then on for
 * its answer. What comes too late finds no request, or no open call, and is dropped. */
#include "hub/method.h"

#include <stdlib.h>

#include "base/metrics.h"
#include "codec/json.h"
#include "hub/hub_internal.h"

#define RESPONSE_MIN_S 5
#define CONNECT_MAX_S 300
#define PAYLOAD_ARENA_MAX (16 * 1024 * 1024)
#define RID_MAX 17

/* --- the session's side --------------------------------------------------------------------- */

struct open_call {
    struct open_call *next;
    uint64_t rid, token;
};

struct session_methods {
    struct open_call *calls;
    size_t call_count;
    uint64_t last_rid;
    bool is_subscribed;
    size_t filters_len;
    char *filters; /* names joined by '\n'; empty: all */
};

static void trim(struct session *s)
{
    if (!s->methods || s->methods->is_subscribed || s->methods->calls)
        return;
    free(s->methods->filters);
    free(s->methods);
    s->methods = NULL;
}

static bool set_filters(struct session_methods *m, slice filters)
{
    char *copy = filters.len ? malloc(filters.len) : NULL;

    if (filters.len && !copy)
        return false;
    if (filters.len)
        memcpy(copy, filters.ptr, filters.len);
    free(m->filters);
    m->filters = copy;
    m->filters_len = filters.len;
    return true;
}

bool method_session_subscribe(struct session *s, bool subscribed, slice filters)
{
    bool done = true;

    if (subscribed && !s->methods) {
        s->methods = calloc(1, sizeof *s->methods);
        done = s->methods != NULL;
    }
    if (!s->methods)
        return done;
    done = !subscribed || set_filters(s->methods, filters);
    s->methods->is_subscribed = subscribed && done;
    trim(s);
    return done;
}

static bool answers_to(const struct session *s, slice name)
{
    slice rest;

    if (!s || s->state != SESSION_LIVE || !s->methods || !s->methods->is_subscribed)
        return false;
    if (s->methods->filters_len == 0)
        return true;
    for (rest = slice_of(s->methods->filters, s->methods->filters_len); rest.ptr;) {
        if (slice_equal(slice_split(&rest, '\n'), name))
            return true;
    }
    return false;
}

static void tell_answer(struct hub_worker *w, uint64_t token, enum status status,
                        int64_t method_status, slice payload)
{
    const struct session_message m = {
        .kind = MESSAGE_ANSWER,
        .token = token,
        .status = status,
        .number = method_status,
        .text = payload,
    };

    hub_tell_asker(w, &m);
}

static slice rid_write(uint64_t rid, char to[RID_MAX])
{
    static const char digits[] = "0123456789abcdef";
    char *at = to + RID_MAX;

    do {
        *--at = digits[rid & 15];
        rid >>= 4;
    } while (rid);
    return slice_of(at, (size_t)(to + RID_MAX - at));
}

static struct open_call *open_call(struct session_methods *m, uint64_t token)
{
    struct open_call *c = m->call_count < METHOD_CALLS_PER_DEVICE ? malloc(sizeof *c) : NULL;

    if (!c)
        return NULL;
    *c = (struct open_call){.next = m->calls, .rid = ++m->last_rid, .token = token};
    m->calls = c;
    m->call_count++;
    return c;
}

void method_session_invoke(struct hub_worker *w, const struct session_message *m)
{
    struct session *s = session_table_find(&w->sessions, m->serial);
    struct session_message invoked = {.kind = MESSAGE_INVOKED, .serial = m->serial};
    struct open_call *c;
    char text[RID_MAX];
    slice rid;

    if (!answers_to(s, m->name)) {
        tell_answer(w, m->token, ST_NOT_ONLINE, 0, (slice){0});
        return;
    }
    c = open_call(s->methods, m->token);
    if (!c) {
        tell_answer(w, m->token, ST_THROTTLED, 0, (slice){0});
        return;
    }
    rid = rid_write(c->rid, text);
    invoked.token = m->token;
    hub_tell_asker(w, &invoked);
    s->last_activity_ms = worker_now_ms(s->worker);
    s->ops->invoke_method(s, rid, m->name, m->text.len ? m->text : SLICE("null"));
}

/* Takes an open call out of the session's; 0 when there is none of that rid or token. */
static uint64_t take_call(struct session *s, uint64_t rid, uint64_t token)
{
    struct open_call **at = s->methods ? &s->methods->calls : NULL, *c;
    uint64_t found;

    while (at && *at && (*at)->rid != rid && (*at)->token != token)
        at = &(*at)->next;
    if (!at || !*at)
        return 0;
    c = *at;
    found = c->token;
    *at = c->next;
    free(c);
    s->methods->call_count--;
    trim(s);
    return found;
}

void method_session_cancel(struct hub_worker *w, const struct session_message *m)
{
    struct session *s = session_table_find(&w->sessions, m->serial);

    if (s)
        take_call(s, 0, m->token);
}

void method_session_close(struct session *s)
{
    struct open_call *calls;

    if (!s->methods)
        return;
    calls = s->methods->calls;
    s->methods->calls = NULL;
    s->methods->is_subscribed = false;
    trim(s);
    while (calls) {
        struct open_call *next = calls->next;

        tell_answer(hub_worker_of(s), calls->token, ST_TIMEOUT, 0, (slice){0});
        free(calls);
        calls = next;
    }
}

static bool rid_read(slice rid, uint64_t *ret)
{
    uint64_t value = 0;

    if (rid.len == 0 || rid.len > 16)
        return false;
    for (size_t i = 0; i < rid.len; i++) {
        uint8_t c = rid.ptr[i];

        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
            return false;
        value = value << 4 | (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    *ret = value;
    return value != 0;
}

static enum status check_answer(struct hub_worker *w, slice payload)
{
    struct json *value;
    struct fault why;

    if (payload.len > METHOD_PAYLOAD_MAX)
        return ST_BAD_ANSWER;
    arena_reset(&w->scratch);
    return json_parse(payload, JSON_LAST_WINS, &w->scratch, &value, &why) == ST_OK ? ST_OK
                                                                                   : ST_BAD_ANSWER;
}

void method_respond(struct session *s, slice rid, int64_t status, slice payload)
{
    struct hub_worker *w = hub_worker_of(s);
    slice answer = payload.len ? payload : SLICE("null");
    enum status checked;
    uint64_t number, token;

    if (s->state != SESSION_LIVE || !rid_read(rid, &number))
        return;
    token = take_call(s, number, 0);
    if (!token)
        return;
    s->last_activity_ms = worker_now_ms(s->worker);
    checked = check_answer(w, answer);
    tell_answer(w, token, checked, status, checked == ST_OK ? answer : (slice){0});
}

/* --- the caller's side ---------------------------------------------------------------------- */

struct method_call {
    struct hub_request request;
    struct hub *hub;
    struct method_request asked; /* in `arena` */
    uint64_t serial;             /* of the session that was asked; 0: none yet */
    method_fn *on_answer;
    void *context;
    struct arena arena; /* it lies in it */
};

static void end_call(struct method_call *c, enum status status, int64_t method_status,
                     slice payload, const char *cause)
{
    struct fault why = {0};
    struct arena arena;

    atomic_fetch_sub(&c->hub->open_calls, 1);
    if (status != ST_OK)
        fault_set(&why, status, "%s", cause);
    c->on_answer(c->context, status, method_status, payload, &why);
    arena = c->arena;
    arena_deinit(&arena);
}

static void drop_call(struct hub_request *r)
{
    struct arena arena = ((struct method_call *)r)->arena;

    arena_deinit(&arena);
}

static const char *cause_of(enum status status)
{
    switch (status) {
    case ST_NOT_ONLINE:
        return "the device is not online for methods";
    case ST_THROTTLED:
        return "too many open calls to the device";
    case ST_BAD_ANSWER:
        return "the device's answer is no JSON, or too large";
    default:
        return "the device did not answer";
    }
}

static void cancel(const struct method_call *c)
{
    const struct session_message m = {
        .kind = MESSAGE_CANCEL,
        .serial = c->serial,
        .token = c->request.token,
    };

    if (c->serial)
        hub_tell_session(c->request.w, &m);
}

static void on_call_message(struct hub_request *r, const struct session_message *m)
{
    struct method_call *c = (struct method_call *)r;

    if (m && m->kind == MESSAGE_INVOKED) {
        c->serial = m->serial;
        timer_arm(r->w->worker, &r->timer, c->asked.response_timeout_s * 1000, r->timer.run);
        return;
    }
    request_end(r);
    if (!m) {
        cancel(c);
        end_call(c, ST_TIMEOUT, 0, (slice){0}, cause_of(ST_TIMEOUT));
    } else {
        end_call(c, m->status, m->number, m->text, cause_of(m->status));
    }
}

static void call_directory(struct method_call *c)
{
    const struct method_request *asked = &c->asked;
    struct hub_worker *w = hub_here(c->hub);
    struct session_message m = {
        .kind = MESSAGE_CALL,
        .hub = asked->hub_name,
        .device_id = asked->device_id,
        .module_id = asked->module_id,
        .name = asked->name,
        .text = asked->payload,
        .number = asked->connect_timeout_s * 1000,
    };

    c->request.on_message = on_call_message;
    c->request.drop = drop_call;
    request_start(w, &c->request, (asked->connect_timeout_s + asked->response_timeout_s) * 1000);
    m.token = c->request.token;
    hub_tell_directory(w, &m);
}

static void on_device(void *context, enum status status, const struct device *d)
{
    struct method_call *c = context;

    (void)d;
    if (status == ST_OK)
        call_directory(c);
    else
        end_call(c, status, 0, (slice){0}, "no such identity");
}

static enum status check_request(const struct hub *hub, const struct method_request *r,
                                 struct fault *why)
{
    if (!method_name_valid(r->name))
        return fault_set(why, ST_BAD_REQUEST, "not a method name: '%.*s'", SLICE_FMT(r->name));
    if (r->response_timeout_s < RESPONSE_MIN_S ||
        r->response_timeout_s > hub->options.method_timeout_max_s)
        return fault_set(why, ST_BAD_REQUEST, "response time-out must be %d to %lld seconds",
                         RESPONSE_MIN_S, (long long)hub->options.method_timeout_max_s);
    if (r->connect_timeout_s < 0 || r->connect_timeout_s > CONNECT_MAX_S)
        return fault_set(why, ST_BAD_REQUEST, "connect time-out must be 0 to %d seconds",
                         CONNECT_MAX_S);
    if (r->payload.len > METHOD_PAYLOAD_MAX)
        return fault_set(why, ST_TOO_LARGE, "method payload of %zu bytes", r->payload.len);
    return ST_OK;
}

static struct method_call *call_create(struct hub *hub, const struct method_request *r)
{
    struct arena arena;
    struct method_call *c;

    arena_init(&arena, METHOD_PAYLOAD_MAX * 2);
    c = arena_alloc(&arena, sizeof *c);
    if (!c)
        return NULL;
    c->hub = hub;
    c->asked = *r;
    c->asked.hub_name = arena_copy(&arena, r->hub_name);
    c->asked.device_id = arena_copy(&arena, r->device_id);
    c->asked.module_id = arena_copy(&arena, r->module_id);
    c->asked.name = arena_copy(&arena, r->name);
    c->asked.payload = arena_copy(&arena, r->payload);
    c->arena = arena;
    if (!arena.failed)
        return c;
    arena_deinit(&arena);
    return NULL;
}

static bool take_place(struct hub *hub)
{
    if (atomic_fetch_add(&hub->open_calls, 1) < METHOD_CALLS_MAX)
        return true;
    atomic_fetch_sub(&hub->open_calls, 1);
    return false;
}

void method_invoke(struct hub *hub, const struct method_request *request, method_fn *on_answer,
                   void *context)
{
    struct method_call *c;
    struct fault why;
    enum status status = check_request(hub, request, &why);

    if (status == ST_OK && !take_place(hub))
        status = fault_set(&why, ST_THROTTLED, "%d calls are open", METHOD_CALLS_MAX);
    if (status != ST_OK) {
        on_answer(context, status, 0, (slice){0}, &why);
        return;
    }
    c = call_create(hub, request);
    if (!c) {
        atomic_fetch_sub(&hub->open_calls, 1);
        fault_set(&why, ST_NO_MEMORY, "no memory for a method call");
        on_answer(context, ST_NO_MEMORY, 0, (slice){0}, &why);
        return;
    }
    metric_add(METRIC_METHODS, 1);
    c->on_answer = on_answer;
    c->context = context;
    device_get(hub->identity, c->asked.hub_name, c->asked.device_id, c->asked.module_id, on_device,
               c);
}
