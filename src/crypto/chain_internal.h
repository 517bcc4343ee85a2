/* What the files that judge chains share. */
#ifndef MUSTER_CRYPTO_CHAIN_INTERNAL_H
#define MUSTER_CRYPTO_CHAIN_INTERNAL_H

#include <openssl/x509.h>

#include "crypto/chain.h"

/* Certificates in the order of struct chain_path, borrowed. */
struct chain_links {
    X509 *certificates[CERTIFICATE_CHAIN_MAX];
    size_t count;
};
/* A whole path whose signatures hold: everything else. On failure *ret_at is the index of the
 * certificate that failed. */
CHECKED enum chain_reason chain_check_links(const struct chain_links *links, instant now,
                                            size_t *ret_at, struct fault *why);

/* Whether it names itself as issuer and its key identifiers do not deny it. */
CHECKED bool chain_is_self_signed(const X509 *certificate);

/* A name for a sentence: its last part is cut off when it is long. */
#define NAME_LABEL_MAX 72
const char *name_label(const X509_NAME *name, char ret[NAME_LABEL_MAX]);

#endif
