/* The text of an uploaded table, chunk by chunk, as UTF-8 whatever it came in.
 *
 *     EF BB BF ...   UTF-8 with a byte-order mark, which spreadsheets write and nobody wants to see
 *     FF FE ...      UTF-16, little-endian
 *     FE FF ...      UTF-16, big-endian
 *     anything else  UTF-8
 *
 * Everything is checked: what comes out is well-formed UTF-8 without NUL, or F01 (central.md 3.3).
 * Chunks may be split anywhere, also inside a character. Pure. */
#ifndef MUSTER_CODEC_CSV_TEXT_H
#define MUSTER_CODEC_CSV_TEXT_H

#include "base/buf.h"
#include "base/status.h"

enum csv_encoding {
    CSV_ENCODING_UNKNOWN, /* before the first bytes */
    CSV_UTF8,
    CSV_UTF8_BOM,
    CSV_UTF16_LE,
    CSV_UTF16_BE,
};
/* "UTF-8", "UTF-8 with BOM", "UTF-16 LE", "UTF-16 BE"; empty while unknown. */
const char *csv_encoding_name(enum csv_encoding encoding);

/* Zero-initialise. */
struct csv_text {
    enum csv_encoding encoding;
    uint64_t offset; /* bytes taken so far, the mark among them */
    uint8_t start[4];
    /* Inside a UTF-8 character: bytes to come, and what the next of them may be. */
    uint8_t missing, low, high;
    /* Inside a UTF-16 character: */
    bool has_half;
    uint8_t half;
    uint16_t surrogate; /* the high one, or 0 */
};

/* Most bytes that `len` bytes of a file can become. */
#define CSV_TEXT_ROOM(len) ((len) / 2 * 3 + 8)

/* Appends the text of `bytes` to `to`. ST_BAD_REQUEST where it is no text: what stood before that
 * has been appended, and nothing more may be fed. ST_NO_MEMORY when `to` is full. */
CHECKED enum status csv_text_feed(struct csv_text *t, slice bytes, struct buf *to,
                                  struct fault *why);
/* The end of the file: ST_BAD_REQUEST when it stands inside a character. */
CHECKED enum status csv_text_finish(struct csv_text *t, struct buf *to, struct fault *why);

#endif
