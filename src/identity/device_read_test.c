#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "identity/identity_fixture.h"

#define LISTED_MAX 8000

/* One listing, gathered on worker 0 as "a b c ". */
struct listing {
    struct fixture *f;
    struct device_filter filter;
    const char *modules_of; /* not NULL: device_list_modules */
    sem_t done;
    enum status status;
    unsigned count;
    struct buf ids;
};

static void on_device(void *context, enum status status, const struct device *d)
{
    struct listing *l = context;

    if (d) {
        assert_int_equal(status, ST_OK);
        buf_append(&l->ids, l->modules_of ? d->module_id : d->id);
        buf_append_byte(&l->ids, ' ');
        l->count++;
        return;
    }
    l->status = status;
    sem_post(&l->done);
}

static void begin(void *context)
{
    struct listing *l = context;

    if (l->modules_of)
        device_list_modules(l->f->id, SLICE("main"), slice_str(l->modules_of), on_device, l);
    else
        device_list(l->f->id, &l->filter, on_device, l);
}

static void run(struct listing *l)
{
    l->ids.max = LISTED_MAX * 8;
    buf_clear(&l->ids);
    l->count = 0;
    sem_init(&l->done, 0, 0);
    worker_call(workers_at(l->f->workers, 0), begin, l);
    while (sem_wait(&l->done) != 0)
        ;
    sem_destroy(&l->done);
    assert_int_equal(l->status, ST_OK);
    assert_false(l->ids.failed);
}

static void insert_facts(struct fixture *f, const char *device_id, const char *template_id,
                         const char *facts)
{
    struct device_new n = fixture_device("main", device_id, "");

    n.template_id = slice_str(template_id);
    n.approved = strchr(facts, 'a');
    n.provisioned = strchr(facts, 'p');
    n.blocked = strchr(facts, 'b');
    assert_int_equal(fixture_insert(f, &n), ST_OK);
}

static void a_filter_lists_what_it_names(void **state)
{
    static const struct {
        const char *name, *want;
        struct device_filter filter;
    } rows[] = {
        {"all", "a1 B2 c3 d4 e5 f6 ", {.limit = 100, .status = -1}},
        {"unassociated", "a1 d4 ", {.limit = 100, .status = -1, .unassociated = true}},
        {"a template", "B2 c3 e5 ", {.limit = 100, .status = -1, .template_id = {(void *)"t", 1}}},
        {"no such template", "", {.limit = 100, .status = -1, .template_id = {(void *)"x", 1}}},
        {"blocked", "e5 f6 ", {.limit = 100, .status = DEVICE_BLOCKED}},
        {"provisioned", "c3 d4 ", {.limit = 100, .status = DEVICE_PROVISIONED}},
        {"registered, seed", "a1 B2 ", {.limit = 100, .status = DEVICE_REGISTERED}},
        {"registered, later",
         "B2 ",
         {.limit = 100, .status = DEVICE_REGISTERED, .later_profile = true}},
        {"waiting, later", "a1 ", {.limit = 100, .status = DEVICE_WAITING, .later_profile = true}},
        {"waiting, seed", "", {.limit = 100, .status = DEVICE_WAITING}},
        {"blocked of a template",
         "e5 ",
         {.limit = 100, .status = DEVICE_BLOCKED, .template_id = {(void *)"t", 1}}},
        {"provisioned, unassociated",
         "d4 ",
         {.limit = 100, .status = DEVICE_PROVISIONED, .unassociated = true}},
        {"first page", "a1 B2 ", {.limit = 2, .status = -1}},
        {"next page", "c3 d4 ", {.limit = 2, .status = -1, .after = {(void *)"B2", 2}}},
        {"past the end", "", {.limit = 2, .status = -1, .after = {(void *)"f6", 2}}},
        {"a page of a template",
         "c3 ",
         {.limit = 1, .status = -1, .template_id = {(void *)"t", 1}, .after = {(void *)"B2", 2}}},
        {"no limit is one", "a1 ", {.limit = 0, .status = -1}},
        {"a part of an ID, without case", "B2 ", {.limit = 9, .status = -1, .search = SLICE("b2")}},
        {"of a name", "c3 ", {.limit = 9, .status = -1, .search = SLICE("c3")}},
        {"no such part", "", {.limit = 9, .status = -1, .search = SLICE("nothing")}},
        {"of a status",
         "c3 ",
         {.limit = 9,
          .status = DEVICE_PROVISIONED,
          .search = SLICE("3"),
          .template_id = {(void *)"t", 1}}},
    };
    struct fixture *f = *state;
    struct listing l = {.f = f};
    struct device_new module = fixture_device("main", "c3", "m1");

    insert_facts(f, "a1", "", "");
    insert_facts(f, "B2", "t", "a");
    insert_facts(f, "c3", "t", "ap");
    insert_facts(f, "d4", "", "ap");
    insert_facts(f, "e5", "t", "apb");
    insert_facts(f, "f6", "u", "b");
    assert_int_equal(fixture_insert(f, &module), ST_OK);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        l.filter = rows[i].filter;
        run(&l);
        if (!slice_equal(buf_slice(&l.ids), slice_str(rows[i].want)))
            fail_msg("%s: '%.*s'", rows[i].name, SLICE_FMT(buf_slice(&l.ids)));
    }
    buf_deinit(&l.ids);
}

