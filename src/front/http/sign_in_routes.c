/* Signing in and out, below /api/muster/v1: signIn, session, invitations. What a browser needs
 * before it has a session, and what it asks about the one it has. */
#include <stdio.h>

#include "front/http/application.h"
#include "front/http/caller.h"
#include "identity/access/role.h"
#include "identity/access/user.h"
#include "identity/sign_in/invitation.h"
#include "identity/sign_in/sign_in.h"

#define SIGN_IN_BODY_MAX (16 * 1024)
#define SIGN_IN_WRONG "the e-mail address or the password is wrong"
#define LINK_WRONG "the link is not good any more; ask for a new one"

static struct identity *identity_of(const struct exchange *x)
{
    return x->front->options.identity;
}

/* A password must not outlive its request in memory. */
static void wipe_body(struct exchange *x)
{
    if (x->body.ptr)
        explicit_bzero(x->body.ptr, x->body.len);
}

/* --- answers ---------------------------------------------------------------------------------- */

void app_set_session_cookie(struct exchange *x, slice session_id)
{
    BUF_CLEANUP struct buf cookie = {.max = 256};

    buf_printf(&cookie, SESSION_COOKIE "=%.*s; Path=/; Secure; HttpOnly; SameSite=Strict%s",
               SLICE_FMT(session_id), session_id.len > 0 ? "" : "; Max-Age=0");
    exchange_header(x, "Set-Cookie", buf_slice(&cookie));
}

void app_answer_throttled(struct exchange *x, int64_t wait_s)
{
    char text[24];
    int len = snprintf(text, sizeof text, "%lld", (long long)wait_s);

    exchange_header(x, "Retry-After", slice_of(text, (size_t)len));
    app_answer_error_as(x, 429, "TooManyRequests", "too many tries; wait before the next");
}

static void put_csrf(struct json_writer *w, slice session_id)
{
    char csrf[USER_SESSION_ID_LEN];

    user_session_csrf(session_id, csrf);
    json_put_text(w, SLICE("csrfToken"), slice_of(csrf, sizeof csrf));
}

static void on_signed_in(void *context, enum status status, const struct signed_in *s,
                         const struct fault *why)
{
    BUF_CLEANUP struct buf body = {.max = 1024};
    struct json_writer w = {.to = &body};
    struct exchange *x = context;

    wipe_body(x);
    x->is_audited = true;
    if (status == ST_OK && exchange_is_wanted(x)) {
        http_connection_set_authenticated(x->connection);
        app_set_session_cookie(x, s->session_id);
        json_open(&w, (slice){0}, '{');
        json_put_text(&w, SLICE("id"), s->user_id);
        put_csrf(&w, s->session_id);
        json_close(&w, '}');
        app_answer_object(x, &body);
    } else if (status == ST_THROTTLED) {
        app_answer_throttled(x, s->wait_s);
    } else if (status == ST_UNAUTHORIZED) {
        app_answer_error_as(x, 401, "Unauthorized", SIGN_IN_WRONG);
    } else {
        exchange_answer_error(x, status, why);
    }
    exchange_release(x);
}

/* --- before there is a session ---------------------------------------------------------------- */

/* Nobody is signed in by another site's page, either. False after the answer. */
static bool read_own_json(struct exchange *x, struct json **ret)
{
    if (caller_is_same_site(x, false) && x->body.len > 0 && caller_sends_data(x))
        return exchange_json(x, ret);
    app_answer_error_as(x, 403, "CsrfCheckFailed",
                        "send JSON with the header Content-Type: application/json; a browser, from "
                        "a page of this site");
    return false;
}

static void session_create(struct exchange *x)
{
    struct sign_in what = {.source = exchange_peer(x), .request_id = exchange_id(x)};
    struct json *body;

    if (!read_own_json(x, &body))
        return;
    if (!json_get_text(body, SLICE("email"), &what.email) ||
        !json_get_text(body, SLICE("password"), &what.password)) {
        app_wrong(x, "send email and password");
        return;
    }
    exchange_hold(x);
    sign_in_by_password(identity_of(x), &what, on_signed_in, x);
}

