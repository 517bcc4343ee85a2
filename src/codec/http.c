#include "codec/http.h"

#include "codec/http_bytes.h"

static const struct {
    const char *name;
    enum http_method method;
} methods[] = {
    {"GET", HTTP_GET},     {"HEAD", HTTP_HEAD},     {"POST", HTTP_POST},       {"PUT", HTTP_PUT},
    {"PATCH", HTTP_PATCH}, {"DELETE", HTTP_DELETE}, {"OPTIONS", HTTP_OPTIONS},
};

const char *http_method_name(enum http_method method)
{
    for (size_t i = 0; i < COUNT_OF(methods); i++) {
        if (methods[i].method == method)
            return methods[i].name;
    }
    return "other";
}

static enum http_method method_of(slice name)
{
    for (size_t i = 0; i < COUNT_OF(methods); i++) {
        if (slice_equal(name, slice_str(methods[i].name)))
            return methods[i].method;
    }
    return HTTP_METHOD_OTHER;
}

/* A head that is being read, line by line: a line that is there whole is judged at once. */
struct head {
    slice input;
    size_t at; /* where the next line begins */
    struct http_request request;
    bool is_1_1;
    bool has_host, has_length, has_coding;
    bool close, stay; /* words of Connection */
    struct fault *why;
};

static enum http_result refuse(struct head *h, enum http_result result, const char *cause)
{
    bool large = result == HTTP_LINE_TOO_LONG || result == HTTP_TOO_LARGE;

    fault_set(h->why, large ? ST_TOO_LARGE : ST_BAD_REQUEST, "http: %s", cause);
    return result;
}

static bool is_token(slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (!http_is_token_byte(s.ptr[i]))
            return false;
    }
    return s.len > 0;
}

static bool is_value(slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (!http_is_value_byte(s.ptr[i]))
            return false;
    }
    return true;
}

/* The next line without its CRLF, of at most `max` bytes; `too_long` is the answer beyond. */
static enum http_result next_line(struct head *h, size_t max, enum http_result too_long, slice *ret)
{
    slice rest = slice_from(h->input, h->at);
    size_t lf, len;
    bool whole = slice_find(rest, '\n', &lf);

    len = whole ? lf : rest.len;
    if (rest.len == 0)
        return HTTP_MORE;
    if (whole && (lf == 0 || rest.ptr[lf - 1] != '\r'))
        return refuse(h, HTTP_BAD, "a line ends in LF alone");
    if (len > 0 && rest.ptr[len - 1] == '\r')
        len--;
    if (len > max)
        return refuse(h, too_long, "line or headers too long");
    if (!whole)
        return HTTP_MORE;
    *ret = slice_first(rest, len);
    h->at += lf + 1;
    return HTTP_COMPLETE;
}

/* origin-form, or "*" for OPTIONS; proxies' absolute-form and CONNECT are not for us. */
static bool parse_target(slice target, struct http_request *r)
{
    size_t mark;

    for (size_t i = 0; i < target.len; i++) {
        if (target.ptr[i] <= ' ' || target.ptr[i] >= 0x7f || target.ptr[i] == '#')
            return false;
    }
    if (target.len == 0 || target.ptr[0] != '/') {
        r->target = r->path = target;
        return r->method == HTTP_OPTIONS && slice_equal(target, SLICE("*"));
    }
    r->target = r->path = target;
    if (slice_find(target, '?', &mark)) {
        r->path = slice_first(target, mark);
        r->query = slice_from(target, mark + 1);
    }
    return true;
}

static enum http_result parse_version(struct head *h, slice version)
{
    slice number = slice_from(version, 5);

    h->is_1_1 = slice_equal(version, SLICE("HTTP/1.1"));
    if (h->is_1_1 || slice_equal(version, SLICE("HTTP/1.0")))
        return HTTP_COMPLETE;
    if (slice_starts_with(version, SLICE("HTTP/")) && number.len == 3 && number.ptr[1] == '.' &&
        http_is_alnum(number.ptr[0]) && http_is_alnum(number.ptr[2]))
        return refuse(h, HTTP_NOT_SUPPORTED, "version is neither 1.1 nor 1.0");
    return refuse(h, HTTP_BAD, "malformed request line");
}

static enum http_result parse_request_line(struct head *h, slice line)
{
    slice method = slice_split(&line, ' ');
    slice target = slice_split(&line, ' ');

    if (!is_token(method))
        return refuse(h, HTTP_BAD, "method is no token");
    h->request.method = method_of(method);
    if (!parse_target(target, &h->request))
        return refuse(h, HTTP_BAD, "target is no absolute path");
    return parse_version(h, line);
}

/* host[:port], a bracketed IPv6 address among them; no user, path or list. */
static enum http_result on_host(struct head *h, slice value)
{
    if (h->has_host)
        return refuse(h, HTTP_BAD, "two Hosts");
    h->has_host = true;
    h->request.host = value;
    for (size_t i = 0; i < value.len; i++) {
        uint8_t c = value.ptr[i];

        if (!http_is_alnum(c) && (c == 0 || !strchr("-._~:[]", c)))
            return refuse(h, HTTP_BAD, "malformed Host");
    }
    return value.len > 0 ? HTTP_COMPLETE : refuse(h, HTTP_BAD, "empty Host");
}

