#include "crypto/crypto.h"
#include "store/sqlite.h"

/* sha256_hex(text): of its UTF-8, in lower-case hex. A chain of hashes is computed where its rows
 * are written, one after the other. */
static void sha256_hex(sqlite3_context *context, int count, sqlite3_value **values)
{
    static const char digits[] = "0123456789abcdef";
    const void *text = sqlite3_value_text(values[0]);
    slice bytes = slice_of(text, text ? (size_t)sqlite3_value_bytes(values[0]) : 0);
    uint8_t hash[SHA256_LEN];
    char hex[2 * SHA256_LEN];

    (void)count;
    sha256(bytes, hash);
    for (size_t i = 0; i < sizeof hash; i++) {
        hex[2 * i] = digits[hash[i] >> 4];
        hex[2 * i + 1] = digits[hash[i] & 15];
    }
    sqlite3_result_text(context, hex, sizeof hex, SQLITE_TRANSIENT);
}

int connection_add_functions(sqlite3 *db)
{
    return sqlite3_create_function_v2(db, "sha256_hex", 1,
                                      SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY, NULL,
                                      sha256_hex, NULL, NULL, NULL);
}
