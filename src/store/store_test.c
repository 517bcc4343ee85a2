#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <sys/stat.h>

#include "base/metrics.h"
#include "store/driver.h"
#include "store/store.h"
#include "store/store_testing.h"

static const char *const steps[] = {
    "CREATE TABLE pair (id INTEGER PRIMARY KEY, name TEXT UNIQUE, version INTEGER NOT NULL,"
    " body BLOB);"
    "CREATE TABLE child (id INTEGER PRIMARY KEY, pair INTEGER NOT NULL REFERENCES pair (id));"
    "CREATE TABLE event (seq INTEGER PRIMARY KEY, worker INTEGER, number INTEGER);",
};
static const struct store_schema schema = {"test", steps, COUNT_OF(steps)};

static const struct sql insert_sql = {"INSERT INTO pair (id, name, version) VALUES (?1, ?2, 1)"};
static const struct sql child_sql = {"INSERT INTO child (id, pair) VALUES (?1, ?2)"};
static const struct sql body_sql = {"INSERT INTO pair (id, version, body) VALUES (?1, 1, ?2)"};
static const struct sql bump_sql = {
    "UPDATE pair SET version = version + 1 WHERE id = ?1 AND version = ?2 RETURNING version, name"};
static const struct sql bump_all_sql = {"UPDATE pair SET version = version + 1"};
static const struct sql wrong_sql = {"INSERT INTO nowhere VALUES (1)"};
static const struct sql count_sql = {"SELECT COUNT(*) FROM pair"};
static const struct sql sum_sql = {"SELECT SUM(version) FROM pair"};
static const struct sql event_sql = {"INSERT INTO event (worker, number) VALUES (?1, ?2)"};
static const struct sql event_count_sql = {"SELECT COUNT(*) FROM event"};
static const struct sql disorder_sql = {
    "SELECT COUNT(*) FROM event a JOIN event b ON a.worker = b.worker AND a.seq < b.seq"
    " AND a.number > b.number"};
static const struct sql body_read_sql = {"SELECT body, name FROM pair WHERE id = 1"};
static const struct sql ids_sql = {"SELECT id FROM pair ORDER BY id"};

static int set_up(void **state)
{
    struct store_fixture *f = calloc(1, sizeof *f);
    struct fault why;

    fixture_make_folder(f->directory);
    if (!fixture_open(f, 2, &schema, &why) || !workers_start(f->ws, &why))
        fail_msg("%s", why.text);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct store_fixture *f = *state;

    fixture_close(f);
    fixture_remove_folder(f->directory);
    free(f);
    return 0;
}

static enum status insert(struct store *st, int id, const char *name)
{
    const struct sql_value params[] = {SQL_INT_(id), SQL_TEXT_(slice_str(name))};

    return fixture_run(st, &insert_sql, params, 2, EXPECT_ONE);
}

static void unit_add_insert(struct unit *unit, int id, const char *name)
{
    const struct sql_value params[] = {SQL_INT_(id), SQL_TEXT_(slice_str(name))};

    unit_add(unit, &insert_sql, params, 2, EXPECT_ONE);
}

/* --- one unit -------------------------------------------------------------------------------- */

static void a_unit_happens_whole_or_not_at_all(void **state)
{
    struct store *st = ((struct store_fixture *)*state)->st;
    struct unit *unit = unit_create(st);

    unit_add_insert(unit, 1, "a");
    unit_add_insert(unit, 2, "b");
    assert_int_equal(unit_run(unit), ST_OK);
    unit_destroy(unit);

    unit = unit_create(st);
    unit_add_insert(unit, 3, "c");
    unit_add_insert(unit, 4, "a");
    assert_int_equal(unit_run(unit), ST_CONFLICT);
    unit_destroy(unit);
    assert_int_equal(fixture_number(st, &count_sql), 2);
}

