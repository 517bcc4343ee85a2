#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "identity/sign_in/sign_in_fixture.h"

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

static void who_has_the_password_gets_a_session(void **state)
{
    struct fixture *f = *state;
    struct signing s;

    make_user(f, "ann", "Ann@Example.org", OPERATOR, NULL);
    assert_int_equal(try_sign_in(f, "aNN@example.ORG", GOOD_PASSWORD, &s), ST_OK);
    assert_string_equal(s.user_id, "ann");
    assert_int_equal(use_session(&s), ST_OK);
    assert_string_equal(s.by.name, "user:ann");
    assert_string_equal(s.by.organization, "");
    assert_true(s.by.permissions == builtin_role_find(SLICE(OPERATOR))->permissions);
    assert_true(slice_equal(principal_user_id(&s.by), SLICE("ann")));
    assert_true(principal_is_fresh(&s.by, s.by.signed_in_at + USER_SESSION_FRESH_MS - 1));
    assert_false(principal_is_fresh(&s.by, s.by.signed_in_at + USER_SESSION_FRESH_MS));
}

static void who_has_not_gets_one_answer(void **state)
{
    static const struct {
        const char *name, *email, *password;
    } rows[] = {
        {"a wrong password", "ann@example.org", OTHER_PASSWORD},
        {"an empty password", "ann@example.org", ""},
        {"an unknown address", "bob@example.org", GOOD_PASSWORD},
        {"no address", "", GOOD_PASSWORD},
        {"a user without a password", "new@example.org", GOOD_PASSWORD},
        {"a user without a password, who sends none", "new@example.org", ""},
    };
    struct fixture *f = *state;

    make_user(f, "ann", "ann@example.org", OPERATOR, NULL);
    assert_int_equal(put_user(f, everything(), "new", "new@example.org", OPERATOR, NULL), ST_OK);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct signing s;

        if (try_sign_in(f, rows[i].email, rows[i].password, &s) != ST_UNAUTHORIZED)
            fail_msg("%s: %s", rows[i].name, status_name(s.status));
        assert_string_equal(s.why.text, "no such user, or a wrong password");
    }
}

static void what_is_too_long_is_nobodys(void **state)
{
    static char email[USER_EMAIL_MAX + 2], password[600];
    struct fixture *f = *state;
    struct signing s;

    memset(email, 'a', sizeof email - 1);
    memset(password, 'a', sizeof password - 1);
    assert_int_equal(try_sign_in(f, email, GOOD_PASSWORD, &s), ST_UNAUTHORIZED);
    assert_int_equal(try_sign_in(f, "ann@example.org", password, &s), ST_UNAUTHORIZED);
}

static void the_sixth_try_of_an_account_waits(void **state)
{
    struct fixture *f = *state;
    struct signing s;

    make_user(f, "ann", "ann@example.org", OPERATOR, NULL);
    for (int i = 0; i < 5; i++)
        assert_int_equal(try_sign_in(f, "ann@example.org", OTHER_PASSWORD, &s), ST_UNAUTHORIZED);
    assert_int_equal(try_sign_in(f, "Ann@example.org", GOOD_PASSWORD, &s), ST_THROTTLED);
    assert_in_range(s.wait_s, 50, 60);
}

static void another_password_ends_all_sessions_but_begins_one(void **state)
{
    struct fixture *f = *state;
    struct signing first, second, changing;

    make_user(f, "ann", "ann@example.org", OPERATOR, NULL);
    assert_int_equal(try_sign_in(f, "ann@example.org", GOOD_PASSWORD, &first), ST_OK);
    assert_int_equal(try_sign_in(f, "ann@example.org", GOOD_PASSWORD, &second), ST_OK);
    assert_int_equal(use_session(&second), ST_OK);
    changing = second;
    changing.start = start_change;
    changing.password = "wrong";
    changing.fresh = OTHER_PASSWORD;
    assert_int_equal(sign(&changing), ST_UNAUTHORIZED);
    changing.password = GOOD_PASSWORD;
    changing.fresh = "password12345";
    assert_int_equal(sign(&changing), ST_BAD_REQUEST);
    assert_int_equal(use_session(&first), ST_OK);
    changing.fresh = OTHER_PASSWORD;
    changing.start = start_change;
    assert_int_equal(sign(&changing), ST_OK);
    assert_int_equal(use_session(&first), ST_UNAUTHORIZED);
    assert_int_equal(use_session(&second), ST_UNAUTHORIZED);
    assert_int_equal(use_session(&changing), ST_OK);
    assert_int_equal(try_sign_in(f, "ann@example.org", GOOD_PASSWORD, &first), ST_UNAUTHORIZED);
    assert_int_equal(try_sign_in(f, "ann@example.org", OTHER_PASSWORD, &first), ST_OK);
}

