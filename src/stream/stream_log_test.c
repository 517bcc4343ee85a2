#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>

#include "base/metrics.h"
#include "base/reader.h"
#include "store/store_testing.h"
#include "stream/log_internal.h"
#include "stream/stream_log.h"

#define PARTITIONS 2

struct fixture {
    struct store_fixture store;
    struct bus *bus;
    struct stream_log *log;
    _Atomic unsigned advances;
    _Atomic uint64_t advanced_to;
};

static const struct sql batches_sql = {"SELECT COUNT(*) FROM log_batch"};

/* --- set-up ---------------------------------------------------------------------------------- */

static void on_advance(void *context, slice subject, slice message)
{
    struct fixture *f = context;
    struct reader r = {.rest = message};

    (void)subject;
    (void)read_u32(&r);
    f->advanced_to = read_u64(&r);
    f->advances++;
}

static bool open_log(struct fixture *f, const struct log_options *options, struct fault *why)
{
    if (!fixture_open(&f->store, 2, &log_schema, why))
        return false;
    f->bus = bus_create_local(f->store.ws);
    if (!bus_subscribe(f->bus, workers_at(f->store.ws, 0), LOG_ADVANCED_SUBJECT, on_advance, f))
        return false;
    f->log = log_create(f->store.ws, f->store.st, f->bus, options, why);
    return f->log && workers_start(f->store.ws, why);
}

static void close_log(struct fixture *f)
{
    workers_stop(f->store.ws);
    store_close(f->store.st);
    log_destroy(f->log);
    bus_destroy(f->bus);
    workers_destroy(f->store.ws);
}

static const struct log_options week = {.partitions = PARTITIONS, .retention_ms = 7 * 86400000LL};

static void reopen(struct fixture *f, const struct log_options *options)
{
    struct fault why;

    close_log(f);
    if (!open_log(f, options, &why))
        fail_msg("%s", why.text);
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct fault why;

    fixture_make_folder(f->store.directory);
    if (!open_log(f, &week, &why))
        fail_msg("%s", why.text);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    close_log(f);
    fixture_remove_folder(f->store.directory);
    free(f);
    return 0;
}

/* --- appending ------------------------------------------------------------------------------- */

/* A sender: appends numbered records and expects its tokens in order. */
struct sender {
    struct log_waiter waiter; /* first */
    struct fixture *f;
    unsigned partition, count, records_per_marker;
    uint32_t first, next_token;
    unsigned wrong;
    enum status want;
    bool inside;
    sem_t done;
};

static bool is_marker(const struct sender *s, uint32_t number)
{
    return s->records_per_marker && number % s->records_per_marker == 0;
}

static enum status expected(const struct sender *s, uint32_t token)
{
    return is_marker(s, token) ? ST_OK : s->want;
}

static void on_done(struct log_waiter *waiter, uint32_t token, enum status status)
{
    struct sender *s = (struct sender *)waiter;

    if (token != s->next_token++ || status != expected(s, token) || s->inside)
        s->wrong++;
    sem_post(&s->done);
}

static bool append_number(struct stream_log *log, unsigned partition, uint32_t number,
                          struct log_waiter *waiter)
{
    char text[32];
    int len = snprintf(text, sizeof text, "%u", number);
    const slice parts[] = {SLICE("record "), slice_of(text, (size_t)len)};

    return log_append(log, partition, 1000 + number, parts, 2, waiter, number);
}

static void send_numbers(void *context)
{
    struct sender *s = context;

    s->inside = true;
    for (uint32_t i = s->first; i < s->first + s->count; i++) {
        bool taken = is_marker(s, i) ? log_append_marker(s->f->log, s->partition, &s->waiter, i)
                                     : append_number(s->f->log, s->partition, i, &s->waiter);

        if (!taken)
            s->wrong++;
    }
    s->inside = false;
}

static struct sender make_sender(struct fixture *f, unsigned partition, uint32_t first,
                                 unsigned count)
{
    return (struct sender){.waiter.on_done = on_done,
                           .f = f,
                           .partition = partition,
                           .first = first,
                           .next_token = first,
                           .count = count};
}

