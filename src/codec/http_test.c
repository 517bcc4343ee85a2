#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "codec/http.h"

#define GET "GET / HTTP/1.1\r\n"
#define HOST "Host: h\r\n"
#define END "\r\n"

static enum http_result parse(slice input, struct http_request *r)
{
    struct fault why = {0};
    enum http_result result = http_request_parse(input, r, &why);

    if (result != HTTP_COMPLETE && result != HTTP_MORE && why.text[0] == '\0')
        fail_msg("a refusal without a cause: %.*s", SLICE_FMT(input));
    return result;
}

static const struct valid {
    const char *name, *text, *path, *query, *host;
    enum http_method method;
    enum http_body body;
    uint64_t length;
    bool keep_alive, expects_continue, upgrade;
} valid[] = {
    {"least", GET HOST END, "/", "", "h", HTTP_GET, HTTP_BODY_NONE, 0, true, false, false},
    {"path and query", "PUT /a/b%2F?x=1&y=?/ HTTP/1.1\r\nhost:h.example:8443\r\n\r\n", "/a/b%2F",
     "x=1&y=?/", "h.example:8443", HTTP_PUT, HTTP_BODY_NONE, 0, true, false, false},
    {"empty query", "GET /? HTTP/1.1\r\n" HOST END, "/", "", "h", HTTP_GET, HTTP_BODY_NONE, 0, true,
     false, false},
    {"IPv6 host", GET "Host: [::1]:443\r\n\r\n", "/", "", "[::1]:443", HTTP_GET, HTTP_BODY_NONE, 0,
     true, false, false},
    {"length", "POST / HTTP/1.1\r\n" HOST "Content-Length: 12\r\n\r\n", "/", "", "h", HTTP_POST,
     HTTP_BODY_LENGTH, 12, true, false, false},
    {"length zero", "DELETE / HTTP/1.1\r\n" HOST "content-length:0\r\n\r\n", "/", "", "h",
     HTTP_DELETE, HTTP_BODY_LENGTH, 0, true, false, false},
    {"greatest length", GET HOST "Content-Length: 18446744073709551615\r\n\r\n", "/", "", "h",
     HTTP_GET, HTTP_BODY_LENGTH, UINT64_MAX, true, false, false},
    {"GET with a body", GET HOST "Content-Length: 2\r\n\r\n", "/", "", "h", HTTP_GET,
     HTTP_BODY_LENGTH, 2, true, false, false},
    {"chunked", "PATCH / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n", "/", "", "h",
     HTTP_PATCH, HTTP_BODY_CHUNKED, 0, true, false, false},
    {"chunked in capitals", GET HOST "TRANSFER-ENCODING:\tChunked \t\r\n\r\n", "/", "", "h",
     HTTP_GET, HTTP_BODY_CHUNKED, 0, true, false, false},
    {"close", GET HOST "Connection: close\r\n\r\n", "/", "", "h", HTTP_GET, HTTP_BODY_NONE, 0,
     false, false, false},
    {"close in a list", GET HOST "Connection: keep-alive , CLOSE\r\n\r\n", "/", "", "h", HTTP_GET,
     HTTP_BODY_NONE, 0, false, false, false},
    {"upgrade", GET HOST "Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\r\n", "/", "",
     "h", HTTP_GET, HTTP_BODY_NONE, 0, true, false, true},
    {"two Connections", GET HOST "Connection: x\r\nConnection: upgrade\r\n\r\n", "/", "", "h",
     HTTP_GET, HTTP_BODY_NONE, 0, true, false, true},
    {"expect", "PUT / HTTP/1.1\r\n" HOST "Expect: 100-Continue\r\n\r\n", "/", "", "h", HTTP_PUT,
     HTTP_BODY_NONE, 0, true, true, false},
    {"1.0", "GET / HTTP/1.0\r\n\r\n", "/", "", "", HTTP_GET, HTTP_BODY_NONE, 0, false, false,
     false},
    {"1.0 kept", "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n" HOST END, "/", "", "h", HTTP_GET,
     HTTP_BODY_NONE, 0, true, false, false},
    {"1.0 expects nothing", "PUT / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n", "/", "", "", HTTP_PUT,
     HTTP_BODY_NONE, 0, false, false, false},
    {"OPTIONS *", "OPTIONS * HTTP/1.1\r\n" HOST END, "*", "", "h", HTTP_OPTIONS, HTTP_BODY_NONE, 0,
     true, false, false},
    {"HEAD", "HEAD / HTTP/1.1\r\n" HOST END, "/", "", "h", HTTP_HEAD, HTTP_BODY_NONE, 0, true,
     false, false},
    {"another method", "M-SEARCH / HTTP/1.1\r\n" HOST END, "/", "", "h", HTTP_METHOD_OTHER,
     HTTP_BODY_NONE, 0, true, false, false},
    {"method's case counts", "get / HTTP/1.1\r\n" HOST END, "/", "", "h", HTTP_METHOD_OTHER,
     HTTP_BODY_NONE, 0, true, false, false},
    {"one empty line before", "\r\n" GET HOST END, "/", "", "h", HTTP_GET, HTTP_BODY_NONE, 0, true,
     false, false},
    {"odd but legal headers", GET HOST "!#$%&'*+-.^_`|~09AZaz: \x80\xff\t\"\r\nE:\r\nB: \r\n\r\n",
     "/", "", "h", HTTP_GET, HTTP_BODY_NONE, 0, true, false, false},
};

