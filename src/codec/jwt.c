#include "codec/jwt.h"

#include <inttypes.h>

#include "base/text.h"

#define SIGNATURE_MAX 1024 /* RSA of 8192 bits */

static enum status no_token(struct fault *why, const char *what)
{
    return fault_set(why, ST_UNAUTHORIZED, "no signed token: %s", what);
}

/* --- parsing ---------------------------------------------------------------------------------- */

static bool decode_part(slice part, struct arena *arena, slice *ret)
{
    size_t cap = part.len / 4 * 3 + 3, len;
    uint8_t *bytes = arena_alloc(arena, cap);

    if (!bytes || !base64url_decode(part, bytes, cap, &len))
        return false;
    *ret = slice_of(bytes, len);
    return true;
}

/* A part that is a JSON object. Two members of one name could be read two ways. */
static enum status parse_part(slice part, const char *what, struct arena *arena,
                              const struct json **ret, struct fault *why)
{
    struct json *object;
    slice text;

    if (!decode_part(part, arena, &text) ||
        json_parse(text, JSON_REFUSE_DUPLICATES, arena, &object, why) != ST_OK ||
        object->kind != JSON_OBJECT)
        return arena->failed ? fault_set(why, ST_NO_MEMORY, "no memory for a token")
                             : no_token(why, what);
    *ret = object;
    return ST_OK;
}

static enum status read_header(const struct json *header, struct jwt *ret, struct fault *why)
{
    static const struct {
        const char *name;
        enum jwt_algorithm algorithm;
    } algorithms[] = {{"RS256", JWT_RS256}, {"ES256", JWT_ES256}};
    slice name;

    if (json_member(header, SLICE("crit")))
        return no_token(why, "it has critical extensions");
    ret->key_id = (slice){0};
    json_get_text(header, SLICE("kid"), &ret->key_id);
    if (!json_get_text(header, SLICE("alg"), &name))
        return no_token(why, "its algorithm is not told");
    for (size_t i = 0; i < COUNT_OF(algorithms); i++) {
        if (slice_equal(name, slice_str(algorithms[i].name))) {
            ret->algorithm = algorithms[i].algorithm;
            return ST_OK;
        }
    }
    return fault_set(why, ST_UNAUTHORIZED, "tokens with algorithm '%.*s' are not taken",
                     SLICE_FMT(slice_first(name, 20)));
}

enum status jwt_parse(slice text, struct arena *arena, struct jwt *ret, struct fault *why)
{
    const struct json *header;
    struct jwt token = {.claims = NULL};
    slice rest = text, parts[3] = {{0}};
    enum status status;

    if (text.len > JWT_MAX)
        return no_token(why, "too long");
    for (size_t i = 0; i < COUNT_OF(parts) && rest.ptr; i++)
        parts[i] = slice_split(&rest, '.');
    if (rest.ptr || !parts[2].ptr)
        return no_token(why, "not three parts");
    status = parse_part(parts[0], "the header", arena, &header, why);
    if (status == ST_OK)
        status = read_header(header, &token, why);
    if (status == ST_OK)
        status = parse_part(parts[1], "the claims", arena, &token.claims, why);
    if (status != ST_OK)
        return status;
    if (parts[2].len > SIGNATURE_MAX / 3 * 4 + 4 || !decode_part(parts[2], arena, &token.signature))
        return no_token(why, "the signature");
    token.signed_text = slice_first(text, parts[0].len + 1 + parts[1].len);
    *ret = token;
    return ST_OK;
}

/* --- checking --------------------------------------------------------------------------------- */

static bool is_text(const struct json *claims, slice name, slice want)
{
    slice text;

    return json_get_text(claims, name, &text) && slice_equal(text, want);
}

/* An ID token with several audiences was made for one of them, which must be us. */
static bool is_made_for(const struct json *claims, slice audience, bool alone)
{
    if (json_member(claims, SLICE("azp")))
        return is_text(claims, SLICE("azp"), audience);
    return alone;
}

static bool is_for(const struct json *claims, slice audience, bool by_anyone)
{
    const struct json *aud = json_member(claims, SLICE("aud"));
    bool found = false, alone = true;

    if (!aud || aud->kind != JSON_ARRAY)
        return is_text(claims, SLICE("aud"), audience) &&
               (by_anyone || is_made_for(claims, audience, true));
    for (const struct json *one = aud->first; one; one = one->next) {
        if (one->kind != JSON_STRING)
            return false;
        found = found || slice_equal(one->text, audience);
        alone = alone && one == aud->first;
    }
    return found && (by_anyone || is_made_for(claims, audience, alone));
}

/* A time that is no whole number of seconds (RFC 7519 allows it) counts as its whole part. */
static bool read_time(const struct json *claims, slice name, int64_t *ret)
{
    const struct json *value = json_member(claims, name);
    slice rest = value ? value->text : (slice){0};

    return value && value->kind == JSON_NUMBER && slice_to_i64(slice_split(&rest, '.'), ret);
}

static enum status check_times(const struct json *claims, int64_t now_s, struct fault *why)
{
    int64_t ends_s, begins_s;

    if (!read_time(claims, SLICE("exp"), &ends_s))
        return fault_set(why, ST_UNAUTHORIZED, "the token does not say when it ends");
    if (now_s - JWT_TOLERANCE_S >= ends_s)
        return fault_set(why, ST_UNAUTHORIZED, "the token ended at %" PRId64, ends_s);
    if (json_member(claims, SLICE("nbf")) &&
        (!read_time(claims, SLICE("nbf"), &begins_s) || begins_s > now_s + JWT_TOLERANCE_S))
        return fault_set(why, ST_UNAUTHORIZED, "the token is not good yet");
    if (json_member(claims, SLICE("iat")) &&
        (!read_time(claims, SLICE("iat"), &begins_s) || begins_s > now_s + JWT_TOLERANCE_S))
        return fault_set(why, ST_UNAUTHORIZED, "the token is from the future");
    return ST_OK;
}

enum status jwt_check(const struct jwt *token, const struct jwt_expected *expected,
                      struct fault *why)
{
    const struct json *claims = token->claims;

    if (!is_text(claims, SLICE("iss"), expected->issuer))
        return fault_set(why, ST_UNAUTHORIZED, "the token is another issuer's");
    if (!is_for(claims, expected->audience, expected->by_anyone))
        return fault_set(why, ST_UNAUTHORIZED, "the token is for somebody else");
    if (expected->nonce.len > 0 && !is_text(claims, SLICE("nonce"), expected->nonce))
        return fault_set(why, ST_UNAUTHORIZED, "the token belongs to another sign-in");
    return check_times(claims, expected->now_s, why);
}
