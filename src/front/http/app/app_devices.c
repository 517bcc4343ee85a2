/* Devices as the operator sees them, and what the operator does with them. */
#include "front/http/application.h"
#include "identity/access/organization.h"
#include "provisioning/hub_refusal.h"

static struct central *central_of(struct exchange *x)
{
    return x->front->options.central;
}

/* --- writing --------------------------------------------------------------------------------- */

/* Behind the members: an attempt, null for none. */
static void write_attempt(struct json_writer *w, const struct device_attempt *a,
                          const struct attempt *steps)
{
    struct attempt last = {
        .at = a->at,
        .result = a->result,
        .reason = a->reason,
        .protocol = a->protocol,
        .address = a->address,
    };

    /* The device's own row may be the older one, as not every failure is worth a change of it. */
    if (steps && steps->at >= a->at)
        last = *steps;
    if (last.at == 0) {
        json_put_null(w, SLICE("lastProvisioningAttempt"));
        return;
    }
    json_open(w, SLICE("lastProvisioningAttempt"), '{');
    app_put_attempt(w, &last);
    json_put_int(w, SLICE("count"), a->count);
    json_close(w, '}');
}

static void write_enrollment(struct json_writer *w, const struct device *d)
{
    if (d->enrollment_kind == ENROLLMENT_NONE) {
        json_put_null(w, SLICE("enrollment"));
        return;
    }
    json_open(w, SLICE("enrollment"), '{');
    json_put_text(w, SLICE("kind"),
                  d->enrollment_kind == ENROLLMENT_GROUP ? SLICE("group") : SLICE("individual"));
    json_put_text(w, SLICE("id"), d->enrollment_id);
    json_close(w, '}');
}

static void write_connection(struct json_writer *w, const struct device_view *v)
{
    json_put_bool(w, SLICE("connected"), v->connected);
    app_put_time(w, SLICE("lastActivity"), v->last_activity_at);
    if (!v->connected) {
        json_put_null(w, SLICE("connection"));
        return;
    }
    json_open(w, SLICE("connection"), '{');
    json_put_text(w, SLICE("protocol"), v->protocol);
    app_put_text_or_null(w, SLICE("clientType"), v->client_type);
    app_put_text_or_null(w, SLICE("peer"), v->peer);
    json_close(w, '}');
}

/* All but the last attempt, into an open object. Who is connected is asked for one device at a
 * time; a list does not say. */
static void write_members(struct json_writer *w, const struct device_view *v, bool in_list)
{
    const struct device *d = v->device;

    json_put_text(w, SLICE("id"), d->id);
    json_put_text(w, SLICE("displayName"), d->display_name);
    json_put_text(w, SLICE("status"), slice_str(device_status_name(v->status)));
    json_put_bool(w, SLICE("approved"), d->approved);
    json_put_bool(w, SLICE("blocked"), d->blocked);
    json_put_bool(w, SLICE("provisioned"), d->provisioned);
    json_put_bool(w, SLICE("enabled"), d->enabled);
    json_put_bool(w, SLICE("simulated"), d->simulated);
    app_put_text_or_null(w, SLICE("template"), d->template_id);
    json_put_bool(w, SLICE("associated"), d->template_id.len > 0);
    json_put_text(w, SLICE("origin"), slice_str(device_origin_name(d->origin)));
    app_put_text_or_null(w, SLICE("refusal"), slice_str(v->refusal));
    if (!in_list)
        write_connection(w, v);
    app_put_text_or_null(w, SLICE("modelId"), d->model_id);
    app_put_text_or_null(w, SLICE("organization"), d->organization);
    json_put_text(w, SLICE("hub"), d->hub);
    write_enrollment(w, d);
    app_put_authentication(w, d);
    app_put_time(w, SLICE("created"), d->created_at);
    app_put_time(w, SLICE("firstProvisioned"), d->first_provisioned_at);
    app_put_etag(w, d->version);
}

static void write_device(struct json_writer *w, const struct device_view *v, bool in_list)
{
    json_open(w, (slice){0}, '{');
    write_members(w, v, in_list);
    write_attempt(w, &v->device->attempt, NULL);
    json_close(w, '}');
}

static void on_view(void *context, enum status status, const struct device_view *v,
                    const struct fault *why)
{
    struct exchange *x = context;
    struct app_answer a;

    if (status == ST_OK && (!v || !v->device)) {
        exchange_answer(x, 204, (slice){0});
        exchange_release(x);
    } else if (app_answer_begin(&a, x, status, why)) {
        write_device(&a.w, v, false);
        app_answer_end(&a);
    }
}

/* --- get, list ------------------------------------------------------------------------------- */

