/* Commands of devices in the compatible REST API (contract/central.md 7.3). */
#include <inttypes.h>
#include <stdio.h>

#include "base/text.h"
#include "central/property/commands.h"
#include "front/http/application.h"
#include "front/http/rest.h"

/* What may stand behind the last item of a page. */
#define PAGE_END_MAX (32 * 1024)

static struct central *central_of(const struct exchange *x)
{
    return x->front->options.central;
}

/* "devices/{}/commands/{}" and "devices/{}/components/{}/commands/{}". */
static bool names_component(const struct exchange *x)
{
    return x->bound[2].len > 0;
}

static slice component_of(const struct exchange *x)
{
    return names_component(x) ? x->bound[1] : (slice){0};
}

static slice command_of(const struct exchange *x)
{
    return names_component(x) ? x->bound[2] : x->bound[1];
}

static void write_run(struct json_writer *w, const struct command_run *run)
{
    json_open(w, (slice){0}, '{');
    json_put_text(w, SLICE("id"), run->id);
    json_put_int(w, SLICE("connectionTimeout"), run->connect_timeout_s);
    json_put_int(w, SLICE("responseTimeout"), run->response_timeout_s);
    if (run->request.len > 0)
        json_put_raw(w, SLICE("request"), run->request);
    if (run->response.len > 0)
        json_put_raw(w, SLICE("response"), run->response);
    if (run->response_code != 0)
        json_put_int(w, SLICE("responseCode"), run->response_code);
    json_close(w, '}');
}

/* --- run ----------------------------------------------------------------------------------------
 */

static void on_run(void *context, enum status status, const struct command_run *run,
                   const struct fault *why)
{
    BUF_CLEANUP struct buf body = {.max = REST_ANSWER_MAX};
    struct json_writer w = {.to = &body};
    struct exchange *x = context;

    if (status == ST_OK) {
        write_run(&w, run);
        rest_answer(x, 201, &body);
    } else if (status == ST_NOT_ONLINE) { /* the word of this API */
        app_answer_error_as(x, 404, "NotFound", why->text);
    } else {
        exchange_answer_error(x, status, why);
    }
    exchange_release(x);
}

static bool read_timeout(struct exchange *x, const struct json *body, slice name, int64_t *to)
{
    return !json_member(body, name) || json_get_int(body, name, to) ||
           rest_wrong(x, "connectionTimeout and responseTimeout are whole seconds");
}

static void commands_run(struct exchange *x)
{
    struct command_request request = {
        .device_id = x->bound[0],
        .component = component_of(x),
        .name = command_of(x),
        .response_timeout_s = COMMAND_TIMEOUT_MAX_S,
        .actor = slice_str(x->principal.name),
    };
    const struct json *parameter;
    struct json *body;

    if (!exchange_json(x, &body) ||
        !read_timeout(x, body, SLICE("connectionTimeout"), &request.connect_timeout_s) ||
        !read_timeout(x, body, SLICE("responseTimeout"), &request.response_timeout_s))
        return;
    if (!utf8_valid(request.component) || !utf8_valid(request.name)) {
        exchange_answer_error(x, ST_NOT_FOUND, NULL);
        return;
    }
    parameter = json_member(body, SLICE("request"));
    if (parameter)
        request.request = parameter->raw;
    exchange_hold(x);
    central_command_run(central_of(x), &request, on_run, x);
}

/* --- history -------------------------------------------------------------------------------------
 */

/* A page ends before it gets too large for an answer; one run always fits. */
static bool is_full(struct rest_list *list, const struct command_run *run)
{
    if (list->count > 0 &&
        list->text.len + run->request.len + run->response.len > REST_ANSWER_MAX - PAGE_END_MAX)
        list->has_more = true;
    return list->has_more;
}

static void on_listed(void *context, enum status status, const struct command_run *run,
                      const struct fault *why)
{
    struct rest_list *list = context;
    char number[APP_NUMBER_MAX];

    if (!run) {
        rest_list_end(list, status, why);
        return;
    }
    if (is_full(list, run))
        return;
    if (rest_list_row(list, app_number_text(run->number, number)))
        write_run(&list->w, run);
}

static void commands_list(struct exchange *x)
{
    struct command_filter filter = {
        .device_id = x->bound[0], .component = component_of(x), .name = command_of(x)};
    struct rest_list *list = rest_list_begin(x);

    if (!list)
        return;
    filter.limit = list->limit;
    if (list->after.len > 0 && !(slice_to_i64(list->after, &filter.before) && filter.before > 0)) {
        const struct fault why = {ST_BAD_REQUEST, "the $skiptoken is none of ours"};

        rest_list_end(list, ST_BAD_REQUEST, &why);
        return;
    }
    central_command_list(central_of(x), &filter, on_listed, list);
}

/* --- schemas and routes ------------------------------------------------------------------------
 */

static const struct rest_schema schemas[] = {
    {"DeviceCommand", "",
     "'id':{'type':'string','readOnly':true},'request':{},"
     "'connectionTimeout':{'type':'integer','minimum':0,'maximum':30},"
     "'responseTimeout':{'type':'integer','minimum':5,'maximum':30},"
     "'response':{'readOnly':true},'responseCode':{'type':'integer','readOnly':true}"},
};

/* clang-format off */
static const struct rest_route routes[] = {
    {{HTTP_GET,  "devices/{}/commands/{}",               PERM_DEVICES_VIEW,    commands_list}, "Devices_GetCommandHistory",          NULL,            "DeviceCommandCollection", 200, 0},
    {{HTTP_POST, "devices/{}/commands/{}",               PERM_DEVICES_COMMAND, commands_run},  "Devices_RunCommand",                 "DeviceCommand", "DeviceCommand",           201, 0},
    {{HTTP_GET,  "devices/{}/components/{}/commands/{}", PERM_DEVICES_VIEW,    commands_list}, "Devices_GetComponentCommandHistory", NULL,            "DeviceCommandCollection", 200, 0},
    {{HTTP_POST, "devices/{}/components/{}/commands/{}", PERM_DEVICES_COMMAND, commands_run},  "Devices_RunComponentCommand",        "DeviceCommand", "DeviceCommand",           201, 0},
};
/* clang-format on */

const struct rest_table rest_commands = {routes, COUNT_OF(routes), schemas, COUNT_OF(schemas)};
