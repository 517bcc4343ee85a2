/* A token, a line break, the keys of its issuer. */
#include <assert.h>

#include "codec/jwt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool lies_in(slice part, slice whole)
{
    return part.len == 0 || (part.ptr >= whole.ptr && part.ptr + part.len <= whole.ptr + whole.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct jwt_expected nobody = {.now_s = 1};
    ARENA_CLEANUP struct arena arena = {.max = JWT_ARENA_MAX};
    slice keys = slice_of(data, size), text = slice_split(&keys, '\n');
    struct fault why = {0};
    struct jwt token;

    if (jwt_parse(text, &arena, &token, &why) != ST_OK) {
        assert(why.status != ST_OK && why.text[0] != '\0');
        return 0;
    }
    assert(text.len <= JWT_MAX && lies_in(token.signed_text, text));
    assert(token.algorithm == JWT_RS256 || token.algorithm == JWT_ES256);
    assert(token.claims && token.claims->kind == JSON_OBJECT);
    assert(jwt_check(&token, &nobody, &why) == ST_OK || why.status == ST_UNAUTHORIZED);
    assert(jwt_verify(&token, keys, &arena, &why) == ST_OK || why.status == ST_UNAUTHORIZED ||
           why.status == ST_NOT_FOUND);
    return 0;
}
