#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "hub/c2d_store.h"
#include "hub/hub_fixture.h"

struct sending {
    struct fixture *f;
    struct c2d_message message;
    bool is_purge;
    int done;
    enum status status;
    int64_t number;
};

static void on_sent(void *context, enum status status, int64_t number, const struct fault *why)
{
    struct sending *s = context;

    (void)why;
    fixture_lock(s->f);
    s->status = status;
    s->number = number;
    s->done++;
    fixture_unlock(s->f);
}

static void send_now(void *context)
{
    struct sending *s = context;
    const struct c2d_message *m = &s->message;

    if (s->is_purge)
        c2d_purge(s->f->hub, m->hub_name, m->device_id, m->module_id, on_sent, s);
    else
        c2d_send(s->f->hub, m, on_sent, s);
}

static void run(struct sending *s, unsigned worker)
{
    s->done = 0;
    s->message.hub_name = FIXTURE_HUB->name;
    if (s->message.device_id.len == 0)
        s->message.device_id = SLICE("d1");
    fixture_on_worker(s->f, worker, send_now, s);
    fixture_wait(s->f, &s->done, 1, "send");
}

static int64_t send(struct fixture *f, const char *body)
{
    struct sending s = {.f = f, .message = {.body = slice_str(body)}};

    run(&s, 0);
    assert_int_equal(s.status, ST_OK);
    return s.number;
}

/* --- feedback ------------------------------------------------------------------------------- */

struct feedback {
    struct fixture *f;
    int done, records;
    char text[8][512];
};

static void on_record(void *context, enum status status, const slice *record)
{
    struct feedback *b = context;

    assert_int_equal(status, ST_OK);
    fixture_lock(b->f);
    if (record)
        snprintf(b->text[b->records++ % 8], sizeof b->text[0], "%.*s", SLICE_FMT(*record));
    else
        b->done++;
    fixture_unlock(b->f);
}

static void list_now(void *context)
{
    struct feedback *b = context;

    c2d_feedback_list(b->f->hub, FIXTURE_HUB->name, SLICE("d1"), on_record, b);
}

static struct feedback feedback(struct fixture *f)
{
    struct feedback b = {.f = f};

    fixture_on_worker(f, 0, list_now, &b);
    fixture_wait(f, &b.done, 1, "feedback");
    return b;
}

/* --- settling ------------------------------------------------------------------------------- */

enum verb { COMPLETE, ABANDON, REJECT };
struct settling {
    struct peer *peer;
    int64_t sequence;
    enum verb verb;
};

static void settle_now(void *context)
{
    struct settling *s = context;
    static void (*const verbs[])(struct session *, int64_t) = {
        [COMPLETE] = c2d_complete, [ABANDON] = c2d_abandon, [REJECT] = c2d_reject};

    verbs[s->verb](&s->peer->session, s->sequence);
}

static void settle(struct peer *p, int64_t sequence, enum verb verb)
{
    struct settling s = {p, sequence, verb};

    fixture_on_worker(p->f, p->worker, settle_now, &s);
}

/* After this everything that was submitted before it is committed. */
static void flush(struct fixture *f)
{
    const struct hub_key none = {FIXTURE_HUB->name, SLICE("none"), {0}};
    struct unit *unit = unit_create(f->store);

    c2d_unit_mark_delivered(unit, &none, 0);
    assert_int_equal(unit_run(unit), ST_OK);
    unit_destroy(unit);
}

/* --- tests ---------------------------------------------------------------------------------- */

static void H068_messages_are_delivered_in_order_and_once(void **state)
{
    struct fixture *f = *state;
    struct peer *p;

    fixture_add_identity(f, "d1", "");
    for (int i = 0; i < 40; i++)
        assert_int_equal(send(f, "early"), i + 1);
    p = peer_open(f, 1, "d1");
    assert_int_equal(p->c2d, 0); /* not before it has subscribed */
    peer_subscribe(p, SUB_C2D);
    for (int i = 40; i < 60; i++)
        send(f, "late");
    fixture_wait(f, &p->c2d, 60, "deliveries");
    for (int i = 0; i < 60; i++) {
        assert_int_equal(p->sequence[i], i + 1);
        assert_false(p->again[i]);
    }
    peer_close(p);
    p = peer_open(f, 2, "d1");
    peer_subscribe(p, SUB_C2D);
    send(f, "new");
    fixture_wait(f, &p->c2d, 1, "delivery");
    assert_int_equal(p->sequence[0], 61);
    peer_close(p);
}

