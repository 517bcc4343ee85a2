#include "codec/sas.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/text.h"

#define SCHEME SLICE("SharedAccessSignature ")
#define EXPIRY_DIGITS_MAX 20 /* those of UINT64_MAX, which the C SDK writes for "never" */
#define SIGNATURE_TEXT_MAX 44
#define SCOPE_SEGMENTS_MAX 16

/* The fields that we know; the rest is ignored. */
enum field { FIELD_SCOPE, FIELD_SIGNATURE, FIELD_EXPIRY, FIELD_POLICY, FIELD_COUNT };

static const char *const field_names[FIELD_COUNT] = {"sr", "sig", "se", "skn"};

/* Splits at '&', then at the first '='. False when a field that we know comes twice. */
static bool split_fields(slice text, slice fields[FIELD_COUNT])
{
    for (slice rest = text; rest.ptr;) {
        slice value = slice_split(&rest, '&');
        slice name = slice_split(&value, '=');

        for (size_t f = 0; f < FIELD_COUNT; f++) {
            if (!slice_equal_nocase(name, slice_str(field_names[f])))
                continue;
            if (fields[f].ptr)
                return false;
            fields[f] = value.ptr ? value : SLICE("");
        }
    }
    return true;
}

static bool parse_expiry(slice text, int64_t *ret)
{
    uint64_t seconds;

    if (text.len == 0 || text.len > EXPIRY_DIGITS_MAX)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
    }
    if (!slice_to_u64(text, &seconds) || seconds > INT64_MAX)
        seconds = INT64_MAX;
    *ret = (int64_t)seconds;
    return true;
}

static bool parse_signature(slice text, uint8_t ret[HMAC_SHA256_LEN])
{
    uint8_t base64[SIGNATURE_TEXT_MAX];
    size_t len;

    return percent_decode_to(text, base64, sizeof base64, &len) &&
           base64_decode(slice_of(base64, len), ret, HMAC_SHA256_LEN, &len) &&
           len == HMAC_SHA256_LEN;
}

enum status sas_token_parse(slice text, struct sas_token *ret, struct fault *why)
{
    slice fields[FIELD_COUNT] = {0};
    struct sas_token token = {0};
    size_t escape;

    if (text.len > SAS_TOKEN_MAX)
        return fault_set(why, ST_UNAUTHORIZED, "sas token is longer than %d bytes", SAS_TOKEN_MAX);
    if (!slice_starts_with_nocase(text, SCHEME))
        return fault_set(why, ST_UNAUTHORIZED, "no SharedAccessSignature");
    if (!split_fields(slice_from(text, SCHEME.len), fields))
        return fault_set(why, ST_UNAUTHORIZED, "sas field given twice");
    if (fields[FIELD_SCOPE].len == 0)
        return fault_set(why, ST_UNAUTHORIZED, "sas without sr");
    if (!parse_expiry(fields[FIELD_EXPIRY], &token.expires_at))
        return fault_set(why, ST_UNAUTHORIZED, "sas se is not 1 to 20 digits");
    if (!parse_signature(fields[FIELD_SIGNATURE], token.signature))
        return fault_set(why, ST_UNAUTHORIZED, "sas sig is not base64 of 32 bytes");
    if (slice_find(fields[FIELD_POLICY], '%', &escape))
        return fault_set(why, ST_UNAUTHORIZED, "sas skn holds an escape, no policy's name does");
    token.scope = fields[FIELD_SCOPE];
    token.expiry = fields[FIELD_EXPIRY];
    token.policy = fields[FIELD_POLICY];
    *ret = token;
    return ST_OK;
}

static void sign(slice scope, slice expiry, slice key, uint8_t ret[HMAC_SHA256_LEN])
{
    const slice parts[] = {scope, SLICE("\n"), expiry};

    hmac_sha256(key, parts, COUNT_OF(parts), ret);
}

bool sas_token_signed_by(const struct sas_token *token, slice key)
{
    uint8_t want[HMAC_SHA256_LEN];

    sign(token->scope, token->expiry, key, want);
    return secret_equal(token->signature, want, sizeof want);
}

bool sas_token_expired(const struct sas_token *token, int64_t now_s, int64_t tolerance_s)
{
    int64_t last;

    if (__builtin_add_overflow(token->expires_at, tolerance_s, &last))
        return false;
    return now_s > last;
}

