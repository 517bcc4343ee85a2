/* Certificates are written as DER by our own hand: OpenSSL's objects would cost a leaf more than
 * its key and its signature together. */
#include "crypto/certificate_make_internal.h"

#include <arpa/inet.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include "base/text.h"
#include "crypto/crypto.h"
#include "crypto/der_write.h"

#define SERIAL_LEN 16
#define COMMON_NAME_MAX 64 /* bytes */
#define DNS_NAME_MAX 253
#define PATH_LENGTH_MAX 127
#define SHA1_LEN 20

/* --- extensions ------------------------------------------------------------------------------- */

#define OID_BASIC_CONSTRAINTS SLICE("\x55\x1d\x13")
#define OID_KEY_USAGE SLICE("\x55\x1d\x0f")
#define OID_EXTENDED_KEY_USAGE SLICE("\x55\x1d\x25")
#define OID_SUBJECT_KEY_ID SLICE("\x55\x1d\x0e")
#define OID_AUTHORITY_KEY_ID SLICE("\x55\x1d\x23")
#define OID_SUBJECT_ALT_NAME SLICE("\x55\x1d\x11")
#define OID_COMMON_NAME SLICE("\x55\x04\x03")

#define CA_FALSE SLICE_ROW("\x30\x00")
#define CA_TRUE SLICE_ROW("\x30\x03\x01\x01\xff")
/* Bits from the top: digitalSignature 0x80, keyEncipherment 0x20, keyCertSign 0x04, cRLSign 0x02;
 * the third byte counts the unused ones. */
#define USAGE_SIGN SLICE_ROW("\x03\x02\x07\x80")
#define USAGE_SIGN_ENCIPHER SLICE_ROW("\x03\x02\x05\xa0")
#define USAGE_AUTHORITY SLICE_ROW("\x03\x02\x01\x06")
#define USAGE_EDGE SLICE_ROW("\x03\x02\x02\x84")
#define SERVER_AUTH "\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x01"
#define CLIENT_AUTH "\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x02"
#define FOR_CLIENTS SLICE_ROW("\x30\x0a" CLIENT_AUTH)
#define FOR_SERVERS SLICE_ROW("\x30\x0a" SERVER_AUTH)
#define FOR_BOTH SLICE_ROW("\x30\x14" SERVER_AUTH CLIENT_AUTH)
#define SLICE_ROW(literal)                                                                         \
    {                                                                                              \
        (const uint8_t *)(literal), sizeof(literal) - 1                                            \
    }

/* The contents of each role's extensions, encoded. RSA key exchange is off (TLS needs no
 * keyEncipherment), but old clients look for it in a server's RSA certificate. */
static const struct {
    slice basic, usage, rsa_usage, purposes;
} roles[] = {
    [ROLE_AUTHORITY] = {CA_TRUE, USAGE_AUTHORITY, USAGE_AUTHORITY, {0}},
    [ROLE_DEVICE] = {CA_FALSE, USAGE_SIGN, USAGE_SIGN, FOR_CLIENTS},
    [ROLE_EDGE_DEVICE] = {CA_TRUE, USAGE_EDGE, USAGE_EDGE, FOR_BOTH},
    [ROLE_SERVER] = {CA_FALSE, USAGE_SIGN, USAGE_SIGN_ENCIPHER, FOR_SERVERS},
    [ROLE_VERIFICATION] = {CA_FALSE, USAGE_SIGN, USAGE_SIGN, FOR_CLIENTS},
};

static size_t open_extension(struct buf *to, slice oid, bool critical, size_t *ret_value)
{
    size_t extension = der_open(to, DER_SEQUENCE);

    der_append(to, DER_OID, oid);
    if (critical)
        der_append(to, DER_BOOLEAN, SLICE("\xff"));
    *ret_value = der_open(to, DER_OCTET_STRING);
    return extension;
}

static void close_extension(struct buf *to, size_t extension, size_t value)
{
    der_close(to, value);
    der_close(to, extension);
}

static void append_extension(struct buf *to, slice oid, bool critical, slice contents)
{
    size_t value, extension = open_extension(to, oid, critical, &value);

    buf_append(to, contents);
    close_extension(to, extension, value);
}

static void append_key_id(struct buf *to, slice oid, unsigned outer, unsigned inner, slice id)
{
    size_t value, extension = open_extension(to, oid, false, &value);
    size_t wrap = outer ? der_open(to, outer) : 0;

    der_append(to, inner, id);
    if (outer)
        der_close(to, wrap);
    close_extension(to, extension, value);
}

