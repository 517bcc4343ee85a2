#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "hub/hub_fixture.h"

/* --- sending -------------------------------------------------------------------------------- */

struct sending {
    struct peer *peer;
    struct telemetry telemetry;
    int count;
    bool marks; /* a marker behind each */
    uint32_t token;
    enum status status;
};

static void send_now(void *context)
{
    struct sending *s = context;
    struct fault why;

    for (int i = 0; i < s->count; i++) {
        s->status = telemetry_send(&s->peer->session, &s->telemetry, s->token++, &why);
        if (s->marks)
            telemetry_marker(&s->peer->session, s->token++);
    }
}

static enum status send(struct peer *p, struct telemetry t)
{
    struct sending s = {.peer = p, .telemetry = t, .count = 1, .token = 1};

    fixture_on_worker(p->f, p->worker, send_now, &s);
    return s.status;
}

static void tokens_come_back_in_order(void **state)
{
    struct fixture *f = *state;
    struct peer *p = peer_open(f, 1, "d1");
    struct sending s = {
        .peer = p, .telemetry = {.body = SLICE("{}")}, .count = 50, .marks = true, .token = 1};

    fixture_on_worker(f, 1, send_now, &s);
    fixture_wait(f, &p->tokens, 100, "tokens");
    for (int i = 0; i < 100; i++) {
        assert_int_equal(p->token[i], i + 1);
        assert_int_equal(p->token_status[i], ST_OK);
    }
    assert_false(telemetry_pending(&p->session));
    peer_close(p);
}

static void marker_with_nothing_before_it_is_through_at_once(void **state)
{
    struct fixture *f = *state;
    struct peer *p = peer_open(f, 0, "d1");
    struct sending s = {.peer = p, .telemetry = {.bag = SLICE("")}, .count = 1, .token = 7};

    s.marks = true;
    fixture_on_worker(f, 0, send_now, &s);
    fixture_wait(f, &p->tokens, 2, "tokens");
    assert_int_equal(p->token[1], 8);
    peer_close(p);
}

/* --- what is refused ------------------------------------------------------------------------ */

static void H061_message_size_and_property_count_have_limits(void **state)
{
    static uint8_t bytes[D2C_MESSAGE_MAX + 1];
    static char many[4 * 300], percent[3 * 1000 + 3];
    struct fixture *f = *state;
    struct peer *p = peer_open(f, 0, "d1");
    const struct {
        const char *name;
        size_t body;
        slice bag;
        enum status status;
    } rows[] = {
        {"largest body", D2C_MESSAGE_MAX, {0}, ST_OK},
        {"a byte too much", D2C_MESSAGE_MAX + 1, {0}, ST_TOO_LARGE},
        {"body and property fill it", D2C_MESSAGE_MAX - 3, SLICE("a=bc"), ST_OK},
        {"property is too much", D2C_MESSAGE_MAX - 2, SLICE("a=bc"), ST_TOO_LARGE},
        {"a system key does not count", D2C_MESSAGE_MAX - 2, SLICE("%24.mid=bc"), ST_OK},
        {"encoded bytes count once", D2C_MESSAGE_MAX - 1001, slice_of(percent, 3002), ST_OK},
        {"256 properties", 0, slice_of(many, 4 * 256), ST_OK},
        {"257 properties", 0, slice_of(many, 4 * 257), ST_BAD_REQUEST},
    };

    for (size_t i = 0; i < sizeof many / 4; i++) {
        many[4 * i] = (char)('a' + i % 26);
        many[4 * i + 1] = (char)('a' + i / 26);
        many[4 * i + 2] = '=';
        many[4 * i + 3] = '&';
    }
    memcpy(percent, "a=", 2);
    for (size_t i = 0; i < 1000; i++)
        memcpy(percent + 2 + 3 * i, "%20", 3);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        enum status status =
            send(p, (struct telemetry){.bag = rows[i].bag, .body = slice_of(bytes, rows[i].body)});

        if (status != rows[i].status)
            fail_msg("%s: %s", rows[i].name, status_name(status));
    }
    peer_close(p);
}

