#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <semaphore.h>
#include <stdlib.h>

#include "bus/bus.h"

#define MESSAGES 1000

struct fixture {
    struct workers *ws;
    struct bus *bus;
};

/* What one subscription got, on its worker. */
struct heard {
    struct worker *worker;
    unsigned count, wrong;
    sem_t done;
};

static void on_number(void *context, slice subject, slice message)
{
    struct heard *h = context;
    unsigned number;

    memcpy(&number, message.ptr, sizeof number);
    if (!slice_equal(subject, SLICE("number")) || number != h->count++ ||
        worker_current() != h->worker)
        h->wrong++;
    sem_post(&h->done);
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    f->ws = workers_create(2);
    f->bus = bus_create_local(f->ws);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    workers_stop(f->ws);
    bus_destroy(f->bus);
    workers_destroy(f->ws);
    free(f);
    return 0;
}

static void subscribe(struct fixture *f, unsigned worker, struct heard *h)
{
    *h = (struct heard){.worker = workers_at(f->ws, worker)};
    sem_init(&h->done, 0, 0);
    assert_true(bus_subscribe(f->bus, h->worker, "number", on_number, h));
}

static void publish_numbers(void *context)
{
    struct fixture *f = context;

    for (unsigned i = 0; i < MESSAGES; i++) {
        bus_publish(f->bus, SLICE("number"), slice_of(&i, sizeof i));
        bus_publish(f->bus, SLICE("numbers"), SLICE("nobody hears this"));
    }
}

static void wait_for(sem_t *sem, unsigned count)
{
    while (count > 0) {
        if (sem_wait(sem) == 0)
            count--;
    }
}

static void every_subscriber_gets_each_message_once_in_order_on_its_worker(void **state)
{
    struct fixture *f = *state;
    struct heard heard[3];
    struct fault why;

    for (unsigned i = 0; i < 3; i++)
        subscribe(f, i / 2, &heard[i]);
    assert_true(workers_start(f->ws, &why));
    worker_call(workers_at(f->ws, 0), publish_numbers, f); /* to itself and to the other */
    for (unsigned i = 0; i < 3; i++) {
        wait_for(&heard[i].done, MESSAGES);
        assert_int_equal(heard[i].count, MESSAGES);
        assert_int_equal(heard[i].wrong, 0);
        sem_destroy(&heard[i].done);
    }
}

static void any_thread_may_publish(void **state)
{
    struct fixture *f = *state;
    struct heard heard;
    struct fault why;

    subscribe(f, 1, &heard);
    assert_true(workers_start(f->ws, &why));
    publish_numbers(f);
    wait_for(&heard.done, MESSAGES);
    assert_int_equal(heard.wrong, 0);
    sem_destroy(&heard.done);
}

static void what_nobody_reads_any_more_is_freed(void **state)
{
    struct fixture *f = *state;
    struct heard heard;

    subscribe(f, 0, &heard);
    publish_numbers(f);
    assert_int_equal(heard.count, 0);
    sem_destroy(&heard.done);
}

/* 512 KiB messages: the inbox holds 127 of them and their headers; the rest is lost. */
static void an_inbox_is_bounded(void **state)
{
    struct fixture *f = *state;
    struct heard heard;
    uint8_t *large = calloc(1, BUS_MESSAGE_MAX);
    unsigned got = 0;
    struct fault why;

    subscribe(f, 0, &heard);
    for (unsigned i = 0; i < 200; i++) {
        memcpy(large, &i, sizeof i);
        bus_publish(f->bus, SLICE("number"), slice_of(large, BUS_MESSAGE_MAX));
    }
    assert_true(workers_start(f->ws, &why));
    wait_for(&heard.done, 127);
    workers_stop(f->ws);
    got = heard.count;
    assert_int_equal(got, 127);
    assert_int_equal(heard.wrong, 0);
    sem_destroy(&heard.done);
    free(large);
}

static void workers_have_names(void **state)
{
    struct fixture *f = *state;

    assert_true(slice_equal(bus_worker_name(f->bus, workers_at(f->ws, 0)), SLICE("w0")));
    assert_true(slice_equal(bus_worker_name(f->bus, workers_at(f->ws, 1)), SLICE("w1")));
}

#define BUS_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BUS_TEST(every_subscriber_gets_each_message_once_in_order_on_its_worker),
        BUS_TEST(any_thread_may_publish),
        BUS_TEST(what_nobody_reads_any_more_is_freed),
        BUS_TEST(an_inbox_is_bounded),
        BUS_TEST(workers_have_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
