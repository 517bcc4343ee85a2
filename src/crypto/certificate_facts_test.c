/* What certificates say, and the marks by which they are denied. */
#include "crypto/certificate_internal.h"
#include "crypto/certificate_testing.h"
#include "crypto/crl.h"

static void assert_text(slice text, const char *want)
{
    if (!slice_equal(text, slice_str(want)))
        fail_msg("'%.*s' is not '%s'", SLICE_FMT(text), want);
}

static void facts_say_what_a_leaf_is(void **state)
{
    struct lab lab = {0};
    struct holder root = lab_make(
        &lab, &(struct spec){.cn = "Root", .is_authority = true, .organization = "Plant, 7"}, NULL);
    X509 *leaf = lab_make(&lab, &(struct spec){.serial = "0A0B", .from = -10, .until = 20}, &root)
                     .certificate;
    struct arena ARENA_CLEANUP arena = {.max = 1 << 16};
    struct certificate_facts facts;

    (void)state;
    assert_int_equal(certificate_facts_read(leaf, &arena, &facts, NULL), ST_OK);
    assert_text(facts.subject, "CN=pump-07");
    assert_text(facts.issuer, "CN=Root,O=Plant\\, 7");
    assert_text(facts.common_name, "pump-07");
    assert_text(facts.serial, "0A0B");
    assert_int_equal(facts.not_before, LAB_NOW - 10000);
    assert_int_equal(facts.not_after, LAB_NOW + 20000);
    assert_int_equal(facts.version, 3);
    assert_false(facts.is_ca);
    assert_false(facts.signs_others);
    assert_false(facts.is_own_issuer);
    assert_int_equal(facts.path_length, -1);
    assert_text(facts.key, "EC P-256");
    assert_text(facts.signature, "ecdsa-with-SHA256");
    lab_deinit(&lab);
}

static void facts_say_what_an_authority_is(void **state)
{
    static const struct {
        const char *name;
        struct spec spec;
        bool is_ca, signs_others;
        int path_length;
        unsigned version;
    } rows[] = {
        {"authority", {.is_authority = true}, true, true, -1, 3},
        {"pathlen 2", {.extensions = "basicConstraints=CA:TRUE,pathlen:2"}, true, true, 2, 3},
        {"pathlen beyond all",
         {.extensions = "basicConstraints=CA:TRUE,pathlen:99999999999"},
         true,
         true,
         -1,
         3},
        {"no keyCertSign",
         {.extensions = "basicConstraints=CA:TRUE|keyUsage=cRLSign"},
         true,
         false,
         -1,
         3},
        {"version 1", {.version = 1, .extensions = ""}, false, true, -1, 1},
        {"keyCertSign alone", {.extensions = "keyUsage=keyCertSign"}, false, true, -1, 3},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct lab lab = {0};
        struct arena ARENA_CLEANUP arena = {.max = 1 << 16};
        struct certificate_facts facts;

        assert_int_equal(certificate_facts_read(lab_make(&lab, &rows[i].spec, NULL).certificate,
                                                &arena, &facts, NULL),
                         ST_OK);
        if (facts.is_ca != rows[i].is_ca || facts.signs_others != rows[i].signs_others ||
            facts.path_length != rows[i].path_length || facts.version != rows[i].version ||
            !facts.is_own_issuer)
            fail_msg("%s: %d %d %d %u", rows[i].name, facts.is_ca, facts.signs_others,
                     facts.path_length, facts.version);
        lab_deinit(&lab);
    }
}

