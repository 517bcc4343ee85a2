#include "central/template/template_views.h"

#define TITLE_MAX 512

/* --- what shows a capability ------------------------------------------------------------------ */

static bool is_number(const struct dtdl_schema *schema)
{
    return schema->kind == DTDL_DOUBLE || schema->kind == DTDL_FLOAT ||
           schema->kind == DTDL_INTEGER || schema->kind == DTDL_LONG;
}

static const char *command_tile(const struct dtdl_content *content)
{
    return content->kind == DTDL_COMMAND ? "command" : NULL;
}

static const char *telemetry_tile(const struct dtdl_content *content)
{
    unsigned markers = content->typed.element.markers;

    if (content->kind != DTDL_TELEMETRY)
        return NULL;
    if (markers & DTDL_EVENT)
        return "eventChart";
    if (markers & DTDL_STATE)
        return "stateChart";
    if ((markers & DTDL_LOCATION) || content->typed.schema->kind == DTDL_GEOPOINT)
        return "map";
    return is_number(content->typed.schema) ? "lineChart" : "lastKnownValue";
}

/* Cloud properties are the application's, and say nothing about the device. */
static const char *property_tile(const struct dtdl_content *content)
{
    if (content->kind != DTDL_PROPERTY || (content->typed.element.markers & DTDL_CLOUD))
        return NULL;
    return "property";
}

static const struct view {
    const char *name, *display_name;
    const char *(*tile)(const struct dtdl_content *content); /* NULL: not shown here */
} views[] = {
    {"commands", "Commands", command_tile},
    {"overview", "Overview", telemetry_tile},
    {"about", "About", property_tile},
};

/* --- tiles ------------------------------------------------------------------------------------ */

struct tiles {
    struct json_writer *w;
    const struct view *view;
    size_t end; /* of the view, in bytes: there is no tile from here on */
};

static bool is_full(const struct tiles *t)
{
    return t->w->to->len >= t->end;
}

static void write_tile(struct tiles *t, slice component, const struct dtdl_content *content)
{
    const char *type = t->view->tile(content);
    slice title = content->typed.element.display_name.text;

    if (!type || is_full(t))
        return;
    json_open(t->w, (slice){0}, '{');
    json_put_text(t->w, SLICE("type"), slice_str(type));
    json_put_text(t->w, SLICE("component"), component.len > 0 ? component : SLICE(""));
    json_put_text(t->w, SLICE("name"), content->typed.element.name);
    if (title.len > 0 && title.len <= TITLE_MAX)
        json_put_text(t->w, SLICE("displayName"), title);
    json_close(t->w, '}');
}

static void write_component(struct tiles *t, const struct dtdl_content *component)
{
    const struct dtdl_interface *interface = component->interface;

    if (component->kind != DTDL_COMPONENT || !interface)
        return;
    for (size_t i = 0; i < interface->all_count && !is_full(t); i++)
        write_tile(t, component->typed.element.name, interface->all[i]);
}

static void write_view(struct json_writer *w, const struct view *view,
                       const struct dtdl_interface *root)
{
    struct tiles t = {.w = w, .view = view, .end = w->to->len + TEMPLATE_VIEW_BYTES};

    json_open(w, (slice){0}, '{');
    json_put_text(w, SLICE("name"), slice_str(view->name));
    json_put_text(w, SLICE("displayName"), slice_str(view->display_name));
    json_open(w, SLICE("tiles"), '[');
    for (size_t i = 0; i < root->all_count; i++)
        write_tile(&t, (slice){0}, root->all[i]);
    for (size_t i = 0; i < root->all_count; i++)
        write_component(&t, root->all[i]);
    json_close(w, ']');
    json_close(w, '}');
}

void template_views_write(const struct dtdl_model *model, struct buf *to)
{
    struct json_writer w = {.to = to};

    json_open(&w, (slice){0}, '[');
    for (size_t i = 0; i < COUNT_OF(views); i++)
        write_view(&w, &views[i], model->root);
    json_close(&w, ']');
}
