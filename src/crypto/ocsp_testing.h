/* For the tests: a responder's answers, good and odd. Included by test programs only. */
#ifndef MUSTER_CRYPTO_OCSP_TESTING_H
#define MUSTER_CRYPTO_OCSP_TESTING_H

#include <openssl/ocsp.h>

#include "crypto/ocsp.h"

#define OCSP_NO_END INT64_MAX /* an answer without nextUpdate */

enum ocsp_nonce { NONCE_SAME, NONCE_OTHER, NONCE_NONE, NONCE_SHORT };

struct ocsp_recipe {
    const struct x509_st *certificate, *issuer;
    struct x509_st *signer;
    struct evp_pkey_st *signer_key;
    struct x509_st *between; /* goes with it, besides the signer's; or NULL */
    int verdict;             /* V_OCSP_CERTSTATUS_x */
    int64_t from_s, until_s; /* since 1970 */
    const uint8_t *nonce;    /* OCSP_NONCE_LEN bytes; NULL: none, whatever its form */
    enum ocsp_nonce nonce_form;
    const char *hash; /* NULL: SHA-256 */
    unsigned long flags;
    bool is_critical; /* has an extension that nobody knows */
};

static inline void ocsp_answer_add(OCSP_BASICRESP *basic, const struct ocsp_recipe *r)
{
    OCSP_CERTID *id = OCSP_cert_to_id(NULL, r->certificate, r->issuer);
    ASN1_TIME *from = ASN1_GENERALIZEDTIME_set(NULL, r->from_s);
    ASN1_TIME *until =
        r->until_s == OCSP_NO_END ? NULL : ASN1_GENERALIZEDTIME_set(NULL, r->until_s);
    ASN1_TIME *revoked = r->verdict == V_OCSP_CERTSTATUS_REVOKED ? from : NULL;

    assert_non_null(OCSP_basic_add1_status(basic, id, r->verdict, OCSP_REVOKED_STATUS_NOSTATUS,
                                           revoked, from, until));
    ASN1_GENERALIZEDTIME_free(from);
    ASN1_GENERALIZEDTIME_free(until);
    OCSP_CERTID_free(id);
}

static inline void ocsp_answer_add_nonce(OCSP_BASICRESP *basic, const struct ocsp_recipe *r)
{
    uint8_t bytes[OCSP_NONCE_LEN];
    int len = OCSP_NONCE_LEN - (r->nonce_form == NONCE_SHORT ? 1 : 0);

    if (!r->nonce || r->nonce_form == NONCE_NONE)
        return;
    memcpy(bytes, r->nonce, sizeof bytes);
    if (r->nonce_form == NONCE_OTHER)
        bytes[OCSP_NONCE_LEN - 1] ^= 1;
    assert_true(OCSP_basic_add1_nonce(basic, bytes, len));
}

static inline void ocsp_answer_add_critical(OCSP_BASICRESP *basic)
{
    ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
    X509_EXTENSION *extension =
        X509_EXTENSION_create_by_NID(NULL, NID_id_pkix_OCSP_extendedStatus, 1, value);

    assert_int_equal(OCSP_BASICRESP_add_ext(basic, extension, -1), 1);
    X509_EXTENSION_free(extension);
    ASN1_OCTET_STRING_free(value);
}

/* The bytes of an answer; the caller deinits the buffer. */
static inline struct buf ocsp_answer_encode(int status, OCSP_BASICRESP *basic)
{
    OCSP_RESPONSE *response = OCSP_response_create(status, basic);
    struct buf bytes = {.max = OCSP_ANSWER_MAX};
    int len = i2d_OCSP_RESPONSE(response, NULL);
    uint8_t *room = buf_room(&bytes, (size_t)len);

    assert_non_null(room);
    assert_int_equal(i2d_OCSP_RESPONSE(response, &room), len);
    buf_grew(&bytes, (size_t)len);
    OCSP_RESPONSE_free(response);
    return bytes;
}

static inline struct buf ocsp_answer_make(const struct ocsp_recipe *r)
{
    OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
    STACK_OF(X509) *between = sk_X509_new_null();
    struct buf bytes;

    if (r->between)
        assert_true(sk_X509_push(between, r->between));
    ocsp_answer_add(basic, r);
    ocsp_answer_add_nonce(basic, r);
    if (r->is_critical)
        ocsp_answer_add_critical(basic);
    assert_true(OCSP_basic_sign(basic, r->signer, r->signer_key,
                                r->hash ? EVP_get_digestbyname(r->hash) : EVP_sha256(), between,
                                r->flags));
    sk_X509_free(between);
    bytes = ocsp_answer_encode(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
    OCSP_BASICRESP_free(basic);
    return bytes;
}

#endif