static void outcomes_of_single_statements(void **state)
{
    struct store *st = ((struct store_fixture *)*state)->st;
    const struct sql_value one[] = {SQL_INT_(1), SQL_INT_(1)};
    const struct sql_value orphan[] = {SQL_INT_(1), SQL_INT_(99)};
    const struct sql_value same_name[] = {SQL_INT_(7), SQL_TEXT_(SLICE("a"))};
    const struct {
        const char *name;
        const struct sql *sql;
        const struct sql_value *params;
        size_t count;
        enum unit_expect expect;
        enum status status;
        int64_t sum_of_versions;
    } rows[] = {
        {"a guard that holds", &bump_sql, one, 2, EXPECT_ONE, ST_OK, 3},
        {"a guard that does not hold any more", &bump_sql, one, 2, EXPECT_ONE, ST_CONFLICT, 3},
        {"no guard", &bump_sql, one, 2, EXPECT_ANY, ST_OK, 3},
        {"a guard that meets two rows", &bump_all_sql, NULL, 0, EXPECT_ONE, ST_CONFLICT, 3},
        {"two rows without a guard", &bump_all_sql, NULL, 0, EXPECT_ANY, ST_OK, 5},
        {"the same primary key", &insert_sql, one, 2, EXPECT_ONE, ST_CONFLICT, 5},
        {"the same unique name", &insert_sql, same_name, 2, EXPECT_ANY, ST_CONFLICT, 5},
        {"no such parent", &child_sql, orphan, 2, EXPECT_ONE, ST_CONFLICT, 5},
        {"no such table", &wrong_sql, NULL, 0, EXPECT_ONE, ST_INTERNAL, 5},
    };

    assert_int_equal(insert(st, 1, "a"), ST_OK);
    assert_int_equal(insert(st, 2, "b"), ST_OK);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        enum status status =
            fixture_run(st, rows[i].sql, rows[i].params, rows[i].count, rows[i].expect);

        if (status != rows[i].status)
            fail_msg("%s: %s", rows[i].name, status_name(status));
        if (fixture_number(st, &sum_sql) != rows[i].sum_of_versions)
            fail_msg("%s: sum of versions", rows[i].name);
    }
}

static void a_unit_without_statements_is_fine(void **state)
{
    struct unit *unit = unit_create(((struct store_fixture *)*state)->st);

    assert_int_equal(unit_run(unit), ST_OK);
    unit_destroy(unit);
}

static void returning_gives_the_first_row(void **state)
{
    struct store *st = ((struct store_fixture *)*state)->st;
    const struct sql_value params[] = {SQL_INT_(1), SQL_INT_(1)};
    struct unit *unit = unit_create(st);

    unit_add_insert(unit, 1, "name");
    unit_add(unit, &bump_sql, params, 2, EXPECT_ONE);
    assert_int_equal(unit_run(unit), ST_OK);
    assert_int_equal(unit_returned(unit, 1, 0).kind, SQL_INTEGER);
    assert_int_equal(unit_returned(unit, 1, 0).integer, 2);
    assert_true(slice_equal(unit_returned(unit, 1, 1).bytes, SLICE("name")));
    assert_int_equal(unit_returned(unit, 1, 2).kind, SQL_NULL);
    assert_int_equal(unit_returned(unit, 0, 0).kind, SQL_NULL);
    assert_int_equal(unit_returned(unit, 9, 0).kind, SQL_NULL);
    assert_int_equal(unit_changes(unit, 0), 1);
    assert_int_equal(unit_changes(unit, 1), 1);
    unit_destroy(unit);
}

static void a_unit_that_is_too_large_ends_without_memory(void **state)
{
    struct store *st = ((struct store_fixture *)*state)->st;
    uint8_t *large = calloc(1, UNIT_MAX_BYTES);
    const struct sql_value params[] = {SQL_INT_(1), SQL_BLOB_(slice_of(large, UNIT_MAX_BYTES))};

    assert_int_equal(fixture_run(st, &body_sql, params, 2, EXPECT_ONE), ST_NO_MEMORY);
    assert_int_equal(fixture_number(st, &count_sql), 0);
    free(large);
}

