#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <fcntl.h>

#include "provisioning/authority_testing.h"

struct world {
    struct fixture *f;
    struct made root, other;
};

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    struct fixture *f = fixture_create();

    assert_non_null(w);
    fixture_open(f, true, 0);
    w->f = f;
    w->root = make_authority("Root", NULL, clock_wall_ms());
    w->other = make_authority("Other", NULL, clock_wall_ms());
    fixture_put_group(f, "Plant", true, 0);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    made_free(&w->root);
    made_free(&w->other);
    fixture_close(w->f);
    fixture_remove(w->f);
    free(w);
    return 0;
}

static struct authority_call show(struct fixture *f, const char *group)
{
    return fixture_authority(
        f, (struct authority_request){.act = AUTHORITY_SHOW, .group = slice_str(group)});
}

static struct authority_call act(struct fixture *f, enum authority_act which, slice file)
{
    return fixture_authority(
        f, (struct authority_request){
               .act = which, .group = SLICE("plant"), .slot = AUTHORITY_PRIMARY, .file = file});
}

static int64_t trust_version(struct fixture *f)
{
    static const struct sql sql = {"SELECT version FROM trust_set"};

    return fixture_number(f, &sql);
}

/* What the server writes to its log while `run` runs. */
static char *logged_during(void (*run)(struct world *w), struct world *w)
{
    static char text[16384];
    int kept = dup(STDERR_FILENO), file = open(".", O_TMPFILE | O_RDWR, 0600);
    ssize_t len;

    assert_true(kept >= 0 && file >= 0);
    dup2(file, STDERR_FILENO);
    run(w);
    dup2(kept, STDERR_FILENO);
    len = pread(file, text, sizeof text - 1, 0);
    assert_true(len >= 0);
    text[len] = 0;
    close(kept);
    close(file);
    return text;
}

/* --- the way of a slot ------------------------------------------------------------------------ */

static void P091_C068_slot_goes_from_empty_to_verified(void **state)
{
    struct world *w = *state;
    struct fixture *f = w->f;
    BUF_CLEANUP struct buf pem = {.max = CERTIFICATE_FILE_MAX};
    int64_t trust = trust_version(f);
    struct authority_call c = show(f, "Plant");
    struct made proof;

    assert_int_equal(c.status, ST_OK);
    assert_int_equal(c.slots[0].state, AUTHORITY_EMPTY);
    c = fixture_upload(f, "PLANT", AUTHORITY_PRIMARY, &w->root, false);
    assert_int_equal(c.slots[0].state, AUTHORITY_UNVERIFIED);
    assert_string_equal(c.slots[0].subject, "CN=Root");
    c = act(f, AUTHORITY_ISSUE_CODE, (slice){0});
    assert_int_equal(c.slots[0].state, AUTHORITY_CODE_ISSUED);
    assert_int_equal(strlen(c.slots[0].code), VERIFICATION_CODE_LEN);
    proof = make_leaf(c.slots[0].code, &w->root, clock_wall_ms());
    certificate_to_pem(proof.certificate, &pem);
    made_free(&proof);
    c = act(f, AUTHORITY_VERIFY, buf_slice(&pem));
    assert_int_equal(c.status, ST_OK);
    assert_true(c.slots[0].state == AUTHORITY_VERIFIED || c.slots[0].state == AUTHORITY_EXPIRING);
    assert_true(c.slots[0].verified && !c.slots[0].self_attested);
    assert_string_equal(c.slots[0].by, "ann");
    assert_string_equal(c.slots[0].code, "");
    assert_int_equal(act(f, AUTHORITY_VERIFY, buf_slice(&pem)).status, ST_BAD_REQUEST);
    c = act(f, AUTHORITY_REMOVE, (slice){0});
    assert_int_equal(c.status, ST_OK);
    assert_int_equal(c.slots[0].state, AUTHORITY_EMPTY);
    assert_true(trust_version(f) > trust);
}

static void C070_C077_what_is_refused_leaves_the_slot_as_it_was(void **state)
{
    struct world *w = *state;
    struct fixture *f = w->f;
    BUF_CLEANUP struct buf pem = {.max = CERTIFICATE_FILE_MAX};
    struct authority_call c, after;
    struct made proof;
    int64_t trust;

    fixture_upload(f, "Plant", AUTHORITY_PRIMARY, &w->root, false);
    c = act(f, AUTHORITY_ISSUE_CODE, (slice){0});
    proof = make_leaf(c.slots[0].code, &w->root, clock_wall_ms());
    certificate_to_pem(proof.certificate, &pem);
    made_free(&proof);
    c = act(f, AUTHORITY_ISSUE_CODE, (slice){0});
    trust = trust_version(f);
    after = act(f, AUTHORITY_VERIFY, buf_slice(&pem));
    assert_int_equal(after.status, ST_BAD_REQUEST);
    assert_memory_equal(after.why, "C06: ", 5);
    assert_int_equal(act(f, AUTHORITY_UPLOAD, SLICE("nothing")).status, ST_BAD_REQUEST);
    after = show(f, "Plant");
    assert_int_equal(after.slots[0].version, c.slots[0].version);
    assert_string_equal(after.slots[0].code, c.slots[0].code);
    assert_int_equal(trust_version(f), trust);
}

