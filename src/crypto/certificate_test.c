#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "crypto/certificate.h"

enum file { ROOT, ROOT_KEY, SERVER, SERVER_KEY, FILE_COUNT };

struct fixture {
    char folder[64];
    char paths[FILE_COUNT][96];
};

static int make_fixture(void **state)
{
    static const char *const names[FILE_COUNT] = {"root.pem", "root.key", "server.pem",
                                                  "server.key"};
    struct fixture *f = calloc(1, sizeof *f);
    struct fault why;

    if (!f)
        return -1;
    snprintf(f->folder, sizeof f->folder, "certificate_test.XXXXXX");
    if (!mkdtemp(f->folder))
        return -1;
    for (size_t i = 0; i < FILE_COUNT; i++)
        snprintf(f->paths[i], sizeof f->paths[i], "%s/%s", f->folder, names[i]);
    *state = f;
    return certificate_make_root(f->paths[ROOT], f->paths[ROOT_KEY], SLICE("Muster local CA"), 3650,
                                 &why)
               ? 0
               : -1;
}

static int drop_fixture(void **state)
{
    struct fixture *f = *state;

    for (size_t i = 0; i < FILE_COUNT; i++)
        unlink(f->paths[i]);
    if (rmdir(f->folder) != 0)
        return -1;
    free(f);
    return 0;
}

static bool make_server(struct fixture *f, enum key_kind kind, const slice *names, size_t count,
                        int days, struct fault *why)
{
    return certificate_make_server(f->paths[ROOT], f->paths[ROOT_KEY], f->paths[SERVER],
                                   f->paths[SERVER_KEY], kind, names, count, days, why);
}

static X509 *load(const char *path)
{
    FILE *file = fopen(path, "r");
    X509 *certificate = file ? PEM_read_X509(file, NULL, NULL, NULL) : NULL;

    if (file)
        fclose(file);
    if (!certificate)
        fail_msg("no certificate in %s", path);
    return certificate;
}

static void assert_mode(const char *path, mode_t mode)
{
    struct stat facts;

    assert_int_equal(stat(path, &facts), 0);
    assert_int_equal(facts.st_mode & 07777, mode);
}

static void the_root_is_a_ca_for_ten_years(void **state)
{
    struct fixture *f = *state;
    X509 *root = load(f->paths[ROOT]);
    X509_EXTENSION *basic =
        X509_get_ext(root, X509_get_ext_by_NID(root, NID_basic_constraints, -1));
    int64_t left = 0;

    assert_int_equal(X509_self_signed(root, 1), 1);
    assert_int_equal(X509_check_ca(root), 1);
    assert_int_equal(X509_EXTENSION_get_critical(basic), 1);
    assert_int_equal(X509_get_key_usage(root), KU_KEY_CERT_SIGN | KU_CRL_SIGN);
    assert_int_equal(EVP_PKEY_get_bits(X509_get0_pubkey(root)), 256);
    assert_non_null(X509_get0_subject_key_id(root));
    assert_true(certificate_seconds_left(f->paths[ROOT], &left, NULL));
    assert_in_range(left, 3650 * 86400 - 60, 3650 * 86400);
    assert_mode(f->paths[ROOT_KEY], 0600);
    assert_mode(f->paths[ROOT], 0644);
    X509_free(root);
}

/* The file as a TLS server would use it, and its chain as a client would check it. */
static void assert_serves(struct fixture *f, const char *host)
{
    SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
    X509_STORE *trusted = X509_STORE_new();
    X509_STORE_CTX *check = X509_STORE_CTX_new();
    X509 *root = load(f->paths[ROOT]), *leaf;

    assert_int_equal(SSL_CTX_use_certificate_chain_file(tls, f->paths[SERVER]), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey_file(tls, f->paths[SERVER_KEY], SSL_FILETYPE_PEM), 1);
    assert_int_equal(SSL_CTX_check_private_key(tls), 1);
    leaf = SSL_CTX_get0_certificate(tls);
    X509_STORE_add_cert(trusted, root);
    X509_STORE_CTX_init(check, trusted, leaf, NULL);
    X509_STORE_CTX_set_default(check, "ssl_server");
    X509_VERIFY_PARAM_set1_host(X509_STORE_CTX_get0_param(check), host, 0);
    X509_VERIFY_PARAM_set_flags(X509_STORE_CTX_get0_param(check), X509_V_FLAG_X509_STRICT);
    if (X509_verify_cert(check) != 1)
        fail_msg("%s", X509_verify_cert_error_string(X509_STORE_CTX_get_error(check)));
    X509_STORE_CTX_free(check);
    X509_STORE_free(trusted);
    X509_free(root);
    SSL_CTX_free(tls);
}

