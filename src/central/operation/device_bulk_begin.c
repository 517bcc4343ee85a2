/* Acts on many devices as fronts begin them. On any worker. */
#include "central/operation/device_bulk.h"
#include "central/operation/operation_internal.h"
#include "codec/json.h"

static void write_filter(const struct device_filter *f, struct json_writer *w)
{
    json_open(w, SLICE("filter"), '{');
    if (f->status >= 0)
        json_put_text(w, SLICE("status"),
                      slice_str(device_status_name((enum device_status)f->status)));
    if (f->template_id.len > 0)
        json_put_text(w, SLICE("template"), f->template_id);
    if (f->search.len > 0)
        json_put_text(w, SLICE("search"), f->search);
    if (f->unassociated)
        json_put_bool(w, SLICE("unassociated"), true);
    json_close(w, '}');
}

static void write_parameters(const struct device_bulk_request *request, struct buf *to)
{
    struct json_writer w = {.to = to};

    json_open(&w, (slice){0}, '{');
    if (request->template_id.len > 0)
        json_put_text(&w, SLICE("template"), request->template_id);
    if (request->ids.len > 0)
        json_put_int(&w, SLICE("devices"), device_bulk_count_ids(request->ids));
    else
        write_filter(&request->filter, &w);
    json_close(&w, '}');
}

void device_bulk_begin(struct operations *ops, const struct act *who,
                       const struct device_bulk_request *request, operation_fn *on_operation,
                       void *context)
{
    BUF_CLEANUP struct buf parameters = {.max = 8192};
    struct fault why = {ST_BAD_REQUEST, "the parameters are too long"};

    write_parameters(request, &parameters);
    if (parameters.failed) {
        on_operation(context, ST_BAD_REQUEST, NULL, &why);
        return;
    }
    operation_begin(ops,
                    &(struct operation_new){.kind = request->kind,
                                            .who = who,
                                            .parameters = buf_slice(&parameters),
                                            .items = request->ids},
                    on_operation, context);
}
