#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <dirent.h>

#include "provisioning/provisioning_testing.h"

static int setup(void **state)
{
    struct fixture *f = fixture_create();

    fixture_open(f, true, 0);
    *state = f;
    return 0;
}

static struct secret key(uint8_t fill, size_t len)
{
    struct secret k = {.len = len};

    memset(k.bytes, fill, len);
    return k;
}

static struct enrollment group(const char *id, uint8_t fill)
{
    return (struct enrollment){.kind = ENROLLMENT_GROUP,
                               .id = slice_str(id),
                               .enabled = true,
                               .primary = key(fill, 32),
                               .secondary = key((uint8_t)(fill + 1), 32)};
}

static void default_groups_have_keys_of_their_own(void **state)
{
    struct fixture *f = *state;
    struct enrollment e, edge;
    struct enrollment which = {.kind = ENROLLMENT_GROUP, .id = SLICE("sas-iot-devices")};

    assert_int_equal(fixture_enrollment(f, CALL_GET, &which, &e), ST_OK);
    which.id = SLICE("SAS-IoT-Edge-Devices");
    assert_int_equal(fixture_enrollment(f, CALL_GET, &which, &edge), ST_OK);
    assert_true(e.enabled && e.gated && !e.iot_edge && edge.iot_edge);
    assert_int_equal(e.primary.len, 64);
    assert_int_equal(e.secondary.len, 64);
    assert_memory_not_equal(e.primary.bytes, e.secondary.bytes, 64);
    assert_memory_not_equal(e.primary.bytes, edge.primary.bytes, 64);
}

static void default_groups_are_made_at_the_first_start_only(void **state)
{
    struct fixture *f = *state;
    struct enrollment edge = {.kind = ENROLLMENT_GROUP, .id = SLICE("SAS-IoT-Edge-Devices")};
    struct enrollment main_group = {.kind = ENROLLMENT_GROUP, .id = SLICE("SAS-IoT-Devices")};
    struct secret before = f->group_primary;

    assert_int_equal(fixture_enrollment(f, CALL_DELETE, &edge, NULL), ST_OK);
    assert_int_equal(fixture_enrollment(f, CALL_DELETE, &main_group, NULL), ST_CONFLICT);
    fixture_close(f);
    fixture_open(f, true, 0);
    assert_int_equal(fixture_enrollment(f, CALL_GET, &edge, NULL), ST_NOT_FOUND);
    assert_memory_equal(f->group_primary.bytes, before.bytes, 64);
}

static void P084_versions_guard_create_and_replace(void **state)
{
    struct fixture *f = *state;
    struct enrollment e = group("g1", 1), stored;

    assert_int_equal(fixture_enrollment(f, CALL_PUT, &e, &stored), ST_OK);
    assert_int_equal(stored.version, 1);
    assert_int_equal(fixture_enrollment(f, CALL_PUT, &e, NULL), ST_CONFLICT);
    e.version = 1;
    assert_int_equal(fixture_enrollment(f, CALL_PUT, &e, &stored), ST_OK);
    assert_int_equal(stored.version, 2);
    assert_int_equal(fixture_enrollment(f, CALL_PUT, &e, NULL), ST_PRECONDITION_FAILED);
    e.id = SLICE("g2");
    assert_int_equal(fixture_enrollment(f, CALL_PUT, &e, NULL), ST_PRECONDITION_FAILED);
    assert_int_equal(fixture_enrollment(f, CALL_DELETE, &e, NULL), ST_NOT_FOUND);
}

static void P106_absent_keys_are_made_then_kept(void **state)
{
    struct fixture *f = *state;
    struct enrollment e = {.kind = ENROLLMENT_GROUP, .id = SLICE("g1"), .enabled = true};
    struct enrollment made, kept, renewed;

    assert_int_equal(fixture_enrollment(f, CALL_PUT, &e, &made), ST_OK);
    assert_int_equal(made.primary.len, 64);
    e.version = 1;
    e.enabled = false;
    assert_int_equal(fixture_enrollment(f, CALL_PUT, &e, &kept), ST_OK);
    assert_memory_equal(kept.primary.bytes, made.primary.bytes, 64);
    assert_memory_equal(kept.secondary.bytes, made.secondary.bytes, 64);
    assert_int_equal(fixture_enrollment(f, CALL_REGENERATE, &e, &renewed), ST_OK);
    assert_memory_not_equal(renewed.primary.bytes, made.primary.bytes, 64);
    assert_memory_equal(renewed.secondary.bytes, made.secondary.bytes, 64);
    assert_int_equal(fixture_enrollment(f, CALL_GET, &e, &kept), ST_OK);
    assert_memory_equal(kept.primary.bytes, renewed.primary.bytes, 64);
    assert_int_equal(kept.version, 3);
}

