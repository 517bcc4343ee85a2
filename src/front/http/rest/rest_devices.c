/* Devices of the compatible REST API. */
#include "codec/odata_filter.h"
#include "front/http/application.h"
#include "front/http/rest.h"
#include "identity/access/organization.h"

static struct central *central_of(const struct exchange *x)
{
    return x->front->options.central;
}

static struct identity *identity_of(const struct exchange *x)
{
    return x->front->options.identity;
}

/* --- writing (1.5) ---------------------------------------------------------------------------- */

static bool is_enabled(const struct device *d)
{
    return d->approved && !d->blocked;
}

static void put_if_any(struct json_writer *w, slice name, slice text)
{
    if (text.len > 0)
        json_put_text(w, name, text);
}

void rest_write_device(struct json_writer *w, const struct device *d)
{
    json_open(w, (slice){0}, '{');
    json_put_text(w, SLICE("id"), d->id);
    app_put_etag(w, d->version);
    json_put_text(w, SLICE("displayName"), d->display_name);
    put_if_any(w, SLICE("template"), d->template_id);
    json_put_bool(w, SLICE("enabled"), is_enabled(d));
    json_put_bool(w, SLICE("provisioned"), d->provisioned);
    json_put_bool(w, SLICE("simulated"), d->simulated);
    if (d->organization.len > 0) {
        json_open(w, SLICE("organizations"), '[');
        json_put_text(w, (slice){0}, d->organization);
        json_close(w, ']');
    }
    json_close(w, '}');
}

/* --- list ------------------------------------------------------------------------------------- */

enum field {
    FIELD_ID,
    FIELD_DISPLAY_NAME,
    FIELD_ENABLED,
    FIELD_PROVISIONED,
    FIELD_SIMULATED,
    FIELD_TEMPLATE,
    FIELD_SCOPES,
    FIELD_ORGANIZATIONS,
    FIELD_TYPE,
    FIELD_COUNT
};

static const struct odata_field fields[] = {
    [FIELD_ID] = {"id", ODATA_TEXT},
    [FIELD_DISPLAY_NAME] = {"displayName", ODATA_TEXT},
    [FIELD_ENABLED] = {"enabled", ODATA_BOOL},
    [FIELD_PROVISIONED] = {"provisioned", ODATA_BOOL},
    [FIELD_SIMULATED] = {"simulated", ODATA_BOOL},
    [FIELD_TEMPLATE] = {"template", ODATA_TEXT},
    [FIELD_SCOPES] = {"scopes", ODATA_TEXT}, /* two names of one thing */
    [FIELD_ORGANIZATIONS] = {"organizations", ODATA_TEXT},
    [FIELD_TYPE] = {"type", ODATA_TEXT},
};
_Static_assert(COUNT_OF(fields) == FIELD_COUNT, "a value for each field");

struct device_page {
    struct rest_list *list;
    enum device_order order;
    struct odata_filter filter;
};

static struct odata_value text_or_null(slice text)
{
    return (struct odata_value){text.len > 0 ? ODATA_TEXT : ODATA_NULL, false, text};
}

static struct odata_value flag(bool value)
{
    return (struct odata_value){ODATA_BOOL, value, {0}};
}

static bool fits(void *context, const struct device *d)
{
    const struct device_page *page = context;
    const struct odata_value row[] = {
        [FIELD_ID] = text_or_null(d->id),
        [FIELD_DISPLAY_NAME] = text_or_null(d->display_name),
        [FIELD_ENABLED] = flag(is_enabled(d)),
        [FIELD_PROVISIONED] = flag(d->provisioned),
        [FIELD_SIMULATED] = flag(d->simulated),
        [FIELD_TEMPLATE] = text_or_null(d->template_id),
        [FIELD_SCOPES] = text_or_null(d->organization),
        [FIELD_ORGANIZATIONS] = text_or_null(d->organization),
        [FIELD_TYPE] = text_or_null(d->iot_edge ? SLICE("EdgeDevice") : (slice){0}),
    };

    return odata_filter_fits(&page->filter, row);
}

