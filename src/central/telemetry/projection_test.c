#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <sched.h>

#include "central/telemetry/projection.h"
#include "central/telemetry/telemetry.h"
#include "hub/d2c_record.h"
#include "provisioning/provisioning_testing.h"

#define DAY_MS INT64_C(86400000)
#define WAIT_MS 20000
#define TEXT_MAX 4096

static const struct projection_options options = {
    .retention_ms = 30 * DAY_MS, .device_messages = 1000, .device_bytes = 1 << 20, .pace_ms = 1};

/* --- a server's lower floors, a projection and devices -----------------------------------------
 */

struct world {
    struct fixture *f;
    struct central *central;
    struct projection *projection;
};

/* The projection begins with the workers, when `projects`. */
static void open_world(struct world *w, const struct projection_options *o)
{
    struct fault why = {0};

    fixture_open_base(w->f, &central_schema);
    w->central = central_create(w->f->ws, w->f->st, w->f->bus, w->f->id, w->f->hub, &why);
    assert_non_null(w->central);
    if (o) {
        w->projection = projection_create(w->f->ws, w->f->st, w->f->bus, w->f->log, o, &why);
        if (!w->projection)
            fail_msg("%s", why.text);
    }
    assert_true(workers_start(w->f->ws, &why));
}

static void close_world(struct world *w)
{
    workers_stop(w->f->ws);
    projection_destroy(w->projection);
    w->projection = NULL;
    central_destroy(w->central);
    fixture_close(w->f);
    w->f->p = NULL;
}

static void reopen(struct world *w, const struct projection_options *o)
{
    close_world(w);
    open_world(w, o);
}

static int setup_quiet(void **state)
{
    struct world *w = calloc(1, sizeof *w);

    assert_non_null(w);
    w->f = fixture_create();
    open_world(w, NULL);
    *state = w;
    return 0;
}

static int setup(void **state)
{
    setup_quiet(state);
    reopen(*state, &options);
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    close_world(w);
    fixture_remove(w->f);
    free(w);
    return 0;
}

static void add_device(struct world *w, const char *id)
{
    struct unit *unit = unit_create(w->f->st);
    const struct device_new n = {.hub = SLICE("main"),
                                 .id = slice_str(id),
                                 .enabled = true,
                                 .approved = true,
                                 .provisioned = true,
                                 .auth = AUTH_SAS,
                                 .now = clock_wall_ms()};

    assert_non_null(unit);
    device_unit_insert(unit, w->f->id, &n);
    assert_int_equal(unit_run(unit), ST_OK);
    unit_destroy(unit);
}

/* --- sending -------------------------------------------------------------------------------------
 */

struct sending {
    struct world *w;
    const char *id, *bag, *body, *module_id;
    char generation[40];
    instant enqueued_at;
    unsigned times;
    struct log_waiter waiter; /* of the last */
    sem_t done;
};

static void on_sent(struct log_waiter *waiter, uint32_t token, enum status status)
{
    struct sending *s = (struct sending *)((char *)waiter - offsetof(struct sending, waiter));

    (void)token;
    assert_int_equal(status, ST_OK);
    if (waiter->pending == 0)
        sem_post(&s->done);
}

static void run_send(void *context)
{
    struct sending *s = context;
    struct d2c_stamp stamp = {.slot = CREDENTIAL_PRIMARY,
                              .hub = SLICE("main"),
                              .device_id = slice_str(s->id),
                              .module_id = slice_str(s->module_id),
                              .generation_id = slice_str(s->generation)};
    size_t stamp_len = d2c_stamp_size(&stamp);
    uint8_t head[D2C_RECORD_HEAD], stamp_bytes[512];
    const slice bag = slice_str(s->bag);
    unsigned partition = log_partition_of(s->w->f->log, stamp.device_id);

    assert_true(stamp_len <= sizeof stamp_bytes);
    d2c_stamp_write(&stamp, stamp_bytes);
    d2c_head_write(0, stamp_len, bag.len, head);
    for (unsigned i = 0; i < s->times; i++) {
        BUF_CLEANUP struct buf body = {.max = TEXT_MAX};

        buf_printf(&body, s->body, i);
        const slice parts[] = {slice_of(head, sizeof head), slice_of(stamp_bytes, stamp_len), bag,
                               buf_slice(&body)};
        assert_true(log_append(s->w->f->log, partition, s->enqueued_at, parts, COUNT_OF(parts),
                               &s->waiter, 0));
    }
}