static void append_basic(struct buf *to, const struct certificate_order *order)
{
    uint8_t limited[] = {0x30, 0x06, 0x01, 0x01, 0xff, 0x02, 0x01, (uint8_t)order->path_length};
    bool limit = order->role == ROLE_AUTHORITY && order->path_length >= 0;

    append_extension(to, OID_BASIC_CONSTRAINTS, true,
                     limit ? slice_of(limited, sizeof limited) : roles[order->role].basic);
}

/* --- a server's names ------------------------------------------------------------------------- */

/* An address as it stands in a certificate: 4 or 16 bytes; 0 when `name` is none. */
static size_t parse_address(const char *name, uint8_t to[16])
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

static bool append_name(struct buf *to, slice name)
{
    char text[DNS_NAME_MAX + 1];
    uint8_t address[16];
    size_t len;

    if (name.len == 0 || name.len > DNS_NAME_MAX || memchr(name.ptr, 0, name.len))
        return false;
    memcpy(text, name.ptr, name.len);
    text[name.len] = '\0'; /* as the resolver's functions want it */
    len = parse_address(text, address);
    if (len == 0 && !is_dns_name(text))
        return false;
    der_append(to, len > 0 ? DER_CONTEXT + 7 : DER_CONTEXT + 2,
               len > 0 ? slice_of(address, len) : name);
    return true;
}

static bool append_names(struct buf *to, const struct certificate_order *order, struct fault *why)
{
    size_t value, extension = open_extension(to, OID_SUBJECT_ALT_NAME, false, &value);
    size_t list = der_open(to, DER_SEQUENCE);

    for (size_t i = 0; i < order->name_count; i++) {
        if (!append_name(to, order->names[i])) {
            fault_set(why, ST_BAD_REQUEST, "'%.*s' is neither host nor address",
                      SLICE_FMT(order->names[i]));
            return false;
        }
    }
    der_close(to, list);
    close_extension(to, extension, value);
    return true;
}

/* --- signatures ------------------------------------------------------------------------------- */

/* How a key signs. Sources: RFC 5758 3.2, RFC 4055 5, RFC 8410 3. */
struct signature_kind {
    const char *key;
    int bits; /* 0: any */
    const char *hash;
    slice algorithm; /* AlgorithmIdentifier */
};
static const struct signature_kind signature_kinds[] = {
    {"EC", 256, "SHA256", SLICE_ROW("\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02")},
    {"EC", 384, "SHA384", SLICE_ROW("\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x03")},
    {"EC", 521, "SHA512", SLICE_ROW("\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x04")},
    {"RSA", 0, "SHA256", SLICE_ROW("\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b\x05\x00")},
    {"ED25519", 0, NULL, SLICE_ROW("\x30\x05\x06\x03\x2b\x65\x70")},
};

static const struct signature_kind *kind_of(const EVP_PKEY *key)
{
    for (size_t i = 0; i < COUNT_OF(signature_kinds); i++) {
        const struct signature_kind *k = &signature_kinds[i];

        if (EVP_PKEY_is_a(key, k->key) && (k->bits == 0 || k->bits == EVP_PKEY_get_bits(key)))
            return k;
    }
    return NULL;
}

static void copy_issuer(struct issuing *by, X509 *issuer)
{
    const ASN1_OCTET_STRING *id = X509_get0_subject_key_id(issuer);
    const unsigned char *name;
    size_t len;

    if (X509_NAME_get0_der(X509_get_subject_name(issuer), &name, &len) == 1)
        buf_append(&by->name, slice_of(name, len));
    else
        by->name.failed = true;
    if (id)
        buf_append(&by->key_id,
                   slice_of(ASN1_STRING_get0_data(id), (size_t)ASN1_STRING_length(id)));
}

static bool prepare_signature(struct issuing *by, const EVP_PKEY *key)
{
    by->ready = EVP_MD_CTX_new();
    by->at_work = EVP_MD_CTX_new();
    return by->ready && by->at_work && EVP_PKEY_get_size(key) <= SIGNATURE_MAX &&
           EVP_DigestSignInit_ex(by->ready, NULL, by->kind->hash, NULL, NULL, (EVP_PKEY *)key,
                                 NULL) == 1;
}