/* "{ID}" or, in order of names, "{ID}/{name}": an ID has no slash. */
static slice place_of(const struct device_page *page, const struct device *d, struct buf *to)
{
    buf_append(to, d->id);
    if (page->order != DEVICE_BY_ID) {
        buf_append_byte(to, '/');
        buf_append(to, d->display_name);
    }
    return buf_slice(to);
}

static void on_row(void *context, enum status status, const struct device *d)
{
    BUF_CLEANUP struct buf place = {.max = 4096};
    struct device_page *page = context;

    if (!d)
        rest_list_end(page->list, status, NULL);
    else if (rest_list_row(page->list, place_of(page, d, &place)))
        rest_write_device(&page->list->w, d);
}

static bool wrong_parameter(struct exchange *x, const struct fault *why)
{
    app_answer_error_as(x, 400, "InvalidParameter", why->text);
    return false;
}

static bool read_filter(struct exchange *x, struct odata_filter *ret)
{
    struct fault why;
    slice text;

    if (!exchange_query(x, SLICE("$filter"), &text) && !exchange_query(x, SLICE("filter"), &text))
        return true;
    return odata_filter_parse(text, fields, COUNT_OF(fields), &x->arena, ret, &why) == ST_OK ||
           wrong_parameter(x, &why);
}

static bool read_order(struct exchange *x, enum device_order *ret)
{
    bool is_descending;
    struct fault why;
    slice text;

    *ret = DEVICE_BY_ID;
    if (!exchange_query(x, SLICE("$orderby"), &text) && !exchange_query(x, SLICE("orderby"), &text))
        return true;
    if (odata_order_parse(text, SLICE("displayName"), &is_descending, &why) != ST_OK)
        return wrong_parameter(x, &why);
    *ret = is_descending ? DEVICE_BY_NAME_DOWN : DEVICE_BY_NAME;
    return true;
}

/* What the index of parts of names is asked for. */
#define SEARCH_MAX 512

static bool is_searchable(slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < ' ')
            return false;
    }
    return text.len <= SEARCH_MAX;
}

/* What every row that fits must be picks the index. */
static void narrow(const struct odata_filter *f, struct device_filter *to)
{
    struct odata_value value;
    slice part;

    if ((odata_filter_demands_part(f, FIELD_ID, &part) ||
         odata_filter_demands_part(f, FIELD_DISPLAY_NAME, &part)) &&
        is_searchable(part))
        to->search = part;

    if (odata_filter_demands(f, FIELD_TEMPLATE, &value)) {
        to->unassociated = value.kind == ODATA_NULL;
        to->template_id = value.text;
    }
}

static void devices_list(struct exchange *x)
{
    struct device_page *page = arena_alloc(&x->arena, sizeof *page);
    struct device_filter filter = {.status = -1, .within = slice_str(x->principal.organization)};

    if (!page) {
        exchange_answer_error(x, ST_NO_MEMORY, NULL);
        return;
    }
    if (!read_filter(x, &page->filter) || !read_order(x, &page->order))
        return;
    page->list = rest_list_begin(x);
    if (!page->list)
        return;
    filter.limit = page->list->limit;
    filter.order = page->order;
    filter.after_name = page->list->after;
    filter.after = slice_split(&filter.after_name, '/');
    if (page->filter.count > 0) {
        filter.fits = fits;
        filter.fits_context = page;
        narrow(&page->filter, &filter);
    }
    device_list(identity_of(x), &filter, on_row, page);
}

/* --- get -------------------------------------------------------------------------------------- */

static void on_got(void *context, enum status status, const struct device *d)
{
    BUF_CLEANUP struct buf body = {.max = REST_ANSWER_MAX};
    struct json_writer w = {.to = &body};

    if (d)
        rest_write_device(&w, d);
    rest_end(context, status, &body, NULL);
}

static void devices_get(struct exchange *x)
{
    exchange_hold(x);
    device_find(identity_of(x), x->bound[0], on_got, x);
}

/* --- put, patch ------------------------------------------------------------------------------- */

/* body -> its organization is looked up -> the device as it is -> added, or changed */
struct device_call {
    struct exchange *x;
    bool may_add, must_be_new;
    bool has_simulated, simulated;
    struct device_edit edit;
};

