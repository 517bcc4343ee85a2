#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>

#include "central/central_fixture.h"
#include "central/template/template.h"
#include "central/template/template_store.h"

#define MODEL(version, contents)                                                                   \
    "{\"@type\":[\"ModelDefinition\",\"DeviceModel\"],\"displayName\":\"Pump\","                   \
    "\"capabilityModel\":{\"@context\":\"dtmi:dtdl:context;2\",\"@id\":\"dtmi:test:pump;" version  \
    "\",\"@type\":\"Interface\",\"contents\":[" contents "]}}"
#define TELEMETRY(name, schema)                                                                    \
    "{\"@type\":\"Telemetry\",\"name\":\"" name "\",\"schema\":\"" schema "\"}"
#define WITH_ERROR MODEL("1", TELEMETRY("_x", "double"))

static int setup(void **state)
{
    struct fixture *f = fixture_create();

    central_fixture_open(f);
    fixture_start(f);
    *state = f;
    return 0;
}

/* --- calls that wait -------------------------------------------------------------------------- */

struct acting {
    struct fixture *f;
    enum template_act act;
    enum template_part part; /* to get, when `gets` */
    bool gets;
    struct template_request request;
    /* the answer */
    enum status status;
    char why[FAULT_TEXT_MAX], id[80], model_id[80], document[8192], error_path[80];
    int64_t version;
    bool published, has_draft, has_changes;
    size_t errors, breaking, additive;
    instant published_at, created_at;
    sem_t done;
};

static void keep(struct acting *a, enum status status, const struct template *t,
                 const struct fault *why)
{
    a->status = status;
    snprintf(a->why, sizeof a->why, "%s", why ? why->text : "");
    if (t) {
        fixture_keep(a->id, sizeof a->id, t->id);
        fixture_keep(a->model_id, sizeof a->model_id, t->model_id);
        fixture_keep(a->document, sizeof a->document, t->document);
        a->version = t->version;
        a->published = t->published;
        a->has_draft = t->draft_at != 0;
        a->published_at = t->published_at;
        a->created_at = t->created_at;
    }
}

static void on_template(void *context, enum status status, const struct template *t,
                        const struct fault *why)
{
    struct acting *a = context;

    keep(a, status, t, why);
    sem_post(&a->done);
}

static void on_done(void *context, enum status status, const struct template_result *r,
                    const struct fault *why)
{
    struct acting *a = context;

    keep(a, status, r->template, why);
    if (r->report) {
        a->errors = r->report->errors.count;
        if (a->errors > 0)
            fixture_keep(a->error_path, sizeof a->error_path, r->report->errors.list[0].path);
    }
    a->has_changes = r->changes != NULL;
    if (r->changes) {
        a->breaking = r->changes->breaking;
        a->additive = r->changes->additive;
    }
    sem_post(&a->done);
}

static void run(void *context)
{
    struct acting *a = context;

    if (a->gets)
        central_template_get(central_of(a->f), a->request.id, a->part, on_template, a);
    else
        central_template_act(central_of(a->f), a->act, &a->request, on_done, a);
}

static struct acting acts(struct acting a)
{
    sem_init(&a.done, 0, 0);
    fixture_post(a.f, 1, run, &a);
    fixture_wait(&a.done);
    return a;
}

static struct acting act(struct fixture *f, enum template_act act, const char *id,
                         const char *given)
{
    return acts((struct acting){
        .f = f, .act = act, .request = {.id = slice_str(id), .given = slice_str(given)}});
}

static struct acting act_at(struct fixture *f, enum template_act act, const char *id,
                            const char *given, int64_t version)
{
    return acts((struct acting){
        .f = f,
        .act = act,
        .request = {.id = slice_str(id), .given = slice_str(given), .version = version}});
}

static struct acting act_by_force(struct fixture *f, enum template_act act, const char *id,
                                  const char *given)
{
    return acts((struct acting){
        .f = f,
        .act = act,
        .request = {.id = slice_str(id), .given = slice_str(given), .force = true}});
}

static struct acting get(struct fixture *f, const char *id, enum template_part part)
{
    return acts((struct acting){.f = f, .gets = true, .part = part, .request.id = slice_str(id)});
}

static void expect(struct acting a, enum status status)
{
    if (a.status != status)
        fail_msg("%s instead of %s: %s", status_name(a.status), status_name(status), a.why);
}