/* Until it is durable. "%u" in the body is the message's number, from 0. */
static void sends(struct sending s)
{
    struct device_facts facts = fixture_device(s.w->f, s.id);

    if (!s.generation[0])
        snprintf(s.generation, sizeof s.generation, "%s", facts.generation_id);
    s.enqueued_at = s.enqueued_at ? s.enqueued_at : clock_wall_ms();
    s.times = s.times ? s.times : 1;
    s.waiter.on_done = on_sent;
    sem_init(&s.done, 0, 0);
    fixture_post(s.w->f, 0, run_send, &s);
    fixture_wait(&s.done);
    sem_destroy(&s.done);
}

static void send(struct world *w, const char *id, const char *bag, const char *body)
{
    sends((struct sending){.w = w, .id = id, .bag = bag, .body = body});
}

/* --- looking -------------------------------------------------------------------------------------
 */

static const struct sql told_sql = {"SELECT next_offset FROM telemetry_position"};
static const struct sql messages_sql = {"SELECT COALESCE(SUM(messages), 0) FROM telemetry_history"};
static const struct sql counted_sql = {"SELECT COALESCE(SUM(messages), 0) FROM telemetry_device"};
static const struct sql counted_bytes_sql = {
    "SELECT COALESCE(SUM(bytes), 0) FROM telemetry_device"};
static const struct sql bytes_sql = {
    "SELECT COALESCE(SUM(length(body)), 0) FROM telemetry_history"};
static const struct sql devices_sql = {"SELECT count(*) FROM telemetry_device"};
static const struct sql gone_sql = {"SELECT count(*) FROM telemetry_gone"};

/* Until the number is that. */
static void wait_for(struct world *w, const struct sql *sql, int64_t want)
{
    int64_t until = clock_mono_ms() + WAIT_MS;

    while (fixture_number(w->f, sql) != want) {
        if (clock_mono_ms() > until)
            fail_msg("%s: %lld, not %lld", sql->text, (long long)fixture_number(w->f, sql),
                     (long long)want);
        sched_yield();
    }
}

/* Until the projection has seen so many messages of the log, of any device. */
static void wait_told(struct world *w, int64_t offset)
{
    wait_for(w, &told_sql, offset);
}

static int64_t number(struct world *w, const struct sql *sql)
{
    return fixture_number(w->f, sql);
}

struct looking {
    struct world *w;
    const char *id;
    struct history_filter filter;
    /* the answer */
    enum status status;
    char text[TEXT_MAX];
    bool more;
    uint64_t before;
    size_t items;
    sem_t done;
};

static void note(struct looking *l, slice part)
{
    size_t len = strlen(l->text);

    snprintf(l->text + len, sizeof l->text - len, "%.*s ", SLICE_FMT(part));
}

static void on_last(void *context, enum status status, const struct device_model *m, slice packed,
                    int64_t mismatches, const struct fault *why)
{
    struct looking *l = context;
    struct reader r = {.rest = packed};
    struct last_value v;

    (void)m, (void)mismatches;
    (void)why;
    l->status = status;
    while (last_values_next(&r, &v)) {
        if (v.component.len > 0)
            note(l, v.component);
        note(l, v.name);
        note(l, v.value);
    }
    sem_post(&l->done);
}

static bool on_item(void *context, const struct history_item *item)
{
    struct looking *l = context;

    l->items++;
    note(l, l->filter.name.len > 0 ? item->value : item->body);
    return true;
}

static void on_end(void *context, enum status status, bool more, uint64_t before,
                   const struct fault *why)
{
    struct looking *l = context;

    (void)why;
    l->status = status;
    l->more = more;
    l->before = before;
    sem_post(&l->done);
}

static void run_last(void *context)
{
    struct looking *l = context;

    central_telemetry_last(l->w->central, slice_str(l->id), on_last, l);
}

static void run_history(void *context)
{
    struct looking *l = context;

    central_history_read(l->w->central, slice_str(l->id), &l->filter, on_item, on_end, l);
}

