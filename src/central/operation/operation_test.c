#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/metrics.h"
#include "central/central_fixture.h"
#include "central/operation/device_bulk.h"
#include "central/operation/device_import.h"
#include "central/operation/operation.h"

#define ID_LEN (OPERATION_ID_LEN + 1)

/* --- the application -------------------------------------------------------------------------- */

struct app {
    struct fixture *f;
    struct operations *ops;
};

static void app_open(struct app *a)
{
    struct fixture *f = a->f;
    struct operations_options options = {.directory = f->directory};
    struct fault why = {0};

    central_fixture_open(f);
    options.sealer = f->sealer;
    a->ops = operations_create(central_of(f), &options, &why);
    if (!a->ops)
        fail_msg("%s", why.text);
    fixture_start(f);
}

/* In the middle of whatever is under way. */
static void app_close(struct app *a)
{
    workers_stop(a->f->ws);
    operations_destroy(a->ops);
    central_fixture_close(a->f);
}

static int setup(void **state)
{
    struct app *a = calloc(1, sizeof *a);

    assert_non_null(a);
    a->f = fixture_create();
    app_open(a);
    *state = a;
    return 0;
}

static int teardown(void **state)
{
    struct app *a = *state;

    app_close(a);
    fixture_remove(a->f);
    free(a);
    return 0;
}

/* --- calls that wait -------------------------------------------------------------------------- */

static const struct principal caller = {.name = "tester"};

struct asked {
    struct app *a;
    enum {
        DO_IMPORT,
        DO_BULK,
        DO_GET,
        DO_LIST,
        DO_CANCEL,
    } what;
    struct buf file; /* DO_IMPORT */
    struct device_import_options options;
    struct import_spool *spool;
    struct device_bulk_request bulk;
    char id[ID_LEN];
    unsigned limit;
    /* the answer */
    enum status status;
    enum operation_state state;
    int64_t total, processed, failed;
    char counts[512], message[256];
    unsigned listed;
    sem_t done;
};

static void on_operation(void *context, enum status status, const struct operation *o,
                         const struct fault *why)
{
    struct asked *q = context;

    q->status = status;
    if (o) {
        q->state = o->state;
        q->total = o->total;
        q->processed = o->processed;
        q->failed = o->failed;
        snprintf(q->id, sizeof q->id, "%.*s", SLICE_FMT(o->id));
        snprintf(q->counts, sizeof q->counts, "%.*s", SLICE_FMT(o->counts));
        snprintf(q->message, sizeof q->message, "%.*s", SLICE_FMT(o->message));
        q->listed++;
    } else {
        snprintf(q->message, sizeof q->message, "%s", why->text);
    }
    if (q->what != DO_LIST || !o)
        sem_post(&q->done);
}

static void on_kept(void *context, enum status status, const struct fault *why)
{
    struct asked *q = context;
    const struct act who = {.by = &caller, .source = SLICE("test"), .request_id = SLICE("1")};

    if (status != ST_OK)
        fail_msg("%s", why->text);
    device_import_begin(q->a->ops, &who, &q->options, q->spool, on_operation, q);
}

static void append_rest(void *context)
{
    struct asked *q = context;

    while (q->file.len > 0) {
        slice part = slice_first(buf_slice(&q->file), 100000);
        bool goes_on = import_spool_append(q->spool, part, append_rest, q);

        buf_consume(&q->file, part.len);
        if (!goes_on)
            return;
    }
    import_spool_finish(q->spool, on_kept, q);
}

static void run_asked(void *context)
{
    struct asked *q = context;
    const struct act who = {.by = &caller, .source = SLICE("test"), .request_id = SLICE("1")};
    struct fault why;

    switch (q->what) {
    case DO_IMPORT:
        assert_int_equal(import_spool_create(q->a->ops, &q->spool, &why), ST_OK);
        append_rest(q);
        break;
    case DO_BULK:
        device_bulk_begin(q->a->ops, &who, &q->bulk, on_operation, q);
        break;
    case DO_GET:
        operation_get(q->a->ops, slice_str(q->id), on_operation, q);
        break;
    case DO_LIST:
        operation_list(q->a->ops, (slice){0}, q->limit, on_operation, q);
        break;
    case DO_CANCEL:
        operation_cancel(q->a->ops, slice_str(q->id), on_operation, q);
        break;
    }
}

