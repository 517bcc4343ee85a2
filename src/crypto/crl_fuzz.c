#include <assert.h>

#include <openssl/err.h>

#include "crypto/certificate_read.h"
#include "crypto/crl.h"
#include "crypto/fuzz_authority.h"

static void check_list(const struct crl *crl)
{
    uint64_t before = 0, mark;

    assert(crl->count <= CRL_ENTRIES_MAX && crl->marks.len == crl->count * sizeof mark);
    assert(memchr(crl->number, '\0', sizeof crl->number));
    for (size_t i = 0; i < crl->count; i++) {
        memcpy(&mark, crl->marks.ptr + i * sizeof mark, sizeof mark);
        assert(mark != 0 && mark >= before && marks_contain(crl->marks.ptr, crl->count, mark));
        before = mark;
    }
    assert(!crl_is_older(crl, slice_str(crl->number), crl->this_update));
}

static void read_list(slice file, const X509 *authority)
{
    struct crl crl;
    struct fault why;

    if (crl_read(file, authority, FUZZ_NOW, &crl, &why) != ST_OK)
        return;
    check_list(&crl);
    crl_deinit(&crl);
}

/* The same list as the authority would have signed it. */
static void read_signed(slice der, X509 *authority, EVP_PKEY *key)
{
    const uint8_t *at = der.ptr;
    X509_CRL *list = d2i_X509_CRL(NULL, &at, (long)der.len);
    uint8_t *again = NULL;
    int len = -1;

    if (list && X509_CRL_set_issuer_name(list, X509_get_subject_name(authority)) == 1 &&
        X509_CRL_sign(list, key, NULL) > 0)
        len = i2d_X509_CRL(list, &again);
    ERR_clear_error();
    if (len > 0)
        read_list(slice_of(again, (size_t)len), authority);
    OPENSSL_free(again);
    X509_CRL_free(list);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    EVP_PKEY *key = fuzz_key();
    X509 *authority = fuzz_authority(key);

    read_list(slice_of(data, size), authority);
    read_signed(slice_of(data, size), authority, key);
    X509_free(authority);
    EVP_PKEY_free(key);
    return 0;
}
