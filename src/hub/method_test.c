#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "hub/hub_fixture.h"

struct call {
    struct fixture *f;
    struct method_request request;
    int done;
    enum status status;
    int64_t method_status;
    char payload[64];
};

static void on_answer(void *context, enum status status, int64_t method_status, slice payload,
                      const struct fault *why)
{
    struct call *c = context;

    (void)why;
    fixture_lock(c->f);
    c->status = status;
    c->method_status = method_status;
    snprintf(c->payload, sizeof c->payload, "%.*s", SLICE_FMT(payload));
    c->done++;
    fixture_unlock(c->f);
}

static void call_now(void *context)
{
    struct call *c = context;

    method_invoke(c->f->hub, &c->request, on_answer, c);
}

static struct call call_to(struct fixture *f, const char *device_id)
{
    return (struct call){
        .f = f,
        .request = {.hub_name = FIXTURE_HUB->name,
                    .device_id = slice_str(device_id),
                    .name = SLICE("reboot"),
                    .response_timeout_s = 30},
    };
}

static void start(struct call *c, unsigned worker)
{
    fixture_on_worker(c->f, worker, call_now, c);
}

static void expect(struct call *c, enum status status, const char *name)
{
    fixture_wait(c->f, &c->done, 1, name);
    if (c->status != status)
        fail_msg("%s: %s", name, status_name(c->status));
    assert_int_equal(c->done, 1);
}

struct responding {
    struct peer *peer;
    slice rid, payload;
    int64_t status;
};

static void respond_now(void *context)
{
    struct responding *r = context;

    method_respond(&r->peer->session, r->rid, r->status, r->payload);
}

static void respond(struct peer *p, const char *rid, int64_t status, slice payload)
{
    struct responding r = {p, slice_str(rid), payload, status};

    fixture_on_worker(p->f, p->worker, respond_now, &r);
}

static struct peer *open_for_methods(struct fixture *f, unsigned worker, const char *device_id)
{
    struct peer *p = peer_open(f, worker, device_id);

    peer_subscribe(p, SUB_METHODS);
    return p;
}

/* --- tests ---------------------------------------------------------------------------------- */

static void H081_method_is_answered_across_workers(void **state)
{
    struct fixture *f = *state;

    fixture_add_identity(f, "d1", "");
    for (unsigned i = 0; i < 9; i++) {
        struct peer *p = open_for_methods(f, i % 3, "d1");
        struct call with = call_to(f, "d1"), without = call_to(f, "d1");

        with.request.payload = SLICE("{\"delay\":1.50}");
        start(&with, i / 3);
        expect(&with, ST_OK, "with payload");
        assert_int_equal(with.method_status, 200);
        assert_string_equal(with.payload, "{\"delay\":1.50}");
        start(&without, i / 3);
        expect(&without, ST_OK, "without payload");
        assert_string_equal(without.payload, "null");
        peer_close(p);
    }
}

static void H140_requests_against_the_rules_are_refused(void **state)
{
    static uint8_t large[METHOD_PAYLOAD_MAX + 1];
    static const struct {
        const char *name, *method;
        int64_t response_s, connect_s;
        size_t payload;
        enum status status;
    } rows[] = {
        {"shortest", "m", 5, 0, 0, ST_NOT_ONLINE},
        {"too short", "m", 4, 0, 0, ST_BAD_REQUEST},
        {"longest", "m", 300, 0, 0, ST_NOT_ONLINE},
        {"too long", "m", 301, 0, 0, ST_BAD_REQUEST},
        {"connect too long", "m", 30, 301, 0, ST_BAD_REQUEST},
        {"connect negative", "m", 30, -1, 0, ST_BAD_REQUEST},
        {"name with a slash", "a/b", 30, 0, 0, ST_BAD_REQUEST},
        {"component command", "thermostat*reboot", 30, 0, 0, ST_NOT_ONLINE},
        {"largest payload", "m", 30, 0, METHOD_PAYLOAD_MAX, ST_NOT_ONLINE},
        {"payload too large", "m", 30, 0, METHOD_PAYLOAD_MAX + 1, ST_TOO_LARGE},
    };
    struct fixture *f = *state;

    fixture_add_identity(f, "d1", "");
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct call c = call_to(f, "d1");

        c.request.name = slice_str(rows[i].method);
        c.request.response_timeout_s = rows[i].response_s;
        c.request.connect_timeout_s = rows[i].connect_s;
        c.request.payload = slice_of(large, rows[i].payload);
        start(&c, 0);
        expect(&c, rows[i].status, rows[i].name);
    }
}

