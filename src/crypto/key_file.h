/* Files that hold keys: read only when nobody else could have, written whole or not at all. */
#ifndef MUSTER_CRYPTO_KEY_FILE_H
#define MUSTER_CRYPTO_KEY_FILE_H

#include "base/status.h"

/* Reads a regular file that is ours, of mode 0600 or 0400 and no symbolic link (SECURITY-MODEL
 * K1). ST_NOT_FOUND when there is none, ST_TOO_LARGE beyond `cap` bytes, ST_FORBIDDEN when others
 * could read or replace it. What was read of a refused file is wiped. */
CHECKED enum status key_file_read(const char *path, void *to, size_t cap, size_t *ret_len,
                                  struct fault *why);

enum key_file_mode {
    KEY_FILE_NEW,     /* 0600; ST_CONFLICT when there is such a file */
    KEY_FILE_REPLACE, /* 0600 */
    PUBLIC_FILE,      /* 0644; replaces: for certificates beside the keys */
};
/* Under another name first, synced, then put in place: a crash leaves the old file or the new. */
CHECKED enum status key_file_write(const char *path, enum key_file_mode mode, slice bytes,
                                   struct fault *why);

#endif
