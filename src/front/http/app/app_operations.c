/* Operations: acts on many devices begun, how far they are, what they found. */
#include "front/http/app/app_operation.h"

#include "central/operation/device_bulk.h"
#include "codec/device_csv_write.h"
#include "front/http/app/app_flow.h"
#include "front/http/application.h"

#define BULK_BODY_MAX (256 * 1024) /* larger JSON is not for a worker */

static struct operations *operations_of(const struct exchange *x)
{
    return x->front->options.operations;
}

/* --- as JSON ---------------------------------------------------------------------------------- */

static void write_operation(struct json_writer *w, const struct operation *o)
{
    json_open(w, (slice){0}, '{');
    json_put_text(w, SLICE("id"), o->id);
    json_put_text(w, SLICE("kind"), slice_str(operation_kind_name(o->kind)));
    json_put_text(w, SLICE("state"), slice_str(operation_state_name(o->state)));
    json_put_text(w, SLICE("by"), o->actor);
    json_put_raw(w, SLICE("parameters"), o->parameters);
    if (o->total < 0)
        json_put_null(w, SLICE("total"));
    else
        json_put_int(w, SLICE("total"), o->total);
    json_put_int(w, SLICE("processed"), o->processed);
    json_put_int(w, SLICE("failed"), o->failed);
    json_put_raw(w, SLICE("counts"), o->counts);
    app_put_text_or_null(w, SLICE("message"), o->message);
    json_put_bool(w, SLICE("cancelling"), o->is_cancelling && o->finished_at == 0);
    json_put_bool(w, SLICE("hasErrors"), o->log_bytes > 0);
    json_put_bool(w, SLICE("hasRejected"), o->rejected_bytes > 0);
    app_put_time(w, SLICE("created"), o->created_at);
    app_put_time(w, SLICE("started"), o->started_at);
    app_put_time(w, SLICE("updated"), o->updated_at);
    app_put_time(w, SLICE("finished"), o->finished_at);
    json_close(w, '}');
}

void app_operation_answer(struct exchange *x, int http_status, const struct operation *o)
{
    BUF_CLEANUP struct buf body = {.max = APP_ANSWER_MAX}, location = {.max = 256};
    struct json_writer w = {.to = &body};

    write_operation(&w, o);
    if (body.failed) {
        exchange_answer_error(x, ST_INTERNAL, NULL);
        return;
    }
    buf_append_str(&location, "/api/muster/v1/operations/");
    buf_append(&location, o->id);
    if (http_status == 202)
        exchange_header(x, "Location", buf_slice(&location));
    exchange_answer(x, http_status, buf_slice(&body));
}

/* --- get, list, cancel ------------------------------------------------------------------------ */

static void on_operation(void *context, enum status status, const struct operation *o,
                         const struct fault *why)
{
    struct app_answer a;

    if (!app_answer_begin(&a, context, status, why))
        return;
    write_operation(&a.w, o);
    app_answer_end(&a);
}

void app_operation_get(struct exchange *x)
{
    exchange_hold(x);
    operation_get(operations_of(x), x->bound[0], on_operation, x);
}

void app_operation_cancel(struct exchange *x)
{
    exchange_hold(x);
    operation_cancel(operations_of(x), x->bound[0], on_operation, x);
}

static void on_listed(void *context, enum status status, const struct operation *o,
                      const struct fault *why)
{
    struct app_list *list = context;

    if (!o)
        app_list_end(list, status, why);
    else if (app_list_row(list, o->id))
        write_operation(&list->w, o);
}

void app_operations_list(struct exchange *x)
{
    struct app_list *list = app_list_begin(x);

    if (list)
        operation_list(operations_of(x), list->after, list->limit, on_listed, list);
}

/* --- acts on many devices --------------------------------------------------------------------- */

static void on_begun(void *context, enum status status, const struct operation *o,
                     const struct fault *why)
{
    struct exchange *x = context;

    if (status == ST_OK) {
        x->is_audited = true; /* with the operation */
        app_operation_answer(x, 202, o);
    } else {
        exchange_answer_error(x, status, why);
    }
    exchange_release(x);
}

static bool add_id(struct exchange *x, const struct json *value, struct buf *to)
{
    size_t at;

    if (value->kind != JSON_STRING || value->text.len == 0 || value->text.len > DEVICE_ID_MAX ||
        slice_find(value->text, '\n', &at))
        return app_wrong(x, "ids is a list of device IDs");
    if (to->len > 0)
        buf_append_byte(to, '\n');
    buf_append(to, value->text);
    return true;
}

static bool read_ids(struct exchange *x, const struct json *ids, struct buf *to)
{
    size_t count = 0;

    if (ids->kind != JSON_ARRAY)
        return app_wrong(x, "ids is a list of device IDs");
    for (const struct json *value = ids->first; value; value = value->next, count++) {
        if (!add_id(x, value, to))
            return false;
    }
    return (count > 0 && count <= BULK_IDS_MAX && !to->failed) ||
           app_wrong(x, "ids has 1 to 10000 device IDs");
}

