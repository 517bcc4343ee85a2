#include "crypto/signature.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#define RSA_BITS_MIN 2048
#define RSA_BITS_MAX 8192
#define P256_LEN 32
#define DER_MAX 80

static BIGNUM *number_of(slice bytes)
{
    return bytes.len > 0 && bytes.len <= RSA_BITS_MAX / 8 + 1
               ? BN_bin2bn(bytes.ptr, (int)bytes.len, NULL)
               : NULL;
}

static EVP_PKEY *key_from(const char *type, OSSL_PARAM_BLD *builder)
{
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(builder);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    EVP_PKEY *key = NULL;

    if (params && context && EVP_PKEY_fromdata_init(context) == 1)
        EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, params);
    EVP_PKEY_CTX_free(context);
    OSSL_PARAM_free(params);
    return key;
}

static bool verify(EVP_PKEY *key, slice message, slice signature)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool ok =
        key && context && EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, key) == 1 &&
        EVP_DigestVerify(context, signature.ptr, signature.len, message.ptr, message.len) == 1;

    EVP_MD_CTX_free(context);
    ERR_clear_error(); /* a wrong signature is none of ours */
    return ok;
}

/* --- RSA -------------------------------------------------------------------------------------- */

static EVP_PKEY *rsa_key(const struct rsa_public *k)
{
    BIGNUM *n = number_of(k->modulus), *e = number_of(k->exponent);
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    EVP_PKEY *key = NULL;

    if (n && e && builder && BN_num_bits(n) >= RSA_BITS_MIN && BN_num_bits(n) <= RSA_BITS_MAX &&
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e) == 1)
        key = key_from("RSA", builder);
    OSSL_PARAM_BLD_free(builder);
    BN_free(n);
    BN_free(e);
    return key;
}

bool rs256_verify(const struct rsa_public *k, slice message, slice signature)
{
    EVP_PKEY *key = rsa_key(k);
    bool ok = verify(key, message, signature);

    EVP_PKEY_free(key);
    return ok;
}

/* --- P-256 ------------------------------------------------------------------------------------ */

/* fromdata refuses a point that is not on the curve. */
static EVP_PKEY *p256_key(const struct p256_public *k)
{
    uint8_t point[1 + 2 * P256_LEN] = {POINT_CONVERSION_UNCOMPRESSED};
    OSSL_PARAM_BLD *builder;
    EVP_PKEY *key = NULL;

    if (k->x.len != P256_LEN || k->y.len != P256_LEN)
        return NULL;
    memcpy(point + 1, k->x.ptr, P256_LEN);
    memcpy(point + 1 + P256_LEN, k->y.ptr, P256_LEN);
    builder = OSSL_PARAM_BLD_new();
    if (builder &&
        OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0) == 1 &&
        OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point) ==
            1)
        key = key_from("EC", builder);
    OSSL_PARAM_BLD_free(builder);
    return key;
}

/* R and S as ASN.1, which is how libcrypto wants them; the length, 0 when they are none. */
static size_t der_of(slice signature, uint8_t to[DER_MAX])
{
    ECDSA_SIG *pair = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(signature.ptr, P256_LEN, NULL);
    BIGNUM *s = BN_bin2bn(signature.ptr + P256_LEN, P256_LEN, NULL);
    uint8_t *at = to;
    int len = 0;

    if (pair && r && s && ECDSA_SIG_set0(pair, r, s) == 1) {
        r = s = NULL; /* the pair's now */
        len = i2d_ECDSA_SIG(pair, NULL) <= DER_MAX ? i2d_ECDSA_SIG(pair, &at) : 0;
    }
    BN_free(r);
    BN_free(s);
    ECDSA_SIG_free(pair);
    return len > 0 ? (size_t)len : 0;
}

bool es256_verify(const struct p256_public *k, slice message, slice signature)
{
    uint8_t der[DER_MAX];
    size_t len = signature.len == 2 * P256_LEN ? der_of(signature, der) : 0;
    EVP_PKEY *key = len > 0 ? p256_key(k) : NULL;
    bool ok = verify(key, message, slice_of(der, len));

    EVP_PKEY_free(key);
    return ok;
}
