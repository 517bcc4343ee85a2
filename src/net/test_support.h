/* What the tests of net/ share: certificates of their own, a TLS client that blocks, a server
 * whose streams write down what happens to them. Included by test programs only. */
#ifndef MUSTER_NET_TEST_SUPPORT_H
#define MUSTER_NET_TEST_SUPPORT_H

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/clock.h"
#include "base/metrics.h"
#include "net/accept_limits.h"
#include "net/listener.h"
#include "net/stream.h"
#include "net/worker_internal.h"

#define TEST_FUNCTION __attribute__((unused)) static
/* Longer than anything that works takes, even under a sanitizer on a busy machine. */
#define PATIENCE_MS 20000

/* ---- certificates */

TEST_FUNCTION void add_extension(X509 *certificate, int nid, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

    assert_non_null(extension);
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
}

/* Signed by `issuer`, or by itself. */
TEST_FUNCTION X509 *certificate_make(EVP_PKEY *key, const char *name, X509 *issuer,
                                     EVP_PKEY *issuer_key)
{
    X509 *certificate = X509_new();
    X509_NAME *subject = X509_get_subject_name(certificate);
    bool ed25519 = EVP_PKEY_get_base_id(issuer_key ? issuer_key : key) == EVP_PKEY_ED25519;

    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
    X509_set_issuer_name(certificate, issuer ? X509_get_subject_name(issuer) : subject);
    X509_set_pubkey(certificate, key);
    if (!issuer)
        add_extension(certificate, NID_subject_alt_name, "IP:127.0.0.1,DNS:localhost");
    assert_true(
        X509_sign(certificate, issuer_key ? issuer_key : key, ed25519 ? NULL : EVP_sha256()) > 0);
    return certificate;
}

struct test_files {
    char folder[32], certificate[64], key[64];
    struct tls_files paths;
};

TEST_FUNCTION void test_files_write(struct test_files *files, EVP_PKEY *key, const char *name)
{
    X509 *certificate = certificate_make(key, name, NULL, NULL);
    FILE *file;

    snprintf(files->folder, sizeof files->folder, "/tmp/muster-net-XXXXXX");
    assert_non_null(mkdtemp(files->folder));
    snprintf(files->certificate, sizeof files->certificate, "%s/certificate.pem", files->folder);
    snprintf(files->key, sizeof files->key, "%s/key.pem", files->folder);
    files->paths = (struct tls_files){files->certificate, files->key};
    file = fopen(files->certificate, "w");
    assert_non_null(file);
    PEM_write_X509(file, certificate);
    fclose(file);
    file = fopen(files->key, "w");
    assert_non_null(file);
    PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL);
    fclose(file);
    X509_free(certificate);
}

TEST_FUNCTION void test_files_remove(struct test_files *files)
{
    unlink(files->certificate);
    unlink(files->key);
    rmdir(files->folder);
}

/* ---- a server */

/* What the handler of all test streams does, and what it saw. */
struct test_server {
    struct workers *workers;
    struct tls_server *tls;
    struct listener *listener;
    struct test_files files;

    const struct stream_handler *handler;
    size_t input_max;

    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct stream *stream; /* the latest */
    unsigned opened, ended, drained;
    enum stream_end end;
    size_t offered; /* bytes, each time they are offered */
    size_t taken;
    uint8_t *input; /* what was taken, for handlers that keep it */
    size_t input_len;
    char certificate_name[64];
    int intermediates; /* certificates sent by the last client, its own included */
    uint16_t port;
};

/* The owner of one of its streams. */
struct test_connection {
    struct test_server *server;
    struct stream *stream;
};

TEST_FUNCTION void note(struct test_server *t)
{
    pthread_cond_broadcast(&t->changed);
    pthread_mutex_unlock(&t->lock);
}

TEST_FUNCTION void server_on_open(void *owner)
{
    struct test_connection *c = owner;
    struct test_server *t = c->server;
    struct x509_st *certificate = stream_peer_certificate(c->stream);

    pthread_mutex_lock(&t->lock);
    t->opened++;
    t->certificate_name[0] = '\0';
    if (certificate)
        X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName,
                                  t->certificate_name, sizeof t->certificate_name);
    t->intermediates = sk_X509_num(stream_peer_intermediates(c->stream));
    note(t);
}