static struct looking looks(struct looking l, void (*run)(void *context))
{
    sem_init(&l.done, 0, 0);
    fixture_post(l.w->f, 1, run, &l);
    fixture_wait(&l.done);
    sem_destroy(&l.done);
    return l;
}

static void expect_last(struct world *w, const char *id, const char *values)
{
    struct looking l = looks((struct looking){.w = w, .id = id}, run_last);

    assert_int_equal(l.status, ST_OK);
    assert_string_equal(l.text, values);
}

/* A page of values of a name, or of whole messages. */
static struct looking history(struct world *w, const char *id, const char *name, uint64_t before,
                              unsigned limit)
{
    return looks(
        (struct looking){
            .w = w,
            .id = id,
            .filter = {.name = slice_str(name), .to = INT64_MAX, .before = before, .limit = limit}},
        run_history);
}

/* --- what it shows
 * -------------------------------------------------------------------------------- */

static void C088_values_of_devices_and_components_are_kept(void **state)
{
    struct world *w = *state;

    add_device(w, "Pump-1");
    send(w, "Pump-1", "", "{\"t\":21.50,\"h\":40}");
    send(w, "Pump-1", "%24.sub=motor", "{\"t\":80}");
    send(w, "Pump-1", "", "{\"t\":22.00}");
    wait_told(w, 3);
    expect_last(w, "pump-1", "h 40 t 22.00 motor t 80 ");
    assert_string_equal(history(w, "pump-1", "t", UINT64_MAX, 10).text, "22.00 21.50 ");
    assert_string_equal(history(w, "pump-1", "", UINT64_MAX, 10).text,
                        "{\"t\":22.00} {\"t\":80} {\"t\":21.50,\"h\":40} ");
    assert_int_equal(looks((struct looking){.w = w, .id = "none"}, run_last).status,
                     ST_DEVICE_NOT_FOUND);
}

static void C088_values_go_by_the_time_that_they_speak_of(void **state)
{
    struct world *w = *state;
    struct looking l;

    add_device(w, "d");
    send(w, "d", "iothub-creation-time-utc=2020-01-01T00%3A00%3A10Z", "{\"t\":1}");
    send(w, "d", "iothub-creation-time-utc=2020-01-01T00%3A00%3A00Z", "{\"t\":2}");
    wait_told(w, 2);
    expect_last(w, "d", "t 1 ");
    l = looks((struct looking){.w = w,
                               .id = "d",
                               .filter = {.name = SLICE("t"),
                                          .from = INT64_C(1577836799000),
                                          .to = INT64_C(1577836805000),
                                          .before = UINT64_MAX,
                                          .limit = 10}},
              run_history);
    assert_string_equal(l.text, "2 ");
}

static void C092_numbers_beyond_64_bits_come_back_as_they_went(void **state)
{
    struct world *w = *state;

    add_device(w, "d");
    send(w, "d", "", "{\"n\":9223372036854775807,\"m\":123456789012345678901234567890.10}");
    wait_told(w, 1);
    expect_last(w, "d", "m 123456789012345678901234567890.10 n 9223372036854775807 ");
}

static void batches_and_what_is_no_json_are_kept(void **state)
{
    struct world *w = *state;

    add_device(w, "d");
    send(w, "d", "", "[{\"t\":1},{\"t\":2}]");
    send(w, "d", "", "{\"t\":3}\n{\"h\":4}");
    send(w, "d", "", "no json");
    send(w, "d", "", "");
    wait_told(w, 4);
    expect_last(w, "d", "h 4 t 3 ");
    assert_string_equal(history(w, "d", "t", UINT64_MAX, 10).text, "3 1 2 ");
    assert_int_equal(history(w, "d", "", UINT64_MAX, 10).items, 4);
}

static void messages_of_modules_and_strangers_are_passed_over(void **state)
{
    struct world *w = *state;

    add_device(w, "d");
    sends((struct sending){.w = w, .id = "d", .module_id = "m", .bag = "", .body = "{\"t\":1}"});
    sends((struct sending){
        .w = w, .id = "stranger", .generation = "1", .bag = "", .body = "{\"t\":1}"});
    sends((struct sending){.w = w,
                           .id = "d",
                           .bag = "%24.ifid=urn:azureiot:Security:SecurityAgent:1",
                           .body = "{\"t\":1}"});
    wait_told(w, 3);
    assert_int_equal(number(w, &devices_sql), 0);
    assert_int_equal(number(w, &messages_sql), 0);
}

