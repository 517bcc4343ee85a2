#include "identity/sign_in/password_work.h"

static void on_pool(struct desk_job *job)
{
    struct password_work *work = (struct password_work *)job;

    work->status = ST_OK;
    if (work->given.ptr && !password_matches(work->given, work->stored))
        work->status = ST_UNAUTHORIZED;
    else if (work->fresh.ptr && !password_hash(work->fresh, work->hash))
        work->status = ST_NO_MEMORY;
}

static void on_done(struct desk_job *job)
{
    struct password_work *work = (struct password_work *)job;

    if (job->was_refused)
        work->status = ST_THROTTLED;
    work->on_done(work);
}

void password_work_submit(struct desk *desk, struct password_work *work)
{
    work->job.work = on_pool;
    work->job.on_done = on_done;
    desk_submit(desk, &work->job);
}
