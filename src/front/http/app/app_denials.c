/* The deny list: certificates that are refused whoever signed them, with the sessions that they
 * opened. */
#include "front/http/application.h"
#include "provisioning/authority.h"

#define DENIAL_KEY_MAX 1024

struct denial_call {
    struct exchange *x;
    struct denial denial;
};

static void write_denial(struct json_writer *w, const struct denial *d, slice key)
{
    json_open(w, (slice){0}, '{');
    json_put_text(w, SLICE("key"), key);
    if (d->thumbprint.len > 0) {
        json_put_text(w, SLICE("thumbprint"), d->thumbprint);
    } else {
        json_put_text(w, SLICE("group"), d->group);
        json_put_text(w, SLICE("serial"), d->serial);
    }
    app_put_text_or_null(w, SLICE("reason"), d->reason);
    app_put_text_or_null(w, SLICE("by"), d->by);
    app_put_time(w, SLICE("at"), d->at);
    json_close(w, '}');
}

/* --- list ------------------------------------------------------------------------------------ */

static void on_row(void *context, enum status status, const struct denial *d, slice key)
{
    struct app_list *list = context;

    if (!d)
        app_list_end(list, status, NULL);
    else if (app_list_row(list, key))
        write_denial(&list->w, d, key);
}

void app_denials_list(struct exchange *x)
{
    struct app_list *rows = app_list_begin(x);

    if (rows)
        denial_list(x->front->options.store, rows->after, rows->limit, on_row, rows);
}

/* --- add ------------------------------------------------------------------------------------- */

static void on_added(void *context, enum status status, const struct fault *why)
{
    struct denial_call *call = context;
    BUF_CLEANUP struct buf key = {.max = DENIAL_KEY_MAX};
    struct app_answer a;

    if (!app_answer_begin(&a, call->x, status, why))
        return;
    denial_key(&call->denial, &key);
    write_denial(&a.w, &call->denial, buf_slice(&key));
    app_answer_end(&a);
}

/* Whole bytes without leading zero bytes, as certificate_facts writes serials. */
static bool read_serial(struct exchange *x, slice text, slice *ret)
{
    slice digits;

    if (!app_read_hex(x, text, &digits))
        return false;
    while (digits.len > 1 && digits.ptr[0] == '0')
        digits = slice_from(digits, 1);
    if (digits.len == 0 || digits.len > SERIAL_HEX_MAX)
        return app_wrong(x, "a serial has 1 to 40 hex digits");
    *ret = digits.len % 2 == 0 ? digits : arena_printf(&x->arena, "0%.*s", SLICE_FMT(digits));
    if (ret->len > 0)
        return true;
    exchange_answer_error(x, ST_NO_MEMORY, NULL);
    return false;
}

static bool read_denial(struct exchange *x, const struct json *body, struct denial *d)
{
    slice thumbprint, serial;
    bool by_thumbprint = json_get_text(body, SLICE("thumbprint"), &thumbprint);
    bool by_serial = json_get_text(body, SLICE("serial"), &serial) &&
                     json_get_text(body, SLICE("group"), &d->group) && d->group.len > 0;

    json_get_text(body, SLICE("reason"), &d->reason);
    if (d->reason.len > DENIAL_REASON_MAX)
        return app_wrong(x, "a reason has at most 200 bytes");
    if (by_thumbprint == by_serial)
        return app_wrong(x, "send either thumbprint, or group and serial");
    return by_thumbprint ? app_read_thumbprint(x, thumbprint, &d->thumbprint)
                         : read_serial(x, serial, &d->serial);
}

void app_denial_add(struct exchange *x)
{
    struct denial_call *call = arena_alloc(&x->arena, sizeof *call);
    struct json *body;

    if (!call) {
        exchange_answer_error(x, ST_NO_MEMORY, NULL);
        return;
    }
    call->x = x;
    call->denial.by = slice_str(x->principal.name);
    call->denial.at = clock_wall_ms();
    if (!exchange_json(x, &body) || !read_denial(x, body, &call->denial))
        return;
    exchange_hold(x);
    denial_add(x->front->options.provisioning, &call->denial, on_added, call);
}

/* --- delete ---------------------------------------------------------------------------------- */

void app_denial_delete(struct exchange *x)
{
    exchange_hold(x);
    denial_remove(x->front->options.provisioning, x->bound[0], app_answer_done, x);
}
