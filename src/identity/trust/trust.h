/* Which authorities vouch for devices, and which certificates are revoked.
 *
 * An authority is the certificate in a slot of an enrollment group. All of them, with their
 * revocation lists and the deny list, make one immutable snapshot that the workers share; the
 * store counts its versions, and whoever decides asks for the version that is current. So a change
 * acts on the very next decision. A change is also told to every worker, which looks through the
 * sessions that certificates opened (hub/session_trust.c) and ends those that the new snapshot
 * does not bear: within one second of the commit.
 *
 * The DPS and the hub trust the same authorities (contract/provisioning.md 5.5). */
#ifndef MUSTER_IDENTITY_TRUST_H
#define MUSTER_IDENTITY_TRUST_H

#include "crypto/chain.h"
#include "identity/identity.h"
#include "identity/trust/trace.h"

enum authority_slot { AUTHORITY_PRIMARY = 1, AUTHORITY_SECONDARY = 2 };

struct authority {
    slice group; /* ID in lower case of the enrollment group */
    enum authority_slot slot;
    struct x509_st *certificate;
    uint64_t mark;    /* MARK_SHA256 of it */
    bool verified;    /* else it vouches for nothing; it may be a link below one that does */
    bool enabled;     /* its group is */
    slice ocsp_url;   /* empty: not asked */
    bool ocsp_strict; /* no answer is a no */
    slice crl;        /* the marks of its revocation list, ascending (crl.h) */
};

/* Immutable. */
struct trust {
    int64_t version;
    const struct authority *authorities;
    size_t count;
    slice denied; /* marks, ascending (crl.h) */
};

/* The current snapshot; may answer inside the call. It stays for the callback, longer with a
 * reference of one's own. On a worker. */
typedef void trust_fn(void *context, enum status status, const struct trust *trust);
void trust_get(struct identity *id, trust_fn *on_trust, void *context);
const struct trust *trust_hold(const struct trust *trust);
void trust_release(const struct trust *trust);
/* What this worker last saw; NULL when it never looked. Borrowed until the next trust_get. */
const struct trust *trust_seen(struct identity *id);

/* Tells every worker that the snapshot is another now: after the commit of a change. */
void trust_changed(struct identity *id);
/* Called on `w` after a change was told and the new snapshot is there. Before workers_start. */
CHECKED bool trust_watch(struct identity *id, struct worker *w,
                         void (*on_change)(void *context, const struct trust *trust),
                         void *context);

/* --- what a session remembers of the certificate that let it in --------------------------------
 */

#define TRUST_MARKS_MAX (CERTIFICATE_CHAIN_MAX * CERTIFICATE_MARKS_MAX)
struct trust_marks {
    uint64_t authority; /* MARK_SHA256 of the one that decided; 0: let in by a thumbprint */
    uint64_t anchor;    /* of the verified one at the path's end: mostly the same */
    uint64_t marks[TRUST_MARKS_MAX];
    size_t count;
};
/* The marks as they are stored with a device: a later denial of a link of its chain also meets it
 * when it shows the leaf alone. Borrowed. */
static inline slice trust_marks_bytes(const struct trust_marks *m)
{
    return slice_of(m->marks, m->count * sizeof m->marks[0]);
}
/* Whether a session with these marks may stay. NULL when it may, else the cause. */
const char *trust_objection(const struct trust *trust, const struct trust_marks *marks);

/* --- the decision ------------------------------------------------------------------------------
 */

struct trust_claim {
    struct x509_st *leaf;
    struct stack_st_X509 *intermediates; /* as presented; may be NULL */
    instant now;
    /* Of pinned leaves: the group whose denied serials count, and the marks of the chain that the
     * device once came by (trust_marks_bytes). Either may be empty. */
    slice group, issuer_marks;
};
/* What a path led to. */
struct trust_path {
    struct chain_path chain;           /* dropped by trust_path_deinit */
    const struct authority *authority; /* that decides: the nearest to the leaf that is in a slot;
                                          of the snapshot */
    size_t authority_at;               /* its index in the path */
    struct trust_marks marks;
};
void trust_path_deinit(struct trust_path *path);

/* The path of a chain (3.3): built to a verified authority; then the first certificate, seen from
 * the leaf, that is in a slot decides, verified or not, enabled or not. Revocation is looked up
 * for every certificate of the path. ST_UNAUTHORIZED with the cause, and the failed step;
 * ST_UNAVAILABLE without memory.
 * Whether the deciding authority's group is enabled is left to the caller. Pure. */
CHECKED enum status trust_find_path(const struct trust *trust, const struct trust_claim *claim,
                                    struct trace *trace, struct trust_path *ret, struct fault *why);
/* For a leaf known by its thumbprint: its marks, and whether it is denied. */
CHECKED enum status trust_check_pinned(const struct trust *trust, const struct trust_claim *claim,
                                       struct trace *trace, struct trust_marks *ret,
                                       struct fault *why);

#endif
