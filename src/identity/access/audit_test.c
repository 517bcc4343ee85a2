#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/text.h"
#include "codec/json.h"
#include "identity/access/access_fixture.h"

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
#define ROWS_MAX 64

/* --- what was read ---------------------------------------------------------------------------- */

struct page {
    struct fixture *f;
    struct audit_filter filter;
    sem_t ended;
    enum status status;
    int64_t before; /* of the next page */
    size_t count;
    int64_t numbers[ROWS_MAX];
    char entries[ROWS_MAX][AUDIT_ENTRY_MAX];
    bool chained; /* every hash stands on the one before */
};

/* hash = SHA-256 of "{previous} {number} {entry}", computed here by itself. */
static bool is_chained(const struct audit_row *r)
{
    BUF_CLEANUP struct buf text = {.max = 2 * AUDIT_ENTRY_MAX}, hex = {.max = 128};
    uint8_t hash[SHA256_LEN];

    buf_printf(&text, "%.*s %lld ", SLICE_FMT(r->previous), (long long)r->number);
    buf_append(&text, r->entry);
    sha256(buf_slice(&text), hash);
    hex_encode(slice_of(hash, sizeof hash), &hex);
    return slice_equal(buf_slice(&hex), r->hash);
}

static void on_row(void *context, enum status status, const struct audit_row *r, int64_t before)
{
    struct page *p = context;

    if (!r) {
        p->status = status;
        p->before = before;
        sem_post(&p->ended);
        return;
    }
    assert_true(p->count < ROWS_MAX && r->entry.len < AUDIT_ENTRY_MAX);
    p->chained = p->chained && is_chained(r);
    p->numbers[p->count] = r->number;
    memcpy(p->entries[p->count], r->entry.ptr, r->entry.len);
    p->entries[p->count++][r->entry.len] = '\0';
}

static void start_list(void *context)
{
    struct page *p = context;

    audit_list(p->f->id, &p->filter, on_row, p);
}

/* The caller frees. */
static struct page *list(struct fixture *f, struct audit_filter filter)
{
    struct page *p = calloc(1, sizeof *p);

    assert_non_null(p);
    p->f = f;
    p->filter = filter;
    p->chained = true;
    sem_init(&p->ended, 0, 0);
    worker_call(workers_at(f->workers, 0), start_list, p);
    sem_wait(&p->ended);
    assert_int_equal(p->status, ST_OK);
    return p;
}

static size_t count(struct fixture *f, struct audit_filter filter)
{
    struct page *p = list(f, filter);
    size_t rows = p->count;

    assert_true(p->chained);
    free(p);
    return rows;
}

/* --- writing ---------------------------------------------------------------------------------- */

static enum status add(struct fixture *f, const char *actor, const char *action, slice target)
{
    const struct audit_entry e = {.actor = slice_str(actor),
                                  .source = SLICE("192.0.2.1"),
                                  .action = slice_str(action),
                                  .target = target,
                                  .result = SLICE("ok")};
    struct unit *unit = unit_create(f->store);
    enum status status;

    assert_non_null(unit);
    audit_unit_add(unit, &e);
    status = unit_run(unit);
    unit_destroy(unit);
    return status;
}

static void entries_are_numbered_chained_and_shown_newest_first(void **state)
{
    struct fixture *f = *state;
    struct page *p;

    assert_int_equal(add(f, "ann", "devices.block", SLICE("pump-1")), ST_OK);
    assert_int_equal(add(f, "bob", "devices.delete", SLICE("pump-2")), ST_OK);
    assert_int_equal(add(f, "ann", "roles.create", SLICE("guard")), ST_OK);
    p = list(f, (struct audit_filter){.limit = 2});
    assert_int_equal(p->count, 2);
    assert_int_equal(p->numbers[0], 3);
    assert_int_equal(p->numbers[1], 2);
    assert_int_equal(p->before, 2);
    assert_true(p->chained);
    assert_non_null(strstr(p->entries[1], "\"actor\":\"bob\",\"source\":\"192.0.2.1\","
                                          "\"action\":\"devices.delete\",\"target\":\"pump-2\","
                                          "\"result\":\"ok\""));
    free(p);
    p = list(f, (struct audit_filter){.limit = 2, .before = 2});
    assert_int_equal(p->count, 1);
    assert_int_equal(p->numbers[0], 1);
    assert_int_equal(p->before, 0);
    assert_true(p->chained);
    free(p);
}

