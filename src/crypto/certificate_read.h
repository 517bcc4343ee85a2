/* Certificates from outside: bytes become certificates, certificates become facts.
 *
 * What people upload is PEM or DER, PEM behind base64 (the C service SDK), base64 without armour,
 * or PEM whose line ends are written "\n" (JSON typed by hand). A private key in the same file is
 * refused: it is where it should not be. */
#ifndef MUSTER_CRYPTO_CERTIFICATE_READ_H
#define MUSTER_CRYPTO_CERTIFICATE_READ_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/status.h"
#include "crypto/thumbprint.h"

struct x509_st;
struct stack_st_X509;

#define CERTIFICATE_FILE_MAX (64 * 1024) /* bytes of an upload (SECURITY-MODEL 6) */
#define CERTIFICATE_CHAIN_MAX 8          /* certificates in one file or handshake */
#define SERIAL_HEX_MAX 40                /* RFC 5280: 20 bytes */

/* What is wrong with a file, so that each caller can say it in its own words. */
enum certificate_problem {
    CERTIFICATE_FINE,
    CERTIFICATE_NONE,        /* nothing that can be read as one */
    CERTIFICATE_TOO_MANY,    /* more than asked for */
    CERTIFICATE_PRIVATE_KEY, /* a private key is in the file */
    CERTIFICATE_OVERSIZED,   /* more than CERTIFICATE_FILE_MAX bytes */
};

/* All certificates of a file, as they stand, 1 to `max`. The caller frees `ret` with
 * certificates_free; it is NULL unless CERTIFICATE_FINE. No secret of a refused file is kept. */
CHECKED enum certificate_problem certificates_read(slice file, int max, struct stack_st_X509 **ret);
/* The one certificate of a file. Freed with certificate_free. */
CHECKED enum certificate_problem certificate_read(slice file, struct x509_st **ret);
void certificates_free(struct stack_st_X509 *certificates);
size_t certificates_count(const struct stack_st_X509 *certificates);
struct x509_st *certificates_at(const struct stack_st_X509 *certificates, size_t index);
/* One more owner. NULL gives NULL. */
struct x509_st *certificate_share(struct x509_st *certificate);
struct stack_st_X509 *certificates_share(struct stack_st_X509 *certificates);

CHECKED struct x509_st *certificate_from_der(slice der); /* NULL: none, or bytes behind it */
void certificate_to_der(const struct x509_st *certificate, struct buf *to);
void certificate_to_pem(const struct x509_st *certificate, struct buf *to);

/* What a certificate says, for people and for decisions. Slices are in the arena. */
struct certificate_facts {
    slice subject, issuer; /* as RFC 4514 writes names, most specific first */
    slice common_name;     /* the one CN of the subject: 1 to 64 printable ASCII characters, else
                              empty (none, several, a NUL inside, other characters) */
    slice serial;          /* upper-case hex, no leading zeros beyond whole bytes */
    instant not_before, not_after;
    struct thumbprints thumbprints;
    unsigned version;   /* 1 to 3 */
    bool is_ca;         /* basicConstraints CA:TRUE */
    int path_length;    /* -1: no limit */
    bool signs_others;  /* keyUsage absent, or with keyCertSign */
    bool is_own_issuer; /* issuer and subject are the same name */
    slice key;          /* "EC P-256", "RSA 2048", "Ed25519" */
    slice signature;    /* "ecdsa-with-SHA256" */
};
/* ST_NO_MEMORY; ST_BAD_REQUEST when a date or a name cannot be read. */
CHECKED enum status certificate_facts_read(const struct x509_st *certificate, struct arena *arena,
                                           struct certificate_facts *ret, struct fault *why);

/* Whether the key is one that we take: RSA of 2048 to 8192 bits with an exponent of at most 64,
 * P-256, P-384, P-521 (named, not written out), Ed25519. */
CHECKED bool certificate_key_allowed(const struct x509_st *certificate);
/* Whether its signature hash is SHA-256 or better. */
CHECKED bool certificate_signature_allowed(const struct x509_st *certificate);

/* The names of what certificates may be denied by: 64-bit marks, so that a live session keeps a
 * few words and not its chain. Marks of different kinds differ; a collision (2^-64) would end a
 * session that comes back at once. */
enum mark_kind {
    MARK_SHA256 = 1,    /* of the certificate's SHA-256 */
    MARK_SHA1,          /* of its SHA-1 */
    MARK_ISSUER_SERIAL, /* of the issuer's name (DER, canonical) and the serial: what a CRL lists */
    MARK_GROUP_SERIAL,  /* of an enrollment group's ID in lower case and the serial */
};
struct certificate_marks {
    uint64_t sha256, sha1, issuer_serial;
    /* The same certificate under the other signature that anyone can make of one of ECDSA: denied,
     * it is denied under both. 0: there is none. */
    uint64_t twin_sha256, twin_sha1;
};
#define CERTIFICATE_MARKS_MAX 6 /* with the one in a group */
CHECKED bool certificate_marks(const struct x509_st *certificate, struct certificate_marks *ret);
/* From what an operator types or a store holds: upper-case hex. */
uint64_t mark_of_thumbprint(slice hex); /* 40 or 64 digits, any case; 0: neither */
uint64_t mark_of_group_serial(slice group_key, slice serial_hex);
uint64_t certificate_mark_in_group(const struct x509_st *certificate, slice group_key);

#endif