TEST_FUNCTION void server_on_end(void *owner, enum stream_end end)
{
    struct test_connection *c = owner;
    struct test_server *t = c->server;

    pthread_mutex_lock(&t->lock);
    t->ended++;
    t->end = end;
    if (t->stream == c->stream)
        t->stream = NULL;
    note(t);
    free(c);
}

TEST_FUNCTION void server_on_drained(void *owner)
{
    struct test_connection *c = owner;
    struct test_server *t = c->server;

    pthread_mutex_lock(&t->lock);
    t->drained++;
    note(t);
}

TEST_FUNCTION void count_input(struct test_server *t, size_t offered, size_t taken)
{
    pthread_mutex_lock(&t->lock);
    t->offered += offered;
    t->taken += taken;
    note(t);
}

TEST_FUNCTION size_t echo_on_input(void *owner, slice input)
{
    struct test_connection *c = owner;
    struct test_server *t = c->server;

    stream_write(c->stream, input);
    count_input(t, input.len, input.len);
    return input.len;
}

TEST_FUNCTION const struct stream_handler echo_handler = {
    .on_open = server_on_open,
    .on_input = echo_on_input,
    .on_drained = server_on_drained,
    .on_end = server_on_end,
};

TEST_FUNCTION void server_on_accept(void *owner, struct stream *s)
{
    struct test_server *t = owner;
    struct test_connection *c = malloc(sizeof *c);

    *c = (struct test_connection){.server = t, .stream = s};
    pthread_mutex_lock(&t->lock);
    t->stream = s;
    pthread_mutex_unlock(&t->lock);
    stream_set_handler(s, t->handler, c, t->input_max);
}

/* Not started, so that a test can set limits and time-outs. */
TEST_FUNCTION void server_init(struct test_server *t, unsigned workers)
{
    static const struct listener_limits no_limits;
    struct fault why = {0};
    EVP_PKEY *key = EVP_EC_gen("P-256");

    *t = (struct test_server){.handler = &echo_handler, .input_max = 1024};
    pthread_mutex_init(&t->lock, NULL);
    pthread_cond_init(&t->changed, NULL);
    test_files_write(&t->files, key, "localhost");
    EVP_PKEY_free(key);
    t->workers = workers_create(workers);
    assert_non_null(t->workers);
    listener_set_limits(t->workers, &no_limits);
    t->tls = tls_server_create(&t->files.paths, 1, &why);
    if (!t->tls)
        fail_msg("%s", why.text);
    t->listener =
        listener_create(t->workers, SLICE("127.0.0.1:0"), t->tls, server_on_accept, t, &why);
    if (!t->listener)
        fail_msg("%s", why.text);
    t->port = listener_port(t->listener);
}

TEST_FUNCTION void server_start(struct test_server *t)
{
    struct fault why = {0};

    if (!workers_start(t->workers, &why))
        fail_msg("%s", why.text);
}

TEST_FUNCTION void server_deinit(struct test_server *t)
{
    workers_stop(t->workers);
    listener_destroy(t->listener);
    tls_server_destroy(t->tls);
    workers_destroy(t->workers);
    test_files_remove(&t->files);
    free(t->input);
    pthread_cond_destroy(&t->changed);
    pthread_mutex_destroy(&t->lock);
}

/* Waits until *count is at least `least`. */
TEST_FUNCTION bool wait_for_size(struct test_server *t, const size_t *count, size_t least)
{
    struct timespec until;
    int error = 0;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE_MS / 1000;
    pthread_mutex_lock(&t->lock);
    while (*count < least && error == 0)
        error = pthread_cond_timedwait(&t->changed, &t->lock, &until);
    pthread_mutex_unlock(&t->lock);
    return error == 0;
}

TEST_FUNCTION bool wait_for(struct test_server *t, const unsigned *count, unsigned least)
{
    struct timespec until;
    int error = 0;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE_MS / 1000;
    pthread_mutex_lock(&t->lock);
    while (*count < least && error == 0)
        error = pthread_cond_timedwait(&t->changed, &t->lock, &until);
    pthread_mutex_unlock(&t->lock);
    return error == 0;
}

