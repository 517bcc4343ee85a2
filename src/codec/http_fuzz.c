#include <assert.h>

#include "codec/http.h"

#define BODY_MAX 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_request(const struct http_request *r, slice input)
{
    assert(r->head_size <= input.len &&
           slice_ends_with(slice_first(input, r->head_size), SLICE("\r\n\r\n")));
    assert(r->path.ptr[0] == '/' || (r->path.ptr[0] == '*' && r->path.len == 1));
    assert(r->header_count <= HTTP_HEADERS_MAX && r->target.len < HTTP_LINE_MAX);
    assert(r->body == HTTP_BODY_CHUNKED ? r->content_length == 0
                                        : r->body == HTTP_BODY_LENGTH || r->content_length == 0);
    for (size_t i = 0; i < r->header_count; i++)
        assert(r->headers[i].name.len > 0 && r->headers[i].value.ptr);
}

static void check_path(slice path, slice query)
{
    ARENA_CLEANUP struct arena arena = {.max = 65536};
    struct http_path parsed;
    slice value = {0};

    if (http_path_parse(path, &arena, &parsed)) {
        assert(parsed.count <= HTTP_SEGMENTS_MAX);
        for (size_t i = 0; i < parsed.count; i++)
            assert(parsed.segments[i].len > 0);
    }
    if (http_query(query, SLICE("api-version"), &arena, &value))
        assert(value.ptr);
}

/* A head cut anywhere is "more" or the refusal of the whole. */
static void check_head(slice input, size_t cut)
{
    static struct http_request whole, part;
    enum http_result result = http_request_parse(input, &whole, NULL);
    enum http_result early = http_request_parse(slice_first(input, cut), &part, NULL);

    if (result == HTTP_COMPLETE) {
        check_request(&whole, input);
        check_path(whole.path, whole.query);
        assert(early == (cut < whole.head_size ? HTTP_MORE : HTTP_COMPLETE));
    } else if (early != HTTP_MORE) {
        assert(early == result);
    }
}

static enum http_result feed_all(slice input, size_t cut, struct buf *body, size_t *ret_taken)
{
    struct http_chunks c = {0};
    size_t second = 0;
    enum http_result result = http_chunks_feed(&c, slice_first(input, cut), body, ret_taken);

    if (result == HTTP_MORE)
        result = http_chunks_feed(&c, slice_from(input, cut), body, &second);
    *ret_taken += second;
    return result;
}

static void check_chunks(slice input, size_t cut)
{
    BUF_CLEANUP struct buf whole = {.max = BODY_MAX}, parts = {.max = BODY_MAX};
    size_t taken_whole, taken_parts;
    enum http_result result = feed_all(input, input.len, &whole, &taken_whole);

    assert(feed_all(input, cut, &parts, &taken_parts) == result);
    assert(taken_whole == taken_parts && taken_whole <= input.len);
    assert(slice_equal(buf_slice(&whole), buf_slice(&parts)));
}

/* The first two bytes say where to cut the rest. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    slice input;
    size_t cut, mark;

    if (size < 2)
        return 0;
    input = slice_of(data + 2, size - 2);
    cut = ((size_t)data[0] << 8 | data[1]) % (input.len + 1);
    check_head(input, cut);
    check_chunks(input, cut);
    mark = slice_find(input, '?', &mark) ? mark : input.len;
    check_path(slice_first(input, mark), slice_from(input, mark + 1));
    return 0;
}
