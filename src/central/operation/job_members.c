/* Who a job is about: the members of its group, or those that failed in another job. */
#include "central/operation/job_run.h"
#include "central/operation/job_store.h"

#define LIST_PAGE 500 /* written down at once */

static void add_member(struct job_own *own, slice device_id, slice after)
{
    const struct job_device d = {.number = own->to.total, .id = device_id};

    job_unit_add_device(own->unit, own->job.id, &d);
    own->to.total++;
    own->listed++;
    after = slice_first(after, DEVICE_ID_MAX);
    memcpy(own->list_after, after.ptr, after.len);
    own->to.list_after = slice_of(own->list_after, after.len);
}

static void end_listing(struct job_own *own, enum status status)
{
    struct unit *unit = own->unit;

    own->unit = NULL;
    if (status != ST_OK || own->to.total > JOB_DEVICES_MAX) {
        unit_destroy(unit);
        if (status != ST_OK)
            job_load(own); /* and from what is committed */
        else
            job_end(own, JOB_FAILED, "the group has more devices than a job may have");
        return;
    }
    own->to.is_listed = own->listed < LIST_PAGE;
    job_unit_advance(unit, &own->to);
    job_commit(own, unit);
}

static void on_member(void *context, enum status status, const struct device *d)
{
    struct job_own *own = context;

    if (d)
        add_member(own, d->id, d->id);
    else
        end_listing(own, status);
}

/* Of a rerun: `list_after` is the number of the device in the other job. */
static void on_failed_rows(void *context, enum status status, struct rows *rows)
{
    struct job_own *own = context;

    while (status == ST_OK && rows_next(rows)) {
        struct job_device d = job_device_from_row(rows);
        BUF_CLEANUP struct buf number = {.max = 32};

        buf_printf(&number, "%lld", (long long)d.number);
        add_member(own, d.id, buf_slice(&number));
    }
    end_listing(own, status == ST_OK ? rows_status(rows) : status);
}

void job_list_members(struct job_own *own)
{
    struct device_filter filter = {.after = own->job.list_after, .limit = LIST_PAGE, .status = -1};
    int64_t after = -1;

    own->unit = operation_unit(own->run);
    if (!own->unit)
        return;
    own->to = own->job;
    own->listed = 0;
    if (own->has_members) {
        device_group_members_select(&own->members, &filter);
        device_list(own->run->ops->c->id, &filter, on_member, own);
        return;
    }
    if (own->job.list_after.len > 0 && !slice_to_i64(own->job.list_after, &after))
        after = -1;
    job_read_devices(own->run->ops->c->st, own->job.source, after, JOB_DEVICE_FAILED, LIST_PAGE,
                     on_failed_rows, own);
}
