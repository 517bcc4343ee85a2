#include "net/tls_server.h"

#include "net/test_support.h"

static void H001_P062_tls12_and_tls13_echo_without_sni(void **state)
{
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION, 0};
    struct test_server t;

    (void)state;
    server_init(&t, 1);
    server_start(&t);
    for (unsigned i = 0; i < COUNT_OF(versions); i++) {
        struct test_client c;
        char answer[5];

        client_init(&c, versions[i]);
        assert_true(client_connect(&c, t.port));
        client_write(&c, SLICE("hello"));
        assert_true(client_read(&c, answer, sizeof answer));
        assert_memory_equal(answer, "hello", 5);
        client_deinit(&c);
        assert_ended(&t, i + 1, STREAM_END_PEER);
    }
    server_deinit(&t);
}

static void H001_tls11_is_refused(void **state)
{
    int64_t failed = metric_value(METRIC_HANDSHAKES_FAILED);
    struct test_server t;
    struct test_client c;

    (void)state;
    server_init(&t, 1);
    server_start(&t);
    client_init(&c, TLS1_1_VERSION);
    SSL_CTX_set_cipher_list(c.context, "ALL:@SECLEVEL=0");
    assert_false(client_connect(&c, t.port));
    client_deinit(&c);
    assert_ended(&t, 1, STREAM_END_HANDSHAKE);
    assert_int_equal(peek(&t, &t.opened), 0);
    assert_int_equal(metric_value(METRIC_HANDSHAKES_FAILED), failed + 1);
    server_deinit(&t);
}

static void H002_plaintext_is_refused(void **state)
{
    static const char *const rows[] = {
        "\x10\x0e\x00\x04MQTT\x04\x02\x00\x3c\x00\x02\x64\x31",
        "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "AMQP\x03\x01",
    };
    struct test_server t;

    (void)state;
    server_init(&t, 1);
    server_start(&t);
    for (unsigned i = 0; i < COUNT_OF(rows); i++) {
        int fd = tcp_connect(t.port);
        char answer[64];

        assert_true(send(fd, rows[i], i == 0 ? 16 : strlen(rows[i]), MSG_NOSIGNAL) > 0);
        if (i == 2) /* too short for a record: the peer must end it */
            shutdown(fd, SHUT_WR);
        assert_ended(&t, i + 1, STREAM_END_HANDSHAKE);
        while (recv(fd, answer, sizeof answer, 0) > 0)
            assert_int_not_equal(answer[0], 0x20); /* no CONNACK */
        close(fd);
    }
    assert_int_equal(peek_size(&t, &t.offered), 0);
    server_deinit(&t);
}

static void H003_P063_no_client_certificate_is_fine(void **state)
{
    struct test_server t;
    struct test_client c;

    (void)state;
    server_init(&t, 1);
    server_start(&t);
    client_open(&c, t.port);
    assert_true(wait_for(&t, &t.opened, 1));
    assert_string_equal(t.certificate_name, "");
    client_deinit(&c);
    server_deinit(&t);
}

static EVP_PKEY *make_key(const char *kind)
{
    if (strncmp(kind, "RSA", 3) == 0)
        return EVP_RSA_gen((unsigned)strtoul(kind + 3, NULL, 10));
    if (strcmp(kind, "ED25519") == 0)
        return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    return EVP_EC_gen(kind);
}

/* A leaf of the given key with `intermediates` more certificates behind it. */
static void use_client_certificate(struct test_client *c, EVP_PKEY *key, int intermediates)
{
    X509 *leaf = certificate_make(key, "pump-07", NULL, NULL);

    SSL_CTX_set_security_level(c->context, 0);
    assert_int_equal(SSL_CTX_use_certificate(c->context, leaf), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(c->context, key), 1);
    for (int i = 0; i < intermediates; i++)
        assert_int_equal(SSL_CTX_add1_chain_cert(c->context, leaf), 1);
    X509_free(leaf);
}

/* In TLS 1.3 the client's half of the handshake is over before the server looks, so the client
 * asks for an answer. */
static bool client_is_let_in(struct test_client *c, uint16_t port)
{
    char answer[2];
    size_t written;

    return client_connect(c, port) && SSL_write_ex(c->ssl, "hi", 2, &written) == 1 &&
           client_read(c, answer, sizeof answer);
}

static void H004_P064_any_client_certificate_within_the_limits_is_let_in(void **state)
{
    static const struct {
        const char *key;
        int intermediates;
        bool let_in;
    } rows[] = {
        {"P-256", 0, true},    {"P-384", 0, true},   {"P-521", 0, true},      {"RSA2048", 0, true},
        {"RSA1024", 0, false}, {"ED25519", 0, true}, {"P-256", 6, true},      {"P-256", 7, true},
        {"P-256", 8, false},   {"P-224", 0, false},  {"secp256k1", 0, false},
    };
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    struct test_server t;

    (void)state;
    server_init(&t, 1);
    server_start(&t);
    for (unsigned i = 0; i < COUNT_OF(rows) * COUNT_OF(versions); i++) {
        unsigned row = i / COUNT_OF(versions);
        EVP_PKEY *key = make_key(rows[row].key);
        struct test_client c;
        bool let_in;

        assert_non_null(key);
        client_init(&c, versions[i % COUNT_OF(versions)]);
        use_client_certificate(&c, key, rows[row].intermediates);
        t.certificate_name[0] = '\0';
        let_in = client_is_let_in(&c, t.port);
        if (rows[row].let_in) {
            assert_true(let_in);
            assert_string_equal(t.certificate_name, "pump-07");
            assert_int_equal(t.intermediates > 0 ? t.intermediates : 0, rows[row].intermediates);
        } else if (let_in &&
                   t.certificate_name[0]) { /* a client may withhold what is not asked for */
            fail_msg("%s with %d more was let in", rows[row].key, rows[row].intermediates);
        }
        client_deinit(&c);
        assert_true(wait_for(&t, &t.ended, i + 1));
        EVP_PKEY_free(key);
    }
    server_deinit(&t);
}

