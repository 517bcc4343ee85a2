/* What was acknowledged is there after kill -9, at whatever moment it comes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <signal.h>
#include <sys/wait.h>

#include "store/store.h"
#include "store/store_testing.h"

#define ROUNDS 20
#define IN_FLIGHT 64

static const char *const steps[] = {
    "CREATE TABLE half (id INTEGER PRIMARY KEY); CREATE TABLE other_half (id INTEGER PRIMARY KEY);",
};
static const struct store_schema schema = {"test", steps, COUNT_OF(steps)};
static const struct sql half_sql = {"INSERT INTO half (id) VALUES (?1)"};
static const struct sql other_half_sql = {"INSERT INTO other_half (id) VALUES (?1)"};
static const struct sql torn_sql = {
    "SELECT COUNT(*) FROM half LEFT JOIN other_half USING (id) WHERE other_half.id IS NULL"};
static const struct sql found_sql = {"SELECT COUNT(*) FROM half WHERE id = ?1"};
static const struct sql last_sql = {"SELECT COALESCE(MAX(id), 0) FROM half"};
static const struct sql check_sql = {"SELECT integrity_check = 'ok' FROM pragma_integrity_check"};

/* --- the child ------------------------------------------------------------------------------- */

struct writing {
    struct store *st;
    int acks; /* a pipe: each acknowledged id */
    int64_t next;
};

static void submit_next(struct writing *w);

static void on_written(void *context, enum status status, struct unit *unit)
{
    struct writing *w = context;
    int64_t id = unit_returned(unit, 0, 0).integer;

    if (status != ST_OK || write(w->acks, &id, sizeof id) != sizeof id)
        _exit(2);
    submit_next(w);
}

static void submit_next(struct writing *w)
{
    static const struct sql returning_sql = {"INSERT INTO half (id) VALUES (?1) RETURNING id"};
    struct unit *unit = unit_create(w->st);
    const struct sql_value params[] = {SQL_INT_(w->next++)};

    unit_add(unit, &returning_sql, params, 1, EXPECT_ONE);
    unit_add(unit, &other_half_sql, params, 1, EXPECT_ONE);
    unit_submit(unit, on_written, w);
}

static void start_writing(void *context)
{
    for (int i = 0; i < IN_FLIGHT; i++)
        submit_next(context);
}

static void run_child(struct store_fixture *f, int acks, int64_t first)
{
    struct writing w = {.acks = acks, .next = first};
    struct fault why;

    if (!fixture_open(f, 1, &schema, &why) || !workers_start(f->ws, &why))
        _exit(3);
    w.st = f->st;
    worker_call(workers_at(f->ws, 0), start_writing, &w);
    for (;;)
        pause();
}

/* --- the parent ------------------------------------------------------------------------------ */

/* Kills the child when `enough` acknowledgements have come, and gives how many there were at
 * last: those that were in the pipe count too. */
static size_t collect(pid_t child, int acks, size_t enough, int64_t *ids, size_t max)
{
    size_t count = 0;

    while (count < max && read(acks, &ids[count], sizeof ids[count]) == sizeof ids[count]) {
        if (++count == enough)
            kill(child, SIGKILL);
    }
    kill(child, SIGKILL);
    return count;
}

static void on_found(void *context, enum status status, struct rows *rows)
{
    *(bool *)context = status == ST_OK && rows_next(rows) && rows_int(rows, 0) == 1;
}

static void assert_all_there(struct store *st, const int64_t *ids, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct sql_value params[] = {SQL_INT_(ids[i])};
        bool found = false;

        if (store_read_now(st, &found_sql, params, 1, on_found, &found) != ST_OK || !found)
            fail_msg("%lld was acknowledged and is lost", (long long)ids[i]);
    }
}

static int64_t run_round(struct store_fixture *f, size_t enough, int64_t first)
{
    static int64_t ids[100000];
    int acks[2], status;
    size_t count;
    int64_t last;
    pid_t child;
    struct fault why;

    assert_int_equal(pipe(acks), 0);
    child = fork();
    if (child == 0)
        run_child(f, acks[1], first);
    close(acks[1]);
    count = collect(child, acks[0], enough, ids, COUNT_OF(ids));
    close(acks[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    assert_true(count >= enough);

    assert_true(fixture_open(f, 1, &schema, &why));
    assert_all_there(f->st, ids, count);
    assert_int_equal(fixture_number(f->st, &torn_sql), 0);
    assert_int_equal(fixture_number(f->st, &check_sql), 1);
    last = fixture_number(f->st, &last_sql);
    fixture_close(f);
    return last;
}

static void what_was_acknowledged_survives_kill_9(void **state)
{
    struct store_fixture f = {0};
    int64_t last = 0;

    (void)state;
    fixture_make_folder(f.directory);
    srand((unsigned)clock_mono_us());
    for (int i = 0; i < ROUNDS; i++)
        last = run_round(&f, 1 + (size_t)rand() % 3000, last + 1);
    fixture_remove_folder(f.directory);
}

/* The test's own eyes: a unit that is rolled back must be seen as torn or lost. */
static void the_check_sees_a_torn_unit(void **state)
{
    struct store_fixture f = {0};
    struct fault why;

    (void)state;
    fixture_make_folder(f.directory);
    assert_true(fixture_open(&f, 1, &schema, &why));
    assert_int_equal(
        fixture_run(f.st, &half_sql, (const struct sql_value[]){SQL_INT_(1)}, 1, EXPECT_ONE),
        ST_OK);
    assert_int_equal(fixture_number(f.st, &torn_sql), 1);
    fixture_close(&f);
    fixture_remove_folder(f.directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_acknowledged_survives_kill_9),
        cmocka_unit_test(the_check_sees_a_torn_unit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
