#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "identity/identity_fixture.h"

/* A device as the first step's table has it. */
static const struct sql old_device_sql = {
    "INSERT INTO device VALUES ('d1', '', 'main', 'd1', 'generation', 7, 'Pump', 1, 1, 0, 1, 0, 0,"
    " '', '', 0, 1, ?1, 'AB', '', 2, 'line', 5, 0, '', 1, 2, 3, 4, 0, 0, '', '', '', '')"};
/* The commands' own token as the first step's table has it: all rights, for ten years. */
static const struct sql old_token_sql = {
    "INSERT INTO api_token (token_id, hash, rights, created_at, expires_at)"
    " VALUES ('cli', ?1, 3584, 1000, 315360001000)"};
static const struct sql token_sql = {
    "SELECT expires_at FROM api_token JOIN assignment ON holder_kind = 2 AND holder_id = token_id"
    " WHERE token_id = 'cli' AND role_id = 'ca310b8d-2f4a-44e0-a36e-957c202cd8d4'"
    " AND organization_id = ''"};
static const struct sql trust_sql = {"SELECT version FROM trust_set"};

static void fill_old(struct fixture *f)
{
    const struct store_schema old = {"identity", identity_schema.steps, 1};
    const struct store_schema *const schemas[] = {&old};
    const struct store_options options = {
        .directory = f->directory, .schemas = schemas, .schema_count = COUNT_OF(schemas)};
    const struct sql_value no_keys = SQL_BLOB_((slice){0});
    struct workers *ws = workers_create(1);
    struct fault why;
    struct store *st = store_open(ws, &options, &why);
    struct unit *unit;

    if (!st)
        fail_msg("%s", why.text);
    unit = unit_create(st);
    assert_non_null(unit);
    unit_add(unit, &old_device_sql, &no_keys, 1, EXPECT_ONE);
    unit_add(unit, &old_token_sql, &no_keys, 1, EXPECT_ONE);
    assert_int_equal(unit_run(unit), ST_OK);
    unit_destroy(unit);
    store_close(st);
    workers_destroy(ws);
}

static void what_the_version_before_had_is_kept(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct device_copy c;
    int64_t version = 0, expires_at = 0;

    assert_non_null(f);
    snprintf(f->directory, sizeof f->directory, "/tmp/muster-identity-XXXXXX");
    assert_non_null(mkdtemp(f->directory));
    snprintf(f->key_path, sizeof f->key_path, "%s/master.key", f->directory);
    *state = f;
    fill_old(f);
    fixture_open(f);
    assert_int_equal(fixture_read(f, "main", "d1", "", &c), ST_OK);
    assert_int_equal(c.d.version, 7);
    assert_true(slice_equal(c.d.primary_thumbprint, SLICE("AB")));
    assert_true(slice_equal(c.d.enrollment_id, SLICE("line")));
    assert_false(c.d.expired_leaf_allowed);
    assert_int_equal(store_read_int_now(f->store, &trust_sql, NULL, 0, &version), ST_OK);
    assert_int_equal(version, 1);
    /* An administrator's now, and for a year at most. */
    assert_int_equal(store_read_int_now(f->store, &token_sql, NULL, 0, &expires_at), ST_OK);
    assert_int_equal(expires_at, 31536001000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(what_the_version_before_had_is_kept, fixture_teardown),
    };

    return cmocka_run_group_tests_name("identity_store", tests, NULL, NULL);
}
