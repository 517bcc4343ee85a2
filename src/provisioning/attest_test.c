#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>

#include "codec/sas.h"
#include "provisioning/attest.h"

#define NOW_S 1893456000

/* Vector G64 of contract/provisioning.md 1.8: bytes 00..3f; others count on from another first. */
static struct secret key_from(uint8_t first, size_t len)
{
    struct secret key = {.len = len};

    for (size_t i = 0; i < len; i++)
        key.bytes[i] = (uint8_t)(first + i);
    return key;
}

struct world {
    struct enrollment groups[3], individual;
    struct enrollment_cache cache;
    struct buf token;
};

static int setup(void **state)
{
    static struct world w;

    w = (struct world){.token = {.max = 4096}};
    for (uint8_t i = 0; i < 3; i++) {
        w.groups[i] = (struct enrollment){.kind = ENROLLMENT_GROUP,
                                          .enabled = true,
                                          .primary = key_from((uint8_t)(i * 64), 64),
                                          .secondary = key_from((uint8_t)(i * 64 + 7), 64)};
    }
    w.groups[0].id = SLICE("g0");
    w.groups[1].id = SLICE("g1");
    w.groups[2].id = SLICE("g2");
    w.cache = (struct enrollment_cache){.version = 1, .groups = w.groups, .count = 3};
    w.individual = (struct enrollment){.kind = ENROLLMENT_INDIVIDUAL,
                                       .id = SLICE("dev-001"),
                                       .primary = key_from(100, 32),
                                       .secondary = key_from(150, 32)};
    *state = &w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    buf_deinit(&w->token);
    return 0;
}

static struct attest_input input(struct world *w, slice id, slice token)
{
    return (struct attest_input){
        .id_scope = SLICE("0ne00AB12CD"),
        .registration_id = id,
        .sas_token = token,
        .now = (instant)NOW_S * 1000,
        .tolerance_s = 300,
        .groups = &w->cache,
    };
}

static slice sign(struct world *w, const char *resource, const struct secret *key, int64_t expiry)
{
    buf_clear(&w->token);
    sas_token_write(slice_str(resource), secret_slice(key), expiry, SLICE("registration"),
                    &w->token);
    return buf_slice(&w->token);
}

#define SR "0ne00AB12CD/registrations/dev-001"
#define VECTOR(sr, sig) "SharedAccessSignature sr=" sr "&sig=" sig "&se=1893456000"

static void P001_P002_P003_vectors_of_one_device_all_pass(void **state)
{
    static const char *const tokens[] = {
        VECTOR("0ne00AB12CD/registrations/dev-001",
               "dBsNh8d85t3hdja%2FheBeoXHycYU29DeGCeo3MEBrvDU%3D"),
        VECTOR("0ne00AB12CD%2Fregistrations%2Fdev-001",
               "EEpY887XudeVTfj7Ejh9jLcZcEvzbiSGnYg7USlBIjE%3D") "&skn=",
        VECTOR("0ne00AB12CD%2fregistrations%2fdev-001",
               "DakekyiUlDks8f9IG80982ZdI%2f4a6KJrD0GHQTgz3MI%3d") "&skn=registration",
        VECTOR("0ne00ab12cd%2fregistrations%2fdev-001",
               "yMoRaGttNLqrPfCGVxkQ6K8PzgApG%2fS8SbltAhuUhC8%3d"),
    };
    struct world *w = *state;
    struct fault why = {0};

    for (size_t i = 0; i < COUNT_OF(tokens); i++) {
        struct attest_input in = input(w, SLICE("dev-001"), slice_str(tokens[i]));
        struct attested who = {0};

        if (attest(&in, NULL, &who, &why) != ST_OK)
            fail_msg("S%zu: %s", i + 3, why.text);
        assert_ptr_equal(who.enrollment, &w->groups[0]);
    }
}