static void filters(void **state)
{
    struct fixture *f = *state;
    instant now = clock_wall_ms(), minute = 60000;
    const struct {
        const char *name;
        struct audit_filter filter;
        size_t want;
    } rows[] = {
        {"none", {.limit = 50}, 4},
        {"an actor", {.limit = 50, .actor = SLICE("ann")}, 2},
        {"a kind of thing", {.limit = 50, .action = SLICE("devices")}, 3},
        {"an act", {.limit = 50, .action = SLICE("devices.block")}, 2},
        {"half a word", {.limit = 50, .action = SLICE("device")}, 0},
        {"a thing", {.limit = 50, .target = SLICE("pump-2")}, 2},
        {"both", {.limit = 50, .target = SLICE("pump-2"), .actor = SLICE("ann")}, 0},
        {"from", {.limit = 50, .from = now - minute}, 4},
        {"from later", {.limit = 50, .from = now + minute}, 0},
        {"to", {.limit = 50, .to = now - minute}, 0},
        {"a quote", {.limit = 50, .actor = SLICE("' OR 1=1 --")}, 0},
    };

    assert_int_equal(add(f, "ann", "devices.block", SLICE("pump-1")), ST_OK);
    assert_int_equal(add(f, "bob", "devices.block", SLICE("pump-2")), ST_OK);
    assert_int_equal(add(f, "bob", "devices.delete", SLICE("pump-2")), ST_OK);
    assert_int_equal(add(f, "ann", "roles.create", SLICE("guard")), ST_OK);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        size_t got = count(f, rows[i].filter);

        if (got != rows[i].want)
            fail_msg("%s: %zu", rows[i].name, got);
    }
}

static void an_empty_log_has_no_pages(void **state)
{
    assert_int_equal(count(*state, (struct audit_filter){.limit = 50}), 0);
}

/* A name from a path may be any bytes. */
static void any_target_can_be_told(void **state)
{
    static const slice targets[] = {
        {(const uint8_t *)"\xff\xfe\x00\"", 4},
        {(const uint8_t *)"line\nbreak \"quote\"", 18},
        {(const uint8_t *)"", 0},
        {NULL, 0},
    };
    struct fixture *f = *state;
    BUF_CLEANUP struct buf text = {.max = 4096};
    struct page *p;

    for (size_t i = 0; i < COUNT_OF(targets); i++)
        assert_int_equal(add(f, "ann", "devices.block", targets[i]), ST_OK);
    while (text.len < 2000)
        buf_append_str(&text, "\xc3\xa4\xc3\xb6 ");
    assert_int_equal(add(f, "ann", "devices.block", buf_slice(&text)), ST_OK);
    p = list(f, (struct audit_filter){.limit = 50});
    assert_int_equal(p->count, 5);
    assert_true(p->chained);
    for (size_t i = 0; i < p->count; i++) {
        ARENA_CLEANUP struct arena arena = {.max = 65536};
        struct json *root;
        struct fault why;

        if (json_parse(slice_str(p->entries[i]), JSON_REFUSE_DUPLICATES, &arena, &root, &why) !=
            ST_OK)
            fail_msg("%s: %s", p->entries[i], why.text);
    }
    free(p);
}

static void what_is_too_much_to_tell_is_left_out(void **state)
{
    BUF_CLEANUP struct buf facts = {.max = 2 * AUDIT_ENTRY_MAX};
    struct fixture *f = *state;
    struct unit *unit = unit_create(f->store);
    struct audit_entry e = {.actor = SLICE("ann"), .action = SLICE("roles.update")};
    struct page *p;

    buf_append_byte(&facts, '"');
    while (facts.len < AUDIT_ENTRY_MAX)
        buf_append_str(&facts, "much ");
    buf_append_byte(&facts, '"');
    e.after = buf_slice(&facts);
    assert_non_null(unit);
    audit_unit_add(unit, &e);
    assert_int_equal(unit_run(unit), ST_OK);
    unit_destroy(unit);
    p = list(f, (struct audit_filter){.limit = 50});
    assert_int_equal(p->count, 1);
    assert_null(strstr(p->entries[0], "much"));
    free(p);
}

/* --- with the change, or not at all ------------------------------------------------------------
 */

static void an_act_and_its_entry_are_one(void **state)
{
    struct fixture *f = *state;
    struct page *p;

    assert_int_equal(put_role(f, everything(), "guard", PERMISSION(PERM_JOBS_VIEW)), ST_OK);
    assert_int_equal(put_role(f, everything(), "guard", 0), ST_OK);
    assert_int_equal(put_role(f, everything(), OPERATOR, 0), ST_FORBIDDEN);
    p = list(f, (struct audit_filter){.limit = 50});
    assert_int_equal(p->count, 2);
    assert_non_null(strstr(p->entries[1], "\"actor\":\"boss\",\"source\":\"192.0.2.1\","
                                          "\"action\":\"roles.create\",\"target\":\"guard\","
                                          "\"result\":\"ok\",\"requestId\":\"request-1\",\"after\":"
                                          "{\"displayName\":\"guard\",\"permissions\":"
                                          "[\"jobs.view\"]}"));
    assert_non_null(strstr(p->entries[0], "\"before\":{\"displayName\":\"guard\",\"permissions\":"
                                          "[\"jobs.view\"]},\"after\":{\"displayName\":\"guard\","
                                          "\"permissions\":[]}"));
    free(p);
}

