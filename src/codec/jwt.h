/* JSON Web Tokens in their compact, signed form (RFC 7515, 7519): what an OpenID Connect issuer
 * says of somebody.
 *
 *     base64url(header) "." base64url(claims) "." base64url(signature)
 *
 * Two algorithms and no others: the header names one, the key must be of its kind (RFC 8725, 3.1),
 * and "none" is nothing. Parsing believes nothing; jwt_verify says who signed, jwt_check whether it
 * is for us and for now. Pure, but that signatures are checked by libcrypto. */
#ifndef MUSTER_CODEC_JWT_H
#define MUSTER_CODEC_JWT_H

#include "codec/json.h"

#define JWT_MAX (16 * 1024)
#define JWT_ARENA_MAX (1024 * 1024) /* enough for a token or a set of keys */
#define JWT_TOLERANCE_S 60

enum jwt_algorithm { JWT_RS256, JWT_ES256 };

struct jwt {
    enum jwt_algorithm algorithm;
    slice key_id;      /* "kid"; empty: not told */
    slice signed_text; /* header and claims, as sent */
    slice signature;   /* bytes */
    const struct json *claims;
};

/* Lives in the arena and borrows from `text`. ST_UNAUTHORIZED for anything that is no such token,
 * ST_NO_MEMORY. */
CHECKED enum status jwt_parse(slice text, struct arena *arena, struct jwt *ret, struct fault *why);

/* Whether a key of the set (RFC 7517: {"keys":[...]}) made the signature: the one that the token
 * names, or without a name the only one of its kind. ST_NOT_FOUND: there is no such key in the set;
 * ST_UNAUTHORIZED. */
CHECKED enum status jwt_verify(const struct jwt *token, slice key_set, struct arena *arena,
                               struct fault *why);

struct jwt_expected {
    slice issuer, audience;
    slice nonce;    /* empty: none is looked for */
    int64_t now_s;  /* Unix seconds */
    bool by_anyone; /* an access token: whichever client it was made for, it is for this audience */
};
/* iss, aud, azp, exp, nbf, iat, nonce (OpenID Connect Core, 3.1.3.7). ST_UNAUTHORIZED. */
CHECKED enum status jwt_check(const struct jwt *token, const struct jwt_expected *expected,
                              struct fault *why);

#endif