static void facts_name_keys_signatures_and_serials(void **state)
{
    const struct {
        struct spec spec;
        const char *key, *signature, *serial;
    } rows[] = {
        {{.key = "P-384", .serial = "00"}, "EC P-384", "ecdsa-with-SHA256", "00"},
        {{.key = "P-521", .serial = "FF"}, "EC P-521", "ecdsa-with-SHA256", "FF"},
        {{.key = "P-224", .serial = "100"}, "EC secp224r1", "ecdsa-with-SHA256", "0100"},
        {{.key = "ED25519", .serial = "-80"}, "Ed25519", "ED25519", "-80"},
        {{.key = "RSA2048", .serial = "7F"}, "RSA 2048", "sha256WithRSAEncryption", "7F"},
        {{.key = "P-256", .hash = EVP_sha1(), .serial = "1"}, "EC P-256", "ecdsa-with-SHA1", "01"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct lab lab = {0};
        struct arena ARENA_CLEANUP arena = {.max = 1 << 16};
        struct certificate_facts facts;

        assert_int_equal(certificate_facts_read(lab_make(&lab, &rows[i].spec, NULL).certificate,
                                                &arena, &facts, NULL),
                         ST_OK);
        assert_text(facts.key, rows[i].key);
        assert_text(facts.signature, rows[i].signature);
        assert_text(facts.serial, rows[i].serial);
        lab_deinit(&lab);
    }
}

static void names_are_utf8_and_common_names_are_device_ids(void **state)
{
    static const struct {
        struct spec spec;
        const char *subject, *common_name;
    } rows[] = {
        {{.cn = "p\xc3\xbcmp"}, "CN=p\xc3\xbcmp", ""},
        {{.cn = "a\nb"}, "CN=a\\0Ab", ""},
        {{.cn = "a\0b", .cn_len = 3}, "CN=a\\00b", ""},
        {{.cn = "a+b=c#d"}, "CN=a\\+b=c#d", "a+b=c#d"},
        {{.cn = "a", .second_cn = "b"}, "CN=b,CN=a", ""},
        {{.cn = ""}, "", ""},
        {{.cn = "\0a\0b", .cn_len = 4, .cn_type = V_ASN1_BMPSTRING}, "CN=ab", "ab"},
        {{.cn = "\xfc", .cn_type = V_ASN1_T61STRING}, "CN=\xc3\xbc", ""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct lab lab = {0};
        struct arena ARENA_CLEANUP arena = {.max = 1 << 16};
        struct certificate_facts facts;

        assert_int_equal(certificate_facts_read(lab_make(&lab, &rows[i].spec, NULL).certificate,
                                                &arena, &facts, NULL),
                         ST_OK);
        assert_text(facts.subject, rows[i].subject);
        assert_text(facts.common_name, rows[i].common_name);
        lab_deinit(&lab);
    }
}

static void facts_that_cannot_be_read_are_told(void **state)
{
    static const struct {
        const char *name;
        struct spec spec;
        size_t memory;
        enum status status;
    } rows[] = {
        {"date", {.date = "270101000000"}, 1 << 16, ST_BAD_REQUEST},
        {"version 4", {.version = 4}, 1 << 16, ST_BAD_REQUEST},
        {"no memory", {.cn = "a"}, 16, ST_NO_MEMORY},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct lab lab = {0};
        struct arena ARENA_CLEANUP arena = {.max = rows[i].memory};
        struct certificate_facts facts;
        struct fault why = {0};
        X509 *certificate = lab_make(&lab, &rows[i].spec, NULL).certificate;

        if (certificate_facts_read(certificate, &arena, &facts, &why) != rows[i].status)
            fail_msg("%s: %s", rows[i].name, why.text);
        assert_int_equal(why.status, rows[i].status);
        assert_int_equal(ERR_peek_error(), 0);
        lab_deinit(&lab);
    }
}

/* ---- marks */

static void marks_are_the_same_from_a_certificate_and_from_what_an_operator_types(void **state)
{
    struct lab lab = {0};
    X509 *leaf = lab_make(&lab, &(struct spec){.serial = "0A0B"}, NULL).certificate;
    struct certificate_marks marks;
    struct thumbprints thumbprints;
    uint64_t in_group = certificate_mark_in_group(leaf, SLICE("pumps"));

    (void)state;
    assert_true(certificate_marks(leaf, &marks));
    assert_true(certificate_thumbprints(leaf, &thumbprints));
    assert_int_equal(marks.sha1,
                     mark_of_thumbprint(slice_of(thumbprints.sha1, sizeof thumbprints.sha1)));
    assert_int_equal(marks.sha256,
                     mark_of_thumbprint(slice_of(thumbprints.sha256, sizeof thumbprints.sha256)));
    thumbprints.sha1[0] |= 0x20;
    assert_int_equal(marks.sha1,
                     mark_of_thumbprint(slice_of(thumbprints.sha1, sizeof thumbprints.sha1)));
    assert_int_equal(mark_of_thumbprint(slice_of(thumbprints.sha256, 62)), 0);
    assert_int_equal(mark_of_thumbprint(SLICE("")), 0);
    assert_int_equal(mark_of_thumbprint(SLICE("zz112233445566778899aabbccddeeff00112233")), 0);
    assert_int_equal(in_group, mark_of_group_serial(SLICE("pumps"), SLICE("0A0B")));
    assert_int_equal(in_group, mark_of_group_serial(SLICE("pumps"), SLICE("a0b")));
    assert_int_equal(in_group, mark_of_group_serial(SLICE("pumps"), SLICE("00000A0B")));
    assert_int_not_equal(in_group, mark_of_group_serial(SLICE("pumps"), SLICE("-0A0B")));
    assert_int_not_equal(in_group, mark_of_group_serial(SLICE("pump"), SLICE("0A0B")));
    assert_int_not_equal(in_group, 0);
    lab_deinit(&lab);
}

static void marks_differ_where_certificates_do(void **state)
{
    struct lab lab = {0};
    struct holder one = lab_authority(&lab, "One", NULL), two = lab_authority(&lab, "Two", NULL);
    const struct {
        const char *name;
        struct spec spec;
        const struct holder *issuer;
        bool same;
    } rows[] = {
        {"the same serial again", {.serial = "05"}, &one, true},
        {"another serial", {.serial = "06"}, &one, false},
        {"negative serial", {.serial = "-05"}, &one, false},
        {"another issuer", {.serial = "05"}, &two, false},
    };
    X509 *leaf = lab_make(&lab, &(struct spec){.serial = "05"}, &one).certificate;
    struct certificate_marks marks, other;

    (void)state;
    assert_true(certificate_marks(leaf, &marks));
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        X509 *made = lab_make(&lab, &rows[i].spec, rows[i].issuer).certificate;

        assert_true(certificate_marks(made, &other));
        if ((marks.issuer_serial == other.issuer_serial) != rows[i].same)
            fail_msg("%s: same is not %d", rows[i].name, rows[i].same);
        assert_int_not_equal(marks.sha256, other.sha256);
        assert_int_not_equal(marks.sha1, other.sha1);
    }
    lab_deinit(&lab);
}

/* A list may write the issuer in another string type than the certificate does. */
static void marks_see_through_the_spelling_of_a_name(void **state)
{
    static const struct {
        struct spec spec;
        bool same;
    } rows[] = {
        {{.cn = "Plant Root"}, true},
        {{.cn = "Plant Root", .cn_type = V_ASN1_PRINTABLESTRING}, true},
        {{.cn = "\0P\0l\0a\0n\0t\0 \0R\0o\0o\0t", .cn_len = 20, .cn_type = V_ASN1_BMPSTRING}, true},
        {{.cn = "  PLANT   root "}, true},
        {{.cn = "PlantRoot"}, false},
        {{.cn = "Plant Root", .second_cn = "x"}, false},
        {{.cn = "Plant Root", .organization = "x"}, false},
    };
    struct certificate_marks first = {0}, marks;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct lab lab = {0};
        struct spec spec = rows[i].spec;
        X509 *certificate;

        spec.serial = "05";
        certificate = lab_make(&lab, &spec, NULL).certificate;
        assert_true(certificate_marks(certificate, &marks));
        if (i == 0)
            first = marks;
        if ((first.issuer_serial == marks.issuer_serial) != rows[i].same)
            fail_msg("row %zu: same is not %d", i, rows[i].same);
        lab_deinit(&lab);
    }
}