static void C066_no_key_serves_two_groups(void **state)
{
    struct fixture *f = *state;
    struct enrollment first = group("g1", 10), crossed = group("g2", 20), own = group("g3", 30);
    struct enrollment individual = {
        .kind = ENROLLMENT_INDIVIDUAL, .id = SLICE("dev-001"), .primary = key(10, 32)};

    assert_int_equal(fixture_enrollment(f, CALL_PUT, &first, NULL), ST_OK);
    crossed.secondary = first.primary;
    assert_int_equal(fixture_enrollment(f, CALL_PUT, &crossed, NULL), ST_CONFLICT);
    assert_int_equal(fixture_enrollment(f, CALL_GET, &crossed, NULL), ST_NOT_FOUND);
    assert_int_equal(fixture_enrollment(f, CALL_PUT, &own, NULL), ST_OK);
    own.version = 1;
    own.primary = first.secondary;
    assert_int_equal(fixture_enrollment(f, CALL_PUT, &own, NULL), ST_CONFLICT);
    assert_int_equal(fixture_enrollment(f, CALL_PUT, &individual, NULL), ST_OK);
}

#define SHA1_HEX "00112233445566778899aabbccddeeff00112233"
#define SHA256_HEX "00112233445566778899AABBCCDDEEFF00112233445566778899AABBCCDDEEFF"

static void P011_what_breaks_a_rule_is_refused(void **state)
{
    struct fixture *f = *state;
    const struct {
        const char *name;
        struct enrollment e;
        enum status status;
    } rows[] = {
        {"no kind", {.id = SLICE("x")}, ST_BAD_REQUEST},
        {"no ID", {.kind = ENROLLMENT_GROUP}, ST_BAD_REQUEST},
        {"a group with blanks", {.kind = ENROLLMENT_GROUP, .id = SLICE("grp 1")}, ST_OK},
        {"a group with a line end", {.kind = ENROLLMENT_GROUP, .id = SLICE("g\n")}, ST_BAD_REQUEST},
        {"blank in a registration ID",
         {.kind = ENROLLMENT_INDIVIDUAL, .id = SLICE("d 1")},
         ST_BAD_REQUEST},
        {"first a special", {.kind = ENROLLMENT_INDIVIDUAL, .id = SLICE("-d")}, ST_BAD_REQUEST},
        {"last a dash", {.kind = ENROLLMENT_INDIVIDUAL, .id = SLICE("d-")}, ST_OK},
        {"TPM",
         {.kind = ENROLLMENT_GROUP, .id = SLICE("x"), .attestation = ATTEST_TPM},
         ST_BAD_REQUEST},
        {"X.509 group",
         {.kind = ENROLLMENT_GROUP, .id = SLICE("x1"), .attestation = ATTEST_X509},
         ST_OK},
        {"X.509 group with a key",
         {.kind = ENROLLMENT_GROUP,
          .id = SLICE("x"),
          .attestation = ATTEST_X509,
          .primary = key(1, 32)},
         ST_BAD_REQUEST},
        {"X.509 group with a thumbprint",
         {.kind = ENROLLMENT_GROUP,
          .id = SLICE("x"),
          .attestation = ATTEST_X509,
          .primary_thumbprint = SLICE(SHA1_HEX)},
         ST_BAD_REQUEST},
        {"X.509 without a thumbprint",
         {.kind = ENROLLMENT_INDIVIDUAL,
          .id = SLICE("x"),
          .attestation = ATTEST_X509,
          .secondary_thumbprint = SLICE(SHA1_HEX)},
         ST_BAD_REQUEST},
        {"X.509 with half a thumbprint",
         {.kind = ENROLLMENT_INDIVIDUAL,
          .id = SLICE("x"),
          .attestation = ATTEST_X509,
          .primary_thumbprint = SLICE("00112233")},
         ST_BAD_REQUEST},
        {"X.509 with both",
         {.kind = ENROLLMENT_INDIVIDUAL,
          .id = SLICE("x2"),
          .attestation = ATTEST_X509,
          .primary_thumbprint = SLICE(SHA1_HEX),
          .secondary_thumbprint = SLICE(SHA256_HEX)},
         ST_OK},
        {"keys with a thumbprint",
         {.kind = ENROLLMENT_INDIVIDUAL, .id = SLICE("x"), .primary_thumbprint = SLICE(SHA1_HEX)},
         ST_BAD_REQUEST},
        {"keys with a switch for certificates",
         {.kind = ENROLLMENT_INDIVIDUAL, .id = SLICE("x"), .expired_leaf_allowed = true},
         ST_BAD_REQUEST},
        {"key too short",
         {.kind = ENROLLMENT_GROUP, .id = SLICE("x"), .primary = key(1, 15)},
         ST_BAD_REQUEST},
        {"key short enough",
         {.kind = ENROLLMENT_GROUP, .id = SLICE("k16"), .primary = key(1, 16)},
         ST_OK},
        {"no device ID",
         {.kind = ENROLLMENT_INDIVIDUAL, .id = SLICE("d"), .device_id = SLICE("a b")},
         ST_BAD_REQUEST},
        {"unknown hub",
         {.kind = ENROLLMENT_GROUP, .id = SLICE("x"), .hub = SLICE("other")},
         ST_BAD_REQUEST},
        {"hub by its host",
         {.kind = ENROLLMENT_GROUP, .id = SLICE("h"), .hub = SLICE("hub.example.org")},
         ST_OK},
        {"tags no object",
         {.kind = ENROLLMENT_GROUP, .id = SLICE("x"), .initial_tags = SLICE("[]")},
         ST_BAD_REQUEST},
        {"desired no JSON",
         {.kind = ENROLLMENT_GROUP, .id = SLICE("x"), .initial_desired = SLICE("{")},
         ST_BAD_REQUEST},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        enum status status = fixture_enrollment(f, CALL_PUT, &rows[i].e, NULL);

        if (status != rows[i].status)
            fail_msg("%s: %s", rows[i].name, status_name(status));
    }
}

