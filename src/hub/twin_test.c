#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "hub/hub_fixture.h"
#include "hub/twin_store.h"

/* --- the service's side --------------------------------------------------------------------- */

struct asking {
    struct fixture *f;
    const char *device_id, *module_id;
    struct twin_update update;
    bool is_update;
    int done;
    enum status status;
    struct twin twin; /* numbers only */
    char tags[2048], desired[2048], reported[2048], metadata[4096], cause[FAULT_TEXT_MAX];
};

static void on_twin(void *context, enum status status, const struct twin *t,
                    const struct fault *why)
{
    struct asking *a = context;

    fixture_lock(a->f);
    a->status = status;
    if (t) {
        a->twin = *t;
        snprintf(a->tags, sizeof a->tags, "%.*s", SLICE_FMT(t->tags));
        snprintf(a->desired, sizeof a->desired, "%.*s", SLICE_FMT(t->desired));
        snprintf(a->reported, sizeof a->reported, "%.*s", SLICE_FMT(t->reported));
        snprintf(a->metadata, sizeof a->metadata, "%.*s", SLICE_FMT(t->desired_metadata));
    } else {
        snprintf(a->cause, sizeof a->cause, "%s", why->text);
    }
    a->done++;
    fixture_unlock(a->f);
}

static void ask_now(void *context)
{
    struct asking *a = context;
    slice device = slice_str(a->device_id), module = slice_str(a->module_id);

    if (a->is_update)
        twin_update(a->f->hub, FIXTURE_HUB->name, device, module, &a->update, on_twin, a);
    else
        twin_get(a->f->hub, FIXTURE_HUB->name, device, module, on_twin, a);
}

static void ask(struct asking *a, struct fixture *f, unsigned worker)
{
    a->f = f;
    if (!a->device_id)
        a->device_id = "d1";
    if (!a->module_id)
        a->module_id = "";
    a->done = 0;
    fixture_on_worker(f, worker, ask_now, a);
    fixture_wait(f, &a->done, 1, "twin");
}

static struct asking get(struct fixture *f)
{
    struct asking a = {0};

    ask(&a, f, 0);
    assert_int_equal(a.status, ST_OK);
    return a;
}

static struct asking update(struct fixture *f, const char *tags, const char *desired, bool replace)
{
    struct asking a = {
        .is_update = true,
        .update = {.tags = slice_str(tags), .desired = slice_str(desired), .replace = replace},
    };

    ask(&a, f, 1);
    return a;
}

/* --- the device's side ---------------------------------------------------------------------- */

struct reporting {
    struct peer *peer;
    const char *const *patches;
    int count;
    bool has_base;
    int64_t base;
    int done;
    enum status status[256];
    int64_t version[256];
};

static void on_reported(void *context, uint64_t token, enum status status, int64_t version,
                        const struct fault *why)
{
    struct reporting *r = context;

    (void)why;
    fixture_lock(r->peer->f);
    assert_int_equal(token, r->done);
    r->status[r->done] = status;
    r->version[r->done++] = version;
    fixture_unlock(r->peer->f);
}

static void report_now(void *context)
{
    struct reporting *r = context;

    for (int i = 0; i < r->count; i++)
        twin_report(&r->peer->session, slice_str(r->patches[i]), r->has_base, r->base, on_reported,
                    r, (uint64_t)i);
}

static void report(struct reporting *r)
{
    fixture_on_worker(r->peer->f, r->peer->worker, report_now, r);
    fixture_wait(r->peer->f, &r->done, r->count, "reports");
}

static void on_document(void *context, enum status status, slice document)
{
    struct peer *p = context;

    fixture_lock(p->f);
    assert_int_equal(status, ST_OK);
    snprintf(p->text, sizeof p->text, "%.*s", SLICE_FMT(document));
    p->documents++;
    fixture_unlock(p->f);
}

static void document_now(void *context)
{
    struct peer *p = context;

    twin_read(&p->session, on_document, p);
}

