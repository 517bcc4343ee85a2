#include "crypto/password_hash.h"

#include <pthread.h>
#include <stdlib.h>

#include <sodium.h>

#include "base/log.h"

#define PASSES 3
#define MEMORY_BYTES (64u * 1024 * 1024)

_Static_assert(PASSWORD_HASH_MAX >= crypto_pwhash_argon2id_STRBYTES, "room for a hash");

const char password_hash_of_nobody[] = "$argon2id$v=19$m=65536,t=3,p=1$AAAAAAAAAAAAAAAAAAAAAA"
                                       "$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

static void start(void)
{
    if (sodium_init() >= 0)
        return;
    LOG_ERROR("crypto_failed", LOG_STR("what", "libsodium"));
    abort();
}

static void start_once(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, start);
}

bool password_hash(slice password, char ret[PASSWORD_HASH_MAX])
{
    start_once();
    return crypto_pwhash_argon2id_str(ret, (const char *)password.ptr, password.len, PASSES,
                                      MEMORY_BYTES) == 0;
}

bool password_matches(slice password, const char *hash)
{
    start_once();
    return crypto_pwhash_argon2id_str_verify(hash, (const char *)password.ptr, password.len) == 0;
}
