/* Signing in at an OpenID Connect issuer, as an option of the configuration.
 *
 *     oidc_begin   -> the browser goes to the issuer, with a sealed cookie that holds what this
 *                     sign-in began with: state, nonce, PKCE verifier; ten minutes
 *     oidc_finish  <- it comes back with a code: the code becomes an ID token, whose signature and
 *                     claims are checked; the user it names gets a session
 *
 * Authorization code with PKCE (RFC 7636, S256). The issuer's addresses and keys are asked for at
 * each sign-in, so nothing of them grows old; calls go by the egress rules, on the pool, a few at
 * a time. A user is known by the issuer's name for him, the first time by his e-mail address, which
 * the issuer must have verified. Who is no user yet becomes one if `roles` has a row for his
 * address. Slices given to a function are borrowed until its callback. */
#ifndef MUSTER_IDENTITY_OIDC_H
#define MUSTER_IDENTITY_OIDC_H

#include "identity/sign_in/sign_in.h"

#define OIDC_FLOW_MAX 1024 /* characters of the cookie */
#define OIDC_FLOW_LIFE_S 600
#define OIDC_CODE_MAX 2048

struct oidc_options {
    slice issuer; /* "https://login.example.org", as its tokens say it */
    slice client_id;
    slice client_secret; /* empty: none, PKCE alone */
    const char *ca_file; /* PEM; NULL: the system's */
    slice roles;         /* "ann@example.org=administrator,@example.org=operator" */
    slice audience;      /* of access tokens for the API; empty: none is taken */
    bool trusts_email;   /* also an address that the issuer does not call verified */
};

/* For the configuration: with a sentence. */
CHECKED bool oidc_issuer_check(slice url, struct fault *why);
CHECKED bool oidc_roles_check(slice roles, struct fault *why);

bool oidc_is_on(const struct identity *id);

/* `location` is where the browser goes, `flow` is for the cookie. */
typedef void oidc_begin_fn(void *context, enum status status, slice location, slice flow,
                           const struct fault *why);
/* ST_NOT_FOUND: not configured; ST_THROTTLED; ST_UNAVAILABLE: the issuer does not answer. */
void oidc_begin(struct identity *id, slice redirect_uri, slice source, oidc_begin_fn *on_begun,
                void *context);

struct oidc_return {
    slice flow;         /* the cookie */
    slice state, code;  /* of the query */
    slice redirect_uri; /* as it was for oidc_begin */
    slice source, request_id;
};
/* As sign_in_by_password. */
void oidc_finish(struct identity *id, const struct oidc_return *back, sign_in_fn *on_done,
                 void *context);

/* The user whose access token this is: "Bearer {JWT}" of an Authorization header, signed by the
 * issuer for our audience, of somebody who has signed in here before. ST_UNAUTHORIZED,
 * ST_UNAVAILABLE. Keys of the issuer are kept for an hour, and asked for again before when a token
 * names one that is not among them. */
bool oidc_is_access_token(const struct identity *id, slice authorization);
void oidc_authenticate(struct identity *id, slice authorization, service_principal_fn *on_principal,
                       void *context);

#endif
