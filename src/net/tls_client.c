#include "net/tls_client.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <unistd.h>

#include <openssl/x509v3.h>

#include "net/tls_stream.h"

struct tls_client {
    SSL_CTX *context;
};

static bool set_trust(SSL_CTX *context, const char *ca_file)
{
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    return ca_file ? SSL_CTX_load_verify_file(context, ca_file) == 1
                   : SSL_CTX_set_default_verify_paths(context) == 1;
}

struct tls_client *tls_client_create(const char *ca_file, struct fault *why)
{
    struct tls_client *tls = calloc(1, sizeof *tls);

    if (!tls) {
        fault_set(why, ST_NO_MEMORY, "no memory for a tls client");
        return NULL;
    }
    tls->context = SSL_CTX_new(TLS_client_method());
    if (!tls->context || SSL_CTX_set_min_proto_version(tls->context, TLS1_2_VERSION) != 1 ||
        !set_trust(tls->context, ca_file)) {
        fault_set(why, ST_BAD_REQUEST, "%s: no usable certificates",
                  ca_file ? ca_file : "the system's authorities");
        tls_client_destroy(tls);
        return NULL;
    }
    SSL_CTX_set_session_cache_mode(tls->context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(tls->context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                       SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    return tls;
}

void tls_client_destroy(struct tls_client *tls)
{
    if (!tls)
        return;
    SSL_CTX_free(tls->context);
    free(tls);
}

/* An address in the certificate is no name, and is not told the server in front of it. */
static bool set_host(SSL *ssl, const char *host)
{
    if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1)
        return true;
    return SSL_set1_host(ssl, host) == 1 && SSL_set_tlsext_host_name(ssl, host) == 1;
}

static SSL *session_create(struct tls_client *tls, const char *host)
{
    SSL *ssl = SSL_new(tls->context);

    tls_clear_errors();
    if (!ssl || !set_host(ssl, host)) {
        SSL_free(ssl);
        return NULL;
    }
    SSL_set_connect_state(ssl);
    return ssl;
}

static int connect_begin(const union address *to)
{
    static const int on = 1;
    int fd = socket(to->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    /* Whatever it is that fails, the first write says so again. */
    if (connect(fd, &to->any, address_len(to)) == 0 || errno == EINPROGRESS ||
        errno == ECONNREFUSED)
        return fd;
    close(fd);
    return -1;
}

struct stream *stream_connect(struct worker *w, const union address *to, struct tls_client *tls,
                              const char *host)
{
    SSL *ssl = session_create(tls, host);
    int fd = ssl ? connect_begin(to) : -1;
    struct stream *s = fd >= 0 ? tls_stream_create_outgoing(w, fd, ssl, to) : NULL;

    if (s)
        return s;
    if (fd >= 0)
        close(fd);
    SSL_free(ssl);
    return NULL;
}

bool address_resolve(const char *host, uint16_t port, union address *ret, struct fault *why)
{
    const struct addrinfo wanted = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    int error = getaddrinfo(host, NULL, &wanted, &found);

    if (error != 0) {
        fault_set(why, ST_UNAVAILABLE, "%s: %s", host, gai_strerror(error));
        return false;
    }
    *ret = (union address){0};
    memcpy(ret, found->ai_addr, found->ai_addrlen < sizeof *ret ? found->ai_addrlen : sizeof *ret);
    address_set_port(ret, port);
    freeaddrinfo(found);
    return true;
}
