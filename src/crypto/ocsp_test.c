#include "crypto/ocsp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "crypto/ocsp_testing.h"

#define NOW ((instant)1767225600000)
#define MINUTE 60
#define HOUR 3600
#define DAY 86400

/* --- certificates ----------------------------------------------------------------------------- */

enum who {
    ISSUER,
    LEAF,
    SIBLING,           /* another leaf of the issuer */
    RESPONDER,         /* the issuer signed it for OCSPSigning */
    UNMARKED,          /* the issuer signed it, for nothing in particular */
    EXPIRED_RESPONDER, /* half an hour ago */
    LATE_RESPONDER,    /* expired two minutes ago: within the tolerance */
    YOUNG_RESPONDER,   /* begins in half an hour */
    DEEP_RESPONDER,    /* for OCSPSigning, by an authority below the issuer */
    STRANGER,          /* an authority of its own */
    STRANGERS_RESPONDER,
    SHORT_RESPONDER, /* RSA of 1024 bits */
    SUBORDINATE,     /* the authority below the issuer */
    PARTIES
};

struct party {
    const char *name;
    enum who issuer;
    const char *constraints, *usage; /* basicConstraints, extendedKeyUsage; NULL: none */
    int64_t from_s, until_s;         /* from NOW */
    bool is_short;
};

static const struct party parties[PARTIES] = {
    [ISSUER] = {"Issuer", ISSUER, "critical,CA:TRUE", NULL, -DAY, DAY, false},
    [LEAF] = {"pump-07", ISSUER, NULL, NULL, -DAY, DAY, false},
    [SIBLING] = {"pump-08", ISSUER, NULL, NULL, -DAY, DAY, false},
    [RESPONDER] = {"Responder", ISSUER, NULL, "OCSPSigning", -DAY, DAY, false},
    [UNMARKED] = {"Unmarked", ISSUER, NULL, "serverAuth", -DAY, DAY, false},
    [EXPIRED_RESPONDER] = {"Expired", ISSUER, NULL, "OCSPSigning", -DAY, -30 * MINUTE, false},
    [LATE_RESPONDER] = {"Late", ISSUER, NULL, "OCSPSigning", -DAY, -2 * MINUTE, false},
    [YOUNG_RESPONDER] = {"Young", ISSUER, NULL, "OCSPSigning", 30 * MINUTE, DAY, false},
    [DEEP_RESPONDER] = {"Deep", SUBORDINATE, NULL, "OCSPSigning", -DAY, DAY, false},
    [STRANGER] = {"Stranger", STRANGER, "critical,CA:TRUE", NULL, -DAY, DAY, false},
    [STRANGERS_RESPONDER] = {"Strange", STRANGER, NULL, "OCSPSigning", -DAY, DAY, false},
    [SHORT_RESPONDER] = {"Short", ISSUER, NULL, "OCSPSigning", -DAY, DAY, true},
    [SUBORDINATE] = {"Subordinate", ISSUER, "critical,CA:TRUE", NULL, -DAY, DAY, false},
};

struct world {
    X509 *certificates[PARTIES];
    EVP_PKEY *keys[PARTIES];
};

static void add_extension(X509 *certificate, int nid, const char *value)
{
    X509_EXTENSION *extension;

    if (!value)
        return;
    extension = X509V3_EXT_nconf_nid(NULL, NULL, nid, value);
    assert_non_null(extension);
    assert_int_equal(X509_add_ext(certificate, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

static void make_party(struct world *w, enum who who)
{
    const struct party *p = &parties[who];
    X509 *certificate = X509_new();
    X509_NAME *name = X509_get_subject_name(certificate);
    time_t now = NOW / 1000;

    w->certificates[who] = certificate;
    assert_true(X509_set_version(certificate, 2));
    assert_true(ASN1_INTEGER_set(X509_get_serialNumber(certificate), 100 + (long)who));
    assert_true(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)p->name,
                                           -1, -1, 0));
    assert_true(
        X509_set_issuer_name(certificate, X509_get_subject_name(w->certificates[p->issuer])));
    assert_non_null(ASN1_TIME_set(X509_getm_notBefore(certificate), now + p->from_s));
    assert_non_null(ASN1_TIME_set(X509_getm_notAfter(certificate), now + p->until_s));
    assert_true(X509_set_pubkey(certificate, w->keys[who]));
    add_extension(certificate, NID_basic_constraints, p->constraints);
    add_extension(certificate, NID_ext_key_usage, p->usage);
    assert_true(X509_sign(certificate, w->keys[p->issuer], EVP_sha256()) > 0);
}

static int make_world(void **state)
{
    struct world *w = calloc(1, sizeof *w);

    assert_non_null(w);
    for (enum who who = 0; who < PARTIES; who++) {
        w->keys[who] = parties[who].is_short ? EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)1024)
                                             : EVP_EC_gen("P-256");
        assert_non_null(w->keys[who]);
    }
    make_party(w, ISSUER);
    make_party(w, STRANGER);
    make_party(w, SUBORDINATE);
    for (enum who who = 0; who < PARTIES; who++) {
        if (!w->certificates[who])
            make_party(w, who);
    }
    *state = w;
    return 0;
}

