#include "crypto/certificate.h"

#include <arpa/inet.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/clock.h"
#include "crypto/crypto.h"
#include "crypto/key_file.h"

#define KEY_FILE_MAX 16384
#define SERIAL_LEN 16
#define COMMON_NAME_MAX 64
#define DNS_NAME_MAX 253
/* Devices with a slow clock take the certificate too. */
#define BACKDATE_S 3600

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

static EVP_PKEY *make_key(enum key_kind kind)
{
    if (kind == KEY_RSA2048)
        return EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
    return EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
}

/* Sixteen bytes, positive, and never short for want of a leading bit. */
static bool set_serial(X509 *certificate)
{
    uint8_t bytes[SERIAL_LEN];
    BIGNUM *number;
    bool set;

    random_bytes(bytes, sizeof bytes);
    bytes[0] = (uint8_t)((bytes[0] & 0x7f) | 0x40);
    number = BN_bin2bn(bytes, sizeof bytes, NULL);
    set = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate));
    BN_free(number);
    return set;
}

static bool set_validity(X509 *certificate, int days)
{
    time_t now = (time_t)(clock_wall_ms() / 1000);

    return ASN1_TIME_set(X509_getm_notBefore(certificate), now - BACKDATE_S) &&
           ASN1_TIME_adj(X509_getm_notAfter(certificate), now, days, 0);
}

static bool set_common_name(X509_NAME *name, slice common_name)
{
    return X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8, common_name.ptr,
                                      (int)common_name.len, -1, 0) == 1;
}

struct extension {
    int nid;
    const char *value;
};

static bool add_extensions(X509 *certificate, X509 *issuer, const struct extension *extensions,
                           size_t count)
{
    X509V3_CTX context;

    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    for (size_t i = 0; i < count; i++) {
        X509_EXTENSION *extension =
            X509V3_EXT_nconf_nid(NULL, &context, extensions[i].nid, extensions[i].value);
        bool added = extension && X509_add_ext(certificate, extension, -1) == 1;

        X509_EXTENSION_free(extension);
        if (!added)
            return false;
    }
    return true;
}

/* What root and server have in common; the subject's key is `key`. */
static X509 *begin_certificate(EVP_PKEY *key, slice common_name, int days)
{
    X509 *certificate = X509_new();

    if (certificate && X509_set_version(certificate, X509_VERSION_3) && set_serial(certificate) &&
        set_validity(certificate, days) && X509_set_pubkey(certificate, key) &&
        set_common_name(X509_get_subject_name(certificate), common_name))
        return certificate;
    X509_free(certificate);
    return NULL;
}

static slice bio_slice(BIO *bio)
{
    char *bytes = NULL;
    long len = BIO_get_mem_data(bio, &bytes);

    return len > 0 ? slice_of(bytes, (size_t)len) : (slice){0};
}

static bool write_key(const char *path, EVP_PKEY *key, struct fault *why)
{
    BIO_CLEANUP BIO *pem = BIO_new(BIO_s_secmem()); /* wipes what it frees */

    if (!pem || PEM_write_bio_PKCS8PrivateKey(pem, key, NULL, NULL, 0, NULL, NULL) != 1)
        return fail(why, ST_NO_MEMORY, "cannot write the key for", path);
    return key_file_write(path, KEY_FILE_REPLACE, bio_slice(pem), why) == ST_OK;
}

/* The leaf, and the root behind it when there is one. */
static bool write_chain(const char *path, X509 *leaf, X509 *root, struct fault *why)
{
    BIO_CLEANUP BIO *pem = BIO_new(BIO_s_mem());

    if (!pem || PEM_write_bio_X509(pem, leaf) != 1 || (root && PEM_write_bio_X509(pem, root) != 1))
        return fail(why, ST_NO_MEMORY, "cannot write", path);
    return key_file_write(path, PUBLIC_FILE, bio_slice(pem), why) == ST_OK;
}

static bool sign_root(X509 *root, EVP_PKEY *key)
{
    static const struct extension extensions[] = {
        {NID_basic_constraints, "critical,CA:TRUE"},
        {NID_key_usage, "critical,keyCertSign,cRLSign"},
        {NID_subject_key_identifier, "hash"},
        {NID_authority_key_identifier, "keyid:always"},
    };

    return X509_set_issuer_name(root, X509_get_subject_name(root)) &&
           add_extensions(root, root, extensions, COUNT_OF(extensions)) &&
           X509_sign(root, key, EVP_sha256()) > 0;
}

bool certificate_make_root(const char *certificate_path, const char *key_path, slice common_name,
                           int days, struct fault *why)
{
    KEY_CLEANUP EVP_PKEY *key = NULL;
    CERTIFICATE_CLEANUP X509 *root = NULL;

    if (common_name.len == 0 || common_name.len > COMMON_NAME_MAX || days < 1)
        return fail(why, ST_BAD_REQUEST, "bad name or days for", certificate_path);
    key = make_key(KEY_P256);
    root = key ? begin_certificate(key, common_name, days) : NULL;
    if (!root || !sign_root(root, key))
        return fail(why, ST_INTERNAL, "cannot make the root", certificate_path);
    /* The certificate comes last: where it is, there is its key. */
    return write_key(key_path, key, why) && write_chain(certificate_path, root, NULL, why);
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

/* A key behind a pass phrase is refused, not asked for. */
static int no_pass_phrase(char *to, int size, int writing, void *context)
{
    (void)to, (void)size, (void)writing, (void)context;
    return -1;
}

static EVP_PKEY *load_key(const char *path, struct fault *why)
{
    uint8_t pem[KEY_FILE_MAX];
    EVP_PKEY *key = NULL;
    size_t len = 0;

    if (key_file_read(path, pem, sizeof pem, &len, why) == ST_OK) {
        BIO_CLEANUP BIO *bio = BIO_new_mem_buf(pem, (int)len);

        key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_pass_phrase, NULL) : NULL;
        if (!key)
            fail(why, ST_BAD_REQUEST, "no PEM key in", path);
    }
    OPENSSL_cleanse(pem, sizeof pem);
    return key;
}

