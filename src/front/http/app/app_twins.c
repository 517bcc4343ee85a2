/* Twins, direct methods and cloud-to-device messages: the back end's side, in our own API. */
#include <inttypes.h>

#include "base/text.h"
#include "front/http/application.h"
#include "hub/c2d.h"
#include "hub/method.h"
#include "hub/twin.h"

#define METHOD_TIMEOUT_DEFAULT_S 30

static struct hub *hub_of(struct exchange *x)
{
    return x->front->options.hub;
}

static slice hub_name_of(struct exchange *x)
{
    return identity_default_hub(x->front->options.identity)->name;
}

/* "devices/{}/modules/{}/...": the second bound segment, else none. */
static slice module_of(const struct exchange *x)
{
    return x->bound[1];
}

/* --- twin ------------------------------------------------------------------------------------ */

/* {"a":1} with its metadata and version put behind the members. */
static void write_section(struct json_writer *w, slice name, slice section, slice metadata,
                          int64_t version)
{
    slice members = section.len > 2 ? slice_of(section.ptr + 1, section.len - 2) : (slice){0};

    json_open(w, name, '{');
    if (members.len > 0) {
        buf_append(w->to, members);
        w->after_value = true;
    }
    json_put_raw(w, SLICE("$metadata"), metadata.len ? metadata : SLICE("{}"));
    json_put_int(w, SLICE("$version"), version);
    json_close(w, '}');
}

static void write_twin(struct json_writer *w, const struct twin *t)
{
    json_open(w, (slice){0}, '{');
    json_put_text(w, SLICE("deviceId"), t->device_id);
    if (t->module_id.len > 0)
        json_put_text(w, SLICE("moduleId"), t->module_id);
    app_put_etag(w, t->etag);
    json_put_int(w, SLICE("version"), t->version);
    if (t->model_id.len > 0)
        json_put_text(w, SLICE("modelId"), t->model_id);
    json_put_raw(w, SLICE("tags"), t->tags.len ? t->tags : SLICE("{}"));
    json_open(w, SLICE("properties"), '{');
    write_section(w, SLICE("desired"), t->desired, t->desired_metadata, t->desired_version);
    write_section(w, SLICE("reported"), t->reported, t->reported_metadata, t->reported_version);
    json_close(w, '}');
    json_close(w, '}');
}

static void on_twin(void *context, enum status status, const struct twin *t,
                    const struct fault *why)
{
    struct app_answer a;

    if (!app_answer_begin(&a, context, status, why))
        return;
    write_twin(&a.w, t);
    app_answer_end(&a);
}

void app_twin_get(struct exchange *x)
{
    exchange_hold(x);
    twin_get(hub_of(x), hub_name_of(x), x->bound[0], module_of(x), on_twin, x);
}

static void update(struct exchange *x, bool replace)
{
    struct twin_update u = {.replace = replace};
    const struct json *tags, *desired;
    struct json *body;

    if (!exchange_json(x, &body) || !app_read_version(x, NULL, &u.etag))
        return;
    u.has_etag = u.etag != 0;
    tags = json_member(body, SLICE("tags"));
    desired = json_path(body, (slice[]){SLICE("properties"), SLICE("desired")}, 2);
    if (tags)
        u.tags = tags->raw;
    if (desired)
        u.desired = desired->raw;
    if (!tags && !desired) {
        app_wrong(x, "send tags or properties.desired");
        return;
    }
    exchange_hold(x);
    twin_update(hub_of(x), hub_name_of(x), x->bound[0], module_of(x), &u, on_twin, x);
}

void app_twin_patch(struct exchange *x)
{
    update(x, false);
}

void app_twin_put(struct exchange *x)
{
    update(x, true);
}

/* --- methods --------------------------------------------------------------------------------- */

static void on_method(void *context, enum status status, int64_t method_status, slice payload,
                      const struct fault *why)
{
    struct app_answer a;

    if (!app_answer_begin(&a, context, status, why))
        return;
    json_open(&a.w, (slice){0}, '{');
    json_put_int(&a.w, SLICE("status"), method_status);
    json_put_raw(&a.w, SLICE("payload"), payload.len ? payload : SLICE("null"));
    json_close(&a.w, '}');
    app_answer_end(&a);
}

void app_method_invoke(struct exchange *x)
{
    struct method_request request = {
        .hub_name = hub_name_of(x),
        .device_id = x->bound[0],
        .module_id = module_of(x),
        .response_timeout_s = METHOD_TIMEOUT_DEFAULT_S,
    };
    const struct json *payload;
    struct json *body;

    if (!exchange_json(x, &body))
        return;
    if (!json_get_text(body, SLICE("methodName"), &request.name)) {
        app_wrong(x, "methodName is missing");
        return;
    }
    payload = json_member(body, SLICE("payload"));
    if (payload)
        request.payload = payload->raw;
    json_get_int(body, SLICE("responseTimeoutInSeconds"), &request.response_timeout_s);
    json_get_int(body, SLICE("connectTimeoutInSeconds"), &request.connect_timeout_s);
    exchange_hold(x);
    method_invoke(hub_of(x), &request, on_method, x);
}

