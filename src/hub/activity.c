/* Last activity, written behind. A message costs a session no more than a store of the loop's
 * clock. What is in memory is exact (session_query); what is in the database is written once a
 * minute for a live session that was active, and when it closes. */
#include <stdlib.h>

#include "base/log.h"
#include "hub/hub_internal.h"

#define ACTIVITY_TICK_MS 5000
#define ACTIVITY_ROUND_TICKS 12 /* in which all live sessions are looked at once */
#define ACTIVITY_BATCH 256
#define ACTIVITY_CLOSED_MAX 20000 /* what is over is written no more: it is only a time stamp */

struct activity_entry {
    struct activity_entry *next;
    slice hub, device_id, module_id; /* the IDs lie behind */
    instant at;
    uint8_t ids[];
};

struct batch {
    struct hub_worker *w;
    size_t count;
    struct device_activity list[ACTIVITY_BATCH];
};

instant activity_at(const struct session *s)
{
    return clock_wall_ms() - (clock_mono_ms() - s->last_activity_ms);
}

static void flush(struct batch *b)
{
    if (b->count > 0)
        device_save_activity(b->w->hub->identity, b->list, b->count);
    b->count = 0;
}

static void add(struct batch *b, struct device_activity activity)
{
    b->list[b->count++] = activity;
    if (b->count == ACTIVITY_BATCH)
        flush(b);
}

static void write_closed(struct hub_worker *w, struct batch *b)
{
    struct activity_entry *entries = w->activity.closed;

    for (struct activity_entry *e = entries; e; e = e->next)
        add(b, (struct device_activity){e->hub, e->device_id, e->module_id, e->at});
    flush(b);
    while (entries) {
        struct activity_entry *next = entries->next;

        free(entries);
        entries = next;
    }
    w->activity.closed = NULL;
    w->activity.closed_count = 0;
}

/* The next twelfth of the table. */
static void write_live(struct hub_worker *w, struct batch *b)
{
    const struct session_table *t = &w->sessions;
    int64_t since = worker_now_ms(w->worker) - ACTIVITY_TICK_MS * ACTIVITY_ROUND_TICKS;
    size_t share = t->bucket_count / ACTIVITY_ROUND_TICKS + 1;

    for (size_t i = 0; i < share && t->bucket_count > 0; i++) {
        if (w->activity.next_bucket >= t->bucket_count)
            w->activity.next_bucket = 0;
        for (struct session *s = t->buckets[w->activity.next_bucket++]; s; s = s->next_in_bucket) {
            if (s->state == SESSION_LIVE && s->last_activity_ms >= since)
                add(b, (struct device_activity){s->hub_name->name, s->device_id, s->module_id,
                                                activity_at(s)});
        }
    }
    flush(b);
}

static void on_tick(struct timer *t)
{
    struct hub_activity *activity = (struct hub_activity *)t;
    struct hub_worker *w =
        (struct hub_worker *)((char *)activity - offsetof(struct hub_worker, activity));
    struct batch b;

    b.w = w;
    b.count = 0;
    write_closed(w, &b);
    write_live(w, &b);
    timer_arm(w->worker, t, ACTIVITY_TICK_MS, on_tick);
}

void activity_start(struct hub_worker *w)
{
    timer_arm(w->worker, &w->activity.timer, ACTIVITY_TICK_MS, on_tick);
}

void activity_stop(struct hub_worker *w)
{
    timer_cancel(&w->activity.timer);
    while (w->activity.closed) {
        struct activity_entry *next = w->activity.closed->next;

        free(w->activity.closed);
        w->activity.closed = next;
    }
}

void activity_note(struct hub_worker *w, const struct session *s)
{
    struct activity_entry *e;

    if (w->activity.closed_count >= ACTIVITY_CLOSED_MAX)
        return;
    e = malloc(sizeof *e + s->device_id.len + s->module_id.len);
    if (!e)
        return;
    memcpy(e->ids, s->device_id.ptr, s->device_id.len);
    memcpy(e->ids + s->device_id.len, s->module_id.ptr, s->module_id.len);
    e->hub = s->hub_name->name; /* the hubs live as long as the process */
    e->device_id = slice_of(e->ids, s->device_id.len);
    e->module_id = slice_of(e->ids + s->device_id.len, s->module_id.len);
    e->at = activity_at(s);
    e->next = w->activity.closed;
    w->activity.closed = e;
    w->activity.closed_count++;
}
