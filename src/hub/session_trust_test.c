#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/metrics.h"
#include "hub/hub_fixture.h"
#include "hub/session_trust.h"
#include "identity/trust/certificate_fixture.h"

#define WITHIN_MS 1000 /* SECURITY-MODEL S5 */

/* --- authorities, and who came by them -------------------------------------------------------- */

struct world {
    struct fixture *f;
    struct made root, other, leaf, twin;
    struct trust_marks chain, other_chain, hash, other_hash;
};

static struct trust_marks marks_of(const struct made *leaf, const struct made *authority)
{
    struct certificate_marks m;
    struct trust_marks marks = {.count = 3};

    assert_true(certificate_marks(leaf->certificate, &m));
    marks.authority = marks.anchor = authority ? mark_of(authority) : 0;
    marks.marks[0] = m.sha256;
    marks.marks[1] = m.sha1;
    marks.marks[2] = m.issuer_serial;
    return marks;
}

static void put_authority(struct fixture *f, const char *group, const struct made *authority,
                          uint64_t revoked)
{
    const struct slot_order order = {
        .group = group, .slot = AUTHORITY_PRIMARY, .authority = authority, .revoked = revoked};

    put_slot_now(f->store, &order);
}

static void make_world(struct world *w, struct fixture *f)
{
    instant now = clock_wall_ms();

    *w = (struct world){.f = f,
                        .root = make_authority("Root", NULL, now),
                        .other = make_authority("Other", NULL, now)};
    w->leaf = make_leaf("d1", &w->root, now);
    w->twin = make_leaf("d2", &w->other, now);
    w->chain = marks_of(&w->leaf, &w->root);
    w->other_chain = marks_of(&w->twin, &w->other);
    w->hash = marks_of(&w->leaf, NULL);
    w->other_hash = marks_of(&w->twin, NULL);
    put_authority(f, "g", &w->root, 0);
    put_authority(f, "h", &w->other, 0);
}

static void end_world(struct world *w)
{
    made_free(&w->root);
    made_free(&w->other);
    made_free(&w->leaf);
    made_free(&w->twin);
}

static void note_version(void *context, enum status status, const struct trust *trust)
{
    assert_int_equal(status, ST_OK);
    *(int64_t *)context = trust->version;
}

struct version_read {
    struct fixture *f;
    int64_t version;
};

static void read_version(void *context)
{
    struct version_read *r = context;

    trust_get(r->f->identity, note_version, &r->version);
}

static int64_t version_now(struct fixture *f, unsigned worker)
{
    struct version_read r = {.f = f};

    fixture_on_worker(f, worker, read_version, &r);
    return r.version;
}

/* NULL marks: by a key. */
static struct peer *peer_by(struct fixture *f, unsigned worker, const char *device_id,
                            const struct trust_marks *marks)
{
    struct peer *p = peer_create(f, worker, device_id);

    p->slot = marks ? CREDENTIAL_CERTIFICATE : CREDENTIAL_PRIMARY;
    p->marks = marks;
    p->trust_version = version_now(f, worker);
    return p;
}

static struct peer *open_by(struct fixture *f, unsigned worker, const char *device_id,
                            const struct trust_marks *marks)
{
    struct peer *p = peer_by(f, worker, device_id, marks);

    peer_start(p);
    fixture_wait(f, &p->opened, 1, "open");
    assert_int_equal(p->open_status, ST_OK);
    return p;
}

/* Every worker has looked through its sessions when the bus has carried the news and the mail
 * behind it has run. */
static void nothing(void *context)
{
    (void)context;
}

static void tell_now(void *context)
{
    struct fixture *f = context;

    trust_changed(f->identity);
}

static void tell(struct fixture *f)
{
    fixture_on_worker(f, 0, tell_now, f);
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < workers_count(f->workers); i++)
            fixture_on_worker(f, i, nothing, NULL);
    }
}

/* --- live sessions --------------------------------------------------------------------------- */

/* What may change. */
static void deny_leaf(struct world *w)
{
    deny_now(w->f->store, &w->leaf);
}

static void revoke_leaf(struct world *w)
{
    put_authority(w->f, "g", &w->root, w->chain.marks[2]);
}

static void remove_authority(struct world *w)
{
    put_authority(w->f, "g", NULL, 0);
}

static void disable_group(struct world *w)
{
    const struct slot_order order = {
        .group = "g", .slot = AUTHORITY_PRIMARY, .authority = &w->root, .disabled = true};

    put_slot_now(w->f->store, &order);
}

