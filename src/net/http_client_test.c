#include "net/http_client.h"

#include "net/test_support.h"

/* Answers every request with the same text; keeps the request. */
static size_t answer_on_input(void *owner, slice input)
{
    struct test_connection *c = owner;
    struct test_server *t = c->server;
    size_t at;

    if (!slice_search(input, SLICE("\r\n\r\n"), &at) ||
        (slice_starts_with(input, SLICE("POST")) && !slice_ends_with(input, SLICE("}"))))
        return 0;
    t->input = malloc(input.len + 1);
    memcpy(t->input, input.ptr, input.len);
    t->input[input.len] = '\0';
    stream_write(c->stream, SLICE("HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n"
                                  "Connection: close\r\n\r\nnot there"));
    stream_close(c->stream);
    return input.len;
}

static const struct stream_handler answering_handler = {.on_input = answer_on_input,
                                                        .on_end = server_on_end};

struct site {
    struct test_server server;
    char url[64];
};

static void site_init(struct site *site)
{
    server_init(&site->server, 1);
    site->server.handler = &answering_handler;
    site->server.input_max = 8192;
    server_start(&site->server);
    snprintf(site->url, sizeof site->url, "https://127.0.0.1:%u/devices/d1", site->server.port);
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

static void a_streamed_answer_may_be_ended(void **state)
{
    struct site site;
    struct http_answer answer;
    struct fault why = {0};
    size_t seen = 0;

    (void)state;
    site_init(&site);
    struct http_call call = {.method = "GET",
                             .url = site.url,
                             .ca_file = site.server.files.certificate,
                             .on_part = stop_at_once,
                             .context = &seen};
    assert_int_equal(http_call(&call, &answer, &why), ST_OK);
    assert_int_equal(answer.status, 404);
    assert_true(seen > 0);
    assert_int_equal(answer.body.len, 0);
    buf_deinit(&answer.body);
    server_deinit(&site.server);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_status_is_an_answer),
        cmocka_unit_test(a_body_is_sent_as_json),
        cmocka_unit_test(a_streamed_answer_may_be_ended),
        cmocka_unit_test(without_trust_or_https_there_is_no_answer),
    };

    return cmocka_run_group_tests(tests, ignore_sigpipe, NULL);
}
