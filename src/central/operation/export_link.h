/* Links to an export: for one user, one hour, and what was asked for when the link was made.
 *
 *     base64url of: sealed ( expiry, 8 | hash of the query, 32 | user )
 *
 * Nothing is stored: the link itself says for whom and how long, and nobody but we can write one.
 * It lets nobody in: who follows it signs in as ever, and is the one it was made for. */
#ifndef MUSTER_CENTRAL_EXPORT_LINK_H
#define MUSTER_CENTRAL_EXPORT_LINK_H

#include "base/buf.h"
#include "base/clock.h"
#include "base/status.h"

struct sealer;

#define EXPORT_LINK_MS (INT64_C(3600) * 1000)
#define EXPORT_LINK_USER_MAX 512

/* Appends the link's last segment; `to` failed when there is no room. `query`: as sent. */
void export_link_write(const struct sealer *s, slice user, slice query, instant now,
                       struct buf *to);
/* ST_FORBIDDEN: it is another's; ST_NOT_FOUND: it is no link, not this query's, or its hour is
 * over. */
CHECKED enum status export_link_check(const struct sealer *s, slice link, slice user, slice query,
                                      instant now, struct fault *why);

#endif
