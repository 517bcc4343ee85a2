/* What is judged without a path: pinned leaves, uploaded authorities, proofs of possession. */
#include "crypto/chain.h"

#include "crypto/certificate_testing.h"

static void a_pinned_leaf_is_judged_by_its_dates_and_key_alone(void **state)
{
    static const struct {
        const char *name;
        struct spec spec;
        bool check_start;
        enum chain_reason reason;
    } rows[] = {
        {"self-signed", {.cn = "a"}, true, CHAIN_GOOD},
        {"version 1, no CN", {.cn = "", .version = 1, .extensions = ""}, true, CHAIN_GOOD},
        {"critical extension", {.extensions = "1.2.3.4=critical,DER:0500"}, true, CHAIN_GOOD},
        {"serverAuth", {.extensions = "extendedKeyUsage=serverAuth"}, true, CHAIN_GOOD},
        {"expired 300 s ago", {.until = -300}, true, CHAIN_GOOD},
        {"expired 301 s ago", {.until = -301}, true, CHAIN_EXPIRED},
        {"begins in 300 s", {.from = 300}, true, CHAIN_GOOD},
        {"begins in 301 s", {.from = 301}, true, CHAIN_NOT_YET_VALID},
        {"begins in 301 s, which is all the same", {.from = 301}, false, CHAIN_GOOD},
        {"expired, start all the same", {.until = -301}, false, CHAIN_EXPIRED},
        {"no date", {.date = ""}, true, CHAIN_MALFORMED},
        {"P-224", {.key = "P-224"}, true, CHAIN_WEAK_KEY},
        {"P-224 and expired", {.key = "P-224", .until = -301}, true, CHAIN_WEAK_KEY},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct lab lab = {0};
        X509 *leaf = lab_make(&lab, &rows[i].spec, NULL).certificate;
        struct fault why = {0};

        if (chain_check_pinned(leaf, rows[i].check_start, LAB_NOW, &why) != rows[i].reason)
            fail_msg("%s: not %s (%s)", rows[i].name, chain_reason_name(rows[i].reason), why.text);
        assert_int_equal(ERR_peek_error(), 0);
        lab_deinit(&lab);
    }
}

static void a_leaf_can_be_judged_before_anyone_vouches_for_it(void **state)
{
    static const struct {
        const char *name;
        struct spec spec;
        enum chain_reason reason;
    } rows[] = {
        {"leaf", {.cn = "a"}, CHAIN_GOOD},
        {"no extensions", {.extensions = ""}, CHAIN_GOOD},
        {"an authority of a device", {.extensions = "basicConstraints=CA:TRUE"}, CHAIN_GOOD},
        {"serverAuth", {.extensions = "extendedKeyUsage=serverAuth"}, CHAIN_WRONG_PURPOSE},
        {"critical extension",
         {.extensions = "1.2.3.4=critical,DER:0500"},
         CHAIN_CRITICAL_EXTENSION},
        {"proxy",
         {.extensions = "proxyCertInfo=critical,language:id-ppl-anyLanguage"},
         CHAIN_OTHER},
        {"expired", {.until = -301}, CHAIN_EXPIRED},
        {"no CN", {.cn = ""}, CHAIN_BAD_NAME},
        {"P-224", {.key = "P-224"}, CHAIN_WEAK_KEY},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows) * 2; i++) {
        size_t row = i / 2;
        struct lab lab = {0};
        struct holder root = lab_authority(&lab, "Root", NULL);
        X509 *leaf = lab_make(&lab, &rows[row].spec, i % 2 ? &root : NULL).certificate;
        struct fault why = {0};

        if (chain_check_leaf(leaf, LAB_NOW, &why) != rows[row].reason)
            fail_msg("%s: not %s (%s)", rows[row].name, chain_reason_name(rows[row].reason),
                     why.text);
        assert_int_equal(ERR_peek_error(), 0);
        lab_deinit(&lab);
    }
}

