#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "identity/identity_fixture.h"
#include "identity/trust/authority_store.h"

#define HASH_A "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define HASH_B "BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB"

/* --- slots ----------------------------------------------------------------------------------- */

static struct authority_row row_of(const char *group, enum authority_slot slot, const char *hash)
{
    return (struct authority_row){
        .group = slice_str(group),
        .slot = slot,
        .certificate = SLICE("\x30\x00 is DER"),
        .thumbprint = slice_str(hash),
        .enabled = true,
        .verified_at = NOW - 5,
        .verified_by = SLICE("alice"),
        .self_attested = true,
        .code = SLICE("0123"),
        .code_at = NOW - 6,
        .crl = SLICE("12345678"),
        .crl_number = SLICE("1F"),
        .crl_this_update = NOW - 7,
        .crl_next_update = NOW + 7,
        .ocsp_url = SLICE("http://ocsp.test/"),
        .ocsp_strict = true,
        .created_at = NOW - 8,
        .updated_at = NOW,
    };
}

static enum status put(struct fixture *f, const struct authority_row *row, int64_t was_version)
{
    struct unit *unit = unit_create(f->store);
    enum status status;

    assert_non_null(unit);
    authority_unit_put(unit, row, was_version);
    trust_unit_move(unit);
    status = unit_run(unit);
    unit_destroy(unit);
    return status;
}

static enum status put_in(struct fixture *f, const char *group, enum authority_slot slot,
                          const char *hash)
{
    struct authority_row row = row_of(group, slot, hash);

    return put(f, &row, 0);
}

struct reading {
    struct fixture *f;
    const char *group;
    struct arena arena;
    struct authority_row *rows[8];
    size_t count;
    enum status status;
    bool ended;
};

static void on_row(void *context, enum status status, const struct authority_row *row)
{
    struct reading *r = context;

    assert_false(r->ended);
    r->status = status;
    r->ended = row == NULL;
    if (row)
        r->rows[r->count++] = authority_row_copy(&r->arena, row);
}

static void begin_reading(void *context)
{
    struct reading *r = context;

    authority_read(r->f->store, slice_str(r->group), on_row, r);
}

/* The caller gives the arena back. */
static struct reading read_group(struct fixture *f, const char *group)
{
    struct reading r = {.f = f, .group = group, .arena = {.max = 1 << 20}, .status = ST_COUNT};

    worker_call(workers_at(f->workers, 0), begin_reading, &r);
    assert_true(r.ended);
    assert_int_equal(r.status, ST_OK);
    return r;
}

static int64_t version_of(struct fixture *f, const char *group)
{
    struct reading r = read_group(f, group);
    int64_t version = r.count == 1 ? r.rows[0]->version : 0;

    arena_deinit(&r.arena);
    return version;
}

static void a_slot_comes_back_as_it_was_written(void **state)
{
    struct authority_row row = row_of("g", AUTHORITY_SECONDARY, HASH_A);
    struct reading r;
    const struct authority_row *back;

    assert_int_equal(put(*state, &row, 0), ST_OK);
    r = read_group(*state, "g");
    assert_int_equal(r.count, 1);
    back = r.rows[0];
    assert_true(slice_equal(back->group, row.group) && back->slot == row.slot);
    assert_true(slice_equal(back->certificate, row.certificate));
    assert_true(slice_equal(back->thumbprint, row.thumbprint));
    assert_true(back->enabled && back->self_attested && back->ocsp_strict);
    assert_int_equal(back->verified_at, row.verified_at);
    assert_true(slice_equal(back->verified_by, row.verified_by));
    assert_true(slice_equal(back->code, row.code) && back->code_at == row.code_at);
    assert_true(slice_equal(back->crl, row.crl) && slice_equal(back->crl_number, row.crl_number));
    assert_int_equal(back->crl_this_update, row.crl_this_update);
    assert_int_equal(back->crl_next_update, row.crl_next_update);
    assert_true(slice_equal(back->ocsp_url, row.ocsp_url));
    assert_true(back->created_at == row.created_at && back->updated_at == row.updated_at);
    assert_int_equal(back->version, NOW);
    arena_deinit(&r.arena);
}

static void a_slot_may_be_bare(void **state)
{
    struct authority_row row = {.group = SLICE("g"),
                                .slot = AUTHORITY_PRIMARY,
                                .certificate = SLICE("x"),
                                .thumbprint = SLICE(HASH_A)};

    assert_int_equal(put(*state, &row, 0), ST_OK);
    assert_int_equal(version_of(*state, "g"), 1);
}

