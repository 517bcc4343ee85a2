#include "front/http/exchange.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/metrics.h"

static const struct {
    int status;
    const char *reason;
} reasons[] = {
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {302, "Found"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {409, "Conflict"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {415, "Unsupported Media Type"},
    {429, "Too Many Requests"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {507, "Insufficient Storage"},
};

static const char *reason_of(int http_status)
{
    for (size_t i = 0; i < COUNT_OF(reasons); i++) {
        if (reasons[i].status == http_status)
            return reasons[i].reason;
    }
    return "Unknown";
}

void exchange_hold(struct exchange *x)
{
    x->refs++;
}

void exchange_release(struct exchange *x)
{
    if (--x->refs > 0)
        return;
    http_front_remove_stream(x);
    buf_deinit(&x->body);
    buf_deinit(&x->headers);
    arena_deinit(&x->arena);
    free(x);
}

slice exchange_id(const struct exchange *x)
{
    return slice_of(x->id, UUID_LEN);
}

slice exchange_peer(const struct exchange *x)
{
    return x->peer;
}

struct act exchange_act(const struct exchange *x)
{
    return (struct act){.by = &x->principal, .source = x->peer, .request_id = exchange_id(x)};
}

struct x509_st *exchange_certificate(const struct exchange *x)
{
    return x->connection ? http_connection_certificate(x->connection) : NULL;
}

struct stack_st_X509 *exchange_intermediates(const struct exchange *x)
{
    return x->connection ? http_connection_intermediates(x->connection) : NULL;
}

void exchange_header(struct exchange *x, const char *name, slice value)
{
    buf_printf(&x->headers, "%s: %.*s\r\n", name, SLICE_FMT(value));
}

/* What a browser must do with answers of the application. The hash is that of an empty style, which
 * the screens fill through the object model. */
#define BROWSER_RULES                                                                              \
    "Content-Security-Policy: default-src 'none'; script-src 'self'; "                             \
    "style-src 'self' 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='; "                     \
    "img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; "                 \
    "form-action 'self'; frame-ancestors 'none'\r\n"                                               \
    "Referrer-Policy: no-referrer\r\n"                                                             \
    "Cross-Origin-Opener-Policy: same-origin\r\n"

/* What every answer carries (SECURITY-MODEL O4, provisioning.md 1.5: Date on all of them). */
static void write_head(struct exchange *x, int http_status, slice content_type, struct buf *head)
{
    char date[CLOCK_TEXT_MAX];

    buf_printf(head, "HTTP/1.1 %d %s\r\n", http_status, reason_of(http_status));
    buf_printf(head, "Date: %.*s\r\n", SLICE_FMT(clock_http_date(clock_wall_ms(), date)));
    buf_printf(head, "x-ms-request-id: %.*s\r\n", SLICE_FMT(exchange_id(x)));
    buf_append_str(head, "Cache-Control: no-store\r\n"
                         "X-Content-Type-Options: nosniff\r\n"
                         "Strict-Transport-Security: max-age=31536000\r\n");
    if (x->family != &dps_family) /* devices have no use for it */
        buf_append_str(head, BROWSER_RULES);
    if (content_type.len > 0)
        buf_printf(head, "Content-Type: %.*s\r\n", SLICE_FMT(content_type));
    if (!http_connection_keeps_alive(x->connection))
        buf_append_str(head, "Connection: close\r\n");
    buf_append(head, buf_slice(&x->headers));
}

static void count(int http_status)
{
    metric_add(METRIC_HTTP_REQUESTS, 1);
    if (http_status >= 400)
        metric_add(METRIC_HTTP_ERRORS, 1);
}

void exchange_answer_as(struct exchange *x, int http_status, slice content_type, slice body)
{
    BUF_CLEANUP struct buf head = {.max = 32 * 1024};

    if (x->is_held || exchange_audit(x, http_status, content_type, body) || !x->connection)
        return;
    count(http_status);
    write_head(x, http_status, http_status == 204 ? (slice){0} : content_type, &head);
    if (http_status != 204)
        buf_printf(&head, "Content-Length: %zu\r\n", body.len);
    buf_append_str(&head, "\r\n");
    http_connection_send_head(x->connection, buf_slice(&head));
    if (http_status != 204 && x->request->method != HTTP_HEAD)
        http_connection_send(x->connection, body);
    http_connection_answered(x->connection);
}

void exchange_answer(struct exchange *x, int http_status, slice body)
{
    exchange_answer_as(x, http_status, SLICE("application/json; charset=utf-8"), body);
}

void exchange_answer_error(struct exchange *x, enum status status, const struct fault *why)
{
    if (x->is_held)
        return;
    if (status == ST_FORBIDDEN)
        exchange_audit_denial(x);
    if (x->connection)
        x->family->answer_error(x, status, why);
}

/* --- streams --------------------------------------------------------------------------------- */

void exchange_stream(struct exchange *x, slice content_type)
{
    BUF_CLEANUP struct buf head = {.max = 32 * 1024};

    exchange_audit_stream(x);
    if (!x->connection)
        return;
    count(200);
    http_front_add_stream(x);
    write_head(x, 200, content_type, &head);
    buf_append_str(&head, "Transfer-Encoding: chunked\r\n\r\n");
    http_connection_send_head(x->connection, buf_slice(&head));
}

void exchange_stream_part(struct exchange *x, slice part)
{
    char size[24];
    int len;

    if (!x->connection || part.len == 0)
        return;
    len = snprintf(size, sizeof size, "%zx\r\n", part.len);
    http_connection_send(x->connection, slice_of(size, (size_t)len));
    http_connection_send(x->connection, part);
    if (x->connection)
        http_connection_send(x->connection, SLICE("\r\n"));
}

size_t exchange_stream_waiting(const struct exchange *x)
{
    return x->connection ? http_connection_output_len(x->connection) : 0;
}

void exchange_stream_end(struct exchange *x)
{
    if (!x->connection)
        return;
    http_connection_send(x->connection, SLICE("0\r\n\r\n"));
    http_connection_answered(x->connection);
}

/* --- streamed bodies -------------------------------------------------------------------------- */

void exchange_take_body(struct exchange *x, void (*on_body)(struct exchange *x, slice part),
                        void (*on_body_end)(struct exchange *x))
{
    x->on_body = on_body;
    x->on_body_end = on_body_end;
    if (x->connection)
        http_connection_take_body(x->connection);
}

void exchange_pause_body(struct exchange *x)
{
    if (x->connection)
        http_connection_pause_body(x->connection);
}

void exchange_resume_body(struct exchange *x)
{
    if (x->connection)
        http_connection_resume_body(x->connection);
}

/* --- what handlers ask ----------------------------------------------------------------------- */

bool exchange_json(struct exchange *x, struct json **ret)
{
    slice body = x->body.len > 0 ? buf_slice(&x->body) : SLICE("{}");
    struct fault why;
    enum status status = json_parse(body, JSON_REFUSE_DUPLICATES, &x->arena, ret, &why);

    if (status == ST_OK && (*ret)->kind != JSON_OBJECT)
        status = fault_set(&why, ST_BAD_REQUEST, "the body is no JSON object");
    if (status == ST_OK)
        return true;
    exchange_answer_error(x, status, &why);
    return false;
}

bool exchange_wants_new(const struct exchange *x)
{
    return slice_equal(http_header(x->request, SLICE("If-None-Match")), SLICE("*"));
}

bool exchange_query(struct exchange *x, slice name, slice *ret)
{
    return http_query(x->request->query, name, &x->arena, ret);
}
