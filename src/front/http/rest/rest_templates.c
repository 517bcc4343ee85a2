/* Device templates of the compatible REST API: those that are published. */
#include "central/template/template.h"
#include "front/http/application.h"
#include "front/http/rest.h"

/* What may stand behind the last item of a page: its etag, and the link to the next. */
#define PAGE_END_MAX (32 * 1024)

static struct central *central_of(const struct exchange *x)
{
    return x->front->options.central;
}

/* --- list, get -------------------------------------------------------------------------------- */

/* A page ends before it gets too large for an answer; one document always fits. */
static bool on_row(void *context, enum status status, const struct template *t)
{
    struct rest_list *list = context;
    size_t len = list->text.len;

    if (!t) {
        rest_list_end(list, status, NULL);
        return false;
    }
    if (list->count > 0 && len + t->document.len > REST_ANSWER_MAX - PAGE_END_MAX) {
        list->has_more = true;
        return false;
    }
    if (!rest_list_row(list, t->id))
        return false;
    if (list->w.after_value)
        buf_append_byte(&list->text, ',');
    app_write_template_document(t, &list->text);
    list->w.after_value = true;
    return true;
}

/* Neither filters nor orders are named for templates (contract/central.md 6.1). */
static bool asks_for_more(struct exchange *x)
{
    static const char *const names[] = {"$filter", "filter", "$orderby", "orderby"};
    slice value;

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (exchange_query(x, slice_str(names[i]), &value))
            return true;
    }
    return false;
}

static void templates_list(struct exchange *x)
{
    struct rest_list *list;

    if (asks_for_more(x)) {
        app_answer_error_as(x, 400, "InvalidParameter",
                            "device templates can be neither filtered nor ordered");
        return;
    }
    list = rest_list_begin(x);
    if (!list)
        return;
    const struct template_filter filter = {
        .after = list->after,
        .limit = list->limit,
        .only_published = true,
        .part = TEMPLATE_PUBLISHED,
    };
    central_template_page(central_of(x), &filter, on_row, list);
}

static void on_template(void *context, enum status status, const struct template *t,
                        const struct fault *why)
{
    BUF_CLEANUP struct buf body = {.max = REST_ANSWER_MAX};

    if (t)
        app_write_template_document(t, &body);
    rest_end(context, status, &body, why);
}

static void templates_get(struct exchange *x)
{
    exchange_hold(x);
    central_template_get(central_of(x), x->bound[0], TEMPLATE_PUBLISHED, on_template, x);
}

/* --- put, patch, delete ----------------------------------------------------------------------- */

static void on_done(void *context, enum status status, const struct template_result *r,
                    const struct fault *why)
{
    BUF_CLEANUP struct buf body = {.max = REST_ANSWER_MAX};
    struct exchange *x = context;

    if (status == ST_OK) {
        if (r->template)
            app_write_template_document(r->template, &body);
        rest_end(x, ST_OK, r->template ? &body : NULL, why);
        return;
    }
    app_answer_template_error(x, status, r, why);
    exchange_release(x);
}

static void act(struct exchange *x, enum template_act act)
{
    struct template_request request = {
        .id = x->bound[0],
        .must_be_new = act == TEMPLATE_PUT && exchange_wants_new(x),
        .force = app_is_forced(x),
    };

    if (act != TEMPLATE_DELETE)
        request.given = buf_slice(&x->body);
    if (!app_read_version(x, NULL, &request.version))
        return;
    exchange_hold(x);
    central_template_act(central_of(x), act, &request, on_done, x);
}

static void templates_put(struct exchange *x)
{
    act(x, TEMPLATE_PUT);
}

static void templates_patch(struct exchange *x)
{
    act(x, TEMPLATE_PATCH);
}

static void templates_delete(struct exchange *x)
{
    act(x, TEMPLATE_DELETE);
}

/* --- schemas ---------------------------------------------------------------------------------- */

static const struct rest_schema schemas[] = {
    {"DeviceTemplate", "'@type','displayName','capabilityModel'",
     "'@id':{'type':'string'},"
     "'@type':{'type':'array','items':{'type':'string'}},"
     "'@context':{'type':'array','items':{'type':'string'}},"
     "'displayName':{'type':'string'},'description':{'type':'string'},"
     "'capabilityModel':{'type':'object'},'etag':{'type':'string'}"},
};

/* --- routes ----------------------------------------------------------------------------------- */

/* clang-format off */
static const struct rest_route routes[] = {
    {{HTTP_GET,    "deviceTemplates",    PERM_TEMPLATES_VIEW,   templates_list},   "DeviceTemplates_List",   NULL,             "DeviceTemplateCollection", 200, 0},
    {{HTTP_GET,    "deviceTemplates/{}", PERM_TEMPLATES_VIEW,   templates_get},    "DeviceTemplates_Get",    NULL,             "DeviceTemplate", 200, 0},
    {{HTTP_PUT,    "deviceTemplates/{}", PERM_TEMPLATES_MANAGE, templates_put},    "DeviceTemplates_Create", "DeviceTemplate", "DeviceTemplate", 200, REST_FORCED},
    {{HTTP_PATCH,  "deviceTemplates/{}", PERM_TEMPLATES_MANAGE, templates_patch},  "DeviceTemplates_Update", "DeviceTemplate", "DeviceTemplate", 200, REST_FORCED},
    {{HTTP_DELETE, "deviceTemplates/{}", PERM_TEMPLATES_MANAGE, templates_delete}, "DeviceTemplates_Remove", NULL,             NULL, 204, 0},
};
/* clang-format on */

const struct rest_table rest_templates = {routes, COUNT_OF(routes), schemas, COUNT_OF(schemas)};