static void read_body(void *context, enum status status, struct rows *rows)
{
    assert_int_equal(status, ST_OK);
    assert_true(rows_next(rows));
    assert_true(slice_equal(rows_bytes(rows, 0), *(slice *)context));
    assert_int_equal(rows_is_null(rows, 0), ((slice *)context)->ptr == NULL);
    assert_true(rows_is_null(rows, 1));
    assert_int_equal(rows_bytes(rows, 1).len, 0);
    assert_false(rows_next(rows));
    assert_int_equal(rows_status(rows), ST_OK);
}

static void blobs_are_kept_copied_or_borrowed(void **state)
{
    struct store *st = ((struct store_fixture *)*state)->st;
    static const struct sql replace_sql = {"INSERT INTO pair (id, version, body) VALUES (?1, 1, ?2)"
                                           " ON CONFLICT (id) DO UPDATE SET body = excluded.body"};
    slice bodies[] = {SLICE("bytes\0behind a NUL"), SLICE(""), {0}};
    const struct sql_value values[] = {SQL_BORROWED_(bodies[0]), SQL_BLOB_(bodies[1]), SQL_NULL_};

    for (size_t i = 0; i < COUNT_OF(bodies); i++) {
        const struct sql_value params[] = {SQL_INT_(1), values[i]};

        assert_int_equal(fixture_run(st, &replace_sql, params, 2, EXPECT_ONE), ST_OK);
        assert_int_equal(store_read_now(st, &body_read_sql, NULL, 0, read_body, &bodies[i]), ST_OK);
    }
}

/* --- on workers ------------------------------------------------------------------------------ */

struct many {
    struct store_fixture *f;
    unsigned count, worker, next_done;
    _Atomic unsigned out_of_order;
    sem_t done;
};

static void on_event_done(void *context, enum status status, struct unit *unit)
{
    struct many *m = context;

    /* The number is that of the order of submission. */
    if (status != ST_OK || unit->first->params[1].integer != m->next_done++ ||
        worker_index(worker_current()) != m->worker)
        m->out_of_order++;
    sem_post(&m->done);
}

static void submit_many(void *context)
{
    struct many *m = context;

    for (unsigned i = 0; i < m->count; i++) {
        struct unit *unit = unit_create(m->f->st);

        unit_add(unit, &event_sql, (const struct sql_value[]){SQL_INT_(m->worker), SQL_INT_(i)}, 2,
                 EXPECT_ONE);
        unit_submit(unit, on_event_done, m);
    }
}

static void units_of_a_worker_keep_their_order_and_share_commits(void **state)
{
    struct store_fixture *f = *state;
    struct many m[2] = {{.f = f, .count = 1000, .worker = 0}, {.f = f, .count = 1000, .worker = 1}};
    int64_t commits = metric_value(METRIC_COMMIT_UNITS);
    int64_t units = metric_value(METRIC_STORE_UNITS);

    for (unsigned i = 0; i < 2; i++) {
        sem_init(&m[i].done, 0, 0);
        worker_call(workers_at(f->ws, i), submit_many, &m[i]);
    }
    for (unsigned i = 0; i < 2; i++) {
        fixture_wait(&m[i].done, m[i].count);
        assert_int_equal(m[i].out_of_order, 0);
        sem_destroy(&m[i].done);
    }
    assert_int_equal(fixture_number(f->st, &event_count_sql), 2000);
    assert_int_equal(fixture_number(f->st, &disorder_sql), 0);
    assert_int_equal(metric_value(METRIC_STORE_UNITS) - units, 2000);
    assert_true(metric_value(METRIC_COMMIT_UNITS) - commits < 400);
}

