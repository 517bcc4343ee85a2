/* A file of devices: kept as it arrives, then imported by an operation. */
#include "central/operation/device_import.h"
#include "front/http/app/app_operation.h"
#include "front/http/application.h"

/* options -> may it begin? -> the body, part by part -> kept -> an operation */
struct upload {
    struct exchange *x;
    struct device_import_options options;
    struct import_spool *spool; /* NULL: none yet, or not ours any more */
};

static struct operations *operations_of(const struct exchange *x)
{
    return x->front->options.operations;
}

/* --- the end ---------------------------------------------------------------------------------- */

static void drop_spool(struct upload *u)
{
    if (u->spool)
        import_spool_discard(u->spool);
    u->spool = NULL;
}

/* The last call. */
static void fail(struct upload *u, enum status status, const struct fault *why)
{
    struct exchange *x = u->x;

    x->on_gone = NULL;
    drop_spool(u);
    exchange_answer_error(x, status, why);
    exchange_release(x);
}

static void on_begun(void *context, enum status status, const struct operation *o,
                     const struct fault *why)
{
    struct upload *u = context;

    if (status == ST_OK) {
        u->x->is_audited = true; /* with the operation */
        app_operation_answer(u->x, 202, o);
        exchange_release(u->x);
    } else {
        fail(u, status, why);
    }
}

static void on_kept(void *context, enum status status, const struct fault *why)
{
    struct upload *u = context;
    struct import_spool *spool = u->spool;
    struct act who = exchange_act(u->x);

    if (status != ST_OK) {
        fail(u, status, why);
        return;
    }
    u->spool = NULL;
    device_import_begin(operations_of(u->x), &who, &u->options, spool, on_begun, u);
}

/* --- the body --------------------------------------------------------------------------------- */

static void on_gone(struct exchange *x)
{
    struct upload *u = x->own;

    x->on_gone = NULL;
    drop_spool(u);
    exchange_release(x);
}

static void on_room(void *context)
{
    exchange_resume_body(context);
}

static void on_body(struct exchange *x, slice part)
{
    struct upload *u = x->own;
    struct fault why;

    if (import_spool_status(u->spool, &why) != ST_OK)
        fail(u, why.status, &why);
    else if (!import_spool_append(u->spool, part, on_room, x))
        exchange_pause_body(x);
}

static void on_body_end(struct exchange *x)
{
    struct upload *u = x->own;

    x->on_gone = NULL; /* it is all there: the import begins, whoever waits for the answer */
    import_spool_finish(u->spool, on_kept, u);
}

static void on_ready(void *context, enum status status, const struct fault *why)
{
    struct upload *u = context;
    struct exchange *x = u->x;
    struct fault cause;

    if (status != ST_OK) {
        fail(u, status, why);
        return;
    }
    status = import_spool_create(operations_of(x), &u->spool, &cause);
    if (status != ST_OK) {
        fail(u, status, &cause);
        return;
    }
    if (!exchange_is_wanted(x)) {
        on_gone(x);
        return;
    }
    x->on_gone = on_gone;
    exchange_take_body(x, on_body, on_body_end);
}

/* --- what is asked for ------------------------------------------------------------------------ */

static bool read_flag(struct exchange *x, slice name, bool *ret)
{
    slice value;

    if (!exchange_query(x, name, &value))
        return true;
    *ret = slice_equal(value, SLICE("true"));
    return *ret || slice_equal(value, SLICE("false")) ||
           app_wrong(x, "lowerCase, individualEnrollments, rawNames and dryRun are true or false");
}

static bool read_existing(struct exchange *x, enum import_existing *ret)
{
    slice value;

    if (!exchange_query(x, SLICE("existing"), &value))
        return true;
    return import_existing_from_name(value, ret) ||
           app_wrong(x, "existing is refuse, skip or update");
}

static bool read_options(struct exchange *x, struct device_import_options *o)
{
    if (!exchange_query(x, SLICE("template"), &o->template_id))
        o->template_id = (slice){0};
    return read_existing(x, &o->existing) && read_flag(x, SLICE("lowerCase"), &o->lower_ids) &&
           read_flag(x, SLICE("individualEnrollments"), &o->take_keys) &&
           read_flag(x, SLICE("rawNames"), &o->raw_names) &&
           read_flag(x, SLICE("dryRun"), &o->dry_run);
}

/* Adding devices is the route's; some options do more. */
static bool may_import(struct exchange *x, const struct device_import_options *o)
{
    struct fault why;

    if ((o->existing != IMPORT_UPDATE || may_do(&x->principal, PERM_DEVICES_UPDATE)) &&
        (!o->take_keys || may_do(&x->principal, PERM_CONNECTIVITY_MANAGE_INSTANCE)))
        return true;
    fault_set(&why, ST_FORBIDDEN,
              "existing=update needs devices.update, individualEnrollments "
              "needs connectivity.manageInstance");
    exchange_answer_error(x, ST_FORBIDDEN, &why);
    return false;
}

static bool is_csv(struct exchange *x)
{
    slice type = http_header(x->request, SLICE("Content-Type"));
    struct fault why;

    if (slice_equal_nocase(slice_trim(slice_split(&type, ';')), SLICE("text/csv")))
        return true;
    fault_set(&why, ST_UNSUPPORTED_MEDIA, "send the file as the body, with Content-Type text/csv");
    exchange_answer_error(x, ST_UNSUPPORTED_MEDIA, &why);
    return false;
}

static bool has_body(struct exchange *x)
{
    const struct http_request *r = x->request;

    return r->body == HTTP_BODY_CHUNKED || (r->body == HTTP_BODY_LENGTH && r->content_length > 0) ||
           app_wrong(x, "F02: the file is empty");
}

void app_device_import(struct exchange *x)
{
    struct upload *u;

    if (!is_csv(x) || !has_body(x))
        return;
    u = arena_alloc(&x->arena, sizeof *u);
    if (!u) {
        exchange_answer_error(x, ST_NO_MEMORY, NULL);
        return;
    }
    u->x = x;
    x->own = u;
    if (!read_options(x, &u->options) || !may_import(x, &u->options))
        return;
    exchange_hold(x);
    device_import_check(operations_of(x), &u->options, on_ready, u);
}
