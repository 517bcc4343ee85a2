#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "identity/identity_fixture.h"

/* --- facts ----------------------------------------------------------------------------------- */

static void C001_status_is_derived_from_three_facts(void **state)
{
    (void)state;
    for (unsigned facts = 0; facts < 16; facts++) {
        const struct device d = {.blocked = facts & 1,
                                 .approved = facts & 2,
                                 .provisioned = facts & 4,
                                 .enabled = facts & 8};
        enum device_status seed = DEVICE_REGISTERED, later;

        if (d.approved && d.provisioned)
            seed = DEVICE_PROVISIONED;
        if (d.blocked)
            seed = DEVICE_BLOCKED;
        later = !d.blocked && !d.approved ? DEVICE_WAITING : seed;
        assert_int_equal(device_status_of(&d, false), seed);
        assert_int_equal(device_status_of(&d, true), later);
        assert_int_equal(device_may_connect(&d), facts == 14);
    }
    assert_string_equal(device_status_name(DEVICE_WAITING), "waiting");
    assert_string_equal(device_origin_name(ORIGIN_IMPORT), "import");
}

static void a_module_has_no_life_cycle_of_its_own(void **state)
{
    struct device module = {.module_id = SLICE("m"), .enabled = true};

    (void)state;
    assert_true(device_may_connect(&module));
    module.enabled = false;
    assert_false(device_may_connect(&module));
}

/* --- inserting and reading ------------------------------------------------------------------- */

static void a_device_reads_back_as_inserted(void **state)
{
    struct fixture *f = *state;
    struct device_new n = fixture_device("main", "Pump-07", "");
    struct device_copy c;

    n.template_id = SLICE("t1");
    n.model_id = SLICE("dtmi:a:b;1");
    n.origin = ORIGIN_DEVICE;
    n.enrollment_kind = ENROLLMENT_GROUP;
    n.enrollment_id = SLICE("g1");
    n.iot_edge = true;
    n.attempt = (struct device_attempt){.at = 7, .count = 2, .reason = SLICE("because")};
    assert_int_equal(fixture_insert(f, &n), ST_OK);
    assert_int_equal(fixture_read(f, "main", "Pump-07", "", &c), ST_OK);
    assert_true(slice_equal(c.d.id, SLICE("Pump-07")));
    assert_true(slice_equal(c.d.display_name, SLICE("Pump-07")));
    assert_true(slice_equal(c.d.template_id, SLICE("t1")));
    assert_true(slice_equal(c.d.model_id, SLICE("dtmi:a:b;1")));
    assert_true(slice_equal(c.d.enrollment_id, SLICE("g1")));
    assert_true(slice_equal(c.d.attempt.reason, SLICE("because")));
    assert_int_equal(c.d.attempt.count, 2);
    assert_int_equal(c.d.origin, ORIGIN_DEVICE);
    assert_int_equal(c.d.version, 1);
    assert_int_equal(c.d.credential_generation, NOW);
    assert_int_equal(c.d.generation_id.len, 18);
    assert_int_equal(c.d.created_at, NOW);
    assert_int_equal(c.d.first_provisioned_at, NOW);
    assert_true(c.d.iot_edge && !c.d.simulated && !c.d.blocked);
}

static void absent_devices_and_modules_are_told_apart(void **state)
{
    struct fixture *f = *state;
    struct device_new n = fixture_device("main", "d1", "");
    struct device_copy c;
    char longer[DEVICE_ID_MAX + 2];

    memset(longer, 'a', sizeof longer - 1);
    longer[sizeof longer - 1] = 0;
    assert_int_equal(fixture_insert(f, &n), ST_OK);
    assert_int_equal(fixture_read(f, "main", "d2", "", &c), ST_DEVICE_NOT_FOUND);
    assert_int_equal(fixture_read(f, "main", "D1", "", &c), ST_DEVICE_NOT_FOUND);
    assert_int_equal(fixture_read(f, "other", "d1", "", &c), ST_DEVICE_NOT_FOUND);
    assert_int_equal(fixture_read(f, "main", "d2", "m", &c), ST_DEVICE_NOT_FOUND);
    assert_int_equal(fixture_read(f, "main", "d1", "m", &c), ST_MODULE_NOT_FOUND);
    assert_int_equal(fixture_read(f, "main", longer, "", &c), ST_DEVICE_NOT_FOUND);
    assert_int_equal(fixture_read(f, NULL, "D1", "", &c), ST_OK);
    assert_true(slice_equal(c.d.id, SLICE("d1")));
}

