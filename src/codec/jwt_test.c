#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/text.h"
#include "codec/jwt.h"
#include "codec/jwt_fixture.h"

/* --- parsing ---------------------------------------------------------------------------------- */

/* "header.claims.signature" of JSON texts. */
static void write_token(const char *header, const char *claims, const char *signature,
                        struct buf *to)
{
    base64url_encode(slice_str(header), to);
    buf_append_byte(to, '.');
    base64url_encode(slice_str(claims), to);
    buf_append_byte(to, '.');
    base64url_encode(slice_str(signature), to);
}

static void what_is_a_token(void **state)
{
    static const struct {
        const char *name, *header, *claims;
        bool ok;
    } rows[] = {
        {"RS256", "{\"alg\":\"RS256\"}", "{}", true},
        {"ES256", "{\"alg\":\"ES256\",\"typ\":\"JWT\"}", "{}", true},
        {"none", "{\"alg\":\"none\"}", "{}", false},
        {"none in capitals", "{\"alg\":\"NONE\"}", "{}", false},
        {"another case", "{\"alg\":\"rs256\"}", "{}", false},
        {"a keyed hash", "{\"alg\":\"HS256\"}", "{}", false},
        {"a longer hash", "{\"alg\":\"RS384\"}", "{}", false},
        {"no algorithm", "{\"kid\":\"a\"}", "{}", false},
        {"an algorithm that is no text", "{\"alg\":256}", "{}", false},
        {"two algorithms", "{\"alg\":\"RS256\",\"alg\":\"none\"}", "{}", false},
        {"critical extensions", "{\"alg\":\"RS256\",\"crit\":[\"exp\"]}", "{}", false},
        {"a header that is no object", "[\"RS256\"]", "{}", false},
        {"claims that are no object", "{\"alg\":\"RS256\"}", "[]", false},
        {"a claim twice", "{\"alg\":\"RS256\"}", "{\"iss\":\"a\",\"iss\":\"b\"}", false},
        {"no JSON", "{\"alg\":\"RS256\"}", "iss", false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        BUF_CLEANUP struct buf text = {.max = 1024};
        ARENA_CLEANUP struct arena arena = {.max = JWT_ARENA_MAX};
        struct jwt token;
        struct fault why;

        write_token(rows[i].header, rows[i].claims, "signature", &text);
        if ((jwt_parse(buf_slice(&text), &arena, &token, &why) == ST_OK) != rows[i].ok)
            fail_msg("%s", rows[i].name);
        if (!rows[i].ok)
            assert_int_equal(why.status, ST_UNAUTHORIZED);
    }
}

static void what_has_not_the_form_is_no_token(void **state)
{
    static const char *const rows[] = {
        "",
        ".",
        "..",
        "...",
        "a.b",
        "e30.e30.e30.e30",
        "eyJhbGciOiJSUzI1NiJ9.e30",
        "eyJhbGciOiJSUzI1NiJ9.e30.YQ.",
        "eyJhbGciOiJSUzI1NiJ9.e30.YQ==",
        "eyJhbGciOiJSUzI1NiJ9.e30.Y",
        "eyJhbGciOiJSUzI1NiJ9.e30.Yb", /* bits that mean nothing */
        "eyJhbGciOiJSUzI1NiJ9.e30.a+b/",
        "eyJhbGciOiJSUzI1NiJ9\n.e30.YQ",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        ARENA_CLEANUP struct arena arena = {.max = JWT_ARENA_MAX};
        struct jwt token;
        struct fault why;

        if (jwt_parse(slice_str(rows[i]), &arena, &token, &why) != ST_UNAUTHORIZED)
            fail_msg("'%s' is taken for a token", rows[i]);
    }
}

static void the_longest_token_and_one_more(void **state)
{
    static const char head[] = "eyJhbGciOiJSUzI1NiJ9.";
    static char text[JWT_MAX + 4];
    ARENA_CLEANUP struct arena arena = {.max = JWT_ARENA_MAX};
    struct jwt token;
    struct fault why;
    size_t at = sizeof head - 1;

    (void)state;
    /* {"a":"aaa..."}: 'YWFh' is "aaa". */
    memcpy(text, head, at);
    memcpy(text + at, "eyJhIjoi", 8);
    for (at += 8; at + 4 + 7 <= JWT_MAX; at += 4)
        memcpy(text + at, "YWFh", 4);
    memcpy(text + at, "ICJ9", 4);
    memcpy(text + at + 4, ".YQ", 3);
    at += 7;
    assert_int_equal(jwt_parse(slice_of(text, at), &arena, &token, &why), ST_OK);
    memcpy(text + at - 2, "YWFhYWFhYWFh", JWT_MAX + 1 - (at - 2));
    assert_int_equal(jwt_parse(slice_of(text, JWT_MAX + 1), &arena, &token, &why), ST_UNAUTHORIZED);
}

/* --- signatures ------------------------------------------------------------------------------- */

static enum status verify(const char *text, const char *keys)
{
    ARENA_CLEANUP struct arena arena = {.max = JWT_ARENA_MAX};
    struct jwt token;
    struct fault why;

    assert_int_equal(jwt_parse(slice_str(text), &arena, &token, &why), ST_OK);
    return jwt_verify(&token, slice_str(keys), &arena, &why);
}

#define RS256 RS256_TEXT "." RS256_SIGNATURE
#define ES256 ES256_TEXT "." ES256_SIGNATURE

static void only_the_key_that_signed_will_do(void **state)
{
    static const struct {
        const char *name, *token, *keys;
        enum status want;
    } rows[] = {
        {"RFC 7515 A.3", ES256, KEYS(EC_KEY("")), ST_OK},
        {"RSA", RS256, KEYS(RSA_KEY("k1", RS256_N, "")), ST_OK},
        {"for signatures", RS256,
         KEYS(RSA_KEY("k1", RS256_N, ",\"use\":\"sig\",\"alg\":\"RS256\"")), ST_OK},
        {"for secrets", RS256, KEYS(RSA_KEY("k1", RS256_N, ",\"use\":\"enc\"")), ST_NOT_FOUND},
        {"for another algorithm", RS256, KEYS(RSA_KEY("k1", RS256_N, ",\"alg\":\"RS512\"")),
         ST_NOT_FOUND},
        {"of another name", RS256, KEYS(RSA_KEY("k2", RS256_N, "")), ST_NOT_FOUND},
        {"among others", RS256,
         KEYS(EC_KEY(",\"kid\":\"k1\"") "," RSA_KEY("k0", WEAK_N, "") "," RSA_KEY("k1", RS256_N,
                                                                                  "")),
         ST_OK},
        {"two of one name", RS256, KEYS(RSA_KEY("k1", WEAK_N, "") "," RSA_KEY("k1", RS256_N, "")),
         ST_NOT_FOUND},
        {"of two without a name", ES256, KEYS(EC_KEY("") "," EC_KEY("")), ST_NOT_FOUND},
        {"one bit off", RS256_TEXT "." RS256_SIGNATURE, KEYS(RSA_KEY("k1", WEAK_N, "")),
         ST_UNAUTHORIZED},
        {"1024 bits", WEAK_TEXT "." WEAK_SIGNATURE, KEYS(RSA_KEY("k1", WEAK_N, "")),
         ST_UNAUTHORIZED},
        {"another's signature", ES256_TEXT "." RS256_SIGNATURE, KEYS(EC_KEY("")), ST_UNAUTHORIZED},
        {"no signature", RS256_TEXT ".", KEYS(RSA_KEY("k1", RS256_N, "")), ST_UNAUTHORIZED},
        {"a point off the curve", ES256,
         KEYS("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" ES256_X "\",\"y\":\"" ES256_X "\"}"),
         ST_UNAUTHORIZED},
        {"another curve", ES256,
         KEYS("{\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":\"" ES256_X "\",\"y\":\"" ES256_Y "\"}"),
         ST_NOT_FOUND},
        {"a secret key of the public one's bytes", RS256,
         KEYS("{\"kty\":\"oct\",\"kid\":\"k1\",\"k\":\"" RS256_N "\"}"), ST_NOT_FOUND},
        {"no exponent", RS256, KEYS("{\"kty\":\"RSA\",\"kid\":\"k1\",\"n\":\"" RS256_N "\"}"),
         ST_UNAUTHORIZED},
        {"no keys", RS256, KEYS(""), ST_NOT_FOUND},
        {"no list", RS256, "{\"keys\":{}}", ST_NOT_FOUND},
        {"no object", RS256, "[]", ST_NOT_FOUND},
        {"no JSON", RS256, "keys", ST_UNAUTHORIZED},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (verify(rows[i].token, rows[i].keys) != rows[i].want)
            fail_msg("%s", rows[i].name);
    }
}

/* Whatever is changed of what was signed. */
static void no_byte_of_a_token_may_differ(void **state)
{
    static const char keys[] = KEYS(RSA_KEY("k1", RS256_N, ""));
    char text[] = RS256;

    (void)state;
    for (size_t i = 0; i < sizeof text - 1; i += 7) {
        ARENA_CLEANUP struct arena arena = {.max = JWT_ARENA_MAX};
        char was = text[i];
        struct jwt token;
        struct fault why;

        text[i] = was == 'A' ? 'B' : 'A';
        if (was != '.' && jwt_parse(slice_str(text), &arena, &token, &why) == ST_OK)
            assert_int_equal(jwt_verify(&token, slice_str(keys), &arena, &why), ST_UNAUTHORIZED);
        text[i] = was;
    }
}

/* --- claims ----------------------------------------------------------------------------------- */

#define GOOD "\"iss\":\"i\",\"aud\":\"a\",\"exp\":2000,\"nonce\":\"n\""

static void what_a_token_must_claim(void **state)
{
    static const struct {
        const char *name, *claims;
        bool ok;
    } rows[] = {
        {"all", "{" GOOD "}", true},
        {"another issuer", "{\"iss\":\"j\",\"aud\":\"a\",\"exp\":2000,\"nonce\":\"n\"}", false},
        {"no issuer", "{\"aud\":\"a\",\"exp\":2000,\"nonce\":\"n\"}", false},
        {"another audience", "{\"iss\":\"i\",\"aud\":\"b\",\"exp\":2000,\"nonce\":\"n\"}", false},
        {"no audience", "{\"iss\":\"i\",\"exp\":2000,\"nonce\":\"n\"}", false},
        {"a list of one", "{\"iss\":\"i\",\"aud\":[\"a\"],\"exp\":2000,\"nonce\":\"n\"}", true},
        {"a list, made for nobody",
         "{\"iss\":\"i\",\"aud\":[\"a\",\"b\"],\"exp\":2000,\"nonce\":\"n\"}", false},
        {"a list, made for us",
         "{\"iss\":\"i\",\"aud\":[\"b\",\"a\"],\"azp\":\"a\",\"exp\":2000,\"nonce\":\"n\"}", true},
        {"a list without us",
         "{\"iss\":\"i\",\"aud\":[\"b\"],\"azp\":\"a\",\"exp\":2000,\"nonce\":\"n\"}", false},
        {"an empty list", "{\"iss\":\"i\",\"aud\":[],\"exp\":2000,\"nonce\":\"n\"}", false},
        {"made for another", "{" GOOD ",\"azp\":\"b\"}", false},
        {"another nonce", "{\"iss\":\"i\",\"aud\":\"a\",\"exp\":2000,\"nonce\":\"m\"}", false},
        {"no nonce", "{\"iss\":\"i\",\"aud\":\"a\",\"exp\":2000}", false},
        {"no end", "{\"iss\":\"i\",\"aud\":\"a\",\"nonce\":\"n\"}", false},
        {"an end that is a text", "{\"iss\":\"i\",\"aud\":\"a\",\"exp\":\"2000\",\"nonce\":\"n\"}",
         false},
        {"ended, but within the tolerance",
         "{\"iss\":\"i\",\"aud\":\"a\",\"exp\":1941,\"nonce\":\"n\"}", true},
        {"ended", "{\"iss\":\"i\",\"aud\":\"a\",\"exp\":1940,\"nonce\":\"n\"}", false},
        {"an end with a fraction", "{\"iss\":\"i\",\"aud\":\"a\",\"exp\":2000.5,\"nonce\":\"n\"}",
         true},
        {"an end with an exponent", "{\"iss\":\"i\",\"aud\":\"a\",\"exp\":2e99,\"nonce\":\"n\"}",
         false},
        {"begins now", "{" GOOD ",\"nbf\":2060}", true},
        {"begins later", "{" GOOD ",\"nbf\":2061}", false},
        {"made now", "{" GOOD ",\"iat\":2000}", true},
        {"made later", "{" GOOD ",\"iat\":2061}", false},
        {"made never", "{" GOOD ",\"iat\":null}", false},
    };
    const struct jwt_expected expected = {
        .issuer = SLICE("i"), .audience = SLICE("a"), .nonce = SLICE("n"), .now_s = 2000};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        BUF_CLEANUP struct buf text = {.max = 1024};
        ARENA_CLEANUP struct arena arena = {.max = JWT_ARENA_MAX};
        struct jwt token;
        struct fault why;

        write_token("{\"alg\":\"RS256\"}", rows[i].claims, "s", &text);
        assert_int_equal(jwt_parse(buf_slice(&text), &arena, &token, &why), ST_OK);
        if (jwt_check(&token, &expected, &why) != (rows[i].ok ? ST_OK : ST_UNAUTHORIZED))
            fail_msg("%s", rows[i].name);
    }
}

