/* Registration attempts: what devices tried, what they were told, and every step of the
 * judgement. */
#include "provisioning/attempt.h"

#include "front/http/application.h"

void app_put_attempt(struct json_writer *w, const struct attempt *a)
{
    app_put_time(w, SLICE("at"), a->at);
    json_put_text(w, SLICE("result"), a->result);
    app_put_text_or_null(w, SLICE("reason"), a->reason);
    app_put_text_or_null(w, SLICE("enrollment"), a->enrollment);
    app_put_text_or_null(w, SLICE("protocol"), a->protocol);
    app_put_text_or_null(w, SLICE("address"), a->address);
    json_put_raw(w, SLICE("steps"), a->steps.len > 0 ? a->steps : SLICE("[]"));
}

static void on_attempt(void *context, enum status status, const struct attempt *a)
{
    struct app_list *list = context;
    char number[APP_NUMBER_MAX];

    if (!a) {
        app_list_end(list, status, NULL);
        return;
    }
    if (!app_list_row(list, app_number_text(a->number, number)))
        return;
    json_open(&list->w, (slice){0}, '{');
    json_put_int(&list->w, SLICE("number"), a->number);
    json_put_text(&list->w, SLICE("registrationId"), a->registration_id);
    app_put_attempt(&list->w, a);
    json_close(&list->w, '}');
}

/* The newest first: "next" is what to give as `before`. */
void app_attempts_list(struct exchange *x)
{
    slice registration_id = {0}, text;
    struct app_list *list;
    int64_t before = 0;

    exchange_query(x, SLICE("registrationId"), &registration_id);
    if (exchange_query(x, SLICE("before"), &text) && (!slice_to_i64(text, &before) || before < 1)) {
        app_wrong(x, "before must be the number of an attempt");
        return;
    }
    list = app_list_begin(x);
    if (list)
        attempt_list(x->front->options.store, registration_id, before, list->limit, on_attempt,
                     list);
}
