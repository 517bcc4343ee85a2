/* Health for anyone, metrics for a token holder, and a word for browsers that come too early. */
#include "base/metrics.h"
#include "front/http/exchange.h"
#include "identity/access/api_token.h"

#define METRICS_MAX (256 * 1024)

static void answer_error(struct exchange *x, enum status status, const struct fault *why)
{
    (void)why;
    exchange_answer_as(x,
                       status == ST_UNAUTHORIZED         ? 401
                       : status == ST_FORBIDDEN          ? 403
                       : status == ST_METHOD_NOT_ALLOWED ? 405
                       : status == ST_BAD_REQUEST        ? 400
                                                         : 404,
                       SLICE("text/plain; charset=utf-8"), slice_str(status_name(status)));
}

static void on_health(struct exchange *x)
{
    exchange_answer(x, 200, SLICE("{\"status\":\"ok\"}"));
}

/* Ready: the store takes writes. A stranger learns no more than that. */
static void on_ready(struct exchange *x)
{
    bool full = store_is_full(x->front->options.store);

    exchange_answer(x, full ? 503 : 200,
                    full ? SLICE("{\"status\":\"degraded\"}") : SLICE("{\"status\":\"ok\"}"));
}

static void on_principal(void *context, enum status status, const struct principal *p,
                         const struct fault *why)
{
    struct exchange *x = context;
    BUF_CLEANUP struct buf text = {.max = METRICS_MAX};

    if (status != ST_OK || !may_do(p, PERM_METRICS_VIEW)) {
        exchange_answer_error(x, status != ST_OK ? status : ST_FORBIDDEN, why);
    } else {
        metrics_print(&text);
        exchange_answer_as(x, 200, SLICE("text/plain; version=0.0.4; charset=utf-8"),
                           buf_slice(&text));
    }
    exchange_release(x);
}

static void on_metrics(struct exchange *x)
{
    exchange_hold(x);
    api_token_authenticate(x->front->options.identity,
                           http_header(x->request, SLICE("Authorization")), on_principal, x);
}

static void on_root(struct exchange *x)
{
    exchange_answer_as(x, 200, SLICE("text/plain; charset=utf-8"),
                       SLICE("Muster. Devices provision and connect here; the REST API is under "
                             "/api/muster/v1.\n"));
}

/* Where links of the web app lead until it stands. */
static void on_page(struct exchange *x)
{
    exchange_answer_as(x, 404, SLICE("text/plain; charset=utf-8"),
                       SLICE("This version has no pages yet. A link with a code behind its # is "
                             "redeemed by the API: docs/sign-in.md shows the two commands.\n"));
}

static const struct http_route routes[] = {
    {HTTP_GET, "", ROUTE_OPEN, on_root},        {HTTP_GET, "healthz", ROUTE_OPEN, on_health},
    {HTTP_GET, "readyz", ROUTE_OPEN, on_ready}, {HTTP_GET, "metrics", ROUTE_OPEN, on_metrics},
    {HTTP_GET, "app", ROUTE_OPEN, on_page},     {HTTP_GET, "app/{}", ROUTE_OPEN, on_page},
};

const struct http_family operations_family = {
    .routes = routes,
    .route_count = COUNT_OF(routes),
    .body_max = 4096,
    .answer_error = answer_error,
};
