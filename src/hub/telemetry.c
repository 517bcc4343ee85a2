#include "hub/telemetry.h"

#include "base/metrics.h"
#include "hub/d2c_record.h"
#include "hub/hub_internal.h"

#define BAG_MAX 65536
#define BAG_ARENA_MAX (1024 * 1024)

/* --- what must be refused ------------------------------------------------------------------- */

/* Whether there may be more properties than allowed: each but the first stands behind an '&'. */
static bool may_hold_too_many(slice bag)
{
    size_t separators = 0;

    if (bag.len <= PROPERTIES_MAX)
        return false;
    for (slice rest = bag; rest.len > 0;) {
        const uint8_t *found = memchr(rest.ptr, '&', rest.len);

        if (!found)
            break;
        separators++;
        rest = slice_from(rest, (size_t)(found - rest.ptr) + 1);
    }
    return separators >= PROPERTIES_MAX;
}

/* Only for what the cheap bounds cannot tell. */
static enum status check_bag(const struct telemetry *t, struct fault *why)
{
    ARENA_CLEANUP struct arena arena = {.max = BAG_ARENA_MAX};
    struct property_bag bag;
    enum status status = property_bag_parse(t->bag, &arena, &bag, why);

    if (status != ST_OK)
        return status;
    if (property_bag_counted(&bag) + t->body.len > D2C_MESSAGE_MAX)
        return fault_set(why, ST_TOO_LARGE, "message of %zu bytes and %zu of properties",
                         t->body.len, property_bag_counted(&bag));
    return ST_OK;
}

static enum status check(const struct telemetry *t, struct fault *why)
{
    if (t->bag.len > BAG_MAX)
        return fault_set(why, ST_BAD_REQUEST, "property bag of %zu bytes", t->bag.len);
    if (t->body.len > D2C_MESSAGE_MAX)
        return fault_set(why, ST_TOO_LARGE, "message of %zu bytes", t->body.len);
    if (t->bag.len + t->body.len > D2C_MESSAGE_MAX || may_hold_too_many(t->bag))
        return check_bag(t, why);
    return ST_OK;
}

/* --- sending -------------------------------------------------------------------------------- */

static void start_sample(struct hub_worker *w, const struct session *s, uint32_t token)
{
    if (w->sample.waiter)
        return;
    w->sample = (struct ack_sample){&s->waiter, token, clock_mono_us()};
}

static void end_sample(struct hub_worker *w, const struct log_waiter *waiter, uint32_t token)
{
    if (w->sample.waiter != waiter || w->sample.token != token)
        return;
    metric_observe(METRIC_ACK_LATENCY_US, (uint64_t)(clock_mono_us() - w->sample.started_us));
    w->sample.waiter = NULL;
}

static unsigned flags_of(const struct telemetry *t)
{
    return (t->retain ? D2C_FLAG_RETAIN : 0u) | (t->dup ? D2C_FLAG_DUP : 0u) |
           (t->will ? D2C_FLAG_WILL : 0u);
}

enum status telemetry_send(struct session *s, const struct telemetry *t, uint32_t token,
                           struct fault *why)
{
    struct hub_worker *w = hub_worker_of(s);
    uint8_t head[D2C_RECORD_HEAD];
    enum status status = check(t, why);

    if (status != ST_OK)
        return status;
    if (s->state != SESSION_LIVE)
        return fault_set(why, ST_UNAVAILABLE, "the session is not live");
    d2c_head_write(flags_of(t), s->stamp.len, t->bag.len, head);
    const slice parts[] = {{head, sizeof head}, s->stamp, t->bag, t->body};
    if (!log_append(s->hub->log, s->partition, clock_wall_ms(), parts, COUNT_OF(parts), &s->waiter,
                    token))
        return store_is_full(s->hub->store) ? fault_set(why, ST_NO_SPACE, "the disk is nearly full")
                                            : fault_set(why, ST_UNAVAILABLE, "the log has no room");
    s->last_activity_ms = worker_now_ms(s->worker);
    metric_add(METRIC_D2C_BYTES, (int64_t)(t->bag.len + t->body.len));
    start_sample(w, s, token);
    return ST_OK;
}

static struct session *session_of(struct log_waiter *waiter)
{
    return (struct session *)((char *)waiter - offsetof(struct session, waiter));
}

void telemetry_on_done(struct log_waiter *waiter, uint32_t token, enum status status)
{
    struct session *s = session_of(waiter);

    end_sample(hub_worker_of(s), waiter, token);
    if (status == ST_OK)
        metric_add(METRIC_D2C_MESSAGES, 1);
    if (s->state != SESSION_LIVE) {
        session_settled(s);
        return;
    }
    session_hold(s);
    s->ops->telemetry_done(s, token, status);
    session_unhold(s);
}

void telemetry_marker(struct session *s, uint32_t token)
{
    if (s->state != SESSION_LIVE)
        return;
    if (s->waiter.pending > 0 && log_append_marker(s->hub->log, s->partition, &s->waiter, token))
        return;
    s->ops->telemetry_done(s, token, ST_OK);
}

bool telemetry_pending(const struct session *s)
{
    return s->waiter.pending > 0;
}