static void a_change_of_trust_ends_the_sessions_it_does_not_bear(void **state)
{
    static const struct {
        const char *name;
        void (*change)(struct world *w);
        bool ends_chain, ends_hash;
    } rows[] = {
        {"denied", deny_leaf, true, true},
        {"revoked by its list", revoke_leaf, true, true},
        {"the authority is removed", remove_authority, true, false},
        {"the group is disabled", disable_group, true, false},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct world w;
        struct peer *chain, *hash, *others[3];
        int64_t begun;

        make_world(&w, f);
        chain = open_by(f, 0, "chain", &w.chain);
        hash = open_by(f, 1, "hash", &w.hash);
        others[0] = open_by(f, 0, "other-chain", &w.other_chain);
        others[1] = open_by(f, 1, "other-hash", &w.other_hash);
        others[2] = open_by(f, 2, "key", NULL);
        rows[i].change(&w);
        begun = clock_mono_ms();
        tell(f);
        if (chain->closed != rows[i].ends_chain || hash->closed != rows[i].ends_hash)
            fail_msg("%s: chain %d, hash %d", rows[i].name, chain->closed, hash->closed);
        assert_true(clock_mono_ms() - begun < WITHIN_MS);
        assert_int_equal(chain->end, SESSION_END_REVOKED);
        for (size_t k = 0; k < COUNT_OF(others); k++) {
            if (others[k]->closed)
                fail_msg("%s: %s", rows[i].name, others[k]->device_id);
            peer_close(others[k]);
        }
        peer_close(chain);
        peer_close(hash);
        end_world(&w);
    }
}

/* More than one turn of the loop looks at. */
#define MANY 2300

static void a_long_list_is_looked_through_in_several_turns(void **state)
{
    struct fixture *f = *state;
    struct peer **peers = calloc(MANY, sizeof(struct peer *));
    char(*names)[16] = calloc(MANY, sizeof *names);
    int64_t version;
    struct world w;

    assert_non_null(peers);
    assert_non_null(names);
    make_world(&w, f);
    version = version_now(f, 0);
    for (size_t i = 0; i < MANY; i++) {
        snprintf(names[i], sizeof names[i], "many-%zu", i);
        peers[i] = peer_create(f, 0, names[i]);
        peers[i]->slot = CREDENTIAL_CERTIFICATE;
        peers[i]->marks = i % 2 ? &w.other_chain : &w.chain;
        peers[i]->trust_version = version;
        peer_start(peers[i]);
    }
    for (size_t i = 0; i < MANY; i++)
        fixture_wait(f, &peers[i]->opened, 1, "open");
    remove_authority(&w);
    fixture_on_worker(f, 1, tell_now, f);
    for (size_t i = 0; i < MANY; i += 2)
        fixture_wait(f, &peers[i]->closed, 1, "end");
    tell(f);
    for (size_t i = 0; i < MANY; i++) {
        assert_int_equal(peers[i]->closed, i % 2 == 0);
        peer_close(peers[i]);
    }
    end_world(&w);
    free(peers);
    free(names);
}

/* --- sessions that are opening --------------------------------------------------------------- */

/* A front that takes its time to close. */
static void slow_on_close(struct session *s, enum session_end why)
{
    struct peer *p = peer_of(s);

    fixture_lock(p->f);
    p->end = why;
    p->closed++;
    fixture_unlock(p->f);
}

static void make_slow(void *context)
{
    static struct session_ops slow_ops;
    struct peer *p = context;

    slow_ops = *p->session.ops;
    slow_ops.close = slow_on_close;
    p->session.ops = &slow_ops;
}

static void close_now(void *context)
{
    struct peer *p = context;

    session_close(&p->session);
}

/* It was authenticated before the change, and becomes live behind it. */
static void a_session_that_opens_across_a_change_is_refused(void **state)
{
    struct fixture *f = *state;
    struct world w;
    struct peer *first, *second, *third;

    make_world(&w, f);
    first = open_by(f, 0, "d1", &w.chain);
    fixture_on_worker(f, 0, make_slow, first);
    second = peer_by(f, 1, "d1", &w.chain); /* waits until the first is closed */
    peer_start(second);
    fixture_wait(f, &first->closed, 1, "take-over");
    assert_int_equal(first->end, SESSION_END_TAKEN_OVER);
    remove_authority(&w);
    tell(f);
    assert_int_equal(second->opened, 0);
    fixture_on_worker(f, 0, close_now, first);
    fixture_wait(f, &second->opened, 1, "the second");
    assert_int_equal(second->open_status, ST_UNAUTHORIZED);
    fixture_wait(f, &first->released, 1, "release");
    fixture_wait(f, &second->released, 1, "release");
    third = open_by(f, 2, "d1", &w.hash); /* nothing is left in the way */
    peer_close(third);
    free(first);
    free(second);
    end_world(&w);
    assert_int_equal(metric_value(METRIC_SESSIONS), 0);
}

static void a_session_of_the_present_snapshot_is_not_looked_at_twice(void **state)
{
    struct fixture *f = *state;
    struct world w;
    struct peer *p;

    make_world(&w, f);
    remove_authority(&w);
    tell(f);
    p = open_by(f, 0, "d1", &w.chain); /* what let it in is not questioned */
    peer_close(p);
    p = peer_by(f, 0, "d1", &w.chain);
    p->trust_version--;
    peer_start(p);
    fixture_wait(f, &p->released, 1, "refusal");
    assert_int_equal(p->open_status, ST_UNAUTHORIZED);
    free(p);
    end_world(&w);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_change_of_trust_ends_the_sessions_it_does_not_bear),
        TEST(a_long_list_is_looked_through_in_several_turns),
        TEST(a_session_that_opens_across_a_change_is_refused),
        TEST(a_session_of_the_present_snapshot_is_not_looked_at_twice),
    };

    return cmocka_run_group_tests_name("session_trust", tests, NULL, NULL);
}