static void an_id_is_unique_in_all_hubs_without_case(void **state)
{
    struct fixture *f = *state;
    struct device_new first = fixture_device("main", "Pump", "");
    struct device_new again = fixture_device("main", "pUMP", "");
    struct device_new elsewhere = fixture_device("other", "Pump", "");

    assert_int_equal(fixture_insert(f, &first), ST_OK);
    assert_int_equal(fixture_insert(f, &again), ST_CONFLICT);
    assert_int_equal(fixture_insert(f, &elsewhere), ST_CONFLICT);
}

static void a_module_needs_its_device(void **state)
{
    struct fixture *f = *state;
    struct device_new module = fixture_device("main", "d1", "m1");
    struct device_new device = fixture_device("main", "d1", "");
    struct device_new astray = fixture_device("other", "d1", "m2");
    struct device_copy c;

    assert_int_equal(fixture_insert(f, &module), ST_CONFLICT);
    assert_int_equal(fixture_insert(f, &device), ST_OK);
    assert_int_equal(fixture_insert(f, &module), ST_OK);
    assert_int_equal(fixture_insert(f, &module), ST_CONFLICT);
    assert_int_equal(fixture_insert(f, &astray), ST_CONFLICT);
    assert_int_equal(fixture_read(f, "main", "d1", "m1", &c), ST_OK);
    assert_true(slice_equal(c.d.module_id, SLICE("m1")));
}

static void an_id_too_long_for_a_row_is_no_row(void **state)
{
    struct fixture *f = *state;
    char longer[DEVICE_ID_MAX + 2];
    struct device_new n = fixture_device("main", longer, "");

    memset(longer, 'a', sizeof longer - 1);
    longer[sizeof longer - 1] = 0;
    n.id = slice_str(longer);
    assert_int_equal(fixture_insert(f, &n), ST_INTERNAL);
    n.id = (slice){0};
    assert_int_equal(fixture_insert(f, &n), ST_INTERNAL);
}

/* --- keys ------------------------------------------------------------------------------------ */

static void keys_open_as_they_were_given(void **state)
{
    struct fixture *f = *state;
    struct device_new n = fixture_device("main", "d1", "");
    struct secret primary, secondary;
    struct device_copy c;

    assert_int_equal(fixture_insert(f, &n), ST_OK);
    assert_int_equal(fixture_read(f, "main", "d1", "", &c), ST_OK);
    assert_int_equal(device_keys(f->id, &c.d, &primary, &secondary, NULL), ST_OK);
    assert_true(slice_equal(secret_slice(&primary), secret_slice(&n.primary)));
    assert_true(slice_equal(secret_slice(&secondary), secret_slice(&n.secondary)));
}

static void absent_keys_are_generated_for_sas_alone(void **state)
{
    struct fixture *f = *state;
    struct device_new n = fixture_device("main", "d1", "");
    struct secret primary, secondary;
    struct device_copy c;

    n.primary.len = n.secondary.len = 0;
    assert_int_equal(fixture_insert(f, &n), ST_OK);
    assert_int_equal(fixture_read(f, "main", "d1", "", &c), ST_OK);
    assert_int_equal(device_keys(f->id, &c.d, &primary, &secondary, NULL), ST_OK);
    assert_int_equal(primary.len, 32);
    assert_int_equal(secondary.len, 32);
    assert_false(slice_equal(secret_slice(&primary), secret_slice(&secondary)));

    n.id = SLICE("d2");
    n.auth = AUTH_SELF_SIGNED;
    n.primary_thumbprint = SLICE("ab01");
    assert_int_equal(fixture_insert(f, &n), ST_OK);
    assert_int_equal(fixture_read(f, "main", "d2", "", &c), ST_OK);
    assert_int_equal(device_keys(f->id, &c.d, &primary, &secondary, NULL), ST_OK);
    assert_int_equal(primary.len, 0);
    assert_true(slice_equal(c.d.primary_thumbprint, SLICE("AB01")));
}

