#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdatomic.h>

#include "base/metrics.h"
#include "hub/event.h"
#include "hub/hub_fixture.h"
#include "hub/hub_internal.h"

/* --- asking the directory ------------------------------------------------------------------- */

struct asked {
    struct fixture *f;
    const char *device_id, *module_id;
    unsigned slots;
    int64_t generation;
    bool with_modules;
    int done;
    struct session_info info;
    char client_type[64];
};

static void on_info(void *context, const struct session_info *info)
{
    struct asked *a = context;

    fixture_lock(a->f);
    a->info = *info;
    snprintf(a->client_type, sizeof a->client_type, "%.*s", SLICE_FMT(info->client_type));
    a->done++;
    fixture_unlock(a->f);
}

static void query_now(void *context)
{
    struct asked *a = context;

    session_query(a->f->hub, FIXTURE_HUB, slice_str(a->device_id), slice_str(a->module_id), on_info,
                  a);
}

static struct session_info query(struct fixture *f, unsigned worker, const char *device_id)
{
    struct asked a = {.f = f, .device_id = device_id, .module_id = ""};

    fixture_on_worker(f, worker, query_now, &a);
    fixture_wait(f, &a.done, 1, "query");
    return a.info;
}

static void on_revoked(void *context)
{
    struct asked *a = context;

    fixture_lock(a->f);
    a->done++;
    fixture_unlock(a->f);
}

static void revoke_now(void *context)
{
    struct asked *a = context;
    const struct session_revoke r = {
        .hub = FIXTURE_HUB,
        .device_id = slice_str(a->device_id),
        .module_id = slice_str(a->module_id),
        .with_modules = a->with_modules,
        .slots = a->slots,
        .generation = a->generation,
    };

    session_revoke(a->f->hub, &r, on_revoked, a);
}

static void revoke(struct fixture *f, unsigned worker, const char *device_id, unsigned slots,
                   int64_t generation, bool with_modules)
{
    struct asked a = {
        .f = f,
        .device_id = device_id,
        .module_id = "",
        .slots = slots,
        .generation = generation,
        .with_modules = with_modules,
    };

    fixture_on_worker(f, worker, revoke_now, &a);
    fixture_wait(f, &a.done, 1, "revoke");
}

/* --- opening and closing -------------------------------------------------------------------- */

static void session_opens_is_seen_and_closes(void **state)
{
    struct fixture *f = *state;

    for (unsigned worker = 0; worker < 3; worker++) {
        struct peer *p = peer_open(f, worker, "d1");
        struct session_info info = query(f, 1, "d1");

        assert_true(info.connected);
        assert_true(info.last_activity_at > 0);
        assert_true(info.connected_at > 0);
        assert_false(query(f, 2, "d2").connected);
        peer_close(p);
        assert_false(query(f, 0, "d1").connected);
    }
    assert_int_equal(metric_value(METRIC_SESSIONS), 0);
}

static void H038_newest_session_wins_across_workers(void **state)
{
    struct fixture *f = *state;

    for (unsigned i = 0; i < 9; i++) {
        struct peer *old = peer_open(f, i % 3, "d1");
        struct peer *new = peer_open(f, i / 3, "d1");

        assert_int_equal(old->closed, 1); /* before the new one was let in */
        assert_int_equal(old->end, SESSION_END_TAKEN_OVER);
        assert_int_equal(new->closed, 0);
        assert_true(query(f, 0, "d1").connected);
        peer_close(old);
        peer_close(new);
        assert_false(query(f, 0, "d1").connected);
    }
}

static void H039_device_and_modules_are_independent(void **state)
{
    struct fixture *f = *state;
    struct peer *device = peer_open(f, 0, "d1");
    struct peer *module = peer_create(f, 1, "d1");

    module->module_id = "m1";
    peer_start(module);
    fixture_wait(f, &module->opened, 1, "module");
    assert_int_equal(module->open_status, ST_OK);
    assert_int_equal(device->closed, 0);
    peer_close(device);
    assert_int_equal(module->closed, 0);
    peer_close(module);
}

static void session_closed_while_opening_leaves_nothing(void **state)
{
    struct fixture *f = *state;
    struct peer *old = peer_open(f, 0, "d1"), *new = peer_create(f, 1, "d1");

    for (int i = 0; i < 50; i++) {
        new->released = 0;
        peer_start(new); /* may still be opening when it is closed */
        fixture_on_worker(f, 1, peer_close_now, new);
        fixture_wait(f, &new->released, 1, "release");
    }
    peer_close(old);
    old = peer_open(f, 2, "d1");
    peer_close(old);
    free(new);
    assert_false(query(f, 0, "d1").connected);
}