/* Whoever asked the issuer for it; but for this audience, and in time. */
static void an_access_token_may_be_made_for_any_client(void **state)
{
    static const struct {
        const char *claims;
        bool ok;
    } rows[] = {
        {"{\"iss\":\"i\",\"aud\":\"a\",\"azp\":\"b\",\"exp\":2000}", true},
        {"{\"iss\":\"i\",\"aud\":[\"b\",\"a\"],\"exp\":2000}", true},
        {"{\"iss\":\"i\",\"aud\":[\"b\"],\"azp\":\"a\",\"exp\":2000}", false},
        {"{\"iss\":\"i\",\"aud\":\"a\",\"exp\":1}", false},
    };
    const struct jwt_expected expected = {
        .issuer = SLICE("i"), .audience = SLICE("a"), .now_s = 2000, .by_anyone = true};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        BUF_CLEANUP struct buf text = {.max = 1024};
        ARENA_CLEANUP struct arena arena = {.max = JWT_ARENA_MAX};
        struct jwt token;
        struct fault why;

        write_token("{\"alg\":\"RS256\"}", rows[i].claims, "s", &text);
        assert_int_equal(jwt_parse(buf_slice(&text), &arena, &token, &why), ST_OK);
        if (jwt_check(&token, &expected, &why) != (rows[i].ok ? ST_OK : ST_UNAUTHORIZED))
            fail_msg("%s", rows[i].claims);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_a_token),
        cmocka_unit_test(what_has_not_the_form_is_no_token),
        cmocka_unit_test(the_longest_token_and_one_more),
        cmocka_unit_test(only_the_key_that_signed_will_do),
        cmocka_unit_test(no_byte_of_a_token_may_differ),
        cmocka_unit_test(what_a_token_must_claim),
        cmocka_unit_test(an_access_token_may_be_made_for_any_client),
    };

    return cmocka_run_group_tests_name("jwt", tests, NULL, NULL);
}
