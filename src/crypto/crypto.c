#include "crypto/crypto.h"

#include <pthread.h>
#include <stdlib.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "base/log.h"
#include "base/text.h"

#define KEY_MIN 16

/* Fetching an algorithm takes several times as long as running it over a token, so each thread
 * fetches once and keeps its contexts until it ends. */
struct contexts {
    EVP_MAC_CTX *hmac;
    EVP_MD_CTX *digest;
    EVP_MD *sha256;
};

static pthread_key_t contexts_key;
static pthread_once_t contexts_once = PTHREAD_ONCE_INIT;

/* There is no answer in place of a hash or a random number: going on without would open access. */
static void must(bool held, const char *what)
{
    if (held)
        return;
    LOG_ERROR("crypto_failed", LOG_STR("what", what));
    abort();
}

static void free_contexts(void *memory)
{
    struct contexts *c = memory;

    EVP_MAC_CTX_free(c->hmac);
    EVP_MD_CTX_free(c->digest);
    EVP_MD_free(c->sha256);
    free(c);
}

static void create_key(void)
{
    must(pthread_key_create(&contexts_key, free_contexts) == 0, "thread key");
}

static EVP_MAC_CTX *new_hmac(void)
{
    char digest[] = "SHA256";
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };
    EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *context = hmac ? EVP_MAC_CTX_new(hmac) : NULL;

    EVP_MAC_free(hmac); /* the context holds on to it */
    must(context && EVP_MAC_CTX_set_params(context, params) == 1, "HMAC-SHA256");
    return context;
}

static struct contexts *my_contexts(void)
{
    static _Thread_local struct contexts *mine;

    if (mine)
        return mine;
    pthread_once(&contexts_once, create_key);
    mine = calloc(1, sizeof *mine);
    must(mine && pthread_setspecific(contexts_key, mine) == 0, "thread contexts");
    mine->hmac = new_hmac();
    mine->digest = EVP_MD_CTX_new();
    mine->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    must(mine->digest && mine->sha256, "SHA-256");
    return mine;
}

void hmac_sha256(slice key, const slice *parts, size_t count, uint8_t ret[HMAC_SHA256_LEN])
{
    static const uint8_t no_key[1];
    EVP_MAC_CTX *hmac = my_contexts()->hmac;
    size_t len = 0;
    /* A NULL key would go on with the key of the call before. */
    bool held = EVP_MAC_init(hmac, key.len ? key.ptr : no_key, key.len, NULL) == 1;

    for (size_t i = 0; held && i < count; i++)
        held = parts[i].len == 0 || EVP_MAC_update(hmac, parts[i].ptr, parts[i].len) == 1;
    held = held && EVP_MAC_final(hmac, ret, &len, HMAC_SHA256_LEN) == 1;
    must(held && len == HMAC_SHA256_LEN, "HMAC-SHA256");
}

void sha256(slice bytes, uint8_t ret[SHA256_LEN])
{
    struct contexts *c = my_contexts();

    must(EVP_DigestInit_ex(c->digest, c->sha256, NULL) == 1 &&
             EVP_DigestUpdate(c->digest, bytes.ptr, bytes.len) == 1 &&
             EVP_DigestFinal_ex(c->digest, ret, NULL) == 1,
         "SHA-256");
}

bool secret_equal(const void *a, const void *b, size_t len)
{
    return CRYPTO_memcmp(a, b, len) == 0;
}

void secret_wipe(struct secret *s)
{
    OPENSSL_cleanse(s, sizeof *s);
}

void random_bytes(void *to, size_t len)
{
    must(RAND_bytes_ex(NULL, to, len, 0) == 1, "random bytes");
}

void random_uuid(char to[UUID_LEN])
{
    static const char digits[] = "0123456789abcdef";
    uint8_t bytes[16];
    size_t at = 0;

    random_bytes(bytes, sizeof bytes);
    bytes[6] = (uint8_t)(0x40 | (bytes[6] & 0x0f));
    bytes[8] = (uint8_t)(0x80 | (bytes[8] & 0x3f));
    for (size_t i = 0; i < sizeof bytes; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            to[at++] = '-';
        to[at++] = digits[bytes[i] >> 4];
        to[at++] = digits[bytes[i] & 15];
    }
}

void secret_generate(struct secret *ret, size_t len)
{
    must(len <= SECRET_MAX, "length of a key");
    *ret = (struct secret){.len = len};
    must(RAND_priv_bytes_ex(NULL, ret->bytes, len, 0) == 1, "random bytes");
}

bool secret_from_base64(slice text, struct secret *ret)
{
    SECRET_CLEANUP struct secret decoded = {0};

    if (!base64_decode(text, decoded.bytes, sizeof decoded.bytes, &decoded.len))
        return false;
    if (decoded.len < KEY_MIN)
        return false;
    *ret = decoded;
    return true;
}

void derive_device_key(const struct secret *group_key, slice registration_id, struct secret *ret)
{
    SECRET_CLEANUP struct secret derived = {.len = HMAC_SHA256_LEN};

    hmac_sha256(secret_slice(group_key), &registration_id, 1, derived.bytes);
    *ret = derived; /* only now: `ret` may be the group key itself */
}
