/* Delivery of cloud-to-device messages to a session: from the queue in order, at most
 * C2D_IN_FLIGHT_MAX unsettled at once. What is in flight is known to the session alone; the row
 * stays in the queue until the outcome is durable, so a message outlives any crash. */
#include <stdlib.h>

#include "base/metrics.h"
#include "hub/c2d_store.h"

struct held {
    int64_t sequence;
    unsigned delivery_count;
    bool is_settling; /* its outcome is being written */
};

struct session_c2d {
    bool is_started;
    bool is_reading;
    bool has_more;      /* the queue may hold what was not read yet */
    int64_t read_up_to; /* sequence */
    size_t held_count;
    struct held held[C2D_IN_FLIGHT_MAX];
};

static void pump(struct session *s);

static void trim(struct session *s)
{
    if (!s->c2d || s->c2d->is_started || s->c2d->is_reading || s->c2d->held_count > 0)
        return;
    free(s->c2d);
    s->c2d = NULL;
}

static struct held *find_held(struct session *s, int64_t sequence)
{
    for (size_t i = 0; s->c2d && i < s->c2d->held_count; i++) {
        if (s->c2d->held[i].sequence == sequence)
            return &s->c2d->held[i];
    }
    return NULL;
}

static void drop_held(struct session *s, int64_t sequence)
{
    struct held *h = find_held(s, sequence);

    if (h)
        *h = s->c2d->held[--s->c2d->held_count];
}

/* --- outcomes ------------------------------------------------------------------------------- */

struct settling {
    struct session *session;
    int64_t sequence;
    bool is_success, comes_back;
};

static void on_settled(void *context, enum status status, struct unit *unit)
{
    struct settling *settling = context;
    struct session *s = settling->session;

    (void)unit;
    if (settling->is_success && status == ST_OK)
        metric_add(METRIC_C2D_MESSAGES, 1);
    drop_held(s, settling->sequence);
    if (settling->comes_back && status == ST_OK && s->c2d) {
        s->c2d->has_more = true;
        if (s->c2d->read_up_to >= settling->sequence)
            s->c2d->read_up_to = settling->sequence - 1;
    }
    free(settling);
    pump(s);
    trim(s);
    session_unhold(s);
}

/* A unit that tells this session of its end; NULL: try at the next delivery. */
static struct unit *settle_start(struct session *s, int64_t sequence, struct settling **ret)
{
    struct settling *settling = malloc(sizeof *settling);
    struct unit *unit = settling ? unit_create(s->hub->store) : NULL;

    if (!unit) {
        free(settling);
        return NULL;
    }
    *settling = (struct settling){.session = s, .sequence = sequence};
    *ret = settling;
    return unit;
}

static void settle(struct session *s, int64_t sequence, enum c2d_outcome outcome)
{
    const struct hub_key key = session_key(s);
    struct settling *settling;
    struct unit *unit = settle_start(s, sequence, &settling);

    if (!unit) {
        drop_held(s, sequence);
        return;
    }
    settling->is_success = outcome == C2D_SUCCESS;
    c2d_unit_settle(unit, &key, sequence, outcome, clock_wall_ms());
    session_hold(s);
    unit_submit(unit, on_settled, settling);
}

static void give_back(struct session *s, int64_t sequence)
{
    const struct hub_key key = session_key(s);
    struct settling *settling;
    struct unit *unit = settle_start(s, sequence, &settling);

    if (!unit) {
        drop_held(s, sequence);
        return;
    }
    settling->comes_back = true;
    c2d_unit_abandon(unit, &key, sequence);
    session_hold(s);
    unit_submit(unit, on_settled, settling);
}

static struct held *take_unsettled(struct session *s, int64_t sequence)
{
    struct held *h = s->state == SESSION_LIVE ? find_held(s, sequence) : NULL;

    if (!h || h->is_settling)
        return NULL;
    s->last_activity_ms = worker_now_ms(s->worker);
    h->is_settling = true;
    return h;
}

void c2d_complete(struct session *s, int64_t sequence)
{
    if (take_unsettled(s, sequence))
        settle(s, sequence, C2D_SUCCESS);
}

void c2d_reject(struct session *s, int64_t sequence)
{
    if (take_unsettled(s, sequence))
        settle(s, sequence, C2D_REJECTED);
}

