#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <sched.h>

#include "identity/device_search.h"
#include "identity/identity_fixture.h"

/* --- texts ------------------------------------------------------------------------------------ */

static void terms_are_all_groups_of_three_characters(void **state)
{
    static const struct {
        const char *text, *terms; /* NULL: too short for the index */
    } rows[] = {
        {"pump", "\"pum\" AND \"ump\""},
        {"abc", "\"abc\""},
        {"a\"b", "\"a\"\"b\""},
        {"\xc3\xbc\xe2\x82\xac\xf0\x9d\x84\x9e!",
         "\"\xc3\xbc\xe2\x82\xac\xf0\x9d\x84\x9e\" AND \"\xe2\x82\xac\xf0\x9d\x84\x9e!\""},
        {"ab", NULL},
        {"\xc3\xbc\xc3\xbc", NULL},
        {"", NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        BUF_CLEANUP struct buf terms = {.max = 1024};
        bool has_terms = device_search_terms(slice_str(rows[i].text), &terms);

        if (has_terms != (rows[i].terms != NULL) ||
            (has_terms && !slice_equal(buf_slice(&terms), slice_str(rows[i].terms))))
            fail_msg("%s: %.*s", rows[i].text, SLICE_FMT(buf_slice(&terms)));
    }
}

static void a_device_holds_parts_of_its_id_and_of_its_name(void **state)
{
    const struct device d = {.id = SLICE("Pump-07"), .display_name = SLICE("Cold \xc3\x9c")};
    static const struct {
        const char *text;
        bool held;
    } rows[] = {
        {"pump", true},       {"MP-07", true},     {"cold", true},
        {"d \xc3\x9c", true}, {"p-07Cold", false}, {"7", true},
        {"\xc3\xbc", false},  {"pump-077", false}, {"Cold \xc3\x9c ", false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (device_holds(&d, slice_str(rows[i].text)) != rows[i].held)
            fail_msg("%s", rows[i].text);
    }
}

/* --- the index -------------------------------------------------------------------------------- */

static int64_t number_of(struct fixture *f, const struct sql *sql, const struct sql_value *values,
                         size_t count)
{
    int64_t number = -1;

    assert_int_equal(store_read_int_now(f->store, sql, values, count, &number), ST_OK);
    return number;
}

static int64_t found(struct fixture *f, const char *terms)
{
    const struct sql_value values[] = {SQL_TEXT_(slice_str(terms)), SQL_INT_(100)};

    return number_of(f, &device_search_count_sql, values, COUNT_OF(values));
}

static void wait_until_indexed(struct fixture *f)
{
    static const struct sql rest = {"SELECT (SELECT COALESCE(MAX(rowid), 0) FROM device)"
                                    " - (SELECT upto FROM device_search_state)"
                                    " + (SELECT COUNT(*) FROM device_search_stale)"};

    while (number_of(f, &rest, NULL, 0) != 0)
        sched_yield();
}

static void insert(struct fixture *f, const char *device_id, const char *name)
{
    struct device_new n = fixture_device("main", device_id, "");

    n.display_name = slice_str(name);
    assert_int_equal(fixture_insert(f, &n), ST_OK);
}

static void run_sql(struct fixture *f, const struct sql *sql)
{
    struct unit *unit = unit_create(f->store);

    unit_add(unit, sql, NULL, 0, EXPECT_ONE);
    assert_int_equal(unit_run(unit), ST_OK);
    unit_destroy(unit);
}

static void the_index_follows_the_rows(void **state)
{
    static const struct sql rename = {
        "UPDATE device SET display_name = 'warm valve' WHERE device_key = 'one'"};
    static const struct sql delete = {"DELETE FROM device WHERE device_key = 'two'"};
    struct fixture *f = *state;

    insert(f, "one", "cold pump");
    insert(f, "two", "Cold Valve");
    wait_until_indexed(f);
    assert_int_equal(found(f, "\"col\" AND \"old\""), 2);
    assert_int_equal(found(f, "\"one\""), 1);
    run_sql(f, &rename);
    wait_until_indexed(f);
    assert_int_equal(found(f, "\"col\""), 1);
    assert_int_equal(found(f, "\"val\""), 2);
    run_sql(f, &delete);
    wait_until_indexed(f);
    assert_int_equal(found(f, "\"val\""), 1);
}

/* The number of a row that was the last is given to the next one. */
static void a_row_in_the_place_of_a_deleted_one_is_indexed(void **state)
{
    static const struct sql delete[] = {{"DELETE FROM device WHERE device_key = 'two'"},
                                        {"DELETE FROM device WHERE device_key = 'three'"}};
    struct fixture *f = *state;

    insert(f, "one", "a");
    insert(f, "two", "b");
    insert(f, "three", "c");
    wait_until_indexed(f);
    run_sql(f, &delete[0]);
    run_sql(f, &delete[1]);
    insert(f, "new", "fresh");
    wait_until_indexed(f);
    assert_int_equal(found(f, "\"fre\" AND \"res\" AND \"esh\""), 1);
    assert_int_equal(found(f, "\"two\""), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(terms_are_all_groups_of_three_characters),
        cmocka_unit_test(a_device_holds_parts_of_its_id_and_of_its_name),
        TEST(the_index_follows_the_rows),
        TEST(a_row_in_the_place_of_a_deleted_one_is_indexed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
