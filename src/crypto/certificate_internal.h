/* What the files that read certificates share. */
#ifndef MUSTER_CRYPTO_CERTIFICATE_INTERNAL_H
#define MUSTER_CRYPTO_CERTIFICATE_INTERNAL_H

#include <openssl/x509.h>

#include "crypto/certificate_read.h"
#include "crypto/crypto.h"

#define COMMON_NAME_MAX 64

/* OpenSSL reads a certificate's extensions when they are first asked for, under a lock inside it;
 * to us it does not change. */
static inline X509 *lazy(const struct x509_st *certificate)
{
    return (X509 *)certificate;
}

/* In the form of RFC 5280: UTC with seconds. False for any other. */
CHECKED bool instant_from_asn1(const ASN1_TIME *time, instant *ret);
/* The one CN by the rule of certificate_facts; gives its length, 0 when there is none. */
size_t certificate_common_name(const X509 *certificate, char ret[COMMON_NAME_MAX]);
/* RFC 4514, UTF-8. False when a value cannot be read. */
CHECKED bool name_write(const X509_NAME *name, struct buf *to);
/* Magnitude in upper-case hex, whole bytes, '-' before a negative one. */
void serial_write(const ASN1_INTEGER *serial, struct buf *to);

/* DER of the same certificate under the other signature that is as good; nothing when there is
 * none. False: no memory. */
CHECKED bool certificate_twin(const X509 *certificate, struct buf *to);

/* Of a name as X509_NAME_cmp sees it: string types, case and runs of blanks make no difference. */
void name_digest(const X509_NAME *name, uint8_t ret[SHA256_LEN]);
uint64_t mark_of_issuer_serial(const uint8_t issuer[SHA256_LEN], const ASN1_INTEGER *serial);

#endif