static bool read_filter(struct exchange *x, const struct json *filter, struct device_filter *ret)
{
    slice status = {0}, search = {0};

    if (filter->kind != JSON_OBJECT)
        return app_wrong(x, "filter is an object: status, template, unassociated, search");
    ret->status = -1;
    json_get_text(filter, SLICE("template"), &ret->template_id);
    json_get_bool(filter, SLICE("unassociated"), &ret->unassociated);
    return (!json_get_text(filter, SLICE("status"), &status) ||
            app_read_device_status(x, status, &ret->status)) &&
           (!json_get_text(filter, SLICE("search"), &search) ||
            app_read_device_search(x, search, &ret->search));
}

/* Either names them, and not both: what is done to many is done on purpose. */
static bool read_devices(struct exchange *x, const struct json *body,
                         struct device_bulk_request *ret, struct buf *ids)
{
    const struct json *list = json_member(body, SLICE("ids"));
    const struct json *filter = json_member(body, SLICE("filter"));

    if (!list == !filter)
        return app_wrong(x, "say which devices: \"ids\": [...], or \"filter\": {...} ({}: all)");
    if (filter)
        return read_filter(x, filter, &ret->filter);
    if (!read_ids(x, list, ids))
        return false;
    ret->ids = buf_slice(ids);
    return true;
}

static void begin(struct exchange *x, enum operation_kind kind)
{
    BUF_CLEANUP struct buf ids = {.max = BULK_IDS_BYTES_MAX};
    struct device_bulk_request request = {.kind = kind};
    struct act who = exchange_act(x);
    struct json *body;

    if (x->body.len > BULK_BODY_MAX) {
        exchange_answer_error(x, ST_TOO_LARGE, NULL);
        return;
    }
    if (!exchange_json(x, &body) || !read_devices(x, body, &request, &ids))
        return;
    if (kind == OPERATION_ASSOCIATE &&
        (!json_get_text(body, SLICE("template"), &request.template_id) ||
         request.template_id.len == 0)) {
        app_wrong(x, "associate wants \"template\": the ID of a published template");
        return;
    }
    exchange_hold(x);
    device_bulk_begin(operations_of(x), &who, &request, on_begun, x);
}

void app_devices_approve(struct exchange *x)
{
    begin(x, OPERATION_APPROVE);
}

void app_devices_associate(struct exchange *x)
{
    begin(x, OPERATION_ASSOCIATE);
}

void app_devices_block(struct exchange *x)
{
    begin(x, OPERATION_BLOCK);
}

void app_devices_unblock(struct exchange *x)
{
    begin(x, OPERATION_UNBLOCK);
}

void app_devices_delete(struct exchange *x)
{
    begin(x, OPERATION_DELETE);
}

/* --- reports ---------------------------------------------------------------------------------- */

struct report_flow {
    struct app_flow flow;
    enum operation_report report;
    slice id;
    int64_t after; /* number of the part that was sent last */
};

static void on_part(void *context, enum status status, int64_t number, slice text)
{
    struct report_flow *f = context;

    if (status != ST_OK) {
        app_flow_fail(&f->flow, status, NULL);
    } else if (number == 0) {
        app_flow_end(&f->flow);
    } else {
        f->after = number;
        app_flow_give(&f->flow, text);
    }
}

static void give_header(struct app_flow *flow)
{
    BUF_CLEANUP struct buf header = {.max = 256};

    device_csv_log_begin(&header);
    app_flow_give(flow, buf_slice(&header));
}

static void ask(struct app_flow *flow)
{
    struct report_flow *f = (struct report_flow *)flow;

    if (!flow->has_begun && f->report == REPORT_LOG)
        give_header(flow);
    else
        operation_read_report(operations_of(flow->x), f->id, f->report, f->after, on_part, f);
}

static void destroy(struct app_flow *flow)
{
    (void)flow; /* it lies in the exchange's arena */
}

static void on_known(void *context, enum status status, const struct operation *o,
                     const struct fault *why)
{
    struct report_flow *f = context;
    struct exchange *x = f->flow.x;

    (void)o;
    if (status == ST_OK)
        app_flow_start(&f->flow);
    else
        exchange_answer_error(x, status, why);
    exchange_release(x);
}

static void report(struct exchange *x, enum operation_report report, slice file_name)
{
    struct report_flow *f = arena_alloc(&x->arena, sizeof *f);

    if (!f || x->request->method == HTTP_HEAD) {
        exchange_answer_error(x, f ? ST_METHOD_NOT_ALLOWED : ST_NO_MEMORY, NULL);
        return;
    }
    f->flow.x = x;
    f->flow.content_type = SLICE("text/csv; charset=utf-8");
    f->flow.file_name = file_name;
    f->flow.ask = ask;
    f->flow.destroy = destroy;
    f->report = report;
    f->id = x->bound[0];
    exchange_hold(x);
    operation_get(operations_of(x), f->id, on_known, f);
}

void app_operation_errors(struct exchange *x)
{
    report(x, REPORT_LOG, SLICE("attachment; filename=\"errors.csv\""));
}

void app_operation_rejected(struct exchange *x)
{
    report(x, REPORT_REJECTED, SLICE("attachment; filename=\"rejected.csv\""));
}