#define ATTEMPTS_LOOKED_AT 20 /* for the last one of each service */

/* The device, then its last attempt to register, with its steps, and the last time that the hub
 * turned it away. */
struct device_page {
    struct exchange *x;
    struct buf body;
    struct json_writer w;
    struct device_attempt last;
    bool has_attempt, has_refusal; /* are written */
};

static void put_attempt(struct device_page *page, const struct attempt *a)
{
    if (!page->has_attempt)
        write_attempt(&page->w, &page->last, a);
    page->has_attempt = true;
}

static void put_refusal(struct device_page *page, const struct attempt *a)
{
    struct json_writer *w = &page->w;

    if (page->has_refusal)
        return;
    page->has_refusal = true;
    if (!a) {
        json_put_null(w, SLICE("lastHubRefusal"));
        return;
    }
    json_open(w, SLICE("lastHubRefusal"), '{');
    app_put_attempt(w, a);
    json_close(w, '}');
}

static void on_attempt(void *context, enum status status, const struct attempt *a)
{
    struct device_page *page = context;
    struct exchange *x = page->x;

    if (a && slice_equal(a->result, SLICE(HUB_REFUSAL_RESULT))) {
        put_refusal(page, a);
        return;
    }
    if (a) {
        put_attempt(page, a);
        return;
    }
    put_attempt(page, NULL);
    put_refusal(page, NULL);
    json_close(&page->w, '}');
    if (status == ST_OK)
        app_answer_object(x, &page->body);
    else
        exchange_answer_error(x, status, NULL);
    buf_deinit(&page->body);
    exchange_release(x);
}

static void keep_last_attempt(struct device_page *page, const struct device_attempt *a)
{
    struct arena *arena = &page->x->arena;

    page->last = *a;
    page->last.result = arena_copy(arena, a->result);
    page->last.reason = arena_copy(arena, a->reason);
    page->last.protocol = arena_copy(arena, a->protocol);
    page->last.address = arena_copy(arena, a->address);
}

static void on_page_view(void *context, enum status status, const struct device_view *v,
                         const struct fault *why)
{
    struct device_page *page = context;
    struct exchange *x = page->x;
    const struct device *d;

    if (status != ST_OK) {
        exchange_answer_error(x, status, why);
        exchange_release(x);
        return;
    }
    d = v->device;
    page->w.to = &page->body;
    json_open(&page->w, (slice){0}, '{');
    write_members(&page->w, v, false);
    keep_last_attempt(page, &d->attempt);
    /* The name it registers by: with an enrollment of its own, that one's. */
    attempt_list(x->front->options.store,
                 d->enrollment_kind == ENROLLMENT_INDIVIDUAL ? d->enrollment_id : d->id, 0,
                 ATTEMPTS_LOOKED_AT, on_attempt, page);
}

void app_device_get(struct exchange *x)
{
    struct device_page *page = arena_alloc(&x->arena, sizeof *page);

    if (!page) {
        exchange_answer_error(x, ST_NO_MEMORY, NULL);
        return;
    }
    page->x = x;
    buf_init(&page->body, APP_ANSWER_MAX);
    exchange_hold(x);
    central_device_get(central_of(x), x->bound[0], on_page_view, page);
}

/* What the next page goes on after: the ID, behind the name where the order is by that. */
static slice place_of(struct exchange *x, const struct device *d, struct buf *to)
{
    slice order;

    if (!exchange_query(x, SLICE("order"), &order) || slice_equal(order, SLICE("id")))
        return d->id;
    buf_append(to, d->display_name);
    buf_append_byte(to, '\n');
    buf_append(to, d->id);
    return buf_slice(to);
}

static void on_row(void *context, enum status status, const struct device_view *v,
                   const struct fault *why)
{
    BUF_CLEANUP struct buf place = {.max = 1024};
    struct app_list *list = context;

    if (!v) {
        app_list_end(list, status, why);
        return;
    }
    if (!app_list_row(list, place_of(list->x, v->device, &place)))
        return;
    write_device(&list->w, v, true);
}

bool app_read_device_status(struct exchange *x, slice name, int *ret)
{
    struct fault why;

    for (int s = DEVICE_REGISTERED; s <= DEVICE_WAITING; s++) {
        if (slice_equal(name, slice_str(device_status_name((enum device_status)s)))) {
            *ret = s;
            return true;
        }
    }
    fault_set(&why, ST_BAD_REQUEST, "status must be registered, provisioned, blocked or waiting");
    exchange_answer_error(x, ST_BAD_REQUEST, &why);
    return false;
}

