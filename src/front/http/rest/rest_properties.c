/* Properties and settings of devices in the compatible REST API (contract/central.md 7.4). */
#include "base/text.h"
#include "central/property/properties.h"
#include "front/http/application.h"
#include "front/http/rest.h"

static struct central *central_of(const struct exchange *x)
{
    return x->front->options.central;
}

/* Of the routes of components the second, else none. */
static slice component_of(const struct exchange *x)
{
    return x->bound[1];
}

/* --- reading -----------------------------------------------------------------------------------
 */

/* One object for the device and one inside for each component: the values as they come, the
 * metadata of each behind its last. */
struct writing {
    struct json_writer w;
    slice only;           /* this component; empty: the device with all */
    slice component;      /* whose object is open */
    struct json_writer m; /* members of its `$metadata` */
};

static void begin_object(struct writing *to, slice name)
{
    json_open(&to->w, name, '{');
    buf_clear(to->m.to);
    to->m.after_value = false;
}

static void put_metadata(struct writing *to)
{
    struct buf *metadata = to->m.to;

    if (metadata->len > 0) {
        json_open(&to->w, SLICE("$metadata"), '{');
        buf_append(to->w.to, buf_slice(metadata));
        json_close(&to->w, '}');
    }
    to->w.to->failed |= metadata->failed;
    buf_clear(metadata);
}

static void put_tree(struct json_writer *w, slice name, const struct json *value)
{
    json_put_raw(w, name, value->raw);
}

static void put_facts(struct json_writer *w, const struct property *p)
{
    json_open(w, p->name, '{');
    if (p->reported_at.len > 0)
        json_put_text(w, SLICE("lastUpdateTime"), p->reported_at);
    if (p->desired) {
        put_tree(w, SLICE("desiredValue"), p->desired);
        json_put_int(w, SLICE("desiredVersion"), p->desired_version);
    }
    if (p->report.has_version)
        json_put_int(w, SLICE("ackVersion"), p->report.version);
    if (p->report.has_code)
        json_put_int(w, SLICE("ackCode"), p->report.code);
    if (p->report.description.len > 0)
        json_put_text(w, SLICE("ackDescription"), p->report.description);
    json_close(w, '}');
}

/* The device's own come first, so its metadata stands before its components. */
static bool on_property(void *context, const struct property *p)
{
    struct writing *to = context;
    const struct json *value = property_value(p);

    if (to->only.len > 0 && !slice_equal(p->component, to->only))
        return true;
    if (to->only.len == 0 && !slice_equal(p->component, to->component)) {
        put_metadata(to);
        if (to->component.len > 0)
            json_close(&to->w, '}');
        to->component = p->component;
        begin_object(to, p->component);
    }
    if (value)
        put_tree(&to->w, p->name, value);
    if (p->kind != PROPERTY_CLOUD)
        put_facts(&to->m, p);
    return true;
}

static enum status write_properties(const struct device_properties *p, slice component,
                                    struct buf *body, struct fault *why)
{
    BUF_CLEANUP struct buf metadata = {.max = REST_ANSWER_MAX};
    struct writing to = {.w = {.to = body}, .m = {.to = &metadata}, .only = component};
    bool is_done;

    if (component.len > 0 && p->model->root && !device_model_has_component(p->model, component))
        return fault_set(why, ST_NOT_FOUND, "the device has no such component");
    begin_object(&to, (slice){0});
    is_done = property_list(p->model, &p->sources, false, p->arena, on_property, &to);
    put_metadata(&to);
    if (to.component.len > 0)
        json_close(&to.w, '}');
    json_close(&to.w, '}');
    return is_done ? ST_OK : ST_NO_MEMORY;
}

static void on_properties(void *context, enum status status, const struct device_properties *p,
                          const struct fault *why)
{
    BUF_CLEANUP struct buf body = {.max = REST_ANSWER_MAX};
    struct exchange *x = context;
    struct fault cause = *why;

    if (status == ST_OK)
        status = write_properties(p, component_of(x), &body, &cause);
    rest_end(x, status, &body, &cause);
}

static void properties_get(struct exchange *x)
{
    exchange_hold(x);
    central_properties_read(central_of(x), x->bound[0], on_properties, x);
}

/* --- writing -----------------------------------------------------------------------------------
 */

static void on_written(void *context, enum status status, slice answer, const struct fault *why)
{
    struct exchange *x = context;

    if (status == ST_OK)
        exchange_answer(x, 202, answer);
    else
        exchange_answer_error(x, status, why);
    exchange_release(x);
}

static void write(struct exchange *x, bool replace)
{
    const struct properties_write w = {
        .device_id = x->bound[0],
        .component = component_of(x),
        .body = x->body.len > 0 ? buf_slice(&x->body) : SLICE("{}"),
        .replace = replace,
    };

    if (!utf8_valid(w.component)) {
        exchange_answer_error(x, ST_NOT_FOUND, NULL);
        return;
    }
    exchange_hold(x);
    central_properties_write(central_of(x), &w, on_written, x);
}

/* They are there as soon as the device is. */
static void properties_put(struct exchange *x)
{
    const struct fault there = {ST_PRECONDITION_FAILED, "a device always has its properties"};

    if (exchange_wants_new(x))
        exchange_answer_error(x, ST_PRECONDITION_FAILED, &there);
    else
        write(x, true);
}

static void properties_patch(struct exchange *x)
{
    write(x, false);
}

/* --- schemas and routes ------------------------------------------------------------------------
 */

static const struct rest_schema schemas[] = {
    {"DeviceProperties", NULL,
     "{'type':'object','properties':{'$metadata':{'type':'object','additionalProperties':"
     "@PropertyMetadata}},'additionalProperties':true}"},
    {"PropertyMetadata", "",
     "'lastUpdateTime':{'type':'string'},'desiredValue':{},"
     "'desiredVersion':{'type':'integer'},'ackVersion':{'type':'integer'},"
     "'ackCode':{'type':'integer'},'ackDescription':{'type':'string'}"},
};

/* clang-format off */
static const struct rest_route routes[] = {
    {{HTTP_GET,   "devices/{}/properties",               PERM_DEVICES_VIEW,   properties_get},   "Devices_GetProperties",              NULL,               "DeviceProperties", 200, 0},
    {{HTTP_PUT,   "devices/{}/properties",               PERM_DEVICES_UPDATE, properties_put},   "Devices_ReplaceProperties",          "DeviceProperties", "DeviceProperties", 202, 0},
    {{HTTP_PATCH, "devices/{}/properties",               PERM_DEVICES_UPDATE, properties_patch}, "Devices_UpdateProperties",           "DeviceProperties", "DeviceProperties", 202, 0},
    {{HTTP_GET,   "devices/{}/components/{}/properties", PERM_DEVICES_VIEW,   properties_get},   "Devices_GetComponentProperties",     NULL,               "DeviceProperties", 200, 0},
    {{HTTP_PUT,   "devices/{}/components/{}/properties", PERM_DEVICES_UPDATE, properties_put},   "Devices_ReplaceComponentProperties", "DeviceProperties", "DeviceProperties", 202, 0},
    {{HTTP_PATCH, "devices/{}/components/{}/properties", PERM_DEVICES_UPDATE, properties_patch}, "Devices_UpdateComponentProperties",  "DeviceProperties", "DeviceProperties", 202, 0},
};
/* clang-format on */

const struct rest_table rest_properties = {routes, COUNT_OF(routes), schemas, COUNT_OF(schemas)};
