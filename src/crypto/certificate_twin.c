/* A certificate's twin: the same in all that was signed, under another signature.
 *
 * For a signature (r, s) of ECDSA the pair (r, n - s) is one too, and to make it takes no key. So
 * whoever has a certificate has two, with different hashes: what is denied by a hash is denied
 * under either signature. Of the other kinds of keys that we take no signature has a second
 * form. */
#include <openssl/asn1.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/objects.h>

#include "crypto/certificate_internal.h"
#include "crypto/der_write.h"

/* The orders n of P-256, P-384 and P-521 (FIPS 186-4, D.1.2). */
static const char *const orders[] = {
    "FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551",
    "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77A"
    "ECEC196ACCC52973",
    "01FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFA51868783BF2F9"
    "66B7FCC0148F709A5D03BB5C9B8899C47AEBB6FB71E91386409",
};

static bool is_ecdsa(const X509_ALGOR *algorithm)
{
    const ASN1_OBJECT *object;
    int hash, key;

    X509_ALGOR_get0(&object, NULL, NULL, algorithm);
    return OBJ_find_sigid_algs(OBJ_obj2nid(object), &hash, &key) == 1 &&
           key == NID_X9_62_id_ecPublicKey;
}

/* The order below which both lie. The issuer's key is not at hand, but a pair of a larger curve
 * would fit below a smaller one's order once in 2^128. *ret is NULL when there is none: of no curve
 * that we take. False: no memory. */
static bool find_order(const BIGNUM *r, const BIGNUM *s, BIGNUM **ret)
{
    *ret = NULL;
    for (size_t i = 0; i < COUNT_OF(orders); i++) {
        if (BN_hex2bn(ret, orders[i]) == 0)
            return false;
        if (BN_cmp(r, *ret) < 0 && BN_cmp(s, *ret) < 0)
            return true;
    }
    BN_free(*ret);
    *ret = NULL;
    return true;
}

/* (r, s) becomes (r, n - s), when there is such an n. False: no memory. */
static bool negate(ECDSA_SIG *pair, bool *ret_done)
{
    BIGNUM *r = BN_dup(ECDSA_SIG_get0_r(pair)), *s = BN_dup(ECDSA_SIG_get0_s(pair)), *order = NULL;
    bool enough = r && s && find_order(r, s, &order);

    *ret_done = false;
    if (enough && order) {
        enough = BN_sub(s, order, s) == 1 && ECDSA_SIG_set0(pair, r, s) == 1;
        *ret_done = enough;
    }
    if (!*ret_done) { /* else the pair's */
        BN_free(r);
        BN_free(s);
    }
    BN_free(order);
    return enough;
}

/* The other signature's bytes, which the caller frees; none when the first is of no use either.
 * False: no memory. */
static bool sign_again(const ASN1_BIT_STRING *signature, uint8_t **ret, int *ret_len)
{
    const uint8_t *at = ASN1_STRING_get0_data(signature);
    ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &at, ASN1_STRING_length(signature));
    bool enough = true, done = false;

    *ret = NULL;
    *ret_len = 0;
    if (pair)
        enough = negate(pair, &done);
    if (done) {
        *ret_len = i2d_ECDSA_SIG(pair, ret);
        enough = *ret_len > 0;
    }
    ECDSA_SIG_free(pair);
    ERR_clear_error(); /* or the next TLS read on this thread would take it for its own */
    return enough;
}

/* All inside the certificate but the signature. */
static slice signed_part(slice certificate, const ASN1_BIT_STRING *signature)
{
    const uint8_t *contents = certificate.ptr;
    int tag, kind, bits = i2d_ASN1_BIT_STRING(signature, NULL);
    long len = 0;

    if (certificate.len == 0 ||
        (ASN1_get_object(&contents, &len, &tag, &kind, (long)certificate.len) & 0x80) ||
        bits <= 0 || len < bits)
        return (slice){0};
    return slice_of(contents, (size_t)(len - bits));
}

bool certificate_twin(const X509 *certificate, struct buf *to)
{
    struct buf BUF_CLEANUP der = {.max = to->max};
    const ASN1_BIT_STRING *signature;
    const X509_ALGOR *algorithm;
    uint8_t *other = NULL;
    size_t sequence;
    slice part;
    int len = 0;

    X509_get0_signature(&signature, &algorithm, certificate);
    if (!is_ecdsa(algorithm))
        return true;
    if (!sign_again(signature, &other, &len))
        return false;
    if (len == 0)
        return true;
    certificate_to_der(certificate, &der);
    part = signed_part(buf_slice(&der), signature);
    sequence = der_open(to, DER_SEQUENCE);
    buf_append(to, part);
    der_append_bits(to, slice_of(other, (size_t)len));
    der_close(to, sequence);
    OPENSSL_free(other);
    return part.len > 0 && !der.failed && !to->failed;
}
