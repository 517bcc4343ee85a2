#include <limits.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include "base/text.h"
#include "crypto/certificate_internal.h"

#define NAME_MAX_BYTES (256 * 1024) /* a name of CERTIFICATE_FILE_MAX bytes, escaped */
#define NAME_FORM (XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB)

bool instant_from_asn1(const ASN1_TIME *time, instant *ret)
{
    int len = ASN1_STRING_length(time);
    const uint8_t *text = ASN1_STRING_get0_data(time);
    struct tm parts;

    if (len != (ASN1_STRING_type(time) == V_ASN1_UTCTIME ? 13 : 15) || text[len - 1] != 'Z' ||
        ASN1_TIME_to_tm(time, &parts) != 1)
        return false;
    *ret = (instant)timegm(&parts) * 1000;
    return true;
}

/* The entry of the one CN. NULL: none, or several. */
static const ASN1_STRING *find_common_name(const X509 *certificate)
{
    const X509_NAME *subject = X509_get_subject_name(certificate);
    int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);

    if (at < 0 || X509_NAME_get_index_by_NID(subject, NID_commonName, at) >= 0)
        return NULL;
    return X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at));
}

size_t certificate_common_name(const X509 *certificate, char ret[COMMON_NAME_MAX])
{
    const ASN1_STRING *entry = find_common_name(certificate);
    uint8_t *text = NULL;
    int len = entry ? ASN1_STRING_to_UTF8(&text, entry) : 0;
    size_t count = len > 0 && len <= COMMON_NAME_MAX ? (size_t)len : 0;

    for (size_t i = 0; i < count; i++) {
        if (text[i] < ' ' || text[i] > '~')
            count = 0;
    }
    if (count > 0)
        memcpy(ret, text, count);
    OPENSSL_free(text);
    ERR_clear_error();
    return count;
}

bool name_write(const X509_NAME *name, struct buf *to)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *text = NULL;
    bool written = bio && X509_NAME_print_ex(bio, name, 0, NAME_FORM) >= 0;
    long len = written ? BIO_get_mem_data(bio, &text) : 0;
    slice form = len > 0 ? slice_of(text, (size_t)len) : (slice){0};

    written = written && utf8_valid(form);
    if (written)
        buf_append(to, form);
    BIO_free(bio);
    ERR_clear_error();
    return written;
}

void serial_write(const ASN1_INTEGER *serial, struct buf *to)
{
    const uint8_t *bytes = ASN1_STRING_get0_data(serial);
    int len = ASN1_STRING_length(serial);

    if (ASN1_STRING_type(serial) == V_ASN1_NEG_INTEGER)
        buf_append_byte(to, '-');
    for (int i = 0; i < len; i++)
        buf_printf(to, "%02X", bytes[i]);
    if (len == 0)
        buf_append_str(to, "00");
}

static void append_value(const ASN1_STRING *value, struct buf *to)
{
    uint8_t *text = NULL;
    int len = ASN1_STRING_to_UTF8(&text, value);
    bool blank = true; /* none in front */

    for (int i = 0; i < len; i++) {
        uint8_t c = text[i];

        if (c == ' ' && blank)
            continue;
        blank = c == ' ';
        buf_append_byte(to, c >= 'A' && c <= 'Z' ? (uint8_t)(c - 'A' + 'a') : c);
    }
    if (len > 0 && blank && to->len > 0)
        to->len--; /* nor behind */
    if (len < 0)   /* no string type: as it stands */
        buf_append(to, slice_of(ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value)));
    OPENSSL_free(text);
    ERR_clear_error();
}

void name_digest(const X509_NAME *name, uint8_t ret[SHA256_LEN])
{
    struct buf BUF_CLEANUP value = {.max = NAME_MAX_BYTES};
    /* Chained, so that it needs no room for the whole name. */
    uint8_t link[3 * SHA256_LEN] = {0};

    for (int i = 0; i < X509_NAME_entry_count(name); i++) {
        const X509_NAME_ENTRY *entry = X509_NAME_get_entry(name, i);
        const ASN1_OBJECT *type = X509_NAME_ENTRY_get_object(entry);

        buf_clear(&value);
        append_value(X509_NAME_ENTRY_get_data(entry), &value);
        sha256(slice_of(OBJ_get0_data(type), OBJ_length(type)), link + SHA256_LEN);
        sha256(buf_slice(&value), link + 2 * SHA256_LEN);
        sha256(slice_of(link, sizeof link), link);
    }
    memcpy(ret, link, SHA256_LEN);
}

