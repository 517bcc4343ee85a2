/* Passwords at rest: Argon2id with 64 MiB, three passes, one lane (SECURITY-MODEL K4).
 *
 * Both calls take about a tenth of a second and 64 MiB: on the pool, never on a worker. */
#ifndef MUSTER_CRYPTO_PASSWORD_HASH_H
#define MUSTER_CRYPTO_PASSWORD_HASH_H

#include "base/slice.h"

#define PASSWORD_HASH_MAX 128 /* with its NUL: "$argon2id$v=19$m=65536,t=3,p=1$..." */

/* With a fresh salt; false when there is no memory. */
CHECKED bool password_hash(slice password, char ret[PASSWORD_HASH_MAX]);
/* False also for a text that is no hash, and when there is no memory. */
CHECKED bool password_matches(slice password, const char *hash);

/* A hash that no password has, for whoever is unknown: it takes as long. */
extern const char password_hash_of_nobody[];

#endif
