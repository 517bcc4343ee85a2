#include <assert.h>

#include "crypto/certificate_read.h"
#include "crypto/chain.h"

#define NOW INT64_C(1830297600000)

static void check_facts(const struct x509_st *certificate)
{
    struct arena ARENA_CLEANUP arena = {.max = 16u << 20};
    struct certificate_facts facts;
    struct certificate_marks marks;

    if (certificate_facts_read(certificate, &arena, &facts, NULL) == ST_OK) {
        assert(facts.version >= 1 && facts.version <= 3 && facts.common_name.len <= 64);
        for (size_t i = 0; i < facts.common_name.len; i++)
            assert(facts.common_name.ptr[i] >= ' ' && facts.common_name.ptr[i] <= '~');
        assert(mark_of_group_serial(SLICE("g"), facts.serial) ==
               certificate_mark_in_group(certificate, SLICE("g")));
        assert(mark_of_thumbprint(
                   slice_of(facts.thumbprints.sha256, sizeof facts.thumbprints.sha256)) != 0);
    }
    if (certificate_marks(certificate, &marks))
        assert(marks.sha1 && marks.sha256 && marks.issuer_serial);
}

static void check_judgements(const struct x509_st *certificate)
{
    bool good = chain_check_authority(certificate, NOW, false, NULL) == CHAIN_GOOD;
    bool taken = certificate_key_allowed(certificate) && certificate_signature_allowed(certificate);

    assert(!good || taken);
    assert(!good || chain_check_pinned(certificate, true, NOW, NULL) == CHAIN_GOOD);
    if (chain_is_issued_by(certificate, certificate))
        assert(chain_is_issued_by(certificate, certificate));
}

/* What is written is read again, and is the same. */
static void check_round_trip(struct x509_st *certificate)
{
    struct buf BUF_CLEANUP der = {.max = 1u << 20}, pem = {.max = 1u << 20},
                           again = {.max = 1u << 20};
    struct x509_st *read = NULL;

    certificate_to_der(certificate, &der);
    certificate_to_pem(certificate, &pem);
    if (der.failed || pem.failed || pem.len > CERTIFICATE_FILE_MAX)
        return;
    assert(certificate_read(buf_slice(&pem), &read) == CERTIFICATE_FINE);
    certificate_to_der(read, &again);
    assert(slice_equal(buf_slice(&der), buf_slice(&again)));
    certificate_free(read);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct stack_st_X509 *chain = NULL;
    struct x509_st *certificate = NULL;

    if (certificates_read(slice_of(data, size), CERTIFICATE_CHAIN_MAX, &chain) == CERTIFICATE_FINE)
        assert(chain);
    else
        assert(!chain);
    certificates_free(chain);
    if (certificate_read(slice_of(data, size), &certificate) != CERTIFICATE_FINE)
        return 0;
    check_facts(certificate);
    check_judgements(certificate);
    check_round_trip(certificate);
    certificate_free(certificate);
    return 0;
}