static void there_are_100_groups_of_each_attestation_at_most(void **state)
{
    struct fixture *f = *state;
    enum status status = ST_OK;
    char id[16];
    int made = 0;

    while (status == ST_OK && made < 200) {
        struct enrollment e = {.kind = ENROLLMENT_GROUP, .id = slice_str(id)};

        snprintf(id, sizeof id, "g%d", made);
        e.id = slice_str(id);
        status = fixture_enrollment(f, CALL_PUT, &e, NULL);
        made += status == ST_OK;
    }
    assert_int_equal(status, ST_QUOTA);
    assert_int_equal(made, ENROLLMENT_GROUPS_MAX - 2);
    for (made = 0, status = ST_OK; status == ST_OK && made < 200; made += status == ST_OK) {
        struct enrollment e = {.kind = ENROLLMENT_GROUP, .attestation = ATTEST_X509};

        snprintf(id, sizeof id, "x%d", made);
        e.id = slice_str(id);
        status = fixture_enrollment(f, CALL_PUT, &e, NULL);
    }
    assert_int_equal(status, ST_QUOTA);
    assert_int_equal(made, ENROLLMENT_GROUPS_MAX);
}

/* The slices of an answer do not outlive it: what is stored is looked for. */
static void thumbprints_are_stored_in_one_form_and_no_key_is_made(void **state)
{
    static const struct sql stored_sql = {
        "SELECT count(*) FROM enrollment WHERE id_key = 'dev-001' AND primary_thumbprint ="
        " '00112233445566778899AABBCCDDEEFF00112233' AND secondary_thumbprint = ''"
        " AND expired_leaf_allowed = 1"};
    struct fixture *f = *state;
    struct enrollment e = {
        .kind = ENROLLMENT_INDIVIDUAL,
        .id = SLICE("dev-001"),
        .attestation = ATTEST_X509,
        .primary_thumbprint = SLICE("00:11:22:33:44:55:66:77:88:99 aabbccddeeff 00:11:22:33"),
        .expired_leaf_allowed = true,
    };
    struct enrollment stored;

    assert_int_equal(fixture_enrollment(f, CALL_PUT, &e, &stored), ST_OK);
    assert_int_equal(stored.primary.len + stored.secondary.len, 0);
    assert_int_equal(fixture_number(f, &stored_sql), 1);
    assert_int_equal(fixture_enrollment(f, CALL_REGENERATE, &e, NULL), ST_BAD_REQUEST);
    e.version = 1;
    e.attestation = ATTEST_SYMMETRIC_KEY;
    e.primary_thumbprint = (slice){0};
    e.expired_leaf_allowed = false;
    assert_int_equal(fixture_enrollment(f, CALL_PUT, &e, NULL), ST_BAD_REQUEST);
}

/* Whether any file of the folder holds the bytes. */
static bool folder_holds(const char *directory, slice needle)
{
    DIR *dir = opendir(directory);
    struct dirent *entry;
    bool found = false;
    size_t at;

    assert_non_null(dir);
    while ((entry = readdir(dir))) {
        struct buf BUF_CLEANUP bytes = {.max = 64 * 1024 * 1024};
        char path[400];
        FILE *file;
        int c;

        snprintf(path, sizeof path, "%s/%s", directory, entry->d_name);
        file = entry->d_type == DT_REG ? fopen(path, "rb") : NULL;
        while (file && (c = getc(file)) != EOF)
            buf_append_byte(&bytes, (uint8_t)c);
        if (file)
            fclose(file);
        assert_false(bytes.failed);
        found = found || slice_search(buf_slice(&bytes), needle, &at);
    }
    closedir(dir);
    return found;
}

