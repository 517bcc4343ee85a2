#include "crypto/crl.h"

#include <limits.h>
#include <stdlib.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "crypto/armour.h"
#include "crypto/certificate_internal.h"
#include "crypto/chain.h"

#define NUMBER_LEN_MAX 20 /* bytes (RFC 5280, 5.2.3) */
#define LABEL SLICE("X509 CRL")

void crl_deinit(struct crl *crl)
{
    buf_deinit(&crl->marks);
}

static X509_CRL *from_der(slice der)
{
    const uint8_t *at = der.ptr;
    X509_CRL *crl = der.len > 0 ? d2i_X509_CRL(NULL, &at, (long)der.len) : NULL;

    if (crl && at != der.ptr + der.len) {
        X509_CRL_free(crl);
        return NULL;
    }
    return crl;
}

/* The one list of a file. */
static enum status read_file(slice file, X509_CRL **ret, struct fault *why)
{
    ARMOUR_CLEANUP struct armour a = {0};
    struct armour_block block, further;

    if (file.len > CRL_FILE_MAX)
        return fault_set(why, ST_TOO_LARGE, "crl: more than %d bytes", CRL_FILE_MAX);
    if (!armour_open(&a, file) || !armour_next(&a, &block))
        return fault_set(why, ST_BAD_REQUEST, "crl: neither PEM nor DER");
    if (block.label.len > 0 && !slice_equal(block.label, LABEL))
        return fault_set(why, ST_BAD_REQUEST, "crl: the file holds '%.*s', not 'X509 CRL'",
                         SLICE_FMT(slice_first(block.label, 40)));
    *ret = from_der(block.der);
    if (!*ret)
        return fault_set(why, ST_BAD_REQUEST, "crl: not a revocation list");
    if (!armour_next(&a, &further))
        return ST_OK;
    X509_CRL_free(*ret);
    return fault_set(why, ST_BAD_REQUEST, "crl: the file holds more than the one list");
}

/* One that limits which certificates or reasons are listed changes nothing for those that are. */
static enum status check_scope(X509_CRL *crl, struct fault *why)
{
    int critical = 0;
    ISSUING_DIST_POINT *scope =
        X509_CRL_get_ext_d2i(crl, NID_issuing_distribution_point, &critical, NULL);
    bool indirect = scope && scope->indirectCRL > 0;

    ISSUING_DIST_POINT_free(scope);
    if (!scope && critical != -1) /* it has one */
        return fault_set(why, ST_BAD_REQUEST, "crl: a scope that cannot be read");
    if (indirect)
        return fault_set(why, ST_BAD_REQUEST, "crl: an indirect list; upload the authority's own");
    return ST_OK;
}

/* The extensions that may be critical: they are looked at, or say nothing that matters here. */
static bool list_extension_known(const X509_EXTENSION *extension)
{
    switch (OBJ_obj2nid(X509_EXTENSION_get_object((X509_EXTENSION *)extension))) {
    case NID_authority_key_identifier:
    case NID_crl_number:
    case NID_issuing_distribution_point:
        return true;
    default:
        return false;
    }
}

static enum status check_kind(X509_CRL *crl, struct fault *why)
{
    if (X509_CRL_get_ext_by_NID(crl, NID_delta_crl, -1) >= 0)
        return fault_set(why, ST_BAD_REQUEST, "crl: a delta list; upload the whole one");
    for (int i = 0; i < X509_CRL_get_ext_count(crl); i++) {
        X509_EXTENSION *extension = X509_CRL_get_ext(crl, i);

        if (X509_EXTENSION_get_critical(extension) && !list_extension_known(extension))
            return fault_set(why, ST_BAD_REQUEST, "crl: an unknown critical extension");
    }
    return check_scope(crl, why);
}

static enum status other_issuer(const X509_NAME *issuer, struct fault *why)
{
    char name[100] = "?";

    X509_NAME_get_text_by_NID(issuer, NID_commonName, name, sizeof name);
    return fault_set(why, ST_BAD_REQUEST,
                     "crl: issued by '%s', not by this authority: that one needs a slot for it",
                     name);
}

static enum status check_issuer(X509_CRL *crl, X509 *authority, struct fault *why)
{
    if (X509_NAME_cmp(X509_CRL_get_issuer(crl), X509_get_subject_name(authority)) != 0)
        return other_issuer(X509_CRL_get_issuer(crl), why);
    if (!(X509_get_key_usage(authority) & KU_CRL_SIGN))
        return fault_set(why, ST_BAD_REQUEST,
                         "crl: the authority may not sign lists: its keyUsage lacks cRLSign");
    if (X509_CRL_verify(crl, X509_get0_pubkey(authority)) != 1)
        return fault_set(why, ST_BAD_REQUEST, "crl: not signed by this authority's key");
    return ST_OK;
}

static enum status read_dates(X509_CRL *crl, instant now, struct crl *to, struct fault *why)
{
    const ASN1_TIME *next = X509_CRL_get0_nextUpdate(crl);

    if (!instant_from_asn1(X509_CRL_get0_lastUpdate(crl), &to->this_update) ||
        (next && !instant_from_asn1(next, &to->next_update)))
        return fault_set(why, ST_BAD_REQUEST, "crl: a date that cannot be read");
    if (to->this_update > now + CHAIN_TOLERANCE_S * INT64_C(1000))
        return fault_set(why, ST_BAD_REQUEST, "crl: from the future; check the clocks");
    return ST_OK;
}

