/* A hashed wheel: a timer sits in the slot of the tick it is due in, modulo one revolution of
 * 51.2 s; what is due in a later revolution is passed over once in each. Arming and cancelling
 * are a few pointers. The wheel turns only while there are timers. */
#include <stddef.h>

#include "base/clock.h"
#include "net/worker_internal.h"

/* How often, in ticks, the wheel looks whether it is empty: cancelling does not count. */
#define WHEEL_LOOK_TICKS 32

static void link_timer(struct timer **head, struct timer *t)
{
    t->next = *head;
    t->link = head;
    if (t->next)
        t->next->link = &t->next;
    *head = t;
}

void timer_cancel(struct timer *t)
{
    if (!t->link)
        return;
    *t->link = t->next;
    if (t->next)
        t->next->link = t->link;
    t->next = NULL;
    t->link = NULL;
}

static struct timer **slot_of(struct wheel *wheel, int64_t tick)
{
    return &wheel->slots[(uint64_t)tick % WHEEL_SLOTS];
}

/* The list is walked by taking its first, so `run` may arm, cancel or free any timer. */
static void run_slot(struct wheel *wheel, int64_t now_ms)
{
    struct timer **slot = slot_of(wheel, wheel->tick), *t;

    wheel->firing = *slot;
    if (wheel->firing)
        wheel->firing->link = &wheel->firing;
    *slot = NULL;
    while ((t = wheel->firing)) {
        timer_cancel(t);
        if (t->due_ms <= now_ms)
            t->run(t);
        else
            link_timer(slot, t);
    }
}

static bool wheel_is_empty(const struct wheel *wheel)
{
    for (size_t i = 0; i < WHEEL_SLOTS; i++) {
        if (wheel->slots[i])
            return false;
    }
    return true;
}

static void on_tick(evutil_socket_t fd, short what, void *context)
{
    struct worker *w = context;
    struct wheel *wheel = &w->wheel;
    int64_t now_ms = clock_mono_ms(), last = now_ms / WHEEL_TICK_MS;

    (void)fd;
    (void)what;
    worker_now_ms(w);
    if (last - wheel->tick > WHEEL_SLOTS) /* the machine slept: one revolution sees them all */
        wheel->tick = last - WHEEL_SLOTS;
    while (wheel->tick < last) {
        wheel->tick++;
        run_slot(wheel, now_ms);
    }
    if (wheel->tick % WHEEL_LOOK_TICKS == 0 && wheel_is_empty(wheel)) {
        event_del(&wheel->ticking);
        wheel->running = false;
    }
}

void wheel_init(struct worker *w)
{
    event_assign(&w->wheel.ticking, w->base, -1, EV_PERSIST, on_tick, w);
}

void wheel_clear(struct wheel *wheel)
{
    for (size_t i = 0; i < WHEEL_SLOTS; i++) {
        while (wheel->slots[i])
            timer_cancel(wheel->slots[i]);
    }
}

static void wheel_run(struct worker *w)
{
    static const struct timeval period = {.tv_usec = WHEEL_TICK_MS * 1000};

    w->wheel.tick = clock_mono_ms() / WHEEL_TICK_MS;
    w->wheel.running = event_add(&w->wheel.ticking, &period) == 0;
}

void timer_arm(struct worker *w, struct timer *t, int64_t delay_ms, void (*run)(struct timer *))
{
    int64_t tick;

    timer_cancel(t);
    if (!w->wheel.running)
        wheel_run(w);
    t->run = run;
    t->due_ms = clock_mono_ms() + (delay_ms > 0 ? delay_ms : 0);
    tick = (t->due_ms + WHEEL_TICK_MS - 1) / WHEEL_TICK_MS;
    if (tick <= w->wheel.tick)
        tick = w->wheel.tick + 1;
    link_timer(slot_of(&w->wheel, tick), t);
}
