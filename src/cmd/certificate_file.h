/* Certificates and revocation lists that an operator names by their files, PEM or DER. */
#ifndef MUSTER_CMD_CERTIFICATE_FILE_H
#define MUSTER_CMD_CERTIFICATE_FILE_H

#include "cmd/command.h"
#include "codec/json.h"
#include "crypto/certificate_read.h"

/* Puts a file of at most `max` bytes as the member `name`: text as it is, DER in base64. A file
 * with a private key is refused here: it must not travel. False after a message; *ret is then the
 * exit code. */
CHECKED bool certificate_file_put(const struct command *command, const char *path, size_t max,
                                  struct json_writer *w, slice name, int *ret);

/* The SHA-256 thumbprint of the file's one certificate, likewise. */
CHECKED bool certificate_file_thumbprint(const struct command *command, const char *path,
                                         struct thumbprints *ret_thumbprints, int *ret);

#endif