static void insert_many(struct fixture *f, unsigned count)
{
    struct unit *unit = unit_create(f->store);
    struct device_new n = fixture_device("main", "", "");
    char device_id[16];

    assert_non_null(unit);
    for (unsigned i = 0; i < count; i++) {
        snprintf(device_id, sizeof device_id, "d%05u", i);
        n.id = slice_str(device_id);
        n.provisioned = i % 2500 == 2499;
        device_unit_insert(unit, f->id, &n);
    }
    assert_int_equal(unit_run(unit), ST_OK);
    unit_destroy(unit);
}

/* Three in 7,500: gathered over several turns of the loop, none lost or given twice. */
static void a_rare_status_is_found_past_many_rows(void **state)
{
    struct fixture *f = *state;
    struct listing l = {.f = f, .filter = {.limit = 1000, .status = DEVICE_PROVISIONED}};

    insert_many(f, 7500);
    run(&l);
    assert_true(slice_equal(buf_slice(&l.ids), SLICE("d02499 d04999 d07499 ")));
    l.filter.limit = 2;
    run(&l);
    assert_int_equal(l.count, 2);
    l.filter = (struct device_filter){.limit = 5000, .status = -1};
    run(&l);
    assert_int_equal(l.count, 1000);
    buf_deinit(&l.ids);
}

static void pages_give_each_device_once(void **state)
{
    struct fixture *f = *state;
    struct listing l = {.f = f, .filter = {.limit = 300, .status = -1}};
    char last[8] = "";
    unsigned total = 0;

    insert_many(f, 2500);
    do {
        l.filter.after = slice_str(last);
        run(&l);
        total += l.count;
        if (l.count)
            snprintf(last, sizeof last, "%.6s", (const char *)l.ids.ptr + l.ids.len - 7);
    } while (l.count == 300);
    assert_int_equal(total, 2500);
    assert_string_equal(last, "d02499");
    buf_deinit(&l.ids);
}

/* Names begin alike and differ in length: what stands for one may not stand for the next. */
static void names_order_a_list_forwards_and_backwards(void **state)
{
    static const struct {
        const char *name, *listed;
        struct device_filter filter;
    } rows[] = {
        {"forwards", "d c b a ", {.limit = 9, .status = -1, .order = DEVICE_BY_NAME}},
        {"backwards", "a b c d ", {.limit = 9, .status = -1, .order = DEVICE_BY_NAME_DOWN}},
        {"forwards behind one",
         "b a ",
         {.limit = 9,
          .status = -1,
          .order = DEVICE_BY_NAME,
          .after = SLICE("c"),
          .after_name = SLICE("pum a2")}},
        {"backwards behind one",
         "b c d ",
         {.limit = 9,
          .status = -1,
          .order = DEVICE_BY_NAME_DOWN,
          .after = SLICE("a"),
          .after_name = SLICE("pump")}},
        {"what is found, backwards behind one",
         "b c d ",
         {.limit = 9,
          .status = -1,
          .order = DEVICE_BY_NAME_DOWN,
          .search = SLICE("PUM"),
          .after = SLICE("a"),
          .after_name = SLICE("pump")}},
        {"what is found",
         "d c b a ",
         {.limit = 9, .status = -1, .order = DEVICE_BY_NAME, .search = SLICE("pum")}},
        {"what is too short for the index",
         "c ",
         {.limit = 9, .status = -1, .order = DEVICE_BY_NAME, .search = SLICE("2")}},
    };
    static const char *const names[] = {"pump", "pum a3", "pum a2", "pum a1"};
    struct fixture *f = *state;
    struct listing l = {.f = f};

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        const char id[] = {(char)('a' + i), 0};
        struct device_new n = fixture_device("main", id, "");

        n.display_name = slice_str(names[i]);
        assert_int_equal(fixture_insert(f, &n), ST_OK);
    }
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        l.filter = rows[i].filter;
        run(&l);
        if (!slice_equal(buf_slice(&l.ids), slice_str(rows[i].listed)))
            fail_msg("%s: %.*s", rows[i].name, SLICE_FMT(buf_slice(&l.ids)));
    }
    buf_deinit(&l.ids);
}

static void modules_are_listed_for_their_device_alone(void **state)
{
    struct fixture *f = *state;
    struct listing l = {.f = f, .modules_of = "d1"};
    static const char *const rows[][2] = {
        {"d1", ""}, {"d1", "m2"}, {"d1", "m1"}, {"d10", ""}, {"d10", "m3"}};

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct device_new n = fixture_device("main", rows[i][0], rows[i][1]);

        assert_int_equal(fixture_insert(f, &n), ST_OK);
    }
    run(&l);
    assert_true(slice_equal(buf_slice(&l.ids), SLICE("m1 m2 ")));
    l.modules_of = "gone";
    run(&l);
    assert_int_equal(l.count, 0);
    buf_deinit(&l.ids);
}

