#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "identity/access/access_fixture.h"

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

static void C114_a_token_may_what_its_role_may(void **state)
{
    struct fixture *f = *state;
    BUF_CLEANUP struct buf token = {0};
    struct principal p;

    assert_int_equal(create_token(f, everything(), "ci", OPERATOR, NULL, 0, &token), ST_OK);
    assert_int_equal(bear(f, buf_slice(&token), &p), ST_OK);
    assert_string_equal(p.name, "ci");
    assert_string_equal(p.organization, "");
    assert_int_equal(p.permissions, builtin_role_find(SLICE(OPERATOR))->permissions);
    assert_tokens(f, everything(), "ci Operator@\n");
}

static void C114_a_revoked_token_is_refused_from_the_next_call_on(void **state)
{
    struct fixture *f = *state;
    BUF_CLEANUP struct buf token = {0};
    struct principal p;

    assert_int_equal(create_token(f, everything(), "ci", OPERATOR, NULL, 0, &token), ST_OK);
    assert_int_equal(delete_token(f, everything(), "ci"), ST_OK);
    assert_int_equal(bear(f, buf_slice(&token), &p), ST_UNAUTHORIZED);
    assert_int_equal(delete_token(f, everything(), "ci"), ST_NOT_FOUND);
    assert_tokens(f, everything(), "");
}

static void a_changed_role_counts_from_the_next_call_on(void **state)
{
    struct fixture *f = *state;
    BUF_CLEANUP struct buf token = {0};
    struct principal p;

    assert_int_equal(put_role(f, everything(), "guard", PERMISSION(PERM_JOBS_VIEW)), ST_OK);
    assert_int_equal(create_token(f, everything(), "ci", "guard", NULL, 0, &token), ST_OK);
    assert_int_equal(bear(f, buf_slice(&token), &p), ST_OK);
    assert_int_equal(p.permissions, PERMISSION(PERM_JOBS_VIEW));
    assert_int_equal(put_role(f, everything(), "guard", 0), ST_OK);
    assert_int_equal(bear(f, buf_slice(&token), &p), ST_OK);
    assert_int_equal(p.permissions, 0);
    assert_int_equal(delete_role(f, everything(), "guard"), ST_CONFLICT);
}

static void a_token_that_is_gone_holds_no_role(void **state)
{
    struct fixture *f = *state;
    BUF_CLEANUP struct buf token = {0};

    assert_int_equal(put_role(f, everything(), "guard", 0), ST_OK);
    assert_int_equal(create_token(f, everything(), "ci", "guard", NULL, 0, &token), ST_OK);
    assert_int_equal(delete_role(f, everything(), "guard"), ST_CONFLICT);
    assert_int_equal(delete_token(f, everything(), "ci"), ST_OK);
    assert_int_equal(delete_role(f, everything(), "guard"), ST_OK);
}

static void C114_a_token_acts_within_its_organization(void **state)
{
    const struct assignment two[] = {{SLICE(OPERATOR), SLICE("east")},
                                     {SLICE(OPERATOR), SLICE("west")}};
    const struct api_token_new n = {.id = SLICE("both"), .roles = two, .role_count = 2};
    struct fixture *f = *state;
    struct asking a = {.f = f, .by = everything(), .what = &n, .start = start_token_create};
    BUF_CLEANUP struct buf east = {0}, west = {0}, none = {0};
    struct principal p;

    assert_int_equal(put_organization(f, everything(), "east", NULL), ST_OK);
    assert_int_equal(put_organization(f, everything(), "west", NULL), ST_OK);
    assert_int_equal(create_token(f, everything(), "e", ADMINISTRATOR, "east", 0, &east), ST_OK);
    assert_int_equal(create_token(f, within("/west/"), "w", OPERATOR, "west", 0, &west), ST_OK);
    assert_int_equal(bear(f, buf_slice(&east), &p), ST_OK);
    assert_string_equal(p.organization, "/east/");
    assert_true(may_do(&p, PERM_USERS_ADD));
    assert_true(may_do(&p, PERM_DEVICES_VIEW));
    assert_false(may_do(&p, PERM_SETTINGS_UPDATE));
    assert_tokens(f, p, "e Administrator@east\n");
    assert_int_equal(delete_token(f, p, "w"), ST_NOT_FOUND);
    assert_int_equal(create_token(f, p, "x", OPERATOR, "west", 0, &none), ST_FORBIDDEN);
    buf_deinit(&none);
    assert_int_equal(create_token(f, p, "x", OPERATOR, NULL, 0, &none), ST_FORBIDDEN);
    assert_int_equal(ask(&a), ST_BAD_REQUEST);
    ended(&a);
    /* What moves keeps its own. */
    assert_int_equal(put_organization(f, everything(), "east", "west"), ST_OK);
    assert_int_equal(bear(f, buf_slice(&east), &p), ST_OK);
    assert_string_equal(p.organization, "/west/east/");
}

