/* The DPS's device API over HTTPS (contract/provisioning.md 2.1). The enrollment is the
 * credential, so every route decides by itself. */
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "codec/wire_error.h"
#include "front/http/exchange.h"

#define DPS_BODY_MAX (96 * 1024)
#define DPS_ANSWER_MAX (64 * 1024)
#define ERROR_RETRY_AFTER_S 10

static void put_retry_after(struct exchange *x, unsigned seconds)
{
    char text[16];

    snprintf(text, sizeof text, "%u", seconds);
    exchange_header(x, "Retry-After", slice_str(text));
}

/* The error body of `r`, whose status says why; the log gets the cause. */
static void refuse(struct exchange *x, const struct registration *r, const struct fault *why)
{
    const struct wire_error *e = dps_error(r->status);
    BUF_CLEANUP struct buf body = {.max = DPS_ANSWER_MAX};
    char code[16];

    LOG_LIMITED(LOG_LEVEL_INFO, "dps_refused", LOG_STR("status", status_name(r->status)),
                LOG_STR("cause", why ? why->text : ""), LOG_TEXT("peer", exchange_peer(x)),
                LOG_TEXT("trace", exchange_id(x)));
    registration_write_json(r, false, exchange_id(x), clock_wall_ms(), &body);
    snprintf(code, sizeof code, "%d", r->error_code ? r->error_code : e->code);
    exchange_header(x, "x-ms-error-code", slice_str(code));
    exchange_answer(x, e->http_status, buf_slice(&body));
}

static void answer_error(struct exchange *x, enum status status, const struct fault *why)
{
    struct registration r = {.status = status};

    if (status == ST_BAD_REQUEST && why) /* never why a credential failed */
        r.error_message = slice_str(why->text);
    refuse(x, &r, why);
}

/* The URL of the register call, as Azure's Location names it. */
static void put_location(struct exchange *x)
{
    BUF_CLEANUP struct buf url = {.max = 4096};

    buf_printf(&url, "https://%.*s/", SLICE_FMT(x->request->host));
    percent_encode(x->path.segments[0], &url);
    buf_append_str(&url, "/registrations/");
    percent_encode(x->path.segments[2], &url);
    buf_append_str(&url, "/register");
    exchange_header(x, "Location", buf_slice(&url));
}

static void answer(struct exchange *x, const struct registration *r, const struct fault *why,
                   bool bare)
{
    BUF_CLEANUP struct buf body = {.max = DPS_ANSWER_MAX};
    bool assigning = r->status == ST_OK && r->state == REG_ASSIGNING;

    if (!exchange_is_wanted(x))
        return;
    if (r->status != ST_OK) {
        if (r->retry_after_s > 0 || r->status == ST_UNAVAILABLE)
            put_retry_after(x, r->retry_after_s ? r->retry_after_s : ERROR_RETRY_AFTER_S);
        refuse(x, r, why);
        return;
    }
    http_connection_set_authenticated(x->connection);
    registration_write_json(r, bare, exchange_id(x), clock_wall_ms(), &body);
    if (assigning) {
        put_retry_after(x, r->retry_after_s);
        put_location(x);
    }
    exchange_answer(x, assigning ? 202 : 200, buf_slice(&body));
}

static void on_operation(void *context, const struct registration *r, const struct fault *why)
{
    struct exchange *x = context;

    answer(x, r, why, false);
    exchange_release(x);
}

static void on_lookup(void *context, const struct registration *r, const struct fault *why)
{
    struct exchange *x = context;

    answer(x, r, why, true);
    exchange_release(x);
}

/* "2019-03-31", with "-preview" or without; absent or anything else is refused. */
static bool api_version_is_date(slice version)
{
    static const char form[] = "dddd-dd-dd";

    if (slice_ends_with(version, SLICE("-preview")))
        version.len -= sizeof "-preview" - 1;
    if (version.len != sizeof form - 1)
        return false;
    for (size_t i = 0; i < version.len; i++) {
        bool digit = version.ptr[i] >= '0' && version.ptr[i] <= '9';

        if (form[i] == 'd' ? !digit : version.ptr[i] != '-')
            return false;
    }
    return true;
}

static bool read_request(struct exchange *x, struct registration_request *ret)
{
    struct fault why;
    slice version = {0};

    if (!exchange_query(x, SLICE("api-version"), &version) || !api_version_is_date(version)) {
        fault_set(&why, ST_BAD_REQUEST, "api-version is missing or no date");
        exchange_answer_error(x, ST_BAD_REQUEST, &why);
        return false;
    }
    *ret = (struct registration_request){
        .id_scope = x->path.segments[0],
        .registration_id = x->path.segments[2],
        .sas_token = http_header(x->request, SLICE("Authorization")),
        .certificate = exchange_certificate(x),
        .intermediates = exchange_intermediates(x),
        .body = buf_slice(&x->body),
        .protocol = SLICE("https"),
        .address = exchange_peer(x),
        .now = clock_wall_ms(),
    };
    return true;
}

static void on_register(struct exchange *x)
{
    struct registration_request request;

    if (!read_request(x, &request))
        return;
    exchange_hold(x);
    registration_register(x->front->options.provisioning, &request, on_operation, x);
}

static void on_status(struct exchange *x)
{
    struct registration_request request;

    if (!read_request(x, &request))
        return;
    exchange_hold(x);
    registration_status(x->front->options.provisioning, &request, x->path.segments[4], on_operation,
                        x);
}

static void on_state_lookup(struct exchange *x)
{
    struct registration_request request;

    if (!read_request(x, &request))
        return;
    exchange_hold(x);
    registration_lookup(x->front->options.provisioning, &request, on_lookup, x);
}

static const struct http_route routes[] = {
    {HTTP_PUT, "{}/registrations/{}/register", ROUTE_OPEN, on_register},
    {HTTP_GET, "{}/registrations/{}/operations/{}", ROUTE_OPEN, on_status},
    {HTTP_POST, "{}/registrations/{}", ROUTE_OPEN, on_state_lookup},
};

const struct http_family dps_family = {
    .routes = routes,
    .route_count = COUNT_OF(routes),
    .body_max = DPS_BODY_MAX,
    .nocase = true,
    .answer_error = answer_error,
};
