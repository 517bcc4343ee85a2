/* Twin reads and reports, desired changes, direct methods: topics in, topics out (hub-device.md
 * 2.11, 2.12). Everything a device is sent here goes at QoS 0. */
#include "front/mqtt/hub_device.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "codec/wire_error.h"
#include "crypto/crypto.h"

#define TWIN_BODY_MAX (96 * 1024) /* SECURITY-MODEL 6 */

static struct buf *topic_start(struct hub_device *d)
{
    struct buf *topic = &mqtt_connection_scratch(d->connection)->topic;

    buf_clear(topic);
    return topic;
}

static void publish(struct hub_device *d, const struct buf *topic, slice payload)
{
    if (!topic->failed)
        mqtt_connection_publish(d->connection, buf_slice(topic), payload, 0, false, 0);
}

/* --- requests under way ----------------------------------------------------------------------- */

static struct hub_request *request_create(struct hub_device *d, slice rid)
{
    struct hub_request *r = malloc(sizeof *r + rid.len);

    if (!r)
        return NULL;
    r->device = d;
    r->rid = slice_of(r + 1, rid.len);
    if (rid.len)
        memcpy(r + 1, rid.ptr, rid.len);
    r->next = d->requests;
    d->requests = r;
    return r;
}

/* Off the list, for an answer: publishing may close the connection, which ends what is on it. */
static void request_take(struct hub_device *d, struct hub_request *r)
{
    struct hub_request **at = &d->requests;

    while (*at != r)
        at = &(*at)->next;
    *at = r->next;
}

/* The hub calls back for none of them once the session is closed. */
void hub_requests_end(struct hub_device *d)
{
    while (d->requests) {
        struct hub_request *r = d->requests;

        request_take(d, r);
        free(r);
    }
}

static bool wants_answer(const struct hub_device *d)
{
    return mqtt_connection_is_open(d->connection) && (d->subscriptions & SUB_TWIN_RES);
}

/* $iothub/twin/res/{status}/?$rid={rid} with the JSON of 2.11: some SDKs look at the one, some at
 * the other. */
static void answer_error(struct hub_device *d, slice rid, enum status status, slice cause)
{
    const struct wire_error *e = hub_error(status);
    BUF_CLEANUP struct buf body = {.max = 4096};
    struct buf *topic = topic_start(d);
    char tracking[UUID_LEN];

    random_uuid(tracking);
    wire_error_write(e, cause, slice_of(tracking, UUID_LEN), clock_wall_ms(), &body);
    buf_printf(topic, "$iothub/twin/res/%d/?$rid=", e->http_status);
    buf_append(topic, rid);
    LOG_LIMITED(LOG_LEVEL_INFO, "twin_refused", LOG_TEXT("device", d->session.device_id),
                LOG_STR("status", status_name(status)), LOG_TEXT("cause", cause),
                LOG_TEXT("trace", slice_of(tracking, UUID_LEN)));
    publish(d, topic, buf_slice(&body));
}

/* --- twin ------------------------------------------------------------------------------------- */

static void on_document(void *context, enum status status, slice document)
{
    struct hub_request *r = context;
    struct hub_device *d = r->device;

    request_take(d, r);
    if (wants_answer(d) && status == ST_OK) {
        struct buf *topic = topic_start(d);

        buf_append_str(topic, "$iothub/twin/res/200/?$rid=");
        buf_append(topic, r->rid);
        publish(d, topic, document);
    } else if (wants_answer(d)) {
        answer_error(d, r->rid, status, (slice){0});
    }
    free(r);
}

void hub_on_twin_get(struct hub_device *d, slice rid)
{
    struct hub_request *r = request_create(d, rid);

    if (!r)
        mqtt_connection_close(d->connection);
    else
        twin_read(&d->session, on_document, r);
}

static void on_reported(void *context, uint64_t token, enum status status, int64_t version,
                        const struct fault *why)
{
    struct hub_device *d = context;
    struct hub_request *r = (struct hub_request *)(uintptr_t)token;

    request_take(d, r);
    if (wants_answer(d) && status == ST_OK) {
        struct buf *topic = topic_start(d);

        buf_append_str(topic, "$iothub/twin/res/204/?$rid=");
        buf_append(topic, r->rid);
        buf_printf(topic, "&$version=%" PRId64, version);
        publish(d, topic, (slice){0});
    } else if (wants_answer(d)) {
        answer_error(d, r->rid, status, why ? slice_str(why->text) : (slice){0});
    }
    free(r);
}

void hub_on_twin_report(struct hub_device *d, const struct hub_topic *topic, slice patch)
{
    struct hub_request *r;

    if (patch.len > TWIN_BODY_MAX) {
        if (wants_answer(d))
            answer_error(d, topic->rid, ST_TOO_LARGE, (slice){0});
        return;
    }
    r = request_create(d, topic->rid);
    if (!r)
        mqtt_connection_close(d->connection);
    else
        twin_report(&d->session, patch, topic->has_version, (int64_t)topic->version, on_reported, d,
                    (uintptr_t)r);
}

void hub_deliver_desired(struct session *s, int64_t version, slice patch)
{
    struct hub_device *d = hub_device_of(s);
    struct buf *topic;

    if (!mqtt_connection_is_open(d->connection))
        return;
    topic = topic_start(d);
    buf_printf(topic, "$iothub/twin/PATCH/properties/desired/?$version=%" PRId64, version);
    publish(d, topic, patch);
}

/* --- methods ---------------------------------------------------------------------------------- */

void hub_invoke_method(struct session *s, slice rid, slice name, slice payload)
{
    struct hub_device *d = hub_device_of(s);
    struct buf *topic;

    if (!mqtt_connection_is_open(d->connection))
        return;
    topic = topic_start(d);
    buf_append_str(topic, "$iothub/methods/POST/");
    buf_append(topic, name);
    buf_append_str(topic, "/?$rid=");
    buf_append(topic, rid);
    publish(d, topic, payload.len > 0 ? payload : SLICE("null"));
}
