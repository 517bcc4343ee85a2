#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <semaphore.h>
#include <stdatomic.h>

#include "identity/sign_in/desk.h"

#define JOBS 12
#define WAITING 4

struct room {
    struct workers *ws;
    struct desk desk;
    sem_t begun, go_on, ended;
    atomic_uint working, most, done, refused, strangers;
};

struct task {
    struct desk_job job; /* first */
    struct room *room;
};

static void on_pool(struct desk_job *job)
{
    struct room *r = ((struct task *)job)->room;
    unsigned now = atomic_fetch_add(&r->working, 1) + 1, most = atomic_load(&r->most);

    while (now > most && !atomic_compare_exchange_weak(&r->most, &most, now))
        ;
    sem_post(&r->begun);
    sem_wait(&r->go_on);
    atomic_fetch_sub(&r->working, 1);
}

static void on_done(struct desk_job *job)
{
    struct room *r = ((struct task *)job)->room;

    if (worker_current() != job->owner)
        atomic_fetch_add(&r->strangers, 1);
    atomic_fetch_add(job->was_refused ? &r->refused : &r->done, 1);
    sem_post(&r->ended);
}

static void submit(void *context)
{
    struct task *t = context;

    t->job.work = on_pool;
    t->job.on_done = on_done;
    desk_submit(&t->room->desk, &t->job);
}

static void open_room(struct room *r, unsigned at_once)
{
    struct fault why;

    *r = (struct room){.ws = workers_create(2)};
    assert_non_null(r->ws);
    desk_init(&r->desk, r->ws, at_once, WAITING);
    sem_init(&r->begun, 0, 0);
    sem_init(&r->go_on, 0, 0);
    sem_init(&r->ended, 0, 0);
    assert_true(workers_start(r->ws, &why));
}

static void close_room(struct room *r)
{
    workers_stop(r->ws);
    workers_destroy(r->ws);
    sem_destroy(&r->begun);
    sem_destroy(&r->go_on);
    sem_destroy(&r->ended);
}

static void so_many_work_so_many_wait_and_the_rest_is_refused(void **state)
{
    static struct task tasks[JOBS];
    struct room r;

    (void)state;
    open_room(&r, 1);
    for (size_t i = 0; i < JOBS; i++) {
        tasks[i] = (struct task){.room = &r};
        worker_call(workers_at(r.ws, (unsigned)i % 2), submit, &tasks[i]);
    }
    sem_wait(&r.begun);
    for (size_t i = 0; i < JOBS - 1 - WAITING; i++)
        sem_wait(&r.ended); /* the refused answer at once */
    assert_int_equal(atomic_load(&r.refused), JOBS - 1 - WAITING);
    for (size_t i = 0; i < 1 + WAITING; i++)
        sem_post(&r.go_on);
    for (size_t i = 0; i < 1 + WAITING; i++)
        sem_wait(&r.ended);
    assert_int_equal(atomic_load(&r.done), 1 + WAITING);
    assert_int_equal(atomic_load(&r.most), 1);
    assert_int_equal(atomic_load(&r.strangers), 0);
    close_room(&r);
}

static void two_work_at_once_where_two_may(void **state)
{
    static struct task tasks[4];
    struct room r;

    (void)state;
    open_room(&r, 2);
    for (size_t i = 0; i < COUNT_OF(tasks); i++) {
        tasks[i] = (struct task){.room = &r};
        worker_call(workers_at(r.ws, (unsigned)i % 2), submit, &tasks[i]);
    }
    sem_wait(&r.begun);
    sem_wait(&r.begun);
    for (size_t i = 0; i < COUNT_OF(tasks); i++)
        sem_post(&r.go_on);
    for (size_t i = 0; i < COUNT_OF(tasks); i++)
        sem_wait(&r.ended);
    assert_int_equal(atomic_load(&r.done), COUNT_OF(tasks));
    assert_int_equal(atomic_load(&r.most), 2);
    close_room(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(so_many_work_so_many_wait_and_the_rest_is_refused),
        cmocka_unit_test(two_work_at_once_where_two_may),
    };

    return cmocka_run_group_tests_name("desk", tests, NULL, NULL);
}
