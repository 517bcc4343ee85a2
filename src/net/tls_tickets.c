#include <pthread.h>
#include <stdlib.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "base/clock.h"
#include "net/tls_server.h"

#define PERIOD_MS (INT64_C(12) * 3600 * 1000)
#define NAME_LEN 16
#define KEY_LEN 32

struct ticket_key {
    uint8_t name[NAME_LEN], cipher[KEY_LEN], mac[KEY_LEN];
    int64_t made_ms; /* 0: no key */
};

/* The mutex covers a copy of 100 bytes, and only in handshakes with a ticket. */
struct tls_tickets {
    pthread_mutex_t lock;
    struct ticket_key current, previous;
    EVP_CIPHER *cipher; /* fetched once: fetching takes longer than sealing */
};

struct tls_tickets *tls_tickets_create(void)
{
    struct tls_tickets *t = calloc(1, sizeof *t);

    if (!t)
        return NULL;
    pthread_mutex_init(&t->lock, NULL);
    t->cipher = EVP_CIPHER_fetch(NULL, "AES-256-CBC", NULL);
    if (!t->cipher) {
        tls_tickets_destroy(t);
        return NULL;
    }
    return t;
}

void tls_tickets_destroy(struct tls_tickets *t)
{
    if (!t)
        return;
    EVP_CIPHER_free(t->cipher);
    pthread_mutex_destroy(&t->lock);
    OPENSSL_cleanse(t, sizeof *t);
    free(t);
}

static bool key_generate(struct ticket_key *key, int64_t now_ms)
{
    key->made_ms = now_ms;
    return RAND_bytes(key->name, NAME_LEN) == 1 && RAND_priv_bytes(key->cipher, KEY_LEN) == 1 &&
           RAND_priv_bytes(key->mac, KEY_LEN) == 1;
}

/* The key for new tickets; a new one when its period is over. */
static bool key_to_seal(struct tls_tickets *t, int64_t now_ms, struct ticket_key *ret)
{
    bool ok = true;

    pthread_mutex_lock(&t->lock);
    if (t->current.made_ms == 0 || now_ms - t->current.made_ms >= PERIOD_MS) {
        t->previous = t->current;
        ok = key_generate(&t->current, now_ms);
        if (!ok)
            t->current.made_ms = 0;
    }
    *ret = t->current;
    pthread_mutex_unlock(&t->lock);
    return ok;
}

static bool key_is(const struct ticket_key *key, const uint8_t *name, int64_t now_ms)
{
    return key->made_ms != 0 && now_ms - key->made_ms < 2 * PERIOD_MS &&
           memcmp(key->name, name, NAME_LEN) == 0;
}

/* *ret_old: the ticket is good, but the client should get a new one. */
static bool key_to_open(struct tls_tickets *t, const uint8_t *name, int64_t now_ms,
                        struct ticket_key *ret, bool *ret_old)
{
    bool found = true;

    pthread_mutex_lock(&t->lock);
    *ret_old = false;
    if (key_is(&t->current, name, now_ms)) {
        *ret = t->current;
    } else if (key_is(&t->previous, name, now_ms)) {
        *ret = t->previous;
        *ret_old = true;
    } else {
        found = false;
    }
    pthread_mutex_unlock(&t->lock);
    return found;
}

static bool mac_init(EVP_MAC_CTX *mac, struct ticket_key *key)
{
    char digest[] = "SHA256";
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key->mac, KEY_LEN),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };

    return EVP_MAC_CTX_set_params(mac, params) == 1;
}

/* Answers as OpenSSL wants them: -1 failed, 0 no ticket, 1 fine, 2 fine but make a new one.
 * Whoever showed a certificate gets none: resumption would skip the proof of its key (C6). */
static int ticket_seal(struct tls_tickets *t, SSL *ssl, uint8_t *name, uint8_t *iv,
                       EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac)
{
    struct ticket_key key;
    bool ok;

    if (SSL_get0_peer_certificate(ssl))
        return 0;
    if (!key_to_seal(t, clock_mono_ms(), &key) ||
        RAND_bytes(iv, EVP_CIPHER_get_iv_length(t->cipher)) != 1)
        return -1;
    memcpy(name, key.name, NAME_LEN);
    ok = EVP_EncryptInit_ex(cipher, t->cipher, NULL, key.cipher, iv) == 1 && mac_init(mac, &key);
    OPENSSL_cleanse(&key, sizeof key);
    return ok ? 1 : -1;
}

static int ticket_open(struct tls_tickets *t, const uint8_t *name, const uint8_t *iv,
                       EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac)
{
    struct ticket_key key;
    bool old, ok;

    if (!key_to_open(t, name, clock_mono_ms(), &key, &old))
        return 0;
    ok = mac_init(mac, &key) && EVP_DecryptInit_ex(cipher, t->cipher, NULL, key.cipher, iv) == 1;
    OPENSSL_cleanse(&key, sizeof key);
    if (!ok)
        return -1;
    return old ? 2 : 1;
}

static int on_ticket(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
                     EVP_MAC_CTX *mac, int sealing)
{
    struct tls_tickets *t = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));

    return sealing ? ticket_seal(t, ssl, name, iv, cipher, mac)
                   : ticket_open(t, name, iv, cipher, mac);
}

void tls_tickets_use(struct tls_tickets *t, SSL_CTX *context)
{
    SSL_CTX_set_app_data(context, t);
    SSL_CTX_set_tlsext_ticket_key_evp_cb(context, on_ticket);
}
