#include <stdarg.h>
#include <stdio.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "crypto/certificate_internal.h"
#include "crypto/chain_internal.h"

#define EXTENSIONS_MAX 64 /* each is compared with each */
#define SERIAL_LEN_MAX (SERIAL_HEX_MAX / 2)
#define TOLERANCE_MS (CHAIN_TOLERANCE_S * INT64_C(1000))
#define SECURITY_LEVEL 2

const char *name_label(const X509_NAME *name, char ret[NAME_LABEL_MAX])
{
    struct buf BUF_CLEANUP text = {.max = CERTIFICATE_FILE_MAX * 4};
    size_t len;

    if (!name_write(name, &text) || text.failed) {
        buf_clear(&text);
        buf_append_str(&text, "(unreadable)");
    }
    for (len = 0; len < text.len && len < NAME_LABEL_MAX - 4; len++)
        ret[len] = text.ptr[len] >= ' ' && text.ptr[len] <= '~' ? (char)text.ptr[len] : '?';
    memcpy(ret + len, len < text.len ? "..." : "", len < text.len ? 4 : 1);
    return ret;
}

PRINTF_LIKE(4, 5)
static enum chain_reason refuse(struct fault *why, enum chain_reason reason, const X509 *of,
                                const char *format, ...)
{
    char text[FAULT_TEXT_MAX], subject[NAME_LABEL_MAX];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    fault_set(why, ST_UNAUTHORIZED, "'%s' %s", name_label(X509_get_subject_name(of), subject),
              text);
    return reason;
}

bool chain_is_self_signed(const X509 *certificate)
{
    bool is = X509_self_signed(lazy(certificate), 0) == 1;

    ERR_clear_error();
    return is;
}

static enum chain_reason check_key(const X509 *certificate, struct fault *why)
{
    if (certificate_key_allowed(certificate))
        return CHAIN_GOOD;
    return refuse(why, CHAIN_WEAK_KEY, certificate,
                  "has a key of a kind or length that is not taken");
}

static enum chain_reason check_signature_hash(const X509 *certificate, struct fault *why)
{
    if (certificate_signature_allowed(certificate))
        return CHAIN_GOOD;
    return refuse(why, CHAIN_WEAK_SIGNATURE, certificate,
                  "is signed with %s, not SHA-256 or better",
                  OBJ_nid2ln(X509_get_signature_nid(certificate)));
}

static enum chain_reason check_start(const X509 *certificate, instant now, struct fault *why)
{
    char from[CLOCK_TEXT_MAX], at[CLOCK_TEXT_MAX];
    instant not_before;

    if (!instant_from_asn1(X509_get0_notBefore(certificate), &not_before))
        return refuse(why, CHAIN_MALFORMED, certificate, "has an unreadable notBefore");
    if (now >= not_before - TOLERANCE_MS)
        return CHAIN_GOOD;
    return refuse(why, CHAIN_NOT_YET_VALID, certificate, "is valid from %.*s, now it is %.*s",
                  SLICE_FMT(clock_iso(not_before, from)), SLICE_FMT(clock_iso(now, at)));
}

static enum chain_reason check_end(const X509 *certificate, instant now, struct fault *why)
{
    char until[CLOCK_TEXT_MAX], at[CLOCK_TEXT_MAX];
    instant not_after;

    if (!instant_from_asn1(X509_get0_notAfter(certificate), &not_after))
        return refuse(why, CHAIN_MALFORMED, certificate, "has an unreadable notAfter");
    if (now <= not_after + TOLERANCE_MS)
        return CHAIN_GOOD;
    return refuse(why, CHAIN_EXPIRED, certificate, "expired at %.*s, now it is %.*s",
                  SLICE_FMT(clock_iso(not_after, until)), SLICE_FMT(clock_iso(now, at)));
}

/* OpenSSL looks at the extensions that it knows; this looks at all. */
static bool has_extension_twice(const X509 *certificate)
{
    int count = X509_get_ext_count(certificate);

    for (int i = 0; i < count; i++) {
        const ASN1_OBJECT *type = X509_EXTENSION_get_object(X509_get_ext(certificate, i));

        if (X509_get_ext_by_OBJ(certificate, type, i) >= 0)
            return true;
    }
    return false;
}

static enum chain_reason check_form(const X509 *certificate, struct fault *why)
{
    uint32_t flags;

