/* Device groups of the compatible REST API, and who belongs to them. */
#include "central/device_group.h"
#include "front/http/application.h"
#include "front/http/rest.h"

static struct central *central_of(const struct exchange *x)
{
    return x->front->options.central;
}

/* --- list, get -------------------------------------------------------------------------------- */

static void write_group(struct json_writer *w, const struct device_group *g)
{
    json_open(w, (slice){0}, '{');
    json_put_text(w, SLICE("id"), g->id);
    json_put_text(w, SLICE("displayName"), g->display_name);
    json_put_text(w, SLICE("filter"), g->filter);
    if (g->description.len > 0)
        json_put_text(w, SLICE("description"), g->description);
    app_put_etag(w, g->version);
    json_close(w, '}');
}

static void on_row(void *context, enum status status, const struct device_group *g,
                   const struct fault *why)
{
    struct rest_list *list = context;

    if (!g)
        rest_list_end(list, status, why);
    else if (rest_list_row(list, g->id))
        write_group(&list->w, g);
}

static void groups_list(struct exchange *x)
{
    struct rest_list *list = rest_list_begin(x);

    if (list)
        device_group_list(central_of(x), list->after, list->limit, on_row, list);
}

static void on_group(void *context, enum status status, const struct device_group *g,
                     const struct fault *why)
{
    BUF_CLEANUP struct buf body = {.max = REST_ANSWER_MAX};
    struct json_writer w = {.to = &body};

    if (g)
        write_group(&w, g);
    rest_end(context, status, &body, why);
}

static void groups_get(struct exchange *x)
{
    exchange_hold(x);
    device_group_get(central_of(x), x->bound[0], on_group, x);
}

/* --- put, patch, delete ----------------------------------------------------------------------- */

static void on_put(void *context, enum status status, const struct device_group *g,
                   const struct fault *why)
{
    BUF_CLEANUP struct buf body = {.max = REST_ANSWER_MAX};
    struct json_writer w = {.to = &body};

    if (g)
        write_group(&w, g);
    rest_end_change(context, status, &body, why);
}

/* Groups are the whole application's (device_group.h). */
static bool names_organization(const struct json *body)
{
    const struct json *list = json_member(body, SLICE("organizations"));

    return list && !(list->kind == JSON_ARRAY && !list->first) && list->kind != JSON_NULL;
}

static void put_group(struct exchange *x, bool must_exist)
{
    struct device_group_change change = {.id = x->bound[0],
                                         .must_exist = must_exist,
                                         .must_be_new = !must_exist && exchange_wants_new(x)};
    const struct act act = exchange_act(x);
    struct json *body;

    if (!exchange_json(x, &body) || !rest_read_text(x, body, "displayName", &change.display_name) ||
        !rest_read_text(x, body, "description", &change.description) ||
        !rest_read_text(x, body, "filter", &change.filter))
        return;
    if (names_organization(body)) {
        rest_wrong(x, "a device group is the whole application's: leave organizations empty");
        return;
    }
    if (!must_exist && !change.description.ptr)
        change.description = SLICE(""); /* a PUT says all there is to say */
    change.version = rest_version(x, body);
    exchange_hold(x);
    device_group_put(central_of(x), &act, &change, on_put, x);
}

static void groups_put(struct exchange *x)
{
    put_group(x, false);
}

static void groups_patch(struct exchange *x)
{
    put_group(x, true);
}

static void on_deleted(void *context, enum status status, const struct device_group *g,
                       const struct fault *why)
{
    (void)g;
    rest_end_change(context, status, NULL, why);
}

static void groups_delete(struct exchange *x)
{
    const struct act act = exchange_act(x);

    exchange_hold(x);
    device_group_delete(central_of(x), &act, x->bound[0], rest_version(x, NULL), on_deleted, x);
}

/* --- members ---------------------------------------------------------------------------------- */

struct member_page {
    struct rest_list *list;
    struct device_group_members members;
};

static void on_member(void *context, enum status status, const struct device *d)
{
    struct member_page *page = context;
    struct rest_list *list = page->list;

    if (d) {
        if (rest_list_row(list, d->id))
            rest_write_device(&list->w, d);
        return;
    }
    device_group_members_deinit(&page->members);
    rest_list_end(list, status, NULL);
}

static void on_group_of_members(void *context, enum status status, const struct device_group *g,
                                const struct fault *why)
{
    struct member_page *page = context;
    struct rest_list *list = page->list;
    struct device_filter filter = {.status = -1, .limit = list->limit, .after = list->after};
    struct fault wrong = {0};

    if (status != ST_OK) {
        rest_list_end(list, status, why);
        return;
    }
    status = device_group_members_init(&page->members, g->filter, &wrong);
    if (status != ST_OK) {
        rest_list_end(list, status, &wrong);
        return;
    }
    device_group_members_select(&page->members, &filter);
    device_list(list->x->front->options.identity, &filter, on_member, page);
}

static void groups_list_devices(struct exchange *x)
{
    struct member_page *page = arena_alloc(&x->arena, sizeof *page);

    if (!page) {
        exchange_answer_error(x, ST_NO_MEMORY, NULL);
        return;
    }
    page->list = rest_list_begin(x);
    if (page->list)
        device_group_get(central_of(x), x->bound[0], on_group_of_members, page);
}

/* --- schemas ---------------------------------------------------------------------------------- */

static const struct rest_schema schemas[] = {
    {"DeviceGroup", "'displayName','filter'",
     "'id':{'type':'string','readOnly':true},"
     "'displayName':{'type':'string','maxLength':148},"
     "'filter':{'type':'string','maxLength':8000,'description':"
     "'SELECT * FROM devices WHERE $template = \\\"dtmi:a:b;1\\\" AND $provisioned = true'},"
     "'description':{'type':'string','maxLength':1024},"
     "'etag':{'type':'string'},"
     "'organizations':{'type':'array','items':{'type':'string'},'maxItems':0}"},
};

/* --- routes ----------------------------------------------------------------------------------- */

/* clang-format off */
static const struct rest_route routes[] = {
    {{HTTP_GET,    "deviceGroups",            PERM_GROUPS_VIEW,   groups_list},         "DeviceGroups_List",       NULL,          "DeviceGroupCollection", 200, 0},
    {{HTTP_GET,    "deviceGroups/{}",         PERM_GROUPS_VIEW,   groups_get},          "DeviceGroups_Get",        NULL,          "DeviceGroup", 200, 0},
    {{HTTP_PUT,    "deviceGroups/{}",         PERM_GROUPS_CREATE, groups_put},          "DeviceGroups_Create",     "DeviceGroup", "DeviceGroup", 200, 0},
    {{HTTP_PATCH,  "deviceGroups/{}",         PERM_GROUPS_UPDATE, groups_patch},        "DeviceGroups_Update",     "DeviceGroup", "DeviceGroup", 200, 0},
    {{HTTP_DELETE, "deviceGroups/{}",         PERM_GROUPS_DELETE, groups_delete},       "DeviceGroups_Remove",     NULL,          NULL, 204, 0},
    {{HTTP_GET,    "deviceGroups/{}/devices", PERM_GROUPS_VIEW,   groups_list_devices}, "DeviceGroups_GetDevices", NULL,          "DeviceCollection", 200, 0},
};
/* clang-format on */

const struct rest_table rest_device_groups = {routes, COUNT_OF(routes), schemas, COUNT_OF(schemas)};
