#include "crypto/leaf_maker.h"

#include <stdlib.h>

#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include "crypto/certificate_make_internal.h"

#define P256_LEN 32
#define P256_POINT_LEN (1 + 2 * P256_LEN)
#define PEM_MAX (2 * CERTIFICATE_DER_MAX)

/* OpenSSL's encoders take twice the time of making a P-256 key. So these keys are made and written
 * here, with the very steps of its own generator (a random number below the order, times the base
 * point); all other kinds take longer to make than to write. */
struct p256 {
    EC_GROUP *group;
    EC_POINT *point;
    BIGNUM *number;
    BN_CTX *scratch;
};

struct leaf_maker {
    struct leaf_plan plan;
    struct issuing by; /* unless each leaf signs for itself */
    struct p256 p256;
    struct key_bytes key;
    struct buf der, certificate_pem, key_pem;
};

/* --- P-256 ------------------------------------------------------------------------------------ */

static bool p256_init(struct p256 *p)
{
    p->group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    p->point = p->group ? EC_POINT_new(p->group) : NULL;
    p->number = BN_secure_new();
    p->scratch = BN_CTX_secure_new();
    if (p->number)
        BN_set_flags(p->number, BN_FLG_CONSTTIME);
    return p->point && p->number && p->scratch;
}

static void p256_deinit(struct p256 *p)
{
    EC_POINT_free(p->point);
    EC_GROUP_free(p->group);
    BN_clear_free(p->number);
    BN_CTX_free(p->scratch);
}

static bool p256_make(struct p256 *p, uint8_t number[P256_LEN], uint8_t point[P256_POINT_LEN])
{
    do {
        if (BN_priv_rand_range(p->number, EC_GROUP_get0_order(p->group)) != 1)
            return false;
    } while (BN_is_zero(p->number));
    return EC_POINT_mul(p->group, p->point, p->number, NULL, NULL, p->scratch) == 1 &&
           EC_POINT_point2oct(p->group, p->point, POINT_CONVERSION_UNCOMPRESSED, point,
                              P256_POINT_LEN, p->scratch) == P256_POINT_LEN &&
           BN_bn2binpad(p->number, number, P256_LEN) == P256_LEN;
}

/* Everything around the numbers is the same in every key (RFC 5480, RFC 5915, RFC 5958). */
#define P256_ALGORITHM                                                                             \
    "\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"

static void p256_write(const uint8_t number[P256_LEN], const uint8_t point[P256_POINT_LEN],
                       struct key_bytes *to)
{
    slice whole_point = slice_of(point, P256_POINT_LEN);

    buf_append(&to->public_info, SLICE("\x30\x59" P256_ALGORITHM "\x03\x42\x00"));
    buf_append(&to->public_info, whole_point);
    buf_append(&to->private_info, SLICE("\x30\x81\x87\x02\x01\x00" P256_ALGORITHM
                                        "\x04\x6d\x30\x6b\x02\x01\x01\x04\x20"));
    buf_append(&to->private_info, slice_of(number, P256_LEN));
    buf_append(&to->private_info, SLICE("\xa1\x44\x03\x42\x00"));
    buf_append(&to->private_info, whole_point);
}

static bool make_p256(struct leaf_maker *m)
{
    uint8_t number[P256_LEN], point[P256_POINT_LEN];
    bool made = p256_make(&m->p256, number, point);

    if (made)
        p256_write(number, point, &m->key);
    OPENSSL_cleanse(number, sizeof number);
    return made && !m->key.public_info.failed && !m->key.private_info.failed;
}

/* --- the maker -------------------------------------------------------------------------------- */

/* The buffers that hold a key get all their room now: growing would leave copies behind. */
static bool init_buffers(struct leaf_maker *m)
{
    key_bytes_init(&m->key);
    buf_init(&m->key_pem, PEM_MAX);
    buf_init(&m->der, CERTIFICATE_DER_MAX);
    buf_init(&m->certificate_pem, PEM_MAX);
    return buf_room(&m->key.private_info, KEY_DER_MAX) && buf_room(&m->key_pem, 2 * KEY_DER_MAX);
}