static void C070_certificate_of_another_group_is_refused_of_the_other_slot_warned_of(void **state)
{
    struct world *w = *state;
    struct fixture *f = w->f;
    struct authority_call c;

    fixture_put_group(f, "Line", true, 0);
    fixture_upload(f, "Plant", AUTHORITY_PRIMARY, &w->root, false);
    c = fixture_upload(f, "Plant", AUTHORITY_SECONDARY, &w->root, false);
    assert_int_equal(c.status, ST_OK);
    assert_string_equal(c.slots[1].warning, "the same certificate is in the other slot");
    c = fixture_upload(f, "Line", AUTHORITY_SECONDARY, &w->root, false);
    assert_int_equal(c.status, ST_CONFLICT);
    assert_memory_equal(c.why, "C05: ", 5);
    assert_non_null(strstr(c.why, "'plant'"));
    assert_int_equal(show(f, "Line").slots[1].state, AUTHORITY_EMPTY);
}

static void uploads_self_attested(struct world *w)
{
    assert_int_equal(fixture_upload(w->f, "Plant", AUTHORITY_PRIMARY, &w->root, true).status,
                     ST_OK);
}

static void C072_self_attestation_is_in_the_log(void **state)
{
    struct world *w = *state;
    const char *log = logged_during(uploads_self_attested, w);
    struct authority_call c = show(w->f, "Plant");

    assert_true(c.slots[0].verified && c.slots[0].self_attested);
    assert_non_null(strstr(log, "event=authority_uploaded"));
    assert_non_null(strstr(log, "verified=self-attested"));
    assert_non_null(strstr(log, "by=ann"));
    assert_non_null(strstr(log, "group=Plant slot=primary"));
}

static void versions_guard_the_slot(void **state)
{
    struct world *w = *state;
    struct authority_request request = {
        .act = AUTHORITY_ISSUE_CODE, .group = SLICE("Plant"), .slot = AUTHORITY_PRIMARY};
    struct authority_call c = fixture_upload(w->f, "Plant", AUTHORITY_PRIMARY, &w->root, false);

    request.version = c.slots[0].version;
    assert_int_equal(fixture_authority(w->f, request).status, ST_OK);
    assert_int_equal(fixture_authority(w->f, request).status, ST_PRECONDITION_FAILED);
    request.version = 0;
    assert_int_equal(fixture_authority(w->f, request).status, ST_OK);
}

static void only_groups_for_certificates_have_slots(void **state)
{
    static const char *const groups[] = {"SAS-IoT-Devices", "nobody", ""};
    struct world *w = *state;

    for (size_t i = 0; i < COUNT_OF(groups); i++) {
        struct authority_call c =
            fixture_upload(w->f, groups[i], AUTHORITY_PRIMARY, &w->root, true);

        if (c.status != ST_NOT_FOUND)
            fail_msg("'%s': %s", groups[i], status_name(c.status));
    }
}

/* --- with the group --------------------------------------------------------------------------- */

static void disabled_or_deleted_group_takes_its_certificates_along(void **state)
{
    static const struct sql enabled_sql = {"SELECT count(*) FROM authority WHERE enabled = 1"};
    static const struct sql all_sql = {"SELECT count(*) FROM authority"};
    struct world *w = *state;
    struct fixture *f = w->f;
    const struct enrollment group = {.kind = ENROLLMENT_GROUP, .id = SLICE("Plant")};
    int64_t trust;

    fixture_upload(f, "Plant", AUTHORITY_PRIMARY, &w->root, true);
    trust = trust_version(f);
    fixture_put_group(f, "Plant", false, 1);
    assert_int_equal(fixture_number(f, &enabled_sql), 0);
    assert_int_equal(trust_version(f), trust + 1);
    fixture_put_group(f, "Plant", false, 2);
    assert_int_equal(trust_version(f), trust + 1);
    assert_int_equal(fixture_upload(f, "Plant", AUTHORITY_SECONDARY, &w->other, true).status,
                     ST_OK);
    assert_int_equal(fixture_number(f, &enabled_sql), 0);
    fixture_put_group(f, "Plant", true, 3);
    assert_int_equal(fixture_number(f, &enabled_sql), 2);
    assert_int_equal(fixture_enrollment(f, CALL_DELETE, &group, NULL), ST_OK);
    assert_int_equal(fixture_number(f, &all_sql), 0);
    assert_int_equal(show(f, "Plant").status, ST_NOT_FOUND);
}

