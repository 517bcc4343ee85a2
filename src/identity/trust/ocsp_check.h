/* Asking an OCSP responder, off the worker, with a memory of what it said.
 *
 * Only the responder that an administrator set for an authority is asked (SECURITY-MODEL C4, E1);
 * addresses in certificates are not. An answer is believed until its nextUpdate, an hour at most;
 * "unknown", and one that cannot be used, for OCSP_PAUSE_MS. A responder that did not answer is not
 * asked again for OCSP_PAUSE_MS, by any worker. */
#ifndef MUSTER_IDENTITY_OCSP_CHECK_H
#define MUSTER_IDENTITY_OCSP_CHECK_H

#include "crypto/ocsp.h"
#include "identity/identity.h"

#define OCSP_CACHE_MAX 16384 /* answers, of each worker */
#define OCSP_LIFE_MS (60 * 60 * 1000)
#define OCSP_PAUSE_MS 10000
#define OCSP_TIMEOUT_S 5

struct ocsp_cache;
CHECKED struct ocsp_cache *ocsp_cache_create(void);
void ocsp_cache_destroy(struct ocsp_cache *cache);

/* ST_OK with a verdict; ST_UNAVAILABLE when the responder gave none, with the cause. May answer
 * inside the call. Certificates are shared, the URL is copied. */
typedef void ocsp_check_fn(void *context, enum status status, enum ocsp_verdict verdict,
                           const struct fault *why);
void ocsp_check(struct identity *id, slice url, struct x509_st *certificate, struct x509_st *issuer,
                ocsp_check_fn *on_verdict, void *context);

#endif