/* Sends on a worker and waits for all. */
static void send_and_wait(struct sender *s, unsigned worker)
{
    sem_init(&s->done, 0, 0);
    worker_call(workers_at(s->f->store.ws, worker), send_numbers, s);
    fixture_wait(&s->done, s->count);
    assert_int_equal(s->wrong, 0);
    sem_destroy(&s->done);
}

/* Makes `count` batches of `size` records each. */
static void send_batches(struct fixture *f, unsigned count, unsigned size)
{
    for (unsigned i = 0; i < count; i++) {
        struct sender s = make_sender(f, 0, i * size, size);

        send_and_wait(&s, 0);
    }
}

/* --- reading --------------------------------------------------------------------------------- */

struct reading_test {
    struct fixture *f;
    unsigned partition;
    uint64_t from;
    size_t max, stop_after;

    size_t got, wrong, ends;
    uint64_t first, next;
    enum status status;
};

static bool on_record(void *context, const struct log_record *record)
{
    struct reading_test *t = context;
    char text[40];
    int len = snprintf(text, sizeof text, "record %u", (unsigned)record->offset);

    if (t->got++ == 0)
        t->first = record->offset;
    if (record->offset != t->first + t->got - 1 || record->partition != t->partition)
        t->wrong++;
    if (!slice_equal(record->bytes, slice_of(text, (size_t)len)) ||
        record->enqueued_at != 1000 + (instant)record->offset)
        t->wrong++;
    return t->got != t->stop_after;
}

static void on_end(void *context, enum status status, uint64_t next_offset)
{
    struct reading_test *t = context;

    t->ends++;
    t->status = status;
    t->next = next_offset;
}

static void start_reading(void *context)
{
    struct reading_test *t = context;

    log_read(t->f->log, t->partition, t->from, t->max, on_record, on_end, t);
}

static struct reading_test read_log(struct fixture *f, uint64_t from, size_t max, size_t stop_after)
{
    struct reading_test t = {.f = f, .from = from, .max = max, .stop_after = stop_after};

    worker_call(workers_at(f->store.ws, 1), start_reading, &t);
    return t;
}

struct bounds_test {
    struct fixture *f;
    uint64_t oldest, next;
};

static void on_bounds(void *context, enum status status, uint64_t oldest, uint64_t next)
{
    struct bounds_test *t = context;

    assert_int_equal(status, ST_OK);
    t->oldest = oldest;
    t->next = next;
}

static void ask_bounds(void *context)
{
    log_bounds(((struct bounds_test *)context)->f->log, 0, on_bounds, context);
}

static void assert_bounds(struct fixture *f, uint64_t oldest, uint64_t next)
{
    struct bounds_test t = {.f = f};

    worker_call(workers_at(f->store.ws, 1), ask_bounds, &t);
    assert_int_equal(t.oldest, oldest);
    assert_int_equal(t.next, next);
}

/* --- tests ----------------------------------------------------------------------------------- */

static void records_come_back_in_order_from_any_offset(void **state)
{
    static const struct {
        const char *name;
        uint64_t from;
        size_t max, stop_after, got;
        uint64_t first, next;
    } rows[] = {
        {"all", 0, SIZE_MAX, 0, 50, 0, 50},
        {"from the middle of a batch", 13, SIZE_MAX, 0, 37, 13, 50},
        {"from a batch's first", 20, SIZE_MAX, 0, 30, 20, 50},
        {"from a batch's last", 19, SIZE_MAX, 0, 31, 19, 50},
        {"a few within a batch", 11, 3, 0, 3, 11, 14},
        {"a few across batches", 18, 5, 0, 5, 18, 23},
        {"exactly to a batch's end", 15, 5, 0, 5, 15, 20},
        {"until told to stop", 8, SIZE_MAX, 4, 4, 8, 12},
        {"none", 8, 0, 0, 0, 0, 8},
        {"at the end", 50, SIZE_MAX, 0, 0, 0, 50},
        {"behind the end", 99, SIZE_MAX, 0, 0, 0, 99},
    };

    send_batches(*state, 5, 10);
    assert_int_equal(fixture_number(((struct fixture *)*state)->store.st, &batches_sql), 5);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct reading_test t = read_log(*state, rows[i].from, rows[i].max, rows[i].stop_after);

        if (t.ends != 1 || t.status != ST_OK || t.wrong || t.got != rows[i].got ||
            (t.got && t.first != rows[i].first) || t.next != rows[i].next)
            fail_msg("%s: got %zu from %u on, then %u", rows[i].name, t.got, (unsigned)t.first,
                     (unsigned)t.next);
    }
    assert_bounds(*state, 0, 50);
}