static void refuse(struct device_call *call, enum status status, const char *sentence)
{
    struct fault why;

    fault_set(&why, status, "%s", sentence);
    exchange_answer_error(call->x, status, &why);
    exchange_release(call->x);
}

static void on_changed(void *context, enum status status, const struct device_view *v,
                       const struct fault *why)
{
    BUF_CLEANUP struct buf body = {.max = REST_ANSWER_MAX};
    struct json_writer w = {.to = &body};
    struct device_call *call = context;

    if (v)
        rest_write_device(&w, v->device);
    rest_end(call->x, rest_status_of_put(call->x, status), &body, why);
}

static void add(struct device_call *call)
{
    struct exchange *x = call->x;
    const struct device_edit *e = &call->edit;
    const struct device_add a = {
        .id = x->bound[0],
        .display_name = e->display_name,
        .template_id = e->template_id,
        .simulated = call->simulated,
        .origin = ORIGIN_API,
        .organization = e->set & DEVICE_EDIT_ORGANIZATION
                            ? e->organization
                            : organization_of_path(slice_str(x->principal.organization)),
        .blocked = (e->set & DEVICE_EDIT_ENABLED) && !e->enabled,
    };

    if (e->version > 0)
        refuse(call, ST_PRECONDITION_FAILED, "there is no such device");
    else
        central_device_add(central_of(x), &a, on_changed, call);
}

/* Blocking and approving want their own permission, as everywhere. Who lacks it may say how it is,
 * and then leaves it so, whatever becomes of the device meanwhile. */
static bool may_edit(struct device_call *call, const struct device *d)
{
    const struct principal *p = &call->x->principal;
    struct device_edit *e = &call->edit;

    if (!may_do(p, PERM_DEVICES_UPDATE))
        return false;
    if (!(e->set & DEVICE_EDIT_ENABLED) || may_do(p, PERM_CONNECTIVITY_MANAGE_INSTANCE))
        return true;
    e->set &= ~(unsigned)DEVICE_EDIT_ENABLED;
    return e->enabled == is_enabled(d);
}

/* Whose it is was looked at before; it may have been made meanwhile. */
static void edit(struct device_call *call, const struct device *d)
{
    slice within = slice_str(call->x->principal.organization);

    if (!organization_covers(within, d->organization_path))
        refuse(call, ST_DEVICE_NOT_FOUND, "no such device");
    else if (!may_edit(call, d))
        refuse(call, ST_FORBIDDEN,
               may_do(&call->x->principal, PERM_DEVICES_UPDATE)
                   ? "you lack connectivity.manageInstance"
                   : "you lack devices.update");
    else if (call->has_simulated && call->simulated != d->simulated)
        refuse(call, ST_BAD_REQUEST, "whether a device is simulated cannot change");
    else
        central_device_edit(central_of(call->x), call->x->bound[0], &call->edit, on_changed, call);
}

static void on_device(void *context, enum status status, const struct device *d)
{
    struct device_call *call = context;

    if (status == ST_OK && call->must_be_new)
        refuse(call, ST_PRECONDITION_FAILED, "there is a device of that ID already");
    else if (status == ST_OK)
        edit(call, d);
    else if (status == ST_DEVICE_NOT_FOUND && call->may_add)
        add(call);
    else
        refuse(call, status, status == ST_DEVICE_NOT_FOUND ? "no such device" : "");
}

static void begin(struct device_call *call)
{
    device_find(identity_of(call->x), call->x->bound[0], on_device, call);
}

static void on_organization(void *context, enum status status, const struct organization *o,
                            const struct fault *why)
{
    struct device_call *call = context;

    (void)o;
    if (status == ST_OK) {
        begin(call);
    } else if (status == ST_NOT_FOUND) {
        refuse(call, ST_BAD_REQUEST, "organizations names none of yours");
    } else {
        exchange_answer_error(call->x, status, why);
        exchange_release(call->x);
    }
}

/* One of them or none; null and an empty list are the application itself. */
static bool read_organizations(struct exchange *x, const struct json *body, struct device_edit *e)
{
    const struct json *list = json_member(body, SLICE("organizations"));

    if (!list)
        return true;
    e->set |= DEVICE_EDIT_ORGANIZATION;
    if (list->kind == JSON_NULL || (list->kind == JSON_ARRAY && !list->first))
        return true;
    if (list->kind != JSON_ARRAY || list->first->next || list->first->kind != JSON_STRING)
        return rest_wrong(x, "organizations is a list of one ID, or empty");
    e->organization = list->first->text;
    return true;
}

