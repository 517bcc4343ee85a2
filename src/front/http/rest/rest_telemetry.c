/* The last value of a telemetry, and the components of a device, in the compatible REST API. */
#include "base/text.h"
#include "central/telemetry/telemetry.h"
#include "front/http/application.h"
#include "front/http/rest.h"

#define VALUE_ARENA_MAX ((size_t)1 << 20)

static struct central *central_of(const struct exchange *x)
{
    return x->front->options.central;
}

/* --- last value ------------------------------------------------------------------------------- */

struct value_query {
    struct exchange *x;
    slice component, name;
};

static enum status find_value(const struct value_query *q, const struct device_model *m,
                              slice packed, struct last_value *ret, struct fault *why)
{
    ARENA_CLEANUP struct arena arena = {.max = VALUE_ARENA_MAX};
    struct json *value = NULL;

    if (!utf8_valid(q->component) || !utf8_valid(q->name) ||
        (m->root && telemetry_fit(m, q->component, q->name, NULL) == TELEMETRY_UNKNOWN))
        return fault_set(why, ST_NOT_FOUND, "the device's template has no such telemetry");
    if (!last_values_find(packed, q->component, q->name, ret))
        return fault_set(why, ST_NOT_FOUND, "the device has sent no such telemetry");
    if (json_parse(ret->value, JSON_LAST_WINS, &arena, &value, why) != ST_OK)
        return ST_INTERNAL;
    if (telemetry_fit(m, q->component, q->name, value) == TELEMETRY_MISMATCH)
        return fault_set(why, ST_NOT_FOUND,
                         "what the device sent last is not what its template says");
    return ST_OK;
}

static void on_last(void *context, enum status status, const struct device_model *m, slice packed,
                    int64_t mismatches, const struct fault *why)
{
    BUF_CLEANUP struct buf body = {.max = REST_ANSWER_MAX};
    struct json_writer w = {.to = &body};
    const struct value_query *q = context;
    struct last_value value;
    struct fault cause = *why;

    (void)mismatches;
    if (status == ST_OK)
        status = find_value(q, m, packed, &value, &cause);
    if (status == ST_OK) {
        json_open(&w, (slice){0}, '{');
        json_put_raw(&w, SLICE("value"), value.value);
        app_put_time(&w, SLICE("timestamp"), value.at);
        json_close(&w, '}');
    }
    rest_end(q->x, status, &body, &cause);
}

static void get_value(struct exchange *x, slice component, slice name)
{
    struct value_query *q = arena_alloc(&x->arena, sizeof *q);

    if (!q) {
        exchange_answer_error(x, ST_NO_MEMORY, NULL);
        return;
    }
    *q = (struct value_query){x, component, name};
    exchange_hold(x);
    central_telemetry_last(central_of(x), x->bound[0], on_last, q);
}

static void telemetry_get(struct exchange *x)
{
    get_value(x, (slice){0}, x->bound[1]);
}

static void component_telemetry_get(struct exchange *x)
{
    get_value(x, x->bound[1], x->bound[2]);
}

/* --- components ------------------------------------------------------------------------------- */

struct components_query {
    struct device_model model;
    struct rest_list *list;
};

static void write_component(struct json_writer *w, const struct dtdl_content *content)
{
    const struct dtdl_element *e = &content->typed.element;

    json_open(w, (slice){0}, '{');
    json_put_text(w, SLICE("@type"), SLICE("Component"));
    json_put_text(w, SLICE("name"), e->name);
    if (e->display_name.text.len > 0)
        json_put_text(w, SLICE("displayName"), e->display_name.text);
    if (e->description.text.len > 0)
        json_put_text(w, SLICE("description"), e->description.text);
    json_close(w, '}');
}

/* In the order of the model; a page goes on behind the component of that name. */
static void write_page(struct rest_list *list, const struct dtdl_interface *root)
{
    bool has_begun = list->after.len == 0;

    for (size_t i = 0; root && i < root->all_count && !list->has_more; i++) {
        const struct dtdl_content *content = root->all[i];

        if (content->kind != DTDL_COMPONENT)
            continue;
        if (has_begun && rest_list_row(list, content->typed.element.name))
            write_component(&list->w, content);
        has_begun = has_begun || slice_equal(content->typed.element.name, list->after);
    }
}

static void on_components(void *context, enum status status, const struct fault *why)
{
    struct components_query *q = context;

    if (status == ST_OK)
        write_page(q->list, q->model.root);
    device_model_deinit(&q->model);
    rest_list_end(q->list, status, why);
}

static void components_list(struct exchange *x)
{
    struct components_query *q = arena_alloc(&x->arena, sizeof *q);

    if (!q) {
        exchange_answer_error(x, ST_NO_MEMORY, NULL);
        return;
    }
    q->list = rest_list_begin(x);
    if (q->list)
        device_model_load(central_of(x), x->bound[0], &q->model, on_components, q);
}

/* --- schemas and routes ------------------------------------------------------------------------
 */

static const struct rest_schema schemas[] = {
    {"DeviceTelemetry", "", "'value':{},'timestamp':{'type':'string','format':'date-time'}"},
    {"Component", "'name'",
     "'@type':{'type':'string'},'name':{'type':'string'},'displayName':{'type':'string'},"
     "'description':{'type':'string'}"},
};

/* clang-format off */
static const struct rest_route routes[] = {
    {{HTTP_GET, "devices/{}/telemetry/{}",               PERM_DEVICES_VIEW, telemetry_get},           "Devices_GetTelemetryValue",          NULL, "DeviceTelemetry",     200, 0},
    {{HTTP_GET, "devices/{}/components",                 PERM_DEVICES_VIEW, components_list},         "Devices_ListComponents",             NULL, "ComponentCollection", 200, 0},
    {{HTTP_GET, "devices/{}/components/{}/telemetry/{}", PERM_DEVICES_VIEW, component_telemetry_get}, "Devices_GetComponentTelemetryValue", NULL, "DeviceTelemetry",     200, 0},
};
/* clang-format on */

const struct rest_table rest_telemetry = {routes, COUNT_OF(routes), schemas, COUNT_OF(schemas)};