bool app_read_device_search(struct exchange *x, slice text, slice *ret)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < ' ')
            return app_wrong(x, "search is a part of a name or an ID: no control characters");
    }
    *ret = text;
    return (text.len > 0 && text.len <= APP_SEARCH_MAX) ||
           app_wrong(x, "search is a part of a name or an ID, of 1 to 512 bytes");
}

bool app_read_device_filter(struct exchange *x, struct device_filter *ret)
{
    slice flag = {0}, status, search;

    *ret = (struct device_filter){.status = -1, .within = slice_str(x->principal.organization)};
    ret->unassociated =
        exchange_query(x, SLICE("unassociated"), &flag) && slice_equal(flag, SLICE("true"));
    if (!exchange_query(x, SLICE("template"), &ret->template_id))
        ret->template_id = (slice){0};
    return (!exchange_query(x, SLICE("status"), &status) ||
            app_read_device_status(x, status, &ret->status)) &&
           (!exchange_query(x, SLICE("search"), &search) ||
            app_read_device_search(x, search, &ret->search));
}

static bool read_order(struct exchange *x, slice after, struct device_filter *ret)
{
    static const struct {
        const char *name;
        enum device_order order;
    } orders[] = {{"id", DEVICE_BY_ID}, {"name", DEVICE_BY_NAME}, {"-name", DEVICE_BY_NAME_DOWN}};
    slice order = SLICE("id");
    size_t at, known = 0;

    (void)exchange_query(x, SLICE("order"), &order);
    while (known < COUNT_OF(orders) && !slice_equal(order, slice_str(orders[known].name)))
        known++;
    if (known == COUNT_OF(orders))
        return app_wrong(x, "order is id, name or -name");
    ret->order = orders[known].order;
    ret->after = after;
    if (ret->order == DEVICE_BY_ID || after.len == 0)
        return true;
    if (!slice_find(after, '\n', &at))
        return app_wrong(x, "after is what `next` of the page before was");
    ret->after_name = slice_first(after, at);
    ret->after = slice_from(after, at + 1);
    return true;
}

void app_devices_list(struct exchange *x)
{
    struct device_filter filter;
    struct app_list *list;
    slice after = {0};

    (void)exchange_query(x, SLICE("after"), &after);
    if (!app_read_device_filter(x, &filter) || !read_order(x, after, &filter))
        return;
    list = app_list_begin(x);
    if (!list)
        return;
    filter.limit = list->limit;
    central_device_list(central_of(x), &filter, on_row, list);
}

/* --- acts ------------------------------------------------------------------------------------ */

static void add(struct exchange *x, slice id)
{
    struct device_add a = {
        .id = id,
        .origin = ORIGIN_API,
        .organization = organization_of_path(slice_str(x->principal.organization)),
    };
    struct json *body;

    if (!exchange_json(x, &body))
        return;
    json_get_text(body, SLICE("displayName"), &a.display_name);
    json_get_text(body, SLICE("template"), &a.template_id);
    json_get_bool(body, SLICE("simulated"), &a.simulated);
    if (id.len == 0)
        json_get_text(body, SLICE("id"), &a.id);
    if (!app_read_authentication(x, body, &a))
        return;
    exchange_hold(x);
    central_device_add(central_of(x), &a, on_view, x);
}

void app_device_put(struct exchange *x)
{
    add(x, x->bound[0]);
}

void app_device_create(struct exchange *x)
{
    add(x, (slice){0});
}

static void act(struct exchange *x, enum device_act act, slice template_id)
{
    exchange_hold(x);
    central_device_act(central_of(x), x->bound[0], act, template_id, on_view, x);
}

void app_device_delete(struct exchange *x)
{
    act(x, ACT_DELETE, (slice){0});
}

void app_device_approve(struct exchange *x)
{
    act(x, ACT_APPROVE, (slice){0});
}

void app_device_block(struct exchange *x)
{
    act(x, ACT_BLOCK, (slice){0});
}

void app_device_unblock(struct exchange *x)
{
    act(x, ACT_UNBLOCK, (slice){0});
}

void app_device_deprovision(struct exchange *x)
{
    act(x, ACT_DEPROVISION, (slice){0});
}

void app_device_associate(struct exchange *x)
{
    struct json *body;
    struct fault why;
    slice template_id;

    if (!exchange_json(x, &body))
        return;
    if (json_get_text(body, SLICE("template"), &template_id) && template_id.len > 0) {
        act(x, ACT_ASSOCIATE, template_id);
        return;
    }
    fault_set(&why, ST_BAD_REQUEST, "send {\"template\": \"ID of a published template\"}");
    exchange_answer_error(x, ST_BAD_REQUEST, &why);
}