/* --- the deny list ---------------------------------------------------------------------------- */

static void denials_are_checked_stored_and_taken_back(void **state)
{
    static const struct sql count_sql = {"SELECT count(*) FROM denied_certificate"};
    static const struct {
        const char *name;
        struct denial denial;
        enum status status;
    } rows[] = {
        {"a thumbprint",
         {.thumbprint =
              {(const uint8_t *)"00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff:00:11:22:33", 59}},
         ST_OK},
        {"a serial of a group",
         {.group = {(const uint8_t *)"Plant", 5}, .serial = {(const uint8_t *)"1f", 2}},
         ST_OK},
        {"half a thumbprint", {.thumbprint = {(const uint8_t *)"0011", 4}}, ST_BAD_REQUEST},
        {"a serial of nobody", {.serial = {(const uint8_t *)"1f", 2}}, ST_BAD_REQUEST},
        {"a group alone", {.group = {(const uint8_t *)"Plant", 5}}, ST_BAD_REQUEST},
        {"nothing", {.group = {0}}, ST_BAD_REQUEST},
        {"a reason of two lines",
         {.group = {(const uint8_t *)"Plant", 5},
          .serial = {(const uint8_t *)"2f", 2},
          .reason = {(const uint8_t *)"a\nb", 3}},
         ST_BAD_REQUEST},
    };
    struct world *w = *state;
    struct fixture *f = w->f;
    int64_t trust = trust_version(f);

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (fixture_deny(f, rows[i].denial, (slice){0}) != rows[i].status)
            fail_msg("%s", rows[i].name);
    }
    assert_int_equal(fixture_number(f, &count_sql), 2);
    assert_int_equal(trust_version(f), trust + 2);
    assert_int_equal(fixture_deny(f, (struct denial){0}, SLICE("s:plant:1F")), ST_OK);
    assert_int_equal(fixture_deny(f, (struct denial){0}, SLICE("s:plant:1F")), ST_NOT_FOUND);
    assert_int_equal(fixture_number(f, &count_sql), 1);
    assert_int_equal(trust_version(f), trust + 3);
}

/* --- states by time --------------------------------------------------------------------------- */

static void C075_states_follow_from_row_and_time(void **state)
{
    enum { DAY = 24 * 3600 };
    static const struct {
        const char *name;
        bool verified;
        int64_t code_age_s, days_left;
        enum authority_state state;
    } rows[] = {
        {"uploaded", false, -1, 365, AUTHORITY_UNVERIFIED},
        {"with a code", false, DAY, 365, AUTHORITY_CODE_ISSUED},
        {"with an old code", false, DAY + 1, 365, AUTHORITY_UNVERIFIED},
        {"verified", true, -1, 61, AUTHORITY_VERIFIED},
        {"verified, a new code", true, 0, 61, AUTHORITY_VERIFIED},
        {"near its end", true, -1, 59, AUTHORITY_EXPIRING},
        {"expired", true, -1, -1, AUTHORITY_EXPIRED},
        {"expired before it was verified", false, 0, -1, AUTHORITY_EXPIRED},
    };
    const instant now = 1767225600000;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct authority_row row = {
            .verified_at = rows[i].verified ? now : 0,
            .code = rows[i].code_age_s >= 0 ? SLICE("C0DE") : (slice){0},
            .code_at = now - rows[i].code_age_s * 1000,
        };
        const struct certificate_facts facts = {.not_after =
                                                    now + rows[i].days_left * DAY * 1000LL};

        if (authority_state_of(&row, &facts, now) != rows[i].state)
            fail_msg("%s: %s", rows[i].name,
                     authority_state_name(authority_state_of(&row, &facts, now)));
    }
    assert_int_equal(authority_state_of(NULL, NULL, now), AUTHORITY_EMPTY);
    assert_string_equal(authority_state_name(AUTHORITY_CODE_ISSUED), "codeIssued");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(P091_C068_slot_goes_from_empty_to_verified),
        TEST(C070_C077_what_is_refused_leaves_the_slot_as_it_was),
        TEST(C070_certificate_of_another_group_is_refused_of_the_other_slot_warned_of),
        TEST(C072_self_attestation_is_in_the_log),
        TEST(versions_guard_the_slot),
        TEST(only_groups_for_certificates_have_slots),
        TEST(disabled_or_deleted_group_takes_its_certificates_along),
        TEST(denials_are_checked_stored_and_taken_back),
        cmocka_unit_test(C075_states_follow_from_row_and_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
