#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "identity/access/access_fixture.h"

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

static void a_user_is_added_changed_and_deleted(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(put_user(f, everything(), "u1", "Ann@Example.org", OPERATOR, NULL), ST_OK);
    assert_users(f, everything(), "u1 Ann@Example.org Operator@\n");
    assert_int_equal(put_user(f, everything(), "u1", NULL, BUILDER, NULL), ST_OK);
    assert_int_equal(put_user(f, everything(), "u1", "ann@example.org", NULL, NULL), ST_OK);
    assert_users(f, everything(), "u1 ann@example.org Builder@\n");
    assert_int_equal(put_user(f, everything(), "u2", "ANN@example.org", OPERATOR, NULL),
                     ST_CONFLICT);
    assert_int_equal(delete_user(f, everything(), "u1"), ST_OK);
    assert_int_equal(delete_user(f, everything(), "u1"), ST_NOT_FOUND);
    assert_int_equal(put_user(f, everything(), "u2", "ANN@example.org", OPERATOR, NULL), ST_OK);
}

static void what_a_user_must_have(void **state)
{
    static const struct {
        const char *name, *id, *email, *role, *organization;
        enum status want;
    } rows[] = {
        {"all of it", "u1", "a@b", OPERATOR, NULL, ST_OK},
        {"no address", "u2", NULL, OPERATOR, NULL, ST_BAD_REQUEST},
        {"no role", "u2", "b@b", NULL, NULL, ST_BAD_REQUEST},
        {"an unknown role", "u2", "b@b", "nobody", NULL, ST_BAD_REQUEST},
        {"an unknown organization", "u2", "b@b", OPERATOR, "nowhere", ST_BAD_REQUEST},
        {"no ID", "", "b@b", OPERATOR, NULL, ST_BAD_REQUEST},
        {"an ID with a dot", "u.2", "b@b", OPERATOR, NULL, ST_BAD_REQUEST},
        {"no @", "u2", "bb", OPERATOR, NULL, ST_BAD_REQUEST},
        {"two @", "u2", "b@b@b", OPERATOR, NULL, ST_BAD_REQUEST},
        {"nothing before the @", "u2", "@b", OPERATOR, NULL, ST_BAD_REQUEST},
        {"nothing behind the @", "u2", "b@", OPERATOR, NULL, ST_BAD_REQUEST},
        {"a line break", "u2", "b@b\r\nx", OPERATOR, NULL, ST_BAD_REQUEST},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        enum status got = put_user(f, everything(), rows[i].id, rows[i].email, rows[i].role,
                                   rows[i].organization);

        if (got != rows[i].want)
            fail_msg("%s: %s", rows[i].name, status_name(got));
    }
}

static void C122_the_last_administrator_stays(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(put_organization(f, everything(), "part", NULL), ST_OK);
    assert_int_equal(put_user(f, everything(), "a1", "1@b", ADMINISTRATOR, NULL), ST_OK);
    assert_int_equal(delete_user(f, everything(), "a1"), ST_CONFLICT);
    assert_int_equal(put_user(f, everything(), "a1", NULL, OPERATOR, NULL), ST_CONFLICT);
    assert_int_equal(put_user(f, everything(), "a1", NULL, ADMINISTRATOR, "part"), ST_CONFLICT);
    /* Somebody who is one of a part alone is none. */
    assert_int_equal(put_user(f, everything(), "a2", "2@b", ADMINISTRATOR, "part"), ST_OK);
    assert_int_equal(delete_user(f, everything(), "a1"), ST_CONFLICT);
    assert_int_equal(put_user(f, everything(), "a2", NULL, ADMINISTRATOR, NULL), ST_OK);
    assert_int_equal(put_user(f, everything(), "a1", NULL, OPERATOR, NULL), ST_OK);
    assert_int_equal(delete_user(f, everything(), "a2"), ST_CONFLICT);
}

/* Each sees the other as the one who stays; the second is decided anew. */
static void C122_two_administrators_cannot_go_at_once(void **state)
{
    struct fixture *f = *state;
    struct asking a = {.f = f, .by = everything(), .id = SLICE("a1"), .start = start_user_delete};
    struct asking b = {.f = f, .by = everything(), .id = SLICE("a2"), .start = start_user_delete};

    for (int i = 0; i < 20; i++) {
        assert_int_equal(put_user(f, everything(), "a1", "1@b", ADMINISTRATOR, NULL), ST_OK);
        assert_int_equal(put_user(f, everything(), "a2", "2@b", ADMINISTRATOR, NULL), ST_OK);
        begin(&a, 0);
        begin(&b, 1);
        await_end(&a);
        await_end(&b);
        if (ended(&a) == ST_OK)
            assert_int_equal(ended(&b), ST_CONFLICT);
        else
            assert_int_equal(ended(&b), ST_OK);
    }
}