static int free_world(void **state)
{
    struct world *w = *state;

    for (enum who who = 0; who < PARTIES; who++) {
        X509_free(w->certificates[who]);
        EVP_PKEY_free(w->keys[who]);
    }
    free(w);
    return 0;
}

/* --- answers ---------------------------------------------------------------------------------- */

struct recipe {
    enum who signer;
    bool about_sibling; /* not about the leaf */
    int verdict;        /* V_OCSP_CERTSTATUS_x */
    int64_t from_s, until_s;
    enum ocsp_nonce nonce;
    const char *hash; /* NULL: SHA-256 */
    unsigned long flags;
    bool is_critical; /* has an extension that nobody knows */
};

static const uint8_t same_nonce[OCSP_NONCE_LEN] = "0123456789abcde";

static struct buf answer_of(const struct world *w, const struct recipe *r)
{
    const struct ocsp_recipe recipe = {
        .certificate = w->certificates[r->about_sibling ? SIBLING : LEAF],
        .issuer = w->certificates[ISSUER],
        .signer = w->certificates[r->signer],
        .signer_key = w->keys[r->signer],
        .between = w->certificates[SUBORDINATE],
        .verdict = r->verdict,
        .from_s = NOW / 1000 + r->from_s,
        .until_s = r->until_s == OCSP_NO_END ? OCSP_NO_END : NOW / 1000 + r->until_s,
        .nonce = same_nonce,
        .nonce_form = r->nonce,
        .hash = r->hash,
        .flags = r->flags,
        .is_critical = r->is_critical,
    };

    return ocsp_answer_make(&recipe);
}

static enum status judge(const struct world *w, slice answer, enum ocsp_verdict *ret,
                         instant *ret_until, struct fault *why)
{
    enum status status = ocsp_judge(answer, w->certificates[LEAF], w->certificates[ISSUER],
                                    same_nonce, NOW, ret, ret_until, why);

    assert_int_equal(ERR_peek_error(), 0);
    return status;
}

/* --- the tests -------------------------------------------------------------------------------- */

#define GOOD V_OCSP_CERTSTATUS_GOOD
#define REVOKED V_OCSP_CERTSTATUS_REVOKED
#define UNKNOWN V_OCSP_CERTSTATUS_UNKNOWN

