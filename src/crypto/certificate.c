#include "crypto/certificate.h"

#include <string.h>

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/clock.h"
#include "crypto/certificate_read.h"
#include "crypto/key_file.h"

#define KEY_FILE_MAX 16384
#define CHAIN_FILE_MAX 131072
#define COMMON_NAME_MAX 64
#define DNS_NAME_MAX 253
#define DAY_MS (INT64_C(24) * 3600 * 1000)
/* Devices with a slow clock take the certificate too. */
#define BACKDATE_MS (INT64_C(3600) * 1000)

static void free_key(EVP_PKEY **key)
{
    EVP_PKEY_free(*key);
}
static void free_certificate(X509 **certificate)
{
    X509_free(*certificate);
}
static void free_bio(BIO **bio)
{
    BIO_free(*bio);
}
#define KEY_CLEANUP __attribute__((cleanup(free_key)))
#define CERTIFICATE_CLEANUP __attribute__((cleanup(free_certificate)))
#define BIO_CLEANUP __attribute__((cleanup(free_bio)))

static bool fail(struct fault *why, enum status status, const char *what, const char *of)
{
    ERR_clear_error(); /* or the next TLS read on this thread would take it for its own */
    fault_set(why, status, "certificate: %s %s", what, of);
    return false;
}

static bool write_key(const char *path, EVP_PKEY *key, struct fault *why)
{
    BUF_CLEANUP struct buf pem = {.max = KEY_FILE_MAX};
    bool written;

    private_key_to_pem(key, &pem);
    written = !pem.failed && key_file_write(path, KEY_FILE_REPLACE, buf_slice(&pem), why) == ST_OK;
    if (pem.failed)
        fail(why, ST_NO_MEMORY, "cannot write the key for", path);
    if (pem.ptr)
        OPENSSL_cleanse(pem.ptr, pem.cap);
    return written;
}

/* The leaf, and the root behind it when there is one. */
static bool write_chain(const char *path, X509 *leaf, X509 *root, struct fault *why)
{
    BUF_CLEANUP struct buf pem = {.max = CHAIN_FILE_MAX};

    certificate_to_pem(leaf, &pem);
    if (root)
        certificate_to_pem(root, &pem);
    if (pem.failed)
        return fail(why, ST_NO_MEMORY, "cannot write", path);
    return key_file_write(path, PUBLIC_FILE, buf_slice(&pem), why) == ST_OK;
}

static instant days_from_now(int days)
{
    return clock_wall_ms() + (instant)days * DAY_MS;
}

bool certificate_make_root(const char *certificate_path, const char *key_path, slice common_name,
                           int days, struct fault *why)
{
    KEY_CLEANUP EVP_PKEY *key = private_key_make(KEY_P256);
    CERTIFICATE_CLEANUP X509 *root = NULL;
    const struct certificate_order order = {
        .role = ROLE_AUTHORITY,
        .common_name = common_name,
        .key = key,
        .not_before = clock_wall_ms() - BACKDATE_MS,
        .not_after = days_from_now(days),
        .path_length = -1,
    };

    if (days < 1)
        return fail(why, ST_BAD_REQUEST, "no days for", certificate_path);
    root = key ? certificate_make(&order, why) : NULL;
    if (!key)
        return fail(why, ST_NO_MEMORY, "cannot make the key of", certificate_path);
    /* The certificate comes last: where it is, there is its key. */
    return root && write_key(key_path, key, why) && write_chain(certificate_path, root, NULL, why);
}

static X509 *load_certificate(const char *path, struct fault *why)
{
    BIO_CLEANUP BIO *file = BIO_new_file(path, "r");
    X509 *certificate = file ? PEM_read_bio_X509(file, NULL, NULL, NULL) : NULL;

    if (!file)
        fail(why, ST_NOT_FOUND, "cannot open", path);
    else if (!certificate)
        fail(why, ST_BAD_REQUEST, "no PEM certificate in", path);
    return certificate;
}

static EVP_PKEY *load_key(const char *path, struct fault *why)
{
    uint8_t pem[KEY_FILE_MAX];
    EVP_PKEY *key = NULL;
    size_t len = 0;

    if (key_file_read(path, pem, sizeof pem, &len, why) == ST_OK) {
        key = private_key_from_pem(slice_of(pem, len), why);
        if (!key)
            fail(why, ST_BAD_REQUEST, "no PEM key in", path);
    }
    OPENSSL_cleanse(pem, sizeof pem);
    return key;
}

bool certificate_make_server(const char *root_path, const char *root_key_path,
                             const char *certificate_path, const char *key_path, enum key_kind kind,
                             const slice *names, size_t count, int days, struct fault *why)
{
    CERTIFICATE_CLEANUP X509 *root = load_certificate(root_path, why);
    KEY_CLEANUP EVP_PKEY *root_key = root ? load_key(root_key_path, why) : NULL;
    KEY_CLEANUP EVP_PKEY *key = root_key ? private_key_make(kind) : NULL;
    CERTIFICATE_CLEANUP X509 *leaf = NULL;
    struct certificate_order order = {
        .role = ROLE_SERVER,
        .key = key,
        .issuer = root,
        .issuer_key = root_key,
        .not_before = clock_wall_ms() - BACKDATE_MS,
        .not_after = days_from_now(days),
        .names = names,
        .name_count = count,
    };

    if (!root_key)
        return false;
    if (count == 0 || days < 1)
        return fail(why, ST_BAD_REQUEST, "no names or days for", certificate_path);
    if (!key)
        return fail(why, ST_NO_MEMORY, "cannot make the key of", certificate_path);
    order.common_name = names[0].len <= COMMON_NAME_MAX ? names[0] : SLICE("Muster");
    leaf = certificate_make(&order, why);
    return leaf && write_key(key_path, key, why) && write_chain(certificate_path, leaf, root, why);
}

bool certificate_seconds_left(const char *path, int64_t *ret, struct fault *why)
{
    CERTIFICATE_CLEANUP X509 *certificate = load_certificate(path, why);
    ASN1_TIME *now;
    int days, seconds;
    bool told;

    if (!certificate)
        return false;
    now = ASN1_TIME_set(NULL, (time_t)(clock_wall_ms() / 1000));
    told = now && ASN1_TIME_diff(&days, &seconds, now, X509_get0_notAfter(certificate)) == 1;
    ASN1_TIME_free(now);
    if (!told)
        return fail(why, ST_BAD_REQUEST, "no readable end of validity in", path);
    *ret = (int64_t)days * 86400 + seconds;
    return true;
}

bool certificate_covers(const char *path, slice name)
{
    CERTIFICATE_CLEANUP X509 *certificate = NULL;
    char text[DNS_NAME_MAX + 1];
    int as_address;

    if (name.len == 0 || name.len > DNS_NAME_MAX || memchr(name.ptr, 0, name.len))
        return false;
    memcpy(text, name.ptr, name.len);
    text[name.len] = '\0';
    certificate = load_certificate(path, NULL);
    if (!certificate)
        return false;
    as_address = X509_check_ip_asc(certificate, text, 0); /* -2: it is none */
    ERR_clear_error();
    if (as_address != -2)
        return as_address == 1;
    return X509_check_host(certificate, text, name.len,
                           X509_CHECK_FLAG_NEVER_CHECK_SUBJECT |
                               X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS,
                           NULL) == 1;
}
