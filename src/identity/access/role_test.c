#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "identity/access/access_fixture.h"

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

static void a_role_is_made_changed_and_deleted(void **state)
{
    struct fixture *f = *state;
    struct role_change change = {.id = SLICE("guard"), .display_name = SLICE("Guard at night")};
    struct asking a = {.f = f, .by = everything(), .what = &change, .start = start_role_put};

    assert_int_equal(put_role(f, everything(), "guard", PERMISSION(PERM_JOBS_EXECUTE)), ST_OK);
    assert_roles(f, "guard 'guard' jobs.view jobs.execute\n");
    change.must_exist = true;
    assert_int_equal(ask(&a), ST_OK);
    ended(&a);
    assert_roles(f, "guard 'Guard at night' jobs.view jobs.execute\n");
    assert_int_equal(delete_role(f, everything(), "guard"), ST_OK);
    assert_int_equal(delete_role(f, everything(), "guard"), ST_NOT_FOUND);
    assert_int_equal(ask(&a), ST_NOT_FOUND);
    ended(&a);
    assert_roles(f, "");
}

static void C123_nobody_makes_a_role_that_may_do_more_than_he(void **state)
{
    struct fixture *f = *state;
    struct principal less = with(PERMISSION(PERM_ROLES_CREATE) | PERMISSION(PERM_ROLES_UPDATE) |
                                 PERMISSION(PERM_ROLES_DELETE) | PERMISSION(PERM_DEVICES_VIEW));

    assert_int_equal(put_role(f, less, "mine", PERMISSION(PERM_DEVICES_DELETE)), ST_FORBIDDEN);
    assert_int_equal(put_role(f, less, "mine", PERMISSION(PERM_DEVICES_VIEW)), ST_OK);
    assert_int_equal(put_role(f, less, "mine", PERMISSION(PERM_AUDIT_VIEW)), ST_FORBIDDEN);
    /* Nor lessens one that does. */
    assert_int_equal(put_role(f, everything(), "more", PERMISSION(PERM_AUDIT_VIEW)), ST_OK);
    assert_int_equal(put_role(f, less, "more", 0), ST_FORBIDDEN);
    assert_int_equal(delete_role(f, less, "more"), ST_FORBIDDEN);
    assert_int_equal(delete_role(f, less, "mine"), ST_OK);
    assert_int_equal(put_role(f, within("/a/"), "theirs", 0), ST_FORBIDDEN);
}

static void built_in_roles_are_as_they_are(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(put_role(f, everything(), OPERATOR, 0), ST_FORBIDDEN);
    assert_int_equal(delete_role(f, everything(), OPERATOR), ST_FORBIDDEN);
}

static void names_and_IDs_have_rules(void **state)
{
    static const struct {
        const char *name, *id, *display_name;
        enum status want;
    } rows[] = {
        {"plain", "a-b_C9", "Any name: \xc3\xa4", ST_OK},
        {"no ID", "", "x", ST_BAD_REQUEST},
        {"a slash", "a/b", "x", ST_BAD_REQUEST},
        {"an empty name", "b", "", ST_BAD_REQUEST},
        {"a control character", "b", "a\nb", ST_BAD_REQUEST},
        {"a name that is taken", "c", "Any name: \xc3\xa4", ST_CONFLICT},
        {"a built-in role's name", "c", "Administrator", ST_CONFLICT},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct role_change change = {.id = slice_str(rows[i].id),
                                           .display_name = slice_str(rows[i].display_name)};
        struct asking a = {.f = f, .by = everything(), .what = &change, .start = start_role_put};

        if (ask(&a) != rows[i].want)
            fail_msg("%s: %s", rows[i].name, status_name(a.status));
        ended(&a);
    }
}

static void a_role_in_use_stays(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(put_role(f, everything(), "guard", 0), ST_OK);
    assert_int_equal(put_user(f, everything(), "u1", "a@example.org", "guard", NULL), ST_OK);
    assert_int_equal(delete_role(f, everything(), "guard"), ST_CONFLICT);
    assert_int_equal(put_user(f, everything(), "u1", NULL, OPERATOR, NULL), ST_OK);
    assert_int_equal(delete_role(f, everything(), "guard"), ST_OK);
}

static void five_hundred_and_no_more(void **state)
{
    struct fixture *f = *state;
    char id[8];

    for (int i = 0; i < ROLES_MAX; i++) {
        snprintf(id, sizeof id, "r%d", i);
        assert_int_equal(put_role(f, everything(), id, 0), ST_OK);
    }
    assert_int_equal(put_role(f, everything(), "more", 0), ST_QUOTA);
    assert_int_equal(put_role(f, everything(), "r7", PERMISSION(PERM_JOBS_VIEW)), ST_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_role_is_made_changed_and_deleted),
        TEST(C123_nobody_makes_a_role_that_may_do_more_than_he),
        TEST(built_in_roles_are_as_they_are),
        TEST(names_and_IDs_have_rules),
        TEST(a_role_in_use_stays),
        TEST(five_hundred_and_no_more),
    };

    return cmocka_run_group_tests_name("role", tests, NULL, NULL);
}