static void a_turns_records_are_one_batch_and_one_advance(void **state)
{
    struct fixture *f = *state;
    int64_t batches = metric_value(METRIC_BATCH_MESSAGES);
    struct sender s = make_sender(f, 0, 0, 1000);

    send_and_wait(&s, 0);
    assert_int_equal(metric_value(METRIC_BATCH_MESSAGES) - batches, 1);
    reopen(f, &week); /* the bus's mail has run */
    assert_int_equal(f->advances, 1);
    assert_int_equal(f->advanced_to, 1000);
    assert_int_equal(read_log(f, 0, SIZE_MAX, 0).got, 1000);
}

static void markers_keep_their_place_among_records(void **state)
{
    struct sender s = make_sender(*state, 1, 0, 500);
    struct sender only = make_sender(*state, 1, 0, 10);

    s.records_per_marker = 3;
    send_and_wait(&s, 1);
    assert_int_equal(s.waiter.pending, 0);
    only.records_per_marker = 1; /* markers alone */
    send_and_wait(&only, 1);
    assert_int_equal(only.waiter.pending, 0);
}

/* Sends the next part each time one is done, so that a batch is in flight while others fill. */
struct relay {
    struct log_waiter waiter;
    struct fixture *f;
    uint32_t sent, acked, total;
    unsigned wrong;
    sem_t done;
};

static void relay_send(struct relay *r)
{
    for (int i = 0; i < 3 && r->sent < r->total; i++) {
        bool taken = r->sent % 5 == 4 ? log_append_marker(r->f->log, 0, &r->waiter, r->sent)
                                      : append_number(r->f->log, 0, r->sent, &r->waiter);

        r->wrong += !taken;
        r->sent++;
    }
}

static void on_relay_done(struct log_waiter *waiter, uint32_t token, enum status status)
{
    struct relay *r = (struct relay *)waiter;

    r->wrong += token != r->acked++ || status != ST_OK;
    if (r->acked == r->total)
        sem_post(&r->done);
    else
        relay_send(r);
}

static void start_relay(void *context)
{
    relay_send(context);
}

static void what_is_appended_while_acknowledging_follows_in_order(void **state)
{
    struct relay r = {.waiter.on_done = on_relay_done, .f = *state, .total = 2000};

    sem_init(&r.done, 0, 0);
    worker_call(workers_at(r.f->store.ws, 0), start_relay, &r);
    fixture_wait(&r.done, 1);
    assert_int_equal(r.wrong, 0);
    assert_int_equal(r.waiter.pending, 0);
    assert_bounds(r.f, 0, 1600);
    sem_destroy(&r.done);
}

struct big {
    struct log_waiter waiter;
    struct fixture *f;
    struct mail hook;
    uint8_t *bytes;
    unsigned taken, acked;
    bool had_room, has_room_later;
    sem_t done;
};

static void on_big_done(struct log_waiter *waiter, uint32_t token, enum status status)
{
    struct big *b = (struct big *)waiter;

    (void)token;
    b->acked += status == ST_OK;
    sem_post(&b->done);
}

static void on_big_room(struct mail *mail)
{
    struct big *b = (struct big *)((char *)mail - offsetof(struct big, hook));

    b->has_room_later = log_has_room(b->f->log);
    sem_post(&b->done);
}