/* --- reading back --------------------------------------------------------------------------- */

struct read_back {
    struct fixture *f;
    unsigned partition;
    int records, ended;
    char json[8192];
    bool hidden;
    enum status status;
    struct d2c_message first; /* without its slices */
    char auth[128], model[64], module[64];
};

static bool on_record(void *context, const struct log_record *record)
{
    struct read_back *r = context;
    BUF_CLEANUP struct buf json = {.max = sizeof r->json};
    struct d2c_message m;

    assert_int_equal(d2c_message_parse(record, &m), ST_OK);
    assert_int_equal(d2c_message_write_json(&m, &json), ST_OK);
    snprintf(r->json, sizeof r->json, "%.*s", SLICE_FMT(buf_slice(&json)));
    snprintf(r->auth, sizeof r->auth, "%.*s", SLICE_FMT(m.auth_method));
    snprintf(r->model, sizeof r->model, "%.*s", SLICE_FMT(m.model_id));
    snprintf(r->module, sizeof r->module, "%.*s", SLICE_FMT(m.module_id));
    r->hidden = d2c_message_is_hidden(&m);
    r->first = m;
    r->records++;
    return true;
}

static void on_end(void *context, enum status status, uint64_t next)
{
    struct read_back *r = context;

    (void)next;
    fixture_lock(r->f);
    r->status = status;
    r->ended++;
    fixture_unlock(r->f);
}

static void read_now(void *context)
{
    struct read_back *r = context;

    log_read(r->f->log, r->partition, 0, 1000, on_record, on_end, r);
}

static void read_back(struct read_back *r, struct fixture *f, const char *device_id)
{
    *r = (struct read_back){.f = f, .partition = log_partition_of(f->log, slice_str(device_id))};
    fixture_on_worker(f, 0, read_now, r);
    fixture_wait(f, &r->ended, 1, "read");
    assert_int_equal(r->status, ST_OK);
}

static void assert_holds(const char *json, const char *part)
{
    if (!strstr(json, part))
        fail_msg("'%s' is not in %s", part, json);
}

static void H146_acknowledged_message_outlives_a_restart(void **state)
{
    struct fixture *f = *state;
    struct peer *p = peer_open(f, 0, "d1");
    struct read_back r;

    assert_int_equal(send(p, (struct telemetry){.body = SLICE("{\"t\":21.50}")}), ST_OK);
    fixture_wait(f, &p->tokens, 1, "token");
    peer_close(p);
    fixture_restart(f, 2);
    read_back(&r, f, "d1");
    assert_int_equal(r.records, 1);
    assert_holds(r.json, "\"body\":{\"t\":21.50}");
}

static void H142_identity_is_stamped_and_never_taken_from_the_client(void **state)
{
    struct fixture *f = *state;
    struct peer *p = peer_create(f, 1, "d1");
    struct read_back r;

    p->module_id = "m1";
    p->model_id = SLICE("dtmi:a:b;1");
    peer_start(p);
    fixture_wait(f, &p->opened, 1, "open");
    assert_int_equal(
        send(p,
             (struct telemetry){
                 .bag = SLICE("%24.mid=m%26m&$.cdid=other&iothub-connection-device-id=other"
                              "&iothub-enqueuedtime=1&dt-dataschema=other&colour=dark%20blue&flag"),
                 .body = SLICE("plain \"text\""),
                 .retain = true,
                 .will = true}),
        ST_OK);
    fixture_wait(f, &p->tokens, 1, "token");
    peer_close(p);
    read_back(&r, f, "d1");
    assert_int_equal(r.records, 1);
    assert_holds(r.json, "\"iothub-connection-device-id\":\"d1\"");
    assert_holds(r.json, "\"iothub-connection-module-id\":\"m1\"");
    assert_holds(r.json, "\"message-id\":\"m&m\"");
    assert_holds(r.json, "\"properties\":{\"colour\":\"dark blue\",\"flag\":null,"
                         "\"mqtt-retain\":\"true\"}");
    assert_holds(r.json, "\"iothub-MessageType\":\"Will\"");
    assert_holds(r.json, "\"dt-dataschema\":\"dtmi:a:b;1\"");
    assert_holds(r.json, "\"body\":\"plain \\\"text\\\"\"");
    assert_null(strstr(r.json, "other"));
    assert_holds(r.auth, "\"scope\":\"module\",\"type\":\"sas\"");
    assert_string_equal(r.model, "dtmi:a:b;1");
}

