/* PKCS#12 files, for systems that take key and certificates in one. */
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pkcs12.h>

#include "crypto/certificate_make.h"

enum status certificate_to_p12(const struct x509_st *certificate, const struct evp_pkey_st *key,
                               const struct stack_st_X509 *chain, const char *pass_phrase,
                               struct buf *to, struct fault *why)
{
    /* Its parameters are not const, but nothing of them is changed. */
    PKCS12 *p12 = PKCS12_create(pass_phrase, NULL, (EVP_PKEY *)key, (X509 *)certificate,
                                (STACK_OF(X509) *)chain, 0, 0, 0, 0, 0);
    unsigned char *der = NULL;
    int len = p12 ? i2d_PKCS12(p12, &der) : 0;

    PKCS12_free(p12);
    ERR_clear_error();
    if (len <= 0)
        return fault_set(why, ST_INTERNAL, "cannot make the PKCS#12 file");
    buf_append(to, slice_of(der, (size_t)len));
    OPENSSL_clear_free(der, (size_t)len);
    return to->failed ? fault_set(why, ST_NO_MEMORY, "no memory for a PKCS#12 file") : ST_OK;
}
