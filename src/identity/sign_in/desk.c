#include "identity/sign_in/desk.h"

void desk_init(struct desk *desk, struct workers *ws, unsigned at_once, unsigned waiting_max)
{
    *desk = (struct desk){.ws = ws, .at_once = at_once, .waiting_max = waiting_max};
}

static void on_answer(struct mail *mail)
{
    struct desk_job *job = (struct desk_job *)mail;

    job->on_done(job);
}

static void answer(struct desk_job *job, bool was_refused)
{
    job->was_refused = was_refused;
    job->job.mail.run = on_answer;
    worker_post(job->owner, &job->job.mail);
}

static void on_pool(struct pool_job *pool_job)
{
    struct desk_job *job = (struct desk_job *)pool_job;

    job->work(job);
}

static void on_worked(struct pool_job *pool_job);

static void start(struct desk_job *job)
{
    struct desk *desk = job->desk;

    job->job.work = on_pool;
    job->job.done = on_worked;
    desk->running++;
    if (pool_submit(desk->ws, &job->job))
        return;
    desk->running--;
    answer(job, true);
}

static struct desk_job *take_next(struct desk *desk)
{
    struct desk_job *next = desk->first;

    if (!next)
        return NULL;
    desk->first = next->next;
    if (!desk->first)
        desk->last = NULL;
    desk->waiting--;
    return next;
}

static void on_worked(struct pool_job *pool_job)
{
    struct desk_job *job = (struct desk_job *)pool_job, *next;
    struct desk *desk = job->desk;

    desk->running--;
    answer(job, false);
    while (desk->running < desk->at_once && (next = take_next(desk)))
        start(next);
}

static void wait_in_line(struct desk *desk, struct desk_job *job)
{
    job->next = NULL;
    if (desk->last)
        desk->last->next = job;
    else
        desk->first = job;
    desk->last = job;
    desk->waiting++;
}

static void on_arrival(struct mail *mail)
{
    struct desk_job *job = (struct desk_job *)mail;
    struct desk *desk = job->desk;

    if (desk->running < desk->at_once)
        start(job);
    else if (desk->waiting < desk->waiting_max)
        wait_in_line(desk, job);
    else
        answer(job, true);
}

void desk_submit(struct desk *desk, struct desk_job *job)
{
    job->desk = desk;
    job->owner = worker_current();
    job->job.mail.run = on_arrival;
    worker_post(workers_at(desk->ws, 0), &job->job.mail);
}
