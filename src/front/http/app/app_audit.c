/* The audit log, newest first. Each row comes with its hash and the one before it, so that a reader
 * can follow the chain by himself: hash = SHA-256 in hex of "{previous} {number} {entry}", the
 * entry being the JSON text as it stands here. */
#include "front/http/application.h"
#include "identity/access/audit.h"

static void on_row(void *context, enum status status, const struct audit_row *r, int64_t before)
{
    struct app_list *list = context;
    char text[APP_NUMBER_MAX];

    if (!r) {
        if (before > 0 && !list->cut) {
            list->cut = true;
            buf_clear(&list->last);
            buf_append(&list->last, app_number_text(before, text));
        }
        list->limit = UINT32_MAX; /* whether there is more was said */
        app_list_end(list, status, NULL);
        return;
    }
    if (!app_list_row(list, app_number_text(r->number, text)))
        return;
    json_open(&list->w, (slice){0}, '{');
    json_put_int(&list->w, SLICE("number"), r->number);
    json_put_text(&list->w, SLICE("previous"), r->previous);
    json_put_text(&list->w, SLICE("hash"), r->hash);
    json_put_raw(&list->w, SLICE("entry"), r->entry);
    json_close(&list->w, '}');
}

static bool read_time(struct exchange *x, slice name, instant *ret)
{
    slice text;

    *ret = 0;
    return !exchange_query(x, name, &text) || clock_parse_iso(text, ret) ||
           app_wrong(x, "from and to are times like 2026-01-31T08:15:30Z");
}

static bool read_filter(struct exchange *x, const struct app_list *list, struct audit_filter *ret)
{
    *ret = (struct audit_filter){.limit = list->limit};
    if (list->after.len > 0 && (!slice_to_i64(list->after, &ret->before) || ret->before < 1))
        return app_wrong(x, "after must be the number of an entry");
    exchange_query(x, SLICE("actor"), &ret->actor);
    exchange_query(x, SLICE("action"), &ret->action);
    exchange_query(x, SLICE("target"), &ret->target);
    return read_time(x, SLICE("from"), &ret->from) && read_time(x, SLICE("to"), &ret->to);
}

void app_audit_list(struct exchange *x)
{
    struct app_list *list = app_list_begin(x);
    struct audit_filter filter;

    if (!list)
        return;
    if (read_filter(x, list, &filter))
        audit_list(x->front->options.identity, &filter, on_row, list);
    else
        app_list_end(list, ST_BAD_REQUEST, NULL);
}
