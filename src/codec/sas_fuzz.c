#include <assert.h>

#include "codec/sas.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool lies_in(slice part, slice whole)
{
    return part.len == 0 || (part.ptr >= whole.ptr && part.ptr + part.len <= whole.ptr + whole.len);
}

/* A scope that covers a device and is as long as its path does not cover the neighbour. */
static void check_cover(const struct sas_token *token)
{
    const slice hosts[] = {SLICE("h"), SLICE("muster-hub.example.org")};
    const slice d1[] = {SLICE("devices"), SLICE("d1")}, d10[] = {SLICE("devices"), SLICE("d10")};
    struct sas_resource resource = {hosts, COUNT_OF(hosts), d1, 2, false};
    bool covers = sas_token_covers(token, &resource);
    size_t depth = sas_token_depth(token);

    resource.segments = d10;
    assert(!(covers && depth == 2 && sas_token_covers(token, &resource)));
    resource.nocase = true;
    resource.segments = d1;
    assert(!covers || sas_token_covers(token, &resource));
    resource.host_count = 0;
    assert(!sas_token_covers(token, &resource));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    slice text = slice_of(data, size);
    struct sas_token token;
    struct fault why = {0};

    if (sas_token_parse(text, &token, &why) != ST_OK) {
        assert(why.status == ST_UNAUTHORIZED && why.text[0] != '\0');
        return 0;
    }
    assert(size <= SAS_TOKEN_MAX && token.scope.len > 0 && token.expires_at >= 0);
    assert(lies_in(token.scope, text) && lies_in(token.expiry, text) &&
           lies_in(token.policy, text));
    assert(!sas_token_expired(&token, token.expires_at, 0));
    (void)sas_token_signed_by(&token, token.scope);
    check_cover(&token);
    return 0;
}