/* The template that a device of that model gets at registration. */
static const char *template_of(struct fixture *f, const char *id, const char *model_id, char *to)
{
    char body[200];

    snprintf(body, sizeof body, "{\"payload\":{\"modelId\":\"%s\"}}", model_id);
    assert_int_equal(registering_run((struct registering){.f = f, .id = id, .body = body}).status,
                     ST_OK);
    snprintf(to, 160, "%s", fixture_device(f, id).template_id);
    return to;
}

/* --- drafts and publishing -------------------------------------------------------------------- */

static void C029_C036_C083_a_draft_counts_when_it_is_published(void **state)
{
    static const struct sql drafts = {
        "SELECT count(*) FROM template_document WHERE kind = 'draft'"};
    struct fixture *f = *state;
    struct acting a = act(f, TEMPLATE_PUT_DRAFT, "t", MODEL("1", TELEMETRY("x", "double")));
    char to[160];

    expect(a, ST_OK);
    assert_int_equal(a.version, 1);
    assert_true(a.has_draft);
    assert_false(a.published);
    assert_int_equal(get(f, "t", TEMPLATE_PUBLISHED).status, ST_NOT_FOUND);
    assert_string_equal(template_of(f, "dev-1", "dtmi:test:pump;1", to), "");

    a = act(f, TEMPLATE_PUBLISH, "t", "");
    expect(a, ST_OK);
    assert_int_equal(a.version, 2);
    assert_true(a.published && a.published_at > 0 && !a.has_draft);
    assert_int_equal(fixture_number(f, &drafts), 0);
    assert_string_equal(template_of(f, "dev-2", "dtmi:test:pump;1", to), "t");
    expect(act(f, TEMPLATE_PUBLISH, "t", ""), ST_NOT_FOUND);

    a = act(f, TEMPLATE_PUT_DRAFT, "t", MODEL("2", TELEMETRY("y", "double")));
    expect(a, ST_OK);
    assert_string_equal(a.model_id, "dtmi:test:pump;1");
    assert_non_null(strstr(get(f, "t", TEMPLATE_PUBLISHED).document, "\"x\""));
    assert_non_null(strstr(get(f, "t", TEMPLATE_DRAFT).document, "\"y\""));
    assert_string_equal(template_of(f, "dev-3", "dtmi:test:pump;2", to), "");

    expect(act(f, TEMPLATE_DROP_DRAFT, "t", ""), ST_OK);
    assert_int_equal(fixture_number(f, &drafts), 0);
    expect(get(f, "t", TEMPLATE_DRAFT), ST_NOT_FOUND);
    expect(act(f, TEMPLATE_DROP_DRAFT, "t", ""), ST_NOT_FOUND);
}

static void a_draft_may_have_errors_and_then_waits(void **state)
{
    struct fixture *f = *state;
    struct acting a = act(f, TEMPLATE_PUT_DRAFT, "t", WITH_ERROR);

    expect(a, ST_OK);
    assert_int_equal(a.errors, 1);
    assert_string_equal(a.error_path, "capabilityModel.contents[0].name");
    a = act(f, TEMPLATE_PUBLISH, "t", "");
    expect(a, ST_BAD_REQUEST);
    assert_int_equal(a.errors, 1);
    a = act(f, TEMPLATE_COMPARE, "t", "");
    expect(a, ST_OK);
    assert_false(a.has_changes);
    assert_int_equal(a.errors, 1);
    a = act(f, TEMPLATE_PUT, "u", WITH_ERROR);
    expect(a, ST_BAD_REQUEST);
    assert_int_equal(a.errors, 1);
    expect(get(f, "u", TEMPLATE_FACTS), ST_NOT_FOUND);
    expect(act(f, TEMPLATE_DROP_DRAFT, "t", ""), ST_NOT_FOUND);
    expect(act(f, TEMPLATE_DELETE, "t", ""), ST_OK);
    expect(get(f, "t", TEMPLATE_FACTS), ST_NOT_FOUND);
}

static void C087_put_publishes_and_makes_views(void **state)
{
    struct fixture *f = *state;
    struct acting a = act(f, TEMPLATE_PUT, "t", MODEL("1", TELEMETRY("x", "double")));

    expect(a, ST_OK);
    assert_true(a.published);
    assert_non_null(strstr(get(f, "t", TEMPLATE_VIEWS).document, "\"lineChart\""));
    expect(act(f, TEMPLATE_PUT_DRAFT, "t", MODEL("1", TELEMETRY("z", "double"))), ST_OK);
    a = act_by_force(f, TEMPLATE_PUT, "t", MODEL("1", TELEMETRY("y", "string")));
    expect(a, ST_OK);
    assert_true(a.has_draft);
    assert_null(strstr(get(f, "t", TEMPLATE_VIEWS).document, "\"lineChart\""));
    assert_non_null(strstr(get(f, "generic", TEMPLATE_VIEWS).document, "\"about\""));
}