static void assert_text(const char *name, const char *what, slice have, const char *want)
{
    if (!slice_equal(have, slice_str(want)))
        fail_msg("%s: %s is '%.*s'", name, what, SLICE_FMT(have));
}

static void valid_requests_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(valid); i++) {
        const struct valid *v = &valid[i];
        struct http_request r;

        if (parse(slice_str(v->text), &r) != HTTP_COMPLETE)
            fail_msg("%s: refused", v->name);
        assert_text(v->name, "path", r.path, v->path);
        assert_text(v->name, "query", r.query, v->query);
        assert_text(v->name, "host", r.host, v->host);
        if (r.method != v->method || r.body != v->body || r.content_length != v->length)
            fail_msg("%s: method or body", v->name);
        if (r.keep_alive != v->keep_alive || r.expects_continue != v->expects_continue ||
            r.upgrade != v->upgrade)
            fail_msg("%s: connection", v->name);
        assert_int_equal(r.head_size, strlen(v->text));
    }
}

/* Also: what stands behind the head is not looked at. */
static void every_split_gives_the_same_reading(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(valid); i++) {
        size_t len = strlen(valid[i].text);

        for (size_t cut = 0; cut <= len + 2; cut++) {
            char *text = malloc(cut ? cut : 1); /* its own block: a read past it is seen */
            struct http_request r;
            enum http_result want = cut < len ? HTTP_MORE : HTTP_COMPLETE;

            assert_non_null(text);
            memcpy(text, valid[i].text, cut < len ? cut : len);
            if (cut > len)
                memset(text + len, '\0', cut - len);
            if (parse(slice_of(text, cut), &r) != want)
                fail_msg("%s: cut at %zu", valid[i].name, cut);
            if (want == HTTP_COMPLETE)
                assert_int_equal(r.head_size, len);
            free(text);
        }
    }
}

#define ROW(name, text, result)                                                                    \
    {                                                                                              \
        name, {(const uint8_t *)(text), sizeof(text) - 1}, result                                  \
    }