static enum status read_number(X509_CRL *crl, struct crl *to, struct fault *why)
{
    struct buf BUF_CLEANUP text = {.max = sizeof to->number - 1};
    int critical = 0;
    ASN1_INTEGER *number = X509_CRL_get_ext_d2i(crl, NID_crl_number, &critical, NULL);
    bool fits = number && ASN1_STRING_type(number) == V_ASN1_INTEGER &&
                ASN1_STRING_length(number) <= NUMBER_LEN_MAX;

    if (fits)
        serial_write(number, &text);
    ASN1_INTEGER_free(number);
    if (critical == -1) /* it has none */
        return ST_OK;
    if (!fits)
        return fault_set(why, ST_BAD_REQUEST, "crl: a number that cannot be read");
    if (text.failed)
        return fault_set(why, ST_NO_MEMORY, "crl: no memory");
    memcpy(to->number, text.ptr, text.len);
    return ST_OK;
}

static enum status check_entry(X509_REVOKED *entry, bool *ret_removed, struct fault *why)
{
    int critical = 0;
    ASN1_ENUMERATED *reason = X509_REVOKED_get_ext_d2i(entry, NID_crl_reason, &critical, NULL);

    *ret_removed = reason && ASN1_ENUMERATED_get(reason) == CRL_REASON_REMOVE_FROM_CRL;
    ASN1_ENUMERATED_free(reason);
    if (!reason && critical != -1)
        return fault_set(why, ST_BAD_REQUEST, "crl: an entry whose reason cannot be read");
    for (int i = 0; i < X509_REVOKED_get_ext_count(entry); i++) {
        X509_EXTENSION *extension = X509_REVOKED_get_ext(entry, i);
        int kind = OBJ_obj2nid(X509_EXTENSION_get_object(extension));

        if (kind == NID_certificate_issuer)
            return fault_set(why, ST_BAD_REQUEST, "crl: an entry of another issuer");
        if (X509_EXTENSION_get_critical(extension) && kind != NID_crl_reason &&
            kind != NID_invalidity_date)
            return fault_set(why, ST_BAD_REQUEST,
                             "crl: an entry with an unknown critical "
                             "extension");
    }
    return ST_OK;
}

static int compare_marks(const void *left, const void *right)
{
    uint64_t a, b;

    memcpy(&a, left, sizeof a);
    memcpy(&b, right, sizeof b);
    return (a > b) - (a < b);
}

static enum status read_entries(X509_CRL *crl, struct crl *to, struct fault *why)
{
    STACK_OF(X509_REVOKED) *entries = X509_CRL_get_REVOKED(crl);
    int count = entries ? sk_X509_REVOKED_num(entries) : 0;
    uint8_t issuer[SHA256_LEN];

    if (count > CRL_ENTRIES_MAX)
        return fault_set(why, ST_TOO_LARGE, "crl: more than %d entries", CRL_ENTRIES_MAX);
    name_digest(X509_CRL_get_issuer(crl), issuer);
    for (int i = 0; i < count; i++) {
        X509_REVOKED *entry = sk_X509_REVOKED_value(entries, i);
        bool removed;
        enum status status = check_entry(entry, &removed, why);
        uint64_t mark;

        if (status != ST_OK)
            return status;
        if (removed)
            continue;
        mark = mark_of_issuer_serial(issuer, X509_REVOKED_get0_serialNumber(entry));
        buf_append(&to->marks, slice_of(&mark, sizeof mark));
        if (mark == 0 || to->marks.failed)
            return fault_set(why, ST_NO_MEMORY, "crl: no memory for its entries");
    }
    to->count = to->marks.len / sizeof(uint64_t);
    if (to->count > 0)
        qsort(to->marks.ptr, to->count, sizeof(uint64_t), compare_marks);
    return ST_OK;
}

static enum status read_list(X509_CRL *list, X509 *authority, instant now, struct crl *to,
                             struct fault *why)
{
    enum status status = check_kind(list, why);

    if (status == ST_OK)
        status = check_issuer(list, authority, why);
    if (status == ST_OK)
        status = read_dates(list, now, to, why);
    if (status == ST_OK)
        status = read_number(list, to, why);
    return status == ST_OK ? read_entries(list, to, why) : status;
}

enum status crl_read(slice file, const struct x509_st *authority, instant now, struct crl *ret,
                     struct fault *why)
{
    struct crl crl = {.marks.max = CRL_ENTRIES_MAX * sizeof(uint64_t)};
    X509_CRL *list = NULL;
    enum status status = read_file(file, &list, why);

    if (status == ST_OK) {
        status = read_list(list, lazy(authority), now, &crl, why);
        X509_CRL_free(list);
    }
    ERR_clear_error(); /* or the next TLS read on this thread would take them for its own */
    if (status == ST_OK)
        *ret = crl;
    else
        crl_deinit(&crl);
    return status;
}

static slice without_zeros(slice number)
{
    while (slice_starts_with(number, SLICE("0")))
        number = slice_from(number, 1);
    return number;
}

static int compare_numbers(slice a, slice b)
{
    a = without_zeros(a);
    b = without_zeros(b);
    if (a.len != b.len)
        return a.len < b.len ? -1 : 1;
    return slice_compare(a, b);
}

bool crl_is_older(const struct crl *a, slice b_number, instant b_this_update)
{
    slice number = slice_of(a->number, strnlen(a->number, sizeof a->number));
    int order = number.len > 0 && b_number.len > 0 ? compare_numbers(number, b_number) : 0;

    return order != 0 ? order < 0 : a->this_update < b_this_update;
}

bool marks_contain(const void *marks, size_t count, uint64_t mark)
{
    const uint8_t *first = marks;

    return count > 0 && bsearch(&mark, first, count, sizeof mark, compare_marks);
}
