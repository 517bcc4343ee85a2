/* Jobs read: on any worker. */
#include "central/operation/job.h"

#include <stdlib.h>

#include "central/operation/job_store.h"
#include "central/operation/operation_internal.h"

const char *job_state_name(enum job_state state)
{
    static const char *const names[] = {
        [JOB_PENDING] = "pending",   [JOB_RUNNING] = "running", [JOB_STOPPED] = "stopped",
        [JOB_COMPLETE] = "complete", [JOB_FAILED] = "failed",   [JOB_CANCELLED] = "cancelled",
    };

    return (unsigned)state < COUNT_OF(names) ? names[state] : "unknown";
}

const char *job_device_state_name(enum job_device_state state)
{
    switch (state) {
    case JOB_DEVICE_COMPLETED:
        return "completed";
    case JOB_DEVICE_FAILED:
        return "failed";
    default:
        return "pending";
    }
}

struct reading {
    job_fn *on_job;
    void *context;
};

static struct reading *read_begin(job_fn *on_job, void *context)
{
    struct reading *r = malloc(sizeof *r);
    struct fault why = {ST_NO_MEMORY, "no memory for a job"};

    if (r)
        *r = (struct reading){on_job, context};
    else
        on_job(context, ST_NO_MEMORY, NULL, &why);
    return r;
}

static void read_end(struct reading *r, enum status status, const struct job *j,
                     const char *sentence)
{
    struct fault why = {0};

    if (status != ST_OK)
        (void)fault_set(&why, status, "%s", sentence);
    r->on_job(r->context, status, j, &why);
    free(r);
}

static void on_one(void *context, enum status status, struct rows *rows)
{
    if (status == ST_OK && rows_next(rows)) {
        struct job j = job_from_row(rows);

        read_end(context, ST_OK, &j, "");
        return;
    }
    if (status == ST_OK)
        status = rows_status(rows);
    if (status == ST_OK)
        read_end(context, ST_NOT_FOUND, NULL, "no such job");
    else
        read_end(context, status, NULL, "the job could not be read");
}

void job_get(struct operations *ops, slice id, job_fn *on_job, void *context)
{
    struct reading *r = read_begin(on_job, context);

    if (r)
        job_read_one(ops->c->st, id, on_one, r);
}

static void on_list(void *context, enum status status, struct rows *rows)
{
    struct reading *r = context;
    struct fault why = {0};

    while (status == ST_OK && rows_next(rows)) {
        struct job j = job_from_row(rows);

        r->on_job(r->context, ST_OK, &j, &why);
    }
    if (status == ST_OK)
        status = rows_status(rows);
    read_end(r, status, NULL, "the jobs could not be read");
}

void job_list(struct operations *ops, slice after, unsigned limit, job_fn *on_job, void *context)
{
    struct reading *r = read_begin(on_job, context);

    if (r)
        job_read_list(ops->c->st, after, limit, on_list, r);
}

/* --- devices: there is such a job -> its rows ---------------------------------------------------
 */

struct device_reading {
    struct operations *ops;
    int64_t after;
    unsigned limit;
    job_device_fn *on_device;
    void *context;
};

static void on_device_rows(void *context, enum status status, struct rows *rows)
{
    struct device_reading *r = context;
    struct fault why = {0};

    while (status == ST_OK && rows_next(rows)) {
        struct job_device d = job_device_from_row(rows);

        r->on_device(r->context, ST_OK, &d, &why);
    }
    if (status == ST_OK)
        status = rows_status(rows);
    if (status != ST_OK)
        (void)fault_set(&why, status, "the devices of the job could not be read");
    r->on_device(r->context, status, NULL, &why);
    free(r);
}

static void on_job_for_devices(void *context, enum status status, const struct job *j,
                               const struct fault *why)
{
    struct device_reading *r = context;

    if (status == ST_OK) {
        job_read_devices(r->ops->c->st, j->id, r->after, -1, r->limit, on_device_rows, r);
        return;
    }
    r->on_device(r->context, status, NULL, why);
    free(r);
}

void job_devices(struct operations *ops, slice id, int64_t after, unsigned limit,
                 job_device_fn *on_device, void *context)
{
    struct device_reading *r = malloc(sizeof *r);
    struct fault why = {ST_NO_MEMORY, "no memory for a job"};

    if (!r) {
        on_device(context, ST_NO_MEMORY, NULL, &why);
        return;
    }
    *r = (struct device_reading){ops, after, limit, on_device, context};
    job_get(ops, id, on_job_for_devices, r);
}
