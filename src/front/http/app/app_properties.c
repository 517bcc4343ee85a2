/* Properties and settings of a device as screens show them: each with what was asked for, what the
 * device says, and whether the two have met. */
#include "central/property/properties.h"
#include "front/http/application.h"

static void put_tree(struct json_writer *w, slice name, const struct json *value)
{
    if (value)
        json_put_raw(w, name, value->raw);
    else
        json_put_null(w, name);
}

static void put_number(struct json_writer *w, slice name, bool is_known, int64_t number)
{
    if (is_known)
        json_put_int(w, name, number);
    else
        json_put_null(w, name);
}

static void put_model(struct json_writer *w, const struct property *p)
{
    const struct dtdl_typed *typed = p->content ? &p->content->typed : NULL;

    json_put_bool(w, SLICE("modeled"), typed != NULL);
    app_put_text_or_null(w, SLICE("displayName"),
                         typed ? typed->element.display_name.text : (slice){0});
    app_put_text_or_null(w, SLICE("schema"),
                         typed && typed->schema
                             ? slice_str(dtdl_schema_kind_name(typed->schema->kind))
                             : (slice){0});
    app_put_text_or_null(w, SLICE("unit"), typed ? typed->unit : (slice){0});
}

static bool on_property(void *context, const struct property *p)
{
    struct json_writer *w = context;

    json_open(w, (slice){0}, '{');
    app_put_text_or_null(w, SLICE("component"), p->component);
    json_put_text(w, SLICE("name"), p->name);
    json_put_text(w, SLICE("kind"), slice_str(property_kind_name(p->kind)));
    put_model(w, p);
    if (p->kind == PROPERTY_CLOUD) {
        put_tree(w, SLICE("value"), p->cloud);
        json_close(w, '}');
        return true;
    }
    json_put_text(w, SLICE("state"), slice_str(sync_state_name(p->state)));
    put_tree(w, SLICE("desired"), p->desired);
    put_number(w, SLICE("desiredVersion"), p->desired != NULL, p->desired_version);
    app_put_text_or_null(w, SLICE("desiredAt"), p->desired_at);
    put_tree(w, SLICE("reported"), p->report.value);
    app_put_text_or_null(w, SLICE("reportedAt"), p->reported_at);
    json_put_bool(w, SLICE("acknowledged"), p->report.has_ack);
    put_number(w, SLICE("acknowledgedVersion"), p->report.has_version, p->report.version);
    put_number(w, SLICE("code"), p->report.has_code, p->report.code);
    app_put_text_or_null(w, SLICE("description"), p->report.description);
    json_put_bool(w, SLICE("fits"), !p->content || p->fits);
    json_close(w, '}');
    return true;
}

static void on_properties(void *context, enum status status, const struct device_properties *p,
                          const struct fault *why)
{
    struct app_answer a;

    if (!app_answer_begin(&a, context, status, why))
        return;
    json_open(&a.w, (slice){0}, '{');
    json_open(&a.w, SLICE("value"), '[');
    if (!property_list(p->model, &p->sources, true, p->arena, on_property, &a.w))
        a.body.failed = true;
    json_close(&a.w, ']');
    json_close(&a.w, '}');
    app_answer_end(&a);
}

void app_properties_list(struct exchange *x)
{
    exchange_hold(x);
    central_properties_read(x->front->options.central, x->bound[0], on_properties, x);
}
