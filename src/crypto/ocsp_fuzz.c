/* Answers about one certificate, whose issuer's and responder's signatures the seeds bear. */
#include <assert.h>

#include <openssl/err.h>

#include "crypto/ocsp.h"
#include "crypto/thumbprint.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char issuer_pem[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBZDCCAQqgAwIBAgIBATAKBggqhkjOPQQDAjARMQ8wDQYDVQQDDAZJc3N1ZXIw\n"
    "HhcNMjYxMTI0MDgxNDQ1WhcNMzYxMTIxMDgxNDQ1WjARMQ8wDQYDVQQDDAZJc3N1\n"
    "ZXIwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAATwthM2woUa/8VYycHgEBdoffTm\n"
    "N4VDR/9B1rXt+alLFuwv3uHQz39qc0Nh/UZ0yVbJB5V+y/vj7xWdfTg9v0i3o1Mw\n"
    "UTAdBgNVHQ4EFgQUVNFsG0YfUfFJxQNY0XGKJTV1XLEwHwYDVR0jBBgwFoAUVNFs\n"
    "G0YfUfFJxQNY0XGKJTV1XLEwDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNI\n"
    "ADBFAiBHZUuGXvxX8kd0stV3G8QGDlbNGstzpbflEKvX6hSnYQIhAOmkg8AwCnL3\n"
    "9VoeD+3IZJGFRRHouGC35V0Jv8TiZxFp\n"
    "-----END CERTIFICATE-----\n";
static const char leaf_pem[] = "-----BEGIN CERTIFICATE-----\n"
                               "MIIBCjCBsQIBBzAKBggqhkjOPQQDAjARMQ8wDQYDVQQDDAZJc3N1ZXIwHhcNMjYx\n"
                               "MTI0MDgxNDQ2WhcNMzYxMTIxMDgxNDQ2WjASMRAwDgYDVQQDDAdwdW1wLTA3MFkw\n"
                               "EwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEBnF83p8fnKcocb7OzU4Os60vtR23isdu\n"
                               "UGUNxd59H0v7lw1pDFjUhcAM4KUzvGr55JK9cIye4blyyko3goqZpzAKBggqhkjO\n"
                               "PQQDAgNIADBFAiEAll//8pGkOA8nsMkitzkbZ8q+zvA6rSiYy3BpsGwCpM0CIAxY\n"
                               "gzGMEd3zeDdI3cjBP3wsPtCFldhrRjttZbaKCoVI\n"
                               "-----END CERTIFICATE-----\n";

/* In the validity of all of them. */
#define NOW ((instant)1795564800000)

static void judge(slice answer, const struct x509_st *leaf, const struct x509_st *issuer)
{
    static const uint8_t nonce[OCSP_NONCE_LEN];
    enum ocsp_verdict verdict = OCSP_UNKNOWN;
    instant until = 0;
    struct fault why = {0};

    if (ocsp_judge(answer, leaf, issuer, nonce, NOW, &verdict, &until, &why) == ST_OK)
        assert(verdict <= OCSP_UNKNOWN && until >= NOW - 300 * 1000 && answer.len > 0);
    else
        assert(why.text[0] != '\0');
    assert(ERR_peek_error() == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct x509_st *issuer = certificate_from_pem(slice_str(issuer_pem));
    struct x509_st *leaf = certificate_from_pem(slice_str(leaf_pem));

    assert(issuer && leaf);
    judge(slice_of(data, size), leaf, issuer);
    certificate_free(leaf);
    certificate_free(issuer);
    return 0;
}