static void an_answer_that_holds_is_believed_until_its_end(void **state)
{
    static const struct {
        const char *name;
        struct recipe recipe;
        enum ocsp_verdict verdict;
        int64_t until_s;
    } rows[] = {
        {"good, by the issuer", {.until_s = HOUR}, OCSP_GOOD, HOUR},
        {"revoked, by the issuer", {.verdict = REVOKED, .until_s = HOUR}, OCSP_REVOKED, HOUR},
        {"unknown, by the issuer", {.verdict = UNKNOWN, .until_s = HOUR}, OCSP_UNKNOWN, HOUR},
        {"good, by a responder", {.signer = RESPONDER, .until_s = DAY}, OCSP_GOOD, DAY},
        {"revoked, by a responder",
         {.signer = RESPONDER, .verdict = REVOKED, .until_s = DAY},
         OCSP_REVOKED,
         DAY},
        {"by a responder that expired just now",
         {.signer = LATE_RESPONDER, .until_s = DAY},
         OCSP_GOOD,
         DAY},
        {"named by its key",
         {.signer = RESPONDER, .until_s = DAY, .flags = OCSP_RESPID_KEY},
         OCSP_GOOD,
         DAY},
        {"the issuer named by its key",
         {.until_s = DAY, .flags = OCSP_RESPID_KEY | OCSP_NOCERTS},
         OCSP_GOOD,
         DAY},
        {"no nonce", {.from_s = -DAY, .until_s = DAY, .nonce = NONCE_NONE}, OCSP_GOOD, DAY},
        {"no end", {.until_s = OCSP_NO_END}, OCSP_GOOD, 0},
        {"no end, an hour ago", {.from_s = -HOUR, .until_s = OCSP_NO_END}, OCSP_GOOD, 0},
        {"from a clock ahead", {.from_s = 300, .until_s = DAY}, OCSP_GOOD, DAY},
        {"ended within the tolerance", {.from_s = -DAY, .until_s = -300}, OCSP_GOOD, -300},
        {"SHA-512", {.until_s = DAY, .hash = "SHA512"}, OCSP_GOOD, DAY},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct buf answer = answer_of(*state, &rows[i].recipe);
        enum ocsp_verdict verdict = OCSP_UNKNOWN;
        instant until = 0;
        struct fault why = {0};

        if (judge(*state, buf_slice(&answer), &verdict, &until, &why) != ST_OK)
            fail_msg("%s: %s", rows[i].name, why.text);
        if (verdict != rows[i].verdict || until != NOW + rows[i].until_s * 1000)
            fail_msg("%s: verdict %d until %+lld", rows[i].name, verdict,
                     (long long)(until - NOW) / 1000);
        buf_deinit(&answer);
    }
}

static void an_answer_that_does_not_hold_says_why(void **state)
{
    static const struct {
        const char *name;
        struct recipe recipe;
        const char *told;
    } rows[] = {
        {"about a sibling", {.about_sibling = true, .until_s = HOUR}, "another certificate"},
        {"signed by a stranger", {.signer = STRANGER, .until_s = HOUR}, "not signed by the issuer"},
        {"signed by a stranger's responder",
         {.signer = STRANGERS_RESPONDER, .until_s = HOUR},
         "not signed by the issuer"},
        {"signed by the device itself",
         {.signer = LEAF, .until_s = HOUR},
         "not signed by the issuer"},
        {"signed for another purpose",
         {.signer = UNMARKED, .until_s = HOUR},
         "not signed by the issuer"},
        {"signed by a responder one level down",
         {.signer = DEEP_RESPONDER, .until_s = HOUR},
         "not signed by the issuer"},
        {"signed by an authority one level down",
         {.signer = SUBORDINATE, .until_s = HOUR},
         "not signed by the issuer"},
        {"signed with a short key",
         {.signer = SHORT_RESPONDER, .until_s = HOUR},
         "not signed by the issuer"},
        {"signed by an expired responder",
         {.signer = EXPIRED_RESPONDER, .until_s = HOUR},
         "responder's certificate"},
        {"signed by a responder to be",
         {.signer = YOUNG_RESPONDER, .until_s = HOUR},
         "responder's certificate"},
        {"the responder is not in it",
         {.signer = RESPONDER, .until_s = HOUR, .flags = OCSP_NOCERTS},
         "does not hold"},
        {"signed with SHA-1", {.until_s = HOUR, .hash = "SHA1"}, "weak hash"},
        {"another nonce", {.until_s = HOUR, .nonce = NONCE_OTHER}, "another nonce"},
        {"a shorter nonce", {.until_s = HOUR, .nonce = NONCE_SHORT}, "another nonce"},
        {"out of date", {.from_s = -DAY, .until_s = -301}, "out of date"},
        {"from the future", {.from_s = 301, .until_s = HOUR}, "from the future"},
        {"no end, but old", {.from_s = -HOUR - 1, .until_s = OCSP_NO_END}, "out of date"},
        {"ends before it begins", {.from_s = 100, .until_s = 50}, "ends before it begins"},
        {"a critical extension", {.until_s = HOUR, .is_critical = true}, "critical extension"},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct buf answer = answer_of(*state, &rows[i].recipe);
        enum ocsp_verdict verdict = OCSP_UNKNOWN;
        instant until = 0;
        struct fault why = {0};

        if (judge(*state, buf_slice(&answer), &verdict, &until, &why) != ST_BAD_ANSWER ||
            !strstr(why.text, rows[i].told))
            fail_msg("%s: '%s'", rows[i].name, why.text);
        buf_deinit(&answer);
    }
}