static void P005_P006_P007_keys_derive_from_either_spelling_and_either_key(void **state)
{
    static const struct {
        const char *name, *signed_for, *id;
        bool secondary;
        enum status status;
    } rows[] = {
        {"as presented, lower", "dev-001", "dev-001", false, ST_OK},
        {"as presented, mixed", "Dev-001", "Dev-001", false, ST_OK},
        {"lower-case derivation, mixed ID", "dev-001", "DEV-001", false, ST_OK},
        {"secondary key", "dev-001", "dev-001", true, ST_OK},
        {"secondary key, lower-case derivation", "dev-001", "Dev-001", true, ST_OK},
        {"derived from upper, presented lower", "DEV-001", "dev-001", false, ST_UNAUTHORIZED},
        {"another device's key", "dev-002", "dev-001", false, ST_UNAUTHORIZED},
    };
    struct world *w = *state;
    struct fault why;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct enrollment *g = &w->groups[2];
        struct secret key, want;
        struct attested who = {0};
        char resource[64];

        snprintf(resource, sizeof resource, "0ne00AB12CD/registrations/%s", rows[i].id);
        derive_device_key(rows[i].secondary ? &g->secondary : &g->primary,
                          slice_str(rows[i].signed_for), &key);
        struct attest_input in =
            input(w, slice_str(rows[i].id), sign(w, resource, &key, NOW_S + 60));
        if (attest(&in, NULL, &who, &why) != rows[i].status)
            fail_msg("%s: %s", rows[i].name, why.text);
        if (rows[i].status != ST_OK)
            continue;
        assert_ptr_equal(who.enrollment, g);
        derive_device_key(&g->primary, slice_str(rows[i].signed_for), &want);
        assert_memory_equal(who.primary.bytes, want.bytes, 32);
    }
}

static void P008_P009_tokens_for_something_else_or_too_old_are_refused(void **state)
{
    static const struct {
        const char *name, *resource;
        int64_t expiry;
        enum status status;
    } rows[] = {
        {"inside the tolerance", SR, NOW_S - 300, ST_OK},
        {"past the tolerance", SR, NOW_S - 301, ST_UNAUTHORIZED},
        {"scope in another case", "0NE00ab12cd/registrations/DEV-001", NOW_S, ST_OK},
        {"another registration", "0ne00AB12CD/registrations/dev-0011", NOW_S, ST_UNAUTHORIZED},
        {"a prefix inside a segment", "0ne00AB12CD/registrations/dev-00", NOW_S, ST_UNAUTHORIZED},
        {"another scope", "0ne00AB12CE/registrations/dev-001", NOW_S, ST_UNAUTHORIZED},
        {"the scope alone", "0ne00AB12CD", NOW_S, ST_UNAUTHORIZED},
        {"all registrations", "0ne00AB12CD/registrations", NOW_S, ST_UNAUTHORIZED},
        {"a hub's token", "0ne00AB12CD/devices/dev-001", NOW_S, ST_UNAUTHORIZED},
        {"a segment more", SR "/x", NOW_S, ST_UNAUTHORIZED},
    };
    struct world *w = *state;
    struct secret key;
    struct fault why;

    derive_device_key(&w->groups[0].primary, SLICE("dev-001"), &key);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct attest_input in =
            input(w, SLICE("dev-001"), sign(w, rows[i].resource, &key, rows[i].expiry));
        struct attested who = {0};

        if (attest(&in, NULL, &who, &why) != rows[i].status)
            fail_msg("%s: %s", rows[i].name, why.text);
    }
}

static void P067_C023_individual_enrollment_decides_before_any_group(void **state)
{
    struct world *w = *state;
    struct secret derived;
    struct attested who = {0};
    struct fault why;

    derive_device_key(&w->groups[0].primary, SLICE("dev-001"), &derived);
    struct attest_input in = input(w, SLICE("dev-001"), sign(w, SR, &derived, NOW_S));
    in.individual = &w->individual;
    in.remembered_group = SLICE("g0");
    assert_int_equal(attest(&in, NULL, &who, &why), ST_UNAUTHORIZED);

    in.sas_token = sign(w, SR, &w->individual.secondary, NOW_S);
    assert_int_equal(attest(&in, NULL, &who, &why), ST_OK);
    assert_ptr_equal(who.enrollment, &w->individual);
    assert_int_equal(who.secondary.len, 32);
    assert_memory_equal(who.secondary.bytes, w->individual.secondary.bytes, 32);
}