static void H063_sixteen_are_in_flight_at_most(void **state)
{
    struct fixture *f = *state;
    struct peer *p;

    fixture_add_identity(f, "d1", "");
    for (int i = 0; i < 20; i++)
        send(f, "x");
    p = peer_open(f, 1, "d1");
    p->holds_c2d = true;
    peer_subscribe(p, SUB_C2D);
    fixture_wait(f, &p->c2d, C2D_IN_FLIGHT_MAX, "deliveries");
    flush(f);
    assert_int_equal(p->c2d, C2D_IN_FLIGHT_MAX);
    settle(p, 3, COMPLETE);
    fixture_wait(f, &p->c2d, C2D_IN_FLIGHT_MAX + 1, "the next");
    assert_int_equal(p->sequence[C2D_IN_FLIGHT_MAX], C2D_IN_FLIGHT_MAX + 1);
    peer_close(p);
}

static void H132_queue_holds_fifty(void **state)
{
    struct fixture *f = *state;
    struct sending s = {.f = f, .message = {.body = SLICE("x")}};
    struct peer *p;

    fixture_add_identity(f, "d1", "");
    for (int i = 0; i < C2D_QUEUE_MAX; i++)
        send(f, "x");
    run(&s, 1);
    assert_int_equal(s.status, ST_QUEUE_FULL);
    p = peer_open(f, 1, "d1");
    p->holds_c2d = true;
    peer_subscribe(p, SUB_C2D);
    fixture_wait(f, &p->c2d, 1, "delivery");
    run(&s, 1); /* what is in flight counts too */
    assert_int_equal(s.status, ST_QUEUE_FULL);
    settle(p, p->sequence[0], COMPLETE);
    fixture_wait(f, &p->c2d, C2D_IN_FLIGHT_MAX + 1, "the next"); /* its place is free */
    run(&s, 1);
    assert_int_equal(s.status, ST_OK);
    peer_close(p);
}

static void sends_against_the_rules_are_refused(void **state)
{
    static uint8_t large[C2D_MESSAGE_MAX + 1];
    const struct {
        const char *name;
        struct c2d_message message;
        enum status status;
    } rows[] = {
        {"largest", {.body = slice_of(large, C2D_MESSAGE_MAX)}, ST_OK},
        {"too large", {.body = slice_of(large, C2D_MESSAGE_MAX + 1)}, ST_TOO_LARGE},
        {"too large with a property",
         {.body = slice_of(large, C2D_MESSAGE_MAX), .properties = SLICE("a=b")},
         ST_TOO_LARGE},
        {"no device", {.device_id = SLICE("none")}, ST_DEVICE_NOT_FOUND},
        {"no module", {.device_id = SLICE("d1"), .module_id = SLICE("m")}, ST_MODULE_NOT_FOUND},
    };
    struct fixture *f = *state;

    fixture_add_identity(f, "d1", "");
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct sending s = {.f = f, .message = rows[i].message};

        run(&s, 0);
        if (s.status != rows[i].status)
            fail_msg("%s: %s", rows[i].name, status_name(s.status));
    }
}

static void H069_unsettled_messages_come_again_and_are_marked(void **state)
{
    struct fixture *f = *state;
    struct peer *p, *q;

    fixture_add_identity(f, "d1", "");
    send(f, "one");
    send(f, "two");
    send(f, "three");
    p = peer_open(f, 0, "d1");
    p->holds_c2d = true;
    peer_subscribe(p, SUB_C2D);
    fixture_wait(f, &p->c2d, 3, "deliveries");
    settle(p, 2, COMPLETE);
    q = peer_open(f, 1, "d1"); /* takes over */
    send(f, "four");
    peer_subscribe(q, SUB_C2D);
    fixture_wait(f, &q->c2d, 3, "deliveries");
    assert_int_equal(q->sequence[0], 1);
    assert_int_equal(q->sequence[1], 3);
    assert_int_equal(q->sequence[2], 4);
    assert_true(q->again[0] && q->again[1] && !q->again[2]);
    peer_close(p);
    peer_close(q);
}

