#include "front/http/caller.h"

#include "base/log.h"
#include "front/http/application.h"
#include "identity/access/api_token.h"
#include "identity/sign_in/oidc.h"

#define ORIGIN_SCHEME "https://"

static slice header_of(const struct exchange *x, const char *name)
{
    return http_header(x->request, slice_str(name));
}

slice caller_cookie(const struct exchange *x, slice name)
{
    for (slice rest = header_of(x, "Cookie"); rest.ptr;) {
        slice value = slice_trim(slice_split(&rest, ';'));

        if (slice_equal(slice_split(&value, '='), name))
            return value;
    }
    return (slice){0};
}

slice caller_session(const struct exchange *x)
{
    if (header_of(x, "Authorization").len > 0)
        return (slice){0};
    return caller_cookie(x, SLICE(SESSION_COOKIE));
}

/* --- whether the user meant it ---------------------------------------------------------------- */

static bool is_own_origin(const struct exchange *x, slice origin)
{
    slice scheme = SLICE(ORIGIN_SCHEME);

    return slice_starts_with(origin, scheme) &&
           slice_equal_nocase(slice_from(origin, scheme.len), x->request->host);
}

bool caller_is_same_site(const struct exchange *x, bool must_say)
{
    slice origin = header_of(x, "Origin"), site = header_of(x, "Sec-Fetch-Site");

    if (origin.len > 0 && !is_own_origin(x, origin))
        return false;
    if (site.len > 0 && !slice_equal(site, SLICE("same-origin")))
        return false;
    return !must_say || origin.len > 0 || site.len > 0;
}

bool caller_sends_data(const struct exchange *x)
{
    static const char *const types[] = {"application/json", "application/merge-patch+json",
                                        "text/csv"};
    slice rest = header_of(x, "Content-Type");
    slice type = rest.len > 0 ? slice_trim(slice_split(&rest, ';')) : (slice){0};

    if (x->request->body == HTTP_BODY_NONE ||
        (x->request->body == HTTP_BODY_LENGTH && x->request->content_length == 0))
        return true;
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        if (slice_equal_nocase(type, slice_str(types[i])))
            return true;
    }
    return false;
}

static bool is_safe(enum http_method method)
{
    return method == HTTP_GET || method == HTTP_HEAD;
}

static bool has_csrf(const struct exchange *x, slice session_id)
{
    slice given = header_of(x, CSRF_HEADER);
    char want[USER_SESSION_ID_LEN];

    user_session_csrf(session_id, want);
    return given.len == sizeof want && secret_equal(given.ptr, want, sizeof want);
}

bool caller_is_meant(struct exchange *x)
{
    slice session_id = caller_session(x);

    if (is_safe(x->request->method) || session_id.len == 0 ||
        (has_csrf(x, session_id) && caller_is_same_site(x, true) && caller_sends_data(x)))
        return true;
    LOG_LIMITED(LOG_LEVEL_WARN, "csrf_refused", LOG_TEXT("peer", exchange_peer(x)),
                LOG_TEXT("trace", exchange_id(x)));
    app_answer_error_as(x, 403, "CsrfCheckFailed",
                        "with a session's cookie send three headers more: " CSRF_HEADER
                        " as GET session tells it, Origin: https:// and this host, and "
                        "Content-Type: application/json or text/csv");
    return false;
}

/* --- who -------------------------------------------------------------------------------------- */

void caller_identify(struct exchange *x, enum session_use use, service_principal_fn *on_principal,
                     void *context)
{
    struct identity *id = x->front->options.identity;
    slice session_id = caller_session(x), authorization = header_of(x, "Authorization");

    if (session_id.len > 0)
        user_session_authenticate(id, session_id, use, on_principal, context);
    else if (oidc_is_access_token(id, authorization))
        oidc_authenticate(id, authorization, on_principal, context);
    else
        api_token_authenticate(id, authorization, on_principal, context);
}