    if (X509_get_version(certificate) < X509_VERSION_1 ||
        X509_get_version(certificate) > X509_VERSION_3)
        return refuse(why, CHAIN_MALFORMED, certificate, "has version %ld, not 1 to 3",
                      X509_get_version(certificate) + 1);
    if (ASN1_STRING_length(X509_get0_serialNumber(certificate)) > SERIAL_LEN_MAX)
        return refuse(why, CHAIN_MALFORMED, certificate,
                      "has a serial of more than %d bytes: no list could revoke it",
                      SERIAL_LEN_MAX);
    if (X509_get_ext_count(certificate) > EXTENSIONS_MAX)
        return refuse(why, CHAIN_MALFORMED, certificate, "has more than %d extensions",
                      EXTENSIONS_MAX);
    flags = X509_get_extension_flags(lazy(certificate));
    if ((flags & EXFLAG_INVALID) || has_extension_twice(certificate))
        return refuse(why, CHAIN_MALFORMED, certificate,
                      "has an extension that cannot be read or is there twice");
    if (flags & EXFLAG_CRITICAL)
        return refuse(why, CHAIN_CRITICAL_EXTENSION, certificate,
                      "has a critical extension that is unknown here");
    return CHAIN_GOOD;
}

static enum chain_reason check_is_authority(const X509 *certificate, struct fault *why)
{
    if (X509_get_version(certificate) != X509_VERSION_3)
        return refuse(why, CHAIN_ISSUER_NO_CA, certificate, "has version %ld: an authority has 3",
                      X509_get_version(certificate) + 1);
    if (!(X509_get_extension_flags(lazy(certificate)) & EXFLAG_CA))
        return refuse(why, CHAIN_ISSUER_NO_CA, certificate,
                      "is no authority: basicConstraints does not say CA:TRUE");
    return CHAIN_GOOD;
}

static enum chain_reason check_issuer(const X509 *certificate, struct fault *why)
{
    enum chain_reason reason = check_is_authority(certificate, why);

    if (reason != CHAIN_GOOD)
        return reason;
    if (!(X509_get_key_usage(lazy(certificate)) & KU_KEY_CERT_SIGN))
        return refuse(why, CHAIN_ISSUER_MAY_NOT_SIGN, certificate,
                      "may not issue: its keyUsage lacks keyCertSign");
    if (X509_check_ca(lazy(certificate)) != 1)
        return refuse(why, CHAIN_ISSUER_NO_CA, certificate, "is no authority");
    return CHAIN_GOOD;
}

static enum chain_reason check_purpose(const X509 *certificate, bool is_leaf, struct fault *why)
{
    /* Both give all bits when the extension is absent. */
    if (!(X509_get_extended_key_usage(lazy(certificate)) & XKU_SSL_CLIENT))
        return refuse(why, CHAIN_WRONG_PURPOSE, certificate,
                      "is not for clients: extendedKeyUsage lacks clientAuth");
    if (is_leaf && !(X509_get_key_usage(lazy(certificate)) & KU_DIGITAL_SIGNATURE))
        return refuse(why, CHAIN_WRONG_PURPOSE, certificate,
                      "may not sign a handshake: its keyUsage lacks digitalSignature");
    return CHAIN_GOOD;
}

static enum chain_reason check_link(const struct chain_links *links, size_t i, instant now,
                                    struct fault *why)
{
    const X509 *certificate = links->certificates[i];
    bool is_anchor = i + 1 == links->count; /* its own signature proves nothing to us */
    enum chain_reason reason = check_key(certificate, why);

    if (reason == CHAIN_GOOD)
        reason = check_form(certificate, why);
    if (reason == CHAIN_GOOD && !is_anchor)
        reason = check_signature_hash(certificate, why);
    if (reason == CHAIN_GOOD && i > 0)
        reason = check_issuer(certificate, why);
    if (reason == CHAIN_GOOD)
        reason = check_start(certificate, now, why);
    if (reason == CHAIN_GOOD)
        reason = check_end(certificate, now, why);
    if (reason == CHAIN_GOOD)
        reason = check_purpose(certificate, i == 0, why);
    return reason;
}

