#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <string.h>

#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509v3.h>

#include "crypto/certificate_make.h"
#include "crypto/certificate_read.h"
#include "crypto/leaf_maker.h"

#define DAY_MS (INT64_C(24) * 3600 * 1000)
#define NOW (INT64_C(1769847330) * 1000) /* 2026-01-31T08:15:30Z */

static const enum key_kind all_kinds[] = {KEY_P256,    KEY_P384,    KEY_RSA2048,
                                          KEY_RSA3072, KEY_RSA4096, KEY_ED25519};

/* --- helpers ---------------------------------------------------------------------------------- */

struct pair {
    X509 *certificate;
    EVP_PKEY *key;
};

static struct certificate_order order_of(enum certificate_role role, slice name,
                                         const EVP_PKEY *key, const struct pair *issuer)
{
    return (struct certificate_order){
        .role = role,
        .common_name = name,
        .key = key,
        .issuer = issuer ? issuer->certificate : NULL,
        .issuer_key = issuer ? issuer->key : NULL,
        .not_before = NOW,
        .not_after = NOW + 100 * DAY_MS,
        .path_length = -1,
    };
}

static X509 *make(const struct certificate_order *order)
{
    struct fault why = {0};
    X509 *made = certificate_make(order, &why);

    if (!made)
        fail_msg("%s", why.text);
    return made;
}

static struct pair make_authority(enum key_kind kind, slice name)
{
    struct pair made = {.key = private_key_make(kind)};
    struct certificate_order order = order_of(ROLE_AUTHORITY, name, made.key, NULL);

    made.certificate = make(&order);
    return made;
}

static void drop(struct pair *p)
{
    X509_free(p->certificate);
    EVP_PKEY_free(p->key);
}

/* As OpenSSL's strictest mode sees it. */
static void assert_verifies(const char *name, X509 *leaf, X509 *root, const char *purpose)
{
    X509_STORE *trusted = X509_STORE_new();
    X509_STORE_CTX *check = X509_STORE_CTX_new();
    X509_VERIFY_PARAM *rules;

    X509_STORE_add_cert(trusted, root);
    X509_STORE_CTX_init(check, trusted, leaf, NULL);
    X509_STORE_CTX_set_default(check, purpose);
    rules = X509_STORE_CTX_get0_param(check);
    X509_VERIFY_PARAM_set_flags(rules, X509_V_FLAG_X509_STRICT | X509_V_FLAG_CHECK_SS_SIGNATURE);
    X509_VERIFY_PARAM_set_time(rules, NOW / 1000 + 1);
    if (X509_verify_cert(check) != 1)
        fail_msg("%s: %s", name, X509_verify_cert_error_string(X509_STORE_CTX_get_error(check)));
    X509_STORE_CTX_free(check);
    X509_STORE_free(trusted);
}

/* What OpenSSL reads it writes alike: our DER is DER. */
static void assert_der_is_canonical(const char *name, X509 *certificate)
{
    BUF_CLEANUP struct buf before = {.max = 65536};
    unsigned char *again = NULL;
    X509 *copy;
    int len;

    certificate_to_der(certificate, &before);
    copy = certificate_from_der(buf_slice(&before));
    assert_non_null(copy);
    len = i2d_re_X509_tbs(copy, &again); /* of the parsed fields, not of the bytes it came from */
    if (len <= 0 || !memmem(before.ptr, before.len, again, (size_t)len))
        fail_msg("%s: encoded in another way than OpenSSL's", name);
    OPENSSL_free(again);
    X509_free(copy);
}

/* --- roles ------------------------------------------------------------------------------------ */

