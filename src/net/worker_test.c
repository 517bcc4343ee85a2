#include "net/worker.h"

#include "net/test_support.h"

/* Counts up under a lock; the test waits. */
struct counter {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int value;
};

static void counter_init(struct counter *c)
{
    *c = (struct counter){.value = 0};
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->changed, NULL);
}

static void counter_up(struct counter *c)
{
    pthread_mutex_lock(&c->lock);
    c->value++;
    pthread_cond_broadcast(&c->changed);
    pthread_mutex_unlock(&c->lock);
}

static void counter_wait(struct counter *c, int least)
{
    pthread_mutex_lock(&c->lock);
    while (c->value < least)
        pthread_cond_wait(&c->changed, &c->lock);
    pthread_mutex_unlock(&c->lock);
}

static struct workers *started_workers(unsigned count)
{
    struct workers *ws = workers_create(count);
    struct fault why = {0};

    assert_non_null(ws);
    if (!workers_start(ws, &why))
        fail_msg("%s", why.text);
    return ws;
}

static void note_current(void *context)
{
    *(struct worker **)context = worker_current();
}

static void a_call_runs_on_its_worker_and_directly_when_none_runs(void **state)
{
    struct workers *ws = workers_create(2);
    struct worker *ran_on = workers_at(ws, 0);
    struct fault why;

    (void)state;
    assert_int_equal(workers_count(ws), 2);
    worker_call(workers_at(ws, 1), note_current, &ran_on);
    assert_null(ran_on);
    assert_true(workers_start(ws, &why));
    for (unsigned i = 0; i < 2; i++) {
        worker_call(workers_at(ws, i), note_current, &ran_on);
        assert_ptr_equal(ran_on, workers_at(ws, i));
        assert_int_equal(worker_index(ran_on), i);
        assert_non_null(worker_event_base(ran_on));
    }
    assert_null(worker_current());
    workers_stop(ws);
    worker_call(workers_at(ws, 1), note_current, &ran_on);
    assert_null(ran_on);
    workers_destroy(ws);
}

struct letter {
    struct mail mail;
    int sender, number;
    int *last; /* of each sender */
    bool *in_order;
    struct counter *arrived;
};

static void run_letter(struct mail *mail)
{
    struct letter *letter = (struct letter *)mail;

    if (letter->number != letter->last[letter->sender] + 1)
        *letter->in_order = false;
    letter->last[letter->sender] = letter->number;
    counter_up(letter->arrived);
    free(letter);
}

enum { SENDERS = 4, LETTERS = 2000 };

struct sender {
    pthread_t thread;
    struct worker *to;
    struct letter like;
};

static void *send_letters(void *context)
{
    struct sender *sender = context;

    for (int i = 1; i <= LETTERS; i++) {
        struct letter *letter = malloc(sizeof *letter);

        *letter = sender->like;
        letter->number = i;
        worker_post(sender->to, &letter->mail);
    }
    return NULL;
}

static void mail_of_one_sender_arrives_in_order(void **state)
{
    struct workers *ws = started_workers(2);
    struct sender senders[SENDERS];
    struct counter arrived;
    int last[SENDERS] = {0};
    bool in_order = true;

    (void)state;
    counter_init(&arrived);
    for (int i = 0; i < SENDERS; i++) {
        senders[i].to = workers_at(ws, 1);
        senders[i].like = (struct letter){.mail.run = run_letter,
                                          .sender = i,
                                          .last = last,
                                          .in_order = &in_order,
                                          .arrived = &arrived};
        pthread_create(&senders[i].thread, NULL, send_letters, &senders[i]);
    }
    for (int i = 0; i < SENDERS; i++)
        pthread_join(senders[i].thread, NULL);
    counter_wait(&arrived, SENDERS * LETTERS);
    assert_true(in_order);
    workers_destroy(ws);
}

/* Mail that a worker sends itself, ever again until it has gone round often enough. */
struct round_letter {
    struct mail mail;
    struct worker *to;
    struct counter *rounds;
};

static void run_round(struct mail *mail)
{
    struct round_letter *letter = (struct round_letter *)mail;

    counter_up(letter->rounds);
    if (letter->rounds->value < 100)
        worker_post(letter->to, &letter->mail);
}

static void a_worker_may_post_to_itself_and_before_the_start(void **state)
{
    struct workers *ws = workers_create(1);
    struct counter rounds;
    struct round_letter letter = {.mail.run = run_round, .rounds = &rounds};
    struct fault why;

    (void)state;
    counter_init(&rounds);
    letter.to = workers_at(ws, 0);
    worker_post(letter.to, &letter.mail);
    assert_true(workers_start(ws, &why));
    counter_wait(&rounds, 100);
    workers_stop(ws);
    worker_post(letter.to, &letter.mail); /* never run */
    assert_int_equal(rounds.value, 100);
    workers_destroy(ws);
}