/* What OpenSSL has the last word on, in our words. */
static const struct {
    int error;
    enum chain_reason reason;
} openssl_reasons[] = {
    {X509_V_ERR_INVALID_CA, CHAIN_ISSUER_NO_CA},
    {X509_V_ERR_KEYUSAGE_NO_CERTSIGN, CHAIN_ISSUER_MAY_NOT_SIGN},
    {X509_V_ERR_PATH_LENGTH_EXCEEDED, CHAIN_PATH_LENGTH},
    {X509_V_ERR_CERT_CHAIN_TOO_LONG, CHAIN_TOO_LONG},
    {X509_V_ERR_EE_KEY_TOO_SMALL, CHAIN_WEAK_KEY},
    {X509_V_ERR_CA_KEY_TOO_SMALL, CHAIN_WEAK_KEY},
    {X509_V_ERR_CA_MD_TOO_WEAK, CHAIN_WEAK_SIGNATURE},
    {X509_V_ERR_INVALID_PURPOSE, CHAIN_WRONG_PURPOSE},
    {X509_V_ERR_PERMITTED_VIOLATION, CHAIN_NAME_CONSTRAINT},
    {X509_V_ERR_EXCLUDED_VIOLATION, CHAIN_NAME_CONSTRAINT},
    {X509_V_ERR_SUBTREE_MINMAX, CHAIN_NAME_CONSTRAINT},
    {X509_V_ERR_UNSUPPORTED_CONSTRAINT_TYPE, CHAIN_NAME_CONSTRAINT},
    {X509_V_ERR_UNSUPPORTED_CONSTRAINT_SYNTAX, CHAIN_NAME_CONSTRAINT},
    {X509_V_ERR_UNSUPPORTED_NAME_SYNTAX, CHAIN_NAME_CONSTRAINT},
    {X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION, CHAIN_CRITICAL_EXTENSION},
    {X509_V_ERR_INVALID_EXTENSION, CHAIN_MALFORMED},
};

static enum chain_reason reason_of(int error)
{
    for (size_t i = 0; i < COUNT_OF(openssl_reasons); i++) {
        if (openssl_reasons[i].error == error)
            return openssl_reasons[i].reason;
    }
    return CHAIN_OTHER;
}

/* In place of OpenSSL's search, which gives up at the first issuer of a name whose key is another:
 * the search was ours. */
static int is_linked(X509_STORE_CTX *store, X509 *certificate, X509 *issuer)
{
    const struct chain_links *links = X509_STORE_CTX_get_app_data(store);

    for (size_t i = 0; i + 1 < links->count; i++) {
        if (links->certificates[i] == certificate)
            return links->certificates[i + 1] == issuer;
    }
    return 0;
}

/* In place of OpenSSL's look at signatures, which the search for the path has verified, and at
 * dates, where we are more lenient. */
static int signatures_hold(X509_STORE_CTX *store)
{
    (void)store;
    return 1;
}