/* On the worker that is not their home. */
static enum status ask(struct app *a, struct asked *q)
{
    q->a = a;
    q->listed = 0;
    sem_init(&q->done, 0, 0);
    fixture_post(a->f, 1, run_asked, q);
    fixture_wait(&q->done);
    return q->status;
}

static void get(struct app *a, struct asked *q)
{
    q->what = DO_GET;
    assert_int_equal(ask(a, q), ST_OK);
}

static void wait_finished(struct app *a, struct asked *q)
{
    do
        get(a, q);
    while (q->state <= OPERATION_RUNNING);
}

/* Rows "d-00000" and on, of which each so-many-th is wrong. */
static void begin_import(struct app *a, struct asked *q, unsigned rows, unsigned wrong_each)
{
    q->what = DO_IMPORT;
    buf_init(&q->file, (size_t)16 << 20);
    for (unsigned i = 0; i < rows; i++)
        buf_printf(&q->file, "%c-%05u\n", wrong_each && i % wrong_each == 0 ? 'D' : 'd', i);
    assert_int_equal(ask(a, q), ST_OK);
    buf_deinit(&q->file);
}

static int64_t count_devices(struct app *a)
{
    int64_t count;

    assert_int_equal(device_count_now(a->f->id, &count), ST_OK);
    return count;
}

static int64_t count_of(const struct asked *q, const char *name)
{
    struct arena ARENA_CLEANUP arena = {.max = 65536};
    struct json *root;
    int64_t count = 0;

    assert_int_equal(json_parse(slice_str(q->counts), JSON_REFUSE_DUPLICATES, &arena, &root, NULL),
                     ST_OK);
    json_get_int(root, slice_str(name), &count);
    return count;
}

/* --- reports ---------------------------------------------------------------------------------- */

struct reading {
    struct app *a;
    const char *id;
    enum operation_report report;
    int64_t after;
    struct buf text;
    sem_t done;
};

static void read_on(void *context);

static void on_part(void *context, enum status status, int64_t number, slice text)
{
    struct reading *r = context;

    assert_int_equal(status, ST_OK);
    if (number == 0) {
        sem_post(&r->done);
        return;
    }
    assert_true(number > r->after);
    r->after = number;
    buf_append(&r->text, text);
    fixture_post(r->a->f, 1, read_on, r);
}

static void read_on(void *context)
{
    struct reading *r = context;

    operation_read_report(r->a->ops, slice_str(r->id), r->report, r->after, on_part, r);
}

static unsigned count_lines(struct app *a, const char *id, enum operation_report report)
{
    struct reading r = {.a = a, .id = id, .report = report, .text.max = (size_t)64 << 20};
    unsigned lines = 0;

    sem_init(&r.done, 0, 0);
    fixture_post(a->f, 1, read_on, &r);
    fixture_wait(&r.done);
    for (size_t i = 0; i < r.text.len; i++)
        lines += r.text.ptr[i] == '\n';
    buf_deinit(&r.text);
    return lines;
}

/* --- imports ---------------------------------------------------------------------------------- */

static void an_import_adds_what_is_right_and_tells_of_the_rest(void **state)
{
    struct app *a = *state;
    struct asked q = {0};

    begin_import(a, &q, 2000, 100);
    wait_finished(a, &q);
    assert_int_equal(q.state, OPERATION_DONE_WITH_ERRORS);
    assert_int_equal(q.total, 2000);
    assert_int_equal(q.processed, 2000);
    assert_int_equal(q.failed, 20);
    assert_int_equal(count_of(&q, "added"), 1980);
    assert_int_equal(count_devices(a), 1980);
    assert_int_equal(count_lines(a, q.id, REPORT_LOG), 20);
    assert_int_equal(count_lines(a, q.id, REPORT_REJECTED), 20);
}

