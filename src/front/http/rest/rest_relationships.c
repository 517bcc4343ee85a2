/* Relationships of the compatible REST API: gateways and what is behind them, one level a call
 * (contract/central.md 7.7). The device of the path is the source. */
#include "central/relationship.h"
#include "front/http/application.h"
#include "front/http/rest.h"

static struct central *central_of(const struct exchange *x)
{
    return x->front->options.central;
}

static slice within(const struct exchange *x)
{
    return slice_str(x->principal.organization);
}

static void write_relationship(struct json_writer *w, const struct relationship *r)
{
    json_open(w, (slice){0}, '{');
    json_put_text(w, SLICE("id"), r->id);
    json_put_text(w, SLICE("source"), r->source);
    json_put_text(w, SLICE("target"), r->target);
    json_close(w, '}');
}

/* --- list, get -------------------------------------------------------------------------------- */

static void on_row(void *context, enum status status, const struct relationship *r,
                   const struct fault *why)
{
    struct rest_list *list = context;

    if (!r)
        rest_list_end(list, status, why);
    else if (rest_list_row(list, r->id))
        write_relationship(&list->w, r);
}

static void on_source(void *context, enum status status, const struct device *d)
{
    struct rest_list *list = context;
    const struct exchange *x = list->x;
    const struct relationship_query query = {
        .source = x->bound[0],
        .within = within(x),
        .after = list->after,
        .limit = list->limit,
    };

    (void)d;
    if (status == ST_OK)
        relationship_list(central_of(x), &query, on_row, list);
    else
        rest_list_end(list, status, NULL);
}

static void relationships_list(struct exchange *x)
{
    struct rest_list *list = rest_list_begin(x);

    if (list)
        device_find(x->front->options.identity, x->bound[0], on_source, list);
}

static void on_relationship(void *context, enum status status, const struct relationship *r,
                            const struct fault *why)
{
    BUF_CLEANUP struct buf body = {.max = REST_ANSWER_MAX};
    struct json_writer w = {.to = &body};

    if (r)
        write_relationship(&w, r);
    rest_end(context, status, &body, why);
}

static void relationships_get(struct exchange *x)
{
    exchange_hold(x);
    relationship_get(central_of(x), x->bound[0], x->bound[1], within(x), on_relationship, x);
}

/* --- put, patch, delete ----------------------------------------------------------------------- */

/* False after a 400. */
static bool read_body(struct exchange *x, struct relationship *ret)
{
    struct json *body;
    slice source;

    *ret = (struct relationship){.id = x->bound[1], .source = x->bound[0]};
    if (!exchange_json(x, &body) || !rest_read_text(x, body, "source", &source) ||
        !rest_read_text(x, body, "target", &ret->target))
        return false;
    return !source.ptr || slice_equal_nocase(source, x->bound[0]) ||
           rest_wrong(x, "source must be the device of the path");
}

static void put(struct exchange *x)
{
    struct relationship r;

    if (read_body(x, &r) &&
        (r.target.len > 0 || rest_wrong(x, "target must be the ID of a device")))
        relationship_put(central_of(x), &r, within(x), on_relationship, x);
    else
        exchange_release(x);
}

static void on_looked(void *context, enum status status, const struct relationship *was,
                      const struct fault *why)
{
    struct fault there;

    (void)was;
    if (status == ST_NOT_FOUND) {
        put(context);
        return;
    }
    if (status == ST_OK) {
        status = fault_set(&there, ST_PRECONDITION_FAILED, "there is one of that ID already");
        why = &there;
    }
    rest_end(context, status, NULL, why);
}

static void relationships_put(struct exchange *x)
{
    exchange_hold(x);
    if (exchange_wants_new(x))
        relationship_get(central_of(x), x->bound[0], x->bound[1], within(x), on_looked, x);
    else
        put(x);
}

/* What there is: now its target may change. */
static void on_patched(void *context, enum status status, const struct relationship *was,
                       const struct fault *why)
{
    struct exchange *x = context;
    struct relationship r;

    if (status != ST_OK) {
        rest_end(x, status, NULL, why);
        return;
    }
    if (!read_body(x, &r)) {
        exchange_release(x);
        return;
    }
    if (r.target.len == 0)
        r.target = arena_copy(&x->arena, was->target);
    relationship_put(central_of(x), &r, within(x), on_relationship, x);
}

static void relationships_patch(struct exchange *x)
{
    exchange_hold(x);
    relationship_get(central_of(x), x->bound[0], x->bound[1], within(x), on_patched, x);
}

static void on_deleted(void *context, enum status status, const struct relationship *r,
                       const struct fault *why)
{
    (void)r;
    rest_end(context, status, NULL, why);
}

static void relationships_delete(struct exchange *x)
{
    exchange_hold(x);
    relationship_delete(central_of(x), x->bound[0], x->bound[1], on_deleted, x);
}

/* --- schemas ---------------------------------------------------------------------------------- */

static const struct rest_schema schemas[] = {
    {"DeviceRelationship", "",
     "'id':{'type':'string','readOnly':true},'source':{'type':'string'},"
     "'target':{'type':'string'}"},
};

/* --- routes ----------------------------------------------------------------------------------- */

/* clang-format off */
static const struct rest_route routes[] = {
    {{HTTP_GET,    "devices/{}/relationships",    PERM_DEVICES_VIEW,   relationships_list},   "Devices_ListRelationships",  NULL,                 "DeviceRelationshipCollection", 200, 0},
    {{HTTP_GET,    "devices/{}/relationships/{}", PERM_DEVICES_VIEW,   relationships_get},    "Devices_GetRelationship",    NULL,                 "DeviceRelationship",           200, 0},
    {{HTTP_PUT,    "devices/{}/relationships/{}", PERM_DEVICES_UPDATE, relationships_put},    "Devices_CreateRelationship", "DeviceRelationship", "DeviceRelationship",           200, 0},
    {{HTTP_PATCH,  "devices/{}/relationships/{}", PERM_DEVICES_UPDATE, relationships_patch},  "Devices_UpdateRelationship", "DeviceRelationship", "DeviceRelationship",           200, 0},
    {{HTTP_DELETE, "devices/{}/relationships/{}", PERM_DEVICES_UPDATE, relationships_delete}, "Devices_RemoveRelationship", NULL,                 NULL,                           204, 0},
};
/* clang-format on */

const struct rest_table rest_relationships = {routes, COUNT_OF(routes), schemas, COUNT_OF(schemas)};