static void drain_ends_all_and_lets_nobody_in(void **state)
{
    struct fixture *f = *state;
    struct peer *a = peer_open(f, 0, "d1"), *b = peer_open(f, 1, "d2"), *late;

    session_drain(f->hub);
    fixture_wait(f, &a->released, 1, "drain");
    fixture_wait(f, &b->released, 1, "drain");
    late = peer_create(f, 2, "d3");
    peer_start(late);
    fixture_wait(f, &late->released, 1, "refusal");
    assert_int_equal(late->open_status, ST_UNAVAILABLE);
    free(a);
    free(b);
    free(late);
}

/* --- revoking ------------------------------------------------------------------------------- */

static void H024_revoke_ends_the_sessions_of_its_slots(void **state)
{
    static const struct {
        const char *name;
        unsigned slots;
        int64_t generation;
        bool ends;
    } rows[] = {
        {"its key", CREDENTIAL_PRIMARY, 2, true},
        {"any", CREDENTIAL_ANY, 2, true},
        {"the other key", CREDENTIAL_SECONDARY, 2, false},
        {"let in by the new key already", CREDENTIAL_PRIMARY, 1, false},
        {"no generation", CREDENTIAL_ANY, 0, true},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char id[16];
        struct peer *p;

        snprintf(id, sizeof id, "d%zu", i);
        p = peer_open(f, (unsigned)i % 3, id);
        revoke(f, (unsigned)(i + 1) % 3, id, rows[i].slots, rows[i].generation, false);
        if ((p->closed == 1) != rows[i].ends)
            fail_msg("%s: closed=%d", rows[i].name, p->closed);
        if (rows[i].ends)
            assert_int_equal(p->end, SESSION_END_REVOKED);
        peer_close(p);
    }
}

static void revoke_takes_the_modules_along(void **state)
{
    struct fixture *f = *state;
    struct peer *peers[4];

    for (unsigned i = 0; i < 4; i++) {
        static const char *const modules[] = {"", "m1", "m2", "m3"};

        peers[i] = peer_create(f, i % 3, "d1");
        peers[i]->module_id = modules[i];
        peer_start(peers[i]);
        fixture_wait(f, &peers[i]->opened, 1, "open");
    }
    revoke(f, 2, "d1", CREDENTIAL_ANY, 2, true);
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(peers[i]->closed, 1);
        peer_close(peers[i]);
    }
}

static void revoke_refuses_what_was_authenticated_before(void **state)
{
    static const struct {
        const char *name;
        enum credential_slot slot;
        int64_t generation;
        enum status status;
    } rows[] = {
        {"before", CREDENTIAL_PRIMARY, 4, ST_UNAUTHORIZED},
        {"after", CREDENTIAL_PRIMARY, 5, ST_OK},
        {"the other key", CREDENTIAL_SECONDARY, 4, ST_OK},
    };
    struct fixture *f = *state;

    revoke(f, 0, "d1", CREDENTIAL_PRIMARY, 5, false);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct peer *p = peer_create(f, (unsigned)i, "d1");

        p->slot = rows[i].slot;
        p->generation = rows[i].generation;
        peer_start(p);
        fixture_wait(f, &p->opened, 1, rows[i].name);
        if (p->open_status != rows[i].status)
            fail_msg("%s: %s", rows[i].name, status_name(p->open_status));
        peer_close(p);
    }
}

struct burst {
    struct peer *peer;
    int count;
};

static void send_burst(void *context)
{
    struct burst *b = context;
    struct fault why;

    for (int i = 0; i < b->count; i++) {
        const struct telemetry t = {.body = SLICE("x")};

        assert_int_equal(telemetry_send(&b->peer->session, &t, (uint32_t)i + 1, &why), ST_OK);
    }
}

static void count_pending(void *context)
{
    struct peer *p = context;

    assert_int_equal(p->session.waiter.pending, 0);
}

static void revoke_waits_for_messages_in_flight(void **state)
{
    struct fixture *f = *state;

    for (unsigned i = 0; i < 20; i++) {
        struct peer *p = peer_open(f, i % 3, "d1");
        struct burst b = {p, 100};

        fixture_on_worker(f, p->worker, send_burst, &b);
        revoke(f, (i + 1) % 3, "d1", CREDENTIAL_ANY, 0, false);
        fixture_on_worker(f, p->worker, count_pending, p);
        fixture_wait(f, &p->released, 1, "release");
        free(p);
    }
}

/* --- a storm of take-overs ------------------------------------------------------------------ */

#define STORM_ROUNDS 1000

struct storm {
    struct fixture *f;
    atomic_int live, most_live;
};
struct storm_peer {
    struct peer peer; /* first */
    struct storm *storm;
};

