/* Sealed files: AES-256-GCM in chunks under a key of the file's own (SECURITY-MODEL E6).
 *
 *     "MUSTERSEALED1\n" | salt, 16 | chunks, each: ciphertext | tag, 16
 *
 * Every chunk but the last has 65,536 bytes. The nonce is the chunk's number and whether it is the
 * last, so chunks can be neither left out, nor moved, nor cut off at the end. `purpose` goes into
 * the key: a file of another purpose does not open. */
#ifndef MUSTER_CRYPTO_SEALED_FILE_H
#define MUSTER_CRYPTO_SEALED_FILE_H

#include "base/slice.h"
#include "base/status.h"
#include "crypto/seal.h"

struct sealed_writer;

/* Writes to `fd`, which stays the caller's. NULL with a sentence. */
CHECKED struct sealed_writer *sealed_writer_open(const struct sealer *s, const char *purpose,
                                                 int fd, struct fault *why);
/* A failure sticks: the later calls, and the end, say so. */
void sealed_writer_put(struct sealed_writer *w, slice bytes);
/* The last chunk. False: the file is not whole. */
CHECKED bool sealed_writer_end(struct sealed_writer *w, struct fault *why);
void sealed_writer_destroy(struct sealed_writer *w);

struct sealed_reader;

/* Reads from `fd`, which stays the caller's. NULL with a sentence: not such a file. */
CHECKED struct sealed_reader *sealed_reader_open(const struct sealer *s, const char *purpose,
                                                 int fd, struct fault *why);
/* Exactly `len` bytes, each of them genuine. False: damaged, cut off, or of another key. */
CHECKED bool sealed_reader_get(struct sealed_reader *r, void *to, size_t len, struct fault *why);
/* Whether the file ends here, as it was written. */
CHECKED bool sealed_reader_end(struct sealed_reader *r, struct fault *why);
void sealed_reader_destroy(struct sealed_reader *r);

#endif
