#include "net/http_client.h"

#include "net/egress.h"
#include "net/test_support.h"

/* Answers with the same text whatever is asked: under /devices/ that there is nothing, under
 * /messages that here they are. Keeps the request. */
static size_t answer_on_input(void *owner, slice input)
{
    struct test_connection *c = owner;
    struct test_server *t = c->server;
    const char *status;
    size_t at;

    if (!slice_search(input, SLICE("\r\n\r\n"), &at) ||
        (slice_starts_with(input, SLICE("POST")) && !slice_ends_with(input, SLICE("}"))))
        return 0;
    t->input = malloc(input.len + 1);
    memcpy(t->input, input.ptr, input.len);
    t->input[input.len] = '\0';
    status = slice_search(input, SLICE(" /messages "), &at) ? "200 OK" : "404 Not Found";
    stream_write(c->stream, SLICE("HTTP/1.1 "));
    stream_write(c->stream, slice_str(status));
    stream_write(c->stream, SLICE("\r\nContent-Length: 9\r\nConnection: close\r\n\r\nnot there"));
    stream_close(c->stream);
    return input.len;
}

static const struct stream_handler answering_handler = {.on_input = answer_on_input,
                                                        .on_end = server_on_end};

struct site {
    struct test_server server;
    char url[64];
};

static void site_init_at(struct site *site, const char *path)
{
    server_init(&site->server, 1);
    site->server.handler = &answering_handler;
    site->server.input_max = 8192;
    server_start(&site->server);
    snprintf(site->url, sizeof site->url, "https://127.0.0.1:%u%s", site->server.port, path);
}

static void site_init(struct site *site)
{
    site_init_at(site, "/devices/d1");
}

static void any_status_is_an_answer(void **state)
{
    struct site site;
    struct http_answer answer;
    struct fault why = {0};

    (void)state;
    site_init(&site);
    struct http_call call = {.method = "GET",
                             .url = site.url,
                             .ca_file = site.server.files.certificate,
                             .authorization = "SharedAccessSignature sr=x",
                             .timeout_s = 10};
    if (http_call(&call, &answer, &why) != ST_OK)
        fail_msg("%s", why.text);
    assert_int_equal(answer.status, 404);
    assert_true(slice_equal(buf_slice(&answer.body), SLICE("not there")));
    assert_non_null(strstr((char *)site.server.input, "GET /devices/d1 HTTP/1.1\r\n"));
    assert_non_null(
        strstr((char *)site.server.input, "Authorization: SharedAccessSignature sr=x\r\n"));
    buf_deinit(&answer.body);
    server_deinit(&site.server);
}

static void a_body_is_sent_as_json(void **state)
{
    struct site site;
    struct http_answer answer;
    struct fault why = {0};

    (void)state;
    site_init(&site);
    struct http_call call = {.method = "POST",
                             .url = site.url,
                             .ca_file = site.server.files.certificate,
                             .body = SLICE("{\"a\":1}"),
                             .timeout_s = 10};
    if (http_call(&call, &answer, &why) != ST_OK)
        fail_msg("%s", why.text);
    assert_non_null(strstr((char *)site.server.input, "Content-Type: application/json\r\n"));
    assert_non_null(strstr((char *)site.server.input, "\r\n\r\n{\"a\":1}"));
    buf_deinit(&answer.body);
    server_deinit(&site.server);
}

static bool stop_at_once(void *context, slice part)
{
    *(size_t *)context += part.len;
    return false;
}

/* A call whose parts go to stop_at_once, which counts their bytes. */
static size_t stream_from(const char *path, struct http_answer *ret)
{
    struct site site;
    struct fault why = {0};
    size_t seen = 0;

    site_init_at(&site, path);
    struct http_call call = {.method = "GET",
                             .url = site.url,
                             .ca_file = site.server.files.certificate,
                             .on_part = stop_at_once,
                             .context = &seen};
    assert_int_equal(http_call(&call, ret, &why), ST_OK);
    server_deinit(&site.server);
    return seen;
}

static void a_streamed_answer_may_be_ended(void **state)
{
    struct http_answer answer;

    (void)state;
    assert_true(stream_from("/messages", &answer) > 0);
    assert_int_equal(answer.status, 200);
    assert_int_equal(answer.body.len, 0);
    buf_deinit(&answer.body);
}

static void a_refusal_is_collected_though_parts_were_awaited(void **state)
{
    struct http_answer answer;

    (void)state;
    assert_true(stream_from("/devices/d1", &answer) == 0);
    assert_int_equal(answer.status, 404);
    assert_true(slice_equal(buf_slice(&answer.body), SLICE("not there")));
    buf_deinit(&answer.body);
}

static void without_trust_or_https_there_is_no_answer(void **state)
{
    static const char *const urls[] = {"http://127.0.0.1:1/", "file:///etc/passwd", "no url",
                                       "https://127.0.0.1:1/"};
    struct site site;
    struct http_answer answer;
    struct fault why = {0};

    (void)state;
    site_init(&site);
    struct http_call call = {.method = "GET", .url = site.url, .timeout_s = 10};
    assert_int_equal(http_call(&call, &answer, &why), ST_UNAVAILABLE); /* an unknown issuer */
    assert_non_null(strstr(why.text, site.url));
    for (size_t i = 0; i < COUNT_OF(urls); i++) {
        call.url = urls[i];
        if (http_call(&call, &answer, &why) != ST_UNAVAILABLE)
            fail_msg("%s was answered", urls[i]);
    }
    server_deinit(&site.server);
}