static void storm_on_open(struct session *s, enum status status)
{
    struct storm_peer *p = (struct storm_peer *)s;

    if (status == ST_OK) {
        int now = atomic_fetch_add(&p->storm->live, 1) + 1;

        if (now > atomic_load(&p->storm->most_live))
            atomic_store(&p->storm->most_live, now);
    }
    peer_on_open(s, status);
}

static void storm_on_close(struct session *s, enum session_end why)
{
    struct storm_peer *p = (struct storm_peer *)s;

    atomic_fetch_sub(&p->storm->live, 1);
    peer_on_close(s, why);
}

static void storm_open(void *context)
{
    struct storm_peer *p = context;
    static const struct session_ops ops = {
        .close = storm_on_close,
        .telemetry_done = peer_on_telemetry,
        .released = peer_on_released,
    };
    const struct device_principal principal = {
        .hub = FIXTURE_HUB,
        .device_id = SLICE("storm"),
        .slot = CREDENTIAL_PRIMARY,
        .credential_generation = 1,
    };
    const struct session_options options = {.protocol = SLICE("mqtt")};

    p->peer.session.ops = &ops;
    session_open(&p->peer.session, p->peer.f->hub, &principal, &options, storm_on_open);
}

struct storm_mail {
    struct mail mail;
    struct storm_peer *peer;
};

static void storm_mail_run(struct mail *mail)
{
    struct storm_mail *m = (struct storm_mail *)mail;

    storm_open(m->peer);
    free(m);
}

static void take_over_storm_has_one_live_session_at_most(void **state)
{
    struct fixture *f = *state;
    struct storm storm = {.f = f};
    struct storm_peer *peers = calloc(STORM_ROUNDS, sizeof *peers);
    int live = 0;

    assert_non_null(peers);
    for (unsigned i = 0; i < STORM_ROUNDS; i++) {
        struct storm_mail *m = calloc(1, sizeof *m);

        assert_non_null(m);
        peers[i].peer.f = f;
        peers[i].storm = &storm;
        m->mail.run = storm_mail_run;
        m->peer = &peers[i];
        worker_post(workers_at(f->workers, i % 3), &m->mail);
    }
    for (unsigned i = 0; i < STORM_ROUNDS; i++)
        fixture_wait(f, &peers[i].peer.opened, 1, "storm");
    assert_int_equal(atomic_load(&storm.most_live), 1);
    fixture_lock(f);
    for (unsigned i = 0; i < STORM_ROUNDS; i++)
        live += peers[i].peer.open_status == ST_OK && peers[i].peer.closed == 0;
    fixture_unlock(f);
    assert_int_equal(live, 1);
    session_drain(f->hub);
    for (unsigned i = 0; i < STORM_ROUNDS; i++)
        fixture_wait(f, &peers[i].peer.released, 1, "storm's end");
    free(peers);
}

/* --- the token's end ------------------------------------------------------------------------ */

static void H147_session_ends_between_its_tokens_expiry_and_ten_minutes_after(void **state)
{
    static const struct {
        const char *name;
        int64_t expired_before_s;
        bool ends;
    } rows[] = {
        {"long past", 600, true}, {"just expired", 1, false}, {"a day left", -86400, false}};
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct peer *p = peer_create(f, 0, "d1");

        p->expires_at = clock_wall_ms() / 1000 - rows[i].expired_before_s;
        peer_start(p);
        fixture_wait(f, &p->opened, 1, "open");
        if (rows[i].ends) {
            fixture_wait(f, &p->released, 1, rows[i].name);
            assert_int_equal(p->end, SESSION_END_EXPIRED);
        }
        if (!rows[i].ends && p->closed)
            fail_msg("%s: ended", rows[i].name);
        peer_close(p);
    }
}

/* --- what the application hears ------------------------------------------------------------- */

static struct heard {
    struct fixture *f;
    int events, models;
    char model_id[64];
} heard;

static void on_event(void *context, slice subject, slice message)
{
    struct heard *h = context;
    struct hub_event e;

    (void)subject;
    assert_true(hub_event_decode(message, &e));
    fixture_lock(h->f);
    h->events++;
    if (e.kind == HUB_EVENT_MODEL) {
        snprintf(h->model_id, sizeof h->model_id, "%.*s", SLICE_FMT(e.model_id));
        h->models++;
    }
    fixture_unlock(h->f);
}

static void listen(struct fixture *f)
{
    assert_true(
        bus_subscribe(f->bus, workers_at(f->workers, 1), HUB_EVENTS_SUBJECT, on_event, &heard));
}