static void each_role_says_what_it_may(void **state)
{
    static const struct {
        const char *name;
        enum certificate_role role;
        int ca;
        uint32_t usage, purposes; /* UINT32_MAX: no such extension */
        const char *verified_as;
    } rows[] = {
        {"authority", ROLE_AUTHORITY, 1, KU_KEY_CERT_SIGN | KU_CRL_SIGN, UINT32_MAX, "default"},
        {"device", ROLE_DEVICE, 0, KU_DIGITAL_SIGNATURE, XKU_SSL_CLIENT, "ssl_client"},
        {"edge device", ROLE_EDGE_DEVICE, 1, KU_DIGITAL_SIGNATURE | KU_KEY_CERT_SIGN,
         XKU_SSL_CLIENT | XKU_SSL_SERVER, "ssl_client"},
        {"server", ROLE_SERVER, 0, KU_DIGITAL_SIGNATURE, XKU_SSL_SERVER, "ssl_server"},
        {"verification", ROLE_VERIFICATION, 0, KU_DIGITAL_SIGNATURE, XKU_SSL_CLIENT, "ssl_client"},
    };
    struct pair root = make_authority(KEY_P256, SLICE("Root"));
    EVP_PKEY *key = private_key_make(KEY_P256);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct certificate_order order = order_of(rows[i].role, SLICE("pump-7"), key, &root);
        X509 *made = make(&order);

        assert_verifies(rows[i].name, made, root.certificate, rows[i].verified_as);
        assert_der_is_canonical(rows[i].name, made);
        if (X509_check_ca(made) != rows[i].ca || X509_get_key_usage(made) != rows[i].usage ||
            X509_get_extended_key_usage(made) != rows[i].purposes || X509_get_pathlen(made) != -1)
            fail_msg("%s: says something else", rows[i].name);
        X509_free(made);
    }
    EVP_PKEY_free(key);
    drop(&root);
}

static void the_facts_of_an_order_are_in_the_certificate(void **state)
{
    struct pair root = make_authority(KEY_P256, SLICE("Root"));
    EVP_PKEY *key = private_key_make(KEY_P256);
    struct certificate_order order = order_of(ROLE_DEVICE, SLICE("pump-7"), key, &root);
    X509 *made = make(&order), *other = make(&order);
    ARENA_CLEANUP struct arena arena = {.max = 65536};
    struct certificate_facts facts;

    (void)state;
    assert_int_equal(certificate_facts_read(made, &arena, &facts, NULL), ST_OK);
    assert_true(slice_equal(facts.subject, SLICE("CN=pump-7")));
    assert_true(slice_equal(facts.issuer, SLICE("CN=Root")));
    assert_int_equal(facts.version, 3);
    assert_int_equal(facts.not_before, order.not_before);
    assert_int_equal(facts.not_after, order.not_after);
    assert_int_equal(facts.serial.len, 32);
    assert_int_equal(EVP_PKEY_eq(X509_get0_pubkey(made), key), 1);
    assert_int_equal(ASN1_OCTET_STRING_cmp(X509_get0_authority_key_id(made),
                                           X509_get0_subject_key_id(root.certificate)),
                     0);
    assert_int_not_equal(
        ASN1_INTEGER_cmp(X509_get0_serialNumber(made), X509_get0_serialNumber(other)), 0);
    X509_free(made);
    X509_free(other);
    EVP_PKEY_free(key);
    drop(&root);
}

static void a_key_identifier_is_the_sha1_of_the_keys_bits(void **state)
{
    struct pair root = make_authority(KEY_RSA2048, SLICE("Root"));
    const ASN1_OCTET_STRING *id = X509_get0_subject_key_id(root.certificate);
    uint8_t want[20];

    (void)state;
    assert_int_equal(X509_pubkey_digest(root.certificate, EVP_sha1(), want, NULL), 1);
    assert_int_equal(ASN1_STRING_length(id), sizeof want);
    assert_memory_equal(ASN1_STRING_get0_data(id), want, sizeof want);
    drop(&root);
}

static void a_path_length_is_an_authoritys(void **state)
{
    static const struct {
        enum certificate_role role;
        int given;
        long written;
    } rows[] = {
        {ROLE_AUTHORITY, 0, 0},   {ROLE_AUTHORITY, 5, 5},    {ROLE_AUTHORITY, 127, 127},
        {ROLE_AUTHORITY, -1, -1}, {ROLE_EDGE_DEVICE, 0, -1}, {ROLE_DEVICE, 0, -1},
    };
    EVP_PKEY *key = private_key_make(KEY_P256);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct certificate_order order = order_of(rows[i].role, SLICE("a"), key, NULL);
        X509 *made;

        order.path_length = rows[i].given;
        made = make(&order);
        if (X509_get_pathlen(made) != rows[i].written)
            fail_msg("row %zu: path length %ld", i, X509_get_pathlen(made));
        assert_der_is_canonical("path length", made);
        X509_free(made);
    }
    EVP_PKEY_free(key);
}