/* SECURITY-MODEL K2: what does not open is an error, never "no key". */
static void keys_sealed_for_another_row_are_an_error(void **state)
{
    struct fixture *f = *state;
    struct device_new n = fixture_device("main", "d1", "");
    struct secret primary, secondary;
    struct device_copy c;
    struct device moved;

    assert_int_equal(fixture_insert(f, &n), ST_OK);
    assert_int_equal(fixture_read(f, "main", "d1", "", &c), ST_OK);
    moved = c.d;
    moved.id = SLICE("d2");
    assert_int_equal(device_keys(f->id, &moved, &primary, &secondary, NULL), ST_INTERNAL);
    assert_int_equal(primary.len, 0);
    moved = c.d;
    moved.module_id = SLICE("m");
    assert_int_equal(device_keys(f->id, &moved, &primary, &secondary, NULL), ST_INTERNAL);
    moved = c.d;
    moved.sealed_keys = (slice){0};
    assert_int_equal(device_keys(f->id, &moved, &primary, &secondary, NULL), ST_INTERNAL);
    c.sealed[c.d.sealed_keys.len - 1] ^= 1;
    assert_int_equal(device_keys(f->id, &c.d, &primary, &secondary, NULL), ST_INTERNAL);
}

struct canary {
    slice key;
    bool found;
    size_t bytes;
};

static void look_for(const char *path, void *context)
{
    struct canary *canary = context;
    BUF_CLEANUP struct buf content = {.max = 64 << 20};
    FILE *file = fopen(path, "rb");
    uint8_t chunk[4096];
    size_t len, at;

    assert_non_null(file);
    while ((len = fread(chunk, 1, sizeof chunk, file)) > 0)
        buf_append(&content, slice_of(chunk, len));
    fclose(file);
    assert_false(content.failed);
    canary->bytes += content.len;
    canary->found = canary->found || slice_search(buf_slice(&content), canary->key, &at);
}

static void C120_keys_are_sealed_at_rest(void **state)
{
    struct fixture *f = *state;
    struct device_new n = fixture_device("main", "needle-device", "");
    struct canary canary = {.key = SLICE("CANARY-0123456789-CANARY-0123456")};

    n.primary.len = n.secondary.len = canary.key.len;
    memcpy(n.primary.bytes, canary.key.ptr, canary.key.len);
    memcpy(n.secondary.bytes, canary.key.ptr, canary.key.len);
    assert_int_equal(fixture_insert(f, &n), ST_OK);
    fixture_files(f, look_for, &canary);
    assert_false(canary.found);
    canary.key = SLICE("needle-device"); /* that we looked where the row is */
    fixture_files(f, look_for, &canary);
    assert_true(canary.found);
}

/* --- changing -------------------------------------------------------------------------------- */

static enum status update(struct fixture *f, const struct device *was,
                          const struct device_change *change)
{
    struct unit *unit = unit_create(f->store);
    enum status status;

    assert_non_null(unit);
    device_unit_update(unit, f->id, was, change);
    status = unit_run(unit);
    unit_destroy(unit);
    return status;
}

static enum status delete (struct fixture *f, const struct device *was) {
    struct unit *unit = unit_create(f->store); enum status status;

    assert_non_null(unit);
    device_unit_delete(unit, was);
    status = unit_run(unit);
    unit_destroy(unit);
    return status;
}

static void of_two_racing_changes_one_is_told_so(void **state)
{
    struct fixture *f = *state;
    struct device_new n = fixture_device("main", "d1", "");
    const struct device_change block = {.set = DEVICE_SET_BLOCKED | DEVICE_BUMP_CREDENTIAL,
                                        .to = {.blocked = true, .now = NOW + 1}};
    const struct device_change rename = {.set = DEVICE_SET_DISPLAY_NAME,
                                         .to = {.display_name = SLICE("Pump"), .now = NOW + 2}};
    struct device_copy was, now;

    assert_int_equal(fixture_insert(f, &n), ST_OK);
    assert_int_equal(fixture_read(f, "main", "d1", "", &was), ST_OK);
    assert_int_equal(update(f, &was.d, &block), ST_OK);
    assert_int_equal(update(f, &was.d, &rename), ST_CONFLICT);
    assert_int_equal(fixture_read(f, "main", "d1", "", &now), ST_OK);
    assert_true(now.d.blocked);
    assert_int_equal(now.d.version, 2);
    assert_int_equal(now.d.credential_generation, NOW + 1);
    assert_int_equal(now.d.updated_at, NOW + 1);
    assert_true(slice_equal(now.d.display_name, SLICE("d1")));
    assert_int_equal(update(f, &now.d, &rename), ST_OK);
}

