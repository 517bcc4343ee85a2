/* Jobs of the compatible REST API. */
#include <stdio.h>

#include "central/operation/job.h"
#include "front/http/application.h"
#include "front/http/rest.h"

static struct operations *operations_of(const struct exchange *x)
{
    return x->front->options.operations;
}

/* --- list, get -------------------------------------------------------------------------------- */

static void put_if_any(struct json_writer *w, slice name, slice text)
{
    if (text.len > 0)
        json_put_text(w, name, text);
}

static void put_json_if_any(struct json_writer *w, slice name, slice json)
{
    if (json.len > 0)
        json_put_raw(w, name, json);
}

static void put_time_if_any(struct json_writer *w, slice name, instant at)
{
    if (at > 0)
        app_put_time(w, name, at);
}

static void write_job(struct json_writer *w, const struct job *j)
{
    json_open(w, (slice){0}, '{');
    json_put_text(w, SLICE("id"), j->id);
    put_if_any(w, SLICE("displayName"), j->display_name);
    put_if_any(w, SLICE("description"), j->description);
    json_put_text(w, SLICE("group"), j->group_id);
    put_json_if_any(w, SLICE("batch"), j->batch);
    put_json_if_any(w, SLICE("cancellationThreshold"), j->threshold);
    json_put_raw(w, SLICE("data"), j->data);
    put_time_if_any(w, SLICE("start"), j->started_at);
    put_time_if_any(w, SLICE("end"), j->ended_at);
    json_open(w, SLICE("progress"), '{');
    json_put_int(w, SLICE("total"), j->total);
    json_put_int(w, SLICE("pending"), j->total - j->completed - j->failed);
    json_put_int(w, SLICE("completed"), j->completed);
    json_put_int(w, SLICE("failed"), j->failed);
    json_close(w, '}');
    json_put_text(w, SLICE("status"), slice_str(job_state_name(j->state)));
    json_close(w, '}');
}

/* What one may hold of data would make a hundred too large for an answer. */
static void on_row(void *context, enum status status, const struct job *j, const struct fault *why)
{
    struct rest_list *list = context;
    size_t len = list->text.len;

    if (!j) {
        rest_list_end(list, status, why);
        return;
    }
    if (list->has_more)
        return;
    if (list->count > 0 && len + 2 * j->data.len + 8192 > REST_ANSWER_MAX) {
        list->has_more = true;
        return;
    }
    if (rest_list_row(list, j->id))
        write_job(&list->w, j);
}

static void jobs_list(struct exchange *x)
{
    struct rest_list *list = rest_list_begin(x);

    if (list)
        job_list(operations_of(x), list->after, list->limit, on_row, list);
}

static void on_job(void *context, enum status status, const struct job *j, const struct fault *why)
{
    BUF_CLEANUP struct buf body = {.max = REST_ANSWER_MAX};
    struct json_writer w = {.to = &body};

    if (j)
        write_job(&w, j);
    rest_end(context, status, &body, why);
}

static void jobs_get(struct exchange *x)
{
    exchange_hold(x);
    job_get(operations_of(x), x->bound[0], on_job, x);
}

/* --- devices ---------------------------------------------------------------------------------- */

static void on_device(void *context, enum status status, const struct job_device *d,
                      const struct fault *why)
{
    BUF_CLEANUP struct buf place = {.max = 32};
    struct rest_list *list = context;

    if (!d) {
        rest_list_end(list, status, why);
        return;
    }
    buf_printf(&place, "%lld", (long long)d->number);
    if (!rest_list_row(list, buf_slice(&place)))
        return;
    json_open(&list->w, (slice){0}, '{');
    json_put_text(&list->w, SLICE("id"), d->id);
    json_put_text(&list->w, SLICE("status"), slice_str(job_device_state_name(d->state)));
    json_close(&list->w, '}');
}

static void jobs_list_devices(struct exchange *x)
{
    struct rest_list *list = rest_list_begin(x);
    int64_t after = -1;

    if (!list)
        return;
    if (list->after.len > 0 && !slice_to_i64(list->after, &after))
        after = INT64_MAX; /* a place that this list never named */
    job_devices(operations_of(x), x->bound[0], after, list->limit, on_device, list);
}

/* --- run, rerun, stop, resume ----------------------------------------------------------------- */

static void on_begun(void *context, enum status status, const struct job *j,
                     const struct fault *why)
{
    BUF_CLEANUP struct buf body = {.max = REST_ANSWER_MAX};
    struct json_writer w = {.to = &body};

    if (j)
        write_job(&w, j);
    rest_end_change(context, status, &body, why); /* with its operation */
}

static void on_put(void *context, enum status status, const struct job *j, const struct fault *why)
{
    on_begun(context, rest_status_of_put(context, status), j, why);
}

/* A member's own text; `kind` is what it must be, null is none. */
static bool read_raw(struct exchange *x, const struct json *body, const char *name,
                     enum json_kind kind, slice *ret)
{
    const struct json *member = json_member(body, slice_str(name));
    char sentence[64];

    if (!member || member->kind == JSON_NULL)
        return true;
    if (member->kind == kind) {
        *ret = member->raw;
        return true;
    }
    snprintf(sentence, sizeof sentence, "%s is %s", name,
             kind == JSON_ARRAY ? "a list" : "an object");
    return rest_wrong(x, sentence);
}

