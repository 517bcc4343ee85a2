/* Jobs: the same change or command for every device of a group (contract/central.md 6.4, 7.6).
 *
 *     pending -> running -> complete
 *        ^          |  \--> cancelled: more devices failed than the threshold allows
 *        |          |   \-> failed: it could not go on
 *        +-------- stopped
 *
 * A job is carried out by an operation (operation.h). First the members of the group are written
 * down, each as a row: that they leave the group, or are deleted, changes nothing any more. Then
 * the rows are taken page by page; what became of a device and how far the job is are one unit of
 * work. Before a command goes out, its row says so. When a process dies between that and the end
 * of the page, the next one asks the history of commands what came of it; a device of which that
 * knows nothing may have got it, and fails rather than gets it again. A change of properties or of
 * the template is done again, which does no harm.
 *
 * Finished ones are kept for JOB_KEPT_DAYS. */
#ifndef MUSTER_CENTRAL_JOB_H
#define MUSTER_CENTRAL_JOB_H

#include "central/operation/operation.h"

#define JOB_KEPT_DAYS 30
#define JOBS_MAX 10000
#define JOB_DEVICES_MAX 1000000
#define JOB_DATA_MAX (64 * 1024)

enum job_state {
    JOB_PENDING,
    JOB_RUNNING,
    JOB_STOPPED,
    JOB_COMPLETE,
    JOB_FAILED,
    JOB_CANCELLED,
};
/* "pending", ..., as the compatible API has them. */
const char *job_state_name(enum job_state state);

enum job_device_state {
    JOB_DEVICE_PENDING,
    JOB_DEVICE_RUNNING, /* a command is on its way */
    JOB_DEVICE_COMPLETED,
    JOB_DEVICE_FAILED,
};
/* "pending", "completed", "failed". */
const char *job_device_state_name(enum job_device_state state);

/* A row as read. Slices borrow from the callback's memory. */
struct job {
    slice id, display_name, description, group_id;
    slice data, batch, threshold; /* JSON; the last two may be empty */
    slice source;                 /* the job whose failed devices these are; empty: a group's */
    slice filter;                 /* of the group, when it began */
    slice message;                /* why it ended so; may be empty */
    slice operation_id;
    enum job_state state;
    int64_t total, completed, failed;
    /* How far it is: for job_run.c. */
    int64_t next_number, batch_failed;
    slice list_after;
    bool is_listed;
    instant created_at, started_at, ended_at; /* 0: not yet */
};
/* `j` NULL unless ST_OK. */
typedef void job_fn(void *context, enum status status, const struct job *j,
                    const struct fault *why);

void job_get(struct operations *ops, slice id, job_fn *on_job, void *context);
/* In order of ID behind `after`; then once with j == NULL. */
void job_list(struct operations *ops, slice after, unsigned limit, job_fn *on_job, void *context);

struct job_device {
    int64_t number; /* from 0 */
    slice id, message;
    enum job_device_state state;
};
/* In order behind that number (-1: from the first); then once with d == NULL. ST_NOT_FOUND: no
 * such job. */
typedef void job_device_fn(void *context, enum status status, const struct job_device *d,
                           const struct fault *why);
void job_devices(struct operations *ops, slice id, int64_t after, unsigned limit,
                 job_device_fn *on_device, void *context);

struct job_new {
    slice id, display_name, description, group_id;
    slice data, batch, threshold; /* JSON texts; the last two may be empty */
};
/* Makes it and begins. ST_BAD_REQUEST: a rule, said in `why`; ST_CONFLICT: there is one of that ID;
 * ST_THROTTLED: too much is under way. */
void job_begin(struct operations *ops, const struct act *who, const struct job_new *n,
               job_fn *on_job, void *context);
/* A new job for the devices that failed in another. */
void job_rerun(struct operations *ops, const struct act *who, slice id, slice rerun_id,
               job_fn *on_job, void *context);
/* The page under way is the last. ST_CONFLICT: it is not under way. */
void job_stop(struct operations *ops, slice id, job_fn *on_job, void *context);
/* One that was stopped goes on. ST_CONFLICT: it was not. */
void job_resume(struct operations *ops, const struct act *who, slice id, job_fn *on_job,
                void *context);

#endif