static void C123_a_token_may_no_more_than_its_maker(void **state)
{
    struct fixture *f = *state;
    struct principal clerk = with(PERMISSION(PERM_TOKENS_CREATE) | PERMISSION(PERM_TOKENS_DELETE));
    BUF_CLEANUP struct buf token = {0}, other = {0};

    assert_int_equal(put_role(f, everything(), "clerk", PERMISSION(PERM_TOKENS_VIEW)), ST_OK);
    assert_int_equal(create_token(f, clerk, "ci", ADMINISTRATOR, NULL, 0, &token), ST_FORBIDDEN);
    buf_deinit(&token);
    assert_int_equal(create_token(f, clerk, "ci", "clerk", NULL, 0, &token), ST_OK);
    assert_int_equal(create_token(f, clerk, "ci", "clerk", NULL, 0, &other), ST_CONFLICT);
    /* To take one away is no gain. */
    buf_deinit(&other);
    assert_int_equal(create_token(f, everything(), "boss", ADMINISTRATOR, NULL, 0, &other), ST_OK);
    assert_int_equal(delete_token(f, clerk, "boss"), ST_OK);
}

static void a_token_ends_within_a_year(void **state)
{
    instant now = clock_wall_ms();
    const struct {
        const char *name;
        instant expires_at;
        enum status want;
    } rows[] = {
        {"unless told: 90 days", 0, ST_OK},
        {"a minute", now + 60000, ST_OK},
        {"a year less a minute", now + API_TOKEN_MAX_DAYS * API_TOKEN_DAY_MS - 60000, ST_OK},
        {"over a year", now + API_TOKEN_MAX_DAYS * API_TOKEN_DAY_MS + 60000, ST_BAD_REQUEST},
        {"past", now - 1, ST_BAD_REQUEST},
    };
    struct fixture *f = *state;
    char id[8];

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        BUF_CLEANUP struct buf token = {0};
        enum status got;

        snprintf(id, sizeof id, "t%zu", i);
        got = create_token(f, everything(), id, OPERATOR, NULL, rows[i].expires_at, &token);
        if (got != rows[i].want)
            fail_msg("%s: %s", rows[i].name, status_name(got));
    }
}

static void C114_the_default_is_ninety_days_and_the_text_says_so_in_ms(void **state)
{
    struct fixture *f = *state;
    BUF_CLEANUP struct buf token = {0};
    instant want = clock_wall_ms() + API_TOKEN_DEFAULT_DAYS * API_TOKEN_DAY_MS;
    int64_t expires_at;
    size_t at;

    assert_int_equal(create_token(f, everything(), "ci", OPERATOR, NULL, 0, &token), ST_OK);
    assert_true(slice_search(buf_slice(&token), SLICE("&se="), &at));
    assert_true(slice_to_i64(slice_from(buf_slice(&token), at + 4), &expires_at));
    assert_true(expires_at >= want && expires_at < want + 60000);
}

static void a_thousand_and_no_more(void **state)
{
    struct fixture *f = *state;
    char id[8];

    for (int i = 0; i <= API_TOKENS_MAX; i++) {
        BUF_CLEANUP struct buf token = {0};

        snprintf(id, sizeof id, "t%d", i);
        assert_int_equal(create_token(f, everything(), id, OPERATOR, NULL, 0, &token),
                         i < API_TOKENS_MAX ? ST_OK : ST_QUOTA);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(C114_a_token_may_what_its_role_may),
        TEST(C114_a_revoked_token_is_refused_from_the_next_call_on),
        TEST(a_changed_role_counts_from_the_next_call_on),
        TEST(a_token_that_is_gone_holds_no_role),
        TEST(C114_a_token_acts_within_its_organization),
        TEST(C123_a_token_may_no_more_than_its_maker),
        TEST(a_token_ends_within_a_year),
        TEST(C114_the_default_is_ninety_days_and_the_text_says_so_in_ms),
        TEST(a_thousand_and_no_more),
    };

    return cmocka_run_group_tests_name("api_token", tests, NULL, NULL);
}