enum status issuing_init(struct issuing *by, const struct x509_st *issuer,
                         const struct evp_pkey_st *key, struct fault *why)
{
    bool good;

    *by = (struct issuing){.name.max = CERTIFICATE_DER_MAX,
                           .key_id.max = CERTIFICATE_DER_MAX,
                           .body.max = CERTIFICATE_DER_MAX};
    by->kind = key ? kind_of(key) : NULL;
    if (!by->kind)
        return fault_set(why, ST_BAD_REQUEST, "the issuer's key is of a kind that cannot sign");
    if (issuer && X509_check_private_key(issuer, key) != 1) {
        ERR_clear_error();
        return fault_set(why, ST_BAD_REQUEST, "the key is not that of the issuer's certificate");
    }
    if (issuer)
        copy_issuer(by, (X509 *)issuer); /* not const only because it caches what it parses */
    good = prepare_signature(by, key) && !by->name.failed && !by->key_id.failed;
    ERR_clear_error();
    return good ? ST_OK : fault_set(why, ST_INTERNAL, "cannot sign with the issuer's key");
}

void issuing_deinit(struct issuing *by)
{
    EVP_MD_CTX_free(by->ready);
    EVP_MD_CTX_free(by->at_work);
    buf_deinit(&by->name);
    buf_deinit(&by->key_id);
    buf_deinit(&by->body);
}

static bool sign(struct issuing *by, uint8_t signature[SIGNATURE_MAX], size_t *ret_len)
{
    bool signed_it;

    *ret_len = SIGNATURE_MAX;
    signed_it = EVP_MD_CTX_copy_ex(by->at_work, by->ready) == 1 &&
                EVP_DigestSign(by->at_work, signature, ret_len, by->body.ptr, by->body.len) == 1;
    ERR_clear_error();
    return signed_it;
}

/* --- the certificate -------------------------------------------------------------------------- */

/* Sixteen bytes, positive, and never short for want of a leading bit. */
static void append_serial(struct buf *to)
{
    uint8_t serial[SERIAL_LEN];

    random_bytes(serial, sizeof serial);
    serial[0] = (uint8_t)((serial[0] & 0x7f) | 0x40);
    der_append(to, DER_INTEGER, slice_of(serial, sizeof serial));
}

static void append_common_name(struct buf *to, slice common_name)
{
    size_t name = der_open(to, DER_SEQUENCE);
    size_t set = der_open(to, DER_SET);
    size_t pair = der_open(to, DER_SEQUENCE);

    der_append(to, DER_OID, OID_COMMON_NAME);
    der_append(to, DER_UTF8_STRING, common_name);
    der_close(to, pair);
    der_close(to, set);
    der_close(to, name);
}

/* Steps past the head of the value at *at, which must have that tag. */
static bool enter(const unsigned char **at, const unsigned char *end, int tag, long *ret_len)
{
    int found, class;

    return !(ASN1_get_object(at, ret_len, &found, &class, end - *at) & 0x80) && found == tag;
}

/* The SHA-1 of the key's bits (RFC 5280, 4.2.1.2): a name for the key, no protection. */
static bool key_id_of(slice public_info, uint8_t ret[SHA1_LEN])
{
    const unsigned char *at = public_info.ptr, *end = at + public_info.len;
    long len;

    if (!enter(&at, end, V_ASN1_SEQUENCE, &len))
        return false;
    if (!enter(&at, end, V_ASN1_SEQUENCE, &len)) /* the algorithm */
        return false;
    at += len;
    if (!enter(&at, end, V_ASN1_BIT_STRING, &len) || len < 1)
        return false;
    return EVP_Digest(at + 1, (size_t)len - 1, ret, NULL, EVP_sha1(), NULL) == 1;
}

static bool append_extensions(struct buf *to, const struct certificate_order *order,
                              slice public_info, bool rsa, const struct issuing *by,
                              struct fault *why)
{
    uint8_t own[SHA1_LEN] = {0};
    slice own_id = slice_of(own, sizeof own);
    slice issuer_id = by->name.len > 0 ? buf_slice(&by->key_id) : own_id;
    size_t tagged = der_open(to, DER_CONTEXT_CONSTRUCTED + 3);
    size_t list = der_open(to, DER_SEQUENCE);