static void a_responder_that_refuses_is_quoted(void **state)
{
    static const struct {
        int status;
        const char *told;
    } rows[] = {
        {OCSP_RESPONSE_STATUS_MALFORMEDREQUEST, "the responder says malformedrequest"},
        {OCSP_RESPONSE_STATUS_INTERNALERROR, "the responder says internalerror"},
        {OCSP_RESPONSE_STATUS_TRYLATER, "the responder says trylater"},
        {OCSP_RESPONSE_STATUS_SIGREQUIRED, "the responder says sigrequired"},
        {OCSP_RESPONSE_STATUS_UNAUTHORIZED, "the responder says unauthorized"},
        {OCSP_RESPONSE_STATUS_SUCCESSFUL, "the answer is not of the basic kind"},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct buf answer = ocsp_answer_encode(rows[i].status, NULL);
        enum ocsp_verdict verdict;
        instant until;
        struct fault why = {0};

        assert_int_equal(judge(*state, buf_slice(&answer), &verdict, &until, &why), ST_BAD_ANSWER);
        assert_string_equal(why.text, rows[i].told);
        buf_deinit(&answer);
    }
}

/* Every single bit of a good answer counts, or it is not read. */
static void no_changed_or_cut_answer_turns_into_another_verdict(void **state)
{
    const struct recipe recipe = {.signer = RESPONDER, .verdict = REVOKED, .until_s = HOUR};
    struct buf answer = answer_of(*state, &recipe);
    enum ocsp_verdict verdict;
    instant until;

    for (size_t len = 0; len < answer.len; len++)
        assert_int_equal(
            judge(*state, slice_first(buf_slice(&answer), len), &verdict, &until, NULL),
            ST_BAD_ANSWER);
    for (size_t at = 0; at < answer.len; at += 3) {
        verdict = OCSP_REVOKED;
        answer.ptr[at] ^= (uint8_t)(1 << at % 8);
        if (judge(*state, buf_slice(&answer), &verdict, &until, NULL) == ST_OK &&
            verdict != OCSP_REVOKED)
            fail_msg("byte %zu changed it", at);
        answer.ptr[at] ^= (uint8_t)(1 << at % 8);
    }
    buf_append_byte(&answer, 0);
    assert_int_equal(judge(*state, buf_slice(&answer), &verdict, &until, NULL), ST_BAD_ANSWER);
    buf_deinit(&answer);
}

static void an_answer_over_the_limit_is_not_read(void **state)
{
    uint8_t *bytes = calloc(1, OCSP_ANSWER_MAX + 1);
    enum ocsp_verdict verdict;
    instant until;

    assert_non_null(bytes);
    assert_int_equal(judge(*state, slice_of(bytes, OCSP_ANSWER_MAX + 1), &verdict, &until, NULL),
                     ST_BAD_ANSWER);
    free(bytes);
}

static void add_good(OCSP_BASICRESP *basic, const X509 *certificate, const X509 *issuer)
{
    const struct ocsp_recipe recipe = {.certificate = certificate,
                                       .issuer = issuer,
                                       .verdict = GOOD,
                                       .from_s = NOW / 1000,
                                       .until_s = OCSP_NO_END};

    ocsp_answer_add(basic, &recipe);
}

