#include "net/tls_server.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include <openssl/err.h>
#include <openssl/rand.h>

#include "crypto/certificate_read.h"

#define SUITES_TLS12                                                                               \
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"                                   \
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"                                   \
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256"
#define SUITES_TLS13 "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256"
/* P-521 is there for the client certificates of TLS 1.2: OpenSSL wants their curve in this list. */
#define GROUPS "X25519:P-256:P-384:P-521"
#define SECURITY_LEVEL 2

struct tls_server {
    _Atomic unsigned generation;
    pthread_mutex_t lock; /* over context; taken once per worker after a swap */
    SSL_CTX *context;
    struct tls_tickets *tickets;
    uint8_t session_id_context[SSL_MAX_SID_CTX_LENGTH];
};

static bool refuse(struct fault *why, const char *path, const char *what)
{
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());

    fault_set(why, ST_BAD_REQUEST, "%s: %s: %s", path, what, reason ? reason : "unknown error");
    ERR_clear_error();
    return false;
}

/* In place of OpenSSL's verification: only what would cost too much to look at is refused; who
 * issued the certificate and whether it may come in is decided when the device connects (S2). */
static int on_client_certificate(X509_STORE_CTX *store, void *context)
{
    STACK_OF(X509) *chain = X509_STORE_CTX_get0_untrusted(store);

    (void)context;
    if (sk_X509_num(chain) > CERTIFICATE_CHAIN_MAX) {
        X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_CHAIN_TOO_LONG);
        return 0;
    }
    for (int i = 0; i < sk_X509_num(chain); i++) {
        if (!certificate_key_allowed(sk_X509_value(chain, i))) {
            X509_STORE_CTX_set_error(store, X509_V_ERR_CA_KEY_TOO_SMALL);
            return 0;
        }
    }
    X509_STORE_CTX_set_error(store, X509_V_OK);
    return 1;
}

static void set_client_certificates(SSL_CTX *context)
{
    /* An empty list of CAs: some stacks withhold a certificate that no listed CA issued. */
    SSL_CTX_set_client_CA_list(context, sk_X509_NAME_new_null());
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_cert_verify_callback(context, on_client_certificate, NULL);
    SSL_CTX_set_max_cert_list(context, CERTIFICATE_FILE_MAX);
}

static bool set_protocol(SSL_CTX *context)
{
    SSL_CTX_set_security_level(context, SECURITY_LEVEL);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                     SSL_OP_NO_COMPRESSION);
    return SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
           SSL_CTX_set_cipher_list(context, SUITES_TLS12) == 1 &&
           SSL_CTX_set_ciphersuites(context, SUITES_TLS13) == 1 &&
           SSL_CTX_set1_groups_list(context, GROUPS) == 1;
}

/* Resumption in TLS 1.3 still does the key exchange and saves little, so it gets no tickets;
 * in TLS 1.2, which much firmware speaks, it saves two thirds. */
static bool set_sessions(SSL_CTX *context, struct tls_server *tls)
{
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    tls_tickets_use(tls->tickets, context);
    return SSL_CTX_set_num_tickets(context, 0) == 1 &&
           SSL_CTX_set_session_id_context(context, tls->session_id_context,
                                          sizeof tls->session_id_context) == 1;
}

/* Released buffers make an idle connection small; reading ahead takes a record in one system
 * call in place of two; the chain is sent as the file has it, not searched in each handshake. */
static void set_costs(SSL_CTX *context)
{
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_NO_AUTO_CHAIN);
    SSL_CTX_set_read_ahead(context, 1);
}

static bool add_chain(SSL_CTX *context, const struct tls_files *files, struct fault *why)
{
    if (SSL_CTX_use_certificate_chain_file(context, files->certificate) != 1)
        return refuse(why, files->certificate, "no usable certificate chain");
    if (SSL_CTX_use_PrivateKey_file(context, files->key, SSL_FILETYPE_PEM) != 1)
        return refuse(why, files->key, "no usable private key");
    if (SSL_CTX_check_private_key(context) != 1)
        return refuse(why, files->key, "not the key of the certificate");
    return true;
}

static int certificate_kind(SSL_CTX *context)
{
    return EVP_PKEY_get_base_id(X509_get0_pubkey(SSL_CTX_get0_certificate(context)));
}

static bool add_chains(SSL_CTX *context, const struct tls_files *chains, size_t count,
                       struct fault *why)
{
    int before = EVP_PKEY_NONE;

    for (size_t i = 0; i < count; i++) {
        if (!add_chain(context, &chains[i], why))
            return false;
        if (certificate_kind(context) == before) {
            fault_set(why, ST_BAD_REQUEST, "%s: a second certificate of the same key type",
                      chains[i].certificate);
            return false;
        }
        before = certificate_kind(context);
    }
    return true;
}

static SSL_CTX *context_create(struct tls_server *tls, const struct tls_files *chains, size_t count,
                               struct fault *why)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());

    if (!context || !set_protocol(context) || !set_sessions(context, tls)) {
        refuse(why, "tls", "the protocol cannot be set up");
        SSL_CTX_free(context);
        return NULL;
    }
    set_client_certificates(context);
    set_costs(context);
    if (!add_chains(context, chains, count, why)) {
        SSL_CTX_free(context);
        return NULL;
    }
    return context;
}

struct tls_server *tls_server_create(const struct tls_files *chains, size_t count,
                                     struct fault *why)
{
    struct tls_server *tls = calloc(1, sizeof *tls);

    if (!tls) {
        fault_set(why, ST_NO_MEMORY, "no memory for a tls server");
        return NULL;
    }
    pthread_mutex_init(&tls->lock, NULL);
    tls->tickets = tls_tickets_create();
    if (!tls->tickets || RAND_bytes(tls->session_id_context, sizeof tls->session_id_context) != 1)
        refuse(why, "tls", "no ticket keys");
    else if (tls_server_reload(tls, chains, count, why))
        return tls;
    tls_server_destroy(tls);
    return NULL;
}

bool tls_server_reload(struct tls_server *tls, const struct tls_files *chains, size_t count,
                       struct fault *why)
{
    SSL_CTX *fresh, *old;

    if (count == 0) {
        fault_set(why, ST_BAD_REQUEST, "no server certificate");
        return false;
    }
    fresh = context_create(tls, chains, count, why);
    if (!fresh)
        return false;
    pthread_mutex_lock(&tls->lock);
    old = tls->context;
    tls->context = fresh;
    atomic_fetch_add(&tls->generation, 1);
    pthread_mutex_unlock(&tls->lock);
    SSL_CTX_free(old);
    return true;
}

void tls_server_destroy(struct tls_server *tls)
{
    if (!tls)
        return;
    SSL_CTX_free(tls->context);
    tls_tickets_destroy(tls->tickets);
    pthread_mutex_destroy(&tls->lock);
    free(tls);
}

SSL_CTX *tls_view_refresh(struct tls_view *view, struct tls_server *tls)
{
    if (view->generation == atomic_load_explicit(&tls->generation, memory_order_acquire))
        return view->context;
    tls_view_drop(view);
    pthread_mutex_lock(&tls->lock);
    SSL_CTX_up_ref(tls->context);
    view->context = tls->context;
    view->generation = atomic_load(&tls->generation);
    pthread_mutex_unlock(&tls->lock);
    return view->context;
}

void tls_view_drop(struct tls_view *view)
{
    SSL_CTX_free(view->context);
    *view = (struct tls_view){0};
}