/* --- sessions --------------------------------------------------------------------------------- */

static void a_user_has_five_sessions_at_most(void **state)
{
    struct fixture *f = *state;
    struct signing s[USER_SESSIONS_MAX + 1];

    make_user(f, "ann", "ann@example.org", OPERATOR, NULL);
    make_user(f, "bob", "bob@example.org", OPERATOR, NULL);
    assert_int_equal(try_sign_in(f, "bob@example.org", GOOD_PASSWORD, &s[0]), ST_OK);
    for (size_t i = 1; i < COUNT_OF(s); i++)
        assert_int_equal(try_sign_in(f, "ann@example.org", GOOD_PASSWORD, &s[i]), ST_OK);
    for (size_t i = 0; i < COUNT_OF(s); i++)
        assert_int_equal(use_session(&s[i]), ST_OK);
    assert_int_equal(try_sign_in(f, "ann@example.org", GOOD_PASSWORD, &s[0]), ST_OK);
    assert_int_equal(use_session(&s[1]), ST_UNAUTHORIZED);
    for (size_t i = 2; i < COUNT_OF(s); i++)
        assert_int_equal(use_session(&s[i]), ST_OK);
}

static void what_is_no_sessions_ID(void **state)
{
    static const char *const rows[] = {
        "0000000000000000000000000000000000000000000000000000000000000000",
        "g000000000000000000000000000000000000000000000000000000000000000",
        "                                                                ",
    };
    struct fixture *f = *state;
    struct signing s = {.f = f};

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        memcpy(s.session, rows[i], USER_SESSION_ID_LEN);
        assert_int_equal(use_session(&s), ST_UNAUTHORIZED);
    }
    assert_false(user_session_id_valid(SLICE("")));
    assert_false(user_session_id_valid(SLICE("00")));
}

static void leaving_ends_one_session(void **state)
{
    struct fixture *f = *state;
    struct signing first, second;

    make_user(f, "ann", "ann@example.org", OPERATOR, NULL);
    assert_int_equal(try_sign_in(f, "ann@example.org", GOOD_PASSWORD, &first), ST_OK);
    assert_int_equal(try_sign_in(f, "ann@example.org", GOOD_PASSWORD, &second), ST_OK);
    assert_int_equal(use_session(&first), ST_OK);
    first.start = start_leave;
    assert_int_equal(sign(&first), ST_OK);
    assert_int_equal(use_session(&first), ST_UNAUTHORIZED);
    assert_int_equal(use_session(&second), ST_OK);
}

static void other_roles_end_sessions(void **state)
{
    struct fixture *f = *state;
    struct signing s;

    make_user(f, "ann", "ann@example.org", OPERATOR, NULL);
    assert_int_equal(try_sign_in(f, "ann@example.org", GOOD_PASSWORD, &s), ST_OK);
    assert_int_equal(put_user(f, everything(), "ann", "ann@b.example", NULL, NULL), ST_OK);
    assert_int_equal(put_user(f, everything(), "ann", NULL, OPERATOR, NULL), ST_OK);
    assert_int_equal(use_session(&s), ST_OK);
    assert_int_equal(put_user(f, everything(), "ann", NULL, BUILDER, NULL), ST_OK);
    assert_int_equal(use_session(&s), ST_UNAUTHORIZED);
}

