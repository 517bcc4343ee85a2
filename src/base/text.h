/* The ways in which the field writes bytes as text: base64 (two alphabets), percent-encoding, hex.
 */
#ifndef MUSTER_BASE_TEXT_H
#define MUSTER_BASE_TEXT_H

#include "base/arena.h"
#include "base/buf.h"

/* Base64 of RFC 4648 with padding. */
void base64_encode(slice bytes, struct buf *to);
/* Strict: standard alphabet, correct padding, zero pad bits, no blanks. Writes at most `cap`
 * bytes; false for malformed text or more bytes than that. */
CHECKED bool base64_decode(slice text, uint8_t *to, size_t cap, size_t *ret_len);

/* The same in the alphabet for URLs, without padding (RFC 7515, 2). */
void base64url_encode(slice bytes, struct buf *to);
CHECKED bool base64url_decode(slice text, uint8_t *to, size_t cap, size_t *ret_len);

/* Percent-encodes all but A-Z a-z 0-9 - . _ ~ with upper-case hex: encodeURIComponentStrict. */
void percent_encode(slice bytes, struct buf *to);
/* Decodes %XX once; '+' stays '+'. False when a '%' is not followed by two hex digits. */
CHECKED bool percent_decode(slice text, struct arena *arena, slice *ret);
/* The same, but an invalid '%' stays literal. Gives the empty slice when the arena is full. */
slice percent_decode_lenient(slice text, struct arena *arena);
/* Strict, without an arena: writes at most `cap` bytes; false for more than that too. */
CHECKED bool percent_decode_to(slice text, uint8_t *to, size_t cap, size_t *ret_len);

/* Lower-case. */
void hex_encode(slice bytes, struct buf *to);
CHECKED bool hex_decode(slice text, uint8_t *to, size_t cap, size_t *ret_len);

/* Whether the bytes are well-formed UTF-8 (no surrogates, no overlong forms, at most U+10FFFF). */
bool utf8_valid(slice bytes);

#endif
