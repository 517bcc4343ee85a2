#include "crypto/thumbprint.h"

#include <limits.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

struct x509_st *certificate_from_pem(slice pem)
{
    BIO *bio = pem.len > 0 && pem.len <= INT_MAX ? BIO_new_mem_buf(pem.ptr, (int)pem.len) : NULL;
    X509 *certificate = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;

    BIO_free(bio);
    return certificate;
}

void certificate_free(struct x509_st *certificate)
{
    X509_free(certificate);
}

static void write_hex(const uint8_t *bytes, size_t len, char *to)
{
    static const char digits[] = "0123456789ABCDEF";

    for (size_t i = 0; i < len; i++) {
        *to++ = digits[bytes[i] >> 4];
        *to++ = digits[bytes[i] & 15];
    }
}

static bool write_digest(const struct x509_st *certificate, const EVP_MD *kind, char *to,
                         size_t digits)
{
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;

    if (!X509_digest(certificate, kind, digest, &len) || (size_t)len * 2 != digits)
        return false;
    write_hex(digest, len, to);
    return true;
}

bool certificate_thumbprints(const struct x509_st *certificate, struct thumbprints *ret)
{
    return write_digest(certificate, EVP_sha1(), ret->sha1, sizeof ret->sha1) &&
           write_digest(certificate, EVP_sha256(), ret->sha256, sizeof ret->sha256);
}

bool thumbprint_matches(const struct thumbprints *given, slice registered)
{
    return slice_equal_nocase(slice_of(given->sha1, sizeof given->sha1), registered) ||
           slice_equal_nocase(slice_of(given->sha256, sizeof given->sha256), registered);
}