/* --- cloud-to-device ------------------------------------------------------------------------- */

static void on_sent(void *context, enum status status, int64_t sequence, const struct fault *why)
{
    struct app_answer a;

    if (!app_answer_begin(&a, context, status, why))
        return;
    json_open(&a.w, (slice){0}, '{');
    json_put_int(&a.w, SLICE("sequence"), sequence);
    json_close(&a.w, '}');
    app_answer_end(&a);
}

static void on_purged(void *context, enum status status, int64_t count, const struct fault *why)
{
    struct app_answer a;

    if (!app_answer_begin(&a, context, status, why))
        return;
    json_open(&a.w, (slice){0}, '{');
    json_put_int(&a.w, SLICE("purged"), count);
    json_close(&a.w, '}');
    app_answer_end(&a);
}

static void put_property(struct buf *bag, slice key, slice value)
{
    if (bag->len > 0)
        buf_append_byte(bag, '&');
    percent_encode(key, bag);
    buf_append_byte(bag, '=');
    percent_encode(value, bag);
}

/* System properties by their names on the wire, then the application's own (hub-device.md 2.8). */
static bool read_properties(struct exchange *x, const struct json *body, struct buf *bag)
{
    static const struct {
        const char *member, *key;
    } system[] = {
        {"messageId", "$.mid"},  {"correlationId", "$.cid"},  {"userId", "$.uid"},
        {"contentType", "$.ct"}, {"contentEncoding", "$.ce"}, {"expiryTimeUtc", "$.exp"},
        {"ack", "iothub-ack"},
    };
    const struct json *own = json_member(body, SLICE("properties"));
    slice value;

    for (size_t i = 0; i < COUNT_OF(system); i++) {
        if (json_get_text(body, slice_str(system[i].member), &value))
            put_property(bag, slice_str(system[i].key), value);
    }
    for (const struct json *m = own ? own->first : NULL; m; m = m->next) {
        if (m->kind != JSON_STRING)
            return app_wrong(x, "a property's value must be a string");
        put_property(bag, m->name, m->text);
    }
    return !bag->failed || app_wrong(x, "too many properties");
}

static bool read_ack(struct exchange *x, const struct json *body, struct c2d_message *m)
{
    static const char *const names[] = {
        [C2D_ACK_NONE] = "none",
        [C2D_ACK_POSITIVE] = "positive",
        [C2D_ACK_NEGATIVE] = "negative",
        [C2D_ACK_FULL] = "full",
    };
    slice name;

    if (!json_get_text(body, SLICE("ack"), &name))
        return true;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (slice_equal(name, slice_str(names[i]))) {
            m->ack = i;
            return true;
        }
    }
    return app_wrong(x, "ack must be none, positive, negative or full");
}

/* Text, or bytes as base64. */
static bool read_body(struct exchange *x, const struct json *body, slice *ret)
{
    slice text;
    uint8_t *bytes;
    size_t len;

    if (json_get_text(body, SLICE("body"), ret))
        return true;
    *ret = (slice){0};
    if (!json_get_text(body, SLICE("bodyBase64"), &text))
        return true;
    bytes = arena_alloc(&x->arena, text.len + 1);
    if (!bytes || !base64_decode(text, bytes, text.len, &len))
        return app_wrong(x, "bodyBase64 is no base64");
    *ret = slice_of(bytes, len);
    return true;
}

static bool read_expiry(struct exchange *x, const struct json *body, instant *ret)
{
    slice text;

    return !json_get_text(body, SLICE("expiryTimeUtc"), &text) || clock_parse_iso(text, ret) ||
           app_wrong(x, "expiryTimeUtc is no ISO 8601 time");
}

void app_message_send(struct exchange *x)
{
    struct c2d_message m = {
        .hub_name = hub_name_of(x),
        .device_id = x->bound[0],
        .module_id = module_of(x),
    };
    BUF_CLEANUP struct buf bag = {.max = 64 * 1024};
    struct json *body;

    if (!exchange_json(x, &body) || !read_body(x, body, &m.body) || !read_ack(x, body, &m) ||
        !read_expiry(x, body, &m.expires_at) || !read_properties(x, body, &bag))
        return;
    m.properties = buf_slice(&bag);
    exchange_hold(x);
    c2d_send(hub_of(x), &m, on_sent, x);
}

void app_messages_purge(struct exchange *x)
{
    exchange_hold(x);
    c2d_purge(hub_of(x), hub_name_of(x), x->bound[0], module_of(x), on_purged, x);
}

static void on_feedback(void *context, enum status status, const slice *record)
{
    struct app_list *list = context;

    if (!record) {
        app_list_end(list, status, NULL);
        return;
    }
    list->limit++; /* never a further page */
    json_put_raw(&list->w, (slice){0}, *record);
}

void app_feedback_list(struct exchange *x)
{
    struct app_list *list = app_list_begin(x);

    if (list)
        c2d_feedback_list(hub_of(x), hub_name_of(x), x->bound[0], on_feedback, list);
}