static void C085_what_breaks_is_published_by_force_only(void **state)
{
    struct fixture *f = *state;
    struct acting a;

    expect(act(f, TEMPLATE_PUT, "t", MODEL("1", TELEMETRY("x", "double"))), ST_OK);
    a = act(f, TEMPLATE_PUT, "t", MODEL("1", TELEMETRY("y", "double")));
    expect(a, ST_CONFLICT);
    assert_int_equal(a.breaking, 1);
    assert_int_equal(a.additive, 1);
    expect(act(f, TEMPLATE_PUT, "t", MODEL("1", TELEMETRY("x", "double"))), ST_OK);
    expect(act(f, TEMPLATE_PUT, "t",
               MODEL("1", TELEMETRY("x", "double") "," TELEMETRY("y", "double"))),
           ST_OK);
    expect(act(f, TEMPLATE_PUT_DRAFT, "t", MODEL("1", TELEMETRY("x", "string"))), ST_OK);
    a = act(f, TEMPLATE_PUBLISH, "t", "");
    expect(a, ST_CONFLICT);
    assert_int_equal(a.breaking, 2);
    a = act_by_force(f, TEMPLATE_PUBLISH, "t", "");
    expect(a, ST_OK);
    assert_false(a.has_draft);
}

static void C085_publishing_is_compared_with_what_is_published(void **state)
{
    struct fixture *f = *state;
    struct acting a;

    expect(act(f, TEMPLATE_PUT, "t", MODEL("1", TELEMETRY("x", "double"))), ST_OK);
    expect(act(f, TEMPLATE_COMPARE, "t", ""), ST_NOT_FOUND);
    expect(act(f, TEMPLATE_PUT_DRAFT, "t",
               MODEL("1", TELEMETRY("x", "string") "," TELEMETRY("y", "long"))),
           ST_OK);
    a = act(f, TEMPLATE_COMPARE, "t", "");
    expect(a, ST_OK);
    assert_int_equal(a.breaking, 1);
    assert_int_equal(a.additive, 1);
    assert_int_equal(a.version, 2);
    expect(act(f, TEMPLATE_PUT_DRAFT, "new", MODEL("1", TELEMETRY("x", "double"))), ST_OK);
    a = act(f, TEMPLATE_COMPARE, "new", "");
    assert_true(a.has_changes);
    assert_int_equal(a.breaking + a.additive, 0);
}

static void a_patch_changes_what_is_published(void **state)
{
    struct fixture *f = *state;
    struct acting a;

    expect(act(f, TEMPLATE_PATCH, "t", "{}"), ST_NOT_FOUND);
    expect(act(f, TEMPLATE_PUT, "t", MODEL("1", TELEMETRY("x", "double"))), ST_OK);
    a = act(f, TEMPLATE_PATCH, "t", "{\"displayName\":\"Other\",\"etag\":\"1\"}");
    expect(a, ST_OK);
    assert_non_null(strstr(a.document, "\"displayName\":\"Other\""));
    assert_null(strstr(a.document, "etag"));
    expect(act(f, TEMPLATE_PATCH, "t", "{\"displayName\":\"Again\",\"etag\":\"1\"}"),
           ST_PRECONDITION_FAILED);
    expect(act(f, TEMPLATE_PATCH, "t", "{\"capabilityModel\":{\"contents\":[]}}"), ST_BAD_REQUEST);
    expect(act(f, TEMPLATE_PATCH, "t", "{\"capabilityModel\":null}"), ST_BAD_REQUEST);
    expect(act(f, TEMPLATE_PATCH, "t", "{"), ST_BAD_REQUEST);
    assert_non_null(strstr(get(f, "t", TEMPLATE_PUBLISHED).document, "Other"));
}

/* --- versions --------------------------------------------------------------------------------- */

