#include "central/operation/export_link.h"

#include "base/reader.h"
#include "base/text.h"
#include "crypto/seal.h"

#define OPEN_MAX (8 + SHA256_LEN + EXPORT_LINK_USER_MAX)
#define SEALED_MAX (OPEN_MAX + SEAL_OVERHEAD)

static const struct seal_place place = {"export", "link", {(const uint8_t *)"devices", 7}};

void export_link_write(const struct sealer *s, slice user, slice query, instant now, struct buf *to)
{
    BUF_CLEANUP struct buf text = {.max = OPEN_MAX}, sealed = {.max = SEALED_MAX};
    uint8_t hash[SHA256_LEN];

    sha256(query, hash);
    buf_append_u64(&text, (uint64_t)(now + EXPORT_LINK_MS));
    buf_append(&text, slice_of(hash, sizeof hash));
    buf_append(&text, user);
    if (!text.failed)
        seal(s, place, buf_slice(&text), &sealed);
    if (text.failed || sealed.failed)
        to->failed = true;
    else
        base64url_encode(buf_slice(&sealed), to);
}

static enum status open_link(const struct sealer *s, slice link, struct buf *to, struct fault *why)
{
    uint8_t sealed[SEALED_MAX];
    size_t len;

    if (!base64url_decode(link, sealed, sizeof sealed, &len) ||
        unseal(s, place, slice_of(sealed, len), to, why) != ST_OK)
        return fault_set(why, ST_NOT_FOUND, "no such link");
    return ST_OK;
}

enum status export_link_check(const struct sealer *s, slice link, slice user, slice query,
                              instant now, struct fault *why)
{
    BUF_CLEANUP struct buf text = {.max = OPEN_MAX};
    enum status status = open_link(s, link, &text, why);
    struct reader r = {.rest = buf_slice(&text)};
    uint8_t hash[SHA256_LEN];
    instant expires_at;

    if (status != ST_OK)
        return status;
    expires_at = (instant)read_u64(&r);
    sha256(query, hash);
    if (!slice_equal(read_bytes(&r, sizeof hash), slice_of(hash, sizeof hash)) || r.short_read)
        return fault_set(why, ST_NOT_FOUND, "the link was made for another export");
    if (!slice_equal(r.rest, user))
        return fault_set(why, ST_FORBIDDEN, "the link was made for somebody else");
    if (now >= expires_at)
        return fault_set(why, ST_NOT_FOUND, "the link was good for an hour, which is over");
    return ST_OK;
}