static void groups_are_read_alone_or_all(void **state)
{
    struct fixture *f = *state;
    struct reading r;

    assert_int_equal(put_in(f, "b", AUTHORITY_SECONDARY, HASH_B), ST_OK);
    assert_int_equal(put_in(f, "b", AUTHORITY_PRIMARY, HASH_B), ST_OK);
    assert_int_equal(put_in(f, "a", AUTHORITY_PRIMARY, HASH_A), ST_OK);
    r = read_group(f, "b");
    assert_int_equal(r.count, 2);
    assert_true(r.rows[0]->slot == AUTHORITY_PRIMARY && r.rows[1]->slot == AUTHORITY_SECONDARY);
    arena_deinit(&r.arena);
    r = read_group(f, "");
    assert_int_equal(r.count, 3);
    assert_true(slice_equal(r.rows[0]->group, SLICE("a")));
    arena_deinit(&r.arena);
    r = read_group(f, "c");
    assert_int_equal(r.count, 0);
    arena_deinit(&r.arena);
}

static void a_certificate_belongs_to_one_group(void **state)
{
    struct fixture *f = *state;
    struct authority_row row = row_of("b", AUTHORITY_PRIMARY, HASH_A);

    assert_int_equal(put_in(f, "a", AUTHORITY_PRIMARY, HASH_A), ST_OK);
    assert_int_equal(put_in(f, "a", AUTHORITY_SECONDARY, HASH_A), ST_OK);
    assert_int_equal(put_in(f, "b", AUTHORITY_PRIMARY, HASH_A), ST_CONFLICT);
    assert_int_equal(put_in(f, "c", AUTHORITY_PRIMARY, HASH_B), ST_OK);
    assert_int_equal(put_in(f, "b", AUTHORITY_SECONDARY, HASH_B), ST_CONFLICT); /* other slot */
    assert_int_equal(put_in(f, "b", AUTHORITY_PRIMARY,
                            "CCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCC"),
                     ST_OK);
    assert_int_equal(put(f, &row, version_of(f, "b")), ST_CONFLICT); /* by a change, too */
}

static void a_slot_is_guarded_by_its_version(void **state)
{
    struct fixture *f = *state;
    struct authority_row row = row_of("g", AUTHORITY_PRIMARY, HASH_A);
    struct unit *unit;
    int64_t first, second;

    assert_int_equal(put(f, &row, 0), ST_OK);
    assert_int_equal(put(f, &row, 0), ST_CONFLICT); /* it is not empty */
    first = version_of(f, "g");
    row.thumbprint = SLICE(HASH_B);
    assert_int_equal(put(f, &row, first), ST_OK);
    second = version_of(f, "g");
    assert_true(second > first);
    assert_int_equal(put(f, &row, first), ST_CONFLICT);

    unit = unit_create(f->store);
    assert_non_null(unit);
    authority_unit_delete(unit, SLICE("g"), AUTHORITY_PRIMARY, first);
    assert_int_equal(unit_run(unit), ST_CONFLICT);
    unit_destroy(unit);
    unit = unit_create(f->store);
    assert_non_null(unit);
    authority_unit_delete(unit, SLICE("g"), AUTHORITY_PRIMARY, second);
    assert_int_equal(unit_run(unit), ST_OK);
    unit_destroy(unit);
    assert_int_equal(version_of(f, "g"), 0);
}

static void run_on_group(struct fixture *f, int act)
{
    struct unit *unit = unit_create(f->store);

    assert_non_null(unit);
    if (act < 0)
        authority_unit_forget(unit, SLICE("g"));
    else
        authority_unit_enable(unit, SLICE("g"), act);
    assert_int_equal(unit_run(unit), ST_OK);
    unit_destroy(unit);
}

static void a_group_is_switched_and_forgotten_with_both_slots(void **state)
{
    struct fixture *f = *state;
    struct reading r;
    int64_t before;

    run_on_group(f, 0); /* with none it is no mistake */
    assert_int_equal(put_in(f, "other", AUTHORITY_PRIMARY, HASH_B), ST_OK);
    assert_int_equal(put_in(f, "g", AUTHORITY_PRIMARY, HASH_A), ST_OK);
    before = version_of(f, "g");
    run_on_group(f, 0);
    r = read_group(f, "");
    assert_true(!r.rows[0]->enabled && r.rows[1]->enabled);
    assert_true(r.rows[0]->version > before); /* what was read before may not be written back */
    arena_deinit(&r.arena);
    run_on_group(f, 1);
    r = read_group(f, "g");
    assert_true(r.count == 1 && r.rows[0]->enabled);
    arena_deinit(&r.arena);
    run_on_group(f, -1);
    r = read_group(f, "");
    assert_true(r.count == 1 && slice_equal(r.rows[0]->group, SLICE("other")));
    arena_deinit(&r.arena);
}