static slice describe_key(const EVP_PKEY *key, struct arena *arena)
{
    static const struct {
        const char *group, *name;
    } curves[] = {
        {SN_X9_62_prime256v1, "EC P-256"}, {SN_secp384r1, "EC P-384"}, {SN_secp521r1, "EC P-521"}};
    char group[32] = "";
    int kind = key ? EVP_PKEY_get_base_id(key) : EVP_PKEY_NONE;

    if (kind == EVP_PKEY_ED25519)
        return arena_copy(arena, SLICE("Ed25519"));
    if (kind == EVP_PKEY_RSA || kind == EVP_PKEY_RSA_PSS)
        return arena_printf(arena, "%s %d", kind == EVP_PKEY_RSA ? "RSA" : "RSA-PSS",
                            EVP_PKEY_get_bits(key));
    if (kind != EVP_PKEY_EC)
        return arena_copy(arena, kind > 0 ? slice_str(OBJ_nid2sn(kind)) : SLICE("unknown"));
    if (EVP_PKEY_get_group_name(key, group, sizeof group, NULL) != 1)
        return arena_copy(arena, SLICE("EC"));
    for (size_t i = 0; i < COUNT_OF(curves); i++) {
        if (strcmp(group, curves[i].group) == 0)
            return arena_copy(arena, slice_str(curves[i].name));
    }
    return arena_printf(arena, "EC %s", group);
}

static slice describe_signature(const X509 *certificate, struct arena *arena)
{
    const X509_ALGOR *algorithm;
    const ASN1_OBJECT *object;
    char text[80];
    int len;

    X509_get0_signature(NULL, &algorithm, certificate);
    X509_ALGOR_get0(&object, NULL, NULL, algorithm);
    len = OBJ_obj2txt(text, sizeof text, object, 0);
    if (len <= 0)
        return arena_copy(arena, SLICE("unknown"));
    return arena_copy(arena, slice_of(text, strnlen(text, sizeof text)));
}

static bool copy_name(const X509_NAME *name, struct arena *arena, slice *ret)
{
    struct buf BUF_CLEANUP text = {.max = NAME_MAX_BYTES};

    if (!name_write(name, &text))
        return false;
    *ret = arena_copy(arena, buf_slice(&text));
    return !text.failed;
}

static slice copy_serial(const X509 *certificate, struct arena *arena)
{
    struct buf BUF_CLEANUP text = {.max = CERTIFICATE_FILE_MAX * 2};

    serial_write(X509_get0_serialNumber(certificate), &text);
    return arena_copy(arena, buf_slice(&text));
}

static void read_rights(X509 *certificate, struct certificate_facts *to)
{
    long path_length = X509_get_pathlen(certificate);

    to->is_ca = (X509_get_extension_flags(certificate) & EXFLAG_CA) != 0;
    to->path_length =
        path_length >= 0 && path_length < INT_MAX && to->is_ca ? (int)path_length : -1;
    to->signs_others = (X509_get_key_usage(certificate) & KU_KEY_CERT_SIGN) != 0;
    to->is_own_issuer =
        X509_NAME_cmp(X509_get_subject_name(certificate), X509_get_issuer_name(certificate)) == 0;
}

enum status certificate_facts_read(const struct x509_st *certificate, struct arena *arena,
                                   struct certificate_facts *ret, struct fault *why)
{
    struct certificate_facts facts = {.version = (unsigned)X509_get_version(certificate) + 1};
    char common_name[COMMON_NAME_MAX];

    if (facts.version < 1 || facts.version > 3)
        return fault_set(why, ST_BAD_REQUEST, "certificate: its version is not 1 to 3");
    if (!instant_from_asn1(X509_get0_notBefore(certificate), &facts.not_before) ||
        !instant_from_asn1(X509_get0_notAfter(certificate), &facts.not_after))
        return fault_set(why, ST_BAD_REQUEST, "certificate: a date of its validity is unreadable");
    if (!copy_name(X509_get_subject_name(certificate), arena, &facts.subject) ||
        !copy_name(X509_get_issuer_name(certificate), arena, &facts.issuer))
        return fault_set(why, ST_BAD_REQUEST, "certificate: its subject or issuer is unreadable");
    if (!certificate_thumbprints(certificate, &facts.thumbprints))
        return fault_set(why, ST_NO_MEMORY, "certificate: no memory for its thumbprints");
    read_rights(lazy(certificate), &facts);
    facts.common_name =
        arena_copy(arena, slice_of(common_name, certificate_common_name(certificate, common_name)));
    facts.serial = copy_serial(certificate, arena);
    facts.key = describe_key(X509_get0_pubkey(certificate), arena);
    facts.signature = describe_signature(certificate, arena);
    ERR_clear_error();
    if (arena->failed)
        return fault_set(why, ST_NO_MEMORY, "certificate: no memory for its facts");
    *ret = facts;
    return ST_OK;
}
