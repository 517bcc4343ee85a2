#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <sys/stat.h>

#include "store/store.h"
#include "store/store_testing.h"

static const char *const steps[] = {
    "CREATE TABLE thing (id INTEGER PRIMARY KEY); INSERT INTO thing VALUES (1);",
    "ALTER TABLE thing ADD COLUMN name TEXT; UPDATE thing SET name = 'old';",
    "CREATE TABLE broken (",
};
static const struct store_schema first = {"thing", steps, 1};
static const struct store_schema second = {"thing", steps, 2};
static const struct store_schema broken = {"thing", steps, 3};
static const struct store_schema other = {"other", steps, 1};

static const struct sql steps_sql = {"SELECT MAX(step) FROM schema_step WHERE module = 'thing'"};
static const struct sql named_sql = {"SELECT COUNT(*) FROM thing WHERE name = 'old'"};
static const struct sql things_sql = {"SELECT COUNT(*) FROM thing"};

static int set_up(void **state)
{
    struct store_fixture *f = calloc(1, sizeof *f);

    fixture_make_folder(f->directory);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct store_fixture *f = *state;

    fixture_remove_folder(f->directory);
    free(f);
    return 0;
}

static void open_and_close(struct store_fixture *f, const struct store_schema *schema)
{
    struct fault why;

    if (!fixture_open(f, 1, schema, &why))
        fail_msg("%s", why.text);
    fixture_close(f);
}

static void assert_refused(struct store_fixture *f, const struct store_schema *schema,
                           const char *sentence)
{
    struct fault why;

    assert_false(fixture_open(f, 1, schema, &why));
    workers_destroy(f->ws);
    if (!strstr(why.text, sentence))
        fail_msg("%s", why.text);
}

static void a_new_step_is_added_to_what_there_is(void **state)
{
    struct store_fixture *f = *state;
    struct fault why;

    open_and_close(f, &first);
    open_and_close(f, &first);
    assert_true(fixture_open(f, 1, &second, &why));
    assert_int_equal(fixture_number(f->st, &steps_sql), 2);
    assert_int_equal(fixture_number(f->st, &named_sql), 1);
    fixture_close(f);
}

static void a_newer_database_is_refused(void **state)
{
    open_and_close(*state, &second);
    assert_refused(*state, &first, "newer version of this program: 'thing' is at step 2");
    assert_refused(*state, &other, "tables of 'thing', which this version does not know");
    open_and_close(*state, &second);
}

static void a_step_that_fails_leaves_the_steps_before(void **state)
{
    struct store_fixture *f = *state;
    struct fault why;

    open_and_close(f, &first);
    assert_refused(f, &broken, "migration of 'thing' to step 3 failed");
    assert_true(fixture_open(f, 1, &second, &why));
    assert_int_equal(fixture_number(f->st, &steps_sql), 2);
    fixture_close(f);
}

/* Opens the backup as a store of its own, which is what restoring it means. */
static void a_backup_is_made_before_a_step(void **state)
{
    struct store_fixture *f = *state, copy = {0};
    char path[128], copy_path[128];
    struct stat st;
    struct fault why;

    open_and_close(f, &first);
    snprintf(path, sizeof path, "%s/backup-before-thing-1.db", f->directory);
    assert_int_not_equal(stat(path, &st), 0); /* there was nothing to lose */
    open_and_close(f, &second);
    snprintf(path, sizeof path, "%s/backup-before-thing-2.db", f->directory);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);

    fixture_make_folder(copy.directory);
    snprintf(copy_path, sizeof copy_path, "%s/muster.db", copy.directory);
    assert_int_equal(rename(path, copy_path), 0);
    assert_true(fixture_open(&copy, 1, &first, &why));
    assert_int_equal(fixture_number(copy.st, &things_sql), 1);
    assert_int_equal(fixture_number(copy.st, &steps_sql), 1);
    fixture_close(&copy);
    fixture_remove_folder(copy.directory);
}

#define MIGRATE_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        MIGRATE_TEST(a_new_step_is_added_to_what_there_is),
        MIGRATE_TEST(a_newer_database_is_refused),
        MIGRATE_TEST(a_step_that_fails_leaves_the_steps_before),
        MIGRATE_TEST(a_backup_is_made_before_a_step),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
