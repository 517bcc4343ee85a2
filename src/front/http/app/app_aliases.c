/* Names that an operator gives to paths in a device's messages. */
#include "central/telemetry/aliases.h"
#include "front/http/application.h"

static struct central *central_of(const struct exchange *x)
{
    return x->front->options.central;
}

static void on_alias(void *context, enum status status, slice alias, slice path,
                     const struct fault *why)
{
    struct app_list *list = context;

    if (alias.len == 0) {
        app_list_end(list, status, why);
        return;
    }
    json_open(&list->w, (slice){0}, '{');
    json_put_text(&list->w, SLICE("alias"), alias);
    json_put_text(&list->w, SLICE("path"), path);
    json_close(&list->w, '}');
}

void app_aliases_list(struct exchange *x)
{
    struct app_list *list = app_list_begin(x); /* never a further page */

    if (list)
        central_alias_list(central_of(x), x->bound[0], on_alias, list);
}

static void on_added(void *context, enum status status, const struct fault *why)
{
    struct exchange *x = context;
    struct app_answer a;

    if (!app_answer_begin(&a, x, status, why))
        return;
    json_open(&a.w, (slice){0}, '{');
    json_put_text(&a.w, SLICE("alias"), x->bound[1]);
    json_close(&a.w, '}');
    app_answer_end(&a);
}

void app_alias_put(struct exchange *x)
{
    struct json *body;
    slice path;

    if (!exchange_json(x, &body))
        return;
    if (!json_get_text(body, SLICE("path"), &path)) {
        app_wrong(x, "path is missing");
        return;
    }
    exchange_hold(x);
    central_alias_add(central_of(x), x->bound[0], x->bound[1], path, on_added, x);
}

void app_alias_delete(struct exchange *x)
{
    exchange_hold(x);
    central_alias_delete(central_of(x), x->bound[0], x->bound[1], app_answer_done, x);
}
