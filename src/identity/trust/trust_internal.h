/* Inside identity/: how a snapshot of trust is made, and how workers share the current one. */
#ifndef MUSTER_IDENTITY_TRUST_INTERNAL_H
#define MUSTER_IDENTITY_TRUST_INTERNAL_H

#include <pthread.h>

#include "identity/trust/trust.h"

#define GROUP_ID_MAX 255 /* bytes of an enrollment group's ID */

/* In lower case: what rows and marks know a group by. Empty when it is longer than an ID may be. */
slice group_key_of(slice group, uint8_t to[GROUP_ID_MAX]);

/* --- trust_snapshot.c ------------------------------------------------------------------------- */

/* The version that is current. ?: none */
extern const struct sql trust_version_sql;
/* Reads all of it: on a worker, or (blocking) at the start. With ST_OK the snapshot, and its one
 * reference for the receiver. One certificate that cannot be read and there is no snapshot: better
 * none than one that lets in what was revoked. Ten thousands of denials take milliseconds. */
typedef void trust_read_fn(void *context, enum status status, const struct trust *trust,
                           const struct fault *why);
void trust_read(struct store *st, trust_read_fn *on_read, void *context);

/* --- trust.c ---------------------------------------------------------------------------------- */

/* What the workers share: the newest snapshot that one of them has read. */
struct trust_home {
    pthread_mutex_t lock; /* of `newest`; taken by a worker only when the version has moved */
    const struct trust *newest;
};

struct trust_watcher;

/* One worker's part. */
struct worker_trust {
    struct identity *id;
    struct worker *worker;
    const struct trust *seen;
    struct trust_watcher *watchers;
    struct timer again; /* a told change could not be read */
};

/* Reads the first snapshot. Blocking. */
CHECKED enum status trust_start(struct identity *id, struct workers *ws, struct fault *why);
void trust_stop(struct identity *id);

/* --- trust_path.c ----------------------------------------------------------------------------- */

/* The leaf is fine; and what chain.h said against the certificate at `at` of its path. */
void trace_pass_leaf(struct trace *trace, const struct x509_st *leaf);
void trace_fail_chain(struct trace *trace, const struct x509_st *leaf, enum chain_reason reason,
                      size_t at, const struct fault *why);

#endif
