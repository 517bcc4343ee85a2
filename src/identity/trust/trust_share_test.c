#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>

#include "identity/identity_fixture.h"
#include "identity/trust/certificate_fixture.h"

/* --- asking ---------------------------------------------------------------------------------- */

struct asked {
    struct fixture *f;
    enum status status;
    const void *snapshot; /* to compare, not to look at */
    int64_t version;
    size_t authorities, denied;
    bool seen; /* the worker remembers it */
};

static void on_trust(void *context, enum status status, const struct trust *trust)
{
    struct asked *a = context;

    a->status = status;
    if (!trust)
        return;
    a->snapshot = trust;
    a->version = trust->version;
    a->authorities = trust->count;
    a->denied = trust->denied.len / sizeof(uint64_t);
    a->seen = trust_seen(a->f->id) == trust;
}

static void ask_now(void *context)
{
    struct asked *a = context;

    trust_get(a->f->id, on_trust, a);
}

static struct asked ask(struct fixture *f, unsigned worker)
{
    struct asked a = {.f = f, .status = ST_COUNT};

    worker_call(workers_at(f->workers, worker), ask_now, &a);
    return a;
}

/* Verified, in the primary slot of group g. */
static void verify_now(struct fixture *f, const struct made *authority)
{
    const struct slot_order order = {
        .group = "g", .slot = AUTHORITY_PRIMARY, .authority = authority};

    put_slot_now(f->store, &order);
}

static void a_change_acts_on_the_next_decision_of_every_worker(void **state)
{
    struct fixture *f = *state;
    struct made root = make_authority("Root", NULL, NOW);
    struct asked before = ask(f, 0), first, second;

    assert_int_equal(before.status, ST_OK);
    assert_true(before.authorities == 0 && before.denied == 0);
    verify_now(f, &root);
    first = ask(f, 0);
    second = ask(f, 1);
    assert_int_equal(first.authorities, 1);
    assert_true(first.version > before.version && first.seen);
    assert_ptr_equal(first.snapshot, second.snapshot); /* read once */
    deny_now(f->store, &root);
    second = ask(f, 1);
    assert_int_equal(second.denied, 1);
    assert_int_equal(ask(f, 0).version, second.version);
    made_free(&root);
}

static void a_damaged_authority_leaves_no_snapshot(void **state)
{
    static const struct sql spoil = {"UPDATE authority SET certificate = ?1"};
    const struct sql_value value = SQL_BLOB_(SLICE("no certificate"));
    struct fixture *f = *state;
    struct made root = make_authority("Root", NULL, NOW);
    struct made other = make_authority("Other", NULL, NOW);
    struct unit *unit = unit_create(f->store);

    verify_now(f, &root);
    assert_non_null(unit);
    unit_add(unit, &spoil, &value, 1, EXPECT_ONE);
    trust_unit_move(unit);
    assert_int_equal(unit_run(unit), ST_OK);
    unit_destroy(unit);
    assert_int_equal(ask(f, 0).status, ST_INTERNAL);
    verify_now(f, &other);
    assert_int_equal(ask(f, 0).status, ST_OK);
    made_free(&root);
    made_free(&other);
}

/* --- being told ------------------------------------------------------------------------------ */

static struct watched {
    sem_t told;
    int64_t version[FIXTURE_WORKERS];
} watched;

static void on_change(void *context, const struct trust *trust)
{
    int64_t *version = context;

    assert_true(trust->version >= *version);
    *version = trust->version;
    sem_post(&watched.told);
}

static void watch(struct fixture *f)
{
    for (unsigned i = 0; i < FIXTURE_WORKERS; i++)
        assert_true(trust_watch(f->id, workers_at(f->workers, i), on_change, &watched.version[i]));
}

static void tell_now(void *context)
{
    struct fixture *f = context;

    trust_changed(f->id);
}

static void wait_for(unsigned count)
{
    while (count > 0) {
        if (sem_wait(&watched.told) == 0)
            count--;
    }
}

static void a_change_is_told_to_every_worker(void **state)
{
    struct fixture *f = *state;
    struct made root = make_authority("Root", NULL, NOW);

    fixture_close(f);
    sem_init(&watched.told, 0, 0);
    f->before_start = watch;
    fixture_open(f);
    for (unsigned round = 0; round < 3; round++) {
        verify_now(f, &root);
        if (round < FIXTURE_WORKERS)
            worker_call(workers_at(f->workers, round), tell_now, f);
        else
            tell_now(f); /* from no worker */
        wait_for(FIXTURE_WORKERS);
        assert_int_equal(watched.version[0], ask(f, 1).version);
        assert_int_equal(watched.version[1], watched.version[0]);
    }
    sem_destroy(&watched.told);
    made_free(&root);
}

/* --- a storm: decisions of all workers while the snapshot changes ----------------------------- */

#define STORM_CHANGES 40

struct storm {
    struct fixture *f;
    unsigned worker;
    struct x509_st *leaf;
    atomic_bool *over;
    int64_t version;
    unsigned decisions, let_in;
};

static void on_storm_trust(void *context, enum status status, const struct trust *trust)
{
    struct storm *s = context;
    const struct trust_claim claim = {.leaf = s->leaf, .now = NOW};
    struct trust_path path;
    struct fault why;

    assert_int_equal(status, ST_OK);
    assert_true(trust->version >= s->version);
    s->version = trust->version;
    s->decisions++;
    if (trust_find_path(trust, &claim, NULL, &path, &why) == ST_OK) {
        s->let_in++;
        assert_null(trust_objection(trust, &path.marks));
        trust_path_deinit(&path);
    }
}

static void decide_now(void *context)
{
    struct storm *s = context;

    trust_get(s->f->id, on_storm_trust, s);
}

static void *decide_until_over(void *context)
{
    struct storm *s = context;

    while (!atomic_load(s->over))
        worker_call(workers_at(s->f->workers, s->worker), decide_now, s);
    return NULL;
}

static void workers_share_a_snapshot_while_it_changes(void **state)
{
    struct fixture *f = *state;
    struct made root = make_authority("Root", NULL, NOW), leaf = make_leaf("d1", &root, NOW);
    atomic_bool over = false;
    struct storm storms[FIXTURE_WORKERS];
    pthread_t threads[FIXTURE_WORKERS];

    for (unsigned i = 0; i < FIXTURE_WORKERS; i++) {
        storms[i] = (struct storm){f, i, leaf.certificate, &over, 0, 0, 0};
        assert_int_equal(pthread_create(&threads[i], NULL, decide_until_over, &storms[i]), 0);
    }
    for (unsigned i = 0; i < STORM_CHANGES; i++) {
        const struct slot_order order = {
            .group = "g", .slot = AUTHORITY_PRIMARY, .authority = &root, .unverified = i % 2};

        put_slot_now(f->store, &order);
        trust_changed(f->id);
    }
    atomic_store(&over, true);
    for (unsigned i = 0; i < FIXTURE_WORKERS; i++)
        pthread_join(threads[i], NULL);
    for (unsigned i = 0; i < FIXTURE_WORKERS; i++)
        assert_true(storms[i].decisions > 0);
    made_free(&leaf);
    made_free(&root);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_change_acts_on_the_next_decision_of_every_worker),
        TEST(a_damaged_authority_leaves_no_snapshot),
        TEST(a_change_is_told_to_every_worker),
        TEST(workers_share_a_snapshot_while_it_changes),
    };

    return cmocka_run_group_tests_name("trust_share", tests, NULL, NULL);
}
