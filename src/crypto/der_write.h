/* Writing DER, front to back: what is opened is closed, lengths are filled in at the close.
 *
 *     size_t sequence = der_open(to, DER_SEQUENCE);
 *     der_append(to, DER_INTEGER, number);
 *     der_close(to, sequence);
 *
 * Failures stick to the buffer, as all of its own do. The contents are the caller's business: an
 * integer comes as its two's complement bytes, an OID as its encoded ones. */
#ifndef MUSTER_CRYPTO_DER_WRITE_H
#define MUSTER_CRYPTO_DER_WRITE_H

#include "base/buf.h"
#include "base/clock.h"

enum der_tag {
    DER_BOOLEAN = 0x01,
    DER_INTEGER = 0x02,
    DER_BIT_STRING = 0x03,
    DER_OCTET_STRING = 0x04,
    DER_OID = 0x06,
    DER_UTF8_STRING = 0x0c,
    DER_UTC_TIME = 0x17,
    DER_GENERALIZED_TIME = 0x18,
    DER_SEQUENCE = 0x30,
    DER_SET = 0x31,
    DER_CONTEXT = 0x80,             /* plus the number: [n] IMPLICIT of a primitive */
    DER_CONTEXT_CONSTRUCTED = 0xa0, /* plus the number: [n] EXPLICIT */
};

/* Gives what der_close wants: where the contents begin. They may be up to 65,535 bytes. */
size_t der_open(struct buf *to, unsigned tag);
void der_close(struct buf *to, size_t contents);
/* One value, whole. */
void der_append(struct buf *to, unsigned tag, slice contents);
/* A bit string of whole bytes. */
void der_append_bits(struct buf *to, slice bytes);
/* UTCTime up to the end of 2049, GeneralizedTime from then on (RFC 5280, 4.1.2.5). The buffer
 * fails for a year beyond 9999 or before 1950. */
void der_append_time(struct buf *to, instant at);

#endif