static void H141_method_without_a_channel_is_not_online(void **state)
{
    struct fixture *f = *state;
    struct call unknown = call_to(f, "none"), module = call_to(f, "d1"), away = call_to(f, "d1"),
                unsubscribed = call_to(f, "d1"), left = call_to(f, "d1");
    struct peer *p;

    fixture_add_identity(f, "d1", "");
    start(&unknown, 0);
    expect(&unknown, ST_DEVICE_NOT_FOUND, "unknown device");
    module.request.module_id = SLICE("m1");
    start(&module, 0);
    expect(&module, ST_MODULE_NOT_FOUND, "unknown module");
    start(&away, 0);
    expect(&away, ST_NOT_ONLINE, "away");
    p = peer_open(f, 1, "d1");
    start(&unsubscribed, 0);
    expect(&unsubscribed, ST_NOT_ONLINE, "not subscribed");
    peer_subscribe(p, SUB_METHODS);
    peer_subscribe(p, 0);
    start(&left, 2);
    expect(&left, ST_NOT_ONLINE, "unsubscribed");
    peer_close(p);
}

static void H083_only_the_subscribed_names_are_called(void **state)
{
    struct fixture *f = *state;
    struct call yes = call_to(f, "d1"), no = call_to(f, "d1");
    struct peer *p;

    fixture_add_identity(f, "d1", "");
    p = peer_open(f, 0, "d1");
    peer_subscribe_filters(p, SUB_METHODS, SLICE("stop\nreboot"));
    start(&yes, 1);
    expect(&yes, ST_OK, "named");
    no.request.name = SLICE("start");
    start(&no, 1);
    expect(&no, ST_NOT_ONLINE, "not named");
    peer_close(p);
}

static void call_waits_until_its_device_is_there(void **state)
{
    struct fixture *f = *state;
    struct call subscribed = call_to(f, "d1"), restored = call_to(f, "d2"),
                never = call_to(f, "d3");
    struct peer *p, *q;

    fixture_add_identity(f, "d1", "");
    fixture_add_identity(f, "d2", "");
    fixture_add_identity(f, "d3", "");
    subscribed.request.connect_timeout_s = restored.request.connect_timeout_s = 60;
    never.request.connect_timeout_s = 1;
    start(&subscribed, 0);
    start(&restored, 1);
    start(&never, 2);
    p = open_for_methods(f, 2, "d1");
    expect(&subscribed, ST_OK, "subscribed");
    q = peer_create(f, 1, "d2");
    q->stored_subscriptions = SUB_METHODS;
    peer_start(q);
    expect(&restored, ST_OK, "restored");
    expect(&never, ST_NOT_ONLINE, "never there");
    peer_close(p);
    peer_close(q);
}

static void lost_connection_answers_at_once_and_late_answers_are_dropped(void **state)
{
    struct fixture *f = *state;
    struct call c = call_to(f, "d1"), after = call_to(f, "d1");
    struct peer *p;

    fixture_add_identity(f, "d1", "");
    p = open_for_methods(f, 2, "d1");
    p->keeps_methods = true;
    start(&c, 0);
    fixture_wait(f, &p->methods, 1, "method");
    peer_close(p);
    expect(&c, ST_TIMEOUT, "lost");
    p = open_for_methods(f, 1, "d1");
    p->keeps_methods = true;
    start(&after, 0);
    fixture_wait(f, &p->methods, 1, "method");
    respond(p, "ff", 200, SLICE("1")); /* of no open call */
    respond(p, "", 200, SLICE("1"));
    respond(p, "../", 200, SLICE("1"));
    respond(p, p->rid, -7, SLICE("2"));
    respond(p, p->rid, 200, SLICE("3")); /* answered already */
    expect(&after, ST_OK, "answered");
    assert_int_equal(after.method_status, -7);
    assert_string_equal(after.payload, "2");
    peer_close(p);
}

