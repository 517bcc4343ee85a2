/* OCSP (RFC 6960): what to ask a responder, and what its answer is worth. Pure. */
#ifndef MUSTER_CRYPTO_OCSP_H
#define MUSTER_CRYPTO_OCSP_H

#include "base/buf.h"
#include "base/clock.h"
#include "base/status.h"

struct x509_st;

#define OCSP_ANSWER_MAX (64 * 1024)
#define OCSP_NONCE_LEN 16

enum ocsp_verdict { OCSP_GOOD, OCSP_REVOKED, OCSP_UNKNOWN };

struct ocsp_question {
    struct buf request; /* DER, for POST as application/ocsp-request */
    uint8_t nonce[OCSP_NONCE_LEN];
};
/* ST_OK or ST_NO_MEMORY. The caller deinits `request`. */
CHECKED enum status ocsp_ask(const struct x509_st *certificate, const struct x509_st *issuer,
                             struct ocsp_question *ret, struct fault *why);

/* ST_OK with the verdict and until when it may be believed; ST_BAD_ANSWER with a sentence: not an
 * answer to this question, not successful, not signed by the issuer or by a responder that the
 * issuer authorised (OCSPSigning), out of date (300 s of tolerance), another nonce. Without a
 * nextUpdate it is believed `now`, when it is of the last hour. Or ST_NO_MEMORY. */
CHECKED enum status ocsp_judge(slice answer, const struct x509_st *certificate,
                               const struct x509_st *issuer, const uint8_t nonce[OCSP_NONCE_LEN],
                               instant now, enum ocsp_verdict *ret, instant *ret_until,
                               struct fault *why);

#endif