static void malformed_requests_are_refused(void **state)
{
    static const struct {
        const char *name;
        slice text;
        enum http_result result;
    } rows[] = {
        ROW("LF alone", "GET / HTTP/1.1\nHost: h\n\n", HTTP_BAD),
        ROW("LF alone behind a header", GET "Host: h\n\r\n", HTTP_BAD),
        ROW("LF alone as last line", GET HOST "\n", HTTP_BAD),
        ROW("LF before all", "\n" GET HOST END, HTTP_BAD),
        ROW("two empty lines before", "\r\n\r\n" GET HOST END, HTTP_BAD),
        ROW("CR in a value", GET HOST "A: b\rc\r\n\r\n", HTTP_BAD),
        ROW("CR CR LF", GET HOST "A: b\r\r\n\r\n", HTTP_BAD),
        ROW("CR in the request line", "GET /\r HTTP/1.1\r\n" HOST END, HTTP_BAD),
        ROW("NUL in a value", GET HOST "A: b\0c\r\n\r\n", HTTP_BAD),
        ROW("NUL in a name", GET HOST "A\0: b\r\n\r\n", HTTP_BAD),
        ROW("NUL in the target", "GET /\0 HTTP/1.1\r\n" HOST END, HTTP_BAD),
        ROW("NUL in Host", GET "Host: h\0\r\n\r\n", HTTP_BAD),
        ROW("control character", GET HOST "A: \x01\r\n\r\n", HTTP_BAD),
        ROW("DEL", GET HOST "A: \x7f\r\n\r\n", HTTP_BAD),
        ROW("obs-fold", GET HOST "A: b\r\n c\r\n\r\n", HTTP_BAD),
        ROW("obs-fold with a tab", GET HOST "A: b\r\n\tc: d\r\n\r\n", HTTP_BAD),
        ROW("obs-fold before chunked", GET HOST "Transfer-Encoding:\r\n chunked\r\n\r\n",
            HTTP_NOT_SUPPORTED),
        ROW("fold at once", GET " " HOST END, HTTP_BAD),
        ROW("blank before the colon", GET HOST "A : b\r\n\r\n", HTTP_BAD),
        ROW("tab before the colon", GET "Host\t: h\r\n\r\n", HTTP_BAD),
        ROW("empty name", GET HOST ": b\r\n\r\n", HTTP_BAD),
        ROW("no colon", GET HOST "A\r\n\r\n", HTTP_BAD),
        ROW("name in brackets", GET HOST "(A): b\r\n\r\n", HTTP_BAD),
        ROW("name not ASCII", GET HOST "\xc3\xa4: b\r\n\r\n", HTTP_BAD),
        ROW("no Host", GET END, HTTP_BAD),
        ROW("two Hosts", GET HOST HOST END, HTTP_BAD),
        ROW("two Hosts in 1.0", "GET / HTTP/1.0\r\n" HOST HOST END, HTTP_BAD),
        ROW("empty Host", GET "Host:\r\n\r\n", HTTP_BAD),
        ROW("list of Hosts", GET "Host: a, b\r\n\r\n", HTTP_BAD),
        ROW("Host with a path", GET "Host: a/b\r\n\r\n", HTTP_BAD),
        ROW("Host with a user", GET "Host: a@b\r\n\r\n", HTTP_BAD),
        ROW("length with a sign", GET HOST "Content-Length: +3\r\n\r\n", HTTP_BAD),
        ROW("negative length", GET HOST "Content-Length: -1\r\n\r\n", HTTP_BAD),
        ROW("hex length", GET HOST "Content-Length: 0x3\r\n\r\n", HTTP_BAD),
        ROW("empty length", GET HOST "Content-Length:\r\n\r\n", HTTP_BAD),
        ROW("fraction", GET HOST "Content-Length: 3.0\r\n\r\n", HTTP_BAD),
        ROW("list of lengths", GET HOST "Content-Length: 3, 3\r\n\r\n", HTTP_BAD),
        ROW("blank in the length", GET HOST "Content-Length: 3 3\r\n\r\n", HTTP_BAD),
        ROW("too great a length", GET HOST "Content-Length: 18446744073709551616\r\n\r\n",
            HTTP_BAD),
        ROW("two lengths", GET HOST "Content-Length: 3\r\nContent-Length: 4\r\n\r\n", HTTP_BAD),
        ROW("two equal lengths", GET HOST "Content-Length: 3\r\ncontent-length: 3\r\n\r\n",
            HTTP_BAD),
        ROW("length and chunked",
            GET HOST "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", HTTP_BAD),
        ROW("chunked and length",
            GET HOST "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n", HTTP_BAD),
        ROW("chunked twice",
            GET HOST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", HTTP_BAD),
        ROW("chunked in 1.0", "GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", HTTP_BAD),
        ROW("gzip, chunked", GET HOST "Transfer-Encoding: gzip, chunked\r\n\r\n",
            HTTP_NOT_SUPPORTED),
        ROW("chunked, chunked", GET HOST "Transfer-Encoding: chunked, chunked\r\n\r\n",
            HTTP_NOT_SUPPORTED),
        ROW("xchunked", GET HOST "Transfer-Encoding: xchunked\r\n\r\n", HTTP_NOT_SUPPORTED),
        ROW("chunked;x", GET HOST "Transfer-Encoding: chunked;x\r\n\r\n", HTTP_NOT_SUPPORTED),
        ROW("identity", GET HOST "Transfer-Encoding: identity\r\n\r\n", HTTP_NOT_SUPPORTED),
        ROW("empty coding", GET HOST "Transfer-Encoding:\r\n\r\n", HTTP_NOT_SUPPORTED),
        ROW("another expectation", GET HOST "Expect: tea\r\n\r\n", HTTP_BAD),
        ROW("HTTP/2.0", "GET / HTTP/2.0\r\n" HOST END, HTTP_NOT_SUPPORTED),
        ROW("HTTP/1.2", "GET / HTTP/1.2\r\n" HOST END, HTTP_NOT_SUPPORTED),
        ROW("HTTP/0.9", "GET / HTTP/0.9\r\n" HOST END, HTTP_NOT_SUPPORTED),
        ROW("no version", "GET /\r\n" HOST END, HTTP_BAD),
        ROW("HTTP/1.10", "GET / HTTP/1.10\r\n" HOST END, HTTP_BAD),
        ROW("http/1.1", "GET / http/1.1\r\n" HOST END, HTTP_BAD),
        ROW("HTTP/1.1 and a blank", "GET / HTTP/1.1 \r\n" HOST END, HTTP_BAD),
        ROW("two blanks", "GET  / HTTP/1.1\r\n" HOST END, HTTP_BAD),
        ROW("two blanks behind", "GET /  HTTP/1.1\r\n" HOST END, HTTP_BAD),
        ROW("blank in the target", "GET /a b HTTP/1.1\r\n" HOST END, HTTP_BAD),
        ROW("tab for a blank", "GET\t/\tHTTP/1.1\r\n" HOST END, HTTP_BAD),
        ROW("blank before", " GET / HTTP/1.1\r\n" HOST END, HTTP_BAD),
        ROW("no method", "/ HTTP/1.1\r\n" HOST END, HTTP_BAD),
        ROW("method no token", "G(T / HTTP/1.1\r\n" HOST END, HTTP_BAD),
        ROW("relative target", "GET a HTTP/1.1\r\n" HOST END, HTTP_BAD),
        ROW("absolute target", "GET https://h/a HTTP/1.1\r\n" HOST END, HTTP_BAD),
        ROW("authority", "CONNECT h:443 HTTP/1.1\r\n" HOST END, HTTP_BAD),
        ROW("* for GET", "GET * HTTP/1.1\r\n" HOST END, HTTP_BAD),
        ROW("fragment", "GET /a#b HTTP/1.1\r\n" HOST END, HTTP_BAD),
        ROW("target not ASCII", "GET /\xc3\xa4 HTTP/1.1\r\n" HOST END, HTTP_BAD),
        ROW("TLS on a plain port", "\x16\x03\x01\x02\n", HTTP_BAD),
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        bool refused = false;
        struct http_request r;
        enum http_result result = parse(rows[i].text, &r);

        if (result != rows[i].result)
            fail_msg("%s: result %d", rows[i].name, result);
        /* Whatever is cut off, it is never taken for a request; and once refused stays refused. */
        for (size_t cut = 0; cut < rows[i].text.len; cut++) {
            result = parse(slice_first(rows[i].text, cut), &r);
            if (result == HTTP_COMPLETE || (refused && result == HTTP_MORE))
                fail_msg("%s: result %d when cut at %zu", rows[i].name, result, cut);
            refused = result != HTTP_MORE;
        }
    }
}

static char *many(char *to, char c, size_t count)
{
    memset(to, c, count);
    return to + count;
}

static char *text(char *to, const char *from)
{
    size_t len = strlen(from);

    memcpy(to, from, len);
    return to + len;
}

static void the_request_line_has_8192_bytes_at_most(void **state)
{
    static char input[HTTP_LINE_MAX + 64];
    struct http_request r;

    (void)state;
    for (size_t len = HTTP_LINE_MAX - 1; len <= HTTP_LINE_MAX + 1; len++) {
        enum http_result want = len > HTTP_LINE_MAX ? HTTP_LINE_TOO_LONG : HTTP_COMPLETE;
        char *at = many(text(input, "GET /"), 'x', len - strlen("GET / HTTP/1.1"));

        at = text(at, " HTTP/1.1");
        assert_int_equal(at - input, len);
        at = text(at, "\r\nHost: h\r\n\r\n");
        assert_int_equal(parse(slice_of(input, (size_t)(at - input)), &r), want);
    }
    many(input, 'x', sizeof input);
    assert_int_equal(parse(slice_of(input, HTTP_LINE_MAX), &r), HTTP_MORE);
    assert_int_equal(parse(slice_of(input, HTTP_LINE_MAX + 1), &r), HTTP_LINE_TOO_LONG);
    input[HTTP_LINE_MAX] = '\r';
    assert_int_equal(parse(slice_of(input, HTTP_LINE_MAX + 1), &r), HTTP_MORE);
}

static void headers_have_32768_bytes_at_most(void **state)
{
    static char input[HTTP_HEADERS_MAX_BYTES + 64];
    struct http_request r;
    char *headers = text(input, GET);

    (void)state;
    for (size_t len = HTTP_HEADERS_MAX_BYTES - 1; len <= HTTP_HEADERS_MAX_BYTES + 1; len++) {
        enum http_result want = len > HTTP_HEADERS_MAX_BYTES ? HTTP_TOO_LARGE : HTTP_COMPLETE;
        char *at = text(headers, HOST "A: ");

        at = many(at, 'x', len - strlen(HOST "A: \r\n"));
        at = text(at, "\r\n");
        assert_int_equal(at - headers, len);
        at = text(at, END);
        assert_int_equal(parse(slice_of(input, (size_t)(at - input)), &r), want);
    }
    many(text(headers, HOST "A: "), 'x', HTTP_HEADERS_MAX_BYTES);
    assert_int_equal(parse(slice_of(input, strlen(GET) + HTTP_HEADERS_MAX_BYTES - 2), &r),
                     HTTP_MORE);
    assert_int_equal(parse(slice_of(input, strlen(GET) + HTTP_HEADERS_MAX_BYTES - 1), &r),
                     HTTP_TOO_LARGE);
}

static void there_are_100_headers_at_most(void **state)
{
    static char input[HTTP_HEADERS_MAX * 8 + 64];
    struct http_request r;

    (void)state;
    for (size_t count = HTTP_HEADERS_MAX - 1; count <= HTTP_HEADERS_MAX + 1; count++) {
        char *at = text(input, GET HOST);

        for (size_t i = 1; i < count; i++)
            at = text(at, "A: b\r\n");
        at = text(at, END);
        if (count > HTTP_HEADERS_MAX) {
            assert_int_equal(parse(slice_of(input, (size_t)(at - input)), &r), HTTP_TOO_LARGE);
            continue;
        }
        assert_int_equal(parse(slice_of(input, (size_t)(at - input)), &r), HTTP_COMPLETE);
        assert_int_equal(r.header_count, count);
    }
}

static void headers_are_found_without_case(void **state)
{
    struct http_request r;

    (void)state;
    assert_int_equal(
        parse(SLICE(GET HOST "If-Match:  \"*\" \t\r\nEmpty:\r\nA: 1\r\na: 2\r\n\r\n"), &r),
        HTTP_COMPLETE);
    assert_text("trimmed", "value", http_header(&r, SLICE("IF-match")), "\"*\"");
    assert_text("first of two", "value", http_header(&r, SLICE("a")), "1");
    assert_text("empty", "value", http_header(&r, SLICE("empty")), "");
    assert_non_null(http_header(&r, SLICE("empty")).ptr);
    assert_null(http_header(&r, SLICE("If-Matc")).ptr);
}

static void methods_have_names(void **state)
{
    (void)state;
    assert_string_equal(http_method_name(HTTP_GET), "GET");
    assert_string_equal(http_method_name(HTTP_OPTIONS), "OPTIONS");
    assert_string_equal(http_method_name(HTTP_METHOD_OTHER), "other");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(valid_requests_are_read),
        cmocka_unit_test(every_split_gives_the_same_reading),
        cmocka_unit_test(malformed_requests_are_refused),
        cmocka_unit_test(the_request_line_has_8192_bytes_at_most),
        cmocka_unit_test(headers_have_32768_bytes_at_most),
        cmocka_unit_test(there_are_100_headers_at_most),
        cmocka_unit_test(headers_are_found_without_case),
        cmocka_unit_test(methods_have_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