static void C123_nobody_hands_out_a_role_that_may_do_more(void **state)
{
    struct fixture *f = *state;
    struct principal clerk = with(PERMISSION(PERM_USERS_ADD) | PERMISSION(PERM_USERS_UPDATE) |
                                  PERMISSION(PERM_USERS_DELETE));

    assert_int_equal(put_role(f, everything(), "nothing", 0), ST_OK);
    assert_int_equal(put_user(f, clerk, "u1", "1@b", OPERATOR, NULL), ST_FORBIDDEN);
    assert_int_equal(put_user(f, clerk, "u1", "1@b", "nothing", NULL), ST_OK);
    assert_int_equal(put_user(f, clerk, "u1", NULL, ADMINISTRATOR, NULL), ST_FORBIDDEN);
    /* Nor touches those who have one: their address would become his. */
    assert_int_equal(put_user(f, everything(), "u2", "2@b", OPERATOR, NULL), ST_OK);
    assert_int_equal(put_user(f, clerk, "u2", "mine@b", NULL, NULL), ST_FORBIDDEN);
    assert_int_equal(put_user(f, clerk, "u2", NULL, "nothing", NULL), ST_FORBIDDEN);
    assert_int_equal(delete_user(f, clerk, "u2"), ST_FORBIDDEN);
    assert_int_equal(delete_user(f, clerk, "u1"), ST_OK);
}

static void to_add_is_not_to_change(void **state)
{
    struct fixture *f = *state;
    struct principal adds = with(PERMISSION(PERM_USERS_ADD));

    assert_int_equal(put_role(f, everything(), "nothing", 0), ST_OK);
    assert_int_equal(put_user(f, adds, "u1", "1@b", "nothing", NULL), ST_OK);
    assert_int_equal(put_user(f, adds, "u1", "2@b", NULL, NULL), ST_FORBIDDEN);
    assert_int_equal(put_user(f, with(PERMISSION(PERM_USERS_UPDATE)), "u2", "2@b", "nothing", NULL),
                     ST_FORBIDDEN);
}

static void C046_an_organization_knows_its_own_users_alone(void **state)
{
    const struct assignment both[] = {{SLICE(OPERATOR), SLICE("east")},
                                      {SLICE(BUILDER), SLICE("west")}};
    const struct user_change change = {
        .id = SLICE("u3"), .email = SLICE("3@b"), .roles = both, .role_count = COUNT_OF(both)};
    struct fixture *f = *state;
    struct asking a = {.f = f, .by = everything(), .what = &change, .start = start_user_put};
    struct asking get = {
        .f = f, .by = within("/east/"), .id = SLICE("u2"), .start = start_user_get};

    assert_int_equal(put_organization(f, everything(), "east", NULL), ST_OK);
    assert_int_equal(put_organization(f, everything(), "west", NULL), ST_OK);
    assert_int_equal(put_user(f, everything(), "u0", "0@b", OPERATOR, NULL), ST_OK);
    assert_int_equal(put_user(f, everything(), "u1", "1@b", OPERATOR, "east"), ST_OK);
    assert_int_equal(put_user(f, everything(), "u2", "2@b", OPERATOR, "west"), ST_OK);
    assert_int_equal(ask(&a), ST_OK);
    ended(&a);
    assert_users(f, within("/east/"), "u1 1@b Operator@east\nu3 3@b Operator@east\n");
    assert_users(f, within("/west/"), "u2 2@b Operator@west\nu3 3@b Builder@west\n");
    assert_int_equal(ask(&get), ST_NOT_FOUND);
    ended(&get);
    assert_int_equal(delete_user(f, within("/east/"), "u2"), ST_NOT_FOUND);
    assert_int_equal(delete_user(f, within("/east/"), "u3"), ST_FORBIDDEN);
    assert_int_equal(put_user(f, within("/east/"), "u2", "x@b", OPERATOR, "east"), ST_CONFLICT);
    assert_int_equal(put_user(f, within("/east/"), "u4", "4@b", OPERATOR, "west"), ST_FORBIDDEN);
    assert_int_equal(put_user(f, within("/east/"), "u4", "4@b", OPERATOR, NULL), ST_FORBIDDEN);
    assert_int_equal(put_user(f, within("/east/"), "u4", "4@b", OPERATOR, "east"), ST_OK);
    assert_int_equal(delete_user(f, within("/east/"), "u1"), ST_OK);
}

static void a_role_is_handed_out_once(void **state)
{
    struct assignment roles[ASSIGNMENTS_MAX + 1];
    struct user_change change = {.id = SLICE("u1"), .email = SLICE("1@b"), .roles = roles};
    struct fixture *f = *state;
    struct asking a = {.f = f, .by = everything(), .what = &change, .start = start_user_put};

    for (size_t i = 0; i < COUNT_OF(roles); i++)
        roles[i] = (struct assignment){.role_id = SLICE(OPERATOR)};
    for (change.role_count = 0; change.role_count <= 2; change.role_count += 2) {
        assert_int_equal(ask(&a), ST_BAD_REQUEST);
        ended(&a);
    }
    change.role_count = COUNT_OF(roles);
    assert_int_equal(ask(&a), ST_BAD_REQUEST);
    ended(&a);
    change.role_count = 1;
    assert_int_equal(ask(&a), ST_OK);
    ended(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_user_is_added_changed_and_deleted),
        TEST(what_a_user_must_have),
        TEST(C122_the_last_administrator_stays),
        TEST(C122_two_administrators_cannot_go_at_once),
        TEST(C123_nobody_hands_out_a_role_that_may_do_more),
        TEST(to_add_is_not_to_change),
        TEST(C046_an_organization_knows_its_own_users_alone),
        TEST(a_role_is_handed_out_once),
    };

    return cmocka_run_group_tests_name("user", tests, NULL, NULL);
}
