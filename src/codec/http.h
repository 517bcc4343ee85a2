/* HTTP/1.1 requests, strictly: one reading of every message, or none (SECURITY-MODEL H1).
 *
 * Refused with 400 and the connection closed: bare CR or LF, obs-fold, NUL, names that are no
 * tokens, white space before a colon, two Hosts or none, Content-Length that is not digits alone,
 * two of them, or beside Transfer-Encoding, any Transfer-Encoding but exactly "chunked",
 * HTTP versions other than 1.0 and 1.1, targets other than an absolute path (or "*" for OPTIONS),
 * an Expect other than 100-continue. One empty line before a request is passed over (RFC 9112,
 * 2.2). Pure: no I/O, slices borrow from the input. */
#ifndef MUSTER_CODEC_HTTP_H
#define MUSTER_CODEC_HTTP_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/status.h"

#define HTTP_LINE_MAX 8192
#define HTTP_HEADERS_MAX_BYTES 32768
#define HTTP_HEADERS_MAX 100
#define HTTP_CHUNK_EXT_MAX 256

enum http_method {
    HTTP_GET,
    HTTP_HEAD,
    HTTP_POST,
    HTTP_PUT,
    HTTP_PATCH,
    HTTP_DELETE,
    HTTP_OPTIONS,
    HTTP_METHOD_OTHER, /* a token we have no route for: 405 */
};
const char *http_method_name(enum http_method method);

struct http_header {
    slice name, value; /* value without the blanks around it */
};

enum http_body { HTTP_BODY_NONE, HTTP_BODY_LENGTH, HTTP_BODY_CHUNKED };

struct http_request {
    enum http_method method;
    slice target; /* as sent: path and query */
    slice path;   /* still percent-encoded; begins with '/' */
    slice query;  /* behind '?', empty when none */
    bool keep_alive;
    bool expects_continue;
    bool upgrade; /* Connection: upgrade was there */
    slice host;
    enum http_body body;
    uint64_t content_length;
    struct http_header headers[HTTP_HEADERS_MAX];
    size_t header_count;
    size_t head_size; /* bytes of the input that the head took */
};

enum http_result {
    HTTP_COMPLETE,
    HTTP_MORE,          /* not all there yet */
    HTTP_BAD,           /* 400 */
    HTTP_LINE_TOO_LONG, /* 414 */
    HTTP_TOO_LARGE,     /* 431 head, 413 body */
    HTTP_NOT_SUPPORTED, /* 501 transfer coding, 505 version: answered 400 too */
};

/* Reads a whole head, up to the blank line. */
enum http_result http_request_parse(slice input, struct http_request *ret, struct fault *why);
/* A header's value by name without case; the empty slice (NULL pointer) when absent. */
slice http_header(const struct http_request *r, slice name);

/* The chunked body, fed as it comes. Zero-initialise. */
struct http_chunks {
    int state;
    uint64_t left; /* of the current chunk */
    size_t extension, trailer;
};
/* Takes bytes off the front of `input`: *ret_taken of them, of which `body` gets the data.
 * `body`'s maximum is the limit: HTTP_TOO_LARGE. */
enum http_result http_chunks_feed(struct http_chunks *c, slice input, struct buf *body,
                                  size_t *ret_taken);

/* The path's segments, each percent-decoded once into the arena; a trailing slash and doubled
 * slashes are ignored. False for a bad escape, a decoded '/' or NUL is data. */
#define HTTP_SEGMENTS_MAX 12
struct http_path {
    slice segments[HTTP_SEGMENTS_MAX];
    size_t count;
};
CHECKED bool http_path_parse(slice path, struct arena *arena, struct http_path *ret);

/* One query parameter, percent-decoded ('+' is a plus) into the arena; the first of doubles
 * counts. Names without case. *ret is the empty slice with a non-NULL pointer for "key" alone. */
bool http_query(slice query, slice name, struct arena *arena, slice *ret);

#endif