static void pages_go_on_where_the_last_ended(void **state)
{
    struct world *w = *state;
    uint64_t before = UINT64_MAX;
    char text[TEXT_MAX] = "", want[TEXT_MAX] = "";
    struct looking l;

    add_device(w, "d");
    sends((struct sending){.w = w, .id = "d", .bag = "", .body = "{\"n\":%u}", .times = 600});
    wait_told(w, 600);
    do {
        l = history(w, "d", "n", before, 250);
        assert_true(l.items > 0 || !l.more);
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s", l.text);
        before = l.before;
    } while (l.more);
    for (int i = 599; i >= 0; i--)
        snprintf(want + strlen(want), sizeof want - strlen(want), "%d ", i);
    assert_string_equal(text, want);
}

/* --- restarts
 * ------------------------------------------------------------------------------------- */

static void what_came_while_nobody_looked_is_caught_up_with(void **state)
{
    struct world *w = *state;

    add_device(w, "d");
    sends((struct sending){.w = w, .id = "d", .bag = "", .body = "{\"n\":%u}", .times = 300});
    assert_int_equal(number(w, &messages_sql), 0);
    reopen(w, &options);
    wait_told(w, 300);
    assert_int_equal(number(w, &messages_sql), 300);
    expect_last(w, "d", "n 299 ");
}

/* As after a kill between two groups of a step: some devices are told, the position is not. */
static void a_step_done_again_changes_nothing(void **state)
{
    static const struct sql back_sql = {"UPDATE telemetry_position SET next_offset = ?1"};
    struct world *w = *state;
    char id[16];

    for (int i = 0; i < PROJECTION_GROUP + 6; i++) {
        snprintf(id, sizeof id, "dev-%d", i);
        add_device(w, id);
        sends((struct sending){.w = w, .id = id, .bag = "", .body = "{\"n\":%u}", .times = 3});
    }
    wait_told(w, 3 * (PROJECTION_GROUP + 6));
    for (int64_t back = 0; back <= 7; back += 7) {
        struct unit *unit = unit_create(w->f->st);

        unit_add(unit, &back_sql, (const struct sql_value[]){SQL_INT_(back)}, 1, EXPECT_ONE);
        assert_int_equal(unit_run(unit), ST_OK);
        unit_destroy(unit);
        reopen(w, &options);
        wait_told(w, 3 * (PROJECTION_GROUP + 6));
        assert_int_equal(number(w, &messages_sql), 3 * (PROJECTION_GROUP + 6));
        assert_int_equal(number(w, &counted_sql), 3 * (PROJECTION_GROUP + 6));
        assert_string_equal(history(w, "dev-0", "n", UINT64_MAX, 10).text, "2 1 0 ");
    }
    expect_last(w, "dev-69", "n 2 ");
}

/* --- bounds
 * --------------------------------------------------------------------------------------- */

static void what_is_too_old_is_deleted(void **state)
{
    struct world *w = *state;

    add_device(w, "d");
    for (int i = 0; i < 3; i++)
        sends((struct sending){.w = w,
                               .id = "d",
                               .bag = "",
                               .body = "{\"n\":%u}",
                               .times = 300,
                               .enqueued_at = clock_wall_ms() - 31 * DAY_MS});
    send(w, "d", "", "{\"n\":7}");
    reopen(w, &options);
    wait_told(w, 901);
    /* A row goes as a whole, once the last of it is too old: 901 are 3 rows of 256 and one more. */
    wait_for(w, &messages_sql, 901 - 3 * 256);
    assert_int_equal(number(w, &counted_sql), 901 - 3 * 256);
    assert_int_equal(number(w, &bytes_sql), number(w, &counted_bytes_sql));
    expect_last(w, "d", "n 7 ");
}