static void C062_C126_an_import_goes_on_where_the_process_before_ended(void **state)
{
    struct app *a = *state;
    struct asked q = {0};
    unsigned ends = 0;

    begin_import(a, &q, 12000, 100);
    do {
        app_close(a);
        app_open(a);
        get(a, &q);
        ends++;
        assert_int_equal(count_devices(a) >= count_of(&q, "added"), true);
    } while (q.state <= OPERATION_RUNNING && ends < 3);
    wait_finished(a, &q);
    assert_int_equal(q.state, OPERATION_DONE_WITH_ERRORS);
    assert_int_equal(q.processed, 12000);
    assert_int_equal(q.failed, 120);
    assert_int_equal(count_of(&q, "added"), 11880);
    assert_int_equal(count_devices(a), 11880);
    assert_int_equal(count_lines(a, q.id, REPORT_LOG), 120);
    assert_int_equal(count_lines(a, q.id, REPORT_REJECTED), 120);
}

/* Others, who add devices of the file, too. */
struct rivals {
    struct app *a;
    unsigned rows;
    atomic_bool is_over;
    atomic_int conflicts;
    pthread_t threads[3];
};

static void insert_device(struct rivals *r, unsigned number)
{
    struct unit *unit = unit_create(r->a->f->st);
    char id[16];
    const struct device_new n = {
        .hub = SLICE("main"),
        .id = slice_of(id, (size_t)snprintf(id, sizeof id, "d-%05u", number)),
        .enabled = true,
        .now = 1,
    };
    enum status status;

    assert_non_null(unit);
    device_unit_insert(unit, r->a->f->id, &n);
    status = unit_run(unit);
    assert_true(status == ST_OK || status == ST_CONFLICT);
    atomic_fetch_add(&r->conflicts, status == ST_CONFLICT);
    unit_destroy(unit);
}

static void *insert_on(void *context)
{
    struct rivals *r = context;
    uint32_t random;

    while (!atomic_load(&r->is_over)) {
        random_bytes(&random, sizeof random);
        insert_device(r, random % r->rows);
    }
    return NULL;
}

static void an_import_that_others_run_into_judges_anew(void **state)
{
    struct app *a = *state;
    struct asked q = {0};
    struct rivals r = {.a = a, .rows = 30000};
    int64_t before = metric_value(METRIC_STORE_CONFLICTS), exist;

    for (size_t i = 0; i < COUNT_OF(r.threads); i++)
        assert_int_equal(pthread_create(&r.threads[i], NULL, insert_on, &r), 0);
    begin_import(a, &q, r.rows, 0);
    wait_finished(a, &q);
    atomic_store(&r.is_over, true);
    for (size_t i = 0; i < COUNT_OF(r.threads); i++)
        pthread_join(r.threads[i], NULL);
    assert_true(metric_value(METRIC_STORE_CONFLICTS) - before > atomic_load(&r.conflicts));
    exist = count_of(&q, "R07");
    assert_int_equal(q.processed, r.rows);
    assert_int_equal(q.failed, exist);
    assert_int_equal(count_of(&q, "added") + exist, r.rows);
    assert_int_equal(count_devices(a), r.rows);
    assert_int_equal(count_lines(a, q.id, REPORT_LOG), exist);
}

static void what_belongs_to_no_operation_is_swept_away_at_start(void **state)
{
    struct app *a = *state;
    char path[256];
    int fd;

    app_close(a);
    snprintf(path, sizeof path, "%s/%s/0000000000000000.csv", a->f->directory, IMPORT_FOLDER);
    fd = open(path, O_WRONLY | O_CREAT, 0600);
    assert_true(fd >= 0);
    close(fd);
    app_open(a);
    assert_int_equal(access(path, F_OK), -1);
}

/* --- bounds ----------------------------------------------------------------------------------- */

/* Home is busy until it is told. */
struct gate {
    sem_t closed, open;
};

static void hold_home(void *context)
{
    struct gate *g = context;

    sem_post(&g->closed);
    fixture_wait(&g->open);
}

static void close_gate(struct app *a, struct gate *g)
{
    sem_init(&g->closed, 0, 0);
    sem_init(&g->open, 0, 0);
    fixture_post(a->f, 0, hold_home, g);
    fixture_wait(&g->closed);
}

