/* Between job_run.c, how a job goes on, and job_task.c, what it does to one device. */
#ifndef MUSTER_CENTRAL_JOB_RUN_H
#define MUSTER_CENTRAL_JOB_RUN_H

#include "central/central_internal.h"
#include "central/job.h"
#include "central/job_data.h"

struct job_task;

/* What is the same for every device of a job. */
struct job_work {
    struct central *c;
    const struct job_data *data;
    slice properties; /* one body for all of them; empty: none */
    slice actor;      /* "job ID": by it the history of commands knows what this job ran */
};

struct job_task {
    const struct job_work *work;
    int64_t number;
    slice device_id;
    enum job_device_state state; /* as the row says; then what became of it */
    size_t next_item;
    bool is_resumed; /* a process that is no more may have sent it commands */
    enum { EARLIER_UNKNOWN, EARLIER_WENT_WELL, EARLIER_FAILED } earlier;
    char message[FAULT_TEXT_MAX]; /* why it failed */
    void (*on_done)(struct job_task *t);
};

/* On a worker; on_done comes once, perhaps inside, with `state` completed or failed. */
void job_task_begin(struct job_task *t);

#endif
