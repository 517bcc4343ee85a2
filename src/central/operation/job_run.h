/* Inside jobs at home:
 *
 *     job_run.c       the operation: loading, steps, the end
 *     job_members.c   who it is about, written down page by page
 *     job_page.c      a page of them: commands announced, all acted on, recorded
 *     job_task.c      what is done to one device */
#ifndef MUSTER_CENTRAL_JOB_RUN_H
#define MUSTER_CENTRAL_JOB_RUN_H

#include "central/device_group.h"
#include "central/operation/job.h"
#include "central/operation/job_data.h"
#include "central/operation/operation_internal.h"

#define JOB_PAGE_MAX 50 /* devices at once */

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

enum job_phase {
    PHASE_LOADING,
    PHASE_LISTING,
    PHASE_TAKING,    /* and saying that commands go out */
    PHASE_RECORDING, /* what a page came to */
    PHASE_ENDING,
};

struct job_own {
    struct operation_run *run;
    enum job_phase phase;
    struct job job, to; /* committed; under way */
    struct job_data data;
    struct job_limit batch, threshold;
    struct job_work work;
    struct device_group_members members;
    bool has_members;
    struct buf properties;
    struct unit *unit; /* of members, while they are listed */
    unsigned listed;
    uint8_t list_after[DEVICE_ID_MAX];
    struct arena arena; /* the page's */
    struct job_task tasks[JOB_PAGE_MAX];
    size_t count;
    unsigned pending;
    enum job_state end_state;
    const char *end_message;
};

/* --- job_run.c -------------------------------------------------------------------------------- */

/* The unit, with the operation's own numbers as own->to has them. */
void job_commit(struct job_own *own, struct unit *unit);
/* `message` is a literal. */
void job_end(struct job_own *own, enum job_state state, const char *message);
/* From what is committed. */
void job_load(struct job_own *own);

/* --- job_members.c, job_page.c: steps --------------------------------------------------------- */

void job_list_members(struct job_own *own);
void job_page_take(struct job_own *own);
/* Behind the take that announced commands. */
void job_page_act(struct job_own *own);
void job_page_record(struct job_own *own);

#endif