static const char *document(struct peer *p)
{
    int before = p->documents;

    fixture_on_worker(p->f, p->worker, document_now, p);
    fixture_wait(p->f, &p->documents, before + 1, "document");
    return p->text;
}

/* --- tests: reading and the service's changes ----------------------------------------------- */

static void H072_fresh_twin_has_versions_and_nothing_else(void **state)
{
    struct fixture *f = *state;
    struct peer *p;
    struct asking a;

    fixture_add_identity(f, "d1", "");
    p = peer_open(f, 0, "d1");
    assert_string_equal(document(p),
                        "{\"desired\":{\"$version\":1},\"reported\":{\"$version\":1}}");
    a = get(f);
    assert_int_equal(a.twin.version, 1);
    assert_int_equal(a.twin.desired_version, 1);
    assert_int_equal(a.twin.reported_version, 1);
    assert_int_equal(a.twin.desired_at, 0);
    assert_string_equal(a.tags, "{}");
    peer_close(p);
}

static void twin_of_no_identity_is_not_found(void **state)
{
    static const struct {
        const char *device_id, *module_id;
        enum status status;
    } rows[] = {{"none", "", ST_DEVICE_NOT_FOUND}, {"d1", "none", ST_MODULE_NOT_FOUND}};
    struct fixture *f = *state;

    fixture_add_identity(f, "d1", "");
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct asking a = {.device_id = rows[i].device_id, .module_id = rows[i].module_id};

        ask(&a, f, 0);
        if (a.status != rows[i].status)
            fail_msg("%s/%s: %s", rows[i].device_id, rows[i].module_id, status_name(a.status));
    }
}

static void H139_versions_and_etag_grow_with_each_change_of_their_own(void **state)
{
    static const struct {
        const char *name, *tags, *desired;
        bool replace;
        int64_t version, desired_version;
        const char *is_tags, *is_desired;
    } rows[] = {
        {"desired", "", "{\"a\":1,\"b\":{\"c\":23.10}}", false, 2, 2, "{}",
         "{\"a\":1,\"b\":{\"c\":23.10}}"},
        {"tags", "{\"t\":\"x\"}", "", false, 3, 2, "{\"t\":\"x\"}",
         "{\"a\":1,\"b\":{\"c\":23.10}}"},
        {"both", "{\"t\":null}", "{\"a\":null}", false, 4, 3, "{}", "{\"b\":{\"c\":23.10}}"},
        {"empty objects", "{}", "{}", false, 4, 3, "{}", "{\"b\":{\"c\":23.10}}"},
        {"the same again", "", "{\"b\":{\"c\":23.10}}", false, 5, 4, "{}", "{\"b\":{\"c\":23.10}}"},
        {"replaced", "{\"u\":1}", "{\"d\":true}", true, 6, 5, "{\"u\":1}", "{\"d\":true}"},
        {"cleared", "null", "null", false, 7, 6, "{}", "{}"},
    };
    struct fixture *f = *state;

    fixture_add_identity(f, "d1", "");
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct asking a = update(f, rows[i].tags, rows[i].desired, rows[i].replace), read;

        if (a.status != ST_OK)
            fail_msg("%s: %s", rows[i].name, a.cause);
        read = get(f);
        if (a.twin.version != rows[i].version ||
            a.twin.desired_version != rows[i].desired_version || read.twin.etag != a.twin.etag ||
            strcmp(read.tags, rows[i].is_tags) != 0 ||
            strcmp(read.desired, rows[i].is_desired) != 0)
            fail_msg("%s: version %lld, desired %lld: %s %s", rows[i].name,
                     (long long)a.twin.version, (long long)a.twin.desired_version, read.tags,
                     read.desired);
    }
}