static void individual_enrollment_of_another_attestation_takes_no_key(void **state)
{
    struct world *w = *state;
    struct attested who = {0};
    struct fault why;

    w->individual.attestation = ATTEST_X509;
    struct attest_input in = input(w, SLICE("dev-001"), sign(w, SR, &w->individual.primary, NOW_S));
    in.individual = &w->individual;
    assert_int_equal(attest(&in, NULL, &who, &why), ST_UNAUTHORIZED);
}

static void empty_keys_sign_for_nobody(void **state)
{
    const struct secret none = {0};
    struct world *w = *state;
    struct attested who = {0};
    struct fault why;

    secret_wipe(&w->individual.primary);
    secret_wipe(&w->individual.secondary);
    struct attest_input in = input(w, SLICE("dev-001"), sign(w, SR, &none, NOW_S));
    in.individual = &w->individual;
    assert_int_equal(attest(&in, NULL, &who, &why), ST_UNAUTHORIZED);
}

static void group_for_certificates_derives_no_key(void **state)
{
    const struct secret none = {0};
    struct world *w = *state;
    struct secret derived, primary, secondary;
    struct attested who = {0};
    struct fault why;

    derive_device_key(&none, SLICE("dev-001"), &derived);
    w->groups[1].attestation = ATTEST_X509;
    w->groups[1].primary = w->groups[1].secondary = none;
    struct attest_input in = input(w, SLICE("dev-001"), sign(w, SR, &derived, NOW_S));
    assert_int_equal(attest(&in, NULL, &who, &why), ST_UNAUTHORIZED);
    in.remembered_group = SLICE("g1");
    assert_int_equal(attest(&in, NULL, &who, &why), ST_UNAUTHORIZED);
    enrollment_device_keys(&w->groups[1], SLICE("dev-001"), &primary, &secondary);
    assert_int_equal(primary.len + secondary.len, 0);
}

static void trace_names_every_step_and_the_first_that_fails(void **state)
{
    static const struct {
        const char *name, *resource;
        int64_t expiry;
        bool individual, wrong_key;
        size_t count;
        enum step last;
    } rows[] = {
        {"by a group", SR, NOW_S, false, false, 5, STEP_KEY},
        {"of another device", "0ne00AB12CD/registrations/x", NOW_S, false, false, 2,
         STEP_TOKEN_RESOURCE},
        {"too old", SR, NOW_S - 301, false, false, 3, STEP_TOKEN_EXPIRY},
        {"by no key", SR, NOW_S, false, true, 5, STEP_KEY},
        {"by the group, past the individual enrollment", SR, NOW_S, true, false, 5, STEP_KEY},
    };
    struct world *w = *state;
    struct secret key;
    struct fault why;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct attested who = {0};
        struct trace trace;

        trace_begin(&trace);
        derive_device_key(&w->groups[0].primary, rows[i].wrong_key ? SLICE("x") : SLICE("dev-001"),
                          &key);
        struct attest_input in =
            input(w, SLICE("dev-001"), sign(w, rows[i].resource, &key, rows[i].expiry));
        in.individual = rows[i].individual ? &w->individual : NULL;
        if ((attest(&in, &trace, &who, &why) == ST_OK) == trace_failed(&trace) ||
            trace.count != rows[i].count || trace.steps[trace.count - 1].step != rows[i].last)
            fail_msg("%s: %zu steps, %s", rows[i].name, trace.count, why.text);
    }
}

static void text_that_is_no_token_is_refused(void **state)
{
    struct world *w = *state;
    struct attested who = {0};
    struct fault why;
    struct attest_input in = input(w, SLICE("dev-001"), SLICE("SharedAccessSignature sr=x"));

    assert_int_equal(attest(&in, NULL, &who, &why), ST_UNAUTHORIZED);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(P001_P002_P003_vectors_of_one_device_all_pass),
        TEST(P005_P006_P007_keys_derive_from_either_spelling_and_either_key),
        TEST(P008_P009_tokens_for_something_else_or_too_old_are_refused),
        TEST(P067_C023_individual_enrollment_decides_before_any_group),
        TEST(individual_enrollment_of_another_attestation_takes_no_key),
        TEST(empty_keys_sign_for_nobody),
        TEST(group_for_certificates_derives_no_key),
        TEST(trace_names_every_step_and_the_first_that_fails),
        TEST(text_that_is_no_token_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