static bool prepare(X509_STORE_CTX *check, X509_STORE *store, const struct chain_links *links,
                    STACK_OF(X509) * middle, STACK_OF(X509) * anchor)
{
    size_t last = links->count - 1;
    X509_VERIFY_PARAM *rules;

    X509_STORE_set_check_issued(store, is_linked);
    for (size_t i = 1; i < last; i++) {
        if (sk_X509_push(middle, links->certificates[i]) <= 0)
            return false;
    }
    if (sk_X509_push(anchor, links->certificates[last]) <= 0 ||
        X509_STORE_CTX_init(check, store, links->certificates[0], middle) != 1 ||
        X509_STORE_CTX_set_app_data(check, (void *)links) != 1 ||
        X509_STORE_CTX_set_purpose(check, X509_PURPOSE_SSL_CLIENT) != 1)
        return false;
    X509_STORE_CTX_set0_trusted_stack(check, anchor);
    X509_STORE_CTX_set_verify(check, signatures_hold);
    rules = X509_STORE_CTX_get0_param(check);
    X509_VERIFY_PARAM_set_auth_level(rules, SECURITY_LEVEL);
    /* The CN is a device ID even where it looks like a host name. */
    X509_VERIFY_PARAM_set_hostflags(rules, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    return X509_VERIFY_PARAM_set_flags(rules,
                                       X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_NO_CHECK_TIME) == 1;
}

/* OpenSSL's verdict, with its error and where. False when it could not be asked. */
static bool ask_openssl(const struct chain_links *links, int *ret_error, size_t *ret_at)
{
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *check = X509_STORE_CTX_new();
    STACK_OF(X509) *middle = sk_X509_new_null(), *anchor = sk_X509_new_null();
    bool asked = store && check && middle && anchor && prepare(check, store, links, middle, anchor);

    if (asked) {
        int at;

        *ret_error = X509_verify_cert(check) == 1 ? X509_V_OK : X509_STORE_CTX_get_error(check);
        at = X509_STORE_CTX_get_error_depth(check);
        *ret_at = at >= 0 && (size_t)at < links->count ? (size_t)at : 0;
    }
    X509_STORE_CTX_free(check);
    X509_STORE_free(store);
    sk_X509_free(middle);
    sk_X509_free(anchor);
    ERR_clear_error();
    return asked;
}

static enum chain_reason check_by_openssl(const struct chain_links *links, size_t *ret_at,
                                          struct fault *why)
{
    int error = X509_V_ERR_UNSPECIFIED;

    *ret_at = 0;
    if (!ask_openssl(links, &error, ret_at)) {
        fault_set(why, ST_NO_MEMORY, "no memory to check a certificate chain");
        return CHAIN_OTHER;
    }
    if (error == X509_V_OK)
        return CHAIN_GOOD;
    return refuse(why, reason_of(error), links->certificates[*ret_at], "does not pass: %s",
                  X509_verify_cert_error_string(error));
}

enum chain_reason chain_check_links(const struct chain_links *links, instant now, size_t *ret_at,
                                    struct fault *why)
{
    char common_name[COMMON_NAME_MAX];
    enum chain_reason reason;

    for (size_t i = 0; i < links->count; i++) {
        *ret_at = i;
        reason = check_link(links, i, now, why);
        if (reason != CHAIN_GOOD)
            return reason;
    }
    reason = check_by_openssl(links, ret_at, why);
    if (reason != CHAIN_GOOD)
        return reason;
    *ret_at = 0;
    if (certificate_common_name(links->certificates[0], common_name) == 0)
        return refuse(why, CHAIN_BAD_NAME, links->certificates[0],
                      "must have one CN of 1 to %d printable ASCII characters", COMMON_NAME_MAX);
    return CHAIN_GOOD;
}

enum chain_reason chain_check_pinned(const struct x509_st *leaf, bool check_begin, instant now,
                                     struct fault *why)
{
    enum chain_reason reason = check_key(leaf, why);

    if (reason == CHAIN_GOOD && check_begin)
        reason = check_start(leaf, now, why);
    /* Last: who lets an expired certificate pass knows that all else was good. */
    if (reason == CHAIN_GOOD)
        reason = check_end(leaf, now, why);
    ERR_clear_error();
    return reason;
}

static enum chain_reason check_own_signature(const X509 *authority, struct fault *why)
{
    if (X509_NAME_cmp(X509_get_subject_name(authority), X509_get_issuer_name(authority)) != 0 ||
        X509_verify(lazy(authority), X509_get0_pubkey(authority)) == 1)
        return CHAIN_GOOD;
    return refuse(why, CHAIN_BAD_SIGNATURE, authority,
                  "says that it is its own issuer and is not signed by its own key");
}

static enum chain_reason check_authority(const X509 *authority, instant now,
                                         bool allow_weak_signature, struct fault *why)
{
    enum chain_reason reason = check_form(authority, why);

    if (reason == CHAIN_GOOD)
        reason = check_is_authority(authority, why);
    if (reason == CHAIN_GOOD)
        reason = check_start(authority, now, why);
    if (reason == CHAIN_GOOD)
        reason = check_end(authority, now, why);
    if (reason == CHAIN_GOOD)
        reason = check_key(authority, why);
    if (reason == CHAIN_GOOD && !allow_weak_signature)
        reason = check_signature_hash(authority, why);
    return reason == CHAIN_GOOD ? check_own_signature(authority, why) : reason;
}

enum chain_reason chain_check_authority(const struct x509_st *authority, instant now,
                                        bool allow_weak_signature, struct fault *why)
{
    enum chain_reason reason = check_authority(authority, now, allow_weak_signature, why);

    if (reason != CHAIN_GOOD && why)
        why->status = ST_BAD_REQUEST; /* an operator's upload, nobody's credential */
    ERR_clear_error();
    return reason;
}
