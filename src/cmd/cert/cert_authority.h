/* An authority's folder: ca.pem, ca.key, and chain.pem with what a device sends besides its leaf.
 */
#ifndef MUSTER_CMD_CERT_AUTHORITY_H
#define MUSTER_CMD_CERT_AUTHORITY_H

#include "base/buf.h"
#include "base/clock.h"
#include "base/status.h"

struct x509_st;
struct evp_pkey_st;
struct stack_st_X509;

struct cert_authority {
    struct x509_st *certificate;
    struct evp_pkey_st *key;
    struct buf chain_pem;        /* itself and what is above it, without the root; may be empty */
    struct stack_st_X509 *chain; /* the same; NULL when empty */
    instant not_after;
    int path_length; /* -1: no limit */
};

/* Made by this tool or by another: chain.pem may be missing, then it is ca.pem unless that is a
 * root. A certificate that may not sign others is refused. */
CHECKED bool cert_authority_open(const char *folder, struct cert_authority *ret, struct fault *why);
void cert_authority_close(struct cert_authority *a);

#endif