static void on_redeemed(void *context, enum status status, slice email, int64_t wait_s,
                        const struct fault *why)
{
    struct app_answer a;
    struct exchange *x = context;

    wipe_body(x);
    if (status == ST_THROTTLED) {
        app_answer_throttled(x, wait_s);
        exchange_release(x);
    } else if (status == ST_UNAUTHORIZED) {
        app_answer_error_as(x, 401, "Unauthorized", LINK_WRONG);
        exchange_release(x);
    } else if (app_answer_begin(&a, x, status, why)) {
        json_open(&a.w, (slice){0}, '{');
        json_put_text(&a.w, SLICE("email"), email);
        json_close(&a.w, '}');
        app_answer_end(&a);
    }
}

static void invitation_use(struct exchange *x)
{
    struct redemption r = {.source = exchange_peer(x), .request_id = exchange_id(x)};
    struct json *body;

    if (!read_own_json(x, &body))
        return;
    if (!json_get_text(body, SLICE("code"), &r.code) ||
        !json_get_text(body, SLICE("password"), &r.password)) {
        app_wrong(x, "send code and password");
        return;
    }
    json_get_text(body, SLICE("email"), &r.email);
    exchange_hold(x);
    invitation_redeem(identity_of(x), &r, on_redeemed, x);
}

/* --- who am I --------------------------------------------------------------------------------- */

static void put_permissions(struct json_writer *w, const struct principal *p)
{
    json_open(w, SLICE("permissions"), '[');
    for (unsigned i = 0; i < PERM_COUNT; i++) {
        if (may_do(p, (enum permission)i))
            json_put_text(w, (slice){0}, slice_str(permission_name((enum permission)i)));
    }
    json_close(w, ']');
    app_put_text_or_null(w, SLICE("organization"), slice_str(p->organization));
}

static void put_roles(struct json_writer *w, const struct user *u)
{
    json_open(w, SLICE("roles"), '[');
    for (size_t i = 0; i < u->role_count; i++) {
        json_open(w, (slice){0}, '{');
        json_put_text(w, SLICE("role"), u->roles[i].role_id);
        if (u->roles[i].organization_id.len > 0)
            json_put_text(w, SLICE("organization"), u->roles[i].organization_id);
        json_close(w, '}');
    }
    json_close(w, ']');
}

static void on_self(void *context, enum status status, const struct user *u,
                    const struct fault *why)
{
    struct exchange *x = context;
    struct app_answer a;

    if (!app_answer_begin(&a, x, status, why))
        return;
    json_open(&a.w, (slice){0}, '{');
    json_put_text(&a.w, SLICE("type"), SLICE("user"));
    json_put_text(&a.w, SLICE("id"), u->id);
    json_put_text(&a.w, SLICE("email"), u->email);
    put_roles(&a.w, u);
    put_permissions(&a.w, &x->principal);
    if (caller_session(x).len > 0)
        put_csrf(&a.w, caller_session(x));
    json_close(&a.w, '}');
    app_answer_end(&a);
}

static void answer_token(struct exchange *x)
{
    BUF_CLEANUP struct buf body = {.max = APP_ANSWER_MAX};
    struct json_writer w = {.to = &body};

    json_open(&w, (slice){0}, '{');
    json_put_text(&w, SLICE("type"), SLICE("apiToken"));
    json_put_text(&w, SLICE("id"), slice_str(x->principal.name));
    put_permissions(&w, &x->principal);
    json_close(&w, '}');
    app_answer_object(x, &body);
}

static void session_get(struct exchange *x)
{
    slice user_id = principal_user_id(&x->principal);

    if (user_id.len == 0) {
        answer_token(x);
        return;
    }
    exchange_hold(x);
    user_get(identity_of(x), &x->principal, user_id, on_self, x);
}

/* --- what only a session can --------------------------------------------------------------------
 */

/* False after a 400: the caller is no user. */
static bool is_session(struct exchange *x)
{
    return caller_session(x).len > 0 || app_wrong(x, "only a user who signed in has a session");
}

