/* Sessions that a certificate opened: kept in a list of their own on each worker, and looked
 * through whenever trust changes. Inside hub/.
 *
 * A long list takes several turns of the loop. A session that is still opening meanwhile is looked
 * at when it becomes live: whichever comes second, the review or the session, sees the other. */
#ifndef MUSTER_HUB_SESSION_TRUST_H
#define MUSTER_HUB_SESSION_TRUST_H

#include "hub/hub_internal.h"
#include "identity/trust/trust.h"

/* From the principal's marks, which are copied; false when out of memory. Without marks nothing is
 * kept. */
CHECKED bool session_trust_begin(struct session *s, const struct device_principal *p);
/* The session is about to be live: whether it may, after all that changed since it was
 * authenticated. */
CHECKED bool session_trust_holds(const struct session *s);
void session_trust_end(struct session *s);
/* Ends those that the snapshot does not bear (SESSION_END_REVOKED). */
void session_trust_review(struct hub_worker *w, const struct trust *trust);

/* Before the workers start, and after they have stopped. */
CHECKED bool session_trust_watch(struct hub_worker *w);
void session_trust_unwatch(struct hub_worker *w);

#endif
