/* The data folder: what lies where, and what is made at the first start.
 *
 *     muster.db*              the store            0600
 *     master.key              seals all secrets    0600
 *     id-scope                the ID scope
 *     tls/ca.pem, ca.key      local CA: what devices trust
 *     tls/server-*.pem, .key  server certificates for the host name, P-256 and RSA
 *     api-token               what the operator's commands authenticate with
 *     imports/                uploaded files until they are imported: may hold keys, 0600
 *     instance.json           where the running (or last) server listens: `muster info` */
#ifndef MUSTER_CMD_DATA_FOLDER_H
#define MUSTER_CMD_DATA_FOLDER_H

#include "base/buf.h"
#include "base/status.h"

struct data_folder {
    char *path; /* absolute */
};

/* Makes the folder if there is none (0700); refuses one that others may enter (K9), and one that
 * holds things but none of a server's: its owner would change (privileges.h). */
CHECKED bool data_folder_open(struct data_folder *d, const char *path, struct fault *why);
/* An existing one, for reading: no checks but that it is there. */
CHECKED bool data_folder_find(struct data_folder *d, const char *path, struct fault *why);
void data_folder_close(struct data_folder *d);

/* A path inside; the caller frees. NULL: out of memory. */
char *data_folder_path(const struct data_folder *d, const char *name);
/* A whole small file (at most 64 KiB), without its final newline. */
CHECKED bool data_folder_read(const struct data_folder *d, const char *name, struct buf *to,
                              struct fault *why);
/* Replaces a file atomically: temporary, fsync, rename. Mode 0600. */
CHECKED bool data_folder_write(const struct data_folder *d, const char *name, slice content,
                               struct fault *why);
bool data_folder_has(const struct data_folder *d, const char *name);

/* The ID scope, made at the first call: "0ne" and eight hex digits. */
CHECKED bool data_folder_id_scope(const struct data_folder *d, struct buf *to, struct fault *why);
/* CA and server certificates for these names, made or renewed when missing, when they do not
 * cover a name, or when they end within 30 days. */
CHECKED bool data_folder_certificates(const struct data_folder *d, const slice *names, size_t count,
                                      struct fault *why);

#endif