static void stale_etag_is_refused_and_reports_keep_it_good(void **state)
{
    static const char *const patches[] = {"{\"r\":1}"};
    struct fixture *f = *state;
    struct asking a = {
        .is_update = true,
        .update = {.tags = SLICE("{\"a\":1}"), .has_etag = true, .etag = 1},
    };
    struct reporting r = {.patches = patches, .count = 1};

    fixture_add_identity(f, "d1", "");
    r.peer = peer_open(f, 0, "d1");
    report(&r);
    ask(&a, f, 0);
    assert_int_equal(a.status, ST_OK);
    ask(&a, f, 0);
    assert_int_equal(a.status, ST_PRECONDITION_FAILED);
    a.update.etag = 2;
    ask(&a, f, 0);
    assert_int_equal(a.status, ST_OK);
    peer_close(r.peer);
}

static void H137_bad_changes_are_refused_as_a_whole(void **state)
{
    static const struct {
        const char *name, *tags, *desired;
    } rows[] = {
        {"a $-key", "", "{\"ok\":1,\"$bad\":1}"},
        {"a dot", "{\"a.b\":1}", "{\"ok\":1}"},
        {"no object", "", "[1]"},
        {"no JSON", "", "{\"a\":"},
        {"too large an integer", "", "{\"a\":9007199254740993}"},
    };
    struct fixture *f = *state;
    struct asking a;

    fixture_add_identity(f, "d1", "");
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        a = update(f, rows[i].tags, rows[i].desired, false);
        if (a.status != ST_BAD_REQUEST)
            fail_msg("%s: %s", rows[i].name, status_name(a.status));
    }
    a = get(f);
    assert_int_equal(a.twin.version, 1);
    assert_string_equal(a.desired, "{}");
}

/* --- tests: reports ------------------------------------------------------------------------- */

static void reports_of_one_session_build_on_each_other(void **state)
{
    static const char *const patches[] = {"{\"a\":1}", "{\"b\":{\"c\":2}}", "{\"b\":{\"d\":3}}",
                                          "{\"a\":null}", "{\"e\":[1,2]}"};
    struct fixture *f = *state;
    struct reporting r = {.patches = patches, .count = COUNT_OF(patches)};
    struct asking a;

    fixture_add_identity(f, "d1", "");
    r.peer = peer_open(f, 2, "d1");
    report(&r);
    for (int i = 0; i < r.count; i++) {
        assert_int_equal(r.status[i], ST_OK);
        assert_int_equal(r.version[i], i + 2);
    }
    a = get(f);
    assert_string_equal(a.reported, "{\"b\":{\"c\":2,\"d\":3},\"e\":[1,2]}");
    assert_int_equal(a.twin.reported_version, 6);
    assert_true(a.twin.reported_at > 0);
    assert_int_equal(a.twin.version, 1); /* the service's ETag is not the device's to change */
    peer_close(r.peer);
}

static void H138_H169_bad_report_is_refused_and_its_neighbours_are_not(void **state)
{
    static char large[40000];
    const char *const patches[] = {"{\"a\":{\"b\":null}}",
                                   "{\"x\":1,\"$y\":2}",
                                   "{\"c\":1}",
                                   large,
                                   "{\"d\":1}",
                                   "not json",
                                   "[]"};
    static const enum status expected[] = {ST_OK, ST_BAD_REQUEST, ST_OK,         ST_BAD_REQUEST,
                                           ST_OK, ST_BAD_REQUEST, ST_BAD_REQUEST};
    struct fixture *f = *state;
    struct reporting r = {.patches = patches, .count = COUNT_OF(patches)};
    size_t at = (size_t)snprintf(large, sizeof large, "{\"z\":0");

    for (int i = 0; i < 9; i++)
        at += (size_t)snprintf(large + at, sizeof large - at, ",\"k%d\":\"%04000d\"", i, i);
    snprintf(large + at, sizeof large - at, "}");
    fixture_add_identity(f, "d1", "");
    r.peer = peer_open(f, 1, "d1");
    report(&r);
    for (int i = 0; i < r.count; i++) {
        if (r.status[i] != expected[i])
            fail_msg("patch %d: %s", i, status_name(r.status[i]));
    }
    assert_string_equal(get(f).reported, "{\"a\":{},\"c\":1,\"d\":1}");
    assert_int_equal(r.version[4], 4);
    peer_close(r.peer);
}

