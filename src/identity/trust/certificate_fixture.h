/* For tests, behind cmocka's header: authorities and leaves made on the spot. */
#ifndef MUSTER_IDENTITY_CERTIFICATE_FIXTURE_H
#define MUSTER_IDENTITY_CERTIFICATE_FIXTURE_H

#include "base/clock.h"
#include "crypto/certificate_make.h"
#include "crypto/certificate_read.h"
#include "identity/trust/authority_store.h"

#define FIXTURE_DAY_MS (24LL * 3600 * 1000)

/* A certificate with its key. */
struct made {
    struct evp_pkey_st *key;
    struct x509_st *certificate;
};

/* `issuer` NULL: self-signed. Valid from a day before `now` until `days` after. */
static inline struct made make_until(enum certificate_role role, const char *name,
                                     const struct made *issuer, instant now, int days)
{
    struct made m = {.key = private_key_make(KEY_P256)};
    const struct certificate_order order = {
        .role = role,
        .common_name = slice_str(name),
        .key = m.key,
        .issuer = issuer ? issuer->certificate : NULL,
        .issuer_key = issuer ? issuer->key : NULL,
        .not_before = now - 2 * FIXTURE_DAY_MS,
        .not_after = now + days * FIXTURE_DAY_MS,
        .path_length = -1,
    };
    struct fault why;

    assert_non_null(m.key);
    m.certificate = certificate_make(&order, &why);
    if (!m.certificate)
        fail_msg("%s: %s", name, why.text);
    return m;
}

static inline struct made make_authority(const char *name, const struct made *issuer, instant now)
{
    return make_until(ROLE_AUTHORITY, name, issuer, now, 30);
}

static inline struct made make_leaf(const char *name, const struct made *issuer, instant now)
{
    return make_until(ROLE_DEVICE, name, issuer, now, 30);
}

static inline void made_free(struct made *m)
{
    private_key_free(m->key);
    certificate_free(m->certificate);
    *m = (struct made){.key = NULL};
}

/* Several, as a device would send them. The caller frees with certificates_free. */
static inline struct stack_st_X509 *sent(const struct made *const *list, size_t count)
{
    BUF_CLEANUP struct buf pem = {.max = CERTIFICATE_FILE_MAX};
    struct stack_st_X509 *stack = NULL;

    for (size_t i = 0; i < count; i++)
        certificate_to_pem(list[i]->certificate, &pem);
    assert_false(pem.failed);
    assert_int_equal(certificates_read(buf_slice(&pem), CERTIFICATE_CHAIN_MAX, &stack),
                     CERTIFICATE_FINE);
    return stack;
}

static inline slice sha256_of(const struct made *m, struct thumbprints *t)
{
    assert_true(certificate_thumbprints(m->certificate, t));
    return slice_of(t->sha256, sizeof t->sha256);
}

static inline uint64_t mark_of(const struct made *m)
{
    struct thumbprints t;

    return mark_of_thumbprint(sha256_of(m, &t));
}

/* --- in a store, from the test's thread ------------------------------------------------------- */

/* A slot, in place of what it held. */
struct slot_order {
    const char *group;
    enum authority_slot slot;
    const struct made *authority; /* NULL: the slot is emptied */
    bool unverified, disabled;
    uint64_t revoked; /* the one mark of its revocation list; 0: none */
    const char *ocsp_url;
    bool ocsp_strict;
};

static inline void add_slot(struct unit *unit, const struct slot_order *o)
{
    static const struct sql empty = {"DELETE FROM authority WHERE group_key = ?1 AND slot = ?2"};
    const struct sql_value values[] = {SQL_TEXT_(slice_str(o->group)), SQL_INT_(o->slot)};
    BUF_CLEANUP struct buf der = {.max = CERTIFICATE_FILE_MAX};
    struct thumbprints t;

    unit_add(unit, &empty, values, COUNT_OF(values), EXPECT_ANY);
    if (o->authority) {
        certificate_to_der(o->authority->certificate, &der);
        const struct authority_row row = {
            .group = slice_str(o->group),
            .slot = o->slot,
            .certificate = buf_slice(&der),
            .thumbprint = sha256_of(o->authority, &t),
            .enabled = !o->disabled,
            .verified_at = o->unverified ? 0 : 1,
            .crl = slice_of(&o->revoked, o->revoked ? sizeof o->revoked : 0),
            .ocsp_url = slice_str(o->ocsp_url),
            .ocsp_strict = o->ocsp_strict,
            .updated_at = clock_wall_ms(),
        };
        authority_unit_put(unit, &row, 0);
    }
    trust_unit_move(unit);
}

static inline void put_slot_now(struct store *st, const struct slot_order *o)
{
    struct unit *unit = unit_create(st);

    assert_non_null(unit);
    add_slot(unit, o);
    assert_int_equal(unit_run(unit), ST_OK);
    unit_destroy(unit);
}

/* Onto the deny list, by its hash. */
static inline void deny_now(struct store *st, const struct made *m)
{
    struct unit *unit = unit_create(st);
    struct thumbprints t;
    const struct denial d = {.thumbprint = sha256_of(m, &t), .at = 1};

    assert_non_null(unit);
    denial_unit_put(unit, &d);
    trust_unit_move(unit);
    assert_int_equal(unit_run(unit), ST_OK);
    unit_destroy(unit);
}

#endif
