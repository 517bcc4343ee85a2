/* Files of the certificate tool: read whole, and judged before anything is put in their place. */
#ifndef MUSTER_CMD_CERT_FILES_H
#define MUSTER_CMD_CERT_FILES_H

#include "base/buf.h"
#include "base/status.h"

struct evp_pkey_st;

#define CERT_FILE_MAX (64 * 1024)

/* Frees with free; NULL when out of memory. */
char *cert_path(const char *folder, const char *name);
/* Makes the folder (0700) unless it is there. */
CHECKED bool cert_folder_make(const char *path, struct fault *why);
bool cert_file_exists(const char *path);
/* ST_NOT_FOUND when there is none. */
CHECKED enum status cert_file_read(const char *path, struct buf *to, struct fault *why);
/* The key of a file that only we may read. Freed with private_key_free. */
CHECKED struct evp_pkey_st *cert_key_read(const char *path, struct fault *why);
/* Whether both are the same key. */
bool cert_key_same(const struct evp_pkey_st *a, const struct evp_pkey_st *b);
/* Wipes what it held. For keys and pass phrases. */
void cert_buf_wipe(struct buf *b);
#define CERT_SECRET_CLEANUP __attribute__((cleanup(cert_buf_wipe)))

/* What stands in a file that should hold PEM. */
enum pem_state {
    PEM_ABSENT,
    PEM_WHOLE, /* from its first line to its last */
    PEM_TORN,  /* its beginning, or nothing but zeros: what a crash leaves */
    PEM_OTHER, /* something else, which is not ours to replace */
};
enum pem_state pem_judge_certificate(slice content);
enum pem_state pem_judge_key(slice content); /* PKCS#8, or one of the older forms */

#endif
