#include "codec/http.h"

#include "codec/http_bytes.h"

/* size [";" extension] CRLF data CRLF ... "0" [";" extension] CRLF *(trailer CRLF) CRLF
 *
 * States 0 to 16 are the size with so many digits read: sixteen fill 64 bits, and a peer cannot
 * send zeros for ever. */
#define SIZE_DIGITS_MAX 16

enum chunk_state {
    CHUNK_SIZE = 0,
    CHUNK_EXTENSION_NAME = SIZE_DIGITS_MAX + 1, /* behind the ';' */
    CHUNK_EXTENSION,
    CHUNK_SIZE_LF,
    CHUNK_DATA,
    CHUNK_DATA_CR,
    CHUNK_DATA_LF,
    CHUNK_TRAILER, /* at the beginning of a line */
    CHUNK_TRAILER_NAME,
    CHUNK_TRAILER_VALUE,
    CHUNK_TRAILER_LF,
    CHUNK_END_LF,
    CHUNK_DONE,
    CHUNK_REFUSED,
};

/* Each step takes one byte, names the next state and gives HTTP_MORE, or ends the message. */
static enum http_result go(struct http_chunks *c, enum chunk_state next)
{
    c->state = (int)next;
    return HTTP_MORE;
}

static enum http_result expect(struct http_chunks *c, uint8_t byte, uint8_t wanted,
                               enum chunk_state next)
{
    return byte == wanted ? go(c, next) : HTTP_BAD;
}

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static enum http_result on_size(struct http_chunks *c, uint8_t byte)
{
    int digit = hex_digit(byte);

    if (digit >= 0 && c->state < SIZE_DIGITS_MAX) {
        c->left = c->left << 4 | (uint64_t)digit;
        c->state++;
        return HTTP_MORE;
    }
    if (c->state == CHUNK_SIZE)
        return HTTP_BAD;
    return byte == ';' ? go(c, CHUNK_EXTENSION_NAME) : expect(c, byte, '\r', CHUNK_SIZE_LF);
}

/* A name stands behind each ';'. A quoted value may hold nothing but what a bare one may: nobody
 * sends more, and readers differ. */
static enum http_result on_extension(struct http_chunks *c, uint8_t byte)
{
    bool begins = c->state == CHUNK_EXTENSION_NAME;

    if (byte == '\r' && !begins)
        return go(c, CHUNK_SIZE_LF);
    if (++c->extension > HTTP_CHUNK_EXT_MAX)
        return HTTP_BAD;
    if (byte == ';' && !begins)
        return go(c, CHUNK_EXTENSION_NAME);
    if (!http_is_token_byte(byte) && (begins || (byte != '=' && byte != '"')))
        return HTTP_BAD;
    return go(c, CHUNK_EXTENSION);
}

/* A chunk that cannot fit is refused before its first byte. */
static enum http_result on_size_lf(struct http_chunks *c, uint8_t byte, const struct buf *body)
{
    if (byte != '\n')
        return HTTP_BAD;
    if (c->left > body->max - body->len)
        return HTTP_TOO_LARGE;
    return go(c, c->left > 0 ? CHUNK_DATA : CHUNK_TRAILER);
}

static enum http_result on_trailer(struct http_chunks *c, uint8_t byte)
{
    if (byte == '\r')
        return go(c, CHUNK_END_LF);
    return http_is_token_byte(byte) ? go(c, CHUNK_TRAILER_NAME) : HTTP_BAD;
}

static enum http_result on_trailer_name(struct http_chunks *c, uint8_t byte)
{
    if (byte == ':')
        return go(c, CHUNK_TRAILER_VALUE);
    return http_is_token_byte(byte) ? HTTP_MORE : HTTP_BAD;
}

static enum http_result on_trailer_value(struct http_chunks *c, uint8_t byte)
{
    if (byte == '\r')
        return go(c, CHUNK_TRAILER_LF);
    return http_is_value_byte(byte) ? HTTP_MORE : HTTP_BAD;
}

static enum http_result on_end(struct http_chunks *c, uint8_t byte)
{
    if (byte != '\n')
        return HTTP_BAD;
    c->state = CHUNK_DONE;
    return HTTP_COMPLETE;
}

static enum http_result step(struct http_chunks *c, uint8_t byte, const struct buf *body)
{
    if (c->state >= CHUNK_TRAILER && ++c->trailer > HTTP_LINE_MAX)
        return HTTP_TOO_LARGE;
    switch (c->state) {
    case CHUNK_EXTENSION_NAME:
    case CHUNK_EXTENSION:
        return on_extension(c, byte);
    case CHUNK_SIZE_LF:
        return on_size_lf(c, byte, body);
    case CHUNK_DATA_CR:
        return expect(c, byte, '\r', CHUNK_DATA_LF);
    case CHUNK_DATA_LF:
        return expect(c, byte, '\n', CHUNK_SIZE);
    case CHUNK_TRAILER:
        return on_trailer(c, byte);
    case CHUNK_TRAILER_NAME:
        return on_trailer_name(c, byte);
    case CHUNK_TRAILER_VALUE:
        return on_trailer_value(c, byte);
    case CHUNK_TRAILER_LF:
        return expect(c, byte, '\n', CHUNK_TRAILER);
    case CHUNK_END_LF:
        return on_end(c, byte);
    default:
        return on_size(c, byte);
    }
}

/* As much of the chunk's data as is there. */
static size_t take_data(struct http_chunks *c, slice input, struct buf *body)
{
    slice data = slice_first(input, c->left < input.len ? (size_t)c->left : input.len);

    buf_append(body, data);
    c->left -= data.len;
    if (c->left == 0)
        c->state = CHUNK_DATA_CR;
    return data.len;
}

enum http_result http_chunks_feed(struct http_chunks *c, slice input, struct buf *body,
                                  size_t *ret_taken)
{
    enum http_result result = HTTP_MORE;
    size_t at = 0;

    if (c->state == CHUNK_DONE)
        result = HTTP_COMPLETE;
    if (c->state == CHUNK_REFUSED)
        result = HTTP_BAD;
    while (result == HTTP_MORE && at < input.len) {
        slice rest = {input.ptr + at, input.len - at};

        if (c->state == CHUNK_DATA)
            at += take_data(c, rest, body);
        else
            result = step(c, input.ptr[at++], body);
    }
    if (result == HTTP_MORE && body->failed)
        result = HTTP_TOO_LARGE;
    if (result != HTTP_MORE && result != HTTP_COMPLETE)
        c->state = CHUNK_REFUSED;
    *ret_taken = at;
    return result;
}