static void send_big(void *context)
{
    struct big *b = context;
    slice whole = slice_of(b->bytes, LOG_RECORD_MAX);
    const slice too_large[] = {whole, SLICE("x")};

    assert_false(log_append(b->f->log, 0, 0, too_large, 2, &b->waiter, 0));
    while (log_append(b->f->log, 0, 0, &whole, 1, &b->waiter, 0))
        b->taken++;
    b->had_room = log_has_room(b->f->log);
    b->hook.run = on_big_room;
    log_when_room(b->f->log, &b->hook);
}

/* One batch flies, the other is full: no room until the first is committed. */
static void a_full_lane_says_so_and_tells_of_room(void **state)
{
    struct big b = {.waiter.on_done = on_big_done, .f = *state};
    unsigned per_batch = (LOG_BATCH_MAX - LOG_BATCH_HEADER) / (LOG_RECORD_MAX + LOG_RECORD_HEADER);

    b.bytes = calloc(1, LOG_RECORD_MAX);
    sem_init(&b.done, 0, 0);
    worker_call(workers_at(b.f->store.ws, 0), send_big, &b);
    assert_int_equal(b.taken, 2 * per_batch);
    assert_false(b.had_room);
    fixture_wait(&b.done, b.taken + 1);
    assert_true(b.has_room_later);
    assert_int_equal(b.acked, b.taken);
    assert_bounds(b.f, 0, b.taken);
    sem_destroy(&b.done);
    free(b.bytes);
}

static void both_workers_append_to_one_partition(void **state)
{
    struct fixture *f = *state;
    struct sender s[2] = {make_sender(f, 0, 0, 3000), make_sender(f, 0, 0, 3000)};

    for (unsigned i = 0; i < 2; i++) {
        sem_init(&s[i].done, 0, 0);
        worker_call(workers_at(f->store.ws, i), send_numbers, &s[i]);
    }
    for (unsigned i = 0; i < 2; i++) {
        fixture_wait(&s[i].done, 3000);
        assert_int_equal(s[i].wrong, 0);
        sem_destroy(&s[i].done);
    }
    assert_bounds(f, 0, 6000);
}

static void offsets_go_on_after_a_restart(void **state)
{
    send_batches(*state, 1, 10);
    reopen(*state, &week);
    assert_bounds(*state, 0, 10);
    struct sender s = make_sender(*state, 0, 10, 5);
    send_and_wait(&s, 0);
    assert_int_equal(read_log(*state, 0, SIZE_MAX, 0).got, 15);
}

static void the_number_of_partitions_is_fixed_once_there_are_records(void **state)
{
    struct fixture *f = *state;
    const struct log_options four = {.partitions = 4, .retention_ms = 1};
    struct fault why;

    reopen(f, &four); /* empty: may still change */
    assert_int_equal(log_partitions(f->log), 4);
    reopen(f, &week);
    send_batches(f, 1, 1);
    close_log(f);
    assert_false(open_log(f, &four, &why));
    assert_non_null(strstr(why.text, "in 2 partitions and cannot be given 4"));
    close_log(f);
    assert_true(open_log(f, &week, &why));
}

static void a_failed_commit_reaches_every_waiter_but_markers(void **state)
{
    static const struct sql drop_sql = {"DELETE FROM log_partition WHERE partition = 1"};
    struct fixture *f = *state;
    struct sender s = make_sender(f, 1, 0, 20);

    assert_int_equal(fixture_run(f->store.st, &drop_sql, NULL, 0, EXPECT_ONE), ST_OK);
    s.want = ST_CONFLICT;
    s.records_per_marker = 4;
    send_and_wait(&s, 0);
    assert_int_equal(fixture_number(f->store.st, &batches_sql), 0);
}