/* A scope as host and segments, in one of the two readings that D1 allows. */
struct reading {
    slice parts[SCOPE_SEGMENTS_MAX];
    size_t count;
    uint8_t bytes[SAS_TOKEN_MAX]; /* what was decoded; parts point here or into the token */
    size_t used;
};

static bool add_part(struct reading *r, slice part, bool decode)
{
    size_t len;

    if (r->count == COUNT_OF(r->parts))
        return false;
    if (decode) {
        if (!percent_decode_to(part, r->bytes + r->used, sizeof r->bytes - r->used, &len))
            return false;
        part = slice_of(r->bytes + r->used, len);
        r->used += len;
    }
    r->parts[r->count++] = part;
    return true;
}

/* A trailing '/' and then a last "api-version=..." of old tools; the host stays. */
static void drop_tail(struct reading *r)
{
    if (r->count > 1 && r->parts[r->count - 1].len == 0)
        r->count--;
    if (r->count > 1 && slice_starts_with(r->parts[r->count - 1], SLICE("api-version=")))
        r->count--;
}

static bool split_scope(slice scope, bool decode_parts, struct reading *r)
{
    for (slice rest = scope; rest.ptr;) {
        if (!add_part(r, slice_split(&rest, '/'), decode_parts))
            return false;
    }
    drop_tail(r);
    return true;
}

static void forget(struct reading *r)
{
    r->count = 0;
    r->used = 0;
}

/* With a literal '/' the separators are those sent, so that a device ID may hold "%2F". */
static bool read_decoded(slice scope, struct reading *r)
{
    size_t slash;

    forget(r);
    if (slice_find(scope, '/', &slash))
        return split_scope(scope, true, r);
    if (!percent_decode_to(scope, r->bytes, sizeof r->bytes, &r->used))
        return false;
    return split_scope(slice_of(r->bytes, r->used), false, r);
}

/* Nothing is decoded: what the C SDK signs. Only a literal '/' makes this a reading of its own. */
static bool read_as_sent(slice scope, struct reading *r)
{
    size_t slash;

    forget(r);
    return slice_find(scope, '/', &slash) && split_scope(scope, false, r);
}

static bool is_host(slice host, const struct sas_resource *resource)
{
    for (size_t i = 0; i < resource->host_count; i++) {
        if (slice_equal_nocase(host, resource->hosts[i]))
            return true;
    }
    return false;
}

static bool reading_covers(const struct reading *r, const struct sas_resource *resource)
{
    if (r->count == 0 || r->count - 1 > resource->segment_count)
        return false;
    if (!is_host(r->parts[0], resource))
        return false;
    for (size_t i = 1; i < r->count; i++) {
        slice have = r->parts[i], want = resource->segments[i - 1];

        if (resource->nocase ? !slice_equal_nocase(have, want) : !slice_equal(have, want))
            return false;
    }
    return true;
}

bool sas_token_covers(const struct sas_token *token, const struct sas_resource *resource)
{
    struct reading r;

    if (read_as_sent(token->scope, &r) && reading_covers(&r, resource))
        return true;
    return read_decoded(token->scope, &r) && reading_covers(&r, resource);
}

size_t sas_token_depth(const struct sas_token *token)
{
    struct reading r;

    if (!read_decoded(token->scope, &r) && !read_as_sent(token->scope, &r))
        return SIZE_MAX;
    return r.count > 0 ? r.count - 1 : SIZE_MAX;
}

void sas_token_write(slice resource, slice key, int64_t expires_at, slice policy, struct buf *to)
{
    BUF_CLEANUP struct buf base64 = {.max = SIGNATURE_TEXT_MAX};
    uint8_t signature[HMAC_SHA256_LEN];
    char digits[EXPIRY_DIGITS_MAX + 2];
    slice expiry =
        slice_of(digits, (size_t)snprintf(digits, sizeof digits, "%" PRId64, expires_at));
    size_t start;

    buf_append(to, SCHEME);
    buf_append_str(to, "sr=");
    start = to->len;
    percent_encode(resource, to);
    sign(slice_from(buf_slice(to), start), expiry, key, signature);
    base64_encode(slice_of(signature, sizeof signature), &base64);
    buf_append_str(to, "&sig=");
    percent_encode(buf_slice(&base64), to);
    buf_append_str(to, "&se=");
    buf_append(to, expiry);
    if (policy.len > 0) {
        buf_append_str(to, "&skn=");
        percent_encode(policy, to);
    }
    to->failed = to->failed || base64.failed;
}