/* --- keys ------------------------------------------------------------------------------------- */

static void every_kind_of_key_signs_and_is_signed(void **state)
{
    static const struct {
        const char *algorithm;
        int bits, signature;
    } rows[] = {
        [KEY_P256] = {"EC", 256, NID_ecdsa_with_SHA256},
        [KEY_P384] = {"EC", 384, NID_ecdsa_with_SHA384},
        [KEY_RSA2048] = {"RSA", 2048, NID_sha256WithRSAEncryption},
        [KEY_RSA3072] = {"RSA", 3072, NID_sha256WithRSAEncryption},
        [KEY_RSA4096] = {"RSA", 4096, NID_sha256WithRSAEncryption},
        [KEY_ED25519] = {"ED25519", 256, NID_ED25519},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(all_kinds); i++) {
        enum key_kind kind = all_kinds[i];
        struct pair root = make_authority(kind, SLICE("Root"));
        struct certificate_order order = order_of(ROLE_DEVICE, SLICE("pump-7"), root.key, &root);
        X509 *leaf = make(&order);

        assert_true(EVP_PKEY_is_a(root.key, rows[kind].algorithm));
        if (EVP_PKEY_is_a(root.key, "ED25519") == 0)
            assert_int_equal(EVP_PKEY_get_bits(root.key), rows[kind].bits);
        assert_int_equal(X509_get_signature_nid(leaf), rows[kind].signature);
        assert_verifies(rows[kind].algorithm, leaf, root.certificate, "ssl_client");
        assert_verifies(rows[kind].algorithm, root.certificate, root.certificate, "default");
        assert_der_is_canonical(rows[kind].algorithm, leaf);
        X509_free(leaf);
        drop(&root);
    }
}

static void keys_survive_pem(void **state)
{
    static const enum key_kind kinds[] = {KEY_P256, KEY_P384, KEY_RSA2048, KEY_ED25519};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        BUF_CLEANUP struct buf pem = {.max = 16384};
        EVP_PKEY *key = private_key_make(kinds[i]), *again;

        private_key_to_pem(key, &pem);
        assert_false(pem.failed);
        assert_true(slice_starts_with(buf_slice(&pem), SLICE("-----BEGIN PRIVATE KEY-----\n")));
        assert_true(slice_ends_with(buf_slice(&pem), SLICE("\n-----END PRIVATE KEY-----\n")));
        again = private_key_from_pem(buf_slice(&pem), NULL);
        assert_int_equal(EVP_PKEY_eq(key, again), 1);
        EVP_PKEY_free(key);
        EVP_PKEY_free(again);
    }
}

static void what_is_no_plain_key_is_refused(void **state)
{
    struct fault why = {0};
    EVP_PKEY *key = private_key_make(KEY_P256);
    BIO *bio = BIO_new(BIO_s_mem());
    char *bytes;
    long len;

    (void)state;
    assert_int_equal(
        PEM_write_bio_PKCS8PrivateKey(bio, key, EVP_aes_256_cbc(), "secret", 6, NULL, NULL), 1);
    len = BIO_get_mem_data(bio, &bytes);
    assert_null(private_key_from_pem(slice_of(bytes, (size_t)len), &why));
    assert_int_equal(why.status, ST_BAD_REQUEST);
    assert_null(private_key_from_pem((slice){0}, &why));
    assert_null(private_key_from_pem(SLICE("-----BEGIN PRIVATE KEY-----\nMIG"), &why));
    BIO_free(bio);
    EVP_PKEY_free(key);
}

/* --- refusals --------------------------------------------------------------------------------- */