TEST_FUNCTION unsigned peek(struct test_server *t, const unsigned *count)
{
    unsigned value;

    pthread_mutex_lock(&t->lock);
    value = *count;
    pthread_mutex_unlock(&t->lock);
    return value;
}

TEST_FUNCTION size_t peek_size(struct test_server *t, const size_t *count)
{
    size_t value;

    pthread_mutex_lock(&t->lock);
    value = *count;
    pthread_mutex_unlock(&t->lock);
    return value;
}

TEST_FUNCTION void assert_ended(struct test_server *t, unsigned count, enum stream_end end)
{
    assert_true(wait_for(t, &t->ended, count));
    assert_int_equal(peek(t, &t->ended), count);
    assert_int_equal(t->end, end);
}

/* Runs on the stream's worker. */
TEST_FUNCTION void on_worker(struct test_server *t, void (*run)(void *))
{
    worker_call(workers_at(t->workers, 0), run, t);
}

/* ---- a client */

struct test_client {
    int fd;
    SSL_CTX *context;
    SSL *ssl;
};

TEST_FUNCTION int tcp_connect(uint16_t port)
{
    static const int on = 1;
    static const struct timeval patience = {.tv_sec = PATIENCE_MS / 1000};
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_true(fd >= 0);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (connect(fd, (struct sockaddr *)&to, sizeof to) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

/* Change client.context before client_connect to offer something else. */
TEST_FUNCTION void client_init(struct test_client *c, int version)
{
    *c = (struct test_client){.fd = -1, .context = SSL_CTX_new(TLS_client_method())};
    assert_non_null(c->context);
    if (version) {
        SSL_CTX_set_min_proto_version(c->context, version);
        SSL_CTX_set_max_proto_version(c->context, version);
    }
}

/* Whether the handshake completed. */
TEST_FUNCTION bool client_connect(struct test_client *c, uint16_t port)
{
    c->fd = tcp_connect(port);
    assert_true(c->fd >= 0);
    c->ssl = SSL_new(c->context);
    SSL_set_fd(c->ssl, c->fd);
    ERR_clear_error();
    return SSL_connect(c->ssl) == 1;
}

TEST_FUNCTION void client_open(struct test_client *c, uint16_t port)
{
    client_init(c, 0);
    if (!client_connect(c, port))
        fail_msg("the handshake failed: %s", ERR_reason_error_string(ERR_peek_error()));
}

TEST_FUNCTION void client_deinit(struct test_client *c)
{
    SSL_free(c->ssl);
    SSL_CTX_free(c->context);
    if (c->fd >= 0)
        close(c->fd);
}

TEST_FUNCTION void client_write(struct test_client *c, slice bytes)
{
    size_t written;

    if (bytes.len == 0)
        return;
    assert_int_equal(SSL_write_ex(c->ssl, bytes.ptr, bytes.len, &written), 1);
    assert_int_equal(written, bytes.len);
}

/* Reads exactly `len` bytes; false when the server ended before. */
TEST_FUNCTION bool client_read(struct test_client *c, void *to, size_t len)
{
    size_t got;

    for (size_t have = 0; have < len; have += got) {
        if (SSL_read_ex(c->ssl, (uint8_t *)to + have, len - have, &got) != 1)
            return false;
    }
    return true;
}

/* SSL_ERROR_ZERO_RETURN after a goodbye; SSL_ERROR_SYSCALL or _SSL when there was none. */
TEST_FUNCTION int client_read_end(struct test_client *c)
{
    char byte;
    size_t got;

    ERR_clear_error();
    if (SSL_read_ex(c->ssl, &byte, 1, &got) == 1)
        return SSL_ERROR_NONE;
    return SSL_get_error(c->ssl, 0);
}

/* ---- the process */

TEST_FUNCTION size_t open_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    size_t count = 0;

    assert_non_null(folder);
    while (readdir(folder))
        count++;
    closedir(folder);
    return count;
}

TEST_FUNCTION int ignore_sigpipe(void **state)
{
    (void)state;
    return signal(SIGPIPE, SIG_IGN) == SIG_ERR ? -1 : 0;
}

#endif
