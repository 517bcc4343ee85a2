#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "identity/access/access_fixture.h"

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

/* emea > plant > line, and apac. */
static void make_tree(struct fixture *f)
{
    assert_int_equal(put_organization(f, everything(), "emea", NULL), ST_OK);
    assert_int_equal(put_organization(f, everything(), "plant", "emea"), ST_OK);
    assert_int_equal(put_organization(f, everything(), "line", "plant"), ST_OK);
    assert_int_equal(put_organization(f, everything(), "apac", ""), ST_OK);
}

static void a_tree_is_made_and_shown(void **state)
{
    struct fixture *f = *state;
    struct asking a = {.f = f, .by = everything(), .id = SLICE("line")};

    assert_organizations(f, everything(), "");
    make_tree(f);
    assert_organizations(f, everything(),
                         "apac 'apac' /apac/\nemea 'emea' /emea/\n"
                         "line 'line' /emea/plant/line/\n"
                         "plant 'plant' /emea/plant/\n");
    a.start = start_organization_get;
    assert_int_equal(ask(&a), ST_OK);
    assert_string_equal(asked(&a), "line 'line' /emea/plant/line/\n");
    ended(&a);
}

static void C046_siblings_do_not_see_each_other(void **state)
{
    struct fixture *f = *state;
    struct asking a = {.f = f, .by = within("/emea/"), .id = SLICE("apac")};

    make_tree(f);
    assert_organizations(f, within("/emea/plant/"),
                         "line 'line' /emea/plant/line/\nplant 'plant' /emea/plant/\n");
    assert_organizations(f, within("/apac/"), "apac 'apac' /apac/\n");
    a.start = start_organization_get;
    assert_int_equal(ask(&a), ST_NOT_FOUND);
    ended(&a);
    assert_int_equal(delete_organization(f, within("/emea/"), "apac"), ST_NOT_FOUND);
    assert_int_equal(put_organization(f, within("/emea/"), "apac", "emea"), ST_CONFLICT);
    assert_int_equal(put_organization(f, within("/emea/"), "new", "apac"), ST_BAD_REQUEST);
    assert_int_equal(put_organization(f, within("/emea/"), "new", ""), ST_FORBIDDEN);
    assert_int_equal(put_organization(f, within("/emea/"), "new", "plant"), ST_OK);
    assert_int_equal(put_organization(f, within("/emea/"), "plant", ""), ST_FORBIDDEN);
}

static void ones_own_organization_is_changed_from_above(void **state)
{
    struct fixture *f = *state;

    make_tree(f);
    assert_int_equal(put_organization(f, within("/emea/plant/"), "plant", NULL), ST_FORBIDDEN);
    assert_int_equal(delete_organization(f, within("/emea/plant/line/"), "line"), ST_FORBIDDEN);
    assert_int_equal(delete_organization(f, within("/emea/plant/"), "line"), ST_OK);
}

static void what_moves_takes_all_below_it_along(void **state)
{
    struct fixture *f = *state;

    make_tree(f);
    assert_int_equal(put_organization(f, everything(), "plant", "apac"), ST_OK);
    assert_organizations(f, everything(),
                         "apac 'apac' /apac/\nemea 'emea' /emea/\n"
                         "line 'line' /apac/plant/line/\n"
                         "plant 'plant' /apac/plant/\n");
    assert_int_equal(put_organization(f, everything(), "plant", "line"), ST_BAD_REQUEST);
    assert_int_equal(put_organization(f, everything(), "plant", "plant"), ST_BAD_REQUEST);
    assert_int_equal(put_organization(f, everything(), "plant", "nowhere"), ST_BAD_REQUEST);
    assert_int_equal(put_organization(f, everything(), "plant", ""), ST_OK);
    assert_organizations(f, within("/plant/"), "line 'line' /plant/line/\nplant 'plant' /plant/\n");
}

/* The path of "ab" is no path of "a" and what it begins with. */
static void names_that_begin_alike_are_not_moved(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(put_organization(f, everything(), "ab", NULL), ST_OK);
    assert_int_equal(put_organization(f, everything(), "abc", NULL), ST_OK);
    assert_int_equal(put_organization(f, everything(), "up", NULL), ST_OK);
    assert_int_equal(put_organization(f, everything(), "ab", "up"), ST_OK);
    assert_organizations(f, everything(), "ab 'ab' /up/ab/\nabc 'abc' /abc/\nup 'up' /up/\n");
}

static void five_levels_and_no_more(void **state)
{
    static const char *const ids[] = {"l1", "l2", "l3", "l4", "l5"};
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(ids); i++)
        assert_int_equal(put_organization(f, everything(), ids[i], i ? ids[i - 1] : NULL), ST_OK);
    assert_int_equal(put_organization(f, everything(), "l6", "l5"), ST_QUOTA);
    /* Nor by a move of two levels below the fourth. */
    assert_int_equal(put_organization(f, everything(), "m1", NULL), ST_OK);
    assert_int_equal(put_organization(f, everything(), "m2", "m1"), ST_OK);
    assert_int_equal(put_organization(f, everything(), "m1", "l4"), ST_QUOTA);
    assert_int_equal(put_organization(f, everything(), "m1", "l3"), ST_OK);
}

static void two_hundred_and_no_more(void **state)
{
    struct fixture *f = *state;
    char id[8];

    for (int i = 0; i < ORGANIZATIONS_MAX; i++) {
        snprintf(id, sizeof id, "o%d", i + 10);
        assert_int_equal(put_organization(f, everything(), id, NULL), ST_OK);
    }
    assert_int_equal(put_organization(f, everything(), "one-more", NULL), ST_QUOTA);
    assert_int_equal(delete_organization(f, everything(), "o10"), ST_OK);
    assert_int_equal(put_organization(f, everything(), "one-more", NULL), ST_OK);
}

static void an_organization_that_holds_something_stays(void **state)
{
    struct fixture *f = *state;

    make_tree(f);
    assert_int_equal(put_user(f, everything(), "u1", "a@example.org", OPERATOR, "apac"), ST_OK);
    assert_int_equal(delete_organization(f, everything(), "emea"), ST_CONFLICT);
    assert_int_equal(delete_organization(f, everything(), "apac"), ST_CONFLICT);
    assert_int_equal(delete_user(f, everything(), "u1"), ST_OK);
    assert_int_equal(delete_organization(f, everything(), "apac"), ST_OK);
    assert_int_equal(delete_organization(f, everything(), "apac"), ST_NOT_FOUND);
}

static void to_make_one_is_not_to_change_one(void **state)
{
    struct fixture *f = *state;
    struct principal maker = with(PERMISSION(PERM_ORGANIZATIONS_CREATE));

    assert_int_equal(put_organization(f, maker, "mine", NULL), ST_OK);
    assert_int_equal(put_organization(f, maker, "mine", NULL), ST_FORBIDDEN);
    assert_int_equal(
        put_organization(f, with(PERMISSION(PERM_ORGANIZATIONS_UPDATE)), "other", NULL),
        ST_FORBIDDEN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_tree_is_made_and_shown),
        TEST(C046_siblings_do_not_see_each_other),
        TEST(ones_own_organization_is_changed_from_above),
        TEST(what_moves_takes_all_below_it_along),
        TEST(names_that_begin_alike_are_not_moved),
        TEST(five_levels_and_no_more),
        TEST(two_hundred_and_no_more),
        TEST(an_organization_that_holds_something_stays),
        TEST(to_make_one_is_not_to_change_one),
    };

    return cmocka_run_group_tests_name("organization", tests, NULL, NULL);
}