static void P093_an_uploaded_authority_must_be_one(void **state)
{
    const struct {
        const char *name;
        struct spec spec;
        enum chain_reason reason, leniently;
    } rows[] = {
        {"root", {.is_authority = true}, CHAIN_GOOD, CHAIN_GOOD},
        {"no keyUsage",
         {.is_authority = true, .extensions = "basicConstraints=CA:TRUE"},
         CHAIN_GOOD,
         CHAIN_GOOD},
        /* A warning, not an error (contract/central.md, C02): facts.signs_others tells. */
        {"keyUsage without keyCertSign",
         {.extensions = "basicConstraints=CA:TRUE|keyUsage=digitalSignature"},
         CHAIN_GOOD,
         CHAIN_GOOD},
        {"leaf", {0}, CHAIN_ISSUER_NO_CA, CHAIN_ISSUER_NO_CA},
        {"version 1", {.version = 1, .extensions = ""}, CHAIN_ISSUER_NO_CA, CHAIN_ISSUER_NO_CA},
        {"expired", {.is_authority = true, .until = -301}, CHAIN_EXPIRED, CHAIN_EXPIRED},
        {"expired just now", {.is_authority = true, .until = -300}, CHAIN_GOOD, CHAIN_GOOD},
        {"of tomorrow",
         {.is_authority = true, .from = DAY_S},
         CHAIN_NOT_YET_VALID,
         CHAIN_NOT_YET_VALID},
        {"RSA 1024", {.is_authority = true, .key = "RSA1024"}, CHAIN_WEAK_KEY, CHAIN_WEAK_KEY},
        {"SHA-1", {.is_authority = true, .hash = EVP_sha1()}, CHAIN_WEAK_SIGNATURE, CHAIN_GOOD},
        {"MD5",
         {.is_authority = true, .key = "RSA2048", .hash = EVP_md5()},
         CHAIN_WEAK_SIGNATURE,
         CHAIN_GOOD},
        {"critical extension",
         {.extensions = "basicConstraints=CA:TRUE|1.2.3.4=critical,DER:0500"},
         CHAIN_CRITICAL_EXTENSION,
         CHAIN_CRITICAL_EXTENSION},
        {"twice the same extension",
         {.extensions = "basicConstraints=CA:TRUE|1.2.3.4=DER:0500|1.2.3.4=DER:0500"},
         CHAIN_MALFORMED,
         CHAIN_MALFORMED},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct lab lab = {0};
        X509 *authority = lab_make(&lab, &rows[i].spec, NULL).certificate;
        struct fault why = {0};

        if (chain_check_authority(authority, LAB_NOW, false, &why) != rows[i].reason)
            fail_msg("%s: not %s (%s)", rows[i].name, chain_reason_name(rows[i].reason), why.text);
        if (chain_check_authority(authority, LAB_NOW, true, NULL) != rows[i].leniently)
            fail_msg("%s: leniently not %s", rows[i].name, chain_reason_name(rows[i].leniently));
        if (rows[i].reason != CHAIN_GOOD)
            assert_int_equal(why.status, ST_BAD_REQUEST);
        assert_int_equal(ERR_peek_error(), 0);
        lab_deinit(&lab);
    }
}

static void P093_an_authority_that_is_its_own_issuer_must_be_signed_by_its_key(void **state)
{
    struct lab lab = {0};
    struct holder root = lab_authority(&lab, "Root", NULL);
    struct holder middle = lab_authority(&lab, "Middle", &root);

    (void)state;
    assert_int_equal(chain_check_authority(lab_spoil(&lab, root.certificate), LAB_NOW, false, NULL),
                     CHAIN_BAD_SIGNATURE);
    /* Who issued an intermediate is not here to be asked. */
    assert_int_equal(
        chain_check_authority(lab_spoil(&lab, middle.certificate), LAB_NOW, false, NULL),
        CHAIN_GOOD);
    lab_deinit(&lab);
}

static void P091_possession_is_proved_by_name_and_signature(void **state)
{
    struct lab lab = {0};
    struct holder root = lab_authority(&lab, "Root", NULL);
    struct holder namesake = lab_authority(&lab, "Root", NULL);
    struct holder other =
        lab_make(&lab, &(struct spec){.cn = "Other", .is_authority = true, .of = root.key}, NULL);
    struct holder middle = lab_authority(&lab, "Middle", &root);
    struct holder proof = lab_make(
        &lab, &(struct spec){.cn = "0123", .extensions = "1.2.3.4=critical,DER:0500"}, &root);
    struct holder indirect = lab_leaf(&lab, "0123", &middle);

    (void)state;
    assert_true(chain_is_issued_by(proof.certificate, root.certificate));
    assert_true(chain_is_issued_by(root.certificate, root.certificate));
    assert_false(chain_is_issued_by(proof.certificate, namesake.certificate));
    assert_false(chain_is_issued_by(proof.certificate, other.certificate));
    assert_false(chain_is_issued_by(indirect.certificate, root.certificate));
    assert_false(chain_is_issued_by(lab_spoil(&lab, proof.certificate), root.certificate));
    assert_int_equal(ERR_peek_error(), 0);
    lab_deinit(&lab);
}

static void every_reason_has_a_word_and_an_advice(void **state)
{
    (void)state;
    for (enum chain_reason a = 0; a < CHAIN_REASONS; a++) {
        assert_true(strlen(chain_reason_name(a)) > 0);
        assert_true(strlen(chain_reason_mend(a)) > 0);
        for (enum chain_reason b = 0; b < a; b++)
            assert_string_not_equal(chain_reason_name(a), chain_reason_name(b));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pinned_leaf_is_judged_by_its_dates_and_key_alone),
        cmocka_unit_test(a_leaf_can_be_judged_before_anyone_vouches_for_it),
        cmocka_unit_test(P093_an_uploaded_authority_must_be_one),
        cmocka_unit_test(P093_an_authority_that_is_its_own_issuer_must_be_signed_by_its_key),
        cmocka_unit_test(P091_possession_is_proved_by_name_and_signature),
        cmocka_unit_test(every_reason_has_a_word_and_an_advice),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