static void bad_orders_are_refused(void **state)
{
#define TEN "aaaaaaaaaa"
    static const slice bad_name[] = {SLICE("a b")};
    EVP_PKEY *key = private_key_make(KEY_P256), *other = private_key_make(KEY_P256);
    struct pair root = make_authority(KEY_P256, SLICE("Root"));
    const struct certificate_order good = order_of(ROLE_DEVICE, SLICE("pump-7"), key, &root);
    struct certificate_order rows[9];
    const char *const names[] = {"no name",      "long name",   "NUL",
                                 "no UTF-8",     "path length", "other's key",
                                 "no host name", "year 10000",  "no issuer's key"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        rows[i] = good;
    rows[0].common_name = SLICE("");
    rows[1].common_name = SLICE(TEN TEN TEN TEN TEN TEN "aaaaa");
    rows[2].common_name = SLICE("a\0b");
    rows[3].common_name = SLICE("a\xff");
    rows[4].path_length = 128;
    rows[5].issuer_key = other;
    rows[6].names = bad_name;
    rows[6].name_count = 1;
    rows[7].not_after = INT64_C(253402300800) * 1000;
    rows[8].issuer_key = NULL;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct fault why = {0};
        X509 *made = certificate_make(&rows[i], &why);

        if (made || why.status != ST_BAD_REQUEST || !why.text[0])
            fail_msg("%s: made, or the wrong fault: %s", names[i], why.text);
    }
    EVP_PKEY_free(key);
    EVP_PKEY_free(other);
    drop(&root);
}

static void a_name_of_64_characters_fits(void **state)
{
    EVP_PKEY *key = private_key_make(KEY_ED25519);
    struct certificate_order order =
        order_of(ROLE_DEVICE, SLICE(TEN TEN TEN TEN TEN TEN "aaaa"), key, NULL);
    X509 *made = make(&order);

    (void)state;
    assert_der_is_canonical("64", made);
    X509_free(made);
    EVP_PKEY_free(key);
}

/* An authority made elsewhere may have no key identifier. */
static void an_issuer_without_a_key_identifier_is_named_by_name_alone(void **state)
{
    struct pair root = make_authority(KEY_P256, SLICE("Root"));
    EVP_PKEY *key = private_key_make(KEY_P256);
    struct certificate_order order;
    X509 *leaf;

    (void)state;
    X509_EXTENSION_free(X509_delete_ext(
        root.certificate, X509_get_ext_by_NID(root.certificate, NID_subject_key_identifier, -1)));
    assert_true(X509_sign(root.certificate, root.key, EVP_sha256()) > 0);
    {
        BUF_CLEANUP struct buf der = {.max = 65536};

        certificate_to_der(root.certificate, &der);
        X509_free(root.certificate);
        root.certificate = certificate_from_der(buf_slice(&der)); /* nothing cached */
    }
    order = order_of(ROLE_DEVICE, SLICE("pump-7"), key, &root);
    leaf = make(&order);
    assert_int_equal(X509_get_ext_by_NID(leaf, NID_authority_key_identifier, -1), -1);
    assert_int_equal(X509_verify(leaf, root.key), 1);
    X509_free(leaf);
    EVP_PKEY_free(key);
    drop(&root);
}

/* --- PKCS#12 ---------------------------------------------------------------------------------- */

static void a_p12_holds_key_leaf_and_chain(void **state)
{
    static const char *const phrases[] = {"", "correct horse"};
    struct pair root = make_authority(KEY_P256, SLICE("Root"));
    EVP_PKEY *key = private_key_make(KEY_P256);
    struct certificate_order order = order_of(ROLE_DEVICE, SLICE("pump-7"), key, &root);
    X509 *leaf = make(&order);
    STACK_OF(X509) *chain = sk_X509_new_null();

    (void)state;
    sk_X509_push(chain, root.certificate);
    for (size_t i = 0; i < COUNT_OF(phrases); i++) {
        BUF_CLEANUP struct buf file = {.max = 65536};
        const unsigned char *at;
        STACK_OF(X509) *others = NULL;
        EVP_PKEY *key_again = NULL;
        X509 *leaf_again = NULL;
        PKCS12 *p12;

        assert_int_equal(certificate_to_p12(leaf, key, chain, phrases[i], &file, NULL), ST_OK);
        at = file.ptr;
        p12 = d2i_PKCS12(NULL, &at, (long)file.len);
        assert_int_equal(PKCS12_parse(p12, "wrong", &key_again, &leaf_again, &others), 0);
        assert_int_equal(PKCS12_parse(p12, phrases[i], &key_again, &leaf_again, &others), 1);
        assert_int_equal(EVP_PKEY_eq(key, key_again), 1);
        assert_int_equal(X509_cmp(leaf, leaf_again), 0);
        assert_int_equal(sk_X509_num(others), 1);
        sk_X509_pop_free(others, X509_free);
        X509_free(leaf_again);
        EVP_PKEY_free(key_again);
        PKCS12_free(p12);
    }
    sk_X509_free(chain);
    X509_free(leaf);
    EVP_PKEY_free(key);
    drop(&root);
}

