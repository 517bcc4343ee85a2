#include "cmd/cert/cert_batch.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define TICK_MS 250
#define STRIPES 256

struct batch {
    const struct leaf_office *office;
    pthread_mutex_t lock; /* of the office, and of what follows */
    pthread_cond_t finished;
    unsigned at_work;
    bool stopped;
    /* A device that the file names twice is never in two hands at once. */
    pthread_mutex_t stripes[STRIPES];
};

struct hand {
    struct batch *batch;
    struct leaf_desk desk;
    pthread_t thread;
};

unsigned cert_cores(void)
{
    cpu_set_t allowed;
    long count = sched_getaffinity(0, sizeof allowed, &allowed) == 0
                     ? CPU_COUNT(&allowed)
                     : sysconf(_SC_NPROCESSORS_ONLN);

    return count > 0 ? (unsigned)count : 1;
}

static void make(struct hand *h, const struct leaf_job *job, struct leaf *leaf,
                 struct leaf_result *ret, struct fault *why)
{
    slice id = slice_of(job->id, job->id_len);
    pthread_mutex_t *stripe = &h->batch->stripes[slice_hash(id) % STRIPES];

    *ret = (struct leaf_result){.leaf = leaf, .why = why};
    pthread_mutex_lock(stripe);
    ret->status = cert_leaf_make(&h->desk, id, &ret->outcome, leaf, why);
    pthread_mutex_unlock(stripe);
}

static void *work(void *context)
{
    struct hand *h = context;
    struct batch *b = h->batch;
    struct leaf_job job;

    pthread_mutex_lock(&b->lock);
    while (!b->stopped && b->office->next(b->office->context, &job)) {
        struct leaf_result result;
        struct fault why = {0};
        struct leaf leaf = {0};

        pthread_mutex_unlock(&b->lock);
        make(h, &job, &leaf, &result, &why);
        pthread_mutex_lock(&b->lock);
        if (!b->office->report(b->office->context, &job, &result))
            b->stopped = true;
    }
    b->at_work--;
    pthread_cond_signal(&b->finished);
    pthread_mutex_unlock(&b->lock);
    return NULL;
}

static void wait_for_all(struct batch *b)
{
    struct timespec until;

    pthread_mutex_lock(&b->lock);
    while (b->at_work > 0) {
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += TICK_MS * 1000000L;
        until.tv_sec += until.tv_nsec / 1000000000L;
        until.tv_nsec %= 1000000000L;
        pthread_cond_timedwait(&b->finished, &b->lock, &until);
        b->office->tick(b->office->context);
    }
    pthread_mutex_unlock(&b->lock);
}

static bool start(struct batch *b, struct hand *h)
{
    bool started;

    pthread_mutex_lock(&b->lock);
    started = pthread_create(&h->thread, NULL, work, h) == 0;
    if (started)
        b->at_work++;
    pthread_mutex_unlock(&b->lock);
    return started;
}

static void init(struct batch *b, const struct leaf_office *office)
{
    pthread_condattr_t monotonic;

    b->office = office;
    pthread_mutex_init(&b->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&b->finished, &monotonic);
    pthread_condattr_destroy(&monotonic);
    for (size_t i = 0; i < STRIPES; i++)
        pthread_mutex_init(&b->stripes[i], NULL);
}

static void deinit(struct batch *b)
{
    pthread_mutex_destroy(&b->lock);
    pthread_cond_destroy(&b->finished);
    for (size_t i = 0; i < STRIPES; i++)
        pthread_mutex_destroy(&b->stripes[i]);
}

static bool equip(struct hand *h, struct batch *b, const struct leaf_plan *plan,
                  const struct leaf_files *files, unsigned number, struct fault *why)
{
    h->batch = b;
    h->desk.files = files;
    h->desk.maker = leaf_maker_create(plan, why);
    snprintf(h->desk.scratch, sizeof h->desk.scratch, ".muster-cert.%u", number);
    return h->desk.maker != NULL;
}

/* Fewer threads than asked for are enough, none is not. */
static bool run(struct batch *b, struct hand *hands, unsigned equipped, struct fault *why)
{
    unsigned started = 0;

    while (started < equipped && start(b, &hands[started]))
        started++;
    wait_for_all(b);
    for (unsigned i = 0; i < started; i++) {
        pthread_join(hands[i].thread, NULL);
        unlinkat(hands[i].desk.files->folder, hands[i].desk.scratch, 0);
    }
    if (started == 0)
        fault_set(why, ST_NO_MEMORY, "cannot start a thread");
    return started > 0;
}

bool cert_batch_run(const struct leaf_plan *plan, const struct leaf_files *files,
                    const struct leaf_office *office, unsigned threads, struct fault *why)
{
    struct batch *b = calloc(1, sizeof *b);
    struct hand *hands = calloc(threads, sizeof *hands);
    unsigned equipped = 0;
    bool ran = false;

    if (b && hands) {
        init(b, office);
        while (equipped < threads && equip(&hands[equipped], b, plan, files, equipped, why))
            equipped++;
        ran = equipped == threads && run(b, hands, equipped, why);
        for (unsigned i = 0; i < equipped; i++)
            leaf_maker_destroy(hands[i].desk.maker);
        deinit(b);
    } else {
        fault_set(why, ST_NO_MEMORY, "no memory for %u threads", threads);
    }
    free(hands);
    free(b);
    return ran;
}