/* ---- certificates and sessions */

static int server_key_of(uint16_t port, const char *ciphers)
{
    struct test_client c;
    X509 *certificate;
    int kind;

    client_init(&c, TLS1_2_VERSION);
    assert_int_equal(SSL_CTX_set_cipher_list(c.context, ciphers), 1);
    if (!client_connect(&c, port)) {
        client_deinit(&c);
        return EVP_PKEY_NONE;
    }
    certificate = SSL_get1_peer_certificate(c.ssl);
    kind = EVP_PKEY_get_base_id(X509_get0_pubkey(certificate));
    X509_free(certificate);
    client_deinit(&c);
    return kind;
}

static void certificates_are_swapped_whole_or_not_at_all(void **state)
{
    EVP_PKEY *rsa = EVP_RSA_gen(2048);
    struct test_files rsa_files;
    struct tls_files both[2], mixed, missing = {"/nonexistent", "/nonexistent"};
    struct test_server t;
    struct fault why = {0};

    (void)state;
    server_init(&t, 1);
    server_start(&t);
    test_files_write(&rsa_files, rsa, "localhost");
    both[0] = t.files.paths;
    both[1] = rsa_files.paths;
    mixed = (struct tls_files){t.files.certificate, rsa_files.key};
    assert_int_equal(server_key_of(t.port, "ECDHE-ECDSA-AES128-GCM-SHA256"), EVP_PKEY_EC);
    assert_int_equal(server_key_of(t.port, "ECDHE-RSA-AES128-GCM-SHA256"), EVP_PKEY_NONE);

    assert_false(tls_server_reload(t.tls, &missing, 1, &why));
    assert_non_null(strstr(why.text, "/nonexistent"));
    assert_false(tls_server_reload(t.tls, &mixed, 1, &why));
    both[1] = both[0];
    assert_false(tls_server_reload(t.tls, both, 2, &why)); /* twice the same kind */
    assert_false(tls_server_reload(t.tls, NULL, 0, &why));
    assert_int_equal(server_key_of(t.port, "ECDHE-ECDSA-AES128-GCM-SHA256"), EVP_PKEY_EC);

    both[1] = rsa_files.paths;
    assert_true(tls_server_reload(t.tls, both, 2, &why));
    assert_int_equal(server_key_of(t.port, "ECDHE-RSA-AES128-GCM-SHA256"), EVP_PKEY_RSA);
    assert_int_equal(server_key_of(t.port, "ECDHE-ECDSA-AES128-GCM-SHA256"), EVP_PKEY_EC);
    server_deinit(&t);
    test_files_remove(&rsa_files);
    EVP_PKEY_free(rsa);
}

/* Connects twice, offering the first session to the second handshake. */
static bool is_resumed(struct test_server *t, int version, EVP_PKEY *key)
{
    struct test_client c, again;
    SSL_SESSION *session;
    bool resumed;
    char answer[2];

    client_init(&c, version);
    if (key) {
        X509 *leaf = certificate_make(key, "pump-07", NULL, NULL);

        SSL_CTX_use_certificate(c.context, leaf);
        SSL_CTX_use_PrivateKey(c.context, key);
        X509_free(leaf);
    }
    assert_true(client_connect(&c, t->port));
    client_write(&c, SLICE("hi"));
    assert_true(client_read(&c, answer, 2)); /* tickets of TLS 1.3 would be here by now */
    session = SSL_get1_session(c.ssl);
    again = (struct test_client){.context = c.context};
    SSL_CTX_up_ref(c.context);
    again.fd = tcp_connect(t->port);
    again.ssl = SSL_new(again.context);
    SSL_set_fd(again.ssl, again.fd);
    SSL_set_session(again.ssl, session);
    assert_int_equal(SSL_connect(again.ssl), 1);
    resumed = SSL_session_reused(again.ssl);
    SSL_SESSION_free(session);
    client_deinit(&again);
    client_deinit(&c);
    return resumed;
}

static void P065_sessions_resume_in_tls12_and_without_a_certificate_only(void **state)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    struct test_server t;

    (void)state;
    server_init(&t, 1);
    server_start(&t);
    assert_true(is_resumed(&t, TLS1_2_VERSION, NULL));
    assert_false(is_resumed(&t, TLS1_2_VERSION, key));
    assert_false(is_resumed(&t, TLS1_3_VERSION, NULL));
    assert_false(is_resumed(&t, TLS1_3_VERSION, key));
    server_deinit(&t);
    EVP_PKEY_free(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(H001_P062_tls12_and_tls13_echo_without_sni),
        cmocka_unit_test(H001_tls11_is_refused),
        cmocka_unit_test(H002_plaintext_is_refused),
        cmocka_unit_test(H003_P063_no_client_certificate_is_fine),
        cmocka_unit_test(H004_P064_any_client_certificate_within_the_limits_is_let_in),
        cmocka_unit_test(certificates_are_swapped_whole_or_not_at_all),
        cmocka_unit_test(P065_sessions_resume_in_tls12_and_without_a_certificate_only),
    };

    return cmocka_run_group_tests(tests, ignore_sigpipe, NULL);
}