static void H067_queue_outlives_a_restart(void **state)
{
    struct fixture *f = *state;
    struct peer *p;

    fixture_add_identity(f, "d1", "");
    send(f, "kept");
    p = peer_open(f, 0, "d1");
    p->holds_c2d = true;
    peer_subscribe(p, SUB_C2D);
    fixture_wait(f, &p->c2d, 1, "delivery");
    peer_close(p);
    fixture_restart(f, 2);
    p = peer_open(f, 1, "d1");
    peer_subscribe(p, SUB_C2D);
    fixture_wait(f, &p->c2d, 1, "delivery");
    assert_string_equal(p->text, "kept");
    peer_close(p);
}

static void H160_module_has_a_queue_of_its_own(void **state)
{
    struct fixture *f = *state;
    struct sending s = {
        .f = f,
        .message = {.device_id = SLICE("d1"), .module_id = SLICE("m1"), .body = SLICE("module")},
    };
    struct peer *device, *module;

    fixture_add_identity(f, "d1", "");
    fixture_add_identity(f, "d1", "m1");
    send(f, "device");
    run(&s, 0);
    assert_int_equal(s.status, ST_OK);
    assert_int_equal(s.number, 1);
    device = peer_open(f, 0, "d1");
    module = peer_create(f, 1, "d1");
    module->module_id = "m1";
    peer_start(module);
    fixture_wait(f, &module->opened, 1, "open");
    peer_subscribe(device, SUB_C2D);
    peer_subscribe(module, SUB_C2D);
    fixture_wait(f, &device->c2d, 1, "device");
    fixture_wait(f, &module->c2d, 1, "module");
    assert_string_equal(device->text, "device");
    assert_string_equal(module->text, "module");
    peer_close(device);
    peer_close(module);
}

static void H134_outcomes_give_the_feedback_that_was_asked_for(void **state)
{
    static const struct {
        const char *name;
        unsigned ack;
        int abandons;
        enum verb verb;
        const char *outcome; /* NULL: no record */
    } rows[] = {
        {"complete, positive", C2D_ACK_POSITIVE, 0, COMPLETE, "\"statusCode\":\"Success\""},
        {"complete, full", C2D_ACK_FULL, 0, COMPLETE, "\"statusCode\":\"Success\""},
        {"complete, negative", C2D_ACK_NEGATIVE, 0, COMPLETE, NULL},
        {"complete, none", C2D_ACK_NONE, 0, COMPLETE, NULL},
        {"reject, full", C2D_ACK_FULL, 0, REJECT, "\"statusCode\":\"Rejected\""},
        {"reject, positive", C2D_ACK_POSITIVE, 0, REJECT, NULL},
        {"abandoned too often", C2D_ACK_NEGATIVE, 9, ABANDON,
         "\"statusCode\":\"DeliveryCountExceeded\""},
    };
    struct fixture *f = *state;
    int records = 0;
    struct peer *p;

    fixture_add_identity(f, "d1", "");
    p = peer_open(f, 1, "d1");
    p->holds_c2d = true;
    peer_subscribe(p, SUB_C2D);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct sending s = {.f = f, .message = {.properties = SLICE("%24.mid=id-7")}};
        int before = p->c2d;
        struct feedback b;

        memcpy(&s.message.ack, &rows[i].ack, sizeof s.message.ack);
        run(&s, 0);
        for (int n = 0; n <= rows[i].abandons; n++) {
            fixture_wait(f, &p->c2d, before + n + 1, rows[i].name);
            assert_int_equal(p->again[p->c2d - 1], n > 0);
            settle(p, s.number, rows[i].verb);
        }
        flush(f);
        b = feedback(f);
        records += rows[i].outcome != NULL;
        if (b.records != records ||
            (rows[i].outcome && (!strstr(b.text[records - 1], rows[i].outcome) ||
                                 !strstr(b.text[records - 1], "\"originalMessageId\":\"id-7\""))))
            fail_msg("%s: %d records", rows[i].name, b.records);
    }
    peer_close(p);
}