/* --- many leaves ------------------------------------------------------------------------------ */

static struct leaf_plan plan_of(enum key_kind kind, const struct pair *issuer)
{
    return (struct leaf_plan){
        .role = ROLE_DEVICE,
        .kind = kind,
        .issuer = issuer ? issuer->certificate : NULL,
        .issuer_key = issuer ? issuer->key : NULL,
        .not_before = NOW,
        .not_after = NOW + DAY_MS,
    };
}

/* The key of a leaf as the file will hold it, checked against its certificate. */
static EVP_PKEY *read_leaf(const char *name, const struct leaf *leaf, X509 **ret)
{
    EVP_PKEY *key = private_key_from_pem(leaf->key, NULL);
    EVP_PKEY_CTX *check = EVP_PKEY_CTX_new(key, NULL);
    X509 *certificate = certificate_from_pem(leaf->certificate), *same;

    if (!key || !certificate || X509_check_private_key(certificate, key) != 1)
        fail_msg("%s: key and certificate do not fit", name);
    if (EVP_PKEY_check(check) != 1)
        fail_msg("%s: the key is not sound", name);
    same = certificate_from_der(leaf->certificate_der);
    assert_int_equal(X509_cmp(certificate, same), 0);
    X509_free(same);
    EVP_PKEY_CTX_free(check);
    *ret = certificate;
    return key;
}

/* Byte by byte what OpenSSL would have written. */
static void assert_key_is_written_as_openssl_writes(const EVP_PKEY *key, slice pem)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *bytes;
    long len;

    assert_int_equal(PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL), 1);
    len = BIO_get_mem_data(bio, &bytes);
    assert_int_equal(pem.len, len);
    assert_memory_equal(pem.ptr, bytes, pem.len);
    BIO_free(bio);
}

static void a_leaf_maker_makes_sound_leaves_of_every_kind(void **state)
{
    static const enum key_kind kinds[] = {KEY_P256, KEY_P384, KEY_RSA2048, KEY_ED25519};
    struct pair root = make_authority(KEY_P384, SLICE("Root"));

    (void)state;
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        struct leaf_plan plan = plan_of(kinds[i], &root);
        struct leaf_maker *m = leaf_maker_create(&plan, NULL);
        struct leaf leaf;
        X509 *certificate;
        EVP_PKEY *key;

        assert_non_null(m);
        assert_int_equal(leaf_maker_make(m, SLICE("pump-7"), NULL, &leaf, NULL), ST_OK);
        key = read_leaf("leaf", &leaf, &certificate);
        assert_verifies("leaf", certificate, root.certificate, "ssl_client");
        assert_der_is_canonical("leaf", certificate);
        assert_key_is_written_as_openssl_writes(key, leaf.key);
        EVP_PKEY_free(key);
        X509_free(certificate);
        leaf_maker_destroy(m);
    }
    drop(&root);
}