static void C112_another_version_is_refused(void **state)
{
    static const char model[] = MODEL("1", TELEMETRY("x", "double"));
    struct fixture *f = *state;

    expect(act_at(f, TEMPLATE_PUT, "t", model, 1), ST_PRECONDITION_FAILED);
    expect(act(f, TEMPLATE_PUT, "t", model), ST_OK);
    expect(act_at(f, TEMPLATE_PUT, "t", model, 1), ST_OK);
    expect(act_at(f, TEMPLATE_PUT, "t", model, 1), ST_PRECONDITION_FAILED);
    expect(act_at(f, TEMPLATE_PUT_DRAFT, "t", model, 1), ST_PRECONDITION_FAILED);
    expect(act_at(f, TEMPLATE_DELETE, "t", "", 1), ST_PRECONDITION_FAILED);
    assert_int_equal(get(f, "t", TEMPLATE_FACTS).version, 2);
    expect(act_at(f, TEMPLATE_DELETE, "t", "", 2), ST_OK);
}

/* Two people who know the same version: one of them is first. */
static void of_two_changes_at_once_one_is_refused(void **state)
{
    static const char model[] = MODEL("1", TELEMETRY("x", "double"));
    struct fixture *f = *state;

    expect(act(f, TEMPLATE_PUT, "t", model), ST_OK);
    for (int64_t version = 1; version <= 50; version++) {
        struct acting both[FIXTURE_WORKERS];
        unsigned done = 0;

        for (unsigned i = 0; i < FIXTURE_WORKERS; i++) {
            both[i] = (struct acting){
                .f = f,
                .act = TEMPLATE_PUT,
                .request = {.id = SLICE("t"), .given = slice_str(model), .version = version}};
            sem_init(&both[i].done, 0, 0);
        }
        for (unsigned i = 0; i < FIXTURE_WORKERS; i++)
            fixture_post(f, i, run, &both[i]);
        for (unsigned i = 0; i < FIXTURE_WORKERS; i++) {
            fixture_wait(&both[i].done);
            done += both[i].status == ST_OK;
        }
        assert_int_equal(done, 1);
        assert_int_equal(get(f, "t", TEMPLATE_FACTS).version, version + 1);
    }
}

static void C084_a_new_version_is_a_template_of_its_own(void **state)
{
    struct fixture *f = *state;
    struct acting a;
    char to[160];

    expect(act(f, TEMPLATE_NEW_VERSION, "dtmi:t;1", ""), ST_NOT_FOUND);
    expect(act(f, TEMPLATE_PUT, "dtmi:t;1", MODEL("1", TELEMETRY("x", "double"))), ST_OK);
    assert_string_equal(template_of(f, "dev-1", "dtmi:test:pump;1", to), "dtmi:t;1");
    a = act(f, TEMPLATE_NEW_VERSION, "dtmi:t;1", "");
    expect(a, ST_OK);
    assert_string_equal(a.id, "dtmi:t;2");
    assert_string_equal(a.model_id, "dtmi:test:pump;2");
    assert_int_equal(a.version, 1);
    assert_true(a.has_draft && !a.published);
    assert_non_null(strstr(get(f, "dtmi:t;2", TEMPLATE_DRAFT).document, "\"@id\":\"dtmi:t;2\""));
    assert_int_equal(get(f, "dtmi:t;1", TEMPLATE_FACTS).version, 1);
    expect(act(f, TEMPLATE_NEW_VERSION, "dtmi:t;1", ""), ST_CONFLICT);
    expect(act(f, TEMPLATE_PUBLISH, "dtmi:t;2", ""), ST_OK);
    expect(act(f, TEMPLATE_DELETE, "dtmi:t;2", ""), ST_OK);
    a = acts((struct acting){.f = f,
                             .act = TEMPLATE_NEW_VERSION,
                             .request = {.id = SLICE("dtmi:t;1"),
                                         .new_id = SLICE("mine"),
                                         .new_model_id = SLICE("dtmi:mine;1"),
                                         .new_display_name = SLICE("Mine")}});
    expect(a, ST_OK);
    assert_string_equal(a.model_id, "dtmi:mine;1");
    assert_non_null(strstr(a.document, "\"displayName\":\"Mine\""));
}

/* --- deleting, associating -------------------------------------------------------------------- */