static void keys_are_sealed_at_rest(void **state)
{
    struct fixture *f = *state;
    struct secret derived;

    f->view.auto_approve = true;
    assert_int_equal(registers(f, "dev-001").state, REG_ASSIGNED);
    derive_device_key(&f->group_primary, SLICE("dev-001"), &derived);
    assert_true(folder_holds(f->directory, SLICE("SAS-IoT-Edge-Devices")));
    assert_true(folder_holds(f->directory, SLICE("dev-001")));
    assert_false(folder_holds(f->directory, slice_first(secret_slice(&f->group_primary), 16)));
    assert_false(folder_holds(f->directory, slice_first(secret_slice(&f->group_secondary), 16)));
    assert_false(folder_holds(f->directory, slice_first(secret_slice(&derived), 16)));
}

static void keys_moved_to_another_row_stop_that_group(void **state)
{
    static const struct sql swap_sql = {
        "UPDATE enrollment SET sealed_keys = (SELECT o.sealed_keys FROM enrollment o"
        " WHERE o.id_key = 'sas-iot-edge-devices') WHERE id_key = 'sas-iot-devices'"};
    static const struct sql touch_sql = {"UPDATE enrollment_set SET version = version + 1"};
    struct fixture *f = *state;
    struct enrollment which = {.kind = ENROLLMENT_GROUP, .id = SLICE("SAS-IoT-Devices")};
    struct unit *unit = unit_create(f->st);

    f->view.auto_approve = true;
    unit_add(unit, &swap_sql, NULL, 0, EXPECT_ONE);
    unit_add(unit, &touch_sql, NULL, 0, EXPECT_ONE);
    assert_int_equal(unit_run(unit), ST_OK);
    unit_destroy(unit);
    assert_int_equal(fixture_enrollment(f, CALL_GET, &which, NULL), ST_INTERNAL);
    assert_int_equal(registers(f, "dev-001").status, ST_UNAUTHORIZED);
}

/* A folder of the version before certificates. */
static void rows_of_the_schema_before_are_kept(void **state)
{
    static const struct sql enrollment_sql = {
        "INSERT INTO enrollment VALUES (1, 'dev-001', 'dev-001', '', 0, 1, 1, 0, '', '', '', NULL,"
        " '', '', X'00', 3, 0, 0)"};
    static const struct sql registration_sql = {
        "INSERT INTO registration VALUES ('dev-001', 'dev-001', 'dev-001', 'dev-001', 'main', '', "
        "1,"
        " 'dev-001', 'dev-001', 1, 0, '5.x', '', 1, 0, 0, 1)"};
    static const struct sql kept_sql = {
        "SELECT count(*) FROM enrollment e, registration r WHERE e.id_key = r.id_key"
        " AND e.primary_thumbprint = '' AND e.expired_leaf_allowed = 0 AND r.by_certificate = 0"};
    const struct store_schema before = {
        .module = "provisioning", .steps = provisioning_schema.steps, .count = 1};
    const struct store_schema *const schemas[] = {&before};
    struct fixture *f = *state;
    struct fault why = {0};
    struct store *st;
    struct unit *unit;
    char command[160];

    fixture_close(f);
    snprintf(command, sizeof command, "rm -f '%s'/*.db*", f->directory);
    assert_int_equal(system(command), 0);
    f->ws = workers_create(1);
    st = store_open(
        f->ws,
        &(struct store_options){.directory = f->directory, .schemas = schemas, .schema_count = 1},
        &why);
    if (!st)
        fail_msg("%s", why.text);
    unit = unit_create(st);
    unit_add(unit, &enrollment_sql, NULL, 0, EXPECT_ONE);
    unit_add(unit, &registration_sql, NULL, 0, EXPECT_ONE);
    assert_int_equal(unit_run(unit), ST_OK);
    unit_destroy(unit);
    store_close(st);
    workers_destroy(f->ws);
    fixture_open(f, true, 0);
    assert_int_equal(fixture_number(f, &kept_sql), 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(default_groups_have_keys_of_their_own),
        TEST(default_groups_are_made_at_the_first_start_only),
        TEST(P084_versions_guard_create_and_replace),
        TEST(P106_absent_keys_are_made_then_kept),
        TEST(C066_no_key_serves_two_groups),
        TEST(P011_what_breaks_a_rule_is_refused),
        TEST(there_are_100_groups_of_each_attestation_at_most),
        TEST(thumbprints_are_stored_in_one_form_and_no_key_is_made),
        TEST(keys_are_sealed_at_rest),
        TEST(keys_moved_to_another_row_stop_that_group),
        TEST(rows_of_the_schema_before_are_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
