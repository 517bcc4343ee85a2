/* Signing in at an OpenID Connect issuer: two redirections of the browser. The session's cookie is
 * never sent with a navigation that another site began, so what this one began with travels in a
 * cookie of its own, sealed and for ten minutes. */
#include "front/http/application.h"
#include "front/http/caller.h"
#include "identity/sign_in/oidc.h"

#define FLOW_COOKIE "__Host-muster-oidc"
#define CALLBACK_PATH "/api/muster/v1/signIn/oidc/callback"
#define APP_PATH "/app"
#define FAILED_PATH "/app/sign-in?error="

static struct identity *identity_of(const struct exchange *x)
{
    return x->front->options.identity;
}

/* What the sign-in page offers. */
void app_sign_in_get(struct exchange *x)
{
    exchange_answer(x, 200,
                    oidc_is_on(identity_of(x)) ? SLICE("{\"password\":true,\"oidc\":true}")
                                               : SLICE("{\"password\":true,\"oidc\":false}"));
}

static void redirect(struct exchange *x, slice location)
{
    exchange_header(x, "Location", location);
    exchange_answer_as(x, 302, (slice){0}, (slice){0});
}

/* A page of ours says it, with a word for what it was. */
static void redirect_failed(struct exchange *x, enum status status)
{
    static const struct {
        enum status status;
        const char *location;
    } rows[] = {
        {ST_UNAUTHORIZED, FAILED_PATH "refused"},
        {ST_THROTTLED, FAILED_PATH "busy"},
        {ST_NOT_FOUND, FAILED_PATH "off"},
    };
    const char *location = FAILED_PATH "unavailable";

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (rows[i].status == status)
            location = rows[i].location;
    }
    redirect(x, slice_str(location));
}

static void set_flow_cookie(struct exchange *x, slice flow)
{
    BUF_CLEANUP struct buf cookie = {.max = OIDC_FLOW_MAX + 256};

    buf_printf(&cookie, FLOW_COOKIE "=%.*s; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=%d",
               SLICE_FMT(flow), flow.len > 0 ? OIDC_FLOW_LIFE_S : 0);
    exchange_header(x, "Set-Cookie", buf_slice(&cookie));
}

/* The issuer knows our addresses; that a request names another host must not lead anybody there.
 * The empty slice: not ours. */
static slice redirect_uri(struct exchange *x)
{
    if (!identity_hub_by_host(identity_of(x), x->request->host))
        return (slice){0};
    return arena_printf(&x->arena, "https://%.*s" CALLBACK_PATH, SLICE_FMT(x->request->host));
}

static void on_begun(void *context, enum status status, slice location, slice flow,
                     const struct fault *why)
{
    struct exchange *x = context;

    (void)why;
    if (status == ST_OK) {
        set_flow_cookie(x, flow);
        redirect(x, location);
    } else {
        redirect_failed(x, status);
    }
    exchange_release(x);
}

void app_oidc_begin(struct exchange *x)
{
    slice uri = redirect_uri(x);

    if (uri.len == 0) {
        app_wrong(x, "this is none of the server's host names");
        return;
    }
    exchange_hold(x);
    oidc_begin(identity_of(x), uri, exchange_peer(x), on_begun, x);
}

static void on_finished(void *context, enum status status, const struct signed_in *s,
                        const struct fault *why)
{
    struct exchange *x = context;

    (void)why;
    set_flow_cookie(x, (slice){0});
    if (status == ST_OK && exchange_is_wanted(x)) {
        http_connection_set_authenticated(x->connection);
        app_set_session_cookie(x, s->session_id);
        redirect(x, SLICE(APP_PATH));
    } else {
        redirect_failed(x, status);
    }
    exchange_release(x);
}

void app_oidc_finish(struct exchange *x)
{
    struct oidc_return back = {.flow = caller_cookie(x, SLICE(FLOW_COOKIE)),
                               .redirect_uri = redirect_uri(x),
                               .source = exchange_peer(x),
                               .request_id = exchange_id(x)};

    exchange_query(x, SLICE("state"), &back.state);
    exchange_query(x, SLICE("code"), &back.code);
    exchange_hold(x);
    oidc_finish(identity_of(x), &back, on_finished, x);
}