static void a_template_stays_while_devices_have_it(void **state)
{
    static const struct sql documents = {
        "SELECT count(*) FROM template_document WHERE template_id = 't'"};
    struct fixture *f = *state;
    struct acting a;
    char to[160];

    expect(act(f, TEMPLATE_DELETE, "generic", ""), ST_CONFLICT);
    expect(act(f, TEMPLATE_DELETE, "t", ""), ST_NOT_FOUND);
    expect(act(f, TEMPLATE_PUT, "t", MODEL("1", "")), ST_OK);
    expect(act(f, TEMPLATE_PUT_DRAFT, "t", MODEL("1", "")), ST_OK);
    template_of(f, "dev-1", "dtmi:test:pump;1", to);
    a = act(f, TEMPLATE_DELETE, "t", "");
    expect(a, ST_CONFLICT);
    assert_string_equal(a.why, "devices have this template");
    assert_int_equal(
        fixture_edit(f, "dev-1",
                     (struct device_change){.set = DEVICE_SET_TEMPLATE,
                                            .to = {.template_id = SLICE(""), .now = 1}}),
        ST_OK);
    assert_int_equal(fixture_number(f, &documents), 3);
    expect(act(f, TEMPLATE_DELETE, "t", ""), ST_OK);
    assert_int_equal(fixture_number(f, &documents), 0);
}

static void of_several_templates_of_a_model_the_latest_is_taken(void **state)
{
    struct fixture *f = *state;
    char to[160];

    expect(act(f, TEMPLATE_PUT, "b", MODEL("1", "")), ST_OK);
    while (clock_wall_ms() <= get(f, "b", TEMPLATE_FACTS).published_at)
        continue;
    expect(act(f, TEMPLATE_PUT, "a", MODEL("1", "")), ST_OK);
    assert_string_equal(template_of(f, "dev-1", "dtmi:test:pump;1", to), "a");
    assert_string_equal(template_of(f, "dev-2", "b", to), "b");
}

static enum status guarded(struct fixture *f, const char *id)
{
    struct unit *unit = unit_create(f->st);
    enum status status;

    template_unit_guard(unit, slice_str(id));
    status = unit_run(unit);
    unit_destroy(unit);
    return status;
}

static void a_guard_holds_back_units_of_work_of_a_template_that_is_gone(void **state)
{
    struct fixture *f = *state;

    expect(act(f, TEMPLATE_PUT_DRAFT, "draft", MODEL("1", "")), ST_OK);
    assert_int_equal(guarded(f, "generic"), ST_OK);
    assert_int_equal(guarded(f, "draft"), ST_CONFLICT);
    assert_int_equal(guarded(f, "gone"), ST_CONFLICT);
}

/* --- large documents -------------------------------------------------------------------------- */

/* They are read on the pool: the same is to come of it. */
static void a_large_document_is_put_and_published(void **state)
{
    static const char model[] = MODEL("1", TELEMETRY("x", "double"));
    struct buf BUF_CLEANUP text = {.max = 1024 * 1024};
    struct fixture *f = *state;
    struct acting a;

    buf_append_str(&text, "{\"x\":\"");
    for (int i = 0; i < 400 * 1024; i++)
        buf_append_byte(&text, 'x');
    buf_append_str(&text, "\",");
    buf_append_str(&text, &model[1]);
    buf_append_byte(&text, 0);
    expect(act(f, TEMPLATE_PUT_DRAFT, "t", (const char *)text.ptr), ST_OK);
    a = act(f, TEMPLATE_PUBLISH, "t", "");
    expect(a, ST_OK);
    assert_string_equal(a.model_id, "dtmi:test:pump;1");
    expect(act(f, TEMPLATE_PUT_DRAFT, "t", MODEL("1", "")), ST_OK);
    assert_int_equal(act(f, TEMPLATE_COMPARE, "t", "").breaking, 1);
}

static void template_ids_are_checked(void **state)
{
    struct fixture *f = *state;

    expect(act(f, TEMPLATE_PUT, "", MODEL("1", "")), ST_BAD_REQUEST);
    expect(act(f, TEMPLATE_PUT, "a\nb", MODEL("1", "")), ST_BAD_REQUEST);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, central_fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(C029_C036_C083_a_draft_counts_when_it_is_published),
        TEST(a_draft_may_have_errors_and_then_waits),
        TEST(C087_put_publishes_and_makes_views),
        TEST(C085_what_breaks_is_published_by_force_only),
        TEST(C085_publishing_is_compared_with_what_is_published),
        TEST(a_patch_changes_what_is_published),
        TEST(C112_another_version_is_refused),
        TEST(of_two_changes_at_once_one_is_refused),
        TEST(C084_a_new_version_is_a_template_of_its_own),
        TEST(a_template_stays_while_devices_have_it),
        TEST(of_several_templates_of_a_model_the_latest_is_taken),
        TEST(a_guard_holds_back_units_of_work_of_a_template_that_is_gone),
        TEST(a_large_document_is_put_and_published),
        TEST(template_ids_are_checked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
