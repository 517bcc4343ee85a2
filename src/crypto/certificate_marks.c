#include <openssl/err.h>
#include <openssl/evp.h>

#include "base/text.h"
#include "crypto/certificate_internal.h"

#define SHA1_LEN 20

/* Hash of hashes: no part can reach over into its neighbour. */
static uint64_t mark_make(enum mark_kind kind, const uint8_t first[SHA256_LEN], slice second)
{
    uint8_t input[1 + 2 * SHA256_LEN] = {(uint8_t)kind}, digest[SHA256_LEN];
    uint64_t mark = 0;

    memcpy(input + 1, first, SHA256_LEN);
    sha256(second, input + 1 + SHA256_LEN);
    sha256(slice_of(input, sizeof input), digest);
    memcpy(&mark, digest, sizeof mark);
    return mark ? mark : 1; /* 0 says "none" */
}

static uint64_t mark_of_digest(enum mark_kind kind, slice digest)
{
    static const uint8_t nothing[SHA256_LEN];

    return mark_make(kind, nothing, digest);
}

uint64_t mark_of_issuer_serial(const uint8_t issuer[SHA256_LEN], const ASN1_INTEGER *serial)
{
    struct buf BUF_CLEANUP bytes = {.max = CERTIFICATE_FILE_MAX};

    buf_append_byte(&bytes, ASN1_STRING_type(serial) == V_ASN1_NEG_INTEGER);
    buf_append(&bytes, slice_of(ASN1_STRING_get0_data(serial), (size_t)ASN1_STRING_length(serial)));
    return bytes.failed ? 0 : mark_make(MARK_ISSUER_SERIAL, issuer, buf_slice(&bytes));
}

static bool mark_twin(const X509 *certificate, struct certificate_marks *ret)
{
    struct buf BUF_CLEANUP der = {.max = CERTIFICATE_FILE_MAX};
    uint8_t digest[SHA256_LEN];
    unsigned len = 0;

    ret->twin_sha256 = ret->twin_sha1 = 0;
    if (!certificate_twin(certificate, &der))
        return false;
    if (der.len == 0)
        return true;
    sha256(buf_slice(&der), digest);
    ret->twin_sha256 = mark_of_digest(MARK_SHA256, slice_of(digest, SHA256_LEN));
    if (!EVP_Digest(der.ptr, der.len, digest, &len, EVP_sha1(), NULL) || len != SHA1_LEN)
        return false;
    ret->twin_sha1 = mark_of_digest(MARK_SHA1, slice_of(digest, SHA1_LEN));
    return true;
}

bool certificate_marks(const struct x509_st *certificate, struct certificate_marks *ret)
{
    uint8_t digest[SHA256_LEN];
    unsigned len = 0;

    if (!X509_digest(certificate, EVP_sha256(), digest, &len) || len != SHA256_LEN)
        return false;
    ret->sha256 = mark_of_digest(MARK_SHA256, slice_of(digest, SHA256_LEN));
    if (!X509_digest(certificate, EVP_sha1(), digest, &len) || len != SHA1_LEN)
        return false;
    ret->sha1 = mark_of_digest(MARK_SHA1, slice_of(digest, SHA1_LEN));
    name_digest(X509_get_issuer_name(certificate), digest);
    ret->issuer_serial = mark_of_issuer_serial(digest, X509_get0_serialNumber(certificate));
    return ret->issuer_serial != 0 && mark_twin(certificate, ret);
}

uint64_t mark_of_thumbprint(slice hex)
{
    uint8_t digest[SHA256_LEN];
    size_t len;

    if (!hex_decode(hex, digest, sizeof digest, &len) || (len != SHA1_LEN && len != SHA256_LEN))
        return 0;
    return mark_of_digest(len == SHA1_LEN ? MARK_SHA1 : MARK_SHA256, slice_of(digest, len));
}

/* Zeros in front and the case of digits are the writer's taste. */
uint64_t mark_of_group_serial(slice group_key, slice serial_hex)
{
    struct buf BUF_CLEANUP digits = {.max = CERTIFICATE_FILE_MAX * 2};
    uint8_t group[SHA256_LEN];

    if (slice_starts_with(serial_hex, SLICE("-"))) {
        buf_append_byte(&digits, '-');
        serial_hex = slice_from(serial_hex, 1);
    }
    while (slice_starts_with(serial_hex, SLICE("0")))
        serial_hex = slice_from(serial_hex, 1);
    for (size_t i = 0; i < serial_hex.len; i++) {
        uint8_t c = serial_hex.ptr[i];

        buf_append_byte(&digits, c >= 'a' && c <= 'f' ? (uint8_t)(c - 'a' + 'A') : c);
    }
    sha256(group_key, group);
    return digits.failed ? 0 : mark_make(MARK_GROUP_SERIAL, group, buf_slice(&digits));
}

uint64_t certificate_mark_in_group(const struct x509_st *certificate, slice group_key)
{
    struct buf BUF_CLEANUP serial = {.max = CERTIFICATE_FILE_MAX * 2};

    serial_write(X509_get0_serialNumber(certificate), &serial);
    return serial.failed ? 0 : mark_of_group_serial(group_key, buf_slice(&serial));
}