static void H159_base_version_must_be_the_current_one(void **state)
{
    static const char *const first[] = {"{\"a\":1}"}, *const three[] = {"{\"b\":1}", "{\"b\":2}",
                                                                        "{\"b\":3}"};
    struct fixture *f = *state;
    struct reporting r = {.patches = first, .count = 1}, based = {0};

    fixture_add_identity(f, "d1", "");
    r.peer = peer_open(f, 0, "d1");
    report(&r);
    based = (struct reporting){
        .peer = r.peer, .patches = three, .count = 3, .has_base = true, .base = 2};
    report(&based);
    assert_int_equal(based.status[0], ST_OK);
    assert_int_equal(based.version[0], 3);
    assert_int_equal(based.status[1], ST_PRECONDITION_FAILED);
    assert_int_equal(based.status[2], ST_PRECONDITION_FAILED);
    assert_string_equal(get(f).reported, "{\"a\":1,\"b\":1}");
    peer_close(r.peer);
}

struct interfering {
    struct reporting reporting; /* first */
    int64_t was;                /* the version that the other writer finds */
};

/* Another writer gets between the read of the row and the write: it is queued before the batch,
 * which is read at this turn's end, before this is committed. */
static void interfere_and_report(void *context)
{
    struct interfering *i = context;
    const struct hub_key key = {FIXTURE_HUB->name, SLICE("d1"), {0}};
    const struct twin t = {.reported = SLICE("{\"other\":true}"),
                           .reported_metadata = SLICE("{}"),
                           .reported_version = i->was + 1};
    struct unit *unit = unit_create(i->reporting.peer->f->store);

    assert_non_null(unit);
    twin_unit_put_reported(unit, &key, &t, i->was);
    unit_submit(unit, NULL, NULL);
    report_now(&i->reporting);
}

static void reports_survive_another_writer(void **state)
{
    static const char *const patches[] = {"{\"a\":1}", "{\"b\":2}"};
    static const int64_t was[] = {1, 4}; /* no row yet; a row */
    struct fixture *f = *state;
    struct peer *p;

    fixture_add_identity(f, "d1", "");
    p = peer_open(f, 1, "d1");
    for (size_t n = 0; n < COUNT_OF(was); n++) {
        struct interfering i = {
            .reporting = {.peer = p, .patches = patches, .count = 2},
            .was = was[n],
        };

        fixture_on_worker(f, 1, interfere_and_report, &i);
        fixture_wait(f, &i.reporting.done, 2, "reports");
        assert_int_equal(i.reporting.status[0], ST_OK);
        assert_int_equal(i.reporting.version[0], was[n] + 2);
        assert_int_equal(i.reporting.version[1], was[n] + 3);
        assert_string_equal(get(f).reported, "{\"other\":true,\"a\":1,\"b\":2}");
    }
    peer_close(p);
}

static void report_of_a_deleted_device_leaves_no_twin(void **state)
{
    static const char *const patches[] = {"{\"a\":1}"};
    struct fixture *f = *state;
    struct reporting r = {.patches = patches, .count = 1};

    r.peer = peer_open(f, 0, "ghost");
    report(&r);
    assert_int_equal(r.status[0], ST_UNAVAILABLE);
    peer_close(r.peer);
    fixture_add_identity(f, "ghost", "");
    r.peer = peer_open(f, 0, "ghost");
    assert_string_equal(document(r.peer),
                        "{\"desired\":{\"$version\":1},\"reported\":{\"$version\":1}}");
    peer_close(r.peer);
}

