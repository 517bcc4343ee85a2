/* One device's certificate into its files: ID.key, ID.pem, and if wanted ID-chain.pem, ID.p12.
 * None of them is left behind with an older certificate: a chain that is there is written again
 * with the leaf, a .p12 that is there and not wanted refuses it. A leaf of another issuer that is
 * there is refused too.
 *
 * The key comes first and the certificate last, by a rename: a certificate that is there is whole
 * and its key is there. Nothing is synced one by one (that would cost a hundred times the rest);
 * whoever writes many syncs the folder's file system at the end. So a power cut may leave files
 * that are empty or cut short: they are recognised by their PEM armour and made again, while whole
 * keys are never replaced without `force`. */
#ifndef MUSTER_CMD_CERT_LEAF_H
#define MUSTER_CMD_CERT_LEAF_H

#include "crypto/leaf_maker.h"

#define CERT_ID_MAX 64 /* characters of a common name (RFC 5280, ub-common-name) */

struct stack_st_X509;
struct x509_st;

/* What all leaves of a run have in common. */
struct leaf_files {
    int folder;              /* open */
    const char *folder_name; /* for messages */
    bool is_authority;       /* it is an authority's, whose own files no device may take */
    bool force;
    bool full_chain, p12;
    slice chain_pem;                   /* behind the leaf in ID-chain.pem */
    const struct stack_st_X509 *chain; /* the same in ID.p12 */
    const char *pass_phrase;           /* of ID.p12 */
    const struct evp_pkey_st *key;     /* the one to use in place of fresh ones, or NULL */
    const struct x509_st *issuer;      /* of all leaves; NULL: they are self-signed */
};

enum leaf_outcome {
    LEAF_MADE,
    LEAF_FOR_KEY, /* a key was there, or given: it got a certificate */
    LEAF_THERE,   /* both were there */
};

/* One thread's tools. */
struct leaf_desk {
    const struct leaf_files *files;
    struct leaf_maker *maker;
    char scratch[32]; /* the name under which a certificate is written before it is renamed */
};

/* ST_CONFLICT: something is there that is not replaced, `why` says what to do. ST_NO_SPACE and
 * ST_UNAVAILABLE: files cannot be written, which the next leaf would meet too. `ret` is filled
 * unless the leaf was there; borrowed from the maker until its next one. */
CHECKED enum status cert_leaf_make(struct leaf_desk *desk, slice id, enum leaf_outcome *ret_outcome,
                                   struct leaf *ret, struct fault *why);
/* Whether that would find a key or a certificate in its way. */
bool cert_leaf_exists(const struct leaf_files *files, slice id);

#endif
