/* What OCSP responders said, and which of them just failed. A fixed size: the oldest answer makes
 * room for the newest. Pure memory; times are of the monotonic clock.
 *
 * Answers belong to one worker. The pauses may be set and read by any thread: who waits in the
 * pool's queue must not wait for a responder that failed meanwhile. */
#ifndef MUSTER_IDENTITY_OCSP_ANSWERS_H
#define MUSTER_IDENTITY_OCSP_ANSWERS_H

#include <stdatomic.h>

#include "crypto/crypto.h"
#include "identity/trust/ocsp_check.h"

#define OCSP_PAUSES 64

struct ocsp_answer {
    uint8_t question[SHA256_LEN]; /* digest of certificate, issuer and responder */
    int64_t until_ms;
    uint32_t next; /* of the same bucket: its place, counted from 1; 0: none */
    enum ocsp_verdict verdict;
    bool is_used, is_usable; /* not usable: the responder answered, but to no avail */
};

/* The zero struct is empty. */
struct ocsp_answers {
    struct ocsp_answer ring[OCSP_CACHE_MAX];
    uint32_t buckets[OCSP_CACHE_MAX]; /* as `next` */
    uint32_t oldest;                  /* the place that the next answer takes */
    /* Until when, with some bits of the hash of the URL. Another responder that falls on the same
     * place only shortens a pause. */
    _Atomic uint64_t pauses[OCSP_PAUSES];
};

/* The answer that still holds, or NULL. Borrowed until the next is added. */
const struct ocsp_answer *ocsp_answers_find(const struct ocsp_answers *a,
                                            const uint8_t question[SHA256_LEN], int64_t now_ms);
/* Takes the place of what was known. `question`, `until_ms`, `verdict` and `is_usable` are read. */
void ocsp_answers_add(struct ocsp_answers *a, const struct ocsp_answer *answer);

void ocsp_answers_pause(struct ocsp_answers *a, uint64_t responder, int64_t until_ms);
bool ocsp_answers_paused(const struct ocsp_answers *a, uint64_t responder, int64_t now_ms);

#endif