static void damage_is_found_by_the_checksum(void **state)
{
    static const struct sql damage_sql = {
        "UPDATE log_batch SET crc = crc + 1 WHERE base_offset = 10"};
    struct reading_test t;

    send_batches(*state, 3, 10);
    assert_int_equal(
        fixture_run(((struct fixture *)*state)->store.st, &damage_sql, NULL, 0, EXPECT_ONE), ST_OK);
    t = read_log(*state, 5, SIZE_MAX, 0);
    assert_int_equal(t.ends, 1);
    assert_int_equal(t.status, ST_INTERNAL);
    assert_int_equal(t.got, 5);
    assert_int_equal(t.next, 10);
}

/* --- retention ------------------------------------------------------------------------------- */

static void look(void *context)
{
    log_retention_look(&((struct fixture *)context)->log->retention);
}

static void pass(void *context)
{
    (void)context;
}

/* Each look and what follows from it: the unit, then its outcome on worker 0. */
static void look_at_retention(struct fixture *f, unsigned times)
{
    for (unsigned i = 0; i < times; i++) {
        struct unit *flush;

        worker_call(workers_at(f->store.ws, 0), look, f);
        flush = unit_create(f->store.st);
        assert_int_equal(unit_run(flush), ST_OK);
        unit_destroy(flush);
        worker_call(workers_at(f->store.ws, 0), pass, NULL);
    }
}

/* The records' times are of 1970. */
static void retention_deletes_old_batches_and_offsets_go_on(void **state)
{
    struct fixture *f = *state;

    send_batches(f, 20, 2);
    look_at_retention(f, 6);
    assert_bounds(f, 40, 40);
    assert_int_equal(fixture_number(f->store.st, &batches_sql), 0);
    assert_int_equal(read_log(f, 3, SIZE_MAX, 0).got, 0);

    struct sender s = make_sender(f, 0, 40, 5);
    send_and_wait(&s, 0);
    struct reading_test t = read_log(f, 3, 2, 0);
    assert_int_equal(t.first, 40); /* goes on from the oldest there is */
    assert_int_equal(t.next, 42);
    assert_bounds(f, 40, 45);
}

static void retention_keeps_what_the_allowance_holds(void **state)
{
    struct fixture *f = *state;
    /* Each batch is 8 + 2 * (12 + 8 or 9) bytes; half of the allowance is this partition's. */
    const struct log_options small = {
        .partitions = PARTITIONS, .retention_ms = INT64_MAX / 2, .retention_bytes = 2 * 250};

    reopen(f, &small);
    send_batches(f, 20, 2);
    look_at_retention(f, 6);
    assert_bounds(f, 30, 40); /* five batches of 50 bytes */
    assert_int_equal(fixture_number(f->store.st, &batches_sql), 5);
    assert_int_equal(read_log(f, 0, SIZE_MAX, 0).first, 30);
}

static void a_device_keeps_its_partition(void **state)
{
    struct stream_log *log = ((struct fixture *)*state)->log;

    assert_int_equal(log_partition_of(log, SLICE("a")), 0xaf63dc4c8601ec8cu % PARTITIONS);
    assert_int_equal(log_partition_of(log, SLICE("foobar")), 0x85944171f73967e8u % PARTITIONS);
}

#define LOG_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LOG_TEST(records_come_back_in_order_from_any_offset),
        LOG_TEST(a_turns_records_are_one_batch_and_one_advance),
        LOG_TEST(markers_keep_their_place_among_records),
        LOG_TEST(what_is_appended_while_acknowledging_follows_in_order),
        LOG_TEST(a_full_lane_says_so_and_tells_of_room),
        LOG_TEST(both_workers_append_to_one_partition),
        LOG_TEST(offsets_go_on_after_a_restart),
        LOG_TEST(the_number_of_partitions_is_fixed_once_there_are_records),
        LOG_TEST(a_failed_commit_reaches_every_waiter_but_markers),
        LOG_TEST(damage_is_found_by_the_checksum),
        LOG_TEST(retention_deletes_old_batches_and_offsets_go_on),
        LOG_TEST(retention_keeps_what_the_allowance_holds),
        LOG_TEST(a_device_keeps_its_partition),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
