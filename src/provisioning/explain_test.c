#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/metrics.h"
#include "provisioning/authority_testing.h"

struct world {
    struct fixture *f;
    struct made root, leaf, stray;
};

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    struct fixture *f = fixture_create();

    assert_non_null(w);
    f->view.auto_approve = true;
    fixture_open(f, true, 1);
    w->f = f;
    w->root = make_authority("Root", NULL, clock_wall_ms());
    w->leaf = make_leaf("dev-001", &w->root, clock_wall_ms());
    w->stray = make_leaf("dev-001", NULL, clock_wall_ms());
    fixture_group(f, "Plant", &w->root);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    made_free(&w->root);
    made_free(&w->leaf);
    made_free(&w->stray);
    fixture_close(w->f);
    fixture_remove(w->f);
    free(w);
    return 0;
}

static struct explained explains_token(struct fixture *f, const char *id, const struct secret *key,
                                       slice asked)
{
    const struct registering g = {.f = f, .id = id, .key = key};
    BUF_CLEANUP struct buf token = {.max = 4096};

    fixture_token(&g, &token);
    return fixture_explain(
        f, (struct registration_request){.sas_token = buf_slice(&token), .registration_id = asked});
}

static struct explained explains(struct fixture *f, const struct made *leaf, slice asked)
{
    return fixture_explain(f, (struct registration_request){.certificate = leaf->certificate,
                                                            .registration_id = asked});
}

static void certificate_is_explained_as_it_is_judged(void **state)
{
    struct world *w = *state;
    struct explained e = explains(w->f, &w->leaf, (slice){0});
    struct answered a;

    assert_int_equal(e.call, ST_OK);
    assert_int_equal(e.status, ST_OK);
    assert_string_equal(e.id, "dev-001");
    assert_string_equal(e.enrollment, "Plant");
    assert_int_equal(e.kind, ENROLLMENT_GROUP);
    assert_non_null(strstr(e.steps, "\"common name\""));
    assert_non_null(strstr(e.steps, "\"hub\""));
    assert_int_equal(fixture_device_count(w->f), 0);
    a = registering_run(
        (struct registering){.f = w->f, .id = "dev-001", .certificate = w->leaf.certificate});
    assert_int_equal(a.state, REG_ASSIGNED);
    assert_string_equal(fixture_attempt(w->f, "dev-001").steps, e.steps);
}

static void token_is_explained_as_it_is_judged(void **state)
{
    struct world *w = *state;
    struct explained e = explains_token(w->f, "dev-002", NULL, (slice){0});

    assert_int_equal(e.status, ST_OK);
    assert_string_equal(e.id, "dev-002");
    assert_string_equal(e.enrollment, "SAS-IoT-Devices");
    assert_int_equal(registers(w->f, "dev-002").state, REG_ASSIGNED);
    assert_string_equal(fixture_attempt(w->f, "dev-002").steps, e.steps);
}

static void refusal_is_explained_with_the_step_that_failed(void **state)
{
    const struct secret wrong = {.len = 32};
    struct world *w = *state;
    struct fixture *f = w->f;
    struct explained e;

    e = explains(f, &w->stray, (slice){0});
    assert_int_equal(e.status, ST_UNAUTHORIZED);
    assert_non_null(strstr(e.steps, "{\"step\":\"path\",\"passed\":false"));
    assert_string_equal(e.enrollment, "");
    e = explains(f, &w->leaf, SLICE("dev-009"));
    assert_int_equal(e.status, ST_UNAUTHORIZED);
    assert_non_null(strstr(e.steps,
                           "{\"step\":\"common name\",\"passed\":false,\"expected\":\"dev-009\","
                           "\"received\":\"dev-001\",\"fix\":\""));
    e = explains_token(f, "dev-002", &wrong, (slice){0});
    assert_int_equal(e.status, ST_UNAUTHORIZED);
    assert_non_null(strstr(e.steps, "{\"step\":\"key\",\"passed\":false"));
    e = explains_token(f, "dev-002", NULL, SLICE("dev-003"));
    assert_non_null(strstr(e.steps, "{\"step\":\"token resource\",\"passed\":false"));
    e = fixture_explain(f, (struct registration_request){.sas_token = SLICE("nonsense")});
    assert_int_equal(e.call, ST_OK);
    assert_int_equal(e.status, ST_BAD_REQUEST);
    assert_non_null(strstr(e.steps, "{\"step\":\"registration ID\",\"passed\":false"));
    e = fixture_explain(f, (struct registration_request){.registration_id = SLICE("dev-001")});
    assert_non_null(strstr(e.steps, "{\"step\":\"credential\",\"passed\":false"));
}

static void gate_is_explained_too(void **state)
{
    struct world *w = *state;
    struct explained e;

    w->f->view.auto_approve = false;
    e = explains(w->f, &w->leaf, (slice){0});
    assert_int_equal(e.status, ST_REFUSED);
    assert_string_equal(e.reason, "waiting for approval");
    assert_string_equal(e.enrollment, "Plant");
    assert_non_null(strstr(e.steps, "{\"step\":\"approval\",\"passed\":false"));
    fixture_put_group(w->f, "Plant", false, 1);
    e = explains(w->f, &w->leaf, (slice){0});
    assert_string_equal(e.reason, "its enrollment group is disabled");
    assert_non_null(strstr(e.steps, "{\"step\":\"enrollment\",\"passed\":false"));
}

static void explaining_writes_nothing_and_uses_up_no_share(void **state)
{
    static const struct sql attempts_sql = {"SELECT count(*) FROM attempt"};
    static const struct sql records_sql = {"SELECT count(*) FROM registration"};
    const struct secret wrong = {.len = 32};
    struct world *w = *state;
    struct fixture *f = w->f;
    int64_t assigned = metric_value(METRIC_REGISTRATIONS_ASSIGNED);
    int64_t unauthorized = metric_value(METRIC_REGISTRATIONS_UNAUTHORIZED);

    for (int i = 0; i < 5; i++) {
        assert_int_equal(explains_token(f, "dev-002", NULL, (slice){0}).status, ST_OK);
        assert_int_equal(explains_token(f, "dev-002", &wrong, (slice){0}).status, ST_UNAUTHORIZED);
    }
    assert_int_equal(metric_value(METRIC_REGISTRATIONS_ASSIGNED), assigned);
    assert_int_equal(metric_value(METRIC_REGISTRATIONS_UNAUTHORIZED), unauthorized);
    assert_int_equal(registers(f, "dev-002").status, ST_OK);
    assert_int_equal(registers(f, "dev-002").status, ST_THROTTLED);
    assert_int_equal(fixture_number(f, &attempts_sql), 1);
    assert_int_equal(fixture_number(f, &records_sql), 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(certificate_is_explained_as_it_is_judged),
        TEST(token_is_explained_as_it_is_judged),
        TEST(refusal_is_explained_with_the_step_that_failed),
        TEST(gate_is_explained_too),
        TEST(explaining_writes_nothing_and_uses_up_no_share),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