static void a_server_certificate_serves_under_each_of_its_names(void **state)
{
    static const struct {
        const char *name;
        enum key_kind kind;
        int bits;
        uint32_t usage;
    } rows[] = {
        {"P-256", KEY_P256, 256, KU_DIGITAL_SIGNATURE},
        {"RSA", KEY_RSA2048, 2048, KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT},
    };
    static const struct {
        const char *name;
        bool covered;
    } names[] = {
        {"hub.example", true},  {"HUB.example", true}, {"x.dev.example", true},
        {"127.0.0.1", true},    {"::1", true},         {"0:0:0:0:0:0:0:1", true},
        {"localhost", true},    {"example", false},    {"hub.example.org", false},
        {"127.0.0.2", false},   {"::2", false},        {"x.y.dev.example", false},
        {"dev.example", false}, {"", false},           {"Muster local CA", false},
    };
    const slice given[] = {SLICE("hub.example"), SLICE("localhost"), SLICE("127.0.0.1"),
                           SLICE("::1"), SLICE("*.dev.example")};
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct fault why = {0};
        X509 *leaf;

        if (!make_server(f, rows[i].kind, given, COUNT_OF(given), 90, &why))
            fail_msg("%s: %s", rows[i].name, why.text);
        assert_serves(f, "hub.example");
        leaf = load(f->paths[SERVER]);
        assert_int_equal(EVP_PKEY_get_bits(X509_get0_pubkey(leaf)), rows[i].bits);
        assert_int_equal(X509_get_key_usage(leaf), rows[i].usage);
        assert_int_equal(X509_get_extended_key_usage(leaf), XKU_SSL_SERVER);
        assert_int_equal(X509_check_ca(leaf), 0);
        assert_int_equal(X509_get_signature_nid(leaf), NID_ecdsa_with_SHA256);
        assert_int_equal(ASN1_STRING_length(X509_get_serialNumber(leaf)), 16);
        assert_non_null(X509_get0_subject_key_id(leaf));
        assert_non_null(X509_get0_authority_key_id(leaf));
        X509_free(leaf);
        assert_mode(f->paths[SERVER_KEY], 0600);
        for (size_t n = 0; n < COUNT_OF(names); n++) {
            if (certificate_covers(f->paths[SERVER], slice_str(names[n].name)) != names[n].covered)
                fail_msg("%s: covered is not %d", names[n].name, names[n].covered);
        }
    }
}

static void serials_differ(void **state)
{
    const slice names[] = {SLICE("hub.example")};
    struct fixture *f = *state;
    X509 *first, *second;

    assert_true(make_server(f, KEY_P256, names, 1, 1, NULL));
    first = load(f->paths[SERVER]);
    assert_true(make_server(f, KEY_P256, names, 1, 1, NULL));
    second = load(f->paths[SERVER]);
    assert_int_not_equal(
        ASN1_INTEGER_cmp(X509_get_serialNumber(first), X509_get_serialNumber(second)), 0);
    X509_free(first);
    X509_free(second);
}

static void a_long_first_name_is_no_common_name_but_serves(void **state)
{
#define LABEL "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."
    const slice names[] = {SLICE(LABEL LABEL "example")};
    struct fixture *f = *state;

    assert_true(make_server(f, KEY_P256, names, 1, 1, NULL));
    assert_true(certificate_covers(f->paths[SERVER], names[0]));
    assert_serves(f, LABEL LABEL "example");
}

static void bad_names_and_days_are_refused(void **state)
{
    static const struct {
        const char *name;
        slice names[2];
        size_t count;
        int days;
    } rows[] = {
        {"no names", {{0}}, 0, 1},
        {"no days", {SLICE("h")}, 1, 0},
        {"empty name", {SLICE("h"), SLICE("")}, 2, 1},
        {"NUL in a name", {SLICE("h\0.example")}, 1, 1},
        {"blank", {SLICE("a b")}, 1, 1},
        {"list", {SLICE("a,DNS:b")}, 1, 1},
        {"two dots", {SLICE("a..b")}, 1, 1},
        {"dot first", {SLICE(".a")}, 1, 1},
        {"star within", {SLICE("a.*.b")}, 1, 1},
        {"star alone", {SLICE("*")}, 1, 1},
        {"port", {SLICE("a:443")}, 1, 1},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct fault why = {0};

        unlink(f->paths[SERVER]);
        if (make_server(f, KEY_P256, rows[i].names, rows[i].count, rows[i].days, &why) ||
            why.status != ST_BAD_REQUEST || access(f->paths[SERVER], F_OK) == 0)
            fail_msg("%s: made", rows[i].name);
    }
    assert_false(certificate_make_root(f->paths[SERVER], f->paths[SERVER_KEY], SLICE(""), 1, NULL));
}

static void a_key_that_others_can_read_or_that_is_not_the_roots_is_refused(void **state)
{
    const slice names[] = {SLICE("hub.example")};
    struct fixture *f = *state;
    struct fault why = {0};

    assert_true(make_server(f, KEY_P256, names, 1, 1, NULL));
    assert_false(certificate_make_server(f->paths[ROOT], f->paths[SERVER_KEY], f->paths[SERVER],
                                         f->paths[SERVER_KEY], KEY_P256, names, 1, 1, &why));
    assert_int_equal(why.status, ST_BAD_REQUEST);
    assert_int_equal(chmod(f->paths[ROOT_KEY], 0644), 0);
    assert_false(make_server(f, KEY_P256, names, 1, 1, &why));
    assert_int_equal(why.status, ST_FORBIDDEN);
    assert_int_equal(chmod(f->paths[ROOT_KEY], 0600), 0);
}

static void a_file_without_a_certificate_says_so(void **state)
{
    struct fixture *f = *state;
    struct fault why = {0};
    int64_t left;

    assert_false(certificate_seconds_left(f->paths[ROOT_KEY], &left, &why));
    assert_int_equal(why.status, ST_BAD_REQUEST);
    assert_false(certificate_seconds_left("no/such/file", &left, &why));
    assert_int_equal(why.status, ST_NOT_FOUND);
    assert_false(certificate_covers("no/such/file", SLICE("h")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_root_is_a_ca_for_ten_years),
        cmocka_unit_test(a_server_certificate_serves_under_each_of_its_names),
        cmocka_unit_test(serials_differ),
        cmocka_unit_test(a_long_first_name_is_no_common_name_but_serves),
        cmocka_unit_test(bad_names_and_days_are_refused),
        cmocka_unit_test(a_key_that_others_can_read_or_that_is_not_the_roots_is_refused),
        cmocka_unit_test(a_file_without_a_certificate_says_so),
    };

    return cmocka_run_group_tests(tests, make_fixture, drop_fixture);
}