/* --- calls to an address that somebody else chose --------------------------------------------- */

/* Answers over plain TCP, always with the same bytes. */
struct plain_site {
    int fd;
    uint16_t port;
    slice answer;
    const char *filler; /* sent so many times behind the answer */
    unsigned fillers;
    unsigned resets; /* connections that are reset in place of an answer */
    bool keeps;      /* a connection has many answers */
    atomic_uint connections;
    char request[4096];
    char url[64];
    struct egress_rules rules;
    pthread_t thread;
};

static bool plain_read(struct plain_site *site, int fd)
{
    size_t len = 0;
    ssize_t got;

    while (len < sizeof site->request - 1 &&
           (got = recv(fd, site->request + len, sizeof site->request - 1 - len, 0)) > 0) {
        len += (size_t)got;
        site->request[len] = '\0';
        if (strstr(site->request, "\r\n\r\n"))
            return true;
    }
    return false;
}

static bool plain_write(struct plain_site *site, int fd)
{
    ssize_t got = send(fd, site->answer.ptr, site->answer.len, MSG_NOSIGNAL);

    for (unsigned i = 0; got >= 0 && i < site->fillers; i++)
        got = send(fd, site->filler, strlen(site->filler), MSG_NOSIGNAL);
    return got >= 0;
}

static void plain_serve(struct plain_site *site, int fd)
{
    static const struct linger at_once = {.l_onoff = 1};
    unsigned before = atomic_fetch_add(&site->connections, 1);

    if (before < site->resets) {
        (void)plain_read(site, fd);
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        return;
    }
    while (plain_read(site, fd) && plain_write(site, fd) && site->keeps)
        continue;
}

static void *plain_main(void *context)
{
    struct plain_site *site = context;
    int fd;

    while ((fd = accept(site->fd, NULL, NULL)) >= 0) {
        plain_serve(site, fd);
        close(fd);
    }
    return NULL;
}

static void plain_open(struct plain_site *site, slice answer, const char *filler, unsigned fillers)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t len = sizeof at;
    char port[8];

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    *site = (struct plain_site){.answer = answer, .filler = filler, .fillers = fillers};
    site->fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(site->fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(site->fd, 8), 0);
    assert_int_equal(getsockname(site->fd, (struct sockaddr *)&at, &len), 0);
    site->port = ntohs(at.sin_port);
    snprintf(site->url, sizeof site->url, "http://127.0.0.1:%u/ocsp", site->port);
    snprintf(port, sizeof port, "%u", site->port);
    assert_true(egress_rules_parse(SLICE("127.0.0.0/8"), slice_str(port), &site->rules,
                                   &(struct fault){0}));
    assert_int_equal(pthread_create(&site->thread, NULL, plain_main, site), 0);
}

static void plain_close(struct plain_site *site)
{
    shutdown(site->fd, SHUT_RDWR);
    pthread_join(site->thread, NULL);
    close(site->fd);
}

static struct http_call plain_call(const struct plain_site *site)
{
    return (struct http_call){.method = "POST",
                              .url = site->url,
                              .may_be_plain = true,
                              .accept = "application/ocsp-response",
                              .body = SLICE("question"),
                              .content_type = "application/ocsp-request",
                              .timeout_s = 5,
                              .answer_max = 1024,
                              .egress = &site->rules};
}

#define OK_HEAD "HTTP/1.1 200 OK\r\nConnection: close\r\n"

static void a_listed_address_is_asked_in_the_callers_words(void **state)
{
    struct plain_site site;
    struct http_answer answer;
    struct fault why = {0};

    (void)state;
    plain_open(&site, SLICE(OK_HEAD "Content-Length: 6\r\n\r\nanswer"), NULL, 0);
    setenv("http_proxy", "http://127.0.0.1:1", 1); /* is not used */
    struct http_call call = plain_call(&site);
    if (http_call(&call, &answer, &why) != ST_OK)
        fail_msg("%s", why.text);
    unsetenv("http_proxy");
    assert_int_equal(answer.status, 200);
    assert_true(slice_equal(buf_slice(&answer.body), SLICE("answer")));
    assert_non_null(strstr(site.request, "POST /ocsp HTTP/1.1\r\n"));
    assert_non_null(strstr(site.request, "Content-Type: application/ocsp-request\r\n"));
    assert_non_null(strstr(site.request, "Accept: application/ocsp-response\r\n"));
    buf_deinit(&answer.body);
    plain_close(&site);
}