struct hooked {
    struct turn_hook hook;
    struct worker *worker;
    struct counter *runs;
    int marks_left; /* how often it marks itself again */
};

static void run_hook(struct turn_hook *hook)
{
    struct hooked *hooked = (struct hooked *)hook;

    counter_up(hooked->runs);
    if (hooked->marks_left-- > 0)
        worker_at_turn_end(hooked->worker, hook);
}

static void mark_twice(void *context)
{
    struct hooked *hooked = context;

    worker_at_turn_end(hooked->worker, &hooked->hook);
    worker_at_turn_end(hooked->worker, &hooked->hook);
    assert_int_equal(hooked->runs->value, 0); /* not before the turn's end */
}

static void a_hook_runs_once_for_each_turn_it_was_marked_in(void **state)
{
    struct workers *ws = started_workers(1);
    struct counter runs;
    struct hooked hooked = {.hook.run = run_hook, .runs = &runs, .marks_left = 3};

    (void)state;
    counter_init(&runs);
    hooked.worker = workers_at(ws, 0);
    worker_call(hooked.worker, mark_twice, &hooked);
    counter_wait(&runs, 4);
    workers_stop(ws);
    assert_int_equal(runs.value, 4);
    workers_destroy(ws);
}

static void be_slow(void *context)
{
    struct timespec longer_than_a_turn = {.tv_nsec = 60000000};

    (void)context;
    nanosleep(&longer_than_a_turn, NULL);
}

static void a_slow_turn_is_counted(void **state)
{
    struct workers *ws = started_workers(1);
    int64_t before = metric_value(METRIC_SLOW_TURNS);

    (void)state;
    worker_call(workers_at(ws, 0), be_slow, NULL);
    workers_stop(ws);
    assert_true(metric_value(METRIC_SLOW_TURNS) > before);
    workers_destroy(ws);
}

struct test_job {
    struct pool_job job;
    struct workers *workers;
    struct counter *gate; /* `work` waits for it */
    struct counter *done;
    struct worker *worked_on, *done_on;
    bool submitted;
};

static void do_work(struct pool_job *job)
{
    struct test_job *t = (struct test_job *)job;

    t->worked_on = worker_current();
    counter_wait(t->gate, 1);
}

static void on_done(struct pool_job *job)
{
    struct test_job *t = (struct test_job *)job;

    t->done_on = worker_current();
    counter_up(t->done);
}

static void submit(void *context)
{
    struct test_job *t = context;

    t->submitted = pool_submit(t->workers, &t->job);
}

static void the_pool_works_and_tells_the_worker_that_asked(void **state)
{
    enum { JOBS = 100 };
    struct workers *ws = started_workers(2);
    struct counter gate, done;
    struct test_job jobs[JOBS];
    int submitted = 0;

    (void)state;
    counter_init(&gate);
    counter_init(&done);
    for (int i = 0; i < JOBS; i++) {
        jobs[i] = (struct test_job){.job = {.work = do_work, .done = on_done},
                                    .workers = ws,
                                    .gate = &gate,
                                    .done = &done,
                                    .worked_on = workers_at(ws, 0)};
        worker_call(workers_at(ws, (unsigned)i % 2), submit, &jobs[i]);
        submitted += jobs[i].submitted;
    }
    assert_in_range(submitted, 64, 66); /* the queue, and what the threads have taken off it */
    counter_up(&gate);
    if (submitted > 64)
        counter_wait(&done, 1);
    workers_stop(ws); /* runs the rest */
    assert_int_equal(done.value, submitted);
    for (int i = 0; i < JOBS; i++) {
        if (!jobs[i].submitted)
            continue;
        assert_null(jobs[i].worked_on);
        assert_ptr_equal(jobs[i].done_on, workers_at(ws, (unsigned)i % 2));
    }
    workers_destroy(ws);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_runs_on_its_worker_and_directly_when_none_runs),
        cmocka_unit_test(mail_of_one_sender_arrives_in_order),
        cmocka_unit_test(a_worker_may_post_to_itself_and_before_the_start),
        cmocka_unit_test(a_hook_runs_once_for_each_turn_it_was_marked_in),
        cmocka_unit_test(a_slow_turn_is_counted),
        cmocka_unit_test(the_pool_works_and_tells_the_worker_that_asked),
    };

    return cmocka_run_group_tests(tests, ignore_sigpipe, NULL);
}
