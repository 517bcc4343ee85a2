/* A laboratory for odd certificates, for tests: what no honest tool makes. */
#ifndef MUSTER_CRYPTO_CERTIFICATE_TESTING_H
#define MUSTER_CRYPTO_CERTIFICATE_TESTING_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "crypto/certificate_read.h"

#define TEST_FUNCTION static __attribute__((unused))

#define LAB_NOW_S INT64_C(1767225600) /* 2026-01-01 */
#define LAB_NOW (LAB_NOW_S * 1000)
#define DAY_S INT64_C(86400)

/* Separated by '|', in the words of OpenSSL's configuration. */
#define IDENTIFIERS "|subjectKeyIdentifier=hash|authorityKeyIdentifier=keyid"
#define LEAF_EXTENSIONS                                                                            \
    "basicConstraints=critical,CA:FALSE|keyUsage=critical,digitalSignature|"                       \
    "extendedKeyUsage=clientAuth" IDENTIFIERS
#define CA_EXTENSIONS                                                                              \
    "basicConstraints=critical,CA:TRUE|keyUsage=critical,keyCertSign,cRLSign" IDENTIFIERS
/* Names for nameConstraints=permitted;dirName:plant. */
#define CONFIGURATION "[plant]\nO=Plant\n[other]\nO=Other\n"

/* The zero struct is an ordinary leaf; what a test leaves out is ordinary. */
struct spec {
    const char *cn;
    int cn_len;  /* 0: up to its NUL */
    int cn_type; /* 0: UTF8String */
    const char *second_cn, *organization;
    const char *key;        /* of lab_key; NULL: P-256 */
    EVP_PKEY *of;           /* this key in place of a new one */
    EVP_PKEY *signer;       /* signed with this in place of the issuer's */
    const EVP_MD *hash;     /* NULL: SHA-256 */
    const char *extensions; /* NULL: those of a leaf, or of an authority; "": none */
    bool is_authority;
    int version;         /* 0: 3 */
    int64_t from, until; /* seconds after LAB_NOW; 0: a day before, a year after */
    const char *date;    /* notAfter in these characters, whatever they are */
    const char *serial;  /* hex, '-' before; NULL: counted */
};

/* A certificate and its key, both the lab's. */
struct holder {
    X509 *certificate;
    EVP_PKEY *key;
};

#define LAB_MAX 512
struct lab {
    X509 *certificates[LAB_MAX];
    EVP_PKEY *keys[LAB_MAX];
    size_t certificate_count, key_count;
};

TEST_FUNCTION void lab_deinit(struct lab *lab)
{
    for (size_t i = 0; i < lab->certificate_count; i++)
        X509_free(lab->certificates[i]);
    for (size_t i = 0; i < lab->key_count; i++)
        EVP_PKEY_free(lab->keys[i]);
    *lab = (struct lab){0};
}

TEST_FUNCTION EVP_PKEY *lab_keep_key(struct lab *lab, EVP_PKEY *key)
{
    assert_non_null(key);
    assert_true(lab->key_count < LAB_MAX);
    return lab->keys[lab->key_count++] = key;
}

TEST_FUNCTION X509 *lab_keep(struct lab *lab, X509 *certificate)
{
    assert_non_null(certificate);
    assert_true(lab->certificate_count < LAB_MAX);
    return lab->certificates[lab->certificate_count++] = certificate;
}

TEST_FUNCTION BIGNUM *random_odd(int bits)
{
    BIGNUM *number = BN_new();

    assert_int_equal(BN_rand(number, bits, BN_RAND_TOP_TWO, BN_RAND_BOTTOM_ODD), 1);
    return number;
}

/* A public key that nobody has the private one of: it takes no search for primes. */
TEST_FUNCTION EVP_PKEY *key_of_numbers(const char *kind, const char *const *names, BIGNUM **numbers,
                                       size_t count)
{
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, kind, NULL);
    EVP_PKEY *key = NULL;
    OSSL_PARAM *parameters;

    for (size_t i = 0; i < count; i++)
        assert_int_equal(OSSL_PARAM_BLD_push_BN(builder, names[i], numbers[i]), 1);
    parameters = OSSL_PARAM_BLD_to_param(builder);
    assert_int_equal(EVP_PKEY_fromdata_init(context), 1);
    assert_int_equal(EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, parameters), 1);
    OSSL_PARAM_free(parameters);
    OSSL_PARAM_BLD_free(builder);
    EVP_PKEY_CTX_free(context);
    for (size_t i = 0; i < count; i++)
        BN_free(numbers[i]);
    return key;
}

