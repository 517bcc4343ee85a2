#include "crypto/sealed_file.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/err.h>

#include "base/file.h"
#include "crypto/seal_internal.h"

#define CHUNK_LEN (64 * 1024)
#define CHUNK_MAX (CHUNK_LEN + SEAL_TAG_LEN)
#define MAGIC "MUSTERSEALED1\n"
#define MAGIC_LEN (sizeof MAGIC - 1)
#define HEAD_LEN (MAGIC_LEN + SEAL_SALT_LEN)

/* What the two directions have in common: the key, and which chunk is next. */
struct chunks {
    EVP_CIPHER_CTX *gcm;
    struct secret key;
    uint64_t number;
};

static bool chunks_init(struct chunks *c, const struct sealer *s, const char *purpose,
                        const uint8_t salt[SEAL_SALT_LEN], bool sealing)
{
    sealer_derive(s, "file", purpose, salt, &c->key);
    c->gcm = EVP_CIPHER_CTX_new();
    return c->gcm && EVP_CipherInit_ex2(c->gcm, sealer_cipher(s), NULL, NULL, sealing, NULL) == 1;
}

static void chunks_deinit(struct chunks *c)
{
    EVP_CIPHER_CTX_free(c->gcm);
    secret_wipe(&c->key);
}

static bool begin_chunk(struct chunks *c, bool is_last)
{
    uint8_t nonce[SEAL_NONCE_LEN] = {0};

    for (size_t i = 0; i < 8; i++)
        nonce[i] = (uint8_t)(c->number >> (56 - 8 * i));
    nonce[SEAL_NONCE_LEN - 1] = is_last;
    c->number++;
    return EVP_CipherInit_ex2(c->gcm, NULL, c->key.bytes, nonce, -1, NULL) == 1;
}

static bool run_chunk(struct chunks *c, const uint8_t *from, size_t len, uint8_t *to)
{
    int done;

    return len == 0 || EVP_CipherUpdate(c->gcm, to, &done, from, (int)len) == 1;
}

/* --- writing --------------------------------------------------------------------------------- */

struct sealed_writer {
    struct chunks chunks;
    int fd, error; /* errno of the first failure */
    size_t len;    /* of what waits in `plain` */
    uint8_t plain[CHUNK_LEN], sealed[CHUNK_MAX];
};

struct sealed_writer *sealed_writer_open(const struct sealer *s, const char *purpose, int fd,
                                         struct fault *why)
{
    struct sealed_writer *w = calloc(1, sizeof *w);
    uint8_t head[HEAD_LEN];

    memcpy(head, MAGIC, MAGIC_LEN);
    random_bytes(head + MAGIC_LEN, SEAL_SALT_LEN);
    if (!w || !chunks_init(&w->chunks, s, purpose, head + MAGIC_LEN, true)) {
        fault_set(why, ST_NO_MEMORY, "no memory for a sealed file");
        sealed_writer_destroy(w);
        return NULL;
    }
    w->fd = fd;
    if (!file_write_whole(fd, slice_of(head, sizeof head)))
        w->error = errno;
    return w;
}

static void write_chunk(struct sealed_writer *w, bool is_last)
{
    struct chunks *c = &w->chunks;
    uint8_t *tag = w->sealed + w->len;
    int ignored;

    if (w->error)
        return;
    if (!begin_chunk(c, is_last) || !run_chunk(c, w->plain, w->len, w->sealed) ||
        EVP_CipherFinal_ex(c->gcm, tag, &ignored) != 1 ||
        EVP_CIPHER_CTX_ctrl(c->gcm, EVP_CTRL_AEAD_GET_TAG, SEAL_TAG_LEN, tag) != 1)
        w->error = ENOMEM;
    else if (!file_write_whole(w->fd, slice_of(w->sealed, w->len + SEAL_TAG_LEN)))
        w->error = errno;
    w->len = 0;
}

void sealed_writer_put(struct sealed_writer *w, slice bytes)
{
    while (bytes.len > 0 && !w->error) {
        size_t part = CHUNK_LEN - w->len < bytes.len ? CHUNK_LEN - w->len : bytes.len;

        memcpy(w->plain + w->len, bytes.ptr, part);
        w->len += part;
        bytes = slice_from(bytes, part);
        if (w->len == CHUNK_LEN)
            write_chunk(w, false);
    }
}

bool sealed_writer_end(struct sealed_writer *w, struct fault *why)
{
    write_chunk(w, true);
    if (w->error)
        fault_set(why, ST_UNAVAILABLE, "cannot write the sealed file: %s", strerror(w->error));
    return !w->error;
}

void sealed_writer_destroy(struct sealed_writer *w)
{
    if (!w)
        return;
    chunks_deinit(&w->chunks);
    OPENSSL_cleanse(w->plain, sizeof w->plain);
    free(w);
}