static void C120_a_token_is_told_of_without_its_secret(void **state)
{
    struct fixture *f = *state;
    BUF_CLEANUP struct buf token = {0};
    struct page *p;

    assert_int_equal(create_token(f, everything(), "ci", OPERATOR, NULL, 0, &token), ST_OK);
    assert_int_equal(delete_token(f, everything(), "ci"), ST_OK);
    p = list(f, (struct audit_filter){.limit = 50, .action = SLICE("apiTokens")});
    assert_int_equal(p->count, 2);
    for (size_t i = 0; i < p->count; i++) {
        assert_null(strstr(p->entries[i], "mst_"));
        assert_null(strstr(p->entries[i], "sig"));
    }
    free(p);
}

#define NOTES 100

struct noting {
    struct fixture *f;
    unsigned at;
};

static void note_many(void *context)
{
    struct noting *n = context;
    const struct audit_entry e = {.actor = SLICE("ann"), .action = SLICE("devices.block")};

    for (int i = 0; i < NOTES; i++)
        audit_note(n->f->id, &e, UNIT_ORDINARY, NULL, NULL);
}

static void workers_do_not_break_the_chain(void **state)
{
    struct fixture *f = *state;
    int64_t before = 0;
    size_t seen = 0;

    for (unsigned i = 0; i < FIXTURE_WORKERS; i++)
        worker_call(workers_at(f->workers, i), note_many, &(struct noting){f, i});
    assert_int_equal(add(f, "bob", "devices.block", SLICE("last")), ST_OK);
    do {
        struct page *p = list(f, (struct audit_filter){.limit = 50, .before = before});

        assert_true(p->chained);
        seen += p->count;
        before = p->before;
        free(p);
    } while (before > 0);
    assert_int_equal(seen, FIXTURE_WORKERS * NOTES + 1);
}

/* --- refusals --------------------------------------------------------------------------------- */

static void deny_many(void *context)
{
    struct noting *n = context;
    struct audit_entry e = {.actor = SLICE("ann"), .action = SLICE("devices.block")};
    char source[32];

    for (int i = 0; i < NOTES; i++) { /* a connection each */
        snprintf(source, sizeof source, "192.0.2.9:%d", 40000 + i);
        e.source = slice_str(source);
        audit_note_denial(n->f->id, &e);
    }
}

/* A second may begin in the middle. */
static void of_many_refusals_a_few_are_told(void **state)
{
    struct fixture *f = *state;
    size_t told;

    worker_call(workers_at(f->workers, 0), deny_many, &(struct noting){f, 0});
    assert_int_equal(add(f, "bob", "devices.delete", SLICE("last")), ST_OK);
    told = count(f, (struct audit_filter){.limit = 60, .action = SLICE("devices.block")});
    assert_in_range(told, AUDIT_DENIALS_A_SECOND, 2 * AUDIT_DENIALS_A_SECOND);
}

/* --- how long it is kept -----------------------------------------------------------------------
 */

static const struct sql age_sql = {"UPDATE audit SET at = ?1 WHERE number <= ?2 AND number > 0"};

static void age(struct fixture *f, int64_t number, int64_t days)
{
    const struct sql_value values[] = {SQL_INT_(clock_wall_ms() - days * 24 * 3600 * 1000),
                                       SQL_INT_(number)};
    struct unit *unit = unit_create(f->store);

    assert_non_null(unit);
    unit_add(unit, &age_sql, values, COUNT_OF(values), EXPECT_ANY);
    assert_int_equal(unit_run(unit), ST_OK);
    unit_destroy(unit);
}

static void entries_of_a_year_are_kept_older_ones_go(void **state)
{
    struct fixture *f = *state;
    struct page *p;

    for (int i = 0; i < 5; i++)
        assert_int_equal(add(f, "ann", "devices.block", SLICE("pump")), ST_OK);
    age(f, 5, 366);
    for (int i = 0; i < 5; i++)
        assert_int_equal(add(f, "ann", "devices.block", SLICE("pump")), ST_OK);
    assert_int_equal(count(f, (struct audit_filter){.limit = 50}), 10);
    age(f, 5, AUDIT_KEPT_DAYS + 1);
    assert_int_equal(add(f, "ann", "devices.block", SLICE("pump")), ST_OK);
    assert_int_equal(add(f, "ann", "devices.block", SLICE("pump")), ST_OK);
    assert_int_equal(add(f, "ann", "devices.block", SLICE("pump")), ST_OK);
    p = list(f, (struct audit_filter){.limit = 50});
    assert_int_equal(p->count, 8);
    assert_int_equal(p->numbers[7], 6);
    assert_int_equal(p->before, 0);
    assert_true(AUDIT_KEPT_DAYS >= 365);
    free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(entries_are_numbered_chained_and_shown_newest_first),
        TEST(filters),
        TEST(an_empty_log_has_no_pages),
        TEST(any_target_can_be_told),
        TEST(what_is_too_much_to_tell_is_left_out),
        TEST(an_act_and_its_entry_are_one),
        TEST(C120_a_token_is_told_of_without_its_secret),
        TEST(workers_do_not_break_the_chain),
        TEST(of_many_refusals_a_few_are_told),
        TEST(entries_of_a_year_are_kept_older_ones_go),
    };

    return cmocka_run_group_tests_name("audit", tests, NULL, NULL);
}
