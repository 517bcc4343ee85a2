/* All that was asked of a device, the newest first, with what became of it. */
#include "central/property/commands.h"
#include "front/http/application.h"

static const char *state_of(const struct command_run *run)
{
    if (run->failure.len > 0)
        return "failed";
    if (run->is_queued)
        return "queued";
    return run->ended_at == 0 ? "accepted" : "completed";
}

static void put_json_or_null(struct json_writer *w, slice name, slice json)
{
    if (json.len > 0)
        json_put_raw(w, name, json);
    else
        json_put_null(w, name);
}

static void write_run(struct json_writer *w, const struct command_run *run)
{
    json_open(w, (slice){0}, '{');
    json_put_text(w, SLICE("id"), run->id);
    app_put_text_or_null(w, SLICE("component"), run->component);
    json_put_text(w, SLICE("name"), run->name);
    json_put_text(w, SLICE("state"), slice_str(state_of(run)));
    put_json_or_null(w, SLICE("request"), run->request);
    put_json_or_null(w, SLICE("response"), run->response);
    if (run->response_code != 0)
        json_put_int(w, SLICE("responseCode"), run->response_code);
    else
        json_put_null(w, SLICE("responseCode"));
    app_put_text_or_null(w, SLICE("failure"), run->failure);
    json_put_text(w, SLICE("by"), run->actor);
    app_put_time(w, SLICE("begun"), run->begun_at);
    app_put_time(w, SLICE("ended"), run->ended_at);
    json_close(w, '}');
}

static void on_run(void *context, enum status status, const struct command_run *run,
                   const struct fault *why)
{
    struct app_list *list = context;
    char number[APP_NUMBER_MAX];

    if (!run) {
        app_list_end(list, status, why);
        return;
    }
    if (app_list_row(list, app_number_text(run->number, number)))
        write_run(&list->w, run);
}

void app_commands_list(struct exchange *x)
{
    struct command_filter filter = {.device_id = x->bound[0]};
    struct app_list *list = app_list_begin(x);

    if (!list)
        return;
    filter.limit = list->limit;
    if (list->after.len > 0 && !(slice_to_i64(list->after, &filter.before) && filter.before > 0)) {
        const struct fault why = {ST_BAD_REQUEST, "after is none of ours"};

        app_list_end(list, ST_BAD_REQUEST, &why);
        return;
    }
    central_command_list(x->front->options.central, &filter, on_run, list);
}