/* --- reading --------------------------------------------------------------------------------- */

struct sealed_reader {
    struct chunks chunks;
    int fd;
    bool is_last;   /* the chunk in `plain` is */
    size_t at, len; /* what of `plain` was given, and what there is */
    size_t ahead;   /* bytes of `sealed` that are read already */
    uint8_t plain[CHUNK_LEN], sealed[CHUNK_MAX + 1];
};

/* Reads until `len` bytes of `sealed` are there, or the file ends. */
static bool fill(struct sealed_reader *r, size_t len, struct fault *why)
{
    while (r->ahead < len) {
        ssize_t got = read(r->fd, r->sealed + r->ahead, len - r->ahead);

        if (got == 0)
            break;
        if (got > 0)
            r->ahead += (size_t)got;
        else if (errno != EINTR)
            return fault_set(why, ST_UNAVAILABLE, "cannot read the sealed file: %s",
                             strerror(errno)) == ST_OK;
    }
    return true;
}

struct sealed_reader *sealed_reader_open(const struct sealer *s, const char *purpose, int fd,
                                         struct fault *why)
{
    struct sealed_reader *r = calloc(1, sizeof *r);

    if (!r) {
        fault_set(why, ST_NO_MEMORY, "no memory for a sealed file");
        return NULL;
    }
    r->fd = fd;
    if (!fill(r, HEAD_LEN, why)) {
        sealed_reader_destroy(r);
        return NULL;
    }
    if (r->ahead < HEAD_LEN || memcmp(r->sealed, MAGIC, MAGIC_LEN) != 0) {
        fault_set(why, ST_BAD_REQUEST, "it is not a sealed file of this program");
        sealed_reader_destroy(r);
        return NULL;
    }
    if (!chunks_init(&r->chunks, s, purpose, r->sealed + MAGIC_LEN, false)) {
        fault_set(why, ST_NO_MEMORY, "no memory for a sealed file");
        sealed_reader_destroy(r);
        return NULL;
    }
    r->ahead = 0;
    return r;
}

static bool open_chunk(struct sealed_reader *r, size_t len)
{
    struct chunks *c = &r->chunks;
    uint8_t ignored[SEAL_TAG_LEN];
    int none;
    bool genuine =
        begin_chunk(c, r->is_last) && run_chunk(c, r->sealed, len, r->plain) &&
        EVP_CIPHER_CTX_ctrl(c->gcm, EVP_CTRL_AEAD_SET_TAG, SEAL_TAG_LEN, r->sealed + len) == 1 &&
        EVP_CipherFinal_ex(c->gcm, ignored, &none) == 1;

    if (!genuine) {
        OPENSSL_cleanse(r->plain, sizeof r->plain);
        ERR_clear_error();
    }
    return genuine;
}

/* The chunk behind which the file ends is the last: one byte more is read to see that. */
static bool next_chunk(struct sealed_reader *r, struct fault *why)
{
    size_t whole;

    if (!fill(r, CHUNK_MAX + 1, why))
        return false;
    r->is_last = r->ahead <= CHUNK_MAX;
    whole = r->is_last ? r->ahead : CHUNK_MAX;
    r->at = r->len = 0;
    if (whole < SEAL_TAG_LEN || !open_chunk(r, whole - SEAL_TAG_LEN)) {
        fault_set(why, ST_BAD_REQUEST,
                  "the sealed file is damaged, cut off, or was made with another master key");
        return false;
    }
    r->len = whole - SEAL_TAG_LEN;
    r->ahead -= whole;
    memmove(r->sealed, r->sealed + whole, r->ahead);
    return true;
}

bool sealed_reader_get(struct sealed_reader *r, void *to, size_t len, struct fault *why)
{
    uint8_t *end = to;

    while (len > 0) {
        size_t part = r->len - r->at < len ? r->len - r->at : len;

        memcpy(end, r->plain + r->at, part);
        r->at += part;
        end += part;
        len -= part;
        if (len > 0 && r->is_last) {
            fault_set(why, ST_BAD_REQUEST, "the sealed file ends too early");
            return false;
        }
        if (len > 0 && !next_chunk(r, why))
            return false;
    }
    return true;
}

bool sealed_reader_end(struct sealed_reader *r, struct fault *why)
{
    if (r->at == r->len && !r->is_last && !next_chunk(r, why))
        return false;
    if (r->at == r->len && r->is_last)
        return true;
    fault_set(why, ST_BAD_REQUEST, "the sealed file holds more than it should");
    return false;
}

void sealed_reader_destroy(struct sealed_reader *r)
{
    if (!r)
        return;
    chunks_deinit(&r->chunks);
    OPENSSL_cleanse(r->plain, sizeof r->plain);
    free(r);
}
