#include "net/test_support.h"

enum { TIMERS = 200 };

struct bench;

struct test_timer {
    struct timer timer;
    struct bench *bench;
    int64_t armed_ms, delay_ms, fired_ms;
};

/* A worker with timers, and a count of those that have fired. */
struct bench {
    struct workers *workers;
    struct worker *worker;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int fired;
    bool wheel_runs, far_is_armed;
    struct test_timer timers[TIMERS];
};

static void bench_init(struct bench *b)
{
    struct fault why = {0};

    *b = (struct bench){.workers = workers_create(1)};
    pthread_mutex_init(&b->lock, NULL);
    pthread_cond_init(&b->changed, NULL);
    assert_non_null(b->workers);
    b->worker = workers_at(b->workers, 0);
    if (!workers_start(b->workers, &why))
        fail_msg("%s", why.text);
    for (int i = 0; i < TIMERS; i++)
        b->timers[i].bench = b;
}

static void wait_fired(struct bench *b, int least)
{
    pthread_mutex_lock(&b->lock);
    while (b->fired < least)
        pthread_cond_wait(&b->changed, &b->lock);
    pthread_mutex_unlock(&b->lock);
}

static void count_fired(struct bench *b)
{
    pthread_mutex_lock(&b->lock);
    b->fired++;
    pthread_cond_broadcast(&b->changed);
    pthread_mutex_unlock(&b->lock);
}

static void on_fire(struct timer *timer)
{
    struct test_timer *t = (struct test_timer *)timer;

    t->fired_ms = clock_mono_ms();
    count_fired(t->bench);
}

static void arm(struct test_timer *t, int64_t delay_ms)
{
    t->armed_ms = clock_mono_ms();
    t->delay_ms = delay_ms;
    timer_arm(t->bench->worker, &t->timer, delay_ms, on_fire);
}

static void arm_all(void *context)
{
    struct bench *b = context;

    for (int i = 0; i < TIMERS; i++)
        arm(&b->timers[i], (i * 37) % 400);
}

static void timers_fire_not_early_and_soon_after(void **state)
{
    struct bench b;

    (void)state;
    bench_init(&b);
    worker_call(b.worker, arm_all, &b);
    wait_fired(&b, TIMERS);
    for (int i = 0; i < TIMERS; i++) {
        int64_t took = b.timers[i].fired_ms - b.timers[i].armed_ms;

        assert_true(took >= b.timers[i].delay_ms);
        if (took > b.timers[i].delay_ms + 400) /* 100, and patience with a busy machine */
            fail_msg("%d ms took %d ms", (int)b.timers[i].delay_ms, (int)took);
        assert_false(timer_is_armed(&b.timers[i].timer));
    }
    workers_destroy(b.workers);
}

static void arm_and_cancel(void *context)
{
    struct bench *b = context;

    for (int i = 0; i < 10; i++)
        arm(&b->timers[i], 50);
    for (int i = 0; i < 10; i += 2)
        timer_cancel(&b->timers[i].timer);
    timer_cancel(&b->timers[0].timer); /* twice, and one that never was armed */
    timer_cancel(&b->timers[11].timer);
    arm(&b->timers[1], 300); /* again, later */
}

static void cancelled_timers_do_not_fire(void **state)
{
    struct bench b;

    (void)state;
    bench_init(&b);
    worker_call(b.worker, arm_and_cancel, &b);
    wait_fired(&b, 5);
    workers_stop(b.workers);
    assert_int_equal(b.fired, 5);
    for (int i = 0; i < 10; i++)
        assert_int_equal(b.timers[i].fired_ms != 0, i % 2);
    assert_true(b.timers[1].fired_ms - b.timers[1].armed_ms >= 300);
    workers_destroy(b.workers);
}

static void fire_and_rearm(struct timer *timer)
{
    struct test_timer *t = (struct test_timer *)timer;

    if (t->bench->fired < 3)
        timer_arm(t->bench->worker, timer, 0, fire_and_rearm);
    timer_cancel(&t->bench->timers[1].timer); /* another, due in the same tick */
    count_fired(t->bench);
}

struct freed_timer {
    struct timer timer;
    struct bench *bench;
};