/* Each bit changes what it names and nothing else. */
static void a_change_leaves_other_columns_alone(void **state)
{
    struct fixture *f = *state;
    struct device_new n = fixture_device("main", "d1", "");
    struct device_change change = {.to = fixture_device("other", "ignored", "ignored")};
    struct device_copy was, now;

    n.approved = n.provisioned = false;
    assert_int_equal(fixture_insert(f, &n), ST_OK);
    change.to.enabled = false;
    change.to.blocked = true;
    change.to.template_id = SLICE("t");
    change.to.model_id = SLICE("model");
    change.to.enrollment_id = SLICE("e");
    change.to.attempt.reason = SLICE("r");
    change.to.auth = AUTH_NONE;
    change.to.expired_leaf_allowed = true;
    for (unsigned bit = 0; bit <= 11; bit++) {
        assert_int_equal(fixture_read(f, NULL, "d1", "", &was), ST_OK);
        change.set = 1U << bit;
        change.to.display_name = SLICE("name");
        assert_int_equal(update(f, &was.d, &change), ST_OK);
        assert_int_equal(fixture_read(f, NULL, "d1", "", &now), ST_OK);
        unsigned set =
            (unsigned)((was.d.enabled != now.d.enabled) * DEVICE_SET_ENABLED |
                       (was.d.approved != now.d.approved) * DEVICE_SET_APPROVED |
                       (was.d.blocked != now.d.blocked) * DEVICE_SET_BLOCKED |
                       (was.d.provisioned != now.d.provisioned) * DEVICE_SET_PROVISIONED |
                       !slice_equal(was.d.template_id, now.d.template_id) * DEVICE_SET_TEMPLATE |
                       !slice_equal(was.d.display_name, now.d.display_name) *
                           DEVICE_SET_DISPLAY_NAME |
                       (was.d.auth != now.d.auth) * DEVICE_SET_KEYS |
                       !slice_equal(was.d.enrollment_id, now.d.enrollment_id) *
                           DEVICE_SET_ENROLLMENT |
                       !slice_equal(was.d.model_id, now.d.model_id) * DEVICE_SET_MODEL |
                       !slice_equal(was.d.attempt.reason, now.d.attempt.reason) *
                           DEVICE_SET_ATTEMPT |
                       !slice_equal(was.d.hub, now.d.hub) * DEVICE_SET_HUB |
                       (was.d.credential_generation != now.d.credential_generation) *
                           DEVICE_BUMP_CREDENTIAL);
        assert_int_equal(set, change.set);
        assert_int_equal(now.d.expired_leaf_allowed != was.d.expired_leaf_allowed,
                         change.set == DEVICE_SET_KEYS);
        assert_int_equal(now.d.version, was.d.version + 1);
    }
}

static void first_provisioning_is_noted_once(void **state)
{
    struct fixture *f = *state;
    struct device_new n = fixture_device("main", "d1", "");
    struct device_change change = {.set = DEVICE_SET_PROVISIONED,
                                   .to = {.provisioned = true, .now = NOW + 5}};
    struct device_copy c;

    n.provisioned = false;
    assert_int_equal(fixture_insert(f, &n), ST_OK);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(fixture_read(f, "main", "d1", "", &c), ST_OK);
        assert_int_equal(c.d.first_provisioned_at, i ? NOW + 5 : 0);
        assert_int_equal(update(f, &c.d, &change), ST_OK);
        change.to.now++;
    }
}

