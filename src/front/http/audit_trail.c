/* What the audit log is told of requests: every change, every look at keys, and refusals. The name
 * of the act comes from the route, so a new route is told of without a word. */
#include "front/http/exchange.h"
#include "identity/access/audit.h"

#define ACTION_MAX 256
#define TARGET_MAX 1024

static bool looks(const struct http_route *route)
{
    return route->method == HTTP_GET || route->method == HTTP_HEAD;
}

/* It needs a body, and tells no keys. */
static bool is_question(const struct http_route *route)
{
    return strcmp(route->pattern, "explain") == 0;
}

/* A look that wants more than the permission to read is one at keys with which one may change. */
static bool shows_keys(const struct http_route *route)
{
    return route->permission == PERM_CONNECTIVITY_READ_INSTANCE ||
           route->permission == PERM_CONNECTIVITY_READ_GLOBAL ||
           (looks(route) && route->permission == PERM_CONNECTIVITY_MANAGE_GLOBAL);
}

static bool is_told(const struct http_route *route)
{
    return looks(route) ? shows_keys(route) : !is_question(route);
}

/* The last of the disk is for those who take rights away, not for what is done to devices every
 * day. */
static enum unit_urgency urgency_of(const struct http_route *route)
{
    return shows_keys(route) || route->permission == PERM_DEVICES_COMMAND ||
                   route->permission == PERM_DEVICES_UPDATE
               ? UNIT_ORDINARY
               : UNIT_URGENT;
}

static const char *verb_of(enum http_method method)
{
    switch (method) {
    case HTTP_POST:
        return "create";
    case HTTP_PUT:
        return "put";
    case HTTP_PATCH:
        return "update";
    case HTTP_DELETE:
        return "delete";
    default:
        return "read";
    }
}

/* POST devices/{}/block -> devices.block, GET devices/{}/credentials -> devices.credentials.read */
static void write_action(const struct http_route *route, struct buf *to)
{
    bool is_act = false; /* what a POST ends with, behind an ID, is the act itself */

    for (slice rest = slice_str(route->pattern); rest.ptr;) {
        slice word = slice_split(&rest, '/');

        is_act = route->method == HTTP_POST && to->len > 0 && !slice_equal(word, SLICE("{}"));
        if (slice_equal(word, SLICE("{}")))
            continue;
        if (to->len > 0)
            buf_append_byte(to, '.');
        buf_append(to, word);
    }
    if (!is_act)
        buf_printf(to, ".%s", verb_of(route->method));
}

static void write_target(const struct exchange *x, struct buf *to)
{
    size_t bound = 0;

    for (slice rest = slice_str(x->route->pattern); rest.ptr && bound < ROUTE_BOUND_MAX;) {
        if (!slice_equal(slice_split(&rest, '/'), SLICE("{}")))
            continue;
        if (bound > 0)
            buf_append_byte(to, '/');
        buf_append(to, x->bound[bound++]);
    }
}

struct telling {
    const char *result;
    bool is_denial;
    enum unit_urgency urgency;
    audit_noted_fn *on_told;
    void *context;
};

static void tell(struct exchange *x, const struct telling *t)
{
    BUF_CLEANUP struct buf action = {.max = ACTION_MAX}, target = {.max = TARGET_MAX};
    struct identity *id = x->front->options.identity;

    x->is_audited = true;
    write_action(x->route, &action);
    write_target(x, &target);
    const struct audit_entry e = {
        .actor = slice_str(x->principal.name),
        .source = exchange_peer(x),
        .action = buf_slice(&action),
        .target = buf_slice(&target),
        .result = slice_str(t->result),
        .request_id = exchange_id(x),
    };
    if (t->is_denial)
        audit_note_denial(id, &e);
    else
        audit_note(id, &e, t->urgency, t->on_told, t->context);
}

/* Who is not known has no name, and the log of the server instead. */
static bool is_due(const struct exchange *x)
{
    return x->route && x->principal.name[0] != '\0' && !x->is_audited;
}

void exchange_audit_denial(struct exchange *x)
{
    if (is_due(x))
        tell(x, &(struct telling){.result = "denied", .is_denial = true});
}

void exchange_audit_stream(struct exchange *x)
{
    if (is_due(x) && is_told(x->route))
        tell(x, &(struct telling){.result = "ok"});
}

/* --- an answer waits until it is told --------------------------------------------------------- */

struct held_answer {
    struct exchange *x;
    int http_status;
    slice content_type;
    struct buf body;
    bool only_looks;
};

/* What was changed is changed, and its answer says so; keys that nobody would hear of stay here. */
static void on_told(void *context, enum status status)
{
    struct held_answer *held = context;
    struct exchange *x = held->x;

    x->is_held = false;
    if (status != ST_OK && held->only_looks)
        exchange_answer_error(x, ST_UNAVAILABLE, NULL);
    else
        exchange_answer_as(x, held->http_status, held->content_type, buf_slice(&held->body));
    if (held->body.ptr)
        explicit_bzero(held->body.ptr, held->body.len);
    buf_deinit(&held->body);
    exchange_release(x);
}

/* NULL: no memory. */
static struct held_answer *hold(struct exchange *x, int http_status, slice content_type, slice body)
{
    struct held_answer *held = arena_alloc(&x->arena, sizeof *held);

    if (!held)
        return NULL;
    held->x = x;
    held->http_status = http_status;
    held->content_type = arena_copy(&x->arena, content_type);
    held->only_looks = shows_keys(x->route);
    buf_init(&held->body, ANSWER_MAX);
    buf_append(&held->body, body);
    if (!held->body.failed)
        return held;
    buf_deinit(&held->body);
    return NULL;
}

bool exchange_audit(struct exchange *x, int http_status, slice content_type, slice body)
{
    struct held_answer *held;

    if (!is_due(x) || !is_told(x->route) || (http_status >= 300 && http_status < 500))
        return false;
    held = http_status < 300 ? hold(x, http_status, content_type, body) : NULL;
    if (!held) { /* a failure may have happened all the same */
        tell(x, &(struct telling){.result = http_status < 300 ? "ok" : "failed",
                                  .urgency = urgency_of(x->route)});
        return false;
    }
    exchange_hold(x);
    x->is_held = true;
    tell(x,
         &(struct telling){
             .result = "ok", .urgency = urgency_of(x->route), .on_told = on_told, .context = held});
    return true;
}
