/* Tokens of the application's REST API (SECURITY-MODEL K4, contract/central.md 0.3).
 *
 *     SharedAccessSignature sr={application ID}&sig=mst_{secret}&skn={token ID}&se={ms}
 *
 * 256 random bits, shown once, SHA-256 at rest. The same text is also accepted behind "Bearer ". */
#ifndef MUSTER_IDENTITY_API_TOKEN_H
#define MUSTER_IDENTITY_API_TOKEN_H

#include "base/buf.h"
#include "base/clock.h"
#include "identity/identity.h"
#include "identity/principal.h"

/* Makes a token with these rights, in place of one of that ID; the text is appended to `ret`.
 * Blocking: first start only. */
CHECKED enum status api_token_create_now(struct identity *id, slice token_id, unsigned rights,
                                         instant expires_at, struct buf *ret, struct fault *why);
/* From an Authorization header. ST_UNAUTHORIZED for anything wrong or expired. */
void api_token_authenticate(struct identity *id, slice authorization,
                            service_principal_fn *on_principal, void *context);

#endif