static void marks_are_found_at_any_alignment(void **state)
{
    static const uint64_t marks[] = {1, 7, 7, UINT64_MAX - 1};
    uint8_t bytes[sizeof marks + 1];

    (void)state;
    memcpy(bytes + 1, marks, sizeof marks);
    for (size_t i = 0; i < COUNT_OF(marks); i++)
        assert_true(marks_contain(bytes + 1, COUNT_OF(marks), marks[i]));
    assert_false(marks_contain(bytes + 1, COUNT_OF(marks), 0));
    assert_false(marks_contain(bytes + 1, COUNT_OF(marks), 6));
    assert_false(marks_contain(bytes + 1, COUNT_OF(marks), UINT64_MAX));
    assert_false(marks_contain(NULL, 0, 1));
}

/* An ECDSA signature (r, s) is also (r, n - s): the certificate under it has other hashes. */
static void marks_are_those_of_both_signatures_of_a_certificate(void **state)
{
    static const struct {
        const char *key;
        bool has_twin;
    } rows[] = {
        {"P-256", true}, {"P-384", true}, {"P-521", true}, {"ED25519", false}, {"RSA2048", false}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct lab lab = {0};
        struct holder root =
            lab_make(&lab, &(struct spec){.is_authority = true, .key = rows[i].key}, NULL);
        X509 *leaf = lab_make(&lab, &(struct spec){.serial = "05"}, &root).certificate, *twin;
        struct buf BUF_CLEANUP der = {.max = 1 << 16};
        struct certificate_marks marks, other;

        assert_true(certificate_twin(leaf, &der));
        assert_true(certificate_marks(leaf, &marks));
        if ((der.len > 0) != rows[i].has_twin || (marks.twin_sha256 != 0) != rows[i].has_twin ||
            (marks.twin_sha1 != 0) != rows[i].has_twin)
            fail_msg("%s: has no twin, or should not", rows[i].key);
        if (rows[i].has_twin) {
            twin = lab_keep(&lab, certificate_from_der(buf_slice(&der)));
            assert_int_equal(X509_verify(twin, root.key), 1);
            assert_true(certificate_marks(twin, &other));
            assert_int_not_equal(marks.sha256, other.sha256);
            assert_int_equal(marks.twin_sha256, other.sha256);
            assert_int_equal(marks.twin_sha1, other.sha1);
            assert_int_equal(marks.sha256, other.twin_sha256);
            assert_int_equal(marks.sha1, other.twin_sha1);
            assert_int_equal(marks.issuer_serial, other.issuer_serial);
        }
        lab_deinit(&lab);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(facts_say_what_a_leaf_is),
        cmocka_unit_test(facts_say_what_an_authority_is),
        cmocka_unit_test(facts_name_keys_signatures_and_serials),
        cmocka_unit_test(names_are_utf8_and_common_names_are_device_ids),
        cmocka_unit_test(facts_that_cannot_be_read_are_told),
        cmocka_unit_test(marks_are_the_same_from_a_certificate_and_from_what_an_operator_types),
        cmocka_unit_test(marks_differ_where_certificates_do),
        cmocka_unit_test(marks_see_through_the_spelling_of_a_name),
        cmocka_unit_test(marks_are_found_at_any_alignment),
        cmocka_unit_test(marks_are_those_of_both_signatures_of_a_certificate),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