/* --- the deny list --------------------------------------------------------------------------- */

static enum status deny(struct fixture *f, const struct denial *d)
{
    struct unit *unit = unit_create(f->store);
    enum status status;

    assert_non_null(unit);
    denial_unit_put(unit, d);
    status = unit_run(unit);
    unit_destroy(unit);
    return status;
}

static enum status allow(struct fixture *f, const char *key)
{
    struct unit *unit = unit_create(f->store);
    enum status status;

    assert_non_null(unit);
    denial_unit_delete(unit, slice_str(key));
    status = unit_run(unit);
    unit_destroy(unit);
    return status;
}

struct page {
    struct fixture *f;
    const char *after;
    unsigned limit;
    char text[512]; /* "key reason by at" of each */
    enum status status;
};

static void on_denial(void *context, enum status status, const struct denial *d, slice key)
{
    struct page *p = context;
    size_t len = strlen(p->text);

    p->status = status;
    if (d)
        snprintf(p->text + len, sizeof p->text - len, "%.*s %.*s %.*s %d|", SLICE_FMT(key),
                 SLICE_FMT(d->reason), SLICE_FMT(d->by), (int)(d->at - NOW));
}

static void begin_page(void *context)
{
    struct page *p = context;

    denial_list(p->f->store, slice_str(p->after), p->limit, on_denial, p);
}

static void assert_page(struct fixture *f, const char *after, unsigned limit, const char *text)
{
    struct page p = {.f = f, .after = after, .limit = limit, .status = ST_COUNT};

    worker_call(workers_at(f->workers, 0), begin_page, &p);
    assert_int_equal(p.status, ST_OK);
    assert_string_equal(p.text, text);
}

static void denials_are_listed_in_their_order_and_taken_back(void **state)
{
    struct fixture *f = *state;
    const struct denial by_hash = {
        .thumbprint = SLICE(HASH_A), .reason = SLICE("stolen"), .by = SLICE("ann"), .at = NOW + 1};
    const struct denial by_serial = {.group = SLICE("Line:A"),
                                     .serial = SLICE("1F"),
                                     .reason = SLICE("lost"),
                                     .by = SLICE("bob"),
                                     .at = NOW + 2};
    const struct denial again = {
        .thumbprint = SLICE(HASH_A), .reason = SLICE("sold"), .by = SLICE("eve"), .at = NOW + 3};
    const struct denial empty = {.reason = SLICE("of nothing")};

    assert_page(f, "", 10, "");
    assert_int_equal(deny(f, &by_hash), ST_OK);
    assert_int_equal(deny(f, &by_serial), ST_OK);
    assert_int_equal(deny(f, &again), ST_OK);
    assert_int_not_equal(deny(f, &empty), ST_OK);
    assert_page(f, "", 10, "t:" HASH_A " sold eve 3|s:line:a:1F lost bob 2|");
    assert_page(f, "", 1, "t:" HASH_A " sold eve 3|");
    assert_page(f, "t:" HASH_A, 10, "s:line:a:1F lost bob 2|");
    assert_int_equal(allow(f, "t:" HASH_A), ST_OK);
    assert_int_equal(allow(f, "t:" HASH_A), ST_CONFLICT);
    assert_page(f, "", 10, "s:line:a:1F lost bob 2|");
    assert_int_equal(deny(f, &by_hash), ST_OK);
    assert_page(f, "s:line:a:1F", 10, "t:" HASH_A " stolen ann 1|");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_slot_comes_back_as_it_was_written),
        TEST(a_slot_may_be_bare),
        TEST(groups_are_read_alone_or_all),
        TEST(a_certificate_belongs_to_one_group),
        TEST(a_slot_is_guarded_by_its_version),
        TEST(a_group_is_switched_and_forgotten_with_both_slots),
        TEST(denials_are_listed_in_their_order_and_taken_back),
    };

    return cmocka_run_group_tests_name("authority_store", tests, NULL, NULL);
}