static void no_more_operations_than_may_live_and_one_import(void **state)
{
    struct app *a = *state;
    struct asked import = {.what = DO_IMPORT}, bulk[OPERATIONS_LIVE_MAX] = {0};
    struct gate gate;

    close_gate(a, &gate);
    begin_import(a, &import, 10, 0);
    import.what = DO_IMPORT;
    buf_init(&import.file, 100);
    buf_append_str(&import.file, "x\n");
    assert_int_equal(ask(a, &import), ST_THROTTLED);
    buf_deinit(&import.file);
    for (unsigned i = 0; i < OPERATIONS_LIVE_MAX; i++) {
        bulk[i].what = DO_BULK;
        bulk[i].bulk = (struct device_bulk_request){.kind = OPERATION_APPROVE, .ids = SLICE("d-1")};
        assert_int_equal(ask(a, &bulk[i]), i < OPERATIONS_LIVE_MAX - 1 ? ST_OK : ST_THROTTLED);
    }
    sem_post(&gate.open);
    for (unsigned i = 0; i < OPERATIONS_LIVE_MAX - 1; i++)
        wait_finished(a, &bulk[i]);
}

static void one_that_is_cancelled_in_its_queue_does_nothing(void **state)
{
    struct app *a = *state;
    struct asked q = {0};
    struct gate gate;

    close_gate(a, &gate);
    begin_import(a, &q, 10, 0);
    q.what = DO_CANCEL;
    assert_int_equal(ask(a, &q), ST_OK);
    sem_post(&gate.open);
    wait_finished(a, &q);
    assert_int_equal(q.state, OPERATION_CANCELLED);
    assert_int_equal(count_devices(a), 0);
    q.what = DO_CANCEL;
    assert_int_equal(ask(a, &q), ST_CONFLICT);
}

/* As when the process ended before home heard of it. */
static void a_cancel_that_only_the_row_knows_of_counts_at_the_next_start(void **state)
{
    static const struct sql cancel_sql = {"UPDATE operation SET is_cancelling = 1"};
    struct app *a = *state;
    struct asked q = {0};
    struct gate gate;
    struct unit *unit;

    close_gate(a, &gate);
    begin_import(a, &q, 5000, 0);
    unit = unit_create(a->f->st);
    assert_non_null(unit);
    unit_add(unit, &cancel_sql, NULL, 0, EXPECT_ONE);
    assert_int_equal(unit_run(unit), ST_OK);
    unit_destroy(unit);
    sem_post(&gate.open);
    app_close(a);
    app_open(a);
    wait_finished(a, &q);
    assert_int_equal(q.state, OPERATION_CANCELLED);
    assert_int_equal(count_devices(a), count_of(&q, "added"));
}

static void old_operations_are_forgotten(void **state)
{
    static const struct sql insert_sql = {
        "INSERT INTO operation (id, kind, state, actor, parameters, counts, message,"
        " is_cancelling, total, processed, failed, log_bytes, rejected_bytes, created_at,"
        " started_at, updated_at, finished_at, version, cursor, items)"
        " VALUES (?1, 'approve', 2, 'x', '{}', '{}', '', 0, 0, 0, 0, 0, 0, 1, 1, 1, ?2, 1, '', "
        "'')"};
    struct app *a = *state;
    struct asked q = {.what = DO_LIST, .limit = 2000};
    struct unit *unit = unit_create(a->f->st);
    char id[ID_LEN];

    assert_non_null(unit);
    for (unsigned i = 0; i < OPERATIONS_KEPT + 100; i++) {
        bool is_old = i % 10 == 0;
        const struct sql_value values[] = {
            SQL_TEXT_(slice_of(id, (size_t)snprintf(id, sizeof id, "0%015u", i))),
            SQL_INT_(is_old ? 1000 : clock_wall_ms())};

        unit_add(unit, &insert_sql, values, COUNT_OF(values), EXPECT_ONE);
    }
    assert_int_equal(unit_run(unit), ST_OK);
    unit_destroy(unit);
    begin_import(a, &q, 1, 0);
    wait_finished(a, &q);
    do {
        q.what = DO_LIST;
        assert_int_equal(ask(a, &q), ST_OK);
    } while (q.listed > OPERATIONS_KEPT);
    /* the newest thousand: the import, and of the 999 others those that are not old */
    assert_int_equal(q.listed, 1 + 900);
}

/* --- acts on many ----------------------------------------------------------------------------- */

/* Somebody who changes one device all the time. */
struct churn {
    struct app *a;
    atomic_bool is_over;
    pthread_t thread;
};