static void session_may_close_with_reports_in_flight(void **state)
{
    static const char *const patches[] = {"{\"a\":1}", "{\"b\":2}", "{\"c\":3}"};
    struct fixture *f = *state;

    fixture_add_identity(f, "d1", "");
    for (int i = 0; i < 20; i++) {
        struct reporting r = {.patches = patches, .count = 3};

        r.peer = peer_open(f, (unsigned)i % 3, "d1");
        fixture_on_worker(f, r.peer->worker, report_now, &r);
        peer_close(r.peer);
    }
}

/* --- tests: notifications ------------------------------------------------------------------- */

static void H078_H170_notification_holds_nulls_and_the_version(void **state)
{
    static const struct {
        const char *name, *desired, *told;
        bool replace;
    } rows[] = {
        {"merge", "{\"a\":1,\"b\":{\"c\":null}}", "{\"a\":1,\"b\":{\"c\":null},\"$version\":2}",
         false},
        {"removal", "{\"a\":null}", "{\"a\":null,\"$version\":3}", false},
        {"replacement", "{\"d\":1}", "{\"d\":1,\"b\":null,\"$version\":4}", true},
        {"clearing", "null", "{\"d\":null,\"$version\":5}", false},
        {"clearing nothing", "null", "{\"$version\":6}", false},
    };
    struct fixture *f = *state;
    struct peer *p;

    fixture_add_identity(f, "d1", "");
    p = peer_open(f, 0, "d1");
    peer_subscribe(p, SUB_TWIN_DESIRED);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_int_equal(update(f, "", rows[i].desired, rows[i].replace).status, ST_OK);
        fixture_wait(f, &p->desired, (int)i + 1, rows[i].name);
        if (strcmp(p->text, rows[i].told) != 0)
            fail_msg("%s: %s", rows[i].name, p->text);
    }
    peer_close(p);
}

#define WRITERS 3
#define CHANGES 20

struct writer {
    struct fixture *f;
    int changes, done;
};

static void on_changed(void *context, enum status status, const struct twin *t,
                       const struct fault *why);

static void change(struct writer *w)
{
    const struct twin_update u = {.desired = SLICE("{\"n\":1}")};

    twin_update(w->f->hub, FIXTURE_HUB->name, SLICE("d1"), (slice){0}, &u, on_changed, w);
}

static void on_changed(void *context, enum status status, const struct twin *t,
                       const struct fault *why)
{
    struct writer *w = context;
    bool more;

    (void)t;
    (void)why;
    assert_true(status == ST_OK || status == ST_CONFLICT);
    fixture_lock(w->f);
    w->changes += status == ST_OK;
    w->done += w->changes == CHANGES;
    more = w->changes < CHANGES; /* the writer goes with the test once it is done */
    fixture_unlock(w->f);
    if (more)
        change(w);
}

static void change_now(void *context)
{
    change(context);
}

static void H077_H080_each_change_is_told_once_in_order_and_seen_by_reads(void **state)
{
    struct fixture *f = *state;
    struct writer writers[WRITERS];
    char seen[64];
    struct peer *p;

    fixture_add_identity(f, "d1", "");
    p = peer_open(f, 1, "d1");
    peer_subscribe(p, SUB_TWIN_DESIRED);
    for (unsigned i = 0; i < WRITERS; i++) {
        writers[i] = (struct writer){.f = f};
        fixture_on_worker(f, i, change_now, &writers[i]);
    }
    for (unsigned i = 0; i < WRITERS; i++)
        fixture_wait(f, &writers[i].done, 1, "changes");
    fixture_wait(f, &p->desired, WRITERS * CHANGES, "notifications");
    for (int i = 0; i < WRITERS * CHANGES; i++)
        assert_int_equal(p->version[i], i + 2);
    snprintf(seen, sizeof seen, "\"$version\":%d}", WRITERS * CHANGES + 1);
    assert_non_null(strstr(document(p), seen));
    assert_int_equal(p->desired, WRITERS * CHANGES);
    peer_close(p);
}