/* --- orders, organizations, further conditions --------------------------------------------------
 */

static void insert_organization(struct fixture *f, const char *id, const char *path)
{
    static const struct sql sql = {
        "INSERT INTO organization (organization_id, display_name, path) VALUES (?1, ?1, ?2)"};
    const struct sql_value values[] = {SQL_TEXT_(slice_str(id)), SQL_TEXT_(slice_str(path))};
    struct unit *unit = unit_create(f->store);

    assert_non_null(unit);
    unit_add(unit, &sql, values, COUNT_OF(values), EXPECT_ONE);
    assert_int_equal(unit_run(unit), ST_OK);
    unit_destroy(unit);
}

static void insert_named(struct fixture *f, const char *device_id, const char *name,
                         const char *organization, bool is_blocked)
{
    struct device_new n = fixture_device("main", device_id, "");

    n.display_name = slice_str(name);
    n.organization = slice_str(organization);
    n.blocked = is_blocked;
    assert_int_equal(fixture_insert(f, &n), ST_OK);
}

static bool is_blocked(void *context, const struct device *d)
{
    (void)context;
    return d->blocked;
}

#define TEXT(literal)                                                                              \
    {                                                                                              \
        (void *)(literal), sizeof(literal) - 1                                                     \
    }

static void C111_C046_lists_by_name_and_within_an_organization(void **state)
{
    static const struct {
        const char *name, *want;
        struct device_filter filter;
    } rows[] = {
        {"by ID", "a b c d e ", {.limit = 9}},
        {"by name", "b d a c e ", {.limit = 9, .order = DEVICE_BY_NAME}},
        {"by name, down", "e c a d b ", {.limit = 9, .order = DEVICE_BY_NAME_DOWN}},
        {"first page, down", "e c ", {.limit = 2, .order = DEVICE_BY_NAME_DOWN}},
        {"behind one of two alike",
         "c e ",
         {.limit = 9, .order = DEVICE_BY_NAME, .after = TEXT("a"), .after_name = TEXT("same")}},
        {"before one of two alike",
         "a d b ",
         {.limit = 9,
          .order = DEVICE_BY_NAME_DOWN,
          .after = TEXT("c"),
          .after_name = TEXT("same")}},
        {"within the upper", "b c d ", {.limit = 9, .within = TEXT("/up/")}},
        {"within the lower", "d ", {.limit = 9, .within = TEXT("/up/low/")}},
        {"a page within", "c ", {.limit = 1, .within = TEXT("/up/"), .after = TEXT("b")}},
        {"within, by name",
         "b d c ",
         {.limit = 9, .within = TEXT("/up/"), .order = DEVICE_BY_NAME}},
        {"within one like it", "", {.limit = 9, .within = TEXT("/up/l/")}},
        {"what fits", "b e ", {.limit = 9, .fits = is_blocked}},
        {"what fits, within", "b ", {.limit = 9, .fits = is_blocked, .within = TEXT("/up/")}},
        {"what fits, down", "e b ", {.limit = 9, .fits = is_blocked, .order = DEVICE_BY_NAME_DOWN}},
        {"what fits, one", "b ", {.limit = 1, .fits = is_blocked}},
    };
    struct fixture *f = *state;
    struct listing l = {.f = f};

    insert_organization(f, "up", "/up/");
    insert_organization(f, "low", "/up/low/");
    insert_named(f, "a", "same", "", false);
    insert_named(f, "b", "Alpha", "up", true);
    insert_named(f, "c", "same", "up", false);
    insert_named(f, "d", "beta", "low", false);
    insert_named(f, "e", "zeta", "", true);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        l.filter = rows[i].filter;
        l.filter.status = -1;
        run(&l);
        if (!slice_equal(buf_slice(&l.ids), slice_str(rows[i].want)))
            fail_msg("%s: '%.*s'", rows[i].name, SLICE_FMT(buf_slice(&l.ids)));
    }
    buf_deinit(&l.ids);
}

/* Steps of 2,000 rows each, in an order by name. */
static void a_rare_device_is_found_past_many_names(void **state)
{
    struct fixture *f = *state;
    struct listing l = {
        .f = f,
        .filter = {.limit = 9, .status = -1, .order = DEVICE_BY_NAME_DOWN, .fits = is_blocked}};

    insert_many(f, 4500);
    insert_named(f, "first", "a", "", true);
    insert_named(f, "last", "z", "", true);
    run(&l);
    assert_true(slice_equal(buf_slice(&l.ids), SLICE("last first ")));
    buf_deinit(&l.ids);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_filter_lists_what_it_names),
        TEST(a_rare_status_is_found_past_many_rows),
        TEST(pages_give_each_device_once),
        TEST(names_order_a_list_forwards_and_backwards),
        TEST(modules_are_listed_for_their_device_alone),
        TEST(C111_C046_lists_by_name_and_within_an_organization),
        TEST(a_rare_device_is_found_past_many_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