TEST_FUNCTION EVP_PKEY *rsa_public(int bits, int exponent_bits)
{
    static const char *const names[] = {OSSL_PKEY_PARAM_RSA_N, OSSL_PKEY_PARAM_RSA_E};
    BIGNUM *numbers[] = {random_odd(bits), random_odd(exponent_bits)};

    return key_of_numbers("RSA", names, numbers, COUNT_OF(numbers));
}

TEST_FUNCTION EVP_PKEY *dsa_public(void)
{
    static const char *const names[] = {OSSL_PKEY_PARAM_FFC_P, OSSL_PKEY_PARAM_FFC_Q,
                                        OSSL_PKEY_PARAM_FFC_G, OSSL_PKEY_PARAM_PUB_KEY};
    BIGNUM *numbers[] = {random_odd(2048), random_odd(256), random_odd(2000), random_odd(2000)};

    return key_of_numbers("DSA", names, numbers, COUNT_OF(numbers));
}

/* A curve that is written out in place of being named. */
TEST_FUNCTION EVP_PKEY *explicit_curve(void)
{
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");

    assert_int_equal(EVP_PKEY_set_utf8_string_param(key, OSSL_PKEY_PARAM_EC_ENCODING,
                                                    OSSL_PKEY_EC_ENCODING_EXPLICIT),
                     1);
    return key;
}

/* "P-256" or another curve, "ED25519", "ED448", "X25519", "DSA", "explicit"; "RSA2048" has a
 * private key, "rsa2048" has none, "exponent65" is an RSA key with an exponent of so many bits. */
TEST_FUNCTION EVP_PKEY *lab_key(struct lab *lab, const char *kind)
{
    EVP_PKEY *key;

    if (strncmp(kind, "RSA", 3) == 0)
        key = EVP_RSA_gen((unsigned)strtoul(kind + 3, NULL, 10));
    else if (strncmp(kind, "rsa", 3) == 0)
        key = rsa_public((int)strtol(kind + 3, NULL, 10), 17);
    else if (strncmp(kind, "exponent", 8) == 0)
        key = rsa_public(2048, (int)strtol(kind + 8, NULL, 10));
    else if (strcmp(kind, "DSA") == 0)
        key = dsa_public();
    else if (strcmp(kind, "explicit") == 0)
        key = explicit_curve();
    else if (strcmp(kind, "ED25519") == 0 || strcmp(kind, "ED448") == 0 ||
             strcmp(kind, "X25519") == 0)
        key = EVP_PKEY_Q_keygen(NULL, NULL, kind);
    else
        key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", kind);
    return lab_keep_key(lab, key);
}

TEST_FUNCTION void set_subject(X509 *certificate, const struct spec *spec)
{
    X509_NAME *name = X509_get_subject_name(certificate);
    const char *cn = spec->cn ? spec->cn : spec->is_authority ? "Authority" : "pump-07";
    int len = spec->cn_len ? spec->cn_len : (int)strlen(cn);
    int type = spec->cn_type ? spec->cn_type : V_ASN1_UTF8STRING;

    if (spec->organization)
        X509_NAME_add_entry_by_NID(name, NID_organizationName, V_ASN1_UTF8STRING,
                                   (const uint8_t *)spec->organization, -1, -1, 0);
    if (len > 0)
        assert_int_equal(
            X509_NAME_add_entry_by_NID(name, NID_commonName, type, (const uint8_t *)cn, len, -1, 0),
            1);
    if (spec->second_cn)
        X509_NAME_add_entry_by_NID(name, NID_commonName, V_ASN1_UTF8STRING,
                                   (const uint8_t *)spec->second_cn, -1, -1, 0);
}

TEST_FUNCTION void set_validity(X509 *certificate, const struct spec *spec)
{
    ASN1_TIME *end = X509_getm_notAfter(certificate);

    ASN1_TIME_set(X509_getm_notBefore(certificate), LAB_NOW_S + (spec->from ? spec->from : -DAY_S));
    ASN1_TIME_set(end, LAB_NOW_S + (spec->until ? spec->until : 365 * DAY_S));
    if (spec->date)
        assert_int_equal(ASN1_STRING_set(end, spec->date, -1), 1);
}

TEST_FUNCTION void set_serial(X509 *certificate, const char *hex, size_t counted)
{
    ASN1_INTEGER *serial;
    BIGNUM *number = NULL;

    if (hex)
        assert_true(BN_hex2bn(&number, hex) > 0);
    else
        assert_int_equal(BN_set_word(number = BN_new(), counted + 1), 1);
    serial = BN_to_ASN1_INTEGER(number, NULL);
    assert_int_equal(X509_set_serialNumber(certificate, serial), 1);
    ASN1_INTEGER_free(serial);
    BN_free(number);
}