/* Units submitted in one go are one batch: what one of them does must not touch the others. */
struct trio {
    struct store *st;
    enum status status[3];
    unsigned done_count;
    sem_t done;
};

static void on_trio_done(void *context, enum status status, struct unit *unit)
{
    struct trio *t = context;

    (void)unit;
    t->status[t->done_count++] = status;
    sem_post(&t->done);
}

static void submit_trio(void *context)
{
    struct trio *t = context;

    for (int i = 0; i < 3; i++) {
        struct unit *unit = unit_create(t->st);

        if (i == 1)
            unit_add(unit, &bump_all_sql, NULL, 0, EXPECT_ONE);
        else
            unit_add_insert(unit, 10 + i, i == 0 ? "before" : "after");
        unit_submit(unit, on_trio_done, t);
    }
}

static void a_guard_that_meets_two_rows_undoes_its_own_unit_only(void **state)
{
    struct store_fixture *f = *state;
    struct trio t = {.st = f->st};

    sem_init(&t.done, 0, 0);
    assert_int_equal(insert(f->st, 1, "a"), ST_OK);
    worker_call(workers_at(f->ws, 0), submit_trio, &t);
    fixture_wait(&t.done, 3);
    assert_int_equal(t.status[0], ST_OK);
    assert_int_equal(t.status[1], ST_CONFLICT);
    assert_int_equal(t.status[2], ST_OK);
    assert_int_equal(fixture_number(f->st, &count_sql), 3);
    assert_int_equal(fixture_number(f->st, &sum_sql), 3);
    sem_destroy(&t.done);
}

struct own_write {
    struct store *st;
    int64_t seen;
    bool done_inside_submit;
    bool submitting;
    sem_t done;
};

static void on_own_row(void *context, enum status status, struct rows *rows)
{
    struct own_write *o = context;

    o->seen = status == ST_OK && rows_next(rows) ? rows_int(rows, 0) : -1;
}

static void on_own_write(void *context, enum status status, struct unit *unit)
{
    struct own_write *o = context;

    (void)unit;
    o->done_inside_submit = o->submitting;
    if (status == ST_OK)
        store_read(o->st, &count_sql, NULL, 0, on_own_row, o);
    sem_post(&o->done);
}

static void write_own(void *context)
{
    struct own_write *o = context;
    struct unit *unit = unit_create(o->st);

    unit_add_insert(unit, 1, "own");
    o->submitting = true;
    unit_submit(unit, on_own_write, o);
    o->submitting = false;
}

static void a_worker_reads_what_it_was_told_is_written(void **state)
{
    struct store_fixture *f = *state;
    struct own_write o = {.st = f->st};

    sem_init(&o.done, 0, 0);
    worker_call(workers_at(f->ws, 1), write_own, &o);
    fixture_wait(&o.done, 1);
    assert_int_equal(o.seen, 1);
    assert_false(o.done_inside_submit);
    sem_destroy(&o.done);
}

struct nested {
    struct store *st;
    unsigned depth, rows;
};

static void read_nested(void *context, enum status status, struct rows *rows)
{
    struct nested *n = context;

    assert_int_equal(status, ST_OK);
    n->depth++;
    while (rows_next(rows)) {
        n->rows++;
        if (n->depth < 3)
            assert_int_equal(store_read_now(n->st, &ids_sql, NULL, 0, read_nested, n), ST_OK);
    }
    n->depth--;
}

static void read_nested_on_worker(void *context, enum status status, struct rows *rows)
{
    struct nested *n = context;

    n->depth++;
    while (status == ST_OK && rows_next(rows)) {
        n->rows++;
        if (n->depth < 3)
            store_read(n->st, &ids_sql, NULL, 0, read_nested_on_worker, n);
    }
    n->depth--;
}

static void start_nested(void *context)
{
    struct nested *n = context;

    store_read(n->st, &ids_sql, NULL, 0, read_nested_on_worker, n);
}

