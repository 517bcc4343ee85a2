#include "crypto/ocsp.h"

#include <time.h>

#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/x509v3.h>

#include "crypto/crypto.h"

#define REQUEST_MAX 4096
#define TOLERANCE_MS (300 * 1000)
/* An answer without nextUpdate says that it was right when it was made, and no more. */
#define AGE_MAX_MS (60 * 60 * 1000)
/* Of the keys and signatures of responders: 112 bits, so RSA 2048 and SHA-256. */
#define SECURITY_LEVEL 2

static void free_request(OCSP_REQUEST **request)
{
    OCSP_REQUEST_free(*request);
}
static void free_response(OCSP_RESPONSE **response)
{
    OCSP_RESPONSE_free(*response);
}
static void free_basic(OCSP_BASICRESP **basic)
{
    OCSP_BASICRESP_free(*basic);
}
static void free_id(OCSP_CERTID **id)
{
    OCSP_CERTID_free(*id);
}
static void free_store(X509_STORE **store)
{
    X509_STORE_free(*store);
}
#define REQUEST_CLEANUP __attribute__((cleanup(free_request)))
#define RESPONSE_CLEANUP __attribute__((cleanup(free_response)))
#define BASIC_CLEANUP __attribute__((cleanup(free_basic)))
#define ID_CLEANUP __attribute__((cleanup(free_id)))
#define STORE_CLEANUP __attribute__((cleanup(free_store)))

static enum status bad_answer(struct fault *why, const char *cause)
{
    return fault_set(why, ST_BAD_ANSWER, "%s", cause);
}

static enum status no_memory(struct fault *why)
{
    return fault_set(why, ST_NO_MEMORY, "no memory for OCSP");
}

/* --- the question ---------------------------------------------------------------------------- */

/* The SHA-1 of names and keys, because it is what all responders know (RFC 5019, 2.1.1): it names
 * the certificate and protects nothing. */
static OCSP_REQUEST *make_request(const X509 *certificate, const X509 *issuer,
                                  uint8_t nonce[OCSP_NONCE_LEN])
{
    OCSP_REQUEST *request = OCSP_REQUEST_new();
    OCSP_CERTID *id = OCSP_cert_to_id(NULL, certificate, issuer);

    if (request && id && OCSP_request_add0_id(request, id)) {
        id = NULL; /* the request's now */
        if (OCSP_request_add1_nonce(request, nonce, OCSP_NONCE_LEN))
            return request;
    }
    OCSP_CERTID_free(id);
    OCSP_REQUEST_free(request);
    return NULL;
}

enum status ocsp_ask(const struct x509_st *certificate, const struct x509_st *issuer,
                     struct ocsp_question *ret, struct fault *why)
{
    REQUEST_CLEANUP OCSP_REQUEST *request = NULL;
    struct ocsp_question question = {.request = {.max = REQUEST_MAX}};
    uint8_t *room;
    int len;

    random_bytes(question.nonce, sizeof question.nonce);
    request = make_request(certificate, issuer, question.nonce);
    len = request ? i2d_OCSP_REQUEST(request, NULL) : 0;
    ERR_clear_error();
    room = len > 0 ? buf_room(&question.request, (size_t)len) : NULL;
    if (!room || i2d_OCSP_REQUEST(request, &room) != len) {
        buf_deinit(&question.request);
        return no_memory(why);
    }
    buf_grew(&question.request, (size_t)len);
    *ret = question;
    return ST_OK;
}

/* --- whose answer it is ---------------------------------------------------------------------- */

/* The hash that RSA-PSS names in its parameters; SHA-1 where it names none (RFC 4055). */
static int pss_hash(const X509_ALGOR *algorithm)
{
    RSA_PSS_PARAMS *pss =
        ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(RSA_PSS_PARAMS), algorithm->parameter);
    int hash = pss && pss->hashAlgorithm ? OBJ_obj2nid(pss->hashAlgorithm->algorithm) : NID_sha1;

    RSA_PSS_PARAMS_free(pss);
    return hash;
}

static bool is_strong(const OCSP_BASICRESP *basic)
{
    const X509_ALGOR *algorithm = OCSP_resp_get0_tbs_sigalg(basic);
    int signature = OBJ_obj2nid(algorithm->algorithm), hash = NID_undef;

    if (signature == NID_ED25519)
        return true;
    if (signature == NID_rsassaPss)
        hash = pss_hash(algorithm);
    else if (!OBJ_find_sigid_algs(signature, &hash, NULL))
        return false;
    return hash == NID_sha256 || hash == NID_sha384 || hash == NID_sha512;
}

