/* Certificates that Muster makes for itself: a local CA and a server certificate. */
#ifndef MUSTER_CRYPTO_CERTIFICATE_H
#define MUSTER_CRYPTO_CERTIFICATE_H

#include "crypto/certificate_make.h"

/* A self-signed root (basicConstraints critical CA:TRUE, keyCertSign, cRLSign), PEM files;
 * the key file is created 0600. */
CHECKED bool certificate_make_root(const char *certificate_path, const char *key_path,
                                   slice common_name, int days, struct fault *why);
/* A server certificate signed by that root: serverAuth, subjectAltName with every name (IP
 * addresses as such). The file holds the leaf, then the root. */
CHECKED bool certificate_make_server(const char *root_path, const char *root_key_path,
                                     const char *certificate_path, const char *key_path,
                                     enum key_kind kind, const slice *names, size_t count, int days,
                                     struct fault *why);
/* Seconds until the first certificate in the file expires; negative when it has. */
CHECKED bool certificate_seconds_left(const char *path, int64_t *ret, struct fault *why);
/* Whether the first certificate in the file covers `name`. */
CHECKED bool certificate_covers(const char *path, slice name);

#endif