static void a_question_names_the_certificate_and_a_fresh_nonce(void **state)
{
    struct world *w = *state;
    struct ocsp_question question, second;
    struct fault why = {0};

    assert_int_equal(ocsp_ask(w->certificates[LEAF], w->certificates[ISSUER], &question, &why),
                     ST_OK);
    assert_int_equal(ocsp_ask(w->certificates[LEAF], w->certificates[ISSUER], &second, &why),
                     ST_OK);
    assert_memory_not_equal(question.nonce, second.nonce, OCSP_NONCE_LEN);

    const uint8_t *at = question.request.ptr;
    OCSP_REQUEST *request = d2i_OCSP_REQUEST(NULL, &at, (long)question.request.len);
    OCSP_CERTID *id = OCSP_cert_to_id(NULL, w->certificates[LEAF], w->certificates[ISSUER]);
    assert_non_null(request);
    assert_int_equal(OCSP_request_onereq_count(request), 1);
    assert_int_equal(OCSP_id_cmp(id, OCSP_onereq_get0_id(OCSP_request_onereq_get0(request, 0))), 0);

    /* What a responder copies from the question is what the judge compares. */
    OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
    enum ocsp_verdict verdict;
    instant until;
    add_good(basic, w->certificates[LEAF], w->certificates[ISSUER]);
    assert_true(OCSP_copy_nonce(basic, request) == 1);
    assert_true(
        OCSP_basic_sign(basic, w->certificates[ISSUER], w->keys[ISSUER], EVP_sha256(), NULL, 0));
    struct buf answer = ocsp_answer_encode(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
    assert_int_equal(ocsp_judge(buf_slice(&answer), w->certificates[LEAF], w->certificates[ISSUER],
                                question.nonce, NOW, &verdict, &until, &why),
                     ST_OK);
    assert_int_equal(ocsp_judge(buf_slice(&answer), w->certificates[LEAF], w->certificates[ISSUER],
                                second.nonce, NOW, &verdict, &until, &why),
                     ST_BAD_ANSWER);

    buf_deinit(&answer);
    OCSP_BASICRESP_free(basic);
    OCSP_CERTID_free(id);
    OCSP_REQUEST_free(request);
    buf_deinit(&question.request);
    buf_deinit(&second.request);
}

/* RSA-PSS names its hash in parameters. */
static void rsa_pss_is_as_strong_as_the_hash_it_names(void **state)
{
    static const struct {
        const char *hash;
        enum status status;
    } rows[] = {{"SHA256", ST_OK}, {"SHA384", ST_OK}, {"SHA1", ST_BAD_ANSWER}};
    struct world *w = *state;
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
    X509 *issuer = X509_dup(w->certificates[ISSUER]);

    assert_true(X509_set_pubkey(issuer, key));
    assert_true(X509_sign(issuer, key, EVP_sha256()) > 0);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        EVP_MD_CTX *context = EVP_MD_CTX_new();
        EVP_PKEY_CTX *parameters = NULL;
        OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
        enum ocsp_verdict verdict;
        instant until;
        struct fault why = {0};

        add_good(basic, w->certificates[LEAF], issuer);
        assert_int_equal(
            EVP_DigestSignInit(context, &parameters, EVP_get_digestbyname(rows[i].hash), NULL, key),
            1);
        assert_true(EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) > 0);
        assert_true(EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_DIGEST) > 0);
        assert_true(OCSP_basic_sign_ctx(basic, issuer, context, NULL, 0));
        struct buf answer = ocsp_answer_encode(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
        if (ocsp_judge(buf_slice(&answer), w->certificates[LEAF], issuer, same_nonce, NOW, &verdict,
                       &until, &why) != rows[i].status)
            fail_msg("%s: %s", rows[i].hash, why.text);
        buf_deinit(&answer);
        OCSP_BASICRESP_free(basic);
        EVP_MD_CTX_free(context);
    }
    X509_free(issuer);
    EVP_PKEY_free(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_that_holds_is_believed_until_its_end),
        cmocka_unit_test(an_answer_that_does_not_hold_says_why),
        cmocka_unit_test(a_responder_that_refuses_is_quoted),
        cmocka_unit_test(no_changed_or_cut_answer_turns_into_another_verdict),
        cmocka_unit_test(an_answer_over_the_limit_is_not_read),
        cmocka_unit_test(a_question_names_the_certificate_and_a_fresh_nonce),
        cmocka_unit_test(rsa_pss_is_as_strong_as_the_hash_it_names),
    };

    return cmocka_run_group_tests(tests, make_world, free_world);
}