void c2d_abandon(struct session *s, int64_t sequence)
{
    const struct held *h = take_unsettled(s, sequence);

    if (!h)
        return;
    if (h->delivery_count + 1 >= s->hub->options.c2d_max_delivery)
        settle(s, sequence, C2D_DELIVERY_COUNT_EXCEEDED);
    else
        give_back(s, sequence);
}

/* --- delivery ------------------------------------------------------------------------------- */

static bool may_deliver(const struct session *s)
{
    return s->state == SESSION_LIVE && s->c2d && s->c2d->is_started &&
           s->c2d->held_count < C2D_IN_FLIGHT_MAX;
}

static void deliver(struct session *s, const struct c2d_row *row)
{
    const struct c2d_delivery delivery = {
        .sequence = row->sequence,
        .body = row->body,
        .properties = row->properties,
        .enqueued_at = row->enqueued_at,
        .expires_at = row->expires_at,
        .delivery_count = row->delivery_count,
        .again = row->was_delivered,
    };

    s->c2d->held[s->c2d->held_count++] = (struct held){
        .sequence = row->sequence,
        .delivery_count = row->delivery_count,
    };
    s->ops->deliver_c2d(s, &delivery);
}

static void take_row(struct session *s, const struct rows *rows, instant now)
{
    struct c2d_row row;

    c2d_row_read(rows, &row);
    s->c2d->read_up_to = row.sequence;
    if (find_held(s, row.sequence))
        return;
    if (row.expires_at <= now)
        settle(s, row.sequence, C2D_EXPIRED);
    else
        deliver(s, &row);
}

static void on_rows(void *context, enum status status, struct rows *rows)
{
    struct session *s = context;
    instant now = clock_wall_ms();
    bool ended = status != ST_OK;

    while (!ended && may_deliver(s)) {
        if (rows_next(rows))
            take_row(s, rows, now);
        else
            ended = true;
    }
    if (s->c2d) {
        s->c2d->is_reading = false;
        s->c2d->has_more |= !ended;
        pump(s);
        trim(s);
    }
    session_unhold(s);
}

/* Reads on while there may be more and there is a place for it. */
static void pump(struct session *s)
{
    const struct hub_key key = session_key(s);

    if (!may_deliver(s) || s->c2d->is_reading || !s->c2d->has_more)
        return;
    s->c2d->is_reading = true;
    s->c2d->has_more = false;
    session_hold(s);
    c2d_store_read(s->hub, &key, s->c2d->read_up_to, C2D_QUEUE_MAX, on_rows, s);
}

/* --- starting and stopping ------------------------------------------------------------------ */

void c2d_session_start(struct session *s)
{
    if (s->c2d && s->c2d->is_started)
        return;
    if (!s->c2d)
        s->c2d = calloc(1, sizeof *s->c2d);
    if (!s->c2d)
        return;
    s->c2d->is_started = true;
    s->c2d->has_more = true;
    s->c2d->read_up_to = 0;
    pump(s);
}

void c2d_session_stop(struct session *s)
{
    if (!s->c2d)
        return;
    s->c2d->is_started = false;
    trim(s);
}

void c2d_session_told(struct session *s)
{
    if (!s->c2d || !s->c2d->is_started)
        return;
    s->c2d->has_more = true;
    pump(s);
}

static void on_marked(void *context, enum status status, struct unit *unit)
{
    (void)status;
    (void)unit;
    session_unhold(context);
}

/* What the device may have seen goes out marked the next time. The next session of the identity
 * opens only after this is written. */
static void mark_unsettled(struct session *s)
{
    const struct hub_key key = session_key(s);
    struct unit *unit = NULL;

    for (size_t i = 0; i < s->c2d->held_count; i++) {
        if (s->c2d->held[i].is_settling)
            continue;
        if (!unit)
            unit = unit_create(s->hub->store);
        if (!unit)
            return;
        c2d_unit_mark_delivered(unit, &key, s->c2d->held[i].sequence);
    }
    if (!unit)
        return;
    session_hold(s);
    unit_submit(unit, on_marked, s);
}

void c2d_session_close(struct session *s)
{
    if (!s->c2d)
        return;
    mark_unsettled(s);
    free(s->c2d);
    s->c2d = NULL;
}