struct leaf_maker *leaf_maker_create(const struct leaf_plan *plan, struct fault *why)
{
    struct leaf_maker *m = calloc(1, sizeof *m);

    if (m && init_buffers(m) && p256_init(&m->p256)) {
        m->plan = *plan;
        if (!plan->issuer || issuing_init(&m->by, plan->issuer, plan->issuer_key, why) == ST_OK)
            return m;
    } else {
        fault_set(why, ST_NO_MEMORY, "no memory to make certificates");
    }
    ERR_clear_error();
    leaf_maker_destroy(m);
    return NULL;
}

static void wipe(struct buf *b)
{
    if (b->ptr)
        OPENSSL_cleanse(b->ptr, b->len);
    buf_clear(b);
}

void leaf_maker_destroy(struct leaf_maker *m)
{
    if (!m)
        return;
    wipe(&m->key_pem);
    buf_deinit(&m->key_pem);
    buf_deinit(&m->der);
    buf_deinit(&m->certificate_pem);
    key_bytes_deinit(&m->key);
    issuing_deinit(&m->by);
    p256_deinit(&m->p256);
    free(m);
}

static bool take_key(struct leaf_maker *m, const EVP_PKEY *key)
{
    EVP_PKEY *fresh = NULL;
    bool taken;

    wipe(&m->key.private_info);
    buf_clear(&m->key.public_info);
    if (!key && m->plan.kind == KEY_P256)
        return make_p256(m);
    if (!key)
        key = fresh = private_key_make(m->plan.kind);
    taken = key && key_bytes_of(key, &m->key);
    EVP_PKEY_free(fresh);
    return taken;
}

static enum status write_with(struct leaf_maker *m, slice common_name, struct issuing *by,
                              struct fault *why)
{
    const struct certificate_order order = {
        .role = m->plan.role,
        .common_name = common_name,
        .not_before = m->plan.not_before,
        .not_after = m->plan.not_after,
        .path_length = -1,
    };

    buf_clear(&m->der);
    return certificate_write(&order, buf_slice(&m->key.public_info), false, by, &m->der, why);
}

static enum status write_self_signed(struct leaf_maker *m, slice common_name, struct fault *why)
{
    EVP_PKEY *key = key_from_bytes(&m->key);
    struct issuing by = {0};
    enum status status = key ? issuing_init(&by, NULL, key, why)
                             : fault_set(why, ST_INTERNAL, "cannot read the fresh key");

    if (status == ST_OK)
        status = write_with(m, common_name, &by, why);
    issuing_deinit(&by);
    EVP_PKEY_free(key);
    return status;
}

enum status leaf_maker_make(struct leaf_maker *m, slice common_name, const struct evp_pkey_st *key,
                            struct leaf *ret, struct fault *why)
{
    enum status status;

    if (!take_key(m, key))
        return fault_set(why, ST_INTERNAL, "cannot make a key");
    status = m->plan.issuer ? write_with(m, common_name, &m->by, why)
                            : write_self_signed(m, common_name, why);
    if (status != ST_OK)
        return status;
    wipe(&m->key_pem);
    buf_clear(&m->certificate_pem);
    pem_write("CERTIFICATE", buf_slice(&m->der), &m->certificate_pem);
    pem_write("PRIVATE KEY", buf_slice(&m->key.private_info), &m->key_pem);
    if (m->certificate_pem.failed || m->key_pem.failed)
        return fault_set(why, ST_NO_MEMORY, "no memory for a leaf");
    *ret =
        (struct leaf){buf_slice(&m->der), buf_slice(&m->certificate_pem), buf_slice(&m->key_pem)};
    return ST_OK;
}
