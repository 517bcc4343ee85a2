/* Keys: made, read, written. The other half of certificate_make.h. */
#include <limits.h>

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/text.h"
#include "crypto/certificate_make_internal.h"

#define PEM_LINE 48 /* bytes: 64 characters of base64 */

static const struct {
    const char *algorithm, *curve;
    size_t bits;
} kinds[] = {
    [KEY_P256] = {"EC", "P-256", 0},     [KEY_P384] = {"EC", "P-384", 0},
    [KEY_RSA2048] = {"RSA", NULL, 2048}, [KEY_RSA3072] = {"RSA", NULL, 3072},
    [KEY_RSA4096] = {"RSA", NULL, 4096}, [KEY_ED25519] = {"ED25519", NULL, 0},
};

struct evp_pkey_st *private_key_make(enum key_kind kind)
{
    if (kinds[kind].curve)
        return EVP_PKEY_Q_keygen(NULL, NULL, kinds[kind].algorithm, kinds[kind].curve);
    if (kinds[kind].bits > 0)
        return EVP_PKEY_Q_keygen(NULL, NULL, kinds[kind].algorithm, kinds[kind].bits);
    return EVP_PKEY_Q_keygen(NULL, NULL, kinds[kind].algorithm);
}

void private_key_free(struct evp_pkey_st *key)
{
    EVP_PKEY_free(key);
}

static int no_pass_phrase(char *to, int size, int writing, void *context)
{
    (void)to, (void)size, (void)writing, (void)context;
    return -1;
}

struct evp_pkey_st *private_key_from_pem(slice pem, struct fault *why)
{
    BIO *bio = pem.len > 0 && pem.len <= INT_MAX ? BIO_new_mem_buf(pem.ptr, (int)pem.len) : NULL;
    EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_pass_phrase, NULL) : NULL;

    BIO_free(bio);
    ERR_clear_error(); /* or the next TLS read on this thread would take it for its own */
    if (!key)
        fault_set(why, ST_BAD_REQUEST, "there is no PEM key without a pass phrase");
    return key;
}

void private_key_to_pem(const struct evp_pkey_st *key, struct buf *to)
{
    struct key_bytes bytes;

    key_bytes_init(&bytes);
    if (key_bytes_of(key, &bytes))
        pem_write("PRIVATE KEY", buf_slice(&bytes.private_info), to);
    else
        to->failed = true;
    key_bytes_deinit(&bytes);
}

void pem_write(const char *label, slice der, struct buf *to)
{
    size_t lines = der.len / PEM_LINE + 1;

    if (!buf_room(to, lines * (PEM_LINE / 3 * 4 + 1) + 2 * (strlen(label) + 20)))
        return;
    buf_append_str(to, "-----BEGIN ");
    buf_append_str(to, label);
    buf_append_str(to, "-----\n");
    for (; der.len > 0; der = slice_from(der, PEM_LINE)) {
        base64_encode(slice_first(der, PEM_LINE), to);
        buf_append_byte(to, '\n');
    }
    buf_append_str(to, "-----END ");
    buf_append_str(to, label);
    buf_append_str(to, "-----\n");
}

/* --- keys as bytes ---------------------------------------------------------------------------- */

void key_bytes_init(struct key_bytes *k)
{
    buf_init(&k->public_info, KEY_DER_MAX);
    buf_init(&k->private_info, KEY_DER_MAX);
}

void key_bytes_deinit(struct key_bytes *k)
{
    if (k->private_info.ptr)
        OPENSSL_cleanse(k->private_info.ptr, k->private_info.cap);
    buf_deinit(&k->private_info);
    buf_deinit(&k->public_info);
}

/* The encoders allocate; what they made is moved and wiped. */
static bool take(unsigned char *der, int len, struct buf *to)
{
    ERR_clear_error();
    if (len > 0) {
        buf_append(to, slice_of(der, (size_t)len));
        OPENSSL_clear_free(der, (size_t)len);
    }
    return len > 0 && !to->failed;
}

bool public_info_of(const struct evp_pkey_st *key, struct buf *to)
{
    unsigned char *der = NULL;
    int len = i2d_PUBKEY(key, &der);

    return take(der, len, to);
}

bool key_bytes_of(const struct evp_pkey_st *key, struct key_bytes *ret)
{
    PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(key);
    unsigned char *der = NULL;
    int len = info ? i2d_PKCS8_PRIV_KEY_INFO(info, &der) : 0;

    PKCS8_PRIV_KEY_INFO_free(info);
    return take(der, len, &ret->private_info) && public_info_of(key, &ret->public_info);
}

struct evp_pkey_st *key_from_bytes(const struct key_bytes *k)
{
    const unsigned char *at = k->private_info.ptr;
    EVP_PKEY *key = at ? d2i_AutoPrivateKey(NULL, &at, (long)k->private_info.len) : NULL;

    ERR_clear_error();
    return key;
}
