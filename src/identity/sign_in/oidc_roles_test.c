#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "identity/sign_in/oidc_internal.h"

static void whose_role_is_which(void **state)
{
    static const char roles[] =
        " ann@example.org = administrator , @example.org=Operator,@sub.example.org=auditor,"
        "@example.org=builder";
    static const struct {
        const char *name, *email, *role;
    } rows[] = {
        {"the address itself", "Ann@Example.org", "ca310b8d-2f4a-44e0-a36e-957c202cd8d4"},
        {"the first row of the domain", "bob@EXAMPLE.org", "ae2c9854-393b-4f97-8c42-479d70ce626e"},
        {"a role of the application", "bob@sub.example.org", "auditor"},
        {"no domain's end", "bob@anexample.org", NULL},
        {"a domain in front of another", "ann@example.org.evil.example", NULL},
        {"the row's text", "@example.org", NULL},
        {"nothing", "", NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        slice role = {0};
        bool found = oidc_role_of(slice_str(roles), slice_str(rows[i].email), &role);

        if (found != (rows[i].role != NULL) ||
            (found && !slice_equal(role, slice_str(rows[i].role))))
            fail_msg("%s", rows[i].name);
    }
}

static void what_a_row_looks_like(void **state)
{
    static const struct {
        const char *text;
        bool ok;
    } rows[] = {
        {"", true},
        {"a@b=operator", true},
        {"@b=operator,c@d=my-role", true},
        {"a@b", false},
        {"a@b=", false},
        {"=operator", false},
        {"a=operator", false},
        {"@=operator", false},
        {"a@b=operator,", true},
        {"a@b=no role", false},
    };
    struct fault why;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (oidc_roles_check(slice_str(rows[i].text), &why) != rows[i].ok)
            fail_msg("'%s'", rows[i].text);
    }
}

static void an_issuer_is_asked_over_TLS(void **state)
{
    struct fault why;

    (void)state;
    assert_true(oidc_issuer_check(SLICE(""), &why));
    assert_true(oidc_issuer_check(SLICE("https://login.example.org/tenant"), &why));
    assert_false(oidc_issuer_check(SLICE("http://login.example.org"), &why));
    assert_false(oidc_issuer_check(SLICE("https://user@login.example.org"), &why));
    assert_false(oidc_issuer_check(SLICE("login.example.org"), &why));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whose_role_is_which),
        cmocka_unit_test(what_a_row_looks_like),
        cmocka_unit_test(an_issuer_is_asked_over_TLS),
    };

    return cmocka_run_group_tests_name("oidc_roles", tests, NULL, NULL);
}
