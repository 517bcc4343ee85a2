#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "identity/access/organization.h"
#include "identity/access/permission.h"
#include "identity/principal.h"

static void every_permission_has_a_name_of_its_own(void **state)
{
    enum permission found;

    (void)state;
    for (unsigned p = 0; p < PERM_COUNT; p++) {
        assert_true(permission_from_name(slice_str(permission_name((enum permission)p)), &found));
        assert_int_equal(found, p);
    }
    assert_false(permission_from_name(SLICE("devices"), &found));
    assert_false(permission_from_name(SLICE(""), &found));
    assert_string_equal(permission_name(PERM_COUNT), "unknown");
}

static void what_a_permission_brings_along(void **state)
{
    static const struct {
        const char *name;
        permission_set has, with;
    } rows[] = {
        {"nothing", 0, 0},
        {"to look alone", PERMISSION(PERM_AUDIT_VIEW), PERMISSION(PERM_AUDIT_VIEW)},
        {"a write looks", PERMISSION(PERM_ROLES_DELETE),
         PERMISSION(PERM_ROLES_DELETE) | PERMISSION(PERM_ROLES_VIEW)},
        {"devices show templates and groups", PERMISSION(PERM_DEVICES_COMMAND),
         PERMISSION(PERM_DEVICES_COMMAND) | PERMISSION(PERM_DEVICES_VIEW) |
             PERMISSION(PERM_TEMPLATES_VIEW) | PERMISSION(PERM_GROUPS_VIEW)},
        {"global connectivity is no instance's", PERMISSION(PERM_CONNECTIVITY_MANAGE_GLOBAL),
         PERMISSION(PERM_CONNECTIVITY_MANAGE_GLOBAL) | PERMISSION(PERM_CONNECTIVITY_READ_GLOBAL) |
             PERMISSION(PERM_DEVICES_VIEW) | PERMISSION(PERM_TEMPLATES_VIEW) |
             PERMISSION(PERM_GROUPS_VIEW)},
        {"no such permission", ~(PERMISSION(PERM_COUNT) - 1), 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        permission_set with = permission_complete(rows[i].has);

        if (with != rows[i].with)
            fail_msg("%s: %llx", rows[i].name, (unsigned long long)with);
        assert_int_equal(permission_complete(with), with);
    }
}

/* Any two together bring along no more than each for itself: one pass was enough. */
static void completing_is_done_in_one_pass(void **state)
{
    (void)state;
    for (unsigned a = 0; a < PERM_COUNT; a++) {
        permission_set alone = permission_complete(PERMISSION(a));

        assert_int_equal(permission_complete(alone), alone);
        for (unsigned b = 0; b < PERM_COUNT; b++)
            assert_int_equal(permission_complete(PERMISSION(a) | PERMISSION(b)),
                             alone | permission_complete(PERMISSION(b)));
    }
}

static void the_built_in_roles_are_whole_and_as_the_field_has_them(void **state)
{
    const struct builtin_role *administrator =
        builtin_role_find(SLICE("ca310b8d-2f4a-44e0-a36e-957c202cd8d4"));
    const struct builtin_role *builder =
        builtin_role_find(SLICE("344138e9-8de4-4497-8c54-5237e96d6aaf"));
    const struct builtin_role *worker =
        builtin_role_find(SLICE("ae2c9854-393b-4f97-8c42-479d70ce626e"));

    (void)state;
    for (size_t i = 0; i < builtin_role_count; i++)
        assert_int_equal(permission_complete(builtin_roles[i].permissions),
                         builtin_roles[i].permissions);
    assert_non_null(administrator);
    assert_non_null(builder);
    assert_non_null(worker);
    assert_null(builtin_role_find(SLICE("CA310B8D-2F4A-44E0-A36E-957C202CD8D4")));
    for (unsigned p = 0; p < PERM_COUNT; p++)
        assert_true(administrator->permissions & PERMISSION(p));
    assert_true(builder->permissions & PERMISSION(PERM_TEMPLATES_MANAGE));
    assert_false(worker->permissions & PERMISSION(PERM_TEMPLATES_MANAGE));
    /* No administration but an administrator's. */
    for (unsigned p = PERM_SETTINGS_UPDATE; p <= PERM_AUDIT_VIEW; p++)
        assert_false((builder->permissions | worker->permissions) & PERMISSION(p));
    assert_false(builder->permissions & PERMISSION(PERM_CONNECTIVITY_READ_GLOBAL));
}

static void an_organization_covers_itself_and_what_lies_below(void **state)
{
    static const struct {
        const char *path, *other;
        bool covers;
    } rows[] = {
        {"", "", true},         {"", "/a/", true},         {"/a/", "", false},
        {"/a/", "/a/", true},   {"/a/", "/a/b/", true},    {"/a/b/", "/a/", false},
        {"/a/", "/ab/", false}, {"/a/b/", "/a/c/", false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (organization_covers(slice_str(rows[i].path), slice_str(rows[i].other)) !=
            rows[i].covers)
            fail_msg("'%s' and '%s'", rows[i].path, rows[i].other);
    }
}

static void the_ID_of_an_organization(void **state)
{
    static const struct {
        const char *id;
        bool valid;
    } rows[] = {
        {"ab", true},
        {"plant-7", true},
        {"012345678901234567890123456789012345678901234567", true},
        {"0123456789012345678901234567890123456789012345678", false},
        {"", false},
        {"a", false},
        {"-a", false},
        {"a-", false},
        {"aB", false},
        {"a/b", false},
        {"a_b", false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (organization_id_valid(slice_str(rows[i].id)) != rows[i].valid)
            fail_msg("'%s'", rows[i].id);
    }
}

static void the_organization_of_a_path(void **state)
{
    static const char *const rows[][2] = {
        {"", ""}, {"/a/", "a"}, {"/a/b/", "b"}, {"/emea/plant-7/", "plant-7"}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (!slice_equal(organization_of_path(slice_str(rows[i][0])), slice_str(rows[i][1])))
            fail_msg("'%s'", rows[i][0]);
    }
}

static void C046_within_an_organization_only_what_is_divided_counts(void **state)
{
    struct principal p = {.permissions = PERMISSION(PERM_COUNT) - 1};

    (void)state;
    for (unsigned i = 0; i < PERM_COUNT; i++)
        assert_true(may_do(&p, (enum permission)i));
    strcpy(p.organization, "/a/");
    assert_true(may_do(&p, PERM_USERS_ADD));
    assert_true(may_do(&p, PERM_TOKENS_CREATE));
    assert_true(may_do(&p, PERM_ORGANIZATIONS_DELETE));
    assert_true(may_do(&p, PERM_DEVICES_VIEW));
    assert_true(may_do(&p, PERM_CONNECTIVITY_MANAGE_INSTANCE));
    assert_false(may_do(&p, PERM_TEMPLATES_MANAGE));
    assert_false(may_do(&p, PERM_JOBS_VIEW));
    assert_false(may_do(&p, PERM_CONNECTIVITY_READ_GLOBAL));
    assert_false(may_do(&p, PERM_ROLES_UPDATE));
    assert_false(may_do(&p, PERM_SETTINGS_VIEW));
    assert_false(may_do(&p, PERM_AUDIT_VIEW));
    assert_false(may_do(&p, PERM_COUNT));
    assert_false(may_do(NULL, PERM_USERS_VIEW));
}

static void C123_nobody_hands_out_more_than_he_has(void **state)
{
    struct principal p = {.permissions = permission_complete(PERMISSION(PERM_DEVICES_UPDATE))};

    (void)state;
    assert_true(may_grant(&p, PERMISSION(PERM_DEVICES_UPDATE), SLICE("")));
    assert_true(may_grant(&p, 0, SLICE("/b/")));
    assert_false(may_grant(&p, PERMISSION(PERM_DEVICES_CREATE), SLICE("")));
    strcpy(p.organization, "/a/");
    assert_true(may_grant(&p, PERMISSION(PERM_DEVICES_VIEW), SLICE("/a/c/")));
    assert_false(may_grant(&p, PERMISSION(PERM_DEVICES_VIEW), SLICE("/b/")));
    assert_false(may_grant(&p, PERMISSION(PERM_DEVICES_VIEW), SLICE("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_permission_has_a_name_of_its_own),
        cmocka_unit_test(what_a_permission_brings_along),
        cmocka_unit_test(completing_is_done_in_one_pass),
        cmocka_unit_test(the_built_in_roles_are_whole_and_as_the_field_has_them),
        cmocka_unit_test(an_organization_covers_itself_and_what_lies_below),
        cmocka_unit_test(the_ID_of_an_organization),
        cmocka_unit_test(the_organization_of_a_path),
        cmocka_unit_test(C046_within_an_organization_only_what_is_divided_counts),
        cmocka_unit_test(C123_nobody_hands_out_more_than_he_has),
    };

    return cmocka_run_group_tests_name("permission", tests, NULL, NULL);
}
