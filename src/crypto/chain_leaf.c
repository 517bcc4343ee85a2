#include "crypto/certificate_internal.h"
#include "crypto/chain_internal.h"

enum chain_reason chain_check_leaf(const struct x509_st *leaf, instant now, struct fault *why)
{
    const struct chain_links alone = {.certificates = {lazy(leaf)}, .count = 1};
    size_t at;

    /* At the end of a path a signature proves nothing; here it is what an authority would be
     * asked to stand for. */
    if (!certificate_signature_allowed(leaf)) {
        fault_set(why, ST_UNAUTHORIZED, "it is not signed with SHA-256 or better");
        return CHAIN_WEAK_SIGNATURE;
    }
    return chain_check_links(&alone, now, &at, why);
}
