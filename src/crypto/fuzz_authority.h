/* The authority that fuzz targets trust: a fixed Ed25519 key, so that what a fuzzer makes up can be
 * signed by it and comes past the check of signatures. It vouches for nothing outside. */
#ifndef MUSTER_CRYPTO_FUZZ_AUTHORITY_H
#define MUSTER_CRYPTO_FUZZ_AUTHORITY_H

#include <assert.h>

#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include "base/clock.h"

#define FUZZ_NOW INT64_C(1830297600000)

static inline EVP_PKEY *fuzz_key(void)
{
    static const uint8_t bytes[32] = "the key of the fuzzed authority";
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, bytes, sizeof bytes);

    assert(key);
    return key;
}

static inline void fuzz_extend(X509 *certificate, int kind, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_nconf_nid(NULL, NULL, kind, value);

    assert(extension && X509_add_ext(certificate, extension, -1) == 1);
    X509_EXTENSION_free(extension);
}

static inline X509 *fuzz_authority(EVP_PKEY *key)
{
    X509 *authority = X509_new();
    X509_NAME *name;

    assert(authority && X509_set_version(authority, X509_VERSION_3) == 1);
    name = X509_get_subject_name(authority);
    X509_NAME_add_entry_by_NID(name, NID_commonName, V_ASN1_UTF8STRING, (const uint8_t *)"Fuzz", -1,
                               -1, 0);
    X509_set_issuer_name(authority, name);
    X509_set_pubkey(authority, key);
    ASN1_TIME_set(X509_getm_notBefore(authority), FUZZ_NOW / 1000 - 86400);
    ASN1_TIME_set(X509_getm_notAfter(authority), FUZZ_NOW / 1000 + 86400);
    fuzz_extend(authority, NID_basic_constraints, "critical,CA:TRUE");
    fuzz_extend(authority, NID_key_usage, "critical,keyCertSign,cRLSign");
    assert(X509_sign(authority, key, NULL) > 0);
    return authority;
}

#endif