static void a_read_may_read_the_same_statement_again(void **state)
{
    struct store_fixture *f = *state;
    struct nested n = {.st = f->st};

    assert_int_equal(insert(f->st, 1, "a"), ST_OK);
    assert_int_equal(insert(f->st, 2, "b"), ST_OK);
    worker_call(workers_at(f->ws, 0), start_nested, &n);
    assert_int_equal(n.rows, 2 + 4 + 8);
    n.rows = 0;
    assert_int_equal(store_read_now(f->st, &ids_sql, NULL, 0, read_nested, &n), ST_OK);
    assert_int_equal(n.rows, 2 + 4 + 8);
}

static void on_bad_rows(void *context, enum status status, struct rows *rows)
{
    *(bool *)context = !rows_next(rows);
    assert_int_equal(status, ST_INTERNAL);
}

static void a_wrong_read_says_so(void **state)
{
    static const struct sql bad_sql = {"SELECT nothing FROM nowhere"};
    bool without_rows = false;

    assert_int_equal(store_read_now(((struct store_fixture *)*state)->st, &bad_sql, NULL, 0,
                                    on_bad_rows, &without_rows),
                     ST_INTERNAL);
    assert_true(without_rows);
}

static void readers_cannot_write(void **state)
{
    struct store *st = ((struct store_fixture *)*state)->st;
    static const struct sql write_sql = {"DELETE FROM pair RETURNING id"};
    int64_t number;

    assert_int_equal(insert(st, 1, "a"), ST_OK);
    assert_int_not_equal(store_read_now(st, &write_sql, NULL, 0, fixture_first_int, &number),
                         ST_OK);
    assert_int_equal(fixture_number(st, &count_sql), 1);
}

/* --- the bound of the queue ------------------------------------------------------------------ */

struct hook {
    struct mail mail;
    _Atomic bool ran;
    sem_t done;
};

static void run_hook(struct mail *mail)
{
    struct hook *hook = (struct hook *)mail;

    hook->ran = true;
    sem_post(&hook->done);
}

struct waits {
    struct store *st;
    struct hook *hook;
};

static void wait_for_room(void *context)
{
    struct waits *w = context;

    store_when_room(w->st, &w->hook->mail);
}

static void the_queue_holds_its_number_of_units_and_tells_of_room(void **state)
{
    struct store_fixture *f = *state;
    static struct unit *units[STORE_QUEUE_UNITS];
    struct hook hook = {.mail.run = run_hook};
    struct waits waits = {f->st, &hook};
    unsigned i;

    sem_init(&hook.done, 0, 0);
    for (i = 0; i < STORE_QUEUE_UNITS - 1; i++)
        assert_non_null(units[i] = unit_create(f->st));
    assert_true(store_has_room(f->st));
    assert_non_null(units[i] = unit_create(f->st));
    assert_false(store_has_room(f->st));
    assert_null(unit_create(f->st));

    worker_call(workers_at(f->ws, 0), wait_for_room, &waits);
    for (i = 0; i < STORE_QUEUE_UNITS / 2; i++)
        unit_destroy(units[i]);
    worker_call(workers_at(f->ws, 0), submit_many,
                &(struct many){.f = f}); /* the mail before ran */
    assert_true(store_has_room(f->st));
    assert_false(hook.ran);
    unit_destroy(units[i++]);
    fixture_wait(&hook.done, 1);
    for (; i < STORE_QUEUE_UNITS; i++)
        unit_destroy(units[i]);

    worker_call(workers_at(f->ws, 0), wait_for_room, &waits); /* there is room: at once */
    fixture_wait(&hook.done, 1);
    sem_destroy(&hook.done);
}

static void the_queue_holds_its_number_of_bytes(void **state)
{
    struct store *st = ((struct store_fixture *)*state)->st;

    store_charge(st, STORE_QUEUE_BYTES - 1);
    assert_true(store_has_room(st));
    store_charge(st, 1);
    assert_false(store_has_room(st));
    assert_null(unit_create(st));
    store_give_places(st, 0, STORE_QUEUE_BYTES);
    assert_true(store_has_room(st));
}