static void addresses_that_are_not_listed_are_not_dialled(void **state)
{
    static const char *const hosts[] = {"127.0.0.1",  "localhost", "127.1",
                                        "0x7f000001", "0.0.0.0",   "[::ffff:127.0.0.1]"};
    struct plain_site site;
    struct http_answer answer;

    (void)state;
    plain_open(&site, SLICE(OK_HEAD "\r\n"), NULL, 0);
    site.rules.allowed_count = 0;
    for (size_t i = 0; i < COUNT_OF(hosts); i++) {
        struct http_call call = plain_call(&site);
        struct fault why = {0};

        snprintf(site.url, sizeof site.url, "http://%s:%u/", hosts[i], site.port);
        if (http_call(&call, &answer, &why) != ST_UNAVAILABLE ||
            !strstr(why.text, "is not allowed: "))
            fail_msg("%s: %s", hosts[i], why.text);
    }
    assert_int_equal(atomic_load(&site.connections), 0);
    plain_close(&site);
}

static void a_redirect_is_an_answer_and_not_followed(void **state)
{
    struct plain_site site;
    struct http_answer answer;
    struct fault why = {0};

    (void)state;
    plain_open(&site, SLICE("HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n"),
               NULL, 0);
    struct http_call call = plain_call(&site);
    assert_int_equal(http_call(&call, &answer, &why), ST_OK);
    assert_int_equal(answer.status, 302);
    assert_int_equal(atomic_load(&site.connections), 1);
    buf_deinit(&answer.body);
    plain_close(&site);
}

static void a_client_keeps_its_connection(void **state)
{
    struct http_client *client = http_client_create();
    struct plain_site site;
    struct fault why = {0};

    (void)state;
    plain_open(&site, SLICE("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nanswer"), NULL, 0);
    site.keeps = true;
    struct http_call call = plain_call(&site);
    for (int i = 0; i < 5; i++) {
        struct http_answer answer;

        call.method = i == 3 ? "GET" : "POST"; /* nothing of a call stays for the next */
        call.body = i == 3 ? (slice){0} : SLICE("question");
        if (http_client_call(client, &call, &answer, &why) != ST_OK)
            fail_msg("%s", why.text);
        assert_true(slice_equal(buf_slice(&answer.body), SLICE("answer")));
        assert_int_equal(!strstr(site.request, "Content-Type"), i == 3);
        buf_deinit(&answer.body);
    }
    assert_int_equal(atomic_load(&site.connections), 1);
    http_client_destroy(client);
    plain_close(&site);
}

static void a_question_is_asked_again_when_its_connection_is_reset(void **state)
{
    static const struct {
        const char *method;
        unsigned retries, connections;
        enum status status;
    } rows[] = {
        {"GET", 2, 3, ST_OK},
        {"GET", 1, 2, ST_UNAVAILABLE},
        {"GET", 0, 1, ST_UNAVAILABLE},
        {"POST", 2, 1, ST_UNAVAILABLE}, /* what changes something may have been done */
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct plain_site site;
        struct http_answer answer;
        struct fault why = {0};

        plain_open(&site, SLICE(OK_HEAD "Content-Length: 6\r\n\r\nanswer"), NULL, 0);
        site.resets = 2;
        struct http_call call = plain_call(&site);
        call.method = rows[i].method;
        call.body = (slice){0};
        call.retries = rows[i].retries;
        if (http_call(&call, &answer, &why) != rows[i].status ||
            atomic_load(&site.connections) != rows[i].connections)
            fail_msg("row %zu: %s", i, why.text);
        if (rows[i].status == ST_OK)
            buf_deinit(&answer.body);
        plain_close(&site);
    }
}

static void what_is_too_long_ends_the_call(void **state)
{
    static const struct {
        const char *name, *answer, *filler;
        unsigned fillers;
    } rows[] = {
        {"a body of a stated length", OK_HEAD "Content-Length: 1025\r\n\r\n", "01234", 205},
        {"a body without a length", OK_HEAD "\r\n", "01234", 205},
        {"headers", OK_HEAD, "X: 0123456789012345678901234567890123456789\r\n", 2000},
        {"interim answers", "", "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", 4000},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct plain_site site;
        struct http_answer answer;
        struct fault why = {0};

        plain_open(&site, slice_str(rows[i].answer), rows[i].filler, rows[i].fillers);
        struct http_call call = plain_call(&site);
        if (http_call(&call, &answer, &why) != ST_UNAVAILABLE || !strstr(why.text, "too long"))
            fail_msg("%s: %s", rows[i].name, why.text);
        plain_close(&site);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_status_is_an_answer),
        cmocka_unit_test(a_body_is_sent_as_json),
        cmocka_unit_test(a_streamed_answer_may_be_ended),
        cmocka_unit_test(a_refusal_is_collected_though_parts_were_awaited),
        cmocka_unit_test(without_trust_or_https_there_is_no_answer),
        cmocka_unit_test(a_listed_address_is_asked_in_the_callers_words),
        cmocka_unit_test(addresses_that_are_not_listed_are_not_dialled),
        cmocka_unit_test(a_redirect_is_an_answer_and_not_followed),
        cmocka_unit_test(a_client_keeps_its_connection),
        cmocka_unit_test(a_question_is_asked_again_when_its_connection_is_reset),
        cmocka_unit_test(what_is_too_long_ends_the_call),
    };

    return cmocka_run_group_tests(tests, ignore_sigpipe, NULL);
}
