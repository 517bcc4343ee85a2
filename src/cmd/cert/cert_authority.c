#include "cmd/cert/cert_authority.h"

#include <stdlib.h>

#include "cmd/cert/cert_files.h"
#include "crypto/certificate_make.h"
#include "crypto/certificate_read.h"

#define FACTS_MAX (1024 * 1024)

static bool read_certificate(struct cert_authority *a, const char *path, struct buf *pem,
                             bool *ret_root, struct fault *why)
{
    ARENA_CLEANUP struct arena arena = {.max = FACTS_MAX};
    struct certificate_facts facts;

    if (cert_file_read(path, pem, why) != ST_OK)
        return false;
    a->certificate = certificate_from_pem(buf_slice(pem));
    if (!a->certificate) {
        fault_set(why, ST_BAD_REQUEST, "%s holds no PEM certificate", path);
        return false;
    }
    if (certificate_facts_read(a->certificate, &arena, &facts, why) != ST_OK)
        return false;
    if (!facts.is_ca || !facts.signs_others)
        fault_set(why, ST_BAD_REQUEST, "%s may not sign others: it is no authority", path);
    a->not_after = facts.not_after;
    a->path_length = facts.path_length;
    *ret_root = facts.is_own_issuer;
    return facts.is_ca && facts.signs_others;
}

static bool read_chain(struct cert_authority *a, const char *path, const struct buf *own, bool root,
                       struct fault *why)
{
    enum status status = cert_file_read(path, &a->chain_pem, why);

    if (status != ST_OK && status != ST_NOT_FOUND)
        return false;
    if (status == ST_NOT_FOUND) {
        buf_init(&a->chain_pem, CERT_FILE_MAX);
        if (!root)
            buf_append(&a->chain_pem, buf_slice(own));
    }
    if (a->chain_pem.len == 0)
        return true;
    if (certificates_read(buf_slice(&a->chain_pem), CERTIFICATE_CHAIN_MAX, &a->chain) ==
        CERTIFICATE_FINE)
        return true;
    fault_set(why, ST_BAD_REQUEST, "%s is no list of 1 to %d PEM certificates", path,
              CERTIFICATE_CHAIN_MAX);
    return false;
}

bool cert_authority_open(const char *folder, struct cert_authority *ret, struct fault *why)
{
    char *certificate = cert_path(folder, "ca.pem"), *key = cert_path(folder, "ca.key");
    char *chain = cert_path(folder, "chain.pem");
    BUF_CLEANUP struct buf pem = {0};
    bool root = false, opened;

    *ret = (struct cert_authority){0};
    opened = certificate && key && chain && read_certificate(ret, certificate, &pem, &root, why) &&
             read_chain(ret, chain, &pem, root, why);
    if (opened)
        ret->key = cert_key_read(key, why);
    free(certificate);
    free(key);
    free(chain);
    if (!ret->key)
        cert_authority_close(ret);
    return ret->key != NULL;
}

void cert_authority_close(struct cert_authority *a)
{
    certificate_free(a->certificate);
    private_key_free(a->key);
    certificates_free(a->chain);
    buf_deinit(&a->chain_pem);
    *a = (struct cert_authority){0};
}
