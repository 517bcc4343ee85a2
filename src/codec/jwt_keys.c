/* The keys of an issuer, and whether one of them signed a token. */
#include "base/text.h"
#include "codec/jwt.h"
#include "crypto/signature.h"

#define NUMBER_MAX 1025 /* bytes: RSA of 8192 bits, and a zero in front */

/* What a key of each algorithm says of itself. */
static const struct kind {
    const char *type, *algorithm, *curve;
} kinds[] = {
    [JWT_RS256] = {"RSA", "RS256", NULL},
    [JWT_ES256] = {"EC", "ES256", "P-256"},
};

static bool says(const struct json *key, slice name, const char *want)
{
    slice text;

    return json_get_text(key, name, &text) && slice_equal(text, slice_str(want));
}

/* A member that need not be there must not contradict. */
static bool may_be(const struct json *key, slice name, const char *want)
{
    return !json_member(key, name) || says(key, name, want);
}

static bool fits(const struct json *key, const struct jwt *token)
{
    const struct kind *kind = &kinds[token->algorithm];
    slice key_id;

    if (!says(key, SLICE("kty"), kind->type) || !may_be(key, SLICE("alg"), kind->algorithm) ||
        !may_be(key, SLICE("use"), "sig") || (kind->curve && !says(key, SLICE("crv"), kind->curve)))
        return false;
    return token->key_id.len == 0 ||
           (json_get_text(key, SLICE("kid"), &key_id) && slice_equal(key_id, token->key_id));
}

/* NULL: none, or more than one without a name to tell them apart. */
static const struct json *find_key(const struct json *set, const struct jwt *token)
{
    const struct json *keys = json_member(set, SLICE("keys")), *found = NULL;

    if (!keys || keys->kind != JSON_ARRAY)
        return NULL;
    for (const struct json *key = keys->first; key; key = key->next) {
        if (!fits(key, token))
            continue;
        if (found)
            return NULL;
        found = key;
    }
    return found;
}

static bool read_number(const struct json *key, slice name, struct arena *arena, slice *ret)
{
    uint8_t *bytes = arena_alloc(arena, NUMBER_MAX);
    slice text;
    size_t len;

    if (!bytes || !json_get_text(key, name, &text) ||
        !base64url_decode(text, bytes, NUMBER_MAX, &len))
        return false;
    *ret = slice_of(bytes, len);
    return true;
}

static bool signed_by(const struct jwt *token, const struct json *key, struct arena *arena)
{
    struct rsa_public rsa;
    struct p256_public p256;

    switch (token->algorithm) {
    case JWT_RS256:
        return read_number(key, SLICE("n"), arena, &rsa.modulus) &&
               read_number(key, SLICE("e"), arena, &rsa.exponent) &&
               rs256_verify(&rsa, token->signed_text, token->signature);
    case JWT_ES256:
        return read_number(key, SLICE("x"), arena, &p256.x) &&
               read_number(key, SLICE("y"), arena, &p256.y) &&
               es256_verify(&p256, token->signed_text, token->signature);
    }
    return false;
}

enum status jwt_verify(const struct jwt *token, slice key_set, struct arena *arena,
                       struct fault *why)
{
    const struct json *key;
    struct json *set;

    if (json_parse(key_set, JSON_LAST_WINS, arena, &set, why) != ST_OK)
        return fault_set(why, ST_UNAUTHORIZED, "the issuer's keys are no JSON");
    key = find_key(set, token);
    if (!key)
        return fault_set(why, ST_NOT_FOUND, "the issuer has no such key");
    if (!signed_by(token, key, arena))
        return fault_set(why, ST_UNAUTHORIZED, "the token's signature is wrong");
    return ST_OK;
}