/* A device that moves takes its keys and its modules along. */
static void moving_to_another_hub_keeps_all_keys(void **state)
{
    struct fixture *f = *state;
    struct device_new device = fixture_device("main", "d1", "");
    struct device_new module = fixture_device("main", "d1", "m1");
    const struct device_change move = {.set = DEVICE_SET_HUB,
                                       .to = {.hub = SLICE("other"), .now = NOW}};
    struct secret primary, secondary;
    struct device_copy c;

    assert_int_equal(fixture_insert(f, &device), ST_OK);
    assert_int_equal(fixture_insert(f, &module), ST_OK);
    assert_int_equal(fixture_read(f, "main", "d1", "", &c), ST_OK);
    assert_int_equal(update(f, &c.d, &move), ST_OK);
    assert_int_equal(fixture_read(f, "main", "d1", "", &c), ST_DEVICE_NOT_FOUND);
    assert_int_equal(fixture_read(f, "other", "d1", "m1", &c), ST_OK);
    assert_int_equal(device_keys(f->id, &c.d, &primary, &secondary, NULL), ST_OK);
    assert_true(slice_equal(secret_slice(&primary), secret_slice(&device.primary)));
}

static void deleting_takes_the_modules_and_is_guarded(void **state)
{
    struct fixture *f = *state;
    struct device_new device = fixture_device("main", "d1", "");
    struct device_new module = fixture_device("main", "d1", "m1");
    struct device_copy was, c;

    assert_int_equal(fixture_insert(f, &device), ST_OK);
    assert_int_equal(fixture_insert(f, &module), ST_OK);
    assert_int_equal(fixture_read(f, "main", "d1", "", &was), ST_OK);
    assert_int_equal(delete (f, &was.d), ST_OK);
    assert_int_equal(fixture_insert(f, &device), ST_OK);
    assert_int_equal(fixture_read(f, "main", "d1", "m1", &c), ST_MODULE_NOT_FOUND);
    /* The same version, but a device made anew. */
    assert_int_equal(delete (f, &was.d), ST_CONFLICT);
    assert_int_equal(fixture_read(f, "main", "d1", "", &c), ST_OK);
    assert_false(slice_equal(c.d.generation_id, was.d.generation_id));
}

/* --- behind ---------------------------------------------------------------------------------- */

static void save_behind(void *context)
{
    struct fixture *f = context;
    const struct device_activity list[] = {
        {SLICE("main"), SLICE("d1"), (slice){0}, NOW + 9},
        {SLICE("main"), SLICE("d1"), (slice){0}, NOW + 3}, /* late: not taken back */
        {SLICE("main"), SLICE("gone"), (slice){0}, NOW + 9},
    };

    device_save_activity(f->id, list, COUNT_OF(list));
    assert_true(device_save_subscriptions(f->id, SLICE("main"), SLICE("d1"), (slice){0}, 9,
                                          SLICE("a\nb"), NULL, NULL));
}

static void activity_and_subscriptions_leave_the_version(void **state)
{
    struct fixture *f = *state;
    struct device_new n = fixture_device("main", "d1", "");
    struct device_new next = fixture_device("main", "d2", "");
    struct device_copy c;

    assert_int_equal(fixture_insert(f, &n), ST_OK);
    worker_call(workers_at(f->workers, 0), save_behind, f);
    assert_int_equal(fixture_insert(f, &next), ST_OK); /* is written after them */
    assert_int_equal(fixture_read(f, "main", "d1", "", &c), ST_OK);
    assert_int_equal(c.d.last_activity_at, NOW + 9);
    assert_int_equal(c.d.subscriptions, 9);
    assert_true(slice_equal(c.d.method_filters, SLICE("a\nb")));
    assert_int_equal(c.d.version, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(C001_status_is_derived_from_three_facts),
        cmocka_unit_test(a_module_has_no_life_cycle_of_its_own),
        TEST(a_device_reads_back_as_inserted),
        TEST(absent_devices_and_modules_are_told_apart),
        TEST(an_id_is_unique_in_all_hubs_without_case),
        TEST(a_module_needs_its_device),
        TEST(an_id_too_long_for_a_row_is_no_row),
        TEST(keys_open_as_they_were_given),
        TEST(absent_keys_are_generated_for_sas_alone),
        TEST(keys_sealed_for_another_row_are_an_error),
        TEST(C120_keys_are_sealed_at_rest),
        TEST(of_two_racing_changes_one_is_told_so),
        TEST(a_change_leaves_other_columns_alone),
        TEST(first_provisioning_is_noted_once),
        TEST(moving_to_another_hub_keeps_all_keys),
        TEST(deleting_takes_the_modules_and_is_guarded),
        TEST(activity_and_subscriptions_leave_the_version),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
