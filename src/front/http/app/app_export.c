/* Devices as a file. With keys it is told in the audit log before the first byte goes out. */
#include "base/clock.h"
#include "base/log.h"
#include "central/operation/device_export.h"
#include "central/operation/export_link.h"
#include "central/operation/operation.h"
#include "front/http/app/app_flow.h"
#include "front/http/application.h"
#include "identity/access/audit.h"
#include "identity/sign_in/user_session.h"

struct export_flow {
    struct app_flow flow;
    struct device_export *export;
};

static void on_part(void *context, enum status status, slice text, const struct fault *why)
{
    struct export_flow *f = context;

    if (status != ST_OK)
        app_flow_fail(&f->flow, status, why);
    else if (text.len == 0)
        app_flow_end(&f->flow);
    else
        app_flow_give(&f->flow, text);
}

static void ask(struct app_flow *flow)
{
    struct export_flow *f = (struct export_flow *)flow;

    device_export_next(f->export, on_part, f);
}

static void destroy(struct app_flow *flow)
{
    device_export_destroy(((struct export_flow *)flow)->export);
}

static void on_told(void *context, enum status status)
{
    struct export_flow *f = context;
    struct exchange *x = f->flow.x;

    if (status == ST_OK) {
        app_flow_start(&f->flow);
    } else {
        exchange_answer_error(x, ST_UNAVAILABLE, NULL);
        device_export_destroy(f->export);
    }
    exchange_release(x);
}

static void tell(struct export_flow *f, bool with_keys)
{
    struct exchange *x = f->flow.x;
    const struct audit_entry e = {
        .actor = slice_str(x->principal.name),
        .source = exchange_peer(x),
        .action = SLICE("devices.export"),
        .result = SLICE("ok"),
        .request_id = exchange_id(x),
        .after = with_keys ? SLICE("{\"keys\":true}") : SLICE("{\"keys\":false}"),
    };

    x->is_audited = true;
    exchange_hold(x);
    audit_note(x->front->options.identity, &e, UNIT_ORDINARY, on_told, f);
}

static bool flag(struct exchange *x, slice name)
{
    slice value;

    return exchange_query(x, name, &value) && slice_equal(value, SLICE("true"));
}

static void export(struct exchange *x, bool with_keys)
{
    struct device_export_options options = {
        .csv = {.raw_names = flag(x, SLICE("rawNames")),
                .without_keys = !with_keys,
                .extra_columns = flag(x, SLICE("extra"))},
        .provisioning_host = x->front->options.host,
    };
    struct export_flow *f;

    if (x->request->method == HTTP_HEAD) {
        exchange_answer_error(x, ST_METHOD_NOT_ALLOWED, NULL);
        return;
    }
    if (!app_read_device_filter(x, &options.filter))
        return;
    f = arena_alloc(&x->arena, sizeof *f);
    if (f)
        f->export = device_export_create(x->front->options.central, &options);
    if (!f || !f->export) {
        exchange_answer_error(x, ST_NO_MEMORY, NULL);
        return;
    }
    f->flow.x = x;
    f->flow.content_type = SLICE("text/csv; charset=utf-8");
    f->flow.file_name = SLICE("attachment; filename=\"devices.csv\"");
    f->flow.ask = ask;
    f->flow.destroy = destroy;
    tell(f, with_keys);
}

static bool is_fresh(struct exchange *x)
{
    if (principal_is_fresh(&x->principal, clock_wall_ms()))
        return true;
    app_answer_error_as(x, 403, "SignInAgain",
                        "keys are exported within five minutes of signing in");
    return false;
}

void app_device_export(struct exchange *x)
{
    if (is_fresh(x))
        export(x, true);
}

void app_device_export_without_keys(struct exchange *x)
{
    export(x, false);
}

/* --- links ------------------------------------------------------------------------------------ */

static const struct sealer *sealer_of(const struct exchange *x)
{
    return operations_sealer(x->front->options.operations);
}

/* The query is that of the export. Once made, a link outlives the sign-in's first minutes: that is
 * what it is for. */
void app_device_export_link(struct exchange *x)
{
    BUF_CLEANUP struct buf path = {.max = 16384}, body = {.max = 32768};
    struct json_writer w = {.to = &body};
    struct device_filter filter;
    instant now = clock_wall_ms();

    if (!is_fresh(x) || !app_read_device_filter(x, &filter))
        return;
    buf_append_str(&path, "/api/muster/v1/deviceExport/links/");
    export_link_write(sealer_of(x), slice_str(x->principal.name), x->request->query, now, &path);
    if (x->request->query.len > 0)
        buf_append_byte(&path, '?');
    buf_append(&path, x->request->query);
    json_open(&w, (slice){0}, '{');
    json_put_text(&w, SLICE("link"), buf_slice(&path));
    app_put_time(&w, SLICE("expires"), now + EXPORT_LINK_MS);
    json_close(&w, '}');
    if (path.failed || body.failed)
        exchange_answer_error(x, ST_NO_MEMORY, NULL);
    else
        exchange_answer(x, 200, buf_slice(&body));
}

void app_device_export_linked(struct exchange *x)
{
    struct fault why;

    if (export_link_check(sealer_of(x), x->bound[0], slice_str(x->principal.name),
                          x->request->query, clock_wall_ms(), &why) == ST_OK)
        export(x, true);
    else
        exchange_answer_error(x, why.status, &why);
}
