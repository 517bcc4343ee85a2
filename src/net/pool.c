/* A few threads and a bounded queue for what takes long. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "net/worker_internal.h"

#define POOL_THREADS 2
#define POOL_QUEUE_MAX 64

struct pool {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct pool_job *queue[POOL_QUEUE_MAX];
    size_t first, len;
    bool stopping;
    pthread_t threads[POOL_THREADS];
    size_t started;
};

struct pool *pool_create(void)
{
    struct pool *pool = calloc(1, sizeof *pool);

    if (!pool)
        return NULL;
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->changed, NULL);
    return pool;
}

/* Waits for a job; NULL when the pool stops and the queue is empty. */
static struct pool_job *pool_next(struct pool *pool)
{
    struct pool_job *job = NULL;

    pthread_mutex_lock(&pool->lock);
    while (pool->len == 0 && !pool->stopping)
        pthread_cond_wait(&pool->changed, &pool->lock);
    if (pool->len > 0) {
        job = pool->queue[pool->first];
        pool->first = (pool->first + 1) % POOL_QUEUE_MAX;
        pool->len--;
    }
    pthread_mutex_unlock(&pool->lock);
    return job;
}

static void run_done(struct mail *mail)
{
    struct pool_job *job = (struct pool_job *)mail;

    job->done(job);
}

static void *pool_main(void *context)
{
    struct pool_job *job;

    while ((job = pool_next(context))) {
        job->work(job);
        job->mail.run = run_done;
        worker_post(job->owner, &job->mail);
    }
    return NULL;
}

bool pool_start(struct pool *pool, struct fault *why)
{
    for (; pool->started < POOL_THREADS; pool->started++) {
        char name[16];

        snprintf(name, sizeof name, "pool-%zu", pool->started);
        if (!thread_start(&pool->threads[pool->started], pool_main, pool, name, why))
            return false;
    }
    return true;
}

void pool_stop(struct pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    pool->stopping = true;
    pthread_cond_broadcast(&pool->changed);
    pthread_mutex_unlock(&pool->lock);
    for (; pool->started > 0; pool->started--)
        pthread_join(pool->threads[pool->started - 1], NULL);
}

void pool_destroy(struct pool *pool)
{
    if (!pool)
        return;
    pthread_cond_destroy(&pool->changed);
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}

bool pool_submit(struct workers *ws, struct pool_job *job)
{
    struct pool *pool = ws->pool;
    bool room;

    if (worker_current())
        job->owner = worker_current();
    assert(job->owner);
    pthread_mutex_lock(&pool->lock);
    room = pool->len < POOL_QUEUE_MAX && !pool->stopping;
    if (room) {
        pool->queue[(pool->first + pool->len) % POOL_QUEUE_MAX] = job;
        pool->len++;
        pthread_cond_signal(&pool->changed);
    }
    pthread_mutex_unlock(&pool->lock);
    return room;
}
