/* What the compatible API does not tell of a job: why devices failed in it. */
#include "central/operation/job.h"
#include "front/http/application.h"

static void on_device(void *context, enum status status, const struct job_device *d,
                      const struct fault *why)
{
    BUF_CLEANUP struct buf number = {.max = 32};
    struct app_list *list = context;

    if (!d) {
        app_list_end(list, status, why);
        return;
    }
    buf_printf(&number, "%lld", (long long)d->number);
    if (!app_list_row(list, buf_slice(&number)))
        return;
    json_open(&list->w, (slice){0}, '{');
    json_put_text(&list->w, SLICE("id"), d->id);
    json_put_text(&list->w, SLICE("status"), slice_str(job_device_state_name(d->state)));
    app_put_text_or_null(&list->w, SLICE("message"), d->message);
    json_close(&list->w, '}');
}

void app_job_devices(struct exchange *x)
{
    struct app_list *list = app_list_begin(x);
    int64_t after = -1;

    if (!list)
        return;
    if (list->after.len > 0 && !slice_to_i64(list->after, &after))
        after = INT64_MAX; /* a place that this list never named */
    job_devices(x->front->options.operations, x->bound[0], after, list->limit, on_device, list);
}