static bool read_body(struct exchange *x, const struct json *body, struct device_call *call)
{
    struct device_edit *e = &call->edit;
    bool has_enabled;

    if (!rest_read_text(x, body, "displayName", &e->display_name) ||
        !rest_read_text(x, body, "template", &e->template_id) ||
        !rest_read_flag(x, body, "enabled", &has_enabled, &e->enabled) ||
        !rest_read_flag(x, body, "simulated", &call->has_simulated, &call->simulated) ||
        !read_organizations(x, body, e))
        return false;
    e->set |= (e->display_name.ptr ? DEVICE_EDIT_NAME : 0u) |
              (e->template_id.ptr ? DEVICE_EDIT_TEMPLATE : 0u) |
              (has_enabled ? DEVICE_EDIT_ENABLED : 0u);
    e->version = rest_version(x, body);
    return true;
}

static void put_device(struct exchange *x, bool may_add)
{
    struct device_call *call = arena_alloc(&x->arena, sizeof *call);
    struct json *body;
    bool moves;

    if (!call) {
        exchange_answer_error(x, ST_NO_MEMORY, NULL);
        return;
    }
    call->x = x;
    call->may_add = may_add;
    call->must_be_new = may_add && exchange_wants_new(x);
    if (!exchange_json(x, &body) || !read_body(x, body, call))
        return;
    exchange_hold(x);
    moves = call->edit.set & DEVICE_EDIT_ORGANIZATION;
    if (moves && call->edit.organization.len > 0)
        organization_get(identity_of(x), &x->principal, call->edit.organization, on_organization,
                         call);
    else if (moves && x->principal.organization[0])
        refuse(call, ST_FORBIDDEN, "the application itself is not yours");
    else
        begin(call);
}

static void devices_put(struct exchange *x)
{
    put_device(x, true);
}

static void devices_patch(struct exchange *x)
{
    put_device(x, false);
}

/* --- delete ----------------------------------------------------------------------------------- */

static void on_deleted(void *context, enum status status, const struct device_view *v,
                       const struct fault *why)
{
    (void)v;
    rest_end(context, status, NULL, why);
}

static void devices_delete(struct exchange *x)
{
    exchange_hold(x);
    central_device_act(central_of(x), x->bound[0], ACT_DELETE, (slice){0}, on_deleted, x);
}

/* --- schemas ---------------------------------------------------------------------------------- */

static const struct rest_schema schemas[] = {
    {"Device", "",
     "'id':{'type':'string','readOnly':true},'etag':{'type':'string'},"
     "'displayName':{'type':'string','maxLength':148},'template':{'type':'string'},"
     "'enabled':{'type':'boolean'},'provisioned':{'type':'boolean','readOnly':true},"
     "'simulated':{'type':'boolean'},"
     "'organizations':{'type':'array','maxItems':1,'items':{'type':'string'}}"},
};

/* --- routes ----------------------------------------------------------------------------------- */

/* clang-format off */
static const struct rest_route routes[] = {
    {{HTTP_GET,    "devices",    PERM_DEVICES_VIEW,   devices_list}, "Devices_List",   NULL,     "DeviceCollection", 200, REST_FILTERED},
    {{HTTP_GET,    "devices/{}", PERM_DEVICES_VIEW,   devices_get},       "Devices_Get",    NULL,     "Device",           200, 0},
    {{HTTP_PUT,    "devices/{}", PERM_DEVICES_CREATE, devices_put},       "Devices_Create", "Device", "Device",           200, 0},
    {{HTTP_PATCH,  "devices/{}", PERM_DEVICES_UPDATE, devices_patch},     "Devices_Update", "Device", "Device",           200, 0},
    {{HTTP_DELETE, "devices/{}", PERM_DEVICES_DELETE, devices_delete},    "Devices_Remove", NULL,     NULL,               204, 0},
};
/* clang-format on */

const struct rest_table rest_devices = {routes, COUNT_OF(routes), schemas, COUNT_OF(schemas)};