/* A responder's certificate is issued by the issuer itself: no path longer than that. Its dates
 * are judged against the caller's clock, below. */
static X509_STORE *make_store(X509 *issuer)
{
    X509_STORE *store = X509_STORE_new();
    X509_VERIFY_PARAM *rules = store ? X509_STORE_get0_param(store) : NULL;

    if (rules && X509_STORE_add_cert(store, issuer) == 1 &&
        X509_VERIFY_PARAM_set_flags(rules, X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_NO_CHECK_TIME)) {
        X509_VERIFY_PARAM_set_depth(rules, 0);
        X509_VERIFY_PARAM_set_auth_level(rules, SECURITY_LEVEL);
        return store;
    }
    X509_STORE_free(store);
    return NULL;
}

static bool is_in_force(const X509 *responder, instant now)
{
    time_t latest = (time_t)((now + TOLERANCE_MS) / 1000);
    time_t earliest = (time_t)((now - TOLERANCE_MS) / 1000);

    return X509_cmp_time(X509_get0_notBefore(responder), &latest) < 0 &&
           X509_cmp_time(X509_get0_notAfter(responder), &earliest) > 0;
}

/* By the issuer's key, or by a responder whose certificate the issuer signed for OCSPSigning. */
static enum status check_signer(OCSP_BASICRESP *basic, X509 *issuer, instant now, struct fault *why)
{
    STORE_CLEANUP X509_STORE *store = make_store(issuer);
    STACK_OF(X509) *known = sk_X509_new_null();
    X509 *signer = NULL;
    bool verified = false;

    if (!store || !known || !sk_X509_push(known, issuer)) {
        sk_X509_free(known);
        return no_memory(why);
    }
    if (OCSP_resp_get0_signer(basic, &signer, known) == 1)
        verified = OCSP_basic_verify(basic, known, store, OCSP_TRUSTOTHER | OCSP_NOEXPLICIT) == 1;
    sk_X509_free(known);
    if (!signer)
        return bad_answer(why, "the answer is signed by a certificate that it does not hold");
    if (!verified)
        return bad_answer(why, "the answer is not signed by the issuer, or by a responder that it "
                               "authorised");
    if (!is_strong(basic))
        return bad_answer(why, "the answer is signed with a weak hash");
    if (signer != issuer && !is_in_force(signer, now))
        return bad_answer(why, "the responder's certificate is not valid now");
    return ST_OK;
}

/* --- what it says ---------------------------------------------------------------------------- */

/* Absent is good: most responders sign their answers ahead. */
static bool nonce_matches(OCSP_BASICRESP *basic, const uint8_t nonce[OCSP_NONCE_LEN])
{
    int at = OCSP_BASICRESP_get_ext_by_NID(basic, NID_id_pkix_OCSP_Nonce, -1);
    const ASN1_OCTET_STRING *value;
    uint8_t want[2 + OCSP_NONCE_LEN] = {V_ASN1_OCTET_STRING, OCSP_NONCE_LEN};

    if (at < 0)
        return true;
    memcpy(want + 2, nonce, OCSP_NONCE_LEN);
    value = X509_EXTENSION_get_data(OCSP_BASICRESP_get_ext(basic, at));
    return slice_equal(slice_of(want, sizeof want),
                       slice_of(ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value)));
}

static bool read_time(const ASN1_GENERALIZEDTIME *time, instant *ret)
{
    struct tm parts;

    if (!time || ASN1_TIME_to_tm(time, &parts) != 1)
        return false;
    *ret = (instant)timegm(&parts) * 1000;
    return true;
}

static enum status check_dates(const ASN1_GENERALIZEDTIME *this_update,
                               const ASN1_GENERALIZEDTIME *next_update, instant now,
                               instant *ret_until, struct fault *why)
{
    instant from, until = now;

    if (!read_time(this_update, &from) || (next_update && !read_time(next_update, &until)))
        return bad_answer(why, "a date of the answer cannot be read");
    if (from > now + TOLERANCE_MS)
        return bad_answer(why, "the answer is from the future");
    if (next_update ? until < now - TOLERANCE_MS : from < now - AGE_MAX_MS)
        return bad_answer(why, "the answer is out of date");
    if (next_update && until < from)
        return bad_answer(why, "the answer ends before it begins");
    *ret_until = until;
    return ST_OK;
}

