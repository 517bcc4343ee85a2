/* Tokens of the application's REST API (SECURITY-MODEL K4, O5, contract/central.md 0.3).
 *
 *     SharedAccessSignature sr={application ID}&sig=mst_{secret}&skn={token ID}&se={ms}
 *
 * 256 random bits, shown once, SHA-256 at rest. The same text is also accepted behind "Bearer ".
 * A token has roles, all in one organization, and ends. It is asked for at every call, so what is
 * revoked or changed counts from the next on. Slices given to a function are borrowed until its
 * callback. */
#ifndef MUSTER_IDENTITY_API_TOKEN_H
#define MUSTER_IDENTITY_API_TOKEN_H

#include "base/buf.h"
#include "base/clock.h"
#include "identity/access/access.h"

#define API_TOKEN_ID_MAX 63
#define API_TOKEN_TEXT_MAX 512
#define API_TOKEN_PREFIX "mst_" /* for scanners of leaked secrets */
#define API_TOKENS_MAX 1000
#define API_TOKEN_DAY_MS (INT64_C(24) * 3600 * 1000)
#define API_TOKEN_DEFAULT_DAYS 90
#define API_TOKEN_MAX_DAYS 365

struct api_token {
    slice id;
    instant created_at, expires_at;
    const struct assignment *roles;
    size_t role_count;
    slice text; /* the token itself, with the answer to api_token_create and never again */
};

bool api_token_id_valid(slice id); /* letters, digits, '-', '.' and '_' */

typedef void api_token_fn(void *context, enum status status, const struct api_token *t,
                          const struct fault *why);
/* A page of those that `by` covers, in order of ID, then once with t == NULL. */
void api_token_list(struct identity *id, const struct principal *by, slice after, unsigned limit,
                    api_token_fn *on_row, void *context);
void api_token_get(struct identity *id, const struct principal *by, slice token_id,
                   api_token_fn *on_token, void *context);

struct api_token_new {
    slice id;
    instant expires_at; /* 0: after API_TOKEN_DEFAULT_DAYS */
    const struct assignment *roles;
    size_t role_count;
};
/* ST_CONFLICT: there is one of that ID. ST_FORBIDDEN: a role or organization beyond the caller's.
 */
void api_token_create(struct identity *id, const struct act *act, const struct api_token_new *n,
                      api_token_fn *on_done, void *context);
void api_token_delete(struct identity *id, const struct act *act, slice token_id,
                      api_token_fn *on_done, void *context);

/* From an Authorization header. ST_UNAUTHORIZED for anything wrong or expired. */
void api_token_authenticate(struct identity *id, slice authorization,
                            service_principal_fn *on_principal, void *context);

/* --- at start, before the workers --------------------------------------------------------------
 */

/* Makes an administrator's token, in place of one of that ID; the text is appended to `ret`. */
CHECKED enum status api_token_create_now(struct identity *id, slice token_id, instant expires_at,
                                         struct buf *ret, struct fault *why);
/* When that token ends; 0: there is none. */
CHECKED enum status api_token_expiry_now(struct identity *id, slice token_id, instant *ret,
                                         struct fault *why);

#endif
