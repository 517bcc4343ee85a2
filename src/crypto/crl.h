/* Certificate revocation lists (RFC 5280, section 5), as an operator uploads them. */
#ifndef MUSTER_CRYPTO_CRL_H
#define MUSTER_CRYPTO_CRL_H

#include "base/buf.h"
#include "base/clock.h"
#include "base/status.h"

struct x509_st;

#define CRL_FILE_MAX (1024 * 1024)
#define CRL_ENTRIES_MAX 65536

struct crl {
    instant this_update, next_update; /* next 0: none stated */
    char number[41];                  /* upper-case hex; empty: none */
    size_t count;                     /* of revoked certificates */
    /* Their marks (MARK_ISSUER_SERIAL), ascending, as uint64_t in host order: 8 bytes each. */
    struct buf marks;
};
void crl_deinit(struct crl *crl);

/* PEM or DER. ST_BAD_REQUEST with a sentence: not a CRL, several, a delta or indirect CRL, issued
 * or signed by another than `authority`, `authority` may not sign CRLs (keyUsage without cRLSign),
 * from the future (CHAIN_TOLERANCE_S), an unknown critical extension. A list past its nextUpdate is
 * taken: it still revokes what it lists. Entries with the reason removeFromCRL are left out.
 * ST_TOO_LARGE: over CRL_FILE_MAX or CRL_ENTRIES_MAX. Takes milliseconds for long lists. */
CHECKED enum status crl_read(slice file, const struct x509_st *authority, instant now,
                             struct crl *ret, struct fault *why);
/* Whether `number` and date say that `a` is older than `b`. */
CHECKED bool crl_is_older(const struct crl *a, slice b_number, instant b_this_update);

/* Whether the mark is among `count` ascending ones at `marks` (any alignment). */
CHECKED bool marks_contain(const void *marks, size_t count, uint64_t mark);

#endif