static void jobs_put(struct exchange *x)
{
    struct job_new n = {.id = x->bound[0]};
    const struct act act = exchange_act(x);
    struct json *body;

    if (!exchange_json(x, &body) || !rest_read_text(x, body, "displayName", &n.display_name) ||
        !rest_read_text(x, body, "description", &n.description) ||
        !rest_read_text(x, body, "group", &n.group_id) ||
        !read_raw(x, body, "data", JSON_ARRAY, &n.data) ||
        !read_raw(x, body, "batch", JSON_OBJECT, &n.batch) ||
        !read_raw(x, body, "cancellationThreshold", JSON_OBJECT, &n.threshold))
        return;
    exchange_hold(x);
    job_begin(operations_of(x), &act, &n, on_put, x);
}

static void jobs_rerun(struct exchange *x)
{
    const struct act act = exchange_act(x);

    exchange_hold(x);
    job_rerun(operations_of(x), &act, x->bound[0], x->bound[1], on_begun, x);
}

static void on_stopped(void *context, enum status status, const struct job *j,
                       const struct fault *why)
{
    (void)j;
    rest_end(context, status, NULL, why);
}

static void jobs_stop(struct exchange *x)
{
    exchange_hold(x);
    job_stop(operations_of(x), x->bound[0], on_stopped, x);
}

static void on_resumed(void *context, enum status status, const struct job *j,
                       const struct fault *why)
{
    (void)j;
    rest_end_change(context, status, NULL, why);
}

static void jobs_resume(struct exchange *x)
{
    const struct act act = exchange_act(x);

    exchange_hold(x);
    job_resume(operations_of(x), &act, x->bound[0], on_resumed, x);
}

/* --- schemas ---------------------------------------------------------------------------------- */

static const struct rest_schema schemas[] = {
    {"Job", "'group','data'",
     "'id':{'type':'string','readOnly':true},"
     "'displayName':{'type':'string','maxLength':148},"
     "'description':{'type':'string','maxLength':1024},"
     "'group':{'type':'string','description':'The ID of a device group'},"
     "'batch':@JobBatch,'cancellationThreshold':@JobCancellationThreshold,"
     "'data':{'type':'array','items':@JobData,'minItems':1,'maxItems':20},"
     "'start':{'type':'string','format':'date-time','readOnly':true},"
     "'end':{'type':'string','format':'date-time','readOnly':true},"
     "'progress':@JobProgress,"
     "'status':{'type':'string','readOnly':true,"
     "'enum':['pending','running','stopped','complete','failed','cancelled']}"},
    {"JobBatch", "'type','value'",
     "'type':{'type':'string','enum':['number','percentage']},"
     "'value':{'type':'integer','minimum':1}"},
    {"JobCancellationThreshold", "'type','value'",
     "'type':{'type':'string','enum':['number','percentage']},"
     "'value':{'type':'integer','minimum':0},"
     "'batch':{'type':'boolean'}"},
    {"JobData", "'type'",
     "'type':{'type':'string','enum':['property','cloudProperty','command',"
     "'deviceTemplateMigration','PropertyJobData','CloudPropertyJobData','CommandJobData',"
     "'DeviceTemplateMigrationJobData']},"
     "'target':{'type':'string','description':'The template that the devices have'},"
     "'path':{'type':'string','description':'name, or component.name'},"
     "'value':{},'template':{'type':'string'}"},
    {"JobProgress", "'total','pending','completed','failed'",
     "'total':{'type':'integer'},'pending':{'type':'integer'},"
     "'completed':{'type':'integer'},'failed':{'type':'integer'}"},
    {"JobDeviceStatus", "'id','status'",
     "'id':{'type':'string'},"
     "'status':{'type':'string','enum':['pending','completed','failed']}"},
};

/* --- routes ----------------------------------------------------------------------------------- */

/* clang-format off */
static const struct rest_route routes[] = {
    {{HTTP_GET,  "jobs",             PERM_JOBS_VIEW,    jobs_list},         "Jobs_List",       NULL,  "JobCollection", 200, 0},
    {{HTTP_GET,  "jobs/{}",          PERM_JOBS_VIEW,    jobs_get},          "Jobs_Get",        NULL,  "Job", 200, 0},
    {{HTTP_PUT,  "jobs/{}",          PERM_JOBS_EXECUTE, jobs_put},          "Jobs_Create",     "Job", "Job", 200, 0},
    {{HTTP_GET,  "jobs/{}/devices",  PERM_JOBS_VIEW,    jobs_list_devices}, "Jobs_GetDevices", NULL,  "JobDeviceStatusCollection", 200, 0},
    {{HTTP_PUT,  "jobs/{}/rerun/{}", PERM_JOBS_EXECUTE, jobs_rerun},        "Jobs_Rerun",      NULL,  "Job", 200, 0},
    {{HTTP_POST, "jobs/{}/stop",     PERM_JOBS_EXECUTE, jobs_stop},         "Jobs_Stop",       NULL,  NULL, 204, 0},
    {{HTTP_POST, "jobs/{}/resume",   PERM_JOBS_EXECUTE, jobs_resume},       "Jobs_Resume",     NULL,  NULL, 204, 0},
};
/* clang-format on */

const struct rest_table rest_jobs = {routes, COUNT_OF(routes), schemas, COUNT_OF(schemas)};