static void a_device_has_a_bound_of_its_own(void **state)
{
    struct world *w = *state;
    int64_t told = 0;

    add_device(w, "loud");
    add_device(w, "quiet");
    send(w, "quiet", "", "{\"n\":1}");
    told++;
    for (int i = 0; i < 12; i++) {
        sends(
            (struct sending){.w = w, .id = "loud", .bag = "", .body = "{\"n\":%u}", .times = 200});
        told += 200;
        wait_told(w, told);
        assert_true(number(w, &messages_sql) <= 1100 + 200);
    }
    assert_true(number(w, &messages_sql) >= 800);
    assert_int_equal(number(w, &messages_sql), number(w, &counted_sql));
    assert_int_equal(number(w, &bytes_sql), number(w, &counted_bytes_sql));
    assert_int_equal(history(w, "quiet", "n", UINT64_MAX, 10).items, 1);
    assert_string_equal(history(w, "loud", "n", UINT64_MAX, 2).text, "199 198 ");
}

static void who_sends_too_much_is_sampled_and_nobody_else(void **state)
{
    enum { LOUD = PROJECTION_STEP_MESSAGES + 3000 };
    struct world *w = *state;
    struct projection_options large = options;
    instant now = clock_wall_ms();

    large.device_messages = 100000;
    large.device_bytes = 100 << 20;
    add_device(w, "loud");
    add_device(w, "quiet");
    sends((struct sending){
        .w = w, .id = "loud", .bag = "", .body = "{\"n\":%u}", .times = LOUD, .enqueued_at = now});
    sends((struct sending){
        .w = w, .id = "quiet", .bag = "", .body = "{\"n\":%u}", .times = 60, .enqueued_at = now});
    reopen(w, &large);
    wait_told(w, LOUD + 60);
    assert_int_equal(number(w, &messages_sql), PROJECTION_STEP_MESSAGES + 1 + 60);
    expect_last(w, "loud", "n 35767 ");
    assert_int_equal(history(w, "quiet", "n", UINT64_MAX, 100).items, 60);
}

/* --- devices that go
 * -------------------------------------------------------------------------------- */

static void delete_device(struct world *w, const char *id)
{
    static const struct sql sql = {"DELETE FROM device WHERE device_id = ?1"};
    struct unit *unit = unit_create(w->f->st);

    unit_add(unit, &sql, (const struct sql_value[]){SQL_TEXT_(slice_str(id))}, 1, EXPECT_ONE);
    projection_unit_forget(unit, slice_str(id));
    assert_int_equal(unit_run(unit), ST_OK);
    unit_destroy(unit);
}

static void a_deleted_device_takes_its_history_along(void **state)
{
    struct world *w = *state;
    struct device_facts before;

    add_device(w, "d");
    add_device(w, "other");
    send(w, "other", "", "{\"n\":1}");
    sends((struct sending){.w = w, .id = "d", .bag = "", .body = "{\"n\":%u}", .times = 600});
    wait_told(w, 601);
    before = fixture_device(w->f, "d");
    delete_device(w, "d");
    add_device(w, "d");
    expect_last(w, "d", "");
    assert_int_equal(history(w, "d", "", UINT64_MAX, 10).items, 0);

    /* What the one before it had sent comes to light only now. */
    struct sending late = {.w = w, .id = "d", .bag = "", .body = "{\"n\":8}"};
    snprintf(late.generation, sizeof late.generation, "%s", before.generation_id);
    sends(late);
    send(w, "d", "", "{\"n\":9}");
    wait_told(w, 603);
    expect_last(w, "d", "n 9 ");
    assert_int_equal(history(w, "d", "", UINT64_MAX, 10).items, 1);
    wait_for(w, &gone_sql, 0);
    wait_for(w, &messages_sql, 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define QUIET_TEST(name) cmocka_unit_test_setup_teardown(name, setup_quiet, teardown)
    const struct CMUnitTest tests[] = {
        TEST(C088_values_of_devices_and_components_are_kept),
        TEST(C088_values_go_by_the_time_that_they_speak_of),
        TEST(C092_numbers_beyond_64_bits_come_back_as_they_went),
        TEST(batches_and_what_is_no_json_are_kept),
        TEST(messages_of_modules_and_strangers_are_passed_over),
        TEST(pages_go_on_where_the_last_ended),
        QUIET_TEST(what_came_while_nobody_looked_is_caught_up_with),
        TEST(a_step_done_again_changes_nothing),
        QUIET_TEST(what_is_too_old_is_deleted),
        TEST(a_device_has_a_bound_of_its_own),
        QUIET_TEST(who_sends_too_much_is_sampled_and_nobody_else),
        TEST(a_deleted_device_takes_its_history_along),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