static void H079_changes_while_away_are_not_told_later(void **state)
{
    struct fixture *f = *state;
    struct peer *p;

    fixture_add_identity(f, "d1", "");
    assert_int_equal(update(f, "", "{\"a\":1}", false).status, ST_OK);
    p = peer_create(f, 2, "d1");
    p->stored_subscriptions = SUB_TWIN_DESIRED; /* restored, not asked for again */
    peer_start(p);
    fixture_wait(f, &p->opened, 1, "open");
    assert_int_equal(p->session.subscriptions, SUB_TWIN_DESIRED);
    assert_int_equal(update(f, "", "{\"a\":2}", false).status, ST_OK);
    fixture_wait(f, &p->desired, 1, "notification");
    assert_int_equal(p->version[0], 3);
    peer_subscribe(p, 0);
    assert_int_equal(update(f, "", "{\"a\":3}", false).status, ST_OK);
    peer_subscribe(p, SUB_TWIN_DESIRED);
    assert_int_equal(update(f, "", "{\"a\":4}", false).status, ST_OK);
    fixture_wait(f, &p->desired, 2, "notification");
    assert_int_equal(p->version[1], 5);
    peer_close(p);
}

/* --- tests: with the device ----------------------------------------------------------------- */

static void first_content_comes_and_goes_with_the_device(void **state)
{
    struct fixture *f = *state;
    struct unit *unit;
    struct asking a;

    fixture_add_identity(f, "d1", "");
    unit = unit_create(f->store);
    twin_unit_init(unit, FIXTURE_HUB->name, SLICE("d1"), SLICE("{\"site\":\"x\"}"),
                   SLICE("{\"rate\":5}"), 1700000000000);
    assert_int_equal(unit_run(unit), ST_OK);
    unit_destroy(unit);
    a = get(f);
    assert_string_equal(a.tags, "{\"site\":\"x\"}");
    assert_string_equal(a.desired, "{\"rate\":5}");
    assert_int_equal(a.twin.desired_version, 1);
    assert_non_null(strstr(a.metadata, "$lastUpdated"));
    a = update(f, "", "{\"rate\":6}", false);
    assert_int_equal(a.status, ST_OK);
    assert_int_equal(a.twin.desired_version, 2);
    unit = unit_create(f->store);
    hub_unit_forget(unit, FIXTURE_HUB->name, SLICE("d1"), (slice){0});
    assert_int_equal(unit_run(unit), ST_OK);
    unit_destroy(unit);
    a = get(f);
    assert_string_equal(a.tags, "{}");
    assert_int_equal(a.twin.version, 1);
}

#define FIXTURE_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(H072_fresh_twin_has_versions_and_nothing_else),
        FIXTURE_TEST(twin_of_no_identity_is_not_found),
        FIXTURE_TEST(H139_versions_and_etag_grow_with_each_change_of_their_own),
        FIXTURE_TEST(stale_etag_is_refused_and_reports_keep_it_good),
        FIXTURE_TEST(H137_bad_changes_are_refused_as_a_whole),
        FIXTURE_TEST(reports_of_one_session_build_on_each_other),
        FIXTURE_TEST(H138_H169_bad_report_is_refused_and_its_neighbours_are_not),
        FIXTURE_TEST(H159_base_version_must_be_the_current_one),
        FIXTURE_TEST(reports_survive_another_writer),
        FIXTURE_TEST(report_of_a_deleted_device_leaves_no_twin),
        FIXTURE_TEST(session_may_close_with_reports_in_flight),
        FIXTURE_TEST(H078_H170_notification_holds_nulls_and_the_version),
        FIXTURE_TEST(H077_H080_each_change_is_told_once_in_order_and_seen_by_reads),
        FIXTURE_TEST(H079_changes_while_away_are_not_told_later),
        FIXTURE_TEST(first_content_comes_and_goes_with_the_device),
    };

    return cmocka_run_group_tests_name("twin", tests, NULL, NULL);
}