static void C046_a_session_is_within_its_organization(void **state)
{
    struct fixture *f = *state;
    struct signing s;

    assert_int_equal(put_organization(f, everything(), "emea", NULL), ST_OK);
    assert_int_equal(put_organization(f, everything(), "plant-7", "emea"), ST_OK);
    make_user(f, "ann", "ann@example.org", ADMINISTRATOR, "plant-7");
    assert_int_equal(try_sign_in(f, "ann@example.org", GOOD_PASSWORD, &s), ST_OK);
    assert_int_equal(use_session(&s), ST_OK);
    assert_string_equal(s.by.organization, "/emea/plant-7/");
}

static void of_two_organizations_the_first_counts_and_only_its_roles(void **state)
{
    static const struct assignment roles[] = {
        {{(const uint8_t *)OPERATOR, sizeof OPERATOR - 1}, {(const uint8_t *)"here", 4}},
        {{(const uint8_t *)ADMINISTRATOR, sizeof ADMINISTRATOR - 1}, {(const uint8_t *)"there", 5}},
    };
    const struct user_change change = {.id = SLICE("ann"), .roles = roles, .role_count = 2};
    struct fixture *f = *state;
    struct asking a = {.f = f, .by = everything(), .what = &change, .start = start_user_put};
    struct signing s;

    assert_int_equal(put_organization(f, everything(), "here", NULL), ST_OK);
    assert_int_equal(put_organization(f, everything(), "there", NULL), ST_OK);
    make_user(f, "ann", "ann@example.org", OPERATOR, "here");
    ask(&a);
    assert_int_equal(ended(&a), ST_OK);
    assert_int_equal(try_sign_in(f, "ann@example.org", GOOD_PASSWORD, &s), ST_OK);
    assert_int_equal(use_session(&s), ST_OK);
    assert_string_equal(s.by.organization, "/here/");
    assert_true(s.by.permissions == builtin_role_find(SLICE(OPERATOR))->permissions);
}

static void what_proves_a_page_is_bound_to_the_session(void **state)
{
    char one[USER_SESSION_ID_LEN], other[USER_SESSION_ID_LEN], again[USER_SESSION_ID_LEN];

    (void)state;
    user_session_csrf(SLICE("a"), one);
    user_session_csrf(SLICE("a"), again);
    user_session_csrf(SLICE("b"), other);
    assert_memory_equal(one, again, sizeof one);
    assert_memory_not_equal(one, other, sizeof one);
    assert_true(user_session_id_valid(slice_of(one, sizeof one)));
}

/* --- links ------------------------------------------------------------------------------------ */

static void a_link_is_good_for_one_password(void **state)
{
    struct fixture *f = *state;
    struct signing s, again;

    assert_int_equal(put_user(f, everything(), "ann", "Ann@example.org", OPERATOR, NULL), ST_OK);
    assert_int_equal(invite(f, everything(), "ann", &s), ST_OK);
    again = s;
    assert_int_equal(redeem(&again, "short", NULL), ST_BAD_REQUEST);
    assert_int_equal(redeem(&s, GOOD_PASSWORD, "other@example.org"), ST_OK);
    assert_string_equal(s.told_email, "Ann@example.org");
    assert_int_equal(redeem(&again, OTHER_PASSWORD, NULL), ST_UNAUTHORIZED);
    assert_int_equal(try_sign_in(f, "ann@example.org", GOOD_PASSWORD, &s), ST_OK);
}

static void a_link_is_for_who_could_have_made_the_user(void **state)
{
    struct fixture *f = *state;
    struct signing s;

    assert_int_equal(put_organization(f, everything(), "here", NULL), ST_OK);
    assert_int_equal(put_user(f, everything(), "boss", "boss@b", ADMINISTRATOR, NULL), ST_OK);
    assert_int_equal(put_user(f, everything(), "ann", "ann@b", OPERATOR, "here"), ST_OK);
    assert_int_equal(invite(f, with(PERMISSION(PERM_USERS_UPDATE)), "boss", &s), ST_FORBIDDEN);
    assert_int_equal(invite(f, within("/here/"), "boss", &s), ST_NOT_FOUND);
    assert_int_equal(invite(f, within("/here/"), "ann", &s), ST_OK);
    assert_int_equal(invite(f, everything(), "nobody", &s), ST_NOT_FOUND);
}