static void each_leaf_has_a_key_and_a_serial_of_its_own(void **state)
{
    enum { COUNT = 200 };
    struct pair root = make_authority(KEY_P256, SLICE("Root"));
    struct leaf_plan plan = plan_of(KEY_P256, &root);
    struct leaf_maker *m = leaf_maker_create(&plan, NULL);
    X509 *made[COUNT];

    (void)state;
    for (size_t i = 0; i < COUNT; i++) {
        struct leaf leaf;

        assert_int_equal(leaf_maker_make(m, SLICE("pump-7"), NULL, &leaf, NULL), ST_OK);
        EVP_PKEY_free(read_leaf("one of many", &leaf, &made[i]));
        for (size_t j = 0; j < i; j++) {
            assert_int_equal(EVP_PKEY_eq(X509_get0_pubkey(made[i]), X509_get0_pubkey(made[j])), 0);
            assert_int_not_equal(
                ASN1_INTEGER_cmp(X509_get0_serialNumber(made[i]), X509_get0_serialNumber(made[j])),
                0);
        }
    }
    for (size_t i = 0; i < COUNT; i++)
        X509_free(made[i]);
    leaf_maker_destroy(m);
    drop(&root);
}

static void a_leaf_takes_the_key_that_it_is_given(void **state)
{
    struct pair root = make_authority(KEY_P256, SLICE("Root"));
    struct leaf_plan plan = plan_of(KEY_P256, &root);
    struct leaf_maker *m = leaf_maker_create(&plan, NULL);
    EVP_PKEY *given = private_key_make(KEY_RSA2048), *key;
    struct leaf leaf;
    X509 *certificate;

    (void)state;
    assert_int_equal(leaf_maker_make(m, SLICE("pump-7"), given, &leaf, NULL), ST_OK);
    key = read_leaf("given", &leaf, &certificate);
    assert_int_equal(EVP_PKEY_eq(given, key), 1);
    EVP_PKEY_free(key);
    X509_free(certificate);
    EVP_PKEY_free(given);
    leaf_maker_destroy(m);
    drop(&root);
}

static void a_leaf_may_sign_for_itself(void **state)
{
    static const enum key_kind kinds[] = {KEY_P256, KEY_RSA2048, KEY_ED25519};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        struct leaf_plan plan = plan_of(kinds[i], NULL);
        struct leaf_maker *m = leaf_maker_create(&plan, NULL);
        struct leaf leaf;
        X509 *certificate;

        assert_int_equal(leaf_maker_make(m, SLICE("pump-7"), NULL, &leaf, NULL), ST_OK);
        EVP_PKEY_free(read_leaf("self-signed", &leaf, &certificate));
        assert_int_equal(X509_self_signed(certificate, 1), 1);
        assert_int_equal(X509_check_ca(certificate), 0);
        X509_free(certificate);
        leaf_maker_destroy(m);
    }
}

static void a_maker_with_anothers_key_is_refused(void **state)
{
    struct pair root = make_authority(KEY_P256, SLICE("Root"));
    EVP_PKEY *other = private_key_make(KEY_P256);
    struct leaf_plan plan = plan_of(KEY_P256, &root);
    struct fault why = {0};

    (void)state;
    plan.issuer_key = other;
    assert_null(leaf_maker_create(&plan, &why));
    assert_int_equal(why.status, ST_BAD_REQUEST);
    EVP_PKEY_free(other);
    drop(&root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_role_says_what_it_may),
        cmocka_unit_test(the_facts_of_an_order_are_in_the_certificate),
        cmocka_unit_test(a_key_identifier_is_the_sha1_of_the_keys_bits),
        cmocka_unit_test(a_path_length_is_an_authoritys),
        cmocka_unit_test(every_kind_of_key_signs_and_is_signed),
        cmocka_unit_test(keys_survive_pem),
        cmocka_unit_test(what_is_no_plain_key_is_refused),
        cmocka_unit_test(bad_orders_are_refused),
        cmocka_unit_test(a_name_of_64_characters_fits),
        cmocka_unit_test(an_issuer_without_a_key_identifier_is_named_by_name_alone),
        cmocka_unit_test(a_p12_holds_key_leaf_and_chain),
        cmocka_unit_test(a_leaf_maker_makes_sound_leaves_of_every_kind),
        cmocka_unit_test(each_leaf_has_a_key_and_a_serial_of_its_own),
        cmocka_unit_test(a_leaf_takes_the_key_that_it_is_given),
        cmocka_unit_test(a_leaf_may_sign_for_itself),
        cmocka_unit_test(a_maker_with_anothers_key_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
