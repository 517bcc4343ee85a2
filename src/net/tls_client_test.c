#include "net/tls_client.h"

#include "net/test_support.h"

/* What this side's stream saw. */
struct outgoing {
    struct test_server *server;
    struct tls_client *tls;
    struct stream *stream;
    const char *host;
    union address to;
    slice say;
    unsigned opened, ended;
    enum stream_end end;
    uint8_t heard[65536];
    size_t heard_len;
};

static void on_open(void *owner)
{
    struct outgoing *o = owner;

    stream_write(o->stream, o->say);
    pthread_mutex_lock(&o->server->lock);
    o->opened++;
    note(o->server);
}

static size_t on_input(void *owner, slice input)
{
    struct outgoing *o = owner;

    pthread_mutex_lock(&o->server->lock);
    assert_true(o->heard_len + input.len <= sizeof o->heard);
    memcpy(o->heard + o->heard_len, input.ptr, input.len);
    o->heard_len += input.len;
    note(o->server);
    return input.len;
}

static void on_end(void *owner, enum stream_end end)
{
    struct outgoing *o = owner;

    pthread_mutex_lock(&o->server->lock);
    o->ended++;
    o->end = end;
    note(o->server);
}

static const struct stream_handler handler = {
    .on_open = on_open, .on_input = on_input, .on_end = on_end};

static void run_connect(void *context)
{
    struct outgoing *o = context;

    o->stream = stream_connect(workers_at(o->server->workers, 0), &o->to, o->tls, o->host);
    assert_non_null(o->stream);
    stream_set_handler(o->stream, &handler, o, 1024);
}

static void run_close(void *context)
{
    stream_close(((struct outgoing *)context)->stream);
}

/* `trusted` NULL: the server's own certificate. */
static void outgoing_init(struct outgoing *o, struct test_server *t, const char *trusted)
{
    struct fault why = {0};

    *o = (struct outgoing){.server = t, .host = "localhost"};
    server_init(t, 1);
    server_start(t);
    o->tls = tls_client_create(trusted ? trusted : t->files.certificate, &why);
    assert_non_null(o->tls);
    assert_true(address_resolve("127.0.0.1", t->port, &o->to, &why));
}

static void outgoing_deinit(struct outgoing *o)
{
    server_deinit(o->server);
    tls_client_destroy(o->tls);
}

static void what_is_said_comes_back_and_the_end_is_clean(void **state)
{
    static uint8_t bytes[40000];
    struct test_server t;
    struct outgoing *o = calloc(1, sizeof *o);
    size_t before = open_descriptors();

    (void)state;
    outgoing_init(o, &t, NULL);
    o->say = slice_of(bytes, sizeof bytes);
    worker_call(workers_at(t.workers, 0), run_connect, o);
    assert_true(wait_for(&t, &o->opened, 1));
    assert_true(wait_for_size(&t, &o->heard_len, sizeof bytes));
    assert_memory_equal(o->heard, bytes, sizeof bytes);
    worker_call(workers_at(t.workers, 0), run_close, o);
    assert_true(wait_for(&t, &o->ended, 1));
    assert_int_equal(o->end, STREAM_END_LOCAL);
    outgoing_deinit(o);
    assert_int_equal(open_descriptors(), before);
    free(o);
}

static void a_connection_that_does_not_come_about_ends_in_the_handshake(void **state)
{
    static const struct {
        const char *name, *host;
        bool foreign, closed;
    } rows[] = {
        {"another name", "example.net", false, false},
        {"another address", "127.0.0.2", false, false},
        {"another authority", "localhost", true, false},
        {"nobody listens", "localhost", false, true},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct test_server t;
        struct outgoing *o = calloc(1, sizeof *o);
        struct test_files foreign;
        EVP_PKEY *key = EVP_EC_gen("P-256");
        int unused;

        test_files_write(&foreign, key, "localhost");
        EVP_PKEY_free(key);
        outgoing_init(o, &t, rows[i].foreign ? foreign.certificate : NULL);
        o->host = rows[i].host;
        unused = socket(AF_INET, SOCK_STREAM, 0); /* bound, and nobody listens there */
        if (rows[i].closed) {
            socklen_t len = sizeof o->to;

            address_set_port(&o->to, 0);
            assert_int_equal(bind(unused, &o->to.any, address_len(&o->to)), 0);
            getsockname(unused, &o->to.any, &len);
        }
        worker_call(workers_at(t.workers, 0), run_connect, o);
        assert_true(wait_for(&t, &o->ended, 1));
        if (o->end != STREAM_END_HANDSHAKE || o->opened != 0)
            fail_msg("%s: %d, opened %u", rows[i].name, o->end, o->opened);
        close(unused);
        outgoing_deinit(o);
        test_files_remove(&foreign);
        free(o);
    }
}

static void the_address_in_a_certificate_is_checked_as_one(void **state)
{
    struct test_server t;
    struct outgoing *o = calloc(1, sizeof *o);

    (void)state;
    outgoing_init(o, &t, NULL);
    o->host = "127.0.0.1";
    worker_call(workers_at(t.workers, 0), run_connect, o);
    assert_true(wait_for(&t, &o->opened, 1));
    outgoing_deinit(o);
    assert_int_equal(o->ended, 1);
    free(o);
}

static void what_cannot_be_is_said(void **state)
{
    union address to;
    struct fault why = {0};

    (void)state;
    assert_null(tls_client_create("/nonexistent/ca.pem", &why));
    assert_int_equal(why.status, ST_BAD_REQUEST);
    assert_false(address_resolve("no.such.name.invalid", 1, &to, &why));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_said_comes_back_and_the_end_is_clean),
        cmocka_unit_test(a_connection_that_does_not_come_about_ends_in_the_handshake),
        cmocka_unit_test(the_address_in_a_certificate_is_checked_as_one),
        cmocka_unit_test(what_cannot_be_is_said),
    };

    return cmocka_run_group_tests(tests, ignore_sigpipe, NULL);
}