/* An address as it stands in a certificate: 4 or 16 bytes; 0 when `name` is none. */
static int parse_address(const char *name, uint8_t to[16])
{
    if (inet_pton(AF_INET, name, to) == 1)
        return 4;
    return inet_pton(AF_INET6, name, to) == 1 ? 16 : 0;
}

static bool is_dns_name(const char *name)
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._";
    size_t star = strncmp(name, "*.", 2) == 0 ? 2 : 0;
    size_t len = strlen(name);

    return len > star && len <= DNS_NAME_MAX && name[star] != '.' && !strstr(name, "..") &&
           strspn(name + star, allowed) == len - star;
}

/* The name with a NUL behind it, as the resolver's functions want it. */
static bool copy_name(slice name, char to[DNS_NAME_MAX + 1])
{
    if (name.len == 0 || name.len > DNS_NAME_MAX || memchr(name.ptr, 0, name.len))
        return false;
    memcpy(to, name.ptr, name.len);
    to[name.len] = '\0';
    return true;
}

static GENERAL_NAME *make_name(slice name)
{
    char text[DNS_NAME_MAX + 1];
    uint8_t address[16];
    int len;
    GENERAL_NAME *entry;
    ASN1_STRING *value;

    if (!copy_name(name, text))
        return NULL;
    len = parse_address(text, address);
    if (len == 0 && !is_dns_name(text))
        return NULL;
    entry = GENERAL_NAME_new();
    value = len ? ASN1_OCTET_STRING_new() : ASN1_IA5STRING_new();
    if (entry && value &&
        ASN1_STRING_set(value, len ? (const void *)address : text, len ? len : (int)name.len)) {
        GENERAL_NAME_set0_value(entry, len ? GEN_IPADD : GEN_DNS, value);
        return entry;
    }
    GENERAL_NAME_free(entry);
    ASN1_STRING_free(value);
    return NULL;
}

static bool add_names(X509 *certificate, const slice *names, size_t count)
{
    GENERAL_NAMES *list = GENERAL_NAMES_new();
    bool added = list != NULL;

    for (size_t i = 0; added && i < count; i++) {
        GENERAL_NAME *entry = make_name(names[i]);

        added = entry && sk_GENERAL_NAME_push(list, entry) > 0;
        if (!added)
            GENERAL_NAME_free(entry);
    }
    added = added && X509_add1_ext_i2d(certificate, NID_subject_alt_name, list, 0, 0) == 1;
    GENERAL_NAMES_free(list);
    return added;
}

static bool sign_server(X509 *leaf, X509 *root, EVP_PKEY *root_key, enum key_kind kind)
{
    /* RSA key exchange is off (TLS needs no keyEncipherment), but old clients look for it. */
    const struct extension extensions[] = {
        {NID_basic_constraints, "critical,CA:FALSE"},
        {NID_key_usage, kind == KEY_RSA2048 ? "critical,digitalSignature,keyEncipherment"
                                            : "critical,digitalSignature"},
        {NID_ext_key_usage, "serverAuth"},
        {NID_subject_key_identifier, "hash"},
        {NID_authority_key_identifier, "keyid:always"},
    };

    return X509_set_issuer_name(leaf, X509_get_subject_name(root)) &&
           add_extensions(leaf, root, extensions, COUNT_OF(extensions)) &&
           X509_sign(leaf, root_key, EVP_sha256()) > 0;
}

bool certificate_make_server(const char *root_path, const char *root_key_path,
                             const char *certificate_path, const char *key_path, enum key_kind kind,
                             const slice *names, size_t count, int days, struct fault *why)
{
    CERTIFICATE_CLEANUP X509 *root = load_certificate(root_path, why);
    KEY_CLEANUP EVP_PKEY *root_key = root ? load_key(root_key_path, why) : NULL;
    KEY_CLEANUP EVP_PKEY *key = NULL;
    CERTIFICATE_CLEANUP X509 *leaf = NULL;
    slice common_name;

    if (!root_key)
        return false;
    if (X509_check_private_key(root, root_key) != 1)
        return fail(why, ST_BAD_REQUEST, "the key is not that of", root_path);
    if (count == 0 || days < 1)
        return fail(why, ST_BAD_REQUEST, "no names or days for", certificate_path);
    common_name = names[0].len <= COMMON_NAME_MAX ? names[0] : SLICE("Muster");
    key = make_key(kind);
    leaf = key ? begin_certificate(key, common_name, days) : NULL;
    if (!leaf)
        return fail(why, ST_INTERNAL, "cannot make", certificate_path);
    if (!add_names(leaf, names, count))
        return fail(why, ST_BAD_REQUEST, "a name is neither host nor address in", certificate_path);
    if (!sign_server(leaf, root, root_key, kind))
        return fail(why, ST_INTERNAL, "cannot sign", certificate_path);
    return write_key(key_path, key, why) && write_chain(certificate_path, leaf, root, why);
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
    uint8_t address[16];
    int len;

    if (!copy_name(name, text))
        return false;
    certificate = load_certificate(path, NULL);
    if (!certificate)
        return false;
    len = parse_address(text, address);
    if (len > 0)
        return X509_check_ip(certificate, address, (size_t)len, 0) == 1;
    return X509_check_host(certificate, text, name.len,
                           X509_CHECK_FLAG_NEVER_CHECK_SUBJECT |
                               X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS,
                           NULL) == 1;
}
