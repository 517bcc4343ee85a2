/* Who calls the application: a token of ours or of the configured issuer in the Authorization
 * header, or a browser with the cookie of a session (SECURITY-MODEL C3, O2, O3).
 *
 * A browser sends its cookie whoever made it send the request. So with a cookie alone an unsafe
 * method also needs the header X-Muster-CSRF, which only a page that reads our answers knows, an
 * Origin or Sec-Fetch-Site that says the page is ours, and a content type that no form can send.
 * With an Authorization header the cookie does not count. */
#ifndef MUSTER_FRONT_HTTP_CALLER_H
#define MUSTER_FRONT_HTTP_CALLER_H

#include "front/http/exchange.h"
#include "identity/sign_in/user_session.h"

#define SESSION_COOKIE "__Host-muster"
#define CSRF_HEADER "X-Muster-CSRF"

/* A cookie of the request; the empty slice when it has none of that name. */
slice caller_cookie(const struct exchange *x, slice name);
/* The session's ID that counts for this request; empty: it has a token, or nothing. */
slice caller_session(const struct exchange *x);
/* Whether neither Origin nor Sec-Fetch-Site says that another site's page sent this; with
 * `must_say` one of them has to say that ours did. */
bool caller_is_same_site(const struct exchange *x, bool must_say);
/* Whether the body, if there is any, is of a kind that a form cannot send. */
bool caller_sends_data(const struct exchange *x);
/* False, after a 403: a page of another site made the browser send this. */
CHECKED bool caller_is_meant(struct exchange *x);
void caller_identify(struct exchange *x, enum session_use use, service_principal_fn *on_principal,
                     void *context);

#endif
