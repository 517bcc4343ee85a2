#include "identity/password_desk.h"

void password_desk_init(struct password_desk *desk, struct workers *ws)
{
    *desk = (struct password_desk){.ws = ws};
}

static void on_answer(struct mail *mail)
{
    struct password_work *work = (struct password_work *)mail;

    work->on_done(work);
}

static void answer(struct password_work *work, enum status status)
{
    work->status = status;
    work->job.mail.run = on_answer;
    worker_post(work->owner, &work->job.mail);
}

/* On the pool. */
static void on_pool(struct pool_job *job)
{
    struct password_work *work = (struct password_work *)job;

    work->status = ST_OK;
    if (work->given.ptr && !password_matches(work->given, work->stored))
        work->status = ST_UNAUTHORIZED;
    else if (work->fresh.ptr && !password_hash(work->fresh, work->hash))
        work->status = ST_NO_MEMORY;
}

static void on_worked(struct pool_job *job);

static void start(struct password_work *work)
{
    struct password_desk *desk = work->desk;

    work->job.work = on_pool;
    work->job.done = on_worked;
    desk->running++;
    if (pool_submit(desk->ws, &work->job))
        return;
    desk->running--;
    answer(work, ST_THROTTLED);
}

static struct password_work *take_next(struct password_desk *desk)
{
    struct password_work *next = desk->first;

    if (!next)
        return NULL;
    desk->first = next->next;
    if (!desk->first)
        desk->last = NULL;
    desk->waiting--;
    return next;
}

static void on_worked(struct pool_job *job)
{
    struct password_work *work = (struct password_work *)job, *next;
    struct password_desk *desk = work->desk;

    desk->running--;
    answer(work, work->status);
    while (desk->running < PASSWORD_AT_ONCE && (next = take_next(desk)))
        start(next);
}

static void wait_in_line(struct password_desk *desk, struct password_work *work)
{
    work->next = NULL;
    if (desk->last)
        desk->last->next = work;
    else
        desk->first = work;
    desk->last = work;
    desk->waiting++;
}

static void on_arrival(struct mail *mail)
{
    struct password_work *work = (struct password_work *)mail;
    struct password_desk *desk = work->desk;

    if (desk->running < PASSWORD_AT_ONCE)
        start(work);
    else if (desk->waiting < PASSWORD_WAITING_MAX)
        wait_in_line(desk, work);
    else
        answer(work, ST_THROTTLED);
}

void password_desk_submit(struct password_desk *desk, struct password_work *work)
{
    work->desk = desk;
    work->owner = worker_current();
    work->job.mail.run = on_arrival;
    worker_post(workers_at(desk->ws, 0), &work->job.mail);
}
