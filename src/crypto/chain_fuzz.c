/* A peer's certificates against one authority: the first byte says which of them the authority
 * signs before they are judged, the rest is a file with the leaf and what comes with it. */
#include <assert.h>

#include <openssl/err.h>

#include "crypto/chain.h"
#include "crypto/fuzz_authority.h"

/* Parsed anew: what was noticed about the old bytes is forgotten. */
static X509 *sign(X509 *certificate, X509 *authority, EVP_PKEY *key)
{
    struct buf BUF_CLEANUP der = {.max = 1u << 20};
    X509 *fresh = NULL;

    if (X509_set_issuer_name(certificate, X509_get_subject_name(authority)) == 1 &&
        X509_sign(certificate, key, NULL) > 0) {
        certificate_to_der(certificate, &der);
        fresh = der.failed ? NULL : certificate_from_der(buf_slice(&der));
    }
    ERR_clear_error();
    return fresh;
}

static void sign_some(STACK_OF(X509) * chain, uint8_t which, X509 *authority, EVP_PKEY *key)
{
    for (int i = 0; i < sk_X509_num(chain); i++) {
        X509 *old = sk_X509_value(chain, i),
             *fresh = which >> i & 1 ? sign(old, authority, key) : NULL;

        if (fresh) {
            sk_X509_set(chain, i, fresh);
            X509_free(old);
        }
    }
}

static void judge(STACK_OF(X509) * chain, X509 *authority)
{
    X509 *leaf = sk_X509_shift(chain);
    const struct chain_input in = {
        .leaf = leaf,
        .presented = chain,
        .anchors = &authority,
        .anchor_count = 1,
        .now = FUZZ_NOW,
    };
    struct chain_path path;
    struct fault why = {0};

    if (chain_build(&in, &path, &why) == CHAIN_GOOD) {
        assert(path.count >= 2 && path.certificates[path.count - 1] == authority);
        for (size_t i = 1; i < path.count; i++)
            assert(chain_is_issued_by(path.certificates[i - 1], path.certificates[i]) &&
                   X509_check_ca(path.certificates[i]) == 1);
    } else {
        assert(why.text[0] && path.count > 0 && path.failed_at < path.count);
    }
    assert(path.certificates[0] == leaf && ERR_peek_error() == 0);
    chain_path_deinit(&path);
    X509_free(leaf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    STACK_OF(X509) *chain = NULL;
    EVP_PKEY *key;
    X509 *authority;

    if (size == 0 || certificates_read(slice_of(data + 1, size - 1), CERTIFICATE_CHAIN_MAX,
                                       &chain) != CERTIFICATE_FINE)
        return 0;
    key = fuzz_key();
    authority = fuzz_authority(key);
    sign_some(chain, data[0], authority, key);
    judge(chain, authority);
    certificates_free(chain);
    X509_free(authority);
    EVP_PKEY_free(key);
    return 0;
}
