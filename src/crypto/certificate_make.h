/* Making keys and certificates, in memory: for the certificate tool, for the server's own, and for
 * tests. */
#ifndef MUSTER_CRYPTO_CERTIFICATE_MAKE_H
#define MUSTER_CRYPTO_CERTIFICATE_MAKE_H

#include "base/buf.h"
#include "base/clock.h"
#include "base/status.h"

struct x509_st;
struct evp_pkey_st;

enum key_kind { KEY_P256, KEY_P384, KEY_RSA2048, KEY_RSA3072, KEY_RSA4096, KEY_ED25519 };

CHECKED struct evp_pkey_st *private_key_make(enum key_kind kind); /* NULL: out of memory */
void private_key_free(struct evp_pkey_st *key);
/* One that is behind a pass phrase is refused, not asked for. NULL with the cause. */
CHECKED struct evp_pkey_st *private_key_from_pem(slice pem, struct fault *why);
/* PKCS#8, unencrypted. The buffer is wiped by its owner. */
void private_key_to_pem(const struct evp_pkey_st *key, struct buf *to);

enum certificate_role {
    ROLE_AUTHORITY,    /* CA:TRUE critical, keyCertSign + cRLSign */
    ROLE_DEVICE,       /* CA:FALSE, digitalSignature, clientAuth */
    ROLE_EDGE_DEVICE,  /* CA:TRUE, keyCertSign + digitalSignature, clientAuth and serverAuth */
    ROLE_SERVER,       /* CA:FALSE, serverAuth, subjectAltName of all `names` */
    ROLE_VERIFICATION, /* the proof of possession: as a device's */
};

struct certificate_order {
    enum certificate_role role;
    slice common_name;             /* 1 to 64 characters */
    const struct evp_pkey_st *key; /* the subject's */
    const struct x509_st *issuer;  /* NULL: self-signed, with `key` */
    const struct evp_pkey_st *issuer_key;
    instant not_before, not_after;
    int path_length;    /* of an authority; 0: none below it; negative: no limit */
    const slice *names; /* host names and addresses of a server */
    size_t name_count;
};
/* Random 16-byte serial; subject and authority key identifiers; signed with SHA-256 (SHA-384 under
 * P-384, the key's own with Ed25519). NULL with the cause. Freed with certificate_free. */
CHECKED struct x509_st *certificate_make(const struct certificate_order *order, struct fault *why);

/* PKCS#12 with key, leaf and the certificates above it; `chain` may be NULL. */
struct stack_st_X509;
CHECKED enum status certificate_to_p12(const struct x509_st *certificate,
                                       const struct evp_pkey_st *key,
                                       const struct stack_st_X509 *chain, const char *pass_phrase,
                                       struct buf *to, struct fault *why);

#endif