static void bad_answers_are_told_from_good_ones(void **state)
{
    static char large[METHOD_PAYLOAD_MAX + 1];
    const struct {
        const char *name;
        slice payload;
        enum status status;
    } rows[] = {
        {"nothing", {0}, ST_OK},
        {"text", SLICE("\"x\""), ST_OK},
        {"no JSON", SLICE("{\"a\""), ST_BAD_ANSWER},
        {"largest", slice_of(large, METHOD_PAYLOAD_MAX), ST_OK},
        {"too large", slice_of(large, METHOD_PAYLOAD_MAX + 1), ST_BAD_ANSWER},
    };
    struct fixture *f = *state;
    struct peer *p;

    memset(large, ' ', sizeof large);
    large[0] = '1';
    fixture_add_identity(f, "d1", "");
    p = open_for_methods(f, 1, "d1");
    p->keeps_methods = true;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct call c = call_to(f, "d1");

        start(&c, 0);
        fixture_wait(f, &p->methods, (int)i + 1, "method");
        respond(p, p->rid, 200, rows[i].payload);
        expect(&c, rows[i].status, rows[i].name);
    }
    peer_close(p);
}

static void open_calls_of_a_device_are_limited_and_time_out(void **state)
{
    struct fixture *f = *state;
    struct call calls[METHOD_CALLS_PER_DEVICE + 1], again = call_to(f, "d1");
    struct peer *p;

    fixture_add_identity(f, "d1", "");
    p = open_for_methods(f, 1, "d1");
    p->keeps_methods = true;
    for (int i = 0; i <= METHOD_CALLS_PER_DEVICE; i++) {
        calls[i] = call_to(f, "d1");
        calls[i].request.response_timeout_s = 5;
        start(&calls[i], 0);
        if (i < METHOD_CALLS_PER_DEVICE)
            fixture_wait(f, &p->methods, i + 1, "method");
    }
    expect(&calls[METHOD_CALLS_PER_DEVICE], ST_THROTTLED, "one too many");
    for (int i = 0; i < METHOD_CALLS_PER_DEVICE; i++)
        expect(&calls[i], ST_TIMEOUT, "no answer");
    start(&again, 0); /* the places are free again */
    fixture_wait(f, &p->methods, METHOD_CALLS_PER_DEVICE + 1, "method");
    respond(p, p->rid, 200, (slice){0});
    expect(&again, ST_OK, "after the time-out");
    peer_close(p);
}

static void open_calls_of_the_process_are_limited(void **state)
{
    struct fixture *f = *state;
    struct call *calls = calloc(METHOD_CALLS_MAX + 1, sizeof *calls);
    struct peer *p;

    assert_non_null(calls);
    fixture_add_identity(f, "d1", "");
    for (int i = 0; i <= METHOD_CALLS_MAX; i++) {
        calls[i] = call_to(f, "d1");
        calls[i].request.connect_timeout_s = 60;
        start(&calls[i], 0);
    }
    expect(&calls[METHOD_CALLS_MAX], ST_THROTTLED, "one too many");
    p = open_for_methods(f, 2, "d1"); /* answers as many as it may have open, refuses the rest */
    for (int i = 0; i < METHOD_CALLS_MAX; i++)
        fixture_wait(f, &calls[i].done, 1, "calls");
    peer_close(p);
    free(calls);
}

#define FIXTURE_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(H081_method_is_answered_across_workers),
        FIXTURE_TEST(H140_requests_against_the_rules_are_refused),
        FIXTURE_TEST(H141_method_without_a_channel_is_not_online),
        FIXTURE_TEST(H083_only_the_subscribed_names_are_called),
        FIXTURE_TEST(call_waits_until_its_device_is_there),
        FIXTURE_TEST(lost_connection_answers_at_once_and_late_answers_are_dropped),
        FIXTURE_TEST(bad_answers_are_told_from_good_ones),
        FIXTURE_TEST(open_calls_of_a_device_are_limited_and_time_out),
        FIXTURE_TEST(open_calls_of_the_process_are_limited),
    };

    return cmocka_run_group_tests_name("method", tests, NULL, NULL);
}