static void a_removed_user_takes_password_sessions_and_link_along(void **state)
{
    struct fixture *f = *state;
    struct signing s, link;

    make_user(f, "ann", "ann@example.org", OPERATOR, NULL);
    assert_int_equal(try_sign_in(f, "ann@example.org", GOOD_PASSWORD, &s), ST_OK);
    assert_int_equal(invite(f, everything(), "ann", &link), ST_OK);
    assert_int_equal(delete_user(f, everything(), "ann"), ST_OK);
    assert_int_equal(put_user(f, everything(), "ann", "ann@example.org", OPERATOR, NULL), ST_OK);
    assert_int_equal(use_session(&s), ST_UNAUTHORIZED);
    assert_int_equal(redeem(&link, GOOD_PASSWORD, NULL), ST_UNAUTHORIZED);
    assert_int_equal(try_sign_in(f, "ann@example.org", GOOD_PASSWORD, &s), ST_UNAUTHORIZED);
}

static void first_code(struct fixture *f, char to[INVITATION_CODE_LEN + 1])
{
    BUF_CLEANUP struct buf code = {.max = INVITATION_CODE_LEN};
    struct fault why;

    assert_int_equal(invitation_first_now(f->id, &code, &why), ST_OK);
    memset(to, 0, INVITATION_CODE_LEN + 1);
    if (code.len > 0)
        memcpy(to, code.ptr, code.len);
}

static void the_first_user_tells_his_address_and_is_an_administrator(void **state)
{
    struct fixture *f = *state;
    struct signing s = {.f = f}, old = {.f = f}, late = {.f = f};

    first_code(f, old.code);
    first_code(f, s.code);
    late = s;
    assert_int_equal(redeem(&old, GOOD_PASSWORD, "ann@example.org"), ST_UNAUTHORIZED);
    assert_int_equal(redeem(&s, GOOD_PASSWORD, "ann"), ST_BAD_REQUEST);
    assert_int_equal(redeem(&s, "ann@example.org", "ann@example.org"), ST_BAD_REQUEST);
    assert_int_equal(redeem(&s, GOOD_PASSWORD, "ann@example.org"), ST_OK);
    assert_int_equal(redeem(&late, GOOD_PASSWORD, "bob@example.org"), ST_UNAUTHORIZED);
    first_code(f, s.code);
    assert_string_equal(s.code, "");
    assert_int_equal(try_sign_in(f, "ann@example.org", GOOD_PASSWORD, &s), ST_OK);
    assert_int_equal(use_session(&s), ST_OK);
    assert_true(s.by.permissions == everything().permissions);
}

static void the_first_link_is_no_good_once_a_user_was_added_otherwise(void **state)
{
    struct fixture *f = *state;
    struct signing s = {.f = f};

    first_code(f, s.code);
    assert_int_equal(put_user(f, everything(), "ann", "ann@example.org", ADMINISTRATOR, NULL),
                     ST_OK);
    assert_int_equal(redeem(&s, GOOD_PASSWORD, "bob@example.org"), ST_UNAUTHORIZED);
    assert_users(f, everything(), "ann ann@example.org Administrator@\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(who_has_the_password_gets_a_session),
        TEST(who_has_not_gets_one_answer),
        TEST(what_is_too_long_is_nobodys),
        TEST(the_sixth_try_of_an_account_waits),
        TEST(another_password_ends_all_sessions_but_begins_one),
        TEST(a_user_has_five_sessions_at_most),
        TEST(what_is_no_sessions_ID),
        TEST(leaving_ends_one_session),
        TEST(other_roles_end_sessions),
        TEST(C046_a_session_is_within_its_organization),
        TEST(of_two_organizations_the_first_counts_and_only_its_roles),
        cmocka_unit_test(what_proves_a_page_is_bound_to_the_session),
        TEST(a_link_is_good_for_one_password),
        TEST(a_link_is_for_who_could_have_made_the_user),
        TEST(a_removed_user_takes_password_sessions_and_link_along),
        TEST(the_first_user_tells_his_address_and_is_an_administrator),
        TEST(the_first_link_is_no_good_once_a_user_was_added_otherwise),
    };

    return cmocka_run_group_tests_name("sign_in", tests, NULL, NULL);
}