static enum http_result on_content_length(struct head *h, slice value)
{
    if (h->has_length)
        return refuse(h, HTTP_BAD, "two Content-Lengths");
    h->has_length = true;
    h->request.body = HTTP_BODY_LENGTH;
    if (!slice_to_u64(value, &h->request.content_length))
        return refuse(h, HTTP_BAD, "Content-Length is not digits alone");
    return HTTP_COMPLETE;
}

static enum http_result on_transfer_encoding(struct head *h, slice value)
{
    if (h->has_coding)
        return refuse(h, HTTP_BAD, "two Transfer-Encodings");
    h->has_coding = true;
    h->request.body = HTTP_BODY_CHUNKED;
    if (!slice_equal_nocase(value, SLICE("chunked")))
        return refuse(h, HTTP_NOT_SUPPORTED, "transfer coding other than chunked");
    return HTTP_COMPLETE;
}

static enum http_result on_connection(struct head *h, slice value)
{
    for (slice rest = value; rest.ptr;) {
        slice word = slice_trim(slice_split(&rest, ','));

        h->close = h->close || slice_equal_nocase(word, SLICE("close"));
        h->stay = h->stay || slice_equal_nocase(word, SLICE("keep-alive"));
        h->request.upgrade = h->request.upgrade || slice_equal_nocase(word, SLICE("upgrade"));
    }
    return HTTP_COMPLETE;
}

static enum http_result on_expect(struct head *h, slice value)
{
    if (!slice_equal_nocase(value, SLICE("100-continue")))
        return refuse(h, HTTP_BAD, "Expect other than 100-continue");
    h->request.expects_continue = h->is_1_1; /* 1.0 knows no interim answers */
    return HTTP_COMPLETE;
}

static const struct {
    const char *name;
    enum http_result (*read)(struct head *h, slice value);
} known_headers[] = {
    {"Host", on_host},
    {"Content-Length", on_content_length},
    {"Transfer-Encoding", on_transfer_encoding},
    {"Connection", on_connection},
    {"Expect", on_expect},
};

static enum http_result parse_header(struct head *h, slice line)
{
    slice value = line;
    slice name = slice_split(&value, ':');

    if (!value.ptr || !is_token(name)) /* a blank: obs-fold, or white space before the colon */
        return refuse(h, HTTP_BAD, "header name is no token");
    if (!is_value(value))
        return refuse(h, HTTP_BAD, "control character in a header");
    if (h->request.header_count == HTTP_HEADERS_MAX)
        return refuse(h, HTTP_TOO_LARGE, "too many headers");
    value = slice_trim(value);
    h->request.headers[h->request.header_count++] = (struct http_header){name, value};
    for (size_t i = 0; i < COUNT_OF(known_headers); i++) {
        if (slice_equal_nocase(name, slice_str(known_headers[i].name)))
            return known_headers[i].read(h, value);
    }
    return HTTP_COMPLETE;
}

/* What can be told only when all headers are known. */
static enum http_result finish(struct head *h)
{
    if (h->is_1_1 && !h->has_host)
        return refuse(h, HTTP_BAD, "no Host");
    if (h->has_length && h->has_coding)
        return refuse(h, HTTP_BAD, "Content-Length beside Transfer-Encoding");
    if (h->has_coding && !h->is_1_1)
        return refuse(h, HTTP_BAD, "Transfer-Encoding in HTTP/1.0");
    h->request.keep_alive = !h->close && (h->is_1_1 || h->stay);
    h->request.head_size = h->at;
    return HTTP_COMPLETE;
}

/* One empty line before the request is passed over, as RFC 9112, 2.2 has it: some old clients
 * end a body with a CRLF that belongs to no message. */
static enum http_result read_request_line(struct head *h)
{
    slice line;
    enum http_result result = next_line(h, HTTP_LINE_MAX, HTTP_LINE_TOO_LONG, &line);

    if (result == HTTP_COMPLETE && line.len == 0)
        result = next_line(h, HTTP_LINE_MAX, HTTP_LINE_TOO_LONG, &line);
    return result == HTTP_COMPLETE ? parse_request_line(h, line) : result;
}

static enum http_result read_headers(struct head *h)
{
    size_t end = h->at + HTTP_HEADERS_MAX_BYTES;
    slice line;

    for (;;) {
        size_t left = end - h->at;
        enum http_result result = next_line(h, left > 2 ? left - 2 : 0, HTTP_TOO_LARGE, &line);

        if (result != HTTP_COMPLETE)
            return result;
        if (line.len == 0)
            return finish(h);
        result = parse_header(h, line);
        if (result != HTTP_COMPLETE)
            return result;
    }
}

enum http_result http_request_parse(slice input, struct http_request *ret, struct fault *why)
{
    struct head h = {.input = input, .why = why};
    enum http_result result = read_request_line(&h);

    if (result == HTTP_COMPLETE)
        result = read_headers(&h);
    if (result == HTTP_COMPLETE)
        *ret = h.request;
    return result;
}

slice http_header(const struct http_request *r, slice name)
{
    for (size_t i = 0; i < r->header_count; i++) {
        if (slice_equal_nocase(r->headers[i].name, name))
            return r->headers[i].value;
    }
    return (slice){0};
}
