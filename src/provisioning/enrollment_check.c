#include "provisioning/enrollment_check.h"

#include "codec/json.h"
#include "codec/topic.h"
#include "provisioning/hex_text.h"
#include "provisioning/provisioning_internal.h"

#define INITIAL_TWIN_MAX_BYTES (32 * 1024) /* of tags, and of desired */

static bool is_alphanumeric(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool id_is_valid(enum enrollment_kind kind, slice id)
{
    if (kind == ENROLLMENT_INDIVIDUAL)
        return registration_id_valid(id) && is_alphanumeric(id.ptr[0]);
    return id.len > 0 && id.len <= ENROLLMENT_ID_MAX && text_is_printable(id);
}

static bool key_is_valid(const struct secret *key)
{
    return key->len == 0 || (key->len >= 16 && key->len <= SECRET_MAX);
}

static bool is_object_or_absent(slice json)
{
    struct arena ARENA_CLEANUP arena = {.max = 4 * 1024 * 1024};
    struct json *root;

    if (json.len == 0)
        return true;
    return json.len <= INITIAL_TWIN_MAX_BYTES &&
           json_parse(json, JSON_REFUSE_DUPLICATES, &arena, &root, NULL) == ST_OK &&
           root->kind == JSON_OBJECT;
}

static bool hub_is_known(const struct identity *id, slice hub)
{
    return hub.len == 0 || identity_hub_by_name(id, hub) || identity_hub_by_host(id, hub);
}

/* --- credentials: what each attestation wants, and nothing of another ------------------------- */

static enum status check_symmetric_key(const struct enrollment *e, struct fault *why)
{
    if (e->primary_thumbprint.len > 0 || e->secondary_thumbprint.len > 0 || e->expired_leaf_allowed)
        return fault_set(why, ST_BAD_REQUEST, "an enrollment with keys takes no certificates");
    if (!key_is_valid(&e->primary) || !key_is_valid(&e->secondary))
        return fault_set(why, ST_BAD_REQUEST, "a key has 16 to 64 bytes");
    return ST_OK;
}

static bool normalise_or_absent(slice *thumbprint, struct arena *arena)
{
    return thumbprint->len == 0 || thumbprint_normalise(*thumbprint, arena, thumbprint);
}

static enum status check_x509(struct enrollment *e, struct arena *arena, struct fault *why)
{
    if (e->primary.len > 0 || e->secondary.len > 0)
        return fault_set(why, ST_BAD_REQUEST, "an enrollment for certificates has no keys");
    if (e->kind == ENROLLMENT_GROUP) {
        if (e->primary_thumbprint.len == 0 && e->secondary_thumbprint.len == 0 &&
            !e->expired_leaf_allowed)
            return ST_OK;
        return fault_set(why, ST_BAD_REQUEST,
                         "a group goes by the certificates in its slots, not by those of devices");
    }
    if (e->primary_thumbprint.len == 0)
        return fault_set(why, ST_BAD_REQUEST,
                         "the thumbprint of the primary certificate is needed");
    if (!normalise_or_absent(&e->primary_thumbprint, arena) ||
        !normalise_or_absent(&e->secondary_thumbprint, arena))
        return fault_set(why, ST_BAD_REQUEST, "a thumbprint is 40 or 64 hexadecimal digits");
    return ST_OK;
}

static enum status check_credentials(struct enrollment *e, struct arena *arena, struct fault *why)
{
    switch (e->attestation) {
    case ATTEST_SYMMETRIC_KEY:
        return check_symmetric_key(e, why);
    case ATTEST_X509:
        return check_x509(e, arena, why);
    default:
        return fault_set(why, ST_BAD_REQUEST, "attestation '%s' is not supported",
                         attestation_name(e->attestation));
    }
}

enum status enrollment_check(const struct identity *id, struct enrollment *e, struct arena *arena,
                             struct fault *why)
{
    if (e->kind != ENROLLMENT_INDIVIDUAL && e->kind != ENROLLMENT_GROUP)
        return fault_set(why, ST_BAD_REQUEST, "neither a group nor an individual enrollment");
    if (!id_is_valid(e->kind, e->id))
        return fault_set(why, ST_BAD_REQUEST, "not an ID of an enrollment");
    if (e->kind == ENROLLMENT_INDIVIDUAL && e->device_id.len > 0 && !device_id_valid(e->device_id))
        return fault_set(why, ST_BAD_REQUEST, "not a device ID");
    if (!hub_is_known(id, e->hub))
        return fault_set(why, ST_BAD_REQUEST, "no such hub");
    if (!is_object_or_absent(e->initial_tags) || !is_object_or_absent(e->initial_desired))
        return fault_set(why, ST_BAD_REQUEST, "the initial twin is no JSON object");
    return check_credentials(e, arena, why);
}

/* --- among the other groups ------------------------------------------------------------------- */

static bool same_key(const struct secret *a, const struct secret *b)
{
    return a->len == b->len && a->len > 0 && secret_equal(a->bytes, b->bytes, a->len);
}

static bool share_a_key(const struct enrollment *a, const struct enrollment *b)
{
    return same_key(&a->primary, &b->primary) || same_key(&a->primary, &b->secondary) ||
           same_key(&a->secondary, &b->primary) || same_key(&a->secondary, &b->secondary);
}

/* A key finds its group, so it can serve one only. */
enum status enrollment_check_among(const struct enrollment_cache *groups,
                                   const struct enrollment *e, bool is_new, struct fault *why)
{
    size_t alike = 0;

    for (size_t i = 0; i < groups->count; i++) {
        const struct enrollment *other = &groups->groups[i];

        if (!slice_equal_nocase(other->id, e->id) && share_a_key(other, e))
            return fault_set(why, ST_CONFLICT, "a key serves group '%.*s' already",
                             SLICE_FMT(other->id));
        alike += other->attestation == e->attestation;
    }
    if (is_new && alike >= ENROLLMENT_GROUPS_MAX)
        return fault_set(why, ST_QUOTA, "there are %d groups of this attestation already",
                         ENROLLMENT_GROUPS_MAX);
    return ST_OK;
}
