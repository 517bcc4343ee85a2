#include "crypto/certificate_read.h"

#include <limits.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "crypto/armour.h"
#include "crypto/certificate_internal.h"

/* Old files say it so. */
#define LABEL_OLD SLICE("X509 CERTIFICATE")
#define LABEL SLICE("CERTIFICATE")

static bool is_certificate(const struct armour_block *block)
{
    return block->label.len == 0 || slice_equal(block->label, LABEL) ||
           slice_equal(block->label, LABEL_OLD);
}

static enum certificate_problem read_blocks(struct armour *a, int max, STACK_OF(X509) * to)
{
    struct armour_block block;

    while (armour_next(a, &block)) {
        X509 *certificate;

        if (!is_certificate(&block))
            continue;
        if (sk_X509_num(to) == max)
            return CERTIFICATE_TOO_MANY;
        certificate = certificate_from_der(block.der);
        if (!certificate)
            return CERTIFICATE_NONE;
        if (sk_X509_push(to, certificate) <= 0) {
            X509_free(certificate);
            return CERTIFICATE_NONE;
        }
    }
    return sk_X509_num(to) > 0 ? CERTIFICATE_FINE : CERTIFICATE_NONE;
}

enum certificate_problem certificates_read(slice file, int max, struct stack_st_X509 **ret)
{
    ARMOUR_CLEANUP struct armour a = {0};
    enum certificate_problem problem;
    STACK_OF(X509) * found;

    *ret = NULL;
    if (file.len > CERTIFICATE_FILE_MAX)
        return CERTIFICATE_OVERSIZED;
    if (!armour_open(&a, file))
        return CERTIFICATE_NONE;
    if (armour_holds_key(&a))
        return CERTIFICATE_PRIVATE_KEY;
    found = sk_X509_new_null();
    problem = found ? read_blocks(&a, max, found) : CERTIFICATE_NONE;
    if (problem == CERTIFICATE_FINE)
        *ret = found;
    else
        certificates_free(found);
    return problem;
}

enum certificate_problem certificate_read(slice file, struct x509_st **ret)
{
    struct stack_st_X509 *found;
    enum certificate_problem problem = certificates_read(file, 1, &found);

    *ret = problem == CERTIFICATE_FINE ? sk_X509_pop(found) : NULL;
    certificates_free(found);
    return problem;
}

void certificates_free(struct stack_st_X509 *certificates)
{
    sk_X509_pop_free(certificates, X509_free);
}

struct x509_st *certificate_share(struct x509_st *certificate)
{
    if (certificate)
        X509_up_ref(certificate);
    return certificate;
}

size_t certificates_count(const struct stack_st_X509 *certificates)
{
    int count = sk_X509_num(certificates);

    return count > 0 ? (size_t)count : 0;
}

struct x509_st *certificates_at(const struct stack_st_X509 *certificates, size_t index)
{
    return sk_X509_value(certificates, (int)index);
}

struct stack_st_X509 *certificates_share(struct stack_st_X509 *certificates)
{
    return certificates ? X509_chain_up_ref(certificates) : NULL;
}

struct x509_st *certificate_from_der(slice der)
{
    const uint8_t *at = der.ptr;
    X509 *certificate;

    if (der.len == 0 || der.len > LONG_MAX)
        return NULL;
    certificate = d2i_X509(NULL, &at, (long)der.len);
    if (certificate && at != der.ptr + der.len) {
        X509_free(certificate);
        certificate = NULL;
    }
    ERR_clear_error(); /* or the next TLS read on this thread would take it for its own */
    return certificate;
}

void certificate_to_der(const struct x509_st *certificate, struct buf *to)
{
    uint8_t *der = NULL;
    int len = i2d_X509(certificate, &der);

    if (len > 0)
        buf_append(to, slice_of(der, (size_t)len));
    else
        to->failed = true;
    OPENSSL_free(der);
}

void certificate_to_pem(const struct x509_st *certificate, struct buf *to)
{
    BIO *pem = BIO_new(BIO_s_mem());
    char *text = NULL;
    long len = 0;

    if (pem && PEM_write_bio_X509(pem, certificate) == 1)
        len = BIO_get_mem_data(pem, &text);
    if (len > 0)
        buf_append(to, slice_of(text, (size_t)len));
    else
        to->failed = true;
    BIO_free(pem);
}

/* A curve given by its parameters may be any curve that looks like a good one: names only. */
static bool curve_allowed(const EVP_PKEY *key)
{
    static const char *const curves[] = {SN_X9_62_prime256v1, SN_secp384r1, SN_secp521r1};
    char name[32] = "", encoding[32] = "";

    if (EVP_PKEY_get_group_name(key, name, sizeof name, NULL) != 1 ||
        EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_EC_ENCODING, encoding, sizeof encoding,
                                       NULL) != 1 ||
        strcmp(encoding, OSSL_PKEY_EC_ENCODING_GROUP) != 0)
        return false;
    for (size_t i = 0; i < COUNT_OF(curves); i++) {
        if (strcmp(name, curves[i]) == 0)
            return true;
    }
    return false;
}

/* An exponent as long as the modulus is legal and makes a verification a hundred times dearer. */
static bool rsa_allowed(const EVP_PKEY *key)
{
    BIGNUM *exponent = NULL;
    bool small = EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &exponent) == 1 &&
                 BN_num_bits(exponent) <= 64;

    BN_free(exponent);
    return small && EVP_PKEY_get_bits(key) >= 2048 && EVP_PKEY_get_bits(key) <= 8192;
}

static bool key_allowed(const EVP_PKEY *key)
{
    if (!key)
        return false;
    switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA:
    case EVP_PKEY_RSA_PSS:
        return rsa_allowed(key);
    case EVP_PKEY_EC:
        return curve_allowed(key);
    case EVP_PKEY_ED25519:
        return true;
    default:
        return false;
    }
}

bool certificate_key_allowed(const struct x509_st *certificate)
{
    bool allowed = key_allowed(X509_get0_pubkey(certificate));

    ERR_clear_error();
    return allowed;
}

bool certificate_signature_allowed(const struct x509_st *certificate)
{
    static const int hashes[] = {NID_sha256,   NID_sha384,   NID_sha512,  NID_sha512_256,
                                 NID_sha3_256, NID_sha3_384, NID_sha3_512};
    int hash = NID_undef, key = NID_undef;
    bool known = X509_get_signature_info(lazy(certificate), &hash, &key, NULL, NULL) == 1;

    ERR_clear_error();
    if (!known)
        return false;
    for (size_t i = 0; i < COUNT_OF(hashes); i++) {
        if (hash == hashes[i])
            return true;
    }
    return hash == NID_undef && key == NID_ED25519;
}