    if (!key_id_of(public_info, own)) {
        fault_set(why, ST_BAD_REQUEST, "cannot read the subject's key");
        return false;
    }
    append_basic(to, order);
    append_extension(to, OID_KEY_USAGE, true,
                     rsa ? roles[order->role].rsa_usage : roles[order->role].usage);
    if (roles[order->role].purposes.len > 0)
        append_extension(to, OID_EXTENDED_KEY_USAGE, false, roles[order->role].purposes);
    append_key_id(to, OID_SUBJECT_KEY_ID, 0, DER_OCTET_STRING, own_id);
    if (issuer_id.len > 0)
        append_key_id(to, OID_AUTHORITY_KEY_ID, DER_SEQUENCE, DER_CONTEXT, issuer_id);
    if (order->name_count > 0 && !append_names(to, order, why))
        return false;
    der_close(to, list);
    der_close(to, tagged);
    return true;
}

/* TBSCertificate: all that is signed (RFC 5280, 4.1). */
static bool write_body(const struct certificate_order *order, slice public_info, bool rsa,
                       struct issuing *by, struct fault *why)
{
    struct buf *to = &by->body;
    size_t whole, validity;

    buf_clear(to);
    whole = der_open(to, DER_SEQUENCE);
    buf_append(to, SLICE("\xa0\x03\x02\x01\x02")); /* version 3 */
    append_serial(to);
    buf_append(to, by->kind->algorithm);
    if (by->name.len > 0)
        buf_append(to, buf_slice(&by->name));
    else
        append_common_name(to, order->common_name);
    validity = der_open(to, DER_SEQUENCE);
    der_append_time(to, order->not_before);
    der_append_time(to, order->not_after);
    der_close(to, validity);
    append_common_name(to, order->common_name);
    buf_append(to, public_info);
    if (!append_extensions(to, order, public_info, rsa, by, why))
        return false;
    der_close(to, whole);
    if (to->failed)
        fault_set(why, ST_BAD_REQUEST, "a date outside of 1950 to 9999, or too many names");
    return !to->failed;
}

enum status certificate_write(const struct certificate_order *order, slice public_info, bool rsa,
                              struct issuing *by, struct buf *to, struct fault *why)
{
    uint8_t signature[SIGNATURE_MAX];
    size_t len, whole;

    if (order->common_name.len == 0 || order->common_name.len > COMMON_NAME_MAX ||
        memchr(order->common_name.ptr, 0, order->common_name.len) ||
        !utf8_valid(order->common_name))
        return fault_set(why, ST_BAD_REQUEST, "a common name has 1 to 64 characters");
    if (order->path_length > PATH_LENGTH_MAX)
        return fault_set(why, ST_BAD_REQUEST, "a path length is at most %d", PATH_LENGTH_MAX);
    if (!write_body(order, public_info, rsa, by, why))
        return ST_BAD_REQUEST;
    if (!sign(by, signature, &len))
        return fault_set(why, ST_INTERNAL, "cannot sign");
    whole = der_open(to, DER_SEQUENCE);
    buf_append(to, buf_slice(&by->body));
    buf_append(to, by->kind->algorithm);
    der_append_bits(to, slice_of(signature, len));
    der_close(to, whole);
    return to->failed ? fault_set(why, ST_NO_MEMORY, "no memory for a certificate") : ST_OK;
}

static struct x509_st *parse(const struct buf *der, struct fault *why)
{
    const unsigned char *at = der->ptr;
    X509 *certificate = d2i_X509(NULL, &at, (long)der->len);

    ERR_clear_error();
    if (!certificate)
        fault_set(why, ST_NO_MEMORY, "no memory for a certificate");
    return certificate;
}

struct x509_st *certificate_make(const struct certificate_order *order, struct fault *why)
{
    BUF_CLEANUP struct buf public_info = {.max = KEY_DER_MAX}, der = {.max = CERTIFICATE_DER_MAX};
    const EVP_PKEY *signer = order->issuer ? order->issuer_key : order->key;
    struct x509_st *made = NULL;
    struct issuing by;

    if (issuing_init(&by, order->issuer, signer, why) == ST_OK) {
        if (!public_info_of(order->key, &public_info))
            fault_set(why, ST_BAD_REQUEST, "the subject's key cannot be written");
        else if (certificate_write(order, buf_slice(&public_info), EVP_PKEY_is_a(order->key, "RSA"),
                                   &by, &der, why) == ST_OK)
            made = parse(&der, why);
    }
    issuing_deinit(&by);
    return made;
}