TEST_FUNCTION CONF *load_configuration(void)
{
    BIO *text = BIO_new_mem_buf(CONFIGURATION, -1);
    CONF *configuration = NCONF_new(NULL);

    assert_true(NCONF_load_bio(configuration, text, NULL) > 0);
    BIO_free(text);
    return configuration;
}

TEST_FUNCTION void add_extensions(X509 *certificate, X509 *issuer, const char *list)
{
    CONF *configuration = load_configuration();
    X509V3_CTX context;

    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    X509V3_set_nconf(&context, configuration);
    for (slice rest = slice_str(list); rest.len > 0;) {
        slice value = slice_split(&rest, '|');
        slice name = slice_split(&value, '=');
        char names[64], values[256];
        X509_EXTENSION *extension;

        /* There is nothing to identify. */
        if (slice_equal(name, SLICE("authorityKeyIdentifier")) &&
            X509_get_ext_by_NID(issuer, NID_subject_key_identifier, -1) < 0)
            continue;
        snprintf(names, sizeof names, "%.*s", SLICE_FMT(name));
        snprintf(values, sizeof values, "%.*s", SLICE_FMT(value));
        extension = X509V3_EXT_nconf(configuration, &context, names, values);
        if (!extension)
            fail_msg("no such extension: %s=%s", names, values);
        assert_int_equal(X509_add_ext(certificate, extension, -1), 1);
        X509_EXTENSION_free(extension);
    }
    NCONF_free(configuration);
}

static const EVP_MD *hash_for(const EVP_PKEY *key, const EVP_MD *hash)
{
    if (EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519 ||
        EVP_PKEY_get_base_id(key) == EVP_PKEY_ED448)
        return NULL;
    return hash ? hash : EVP_sha256();
}

/* As a reader gets it: OpenSSL keeps what it noticed while a certificate was in the making. */
TEST_FUNCTION X509 *lab_reread(struct lab *lab, X509 *certificate)
{
    struct buf BUF_CLEANUP der = {.max = CERTIFICATE_FILE_MAX};

    certificate_to_der(certificate, &der);
    X509_free(certificate);
    assert_false(der.failed);
    return lab_keep(lab, certificate_from_der(buf_slice(&der)));
}

/* `issuer` NULL: self-signed. */
TEST_FUNCTION struct holder lab_make(struct lab *lab, const struct spec *spec,
                                     const struct holder *issuer)
{
    X509 *certificate = X509_new();
    EVP_PKEY *key = spec->of ? spec->of : lab_key(lab, spec->key ? spec->key : "P-256");
    EVP_PKEY *signer = spec->signer ? spec->signer : issuer ? issuer->key : key;
    X509 *above = issuer ? issuer->certificate : certificate;

    X509_set_version(certificate, spec->version ? spec->version - 1 : X509_VERSION_3);
    set_serial(certificate, spec->serial, lab->certificate_count);
    set_subject(certificate, spec);
    set_validity(certificate, spec);
    assert_int_equal(X509_set_pubkey(certificate, key), 1);
    assert_int_equal(X509_set_issuer_name(certificate, X509_get_subject_name(above)), 1);
    add_extensions(certificate, above,
                   spec->extensions     ? spec->extensions
                   : spec->is_authority ? CA_EXTENSIONS
                                        : LEAF_EXTENSIONS);
    assert_true(X509_sign(certificate, signer, hash_for(signer, spec->hash)) > 0);
    ERR_clear_error();
    return (struct holder){lab_reread(lab, certificate), key};
}

TEST_FUNCTION struct holder lab_authority(struct lab *lab, const char *cn,
                                          const struct holder *issuer)
{
    return lab_make(lab, &(struct spec){.cn = cn, .is_authority = true}, issuer);
}

TEST_FUNCTION struct holder lab_leaf(struct lab *lab, const char *cn, const struct holder *issuer)
{
    return lab_make(lab, &(struct spec){.cn = cn}, issuer);
}

/* The same certificate but for the last bit of its signature. */
TEST_FUNCTION X509 *lab_spoil(struct lab *lab, const X509 *certificate)
{
    struct buf BUF_CLEANUP der = {.max = CERTIFICATE_FILE_MAX};

    certificate_to_der(certificate, &der);
    assert_false(der.failed);
    der.ptr[der.len - 1] ^= 1;
    return lab_keep(lab, certificate_from_der(buf_slice(&der)));
}

#endif
