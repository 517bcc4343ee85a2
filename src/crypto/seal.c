/* The sealed form, all of it binary but for the first and the dots:
 *
 *     "v1." | key version, 4 | "." | salt, 16 | "." | nonce, 12 | "." | ciphertext | tag, 16
 *
 * HKDF with one block of output is two HMACs (RFC 5869), which the thread's kept context does in a
 * fifth of the time of OpenSSL's EVP_KDF; a test compares the two. */
#include "crypto/seal.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include "crypto/key_file.h"
#include "crypto/seal_internal.h"

#define MASTER_LEN 32
#define KEY_VERSION 1

#define VERSION_AT 3
#define SALT_AT (VERSION_AT + 4 + 1)
#define NONCE_AT (SALT_AT + SEAL_SALT_LEN + 1)
#define DATA_AT (NONCE_AT + SEAL_NONCE_LEN + 1)
static_assert(DATA_AT + SEAL_TAG_LEN == SEAL_OVERHEAD, "as the header has it");

struct sealer {
    uint8_t *master; /* a mapping of its own, so that it can be kept out of core dumps */
    EVP_CIPHER *cipher;
};

static void write_u32(uint8_t to[4], uint32_t value)
{
    for (size_t i = 0; i < 4; i++)
        to[i] = (uint8_t)(value >> (24 - 8 * i));
}

/* What is no key at all is called that, before anything is said about who may read it. */
static bool has_other_size(const char *path, struct fault *why)
{
    struct stat facts;

    if (lstat(path, &facts) != 0 || !S_ISREG(facts.st_mode) || facts.st_size == MASTER_LEN)
        return false;
    (void)fault_set(why, facts.st_size > MASTER_LEN ? ST_TOO_LARGE : ST_BAD_REQUEST,
                    "%s is no master key: it has %lld bytes in place of %d", path,
                    (long long)facts.st_size, MASTER_LEN);
    return true;
}

/* Reads the key, made first when there is none; two processes that make one at once agree. */
static bool load_master(const char *path, bool create, uint8_t to[MASTER_LEN], struct fault *why)
{
    SECRET_CLEANUP struct secret fresh = {0};
    size_t len = 0;
    enum status status;

    if (has_other_size(path, why))
        return false;
    status = key_file_read(path, to, MASTER_LEN, &len, why);
    if (status == ST_NOT_FOUND && create) {
        secret_generate(&fresh, MASTER_LEN);
        status = key_file_write(path, KEY_FILE_NEW, secret_slice(&fresh), why);
        if (status != ST_OK && status != ST_CONFLICT)
            return false;
        status = key_file_read(path, to, MASTER_LEN, &len, why);
    }
    if (status == ST_OK && len != MASTER_LEN)
        status = fault_set(why, ST_BAD_REQUEST, "%s is shorter than %d bytes", path, MASTER_LEN);
    return status == ST_OK;
}

/* A page that neither a core dump nor, where the limit lets us, the swap gets to see. */
static uint8_t *map_secret_page(void)
{
    void *page = mmap(NULL, MASTER_LEN, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (page == MAP_FAILED)
        return NULL;
    if (madvise(page, MASTER_LEN, MADV_DONTDUMP) != 0) {
        munmap(page, MASTER_LEN);
        return NULL;
    }
    (void)mlock(page, MASTER_LEN);
    return page;
}

struct sealer *sealer_open(const char *path, bool create, struct fault *why)
{
    struct sealer *s = calloc(1, sizeof *s);

    if (!s) {
        fault_set(why, ST_NO_MEMORY, "no memory for the sealer");
        return NULL;
    }
    s->cipher = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
    s->master = map_secret_page();
    if (!s->cipher || !s->master) {
        fault_set(why, ST_NO_MEMORY, "no memory for the master key");
        sealer_destroy(s);
        return NULL;
    }
    if (!load_master(path, create, s->master, why)) {
        sealer_destroy(s);
        return NULL;
    }
    return s;
}

void sealer_destroy(struct sealer *s)
{
    if (!s)
        return;
    if (s->master) {
        OPENSSL_cleanse(s->master, MASTER_LEN);
        munmap(s->master, MASTER_LEN);
    }
    EVP_CIPHER_free(s->cipher);
    free(s);
}

/* HKDF-SHA256 (RFC 5869): extract with the salt, then the one block that 32 bytes need. */
void sealer_derive(const struct sealer *s, const char *table, const char *column,
                   const uint8_t salt[SEAL_SALT_LEN], struct secret *ret)
{
    SECRET_CLEANUP struct secret extracted = {.len = HMAC_SHA256_LEN};
    const slice master = slice_of(s->master, MASTER_LEN);
    const slice info[] = {SLICE("muster/v1/"), slice_str(table), SLICE("."), slice_str(column),
                          SLICE("\x01")};

    hmac_sha256(slice_of(salt, SEAL_SALT_LEN), &master, 1, extracted.bytes);
    hmac_sha256(secret_slice(&extracted), info, COUNT_OF(info), ret->bytes);
    ret->len = HMAC_SHA256_LEN;
}

const EVP_CIPHER *sealer_cipher(const struct sealer *s)
{
    return s->cipher;
}

/* The place as additional data: each part behind its length, so that no two places are alike. */
static bool add_place(EVP_CIPHER_CTX *gcm, const struct seal_place *place, const uint8_t *version)
{
    const slice parts[] = {slice_str(place->table), slice_str(place->column), place->row,
                           slice_of(version, 4)};

    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        uint8_t length[4];
        int ignored;

        if (parts[i].len > INT32_MAX)
            return false;
        write_u32(length, (uint32_t)parts[i].len);
        if (EVP_CipherUpdate(gcm, NULL, &ignored, length, sizeof length) != 1)
            return false;
        if (parts[i].len > 0 &&
            EVP_CipherUpdate(gcm, NULL, &ignored, parts[i].ptr, (int)parts[i].len) != 1)
            return false;
    }
    return true;
}