/* --- files ----------------------------------------------------------------------------------- */

static void a_second_opener_is_refused_with_a_sentence(void **state)
{
    struct store_fixture *f = *state;
    const struct store_schema *schemas[] = {&schema};
    const struct store_options options = {
        .directory = f->directory, .schemas = schemas, .schema_count = 1};
    struct fault why;

    assert_null(store_open(f->ws, &options, &why));
    assert_non_null(strstr(why.text, "another process uses the data folder"));
}

static void files_are_private_and_wal_is_on(void **state)
{
    static const char *const names[] = {"muster.db", "muster.db-wal", "muster.db-shm", "lock",
                                        "reserve"};
    static const struct sql mode_sql = {"SELECT journal_mode = 'wal' FROM pragma_journal_mode"};
    struct store_fixture *f = *state;

    assert_int_equal(insert(f->st, 1, "a"), ST_OK);
    assert_int_equal(fixture_number(f->st, &mode_sql), 1);
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        char path[128];
        struct stat st;

        snprintf(path, sizeof path, "%s/%s", f->directory, names[i]);
        if (stat(path, &st) != 0 || (st.st_mode & 0777) != 0600)
            fail_msg("%s: mode %o", names[i], st.st_mode & 0777);
    }
}

static void what_was_queued_at_the_close_is_written(void **state)
{
    struct store_fixture *f = *state;
    struct many m = {.f = f, .count = 500, .worker = 0};
    struct fault why;

    sem_init(&m.done, 0, 0);
    worker_call(workers_at(f->ws, 0), submit_many, &m);
    fixture_close(f);
    sem_destroy(&m.done);
    assert_true(fixture_open(f, 2, &schema, &why));
    assert_int_equal(fixture_number(f->st, &event_count_sql), 500);
}

static void something_else_is_not_opened_as_a_database(void **state)
{
    struct store_fixture f;
    char path[128];
    struct fault why;
    FILE *file;

    (void)state;
    fixture_make_folder(f.directory);
    snprintf(path, sizeof path, "%s/muster.db", f.directory);
    file = fopen(path, "w");
    for (int i = 0; i < 1000; i++)
        fputs("this is not a database ", file);
    fclose(file);
    assert_false(fixture_open(&f, 1, &schema, &why));
    assert_non_null(strstr(why.text, "not a database"));
    workers_destroy(f.ws);
    fixture_remove_folder(f.directory);
}

#define STORE_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(a_unit_happens_whole_or_not_at_all),
        STORE_TEST(outcomes_of_single_statements),
        STORE_TEST(a_unit_without_statements_is_fine),
        STORE_TEST(returning_gives_the_first_row),
        STORE_TEST(a_unit_that_is_too_large_ends_without_memory),
        STORE_TEST(blobs_are_kept_copied_or_borrowed),
        STORE_TEST(units_of_a_worker_keep_their_order_and_share_commits),
        STORE_TEST(a_guard_that_meets_two_rows_undoes_its_own_unit_only),
        STORE_TEST(a_worker_reads_what_it_was_told_is_written),
        STORE_TEST(a_read_may_read_the_same_statement_again),
        STORE_TEST(a_wrong_read_says_so),
        STORE_TEST(readers_cannot_write),
        STORE_TEST(the_queue_holds_its_number_of_units_and_tells_of_room),
        STORE_TEST(the_queue_holds_its_number_of_bytes),
        STORE_TEST(a_second_opener_is_refused_with_a_sentence),
        STORE_TEST(files_are_private_and_wal_is_on),
        STORE_TEST(what_was_queued_at_the_close_is_written),
        cmocka_unit_test(something_else_is_not_opened_as_a_database),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