static void body_is_shown_as_what_it_is(void **state)
{
    static const struct {
        const char *name;
        slice body;
        const char *shown;
    } rows[] = {
        {"object", {(const uint8_t *)"{\"a\":1}", 7}, "\"body\":{\"a\":1}"},
        {"number", {(const uint8_t *)"1.50", 4}, "\"body\":1.50"},
        {"nothing", {(const uint8_t *)"", 0}, "\"body\":\"\""},
        {"broken JSON", {(const uint8_t *)"{\"a\"", 4}, "\"body\":\"{\\\"a\\\"\""},
        {"bytes", {(const uint8_t *)"\xff\x00", 2}, "\"bodyBase64\":\"/wA=\""},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct d2c_message m = {.device_id = SLICE("d"), .body = rows[i].body};
        BUF_CLEANUP struct buf json = {.max = 4096};

        assert_int_equal(d2c_message_write_json(&m, &json), ST_OK);
        buf_append_byte(&json, 0);
        if (!strstr((const char *)json.ptr, rows[i].shown))
            fail_msg("%s: %s", rows[i].name, (const char *)json.ptr);
    }
}

static void H163_security_agent_messages_are_hidden(void **state)
{
    static const struct {
        const char *bag;
        bool hidden;
    } rows[] = {
        {"$.ifid=urn:azureiot:Security:SecurityAgent:1", true},
        {"a=b&%24.ifid=urn%3Aazureiot%3ASecurity%3ASecurityAgent%3A1", true},
        {"%24.%69fid=urn:azureiot:Security:SecurityAgent:1", true},
        {"$.ifid=urn:other", false},
        {"a=urn:azureiot:Security:SecurityAgent:1", false},
        {"", false},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct d2c_message m = {.bag = slice_str(rows[i].bag)};

        if (d2c_message_is_hidden(&m) != rows[i].hidden)
            fail_msg("%s", rows[i].bag);
    }
}

static void record_cut_short_is_no_record(void **state)
{
    struct log_record record = {0};
    struct d2c_message m;

    (void)state;
    assert_int_equal(d2c_message_parse(&record, &m), ST_INTERNAL);
    record.bytes = SLICE("\x01\x00\x00\x01\x00\x00\x00\x00x");
    assert_int_equal(d2c_message_parse(&record, &m), ST_INTERNAL);
    record.bytes = SLICE("\x02\x00\x00\x00\x00\x00\x00\x00");
    assert_int_equal(d2c_message_parse(&record, &m), ST_INTERNAL);
}

#define FIXTURE_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(tokens_come_back_in_order),
        FIXTURE_TEST(marker_with_nothing_before_it_is_through_at_once),
        FIXTURE_TEST(H061_message_size_and_property_count_have_limits),
        FIXTURE_TEST(H146_acknowledged_message_outlives_a_restart),
        FIXTURE_TEST(H142_identity_is_stamped_and_never_taken_from_the_client),
        cmocka_unit_test(body_is_shown_as_what_it_is),
        cmocka_unit_test(H163_security_agent_messages_are_hidden),
        cmocka_unit_test(record_cut_short_is_no_record),
    };

    return cmocka_run_group_tests_name("telemetry", tests, NULL, NULL);
}
