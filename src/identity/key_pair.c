/* Both keys of a device or policy as one sealed value: each as its length and its bytes. */
#include "base/reader.h"
#include "identity/identity_internal.h"

static void wipe(struct buf *b)
{
    explicit_bzero(b->ptr, b->cap);
}
#define WIPED __attribute__((cleanup(wipe)))

static slice row_of(slice first, slice second, uint8_t to[SEAL_ROW_MAX])
{
    struct buf row = {.ptr = to, .cap = SEAL_ROW_MAX, .max = SEAL_ROW_MAX};

    buf_append(&row, first);
    buf_append_byte(&row, 0);
    buf_append(&row, second);
    return row.failed ? (slice){0} : buf_slice(&row);
}

static void append_key(struct buf *b, const struct secret *key)
{
    buf_append_byte(b, (uint8_t)key->len);
    buf_append(b, secret_slice(key));
}

void key_pair_seal(const struct sealer *s, const char *table, slice first, slice second,
                   const struct secret *primary, const struct secret *secondary, struct buf *to)
{
    uint8_t bytes[KEY_PAIR_MAX], row[SEAL_ROW_MAX];
    WIPED struct buf plain = BUF_OVER(bytes);
    struct seal_place place = {table, "keys", row_of(first, second, row)};

    append_key(&plain, primary);
    append_key(&plain, secondary);
    if (plain.failed || place.row.len == 0)
        to->failed = true;
    else
        seal(s, place, buf_slice(&plain), to);
}

static bool read_key(struct reader *r, struct secret *ret)
{
    slice bytes = read_bytes(r, read_u8(r));

    if (r->short_read || bytes.len > SECRET_MAX)
        return false;
    memcpy(ret->bytes, bytes.ptr, bytes.len);
    ret->len = bytes.len;
    return true;
}

enum status key_pair_unseal(const struct sealer *s, const char *table, slice first, slice second,
                            slice sealed, struct secret *ret_primary, struct secret *ret_secondary,
                            struct fault *why)
{
    uint8_t bytes[KEY_PAIR_MAX], row[SEAL_ROW_MAX];
    WIPED struct buf plain = BUF_OVER(bytes);
    struct seal_place place = {table, "keys", row_of(first, second, row)};
    struct reader r;
    enum status status;

    ret_primary->len = ret_secondary->len = 0;
    status = unseal(s, place, sealed, &plain, why);
    if (status != ST_OK)
        return status;
    r = (struct reader){.rest = buf_slice(&plain)};
    if (read_key(&r, ret_primary) && read_key(&r, ret_secondary))
        return ST_OK;
    ret_primary->len = ret_secondary->len = 0;
    return fault_set(why, ST_INTERNAL, "the sealed value is no pair of keys");
}

bool token_signed_by(const struct identity *id, const struct sas_token *token,
                     const struct secret *key)
{
    const struct secret *used = key->len > 0 ? key : &id->dummy_key;

    return (int)sas_token_signed_by(token, secret_slice(used)) & (key->len > 0);
}