/* A context for the box at `box`, whose version, salt and nonce stand; NULL when out of memory. */
static EVP_CIPHER_CTX *begin(const struct sealer *s, const struct seal_place *place,
                             const uint8_t *box, bool sealing)
{
    SECRET_CLEANUP struct secret subkey = {0};
    EVP_CIPHER_CTX *gcm = EVP_CIPHER_CTX_new();

    sealer_derive(s, place->table, place->column, box + SALT_AT, &subkey);
    if (gcm && EVP_CipherInit_ex2(gcm, s->cipher, subkey.bytes, box + NONCE_AT, sealing, NULL) &&
        add_place(gcm, place, box + VERSION_AT))
        return gcm;
    EVP_CIPHER_CTX_free(gcm);
    return NULL;
}

static void write_front(uint8_t *box)
{
    uint8_t fresh[SEAL_SALT_LEN + SEAL_NONCE_LEN];

    random_bytes(fresh, sizeof fresh);
    memcpy(box, "v1.", VERSION_AT);
    write_u32(box + VERSION_AT, KEY_VERSION);
    box[SALT_AT - 1] = box[NONCE_AT - 1] = box[DATA_AT - 1] = '.';
    memcpy(box + SALT_AT, fresh, SEAL_SALT_LEN);
    memcpy(box + NONCE_AT, fresh + SEAL_SALT_LEN, SEAL_NONCE_LEN);
}

static bool has_front(slice sealed)
{
    static const uint8_t version[4] = {0, 0, 0, KEY_VERSION};

    return sealed.len >= SEAL_OVERHEAD && memcmp(sealed.ptr, "v1.", VERSION_AT) == 0 &&
           memcmp(sealed.ptr + VERSION_AT, version, sizeof version) == 0 &&
           sealed.ptr[SALT_AT - 1] == '.' && sealed.ptr[NONCE_AT - 1] == '.' &&
           sealed.ptr[DATA_AT - 1] == '.';
}

/* GCM gives as many bytes as it takes. Of no bytes at all it wants not even a pointer. */
static bool run_cipher(EVP_CIPHER_CTX *gcm, slice from, uint8_t *to)
{
    int len = 0;

    return from.len == 0 || EVP_CipherUpdate(gcm, to, &len, from.ptr, (int)from.len) == 1;
}

void seal(const struct sealer *s, struct seal_place place, slice plaintext, struct buf *to)
{
    uint8_t *box = plaintext.len > INT32_MAX ? NULL : buf_room(to, plaintext.len + SEAL_OVERHEAD);
    EVP_CIPHER_CTX *gcm = NULL;
    uint8_t *tag;
    int ignored;

    if (box) {
        write_front(box);
        gcm = begin(s, &place, box, true);
    }
    tag = gcm ? box + DATA_AT + plaintext.len : NULL;
    if (gcm && run_cipher(gcm, plaintext, box + DATA_AT) &&
        EVP_CipherFinal_ex(gcm, tag, &ignored) == 1 &&
        EVP_CIPHER_CTX_ctrl(gcm, EVP_CTRL_AEAD_GET_TAG, SEAL_TAG_LEN, tag) == 1)
        buf_grew(to, plaintext.len + SEAL_OVERHEAD);
    else
        to->failed = true;
    EVP_CIPHER_CTX_free(gcm);
}

/* `plain` has room for all but the overhead. */
static enum status open_box(const struct sealer *s, const struct seal_place *place, slice sealed,
                            uint8_t *plain, struct fault *why)
{
    slice data = slice_of(sealed.ptr + DATA_AT, sealed.len - SEAL_OVERHEAD);
    uint8_t tag[SEAL_TAG_LEN], ignored[SEAL_TAG_LEN];
    EVP_CIPHER_CTX *gcm = begin(s, place, sealed.ptr, false);
    int len;
    bool genuine;

    if (!gcm)
        return fault_set(why, ST_NO_MEMORY, "no memory for a cipher");
    memcpy(tag, data.ptr + data.len, SEAL_TAG_LEN);
    genuine = EVP_CIPHER_CTX_ctrl(gcm, EVP_CTRL_AEAD_SET_TAG, SEAL_TAG_LEN, tag) == 1 &&
              run_cipher(gcm, data, plain) && EVP_CipherFinal_ex(gcm, ignored, &len) == 1;
    EVP_CIPHER_CTX_free(gcm);
    if (genuine)
        return ST_OK;
    OPENSSL_cleanse(plain, data.len);
    ERR_clear_error(); /* or the next TLS read on this thread would take it for its own */
    return fault_set(why, ST_INTERNAL, "%s.%s: not sealed here with this master key", place->table,
                     place->column);
}

enum status unseal(const struct sealer *s, struct seal_place place, slice sealed, struct buf *to,
                   struct fault *why)
{
    enum status status;
    uint8_t *plain;

    if (!has_front(sealed) || sealed.len > INT32_MAX)
        return fault_set(why, ST_INTERNAL, "%s.%s: not a sealed value", place.table, place.column);
    plain = buf_room(to, sealed.len - SEAL_OVERHEAD);
    if (!plain)
        return fault_set(why, ST_NO_MEMORY, "no room for an unsealed value");
    status = open_box(s, &place, sealed, plain, why);
    if (status == ST_OK)
        buf_grew(to, sealed.len - SEAL_OVERHEAD);
    return status;
}