static void fire_and_free(struct timer *timer)
{
    struct freed_timer *t = (struct freed_timer *)timer;

    count_fired(t->bench);
    free(t);
}

static void arm_meddlers(void *context)
{
    struct bench *b = context;
    struct freed_timer *freed = calloc(1, sizeof *freed);

    freed->bench = b;
    timer_arm(b->worker, &freed->timer, 1, fire_and_free);
    arm(&b->timers[1], 1);
    timer_arm(b->worker, &b->timers[0].timer, 1, fire_and_rearm); /* runs first: newest */
}

static void a_timer_may_rearm_cancel_and_free_inside_run(void **state)
{
    struct bench b;

    (void)state;
    bench_init(&b);
    worker_call(b.worker, arm_meddlers, &b);
    wait_fired(&b, 4);
    workers_stop(b.workers);
    assert_int_equal(b.fired, 4); /* the first three times, the freed one once */
    assert_int_equal(b.timers[1].fired_ms, 0);
    workers_destroy(b.workers);
}

static void arm_far_and_turn_the_wheel(void *context)
{
    struct bench *b = context;

    arm(&b->timers[0], 3600 * 1000);
    arm(&b->timers[1], 100);
    b->worker->wheel.tick -= WHEEL_SLOTS; /* the next tick goes through a whole revolution */
}

static void look_at_far(void *context)
{
    struct bench *b = context;

    b->far_is_armed = timer_is_armed(&b->timers[0].timer);
}

static void a_timer_of_a_later_revolution_is_passed_over(void **state)
{
    struct bench b;

    (void)state;
    bench_init(&b);
    worker_call(b.worker, arm_far_and_turn_the_wheel, &b);
    wait_fired(&b, 1);
    worker_call(b.worker, look_at_far, &b);
    workers_stop(b.workers);
    assert_int_equal(b.fired, 1);
    assert_true(b.far_is_armed);
    assert_true(b.timers[1].fired_ms - b.timers[1].armed_ms >= 100);
    workers_destroy(b.workers);
}

static void look_at_wheel(void *context)
{
    struct bench *b = context;

    b->wheel_runs = b->worker->wheel.running;
}

/* Asks after 20 ms. */
static bool wheel_runs(struct bench *b)
{
    struct timespec briefly = {.tv_nsec = 20000000};

    nanosleep(&briefly, NULL);
    worker_call(b->worker, look_at_wheel, b);
    return b->wheel_runs;
}

static void an_empty_wheel_stands_still_and_starts_again(void **state)
{
    struct bench b;

    (void)state;
    bench_init(&b);
    worker_call(b.worker, arm_meddlers, &b);
    wait_fired(&b, 4);
    for (int64_t until = clock_mono_ms() + PATIENCE_MS; wheel_runs(&b);)
        assert_true(clock_mono_ms() < until);
    b.fired = 0;
    worker_call(b.worker, arm_all, &b);
    wait_fired(&b, TIMERS);
    workers_destroy(b.workers);
}

/* Nobody is told that a neighbour on the wheel is gone. */
static void after_the_stop_owners_go_in_any_order(void **state)
{
    struct workers *ws = workers_create(1);
    struct timer *timers[8];
    struct fault why;

    (void)state;
    assert_non_null(ws);
    for (size_t i = 0; i < COUNT_OF(timers); i++) {
        timers[i] = calloc(1, sizeof *timers[i]);
        assert_non_null(timers[i]);
        timer_arm(workers_at(ws, 0), timers[i], 3600 * 1000, NULL);
    }
    assert_true(workers_start(ws, &why));
    workers_stop(ws);
    for (size_t i = 0; i < COUNT_OF(timers); i++) {
        assert_null(timers[i]->link);
        timer_cancel(timers[i]);
        free(timers[i]);
    }
    workers_destroy(ws);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timers_fire_not_early_and_soon_after),
        cmocka_unit_test(cancelled_timers_do_not_fire),
        cmocka_unit_test(a_timer_may_rearm_cancel_and_free_inside_run),
        cmocka_unit_test(a_timer_of_a_later_revolution_is_passed_over),
        cmocka_unit_test(an_empty_wheel_stands_still_and_starts_again),
        cmocka_unit_test(after_the_stop_owners_go_in_any_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