static void on_model(void *context, enum status status, const struct device *d)
{
    struct heard *h = context;

    assert_int_equal(status, ST_OK);
    snprintf(h->model_id, sizeof h->model_id, "%.*s", SLICE_FMT(d->model_id));
}

static void read_model(void *context)
{
    struct heard *h = context;

    device_get(h->f->identity, FIXTURE_HUB->name, SLICE("d1"), (slice){0}, on_model, h);
}

static void new_model_id_is_stored_and_told_once(void **state)
{
    struct fixture *f = *state;
    struct peer *p;

    heard = (struct heard){.f = f};
    f->before_start = listen;
    fixture_restart(f, 2);
    fixture_add_identity(f, "d1", "");
    for (int i = 0; i < 3; i++) { /* connected, model (the first time), disconnected */
        p = peer_create(f, 0, "d1");
        p->model_id = SLICE("dtmi:com:example:thermostat;1");
        peer_start(p);
        fixture_wait(f, &p->opened, 1, "open");
        fixture_wait(f, &heard.models, 1, "model");
        peer_close(p);
        fixture_wait(f, &heard.events, 2 * i + 3, "events");
    }
    assert_int_equal(heard.models, 1);
    fixture_on_worker(f, 0, read_model, &heard);
    assert_string_equal(heard.model_id, "dtmi:com:example:thermostat;1");
}

/* --- messages ------------------------------------------------------------------------------- */

static void session_message_comes_back_as_it_was(void **state)
{
    const struct session_message m = {
        .kind = MESSAGE_CALL,
        .status = ST_TIMEOUT,
        .slots = CREDENTIAL_ANY,
        .flag = true,
        .serial = 1ull << 60 | 5,
        .token = 7,
        .number = -3,
        .at = 1700000000000,
        .hub = SLICE("main"),
        .device_id = SLICE("d#1"),
        .name = SLICE("reboot"),
        .peer = SLICE("[::1]:1"),
        .text = SLICE("{}"),
    };
    BUF_CLEANUP struct buf bytes = {.max = 1024};
    struct session_message back;

    (void)state;
    session_message_encode(&m, &bytes);
    assert_true(session_message_decode(buf_slice(&bytes), &back));
    assert_int_equal(back.kind, m.kind);
    assert_int_equal(back.status, m.status);
    assert_int_equal(back.serial, m.serial);
    assert_int_equal(back.token, m.token);
    assert_int_equal(back.number, m.number);
    assert_int_equal(back.at, m.at);
    assert_true(back.flag && slice_equal(back.hub, m.hub) && slice_equal(back.text, m.text));
    assert_true(slice_equal(back.device_id, m.device_id) && back.module_id.len == 0);
    assert_true(slice_equal(back.name, m.name) && slice_equal(back.peer, m.peer));
    for (size_t len = 0; len < bytes.len; len++)
        assert_false(session_message_decode(slice_first(buf_slice(&bytes), len), &back));
}

static void activity_is_what_the_session_did_last(void **state)
{
    struct fixture *f = *state;
    struct peer *p = peer_open(f, 1, "d1");
    struct burst b = {p, 1};
    instant before = clock_wall_ms();
    struct session_info info;

    fixture_on_worker(f, 1, send_burst, &b);
    fixture_wait(f, &p->tokens, 1, "telemetry");
    info = query(f, 0, "d1");
    assert_true(info.last_activity_at >= before - 1000);
    assert_true(info.last_activity_at <= clock_wall_ms() + 1000);
    peer_close(p);
}

#define FIXTURE_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(session_opens_is_seen_and_closes),
        FIXTURE_TEST(H038_newest_session_wins_across_workers),
        FIXTURE_TEST(H039_device_and_modules_are_independent),
        FIXTURE_TEST(session_closed_while_opening_leaves_nothing),
        FIXTURE_TEST(drain_ends_all_and_lets_nobody_in),
        FIXTURE_TEST(H024_revoke_ends_the_sessions_of_its_slots),
        FIXTURE_TEST(revoke_takes_the_modules_along),
        FIXTURE_TEST(revoke_refuses_what_was_authenticated_before),
        FIXTURE_TEST(revoke_waits_for_messages_in_flight),
        FIXTURE_TEST(take_over_storm_has_one_live_session_at_most),
        FIXTURE_TEST(H147_session_ends_between_its_tokens_expiry_and_ten_minutes_after),
        FIXTURE_TEST(new_model_id_is_stored_and_told_once),
        cmocka_unit_test(session_message_comes_back_as_it_was),
        FIXTURE_TEST(activity_is_what_the_session_did_last),
    };

    return cmocka_run_group_tests_name("session", tests, NULL, NULL);
}