static void on_churned(void *context, const struct device *d)
{
    struct churn *churn = context;
    struct unit *unit = unit_create(churn->a->f->st);
    enum status status;
    const struct device_change change = {
        .set = DEVICE_SET_DISPLAY_NAME,
        .to = {.display_name = SLICE("churned"), .now = 1},
    };

    if (!unit)
        return;
    device_unit_update(unit, churn->a->f->id, d, &change);
    status = unit_run(unit);
    assert_true(status == ST_OK || status == ST_CONFLICT);
    unit_destroy(unit);
}

static void *churn_on(void *context)
{
    struct churn *churn = context;
    const slice id = SLICE("d-00150");

    while (!atomic_load(&churn->is_over))
        assert_int_equal(device_find_some_now(churn->a->f->id, &id, 1, on_churned, churn), ST_OK);
    return NULL;
}

static void a_bulk_act_gets_past_a_device_that_changes_all_the_time(void **state)
{
    struct app *a = *state;
    struct asked q = {0};
    struct churn churn = {.a = a};

    begin_import(a, &q, 300, 0);
    wait_finished(a, &q);
    assert_int_equal(pthread_create(&churn.thread, NULL, churn_on, &churn), 0);
    q.what = DO_BULK;
    q.bulk = (struct device_bulk_request){.kind = OPERATION_BLOCK, .filter.status = -1};
    assert_int_equal(ask(a, &q), ST_OK);
    wait_finished(a, &q);
    atomic_store(&churn.is_over, true);
    pthread_join(churn.thread, NULL);
    assert_int_equal(q.processed, 300);
    assert_int_equal(count_of(&q, "changed") + q.failed, 300);
    assert_true(q.failed <= 1);
    assert_int_equal(count_lines(a, q.id, REPORT_LOG), q.failed);
}

static void C126_a_bulk_act_goes_on_where_the_process_before_ended(void **state)
{
    static const char *const ids[] = {"", "d-00001\nnobody\nd-00002"};
    struct app *a = *state;
    struct asked q = {0};

    begin_import(a, &q, 3000, 0);
    wait_finished(a, &q);
    for (unsigned by_ids = 0; by_ids < COUNT_OF(ids); by_ids++) {
        q.what = DO_BULK;
        q.bulk = (struct device_bulk_request){
            .kind = by_ids ? OPERATION_UNBLOCK : OPERATION_BLOCK,
            .ids = slice_str(ids[by_ids]),
            .filter.status = -1,
        };
        assert_int_equal(ask(a, &q), ST_OK);
        do
            get(a, &q);
        while (q.processed == 0 && q.state <= OPERATION_RUNNING);
        app_close(a);
        app_open(a);
        wait_finished(a, &q);
        assert_int_equal(count_of(&q, "changed"), by_ids ? 2 : 3000);
        assert_int_equal(q.failed, by_ids);
        assert_int_equal(q.total, by_ids ? 3 : 3000);
        assert_int_equal(q.processed, q.total);
        assert_int_equal(count_of(&q, "unchanged"), 0);
    }
}

static void an_association_with_no_template_fails(void **state)
{
    struct app *a = *state;
    struct asked q = {.what = DO_BULK,
                      .bulk = {.kind = OPERATION_ASSOCIATE,
                               .template_id = SLICE("nothing"),
                               .ids = SLICE("d-1")}};

    assert_int_equal(ask(a, &q), ST_OK);
    wait_finished(a, &q);
    assert_int_equal(q.state, OPERATION_FAILED);
    assert_non_null(strstr(q.message, "template"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(an_import_adds_what_is_right_and_tells_of_the_rest),
        TEST(C062_C126_an_import_goes_on_where_the_process_before_ended),
        TEST(an_import_that_others_run_into_judges_anew),
        TEST(what_belongs_to_no_operation_is_swept_away_at_start),
        TEST(no_more_operations_than_may_live_and_one_import),
        TEST(one_that_is_cancelled_in_its_queue_does_nothing),
        TEST(a_cancel_that_only_the_row_knows_of_counts_at_the_next_start),
        TEST(old_operations_are_forgotten),
        TEST(a_bulk_act_gets_past_a_device_that_changes_all_the_time),
        TEST(C126_a_bulk_act_goes_on_where_the_process_before_ended),
        TEST(an_association_with_no_template_fails),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