static void H134_expired_messages_are_not_delivered_but_told_of(void **state)
{
    struct fixture *f = *state;
    struct sending expired = {
        .f = f, .message = {.expires_at = 1, .ack = C2D_ACK_NEGATIVE, .body = SLICE("expired")}};
    struct feedback b;
    struct peer *p;

    fixture_add_identity(f, "d1", "");
    for (int i = 0; i < 3; i++)
        run(&expired, 0);
    send(f, "good");
    p = peer_open(f, 1, "d1");
    p->holds_c2d = true;
    peer_subscribe(p, SUB_C2D);
    fixture_wait(f, &p->c2d, 1, "delivery");
    assert_string_equal(p->text, "good");
    peer_close(p); /* behind the outcomes, which it waits for */
    b = feedback(f);
    assert_int_equal(b.records, 3);
    assert_non_null(strstr(b.text[0], "\"statusCode\":\"Expired\""));
}

static void queue_full_of_expired_messages_has_room(void **state)
{
    struct fixture *f = *state;
    struct sending expired = {.f = f, .message = {.expires_at = 1}};

    fixture_add_identity(f, "d1", "");
    for (int i = 0; i < C2D_QUEUE_MAX; i++)
        run(&expired, 0);
    send(f, "good");
}

static void purge_empties_the_queue_and_says_so(void **state)
{
    struct fixture *f = *state;
    struct sending s = {.f = f, .message = {.ack = C2D_ACK_FULL}};
    struct feedback b;
    struct peer *p;

    fixture_add_identity(f, "d1", "");
    for (int i = 0; i < 5; i++)
        run(&s, 0);
    s.is_purge = true;
    run(&s, 1);
    assert_int_equal(s.status, ST_OK);
    assert_int_equal(s.number, 5);
    b = feedback(f);
    assert_int_equal(b.records, 5);
    assert_non_null(strstr(b.text[0], "\"statusCode\":\"Purged\""));
    run(&s, 1);
    assert_int_equal(s.number, 0);
    for (int i = 0; i < C2D_QUEUE_MAX; i++)
        send(f, "x"); /* all places are free */
    p = peer_open(f, 1, "d1");
    p->holds_c2d = true;
    peer_subscribe(p, SUB_C2D);
    fixture_wait(f, &p->c2d, 1, "delivery");
    run(&s, 1);
    settle(p, p->sequence[0], COMPLETE); /* gone already: ignored */
    send(f, "after");
    peer_close(p);
}

static void forgotten_device_leaves_no_message(void **state)
{
    struct fixture *f = *state;
    struct unit *unit;
    struct peer *p;

    fixture_add_identity(f, "d1", "");
    send(f, "old");
    unit = unit_create(f->store);
    hub_unit_forget(unit, FIXTURE_HUB->name, SLICE("d1"), (slice){0});
    assert_int_equal(unit_run(unit), ST_OK);
    unit_destroy(unit);
    p = peer_open(f, 0, "d1");
    peer_subscribe(p, SUB_C2D);
    send(f, "new");
    fixture_wait(f, &p->c2d, 1, "delivery");
    assert_string_equal(p->text, "new");
    peer_close(p);
}

#define FIXTURE_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(H068_messages_are_delivered_in_order_and_once),
        FIXTURE_TEST(H063_sixteen_are_in_flight_at_most),
        FIXTURE_TEST(H132_queue_holds_fifty),
        FIXTURE_TEST(sends_against_the_rules_are_refused),
        FIXTURE_TEST(H069_unsettled_messages_come_again_and_are_marked),
        FIXTURE_TEST(H067_queue_outlives_a_restart),
        FIXTURE_TEST(H160_module_has_a_queue_of_its_own),
        FIXTURE_TEST(H134_outcomes_give_the_feedback_that_was_asked_for),
        FIXTURE_TEST(H134_expired_messages_are_not_delivered_but_told_of),
        FIXTURE_TEST(queue_full_of_expired_messages_has_room),
        FIXTURE_TEST(purge_empties_the_queue_and_says_so),
        FIXTURE_TEST(forgotten_device_leaves_no_message),
    };

    return cmocka_run_group_tests_name("c2d", tests, NULL, NULL);
}