static void on_session_ended(void *context, enum status status, const struct fault *why)
{
    struct exchange *x = context;

    if (status == ST_OK) {
        x->is_audited = true;
        app_set_session_cookie(x, (slice){0});
        exchange_answer(x, 204, (slice){0});
    } else {
        exchange_answer_error(x, status, why);
    }
    exchange_release(x);
}

static void session_delete(struct exchange *x)
{
    const struct act act = exchange_act(x);

    if (!is_session(x))
        return;
    exchange_hold(x);
    user_session_end(identity_of(x), &act, caller_session(x), on_session_ended, x);
}

/* He is signed in all the same, so it is no 401. */
static void on_changed(void *context, enum status status, const struct signed_in *s,
                       const struct fault *why)
{
    struct exchange *x = context;

    if (status != ST_UNAUTHORIZED) {
        on_signed_in(x, status, s, why);
        return;
    }
    wipe_body(x);
    x->is_audited = true;
    app_answer_error_as(x, 403, "WrongPassword", "the current password is wrong");
    exchange_release(x);
}

static void password_put(struct exchange *x)
{
    const struct act act = exchange_act(x);
    struct json *body;
    slice current, fresh;

    if (!is_session(x) || !exchange_json(x, &body))
        return;
    if (!json_get_text(body, SLICE("current"), &current) ||
        !json_get_text(body, SLICE("new"), &fresh)) {
        app_wrong(x, "send current and new");
        return;
    }
    exchange_hold(x);
    sign_in_change_password(identity_of(x), &act, current, fresh, on_changed, x);
}

/* --- a link for a user --------------------------------------------------------------------------
 */

static void on_invitation(void *context, enum status status, const struct invitation *i,
                          const struct fault *why)
{
    BUF_CLEANUP struct buf link = {.max = 1024};
    struct exchange *x = context;
    struct app_answer a;

    x->is_audited = status == ST_OK;
    if (!app_answer_begin(&a, x, status, why))
        return;
    buf_printf(&link, "https://%.*s/app/invitation#%.*s", SLICE_FMT(x->request->host),
               SLICE_FMT(i->code));
    json_open(&a.w, (slice){0}, '{');
    json_put_text(&a.w, SLICE("link"), buf_slice(&link));
    app_put_time(&a.w, SLICE("expiresAt"), i->expires_at);
    json_close(&a.w, '}');
    app_answer_end(&a);
}

void app_user_invite(struct exchange *x)
{
    const struct act act = exchange_act(x);

    exchange_hold(x);
    invitation_create(identity_of(x), &act, x->bound[0], on_invitation, x);
}

/* --- the family ---------------------------------------------------------------------------------
 */

/* The first OPEN_ROUTES are for anybody; the others for whoever is known, whatever he may do. */
#define OPEN_ROUTES 5
static const struct http_route routes[] = {
    {HTTP_POST, "session", ROUTE_OPEN, session_create},
    {HTTP_POST, "invitations/redeem", ROUTE_OPEN, invitation_use},
    {HTTP_GET, "signIn", ROUTE_OPEN, app_sign_in_get},
    {HTTP_GET, "signIn/oidc", ROUTE_OPEN, app_oidc_begin},
    {HTTP_GET, "signIn/oidc/callback", ROUTE_OPEN, app_oidc_finish},

    {HTTP_GET, "session", ROUTE_OPEN, session_get},
    {HTTP_DELETE, "session", ROUTE_OPEN, session_delete},
    {HTTP_PUT, "session/password", ROUTE_OPEN, password_put},
};

static void authenticate(struct exchange *x)
{
    if (x->route < &routes[OPEN_ROUTES])
        exchange_dispatch(x);
    else
        app_authenticate(x);
}

const struct http_family sign_in_family = {
    .routes = routes,
    .route_count = COUNT_OF(routes),
    .base_segments = 3, /* api/muster/v1 */
    .body_max = SIGN_IN_BODY_MAX,
    .authenticate = authenticate,
    .answer_error = app_answer_error,
};