static enum ocsp_verdict verdict_of(int status)
{
    return status == V_OCSP_CERTSTATUS_GOOD      ? OCSP_GOOD
           : status == V_OCSP_CERTSTATUS_REVOKED ? OCSP_REVOKED
                                                 : OCSP_UNKNOWN;
}

static enum status read_verdict(OCSP_BASICRESP *basic, const X509 *certificate, const X509 *issuer,
                                instant now, enum ocsp_verdict *ret, instant *ret_until,
                                struct fault *why)
{
    ID_CLEANUP OCSP_CERTID *id = OCSP_cert_to_id(NULL, certificate, issuer);
    int at = id ? OCSP_resp_find(basic, id, -1) : -1;
    OCSP_SINGLERESP *single = at < 0 ? NULL : OCSP_resp_get0(basic, at);
    ASN1_GENERALIZEDTIME *this_update = NULL, *next_update = NULL;
    enum status status;
    int said;

    if (!id)
        return no_memory(why);
    if (!single)
        return bad_answer(why, "the answer is about another certificate");
    if (OCSP_SINGLERESP_get_ext_by_critical(single, 1, -1) >= 0 ||
        OCSP_BASICRESP_get_ext_by_critical(basic, 1, -1) >= 0)
        return bad_answer(why, "the answer has a critical extension");
    said = OCSP_single_get0_status(single, NULL, NULL, &this_update, &next_update);
    status = check_dates(this_update, next_update, now, ret_until, why);
    if (status == ST_OK)
        *ret = verdict_of(said);
    return status;
}

/* --- all of it ------------------------------------------------------------------------------- */

static OCSP_BASICRESP *parse(slice answer, struct fault *why)
{
    const uint8_t *at = answer.ptr;
    RESPONSE_CLEANUP OCSP_RESPONSE *response = NULL;
    OCSP_BASICRESP *basic;
    int status;

    if (answer.len > 0 && answer.len <= OCSP_ANSWER_MAX)
        response = d2i_OCSP_RESPONSE(NULL, &at, (long)answer.len);
    if (!response || at != answer.ptr + answer.len) {
        bad_answer(why, "the answer is none in DER");
        return NULL;
    }
    status = OCSP_response_status(response);
    if (status != OCSP_RESPONSE_STATUS_SUCCESSFUL) {
        fault_set(why, ST_BAD_ANSWER, "the responder says %s", OCSP_response_status_str(status));
        return NULL;
    }
    basic = OCSP_response_get1_basic(response);
    if (!basic)
        bad_answer(why, "the answer is not of the basic kind");
    return basic;
}

static enum status judge(OCSP_BASICRESP *basic, const X509 *certificate, const X509 *issuer,
                         const uint8_t nonce[OCSP_NONCE_LEN], instant now, enum ocsp_verdict *ret,
                         instant *ret_until, struct fault *why)
{
    /* libcrypto counts references in it, and changes nothing else. */
    enum status status = check_signer(basic, (X509 *)(uintptr_t)issuer, now, why);

    if (status != ST_OK)
        return status;
    if (!nonce_matches(basic, nonce))
        return bad_answer(why, "the answer has another nonce");
    return read_verdict(basic, certificate, issuer, now, ret, ret_until, why);
}

enum status ocsp_judge(slice answer, const struct x509_st *certificate,
                       const struct x509_st *issuer, const uint8_t nonce[OCSP_NONCE_LEN],
                       instant now, enum ocsp_verdict *ret, instant *ret_until, struct fault *why)
{
    BASIC_CLEANUP OCSP_BASICRESP *basic = parse(answer, why);
    enum ocsp_verdict verdict = OCSP_UNKNOWN;
    instant until = 0;
    enum status status = ST_BAD_ANSWER;

    if (basic)
        status = judge(basic, certificate, issuer, nonce, now, &verdict, &until, why);
    ERR_clear_error(); /* or the next TLS read on this thread would take it for its own */
    if (status == ST_OK) {
        *ret = verdict;
        *ret_until = until;
    }
    return status;
}
